//! Finding commands: by their names, by what is said beside them, by other words for them, and with the keyboard set
//! to the wrong layout.

use super::Command;

/// The keys of a Russian keyboard, and what the same keys write on an English one.
const KEYS: [(&str, &str); 2] = [
    (
        "йцукенгшщзхъфывапролджэячсмитьбю",
        "qwertyuiop[]asdfghjkl;'zxcvbnm,.",
    ),
    ("ё", "`"),
];

/// The commands that a text means, the best first: its words must all be found.
pub fn find<'a>(commands: &'a [Command], text: &str) -> Vec<&'a Command> {
    let text = text.to_lowercase();
    // What was typed, what the same keys write in English, and a name of Python's as words.
    let others = [typed_in_english(&text), parted(&text)];
    let best = |command: &Command| {
        let meant = others.iter().flatten().map(|text| score(command, text));
        meant.fold(score(command, &text), Option::max)
    };
    let mut found: Vec<_> = commands
        .iter()
        .filter_map(|command| Some((best(command)?, command)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, command)| command).collect()
}

/// What the keys of a text in Cyrillic letters write on an English keyboard.
fn typed_in_english(text: &str) -> Option<String> {
    let key = |letter: char| {
        KEYS.iter().find_map(|(cyrillic, latin)| {
            let at = cyrillic.chars().position(|known| known == letter)?;
            latin.chars().nth(at)
        })
    };
    let is_cyrillic = text.chars().any(|letter| key(letter).is_some());
    is_cyrillic.then(|| {
        text.chars()
            .map(|letter| key(letter).unwrap_or(letter))
            .collect()
    })
}

/// A text with the words of its names apart: `confusion_matrix` is two.
fn parted(text: &str) -> Option<String> {
    text.contains('_').then(|| text.replace('_', " "))
}

/// What a name gains that has all words in the order of the text.
const WHOLE: i32 = 60;
/// What a help page is found less well than what it is about.
const PAGE: i32 = 100;

fn score(command: &Command, text: &str) -> Option<i32> {
    let name = command.name.to_lowercase();
    let hint = command.hint.to_lowercase();
    let words = command.words.to_lowercase();
    let one = |word: &str| {
        let elsewhere = in_words(&words, word).max(in_words(&hint, word));
        points(&name, word).max(elsewhere)
    };
    let found = text.split_whitespace().map(one).sum::<Option<i32>>()?;
    // Several words that stand in the name as they were typed are meant before the same words apart.
    let is_whole = text.trim().contains(' ') && name.contains(text.trim());
    let found = if is_whole { found + WHOLE } else { found };
    // A page about a thing comes after the thing.
    let is_page = name.starts_with("help:") && !text.contains("help");
    Some(if is_page { found - PAGE } else { found })
}

/// How well a word fits one of the words of a text: less than one in the name itself.
fn in_words(text: &str, word: &str) -> Option<i32> {
    let at = text.find(word)?;
    let starts = at == 0
        || text
            .as_bytes()
            .get(at - 1)
            .is_some_and(|before| !before.is_ascii_alphanumeric());
    let ends = text
        .as_bytes()
        .get(at + word.len())
        .is_none_or(|after| !after.is_ascii_alphanumeric());
    match (starts, ends) {
        (true, true) => Some(90),
        (true, false) => Some(70),
        // A part of a word is a coincidence where it is short.
        (false, _) => (word.len() > 3).then_some(30),
    }
}

/// How well a word fits a name; `None` where its letters are not in it in this order.
fn points(name: &str, word: &str) -> Option<i32> {
    let starts = |at: usize| {
        at == 0
            || !name
                .as_bytes()
                .get(at - 1)
                .is_some_and(u8::is_ascii_alphanumeric)
    };
    if let Some(at) = name.find(word) {
        let whole = if name.len() == word.len() { 20 } else { 0 };
        return Some(100 + whole + if starts(at) { 50 } else { 0 } - (at as i32).min(20));
    }
    let mut rest = name.char_indices();
    let mut points = 0;
    for letter in word.chars() {
        let (at, _) = rest.find(|(_, c)| *c == letter)?;
        points += if starts(at) { 6 } else { 1 };
    }
    // Letters strewn over a long name are a coincidence.
    (points >= 2 * word.chars().count() as i32).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_layout_is_understood() {
        assert_eq!(typed_in_english("сщтм").as_deref(), Some("conv"));
        assert_eq!(typed_in_english("еkфшт").as_deref(), Some("tkain"));
        assert_eq!(typed_in_english("conv"), None);
    }
}
