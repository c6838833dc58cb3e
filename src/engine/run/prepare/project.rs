//! The project that a run trains: with what its options override, checked, and what is said of its images.

use crate::error::{RunError, one_line};
use crate::event::{Event, Sink};
use crate::thread::RunOptions;
use strata_core::files::path_text;
use strata_core::project::data::Split;
use strata_core::project::help::Surface;
use strata_core::project::init::Init;
use strata_core::project::{Project, file};
use strata_core::shape::{Inference, infer};
use strata_data::{Dataset, SplitData};
use strata_design::advice::{ImageCounts, advise_images};
use strata_design::{Problem, Severity, check_inferred};

/// The project with what the options override.
pub(super) fn effective(project: &Project, options: &RunOptions) -> Project {
    let mut project = project.clone();
    if let Some(epochs) = options.epochs {
        project
            .stages
            .iter_mut()
            .for_each(|stage| stage.epochs = epochs);
    }
    if let Some(run) = &options.weights_of {
        project.init = Some(Init {
            from: path_text(run),
            parts: Vec::new(),
        });
    }
    project
}

pub(super) fn only_stage(
    project: &Project,
    options: &RunOptions,
) -> Result<Option<usize>, RunError> {
    let Some(name) = &options.stage else {
        return Ok(None);
    };
    let index = project.stages.iter().position(|stage| stage.name == *name);
    let names = || {
        project
            .stages
            .iter()
            .map(|stage| format!("`{}`", stage.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    index
        .map(Some)
        .ok_or_else(|| RunError::Input(format!("there is no stage `{name}`; there is {}", names())))
}

/// The shapes of a project that can be trained; warnings are sent as events, and so is what a resumed run was begun with
/// and does no harm: earlier versions took it in silence.
pub(super) fn check_project(
    project: &Project,
    options: &RunOptions,
    sink: &mut dyn Sink,
) -> Result<Inference, RunError> {
    let inference = infer(&project.network);
    let problems = check_inferred(project, &inference);
    let known = harmless_errors(options);
    let is_known = |problem: &Problem| {
        let is_same = |(stage, message): &(Option<usize>, String)| {
            (*stage, message) == (problem.stage, &problem.message)
        };
        problem.is_harmless && known.iter().any(is_same)
    };
    let stops = |problem: &&Problem| problem.severity == Severity::Error && !is_known(problem);
    if let Some(problem) = problems.iter().find(stops) {
        let told = one_line(problem, project, &inference, Surface::Terminal);
        return Err(RunError::Input(told));
    }
    for problem in &problems {
        let told = |surface| one_line(problem, project, &inference, surface);
        sink.event(Event::Warning {
            message: told(Surface::Terminal),
            in_window: told(Surface::Window),
        });
    }
    Ok(inference)
}

/// What is wrong with the project that a resumed run was begun with and does no harm: its stage and its message.
fn harmless_errors(options: &RunOptions) -> Vec<(Option<usize>, String)> {
    let run = options.run.as_ref().filter(|_| options.resume);
    // A project that cannot be read is told of where the run is opened.
    let former = run.and_then(|run| file::load(&run.join("project.toml")).ok());
    let problems = former.map(|former| check_inferred(&former, &infer(&former.network)));
    let harmless = problems.into_iter().flatten();
    harmless
        .filter(|problem| problem.is_harmless)
        .map(|problem| (problem.stage, problem.message))
        .collect()
}

/// What will disappoint with these images, of the stages and of the head.
pub(super) fn tell_of_images(
    project: &Project,
    inference: &Inference,
    dataset: &Dataset,
    sink: &mut dyn Sink,
) {
    let counts = image_counts(dataset);
    for advice in advise_images(project, inference, &counts) {
        let stage = advice.stage.and_then(|index| project.stages.get(index));
        let at = stage.map_or_else(String::new, |stage| format!("stage `{}`: ", stage.name));
        let fix = advice
            .fix
            .map_or_else(String::new, |fix| format!("; {}", fix.label));
        sink.event(Event::warning(format!("{at}{}{fix}", advice.message)));
    }
}

/// How many images there are of each split and class.
pub fn image_counts(dataset: &Dataset) -> ImageCounts {
    let of_split = |(split, data): (Split, &SplitData)| (split, data.len(), data.per_class());
    ImageCounts {
        classes: dataset.classes().to_vec(),
        splits: dataset.splits().map(of_split).collect(),
        has_label_sets: dataset.has_label_sets(),
    }
}
