//! Convolution and transposed convolution, with the relu and the max pooling that may follow.
//!
//! PyTorch: `Conv1d/2d/3d` and `ConvTranspose1d/2d/3d` (torch.nn). A transposed convolution is the data
//! gradient of the convolution its geometry describes, so both share every kernel.
//!
//! Fused, the layer also does what the next ones would: its output is theirs, its own is never stored.

mod by_image;
mod device;
mod folded;
mod product;

pub(super) use by_image::Parts;

use super::epilogue::{Epilogue, Pool};
use super::layout_views::{FlattenViews, View};
use super::{Buffer, Layer, Result, channels_last, kept};
use crate::NnError;
use crate::fusion_rules::Follower;
use crate::network::{Builder, Context};
use crate::ops::conv_input::ConvInput;
use crate::ops::convolution::{ConvPass, Convolution, Finish};
use crate::ops::device::{DeviceTaps, sum_rows};
use crate::ops::real::Real;
use crate::ops::reduce::column_sums;
use crate::ops::storage::{fill, fill_both, view};
use crate::ops::weight_gradient::WeightGradient;
use crate::ops::with_real;
use candle_core::{DType, Tensor};
use folded::Folded;
use strata_core::project::size::Shape;
use strata_core::shape::op::{Geometry, Op, PlannedLayer};

/// A convolution, or the transpose of one.
pub(crate) struct Conv {
    convolution: Convolution,
    /// Where the forward pass and the gradient of the weight are computed of blocks.
    folded: Option<Folded>,
    geometry: Geometry,
    transposed: bool,
    weight: usize,
    bias: Option<usize>,
    input: Shape,
    output: Shape,
    epilogue: Epilogue,
    views: FlattenViews,
    packed_forward: Packed,
    packed_backward: Packed,
    y: Buffer,
    dx: Buffer,
    sums: Buffer,
    x: Option<Tensor>,
    device_taps: Option<DeviceTaps>,
}

/// What distinguishes one convolution from another.
pub(super) struct Sizes<'a> {
    pub geometry: &'a Geometry,
    pub large: usize,
    pub small: usize,
    pub groups: usize,
    pub bias: bool,
    pub transposed: bool,
}

/// A weight packed for one direction, and the version of the weights that it is from.
#[derive(Default)]
struct Packed {
    buffer: Buffer,
    version: Option<u64>,
}

impl Conv {
    pub(crate) fn new(planned: &PlannedLayer, builder: &mut Builder<'_>) -> Result<Conv> {
        let sizes = match &planned.op {
            Op::Conv {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => Sizes {
                geometry,
                large: *in_channels,
                small: *out_channels,
                groups: *groups,
                bias: *bias,
                transposed: false,
            },
            Op::ConvTranspose {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            } => Sizes {
                geometry,
                large: *out_channels,
                small: *in_channels,
                groups: *groups,
                bias: *bias,
                transposed: true,
            },
            other => return Err(NnError::Unsupported(format!("{other:?} as a convolution"))),
        };
        Conv::with_sizes(
            &planned.key,
            sizes,
            &planned.input,
            &planned.output,
            builder,
        )
    }

    pub(super) fn with_sizes(
        key: &str,
        sizes: Sizes<'_>,
        input: &Shape,
        output: &Shape,
        builder: &mut Builder<'_>,
    ) -> Result<Conv> {
        let Sizes {
            geometry,
            large,
            small,
            groups,
            bias,
            transposed,
        } = sizes;
        let mut dims = vec![small, large / groups];
        // Only as many kernel axes as the shape has, as PyTorch stores them.
        dims.extend_from_slice(&geometry.kernel[3 - input.rank()..]);
        let fan_in = dims[1..].iter().product();
        let weight = builder.uniform(&format!("{key}.weight"), &dims, fan_in)?;
        let out_channels = if transposed { large } else { small };
        let bias = bias
            .then(|| builder.uniform(&format!("{key}.bias"), &[out_channels], fan_in))
            .transpose()?;
        let (convolution, folded) = match builder.dtype() {
            DType::F64 => (
                Convolution::new::<f64>(geometry, large, small, groups),
                None,
            ),
            _ => (
                Convolution::new::<f32>(geometry, large, small, groups),
                Folded::of::<f32>(geometry, large, small, groups).filter(|_| !transposed),
            ),
        };
        Ok(Conv {
            convolution,
            folded,
            geometry: *geometry,
            transposed,
            weight,
            bias,
            input: input.clone(),
            output: output.clone(),
            epilogue: Epilogue::default(),
            views: FlattenViews::default(),
            packed_forward: Packed::default(),
            packed_backward: Packed::default(),
            y: Buffer::default(),
            dx: Buffer::default(),
            sums: Buffer::default(),
            x: None,
            device_taps: None,
        })
    }

    /// Lets a dense layer read an image without flattening it.
    pub(super) fn view_input(&mut self, image: &Shape) {
        self.views.input = Some(View::new(image));
    }

    /// Lets a dense layer write an image.
    pub(super) fn view_output(&mut self, image: &Shape) {
        self.views.output = Some(View::new(image));
    }

    /// Index of the weight in the network's list.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Index of the bias in the network's list.
    pub(super) fn bias(&self) -> Option<usize> {
        self.bias
    }

    fn forward_cpu<T: Real>(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        let down = !self.transposed;
        if self.views.select(x.rank() > 2, self.epilogue.active) {
            (self.packed_forward.version, self.packed_backward.version) = (None, None);
        }
        let packed = match &self.folded {
            Some(folded) => folded.pack::<T>(self.weight, &mut self.packed_forward, cx)?,
            None => pack::<T>(
                &self.convolution,
                down,
                self.weight,
                &mut self.packed_forward,
                &mut self.views,
                cx,
            )?,
        };
        let bias = self
            .bias
            .map(|bias| self.views.bias::<T>(&cx.parameters[bias].value))
            .transpose()?;
        let (weight, bias) = (
            view::<T>(&packed)?,
            bias.as_ref().map(view::<T>).transpose()?,
        );
        let folded = self.folded.as_mut();
        let blocks = folded.map(|folded| folded.fold::<T>(x)).transpose()?;
        let numbers = view::<T>(blocks.as_ref().unwrap_or(x))?;
        let finish = Finish {
            bias: bias.as_deref(),
            relu: self.epilogue.relu_first(),
        };
        let folded = self.folded.as_ref();
        let run = ConvPass {
            convolution: folded.map_or(&self.convolution, |folded| &folded.convolution),
            down,
            weight: &weight,
            input: ConvInput::Plain(&numbers),
            finish,
        };
        let batch = x.dims()[0];
        let relu = self.epilogue.relu;
        let Some(pool) = self.epilogue.pooling() else {
            let output = self
                .views
                .seen_output()
                .map_or(&self.output, |view| &view.shape);
            let y = self.y.get(&channels_last(batch, output), x)?;
            fill::<T>(&y, |y| run.compute(y))?;
            return Ok(y);
        };
        let y = self.y.get(&channels_last(batch, &pool.output), x)?;
        pool.reclaim(cx);
        let Pool {
            taps,
            indices,
            relu_after,
            ..
        } = pool;
        let mut compute = |y: &mut [T], unpooled: &mut [T]| {
            let indices = indices.writable(y.len());
            run.compute_pooled(taps, relu && *relu_after, (y, indices), unpooled);
        };
        match run.unpooled_len(batch) {
            0 => fill::<T>(&y, |y| compute(y, &mut []))?,
            len => {
                self.sums.move_to(cx.scratch);
                let unpooled = self.sums.get(&[len], x)?;
                fill_both::<T>(&unpooled, &y, |unpooled, y| compute(y, unpooled))?;
            }
        }
        pool.share(cx);
        Ok(y)
    }

    fn backward_cpu<T: Real>(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let Conv {
            convolution,
            folded,
            transposed,
            weight,
            bias,
            input,
            epilogue,
            views,
            packed_backward,
            y,
            dx,
            sums,
            x,
            ..
        } = self;
        let (x, y) = (kept(x)?, y.latest()?);
        let (gradient, y) = (view::<T>(gradient)?, view::<T>(&y)?);
        let own_gradient = epilogue.own_gradient(&gradient, &y);
        if cx.trains(*weight) {
            let folded = folded.as_ref();
            let blocks = folded.map(Folded::blocks).transpose()?;
            let numbers = view::<T>(blocks.as_ref().unwrap_or(x))?;
            let convolution = folded.map_or(&*convolution, |folded| &folded.convolution);
            let x_input = ConvInput::Plain(&numbers);
            let (large, small) = if *transposed {
                (own_gradient, x_input)
            } else {
                (x_input, own_gradient)
            };
            let batch = x.dims()[0];
            let of_both = WeightGradient {
                convolution,
                large,
                small,
                bias_of_large: *transposed,
                batch,
            };
            sums.move_to(cx.scratch);
            let sums = sums.get(&[of_both.scratch_len()], x)?;
            fill::<T>(&sums, |sums| of_both.sum(sums))?;
            let sums = view::<T>(&sums)?;
            let (sums, of_bias) = sums.split_at(convolution.packed_len(true));
            let gradient = &cx.parameters[*weight].gradient;
            views.weight_gradient::<T>(gradient, |gradient| match folded {
                Some(folded) => folded.unpack(sums, gradient),
                None => convolution.unpack(sums, gradient),
            })?;
            if let Some(bias) = bias.filter(|&bias| cx.trains(bias)) {
                views.bias_gradient::<T>(&cx.parameters[bias].gradient, of_bias)?;
            }
        }
        if !need_input {
            return Ok(None);
        }
        let packed = pack::<T>(
            convolution,
            *transposed,
            *weight,
            packed_backward,
            views,
            cx,
        )?;
        let input = views.seen_input().map_or(&*input, |view| &view.shape);
        let dx = dx.get(&channels_last(x.dims()[0], input), x)?;
        let weight = view::<T>(&packed)?;
        let run = ConvPass {
            convolution,
            down: *transposed,
            weight: &weight,
            input: own_gradient,
            finish: Finish::NONE,
        };
        fill::<T>(&dx, |dx| run.compute(dx))?;
        Ok(Some(dx))
    }
}

/// The weight packed for a direction; packed again only when weights have changed.
fn pack<T: Real>(
    convolution: &Convolution,
    down: bool,
    weight: usize,
    packed: &mut Packed,
    views: &mut FlattenViews,
    cx: &Context<'_>,
) -> Result<Tensor> {
    let value = &cx.parameters[weight].value;
    let buffer = packed.buffer.get(&[convolution.packed_len(down)], value)?;
    if packed.version != Some(cx.version) {
        let value = views.weight::<T>(value, cx.version)?;
        let value = view::<T>(&value)?;
        fill::<T>(&buffer, |buffer| convolution.pack(down, &value, buffer))?;
        packed.version = Some(cx.version);
    }
    Ok(buffer)
}

/// The gradient of a bias that is there and trains: the sum of every column.
pub(super) fn bias_gradient(
    bias: Option<usize>,
    gradient: &Tensor,
    cx: &mut Context<'_>,
) -> Result<()> {
    let Some(bias) = bias.filter(|&bias| cx.trains(bias)) else {
        return Ok(());
    };
    let uses_candle = cx.uses_candle(gradient);
    let parameter = &mut cx.parameters[bias];
    let channels = parameter.value.elem_count();
    if uses_candle {
        parameter.gradient = sum_rows(&gradient.reshape(((), channels))?)?;
        return Ok(());
    }
    let target = parameter.gradient.clone();
    with_real!(gradient, T => {
        let gradient = view::<T>(gradient)?;
        fill::<T>(&target, |sums| column_sums(&gradient, channels, sums))
    })
}

impl Layer for Conv {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.x = Some(x.clone());
        if cx.uses_candle(x) {
            return self.forward_device(x, cx);
        }
        if self.is_product() {
            return with_real!(x, T => self.forward_product::<T>(x, cx));
        }
        with_real!(x, T => self.forward_cpu::<T>(x, cx))
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if cx.uses_candle(gradient) {
            return self.backward_device(gradient, need_input, cx);
        }
        if self.is_product() {
            return with_real!(gradient, T => self.backward_product::<T>(gradient, need_input, cx));
        }
        with_real!(gradient, T => self.backward_cpu::<T>(gradient, need_input, cx))
    }

    fn parameters(&self) -> Vec<usize> {
        std::iter::once(self.weight).chain(self.bias).collect()
    }

    fn absorb(&mut self, next: Follower<'_>) {
        let margin = &self.convolution.plan(self.transposed).sliding.margin;
        self.epilogue.absorb(next, Some(margin));
    }

    fn set_fused(&mut self, fused: bool) {
        self.epilogue.active = fused;
    }
}
