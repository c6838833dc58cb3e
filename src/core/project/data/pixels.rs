//! What becomes of pixels and samples: scaling, standardisation, spectrograms. Values alone; what cannot be read says
//! what to write.

use crate::project::structured;
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

    /// `area`, `bilinear` or `lanczos`.
    pub fn name(self) -> &'static str {
        match self {
            Filter::Area => "area",
            Filter::Bilinear => "bilinear",
            Filter::Lanczos => "lanczos",
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
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

    /// `stretch`, `crop` or `letterbox`.
    pub fn name(self) -> &'static str {
        match self {
            Fitting::Stretch => "stretch",
            Fitting::Crop => "crop",
            Fitting::Letterbox => "letterbox",
        }
    }
}

impl std::fmt::Display for Fitting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
        let value = toml::Value::deserialize(deserializer)?;
        if value.as_str().is_some_and(|word| word.trim() == "train") {
            return Ok(Normalize::MEASURED);
        }
        let [mean, std] = structured::mean_and_std(&value).map_err(serde::de::Error::custom)?;
        Ok(Normalize::By(MeanStd { mean, std }))
    }
}

/// Pixel/255 minus `mean`, divided by `std`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanStd {
    /// Mean by channel, for pixels in 0..1.
    pub mean: Vec<f32>,
    /// Standard deviation by channel, for pixels in 0..1.
    pub std: Vec<f32>,
}

/// The short-time Fourier transform of a signal as a picture: frequencies up, time to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spectrogram {
    /// Samples of a window (Hann); the picture is `window/2 + 1` high.
    pub window: u32,
    /// Samples from one window to the next.
    pub hop: u32,
    /// The logarithm of the power (over 80 dB) instead of the magnitude.
    pub log: bool,
}

impl<'de> Deserialize<'de> for Spectrogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spectrogram, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let (window, hop, log) =
            structured::spectrogram(&value).map_err(serde::de::Error::custom)?;
        Ok(Spectrogram { window, hop, log })
    }
}

/// `"8x8"`; the older spelling `[8, 8]` is read too.
pub(super) mod patch {
    use crate::project::reference::data::PATCH;
    use crate::project::structured;
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
        let value = toml::Value::deserialize(deserializer)?;
        let sides = structured::sides(&value);
        sides
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom(PATCH.help()))
    }
}
