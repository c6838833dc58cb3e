//! Copies of what passes through chosen layers: input, output, and the gradient for the output.

use super::{Network, Result};
use crate::NnError;
use candle_core::Tensor;
use strata_core::project::{Place, Stack};

/// What passed a tapped layer in the latest forward and backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Tapped<'a> {
    /// Its key, `encoder.0`; the passes of a repeat have their own keys.
    pub key: &'a str,
    /// What it read; `None` before a forward pass.
    pub input: Option<&'a Tensor>,
    /// What it gave.
    pub output: Option<&'a Tensor>,
    /// The gradient for its output, of what [`Network::backward`] was given the gradient of, and of a
    /// sparsity penalty on it or behind it. `None` until a backward pass follows the forward pass, and of a softmax that
    /// [`Network::backward_from_logits`] leaves out.
    pub gradient: Option<&'a Tensor>,
}

impl Network {
    /// Taps these layers and no others. Works in training (the gradients are those of the step's own
    /// backward pass) and at rest (after [`Network::forward`], give [`Network::backward`] the gradient of a
    /// loss, or 1 for a class and 0 for the others).
    ///
    /// A tapped layer is computed by itself: a convolution that would do the relu behind it too does not.
    /// Frozen layers have gradients as well. The place of a block means its output. Fails, and taps
    /// nothing, for a place that is no layer of this network.
    pub fn set_taps(&mut self, places: &[Place]) -> Result<()> {
        for stack in Stack::ALL {
            let is_here = |place: &&Place| place.stack == stack;
            let here: Vec<Place> = places.iter().filter(is_here).cloned().collect();
            let missing = match &mut self.stacks[stack as usize] {
                Some(sequence) => sequence.set_taps(&here),
                None => here,
            };
            if let Some(place) = missing.first() {
                let error = format!("this network has no layer {place}");
                self.set_taps(&[])?;
                return Err(NnError::NoSuchLayer(error));
            }
        }
        Ok(())
    }

    /// The tapped layers that the latest batch passed, in its order; those inside a block before the block.
    pub fn taps(&self) -> Vec<Tapped<'_>> {
        let mut taps = Vec::new();
        for sequence in self.passed() {
            sequence.visit(&mut |node| {
                taps.extend(node.tap.as_ref().map(|tap| Tapped {
                    key: &node.key,
                    input: tap.input.as_ref(),
                    output: tap.output.as_ref(),
                    gradient: tap.gradient.as_ref(),
                }))
            });
        }
        taps
    }
}
