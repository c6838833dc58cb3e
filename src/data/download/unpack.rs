//! Archives, unpacked without trusting them: no path that leads out, no links, no more files or bytes
//! than the dataset has. All goes into a folder of its own beside the place, is checked there and then
//! moved; what fails leaves nothing behind.

use super::error::DownloadError;
use super::published::{Archive, Held};
use super::survey::lacking;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

/// More files than any of the datasets has.
const MOST_FILES: usize = 60_000;

/// An archive to unpack.
pub(super) struct Job<'a> {
    pub archive: &'a Path,
    pub kind: Archive,
    pub most_bytes: u64,
    pub holds: &'a [Held],
}

/// Told of bytes done and in all; false to stop.
type GoOn<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// Unpacks into `folder`; gives the folders that were in the way, under their new names.
pub(super) fn unpack(
    job: &Job,
    folder: &Path,
    go_on: &mut GoOn,
) -> Result<Vec<PathBuf>, DownloadError> {
    let temporary = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(folder);
    let temporary = temporary.map_err(|cause| DownloadError::write(folder, cause))?;
    let mut out = Out {
        job,
        folder: temporary.path(),
        bytes: 0,
        files: 0,
    };
    match job.kind {
        Archive::TarGz => out.tar(go_on)?,
        Archive::Zip => out.zip(go_on)?,
    }
    if let Some(lacks) = lacking(job.holds, temporary.path()) {
        return Err(DownloadError::archive(
            job.archive,
            format!("it is not the archive that was expected: {lacks}"),
        ));
    }
    move_into(temporary.path(), folder)
}

struct Out<'a> {
    job: &'a Job<'a>,
    folder: &'a Path,
    bytes: u64,
    files: usize,
}

impl Out<'_> {
    fn tar(&mut self, go_on: &mut GoOn) -> Result<(), DownloadError> {
        let read = |cause| DownloadError::read(self.job.archive, cause);
        let file = File::open(self.job.archive).map_err(read)?;
        let (total, done) = (file.metadata().map_err(read)?.len(), Cell::new(0));
        let input = Counted {
            input: BufReader::with_capacity(1 << 16, file),
            done: &done,
        };
        let mut tar = tar::Archive::new(MultiGzDecoder::new(input));
        for entry in tar.entries().map_err(|error| self.damaged(&error))? {
            let mut entry = entry.map_err(|error| self.damaged(&error))?;
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue;
            }
            let name = entry
                .path()
                .map_err(|error| self.damaged(&error))?
                .into_owned();
            match kind {
                tar::EntryType::Directory => self.make_folder(&name)?,
                tar::EntryType::Regular => {
                    self.write(&name, &mut entry, &mut || go_on(done.get(), total))?
                }
                _ => return Err(self.refused(&name, "is a link or a device")),
            }
        }
        Ok(())
    }

    fn zip(&mut self, go_on: &mut GoOn) -> Result<(), DownloadError> {
        let file = File::open(self.job.archive)
            .map_err(|cause| DownloadError::read(self.job.archive, cause))?;
        let mut zip =
            zip::ZipArchive::new(BufReader::new(file)).map_err(|error| self.damaged(&error))?;
        let total = zip.len() as u64;
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(|error| self.damaged(&error))?;
            let name = PathBuf::from(String::from_utf8_lossy(entry.name_raw()).replace('\\', "/"));
            if entry.is_symlink() {
                return Err(self.refused(&name, "is a link or a device"));
            } else if entry.is_dir() {
                self.make_folder(&name)?;
            } else {
                self.write(&name, &mut entry, &mut || go_on(index as u64, total))?;
            }
        }
        Ok(())
    }

    fn damaged(&self, error: &dyn std::error::Error) -> DownloadError {
        DownloadError::archive(
            self.job.archive,
            format!("the archive is damaged ({error})"),
        )
    }

    fn refused(&self, name: &Path, why: &str) -> DownloadError {
        DownloadError::archive(
            self.job.archive,
            format!("{} in it {why}, which no dataset needs", name.display()),
        )
    }

    /// Where an entry goes: below the folder, whatever its name says.
    fn place(&mut self, name: &Path) -> Result<PathBuf, DownloadError> {
        let is_safe = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !name.components().all(is_safe) {
            return Err(self.refused(name, "leads out of the folder"));
        }
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(DownloadError::archive(
                self.job.archive,
                format!("it has more than {MOST_FILES} files"),
            ));
        }
        Ok(self.folder.join(name))
    }

    fn make_folder(&mut self, name: &Path) -> Result<(), DownloadError> {
        let place = self.place(name)?;
        fs::create_dir_all(&place).map_err(|cause| DownloadError::write(&place, cause))
    }

    fn write(
        &mut self,
        name: &Path,
        input: &mut dyn Read,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), DownloadError> {
        let place = self.place(name)?;
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|cause| DownloadError::write(folder, cause))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&place);
        let mut file = file.map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => self.refused(name, "is there twice"),
            _ => DownloadError::write(&place, cause),
        })?;
        let mut piece = vec![0; 1 << 16];
        loop {
            if !go_on() {
                return Err(DownloadError::Cancelled);
            }
            let read = input
                .read(&mut piece)
                .map_err(|error| self.damaged(&error))?;
            if read == 0 {
                return Ok(());
            }
            self.bytes += read as u64;
            if self.bytes > self.job.most_bytes {
                let problem = format!("it unpacks to more than {} bytes", self.job.most_bytes);
                return Err(DownloadError::archive(self.job.archive, problem));
            }
            let written = file.write_all(piece.get(..read).unwrap_or_default());
            written.map_err(|cause| DownloadError::write(&place, cause))?;
        }
    }
}

/// Counts what is read.
struct Counted<'a, R> {
    input: R,
    done: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(out)?;
        self.done.set(self.done.get() + read as u64);
        Ok(read)
    }
}

/// Moves what is in one folder into another. What has the same name there is somebody's, and incomplete:
/// it gets another name instead of being written over.
fn move_into(from: &Path, to: &Path) -> Result<Vec<PathBuf>, DownloadError> {
    let failed = |cause| DownloadError::write(to, cause);
    let mut set_aside = Vec::new();
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let place = to.join(entry.file_name());
        set_aside.extend(self::set_aside(&place).map_err(failed)?);
        fs::rename(entry.path(), &place).map_err(failed)?;
    }
    set_aside.sort();
    Ok(set_aside)
}

/// Gives what is at this place another name, if there is anything; which one.
pub(super) fn set_aside(place: &Path) -> std::io::Result<Option<PathBuf>> {
    if place.symlink_metadata().is_err() {
        return Ok(None);
    }
    let aside = free_name(place);
    fs::rename(place, &aside)?;
    Ok(Some(aside))
}

fn free_name(place: &Path) -> PathBuf {
    let name = |number: u32| place.with_added_extension(format!("old{number}"));
    (1..)
        .map(name)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| name(0))
}
