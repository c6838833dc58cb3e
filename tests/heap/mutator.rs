//! Random changes of files: of bytes as they are, and of texts by lines, words and numbers.

use rand::RngCore;
use strata_testkit::files::gzip;

/// Versions of each file that a long round tries: `STRATA_MUTATION_COUNT=500` for a shorter one.
pub fn count(usual: u64) -> u64 {
    let count = std::env::var("STRATA_MUTATION_COUNT").ok();
    count.and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// Another one tries other versions: `STRATA_MUTATION_SEED=7 cargo test --test heap -- --ignored`.
pub fn seed() -> u64 {
    let seed = std::env::var("STRATA_MUTATION_SEED").ok();
    seed.map_or(6, |seed| seed.parse().unwrap())
}

/// Numbers that files lie with.
const LIES: [u32; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x0001_0000,
    0x00ff_ffff,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Draws changes of files.
pub struct Mutator<R: RngCore> {
    pub rng: R,
}

impl<R: RngCore> Mutator<R> {
    /// A number below this.
    pub fn below(&mut self, end: usize) -> usize {
        self.rng.next_u32() as usize % end.max(1)
    }

    /// A place in the file, more often near its start, where the headers are.
    fn place(&mut self, length: usize) -> usize {
        let reach = [32, 128, length, length][self.below(4)];
        self.below(reach.min(length))
    }

    /// A version of a file with up to three changes; parts of another one may get into it.
    pub fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(3) {
            changed = self.once(changed, other);
        }
        changed
    }

    fn once(&mut self, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
        let (length, place) = (bytes.len(), self.place(bytes.len()));
        match self.below(13) {
            0 => bytes.truncate(
                [
                    0,
                    1,
                    2,
                    8,
                    16,
                    64,
                    length / 2,
                    length.saturating_sub(1),
                    place,
                ][self.below(9)],
            ),
            1 => bytes.truncate(self.below(length)),
            2 | 3 => (0..=self.below(8)).for_each(|_| self.flip(&mut bytes)),
            4 | 5 => self.lie(&mut bytes, place),
            6 => drop(bytes.splice(place..place, other.iter().copied().take(self.below(200)))),
            7 => drop(bytes.drain(place..(place + self.below(100)).min(length))),
            8 => {
                let again = bytes[place..(place + self.below(100)).min(length)].to_vec();
                drop(bytes.splice(place..place, again));
            }
            9 => drop(
                bytes.splice(
                    place..,
                    other
                        .get(self.place(other.len())..)
                        .unwrap_or_default()
                        .to_vec(),
                ),
            ),
            10 => {
                let end = (place + self.below(64)).min(length);
                let fill = [0, 0xff, b'9', b'(', b']'][self.below(5)];
                bytes[place..end].fill(fill);
            }
            11 => return gzip(&bytes),
            _ => bytes.extend((0..self.below(300)).map(|at| at as u8)),
        }
        bytes
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let place = self.place(bytes.len());
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << self.below(8);
        }
    }

    fn lie(&mut self, bytes: &mut [u8], place: usize) {
        let lie = LIES[self.below(LIES.len())];
        let width = [1, 2, 4][self.below(3)];
        let lie = if self.below(2) == 0 {
            lie.to_le_bytes()
        } else {
            lie.rotate_left(32 - 8 * width).to_be_bytes()
        };
        for (byte, new) in bytes.iter_mut().skip(place).zip(&lie[..width as usize]) {
            *byte = *new;
        }
    }
}

/// What numbers in texts are replaced by.
const NUMBERS: [&str; 22] = [
    "0",
    "-1",
    "1",
    "2",
    "7",
    "0.5",
    "-0.0",
    "1e308",
    "1e-320",
    "1e999",
    "nan",
    "-inf",
    "255",
    "65536",
    "2147483648",
    "4294967295",
    "9223372036854775807",
    "18446744073709551616",
    "0x10",
    "1_000",
    "",
    "³",
];
/// What gets into texts.
const SCRAPS: [&str; 20] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "=",
    ",",
    "#",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{1b}[2J",
    " ",
];
/// How often a scrap is repeated at most.
const MANY: usize = 300;

impl<R: RngCore> Mutator<R> {
    /// A version of a text with up to three changes; lines of another one may get into it. One in eight is changed as
    /// bytes are.
    pub fn mutate_text(&mut self, text: &str, other: &str) -> Vec<u8> {
        if self.below(8) == 0 {
            return self.mutate(text.as_bytes(), other.as_bytes());
        }
        let mut changed = text.to_owned();
        for _ in 0..=self.below(3) {
            changed = match self.below(5) {
                0 => self.number(&changed),
                1 => self.line(&changed, other),
                2 => self.word(&changed, other),
                3 => self.scrap(changed),
                _ => self.number(&changed),
            };
        }
        changed.into_bytes()
    }

    /// One of the parts that `is_part` finds, as start and end.
    fn part(&mut self, text: &str, is_part: fn(char) -> bool) -> Option<(usize, usize)> {
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for (at, letter) in text.char_indices().filter(|(_, letter)| is_part(*letter)) {
            match parts.last_mut() {
                Some((_, end)) if *end == at => *end += letter.len_utf8(),
                _ => parts.push((at, at + letter.len_utf8())),
            }
        }
        let chosen = self.below(parts.len());
        parts.get(chosen).copied()
    }

    fn number(&mut self, text: &str) -> String {
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
        let number = NUMBERS[self.below(NUMBERS.len())];
        self.replaced(text, is_part, number)
    }

    /// A word of a text or a name in the place of another.
    fn word(&mut self, text: &str, other: &str) -> String {
        let is_part = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
        let from = [text, other][self.below(2)];
        let word = self
            .part(from, is_part)
            .map_or("", |(start, end)| &from[start..end]);
        self.replaced(text, is_part, word)
    }

    fn replaced(&mut self, text: &str, is_part: fn(char) -> bool, by: &str) -> String {
        match self.part(text, is_part) {
            Some((start, end)) => [&text[..start], by, &text[end..]].concat(),
            None => text.to_owned(),
        }
    }

    /// A line left out, doubled, moved, or one of another text.
    fn line(&mut self, text: &str, other: &str) -> String {
        let mut lines: Vec<&str> = text.lines().collect();
        let (from, to) = (self.below(lines.len()), self.below(lines.len()));
        let others: Vec<&str> = other.lines().collect();
        let line = match self.below(4) {
            0 => others.get(self.below(others.len())).copied(),
            1 => lines.get(from).copied(),
            _ if lines.is_empty() => None,
            choice => Some(lines.remove(from)).filter(|_| choice == 2),
        };
        if let Some(line) = line {
            lines.insert(to.min(lines.len()), line);
        }
        lines.join("\n") + "\n"
    }

    /// Something that does not belong there, now and then very often.
    fn scrap(&mut self, mut text: String) -> String {
        let scrap = SCRAPS[self.below(SCRAPS.len())];
        let times = if self.below(6) == 0 {
            self.below(MANY)
        } else {
            1
        };
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, &scrap.repeat(times));
        text
    }
}
