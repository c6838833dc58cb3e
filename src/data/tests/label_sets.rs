//! Images with several labels each: from a matrix of arrays, from columns of a table, and what is refused of them.

use super::made::{Values, open, parquet, png, spec, write};
use crate::Dataset;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source, Split, Weights};
use strata_testkit::files::npy;

/// Which labels the images of a split have, by their names.
fn sets(dataset: &Dataset, split: Split) -> Vec<Vec<&str>> {
    let data = dataset.split(split).unwrap();
    assert!(data.has_label_sets() && !data.labelled());
    let name = |label: &u32| dataset.classes()[*label as usize].as_str();
    (0..data.len())
        .map(|index| {
            assert_eq!(data.label(index), None);
            data.label_set(index).unwrap().iter().map(name).collect()
        })
        .collect()
}

/// `x` and `y` of the training images and those of testing: rows of labels.
fn arrays(folder: &Path, train: &[[u8; 3]], test: &[[u8; 3]]) {
    for (name, rows) in [("train", train), ("test", test)] {
        let pixels: Vec<u8> = (0..rows.len() * 25).map(|value| value as u8).collect();
        let images = npy("|u1", &[rows.len(), 5, 5], &pixels);
        write(folder, &format!("x_{name}.npy"), &images);
        let labels = npy("|u1", &[rows.len(), 3], &rows.concat());
        write(folder, &format!("y_{name}.npy"), &labels);
    }
}

fn whole(source: Source, path: &Path) -> DataSpec {
    DataSpec {
        valid: Some(0.0),
        ..spec(source, path)
    }
}

#[test]
fn a_matrix_of_labels_is_read_as_sets() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(
        at,
        &[[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 1]],
        &[[0, 0, 1]],
    );
    write(at, "classes.txt", b"cat\ndog\nhat\n");
    let dataset = open(&whole(Source::Npy, at)).unwrap();
    assert_eq!(dataset.classes(), ["cat", "dog", "hat"]);
    assert!(dataset.has_label_sets());
    let none: Vec<&str> = Vec::new();
    let train = [vec!["cat", "hat"], none, vec!["dog"], vec!["cat", "hat"]];
    assert_eq!(sets(&dataset, Split::Train), train);
    assert_eq!(sets(&dataset, Split::Test), [["hat"]]);
    let data = dataset.split(Split::Train).unwrap();
    assert_eq!(data.per_class(), [2, 1, 2]);
    let mut rows = Vec::new();
    data.push_label_rows(&[3, 1], &mut rows);
    assert_eq!(rows, [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let notes: Vec<String> = dataset.notes().iter().map(ToString::to_string).collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("several of 3 labels")),
        "{notes:?}"
    );
    // Another set of one image is another name of the data.
    arrays(
        at,
        &[[1, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 1]],
        &[[0, 0, 1]],
    );
    assert_ne!(
        open(&whole(Source::Npy, at)).unwrap().hash(),
        dataset.hash()
    );
}

#[test]
fn a_single_one_in_every_row_is_a_class() {
    let folder = tempfile::tempdir().unwrap();
    arrays(folder.path(), &[[1, 0, 0], [0, 0, 1]], &[[0, 1, 0]]);
    let dataset = open(&whole(Source::Npy, folder.path())).unwrap();
    assert!(!dataset.has_label_sets());
    assert_eq!(dataset.split(Split::Train).unwrap().label(1), Some(2));
    let mut rows = Vec::new();
    dataset
        .split(Split::Train)
        .unwrap()
        .push_label_rows(&[0], &mut rows);
    assert!(rows.is_empty());
}

#[test]
fn labels_that_are_neither_one_nor_nought_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    arrays(folder.path(), &[[1, 0, 2], [0, 0, 1]], &[[0, 1, 0]]);
    let error = open(&whole(Source::Npy, folder.path()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("row 0 of the labels has a 2"), "{error}");
}

/// Shares are drawn at random, so that rare sets come into both splits, and nothing is lost.
#[test]
fn splits_and_patches_keep_the_sets() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<[u8; 3]> = (0..40u8).map(|i| [i % 2, i / 2 % 2, i / 4 % 2]).collect();
    arrays(folder.path(), &rows, &[[1, 1, 1]]);
    let spec = DataSpec {
        valid: Some(0.25),
        ..spec(Source::Npy, folder.path())
    };
    let dataset = open(&spec).unwrap();
    let [train, valid] = [Split::Train, Split::Valid].map(|split| sets(&dataset, split));
    assert_eq!((train.len(), valid.len()), (30, 10));
    let with_all = |sets: &[Vec<&str>]| sets.iter().filter(|set| set.len() == 3).count();
    assert_eq!(with_all(&train) + with_all(&valid), 5);
    let patches = DataSpec {
        patches: Some([2, 2]),
        patches_per_image: Some(2),
        ..spec
    };
    let patches = open(&patches).unwrap();
    let of_patches = sets(&patches, Split::Train);
    assert_eq!(of_patches[..30], train);
    assert_eq!(of_patches[30..], train);
}

#[test]
fn settings_of_classes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    arrays(folder.path(), &[[1, 0, 1], [0, 0, 1]], &[[0, 1, 0]]);
    let per_class = DataSpec {
        per_class: Some(1),
        ..whole(Source::Npy, folder.path())
    };
    let balanced = DataSpec {
        weights: Some(Weights::Balanced),
        ..whole(Source::Npy, folder.path())
    };
    for spec in [per_class, balanced] {
        let error = open(&spec).unwrap_err().to_string();
        assert!(error.contains("several labels"), "{error}");
    }
}

#[test]
fn columns_of_a_table_are_labels() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for name in ["a", "b", "c", "d"] {
        image::GrayImage::from_pixel(3, 3, image::Luma([name.as_bytes()[0]]))
            .save(at.join(format!("{name}.png")))
            .unwrap();
    }
    let table = "image,smiling,glasses,hat\na.png,1,0,1\nb.png,0,0,0\nc.png,0,1,0\nd.png,0,1,0\n";
    write(at, "t.csv", table.as_bytes());
    let dataset = open(&DataSpec {
        test: Some(0.0),
        ..whole(Source::Csv, at)
    })
    .unwrap();
    // Columns are in their order, not in that of the alphabet.
    assert_eq!(dataset.classes(), ["smiling", "glasses", "hat"]);
    let mut found = sets(&dataset, Split::Train);
    found.sort();
    assert_eq!(
        found,
        [
            vec![],
            vec!["glasses"],
            vec!["glasses"],
            vec!["smiling", "hat"]
        ]
    );
}

const LISTS: &str = "message t { optional group image { optional binary bytes; } optional group labels (LIST) { \
    repeated group list { optional int64 element; } } }";

fn table(lists: &[Vec<i64>], note: Option<&str>) -> Vec<u8> {
    let image = |index: usize| {
        let pixels = image::GrayImage::from_pixel(3, 3, image::Luma([index as u8]));
        Some(png(&image::DynamicImage::from(pixels)))
    };
    let images = Values::Bytes((0..lists.len()).map(image).collect());
    parquet(LISTS, &[images, Values::Lists(lists.to_vec())], 3, note)
}

#[test]
fn lists_of_a_parquet_file_are_labels() {
    let folder = tempfile::tempdir().unwrap();
    let lists = [vec![0, 2], vec![], vec![7], vec![2, 0, 2], vec![2]];
    write(folder.path(), "train.parquet", &table(&lists, None));
    let spec = DataSpec {
        test: Some(0.0),
        ..whole(Source::Parquet, folder.path())
    };
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.classes(), ["0", "2", "7"]);
    let mut found = sets(&dataset, Split::Train);
    found.sort();
    assert_eq!(
        found,
        [vec![], vec!["0", "2"], vec!["0", "2"], vec!["2"], vec!["7"]]
    );
    let note = r#"{"info": {"features": {"image": {"_type": "Image"}, "labels": {"feature":
        {"names": ["cat", "dog", "hat"], "_type": "ClassLabel"}, "_type": "Sequence"}}}}"#;
    write(
        folder.path(),
        "train.parquet",
        &table(&[vec![0, 2], vec![1]], Some(note)),
    );
    let dataset = open(&spec).unwrap();
    assert_eq!(dataset.classes(), ["cat", "dog", "hat"]);
    let mut found = sets(&dataset, Split::Train);
    found.sort();
    assert_eq!(found, [vec!["cat", "hat"], vec!["dog"]]);
    // One element in every list is a class.
    write(
        folder.path(),
        "train.parquet",
        &table(&[vec![2], vec![1]], Some(note)),
    );
    let dataset = open(&spec).unwrap();
    assert!(!dataset.has_label_sets() && dataset.split(Split::Train).unwrap().labelled());
    assert_eq!(dataset.classes(), ["cat", "dog", "hat"]);
}
