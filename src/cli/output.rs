//! Standard output, and messages on standard error.
//!
//! A reader that stopped reading (`strata check p | head`) ends the program quietly; a message that
//! nobody can be told ends nothing at all.

use super::WrongInput;
use serde::Serialize;
use std::error::Error;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
use strata_core::atomic_write::write_atomic;

/// Prints text with a line end after it.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Shows a message on standard error. `eprintln!` would panic where that is closed or full, and a
/// run would be lost for a line of text.
pub fn say(text: &str) {
    let written = stderr().lock().write_all(format!("{text}\n").as_bytes());
    if let Err(error) = written {
        log::warn!("standard error takes nothing ({error}); not shown: {text}");
    }
}

/// Shows on standard error, and logs, why the command failed.
pub fn fail(message: &str) {
    log::error!("{message}");
    say(&format!("strata: {message}"));
}

/// Shows warnings on standard error.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        log::warn!("{warning}");
        say(&format!("warning: {warning}"));
    }
}

/// Writes the file that was asked for.
pub fn write_file(file: &Path, bytes: &[u8]) -> Result<(), WrongInput> {
    let written = write_atomic(file, bytes);
    if written.is_ok() {
        log::info!("wrote {}", file.display());
    }
    written.map_err(|error| {
        let reason = match error.kind() {
            ErrorKind::NotFound => "No such file or directory (is the folder there?)".to_owned(),
            // The error itself names a temporary file that nobody knows; its source is the system's reason.
            _ => error
                .source()
                .map_or_else(|| error.to_string(), |source| source.to_string()),
        };
        WrongInput(format!("cannot write {}: {reason}", file.display()))
    })
}

/// Prints one JSON value.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
