//! Damaged and lying files: an error with its reason, never a panic, never memory for a claim.

use super::made::{cifar, gzip, idx, open, refusal, spec, stl10, write, write_idx, write_image};
use crate::Dataset;
use rand::RngCore;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_core::rng::{Purpose, stream};
use strata_testkit::files::{fixture, npy};
use tempfile::tempdir;

/// Opens and, if that works, reads everything: neither may panic.
fn survive(spec: &DataSpec) -> Option<Dataset> {
    let dataset = open(spec).ok()?;
    let mut image = vec![0.0; dataset.shape().iter().product()];
    for (_, split) in dataset.splits() {
        (0..split.len()).for_each(|index| drop(split.read(index, &mut image)));
    }
    Some(dataset)
}

/// Replaces a file by many damaged versions of `bytes`: cut short everywhere that matters, with
/// bytes of its first `header` changed, with bytes anywhere changed, with more at its end.
fn damage(folder: &Path, name: &str, bytes: &[u8], header: usize, spec: &DataSpec) {
    let cuts = (0..bytes.len().min(40)).chain((0..20).map(|part| bytes.len() * part / 20));
    for cut in cuts.chain([bytes.len() - 1]) {
        write(folder, name, &bytes[..cut]);
        survive(spec);
    }
    let mut rng = stream(7, Purpose::Probe, 0);
    for round in 0..150 {
        let mut changed = bytes.to_vec();
        let reach = if round % 3 == 0 {
            bytes.len()
        } else {
            header.min(bytes.len())
        };
        for _ in 0..=round % 4 {
            changed[rng.next_u32() as usize % reach] = rng.next_u32() as u8;
        }
        write(folder, name, &changed);
        survive(spec);
    }
    write(folder, name, &[bytes, &[1, 2, 3]].concat());
    survive(spec);
    write(folder, name, bytes);
    assert!(survive(spec).is_some(), "{name} is mended");
}

#[test]
fn idx_survives_damage() {
    let folder = tempdir().unwrap();
    write_idx(folder.path(), "train", 10);
    let spec = spec(Source::Mnist, folder.path());
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap();
        damage(folder.path(), name, &bytes, 16, &spec);
        std::fs::remove_file(folder.path().join(name)).unwrap();
        damage(
            folder.path(),
            &format!("{name}.gz"),
            &gzip(&bytes),
            20,
            &spec,
        );
    }
}

#[test]
fn cifar_survives_damage() {
    let folder = tempdir().unwrap();
    let ten = cifar(&[&[1], &[2], &[3]]);
    damage(
        folder.path(),
        "data_batch_1.bin",
        &ten,
        2,
        &spec(Source::Cifar10, folder.path()),
    );
    damage(
        folder.path(),
        "test_batch.bin.gz",
        &gzip(&ten),
        20,
        &spec(Source::Cifar10, folder.path()),
    );
    let hundred = cifar(&[&[1, 99], &[2, 0]]);
    damage(
        folder.path(),
        "train.bin",
        &hundred,
        2,
        &spec(Source::Cifar100, folder.path()),
    );
}

#[test]
fn stl10_survives_damage() {
    let folder = tempdir().unwrap();
    write(folder.path(), "train_y.bin", &[1, 2]);
    let spec = spec(Source::Stl10, folder.path());
    damage(folder.path(), "train_X.bin", &stl10(2), 50, &spec);
    damage(folder.path(), "train_y.bin", &[1, 2], 2, &spec);
}

#[test]
fn image_files_survive_damage() {
    for kind in ["png", "jpg", "bmp", "gif", "webp", "tiff"] {
        let folder = tempdir().unwrap();
        write_image(folder.path(), "c/whole.png", [9, 9], [1, 2, 3]);
        let name = format!("c/broken.{kind}");
        write_image(folder.path(), &name, [9, 9], [200, 100, 50]);
        let bytes = std::fs::read(folder.path().join(&name)).unwrap();
        let mut spec = spec(Source::Folder, folder.path());
        damage(folder.path(), &name, &bytes, 60, &spec);
        spec.resize = Some([5, 5]);
        damage(folder.path(), &name, &bytes, 60, &spec);
        write(folder.path(), &name, &bytes[..bytes.len() / 2]);
        let dataset = open(&spec).unwrap();
        assert_eq!(dataset.skipped().len(), 1, "half a {kind} is broken");
    }
}

#[test]
fn broken_images_are_left_out_and_reported() {
    let folder = tempdir().unwrap();
    for number in 0..30 {
        write_image(
            folder.path(),
            &format!("a/{number}.jpg"),
            [16, 16],
            [9, 9, 9],
        );
    }
    let whole = std::fs::read(folder.path().join("a/1.jpg")).unwrap();
    write(folder.path(), "a/cut.jpg", &whole[..whole.len() - 3]);
    write(folder.path(), "a/empty.png", b"");
    write(folder.path(), "a/page.jpg", b"<html>404 not found</html>");
    let dataset = open(&spec(Source::Folder, folder.path())).unwrap();
    assert_eq!(
        dataset.splits().map(|(_, data)| data.len()).sum::<usize>(),
        30
    );
    let skipped: Vec<String> = dataset
        .skipped()
        .iter()
        .map(|skipped| {
            format!(
                "{} {}",
                skipped.file.file_name().unwrap().to_string_lossy(),
                skipped.reason
            )
        })
        .collect();
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    assert!(
        skipped[0].contains("cut.jpg the file ends in the middle"),
        "{skipped:?}"
    );
    assert!(skipped[2].contains("page.jpg not an image"), "{skipped:?}");

    let broken = tempdir().unwrap();
    write(broken.path(), "a/page.jpg", b"<html>404 not found</html>");
    let message = refusal(Source::Folder, broken.path());
    assert!(
        message.contains("none of its 1 files can be read (page.jpg: not an image"),
        "{message}"
    );
}

#[test]
fn a_picture_that_claims_to_be_huge_is_left_out() {
    let folder = tempdir().unwrap();
    write_image(folder.path(), "a/1.png", [4, 4], [1, 2, 3]);
    write_image(folder.path(), "a/2.bmp", [4, 4], [1, 2, 3]);
    let mut bytes = std::fs::read(folder.path().join("a/2.bmp")).unwrap();
    bytes[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    write(folder.path(), "a/2.bmp", &bytes);
    let dataset = open(&spec(Source::Folder, folder.path())).unwrap();
    assert!(
        dataset.skipped()[0].reason.contains("60000×60000"),
        "{:?}",
        dataset.skipped()
    );
}

#[test]
fn an_idx_header_that_lies_is_caught_before_memory_is_asked_for() {
    let folder = tempdir().unwrap();
    let images = "train-images-idx3-ubyte";
    let cases: [(Vec<u8>, &str); 7] = [
        (
            idx(&[60_000, 28, 28], &[0; 100]),
            "60,000 images of 28×28 (47,040,016 bytes), the file has 116",
        ),
        (idx(&[u32::MAX, 4096, 4096], &[0; 100]), "the file has 116"),
        (idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 100]), "cannot be"),
        (idx(&[0, 28, 28], &[]), "cannot be"),
        (
            idx(&[2, 2, 2], &[0; 9]),
            "(24 bytes), the file has at least 25",
        ),
        (idx(&[9], &[0; 9]), "begins with 0x00000801, not 0x00000803"),
        (vec![0, 0, 8, 3, 0], "inside its header"),
    ];
    for (bytes, part) in cases {
        write(folder.path(), images, &bytes);
        let message = refusal(Source::Mnist, folder.path());
        assert!(
            message.contains(part) && message.contains(images),
            "{message}"
        );
        let packed = tempdir().unwrap();
        write(packed.path(), &format!("{images}.gz"), &gzip(&bytes));
        assert!(open(&spec(Source::Mnist, packed.path())).is_err());
    }
}

#[test]
fn a_gzip_bomb_is_read_no_further_than_its_header_says() {
    let folder = tempdir().unwrap();
    let bomb = gzip(&idx(&[10, 2, 2], &vec![0; 50_000_000]));
    write(folder.path(), "train-images-idx3-ubyte.gz", &bomb);
    let message = refusal(Source::Mnist, folder.path());
    assert!(
        message.contains("(56 bytes), the file has at least 57 when unpacked"),
        "{message}"
    );
    let cut = gzip(&idx(&[1000, 2, 2], &[5; 4000]));
    write(
        folder.path(),
        "train-images-idx3-ubyte.gz",
        &cut[..cut.len() - 6],
    );
    assert!(refusal(Source::Mnist, folder.path()).contains("gzip data is damaged"));
}

#[test]
fn labels_that_do_not_fit_are_refused() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "train-images-idx3-ubyte",
        &idx(&[3, 1, 1], &[1, 2, 3]),
    );
    let labels = "train-labels-idx1-ubyte";
    write(folder.path(), labels, &idx(&[2], &[1, 2]));
    let message = refusal(Source::Mnist, folder.path());
    assert!(
        message.contains("2 labels, but train-images-idx3-ubyte has 3 images"),
        "{message}"
    );
    write(folder.path(), labels, &idx(&[3], &[1, 2, 10]));
    assert!(refusal(Source::Mnist, folder.path()).contains("image 2 has label 10"));

    write(folder.path(), "train_X.bin", &stl10(2));
    for (labels, part) in [
        (vec![1], "1 labels, but train_X.bin has 2 images"),
        (vec![1, 2, 3], "more than 2 labels"),
        (
            vec![1, 0],
            "image 1 has label 0, and labels go from 1 to 10",
        ),
        (vec![11, 1], "image 0 has label 11"),
    ] {
        write(folder.path(), "train_y.bin", &labels);
        let message = refusal(Source::Stl10, folder.path());
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn files_that_end_inside_a_picture_are_refused_with_their_size() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "data_batch_1.bin",
        &cifar(&[&[1], &[2]])[..6000],
    );
    let message = refusal(Source::Cifar10, folder.path());
    assert!(
        message.contains("6,000 bytes, which is 1 records of 3073 and 2927 bytes over"),
        "{message}"
    );
    write(folder.path(), "data_batch_1.bin", &cifar(&[&[10]]));
    assert!(
        refusal(Source::Cifar10, folder.path()).contains("label 10, and labels go from 0 to 9")
    );
    write(folder.path(), "unlabeled_X.bin", &stl10(1)[..27_000]);
    let message = refusal(Source::Stl10, folder.path());
    assert!(
        message.contains("27,000 bytes, which is 0 images of 27,648 and 27,000 bytes over"),
        "{message}"
    );
}

#[test]
fn a_file_that_shrinks_after_opening_is_as_it_was_opened() {
    let folder = tempdir().unwrap();
    write(folder.path(), "unlabeled_X.bin", &stl10(40));
    let dataset = open(&spec(Source::Stl10, folder.path())).unwrap();
    let split = dataset.split(Split::Unlabeled).unwrap();
    let read = || {
        let mut image = vec![0.0; 96 * 96 * 3];
        split.read(39, &mut image).map(|()| image)
    };
    // Opening compares all images with each other, and of a file of this size what was read stays in memory. That a
    // larger one is an error is tested where files are read.
    let before = read().unwrap();
    write(folder.path(), "unlabeled_X.bin", &stl10(1));
    assert_eq!(read().unwrap(), before);
}

#[test]
fn files_of_matlab_and_pickles_survive_damage() {
    for (fixture_name, name) in [
        ("svhn.mat", "train_32x32.mat"),
        ("cifar10.mat", "data_batch_1.mat"),
        ("images.mat", "IMAGES.mat"),
        ("imagenet8.pickle", "train_data_batch_1"),
    ] {
        let folder = tempdir().unwrap();
        let spec = spec(Source::Npy, folder.path());
        damage(folder.path(), name, &fixture(fixture_name), 260, &spec);
    }
}

#[test]
fn tables_survive_damage() {
    let folder = tempdir().unwrap();
    write_image(folder.path(), "i/0.png", [4, 4], [1, 2, 3]);
    write_image(folder.path(), "i/1.png", [4, 4], [9, 2, 3]);
    let paths = "\u{feff}path;label;set\ni/0.png;\"a \"\"b\"\"\";train\ni\\1;2.0;test\n";
    let file = folder.path().join("t.csv");
    let spec_of = |file: &Path| spec(Source::Csv, file);
    damage(
        folder.path(),
        "t.csv",
        paths.as_bytes(),
        60,
        &spec_of(&file),
    );
    let row = |label: u8| {
        let pixels: Vec<String> = (0..25).map(|at| (at * 9).to_string()).collect();
        format!("{label},{}\n", pixels.join(","))
    };
    let names: Vec<String> = (0..25).map(|at| format!("pixel{at}")).collect();
    let pixels = format!("label,{}\n{}{}", names.join(","), row(1), row(2));
    damage(
        folder.path(),
        "t.csv",
        pixels.as_bytes(),
        pixels.len(),
        &spec_of(&file),
    );
    let text: Vec<String> = (0..25).map(|at| at.to_string()).collect();
    let text = text.join(" ");
    let faces = format!("emotion,pixels,Usage\n0,{text},Training\n1,{text},PublicTest\n");
    damage(
        folder.path(),
        "t.csv",
        faces.as_bytes(),
        60,
        &spec_of(&file),
    );
}

#[test]
fn labels_of_arrays_survive_damage() {
    for (kind, width) in [("|S3", 3), ("<U2", 8), ("<f8", 8), ("|u1", 3)] {
        let folder = tempdir().unwrap();
        write(folder.path(), "x.npy", &npy("|u1", &[3, 4, 4], &[7; 48]));
        let shape: &[usize] = if kind == "|u1" { &[3, 3] } else { &[3] };
        let mut body = vec![0; 3 * width];
        (0..3).for_each(|row| {
            body[row * width + if kind == "|u1" { row } else { 0 }] = u8::from(kind != "<f8")
        });
        let labels = npy(kind, shape, &body);
        damage(
            folder.path(),
            "y.npy",
            &labels,
            128,
            &spec(Source::Npy, folder.path()),
        );
    }
}

#[test]
fn hdf5_survives_damage() {
    for name in ["packed.h5", "texts.h5"] {
        let folder = tempdir().unwrap();
        let spec = spec(Source::Hdf5, folder.path());
        damage(folder.path(), "x.h5", &fixture(name), 2048, &spec);
    }
}

#[test]
fn parquet_survives_damage() {
    for name in [
        "images.parquet",
        "pages2.parquet",
        "zstd2.parquet",
        "lz4.parquet",
    ] {
        let folder = tempdir().unwrap();
        let spec = spec(Source::Parquet, folder.path());
        let bytes = fixture(name);
        damage(folder.path(), "x.parquet", &bytes, bytes.len(), &spec);
    }
}
