//! The images of a split that excite each channel of a layer most, with the patch that the channel sees there; and how
//! active the channel is over all of them.
//!
//! Of a map the largest value counts, wherever it is; of a vector the unit's value. Running statistics are used, dropout
//! and noise are off. Fails as the network and the reading of images do, and for channels that are not there.

mod patch;

pub use patch::{FRAME, Field, drawn, framed, patch};

use super::activations::output_of;
use super::activity_change::ActivityChange;
use super::attribution::score::numbers;
use super::batches::{Batch, Walk};
use super::curve;
use super::image_set::ImagesOf;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::reconstructions::split_of;
use super::slices::{SliceOf, shown, shown_size};
use serde::Serialize;
use strata_core::project::Place;
use strata_core::project::data::Split;

/// Images asked unless another number is wanted.
pub const IMAGES: usize = 2000;
/// Channels at once, at most.
pub const CHANNELS: usize = 64;
/// Images shown for each channel.
pub const SHOWN: usize = 8;
/// Images at a time.
const BATCH: usize = 50;

/// Which channels of which layer, over which images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The layer.
    pub place: Place,
    /// The channels, from 0; `None` for the first [`CHANNELS`].
    pub channels: Option<Vec<u32>>,
    /// The split; `None` for test, or the first there is.
    pub split: Option<Split>,
    /// How many of its images, drawn at random; `None` for the usual number.
    pub limit: Option<usize>,
}

/// An image that excites a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Excited {
    /// Its number in the split.
    pub index: u32,
    /// Its class, where it is known.
    pub label: Option<u32>,
    /// The channel's largest value for it.
    pub value: f32,
    /// Where in the map, by axis; empty for a vector.
    pub cell: Vec<usize>,
    /// What is seen there; `None` where that is the whole image.
    pub field: Option<Field>,
}

/// How active a channel is over all images and positions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Channel {
    /// Its number, from 0.
    pub channel: u32,
    /// The mean of its values.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The share of values that are exactly 0.
    pub zeros: f64,
    /// The images that excite it most, falling.
    pub excited: Vec<Excited>,
    /// What has become of it since an earlier step, where that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChannelChange>,
}

/// What has become of a channel since an earlier step.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChannelChange {
    /// How much its figures have grown.
    #[serde(flatten)]
    pub figures: ActivityChange,
    /// Which place each image of now had among those that excited it most then, from 0; `None` where it was none of
    /// them.
    pub places: Vec<Option<usize>>,
}

/// Which place an image had: `was 2nd`, or `new`.
pub fn place_words(before: Option<usize>) -> String {
    match before.map(|place| place + 1) {
        None => "new".to_owned(),
        Some(1) => "was 1st".to_owned(),
        Some(2) => "was 2nd".to_owned(),
        Some(3) => "was 3rd".to_owned(),
        Some(place) => format!("was {place}th"),
    }
}

impl Channel {
    fn figures(&self) -> [f64; 3] {
        [self.mean, self.deviation, self.zeros]
    }

    fn change_since(&self, earlier: &Channel) -> ChannelChange {
        let place = |excited: &Excited| {
            let mut then = earlier.excited.iter();
            then.position(|then| then.index == excited.index)
        };
        ChannelChange {
            figures: ActivityChange::between(earlier.figures(), self.figures()),
            places: self.excited.iter().map(place).collect(),
        }
    }

    /// Whether it was 0 everywhere: it has died.
    pub fn is_dead(&self) -> bool {
        self.zeros == 1.0
    }
}

/// The images that excite the channels of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Exciting {
    /// Steps taken when it was measured.
    pub step: u64,
    /// What was asked.
    pub request: Request,
    /// The layer's text.
    pub layer: String,
    /// How many channels it has.
    pub of: usize,
    /// The split, and how many of its images were asked.
    pub split: ImagesOf,
    /// See `split`.
    pub images: usize,
    /// The channels.
    pub channels: Vec<Channel>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// Bytes of the images that are shown, channel by channel; of a volume the slice in the middle of what is seen.
    pub pixels: Vec<u8>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// The earlier step that the changes are since, where they are shown.
    pub since: Option<u64>,
}

impl Exciting {
    /// The bytes of a channel's image.
    pub fn image(&self, channel: usize, place: usize) -> &[u8] {
        let before = self.channels.iter().take(channel);
        let before: usize = before.map(|channel| channel.excited.len()).sum();
        let size = self.size.iter().product::<usize>();
        let from = (before + place) * size;
        self.pixels.get(from..from + size).unwrap_or_default()
    }
}

impl Exciting {
    /// A channel's image; of a signal its curve, with what is seen of it between two lines.
    pub fn drawn(&self, channel: usize, place: usize) -> ([usize; 2], Vec<u8>) {
        let field = self.channels[channel].excited[place].field;
        drawn(self.image(channel, place), self.size, field.as_ref())
    }

    /// What is framed on a channel's image: first row, first column, last row, last column. `None` of a signal, and
    /// where the whole image is seen.
    pub fn frame(&self, channel: usize, place: usize) -> Option<[usize; 4]> {
        let [height, width, _] = self.size;
        let field = self.channels[channel].excited[place].field;
        let field = field.filter(|_| !curve::is_signal(self.size))?;
        Some(field.inside([height, width]))
    }

    /// A channel's image with the patch framed: height and width, and `H × W × 4` bytes.
    pub fn framed(&self, channel: usize, place: usize) -> ([usize; 2], Vec<u8>) {
        let field = self.channels[channel].excited[place].field;
        framed(self.image(channel, place), self.size, field.as_ref())
    }

    /// The patch cut out; `None` where the whole image is seen.
    pub fn patch(&self, channel: usize, place: usize) -> Option<([usize; 2], Vec<u8>)> {
        let field = self.channels[channel].excited[place].field;
        patch(self.image(channel, place), self.size, field.as_ref())
    }
}

/// Sums over the values of a channel.
#[derive(Clone, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
    zeros: f64,
    excited: Vec<Excited>,
}

impl Inspection for Exciting {
    const NAME: &'static str = "exciting images";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let run = cx.run()?;
        let (step, inference) = (run.step, run.inference);
        let place = &request.place;
        let row = inference.row(place);
        let output = row.and_then(|row| row.output.clone());
        let none =
            || InspectError::Input(format!("the network that was trained has no layer {place}"));
        let (row, output) = row.zip(output).ok_or_else(none)?;
        let of = output.channels();
        let asked = channels(request, of)?;
        let (split, data) = split_of(dataset, request.split)?;
        let most = request.limit.unwrap_or(IMAGES);
        let walk = Walk::drawn(data.len(), most, BATCH, "asking the network");
        let mut sums = vec![Sums::default(); asked.len()];
        let read = |indices: &[u32]| Batch::read(data, indices);
        let images = walk.each(cx, read, |cx, batch| {
            let values = batch.tensor(cx.run()?.device)?;
            let values = numbers(&output_of(cx.mirror()?, inference, place, &values)?)?;
            let each = (values.len() / batch.len().max(1)).max(1);
            for (values, index) in values.chunks_exact(each).zip(&batch.indices) {
                for (sums, channel) in sums.iter_mut().zip(&asked) {
                    sums.add(values, (*channel as usize, of), *index);
                }
            }
            Ok(())
        })?;
        let map = output.spatial();
        let slices = dataset.depth().unwrap_or(1);
        let channels = sums.into_iter().zip(&asked).map(|(sums, channel)| {
            sums.finished(*channel, |excited| Excited {
                label: data.label(excited.index as usize),
                cell: cell(excited.cell.first().copied().unwrap_or(0), map),
                ..excited
            })
        });
        let mut channels: Vec<Channel> = channels.collect();
        for excited in channels.iter_mut().flat_map(|channel| &mut channel.excited) {
            excited.field = Field::of(inference, place, &excited.cell);
        }
        let size = data.image_shape();
        let of_slice = |excited: &Excited| {
            let slice = cx.slice.or(excited.field.map(|field| field.slice(slices)));
            SliceOf::of(dataset, slice)
        };
        let mut pixels = Vec::new();
        let mut image = vec![0.0; size.iter().product()];
        for excited in channels.iter().flat_map(|channel| &channel.excited) {
            data.read(excited.index as usize, &mut image)?;
            let bytes = dataset.to_pixels(&image);
            pixels.extend_from_slice(&shown(of_slice(excited), &bytes, size));
        }
        Ok(Exciting {
            step,
            request: request.clone(),
            layer: row.text.clone(),
            of,
            split: ImagesOf::of(dataset, split),
            images,
            channels,
            size: shown_size(SliceOf::of(dataset, None), size),
            pixels,
            classes: dataset.classes().to_vec(),
            since: None,
        })
    }

    /// The images of now, with what has become of the channels.
    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        made.since = Some(earlier.step);
        for channel in &mut made.channels {
            let mut then = earlier.channels.iter();
            let then = then.find(|then| then.channel == channel.channel);
            channel.change = then.map(|then| channel.change_since(then));
        }
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// The channels that are asked for.
fn channels(request: &Request, of: usize) -> Result<Vec<u32>, InspectError> {
    let Some(asked) = &request.channels else {
        return Ok((0..of.min(CHANNELS) as u32).collect());
    };
    match asked.iter().find(|channel| **channel as usize >= of) {
        Some(channel) => Err(InspectError::Input(format!(
            "there is no channel {channel}: the layer has {of}, counted from 0"
        ))),
        None => Ok(asked.iter().copied().take(CHANNELS).collect()),
    }
}

impl Sums {
    /// Takes the values of one image.
    fn add(&mut self, values: &[f32], (channel, channels): (usize, usize), index: u32) {
        let own = values.iter().skip(channel).step_by(channels.max(1));
        let mut best = (0, f32::NEG_INFINITY);
        for (place, value) in own.enumerate() {
            self.count += 1.0;
            self.sum += f64::from(*value);
            self.squares += f64::from(*value).powi(2);
            self.zeros += f64::from(u8::from(*value == 0.0));
            if *value > best.1 {
                best = (place, *value);
            }
        }
        let excited = Excited {
            index,
            label: None,
            value: best.1,
            cell: vec![best.0],
            field: None,
        };
        let is_less = |other: &Excited| {
            let order = other.value.total_cmp(&excited.value);
            order.is_lt() || (order.is_eq() && other.index > index)
        };
        let at = self
            .excited
            .iter()
            .position(is_less)
            .unwrap_or(self.excited.len());
        if at < SHOWN {
            self.excited.insert(at, excited);
            self.excited.truncate(SHOWN);
        }
    }

    fn finished(self, channel: u32, finish: impl Fn(Excited) -> Excited) -> Channel {
        let count = self.count.max(1.0);
        let mean = self.sum / count;
        // What is 0 everywhere is excited by no image.
        let is_dead = self.zeros == self.count;
        let excited = self.excited.into_iter().filter(|_| !is_dead);
        Channel {
            channel,
            mean,
            deviation: (self.squares / count - mean * mean).max(0.0).sqrt(),
            zeros: self.zeros / count,
            excited: excited.map(finish).collect(),
            change: None,
        }
    }
}

/// A position by axis from its number, rows after one another.
pub(crate) fn cell(mut number: usize, map: &[usize]) -> Vec<usize> {
    let mut cell = Vec::with_capacity(map.len());
    for size in map.iter().rev() {
        cell.push(number % size.max(&1));
        number /= size.max(&1);
    }
    cell.reverse();
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_values_come_first_and_the_figures_are_of_all() {
        let mut sums = Sums::default();
        // Two channels of two positions; the second channel is asked.
        for (index, pair) in [[1.0, 3.0], [0.0, 0.0], [2.0, -1.0]].iter().enumerate() {
            let [first, second] = *pair;
            sums.add(&[9.0, first, 9.0, second], (1, 2), index as u32);
        }
        let channel = sums.finished(1, |excited| excited);
        let order: Vec<(u32, f32, usize)> = channel
            .excited
            .iter()
            .map(|excited| (excited.index, excited.value, excited.cell[0]))
            .collect();
        assert_eq!(order, [(0, 3.0, 1), (2, 2.0, 0), (1, 0.0, 0)]);
        assert!((channel.mean - 5.0 / 6.0).abs() < 1e-12);
        assert!((channel.zeros - 1.0 / 3.0).abs() < 1e-12);
        assert!(!channel.is_dead());
        let mut then = Sums::default();
        for (index, value) in [(2, 4.0), (7, 1.0)] {
            then.add(&[9.0, value], (1, 2), index);
        }
        let change = channel.change_since(&then.finished(1, |excited| excited));
        assert_eq!(change.places, [None, Some(0), None]);
        assert_eq!(change.figures.mean, 5.0 / 6.0 - 2.5);
        assert_eq!(change.figures.zeros, channel.zeros);
    }

    #[test]
    fn no_image_excites_a_dead_channel() {
        let mut sums = Sums::default();
        (0..3).for_each(|index| sums.add(&[0.0; 4], (0, 1), index));
        let channel = sums.finished(0, |excited| excited);
        assert!(channel.is_dead() && channel.excited.is_empty());
    }

    #[test]
    fn positions_are_counted_by_axis() {
        assert_eq!(cell(7, &[3, 5]), [1, 2]);
        assert_eq!(cell(0, &[]), [] as [usize; 0]);
    }
}
