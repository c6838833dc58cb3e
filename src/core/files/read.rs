//! Reading files that anybody may have put there.

use std::fs::File;
use std::io::{self, BufReader, Error, ErrorKind, Read};
use std::path::Path;

/// No table of a run is larger: two million steps take 100 MB.
const MOST_TABLE: u64 = 1 << 30;
/// No line of a table is longer.
const MOST_LINE: usize = 1 << 20;
const MIB: u64 = 1 << 20;

/// Opens a file for reading. Fails on a pipe or a device, which may never end, and on a folder.
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_measured(path).map(|(file, _)| file)
}

/// The same, and how many bytes the file has.
pub fn open_measured(path: &Path) -> io::Result<(File, u64)> {
    let file = open_without_waiting(path)?;
    let about = file.metadata()?;
    check_kind(&about)?;
    Ok((file, about.len()))
}

/// Opening a pipe would wait for its other end; files are read as ever.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    check_kind(&std::fs::metadata(path)?)?;
    File::open(path)
}

fn check_kind(about: &std::fs::Metadata) -> io::Result<()> {
    if about.is_file() {
        return Ok(());
    }
    let what = if about.is_dir() {
        "it is a folder"
    } else {
        "it is no file but a pipe or a device"
    };
    Err(Error::new(ErrorKind::InvalidInput, what))
}

/// All bytes of a file that has at most `most` of them.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, length) = open_measured(path)?;
    let too_large = || {
        let problem = format!("it is larger than {} MiB", most.div_ceil(MIB));
        Error::new(ErrorKind::FileTooLarge, problem)
    };
    if length > most {
        return Err(too_large());
    }
    // With room for one byte more, the end of the file is met without asking for room.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).saturating_add(1));
    // The file may grow meanwhile.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The text of a file that has at most `most` bytes.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_bounded(path, most)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is no text (UTF-8)"))
}

/// Opens a table (CSV) to be read line by line. Fails on one that is too large to be a table of a run.
pub fn open_table(path: &Path) -> io::Result<BoundedLines<BufReader<File>>> {
    let (file, length) = open_measured(path)?;
    if length > MOST_TABLE {
        let problem = format!("it is larger than {} MiB", MOST_TABLE / MIB);
        return Err(Error::new(ErrorKind::FileTooLarge, problem));
    }
    Ok(BoundedLines::new(BufReader::new(file), MOST_LINE))
}

/// Passes bytes on, and fails on a line that is too long: who reads lines keeps the whole of one in memory.
#[derive(Debug)]
pub struct BoundedLines<R> {
    input: R,
    most: usize,
    /// Bytes since the last line end.
    length: usize,
}

impl<R> BoundedLines<R> {
    /// Lines of at most `most` bytes.
    pub fn new(input: R, most: usize) -> BoundedLines<R> {
        BoundedLines {
            input,
            most,
            length: 0,
        }
    }
}

impl<R: Read> Read for BoundedLines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        let bytes = out.get(..read).unwrap_or_default();
        self.length = match bytes.iter().rposition(|&byte| byte == b'\n') {
            Some(end) => bytes.len() - end - 1,
            None => self.length + bytes.len(),
        };
        if self.length > self.most {
            let problem = format!("a line in it is longer than {} bytes", self.most);
            return Err(Error::new(ErrorKind::InvalidData, problem));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sensible_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert!(
            read_bounded(&path, 4)
                .unwrap_err()
                .to_string()
                .contains("larger than")
        );
        let folder = open_regular(folder.path()).unwrap_err().to_string();
        assert!(folder.contains("folder"), "{folder}");
        std::fs::write(&path, [0xff]).unwrap();
        assert!(
            read_text(&path, 5)
                .unwrap_err()
                .to_string()
                .contains("no text")
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_without_another_end_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let refused = open_regular(&pipe).unwrap_err().to_string();
        assert!(refused.contains("a pipe or a device"), "{refused}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_refused_and_sparse_files_cost_nothing() {
        for device in ["/dev/zero", "/dev/null", "/proc/self/fd"] {
            assert!(open_regular(Path::new(device)).is_err(), "{device}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read_bounded(&path, 1 << 24).is_err() && open_table(&path).is_err());
    }

    #[test]
    fn a_line_without_an_end_is_cut_off() {
        let lines = [b"ab\n".repeat(100), vec![b'x'; 9]].concat();
        let read = |most| {
            let mut out = Vec::new();
            BoundedLines::new(lines.as_slice(), most)
                .read_to_end(&mut out)
                .map(|_| out)
        };
        assert_eq!(read(9).unwrap(), lines);
        assert!(read(8).unwrap_err().to_string().contains("longer than 8"));
    }
}
