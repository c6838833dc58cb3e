//! Standard output, and messages on standard error.
//!
//! A reader that stopped reading (`strata check p | head`) ends the program quietly; a message that
//! nobody can be told ends nothing at all.

use serde::Serialize;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Prints text with a line end after it.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Shows a message on standard error. `eprintln!` would panic where that is closed or full, and a
/// run would be lost for a line of text.
pub fn say(text: &str) {
    stderr().lock().write_all(format!("{text}\n").as_bytes()).ok();
}

/// Prints one JSON value.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}
