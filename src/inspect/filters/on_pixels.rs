//! Filters of a network that sees whitened images, as weights on the images' own pixels: with weights w on whitened images
//! V·x, a unit answers to x as Vᵀ·w does. What a decoder paints is un-whitened as reconstructions are.
//!
//! Only filters of the input's size can be: a small window is moved over an image that was whitened as a whole, so that its
//! weights are of no fixed pixels. Those stay as they are, and are told apart by [`Filters::on_pixels`].

use super::{Filters, Request, parameter_of};
use crate::inspection::{InspectError, Inspection, InspectionContext, Needs};
use std::sync::Arc;
use strata_core::project::Stack;
use strata_data::Dataset;
use strata_nn::Network;

/// Filters on pixels, where they can be.
#[derive(Clone, Debug, PartialEq)]
pub struct FiltersOnPixels(pub Arc<Filters>);

impl Filters {
    /// The same on the images' pixels, where the network's input is whitened or centred and they are of its size.
    pub(crate) fn put_on_pixels(
        &mut self,
        network: &Network,
        request: &Request,
        dataset: &Dataset,
    ) {
        let image: usize = dataset.shape().iter().product();
        let Some(transform) = dataset.transform().filter(|_| self.size() == image) else {
            return;
        };
        let weights = || {
            network
                .parameters()
                .iter()
                .filter(|found| found.value.dims().len() >= 2)
        };
        let own = parameter_of(network, request).map(|found| &found.key);
        let first = weights().next().map(|found| &found.key);
        let last = weights().rfind(|found| found.place.stack == Stack::Decoder);
        if !self.are_templates && own == first {
            transform.weights_on_pixels(&mut self.values);
            self.on_pixels = true;
        } else if self.are_templates && own == last.map(|found| &found.key) {
            transform.undo_differences(&mut self.values);
            self.on_pixels = true;
        }
    }
}

impl Inspection for FiltersOnPixels {
    const NAME: &'static str = "filters on pixels";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let mut filters = Filters::compute(cx, request)?;
        let dataset = cx.images()?;
        filters.put_on_pixels(cx.run()?.network, request, dataset);
        Ok(FiltersOnPixels(Arc::new(filters)))
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let FiltersOnPixels(earlier) = earlier;
        Ok(FiltersOnPixels(Arc::new(self.0.change_since(earlier)?)))
    }

    fn step(&self) -> Option<u64> {
        Some(self.0.step)
    }
}
