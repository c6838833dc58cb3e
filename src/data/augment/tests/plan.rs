//! What lists of transforms do to shapes, and what is refused.

use super::*;

#[test]
fn crops_change_the_shape_and_the_rest_does_not() {
    let shape = |texts: &[&str], shape| augmenter(texts, shape).unwrap().out_shape();
    assert_eq!(shape(&[], [32, 30, 3]), [32, 30, 3]);
    assert_eq!(shape(&["crop 28", "rotate 18"], [32, 30, 3]), [28, 28, 3]);
    assert_eq!(
        shape(&["crop 40 pad4", "crop 20x24"], [32, 32, 1]),
        [20, 24, 1]
    );
    assert_eq!(shape(&["crop 100 pad4"], [1, 100, 1]), [1, 100, 1]);
    assert_eq!(
        shape(&["{ choice = ['crop 28', 'crop 28 pad2'] }"], [32, 32, 3]),
        [28, 28, 3]
    );
    assert_eq!(
        shape(&["{ apply = ['crop 28'], p = 1 }"], [32, 32, 3]),
        [28, 28, 3]
    );
}

#[test]
fn mixup_is_left_to_the_batch() {
    assert_eq!(
        augmenter(&["hflip", "mixup 0.25"], [8, 8, 1])
            .unwrap()
            .mixup(),
        Some(0.25)
    );
    assert_eq!(augmenter(&["hflip"], [8, 8, 1]).unwrap().mixup(), None);
}

#[test]
fn what_means_nothing_is_refused_with_its_entry() {
    for (texts, shape, message) in [
        (
            &["hflip", "crop 33"][..],
            [32, 32, 3],
            "entry 2: `crop 33` is larger than the images, which are 32×32",
        ),
        (
            &["crop 10 pad4096"],
            [9000, 9000, 1],
            "pads images of 9000×9000 to 17192×17192",
        ),
        (&["hue 0.1"], [32, 32, 1], "needs images in colour"),
        (&["saturation 0.1"], [32, 32, 1], "needs images in colour"),
        (
            &["{ choice = ['grayscale'] }"],
            [32, 32, 1],
            "needs images in colour",
        ),
        (&["rotate 18"], [1, 64, 1], "means nothing for signals"),
        (&["vflip"], [1, 64, 1], "means nothing for signals"),
        (&["perspective"], [1, 64, 1], "means nothing for signals"),
        (
            &["{ apply = ['crop 28'] }"],
            [32, 32, 3],
            "images of different sizes",
        ),
        (
            &["{ choice = ['crop 28', 'hflip'] }"],
            [32, 32, 3],
            "images of different sizes",
        ),
        (
            &["mixup 0.2", "mixup 0.3"],
            [32, 32, 3],
            "mixup is given twice",
        ),
    ] {
        let error = augmenter(texts, shape).unwrap_err().to_string();
        assert!(
            error.starts_with("[data] augment: ") && error.contains(message),
            "{texts:?}: {error}"
        );
    }
}

/// Everything there is, on odd shapes: nothing panics, lengths are right, values stay in 0..1.
#[test]
fn every_transform_works_on_every_shape_it_accepts() {
    let kinds = strata_core::project::augment::KINDS
        .iter()
        .map(|(_, example, _)| *example);
    let more = [
        "shift 1 wrap",
        "rotate 360 bilinear reflect",
        "rotate 90 edge",
        "scale 0.01..100 bilinear wrap",
        "scale 0.1..3 reflect",
        "perspective 1 p1 wrap",
        "perspective 1 p1 nearest",
        "crop 1 pad3 reflect",
        "crop 1x1",
        "blur 127",
        "noise 10",
        "saltpepper 1",
        "erase p1 area0..1",
        "contrast 10000",
        "hue -0.5..0.5",
        "brightness 5",
    ];
    let mut scratch = Scratch::default();
    for shape in [
        [32, 32, 3],
        [1, 1, 1],
        [1, 1, 3],
        [1, 37, 1],
        [1, 40, 2],
        [5, 1, 3],
        [2, 2, 4],
        [3, 40, 1],
        [7, 2, 2],
    ] {
        let [height, width, channels] = shape;
        for text in kinds.clone().chain(more) {
            let Ok(augmenter) = augmenter(&[text], shape) else {
                continue;
            };
            for counter in 0..8 {
                let mut rng =
                    strata_core::rng::stream(5, strata_core::rng::Purpose::Augment, counter);
                let mut image: Vec<f32> = (0..height * width * channels)
                    .map(|i| (i % 7) as f32 / 6.0)
                    .collect();
                augmenter.apply(&mut image, &mut scratch, &mut rng);
                assert_eq!(
                    image.len(),
                    augmenter.out_shape().iter().product::<usize>(),
                    "{text} on {shape:?}"
                );
                let legal = |value: &f32| (-1e-5..=1.00001).contains(value);
                assert!(image.iter().all(legal), "{text} on {shape:?}: {image:?}");
            }
        }
    }
}

#[test]
fn equal_generators_give_equal_images() {
    let augmenter = augmenter(
        &["hflip", "rotate 18", "noise 0.1", "erase", "crop 16 pad4"],
        [16, 16, 3],
    )
    .unwrap();
    let draw = |counter| {
        let mut image = vec![0.5; 16 * 16 * 3];
        let mut rng = strata_core::rng::stream(5, strata_core::rng::Purpose::Augment, counter);
        augmenter.apply(&mut image, &mut Scratch::default(), &mut rng);
        image
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
