//! Goals: what a network is to reach, as a table `[goals]` of short texts (`parameters = "<= 50000"`).
//!
//! A goal reads and writes itself like a layer does: `parameters <= 50000`, `output = input`,
//! `memory <= 64 MB`. What is none is one sentence. Whether goals are met is judged in `strata_design::goals`.

use super::node::quote;
use super::words::{SettingError, short};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What a goal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// The decoder's output has the input's shape.
    Output,
    /// Trained numbers of all stacks.
    Parameters,
    /// Multiply-accumulates of an image through all stacks.
    Macs,
    /// Inputs that one value of the code sees, along its narrowest axis.
    ReceptiveField,
    /// Numbers in the code.
    Code,
    /// Layers of all stacks, repeats unrolled.
    Layers,
    /// Estimated bytes of a training step, in the stage that needs most.
    Memory,
    /// Peak signal-to-noise ratio in dB, after training.
    Psnr,
    /// The fraction classified correctly after training.
    Accuracy,
    /// Mean squared error of reconstructions, after training.
    Mse,
}

impl Quantity {
    /// All of them, in the order they are listed.
    pub const ALL: [Quantity; 10] = [
        Quantity::Output,
        Quantity::Parameters,
        Quantity::Macs,
        Quantity::ReceptiveField,
        Quantity::Code,
        Quantity::Layers,
        Quantity::Memory,
        Quantity::Psnr,
        Quantity::Accuracy,
        Quantity::Mse,
    ];

    /// The key of the project file.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Output => "output",
            Quantity::Parameters => "parameters",
            Quantity::Macs => "macs",
            Quantity::ReceptiveField => "receptive_field",
            Quantity::Code => "code",
            Quantity::Layers => "layers",
            Quantity::Memory => "memory",
            Quantity::Psnr => "psnr",
            Quantity::Accuracy => "accuracy",
            Quantity::Mse => "mse",
        }
    }

    /// Whether only training can tell.
    pub fn is_measured(self) -> bool {
        matches!(self, Quantity::Psnr | Quantity::Accuracy | Quantity::Mse)
    }

    /// A goal of this kind, for messages and empty fields.
    pub fn example(self) -> &'static str {
        self.toml_example().trim_matches('"')
    }

    /// A goal of this kind as a value of the project file.
    pub(crate) fn toml_example(self) -> &'static str {
        match self {
            Quantity::Output => "\"input\"",
            Quantity::Parameters => "\"<= 50000\"",
            Quantity::Macs => "\"<= 1000000\"",
            Quantity::ReceptiveField => "\">= 32\"",
            Quantity::Code => "\"<= 64\"",
            Quantity::Layers => "\"<= 12\"",
            Quantity::Memory => "\"<= 64 MB\"",
            Quantity::Psnr => "\">= 22\"",
            Quantity::Accuracy => "\">= 0.9\"",
            Quantity::Mse => "\"<= 0.01\"",
        }
    }
}

impl FromStr for Quantity {
    type Err = SettingError;

    fn from_str(name: &str) -> Result<Quantity, SettingError> {
        let found = Quantity::ALL
            .into_iter()
            .find(|quantity| quantity.name() == name);
        found.ok_or_else(|| {
            let names = Quantity::ALL.map(Quantity::name).join(", ");
            SettingError(format!("there is no goal `{name}`: use {names}"))
        })
    }
}

/// How what is compares to what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `>`
    Above,
    /// `=`
    Equal,
}

/// Longer signs before those they start with.
const SIGNS: [(&str, Relation); 8] = [
    ("<=", Relation::AtMost),
    ("≤", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("≥", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("==", Relation::Equal),
    ("=", Relation::Equal),
];

impl Relation {
    /// Whether it holds; never for what is no number.
    pub fn holds<T: PartialOrd>(self, now: T, wanted: T) -> bool {
        match self {
            Relation::AtMost => now <= wanted,
            Relation::AtLeast => now >= wanted,
            Relation::Below => now < wanted,
            Relation::Above => now > wanted,
            Relation::Equal => now == wanted,
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::AtMost => "<=",
            Relation::AtLeast => ">=",
            Relation::Below => "<",
            Relation::Above => ">",
            Relation::Equal => "=",
        })
    }
}

/// What a quantity is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// The input's shape.
    Input,
    /// So many.
    Count(u64),
    /// So many bytes.
    Bytes(u64),
    /// A measured number, always finite.
    Number(f64),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Wanted::Input => f.write_str("input"),
            Wanted::Count(count) => write!(f, "{count}"),
            Wanted::Bytes(bytes) => {
                let unit = UNITS
                    .iter()
                    .rev()
                    .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
                let (name, unit) = unit.copied().unwrap_or(("B", 1));
                write!(f, "{} {name}", bytes / unit)
            }
            Wanted::Number(number) => f.write_str(&short(number)),
        }
    }
}

/// Units of bytes that are written; those of 1024 are read as well.
const UNITS: [(&str, u64); 5] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];
const READ_UNITS: [(&str, u64); 4] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1000),
];
const THOUSANDS: [(&str, u64); 3] = [("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000)];

/// One goal: `parameters <= 50000`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// What it is about.
    pub quantity: Quantity,
    /// How it is to compare.
    pub relation: Relation,
    /// With what.
    pub wanted: Wanted,
}

impl Goal {
    /// Reads the text after the quantity: `<= 50000`, or `input`.
    pub fn parse(quantity: Quantity, text: &str) -> Result<Goal, SettingError> {
        let wrong = |why: &str| {
            let (name, example) = (quantity.name(), quantity.example());
            SettingError(format!(
                "`{text}` is no goal for {name}: {why}, such as {name} = \"{example}\""
            ))
        };
        let text = text.trim();
        let sign = SIGNS
            .iter()
            .find_map(|(sign, relation)| Some((text.strip_prefix(sign)?, *relation)));
        if quantity == Quantity::Output {
            let is_input = sign.map_or(text, |(rest, _)| rest).trim() == "input";
            let is_equal = sign.is_none_or(|(_, relation)| relation == Relation::Equal);
            let goal = Goal {
                quantity,
                relation: Relation::Equal,
                wanted: Wanted::Input,
            };
            return (is_input && is_equal)
                .then_some(goal)
                .ok_or_else(|| wrong("it can only equal the input"));
        }
        let (rest, relation) = sign.ok_or_else(|| wrong("start it with <=, >=, <, > or ="))?;
        let wanted = wanted(quantity, rest.trim()).map_err(wrong)?;
        Ok(Goal {
            quantity,
            relation,
            wanted,
        })
    }

    /// The text after the quantity in the project file.
    pub(crate) fn value_text(&self) -> String {
        match self.wanted {
            Wanted::Input => "input".into(),
            wanted => format!("{} {wanted}", self.relation),
        }
    }
}

impl FromStr for Goal {
    type Err = SettingError;

    /// Reads `parameters <= 50000`.
    fn from_str(text: &str) -> Result<Goal, SettingError> {
        let text = text.trim();
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        Goal::parse(name.parse()?, rest)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.quantity.name(),
            self.relation,
            self.wanted
        )
    }
}

fn wanted(quantity: Quantity, text: &str) -> Result<Wanted, &'static str> {
    match quantity {
        Quantity::Memory => {
            let units = || {
                UNITS[1..]
                    .iter()
                    .chain(&READ_UNITS)
                    .chain(&UNITS[..1])
                    .copied()
            };
            whole(text, units())
                .map(Wanted::Bytes)
                .ok_or("write a size in B, kB, MB or GB")
        }
        Quantity::Psnr => number(text.strip_suffix("dB").unwrap_or(text), -1000.0..=1000.0)
            .ok_or("write decibels from -1000 to 1000"),
        Quantity::Mse => number(text, 0.0..=f64::MAX).ok_or("write a number from 0"),
        Quantity::Accuracy => share(text).ok_or("write a share from 0 to 1, or a percentage"),
        _ => whole(text, THOUSANDS.into_iter())
            .map(Wanted::Count)
            .ok_or("write a whole number"),
    }
}

fn number(text: &str, range: std::ops::RangeInclusive<f64>) -> Option<Wanted> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| range.contains(number))
        .map(Wanted::Number)
}

fn share(text: &str) -> Option<Wanted> {
    match text.strip_suffix('%') {
        Some(percent) => match number(percent, 0.0..=100.0)? {
            Wanted::Number(percent) => Some(Wanted::Number(percent / 100.0)),
            _ => None,
        },
        None => number(text, 0.0..=1.0),
    }
}

/// `50000`, `50_000`, `1e6`, `1.5M`: a whole number, perhaps with a unit.
fn whole(text: &str, units: impl Iterator<Item = (&'static str, u64)>) -> Option<u64> {
    let mut units = units;
    let unit = units.find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), unit)));
    let (digits, unit) = unit.unwrap_or((text, 1));
    let digits = digits.replace('_', "");
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Ok(count) = digits.parse::<u64>() {
        return count.checked_mul(unit);
    }
    // Beyond 2^53 a float no longer counts in ones.
    let scaled = digits.parse::<f64>().ok()? * unit as f64;
    (scaled.fract() == 0.0 && scaled <= (1u64 << 53) as f64).then_some(scaled as u64)
}

/// All goals of a project, at most one a quantity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goals(BTreeMap<Quantity, Goal>);

impl Goals {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The goals in the order they are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Goal> {
        self.0.values()
    }

    /// The goal about a quantity.
    pub fn get(&self, quantity: Quantity) -> Option<&Goal> {
        self.0.get(&quantity)
    }

    /// The same goals with this one in place of the one about its quantity.
    pub fn with(&self, goal: Goal) -> Goals {
        let mut goals = self.clone();
        goals.0.insert(goal.quantity, goal);
        goals
    }

    /// The same goals without the one about this quantity.
    pub fn without(&self, quantity: Quantity) -> Goals {
        let mut goals = self.clone();
        goals.0.remove(&quantity);
        goals
    }

    /// The table of the project file; nothing where there are no goals.
    pub(super) fn to_toml(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let line =
            |goal: &Goal| format!("{} = {}\n", goal.quantity.name(), quote(&goal.value_text()));
        format!("\n[goals]\n{}", self.iter().map(line).collect::<String>())
    }
}

impl FromIterator<Goal> for Goals {
    fn from_iter<I: IntoIterator<Item = Goal>>(goals: I) -> Goals {
        Goals(
            goals
                .into_iter()
                .map(|goal| (goal.quantity, goal))
                .collect(),
        )
    }
}

impl<'de> de::Deserialize<'de> for Goals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Goals, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = Goals;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of goals")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Goals, A::Error> {
        let mut goals = Vec::new();
        while let Some(quantity) = map.next_key_seed(Key)? {
            goals.push(map.next_value_seed(Value(quantity))?);
        }
        Ok(goals.into_iter().collect())
    }
}

/// Keys and values are judged where they are read, so that an error has their line.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Quantity;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Quantity, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a goal")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Quantity, E> {
        name.parse().map_err(E::custom)
    }
}

struct Value(Quantity);

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Goal;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Goal, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Value {
    type Value = Goal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a text such as {} = \"{}\"",
            self.0.name(),
            self.0.example()
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Goal, E> {
        Goal::parse(self.0, text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests;
