//! What a layer does to the size of one axis, as a function that can be asked in both directions.
//!
//! Sizes are at most 2^30 (shapes and attributes were checked), so plain `i64` arithmetic can't overflow.

use crate::project::layer::Kind;
use crate::project::size::{MAX_SIZE, Padding};
use crate::shape::layers::Reads;
use crate::shape::op::{Geometry, Op};

/// A window's numbers along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Cells from the window's first to its last.
    pub span: i64,
    /// Step between positions.
    pub stride: i64,
    /// Zeros at both ends; `None` for `same`.
    pub pad: Option<i64>,
}

/// How one axis goes through a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisRule {
    /// Convolutions and pooling: ⌊(n + 2p − span)/s⌋ + 1; with `same` ⌈n/s⌉.
    Slide(Slide),
    /// Transposed convolutions: (n − 1)·s − 2p + span + op; with `same` n·s.
    Spread(Slide, i64),
    /// Unpooling: back to what the pooling had.
    Undo {
        /// The pooling's stride.
        stride: i64,
        /// The pooling's input.
        to: i64,
    },
    /// Upsampling: n·factor.
    Scale(i64),
    /// Padding (positive) and cropping (negative), both sides together.
    Margin(i64),
    /// Adaptive pooling: always this size.
    Fixed(i64),
    /// Everything else.
    Same,
}

/// Which way a rule goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It divides by this.
    Down(i64),
    /// It multiplies by this.
    Up(i64),
    /// It adds or takes away cells.
    Shift,
    /// Its output has one size, whatever the input's is.
    Any,
}

impl AxisRule {
    /// The size after it; `None` where nothing would be left.
    pub fn size(self, n: i64) -> Option<i64> {
        let size = match self {
            AxisRule::Slide(Slide {
                span,
                stride,
                pad: Some(pad),
            }) => {
                let room = n + 2 * pad - span;
                if room < 0 { 0 } else { room / stride + 1 }
            }
            AxisRule::Slide(Slide {
                stride, pad: None, ..
            }) => (n + stride - 1) / stride,
            AxisRule::Spread(
                Slide {
                    span,
                    stride,
                    pad: Some(pad),
                },
                added,
            ) => (n - 1) * stride - 2 * pad + span + added,
            AxisRule::Spread(
                Slide {
                    stride, pad: None, ..
                },
                _,
            ) => n * stride,
            AxisRule::Scale(factor) => n * factor,
            AxisRule::Margin(cells) => n + cells,
            AxisRule::Undo { to: size, .. } | AxisRule::Fixed(size) => size,
            AxisRule::Same => n,
        };
        (1..=i64::from(MAX_SIZE)).contains(&size).then_some(size)
    }

    /// The sizes that give `size`, from the least to the largest; `None` where there is none.
    pub fn origin(self, size: i64) -> Option<(i64, i64)> {
        let exact = |n: i64| (n >= 1).then_some((n, n));
        match self {
            AxisRule::Slide(Slide {
                span,
                stride,
                pad: Some(pad),
            }) => {
                let least = (size - 1) * stride + span - 2 * pad;
                let most = least + stride - 1;
                (most >= 1).then_some((least.max(1), most))
            }
            AxisRule::Slide(Slide {
                stride, pad: None, ..
            }) => Some(((size - 1) * stride + 1, size * stride)),
            AxisRule::Spread(
                Slide {
                    span,
                    stride,
                    pad: Some(pad),
                },
                added,
            ) => {
                let steps = size + 2 * pad - span - added;
                if steps % stride == 0 {
                    exact(steps / stride + 1)
                } else {
                    None
                }
            }
            AxisRule::Spread(
                Slide {
                    stride: factor,
                    pad: None,
                    ..
                },
                _,
            )
            | AxisRule::Scale(factor) => {
                if size % factor == 0 {
                    exact(size / factor)
                } else {
                    None
                }
            }
            AxisRule::Margin(cells) => exact(size - cells),
            AxisRule::Undo { to, .. } | AxisRule::Fixed(to) => {
                (to == size).then_some((1, i64::from(MAX_SIZE)))
            }
            AxisRule::Same => exact(size),
        }
    }

    /// Which way it goes.
    pub fn turn(self) -> Turn {
        match self {
            AxisRule::Slide(Slide { stride: 2.., .. }) => Turn::Down(self.factor()),
            AxisRule::Spread(Slide { stride: 2.., .. }, _)
            | AxisRule::Scale(2..)
            | AxisRule::Undo { stride: 2.., .. } => Turn::Up(self.factor()),
            AxisRule::Fixed(_) => Turn::Any,
            AxisRule::Slide(_)
            | AxisRule::Spread(..)
            | AxisRule::Scale(_)
            | AxisRule::Undo { .. }
            | AxisRule::Margin(_)
            | AxisRule::Same => Turn::Shift,
        }
    }

    /// What it multiplies or divides by; 1 where it does neither.
    pub fn factor(self) -> i64 {
        match self {
            AxisRule::Slide(Slide { stride, .. })
            | AxisRule::Spread(Slide { stride, .. }, _)
            | AxisRule::Undo { stride, .. } => stride,
            AxisRule::Scale(factor) => factor,
            AxisRule::Margin(_) | AxisRule::Fixed(_) | AxisRule::Same => 1,
        }
    }

    /// Whether this layer matters for a size of `n`: it changes it, or changes others.
    pub fn matters(self, n: i64) -> bool {
        self.factor() > 1 || matches!(self, AxisRule::Fixed(_)) || self.size(n) != Some(n)
    }

    /// Positions that the stride rounds away: (n + 2p − span) mod s. `same` rounds up, and loses none.
    pub fn remainder(self, n: i64) -> i64 {
        match self {
            AxisRule::Slide(Slide {
                span,
                stride,
                pad: Some(pad),
            }) => (n + 2 * pad - span).rem_euclid(stride),
            AxisRule::Slide(Slide { pad: None, .. })
            | AxisRule::Spread(..)
            | AxisRule::Scale(_)
            | AxisRule::Undo { .. }
            | AxisRule::Margin(_)
            | AxisRule::Fixed(_)
            | AxisRule::Same => 0,
        }
    }
}

/// The rules of a resolved layer, one for each axis of an input of this rank; empty where space ends or begins
/// (`flatten`, `dense`, global pooling, `reshape`).
pub(in crate::shape) fn rules(kind: &Kind, op: &Op, rank: usize) -> Vec<AxisRule> {
    let axes = 3usize.saturating_sub(rank)..3;
    let each = |rule: &dyn Fn(usize) -> AxisRule| axes.clone().map(rule).collect();
    let slide = |g: &Geometry, axis: usize| Slide {
        span: (g.kernel[axis] as i64 - 1) * g.dilation[axis] as i64 + 1,
        stride: g.stride[axis] as i64,
        pad: (!is_same(kind)).then_some(g.pad[axis] as i64),
    };
    match op.reads() {
        Reads::All => Vec::new(),
        Reads::Own | Reads::OwnAndStatistics => each(&|_| AxisRule::Same),
        Reads::Window(geometry, _) => each(&|axis| AxisRule::Slide(slide(&geometry, axis))),
        Reads::Spread(geometry) => each(&|axis| {
            let slide = slide(&geometry, axis);
            let (n, size) = (geometry.output[axis] as i64, geometry.input[axis] as i64);
            let added = size - ((n - 1) * slide.stride - 2 * slide.pad.unwrap_or(0) + slide.span);
            AxisRule::Spread(slide, if slide.pad.is_some() { added } else { 0 })
        }),
        Reads::Unpooled(geometry) => each(&|axis| AxisRule::Undo {
            stride: geometry.stride[axis] as i64,
            to: geometry.input[axis] as i64,
        }),
        Reads::Enlarged { factor, .. } => each(&|axis| AxisRule::Scale(factor[axis] as i64)),
        Reads::Adaptive { output, .. } => each(&|axis| AxisRule::Fixed(output[axis] as i64)),
        Reads::Padded { before, after } => {
            each(&|axis| AxisRule::Margin((before[axis] + after[axis]) as i64))
        }
        Reads::Cropped { before, after } => {
            each(&|axis| AxisRule::Margin(-((before[axis] + after[axis]) as i64)))
        }
    }
}

fn is_same(kind: &Kind) -> bool {
    kind.window()
        .is_some_and(|window| window.padding == Some(Padding::Same))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::layer::Layer;
    use crate::shape::rules::{Context, resolve};

    fn rule(text: &str, n: usize) -> AxisRule {
        let layer: Layer = text.parse().unwrap();
        let shape = crate::project::size::Shape::new(&[4, n]).unwrap();
        let resolved = resolve(&layer.kind, &shape, &Context::default()).unwrap();
        rules(&layer.kind, &resolved.op, 1)[0]
    }

    /// The same as inference for many sizes, and the origin is exactly the set of sizes that give it.
    #[test]
    fn rules_are_those_of_inference_in_both_directions() {
        for text in [
            "conv 4 k3 s2 p1",
            "conv 4 k5 s3",
            "conv 4 k3 s2 same",
            "conv 4 k3 d2",
            "maxpool 2",
            "maxpool 3 s2 p1",
            "convt 4 k3 s2 p1 op1",
            "convt 4 k4 s2 same",
            "convt 4 k3 d2 s3 p2",
            "upsample 3",
            "pad 1+2",
            "crop 1",
            "relu",
        ] {
            let rule = rule(text, 12);
            let sizes: Vec<Option<i64>> = (1..60).map(|n| rule.size(n)).collect();
            let layer: Layer = text.parse().unwrap();
            for (at, &size) in sizes.iter().enumerate() {
                let shape = crate::project::size::Shape::new(&[4, at + 1]).unwrap();
                let inferred = resolve(&layer.kind, &shape, &Context::default()).ok();
                assert_eq!(
                    size,
                    inferred.map(|resolved| resolved.output.spatial()[0] as i64),
                    "{text} on {}",
                    at + 1
                );
                let Some(size) = size else { continue };
                let (least, most) = rule.origin(size).unwrap();
                for n in 1..60 {
                    assert_eq!(
                        sizes[n as usize - 1] == Some(size),
                        (least..=most).contains(&n),
                        "{text}: {n} → {size}"
                    );
                }
            }
        }
    }
}
