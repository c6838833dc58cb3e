//! Figures of answers: precision, recall and F1 by class; calibration.

/// How well a class is told from the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct ClassFigures {
    /// Images of the class.
    pub images: u64,
    /// Images taken for it.
    pub taken: u64,
    /// Images of it taken for it.
    pub right: u64,
}

impl ClassFigures {
    /// Of the images taken for the class, the share that is of it; `None` where none is taken for it.
    pub fn precision(&self) -> Option<f64> {
        (self.taken > 0).then(|| self.right as f64 / self.taken as f64)
    }

    /// Of the images of the class, the share that is taken for it; `None` where there are none.
    pub fn recall(&self) -> Option<f64> {
        (self.images > 0).then(|| self.right as f64 / self.images as f64)
    }

    /// The harmonic mean of precision and recall; `None` where neither is known.
    pub fn f1(&self) -> Option<f64> {
        let both = self.images + self.taken;
        (both > 0).then(|| 2.0 * self.right as f64 / both as f64)
    }
}

/// The figures of each class, from right classes and answers.
pub fn class_figures(pairs: &[(u32, (u32, f32))], classes: usize) -> Vec<ClassFigures> {
    let mut figures = vec![ClassFigures::default(); classes];
    for (label, (answer, _)) in pairs {
        if let Some(figures) = figures.get_mut(*label as usize) {
            figures.images += 1;
            figures.right += u64::from(label == answer);
        }
        if let Some(figures) = figures.get_mut(*answer as usize) {
            figures.taken += 1;
        }
    }
    figures
}

/// Bins of the calibration curve.
pub const BINS: usize = 15;

/// Images whose answers are about as sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Bin {
    /// How many.
    pub images: u64,
    /// How many of them are right.
    pub right: u64,
    /// The sum of their answers' probabilities.
    pub probability: f64,
}

impl Bin {
    /// Mean probability and share of right answers; `None` of an empty bin.
    pub fn point(&self) -> Option<[f64; 2]> {
        let images = self.images as f64;
        (self.images > 0).then(|| [self.probability / images, self.right as f64 / images])
    }
}

/// Images by the probability of their answer, in [`BINS`] bins of equal width, each with its upper end.
pub fn calibration(pairs: &[(u32, (u32, f32))]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for (label, (answer, probability)) in pairs {
        let place = (f64::from(*probability) * BINS as f64).ceil() as usize;
        if let Some(bin) = bins.get_mut(place.saturating_sub(1).min(BINS - 1)) {
            bin.images += 1;
            bin.right += u64::from(label == answer);
            bin.probability += f64::from(*probability);
        }
    }
    bins
}

/// Expected calibration error (Guo et al. 2017): how far the share of right answers is from their probability, the mean
/// over all images.
pub fn expected_error(bins: &[Bin]) -> f64 {
    let all: u64 = bins.iter().map(|bin| bin.images).sum();
    let off = |bin: &Bin| (bin.right as f64 - bin.probability).abs();
    bins.iter().map(off).sum::<f64>() / all.max(1) as f64
}
