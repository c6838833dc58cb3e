//! Whether data, network and stages fit together: checked once the images are open and before
//! anything is trained. What doesn't is one message that says what to change.

use super::early_stop;
use crate::error::{RunError, Unfit};
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::help::{DataSetting, Help, Repair, StageSetting, Step};
use strata_core::project::schedule::{Course, Plateau, Schedule};
use strata_core::project::size::Shape;
use strata_core::project::stage::{ClassWeights, EarlyStop, Stage, Task};
use strata_core::shape::Inference;
use strata_data::{Dataset, SplitData};
use strata_design::{Problem, Severity};
use strata_inspect::head::check_head;

/// Checks the images against the network's input, and every stage that will be trained against the splits.
pub(crate) fn check(
    project: &Project,
    inference: &Inference,
    dataset: &Dataset,
    stages: &[usize],
) -> Result<(), RunError> {
    check_input(project, dataset)?;
    for &index in stages {
        let Some(stage) = project.stages.get(index) else {
            continue;
        };
        let of_stage = |unfit: Unfit| RunError::Unfit(Box::new(unfit.of_stage(index)));
        check_split(stage, dataset).map_err(of_stage)?;
        check_early_stop(stage, dataset).map_err(of_stage)?;
        check_plateau(stage, dataset).map_err(of_stage)?;
        if stage.task == Task::Classify {
            check_classes(stage, inference, dataset).map_err(of_stage)?;
        }
    }
    Ok(())
}

/// What keeps the images from training a project, as one of its problems; `None` where all fits.
pub fn problem_of_images(
    project: &Project,
    inference: &Inference,
    dataset: &Dataset,
) -> Option<Problem> {
    let stages: Vec<usize> = (0..project.stages.len()).collect();
    let error = check(project, inference, dataset, &stages).err()?;
    let (message, stage, help) = match error {
        RunError::Unfit(unfit) => unfit.into_parts(),
        other => (other.to_string(), None, Vec::new()),
    };
    Some(Problem {
        severity: Severity::Error,
        place: None,
        stage,
        message,
        help,
        is_harmless: false,
    })
}

/// Checks the images against the network's input.
pub(crate) fn check_input(project: &Project, dataset: &Dataset) -> Result<(), RunError> {
    let [channels, height, width] = dataset.shape();
    let input = &project.network.input;
    // A signal is stored as an image of one row.
    let dims = if input.rank() == 1 && height == 1 {
        vec![channels, width]
    } else {
        dataset.input_dims()
    };
    if input.dims() == dims {
        return Ok(());
    }
    let Some(data) = Shape::new(&dims) else {
        return Err(RunError::Input("the images have no size".to_owned()));
    };
    let own = match *input.dims() {
        [wanted, high, wide] if wanted == channels && dataset.depth().is_none() => {
            let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
            let size = [side(high), side(wide)];
            Some(Repair::Data(DataSetting::Resize(size)).into())
        }
        [_, length] if height == 1 => Some(Help::line(format!("length = {length}"))),
        _ => None,
    };
    let source = project.data.source;
    let what = if dataset.depth().is_some() {
        "volumes"
    } else {
        "images"
    };
    let message =
        format!("the {what} of `{source}` are {data}, but the network's input is {input}");
    let change_input = Help::from(Repair::Steps(vec![Step::Input(data)]));
    let help = match own {
        Some(own) => vec![own, change_input.or()],
        None => vec![change_input],
    };
    Err(RunError::Unfit(Box::new(Unfit::new(message, help))))
}

fn check_split(stage: &Stage, dataset: &Dataset) -> Result<(), Unfit> {
    let found = dataset.split(stage.split).map(|split| split.len());
    if found.is_some_and(|images| images > 0) {
        return Ok(());
    }
    let there: Vec<&str> = dataset.splits().map(|(split, _)| split.name()).collect();
    let message = format!(
        "stage `{}` trains on the split `{}`, which these images do not have; there is {}",
        stage.name,
        stage.split,
        there.join(", "),
    );
    Err(Unfit::new(message, splits_for(stage, dataset)))
}

/// The splits that a stage could train on, the images to train on before those to measure with.
fn splits_for(stage: &Stage, dataset: &Dataset) -> Vec<Help> {
    let usable = |split: &Split| is_measured(stage, dataset, *split);
    let split = [Split::Train, Split::Unlabeled].into_iter().find(usable);
    split
        .map(|split| Repair::Stage(StageSetting::Split(split)).into())
        .into_iter()
        .collect()
}

fn check_early_stop(stage: &Stage, dataset: &Dataset) -> Result<(), Unfit> {
    let Some(rule) = &stage.early_stop else {
        return Ok(());
    };
    let watched = early_stop::split_of(&rule.metric);
    if watched == Some(Split::Valid) && !is_measured(stage, dataset, Split::Valid) {
        let message = format!(
            "stage `{}` stops early by `{}`, but there is no valid split for it",
            stage.name, rule.metric
        );
        let watch = StageSetting::EarlyStop(EarlyStop {
            metric: "train loss".into(),
            ..rule.clone()
        });
        let help = vec![
            Repair::Data(DataSetting::Valid(0.1)).into(),
            Help::from(Repair::Stage(watch)).or(),
        ];
        return Err(Unfit::new(message, help));
    }
    Ok(())
}

fn check_plateau(stage: &Stage, dataset: &Dataset) -> Result<(), Unfit> {
    let schedule = stage.schedule.as_ref();
    let Some(plateau) = schedule.and_then(|schedule| schedule.plateau()) else {
        return Ok(());
    };
    if plateau.train || is_measured(stage, dataset, Split::Valid) {
        return Ok(());
    }
    let message = format!(
        "the schedule of stage `{}` watches the {}, but there is no valid split for it",
        stage.name,
        plateau.metric()
    );
    let of_training = Plateau {
        train: true,
        ..*plateau
    };
    let watched = Schedule {
        course: Course::Plateau(of_training),
        warmup: schedule.map_or(0.0, |schedule| schedule.warmup),
    };
    let help = vec![
        Repair::Data(DataSetting::Valid(0.1)).into(),
        Help::from(Repair::Stage(StageSetting::Schedule(watched))).or(),
    ];
    Err(Unfit::new(message, help))
}

fn check_classes(stage: &Stage, inference: &Inference, dataset: &Dataset) -> Result<(), Unfit> {
    let name = &stage.name;
    let has_labels = |split: &SplitData| split.labelled() || split.has_label_sets();
    if !dataset.split(stage.split).is_some_and(has_labels) {
        let message = format!(
            "stage `{name}` classifies, but the images of the split `{}` have no labels",
            stage.split
        );
        let mut help = splits_for(stage, dataset);
        if help.is_empty() {
            help.push("train on a labelled split, or let it reconstruct".into());
        }
        return Err(Unfit::new(message, help));
    }
    check_weights(stage, dataset)?;
    check_head(stage, inference, dataset)
        .map_err(|misfit| Unfit::new(misfit.problem, vec![misfit.help]))
}

fn check_weights(stage: &Stage, dataset: &Dataset) -> Result<(), Unfit> {
    let Some(ClassWeights::Each(weights)) = &stage.class_weights else {
        return Ok(());
    };
    let (given, classes) = (weights.len(), dataset.classes().len());
    if given == classes {
        return Ok(());
    }
    let of = match dataset.has_label_sets() {
        true => "labels",
        false => "classes",
    };
    let message = format!(
        "stage `{}` weighs {given} {of}, but the images have {classes}",
        stage.name
    );
    let balanced = StageSetting::ClassWeights(Some(ClassWeights::Balanced));
    let none = StageSetting::ClassWeights(None);
    let help = vec![
        Repair::Stage(balanced).into(),
        Help::from(Repair::Stage(none)).or(),
    ];
    Err(Unfit::new(message, help))
}

/// Whether a stage can be measured on a split.
pub(crate) fn is_measured(stage: &Stage, dataset: &Dataset, split: Split) -> bool {
    let data = dataset.split(split);
    data.is_some_and(|data| {
        !data.is_empty()
            && (stage.task == Task::Reconstruct || data.labelled() || data.has_label_sets())
    })
}
