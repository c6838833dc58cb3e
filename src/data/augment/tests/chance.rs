//! Random parameters over thousands of seeded draws, read off images made so that they show them.
//!
//! Bounds are five standard errors of the known distribution, or the 99.9 % point of chi-square.

use super::*;
use strata_core::rng::{Purpose, stream};

const DRAWS: u64 = 4000;

/// What `texts` make of `image`, drawn [`DRAWS`] times, each put through `read`.
fn drawn(
    texts: &[&str],
    shape: [usize; 3],
    image: &[f32],
    read: impl Fn(&[f32]) -> f64,
) -> Vec<f64> {
    let augmenter = augmenter(texts, shape).unwrap();
    let mut scratch = Scratch::default();
    let one = |counter| {
        let mut copy = image.to_vec();
        augmenter.apply(
            &mut copy,
            &mut scratch,
            &mut stream(21, Purpose::Augment, counter),
        );
        read(&copy)
    };
    (0..DRAWS).map(one).collect()
}

/// Mean and standard deviation against those of the known distribution.
fn assert_moments(values: &[f64], mean: f64, std: f64, what: &str) {
    let n = values.len() as f64;
    let found = values.iter().sum::<f64>() / n;
    assert!(
        (found - mean).abs() <= 5.0 * std / n.sqrt(),
        "{what}: mean {found}, not {mean}"
    );
    let spread = (values
        .iter()
        .map(|value| (value - found).powi(2))
        .sum::<f64>()
        / n)
        .sqrt();
    // The standard error of a standard deviation is at most this for distributions no more peaked than normal.
    assert!(
        (spread - std).abs() <= 5.0 * std / n.sqrt(),
        "{what}: deviation {spread}, not {std}"
    );
}

/// Counts in twenty equal parts of low..high against equal ones; 43.8 is chi-square's 99.9 % point.
fn assert_uniform(values: &[f64], [low, high]: [f64; 2], what: &str) {
    let mut counts = [0.0f64; 20];
    for value in values {
        let share = (value - low) / (high - low);
        assert!(
            (-1e-4..=1.0001).contains(&share),
            "{what}: {value} is outside {low}..{high}"
        );
        counts[((share * 20.0).max(0.0) as usize).min(19)] += 1.0;
    }
    let expected = values.len() as f64 / 20.0;
    let chi: f64 = counts
        .iter()
        .map(|count| (count - expected).powi(2) / expected)
        .sum();
    assert!(chi < 43.8, "{what}: chi-square {chi}, {counts:?}");
}

fn assert_share(values: &[f64], p: f64, what: &str) {
    assert_moments(values, p, (p * (1.0 - p)).sqrt(), what);
}

/// Values of a pixel in the middle: `grey` everywhere, so that factors can be read off.
fn factors(text: &str, grey: f32) -> Vec<f64> {
    drawn(&[text], [4, 4, 1], &[grey; 16], move |image| {
        f64::from(image[5] / grey)
    })
}

#[test]
fn flips_and_tables_happen_as_often_as_they_say() {
    let image = [0.0, 1.0, 0.0, 0.0];
    let moved = |image: &[f32]| f64::from(u8::from(image != [0.0, 1.0, 0.0, 0.0]));
    for (text, p) in [
        ("hflip p0.3", 0.3),
        ("vflip", 0.5),
        ("hflip p0", 0.0),
        ("hflip p1", 1.0),
        ("{ apply = ['hflip p0.5', 'vflip p0'], p = 0.6 }", 0.3),
        (
            "{ choice = ['hflip p1', 'vflip p1', 'hflip p0'] }",
            2.0 / 3.0,
        ),
    ] {
        assert_share(&drawn(&[text], [2, 2, 1], &image, moved), p, text);
    }
    let greyed = drawn(&["grayscale p0.2"], [1, 1, 3], &[1.0, 0.0, 0.0], |image| {
        f64::from(u8::from(image[0] < 0.5))
    });
    assert_share(&greyed, 0.2, "grayscale");
}

#[test]
fn factors_are_uniform() {
    assert_uniform(
        &factors("brightness 0.2", 0.5),
        [0.8, 1.2],
        "brightness 0.2",
    );
    assert_uniform(
        &factors("brightness 0.5..1.1", 0.5),
        [0.5, 1.1],
        "brightness 0.5..1.1",
    );
    // Of a chequered image with mean 0.5, contrast f makes 0.5 ± f/4.
    let chequered = [0.25, 0.75, 0.75, 0.25];
    let contrast = |image: &[f32]| f64::from(image[1] - image[0]) * 2.0;
    assert_uniform(
        &drawn(&["contrast 0.8..1.2"], [2, 2, 1], &chequered, contrast),
        [0.8, 1.2],
        "contrast",
    );
    // The difference of channels grows with the factor.
    let saturation = |image: &[f32]| f64::from(image[0] - image[1]) / 0.2;
    let pixel = [0.5, 0.3, 0.4];
    assert_uniform(
        &drawn(&["saturation 0.5..2"], [1, 1, 3], &pixel, saturation),
        [0.5, 2.0],
        "saturation",
    );
    // From green on, a turn of h takes away 6·h of red's or blue's distance.
    let hue = |image: &[f32]| f64::from(image[2] - image[0]) / 6.0;
    assert_uniform(
        &drawn(&["hue 0.05"], [1, 1, 3], &[0.0, 1.0, 0.0], hue),
        [-0.05, 0.05],
        "hue",
    );
}

/// An image whose two channels are its own coordinates shows where a pixel came from.
fn coordinates(side: usize) -> Vec<f32> {
    let pixel = |index: usize| {
        [
            (index % side) as f32 / side as f32,
            (index / side) as f32 / side as f32,
        ]
    };
    (0..side * side).flat_map(pixel).collect()
}

#[test]
fn angles_and_sizes_are_uniform() {
    const SIDE: usize = 33;
    let (image, beside) = (coordinates(SIDE), (16 * SIDE + 24) * 2);
    let away = move |image: &[f32]| {
        let place = |value: f32| f64::from(value) * SIDE as f64 - 16.0;
        [place(image[beside]), place(image[beside + 1])]
    };
    let angle = |image: &[f32]| away(image)[1].atan2(away(image)[0]).to_degrees();
    assert_uniform(
        &drawn(&["rotate 18 bilinear"], [SIDE, SIDE, 2], &image, angle),
        [-18.0, 18.0],
        "rotate 18",
    );
    assert_uniform(
        &drawn(&["rotate 5..30 bilinear"], [SIDE, SIDE, 2], &image, angle),
        [5.0, 30.0],
        "rotate 5..30",
    );
    let factor = |image: &[f32]| 8.0 / away(image)[0];
    assert_uniform(
        &drawn(
            &["scale 0.9..1.1 bilinear"],
            [SIDE, SIDE, 2],
            &image,
            factor,
        ),
        [0.9, 1.1],
        "scale",
    );
}

#[test]
fn shifts_and_crops_are_uniform_over_whole_pixels() {
    const SIDE: usize = 32;
    let (image, middle) = (coordinates(SIDE), (16 * SIDE + 16) * 2);
    for axis in [0, 1] {
        let moved = |image: &[f32]| 16.0 - f64::from(image[middle + axis]) * SIDE as f64;
        let shifts = drawn(&["shift 0.11"], [SIDE, SIDE, 2], &image, moved);
        assert!(
            shifts
                .iter()
                .all(|shift| shift.fract() == 0.0 && shift.abs() <= 4.0)
        );
        // Rounded from −3.52..3.52: every whole number within has a fraction of 1/7.04, ±4 together 0.04/7.04.
        for whole in -3i32..=3 {
            let hits: Vec<f64> = shifts
                .iter()
                .map(|s| f64::from(u8::from(*s == f64::from(whole))))
                .collect();
            assert_share(&hits, 1.0 / 7.04, "shift");
        }
        let corner = |image: &[f32]| f64::from(image[axis]) * SIDE as f64;
        let corners = drawn(&["crop 28"], [SIDE, SIDE, 2], &image, corner);
        for whole in 0..=4 {
            let hits: Vec<f64> = corners
                .iter()
                .map(|s| f64::from(u8::from(*s == f64::from(whole))))
                .collect();
            assert_share(&hits, 0.2, "crop");
        }
    }
}

#[test]
fn erased_areas_are_uniform_and_noise_is_what_it_says() {
    // Large, so that rounding to whole pixels hardly shows and every rectangle fits.
    let white = vec![1.0; 200 * 200];
    let gone =
        |image: &[f32]| image.iter().filter(|value| **value == 0.0).count() as f64 / 40_000.0;
    let areas = drawn(&["erase p1 area0.05..0.15"], [200, 200, 1], &white, gone);
    // Sides are whole pixels, so that an area may be a little outside.
    assert!(areas.iter().all(|area| (0.049..0.152).contains(area)));
    let areas: Vec<f64> = areas.iter().map(|area| area.clamp(0.05, 0.15)).collect();
    assert_uniform(&areas, [0.05, 0.15], "erase");
    let erased = drawn(
        &["erase p0.3 area0.1"],
        [20, 20, 1],
        &white[..400],
        |image| f64::from(u8::from(gone(image) > 0.0)),
    );
    assert_share(&erased, 0.3, "erase p0.3");

    let grey = [0.5; 4];
    assert_moments(
        &drawn(&["noise 0.05"], [2, 2, 1], &grey, |image| image[2].into()),
        0.5,
        0.05,
        "noise",
    );
    let struck = |worth: f32| move |image: &[f32]| f64::from(u8::from(image[0] == worth));
    assert_share(
        &drawn(&["saltpepper 0.3"], [2, 2, 1], &grey, struck(1.0)),
        0.15,
        "salt",
    );
    assert_share(
        &drawn(&["saltpepper 0.3"], [2, 2, 1], &grey, struck(0.0)),
        0.15,
        "pepper",
    );
}

#[test]
fn perspective_moves_corners_evenly_inwards() {
    // The whole output is white where the image is: with p and how far the corners go.
    let white = [1.0; 32 * 32];
    let seen = drawn(
        &["perspective 0.5 p0.4 nearest"],
        [32, 32, 1],
        &white,
        |image| f64::from(u8::from(image.contains(&0.0))),
    );
    // Four corners with two of nine steps each stay where they are in 9⁻⁸ of all draws.
    assert_share(&seen, 0.4, "perspective's p");
    // Each corner moves in by 0..=8 at both axes, so a quadrilateral between midpoints has a mean side of 31 − 8.
    let covered = drawn(
        &["perspective 0.5 p1 nearest"],
        [32, 32, 1],
        &white,
        |image| f64::from(image.iter().sum::<f32>()) / 1024.0,
    );
    let mean = covered.iter().sum::<f64>() / covered.len() as f64;
    assert!((0.5..0.62).contains(&mean), "mean share {mean}");
}

#[test]
fn mixup_shares_follow_the_beta_distribution() {
    for alpha in [0.2, 1.0, 4.0] {
        let draw = |counter| {
            f64::from(mixup::draw_share(
                alpha,
                &mut stream(3, Purpose::Augment, counter),
            ))
        };
        let shares: Vec<f64> = (0..DRAWS).map(draw).collect();
        assert_moments(
            &shares,
            0.5,
            (1.0 / (4.0 * (2.0 * alpha + 1.0))).sqrt(),
            &format!("Beta({alpha}, {alpha})"),
        );
    }
    let draw = |counter| {
        f64::from(mixup::draw_share(
            1.0,
            &mut stream(3, Purpose::Augment, counter),
        ))
    };
    assert_uniform(
        &(0..DRAWS).map(draw).collect::<Vec<_>>(),
        [0.0, 1.0],
        "Beta(1, 1)",
    );
}
