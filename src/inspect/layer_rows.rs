//! What a layer gives for some images of a split, each of which is asked for by its place: rows for what learns from
//! them.
//!
//! Running statistics are used, dropout and noise are off. Fails as the network and the reading of images do, and where
//! the layer's values are not finite.

use super::features::{features, layer};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use strata_core::project::Place;
use strata_core::project::data::Split;
use strata_data::{DataError, Progress, fill_batch};

/// Images at a time.
const BATCH: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The layer; `None` for the code, the encoder's last.
    pub place: Option<Place>,
    /// The split.
    pub split: Split,
    /// The places of the images in it.
    pub indices: Vec<u32>,
}

/// What a layer gives for the images that were asked for, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerRows {
    /// The layer, with its text.
    pub layer: String,
    /// Values of an image.
    pub width: usize,
    /// `N × width` values.
    pub values: Vec<f32>,
}

impl Inspection for LayerRows {
    const NAME: &'static str = "layer rows";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let data = cx.images()?.split(request.split);
        let none = || InspectError::Input(format!("there is no split `{}`", request.split));
        let data = data.ok_or_else(none)?;
        let inference = cx.run()?.inference;
        let (place, layer) = layer(inference, request.place.as_ref())?;
        let mut rows = LayerRows {
            layer,
            ..LayerRows::default()
        };
        let size = data.image_shape();
        let length: usize = size.iter().product();
        let mut mirror = cx.take_mirror()?;
        for indices in request.indices.chunks(BATCH) {
            let mut images = vec![0.0; indices.len() * length];
            fill_batch(data, indices, &mut images, &mut vec![0; indices.len()])?;
            let values = features(&mut mirror, inference, &place, &images, size)?;
            rows.width = values.len() / indices.len();
            rows.values.extend(values);
            let progress = Progress {
                what: "asking the network",
                done: rows.values.len() / rows.width.max(1),
                total: request.indices.len(),
            };
            if !cx.report(progress) {
                return Err(DataError::Cancelled.into());
            }
        }
        cx.return_mirror(mirror);
        if rows.values.iter().any(|value| !value.is_finite()) {
            let message = "the layer gives values that are not finite (NaN or infinite), so nothing can learn from them: take an earlier layer, or train with a smaller learning rate";
            return Err(InspectError::Input(message.to_owned()));
        }
        Ok(rows)
    }
}
