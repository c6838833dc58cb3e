//! Convolutions and poolings: zeros around them are layers of their own in Keras.

use super::super::graph::{Index, Layer, Variable};
use super::{At, Writer, own, underlined};
use crate::error::ExportError;
use crate::windows::{margins_after, means, spread};
use serde_json::{Value, json};
use strata_core::shape::op::{Geometry, Op};

/// A convolution that is written.
struct Convolution<'a> {
    /// The key of its weights.
    key: String,
    out_channels: usize,
    groups: usize,
    bias: bool,
    geometry: &'a Geometry,
}

impl Writer<'_> {
    pub(super) fn convolution(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let Op::Conv {
            in_channels,
            out_channels,
            groups,
            bias,
            geometry,
        } = &at.layer.op
        else {
            return Err(at.refused("it is no convolution"));
        };
        let x = self.with_margins(at, geometry, at.x);
        let sizes = Convolution {
            key: at.layer.key.clone(),
            out_channels: *out_channels,
            groups: *groups,
            bias: *bias,
            geometry,
        };
        let is_depthwise = groups == in_channels && *groups > 1 && at.axes() < 3;
        match is_depthwise {
            true => self.depthwise(at, &sizes, x),
            false => self.ordinary(at, &sizes, x),
        }
    }

    pub(super) fn separable(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let Op::SeparableConv {
            in_channels,
            out_channels,
            bias,
            geometry,
        } = &at.layer.op
        else {
            return Err(at.refused("it is no separable convolution"));
        };
        let x = self.with_margins(at, geometry, at.x);
        let depthwise = Convolution {
            key: format!("{}.depthwise", at.layer.key),
            out_channels: *in_channels,
            groups: *in_channels,
            bias: false,
            geometry,
        };
        let middle = match at.axes() < 3 && *in_channels > 1 {
            true => self.depthwise(at, &depthwise, x)?,
            false => self.ordinary(at, &depthwise, x)?,
        };
        let pointwise = Convolution {
            key: format!("{}.pointwise", at.layer.key),
            out_channels: *out_channels,
            groups: 1,
            bias: *bias,
            geometry: &Geometry::pointwise(geometry.output),
        };
        self.ordinary(at, &pointwise, middle)
    }

    /// Keras moves its windows by steps or spreads them, not both.
    fn check_steps(&self, at: At<'_>, geometry: &Geometry) -> Result<(), ExportError> {
        let is_spread = geometry.stride.iter().any(|&step| step > 1)
            && geometry.dilation.iter().any(|&apart| apart > 1);
        match is_spread {
            true => Err(at.refused("it has no convolution with both a stride and a dilation")),
            false => Ok(()),
        }
    }

    fn ordinary(
        &mut self,
        at: At<'_>,
        sizes: &Convolution<'_>,
        x: Index,
    ) -> Result<Index, ExportError> {
        self.check_steps(at, sizes.geometry)?;
        let axes = at.axes();
        // From [out, in, window…] to [window…, in, out].
        let order: Vec<usize> = (2..2 + axes).chain([1, 0]).collect();
        let variables = self.kernel_and_bias(sizes, &order)?;
        let config = json!({
            "filters": sizes.out_channels,
            "kernel_size": own(&sizes.geometry.kernel, axes),
            "strides": own(&sizes.geometry.stride, axes),
            "dilation_rate": own(&sizes.geometry.dilation, axes),
            "groups": sizes.groups,
            "padding": "valid",
            "use_bias": sizes.bias,
        });
        let class = format!("Conv{axes}D");
        Ok(self.convolved(at, &class, config, sizes, variables, x))
    }

    fn depthwise(
        &mut self,
        at: At<'_>,
        sizes: &Convolution<'_>,
        x: Index,
    ) -> Result<Index, ExportError> {
        self.check_steps(at, sizes.geometry)?;
        let axes = at.axes();
        let strides = own(&sizes.geometry.stride, axes);
        if strides.iter().any(|step| *step != strides[0]) {
            return Err(at.refused("its depthwise convolutions move equally far along every axis"));
        }
        let multiplier = sizes.out_channels / sizes.groups;
        let mut variables = self.kernel_and_bias(sizes, &[])?;
        let window: Vec<usize> = own(&sizes.geometry.kernel, axes);
        variables[0] = by_window(&variables[0], sizes.groups, multiplier, &window);
        let config = json!({
            "kernel_size": window,
            "strides": strides,
            "dilation_rate": own(&sizes.geometry.dilation, axes),
            "depth_multiplier": multiplier,
            "padding": "valid",
            "use_bias": sizes.bias,
        });
        let class = format!("DepthwiseConv{axes}D");
        Ok(self.convolved(at, &class, config, sizes, variables, x))
    }

    fn kernel_and_bias(
        &self,
        sizes: &Convolution<'_>,
        order: &[usize],
    ) -> Result<Vec<Variable>, ExportError> {
        let mut variables = vec![self.turned(&sizes.key, "weight", order)?];
        if sizes.bias {
            variables.push(self.list(&sizes.key, "bias")?);
        }
        Ok(variables)
    }

    fn convolved(
        &mut self,
        at: At<'_>,
        class: &str,
        config: Value,
        sizes: &Convolution<'_>,
        variables: Vec<Variable>,
        x: Index,
    ) -> Index {
        let mut shape = own(&sizes.geometry.output, at.axes());
        shape.push(sizes.out_channels);
        self.graph.push(Layer {
            class: class.into(),
            name: underlined(&sizes.key),
            config,
            inputs: vec![x],
            shape,
            variables,
            is_random: false,
        })
    }

    /// The whole result of a transposed convolution, cut to its size by a layer behind it.
    pub(super) fn transposed(&mut self, at: At<'_>) -> Result<Index, ExportError> {
        let Op::ConvTranspose {
            out_channels,
            groups,
            bias,
            geometry,
            ..
        } = &at.layer.op
        else {
            return Err(at.refused("it is no transposed convolution"));
        };
        self.check_steps(at, geometry)?;
        if *groups > 1 {
            return Err(at.refused("its transposed convolutions have no groups"));
        }
        let axes = at.axes();
        let before = geometry.pad;
        let end = |axis: usize| {
            keras_spread(geometry, axis) - before[axis] as i64 - geometry.input[axis] as i64
        };
        // Where something is missing behind the whole result, zeros behind the input make it longer, and what is then
        // too much is cut.
        let more =
            [0, 1, 2].map(|axis| ((-end(axis)).max(0) as usize).div_ceil(geometry.stride[axis]));
        let cut = [0, 1, 2]
            .map(|axis| (end(axis) + (more[axis] * geometry.stride[axis]) as i64) as usize);
        let x = match more {
            [0, 0, 0] => at.x,
            _ => self.padded(at, "_padding", at.x, &vec![0; axes], &own(&more, axes)),
        };
        let sizes = Convolution {
            key: at.layer.key.clone(),
            out_channels: *out_channels,
            groups: 1,
            bias: *bias,
            geometry,
        };
        // From [in, out, window…] to [window…, out, in].
        let order: Vec<usize> = (2..2 + axes).chain([1, 0]).collect();
        let variables = self.kernel_and_bias(&sizes, &order)?;
        let is_cut = before != [0; 3] || cut != [0; 3];
        let config = json!({
            "filters": out_channels,
            "kernel_size": own(&geometry.kernel, axes),
            "strides": own(&geometry.stride, axes),
            "dilation_rate": own(&geometry.dilation, axes),
            "padding": "valid",
            "use_bias": bias,
        });
        let mut shape: Vec<usize> = (3 - axes..3)
            .map(|axis| before[axis] + geometry.input[axis] + cut[axis])
            .collect();
        shape.push(*out_channels);
        let name = underlined(&at.layer.key);
        let whole = self.graph.push(Layer {
            class: format!("Conv{axes}DTranspose"),
            name: if is_cut {
                format!("{name}_whole")
            } else {
                name
            },
            config,
            inputs: vec![x],
            shape,
            variables,
            is_random: false,
        });
        Ok(match is_cut {
            true => self.cropped(at, "", whole, &own(&before, axes), &own(&cut, axes)),
            false => whole,
        })
    }

    pub(super) fn max_pool(
        &mut self,
        at: At<'_>,
        geometry: &Geometry,
    ) -> Result<Index, ExportError> {
        if geometry.dilation != [1; 3] {
            return Err(at.refused("its max pooling has no dilation"));
        }
        if !has_margins(geometry) {
            return Ok(self.pooled(at, "MaxPooling", geometry, "valid", at.x));
        }
        if is_same(geometry) {
            return Ok(self.pooled(at, "MaxPooling", geometry, "same", at.x));
        }
        if !self.positive.contains(&at.x) {
            let reason = "its max pooling has no padding but same; put relu before it, or use same";
            return Err(at.refused(reason));
        }
        // No value is below zero, so zeros around them change no maximum.
        let x = self.with_margins(at, geometry, at.x);
        Ok(self.pooled(at, "MaxPooling", geometry, "valid", x))
    }

    pub(super) fn average_pool(
        &mut self,
        at: At<'_>,
        geometry: &Geometry,
        count_padding: bool,
    ) -> Result<Index, ExportError> {
        // Backends differ in what they divide by at the borders.
        if geometry.dilation != [1; 3] || (has_margins(geometry) && !count_padding) {
            let shares = |axis| window_shares(geometry, axis, count_padding);
            return Ok(self.averaged(at, &geometry.output, &shares));
        }
        let x = self.with_margins(at, geometry, at.x);
        Ok(self.pooled(at, "AveragePooling", geometry, "valid", x))
    }

    fn pooled(
        &mut self,
        at: At<'_>,
        class: &str,
        geometry: &Geometry,
        padding: &str,
        x: Index,
    ) -> Index {
        let axes = at.axes();
        let config = json!({
            "pool_size": own(&geometry.kernel, axes),
            "strides": own(&geometry.stride, axes),
            "padding": padding,
        });
        let shape = super::channels_last(&at.layer.output);
        self.push(at, "", &format!("{class}{axes}D"), config, x, shape)
    }

    /// The means over windows of different sizes.
    pub(super) fn adaptive_pool(
        &mut self,
        at: At<'_>,
        input: &[usize; 3],
        output: &[usize; 3],
    ) -> Index {
        self.averaged(at, output, &|axis| means(input[axis], output[axis]))
    }

    /// Means over windows, along each axis a product with the matrix of the shares (`[input, output]`).
    fn averaged(
        &mut self,
        at: At<'_>,
        output: &[usize; 3],
        shares: &dyn Fn(usize) -> Vec<f32>,
    ) -> Index {
        let axes = at.axes();
        let mut x = at.x;
        for axis in 0..axes {
            let mut order: Vec<usize> = (1..=axes + 1).collect();
            order.swap(axis, axes);
            let turn = json!({ "dims": order });
            let mut shape = self.graph.shape(x).to_vec();
            shape.swap(axis, axes);
            let suffix = format!("_turned_{axis}");
            let turned = self.push(at, &suffix, "Permute", turn.clone(), x, shape.clone());
            let (from, to) = (shape[axes], output[3 - axes + axis]);
            shape[axes] = to;
            let pooled = self.graph.push(Layer {
                class: "Dense".into(),
                name: format!("{}_means_{axis}", underlined(&at.layer.key)),
                config: json!({ "units": to, "use_bias": false, "trainable": false }),
                inputs: vec![turned],
                shape: shape.clone(),
                variables: vec![Variable {
                    dims: vec![from, to],
                    values: shares(3 - axes + axis),
                }],
                is_random: false,
            });
            shape.swap(axis, axes);
            let suffix = match axis + 1 == axes {
                true => String::new(),
                false => format!("_pooled_{axis}"),
            };
            x = self.push(at, &suffix, "Permute", turn, pooled, shape);
        }
        x
    }

    /// The zeros around the input that the windows read.
    fn with_margins(&mut self, at: At<'_>, geometry: &Geometry, x: Index) -> Index {
        let axes = at.axes();
        let after = margins_after(geometry).map(|zeros| zeros.max(0) as usize);
        match has_margins(geometry) {
            true => self.padded(
                at,
                "_padding",
                x,
                &own(&geometry.pad, axes),
                &own(&after, axes),
            ),
            false => x,
        }
    }

    /// Zeros before and after each axis.
    pub(super) fn padded(
        &mut self,
        at: At<'_>,
        suffix: &str,
        x: Index,
        before: &[usize],
        after: &[usize],
    ) -> Index {
        let sides = before.iter().zip(after);
        let mut shape = self.graph.shape(x).to_vec();
        for (size, (before, after)) in shape.iter_mut().zip(sides) {
            *size += before + after;
        }
        let config = json!({ "padding": pairs(before, after) });
        self.push(
            at,
            suffix,
            &format!("ZeroPadding{}D", before.len()),
            config,
            x,
            shape,
        )
    }

    /// Cuts before and after each axis.
    pub(super) fn cropped(
        &mut self,
        at: At<'_>,
        suffix: &str,
        x: Index,
        before: &[usize],
        after: &[usize],
    ) -> Index {
        let sides = before.iter().zip(after);
        let mut shape = self.graph.shape(x).to_vec();
        for (size, (before, after)) in shape.iter_mut().zip(sides) {
            *size -= before + after;
        }
        let config = json!({ "cropping": pairs(before, after) });
        self.push(
            at,
            suffix,
            &format!("Cropping{}D", before.len()),
            config,
            x,
            shape,
        )
    }
}

/// Before and after each axis; of a signal without a list around the only pair.
fn pairs(before: &[usize], after: &[usize]) -> Value {
    let pairs: Vec<Value> = before
        .iter()
        .zip(after)
        .map(|(before, after)| json!([before, after]))
        .collect();
    match pairs.as_slice() {
        [only] => only.clone(),
        _ => pairs.into(),
    }
}

/// From [groups × multiplier, 1, window…] to [window…, groups, multiplier].
fn by_window(kernel: &Variable, groups: usize, multiplier: usize, window: &[usize]) -> Variable {
    let cells: usize = window.iter().product();
    let mut values = vec![0.0; kernel.values.len()];
    for channel in 0..groups * multiplier {
        for cell in 0..cells {
            values[cell * groups * multiplier + channel] = kernel.values[channel * cells + cell];
        }
    }
    Variable {
        dims: [window, &[groups, multiplier]].concat(),
        values,
    }
}

/// `[input, output]`: the share that each value has in the mean over a window along an axis.
fn window_shares(geometry: &Geometry, axis: usize, count_padding: bool) -> Vec<f32> {
    let (from, to) = (geometry.input[axis], geometry.output[axis]);
    let mut shares = vec![0.0; from * to];
    for position in 0..to {
        let first = position * geometry.stride[axis];
        let cells = (0..geometry.kernel[axis]).map(|cell| first + cell * geometry.dilation[axis]);
        let inside = cells.filter_map(|cell| cell.checked_sub(geometry.pad[axis]));
        let inside: Vec<usize> = inside.filter(|cell| *cell < from).collect();
        let count = match count_padding {
            true => geometry.kernel[axis],
            false => inside.len(),
        };
        for cell in inside {
            shares[cell * to + position] = 1.0 / count as f32;
        }
    }
    shares
}

/// What Keras makes of a transposed convolution before anything is cut off: never less than a stride for each value.
/// `geometry` is that of the convolution that it is the transpose of.
fn keras_spread(geometry: &Geometry, axis: usize) -> i64 {
    spread(geometry, axis) + geometry.stride[axis].saturating_sub(geometry.reach(axis)) as i64
}

/// Whether the windows read beyond the input.
fn has_margins(geometry: &Geometry) -> bool {
    geometry.pad != [0; 3] || margins_after(geometry).iter().any(|&zeros| zeros > 0)
}

/// Whether these are the margins of TensorFlow's `same`: ⌈n/s⌉ positions, the odd zero at the end.
fn is_same(geometry: &Geometry) -> bool {
    (0..3).all(|axis| {
        let (size, step) = (geometry.input[axis], geometry.stride[axis]);
        let positions = size.div_ceil(step);
        let zeros = ((positions - 1) * step + geometry.reach(axis)).saturating_sub(size);
        geometry.output[axis] == positions && geometry.pad[axis] == zeros / 2
    })
}
