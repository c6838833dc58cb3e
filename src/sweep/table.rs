//! All trials of a sweep as rows: what each reached, ranked, with mean and deviation over its seeds.
//!
//! `table.csv` and `runs.csv` hold what repeats exactly: whoever trained which run, in whatever order, they have the same
//! bytes. What a clock has measured is in `times.csv`; `table.json` has everything.

mod files;

use super::SweepError;
use super::folder::SweepFolder;
use super::plan::{Plan, Trial};
use super::progress::RunProgress;
use super::schedule::{Standings, better_first, is_hopeless, mean, ranked_split, schedule};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::format::loss;
use strata_core::project::sweep::{Factor, Metric};
use strata_engine::storage::path_as_text;

/// The table with everything.
pub const TABLE_FILE: &str = "table.json";

/// How far a trial, or a run of it, is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nothing of it was trained yet.
    #[default]
    Waiting,
    /// It is on its way, or was left on it.
    Begun,
    /// All of it was trained.
    Completed,
    /// Halving went on with better ones.
    LeftBehind,
    /// The stop rule ended it.
    Hopeless,
    /// It could not go on, or not begin.
    Failed,
    /// Its sizes do not fit together, or its settings exclude each other.
    DoesNotFit,
}

impl Standing {
    /// As tables say it.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Begun => "begun",
            Standing::Completed => "completed",
            Standing::LeftBehind => "left behind",
            Standing::Hopeless => "hopeless",
            Standing::Failed => "failed",
            Standing::DoesNotFit => "does not fit",
        }
    }
}

/// A mean over the seeds of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample (n − 1); none of one number.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of these numbers; `None` of none.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = mean(values);
        let squares = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>();
        Some(Spread {
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
        })
    }
}

/// A run of a trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Its name.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// How far it is.
    pub standing: Standing,
    /// Why it is no further.
    pub reason: Option<String>,
    /// Epochs that were trained and measured.
    pub epochs: u32,
    /// What ranks it.
    pub value: Option<f64>,
    /// All that was measured last: `valid accuracy`.
    pub measured: BTreeMap<String, f64>,
    /// Seconds of training.
    pub seconds: Option<f64>,
    /// Images trained on a second.
    pub images_per_second: Option<f64>,
    /// Where it is.
    #[serde(with = "path_as_text::optional", default)]
    pub folder: Option<PathBuf>,
}

/// A trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// From 1.
    pub number: usize,
    /// The value of each factor.
    pub values: Vec<String>,
    /// The round, from 1, in which the Bayesian search chose it; nothing where it followed from the project alone.
    #[serde(default)]
    pub round: Option<usize>,
    /// How far it is.
    pub standing: Standing,
    /// Why it is no further, for the terminal.
    pub reason: Option<String>,
    /// The same for the window.
    pub reason_in_window: Option<String>,
    /// Trained numbers.
    pub parameters: Option<u64>,
    /// Multiply-accumulates for one image.
    pub macs: Option<u64>,
    /// Epochs that all of its runs have had.
    pub epochs: u32,
    /// Its place among the completed trials, from 1.
    pub rank: Option<usize>,
    /// What ranks it, over its seeds.
    pub value: Option<Spread>,
    /// All that was measured last, over its seeds.
    pub measured: BTreeMap<String, Spread>,
    /// Seconds of training a run takes.
    pub seconds: Option<Spread>,
    /// Its runs.
    pub runs: Vec<RunRow>,
}

impl TrialRow {
    /// How it came about in a Bayesian search, as tables say it: `drawn`, or the round that chose it.
    pub fn round_text(&self) -> String {
        self.round
            .map_or_else(|| "drawn".to_owned(), |round| round.to_string())
    }
}

/// All trials of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The project's title.
    pub title: String,
    /// The keys of the factors.
    pub factors: Vec<String>,
    /// What ranks the trials.
    pub metric: Metric,
    /// The trials, by their numbers.
    pub trials: Vec<TrialRow>,
    /// How many more the Bayesian search will choose.
    #[serde(default)]
    pub to_choose: usize,
}

impl Table {
    /// The table of a plan, before anything of it is trained.
    pub fn planned(plan: &Plan) -> Table {
        let none: Vec<Vec<RunProgress>> = plan
            .trials
            .iter()
            .map(|_| vec![RunProgress::default(); plan.seeds.len()])
            .collect();
        Table::of(plan, &none)
    }

    /// Reads how far all runs are, and writes the tables into the folder.
    pub fn make(plan: &Plan, folder: &SweepFolder) -> Result<Table, SweepError> {
        folder.alone(|| {
            let table = Table::of(plan, &standings(plan, folder));
            table.write(folder).map(|()| table)
        })?
    }

    /// The table that was written last.
    pub fn read(sweep: &Path) -> Result<Table, SweepError> {
        let path = sweep.join(TABLE_FILE);
        let wrong = |reason: String| SweepError::Read {
            path: path.clone(),
            reason,
        };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
    }

    /// The table of runs that are so far.
    pub fn of(plan: &Plan, standings: &Standings) -> Table {
        let metric = plan.metric(ranked_split(standings));
        let behind = schedule(plan, standings).left_behind;
        let epochs_of = |trial: usize| {
            let found = behind.iter().find(|(place, _)| *place == trial);
            found.map(|(_, epochs)| *epochs)
        };
        let rows = plan.trials.iter().zip(standings).enumerate();
        let mut trials: Vec<TrialRow> = rows
            .map(|(place, (trial, runs))| TrialRow {
                round: plan.round_of(place),
                ..row(plan, trial, runs, metric, epochs_of(place))
            })
            .collect();
        rank(&mut trials, metric);
        Table {
            title: plan.project.title.clone(),
            factors: plan.sweep.factors.iter().map(Factor::key).collect(),
            metric,
            trials,
            to_choose: plan.to_choose(),
        }
    }

    /// How many trials there will be.
    pub fn trials_in_all(&self) -> usize {
        self.trials.len() + self.to_choose
    }

    /// Whether trials are chosen from what others have reached.
    pub fn is_chosen(&self) -> bool {
        self.to_choose > 0 || self.trials.iter().any(|row| row.round.is_some())
    }

    /// The completed trials, best first, then the others by their numbers.
    pub fn ranked(&self) -> Vec<&TrialRow> {
        let mut rows: Vec<&TrialRow> = self.trials.iter().collect();
        rows.sort_by_key(|row| (row.rank.unwrap_or(usize::MAX), row.number));
        rows
    }

    /// How many trials stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.trials
            .iter()
            .filter(|row| row.standing == standing)
            .count()
    }

    /// Whether nothing is left to train.
    pub fn is_done(&self) -> bool {
        self.count(Standing::Waiting) + self.count(Standing::Begun) + self.to_choose == 0
    }

    /// What was measured of any trial, in the order of tables.
    pub fn measures(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.trials.iter().flat_map(|row| row.measured.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names.sort();
        names
    }

    /// A value of what ranks the trials, as tables say it.
    pub fn value_text(&self, value: f64) -> String {
        value_text(self.metric, value)
    }

    /// The same with its deviation.
    pub fn spread_text(&self, spread: Spread) -> String {
        spread_text(self.metric, spread)
    }
}

/// A value of a metric, as tables say it.
pub fn value_text(metric: Metric, value: f64) -> String {
    match metric.measure.is_more_better() {
        true => format!("{:.2} %", 100.0 * value),
        false => loss(value),
    }
}

/// The same with its deviation.
pub fn spread_text(metric: Metric, spread: Spread) -> String {
    let is_share = metric.measure.is_more_better();
    match (spread.deviation, is_share) {
        (None, _) => value_text(metric, spread.mean),
        (Some(deviation), true) => {
            format!("{:.2} ± {:.2} %", 100.0 * spread.mean, 100.0 * deviation)
        }
        (Some(deviation), false) => format!("{} ± {}", loss(spread.mean), loss(deviation)),
    }
}

/// How far all runs are, read from their folders.
pub fn standings(plan: &Plan, folder: &SweepFolder) -> Vec<Vec<RunProgress>> {
    let of_trial = |trial: &Trial| {
        let seeds = plan.seeds.iter();
        let of_seed = |seed: &u64| match &trial.project {
            Ok(_) => RunProgress::read(folder, &plan.run_name(trial.number, *seed)),
            Err(_) => RunProgress::default(),
        };
        seeds.map(of_seed).collect()
    };
    plan.trials.iter().map(of_trial).collect()
}

fn row(
    plan: &Plan,
    trial: &Trial,
    runs: &[RunProgress],
    metric: Metric,
    left_behind: Option<u32>,
) -> TrialRow {
    let rows: Vec<RunRow> = runs
        .iter()
        .zip(&plan.seeds)
        .map(|(run, &seed)| run_row(plan, trial, run, seed, metric, left_behind))
        .collect();
    let all = |value: &dyn Fn(&RunRow) -> Option<f64>| -> Vec<f64> {
        rows.iter().filter_map(value).collect()
    };
    let names: std::collections::BTreeSet<&String> =
        rows.iter().flat_map(|run| run.measured.keys()).collect();
    let measured = names.into_iter().filter_map(|name| {
        let values = all(&|run| run.measured.get(name).copied());
        Some((name.clone(), Spread::of(&values)?))
    });
    let (standing, reason) = standing(trial, &rows);
    let unfit = trial.project.as_ref().err();
    TrialRow {
        number: trial.number,
        values: trial.labels(),
        round: None,
        standing,
        reason_in_window: unfit
            .map(|unfit| unfit.in_window.clone())
            .or_else(|| reason.clone()),
        reason,
        parameters: trial.parameters,
        macs: trial.macs,
        epochs: rows.iter().map(|run| run.epochs).min().unwrap_or(0),
        rank: None,
        value: Spread::of(&all(&|run| run.value)),
        measured: measured.collect(),
        seconds: Spread::of(&all(&|run| run.seconds)),
        runs: rows,
    }
}

fn run_row(
    plan: &Plan,
    trial: &Trial,
    run: &RunProgress,
    seed: u64,
    metric: Metric,
    left_behind: Option<u32>,
) -> RunRow {
    let (standing, reason) = match (&trial.project, run.failure()) {
        (Err(unfit), _) => (Standing::DoesNotFit, Some(unfit.message.clone())),
        (_, Some(why)) => (Standing::Failed, Some(why)),
        _ if run.is_completed() => (Standing::Completed, None),
        _ if is_hopeless(plan, run) => (Standing::Hopeless, None),
        _ if left_behind.is_some() => (Standing::LeftBehind, None),
        _ if run.record.is_some() => (Standing::Begun, None),
        _ => (Standing::Waiting, None),
    };
    // A run that was killed behind the end of its trial has measured more than is counted.
    let counted = match standing {
        Standing::Hopeless => plan.sweep.stop.map(|rule| rule.after),
        Standing::LeftBehind => left_behind,
        _ => None,
    };
    let epochs = run.epochs.len().min(counted.unwrap_or(u32::MAX) as usize);
    let record = run.record.as_ref();
    RunRow {
        name: plan.run_name(trial.number, seed),
        seed,
        standing,
        reason,
        epochs: epochs as u32,
        value: run
            .ranked(metric, counted)
            .filter(|value| value.is_finite()),
        measured: measured(run, epochs, standing == Standing::Completed),
        seconds: record.map(|record| record.seconds),
        images_per_second: record.map(|record| record.images_per_second),
        // Who reads the table may stand elsewhere.
        folder: run
            .folder
            .as_ref()
            .map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone())),
    }
}

/// All that the last counted epoch measured; of a completed run also what only its record has.
fn measured(run: &RunProgress, epochs: usize, is_completed: bool) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    let last = epochs
        .checked_sub(1)
        .and_then(|place| run.epochs.get(place));
    for row in last.into_iter().flatten() {
        let figures = [
            ("loss", row.loss),
            ("accuracy", row.accuracy),
            ("log loss", row.log_loss),
            ("F1", row.f1),
            ("exact match", row.exact_match),
        ];
        for (name, value) in figures {
            let value = value.filter(|value| value.is_finite());
            all.extend(value.map(|value| (format!("{} {name}", row.split), value)));
        }
    }
    let record = run.record.as_ref().filter(|_| is_completed);
    for (split, metrics) in record.into_iter().flat_map(|record| &record.metrics) {
        for (name, value) in [("mse", metrics.mse), ("psnr", metrics.psnr)] {
            let value = value.filter(|value| value.is_finite());
            all.extend(value.map(|value| (format!("{split} {name}"), value)));
        }
    }
    all
}

/// How far a trial is: as its runs are, the worst news first.
fn standing(trial: &Trial, runs: &[RunRow]) -> (Standing, Option<String>) {
    if let Err(unfit) = &trial.project {
        return (Standing::DoesNotFit, Some(unfit.message.clone()));
    }
    let has = |standing: Standing| runs.iter().find(|run| run.standing == standing);
    if let Some(run) = has(Standing::Failed) {
        let why = run.reason.clone().unwrap_or_default();
        let why = match runs.len() {
            1 => why,
            _ => format!("seed {}: {why}", run.seed),
        };
        return (Standing::Failed, Some(why));
    }
    let waits = runs.iter().all(|run| run.standing == Standing::Waiting);
    let is_open = has(Standing::Begun).is_some() || has(Standing::Waiting).is_some();
    let standing = if waits {
        Standing::Waiting
    } else if is_open {
        Standing::Begun
    } else if has(Standing::Hopeless).is_some() {
        Standing::Hopeless
    } else if has(Standing::LeftBehind).is_some() {
        Standing::LeftBehind
    } else {
        Standing::Completed
    };
    (standing, None)
}

/// Gives the completed trials their places; of equal ones the first is the better.
fn rank(trials: &mut [TrialRow], metric: Metric) {
    let is_ranked = |row: &&TrialRow| row.standing == Standing::Completed;
    let value = |row: &TrialRow| row.value.map(|value| value.mean);
    let mut order: Vec<(f64, usize)> = trials
        .iter()
        .filter(is_ranked)
        .filter_map(|row| Some((value(row)?, row.number)))
        .collect();
    order.sort_by(|one, other| better_first(one.0, other.0, metric.measure.is_more_better()));
    for (place, (_, number)) in order.into_iter().enumerate() {
        if let Some(row) = trials.iter_mut().find(|row| row.number == number) {
            row.rank = Some(place + 1);
        }
    }
}
