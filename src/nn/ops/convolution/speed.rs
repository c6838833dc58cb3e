//! How fast each pass of a convolution is on one thread: figures to look at.

use super::*;
use crate::ops::conv_input::ConvInput;
use crate::ops::cpu_time::seconds;
use crate::ops::weight_gradient::WeightGradient;

/// Image, kernel, stride, dilation, channels in and out, images. The padding keeps the size of odd windows at stride 1.
type Case = (usize, usize, usize, usize, usize, usize, usize);

const CASES: [Case; 46] = [
    (32, 3, 1, 1, 64, 64, 32),
    (16, 3, 1, 1, 128, 128, 32),
    (8, 3, 1, 1, 256, 256, 32),
    (4, 3, 1, 1, 512, 512, 32),
    (64, 3, 1, 1, 32, 32, 32),
    (224, 3, 1, 1, 16, 16, 2),
    (224, 3, 1, 1, 64, 64, 1),
    (28, 3, 1, 1, 32, 64, 16),
    (13, 3, 1, 1, 384, 256, 8),
    (16, 3, 1, 1, 48, 48, 32),
    (16, 5, 1, 1, 64, 64, 32),
    (16, 7, 1, 1, 64, 64, 16),
    (224, 11, 4, 1, 3, 64, 8),
    (27, 5, 1, 1, 64, 192, 8),
    (32, 3, 2, 1, 64, 128, 32),
    (224, 3, 1, 1, 3, 16, 2),
    (16, 1, 1, 1, 256, 256, 32),
    (64, 5, 1, 1, 16, 32, 16),
    (28, 5, 1, 1, 64, 128, 16),
    (14, 5, 1, 1, 64, 128, 16),
    (12, 5, 1, 1, 128, 128, 16),
    (32, 7, 1, 1, 16, 32, 32),
    (16, 7, 1, 1, 32, 64, 32),
    (14, 7, 1, 1, 64, 128, 16),
    (32, 7, 1, 1, 3, 8, 32),
    (64, 7, 1, 1, 8, 16, 16),
    (256, 3, 1, 1, 3, 8, 1),
    (256, 3, 1, 1, 8, 8, 1),
    (128, 3, 1, 1, 8, 16, 1),
    (128, 3, 1, 1, 16, 16, 2),
    (96, 3, 1, 1, 16, 3, 8),
    (48, 3, 1, 2, 16, 16, 16),
    (48, 3, 1, 4, 32, 32, 16),
    (32, 3, 1, 8, 32, 32, 16),
    (32, 3, 1, 1, 40, 12, 32),
    (32, 3, 1, 1, 40, 8, 32),
    (32, 1, 1, 1, 64, 24, 32),
    (32, 1, 1, 1, 64, 64, 32),
    (48, 1, 1, 1, 32, 64, 16),
    (24, 1, 1, 1, 64, 128, 16),
    (112, 7, 4, 1, 3, 64, 16),
    (96, 5, 2, 1, 3, 32, 16),
    (64, 4, 2, 1, 3, 32, 32),
    (64, 3, 2, 1, 3, 32, 32),
    (64, 5, 1, 1, 8, 16, 16),
    (64, 3, 1, 1, 12, 12, 16),
];

#[test]
#[ignore = "prints figures"]
fn passes_by_size() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    pool.build().unwrap().install(|| {
        println!(
            "GFLOP/s of the direct arithmetic on one thread: forward, input, weight, packing (ms)"
        );
        let wanted = std::env::var("STRATA_CASE").unwrap_or_default();
        for (size, kernel, stride, dilation, large, small, batch) in CASES {
            let name = format!(
                "{large}→{small} {kernel}×{kernel} s{stride} d{dilation} {size}×{size} b{batch}"
            );
            if !wanted.split(',').any(|part| name.contains(part)) {
                continue;
            }
            let pad = (kernel - 1) / 2 * dilation;
            let output = (size + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
            let geometry = Geometry {
                input: [1, size, size],
                output: [1, output, output],
                kernel: [1, kernel, kernel],
                stride: [1, stride, stride],
                dilation: [1, dilation, dilation],
                pad: [0, pad, pad],
            };
            let work = 2e-9 * (batch * output * output * kernel * kernel * large * small) as f64;
            let chosen = winograd::points(&geometry, large, small, 1);
            let at_points = winograd::choices(&geometry)
                .iter()
                .map(|&points| Some(points));
            for points in at_points.chain([None]) {
                let level = Level::chosen();
                let c =
                    Convolution::with_points::<f32>(level, &geometry, [large, small, 1], points);
                let [forward, back, weight, packing] = passes(&c, batch);
                println!(
                    "{name:34}{} {:8} {:6.1} {:6.1} {:6.1}   {:.3}",
                    if points == chosen { "*" } else { " " },
                    points.map_or("direct".to_owned(), |points| format!("{points} points")),
                    work / forward,
                    work / back,
                    work / weight,
                    1e3 * packing
                );
            }
        }
    });
}

fn passes(c: &Convolution, batch: usize) -> [f64; 4] {
    let image = |plan: &ConvPlan| batch * volume(plan.sliding.margin.image) * plan.from;
    let (large, small) = (vec![0.5f32; image(&c.down)], vec![0.25f32; image(&c.up)]);
    let weight = vec![0.1f32; c.sizes.count()];
    let pass = |down: bool, source: &[f32], targets: usize| {
        let mut packed = vec![0.0; c.packed_len(down)];
        let packing = seconds(|| c.pack(down, &weight, &mut packed));
        let mut target = vec![0.0; targets];
        let pass = ConvPass {
            convolution: c,
            down,
            weight: &packed,
            input: ConvInput::Plain(source),
            finish: Finish::NONE,
        };
        (seconds(|| pass.compute(&mut target)), packing)
    };
    let (forward, packing) = pass(true, &large, small.len());
    let (back, back_packing) = pass(false, &small, large.len());
    let gradient = WeightGradient {
        convolution: c,
        large: ConvInput::Plain(&large),
        small: ConvInput::Plain(&small),
        bias_of_large: false,
        batch,
    };
    let mut sums = vec![0.0; gradient.scratch_len()];
    let of_weight = seconds(|| gradient.sum(&mut sums));
    let mut unpacked = vec![0.0; weight.len()];
    let unpacking = seconds(|| c.unpack(&sums, &mut unpacked));
    [forward, back, of_weight, packing + back_packing + unpacking]
}
