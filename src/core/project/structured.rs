//! Settings that are lists or tables, and their texts: `[32, 32]` or `"32x32"`, `["encoder"]` or `"encoder"`.
//!
//! What has the wrong kind is refused before it gets here ([`super::reference`]); what fails here says what to write.

use super::reference::Setting;
use super::reference::data::{NORMALIZE, RANGE, RESIZE, SPECTROGRAM};
use super::size::Axes;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

/// What a setting's reader fails with where it has nothing better to say.
fn wrong<E: Error>(setting: &Setting) -> E {
    E::custom(setting.help())
}

/// `[32, 32]`, `"32x32"` or `"32"`.
pub(super) fn resize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<[u32; 2]>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    sides(&value).map(Some).ok_or_else(|| wrong(&RESIZE))
}

/// A height and a width.
pub(super) fn sides(value: &Value) -> Option<[u32; 2]> {
    match value {
        Value::String(text) => match *text.trim().parse::<Axes>().ok()?.sizes() {
            [side] => Some([side, side]),
            [height, width] => Some([height, width]),
            _ => None,
        },
        Value::Array(list) => {
            let side = |value: &Value| u32::try_from(value.as_integer()?).ok();
            let sides: Option<Vec<u32>> = list.iter().map(side).collect();
            sides?.try_into().ok()
        }
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Table(_) => None,
    }
}

/// `[-1, 1]` or `"-1..1"`.
pub(super) fn range<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<[f32; 2]>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let ends = match &value {
        Value::String(text) => text
            .split_once("..")
            .and_then(|(low, high)| Some([parsed(low)?, parsed(high)?])),
        other => numbers(other).and_then(|ends| ends.try_into().ok()),
    };
    ends.map(Some).ok_or_else(|| wrong(&RANGE))
}

/// The names of stacks and layers: a list, or one text with spaces or commas between them.
pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let list = match &value {
        Value::String(text) => Some(split_names(text)),
        Value::Array(list) => list
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Table(_) => None,
    };
    list.ok_or_else(|| {
        D::Error::custom("write a list of stacks and layers, such as [\"encoder.0\"]")
    })
}

/// Names with spaces or commas between them.
pub fn split_names(text: &str) -> Vec<String> {
    text.split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The entries of a list that is written as one text, at the commas outside of brackets.
pub(super) fn split_entries(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut entries) = (0i32, 0, Vec::new());
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                entries.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    entries.push(&text[start..]);
    entries
        .into_iter()
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// Pairs of a text such as `window=256 hop=128`; words without `=` belong to the value before them.
pub(super) fn pairs(text: &str) -> Vec<(&str, String)> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for word in text.split_whitespace() {
        match (word.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key, value.to_owned())),
            (None, Some((_, value))) => *value = format!("{value} {word}").trim().to_owned(),
            (None, None) => pairs.push(("", word.to_owned())),
        }
    }
    pairs
}

/// Numbers of a list.
pub(super) fn numbers(value: &Value) -> Option<Vec<f32>> {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(*number as f32),
        Value::Float(number) => Some(*number as f32),
        Value::String(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => None,
    };
    let finite = |value: &Value| number(value).filter(|number| number.is_finite());
    value.as_array()?.iter().map(finite).collect()
}

/// `"train"`, a table of `mean` and `std`, or the same as text: `mean=0.5,0.5,0.5 std=0.25,0.25,0.25`.
pub(super) fn mean_and_std(value: &Value) -> Result<[Vec<f32>; 2], String> {
    let by_key = |key: &str| match value {
        Value::String(text) => {
            let (_, list) = pairs(text).into_iter().find(|(found, _)| *found == key)?;
            split_entries(&list).into_iter().map(parsed).collect()
        }
        Value::Table(table) => numbers(table.get(key)?),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_) => None,
    };
    only(value, &["mean", "std"])?;
    match (by_key("mean"), by_key("std")) {
        (Some(mean), Some(std)) => Ok([mean, std]),
        _ => Err(help(&NORMALIZE, value)),
    }
}

/// What to write instead of a value that is none: a text may be that of a field, which has no key.
pub(super) fn help(setting: &Setting, value: &Value) -> String {
    if value.is_str() {
        setting.help_for_text()
    } else {
        setting.help()
    }
}

/// Refuses keys of a table or a text that are none of these.
pub(super) fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let keys: Vec<String> = match value {
        Value::String(text) => pairs(text)
            .iter()
            .map(|(key, _)| (*key).to_owned())
            .collect(),
        Value::Table(table) => table.keys().cloned().collect(),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_) => Vec::new(),
    };
    let stranger = keys
        .iter()
        .find(|key| !key.is_empty() && !known.contains(&key.as_str()));
    match stranger {
        Some(key) => Err(format!(
            "`{key}` is not known in it: use {}",
            known.join(", ")
        )),
        None => Ok(()),
    }
}

/// Window, hop and whether the power is logarithmic: of a table, or of `window=256 hop=128 log=false`.
pub(super) fn spectrogram(value: &Value) -> Result<(u32, u32, bool), String> {
    only(value, &["window", "hop", "log"])?;
    let table = match value {
        Value::String(text) => table_of(text),
        Value::Table(table) => table.clone(),
        _ => return Err(help(&SPECTROGRAM, value)),
    };
    let count = |key: &str| u32::try_from(table.get(key)?.as_integer()?).ok();
    let log = table.get("log").map_or(Some(true), Value::as_bool);
    match (count("window"), count("hop"), log) {
        (Some(window), Some(hop), Some(log)) => Ok((window, hop, log)),
        _ => Err(help(&SPECTROGRAM, value)),
    }
}

/// The pairs of a text as a table: whole numbers and `true` or `false` as such, all else as text.
pub fn table_of(text: &str) -> Table {
    let value = |text: String| {
        let number = text.parse().map(Value::Integer);
        let flag = || text.parse().map(Value::Boolean);
        number.or_else(|_| flag()).unwrap_or(Value::String(text))
    };
    pairs(text)
        .into_iter()
        .map(|(key, text)| (key.to_owned(), value(text)))
        .collect()
}

fn parsed(text: &str) -> Option<f32> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f32| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_outside_of_brackets() {
        assert_eq!(
            split_entries("conv 16, { add = [[\"relu\"], []] }, tanh,"),
            ["conv 16", "{ add = [[\"relu\"], []] }", "tanh"]
        );
        assert!(split_entries(" ").is_empty());
        assert_eq!(split_names("encoder, head.0"), ["encoder", "head.0"]);
    }

    #[test]
    fn words_belong_to_the_key_before_them() {
        assert_eq!(
            pairs("valid loss patience=5"),
            [("", "valid loss".to_owned()), ("patience", "5".to_owned())]
        );
        assert_eq!(
            pairs("metric=valid accuracy patience=5")[0],
            ("metric", "valid accuracy".to_owned())
        );
    }
}
