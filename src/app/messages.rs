//! Messages to the user: what went wrong stays until read, what went well fades.

use std::time::{Duration, Instant};
use strata_core::spoken::spoken;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Something was done; fades.
    Note,
    /// Something to know; stays until read.
    Warning,
    /// Something failed; stays until read.
    Error,
}

impl Weight {
    /// The level of the log that it has.
    pub(super) fn level(self) -> log::Level {
        match self {
            Weight::Note => log::Level::Info,
            Weight::Warning => log::Level::Warn,
            Weight::Error => log::Level::Error,
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Distinguishes it from the others.
    pub id: u64,
    /// How much it matters.
    pub weight: Weight,
    /// What, where, what to do.
    pub text: String,
    /// Whether a run has told it: with another project, or another run, it is about what is no longer there.
    is_of_run: bool,
    born: Instant,
}

/// All messages that are still shown.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    list: Vec<Message>,
    next: u64,
}

/// How long a note is shown.
const NOTE: Duration = Duration::from_secs(8);
/// More than this many lasting messages push out the oldest.
const MOST: usize = 50;

impl Messages {
    /// Adds a message and logs it; one that is shown already is not repeated.
    pub fn add(&mut self, weight: Weight, text: impl Into<String>) {
        let text = text.into();
        if self.show(weight, text.clone()) {
            log::log!(weight.level(), "{text}");
        }
    }

    /// Adds a message of the run in training, which is in the log already.
    pub(crate) fn show_of_run(&mut self, weight: Weight, text: String) {
        if self.show(weight, text)
            && let Some(message) = self.list.last_mut()
        {
            message.is_of_run = true;
        }
    }

    /// Adds a message that is in the log already; false where it is shown already.
    fn show(&mut self, weight: Weight, text: String) -> bool {
        let text = spoken(&text);
        self.list
            .retain(|message| weight != Weight::Note || message.weight != Weight::Note);
        if self.list.iter().any(|message| message.text == text) {
            return false;
        }
        self.list.push(Message {
            id: self.next,
            weight,
            text,
            is_of_run: false,
            born: Instant::now(),
        });
        self.next += 1;
        if self.list.len() > MOST {
            self.list.remove(0);
        }
        true
    }

    /// Takes one away: it was read.
    pub(crate) fn dismiss(&mut self, id: u64) {
        self.list.retain(|message| message.id != id);
    }

    /// Takes away the message with this text: it is no longer true.
    pub(crate) fn withdraw(&mut self, text: &str) {
        let text = spoken(text);
        self.list.retain(|message| message.text != text);
    }

    /// Takes away what failed: it was about what is no longer there.
    pub(crate) fn withdraw_errors(&mut self) {
        self.list.retain(|message| message.weight != Weight::Error);
    }

    /// Takes away what a run has warned of: another project or another run takes its place.
    pub(crate) fn withdraw_warnings_of_run(&mut self) {
        self.list
            .retain(|message| !(message.is_of_run && message.weight == Weight::Warning));
    }

    /// Lets notes fade; the time until the next one does.
    pub fn fade(&mut self) -> Option<Duration> {
        self.list
            .retain(|message| message.weight != Weight::Note || message.born.elapsed() < NOTE);
        let note = self
            .list
            .iter()
            .find(|message| message.weight == Weight::Note);
        note.map(|note| NOTE.saturating_sub(note.born.elapsed()))
    }

    /// What stays until read, oldest first.
    pub fn lasting(&self) -> impl Iterator<Item = &Message> {
        self.list
            .iter()
            .filter(|message| message.weight != Weight::Note)
    }

    /// The newest note.
    pub fn note(&self) -> Option<&Message> {
        self.list
            .iter()
            .rev()
            .find(|message| message.weight == Weight::Note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_errors_and_of_the_file_stay_in_the_log() {
        for (text, shown) in [
            (
                "no such file (os error 2): choose another",
                "no such file: choose another",
            ),
            ("a (os error 13)", "a"),
            ("a (os error x)", "a (os error x)"),
            ("plain", "plain"),
            ("encoder.0 is too large", "encoder layer 1 is too large"),
        ] {
            assert_eq!(spoken(text), shown);
        }
        let mut messages = Messages::default();
        messages.add(Weight::Error, "gone (os error 2)");
        messages.withdraw("gone (os error 2)");
        assert_eq!(messages.lasting().count(), 0);
    }
}
