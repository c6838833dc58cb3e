//! Which sources can be downloaded, and to where.

use super::published::Entry;
use crate::sources;
use std::path::PathBuf;
use strata_core::project::data::Source;

/// The files of a source; `None` for one that has nothing to download.
pub fn entry(source: Source) -> Option<Entry> {
    let published = sources::reader(source).published?;
    Some(published.entry(source))
}

/// Where a dataset goes unless a folder is given: `strata/NAME` in the user's folder for data. `None` where
/// no such folder is known.
pub fn default_folder(name: &str) -> Option<PathBuf> {
    let set = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = match cfg!(windows) {
        true => set("LOCALAPPDATA"),
        false => set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share"))),
    };
    data.map(|data| data.join("strata").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::download::published::{Holds, Then};

    #[test]
    fn every_entry_has_addresses_a_checksum_and_room() {
        let entries: Vec<Entry> = Source::ALL.into_iter().filter_map(entry).collect();
        assert_eq!(entries.len(), 7);
        for file in entries.iter().flat_map(|entry| &entry.files) {
            assert!(
                file.addresses
                    .iter()
                    .all(|address| address.ends_with(&format!("/{}", file.name))),
                "{file:?}"
            );
            assert!(file.sum.is_well_formed(), "{file:?}");
            if let Then::Unpack {
                holds, most_bytes, ..
            } = &file.then
            {
                let sum: u64 = holds
                    .iter()
                    .map(|held| {
                        if let Holds::Bytes(bytes) = held.what {
                            bytes
                        } else {
                            0
                        }
                    })
                    .sum();
                assert!(
                    !holds.is_empty() && sum < *most_bytes && file.bytes < *most_bytes,
                    "{file:?}"
                );
            }
        }
    }
}
