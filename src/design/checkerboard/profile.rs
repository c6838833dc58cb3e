//! What a constant becomes along one axis, when every weight of a layer is equal: the number of taps that reach
//! each position, through one layer after the other.
//!
//! Either of one period far from all borders, or of a whole axis, where zeros of the padding darken the ends.
//! Values are scaled to a mean of 1. `None` where an axis is too long to be worth it.

use super::taps::gcd;
use strata_core::shape::layers::Reads;
use strata_core::shape::layers::facts::Joins;
use strata_core::shape::op::{Geometry, Op};

/// Positions at most.
const MOST: usize = 4096;
/// Taps summed for a layer at most.
const MOST_WORK: usize = 1 << 18;

/// Values along an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Profile {
    pub values: Vec<f64>,
    /// Whether the values go on for ever.
    periodic: bool,
}

/// How a window's values become one.
#[derive(Clone, Copy, PartialEq)]
enum Pool {
    Sum,
    /// The mean of the cells inside, or (true) of the whole window.
    Mean(bool),
    Max,
}

impl Profile {
    /// The same value everywhere, for ever.
    pub(crate) fn endless() -> Profile {
        Profile {
            values: vec![1.0],
            periodic: true,
        }
    }

    /// The same value at each of so many positions.
    pub fn flat(size: usize) -> Option<Profile> {
        (size <= MOST).then(|| Profile {
            values: vec![1.0; size],
            periodic: false,
        })
    }

    /// The value at a position; `None` beyond the ends.
    fn at(&self, position: i64) -> Option<f64> {
        let length = self.values.len() as i64;
        let position = if self.periodic {
            position.rem_euclid(length)
        } else {
            position
        };
        self.values.get(usize::try_from(position).ok()?).copied()
    }

    /// The value at a position, or that of the end it is beyond.
    fn near(&self, position: i64) -> f64 {
        let last = self.values.len() as i64 - 1;
        let position = if self.periodic {
            position
        } else {
            position.clamp(0, last)
        };
        self.at(position).unwrap_or(0.0)
    }

    /// After a layer with `size` output positions.
    pub fn through(&self, op: &Op, axis: usize, size: usize) -> Option<Profile> {
        if size > MOST && !self.periodic {
            return None;
        }
        let next = match op.reads() {
            Reads::Window(geometry, joins) => {
                let pool = match joins {
                    Joins::Sum => Pool::Sum,
                    Joins::Max => Pool::Max,
                    Joins::Mean { count_padding } => Pool::Mean(count_padding),
                };
                self.slid(&geometry, axis, pool)
            }
            Reads::Spread(geometry) => self.spread(&geometry, axis, size),
            Reads::Unpooled(geometry) => {
                let (stride, pad) = (geometry.stride[axis] as i64, geometry.pad[axis] as i64);
                self.made(size, geometry.stride[axis], |o| {
                    self.near((o + pad).div_euclid(stride))
                })
            }
            Reads::Enlarged { factor, bilinear } => {
                let wide = factor[axis] as i64;
                match bilinear {
                    false => self.made(size, factor[axis], |o| self.near(o.div_euclid(wide))),
                    true => self.made(size, factor[axis], |o| {
                        self.between(2 * o + 1 - wide, 2 * wide)
                    }),
                }
            }
            Reads::Adaptive { input, output } => self.adapted(input[axis], output[axis]),
            Reads::Padded { before, .. } => self.shifted(before[axis] as i64, size),
            Reads::Cropped { before, .. } => self.shifted(-(before[axis] as i64), size),
            Reads::All if self.periodic => Some(Profile::endless()),
            Reads::All => Profile::flat(size),
            Reads::Own | Reads::OwnAndStatistics => Some(self.clone()),
        };
        next.map(Profile::scaled)
    }

    /// Values made one by one: as many as the layer has outputs, or those of a period `factor` times as long.
    fn made(&self, size: usize, factor: usize, value: impl Fn(i64) -> f64) -> Option<Profile> {
        let count = if self.periodic {
            self.values.len().checked_mul(factor)?
        } else {
            size
        };
        let values = || (0..count as i64).map(value).collect();
        (count <= MOST).then(|| Profile {
            values: values(),
            periodic: self.periodic,
        })
    }

    fn spread(&self, geometry: &Geometry, axis: usize, size: usize) -> Option<Profile> {
        let (stride, pad) = (geometry.stride[axis] as i64, geometry.pad[axis] as i64);
        let period = if self.periodic {
            self.values.len().checked_mul(geometry.stride[axis])?
        } else {
            size
        };
        let taps = self.taps(geometry, axis, period)?;
        let value = |o: i64| {
            let from = |&(tap, weight): &(i64, f64)| {
                let place = o + pad - tap;
                let value = (place.rem_euclid(stride) == 0)
                    .then(|| self.at(place.div_euclid(stride)))
                    .flatten();
                weight * value.unwrap_or(0.0)
            };
            taps.iter().map(from).sum()
        };
        self.made(size, geometry.stride[axis], value)
    }

    fn slid(&self, geometry: &Geometry, axis: usize, pool: Pool) -> Option<Profile> {
        let (stride, pad) = (geometry.stride[axis], geometry.pad[axis] as i64);
        let length = self.values.len();
        let count = if self.periodic {
            length / gcd(length, stride)
        } else {
            geometry.output[axis]
        };
        let taps = self.taps(geometry, axis, length.max(count))?;
        // Where the values repeat a stride is no more than what is left of it.
        let step = if self.periodic {
            stride % length
        } else {
            stride
        } as i64;
        let value = |o: i64| {
            let inside = || {
                taps.iter()
                    .filter_map(|&(tap, n)| Some((self.at(o * step - pad + tap)?, n)))
            };
            let sum = || inside().map(|(value, n)| value * n).sum::<f64>();
            let share = |all: f64| if all > 0.0 { sum() / all } else { 0.0 };
            match pool {
                Pool::Sum => sum(),
                Pool::Mean(true) => share(taps.iter().map(|(_, n)| n).sum()),
                Pool::Mean(false) => share(inside().map(|(_, n)| n).sum()),
                Pool::Max => inside().fold(0.0f64, |most, (value, _)| most.max(value)),
            }
        };
        (count <= MOST).then(|| Profile {
            values: (0..count as i64).map(value).collect(),
            periodic: self.periodic,
        })
    }

    /// Where the taps are, with how many are there: where values repeat, many meet.
    fn taps(&self, geometry: &Geometry, axis: usize, length: usize) -> Option<Vec<(i64, f64)>> {
        let (kernel, dilation) = (geometry.kernel[axis], geometry.dilation[axis]);
        let apart = if self.periodic {
            length / gcd(dilation, length)
        } else {
            kernel
        };
        let count = kernel.min(apart);
        let tap = |t: usize| {
            let place = if self.periodic {
                multiply(t, dilation, length)
            } else {
                t.saturating_mul(dilation)
            };
            (place as i64, (kernel - t).div_ceil(apart) as f64)
        };
        (count.saturating_mul(length) <= MOST_WORK).then(|| (0..count).map(tap).collect())
    }

    /// Between the positions at ⌊over/under⌋ and the next, by linear interpolation.
    fn between(&self, over: i64, under: i64) -> f64 {
        let (first, rest) = (
            over.div_euclid(under),
            over.rem_euclid(under) as f64 / under as f64,
        );
        self.near(first) * (1.0 - rest) + self.near(first + 1) * rest
    }

    fn adapted(&self, input: usize, output: usize) -> Option<Profile> {
        if self.periodic {
            if !input.is_multiple_of(output) {
                return Some(Profile::endless());
            }
            let size = [1, 1, input / output];
            let geometry = Geometry {
                kernel: size,
                stride: size,
                ..Geometry::ONE_CELL
            };
            return self.slid(&geometry, 2, Pool::Mean(true));
        }
        let mean = |i: usize| {
            let window = self
                .values
                .get(i * input / output..((i + 1) * input).div_ceil(output))
                .unwrap_or_default();
            window.iter().sum::<f64>() / window.len().max(1) as f64
        };
        (output <= MOST).then(|| Profile {
            values: (0..output).map(mean).collect(),
            periodic: false,
        })
    }

    fn shifted(&self, by: i64, size: usize) -> Option<Profile> {
        self.made(size, 1, |o| self.at(o - by).unwrap_or(0.0))
    }

    fn scaled(mut self) -> Profile {
        let mean = self.values.iter().sum::<f64>() / self.values.len().max(1) as f64;
        if mean > 0.0 && mean.is_finite() {
            self.values.iter_mut().for_each(|value| *value /= mean);
        }
        self
    }

    /// The mean of branches that meet.
    pub fn mean(branches: Vec<Profile>) -> Option<Profile> {
        let lcm = |a: usize, b: usize| (a / gcd(a, b)).saturating_mul(b);
        let length = branches
            .iter()
            .map(|branch| branch.values.len())
            .fold(1, lcm);
        let periodic = branches.first()?.periodic;
        let length = if periodic {
            length
        } else {
            branches.first()?.values.len()
        };
        let value =
            |o: i64| branches.iter().filter_map(|b| b.at(o)).sum::<f64>() / branches.len() as f64;
        (length <= MOST).then(|| Profile {
            values: (0..length as i64).map(value).collect(),
            periodic,
        })
    }

    /// The fewest positions after which the values repeat.
    pub fn period(&self) -> usize {
        let length = self.values.len();
        let repeats =
            |&p: &usize| (p..length).all(|i| (self.values[i] - self.values[i - p]).abs() < 1e-9);
        (1..length)
            .filter(|&p| length.is_multiple_of(p))
            .find(repeats)
            .unwrap_or(length)
    }
}

fn multiply(a: usize, b: usize, modulus: usize) -> usize {
    (a as u128 * b as u128 % modulus.max(1) as u128) as usize
}
