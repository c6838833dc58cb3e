//! Small archives of every kind, good and bad ones.

use super::*;
use crate::Skipped;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::files::{gzip, write};
use tempfile::tempdir;
use zip::write::SimpleFileOptions;

/// A zip file; what ends in a mark is a folder.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A tar file with these kinds of entries.
fn tarred(files: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(*kind);
        header.set_cksum();
        out.append(&header, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

const CLASSES: [(&str, &[u8]); 6] = [
    ("pets/train/cat/1.png", b"one"),
    ("pets/train/cat/2.png", b"two!"),
    ("pets/train/dog/1.png", b"three"),
    ("pets/test/dog/9.png", b"nine"),
    ("pets/readme.txt", b"hello"),
    ("__MACOSX/pets/train/cat/._1.png", b"system"),
];

fn regular() -> Vec<(&'static str, tar::EntryType, &'static [u8])> {
    let files = CLASSES.iter();
    files
        .map(|(name, bytes)| (*name, tar::EntryType::Regular, *bytes))
        .collect()
}

fn contents(archive: &Path) -> Result<Contents, ArchiveError> {
    Contents::read(archive, &mut |_, _| true)
}

/// The archive of these bytes in a folder, read.
fn listed(folder: &Path, name: &str, bytes: &[u8]) -> Result<Contents, ArchiveError> {
    write(folder, name, bytes);
    contents(&folder.join(name))
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = tempdir().unwrap();
    let read = listed(folder.path(), name, bytes);
    let unpacked = read.and_then(|contents| unpack(&contents, &mut |_, _| true));
    let error = unpacked.unwrap_err().to_string();
    assert!(
        !folder.path().join("x").exists() && !folder.path().join("out").exists(),
        "{error}"
    );
    error
}

#[test]
fn class_folders_are_described_from_the_directory() {
    for (name, bytes) in [
        ("pets.zip", zipped(&CLASSES)),
        ("pets.tar", tarred(&regular())),
        ("pets.tar.gz", gzip(&tarred(&regular()))),
        ("pets.tgz", gzip(&tarred(&regular()))),
        // The first bytes decide.
        ("misnamed.zip", gzip(&tarred(&regular()))),
    ] {
        let folder = tempdir().unwrap();
        let contents = listed(folder.path(), name, &bytes).unwrap();
        assert_eq!(
            (contents.members.len(), contents.bytes()),
            (5, 21),
            "{name}"
        );
        let described = describe(&contents, &DataSpec::default());
        assert_eq!(described.recognised.source, Source::Folder);
        assert_eq!(
            described.recognised.path,
            folder_beside(&folder.path().join(name))
        );
        assert_eq!(described.classes, ["cat", "dog"]);
        let split = |split, files, per_class: &[usize]| DescribedSplit {
            split,
            files,
            per_class: per_class.to_vec(),
        };
        let splits = [
            split(Split::Train, 3, &[2, 1]),
            split(Split::Test, 1, &[0, 1]),
        ];
        assert_eq!(described.splits, splits, "{name}");
        let reasons: Vec<&str> = described
            .passed_over
            .iter()
            .map(|Skipped { reason, .. }| reason.as_str())
            .collect();
        assert_eq!(
            reasons,
            [
                "hidden, or left behind by a system",
                "another kind of file (.txt)"
            ]
        );
    }
}

#[test]
fn sets_in_archives_are_recognised() {
    for (files, source, inner) in [
        (
            &[("MNIST/raw/train-images-idx3-ubyte.gz", &b""[..])][..],
            Source::Mnist,
            "MNIST",
        ),
        (&[("a/b/c/data_batch_1", b"")], Source::Cifar10, "a/b"),
        (
            &[("x_train.npy", b""), ("y_train.npy", b"")],
            Source::Npy,
            "",
        ),
        (&[("lone/x.npy", b"")], Source::Npy, "lone"),
        (
            &[("train.csv", b""), ("images/1.jpg", b"")],
            Source::Csv,
            "",
        ),
        (&[("words/yes/1.wav", b"")], Source::Wav, "words"),
        (&[("readme.md", b"")], Source::Folder, ""),
    ] {
        let folder = tempdir().unwrap();
        let contents = listed(folder.path(), "set.zip", &zipped(files)).unwrap();
        let recognised = describe(&contents, &DataSpec::default()).recognised;
        assert_eq!(recognised.source, source, "{files:?}");
        let wanted = folder.path().join("set").join(inner);
        assert_eq!(recognised.path, wanted.components().collect::<PathBuf>());
    }
}

#[test]
fn an_archive_is_unpacked_beside_it_once() {
    for (name, bytes) in [
        ("a.zip", zipped(&CLASSES)),
        ("a.tar", tarred(&regular())),
        ("a.tgz", gzip(&tarred(&regular()))),
    ] {
        let folder = tempdir().unwrap();
        let contents = listed(folder.path(), name, &bytes).unwrap();
        assert!(!is_unpacked(&contents));
        let mut told = Vec::new();
        let unpacked = unpack(&contents, &mut |done, total| {
            told.push((done, total));
            true
        });
        let unpacked = unpacked.unwrap();
        assert_eq!(told.last(), Some(&(21, 21)));
        assert_eq!(unpacked.folder, folder.path().join("a"));
        let read = |path: &str| std::fs::read(unpacked.folder.join(path)).ok();
        assert_eq!(read("pets/train/cat/2.png"), Some(b"two!".to_vec()));
        assert!(!unpacked.folder.join("__MACOSX").exists());
        assert!(is_unpacked(&contents));
        unpack(&contents, &mut |_, _| panic!("all of it is there")).unwrap();
        // What is incomplete is somebody's: it is set aside, not written over.
        write(&unpacked.folder, "pets/readme.txt", b"mine");
        let again = unpack(&contents, &mut |_, _| true).unwrap();
        assert_eq!(again.set_aside, Some(folder.path().join("a.old1")));
        assert_eq!(read("pets/readme.txt"), Some(b"hello".to_vec()));
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 3, "nothing half unpacked is left");
    }
}

/// The folder that grows in this one.
fn growing(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains(".unpacking-"))
        .collect()
}

#[test]
fn what_was_begun_is_gone_on_with_and_never_taken_for_whole() {
    let folder = tempdir().unwrap();
    let contents = listed(folder.path(), "a.zip", &zipped(&CLASSES)).unwrap();
    let stopped = unpack(&contents, &mut |done, _| done < 7);
    assert!(matches!(stopped, Err(ArchiveError::Cancelled)));
    assert!(!folder.path().join("a").exists() && !is_unpacked(&contents));
    let begun = growing(folder.path()).pop().unwrap();
    // What is whole is kept, what is not is written again.
    write(&begun, "pets/train/cat/1.png", b"ONE");
    write(&begun, "pets/train/dog/1.png", b"th");
    let unpacked = unpack(&contents, &mut |_, _| true).unwrap();
    let read = |path: &str| std::fs::read(unpacked.folder.join(path)).unwrap();
    assert_eq!(read("pets/train/cat/1.png"), b"ONE");
    assert_eq!(read("pets/train/dog/1.png"), b"three");
    assert_eq!(growing(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_was_begun_of_another_archive_is_replaced() {
    let folder = tempdir().unwrap();
    let contents = listed(folder.path(), "a.zip", &zipped(&CLASSES)).unwrap();
    assert!(unpack(&contents, &mut |done, _| done < 7).is_err());
    let other = [("pets/train/cat/1.png", &b"ANOTHER"[..])];
    let contents = listed(folder.path(), "a.zip", &zipped(&other)).unwrap();
    let unpacked = unpack(&contents, &mut |_, _| true).unwrap();
    let read = |path: &str| std::fs::read(unpacked.folder.join(path)).ok();
    assert_eq!(read("pets/train/cat/1.png"), Some(b"ANOTHER".to_vec()));
    assert_eq!(read("pets/train/cat/2.png"), None);
    assert_eq!(growing(folder.path()), Vec::<PathBuf>::new());
}

/// Sets the bit of the password in all headers.
fn locked() -> Vec<u8> {
    let mut bytes = zipped(&CLASSES);
    for at in 0..bytes.len() - 10 {
        match bytes[at..at + 4] {
            [b'P', b'K', 3, 4] => bytes[at + 6] |= 1,
            [b'P', b'K', 1, 2] => bytes[at + 8] |= 1,
            _ => {}
        }
    }
    bytes
}

/// The way in which all is packed.
fn packed_by(method: u8) -> Vec<u8> {
    let mut bytes = zipped(&CLASSES);
    for at in 0..bytes.len() - 12 {
        match bytes[at..at + 4] {
            [b'P', b'K', 3, 4] => bytes[at + 8] = method,
            [b'P', b'K', 1, 2] => bytes[at + 10] = method,
            _ => {}
        }
    }
    bytes
}

#[test]
fn what_cannot_be_unpacked_says_why_and_what_to_do() {
    use tar::EntryType::{Regular, Symlink};
    let whole = zipped(&CLASSES);
    let tar = tarred(&regular());
    let mut wrong = zipped(&[("x.png", &[b'a'; 400])]);
    // After the header of 30 bytes and the name.
    wrong[30 + 5 + 3] ^= 0x55;
    for (name, bytes, part) in [
        (
            "x.zip",
            locked(),
            "locked by a password: unpack it with a program",
        ),
        ("x.zip", packed_by(9), "packed in a way that is not read"),
        ("x.zip", whole[..whole.len() / 2].to_vec(), "damaged"),
        ("x.zip", wrong, "damaged"),
        (
            "x.zip",
            b"<!DOCTYPE html>".to_vec(),
            "a web page and no archive",
        ),
        (
            "x.zip",
            b"Rar!\x1a\x07\0".to_vec(),
            "a RAR archive, which is not read",
        ),
        ("x.zip", Vec::new(), "it is empty"),
        ("x.tar", tar[..700].to_vec(), "damaged"),
        ("x.tgz", gzip(&tar[..700]), "damaged"),
        ("x.tgz", gzip(b"no tar file"), "damaged"),
        (
            "x.zip",
            zipped(&[("../out", b"")]),
            "leads out of the folder",
        ),
        (
            "x.zip",
            zipped(&[("a/..\\..\\out", b"")]),
            "leads out of the folder",
        ),
        (
            "x.zip",
            zipped(&[("/tmp/out", b"")]),
            "leads out of the folder",
        ),
        (
            "x.tar",
            tarred(&[("../out", Regular, b"")]),
            "leads out of the folder",
        ),
        (
            "x.tar",
            tarred(&[("a", Regular, b"1"), ("a", Regular, b"2")]),
            "is there twice",
        ),
        (
            "x.tar",
            tarred(&[("out", Symlink, b""), ("out/../../a", Regular, b"")]),
            "leads out of the folder",
        ),
        (
            "x.zip",
            zipped(&[("a/".repeat(70).as_str(), b""), (&"b/".repeat(70), b"")]),
            "too many folders",
        ),
    ] {
        let error = refusal(name, &bytes);
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn links_are_left_out() {
    use tar::EntryType::{Regular, Symlink};
    let folder = tempdir().unwrap();
    let bytes = tarred(&[("c/1.png", Regular, b"1"), ("c/link.png", Symlink, b"")]);
    let contents = listed(folder.path(), "x.tar", &bytes).unwrap();
    let described = describe(&contents, &DataSpec::default());
    assert!(described.passed_over[0].reason.contains("a link"));
    let unpacked = unpack(&contents, &mut |_, _| true).unwrap();
    let names = std::fs::read_dir(unpacked.folder.join("c"))
        .unwrap()
        .count();
    assert_eq!(names, 1);
}

#[test]
fn archives_in_an_archive_are_named() {
    let folder = tempdir().unwrap();
    let inner = zipped(&CLASSES);
    let bytes = zipped(&[("train.zip", &inner), ("test.zip", &inner), ("x.csv", b"")]);
    let contents = listed(folder.path(), "dogs.zip", &bytes).unwrap();
    let notes = describe(&contents, &DataSpec::default()).notes;
    let text = notes[0].to_string();
    let wanted =
        "it holds 2 archives, the first train.zip: unpack it, then what is in it with strata data";
    assert!(text.starts_with(wanted), "{text}");
}

#[test]
fn names_that_are_no_utf8_stay_apart() {
    let folder = tempdir().unwrap();
    let mut bytes = zipped(&[("c/AA.png", b"1"), ("c/BB.png", b"2")]);
    for at in 0..bytes.len() - 1 {
        match bytes[at..at + 2] {
            [b'A', b'A'] => bytes[at..at + 2].copy_from_slice(&[0x81, 0x81]),
            [b'B', b'B'] => bytes[at..at + 2].copy_from_slice(&[0x82, 0xff]),
            _ => {}
        }
    }
    let contents = listed(folder.path(), "old.zip", &bytes).unwrap();
    assert_eq!(contents.members[0].path, Path::new("c/üü.png"));
    let notes = describe(&contents, &DataSpec::default()).notes;
    assert!(
        notes[0].text.contains("2 names in it are no UTF-8"),
        "{notes:?}"
    );
    let unpacked = unpack(&contents, &mut |_, _| true).unwrap();
    let names = std::fs::read_dir(unpacked.folder.join("c"))
        .unwrap()
        .count();
    assert_eq!(names, 2);
}

/// The same with the directory's place in 64 bits.
fn zip64() -> Vec<u8> {
    let mut bytes = zipped(&CLASSES);
    let end = bytes.split_off(bytes.len() - 22);
    let field = |at: usize, size: usize| {
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(&end[at..at + size]);
        wide
    };
    let record = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for part in [field(8, 2), field(10, 2), field(12, 4), field(16, 4)] {
        bytes.extend(part);
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend(record.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([0xff; 12]);
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn large_zips_are_read() {
    let folder = tempdir().unwrap();
    let contents = listed(folder.path(), "x.zip", &zip64()).unwrap();
    assert_eq!(contents.members.len(), 5);
    unpack(&contents, &mut |_, _| true).unwrap();
}

#[test]
fn long_names_of_tar_files_are_read() {
    let folder = tempdir().unwrap();
    let name = format!("classes/{}/1.png", "long".repeat(40));
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder.append_data(&mut header, &name, &b"1"[..]).unwrap();
    let with_pax = [("path", name.as_bytes())];
    builder.append_pax_extensions(with_pax).unwrap();
    header.set_entry_type(tar::EntryType::Directory);
    let contents = listed(folder.path(), "x.tar", &builder.into_inner().unwrap()).unwrap();
    assert_eq!(contents.members[0].path, Path::new(&name));
}

/// A file of one byte whose extended attributes give another size.
fn tar_with_size(bytes: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let with_pax = [("size", bytes.as_bytes())];
    builder.append_pax_extensions(with_pax).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "cat/1.png", &b"1"[..])
        .unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn files_over_8_gb_in_a_tar_are_refused_by_name() {
    let folder = tempdir().unwrap();
    for size in ["9000000000", "0", "18446744073709551616", "many"] {
        let error = listed(folder.path(), "x.tar", &tar_with_size(size)).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("cat/1.png in it is larger than 8 GB"),
            "{message}"
        );
        assert!(message.contains("another program"), "{message}");
    }
    // Some programs write the size of every file so.
    let contents = listed(folder.path(), "x.tar", &tar_with_size("1")).unwrap();
    assert_eq!(contents.members[0].path, Path::new("cat/1.png"));
}

#[test]
fn two_do_not_unpack_one_archive_at_once() {
    let folder = tempdir().unwrap();
    let contents = listed(folder.path(), "a.zip", &zipped(&CLASSES)).unwrap();
    let mut inner = None;
    unpack(&contents, &mut |_, _| {
        inner.get_or_insert_with(|| unpack(&contents, &mut |_, _| true));
        true
    })
    .unwrap();
    assert!(
        matches!(inner, Some(Err(ArchiveError::Busy { .. }))),
        "{inner:?}"
    );
}

#[test]
fn names_say_what_is_an_archive() {
    for (name, kind) in [
        ("a/b.zip", Some(Archive::Zip)),
        ("B.TAR.GZ", Some(Archive::TarGz)),
        ("x.tgz", Some(Archive::TarGz)),
        ("x.tar", Some(Archive::Tar)),
        ("x.npz", None),
        ("x.csv.gz", None),
        (".zip", None),
        ("zip", None),
    ] {
        assert_eq!(Archive::by_name(Path::new(name)), kind, "{name}");
    }
    assert!(Archive::is_named_like_one(Path::new("a.7z")));
    assert_eq!(folder_beside(Path::new("d/x.tar.gz")), Path::new("d/x"));
}
