//! From a source's own picture to the dataset's: number of channels, then size. Cannot fail once
//! made; making it fails on a change of channels that has no meaning.

use super::resize::{Resizer, Sample};
use crate::error::DataError;
use crate::source::RawImage;
use strata_core::project::data::{DataSpec, Filter, Fitting};

/// How pictures are brought to another size, and whether they lose their colour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scaling {
    pub filter: Filter,
    pub fit: Fitting,
    pub grey: bool,
}

impl Scaling {
    pub fn of(spec: &DataSpec) -> Scaling {
        Scaling {
            filter: spec.filter,
            fit: spec.fit,
            grey: spec.grey,
        }
    }
}

/// Turns raw pictures of one shape into the dataset's shape, both H×W×C.
pub(crate) struct ImageFitter {
    from: [usize; 3],
    to: [usize; 3],
    grey: bool,
    scaled: Option<Scaled>,
}

/// A part of a picture, scaled to a part of another.
struct Scaled {
    /// Top, left of the part taken, which is as large as the resizer takes.
    part: [usize; 2],
    taken: [usize; 2],
    resizer: Resizer,
    /// Top, left of where it is put, and how large it is there.
    place: [usize; 2],
    put: [usize; 2],
}

impl ImageFitter {
    pub fn new(
        from: [usize; 3],
        size: Option<[usize; 2]>,
        channels: Option<usize>,
        scaling: Scaling,
    ) -> Result<ImageFitter, DataError> {
        let grey = scaling.grey && from[2] == 3;
        let channels = channels.unwrap_or(if grey { 1 } else { from[2] });
        if !matches!((from[2], channels), (1, 3) | (3, 1)) && from[2] != channels {
            return Err(DataError::setting(
                "source",
                format!(
                    "its images have {} channels and cannot be given {channels}",
                    from[2]
                ),
                "let the network's input have 1 (grey) or 3 (red, green, blue) channels",
            ));
        }
        let own = [from[0], from[1]];
        let size = size.unwrap_or(own);
        let scaled = (size != own).then(|| Scaled::new(own, size, scaling));
        Ok(ImageFitter {
            from,
            to: [size[0], size[1], channels],
            grey,
            scaled,
        })
    }

    /// Leaves pictures of this shape as they are.
    pub fn none(shape: [usize; 3]) -> ImageFitter {
        ImageFitter {
            from: shape,
            to: shape,
            grey: false,
            scaled: None,
        }
    }

    /// H×W×C of what comes out.
    pub fn to(&self) -> [usize; 3] {
        self.to
    }

    /// Whether all pictures come out as they went in.
    pub(crate) fn changes_nothing(&self) -> bool {
        self.from == self.to && !self.is_costly()
    }

    /// Whether it costs enough that its results are worth keeping.
    pub(crate) fn is_costly(&self) -> bool {
        self.scaled.is_some() || self.grey
    }

    /// A picture of the dataset's shape.
    pub fn apply(&self, picture: RawImage) -> RawImage {
        match picture {
            RawImage::Bytes(pixels) => RawImage::Bytes(self.bytes(pixels)),
            RawImage::Words(values) => {
                RawImage::Words(self.scale(change(values, self.from[2], self.to[2], self.grey)))
            }
            RawImage::Floats(values) => {
                RawImage::Floats(self.scale(change(values, self.from[2], self.to[2], self.grey)))
            }
        }
    }

    /// The same for pixels.
    pub fn bytes(&self, pixels: Vec<u8>) -> Vec<u8> {
        self.scale(change(pixels, self.from[2], self.to[2], self.grey))
    }

    fn scale<T: Sample>(&self, values: Vec<T>) -> Vec<T> {
        match &self.scaled {
            Some(scaled) => scaled.apply(values, self.from, self.to),
            None => values,
        }
    }
}

impl Scaled {
    fn new(from: [usize; 2], to: [usize; 2], scaling: Scaling) -> Scaled {
        let (mut taken, mut put) = (from, to);
        match scaling.fit {
            Fitting::Stretch => {}
            Fitting::Crop => taken = within(from, to),
            Fitting::Letterbox => put = within(to, from),
        }
        let middle =
            |whole: [usize; 2], part: [usize; 2]| [0, 1].map(|axis| (whole[axis] - part[axis]) / 2);
        let resizer = Resizer::new(taken, put, scaling.filter);
        Scaled {
            part: middle(from, taken),
            taken,
            resizer,
            place: middle(to, put),
            put,
        }
    }

    fn apply<T: Sample>(&self, values: Vec<T>, from: [usize; 3], to: [usize; 3]) -> Vec<T> {
        let channels = to[2];
        let part = if self.taken == [from[0], from[1]] {
            values
        } else {
            cut(&values, from[1] * channels, self.part, self.taken, channels)
        };
        let scaled = self.resizer.apply(&part, channels);
        if self.put == [to[0], to[1]] {
            return scaled;
        }
        let mut out = vec![T::default(); to.iter().product()];
        let rows = out.chunks_exact_mut(to[1] * channels).skip(self.place[0]);
        for (row, scaled) in rows.zip(scaled.chunks_exact(self.put[1] * channels)) {
            row[self.place[1] * channels..][..scaled.len()].copy_from_slice(scaled);
        }
        out
    }
}

/// The largest size of the ratio of `like` that fits into `room`.
fn within(room: [usize; 2], like: [usize; 2]) -> [usize; 2] {
    let scaled = |side: usize, by: usize, of: usize| ((side * by + of / 2) / of.max(1)).max(1);
    if room[1] * like[0] > room[0] * like[1] {
        [room[0], scaled(room[0], like[1], like[0]).min(room[1])]
    } else {
        [scaled(room[1], like[0], like[1]).min(room[0]), room[1]]
    }
}

/// A rectangle out of rows of `stride` values.
pub(crate) fn cut<T: Copy>(
    values: &[T],
    stride: usize,
    [top, left]: [usize; 2],
    [height, width]: [usize; 2],
    channels: usize,
) -> Vec<T> {
    let rows = values.chunks_exact(stride.max(1)).skip(top).take(height);
    rows.flat_map(|row| {
        row.iter()
            .skip(left * channels)
            .take(width * channels)
            .copied()
    })
    .collect()
}

/// Grey to colour repeats the value; colour to grey weighs red, green and blue as the eye does.
pub(crate) fn change_channels<T: Sample>(values: Vec<T>, from: usize, to: usize) -> Vec<T> {
    match (from, to) {
        (1, 3) => values.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => values
            .as_chunks()
            .0
            .iter()
            .map(|&rgb| T::luma(rgb))
            .collect(),
        _ => values,
    }
}

fn change<T: Sample>(values: Vec<T>, from: usize, to: usize, grey: bool) -> Vec<T> {
    let between = if grey { 1 } else { to };
    change_channels(change_channels(values, from, between), between, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(from: [usize; 3], to: [usize; 2], fit: Fitting) -> ImageFitter {
        ImageFitter::new(
            from,
            Some(to),
            None,
            Scaling {
                fit,
                ..Scaling::default()
            },
        )
        .unwrap()
    }

    #[test]
    fn channels_change_both_ways() {
        assert_eq!(
            change_channels(vec![7u8, 200], 1, 3),
            [7, 7, 7, 200, 200, 200]
        );
        assert_eq!(
            change_channels(vec![255u8, 0, 0, 9, 9, 9, 255, 255, 255], 3, 1),
            [76, 9, 255]
        );
        let fit = ImageFitter::new([2, 2, 3], Some([1, 1]), Some(1), Scaling::default()).unwrap();
        assert_eq!(fit.to(), [1, 1, 1]);
        assert_eq!(fit.bytes(vec![40; 12]), [40]);
        assert!(ImageFitter::new([2, 2, 3], None, Some(2), Scaling::default()).is_err());
        let grey = Scaling {
            grey: true,
            ..Scaling::default()
        };
        assert_eq!(
            ImageFitter::new([1, 1, 3], None, Some(3), grey)
                .unwrap()
                .bytes(vec![255, 0, 0]),
            [76; 3]
        );
        assert_eq!(
            ImageFitter::new([1, 1, 3], None, None, grey)
                .unwrap()
                .bytes(vec![255, 0, 0]),
            [76]
        );
    }

    #[test]
    fn cropping_keeps_the_middle_and_letterboxing_keeps_all() {
        // Two rows of six: the middle two columns are 9.
        let wide = [[1, 1, 9, 9, 1, 1], [1, 1, 9, 9, 1, 1]].concat();
        assert_eq!(
            fit([2, 6, 1], [1, 1], Fitting::Crop).bytes(wide.clone()),
            [9]
        );
        let boxed = fit([2, 6, 1], [6, 6], Fitting::Letterbox).bytes(wide.clone());
        assert_eq!(boxed[..12], [0; 12]);
        assert_eq!(boxed[12..24], wide);
        assert_eq!(boxed[24..], [0; 12]);
        let tall = RawImage::Floats(vec![0.5; 12]);
        let RawImage::Floats(boxed) = fit([6, 2, 1], [3, 3], Fitting::Letterbox).apply(tall) else {
            panic!("floats stay")
        };
        assert_eq!(boxed, [0.0, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn sides_keep_their_ratio_as_far_as_whole_pixels_can() {
        assert_eq!(within([32, 32], [480, 640]), [24, 32]);
        assert_eq!(within([480, 640], [32, 32]), [480, 480]);
        assert_eq!(within([32, 32], [1, 4096]), [1, 32]);
    }
}
