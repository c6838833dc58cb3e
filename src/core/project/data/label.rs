//! Where labels come from when no folder says them: a part of the file's name, or a column of the table.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Written `"name: {class}.{n}.jpg"` or `"column: diagnosis"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LabelRule {
    /// A part of the file's name.
    Name(NamePattern),
    /// The column of a table with this name.
    Column(String),
}

/// A file's name with a place for the class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// `{class}`: any text, the label.
    Class,
    /// `{n}`: digits.
    Number,
    /// `{any}`: any text.
    Any,
}

const HELP: &str = "write name: {class}.{n}.jpg ({class} is the label, {n} a number, {any} any text), or column: NAME for a \
                    column of the table";

impl FromStr for LabelRule {
    type Err = String;

    fn from_str(text: &str) -> Result<LabelRule, String> {
        let wrong = || format!("\"{text}\" does not say where labels are: {HELP}");
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        let rest = rest.trim();
        match kind.trim() {
            _ if rest.is_empty() => Err(wrong()),
            "name" => NamePattern::new(rest)
                .map(LabelRule::Name)
                .ok_or_else(wrong),
            "column" => Ok(LabelRule::Column(rest.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelRule::Name(pattern) => write!(f, "name: {}", pattern.text),
            LabelRule::Column(column) => write!(f, "column: {column}"),
        }
    }
}

impl From<LabelRule> for String {
    fn from(rule: LabelRule) -> String {
        rule.to_string()
    }
}

impl TryFrom<String> for LabelRule {
    type Error = String;

    fn try_from(text: String) -> Result<LabelRule, String> {
        text.parse()
    }
}

impl NamePattern {
    /// A pattern with exactly one `{class}`. The ending after the last dot does not count, so that `.jpg` and `.png`
    /// are alike.
    pub fn new(text: &str) -> Option<NamePattern> {
        let mut pieces = Vec::new();
        let mut rest = without_ending(text);
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}')?;
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            pieces.push(match word {
                "class" => Piece::Class,
                "n" => Piece::Number,
                "any" => Piece::Any,
                _ => return None,
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        let classes = pieces.iter().filter(|piece| **piece == Piece::Class);
        (classes.count() == 1).then(|| NamePattern {
            text: text.to_owned(),
            pieces,
        })
    }

    /// The class in a file's name without its ending; none where the name is another.
    pub fn class_of<'a>(&self, stem: &'a str) -> Option<&'a str> {
        let mut class = None;
        matches(&self.pieces, stem, &mut class)
            .then_some(class)
            .flatten()
    }
}

/// The text in front of a final `.jpg` or the like; `{class}.{n}` has none.
fn without_ending(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((stem, ending))
            if (1..=4).contains(&ending.len())
                && ending.chars().all(|letter| letter.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => text,
    }
}

/// Whether the pieces make up the whole text; texts of any kind are taken as long as they can be.
fn matches<'a>(pieces: &[Piece], text: &'a str, class: &mut Option<&'a str>) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    if let Piece::Literal(literal) = piece {
        return text
            .strip_prefix(literal.as_str())
            .is_some_and(|after| matches(rest, after, class));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let longest = match piece {
        Piece::Number => digits,
        Piece::Class | Piece::Any | Piece::Literal(_) => text.len(),
    };
    let least = usize::from(*piece != Piece::Any);
    // A number has all of its digits: `cat10` is a cat, as `cat1` is.
    let is_before_number = rest.first() == Some(&Piece::Number);
    let splits_number = |length: usize| {
        let last = text.get(..length).and_then(|taken| taken.bytes().last());
        is_before_number && last.is_some_and(|byte| byte.is_ascii_digit())
    };
    (least..=longest)
        .rev()
        .filter(|&length| text.is_char_boundary(length) && !splits_number(length))
        .any(|length| {
            let (taken, after) = text.split_at(length);
            let fits = matches(rest, after, class);
            if fits && *piece == Piece::Class {
                *class = Some(taken);
            }
            fits
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_their_class() {
        let class = |pattern: &str, stem: &str| {
            let pattern = NamePattern::new(pattern).unwrap();
            pattern.class_of(stem).map(str::to_owned)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(class("{class}.{n}.jpg", "cat.0"), some("cat"));
        assert_eq!(class("{class}.{n}", "dog.12499"), some("dog"));
        assert_eq!(
            class("{class}_{n}.jpg", "american_bulldog_12"),
            some("american_bulldog")
        );
        assert_eq!(class("{n}_{class}.png", "007_cat"), some("cat"));
        assert_eq!(
            class("{n}_{class}_{any}.jpg", "26_1_0_2017.chip"),
            some("1_0")
        );
        assert_eq!(class("img{any}-{class}.jpg", "img-ü-ö"), some("ö"));
        for stem in ["cat1", "cat10", "cat007"] {
            assert_eq!(class("{class}{n}.jpg", stem), some("cat"), "{stem}");
        }
        assert_eq!(class("{any}{n}_{class}.jpg", "x12_dog"), some("dog"));
        for (pattern, stem) in [
            ("{class}.{n}.jpg", "cat"),
            ("{class}.{n}.jpg", "cat.x"),
            ("{class}.{n}.jpg", ".7"),
            ("a{class}", "b1"),
        ] {
            assert_eq!(class(pattern, stem), None, "{pattern} {stem}");
        }
    }

    #[test]
    fn rules_are_read_written_and_refused() {
        for text in ["name: {class}.{n}.jpg", "column: Smiling"] {
            let rule: LabelRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
        }
        for wrong in [
            "",
            "cat",
            "name:",
            "name: {n}.jpg",
            "name: {class}{class}",
            "name: {what}_{class}",
            "name: {class",
            "file: x",
            "column: ",
        ] {
            let message = wrong.parse::<LabelRule>().unwrap_err();
            assert!(message.contains("write name: {class}.{n}.jpg"), "{message}");
        }
    }
}
