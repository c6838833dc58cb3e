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
        Augment::Shift { by, border } => {
            black(augment, *border)?;
            format!("v2.RandomAffine(0, translate=({by:?}, {by:?}))")
        }
        Augment::Rotate {
            degrees,
            interpolation,
            border,
        } => {
            black(augment, *border)?;
            let degrees = pair(degrees.about_zero());
            format!("v2.RandomRotation({degrees}, {})", between(*interpolation))
        }
        Augment::Scale {
            factor,
            interpolation,
            border,
        } => {
            black(augment, *border)?;
            let factor = pair(factor.about_one());
            format!(
                "v2.RandomAffine(0, scale={factor}, {})",
                between(*interpolation)
            )
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
            let mode = match border {
                Border::Zero => "constant",
                Border::Reflect => "reflect",
                Border::Edge => "edge",
                Border::Wrap => return Err(refused(augment, "torchvision does not wrap around")),
            };
            let height = height.unwrap_or(*width);
            format!("v2.RandomCrop(({height}, {width}), padding={pad}, padding_mode=\"{mode}\")")
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
            "torchvision fills what comes in from outside with black alone",
        )),
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
