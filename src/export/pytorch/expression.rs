//! Layers as expressions of Python.

use super::class::{Class, Classes};
use crate::windows::{margins_after, spread};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use strata_core::project::layer::Activation;
use strata_core::shape::layers::{ELU_ALPHA, LEAKY_SLOPE};
use strata_core::shape::op::{Geometry, Op, Planned, PlannedLayer};

/// Writes stacks, and collects what their layers need besides.
pub(super) struct Writer {
    /// The slots of the max poolings that are undone.
    undone: BTreeSet<usize>,
    /// Where each of them is written.
    pools: BTreeMap<usize, String>,
    /// Each unpooling with the slot that it undoes.
    unpools: Vec<(String, usize)>,
    /// The layers' own texts by place.
    texts: BTreeMap<String, String>,
    classes: Classes,
}

impl Writer {
    pub(super) fn new(undone: BTreeSet<usize>, texts: BTreeMap<String, String>) -> Writer {
        Writer {
            undone,
            pools: BTreeMap::new(),
            unpools: Vec::new(),
            texts,
            classes: Classes::default(),
        }
    }

    pub(super) fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Each unpooling with the pooling that it undoes, as Python names them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unpools
            .iter()
            .filter_map(|(unpool, slot)| Some((unpool.as_str(), self.pools.get(slot)?.as_str())))
    }

    /// Writes layers one after the other as `nn.Sequential`, behind what stands on its line.
    pub(super) fn sequence(
        &mut self,
        planned: &[Planned],
        path: &str,
        depth: usize,
        out: &mut String,
    ) {
        let nodes = planned.iter().map(Node::Planned).collect();
        self.call("nn.Sequential(", nodes, ")", path, depth, out);
    }

    fn node(&mut self, node: &Node<'_>, path: &str, depth: usize, out: &mut String) {
        match node {
            Node::Sequence(planned) => self.sequence(planned, path, depth, out),
            Node::Planned(Planned::Layer(layer)) => {
                let layer_code = self.layer(layer, path);
                out.push_str(&layer_code);
            }
            Node::Planned(Planned::Add { branches, .. }) => {
                let open = format!("{}([", self.classes.need(Class::Add, 2));
                self.call(&open, sequences(branches), "])", path, depth, out);
            }
            Node::Planned(Planned::Concat { branches, .. }) => {
                let open = format!("{}([", self.classes.need(Class::Concat, 2));
                self.call(&open, sequences(branches), "])", path, depth, out);
            }
            Node::Planned(Planned::Repeat { passes, .. }) => {
                self.call("nn.Sequential(", sequences(passes), ")", path, depth, out);
            }
        }
    }

    /// Writes a call with an argument a line, each with the layer's own text behind it.
    fn call(
        &mut self,
        open: &str,
        arguments: Vec<Node<'_>>,
        close: &str,
        path: &str,
        depth: usize,
        out: &mut String,
    ) {
        out.push_str(open);
        if !arguments.is_empty() {
            out.push('\n');
        }
        for (index, argument) in arguments.iter().enumerate() {
            indent(depth + 1, out);
            self.node(argument, &format!("{path}[{index}]"), depth + 1, out);
            out.push(',');
            if let Node::Planned(Planned::Layer(layer)) = argument {
                let text = self.texts.get(&layer.place.to_string());
                let text = text.map_or("", String::as_str);
                let _ = write!(out, "  # {text}: {}", layer.output);
            }
            out.push('\n');
        }
        if !arguments.is_empty() {
            indent(depth, out);
        }
        out.push_str(close);
    }

    fn layer(&mut self, layer: &PlannedLayer, path: &str) -> String {
        let axes = layer.input.rank();
        match &layer.op {
            Op::Conv {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => self.conv(
                (*in_channels, *out_channels),
                *groups,
                *bias,
                geometry,
                axes,
            ),
            Op::ConvTranspose {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => self.transposed(
                (*in_channels, *out_channels),
                *groups,
                *bias,
                geometry,
                axes,
            ),
            Op::SeparableConv {
                in_channels,
                out_channels,
                bias,
                geometry,
            } => {
                let depthwise = self.conv(
                    (*in_channels, *in_channels),
                    *in_channels,
                    false,
                    geometry,
                    axes,
                );
                let points = Geometry::pointwise(geometry.output);
                let pointwise = self.conv((*in_channels, *out_channels), 1, *bias, &points, axes);
                let name = self.classes.need(Class::SeparableConv, axes);
                format!("{name}({depthwise}, {pointwise})")
            }
            Op::MaxPool { geometry, slot } => self.max_pool(geometry, *slot, axes, path),
            Op::AvgPool {
                geometry,
                count_padding,
            } => self.average_pool(geometry, *count_padding, axes),
            Op::Unpool { slot, .. } => {
                self.unpools.push((path.to_owned(), *slot));
                format!("{}()", self.classes.need(Class::Unpool, axes))
            }
            Op::Upsample {
                factor, bilinear, ..
            } => upsample(factor, *bilinear, axes),
            Op::GlobalAvgPool => format!("{}()", self.classes.need(Class::GlobalAveragePool, axes)),
            Op::GlobalMaxPool => format!("{}()", self.classes.need(Class::GlobalMaxPool, axes)),
            Op::AdaptiveAvgPool { output, .. } => {
                format!("nn.AdaptiveAvgPool{axes}d({})", sizes(output, axes))
            }
            Op::Flatten => "nn.Flatten()".into(),
            Op::Reshape => {
                let name = self.classes.need(Class::Reshape, axes);
                format!("{name}({})", listed(layer.output.dims()))
            }
            Op::Dense {
                in_features,
                out_features,
                bias,
            } => Call::of("nn.Linear")
                .with(in_features)
                .with(out_features)
                .with_unless_default("bias", python(*bias), "True")
                .text(),
            Op::BatchNorm { channels } => format!("nn.BatchNorm{}d({channels})", axes.max(1)),
            Op::GroupNorm { channels, groups } => format!("nn.GroupNorm({groups}, {channels})"),
            Op::LayerNorm => format!("nn.LayerNorm([{}])", listed(layer.input.dims())),
            Op::Dropout { p, channels } => match (channels, axes) {
                (true, 1..) => format!("nn.Dropout{axes}d({p:?})"),
                (true, 0) | (false, _) => format!("nn.Dropout({p:?})"),
            },
            Op::Activation(function) => self.activation(*function),
            Op::PRelu { channels } => Call::of("nn.PReLU")
                .with_unless_default("num_parameters", channels.unwrap_or(1), "1")
                .text(),
            Op::Softmax => "nn.Softmax(dim=1)".into(),
            Op::Noise { std } => format!("{}({std:?})", self.classes.need(Class::Noise, axes)),
            Op::Pad { before, after } => {
                format!("nn.ZeroPad{axes}d({})", margins(*before, *after, axes))
            }
            Op::Crop { before, after } => {
                let name = self.classes.need(Class::Crop, axes);
                format!("{name}{}", margins(*before, *after, axes))
            }
            Op::Identity => "nn.Identity()".into(),
        }
    }

    fn conv(
        &mut self,
        (from, to): (usize, usize),
        groups: usize,
        bias: bool,
        geometry: &Geometry,
        axes: usize,
    ) -> String {
        let native = is_symmetric(geometry);
        let name = match native {
            true => format!("nn.Conv{axes}d"),
            false => self.classes.need(Class::PaddedConv, axes),
        };
        let call = Call::of(&name)
            .with(from)
            .with(to)
            .with(sizes(&geometry.kernel, axes))
            .with_unless_default("stride", sizes(&geometry.stride, axes), "1");
        let call = match native {
            true => call.with_unless_default("padding", sizes(&geometry.pad, axes), "0"),
            false => call.with_option("margins", margins_around(geometry, axes)),
        };
        call.with_unless_default("dilation", sizes(&geometry.dilation, axes), "1")
            .with_unless_default("groups", groups, "1")
            .with_unless_default("bias", python(bias), "True")
            .text()
    }

    /// A transposed convolution. `geometry` is that of the convolution that it is the transpose of.
    fn transposed(
        &mut self,
        (from, to): (usize, usize),
        groups: usize,
        bias: bool,
        geometry: &Geometry,
        axes: usize,
    ) -> String {
        // What PyTorch calls output padding: what the other sizes leave open.
        let open = |axis: usize| {
            geometry.input[axis] as i64 - spread(geometry, axis) + 2 * geometry.pad[axis] as i64
        };
        let most = |axis: usize| geometry.stride[axis].max(geometry.dilation[axis]) as i64;
        let native = (0..3).all(|axis| (0..most(axis)).contains(&open(axis)));
        let name = match native {
            true => format!("nn.ConvTranspose{axes}d"),
            false => self.classes.need(Class::Spread, axes),
        };
        let call = Call::of(&name)
            .with(from)
            .with(to)
            .with(sizes(&geometry.kernel, axes))
            .with_unless_default("stride", sizes(&geometry.stride, axes), "1");
        let call = if native {
            let open = [0, 1, 2].map(|axis| open(axis) as usize);
            call.with_unless_default("padding", sizes(&geometry.pad, axes), "0")
                .with_unless_default("output_padding", sizes(&open, axes), "0")
        } else {
            let before = [0, 1, 2].map(|axis| -(geometry.pad[axis] as i64));
            let after = [0, 1, 2]
                .map(|axis| geometry.input[axis] as i64 - spread(geometry, axis) - before[axis]);
            call.with_option("margins", margins(before, after, axes))
        };
        call.with_unless_default("groups", groups, "1")
            .with_unless_default("bias", python(bias), "True")
            .with_unless_default("dilation", sizes(&geometry.dilation, axes), "1")
            .text()
    }

    fn max_pool(&mut self, geometry: &Geometry, slot: usize, axes: usize, path: &str) -> String {
        let (kernel, stride) = (sizes(&geometry.kernel, axes), sizes(&geometry.stride, axes));
        let dilation = sizes(&geometry.dilation, axes);
        if self.undone.contains(&slot) {
            self.pools.insert(slot, path.to_owned());
            let name = self.classes.need(Class::KeepingMaxPool, axes);
            let margins = margins_around(geometry, axes);
            return format!(
                "{name}({kernel}, stride={stride}, dilation={dilation}, margins={margins})"
            );
        }
        let native = is_symmetric(geometry);
        let name = match native {
            true => format!("nn.MaxPool{axes}d"),
            false => self.classes.need(Class::PaddedMaxPool, axes),
        };
        let call = Call::of(&name)
            .with(&kernel)
            .with_unless_default("stride", stride, &kernel);
        let call = match native {
            true => call.with_unless_default("padding", sizes(&geometry.pad, axes), "0"),
            false => call.with_option("margins", margins_around(geometry, axes)),
        };
        call.with_unless_default("dilation", dilation, "1").text()
    }

    fn average_pool(&mut self, geometry: &Geometry, count_padding: bool, axes: usize) -> String {
        let (kernel, stride) = (sizes(&geometry.kernel, axes), sizes(&geometry.stride, axes));
        let is_padded =
            geometry.pad != [0; 3] || margins_after(geometry).iter().any(|&after| after > 0);
        let native =
            geometry.dilation == [1; 3] && is_symmetric(geometry) && (count_padding || !is_padded);
        if native {
            return Call::of(&format!("nn.AvgPool{axes}d"))
                .with(&kernel)
                .with_unless_default("stride", stride, &kernel)
                .with_unless_default("padding", sizes(&geometry.pad, axes), "0")
                .text();
        }
        let name = self.classes.need(Class::AveragePool, axes);
        let own = |sizes: &[usize; 3]| format!("({},)", listed(&sizes[3 - axes..]));
        Call::of(&name)
            .with(own(&geometry.kernel))
            .with_option("stride", own(&geometry.stride))
            .with_option("dilation", own(&geometry.dilation))
            .with_option("margins", margins_around(geometry, axes))
            .with_option("count_margins", python(count_padding))
            .text()
    }

    fn activation(&mut self, function: Activation) -> String {
        match function {
            Activation::Relu => "nn.ReLU()".into(),
            Activation::Relu6 => "nn.ReLU6()".into(),
            Activation::LeakyRelu(slope) => {
                format!("nn.LeakyReLU({:?})", slope.unwrap_or(LEAKY_SLOPE))
            }
            Activation::Elu(alpha) => Call::of("nn.ELU")
                .with_unless_default("alpha", format!("{:?}", alpha.unwrap_or(ELU_ALPHA)), "1.0")
                .text(),
            Activation::Gelu => "nn.GELU()".into(),
            Activation::Silu => "nn.SiLU()".into(),
            Activation::Sigmoid => "nn.Sigmoid()".into(),
            Activation::Tanh => "nn.Tanh()".into(),
            Activation::HardSwish => "nn.Hardswish()".into(),
            Activation::Step => format!("{}()", self.classes.need(Class::Step, 2)),
        }
    }
}

fn upsample(factor: &[usize; 3], bilinear: bool, axes: usize) -> String {
    let mode = match (bilinear, axes) {
        (false, _) => "nearest",
        (true, 1) => "linear",
        (true, 2) => "bilinear",
        (true, _) => "trilinear",
    };
    let factor = sizes(factor, axes);
    Call::of("nn.Upsample")
        .with_option("scale_factor", factor)
        .with_unless_default("mode", format!("\"{mode}\""), "\"nearest\"")
        .text()
}

/// What stands as an argument: a layer or block, or the layers of a branch.
enum Node<'a> {
    Planned(&'a Planned),
    Sequence(&'a [Planned]),
}

fn sequences(branches: &[Vec<Planned>]) -> Vec<Node<'_>> {
    branches
        .iter()
        .map(|branch| Node::Sequence(branch))
        .collect()
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("    ", depth));
}

/// A call that is put together argument by argument.
struct Call {
    name: String,
    arguments: Vec<String>,
}

impl Call {
    fn of(name: &str) -> Call {
        Call {
            name: name.to_owned(),
            arguments: Vec::new(),
        }
    }

    fn with(mut self, argument: impl ToString) -> Call {
        self.arguments.push(argument.to_string());
        self
    }

    fn with_option(self, option: &str, value: impl ToString) -> Call {
        self.with(format!("{option}={}", value.to_string()))
    }

    fn with_unless_default(self, option: &str, value: impl ToString, default: &str) -> Call {
        match value.to_string() {
            value if value == default => self,
            value => self.with_option(option, value),
        }
    }

    fn text(self) -> String {
        format!("{}({})", self.name, self.arguments.join(", "))
    }
}

fn python(truth: bool) -> &'static str {
    match truth {
        true => "True",
        false => "False",
    }
}

fn listed(numbers: &[usize]) -> String {
    let texts: Vec<String> = numbers.iter().map(usize::to_string).collect();
    texts.join(", ")
}

/// The sizes of the axes there are: one number where all are equal.
fn sizes(all: &[usize; 3], axes: usize) -> String {
    let own = &all[3 - axes..];
    match own {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => first.to_string(),
        _ => format!("({})", listed(own)),
    }
}

/// What `F.pad` takes: of the last axis first, before and after.
fn margins<T: Copy + ToString>(before: [T; 3], after: [T; 3], axes: usize) -> String {
    let own = (3 - axes..3).rev();
    let texts: Vec<String> = own
        .flat_map(|axis| [before[axis].to_string(), after[axis].to_string()])
        .collect();
    format!("({})", texts.join(", "))
}

fn margins_around(geometry: &Geometry, axes: usize) -> String {
    margins(
        geometry.pad.map(|pad| pad as i64),
        margins_after(geometry),
        axes,
    )
}

/// Whether equal padding on both ends gives these positions, as in PyTorch.
fn is_symmetric(geometry: &Geometry) -> bool {
    (0..3).all(|axis| {
        let room =
            (geometry.input[axis] + 2 * geometry.pad[axis]).checked_sub(geometry.reach(axis));
        room.is_some_and(|room| room / geometry.stride[axis] + 1 == geometry.output[axis])
    })
}
