//! The rows of printed tables as layers: windows are worked out from shapes and numbers of parameters.

use super::pasted::Unread;
use super::translate;
use crate::project::size::Shape;

/// Strides that are tried.
const STRIDES: std::ops::RangeInclusive<u32> = 1..=4;
/// Sides of images that are usual: what the first layer's input is taken for.
const USUAL: [u32; 12] = [28, 32, 64, 96, 128, 224, 227, 256, 299, 512, 16, 8];
/// Kernels that are tried for a layer whose input is not printed.
const KERNELS: [u32; 7] = [3, 5, 7, 1, 11, 4, 2];

/// A row of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Which line it is, from 1.
    pub line: usize,
    pub text: String,
    /// As the library calls it: `Conv2d`.
    pub class: String,
    /// What it gets, where that is printed. Channels first, without the batch.
    pub input: Option<Vec<u32>>,
    /// What it gives.
    pub output: Vec<u32>,
    pub parameters: u64,
    /// Whether its shape was printed with channels last.
    pub is_last: bool,
}

impl Row {
    pub fn unread(&self, reason: &str) -> Unread {
        Unread::of(self.line, &self.text, &self.class, reason)
    }

    fn channels(&self) -> u32 {
        self.output.first().copied().unwrap_or(1)
    }
}

/// The texts of the layers of a row. `before` is what the row gets, where that is known; the first that is not becomes
/// the input.
pub(super) fn layers(
    row: &Row,
    before: &mut Option<Vec<u32>>,
    input: &mut Option<Shape>,
) -> Result<Vec<String>, String> {
    let class = row.class.as_str();
    if class == "InputLayer" {
        *input = shape(&row.output);
        return Ok(Vec::new());
    }
    if before.is_none() {
        *before = Some(match &row.input {
            Some(input) => input.clone(),
            None => first_input(row)?,
        });
        *input = before.as_deref().and_then(shape);
    }
    // Branches that others join do not follow each other: what is printed is sure.
    let given = row
        .input
        .clone()
        .or_else(|| before.clone())
        .unwrap_or_default();
    let text = match class {
        "Conv1d" | "Conv2d" | "Conv3d" | "Conv1D" | "Conv2D" | "Conv3D" => conv(row, &given)?,
        "DepthwiseConv2D" => depthwise(row, &given)?,
        "ConvTranspose2d" | "Conv2DTranspose" | "ConvTranspose1d" => transposed(row, &given)?,
        "Linear" | "Dense" => {
            let (from, to) = (
                given.iter().map(|&size| u64::from(size)).product::<u64>(),
                row.channels(),
            );
            let bias = row.parameters != from * u64::from(to);
            format!("dense {to}{}", if bias { "" } else { " nobias" })
        }
        "MaxPool2d" | "MaxPooling2D" | "MaxPool1d" | "MaxPooling1D" => {
            pool("maxpool", row, &given)?
        }
        "AvgPool2d" | "AveragePooling2D" | "AvgPool1d" => pool("avgpool", row, &given)?,
        "BatchNorm1d" | "BatchNorm2d" | "BatchNorm3d" | "BatchNormalization" => "bn".to_owned(),
        "AdaptiveAvgPool2d" => format!("adaptive-avgpool {}", by_axis(&row.output[1..])),
        "GlobalAveragePooling2D" | "GlobalAveragePooling1D" => "gap".to_owned(),
        "GlobalMaxPooling2D" | "GlobalMaxPooling1D" => "gmp".to_owned(),
        "Upsample" | "UpSampling2D" => {
            let factor = row
                .output
                .get(1)
                .zip(given.get(1))
                .map_or(1, |(now, was)| now / was.max(&1));
            format!("upsample {factor}")
        }
        "Dropout" => "dropout 0.5".to_owned(),
        "Activation" => return Err("a summary does not print which function it is".to_owned()),
        "Add" | "Concatenate" | "Multiply" => {
            return Err("a summary does not print what it joins".to_owned());
        }
        _ => {
            let translated = translate(&format!("{class}()")).map_err(|error| error.message)?;
            return Ok(translated.layers.iter().map(ToString::to_string).collect());
        }
    };
    Ok(vec![text])
}

fn shape(dims: &[u32]) -> Option<Shape> {
    let dims: Vec<usize> = dims.iter().map(|&size| size as usize).collect();
    Shape::new(&dims)
}

fn by_axis(sizes: &[u32]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => first.to_string(),
        _ => sizes
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join("x"),
    }
}

/// What the first layer gets: its channels follow from the parameters, its size from what is usual.
fn first_input(row: &Row) -> Result<Vec<u32>, String> {
    let unknown = || "its input is not printed, and does not follow from its parameters".to_owned();
    let axes = row.output.len().saturating_sub(1) as u32;
    if axes == 0 {
        let from = row.parameters / u64::from(row.channels().max(1));
        return u32::try_from(from)
            .map(|from| vec![from.max(1)])
            .map_err(|_| unknown());
    }
    if !row.class.starts_with("Conv") {
        return Ok(row.output.clone());
    }
    let fits = |channels: u32, kernel: u32| {
        let weights = u64::from(channels) * u64::from(kernel).pow(axes);
        let all = u64::from(row.channels());
        row.parameters == all * (weights + 1) || row.parameters == all * weights
    };
    let tried = KERNELS
        .iter()
        .flat_map(|&kernel| [(3, kernel), (1, kernel)]);
    let (channels, kernel) = tried
        .clone()
        .find(|&(channels, kernel)| fits(channels, kernel))
        .ok_or_else(unknown)?;
    let side = |now: u32| {
        let candidates = [
            now + kernel - 1,
            now,
            now * 2,
            now * 2 + kernel - 2,
            now * 4,
        ];
        candidates
            .into_iter()
            .find(|side| USUAL.contains(side))
            .unwrap_or(now)
    };
    let sides = row.output[1..].iter().map(|&now| side(now));
    Ok([channels].into_iter().chain(sides).collect())
}

fn conv(row: &Row, given: &[u32]) -> Result<String, String> {
    let (from, to) = (u64::from(given[0]), u64::from(row.channels()));
    let axes = row.output.len() as u32 - 1;
    let found = [true, false].into_iter().find_map(|bias| {
        let weights = row.parameters.checked_sub(if bias { to } else { 0 })?;
        let kernel = root(weights, to * from, axes)?;
        Some((kernel, bias))
    });
    let Some((kernel, bias)) = found else {
        return depthwise(row, given);
    };
    let window = window(row, given, kernel)?;
    Ok(format!(
        "conv {to} k{kernel}{window}{}",
        if bias { "" } else { " nobias" }
    ))
}

fn depthwise(row: &Row, given: &[u32]) -> Result<String, String> {
    let channels = u64::from(row.channels());
    if channels != u64::from(given[0]) {
        return Err("no window with this many parameters is known; it may have groups".to_owned());
    }
    let axes = row.output.len() as u32 - 1;
    let found = [true, false].into_iter().find_map(|bias| {
        let weights = row
            .parameters
            .checked_sub(if bias { channels } else { 0 })?;
        Some((root(weights, channels, axes)?, bias))
    });
    let (kernel, bias) = found.ok_or("no window has this many parameters")?;
    let window = window(row, given, kernel)?;
    Ok(format!(
        "dwconv k{kernel}{window}{}",
        if bias { "" } else { " nobias" }
    ))
}

/// The side of a window with so many weights for each pair of channels.
fn root(weights: u64, pairs: u64, axes: u32) -> Option<u32> {
    let each = weights
        .checked_div(pairs)
        .filter(|each| each * pairs == weights && *each > 0)?;
    (1..=64_u64)
        .find(|side| side.pow(axes) == each)
        .map(|side| side as u32)
}

/// Stride and padding of a window that give the printed size: the smallest stride, no padding, half a window, any.
fn window(row: &Row, given: &[u32], kernel: u32) -> Result<String, String> {
    let fits = |stride: u32, padding: u32| {
        let sides = given[1..].iter().zip(&row.output[1..]);
        sides.clone().all(|(&was, &now)| {
            let room = (was + 2 * padding).checked_sub(kernel);
            room.is_some_and(|room| room / stride + 1 == now)
        })
    };
    let paddings = || [0, (kernel - 1) / 2].into_iter().chain(1..kernel);
    let mut tried = STRIDES.flat_map(|stride| paddings().map(move |padding| (stride, padding)));
    if let Some((stride, padding)) = tried.find(|&(stride, padding)| fits(stride, padding)) {
        let stride = if stride > 1 {
            format!(" s{stride}")
        } else {
            String::new()
        };
        let padding = if padding > 0 {
            format!(" p{padding}")
        } else {
            String::new()
        };
        return Ok(stride + &padding);
    }
    // Keras pads unequally where a stride asks for it.
    let same = STRIDES.into_iter().find(|stride| {
        let mut sides = given[1..].iter().zip(&row.output[1..]);
        sides.all(|(was, now)| was.div_ceil(*stride) == *now)
    });
    match same {
        Some(1) => Ok(" same".to_owned()),
        Some(stride) => Ok(format!(" s{stride} same")),
        None => Err("no stride and padding give the printed size".to_owned()),
    }
}

fn transposed(row: &Row, given: &[u32]) -> Result<String, String> {
    let (from, to) = (u64::from(given[0]), u64::from(row.channels()));
    let axes = row.output.len() as u32 - 1;
    let found = [true, false].into_iter().find_map(|bias| {
        let weights = row.parameters.checked_sub(if bias { to } else { 0 })?;
        Some((root(weights, to * from, axes)?, bias))
    });
    let (kernel, bias) = found.ok_or("no window has this many parameters")?;
    let fits = |stride: u32, padding: u32, added: u32| {
        let mut sides = given[1..].iter().zip(&row.output[1..]);
        sides.all(|(&was, &now)| (was - 1) * stride + kernel + added == now + 2 * padding)
    };
    for added in 0..2 {
        for stride in STRIDES {
            for padding in 0..kernel {
                if fits(stride, padding, added) && added < stride.max(1) {
                    let mut text = format!("convt {to} k{kernel}");
                    for (letters, value) in [("s", stride - 1), ("p", padding), ("op", added)] {
                        let value = if letters == "s" { value + 1 } else { value };
                        if value > u32::from(letters == "s") {
                            text.push_str(&format!(" {letters}{value}"));
                        }
                    }
                    return Ok(text + if bias { "" } else { " nobias" });
                }
            }
        }
    }
    Err("no stride and padding give the printed size".to_owned())
}

fn pool(word: &str, row: &Row, given: &[u32]) -> Result<String, String> {
    let sides = || given[1..].iter().zip(&row.output[1..]);
    if let Some(size) = (2..=8).find(|&size| sides().all(|(&was, &now)| was / size == now)) {
        return Ok(format!("{word} {size}"));
    }
    let window = window(row, given, 3).map_err(|_| "no window gives the printed size")?;
    Ok(format!(
        "{word} k3{}",
        if window.contains('s') {
            window
        } else {
            format!(" s1{window}")
        }
    ))
}
