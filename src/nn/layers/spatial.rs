//! Layers that are linear maps over space: average pooling (windowed, adaptive, global), upsampling,
//! padding and cropping. The gradient is the transposed map.

use super::{Buffer, Layer, Result, channels_last};
use crate::NnError;
use crate::network::Context;
use crate::ops::device::DeviceMap;
use crate::ops::spatial_map::{SpatialMap, apply_cpu};
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::Tensor;
use strata_core::project::size::Shape;
use strata_core::shape::op::{Op, PlannedLayer};

/// A linear map over space.
pub(crate) struct Spatial {
    map: OneWay,
    transposed: OneWay,
    input: Shape,
    output: Shape,
    y: Buffer,
    dx: Buffer,
}

/// A map in one direction.
struct OneWay {
    map: SpatialMap,
    /// The same on the device, made at the first batch there.
    on_device: Option<DeviceMap>,
}

impl OneWay {
    fn new(map: SpatialMap) -> OneWay {
        OneWay {
            map,
            on_device: None,
        }
    }
}

impl Spatial {
    pub(crate) fn new(planned: &PlannedLayer) -> Result<Spatial> {
        let map = map_of(planned)?;
        let (input, output) = (planned.input.clone(), planned.output.clone());
        Ok(Spatial {
            transposed: OneWay::new(map.transposed()),
            map: OneWay::new(map),
            input,
            output,
            y: Buffer::default(),
            dx: Buffer::default(),
        })
    }
}

fn map_of(planned: &PlannedLayer) -> Result<SpatialMap> {
    let (input, output) = (planned.input.volume(), planned.output.volume());
    let signed = |sizes: [usize; 3], sign: i64| sizes.map(|size| sign * size as i64);
    Ok(match &planned.op {
        Op::AvgPool {
            geometry,
            count_padding,
        } => SpatialMap::average(geometry, *count_padding),
        Op::AdaptiveAvgPool { input, output } => SpatialMap::adaptive_average(*input, *output),
        Op::Upsample {
            input,
            factor,
            bilinear: true,
        } => SpatialMap::linear(*input, *factor),
        Op::Upsample {
            input,
            factor,
            bilinear: false,
        } => SpatialMap::nearest(*input, *factor),
        Op::Pad { before, .. } => SpatialMap::shifted(input, output, signed(*before, 1)),
        Op::Crop { before, .. } => SpatialMap::shifted(input, output, signed(*before, -1)),
        Op::GlobalAvgPool => SpatialMap::adaptive_average(input, [1; 3]),
        other => {
            return Err(NnError::Unsupported(format!(
                "{other:?} as a linear map over space"
            )));
        }
    })
}

fn apply(
    one_way: &mut OneWay,
    x: &Tensor,
    shape: &Shape,
    out: &mut Buffer,
    cx: &Context<'_>,
) -> Result<Tensor> {
    let dims = channels_last(x.dims()[0], shape);
    let OneWay { map, on_device } = one_way;
    if cx.uses_candle(x) {
        let rows = x.reshape((x.dims()[0], map.inputs, shape.channels()))?;
        let map = match on_device {
            Some(map) => map,
            None => on_device.insert(DeviceMap::new(map, x)?),
        };
        return Ok(map.apply(&rows)?.reshape(&*dims)?);
    }
    let (y, channels) = (out.get(&dims, x)?, shape.channels());
    with_real!(x, T => {
        let x = view::<T>(x)?;
        fill::<T>(&y, |y| apply_cpu(map, channels, &x, y))
    })?;
    Ok(y)
}

impl Layer for Spatial {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        apply(&mut self.map, x, &self.output, &mut self.y, cx)
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        if !need_input {
            return Ok(None);
        }
        let (back, dx) = (&mut self.transposed, &mut self.dx);
        apply(back, gradient, &self.input, dx, cx).map(Some)
    }
}
