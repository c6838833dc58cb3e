//! Pictures that are saved say what they show and which colour stands for which value.

use super::kit::runs::{completed, options, tiny, train};
use super::kit::terminal::{code, err, json, out, strata};
use image::{GrayImage, Luma, RgbImage};
use std::path::Path;

fn picture(folder: &Path, file: &str) -> RgbImage {
    image::open(folder.join(file)).unwrap().to_rgb8()
}

/// Copies a picture for the eye where `STRATA_PICTURES` names a folder.
fn keep(folder: &Path, file: &str) {
    if let Some(to) = std::env::var_os("STRATA_PICTURES") {
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(folder.join(file), Path::new(&to).join(file)).unwrap();
    }
}

/// Pixels as dark as a letter's in some rows.
fn ink(picture: &RgbImage, rows: std::ops::Range<u32>) -> usize {
    let dark = |row: u32| {
        let row = (0..picture.width()).map(move |column| picture.get_pixel(column, row));
        row.filter(|pixel| pixel.0.iter().all(|&channel| channel < 130))
            .count()
    };
    rows.map(dark).sum()
}

#[test]
fn every_picture_of_a_run_has_a_title_and_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    for what in [
        "filters",
        "loss",
        "accuracy",
        "confusion",
        "reconstructions",
        "activations",
        "saliency",
        "sparse-code",
        "receptive-field",
    ] {
        let file = format!("{what}.png");
        let output = strata(at, &["inspect", "run", what, "-o", &file]);
        assert_eq!(code(&output), 0, "{what}: {}", err(&output));
        let picture = picture(at, &file);
        keep(at, &file);
        assert!(picture.width() >= 900, "{what}: {:?}", picture.dimensions());
        // The title in large letters at the top, and what is written at the foot: a bar's ends or an axis.
        let height = picture.height();
        assert!(ink(&picture, 30..90) > 300, "{what} has no title");
        assert!(
            ink(&picture, height - 120..height) > 40,
            "{what} has no words at its foot"
        );
    }
}

/// Text stays text and pixels stay pixels, so that a picture can be enlarged in a paper.
#[test]
fn pictures_are_written_as_svg_too() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    for (what, words, has_pixels) in [
        ("loss", "Loss", false),
        ("accuracy", "Accuracy", false),
        ("filters", "Filters", true),
        ("saliency", "Saliency", true),
        ("confusion", "Confusion", false),
    ] {
        let file = format!("{what}.svg");
        let output = strata(at, &["inspect", "run", what, "-o", &file]);
        assert_eq!(code(&output), 0, "{what}: {}", err(&output));
        let text = std::fs::read_to_string(at.join(&file)).unwrap();
        keep(at, &file);
        assert!(
            text.starts_with("<svg") && text.trim_end().ends_with("</svg>"),
            "{what}"
        );
        assert!(
            text.contains(words) && text.matches("<text").count() > 3,
            "{what}"
        );
        assert_eq!(text.contains("data:image/png"), has_pixels, "{what}");
        assert_eq!(
            text.matches("<g ").count(),
            text.matches("</g>").count(),
            "{what}: groups are closed"
        );
        assert!(!text.contains("NaN") && !text.contains("inf\""), "{what}");
    }
    let refused = strata(at, &["inspect", "run", "loss", "-o", "loss.pdf"]);
    assert!(err(&refused).contains("PNG or SVG"), "{}", err(&refused));
}

/// The cross of the lecture: the kernel that answers to a cross, on a picture of one.
#[test]
fn the_result_of_a_kernel_is_one_bright_spot_where_it_fits() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let on_cross =
        |x: u32, y: u32| (x == 3 && (2..5).contains(&y)) || (y == 3 && (2..5).contains(&x));
    let cross = GrayImage::from_fn(7, 7, |x, y| Luma([if on_cross(x, y) { 255 } else { 0 }]));
    cross.save(at.join("cross.png")).unwrap();
    let kernel = [
        "kernel",
        "--values",
        "-1 1 -1; 1 1 1; -1 1 -1",
        "--image",
        "cross.png",
        "--padding",
        "valid",
    ];
    let run = |more: &[&str]| {
        let output = strata(at, &[&kernel[..], more].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        output
    };
    let value = json(&run(&["-o", "own.png", "--json"]));
    let (least, largest) = (&value["output"]["min"], &value["output"]["max"]);
    assert_eq!(
        (least.as_f64(), largest.as_f64()),
        (Some(-1.0), Some(5.0)),
        "{value}"
    );
    let white = |file: &str| {
        picture(at, file)
            .pixels()
            .filter(|pixel| pixel.0 == [255; 3])
            .count()
    };
    // Five pixels of the picture are white, each 54×54, and one value of the result, 76×76.
    assert_eq!(white("own.png"), 5 * 54 * 54 + 76 * 76);
    keep(at, "own.png");
    let said = out(&run(&["-o", "fixed.png", "--range", "0,1"]));
    assert!(said.contains("of 25 values lie outside 0 … 1"), "{said}");
    assert!(
        white("fixed.png") > 5 * 54 * 54 + 76 * 76,
        "all from 1 on is white"
    );
    keep(at, "fixed.png");
    let refused = strata(at, &[&kernel[..], &["--range", "1,0"]].concat());
    assert!(
        code(&refused) == 2 && err(&refused).contains("such as 0,1"),
        "{}",
        err(&refused)
    );
}
