//! Advice of `strata check`: what is unusual, why, and what mends it, as text or as JSON.

use super::index_json;
use crate::cli::source::Source;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::project::edit::Edit;
use strata_core::project::node::Node;
use strata_core::project::{Place, Project};
use strata_core::shape::{Inference, infer};
use strata_data::Dataset;
use strata_design::advice::{Advice, Fix, advise, advise_images, advise_trained};
use strata_engine::error::RunError;
use strata_engine::image_counts;
use strata_engine::storage::metrics_read::{epoch_figures, measurements};

/// What is unusual about the project, of a run what its epochs say and, of images that were opened, what their numbers
/// mean.
pub fn all(source: &Source, inference: &Inference, images: Option<&Dataset>) -> Vec<Advice> {
    let project = &source.project;
    let mut all = of_run(source.run.as_deref(), project, inference);
    all.extend(advise(project, inference));
    if let Some(dataset) = images {
        all.extend(advise_images(project, inference, &image_counts(dataset)));
    }
    all
}

/// Opens the images as a training would.
pub fn open_images(source: &Source) -> Result<Dataset, RunError> {
    let project = &source.project;
    let channels = Some(project.network.input.channels());
    let (data, seed) = (&project.data, project.seed);
    Dataset::open_as(data, channels, seed, &source.base, &mut |_| true)
        .map_err(|error| RunError::from(error.for_project(project)))
}

/// `{"stack", "index", "stage", "message", "why", "fix": {"label", "edits"}}` for each.
pub fn as_json(project: &Project, advice: &[Advice]) -> Value {
    let one = |advice: &Advice| {
        let place = advice.place.as_ref();
        json!({
            "stack": place.map(|place| place.stack.name()),
            "index": place.map(|place| index_json(&place.path, place.index_text())),
            "stage": advice.stage,
            "message": advice.message,
            "why": advice.why,
            "fix": advice.fix.as_ref().map(|fix| fix_json(project, fix)),
        })
    };
    advice.iter().map(one).collect()
}

fn fix_json(project: &Project, fix: &Fix) -> Value {
    json!({ "label": fix.label, "edits": edits(project, &fix.edit) })
}

/// An edit as changes of layers (`from` null: a new one; `to` null: one that goes) and of settings.
fn edits(project: &Project, edit: &Edit) -> Vec<Value> {
    let text = |place: &Place| project.network.node(place).map(Node::text);
    match edit {
        Edit::Insert(place, node) => vec![layer(place, None, Some(node.text()))],
        Edit::Replace(place, node) => vec![layer(place, text(place), Some(node.text()))],
        Edit::Remove(place) => vec![layer(place, text(place), None)],
        Edit::Move(place, to) => {
            let mut path = place.path.clone();
            path.iter_mut().last().into_iter().for_each(|last| *last = *to);
            let there = Place { stack: place.stack, path };
            vec![layer(place, text(place), None), layer(&there, None, text(place))]
        }
        Edit::Stage(index, stage) => {
            let settings = project.stages.get(*index).map(|now| settings(now, stage)).unwrap_or_default();
            settings
                .into_iter()
                .map(|(name, from, to)| json!({ "stage": index, "setting": name, "from": from, "to": to }))
                .collect()
        }
        Edit::Data(data) => settings(&project.data, data)
            .into_iter()
            .map(|(name, from, to)| json!({ "setting": format!("data.{name}"), "from": from, "to": to }))
            .collect(),
        Edit::All(next) => layers(project, next),
        _ => Vec::new(),
    }
}

fn layer(place: &Place, from: Option<String>, to: Option<String>) -> Value {
    let index = index_json(&place.path, place.index_text());
    json!({ "stack": place.stack.name(), "index": index, "from": from, "to": to })
}

/// The settings of two tables that differ.
fn settings<T: Serialize>(now: &T, next: &T) -> Vec<(String, Value, Value)> {
    let table = |value: &T| serde_json::to_value(value).unwrap_or_default();
    let (now, next) = (table(now), table(next));
    let names = |value: &Value| {
        value
            .as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let mut all = names(&now);
    all.extend(names(&next));
    all.sort();
    all.dedup();
    let of = |value: &Value, name: &str| value.get(name).cloned().unwrap_or_default();
    let differing = all
        .into_iter()
        .filter(|name| of(&now, name) != of(&next, name));
    differing
        .map(|name| (name.clone(), of(&now, &name), of(&next, &name)))
        .collect()
}

/// The layers of two projects that differ, place by place.
fn layers(project: &Project, next: &Project) -> Vec<Value> {
    let texts = |project: &Project| -> BTreeMap<Place, String> {
        let rows = infer(&project.network)
            .rows
            .into_iter()
            .filter(|row| !row.is_block);
        rows.map(|row| (row.place, row.text)).collect()
    };
    let (before, after) = (texts(project), texts(next));
    let gone = before
        .iter()
        .filter(|(place, _)| !after.contains_key(place));
    let gone = gone.map(|(place, text)| layer(place, Some(text.clone()), None));
    let changed = after
        .iter()
        .filter(|(place, text)| before.get(place) != Some(text));
    changed
        .map(|(place, text)| layer(place, before.get(place).cloned(), Some(text.clone())))
        .chain(gone)
        .collect()
}

/// What the epochs of a run say; nothing of a project that is no run.
pub fn of_run(run: Option<&Path>, project: &Project, inference: &Inference) -> Vec<Advice> {
    run.map_or_else(Vec::new, |run| {
        advise_trained(project, inference, &epoch_figures(&measurements(run)))
    })
}

/// The same as lines, below the figures of a run.
pub fn lines_of_run(run: &Path, project: &Project) -> Vec<String> {
    of_run(Some(run), project, &infer(&project.network))
        .iter()
        .flat_map(|advice| lines(project, advice))
        .collect()
}

/// A few lines for each.
pub fn as_text(source: &Source, advice: &[Advice]) -> Vec<String> {
    advice
        .iter()
        .flat_map(|advice| lines(&source.project, advice))
        .collect()
}

fn lines(project: &Project, advice: &Advice) -> Vec<String> {
    let stage = advice.stage.and_then(|index| project.stages.get(index));
    let place = match (&advice.place, stage) {
        (Some(place), _) => format!("{place}: "),
        (None, Some(stage)) => format!("stage `{}`: ", stage.name),
        (None, None) => String::new(),
    };
    let fix = advice
        .fix
        .as_ref()
        .map(|fix| format!("  fix: {}", fix.label));
    let lines = [
        String::new(),
        format!("hint: {place}{}", advice.message),
        format!("  why: {}", advice.why),
    ];
    lines.into_iter().chain(fix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_design::advice::advise;

    fn advised(change: impl FnOnce(&mut Project)) -> Value {
        let mut project = builtin::find("lenet-mnist").unwrap().project().unwrap();
        change(&mut project);
        as_json(&project, &advise(&project, &infer(&project.network)))
    }

    fn edits_of(value: &Value) -> &Value {
        &value[0]["fix"]["edits"]
    }

    #[test]
    fn fixes_are_told_as_edits() {
        let value = advised(|p| p.network.head.push(Node::from_text("softmax")));
        assert_eq!(
            (&value[0]["stack"], &value[0]["index"]),
            (&json!("head"), &json!(4))
        );
        assert_eq!(
            *edits_of(&value),
            json!([{ "stack": "head", "index": 4, "from": "softmax", "to": null }])
        );
        let value = advised(|p| p.stages[0].optimizer = "adam lr=1".parse().unwrap());
        assert_eq!(
            (&value[0]["stack"], &value[0]["stage"]),
            (&Value::Null, &json!(0))
        );
        let edit = json!([{ "stage": 0, "setting": "optimizer", "from": "adam lr=1", "to": "adam lr=1e-3" }]);
        assert_eq!(*edits_of(&value), edit);
        let value = advised(|p| p.data.range = Some([0.0, 255.0]));
        assert_eq!(edits_of(&value)[0]["setting"], "data.range");
        let value = advised(|p| {
            for place in [1, 5] {
                p.network.encoder.insert(place, Node::from_text("bn"));
            }
        });
        let edits = json!([
            { "stack": "encoder", "index": 0, "from": "conv 20 k5", "to": "conv 20 k5 nobias" },
            { "stack": "encoder", "index": 4, "from": "conv 50 k5", "to": "conv 50 k5 nobias" },
        ]);
        assert_eq!(*edits_of(&value), edits);
    }
}
