//! What there is to know of every setting of the project file: what may be written, an example, what holds where it
//! is left out, one sentence for people.
//!
//! The window's hover texts, `strata help` and the messages about wrong files all read these descriptions. Tests
//! compare them with the fields that serde reads, so that a new setting has to be described.

pub mod data;
pub mod goals;
mod judge;
pub mod project;
pub mod run;
pub mod stage;
pub mod sweep;
mod syntax;

pub(in crate::project) use judge::start_of_run;
pub use judge::{Complaint, explained, judge};
pub(in crate::project) use syntax::NO_PROJECT;

use toml::de::DeValue;

/// What a value has to be before its own reader sees it.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Any text.
    Text,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// A whole number from 0 up to this one.
    Whole(u64),
    /// Any number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A height and a width: `[32, 32]`, or as text.
    Sides,
    /// A low and a high number: `[-1, 1]`, or as text.
    Ends,
    /// Names in a list, or as text.
    Names,
    /// A text with its own words.
    Words,
    /// Such a text, or a table of its parts.
    WordsOrTable,
    /// A text, or a list of numbers.
    WordsOrNumbers,
    /// A list of such texts and tables, or one text.
    List,
    /// A list of layers and blocks, or one text.
    Layers,
}

/// A setting of the project file.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// What it was called in earlier versions.
    pub former: &'static [&'static str],
    /// What its value has to be.
    pub form: Form,
    /// What may be written, as it follows "write".
    pub values: &'static str,
    /// A value in TOML.
    pub example: &'static str,
    /// What holds where it is left out; nothing for a setting that must be given.
    pub default: &'static str,
    /// One sentence for people.
    pub about: &'static str,
}

/// A table of the project file.
#[derive(Clone, Debug)]
pub struct Section {
    /// As it is written: `[data]`, `[[stage]]`; nothing for what comes before all tables.
    pub heading: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// Its settings, in the order they are written.
    pub settings: Vec<Setting>,
}

/// All tables of the project file, in the order they are written.
pub fn sections() -> Vec<Section> {
    vec![
        Section {
            heading: "",
            about: "What comes before the first table.",
            settings: project::ROOT.to_vec(),
        },
        Section {
            heading: "[data]",
            about: "Where images come from and what becomes of a pixel on its way in.",
            settings: data::ALL.to_vec(),
        },
        Section {
            heading: "[network]",
            about: "The input and the three stacks: the code is the encoder's output; decoder and head start from it.",
            settings: project::NETWORK.to_vec(),
        },
        Section {
            heading: "[goals]",
            about: "What the network is to reach; `strata check --goals` exits with 1 where one is missed.",
            settings: goals::all(),
        },
        Section {
            heading: "[sweep]",
            about: "Settings that are tried: their ways through the file, each with its values, such as \
                    encoder.0.out_channels = [5, 10, 20] or stage.0.lr = \"1e-4..1e-1 log\"; `strata sweep` trains them.",
            settings: sweep::ALL.to_vec(),
        },
        Section {
            heading: "[[stage]]",
            about: "Phases of training, one after the other; each starts from the weights of the one before.",
            settings: stage::ALL.to_vec(),
        },
        Section {
            heading: "[[run]]",
            about: "Several runs in one file, each with what it has otherwise than the settings before the runs: keys \
                    here, and tables [run.data], [run.network], [run.goals] and [[run.stage]].",
            settings: run::ALL.to_vec(),
        },
    ]
}

impl Setting {
    /// Whether the file must have it.
    pub fn is_required(&self) -> bool {
        self.default.is_empty()
    }

    /// What may be written, with all words where it is one of a few.
    pub fn possible(&self) -> String {
        match self.form {
            Form::Word(words) => format!("one of {}", words().join(", ")),
            _ => self.values.to_owned(),
        }
    }

    /// What to write: `write a whole number from 1, such as epochs = 10`.
    pub fn help(&self) -> String {
        format!(
            "write {}, such as {} = {}",
            self.possible(),
            self.key,
            self.example
        )
    }

    /// The same to who writes a text into its field: the value alone, as it stands there.
    pub fn help_for_text(&self) -> String {
        let example = self.example.trim_matches('"');
        format!("write {}, such as {example}", self.possible())
    }

    fn is_called(&self, key: &str) -> bool {
        self.key == key || self.former.contains(&key)
    }

    /// Whether its own reader can be asked about a value.
    fn fits(&self, value: &DeValue<'_>) -> bool {
        match self.form {
            Form::Text | Form::Words => value.is_str(),
            Form::Word(words) => value.as_str().is_some_and(|word| words().contains(&word)),
            Form::Whole(most) => whole(value).is_some_and(|number| number <= most),
            Form::Number => number(value).is_some(),
            Form::Flag => value.is_bool(),
            Form::Sides => value.is_str() || elements(value, 2, |side| whole(side).is_some()),
            Form::Ends => value.is_str() || elements(value, 2, |end| number(end).is_some()),
            Form::Names => value.is_str() || all(value, |name| name.is_str()),
            Form::WordsOrTable => value.is_str() || value.is_table(),
            Form::WordsOrNumbers => value.is_str() || all(value, |one| number(one).is_some()),
            Form::List | Form::Layers => value.is_str() || value.is_array(),
        }
    }
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    let written = value.as_integer()?;
    u64::from_str_radix(&written.as_str().replace('_', ""), written.radix()).ok()
}

/// Numbers as large as `f64` holds; a whole number that large is written with an exponent.
fn number(value: &DeValue<'_>) -> Option<f64> {
    if let Some(written) = value.as_integer() {
        let digits = written.as_str().replace('_', "");
        return i64::from_str_radix(&digits, written.radix())
            .ok()
            .map(|number| number as f64);
    }
    value.as_float()?.as_str().replace('_', "").parse().ok()
}

fn all(value: &DeValue<'_>, is_one: impl Fn(&DeValue<'_>) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(|element| is_one(element.get_ref())))
}

fn elements(value: &DeValue<'_>, count: usize, is_one: impl Fn(&DeValue<'_>) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.len() == count) && all(value, is_one)
}

#[cfg(test)]
mod tests;
