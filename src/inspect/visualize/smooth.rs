//! Smoothing of images, and the Laplacian pyramid that gives every scale of a gradient the same strength.

/// Binomial weights: a Gaussian with a deviation of one pixel (Burt, Adelson 1983).
const WEIGHTS: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
const SUM: f32 = 16.0;

/// Smooths every slice and channel of `S × H × W × C` values, with so many pixels between the weights. Beyond the edge
/// is the nearest pixel.
pub fn smooth(values: &[f32], [height, width, channels]: [usize; 3], spacing: usize) -> Vec<f32> {
    let across = along(values, width, channels, spacing);
    along(&across, height, width * channels, spacing)
}

/// Smooths along an axis of this length, whose neighbours are `step` apart.
fn along(values: &[f32], length: usize, step: usize, spacing: usize) -> Vec<f32> {
    let last = length as isize - 1;
    let one = |at: usize| {
        let place = (at / step % length) as isize;
        let start = at - place as usize * step;
        let part = |(index, weight): (usize, &f32)| {
            let from = place + (index as isize - 2) * spacing as isize;
            weight * values[start + from.clamp(0, last) as usize * step]
        };
        WEIGHTS.iter().enumerate().map(part).sum::<f32>() / SUM
    };
    (0..values.len()).map(one).collect()
}

/// The sum of the bands of a gradient, each divided by its root mean square: what is fine no longer hides what is
/// coarse (Mordvintsev, Olah, Tyka 2015, DeepDream). Every band is twice as coarse as the one before; none is left out.
pub fn pyramid(gradient: &[f32], size: [usize; 3], levels: usize) -> Vec<f32> {
    let mut sum = vec![0.0; gradient.len()];
    let mut rest = gradient.to_vec();
    for level in 0..levels.max(1) {
        let is_last = level + 1 == levels.max(1);
        let coarse = match is_last {
            true => vec![0.0; rest.len()],
            false => smooth(&rest, size, 1 << level),
        };
        let mut band: Vec<f32> = rest.iter().zip(&coarse).map(|(r, c)| r - c).collect();
        to_unit(&mut band);
        sum.iter_mut()
            .zip(&band)
            .for_each(|(sum, band)| *sum += band);
        rest = coarse;
    }
    sum
}

/// Divides by the root mean square; zeros stay.
pub fn to_unit(values: &mut [f32]) {
    let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let size = (square / values.len().max(1) as f64).sqrt();
    if size > 0.0 && size.is_finite() {
        let scale = (1.0 / size) as f32;
        values.iter_mut().for_each(|value| *value *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_the_sum_inside_and_what_is_even() {
        let size = [9, 11, 1];
        assert_eq!(smooth(&[0.5; 99], size, 2), [0.5; 99]);
        let mut one = [0.0; 99];
        one[4 * 11 + 5] = 1.0;
        let smoothed = smooth(&one, size, 1);
        assert!((smoothed.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(smoothed[4 * 11 + 5], 36.0 / 256.0);
        assert_eq!(smoothed[2 * 11 + 3], 1.0 / 256.0);
    }

    /// A fine and a coarse wave of very different strength come out alike.
    #[test]
    fn every_scale_gets_the_same_strength() {
        let size = [1, 64, 1];
        // It fades towards the ends, beyond which the smoothing sees other values than the wave's.
        let fade = |x: usize| (x as f32 / 63.0 * std::f32::consts::PI).sin().powi(2);
        let fine = |x: usize| {
            if x.is_multiple_of(2) {
                fade(x)
            } else {
                -fade(x)
            }
        };
        let coarse = |x: usize| (x as f32 / 64.0 * std::f32::consts::TAU).sin();
        let mixed: Vec<f32> = (0..64).map(|x| fine(x) + 0.01 * coarse(x)).collect();
        let made = pyramid(&mixed, size, 2);
        let part = |wave: &dyn Fn(usize) -> f32| {
            let inside = 8..56;
            let product: f32 = inside.clone().map(|x| wave(x) * made[x]).sum();
            let square: f32 = inside.map(|x| wave(x) * wave(x)).sum();
            product / square
        };
        // 1 over the root mean square of the wave, that of the fading being √(3/8), that of a sine √(1/2).
        assert!((part(&fine) - 1.63).abs() < 0.05, "{}", part(&fine));
        assert!((part(&coarse) - 1.4).abs() < 0.2, "{}", part(&coarse));
    }
}
