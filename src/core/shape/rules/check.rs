//! What is wrong with a layer's numbers whatever its input is: zeros where there must be none, sizes out of range.

use crate::project::help::{Attribute, Help, Repair};
use crate::project::layer::Window;
use crate::project::size::{Axes, MAX_SIZE, Padding};
use crate::shape::error::ShapeError;

/// Checks a sliding window.
pub fn window(window: &Window) -> Result<(), ShapeError> {
    let check_axes = |axes: &Option<Axes>, what: &str, usual: Attribute| match axes {
        Some(axes) => positive(axes, what, Repair::Set(usual)),
        None => Ok(()),
    };
    let (one, three) = (Axes::all(1), Axes::all(3));
    check_axes(
        &window.kernel_size,
        "the kernel size",
        Attribute::Kernel(three),
    )?;
    check_axes(&window.stride, "the stride", Attribute::Stride(one.clone()))?;
    check_axes(&window.dilation, "the dilation", Attribute::Dilation(one))?;
    match &window.padding {
        Some(Padding::Zeros(axes)) => small(axes, "the padding")?,
        Some(Padding::Same | Padding::Valid) | None => {}
    }
    window
        .output_padding
        .as_ref()
        .map_or(Ok(()), |axes| small(axes, "the output padding"))
}

/// Checks a number that must be 1 or more.
pub fn one(number: u32, what: &str, help: impl Into<Help>) -> Result<(), ShapeError> {
    positive(&Axes::all(number), what, help)
}

/// Checks sizes that must be 1 or more.
pub fn positive(axes: &Axes, what: &str, help: impl Into<Help>) -> Result<(), ShapeError> {
    if axes.sizes().contains(&0) {
        return Err(ShapeError::new(format!("{what} is 0; it must be 1 or more")).help(help));
    }
    small(axes, what)
}

fn small(axes: &Axes, what: &str) -> Result<(), ShapeError> {
    match axes.sizes().iter().find(|&&size| size > MAX_SIZE) {
        Some(size) => {
            let message = format!("{what} is {size}; at most {MAX_SIZE} is possible");
            Err(ShapeError::new(message).help("use a smaller number"))
        }
        None => Ok(()),
    }
}
