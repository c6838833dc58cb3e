//! Signals as curves: samples over time as a line, several channels below each other.
//!
//! A column of pixels shows all from the least to the greatest of its samples, so that no peak of a long signal is
//! lost. Nothing here fails: values that are not finite leave a gap, values beyond the range lie at its edge.

/// Height and width of a small picture.
pub const SIZE: [usize; 2] = [64, 128];
/// The range of bytes.
pub const BYTES: [f32; 2] = [0.0, 255.0];

/// Channels that are drawn: lanes of more would be too low to tell a curve.
const MOST_LANES: usize = 8;
/// Columns of samples for each column of pixels, so that steep lines are smooth.
const FINER: usize = 3;
/// Pixels between a lane's edge and the ends of its range.
const INSET: f32 = 2.0;
/// The width of the line in a small picture, in pixels.
const PEN: f32 = 1.3;
const PAPER: [u8; 3] = [13, 15, 20];
const MIDDLE: [u8; 3] = [58, 62, 71];
const LIGHT: [u8; 3] = [228, 231, 238];
/// How much of its range a quiet signal is brought to at most, as one part in so many.
const LOUDER: f32 = 8.0;

/// Whether images of this height, width and number of channels are signals.
pub fn is_signal([height, width, _]: [usize; 3]) -> bool {
    height == 1 && width > 1
}

/// A signal as [`SIZE`] grey bytes, row by row: light on dark, with the middle of the range as a faint line.
/// `samples` are L×C; `range` is where its lower and its upper edge lie: a dataset's pixel range for numbers as a
/// network gets them, [`BYTES`] for bytes.
pub fn picture<T: Copy + Into<f32>>(samples: &[T], channels: usize, range: [f32; 2]) -> Vec<u8> {
    let trace = Trace {
        samples,
        channels,
        range,
    };
    let mut paper = Paper::new(SIZE, channels);
    paper.cover(&trace.ink(SIZE, PEN), LIGHT);
    paper
        .pixels
        .iter()
        .map(|[red, ..]| red.round() as u8)
        .collect()
}

/// The range, drawn in about its middle until the loudest of these samples reaches its edge, but to no less than an
/// eighth: for signals that are quiet all together. Signals that are to be compared need one range.
pub fn fitted<T: Copy + Into<f32>>(samples: &[T], [low, high]: [f32; 2]) -> [f32; 2] {
    let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
    let reach = samples
        .iter()
        .map(|&sample| (sample.into() - middle).abs())
        .filter(|reach| reach.is_finite());
    let reach = reach
        .fold(half.abs() / LOUDER, f32::max)
        .min(half.abs())
        .copysign(half);
    [middle - reach, middle + reach]
}

/// A signal and the range that it is drawn in.
pub struct Trace<'a, T> {
    /// L×C.
    pub samples: &'a [T],
    /// Values of a sample; the first eight are drawn.
    pub channels: usize,
    /// The values at the lower and at the upper edge.
    pub range: [f32; 2],
}

impl<T: Copy + Into<f32>> Trace<'_, T> {
    /// How much of each pixel a line `pen` pixels wide covers, from 0 to 1: `H × W`, row by row.
    pub fn ink(&self, [height, width]: [usize; 2], pen: f32) -> Vec<f32> {
        let mut ink = vec![0.0f32; height * width];
        let beside = ((pen * FINER as f32 - 1.0) / 2.0).round().max(0.0) as usize;
        for lane in 0..lanes(self.channels) {
            let place = Lane::new(lane, self.channels, height);
            let fine = self.envelope(lane, width * FINER);
            for column in 0..fine.len() {
                let near =
                    fine.get(column.saturating_sub(beside)..=(column + beside).min(fine.len() - 1));
                let (low, high) = near
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .fold(NOTHING, joined);
                let (top, bottom) = (place.y(high) - pen / 2.0, place.y(low) + pen / 2.0);
                let rows =
                    top.floor().max(0.0) as usize..(bottom.ceil().max(0.0) as usize).min(height);
                for row in rows.filter(|_| low <= high) {
                    let covered =
                        (bottom.min(row as f32 + 1.0) - top.max(row as f32)).clamp(0.0, 1.0);
                    if let Some(ink) = ink.get_mut(row * width + column / FINER) {
                        *ink += covered / FINER as f32;
                    }
                }
            }
        }
        ink.iter_mut().for_each(|ink| *ink = ink.min(1.0));
        ink
    }

    /// The lowest and the highest point of the line through a channel's samples in each of so many intervals, as
    /// fractions of the range; a sample is in the middle of its time. Neighbouring intervals have a point in common.
    fn envelope(&self, channel: usize, stretches: usize) -> Vec<(f32, f32)> {
        let count = self.samples.len() / self.channels.max(1);
        let last = count.saturating_sub(1);
        let share = |at: usize| {
            let sample = self.samples.get(at.min(last) * self.channels + channel);
            let [low, high] = self.range;
            sample.map_or(f32::NAN, |&sample| {
                ((sample.into() - low) / (high - low)).clamp(0.0, 1.0)
            })
        };
        let between = |at: f64| {
            let at = at.clamp(0.0, last as f64);
            let (left, part) = (share(at as usize), at.fract() as f32);
            if part > 0.0 {
                left + (share(at as usize + 1) - left) * part
            } else {
                left
            }
        };
        let edge = |stretch: usize| stretch as f64 * count as f64 / stretches as f64 - 0.5;
        let stretch = |index: usize| {
            let (from, to) = (edge(index), edge(index + 1));
            let ends = [between(from), between(to)].into_iter();
            let inside = (from.ceil().max(0.0) as usize..=to.floor().max(0.0) as usize).map(share);
            ends.chain(inside.filter(|_| to >= 0.0))
                .map(|share| (share, share))
                .fold(NOTHING, joined)
        };
        (0..stretches).map(stretch).collect()
    }
}

/// No stretch at all.
const NOTHING: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);

/// Both stretches and all between them; a value that is not a number is none.
fn joined(one: (f32, f32), other: (f32, f32)) -> (f32, f32) {
    (one.0.min(other.0), one.1.max(other.1))
}

fn lanes(channels: usize) -> usize {
    channels.clamp(1, MOST_LANES)
}

/// Where a channel is drawn.
struct Lane {
    top: f32,
    tall: f32,
}

impl Lane {
    fn new(lane: usize, channels: usize, height: usize) -> Lane {
        let tall = height as f32 / lanes(channels) as f32;
        Lane {
            top: lane as f32 * tall,
            tall,
        }
    }

    fn y(&self, share: f32) -> f32 {
        let inset = INSET.min(self.tall / 4.0);
        self.top + inset + (1.0 - share) * (self.tall - 2.0 * inset)
    }
}

/// What curves are drawn on.
pub struct Paper {
    size: [usize; 2],
    pixels: Vec<[f32; 3]>,
}

impl Paper {
    /// Dark, of this height and width, with the middle of each channel as a faint line.
    pub fn new(size: [usize; 2], channels: usize) -> Paper {
        let mut paper = Paper {
            size,
            pixels: vec![PAPER.map(f32::from); size[0] * size[1]],
        };
        for lane in 0..lanes(channels) {
            let row = Lane::new(lane, channels, size[0]).y(0.5) as usize;
            let line = paper
                .pixels
                .chunks_exact_mut(size[1].max(1))
                .nth(row)
                .unwrap_or_default();
            line.fill(MIDDLE.map(f32::from));
        }
        paper
    }

    /// As wide as there are colours, one for each column, and so high.
    pub(crate) fn coloured(height: usize, columns: &[[u8; 3]]) -> Paper {
        let row = columns.iter().map(|color| color.map(f32::from));
        Paper {
            size: [height, columns.len()],
            pixels: (0..height).flat_map(|_| row.clone()).collect(),
        }
    }

    /// Lays ink of a colour over all.
    pub fn cover(&mut self, ink: &[f32], color: [u8; 3]) {
        self.each(ink, |below, ink, channel| {
            below + (f32::from(color[channel]) - below) * ink
        });
    }

    /// Adds the light of a colour where there is ink: two colours that meet give their sum.
    pub(crate) fn shine(&mut self, ink: &[f32], color: [u8; 3]) {
        self.each(ink, |below, ink, channel| {
            (below + f32::from(color[channel]) * ink).min(255.0)
        });
    }

    fn each(&mut self, ink: &[f32], change: impl Fn(f32, f32, usize) -> f32) {
        for (pixel, &ink) in self.pixels.iter_mut().zip(ink) {
            *pixel = std::array::from_fn(|channel| change(pixel[channel], ink, channel));
        }
    }

    /// `H × W × 4` bytes.
    pub fn rgba(&self) -> Vec<u8> {
        let bytes = |[red, green, blue]: [f32; 3]| {
            [
                red.round() as u8,
                green.round() as u8,
                blue.round() as u8,
                255,
            ]
        };
        self.pixels.iter().copied().flat_map(bytes).collect()
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: [f32; 2] = [-1.0, 1.0];

    fn ink(samples: &[f32], channels: usize, size: [usize; 2]) -> Vec<Vec<f32>> {
        let ink = Trace {
            samples,
            channels,
            range: UNIT,
        }
        .ink(size, 1.0);
        ink.chunks(size[1]).map(<[f32]>::to_vec).collect()
    }

    /// The mean row of a column's ink, and how much ink it has.
    fn centre(ink: &[Vec<f32>], column: usize) -> (f32, f32) {
        let all: f32 = ink.iter().map(|row| row[column]).sum();
        let at = ink
            .iter()
            .enumerate()
            .map(|(row, cells)| (row as f32 + 0.5) * cells[column])
            .sum::<f32>();
        (at / all, all)
    }

    #[test]
    fn one_row_of_several_samples_is_a_signal() {
        assert!(is_signal([1, 2, 1]) && is_signal([1, 16_000, 2]));
        assert!(!is_signal([1, 1, 3]) && !is_signal([2, 16_000, 1]) && !is_signal([28, 28, 1]));
    }

    #[test]
    fn a_constant_is_a_level_line_of_the_pen_s_width() {
        for (value, row) in [
            (1.0, 2.0),
            (0.0, 12.0),
            (-1.0, 22.0),
            (0.5, 7.0),
            (9.0, 2.0),
        ] {
            let ink = ink(&[value; 7], 1, [24, 10]);
            for column in 0..10 {
                let (at, all) = centre(&ink, column);
                assert!(
                    (at - row).abs() < 1e-3 && (all - 1.0).abs() < 1e-3,
                    "{value}: {at} {all}"
                );
            }
        }
    }

    #[test]
    fn no_peak_of_a_long_signal_is_lost() {
        let mut samples = vec![0.0; 100_000];
        samples[54_321] = 1.0;
        samples[80_000] = -1.0;
        let ink = ink(&samples, 1, [24, 50]);
        assert!(
            ink[2][27] > 0.3 && ink[6][27] > 0.3 && ink[21][40] > 0.3,
            "{:?}",
            ink[2]
        );
        assert!(ink[2][10] == 0.0 && ink[21][27] == 0.0);
    }

    #[test]
    fn few_samples_are_joined_without_gaps() {
        let ink = ink(&[-1.0, 1.0, -1.0, 1.0], 1, [64, 40]);
        for column in 0..40 {
            assert!(centre(&ink, column).1 >= 0.99, "column {column}");
        }
        // Its corners are at 5, 15, 25 and 35.
        let (up, down) = (centre(&ink, 14).0, centre(&ink, 24).0);
        assert!(up < 10.0 && down > 54.0, "{up} {down}");
        let meet = (centre(&ink, 9).0 + centre(&ink, 10).0) / 2.0;
        assert!((meet - 32.0).abs() < 1.0, "{meet}");
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap() {
        let mut samples = [0.0; 9];
        samples[4] = f32::NAN;
        let ink = ink(&samples, 1, [12, 90]);
        let all = |column: usize| ink.iter().map(|row| row[column]).sum::<f32>();
        assert!(all(45) == 0.0 && all(10) > 0.9 && all(80) > 0.9);
        assert!(
            Trace {
                samples: &[] as &[f32],
                channels: 1,
                range: UNIT
            }
            .ink([4, 4], 1.0)
            .iter()
            .all(|&ink| ink == 0.0)
        );
        assert!(
            Trace {
                samples: &[1.0f32],
                channels: 0,
                range: [0.0, 0.0]
            }
            .ink([4, 4], 1.0)
            .len()
                == 16
        );
    }

    #[test]
    fn channels_have_lanes() {
        let ink = ink(&[1.0, -1.0, 1.0, -1.0], 2, [40, 6]);
        assert!(
            ink[1][3] + ink[2][3] > 0.9,
            "the first at the top of the upper half"
        );
        assert!(
            ink[37][3] + ink[38][3] > 0.9,
            "the second at the foot of the lower half"
        );
        assert!((10..30).all(|row| ink[row][3] == 0.0));
        let many = Trace {
            samples: &[0.0f32; 100],
            channels: 20,
            range: UNIT,
        }
        .ink([64, 4], 1.0);
        let lines = many.chunks(4).filter(|row| row[0] > 0.4).count();
        assert!((8..=16).contains(&lines), "{lines}");
    }

    #[test]
    fn a_small_picture_has_its_size_and_a_faint_middle() {
        for channels in [1, 2, 3] {
            let bytes = picture(&vec![255u8; 300 * channels], channels, BYTES);
            assert_eq!(bytes.len(), SIZE[0] * SIZE[1]);
            assert!(*bytes.iter().max().unwrap() > 140 && *bytes.iter().min().unwrap() == PAPER[0]);
            let middles = bytes
                .chunks(SIZE[1])
                .filter(|row| row[0] == MIDDLE[0])
                .count();
            assert_eq!(middles, channels);
        }
        let numbers: Vec<f32> = (0..500).map(|at| (at as f32 / 20.0).sin()).collect();
        assert_ne!(
            picture(&numbers, 1, UNIT),
            picture(&numbers, 1, [-2.0, 2.0])
        );
    }

    #[test]
    fn a_quiet_signal_is_brought_nearer_but_not_silence() {
        assert_eq!(fitted(&[0.25, -0.5, f32::NAN], UNIT), [-0.5, 0.5]);
        assert_eq!(fitted(&[3.0f32], UNIT), UNIT);
        assert_eq!(fitted(&[1e-6f32], UNIT), [-0.125, 0.125]);
        assert_eq!(fitted(&[0.25f32], [1.0, -1.0]), [0.25, -0.25]);
        assert_eq!(fitted(&[255u8], BYTES), BYTES);
        assert_eq!(fitted(&[] as &[f32], [0.0, 1.0]), [0.4375, 0.5625]);
    }

    #[test]
    fn two_lights_that_meet_are_their_sum() {
        let mut paper = Paper::coloured(1, &[[0, 0, 0], [10, 20, 30]]);
        paper.shine(&[1.0, 0.0], [200, 10, 0]);
        paper.shine(&[1.0, 0.5], [100, 10, 100]);
        assert_eq!(paper.rgba(), [255, 20, 100, 255, 60, 25, 80, 255]);
        paper.cover(&[0.0, 1.0], [1, 2, 3]);
        assert_eq!(
            (paper.size(), &paper.rgba()[4..]),
            ([1, 2], &[1, 2, 3, 255][..])
        );
    }
}
