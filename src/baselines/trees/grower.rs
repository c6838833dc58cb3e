//! Grows one regression tree, always at the leaf where that gains most.

use super::bins::Binned;
use super::histogram::{Bins, Histogram, Slopes, Split, Sums};
use super::tree::{Node, Tree};

/// Leaves of a tree at most.
const MOST_LEAVES: usize = 31;
/// Rows that a leaf has at least.
const LEAST_ROWS: u32 = 20;
/// Bends that a leaf has at least.
const LEAST_BEND: f64 = 1e-3;
/// What keeps a value finite where nothing bends.
const TINY: f64 = 1e-15;

/// A leaf of the tree while it grows.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    sums: Sums,
    /// Where it can be split, with its histogram.
    split: Option<(Split, Histogram)>,
}

/// Grows a tree that moves each row against its slope, as far as the bend allows, times `rate`. Adds to `raw` what it
/// gives for every row, `step` values apart.
pub(super) fn grow(
    (binned, bins): (&Binned, &Bins),
    slopes: &[Slopes],
    rate: f64,
    raw: &mut [f64],
    step: usize,
) -> Tree<f64> {
    let mut tree = Tree::default();
    tree.nodes.push(Node::default());
    let rows: Vec<u32> = (0..binned.rows as u32).collect();
    let root = Leaf {
        node: 0,
        sums: sum(&rows, slopes),
        rows,
        split: None,
    };
    let mut leaves = vec![root];
    let whole = &mut leaves[0];
    if whole.can_split() {
        let histogram = bins.histogram(&whole.rows, slopes, whole.sums);
        // There the whole has no value yet, so nothing that a split must win against.
        whole.find(bins, histogram, 0.0);
    }
    while leaves.len() < MOST_LEAVES {
        let Some(place) = most_gain(&leaves) else {
            break;
        };
        let leaf = leaves.swap_remove(place);
        let is_last = leaves.len() + 2 == MOST_LEAVES;
        leaves.extend(split(leaf, (binned, bins), slopes, &mut tree, is_last));
    }
    // In the order of the nodes, so that a tree does not depend on when a leaf was looked at.
    leaves.sort_by_key(|leaf| leaf.node);
    for leaf in &leaves {
        let value = rate * value(leaf.sums);
        tree.nodes[leaf.node].leaf = tree.values.len() as u32;
        tree.values.push(value);
        for row in &leaf.rows {
            raw[*row as usize * step] += value;
        }
    }
    tree
}

/// The leaf whose split gains most; of equally good ones the earliest node.
fn most_gain(leaves: &[Leaf]) -> Option<usize> {
    let gain = |leaf: &Leaf| leaf.split.as_ref().map(|(split, _)| split.gain);
    let splits = leaves.iter().enumerate();
    let splits = splits.filter_map(|(place, leaf)| Some((place, gain(leaf)?, leaf.node)));
    let best = splits.reduce(|best, other| {
        let is_better = other.1 > best.1 || (other.1 == best.1 && other.2 < best.2);
        if is_better { other } else { best }
    });
    best.map(|(place, _, _)| place)
}

fn split(
    leaf: Leaf,
    (binned, bins): (&Binned, &Bins),
    slopes: &[Slopes],
    tree: &mut Tree<f64>,
    is_last: bool,
) -> Vec<Leaf> {
    let Some((split, histogram)) = leaf.split else {
        return Vec::new();
    };
    let codes = binned.codes(split.feature);
    let goes_left = |row: &&u32| codes[**row as usize] <= split.bin;
    let (left, right): (Vec<u32>, Vec<u32>) = leaf.rows.iter().partition(goes_left);
    let first = tree.nodes.len();
    tree.nodes.extend([Node::default(); 2]);
    let node = &mut tree.nodes[leaf.node];
    node.feature = split.feature as u32;
    node.threshold = binned.features[split.feature].edges[split.bin as usize];
    node.children = [first as u32, first as u32 + 1];
    let child = |side: usize, rows: Vec<u32>, sums: Sums| Leaf {
        node: first + side,
        rows,
        sums,
        split: None,
    };
    let mut children = vec![
        child(0, left, split.left),
        child(1, right, leaf.sums.less(split.left)),
    ];
    let can_split = children.iter().any(Leaf::can_split);
    if is_last || !can_split {
        return children;
    }
    // Only the smaller child is summed; the other has the rest. Of equally large ones it is the second, as there.
    let smaller = usize::from(children[1].rows.len() <= children[0].rows.len());
    let small = &children[smaller];
    let own = bins.histogram(&small.rows, slopes, small.sums);
    let rest = bins.rest(histogram, &own);
    for (child, histogram) in [(smaller, own), (1 - smaller, rest)] {
        let child = &mut children[child];
        child.find(bins, histogram, loss(child.sums));
    }
    children
}

impl Leaf {
    fn can_split(&self) -> bool {
        self.sums.rows >= 2 * LEAST_ROWS && self.sums.bend >= LEAST_BEND
    }

    /// Looks for the best split; unsplit the loss changes by `loss`.
    fn find(&mut self, bins: &Bins, mut histogram: Histogram, loss: f64) {
        if !self.can_split() {
            return;
        }
        let whole = self.sums;
        let gain = move |left: Sums| {
            let right = whole.less(left);
            let is_allowed = left.rows >= LEAST_ROWS
                && right.rows >= LEAST_ROWS
                && left.bend >= LEAST_BEND
                && right.bend >= LEAST_BEND;
            let gain = loss - self::loss(left) - self::loss(right);
            (is_allowed && gain > 0.0).then_some(gain)
        };
        let split = bins.best(&mut histogram, &gain);
        self.split = split.map(|split| (split, histogram));
    }
}

/// How far the rows are moved.
fn value(sums: Sums) -> f64 {
    -sums.slope / (sums.bend + TINY)
}

/// What the loss changes by then, twice over: not above 0. Computed and subtracted in the order of scikit-learn, since
/// splits that are equally good are told apart by the last bit: a split and its mirror image on another feature.
fn loss(sums: Sums) -> f64 {
    sums.slope * value(sums)
}

fn sum(rows: &[u32], slopes: &[Slopes]) -> Sums {
    let mut sums = Sums::default();
    for row in rows {
        let own = slopes[*row as usize];
        sums.add(Sums {
            slope: own.slope.into(),
            bend: own.bend.into(),
            rows: 1,
        });
    }
    sums
}
