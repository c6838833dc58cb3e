//! Whether a project reaches its goals: from its shapes at once, from what was measured after training.
//!
//! [`judge`] is pure and total. What cannot be known because of an error in the network counts as missed, and says so.

use super::output_check::difference;
use strata_core::format::{bytes, count};
use strata_core::project::goals::{Goal, Quantity, Relation, Wanted};
use strata_core::project::stage::Task;
use strata_core::project::{Project, Stack};
use strata_core::shape::infer::{Inference, Row};
use strata_cost::memory::{Machine, run_memory};

/// Whether a goal is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is reached.
    Met,
    /// It is not.
    Missed,
    /// Training will tell.
    AfterTraining,
}

/// What a quantity is now.
#[derive(Clone, Debug, PartialEq)]
pub enum Now {
    /// So many, or so many bytes.
    Count(u64),
    /// The decoder's output.
    Shape(Vec<usize>),
    /// A measured number; not finite where training has diverged.
    Number(f64),
}

/// A goal with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The goal.
    pub goal: Goal,
    /// Whether it is reached.
    pub standing: Standing,
    /// What the quantity is; `None` when not known.
    pub now: Option<Now>,
    /// The same for people: `61,386 parameters, 11,386 too many`.
    pub text: String,
}

/// What training measured of a run, on the split that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Peak signal-to-noise ratio in dB.
    pub psnr: Option<f64>,
    /// The fraction classified correctly.
    pub accuracy: Option<f64>,
    /// Mean squared error of reconstructions.
    pub mse: Option<f64>,
}

/// Every goal of a project with its answer, in the order they are listed.
pub fn judge(project: &Project, inference: &Inference, measured: &Measured) -> Vec<Judged> {
    project
        .goals
        .iter()
        .map(|goal| one(goal, project, inference, measured))
        .collect()
}

/// Whether no goal is missed; those that only training can tell are left out.
pub fn are_met(goals: &[Judged]) -> bool {
    goals.iter().all(|goal| goal.standing != Standing::Missed)
}

fn one(goal: &Goal, project: &Project, inference: &Inference, measured: &Measured) -> Judged {
    let counted = |now: Option<u64>| count_goal(goal, now, inference);
    let totals = &inference.totals;
    let whole = |now: u64| inference.errors().next().is_none().then_some(now);
    match goal.quantity {
        Quantity::Output => output_goal(goal, inference),
        Quantity::Parameters => counted(whole(totals.parameters)),
        Quantity::Macs => counted(whole(totals.macs)),
        Quantity::Layers => counted(whole(totals.layers)),
        Quantity::Memory => counted(whole(0).and_then(|_| memory(project, inference))),
        Quantity::Code => counted(inference.code.as_ref().map(|code| code.elements())),
        Quantity::ReceptiveField => counted(receptive_field(goal.relation, inference)),
        Quantity::Psnr => measured_goal(goal, measured.psnr, project, Task::Reconstruct),
        Quantity::Accuracy => measured_goal(goal, measured.accuracy, project, Task::Classify),
        Quantity::Mse => measured_goal(goal, measured.mse, project, Task::Reconstruct),
    }
}

fn output_goal(goal: &Goal, inference: &Inference) -> Judged {
    let standing = if inference.output_equals_input == Some(true) {
        Standing::Met
    } else {
        Standing::Missed
    };
    let now = inference
        .output
        .as_ref()
        .map(|output| Now::Shape(output.dims().to_vec()));
    let text = match &inference.output {
        None if inference.stack(Stack::Decoder).next().is_none() => {
            "there is no decoder".to_owned()
        }
        None => unknown(inference),
        Some(output) if *output == inference.input && standing == Standing::Missed => {
            unknown(inference)
        }
        Some(output) if *output == inference.input => format!("output {output}"),
        Some(output) => format!("output {output}, {}", difference(output, &inference.input)),
    };
    Judged {
        goal: *goal,
        standing,
        now,
        text,
    }
}

fn unknown(inference: &Inference) -> String {
    match inference.errors().next() {
        Some((row, _)) => format!("not known: {} has an error", row.place),
        None => "not known".to_owned(),
    }
}

/// What memory is counted for: a goal is met or missed alike on every machine.
pub const MACHINE: Machine = Machine {
    threads: 2,
    lanes: 16,
    loaders: 2,
};

/// The stage that needs most; `None` without stages.
fn memory(project: &Project, inference: &Inference) -> Option<u64> {
    let plan = inference.plan.as_ref()?;
    let step = |stage| {
        Some(
            run_memory(plan, stage, stage.batch, MACHINE)?
                .total()
                .total(),
        )
    };
    project.stages.iter().map(step).max().flatten()
}

/// What one value of the code sees along the axis that decides: the narrowest, or for an upper bound the widest.
fn receptive_field(relation: Relation, inference: &Inference) -> Option<u64> {
    let is_last = |row: &&Row| row.place.path.len() == 1;
    let field = match inference.stack(Stack::Encoder).filter(is_last).last() {
        Some(row) => row.receptive_field.clone()?,
        None => vec![1; inference.input.rank()],
    };
    match relation {
        Relation::AtMost | Relation::Below => field.into_iter().max(),
        _ => field.into_iter().min(),
    }
}

fn count_goal(goal: &Goal, now: Option<u64>, inference: &Inference) -> Judged {
    let (Wanted::Count(wanted) | Wanted::Bytes(wanted)) = goal.wanted else {
        return Judged {
            goal: *goal,
            standing: Standing::Missed,
            now: None,
            text: unknown(inference),
        };
    };
    let Some(now) = now else {
        return Judged {
            goal: *goal,
            standing: Standing::Missed,
            now: None,
            text: unasked(goal.quantity, inference),
        };
    };
    let met = goal.relation.holds(now, wanted);
    let figure = |number: u64| {
        if goal.quantity == Quantity::Memory {
            bytes(number)
        } else {
            count(number)
        }
    };
    let rest = if met {
        String::new()
    } else {
        distance(goal.relation, now, wanted, figure)
    };
    let text = format!("{} {}{rest}", figure(now), unit(goal.quantity, now))
        .trim_end()
        .to_owned();
    Judged {
        goal: *goal,
        standing: standing(met),
        now: Some(Now::Count(now)),
        text,
    }
}

/// Why a count is not known.
fn unasked(quantity: Quantity, inference: &Inference) -> String {
    if inference.errors().next().is_some() {
        return unknown(inference);
    }
    match quantity {
        Quantity::ReceptiveField => "the input is a vector: it has no axes".to_owned(),
        Quantity::Memory => "there is no stage to train".to_owned(),
        _ => unknown(inference),
    }
}

fn unit(quantity: Quantity, now: u64) -> &'static str {
    match quantity {
        Quantity::Parameters if now == 1 => "parameter",
        Quantity::Parameters => "parameters",
        Quantity::Macs => "multiply-accumulates",
        Quantity::ReceptiveField => "of the input seen",
        Quantity::Code => "numbers in the code",
        Quantity::Layers if now == 1 => "layer",
        Quantity::Layers => "layers",
        _ => "for a step",
    }
}

/// `, 11,386 too many`
fn distance(relation: Relation, now: u64, wanted: u64, figure: impl Fn(u64) -> String) -> String {
    // Below 64 asks for 63.
    let strict = u64::from(matches!(relation, Relation::Below | Relation::Above));
    if now > wanted || relation == Relation::Below {
        format!(
            ", {} too many",
            figure((now - wanted).saturating_add(strict))
        )
    } else {
        format!(", {} short", figure((wanted - now).saturating_add(strict)))
    }
}

fn standing(met: bool) -> Standing {
    if met { Standing::Met } else { Standing::Missed }
}

fn unmeasured(goal: &Goal, will_be: bool, task: Task) -> Judged {
    let (standing, text) = match (will_be, task) {
        (true, _) => (Standing::AfterTraining, "known after training"),
        (false, Task::Classify) => (
            Standing::Missed,
            "no stage classifies, so nothing measures it",
        ),
        (false, Task::Reconstruct) => (
            Standing::Missed,
            "no stage reconstructs, so nothing measures it",
        ),
    };
    Judged {
        goal: *goal,
        standing,
        now: None,
        text: text.to_owned(),
    }
}

/// A goal that a stage of this task measures.
fn measured_goal(goal: &Goal, now: Option<f64>, project: &Project, task: Task) -> Judged {
    let (Wanted::Number(wanted), Some(now)) = (goal.wanted, now) else {
        return unmeasured(
            goal,
            project.stages.iter().any(|stage| stage.task == task),
            task,
        );
    };
    let met = goal.relation.holds(now, wanted);
    let figure = |value: f64| match goal.quantity {
        Quantity::Psnr => format!("{value:.2} dB"),
        Quantity::Accuracy => format!("{:.2} %", 100.0 * value),
        _ => strata_core::format::loss(value),
    };
    let rest = match now.partial_cmp(&wanted) {
        _ if met => String::new(),
        Some(std::cmp::Ordering::Less) => format!(", {} short", figure(wanted - now)),
        Some(_) => format!(", {} too much", figure(now - wanted)),
        None => ": the training has diverged".to_owned(),
    };
    let name = match goal.quantity {
        Quantity::Psnr => "",
        quantity => quantity.name(),
    };
    let text = format!("{name} {}{rest}", figure(now))
        .trim_start()
        .to_owned();
    Judged {
        goal: *goal,
        standing: standing(met),
        now: Some(Now::Number(now)),
        text,
    }
}

#[cfg(test)]
mod tests;
