//! How many taps of a transposed convolution's kernel reach each output position, along one axis.
//!
//! A tap t puts input i on output i·s − p + t·d, so position o is reached by the taps with
//! t·d ≡ o + p (mod s). Counted without a loop: strides and kernels may be as large as a text allows.

use strata_core::shape::op::Geometry;

/// A transposed kernel along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taps {
    /// Taps.
    pub kernel: usize,
    /// Distance between the places that neighbouring inputs go to.
    pub stride: usize,
    /// Distance between taps.
    pub dilation: usize,
    /// Outputs cut away before the first.
    pub pad: usize,
}

impl Taps {
    /// One axis (of three) of a transposed convolution.
    pub(crate) fn of(geometry: &Geometry, axis: usize) -> Taps {
        let Geometry {
            kernel,
            stride,
            dilation,
            pad,
            ..
        } = geometry;
        Taps {
            kernel: kernel[axis],
            stride: stride[axis],
            dilation: dilation[axis],
            pad: pad[axis],
        }
    }

    /// Taps that reach the output at this position, as far from the borders as need be.
    pub fn covering(&self, position: usize) -> usize {
        let common = gcd(self.stride, self.dilation);
        let phase = (position % self.stride + self.pad % self.stride) % self.stride;
        if !phase.is_multiple_of(common) {
            return 0;
        }
        // t·(d/g) ≡ phase/g (mod q): the first such t, and then every q-th.
        let q = self.stride / common;
        let first = multiply(phase / common, inverse(self.dilation / common, q), q);
        if first < self.kernel {
            (self.kernel - first).div_ceil(q)
        } else {
            0
        }
    }

    /// The fewest taps that reach any position.
    pub fn least(&self) -> usize {
        match gcd(self.stride, self.dilation) {
            1 => self.kernel / self.stride,
            _ => 0,
        }
    }

    /// The most taps that reach any position.
    pub fn most(&self) -> usize {
        self.kernel
            .div_ceil(self.stride / gcd(self.stride, self.dilation))
    }

    /// Whether every position is reached by equally many taps.
    pub fn is_even(&self) -> bool {
        self.least() == self.most()
    }
}

fn multiply(a: usize, b: usize, modulus: usize) -> usize {
    (a as u128 * b as u128 % modulus as u128) as usize
}

/// The number x with a·x ≡ 1 (mod `modulus`), for a without a common divisor with it (Euclid).
fn inverse(a: usize, modulus: usize) -> usize {
    let m = modulus as i128;
    let (mut old, mut now) = ((a as i128 % m, 1i128), (m, 0i128));
    while now.0 != 0 {
        let quotient = old.0 / now.0;
        (old, now) = (now, (old.0 - quotient * now.0, old.1 - quotient * now.1));
    }
    old.1.rem_euclid(m) as usize
}

pub(crate) fn gcd(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted by doing it: every input of a long row puts every tap where it belongs.
    fn counted(taps: &Taps) -> Vec<usize> {
        let Taps {
            kernel,
            stride,
            dilation,
            pad,
        } = *taps;
        let far = kernel * dilation + 3 * stride;
        let mut row = vec![0; 4 * far + pad];
        for input in 0..4 * far / stride {
            for tap in 0..kernel {
                if let Some(cell) = (input * stride + tap * dilation)
                    .checked_sub(pad)
                    .and_then(|at| row.get_mut(at))
                {
                    *cell += 1;
                }
            }
        }
        let start = 2 * far - 2 * far % stride;
        row[start..start + stride].to_vec()
    }

    #[test]
    fn counts_are_those_of_doing_it() {
        for kernel in 1..8 {
            for stride in 1..6 {
                for dilation in 1..5 {
                    for pad in 0..4 {
                        let taps = Taps {
                            kernel,
                            stride,
                            dilation,
                            pad,
                        };
                        let expected = counted(&taps);
                        let found: Vec<usize> = (0..stride)
                            .map(|position| taps.covering(position))
                            .collect();
                        assert_eq!(found, expected, "{taps:?}");
                        assert_eq!(taps.least(), *expected.iter().min().unwrap(), "{taps:?}");
                        assert_eq!(taps.most(), *expected.iter().max().unwrap(), "{taps:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_kernel_of_a_multiple_of_the_stride_is_even() {
        let even = |kernel, stride| {
            Taps {
                kernel,
                stride,
                dilation: 1,
                pad: 1,
            }
            .is_even()
        };
        assert!(even(4, 2) && even(2, 2) && even(3, 1) && even(6, 3));
        assert!(!even(3, 2) && !even(5, 2) && !even(4, 3) && !even(1, 2));
    }

    #[test]
    fn huge_numbers_do_no_harm() {
        let huge = 1 << 30;
        let taps = Taps {
            kernel: 3,
            stride: huge,
            dilation: huge - 1,
            pad: huge,
        };
        assert_eq!((taps.least(), taps.most()), (0, 1));
        assert_eq!(taps.covering(huge - 1), 1);
    }
}
