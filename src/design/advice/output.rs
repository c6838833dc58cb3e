//! Advice about the last layers of decoder and head, and the losses they meet.

use super::Advice;
use super::case::{Case, List, is_dropout, is_linear};
use strata_core::project::Stack;
use strata_core::project::data::DataSpec;
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Activation, Kind};
use strata_core::project::node::Node;
use strata_core::project::stage::{Loss, Stage, Task};

/// The last layer that changes values, if it is in the stack itself.
fn last(list: &List<'_>) -> Option<usize> {
    let shapes = |node: &Node| matches!(node, Node::Layer(layer) if layer.kind.passes_values());
    list.nodes.iter().rposition(|node| !shapes(node))
}

/// Dropout behind the last weights, or batch norm as the very last layer: both spoil the answer itself.
pub(crate) fn after_the_last(case: &Case<'_>) -> Vec<Advice> {
    let lists = [Stack::Decoder, Stack::Head]
        .into_iter()
        .filter_map(|stack| case.stack(stack));
    lists
        .flat_map(|list| dropped(list).into_iter().chain(normed(list)))
        .collect()
}

fn dropped(list: &List<'_>) -> Vec<Advice> {
    let Some(weights) =
        (0..list.nodes.len()).rfind(|&index| list.kind(index).is_none_or(is_linear))
    else {
        return Vec::new();
    };
    let behind =
        (weights + 1..list.nodes.len()).filter(|&index| list.kind(index).is_some_and(is_dropout));
    let is_layer = list.kind(weights).is_some();
    behind
        .filter(|_| is_layer)
        .map(|index| spoilt(list, index, "it zeroes part of the answer at random"))
        .collect()
}

fn normed(list: &List<'_>) -> Option<Advice> {
    let index = last(list).filter(|&index| list.kind(index) == Some(&Kind::BatchNorm))?;
    Some(spoilt(
        list,
        index,
        "it pulls the answers of a batch to a common mean and variance",
    ))
}

fn spoilt(list: &List<'_>, index: usize, how: &str) -> Advice {
    let (place, text) = (list.place(index), list.nodes[index].text());
    let word = text.split(' ').next().unwrap_or_default().to_owned();
    let why = format!(
        "Behind the last weights `{word}` acts on the answer itself: {how}, and the loss compares that with the target."
    );
    let message = format!(
        "`{text}` stands behind the last weights of the {}",
        place.stack
    );
    Advice::new(message, why).at(&place).fix(
        format!("remove {word} at {place}"),
        Edit::Remove(place.clone()),
    )
}

/// Softmax, or an activation, before cross-entropy; sigmoid, or another one, before the binary one.
pub fn scores(case: &Case<'_>) -> Vec<Advice> {
    let classifies = |loss: fn(Loss) -> bool| {
        case.stage(|stage| loss(stage.loss) && stage.task == Task::Classify)
    };
    let of_classes = classifies(|loss| matches!(loss, Loss::CrossEntropy { .. }))
        .and_then(|_| scored(case.stack(Stack::Head)?));
    let of_labels = classifies(|loss| loss == Loss::Bce)
        .and_then(|_| scored_by_sigmoid(case.stack(Stack::Head)?));
    of_classes.or(of_labels).into_iter().collect()
}

fn scored(list: &List<'_>) -> Option<Advice> {
    let index = last(list)?;
    let (place, text) = (list.place(index), list.nodes[index].text());
    let kind = list.kind(index)?;
    let (message, why) = if *kind == Kind::Softmax {
        (
            "softmax before cross-entropy: the loss applies it already".to_owned(),
            "Cross-entropy takes the scores and applies log-softmax itself, in one step that can't overflow. Strata \
             leaves the second one out; PyTorch and Keras would apply both (PyTorch, CrossEntropyLoss)."
                .to_owned(),
        )
    } else if kind.is_function() {
        (
            format!("the head ends in `{text}`, but scores should be free"),
            format!(
                "Cross-entropy needs scores that may be any number: `{text}` limits them, and where it is flat the \
                 right class gets no gradient."
            ),
        )
    } else {
        return None;
    };
    let label = format!("remove {text} at {place}");
    Some(
        Advice::new(message, why)
            .at(&place)
            .fix(label, Edit::Remove(place)),
    )
}

fn scored_by_sigmoid(list: &List<'_>) -> Option<Advice> {
    let index = last(list)?;
    let (place, text) = (list.place(index), list.nodes[index].text());
    let kind = list.kind(index)?;
    if *kind != Kind::Softmax && !kind.is_function() {
        return None;
    }
    let message = format!(
        "the head ends in `{text}` before bce, which applies a sigmoid to the scores itself"
    );
    let why = format!(
        "Classifying, bce takes scores that may be any number and applies the sigmoid itself, in one step that can't \
         overflow (PyTorch, BCEWithLogitsLoss). Behind `{text}` a score cannot say that a label is surely not there, \
         or surely there."
    );
    let label = format!("remove {text} at {place}");
    let advice = Advice::new(message, why).at(&place);
    Some(advice.fix(label, Edit::Remove(place)))
}

/// The decoder's last activation, where it is one.
fn ends_in(case: &Case<'_>, activation: Activation) -> Option<usize> {
    let list = case.stack(Stack::Decoder)?;
    last(list).filter(|&index| list.kind(index) == Some(&Kind::Activation(activation)))
}

/// tanh for pixels that are never negative.
pub(crate) fn half_a_range(case: &Case<'_>) -> Vec<Advice> {
    half(case).into_iter().collect()
}

fn half(case: &Case<'_>) -> Option<Advice> {
    let index = ends_in(case, Activation::Tanh)?;
    case.stage(|stage| stage.task == Task::Reconstruct && !stage.loss.spec().needs_probabilities)?;
    let [low, high] = case
        .pixels()
        .filter(|[low, high]| *low >= 0.0 && *high <= 1.0)?;
    let message =
        format!("the decoder ends in tanh (from -1 to 1), but the pixels are from {low} to {high}");
    let why = "Half of tanh's range is never needed: black pixels lie in its steepest middle and the network has to \
         learn the offset. With pixels from -1 to 1 both ranges are the same.";
    let place = case.stack(Stack::Decoder)?.place(index);
    let data = DataSpec {
        range: Some([-1.0, 1.0]),
        ..case.project.data.clone()
    };
    Some(
        Advice::new(message, why)
            .at(&place)
            .fix("set range to −1..1", Edit::Data(data)),
    )
}

/// The gradient of a squared error through a sigmoid that has saturated is nearly 0.
pub(crate) fn sigmoid_with_mse(case: &Case<'_>) -> Vec<Advice> {
    let fits = case
        .pixels()
        .is_some_and(|[low, high]| low >= 0.0 && high <= 1.0);
    let Some(index) = ends_in(case, Activation::Sigmoid).filter(|_| fits) else {
        return Vec::new();
    };
    let Some(list) = case.stack(Stack::Decoder) else {
        return Vec::new();
    };
    let place = list.place(index);
    let stages = case.project.stages.iter().enumerate();
    let squared =
        stages.filter(|(_, stage)| stage.task == Task::Reconstruct && stage.loss == Loss::Mse);
    squared
        .map(|(index, stage)| {
            let message = "the decoder ends in sigmoid and the loss is mse: the gradient can vanish";
            let why = "The squared error's gradient holds the factor σ(1 − σ), which is nearly 0 where the output is \
                 far from the target; in bce it cancels out (Goodfellow et al. 2016, Deep Learning, section 6.2.2.2).";
            let bce = Stage { loss: Loss::Bce, ..stage.clone() };
            let label = format!("set loss to bce in stage {}", index + 1);
            Advice::new(message, why).at(&place).of_stage(index).fix(label, Edit::Stage(index, bce))
        })
        .collect()
}
