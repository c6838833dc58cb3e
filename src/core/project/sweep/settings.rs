//! The settings of a project that a sweep can try, by name, and how people call them.

use super::super::node::Node;
use super::super::reference::{Form, Setting, data, stage};
use super::super::structured::split_entries;
use super::super::{Place, Project, Stack};
use super::{Factor, Range, Values, label};
use toml::{Table, Value};

/// A setting that can be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Tryable {
    /// Its way through the file: `encoder.0.out_channels`.
    pub path: String,
    /// What people call it: `encoder layer 1: out channels`.
    pub name: String,
    /// What it is in the project, as it is written; empty where it is left out.
    pub value: String,
    /// One sentence about it.
    pub about: String,
}

impl Tryable {
    /// A factor that begins with what the project has, or with switching the setting off where it has nothing.
    pub fn factor(&self) -> Factor {
        let on_and_off = || vec![Value::Boolean(true), Value::Boolean(false)];
        let values = match self.value.as_str() {
            "" => Values::Listed(vec![Value::Boolean(false)]),
            text => match Values::typed(text) {
                Ok(values) if values.listed().len() == 1 => values,
                // A list is one value, not several: it is there or not.
                _ => Values::Listed(on_and_off()),
            },
        };
        Factor::of_key(&self.path, values)
    }
}

/// All settings of a project that a sweep can try: those of layers, of stages and of the images.
pub fn tryable(project: &Project) -> Vec<Tryable> {
    let mut all = Vec::new();
    for stack in Stack::ALL {
        of_layers(
            project.network.stack(stack),
            &Place::new(stack, 0),
            &mut all,
        );
    }
    for (place, stage) in project.stages.iter().enumerate() {
        let table = Table::try_from(stage).unwrap_or_default();
        for setting in stage::ALL.iter().filter(|setting| !is_fixed(setting.key)) {
            all.push(of_setting(&format!("stage.{place}"), setting, &table));
        }
        for setting in stage.optimizer.settings() {
            let path = format!("stage.{place}.{}", setting.key);
            all.push(Tryable {
                name: name(&path),
                value: word(&stage.optimizer.to_string(), setting.key),
                about: format!("A setting of the optimizer {}.", stage.optimizer.word()),
                path,
            });
        }
    }
    let table = Table::try_from(&project.data).unwrap_or_default();
    for setting in data::ALL.iter().filter(|setting| !is_fixed(setting.key)) {
        all.push(of_setting("data", setting, &table));
    }
    all
}

/// Settings that name things, in which nothing is tried.
fn is_fixed(key: &str) -> bool {
    matches!(key, "name" | "task" | "path" | "checkpoints")
}

fn of_setting(parent: &str, setting: &Setting, table: &Table) -> Tryable {
    let path = format!("{parent}.{}", setting.key);
    Tryable {
        name: name(&path),
        value: table.get(setting.key).map_or_else(String::new, label),
        about: match setting.form {
            Form::Flag => format!("{} Try on, off.", setting.about),
            _ => setting.about.to_owned(),
        },
        path,
    }
}

fn of_layers(nodes: &[Node], first: &Place, all: &mut Vec<Tryable>) {
    for (index, node) in nodes.iter().enumerate() {
        let mut place = first.clone();
        if let Some(last) = place.path.last_mut() {
            *last = index;
        }
        if let Node::Layer(layer) = node {
            for field in layer.kind.fields() {
                let path = format!("{place}.{}", field.name);
                all.push(Tryable {
                    name: format!("{} ({layer})", name(&path)),
                    value: field.value(layer),
                    about: field.about.to_owned(),
                    path,
                });
            }
        }
        if let Node::Repeat { times, .. } = node {
            let path = format!("{place}.repeat");
            all.push(Tryable {
                name: name(&path),
                value: times.to_string(),
                about: "How many of these blocks follow each other.".to_owned(),
                path,
            });
        }
        for (branch, inside) in node.branches().iter().enumerate() {
            let mut inner = place.clone();
            inner.path.extend([branch, 0]);
            of_layers(inside, &inner, all);
        }
    }
}

/// The value of a word in a setting's text.
fn word(text: &str, key: &str) -> String {
    let is_it = |word: &&str| word.split('=').next() == Some(key);
    match text.split_whitespace().find(is_it) {
        None => String::new(),
        Some(word) => word
            .split_once('=')
            .map_or("on", |(_, value)| value)
            .to_owned(),
    }
}

/// What people call the setting of a path, layers counted from 1: `encoder layer 1: kernel size`, `stage 2: lr`.
pub fn name(path: &str) -> String {
    let words: Vec<&str> = path
        .split('.')
        .filter(|word| *word != "optimizer")
        .collect();
    let plain = |words: &[&str]| words.join(" ").replace('_', " ");
    let Some((first, rest)) = words.split_first() else {
        return String::new();
    };
    let is_stack = Stack::ALL.iter().any(|stack| stack.name() == *first);
    // A block's branches by their lists: the layers of a repeat are its first branch.
    let mut numbers = Vec::new();
    let mut left = rest;
    while let Some((word, after)) = left.split_first() {
        match (word.parse::<usize>(), *word) {
            (Ok(number), _) => numbers.push((number + 1).to_string()),
            (_, "layers") => numbers.push("1".to_owned()),
            (_, "add" | "concat") => {}
            _ => break,
        }
        left = after;
    }
    let (holder, left) = match *first {
        _ if is_stack && !numbers.is_empty() => {
            (format!("{first} layer {}", numbers.join(".")), left)
        }
        "stage" => match (numbers.first(), left.split_first()) {
            (Some(number), _) => (format!("stage {number}"), left),
            (None, Some((stage, left))) => (format!("stage {stage}"), left),
            (None, None) => ("stage".to_owned(), left),
        },
        "data" => ("images".to_owned(), rest),
        other => (other.to_owned(), rest),
    };
    match left {
        [] => holder,
        ["repeat"] => format!("{holder}: number of blocks"),
        left => format!("{holder}: {}", plain(left)),
    }
}

impl Factor {
    /// What people call it.
    pub fn name(&self) -> String {
        let names: Vec<String> = self.paths.iter().map(|path| name(path)).collect();
        names.join(" and ")
    }
}

impl Values {
    /// Values as they are typed into a field: `5, 10, 20`, `on, off`, `sgd lr=0.1, adam`, or a range `1e-4..1e-1 log`.
    pub fn typed(text: &str) -> Result<Values, String> {
        let entries = split_entries(text);
        if let [one] = entries[..]
            && one.contains("..")
        {
            return one.parse::<Range>().map(Values::Between);
        }
        if entries.is_empty() {
            return Err("write values with commas between them, such as 5, 10, 20".to_owned());
        }
        let mut values: Vec<Value> = Vec::new();
        for entry in entries {
            let value = value(entry);
            if values.contains(&value) {
                return Err(format!("{entry} is there twice"));
            }
            values.push(value);
        }
        Ok(Values::Listed(values))
    }

    /// As they are typed into a field.
    pub fn text(&self) -> String {
        let one = |value: &Value| match value {
            Value::String(text) if !text.contains(',') => text.clone(),
            Value::Boolean(_) => label(value),
            other => other.to_string(),
        };
        match self {
            Values::Listed(list) => list.iter().map(one).collect::<Vec<_>>().join(", "),
            Values::Between(range) => range.to_string(),
        }
    }
}

fn value(text: &str) -> Value {
    match text {
        "on" | "yes" => return Value::Boolean(true),
        "off" | "no" => return Value::Boolean(false),
        _ => {}
    }
    let table: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    let value = table
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::super::{builtin, file};
    use super::*;

    #[test]
    fn every_setting_that_is_offered_can_be_tried() {
        for entry in builtin::ALL {
            let project = entry.project().unwrap();
            let table: Table = toml::from_str(&file::to_text(&project)).unwrap();
            for found in tryable(&project) {
                assert!(
                    !found.name.contains('_') && !found.name.contains(".0"),
                    "{found:?}"
                );
                if found.value.is_empty() {
                    continue;
                }
                // What it is can be written: else no other value could be.
                let factor = Factor::of_key(&found.path, Values::Listed(Vec::new()));
                let mut table = table.clone();
                let values = Values::typed(&found.value).unwrap_or(Values::Listed(Vec::new()));
                if let [value] = values.listed() {
                    let applied = factor.apply(&mut table, value);
                    assert!(applied.is_ok(), "{}: {found:?}: {applied:?}", entry.name);
                }
            }
        }
    }

    #[test]
    fn names_count_from_one() {
        for (path, expected) in [
            ("encoder.0.out_channels", "encoder layer 1: out channels"),
            (
                "encoder.2.layers.1.kernel_size",
                "encoder layer 3.1.2: kernel size",
            ),
            (
                "encoder.2.0.1.kernel_size",
                "encoder layer 3.1.2: kernel size",
            ),
            ("encoder.2.repeat", "encoder layer 3: number of blocks"),
            ("encoder.3", "encoder layer 4"),
            ("stage.0.optimizer.lr", "stage 1: lr"),
            (
                "stage.fine tune.weight_decay",
                "stage fine tune: weight decay",
            ),
            ("data.augment", "images: augment"),
        ] {
            assert_eq!(name(path), expected, "{path}");
        }
    }

    #[test]
    fn typed_values_come_back_as_they_were_typed() {
        for text in [
            "5, 10, 20",
            "on, off",
            "sgd lr=0.1, adam lr=0.01",
            "1e-4..0.1 log",
            "0.0, 0.5, 0.9 nesterov",
        ] {
            assert_eq!(Values::typed(text).unwrap().text(), text);
        }
        let listed = Values::typed("[\"hflip\", \"rotate 5\"], []").unwrap();
        assert_eq!(listed.listed().len(), 2);
        for text in ["", "5, 5", "3..1"] {
            assert!(Values::typed(text).is_err(), "{text}");
        }
    }
}
