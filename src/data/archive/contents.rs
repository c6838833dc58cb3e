//! What an archive holds, from its directory: files with their sizes, and what is left out with its reason.

use super::Archive;
use super::entries::{self, Entry, What};
use super::error::ArchiveError;
use super::extract::place_in;
use crate::Skipped;
use crate::sources::folder::names::is_hidden;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// More files than any data set has.
const MOST_FILES: usize = 2_000_000;
/// Bytes read at once of what is only gone through.
const PIECE: usize = 1 << 16;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path below the folder that the archive is unpacked to.
    pub path: PathBuf,
    /// Its size unpacked.
    pub bytes: u64,
}

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The archive.
    pub archive: PathBuf,
    /// Its format, by its first bytes.
    pub kind: Archive,
    /// What is unpacked, in the order of the archive.
    pub members: Vec<Member>,
    /// What is not: hidden files, and links.
    pub left_out: Vec<Skipped>,
    /// Files whose names are no UTF-8.
    pub old_names: usize,
}

impl Contents {
    /// Reads the directory of an archive; `go_on` is told of the bytes gone through and of those in all, and ends the
    /// reading with false.
    pub fn read(
        archive: &Path,
        go_on: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<Contents, ArchiveError> {
        let kind = entries::kind_by_content(archive)?;
        let about =
            std::fs::metadata(archive).map_err(|cause| ArchiveError::read(archive, cause))?;
        let (total, done) = (about.len(), Cell::new(0));
        let mut contents = Contents {
            archive: archive.to_path_buf(),
            kind,
            members: Vec::new(),
            left_out: Vec::new(),
            old_names: 0,
        };
        entries::list(archive, kind, &done, &mut |entry, content| {
            contents.take(entry)?;
            let mut piece = vec![0; if kind == Archive::TarGz { PIECE } else { 0 }];
            loop {
                if !go_on(done.get().min(total), total) {
                    return Err(ArchiveError::Cancelled);
                }
                let read = content.read(&mut piece);
                if read.map_err(|error| ArchiveError::damaged(archive, error))? == 0 {
                    return Ok(());
                }
            }
        })?;
        Ok(contents)
    }

    /// Bytes of all members.
    pub fn bytes(&self) -> u64 {
        let sizes = self.members.iter().map(|member| member.bytes);
        sizes.fold(0, u64::saturating_add)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let path = place_in(&self.archive, &entry.name)?;
        if entry.what == What::Folder {
            return Ok(());
        }
        self.old_names += usize::from(entry.is_old_name);
        match reason(entry) {
            Some(reason) => self.left_out.push(Skipped {
                file: self.archive.join(path),
                reason: reason.to_owned(),
            }),
            None => self.members.push(Member {
                path,
                bytes: entry.bytes,
            }),
        }
        match self.members.len() + self.left_out.len() > MOST_FILES {
            true => Err(ArchiveError::refused(
                &self.archive,
                format!("it has more than {MOST_FILES} files"),
                "unpack it with another program, and point path at the folder",
            )),
            false => Ok(()),
        }
    }
}

/// Why an entry is not unpacked.
pub(super) fn reason(entry: &Entry) -> Option<&'static str> {
    let mut parts = entry.name.components();
    if parts.any(|part| is_hidden(Path::new(part.as_os_str())) && part.as_os_str() != ".") {
        return Some("hidden, or left behind by a system");
    }
    (entry.what == What::Other).then_some("a link or a device, which is not unpacked")
}
