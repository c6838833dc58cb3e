//! What the values and folders of a source mean, where the files do not say it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which folder above an image is its class, where folders lie in folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassLevel {
    /// The first one below the dataset (or its split), as torchvision has it.
    #[default]
    First,
    /// The one that holds the image, as Hugging Face has it.
    Last,
}

impl ClassLevel {
    /// All of them.
    pub const ALL: [ClassLevel; 2] = [ClassLevel::First, ClassLevel::Last];

    /// `first` or `last`.
    pub fn name(self) -> &'static str {
        match self {
            ClassLevel::First => "first",
            ClassLevel::Last => "last",
        }
    }
}

impl fmt::Display for ClassLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often images of each class are drawn in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// As many of every class: those of rare classes come several times in an epoch.
    Balanced,
}

impl Weights {
    /// All of them.
    pub const ALL: [Weights; 1] = [Weights::Balanced];

    /// `balanced`.
    pub fn name(self) -> &'static str {
        match self {
            Weights::Balanced => "balanced",
        }
    }
}

/// Which of a source's own values count as black and white, written `"284..371"`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PixelSpan {
    /// What counts as black.
    pub black: f32,
    /// What counts as white.
    pub white: f32,
}

impl fmt::Display for PixelSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.black, self.white)
    }
}

impl FromStr for PixelSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<PixelSpan, String> {
        let numbers = text.split_once("..").and_then(|(black, white)| {
            let number = |text: &str| text.trim().parse::<f32>().ok();
            Some((number(black)?, number(white)?))
        });
        match numbers {
            Some((black, white)) if black < white && (white - black).is_finite() => {
                Ok(PixelSpan { black, white })
            }
            _ => Err(format!(
                "\"{text}\" does not say which values are black and white: write 0..4095, the smaller one first"
            )),
        }
    }
}

impl From<PixelSpan> for String {
    fn from(span: PixelSpan) -> String {
        span.to_string()
    }
}

impl TryFrom<String> for PixelSpan {
    type Error = String;

    fn try_from(text: String) -> Result<PixelSpan, String> {
        text.parse()
    }
}

/// `"3x32x32"`: the shape that a row of numbers has as an image.
pub(super) mod shape {
    use crate::project::size::Shape;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        shape: &Option<Shape>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match shape {
            Some(shape) => serializer.serialize_str(&shape.to_file_text()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Shape>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let shape = text.parse::<Shape>().map_err(D::Error::custom)?;
        if (2..=4).contains(&shape.dims().len()) {
            return Ok(Some(shape));
        }
        Err(D::Error::custom(
            "shape is that of one image: write shape = \"1x28x28\" (channels, height, width)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_file() {
        for level in ClassLevel::ALL {
            let written = toml::Value::try_from(level).unwrap();
            assert_eq!(written.as_str(), Some(level.name()));
        }
        for weights in Weights::ALL {
            let written = toml::Value::try_from(weights).unwrap();
            assert_eq!(written.as_str(), Some(weights.name()));
        }
    }

    #[test]
    fn spans_are_read_written_and_refused() {
        for (text, black, white) in [("284..371", 284.0, 371.0), ("-1.5..2", -1.5, 2.0)] {
            let span: PixelSpan = text.parse().unwrap();
            assert_eq!((span.black, span.white), (black, white));
            assert_eq!(span.to_string(), text);
        }
        for wrong in ["", "1", "2..1", "1..1", "a..b", "0..inf", "nan..1"] {
            assert!(wrong.parse::<PixelSpan>().is_err(), "{wrong}");
        }
    }
}
