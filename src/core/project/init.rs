//! Where the first weights of a network come from: `runs/pretrain-1 encoder`.

use super::words::SettingError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Weights that a network begins with instead of random ones: from a run or a safetensors file, all that fit or parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Init {
    /// A run's folder or a safetensors file; a relative path starts at the project file's folder.
    pub from: String,
    /// Stacks (`encoder`), layers (`encoder.0`) or patterns of keys (`encoder.*.bias`) that are taken; all where there
    /// is none.
    pub parts: Vec<String>,
}

/// What encloses a path with spaces.
const QUOTE: char = '\'';

impl Init {
    /// Whether the tensor of this key is to be taken.
    pub fn wants(&self, key: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| covers(part, key))
    }
}

/// Whether a part names a key, or something that the key is in: `encoder.0` covers `encoder.0.weight`; in a pattern `*`
/// stands for any letters.
pub fn covers(part: &str, key: &str) -> bool {
    let dots = key.match_indices('.').map(|(at, _)| at);
    let mut ends = dots.chain([key.len()]);
    ends.any(|end| fits(part.as_bytes(), &key.as_bytes()[..end]))
}

/// Whether a text fits a pattern, whole.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|from| fits(rest, &text[from..])),
        Some((letter, rest)) => text
            .split_first()
            .is_some_and(|(first, text)| first == letter && fits(rest, text)),
    }
}

impl FromStr for Init {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Init, SettingError> {
        let text = text.trim();
        let (from, parts) = match text.strip_prefix(QUOTE) {
            Some(rest) => rest.split_once(QUOTE).ok_or_else(|| {
                SettingError(format!("the path in `{text}` has no second quote {QUOTE}"))
            })?,
            None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
        };
        let parts: Vec<String> = parts.split_whitespace().map(str::to_owned).collect();
        if from.is_empty() {
            let message = "a run or a safetensors file is missing: write runs/pretrain-1 encoder";
            return Err(SettingError(message.to_owned()));
        }
        // More stars than anyone needs would take for ever to compare.
        if let Some(part) = parts.iter().find(|part| part.matches('*').count() > 4) {
            return Err(SettingError(format!("`{part}` has more than four `*`")));
        }
        Ok(Init {
            from: from.to_owned(),
            parts,
        })
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from.contains(char::is_whitespace) {
            true => write!(f, "{QUOTE}{}{QUOTE}", self.from)?,
            false => f.write_str(&self.from)?,
        }
        self.parts.iter().try_for_each(|part| write!(f, " {part}"))
    }
}

impl TryFrom<String> for Init {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Init, SettingError> {
        text.parse()
    }
}

impl From<Init> for String {
    fn from(init: Init) -> String {
        init.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_and_its_parts_are_a_text() {
        for (text, from, parts) in [
            ("runs/a-1", "runs/a-1", &[][..]),
            (
                "runs/a-1 encoder head.0",
                "runs/a-1",
                &["encoder", "head.0"],
            ),
            (
                "'my runs/a' encoder.*.bias",
                "my runs/a",
                &["encoder.*.bias"],
            ),
        ] {
            let init: Init = text.parse().unwrap();
            assert_eq!(init.from, from);
            assert_eq!(init.parts, parts);
            assert_eq!(init.to_string(), text);
        }
        for text in ["", "  ", "''", "'runs/a", "a *b*c*d*e*"] {
            assert!(text.parse::<Init>().is_err(), "{text}");
        }
    }

    #[test]
    fn parts_name_stacks_layers_and_patterns() {
        for (part, key, wanted) in [
            ("encoder", "encoder.0.weight", true),
            ("encoder", "encoders.0.weight", false),
            ("encoder.1", "encoder.1.weight", true),
            ("encoder.1", "encoder.10.weight", false),
            ("encoder.1.weight", "encoder.1.weight", true),
            ("encoder.*.bias", "encoder.3.1.0.bias", true),
            ("encoder.*.bias", "encoder.3.weight", false),
            ("*.running_*", "encoder.1.running_mean", true),
            ("*", "head.0.weight", true),
        ] {
            assert_eq!(covers(part, key), wanted, "{part} {key}");
        }
    }
}
