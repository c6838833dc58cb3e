//! Which runs are to be trained next, and how far. It follows from how far all runs are, and from nothing else.
//!
//! Successive halving has rungs: after `epochs`, `epochs · factor`, … epochs the best of the trials go on. Who is left
//! behind is decided when all trials of a rung have come to it.

use super::plan::{Plan, epochs};
use super::progress::RunProgress;
use strata_core::project::data::Split;
use strata_core::project::sweep::{Method, Metric};

/// A run that is to be trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The place of its trial.
    pub trial: usize,
    /// The place of its seed.
    pub seed: usize,
    /// The epochs after which it stops for now; to its end where there are none.
    pub until: Option<u32>,
}

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// Runs to train, in their order.
    pub due: Vec<Due>,
    /// Trials that halving has left behind: the place of each, and the epochs it had.
    pub left_behind: Vec<(usize, u32)>,
}

/// How far the runs are: by trial and seed.
pub type Standings = [Vec<RunProgress>];

/// The images whose measurements rank the trials, where the project does not say.
pub fn ranked_split(standings: &Standings) -> Split {
    let runs = || standings.iter().flatten();
    let known = [Split::Valid, Split::Test, Split::Train];
    let is_measured = |split: &Split| runs().any(|run| run.splits().contains(split));
    known.into_iter().find(is_measured).unwrap_or(Split::Valid)
}

/// Whether a run trains no further because of the stop rule.
pub fn is_hopeless(plan: &Plan, run: &RunProgress) -> bool {
    let Some(rule) = plan.sweep.stop else {
        return false;
    };
    if run.epochs.len() < rule.after as usize || run.is_over() {
        return false;
    }
    let reached = run.value(rule.split, rule.measure, Some(rule.after));
    reached.is_some_and(|reached| rule.is_hopeless(reached))
}

/// What there is to do.
pub fn schedule(plan: &Plan, standings: &Standings) -> Schedule {
    let metric = plan.metric(ranked_split(standings));
    let all: Vec<usize> = (0..plan.trials.len())
        .filter(|&trial| plan.trials[trial].project.is_ok())
        .collect();
    let mut schedule = Schedule::default();
    let mut racing = all;
    for rung in rungs(plan) {
        let due = racing.iter().flat_map(|&trial| {
            let seeds = 0..plan.seeds.len();
            seeds.filter_map(move |seed| due(plan, &standings[trial][seed], trial, seed, rung))
        });
        schedule.due = due.collect();
        let Some(epochs) = rung.filter(|_| schedule.due.is_empty()) else {
            break;
        };
        let (better, behind) = halved(plan, standings, &racing, metric, epochs);
        let is_going_on = |trial: &usize| standings[*trial].iter().any(|run| !run.is_over());
        let behind = behind.into_iter().filter(is_going_on);
        schedule
            .left_behind
            .extend(behind.map(|trial| (trial, epochs)));
        racing = better;
    }
    schedule.left_behind.sort_unstable();
    schedule
}

/// Epochs after which trials are left behind, and the end.
fn rungs(plan: &Plan) -> Vec<Option<u32>> {
    let mut rungs = Vec::new();
    if let Method::Halving { factor, epochs } = plan.sweep.method {
        let mut at = epochs;
        while at < plan.epochs() {
            rungs.push(Some(at));
            at = at.saturating_mul(factor);
        }
    }
    rungs.push(None);
    rungs
}

/// What is left of a run up to a rung.
fn due(
    plan: &Plan,
    run: &RunProgress,
    trial: usize,
    seed: usize,
    rung: Option<u32>,
) -> Option<Due> {
    if run.is_over() || is_hopeless(plan, run) {
        return None;
    }
    if rung.is_some_and(|epochs| run.has_reached(epochs)) {
        return None;
    }
    let after = plan.sweep.stop.map(|rule| rule.after);
    let judged = after.filter(|after| !run.has_reached(*after));
    let whole = plan.trials[trial].project.as_ref().map_or(0, epochs);
    // A trial that is judged at its end is trained to its end.
    let ends = [judged, rung]
        .into_iter()
        .flatten()
        .filter(|end| *end < whole);
    Some(Due {
        trial,
        seed,
        until: ends.min(),
    })
}

/// The trials that go on behind a rung, and the others: one of `factor` goes on, the best by the mean over seeds. Of equal
/// ones the first is the better.
fn halved(
    plan: &Plan,
    standings: &Standings,
    racing: &[usize],
    metric: Metric,
    epochs: u32,
) -> (Vec<usize>, Vec<usize>) {
    let Method::Halving { factor, .. } = plan.sweep.method else {
        return (racing.to_vec(), Vec::new());
    };
    let mut ranked: Vec<(f64, usize)> = Vec::new();
    for &trial in racing {
        let runs = &standings[trial];
        let is_out = |run: &RunProgress| run.failure().is_some() || is_hopeless(plan, run);
        let values = runs.iter().map(|run| run.ranked(metric, Some(epochs)));
        let values: Option<Vec<f64>> = values.collect();
        let mean = values.map_or(f64::NAN, |values| mean(&values));
        let worst = if runs.iter().any(is_out) {
            f64::NAN
        } else {
            mean
        };
        ranked.push((worst, trial));
    }
    let is_more_better = metric.measure.is_more_better();
    ranked.sort_by(|one, other| better_first(one.0, other.0, is_more_better));
    let going_on = (racing.len() / factor as usize).max(1);
    let mut better: Vec<usize> = ranked
        .iter()
        .take(going_on)
        .map(|(_, trial)| *trial)
        .collect();
    better.sort_unstable();
    let behind = racing
        .iter()
        .copied()
        .filter(|trial| !better.contains(trial));
    (better.clone(), behind.collect())
}

/// The mean of some numbers.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The better value first; what is no number comes last.
pub(crate) fn better_first(one: f64, other: f64, is_more_better: bool) -> std::cmp::Ordering {
    let key = |value: f64| match (value.is_nan(), is_more_better) {
        (true, _) => f64::INFINITY,
        (false, true) => -value,
        (false, false) => value,
    };
    key(one).total_cmp(&key(other))
}

#[cfg(test)]
mod tests;
