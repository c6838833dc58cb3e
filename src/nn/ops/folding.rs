//! A convolution with a stride as one without: blocks of the image become channels.
//!
//! A window of 11×11 that moves by 4 positions reads whole blocks of 4×4 positions. With the 16 positions of a block as
//! channels of one, it is a window of 3×3 blocks that moves by one, which is computed at points ([`super::winograd`]).
//! The window is filled up with zeros where it does not end with a block. Forward pass and weight gradient are computed
//! so; the gradient of the image, which a first layer has none of, is not.

use super::real::Real;
use super::winograd;
use rayon::prelude::*;
use strata_core::shape::op::Geometry;

/// Windows that are computed at points, along an axis.
const WINDOWS: [usize; 3] = [3, 5, 7];

/// How a convolution is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folding {
    /// Of the convolution that is folded.
    geometry: Geometry,
    /// Channels of its large side.
    channels: usize,
    /// Positions of a block along an axis.
    stride: usize,
    /// The convolution of blocks.
    pub folded: Geometry,
}

impl Folding {
    /// The folding of a convolution that takes less time so. Only sizes that a network is built with decide, as for
    /// [`winograd::points`].
    pub fn chosen(
        geometry: &Geometry,
        large: usize,
        small: usize,
        groups: usize,
    ) -> Option<Folding> {
        let folding = Folding::new(geometry, large).filter(|_| groups == 1)?;
        let channels = [large, folding.channels()];
        winograd::are_blocks_faster(geometry, &folding.folded, channels, small).then_some(folding)
    }

    /// The folding of a square window in two axes that moves by the same stride along both.
    pub(super) fn new(geometry: &Geometry, channels: usize) -> Option<Folding> {
        let Geometry {
            input,
            output,
            kernel: [one, height, width],
            stride: [slices, stride, across],
            dilation,
            pad,
        } = *geometry;
        let is_plane = one == 1 && slices == 1 && input[0] == 1 && pad[0] == 0;
        let moves = stride == across && stride > 1 && dilation == [1; 3];
        if !is_plane || !moves || height != width {
            return None;
        }
        let blocks = height.div_ceil(stride);
        let window = WINDOWS.into_iter().find(|&window| window >= blocks)?;
        let size = |axis: usize| output[axis] + window - 1;
        Some(Folding {
            geometry: *geometry,
            channels,
            stride,
            folded: Geometry {
                input: [1, size(1), size(2)],
                output,
                kernel: [1, window, window],
                stride: [1; 3],
                dilation: [1; 3],
                pad: [0; 3],
            },
        })
    }

    /// Channels of a block.
    pub fn channels(&self) -> usize {
        self.channels * self.stride * self.stride
    }

    /// Elements of a folded image.
    pub fn image(&self) -> usize {
        self.folded.input.iter().product::<usize>() * self.channels()
    }

    /// Elements of a folded weight of so many small channels.
    pub fn weight(&self, small: usize) -> usize {
        small * self.channels() * self.folded.kernel.iter().product::<usize>()
    }

    /// Images to blocks.
    pub(crate) fn fold<T: Real>(&self, images: &[T], folded: &mut [T]) {
        let image = self.geometry.input.iter().product::<usize>() * self.channels;
        images
            .par_chunks_exact(image.max(1))
            .zip(folded.par_chunks_exact_mut(self.image().max(1)))
            .for_each(|(image, folded)| self.fold_image(image, folded));
    }

    fn fold_image<T: Real>(&self, image: &[T], folded: &mut [T]) {
        let Folding {
            channels, stride, ..
        } = *self;
        let [_, height, width] = self.geometry.input;
        let [_, above, left] = self.geometry.pad;
        let [_, _, columns] = self.folded.input;
        let (row, piece, block) = (width * channels, stride * channels, self.channels());
        for (index, line) in folded.chunks_exact_mut(columns * block).enumerate() {
            for inside in 0..stride {
                let y = (index * stride + inside).wrapping_sub(above);
                let from = image.get(y.wrapping_mul(row)..).filter(|_| y < height);
                let from = from.map(|rest| &rest[..row]);
                let pieces = line.chunks_exact_mut(block);
                for (column, block) in pieces.enumerate() {
                    let to = &mut block[inside * piece..(inside + 1) * piece];
                    let first = (column * piece) as isize - (left * channels) as isize;
                    copy_piece(from.unwrap_or_default(), first, to);
                }
            }
        }
    }

    /// A weight in PyTorch's layout to that of the blocks.
    pub(crate) fn fold_weight<T: Real>(&self, weight: &[T], folded: &mut [T]) {
        folded.fill(T::zero());
        self.each_element(|large, small| folded[small] = weight[large], weight.len());
    }

    /// The gradient of a weight of blocks to that of the weight.
    pub(crate) fn unfold_weight<T: Real>(&self, folded: &[T], weight: &mut [T]) {
        let count = weight.len();
        self.each_element(|large, small| weight[large] = folded[small], count);
    }

    /// Calls `f(place in the weight, place in the folded weight)` for every element of a weight of so many.
    fn each_element(&self, mut f: impl FnMut(usize, usize), count: usize) {
        let (size, window) = (self.geometry.kernel[1], self.folded.kernel[1]);
        let (cells, blocks) = (size * size, window * window);
        for large in 0..count {
            let (filter, cell) = (large / cells, large % cells);
            let (small, channel) = (filter / self.channels, filter % self.channels);
            let (y, x) = (cell / size, cell % size);
            let inside = y % self.stride * self.stride + x % self.stride;
            let channel = inside * self.channels + channel;
            let place = y / self.stride * window + x / self.stride;
            f(large, (small * self.channels() + channel) * blocks + place);
        }
    }
}

/// Copies a piece of a row, which may begin before it or end after it: zeros are there.
#[inline(always)]
fn copy_piece<T: Real>(row: &[T], first: isize, to: &mut [T]) {
    if let Ok(start) = usize::try_from(first)
        && let Some(from) = row.get(start..start + to.len())
    {
        // A loop: pieces are too short for a call.
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
        return;
    }
    for (offset, to) in (first..).zip(to) {
        let number = usize::try_from(offset).ok().and_then(|at| row.get(at));
        *to = number.copied().unwrap_or(T::zero());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::conv_input::ConvInput;
    use crate::ops::convolution::{ConvPass, Convolution, Finish};
    use crate::ops::simd::Level;
    use crate::ops::weight_gradient::WeightGradient;

    fn geometry(size: [usize; 2], kernel: usize, stride: usize, pad: [usize; 2]) -> Geometry {
        let output = |axis: usize| (size[axis] + 2 * pad[axis] - kernel) / stride + 1;
        Geometry {
            input: [1, size[0], size[1]],
            output: [1, output(0), output(1)],
            kernel: [1, kernel, kernel],
            stride: [1, stride, stride],
            dilation: [1; 3],
            pad: [0, pad[0], pad[1]],
        }
    }

    /// The output and the gradient of the weight, from a large side, a weight and a gradient.
    fn passes(c: &Convolution, batch: usize, numbers: [&[f32]; 3]) -> [Vec<f32>; 2] {
        let [large, weight, gradient] = numbers;
        let mut packed = vec![f32::NAN; c.packed_len(true)];
        c.pack(true, weight, &mut packed);
        let mut output = vec![f32::NAN; gradient.len()];
        let pass = ConvPass {
            convolution: c,
            down: true,
            weight: &packed,
            input: ConvInput::Plain(large),
            finish: Finish::NONE,
        };
        pass.compute(&mut output);
        let both = WeightGradient {
            convolution: c,
            large: ConvInput::Plain(large),
            small: ConvInput::Plain(gradient),
            bias_of_large: false,
            batch,
        };
        let mut sums = vec![f32::NAN; both.scratch_len()];
        both.sum(&mut sums);
        let mut of_weight = vec![f32::NAN; weight.len()];
        c.unpack(&sums, &mut of_weight);
        [output, of_weight]
    }

    /// Both passes directly and folded, with numbers that `number` gives.
    fn both_ways(
        geometry: &Geometry,
        [large, small, batch]: [usize; 3],
        number: impl Fn(usize) -> f32 + Copy,
    ) -> [[Vec<f32>; 2]; 2] {
        let len = |sizes: [usize; 3]| batch * sizes.iter().product::<usize>();
        let numbers = |count: usize, salt: usize| (0..count).map(move |i| number(i * 7 + salt));
        let images: Vec<f32> = numbers(len(geometry.input) * large, 1).collect();
        let cells: usize = geometry.kernel.iter().product();
        let weight: Vec<f32> = numbers(small * large * cells, 2).collect();
        let gradient: Vec<f32> = numbers(len(geometry.output) * small, 3).collect();
        let level = Level::chosen();
        let sizes = [large, small, 1];
        let direct = Convolution::with_points::<f32>(level, geometry, sizes, None);
        let wanted = passes(&direct, batch, [&images, &weight, &gradient]);
        let folding = Folding::new(geometry, large).unwrap();
        let mut blocks = vec![f32::NAN; batch * folding.image()];
        folding.fold(&images, &mut blocks);
        let mut folded = vec![f32::NAN; folding.weight(small)];
        folding.fold_weight(&weight, &mut folded);
        let points = winograd::choices(&folding.folded).last().copied();
        let sizes = [folding.channels(), small, 1];
        let c = Convolution::with_points::<f32>(level, &folding.folded, sizes, points);
        let [output, of_blocks] = passes(&c, batch, [&blocks, &folded, &gradient]);
        let mut of_weight = vec![f32::NAN; weight.len()];
        folding.unfold_weight(&of_blocks, &mut of_weight);
        [wanted, [output, of_weight]]
    }

    fn cases() -> Vec<(Geometry, [usize; 3])> {
        let mut cases = Vec::new();
        for (size, kernel, stride, pad) in [
            ([23, 31], 11, 4, [5, 5]),
            ([40, 24], 11, 4, [2, 0]),
            ([17, 19], 7, 4, [3, 3]),
            ([13, 16], 5, 2, [2, 2]),
            ([14, 9], 5, 2, [0, 3]),
            ([19, 22], 9, 2, [4, 4]),
            ([21, 12], 4, 2, [1, 0]),
            ([16, 16], 2, 3, [0, 1]),
        ] {
            for channels in [[3, 16, 3], [5, 21, 2]] {
                cases.push((geometry(size, kernel, stride, pad), channels));
            }
        }
        cases
    }

    /// Points may have fractions: with 4 of them sums of small whole numbers are exact all the same.
    #[test]
    fn folding_keeps_every_number() {
        for (geometry, [large, small, batch]) in cases() {
            let folding = Folding::new(&geometry, large).unwrap();
            let count = batch * geometry.input.iter().product::<usize>() * large;
            let images: Vec<f32> = (0..count).map(|i| (i % 7) as f32 - 3.0).collect();
            let weight: Vec<f32> = (0..small * large * geometry.kernel[1].pow(2))
                .map(|i| (i % 5) as f32 - 2.0)
                .collect();
            let (mut blocks, mut folded) = (
                vec![f32::NAN; batch * folding.image()],
                vec![f32::NAN; folding.weight(small)],
            );
            folding.fold(&images, &mut blocks);
            folding.fold_weight(&weight, &mut folded);
            let gradient: Vec<f32> = (0..batch * small * geometry.output[1] * geometry.output[2])
                .map(|i| (i % 3) as f32 - 1.0)
                .collect();
            let level = Level::chosen();
            let direct = Convolution::with_points::<f32>(level, &geometry, [large, small, 1], None);
            let sizes = [folding.channels(), small, 1];
            let of_blocks = Convolution::with_points::<f32>(level, &folding.folded, sizes, None);
            let wanted = passes(&direct, batch, [&images, &weight, &gradient]);
            let [output, of_weight] = passes(&of_blocks, batch, [&blocks, &folded, &gradient]);
            let mut unfolded = vec![f32::NAN; weight.len()];
            folding.unfold_weight(&of_weight, &mut unfolded);
            assert_eq!([output, unfolded], wanted, "{geometry:?} {large} {small}");
        }
    }

    #[test]
    fn at_points_it_rounds_by_little() {
        let number = |i: usize| ((i * 7919) % 2003) as f32 / 1001.5 - 1.0;
        for (geometry, sizes) in cases() {
            let [wanted, found] = both_ways(&geometry, sizes, number);
            for (wanted, found) in wanted.iter().zip(&found) {
                let largest = wanted.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                for (a, b) in wanted.iter().zip(found) {
                    assert!((a - b).abs() <= 1e-5 * largest, "{geometry:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn only_what_is_faster_so_is_folded() {
        let folds = |size, kernel, stride, large, small| {
            let geometry = geometry([size, size], kernel, stride, [kernel / 2; 2]);
            Folding::chosen(&geometry, large, small, 1).is_some()
        };
        assert!(folds(112, 11, 4, 3, 64) && folds(224, 11, 4, 3, 64));
        assert!(folds(56, 5, 2, 64, 64));
        assert!(!folds(112, 3, 2, 64, 64) && !folds(112, 5, 4, 3, 64));
        assert!(!folds(112, 11, 1, 3, 64) && !folds(112, 2, 2, 3, 16));
    }
}
