use super::*;
use std::path::Path;
use strata_core::project::data::{DataSpec, Source};

/// 12 images of 2×2 in two classes; `test` repeats one of `train`, `train` one of itself.
pub fn folder(at: &Path) -> Dataset {
    let write = |name: String, value: u8| {
        let path = at.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_fn(2, 2, |x, y| image::Luma([value + (x + 2 * y) as u8]))
            .save(path)
            .unwrap();
    };
    for index in 0..5u8 {
        write(format!("train/a/{index}.png"), 10 * index);
        write(format!("train/b/{index}.png"), 100 + 10 * index.min(3));
    }
    write("test/a/0.png".to_owned(), 20);
    write("test/b/0.png".to_owned(), 240);
    let path = Some(at.display().to_string());
    let spec = DataSpec {
        source: Source::Folder,
        path,
        valid: Some(0.0),
        ..DataSpec::default()
    };
    Dataset::open(&spec, 1, Path::new(""), &mut |_| true).unwrap()
}

#[test]
fn sums_are_those_of_a_calculation_by_hand() {
    let at = tempfile::tempdir().unwrap();
    let found = measure(&folder(at.path()), Request::default(), &mut |_| true).unwrap();
    let train = &found.splits[0];
    assert_eq!(
        (train.split, train.images, train.counted, &train.per_class),
        (Split::Train, 10, 10, &vec![5, 5])
    );
    let firsts = [0, 10, 20, 30, 40, 100, 110, 120, 130, 130];
    let values: Vec<f64> = firsts
        .iter()
        .flat_map(|first| (0..4).map(move |add| f64::from(first + add) / 255.0))
        .collect();
    let mean = values.iter().sum::<f64>() / 40.0;
    let std = (values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / 40.0)
        .sqrt();
    assert!(
        (train.mean[0] - mean).abs() < 1e-6 && (train.std[0] - std).abs() < 1e-6,
        "{train:?} {mean} {std}"
    );
    assert_eq!(
        (
            train.histogram[0][0],
            train.histogram[0][130],
            train.histogram[0][5]
        ),
        (1, 2, 0)
    );
    assert_eq!(train.histogram[0].iter().sum::<u64>(), 40);
    let corner = firsts.iter().sum::<i32>() as f64 / 10.0;
    assert_eq!(train.mean_image[0], corner.round() as u8);
    assert_eq!(
        train.as_normalize().mean,
        [((mean * 1e4).round() / 1e4) as f32]
    );
}

#[test]
fn a_crop_of_the_training_leaves_the_images_whole() {
    let augment = vec!["crop 24".parse().unwrap()];
    let spec = DataSpec {
        limit: Some(20),
        augment,
        ..DataSpec::default()
    };
    let dataset = Dataset::open(&spec, 1, Path::new(""), &mut |_| true).unwrap();
    let found = measure(&dataset, Request::default(), &mut |_| true).unwrap();
    assert_eq!(
        (found.shape, found.splits[0].mean_image.len()),
        ([3, 32, 32], 32 * 32 * 3)
    );
}

#[test]
fn a_sample_says_so_and_a_cancel_ends_it() {
    let spec = DataSpec {
        limit: Some(1500),
        valid: Some(0.0),
        ..DataSpec::default()
    };
    let dataset = Dataset::open(&spec, 1, Path::new(""), &mut |_| true).unwrap();
    let request = Request { most: 100 };
    let found = measure(&dataset, request, &mut |_| true).unwrap();
    assert_eq!(
        (found.splits[0].images, found.splits[0].counted),
        (1500, 100)
    );
    assert_eq!(found, measure(&dataset, request, &mut |_| true).unwrap());
    let mut told = 0;
    let ended = measure(&dataset, Request::default(), &mut |progress| {
        told = progress.done;
        progress.done < BLOCK
    });
    assert!(matches!(ended, Err(DataError::Cancelled)));
    assert_eq!(told, BLOCK);
    assert_eq!(spread(10, 4), [0, 2, 5, 7]);
}
