//! Where the values of a layer lie in the plot of its course, and those that have no place there.

use strata_core::format;
use strata_engine::inspection::dynamics::{Figure, LayerCourse};

/// Of the height of all values: how far below and above them lie the marks of those that have no place among them.
const STRIP: f64 = 0.07;

/// The values of a layer as they are drawn.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Placed {
    /// Their places: a line for each stretch in which every value has one.
    pub stretches: Vec<Vec<[f64; 2]>>,
    /// The steps of values of 0 or below, which a logarithmic axis has no place for.
    pub zeros: Vec<f64>,
    /// The steps of values that are not finite, which no axis has a place for.
    pub not_finite: Vec<f64>,
}

impl Placed {
    pub fn of(course: &LayerCourse, figure: Figure) -> Placed {
        Placed::at(&course.line(figure), figure.is_logarithmic())
    }

    fn at(values: &[[f64; 2]], is_log: bool) -> Placed {
        let mut placed = Placed::default();
        let mut stretch = Vec::new();
        for &[step, value] in values {
            let odd = match value {
                value if !value.is_finite() => &mut placed.not_finite,
                value if is_log && value <= 0.0 => &mut placed.zeros,
                value => {
                    let place = if is_log { value.log10() } else { value };
                    stretch.push([step, place]);
                    continue;
                }
            };
            odd.push(step);
            placed.stretches.push(std::mem::take(&mut stretch));
        }
        placed.stretches.push(stretch);
        placed.stretches.retain(|stretch| !stretch.is_empty());
        placed
    }
}

/// Where the marks of values lie that have no place: below and above all that have one. Never so near to each other that
/// two marks of the axis would have one text.
pub(super) fn span_of(placed: &[Placed]) -> [f64; 2] {
    let values = placed.iter().flat_map(|one| one.stretches.iter().flatten());
    let [low, high] = format::span(values.map(|point| point[1])).unwrap_or([0.0, 0.0]);
    let room = match high - low {
        0.0 => 0.5 * low.abs().max(1.0),
        range => STRIP * range,
    };
    [low - room, high + room]
}

/// What the marks at the edges mean, where there are some.
pub(super) fn told_marks(placed: &[Placed]) -> String {
    let count = |of: fn(&Placed) -> usize| placed.iter().map(of).sum::<usize>();
    let (zeros, not_finite) = (
        count(|one| one.zeros.len()),
        count(|one| one.not_finite.len()),
    );
    let mut told = String::new();
    if zeros > 0 {
        told += &format!(" · ▼ {zeros} of 0");
    }
    if not_finite > 0 {
        told += &format!(" · × {not_finite} not finite");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::axes::ticks::logarithmic;

    #[test]
    fn values_without_a_place_are_marked_and_end_a_line() {
        let values = [
            [1.0, 10.0],
            [2.0, 0.0],
            [3.0, 1.0],
            [4.0, 0.1],
            [5.0, f64::NAN],
        ];
        let placed = Placed::at(&values, true);
        assert_eq!(
            placed.stretches,
            [vec![[1.0, 1.0]], vec![[3.0, 0.0], [4.0, -1.0]]]
        );
        assert_eq!(
            (placed.zeros.as_slice(), &placed.not_finite[..]),
            (&[2.0][..], &[5.0][..])
        );
        let placed = [placed];
        assert_eq!(told_marks(&placed), " · ▼ 1 of 0 · × 1 not finite");
        let [low, high] = span_of(&placed);
        assert!(low < -1.0 && high > 1.0);
        let linear = Placed::at(&values[..2], false);
        assert_eq!(
            (linear.stretches.len(), told_marks(&[linear])),
            (1, String::new())
        );
        // One value, or none that has a place: there is an axis with two numbers all the same.
        for values in [&[[1.0, 1.618]][..], &[[1.0, 0.0]], &[]] {
            let [low, high] = span_of(&[Placed::at(values, true)]);
            assert!(logarithmic(low, high, 2).len() >= 2, "{values:?}");
        }
    }
}
