//! Max pooling of candle's operators: of equal numbers the first counts, as on the CPU. Candle's own argmax on a GPU
//! takes any of them.

use super::Result;
use crate::ops::taps::{OUTSIDE, Taps};
use candle_core::{DType, Device, Tensor};

/// Elements of a window up to which they are compared one by one, with a thread for every output. Beyond, many threads
/// look for each maximum.
const FEW_CELLS: usize = 16;

/// A max pooling's tables on the device.
#[derive(Clone, Debug)]
pub struct DevicePool {
    /// The input position that each element of each window reads, `positions × cells`.
    table: Tensor,
    /// For each element of the window, where there are few.
    by_cell: Vec<Cell>,
    /// `1 × positions × cells × 1`: −∞ in the padding, 0 elsewhere, where there are many.
    walls: Option<Tensor>,
    /// `1 × positions × 1`: the place in `table` where each window begins.
    starts: Tensor,
    positions: usize,
    cells: usize,
}

/// One element of all windows.
#[derive(Clone, Debug)]
struct Cell {
    /// The input positions that it reads.
    inputs: Tensor,
    /// `1 × positions × 1`: −∞ where it is in the padding, 0 elsewhere.
    wall: Option<Tensor>,
    /// Which element it is.
    number: Tensor,
}

impl DevicePool {
    /// Copies a window's table to the device of a tensor.
    pub fn new(taps: &Taps, like: &Tensor) -> Result<DevicePool> {
        let Taps {
            positions, cells, ..
        } = *taps;
        let device = like.device();
        let by_cell = match cells <= FEW_CELLS {
            true => (0..cells)
                .map(|cell| Cell::new(taps, cell, like))
                .collect::<Result<_>>()?,
            false => Vec::new(),
        };
        let walls = match cells > FEW_CELLS {
            true => wall(&taps.table, like)?
                .map(|walls| walls.reshape((1, positions, cells, 1)))
                .transpose()?,
            false => None,
        };
        let starts: Vec<u32> = (0..positions).map(|at| (at * cells) as u32).collect();
        Ok(DevicePool {
            table: Tensor::from_slice(&taps.table, positions * cells, device)?,
            by_cell,
            walls,
            starts: Tensor::from_vec(starts, (1, positions, 1), device)?,
            positions,
            cells,
        })
    }

    /// The maximum of each window of `N × S × C`, and the index of the input position it came from (u32).
    pub fn apply(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let x = x.contiguous()?;
        let (y, cell) = match self.by_cell.split_first() {
            Some((first, rest)) => one_by_one(&x, first, rest)?,
            None => self.all_together(&x)?,
        };
        let dims = y.dims().to_vec();
        let place = cell.broadcast_add(&self.starts)?.flatten_all()?;
        let index = self.table.index_select(&place, 0)?.reshape(dims)?;
        Ok((y, index))
    }

    /// The maxima, and which element of its window each is.
    fn all_together(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let (batch, _, channels) = x.dims3()?;
        let shape = (batch, self.positions, self.cells, channels);
        let mut columns = x.index_select(&self.table, 1)?.reshape(shape)?;
        if let Some(walls) = &self.walls {
            columns = columns.broadcast_add(walls)?;
        }
        let y = columns.max(2)?;
        let is_largest = columns.broadcast_eq(&y.unsqueeze(2)?)?;
        let (count, device) = (self.cells as u32, x.device());
        let order = Tensor::arange(0, count, device)?.reshape((1, 1, self.cells, 1))?;
        let last = Tensor::full(count.saturating_sub(1), (1, 1, 1, 1), device)?;
        let cell =
            is_largest.where_cond(&order.broadcast_as(shape)?, &last.broadcast_as(shape)?)?;
        Ok((y, cell.min(2)?))
    }
}

/// The same, with every element compared with the largest before it.
fn one_by_one(x: &Tensor, first: &Cell, rest: &[Cell]) -> Result<(Tensor, Tensor)> {
    let mut y = first.read(x)?;
    let mut cell = Tensor::zeros(y.dims(), DType::U32, x.device())?;
    for next in rest {
        let values = next.read(x)?;
        let is_larger = values.gt(&y)?;
        let number = next.number.broadcast_as(y.dims())?;
        y = is_larger.where_cond(&values, &y)?;
        cell = is_larger.where_cond(&number, &cell)?;
    }
    Ok((y, cell))
}

impl Cell {
    fn new(taps: &Taps, cell: usize, like: &Tensor) -> Result<Cell> {
        let inputs: Vec<u32> = (0..taps.positions).map(|at| taps.at(at)[cell]).collect();
        let wall = wall(&inputs, like)?;
        let wall = wall.map(|wall| wall.reshape((1, taps.positions, 1)));
        Ok(Cell {
            wall: wall.transpose()?,
            number: Tensor::full(cell as u32, (1, 1, 1), like.device())?,
            inputs: Tensor::from_vec(inputs, taps.positions, like.device())?,
        })
    }

    fn read(&self, x: &Tensor) -> Result<Tensor> {
        let values = x.index_select(&self.inputs, 1)?;
        Ok(match &self.wall {
            Some(wall) => values.broadcast_add(wall)?,
            None => values,
        })
    }
}

/// −∞ where a table points into the padding, 0 elsewhere; nothing where it never does.
fn wall(table: &[u32], like: &Tensor) -> Result<Option<Tensor>> {
    if !table.contains(&OUTSIDE) {
        return Ok(None);
    }
    let height = |&input: &u32| {
        if input == OUTSIDE {
            f64::NEG_INFINITY
        } else {
            0.0
        }
    };
    let wall: Vec<f64> = table.iter().map(height).collect();
    let wall = Tensor::from_vec(wall, table.len(), &Device::Cpu)?;
    Ok(Some(wall.to_dtype(like.dtype())?.to_device(like.device())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::op::Geometry;

    fn geometry(kernel: usize, stride: usize, pad: usize, side: usize) -> Geometry {
        let out = (side + 2 * pad - kernel) / stride + 1;
        Geometry {
            input: [1, side, side],
            output: [1, out, out],
            kernel: [1, kernel, kernel],
            stride: [1, stride, stride],
            dilation: [1, 1, 1],
            pad: [0, pad, pad],
        }
    }

    /// Both ways, on numbers with many ties, beside a plain loop.
    #[test]
    fn the_first_of_equal_numbers_is_taken() {
        for (kernel, stride, pad, side) in [(2, 2, 0, 6), (3, 2, 1, 7), (3, 1, 1, 5), (5, 5, 2, 11)]
        {
            let taps = Taps::new(&geometry(kernel, stride, pad, side));
            let numbers: Vec<f32> = (0..2 * side * side * 3)
                .map(|at| (at * 7 % 5) as f32 - 2.0)
                .collect();
            let x = Tensor::from_slice(&numbers, (2, side * side, 3), &Device::Cpu).unwrap();
            let (y, index) = DevicePool::new(&taps, &x).unwrap().apply(&x).unwrap();
            let (y, index) = (y.flatten_all().unwrap(), index.flatten_all().unwrap());
            let (y, index) = (y.to_vec1::<f32>().unwrap(), index.to_vec1::<u32>().unwrap());
            let mut at = 0;
            for image in 0..2 {
                for position in 0..taps.positions {
                    for channel in 0..3 {
                        let value = |&input: &u32| {
                            numbers[(image * side * side + input as usize) * 3 + channel]
                        };
                        let inside = taps.at(position).iter().filter(|&&input| input != OUTSIDE);
                        let mut best: Option<(f32, u32)> = None;
                        for input in inside {
                            if best.is_none_or(|(most, _)| value(input) > most) {
                                best = Some((value(input), *input));
                            }
                        }
                        assert_eq!(Some((y[at], index[at])), best, "{kernel} {stride} {pad}");
                        at += 1;
                    }
                }
            }
        }
    }
}
