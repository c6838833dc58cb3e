//! Layers that change only the sizes: upsampling, padding, cropping.

use super::window::{axes_word, dims};
use super::{Resolved, tensor};
use crate::project::help::{Help, Repair};
use crate::project::size::{Axes, MAX_SIZE, Margins, Shape};
use crate::shape::error::{ShapeError, times};
use crate::shape::op::Op;
use crate::shape::partial_shape::PartialShape;

pub fn upsample(input: &Shape, factor: &Axes, bilinear: bool) -> Result<Resolved, ShapeError> {
    let rank = spatial_rank(input)?;
    let own = factor
        .resolve(rank)
        .ok_or_else(|| wrong_axes(&format!("upsample {factor}"), input))?;
    let mut factors = [1; 3];
    factors[3 - rank..].copy_from_slice(&own);
    let cells = input.volume();
    // Both are at most 2^30.
    let sizes = [0, 1, 2].map(|axis| cells[axis] * factors[axis]);
    let output = tensor(&dims(input.channels(), rank, &sizes))?;
    Ok(Resolved {
        op: Op::Upsample {
            input: cells,
            factor: factors,
            bilinear,
        },
        output,
    })
}

pub fn pad(input: &Shape, margins: &Margins) -> Result<Resolved, ShapeError> {
    let (rank, before, after) = both_sides(input, margins, "pad")?;
    let cells = input.volume();
    let sizes = [0, 1, 2].map(|axis| cells[axis] + before[axis] + after[axis]);
    let output = tensor(&dims(input.channels(), rank, &sizes))?;
    Ok(Resolved {
        op: Op::Pad { before, after },
        output,
    })
}

pub fn crop(input: &Shape, margins: &Margins) -> Result<Resolved, ShapeError> {
    let (rank, before, after) = both_sides(input, margins, "crop")?;
    let cells = input.volume();
    if (0..3).any(|axis| before[axis] + after[axis] >= cells[axis]) {
        let cut = times(
            &(3 - rank..3)
                .map(|axis| before[axis] + after[axis])
                .collect::<Vec<_>>(),
        );
        let message = format!(
            "the crop takes {cut} away from an input of {}, which leaves nothing",
            times(input.spatial())
        );
        let least = input.spatial().iter().min().copied().unwrap_or(1);
        return Err(ShapeError::new(message).help(match (least - 1) / 2 {
            0 => Help::from(Repair::Remove),
            most => Help::write(&format!("crop {most}")).remark(" or less"),
        }));
    }
    let sizes = [0, 1, 2].map(|axis| cells[axis] - before[axis] - after[axis]);
    let output = tensor(&dims(input.channels(), rank, &sizes))?;
    Ok(Resolved {
        op: Op::Crop { before, after },
        output,
    })
}

fn both_sides(
    input: &Shape,
    margins: &Margins,
    word: &str,
) -> Result<(usize, [usize; 3], [usize; 3]), ShapeError> {
    let rank = spatial_rank(input)?;
    let own = margins
        .resolve(rank)
        .ok_or_else(|| wrong_axes(&format!("{word} {margins}"), input))?;
    let (mut before, mut after) = ([0; 3], [0; 3]);
    for (axis, &(first, last)) in (3 - rank..).zip(&own) {
        if first.max(last) > MAX_SIZE as usize {
            let message = format!("a margin of {} is too large", first.max(last));
            return Err(ShapeError::new(message).help("use a smaller number"));
        }
        (before[axis], after[axis]) = (first, last);
    }
    Ok((rank, before, after))
}

fn spatial_rank(input: &Shape) -> Result<usize, ShapeError> {
    match input.rank() {
        0 => {
            let message = format!(
                "the input is a vector of {}: it has no sides",
                input.channels()
            );
            let layer = format!("reshape {}x1x1", input.channels());
            Err(ShapeError::new(message).help(Help::insert(&layer)))
        }
        rank => Ok(rank),
    }
}

fn wrong_axes(text: &str, input: &Shape) -> ShapeError {
    let message = format!(
        "`{text}` is for another number of axes: the input {input} has {}",
        axes_word(input.rank())
    );
    ShapeError::new(message).help("write one number for all axes, or one for each")
}

pub(crate) fn upsample_outline(input: &PartialShape, factor: &Axes) -> PartialShape {
    let own = input
        .spatial()
        .and_then(|sizes| factor.resolve(sizes.len()));
    input.map(input.channels(), |axis, n| {
        legal(n.checked_mul(own.as_ref()?[axis])?)
    })
}

pub(crate) fn adaptive_outline(input: &PartialShape, sizes: &Axes) -> PartialShape {
    let own = input.spatial().and_then(|known| sizes.resolve(known.len()));
    match own {
        Some(own) if !own.is_empty() => PartialShape::tensor(
            input.channels(),
            &own.into_iter().map(legal).collect::<Vec<_>>(),
        ),
        Some(_) | None => PartialShape::channels_only(input.channels()),
    }
}

/// Margins added (`sign` 1) or cut away (`sign` −1).
pub(crate) fn margins_outline(input: &PartialShape, margins: &Margins, sign: i64) -> PartialShape {
    let own = input
        .spatial()
        .and_then(|sizes| margins.resolve(sizes.len()));
    input.map(input.channels(), |axis, n| {
        let (before, after) = own.as_ref()?[axis];
        let size = i64::try_from(n).ok()? + sign * i64::try_from(before + after).ok()?;
        legal(usize::try_from(size).ok()?)
    })
}

fn legal(size: usize) -> Option<usize> {
    (1..=MAX_SIZE as usize).contains(&size).then_some(size)
}
