//! The trials of a project: every combination of the values, or so many that are drawn, each with its own project.

use super::SweepError;
use rand::Rng;
use std::collections::BTreeSet;
use strata_core::project::data::Split;
use strata_core::project::help::Surface;
use strata_core::project::stage::Task;
use strata_core::project::sweep::{Factor, Measure, Method, Metric, Sweep, Values, label};
use strata_core::project::{Project, ProjectError, file};
use strata_core::rng::{Purpose, stream};
use strata_core::shape::infer;
use strata_design::{Severity, check_inferred};
use strata_engine::error::one_line;
use toml::{Table, Value};

/// Trials of one sweep, at most: more are nothing that anyone looks at.
const MOST: usize = 10_000;
/// Draws for each trial that is wanted, before it is believed that there are no others.
pub(crate) const DRAWS: usize = 50;

/// All trials of a sweep.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The project as it is written, with its sweep.
    pub project: Project,
    /// Its sweep.
    pub sweep: Sweep,
    /// The seed of each run of a trial.
    pub seeds: Vec<u64>,
    /// The trials, by their numbers.
    pub trials: Vec<Trial>,
    /// How many there will be: the Bayesian search chooses more when these are trained.
    pub planned: usize,
    /// So many of them follow from the project alone.
    known_before: usize,
}

/// One combination of values.
#[derive(Clone, Debug)]
pub struct Trial {
    /// From 1.
    pub number: usize,
    /// The value of each factor.
    pub values: Vec<Value>,
    /// What is trained, or why that cannot be.
    pub project: Result<Project, Unfit>,
    /// Trained numbers, where the sizes fit.
    pub parameters: Option<u64>,
    /// Multiply-accumulates for one image, where the sizes fit.
    pub macs: Option<u64>,
}

/// Why a combination cannot be trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// One sentence for the terminal.
    pub message: String,
    /// The same for the window.
    pub in_window: String,
    /// The project's file cannot even hold it: a path or a value is wrong.
    is_unreadable: bool,
}

impl Plan {
    /// The trials of a project's sweep. Refused are settings and values that no trial can have.
    pub fn new(project: &Project) -> Result<Plan, SweepError> {
        Plan::with_chosen(project, Vec::new())
    }

    /// The same with the values of trials that a Bayesian search has chosen.
    pub fn with_chosen(project: &Project, chosen: Vec<Vec<Value>>) -> Result<Plan, SweepError> {
        let Some(sweep) = project
            .sweep
            .clone()
            .filter(|sweep| !sweep.factors.is_empty())
        else {
            return Err(SweepError::NothingTried);
        };
        let seeds = 0..u64::from(sweep.runs_per_trial());
        let seeds: Vec<u64> = seeds.map(|more| project.seed.wrapping_add(more)).collect();
        let base = Project {
            sweep: None,
            ..project.clone()
        };
        let table: Table = toml::from_str(&file::to_text(&base)).map_err(|error| {
            SweepError::Input(format!("the project cannot be varied: {}", error.message()))
        })?;
        let mut combinations = combinations(&sweep, project.seed)?;
        let known_before = combinations.len();
        let planned = match sweep.method {
            Method::Bayesian { .. } => wanted_of(&sweep),
            Method::Grid | Method::Random | Method::Halving { .. } => known_before,
        };
        combinations.extend(chosen);
        let trials = combinations.into_iter().enumerate();
        let trials: Vec<Trial> = trials
            .map(|(place, values)| trial(place + 1, &base, &table, &sweep.factors, values))
            .collect();
        // What was chosen later is a row of the table, whatever is wrong with it.
        possible(&sweep.factors, &trials[..known_before])?;
        Ok(Plan {
            planned: planned.max(trials.len()),
            known_before,
            project: project.clone(),
            sweep,
            seeds,
            trials,
        })
    }

    /// What ranks the trials, on these images where the project does not say.
    pub fn metric(&self, split: Split) -> Metric {
        let is_classifying = self
            .project
            .stages
            .last()
            .is_some_and(|stage| stage.task == Task::Classify);
        self.sweep.metric.unwrap_or(Metric {
            is_best: false,
            split,
            measure: match is_classifying {
                true => Measure::Accuracy,
                false => Measure::Loss,
            },
        })
    }

    /// Epochs of the longest trial.
    pub fn epochs(&self) -> u32 {
        let fitting = self
            .trials
            .iter()
            .filter_map(|trial| trial.project.as_ref().ok());
        fitting.map(epochs).max().unwrap_or(0)
    }

    /// The name of a run, which is that of its folder: `trial-007-seed-42`.
    pub fn run_name(&self, trial: usize, seed: u64) -> String {
        let width = self.planned.to_string().len();
        format!("trial-{trial:0width$}-seed-{seed}")
    }

    /// Runs of all trials, those that cannot be trained included.
    pub fn runs(&self) -> usize {
        self.planned * self.seeds.len()
    }

    /// How many trials are chosen at once; all are there from the start unless the search is Bayesian.
    pub fn round_size(&self) -> usize {
        match self.sweep.method {
            Method::Bayesian { round, .. } => round as usize,
            Method::Grid | Method::Random | Method::Halving { .. } => 0,
        }
    }

    /// How many trials have yet to be chosen.
    pub fn to_choose(&self) -> usize {
        self.planned - self.trials.len()
    }

    /// Runs that can be trained at the same time.
    pub fn runs_at_once(&self) -> usize {
        let trials = match self.sweep.method {
            Method::Bayesian { .. } => self.known_before.max(self.round_size()),
            Method::Grid | Method::Random | Method::Halving { .. } => self.trials.len(),
        };
        trials * self.seeds.len()
    }

    /// The round, from 1, in which the trial at a place was chosen; `None` where it followed from the project alone.
    pub fn round_of(&self, place: usize) -> Option<usize> {
        let later = place.checked_sub(self.known_before)?;
        Some(later / self.round_size().max(1) + 1)
    }

    /// The values of the trials that were chosen from what others have reached.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &Vec<Value>> {
        self.trials[self.known_before..]
            .iter()
            .map(|trial| &trial.values)
    }

    /// There are no other combinations.
    pub(crate) fn without_more(&self) -> Plan {
        Plan {
            planned: self.trials.len(),
            ..self.clone()
        }
    }

    /// How many trials can be trained.
    pub fn fitting(&self) -> usize {
        let fits = |trial: &&Trial| trial.project.is_ok();
        self.trials.iter().filter(fits).count()
    }
}

impl Trial {
    /// The values as tables and plots say them.
    pub fn labels(&self) -> Vec<String> {
        self.values.iter().map(label).collect()
    }
}

/// Epochs of all stages of a project.
pub(crate) fn epochs(project: &Project) -> u32 {
    let stages = project.stages.iter();
    stages.fold(0, |sum, stage| sum.saturating_add(stage.epochs))
}

/// The combinations of values, in the order of their numbers.
fn combinations(sweep: &Sweep, seed: u64) -> Result<Vec<Vec<Value>>, SweepError> {
    let range = sweep
        .factors
        .iter()
        .find(|factor| matches!(factor.values, Values::Between(_)));
    let wanted = sweep.trials.map(|trials| trials as usize);
    let is_drawn = match sweep.method {
        Method::Grid => false,
        Method::Random | Method::Bayesian { .. } => true,
        Method::Halving { .. } => wanted.is_some(),
    };
    if let (Method::Bayesian { startup, .. }, Some(trials)) = (sweep.method, sweep.trials)
        && trials <= startup
    {
        return Err(SweepError::NothingToChoose { trials, startup });
    }
    match (is_drawn, wanted, range) {
        (true, Some(wanted), _) => {
            let few = match sweep.method {
                Method::Bayesian { startup, .. } => (startup as usize).min(wanted_of(sweep)),
                Method::Grid | Method::Random | Method::Halving { .. } => wanted,
            };
            drawn(sweep, wanted, few, seed)
        }
        (true, None, _) => Err(SweepError::NoNumber(sweep.method)),
        (false, _, Some(factor)) => Err(SweepError::RangeInGrid(Box::new(factor.clone()))),
        (false, wanted, None) => grid(sweep, wanted),
    }
}

/// Every combination, the last factor fastest; at most so many.
fn grid(sweep: &Sweep, wanted: Option<usize>) -> Result<Vec<Vec<Value>>, SweepError> {
    let counts = sweep
        .factors
        .iter()
        .map(|factor| factor.values.listed().len());
    let all = counts.fold(1usize, usize::saturating_mul);
    let count = all.min(wanted.unwrap_or(all));
    if count > MOST {
        return Err(SweepError::Input(format!(
            "the grid has {all} combinations, {MOST} at most are trained: list fewer values, or write trials = 100"
        )));
    }
    let listed = sweep.factors.iter();
    let listed: Vec<Vec<Value>> = listed
        .map(|factor| factor.values.listed().to_vec())
        .collect();
    Ok((0..count)
        .map(|number| combination(&listed, number))
        .collect())
}

/// The combination of this number, the last factor fastest.
pub(crate) fn combination(all: &[Vec<Value>], mut number: usize) -> Vec<Value> {
    let mut values = Vec::new();
    for listed in all.iter().rev() {
        values.push(listed[number % listed.len()].clone());
        number /= listed.len();
    }
    values.reverse();
    values
}

/// How many trials are wanted, at most as many as there are combinations.
fn wanted_of(sweep: &Sweep) -> usize {
    let wanted = sweep.trials.map_or(0, |trials| trials as usize);
    let counts = sweep.factors.iter().map(|factor| match &factor.values {
        Values::Listed(list) => Some(list.len()),
        Values::Between(range) => range.count(),
    });
    let all = counts.fold(1usize, |all, count| {
        all.saturating_mul(count.unwrap_or(usize::MAX))
    });
    wanted.min(all)
}

/// The first few of the wanted combinations, drawn by the seed, no two alike; fewer where there are no more.
fn drawn(
    sweep: &Sweep,
    wanted: usize,
    few: usize,
    seed: u64,
) -> Result<Vec<Vec<Value>>, SweepError> {
    if wanted > MOST {
        return Err(SweepError::Input(format!(
            "[sweep] trials = {wanted}: {MOST} at most are trained"
        )));
    }
    let mut rng = stream(seed, Purpose::Sweep, 0);
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for _ in 0..few.saturating_mul(DRAWS) {
        if all.len() == few {
            break;
        }
        let factors = sweep.factors.iter();
        let values = factors.map(|factor| at_share(&factor.values, rng.random()));
        let values: Vec<Value> = values.collect();
        if known.insert(key_of(&values)) {
            all.push(values);
        }
    }
    Ok(all)
}

/// The value at a share of a factor, from 0 to 1.
pub(crate) fn at_share(values: &Values, share: f64) -> Value {
    match values {
        Values::Between(range) => range.at(share),
        Values::Listed(list) => {
            let place = (share * list.len() as f64) as usize;
            list[place.min(list.len() - 1)].clone()
        }
    }
}

/// What tells combinations apart.
pub(crate) fn key_of(values: &[Value]) -> String {
    format!("{values:?}")
}

/// The trial of these values.
fn trial(
    number: usize,
    base: &Project,
    table: &Table,
    factors: &[Factor],
    values: Vec<Value>,
) -> Trial {
    let project = varied(table, factors, &values).map_err(|message| Unfit {
        in_window: message.clone(),
        message,
        is_unreadable: true,
    });
    let mut trial = Trial {
        number,
        values,
        project: project.map(|project| Project {
            title: format!("{}, trial {number}", base.title),
            // Written out and read again, they would be the same.
            goals: base.goals.clone(),
            ..project
        }),
        parameters: None,
        macs: None,
    };
    let Ok(project) = &trial.project else {
        return trial;
    };
    let inference = infer(&project.network);
    let problems = check_inferred(project, &inference);
    let error = problems
        .iter()
        .find(|problem| problem.severity == Severity::Error);
    match error {
        Some(problem) => {
            let told = |surface| one_line(problem, project, &inference, surface);
            trial.project = Err(Unfit {
                message: told(Surface::Terminal),
                in_window: told(Surface::Window),
                is_unreadable: false,
            });
        }
        None => {
            trial.parameters = Some(inference.totals.parameters);
            trial.macs = Some(inference.totals.macs);
        }
    }
    trial
}

/// The project with these values in the places of the factors.
fn varied(table: &Table, factors: &[Factor], values: &[Value]) -> Result<Project, String> {
    let mut table = table.clone();
    let mut all: Vec<(&Factor, &Value)> = factors.iter().zip(values).collect();
    all.sort_by_key(|(factor, _)| factor.depth());
    for (factor, value) in all {
        factor.apply(&mut table, value)?;
    }
    let text = toml::to_string(&table).map_err(|error| error.to_string())?;
    file::parse(&text, "").map_err(|error| match error {
        ProjectError::Text { message, .. } => message,
        other => other.to_string(),
    })
}

/// Refuses a value with which no trial can even be read: it, or its setting, is misspelled.
fn possible(factors: &[Factor], trials: &[Trial]) -> Result<(), SweepError> {
    for (place, factor) in factors.iter().enumerate() {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for trial in trials {
            let value = &trial.values[place];
            if !seen.insert(value.to_string()) {
                continue;
            }
            let mut having = trials.iter().filter(|trial| trial.values[place] == *value);
            let unreadable = |trial: &Trial| match &trial.project {
                Err(unfit) if unfit.is_unreadable => Some(unfit.message.clone()),
                _ => None,
            };
            let first = having.next().and_then(unreadable);
            if let Some(message) = first.filter(|_| having.all(|trial| unreadable(trial).is_some()))
            {
                return Err(SweepError::Input(format!(
                    "[sweep] {} = {value}: {message}",
                    factor.key()
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
