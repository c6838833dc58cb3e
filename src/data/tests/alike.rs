//! Data of the kinds that people report, in the forms of others: what opens, and what is said where it does not.

use super::made::{Values, open, parquet, png, refusal, spec, whole, write, write_image};
use crate::Dataset;
use crate::archive::{Contents, describe};
use std::io::{Cursor, Write};
use strata_core::project::data::{DataSpec, Source, Split};
use strata_testkit::files::npy;
use tempfile::tempdir;
use zip::write::SimpleFileOptions;

fn notes(dataset: &Dataset) -> String {
    let notes = dataset.notes().iter().map(ToString::to_string);
    notes.collect::<Vec<_>>().join("\n")
}

/// Images `0.png` … of a folder, all different.
fn images(folder: &std::path::Path, count: u8) {
    for n in 0..count {
        write_image(folder, &format!("{n}.png"), [4, 4], [10 * n, 5, 9]);
    }
}

#[test]
fn tables_of_spreadsheets_are_read_as_windows_1252() {
    let folder = tempdir().unwrap();
    images(folder.path(), 4);
    let text = b"file;label\n0.png;K\xe4se\n1.png;Brot\n2.png;K\xe4se\n3.png;Brot \x80\n";
    write(folder.path(), "labels.csv", text);
    let dataset = open(&whole(Source::Csv, folder.path())).unwrap();
    assert_eq!(dataset.classes(), ["Brot", "Brot €", "Käse"]);
    assert!(dataset.skipped().is_empty());
    assert!(notes(&dataset).contains("read as Windows-1252"));
    write(
        folder.path(),
        "labels.csv",
        "file,label\n0.png,Käse\n1.png,Brot\n".as_bytes(),
    );
    let dataset = open(&whole(Source::Csv, folder.path())).unwrap();
    assert_eq!(dataset.classes(), ["Brot", "Käse"]);
    assert!(!notes(&dataset).contains("Windows"));
}

#[test]
fn a_row_of_pixels_that_is_cut_off_is_left_out_alone() {
    let folder = tempdir().unwrap();
    let row = |label: usize| format!("{label},{}\n", vec!["7"; 16].join(","));
    let table = (0..6).map(|n| row(n % 2)).collect::<String>() + "1,2,3\n";
    write(folder.path(), "train.csv", table.as_bytes());
    let dataset = open(&whole(Source::Csv, folder.path())).unwrap();
    assert_eq!(dataset.shape(), [1, 4, 4]);
    assert_eq!(dataset.split(Split::Train).unwrap().len(), 6);
    let reason = &dataset.skipped()[0].reason;
    assert_eq!(reason, "row 7: 3 columns, and most rows have 17");
}

#[test]
fn a_table_whose_images_are_elsewhere_says_where_they_are_looked_for() {
    let folder = tempdir().unwrap();
    write(
        folder.path(),
        "labels.csv",
        b"file,label\na.jpg,x\nb.jpg,y\n",
    );
    let message = refusal(Source::Csv, folder.path());
    assert!(message.contains("there is no file a.jpg"), "{message}");
    assert!(message.contains("relative to the table"), "{message}");
}

#[test]
fn arrays_whose_names_say_nothing_are_told_by_their_shapes() {
    let folder = tempdir().unwrap();
    let pack = |arrays: &[(&str, Vec<u8>)]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default())
                .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let a = npy("|u1", &[4, 5, 5], &[9; 100]);
    let b = npy("|u1", &[4], &[0, 1, 0, 1]);
    let c = npy("<f8", &[1], &[0; 8]);
    write(
        folder.path(),
        "s.npz",
        &pack(&[("c", c), ("b", b.clone()), ("a", a.clone())]),
    );
    let dataset = open(&whole(Source::Npy, &folder.path().join("s.npz"))).unwrap();
    assert_eq!(dataset.shape(), [1, 5, 5]);
    assert_eq!(dataset.classes(), ["0", "1"]);
    assert_eq!(dataset.skipped().len(), 1);
    // Of two lists neither is the labels' for sure.
    write(
        folder.path(),
        "s.npz",
        &pack(&[("a", a), ("b", b.clone()), ("d", b)]),
    );
    let dataset = open(&whole(Source::Npy, &folder.path().join("s.npz"))).unwrap();
    assert!(dataset.classes().is_empty() && dataset.skipped().len() == 2);
}

#[test]
fn labels_of_other_images_are_refused_with_what_to_check() {
    let folder = tempdir().unwrap();
    write(folder.path(), "x.npy", &npy("|u1", &[4, 5, 5], &[9; 100]));
    write(folder.path(), "y.npy", &npy("|u1", &[3], &[0, 1, 0]));
    let message = refusal(Source::Npy, folder.path());
    assert!(
        message.ends_with("3 labels, but x.npy has 4 pictures: each picture needs one label: check that both are of the same images"),
        "{message}"
    );
}

#[test]
fn a_file_where_a_folder_is_wanted_is_called_a_file() {
    let folder = tempdir().unwrap();
    images(folder.path(), 1);
    for (name, told) in [
        (
            "0.png",
            "this is one image: point path at a folder of images",
        ),
        ("model.bin", "holds no images that are read: point path at"),
        (
            "model.pt",
            "this is a file of Python's objects (pickle, PyTorch), which is not read",
        ),
        ("data-00000-of-00001.arrow", "datasets.Dataset.from_file"),
        (
            "train.tfrecord",
            "this is a TFRecord file, which is not read: convert it",
        ),
    ] {
        if name != "0.png" {
            write(folder.path(), name, b"no image");
        }
        let message = refusal(Source::Folder, &folder.path().join(name));
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("no such folder"), "{message}");
    }
    let nowhere = refusal(Source::Folder, &folder.path().join("nowhere"));
    assert!(nowhere.contains("there is no such folder"), "{nowhere}");
}

#[test]
fn an_array_for_each_image_is_named_with_lines_that_join_them() {
    let folder = tempdir().unwrap();
    for name in ["a/0.npy", "a/1.npy", "b/0.npy"] {
        write(folder.path(), name, &npy("|u1", &[2, 2], &[0; 4]));
    }
    let message = refusal(Source::Folder, folder.path());
    assert!(
        message.contains("3 files of which each is an array of one image"),
        "{message}"
    );
    assert!(message.contains("np.stack"), "{message}");
}

#[test]
fn one_class_and_splits_of_other_names_are_told() {
    let folder = tempdir().unwrap();
    images(&folder.path().join("one/cat"), 4);
    let dataset = open(&spec(Source::Folder, &folder.path().join("one"))).unwrap();
    assert!(notes(&dataset).contains("all labelled images are of one class, cat"));
    for part in ["entrenamiento", "prueba"] {
        for class in ["gato", "perro"] {
            images(&folder.path().join("set").join(part).join(class), 3);
        }
    }
    let dataset = open(&spec(Source::Folder, &folder.path().join("set"))).unwrap();
    assert!(
        notes(&dataset).contains("entrenamiento, prueba hold folders of the same names: if they are splits, call them train and test"),
        "{}",
        notes(&dataset)
    );
    for class in ["cat", "dog"] {
        images(&folder.path().join("eval set/train").join(class), 3);
        images(&folder.path().join("eval set/eval").join(class), 2);
    }
    let dataset = open(&spec(Source::Folder, &folder.path().join("eval set"))).unwrap();
    assert_eq!(dataset.split(Split::Test).unwrap().len(), 4);
}

#[test]
fn labels_that_differ_from_image_to_image_are_told() {
    let folder = tempdir().unwrap();
    let mut table = "file,age\n".to_owned();
    for n in 0..24u8 {
        write_image(folder.path(), &format!("{n}.png"), [2, 2], [n, 1, 2]);
        table += &format!("{n}.png,{}.5\n", 20 + n);
    }
    write(folder.path(), "t.csv", table.as_bytes());
    let dataset = open(&whole(Source::Csv, folder.path())).unwrap();
    assert!(
        notes(&dataset).contains("24 classes for 24 images for training"),
        "{}",
        notes(&dataset)
    );
}

#[test]
fn a_column_that_could_be_the_labels_is_proposed() {
    let folder = tempdir().unwrap();
    let schema = "message t { required int64 id; optional binary image; required int64 colour; }";
    let picture = |n: u8| {
        let image = image::GrayImage::from_pixel(4, 4, image::Luma([n]));
        Some(png(&image.into()))
    };
    let columns = |count: u8| {
        [
            Values::Whole((0..i64::from(count)).collect()),
            Values::Bytes((0..count).map(picture).collect()),
            Values::Whole((0..i64::from(count)).map(|n| n % 2).collect()),
        ]
    };
    write(
        folder.path(),
        "train.parquet",
        &parquet(schema, &columns(6), 3, None),
    );
    let spec = whole(Source::Parquet, folder.path());
    let told = notes(&open(&spec).unwrap());
    let line = "write label = \"column: colour\" under [data]";
    assert!(told.contains(line), "{told}");
    let spec: DataSpec = spec.with_line("label = \"column: colour\"").unwrap();
    assert_eq!(open(&spec).unwrap().classes(), ["0", "1"]);
    write(
        folder.path(),
        "train.parquet",
        &parquet(schema, &columns(0), 3, None),
    );
    assert!(refusal(Source::Parquet, folder.path()).contains("it has no row"));
}

#[test]
fn an_archive_of_nothing_says_so() {
    let folder = tempdir().unwrap();
    let zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    write(folder.path(), "e.zip", &zip.finish().unwrap().into_inner());
    let contents = Contents::read(&folder.path().join("e.zip"), &mut |_, _| true).unwrap();
    let described = describe(&contents, &DataSpec::default());
    let notes: Vec<String> = described.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["there is no file in it that is unpacked"]);
}

#[test]
fn images_that_are_only_numbered_are_no_classes() {
    let folder = tempdir().unwrap();
    for n in 0..12 {
        write_image(
            folder.path(),
            &format!("img{n}.png"),
            [4, 4],
            [20 * n, 5, 9],
        );
    }
    let told = notes(&open(&whole(Source::Folder, folder.path())).unwrap());
    assert!(!told.contains("classes ("), "{told}");
    for n in 0..12 {
        write_image(
            folder.path(),
            &format!("cat{n}.png"),
            [4, 4],
            [20 * n, 7, 9],
        );
    }
    let told = notes(&open(&whole(Source::Folder, folder.path())).unwrap());
    assert!(told.contains("2 classes (cat 12, img 12)"), "{told}");
}

#[test]
fn a_table_of_json_lines_beside_images_is_named_with_lines_that_convert_it() {
    let folder = tempdir().unwrap();
    images(folder.path(), 4);
    let line = "{\"file_name\": \"0.png\", \"label\": 1}\n";
    write(folder.path(), "metadata.jsonl", line.as_bytes());
    let dataset = open(&whole(Source::Folder, folder.path())).unwrap();
    let note = dataset.notes().iter().find(|note| note.python.is_some());
    let note = note.unwrap();
    assert!(
        note.text
            .contains("a table of JSON lines, which is not read")
    );
    assert!(note.python.as_ref().unwrap().contains("to_csv"));
}
