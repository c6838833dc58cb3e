//! Augmentations in TOML and JSON: text, or a table of others. Every error names the entry of `[data] augment`.

use super::{Augment, AugmentTextError};
use crate::project::reference::data::AUGMENT;
use crate::project::structured;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

/// How deeply tables may be nested.
const DEEPEST: usize = 8;

/// What a table looks like, for the help of an error.
const EXAMPLE: &str =
    "write { apply = [\"rotate 18\"], p = 0.9 } or { choice = [\"hflip\", \"vflip\"] }";

impl Serialize for Augment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Augment::Apply { steps, p } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("apply", steps)?;
                map.serialize_entry("p", p)?;
                map.end()
            }
            Augment::Choice(steps) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("choice", steps)?;
                map.end()
            }
            text => serializer.collect_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Augment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Augment, D::Error> {
        from_value(&Value::deserialize(deserializer)?, 0).map_err(D::Error::custom)
    }
}

/// Reads the list `[data] augment`, so that errors count its entries.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Augment>, D::Error> {
    let values = match Value::deserialize(deserializer)? {
        Value::Array(list) => list,
        // As one text, with commas between them.
        Value::String(text) => structured::split_entries(&text)
            .into_iter()
            .map(|entry| Value::String(entry.to_owned()))
            .collect(),
        _ => return Err(D::Error::custom(AUGMENT.help())),
    };
    let mut all = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let entry = index + 1;
        let read = from_value(value, 0);
        all.push(read.map_err(|error| {
            D::Error::custom(format!("[data] augment, entry {entry}: {error}"))
        })?);
        if all
            .iter()
            .filter(|augment| matches!(augment, Augment::Mixup { .. }))
            .count()
            > 1
        {
            return Err(D::Error::custom(format!(
                "[data] augment, entry {entry}: mixup is given twice: keep one of them"
            )));
        }
    }
    Ok(all)
}

/// Reads a table written on one line: `{ choice = ["hflip", "vflip"] }`.
pub(super) fn inline(text: &str) -> Result<Augment, AugmentTextError> {
    let document = format!("entry = {}", text.trim()).parse::<toml::Table>();
    let value = document
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("entry"));
    let read = match value {
        Some(value) => from_value(&value, 0),
        None => Err(wrong("this is not a table on one line", EXAMPLE)),
    };
    read.map_err(|error| AugmentTextError {
        span: 0..text.len(),
        ..error
    })
}

fn wrong(message: impl Into<String>, help: impl Into<String>) -> AugmentTextError {
    AugmentTextError {
        message: message.into(),
        help: help.into(),
        span: 0..0,
    }
}

fn from_value(value: &Value, depth: usize) -> Result<Augment, AugmentTextError> {
    if depth > DEEPEST {
        return Err(wrong(
            format!("tables stand more than {DEEPEST} deep"),
            "write them one after another",
        ));
    }
    match value {
        Value::String(text) => text.parse(),
        Value::Table(table) => from_table(table, depth),
        other => Err(wrong(
            format!("`{other}` is neither text nor a table"),
            "write text, such as \"hflip p0.5\"",
        )),
    }
}

fn from_table(table: &toml::Table, depth: usize) -> Result<Augment, AugmentTextError> {
    if let Some(key) = table
        .keys()
        .find(|key| !matches!(key.as_str(), "apply" | "choice" | "p"))
    {
        return Err(wrong(
            format!("`{key}` is not known in a table of augmentations"),
            EXAMPLE,
        ));
    }
    match (table.get("apply"), table.get("choice")) {
        (Some(steps), None) => {
            let p = probability(table.get("p"))?;
            Ok(Augment::Apply {
                steps: steps_of("apply", steps, depth)?,
                p,
            })
        }
        (None, Some(steps)) if !table.contains_key("p") => {
            Ok(Augment::Choice(steps_of("choice", steps, depth)?))
        }
        (None, Some(_)) => Err(wrong(
            "`p` does not belong to `choice`",
            "delete it, or give each of them its own p",
        )),
        _ => Err(wrong(
            "a table of augmentations holds either `apply` or `choice`",
            EXAMPLE,
        )),
    }
}

fn steps_of(key: &str, value: &Value, depth: usize) -> Result<Vec<Augment>, AugmentTextError> {
    let steps = value.as_array().filter(|steps| !steps.is_empty());
    let steps =
        steps.ok_or_else(|| wrong(format!("`{key}` needs a list of augmentations"), EXAMPLE))?;
    let read = |(index, value)| {
        let at = |error: AugmentTextError| {
            wrong(
                format!("{key}, entry {}: {}", index + 1, error.message),
                error.help,
            )
        };
        let step = from_value(value, depth + 1).map_err(at)?;
        match step {
            Augment::Mixup { .. } => Err(at(wrong(
                "mixup blends whole batches",
                "write it in the list `augment` itself, not in a table",
            ))),
            step => Ok(step),
        }
    };
    steps.iter().enumerate().map(read).collect()
}

fn probability(value: Option<&Value>) -> Result<f32, AugmentTextError> {
    let Some(value) = value else { return Ok(0.5) };
    // Whole numbers are integers in TOML. Text of an f64 reads to the f32 that was written.
    let number = value
        .to_string()
        .parse::<f32>()
        .ok()
        .filter(|p| (0.0..=1.0).contains(p));
    number.ok_or_else(|| {
        wrong(
            format!("`p = {value}` is not a probability"),
            "write a number from 0 to 1, such as p = 0.9",
        )
    })
}
