//! Judges the text of a project file against the descriptions of its settings, before its values are read: whatever
//! is of the wrong kind, unknown or missing is one sentence about the setting, what was written and what is possible.
//!
//! What has the right kind and still cannot be read, such as a loss that does not exist, its own reader explains;
//! [`explained`] says of which setting that is.

use super::{Form, Section, Setting, data, goals, project, run, sections, stage, sweep, syntax};
use crate::project::node;
use crate::project::sweep::Sweep;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The bytes it is about.
    pub span: Range<usize>,
    /// One sentence: what was written, what is possible.
    pub message: String,
}

/// The first setting of a text that cannot be what it is.
pub fn judge(text: &str) -> Result<(), Complaint> {
    let parsed = DeTable::parse(text).map_err(|error| syntax::complaint(text, &error))?;
    let root = parsed.get_ref();
    let tables = ["data", "network", "goals", "sweep", "stage", "run"];
    unknown(root, "a project", project::ROOT, &tables)?;
    values(text, root, project::ROOT)?;
    missing(root, 0..0, "a project", project::ROOT)?;
    of_table(text, root, "data", data::ALL)?;
    of_table(text, root, "network", project::NETWORK)?;
    of_table(text, root, "goals", &goals::all())?;
    of_stages(text, root, "[[stage]]")?;
    of_runs(text, root)?;
    numbers(text, root.values())?;
    of_sweep(text, root)?;
    match root.get("network") {
        Some(_) => Ok(()),
        None => Err(Complaint {
            span: 0..0,
            message: "a project needs [network]: write the line [network], and below it input = \"3x32x32\"".into(),
        }),
    }
}

/// Refuses whole numbers that are larger than any setting can be.
fn numbers<'t, 'a: 't>(
    text: &str,
    values: impl IntoIterator<Item = &'t Spanned<DeValue<'a>>>,
) -> Result<(), Complaint> {
    for value in values {
        match value.get_ref() {
            DeValue::Integer(number) => {
                if i64::from_str_radix(number.as_str(), number.radix()).is_err() {
                    let span = value.span();
                    let setting = setting_at(text, span.start);
                    let key = setting.map_or_else(String::new, |found| format!("{}: ", found.key));
                    let message = format!("{key}{} is too large a number", number.as_str());
                    return Err(Complaint { span, message });
                }
            }
            DeValue::Array(list) => numbers(text, list.iter())?,
            DeValue::Table(table) => numbers(text, table.values())?,
            DeValue::String(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            }
        }
    }
    Ok(())
}

/// The message of a value's own reader, with the setting it is about.
pub fn explained(text: &str, error: &toml::de::Error) -> Complaint {
    let span = error.span().unwrap_or(0..0);
    let found = setting_at(text, span.start);
    let message = match found {
        Some(setting) if reads_itself(setting.form) => match error.message() {
            message if message.contains(setting.key) => message.to_owned(),
            message => format!("{}: {message}", setting.key),
        },
        Some(setting) => impossible(&setting, text.get(span.clone()).unwrap_or_default()),
        None => error.message().to_owned(),
    };
    Complaint { span, message }
}

/// Whether values of this form have a reader that explains in its own words what is wrong.
fn reads_itself(form: Form) -> bool {
    match form {
        Form::Words | Form::WordsOrTable | Form::WordsOrNumbers | Form::List | Form::Layers => true,
        Form::Text
        | Form::Word(_)
        | Form::Whole(_)
        | Form::Number
        | Form::Flag
        | Form::Sides
        | Form::Ends
        | Form::Names => false,
    }
}

/// The setting whose key or value is at this byte.
fn setting_at(text: &str, at: usize) -> Option<Setting> {
    let parsed = DeTable::parse(text).ok()?;
    let root = parsed.get_ref();
    let in_section = |section: Section| {
        let settings = &section.settings;
        // A run has tables of its own with the same headings.
        let mut in_runs = tables(root, "[[run]]")
            .into_iter()
            .flat_map(|run| tables(run, section.heading));
        let found = in_runs.find_map(|table| in_table(table, settings, at));
        let own = match section.heading {
            "" => vec![root],
            heading => tables(root, heading),
        };
        let mut own = own.into_iter();
        found.or_else(|| own.find_map(|table| in_table(table, settings, at)))
    };
    sections().into_iter().rev().find_map(in_section)
}

/// The tables of a table below this heading.
fn tables<'t, 'a>(table: &'t DeTable<'a>, heading: &str) -> Vec<&'t DeTable<'a>> {
    let name = heading.trim_matches(['[', ']']);
    match table.get(name).map(Spanned::get_ref) {
        Some(DeValue::Table(table)) => vec![table],
        Some(DeValue::Array(list)) => list
            .iter()
            .filter_map(|entry| entry.get_ref().as_table())
            .collect(),
        _ => Vec::new(),
    }
}

/// The setting of a table whose key or value is at this byte.
fn in_table(table: &DeTable<'_>, settings: &[Setting], at: usize) -> Option<Setting> {
    let holds = |span: Range<usize>| (span.start..=span.end).contains(&at);
    let entry = table
        .iter()
        .find(|(key, value)| holds(key.span().start..value.span().end))?;
    find(settings, entry.0.get_ref()).copied()
}

fn find<'s>(settings: &'s [Setting], key: &str) -> Option<&'s Setting> {
    settings.iter().find(|setting| setting.is_called(key))
}

fn of_table(
    text: &str,
    root: &DeTable<'_>,
    name: &str,
    settings: &[Setting],
) -> Result<(), Complaint> {
    let Some(found) = root.get(name) else {
        return Ok(());
    };
    let Some(table) = found.get_ref().as_table() else {
        let example = example_line(settings);
        return Err(Complaint {
            span: found.span(),
            message: format!(
                "{name} is a table of settings: write the line [{name}], and below it {example}"
            ),
        });
    };
    let heading = format!("[{name}]");
    unknown(table, &heading, settings, &[])?;
    values(text, table, settings)?;
    missing(table, found.span(), &heading, settings)
}

/// The table of a sweep, whose keys are more than its own settings.
fn of_sweep(text: &str, root: &DeTable<'_>) -> Result<(), Complaint> {
    let Some(found) = root.get("sweep") else {
        return Ok(());
    };
    let Some(table) = found.get_ref().as_table() else {
        return Err(Complaint {
            span: found.span(),
            message: "sweep is a table of settings: write the line [sweep], and below it \
                      encoder.0.out_channels = [5, 10]"
                .to_owned(),
        });
    };
    values(text, table, sweep::ALL)?;
    let whole: Option<toml::Table> = toml::from_str(text).ok();
    let written = whole.and_then(|mut whole| whole.remove("sweep"));
    let Some(toml::Value::Table(written)) = written else {
        return Ok(());
    };
    Sweep::try_from(written).map(|_| ()).map_err(|error| {
        let key = table
            .iter()
            .find(|(key, _)| key.get_ref() == error.key.as_str());
        Complaint {
            span: key.map_or_else(|| found.span(), |(key, _)| key.span()),
            message: error.message,
        }
    })
}

/// The byte at which the run of this place begins.
pub(in crate::project) fn start_of_run(text: &str, place: usize) -> usize {
    let parsed = DeTable::parse(text).ok();
    let start = parsed.as_ref().and_then(|root| {
        let runs = root.get_ref().get("run")?.get_ref().as_array()?;
        Some(runs.get(place)?.span().start)
    });
    start.unwrap_or(0)
}

fn of_runs(text: &str, root: &DeTable<'_>) -> Result<(), Complaint> {
    const TABLES: [&str; 4] = ["data", "network", "goals", "stage"];
    let Some(found) = root.get("run") else {
        return Ok(());
    };
    let wrong = |span| {
        Complaint {
        span,
        message: "runs are tables of their own: write the line [[run]], with two brackets, before the settings of each"
            .to_owned(),
    }
    };
    let list = found.get_ref().as_array();
    let list = list.ok_or_else(|| wrong(found.span()))?;
    for entry in list.iter() {
        let table = entry.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(entry.span()))?;
        unknown(table, "[[run]]", run::ALL, &TABLES)?;
        values(text, table, run::ALL)?;
        missing(table, entry.span(), "[[run]]", run::ALL)?;
        for (name, settings) in [
            ("data", data::ALL.to_vec()),
            ("network", project::NETWORK.to_vec()),
            ("goals", goals::all()),
        ] {
            // A run has only what differs, so nothing is missing.
            let optional = settings.into_iter().map(|setting| Setting {
                default: "as before the runs",
                ..setting
            });
            let optional: Vec<Setting> = optional.collect();
            of_table(text, table, name, &optional)?;
        }
        of_stages(text, table, "[[run.stage]]")?;
    }
    Ok(())
}

fn of_stages(text: &str, root: &DeTable<'_>, heading: &str) -> Result<(), Complaint> {
    let Some(found) = root.get("stage") else {
        return Ok(());
    };
    let wrong = |span| Complaint {
        span,
        message: format!(
            "stages are tables of their own: write the line {heading}, with two brackets, before the settings of each"
        ),
    };
    let list = found.get_ref().as_array();
    let list = list.ok_or_else(|| wrong(found.span()))?;
    for entry in list.iter() {
        let table = entry.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(entry.span()))?;
        unknown(table, heading, stage::ALL, &[])?;
        values(text, table, stage::ALL)?;
        missing(table, entry.span(), heading, stage::ALL)?;
    }
    Ok(())
}

fn example_line(settings: &[Setting]) -> String {
    settings
        .first()
        .map(|setting| format!("{} = {}", setting.key, setting.example))
        .unwrap_or_default()
}

fn unknown(
    table: &DeTable<'_>,
    what: &str,
    settings: &[Setting],
    tables: &[&str],
) -> Result<(), Complaint> {
    let is_known = |key: &str| find(settings, key).is_some() || tables.contains(&key);
    let stranger = table.iter().find(|(key, _)| !is_known(key.get_ref()));
    let Some((key, _)) = stranger else {
        return Ok(());
    };
    let names: Vec<&str> = settings
        .iter()
        .map(|setting| setting.key)
        .chain(tables.iter().copied())
        .collect();
    Err(Complaint {
        span: key.span(),
        message: format!(
            "there is no setting `{}` in {what}: {}",
            key.get_ref(),
            instead(key.get_ref(), &names)
        ),
    })
}

/// What was probably meant, or all there is.
fn instead(word: &str, names: &[&str]) -> String {
    match nearest(word, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are {}", names.join(", ")),
    }
}

/// The name that a word is spelled nearly like.
fn nearest<'n>(word: &str, names: &[&'n str]) -> Option<&'n str> {
    let distance = |name: &&'n str| (strsim::damerau_levenshtein(word, name), *name);
    let (distance, name) = names.iter().map(distance).min()?;
    (distance <= 1 + word.chars().count() / 4).then_some(name)
}

fn values(text: &str, table: &DeTable<'_>, settings: &[Setting]) -> Result<(), Complaint> {
    for (key, value) in table.iter() {
        let Some(setting) = find(settings, key.get_ref()) else {
            continue;
        };
        let written = value.get_ref();
        if !setting.fits(written) {
            return Err(Complaint {
                span: value.span(),
                message: impossible(setting, text.get(value.span()).unwrap_or_default()),
            });
        }
        if let (Form::Layers, Some(list)) = (setting.form, written.as_array()) {
            node::judge(list).map_err(|(span, message)| Complaint {
                span,
                message: format!("{}: {message}", setting.key),
            })?;
        }
        if let Some(other) = settings
            .iter()
            .find(|other| other.key == setting.key && other.key != key.get_ref().as_ref())
            .filter(|other| table.contains_key(other.key))
        {
            return Err(Complaint {
                span: key.span(),
                message: format!(
                    "`{}` is the former name of `{}`, which is there too: keep one of them",
                    key.get_ref(),
                    other.key
                ),
            });
        }
    }
    Ok(())
}

fn missing(
    table: &DeTable<'_>,
    span: Range<usize>,
    what: &str,
    settings: &[Setting],
) -> Result<(), Complaint> {
    let is_missing = |setting: &&Setting| {
        setting.is_required() && !table.keys().any(|key| setting.is_called(key.get_ref()))
    };
    match settings.iter().find(is_missing) {
        None => Ok(()),
        Some(setting) => Err(Complaint {
            span,
            message: format!("{what} needs `{}`: {}", setting.key, setting.help()),
        }),
    }
}

/// `epochs = "many" is not possible: write a whole number from 1, such as epochs = 10`
fn impossible(setting: &Setting, written: &str) -> String {
    let word = written.trim_matches(['"', '\'']);
    let near = match setting.form {
        Form::Word(words) if !word.is_empty() => nearest(word, &words()),
        _ => None,
    };
    let meant = near.map_or_else(String::new, |near| {
        format!("did you mean \"{near}\"? Else ")
    });
    format!(
        "{} = {} is not possible: {meant}{}",
        setting.key,
        shortened(written),
        setting.help()
    )
}

/// The first line of what was written, as far as it is short.
fn shortened(written: &str) -> String {
    const MOST: usize = 40;
    let line = written.lines().next().unwrap_or_default();
    let is_all = line.len() == written.trim_end().len() && line.chars().count() <= MOST;
    let start: String = line.chars().take(MOST).collect();
    if is_all { start } else { format!("{start}…") }
}
