//! Poolings, their inverses, and layers that change the size of a map.

use super::positions::{Reads, stamps};
use super::weighted::part;
use super::{Layer, Worked};
use crate::pixel::{Joined, MOST_TERMS, Part, Term, flat};
use strata_core::shape::op::Geometry;
use strata_design::layer_math::number;

impl Layer<'_> {
    /// What is read of the value's own channel, without weights.
    pub(super) fn own(&self, taps: &[(usize, [i64; 3])]) -> Part {
        let term = |&(tap, at): &(usize, [i64; 3])| Term {
            at,
            value: self.read(self.at[0], at),
            weight: None,
            tap,
        };
        let inside = taps
            .iter()
            .filter(|(_, at)| self.is_inside(*at))
            .map(term)
            .collect();
        Part {
            channel: self.at[0],
            terms: inside,
            sum: 0.0,
            factor: None,
            chosen: None,
        }
    }

    pub(super) fn mean(&self, taps: &[(usize, [i64; 3])], count_padding: bool) -> Worked {
        let term = |&(tap, at): &(usize, [i64; 3])| Term {
            at,
            value: self.read(self.at[0], at),
            weight: None,
            tap,
        };
        let counted = taps
            .iter()
            .filter(|(_, at)| count_padding || self.is_inside(*at));
        let mut terms: Vec<Term> = counted.map(term).collect();
        let count = terms.len().max(1) as f64;
        let sum = terms.iter().map(Term::product).sum::<f64>() / count;
        let words = (terms.len() > MOST_TERMS)
            .then(|| format!("mean of {} numbers = {}", terms.len(), number(sum)));
        terms.truncate(MOST_TERMS);
        let part = Part {
            channel: self.at[0],
            terms,
            sum,
            factor: None,
            chosen: None,
        };
        Worked {
            words,
            ..Worked::of(Joined::Mean, part)
        }
    }

    /// A weighted sum of positions of the same channel, where both axes are treated alike.
    pub(super) fn resized(&self, reads: impl Fn(usize, usize) -> Reads) -> Worked {
        let axes = [0, 1, 2].map(|axis| reads(axis, self.at[axis + 1]));
        let mut terms = Vec::new();
        for &(depth, a) in &axes[0] {
            for &(row, b) in &axes[1] {
                for &(column, c) in &axes[2] {
                    let at = [depth, row, column];
                    terms.push(Term {
                        at,
                        value: self.read(self.at[0], at),
                        weight: Some(a * b * c),
                        tap: terms.len(),
                    });
                }
            }
        }
        Worked::sum(vec![part(self.at[0], terms, &mut 0)], None)
    }

    /// What an unpooling put here, of the windows that cover the place. Which of them had its maximum here the
    /// pooling knows; here it is read off the network's own output.
    pub(super) fn unpool(&self, geometry: &Geometry) -> Worked {
        let output = self
            .output
            .get(flat(self.at, &self.layer.output))
            .copied()
            .unwrap_or(0.0);
        let taps = stamps(geometry, self.at);
        let values: Vec<f32> = taps
            .iter()
            .map(|(_, at)| self.read(self.at[0], *at))
            .collect();
        let here = given(&values, output);
        let term = |(index, &(tap, at)): (usize, &(usize, [i64; 3]))| {
            let weight = if here & (1 << index) > 0 { 1.0 } else { 0.0 };
            Term {
                at,
                value: values[index],
                weight: Some(weight),
                tap,
            }
        };
        let part = part(
            self.at[0],
            taps.iter().take(WINDOWS).enumerate().map(term).collect(),
            &mut 0,
        );
        let value = part.sum;
        let words = match here.count_ones() {
            0 => "0: the pooling found its maximum elsewhere".to_owned(),
            1 => format!(
                "{} comes back: the pooling found its maximum here",
                number(value)
            ),
            many => format!(
                "{many} windows had their maximum here, which add up to {}",
                number(value)
            ),
        };
        Worked::function(part, value, words)
    }
}

/// The most windows over one position that are tried in all combinations.
const WINDOWS: usize = 12;

/// The fewest of some values that add up to a number, as bits.
fn given(values: &[f32], sum: f32) -> usize {
    let masks = 0..1usize << values.len().min(WINDOWS);
    let off = |mask: &usize| {
        let chosen = values
            .iter()
            .enumerate()
            .filter(|(index, _)| mask & (1 << index) > 0);
        (chosen.map(|(_, value)| value).sum::<f32>() - sum).abs()
    };
    let near = 1e-5 * sum.abs();
    masks
        .filter(|mask| off(mask) <= near)
        .min_by_key(|mask| mask.count_ones())
        .unwrap_or(0)
}

pub(super) fn largest(mut part: Part) -> Worked {
    let better = |best: Option<(usize, f32)>, (index, term): (usize, &Term)| {
        // Of equal numbers the first counts.
        if best.is_some_and(|(_, most)| term.value <= most) {
            best
        } else {
            Some((index, term.value))
        }
    };
    let best = part.terms.iter().enumerate().fold(None, better);
    part.chosen = best.map(|(index, _)| index);
    part.sum = best.map_or(f64::NAN, |(_, value)| value.into());
    let count = part.terms.len();
    let words =
        (count > MOST_TERMS).then(|| format!("largest of {count} numbers = {}", number(part.sum)));
    if count > MOST_TERMS {
        part.terms = part
            .chosen
            .and_then(|chosen| part.terms.get(chosen))
            .copied()
            .into_iter()
            .collect();
        part.chosen = Some(0);
    }
    Worked {
        words,
        ..Worked::of(Joined::Max, part)
    }
}
