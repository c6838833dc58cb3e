//! The random parameters of each transform, drawn in torchvision's order, and the call that uses them.

use super::geometry::{self, Corners};
use super::plan::{Step, padded};
use super::sample::Sampling;
use super::{Scratch, Size, blur, colour, noise, place};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use strata_core::project::augment::Augment;

/// How often an erased rectangle that does not fit is drawn again.
const ERASE_TRIES: usize = 10;
/// Width to height of an erased rectangle.
const ERASE_RATIO: [f32; 2] = [0.3, 3.3];

/// Applies one step with parameters of its own; `zero` is the value of the background: black, or silence.
pub fn apply(
    step: &Step,
    image: &mut Vec<f32>,
    zero: f32,
    scratch: &mut Scratch,
    rng: &mut ChaCha8Rng,
) {
    let size = step.from;
    match step.what {
        Augment::HFlip { p } if chance(p, rng) => place::flip_left_right(image, size),
        Augment::VFlip { p } if chance(p, rng) => place::flip_top_bottom(image, size),
        Augment::Grayscale { p } if chance(p, rng) => colour::grayscale(image),
        Augment::Brightness(factor) => {
            colour::adjust_brightness(image, uniform(factor.about_one(), rng), zero)
        }
        Augment::Contrast(by) => {
            colour::adjust_contrast(image, size.channels, uniform(by.about_one(), rng))
        }
        Augment::Saturation(factor) => {
            colour::adjust_saturation(image, uniform(factor.about_one(), rng))
        }
        Augment::Hue(turns) => colour::adjust_hue(image, uniform(turns.about_zero(), rng)),
        Augment::Noise { std } => noise::gaussian_noise(image, std, rng),
        Augment::SaltPepper { share } => noise::salt_and_pepper(image, size, share, rng),
        Augment::Erase { p, area } if chance(p, rng) => {
            about(zero, image, |image| erase(image, size, area, rng))
        }
        Augment::Apply { p, .. } if chance(p, rng) => {
            step.inner
                .iter()
                .for_each(|step| apply(step, image, zero, scratch, rng));
        }
        Augment::Choice(_) => {
            let chosen = rng.random_range(0..step.inner.len().max(1));
            step.inner
                .get(chosen)
                .into_iter()
                .for_each(|step| apply(step, image, zero, scratch, rng));
        }
        Augment::Shift { .. }
        | Augment::Rotate { .. }
        | Augment::Scale { .. }
        | Augment::Crop { .. } => {
            about(zero, image, |image| to_another(step, image, scratch, rng));
        }
        Augment::Perspective { p, .. } if chance(p, rng) => {
            about(zero, image, |image| to_another(step, image, scratch, rng));
        }
        Augment::Blur { .. } => to_another(step, image, scratch, rng),
        // Mixup is the batch's; the others were not drawn.
        _ => {}
    }
}

/// Works on the numbers' distances from `zero`, so that what is filled in is that.
fn about(zero: f32, image: &mut Vec<f32>, work: impl FnOnce(&mut Vec<f32>)) {
    if zero == 0.0 {
        return work(image);
    }
    image.iter_mut().for_each(|value| *value -= zero);
    work(image);
    image.iter_mut().for_each(|value| *value += zero);
}

/// Transforms that write a new image, which then takes the place of the old one.
fn to_another(step: &Step, image: &mut Vec<f32>, scratch: &mut Scratch, rng: &mut ChaCha8Rng) {
    let (Scratch { other, work }, size) = (scratch, step.from);
    match step.what {
        Augment::Shift { by, border } => {
            let offset = [size.width, size.height].map(|side| whole_pixels(by, side, rng));
            place::shift(image, other, size, offset, border, work);
        }
        Augment::Rotate {
            degrees,
            interpolation,
            border,
        } => {
            let angle = uniform(degrees.about_zero(), rng);
            geometry::rotate(
                image,
                other,
                size,
                angle,
                Sampling {
                    interpolation,
                    border,
                },
                work,
            );
        }
        Augment::Scale {
            factor,
            interpolation,
            border,
        } => {
            let factor = uniform(factor.about_one(), rng);
            geometry::scale(
                image,
                other,
                size,
                factor,
                Sampling {
                    interpolation,
                    border,
                },
                work,
            );
        }
        Augment::Perspective {
            distortion,
            interpolation,
            border,
            ..
        } => {
            let corners = corners(size, distortion, rng);
            geometry::perspective(
                image,
                other,
                size,
                &corners,
                Sampling {
                    interpolation,
                    border,
                },
                work,
            );
        }
        Augment::Blur { kernel, sigma } => {
            blur::gaussian_blur(
                image,
                other,
                size,
                kernel as usize,
                uniform(sigma, rng),
                work,
            );
        }
        Augment::Crop { pad, border, .. } => {
            let corner = crop_corner(size, step.to, pad as usize, rng);
            place::window(image, other, [size, step.to], corner, border, work);
        }
        _ => return,
    }
    std::mem::swap(image, other);
}

fn chance(p: f32, rng: &mut ChaCha8Rng) -> bool {
    rng.random::<f32>() < p
}

fn uniform([low, high]: [f32; 2], rng: &mut ChaCha8Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// Up to the fraction `by` of a side in either direction.
fn whole_pixels(by: f32, side: usize, rng: &mut ChaCha8Rng) -> i32 {
    let most = by * side as f32;
    uniform([-most, most], rng).round_ties_even() as i32
}

fn crop_corner(from: Size, to: Size, pad: usize, rng: &mut ChaCha8Rng) -> [i32; 2] {
    let [tall, wide] = padded(from, pad);
    let top = rng.random_range(0..=tall.saturating_sub(to.height));
    let left = rng.random_range(0..=wide.saturating_sub(to.width));
    [
        left as i32 - ((wide - from.width) / 2) as i32,
        top as i32 - ((tall - from.height) / 2) as i32,
    ]
}

/// Where the four corners go: inwards by at most the fraction `distortion` of half a side.
fn corners(size: Size, distortion: f32, rng: &mut ChaCha8Rng) -> Corners {
    let reach = |side: usize| (distortion * (side / 2) as f32) as usize;
    let (across, down) = (reach(size.width), reach(size.height));
    let mut near = |reach: usize| rng.random_range(0..=reach) as f64;
    let (right, bottom) = (size.width as f64 - 1.0, size.height as f64 - 1.0);
    let top_left = [near(across), near(down)];
    let top_right = [right - near(across), near(down)];
    let bottom_right = [right - near(across), bottom - near(down)];
    [
        top_left,
        top_right,
        bottom_right,
        [near(across), bottom - near(down)],
    ]
}

fn erase(image: &mut [f32], size: Size, area: [f32; 2], rng: &mut ChaCha8Rng) {
    for _ in 0..ERASE_TRIES {
        let [height, width] = rectangle(size, area, rng);
        if (height < size.height || size.is_signal()) && width < size.width {
            let top = rng.random_range(0..=size.height.saturating_sub(height));
            let left = rng.random_range(0..=size.width - width);
            return noise::erase(image, size, [top, left], [height, width]);
        }
    }
}

/// Height and width of a rectangle to erase; of a signal, a stretch of it.
fn rectangle(size: Size, area: [f32; 2], rng: &mut ChaCha8Rng) -> [usize; 2] {
    let pixels = (size.height * size.width) as f32 * uniform(area, rng);
    if size.is_signal() {
        return [1, pixels.round_ties_even() as usize];
    }
    let ratio = uniform(ERASE_RATIO.map(f32::ln), rng).exp();
    [pixels * ratio, pixels / ratio].map(|square| square.sqrt().round_ties_even() as usize)
}
