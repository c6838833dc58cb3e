//! What the settings say of all splits alike: size, patches, pixel range.

use crate::augment::Augmenter;
use crate::error::DataError;
use crate::images::image_fitting::{ImageFitter, Scaling};
use crate::images::pixel_scale::Scale;
use crate::source::{BYTES, OpenedSource, WORDS};
use crate::splits::split::{Common, PATCHES_PER_IMAGE, Patches, zero_share};
use std::sync::Arc;
use strata_core::project::data::DataSpec;
use strata_core::project::help::Help;

/// The longest side images can be scaled to.
const LONGEST_SIDE: u32 = 4096;

/// Refuses sizes that no image can have, and counts that leave nothing.
pub(super) fn check_sizes(spec: &DataSpec) -> Result<(), DataError> {
    for (key, size) in [("resize", spec.resize), ("patches", spec.patches)] {
        if let Some([height, width]) =
            size.filter(|size| size.iter().any(|side| !(1..=LONGEST_SIDE).contains(side)))
        {
            return Err(DataError::setting(
                key,
                format!("{height}×{width} is no size for an image"),
                Help::value(key, format!("height and width from 1 to {LONGEST_SIDE}")),
            ));
        }
    }
    match spec.limit {
        Some(0) => Err(DataError::setting(
            "limit",
            "0 leaves no image",
            Help::without("limit").remark(", or make it at least 1"),
        )),
        _ if spec.patches_per_image == Some(0) => Err(DataError::setting(
            "patches_per_image",
            "0 leaves no patch",
            Help::without("patches_per_image").remark(", or make it at least 1"),
        )),
        _ => Ok(()),
    }
}

/// What all splits have in common, and how training images are augmented, where they are. `channels`: how many the
/// network takes, where that is known.
pub(super) fn common(
    spec: &DataSpec,
    channels: Option<usize>,
    seed: u64,
    loaded: &OpenedSource,
) -> Result<(Common, Option<Augmenter>), DataError> {
    let from = loaded
        .parts
        .first()
        .map_or([1, 1, 1], |part| part.pictures.shape());
    let size = spec.resize.map(|size| size.map(|side| side as usize));
    let scaling = Scaling::of(spec);
    let fit = ImageFitter::new(from, size, channels, scaling)?;
    let [height, width, channels] = fit.to();
    let patches = match spec.patches.map(|size| size.map(|side| side as usize)) {
        Some([tall, wide]) if tall > height || wide > width => {
            return Err(DataError::setting(
                "patches",
                format!("{tall}×{wide} is larger than the images, which are {height}×{width}"),
                "write a smaller size, or a larger resize",
            ));
        }
        size => size.map(|size| Patches {
            seed,
            size,
            each: spec.patches_per_image.unwrap_or(PATCHES_PER_IMAGE) as usize,
        }),
    };
    let whole = patches.map_or([height, width, channels], |patches| {
        [patches.size[0], patches.size[1], channels]
    });
    let augmenter = Augmenter::new(&spec.augment, whole)?.with_zero(zero_share(loaded.span));
    let view = augmenter.out_shape();
    if view[0] > whole[0] || view[1] > whole[1] {
        return Err(DataError::setting(
            "augment",
            format!(
                "its crop of {}×{} is larger than the images, which are {}×{}",
                view[0], view[1], whole[0], whole[1]
            ),
            "crop to a smaller size, or write a larger resize",
        ));
    }
    let is_used = spec.use_augment && !spec.augment.is_empty();
    let common = Common {
        scale: Arc::new(Scale::new(
            spec,
            channels,
            usual_range(spec, loaded.span),
            None,
        )?),
        shares: Arc::new(Scale::shares()),
        span: loaded.span,
        scaling,
        fit: Arc::new(fit),
        patches,
        view,
        classes: loaded.classes.len(),
        sets: None,
        weights: spec.weights,
    };
    Ok((common, is_used.then_some(augmenter)))
}

/// What values become where the project does not say: pixels 0 to 1, other numbers what they are.
fn usual_range(spec: &DataSpec, span: [f32; 2]) -> [f32; 2] {
    let is_of_pixels = span == BYTES || span == WORDS || spec.pixel.is_some();
    if is_of_pixels { [0.0, 1.0] } else { span }
}
