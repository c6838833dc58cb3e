//! UMAP (McInnes, Healy and Melville 2018): a graph of nearest rows with fuzzy edges, laid out so that its edges are
//! short.
//!
//! Every step is umap-learn's, with its usual settings (spread 1, least distance 0.1, five negative samples), but the
//! start: the principal components instead of the graph's eigenvectors (Kobak and Linderman 2021 find both alike). The
//! crates there are (umap-rs and others) move points from many threads at once without a lock, so that no two maps are
//! equal; here one thread does, in one order. Nothing here fails.

use super::Progressing;
use super::tsne::Point;
use crate::neighbours::Near;
use rand::RngCore;
use std::collections::BTreeMap;

/// The curve 1 / (1 + a·d^2b) that is nearest to "1 up to 0.1, then exp(0.1 − d)": umap-learn's `find_ab_params(1, 0.1)`.
const A: f64 = 1.576_943_460_311_307_7;
const B: f64 = 0.895_060_878_109_733;
/// Rounds for maps of up to 10,000 points.
pub(super) const ROUNDS: usize = 500;
/// Points that are pushed away for each that is pulled.
const NEGATIVE: f64 = 5.0;
/// No coordinate moves farther in one step, at the first round's rate.
const FARTHEST: f64 = 4.0;
/// The start fills a square of this side.
const SIDE: f64 = 10.0;

/// An edge of the graph: both ends and its weight, over 0 up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    ends: [usize; 2],
    weight: f64,
}

/// The fuzzy graph of rows with their nearest others (without themselves).
pub fn graph(nearest: &[Vec<Near>]) -> Vec<Edge> {
    let all = nearest.iter().flatten().map(|(_, d)| f64::from(*d));
    let count = nearest.iter().map(|near| near.len() + 1).sum::<usize>();
    let mean = all.sum::<f64>() / count.max(1) as f64;
    let mut directed: BTreeMap<[usize; 2], f64> = BTreeMap::new();
    for (row, near) in nearest.iter().enumerate() {
        let distances: Vec<f64> = near.iter().map(|(_, d)| f64::from(*d)).collect();
        let (first, width) = smoothed(&distances, mean);
        for ((other, _), distance) in near.iter().zip(distances) {
            directed.insert([row, *other], membership(distance - first, width));
        }
    }
    // Either end may hold the edge: a + b − a·b, for both directions.
    let weight = |ends: [usize; 2]| directed.get(&ends).copied().unwrap_or(0.0);
    let mut edges: BTreeMap<[usize; 2], f64> = BTreeMap::new();
    for &[from, to] in directed.keys() {
        let (there, back) = (weight([from, to]), weight([to, from]));
        let union = there + back - there * back;
        edges.insert([from, to], union);
        edges.insert([to, from], union);
    }
    let edges = edges.into_iter().filter(|(_, weight)| *weight > 0.0);
    edges.map(|(ends, weight)| Edge { ends, weight }).collect()
}

fn membership(beyond: f64, width: f64) -> f64 {
    if beyond <= 0.0 || width == 0.0 {
        1.0
    } else {
        (-beyond / width).exp()
    }
}

/// The distance of the nearest other row, and the width at which the memberships add up to the logarithm of the number
/// of neighbours.
fn smoothed(distances: &[f64], mean_of_all: f64) -> (f64, f64) {
    const STEPS: usize = 64;
    const EXACT: f64 = 1e-5;
    const LEAST: f64 = 1e-3;
    let neighbours = distances.len() as f64 + 1.0;
    let wanted = neighbours.log2();
    let first = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let (mut low, mut high, mut width) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..STEPS {
        let sum: f64 = distances.iter().map(|d| membership(d - first, width)).sum();
        if (sum - wanted).abs() < EXACT {
            break;
        }
        if sum > wanted {
            high = width;
            width = (low + high) / 2.0;
        } else {
            low = width;
            width = if high.is_finite() {
                (low + high) / 2.0
            } else {
                2.0 * width
            };
        }
    }
    let mean = distances.iter().sum::<f64>() / neighbours;
    let least = if first > 0.0 { mean } else { mean_of_all };
    (first, width.max(LEAST * least))
}

/// An edge and when its turn comes.
struct Turn {
    edge: Edge,
    /// Rounds between two turns, and the round of the next one.
    every: f64,
    next: f64,
    /// The same of the points that are pushed away.
    next_negative: f64,
}

/// Lays the graph out; `None` when the map is not wanted any more.
pub fn map(
    edges: &[Edge],
    start: Vec<Point>,
    rng: &mut impl RngCore,
    progressing: &mut Progressing<'_>,
) -> Option<Vec<Point>> {
    let strongest = edges.iter().map(|edge| edge.weight).fold(0.0, f64::max);
    let strong = edges
        .iter()
        .filter(|edge| edge.weight >= strongest / ROUNDS as f64);
    let turn = |edge: &Edge| {
        let every = strongest / edge.weight;
        Turn {
            edge: *edge,
            every,
            next: every,
            next_negative: every / NEGATIVE,
        }
    };
    let mut turns: Vec<Turn> = strong.map(turn).collect();
    let mut points = start;
    for round in 0..ROUNDS {
        let rate = 1.0 - round as f64 / ROUNDS as f64;
        let due = turns.iter_mut().filter(|turn| turn.next <= round as f64);
        for turn in due {
            let [from, to] = turn.edge.ends;
            pull(&mut points, from, to, rate);
            turn.next += turn.every;
            let every = turn.every / NEGATIVE;
            let pushes = ((round as f64 - turn.next_negative) / every)
                .floor()
                .max(0.0);
            for _ in 0..pushes as usize {
                let other = (rng.next_u64() % points.len().max(1) as u64) as usize;
                push(&mut points, from, other, rate);
            }
            turn.next_negative += pushes * every;
        }
        if !progressing.say("moving the points", round + 1, ROUNDS) {
            return None;
        }
    }
    Some(points)
}

fn between(points: &[Point], from: usize, to: usize) -> (Point, f64) {
    let way = [0, 1].map(|axis| points[from][axis] - points[to][axis]);
    (way, way[0] * way[0] + way[1] * way[1])
}

/// Moves both ends of an edge towards each other.
fn pull(points: &mut [Point], from: usize, to: usize, rate: f64) {
    let (way, square) = between(points, from, to);
    if square <= 0.0 {
        return;
    }
    let power = square.powf(B);
    let slope = -2.0 * A * B * (power / square) / (A * power + 1.0);
    for axis in 0..2 {
        let step = rate * (slope * way[axis]).clamp(-FARTHEST, FARTHEST);
        points[from][axis] += step;
        points[to][axis] -= step;
    }
}

/// Moves a point away from another one.
fn push(points: &mut [Point], from: usize, other: usize, rate: f64) {
    let (way, square) = between(points, from, other);
    if square <= 0.0 {
        return;
    }
    let slope = 2.0 * B / ((0.001 + square) * (A * square.powf(B) + 1.0));
    for axis in 0..2 {
        points[from][axis] += rate * (slope * way[axis]).clamp(-FARTHEST, FARTHEST);
    }
}

/// Where the points start: their first two components, each axis as long as the square's side.
pub(super) fn start(components: &[Point], jitter: &[Point]) -> Vec<Point> {
    let ends = [0, 1].map(|axis| {
        let values = || components.iter().map(|point| point[axis]);
        [
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        ]
    });
    let placed = |(point, jitter): (&Point, &Point)| {
        [0, 1].map(|axis| {
            let [low, high] = ends[axis];
            let share = if high > low {
                (point[axis] - low) / (high - low)
            } else {
                0.5
            };
            SIDE * share + 1e-4 * jitter[axis]
        })
    };
    components.iter().zip(jitter).map(placed).collect()
}
