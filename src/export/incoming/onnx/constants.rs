//! Numbers of a file that do not depend on its input.

use candle_core::{Device, Tensor};
use onnx_rs::ast::{DataType, TensorProto};

/// Numbers with their shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Constant {
    /// Those of a tensor; none where they are of a kind that no weight has, or not in the file.
    pub fn of(tensor: &TensorProto<'_>) -> Option<Constant> {
        let dims: Vec<usize> = tensor.dims().iter().map(|&size| size.max(0) as usize).collect();
        let count: usize = dims.iter().product();
        let values: Vec<f32> = match tensor.data_type() {
            _ if count == 0 => Vec::new(),
            DataType::Float => tensor.as_f32()?.to_vec(),
            DataType::Double => tensor.as_f64()?.iter().map(|&value| value as f32).collect(),
            DataType::Int64 => tensor.as_i64()?.iter().map(|&value| value as f32).collect(),
            DataType::Int32 => tensor.as_i32()?.iter().map(|&value| value as f32).collect(),
            _ => return None,
        };
        (values.len() == count).then_some(Constant { dims, values })
    }

    /// Whole numbers, as shapes and sizes are.
    pub fn whole(&self) -> Vec<i64> {
        self.values.iter().map(|&value| value as i64).collect()
    }

    /// The only number.
    pub fn single(&self) -> Option<f32> {
        match self.values.as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// As a tensor; none where memory is short.
    pub fn tensor(&self) -> Option<Tensor> {
        Tensor::from_slice(&self.values, self.dims.as_slice(), &Device::Cpu).ok()
    }

    /// Rows and columns exchanged.
    pub fn transposed(&self) -> Option<Constant> {
        let &[rows, columns] = self.dims.as_slice() else {
            return None;
        };
        let turned = (0..columns).flat_map(|column| {
            (0..rows).map(move |row| self.values[row * columns + column])
        });
        Some(Constant {
            dims: vec![columns, rows],
            values: turned.collect(),
        })
    }

    /// Numbers along one axis.
    pub fn vector(values: Vec<f32>) -> Constant {
        Constant {
            dims: vec![values.len()],
            values,
        }
    }
}
