//! Numbers of a file that do not depend on its input.

use candle_core::{Device, Tensor};
use onnx_rs::ast::{DataType, Node, TensorProto};

/// Numbers with their shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constant {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Constant {
    /// Those of a tensor; none where they are of a kind that no weight has, or not in the file.
    pub fn of(tensor: &TensorProto<'_>) -> Option<Constant> {
        let dims: Vec<usize> = tensor
            .dims()
            .iter()
            .map(|&size| size.max(0) as usize)
            .collect();
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
        let turned = (0..columns)
            .flat_map(|column| (0..rows).map(move |row| self.values[row * columns + column]));
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

/// What a node makes of numbers that are all known. Exporters write margins and shapes as such computations.
pub(super) fn computed(node: &Node<'_>, inputs: &[&Constant]) -> Option<Constant> {
    let (&first, rest) = inputs.split_first()?;
    match node.op_type.as_str() {
        "Identity" | "Cast" => Some(first.clone()),
        "ConstantOfShape" => {
            let value = node
                .attribute
                .first()
                .and_then(|attribute| attribute.t.as_ref());
            let value = value
                .and_then(Constant::of)
                .and_then(|value| value.single());
            let dims: Vec<usize> = first
                .whole()
                .iter()
                .map(|&size| size.max(0) as usize)
                .collect();
            let count = dims.iter().product::<usize>();
            (count <= MOST_FILLED).then(|| Constant {
                dims,
                values: vec![value.unwrap_or(0.0); count],
            })
        }
        "Concat" if inputs.iter().all(|input| input.dims.len() == 1) => {
            let values = inputs.iter().flat_map(|input| input.values.iter().copied());
            Some(Constant::vector(values.collect()))
        }
        "Reshape" => reshaped(first, &rest.first()?.whole()),
        "Transpose" => first.transposed(),
        "Slice" => sliced(first, rest),
        "Unsqueeze" if first.values.len() == 1 => Some(Constant::vector(first.values.clone())),
        _ => None,
    }
}

/// No shape that is filled with one number has more.
const MOST_FILLED: usize = 1 << 16;

fn reshaped(constant: &Constant, target: &[i64]) -> Option<Constant> {
    let known: i64 = target.iter().filter(|&&size| size > 0).product();
    let free = constant.values.len() as i64 / known.max(1);
    let size = |(axis, &size): (usize, &i64)| match size {
        -1 => usize::try_from(free).ok(),
        0 => constant.dims.get(axis).copied(),
        size => usize::try_from(size).ok(),
    };
    let dims: Vec<usize> = target.iter().enumerate().map(size).collect::<Option<_>>()?;
    (dims.iter().product::<usize>() == constant.values.len()).then(|| Constant {
        dims,
        values: constant.values.clone(),
    })
}

/// A part along one axis; `rest` are where it begins and ends, the axis and the step.
fn sliced(constant: &Constant, rest: &[&Constant]) -> Option<Constant> {
    let number = |place: usize| rest.get(place).and_then(|constant| constant.single());
    let (start, end) = (number(0)?, number(1)?);
    let (axis, step) = (number(2).unwrap_or(0.0), number(3).unwrap_or(1.0));
    let axis = if axis < 0.0 {
        axis + constant.dims.len() as f32
    } else {
        axis
    } as usize;
    let size = *constant.dims.get(axis)? as f32;
    let from_end = |place: f32| if place < 0.0 { place + size } else { place };
    let (start, end) = match step > 0.0 {
        true => (
            from_end(start).clamp(0.0, size),
            from_end(end).clamp(0.0, size),
        ),
        false => (
            from_end(start).clamp(0.0, size - 1.0),
            from_end(end).clamp(-1.0, size - 1.0),
        ),
    };
    let mut places = Vec::new();
    let mut place = start;
    while step != 0.0 && (end - place) * step.signum() > 0.0 {
        places.push(place as usize);
        place += step;
    }
    let inner: usize = constant.dims[axis + 1..].iter().product();
    let block = inner * constant.dims[axis];
    let mut values = Vec::new();
    for block in constant.values.chunks_exact(block.max(1)) {
        for &place in &places {
            values.extend(block.get(place * inner..(place + 1) * inner)?);
        }
    }
    let mut dims = constant.dims.clone();
    dims[axis] = places.len();
    Some(Constant { dims, values })
}
