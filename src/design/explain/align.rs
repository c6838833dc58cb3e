//! Which step up undoes which step down: the cheapest pairing of the two, from the code outwards.
//!
//! Both lists are short (a layer each), so every pairing in order can be weighed, as in an edit distance: a pair
//! that restores its size exactly costs nothing, one with the same factor a little, a layer without a partner
//! much. One layer may pair with up to three (`conv s4` with two `upsample 2`, a pooling with `upsample` and `pad`).

use super::chain::Change;
use std::ops::Range;
use strata_core::shape::axis_rule::Turn;

/// Layers on the way down and those on the way up that undo them; one of the two may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Indices of steps down, in the order they run.
    pub down: Range<usize>,
    /// Indices of steps up, in the order they run.
    pub up: Range<usize>,
}

/// Longer lists are not paired: the table would grow with the square.
const MOST: usize = 512;

/// How many steps of each list go into one pair; where two pairings cost the same, a layer far from the code
/// stays alone.
const MOVES: [(usize, usize); 7] = [(1, 0), (0, 1), (1, 1), (1, 2), (2, 1), (1, 3), (3, 1)];

/// Pairs the steps down with the steps up, nearest to the code first.
pub(crate) fn align(down: &[Change], up: &[Change]) -> Vec<Pair> {
    if down.len() > MOST || up.len() > MOST {
        return Vec::new();
    }
    let width = up.len() + 1;
    // At (i, j): the least cost of pairing the last i steps down with the first j up, and the last move.
    let mut best: Vec<Option<(u32, (usize, usize))>> = vec![None; (down.len() + 1) * width];
    best[0] = Some((0, (0, 0)));
    for at in 1..best.len() {
        let (i, j) = (at / width, at % width);
        for (a, b) in MOVES.into_iter().filter(|&(a, b)| a <= i && b <= j) {
            let before = best[(i - a) * width + j - b];
            let run = (&down[down.len() - i..down.len() - i + a], &up[j - b..j]);
            let total = before.and_then(|(cost, _)| Some(cost + price(run.0, run.1)?));
            if let Some(total) =
                total.filter(|&total| best[at].is_none_or(|(least, _)| total < least))
            {
                best[at] = Some((total, (a, b)));
            }
        }
    }
    follow(&best, down.len(), up.len())
}

fn follow(best: &[Option<(u32, (usize, usize))>], downs: usize, ups: usize) -> Vec<Pair> {
    let (mut i, mut j) = (downs, ups);
    let mut pairs = Vec::new();
    while let Some((_, (a, b))) = best[i * (ups + 1) + j].filter(|_| i + j > 0) {
        pairs.push(Pair {
            down: downs - i..downs - i + a,
            up: j - b..j,
        });
        (i, j) = (i - a, j - b);
    }
    pairs.reverse();
    pairs
}

/// What a pair costs; `None` for one that makes no sense.
fn price(down: &[Change], up: &[Change]) -> Option<u32> {
    match (down, up) {
        ([one], []) | ([], [one]) => Some(match one.rule.turn() {
            Turn::Down(_) | Turn::Up(_) => 100,
            Turn::Any => 60,
            Turn::Shift => 45,
        }),
        ([down], [up]) => one_to_one(down, up),
        _ => several(down, up),
    }
}

fn one_to_one(down: &Change, up: &Change) -> Option<u32> {
    let exact = is_exact(std::slice::from_ref(down), std::slice::from_ref(up));
    let pick = |if_exact: u32, otherwise: u32| Some(if exact { if_exact } else { otherwise });
    match (down.rule.turn(), up.rule.turn()) {
        (Turn::Down(a), Turn::Up(b)) if a == b => pick(0, 25),
        (Turn::Down(_), Turn::Up(_)) => pick(10, 90),
        (Turn::Any, _) | (_, Turn::Any) => pick(0, 40),
        (Turn::Shift, Turn::Shift) => {
            let opposite =
                (down.after - down.before).signum() * (up.after - up.before).signum() < 0;
            if exact {
                Some(0)
            } else {
                opposite.then_some(50)
            }
        }
        _ => None,
    }
}

/// Several layers together: when they restore the size, or when all scale, by the same in total.
fn several(down: &[Change], up: &[Change]) -> Option<u32> {
    let factor = |run: &[Change]| {
        run.iter()
            .map(|change| change.rule.factor())
            .fold(1i64, i64::saturating_mul)
    };
    if factor(down) != factor(up) || factor(down) < 2 {
        return None;
    }
    let all_scale = down.iter().chain(up).all(|change| change.rule.factor() > 1);
    let extra = (down.len() + up.len() - 2) as u32;
    if is_exact(down, up) {
        Some(5 * extra)
    } else {
        all_scale.then_some(30 + extra)
    }
}

fn is_exact(down: &[Change], up: &[Change]) -> bool {
    let (Some(first), Some(last)) = (down.first(), down.last()) else {
        return false;
    };
    through(up, last.after) == Some(first.before)
}

/// The size after some steps.
pub(crate) fn through(steps: &[Change], size: i64) -> Option<i64> {
    steps
        .iter()
        .try_fold(size, |size, step| step.rule.size(size))
}
