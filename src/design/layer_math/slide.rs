//! A sliding window along one axis: what it reads, what it never reads, and a shorter axis on which it does
//! the same.
//!
//! Sizes are at most 2^30, so products fit into 64 bits; nothing here fails.

use strata_core::shape::op::Geometry;

/// A window along one axis. For a transposed convolution `input` is what it writes and `output` what it reads,
/// as in [`Geometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// Cells the window slides over.
    pub input: usize,
    /// Positions of the window.
    pub output: usize,
    /// Cells of the window.
    pub kernel: usize,
    /// Step between positions.
    pub stride: usize,
    /// Distance between the window's cells.
    pub dilation: usize,
    /// Zeros before the first cell.
    pub before: usize,
}

/// Taps that are looked at one by one.
const MANY_TAPS: usize = 4096;

impl Slide {
    /// An axis that nothing slides along.
    pub const UNIT: Slide = Slide {
        input: 1,
        output: 1,
        kernel: 1,
        stride: 1,
        dilation: 1,
        before: 0,
    };

    /// One axis of a geometry.
    pub fn of(geometry: &Geometry, axis: usize) -> Slide {
        Slide {
            input: geometry.input[axis],
            output: geometry.output[axis],
            kernel: geometry.kernel[axis],
            stride: geometry.stride[axis],
            dilation: geometry.dilation[axis],
            before: geometry.pad[axis],
        }
    }

    /// Cells from the window's first to its last: d(k − 1) + 1.
    pub fn span(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// How far the last window reaches, counted from the first zero.
    fn reach(&self) -> usize {
        (self.output - 1) * self.stride + self.span()
    }

    /// Zeros after the last cell that some window reads.
    pub fn after(&self) -> usize {
        self.reach().saturating_sub(self.before + self.input)
    }

    /// The cells with the zeros on both sides.
    pub fn padded(&self) -> usize {
        self.before + self.input + self.after()
    }

    /// Cells at the end that no window reads: what the floor of the size's formula drops, and what dilation leaves.
    pub fn dropped(&self) -> usize {
        let end = self.before + self.input;
        // A window of so many positions has no holes that matter here.
        let taps = self.kernel.saturating_sub(MANY_TAPS)..self.kernel;
        let last = |tap: usize| {
            let room = (end - 1).checked_sub(tap * self.dilation)?;
            Some((room / self.stride).min(self.output - 1) * self.stride + tap * self.dilation)
        };
        let read = taps.filter_map(last).max().map_or(0, |last| last + 1);
        end.saturating_sub(read).min(self.input)
    }

    /// Of every `stride` cells, those between windows that none reads.
    pub fn skipped(&self) -> usize {
        if self.output < 2 {
            0
        } else {
            self.stride
                - self
                    .kernel
                    .min(self.stride / gcd(self.stride, self.dilation))
        }
    }

    /// The cell that a window reads; outside of `0..input` where it reads a zero.
    pub fn cell(&self, position: usize, tap: usize) -> i64 {
        (position * self.stride + tap * self.dilation) as i64 - self.before as i64
    }

    /// The same window on fewer cells, so that the eye can follow: at most `cells` of them, and `padded` with the
    /// zeros, where that leaves two positions. What the floor drops stays the same.
    pub fn shortened(&self, cells: usize, padded: usize) -> Slide {
        if self.input <= cells + 1 && self.padded() <= padded + 1 {
            return *self;
        }
        let with = |output: usize| {
            let fewer = (self.output - output).checked_mul(self.stride)?;
            let input = self.input.checked_sub(fewer).filter(|&input| input > 0)?;
            Some(Slide {
                input,
                output,
                ..*self
            })
        };
        let fits = |slide: &Slide| slide.input <= cells && slide.padded() <= padded;
        let most = self.output.min(cells + padded);
        let fitting = (2..=most).rev().filter_map(with).find(fits);
        let least = self
            .output
            .saturating_sub((self.input - 1) / self.stride)
            .max(self.output.min(2));
        fitting.or_else(|| with(least)).unwrap_or(*self)
    }
}

fn gcd(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slide(input: usize, kernel: usize, stride: usize, before: usize, dilation: usize) -> Slide {
        let output = (input + 2 * before - dilation * (kernel - 1) - 1) / stride + 1;
        Slide {
            input,
            output,
            kernel,
            stride,
            dilation,
            before,
        }
    }

    /// What a window reads, counted cell by cell.
    fn read(slide: &Slide) -> Vec<bool> {
        let mut read = vec![false; slide.input];
        for (position, tap) in
            (0..slide.output).flat_map(|p| (0..slide.kernel).map(move |t| (p, t)))
        {
            let cell = slide.cell(position, tap);
            if (0..slide.input as i64).contains(&cell) {
                read[cell as usize] = true;
            }
        }
        read
    }

    #[test]
    fn what_is_never_read_is_counted() {
        for (n, k, s, p, d) in (5..24).flat_map(|n| {
            (1..5).flat_map(move |k| {
                (1..6).flat_map(move |s| (0..3).map(move |p| (n, k, s, p, 1 + p)))
            })
        }) {
            if n + 2 * p < d * (k - 1) + 1 {
                continue;
            }
            let slide = slide(n, k, s, p, d);
            let read = read(&slide);
            let tail = read.iter().rev().take_while(|read| !**read).count();
            assert_eq!(tail, slide.dropped(), "{slide:?}");
            // Away from the ends every `stride` positions have as many that no window reads.
            let inside = slide.span()..(slide.output * s).min(n);
            for start in inside
                .clone()
                .filter(|start| start + s <= inside.end && slide.output > 1)
            {
                let start = start.max(slide.span());
                let window = &read[start.min(n)..(start + s).min(n)];
                if window.len() == s && start + s + slide.span() <= slide.output * s {
                    assert_eq!(
                        window.iter().filter(|read| !**read).count(),
                        slide.skipped(),
                        "{slide:?} at {start}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_shorter_axis_drops_the_same() {
        for (n, k, s, p) in (1..70).flat_map(|n| {
            (1..12).flat_map(move |k| (1..5).flat_map(move |s| (0..4).map(move |p| (n, k, s, p))))
        }) {
            if n + 2 * p < k {
                continue;
            }
            let long = slide(n, k, s, p, 1);
            let short = long.shortened(6, 8);
            assert_eq!(
                short,
                slide(short.input, k, s, p, 1),
                "{long:?}: a window as the rule has it"
            );
            assert!(
                short.input <= n
                    && short.output <= long.output
                    && short.output >= long.output.min(2).min(short.output)
            );
            assert!(
                short.input <= 7 || short.output == 2 || short.input == n,
                "{long:?} {short:?}"
            );
            if s == 1 || short.input % s == n % s {
                assert_eq!((short.input + 2 * p - k) % s, (n + 2 * p - k) % s);
            }
        }
    }
}
