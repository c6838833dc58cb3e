//! The picture of a filter: of an image as it lies there, of a signal as bars, of a volume slice by slice.
//!
//! Nothing here fails; a filter that is not there has no pixels.

use super::curve;
use super::filters::{Filters, Responses};
use super::maps::viridis;
use super::picture::{FilterScale, diverging, filter_limit, filter_rgba, opaque, pixel_bytes};

/// Up to so many slices lie in one row.
const IN_ROW: usize = 4;
/// Pixels between two slices.
const GAP: usize = 1;
/// The ground of bars, and the line from which they start.
const GROUND: [u8; 3] = [247, 247, 247];
const LINE: [u8; 3] = [170, 174, 182];

/// Height and width of [`filter_picture`].
pub fn filter_size(filters: &Filters) -> [usize; 2] {
    if filters.are_rows() {
        return curve::SIZE;
    }
    let [columns, rows] = slice_grid(filters.depth());
    let height = filters.height / filters.depth();
    let side = |count: usize, size: usize| count * (size + GAP) - GAP;
    [side(rows, height), side(columns, filters.width)]
}

/// A filter as [`filter_size`]`× 4` bytes, in the colours of [`filter_rgba`].
pub fn filter_picture(filters: &Filters, index: usize, scale: FilterScale) -> Vec<u8> {
    if filters.are_rows() {
        let size = filters.size();
        let weights = filters.values.get(index * size..(index + 1) * size);
        let limit = filter_limit(filters, index, scale);
        let mean = |weights: &[f32]| weights.iter().sum::<f32>() / weights.len().max(1) as f32;
        let weights = weights.unwrap_or_default();
        let shares = weights.chunks_exact(filters.channels.max(1));
        let shares: Vec<f32> = shares.map(|weights| mean(weights) / limit).collect();
        return bars(&shares, [-1.0, 1.0], diverging);
    }
    let rgba = filter_rgba(filters, index, scale);
    match filters.depth() {
        1 => rgba,
        depth => slices(filters, depth, &rgba),
    }
}

/// Height and width of [`response_picture`].
pub fn response_size(responses: &Responses) -> [usize; 2] {
    match responses.size[0] {
        1 => curve::SIZE,
        _ => responses.size,
    }
}

/// The frequency response of a filter by its own largest, as [`response_size`]`× 4` bytes: of a signal as bars.
pub fn response_picture(responses: &Responses, index: usize) -> Vec<u8> {
    let values = responses.of(index);
    let largest = values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let shares: Vec<f32> = values.iter().map(|value| value / largest).collect();
    match responses.size[0] {
        1 => bars(&shares, [0.0, 1.0], viridis),
        _ => pixel_bytes(shares.iter().map(|share| opaque(viridis(*share)))),
    }
}

/// Columns and rows that so many slices lie in.
fn slice_grid(depth: usize) -> [usize; 2] {
    let columns = match depth {
        0..=IN_ROW => depth.max(1),
        _ => (depth as f64).sqrt().ceil() as usize,
    };
    [columns, depth.max(1).div_ceil(columns)]
}

/// Slices that lie one below the other, side by side.
fn slices(filters: &Filters, depth: usize, rgba: &[u8]) -> Vec<u8> {
    let [height, width] = [filters.height / depth, filters.width];
    let [columns, _] = slice_grid(depth);
    let [tall, wide] = filter_size(filters);
    let mut picture = vec![0; 4 * tall * wide];
    for (row, pixels) in rgba.chunks_exact(4 * width.max(1)).enumerate() {
        let (slice, row) = (row / height.max(1), row % height.max(1));
        let top = slice / columns * (height + GAP) + row;
        let left = slice % columns * (width + GAP);
        let start = 4 * (top * wide + left);
        if let Some(to) = picture.get_mut(start..start + pixels.len()) {
            to.copy_from_slice(pixels);
        }
    }
    picture
}

/// Values as bars from 0, in [`curve::SIZE`]; of those that fall together the one farthest from 0 is drawn.
fn bars(values: &[f32], [low, high]: [f32; 2], color: fn(f32) -> [u8; 3]) -> Vec<u8> {
    let ([tall, wide], count) = (curve::SIZE, values.len());
    let row = |value: f32| {
        let share = (high - value.clamp(low, high)) / (high - low);
        (share * (tall - 1) as f32).round() as usize
    };
    let first = |column: usize| column * count / wide;
    let value = |column: usize| {
        let last = match count > wide {
            true => first(column + 1),
            false => first(column) + 1,
        };
        let together = values.get(first(column)..last).unwrap_or_default();
        together.iter().copied().fold(0.0, farther)
    };
    // Bars that are wide enough have a gap between them.
    let has_gap = |column: usize| 4 * count <= wide && first(column) != first(column + 1);
    let mut picture = vec![opaque(GROUND); tall * wide];
    for column in 0..wide {
        let value = value(column);
        let end = if value.is_finite() {
            row(value)
        } else {
            row(high)
        };
        let (top, bottom) = (row(0.0).min(end), row(0.0).max(end));
        for y in (top..=bottom).filter(|_| value != 0.0 && !has_gap(column)) {
            picture[y * wide + column] = opaque(color(value));
        }
        picture[row(0.0) * wide + column] = opaque(LINE);
    }
    picture.concat()
}

/// The one that is farther from 0, or no number.
fn farther(one: f32, other: f32) -> f32 {
    if other.abs() > one.abs() || other.is_nan() {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(sizes: [usize; 4], values: Vec<f32>) -> Filters {
        let [count, slices, height, width] = sizes;
        Filters {
            count,
            channels: 1,
            slices,
            height,
            width,
            values,
            ..Filters::default()
        }
    }

    fn pixel(picture: &[u8], [_, width]: [usize; 2], [row, column]: [usize; 2]) -> [u8; 4] {
        let start = 4 * (row * width + column);
        picture[start..start + 4].try_into().unwrap()
    }

    #[test]
    fn a_signal_is_bars_of_their_sign() {
        let signal = filters(
            [2, 1, 1, 4],
            vec![0.0; 4]
                .into_iter()
                .chain([1.0, -0.5, 0.0, 0.25])
                .collect(),
        );
        let size = filter_size(&signal);
        let picture = filter_picture(&signal, 1, FilterScale::PerFilter);
        assert_eq!((size, picture.len()), (curve::SIZE, 4 * 64 * 128));
        let at = |row, column| pixel(&picture, size, [row, column]);
        assert_eq!(
            at(0, 10),
            opaque(diverging(1.0)),
            "the largest reaches the top"
        );
        assert_eq!(at(40, 40), opaque(diverging(-0.5)), "below the line");
        assert_eq!(at(60, 40), opaque(GROUND), "half as long");
        assert_eq!(at(10, 80), opaque(GROUND), "nothing of a weight of 0");
        assert_eq!(at(10, 31), opaque(GROUND), "a gap before the next");
    }

    #[test]
    fn of_many_weights_none_that_is_large_is_lost() {
        let mut weights = vec![0.01; 800];
        (weights[333], weights[700]) = (-1.0, f32::NAN);
        let row = filters([1, 1, 1, 800], weights);
        let picture = filter_picture(&row, 0, FilterScale::PerFilter);
        let at = |row, column| pixel(&picture, curve::SIZE, [row, column]);
        assert_eq!(at(63, 333 * 128 / 800), opaque(diverging(-1.0)));
        assert_eq!(at(5, 700 * 128 / 800), opaque(diverging(f32::NAN)));
    }

    #[test]
    fn slices_of_a_volume_lie_side_by_side() {
        let values: Vec<f32> = (0..12).map(|at| at as f32 / 11.0).collect();
        let volume = filters([1, 3, 6, 2], values);
        assert_eq!(
            (volume.dims().as_str(), filter_size(&volume)),
            ("1×3×2×2", [2, 8])
        );
        let picture = filter_picture(&volume, 0, FilterScale::PerFilter);
        let at = |row, column| pixel(&picture, [2, 8], [row, column]);
        assert_eq!(
            at(1, 7),
            opaque(diverging(1.0)),
            "the last weight of the last slice"
        );
        assert_eq!(
            at(0, 3),
            opaque(diverging(4.0 / 11.0)),
            "the first of the second"
        );
        assert_eq!(at(0, 2), [0; 4], "nothing between two");
        // Ten slices in four columns and three rows.
        assert_eq!(
            filter_size(&filters([1, 10, 160, 16], Vec::new())),
            [50, 67]
        );
    }
}
