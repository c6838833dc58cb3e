//! What augmentation makes of one image: before, after all transforms, and after each single one.
//!
//! Every draw is seeded as the training seeds it, so that column k of a set shows what epoch k of the training
//! gets. Fails as the reading of an image does; a transform that means nothing for these images says so in its row.

use super::class_name;
use super::curve::{self, is_signal};
use super::gallery::{shrink, within};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use strata_core::project::augment::Augment;
use strata_core::project::data::Split;
use strata_core::project::help::Surface;
use strata_core::rng::{Purpose, stream};
use strata_data::augment::{Augmenter, Scratch, mixup};
use strata_data::{DataError, Dataset, SplitData};

/// Draws with all transforms together.
pub const TOGETHER: usize = 12;
/// Draws of each single transform.
pub const ALONE: usize = 8;
/// The longest side of a picture here.
const LONGEST: usize = 128;
/// Single transforms that are shown at most.
const MOST_ROWS: usize = 64;

/// Which image, and which set of draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The image of the split; one past the end starts over.
    pub image: usize,
    /// The set of draws, from 0: the epochs from `draws` times [`TOGETHER`] on.
    pub draws: usize,
}

/// Pictures of one size, or why there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The transform's text; empty for all together.
    pub text: String,
    /// Height and width.
    pub size: [usize; 2],
    /// `N × H × W × C` bytes; empty where there is a problem.
    pub pixels: Vec<u8>,
    /// Why it can't be applied, with what to do.
    pub problem: Option<String>,
}

/// The image before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Augmented {
    /// The split it is of.
    pub split: Split,
    /// The image, counted from 0, and how many there are.
    pub image: usize,
    /// See `image`.
    pub images: usize,
    /// Its class.
    pub class: Option<String>,
    /// Values a pixel; of a signal, whose pictures are curves, 1.
    pub channels: usize,
    /// Whether the pictures are curves.
    pub are_curves: bool,
    /// The image as it is: one picture.
    pub before: Row,
    /// [`TOGETHER`] draws of all transforms.
    pub together: Row,
    /// [`ALONE`] draws of each transform, in order.
    pub alone: Vec<Row>,
}

impl Row {
    /// How many pictures of so many channels it has.
    pub fn count(&self, channels: usize) -> usize {
        self.pixels.len() / (self.size[0] * self.size[1] * channels).max(1)
    }

    /// One of them; no pixels where there is none.
    pub fn picture(&self, index: usize, channels: usize) -> &[u8] {
        let size = self.size[0] * self.size[1] * channels;
        self.pixels
            .get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }
}

/// Draws what `augment` makes of an image of the training split (of the first split, where there is none).
pub fn preview(
    dataset: &Dataset,
    augment: &[Augment],
    seed: u64,
    request: Request,
) -> Result<Augmented, DataError> {
    let first = || dataset.splits().next();
    let Some((split, data)) = dataset
        .split(Split::Train)
        .map(|data| (Split::Train, data))
        .or_else(first)
    else {
        return Ok(Augmented::default());
    };
    let image = request.image % data.len().max(1);
    let preview = AugmentPreview::new(data, image, seed)?;
    let from = request.draws.saturating_mul(TOGETHER);
    let alone = |one: &Augment| {
        preview.row(
            one.to_string(),
            std::slice::from_ref(one),
            from..from + ALONE,
        )
    };
    Ok(Augmented {
        split,
        image,
        images: data.len(),
        class: data
            .label(image)
            .map(|label| class_name(dataset.classes(), label)),
        channels: if preview.range.is_some() {
            1
        } else {
            preview.shape[2]
        },
        are_curves: preview.range.is_some(),
        before: preview.row(String::new(), &[], 0..1),
        together: preview.row(String::new(), augment, from..from.saturating_add(TOGETHER)),
        alone: augment.iter().take(MOST_ROWS).map(alone).collect(),
    })
}

/// The image that is drawn on again and again, and the next one, for mixup.
struct AugmentPreview {
    image: usize,
    shape: [usize; 3],
    values: Vec<f32>,
    partner: Vec<f32>,
    seed: u64,
    zero: f32,
    /// What curves of a signal are drawn in: what the image itself fills.
    range: Option<[f32; 2]>,
}

impl AugmentPreview {
    fn new(data: &SplitData, image: usize, seed: u64) -> Result<AugmentPreview, DataError> {
        let shape = data.whole_shape();
        let read = |index: usize| {
            let mut values = vec![0.0; shape.iter().product()];
            data.read_shares(index % data.len().max(1), &mut values)?;
            Ok::<_, DataError>(values)
        };
        let (values, partner) = (read(image)?, read(image + 1)?);
        let range = is_signal(shape).then(|| curve::fitted(&values, [0.0, 1.0]));
        Ok(AugmentPreview {
            image,
            shape,
            values,
            partner,
            seed,
            zero: data.zero_share(),
            range,
        })
    }

    fn row(&self, text: String, augment: &[Augment], epochs: std::ops::Range<usize>) -> Row {
        let augmenter = match Augmenter::new(augment, self.shape) {
            Ok(augmenter) => augmenter.with_zero(self.zero),
            Err(error) => {
                let problem = Some(told(&error, !text.is_empty()));
                return Row {
                    text,
                    problem,
                    ..Row::default()
                };
            }
        };
        let [height, width, channels] = augmenter.out_shape();
        let size = if self.range.is_some() {
            curve::SIZE
        } else {
            within([height, width], LONGEST)
        };
        let picture = |epoch: usize| {
            let values = self.draw(&augmenter, epoch);
            if let Some(range) = self.range {
                return curve::picture(
                    values.get(..width * channels).unwrap_or(&values),
                    channels,
                    range,
                );
            }
            let bytes = values
                .iter()
                .map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
                .collect();
            shrink(bytes, [height, width, channels], size)
        };
        Row {
            text,
            size,
            pixels: epochs.flat_map(picture).collect(),
            problem: None,
        }
    }

    fn draw(&self, augmenter: &Augmenter, epoch: usize) -> Vec<f32> {
        let mut scratch = Scratch::default();
        let mut drawn = |values: &[f32], image: usize| {
            let mut values = values.to_vec();
            let counter = (epoch as u64) << 32 | (image as u64 & 0xffff_ffff);
            let mut rng = stream(self.seed, Purpose::Augment, counter);
            augmenter.apply(&mut values, &mut scratch, &mut rng);
            (values, rng)
        };
        let (mut values, mut rng) = drawn(&self.values, self.image);
        if let Some(alpha) = augmenter.mixup() {
            let (partner, _) = drawn(&self.partner, self.image + 1);
            mixup::blend(&mut values, &partner, mixup::draw_share(alpha, &mut rng));
        }
        values
    }
}

/// The problem without the setting's name, which its place says; of a single transform, without its number too.
fn told(error: &DataError, alone: bool) -> String {
    match error {
        DataError::Setting { problem, help, .. } if alone => {
            let problem = problem.strip_prefix("entry 1: ").unwrap_or(problem);
            format!("{problem}: {}", help.in_window())
        }
        DataError::Setting { problem, help, .. } => format!("{problem}: {}", help.in_window()),
        other => other.text(Surface::Window),
    }
}

/// What augmentation is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentRequest {
    /// The transforms.
    pub augment: Vec<Augment>,
    /// The project's seed.
    pub seed: u64,
    /// The image and the draws.
    pub draws: Request,
}

impl Inspection for Augmented {
    const NAME: &'static str = "augmentation";
    const NEEDS: Needs = Needs::Images;
    type Request = AugmentRequest;

    fn compute(
        cx: &mut InspectionContext<'_>,
        request: &AugmentRequest,
    ) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let AugmentRequest {
            augment,
            seed,
            draws,
        } = request;
        Ok(preview(dataset, augment, *seed, *draws)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::DataSpec;

    fn shown(texts: &[&str], request: Request) -> Augmented {
        let spec = DataSpec {
            limit: Some(40),
            ..DataSpec::default()
        };
        let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
        let augment: Vec<Augment> = texts.iter().map(|text| text.parse().unwrap()).collect();
        preview(&dataset, &augment, 1, request).unwrap()
    }

    #[test]
    fn there_are_draws_together_and_of_each_alone() {
        let seen = shown(
            &["hflip p1", "crop 24", "mixup 0.4", "rotate 18"],
            Request::default(),
        );
        assert_eq!(
            (seen.split, seen.image, seen.images, seen.channels),
            (Split::Train, 0, 40, 3)
        );
        assert!(seen.class.is_some());
        assert_eq!((seen.before.size, seen.before.count(3)), ([32, 32], 1));
        assert_eq!(
            (seen.together.size, seen.together.count(3)),
            ([24, 24], TOGETHER)
        );
        let sizes: Vec<_> = seen
            .alone
            .iter()
            .map(|row| (row.text.as_str(), row.size, row.count(3)))
            .collect();
        let whole = [32, 32];
        assert_eq!(
            sizes,
            [
                ("hflip p1", whole, 8),
                ("crop 24", [24, 24], 8),
                ("mixup 0.4", whole, 8),
                ("rotate 18", whole, 8)
            ]
        );
        let before = seen.before.picture(0, 3);
        assert_ne!(seen.alone[0].picture(0, 3), before);
        assert_eq!(seen.alone[0].picture(0, 3), seen.alone[0].picture(1, 3));
        assert_ne!(seen.alone[2].picture(0, 3), before);
        assert_ne!(seen.alone[3].picture(0, 3), seen.alone[3].picture(1, 3));
    }

    #[test]
    fn other_draws_and_images_differ_and_repeat() {
        let texts = ["rotate 18", "noise 0.1"];
        let of = |image, draws| shown(&texts, Request { image, draws });
        assert_eq!(of(0, 0), of(0, 0));
        assert_eq!(of(0, 0), of(40, 0));
        assert_ne!(of(0, 0).together, of(0, 1).together);
        assert_eq!(of(0, 0).before, of(0, 1).before);
        assert_ne!(of(0, 0).before, of(1, 0).before);
    }

    #[test]
    fn what_cannot_be_applied_says_so_in_its_row() {
        let seen = shown(&["hflip", "crop 99"], Request::default());
        assert!(seen.alone[0].problem.is_none());
        let problem = seen.alone[1].problem.as_deref().unwrap();
        assert!(
            problem.contains("`crop 99` is larger than the images"),
            "{problem}"
        );
        assert!(
            seen.together
                .problem
                .as_deref()
                .unwrap()
                .contains("entry 2")
        );
        assert_eq!(seen.together.count(3), 0);
    }
}
