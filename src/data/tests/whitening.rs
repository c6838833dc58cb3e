//! `center` and `whiten`: the numbers of numpy and scikit-learn (`tests/fixtures/whitening.py`), undone for pictures and
//! errors, refused where they cannot be.

use super::made::write;
use crate::{Dataset, InputTransform};
use std::path::Path;
use strata_core::project::data::{Center, DataSpec, Source, Split, Whiten};
use strata_testkit::files::npy;
use tempfile::{TempDir, tempdir};

fn fixture() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/whitening.json")).unwrap()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_f64().unwrap()).collect()
}

fn pixels() -> Vec<u8> {
    let fixture = fixture();
    numbers(&fixture["pixels"])
        .iter()
        .map(|x| *x as u8)
        .collect()
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let array = npy("|u1", &[60, 4, 3, 1], &pixels());
    write(folder.path(), "x_train.npy", &array);
    folder
}

fn spec(folder: &Path, whiten: Option<&str>, center: Option<Center>) -> DataSpec {
    DataSpec {
        source: Source::Npy,
        path: Some(folder.display().to_string()),
        valid: Some(0.0),
        center,
        whiten: whiten.map(|text| text.parse().unwrap()),
        ..DataSpec::default()
    }
}

fn open(spec: &DataSpec) -> Dataset {
    Dataset::open(spec, 1, Path::new("."), &mut |_| true).unwrap()
}

fn image(dataset: &Dataset, index: usize) -> Vec<f32> {
    let (_, data) = dataset.splits().next().unwrap();
    let mut values = vec![0.0; 12];
    data.read(index, &mut values).unwrap();
    values
}

#[test]
fn images_are_whitened_as_numpy_and_scikit_learn_do() {
    let (folder, fixture) = (folder(), fixture());
    let eps = fixture["eps"].as_f64().unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let center = (case["of"] == "centred").then_some(Center::Patch);
        let text = format!("{} eps={eps}", case["by"].as_str().unwrap());
        let dataset = open(&spec(folder.path(), Some(&text), center));
        for (index, wanted) in case["first"].as_array().unwrap().iter().enumerate() {
            for (value, wanted) in image(&dataset, index).iter().zip(numbers(wanted)) {
                let off = (f64::from(*value) - wanted).abs();
                assert!(off < 2e-5, "{text} of {}: {value} for {wanted}", case["of"]);
            }
        }
    }
}

#[test]
fn pictures_and_errors_are_those_of_pixels() {
    let (folder, pixels) = (folder(), pixels());
    let plain = open(&spec(folder.path(), None, None));
    let plain_error = {
        let units = plain.pixel_units();
        units.mean_square(&image(&plain, 1), &image(&plain, 0))
    };
    for text in ["zca eps=0.1", "pca eps=0.001"] {
        let dataset = open(&spec(folder.path(), Some(text), None));
        for index in 0..60 {
            let shown = dataset.to_pixels(&image(&dataset, index));
            assert_eq!(shown, pixels[index * 12..][..12], "{text}");
        }
        let units = dataset.pixel_units();
        assert_eq!(units.of_network_error(0.1), None);
        let [first, second] = [0, 1].map(|index| image(&dataset, index));
        let error = units.mean_square(&second, &first);
        assert!((error / plain_error - 1.0).abs() < 1e-4, "{text}: {error}");
        let slopes = units.slopes_of_squares(&second, &first);
        for at in 0..12 {
            let moved = |by: f32| {
                let mut output = second.clone();
                output[at] += by;
                units.mean_square(&output, &first) * 12.0
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            let off = (slope - f64::from(slopes[at])).abs();
            assert!(
                off < 1e-3 * (1.0 + slope.abs()),
                "{text}: {slope} {}",
                slopes[at]
            );
        }
    }
}

/// Centred images differ from the file's by one number each: all are shown as bright as the training images are.
#[test]
fn centred_images_have_no_mean_and_are_shown_at_the_mean_of_all() {
    let (folder, pixels) = (folder(), pixels());
    let dataset = open(&spec(folder.path(), None, Some(Center::Patch)));
    let level = pixels.iter().map(|p| f64::from(*p)).sum::<f64>() / 720.0;
    for index in 0..60 {
        let values = image(&dataset, index);
        assert!(values.iter().sum::<f32>().abs() < 1e-5);
        let own = &pixels[index * 12..][..12];
        let mean = own.iter().map(|p| f64::from(*p)).sum::<f64>() / 12.0;
        for (shown, own) in dataset.to_pixels(&values).iter().zip(own) {
            let wanted = (f64::from(*own) - mean + level).clamp(0.0, 255.0);
            assert!(
                (f64::from(*shown) - wanted).abs() < 0.51,
                "{shown} {wanted}"
            );
        }
    }
}

/// A unit's weights on whitened images and those on pixels give the same sums, but for a constant.
#[test]
fn weights_on_whitened_images_are_weights_on_pixels() {
    let folder = folder();
    let plain = open(&spec(folder.path(), None, None));
    let weights: Vec<f32> = (0..12).map(|at| ((at * 5) % 7) as f32 - 3.0).collect();
    let sum = |weights: &[f32], image: &[f32]| -> f32 {
        weights.iter().zip(image).map(|(w, x)| w * x).sum()
    };
    for (text, center) in [
        ("zca eps=0.1", None),
        ("pca eps=0.1", None),
        ("zca eps=0.1", Some(Center::Patch)),
    ] {
        let dataset = open(&spec(folder.path(), Some(text), center));
        let mut on_pixels = weights.clone();
        dataset
            .transform()
            .unwrap()
            .weights_on_pixels(&mut on_pixels);
        let differences: Vec<f32> = (0..9)
            .map(|index| {
                sum(&weights, &image(&dataset, index)) - sum(&on_pixels, &image(&plain, index))
            })
            .collect();
        let first = differences[0];
        let is_alike = |difference: &f32| (difference - first).abs() < 1e-3;
        assert!(differences.iter().all(is_alike), "{text}: {differences:?}");
    }
}

#[test]
fn a_kept_transform_replaces_the_fitted_one() {
    let folder = folder();
    let spec = spec(folder.path(), Some("zca eps=0.1"), None);
    let fitted = open(&spec);
    let few = DataSpec {
        limit: Some(20),
        ..spec
    };
    let mut other = open(&few);
    assert_ne!(image(&other, 0), image(&fitted, 0));
    let parts = fitted.transform().unwrap().to_parts();
    assert!(other.use_transform(InputTransform::from_parts(parts.clone()).unwrap()));
    assert_eq!(image(&other, 0), image(&fitted, 0));
    let mut damaged = parts;
    damaged.size = 11;
    assert_eq!(InputTransform::from_parts(damaged), None);
}

#[test]
fn what_cannot_be_whitened_is_refused() {
    let large = DataSpec {
        whiten: Some(Whiten::USUAL),
        limit: Some(30),
        ..DataSpec::default()
    };
    let message = |spec: &DataSpec| {
        let opened = Dataset::open(spec, 1, Path::new("."), &mut |_| true);
        opened.unwrap_err().to_string()
    };
    let error = message(&large);
    assert!(error.contains("whiten") && error.contains("3072") && error.contains("patch"));
    let signals = DataSpec {
        patches: Some([1, 8]),
        ..large.clone()
    };
    let error = message(&signals);
    assert!(error.contains("signals"), "{error}");
    let patches = DataSpec {
        patches: Some([8, 8]),
        ..large
    };
    let dataset = open(&patches);
    assert!(dataset.split(Split::Train).is_some() && dataset.transform().is_some());
}
