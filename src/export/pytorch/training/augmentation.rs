//! The project's augmentations as torchvision's transforms, which they take their meaning from.

use crate::error::ExportError;
use strata_core::project::augment::{Augment, Border, Interpolation};

/// What stands before the settings where salt and pepper is among them: torchvision has none.
pub(super) const SALT_AND_PEPPER: &str = r#"

class SaltAndPepper(nn.Module):
    """Turns this share of the pixels black or white, all channels alike."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, image):
        drawn = torch.rand(1, *image.shape[-2:])
        image = torch.where(drawn < self.share, 0.0, image)
        return torch.where(drawn < self.share / 2, 1.0, image)
"#;

/// The call of a transform. Fails on what torchvision fills in another way.
pub(super) fn call(augment: &Augment) -> Result<String, ExportError> {
    Ok(match augment {
        Augment::HFlip { p } => format!("v2.RandomHorizontalFlip(p={p:?})"),
        Augment::VFlip { p } => format!("v2.RandomVerticalFlip(p={p:?})"),
        Augment::Shift { by, border } => match mode(*border) {
            None => format!("v2.RandomAffine(0, translate=({by:?}, {by:?}))"),
            Some(mode) => format!("Shifted({by:?}, {mode})"),
        },
        Augment::Rotate {
            degrees,
            interpolation,
            border,
        } => {
            let degrees = pair(degrees.about_zero());
            let turned = format!("v2.RandomRotation({degrees}, {})", between(*interpolation));
            bordered(turned, *border, 1)
        }
        Augment::Scale {
            factor,
            interpolation,
            border,
        } => {
            let [low, high] = factor.about_one();
            let scaled = format!(
                "v2.RandomAffine(0, scale={}, {})",
                pair([low, high]),
                between(*interpolation)
            );
            // What is made smaller shows so much more on each side.
            let times = (0.5 / low.max(0.01)).ceil().max(1.0) as u32;
            bordered(scaled, *border, times)
        }
        Augment::Perspective {
            distortion,
            p,
            interpolation,
            border,
        } => {
            black(augment, *border)?;
            format!(
                "v2.RandomPerspective({distortion:?}, p={p:?}, {})",
                between(*interpolation)
            )
        }
        Augment::Crop {
            height,
            width,
            pad,
            border,
        } => {
            let height = height.unwrap_or(*width);
            match mode(*border).filter(|_| *pad > 0) {
                None => format!("v2.RandomCrop(({height}, {width}), padding={pad})"),
                Some(mode) => {
                    // One transform, also in a choice of several.
                    format!(
                        "v2.Compose([Extended({pad}, {mode}), v2.RandomCrop(({height}, {width}))])"
                    )
                }
            }
        }
        Augment::Brightness(by) => {
            format!("v2.ColorJitter(brightness={})", pair(by.about_one()))
        }
        Augment::Contrast(by) => format!("v2.ColorJitter(contrast={})", pair(by.about_one())),
        Augment::Saturation(by) => format!("v2.ColorJitter(saturation={})", pair(by.about_one())),
        Augment::Hue(by) => format!("v2.ColorJitter(hue={})", pair(by.about_zero())),
        Augment::Grayscale { p } => format!("v2.RandomGrayscale(p={p:?})"),
        Augment::Blur { kernel, sigma } => {
            format!("v2.GaussianBlur({kernel}, sigma={})", pair(*sigma))
        }
        Augment::Noise { std } => format!("v2.GaussianNoise(sigma={std:?})"),
        Augment::SaltPepper { share } => format!("SaltAndPepper({share:?})"),
        Augment::Erase { p, area } => format!("v2.RandomErasing(p={p:?}, scale={})", pair(*area)),
        Augment::Mixup { .. } => return Err(refused(augment, "it stands inside another")),
        Augment::Apply { steps, p } => {
            format!("v2.RandomApply([{}], p={p:?})", calls(steps)?)
        }
        Augment::Choice(steps) => format!("v2.RandomChoice([{}])", calls(steps)?),
    })
}

fn calls(steps: &[Augment]) -> Result<String, ExportError> {
    let calls: Vec<String> = steps.iter().map(call).collect::<Result<_, _>>()?;
    Ok(calls.join(", "))
}

/// Whether salt and pepper is among them.
pub(super) fn has_salt(augment: &[Augment]) -> bool {
    augment.iter().any(|augment| match augment {
        Augment::SaltPepper { .. } => true,
        Augment::Apply { steps, .. } | Augment::Choice(steps) => has_salt(steps),
        _ => false,
    })
}

fn black(augment: &Augment, border: Border) -> Result<(), ExportError> {
    match border {
        Border::Zero => Ok(()),
        Border::Reflect | Border::Edge | Border::Wrap => Err(refused(
            augment,
            "torchvision fills what comes in from outside with black alone, and what a distortion shows has no end",
        )),
    }
}

/// How numpy.pad calls a border; none of black, which torchvision fills.
fn mode(border: Border) -> Option<&'static str> {
    match border {
        Border::Zero => None,
        Border::Reflect => Some("\"reflect\""),
        Border::Edge => Some("\"edge\""),
        Border::Wrap => Some("\"wrap\""),
    }
}

/// A transform about the middle with a border of so many times the image's longer side.
fn bordered(transform: String, border: Border, times: u32) -> String {
    match (mode(border), times) {
        (None, _) => transform,
        (Some(mode), 1) => format!("Bordered({transform}, {mode})"),
        (Some(mode), times) => format!("Bordered({transform}, {mode}, times={times})"),
    }
}

fn refused(augment: &Augment, reason: &str) -> ExportError {
    ExportError::Training {
        what: format!("the augmentation `{augment}`"),
        reason: reason.to_owned(),
    }
}

fn between(interpolation: Interpolation) -> &'static str {
    match interpolation {
        Interpolation::Nearest => "interpolation=v2.InterpolationMode.NEAREST",
        Interpolation::Bilinear => "interpolation=v2.InterpolationMode.BILINEAR",
    }
}

fn pair([low, high]: [f32; 2]) -> String {
    format!("({low:?}, {high:?})")
}
