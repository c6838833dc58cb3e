//! How much the images of each class count in the loss, as `weight` of torch.nn.CrossEntropyLoss; where an image may have
//! several labels, how much each that it has counts, as `pos_weight` of torch.nn.BCEWithLogitsLoss.

use super::reference::stage::CLASS_WEIGHTS;
use super::structured;
use super::words::{SettingError, short};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The weights of the classes.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// `balanced`: images over classes times the images of the class, as scikit-learn's compute_class_weight.
    Balanced,
    /// `[1, 2.5]`: one for each class, in the order that the classes are listed.
    Each(Vec<f64>),
}

/// The word for [`ClassWeights::Balanced`].
const BALANCED: &str = "balanced";
/// The numbers that a weight may be.
const WEIGHTS: RangeInclusive<f64> = 1e-6..=1e6;

impl ClassWeights {
    /// The weight of each class, of which there are so many images to train on. A class without an image counts once
    /// where the weights are balanced.
    pub fn of_classes(&self, images: &[usize]) -> Vec<f64> {
        match self {
            ClassWeights::Each(weights) => weights.clone(),
            ClassWeights::Balanced => {
                let all: usize = images.iter().sum();
                let there = images.iter().filter(|count| **count > 0).count();
                let weight = |count: &usize| match count {
                    0 => 1.0,
                    count => all as f64 / (there * count) as f64,
                };
                images.iter().map(weight).collect()
            }
        }
    }

    /// The weight of each label that an image has, where it may have several and so many of the images have each. Balanced
    /// lets those that have a label count as much as those that have not; a label that no image has counts once.
    pub fn of_labels(&self, having: &[usize], images: usize) -> Vec<f64> {
        match self {
            ClassWeights::Each(weights) => weights.clone(),
            ClassWeights::Balanced => {
                let weight = |count: &usize| match (*count, images.saturating_sub(*count)) {
                    // Of a label that all have or none there is nothing to balance.
                    (0, _) | (_, 0) => 1.0,
                    (there, missing) => missing as f64 / there as f64,
                };
                having.iter().map(weight).collect()
            }
        }
    }

    fn read(value: &toml::Value) -> Result<ClassWeights, SettingError> {
        let wrong = || SettingError(structured::help(&CLASS_WEIGHTS, value));
        let numbers: Option<Vec<f64>> = match value {
            toml::Value::String(text) if text.trim() == BALANCED => {
                return Ok(ClassWeights::Balanced);
            }
            toml::Value::String(text) => structured::split_names(text)
                .iter()
                .map(|word| word.parse().ok())
                .collect(),
            toml::Value::Array(list) => list.iter().map(number).collect(),
            toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Table(_) => None,
        };
        let numbers = numbers.filter(|all| !all.is_empty()).ok_or_else(wrong)?;
        match numbers.iter().find(|weight| !WEIGHTS.contains(weight)) {
            None => Ok(ClassWeights::Each(numbers)),
            Some(weight) => Err(SettingError(format!(
                "a class cannot have the weight {weight}: write numbers from {} to {}",
                short(*WEIGHTS.start()),
                short(*WEIGHTS.end())
            ))),
        }
    }
}

fn number(value: &toml::Value) -> Option<f64> {
    match value {
        toml::Value::Integer(number) => Some(*number as f64),
        toml::Value::Float(number) => Some(*number),
        toml::Value::String(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    }
}

impl FromStr for ClassWeights {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<ClassWeights, SettingError> {
        ClassWeights::read(&toml::Value::String(text.to_owned()))
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassWeights::Balanced => f.write_str(BALANCED),
            ClassWeights::Each(weights) => {
                let weights: Vec<String> = weights.iter().map(|weight| short(*weight)).collect();
                f.write_str(&weights.join(" "))
            }
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Balanced => serializer.serialize_str(BALANCED),
            ClassWeights::Each(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ClassWeights, D::Error> {
        ClassWeights::read(&toml::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_a_word_or_a_list() {
        for text in ["balanced", "1 2.5 0.1"] {
            let weights: ClassWeights = text.parse().unwrap();
            assert_eq!(weights.to_string(), text);
        }
        let each = ClassWeights::Each(vec![1.0, 2.0]);
        assert_eq!("1, 2".parse(), Ok(each));
        for text in ["", "even", "1 x", "0 1", "nan"] {
            assert!(text.parse::<ClassWeights>().is_err(), "{text}");
        }
    }

    #[test]
    fn balanced_labels_count_as_much_as_their_absence() {
        let found = ClassWeights::Balanced.of_labels(&[1, 5, 0, 10], 10);
        assert_eq!(found, [9.0, 1.0, 1.0, 1.0]);
        assert_eq!(ClassWeights::Each(vec![2.0]).of_labels(&[1], 10), [2.0]);
    }

    /// sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 1, 2])
    #[test]
    fn balanced_weights_are_scikit_learns() {
        let found = ClassWeights::Balanced.of_classes(&[4, 2, 1]);
        let wanted = [
            0.583_333_333_333_333_4,
            1.166_666_666_666_666_7,
            2.333_333_333_333_333_5,
        ];
        assert_eq!(found, wanted);
        // A class that no image has is none of those that are counted.
        assert_eq!(ClassWeights::Balanced.of_classes(&[3, 0, 1])[0], 4.0 / 6.0);
    }
}
