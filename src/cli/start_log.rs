//! The log of a command: started before its work, with the command as its first entry.

use super::output;
use strata_core::logging::{self, Filter};

/// Starts the log as `STRATA_LOG` asks for it.
pub fn start_log() {
    let asked = std::env::var_os("STRATA_LOG").filter(|value| !value.is_empty());
    let parsed = asked.map(|value| value.to_string_lossy().parse::<Filter>());
    let (filter, refused) = match parsed {
        Some(Err(error)) => (Filter::default(), Some(error)),
        Some(Ok(filter)) => (filter, None),
        None => (Filter::default(), None),
    };
    logging::start(logging::state_folder().as_deref(), filter);
    logging::log_panics();
    log::info!(
        "Strata {} started: {}",
        env!("CARGO_PKG_VERSION"),
        command_line()
    );
    if let Some(error) = refused {
        let message = format!("STRATA_LOG: {error}; info is used");
        log::warn!("{message}");
        output::say(&format!("warning: {message}"));
    }
}

/// The command as it was typed, with quotes where a word needs them.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(|word| {
        let word = word.to_string_lossy().into_owned();
        let is_plain = !word.is_empty() && !word.contains(char::is_whitespace);
        if is_plain { word } else { format!("{word:?}") }
    });
    let words: Vec<String> = std::iter::once("strata".to_owned()).chain(words).collect();
    words.join(" ")
}
