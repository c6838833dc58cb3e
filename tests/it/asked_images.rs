//! Which images an inspection looks at: files, those of a split, or one of them. Each option acts or is refused.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::terminal::{code, err, json, out, strata};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::path::Path;

/// A run, and image files of stripes beside it.
fn trained(at: &Path) {
    completed(train(&tiny(&[]), &options(&at.join("run"))).0);
    for (name, wide) in [("a.png", 2), ("b.png", 4), ("c.png", 7)] {
        let stripe = |x: u32, y: u32| Rgb([(255 * (x / wide % 2)) as u8, (16 * y) as u8, 90]);
        let picture = RgbImage::from_fn(16, 16, stripe);
        picture.save(at.join(name)).unwrap();
    }
}

fn inspect(at: &Path, args: &str) -> std::process::Output {
    let args: Vec<&str> = args.split(' ').collect();
    strata(at, &[&["inspect", "run"], &args[..]].concat())
}

/// What is refused, in one sentence.
fn refused(at: &Path, args: &str) -> String {
    let made = inspect(at, args);
    assert_eq!(code(&made), 2, "{args}: {} {}", out(&made), err(&made));
    err(&made)
}

/// The shape and the values of an array.
fn array(at: &Path, name: &str) -> (String, Vec<f32>) {
    let bytes = std::fs::read(at.join(name)).unwrap();
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let text = String::from_utf8_lossy(&bytes[10..10 + header]).into_owned();
    let shape = text.split(['(', ')']).nth(1).unwrap().to_owned();
    let values = bytes[10 + header..].chunks_exact(4);
    let values = values.map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    (shape, values.collect())
}

#[test]
fn maps_of_several_images_are_those_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let layer = "activations --layer encoder.0 --numbers";
    let both = inspect(
        at,
        &format!("{layer} ab.npy --image a.png --image b.png --json"),
    );
    assert_eq!(json(&both).as_array().unwrap().len(), 2, "{}", err(&both));
    for name in ["a", "b"] {
        let made = inspect(at, &format!("{layer} {name}.npy --image {name}.png --json"));
        assert_eq!(json(&made)["layer"], "encoder.0");
    }
    let [(shape, all), (one, a), (_, b)] = ["ab.npy", "a.npy", "b.npy"].map(|name| array(at, name));
    assert_eq!((shape.as_str(), one.as_str()), ("2, 6, 8, 8,", "6, 8, 8,"));
    assert_eq!(all, [a, b].concat());
    // Of a split: the third of the first three is the third alone.
    let three = inspect(at, &format!("{layer} three.npy --split test --limit 3"));
    assert_eq!(code(&three), 0, "{}", err(&three));
    let third = inspect(at, &format!("{layer} third.npy --split test --probe 3"));
    assert_eq!(code(&third), 0, "{}", err(&third));
    let third = array(at, "third.npy").1;
    assert_eq!(array(at, "three.npy").1[2 * third.len()..], third);
    assert_ne!(array(at, "three.npy").1[..third.len()], third);
    let said = refused(at, "activations --split test --limit 40");
    assert!(
        said.contains("activations looks at up to 16 images at once, not at 40"),
        "{said}"
    );
    let said = refused(at, "activations --image a.png --probe 2");
    assert!(
        said.contains("there is no image 2: there are 1, from 1"),
        "{said}"
    );
    let said = refused(at, "activations --image a.png --split test");
    assert!(
        said.contains("--image and --split or --limit name other images"),
        "{said}"
    );
}

#[test]
fn fields_and_single_values_are_of_the_images_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let field = |more: &str| {
        json(&inspect(
            at,
            &format!("receptive-field --layer encoder.2 --json{more}"),
        ))
    };
    assert_eq!(field(" --split test --limit 3")["images"], 3);
    let files = field(" --image a.png --image b.png --image c.png");
    assert_eq!(files["images"], 3);
    assert_ne!(files["gradient"], field("")["gradient"]);
    let value = |more: &str| {
        json(&inspect(
            at,
            &format!("pixel --layer encoder.0 --json{more}"),
        ))
    };
    let second = value(" --image a.png --image c.png --probe 2");
    assert_eq!(second["value"], value(" --image c.png")["value"]);
    assert_ne!(second["value"], value(" --image a.png")["value"]);
    let said = out(&inspect(
        at,
        "pixel --layer encoder.0 --split test --probe 5",
    ));
    assert!(said.contains("image 5"), "{said}");
}

#[test]
fn files_are_reconstructed_measured_and_walked_between() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let two = "reconstructions --image a.png --image c.png";
    let made = json(&inspect(at, &format!("{two} --json --numbers two.npy")));
    let images = made["images"].as_array().unwrap();
    assert_eq!(images[1]["file"], "c.png");
    let (shape, values) = array(at, "two.npy");
    assert_eq!(shape, "2, 2,");
    let mse = images[0]["mse"].as_f64().unwrap();
    assert!(
        (f64::from(values[0]) - mse).abs() < 1e-6,
        "{values:?} {images:?}"
    );
    let alone = json(&inspect(at, "reconstructions --image a.png --json"));
    assert_eq!(alone["images"][0]["mse"], images[0]["mse"]);
    let walked = inspect(at, &format!("{two} --walk 1,2 --json"));
    assert_eq!(json(&walked)["image"], 1, "{}", err(&walked));
    let of_split = inspect(at, "reconstructions --split test --probe 4 --json");
    assert_eq!(json(&of_split)["image"], 4, "{}", err(&of_split));
    let said = refused(at, &format!("{two} --walk 1,3"));
    assert!(said.contains('3') && said.contains('2'), "{said}");
}

#[test]
fn counts_and_codes_are_of_the_split_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let counted = json(&inspect(at, "confusion --split train --limit 10 --json"));
    assert_eq!(
        (&counted["images"], &counted["split"]),
        (&10.into(), &"train".into())
    );
    let code = json(&inspect(
        at,
        "sparse-code --split test --limit 7 --unit 1 --json",
    ));
    assert_eq!(
        (&code["images"], &code["split"]),
        (&7.into(), &"test".into())
    );
    assert_eq!(
        (&code["unit"]["images"], &code["unit"]["split"]),
        (&7.into(), &"test".into())
    );
    let usual = json(&inspect(at, "sparse-code --json"));
    assert_eq!(usual["split"], "unlabeled");
    let said = refused(at, "sparse-code --unit 6");
    assert!(
        said.contains("there is no unit 6") && said.contains("has 6, from 0"),
        "{said}"
    );
}

/// Whose right classes are the names of their folders.
#[test]
fn files_are_the_set_that_is_measured_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let [a, c] = ["--image a.png", "--image c.png"];
    let layers = json(&inspect(at, &format!("layers --json {c}")));
    assert_eq!(
        (&layers["images"], &layers["split"]),
        (&1.into(), &Value::Null)
    );
    assert_eq!(layers["files"][0], "c.png");
    let maps = format!("activations --layer encoder.0 --json {c}");
    let values = json(&inspect(at, &maps))["values"].clone();
    let values = values.as_array().unwrap().iter().filter_map(Value::as_f64);
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = sum / count;
    let of_layer = layers["layers"][0]["mean"].as_f64().unwrap();
    assert!((mean - of_layer).abs() < 1e-5, "{mean} {of_layer}");
    let said = err(&inspect(at, &format!("exciting --layer encoder.0 {a} {c}")));
    assert!(
        said.contains("channels over 2 own images") && said.contains("c.png"),
        "{said}"
    );
    let filters = json(&inspect(
        at,
        &format!("filters --sort activation --json {a} {c}"),
    ));
    assert_eq!((&filters["images"], &filters["of"]), (&2.into(), &2.into()));
    assert_eq!(filters["with"]["accuracy"], Value::Null, "no classes");
    let code = json(&inspect(
        at,
        &format!("sparse-code --unit 0 --json {a} {c}"),
    ));
    assert_eq!(
        (&code["images"], &code["unit"]["images"]),
        (&2.into(), &2.into())
    );
    let all = "--image a.png --image b.png --image c.png --image a.png";
    let map = json(&inspect(at, &format!("embedding --by pca --json {all}")));
    assert_eq!((&map["images"], &map["of"]), (&4.into(), &4.into()));
    let said = refused(at, &format!("confusion {a} {c}"));
    assert!(
        said.contains("the name of its folder, as in") && said.contains("a.png"),
        "{said}"
    );
    let classes = json(&inspect(at, "confusion --json"))["classes"].clone();
    let [first, second] = [0, 1].map(|class| classes[class].as_str().unwrap());
    for (class, name) in [(first, "a.png"), (second, "c.png")] {
        std::fs::create_dir(at.join(class)).unwrap();
        std::fs::copy(at.join(name), at.join(class).join(name)).unwrap();
    }
    let labelled = format!("--image {first}/a.png --image {second}/c.png");
    let counted = json(&inspect(at, &format!("confusion --json {labelled}")));
    let row = |class: usize| {
        let row = counted["counts"][class].as_array().unwrap().iter();
        row.filter_map(Value::as_u64).sum::<u64>()
    };
    assert_eq!([0, 1].map(row), [1, 1]);
    let filters = json(&inspect(at, &format!("filters --json {labelled}")));
    assert!(filters["with"]["accuracy"].is_number());
    let said = refused(at, &format!("layers {a} --split test"));
    assert!(said.contains("name other images"), "{said}");
    let missing = inspect(at, "layers --image none.png");
    assert!(err(&missing).contains("none.png"), "{}", err(&missing));
}

#[test]
fn neighbours_and_starts_are_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    let both = inspect(
        at,
        "neighbours --image a.png --image b.png --json --numbers near.npy",
    );
    let found = json(&both);
    assert_eq!(found.as_array().unwrap().len(), 2, "{}", err(&both));
    let alone = json(&inspect(at, "neighbours --image b.png --json"));
    assert_eq!(found[1]["by_pixels"], alone["by_pixels"]);
    assert!(array(at, "near.npy").0.starts_with("2, 2, "));
    let starts = "visualize --class 0 --steps 2 --numbers made.npy --image a.png --image b.png";
    let made = inspect(at, starts);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert_eq!(array(at, "made.npy").0, "2, 16, 16, 3,");
}

/// What an option would do nothing for is said.
#[test]
fn options_that_would_do_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    trained(at);
    for (args, why) in [
        ("saliency --slice 0", "--slice is of volumes"),
        (
            "saliency --layer encoder.0",
            "--layer is of a unit or of Grad-CAM",
        ),
        ("saliency --randomise 1 --signed", "leave --signed out"),
        (
            "receptive-field --layer encoder.2 --cell 99x99",
            "--cell 99x99 is not in the map of encoder.2, which is 8×8",
        ),
        (
            "receptive-field --layer head.0 --cell 3",
            "head.0 gives no map: leave --cell 3 out",
        ),
    ] {
        let said = refused(at, args);
        assert!(said.contains(why), "{args}: {said}");
    }
    let near = json(&inspect(at, "neighbours --k 9999 --json"));
    assert_eq!(near["knn"]["k"], near["knn"]["train_images"]);
    let mut project = tiny(&[]);
    project.network.head.clear();
    project.stages.truncate(1);
    completed(train(&project, &options(&at.join("coder"))).0);
    let made = strata(at, &["inspect", "coder", "saliency", "--class", "1"]);
    let said = err(&made);
    assert!(said.contains("nothing is classified in this run"), "{said}");
}
