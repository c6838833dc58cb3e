//! What a stage says of its updates: class weights, rates by layer, weight decay, steps of an update, the schedule.

use super::project_check::Problem;
use super::stage_check::{no_such_place, used, verb};
use strata_core::project::Project;
use strata_core::project::help::{Help, Repair, StageSetting};
use strata_core::project::schedule::{Course, Schedule};
use strata_core::project::stage::{Decay, PRETRAINED, RateFactors, Stage, Task};
use strata_core::project::target::target;
use strata_core::shape::infer::{Inference, Row};

/// The problems of a stage, the one of this index.
pub(super) fn updates(project: &Project, inference: &Inference, index: usize) -> Vec<Problem> {
    let Some(stage) = project.stages.get(index) else {
        return Vec::new();
    };
    let found = [class_weights(stage), decay(stage), accumulate(stage)];
    let mut problems: Vec<Problem> = found.into_iter().flatten().collect();
    problems.extend(schedule(stage));
    problems.extend(rate_factors(project, inference, index));
    problems
}

fn class_weights(stage: &Stage) -> Option<Problem> {
    if stage.class_weights.is_none() || stage.task == Task::Classify {
        return None;
    }
    let message = "the class weights change nothing: a stage that reconstructs reads no labels";
    let none = Repair::Stage(StageSetting::ClassWeights(None));
    Some(Problem::error(message).help(none).harmless())
}

fn decay(stage: &Stage) -> Option<Problem> {
    if stage.decay == Decay::All || stage.optimizer.decay() > 0.0 {
        return None;
    }
    let message = format!(
        "a decay of weights alone changes nothing: the optimizer {} has no weight decay",
        stage.optimizer.word()
    );
    let all = Repair::Stage(StageSetting::Decay(Decay::All));
    Some(Problem::error(message).help(all).harmless())
}

fn accumulate(stage: &Stage) -> Option<Problem> {
    if stage.accumulate > 0 {
        return None;
    }
    let one = Repair::Stage(StageSetting::Accumulate(1));
    Some(Problem::error("0 steps make no update").help(one))
}

/// Warns of a schedule whose change comes after the stage's end.
fn schedule(stage: &Stage) -> Option<Problem> {
    let schedule = stage.schedule.as_ref()?;
    let (epochs, warmup) = (f64::from(stage.epochs), schedule.warmup);
    if warmup >= epochs {
        let message = format!(
            "the schedule warms up for {warmup} epochs, and the stage has {epochs}: the rate never gets to lr"
        );
        return Some(Problem::warning(message).help(LONGER));
    }
    let first = warmup + first_change(schedule)?;
    if first < epochs {
        return None;
    }
    let message = match schedule.course {
        Course::Exponential { .. } => {
            "the schedule changes the rate from epoch to epoch, and the stage has one: it stays what it is".to_owned()
        }
        _ => format!(
            "the schedule changes the rate after {first} epochs, and the stage has {epochs}: it stays what it is"
        ),
    };
    Some(Problem::warning(message).help(LONGER))
}

const LONGER: &str = "give the stage more epochs, or another schedule";

/// Epochs after the warm-up until the rate changes at the earliest, where it does so from epoch to epoch.
fn first_change(schedule: &Schedule) -> Option<f64> {
    match &schedule.course {
        Course::Step { every, .. } => Some(*every),
        Course::MultiStep { at, .. } => at.first().copied(),
        Course::Exponential { .. } => Some(1.0),
        // The first epoch is the best so far.
        Course::Plateau(plateau) => Some(plateau.patience + 2.0),
        Course::Constant
        | Course::Cosine { .. }
        | Course::Polynomial { .. }
        | Course::OneCycle(_) => None,
    }
}

fn rate_factors(project: &Project, inference: &Inference, index: usize) -> Vec<Problem> {
    let stage = &project.stages[index];
    let factors = stage.rate_factors.0.iter();
    let found = factors.filter_map(|(name, _)| {
        let problem = if name == PRETRAINED {
            nothing_pretrained(project, inference, index)
        } else {
            unknown_or_idle(project, inference, stage, name)
        };
        problem.map(|problem| problem.help(without(stage, name)))
    });
    found.collect()
}

/// The factors but for one.
fn without(stage: &Stage, name: &str) -> Help {
    let kept = stage
        .rate_factors
        .0
        .iter()
        .filter(|(other, _)| other != name);
    let factors = RateFactors(kept.cloned().collect());
    Repair::Stage(StageSetting::RateFactors(factors)).into()
}

fn unknown_or_idle(
    project: &Project,
    inference: &Inference,
    stage: &Stage,
    name: &str,
) -> Option<Problem> {
    let Some(named) = target(&project.network, name) else {
        return Some(no_such_place("the rate factor", name));
    };
    if !used(stage.task).contains(&named.stack()) {
        let [encoder, answer] = used(stage.task);
        let message = format!(
            "the rate factor names `{name}`, but a stage that {} trains {encoder} and {answer} alone: it changes nothing",
            verb(stage.task)
        );
        return Some(Problem::error(message).harmless());
    }
    let is_named = |row: &Row| named.contains(&row.place);
    if any_trained(inference, stage, is_named) {
        return None;
    }
    let message =
        format!("the rate factor names `{name}`, which has no weights that this stage trains");
    Some(Problem::error(message).harmless())
}

fn nothing_pretrained(project: &Project, inference: &Inference, index: usize) -> Option<Problem> {
    let stage = &project.stages[index];
    let earlier = &project.stages[..index];
    let is_trained_before = |row: &Row| {
        earlier.iter().any(|earlier| {
            used(earlier.task).contains(&row.place.stack) && !earlier.freezes(&row.place)
        })
    };
    // Which layers take their first weights from elsewhere is known once the run begins.
    if project.init.is_some() || any_trained(inference, stage, is_trained_before) {
        return None;
    }
    let message = format!(
        "the rate factor names `{PRETRAINED}`, but no stage before has trained what this one trains"
    );
    Some(Problem::error(message).harmless())
}

/// Whether the stage trains a layer of which this holds. With an error somewhere parameters are not all counted, so
/// nothing is concluded.
fn any_trained(inference: &Inference, stage: &Stage, holds: impl Fn(&Row) -> bool) -> bool {
    let trains = |row: &&Row| {
        !row.is_block
            && row.parameters > 0
            && used(stage.task).contains(&row.place.stack)
            && !stage.freezes(&row.place)
    };
    let mut trained = inference.rows.iter().filter(trains);
    inference.errors().next().is_some() || trained.any(holds)
}
