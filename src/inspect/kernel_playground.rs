//! The playground for kernels: a picture of the source, of a file or a made curve, and what a kernel makes of it.
//!
//! Fails as the reading of a picture does; what is wrong with a kernel is part of the output, with the picture.

use super::inspection::{InspectError, Inspection, InspectionContext, Needs, Slice};
use super::slices::{SliceOf, shown, shown_size};
use crate::kernel::{
    Kernel, KernelError, Match, Pixels, Response, Settings, convolve, find, noisy_curve,
};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset, FilePicture};

/// The longest side of a picture that is worked on; larger ones are made smaller first.
pub const LONGEST: usize = 256;
/// Values of the made curve, and its seed.
const CURVE: (usize, u64) = (256, 1);

/// Which picture.
#[derive(Clone, Debug, PartialEq)]
pub enum PictureSource {
    /// One of the images of the inspection's subject.
    Data {
        /// The split; `None` for the first there is.
        split: Option<Split>,
        /// Its number from 0; beyond the last, the last.
        index: usize,
    },
    /// An image file.
    File(PathBuf),
    /// A made curve with noise of this standard deviation.
    Curve(f32),
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// On which picture.
    pub source: PictureSource,
    /// The kernel.
    pub kernel: Kernel,
    /// How it is slid.
    pub settings: Settings,
    /// A patch `[row, column, height, width]` to find again, instead of the kernel.
    pub patch: Option<[usize; 4]>,
}

/// A picture with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// As it is worked on.
    pub pixels: Pixels,
    /// Height and width before it was made smaller.
    pub full: [usize; 2],
    /// What is said about it: its class, or its file.
    pub name: String,
    /// Its number and how many there are, of a source.
    pub place: Option<(Split, usize, usize)>,
    /// The curve without its noise.
    pub clean: Option<Vec<f32>>,
    /// Which slice of a volume it is.
    pub slice: Option<SliceOf>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Playground {
    /// The picture.
    pub picture: Picture,
    /// What came of the kernel or the patch.
    pub outcome: Result<Outcome, KernelError>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The kernel's result.
    Response(Response),
    /// Where the patch is found again.
    Match(Match),
}

impl Playground {
    /// Works the answer out.
    pub fn new(picture: &Picture, question: &Question) -> Playground {
        let (pixels, settings) = (&picture.pixels, &question.settings);
        let outcome = match question.patch {
            Some(patch) => find(pixels, patch, settings.grey).map(Outcome::Match),
            None => convolve(pixels, &question.kernel, settings).map(Outcome::Response),
        };
        Playground {
            picture: picture.clone(),
            outcome,
        }
    }
}

/// An image of a dataset, of a volume this slice: 0 for black and 1 for white, whatever the network gets; signals as the network gets them.
pub fn picture_of(
    dataset: &Dataset,
    split: Option<Split>,
    index: usize,
    slice: Slice,
    longest: usize,
) -> Result<Picture, DataError> {
    let chosen = split
        .and_then(|split| Some((split, dataset.split(split)?)))
        .or_else(|| dataset.splits().next());
    let Some((split, data)) = chosen else {
        return Ok(Picture {
            pixels: Pixels::default(),
            full: [0, 0],
            name: String::new(),
            place: None,
            clean: None,
            slice: None,
        });
    };
    let index = index.min(data.len().saturating_sub(1));
    let (slice, whole) = (SliceOf::of(dataset, slice), data.image_shape());
    let [height, width, channels] = shown_size(slice, whole);
    let mut values = vec![0.0; whole.iter().product()];
    if height == 1 {
        data.read(index, &mut values)?
    } else {
        data.read_shares(index, &mut values)?
    }
    let values = shown(slice, &values, whole).into_owned();
    let label = data
        .label(index)
        .and_then(|label| dataset.classes().get(label as usize))
        .cloned();
    let pixels = Pixels {
        size: [height, width],
        channels,
        values,
    };
    Ok(Picture {
        pixels: smaller(pixels, longest),
        full: [height, width],
        name: label.unwrap_or_default(),
        place: Some((split, index, data.len())),
        clean: None,
        slice,
    })
}

/// An image file, made smaller where a side is longer than that.
pub fn picture_in(path: &Path, longest: usize) -> Result<Picture, DataError> {
    let FilePicture {
        size,
        channels,
        pixels,
    } = FilePicture::read(path)?;
    let (small, pixels) = shrunk(size, channels, pixels, longest);
    let pixels = Pixels::of_bytes(small, channels, &pixels).unwrap_or_default();
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Picture {
        pixels,
        full: size,
        name,
        place: None,
        clean: None,
        slice: None,
    })
}

/// The made curve.
pub fn curve(noise: f32) -> Picture {
    let curve = noisy_curve(CURVE.1, CURVE.0, noise);
    let pixels = Pixels::signal(curve.noisy);
    let (full, name) = (pixels.size, "a made curve".to_owned());
    Picture {
        pixels,
        full,
        name,
        place: None,
        clean: Some(curve.clean),
        slice: None,
    }
}

fn smaller(picture: Pixels, longest: usize) -> Pixels {
    let Pixels {
        size,
        channels,
        values,
    } = picture;
    // A signal is short enough as it is, and other pictures have no bytes to weigh.
    if size[0] == 1 || size.iter().all(|side| *side <= longest) || !matches!(channels, 1 | 3) {
        return Pixels {
            size,
            channels,
            values,
        };
    }
    let bytes = values
        .iter()
        .map(|value| (255.0 * value.clamp(0.0, 1.0)).round() as u8)
        .collect();
    let (size, bytes) = shrunk(size, channels, bytes, longest);
    Pixels::of_bytes(size, channels, &bytes).unwrap_or_default()
}

/// Bytes of a picture whose longest side is at most `most`.
fn shrunk(size: [usize; 2], channels: usize, bytes: Vec<u8>, most: usize) -> ([usize; 2], Vec<u8>) {
    let longest = size[0].max(size[1]);
    if longest <= most {
        return (size, bytes);
    }
    let small = size.map(|side| ((side * most + longest / 2) / longest).max(1));
    let ([height, width], [tall, wide]) =
        (size.map(|side| side as u32), small.map(|side| side as u32));
    let pixels = match channels {
        1 => GrayImage::from_raw(width, height, bytes)
            .map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw()),
        _ => RgbImage::from_raw(width, height, bytes)
            .map(|i| resize(&i, wide, tall, FilterType::Triangle).into_raw()),
    };
    (small, pixels.unwrap_or_default())
}

/// The picture of the latest request, so that another kernel does not read it again.
struct KeptPicture {
    source: PictureSource,
    slice: Slice,
    picture: Picture,
}

impl Inspection for Playground {
    const NAME: &'static str = "kernel";
    const NEEDS: Needs = Needs::Images;
    type Request = Question;

    fn compute(cx: &mut InspectionContext<'_>, question: &Question) -> Result<Self, InspectError> {
        let kept = cx.take_kept::<KeptPicture>();
        let is_it = |kept: &KeptPicture| kept.source == question.source && kept.slice == cx.slice;
        let kept = kept.filter(is_it);
        let picture = match kept {
            Some(kept) => kept.picture,
            None => read(cx, &question.source)?,
        };
        let playground = Playground::new(&picture, question);
        cx.keep(KeptPicture {
            source: question.source.clone(),
            slice: cx.slice,
            picture,
        });
        Ok(playground)
    }
}

fn read(cx: &InspectionContext<'_>, source: &PictureSource) -> Result<Picture, InspectError> {
    Ok(match source {
        PictureSource::Data { split, index } => {
            picture_of(cx.images()?, *split, *index, cx.slice, LONGEST)?
        }
        PictureSource::File(path) => picture_in(path, LONGEST)?,
        PictureSource::Curve(noise) => curve(*noise),
    })
}
