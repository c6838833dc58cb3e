//! The table `[sweep]` as values, with one sentence about what is wrong.

use super::factor::sort;
use super::{Factor, Range, Sweep, Values};
use std::fmt::Display;
use std::str::FromStr;
use toml::{Table, Value};

/// What is wrong with the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SweepError {
    /// The key in the table that it is about.
    pub key: String,
    /// One sentence: what was written, what is possible.
    pub message: String,
}

/// Its own settings; all other keys are the beginnings of paths.
const OWN: [&str; 5] = ["method", "metric", "seeds", "trials", "stop"];
/// Where a path begins.
const ROOTS: [&str; 7] = [
    "encoder", "decoder", "head", "network", "data", "stage", "init",
];
/// Trials of one sweep, at most.
pub(super) const MOST_TRIALS: i64 = 100_000;

impl TryFrom<Table> for Sweep {
    type Error = SweepError;

    fn try_from(table: Table) -> Result<Sweep, SweepError> {
        let mut sweep = Sweep {
            method: own(&table, "method")?.unwrap_or_default(),
            metric: own(&table, "metric")?,
            seeds: count(&table, "seeds", 1000)?,
            trials: count(&table, "trials", MOST_TRIALS)?,
            stop: own(&table, "stop")?,
            factors: Vec::new(),
        };
        for (key, value) in &table {
            if !OWN.contains(&key.as_str()) {
                let found = factors(key, value).map_err(|message| SweepError {
                    key: key.clone(),
                    message,
                })?;
                sweep.factors.extend(found);
            }
        }
        sort(&mut sweep.factors);
        twice(&sweep)?;
        Ok(sweep)
    }
}

/// A setting whose text has its own reader.
fn own<T: FromStr<Err: Display>>(table: &Table, key: &str) -> Result<Option<T>, SweepError> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    text.parse().map(Some).map_err(|error: T::Err| SweepError {
        key: key.to_owned(),
        message: format!("{key}: {error}"),
    })
}

fn count(table: &Table, key: &str, most: i64) -> Result<Option<u32>, SweepError> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let number = value
        .as_integer()
        .filter(|number| (1..=most).contains(number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| SweepError {
        key: key.to_owned(),
        message: format!("{key} = {value} is not possible: write a whole number from 1 to {most}"),
    })
}

/// The factors behind a key: one, or those in the tables that a dotted key makes.
fn factors(key: &str, value: &Value) -> Result<Vec<Factor>, String> {
    let first = key.split(['.', ',']).next().unwrap_or_default().trim();
    if !ROOTS.contains(&first) {
        return Err(unknown(key));
    }
    let Value::Table(inner) = value else {
        let factor = Factor::of_key(key, values(key, value)?);
        return Ok(vec![factor]);
    };
    let mut found = Vec::new();
    for (word, value) in inner {
        found.extend(factors(&format!("{key}.{word}"), value)?);
    }
    Ok(found)
}

fn unknown(key: &str) -> String {
    format!(
        "there is no setting `{key}` in [sweep]: there are {}, and the settings that are tried with their values, such as encoder.0.out_channels = [5, 10]",
        OWN.join(", ")
    )
}

fn values(key: &str, value: &Value) -> Result<Values, String> {
    match value {
        Value::Array(list) if list.is_empty() => {
            Err(format!("{key} has no values: write some, such as [1, 2]"))
        }
        Value::Array(list) => {
            let again = (1..list.len()).find(|&at| list[..at].contains(&list[at]));
            match again {
                Some(at) => Err(format!("{key} has the value {} twice", list[at])),
                None => Ok(Values::Listed(list.clone())),
            }
        }
        Value::String(text) => {
            let range: Result<Range, String> = text.parse();
            range
                .map(Values::Between)
                .map_err(|why| format!("{key}: {why}"))
        }
        other => Err(format!(
            "{key} = {other} is one value: write those that are tried as a list, such as [1, 2], or a range such as \"1e-4..1e-1 log\""
        )),
    }
}

/// Refuses a setting in two factors, which would write over each other.
fn twice(sweep: &Sweep) -> Result<(), SweepError> {
    let mut known: Vec<&str> = Vec::new();
    for path in sweep.factors.iter().flat_map(|factor| &factor.paths) {
        if known.contains(&path.as_str()) {
            return Err(SweepError {
                key: path.split('.').next().unwrap_or_default().to_owned(),
                message: format!("{path} is tried twice: keep one of the lists"),
            });
        }
        known.push(path);
    }
    Ok(())
}
