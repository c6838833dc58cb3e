//! Which checkpoints a stage keeps besides the newest one and the one at its end: `best, every 5`.

use super::words::SettingError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The checkpoints that a stage keeps besides `last` and `stage-N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeptCheckpoints {
    /// That of the best epoch: as early stopping watches it, or by the loss on the validation images.
    pub best: bool,
    /// Whether the stage ends with the weights of that epoch in place of its last ones.
    pub restored: bool,
    /// That of every so many epochs.
    pub every: Option<u32>,
}

impl FromStr for KeptCheckpoints {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<KeptCheckpoints, SettingError> {
        let mut kept = KeptCheckpoints::default();
        for part in text.split(',') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let every = match words[..] {
                ["best"] if !kept.best => {
                    kept.best = true;
                    continue;
                }
                ["best", "restored"] if !kept.best => {
                    (kept.best, kept.restored) = (true, true);
                    continue;
                }
                ["every", epochs] => epochs.parse().ok(),
                _ => None,
            };
            let every = every.filter(|epochs: &u32| *epochs > 0 && kept.every.is_none());
            kept.every = Some(every.ok_or_else(|| {
                SettingError(format!(
                    "`{}` is not known here or given twice: write best, best restored, every 5, or two of them with a comma between",
                    part.trim()
                ))
            })?);
        }
        Ok(kept)
    }
}

impl fmt::Display for KeptCheckpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let best = if self.restored {
            "best restored"
        } else {
            "best"
        };
        match (self.best, self.every) {
            (true, Some(epochs)) => write!(f, "{best}, every {epochs}"),
            (true, None) => f.write_str(best),
            (false, Some(epochs)) => write!(f, "every {epochs}"),
            (false, None) => Ok(()),
        }
    }
}

impl TryFrom<String> for KeptCheckpoints {
    type Error = SettingError;

    fn try_from(text: String) -> Result<KeptCheckpoints, SettingError> {
        text.parse()
    }
}

impl From<KeptCheckpoints> for String {
    fn from(kept: KeptCheckpoints) -> String {
        kept.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_a_text() {
        for (text, best, every) in [
            ("best", true, None),
            ("best restored", true, None),
            ("best restored, every 3", true, Some(3)),
            ("every 5", false, Some(5)),
            ("best, every 1", true, Some(1)),
        ] {
            let kept: KeptCheckpoints = text.parse().unwrap();
            assert_eq!((kept.best, kept.every), (best, every));
            assert_eq!(kept.to_string(), text);
        }
        let turned: KeptCheckpoints = "every 2,best".parse().unwrap();
        assert_eq!(turned.to_string(), "best, every 2");
        for text in [
            "",
            "worst",
            "every",
            "every 0",
            "every 2, every 3",
            "best, best",
            "best 3",
        ] {
            let error = text.parse::<KeptCheckpoints>().unwrap_err();
            assert!(error.0.contains("every 5"), "{text}: {error}");
        }
    }
}
