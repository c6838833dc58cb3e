//! Volumes as pictures: one slice of each. Volumes come as images of their slices one below the other; where the
//! dataset has images, nothing is changed.

use super::inspection::Slice;
use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use strata_data::Dataset;

/// The slice shown, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SliceOf {
    /// Its number, from 0.
    pub slice: usize,
    /// Slices of a volume.
    pub slices: usize,
}

impl Display for SliceOf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "slice {} of {}", self.slice + 1, self.slices)
    }
}

impl SliceOf {
    /// The slice that is asked for, or the middle one; none of images.
    pub fn of(dataset: &Dataset, asked: Slice) -> Option<SliceOf> {
        let slices = dataset.depth()?.max(1);
        let slice = asked.unwrap_or(slices / 2).min(slices - 1);
        Some(SliceOf { slice, slices })
    }
}

/// Height, width and channels of what is shown of an image.
pub fn shown_size(shown: Option<SliceOf>, [height, width, channels]: [usize; 3]) -> [usize; 3] {
    match shown {
        Some(shown) => [height / shown.slices, width, channels],
        None => [height, width, channels],
    }
}

/// What is shown of images of this size that lie one after the other: of each volume its slice.
pub fn shown<T: Copy>(shown: Option<SliceOf>, values: &[T], size: [usize; 3]) -> Cow<'_, [T]> {
    let Some(SliceOf { slice, slices }) = shown else {
        return Cow::Borrowed(values);
    };
    let volume = size.iter().product::<usize>().max(1);
    let length = volume / slices;
    let of_one = |values: &[T]| {
        let start = slice * length;
        values
            .get(start..start + length)
            .unwrap_or_default()
            .to_vec()
    };
    values.chunks_exact(volume).flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slice_of_each_volume_is_shown() {
        let values: Vec<u8> = (0..24).collect();
        let size = [6, 2, 1];
        assert_eq!(*shown(None, &values, size), *values);
        let last = Some(SliceOf {
            slice: 2,
            slices: 3,
        });
        assert_eq!(*shown(last, &values, size), [8, 9, 10, 11, 20, 21, 22, 23]);
        assert_eq!(shown_size(last, size), [2, 2, 1]);
    }
}
