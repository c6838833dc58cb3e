//! The words of one augmentation, taken out as its kind asks for them; a word that does not fit is an error that
//! points at it and gives an example.

use super::text::AugmentTextError;
use super::{Border, Interpolation, Spread};
use std::ops::RangeInclusive;

/// Fractions and probabilities.
pub const UNIT: RangeInclusive<f32> = 0.0..=1.0;

/// A word of the text with its place.
#[derive(Clone, Copy)]
pub struct Word<'a> {
    pub text: &'a str,
    pub start: usize,
}

impl Word<'_> {
    pub fn error(&self, message: String, help: impl Into<String>) -> AugmentTextError {
        AugmentTextError {
            message,
            help: help.into(),
            span: self.start..self.start + self.text.len(),
        }
    }
}

/// Takes the words of one augmentation as its kind asks for them.
pub struct Reader<'a> {
    pub head: Word<'a>,
    pub rest: Vec<Word<'a>>,
    pub example: &'static str,
}

impl<'a> Reader<'a> {
    /// Takes out a word without a number.
    pub fn flag(&mut self, text: &str) -> bool {
        let found = self.rest.iter().position(|word| word.text == text);
        found.map(|index| self.rest.remove(index)).is_some()
    }

    pub fn border(&mut self) -> Border {
        let words = [
            ("reflect", Border::Reflect),
            ("edge", Border::Edge),
            ("wrap", Border::Wrap),
        ];
        words
            .into_iter()
            .find(|(word, _)| self.flag(word))
            .map_or(Border::Zero, |(_, border)| border)
    }

    pub fn interpolation(&mut self, default: Interpolation) -> Interpolation {
        let words = [
            ("nearest", Interpolation::Nearest),
            ("bilinear", Interpolation::Bilinear),
        ];
        words
            .into_iter()
            .find(|(word, _)| self.flag(word))
            .map_or(default, |(_, interpolation)| interpolation)
    }

    /// Takes out the word that is `name` followed by a number.
    pub fn attribute(&mut self, name: &str) -> Option<Word<'a>> {
        let numeric = |rest: &str| {
            rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
        };
        let index = self
            .rest
            .iter()
            .position(|word| word.text.strip_prefix(name).is_some_and(numeric))?;
        Some(self.rest.remove(index))
    }

    pub(crate) fn positional(&mut self, what: &str) -> Result<Word<'a>, AugmentTextError> {
        if self.rest.is_empty() {
            return Err(self.head.error(
                format!("`{}` needs {what}", self.head.text),
                self.for_example(),
            ));
        }
        Ok(self.rest.remove(0))
    }

    pub(crate) fn for_example(&self) -> String {
        format!("for example {}", self.example)
    }

    pub fn read(
        &self,
        word: Word<'_>,
        text: &str,
        range: RangeInclusive<f32>,
    ) -> Result<f32, AugmentTextError> {
        let value = text
            .parse::<f32>()
            .ok()
            .filter(|value| range.contains(value));
        value.ok_or_else(|| {
            let limits = match (*range.start(), *range.end()) {
                (f32::MIN_POSITIVE, high) => format!("a number above 0, up to {high}"),
                (low, high) => format!("a number from {low} to {high}"),
            };
            let message = format!("`{}` in `{}` must be {limits}", word.text, self.head.text);
            word.error(message, self.for_example())
        })
    }

    pub fn whole(
        &self,
        word: Word<'_>,
        text: &str,
        range: RangeInclusive<f32>,
    ) -> Result<u32, AugmentTextError> {
        let value = self.read(word, text, range)?;
        if value.fract() != 0.0 {
            let message = format!(
                "`{}` in `{}` must be a whole number",
                word.text, self.head.text
            );
            return Err(word.error(message, self.for_example()));
        }
        Ok(value as u32)
    }

    pub fn number(
        &mut self,
        what: &str,
        range: RangeInclusive<f32>,
    ) -> Result<f32, AugmentTextError> {
        let word = self.positional(what)?;
        self.read(word, word.text, range)
    }

    pub fn probability(&mut self, default: f32) -> Result<f32, AugmentTextError> {
        self.attribute("p")
            .map_or(Ok(default), |word| self.read(word, &word.text[1..], UNIT))
    }

    /// `0.2` or `0.8..1.2`. A single number is a distance from the neutral value, so it can't be negative.
    pub fn spread(&mut self, range: RangeInclusive<f32>) -> Result<Spread, AugmentTextError> {
        let word = self.positional("a number or a range")?;
        match word.text.split_once("..") {
            Some((low, high)) => {
                let [low, high] = self.ends(word, [low, high], range)?;
                Ok(Spread::Between(low, high))
            }
            None => Ok(Spread::Around(self.read(
                word,
                word.text,
                0.0..=*range.end(),
            )?)),
        }
    }

    /// `area0.02..0.1`; one number sets both ends.
    pub fn range(
        &mut self,
        name: &str,
        default: [f32; 2],
        range: RangeInclusive<f32>,
    ) -> Result<[f32; 2], AugmentTextError> {
        let Some(word) = self.attribute(name) else {
            return Ok(default);
        };
        let value = &word.text[name.len()..];
        self.ends(
            word,
            value
                .split_once("..")
                .map_or([value, value], |(low, high)| [low, high]),
            range,
        )
    }

    pub fn ends(
        &self,
        word: Word<'_>,
        [low, high]: [&str; 2],
        range: RangeInclusive<f32>,
    ) -> Result<[f32; 2], AugmentTextError> {
        let ends = [
            self.read(word, low, range.clone())?,
            self.read(word, high, range)?,
        ];
        if ends[0] > ends[1] {
            let message = format!(
                "`{}` in `{}` ends below its start",
                word.text, self.head.text
            );
            return Err(word.error(message, "write the smaller number first"));
        }
        Ok(ends)
    }

    pub fn finish(&self) -> Result<(), AugmentTextError> {
        match self.rest.first() {
            None => Ok(()),
            Some(word) => {
                let message = format!(
                    "`{}` does not belong to `{}`, or is given twice",
                    word.text, self.head.text
                );
                Err(word.error(message, self.for_example()))
            }
        }
    }
}
