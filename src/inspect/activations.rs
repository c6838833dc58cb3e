//! Feature maps: the output of one layer for one image.
//!
//! The values are those of the network's forward pass: running statistics are used, dropout and noise are off.
//! Fails as the network does, and for a place where there is no layer.

use super::curve;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::maps::viridis;
use super::network_copy::InspectionNetwork;
use super::picture::{diverging, image_rgba, opaque, pixel_bytes, spaced};
use super::slices::{SliceOf, shown, shown_size};
use super::{channels_first, class_name, route_through, subtract};
use candle_core::Tensor;
use image::RgbaImage;
use std::path::PathBuf;
use strata_core::project::Place;
use strata_core::project::size::Shape;
use strata_core::shape::Inference;
use strata_nn::Mode;

/// Which layer, and for which image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The layer, or a block; inside a repeat its last pass.
    pub place: Place,
    /// Which of the probe images.
    pub image: usize,
    /// An image file instead.
    pub file: Option<PathBuf>,
}

/// What the values of a map are measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapScale {
    /// Each map by its own largest value: shows the form of weak maps.
    #[default]
    PerMap,
    /// All maps by the largest value of the layer: shows which maps are strong.
    Common,
}

/// How a layer's output is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A vector: a bar for each unit.
    Units,
    /// Signals: a curve for each channel.
    Signals,
    /// Images or volumes: a map (of volumes one slice) for each channel.
    Maps,
}

/// The output of one layer for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Activations {
    /// Steps taken when it was computed.
    pub step: u64,
    /// The layer.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// The shape of its output.
    pub shape: Shape,
    /// The image, of how many.
    pub image: [usize; 2],
    /// The image's class, where it is known.
    pub class: Option<String>,
    /// Height, width and channels of the image.
    pub size: [usize; 3],
    /// `H × W × C` bytes of the image.
    pub input: Vec<u8>,
    /// Which slice of a volume that is.
    pub slice: Option<SliceOf>,
    /// The output, in C, D, H, W order.
    pub values: Vec<f32>,
    /// Where the values are the change of the output: since which step.
    pub since: Option<u64>,
}

/// Values in numbers.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Summary {
    /// The smallest finite value.
    pub min: f32,
    /// The largest finite value.
    pub max: f32,
    /// The fraction of values that are exactly 0.
    pub zeros: f64,
}

impl Summary {
    fn of(values: &[f32]) -> Summary {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let zeros = values.iter().filter(|value| **value == 0.0).count();
        let min = finite().fold(f32::INFINITY, f32::min);
        let max = finite().fold(f32::NEG_INFINITY, f32::max);
        let is_any = min <= max;
        Summary {
            min: if is_any { min } else { 0.0 },
            max: if is_any { max } else { 0.0 },
            zeros: zeros as f64 / values.len().max(1) as f64,
        }
    }

    /// The largest absolute value; 1 when all are 0.
    pub fn limit(&self) -> f32 {
        let limit = self.max.abs().max(self.min.abs());
        if limit > 0.0 { limit } else { 1.0 }
    }
}

impl Activations {
    /// How it is drawn.
    pub fn layout(&self) -> Layout {
        match self.shape.rank() {
            0 => Layout::Units,
            1 => Layout::Signals,
            _ => Layout::Maps,
        }
    }

    /// How many maps, signals or units.
    pub fn count(&self) -> usize {
        self.shape.channels()
    }

    /// Slices of a volume; 1 of everything else.
    pub fn slices(&self) -> usize {
        self.shape.volume()[0]
    }

    /// The slice of the maps where the shown slice of the image is; the middle one where that is no volume.
    pub fn same_slice(&self) -> usize {
        let slices = self.slices();
        let of_image = self.slice.filter(|of| of.slices > 0);
        of_image.map_or(slices / 2, |of| of.slice * slices / of.slices)
    }

    /// All values of a channel.
    pub fn map(&self, channel: usize) -> &[f32] {
        let size = self.shape.volume().iter().product::<usize>();
        self.values
            .get(channel * size..(channel + 1) * size)
            .unwrap_or_default()
    }

    /// A slice of a channel: of everything but a volume all of it.
    pub fn plane(&self, channel: usize, slice: usize) -> &[f32] {
        let [_, height, width] = self.shape.volume();
        let size = height * width;
        self.map(channel)
            .get(slice * size..(slice + 1) * size)
            .unwrap_or_default()
    }

    /// All values in numbers.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.values)
    }

    /// A channel in numbers.
    pub fn summary_of(&self, channel: usize) -> Summary {
        Summary::of(self.map(channel))
    }

    /// Channels that are 0 everywhere.
    pub fn dead(&self) -> usize {
        let is_dead = |channel: &usize| self.map(*channel).iter().all(|value| *value == 0.0);
        (0..self.count()).filter(is_dead).count()
    }

    /// `32 maps of 16×16`, `128 units`
    pub fn described(&self) -> String {
        let count = self.count();
        let plural = if count == 1 { "" } else { "s" };
        let noun = match self.layout() {
            Layout::Units => return format!("{count} unit{plural}"),
            Layout::Signals => "signal",
            Layout::Maps => "map",
        };
        let sizes: Vec<String> = self.shape.spatial().iter().map(usize::to_string).collect();
        format!("{count} {noun}{plural} of {}", sizes.join("×"))
    }

    /// Height and width of the picture of a channel.
    pub fn picture_size(&self) -> [usize; 2] {
        let [_, height, width] = self.shape.volume();
        match self.layout() {
            Layout::Signals => curve::SIZE,
            _ => [height, width],
        }
    }

    /// A channel (of a volume one slice) as a picture of [`Activations::picture_size`]` × 4` bytes. `whole` are
    /// all values in numbers: colours have a sign where the layer's values have one.
    pub fn rgba(&self, channel: usize, slice: usize, scale: MapScale, whole: &Summary) -> Vec<u8> {
        let values = self.plane(channel, slice);
        let own = || self.summary_of(channel);
        let measure = match scale {
            MapScale::PerMap => own(),
            MapScale::Common => *whole,
        };
        if self.layout() == Layout::Signals {
            return image_rgba(&curve::picture(values, 1, curve_range(&measure)), 1);
        }
        let limit = measure.limit();
        let color = |value: &f32| opaque(color(value / limit, whole));
        pixel_bytes(values.iter().map(color))
    }

    /// A vector as rows of bars.
    pub fn unit_sheet(&self) -> RgbaImage {
        unit_sheet(&self.values, &self.summary())
    }
}

/// The colour of a value between −1 and 1: [`diverging`] where the layer has negative values, else [`viridis`].
pub fn color(share: f32, whole: &Summary) -> [u8; 3] {
    if whole.min < 0.0 {
        diverging(share)
    } else {
        viridis(share)
    }
}

/// The values at the lower and the upper edge of a curve.
fn curve_range(measure: &Summary) -> [f32; 2] {
    if measure.max > measure.min {
        [measure.min, measure.max]
    } else {
        [measure.min - 1.0, measure.max + 1.0]
    }
}

/// Units in a row of bars, the width of each (of a few up to the larger one) and the height of a row, in pixels.
const UNITS: usize = 128;
const BAR: [usize; 2] = [6, 24];
const TALL: usize = 96;
const BACK: [u8; 3] = [13, 15, 20];

/// A vector as rows of bars.
fn unit_sheet(values: &[f32], whole: &Summary) -> RgbaImage {
    let units = values.len().clamp(1, UNITS);
    let wide = (UNITS * BAR[0] / units).clamp(BAR[0], BAR[1]);
    let width = units * wide;
    let row = |values: &[f32]| {
        let mut pixels = vec![BACK; TALL * width];
        for (unit, value) in values.iter().enumerate() {
            let share = value / whole.limit();
            let (from, to) = bar(share, whole);
            let rows = (from * TALL as f32).round() as usize..(to * TALL as f32).round() as usize;
            for y in rows {
                let left = y * width + unit * wide;
                pixels[left..left + wide - 1].fill(color(share, whole));
            }
        }
        pixel_bytes(pixels.into_iter().map(opaque))
    };
    let rows: Vec<Vec<u8>> = values.chunks(UNITS).map(row).collect();
    spaced(&rows, [TALL, width], 1, 1)
}

/// From where to where the bar of a value between −1 and 1 goes, as fractions of the height from the top. Values
/// that are not finite fill it.
pub fn bar(share: f32, whole: &Summary) -> (f32, f32) {
    if !share.is_finite() {
        return (0.0, 1.0);
    }
    let top = whole.max.max(0.0);
    let bottom = whole.min.min(0.0);
    let span = (top - bottom).max(f32::MIN_POSITIVE);
    let y = |value: f32| ((top - value) / span).clamp(0.0, 1.0);
    let zero = y(0.0);
    let end = y(share * whole.limit());
    (zero.min(end), zero.max(end))
}

/// The output of a layer for a batch of images, channels last: of the passes of a repeat the last.
pub fn output_of(
    copy: &mut InspectionNetwork,
    inference: &Inference,
    place: &Place,
    images: &Tensor,
) -> Result<Tensor, InspectError> {
    let none = || InspectError::Input(format!("this network has no layer {place}"));
    let plan = inference.plan.as_ref().ok_or_else(none)?;
    let network = copy.network();
    network.set_taps(std::slice::from_ref(place))?;
    network.forward(route_through(plan, place.stack), images, Mode::Eval)?;
    let output = network.taps().last().and_then(|tap| tap.output).cloned();
    network.set_taps(&[])?;
    output.ok_or_else(none)
}

impl Inspection for Activations {
    const NAME: &'static str = "activations";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let probe = cx.probe(request.file.as_deref())?;
        let run = cx.run()?;
        let step = run.step;
        let inference = run.inference;
        let place = &request.place;
        let images = probe.labels().len();
        let image = request.image.min(images.saturating_sub(1));
        let batch = probe.images().narrow(0, image, 1)?;
        let output = output_of(cx.mirror()?, inference, place, &batch)?;
        let row = inference.row(place);
        let slice = SliceOf::of(dataset, cx.slice);
        let pixels: usize = probe.size().iter().product();
        let values = probe.values().get(image * pixels..(image + 1) * pixels);
        let label = probe.labels().get(image).copied().flatten();
        let none = || InspectError::Input(format!("{place} gives nothing to show"));
        Ok(Activations {
            step,
            place: place.clone(),
            text: row.map(|row| row.text.clone()).unwrap_or_default(),
            shape: shape_of(output.dims()).ok_or_else(none)?,
            image: [image, images],
            class: label.map(|label| class_name(dataset.classes(), label)),
            size: shown_size(slice, probe.size()),
            input: dataset.to_pixels(&shown(slice, values.unwrap_or_default(), probe.size())),
            slice,
            values: channels_first(&output)?,
            since: None,
        })
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let mut made = self.clone();
        subtract(&mut made.values, &earlier.values)?;
        made.since = Some(earlier.step);
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// `N × … × C` as `C × …`.
fn shape_of(dims: &[usize]) -> Option<Shape> {
    let (_, dims) = dims.split_first()?;
    let (channels, spatial) = dims.split_last()?;
    let sizes: Vec<usize> = [*channels]
        .into_iter()
        .chain(spatial.iter().copied())
        .collect();
    Shape::new(&sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Stack;

    fn of(shape: &str, values: Vec<f32>) -> Activations {
        Activations {
            step: 0,
            place: Place::new(Stack::Encoder, 0),
            text: String::new(),
            shape: shape.parse().unwrap(),
            image: [0, 1],
            class: None,
            size: [1, 1, 1],
            input: vec![0],
            slice: None,
            values,
            since: None,
        }
    }

    #[test]
    fn values_are_counted_by_map_and_in_total() {
        let maps = of("2x1x2", vec![0.0, 0.0, 0.0, 3.0]);
        assert_eq!(maps.summary().zeros, 0.75);
        assert_eq!(maps.summary_of(1).zeros, 0.5);
        assert_eq!(maps.dead(), 1);
        assert_eq!(maps.described(), "2 maps of 1×2");
        let broken = of("2", vec![f32::NAN, -2.0]).summary();
        assert_eq!([broken.min, broken.max], [-2.0, -2.0]);
    }

    #[test]
    fn a_scale_of_its_own_shows_a_weak_map_and_the_common_one_how_weak_it_is() {
        let maps = of("2x1x2", vec![0.0, 1.0, 0.0, 4.0]);
        let whole = maps.summary();
        let pixel = |scale| maps.rgba(0, 0, scale, &whole)[4..7].to_vec();
        assert_eq!(pixel(MapScale::PerMap), viridis(1.0));
        assert_eq!(pixel(MapScale::Common), viridis(0.25));
        let signed = of("1x1x2", vec![-1.0, 1.0]);
        let whole = signed.summary();
        assert_eq!(
            signed.rgba(0, 0, MapScale::PerMap, &whole)[..3],
            diverging(-1.0)
        );
    }

    #[test]
    fn a_volume_is_shown_by_its_slices_and_a_vector_by_bars() {
        let volume = of("1x2x1x2", vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            (volume.slices(), volume.plane(0, 1)),
            (2, [3.0, 4.0].as_slice())
        );
        let vector = of("2", vec![-1.0, 3.0]);
        let whole = vector.summary();
        assert_eq!(bar(1.0, &whole), (0.0, 0.75), "up from zero");
        assert_eq!(bar(-1.0 / 3.0, &whole), (0.75, 1.0), "down from zero");
        let sheet = vector.unit_sheet();
        assert!(sheet.height() as usize > TALL && sheet.width() as usize > 2 * BAR[0]);
    }
}
