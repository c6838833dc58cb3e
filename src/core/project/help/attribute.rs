//! An attribute of a layer as a value, to be put into the layer that has another.

use crate::project::layer::{Kind, Layer, Window};
use crate::project::size::{Axes, Padding};
use std::fmt;

/// One attribute with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `k3`
    Kernel(Axes),
    /// `s2`
    Stride(Axes),
    /// `p1`
    Padding(Axes),
    /// `op1`
    OutputPadding(Axes),
    /// No `op` at all.
    NoOutputPadding,
    /// `d2`
    Dilation(Axes),
    /// `g4`
    Groups(u32),
    /// `m2`
    Multiplier(u32),
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Kernel(axes) => write!(f, "k{axes}"),
            Attribute::Stride(axes) => write!(f, "s{axes}"),
            Attribute::Padding(axes) => write!(f, "p{axes}"),
            Attribute::OutputPadding(axes) => write!(f, "op{axes}"),
            Attribute::NoOutputPadding => f.write_str("no op"),
            Attribute::Dilation(axes) => write!(f, "d{axes}"),
            Attribute::Groups(groups) => write!(f, "g{groups}"),
            Attribute::Multiplier(multiplier) => write!(f, "m{multiplier}"),
        }
    }
}

impl Attribute {
    /// The layer with this attribute in place of the one it has; `None` where its kind takes no such one.
    pub fn in_layer(&self, layer: &Layer) -> Option<Layer> {
        let mut layer = layer.clone();
        match self {
            Attribute::Groups(groups) => *groups_mut(&mut layer.kind)? = Some(*groups),
            Attribute::Multiplier(multiplier) => {
                *multiplier_mut(&mut layer.kind)? = Some(*multiplier);
            }
            of_window => of_window.set_in(layer.kind.window_mut()?),
        }
        Some(layer)
    }

    fn set_in(&self, window: &mut Window) {
        match self {
            Attribute::Kernel(axes) => window.kernel_size = Some(axes.clone()),
            Attribute::Stride(axes) => window.stride = Some(axes.clone()),
            Attribute::Padding(axes) => window.padding = Some(Padding::Zeros(axes.clone())),
            Attribute::OutputPadding(axes) => window.output_padding = Some(axes.clone()),
            Attribute::NoOutputPadding => window.output_padding = None,
            Attribute::Dilation(axes) => window.dilation = Some(axes.clone()),
            Attribute::Groups(_) | Attribute::Multiplier(_) => {}
        }
    }
}

fn groups_mut(kind: &mut Kind) -> Option<&mut Option<u32>> {
    if let Kind::Conv { groups, .. } | Kind::ConvTranspose { groups, .. } = kind {
        return Some(groups);
    }
    None
}

fn multiplier_mut(kind: &mut Kind) -> Option<&mut Option<u32>> {
    if let Kind::DepthwiseConv { multiplier, .. } = kind {
        return Some(multiplier);
    }
    None
}
