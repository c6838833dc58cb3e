//! What becomes of pixels and samples: scaling, standardisation, spectrograms. Values alone; what cannot be read says
//! what to write.

use serde::{Deserialize, Deserializer, Serialize};

/// How pixels are weighed when an image is scaled. Each is as wide as shrinking asks for, so that nothing aliases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filter {
    /// The mean over the area that a pixel covers (Pillow's BOX).
    Area,
    /// A triangle (Pillow's BILINEAR, PyTorch's `bilinear` with `antialias=True`).
    #[default]
    Bilinear,
    /// Lanczos with three lobes: sharper, and it may overshoot at edges.
    Lanczos,
}

impl Filter {
    /// All of them.
    pub const ALL: [Filter; 3] = [Filter::Area, Filter::Bilinear, Filter::Lanczos];
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Filter::Area => "area",
            Filter::Bilinear => "bilinear",
            Filter::Lanczos => "lanczos",
        })
    }
}

/// What happens to an image whose sides have another ratio than the size wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fitting {
    /// Each side is scaled on its own.
    #[default]
    Stretch,
    /// Scaled until it covers the size; what sticks out on two sides is cut off.
    Crop,
    /// Scaled until it fits in; two black bars fill the rest.
    Letterbox,
}

impl Fitting {
    /// All of them.
    pub const ALL: [Fitting; 3] = [Fitting::Stretch, Fitting::Crop, Fitting::Letterbox];
}

impl std::fmt::Display for Fitting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fitting::Stretch => "stretch",
            Fitting::Crop => "crop",
            Fitting::Letterbox => "letterbox",
        })
    }
}

/// Standardisation by channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Normalize {
    /// Mean and deviation are measured on the training images; written `"train"`.
    Measured(Train),
    /// These numbers.
    By(MeanStd),
}

/// The word `"train"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Train {
    /// The training images.
    Train,
}

impl Normalize {
    /// Measured on the training images.
    pub const MEASURED: Normalize = Normalize::Measured(Train::Train);

    /// The numbers, unless they are measured.
    pub fn numbers(&self) -> Option<&MeanStd> {
        match self {
            Normalize::By(numbers) => Some(numbers),
            Normalize::Measured(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Normalize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Normalize, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Word(String),
            Numbers(MeanStd),
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Word(word)) if word == "train" => Ok(Normalize::MEASURED),
            Ok(Written::Numbers(numbers)) => Ok(Normalize::By(numbers)),
            _ => Err(serde::de::Error::custom(
                "normalize is either \"train\", to measure it on the training images, or { mean = [0.5], std = [0.5] } with a number for each channel",
            )),
        }
    }
}

/// Pixel/255 minus `mean`, divided by `std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanStd {
    /// Mean by channel, for pixels in 0..1.
    pub mean: Vec<f32>,
    /// Standard deviation by channel, for pixels in 0..1.
    pub std: Vec<f32>,
}

/// The short-time Fourier transform of a signal as a picture: frequencies up, time to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spectrogram {
    /// Samples of a window (Hann); the picture is `window/2 + 1` high.
    pub window: u32,
    /// Samples from one window to the next.
    pub hop: u32,
    /// The logarithm of the power (over 80 dB) instead of the magnitude.
    #[serde(default = "super::yes")]
    pub log: bool,
}

/// `"8x8"`; the older spelling `[8, 8]` is read too.
pub(super) mod patch {
    use crate::project::size::Axes;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        size: &Option<[u32; 2]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match size {
            Some([height, width]) => serializer.serialize_str(&format!("{height}x{width}")),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u32; 2]>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Pair([u32; 2]),
        }
        let wrong =
            || serde::de::Error::custom("patch is a height and a width: write patch = \"8x8\"");
        match Written::deserialize(deserializer).map_err(|_| wrong())? {
            Written::Pair(size) => Ok(Some(size)),
            Written::Text(text) => match *text.trim().parse::<Axes>().map_err(|_| wrong())?.sizes()
            {
                [side] => Ok(Some([side, side])),
                [height, width] => Ok(Some([height, width])),
                _ => Err(wrong()),
            },
        }
    }
}
