//! Random forest (Breiman 2001): trees on draws of the rows, each split the best of a few features.

use super::bins::{Binned, between};
use super::tree::{Node, Tree};
use crate::model::{Classifier, GoOn, Predictions, Samples, greatest};
use rand::RngCore;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use strata_core::rng::{Purpose, stream};
use strata_inspect::neighbours::Rows;

/// How many trees.
const TREES: usize = 100;
/// Trees that are grown between two questions whether to go on.
const BLOCK: usize = 8;
/// Rows that are asked between two questions.
const ASKED: usize = 1024;

/// The trees; a leaf has the share of each class.
pub(crate) struct Forest {
    trees: Vec<Tree<Vec<f32>>>,
    classes: usize,
}

impl Forest {
    /// Grows it.
    pub fn fit(samples: &Samples, seed: u64, go_on: GoOn<'_>) -> Option<Forest> {
        if !go_on(0, TREES) {
            return None;
        }
        let binned = Binned::of(samples.rows());
        let mut trees = Vec::with_capacity(TREES);
        while trees.len() < TREES {
            let block = trees.len()..TREES.min(trees.len() + BLOCK);
            let grown: Vec<Tree<Vec<f32>>> = block
                .into_par_iter()
                .map(|tree| Grower::new(samples, &binned, seed, tree as u64).grow())
                .collect();
            trees.extend(grown);
            if !go_on(trees.len(), TREES) {
                return None;
            }
        }
        Some(Forest {
            trees,
            classes: samples.classes,
        })
    }
}

impl Classifier for Forest {
    fn predict(&self, rows: Rows<'_>, go_on: GoOn<'_>) -> Option<Predictions> {
        let mut probabilities = vec![0.0; rows.len() * self.classes];
        for (block, out) in probabilities.chunks_mut(ASKED * self.classes).enumerate() {
            let rows_out = out.par_chunks_exact_mut(self.classes).enumerate();
            rows_out.for_each(|(at, shares)| {
                let row = rows.row(block * ASKED + at);
                for tree in &self.trees {
                    let leaf = &tree.values[tree.leaf(row)];
                    for (share, own) in shares.iter_mut().zip(leaf) {
                        *share += f64::from(*own) / self.trees.len() as f64;
                    }
                }
            });
            if !go_on(rows.len().min((block + 1) * ASKED), rows.len()) {
                return None;
            }
        }
        let answers = probabilities.chunks_exact(self.classes).map(greatest);
        Some(Predictions {
            answers: answers.collect(),
            probabilities,
        })
    }
}

/// A row of a node: the bin of one feature, the class, and how often the row was drawn.
type Entry = (u8, u16, u32);

/// A split: the feature, the last bin that goes left and the threshold.
struct Split {
    quality: f64,
    feature: u32,
    bin: u8,
    threshold: f32,
}

/// Grows one tree.
struct Grower<'a> {
    samples: &'a Samples,
    binned: &'a Binned,
    random: ChaCha8Rng,
    /// How often each row was drawn.
    weights: Vec<u32>,
    /// All features, the constant ones of the present node anywhere: an order that draws are taken from.
    features: Vec<u32>,
    entries: Vec<Entry>,
    tree: Tree<Vec<f32>>,
}

impl<'a> Grower<'a> {
    fn new(samples: &'a Samples, binned: &'a Binned, seed: u64, tree: u64) -> Grower<'a> {
        let mut random = stream(seed, Purpose::Baseline, tree);
        let mut weights = vec![0; samples.len()];
        for _ in 0..samples.len() {
            weights[below(&mut random, samples.len())] += 1;
        }
        Grower {
            samples,
            binned,
            random,
            weights,
            features: (0..samples.width as u32).collect(),
            entries: Vec::new(),
            tree: Tree::default(),
        }
    }

    fn grow(mut self) -> Tree<Vec<f32>> {
        let drawn = (0..self.samples.len() as u32).filter(|row| self.weights[*row as usize] > 0);
        let mut rows: Vec<u32> = drawn.collect();
        self.tree.nodes.push(Node::default());
        // Nodes that wait, with their rows as a range of `rows`.
        let mut waiting = vec![(0usize, 0..rows.len())];
        while let Some((node, range)) = waiting.pop() {
            let own = &mut rows[range.clone()];
            let counts = self.counts(own);
            let is_pure = counts.iter().filter(|count| **count > 0).count() <= 1;
            let split = if is_pure {
                None
            } else {
                self.split(own, &counts)
            };
            let Some(split) = split else {
                self.leaf(node, &counts);
                continue;
            };
            let codes = self.binned.codes(split.feature as usize);
            let left = partition(own, |row| codes[row as usize] <= split.bin);
            let first = self.tree.nodes.len() as u32;
            self.tree.nodes.extend([Node::default(); 2]);
            let node = &mut self.tree.nodes[node];
            node.feature = split.feature;
            node.threshold = split.threshold;
            node.children = [first, first + 1];
            let middle = range.start + left;
            waiting.push((first as usize + 1, middle..range.end));
            waiting.push((first as usize, range.start..middle));
        }
        self.tree
    }

    /// The drawn rows of each class.
    fn counts(&self, rows: &[u32]) -> Vec<u64> {
        let mut counts = vec![0; self.samples.classes];
        for row in rows {
            let weight = self.weights[*row as usize];
            counts[self.samples.labels[*row as usize] as usize] += u64::from(weight);
        }
        counts
    }

    fn leaf(&mut self, node: usize, counts: &[u64]) {
        let all = counts.iter().sum::<u64>().max(1) as f32;
        self.tree.nodes[node].leaf = self.tree.values.len() as u32;
        let shares = counts.iter().map(|count| *count as f32 / all);
        self.tree.values.push(shares.collect());
    }

    /// The best split of √features that are drawn; while those are all constant in the node, of further ones.
    fn split(&mut self, rows: &[u32], counts: &[u64]) -> Option<Split> {
        let most = (self.samples.width as f64).sqrt().floor().max(1.0) as usize;
        let (mut visited, mut constant) = (0, 0);
        let mut best: Option<Split> = None;
        while visited < self.features.len() && (visited < most || visited <= constant) {
            let left = self.features.len() - visited;
            let drawn = visited + below(&mut self.random, left);
            self.features.swap(visited, drawn);
            let feature = self.features[visited];
            visited += 1;
            match self.best_of(feature, rows, counts) {
                None => constant += 1,
                Some(split) => {
                    let least = best.as_ref().map_or(f64::NEG_INFINITY, |best| best.quality);
                    if split.quality > least {
                        best = Some(split);
                    }
                }
            }
        }
        best
    }

    /// The best split by one feature; `None` where the node has one bin of it.
    fn best_of(&mut self, feature: u32, rows: &[u32], counts: &[u64]) -> Option<Split> {
        let codes = self.binned.codes(feature as usize);
        let first = codes[rows[0] as usize];
        if rows.iter().all(|row| codes[*row as usize] == first) {
            return None;
        }
        let entry = |row: &u32| {
            let row = *row as usize;
            let class = self.samples.labels[row] as u16;
            (codes[row], class, self.weights[row])
        };
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        entries.extend(rows.iter().map(entry));
        by_bin(&mut entries);
        let bins = &self.binned.features[feature as usize];
        let split = scan(&entries, counts).map(|(quality, [bin, next])| Split {
            quality,
            feature,
            bin,
            threshold: between(bins.spans[bin as usize][1], bins.spans[next as usize][0]),
        });
        self.entries = entries;
        split
    }
}

/// Orders entries by their bins: many by counting, few by comparing.
fn by_bin(entries: &mut Vec<Entry>) {
    const MANY: usize = 128;
    if entries.len() < MANY {
        return entries.sort_unstable_by_key(|entry| entry.0);
    }
    let mut ends = [0usize; 256];
    for (bin, _, _) in entries.iter() {
        ends[*bin as usize] += 1;
    }
    let mut start = 0;
    for end in &mut ends {
        start += std::mem::replace(end, start);
    }
    let mut ordered = vec![(0, 0, 0); entries.len()];
    for entry in entries.iter() {
        let place = &mut ends[entry.0 as usize];
        ordered[*place] = *entry;
        *place += 1;
    }
    *entries = ordered;
}

/// The purest split of entries in the order of their bins (the greatest sum of squares over weights, which is the least
/// Gini impurity), with the bins on both sides of it.
fn scan(entries: &[Entry], counts: &[u64]) -> Option<(f64, [u8; 2])> {
    let mut right = counts.to_vec();
    let mut left = vec![0u64; counts.len()];
    let mut weights = [0, counts.iter().sum::<u64>()];
    let mut squares = [0, right.iter().map(|count| count * count).sum::<u64>()];
    let mut best: Option<(f64, [u8; 2])> = None;
    for (at, (bin, class, weight)) in entries.iter().enumerate() {
        let (class, weight) = (*class as usize, u64::from(*weight));
        squares[0] += weight * (2 * left[class] + weight);
        squares[1] -= weight * (2 * right[class] - weight);
        left[class] += weight;
        right[class] -= weight;
        weights[0] += weight;
        weights[1] -= weight;
        let Some((next, _, _)) = entries.get(at + 1).filter(|next| next.0 != *bin) else {
            continue;
        };
        let quality = squares[0] as f64 / weights[0] as f64 + squares[1] as f64 / weights[1] as f64;
        if best.is_none_or(|(least, _)| quality > least) {
            best = Some((quality, [*bin, *next]));
        }
    }
    best
}

/// Puts the rows that go left first, in their order; how many they are.
fn partition(rows: &mut [u32], goes_left: impl Fn(u32) -> bool) -> usize {
    let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| goes_left(**row));
    rows[..left.len()].copy_from_slice(&left);
    rows[left.len()..].copy_from_slice(&right);
    left.len()
}

/// A number below `end`, which is at least 1: all equally likely, but for one part in 2³². Spelled out so that a forest
/// can be repeated with a later version of the `rand` crate.
fn below(random: &mut impl RngCore, end: usize) -> usize {
    let wide = u128::from(random.next_u64()) * end as u128;
    (wide >> 64) as usize
}
