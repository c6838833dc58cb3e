//! Advice that needs the images: how many there are of each split and class.

use super::case::{Case, is_batch_norm};
use super::training::runs;
use super::{Advice, OF_A_KIND};
use strata_core::format::count;
use strata_core::project::data::{DataSpec, Split, Weights};
use strata_core::project::edit::Edit;
use strata_core::project::node::Node;
use strata_core::project::stage::{ClassWeights, Stage, Task};
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::infer::Inference;

/// How many images there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageCounts {
    /// The names of the classes; empty when nothing is labelled.
    pub classes: Vec<String>,
    /// Each split with its images, and those of each class where it has labels.
    pub splits: Vec<(Split, usize, Vec<usize>)>,
    /// Whether an image may have several labels, or none; `classes` are then the labels.
    pub has_label_sets: bool,
}

impl ImageCounts {
    fn of(&self, split: Split) -> Option<(usize, &[usize])> {
        let found = self.splits.iter().find(|(other, ..)| *other == split);
        found.map(|(_, images, by_class)| (*images, by_class.as_slice()))
    }
}

/// What is unusual about a project with these images.
pub fn advise_images(
    project: &Project,
    inference: &Inference,
    counts: &ImageCounts,
) -> Vec<Advice> {
    let case = Case::new(project, inference);
    let mut all: Vec<Advice> = head_width(&case, counts).into_iter().collect();
    for (index, stage) in project.stages.iter().enumerate() {
        let Some((images, by_class)) = counts.of(stage.split).filter(|(images, _)| *images > 0)
        else {
            continue;
        };
        let found = [
            larger_than_the_data(index, stage, images),
            last_of_one(&case, index, stage, images),
            lagging_statistics(&case, index, stage, images),
            match counts.has_label_sets {
                true => rare_label(index, stage, &counts.classes, by_class, images),
                false => imbalance(project, index, stage, &counts.classes, by_class),
            },
            balanced_twice(project, index, stage),
        ];
        all.extend(found.into_iter().flatten().take(OF_A_KIND));
    }
    super::keep_sound_fixes(&case, &mut all);
    all
}

/// A head with more or fewer outputs than there are classes.
fn head_width(case: &Case<'_>, counts: &ImageCounts) -> Option<Advice> {
    let stage = case.stage(|stage| stage.task == Task::Classify)?;
    let answer = case
        .inference
        .answer
        .as_ref()
        .filter(|answer| answer.is_vector())?;
    let (outputs, classes) = (answer.channels(), counts.classes.len());
    let is_of_two = case.project.stages[stage].loss.spec().tells_two_apart;
    if is_of_two && outputs == 1 && classes == 2 {
        return None;
    }
    // A source whose classes never change is checked without its images.
    let is_known = case.project.data.source.info().classes.is_some();
    if classes == 0 || is_known {
        return None;
    }
    if classes == 1 && !counts.has_label_sets {
        let message = format!(
            "all labelled images are of one class, {}: there is nothing to tell apart",
            counts.classes[0]
        );
        let why = "Whatever the network computes, the answer is right: it learns nothing but to give this one. Images of \
                   two classes or more are needed.";
        return Some(Advice::new(message, why).of_stage(stage));
    }
    if outputs == classes {
        return None;
    }
    let (side, why) = match outputs > classes {
        true => (
            "more",
            "Outputs without a class are never right: they only take probability from the others until they are \
             unlearned.",
        ),
        false => (
            "fewer",
            "The classes without an output can never be answered.",
        ),
    };
    let message =
        format!("the head gives {outputs} scores, {side} than the {classes} classes of the images");
    let advice = Advice::new(message, why).of_stage(stage);
    let last = last_weights(case, Stack::Head)?;
    let node = Node::from_text(&format!("dense {classes}"));
    let label = format!("write dense {classes} at {last}");
    Some(advice.at(&last).fix(label, Edit::Replace(last, node)))
}

/// The last layer with weights of a stack, where it is a dense one.
pub(crate) fn last_dense(project: &Project, inference: &Inference, stack: Stack) -> Option<Place> {
    last_weights(&Case::new(project, inference), stack)
}

fn last_weights(case: &Case<'_>, stack: Stack) -> Option<Place> {
    let list = case.stack(stack)?;
    let index = (0..list.nodes.len())
        .rfind(|&index| list.kind(index).is_some_and(super::case::is_linear))?;
    let is_dense = list.nodes[index].text().starts_with("dense ");
    is_dense.then(|| list.place(index))
}

/// A batch with all images and more: one step an epoch.
fn larger_than_the_data(index: usize, stage: &Stage, images: usize) -> Option<Advice> {
    let batch = stage.batch as usize;
    if batch <= images {
        return None;
    }
    let message = format!(
        "a batch of {} is larger than the {} images: an epoch is one step",
        count(batch as u64),
        count(images as u64)
    );
    let why = "A step an epoch is gradient descent on all images at once: few steps, and none of the noise that helps \
         small batches out of sharp minima (Keskar et al. 2017).";
    // About ten steps an epoch, as a power of two.
    let fitting = (images / 10).max(1).next_power_of_two().min(64) as u32;
    let smaller = Stage {
        batch: fitting,
        ..stage.clone()
    };
    let label = format!("set batch to {fitting} in stage {}", index + 1);
    Some(
        Advice::new(message, why)
            .of_stage(index)
            .fix(label, Edit::Stage(index, smaller)),
    )
}

/// The first batch norm that a stage trains.
fn trained_norm(case: &Case<'_>, stage: &Stage) -> Option<Place> {
    let places = case.lists.iter().flat_map(|list| {
        (0..list.nodes.len())
            .filter(|&index| list.kind(index).is_some_and(is_batch_norm))
            .map(|index| list.place(index))
    });
    places
        .filter(|place| runs(stage, place.stack) && !stage.freezes(place))
        .min()
}

/// One image left over for the last batch of every epoch, in front of batch norm.
fn last_of_one(case: &Case<'_>, index: usize, stage: &Stage, images: usize) -> Option<Advice> {
    let batch = stage.batch as usize;
    if batch < 2 || images < batch || images % batch != 1 {
        return None;
    }
    let norm = trained_norm(case, stage)?;
    let message = format!(
        "{} images in batches of {batch} leave a last batch of 1 for the batch norm at {norm}",
        count(images as u64)
    );
    let why = "The variance of one vector is 0: batch norm then gives its bias alone, and the step learns from nothing \
         (PyTorch refuses it). On maps the image's own positions are all it has.";
    // The nearest smaller batch that leaves more than one.
    let fitting = (2..batch).rev().find(|smaller| images % smaller != 1)?;
    let other = Stage {
        batch: fitting as u32,
        ..stage.clone()
    };
    let label = format!("set batch to {fitting} in stage {}", index + 1);
    Some(
        Advice::new(message, why)
            .at(&norm)
            .of_stage(index)
            .fix(label, Edit::Stage(index, other)),
    )
}

/// Steps after which running statistics with momentum 0.1 have forgotten 88 % of where they started.
const ENOUGH_STEPS: usize = 20;

/// Batch norm whose running statistics are still near their start when the training ends.
fn lagging_statistics(
    case: &Case<'_>,
    index: usize,
    stage: &Stage,
    images: usize,
) -> Option<Advice> {
    let steps_per_epoch = images.div_ceil(stage.batch.max(1) as usize);
    let steps = steps_per_epoch.saturating_mul(stage.epochs as usize);
    if steps == 0 || steps >= ENOUGH_STEPS {
        return None;
    }
    let norm = trained_norm(case, stage)?;
    let left = 100.0 * 0.9f64.powi(steps as i32);
    let message = format!(
        "{steps} steps are few for the batch norm at {norm}: its running statistics are still {left:.0} % their start"
    );
    let why = "Each step moves the running mean and variance a tenth of the way to the batch's; validation and test use \
         them, so their figures lag behind those of the training.";
    let epochs = ENOUGH_STEPS.div_ceil(steps_per_epoch) as u32;
    let longer = Stage {
        epochs,
        ..stage.clone()
    };
    let label = format!("set epochs to {epochs} in stage {}", index + 1);
    Some(
        Advice::new(message, why)
            .at(&norm)
            .of_stage(index)
            .fix(label, Edit::Stage(index, longer)),
    )
}

/// The largest class may have so many times the images of the smallest.
const BALANCED: usize = 3;

/// Classes with very different numbers of images.
fn imbalance(
    project: &Project,
    index: usize,
    stage: &Stage,
    classes: &[String],
    by_class: &[usize],
) -> Option<Advice> {
    let is_weighed = project.data.weights.is_some() || stage.class_weights.is_some();
    if stage.task != Task::Classify || is_weighed {
        return None;
    }
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let filled = || {
        by_class
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, images)| *images > 0)
    };
    let (large, most) = filled().max_by_key(|(_, images)| *images)?;
    let (small, least) = filled().min_by_key(|(_, images)| *images)?;
    if most <= BALANCED * least {
        return None;
    }
    let all: usize = by_class.iter().sum();
    let share = 100.0 * most as f64 / all.max(1) as f64;
    let message = format!(
        "the classes are out of balance: `{}` has {} images, `{}` {}; to answer `{}` always would be {share:.0} % right",
        name(large),
        count(most as u64),
        name(small),
        count(least as u64),
        name(large)
    );
    let why = format!(
        "Whoever always answers `{}` is right {share:.0} % of the time, so the accuracy says little and a rare class is \
         learned last. Look at the confusion matrix, class by class. Drawn as often as all others, the images of a \
         rare class come several times in an epoch, and all classes count alike.",
        name(large)
    );
    let data = DataSpec {
        weights: Some(Weights::Balanced),
        ..project.data.clone()
    };
    let advice = Advice::new(message, why).of_stage(index);
    Some(advice.fix("set weights to balanced".to_owned(), Edit::Data(data)))
}

/// A label that so small a share of the images has is told of.
const RARE: f64 = 0.1;

/// Labels that so few images have that an answer of none is nearly always right.
fn rare_label(
    index: usize,
    stage: &Stage,
    labels: &[String],
    by_label: &[usize],
    images: usize,
) -> Option<Advice> {
    if stage.task != Task::Classify {
        return None;
    }
    let (label, having) = labels
        .iter()
        .zip(by_label)
        .min_by_key(|(_, having)| **having)?;
    let share = *having as f64 / images.max(1) as f64;
    if share >= RARE {
        return None;
    }
    let message = format!(
        "the label `{label}` is rare: {} of {} images have it",
        count(*having as u64),
        count(images as u64)
    );
    let why = format!(
        "Whoever never answers `{label}` is right about it {:.1} % of the time, so the accuracy says little: look at \
         F1, precision and recall of each label.",
        100.0 * (1.0 - share)
    );
    let advice = Advice::new(message, why).of_stage(index);
    if stage.class_weights.is_some() {
        return Some(advice);
    }
    let balanced = Stage {
        class_weights: Some(ClassWeights::Balanced),
        ..stage.clone()
    };
    let label = format!("set class weights of stage {} to balanced", index + 1);
    Some(advice.fix(label, Edit::Stage(index, balanced)))
}

/// Rare classes that are drawn more often and count more as well.
fn balanced_twice(project: &Project, index: usize, stage: &Stage) -> Option<Advice> {
    let is_balanced = stage.class_weights == Some(ClassWeights::Balanced);
    if !is_balanced || project.data.weights.is_none() || stage.task != Task::Classify {
        return None;
    }
    let message = "rare classes are balanced twice: their images are drawn more often and count more in the loss";
    let why = "Either alone lets all classes count alike. Both together let a rare class outweigh the others by as much as \
         it was outweighed.";
    let once = Stage {
        class_weights: None,
        ..stage.clone()
    };
    let label = format!("remove class weights from stage {}", index + 1);
    let advice = Advice::new(message, why).of_stage(index);
    Some(advice.fix(label, Edit::Stage(index, once)))
}

#[cfg(test)]
mod tests;
