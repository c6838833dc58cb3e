//! A factor of a sweep: settings by their paths, and the values that they are tried with.

use super::super::node::quote;
use super::super::setting_path::{depth, put, switch};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use toml::{Table, Value};

/// One or several settings that are tried with the same values together.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// The ways of the settings through the file: `encoder.0.out_channels`, `stage.0.lr`.
    pub paths: Vec<String>,
    /// What they are tried with.
    pub values: Values,
}

/// The values of a factor.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One of these.
    Listed(Vec<Value>),
    /// A number between two ends, which random trials draw.
    Between(Range),
}

/// Numbers between two ends: `1e-4..1e-1 log`, `5..40`. They are whole where both ends are written as whole numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub from: f64,
    /// The greatest.
    pub to: f64,
    /// Whether equal ratios, instead of equal distances, are equally likely.
    pub is_logarithmic: bool,
    /// Whether they are whole.
    pub is_whole: bool,
}

impl Factor {
    /// A factor of the settings named by a key: paths with commas between them.
    pub fn of_key(key: &str, values: Values) -> Factor {
        let paths = key.split(',').map(|path| short(path.trim()).to_owned());
        Factor {
            paths: paths.filter(|path| !path.is_empty()).collect(),
            values,
        }
    }

    /// The key of the file, without quotes: the paths with commas between them.
    pub fn key(&self) -> String {
        self.paths.join(", ")
    }

    /// Changes a project's table to one of the values; what it has no place for is refused in one sentence.
    pub fn apply(&self, table: &mut Table, value: &Value) -> Result<(), String> {
        for path in &self.paths {
            let applied = match value {
                Value::Boolean(is_on) => switch(table, path, *is_on),
                Value::String(text) => put(table, path, text),
                other => put(table, path, &other.to_string()),
            };
            applied.map_err(|why| format!("{path}: {why}"))?;
        }
        Ok(())
    }

    /// What is varied as a whole comes before what is varied of it: an optimizer before its momentum.
    pub fn depth(&self) -> usize {
        let depths = self.paths.iter().map(|path| depth(path));
        depths.max().unwrap_or(0)
    }

    /// The line of the file.
    pub(super) fn to_line(&self) -> String {
        let key = match &self.paths[..] {
            [path] => path.split('.').map(bare).collect::<Vec<_>>().join("."),
            _ => quote(&self.key()),
        };
        format!("{key} = {}", self.values.to_toml())
    }
}

/// A part of a dotted key, in quotes where it needs them.
fn bare(part: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match !part.is_empty() && part.chars().all(is_bare) {
        true => part.to_owned(),
        false => quote(part),
    }
}

/// A path without the `network.` in front of a stack, which it goes without.
fn short(path: &str) -> &str {
    let stacks = ["encoder", "decoder", "head"];
    let rest = path.strip_prefix("network.");
    rest.filter(|rest| stacks.iter().any(|stack| rest.starts_with(stack)))
        .unwrap_or(path)
}

impl Values {
    /// As the file has them.
    pub fn to_toml(&self) -> String {
        match self {
            Values::Listed(list) => Value::Array(list.clone()).to_string(),
            Values::Between(range) => quote(&range.to_string()),
        }
    }

    /// The values that are listed.
    pub fn listed(&self) -> &[Value] {
        match self {
            Values::Listed(list) => list,
            Values::Between(_) => &[],
        }
    }
}

/// A value as tables and plots say it: a text as it is, `on` and `off` for a switch.
pub fn label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(true) => "on".to_owned(),
        Value::Boolean(false) => "off".to_owned(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(label).collect::<Vec<_>>().join(", "),
        Value::Float(number) => super::super::words::short(*number),
        other => other.to_string(),
    }
}

impl Range {
    /// The number at a share of the way, from 0 to 1.
    pub fn at(&self, share: f64) -> Value {
        let Range { from, to, .. } = *self;
        let (low, high) = self.ends();
        let number = match self.is_logarithmic {
            true => (low.ln() + share * (high.ln() - low.ln())).exp(),
            false => low + share * (high - low),
        };
        match self.is_whole {
            true => Value::Integer(number.round().clamp(from, to) as i64),
            // Digits that no one needs would make every table wide.
            false => Value::Float(rounded(number).clamp(from, to)),
        }
    }
}

impl Range {
    /// The share of the way at which a number is: what [`Range::at`] gives for it is the number.
    pub fn share_of(&self, number: f64) -> f64 {
        let (low, high) = self.ends();
        let share = match self.is_logarithmic {
            true => (number.ln() - low.ln()) / (high.ln() - low.ln()),
            false => (number - low) / (high - low),
        };
        share.clamp(0.0, 1.0)
    }

    /// How many numbers it has; `None` where they are not counted.
    pub fn count(&self) -> Option<usize> {
        self.is_whole
            .then_some((self.to - self.from) as usize)
            .and_then(|steps| steps.checked_add(1))
    }

    /// The ends of the way: every whole number has as much of it as the others.
    fn ends(&self) -> (f64, f64) {
        match self.is_whole {
            true => (self.from - 0.5, self.to + 0.5),
            false => (self.from, self.to),
        }
    }
}

/// A number with four digits.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Range, String> {
        let wrong = || {
            format!(
                "`{text}` is no range: write two numbers such as \"5..40\", or \"1e-4..1e-1 log\" where ratios count"
            )
        };
        let (ends, is_logarithmic) = match text.trim().strip_suffix("log") {
            Some(ends) => (ends.trim(), true),
            None => (text.trim(), false),
        };
        let (from, to) = ends.split_once("..").ok_or_else(wrong)?;
        let number = |end: &str| end.trim().parse::<f64>().ok().filter(|end| end.is_finite());
        let is_whole = [from, to]
            .iter()
            .all(|end| end.trim().parse::<i64>().is_ok());
        let from = number(from).ok_or_else(wrong)?;
        let to = number(to).ok_or_else(wrong)?;
        if from >= to {
            return Err(format!(
                "`{text}`: the first number of a range is the smaller one"
            ));
        }
        if is_logarithmic && from <= 0.0 {
            return Err(format!("`{text}`: ratios need numbers above 0"));
        }
        Ok(Range {
            from,
            to,
            is_logarithmic,
            is_whole,
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |number: f64| match self.is_whole {
            true => format!("{number}"),
            // A whole end of a range of fractions keeps its point.
            false if number.fract() == 0.0 && number.abs() < 1e6 => format!("{number:.1}"),
            false => super::super::words::short(number),
        };
        write!(f, "{}..{}", end(self.from), end(self.to))?;
        match self.is_logarithmic {
            true => f.write_str(" log"),
            false => Ok(()),
        }
    }
}

/// Puts factors into the order of their paths, numbers by their size.
pub(super) fn sort(factors: &mut [Factor]) {
    factors.sort_by(|one, other| in_order(&one.key(), &other.key()));
}

fn in_order(one: &str, other: &str) -> Ordering {
    let parts = |key: &str| -> Vec<(u64, String)> {
        let part = |part: &str| (part.parse().unwrap_or(u64::MAX), part.to_owned());
        key.split('.').map(part).collect()
    };
    parts(one).cmp(&parts(other))
}
