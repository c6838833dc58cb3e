//! A path as text and back. Names on a disk are bytes; those that are no UTF-8 are written as a `file://` address.

use std::fmt::Write;
use std::path::{Path, PathBuf};

const SCHEME: &str = "file://";

/// The path as one line of text that [`path_in`] reads back: as it is, or where that would lose bytes, break the line
/// or be taken for an address, as `file:///home/m%FCller/images`.
pub fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(SCHEME) && !text.contains(char::is_control) => {
            text.to_owned()
        }
        _ => address(path),
    }
}

/// The path that a text denotes.
pub fn path_in(text: &str) -> PathBuf {
    text.strip_prefix(SCHEME)
        .map_or_else(|| PathBuf::from(text), decoded)
}

fn address(path: &Path) -> String {
    let mut text = SCHEME.to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decoded(address: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2).and_then(hexadecimal))
            .flatten();
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    path_of(bytes)
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_as_text() {
        for path in [
            "/a/b c.toml",
            "relative/ü.png",
            "file:///not/an/address",
            "50%20.png",
            "a\nb",
            "",
        ] {
            let text = path_text(Path::new(path));
            assert_eq!(path_in(&text), Path::new(path), "{text}");
        }
        assert_eq!(
            path_text(Path::new("/a b")),
            "/a b",
            "no more is escaped than has to be"
        );
        assert_eq!(path_in("file:///a%2"), Path::new("/a%2"));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_utf_8_lose_no_byte() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/home/m\xfcller/50%/x"));
        let text = path_text(path);
        assert_eq!(text, "file:///home/m%FCller/50%25/x");
        assert_eq!(path_in(&text), path);
    }
}
