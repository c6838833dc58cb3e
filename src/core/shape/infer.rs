//! Shape inference: from a network as text to a row for every layer, and a plan to run.
//!
//! [`infer`] is a fold over the three stacks; it always returns, and reports a mistake once, at the
//! layer that makes it. Decoder and head both start from the code. The walk itself is in
//! [`super::walk`], the rules of the layers in [`super::rules`].

use super::cost::Cost;
use super::error::ShapeError;
use super::field::Grid;
use super::op::Plan;
use super::partial_shape::PartialShape;
use super::walk::{Flow, Walker};
use crate::project::layer::Family;
use crate::project::size::Shape;
use crate::project::{Network, Place, Stack};

/// All that is known of a network before it is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// The network's input.
    pub input: Shape,
    /// A row for every layer and block, in the order of the text; a block comes before its layers.
    pub rows: Vec<Row>,
    /// The encoder's output (the input when the encoder is empty), if it is known; so it can be
    /// after an error too, as with `dense 10` at the end. The same holds for the next two.
    pub code: Option<Shape>,
    /// The decoder's output; `None` too when the decoder is empty.
    pub output: Option<Shape>,
    /// The head's output; `None` too when the head is empty.
    pub answer: Option<Shape>,
    /// Whether the decoder's output has the input's shape; `None` when it is empty, and when it or the
    /// encoder has an error.
    pub output_equals_input: Option<bool>,
    /// The resolved layers; there when the encoder is without error, each other stack if it is.
    pub plan: Option<Plan>,
    /// Sums over all layers.
    pub totals: Totals,
}

/// One layer or block with what is known of it. A layer inside `repeat` has one row: the shapes of
/// the first pass, the costs of all passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Where it is; in a block: index, branch, index, … (a repeat's layers are in branch 0).
    pub place: Place,
    /// How many blocks it is in.
    pub depth: usize,
    /// Its text, or a block's short label.
    pub text: String,
    /// Its colour.
    pub family: Family,
    /// True for `add`, `concat` and `repeat`.
    pub is_block: bool,
    /// The shape it gets.
    pub input: Option<Shape>,
    /// Its output shape; `None` when not known and for a layer with an error.
    pub output: Option<Shape>,
    /// What is known of its output shape, even after an error.
    pub outline: PartialShape,
    /// Trained numbers; a block's row has the sum over its layers.
    pub parameters: u64,
    /// Multiply-accumulates for one image; a block's row has the sum over its layers.
    pub macs: u64,
    /// Bytes of the outputs for one image; `add` and `concat` count their own on top of their layers'.
    pub memory_bytes: u64,
    /// Inputs of the network that one output value can see, by axis, padding included. `None` after
    /// an error.
    pub receptive_field: Option<Vec<u64>>,
    /// Where the windows of neighbouring values begin, by axis of the input. `None` after an error, and where
    /// every value sees the whole input (after `flatten`, `dense`, global pooling or a norm over the image).
    pub grid: Option<Vec<Grid>>,
    /// What is wrong with it.
    pub error: Option<ShapeError>,
}

impl Row {
    /// The output as people read it, with `?` for what is not known: `32×?×?`.
    pub fn shape_text(&self) -> String {
        self.outline.to_string()
    }
}

/// Sums over all layers of the three stacks, each layer (and each pass of a repeat) counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Trained numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one image, biases not counted.
    pub macs: u64,
    /// Bytes of all outputs for one image.
    pub memory_bytes: u64,
    /// Layers, repeats unrolled.
    pub layers: u64,
}

impl Totals {
    fn of(
        Cost {
            parameters,
            macs,
            memory_bytes,
        }: Cost,
        layers: u64,
    ) -> Totals {
        Totals {
            parameters,
            macs,
            memory_bytes,
            layers,
        }
    }
}

impl Inference {
    /// Every error with its row, in the order of the text.
    pub fn errors(&self) -> impl Iterator<Item = (&Row, &ShapeError)> {
        self.rows
            .iter()
            .filter_map(|row| row.error.as_ref().map(|error| (row, error)))
    }

    /// The rows of one stack.
    pub fn stack(&self, stack: Stack) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.place.stack == stack)
    }

    /// The row of the layer at a place.
    pub fn row(&self, place: &Place) -> Option<&Row> {
        self.rows.iter().find(|row| row.place == *place)
    }
}

/// Infers every shape of a network. Never fails: errors are in the rows.
pub fn infer(network: &Network) -> Inference {
    let mut walker = Walker::default();
    let encoder = walker.stack(
        Stack::Encoder,
        &network.encoder,
        Flow::start(&network.input),
        &network.input,
    );
    // Decoder and head both start from the code, so each pairs only with the encoder's poolings.
    let pools = walker.pools.clone();
    let decoder = walker.stack(
        Stack::Decoder,
        &network.decoder,
        encoder.flow.clone(),
        &network.input,
    );
    walker.pools = pools;
    let head = walker.stack(
        Stack::Head,
        &network.head,
        encoder.flow.clone(),
        &network.input,
    );

    let code = encoder.shape();
    let output = decoder.shape().filter(|_| !network.decoder.is_empty());
    let answer = head.shape().filter(|_| !network.head.is_empty());
    let sound = encoder.planned.is_some() && decoder.planned.is_some();
    let plan = encoder
        .planned
        .zip(code.clone())
        .map(|(planned, code)| Plan {
            input: network.input.clone(),
            code,
            stacks: [Some(planned), decoder.planned, head.planned],
            slots: walker.slots,
        });
    Inference {
        output_equals_input: output
            .as_ref()
            .filter(|_| sound)
            .map(|output| *output == network.input),
        input: network.input.clone(),
        rows: walker.rows,
        code,
        output,
        answer,
        plan,
        totals: Totals::of(walker.cost, walker.layers),
    }
}

#[cfg(test)]
mod tests;
