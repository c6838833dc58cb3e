//! A setting of a project by its way through the file, changed in the project's text as a TOML table: what `strata train
//! --set` and sweeps write.
//!
//! A path is the way through the file: `seed`, `data.path`, `stage.0.batch` or `stage.pretrain.batch`,
//! `network.encoder.0`; the words of a setting's text go on behind it (`stage.0.optimizer.lr`), and those of the
//! optimizer may leave its name out (`stage.0.lr`). So do the attributes of a layer (`encoder.0.out_channels`), with
//! `network` left out; inside of blocks by the block's own keys (`encoder.3.layers.0`, `encoder.3.repeat`) or by branch
//! and index (`encoder.3.0.1.stride`). A value is TOML if it reads as such (`3`, `[0, 1]`, `true`), else text.

mod layers;

use super::node::Node;
use super::optimizer::OPTIMIZERS;
use super::reference;
use super::stage::Optimizer;
use super::structured::{split_entries, table_of};
use crate::shape::layers::fields::FieldForm;
use layers::{attribute, holds_layers, in_block, is_stack, with_attribute};
use toml::{Table, Value};

/// Changes the setting of this path; what it has no place for is refused in one sentence.
pub fn put(table: &mut Table, path: &str, text: &str) -> Result<(), String> {
    put_at(table, &full(path), text)
}

/// How many words lead to the setting of this path: a whole setting has fewer than its parts.
pub(super) fn depth(path: &str) -> usize {
    full(path).split('.').count()
}

/// Takes the setting of this path out.
pub fn take_out(table: &mut Table, path: &str) -> Result<(), String> {
    take_out_at(table, &full(path))
}

/// Switches the setting of this path: off takes it out, on leaves it as it is written; of a setting that is a switch
/// itself, such as `nesterov` or the bias of a layer, it is the value.
pub fn switch(table: &mut Table, path: &str, is_on: bool) -> Result<(), String> {
    let path = full(path);
    let holds = get(table, &path);
    if is_switch(table, &path) {
        return put_at(table, &path, if is_on { "true" } else { "false" });
    }
    match (is_on, holds) {
        (true, None) => Err(format!(
            "there is no `{path}` in the project to switch on: write it there, or name its values"
        )),
        (true, Some(_)) | (false, None) => Ok(()),
        (false, Some(_)) => take_out_at(table, &path),
    }
}

/// The key with what was left out: `stage.0.lr` is `stage.0.optimizer.lr`, `encoder.0` is `network.encoder.0`.
fn full(key: &str) -> String {
    let words: Vec<&str> = key.split('.').collect();
    if is_stack(words[0]) {
        return format!("network.{key}");
    }
    let [first, which @ .., last] = words.as_slice() else {
        return key.to_owned();
    };
    let is_of_stage = reference::stage::ALL
        .iter()
        .any(|setting| setting.key == *last);
    let is_of_optimizer = OPTIMIZERS
        .iter()
        .any(|kind| kind.settings.iter().any(|known| known.key == *last));
    if *first == "stage"
        && !which.is_empty()
        && !is_of_stage
        && is_of_optimizer
        && !which.contains(&"optimizer")
    {
        return format!("stage.{}.optimizer.{last}", which.join("."));
    }
    key.to_owned()
}

fn value_of(text: &str) -> Value {
    let table = toml::from_str::<Table>(&format!("value = {text}"));
    let value = table
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn first_word(path: &str) -> (&str, Option<&str>) {
    path.split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)))
}

fn put_at(table: &mut Table, path: &str, text: &str) -> Result<(), String> {
    let (first, rest) = first_word(path);
    let Some(rest) = rest else {
        table.insert(first.to_owned(), value_of(text));
        return Ok(());
    };
    if let Some((list, branch, rest)) = in_block(table, first, rest)? {
        return put_item(branch, list, rest, text);
    }
    as_table(table, first);
    match table.get_mut(first) {
        Some(Value::Table(inner)) => put_at(inner, rest, text),
        Some(Value::Array(items)) => put_item(items, first, rest, text),
        Some(Value::String(words)) if has_words(first) => {
            *words = with_word(words, rest, Some(text));
            Ok(())
        }
        Some(_) => Err(format!(
            "`{first}` is a single value, there is no `{rest}` in it"
        )),
        None if matches!(
            first,
            "data" | "goals" | "normalize" | "spectrogram" | "early_stop"
        ) =>
        {
            let mut inner = Table::new();
            put_at(&mut inner, rest, text)?;
            table.insert(first.to_owned(), Value::Table(inner));
            Ok(())
        }
        None if has_words(first) => {
            let usual = if first == "optimizer" {
                Optimizer::default().to_string()
            } else {
                String::new()
            };
            let words = with_word(&usual, rest, Some(text));
            table.insert(first.to_owned(), Value::String(words));
            Ok(())
        }
        None => Err(format!("there is no `{first}` in the project")),
    }
}

/// Settings whose text is words of `key=value`.
fn has_words(key: &str) -> bool {
    matches!(
        key,
        "optimizer" | "schedule" | "loss" | "sparsity" | "clip" | "rate_factors"
    )
}

/// Makes a table, or a list of layers, of a setting that is written as text and can be one.
fn as_table(table: &mut Table, key: &str) {
    if is_stack(key)
        && let Some(Value::String(text)) = table.get(key)
    {
        let layers = split_entries(text).into_iter();
        let layers = layers
            .map(|layer| Value::String(layer.to_owned()))
            .collect();
        table.insert(key.to_owned(), Value::Array(layers));
    }
    if matches!(key, "spectrogram" | "early_stop")
        && let Some(Value::String(text)) = table.get(key)
    {
        let mut parts = table_of(text);
        if let Some(metric) = parts.remove("") {
            parts.insert("metric".to_owned(), metric);
        }
        table.insert(key.to_owned(), Value::Table(parts));
    }
}

/// A text of words with this one changed, added or (without a value) taken out. `true` and `false` are for words that
/// stand alone.
fn with_word(text: &str, key: &str, value: Option<&str>) -> String {
    let word = match value.map(str::trim) {
        None | Some("false") => None,
        Some("true") => Some(key.to_owned()),
        Some(value) => Some(format!("{key}={value}")),
    };
    let is_it = |word: &str| word == key || word.starts_with(&format!("{key}="));
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let place = words.iter().position(|word| is_it(word));
    words.retain(|word| !is_it(word));
    if let Some(word) = word {
        words.insert(place.unwrap_or(words.len()), word);
    }
    words.join(" ")
}

fn put_item(items: &mut [Value], list: &str, path: &str, text: &str) -> Result<(), String> {
    let (which, rest) = first_word(path);
    let index = index_of(items, list, which)?;
    match (items.get_mut(index), rest) {
        (Some(item), None) => *item = value_of(text),
        (Some(Value::Table(inner)), Some(rest)) => return put_at(inner, rest, text),
        (Some(Value::Array(inner)), Some(rest)) => return put_item(inner, list, rest, text),
        (Some(Value::String(layer)), Some(rest)) if holds_layers(list) => {
            *layer = with_attribute(layer, rest, text)?;
        }
        (_, Some(rest)) => {
            return Err(format!(
                "`{list}.{which}` is a single value, there is no `{rest}` in it"
            ));
        }
        (None, None) => {}
    }
    Ok(())
}

/// The entry of a list by its number or its name.
fn index_of(items: &[Value], list: &str, which: &str) -> Result<usize, String> {
    let named = |item: &Value| item.get("name").and_then(Value::as_str) == Some(which);
    let index = which
        .parse()
        .ok()
        .or_else(|| items.iter().position(named))
        .filter(|index: &usize| *index < items.len());
    index.ok_or_else(|| {
        format!(
            "`{list}` has no entry `{which}`: it has {}, counted from 0",
            items.len()
        )
    })
}

fn take_out_at(table: &mut Table, path: &str) -> Result<(), String> {
    let (first, rest) = first_word(path);
    let absent = |what: &str| format!("there is no `{what}` in the project to take out");
    let Some(rest) = rest else {
        return table.remove(first).map(|_| ()).ok_or_else(|| absent(first));
    };
    if let Some((list, branch, rest)) = in_block(table, first, rest)? {
        return take_out_item(branch, list, rest);
    }
    as_table(table, first);
    match table.get_mut(first) {
        Some(Value::Table(inner)) => take_out_at(inner, rest),
        Some(Value::Array(items)) => take_out_item(items, first, rest),
        Some(Value::String(words)) if has_words(first) => {
            let less = with_word(words, rest, None);
            if less == *words {
                return Err(absent(rest));
            }
            *words = less;
            Ok(())
        }
        Some(_) => Err(format!(
            "`{first}` is a single value, there is no `{rest}` in it"
        )),
        None => Err(absent(first)),
    }
}

fn take_out_item(items: &mut Vec<Value>, list: &str, path: &str) -> Result<(), String> {
    let (which, rest) = first_word(path);
    let index = index_of(items, list, which)?;
    match (items.get_mut(index), rest) {
        (_, None) => {
            items.remove(index);
            Ok(())
        }
        (Some(Value::Table(inner)), Some(rest)) => take_out_at(inner, rest),
        (Some(Value::Array(inner)), Some(rest)) => take_out_item(inner, list, rest),
        (_, Some(rest)) => Err(format!(
            "`{list}.{which}` is a single value, there is no `{rest}` in it"
        )),
    }
}

/// What is written at a path; of words inside a text, whether they are there.
fn get(table: &Table, path: &str) -> Option<Value> {
    let mut copy = table.clone();
    if let Ok(value) = at(table, path) {
        return value;
    }
    // Words inside of a text and attributes of layers are no values of their own: they are there where they can be
    // taken out.
    take_out_at(&mut copy, path)
        .ok()
        .map(|()| Value::Boolean(true))
}

/// The value at a path of tables, lists and branches of blocks alone; nothing in `Err` where it leads into a text.
fn at(table: &Table, path: &str) -> Result<Option<Value>, ()> {
    let mut here = Value::Table(table.clone());
    let mut list = "";
    for word in path.split('.') {
        if let Value::Table(inner) = &mut here {
            as_table(inner, word);
        }
        let next = match &here {
            Value::Table(inner) => inner.get(word).or_else(|| branch(inner, word)).cloned(),
            Value::Array(items) => {
                let index = index_of(items, list, word).ok();
                index.and_then(|index| items.get(index).cloned())
            }
            _ => return Err(()),
        };
        list = word;
        match next {
            Some(value) => here = value,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

/// The layers of a block's branch by its number.
fn branch<'t>(block: &'t Table, word: &str) -> Option<&'t Value> {
    let number: usize = word.parse().ok()?;
    match block.get("layers") {
        Some(layers) => (number == 0).then_some(layers),
        None => block
            .get("add")
            .or_else(|| block.get("concat"))?
            .as_array()?
            .get(number),
    }
}

/// Whether the setting at a path is yes or no by itself: a flag of the file, a word inside of a setting's text, or a
/// flag of a layer.
fn is_switch(table: &Table, path: &str) -> bool {
    let Some((parent, last)) = path.rsplit_once('.') else {
        return false;
    };
    let holder = parent.rsplit('.').next().unwrap_or_default();
    if has_words(holder) {
        return true;
    }
    if let Ok(Some(Value::String(layer))) = at(table, parent)
        && let Node::Layer(read) = Node::from_text(&layer)
    {
        let field = attribute(read.kind.fields(), last);
        return field.is_some_and(|field| field.form == FieldForm::Flag);
    }
    let settings = match path.split('.').next() {
        Some("data") => reference::data::ALL,
        Some("stage") => reference::stage::ALL,
        _ => return false,
    };
    let setting = settings.iter().find(|setting| setting.key == last);
    setting.is_some_and(|setting| matches!(setting.form, reference::Form::Flag))
}

#[cfg(test)]
mod tests;
