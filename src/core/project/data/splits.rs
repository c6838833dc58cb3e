//! How images are shared out: cross-validation and the kinds of labels.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One round of cross-validation, written `2/5`: the second of five parts is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fold {
    /// Which part, from 1.
    pub part: u32,
    /// Of how many, from 2.
    pub of: u32,
}

/// The most parts: leaving one out of a thousand is finer than any course asks for.
const MOST_PARTS: u32 = 1000;

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Fold, String> {
        let numbers = text
            .split_once('/')
            .and_then(|(part, of)| Some((number(part)?, number(of)?)));
        match numbers {
            Some((part, of)) if (2..=MOST_PARTS).contains(&of) && (1..=of).contains(&part) => {
                Ok(Fold { part, of })
            }
            _ => Err(format!(
                "\"{text}\" is no fold: write 2/5 for the second of five parts"
            )),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

impl From<Fold> for String {
    fn from(fold: Fold) -> String {
        fold.to_string()
    }
}

impl TryFrom<String> for Fold {
    type Error = String;

    fn try_from(text: String) -> Result<Fold, String> {
        text.parse()
    }
}

/// Which labels of CIFAR-100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// The hundred classes.
    #[default]
    Fine,
    /// The twenty superclasses.
    Coarse,
}

impl Labels {
    /// All of them.
    pub const ALL: [Labels; 2] = [Labels::Fine, Labels::Coarse];

    /// `fine` or `coarse`.
    pub fn name(self) -> &'static str {
        match self {
            Labels::Fine => "fine",
            Labels::Coarse => "coarse",
        }
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_read_written_and_refused() {
        assert_eq!("2/5".parse(), Ok(Fold { part: 2, of: 5 }));
        assert_eq!(Fold { part: 2, of: 5 }.to_string(), "2/5");
        for wrong in ["", "2", "0/5", "6/5", "1/1", "a/b", "1/1001", "-1/5"] {
            assert!(wrong.parse::<Fold>().is_err(), "{wrong}");
        }
    }
}
