//! Layers as operators of ONNX.

mod composed;
mod pooling;

use super::graph::{Graph, Node, Value};
use crate::error::ExportError;
use crate::plan::{texts, undone_slots};
use crate::windows::{margins_after, spread};
use candle_core::{DType, Tensor};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use strata_core::project::layer::Activation;
use strata_core::project::size::Shape;
use strata_core::shape::Inference;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE, NORM_EPS};
use strata_core::shape::op::{Geometry, Op, Planned, PlannedLayer};

/// Writes stacks into a graph.
pub(super) struct Writer<'a> {
    graph: &'a mut Graph,
    weights: &'a HashMap<String, Tensor>,
    texts: BTreeMap<String, String>,
    /// The slots of the max poolings that are undone, with the value that holds their indices once it is written.
    undone: BTreeSet<usize>,
    indices: BTreeMap<usize, String>,
}

/// The sizes of a convolution, transposed or not.
struct Convolution<'a> {
    groups: usize,
    bias: bool,
    geometry: &'a Geometry,
    axes: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        graph: &'a mut Graph,
        weights: &'a HashMap<String, Tensor>,
        inference: &Inference,
    ) -> Writer<'a> {
        Writer {
            graph,
            weights,
            texts: texts(inference),
            undone: inference
                .plan
                .as_ref()
                .map(undone_slots)
                .unwrap_or_default(),
            indices: BTreeMap::new(),
        }
    }

    /// Gives a value the name of an output.
    pub(super) fn call_it(&mut self, value: String, name: &str) {
        let node = Node {
            op: "Identity",
            name: format!("{name}/name"),
            inputs: vec![value],
            outputs: vec![name.to_owned()],
            attributes: Vec::new(),
            about: String::new(),
        };
        self.graph.push(node);
    }

    /// Writes layers one after the other; gives the value at their end. `path` is the stack's or branch's name.
    pub(super) fn sequence(
        &mut self,
        planned: &[Planned],
        path: &str,
        x: String,
    ) -> Result<String, ExportError> {
        let mut value = x;
        for (index, node) in planned.iter().enumerate() {
            value = self.node(node, &format!("{path}.{index}"), value)?;
        }
        Ok(value)
    }

    fn node(&mut self, node: &Planned, path: &str, x: String) -> Result<String, ExportError> {
        match node {
            Planned::Layer(layer) => self.layer(layer, x),
            Planned::Add { branches, .. } => {
                let ends = self.branches(branches, path, &x)?;
                Ok(self.operator("Sum", path, ends, Vec::new()))
            }
            Planned::Concat { branches, .. } => {
                let ends = self.branches(branches, path, &x)?;
                Ok(self.operator("Concat", path, ends, vec![("axis", Value::Whole(1))]))
            }
            Planned::Repeat { passes, .. } => {
                let mut value = x;
                for (index, pass) in passes.iter().enumerate() {
                    value = self.sequence(pass, &format!("{path}.{index}"), value)?;
                }
                Ok(value)
            }
        }
    }

    fn branches(
        &mut self,
        branches: &[Vec<Planned>],
        path: &str,
        x: &str,
    ) -> Result<Vec<String>, ExportError> {
        let branches = branches.iter().enumerate();
        branches
            .map(|(index, branch)| self.sequence(branch, &format!("{path}.{index}"), x.to_owned()))
            .collect()
    }

    fn layer(&mut self, layer: &PlannedLayer, x: String) -> Result<String, ExportError> {
        let key = layer.key.as_str();
        let axes = layer.input.rank();
        let own = |value: String| vec![value];
        match &layer.op {
            Op::Conv {
                groups,
                bias,
                geometry,
                ..
            } => {
                let sizes = Convolution {
                    groups: *groups,
                    bias: *bias,
                    geometry,
                    axes,
                };
                self.convolution(key, &sizes, x)
            }
            Op::ConvTranspose {
                groups,
                bias,
                geometry,
                ..
            } => {
                let sizes = Convolution {
                    groups: *groups,
                    bias: *bias,
                    geometry,
                    axes,
                };
                self.transposed(key, &sizes, x)
            }
            Op::SeparableConv {
                in_channels,
                bias,
                geometry,
                ..
            } => {
                let depthwise = Convolution {
                    groups: *in_channels,
                    bias: false,
                    geometry,
                    axes,
                };
                let middle = self.convolution(&format!("{key}.depthwise"), &depthwise, x)?;
                let pointwise = Convolution {
                    groups: 1,
                    bias: *bias,
                    geometry: &Geometry::pointwise(geometry.output),
                    axes,
                };
                self.convolution(&format!("{key}.pointwise"), &pointwise, middle)
            }
            Op::MaxPool { geometry, slot } => Ok(self.max_pool(key, geometry, *slot, axes, x)),
            Op::AvgPool {
                geometry,
                count_padding,
            } => Ok(self.average_pool(key, geometry, *count_padding, axes, x)),
            Op::Unpool { slot, .. } => Ok(self.unpool(key, *slot, &layer.output, x)),
            Op::Upsample {
                factor, bilinear, ..
            } => Ok(self.upsample(key, factor, *bilinear, axes, x)),
            Op::GlobalAvgPool => Ok(self.flattened("GlobalAveragePool", key, x)),
            Op::GlobalMaxPool => Ok(self.flattened("GlobalMaxPool", key, x)),
            Op::AdaptiveAvgPool { input, output } => {
                Ok(self.adaptive_pool(key, input, output, axes, x))
            }
            Op::Flatten => Ok(self.operator("Flatten", key, own(x), Vec::new())),
            Op::Reshape => Ok(self.reshape(key, &layer.output, x)),
            Op::Dense { bias, .. } => {
                let mut inputs = vec![x, self.weight(key, "weight")?];
                if *bias {
                    inputs.push(self.weight(key, "bias")?);
                }
                Ok(self.operator("Gemm", key, inputs, vec![("transB", Value::Whole(1))]))
            }
            Op::BatchNorm { .. } => {
                let mut inputs = own(x);
                for name in ["weight", "bias", "running_mean", "running_var"] {
                    inputs.push(self.weight(key, name)?);
                }
                Ok(self.operator("BatchNormalization", key, inputs, epsilon()))
            }
            Op::GroupNorm { groups, .. } => self.group_norm(key, *groups, &layer.input, x),
            Op::LayerNorm => {
                let inputs = vec![x, self.weight(key, "weight")?, self.weight(key, "bias")?];
                let attributes = epsilon()
                    .into_iter()
                    .chain([("axis", Value::Whole(1))])
                    .collect();
                Ok(self.operator("LayerNormalization", key, inputs, attributes))
            }
            // They act while training only.
            Op::Dropout { .. } | Op::Noise { .. } | Op::Identity => {
                Ok(self.operator("Identity", key, own(x), Vec::new()))
            }
            Op::Activation(function) => Ok(self.activation(key, *function, x)),
            Op::PRelu { channels } => {
                // The slope of a channel stands before its axes of space.
                let slope = self.shaped_weight(key, "weight", channels.unwrap_or(1), axes)?;
                Ok(self.operator("PRelu", key, vec![x, slope], Vec::new()))
            }
            Op::Softmax => {
                Ok(self.operator("Softmax", key, own(x), vec![("axis", Value::Whole(1))]))
            }
            Op::Pad { before, after } => {
                let own = |sides: &[usize; 3]| {
                    sides[3 - axes..]
                        .iter()
                        .map(|&side| side as i64)
                        .collect::<Vec<i64>>()
                };
                let (before, after) = (own(before), own(after));
                let pads = [vec![0, 0], before, vec![0, 0], after].concat();
                let pads = self.graph.wholes(&format!("{key}/pads"), &pads);
                Ok(self.operator("Pad", key, vec![x, pads], Vec::new()))
            }
            Op::Crop { before, .. } => {
                let sizes = layer.output.spatial();
                let starts: Vec<i64> = before[3 - axes..].iter().map(|&cut| cut as i64).collect();
                let ends = starts
                    .iter()
                    .zip(sizes)
                    .map(|(start, &size)| start + size as i64);
                let ends: Vec<i64> = ends.collect();
                let along: Vec<i64> = (2..2 + axes as i64).collect();
                let mut inputs = own(x);
                for (name, values) in [("starts", starts), ("ends", ends), ("axes", along)] {
                    inputs.push(self.graph.wholes(&format!("{key}/{name}"), &values));
                }
                Ok(self.operator("Slice", key, inputs, Vec::new()))
            }
        }
    }

    fn convolution(
        &mut self,
        key: &str,
        sizes: &Convolution<'_>,
        x: String,
    ) -> Result<String, ExportError> {
        let geometry = sizes.geometry;
        let after = margins_after(geometry).map(|zeros| zeros.max(0));
        let before = geometry.pad.map(|zeros| zeros as i64);
        let mut attributes = window(geometry, sizes.axes);
        attributes.push(("pads", pads(before, after, sizes.axes)));
        attributes.push(("group", Value::Whole(sizes.groups as i64)));
        let inputs = self.with_weights(key, sizes.bias, x)?;
        Ok(self.operator("Conv", key, inputs, attributes))
    }

    fn transposed(
        &mut self,
        key: &str,
        sizes: &Convolution<'_>,
        x: String,
    ) -> Result<String, ExportError> {
        let geometry = sizes.geometry;
        let before = geometry.pad.map(|cut| cut as i64);
        // What is cut off at the end; below zero where something is missing there.
        let cut = [0, 1, 2]
            .map(|axis| spread(geometry, axis) - before[axis] - geometry.input[axis] as i64);
        let own = 3 - sizes.axes;
        let missing = cut[own..].iter().map(|cut| (-cut).max(0)).collect();
        let mut attributes = window(geometry, sizes.axes);
        attributes.push(("pads", pads(before, cut.map(|cut| cut.max(0)), sizes.axes)));
        attributes.push(("output_padding", Value::Wholes(missing)));
        attributes.push(("group", Value::Whole(sizes.groups as i64)));
        let inputs = self.with_weights(key, sizes.bias, x)?;
        Ok(self.operator("ConvTranspose", key, inputs, attributes))
    }

    fn with_weights(
        &mut self,
        key: &str,
        bias: bool,
        x: String,
    ) -> Result<Vec<String>, ExportError> {
        let mut inputs = vec![x, self.weight(key, "weight")?];
        if bias {
            inputs.push(self.weight(key, "bias")?);
        }
        Ok(inputs)
    }

    fn activation(&mut self, key: &str, function: Activation, x: String) -> String {
        let simple = |op: &'static str| (op, Vec::new());
        let (op, attributes) = match function {
            Activation::Relu => simple("Relu"),
            Activation::Sigmoid => simple("Sigmoid"),
            Activation::Tanh => simple("Tanh"),
            Activation::HardSwish => simple("HardSwish"),
            Activation::LeakyRelu(slope) => {
                let slope = Value::Real(slope.unwrap_or(LEAKY_SLOPE));
                ("LeakyRelu", vec![("alpha", slope)])
            }
            Activation::Elu(alpha) => {
                let alpha = Value::Real(alpha.unwrap_or(ELU_ALPHA));
                ("Elu", vec![("alpha", alpha)])
            }
            Activation::Relu6 => return self.relu6(key, x),
            Activation::Gelu => return self.gelu(key, x),
            Activation::Silu => return self.silu(key, x),
            Activation::Step => return self.step(key, x),
        };
        self.operator(op, key, vec![x], attributes)
    }

    /// Adds a node that is named as its only output.
    fn operator(
        &mut self,
        op: &'static str,
        name: &str,
        inputs: Vec<String>,
        attributes: Vec<(&'static str, Value)>,
    ) -> String {
        self.operator_with(op, name, inputs, attributes, Vec::new())
    }

    /// The same with more outputs behind the first.
    fn operator_with(
        &mut self,
        op: &'static str,
        name: &str,
        inputs: Vec<String>,
        attributes: Vec<(&'static str, Value)>,
        others: Vec<String>,
    ) -> String {
        let outputs = [vec![name.to_owned()], others].concat();
        self.graph.push(Node {
            op,
            name: name.to_owned(),
            inputs,
            outputs,
            attributes,
            about: self.texts.get(name).cloned().unwrap_or_default(),
        });
        name.to_owned()
    }

    /// Adds a tensor of the weights as it is.
    fn weight(&mut self, key: &str, name: &str) -> Result<String, ExportError> {
        let key = format!("{key}.{name}");
        let (dims, values) = self.read(&key)?;
        Ok(self.graph.reals(&key, &dims, &values))
    }

    /// Adds a tensor with a number for each channel (or one for all) in the shape that stands before `axes` of space.
    fn shaped_weight(
        &mut self,
        key: &str,
        name: &str,
        channels: usize,
        axes: usize,
    ) -> Result<String, ExportError> {
        let key = format!("{key}.{name}");
        let (_, values) = self.read(&key)?;
        let dims = [vec![channels], vec![1; axes]].concat();
        Ok(self.graph.reals(&key, &dims, &values))
    }

    fn read(&self, key: &str) -> Result<(Vec<usize>, Vec<f32>), ExportError> {
        let tensor = self
            .weights
            .get(key)
            .ok_or_else(|| ExportError::Missing(key.to_owned()))?;
        let values = tensor
            .to_dtype(DType::F32)
            .and_then(|tensor| tensor.flatten_all())
            .and_then(|tensor| tensor.to_vec1::<f32>());
        match values {
            Ok(values) => Ok((tensor.dims().to_vec(), values)),
            Err(error) => Err(ExportError::Tensor {
                key: key.to_owned(),
                reason: error.to_string(),
            }),
        }
    }
}

fn epsilon() -> Vec<(&'static str, Value)> {
    vec![("epsilon", Value::Real(NORM_EPS as f32))]
}

/// The sizes of a window over the axes there are.
fn window(geometry: &Geometry, axes: usize) -> Vec<(&'static str, Value)> {
    let own = |sizes: &[usize; 3]| {
        Value::Wholes(sizes[3 - axes..].iter().map(|&size| size as i64).collect())
    };
    vec![
        ("kernel_shape", own(&geometry.kernel)),
        ("strides", own(&geometry.stride)),
        ("dilations", own(&geometry.dilation)),
    ]
}

/// Margins of the axes there are: those before all of them, then those behind.
fn pads(before: [i64; 3], after: [i64; 3], axes: usize) -> Value {
    Value::Wholes([&before[3 - axes..], &after[3 - axes..]].concat())
}

/// The dimensions of a batch of this shape for `Reshape`, which keeps the first where it says 0.
fn batch_of(shape: &Shape) -> Vec<i64> {
    let sizes = shape.dims().iter().map(|&size| size as i64);
    std::iter::once(0).chain(sizes).collect()
}
