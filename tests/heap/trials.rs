//! Something done with a damaged file: that it does not panic, how long it takes, what it holds, and what it says.

use super::HEAP;
use peakmem_alloc::PeakMemAllocTrait;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// An unoptimized build is as slow as that.
const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 2 });
/// Bytes held at most.
const MOST_HEAP: usize = 256 << 20;
/// Letters of a message; it may repeat a word of the file.
const LONGEST: usize = 700;
/// What only those who wrote the program understand.
const OF_THE_PROGRAM: [&str; 17] = [
    "usize",
    "u8",
    "u32",
    "u64",
    "i64",
    "f32",
    "f64",
    "Option<",
    "Vec<",
    " struct ",
    "enum ",
    "variant",
    "serde",
    "called `",
    "panicked",
    "invalid type",
    "os error",
];

/// What came of many trials.
#[derive(Default)]
pub struct Trials {
    pub failures: Vec<String>,
    count: u64,
    refused: u64,
    slowest: Duration,
    largest: usize,
    /// Every message once, without its numbers.
    kinds: BTreeSet<String>,
}

impl Trials {
    /// Does something, of which messages come; each is to name the file. A slow one gets a second chance: the machine may
    /// have been busy with something else.
    pub fn trial(&mut self, name: &str, file: &str, work: &mut dyn FnMut() -> Vec<String>) {
        let first = measured(work);
        let found = match first {
            Some((_, time, _)) if time > MOST_TIME => measured(work),
            first => first,
        };
        self.count += 1;
        let Some((messages, time, heap)) = found else {
            return self.fail(format!("{name}: it panics"));
        };
        if time > MOST_TIME || heap > MOST_HEAP {
            self.fail(format!("{name}: {time:.1?}, {} MB", heap >> 20));
        }
        (self.slowest, self.largest) = (self.slowest.max(time), self.largest.max(heap));
        self.refused += u64::from(!messages.is_empty());
        for message in messages {
            if let Some(problem) = unclear(&message, file) {
                self.fail(format!("{name}: {problem}: {message}"));
            }
            self.kinds.insert(kind(&message));
        }
    }

    /// Printed at once: a round that is stopped has told what it found.
    fn fail(&mut self, failure: String) {
        println!("{failure}");
        self.failures.push(failure);
    }

    /// Prints the figures; with `STRATA_MUTATION_TEXTS` every kind of message too.
    pub fn tell(&self, name: &str) {
        println!(
            "{name:36} {} cases, {} told something, {} kinds of messages, slowest {:.2?}, heap {:.1} MB, {} failures",
            self.count,
            self.refused,
            self.kinds.len(),
            self.slowest,
            self.largest as f64 / 1e6,
            self.failures.len()
        );
        if std::env::var_os("STRATA_MUTATION_TEXTS").is_some() {
            self.kinds.iter().for_each(|kind| println!("    {kind}"));
        }
    }
}

/// Fails with the first of what went wrong.
pub fn assert_none(failures: &[String]) {
    let first = &failures[..failures.len().min(20)];
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        first.join("\n")
    );
}

fn measured(work: &mut dyn FnMut() -> Vec<String>) -> Option<(Vec<String>, Duration, usize)> {
    HEAP.reset_peak_memory();
    let start = Instant::now();
    let messages = catch_unwind(AssertUnwindSafe(work)).ok()?;
    Some((messages, start.elapsed(), HEAP.get_peak_memory()))
}

/// What is wrong with a message for people.
fn unclear(message: &str, file: &str) -> Option<String> {
    if message.trim().is_empty() {
        return Some("says nothing".to_owned());
    }
    if message.chars().count() > LONGEST {
        return Some("is too long".to_owned());
    }
    // Letters that steer a terminal may be quoted: the program writes them as `\u{1b}` there.
    if message.contains('\n') {
        return Some("is not one line".to_owned());
    }
    if !message.contains(file) {
        return Some(format!("does not name {file}"));
    }
    let word = OF_THE_PROGRAM.iter().find(|word| message.contains(**word));
    word.map(|word| format!("speaks of `{word}`"))
}

/// A message with its numbers and quotations left out.
fn kind(message: &str) -> String {
    let mut kind = String::new();
    for (at, part) in message.split('`').enumerate() {
        let without_numbers = part.split(|letter: char| letter.is_ascii_digit());
        let words: Vec<&str> = without_numbers.filter(|part| !part.is_empty()).collect();
        kind += &if at % 2 == 1 {
            "`…`".to_owned()
        } else {
            words.join("0")
        };
    }
    kind
}
