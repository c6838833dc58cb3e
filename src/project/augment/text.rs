//! Reading an augmentation's text, `word number attribute…`; attributes may come in any order.

use super::{Augment, Border, Interpolation, KINDS, Spread, table};
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

/// Why an augmentation could not be read, and where in the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {help}")]
pub struct AugmentTextError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The bytes of the text it is about.
    pub span: Range<usize>,
}

/// torchvision's words for ours.
const FOREIGN: &[(&str, &str)] = &[
    ("horizontalflip", "hflip"),
    ("fliplr", "hflip"),
    ("flip", "hflip"),
    ("verticalflip", "vflip"),
    ("flipud", "vflip"),
    ("affine", "shift"),
    ("translate", "shift"),
    ("translation", "shift"),
    ("rotation", "rotate"),
    ("zoom", "scale"),
    ("colorjitter", "brightness"),
    ("greyscale", "grayscale"),
    ("gaussianblur", "blur"),
    ("gaussiannoise", "noise"),
    ("erasing", "erase"),
    ("cutout", "erase"),
];

const UNIT: RangeInclusive<f32> = 0.0..=1.0;
const LARGEST: f32 = 1e4;
const LONGEST_SIDE: f32 = 4096.0;
const LARGEST_KERNEL: f32 = 127.0;

#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    start: usize,
}

impl Word<'_> {
    fn error(&self, message: String, help: impl Into<String>) -> AugmentTextError {
        AugmentTextError { message, help: help.into(), span: self.start..self.start + self.text.len() }
    }
}

impl FromStr for Augment {
    type Err = AugmentTextError;

    fn from_str(text: &str) -> Result<Augment, AugmentTextError> {
        if text.trim_start().starts_with('{') {
            return table::inline(text);
        }
        let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        let mut words = text.split_whitespace().map(|word| Word { text: word, start: start_of(word) });
        let Some(head) = words.next() else {
            let whole = Word { text, start: 0 };
            return Err(whole.error("the augmentation is empty".into(), "write one, such as hflip p0.5"));
        };
        let known = KINDS.iter().take_while(|(word, ..)| *word != "apply").find(|(word, ..)| *word == head.text);
        let Some((_, example, _)) = known else {
            return Err(head.error(format!("there is no augmentation `{}`", head.text), suggestion(head.text)));
        };
        let mut reader = Reader { head, rest: words.collect(), example };
        let augment = reader.augment()?;
        reader.finish()?;
        Ok(augment)
    }
}

fn suggestion(word: &str) -> String {
    let lower = word.to_lowercase().replace('_', "");
    let bare = lower.strip_prefix("random").unwrap_or(&lower);
    if matches!(bare, "apply" | "choice" | "oneof" | "sometimes") {
        return "write a table: { apply = [\"rotate 18\"], p = 0.9 } or { choice = [\"hflip\", \"vflip\"] }".into();
    }
    if let Some((_, ours)) = FOREIGN.iter().find(|(foreign, _)| *foreign == bare) {
        return format!("it is called `{ours}` here");
    }
    let near = KINDS.iter().map(|(ours, ..)| (strsim::damerau_levenshtein(bare, ours), *ours)).min();
    match near {
        Some((distance, ours)) if distance <= 2 => format!("did you mean `{ours}`?"),
        _ => "use one of hflip, vflip, shift, rotate, scale, perspective, crop, brightness, contrast, saturation, \
              hue, grayscale, blur, noise, saltpepper, erase, mixup"
            .into(),
    }
}

/// Takes the words of one augmentation as its kind asks for them.
struct Reader<'a> {
    head: Word<'a>,
    rest: Vec<Word<'a>>,
    example: &'static str,
}

impl<'a> Reader<'a> {
    fn augment(&mut self) -> Result<Augment, AugmentTextError> {
        Ok(match self.head.text {
            "hflip" => Augment::HFlip { p: self.probability(0.5)? },
            "vflip" => Augment::VFlip { p: self.probability(0.5)? },
            "grayscale" => Augment::Grayscale { p: self.probability(0.1)? },
            "shift" | "rotate" | "scale" | "perspective" | "crop" => self.geometry()?,
            "brightness" => Augment::Brightness(self.spread(0.0..=LARGEST)?),
            "contrast" => Augment::Contrast(self.spread(0.0..=LARGEST)?),
            "saturation" => Augment::Saturation(self.spread(0.0..=LARGEST)?),
            "hue" => Augment::Hue(self.spread(-0.5..=0.5)?),
            "blur" => self.blur()?,
            "noise" => Augment::Noise { std: self.number("a standard deviation", 0.0..=LARGEST)? },
            "saltpepper" => Augment::SaltPepper { share: self.number("a share of the pixels", UNIT)? },
            "erase" => Augment::Erase { p: self.probability(0.5)?, area: self.range("area", [0.02, 0.33], UNIT)? },
            _ => Augment::Mixup { alpha: self.number("a number above 0", f32::MIN_POSITIVE..=LARGEST)? },
        })
    }

    fn geometry(&mut self) -> Result<Augment, AugmentTextError> {
        let border = self.border();
        Ok(match self.head.text {
            "shift" => Augment::Shift { by: self.number("a share of the side", UNIT)?, border },
            "rotate" => {
                let interpolation = self.interpolation(Interpolation::Nearest);
                Augment::Rotate { degrees: self.spread(-360.0..=360.0)?, interpolation, border }
            }
            "scale" => {
                let interpolation = self.interpolation(Interpolation::Nearest);
                Augment::Scale { factor: self.scale()?, interpolation, border }
            }
            "perspective" => {
                let interpolation = self.interpolation(Interpolation::Bilinear);
                let p = self.probability(0.5)?;
                let distortion =
                    if self.rest.is_empty() { 0.5 } else { self.number("a share of the half side", UNIT)? };
                Augment::Perspective { distortion, p, interpolation, border }
            }
            _ => self.crop(border)?,
        })
    }

    fn crop(&mut self, border: Border) -> Result<Augment, AugmentTextError> {
        let pad = self.attribute("pad").map_or(Ok(0), |word| self.whole(word, &word.text[3..], 0.0..=LONGEST_SIDE))?;
        let word = self.positional("a size, such as 32 or 24x32")?;
        let whole = |text| self.whole(word, text, 1.0..=LONGEST_SIDE);
        let (height, width) = match word.text.split_once('x') {
            Some((height, width)) => (Some(whole(height)?), whole(width)?),
            None => (None, whole(word.text)?),
        };
        Ok(Augment::Crop { height, width, pad, border })
    }

    fn blur(&mut self) -> Result<Augment, AugmentTextError> {
        let sigma = self.range("sigma", [0.1, 2.0], 1e-3..=LARGEST)?;
        let word = self.positional("the kernel's size")?;
        let kernel = self.whole(word, word.text, 1.0..=LARGEST_KERNEL)?;
        if kernel % 2 == 0 {
            let help = format!("write {} or {}", kernel - 1, kernel + 1);
            return Err(word.error(format!("a blur of {kernel} has no middle pixel; the size must be odd"), help));
        }
        Ok(Augment::Blur { kernel, sigma })
    }

    /// A factor by which sizes are multiplied: never 0.
    fn scale(&mut self) -> Result<Spread, AugmentTextError> {
        let word = self.rest.first().copied();
        let factor = self.spread(0.0..=100.0)?;
        match word {
            Some(word) if factor.about_one()[0] < 0.01 => {
                let message = format!("`{}` in `scale` would shrink the image to nothing", word.text);
                Err(word.error(message, "start at 0.01 or above, for example scale 0.9..1.1"))
            }
            _ => Ok(factor),
        }
    }

    /// Takes out a word that stands for itself.
    fn flag(&mut self, text: &str) -> bool {
        let found = self.rest.iter().position(|word| word.text == text);
        found.map(|index| self.rest.remove(index)).is_some()
    }

    fn border(&mut self) -> Border {
        let words = [("reflect", Border::Reflect), ("edge", Border::Edge), ("wrap", Border::Wrap)];
        words.into_iter().find(|(word, _)| self.flag(word)).map_or(Border::Zero, |(_, border)| border)
    }

    fn interpolation(&mut self, default: Interpolation) -> Interpolation {
        let words = [("nearest", Interpolation::Nearest), ("bilinear", Interpolation::Bilinear)];
        words.into_iter().find(|(word, _)| self.flag(word)).map_or(default, |(_, interpolation)| interpolation)
    }

    /// Takes out the word that starts with `name` and goes on with a number.
    fn attribute(&mut self, name: &str) -> Option<Word<'a>> {
        let numeric = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
        let index = self.rest.iter().position(|word| word.text.strip_prefix(name).is_some_and(numeric))?;
        Some(self.rest.remove(index))
    }

    fn positional(&mut self, what: &str) -> Result<Word<'a>, AugmentTextError> {
        if self.rest.is_empty() {
            return Err(self.head.error(format!("`{}` needs {what}", self.head.text), self.for_example()));
        }
        Ok(self.rest.remove(0))
    }

    fn for_example(&self) -> String {
        format!("for example {}", self.example)
    }

    fn read(&self, word: Word<'_>, text: &str, range: RangeInclusive<f32>) -> Result<f32, AugmentTextError> {
        let value = text.parse::<f32>().ok().filter(|value| range.contains(value));
        value.ok_or_else(|| {
            let limits = format!("a number from {} to {}", range.start(), range.end());
            let message = format!("`{}` in `{}` must be {limits}", word.text, self.head.text);
            word.error(message, self.for_example())
        })
    }

    fn whole(&self, word: Word<'_>, text: &str, range: RangeInclusive<f32>) -> Result<u32, AugmentTextError> {
        let value = self.read(word, text, range)?;
        if value.fract() != 0.0 {
            let message = format!("`{}` in `{}` must be a whole number", word.text, self.head.text);
            return Err(word.error(message, self.for_example()));
        }
        Ok(value as u32)
    }

    fn number(&mut self, what: &str, range: RangeInclusive<f32>) -> Result<f32, AugmentTextError> {
        let word = self.positional(what)?;
        self.read(word, word.text, range)
    }

    fn probability(&mut self, default: f32) -> Result<f32, AugmentTextError> {
        self.attribute("p").map_or(Ok(default), |word| self.read(word, &word.text[1..], UNIT))
    }

    /// `0.2` or `0.8..1.2`. A single number is a distance from the neutral value, so it can't be negative.
    fn spread(&mut self, range: RangeInclusive<f32>) -> Result<Spread, AugmentTextError> {
        let word = self.positional("a number or a range")?;
        match word.text.split_once("..") {
            Some((low, high)) => {
                let [low, high] = self.ends(word, [low, high], range)?;
                Ok(Spread::Between(low, high))
            }
            None => Ok(Spread::Around(self.read(word, word.text, 0.0..=*range.end())?)),
        }
    }

    /// `area0.02..0.1`; one number stands for both ends.
    fn range(
        &mut self,
        name: &str,
        default: [f32; 2],
        range: RangeInclusive<f32>,
    ) -> Result<[f32; 2], AugmentTextError> {
        let Some(word) = self.attribute(name) else { return Ok(default) };
        let value = &word.text[name.len()..];
        self.ends(word, value.split_once("..").map_or([value, value], |(low, high)| [low, high]), range)
    }

    fn ends(
        &self,
        word: Word<'_>,
        [low, high]: [&str; 2],
        range: RangeInclusive<f32>,
    ) -> Result<[f32; 2], AugmentTextError> {
        let ends = [self.read(word, low, range.clone())?, self.read(word, high, range)?];
        if ends[0] > ends[1] {
            let message = format!("`{}` in `{}` ends below its start", word.text, self.head.text);
            return Err(word.error(message, "write the smaller number first"));
        }
        Ok(ends)
    }

    fn finish(&self) -> Result<(), AugmentTextError> {
        match self.rest.first() {
            None => Ok(()),
            Some(word) => {
                let message = format!("`{}` does not belong to `{}`, or is given twice", word.text, self.head.text);
                Err(word.error(message, self.for_example()))
            }
        }
    }
}
