//! One minus the structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004), as pytorch-msssim computes it.
//!
//! A Gaussian window of 11×11 pixels with σ = 1.5, K₁ = 0.01, K₂ = 0.03, moments without Bessel's correction; the mean
//! over all places where the whole window lies inside, over channels and images. The gradient is exact: the derivatives
//! for the moments are spread back by the window that gathered them. Each plane is computed in f64 by one thread.

use super::Target;
use crate::NnError;
use crate::ops::real::Real;
use crate::ops::storage::{fill, view};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use strata_core::project::loss::SSIM_WINDOW as WINDOW;

const SIGMA: f64 = 1.5;
pub(super) const K1: f64 = 0.01;
pub(super) const K2: f64 = 0.03;

/// A plane of an image, and what its similarity is measured with.
#[derive(Clone, Copy)]
struct Plane {
    height: usize,
    width: usize,
    window: [f64; WINDOW],
    c1: f64,
    c2: f64,
}

/// The moments of two planes at a place: of x and y the means, the means of their squares, and that of their product.
const MOMENTS: usize = 5;

impl Plane {
    fn columns(self) -> usize {
        self.width - WINDOW + 1
    }

    /// Places where the whole window lies inside.
    fn places(self) -> usize {
        (self.height - WINDOW + 1) * self.columns()
    }

    fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Numbers of scratch that a plane needs.
    fn scratch(self) -> usize {
        3 * self.pixels() + self.height * self.columns() + MOMENTS * self.places()
    }

    /// The weighted mean of `source` at every place, by rows into `across` and then down.
    fn gather(self, source: &[f64], across: &mut [f64], means: &mut [f64]) {
        let columns = self.columns();
        for (row, across) in source
            .chunks_exact(self.width)
            .zip(across.chunks_exact_mut(columns))
        {
            for (from, to) in row.windows(WINDOW).zip(across) {
                *to = from
                    .iter()
                    .zip(&self.window)
                    .map(|(value, weight)| value * weight)
                    .sum();
            }
        }
        means.fill(0.0);
        for (top, means) in means.chunks_exact_mut(columns).enumerate() {
            for (row, weight) in self.window.iter().enumerate() {
                let across = &across[(top + row) * columns..][..columns];
                for (mean, value) in means.iter_mut().zip(across) {
                    *mean += weight * value;
                }
            }
        }
    }

    /// The transpose of [`Plane::gather`].
    fn spread(self, means: &[f64], across: &mut [f64], target: &mut [f64]) {
        let columns = self.columns();
        across.fill(0.0);
        for (top, means) in means.chunks_exact(columns).enumerate() {
            for (row, weight) in self.window.iter().enumerate() {
                let across = &mut across[(top + row) * columns..][..columns];
                for (value, mean) in across.iter_mut().zip(means) {
                    *value += weight * mean;
                }
            }
        }
        target.fill(0.0);
        for (across, target) in across
            .chunks_exact(columns)
            .zip(target.chunks_exact_mut(self.width))
        {
            for (at, value) in across.iter().enumerate() {
                for (to, weight) in target[at..at + WINDOW].iter_mut().zip(&self.window) {
                    *to += weight * value;
                }
            }
        }
    }

    /// The sum of the similarity over all places. Where its derivatives are wanted, those for the mean of x, of its
    /// squares and of the products take the places of the first three moments.
    fn compare(self, moments: &mut [f64], wants_derivatives: bool) -> f64 {
        let places = self.places();
        let mut total = 0.0;
        for at in 0..places {
            let [m, q, r, my, qy] = std::array::from_fn(|index| moments[index * places + at]);
            let a1 = 2.0 * m * my + self.c1;
            let a2 = 2.0 * (r - m * my) + self.c2;
            let b1 = m * m + my * my + self.c1;
            let b2 = (q - m * m) + (qy - my * my) + self.c2;
            let similarity = a1 * a2 / (b1 * b2);
            total += similarity;
            if wants_derivatives {
                let of_mean =
                    2.0 * my * (a2 - a1) / (b1 * b2) - 2.0 * m * similarity * (1.0 / b1 - 1.0 / b2);
                moments[at] = of_mean;
                moments[places + at] = -similarity / b2;
                moments[2 * places + at] = 2.0 * a1 / (b1 * b2);
            }
        }
        total
    }

    /// The similarity of a channel of two images, summed up over all places; its derivative for the first image times
    /// `factor` goes where there is room for it.
    fn similarity<T: Real>(
        self,
        [x, y]: [&[T]; 2],
        (channel, channels): (usize, usize),
        gradient: Option<(&mut [T], f64)>,
    ) -> f64 {
        let (pixels, places) = (self.pixels(), self.places());
        f64::with_scratch(self.scratch(), |scratch| {
            let (planes, rest) = scratch.split_at_mut(3 * pixels);
            let (across, moments) = rest.split_at_mut(self.height * self.columns());
            let (first, others) = planes.split_at_mut(pixels);
            let (second, product) = others.split_at_mut(pixels);
            take(x, channel, channels, first);
            take(y, channel, channels, second);
            let multiply = |product: &mut [f64], a: &[f64], b: &[f64]| {
                let pairs = a.iter().zip(b);
                product
                    .iter_mut()
                    .zip(pairs)
                    .for_each(|(to, (a, b))| *to = a * b);
            };
            let mut moment = moments.chunks_exact_mut(places);
            let mut gathered = |source: &[f64], across: &mut [f64]| {
                if let Some(means) = moment.next() {
                    self.gather(source, across, means);
                }
            };
            gathered(first, across);
            multiply(product, first, first);
            gathered(product, across);
            multiply(product, first, second);
            gathered(product, across);
            gathered(second, across);
            multiply(product, second, second);
            gathered(product, across);
            let total = self.compare(moments, gradient.is_some());
            let Some((gradient, factor)) = gradient else {
                return total;
            };
            let mut moment = moments.chunks_exact(places);
            let mut add = |by: &dyn Fn(usize) -> f64, across: &mut [f64], spread: &mut [f64]| {
                let Some(means) = moment.next() else { return };
                self.spread(means, across, spread);
                let own = gradient.iter_mut().skip(channel).step_by(channels);
                for (at, (to, value)) in own.zip(&*spread).enumerate() {
                    *to = T::narrow(to.wide() + factor * by(at) * value);
                }
            };
            add(&|_| 1.0, across, product);
            add(&|at| 2.0 * first[at], across, product);
            add(&|at| second[at], across, product);
            total
        })
    }
}

/// A channel of an image.
fn take<T: Real>(image: &[T], channel: usize, channels: usize, plane: &mut [f64]) {
    let own = image.iter().skip(channel).step_by(channels);
    plane
        .iter_mut()
        .zip(own)
        .for_each(|(to, value)| *to = value.wide());
}

/// The weights of the window along an axis.
pub(super) fn window() -> [f64; WINDOW] {
    let middle = (WINDOW / 2) as f64;
    let weight = |at: usize| (-0.5 * ((at as f64 - middle) / SIGMA).powi(2)).exp();
    let weights: [f64; WINDOW] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// The loss between N×H×W×C images whose values span `range`; writes its gradient where one is wanted.
pub(super) fn evaluate<T: Real>(
    range: f64,
    y: &[T],
    dims: &[usize],
    target: Target<'_>,
    gradient: Option<&Tensor>,
) -> Result<f64, NnError> {
    let images = super::images_of(target, y.len())?;
    let images = images.to_device(&Device::Cpu)?;
    let images = view::<T>(&images)?;
    let &[_, height, width, channels] = dims else {
        return Err(NnError::Unsupported(
            "the structural similarity of what is no image".into(),
        ));
    };
    if height < WINDOW || width < WINDOW {
        return Err(NnError::Unsupported(format!(
            "the structural similarity of images of {height}×{width}: its window has {WINDOW}×{WINDOW} pixels"
        )));
    }
    let plane = Plane {
        height,
        width,
        window: window(),
        c1: (K1 * range).powi(2),
        c2: (K2 * range).powi(2),
    };
    let numbers = plane.pixels() * channels;
    let all = (y.len() / numbers.max(1) * channels * plane.places()).max(1) as f64;
    let pairs = y
        .par_chunks_exact(numbers)
        .zip(images.par_chunks_exact(numbers));
    let sum_of = |sums: Vec<f64>| 1.0 - sums.iter().sum::<f64>() / all;
    let Some(gradient) = gradient else {
        let of_image = |(y, image): (&[T], &[T])| {
            let of = |channel| plane.similarity([y, image], (channel, channels), None);
            (0..channels).map(of).sum()
        };
        return Ok(sum_of(pairs.map(of_image).collect()));
    };
    let mut loss = 0.0;
    fill::<T>(gradient, |gradient| {
        let of_image = |((y, image), gradient): ((&[T], &[T]), &mut [T])| {
            gradient.fill(T::narrow(0.0));
            let of = |channel| {
                let into = Some((&mut *gradient, -1.0 / all));
                plane.similarity([y, image], (channel, channels), into)
            };
            (0..channels).map(of).sum()
        };
        let parts = pairs.zip(gradient.par_chunks_exact_mut(numbers));
        loss = sum_of(parts.map(of_image).collect());
    })?;
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use super::super::{Target, evaluate};
    use crate::ops::storage::Buffer;
    use candle_core::{DType, Device, Tensor};
    use strata_core::project::loss::Loss;

    /// Dimensions, range, output, images, loss, gradient.
    type Case = (Vec<usize>, f64, Vec<f64>, Vec<f64>, f64, Vec<f64>);

    fn cases() -> Vec<Case> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/ssim_loss.json"
        );
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn tensor(values: &[f64], dims: &[usize], dtype: DType) -> Tensor {
        let tensor = Tensor::from_slice(values, dims, &Device::Cpu).unwrap();
        tensor.to_dtype(dtype).unwrap()
    }

    #[test]
    fn value_and_gradient_are_pytorchs() {
        let cases = cases();
        assert_eq!(cases.len(), 4);
        for (dims, range, y, t, wanted, slopes) in &cases {
            for (dtype, most) in [(DType::F64, 1e-11), (DType::F32, 2e-6)] {
                let [y, t] = [y, t].map(|values| tensor(values, dims, dtype));
                let loss = Loss::Ssim { range: *range };
                let mut buffer = Buffer::default();
                let target = Target::Images(&t);
                let found = evaluate(loss, &y, target, Some(&mut buffer)).unwrap();
                let alone = evaluate(loss, &y, target, None).unwrap();
                assert_eq!(found.value.to_bits(), alone.value.to_bits());
                assert!(
                    (found.value - wanted).abs() < most,
                    "{dims:?}: {}",
                    found.value
                );
                let gradient = found.gradient.unwrap().to_dtype(DType::F64).unwrap();
                let gradient: Vec<f64> = gradient.flatten_all().unwrap().to_vec1().unwrap();
                for (a, b) in gradient.iter().zip(slopes) {
                    assert!((a - b).abs() < most, "{dims:?} {dtype:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn the_gradient_meets_finite_differences() {
        let (dims, range, y, t, ..) = &cases()[0];
        let loss = Loss::Ssim { range: *range };
        let target = tensor(t, dims, DType::F64);
        let value = |y: &[f64]| {
            let y = tensor(y, dims, DType::F64);
            evaluate(loss, &y, Target::Images(&target), None)
                .unwrap()
                .value
        };
        let mut buffer = Buffer::default();
        let output = tensor(y, dims, DType::F64);
        let found = evaluate(loss, &output, Target::Images(&target), Some(&mut buffer)).unwrap();
        let gradient = found.gradient.unwrap().flatten_all().unwrap();
        for (at, slope) in gradient
            .to_vec1::<f64>()
            .unwrap()
            .into_iter()
            .enumerate()
            .step_by(7)
        {
            let shifted = |by: f64| {
                let mut y = y.clone();
                y[at] += by;
                value(&y)
            };
            let wanted = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope - wanted).abs() < 1e-8, "{at}: {slope} {wanted}");
        }
    }

    #[test]
    fn equal_images_have_no_loss_and_small_ones_are_refused() {
        let (dims, range, y, ..) = &cases()[1];
        let loss = Loss::Ssim { range: *range };
        let image = tensor(y, dims, DType::F64);
        let equal = evaluate(loss, &image, Target::Images(&image), None).unwrap();
        assert!(equal.value.abs() < 1e-12);
        let small = Tensor::zeros((1, 10, 20, 1), DType::F32, &Device::Cpu).unwrap();
        let refused = evaluate(loss, &small, Target::Images(&small), None).unwrap_err();
        assert!(refused.to_string().contains("10×20"), "{refused}");
    }
}
