//! Distances between rows of numbers, the nearest rows, and what they say of a class.
//!
//! Every distance is summed in one fixed order, so results do not depend on the number of threads. Of equal distances
//! the row that comes first is the nearer one. Nothing here fails.

use rayon::prelude::*;

/// How far two rows are from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// The length of their difference.
    #[default]
    Euclidean,
    /// One less the cosine of the angle between them: their lengths do not count.
    Cosine,
}

impl Metric {
    /// Both.
    pub const ALL: [Metric; 2] = [Metric::Euclidean, Metric::Cosine];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Metric::Euclidean => "euclidean",
            Metric::Cosine => "cosine",
        }
    }

    /// The metric of this word.
    pub fn of_word(word: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.word() == word)
    }
}

/// Rows of numbers one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f32],
    width: usize,
}

/// A row and its distance.
pub type Near = (usize, f32);

impl<'a> Rows<'a> {
    /// Rows of `width` numbers each.
    pub fn new(values: &'a [f32], width: usize) -> Rows<'a> {
        let width = width.max(1);
        Rows { values, width }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A row; empty where there is none.
    pub fn row(&self, index: usize) -> &'a [f32] {
        let start = index * self.width;
        self.values
            .get(start..start + self.width)
            .unwrap_or_default()
    }

    /// The distance of a row of the same width to every row.
    pub fn distances(&self, from: &[f32], metric: Metric) -> Vec<f32> {
        let rows = self.values.chunks_exact(self.width);
        match metric {
            Metric::Euclidean => rows.map(|row| squared(from, row).sqrt()).collect(),
            Metric::Cosine => {
                let length = dot(from, from).sqrt();
                let cosine = |row: &[f32]| {
                    let lengths = length * dot(row, row).sqrt();
                    // As scikit-learn: a row of zeros has no direction and is as far as a right angle.
                    let share = if lengths > 0.0 {
                        dot(from, row) / lengths
                    } else {
                        0.0
                    };
                    1.0 - share
                };
                rows.map(cosine).collect()
            }
        }
    }

    /// The `count` rows nearest to a row of the same width, the nearest first, without the row `except`.
    pub fn nearest(
        &self,
        from: &[f32],
        metric: Metric,
        count: usize,
        except: Option<usize>,
    ) -> Vec<Near> {
        let all = self.distances(from, metric).into_iter().enumerate();
        let others = all.filter(|(row, _)| Some(*row) != except);
        smallest(others.collect(), count)
    }
}

/// The first `count` by distance, the nearest first.
fn smallest(mut all: Vec<Near>, count: usize) -> Vec<Near> {
    let order = |a: &Near, b: &Near| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
    if count < all.len() {
        all.select_nth_unstable_by(count, order);
        all.truncate(count);
    }
    all.sort_unstable_by(order);
    all
}

/// Rows worked on between two questions whether to go on.
const BLOCK: usize = 128;

/// For every row of `asked` the nearest rows of `bank`; where both are the same rows, without the row itself. `go_on`
/// is told how many rows are done; `None` when it wants no more.
pub fn all_nearest(
    bank: Rows<'_>,
    asked: Rows<'_>,
    metric: Metric,
    count: usize,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<Vec<Vec<Near>>> {
    let is_same = std::ptr::eq(bank.values, asked.values);
    let mut found = Vec::with_capacity(asked.len());
    for from in (0..asked.len()).step_by(BLOCK) {
        let block = from..(from + BLOCK).min(asked.len());
        let nearest =
            |row: usize| bank.nearest(asked.row(row), metric, count, is_same.then_some(row));
        found.par_extend(block.into_par_iter().map(nearest));
        if !go_on(found.len()) {
            return None;
        }
    }
    Some(found)
}

/// The class of most of the neighbours; of equally many the one with the smaller number, as scikit-learn's
/// `KNeighborsClassifier` decides.
pub fn vote(neighbours: &[Near], labels: &[Option<u32>]) -> Option<u32> {
    let classes = neighbours
        .iter()
        .filter_map(|(row, _)| labels.get(*row).copied().flatten());
    let mut classes: Vec<u32> = classes.collect();
    classes.sort_unstable();
    let runs = classes.chunk_by(|a, b| a == b);
    let most = runs.reduce(|best, run| if run.len() > best.len() { run } else { best })?;
    most.first().copied()
}

/// Sums that are kept side by side, so that the compiler can use vector registers without another order of sums.
const LANES: usize = 16;

fn lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_blocks.remainder().iter().zip(b_blocks.remainder());
    let rest: f32 = rest.map(|(a, b)| term(*a, *b)).sum();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The square of the length of the difference.
pub fn squared(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |a, b| (a - b) * (a - b))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |a, b| a * b)
}
