//! `dense 100`: fully connected (PyTorch `Linear`).

use super::count::{Count, Factor};
use super::facts::KernelSizes;
use super::fields::{BIAS, OUT_FEATURES};
use super::text::LayerWord;
use super::{Effort, Example, Linearity, Mirrored, Reads, ResolvedLayer, Shaping, WrittenLayer};
use crate::project::layer::{Family, Kind};
use crate::project::size::Shape;
use crate::shape::error::ShapeError;
use crate::shape::op::Geometry;
use crate::shape::rules::{Context, Resolved, vector};
use std::fmt;

pub(super) const WORD: LayerWord = LayerWord {
    word: "dense",
    example: "dense 64",
    about: "Fully connected: every output sees every input (PyTorch Linear).",
    elsewhere: &["linear", "fc", "lazylinear", "fullyconnected"],
    fields: &[OUT_FEATURES, BIAS],
    read: |reader| {
        Ok(Kind::Dense {
            out_features: reader.count("the number of outputs")?,
            bias: !reader.flag("nobias"),
        })
    },
};

pub(super) struct Dense {
    pub out_features: u32,
    pub bias: bool,
}

impl<'a> WrittenLayer<'a> for Dense {
    fn family(&self) -> Family {
        Family::Dense
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dense {}", self.out_features)?;
        f.write_str(if self.bias { "" } else { " nobias" })
    }

    fn check(&self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn shaping(&self) -> Shaping<'a> {
        Shaping::Features(self.out_features)
    }

    fn linearity(&self) -> Linearity {
        Linearity::Weighted
    }

    fn resolve(&self, input: &Shape, _: &Context<'_>) -> Result<Resolved, ShapeError> {
        vector::dense(input, self.out_features as usize, self.bias)
    }
}

pub(super) struct DenseOp {
    pub in_features: usize,
    pub out_features: usize,
    pub bias: bool,
}

impl ResolvedLayer for DenseOp {
    fn reads(&self) -> Reads {
        Reads::All
    }

    fn count(&self) -> Count {
        let out = Factor::Size("out", self.out_features);
        let weight = [out, Factor::Size("in", self.in_features), Factor::One];
        Count::multiplied(weight, [1; 3]).with_bias(self.bias, out)
    }

    fn effort(&self, _: &Shape, _: &Shape) -> Effort {
        let kernel = KernelSizes {
            geometry: Geometry::ONE_CELL,
            large: self.in_features,
            small: self.out_features,
            groups: 1,
            transposed: false,
        };
        Effort::Kernels(kernel, None)
    }

    fn mirrored(&self) -> Mirrored {
        Mirrored::Dense {
            features: self.in_features,
            bias: self.bias,
        }
    }

    fn example(&self) -> Example {
        Example::Dense {
            inputs: self.in_features,
            outputs: self.out_features,
        }
    }

    fn computed(&self, _: &Shape) -> Option<String> {
        let and_bias = if self.bias { " + b" } else { "" };
        let (inputs, outputs) = (self.in_features, self.out_features);
        Some(format!(
            "y = W·x{and_bias}, W is {outputs}×{inputs}: every output reads every input"
        ))
    }
}
