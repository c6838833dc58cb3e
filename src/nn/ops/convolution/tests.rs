//! The kernels of every instruction set against sums written out, in both directions and for the weight.

use super::*;
use crate::ops::conv_input::ConvInput;
use crate::ops::taps::{OUTSIDE, Taps};
use crate::ops::weight_gradient::WeightGradient;

const BATCH: usize = 5;

struct Case {
    geometry: Geometry,
    large: usize,
    small: usize,
    groups: usize,
}

/// Input, kernel, stride, dilation and padding of one axis; the output follows.
fn geometry(axes: [[usize; 5]; 3]) -> Geometry {
    let [input, kernel, stride, dilation, pad] =
        [0, 1, 2, 3, 4].map(|part| axes.map(|axis| axis[part]));
    let output = axes.map(|[input, kernel, stride, dilation, pad]| {
        (input + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1
    });
    Geometry {
        input,
        output,
        kernel,
        stride,
        dilation,
        pad,
    }
}

/// Odd sizes, every way a window can move, and channels that fill vectors of each width, or don't.
fn cases() -> Vec<Case> {
    let one = [1, 1, 1, 1, 0];
    let windows = [
        geometry([one, [7, 3, 1, 1, 1], [5, 3, 1, 1, 1]]),
        geometry([one, [9, 3, 2, 1, 1], [8, 2, 2, 1, 0]]),
        geometry([one, [8, 4, 2, 1, 1], [7, 3, 3, 2, 2]]),
        geometry([one, one, [23, 9, 2, 1, 4]]),
        geometry([[4, 2, 1, 1, 0], [5, 3, 2, 1, 1], [6, 3, 1, 1, 1]]),
        geometry([one, [6, 1, 1, 1, 0], [7, 1, 1, 1, 0]]),
        geometry([one, [7, 1, 2, 1, 0], [7, 1, 2, 1, 0]]),
        geometry([one, one, one]),
    ];
    let channels = [
        (3, 16, 1),
        (1, 5, 1),
        (16, 33, 1),
        (20, 64, 1),
        (48, 17, 1),
        (8, 12, 4),
        (32, 64, 2),
        (16, 16, 16),
        (7, 7, 7),
        (80, 80, 80),
        (6, 12, 6),
    ];
    let both = windows
        .into_iter()
        .flat_map(|geometry| channels.map(|channels| (geometry, channels)));
    both.map(|(geometry, (large, small, groups))| Case {
        geometry,
        large,
        small,
        groups,
    })
    .collect()
}

/// Whole numbers, so that f32 sums are exact in any order.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (((i + salt) * 2_654_435_761) >> 7) as f32 % 7.0 - 3.0)
        .collect()
}

/// Calls `f(image, position, small channel, input cell, large channel, weight's place)` for every product.
fn each_product(case: &Case, mut f: impl FnMut(usize, usize, usize, usize, usize, usize)) {
    let (
        taps,
        Case {
            large,
            small,
            groups,
            ..
        },
    ) = (Taps::new(&case.geometry), case);
    let (large_group, small_group) = (large / groups, small / groups);
    for image in 0..BATCH {
        for position in 0..taps.positions {
            for (cell, &tap) in taps
                .at(position)
                .iter()
                .enumerate()
                .filter(|(_, tap)| **tap != OUTSIDE)
            {
                for o in 0..*small {
                    for c in 0..large_group {
                        let place = (o * large_group + c) * taps.cells + cell;
                        f(
                            image,
                            position,
                            o,
                            tap as usize,
                            o / small_group * large_group + c,
                            place,
                        );
                    }
                }
            }
        }
    }
}

struct Numbers {
    large: Vec<f32>,
    small: Vec<f32>,
    weight: Vec<f32>,
}

fn check(case: &Case, level: Level) {
    let c = Convolution::at::<f32>(level, &case.geometry, case.large, case.small, case.groups);
    let (inputs, positions) = (volume(case.geometry.input), volume(case.geometry.output));
    let given = Numbers {
        large: numbers(BATCH * inputs * case.large, 1),
        small: numbers(BATCH * positions * case.small, 2),
        weight: numbers(c.sizes.count(), 3),
    };
    let mut wanted = Numbers {
        large: vec![0.0; given.large.len()],
        small: vec![0.0; given.small.len()],
        weight: vec![0.0; given.weight.len()],
    };
    each_product(case, |image, position, o, tap, channel, place| {
        let small = (image * positions + position) * case.small + o;
        let large = (image * inputs + tap) * case.large + channel;
        wanted.small[small] += given.large[large] * given.weight[place];
        wanted.large[large] += given.small[small] * given.weight[place];
        wanted.weight[place] += given.large[large] * given.small[small];
    });
    let what = format!(
        "{} {:?} {}→{} in {}",
        level.name(),
        case.geometry,
        case.large,
        case.small,
        case.groups
    );
    assert_eq!(
        run(&c, true, &given.large, &given.weight, given.small.len()),
        wanted.small,
        "down: {what}"
    );
    assert_eq!(
        run(&c, false, &given.small, &given.weight, given.large.len()),
        wanted.large,
        "up: {what}"
    );
    assert_eq!(weight_gradient(&c, &given), wanted.weight, "weight: {what}");
}

fn run(c: &Convolution, down: bool, source: &[f32], weight: &[f32], targets: usize) -> Vec<f32> {
    let mut packed = vec![f32::NAN; c.packed_len(down)];
    c.pack(down, weight, &mut packed);
    let mut target = vec![f32::NAN; targets];
    let run = ConvPass {
        convolution: c,
        down,
        weight: &packed,
        input: ConvInput::Plain(source),
        finish: Finish::NONE,
    };
    run.compute(&mut target);
    target
}

fn weight_gradient(c: &Convolution, given: &Numbers) -> Vec<f32> {
    let (large, small) = (
        ConvInput::Plain(&given.large),
        ConvInput::Plain(&given.small),
    );
    let both = WeightGradient {
        convolution: c,
        large,
        small,
        bias_of_large: false,
        batch: BATCH,
    };
    let mut sums = vec![f32::NAN; both.scratch_len()];
    both.sum(&mut sums);
    let mut weight = vec![f32::NAN; given.weight.len()];
    c.unpack(&sums, &mut weight);
    let of_bias = &sums[c.packed_len(true)..][..c.sizes.small];
    let wanted: Vec<f32> = (0..c.sizes.small)
        .map(|o| given.small[o..].iter().step_by(c.sizes.small).sum())
        .collect();
    assert_eq!(of_bias, wanted, "bias");
    weight
}

#[test]
fn every_instruction_set_computes_the_same() {
    for level in Level::available() {
        for case in cases() {
            check(&case, level);
        }
    }
}

/// A batch of one large image is cut into bands.
#[test]
fn an_image_alone_is_computed_in_bands() {
    let geometry = geometry([[1, 1, 1, 1, 0], [41, 3, 1, 1, 1], [37, 4, 2, 1, 1]]);
    let c = Convolution::new::<f32>(&geometry, 32, 48, 1);
    let batch = 9;
    let (large, weight) = (
        numbers(batch * volume(geometry.input) * 32, 1),
        numbers(c.sizes.count(), 2),
    );
    let (image, positions) = (volume(geometry.input) * 32, volume(geometry.output) * 48);
    let together = run(&c, true, &large, &weight, batch * positions);
    let back = run(&c, false, &together, &weight, batch * image);
    for i in 0..batch {
        let small = &together[i * positions..(i + 1) * positions];
        assert_eq!(
            run(
                &c,
                true,
                &large[i * image..(i + 1) * image],
                &weight,
                positions
            ),
            small
        );
        assert_eq!(
            run(&c, false, small, &weight, image),
            back[i * image..(i + 1) * image]
        );
    }
}

/// Negative sums become 0, NaN stays.
#[test]
fn bias_and_relu_come_last() {
    let c = Convolution::new::<f32>(&geometry([[1, 1, 1, 1, 0]; 3]), 1, 3, 1);
    let mut packed = vec![0.0; c.down.packed_len()];
    c.down.pack(&[1.0, -1.0, f32::NAN], &mut packed);
    let finish = Finish {
        bias: Some(&[0.5, 0.5, 0.0]),
        relu: true,
    };
    let run = ConvPass {
        convolution: &c,
        down: true,
        weight: &packed,
        input: ConvInput::Plain(&[2.0]),
        finish,
    };
    let mut y = [0.0; 3];
    run.compute(&mut y);
    assert_eq!(y[..2], [2.5, 0.0]);
    assert!(y[2].is_nan());
}
