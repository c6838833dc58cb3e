//! Group and layer norm in f32 against the formulas in f64, and on any number of threads.

use super::*;
use crate::ops::layer_norm;

/// Pseudo-random numbers in −1..1, away from 0 by `offset`.
fn wobble(count: usize, salt: usize, offset: f32) -> Vec<f32> {
    let at = |i: usize| ((i * 7919 + salt * 104_729) % 2003) as f32 / 1001.0 - 1.0 + offset;
    (0..count).map(at).collect()
}

struct Case {
    images: usize,
    cells: usize,
    channels: usize,
    groups: usize,
    by_value: bool,
}

const CASES: [Case; 8] = [
    case(9, 49, 6, 3, false),
    case(8, 100, 32, 8, false),
    case(20, 1, 10, 2, false),
    case(2, 1500, 24, 1, false),
    case(9, 49, 5, 1, true),
    case(70, 1, 33, 1, true),
    case(2, 12_000, 3, 1, true),
    case(8, 3000, 3, 1, true),
];

const fn case(images: usize, cells: usize, channels: usize, groups: usize, by_value: bool) -> Case {
    Case {
        images,
        cells,
        channels,
        groups,
        by_value,
    }
}

/// Output, gradient of the input, gradients of the weights and then of the biases.
struct Passes<T> {
    y: Vec<T>,
    dx: Vec<T>,
    sums: Vec<f64>,
}

impl Case {
    fn image(&self) -> usize {
        self.cells * self.channels
    }

    fn weights(&self) -> usize {
        if self.by_value {
            self.image()
        } else {
            self.channels
        }
    }

    /// x, its gradient, weight and bias.
    fn inputs(&self) -> [Vec<f32>; 4] {
        let count = self.images * self.image();
        [
            wobble(count, 1, 3.0),
            wobble(count, 2, 0.1),
            wobble(self.weights(), 3, 0.0),
            wobble(self.weights(), 4, 0.0),
        ]
    }

    fn compute(&self) -> Passes<f32> {
        let [x, gradient, weight, bias] = self.inputs();
        let images = Images {
            numbers: &x,
            image: self.image(),
            channels: if self.by_value { 1 } else { self.channels },
            groups: self.groups,
        };
        let mut statistics = vec![Statistics::default(); self.images * self.groups];
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut sums = vec![0.0; 2 * self.weights()];
        if self.by_value {
            layer_norm::normalise(&images, &weight, &bias, &mut statistics, &mut y);
            layer_norm::input_gradient(&images, &gradient, &weight, &mut statistics, &mut dx);
            layer_norm::parameter_gradients(&images, &gradient, &statistics, &mut sums);
        } else {
            images.normalise([&weight, &bias], None, &mut statistics, &mut y);
            images.go_back(
                &gradient,
                &weight,
                None,
                &statistics,
                &mut sums,
                Some(&mut dx),
            );
            let mut alone = vec![0.0; sums.len()];
            images.go_back(&gradient, &weight, None, &statistics, &mut alone, None);
            assert_eq!(alone, sums);
        }
        Passes { y, dx, sums }
    }

    /// The same by the formulas.
    fn formulas(&self) -> Passes<f64> {
        let [x, g, w, b] = self
            .inputs()
            .map(|line| line.into_iter().map(f64::from).collect());
        let [x, g, w, b]: [Vec<f64>; 4] = [x, g, w, b];
        let (weights, size) = (self.weights(), self.channels / self.groups);
        let mut passes = Passes {
            y: vec![0.0; x.len()],
            dx: vec![0.0; x.len()],
            sums: vec![0.0; 2 * weights],
        };
        for image in 0..self.images {
            for group in 0..self.groups {
                let start = image * self.image();
                let own = |i: &usize| (i % self.channels) / size == group;
                let all: Vec<usize> = (start..start + self.image()).filter(own).collect();
                let place = |i: usize| (i - start) % weights;
                let mean_of = |of: &dyn Fn(usize) -> f64| {
                    all.iter().map(|&i| of(i)).sum::<f64>() / all.len() as f64
                };
                let mean = mean_of(&|i| x[i]);
                let variance = mean_of(&|i| (x[i] - mean).powi(2));
                let inverse = 1.0 / (variance + NORM_EPS).sqrt();
                let hat = |i: usize| (x[i] - mean) * inverse;
                let plain = mean_of(&|i| g[i] * w[place(i)]);
                let product = mean_of(&|i| g[i] * w[place(i)] * hat(i));
                for &i in &all {
                    passes.y[i] = hat(i) * w[place(i)] + b[place(i)];
                    passes.dx[i] = inverse * (g[i] * w[place(i)] - plain - hat(i) * product);
                    passes.sums[place(i)] += g[i] * hat(i);
                    passes.sums[weights + place(i)] += g[i];
                }
            }
        }
        passes
    }
}

fn assert_near(found: impl Iterator<Item = f64>, wanted: &[f64], tolerance: f64, what: &str) {
    for (i, (found, wanted)) in found.zip(wanted).enumerate() {
        let off = (found - wanted).abs();
        assert!(off <= tolerance, "{what} {i}: {found}, should be {wanted}");
    }
}

#[test]
fn both_passes_are_the_formulas() {
    for (index, case) in CASES.iter().enumerate() {
        let (found, wanted) = (case.compute(), case.formulas());
        let wide = |line: &[f32]| line.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let of = |part: &str| format!("case {index}: {part}");
        assert_near(wide(&found.y).into_iter(), &wanted.y, 3e-6, &of("output"));
        assert_near(wide(&found.dx).into_iter(), &wanted.dx, 1e-5, &of("dx"));
        let most = wanted
            .sums
            .iter()
            .fold(1.0, |most: f64, sum| most.max(sum.abs()));
        assert_near(
            found.sums.into_iter(),
            &wanted.sums,
            3e-6 * most,
            &of("sums"),
        );
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for case in &CASES {
        let mut all = [1, 2, 3, 8].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let Passes { y, dx, sums } = pool.build().unwrap().install(|| case.compute());
            (y, dx, sums)
        });
        let [first, rest @ ..] = &mut all;
        assert!(rest.iter().all(|other| other == first));
    }
}

/// Deviations are small beside the mean.
#[test]
fn a_mean_far_from_zero_costs_no_more_than_its_rounding() {
    let (channels, cells) = (4, 1000);
    let x = wobble(channels * cells, 5, 1000.0);
    let images = Images {
        numbers: &x,
        image: x.len(),
        channels,
        groups: 2,
    };
    let mut found = [Statistics::default(); 2];
    images.measure(&x, &mut found);
    for (group, found) in found.iter().enumerate() {
        let own = |i: &usize| (i % channels) / 2 == group;
        let own: Vec<f64> = (0..x.len()).filter(own).map(|i| f64::from(x[i])).collect();
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        let squares: f64 = own.iter().map(|x| (x - mean).powi(2)).sum();
        let inverse = 1.0 / (squares / own.len() as f64 + NORM_EPS).sqrt();
        assert!((found.mean - mean).abs() < 1e-6, "{found:?}, mean {mean}");
        assert!((found.inverse_std - inverse).abs() < 1e-6 * inverse);
    }
}
