//! Archives that mutations start from, and what is done with each.

use super::mutations::{counting, picture};
use image::ImageFormat;
use std::io::{Cursor, Write};
use std::path::Path;
use strata::data::archive::{Contents, describe, unpack};
use strata::project::data::DataSpec;

fn members() -> [(String, Vec<u8>); 4] {
    [
        ("pets/cat/1.png".to_owned(), picture(ImageFormat::Png)),
        ("pets/dog/1.png".to_owned(), vec![7; 3000]),
        (format!("pets/{}/1.png", "long".repeat(30)), counting(600)),
        ("__MACOSX/x".to_owned(), Vec::new()),
    ]
}

/// A zip file.
pub fn zipped() -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members() {
        let options = zip::write::SimpleFileOptions::default();
        out.start_file(name, options).unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A tar file with a long name, and attributes at its end.
pub fn tarred() -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in members() {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    out.append_pax_extensions([("path", &b"pets/cat/2.png"[..])])
        .unwrap();
    out.into_inner().unwrap()
}

/// Lists an archive and unpacks it, as far as both go; nothing is left of it.
pub fn unpacked(archive: &Path) -> bool {
    let contents = Contents::read(archive, &mut |_, _| true);
    let unpacked = contents.and_then(|contents| {
        describe(&contents, &DataSpec::default());
        unpack(&contents, &mut |_, _| true)
    });
    let folder = archive.parent().unwrap();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path() != archive {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    unpacked.is_ok()
}
