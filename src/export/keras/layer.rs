//! Layers as layers of Keras.

mod windows;

use super::graph::{Graph, Index, Layer, Variable, channels_last};
use crate::error::ExportError;
use candle_core::{DType, Tensor};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use strata_core::project::layer::Activation;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE, NORM_EPS};
use strata_core::shape::op::{Op, Planned, PlannedLayer};

/// PyTorch's momentum of running statistics counts the new one, Keras's the old one.
const KEPT_STATISTICS: f64 = 0.9;

/// Writes stacks into a graph.
pub(super) struct Writer<'a> {
    graph: &'a mut Graph,
    weights: &'a HashMap<String, Tensor>,
    /// The layers whose values are never below zero.
    positive: HashSet<Index>,
}

/// The layer that is written, and what it reads.
#[derive(Clone, Copy)]
struct At<'a> {
    layer: &'a PlannedLayer,
    x: Index,
}

impl At<'_> {
    fn axes(&self) -> usize {
        self.layer.input.rank()
    }

    /// What keeps the layer from being written.
    fn refused(&self, reason: &str) -> ExportError {
        ExportError::Unknown {
            place: self.layer.place.clone(),
            program: "Keras",
            reason: reason.to_owned(),
        }
    }
}

impl<'a> Writer<'a> {
    pub(super) fn new(graph: &'a mut Graph, weights: &'a HashMap<String, Tensor>) -> Writer<'a> {
        Writer {
            graph,
            weights,
            positive: HashSet::new(),
        }
    }

    /// Writes layers one after the other; gives the last. `path` is the stack's or branch's name.
    pub(super) fn sequence(
        &mut self,
        planned: &[Planned],
        path: &str,
        x: Index,
    ) -> Result<Index, ExportError> {
        let mut last = x;
        for (index, node) in planned.iter().enumerate() {
            last = self.node(node, &format!("{path}.{index}"), last)?;
        }
        Ok(last)
    }

    fn node(&mut self, node: &Planned, path: &str, x: Index) -> Result<Index, ExportError> {
        match node {
            Planned::Layer(layer) => self.layer(At { layer, x }),
            Planned::Add { branches, .. } => self.joined("Add", json!({}), branches, path, x),
            Planned::Concat { branches, .. } => {
                self.joined("Concatenate", json!({ "axis": -1 }), branches, path, x)
            }
            Planned::Repeat { passes, .. } => {
                let mut last = x;
                for (index, pass) in passes.iter().enumerate() {
                    last = self.sequence(pass, &format!("{path}.{index}"), last)?;
                }
                Ok(last)
            }
        }
    }

    fn joined(
        &mut self,
        class: &str,
        config: Value,
        branches: &[Vec<Planned>],
        path: &str,
        x: Index,
    ) -> Result<Index, ExportError> {
        let mut inputs = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            inputs.push(self.sequence(branch, &format!("{path}.{index}"), x)?);
        }
        if let [only] = inputs.as_slice() {
            return Ok(*only);
        }
        let is_positive = inputs.iter().all(|input| self.positive.contains(input));
        let mut shape = self.graph.shape(inputs[0]).to_vec();
        if class == "Concatenate" {
            let channels = inputs
                .iter()
                .filter_map(|&input| self.graph.shape(input).last());
            let channels = channels.sum();
            if let Some(last) = shape.last_mut() {
                *last = channels;
            }
        }
        let joined = self.graph.push(Layer {
            class: class.into(),
            name: underlined(path),
            config,
            inputs,
            shape,
            variables: Vec::new(),
            is_random: false,
        });
        if is_positive {
            self.positive.insert(joined);
        }
        Ok(joined)
    }

    fn layer(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let written = self.written(at)?;
        if self.is_positive(at) {
            self.positive.insert(written);
        }
        Ok(written)
    }

    /// Whether none of the layer's values is below zero.
    fn is_positive(&self, at: At<'_>) -> bool {
        let pools = matches!(at.layer.op, Op::MaxPool { .. } | Op::AvgPool { .. });
        match &at.layer.op {
            Op::Activation(function) => function.range().is_some_and(|[lowest, _]| lowest >= 0.0),
            Op::Softmax => true,
            _ => pools && self.positive.contains(&at.x),
        }
    }

    fn written(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let (axes, key) = (at.axes(), at.layer.key.as_str());
        let plain = |class: &str| (class.to_owned(), json!({}));
        let (class, config) = match &at.layer.op {
            Op::Conv { .. } => return self.convolution(at),
            Op::ConvTranspose { .. } => return self.transposed(at),
            Op::SeparableConv { .. } => return self.separable(at),
            Op::MaxPool { geometry, .. } => return self.max_pool(at, geometry),
            Op::AvgPool {
                geometry,
                count_padding,
            } => return self.average_pool(at, geometry, *count_padding),
            Op::Unpool { .. } => {
                return Err(at.refused("it has no unpooling; use upsample or convt"));
            }
            Op::Upsample {
                factor, bilinear, ..
            } => {
                let size = &factor[3 - axes..];
                match (bilinear, axes) {
                    (true, 2) => (
                        "UpSampling2D".into(),
                        json!({ "size": size, "interpolation": "bilinear" }),
                    ),
                    (true, _) => return Err(at.refused("it interpolates images only")),
                    (false, 1) => ("UpSampling1D".into(), json!({ "size": size[0] })),
                    (false, _) => (format!("UpSampling{axes}D"), json!({ "size": size })),
                }
            }
            Op::GlobalAvgPool => plain(&format!("GlobalAveragePooling{axes}D")),
            Op::GlobalMaxPool => plain(&format!("GlobalMaxPooling{axes}D")),
            Op::AdaptiveAvgPool { input, output } => {
                return Ok(self.adaptive_pool(at, input, output));
            }
            Op::Flatten => return Ok(self.flattened(at)),
            Op::Reshape => return Ok(self.reshaped(at)),
            Op::Dense {
                out_features, bias, ..
            } => return self.dense(at, *out_features, *bias),
            Op::BatchNorm { .. } => return self.batch_norm(at),
            Op::GroupNorm { groups, .. } => {
                let config = json!({ "groups": groups, "axis": -1, "epsilon": NORM_EPS });
                let variables = vec![self.list(key, "weight")?, self.list(key, "bias")?];
                return Ok(self.learned(at, "GroupNormalization", config, variables));
            }
            Op::LayerNorm => return self.layer_norm(at),
            Op::Dropout { p, channels } => {
                let class = match (channels, axes) {
                    (true, 1..) => format!("SpatialDropout{axes}D"),
                    (true, 0) | (false, _) => "Dropout".into(),
                };
                return Ok(self.random(at, &class, json!({ "rate": p }), *p > 0.0));
            }
            Op::Noise { std } => {
                return Ok(self.random(at, "GaussianNoise", json!({ "stddev": std }), *std > 0.0));
            }
            Op::Activation(function) => match activation(*function) {
                Some(written) => written,
                None => return Err(at.refused("it has no step function")),
            },
            Op::PRelu { channels } => return self.prelu(at, *channels),
            Op::Softmax => ("Softmax".into(), json!({ "axis": -1 })),
            Op::Pad { before, after } => {
                return Ok(self.padded(at, "", at.x, &own(before, axes), &own(after, axes)));
            }
            Op::Crop { before, after } => {
                return Ok(self.cropped(at, "", at.x, &own(before, axes), &own(after, axes)));
            }
            Op::Identity => plain("Identity"),
        };
        Ok(self.learned(at, &class, config, Vec::new()))
    }

    /// Keras flattens with the channels last; ours come first.
    fn flattened(&mut self, at: At<'_>) -> Index {
        let x = self.channels_first(at, at.x);
        let shape = channels_last(&at.layer.output);
        self.push(at, "", "Flatten", json!({}), x, shape)
    }

    fn reshaped(&mut self, at: At<'_>) -> Index {
        let x = self.channels_first(at, at.x);
        let output = &at.layer.output;
        let axes = output.rank();
        let first = json!({ "target_shape": output.dims() });
        let suffix = if axes == 0 { "" } else { "_values" };
        let reshaped = self.push(at, suffix, "Reshape", first, x, output.dims().to_vec());
        if axes == 0 {
            return reshaped;
        }
        let order: Vec<usize> = (2..=axes + 1).chain([1]).collect();
        self.push(
            at,
            "",
            "Permute",
            json!({ "dims": order }),
            reshaped,
            channels_last(output),
        )
    }

    /// The values with their channels in front, in the order in which ours lie.
    fn channels_first(&mut self, at: At<'_>, x: Index) -> Index {
        let axes = at.axes();
        if axes == 0 {
            return x;
        }
        let order: Vec<usize> = std::iter::once(axes + 1).chain(1..=axes).collect();
        let shape = at.layer.input.dims().to_vec();
        self.push(
            at,
            "_channels_first",
            "Permute",
            json!({ "dims": order }),
            x,
            shape,
        )
    }

    fn dense(&mut self, at: At<'_>, units: usize, bias: bool) -> Result<Index, ExportError> {
        let key = &at.layer.key;
        let mut variables = vec![self.turned(key, "weight", &[1, 0])?];
        if bias {
            variables.push(self.list(key, "bias")?);
        }
        let config = json!({ "units": units, "use_bias": bias });
        Ok(self.learned(at, "Dense", config, variables))
    }

    fn batch_norm(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let key = &at.layer.key;
        let names = ["weight", "bias", "running_mean", "running_var"];
        let variables = names.into_iter().map(|name| self.list(key, name));
        let variables = variables.collect::<Result<Vec<Variable>, ExportError>>()?;
        let config = json!({ "axis": -1, "epsilon": NORM_EPS, "momentum": KEPT_STATISTICS });
        Ok(self.learned(at, "BatchNormalization", config, variables))
    }

    fn layer_norm(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let key = &at.layer.key;
        let axes = at.axes();
        let order: Vec<usize> = (1..=axes).chain([0]).collect();
        let variables = vec![
            self.turned(key, "weight", &order)?,
            self.turned(key, "bias", &order)?,
        ];
        let along: Vec<usize> = (1..=axes + 1).collect();
        let config = json!({ "axis": along, "epsilon": NORM_EPS });
        Ok(self.learned(at, "LayerNormalization", config, variables))
    }

    fn prelu(&mut self, at: At<'_>, channels: Option<usize>) -> Result<Index, ExportError> {
        let axes = at.axes();
        let mut slopes = self.list(&at.layer.key, "weight")?;
        let mut shared: Vec<usize> = (1..=axes).collect();
        if channels.is_none() {
            shared.push(axes + 1);
        }
        slopes.dims = [vec![1; axes], vec![channels.unwrap_or(1)]].concat();
        Ok(self.learned(at, "PReLU", json!({ "shared_axes": shared }), vec![slopes]))
    }

    fn random(&mut self, at: At<'_>, class: &str, config: Value, is_random: bool) -> Index {
        self.graph.push(Layer {
            class: class.into(),
            name: underlined(&at.layer.key),
            config,
            inputs: vec![at.x],
            shape: channels_last(&at.layer.output),
            variables: Vec::new(),
            is_random,
        })
    }

    /// Adds the layer itself, with what it has learned.
    fn learned(
        &mut self,
        at: At<'_>,
        class: &str,
        config: Value,
        variables: Vec<Variable>,
    ) -> Index {
        self.graph.push(Layer {
            class: class.into(),
            name: underlined(&at.layer.key),
            config,
            inputs: vec![at.x],
            shape: channels_last(&at.layer.output),
            variables,
            is_random: false,
        })
    }

    /// Adds a part of a layer that learns nothing; the last part has no suffix.
    fn push(
        &mut self,
        at: At<'_>,
        suffix: &str,
        class: &str,
        config: Value,
        x: Index,
        shape: Vec<usize>,
    ) -> Index {
        self.graph.push(Layer {
            class: class.into(),
            name: format!("{}{suffix}", underlined(&at.layer.key)),
            config,
            inputs: vec![x],
            shape,
            variables: Vec::new(),
            is_random: false,
        })
    }

    /// A tensor of the weights as a plain list.
    fn list(&self, key: &str, name: &str) -> Result<Variable, ExportError> {
        let mut variable = self.turned(key, name, &[])?;
        variable.dims = vec![variable.values.len()];
        Ok(variable)
    }

    /// A tensor of the weights with its axes in another order; an empty one leaves them.
    fn turned(&self, key: &str, name: &str, order: &[usize]) -> Result<Variable, ExportError> {
        let key = format!("{key}.{name}");
        let tensor = self
            .weights
            .get(&key)
            .ok_or_else(|| ExportError::Missing(key.clone()))?;
        let read = || -> candle_core::Result<Variable> {
            let tensor = match order {
                [] => tensor.clone(),
                order => tensor.permute(order)?,
            };
            let values = tensor.contiguous()?.to_dtype(DType::F32)?.flatten_all()?;
            Ok(Variable {
                dims: tensor.dims().to_vec(),
                values: values.to_vec1()?,
            })
        };
        read().map_err(|error| ExportError::Tensor {
            key: key.clone(),
            reason: error.to_string(),
        })
    }
}

/// The class of a function with its arguments; none of a step.
fn activation(function: Activation) -> Option<(String, Value)> {
    let named = |name: &str| Some(("Activation".to_owned(), json!({ "activation": name })));
    match function {
        Activation::Relu => named("relu"),
        Activation::Relu6 => named("relu6"),
        Activation::Gelu => named("gelu"),
        Activation::Silu => named("silu"),
        Activation::Sigmoid => named("sigmoid"),
        Activation::Tanh => named("tanh"),
        Activation::HardSwish => named("hard_silu"),
        Activation::LeakyRelu(slope) => {
            let slope = slope.unwrap_or(LEAKY_SLOPE);
            Some(("LeakyReLU".into(), json!({ "negative_slope": slope })))
        }
        Activation::Elu(alpha) => {
            let alpha = alpha.unwrap_or(ELU_ALPHA);
            Some(("ELU".into(), json!({ "alpha": alpha })))
        }
        Activation::Step => None,
    }
}

/// The sizes of the axes there are.
fn own(sizes: &[usize; 3], axes: usize) -> Vec<usize> {
    sizes[3 - axes..].to_vec()
}

/// A name without dots: in Keras they part variables from layers.
fn underlined(key: &str) -> String {
    key.replace('.', "_")
}
