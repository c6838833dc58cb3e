//! What is taken off the score of an image, so that it stays plausible: large values, unrest, likeness to others.
//!
//! Each gives the value and adds `−weight · n · ∂value/∂image` to a direction, where n is the number of values: the
//! score's gradient comes with a root mean square of 1, so that a weight means the same on every network and size.

use serde::{Deserialize, Serialize};

/// A penalty on large values (Mahendran, Vedaldi 2015, take higher norms).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Penalty {
    /// None.
    #[default]
    None,
    /// The mean of the squares.
    L2,
    /// The mean of the fourth powers.
    L4,
    /// The largest absolute value.
    Linf,
}

impl Penalty {
    /// All of them, in the order of menus.
    pub const ALL: [Penalty; 4] = [Penalty::None, Penalty::L2, Penalty::L4, Penalty::Linf];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Penalty::None => "none",
            Penalty::L2 => "l2",
            Penalty::L4 => "l4",
            Penalty::Linf => "linf",
        }
    }

    /// What it is called in the window.
    pub fn name(self) -> &'static str {
        match self {
            Penalty::None => "no penalty",
            Penalty::L2 => "L2",
            Penalty::L4 => "L4",
            Penalty::Linf => "L∞",
        }
    }

    /// The penalty of this word.
    pub fn of_word(word: &str) -> Option<Penalty> {
        Penalty::ALL
            .into_iter()
            .find(|penalty| penalty.word() == word)
    }

    /// The penalty of an image (numbers as the network gets them).
    pub fn value(self, image: &[f32]) -> f64 {
        let count = image.len().max(1) as f64;
        let mean =
            |power: i32| image.iter().map(|x| f64::from(*x).powi(power)).sum::<f64>() / count;
        match self {
            Penalty::None => 0.0,
            Penalty::L2 => mean(2),
            Penalty::L4 => mean(4),
            Penalty::Linf => f64::from(largest(image)),
        }
    }

    /// Takes its gradient off the direction. Of equally large values each gets the same part.
    pub fn take_off(self, image: &[f32], weight: f32, direction: &mut [f32]) {
        let pairs = direction.iter_mut().zip(image);
        match self {
            Penalty::None => {}
            Penalty::L2 => pairs.for_each(|(slope, x)| *slope -= weight * 2.0 * x),
            Penalty::L4 => pairs.for_each(|(slope, x)| *slope -= weight * 4.0 * x.powi(3)),
            Penalty::Linf => {
                let most = largest(image);
                let are_largest = image.iter().filter(|x| x.abs() == most).count().max(1);
                let part = weight * image.len() as f32 / are_largest as f32;
                pairs
                    .filter(|(_, x)| x.abs() == most && most > 0.0)
                    .for_each(|(slope, x)| *slope -= part * x.signum());
            }
        }
    }
}

fn largest(image: &[f32]) -> f32 {
    image.iter().fold(0.0, |most, x| x.abs().max(most))
}

/// Keeps the root of total variation smooth where neighbours are equal.
const SMOOTH: f32 = 1e-3;

/// Total variation (Rudin, Osher, Fatemi 1992): the mean length of the difference to the pixel below and to the right,
/// of `S × H × W × C` values.
pub fn total_variation(image: &[f32], size: [usize; 3]) -> f64 {
    let mut sum = 0.0;
    each_difference(image, size, |_, [down, right], length| {
        debug_assert!(down.is_finite() == right.is_finite());
        sum += f64::from(length);
    });
    sum / image.len().max(1) as f64
}

/// Takes its gradient off the direction.
pub fn take_off_variation(image: &[f32], size: [usize; 3], weight: f32, direction: &mut [f32]) {
    let [_, width, channels] = size;
    if weight == 0.0 {
        return;
    }
    each_difference(image, size, |at, [down, right], length| {
        // A difference of 0 has no part; beyond the last row or column there is no pixel that it could be of.
        let [down, right] = [down, right].map(|difference| weight * difference / length);
        direction[at] += down + right;
        if down != 0.0 {
            direction[at + width * channels] -= down;
        }
        if right != 0.0 {
            direction[at + channels] -= right;
        }
    });
}

/// Calls with every value's place, its differences to the one below and to the right, and their length.
fn each_difference(image: &[f32], size: [usize; 3], mut take: impl FnMut(usize, [f32; 2], f32)) {
    let [height, width, channels] = size;
    for at in 0..image.len() {
        let column = at / channels % width;
        let row = at / (channels * width) % height;
        let to = |is_there: bool, step: usize| match is_there {
            true => image[at + step] - image[at],
            false => 0.0,
        };
        let down = to(row + 1 < height, width * channels);
        let right = to(column + 1 < width, channels);
        let length = (down * down + right * right + SMOOTH * SMOOTH).sqrt();
        take(at, [down, right], length);
    }
}

/// Likeness of images that show the same: the cosine of their deviations from their means, the mean over all others.
pub fn likeness(images: &[&[f32]], index: usize) -> f64 {
    let all: Vec<Vec<f32>> = images.iter().map(|image| deviations(image)).collect();
    let cosines = others(&all, index).map(|other| cosine(&all[index], other));
    cosines.sum::<f64>() / (images.len() - 1).max(1) as f64
}

/// Takes its gradient by the image of this number off the direction.
pub fn take_off_likeness(images: &[&[f32]], index: usize, weight: f32, direction: &mut [f32]) {
    if images.len() < 2 || weight == 0.0 {
        return;
    }
    let all: Vec<Vec<f32>> = images.iter().map(|image| deviations(image)).collect();
    let own = &all[index];
    let square = dot(own, own);
    let share = f64::from(weight) * own.len() as f64 / (images.len() - 1) as f64;
    for other in others(&all, index) {
        let lengths = (square * dot(other, other)).sqrt();
        if lengths == 0.0 {
            continue;
        }
        let cosine = cosine(own, other);
        // Deviations add up to 0, so the mean's part of the gradient is 0.
        for ((slope, own), other) in direction.iter_mut().zip(own).zip(other) {
            let part = f64::from(*other) / lengths - cosine * f64::from(*own) / square;
            *slope -= (share * part) as f32;
        }
    }
}

fn others(all: &[Vec<f32>], index: usize) -> impl Iterator<Item = &Vec<f32>> {
    let is_other = move |(at, _): &(usize, &Vec<f32>)| *at != index;
    all.iter().enumerate().filter(is_other).map(|(_, of)| of)
}

fn deviations(image: &[f32]) -> Vec<f32> {
    let mean = image.iter().map(|x| f64::from(*x)).sum::<f64>() / image.len().max(1) as f64;
    image.iter().map(|x| x - mean as f32).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths == 0.0 {
        return 0.0;
    }
    dot(a, b) / lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 3] = [4, 5, 2];

    fn image(step: usize) -> Vec<f32> {
        let count = 2 * SIZE.iter().product::<usize>();
        let value = |index: usize| ((index * step) % 37) as f32 / 37.0 - 0.45;
        (0..count).map(value).collect()
    }

    /// Against central differences of the value, times the number of values.
    fn compare(value: impl Fn(&[f32]) -> f64, gradient: &[f32], what: &str) {
        let image = image(7);
        const STEP: f32 = 1e-2;
        for place in 0..image.len() {
            let at = |step: f32| {
                let mut moved = image.clone();
                moved[place] += step;
                value(&moved)
            };
            let difference = (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP) * image.len() as f64;
            let found = f64::from(-gradient[place]);
            assert!(
                (found - difference).abs() < 3e-2 * difference.abs().max(1.0),
                "{what} at {place}: {found} {difference}"
            );
        }
    }

    #[test]
    fn every_penalty_equals_differences() {
        for penalty in Penalty::ALL {
            let mut gradient = vec![0.0; image(7).len()];
            penalty.take_off(&image(7), 1.0, &mut gradient);
            if penalty == Penalty::Linf {
                // Where two values are nearly the largest, a difference steps over the edge.
                let at = |place: &usize| gradient[*place] != 0.0;
                assert!((0..gradient.len()).filter(at).count() >= 1);
                let sum: f32 = gradient.iter().map(|slope| slope.abs()).sum();
                assert_eq!(sum, gradient.len() as f32);
                continue;
            }
            compare(|image| penalty.value(image), &gradient, penalty.word());
        }
        let single = |scale: f32| Penalty::Linf.value(&[0.1, -0.7 * scale, 0.3]);
        let mut gradient = [0.0; 3];
        Penalty::Linf.take_off(&[0.1, -0.7, 0.3], 1.0, &mut gradient);
        let difference = (single(1.01) - single(0.99)) / (0.7 * 0.02) * 3.0;
        assert!((f64::from(gradient[1]) - difference).abs() < 1e-3);
    }

    #[test]
    fn total_variation_and_likeness_equal_differences() {
        let mut gradient = vec![0.0; image(7).len()];
        take_off_variation(&image(7), SIZE, 1.0, &mut gradient);
        compare(|image| total_variation(image, SIZE), &gradient, "variation");
        let (second, third) = (image(5), image(11));
        let mut gradient = vec![0.0; image(7).len()];
        take_off_likeness(&[&second, &image(7), &third], 1, 1.0, &mut gradient);
        compare(
            |image| likeness(&[&second, image, &third], 1),
            &gradient,
            "likeness",
        );
    }
}
