//! What a classifier says of the images of a split: of each the most probable classes; precision and recall of each
//! class; whether its probabilities can be trusted; and the images that it is most wrong or least sure about.
//!
//! Running statistics are used, dropout and noise are off. Fails as the network and the reading of images do, and where
//! nothing is classified.

mod answers;
mod augmented;
mod figures;

pub use answers::Answers;
pub use answers::{sigmoid, softmax};
pub use figures::{BINS, Bin, ClassFigures, calibration, class_figures, expected_error};

use super::batches::{Batch, Walk};
use super::confusion::{classifying, counted};
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::label_figures::label_accuracy;
use super::slices::{SliceOf, shown, shown_size};
use augmented::Draws;
use std::sync::Arc;
use strata_core::project::data::Split;
use strata_data::{DataError, Dataset, SplitData};

/// Images that are shown at most.
pub const SHOWN: usize = 48;
/// Classes listed for each image unless asked for otherwise.
pub const TOP: usize = 3;
/// Images at a time.
const BATCH: usize = 100;

/// Which images are shown, in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum List {
    /// Wrong answers, the surest first.
    #[default]
    MostWrong,
    /// Answers whose class is hardly more probable than the next, the least sure first.
    LeastSure,
    /// All, in the order of the split.
    First,
    /// The images of a right class (first) that are taken for this answer.
    Taken(u32, u32),
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The images: of a split, or of files, which have no right class. A limit counts the first images of the split.
    pub chosen: Chosen,
    /// Which of them are shown.
    pub list: List,
    /// How many classes are listed for each, 0 for the usual number.
    pub top: usize,
    /// Of each image the mean over so many draws of the project's augmentations, 0 for the image as it is.
    pub augmentations: usize,
}

/// An image that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownImage {
    /// Its place in the split.
    pub index: u32,
    /// Its right class.
    pub label: Option<u32>,
    /// Its labels, where it may have several.
    pub labels: Option<Vec<u32>>,
    /// Whether the answer is another than what it is: about one label at least, where it may have several.
    pub is_wrong: bool,
    /// The most probable classes, falling.
    pub top: Vec<(u32, f32)>,
    /// Where the change is shown: the most probable class at the earlier step.
    pub before: Option<(u32, f32)>,
}

/// What a classifier says of a split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// Steps taken when it was asked.
    pub step: u64,
    /// The split; `None` of files.
    pub split: Option<Split>,
    /// Draws of the augmentations that each answer is the mean over, 0 for none.
    pub augmentations: usize,
    /// How many images, of how many.
    pub images: usize,
    /// See `images`.
    pub of: usize,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Whether an image may have several of them, or none: each is a label with a probability of its own.
    pub has_label_sets: bool,
    /// All answers.
    pub answers: Arc<Answers>,
    /// Precision, recall and F1 of each class.
    pub per_class: Vec<ClassFigures>,
    /// Images by how sure their answer is.
    pub bins: Vec<Bin>,
    /// Expected calibration error; `None` where no image has a right class.
    pub calibration_error: Option<f64>,
    /// The share of right answers, about all labels where an image may have several.
    pub accuracy: Option<f64>,
    /// The list shown, and how long it is.
    pub list: List,
    /// See `list`.
    pub listed: usize,
    /// Its first images.
    pub shown: Vec<ShownImage>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// `shown × H × W × C` bytes.
    pub pixels: Vec<u8>,
    /// What has changed, where that is asked for.
    pub change: Option<Change>,
}

/// How the answers have changed since an earlier step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// The step.
    pub since: u64,
    /// Images that have another answer.
    pub others: usize,
    /// Of these the ones that are right now, and were not.
    pub learnt: usize,
    /// Those that were right, and are not any more.
    pub forgotten: usize,
    /// By how much the share of right answers has grown; `None` where no image has a right class.
    pub accuracy: Option<f64>,
    /// The same of the expected calibration error.
    pub calibration_error: Option<f64>,
}

impl Predictions {
    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
    }

    /// What an image is, in words; `None` where that is not known.
    pub fn truth(&self, image: &ShownImage) -> Option<String> {
        let names = |labels: &Vec<u32>| {
            let names: Vec<String> = labels.iter().map(|label| self.class_name(*label)).collect();
            match names[..] {
                [] => "none of the labels".to_owned(),
                _ => names.join(" + "),
            }
        };
        let of_set = image.labels.as_ref().map(names);
        of_set.or_else(|| image.label.map(|label| self.class_name(label)))
    }

    /// The bytes of an image that is shown.
    pub fn input(&self, shown: usize) -> &[u8] {
        let size = self.size.iter().product::<usize>();
        self.pixels
            .get(shown * size..(shown + 1) * size)
            .unwrap_or_default()
    }
}

/// The answers of the latest request, so that another list of the same images needs no network.
struct Kept {
    step: u64,
    chosen: Chosen,
    augmentations: usize,
    answers: Arc<Answers>,
}

impl Inspection for Predictions {
    const NAME: &'static str = "predictions";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        let run = cx.run()?;
        let (step, seed) = (run.step, run.seed);
        let is_live = cx.deadline.is_some();
        let kept = cx.take_kept::<Kept>();
        let is_same = |kept: &Kept| {
            let is_of_it = kept.chosen == request.chosen;
            kept.step == step && is_of_it && kept.augmentations == request.augmentations
        };
        let kept = kept.filter(|kept| is_same(kept) && !is_live);
        let source = Source::of(dataset, &request.chosen)?;
        let draws = Draws::of(dataset, &source, request.augmentations, seed)?;
        let answers = match kept {
            Some(kept) => kept.answers,
            None => Arc::new(answers(cx, &source, draws.as_ref())?),
        };
        cx.keep(Kept {
            step,
            chosen: request.chosen.clone(),
            augmentations: request.augmentations,
            answers: answers.clone(),
        });
        let slice = SliceOf::of(dataset, cx.slice);
        predictions(dataset, &source, answers, request, step, slice)
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        if self.has_label_sets {
            let message =
                "answers about several labels have no change since a step: look at each step";
            return Err(InspectError::Input(message.to_owned()));
        }
        let mut made = self.clone();
        let [now, then] = [&self.answers, &earlier.answers];
        if now.indices != then.indices {
            let message = "the two steps were asked about other images";
            return Err(InspectError::Input(message.to_owned()));
        }
        let mut change = Change {
            since: earlier.step,
            accuracy: self
                .accuracy
                .zip(earlier.accuracy)
                .map(|(now, then)| now - then),
            calibration_error: self
                .calibration_error
                .zip(earlier.calibration_error)
                .map(|(now, then)| now - then),
            ..Change::default()
        };
        for (image, label) in now.labels.iter().enumerate() {
            let [said, before] = [now, then].map(|answers| answers.taken(image).0);
            change.others += usize::from(said != before);
            change.learnt += usize::from(said != before && *label == Some(said));
            change.forgotten += usize::from(said != before && *label == Some(before));
        }
        for shown in &mut made.shown {
            let image = now.indices.iter().position(|index| *index == shown.index);
            shown.before = image.map(|image| then.taken(image));
        }
        made.change = Some(change);
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

/// Where the images come from.
enum Source<'a> {
    Split(Split, &'a SplitData, usize),
    Files(Vec<f32>, [usize; 3]),
}

impl<'a> Source<'a> {
    fn of(dataset: &'a Dataset, chosen: &Chosen) -> Result<Source<'a>, InspectError> {
        if chosen.files.is_empty() {
            let (split, data) = counted(dataset, chosen.split)?;
            let limit = chosen.limit.unwrap_or(data.len()).min(data.len());
            return Ok(Source::Split(split, data, limit));
        }
        let mut values = Vec::new();
        for file in &chosen.files {
            values.extend(dataset.read_file(file)?);
        }
        let [channels, height, width] = dataset.shape();
        Ok(Source::Files(values, [height, width, channels]))
    }

    fn size(&self) -> [usize; 3] {
        match self {
            Source::Split(_, data, _) => data.image_shape(),
            Source::Files(_, size) => *size,
        }
    }

    fn len(&self) -> usize {
        match self {
            Source::Split(_, _, limit) => *limit,
            Source::Files(values, size) => values.len() / size.iter().product::<usize>().max(1),
        }
    }

    /// Images as the network gets them; those of files have no class.
    fn read(&self, indices: &[u32]) -> Result<Batch, DataError> {
        match self {
            Source::Split(_, data, _) => Batch::read(data, indices),
            Source::Files(values, size) => {
                let each = size.iter().product::<usize>();
                let of = |index: &u32| {
                    let from = *index as usize * each;
                    values.get(from..from + each).unwrap_or_default()
                };
                Ok(Batch {
                    values: indices.iter().flat_map(of).copied().collect(),
                    labels: vec![None; indices.len()],
                    label_rows: Vec::new(),
                    indices: indices.to_vec(),
                    size: *size,
                })
            }
        }
    }
}

/// The answers for all images, or for as many as there is time for.
fn answers(
    cx: &mut InspectionContext<'_>,
    source: &Source<'_>,
    draws: Option<&Draws<'_>>,
) -> Result<Answers, InspectError> {
    let what = "asking the network";
    let walk = match cx.deadline {
        // A run in training has no time for all.
        Some(_) => Walk::drawn(source.len(), source.len(), BATCH, what),
        None => Walk {
            order: (0..source.len() as u32).collect(),
            batch: BATCH,
            what,
        },
    };
    let mut answers = Answers {
        of_labels: cx.images()?.has_label_sets(),
        ..Answers::default()
    };
    let mut mirror = cx.take_mirror()?;
    let read = |indices: &[u32]| source.read(indices);
    walk.each(cx, read, |_, batch| answers.add(&mut mirror, batch, draws))?;
    cx.return_mirror(mirror);
    Ok(answers)
}

fn predictions(
    dataset: &Dataset,
    source: &Source<'_>,
    answers: Arc<Answers>,
    request: &Request,
    step: u64,
    slice: Option<SliceOf>,
) -> Result<Predictions, InspectError> {
    let listed = answers.listed(request.list);
    let top = match request.top {
        0 => TOP,
        top => top,
    };
    let first: Vec<usize> = listed.iter().copied().take(SHOWN).collect();
    let shown_images: Vec<ShownImage> = first
        .iter()
        .map(|image| ShownImage {
            index: answers.indices[*image],
            label: answers.labels[*image],
            labels: answers.set(*image),
            is_wrong: answers.is_wrong(*image),
            top: answers.top(*image, top),
            before: None,
        })
        .collect();
    let indices: Vec<u32> = shown_images.iter().map(|image| image.index).collect();
    let values = source.read(&indices)?.values;
    let size = source.size();
    let pairs: Vec<(u32, (u32, f32))> = answers.pairs().collect();
    let has_labels = !pairs.is_empty();
    let bins = calibration(&pairs);
    let of_labels = answers.label_figures();
    Ok(Predictions {
        step,
        split: match source {
            Source::Split(split, ..) => Some(*split),
            Source::Files(..) => None,
        },
        augmentations: request.augmentations,
        images: answers.labels.len(),
        of: source.len(),
        classes: dataset.classes().to_vec(),
        has_label_sets: answers.of_labels,
        per_class: match &of_labels {
            Some(figures) => figures.clone(),
            None => class_figures(&pairs, dataset.classes().len()),
        },
        calibration_error: has_labels.then(|| expected_error(&bins)),
        bins,
        accuracy: match &of_labels {
            Some(figures) => label_accuracy(figures, answers.labels.len() as u64),
            None => has_labels.then(|| {
                let right = pairs.iter().filter(|(label, (answer, _))| label == answer);
                right.count() as f64 / pairs.len() as f64
            }),
        },
        list: request.list,
        listed: listed.len(),
        shown: shown_images,
        size: shown_size(slice, size),
        pixels: shown(slice, &dataset.to_pixels(&values), size).into_owned(),
        answers,
        change: None,
    })
}

#[cfg(test)]
mod tests;
