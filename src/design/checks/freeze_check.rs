//! What a stage keeps as it is: names that freeze something; layers that are unfrozen one after the other, epochs for all
//! of them, and something to train before.

use super::project_check::Problem;
use super::stage_check::{no_such_place, used, verb};
use strata_core::project::Project;
use strata_core::project::help::{Help, Repair, StageSetting};
use strata_core::project::init::covers;
use strata_core::project::stage::Stage;
use strata_core::project::target::{Target, target};
use strata_core::shape::{Inference, Row, unfreezing};

/// The problems of a stage's `freeze`.
pub(super) fn freeze(stage: &Stage, project: &Project, inference: &Inference) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in &stage.freeze {
        match target(&project.network, name) {
            Some(target) => problems.extend(idle_freeze(stage, name, &target, inference)),
            None if fits_any(name, inference) => {
                problems.extend(idle_pattern(stage, name, inference))
            }
            None => {
                let thawed = Help::from(Repair::Stage(StageSetting::Thaw(name.clone())));
                problems.push(no_such_place("freeze", name).help(thawed.or()));
            }
        }
    }
    let trainable = |row: &&Row| {
        used(stage.task).contains(&row.place.stack)
            && !row.is_block
            && row.parameters > 0
            && !stage.freezes(&row.place)
    };
    // With an error somewhere parameters are not all counted, so nothing is concluded.
    if inference.errors().next().is_none() && !inference.rows.iter().any(|row| trainable(&row)) {
        let message = "this stage has no parameters to train";
        let help = if stage.freeze.is_empty() {
            "add a layer with parameters, such as conv or dense"
        } else {
            "freeze less"
        };
        problems.push(Problem::error(message).help(help));
    }
    problems
}

/// Whether a name is a pattern that layers fit.
fn fits_any(name: &str, inference: &Inference) -> bool {
    let mut rows = inference.rows.iter();
    name.contains('*') && rows.any(|row| covers(name, &row.place.to_string()))
}

/// Refuses a pattern of which the stage trains nothing anyway.
fn idle_pattern(stage: &Stage, name: &str, inference: &Inference) -> Option<Problem> {
    let is_trained = |row: &Row| {
        used(stage.task).contains(&row.place.stack)
            && !row.is_block
            && row.parameters > 0
            && covers(name, &row.place.to_string())
    };
    let is_idle = !inference.rows.iter().any(is_trained);
    let message = format!(
        "freeze names the pattern `{name}`, which fits no layer with weights that this stage trains: it changes nothing"
    );
    let help = format!("take `{name}` out of freeze");
    // With an error somewhere parameters are not all counted, so nothing is concluded.
    (is_idle && inference.errors().next().is_none())
        .then(|| Problem::error(message).help(help).harmless())
}

/// Refuses to freeze what the stage does not train anyway.
fn idle_freeze(
    stage: &Stage,
    name: &str,
    target: &Target,
    inference: &Inference,
) -> Option<Problem> {
    let [encoder, answer] = used(stage.task);
    let help = format!("take `{name}` out of freeze");
    if ![encoder, answer].contains(&target.stack()) {
        let message = format!(
            "freeze names `{name}`, but a stage that {} trains {encoder} and {answer} alone: it changes nothing",
            verb(stage.task)
        );
        return Some(Problem::error(message).help(help).harmless());
    }
    let has_weights = inference
        .rows
        .iter()
        .any(|row| !row.is_block && row.parameters > 0 && target.contains(&row.place));
    // With an error somewhere parameters are not all counted, so nothing is concluded.
    let is_idle = !has_weights && inference.errors().next().is_none();
    let message = format!("freeze names `{name}`, which has no weights: it changes nothing");
    is_idle.then(|| Problem::error(message).help(help).harmless())
}

/// The problems of a stage's `unfreeze`.
pub(super) fn unfreeze(stage: &Stage, project: &Project, inference: &Inference) -> Vec<Problem> {
    let Some(unfreeze) = stage.unfreeze else {
        return Vec::new();
    };
    let [encoder, answer] = used(stage.task);
    if ![encoder, answer].contains(&unfreeze.stack) {
        let message = format!(
            "unfreeze names the {}, but a stage that {} trains {encoder} and {answer} alone: it changes nothing",
            unfreeze.stack,
            verb(stage.task)
        );
        let help = format!("write unfreeze = \"{encoder} layers=1 every=1\", or take it out");
        return vec![Problem::error(message).help(help)];
    }
    // With an error somewhere parameters are not all counted, so nothing is concluded.
    if inference.errors().next().is_some() {
        return Vec::new();
    }
    let layers = unfreezing::layers(stage, &project.network, inference);
    if layers.is_empty() {
        let message = format!(
            "unfreeze names the {}, of which no layer has weights that are not frozen throughout: it changes nothing",
            unfreeze.stack
        );
        return vec![Problem::error(message).help("take unfreeze out, or freeze less")];
    }
    let waiting = unfreezing::frozen(stage, &project.network, inference, 0);
    let trains_at_once = |row: &Row| {
        let top = strata_core::project::Place::new(row.place.stack, row.place.path[0]);
        used(stage.task).contains(&row.place.stack)
            && !row.is_block
            && row.parameters > 0
            && !stage.freezes(&row.place)
            && !waiting.contains(&top)
    };
    let mut problems = Vec::new();
    if !inference.rows.iter().any(trains_at_once) {
        let message = "nothing is trained before the first layer is unfrozen";
        problems.push(Problem::error(message).help("freeze less, or unfreeze another stack"));
    }
    let last = unfreeze.epoch_of(layers.len() - 1);
    if last >= stage.epochs {
        let thawed = unfreeze
            .thawed(stage.epochs.saturating_sub(1))
            .min(layers.len());
        let message = format!(
            "unfreeze comes to {thawed} of {} layers of the {} in {} epochs: the others are never trained",
            layers.len(),
            unfreeze.stack,
            stage.epochs
        );
        let help = format!(
            "make it {} epochs or more, or unfreeze more layers at a time",
            last + 1
        );
        problems.push(Problem::warning(message).help(help));
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::check;
    use strata_core::project::file;

    fn told(unfreeze: &str, freeze: &str, epochs: u32) -> Vec<String> {
        let text = format!(
            r#"format = 1
[data]
source = "shapes"
[network]
input = "3x16x16"
encoder = ["conv 4 k3 s2 p1", "bn", "relu", "conv 4 k3 s2 p1", "relu", "conv 4 k3 s2 p1"]
head = ["flatten", "dense 10"]
[[stage]]
name = "a"
task = "classify"
loss = "cross-entropy"
epochs = {epochs}
batch = 8
freeze = [{freeze}]
unfreeze = "{unfreeze}"
"#
        );
        let project = file::parse(&text, "p").unwrap();
        let problems = check(&project).into_iter();
        let about = |message: &String| message.contains("unfreeze") || message.contains("unfrozen");
        problems
            .map(|problem| problem.message)
            .filter(about)
            .collect()
    }

    #[test]
    fn what_changes_nothing_or_never_comes_is_told() {
        assert_eq!(told("encoder layers=1 every=1", "", 4), [""; 0]);
        assert_eq!(told("encoder layers=2 every=3", "", 7), [""; 0]);
        for (unfreeze, freeze, epochs, part) in [
            ("encoder layers=1 every=1", "", 3, "comes to 2 of 3 layers"),
            ("decoder", "", 4, "names the decoder"),
            ("encoder", "\"encoder\"", 4, "no layer has weights"),
            ("encoder", "\"head\"", 9, "nothing is trained before"),
        ] {
            let told = told(unfreeze, freeze, epochs);
            assert_eq!(told.len(), 1, "{unfreeze} {freeze} {epochs}: {told:?}");
            assert!(told[0].contains(part), "{told:?}");
        }
    }
}
