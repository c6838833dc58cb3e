//! What a run answers for image files, in the terminal.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use strata::engine::storage::saved_run::SavedRun;
use strata::project::data::Split;

/// Images that are asked about.
const ASKED: usize = 70;

/// A run in `run` of this folder, and images of its test split in `pictures`.
fn run_and_pictures(at: &Path) -> SavedRun {
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    let run = SavedRun::open(&at.join("run"), "last", None, &mut |_| true).unwrap();
    let [channels, height, width] = run.dataset.shape();
    let split = run.dataset.split(Split::Train).unwrap();
    let mut image = vec![0.0; channels * height * width];
    fs::create_dir(at.join("pictures")).unwrap();
    for index in 0..ASKED {
        split.read(index % split.len(), &mut image).unwrap();
        let pixels = run.dataset.to_pixels(&image);
        let (width, height) = (width as u32, height as u32);
        let file = at.join(format!("pictures/{index:03}.png"));
        match channels {
            1 => image::GrayImage::from_raw(width, height, pixels)
                .unwrap()
                .save(file)
                .unwrap(),
            _ => image::RgbImage::from_raw(width, height, pixels)
                .unwrap()
                .save(file)
                .unwrap(),
        }
    }
    run
}

#[test]
fn a_folder_of_images_is_answered_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut run = run_and_pictures(at);
    let told = json(&strata(
        at,
        &[
            "predict",
            "run",
            "pictures",
            "--json",
            "--top",
            "2",
            "--features",
            "codes.csv",
            "--reconstructions",
            "made",
        ],
    ));
    let told = told.as_array().unwrap();
    assert_eq!(told.len(), ASKED);
    // The same through the library, image by image.
    let files: Vec<PathBuf> = (0..ASKED)
        .map(|index| at.join(format!("pictures/{index:03}.png")))
        .collect();
    let mut predictions = Vec::new();
    for file in &files {
        run.predict(&[file], |_, prediction| {
            predictions.push(prediction.unwrap());
            Ok(())
        })
        .unwrap();
    }
    let codes = fs::read_to_string(at.join("codes.csv")).unwrap();
    for (index, (one, line)) in predictions.iter().zip(codes.lines().skip(1)).enumerate() {
        let top = one.top(2);
        assert_eq!(told[index]["image"], format!("pictures/{index:03}.png"));
        assert_eq!(told[index]["top"].as_array().unwrap().len(), 2);
        assert_eq!(told[index]["top"][0]["class"], top[0].0);
        let probability = told[index]["top"][0]["probability"].as_f64().unwrap();
        assert!((probability - f64::from(top[0].1)).abs() < 1e-6);
        assert!((one.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let code: Vec<f32> = line
            .split(',')
            .skip(1)
            .map(|cell| cell.parse().unwrap())
            .collect();
        assert_eq!(code, one.code);
        let made = one.reconstruction.as_ref().unwrap();
        assert!((told[index]["mse"].as_f64().unwrap() - made.mse).abs() < 1e-9);
        let picture = image::open(at.join(format!("made/{index:03}.png"))).unwrap();
        assert_eq!(picture.as_bytes(), made.pixels);
    }
}

#[test]
fn images_come_from_standard_input_and_bad_ones_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    run_and_pictures(at);
    let piped = |bytes: &[u8], args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
        command.current_dir(at).env("STRATA_LOG", "off").args(args);
        let pipes = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap()
    };
    let from_file = out(&strata(
        at,
        &["predict", "run", "pictures/003.png", "--csv"],
    ));
    let (heading, row) = from_file.trim_end().split_once('\n').unwrap();
    assert!(
        heading.starts_with("image,class_1,probability_1,class_2"),
        "{heading}"
    );
    let image = fs::read(at.join("pictures/003.png")).unwrap();
    let from_pipe = out(&piped(&image, &["predict", "run", "-", "--csv"]));
    assert_eq!(
        from_pipe.replace("standard input", "pictures/003.png"),
        from_file
    );

    let list = b"pictures/003.png\nbroken.png\nmissing.png\n";
    fs::write(at.join("broken.png"), &image[..40]).unwrap();
    let answered = piped(list, &["predict", "run", "-", "--csv"]);
    assert_eq!(code(&answered), 1);
    assert!(out(&answered).contains(row), "{}", out(&answered));
    let told = err(&answered);
    for part in [
        "broken.png",
        "missing.png",
        "2 of 3 images could not be read",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let empty = strata(at, &["predict", "run", "run/checkpoints"]);
    assert_eq!(code(&empty), 2);
    assert!(err(&empty).contains("no image file"), "{}", err(&empty));
}
