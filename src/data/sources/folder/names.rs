//! What names say: which split a folder holds, the order of classes, what is no part of a dataset. Cannot fail.

use crate::source::ClassOrder;
use std::cmp::Ordering;
use std::path::Path;
use strata_core::project::data::Split;

/// Words for a split.
const SPLIT_WORDS: [(Split, &[&str]); 4] = [
    (Split::Train, &["train", "training", "trn", "trainset"]),
    (
        Split::Valid,
        &[
            "valid",
            "val",
            "validation",
            "validate",
            "dev",
            "devel",
            "development",
        ],
    ),
    (
        Split::Test,
        &["test", "testing", "tst", "testset", "evaluation", "eval"],
    ),
    (
        Split::Unlabeled,
        &[
            "unlabeled",
            "unlabelled",
            "unlabel",
            "unsup",
            "pred",
            "predict",
            "prediction",
        ],
    ),
];
/// What may stand beside such a word.
const NEUTRAL: [&str; 29] = [
    "set",
    "sets",
    "seg",
    "data",
    "dataset",
    "datasets",
    "image",
    "images",
    "img",
    "imgs",
    "pic",
    "pics",
    "picture",
    "pictures",
    "photo",
    "photos",
    "split",
    "folder",
    "files",
    "samples",
    "raw",
    "all",
    "jpg",
    "jpeg",
    "png",
    "jpegimages",
    "frames",
    "the",
    "of",
];
/// Folders of images that are no examples but what belongs to them.
const MASKS: [&str; 13] = [
    "mask",
    "masks",
    "annotation",
    "annotations",
    "groundtruth",
    "gt",
    "label",
    "labels",
    "ground",
    "truth",
    "trimaps",
    "segmentation",
    "segmentations",
];
/// Files and folders that systems leave behind.
const LEFT_BEHIND: [&str; 7] = [
    "__macosx",
    "thumbs.db",
    "desktop.ini",
    "icon\r",
    "@eadir",
    "$recycle.bin",
    "lost+found",
];

/// The words of a name: apart at marks, at digits and where small letters turn into capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let is_new = (before.is_lowercase() && letter.is_uppercase())
            || before.is_ascii_digit() != letter.is_ascii_digit();
        if !letter.is_alphanumeric() || is_new {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn split_of_word(word: &str) -> Option<Split> {
    SPLIT_WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|(split, _)| *split)
}

/// The split that a whole word names, `Training` for example.
pub(crate) fn split_of(word: &str) -> Option<Split> {
    split_of_word(&word.to_lowercase())
}

/// The split in a name of several words (`seg_train`, `Training Data`), and the words that are left.
fn split_in(name: &str) -> Option<(Split, Vec<String>)> {
    let words = words(name);
    let mut splits = words.iter().filter_map(|word| split_of_word(word));
    let split = splits.next()?;
    if splits.any(|other| other != split) {
        return None;
    }
    let is_left = |word: &String| {
        split_of_word(word).is_none()
            && !NEUTRAL.contains(&word.as_str())
            && !word.chars().all(|letter| letter.is_ascii_digit())
    };
    Some((split, words.into_iter().filter(is_left).collect()))
}

/// For each of several names in one folder its split. Further words in a name have to be those of the folder above, or
/// of another split: `asl_train` beside `asl_test` is a split, and `bullet train` a class.
pub(crate) fn splits_of(above: &str, names: &[&str]) -> Vec<Option<Split>> {
    let found: Vec<Option<(Split, Vec<String>)>> =
        names.iter().map(|name| split_in(name)).collect();
    let above = words(above);
    let is_split = |(split, left): &(Split, Vec<String>)| {
        left.iter().all(|word| above.contains(word))
            || found
                .iter()
                .flatten()
                .any(|(other, others)| other != split && others == left)
    };
    found
        .iter()
        .map(|one| one.as_ref().filter(|one| is_split(one)).map(|one| one.0))
        .collect()
}

/// The split that a file's name tells (`train.csv`, `x_test.npy`): any word of it.
pub(crate) fn split_in_name(name: &str) -> Option<Split> {
    split_in(name).map(|(split, _)| split)
}

/// Whether a folder's name says nothing of what is in it: `images`, `data`.
pub(crate) fn is_neutral(name: &str) -> bool {
    words(name)
        .iter()
        .all(|word| NEUTRAL.contains(&word.as_str()))
}

/// Whether a folder's name says that it belongs to the images of another.
pub(crate) fn is_of_masks(name: &str) -> bool {
    let words = words(name);
    let is_one = |word: &String| MASKS.contains(&word.as_str()) || NEUTRAL.contains(&word.as_str());
    words.iter().any(|word| MASKS.contains(&word.as_str())) && words.iter().all(is_one)
}

/// Whether a file or folder is hidden, or left behind by a system.
pub(crate) fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || LEFT_BEHIND.contains(&name.to_lowercase().as_str())
}

/// The order of classes by name.
pub(crate) fn compare(order: ClassOrder, one: &str, other: &str) -> Ordering {
    match order {
        ClassOrder::ByCharacter => one.cmp(other),
        ClassOrder::Natural => natural(one, other),
    }
}

/// Numbers by their value, all else by characters: `2` before `10`.
pub(crate) fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (a, b) = (digits(left), digits(right));
        if !a.is_empty() && !b.is_empty() {
            let value = |digits: &str| digits.trim_start_matches('0').to_owned();
            let (x, y) = (value(a), value(b));
            let by_value = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
            if by_value != Ordering::Equal {
                return by_value;
            }
            left = left.get(a.len()..).unwrap_or_default();
            right = right.get(b.len()..).unwrap_or_default();
            continue;
        }
        match (left.chars().next(), right.chars().next()) {
            (Some(a), Some(b)) if a == b => {
                left = left.get(a.len_utf8()..).unwrap_or_default();
                right = right.get(b.len_utf8()..).unwrap_or_default();
            }
            (None, None) => return one.cmp(other),
            (a, b) => return a.cmp(&b),
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The names that another tool would have in the order of their characters, where that differs.
pub(crate) fn by_character(classes: &[String]) -> Option<Vec<String>> {
    let mut other = classes.to_vec();
    other.sort();
    (other != classes).then_some(other)
}

/// The first names of a list, and how many more there are.
pub(crate) fn some_of<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_known_in_any_usual_name() {
        let alone = |name: &str| splits_of("", &[name])[0];
        for name in [
            "train",
            "Train",
            "TRAIN",
            "training",
            "Training",
            "trn",
            "seg_train",
            "train_images",
            "training_set",
            "Training Data",
            "TrainSet",
            "train2017",
            "train-00",
            "train1",
            "imagesTrain",
            "train.jpg",
        ] {
            assert_eq!(alone(name), Some(Split::Train), "{name}");
        }
        for name in [
            "val",
            "Valid",
            "validation_set",
            "dev",
            "VALIDATION",
            "val2017",
        ] {
            assert_eq!(alone(name), Some(Split::Valid), "{name}");
        }
        for name in ["test", "Testing", "test1", "test_set", "seg_test", "tst"] {
            assert_eq!(alone(name), Some(Split::Test), "{name}");
        }
        for name in ["unlabeled", "Unlabelled", "seg_pred", "prediction"] {
            assert_eq!(alone(name), Some(Split::Unlabeled), "{name}");
        }
        for name in [
            "cat",
            "bullet train",
            "trainers",
            "test tube",
            "train_test",
            "contest",
            "devil",
        ] {
            assert_eq!(alone(name), None, "{name}");
        }
    }

    #[test]
    fn further_words_have_to_be_shared() {
        let of = |above: &str, names: &[&str]| splits_of(above, names);
        let both = vec![Some(Split::Train), Some(Split::Test)];
        assert_eq!(of("", &["asl_alphabet_train", "asl_alphabet_test"]), both);
        assert_eq!(of("birds", &["birds_train", "test"]), both);
        assert_eq!(of("", &["freight train", "bullet train"]), [None, None]);
        assert_eq!(of("", &["freight train", "crash test dummy"]), [None, None]);
    }

    #[test]
    fn numbers_in_names_count_by_their_value() {
        let mut names = [
            "10", "2", "1", "0", "11", "a10", "a9", "B", "a", "a09", "img12b3", "img12b12",
        ];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            [
                "0", "1", "2", "10", "11", "B", "a", "a09", "a9", "a10", "img12b3", "img12b12"
            ]
        );
        assert_eq!(
            natural("1", "01"),
            Ordering::Greater,
            "never equal unless the same"
        );
        assert_eq!(natural("x", "x"), Ordering::Equal);
        let classes: Vec<String> = ["0", "2", "10"].map(str::to_owned).to_vec();
        assert_eq!(by_character(&classes).unwrap(), ["0", "10", "2"]);
        assert_eq!(by_character(&classes[..2]), None);
    }

    #[test]
    fn what_systems_leave_is_hidden() {
        for name in [
            ".DS_Store",
            "a/._x.jpg",
            "__MACOSX",
            "Thumbs.db",
            "desktop.ini",
            ".ipynb_checkpoints",
        ] {
            assert!(is_hidden(Path::new(name)), "{name}");
        }
        assert!(!is_hidden(Path::new(".a/b.jpg")) && !is_hidden(Path::new("thumbs")));
        assert!(is_of_masks("masks") && is_of_masks("ground_truth") && !is_of_masks("images"));
        assert!(!is_of_masks("face mask") && is_neutral("Images") && !is_neutral("cats"));
    }
}
