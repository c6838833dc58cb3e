//! HDF5 files as courses, Kaggle, Zenodo, Keras and MATLAB have them.

use super::made::{self, folder, open, refusal, write};
use crate::Dataset;
use hdf5_pure::FileBuilder;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::files::fixture;
use tempfile::tempdir;

/// All images for training.
fn whole(path: &Path) -> DataSpec {
    made::whole(Source::Hdf5, path)
}

/// The splits that the files have.
fn split(path: &Path) -> DataSpec {
    made::split(Source::Hdf5, path)
}

fn labels(dataset: &Dataset, split: Split) -> Vec<&str> {
    let data = dataset.split(split).unwrap();
    let name = |index| &dataset.classes()[data.label(index).unwrap() as usize];
    (0..data.len()).map(|index| name(index).as_str()).collect()
}

/// Every pixel of every image is that of the script that wrote it: 60 n + 10 y + 3 x + c, times `scale`.
fn check_values(dataset: &Dataset, split: Split, scale: f32) {
    let data = dataset.split(split).unwrap();
    let mut image = vec![0.0; 60];
    for n in 0..data.len() {
        data.read(n, &mut image).unwrap();
        for (at, value) in image.iter().enumerate() {
            let (y, x, c) = (at / 12, at / 3 % 4, at % 3);
            let expected = ((60 * n + 10 * y + 3 * x + c) % 256) as f32 * scale;
            assert!((value - expected).abs() < 1e-3, "{split} {n} {at}: {value}");
        }
    }
}

#[test]
fn files_of_courses_have_images_labels_and_names() {
    let folder = folder(&[
        ("train_catvnoncat.h5", "course.h5"),
        ("weights/weights.h5", "weights.h5"),
    ]);
    let dataset = open(&whole(&folder.path().join("train_catvnoncat.h5"))).unwrap();
    assert_eq!(dataset.shape(), [3, 5, 4]);
    let expected = [
        "non-cat", "cat", "non-cat", "non-cat", "cat", "non-cat", "non-cat",
    ];
    assert_eq!(labels(&dataset, Split::Train), expected);
    check_values(&dataset, Split::Train, 1.0);
}

#[test]
fn packed_arrays_are_read_chunk_by_chunk() {
    let folder = folder(&[("set.h5", "packed.h5")]);
    let dataset = open(&split(folder.path())).unwrap();
    for (split, count) in [(Split::Train, 7), (Split::Test, 4), (Split::Valid, 2)] {
        assert_eq!(dataset.split(split).unwrap().len(), count);
        check_values(&dataset, split, 1.0);
    }
    assert_eq!(labels(&dataset, Split::Test), ["0", "1", "2", "0"]);
}

#[test]
fn texts_and_columns_are_labels() {
    let folder = folder(&[("texts.h5", "texts.h5"), ("food/food.hdf5", "onehot.h5")]);
    let texts = open(&DataSpec {
        range: None,
        ..whole(&folder.path().join("texts.h5"))
    })
    .unwrap();
    assert_eq!(labels(&texts, Split::Train)[..3], ["a dog", "cat", "cat"]);
    assert!(texts.skipped()[0].file.ends_with("train/image_ids"));
    let food = open(&whole(&folder.path().join("food"))).unwrap();
    assert_eq!(
        labels(&food, Split::Train)[..4],
        ["pie", "soup", "tart", "pie"]
    );
    check_values(&food, Split::Train, 1.0);
}

#[test]
fn labels_are_found_in_the_file_beside() {
    let root = tempdir().unwrap();
    let pixels: Vec<u8> = (0..4 * 6 * 6 * 3).map(|at| (at % 250) as u8).collect();
    for (split, count) in [("train", 4u8), ("valid", 2)] {
        let name = |part: &str| format!("camelyonpatch_level_2_split_{split}_{part}.h5");
        let [x, y, mask] = ["x", "y", "mask"].map(|part| {
            let mut file = FileBuilder::new();
            let data = file.create_dataset(part);
            let rows = u64::from(count);
            match part {
                "y" => data
                    .with_u8_data(&(0..count).map(|at| at % 2).collect::<Vec<u8>>())
                    .with_shape(&[rows, 1, 1, 1]),
                "mask" => data
                    .with_u8_data(&pixels[..usize::from(count) * 36])
                    .with_shape(&[rows, 6, 6, 1]),
                _ => data
                    .with_u8_data(&pixels[..usize::from(count) * 108])
                    .with_shape(&[rows, 6, 6, 3]),
            };
            file.finish().unwrap()
        });
        write(root.path(), &name("x"), &x);
        write(root.path(), &name("y"), &y);
        write(root.path(), &name("mask"), &mask);
    }
    let lone = root.path().join("camelyonpatch_level_2_split_train_x.h5");
    let dataset = open(&whole(&lone)).unwrap();
    assert_eq!(labels(&dataset, Split::Train), ["0", "1", "0", "1"]);
    let all = open(&split(root.path())).unwrap();
    assert_eq!(all.shape(), [3, 6, 6]);
    assert_eq!(labels(&all, Split::Valid), ["0", "1"]);
    assert_eq!(all.skipped().len(), 2, "the masks");
}

#[test]
fn files_of_matlab_7_3_are_those_of_version_5() {
    let of = |source, name: &str| {
        let folder = folder(&[("train_32x32.mat", name)]);
        let dataset = open(&DataSpec {
            source,
            ..whole(folder.path())
        })
        .unwrap();
        let names: Vec<String> = labels(&dataset, Split::Train)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut image = vec![0.0; 48];
        let data = dataset.split(Split::Train).unwrap();
        data.read(3, &mut image).unwrap();
        (dataset.shape(), names, image)
    };
    let five = of(Source::Npy, "svhn.mat");
    assert_eq!(five.1, ["1", "0", "3", "0", "2"]);
    assert_eq!(of(Source::Npy, "svhn73.mat"), five);
    assert_eq!(of(Source::Hdf5, "svhn73.mat"), five);
}

#[test]
fn without_names_shapes_say_what_arrays_are() {
    let folder = tempdir().unwrap();
    let mut file = FileBuilder::new();
    let images = file.create_dataset("jets");
    images.with_f32_data(&[0.5; 3 * 16]).with_shape(&[3, 4, 4]);
    file.create_dataset("kind").with_i32_data(&[2, 1, 2]);
    file.create_dataset("energy")
        .with_f64_data(&[0.1, 0.2, 0.3]);
    write(folder.path(), "jets.h5", &file.finish().unwrap());
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.shape(), [1, 4, 4]);
    assert_eq!(labels(&dataset, Split::Train), ["2", "1", "2"]);
    assert!(dataset.skipped()[0].file.ends_with("jets.h5/energy"));
}

#[test]
fn what_is_not_read_is_refused_in_one_sentence() {
    let of = |name: &str| {
        let folder = folder(&[("a.h5", name)]);
        refusal(Source::Hdf5, &folder.path().join("a.h5"))
    };
    for name in ["weights.h5", "keras3.weights.h5"] {
        let message = of(name);
        assert!(message.contains("weights of a Keras model"), "{message}");
    }
    let latest = of("latest.h5");
    let python: Vec<&str> = latest.lines().skip(1).collect();
    assert_eq!(python.len(), 3, "{latest}");
    assert!(python[1].contains("a_plain.h5"), "{latest}");

    let folder = tempdir().unwrap();
    write(folder.path(), "a.h5", b"<html>404</html>");
    let message = refusal(Source::Hdf5, folder.path());
    assert!(
        message.contains("a.h5") && message.contains("download it again"),
        "{message}"
    );
    let two = self::folder(&[
        ("train_cats.h5", "course.h5"),
        ("train_signs.h5", "course.h5"),
    ]);
    let message = refusal(Source::Hdf5, two.path());
    assert!(message.contains("point path at one of them"), "{message}");
    let empty = tempdir().unwrap();
    assert!(refusal(Source::Hdf5, empty.path()).contains("no .h5 or .hdf5 file"));
}

#[test]
fn rows_of_a_packed_array_are_read_when_wanted() {
    let folder = folder(&[("packed.h5", "packed.h5")]);
    let file = folder.path().join("packed.h5");
    let contents = crate::formats::hdf5::open(&file).unwrap();
    let array = contents.arrays.iter().find(|array| array.name == "x_train");
    let array = array.unwrap();
    let all = array.rows(0, 7, 420).unwrap();
    for row in [6, 0, 3, 2] {
        let start = row * 60;
        assert_eq!(array.row_at(start as u64, 60).unwrap(), all[start..][..60]);
    }
    assert!(array.row_at(420, 60).is_err());
}

/// Read, the first two take gigabytes of memory. In packed.h5 the chunks of x_train are listed from byte 1424 on, 56 bytes
/// each, those of another array from 11328 on: four bytes of length first.
#[test]
fn chunks_that_do_not_fit_into_the_file_are_refused_before_they_are_read() {
    let folder = tempdir().unwrap();
    let cases: [&[(usize, u32)]; 3] = [
        &[(1424, 0x5d5d_5d5d)],
        &[(11328 + 56, u32::MAX)],
        &[(1424, 8192), (1424 + 56, 8192)],
    ];
    for lies in cases {
        let mut bytes = fixture("packed.h5");
        for &(at, length) in lies {
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }
        write(folder.path(), "set.h5", &bytes);
        let message = refusal(Source::Hdf5, folder.path());
        assert!(
            message.contains("its chunks do not fit into the file of 15,776 bytes"),
            "{message}"
        );
    }
}

/// An HDF5 file of version 0 whose root group is listed by a tree of this many levels, in which both children of a node
/// are the same node one level below; the leaf lists `links`, all of which are the root group itself.
fn h5_of_shared_nodes(levels: usize, links: usize) -> Vec<u8> {
    const NODE: usize = 128;
    let (header, heap, names, leaf) = (96, 136, 168, 512);
    let first_node = leaf + 8 + 40 * links.max(2);
    let node_at = |level: usize| (first_node + level * NODE) as u64;
    let mut file = vec![0u8; first_node + (levels + 1) * NODE];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0");
    put(32, &[0xff; 8]);
    put(40, &(node_at(levels) + NODE as u64).to_le_bytes());
    put(48, &[0xff; 8]);
    put(64, &(header as u64).to_le_bytes());
    put(header, &[1, 0, 1, 0, 1, 0, 0, 0, 24, 0, 0, 0]);
    put(header + 16, &[0x11, 0, 16]);
    put(header + 24, &node_at(levels).to_le_bytes());
    put(header + 32, &(heap as u64).to_le_bytes());
    put(heap, b"HEAP");
    put(heap + 8, &[0, 1]);
    put(heap + 16, &[0xff; 8]);
    put(heap + 24, &(names as u64).to_le_bytes());
    put(leaf, b"SNOD\x01\0");
    put(leaf + 6, &(links as u16).to_le_bytes());
    for link in 0..links {
        put(names + 8 + 8 * link, format!("g{link}").as_bytes());
        put(leaf + 8 + 40 * link, &(8 + 8 * link as u64).to_le_bytes());
        put(leaf + 16 + 40 * link, &(header as u64).to_le_bytes());
    }
    for level in 0..=levels {
        let at = node_at(level) as usize;
        let child = if level == 0 {
            leaf as u64
        } else {
            node_at(level - 1)
        };
        put(
            at,
            &[
                b'T',
                b'R',
                b'E',
                b'E',
                0,
                level as u8,
                if level == 0 { 1 } else { 2 },
            ],
        );
        put(at + 8, &[0xff; 16]);
        put(at + 32, &child.to_le_bytes());
        put(at + 48, &child.to_le_bytes());
    }
    file
}

/// What this thread has computed so far, whatever else the machine does; 0 where the system does not say.
fn seconds_computed() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next();
    nanoseconds.map_or(0.0, |number| number.parse::<f64>().unwrap_or(0.0) / 1e9)
}

#[test]
fn trees_and_groups_that_lead_in_circles_end_in_an_error() {
    let root = tempdir().unwrap();
    let file = root.path().join("set.h5");
    // A tree of one way is read.
    write(root.path(), "set.h5", &h5_of_shared_nodes(0, 0));
    let message = refusal(Source::Hdf5, &file);
    assert!(message.contains("no array"), "{message}");
    for (levels, links, told) in [
        (60, 0, "lead to the same places again and again"),
        (24, 0, "lead to the same places again and again"),
        (0, 30, "more than 1000 arrays and groups"),
        (3, 1, "set.h5"),
    ] {
        write(root.path(), "set.h5", &h5_of_shared_nodes(levels, links));
        let start = seconds_computed();
        let message = refusal(Source::Hdf5, &file);
        assert!(message.contains(told), "{levels} {links}: {message}");
        let took = seconds_computed() - start;
        println!("{levels} levels, {links} links: {took:.2} s");
        assert!(took < 6.0, "{took} s, in a build without optimisation");
    }
}
