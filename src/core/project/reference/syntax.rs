//! What is wrong with a text that is not TOML, in terms of what to write.

use super::judge::Complaint;

/// Of a text without any sign of a project.
pub(in crate::project) const NO_PROJECT: &str = "this text is no project: a project file starts with the line format = 1; `strata new` writes one";

/// The complaint about a text that the TOML reader refuses.
pub(super) fn complaint(text: &str, error: &toml::de::Error) -> Complaint {
    let span = error.span().unwrap_or(0..0);
    let start = text[..span.start.min(text.len())]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default().trim();
    let is_project = text
        .lines()
        .any(|line| line.trim_start().starts_with("format"));
    let message = if is_project {
        format!("`{}`: {}", shortened(line), what(line, error.message()))
    } else {
        NO_PROJECT.to_owned()
    };
    Complaint { span, message }
}

fn shortened(line: &str) -> String {
    const MOST: usize = 60;
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    format!("{}…", line.chars().take(MOST).collect::<String>())
}

const NO_VALUE: &str = "a value is missing after the =, such as epochs = 10";
const UNQUOTED: &str = "a text stands between quotes, such as name = \"train\"";

const UNCLOSED: &str =
    "a text is not closed with a quote, or holds a \\, which is written '\\' between single quotes";

/// What a part of the reader's description means.
const SENTENCES: [(&str, &str); 11] = [
    ("duplicate key", "this is given twice: keep one of the two"),
    (
        "key with no value",
        "a setting is written with = and a value, such as epochs = 10",
    ),
    ("missing value", NO_VALUE),
    ("must be quoted", UNQUOTED),
    ("missing opening quote", UNQUOTED),
    ("missing comma", "a comma is missing between two entries"),
    ("unclosed", "a bracket is opened here and not closed"),
    ("extra comma", "there is a comma too many"),
    (
        "cannot extend",
        "this is given twice, once as a value and once as a table: keep one of the two",
    ),
    (
        "recurs",
        "brackets stand within brackets, deeper than can be read: put fewer blocks within each other",
    ),
    ("string", UNCLOSED),
];

/// The reader's description in terms of what to write.
fn what(line: &str, description: &str) -> &'static str {
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    if line.ends_with('=') {
        return NO_VALUE;
    }
    if value.starts_with(char::is_alphabetic) {
        return UNQUOTED;
    }
    if value.starts_with('[') && description.contains("must be quoted") {
        return "the entries of a list have commas between them, and texts stand between quotes: [\"relu\", \"tanh\"]";
    }
    let other = match value.starts_with(['"', '\'']) {
        true => UNCLOSED,
        false => "this is no TOML: a setting is written key = value, such as epochs = 10",
    };
    SENTENCES
        .iter()
        .find(|(part, _)| description.contains(part))
        .map_or(other, |(_, sentence)| sentence)
}
