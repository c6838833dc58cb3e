//! Sums of slopes by bin: for every feature and bin, over the rows of a node.
//!
//! The rows are kept as lists of the bins that are not the most frequent one of their feature (of images of digits, one
//! value in five); the sums of that bin are what is left of the whole. Features are dealt into chunks, each of which
//! threads sum in the order of the rows, so their number changes nothing.

use super::bins::Binned;
use rayon::prelude::*;
use std::ops::Range;

/// Features of a chunk: 64 of them have 16,320 bins at most, which 16 bits count.
const FEATURES: usize = 64;

/// The slope and the bend of the loss at a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slopes {
    pub slope: f32,
    pub bend: f32,
}

/// Sums over rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub slope: f64,
    pub bend: f64,
    pub rows: u32,
}

impl Sums {
    pub fn add(&mut self, other: Sums) {
        self.slope += other.slope;
        self.bend += other.bend;
        self.rows += other.rows;
    }

    pub fn less(self, other: Sums) -> Sums {
        Sums {
            slope: self.slope - other.slope,
            bend: self.bend - other.bend,
            rows: self.rows - other.rows,
        }
    }
}

/// Features side by side.
struct Chunk {
    features: Range<usize>,
    /// Where the bins of each feature begin among those of the chunk, and where the last end.
    starts: Vec<usize>,
    /// The most frequent bin of each feature.
    frequent: Vec<u8>,
    /// Of each row the other bins, counted through the chunk: `bins[row_ends[row]..row_ends[row + 1]]`.
    row_ends: Vec<u32>,
    bins: Vec<u16>,
}

impl Chunk {
    fn of(binned: &Binned, features: Range<usize>) -> Chunk {
        let mut starts = vec![0];
        let mut frequent = Vec::new();
        for feature in features.clone() {
            let bins = binned.features[feature].spans.len();
            let mut counts = vec![0u32; bins];
            for code in binned.codes(feature) {
                counts[*code as usize] += 1;
            }
            let most = counts.iter().max().copied().unwrap_or(0);
            let place = counts.iter().position(|count| *count == most);
            frequent.push(place.unwrap_or(0) as u8);
            starts.push(starts[starts.len() - 1] + bins);
        }
        let mut chunk = Chunk {
            features,
            starts,
            frequent,
            row_ends: vec![0],
            bins: Vec::new(),
        };
        for row in 0..binned.rows {
            for (at, feature) in chunk.features.clone().enumerate() {
                let code = binned.codes(feature)[row];
                if code != chunk.frequent[at] {
                    chunk.bins.push((chunk.starts[at] + code as usize) as u16);
                }
            }
            chunk.row_ends.push(chunk.bins.len() as u32);
        }
        chunk
    }

    fn bins(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    fn sum(&self, rows: &[u32], slopes: &[Slopes], whole: Sums, sums: &mut [Sums]) {
        sums.fill(Sums::default());
        for row in rows {
            let row = *row as usize;
            let own = slopes[row];
            let own = Sums {
                slope: own.slope.into(),
                bend: own.bend.into(),
                rows: 1,
            };
            for bin in &self.bins[self.row_ends[row] as usize..self.row_ends[row + 1] as usize] {
                sums[*bin as usize].add(own);
            }
        }
        for (at, bins) in self.starts.windows(2).enumerate() {
            let sums = &mut sums[bins[0]..bins[1]];
            let mut others = Sums::default();
            for sum in sums.iter() {
                others.add(*sum);
            }
            sums[self.frequent[at] as usize] = whole.less(others);
        }
    }
}

/// Where a feature's best split is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub gain: f64,
    pub feature: usize,
    /// The last bin that goes left.
    pub bin: u8,
    /// The sums on the left.
    pub left: Sums,
}

/// All rows by their bins.
pub(super) struct Bins {
    chunks: Vec<Chunk>,
    width: usize,
}

/// The sums of a node for every bin of every feature.
pub(super) struct Histogram(Vec<Sums>);

impl Bins {
    pub fn of(binned: &Binned) -> Bins {
        let width = binned.features.len();
        let starts: Vec<usize> = (0..width).step_by(FEATURES).collect();
        let chunks = starts.into_par_iter().map(|start| {
            let features = start..width.min(start + FEATURES);
            Chunk::of(binned, features)
        });
        let chunks: Vec<Chunk> = chunks.collect();
        Bins {
            width: chunks.iter().map(Chunk::bins).sum(),
            chunks,
        }
    }

    /// The sums over these rows, which are `whole` together.
    pub fn histogram(&self, rows: &[u32], slopes: &[Slopes], whole: Sums) -> Histogram {
        let mut histogram = Histogram(vec![Sums::default(); self.width]);
        let parts = self.parts(&mut histogram.0);
        parts
            .into_par_iter()
            .for_each(|(chunk, sums)| chunk.sum(rows, slopes, whole, sums));
        histogram
    }

    /// The sums of the rows that a node has besides those of its child.
    pub fn rest(&self, mut node: Histogram, child: &Histogram) -> Histogram {
        for (sum, child) in node.0.iter_mut().zip(&child.0) {
            *sum = sum.less(*child);
        }
        node
    }

    /// The best split of all features by `gain` of the sums on the left, `None` where it allows none; of equally good
    /// ones the first.
    pub fn best(
        &self,
        histogram: &mut Histogram,
        gain: &(dyn Fn(Sums) -> Option<f64> + Sync),
    ) -> Option<Split> {
        let parts = self.parts(&mut histogram.0).into_par_iter();
        let found: Vec<Option<Split>> = parts
            .map(|(chunk, sums)| best_of(chunk, sums, gain))
            .collect();
        found.into_iter().flatten().fold(None, better)
    }

    fn parts<'a>(&'a self, mut sums: &'a mut [Sums]) -> Vec<(&'a Chunk, &'a mut [Sums])> {
        let mut parts = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            let (own, rest) = sums.split_at_mut(chunk.bins());
            parts.push((chunk, own));
            sums = rest;
        }
        parts
    }
}

fn better(best: Option<Split>, split: Split) -> Option<Split> {
    match best {
        Some(best) if best.gain >= split.gain => Some(best),
        _ => Some(split),
    }
}

fn best_of(
    chunk: &Chunk,
    sums: &[Sums],
    gain: &(dyn Fn(Sums) -> Option<f64> + Sync),
) -> Option<Split> {
    let mut best = None;
    for (at, bins) in chunk.starts.windows(2).enumerate() {
        let mut left = Sums::default();
        // A split after the last bin would leave nothing on the right.
        for (bin, sum) in sums[bins[0]..bins[1] - 1].iter().enumerate() {
            if sum.rows == 0 {
                continue;
            }
            left.add(*sum);
            let Some(gain) = gain(left) else { continue };
            let split = Split {
                gain,
                feature: chunk.features.start + at,
                bin: bin as u8,
                left,
            };
            best = better(best, split);
        }
    }
    best
}
