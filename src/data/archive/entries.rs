//! What is in an archive, entry after entry, without trusting it: names that can be any bytes, sizes that can be
//! wrong, a library that may give up. Fails on what is damaged, locked by a password or packed in a way that is not
//! read.

use super::Archive;
use super::error::ArchiveError;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use strata_core::files::open_regular;
use strata_core::logging::panic::caught;
use tar::EntryType;
use zip::CompressionMethod;
use zip::result::ZipError;

/// A name is no longer than this, in bytes.
const MOST_NAME: u64 = 1 << 16;
/// What to do with an archive that others can read.
const OTHERS: &str = "unpack it with another program, and point path at the folder";

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Folder,
    /// A link, a device, a file with holes.
    Other,
}

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path in the archive, as the archive has it.
    pub name: PathBuf,
    pub what: What,
    /// Its size unpacked, as the archive claims.
    pub bytes: u64,
    /// Whether its name was no UTF-8 and was read as code page 437.
    pub is_old_name: bool,
}

/// Called with every entry and its content.
pub(crate) type Visit<'a> = dyn FnMut(&Entry, &mut dyn Read) -> Result<(), ArchiveError> + 'a;

/// Goes through an archive; `done` becomes the bytes of the archive that were gone through.
pub(crate) fn read(
    archive: &Path,
    kind: Archive,
    done: &Cell<u64>,
    visit: &mut Visit,
) -> Result<(), ArchiveError> {
    guarded(archive, || match kind {
        Archive::Zip => zip(archive, done, true, visit),
        Archive::Tar => {
            let mut tar = tar::Archive::new(counted(archive, done)?);
            in_tar(archive, tar.entries(), None, visit)
        }
        Archive::TarGz => {
            let input = MultiGzDecoder::new(counted(archive, done)?);
            in_tar(archive, tar::Archive::new(input).entries(), None, visit)
        }
    })
}

/// The same for names and sizes alone: of a zip and a plain tar without reading their content.
pub(crate) fn list(
    archive: &Path,
    kind: Archive,
    done: &Cell<u64>,
    visit: &mut Visit,
) -> Result<(), ArchiveError> {
    match kind {
        Archive::Zip => guarded(archive, || zip(archive, done, false, visit)),
        Archive::Tar => guarded(archive, || {
            let mut tar = tar::Archive::new(counted(archive, done)?);
            let length = std::fs::metadata(archive).map(|about| about.len()).ok();
            in_tar(archive, tar.entries_with_seek(), length, visit)
        }),
        Archive::TarGz => read(archive, kind, done, visit),
    }
}

/// The format by the first bytes; a name may say another.
pub(crate) fn kind_by_content(archive: &Path) -> Result<Archive, ArchiveError> {
    let read = |cause| ArchiveError::read(archive, cause);
    let mut first = [0; 512];
    let mut file = open_regular(archive).map_err(read)?;
    let mut length = 0;
    while let Some(rest) = first.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(read)? {
            0 => break,
            bytes => length += bytes,
        }
    }
    let first = first.get(..length).unwrap_or_default();
    match first {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Ok(Archive::Zip),
        [0x1f, 0x8b, ..] => Ok(Archive::TarGz),
        _ if first.get(257..262) == Some(b"ustar") => Ok(Archive::Tar),
        [] => Err(ArchiveError::damaged(archive, "it is empty")),
        [b'R', b'a', b'r', b'!', ..] => Err(other_kind(archive, "a RAR archive")),
        [b'7', b'z', 0xbc, 0xaf, ..] => Err(other_kind(archive, "a 7z archive")),
        [b'B', b'Z', b'h', ..] => Err(other_kind(archive, "packed with bzip2")),
        [0xfd, b'7', b'z', b'X', ..] => Err(other_kind(archive, "packed with xz")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(other_kind(archive, "packed with Zstandard")),
        _ if first.trim_ascii_start().starts_with(b"<") => Err(ArchiveError::refused(
            archive,
            "this is a web page and no archive",
            "download it again in a browser, signed in where the site asks for it",
        )),
        // Old tar files have no mark: their checksums decide.
        _ if length == 512 && Archive::by_name(archive) == Some(Archive::Tar) => Ok(Archive::Tar),
        _ => Err(ArchiveError::damaged(
            archive,
            "its first bytes are those of no zip and no tar file",
        )),
    }
}

fn other_kind(archive: &Path, what: &str) -> ArchiveError {
    ArchiveError::refused(
        archive,
        format!("this is {what}, which is not read"),
        OTHERS,
    )
}

/// A library that gives up on a file says that it is damaged.
fn guarded(
    archive: &Path,
    work: impl FnOnce() -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    caught(work).unwrap_or_else(|panic| Err(ArchiveError::damaged(archive, panic)))
}

fn counted<'a>(archive: &Path, done: &'a Cell<u64>) -> Result<Counted<'a>, ArchiveError> {
    let file = open_regular(archive).map_err(|cause| ArchiveError::read(archive, cause))?;
    Ok(Counted {
        input: BufReader::with_capacity(1 << 16, file),
        done,
    })
}

/// Counts what is read.
struct Counted<'a> {
    input: BufReader<File>,
    done: &'a Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(out)?;
        self.done.set(self.done.get() + read as u64);
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match to {
            SeekFrom::Current(bytes) => self.input.seek_relative(bytes)?,
            to => drop(self.input.seek(to)?),
        }
        let place = self.input.stream_position()?;
        self.done.set(place);
        Ok(place)
    }
}

/// Entries as they lie in the file: the library would read a long name of any length into memory. `length` is that of
/// the tar file where it is known.
fn in_tar<R: Read>(
    archive: &Path,
    entries: std::io::Result<tar::Entries<'_, R>>,
    length: Option<u64>,
    visit: &mut Visit,
) -> Result<(), ArchiveError> {
    let damaged = |error: std::io::Error| ArchiveError::damaged(archive, error);
    let mut long_name: Option<Vec<u8>> = None;
    let mut given_bytes: Option<u64> = None;
    for entry in entries.map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                let mut name = text_of(archive, &mut entry)?;
                name.truncate(
                    name.iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(name.len()),
                );
                long_name = Some(name);
            }
            EntryType::XHeader => {
                let pairs = text_of(archive, &mut entry)?;
                let given = attributes_in(archive, &pairs)?;
                long_name = given.path.or(long_name);
                given_bytes = given.bytes;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            _ => {
                let name = long_name.take();
                let name = name.unwrap_or_else(|| entry.path_bytes().into_owned());
                if given_bytes
                    .take()
                    .is_some_and(|bytes| bytes != entry.size())
                {
                    return Err(too_large(archive, &name));
                }
                let what = match kind {
                    EntryType::Directory => What::Folder,
                    EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => {
                        What::Folder
                    }
                    EntryType::Regular | EntryType::Continuous => What::File,
                    _ => What::Other,
                };
                let found = Entry {
                    name: path_of(name),
                    what,
                    bytes: entry.size(),
                    is_old_name: false,
                };
                let end = entry.raw_file_position().saturating_add(found.bytes);
                if length.is_some_and(|length| end > length) {
                    return Err(ArchiveError::damaged(archive, "its end is missing"));
                }
                visit(&found, &mut entry)?;
            }
        }
    }
    Ok(())
}

/// What an entry holds that says something of the next one.
fn text_of(archive: &Path, entry: &mut impl Read) -> Result<Vec<u8>, ArchiveError> {
    let mut text = Vec::new();
    let read = entry.take(MOST_NAME + 1).read_to_end(&mut text);
    read.map_err(|error| ArchiveError::damaged(archive, error))?;
    if text.len() as u64 > MOST_NAME {
        return Err(ArchiveError::damaged(archive, "a name in it has no end"));
    }
    Ok(text)
}

/// What extended attributes say of the next entry.
#[derive(Default)]
struct Attributes {
    path: Option<Vec<u8>>,
    /// Its size, where the header's twelve places do not suffice: 8 GB.
    bytes: Option<u64>,
}

fn attributes_in(archive: &Path, pairs: &[u8]) -> Result<Attributes, ArchiveError> {
    let mut given = Attributes::default();
    for pair in tar::PaxExtensions::new(pairs).flatten() {
        match pair.key_bytes() {
            b"path" => given.path = Some(pair.value_bytes().to_vec()),
            b"size" => {
                let bytes = pair.value().ok().and_then(|text| text.parse().ok());
                given.bytes = Some(bytes.unwrap_or(u64::MAX));
            }
            b"GNU.sparse.major" | b"GNU.sparse.map" => {
                let problem = "a file in it has holes, which are not read";
                return Err(ArchiveError::refused(archive, problem, OTHERS));
            }
            _ => {}
        }
    }
    Ok(given)
}

/// A size that the header of an entry does not have: where the next entry begins, the library cannot tell.
fn too_large(archive: &Path, name: &[u8]) -> ArchiveError {
    let problem = format!(
        "{} in it is larger than 8 GB, which is not read",
        String::from_utf8_lossy(name)
    );
    ArchiveError::refused(archive, problem, OTHERS)
}

#[cfg(unix)]
fn path_of(name: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(name).into()
}

#[cfg(not(unix))]
fn path_of(name: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&name).into_owned().into()
}

fn zip(
    archive: &Path,
    done: &Cell<u64>,
    with_content: bool,
    visit: &mut Visit,
) -> Result<(), ArchiveError> {
    let file = open_regular(archive).map_err(|cause| ArchiveError::read(archive, cause))?;
    let opened = zip::ZipArchive::new(BufReader::new(file));
    let mut zip = opened.map_err(|error| zip_error(archive, "it", &error))?;
    if zip.has_duplicate_names() {
        let problem = "two files in it have one name, so one of them is there twice";
        return Err(ArchiveError::refused(archive, problem, OTHERS));
    }
    for index in 0..zip.len() {
        let about = zip.by_index_data(index);
        let about = about.map_err(|error| ArchiveError::damaged(archive, error))?;
        let text = std::str::from_utf8(about.name_raw());
        let is_old_name = text.is_err();
        let text = match (text, about.name()) {
            (Ok(text), _) => text.to_owned(),
            (Err(_), Ok(text)) => text.into_owned(),
            (Err(_), Err(_)) => String::from_utf8_lossy(about.name_raw()).into_owned(),
        };
        let entry = Entry {
            name: text.replace('\\', "/").into(),
            what: match () {
                () if about.is_symlink() => What::Other,
                () if about.is_dir() || text.ends_with('\\') => What::Folder,
                () => What::File,
            },
            bytes: about.size(),
            is_old_name,
        };
        if entry.what == What::File {
            check_packed(archive, &text, about.encrypted(), about.compression())?;
        }
        let packed = about.compressed_size();
        if with_content && entry.what == What::File {
            let content = zip.by_index(index);
            let mut content = content.map_err(|error| zip_error(archive, &text, &error))?;
            visit(&entry, &mut content)?;
        } else {
            visit(&entry, &mut std::io::empty())?;
        }
        done.set(done.get().saturating_add(packed));
    }
    Ok(())
}

fn check_packed(
    archive: &Path,
    name: &str,
    is_locked: bool,
    method: CompressionMethod,
) -> Result<(), ArchiveError> {
    if is_locked {
        return Err(locked(archive, name));
    }
    match method {
        CompressionMethod::Stored | CompressionMethod::Deflated => Ok(()),
        other => {
            let problem = format!("{name} in it is packed in a way that is not read ({other})");
            Err(ArchiveError::refused(archive, problem, OTHERS))
        }
    }
}

fn locked(archive: &Path, name: &str) -> ArchiveError {
    ArchiveError::refused(
        archive,
        format!("{name} in it is locked by a password"),
        "unpack it with a program that asks for the password, and point path at the folder",
    )
}

fn zip_error(archive: &Path, name: &str, error: &ZipError) -> ArchiveError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => locked(archive, name),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            let problem = format!("{name} is packed in a way that is not read ({error})");
            ArchiveError::refused(archive, problem, OTHERS)
        }
        error => ArchiveError::damaged(archive, error),
    }
}
