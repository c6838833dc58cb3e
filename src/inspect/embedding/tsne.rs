//! t-SNE (van der Maaten and Hinton 2008): a map in which neighbours stay neighbours.
//!
//! The similarities P are those of all pairs of rows, of many rows those of the nearest ones, three times as many as the
//! perplexity (van der Maaten 2014); the repulsion is exact, between all pairs of points. The course is scikit-learn's: early exaggeration, momentum, gains,
//! learning rate and the start from the principal components. The crates there are (bhtsne and what is made of it) add
//! in whatever order their threads finish, so that no two maps are equal to the last bit, and cannot be cancelled; here
//! every point's sums are made in one order on any number of threads. Nothing here fails.

use super::Progressing;
use crate::neighbours::Near;
use rayon::prelude::*;

/// Rounds with the similarities exaggerated, by how much, and all rounds.
const EARLY: usize = 250;
const EXAGGERATION: f64 = 12.0;
pub(super) const ROUNDS: usize = 1000;
/// Standard deviation of the first axis at the start.
const START: f64 = 1e-4;
/// A gradient shorter than this ends the search; asked every so many rounds.
const FLAT: f64 = 1e-7;
const ASKED: usize = 50;

/// A point of the map.
pub type Point = [f64; 2];

/// Images up to which all pairs carry similarities.
pub(super) const EXACT: usize = 1500;

/// Neighbours of each of so many images that carry the similarities.
pub(super) fn neighbours_of(images: usize, perplexity: f64) -> usize {
    if images <= EXACT {
        images.saturating_sub(1)
    } else {
        nearest_of(perplexity)
    }
}

/// The same of more images.
pub(super) fn nearest_of(perplexity: f64) -> usize {
    (3.0 * perplexity) as usize + 1
}

/// Similarities of pairs, of each row its partners with their share; symmetric, the sum of all is 1.
pub struct Affinities(Vec<Vec<(u32, f64)>>);

impl Affinities {
    /// Of rows with their nearest others (distances, not squares): of each row as many count as the perplexity says.
    pub fn new(nearest: &[Vec<Near>], perplexity: f64) -> Affinities {
        let shares = nearest.par_iter().map(|near| conditional(near, perplexity));
        let shares: Vec<Vec<f64>> = shares.collect();
        let scale = 1.0 / (2.0 * nearest.len().max(1) as f64);
        let mut pairs: Vec<Vec<(u32, f64)>> = vec![Vec::new(); nearest.len()];
        for (row, (near, shares)) in nearest.iter().zip(&shares).enumerate() {
            let pairs_of = near.iter().zip(shares).filter(|(_, share)| **share > 0.0);
            for ((other, _), share) in pairs_of {
                pairs[row].push((*other as u32, share * scale));
                pairs[*other].push((row as u32, share * scale));
            }
        }
        let merge = |mut partners: Vec<(u32, f64)>| {
            partners.sort_by_key(|(other, _)| *other);
            let pairs = partners.chunk_by(|a, b| a.0 == b.0);
            pairs
                .map(|same| (same[0].0, same.iter().map(|(_, share)| share).sum()))
                .collect()
        };
        Affinities(pairs.into_iter().map(merge).collect())
    }

    /// The Kullback-Leibler divergence of a map from these similarities.
    pub fn divergence(&self, points: &[Point]) -> f64 {
        let total: f64 = repulsions(points).iter().map(|force| force.closeness).sum();
        let pairs = self.0.iter().zip(points);
        let of_point = |(partners, at): (&Vec<(u32, f64)>, &Point)| -> f64 {
            let term = |(other, share): &(u32, f64)| {
                let near = closeness(*at, points[*other as usize]) / total;
                share * (share.max(f64::MIN_POSITIVE) / near.max(f64::MIN_POSITIVE)).ln()
            };
            partners.iter().map(term).sum()
        };
        pairs.map(of_point).sum()
    }
}

/// The similarities of a row to its neighbours: a Gaussian as wide as the perplexity asks.
fn conditional(near: &[Near], perplexity: f64) -> Vec<f64> {
    const STEPS: usize = 100;
    const EXACT: f64 = 1e-5;
    let wanted = perplexity.ln();
    let squares: Vec<f64> = near.iter().map(|(_, d)| f64::from(*d).powi(2)).collect();
    let nearest = squares.first().copied().unwrap_or_default();
    let (mut low, mut high, mut beta) = (0.0, f64::INFINITY, 1.0);
    let mut shares = Vec::new();
    for _ in 0..STEPS {
        // Less the nearest square, which changes no share and lets none of them vanish.
        let weights = squares
            .iter()
            .map(|square| (-(square - nearest) * beta).exp());
        shares = weights.collect();
        let sum: f64 = shares.iter().sum();
        let mean = squares
            .iter()
            .zip(&shares)
            .map(|(square, weight)| (square - nearest) * weight)
            .sum::<f64>()
            / sum;
        shares.iter_mut().for_each(|share| *share /= sum);
        let off = sum.ln() + beta * mean - wanted;
        if off.abs() <= EXACT {
            break;
        }
        if off > 0.0 {
            low = beta;
            beta = if high.is_finite() {
                (beta + high) / 2.0
            } else {
                2.0 * beta
            };
        } else {
            high = beta;
            beta = (beta + low) / 2.0;
        }
    }
    shares
}

fn closeness(a: Point, b: Point) -> f64 {
    let (x, y) = (a[0] - b[0], a[1] - b[1]);
    1.0 / (1.0 + x * x + y * y)
}

/// What pushes a point away from all others, before it is divided by the sum of all closeness.
#[derive(Clone, Copy)]
struct Repulsion {
    push: Point,
    closeness: f64,
}

/// Sums kept side by side; see `neighbours::nearest`.
const LANES: usize = 4;

fn repulsions(points: &[Point]) -> Vec<Repulsion> {
    let xs: Vec<f64> = points.iter().map(|point| point[0]).collect();
    let ys: Vec<f64> = points.iter().map(|point| point[1]).collect();
    let of = |point: &Point| repulsion(*point, &xs, &ys);
    points.par_iter().map(of).collect()
}

fn repulsion([x, y]: Point, xs: &[f64], ys: &[f64]) -> Repulsion {
    let mut sums = [[0.0f64; LANES]; 3];
    let mut add = |lane: usize, other_x: f64, other_y: f64| {
        let (dx, dy) = (x - other_x, y - other_y);
        let near = 1.0 / (1.0 + dx * dx + dy * dy);
        sums[0][lane] += near;
        sums[1][lane] += near * near * dx;
        sums[2][lane] += near * near * dy;
    };
    let (x_blocks, y_blocks) = (xs.chunks_exact(LANES), ys.chunks_exact(LANES));
    let rest = x_blocks.remainder().iter().zip(y_blocks.remainder());
    for (xs, ys) in x_blocks.zip(y_blocks) {
        for lane in 0..LANES {
            add(lane, xs[lane], ys[lane]);
        }
    }
    rest.enumerate()
        .for_each(|(lane, (other_x, other_y))| add(lane, *other_x, *other_y));
    let sum = |which: usize| sums[which].iter().sum::<f64>();
    Repulsion {
        push: [sum(1), sum(2)],
        // The point itself is no pair.
        closeness: sum(0) - 1.0,
    }
}

/// The gradient of the divergence, the similarities taken `exaggeration` times.
fn gradient(affinities: &Affinities, points: &[Point], exaggeration: f64) -> Vec<Point> {
    let repulsions = repulsions(points);
    let total: f64 = repulsions.iter().map(|force| force.closeness).sum();
    let of = |index: usize| {
        let (at, force) = (points[index], repulsions[index]);
        let mut pull = [0.0; 2];
        for (other, share) in &affinities.0[index] {
            let other = points[*other as usize];
            let weight = exaggeration * share * closeness(at, other);
            pull[0] += weight * (at[0] - other[0]);
            pull[1] += weight * (at[1] - other[1]);
        }
        [0, 1].map(|axis| 4.0 * (pull[axis] - force.push[axis] / total))
    };
    (0..points.len()).into_par_iter().map(of).collect()
}

/// How the points move.
struct Motion {
    points: Vec<Point>,
    steps: Vec<Point>,
    gains: Vec<Point>,
}

impl Motion {
    fn of(points: Vec<Point>) -> Motion {
        let count = points.len();
        Motion {
            points,
            steps: vec![[0.0; 2]; count],
            gains: vec![[1.0; 2]; count],
        }
    }

    /// A step down; axes that keep their direction gain speed.
    fn go(&mut self, gradient: &[Point], rate: f64, momentum: f64) {
        let axes = gradient.iter().flatten();
        let places = self.points.iter_mut().flatten();
        let steps = self.steps.iter_mut().flatten();
        let gains = self.gains.iter_mut().flatten();
        for (((slope, place), step), gain) in axes.zip(places).zip(steps).zip(gains) {
            *gain = if *step * slope < 0.0 {
                *gain + 0.2
            } else {
                (*gain * 0.8).max(0.01)
            };
            *step = momentum * *step - rate * *gain * slope;
            *place += *step;
        }
    }
}

/// Moves the points from where they start; `None` when the map is not wanted any more.
pub fn map(
    affinities: &Affinities,
    start: Vec<Point>,
    progressing: &mut Progressing<'_>,
) -> Option<Vec<Point>> {
    let rate = (start.len() as f64 / EXAGGERATION / 4.0).max(50.0);
    let mut motion = Motion::of(start);
    let mut early = EARLY;
    for round in 0..ROUNDS {
        let is_early = round < early;
        if round == early {
            // The second phase starts at rest.
            motion = Motion::of(motion.points);
        }
        let exaggeration = if is_early { EXAGGERATION } else { 1.0 };
        let slopes = gradient(affinities, &motion.points, exaggeration);
        motion.go(&slopes, rate, if is_early { 0.5 } else { 0.8 });
        if (round + 1) % ASKED == 0 && length(&slopes) <= FLAT {
            if is_early {
                // Rows without groups are pulled together into one point: exaggeration has nothing more to order.
                early = round + 1;
            } else if length(&motion.points) > START * (motion.points.len() as f64).sqrt() {
                break;
            }
        }
        if !progressing.say("moving the points", round + 1, ROUNDS) {
            return None;
        }
    }
    Some(motion.points)
}

/// The length of all coordinates as one vector.
fn length(points: &[Point]) -> f64 {
    let squares = points.iter().flatten().map(|axis| axis * axis);
    squares.sum::<f64>().sqrt()
}

/// Where the points start: at their first two components, made small.
pub(super) fn start(components: &[Point], jitter: &[Point]) -> Vec<Point> {
    let count = components.len().max(1) as f64;
    let squares: f64 = components.iter().map(|point| point[0] * point[0]).sum();
    let deviation = (squares / count).sqrt();
    let scale = if deviation > 0.0 {
        START / deviation
    } else {
        0.0
    };
    let moved = |(point, jitter): (&Point, &Point)| {
        [0, 1].map(|axis| scale * point[axis] + 0.01 * START * jitter[axis])
    };
    components.iter().zip(jitter).map(moved).collect()
}
