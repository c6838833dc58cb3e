//! Finding commands: by their names, by what is said beside them, by other words for them, and with the keyboard set
//! to the wrong layout.

use super::Command;
use super::russian::in_english;

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
    let meanings = meanings(text);
    let best = |command: &Command| {
        let scores = meanings.iter().map(|text| score(command, text));
        // What was typed is meant before what it might be.
        let costs = [0].into_iter().chain(std::iter::repeat(GUESSED));
        let scores = scores.zip(costs).map(|(score, cost)| Some(score? - cost));
        scores.fold(None, Option::max)
    };
    let mut found: Vec<_> = commands
        .iter()
        .filter_map(|command| Some((best(command)?, command)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, command)| command).collect()
}

/// What a text may mean, in small letters: itself first, then what the same keys write in another layout, names of
/// programs as words, and Russian words in English.
fn meanings(text: &str) -> Vec<String> {
    let small = text.to_lowercase();
    let russian = [Some(small.clone()), typed_in_russian(&small)];
    let russian = russian.into_iter().flatten();
    let joined = small
        .trim()
        .contains(' ')
        .then(|| small.trim().replace(' ', "_"));
    let others = [typed_in_english(&small), parted(text), bare(&small), joined];
    let mut all = vec![small.clone()];
    all.extend(others.into_iter().flatten());
    all.extend(russian.filter_map(|text| in_english(&text)));
    all
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

/// What the keys of a text in Latin letters write on a Russian keyboard.
fn typed_in_russian(text: &str) -> Option<String> {
    let key = |letter: char| {
        KEYS.iter().find_map(|(cyrillic, latin)| {
            let at = latin.chars().position(|known| known == letter)?;
            cyrillic.chars().nth(at)
        })
    };
    let is_latin = text.chars().any(|letter| letter.is_ascii_alphabetic());
    is_latin.then(|| {
        text.chars()
            .map(|letter| key(letter).unwrap_or(letter))
            .collect()
    })
}

/// A text with the words of its names apart: `confusion_matrix` and `MiniBatchSize` are several.
fn parted(text: &str) -> Option<String> {
    let mut words = String::new();
    let mut before = ' ';
    for letter in text.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(if letter == '_' { ' ' } else { letter });
        before = letter;
    }
    (words != text).then(|| words.to_lowercase())
}

/// The name of a class without what it is in and without what every class of its kind ends with: of `nn.Linear` and of
/// `reluLayer`.
fn bare(text: &str) -> Option<String> {
    let name = text.trim_end_matches("()").rsplit('.').next()?;
    let name = name.strip_suffix("layer").unwrap_or(name).trim();
    (name != text && !name.is_empty()).then(|| name.to_owned())
}

/// What a guess at the meaning of a text costs.
const GUESSED: i32 = 5;
/// What a name gains that has all words in the order of the text.
const WHOLE: i32 = 30;
/// What a help page is found less well than what it is about.
const PAGE: i32 = 60;

/// How well a command fits: the mean over the words of a text.
fn score(command: &Command, text: &str) -> Option<i32> {
    let name = command.name.to_lowercase();
    let hint = command.hint.to_lowercase();
    let words = command.words.to_lowercase();
    let names = command.names.to_lowercase();
    let one = |word: &str| {
        let elsewhere = in_words(&words, word).max(in_words(&hint, word));
        let same = names.split_whitespace().any(|name| name == word);
        let same = same.then_some(SAME).max(in_words(&names, word));
        points(&name, word).max(elsewhere).max(same)
    };
    // Of several things one of their names begins with the singular.
    let one =
        |word: &str| one(word).or_else(|| one(word.strip_suffix('s').filter(|w| w.len() > 3)?));
    let count = text.split_whitespace().count();
    let found = text.split_whitespace().map(one).sum::<Option<i32>>()?;
    let found = found / count.max(1) as i32;
    // Several words that stand in the name as they were typed are meant before the same words apart.
    let is_whole = text.trim().contains(' ') && name.contains(text.trim());
    let found = if is_whole { found + WHOLE } else { found };
    // A page about a thing comes after the thing.
    let is_page = name.starts_with("help:") && !text.contains("help");
    Some(if is_page { found - PAGE } else { found })
}

/// What the whole of another name for the thing counts: more than a part of a longer name.
const SAME: i32 = 155;

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
        assert!(meanings("ckjq").contains(&"layer".to_owned()));
    }

    #[test]
    fn names_of_programs_are_words() {
        assert_eq!(
            parted("confusion_matrix").as_deref(),
            Some("confusion matrix")
        );
        assert_eq!(parted("MiniBatchSize").as_deref(), Some("mini batch size"));
        assert_eq!(parted("conv"), None);
        assert_eq!(bare("nn.linear").as_deref(), Some("linear"));
        assert_eq!(bare("relulayer").as_deref(), Some("relu"));
        assert_eq!(bare("layer"), None);
    }
}
