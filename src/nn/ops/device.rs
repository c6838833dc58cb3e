//! The operators built of candle's own, for devices without kernels of ours.
//!
//! Batches are `N × S × C` tensors. Everything is index selection, matrix products and sums, all of which candle has
//! for every device, for every geometry that [`strata_core::shape`] accepts. Nothing here reads what is on the device,
//! and tables of a network are copied to it once. Sums are taken in an order that the sizes
//! decide.
//!
//! | file | what it has |
//! |---|---|
//! | `activation` | activations and softmax |
//! | `constant` | numbers to compare with |
//! | `pool` | max pooling with its indices |

mod activation;
mod constant;
mod pool;

pub use activation::softmax;
pub(crate) use activation::{activate, activate_backward, relu, sigmoid, softmax_backward};
pub(crate) use constant::{above, at_least, at_most, constant};
pub use pool::DevicePool;

use super::spatial_map::SpatialMap;
use super::taps::{OUTSIDE, Taps};
use crate::NnError;
use candle_core::{Device, Tensor};

type Result<T> = std::result::Result<T, NnError>;

/// Rows that are summed by one thread of a GPU: candle's kernel for it takes as many.
const ROWS_PER_SUM: usize = 32;

/// The sum of every column of `rows × columns`.
///
/// Rows are summed a few at a time: threads side by side then read numbers that lie side by side, which one sum over
/// all rows would not do.
pub fn sum_rows(rows: &Tensor) -> Result<Tensor> {
    let columns = rows.dim(1)?;
    let mut sums = rows.contiguous()?;
    loop {
        let count = sums.dim(0)?;
        let part = (2..=ROWS_PER_SUM)
            .rev()
            .find(|part| count.is_multiple_of(*part));
        match part {
            Some(part) if count > ROWS_PER_SUM => {
                sums = sums.reshape((count / part, part, columns))?.sum(1)?;
            }
            Some(_) | None => return Ok(sums.sum(0)?),
        }
    }
}

/// A window's tables on the device.
#[derive(Clone, Debug)]
pub struct DeviceTaps {
    /// The input position that each element of each window reads; candle gives 0 for [`OUTSIDE`].
    table: Tensor,
    /// The elements of windows that read each input position, as many for each.
    readers: Tensor,
    /// How many they are.
    reach: usize,
    positions: usize,
    cells: usize,
    inputs: usize,
}

impl DeviceTaps {
    /// Copies a table to the device.
    pub fn new(taps: &Taps, device: &Device) -> Result<DeviceTaps> {
        let Taps {
            positions,
            cells,
            inputs,
            ref table,
        } = *taps;
        let mut readers = vec![Vec::new(); inputs];
        for (element, &input) in table.iter().enumerate() {
            if input != OUTSIDE {
                readers[input as usize].push(element as u32);
            }
        }
        let reach = readers.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for readers in &mut readers {
            readers.resize(reach, OUTSIDE);
        }
        Ok(DeviceTaps {
            table: Tensor::from_slice(table, positions * cells, device)?,
            readers: Tensor::from_vec(readers.concat(), inputs * reach, device)?,
            reach,
            positions,
            cells,
            inputs,
        })
    }

    /// `N × (positions·cells) × C`, with 0 in the padding.
    fn columns(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.contiguous()?.index_select(&self.table, 1)?)
    }

    /// The transpose of [`DeviceTaps::columns`]: sums columns back into `N × S × C`.
    fn gather_back(&self, columns: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = columns.dims3()?;
        let read = columns.contiguous()?.index_select(&self.readers, 1)?;
        Ok(read
            .reshape((batch, self.inputs, self.reach, channels))?
            .sum(2)?)
    }
}

/// A convolution on the device; weights are PyTorch's, flattened to `small × large/groups × cells`.
pub(crate) struct DeviceConvolution<'a> {
    /// The window.
    pub taps: &'a DeviceTaps,
    /// Groups of channels.
    pub groups: usize,
}

impl DeviceConvolution<'_> {
    /// Columns by group: `groups × (N·positions) × (cells·channels)`.
    fn grouped_columns(&self, large: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = large.dims3()?;
        let rows = batch * self.taps.positions;
        let cells = self.taps.cells;
        let group = channels / self.groups;
        let columns = self
            .taps
            .columns(large)?
            .reshape((rows, cells, self.groups, group))?;
        Ok(columns.permute((2, 0, 1, 3))?.contiguous()?.reshape((
            self.groups,
            rows,
            cells * group,
        ))?)
    }

    /// `groups × (cells·channels) × small/groups`.
    fn grouped_weight(&self, weight: &Tensor) -> Result<Tensor> {
        let (small, group, cells) = weight.dims3()?;
        let out = small / self.groups;
        let weight = weight
            .reshape((self.groups, out, group, cells))?
            .permute((0, 3, 2, 1))?;
        Ok(weight
            .contiguous()?
            .reshape((self.groups, cells * group, out))?)
    }

    /// `groups × (N·positions) × small/groups`.
    fn grouped_rows(&self, small: &Tensor) -> Result<Tensor> {
        let (batch, positions, channels) = small.dims3()?;
        let rows = small.reshape((batch * positions, self.groups, channels / self.groups))?;
        Ok(rows.transpose(0, 1)?.contiguous()?)
    }

    /// Large to small.
    pub fn forward(&self, large: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let rows = self
            .grouped_columns(large)?
            .matmul(&self.grouped_weight(weight)?)?;
        let shape = (large.dim(0)?, self.taps.positions, weight.dim(0)?);
        Ok(rows.transpose(0, 1)?.contiguous()?.reshape(shape)?)
    }

    /// Small to large.
    pub fn transposed(&self, small: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let batch = small.dim(0)?;
        let group = weight.dim(1)?;
        let weight = self.grouped_weight(weight)?.transpose(1, 2)?.contiguous()?;
        let columns = self.grouped_rows(small)?.matmul(&weight)?;
        let rows = (
            self.groups,
            batch * self.taps.positions,
            self.taps.cells,
            group,
        );
        let columns = columns.reshape(rows)?.permute((1, 2, 0, 3))?.contiguous()?;
        let cells = self.taps.positions * self.taps.cells;
        self.taps
            .gather_back(&columns.reshape((batch, cells, self.groups * group))?)
    }

    /// The gradient for the weight.
    pub fn weight_gradient(&self, large: &Tensor, small: &Tensor) -> Result<Tensor> {
        let out = small.dim(2)? / self.groups;
        let group = large.dim(2)? / self.groups;
        let rows = self.grouped_rows(small)?.transpose(1, 2)?.contiguous()?;
        let gradient = rows.matmul(&self.grouped_columns(large)?)?;
        let gradient = gradient
            .reshape((self.groups, out, self.taps.cells, group))?
            .transpose(2, 3)?;
        Ok(gradient
            .contiguous()?
            .reshape((self.groups * out, group, self.taps.cells))?)
    }
}

/// `large[index] += small` over an image of `inputs` positions.
pub(crate) fn scatter(inputs: usize, small: &Tensor, index: &Tensor) -> Result<Tensor> {
    let (batch, _, channels) = small.dims3()?;
    let large = Tensor::zeros((batch, inputs, channels), small.dtype(), small.device())?;
    Ok(large.scatter_add(index, &small.contiguous()?, 1)?)
}

/// `small = large[index]`.
pub fn gather(large: &Tensor, index: &Tensor) -> Result<Tensor> {
    Ok(large.contiguous()?.gather(index, 1)?)
}

/// A linear map over space on the device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceMap {
    /// The input position of each entry, as many entries for each output position.
    table: Tensor,
    /// `1 × outputs × entries × 1`, 0 where there is none.
    weights: Tensor,
}

impl DeviceMap {
    /// Copies a map to the device of a tensor, with weights of its type.
    pub fn new(map: &SpatialMap, like: &Tensor) -> Result<DeviceMap> {
        let outputs = map.outputs();
        let entries = (0..outputs).map(|output| map.row(output).len()).max();
        let entries = entries.unwrap_or(0).max(1);
        let mut table = vec![OUTSIDE; outputs * entries];
        let mut weights = vec![0f64; outputs * entries];
        for output in 0..outputs {
            for (slot, &(input, weight)) in map.row(output).iter().enumerate() {
                table[output * entries + slot] = input;
                weights[output * entries + slot] = weight;
            }
        }
        let (device, dtype) = (like.device(), like.dtype());
        let weights = Tensor::from_vec(weights, (1, outputs, entries, 1), &Device::Cpu)?;
        Ok(DeviceMap {
            table: Tensor::from_vec(table, outputs * entries, device)?,
            weights: weights.to_dtype(dtype)?.to_device(device)?,
        })
    }

    /// Applies it to `N × inputs × C`.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, _, channels) = x.dims3()?;
        let (_, outputs, entries, _) = self.weights.dims4()?;
        let read = x.contiguous()?.index_select(&self.table, 1)?;
        let read = read.reshape((batch, outputs, entries, channels))?;
        Ok(read.broadcast_mul(&self.weights)?.sum(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::op::Geometry;

    #[test]
    fn columns_are_summed_whatever_their_number() {
        for rows in [1usize, 2, 31, 32, 33, 37, 64, 37 * 49, 4096, 2 * 1009] {
            let numbers: Vec<f64> = (0..rows * 3).map(|at| (at % 101) as f64 - 50.0).collect();
            let tensor = Tensor::from_slice(&numbers, (rows, 3), &Device::Cpu).unwrap();
            let mut wanted = [0.0; 3];
            for row in numbers.chunks(3) {
                wanted
                    .iter_mut()
                    .zip(row)
                    .for_each(|(sum, number)| *sum += number);
            }
            assert_eq!(
                sum_rows(&tensor).unwrap().to_vec1::<f64>().unwrap(),
                wanted,
                "{rows}"
            );
        }
    }

    /// ⟨columns(x), c⟩ = ⟨x, gather_back(c)⟩ for windows that overlap, leave gaps and reach into the padding.
    #[test]
    fn columns_and_their_way_back_are_transposed() {
        for (input, kernel, stride, dilation, pad) in [
            ([1, 5, 6], [1, 3, 2], [1, 2, 1], [1, 1, 2], [0, 1, 1]),
            ([3, 4, 4], [2, 2, 2], [2, 2, 2], [1, 1, 1], [0, 0, 0]),
            ([1, 1, 9], [1, 1, 2], [1, 1, 4], [1, 1, 1], [0, 0, 0]),
        ] {
            let output = std::array::from_fn(|axis| {
                (input[axis] + 2 * pad[axis] - dilation[axis] * (kernel[axis] - 1) - 1)
                    / stride[axis]
                    + 1
            });
            let geometry = Geometry {
                input,
                output,
                kernel,
                stride,
                dilation,
                pad,
            };
            let taps = DeviceTaps::new(&Taps::new(&geometry), &Device::Cpu).unwrap();
            let random =
                |dims: (usize, usize, usize)| Tensor::rand(-1f64, 1.0, dims, &Device::Cpu).unwrap();
            let x = random((2, taps.inputs, 3));
            let c = random((2, taps.positions * taps.cells, 3));
            let dot = |a: &Tensor, b: &Tensor| {
                (a * b)
                    .unwrap()
                    .sum_all()
                    .unwrap()
                    .to_scalar::<f64>()
                    .unwrap()
            };
            let there = dot(&taps.columns(&x).unwrap(), &c);
            let back = dot(&x, &taps.gather_back(&c).unwrap());
            assert!((there - back).abs() < 1e-12, "{there} {back}");
        }
    }
}
