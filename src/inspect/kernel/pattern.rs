//! "Find this pattern": a patch of a picture as a kernel, and where else the picture looks like it.
//!
//! The patch without its mean and of length 1 is the kernel; the answer at every place is divided by the length of
//! the pixels under it, so that brightness does not count: normalised cross-correlation, between −1 and 1 (Lewis 1995).
//! All channels are summed, as in a layer. Stride 1, no padding, no dilation.

use super::{KernelError, Pixels};

/// The longest side of a patch: the search takes as many steps as picture times patch have pixels.
const MOST: usize = 48;
/// Places that are reported.
const PLACES: usize = 5;

/// The longest side of a patch.
pub fn most_sides() -> usize {
    MOST
}

/// A patch as weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Row and column of its corner, height and width.
    pub patch: [usize; 4],
    /// The weights, of mean 0 and length 1.
    pub weights: Pixels,
}

/// A place that looks like the pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Row and column of its corner.
    pub at: [usize; 2],
    /// How alike: 1 is equal up to brightness and contrast.
    pub score: f32,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The picture that was searched: grey where that was asked for.
    pub input: Pixels,
    /// The kernel.
    pub pattern: Pattern,
    /// How alike, for every corner at which the patch fits.
    pub scores: Pixels,
    /// The best places, best first, none on another.
    pub places: Vec<Found>,
}

/// Searches a picture for one of its patches `[row, column, height, width]`.
pub fn find(picture: &Pixels, patch: [usize; 4], grey: bool) -> Result<Match, KernelError> {
    let input = if grey {
        picture.grey()
    } else {
        picture.clone()
    };
    let pattern = pattern(&input, patch)?;
    let size = [input.size[0] - patch[2] + 1, input.size[1] - patch[3] + 1];
    let mut values = vec![0.0; size[0] * size[1]];
    for (row, out) in values.chunks_exact_mut(size[1]).enumerate() {
        score_row(&input, &pattern.weights, row, out);
    }
    let scores = Pixels {
        size,
        channels: 1,
        values,
    };
    let places = best(&scores, [patch[2], patch[3]]);
    Ok(Match {
        input,
        pattern,
        scores,
        places,
    })
}

fn pattern(picture: &Pixels, patch: [usize; 4]) -> Result<Pattern, KernelError> {
    let [top, left, height, width] = patch;
    let ends = [top.checked_add(height), left.checked_add(width)];
    let inside = ends
        .iter()
        .zip(picture.size)
        .all(|(end, side)| end.is_some_and(|end| end <= side));
    if !inside || height == 0 || width == 0 {
        return Err(KernelError::Patch {
            patch,
            picture: picture.size,
        });
    }
    if height.max(width) > MOST {
        return Err(KernelError::LargePatch {
            size: [height, width],
            most: MOST,
        });
    }
    let rows = (top..top + height).flat_map(|row| row_of(picture, row, left, width));
    let values = normal(&rows.copied().collect::<Vec<f32>>()).ok_or(KernelError::Flat)?;
    Ok(Pattern {
        patch,
        weights: Pixels {
            size: [height, width],
            channels: picture.channels,
            values,
        },
    })
}

/// A stretch of a row, all channels.
fn row_of(picture: &Pixels, row: usize, left: usize, width: usize) -> &[f32] {
    let from = (row * picture.size[1] + left) * picture.channels;
    picture
        .values
        .get(from..from + width * picture.channels)
        .unwrap_or_default()
}

/// The values without their mean and of length 1; `None` when they are all equal.
fn normal(values: &[f32]) -> Option<Vec<f32>> {
    let mean =
        values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len().max(1) as f64;
    let length = values
        .iter()
        .map(|&value| (f64::from(value) - mean).powi(2))
        .sum::<f64>()
        .sqrt();
    let scale = values
        .iter()
        .fold(0.0f64, |most, &value| most.max(f64::from(value).abs()));
    (length > 1e-6 * scale.max(1e-6)).then(|| {
        values
            .iter()
            .map(|&value| ((f64::from(value) - mean) / length) as f32)
            .collect()
    })
}

/// How alike every window of one row of corners is. The weights have mean 0, so the window's own needs no taking away.
fn score_row(picture: &Pixels, weights: &Pixels, row: usize, out: &mut [f32]) {
    let [height, width] = weights.size;
    let channels = picture.channels;
    let count = (height * width * channels) as f64;
    for (column, out) in out.iter_mut().enumerate() {
        let (mut dot, mut sum, mut squares) = (0.0f32, 0.0f64, 0.0f64);
        for (down, line) in weights.values.chunks_exact(width * channels).enumerate() {
            let window = row_of(picture, row + down, column, width);
            let (mut line_sum, mut line_squares) = (0.0f32, 0.0f32);
            for (weight, value) in line.iter().zip(window) {
                dot += weight * value;
                line_sum += value;
                line_squares += value * value;
            }
            (sum, squares) = (sum + f64::from(line_sum), squares + f64::from(line_squares));
        }
        let spread = squares - sum * sum / count;
        // Rounding leaves about this much of a window of one colour.
        let is_flat = spread <= 1e-6 * squares.max(1e-12);
        *out = if is_flat {
            0.0
        } else {
            (f64::from(dot) / spread.sqrt()).clamp(-1.0, 1.0) as f32
        };
    }
}

/// The best places of which none covers half of another in both directions.
fn best(scores: &Pixels, [height, width]: [usize; 2]) -> Vec<Found> {
    let across = scores.size[1].max(1);
    let mut order: Vec<(usize, f32)> = scores
        .values
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, s)| *s > 0.0)
        .collect();
    order.sort_by(|(place, score), (other_place, other)| {
        other.total_cmp(score).then(place.cmp(other_place))
    });
    let mut places: Vec<Found> = Vec::new();
    for (index, score) in order {
        let at = [index / across, index % across];
        let apart = |found: &Found| {
            2 * found.at[0].abs_diff(at[0]) >= height.max(1)
                || 2 * found.at[1].abs_diff(at[1]) >= width.max(1)
        };
        if places.iter().all(apart) {
            places.push(Found { at, score });
        }
        if places.len() == PLACES {
            break;
        }
    }
    places
}
