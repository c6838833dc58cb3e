//! The text of a layer: `kind positional… attribute…`, as in `conv 16 k3 s2 p1 @stem`.
//!
//! Writing puts attributes in one fixed order and reading takes them in any, so text written by Strata reads back
//! to the same value and writes to the same text. A [`LayerTextError`] points at the bytes of the line it is about
//! and says what to write instead.

use super::fields::LayerField;
use super::missing::instead;
use crate::project::help::{Help, Misnomer, Repair};
use crate::project::layer::{Kind, Layer, Window};
use crate::project::layer_text::LayerTextError;
use crate::project::size::{Axes, Padding};
use crate::shape::foreign;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A layer's word, and how its text is read.
pub struct LayerWord {
    /// The word of the project file.
    pub word: &'static str,
    /// A text of it.
    pub example: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// Other libraries' words for it, in small letters.
    pub(super) elsewhere: &'static [&'static str],
    /// Its attributes but the name, in the order of the text.
    pub fields: &'static [LayerField],
    /// Reads what follows the word.
    pub(super) read: fn(&mut Reader<'_>) -> Result<Kind, LayerTextError>,
}

impl LayerWord {
    /// The attributes it takes besides `@name`: letters before a number, or words alone.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter_map(LayerField::attribute)
    }

    /// What other libraries call it, in small letters.
    pub fn names_elsewhere(&self) -> &'static [&'static str] {
        self.elsewhere
    }

    /// The attribute that the text has by these letters or this word.
    fn field(&self, letters: &str) -> Option<&'static LayerField> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.attribute() == Some(letters))
    }
}

/// A word of the line with its place.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn error(&self, message: String, help: impl Into<Help>) -> LayerTextError {
        LayerTextError {
            message,
            help: help.into(),
            span: self.span(),
        }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| Token {
            text: word,
            start: start_of(word),
        })
        .collect()
}

/// The attributes read so far, for whichever kind takes them.
#[derive(Default)]
struct Attributes {
    window: Window,
    groups: Option<u32>,
    multiplier: Option<u32>,
    flags: Vec<&'static str>,
    name: Option<String>,
}

/// Reads a layer whose word is one of these.
pub(super) fn read(text: &str, words: &[LayerWord]) -> Result<Layer, LayerTextError> {
    if foreign::is_call(text) {
        return Err(foreign::refusal(text));
    }
    let all = tokens(text);
    let Some((&head, rest)) = all.split_first() else {
        return Err(LayerTextError {
            message: "the layer is empty".into(),
            help: "write a kind, such as conv 16 k3 p1".into(),
            span: 0..text.len(),
        });
    };
    let word = words
        .iter()
        .find(|word| word.word == head.text)
        .ok_or_else(|| {
            let message = format!("there is no layer `{}`", head.text);
            head.error(message, suggestion(head.text, words))
        })?;
    let (attributes, positional) = split(rest, word)?;
    let name = attributes.name.clone();
    let mut reader = Reader {
        head,
        attributes,
        positional,
        next: 0,
        example: word.example,
    };
    let kind = (word.read)(&mut reader)?;
    reader.finish()?;
    Ok(Layer { kind, name })
}

/// What is written instead of an unknown word. A word that is nearly one of ours is taken for it only where it is
/// not the name of another function.
fn suggestion(word: &str, words: &[LayerWord]) -> Help {
    let (path, class) = word.rsplit_once('.').unwrap_or(("", word));
    let lower = class.to_lowercase();
    let bare = lower.replace('_', "");
    let is_ours = |ours: &&LayerWord| ours.word == lower || ours.word == bare;
    let foreign = |ours: &&LayerWord| {
        ours.elsewhere
            .iter()
            .any(|word| *word == lower || *word == bare)
    };
    if let Some(ours) = words.iter().find(is_ours) {
        let in_capitals = path.is_empty() && ours.word == lower;
        let misnomer = if in_capitals {
            Misnomer::Capitals
        } else {
            Misnomer::Foreign
        };
        return Repair::Rename(ours.word, misnomer).into();
    }
    if let Some(ours) = words.iter().find(foreign) {
        return Repair::Rename(ours.word, Misnomer::Foreign).into();
    }
    if let Some(instead) = instead(class) {
        return instead.into();
    }
    let near = words
        .iter()
        .map(|ours| (strsim::damerau_levenshtein(&lower, ours.word), ours.word))
        .min();
    let most = if lower.len() < 6 { 1 } else { 2 };
    match near {
        Some((distance, ours)) if distance <= most => {
            Repair::Rename(ours, Misnomer::Misspelt).into()
        }
        Some(_) | None => {
            "for example conv, convt, maxpool, unpool, upsample, flatten, dense, relu, bn, dropout"
                .into()
        }
    }
}

/// Sorts the words after the kind into attributes and positional arguments.
fn split<'a>(
    rest: &[Token<'a>],
    word: &LayerWord,
) -> Result<(Attributes, Vec<Token<'a>>), LayerTextError> {
    let mut attributes = Attributes::default();
    let mut positional = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for token in rest {
        let Some((letter, value)) = letter_of(token.text) else {
            positional.push(*token);
            continue;
        };
        let pads = matches!(letter, "same" | "valid");
        let slot = if pads { "p" } else { letter };
        let known = word.field(slot);
        if letter != "@" && known.is_none() {
            return Err(unknown_attribute(*token, word));
        }
        if seen.contains(&slot) {
            return Err(token.error(
                format!("`{}` is given twice", token.text),
                "keep one of them",
            ));
        }
        seen.push(slot);
        match known.filter(|known| known.is_word()) {
            Some(flag) if value.is_empty() => attributes.flags.extend(flag.attribute()),
            Some(_) => return Err(unknown_attribute(*token, word)),
            None => store(&mut attributes, letter, value, *token)?,
        }
    }
    Ok((attributes, positional))
}

fn unknown_attribute(token: Token<'_>, word: &LayerWord) -> LayerTextError {
    let attributes: Vec<_> = word.attributes().collect();
    let taken = if attributes.is_empty() {
        "no attributes".into()
    } else {
        attributes.join(", ")
    };
    let help = format!(
        "`{}` takes {taken}; for example {}",
        word.word, word.example
    );
    let message = format!("`{}` is not an attribute of `{}`", token.text, word.word);
    token.error(message, help)
}

/// What a layer's text says behind these letters; an empty text for a word alone.
pub(super) fn attribute_of(text: &str, letters: &str) -> Option<String> {
    text.split(' ').skip(1).find_map(|word| {
        let (letter, value) = letter_of(word)?;
        match letter {
            "same" | "valid" => (letters == "p").then(|| letter.to_owned()),
            _ => (letter == letters).then(|| value.to_owned()),
        }
    })
}

/// The argument behind a layer's word.
pub(super) fn positional(text: &str) -> Option<String> {
    let mut words = text.split(' ').skip(1);
    words
        .find(|word| letter_of(word).is_none())
        .map(str::to_owned)
}

/// The attribute a word starts with and the rest of it; `None` for a positional argument.
fn letter_of(word: &str) -> Option<(&str, &str)> {
    if let Some(name) = word.strip_prefix('@') {
        return Some(("@", name));
    }
    if matches!(word, "same" | "valid") {
        return Some((word, ""));
    }
    if matches!(word, "psame" | "pvalid") {
        return Some((&word[1..], ""));
    }
    let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
    let (letter, value) = word.split_at(letters);
    (letters > 0).then_some((letter, value))
}

fn store(
    attributes: &mut Attributes,
    letter: &str,
    value: &str,
    token: Token<'_>,
) -> Result<(), LayerTextError> {
    let axes = || value.parse::<Axes>().map_err(|_| bad_size(token, letter));
    let number = || {
        value
            .parse::<Axes>()
            .ok()
            .and_then(single)
            .ok_or_else(|| bad_number(token, letter))
    };
    let window = &mut attributes.window;
    match letter {
        "k" => window.kernel_size = Some(axes()?),
        "s" => window.stride = Some(axes()?),
        "p" => window.padding = Some(Padding::Zeros(axes()?)),
        "op" => window.output_padding = Some(axes()?),
        "d" => window.dilation = Some(axes()?),
        "same" => window.padding = Some(Padding::Same),
        "valid" => window.padding = Some(Padding::Valid),
        "g" => attributes.groups = Some(number()?),
        "m" => attributes.multiplier = Some(number()?),
        "@" => attributes.name = Some(name(value, token)?),
        _ => {
            return Err(token.error(
                format!("`{}` is not an attribute", token.text),
                "use k, s, p, op, d, g or nobias",
            ));
        }
    }
    Ok(())
}

fn single(axes: Axes) -> Option<u32> {
    match axes.sizes() {
        [one] => Some(*one),
        _ => None,
    }
}

fn bad_size(token: Token<'_>, letter: &str) -> LayerTextError {
    let example = match letter {
        "k" => 3,
        "p" | "op" => 1,
        _ => 2,
    };
    let help = Help::spelled(token.text, format!("{letter}{example}"));
    let help = help.remark(format!(", or one number for each axis, {letter}3x5"));
    token.error(format!("`{}` needs a size", token.text), help)
}

fn bad_number(token: Token<'_>, letter: &str) -> LayerTextError {
    token.error(
        format!("`{}` needs a whole number", token.text),
        Help::spelled(token.text, format!("{letter}2")),
    )
}

fn name(text: &str, token: Token<'_>) -> Result<String, LayerTextError> {
    let legal = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if text.is_empty() || !text.chars().all(legal) {
        return Err(token.error(
            format!("`{}` is not a name", token.text),
            "letters, digits, - and _ after the @",
        ));
    }
    Ok(text.to_owned())
}

/// Hands out the positional arguments and the attributes of one layer.
pub(super) struct Reader<'a> {
    head: Token<'a>,
    attributes: Attributes,
    positional: Vec<Token<'a>>,
    next: usize,
    example: &'static str,
}

impl<'a> Reader<'a> {
    /// The window of a convolution.
    pub fn window(&mut self) -> Window {
        std::mem::take(&mut self.attributes.window)
    }

    /// The window of a pooling: `maxpool 2` and `maxpool k2` are the same.
    pub(crate) fn pool_window(&mut self) -> Result<Window, LayerTextError> {
        let mut window = self.window();
        if let Some(&token) = self.positional.get(self.next) {
            let size = self.axes("the window's size")?;
            if window.kernel_size.is_some() {
                return Err(token.error(
                    "the window's size is given twice".into(),
                    "keep one of them",
                ));
            }
            window.kernel_size = Some(size);
        }
        Ok(window)
    }

    /// `g2`
    pub fn groups(&self) -> Option<u32> {
        self.attributes.groups
    }

    /// `m2`
    pub fn multiplier(&self) -> Option<u32> {
        self.attributes.multiplier
    }

    /// Whether an attribute without a number was given.
    pub fn flag(&self, word: &str) -> bool {
        self.attributes.flags.contains(&word)
    }

    fn take(&mut self, what: &str) -> Result<Token<'a>, LayerTextError> {
        let token = self.positional.get(self.next).copied();
        self.next += 1;
        token.ok_or_else(|| {
            let message = format!("`{}` needs {what}", self.head.text);
            self.head.error(message, Help::example(self.example))
        })
    }

    fn wrong(&self, token: Token<'_>, what: &str) -> LayerTextError {
        token.error(
            format!("`{}` is not {what}", token.text),
            Help::example(self.example),
        )
    }

    pub fn parsed<T: FromStr>(&mut self, what: &str) -> Result<T, LayerTextError> {
        let token = self.take(what)?;
        token.text.parse().map_err(|_| self.wrong(token, what))
    }

    pub fn axes(&mut self, what: &str) -> Result<Axes, LayerTextError> {
        self.parsed(what)
    }

    pub fn count(&mut self, what: &str) -> Result<u32, LayerTextError> {
        let token = self.take(what)?;
        let count = token
            .text
            .parse::<Axes>()
            .ok()
            .and_then(single)
            .filter(|&n| n >= 1);
        count.ok_or_else(|| self.wrong(token, &format!("{what}, a whole number from 1")))
    }

    pub fn number(
        &mut self,
        what: &str,
        range: std::ops::RangeInclusive<f32>,
    ) -> Result<f32, LayerTextError> {
        let token = self.take(what)?;
        let value = token.text.parse::<f32>().ok().filter(|v| range.contains(v));
        value.ok_or_else(|| self.wrong(token, what))
    }

    pub(crate) fn optional_number(
        &mut self,
        range: std::ops::RangeInclusive<f32>,
    ) -> Result<Option<f32>, LayerTextError> {
        if self.next >= self.positional.len() {
            Ok(None)
        } else {
            self.number("a number", range).map(Some)
        }
    }

    pub fn probability(&mut self) -> Result<f32, LayerTextError> {
        let token = self.positional.get(self.next).copied();
        let p = self.number("a probability from 0 to 1", 0.0..=1.0)?;
        match token {
            Some(token) if p >= 1.0 => Err(token.error(
                "a dropout of 1 leaves nothing".into(),
                "write a probability below 1, such as 0.5",
            )),
            Some(_) | None => Ok(p),
        }
    }

    fn finish(&self) -> Result<(), LayerTextError> {
        match self.positional.get(self.next) {
            None => Ok(()),
            Some(extra) => {
                let message = format!("`{}` does not belong to `{}`", extra.text, self.head.text);
                Err(extra.error(message, Help::example(self.example)))
            }
        }
    }
}

/// Writes what follows a convolution's channels; `count` is its groups or multiplier behind a letter.
pub(super) fn write_window(
    f: &mut fmt::Formatter<'_>,
    window: &Window,
    (letter, count): (&str, Option<u32>),
    bias: bool,
) -> fmt::Result {
    write_axes(f, "k", &window.kernel_size)?;
    write_steps(f, window)?;
    if let Some(count) = count {
        write!(f, " {letter}{count}")?;
    }
    f.write_str(if bias { "" } else { " nobias" })
}

/// Writes a pooling.
pub(super) fn write_pool(f: &mut fmt::Formatter<'_>, word: &str, window: &Window) -> fmt::Result {
    f.write_str(word)?;
    write_axes(f, "", &window.kernel_size)?;
    write_steps(f, window)
}

/// What follows the kernel's size.
fn write_steps(f: &mut fmt::Formatter<'_>, window: &Window) -> fmt::Result {
    write_axes(f, "s", &window.stride)?;
    if let Some(padding) = &window.padding {
        write!(f, " {padding}")?;
    }
    write_axes(f, "op", &window.output_padding)?;
    write_axes(f, "d", &window.dilation)
}

fn write_axes(f: &mut fmt::Formatter<'_>, letter: &str, axes: &Option<Axes>) -> fmt::Result {
    match axes {
        Some(axes) => write!(f, " {letter}{axes}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
