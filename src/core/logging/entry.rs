//! An entry as one line: `2026-11-29T04:10:12.345Z INFO  [4711] strata::engine::thread: message`.

use super::filter;
use crate::format;
use log::{Level, Record};
use std::fmt::Write;
use std::time::SystemTime;

/// Bytes of a message; what is longer is cut, so that one entry cannot fill the file.
const LONGEST: usize = 8192;

/// The line of a record, without a line end.
pub fn line(record: &Record<'_>, time: SystemTime) -> String {
    compose(
        time,
        record.level(),
        &filter::room(record.target()),
        &record.args().to_string(),
    )
}

/// The process is in every line: several write to one file.
pub(crate) fn compose(time: SystemTime, level: Level, target: &str, message: &str) -> String {
    let mut line = format!(
        "{} {level:<5} [{}] {target}: ",
        format::utc_millis(time),
        std::process::id(),
    );
    let shown = message.floor_char_boundary(LONGEST);
    escape(message.get(..shown).unwrap_or_default(), &mut line);
    if shown < message.len() {
        line.push('…');
    }
    line
}

/// Line ends and other control characters as `\n`, `\t`, `\u{1b}`: an entry is one line, and no text from a file
/// can forge another or steer the terminal that shows it.
fn escape(message: &str, line: &mut String) {
    for character in message.chars() {
        if character.is_control() {
            // Writing to a string can't fail.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(message: &str) -> String {
        let time = UNIX_EPOCH + Duration::from_millis(951_782_400_042);
        compose(time, Level::Warn, "strata::data", message)
    }

    #[test]
    fn a_line_has_time_level_process_target_and_message() {
        let id = std::process::id();
        assert_eq!(
            at("größe 3×3"),
            format!("2000-02-29T00:00:00.042Z WARN  [{id}] strata::data: größe 3×3")
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        let line = at("a\nb\r\tc\u{1b}[31m\u{85}d");
        assert!(line.ends_with(r"a\nb\r\tc\u{1b}[31m\u{85}d"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let line = at(&format!("a{}", "ß".repeat(LONGEST)));
        assert!(line.len() < LONGEST + 100 && line.ends_with("ß…"));
    }
}
