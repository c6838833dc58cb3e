//! In which settings runs differ.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use strata_core::project::{Place, Project, Stack};
use strata_engine::storage::changes::Change;

/// What a run was trained with, each setting under its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    values: BTreeMap<String, String>,
    stacks: Vec<(Stack, Vec<String>)>,
}

impl Settings {
    /// The settings of a project; its title is none.
    pub fn of(project: &Project) -> Settings {
        let mut values = BTreeMap::new();
        values.insert(SEED.to_owned(), project.seed.to_string());
        if let Some(init) = &project.init {
            values.insert("first weights".to_owned(), init.to_string());
        }
        values.insert("input".to_owned(), project.network.input.to_string());
        // What cannot be written as JSON has no settings to compare.
        let data = serde_json::to_value(&project.data).unwrap_or_default();
        collect("data", &data, &mut values);
        // A file leaves it out where it is on, which must not read as if nothing was augmented.
        if !project.data.augment.is_empty() && project.data.use_augment {
            values.insert("data: use augment".to_owned(), "true".to_owned());
        }
        for stage in &project.stages {
            let value = serde_json::to_value(stage).unwrap_or_default();
            let of_one = project.stages.len() == 1;
            let name = if of_one { "" } else { stage.name.as_str() };
            collect(name, &value, &mut values);
        }
        let texts = |stack: Stack| project.network.stack(stack).iter().map(|node| node.text());
        let stacks = Stack::ALL.map(|stack| (stack, texts(stack).collect()));
        Settings {
            values,
            stacks: stacks.to_vec(),
        }
    }

    /// The seed.
    pub fn seed(&self) -> &str {
        self.values.get(SEED).map_or("", String::as_str)
    }

    /// The same with this value.
    pub fn with(mut self, name: &str, value: impl ToString) -> Settings {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    /// The same whatever the seed.
    pub fn without_seed(&self) -> Settings {
        let mut changed = self.clone();
        changed.values.remove(SEED);
        changed
    }

    /// With what was changed while it trained.
    pub fn with_changes(mut self, changes: &[Change]) -> Settings {
        let text = |change: &Change| format!("{} from step {}", change.text(), change.step);
        let texts: Vec<String> = changes.iter().map(text).collect();
        if !texts.is_empty() {
            self.values.insert("changes".to_owned(), texts.join(", "));
        }
        self
    }

    /// All of them, a line each.
    pub fn lines(&self) -> Vec<String> {
        let stacks = self.stacks.iter().filter(|(_, texts)| !texts.is_empty());
        let stacks = stacks.map(|(stack, texts)| format!("{}: {}", stack.name(), texts.join(", ")));
        let values = self
            .values
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        stacks.chain(values).collect()
    }
}

/// The settings in which several differ, by name with the value of each; the seed comes first. Layers are no settings
/// here: they are aligned.
pub fn table(all: &[&Settings]) -> Vec<(String, Vec<Option<String>>)> {
    let names: BTreeSet<&String> = all.iter().flat_map(|own| own.values.keys()).collect();
    let row = |name: &String| -> Option<(String, Vec<Option<String>>)> {
        let values: Vec<Option<String>> = all
            .iter()
            .map(|own| own.values.get(name).cloned())
            .collect();
        let differs = values.iter().any(|value| *value != values[0]);
        differs.then(|| (name.clone(), values))
    };
    let mut rows: Vec<_> = names.into_iter().filter_map(row).collect();
    rows.sort_by_key(|(name, _)| name != SEED);
    rows
}

/// The name of the seed.
const SEED: &str = "seed";

/// Adds a value's parts under their names: `data.resize`, `batch`.
fn collect(name: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(parts) => {
            for (part, value) in parts {
                let name = match name {
                    "" => part.replace('_', " "),
                    name => format!("{name}: {}", part.replace('_', " ")),
                };
                collect(&name, value, into);
            }
        }
        Value::String(text) => drop(into.insert(name.to_owned(), text.clone())),
        other => drop(into.insert(name.to_owned(), other.to_string())),
    }
}

/// Of every run the settings in which it differs from another of them, as `optimizer sgd lr=0.1` and `no schedule`: first
/// those that it shares with the fewest.
pub fn differences(runs: &[&Settings]) -> Vec<Vec<String>> {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.values.keys()).collect();
    let of_run = |run: &&Settings| {
        let mut told: Vec<(usize, String)> = Vec::new();
        for stack in Stack::ALL {
            layers(runs, run, stack, &mut told);
        }
        for name in &names {
            let own = run.values.get(*name);
            let sharing = runs.iter().filter(|other| other.values.get(*name) == own);
            told.push((sharing.count(), told_of(name, own)));
        }
        told.retain(|(sharing, _)| *sharing < runs.len());
        told.sort_by_key(|(sharing, _)| *sharing);
        told.into_iter().map(|(_, text)| text).collect()
    };
    runs.iter().map(of_run).collect()
}

/// A setting with its value, or that there is none: `data: no limit`.
fn told_of(name: &str, value: Option<&String>) -> String {
    match (value, name.rsplit_once(": ")) {
        (Some(value), _) => format!("{name} {value}"),
        (None, Some((table, name))) => format!("{table}: no {name}"),
        (None, None) => format!("no {name}"),
    }
}

/// The layers of a run with how many runs have them at their places; of stacks of several lengths how many they are.
fn layers(runs: &[&Settings], run: &Settings, stack: Stack, told: &mut Vec<(usize, String)>) {
    let own = run.stack(stack);
    let has_length = |other: &&&Settings| other.stack(stack).len() == own.len();
    let sharing = runs.iter().filter(has_length).count();
    if sharing < runs.len() {
        let layers = if own.len() == 1 { "layer" } else { "layers" };
        told.push((
            sharing,
            format!("{} of {} {layers}", stack.name(), own.len()),
        ));
        return;
    }
    for (index, text) in own.iter().enumerate() {
        let has_it = |other: &&&Settings| other.stack(stack).get(index) == Some(text);
        let sharing = runs.iter().filter(has_it).count();
        told.push((
            sharing,
            format!("{} {text}", Place::new(stack, index).in_words()),
        ));
    }
}

impl Settings {
    fn stack(&self, stack: Stack) -> &[String] {
        let found = self.stacks.iter().find(|(of, _)| *of == stack);
        found.map_or(&[], |(_, texts)| texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::project::node::Node;

    #[test]
    fn settings_that_differ_are_told_and_no_others() {
        let first = builtin::find("lenet-mnist").unwrap().project().unwrap();
        let mut second = first.clone();
        second.stages[0].optimizer = "sgd lr=0.1".parse().unwrap();
        second.stages[0].epochs = 5;
        second.network.encoder[0] = Node::from_text("conv 8 k5");
        second.title = "another".to_owned();
        let mut third = first.clone();
        third.network.head.pop();
        let of = |projects: &[&Project]| {
            let settings: Vec<Settings> = projects
                .iter()
                .map(|project| Settings::of(project))
                .collect();
            differences(&settings.iter().collect::<Vec<_>>())
        };
        assert_eq!(of(&[&first, &first]), [Vec::<String>::new(), Vec::new()]);
        let told = of(&[&first, &second]);
        assert_eq!(
            told[1],
            [
                "encoder layer 1 conv 8 k5",
                "epochs 5",
                "optimizer sgd lr=0.1"
            ]
        );
        assert_eq!(told[0].len(), 3, "{told:?}");
        assert_eq!(of(&[&first, &third])[1], ["head of 3 layers"]);
        let mut plain = first.clone();
        plain.data.augment = vec!["hflip".parse().unwrap()];
        let augmented = plain.clone();
        plain.data.use_augment = false;
        plain.data.limit = Some(9);
        let told = of(&[&plain, &augmented]);
        assert_eq!(told[0], ["data: limit 9", "data: use augment false"]);
        assert_eq!(told[1], ["data: no limit", "data: use augment true"]);
    }
}
