//! Advice about stages and data.

use super::Advice;
use super::case::{Case, is_linear};
use strata_core::project::Stack;
use strata_core::project::data::DataSpec;
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Activation, Kind};
use strata_core::project::node::Node;
use strata_core::project::optimizer::UsualRates;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::target::{Target, target};

/// Pixels beyond this are taken as not scaled at all.
const LARGE: f32 = 10.0;

/// `step` stops every gradient.
pub(crate) fn step_has_no_gradient(case: &Case<'_>) -> Vec<Advice> {
    let steps = case.lists.iter().flat_map(|list| {
        let is_step =
            |&index: &usize| list.kind(index) == Some(&Kind::Activation(Activation::Step));
        (0..list.nodes.len())
            .filter(is_step)
            .map(|index| list.place(index))
    });
    steps
        .map(|place| {
            let why = "The derivative of a step is 0 everywhere but at the jump: nothing before it ever learns. \
                 The sigmoid is its smooth form (Rumelhart, Hinton and Williams 1986).";
            let (label, node) = (format!("write sigmoid at {place}"), Node::from_text("sigmoid"));
            let advice = Advice::new("`step` has no gradient: the layers before it can't learn", why).at(&place);
            advice.fix(label, Edit::Replace(place, node))
        })
        .collect()
}

/// Learning rates far from what is usual for the optimizer.
pub(crate) fn learning_rate(case: &Case<'_>) -> Vec<Advice> {
    let stages = case.project.stages.iter().enumerate();
    stages
        .filter_map(|(index, stage)| unusual(stage).map(|advice| advice(index)))
        .collect()
}

fn unusual(stage: &Stage) -> Option<impl Fn(usize) -> Advice + use<'_>> {
    let word = stage.optimizer.word();
    let lr = stage.optimizer.lr();
    let UsualRates {
        range,
        default,
        why,
    } = stage.optimizer.usual();
    (!range.contains(&lr)).then_some(move |index: usize| {
        let side = if lr > *range.end() { "high" } else { "low" };
        let message = format!(
            "lr={} is {side} for {word}: usual is {} to {}",
            short(lr),
            short(*range.start()),
            short(*range.end())
        );
        let usual = Stage {
            optimizer: stage.optimizer.with_lr(default),
            ..stage.clone()
        };
        let label = format!(
            "set the learning rate to {} in stage {}",
            short(default),
            index + 1
        );
        Advice::new(message, why)
            .of_stage(index)
            .fix(label, Edit::Stage(index, usual))
    })
}

fn short(value: f64) -> String {
    if value > 0.0 && value < 1e-2 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// The stacks a stage runs through.
pub(super) fn runs(stage: &Stage, stack: Stack) -> bool {
    match stack {
        Stack::Encoder => true,
        Stack::Decoder => stage.task == Task::Reconstruct,
        Stack::Head => stage.task == Task::Classify,
    }
}

/// Batch norm over a batch of one image.
pub(crate) fn norm_of_one(case: &Case<'_>) -> Vec<Advice> {
    let stages = case
        .project
        .stages
        .iter()
        .enumerate()
        .filter(|(_, stage)| stage.batch == 1);
    stages
        .filter_map(|(index, stage)| of_one(case, index, stage))
        .collect()
}

fn of_one(case: &Case<'_>, index: usize, stage: &Stage) -> Option<Advice> {
    const USUAL: u32 = 32;
    let norms = case.lists.iter().flat_map(|list| {
        let is_norm = |&index: &usize| list.kind(index) == Some(&Kind::BatchNorm);
        (0..list.nodes.len())
            .filter(is_norm)
            .map(|index| list.place(index))
    });
    let trained =
        |place: &strata_core::project::Place| runs(stage, place.stack) && !stage.freezes(place);
    let place = norms.into_iter().filter(trained).min()?;
    let message =
        format!("batch norm at {place} with a batch of 1: its mean is that of a single image");
    let why = "Batch norm estimates mean and variance from the batch; one image says little of the others, and on a \
         vector nothing is left at all (Wu and He 2018, Group Normalization, figure 1).";
    let larger = Stage {
        batch: USUAL,
        ..stage.clone()
    };
    let label = format!("set batch to {USUAL} in stage {}", index + 1);
    Some(
        Advice::new(message, why)
            .at(&place)
            .of_stage(index)
            .fix(label, Edit::Stage(index, larger)),
    )
}

/// Freezing what was never trained, and batch norm that keeps its statistics while what it sees changes.
pub fn frozen(case: &Case<'_>) -> Vec<Advice> {
    let stages = case.project.stages.iter().enumerate();
    stages
        .flat_map(|(index, stage)| {
            stage.freeze.iter().filter_map(move |name| {
                untrained(case, index, name).or_else(|| stale(case, index, name))
            })
        })
        .collect()
}

fn without_freeze(stage: &Stage, name: &str) -> Stage {
    let freeze = stage
        .freeze
        .iter()
        .filter(|other| *other != name)
        .cloned()
        .collect();
    Stage {
        freeze,
        ..stage.clone()
    }
}

fn unfrozen(
    case: &Case<'_>,
    index: usize,
    name: &str,
    message: String,
    why: &str,
) -> Option<Advice> {
    let stage = case.project.stages.get(index)?;
    let label = format!("don't freeze {name} in stage {}", index + 1);
    let edit = Edit::Stage(index, without_freeze(stage, name));
    Some(Advice::new(message, why).of_stage(index).fix(label, edit))
}

fn untrained(case: &Case<'_>, index: usize, name: &str) -> Option<Advice> {
    let now = target(&case.project.network, name)?;
    let stage = case
        .project
        .stages
        .get(index)
        .filter(|stage| runs(stage, now.stack()))?;
    let trained = |row: &strata_core::shape::Row| {
        now.contains(&row.place)
            && case.project.stages[..index]
                .iter()
                .any(|earlier| runs(earlier, now.stack()) && !earlier.freezes(&row.place))
    };
    let mut layers = case
        .inference
        .rows
        .iter()
        .filter(|row| !row.is_block && row.parameters > 0);
    let has_weights = layers.clone().any(|row| now.contains(&row.place));
    if !has_weights || layers.any(trained) {
        return None;
    }
    let message = format!(
        "stage `{}` freezes {name}, which no stage before has trained",
        stage.name
    );
    let why = "Frozen weights stay as they are: here at their random start, and batch norm at mean 0 and variance 1. \
         Random features can work, but rarely as well as trained ones.";
    unfrozen(case, index, name, message, why)
}

/// A frozen batch norm behind weights that are not.
fn stale(case: &Case<'_>, index: usize, name: &str) -> Option<Advice> {
    let Target::Node(place) = target(&case.project.network, name)? else {
        return None;
    };
    let stage = case
        .project
        .stages
        .get(index)
        .filter(|stage| runs(stage, place.stack))?;
    let (&last, way) = place.path.split_last()?;
    let list = case.lists.iter().find(|list| list.place(last) == place)?;
    let weights = last
        .checked_sub(1)
        .filter(|&before| list.kind(before).is_some_and(is_linear))?;
    let before = way.iter().copied().chain([weights]).collect();
    let before = strata_core::project::Place {
        stack: place.stack,
        path: before,
    };
    let moves = !stage.freezes(&before);
    if list.kind(last) != Some(&Kind::BatchNorm) || !moves {
        return None;
    }
    let message = format!(
        "stage `{}` freezes the batch norm {name}, but trains {before} before it",
        stage.name
    );
    let why = "A frozen batch norm keeps its mean and variance, while the layer before it changes what they are of.";
    unfrozen(case, index, name, message, why)
}

/// Pixels that were not scaled.
pub(crate) fn large_pixels(case: &Case<'_>) -> Option<Advice> {
    let [low, high] = case
        .pixels()
        .filter(|[low, high]| low.abs().max(high.abs()) > LARGE)?;
    let message = format!("the pixels are from {low} to {high}: much larger than 1");
    let why = "Weights start, and learning rates are chosen, for inputs of about 1; larger ones make the first steps \
         huge and uneven (LeCun, Bottou, Orr and Müller 1998, Efficient BackProp, section 4.3).";
    let data = DataSpec {
        range: Some([0.0, 1.0]),
        ..case.project.data.clone()
    };
    Some(Advice::new(message, why).fix("set range to 0..1", Edit::Data(data)))
}
