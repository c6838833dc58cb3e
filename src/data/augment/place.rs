//! What moves whole pixels: flips, shifts and crops.

use super::sample::fold;
use super::{Size, Work};
use strata_core::project::augment::Border;

/// Mirrors left and right.
pub(crate) fn flip_left_right(image: &mut [f32], size: Size) {
    for row in image.chunks_exact_mut(size.row().max(1)) {
        match size.channels {
            1 => row.reverse(),
            3 => row.as_chunks_mut::<3>().0.reverse(),
            channels => {
                row.reverse();
                row.chunks_exact_mut(channels).for_each(<[f32]>::reverse);
            }
        }
    }
}

/// Mirrors top and bottom.
pub(crate) fn flip_top_bottom(image: &mut [f32], size: Size) {
    let (top, bottom) = image.split_at_mut(size.height / 2 * size.row());
    let rows = top
        .chunks_exact_mut(size.row().max(1))
        .zip(bottom.chunks_exact_mut(size.row().max(1)).rev());
    rows.for_each(|(upper, lower)| upper.swap_with_slice(lower));
}

/// Moves the image by `right` columns and `down` rows.
pub fn shift(
    from: &[f32],
    to: &mut Vec<f32>,
    size: Size,
    [right, down]: [i32; 2],
    border: Border,
    work: &mut Work,
) {
    window(from, to, [size, size], [-right, -down], border, work);
}

/// The window of size `sizes[1]` whose first pixel is (`left`, `top`) in an image of size `sizes[0]`; what
/// is outside the image comes from `border`.
pub fn window(
    from: &[f32],
    to: &mut Vec<f32>,
    [size, out]: [Size; 2],
    [left, top]: [i32; 2],
    border: Border,
    work: &mut Work,
) {
    to.resize(out.len(), 0.0);
    let columns = Columns::new(size, out, left, border, &mut work.index);
    for (to, row) in to.chunks_exact_mut(out.row().max(1)).zip(top..) {
        let source = fold(row, size.height, border).map(|row| row * size.row());
        match source.and_then(|start| from.get(start..start + size.row())) {
            Some(from) => columns.copy(from, to, size.channels),
            None => to.fill(0.0),
        }
    }
}

/// Which columns of a row come from where.
struct Columns<'a> {
    /// Numbers of the row before the image, of the image, and where the image's part starts in it.
    before: usize,
    length: usize,
    start: usize,
    /// The source column of the others, `u32::MAX` for black.
    index: &'a [u32],
}

impl Columns<'_> {
    fn new(size: Size, out: Size, left: i32, border: Border, index: &mut Vec<u32>) -> Columns<'_> {
        let (width, wide) = (size.width as i64, out.width as i64);
        let first = (-i64::from(left)).clamp(0, wide);
        let end = (width - i64::from(left)).clamp(first, wide);
        index.clear();
        let column =
            |column| fold(column, size.width, border).map_or(u32::MAX, |column| column as u32);
        index.extend((left..).take(out.width).map(column));
        let numbers = |columns: i64| columns.unsigned_abs() as usize * size.channels;
        Columns {
            before: numbers(first),
            length: numbers(end - first),
            start: numbers((first + i64::from(left)).max(0)),
            index,
        }
    }

    fn copy(&self, from: &[f32], to: &mut [f32], channels: usize) {
        let end = self.before + self.length;
        if let (Some(to), Some(from)) = (
            to.get_mut(self.before..end),
            from.get(self.start..self.start + self.length),
        ) {
            to.copy_from_slice(from);
        }
        let outside = |column: &usize| !(self.before..end).contains(&(column * channels));
        for column in (0..self.index.len()).filter(outside) {
            let Some(to) = to.get_mut(column * channels..(column + 1) * channels) else {
                continue;
            };
            let start = self
                .index
                .get(column)
                .map_or(usize::MAX, |&column| column as usize)
                .saturating_mul(channels);
            match from.get(start..start.saturating_add(channels)) {
                Some(pixel) => to.copy_from_slice(pixel),
                None => to.fill(0.0),
            }
        }
    }
}
