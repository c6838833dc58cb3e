//! What a file is that was given as a project and is none, by its first bytes.

use super::ProjectError;
use crate::files;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What a file is and what to do with it: in the terminal, and in the window.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kind {
    what: &'static str,
    in_window: &'static str,
}

impl Kind {
    /// One sentence for both.
    const fn of(what: &'static str) -> Kind {
        Kind {
            what,
            in_window: what,
        }
    }
}

/// What to say of bytes that are no text and of no kind that is known.
const UNKNOWN: Kind = Kind {
    what: "it is no text; a project is a TOML file that starts with format = 1 (`strata new` writes one)",
    in_window: "it is no text; begin with a project of the start page",
};

/// No project is larger; a file that is was never one, and reading it could take all of the memory.
const MOST_BYTES: u64 = 16 << 20;

const PICTURE: Kind = Kind {
    what: "it is a picture; drop it on the window to look at it with the network, or give it to `strata inspect RUN \
           saliency --image`",
    in_window: "it is a picture; drop it on the window to look at it with the network, or open the folder of many",
};
const WEIGHTS: Kind = Kind::of(
    "it holds weights (safetensors); open the run's folder, which is above the folder checkpoints",
);
const PACKED: Kind = Kind {
    what: "it is a packed file (gzip); unpack it first. Data sets stay packed: name their folder as path under [data]",
    in_window: "it is a packed file (gzip); unpack it first. Data sets stay packed: open their folder",
};
const ARCHIVE: Kind = Kind {
    what: "it is a zip archive (or weights of PyTorch or arrays of NumPy in one); unpack it first. Arrays are read as \
           they are: write source = \"npy\" and their path under [data]",
    in_window: "it is a zip archive (or weights of PyTorch or arrays of NumPy in one); drop it on the window where it \
                holds images or arrays",
};
const ARRAY: Kind = Kind {
    what: "it is an array of NumPy; write source = \"npy\" and its path under [data]",
    in_window: "it is an array of NumPy; drop it on the window to read images from it",
};
const SOUND: Kind = Kind {
    what: "it is a recording; write source = \"wav\" and the folder of its class folders as path under [data]",
    in_window: "it is a recording; drop the folder of its class folders on the window",
};
const HDF5: Kind = Kind::of(
    "it is an HDF5 file, perhaps weights of Keras; Strata reads weights from the runs it trained",
);
const PDF: Kind = Kind {
    what: "it is a PDF document; a project is a TOML file that starts with format = 1",
    in_window: "it is a PDF document; begin with a project of the start page",
};
const PICKLE: Kind = Kind {
    what: "it is a pickle of Python, which Strata does not read as a project; name its folder as path under [data] if \
           it is a data set",
    in_window: "it is a pickle of Python, which Strata does not read as a project; drop its folder on the window if \
                it is a data set",
};

const SCRIPT: Kind = Kind {
    what: "it is a script of Python; paste the lines of its layers into the window, or start from a project of \
           `strata new`",
    in_window: "it is a script of Python; copy the lines of its layers and paste them among the layers here",
};
const NOTEBOOK: Kind = Kind {
    what: "it is a notebook; paste the lines of its layers into the window, or start from a project of `strata new`",
    in_window: "it is a notebook; copy the lines of its layers and paste them among the layers here",
};

/// The kinds that are known by their first bytes.
const STARTS: [(&[u8], Kind); 14] = [
    (b"\x89PNG\r\n\x1a\n", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"BM", PICTURE),
    (b"II*\0", PICTURE),
    (b"MM\0*", PICTURE),
    (b"\x1f\x8b", PACKED),
    (b"PK\x03\x04", ARCHIVE),
    (b"\x93NUMPY", ARRAY),
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"%PDF-", PDF),
    (b"\x80\x02", PICKLE),
    (b"\x80\x03", PICKLE),
    (b"\x80\x04", PICKLE),
];

/// The text of a file that should be a project. What is none, such as a picture, is named with what to do with it.
pub fn read_text(path: &Path) -> Result<String, ProjectError> {
    let file = path.display().to_string();
    let unread = |error: io::Error| ProjectError::Read {
        file: file.clone(),
        reason: error.to_string(),
    };
    let bytes = match files::read_bounded(path, MOST_BYTES) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            let kind = what_large(path).map_err(unread)?;
            return Err(no_project(file, kind));
        }
        read => read.map_err(unread)?,
    };
    if let Some(kind) = by_ending(path).or_else(|| what(&bytes)) {
        return Err(no_project(file, kind));
    }
    String::from_utf8(bytes).map_err(|_| no_project(file, UNKNOWN))
}

fn no_project(file: String, kind: Kind) -> ProjectError {
    ProjectError::NoProject {
        file,
        what: kind.what,
        in_window: kind.in_window,
    }
}

/// The texts that are known by the ending of their name.
fn by_ending(path: &Path) -> Option<Kind> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        "py" => Some(SCRIPT),
        "ipynb" => Some(NOTEBOOK),
        _ => None,
    }
}

/// What a file is that is too large for a project.
fn what_large(path: &Path) -> io::Result<Kind> {
    let mut start = Vec::new();
    files::open_regular(path)?
        .take(16)
        .read_to_end(&mut start)?;
    let known = STARTS.iter().find(|(bytes, _)| start.starts_with(bytes));
    Ok(match known {
        Some((_, kind)) => *kind,
        None if start.get(8) == Some(&b'{') => WEIGHTS,
        None => UNKNOWN,
    })
}

/// What these bytes are and what to do with them; `None` for a text.
fn what(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"RIFF") {
        return match bytes.get(8..12) {
            Some(b"WEBP") => Some(PICTURE),
            Some(b"WAVE") => Some(SOUND),
            _ => Some(UNKNOWN),
        };
    }
    if is_safetensors(bytes) {
        return Some(WEIGHTS);
    }
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
    let known = STARTS.iter().find(|(start, _)| bytes.starts_with(start));
    match (is_text, known) {
        // A text may well begin with the letters BM.
        (true, _) => None,
        (false, Some((_, kind))) => Some(*kind),
        (false, None) => Some(UNKNOWN),
    }
}

/// Eight bytes with the length of the JSON text that follows them.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    let length = u64::from_le_bytes(*length);
    rest.first() == Some(&b'{') && length >= 2 && length <= rest.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_kinds_are_named() {
        let mut weights = 2u64.to_le_bytes().to_vec();
        weights.extend(b"{}");
        for (bytes, part) in [
            (&b"\x89PNG\r\n\x1a\n\0\0"[..], "a picture"),
            (b"\xff\xd8\xff\xe0", "a picture"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "a picture"),
            (b"RIFF\0\0\0\0WAVEfmt ", "a recording"),
            (b"\x1f\x8b\x08\0\xff", "a packed file"),
            (b"PK\x03\x04\xff\0", "a zip archive"),
            (b"\x93NUMPY\x01\0", "an array"),
            (b"\xfe\xfe", "no text"),
            (&weights, "holds weights"),
        ] {
            assert!(
                what(bytes).is_some_and(|kind| kind.what.contains(part)),
                "{part}"
            );
        }
        for text in [&b"format = 1\n"[..], b"BMW = 1", b"", b"# README\n"] {
            assert_eq!(what(text), None);
        }
    }
}
