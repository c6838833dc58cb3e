//! Labels as people write them, to classes: whole numbers, floats that are whole, any texts. Cannot fail; what is no
//! label stays a text.

use crate::source::ClassOrder;
use crate::sources::folder::names;
use std::collections::BTreeMap;

/// A label's name: `3.0` and `03` are 3 where all labels are numbers.
pub(crate) struct Names {
    are_numbers: bool,
}

impl Names {
    /// Looks at all labels; empty ones do not count.
    pub fn new<'a>(mut labels: impl Iterator<Item = &'a str>) -> Names {
        Names {
            are_numbers: labels.all(|label| label.is_empty() || whole(label).is_some()),
        }
    }

    pub fn of(&self, label: &str) -> String {
        match whole(label).filter(|_| self.are_numbers) {
            Some(number) => number.to_string(),
            None => label.to_owned(),
        }
    }
}

/// A whole number, written as one or as a float.
pub(crate) fn whole(label: &str) -> Option<i64> {
    if let Ok(number) = label.parse::<i64>() {
        return Some(number);
    }
    let is_plain =
        |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-' | '+' | 'e' | 'E');
    let number = label
        .parse::<f64>()
        .ok()
        .filter(|_| label.chars().all(is_plain))?;
    whole_of(number)
}

/// The whole number that a float is.
pub(crate) fn whole_of(number: f64) -> Option<i64> {
    // Up to 2⁵³ floats hold every whole number.
    let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    is_whole.then_some(number as i64)
}

/// The classes that occur, in their order: numbers by their value, names by `order`.
pub(crate) fn classes(labels: impl Iterator<Item = String>, order: ClassOrder) -> Vec<String> {
    let mut classes: Vec<String> = labels.filter(|label| !label.is_empty()).collect();
    classes.sort();
    classes.dedup();
    let numbers: Option<Vec<i64>> = classes.iter().map(|class| class.parse().ok()).collect();
    match numbers {
        Some(_) => classes.sort_by_key(|class| class.parse::<i64>().unwrap_or_default()),
        None => classes.sort_by(|one, other| names::compare(order, one, other)),
    }
    classes
}

/// The number of each class.
pub(crate) fn numbers(classes: &[String]) -> BTreeMap<&str, u32> {
    (0u32..)
        .zip(classes)
        .map(|(number, name)| (name.as_str(), number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_kind_are_classes() {
        let names = Names::new(["1.0", "2", "", "1e1"].into_iter());
        assert_eq!(
            ["1.0", "2", "1e1"].map(|label| names.of(label)),
            ["1", "2", "10"]
        );
        let mixed = Names::new(["1.0", "cat"].into_iter());
        assert_eq!(mixed.of("1.0"), "1.0");
        for no in ["inf", "nan", "1.5", "", "infinity", "1e300"] {
            assert_eq!(whole(no), None, "{no}");
        }
        let all = ["10", "-1", "9", "9"].map(str::to_owned).into_iter();
        assert_eq!(classes(all, ClassOrder::ByCharacter), ["-1", "9", "10"]);
        let all = ["c10", "c9", "a"].map(str::to_owned);
        assert_eq!(
            classes(all.clone().into_iter(), ClassOrder::Natural),
            ["a", "c9", "c10"]
        );
        assert_eq!(
            classes(all.into_iter(), ClassOrder::ByCharacter),
            ["a", "c10", "c9"]
        );
    }
}
