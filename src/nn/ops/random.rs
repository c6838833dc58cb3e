//! Random numbers on whole batches: dropout and Gaussian noise.
//!
//! Elements take the words of a stream in order. A task begins at the word of its first element, so that the numbers
//! are the same however many threads there are.

use super::chacha::Words;
use super::functions;
use super::norm_rows::{repeat, row_width};
use super::real::Real;
use super::simd::vectorized;
use rayon::prelude::*;

/// Elements of a task.
const TASK: usize = 1 << 14;
/// Words drawn at a time.
const WORDS: usize = 1024;
/// Two words make two normal numbers.
const PAIRS: usize = WORDS / 2;
/// What a word is compared with: its upper 24 bits, as `rand` makes an f32 of them.
const UNIT_BITS: u32 = 24;

/// Zeroes elements with a probability and scales the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropping {
    /// Words below are dropped.
    threshold: u32,
    factor: f32,
}

impl Dropping {
    pub(crate) fn new(p: f32) -> Dropping {
        Dropping {
            threshold: (f64::from(p) * f64::from(1u32 << UNIT_BITS)).ceil() as u32,
            factor: 1.0 / (1.0 - p),
        }
    }

    /// What is kept is multiplied by it.
    pub(crate) fn factor(self) -> f32 {
        self.factor
    }

    /// `out = x·factor`, or 0 where an element is dropped; `kept` notes which are not.
    pub(crate) fn draw<T: Real>(self, words: Words, x: &[T], kept: &mut [u8], out: &mut [T]) {
        let tasks = out.par_chunks_mut(TASK).zip(kept.par_chunks_mut(TASK));
        let tasks = tasks.zip(x.par_chunks(TASK)).enumerate();
        tasks.for_each(|(task, ((out, kept), x))| {
            let pieces = out.chunks_mut(WORDS).zip(kept.chunks_mut(WORDS));
            for (piece, ((out, kept), x)) in pieces.zip(x.chunks(WORDS)).enumerate() {
                drop_some(words, task * TASK + piece * WORDS, self, x, kept, out);
            }
        });
    }

    /// `out = x·factor` where an element was kept, else 0.
    pub(crate) fn repeat<T: Real>(self, x: &[T], kept: &[u8], out: &mut [T]) {
        out.par_chunks_mut(TASK)
            .zip(x.par_chunks(TASK).zip(kept.par_chunks(TASK)))
            .for_each(|(out, (x, kept))| keep_some(kept, self, x, out));
    }

    /// A factor for each of so many elements.
    pub(crate) fn factors(self, words: Words, factors: &mut [f32]) {
        let (mut kept, ones) = ([0; WORDS], [1.0; WORDS]);
        for (piece, factors) in factors.chunks_mut(WORDS).enumerate() {
            drop_some(words, piece * WORDS, self, &ones, &mut kept, factors);
        }
    }
}

vectorized! {
    /// At most `WORDS` elements, from the word `first` on.
    fn drop_some<T: Real>(words: Words, first: usize, dropping: Dropping, x: &[T], kept: &mut [u8], out: &mut [T]) {
        let mut drawn = [0; WORDS];
        words.draw(first, &mut drawn);
        let Dropping { threshold, factor } = dropping;
        let factor = T::narrow(f64::from(factor));
        for (((out, kept), &x), &word) in out.iter_mut().zip(kept).zip(x).zip(&drawn) {
            let is_kept = word >> (32 - UNIT_BITS) >= threshold;
            *kept = u8::from(is_kept);
            *out = x * if is_kept { factor } else { T::zero() };
        }
    }

    fn keep_some<T: Real>(kept: &[u8], dropping: Dropping, x: &[T], out: &mut [T]) {
        let factor = T::narrow(f64::from(dropping.factor));
        for ((out, &x), &kept) in out.iter_mut().zip(x).zip(kept) {
            *out = x * if kept != 0 { factor } else { T::zero() };
        }
    }

    fn scale_rows<T: Real>(x: &[T], row: &[T], out: &mut [T]) {
        for (out, x) in out.chunks_mut(row.len()).zip(x.chunks(row.len())) {
            for ((out, &x), &factor) in out.iter_mut().zip(x).zip(row) {
                *out = x * factor;
            }
        }
    }
}

/// `out = x·factor` with a factor for each channel of each image.
pub(crate) fn scale_channels<T: Real>(x: &[T], factors: &[f32], images: usize, out: &mut [T]) {
    let channels = (factors.len() / images.max(1)).max(1);
    let image = (x.len() / images.max(1)).max(1);
    let width = row_width(channels);
    let each = out.par_chunks_mut(image).zip(x.par_chunks(image));
    each.zip(factors.par_chunks(channels))
        .for_each(|((out, x), factors)| {
            T::with_scratch(width, |row| {
                let (first, rest) = row.split_at_mut(channels);
                for (to, &factor) in first.iter_mut().zip(factors) {
                    *to = T::narrow(f64::from(factor));
                }
                repeat(first, rest);
                scale_rows(x, row, out);
            });
        });
}

/// `out = x + deviation·z` with normal numbers z.
pub(crate) fn add_noise<T: Real>(words: Words, deviation: f32, x: &[T], out: &mut [T]) {
    let tasks = out.par_chunks_mut(TASK).zip(x.par_chunks(TASK));
    tasks.enumerate().for_each(|(task, (out, x))| {
        let pieces = out.chunks_mut(WORDS).zip(x.chunks(WORDS));
        for (piece, (out, x)) in pieces.enumerate() {
            add_normal(words, task * TASK + piece * WORDS, deviation, x, out);
        }
    });
}

vectorized! {
    /// At most `WORDS` elements, from the word `first` on.
    fn add_normal<T: Real>(words: Words, first: usize, deviation: f32, x: &[T], out: &mut [T]) {
        let (mut drawn, mut normal) = ([0; WORDS], [0.0; WORDS]);
        words.draw(first, &mut drawn);
        let (radii, angles) = drawn.split_at(PAIRS);
        let (cosines, sines) = normal.split_at_mut(PAIRS);
        for (((cosine, sine), &radius), &angle) in cosines.iter_mut().zip(sines).zip(radii).zip(angles) {
            (*cosine, *sine) = functions::normal_pair(radius, angle);
        }
        for ((out, &x), &normal) in out.iter_mut().zip(x).zip(&normal) {
            *out = x + T::narrow(f64::from(deviation * normal));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use strata_core::rng::{Purpose, stream};

    fn words() -> Words {
        Words::new(stream(7, Purpose::Dropout, 3).get_seed())
    }

    /// Every element is compared with the number that one generator would have drawn for it.
    #[test]
    fn elements_take_the_numbers_of_a_stream_in_order() {
        let count = 2 * TASK + WORDS + 5;
        let x: Vec<f32> = (0..count).map(|i| i as f32 - 9000.0).collect();
        for p in [0.0, 0.3, 0.5, 0.999] {
            let dropping = Dropping::new(p);
            let (mut kept, mut y) = (vec![9; count], vec![9.0; count]);
            dropping.draw(words(), &x, &mut kept, &mut y);
            let mut rng = stream(7, Purpose::Dropout, 3);
            for ((&x, &y), &kept) in x.iter().zip(&y).zip(&kept) {
                let is_kept = rng.random::<f32>() >= p;
                let factor = if is_kept { 1.0 / (1.0 - p) } else { 0.0 };
                assert_eq!((y, kept == 1), (x * factor, is_kept), "p = {p}, x = {x}");
            }
            let mut again = vec![9.0; count];
            dropping.repeat(&x, &kept, &mut again);
            assert_eq!(again, y);
            let mut factors = vec![0.0; 100];
            dropping.factors(words(), &mut factors);
            let noted: Vec<bool> = factors.iter().map(|&factor| factor != 0.0).collect();
            let kept: Vec<bool> = kept[..100].iter().map(|&kept| kept == 1).collect();
            assert_eq!(noted, kept);
        }
    }

    #[test]
    fn channels_of_an_image_share_a_factor() {
        let factors = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let x = vec![1.0; 2 * 3 * 70];
        let mut y = vec![0.0; x.len()];
        scale_channels(&x, &factors, 2, &mut y);
        for (i, &y) in y.iter().enumerate() {
            assert_eq!(y, f64::from(factors[i / 210 * 3 + i % 3]));
        }
    }

    /// Moments of a million numbers, neighbours and pairs: each within five of its standard errors.
    #[test]
    fn noise_is_normal() {
        let count = 1 << 20;
        let mut z = vec![0.0f64; count];
        add_noise(words(), 1.0, &vec![0.0; count], &mut z);
        let mean = |of: &dyn Fn(usize) -> f64| (0..count).map(of).sum::<f64>() / count as f64;
        let error = 5.0 / (count as f64).sqrt();
        let power = |n: i32| mean(&|i| z[i].powi(n));
        assert!(power(1).abs() < error, "{}", power(1));
        assert!((power(2) - 1.0).abs() < error * 2f64.sqrt());
        assert!(power(3).abs() < error * 15f64.sqrt());
        assert!((power(4) - 3.0).abs() < error * 96f64.sqrt());
        for apart in [1, 2, PAIRS, WORDS] {
            let product = mean(&|i| z[i] * z[(i + apart) % count]);
            assert!(product.abs() < error, "{apart}: {product}");
        }
        let beyond = |limit: f64| mean(&|i| f64::from(u8::from(z[i].abs() > limit)));
        assert!((beyond(1.0) - 0.317_310_5).abs() < error);
        assert!((beyond(3.0) - 0.002_699_8).abs() < error * 0.052);
        assert!(z.iter().all(|z| z.abs() < 6.8));
    }

    #[test]
    fn fewer_elements_get_the_same_numbers() {
        let count = 2 * TASK + 3000;
        let (mut all, mut some) = (vec![0.0f32; count], vec![0.0f32; TASK + 7]);
        add_noise(words(), 0.5, &vec![1.0; count], &mut all);
        add_noise(words(), 0.5, &vec![1.0; some.len()], &mut some);
        assert_eq!(some, all[..some.len()]);
    }
}
