//! Fixed kernels compute what PyTorch computes, the named ones do what they are named for, and a pattern is found
//! where it was put.

use crate::kit::terminal;
use rand::Rng;
use serde::Deserialize;
use std::path::Path;
use strata::inspect::kernel::*;
use strata::rng::{Purpose, stream};

#[derive(Deserialize)]
struct Case {
    size: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
    weights: Vec<f32>,
    stride: usize,
    dilation: usize,
    border: String,
    amount: serde_json::Value,
    input: Vec<f32>,
    output_size: [usize; 2],
    output: Vec<f32>,
}

impl Case {
    fn settings(&self) -> Settings {
        let amount = match self.amount.as_u64() {
            Some(pixels) => Amount::By(pixels as usize),
            None if self.amount == "same" => Amount::Same,
            None => Amount::Valid,
        };
        let border = Border::ALL
            .into_iter()
            .find(|border| border.name() == self.border)
            .unwrap();
        Settings {
            stride: self.stride,
            dilation: self.dilation,
            border,
            amount,
            ..Settings::default()
        }
    }
}

fn assert_close(ours: &[f32], theirs: &[f32], tolerance: f32, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * (1.0 + b.abs()),
            "{what}: value {index} is {a}, should be {b}"
        );
    }
}

fn random(size: [usize; 2], channels: usize, seed: u64) -> Pixels {
    let mut random = stream(seed, Purpose::Bench, 0);
    let values = (0..size[0] * size[1] * channels)
        .map(|_| random.random::<f32>())
        .collect();
    Pixels::new(size, channels, values).unwrap()
}

fn run(picture: &Pixels, named: Named, settings: &Settings) -> Pixels {
    convolve(picture, &named.kernel(None, None).unwrap(), settings)
        .unwrap()
        .output
}

#[test]
fn every_case_is_what_pytorch_computes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kernels.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(cases.len() >= 29);
    for (number, case) in cases.iter().enumerate() {
        let what = format!(
            "case {number}: {:?} by {:?}, {} {}",
            case.size, case.kernel, case.border, case.amount
        );
        let picture = Pixels::new(case.size, case.channels, case.input.clone()).unwrap();
        let kernel = Kernel::new("own", case.kernel, case.weights.clone(), 1.0).unwrap();
        let response = convolve(&picture, &kernel, &case.settings()).unwrap();
        assert_eq!(response.output.size, case.output_size, "{what}");
        assert_close(&response.output.values, &case.output, 2e-6, &what);
    }
}

#[test]
fn the_terms_of_a_value_add_up_to_it() {
    let picture = random([7, 9], 3, 1);
    for border in Border::ALL {
        for (stride, dilation, flip) in [(1, 1, false), (2, 1, true), (1, 2, true), (3, 2, false)] {
            let kernel = Kernel {
                offset: 0.25,
                ..Named::Unsharp.kernel(None, None).unwrap().resized([3, 4])
            };
            let settings = Settings {
                stride,
                dilation,
                border,
                flip,
                ..Settings::default()
            };
            let response = convolve(&picture, &kernel, &settings).unwrap();
            let [height, width] = response.output.size;
            for (cell, channel) in
                (0..height * width).flat_map(|cell| (0..3).map(move |channel| (cell, channel)))
            {
                let at = [cell / width, cell % width];
                let products = terms(&response, &kernel, &settings, at, channel);
                let sum = 0.25
                    + products
                        .iter()
                        .map(|term| term.value * term.weight)
                        .sum::<f32>();
                assert!(
                    (sum - response.output.at(at[0], at[1], channel)).abs() < 1e-5,
                    "{settings:?} at {at:?}"
                );
                assert_eq!(products.len(), 12);
            }
            assert!(terms(&response, &kernel, &settings, [height, 0], 0).is_empty());
        }
    }
}

#[test]
fn identity_is_identity_and_a_blur_keeps_a_plain_picture() {
    let picture = random([8, 11], 3, 2);
    for size in [1, 2, 3, 4, 7] {
        let kernel = Named::Identity.kernel(Some(size), None).unwrap();
        assert_eq!(
            convolve(&picture, &kernel, &Settings::default())
                .unwrap()
                .output,
            picture,
            "of {size}"
        );
    }
    let plain = Pixels::new([6, 7], 1, vec![0.5; 42]).unwrap();
    let settings = Settings {
        border: Border::Edge,
        ..Settings::default()
    };
    for named in Named::ALL {
        let kernel = named.kernel(None, None).unwrap();
        let wanted = if kernel.is_difference() { 0.0 } else { 0.5 };
        assert!(
            kernel.is_difference() || (kernel.sum() - 1.0).abs() < 1e-6,
            "{}",
            named.name()
        );
        let output = convolve(&plain, &kernel, &settings).unwrap().output;
        assert_close(&output.values, &[wanted; 42], 1e-5, named.name());
    }
}

#[test]
fn each_edge_kernel_answers_its_own_edge() {
    let draw = |value: fn(usize, usize) -> bool| {
        let values = (0..81)
            .map(|cell| f32::from(u8::from(value(cell / 9, cell % 9))))
            .collect();
        Pixels::new([9, 9], 1, values).unwrap()
    };
    let settings = Settings {
        border: Border::Edge,
        ..Settings::default()
    };
    let middle = |picture: &Pixels, named| run(picture, named, &settings).at(4, 4, 0);
    let right = draw(|_, column| column >= 4);
    assert_eq!(
        [
            Named::SobelX,
            Named::SobelY,
            Named::PrewittX,
            Named::PrewittY
        ]
        .map(|n| middle(&right, n)),
        [4.0, 0.0, 3.0, 0.0]
    );
    let below = draw(|row, _| row >= 4);
    assert_eq!(
        [
            Named::SobelX,
            Named::SobelY,
            Named::PrewittX,
            Named::PrewittY
        ]
        .map(|n| middle(&below, n)),
        [0.0, 4.0, 0.0, 3.0]
    );
    let lines = [
        draw(|row, _| row == 4),
        draw(|_, column| column == 4),
        draw(|row, column| row + column == 8),
    ];
    for (index, named) in [
        Named::EdgeHorizontal,
        Named::EdgeVertical,
        Named::EdgeDiagonal,
    ]
    .into_iter()
    .enumerate()
    {
        let answers: Vec<f32> = lines.iter().map(|line| middle(line, named)).collect();
        assert_eq!(answers[index], 6.0, "{}", named.name());
        assert!(
            answers
                .iter()
                .enumerate()
                .all(|(other, answer)| other == index || *answer <= 0.0),
            "{answers:?}"
        );
    }
    let dot = draw(|row, column| row == 4 && column == 4);
    assert_eq!(
        [Named::Laplacian4, Named::Laplacian8, Named::Sharpen].map(|n| middle(&dot, n)),
        [-4.0, -8.0, 5.0]
    );
    // The kernel is laid on as it is written; flipped, its answer to a dot is the kernel itself.
    let flipped = run(
        &dot,
        Named::Emboss,
        &Settings {
            flip: true,
            ..settings
        },
    );
    let around: Vec<f32> = (3..6)
        .flat_map(|row| (3..6).map(move |column| (row, column)))
        .map(|(r, c)| flipped.at(r, c, 0))
        .collect();
    assert_eq!(around, Named::Emboss.kernel(None, None).unwrap().values);
}

#[test]
fn grey_is_what_the_eye_weighs() {
    let picture = random([5, 6], 3, 4);
    let settings = Settings {
        grey: true,
        ..Settings::default()
    };
    let output = run(&picture, Named::SobelX, &settings);
    assert_eq!((output.size, output.channels), ([5, 6], 1));
    assert_eq!(
        output,
        run(&picture.grey(), Named::SobelX, &Settings::default())
    );
}

#[test]
fn smoothing_brings_a_noisy_curve_nearer_to_the_clean_one() {
    let curve = noisy_curve(7, 256, 0.2);
    assert_eq!(curve, noisy_curve(7, 256, 0.2));
    assert_ne!(curve.noisy, noisy_curve(8, 256, 0.2).noisy);
    let error = |values: &[f32]| {
        values
            .iter()
            .zip(&curve.clean)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f32>()
            / 256.0
    };
    let before = error(&curve.noisy);
    let settings = Settings {
        border: Border::Reflect,
        ..Settings::default()
    };
    for named in [Named::MovingAverage, Named::GaussianLine] {
        let smooth = run(&Pixels::signal(curve.noisy.clone()), named, &settings);
        assert_eq!(smooth.size, [1, 256]);
        assert!(
            error(&smooth.values) < 0.4 * before,
            "{}: {before} → {}",
            named.name(),
            error(&smooth.values)
        );
    }
}

#[test]
fn a_pattern_is_found_where_it_was_put_whatever_the_light() {
    let mut picture = random([40, 50], 3, 5);
    let patch = [4, 6, 7, 9];
    // A darker, paler copy further down.
    for (row, column, channel) in (0..7 * 9 * 3).map(|i| (i / 27, i / 3 % 9, i % 3)) {
        let value = picture.at(4 + row, 6 + column, channel);
        picture.values[((25 + row) * 50 + 31 + column) * 3 + channel] = 0.2 + 0.3 * value;
    }
    for grey in [false, true] {
        let found = find(&picture, patch, grey).unwrap();
        assert_eq!(found.scores.size, [34, 42]);
        let best: Vec<[usize; 2]> = found.places.iter().take(2).map(|place| place.at).collect();
        assert!(
            best.contains(&[4, 6]) && best.contains(&[25, 31]),
            "{:?}",
            found.places
        );
        assert!(
            found.places[1].score > 0.999 && found.places[2].score < 0.7,
            "{:?}",
            found.places
        );
        assert!(
            found
                .scores
                .values
                .iter()
                .all(|score| (-1.0..=1.0).contains(score))
        );
        let weights = &found.pattern.weights.values;
        assert!(weights.iter().sum::<f32>().abs() < 1e-4);
        assert!((weights.iter().map(|w| w * w).sum::<f32>() - 1.0).abs() < 1e-4);
    }
    assert!(matches!(
        find(&picture, [35, 0, 7, 9], true),
        Err(KernelError::Patch { .. })
    ));
    assert!(matches!(
        find(&picture, [usize::MAX, 0, 2, 2], true),
        Err(KernelError::Patch { .. })
    ));
    let plain = Pixels::new([9, 9], 1, vec![0.3; 81]).unwrap();
    assert_eq!(find(&plain, [1, 1, 3, 3], true), Err(KernelError::Flat));
}

#[test]
fn kernels_are_read_from_text_and_refused_with_the_reason() {
    let kernel = parse("1 0 -1; 2, 0, -2\n 1 0 -1/2").unwrap();
    assert_eq!((kernel.size, kernel.values[8]), ([3, 3], -0.5));
    assert_eq!(
        parse("1 2; 3"),
        Err(KernelError::Ragged {
            row: 2,
            has: 1,
            first: 2
        })
    );
    assert_eq!(parse("1 x"), Err(KernelError::Value("x".to_owned())));
    assert!(
        parse("1/0").is_err()
            && parse("").is_err()
            && parse("nan").is_err()
            && parse(&"1 ".repeat(64)).is_err()
    );
    assert!(
        Named::SobelX.kernel(Some(5), None).is_err()
            && Named::BoxBlur.kernel(Some(0), None).is_err()
    );
    assert!(Named::Gaussian.kernel(None, Some(0.0)).is_err());
    for (size, sigma) in [(1, 1e-9), (4, 1e-9), (5, 1e9), (63, 2.0)] {
        let gaussian = Named::Gaussian.kernel(Some(size), Some(sigma)).unwrap();
        assert!(
            (gaussian.sum() - 1.0).abs() < 1e-4,
            "{size} {sigma}: {}",
            gaussian.sum()
        );
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let picture = random([4, 4], 1, 6);
    let kernel = Named::BoxBlur.kernel(Some(5), None).unwrap();
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings {
            amount: Amount::Valid,
            ..Settings::default()
        };
        change(&mut settings);
        convolve(&picture, &kernel, &settings).map(|response| response.output.size)
    };
    assert!(matches!(
        with(|_| ()),
        Err(KernelError::TooLarge {
            window: [5, 5],
            picture: [4, 4]
        })
    ));
    assert_eq!(
        with(|settings| settings.stride = 0),
        Err(KernelError::Zero("stride"))
    );
    assert_eq!(
        with(|settings| settings.dilation = 0),
        Err(KernelError::Zero("dilation"))
    );
    assert!(with(|settings| settings.dilation = usize::MAX).is_err());
    assert!(with(|settings| settings.stride = usize::MAX).is_err());
    assert!(matches!(
        with(|settings| settings.amount = Amount::By(usize::MAX)),
        Err(KernelError::Padding(_))
    ));
    let reflect = |settings: &mut Settings| {
        (settings.border, settings.amount) = (Border::Reflect, Amount::By(4))
    };
    assert!(matches!(
        with(reflect),
        Err(KernelError::Reflect { amount: 4, side: 4 })
    ));
    assert_eq!(with(|settings| settings.amount = Amount::By(1)), Ok([2, 2]));
    let empty = Pixels::new([0, 4], 1, Vec::new()).unwrap();
    assert_eq!(
        convolve(&empty, &kernel, &Settings::default()),
        Err(KernelError::Empty)
    );
}

fn strata(args: &[&str]) -> (i32, String, String) {
    let output = terminal::strata(Path::new("."), args);
    let code = terminal::code(&output);
    (code, terminal::out(&output), terminal::err(&output))
}

#[test]
fn the_terminal_lists_slides_and_finds() {
    let (code, list, _) = strata(&["kernel"]);
    assert!(
        code == 0 && Named::ALL.iter().all(|named| list.contains(named.name())),
        "{list}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    image::RgbImage::from_fn(12, 9, |x, _| {
        image::Rgb(if x < 6 { [0; 3] } else { [255; 3] })
    })
    .save(file("a.png"))
    .unwrap();
    let args = [
        "--image",
        &file("a.png"),
        "--padding",
        "edge",
        "--grey",
        "--json",
    ];
    let json = |what: &[&str]| {
        let (code, out, err) = strata(&[&["kernel"], what, &args].concat());
        assert_eq!(code, 0, "{err}");
        serde_json::from_str::<serde_json::Value>(&out).unwrap()["output"].clone()
    };
    let (named, own) = (
        json(&["sobel-x"]),
        json(&["--values", "-1 0 1; -2 0 2; -1 0 1"]),
    );
    assert_eq!(
        (&named["size"], named["max"].as_f64().unwrap().round()),
        (&serde_json::json!([9, 12]), 4.0)
    );
    assert_eq!(named, own);
    let png = file("sheet.png");
    let (code, out, err) = strata(&[
        "kernel", "gaussian", "--source", "shapes", "--index", "3", "--stride", "2", "-o", &png,
    ]);
    assert!(code == 0 && out.contains("result 3×"), "{out}{err}");
    assert!(
        image::open(&png).unwrap().width() > 800,
        "three pictures side by side"
    );
    let (code, out, _) = strata(&["kernel", "--source", "shapes", "--patch", "4,6,8,8"]);
    assert!(
        code == 0 && out.contains("row    4  column    6  1.000"),
        "{out}"
    );
    let (code, out, _) = strata(&[
        "kernel",
        "moving-average",
        "--curve",
        "0.2",
        "--padding",
        "reflect",
    ]);
    assert!(code == 0 && out.contains("1×1×256"), "{out}");
}

#[test]
fn the_terminal_refuses_with_the_reason() {
    let refused = |args: &[&str], reason: &str| {
        let (code, out, err) = strata(&[&["kernel"], args].concat());
        assert!(
            code == 2 && out.is_empty() && err.contains(reason),
            "{args:?}: {code} {err}"
        );
    };
    refused(&["sobl", "--source", "shapes"], "there is no kernel `sobl`");
    refused(&["sobel-x"], "--image FILE");
    refused(
        &["sobel-x", "--source", "shapes", "--size", "5"],
        "does not come in the size 5",
    );
    refused(
        &["box", "--source", "shapes", "--padding", "mirror"],
        "no padding",
    );
    refused(
        &["box", "--source", "shapes", "--stride", "0"],
        "stride is 0",
    );
    refused(
        &["box", "--source", "shapes", "--index", "99999999"],
        "there is no image 99999999",
    );
    refused(&["--values", "1 2; 3", "--source", "shapes"], "row 2");
    refused(&["--patch", "1,2,3", "--source", "shapes"], "is no patch");
    refused(
        &["--patch", "90,90,8,8", "--source", "shapes"],
        "there is no patch",
    );
    refused(&["box", "--image", "/no/such.png"], "/no/such.png");
}
