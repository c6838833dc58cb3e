//! Writing an augmentation: attributes in one fixed order, so that text written here reads back to the same
//! value and is written the same again. Probabilities and ranges that are defaults are written too, because
//! a reader should not have to know them; the interpolation only where it is not the usual one.

use super::{Augment, Border, Interpolation, Spread};
use std::fmt;

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spread::Around(by) => write!(f, "{by}"),
            Spread::Between(low, high) => write!(f, "{low}..{high}"),
        }
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Augment::HFlip { p } => write!(f, "hflip p{p}"),
            Augment::VFlip { p } => write!(f, "vflip p{p}"),
            Augment::Shift { by, border } => write!(f, "shift {by}{}", edge(*border)),
            Augment::Rotate {
                degrees,
                interpolation,
                border,
            } => {
                write!(
                    f,
                    "rotate {degrees}{}{}",
                    unless_nearest(*interpolation),
                    edge(*border)
                )
            }
            Augment::Scale {
                factor,
                interpolation,
                border,
            } => {
                write!(
                    f,
                    "scale {factor}{}{}",
                    unless_nearest(*interpolation),
                    edge(*border)
                )
            }
            Augment::Perspective {
                distortion,
                p,
                interpolation,
                border,
            } => {
                let p = if *p == 0.5 {
                    String::new()
                } else {
                    format!(" p{p}")
                };
                write!(
                    f,
                    "perspective {distortion}{p}{}{}",
                    unless_bilinear(*interpolation),
                    edge(*border)
                )
            }
            Augment::Crop {
                height,
                width,
                pad,
                border,
            } => {
                let height = height.map_or(String::new(), |height| format!("{height}x"));
                let pad = if *pad == 0 {
                    String::new()
                } else {
                    format!(" pad{pad}")
                };
                write!(f, "crop {height}{width}{pad}{}", edge(*border))
            }
            Augment::Brightness(factor) => write!(f, "brightness {factor}"),
            Augment::Contrast(factor) => write!(f, "contrast {factor}"),
            Augment::Saturation(factor) => write!(f, "saturation {factor}"),
            Augment::Hue(turns) => write!(f, "hue {turns}"),
            Augment::Grayscale { p } => write!(f, "grayscale p{p}"),
            Augment::Blur { kernel, sigma } => write!(f, "blur {kernel} sigma{}", range(*sigma)),
            Augment::Noise { std } => write!(f, "noise {std}"),
            Augment::SaltPepper { share } => write!(f, "saltpepper {share}"),
            Augment::Erase { p, area } => write!(f, "erase p{p} area{}", range(*area)),
            Augment::Mixup { alpha } => write!(f, "mixup {alpha}"),
            Augment::Apply { steps, p } => write!(f, "{{ apply = {}, p = {p:?} }}", listed(steps)),
            Augment::Choice(steps) => write!(f, "{{ choice = {} }}", listed(steps)),
        }
    }
}

/// Steps as a TOML array; their own text holds no characters that TOML would have to escape.
fn listed(steps: &[Augment]) -> String {
    let quoted = steps.iter().map(|step| match step {
        Augment::Apply { .. } | Augment::Choice(_) => step.to_string(),
        step => format!("\"{step}\""),
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

fn range([low, high]: [f32; 2]) -> String {
    if low == high {
        low.to_string()
    } else {
        format!("{low}..{high}")
    }
}

fn edge(border: Border) -> &'static str {
    match border {
        Border::Zero => "",
        Border::Reflect => " reflect",
        Border::Edge => " edge",
        Border::Wrap => " wrap",
    }
}

fn unless_nearest(interpolation: Interpolation) -> &'static str {
    if interpolation == Interpolation::Nearest {
        ""
    } else {
        " bilinear"
    }
}

fn unless_bilinear(interpolation: Interpolation) -> &'static str {
    if interpolation == Interpolation::Bilinear {
        ""
    } else {
        " nearest"
    }
}
