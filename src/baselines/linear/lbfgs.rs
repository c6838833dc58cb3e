//! L-BFGS (Nocedal 1980): the minimum of a smooth function by its slopes, with what the last steps say of its bends.

/// Steps whose bends are remembered.
const MEMORY: usize = 10;
/// Lengths that are tried along a direction.
const MOST_TRIALS: usize = 40;
/// A step must take this share of what the slope promises (Armijo), and leave at most that share of the slope (Wolfe).
const PROMISED: f64 = 1e-4;
const LEFT: f64 = 0.9;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub iterations: usize,
    /// No slope is above this at the optimum.
    pub slope: f64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Optimum,
    /// After the most iterations.
    Limit,
    Cancelled,
}

/// A function's value at a place, with its slopes there.
pub(super) trait Objective: FnMut(&[f64], &mut [f64]) -> f64 {}
impl<F: FnMut(&[f64], &mut [f64]) -> f64> Objective for F {}

/// A step with the change of the slopes that it made.
struct Step {
    moved: Vec<f64>,
    bent: Vec<f64>,
    scale: f64,
}

/// Moves `at` to where the objective is least. `go_on` is asked after each iteration.
pub(super) fn minimise(
    at: &mut Vec<f64>,
    objective: &mut impl Objective,
    limits: Limits,
    go_on: &dyn Fn(usize) -> bool,
) -> Ended {
    let mut slopes = vec![0.0; at.len()];
    let mut value = objective(at, &mut slopes);
    let mut steps: Vec<Step> = Vec::new();
    for iteration in 0..limits.iterations {
        let steepest = slopes
            .iter()
            .fold(0.0f64, |most, slope| most.max(slope.abs()));
        if steepest <= limits.slope {
            return Ended::Optimum;
        }
        if !go_on(iteration) {
            return Ended::Cancelled;
        }
        let direction = direction(&slopes, &steps);
        let first = if steps.is_empty() {
            1.0 / dot(&slopes, &slopes).sqrt()
        } else {
            1.0
        };
        let Some(found) = search(at, value, &slopes, &direction, first, objective) else {
            // No length makes it less: the numbers end here.
            return Ended::Optimum;
        };
        let moved = difference(&found.at, at);
        let bent = difference(&found.slopes, &slopes);
        let curvature = dot(&moved, &bent);
        if curvature > 0.0 {
            if steps.len() == MEMORY {
                steps.remove(0);
            }
            let scale = 1.0 / curvature;
            steps.push(Step { moved, bent, scale });
        }
        (*at, value, slopes) = (found.at, found.value, found.slopes);
    }
    Ended::Limit
}

/// Where to go: the slopes, divided by what is known of the bends (two loops).
fn direction(slopes: &[f64], steps: &[Step]) -> Vec<f64> {
    let mut direction: Vec<f64> = slopes.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = step.scale * dot(&step.moved, &direction);
        add(-share, &step.bent, &mut direction);
        shares.push(share);
    }
    if let Some(last) = steps.last() {
        let size = 1.0 / (last.scale * dot(&last.bent, &last.bent));
        direction.iter_mut().for_each(|value| *value *= size);
    }
    for (step, share) in steps.iter().zip(shares.iter().rev()) {
        let back = step.scale * dot(&step.bent, &direction);
        add(share - back, &step.moved, &mut direction);
    }
    direction
}

struct Found {
    at: Vec<f64>,
    value: f64,
    slopes: Vec<f64>,
}

/// A length along the direction that fulfils the weak Wolfe conditions, by halving and doubling.
fn search(
    from: &[f64],
    value: f64,
    slopes: &[f64],
    direction: &[f64],
    first: f64,
    objective: &mut impl Objective,
) -> Option<Found> {
    let slope = dot(slopes, direction);
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, first);
    let mut least = None;
    for _ in 0..MOST_TRIALS {
        let mut at = from.to_vec();
        add(length, direction, &mut at);
        let mut slopes = vec![0.0; at.len()];
        let reached = objective(&at, &mut slopes);
        let is_less = reached <= value + PROMISED * length * slope;
        let is_flat = dot(&slopes, direction) >= LEFT * slope;
        match (is_less, is_flat) {
            (false, _) => high = length,
            (true, false) => low = length,
            (true, true) => {}
        }
        if is_less {
            let found = Found {
                at,
                value: reached,
                slopes,
            };
            if is_flat {
                return Some(found);
            }
            least = Some(found);
        }
        length = if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * low
        };
    }
    least
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(factor: f64, from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_ends_at_one() {
        let mut at = vec![-1.2, 1.0];
        let mut rosenbrock = |at: &[f64], slopes: &mut [f64]| {
            let (x, y) = (at[0], at[1]);
            slopes[0] = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
            slopes[1] = 200.0 * (y - x * x);
            (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
        };
        let limits = Limits {
            iterations: 100,
            slope: 1e-8,
        };
        let ended = minimise(&mut at, &mut rosenbrock, limits, &|_| true);
        assert_eq!(ended, Ended::Optimum);
        assert!(at.iter().all(|value| (value - 1.0).abs() < 1e-6), "{at:?}");
        let ended = minimise(&mut vec![3.0, 3.0], &mut rosenbrock, limits, &|_| false);
        assert_eq!(ended, Ended::Cancelled);
    }
}
