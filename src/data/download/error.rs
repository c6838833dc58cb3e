//! Why a download failed: what, where, and what to do about it.

use super::published::{Entry, RemoteFile, Then};
use crate::archive::ArchiveError;
use std::io;
use std::path::{Path, PathBuf};
use strata_core::format::count;
use strata_core::project::help::{Help, Surface};
use thiserror::Error;

/// Why a dataset could not be brought.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// No address gave the file.
    #[error("{file} could not be downloaded\n{}\n{manual}", list(.reasons))]
    Unreachable {
        /// The file's name.
        file: String,
        /// Every address with what it said.
        reasons: Vec<(String, String)>,
        /// The steps by hand.
        manual: Help,
    },
    /// An archive that cannot be unpacked, or not safely.
    #[error("{archive}: {problem}; nothing was unpacked. Delete the file and download it again")]
    Archive {
        /// Which archive.
        archive: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Not enough room on the disk.
    #[error("{folder}: {problem}. Free some space, or choose a folder on another disk with --path")]
    DiskFull {
        /// Which folder.
        folder: PathBuf,
        /// How much is needed and how much there is.
        problem: String,
    },
    /// The system would not read or write a file.
    #[error(
        "{file}: cannot be {verb} ({cause}); check that the folder may be written, or choose another one"
    )]
    File {
        /// Which file.
        file: PathBuf,
        /// "read" or "written".
        verb: &'static str,
        /// The system's words.
        cause: io::Error,
    },
    /// Somebody else fetches the same file.
    #[error("{file} is being downloaded by another Strata; wait for it, or close it")]
    Busy {
        /// The part that it writes.
        file: PathBuf,
    },
    /// The caller asked to stop.
    #[error(
        "the download was cancelled; what was received is kept, and the next one continues from there"
    )]
    Cancelled,
}

impl From<ArchiveError> for DownloadError {
    fn from(error: ArchiveError) -> DownloadError {
        match error {
            ArchiveError::Refused {
                archive, problem, ..
            } => DownloadError::Archive { archive, problem },
            ArchiveError::DiskFull {
                folder,
                needed,
                free,
            } => DownloadError::no_room(&folder, needed, free),
            ArchiveError::Unreadable { file, cause } => DownloadError::read(&file, cause),
            ArchiveError::Unwritable { file, cause } => DownloadError::write(&file, cause),
            ArchiveError::Busy { archive } => DownloadError::Busy { file: archive },
            ArchiveError::Cancelled => DownloadError::Cancelled,
        }
    }
}

impl DownloadError {
    /// The message for the terminal, which is its own text, or for the window.
    pub fn text(&self, surface: Surface) -> String {
        match (self, surface) {
            (
                DownloadError::Unreachable {
                    file,
                    reasons,
                    manual,
                },
                Surface::Window,
            ) => format!(
                "{file} could not be downloaded\n{}\n{}",
                list(reasons),
                manual.in_window()
            ),
            (DownloadError::DiskFull { folder, problem }, Surface::Window) => format!(
                "{}: {problem}. Free some space, or choose a folder on another disk under Path",
                folder.display()
            ),
            _ => self.to_string(),
        }
    }

    /// A failed write; a full disk is named as such.
    pub(super) fn write(file: &Path, cause: io::Error) -> DownloadError {
        if matches!(
            cause.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            let problem = format!(
                "the disk is full while {} is written; what was received is kept",
                name(file)
            );
            return DownloadError::DiskFull {
                folder: file.parent().unwrap_or(file).to_path_buf(),
                problem,
            };
        }
        DownloadError::File {
            file: file.to_path_buf(),
            verb: "written",
            cause,
        }
    }

    pub(super) fn read(file: &Path, cause: io::Error) -> DownloadError {
        DownloadError::File {
            file: file.to_path_buf(),
            verb: "read",
            cause,
        }
    }

    pub(super) fn archive(archive: &Path, problem: impl Into<String>) -> DownloadError {
        DownloadError::Archive {
            archive: archive.to_path_buf(),
            problem: problem.into(),
        }
    }

    pub(super) fn no_room(folder: &Path, needed: u64, free: u64) -> DownloadError {
        let problem = format!(
            "{} bytes are needed and {} are free",
            count(needed),
            count(free)
        );
        DownloadError::DiskFull {
            folder: folder.to_path_buf(),
            problem,
        }
    }
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn list(reasons: &[(String, String)]) -> String {
    reasons
        .iter()
        .map(|(address, why)| format!("  {address}: {why}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The steps by hand, a line each: which address, which file, where to put it, its checksum.
pub(super) fn by_hand(entry: &Entry, file: &RemoteFile, folder: &Path) -> Help {
    let address = file.addresses.first().map_or("", String::as_str);
    let then = match file.then {
        Then::Keep(_) => "looks what is still missing",
        Then::Unpack { .. } => "unpacks it without the network, and looks what is still missing",
    };
    let steps = format!(
        "What was received so far is kept; the next download continues from there. By hand:\n  \
         1. open {address} in a browser\n  \
         2. save it as {} (its {})\n  \
         3.",
        folder.join(&file.name).display(),
        file.sum,
    );
    let (name, folder) = (&entry.name, folder.display());
    Help::note(
        format!(
            "{steps} download again with `strata data {name} --path {folder} --fetch`: that {then}"
        ),
        format!("{steps} press Download again: that {then}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_is_told_as_such() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = DownloadError::write(Path::new("folder/images.gz.part"), full);
        assert!(matches!(error, DownloadError::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
}
