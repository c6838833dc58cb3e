//! Structural similarity of two images (Wang, Bovik, Sheikh, Simoncelli 2004), with the settings of that paper.
//!
//! A Gaussian window of 11×11 pixels with σ = 1.5, K₁ = 0.01, K₂ = 0.03, moments without Bessel's correction; the mean
//! over all places where the whole window lies inside, and over channels. These are scikit-image's numbers with
//! `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`. Nothing here fails.

/// Pixels of the window along each axis.
pub const WINDOW: usize = 11;
/// What is said of the settings.
pub const SETTINGS: &str =
    "SSIM with a Gaussian window of 11×11 pixels, σ 1.5, on values from 0 (black) to 1 (white)";
const SIGMA: f64 = 1.5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// The similarity of two images as `height × width × channels` fractions, where 0 is black and 1 is white: 1 for equal
/// ones. `None` of images that are smaller than the window.
pub fn ssim(a: &[f32], b: &[f32], [height, width, channels]: [usize; 3]) -> Option<f64> {
    if height < WINDOW || width < WINDOW || channels == 0 {
        return None;
    }
    let plane = |image: &[f32], channel: usize| -> Vec<f64> {
        let values = image.iter().skip(channel).step_by(channels);
        values.map(|value| f64::from(*value)).collect()
    };
    let of_channel = |channel: usize| {
        let [a, b] = [plane(a, channel), plane(b, channel)];
        of_planes(&a, &b, [height, width])
    };
    Some((0..channels).map(of_channel).sum::<f64>() / channels as f64)
}

fn of_planes(a: &[f64], b: &[f64], size: [usize; 2]) -> f64 {
    let products =
        |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x * y).collect() };
    let [mean_a, mean_b] = [blurred(a, size), blurred(b, size)];
    let squares_a = blurred(&products(a, a), size);
    let squares_b = blurred(&products(b, b), size);
    let both = blurred(&products(a, b), size);
    let at = |i: usize| {
        let (x, y) = (mean_a[i], mean_b[i]);
        let [var_x, var_y] = [squares_a[i] - x * x, squares_b[i] - y * y];
        let covariance = both[i] - x * y;
        (2.0 * x * y + C1) * (2.0 * covariance + C2) / ((x * x + y * y + C1) * (var_x + var_y + C2))
    };
    (0..mean_a.len()).map(at).sum::<f64>() / mean_a.len().max(1) as f64
}

/// The weights of the window along an axis.
fn window() -> [f64; WINDOW] {
    let middle = (WINDOW / 2) as f64;
    let weight = |at: usize| (-0.5 * ((at as f64 - middle) / SIGMA).powi(2)).exp();
    let weights: [f64; WINDOW] = std::array::from_fn(weight);
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// The weighted mean at every place where the whole window lies inside.
fn blurred(plane: &[f64], [height, width]: [usize; 2]) -> Vec<f64> {
    let window = window();
    let (rows, columns) = (height - WINDOW + 1, width - WINDOW + 1);
    let along = |at: usize| {
        let from = at / columns * width + at % columns;
        let terms = window.iter().zip(&plane[from..from + WINDOW]);
        terms.map(|(weight, value)| weight * value).sum()
    };
    let across: Vec<f64> = (0..height * columns).map(along).collect();
    let down = |at: usize| {
        let terms = window.iter().enumerate();
        terms
            .map(|(row, weight)| weight * across[at + row * columns])
            .sum()
    };
    (0..rows * columns).map(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        /// Height, width and channels.
        size: [usize; 3],
        a: Vec<f32>,
        b: Vec<f32>,
        ssim: f64,
        psnr: f64,
    }

    /// The numbers are those of scikit-image: see `ssim.py`.
    #[test]
    fn the_similarity_is_that_of_scikit_image() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/ssim.json"
        );
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 4);
        for case in &cases {
            let found = ssim(&case.a, &case.b, case.size).unwrap();
            assert!(
                (found - case.ssim).abs() < 1e-6,
                "{:?}: {found} {}",
                case.size,
                case.ssim
            );
            let squares = case
                .a
                .iter()
                .zip(&case.b)
                .map(|(a, b)| f64::from(a - b).powi(2));
            let mse = squares.sum::<f64>() / case.a.len() as f64;
            assert!((-10.0 * mse.log10() - case.psnr).abs() < 1e-4, "PSNR");
        }
        assert_eq!(ssim(&[0.5; 100], &[0.5; 100], [10, 10, 1]), None);
        assert!((ssim(&[0.5; 242], &[0.5; 242], [11, 11, 2]).unwrap() - 1.0).abs() < 1e-12);
    }
}
