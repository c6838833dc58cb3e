//! The blocks `add` and `concat`, which hold several sequences of layers on one input.

use super::{Buffer, Dims, Layer, Result, Sequence};
use crate::NnError;
use crate::network::{Builder, Context};
use crate::ops::real::Real;
use crate::ops::simd::vectorized;
use crate::ops::storage::{fill, view};
use crate::ops::with_real;
use candle_core::{D, Tensor};
use rayon::prelude::*;
use std::ops::Range;
use strata_core::shape::op::Planned;

/// Pixels of a task that copies.
const ROWS: usize = 512;

/// How branches come together.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum JoinKind {
    Add,
    Concat,
}

/// `add` or `concat`: branches on one input; an empty branch passes it on.
pub(super) struct Join {
    kind: JoinKind,
    branches: Vec<Sequence>,
    /// Channels of each branch's output, known after a forward pass.
    channels: Vec<usize>,
    /// What the branches gave last, forward or backward.
    given: Vec<Tensor>,
    y: Buffer,
    dx: Buffer,
    parts: Vec<Buffer>,
}

impl Join {
    pub(super) fn new(
        branches: &[Vec<Planned>],
        kind: JoinKind,
        builder: &mut Builder<'_>,
    ) -> Result<Join> {
        let branches = branches
            .iter()
            .map(|b| Sequence::new(b, builder))
            .collect::<Result<Vec<_>>>()?;
        let parts = branches.iter().map(|_| Buffer::default()).collect();
        Ok(Join {
            kind,
            branches,
            channels: Vec::new(),
            given: Vec::new(),
            y: Buffer::default(),
            dx: Buffer::default(),
            parts,
        })
    }

    /// The branch of a concat that passes its input on beside a single other one: its part of the gradient is added to
    /// the other's without being copied.
    fn skips(&self, gradient: &Tensor, cx: &Context<'_>) -> Option<usize> {
        if self.kind == JoinKind::Add || cx.uses_candle(gradient) {
            return None;
        }
        match &*self.branches {
            [one, other] if !one.is_empty() && other.is_empty() => Some(1),
            [one, other] if one.is_empty() && !other.is_empty() => Some(0),
            _ => None,
        }
    }
}

/// Joins along the last axis.
fn concat(outputs: &[Tensor], out: &mut Buffer, cx: &Context<'_>) -> Result<Tensor> {
    let [first, ..] = outputs else {
        return Err(NnError::Unsupported("a concat without branches".into()));
    };
    if cx.uses_candle(first) {
        return Ok(Tensor::cat(outputs, D::Minus1)?.contiguous()?);
    }
    let channels = |t: &Tensor| t.dims()[t.rank() - 1];
    let total = outputs.iter().map(channels).sum();
    let y = out.get(&with_channels(first, total), first)?;
    with_real!(first, T => {
        let mut start = 0;
        for output in outputs {
            let (x, width) = (view::<T>(output)?, channels(output));
            fill::<T>(&y, |y| {
                let rows = y.par_chunks_mut(ROWS * total).zip(x.par_chunks(ROWS * width));
                rows.for_each(|(y, x)| {
                    for (y, x) in y.chunks_exact_mut(total).zip(x.chunks_exact(width)) {
                        y[start..start + width].copy_from_slice(x);
                    }
                });
            })?;
            start += width;
        }
        Ok::<_, NnError>(())
    })?;
    Ok(y)
}

/// The dimensions of a tensor with another number of channels.
fn with_channels(like: &Tensor, channels: usize) -> Dims {
    let (_, spatial) = like.dims().split_last().unwrap_or((&0, &[]));
    spatial
        .iter()
        .copied()
        .chain(std::iter::once(channels))
        .collect()
}

/// The channels `start..start + width` of a gradient.
fn slice(
    gradient: &Tensor,
    start: usize,
    width: usize,
    out: &mut Buffer,
    cx: &Context<'_>,
) -> Result<Tensor> {
    if cx.uses_candle(gradient) {
        return Ok(gradient.narrow(D::Minus1, start, width)?.contiguous()?);
    }
    let total = gradient.dims()[gradient.rank() - 1];
    let part = out.get(&with_channels(gradient, width), gradient)?;
    with_real!(gradient, T => {
        let gradient = view::<T>(gradient)?;
        fill::<T>(&part, |part| {
            let rows = part.par_chunks_mut(ROWS * width).zip(gradient.par_chunks(ROWS * total));
            rows.for_each(|(part, g)| {
                for (part, g) in part.chunks_exact_mut(width).zip(g.chunks_exact(total)) {
                    part.copy_from_slice(&g[start..start + width]);
                }
            });
        })
    })?;
    Ok(part)
}

/// A gradient plus the channels of another from `start` on, without copying those before.
fn add_slice(own: &Tensor, gradient: &Tensor, start: usize, out: &mut Buffer) -> Result<Tensor> {
    let [width, total] = [own, gradient].map(|tensor| tensor.dims()[tensor.rank() - 1]);
    let sum = out.get(own.dims(), own)?;
    with_real!(own, T => {
        let (own, gradient) = (view::<T>(own)?, view::<T>(gradient)?);
        fill::<T>(&sum, |sum| {
            let rows = own.par_chunks(ROWS * width).zip(gradient.par_chunks(ROWS * total));
            sum.par_chunks_mut(ROWS * width).zip(rows).for_each(|(sum, (own, gradient))| {
                add_channels(own, gradient, start..start + width, sum);
            });
        })
    })?;
    Ok(sum)
}

vectorized! {
    /// Each row plus some channels of the same row of another array.
    fn add_channels<T: Real>(own: &[T], other: &[T], channels: Range<usize>, sum: &mut [T]) {
        let width = channels.len();
        let total = other.len() * width / sum.len().max(1);
        let rows = own.chunks_exact(width).zip(other.chunks_exact(total));
        for (sum, (own, other)) in sum.chunks_exact_mut(width).zip(rows) {
            for ((sum, &own), &other) in sum.iter_mut().zip(own).zip(&other[channels.clone()]) {
                *sum = own + other;
            }
        }
    }
}

/// Sums tensors of one shape into the buffer.
fn sum(tensors: &[Tensor], out: &mut Buffer, cx: &Context<'_>) -> Result<Option<Tensor>> {
    let Some((first, rest)) = tensors.split_first() else {
        return Ok(None);
    };
    if cx.uses_candle(first) {
        let add = |total: Tensor, t: &Tensor| Ok::<_, NnError>((total + t)?);
        return rest.iter().try_fold(first.clone(), add).map(Some);
    }
    let Some((second, rest)) = rest.split_first() else {
        return Ok(Some(first.clone()));
    };
    let y = cx.sum(first, second, out)?;
    with_real!(first, T => {
        for tensor in rest {
            let x = view::<T>(tensor)?;
            fill::<T>(&y, |y| crate::ops::elementwise::add_to(&x, y))?;
        }
        Ok::<_, NnError>(())
    })?;
    Ok(Some(y))
}

impl Layer for Join {
    fn buffers(&mut self) -> Option<(&mut Buffer, &mut Buffer)> {
        Some((&mut self.y, &mut self.dx))
    }

    fn forward(&mut self, x: &Tensor, cx: &mut Context<'_>) -> Result<Tensor> {
        self.given.clear();
        for branch in &mut self.branches {
            // Every branch starts where the block does.
            self.given.push(branch.forward(x, cx)?);
        }
        self.channels.clear();
        self.channels.extend(
            self.given
                .iter()
                .map(|output| output.dims()[output.rank() - 1]),
        );
        match self.kind {
            JoinKind::Concat => concat(&self.given, &mut self.y, cx),
            JoinKind::Add => {
                let sum = sum(&self.given, &mut self.y, cx)?;
                sum.ok_or_else(|| NnError::Unsupported("an add without branches".into()))
            }
        }
    }

    fn backward(
        &mut self,
        gradient: &Tensor,
        need_input: bool,
        cx: &mut Context<'_>,
    ) -> Result<Option<Tensor>> {
        let mut start = 0;
        self.given.clear();
        let skips = self.skips(gradient, cx);
        let mut skipped = None;
        for (i, branch) in self.branches.iter_mut().enumerate() {
            let width = self.channels[i];
            let first = start;
            start += width;
            if !need_input && !branch.needs_gradient(cx) {
                continue;
            }
            if skips == Some(i) {
                skipped = Some(first);
                continue;
            }
            let part = match self.kind {
                JoinKind::Add => gradient.clone(),
                JoinKind::Concat => slice(gradient, first, width, &mut self.parts[i], cx)?,
            };
            self.given.extend(branch.backward(&part, need_input, cx)?);
        }
        match skipped {
            _ if !need_input => Ok(None),
            Some(start) => match &mut *self.given {
                [one] => add_slice(one, gradient, start, &mut self.dx).map(Some),
                _ => Err(NnError::Unsupported("a concat of other branches".into())),
            },
            None => sum(&self.given, &mut self.dx, cx),
        }
    }

    fn parameters(&self) -> Vec<usize> {
        self.branches
            .iter()
            .flat_map(Sequence::parameters)
            .collect()
    }

    fn sequences(&self) -> &[Sequence] {
        &self.branches
    }

    fn sequences_mut(&mut self) -> &mut [Sequence] {
        &mut self.branches
    }
}

#[cfg(test)]
mod tests {
    use crate::{Mode, Network, Route};
    use candle_core::{DType, Device, Tensor};
    use strata_core::project::Network as Stacks;
    use strata_core::project::node::Node;

    /// The gradient of the input.
    fn gradient(block: &str, candle_only: bool) -> Vec<f32> {
        let stacks = Stacks {
            input: "5x6x7".parse().unwrap(),
            encoder: vec![Node::from_text(block)],
            decoder: vec![],
            head: vec![Node::from_text("conv 2 k1"), Node::from_text("gap")],
        };
        let plan = strata_core::shape::infer(&stacks).plan.unwrap();
        let mut network = Network::new(&plan, 1, &Device::Cpu).unwrap();
        network.set_candle_only(candle_only);
        let images: Vec<f32> = (0..3 * 210)
            .map(|i| ((i * 37) % 101) as f32 / 50.0)
            .collect();
        let images = Tensor::from_vec(images, (3, 6, 7, 5), &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &images, mode).unwrap();
        let ones = Tensor::ones(output.dims(), DType::F32, &Device::Cpu).unwrap();
        let dx = network.backward_to_input(&ones).unwrap();
        dx.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_branch_that_hands_its_input_on_has_its_part_of_the_gradient() {
        for block in [
            r#"{ concat = [["conv 3 k1", "relu"], []] }"#,
            r#"{ concat = [[], ["conv 3 k3 p1"]] }"#,
            r#"{ concat = [[], []] }"#,
            r#"{ concat = [[], ["conv 3 k1"], []] }"#,
        ] {
            let (ours, candles) = (gradient(block, false), gradient(block, true));
            for (a, b) in ours.iter().zip(&candles) {
                assert!((a - b).abs() < 1e-6, "{block}: {a} {b}");
            }
        }
    }
}
