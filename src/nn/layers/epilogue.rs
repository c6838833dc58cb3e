//! The epilogue (ReLU, max pooling) that a layer applies before it writes its output.
//!
//! Only what comes out at the end is kept. The gradient needs no more than that: a maximum that is positive
//! passed the relu, whether the relu is before or after the pooling.

use super::max_pool::PoolIndices;
use crate::fusion_rules::Follower;
use crate::network::Context;
use crate::ops::conv_input::ConvInput;
use crate::ops::real::Real;
use crate::ops::sliding::{Margin, grid};
use crate::ops::storage::Indices;
use crate::ops::taps::{Bands, Taps};
use strata_core::project::layer::Activation;
use strata_core::project::size::Shape;
use strata_core::shape::op::Geometry;

/// What follows a layer's own work.
#[derive(Default)]
pub(super) struct Epilogue {
    pub relu: bool,
    pub pool: Option<Pool>,
    /// Another activation, which only normalisations do.
    pub activation: Option<Activation>,
    /// Whether the next passes do all of it.
    pub active: bool,
}

/// The max pooling of an epilogue.
pub(super) struct Pool {
    pub taps: Taps,
    /// How a normalisation cuts it.
    pub bands: Bands,
    pub output: Shape,
    /// Whether the relu comes after it.
    pub relu_after: bool,
    pub indices: Indices,
    slot: usize,
    /// Whether no two windows overlap.
    disjoint: bool,
    /// The index of each position in the padded image that its gradient is written to.
    places: Vec<u32>,
}

impl Epilogue {
    /// Takes over a layer. `margin`: what the gradient of the layer's own output is laid into.
    pub fn absorb(&mut self, next: Follower<'_>, margin: Option<&Margin>) {
        match next {
            Follower::Relu => {
                self.relu = true;
                if let Some(pool) = &mut self.pool {
                    pool.relu_after = true;
                }
            }
            Follower::MaxPool {
                geometry,
                slot,
                output,
            } => self.pool = Some(Pool::new(geometry, slot, output, margin)),
            // The values are the same, so that nothing is left to do here.
            Follower::Reshape(_) => {}
            Follower::Activation(activation) => self.activation = Some(activation),
        }
    }

    /// Whether negative numbers become 0 before any pooling.
    pub(crate) fn relu_first(&self) -> bool {
        self.active && self.relu && self.pool.as_ref().is_none_or(|pool| !pool.relu_after)
    }

    /// The other activation, when it is to be done.
    pub fn activation(&self) -> Option<Activation> {
        self.activation.filter(|_| self.active)
    }

    /// The pooling, when it is to be done.
    pub fn pooling(&mut self) -> Option<&mut Pool> {
        self.pool.as_mut().filter(|_| self.active)
    }

    /// The gradient of the layer's own output.
    pub(crate) fn own_gradient<'a, T: Real>(
        &'a self,
        gradient: &'a [T],
        output: &'a [T],
    ) -> ConvInput<'a, T> {
        match &self.pool {
            _ if !self.active => ConvInput::Plain(gradient),
            Some(pool) => ConvInput::Pooled {
                gradient,
                output: self.relu.then_some(output),
                indices: pool.indices.read(),
                taps: &pool.taps,
                disjoint: pool.disjoint,
                places: &pool.places,
            },
            None if self.relu => ConvInput::Relu { gradient, output },
            None => ConvInput::Plain(gradient),
        }
    }
}

impl Pool {
    fn new(geometry: &Geometry, slot: usize, output: &Shape, margin: Option<&Margin>) -> Pool {
        let is_apart = |axis: usize| {
            geometry.reach(axis) <= geometry.stride[axis] || geometry.output[axis] == 1
        };
        let positions = |margin: &Margin| {
            grid(margin.image)
                .map(|cell| margin.place(cell) as u32)
                .collect()
        };
        Pool {
            taps: Taps::new(geometry),
            bands: Bands::new(geometry, output.channels()),
            output: output.clone(),
            relu_after: false,
            indices: Indices::default(),
            slot,
            disjoint: (0..3).all(is_apart),
            places: margin
                .filter(|margin| !margin.is_empty())
                .map_or(Vec::new(), positions),
        }
    }

    /// Takes the indices back from whoever held them: the last step's unpool is done with them.
    pub(crate) fn reclaim(&self, cx: &mut Context<'_>) {
        cx.slots[self.slot] = None;
    }

    /// Lets the paired unpool see the indices.
    pub fn share(&self, cx: &mut Context<'_>) {
        cx.slots[self.slot] = Some(PoolIndices::Cpu(self.indices.clone()));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Mode, Network, Route};
    use candle_core::{DType, Device, Tensor};
    use strata_core::project::Network as Stacks;
    use strata_core::project::node::Node;

    /// The output, the gradient of the input, and those of all parameters.
    fn passes(layers: [&str; 2], [images, side]: [usize; 2], observed: bool) -> Vec<Vec<f32>> {
        let stacks = Stacks {
            input: format!("12x{side}x{side}").parse().unwrap(),
            encoder: layers.map(Node::from_text).to_vec(),
            decoder: vec![],
            head: vec![Node::from_text("gap"), Node::from_text("dense 3")],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::new(&plan, 1, &Device::Cpu).unwrap();
        network.set_observed(observed);
        let count = images * side * side * 12;
        let of = |i: usize| ((i * 7919) % 2003) as f32 / 400.0 - 2.0;
        let dims = (images, side, side, 12);
        let batch = Tensor::from_vec((0..count).map(of).collect(), dims, &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &batch, mode).unwrap();
        let ones = Tensor::ones(output.dims(), DType::F32, &Device::Cpu).unwrap();
        let dx = network.backward_to_input(&ones).unwrap();
        let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
        let mut all = vec![numbers(&output), numbers(&dx)];
        let parameters = network.parameters().iter();
        all.extend(parameters.map(|parameter| numbers(&parameter.gradient)));
        all
    }

    #[test]
    fn an_activation_behind_a_normalisation_is_the_same_when_it_is_computed_along() {
        // The last is divided between the threads.
        for sizes in [[9, 7], [1, 1], [2, 56]] {
            for norm in ["bn", "groupnorm 3"] {
                for activation in ["relu", "gelu", "tanh", "leakyrelu 0.1", "relu6", "silu"] {
                    let [along, apart] =
                        [false, true].map(|observed| passes([norm, activation], sizes, observed));
                    assert_eq!(along[0], apart[0], "{norm} {activation} {sizes:?}");
                    for (along, apart) in along.iter().zip(&apart) {
                        let size = apart.iter().fold(1e-6f32, |size, x| size.max(x.abs()));
                        for (a, b) in along.iter().zip(apart) {
                            let off = (a - b).abs() / size;
                            assert!(off < 1e-5, "{norm} {activation} {sizes:?}: {a} {b}");
                        }
                    }
                }
            }
        }
    }

    /// Images of more numbers than a block are cut into bands: of windows that overlap, too.
    #[test]
    fn a_pooling_behind_a_normalisation_is_the_same_when_it_is_computed_along() {
        for sizes in [[9, 7], [2, 56], [3, 61]] {
            for pooling in [
                "maxpool 2",
                "maxpool 3 s2 p1",
                "maxpool 2 s1",
                "maxpool 5 s3",
            ] {
                let [along, apart] =
                    [false, true].map(|observed| passes(["bn", pooling], sizes, observed));
                assert_eq!(along[0], apart[0], "{pooling} {sizes:?}");
                for (along, apart) in along.iter().zip(&apart) {
                    let size = apart.iter().fold(1e-6f32, |size, x| size.max(x.abs()));
                    for (a, b) in along.iter().zip(apart) {
                        let off = (a - b).abs() / size;
                        assert!(off < 1e-5, "{pooling} {sizes:?}: {a} {b}");
                    }
                }
            }
        }
    }
}
