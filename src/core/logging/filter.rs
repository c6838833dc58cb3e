//! Which entries are kept: `STRATA_LOG` as a list of levels, one for Strata and others for parts of the program.

use log::{Level, LevelFilter};
use std::borrow::Cow;
use std::str::FromStr;

/// The target of everything that Strata itself logs.
const OWN: &str = "strata";

/// The levels that `STRATA_LOG` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    own: LevelFilter,
    /// Levels of single targets, the longest name first.
    targets: Vec<(String, LevelFilter)>,
}

/// Why a text is no filter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{word}` is no level: write off, error, warn, info, debug or trace, or TARGET=LEVEL as in debug,winit=info"
)]
pub struct FilterError {
    word: String,
}

impl Default for Filter {
    /// What Strata does, and what its libraries warn of.
    fn default() -> Filter {
        Filter {
            text: "info".to_owned(),
            own: LevelFilter::Info,
            targets: Vec::new(),
        }
    }
}

impl Filter {
    /// Whether an entry of this target and level is kept.
    pub(crate) fn allows(&self, target: &str, level: Level) -> bool {
        level <= self.level_of(&room(target))
    }

    /// The most detailed level that any target has.
    pub(crate) fn most_detailed(&self) -> LevelFilter {
        let targets = self.targets.iter().map(|(_, level)| *level);
        targets.fold(self.own, Ord::max)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn level_of(&self, target: &str) -> LevelFilter {
        let named = self.targets.iter().find(|(name, _)| covers(name, target));
        match named {
            Some((_, level)) => *level,
            None if covers(OWN, target) => self.own,
            // Details of a library help only those who ask for that library.
            None => self.own.min(LevelFilter::Warn),
        }
    }
}

/// The target of an entry by the room it comes from: the crate `strata_data` is `strata::data`.
pub fn room(target: &str) -> Cow<'_, str> {
    match target.strip_prefix("strata_") {
        Some(rest) => Cow::Owned(format!("{OWN}::{rest}")),
        None => Cow::Borrowed(target),
    }
}

/// Whether `target` is the module `name` or inside it.
fn covers(name: &str, target: &str) -> bool {
    target
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        let mut filter = Filter {
            text: text.trim().to_owned(),
            ..Filter::default()
        };
        for word in text.split(',').map(str::trim) {
            let unknown = || FilterError {
                word: word.to_owned(),
            };
            let (target, level) = match word.split_once('=') {
                Some((target, level)) => (Some(target.trim()), level.trim()),
                None => (None, word),
            };
            let level: LevelFilter = level.parse().map_err(|_| unknown())?;
            match target {
                Some("") => return Err(unknown()),
                Some(target) => filter.targets.push((target.replace('-', "_"), level)),
                None => filter.own = level,
            }
        }
        filter
            .targets
            .sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Debug, Error, Info, Trace, Warn};

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn one_word_is_the_level_of_strata_and_libraries_only_warn() {
        let usual = Filter::default();
        assert_eq!(usual, filter("info"));
        assert!(usual.allows("strata::engine", Info) && !usual.allows("strata::engine", Debug));
        assert!(usual.allows("strata_engine::run", Info) && !usual.allows("strata_engine", Debug));
        assert!(usual.allows("winit::window", Warn) && !usual.allows("winit::window", Info));
        let all = filter(" TRACE ");
        assert!(all.allows("strata", Trace) && !all.allows("winit", Info));
        let errors = filter("error");
        assert!(errors.allows("winit", Error) && !errors.allows("winit", Warn));
        let none = filter("off");
        assert!(!none.allows("strata", Error) && !none.allows("winit", Error));
        assert_eq!(none.most_detailed(), LevelFilter::Off);
    }

    #[test]
    fn targets_have_levels_of_their_own() {
        let filter = filter("warn, strata::data = debug,egui-winit=trace");
        assert!(filter.allows("strata::data::idx", Debug) && !filter.allows("strata::nn", Info));
        assert!(filter.allows("egui_winit::clipboard", Trace));
        assert!(!filter.allows("strata::database", Info), "another module");
        assert_eq!(filter.most_detailed(), LevelFilter::Trace);
    }

    #[test]
    fn the_longest_target_decides() {
        let filter = filter("strata::data=trace,strata=off,strata::data::idx=error");
        assert!(filter.allows("strata::data", Trace) && !filter.allows("strata::nn", Error));
        assert!(!filter.allows("strata::data::idx", Warn));
    }

    #[test]
    fn other_words_are_refused_by_name() {
        for (text, word) in [
            ("loud", "loud"),
            ("", ""),
            ("info,,debug", ""),
            ("winit=", "winit="),
            ("=info", "=info"),
            ("info;debug", "info;debug"),
            ("5", "5"),
        ] {
            let error = text.parse::<Filter>().unwrap_err();
            assert_eq!(error.word, word, "{text}");
            assert!(error.to_string().contains("TARGET=LEVEL"));
        }
    }
}
