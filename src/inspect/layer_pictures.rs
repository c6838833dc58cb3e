//! One layer in pictures: its filters, where it has some, and what each of its channels gives for an image.
//!
//! It fails as the feature maps do; a layer without weights has no filters, which is no failure.

use super::activations::{self, Activations};
use super::filters::{self, Filters, of_layer};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};

/// The pictures of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerPictures {
    /// Its weights as small pictures.
    pub filters: Option<Filters>,
    /// What it gives.
    pub maps: Activations,
}

impl Inspection for LayerPictures {
    const NAME: &'static str = "layer pictures";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = activations::Request;

    fn compute(
        cx: &mut InspectionContext<'_>,
        request: &activations::Request,
    ) -> Result<Self, InspectError> {
        let maps = Activations::compute(cx, request)?;
        let run = cx.run()?;
        let layer = filters::Request::Layer(request.place.clone());
        Ok(LayerPictures {
            filters: of_layer(run.network, run.inference, &layer, run.step)?
                .filter(|filters| filters.count > 0),
            maps,
        })
    }

    fn step(&self) -> Option<u64> {
        Some(self.maps.step)
    }
}
