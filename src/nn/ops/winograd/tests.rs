//! Convolution at points against the direct one: exactly on small whole numbers, and how far off it rounds.

use super::*;
use crate::ops::conv_input::ConvInput;
use crate::ops::convolution::{ConvPass, Convolution, Finish};
use crate::ops::weight_gradient::WeightGradient;
use candle_core::WithDType;

mod behind;

/// Sizes of a convolution: window and its dilation, image, padding of each axis, channels on both sides, images.
#[derive(Clone, Copy, Debug)]
struct Case {
    window: usize,
    dilation: [usize; 2],
    image: [usize; 2],
    pad: [usize; 2],
    channels: [usize; 2],
    batch: usize,
}

impl Case {
    fn geometry(&self) -> Geometry {
        let [height, width] = self.image;
        let window = self.window;
        let size = |axis: usize| {
            self.image[axis] + 2 * self.pad[axis] - (window - 1) * self.dilation[axis]
        };
        Geometry {
            input: [1, height, width],
            output: [1, size(0), size(1)],
            kernel: [1, window, window],
            stride: [1; 3],
            dilation: [1, self.dilation[0], self.dilation[1]],
            pad: [0, self.pad[0], self.pad[1]],
        }
    }

    /// The convolution with so many points, or directly.
    fn convolution<T: Vectors>(&self, level: Level, points: Option<usize>) -> Convolution {
        let [large, small] = self.channels;
        Convolution::with_points::<T>(level, &self.geometry(), [large, small, 1], points)
    }

    fn len(&self, side: usize) -> usize {
        let geometry = self.geometry();
        let cells = [geometry.input, geometry.output][side];
        self.batch * cells.iter().product::<usize>() * self.channels[side]
    }

    fn weights(&self) -> usize {
        self.channels[0] * self.channels[1] * self.window * self.window
    }
}

/// Every padding that a transpose can have, sizes that cut tiles off, channels that fill vectors or don't.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let channels = [[16, 16], [17, 33], [3, 70], [40, 5], [64, 48]];
    for (index, image) in [[3, 3], [4, 7], [5, 4], [9, 8], [1, 6], [13, 21]]
        .into_iter()
        .enumerate()
    {
        for (other, pad) in [[0, 0], [1, 1], [2, 2], [1, 0], [2, 1]]
            .into_iter()
            .enumerate()
        {
            if image[0] + 2 * pad[0] >= 3 {
                cases.push(Case {
                    window: 3,
                    dilation: [1; 2],
                    image,
                    pad,
                    channels: channels[(index + other) % channels.len()],
                    batch: 1 + (index + 2 * other) % 4,
                });
            }
        }
    }
    // Several strips, lanes shared by tasks, bands.
    cases.push(Case {
        window: 3,
        dilation: [1; 2],
        image: [4, 4],
        pad: [1, 1],
        channels: [130, 200],
        batch: 30,
    });
    for (window, dilation, image, pad, batch) in [
        (3, [1, 1], [37, 41], [1, 1], 2),
        (3, [2, 2], [9, 14], [2, 2], 3),
        (3, [8, 5], [17, 32], [8, 0], 2),
        (3, [4, 4], [37, 41], [4, 4], 1),
        (5, [1, 1], [13, 9], [2, 2], 4),
        (5, [1, 1], [6, 5], [0, 4], 3),
        (5, [2, 3], [23, 17], [4, 6], 2),
        (7, [1, 1], [12, 15], [3, 3], 3),
        (7, [1, 1], [7, 9], [6, 0], 2),
        (7, [2, 1], [14, 10], [5, 3], 2),
    ] {
        cases.push(Case {
            window,
            dilation,
            image,
            pad,
            channels: channels[cases.len() % channels.len()],
            batch,
        });
    }
    // Two images of much work each.
    cases.push(Case {
        window: 5,
        dilation: [1; 2],
        image: [37, 41],
        pad: [2, 2],
        channels: [32, 32],
        batch: 2,
    });
    cases
}

fn random(count: usize, salt: u64) -> Vec<f64> {
    let mut state = salt;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 23) - 1.0
        })
        .collect()
}

/// What a convolution gives in both directions and for its weight, and the sums of the bias.
#[derive(PartialEq)]
struct Results<T>([Vec<T>; 4]);

fn all<T: Real>(case: &Case, c: &Convolution, numbers: [&[f64]; 3]) -> Results<T> {
    let [large, small, weight] =
        numbers.map(|numbers| numbers.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>());
    let pass = |down: bool, source: &[T], targets: usize| {
        let mut packed = vec![T::nan(); c.packed_len(down)];
        c.pack(down, &weight, &mut packed);
        let mut target = vec![T::nan(); targets];
        let pass = ConvPass {
            convolution: c,
            down,
            weight: &packed,
            input: ConvInput::Plain(source),
            finish: Finish::NONE,
        };
        pass.compute(&mut target);
        target
    };
    let to_small = pass(true, &large, small.len());
    let to_large = pass(false, &small, large.len());
    let (of_weight, of_bias) = gradient(
        c,
        ConvInput::Plain(&large),
        ConvInput::Plain(&small),
        case.batch,
    );
    Results([to_small, to_large, of_weight, of_bias])
}

fn gradient<T: Real>(
    c: &Convolution,
    large: ConvInput<'_, T>,
    small: ConvInput<'_, T>,
    batch: usize,
) -> (Vec<T>, Vec<T>) {
    let gradient = WeightGradient {
        convolution: c,
        large,
        small,
        bias_of_large: false,
        batch,
    };
    let mut sums = vec![T::nan(); gradient.scratch_len()];
    gradient.sum(&mut sums);
    let mut weight = vec![T::nan(); c.sizes.count()];
    c.unpack(&sums, &mut weight);
    (weight, sums[c.packed_len(true)..][..c.sizes.small].to_vec())
}

/// The largest difference, relative to the largest number.
fn error<T: Real>(found: &[T], wanted: &[f64]) -> f64 {
    let largest = wanted.iter().fold(1e-9, |most: f64, x| most.max(x.abs()));
    let pairs = found.iter().zip(wanted);
    let off = pairs.map(|(found, wanted)| (WithDType::to_f64(*found) - wanted).abs());
    off.fold(
        0.0f64,
        |most, off| if off.is_nan() { off } else { most.max(off) },
    ) / largest
}

fn given(case: &Case, round: bool) -> [Vec<f64>; 3] {
    [(case.len(0), 1), (case.len(1), 2), (case.weights(), 3)].map(|(count, salt)| {
        let numbers = random(count, salt).into_iter();
        numbers
            .map(|x| {
                if round {
                    (3.0 * x).round()
                } else {
                    f64::from(x as f32)
                }
            })
            .collect()
    })
}

#[test]
fn whole_numbers_give_the_direct_result() {
    for case in cases() {
        let given = given(&case, true);
        let given = [0, 1, 2].map(|i| given[i].as_slice());
        let direct = case.convolution::<f64>(Level::Plain, None);
        let wanted: Results<f64> = all(&case, &direct, given);
        for level in Level::available().into_iter().filter(|_| case.window == 3) {
            let found: Results<f32> = all(&case, &case.convolution::<f32>(level, Some(4)), given);
            for part in 0..4 {
                let off = error(&found.0[part], &wanted.0[part]);
                assert!(off == 0.0, "{} {case:?} {part}: {off}", level.name());
            }
        }
        for &points in choices(&case.geometry()) {
            let at_points = case.convolution::<f64>(Level::Plain, Some(points));
            let found: Results<f64> = all(&case, &at_points, given);
            for part in 0..4 {
                let off = error(&found.0[part], &wanted.0[part]);
                assert!(off < 1e-13, "{points} points {case:?} {part}: {off}");
            }
        }
    }
}

/// The error against f64 stays near that of the direct sums in f32.
#[test]
fn rounding_stays_near_that_of_the_direct_result() {
    let mut most = [[0.0f64; 3]; 9];
    for case in cases() {
        let given = given(&case, false);
        let given = [0, 1, 2].map(|i| given[i].as_slice());
        let direct = case.convolution::<f64>(Level::Plain, None);
        let wanted: Results<f64> = all(&case, &direct, given);
        for level in Level::available() {
            let at_points = choices(&case.geometry()).iter().map(|&points| Some(points));
            for points in at_points.chain([None]) {
                let c = case.convolution::<f32>(level, points);
                let found: Results<f32> = all(&case, &c, given);
                let of_way = &mut most[points.unwrap_or(0)];
                for (part, most) in of_way.iter_mut().enumerate() {
                    *most = most.max(error(&found.0[part], &wanted.0[part]));
                }
            }
        }
    }
    println!(
        "direct {:?}\n4 points {:?}\n6 points {:?}\n8 points {:?}",
        most[0], most[4], most[6], most[8]
    );
    for part in 0..3 {
        assert!(most[4][part] < 2e-6, "4 points: {most:?}");
        assert!(most[6][part] < 2e-5, "6 points: {most:?}");
        assert!(most[8][part] < 4e-5, "8 points: {most:?}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    for case in cases().into_iter().rev().take(6) {
        let given = given(&case, false);
        let given = [0, 1, 2].map(|i| given[i].as_slice());
        for &points in choices(&case.geometry()) {
            let c = case.convolution::<f32>(Level::chosen(), Some(points));
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let pool = pool.build().unwrap();
                pool.install(|| all::<f32>(&case, &c, given))
            };
            let alone = on(1);
            for threads in [2, 5] {
                assert!(on(threads) == alone, "{threads} threads: {case:?}");
            }
        }
    }
}

/// An image gives the same bits alone and in a batch.
#[test]
fn an_image_is_computed_alike_alone_and_in_a_batch() {
    let together = Case {
        window: 3,
        dilation: [1; 2],
        image: [9, 11],
        pad: [1, 1],
        channels: [20, 24],
        batch: 7,
    };
    let c = together.convolution::<f32>(Level::chosen(), Some(4));
    let numbers = given(&together, false);
    let all_images: Results<f32> = all(&together, &c, [0, 1, 2].map(|i| numbers[i].as_slice()));
    let one = Case {
        batch: 1,
        ..together
    };
    for image in 0..together.batch {
        let of = |side: usize| &numbers[side][image * one.len(side)..][..one.len(side)];
        let alone: Results<f32> = all(&one, &c, [of(0), of(1), &numbers[2]]);
        for (part, side) in [(0, 1), (1, 0)] {
            let len = one.len(side);
            assert!(alone.0[part] == all_images.0[part][image * len..][..len]);
        }
    }
}

/// A gradient that a relu is in front of is what it is when it is written out first; bias and relu come last.
#[test]
fn a_relu_before_and_behind_is_computed_along() {
    let case = Case {
        window: 3,
        dilation: [1; 2],
        image: [6, 7],
        pad: [1, 1],
        channels: [18, 35],
        batch: 3,
    };
    let c = case.convolution::<f32>(Level::chosen(), Some(4));
    let [large, small, weight] =
        given(&case, false).map(|numbers| numbers.iter().map(|&x| x as f32).collect::<Vec<f32>>());
    let output: Vec<f32> = random(small.len(), 9).iter().map(|&x| x as f32).collect();
    let masked: Vec<f32> = small
        .iter()
        .zip(&output)
        .map(|(&g, &y)| if y > 0.0 { g } else { 0.0 })
        .collect();
    let relu = ConvInput::Relu {
        gradient: &small,
        output: &output,
    };
    let plain = ConvInput::Plain(large.as_slice());
    let written = gradient(&c, plain, ConvInput::Plain(&masked), case.batch);
    assert!(gradient(&c, plain, relu, case.batch) == written);
    let pass = |down: bool, input: ConvInput<'_, f32>, finish: Finish<'_, f32>, count: usize| {
        let mut packed = vec![f32::NAN; c.packed_len(down)];
        c.pack(down, &weight, &mut packed);
        let mut target = vec![f32::NAN; count];
        let convolution = &c;
        let weight = packed.as_slice();
        ConvPass {
            convolution,
            down,
            weight,
            input,
            finish,
        }
        .compute(&mut target);
        target
    };
    let count = large.len();
    let back = pass(false, ConvInput::Plain(&masked), Finish::NONE, count);
    assert!(pass(false, relu, Finish::NONE, count) == back);
    let bias: Vec<f32> = (0..35).map(|lane| lane as f32 / 7.0 - 2.0).collect();
    let finish = Finish {
        bias: Some(&bias),
        relu: true,
    };
    let mut wanted = pass(true, plain, Finish::NONE, small.len());
    for (i, value) in wanted.iter_mut().enumerate() {
        *value = (*value + bias[i % 35]).max(0.0);
    }
    assert!(pass(true, plain, finish, small.len()) == wanted);
}

#[test]
fn only_planes_with_channels_enough_go_through_points() {
    let of = |geometry: &Geometry, channels: usize| points(geometry, channels, channels, 1);
    let case = Case {
        window: 3,
        dilation: [1; 2],
        image: [8, 8],
        pad: [1, 1],
        channels: [16, 16],
        batch: 1,
    };
    let plane = case.geometry();
    let square = |size: usize| {
        let image = [size, size];
        of(&Case { image, ..case }.geometry(), 64)
    };
    let sizes = [2, 3, 4, 6, 7, 8, 14, 224].map(square);
    assert_eq!(sizes[..2], [None, None]);
    assert_eq!(sizes[2..4], [Some(4), Some(4)]);
    assert_eq!(sizes[4..], [Some(6); 4]);
    assert!(of(&plane, 64).is_some() && of(&plane, 3).is_none());
    assert!(points(&plane, 64, 64, 2).is_none());
    // Few channels take the time of a vector's, but not few enough to be computed together with neighbours.
    let large_plane = Case {
        image: [32, 32],
        ..case
    };
    let large_plane = large_plane.geometry();
    let pair = |large: usize, small: usize| points(&large_plane, large, small, 1);
    assert_eq!(pair(16, 16), Some(6));
    assert_eq!(pair(40, 12), Some(6));
    assert_eq!([pair(12, 12), pair(8, 16), pair(64, 8)], [None; 3]);
    let wide = |window: usize, channels: usize| {
        let case = Case {
            window,
            pad: [window / 2; 2],
            ..case
        };
        of(&case.geometry(), channels)
    };
    assert_eq!([wide(5, 32), wide(5, 128)], [Some(8); 2]);
    assert_eq!([wide(7, 16), wide(7, 32)], [None, Some(8)]);
    assert_eq!(wide(9, 64), None);
    let dilated = Case {
        dilation: [1, 2],
        pad: [1, 2],
        ..case
    };
    assert_eq!(of(&dilated.geometry(), 64), Some(6));
    for other in [
        Geometry {
            stride: [1, 2, 1],
            ..plane
        },
        Geometry {
            kernel: [1, 3, 5],
            ..plane
        },
        Geometry {
            input: [2, 8, 8],
            output: [2, 8, 8],
            ..plane
        },
    ] {
        assert!(of(&other, 64).is_none(), "{other:?}");
    }
}
