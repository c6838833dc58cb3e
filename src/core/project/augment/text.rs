//! Reading an augmentation's text, `word number attribute…`; attributes may come in any order.

use super::reader::{Reader, UNIT, Word};
use super::{Augment, Border, Interpolation, KINDS, Spread, table};
use std::ops::Range;
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

const LARGEST: f32 = 1e4;
const LONGEST_SIDE: f32 = 4096.0;
const LARGEST_KERNEL: f32 = 127.0;

impl FromStr for Augment {
    type Err = AugmentTextError;

    fn from_str(text: &str) -> Result<Augment, AugmentTextError> {
        if text.trim_start().starts_with('{') {
            return table::inline(text);
        }
        let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        let mut words = text.split_whitespace().map(|word| Word {
            text: word,
            start: start_of(word),
        });
        let Some(head) = words.next() else {
            let whole = Word { text, start: 0 };
            return Err(whole.error(
                "the augmentation is empty".into(),
                "write one, such as hflip p0.5",
            ));
        };
        let known = KINDS
            .iter()
            .take_while(|(word, ..)| *word != "apply")
            .find(|(word, ..)| *word == head.text);
        let Some((_, example, _)) = known else {
            return Err(head.error(
                format!("there is no augmentation `{}`", head.text),
                suggestion(head.text),
            ));
        };
        let mut reader = Reader {
            head,
            rest: words.collect(),
            example,
        };
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
    let near = KINDS
        .iter()
        .map(|(ours, ..)| (strsim::damerau_levenshtein(bare, ours), *ours))
        .min();
    match near {
        Some((distance, ours)) if distance <= 2 => format!("did you mean `{ours}`?"),
        _ => "use one of hflip, vflip, shift, rotate, scale, perspective, crop, brightness, contrast, saturation, \
              hue, grayscale, blur, noise, saltpepper, erase, mixup"
            .into(),
    }
}

impl Reader<'_> {
    fn augment(&mut self) -> Result<Augment, AugmentTextError> {
        Ok(match self.head.text {
            "hflip" => Augment::HFlip {
                p: self.probability(0.5)?,
            },
            "vflip" => Augment::VFlip {
                p: self.probability(0.5)?,
            },
            "grayscale" => Augment::Grayscale {
                p: self.probability(0.1)?,
            },
            "shift" | "rotate" | "scale" | "perspective" | "crop" => self.geometry()?,
            "brightness" => Augment::Brightness(self.spread(0.0..=LARGEST)?),
            "contrast" => Augment::Contrast(self.spread(0.0..=LARGEST)?),
            "saturation" => Augment::Saturation(self.spread(0.0..=LARGEST)?),
            "hue" => Augment::Hue(self.spread(-0.5..=0.5)?),
            "blur" => self.blur()?,
            "noise" => Augment::Noise {
                std: self.number("a standard deviation", 0.0..=LARGEST)?,
            },
            "saltpepper" => Augment::SaltPepper {
                share: self.number("a share of the pixels", UNIT)?,
            },
            "erase" => Augment::Erase {
                p: self.probability(0.5)?,
                area: self.range("area", [0.02, 0.33], UNIT)?,
            },
            _ => Augment::Mixup {
                alpha: self.number("a number above 0", f32::MIN_POSITIVE..=LARGEST)?,
            },
        })
    }

    fn geometry(&mut self) -> Result<Augment, AugmentTextError> {
        let border = self.border();
        Ok(match self.head.text {
            "shift" => Augment::Shift {
                by: self.number("a share of the side", UNIT)?,
                border,
            },
            "rotate" => {
                let interpolation = self.interpolation(Interpolation::Nearest);
                Augment::Rotate {
                    degrees: self.spread(-360.0..=360.0)?,
                    interpolation,
                    border,
                }
            }
            "scale" => {
                let interpolation = self.interpolation(Interpolation::Nearest);
                Augment::Scale {
                    factor: self.scale()?,
                    interpolation,
                    border,
                }
            }
            "perspective" => {
                let interpolation = self.interpolation(Interpolation::Bilinear);
                let p = self.probability(0.5)?;
                let distortion = if self.rest.is_empty() {
                    0.5
                } else {
                    self.number("a share of the half side", UNIT)?
                };
                Augment::Perspective {
                    distortion,
                    p,
                    interpolation,
                    border,
                }
            }
            _ => self.crop(border)?,
        })
    }

    fn crop(&mut self, border: Border) -> Result<Augment, AugmentTextError> {
        let pad = self.attribute("pad").map_or(Ok(0), |word| {
            self.whole(word, &word.text[3..], 0.0..=LONGEST_SIDE)
        })?;
        let word = self.positional("a size, such as 32 or 24x32")?;
        let whole = |text| self.whole(word, text, 1.0..=LONGEST_SIDE);
        let (height, width) = match word.text.split_once('x') {
            Some((height, width)) => (Some(whole(height)?), whole(width)?),
            None => (None, whole(word.text)?),
        };
        Ok(Augment::Crop {
            height,
            width,
            pad,
            border,
        })
    }

    fn blur(&mut self) -> Result<Augment, AugmentTextError> {
        let sigma = self.range("sigma", [0.1, 2.0], 1e-3..=LARGEST)?;
        let word = self.positional("the kernel's size")?;
        let kernel = self.whole(word, word.text, 1.0..=LARGEST_KERNEL)?;
        if kernel % 2 == 0 {
            let help = format!("write {} or {}", kernel - 1, kernel + 1);
            return Err(word.error(
                format!("a blur of {kernel} has no middle pixel; the size must be odd"),
                help,
            ));
        }
        Ok(Augment::Blur { kernel, sigma })
    }

    /// A factor by which sizes are multiplied: never 0.
    fn scale(&mut self) -> Result<Spread, AugmentTextError> {
        let word = self.rest.first().copied();
        let factor = self.spread(0.0..=100.0)?;
        match word {
            Some(word) if factor.about_one()[0] < 0.01 => {
                let message = format!(
                    "`{}` in `scale` would shrink the image to nothing",
                    word.text
                );
                Err(word.error(
                    message,
                    "start at 0.01 or above, for example scale 0.9..1.1",
                ))
            }
            _ => Ok(factor),
        }
    }
}
