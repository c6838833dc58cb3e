//! What can go wrong with images. Every message says what, in which file or setting, and what to
//! do about it; none of them is ever a panic.

use crate::archive::ArchiveError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use strata_core::project::Project;
use strata_core::project::help::{DataSetting, Help, Repair, Surface};

/// Why a dataset, or one image of it, cannot be had. Its text is the terminal's; [`DataError::text`] has the window's.
#[derive(Debug)]
#[non_exhaustive]
pub enum DataError {
    /// A value in the project's `[data]` table that cannot be used.
    Setting {
        /// The key in the table, `resize` for example.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// What to write instead.
        help: Help,
    },
    /// None of the files that a source needs is there.
    Missing {
        /// What was wanted, "MNIST's images" for example.
        what: String,
        /// The file names that would have served.
        names: Vec<String>,
        /// The folders that were searched: the one given, then those in it.
        folders: Vec<PathBuf>,
        /// What to do.
        help: Help,
    },
    /// The system would not give the bytes.
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// The system's own words.
        cause: io::Error,
    },
    /// A file that is not what its name or its header says.
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What was found, with numbers.
        problem: String,
        /// What to do.
        help: Help,
    },
    /// A folder in which no usable image was found.
    NoImages {
        /// Which folder.
        folder: PathBuf,
        /// "no images in it", or how many were broken and why.
        problem: String,
        /// How the folder should look.
        help: Help,
    },
    /// Images of different sizes and no `resize` in the project.
    SizesDiffer {
        /// Which folder.
        folder: PathBuf,
        /// Some of the sizes, each with a file that has it.
        sizes: String,
        /// Height and width to propose.
        suggestion: [usize; 2],
    },
    /// An archive where a folder or a file of data is wanted.
    Packed {
        /// Which archive.
        archive: PathBuf,
        /// What it holds, in words.
        what: String,
    },
    /// The caller's progress function asked to stop.
    Cancelled,
    /// An image number past the end of a split.
    OutOfRange {
        /// The number asked for.
        index: usize,
        /// The split's length.
        len: usize,
        /// The split's name.
        split: &'static str,
    },
    /// The threads that read images are gone before the images are.
    LoaderEnded,
    /// A buffer of the wrong length.
    Buffer {
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DataError::Unreadable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Surface::Terminal))
    }
}

impl From<ArchiveError> for DataError {
    fn from(error: ArchiveError) -> DataError {
        match error {
            ArchiveError::Refused {
                archive,
                problem,
                help,
            } => DataError::malformed(&archive, problem, help),
            ArchiveError::Unreadable { file, cause } | ArchiveError::Unwritable { file, cause } => {
                DataError::unreadable(&file, cause)
            }
            ArchiveError::Cancelled => DataError::Cancelled,
            ArchiveError::Busy { ref archive }
            | ArchiveError::DiskFull {
                folder: ref archive,
                ..
            } => {
                let cause = io::Error::other(error.to_string());
                DataError::unreadable(archive, cause)
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// What is missing, where and of how many names: the names themselves would fill the message.
fn missing(what: &str, names: usize, folders: &[PathBuf]) -> String {
    let folder = folders
        .first()
        .map_or_else(String::new, |folder| shown(folder));
    let inside = match folders.len() {
        0 | 1 => String::new(),
        2 => ", nor in the folder inside it".to_owned(),
        several => format!(", nor in {} folders inside it", several - 1),
    };
    let none = match names {
        1 => "the file is not there".to_owned(),
        several => format!("none of the {several} names their files may have is there"),
    };
    format!("{what} not found in {folder}{inside}: {none}")
}

impl DataError {
    pub(super) fn setting(
        key: &'static str,
        problem: impl Into<String>,
        help: impl Into<Help>,
    ) -> Self {
        DataError::Setting {
            key,
            problem: problem.into(),
            help: help.into(),
        }
    }

    pub(super) fn unreadable(file: &Path, cause: io::Error) -> Self {
        DataError::Unreadable {
            file: file.to_path_buf(),
            cause,
        }
    }

    pub(super) fn malformed(
        file: &Path,
        problem: impl Into<String>,
        help: impl Into<Help>,
    ) -> Self {
        DataError::Malformed {
            file: file.to_path_buf(),
            problem: problem.into(),
            help: help.into(),
        }
    }

    /// What helps, where the error is not in Strata itself and not of the system.
    pub fn help(&self) -> Option<Help> {
        match self {
            DataError::Setting { help, .. }
            | DataError::Missing { help, .. }
            | DataError::Malformed { help, .. }
            | DataError::NoImages { help, .. } => Some(help.clone()),
            DataError::SizesDiffer {
                suggestion: [height, width],
                ..
            } => {
                let size = [height, width].map(|&side| side as u32);
                Some(Repair::Data(DataSetting::Resize(size)).into())
            }
            DataError::Packed { archive, .. } => Some(Help::note(
                format!("unpack it: strata data \"{}\" --unpack", archive.display()),
                "unpack it in the view Images",
            )),
            DataError::Unreadable { .. }
            | DataError::Cancelled
            | DataError::OutOfRange { .. }
            | DataError::LoaderEnded
            | DataError::Buffer { .. } => None,
        }
    }

    /// The same for a project: images of different sizes are scaled to what its network takes.
    pub fn for_project(self, project: &Project) -> DataError {
        match (self, project.size_to_scale_to()) {
            (DataError::SizesDiffer { folder, sizes, .. }, Some(size)) => DataError::SizesDiffer {
                folder,
                sizes,
                suggestion: size.map(|side| side as usize),
            },
            (error, _) => error,
        }
    }

    /// What a button can do about it: files that are missing can be fetched or looked for.
    pub fn repair(&self) -> Option<Repair> {
        let help = self.help()?;
        let has_button =
            matches!(self, DataError::Missing { .. }) || matches!(*help.repair, Repair::Data(_));
        has_button.then_some(*help.repair)
    }

    /// One message: what, where, and what to do there.
    pub fn text(&self, surface: Surface) -> String {
        let problem = self.problem(surface);
        match self.help() {
            Some(help) => format!("{problem}: {}", help.text(surface)),
            None => problem,
        }
    }

    fn problem(&self, surface: Surface) -> String {
        match self {
            DataError::Setting { key, problem, .. } => match surface {
                Surface::Terminal => format!("[data] {key}: {problem}"),
                Surface::Window => format!("{key}: {problem}"),
            },
            DataError::Missing {
                what,
                names,
                folders,
                ..
            } => match surface {
                Surface::Terminal => {
                    let looked_in: Vec<String> =
                        folders.iter().map(|folder| shown(folder)).collect();
                    let (names, folders) = (names.join(", "), looked_in.join(" and "));
                    format!("{what} not found: looked for {names} in {folders}")
                }
                Surface::Window => missing(what, names.len(), folders),
            },
            DataError::Unreadable { file, cause } => {
                let file = file.display();
                format!(
                    "{file}: cannot be read ({cause}): check that the file is there and that you may read it"
                )
            }
            DataError::Malformed { file, problem, .. } => format!("{}: {problem}", file.display()),
            DataError::NoImages {
                folder, problem, ..
            } => {
                format!("{}: {problem}", folder.display())
            }
            DataError::SizesDiffer { folder, sizes, .. } => {
                format!("{}: the images differ in size ({sizes})", folder.display())
            }
            DataError::Packed { archive, what } => {
                format!("{} is {what}", archive.display())
            }
            DataError::Cancelled => "reading the images was cancelled".to_owned(),
            DataError::OutOfRange { index, len, split } => format!(
                "image {index} asked for, but the {split} split has {len}: this is a bug in Strata, please report it"
            ),
            DataError::LoaderEnded => {
                "a thread that reads images ended early: this is a bug in Strata, please report it"
                    .to_owned()
            }
            DataError::Buffer { expected, found } => format!(
                "a buffer of {found} values where {expected} are needed: this is a bug in Strata, please report it"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_names_the_table_and_the_window_has_a_button() {
        let error = DataError::SizesDiffer {
            folder: "photos".into(),
            sizes: "2×3 a.png".to_owned(),
            suggestion: [2, 3],
        };
        assert_eq!(
            error.to_string(),
            "photos: the images differ in size (2×3 a.png): write resize = [2, 3] under [data]"
        );
        let window = error.text(Surface::Window);
        assert_eq!(
            window,
            "photos: the images differ in size (2×3 a.png): scale them to one size"
        );
        let label = |error: &DataError| error.repair().map(|repair| repair.label());
        assert_eq!(label(&error).as_deref(), Some("scale to 2×3"));
        // For a project the network says to what.
        let builtin = strata_core::project::builtin::find("lenet-mnist").unwrap();
        let mut project = builtin.project().unwrap();
        let error = error.for_project(&project);
        assert_eq!(label(&error).as_deref(), Some("scale to 28×28"));
        project.data.patches = Some([28, 28]);
        let error = DataError::SizesDiffer {
            folder: "photos".into(),
            sizes: String::new(),
            suggestion: [64, 64],
        };
        let error = error.for_project(&project);
        assert_eq!(
            label(&error).as_deref(),
            Some("scale to 64×64"),
            "patches are cut from it"
        );
        let error = DataError::setting("limit", "0 leaves no image", Help::without("limit"));
        assert_eq!(
            error.to_string(),
            "[data] limit: 0 leaves no image: remove limit"
        );
        assert_eq!(
            error.text(Surface::Window),
            "limit: 0 leaves no image: remove limit"
        );
        let error = DataError::malformed(Path::new("a.npy"), "it is cut off", "copy it again");
        assert_eq!(
            error.text(Surface::Window),
            "a.npy: it is cut off: copy it again"
        );
        assert_eq!(error.repair(), None);
    }
}
