//! What the factors of a sweep do: the mean over all trials with a value, and the trials that no other is better than.

use super::table::{Spread, Standing, Table, TrialRow};
use strata_core::format::duration;

/// What one factor does to quality and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The factor's key.
    pub factor: String,
    /// Its values, in order.
    pub points: Vec<EffectPoint>,
}

/// The trials with one value of a factor.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectPoint {
    /// The value.
    pub label: String,
    /// The value as a number, where all values of the factor are.
    pub number: Option<f64>,
    /// How many completed trials have it.
    pub trials: usize,
    /// What ranks them, over those trials.
    pub quality: Option<Spread>,
    /// Seconds of training, over those trials.
    pub seconds: Option<Spread>,
}

/// What a trial costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CostKind {
    /// Trained numbers.
    #[default]
    Parameters,
    /// Multiply-accumulates for one image.
    Macs,
    /// Seconds of training.
    Seconds,
}

impl CostKind {
    /// All of them.
    pub const ALL: [CostKind; 3] = [CostKind::Parameters, CostKind::Macs, CostKind::Seconds];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            CostKind::Parameters => "parameters",
            CostKind::Macs => "multiply-accumulates",
            CostKind::Seconds => "training time",
        }
    }

    /// What a trial costs.
    pub fn of(self, row: &TrialRow) -> Option<f64> {
        match self {
            CostKind::Parameters => row.parameters.map(|number| number as f64),
            CostKind::Macs => row.macs.map(|number| number as f64),
            CostKind::Seconds => row.seconds.map(|seconds| seconds.mean),
        }
    }
}

/// What each factor does, over the completed trials.
pub fn effects(table: &Table) -> Vec<Effect> {
    let factors = table.factors.iter().enumerate();
    factors
        .map(|(place, factor)| Effect {
            factor: factor.clone(),
            points: points(table, place),
        })
        .collect()
}

fn points(table: &Table, place: usize) -> Vec<EffectPoint> {
    let mut labels: Vec<&String> = Vec::new();
    for row in &table.trials {
        if let Some(label) = row
            .values
            .get(place)
            .filter(|label| !labels.contains(label))
        {
            labels.push(label);
        }
    }
    let number = |label: &&String| label.parse::<f64>().ok();
    let is_numeric = labels.iter().all(|label| number(label).is_some());
    if is_numeric {
        labels.sort_by(|one, other| {
            let [one, other] = [one, other].map(|label| number(label).unwrap_or(f64::NAN));
            one.total_cmp(&other)
        });
    }
    let point = |label: &String| {
        let having = table.trials.iter().filter(|row| {
            row.standing == Standing::Completed && row.values.get(place) == Some(label)
        });
        let having: Vec<&TrialRow> = having.collect();
        let of = |value: fn(&TrialRow) -> Option<Spread>| {
            let means = having.iter().filter_map(|row| Some(value(row)?.mean));
            Spread::of(&means.collect::<Vec<f64>>())
        };
        EffectPoint {
            number: number(&label).filter(|_| is_numeric),
            label: label.clone(),
            trials: having.len(),
            quality: of(|row| row.value),
            seconds: of(|row| row.seconds),
        }
    };
    labels.into_iter().map(point).collect()
}

/// The completed trials that no other is better than in quality and cost at once, by their cost: the Pareto front.
pub fn pareto(table: &Table, cost: CostKind) -> Vec<usize> {
    let is_more_better = table.metric.measure.is_more_better();
    let quality = |row: &TrialRow| {
        let value = row.value.map(|value| value.mean)?;
        Some(if is_more_better { value } else { -value })
    };
    let completed = table
        .trials
        .iter()
        .filter(|row| row.standing == Standing::Completed);
    let known = completed.filter_map(|row| Some((cost.of(row)?, quality(row)?, row.number)));
    let mut all: Vec<(f64, f64, usize)> = known.collect();
    // Of equal cost the best first, of equal trials the first.
    all.sort_by(|one, other| {
        let by_cost = one.0.total_cmp(&other.0);
        by_cost
            .then(other.1.total_cmp(&one.1))
            .then(one.2.cmp(&other.2))
    });
    let mut best = f64::NEG_INFINITY;
    let mut front = Vec::new();
    for (_, quality, number) in all {
        if quality > best {
            best = quality;
            front.push(number);
        }
    }
    front
}

/// Round values between two ends, which plots mark: three to eight of them.
pub fn round_marks(low: f64, high: f64) -> Vec<f64> {
    let range = high - low;
    if !range.is_finite() || range <= 0.0 {
        return Vec::new();
    }
    let power = 10f64.powf((range / 3.0).log10().floor());
    let fits = |step: &&f64| range / (*step * power) >= 3.0;
    let step = [5.0, 2.0, 1.0].iter().find(fits).unwrap_or(&1.0) * power;
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|number| number as f64 * step).collect()
}

/// A time as tables and plots say it: short ones with their hundredths.
pub fn time_text(seconds: f64) -> String {
    match seconds < 10.0 {
        true => format!("{seconds:.2} s"),
        false => duration(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize, values: [&str; 2], quality: f64, parameters: u64) -> TrialRow {
        TrialRow {
            number,
            values: values.map(str::to_owned).to_vec(),
            standing: Standing::Completed,
            value: Spread::of(&[quality]),
            seconds: Spread::of(&[quality * 10.0]),
            parameters: Some(parameters),
            ..TrialRow::default()
        }
    }

    fn table(metric: &str) -> Table {
        let open = TrialRow {
            number: 5,
            values: vec!["10".to_owned(), "b".to_owned()],
            value: Spread::of(&[9.0]),
            parameters: Some(1),
            ..TrialRow::default()
        };
        Table {
            title: String::new(),
            factors: vec!["x".to_owned(), "y".to_owned()],
            metric: metric.parse().unwrap(),
            trials: vec![
                row(1, ["10", "a"], 0.2, 100),
                row(2, ["10", "b"], 0.4, 200),
                row(3, ["9", "a"], 0.6, 300),
                row(4, ["9", "b"], 0.4, 400),
                open,
            ],
            to_choose: 0,
        }
    }

    #[test]
    fn effects_are_means_over_completed_trials() {
        let effects = effects(&table("valid accuracy"));
        let labels: Vec<&str> = effects[0]
            .points
            .iter()
            .map(|point| point.label.as_str())
            .collect();
        // By their size, not by their letters.
        assert_eq!(labels, ["9", "10"]);
        let nine = &effects[0].points[0];
        assert_eq!((nine.trials, nine.number), (2, Some(9.0)));
        let quality = nine.quality.unwrap();
        assert!((quality.mean - 0.5).abs() < 1e-12);
        // The deviation of a sample: sqrt(2 · 0.1² / 1).
        assert!((quality.deviation.unwrap() - 0.02f64.sqrt()).abs() < 1e-12);
        assert_eq!(effects[1].points[1].trials, 2);
        assert_eq!(effects[1].points[1].number, None);
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(round_marks(7.4, 12.2), [8.0, 9.0, 10.0, 11.0, 12.0]);
        assert_eq!(round_marks(1440.0, 1590.0), [1450.0, 1500.0, 1550.0]);
        for (low, high) in [(0.0, 1.0), (0.093, 0.117), (-3.0, 1e6), (5e-7, 6e-7)] {
            let marks = round_marks(low, high);
            assert!((3..=8).contains(&marks.len()), "{low} {high}: {marks:?}");
            assert!(
                marks.iter().all(|mark| (low..=high).contains(mark)),
                "{marks:?}"
            );
        }
        assert!(round_marks(1.0, 1.0).is_empty());
    }

    #[test]
    fn the_front_has_what_nothing_is_better_and_cheaper_than() {
        assert_eq!(
            pareto(&table("valid accuracy"), CostKind::Parameters),
            [1, 2, 3]
        );
        assert_eq!(pareto(&table("valid loss"), CostKind::Parameters), [1]);
        // All trials take the longer the better they are.
        assert_eq!(
            pareto(&table("valid accuracy"), CostKind::Seconds),
            [1, 2, 3]
        );
    }
}
