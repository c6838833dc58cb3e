//! Convolution, transposed convolution and separable convolution.
//!
//! PyTorch: `Conv1d/2d/3d` and `ConvTranspose1d/2d/3d` (torch.nn). A transposed convolution is the data
//! gradient of the convolution its geometry describes, so both share every kernel.

use super::{Buffer, Layer, Result, as_rows, channels_last, kept};
use crate::nn::network::{Builder, Context};
use crate::nn::ops::convolution::{Convolution, forward_cpu, pack, transposed_cpu, unpack, weight_gradient_cpu};
use crate::nn::ops::device::{DeviceConvolution, DeviceTaps};
use crate::nn::ops::reduce::column_sums;
use crate::nn::ops::storage::{fill, view};
use crate::nn::ops::taps::Taps;
use crate::nn::ops::with_real;
use crate::project::size::Shape;
use crate::shape::op::{Geometry, Op, PlannedLayer};
use candle_core::Tensor;

/// A convolution, or the transpose of one.
pub(crate) struct Conv {
    convolution: Convolution,
    transposed: bool,
    weight: usize,
    bias: Option<usize>,
    input: Shape,
    output: Shape,
    packed: Buffer,
    y: Buffer,
    dx: Buffer,
    dw: Buffer,
    x: Option<Tensor>,
    device_taps: Option<DeviceTaps>,
}

/// What tells one convolution from another.
struct Sizes<'a> {
    geometry: &'a Geometry,
    large: usize,
    small: usize,
    groups: usize,
    bias: bool,
    transposed: bool,
}

impl Conv {
    pub(crate) fn new(planned: &PlannedLayer, builder: &mut Builder<'_>) -> Result<Conv> {
        let sizes = match &planned.op {
            Op::Conv { in_channels, out_channels, groups, bias, geometry } => Sizes {
                geometry,
                large: *in_channels,
                small: *out_channels,
                groups: *groups,
                bias: *bias,
                transposed: false,
            },
            Op::ConvTranspose { in_channels, out_channels, groups, bias, geometry } => Sizes {
                geometry,
                large: *out_channels,
                small: *in_channels,
                groups: *groups,
                bias: *bias,
                transposed: true,
            },
            other => return Err(crate::nn::NnError::Unsupported(format!("{other:?} as a convolution"))),
        };
        Conv::with_sizes(&planned.key, sizes, &planned.input, &planned.output, builder)
    }

    fn with_sizes(
        key: &str,
        sizes: Sizes<'_>,
        input: &Shape,
        output: &Shape,
        builder: &mut Builder<'_>,
    ) -> Result<Conv> {
        let Sizes { geometry, large, small, groups, bias, transposed } = sizes;
        let mut dims = vec![small, large / groups];
        // Only as many kernel axes as the shape has, as PyTorch stores them.
        dims.extend_from_slice(&geometry.kernel[3 - input.rank()..]);
        let fan_in = dims[1..].iter().product();
        let weight = builder.uniform(&format!("{key}.weight"), &dims, fan_in)?;
        let out_channels = if transposed { large } else { small };
        let bias = bias.then(|| builder.uniform(&format!("{key}.bias"), &[out_channels], fan_in)).transpose()?;
        let convolution = Convolution { taps: Taps::new(geometry), large, small, groups };
        Ok(Conv {
            convolution,
            transposed,
            weight,
            bias,
            input: input.clone(),
            output: output.clone(),
            packed: Buffer::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
            dw: Buffer::default(),
            x: None,
            device_taps: None,
        })
    }

    /// `small × large/groups × cells`, for the device.
    fn flat_weight(&self, weight: &Tensor) -> Result<Tensor> {
        let c = &self.convolution;
        Ok(weight.reshape((c.small, c.large / c.groups, c.taps.cells))?)
    }

    fn device_taps(&mut self, x: &Tensor) -> Result<DeviceTaps> {
        if self.device_taps.is_none() {
            self.device_taps = Some(DeviceTaps::new(&self.convolution.taps, x.device())?);
        }
        self.device_taps.clone().ok_or_else(|| crate::nn::NnError::Unsupported("a window without a table".into()))
    }

    /// One way through the convolution: `down` is large to small.
    fn apply(&mut self, x: &Tensor, down: bool, bias: Option<&Tensor>, weight: &Tensor, y: &Tensor) -> Result<()> {
        let (c, packed) = (&self.convolution, self.packed.get(&[self.convolution.weights()], weight)?);
        with_real!(x, T => {
            let raw = view::<T>(weight)?;
            fill::<T>(&packed, |packed| pack(c, &raw, packed))?;
            let (x, w) = (view::<T>(x)?, view::<T>(&packed)?);
            let bias = bias.map(view::<T>).transpose()?;
            fill::<T>(y, |y| {
                let run = if down { forward_cpu } else { transposed_cpu };
                run(c, &x, &w, bias.as_deref(), y);
            })
        })
    }

    fn apply_device(&mut self, x: &Tensor, down: bool, weight: &Tensor, dims: &[usize]) -> Result<Tensor> {
        let taps = self.device_taps(x)?;
        let convolution = DeviceConvolution { taps: &taps, groups: self.convolution.groups };
        let (x, weight) = (as_rows(x)?, self.flat_weight(weight)?);
        let y = if down { convolution.forward(&x, &weight)? } else { convolution.transposed(&x, &weight)? };
        Ok(y.reshape(dims)?)
    }

    fn weight_gradient(&mut self, x: &Tensor, gradient: &Tensor, cx: &mut Context<'_>) -> Result<()> {
        let (large, small) = if self.transposed { (gradient, x) } else { (x, gradient) };
        let target = cx.parameters[self.weight].gradient.clone();
        if cx.uses_candle(x) {
            let taps = self.device_taps(x)?;
            let convolution = DeviceConvolution { taps: &taps, groups: self.convolution.groups };
            let gradient = convolution.weight_gradient(&as_rows(large)?, &as_rows(small)?)?;
            cx.parameters[self.weight].gradient = gradient.reshape(target.dims())?;
            return Ok(());
        }
        let (c, packed) = (&self.convolution, self.dw.get(&[self.convolution.weights()], x)?);
        with_real!(x, T => {
            let (large, small) = (view::<T>(large)?, view::<T>(small)?);
            fill::<T>(&packed, |packed| weight_gradient_cpu(c, &large, &small, packed))?;
            let packed = view::<T>(&packed)?;
            fill::<T>(&target, |target| unpack(c, &packed, target))
        })
    }
}

/// The gradient of a bias that is there and trains: the sum of every column.
pub(super) fn bias_gradient(bias: Option<usize>, gradient: &Tensor, cx: &mut Context<'_>) -> Result<()> {
    let Some(bias) = bias.filter(|&bias| cx.trains(bias)) else { return Ok(()) };
    let uses_candle = cx.uses_candle(gradient);
    let parameter = &mut cx.parameters[bias];
    let channels = parameter.value.elem_count();
    if uses_candle {
        parameter.gradient = gradient.reshape(((), channels))?.sum(0)?;
        return Ok(());
    }
    let target = parameter.gradient.clone();
    with_real!(gradient, T => {
        let gradient = view::<T>(gradient)?;
        fill::<T>(&target, |sums| column_sums(&gradient, channels, sums))
    })
}

impl Layer for Conv {
    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        let weight = cx.parameters[self.weight].value.clone();
        let bias = self.bias.map(|bias| cx.parameters[bias].value.clone());
        let dims = channels_last(x.dims()[0], &self.output);
        if cx.uses_candle(x) {
            let y = self.apply_device(x, !self.transposed, &weight, &dims)?;
            return Ok(match bias {
                Some(bias) => y.broadcast_add(&bias)?,
                None => y,
            });
        }
        let y = self.y.get(&dims, x)?;
        self.apply(x, !self.transposed, bias.as_ref(), &weight, &y)?;
        Ok(y)
    }

    fn backward(&mut self, gradient: &Tensor, need_input: bool, cx: &mut Context<'_>) -> Result<Option<Tensor>> {
        let x = kept(&self.x)?.clone();
        if cx.trains(self.weight) {
            self.weight_gradient(&x, gradient, cx)?;
        }
        bias_gradient(self.bias, gradient, cx)?;
        if !need_input {
            return Ok(None);
        }
        let weight = cx.parameters[self.weight].value.clone();
        let dims = channels_last(x.dims()[0], &self.input);
        if cx.uses_candle(&x) {
            return self.apply_device(gradient, self.transposed, &weight, &dims).map(Some);
        }
        let dx = self.dx.get(&dims, &x)?;
        self.apply(gradient, self.transposed, None, &weight, &dx)?;
        Ok(Some(dx))
    }

    fn parameters(&self) -> Vec<usize> {
        std::iter::once(self.weight).chain(self.bias).collect()
    }
}

/// Depthwise convolution without bias, then 1×1 with one (Keras `SeparableConv2D`).
pub(crate) struct Separable {
    depthwise: Conv,
    pointwise: Conv,
}

impl Separable {
    pub(crate) fn new(planned: &PlannedLayer, builder: &mut Builder<'_>) -> Result<Separable> {
        let Op::SeparableConv { in_channels, out_channels, bias, geometry } = &planned.op else {
            return Err(crate::nn::NnError::Unsupported("another layer as a separable convolution".into()));
        };
        let mut dims = planned.output.dims().to_vec();
        dims[0] = *in_channels;
        let middle = Shape::new(&dims).unwrap_or_else(|| planned.output.clone());
        let (c, one) = (*in_channels, [1; 3]);
        let depthwise = Sizes { geometry, large: c, small: c, groups: c, bias: false, transposed: false };
        let point = Geometry {
            input: geometry.output,
            output: geometry.output,
            kernel: one,
            stride: one,
            dilation: one,
            pad: [0; 3],
        };
        let pointwise =
            Sizes { geometry: &point, large: c, small: *out_channels, groups: 1, bias: *bias, transposed: false };
        let key = |part: &str| format!("{}.{part}", planned.key);
        Ok(Separable {
            depthwise: Conv::with_sizes(&key("depthwise"), depthwise, &planned.input, &middle, builder)?,
            pointwise: Conv::with_sizes(&key("pointwise"), pointwise, &middle, &planned.output, builder)?,
        })
    }
}

impl Layer for Separable {
    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let middle = self.depthwise.forward(x, cx)?;
        self.pointwise.forward(&middle, cx)
    }

    fn backward(&mut self, gradient: &Tensor, need_input: bool, cx: &mut Context<'_>) -> Result<Option<Tensor>> {
        let need_middle = need_input || cx.trains(self.depthwise.weight);
        match self.pointwise.backward(gradient, need_middle, cx)? {
            Some(middle) => self.depthwise.backward(&middle, need_input, cx),
            None => Ok(None),
        }
    }

    fn parameters(&self) -> Vec<usize> {
        [self.depthwise.parameters(), self.pointwise.parameters()].concat()
    }
}
