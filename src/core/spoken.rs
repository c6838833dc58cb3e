//! Sentences as the window says them. The terminal names a layer as `--set` and the file do, `encoder.3`, and shows the
//! system's numbers of errors; in the window layers are counted from 1, and the numbers are left to the log.

use crate::format::without_codes;
use crate::project::{Place, Stack};

/// A sentence of the terminal in the window's words.
pub fn spoken(text: &str) -> String {
    let mut left = without_codes(text);
    let mut said = String::new();
    while let Some((start, end, place)) = first_place(&left) {
        said += &left[..start];
        said += &place.in_words();
        left.drain(..end);
    }
    said + &left
}

/// The layers that a text names in the window's words as the file names them: what is read back from a field.
pub fn written(text: &str) -> String {
    let mut left = text;
    let mut written = String::new();
    while let Some((before, after)) = left.split_once(LAYER) {
        let is_named = Stack::ALL
            .iter()
            .any(|stack| before.ends_with(stack.name()));
        let digits = after.len()
            - after
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let counted = after[..digits]
            .split('.')
            .map(|index| index.parse::<usize>().ok()?.checked_sub(1));
        written += before;
        match counted.collect::<Option<Vec<_>>>().filter(|_| is_named) {
            Some(path) => {
                path.iter()
                    .for_each(|index| written += &format!(".{index}"));
                left = &after[digits..];
            }
            None => {
                written += LAYER;
                left = after;
            }
        }
    }
    written + left
}

/// Between the name of a stack and the number of a layer.
const LAYER: &str = " layer ";

/// The first place of a layer in a text, and where it stands.
fn first_place(text: &str) -> Option<(usize, usize, Place)> {
    let places = Stack::ALL.into_iter().flat_map(|stack| {
        let found = text.match_indices(stack.name());
        found.filter_map(move |(start, name)| {
            let before = text[..start].chars().next_back();
            // Part of another word, of a path or of a setting's text: `at=encoder.1`, `network.encoder.0`.
            if before.is_some_and(|letter| letter.is_alphanumeric() || "./\\=_-".contains(letter)) {
                return None;
            }
            let (length, path) = indices(&text[start + name.len()..])?;
            Some((start, start + name.len() + length, Place { stack, path }))
        })
    });
    places.min_by_key(|(start, ..)| *start)
}

/// The indices that a text begins with, each behind a dot, and how many bytes they are: `.3.0.1: …`.
fn indices(text: &str) -> Option<(usize, Vec<usize>)> {
    let mut length = 0;
    let mut path = Vec::new();
    while let Some(rest) = text[length..].strip_prefix('.') {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let Ok(index) = rest[..digits].parse() else {
            break;
        };
        path.push(index);
        length += 1 + digits;
    }
    let is_word = text[length..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (!path.is_empty() && !is_word).then_some((length, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_from_1_and_numbers_of_errors_left_out() {
        for (text, shown) in [
            ("`conv 8` at encoder.1", "`conv 8` at encoder layer 2"),
            (
                "head.4 and decoder.3.0.1.",
                "head layer 5 and decoder layer 4.1.2.",
            ),
            ("sparsity at=encoder.1", "sparsity at=encoder.1"),
            (
                "network.encoder.0, encoder.bin, overhead.3",
                "network.encoder.0, encoder.bin, overhead.3",
            ),
            ("the encoder. 3 layers", "the encoder. 3 layers"),
            ("gone (os error 2): encoder.0", "gone: encoder layer 1"),
        ] {
            assert_eq!(spoken(text), shown);
        }
    }

    #[test]
    fn what_is_said_is_read_back() {
        for text in [
            "encoder encoder.0 decoder.3.0.1",
            "rho=0.05 at=encoder.1",
            "a layer 2",
            "encoder layer x",
            "",
        ] {
            assert_eq!(written(&spoken(text)), text);
        }
        assert_eq!(written("encoder layer 0"), "encoder layer 0");
    }
}
