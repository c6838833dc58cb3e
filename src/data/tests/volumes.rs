//! Volumes and arrays in Fortran's order: which axis is which, and where every value goes.

use super::made::{self, open, refusal, write};
use crate::Dataset;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::files::{gzip, npy};
use tempfile::tempdir;

fn whole(path: &Path) -> DataSpec {
    made::whole(Source::Npy, path)
}

/// The value at a place of an array.
fn value(place: &[usize]) -> u8 {
    let weighed = place.iter().zip([101, 31, 11, 5, 3]);
    weighed.map(|(at, weight)| at * weight).sum::<usize>() as u8
}

/// An array of such values, the last axis fastest or, in Fortran's order, the first.
fn array(shape: &[usize], by_column: bool) -> Vec<u8> {
    let count: usize = shape.iter().product();
    let mut place = vec![0; shape.len()];
    let mut body = Vec::new();
    for _ in 0..count {
        body.push(value(&place));
        let axes: Vec<usize> = match by_column {
            true => (0..shape.len()).collect(),
            false => (0..shape.len()).rev().collect(),
        };
        for axis in axes {
            place[axis] += 1;
            if place[axis] < shape[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
    let file = npy("|u1", shape, &body);
    match by_column {
        true => in_fortrans_order(file),
        false => file,
    }
}

/// The same with a header that says Fortran's order.
fn in_fortrans_order(mut file: Vec<u8>) -> Vec<u8> {
    let at = file.windows(5).position(|piece| piece == b"False").unwrap();
    file.splice(at..at + 5, *b"True ");
    file
}

fn all_pixels(dataset: &Dataset) -> Vec<Vec<u8>> {
    let data = dataset.split(Split::Train).unwrap();
    let mut image = vec![0.0; dataset.shape().iter().product()];
    let read = |index| {
        data.read(index, &mut image).unwrap();
        image.iter().map(|value| value.round() as u8).collect()
    };
    (0..data.len()).map(read).collect()
}

#[test]
fn arrays_in_fortrans_order_hold_what_they_hold_in_cs() {
    let folder = tempdir().unwrap();
    let cases: [(&[usize], Option<&str>); 9] = [
        (&[3, 6, 7, 9], None),
        (&[3, 6, 7, 9, 3], None),
        (&[3, 1, 6, 7, 9], None),
        (&[3, 6, 7], None),
        (&[3, 8, 9, 3], None),
        (&[3, 3, 8, 9], None),
        (&[3, 24], Some("shape = \"1x4x6\"")),
        (&[3, 60], Some("shape = \"1x3x4x5\"")),
        (&[3, 6, 7, 9], Some("shape = \"6x7x9\"")),
    ];
    for (shape, line) in cases {
        let opened = [false, true].map(|by_column| {
            // The first is read from its file when it is wanted.
            let name = format!("{by_column}.npy");
            write(folder.path(), &name, &array(shape, by_column));
            let spec = whole(&folder.path().join(name));
            let spec = line.map_or(Some(spec.clone()), |line| spec.with_line(line));
            open(&spec.unwrap()).unwrap()
        });
        let [plain, fortran] = &opened;
        assert_eq!(plain.input_dims(), fortran.input_dims(), "{shape:?}");
        let [plain, fortran] = [all_pixels(plain), all_pixels(fortran)];
        assert_eq!(plain, fortran, "{shape:?} {line:?}");
        assert_ne!(plain[0], plain[1], "{shape:?} {line:?}");
    }
}

#[test]
fn voxels_in_fortrans_order_are_where_numpy_has_them() {
    let folder = tempdir().unwrap();
    let packed = gzip(&array(&[2, 5, 6, 7], true));
    write(folder.path(), "x.npy.gz", &packed);
    let dataset = open(&whole(folder.path())).unwrap();
    assert_eq!(dataset.input_dims(), [1, 5, 6, 7]);
    let volumes = all_pixels(&dataset);
    for (n, d, h, w) in [(0, 0, 0, 1), (1, 4, 5, 6), (1, 2, 3, 4), (0, 4, 0, 6)] {
        assert_eq!(volumes[n][(d * 6 + h) * 7 + w], value(&[n, d, h, w]));
    }
}

#[test]
fn labels_in_fortrans_order_are_those_of_their_rows() {
    let folder = tempdir().unwrap();
    write(folder.path(), "x.npy", &array(&[4, 5, 5], true));
    // Rows 010, 001, 100, 010, column by column.
    let columns = [0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0];
    let labels = in_fortrans_order(npy("|u1", &[4, 3], &columns));
    write(folder.path(), "y.npy", &labels);
    let dataset = open(&whole(folder.path())).unwrap();
    let train = dataset.split(Split::Train).unwrap();
    let labels: Vec<u32> = (0..4).map(|n| train.label(n).unwrap()).collect();
    assert_eq!(labels, [1, 2, 0, 1]);
}

#[test]
fn arrays_in_fortrans_order_that_lie_of_their_size_are_refused() {
    let folder = tempdir().unwrap();
    let mut short = array(&[3, 6, 7, 9], true);
    short.truncate(short.len() - 5);
    let mut long = array(&[3, 6, 7, 9], true);
    long.push(0);
    let huge = in_fortrans_order(npy("|u1", &[60_000, 28, 28, 28], &[0; 40]));
    for (bytes, told) in [
        (short, "(1,134 bytes), and 1,129 follow"),
        (long, "(1,134 bytes), and at least 1,135 follow"),
        (huge, "(1,317,120,000 bytes), and"),
    ] {
        write(folder.path(), "x.npy", &bytes);
        let message = refusal(Source::Npy, &folder.path().join("x.npy"));
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn what_was_taken_for_which_axis_is_told() {
    let folder = tempdir().unwrap();
    for (shape, told) in [
        (
            &[2, 6, 7, 9][..],
            "volumes of 6×7×9 (depth, height, width) with 1 channel: the array's axes are taken as number, depth, height, width; if they are images of 6 channels: write shape = \"6x7x9\" under [data]",
        ),
        (
            &[2, 3, 6, 7, 9],
            "with 3 channels: the array's axes are taken as number, channels, depth, height, width",
        ),
        (
            &[2, 6, 7, 9, 3],
            "with 3 channels: the array's axes are taken as number, depth, height, width, channels",
        ),
        (
            &[2, 8, 32, 32],
            "images of 32×32 with 8 channels, which come first in the array; if these are the slices of volumes: write shape = \"1x8x32x32\" under [data]",
        ),
    ] {
        let count: usize = shape.iter().product();
        write(folder.path(), "x.npy", &npy("|u1", shape, &vec![7; count]));
        let dataset = open(&whole(folder.path())).unwrap();
        let notes: Vec<String> = dataset.notes().iter().map(ToString::to_string).collect();
        assert!(notes.iter().any(|note| note.contains(told)), "{notes:?}");
    }
    write(
        folder.path(),
        "x.npy",
        &npy("|u1", &[2, 4, 5, 6, 7], &[0; 1680]),
    );
    let message = refusal(Source::Npy, folder.path());
    assert!(
        message.ends_with("no axis of its volumes is one of channels (the array is [2, 4, 5, 6, 7]): write shape = \"1x28x28x28\" under [data], with your numbers of channels, slices, rows and columns"),
        "{message}"
    );
}
