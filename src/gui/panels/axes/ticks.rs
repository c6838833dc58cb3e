//! Marks at round numbers on an axis, and their texts: at least two on every axis, however short it is.

use egui_plot::GridMark;

/// Values of so many marks at 1, 2 or 5 times a power of ten between two values; at least two of them.
pub(in crate::panels) fn round(low: f64, high: f64, most: usize) -> Vec<GridMark> {
    let counts = most.max(2)..=most.max(2) + 6;
    counts
        .map(|count| multiples(low, high, round_step((high - low) / count as f64)))
        .find(|marks| marks.len() >= 2)
        .unwrap_or_default()
}

/// The same at whole numbers where two of those are in sight.
pub(in crate::panels) fn whole(low: f64, high: f64, most: usize) -> Vec<GridMark> {
    let step = round_step((high - low) / most.max(2) as f64).max(1.0);
    let marks = multiples(low, high, step);
    if marks.len() >= 2 {
        marks
    } else {
        round(low, high, most)
    }
}

/// Marks of a logarithmic axis, whose ends are powers of ten: at 1, 2 and 5 of each decade, at the decades alone where
/// these are too many, and at round values where a stretch is so short that less than two of these are in it.
pub(in crate::panels) fn logarithmic(low: f64, high: f64, most: usize) -> Vec<GridMark> {
    let factors: &[f64] = if 3.0 * (high - low) > most as f64 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let exponents = (low.floor().max(-300.0) as i32)..=(high.ceil().min(300.0) as i32);
    let every = ((high - low) / most.max(2) as f64).ceil().max(1.0) as i32;
    let kept = exponents.filter(|exponent| factors.len() > 1 || exponent % every == 0);
    let marks = kept.flat_map(|exponent| {
        let of_decade = factors.iter().map(|factor| factor.log10());
        of_decade.map(move |factor| f64::from(exponent) + factor)
    });
    let marks: Vec<GridMark> = marks
        .filter(|mark| (low..=high).contains(mark))
        .map(|value| GridMark {
            value,
            step_size: every.into(),
        })
        .collect();
    if marks.len() >= 2 {
        return marks;
    }
    let values = round(10f64.powf(low), 10f64.powf(high), most.min(5));
    let logarithm = |mark: GridMark| GridMark {
        value: mark.value.log10(),
        step_size: (high - low) / 5.0,
    };
    far_apart(
        values.into_iter().map(logarithm).collect(),
        (high - low) / (most.max(2) + 1) as f64,
    )
}

/// Without those that lie nearer than so much to the one before; two at least.
fn far_apart(marks: Vec<GridMark>, least: f64) -> Vec<GridMark> {
    let (first, last) = (marks.first().copied(), marks.last().copied());
    let mut kept: Vec<GridMark> = Vec::new();
    for mark in marks {
        let is_far = |before: &GridMark| mark.value - before.value >= least;
        if kept.last().is_none_or(is_far) {
            kept.push(mark);
        }
    }
    match kept.len() {
        1 => first.into_iter().chain(last).collect(),
        _ => kept,
    }
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<GridMark> {
    let first = (low / step).ceil();
    let count = ((high - low) / step).clamp(0.0, 100.0) as usize + 1;
    let values = (0..count).map(|index| (first + index as f64) * step);
    values
        .filter(|value| (low..=high).contains(value))
        .map(|value| GridMark {
            value,
            step_size: step,
        })
        .collect()
}

/// 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(power)
}

/// Marks of an axis of counts, the logarithm of 1 + count: 0, which has a place there, and powers of ten up to the largest
/// count; of many those that are left with an even distance. At least two.
pub(in crate::panels) fn counts(most: u64, room: usize) -> Vec<u64> {
    let powers = std::iter::successors(Some(1u64), |power| power.checked_mul(10));
    let mut powers: Vec<u64> = powers.take_while(|power| *power <= most.max(1)).collect();
    powers.reverse();
    let every = powers.len().div_ceil(room.max(2) - 1);
    let kept = powers.into_iter().step_by(every);
    let mut marks: Vec<u64> = kept.chain([0]).collect();
    marks.reverse();
    marks
}

/// The shortest text of a round number: a power of ten from a million on and below a ten-thousandth.
pub(in crate::panels) fn tick(value: f64) -> String {
    let exact = |digits: usize| {
        let rounded: f64 = format!("{value:.digits$e}").parse().unwrap_or(value);
        ((rounded - value).abs() <= 1e-9 * value.abs()).then_some(rounded)
    };
    let value = (0..12).find_map(exact).unwrap_or(value);
    let text = match value {
        0.0 => "0".to_owned(),
        _ if strata_core::format::is_scientific(value) => format!("{value:e}"),
        _ => value.to_string(),
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(marks: Vec<GridMark>, value: fn(f64) -> f64) -> Vec<String> {
        marks.iter().map(|mark| tick(value(mark.value))).collect()
    }

    #[test]
    fn marks_are_round() {
        let power = |value: f64| 10f64.powf(value);
        assert_eq!(
            texts(logarithmic(-2.05, -0.9, 8), power),
            ["0.01", "0.02", "0.05", "0.1"]
        );
        assert_eq!(
            texts(round(0.0, 0.93, 5), |value| value),
            ["0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(whole(0.0, 3.0, 6).len(), 4);
        // Round values lie close to each other at the upper end: those that would lie over each other are left out.
        for most in [2, 3, 4] {
            let marks = logarithmic(-1.3, 0.95, most);
            let gaps = marks.windows(2).map(|two| two[1].value - two[0].value);
            assert!(gaps.fold(f64::INFINITY, f64::min) > 0.4, "{most} {marks:?}");
        }
    }

    #[test]
    fn every_axis_has_two_marks_with_different_texts() {
        for (low, high) in [
            (1.618, 1.619),
            (1.617_999_9, 1.618_000_1),
            (-1.0, 1.0),
            (0.0, 1e-30),
            (2.8e74, 2.9e74),
            (-3.0, -2.999),
        ] {
            for most in [1, 2, 3, 8, 20] {
                let marks = texts(round(low, high, most), |value| value);
                assert!(
                    marks.len() >= 2 && marks.len() <= 2 * most.max(2) + 6,
                    "{marks:?}"
                );
                assert!(marks[0] != marks[1], "{low} {high}: {marks:?}");
            }
        }
        for (low, high) in [
            (1.9f64, 2.6f64),
            (1.565, 1.618),
            (1.0, 1.001),
            (1e-9, 1e12),
            (3e-300, 1e300),
        ] {
            for most in [2, 4, 12] {
                let marks = logarithmic(low.log10(), high.log10(), most);
                let texts = texts(marks, |value| 10f64.powf(value));
                assert!(
                    texts.len() >= 2 && texts[0] != texts[1],
                    "{low} {high}: {texts:?}"
                );
                assert!(texts.len() <= 2 * most + 6, "{most}: {texts:?}");
            }
        }
        for (low, high) in [(0.0, 1.0), (0.3, 0.7), (5.2, 5.4), (0.0, 2_500_000.0)] {
            assert!(whole(low, high, 4).len() >= 2, "{low} {high}");
        }
    }

    #[test]
    fn an_axis_of_counts_has_zero_and_powers_of_ten() {
        assert_eq!(counts(0, 4), [0, 1]);
        assert_eq!(counts(7, 2), [0, 1]);
        assert_eq!(counts(2500, 5), [0, 1, 10, 100, 1000]);
        assert_eq!(counts(2500, 3), [0, 10, 1000]);
        for most in [0, 1, 9, 10, 12_345, u64::MAX] {
            for room in 0..8 {
                let marks = counts(most, room);
                assert!(
                    marks.len() >= 2 && marks.len() <= room.max(2),
                    "{most} {room} {marks:?}"
                );
                assert!(
                    marks[0] == 0 && marks.is_sorted() && marks[marks.len() - 1] <= most.max(1)
                );
            }
        }
    }

    #[test]
    fn texts_are_short_and_exact() {
        assert_eq!(
            [
                0.0,
                0.30000000000000004,
                1e-5,
                2.5e6,
                -0.2,
                1.618_000_1,
                120.0
            ]
            .map(tick),
            ["0", "0.3", "1e−5", "2.5e6", "−0.2", "1.6180001", "120"]
        );
    }
}
