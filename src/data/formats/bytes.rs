//! Finding a source's files and reading their bytes, plain or gzip.
//!
//! Nothing here trusts a number from a file: memory grows with the bytes that really arrive, and
//! a reader gives up one byte after what was expected. Fails with the file's name and both sizes.

use crate::error::DataError;
use crate::source::OpenRequest;
use flate2::read::MultiGzDecoder;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use strata_core::files::open_regular;
use strata_core::{format, system_memory};

/// Deflate cannot shrink anything further than this; a header that claims more is lying.
pub(crate) const MOST_DEFLATE_SHRINKS: u64 = 1032;

pub(crate) const DOWNLOAD_AGAIN: &str = "download it again";
/// What to do where the memory does not suffice for a file.
pub(crate) const LESS_MEMORY: &str = "close other programs, or use a smaller file";

/// Between two looks at whether the reading is still wanted.
const PIECE: u64 = 1 << 20;
/// Between two looks at the memory that is left; a reading continues only while so much more is free.
const MEMORY_STEP: u64 = 64 << 20;

/// A file opened for reading from its start, unpacked on the way if it is gzip.
pub(crate) struct Input {
    pub path: PathBuf,
    reader: Box<dyn Read>,
    on_disk: u64,
    packed: bool,
}

/// The first of `names` that is a file in one of `folders`.
pub(crate) fn find(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    folders
        .iter()
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file())
}

/// `path` itself and those of `below` that are folders in it.
pub(crate) fn folders(path: &Path, below: &[&str]) -> Vec<PathBuf> {
    let inner = below
        .iter()
        .map(|name| path.join(name))
        .filter(|folder| folder.is_dir());
    std::iter::once(path.to_path_buf()).chain(inner).collect()
}

/// The error for files that are nowhere.
pub(crate) fn missing(what: &str, names: &[&str], folders: &[PathBuf], help: &str) -> DataError {
    let absent = match folders.first() {
        Some(folder) if !folder.exists() => "that folder does not exist; ",
        _ => "",
    };
    DataError::Missing {
        what: what.to_string(),
        names: names.iter().map(ToString::to_string).collect(),
        folders: folders.to_vec(),
        help: format!("{absent}{help}").into(),
    }
}

impl Input {
    /// Opens `path`. Whether it is gzip is seen from its first bytes, not its name: browsers
    /// unpack downloads and leave the name as it was.
    pub fn open(path: &Path) -> Result<Input, DataError> {
        let fail = |cause| DataError::unreadable(path, cause);
        let mut file = open_regular(path).map_err(fail)?;
        let on_disk = file.metadata().map_err(fail)?.len();
        let mut magic = Vec::with_capacity(2);
        file.by_ref()
            .take(2)
            .read_to_end(&mut magic)
            .map_err(fail)?;
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        let packed = magic == [0x1f, 0x8b];
        let buffered = BufReader::new(file);
        let reader: Box<dyn Read> = if packed {
            Box::new(MultiGzDecoder::new(buffered))
        } else {
            Box::new(buffered)
        };
        Ok(Input {
            path: path.to_path_buf(),
            reader,
            on_disk,
            packed,
        })
    }

    /// Whether the file is gzip.
    pub(crate) fn is_packed(&self) -> bool {
        self.packed
    }

    /// For what reads piece by piece.
    pub fn reader(&mut self) -> &mut dyn Read {
        &mut self.reader
    }

    /// As many bytes as the file can give, unpacked.
    pub(crate) fn most_bytes(&self) -> u64 {
        if self.packed {
            self.on_disk.saturating_mul(MOST_DEFLATE_SHRINKS)
        } else {
            self.on_disk
        }
    }

    /// At most `most` of the bytes that follow, a small number.
    pub(crate) fn read_small(&mut self, most: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(most).read_to_end(&mut bytes);
        read.map_err(|cause| self.failed(cause, bytes.len()))?;
        Ok(bytes)
    }

    /// At most `most` of the bytes that follow.
    pub(crate) fn read_up_to(
        &mut self,
        ask: &mut OpenRequest,
        most: u64,
    ) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        match read_pieces(&mut self.reader, &mut bytes, most, ask) {
            Ok(()) => Ok(bytes),
            Err(Unread::Cancelled) => Err(DataError::Cancelled),
            Err(Unread::Memory(problem)) => {
                Err(DataError::malformed(&self.path, problem, LESS_MEMORY))
            }
            Err(Unread::System(cause)) => Err(self.failed(cause, bytes.len())),
        }
    }

    /// The system's or the unpacker's error after so many bytes.
    fn failed(&self, cause: std::io::Error, after: usize) -> DataError {
        if self.packed && cause.kind() != ErrorKind::Interrupted {
            let after = format::count(after as u64);
            let problem = format!("the gzip data is damaged after {after} bytes ({cause})");
            return DataError::malformed(&self.path, problem, DOWNLOAD_AGAIN);
        }
        DataError::unreadable(&self.path, cause)
    }

    /// Exactly the `expected` bytes that must follow the `header` bytes already read; `claim` is
    /// the header's own words, for the message.
    pub(crate) fn read_rest(
        &mut self,
        ask: &mut OpenRequest,
        header: u64,
        expected: u64,
        claim: &str,
    ) -> Result<Vec<u8>, DataError> {
        let whole = header.saturating_add(expected);
        if whole > self.most_bytes() {
            return Err(self.wrong_length(whole, self.on_disk, claim));
        }
        system_memory::check(expected)
            .map_err(|problem| DataError::malformed(&self.path, problem, LESS_MEMORY))?;
        let body = self.read_up_to(ask, expected.saturating_add(1))?;
        if body.len() as u64 != expected {
            let found = if self.packed {
                header + body.len() as u64
            } else {
                self.on_disk
            };
            return Err(self.wrong_length(whole, found, claim));
        }
        Ok(body)
    }

    fn wrong_length(&self, whole: u64, found: u64, claim: &str) -> DataError {
        let more = if found > whole { "at least " } else { "" };
        let unpacked = if self.packed { " when unpacked" } else { "" };
        let problem = format!(
            "the header says {claim} ({} bytes), the file has {more}{}{unpacked}",
            format::count(whole),
            format::count(found)
        );
        DataError::malformed(&self.path, problem, DOWNLOAD_AGAIN)
    }
}

/// Why a reading ended early.
pub(crate) enum Unread {
    /// It is not wanted any more.
    Cancelled,
    /// There is not enough memory, in words.
    Memory(String),
    /// The system or the unpacker failed.
    System(std::io::Error),
}

/// Appends at most `most` bytes to `bytes`, piece by piece. A few packed bytes can become very many: the memory that is
/// left is looked at on the way.
pub(crate) fn read_pieces(
    reader: &mut dyn Read,
    bytes: &mut Vec<u8>,
    most: u64,
    ask: &mut OpenRequest,
) -> Result<(), Unread> {
    let (mut left, mut looked_at) = (most, 0);
    while left > 0 {
        ask.still().map_err(|_| Unread::Cancelled)?;
        if bytes.len() as u64 >= looked_at {
            looked_at = bytes.len() as u64 + MEMORY_STEP;
            system_memory::check(MEMORY_STEP.min(left)).map_err(Unread::Memory)?;
        }
        make_room(bytes, left)?;
        let read = (&mut *reader).take(PIECE.min(left)).read_to_end(bytes);
        match read.map_err(Unread::System)? as u64 {
            0 => return Ok(()),
            read => left -= read,
        }
    }
    Ok(())
}

/// Room for the next piece: as much again as there is, but no more than can come.
fn make_room(bytes: &mut Vec<u8>, left: u64) -> Result<(), Unread> {
    let piece = PIECE.min(left) as usize;
    if bytes.capacity() - bytes.len() > piece {
        return Ok(());
    }
    let more = bytes
        .len()
        .max(piece)
        .min(usize::try_from(left).unwrap_or(usize::MAX));
    // The reader asks for a few bytes more to see that nothing follows.
    let reserved = bytes.try_reserve_exact(more + 64);
    reserved.map_err(|_| {
        Unread::Memory(format!(
            "no memory is left after {} bytes",
            format::count(bytes.len() as u64)
        ))
    })
}

/// The lines of a small text file of class names, or none where it is absent or unusable: names
/// are a comfort, never a reason to refuse images.
pub(crate) fn names_file(folders: &[PathBuf], name: &str) -> Vec<String> {
    const MOST: u64 = 1 << 16;
    let text = find(folders, &[name])
        .map(|path| Input::open(&path).and_then(|mut input| input.read_small(MOST)))
        .transpose()
        .unwrap_or_else(|error| {
            log::warn!("classes have numbers for names: {error}");
            None
        })
        .unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .map(|line| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect()
}
