//! What is computed along with a convolution at points, and the bands that large images are cut into.

use super::*;
use crate::ops::pooling::{max_cpu, scatter_cpu};
use crate::ops::sliding::{grid, volume};
use crate::ops::taps::Taps;

/// Whole numbers of f32.
fn whole(count: usize, salt: u64) -> Vec<f32> {
    let numbers = random(count, salt).into_iter();
    numbers.map(|x| (3.0 * x).round() as f32).collect()
}

/// The pooling behind a convolution, forward, and its gradient on the way back, in one image that is cut into bands
/// and in several.
#[test]
fn a_pooling_behind_is_computed_along() {
    for (image, batch, points) in [
        ([40, 36], 1, Some(4)),
        ([40, 36], 1, None),
        ([8, 10], 9, Some(4)),
        ([8, 10], 9, None),
    ] {
        let case = Case {
            window: 3,
            dilation: [1; 2],
            image,
            pad: [1, 1],
            channels: [32, 48],
            batch,
        };
        let geometry = case.geometry();
        let [_, height, width] = geometry.output;
        let pool = Geometry {
            input: geometry.output,
            output: [1, height / 2, width / 2],
            kernel: [1, 2, 2],
            stride: [1, 2, 2],
            dilation: [1; 3],
            pad: [0; 3],
        };
        let taps = Taps::new(&pool);
        let c = case.convolution::<f32>(Level::chosen(), points);
        let margin = &c.plan(false).sliding.margin;
        let places: Vec<u32> = grid(margin.image)
            .map(|cell| margin.place(cell) as u32)
            .collect();
        let (large, weight) = (whole(case.len(0), 1), whole(case.weights(), 2));
        let pass = |down: bool, input: ConvInput<'_, f32>, count: usize| {
            let mut packed = vec![f32::NAN; c.packed_len(down)];
            c.pack(down, &weight, &mut packed);
            let (mut y, mut indices) = (vec![f32::NAN; count], vec![0; count]);
            let pass = ConvPass {
                convolution: &c,
                down,
                weight: &packed,
                input,
                finish: Finish::NONE,
            };
            if down && count < case.len(1) {
                let mut unpooled = vec![f32::NAN; pass.unpooled_len(batch)];
                assert_eq!(unpooled.is_empty(), batch > 1);
                pass.compute_pooled(&taps, true, (&mut y, &mut indices), &mut unpooled);
            } else {
                pass.compute(&mut y);
            }
            (y, indices)
        };
        let plain = ConvInput::Plain(large.as_slice());
        let count = batch * taps.positions * 48;
        let (pooled, indices) = pass(true, plain, count);
        let (mut wanted, mut wanted_indices) = (vec![0.0; count], vec![0; count]);
        let (own, _) = pass(true, plain, case.len(1));
        max_cpu(&taps, 48, &own, &mut wanted, &mut wanted_indices);
        wanted.iter_mut().for_each(|y| *y = y.max(0.0));
        assert!(pooled == wanted && indices == wanted_indices);
        let gradient_of_pooled = whole(count, 3);
        let passed: Vec<f32> = gradient_of_pooled
            .iter()
            .zip(&pooled)
            .map(|(&g, &y)| if y > 0.0 { g } else { 0.0 })
            .collect();
        let mut scattered = vec![0.0; case.len(1)];
        scatter_cpu(&taps, 48, &passed, &indices, &mut scattered);
        for disjoint in [true, false] {
            let input = ConvInput::Pooled {
                gradient: &gradient_of_pooled,
                output: Some(&pooled),
                indices: &indices,
                taps: &taps,
                disjoint,
                places: &places,
            };
            let written = ConvInput::Plain(scattered.as_slice());
            let back = |input| pass(false, input, case.len(0)).0;
            assert!(back(input) == back(written));
            assert!(gradient(&c, plain, input, batch) == gradient(&c, plain, written, batch));
        }
    }
}

/// The gradient of two large images, which are cut into bands, is a quarter of that of the same images four times,
/// which are not.
#[test]
fn bands_of_a_weight_gradient_add_up() {
    let plane = |kernel: usize, stride: usize, pad: usize| {
        let size = |input: usize| (input + 2 * pad - kernel) / stride + 1;
        Geometry {
            input: [1, 43, 38],
            output: [1, size(43), size(38)],
            kernel: [1, kernel, kernel],
            stride: [1, stride, stride],
            dilation: [1; 3],
            pad: [0, pad, pad],
        }
    };
    let dilated = Geometry {
        dilation: [1, 3, 2],
        pad: [0, 3, 2],
        ..plane(3, 1, 1)
    };
    for (geometry, points) in [
        (plane(3, 1, 1), Some(4)),
        (dilated, Some(4)),
        (plane(3, 1, 1), None),
        (plane(5, 2, 2), None),
        (plane(7, 3, 0), None),
    ] {
        let c = Convolution::with_points::<f32>(Level::chosen(), &geometry, [40, 36, 1], points);
        let [large, small] = [geometry.input, geometry.output].map(volume);
        let (large, small) = (whole(2 * large * 40, 1), whole(2 * small * 36, 2));
        let (large_mask, small_mask) = (whole(large.len(), 3), whole(small.len(), 4));
        for (relu, bias_of_large) in [(false, false), (true, false), (false, true), (true, true)] {
            let of = |times: usize| {
                let [large, small] = [&large, &small].map(|numbers| numbers.repeat(times));
                let masks = [&large_mask, &small_mask].map(|numbers| numbers.repeat(times));
                let side = |numbers, output| match relu {
                    true => ConvInput::Relu {
                        gradient: numbers,
                        output,
                    },
                    false => ConvInput::Plain(numbers),
                };
                let gradient = WeightGradient {
                    convolution: &c,
                    large: side(&large, &masks[0]),
                    small: side(&small, &masks[1]),
                    bias_of_large,
                    batch: 2 * times,
                };
                let mut sums = vec![f32::NAN; gradient.scratch_len()];
                gradient.sum(&mut sums);
                let mut weight = vec![f32::NAN; c.sizes.count()];
                c.unpack(&sums, &mut weight);
                let bias = if bias_of_large { 40 } else { 36 };
                weight.extend(&sums[c.packed_len(true)..][..bias]);
                weight
            };
            let four: Vec<f32> = of(4).iter().map(|sum| sum / 4.0).collect();
            assert!(
                of(1) == four,
                "{geometry:?} {points:?} {relu} {bias_of_large}"
            );
        }
    }
}
