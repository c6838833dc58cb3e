//! Methods that give one value for a pixel: Grad-CAM and occlusion.

use super::score::{Scored, numbers};
use super::{How, Watch, go_on};
use crate::inspection::InspectError;

/// Grad-CAM: the sum of a layer's channels, each weighted by the mean of the score's gradient over it; of the sum what
/// is positive, interpolated to the size of the image.
pub fn grad_cam(
    scored: &mut Scored<'_>,
    images: &[f32],
    how: &How,
) -> Result<Vec<f32>, InspectError> {
    let none =
        || InspectError::Input("Grad-CAM needs a layer with maps: the network has none".to_owned());
    let place = how.layer.as_ref().ok_or_else(none)?;
    scored.network.set_taps(std::slice::from_ref(place))?;
    let passed = scored.gradients(images);
    let sums = passed.map_err(InspectError::from).and_then(|_| {
        let taps = scored.network.taps();
        let tapped = taps
            .last()
            .and_then(|tap| Some((tap.output?, tap.gradient?)));
        let (output, gradient) = tapped.ok_or_else(|| {
            InspectError::Input(format!(
                "{place} does not lie before the score: choose a layer that it is computed from"
            ))
        })?;
        Ok((
            weighted(&numbers(output)?, &numbers(gradient)?, output.dims()),
            output.dims().to_vec(),
        ))
    });
    scored.network.set_taps(&[])?;
    let (sums, dims) = sums?;
    let space = dims
        .get(1..dims.len().saturating_sub(1))
        .unwrap_or_default();
    if space.iter().product::<usize>() <= 1 {
        return Err(InspectError::Input(format!(
            "{place} gives no maps: choose a layer whose output has a height and a width"
        )));
    }
    let mut from = [1; 3];
    from.iter_mut()
        .rev()
        .zip(space.iter().rev())
        .for_each(|(to, size)| *to = *size);
    let cells = from.iter().product::<usize>();
    let channels = scored.channels();
    let enlarged = sums
        .chunks_exact(cells)
        .flat_map(|map| enlarge(map, from, how.volume));
    Ok(spread(enlarged, channels))
}

/// What is positive of the sum of the channels, weighted by the mean gradient of each.
fn weighted(output: &[f32], gradient: &[f32], dims: &[usize]) -> Vec<f32> {
    let count = dims.first().copied().unwrap_or(1).max(1);
    let channels = dims.last().copied().unwrap_or(1).max(1);
    let each = (output.len() / count).max(1);
    let images = output.chunks_exact(each).zip(gradient.chunks_exact(each));
    let of_image = |(output, gradient): (&[f32], &[f32])| {
        let mut weights = vec![0.0f32; channels];
        for cell in gradient.chunks_exact(channels) {
            weights
                .iter_mut()
                .zip(cell)
                .for_each(|(sum, slope)| *sum += slope);
        }
        let cells = (each / channels).max(1) as f32;
        let sum = |cell: &[f32]| {
            cell.iter()
                .zip(&weights)
                .map(|(y, w)| y * w / cells)
                .sum::<f32>()
        };
        output
            .chunks_exact(channels)
            .map(|cell| sum(cell).max(0.0))
            .collect::<Vec<f32>>()
    };
    images.flat_map(of_image).collect()
}

/// Linear interpolation along every axis, the outermost cells reaching beyond their middles (as with
/// `align_corners = False`).
fn enlarge(map: &[f32], from: [usize; 3], to: [usize; 3]) -> Vec<f32> {
    let mut values = map.to_vec();
    let mut sizes = from;
    for axis in 0..3 {
        let inner = sizes[axis + 1..].iter().product::<usize>();
        let length = sizes[axis];
        let places = places(length, to[axis]);
        values = values
            .chunks_exact((length * inner).max(1))
            .flat_map(|block| {
                places.iter().flat_map(move |&(low, high, share)| {
                    (0..inner).map(move |at| {
                        let (a, b) = (block[low * inner + at], block[high * inner + at]);
                        a + (b - a) * share
                    })
                })
            })
            .collect();
        sizes[axis] = to[axis];
    }
    values
}

/// For every new position the two old ones it lies between, and how far from the first.
fn places(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let last = from.saturating_sub(1);
    let place = |index: usize| {
        let at = ((index as f32 + 0.5) * from as f32 / to.max(1) as f32 - 0.5).max(0.0);
        let low = (at as usize).min(last);
        (low, (low + 1).min(last), at - low as f32)
    };
    (0..to).map(place).collect()
}

/// Patches that are covered, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// Depth, height and width of the image.
    pub volume: [usize; 3],
    /// The same of a patch.
    pub window: [usize; 3],
    /// From one patch to the next.
    pub stride: [usize; 3],
}

/// A patch is this part of a side, and the next one begins at its middle.
const PART: usize = 7;

impl Windows {
    /// Patches of a seventh of each side that overlap by half.
    pub fn usual(volume: [usize; 3]) -> Windows {
        let window = volume.map(|side| side.div_ceil(PART).max(1));
        Windows {
            volume,
            window,
            stride: window.map(|side| (side / 2).max(1)),
        }
    }

    /// Where patches begin along an axis; the last one ends with the image.
    fn starts(&self, axis: usize) -> Vec<usize> {
        let last = self.volume[axis].saturating_sub(self.window[axis]);
        let mut starts: Vec<usize> = (0..=last).step_by(self.stride[axis].max(1)).collect();
        if starts.last().is_some_and(|start| *start < last) {
            starts.push(last);
        }
        starts
    }

    /// The first position of every patch.
    pub(super) fn corners(&self) -> Vec<[usize; 3]> {
        let [depths, rows, columns] = [0, 1, 2].map(|axis| self.starts(axis));
        let in_row =
            |depth: usize, row: usize| columns.iter().map(move |column| [depth, row, *column]);
        let in_plane = |depth: usize| rows.iter().flat_map(move |row| in_row(depth, *row));
        depths.iter().flat_map(|depth| in_plane(*depth)).collect()
    }

    /// The pixels of a patch.
    pub(super) fn pixels(&self, [depth, row, column]: [usize; 3]) -> Vec<usize> {
        let [_, height, width] = self.volume;
        let [deep, tall, wide] = self.window;
        let mut pixels = Vec::with_capacity(deep * tall * wide);
        for d in depth..depth + deep {
            for r in row..row + tall {
                let start = (d * height + r) * width + column;
                pixels.extend(start..start + wide);
            }
        }
        pixels
    }
}

/// Occlusion: what the score loses when a patch is covered with zeros, the mean over the patches that cover a pixel.
pub fn occlusion(
    scored: &mut Scored<'_>,
    images: &[f32],
    windows: &Windows,
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    let (size, channels) = (scored.size().max(1), scored.channels());
    let pixels = size / channels;
    let whole = scored.values(images)?;
    let mut losses = vec![0.0f64; images.len() / channels];
    let mut covers = vec![0u32; pixels];
    let corners = windows.corners();
    let mut covered = images.to_vec();
    for (index, corner) in corners.iter().enumerate() {
        go_on(watch, index, corners.len())?;
        let patch = windows.pixels(*corner);
        covered.copy_from_slice(images);
        for image in covered.chunks_exact_mut(size) {
            for pixel in &patch {
                image[pixel * channels..(pixel + 1) * channels].fill(0.0);
            }
        }
        let left = scored.values(&covered)?;
        let lost = whole.iter().zip(&left).map(|(whole, left)| whole - left);
        for (map, lost) in losses.chunks_exact_mut(pixels).zip(lost) {
            patch
                .iter()
                .for_each(|pixel| map[*pixel] += f64::from(lost));
        }
        patch.iter().for_each(|pixel| covers[*pixel] += 1);
    }
    let count = covers.iter().cycle();
    let mean = losses
        .iter()
        .zip(count)
        .map(|(sum, count)| (sum / f64::from((*count).max(1))) as f32);
    Ok(spread(mean, channels))
}

/// A pixel's value, shared by its channels.
fn spread(pixels: impl Iterator<Item = f32>, channels: usize) -> Vec<f32> {
    let share = move |value: f32| std::iter::repeat_n(value / channels as f32, channels);
    pixels.flat_map(share).collect()
}
