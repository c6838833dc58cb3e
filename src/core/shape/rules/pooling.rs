//! Pooling: windows, global, adaptive, and undoing a max pooling.

use super::window::{Axis, POOL, Windows, axes_word, dims};
use super::{Context, Resolved, tensor};
use crate::project::help::{Attribute, Help, Repair};
use crate::project::layer::Window;
use crate::project::size::{Axes, Padding, Shape};
use crate::shape::error::{ShapeError, times};
use crate::shape::op::Op;
use crate::shape::pool_pairing::Pool;

pub fn max(input: &Shape, window: &Window, slot: usize) -> Result<Resolved, ShapeError> {
    let windows = windows(input, window)?;
    let geometry = windows.slide(input)?;
    let output = tensor(&dims(input.channels(), windows.rank, &geometry.output))?;
    Ok(Resolved {
        op: Op::MaxPool { geometry, slot },
        output,
    })
}

pub(crate) fn avg(input: &Shape, window: &Window) -> Result<Resolved, ShapeError> {
    let windows = windows(input, window)?;
    let geometry = windows.slide(input)?;
    check_avgpool3d(input, &windows)?;
    let output = tensor(&dims(input.channels(), windows.rank, &geometry.output))?;
    // Numeric padding follows PyTorch (count_include_pad), `same` TensorFlow.
    let count_padding = window.padding != Some(Padding::Same);
    Ok(Resolved {
        op: Op::AvgPool {
            geometry,
            count_padding,
        },
        output,
    })
}

/// A peculiarity of PyTorch's AvgPool3d, kept so that every project can be exported: the window has
/// to fit into the input without its padding.
fn check_avgpool3d(input: &Shape, windows: &Windows) -> Result<(), ShapeError> {
    let wide = |(axis, &n): (&Axis, &usize)| axis.pad.is_some() && axis.kernel > n as i64;
    if input.rank() < 3 || !windows.own().iter().zip(input.spatial()).any(wide) {
        return Ok(());
    }
    let kernel = times(
        &windows
            .own()
            .iter()
            .map(|axis| axis.kernel)
            .collect::<Vec<_>>(),
    );
    let message = format!(
        "window {kernel} is larger than the input {} (for averages of volumes padding doesn't count)",
        times(input.spatial())
    );
    Err(ShapeError::new(message).help("use a smaller window, or `same`"))
}

/// PyTorch's rule on top of the window's: padding of at most half the kernel, so that no window
/// contains only padding.
fn windows(input: &Shape, window: &Window) -> Result<Windows, ShapeError> {
    let windows = Windows::new(window, input, POOL)?;
    match windows
        .own()
        .iter()
        .find(|axis| axis.pad.unwrap_or(0) > axis.span() / 2)
    {
        None => Ok(windows),
        Some(axis) => Err(ShapeError::new(format!(
            "padding {} is more than half of the pooling window {}",
            axis.pad.unwrap_or(0),
            axis.kernel
        ))
        .help(at_most(axis.span() / 2))),
    }
}

fn at_most(pad: i64) -> Help {
    let pad = u32::try_from(pad).unwrap_or(0);
    Help::from(Repair::Set(Attribute::Padding(Axes::all(pad))))
        .remark(" or less, or a larger window")
}

pub fn unpool(input: &Shape, context: &Context<'_>) -> Result<Resolved, ShapeError> {
    let Some(pool) = context.paired else {
        return Err(unpaired(context.name));
    };
    let (Some(geometry), Some(from), Some(to)) =
        (pool.geometry, pool.output.full(), pool.input.full())
    else {
        let message = format!(
            "it undoes `{}` at {}, which has an error",
            pool.text, pool.place
        );
        return Err(ShapeError::new(message).help(format!("mend {} first", pool.place)));
    };
    if from != *input {
        return Err(mismatched(input, pool, &from));
    }
    Ok(Resolved {
        op: Op::Unpool {
            geometry,
            slot: pool.slot,
        },
        output: to,
    })
}

/// The error of an `unpool` without a partner.
pub fn unpaired(name: Option<&str>) -> ShapeError {
    match name {
        Some(name) => ShapeError::new(format!("there is no max pooling named @{name} before it"))
            .help(format!(
                "name the pooling that it undoes: maxpool 2 @{name}"
            ))
            .help("or leave the name out to undo the latest one"),
        None => ShapeError::new("there is no max pooling left to undo")
            .help(Help::insert("maxpool 2").remark(", in the encoder for example"))
            .help(
                Help::write("upsample 2")
                    .remark(", which needs no partner")
                    .or(),
            ),
    }
}

fn mismatched(input: &Shape, pool: &Pool, from: &Shape) -> ShapeError {
    let message = format!(
        "it undoes `{}` at {}, which gave {from}, but its input here is {input}",
        pool.text, pool.place
    );
    let error = ShapeError::new(message);
    if from.spatial() == input.spatial() {
        let (word, kernel) = if input.is_vector() {
            ("dense", "")
        } else {
            ("conv", " k1")
        };
        let k = from.channels();
        let layer = format!("{word} {k}{kernel}");
        return error.help(Help::insert(&layer).remark(format!(", for {k} channels")));
    }
    error.help(format!(
        "let the layers between give {from}: padding that keeps the size (k3 p1), and the same strides up as down"
    ))
}

pub fn global(input: &Shape, op: Op) -> Result<Resolved, ShapeError> {
    if input.is_vector() {
        let message = format!(
            "the input is already a vector of {}: there is no space to pool over",
            input.channels()
        );
        return Err(ShapeError::new(message).help(Repair::Remove));
    }
    Ok(Resolved {
        op,
        output: tensor(&[input.channels() as u64])?,
    })
}

pub fn adaptive(input: &Shape, sizes: &Axes) -> Result<Resolved, ShapeError> {
    let rank = input.rank();
    if rank == 0 {
        let message = format!(
            "the input is a vector of {}: there is no space to pool over",
            input.channels()
        );
        return Err(ShapeError::new(message)
            .help(Help::from(Repair::Remove).remark(", or move it before `flatten`")));
    }
    let Some(own) = sizes.resolve(rank) else {
        let message = format!(
            "{sizes} gives {} sizes, but the input {input} has {}",
            sizes.sizes().len(),
            axes_word(rank)
        );
        let one = sizes.sizes().first().copied().unwrap_or(1);
        return Err(ShapeError::new(message).help(Help::write(&format!("adaptive-avgpool {one}"))));
    };
    let mut output = [1; 3];
    output[3 - rank..].copy_from_slice(&own);
    let shape = tensor(&dims(input.channels(), rank, &output))?;
    Ok(Resolved {
        op: Op::AdaptiveAvgPool {
            input: input.volume(),
            output,
        },
        output: shape,
    })
}
