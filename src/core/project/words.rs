//! Settings as words: `adam lr=1e-3`, `cosine warmup=1`, taken apart and judged with one sentence.

/// A setting's text that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(pub String);

/// A number the way people write it: 0.001, 1e-4, 5e-4.
pub(super) fn short(value: f64) -> String {
    let (plain, scientific) = (value.to_string(), format!("{value:e}"));
    if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}

/// Letters of a text that a message repeats.
const MOST_QUOTED: usize = 60;

/// A text as a message repeats it: of a long one the beginning.
fn quotable(text: &str) -> String {
    if text.chars().count() <= MOST_QUOTED {
        return text.to_owned();
    }
    let begin = text.chars().take(MOST_QUOTED);
    begin.chain(['…']).collect()
}

/// `head key=value flag …`, taken apart.
pub(super) struct Words {
    /// The first word.
    pub head: String,
    rest: Vec<(String, Option<String>)>,
    text: String,
}

impl Words {
    pub fn new(text: &str) -> Words {
        let mut words = text.split_whitespace();
        let head = words.next().unwrap_or_default().to_owned();
        let pair = |word: &str| match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        };
        Words {
            head: quotable(&head),
            rest: words.map(pair).collect(),
            text: quotable(text),
        }
    }

    /// Whether a key is among the words.
    pub fn has(&self, key: &str) -> bool {
        self.rest.iter().any(|(known, _)| known == key)
    }

    fn take(&mut self, key: &str) -> Option<Option<String>> {
        let index = self.rest.iter().position(|(k, _)| k == key)?;
        Some(self.rest.remove(index).1)
    }

    pub fn number(
        &mut self,
        key: &str,
        default: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<f64, SettingError> {
        let Some(value) = self.take(key) else {
            return Ok(default);
        };
        let number = value
            .as_deref()
            .and_then(|v| v.parse::<f64>().ok())
            .filter(|n| range.contains(n));
        number.ok_or_else(|| {
            let (low, high) = (short(*range.start()), short(*range.end()));
            SettingError(format!(
                "`{key}` in `{}` must be a number from {low} to {high}, such as {key}={}",
                self.text,
                short(default)
            ))
        })
    }

    /// A number without a fraction.
    pub fn whole(
        &mut self,
        key: &str,
        default: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<f64, SettingError> {
        let number = self.number(key, default, range)?;
        if number.fract() == 0.0 {
            return Ok(number);
        }
        Err(SettingError(format!(
            "`{key}` in `{}` must be a whole number, such as {key}={}",
            self.text,
            short(default)
        )))
    }

    /// Numbers with commas between them, each larger than the one before.
    pub fn rising(
        &mut self,
        key: &str,
        default: &[f64],
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<Vec<f64>, SettingError> {
        let Some(value) = self.take(key) else {
            return Ok(default.to_vec());
        };
        let number = |word: &str| word.parse::<f64>().ok().filter(|n| range.contains(n));
        let numbers: Option<Vec<f64>> = value
            .as_deref()
            .and_then(|list| list.split(',').map(number).collect());
        let is_rising = |list: &Vec<f64>| list.windows(2).all(|pair| pair[0] < pair[1]);
        numbers.filter(is_rising).ok_or_else(|| {
            let usual: Vec<String> = default.iter().map(|n| short(*n)).collect();
            SettingError(format!(
                "`{key}` in `{}` must be rising numbers with commas between them, such as {key}={}",
                self.text,
                usual.join(",")
            ))
        })
    }

    /// The words behind the head: key and value.
    pub fn pairs(self) -> Vec<(String, Option<String>)> {
        self.rest
    }

    pub fn flag(&mut self, key: &str) -> Result<bool, SettingError> {
        match self.take(key) {
            Some(Some(_)) => Err(SettingError(format!(
                "`{key}` in `{}` takes no value: write it alone or leave it out",
                self.text
            ))),
            found => Ok(found.is_some()),
        }
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>, SettingError> {
        match self.take(key) {
            Some(value) if value.as_deref().unwrap_or_default().is_empty() => Err(SettingError(
                format!("`{key}` in `{}` needs a value: {key}=encoder.1", self.text),
            )),
            found => Ok(found.flatten()),
        }
    }

    pub fn finish(&self, known: &str) -> Result<(), SettingError> {
        match self.rest.first() {
            None => Ok(()),
            Some((key, _)) => Err(SettingError(format!(
                "`{}` in `{}` is not known or given twice: use {known}",
                quotable(key),
                self.text
            ))),
        }
    }
}

/// Conversions from and to text, as serde asks for them, of settings that are read and written as text.
macro_rules! text_conversions {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = $crate::project::words::SettingError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    )*};
}
pub(super) use text_conversions;
