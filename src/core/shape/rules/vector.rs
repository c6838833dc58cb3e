//! Layers between tensors and vectors, and group norm.

use super::{Resolved, tensor};
use crate::format::count;
use crate::project::help::{Help, Repair};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Op;

pub fn flatten(input: &Shape) -> Result<Resolved, ShapeError> {
    Ok(Resolved {
        op: Op::Flatten,
        output: tensor(&[input.elements()])?,
    })
}

pub fn reshape(input: &Shape, shape: &Shape) -> Result<Resolved, ShapeError> {
    let (have, want) = (input.elements(), shape.elements());
    if have == want {
        return Ok(Resolved {
            op: Op::Reshape,
            output: shape.clone(),
        });
    }
    let message = format!(
        "{shape} holds {} numbers, but the input {input} holds {}",
        count(want),
        count(have)
    );
    let space = shape.elements() / shape.channels() as u64;
    let fitting = have.is_multiple_of(space).then(|| {
        let mut dims = vec![(have / space) as usize];
        dims.extend(shape.spatial());
        Shape::new(&dims).map(|fitting| Help::write(&format!("reshape {}", fitting.to_file_text())))
    });
    let before = input.is_vector().then(|| {
        Help::insert(&format!("dense {want}"))
            .remark(", for as many features")
            .or()
    });
    Err(ShapeError::new(message)
        .maybe_help(fitting.flatten())
        .maybe_help(before)
        .help(Help::from(Repair::Remove).or())
        .help("sizes multiply: C·H·W must be equal on both sides"))
}

pub fn dense(input: &Shape, out_features: usize, bias: bool) -> Result<Resolved, ShapeError> {
    if !input.is_vector() {
        let message = format!("`dense` needs a vector, but the input is {input}");
        return Err(ShapeError::new(message)
            .help(Help::insert("flatten").remark(format!(", for a vector of {}", input.elements())))
            .help(
                Help::insert("gap")
                    .remark(format!(
                        ", for a vector of the {} channels' means",
                        input.channels()
                    ))
                    .or(),
            ));
    }
    let output = tensor(&[out_features as u64])?;
    Ok(Resolved {
        op: Op::Dense {
            in_features: input.channels(),
            out_features,
            bias,
        },
        output,
    })
}

/// The group norm whose number of groups is nearest to the one that was meant.
fn divisor(groups: usize, fitting: &[usize]) -> Help {
    let nearest = fitting
        .iter()
        .min_by_key(|fits| fits.abs_diff(groups))
        .copied()
        .unwrap_or(1);
    let texts: Vec<String> = fitting.iter().map(usize::to_string).collect();
    Help::write(&format!("groupnorm {nearest}"))
        .remark(format!(" (numbers that do: {})", texts.join(", ")))
}

pub fn group_norm(input: &Shape, groups: usize) -> Result<Resolved, ShapeError> {
    let channels = input.channels();
    if !channels.is_multiple_of(groups) {
        let fitting = (1..=64usize)
            .filter(|g| channels.is_multiple_of(*g))
            .take(8);
        let fitting: Vec<usize> = fitting.collect();
        let message = format!("{groups} groups don't divide {channels} channels evenly");
        return Err(ShapeError::new(message).help(divisor(groups, &fitting)));
    }
    Ok(Resolved {
        op: Op::GroupNorm { channels, groups },
        output: input.clone(),
    })
}
