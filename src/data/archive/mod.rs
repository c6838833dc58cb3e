//! Archives that people have and that are downloaded: zip, tar and tar.gz, listed and described in place, unpacked
//! without trusting them. What fails is an [`ArchiveError`].
//!
//! | file | what it does |
//! |---|---|
//! | `entries` | entry after entry of any of the formats |
//! | `contents` | what is in an archive, from its directory |
//! | `describe` | what it is as data: source, classes, splits |
//! | `extract` | to a folder, within limits |
//! | `unpack` | beside the archive: room, resuming, what is in the way |

mod contents;
mod describe;
mod entries;
mod error;
pub(crate) mod extract;
#[cfg(test)]
mod tests;
mod unpack;

pub use contents::{Contents, Member};
pub(crate) use describe::instead_of_a_folder;
pub use describe::{Described, DescribedSplit, describe};
pub use error::ArchiveError;
use std::path::Path;
pub(crate) use unpack::set_aside;
pub use unpack::{Unpacked, folder_beside, is_unpacked, unpack};

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// `.tar.gz`, `.tgz`.
    TarGz,
    /// `.tar`.
    Tar,
    /// `.zip`.
    Zip,
}

/// What names end in, and the formats.
const ENDINGS: [(&str, Archive); 4] = [
    (".tar.gz", Archive::TarGz),
    (".tgz", Archive::TarGz),
    (".tar", Archive::Tar),
    (".zip", Archive::Zip),
];
/// What names of archives end in that are not read.
const OTHERS: [&str; 8] = [
    ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".bz2", ".7z", ".rar",
];

impl Archive {
    /// The format that a name says; `None` for what is no archive.
    pub fn by_name(path: &Path) -> Option<Archive> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let ending = ENDINGS
            .iter()
            .find(|(ending, _)| name.len() > ending.len() && name.ends_with(ending));
        ending.map(|(_, kind)| *kind)
    }

    /// Whether a file's name is that of an archive, of a format that is read or of another.
    pub fn is_named_like_one(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        Archive::by_name(path).is_some() || OTHERS.iter().any(|ending| name.ends_with(ending))
    }
}

/// The name of an archive without its ending.
fn stem(archive: &Path) -> String {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_lowercase();
    let ending = ENDINGS.iter().find(|(ending, _)| lower.ends_with(ending));
    let stem = ending.and_then(|(ending, _)| name.get(..name.len().saturating_sub(ending.len())));
    match stem {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => format!("{name} unpacked"),
    }
}
