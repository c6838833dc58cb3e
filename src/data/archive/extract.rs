//! Unpacking without trusting the archive: no path that leads out, no links, no more files or bytes than agreed.

use super::Archive;
use super::entries::{self, Entry, What};
use super::error::ArchiveError;
use std::cell::Cell;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

/// Folders in folders: deeper ones are no dataset's.
pub(crate) const DEEPEST: usize = 64;
/// Bytes written at once.
const PIECE: usize = 1 << 16;

/// What is unpacked, and how much of it at most.
pub(crate) struct Job<'a> {
    pub archive: &'a Path,
    pub kind: Archive,
    pub most_files: usize,
    pub most_bytes: u64,
    /// Whether an entry is to be left out; a link that is not is refused.
    pub leaves_out: &'a dyn Fn(&Entry) -> bool,
    /// Whether files of the right size that are there already are kept: an earlier try wrote them.
    pub resumes: bool,
}

/// Told of the bytes unpacked and of those of the archive that were gone through; false to stop.
pub(crate) type GoOn<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// Unpacks into a folder that is there. What was written stays where it fails.
pub(crate) fn extract(job: &Job, folder: &Path, go_on: &mut GoOn) -> Result<(), ArchiveError> {
    let done = Cell::new(0);
    let mut out = Out {
        job,
        folder,
        bytes: 0,
        files: 0,
        written: HashSet::new(),
    };
    entries::read(job.archive, job.kind, &done, &mut |entry, content| {
        out.take(entry, content, &mut |bytes| go_on(bytes, done.get()))
    })
}

/// Where an entry lies below a folder, whatever its name says.
pub(crate) fn place_in(archive: &Path, name: &Path) -> Result<PathBuf, ArchiveError> {
    let mut place = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => place.push(part),
            Component::CurDir => {}
            _ => return Err(refused(archive, name, "leads out of the folder")),
        }
    }
    if name.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(refused(archive, name, "has a name that no file can have"));
    }
    match place.components().count() > DEEPEST {
        true => Err(refused(archive, name, "lies in too many folders")),
        false => Ok(place),
    }
}

fn refused(archive: &Path, name: &Path, why: &str) -> ArchiveError {
    let name: String = name.display().to_string().chars().take(200).collect();
    ArchiveError::refused(
        archive,
        format!("{name} in it {why}, which no dataset needs"),
        "get the archive from where it was first published",
    )
}

struct Out<'a> {
    job: &'a Job<'a>,
    folder: &'a Path,
    bytes: u64,
    files: usize,
    written: HashSet<PathBuf>,
}

impl Out<'_> {
    fn take(
        &mut self,
        entry: &Entry,
        content: &mut dyn Read,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), ArchiveError> {
        let name = place_in(self.job.archive, &entry.name)?;
        if (self.job.leaves_out)(entry) {
            return Ok(());
        }
        self.files += 1;
        if self.files > self.job.most_files {
            return Err(self.too_much(format!("more than {} files", self.job.most_files)));
        }
        match entry.what {
            What::Folder => self.make_folder(&self.folder.join(name)),
            What::File if name.as_os_str().is_empty() => Err(ArchiveError::damaged(
                self.job.archive,
                "a file in it has no name",
            )),
            What::File => self.write(&name, entry, content, go_on),
            What::Other => Err(refused(
                self.job.archive,
                &entry.name,
                "is a link or a device",
            )),
        }
    }

    fn too_much(&self, what: String) -> ArchiveError {
        ArchiveError::refused(
            self.job.archive,
            format!("it unpacks to {what}"),
            "get the archive from where it was first published",
        )
    }

    fn make_folder(&self, place: &Path) -> Result<(), ArchiveError> {
        fs::create_dir_all(place).map_err(|cause| ArchiveError::write(place, cause))
    }

    fn write(
        &mut self,
        name: &Path,
        entry: &Entry,
        content: &mut dyn Read,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), ArchiveError> {
        let place = self.folder.join(name);
        if !self.written.insert(name.to_path_buf()) {
            return Err(refused(self.job.archive, name, "is there twice"));
        }
        if self.job.resumes && is_whole(&place, entry.bytes) {
            self.bytes = self.bytes.saturating_add(entry.bytes);
            return match go_on(self.bytes) {
                true => Ok(()),
                false => Err(ArchiveError::Cancelled),
            };
        }
        if let Some(folder) = place.parent() {
            self.make_folder(folder)?;
        }
        let mut file = self.create(name, &place)?;
        let before = self.bytes;
        let mut piece = vec![0; PIECE];
        loop {
            if !go_on(self.bytes) {
                return Err(ArchiveError::Cancelled);
            }
            let read = content.read(&mut piece);
            let read = read.map_err(|error| ArchiveError::damaged(self.job.archive, error))?;
            if read == 0 {
                break;
            }
            self.bytes = self.bytes.saturating_add(read as u64);
            if self.bytes > self.job.most_bytes {
                return Err(self.too_much(format!("more than {} bytes", self.job.most_bytes)));
            }
            let written = file.write_all(piece.get(..read).unwrap_or_default());
            written.map_err(|cause| ArchiveError::write(&place, cause))?;
        }
        let found = self.bytes - before;
        if found != entry.bytes {
            let name = name.display();
            let why = format!("{name} has {found} bytes and should have {}", entry.bytes);
            return Err(ArchiveError::damaged(self.job.archive, why));
        }
        Ok(())
    }

    fn create(&self, name: &Path, place: &Path) -> Result<File, ArchiveError> {
        let mut options = OpenOptions::new();
        options.write(true);
        let file = match self.job.resumes {
            true => options.create(true).truncate(true).open(place),
            false => options.create_new(true).open(place),
        };
        file.map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => refused(self.job.archive, name, "is there twice"),
            _ => ArchiveError::write(place, cause),
        })
    }
}

/// Whether a file of this size is there.
pub(crate) fn is_whole(place: &Path, bytes: u64) -> bool {
    place
        .symlink_metadata()
        .is_ok_and(|about| about.is_file() && about.len() == bytes)
}
