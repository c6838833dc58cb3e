//! What a classifier says of the images of a split: of each the most probable classes; precision and recall of each
//! class; whether its probabilities can be trusted; and the images that it is most wrong or least sure about.
//!
//! Running statistics are used, dropout and noise are off. Fails as the network and the reading of images do, and where
//! nothing is classified.

mod figures;

pub use figures::{BINS, Bin, ClassFigures, calibration, class_figures, expected_error};

use super::attribution::score::numbers;
use super::confusion::{classifying, counted};
use super::image_set::Chosen;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::slices::{SliceOf, shown, shown_size};
use candle_core::Tensor;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Instant;
use strata_core::project::data::Split;
use strata_core::rng::{Purpose, stream};
use strata_data::augment::{Augmenter, Scratch};
use strata_data::{DataError, Dataset, Progress, SplitData, epoch_order, fill_batch};
use strata_nn::{Mode, Route};

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

/// The answers for all images that were counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Answers of the head.
    pub outputs: usize,
    /// The place of each image in the split (or among the files).
    pub indices: Vec<u32>,
    /// The right class of each, where it is known.
    pub labels: Vec<Option<u32>>,
    /// `N × outputs` probabilities.
    pub probabilities: Vec<f32>,
}

impl Answers {
    /// The probabilities of an image.
    pub fn of(&self, image: usize) -> &[f32] {
        let from = image * self.outputs;
        self.probabilities
            .get(from..from + self.outputs)
            .unwrap_or_default()
    }

    /// The most probable classes of an image, falling.
    pub fn top(&self, image: usize, count: usize) -> Vec<(u32, f32)> {
        let mut ranked: Vec<(u32, f32)> = (0..).zip(self.of(image).iter().copied()).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ranked.truncate(count);
        ranked
    }

    /// The class that an image is taken for, and how probable it is.
    pub fn taken(&self, image: usize) -> (u32, f32) {
        let better = |best: (u32, f32), next: (u32, f32)| match next.1.total_cmp(&best.1) {
            Ordering::Greater => next,
            _ => best,
        };
        let all = (0..).zip(self.of(image).iter().copied());
        all.reduce(better).unwrap_or((0, f32::NAN))
    }

    /// How much more probable the answer is than the next one.
    fn margin(&self, image: usize) -> f32 {
        match self.top(image, 2).as_slice() {
            [first, second] => first.1 - second.1,
            _ => 1.0,
        }
    }

    /// Right class and answer of each image that has one.
    fn pairs(&self) -> impl Iterator<Item = (u32, (u32, f32))> + '_ {
        let labelled = self.labels.iter().enumerate();
        labelled.filter_map(|(image, label)| Some(((*label)?, self.taken(image))))
    }

    /// Which images a list shows, in its order.
    fn listed(&self, list: List) -> Vec<usize> {
        let all = 0..self.labels.len();
        let is_wrong =
            |image: &usize| self.labels[*image].is_some_and(|label| label != self.taken(*image).0);
        let sorted = |mut images: Vec<usize>, key: &dyn Fn(usize) -> f32| {
            images.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
            images
        };
        match list {
            List::First => all.collect(),
            List::MostWrong => sorted(all.filter(is_wrong).collect(), &|image| {
                -self.taken(image).1
            }),
            List::LeastSure => sorted(all.collect(), &|image| self.margin(image)),
            List::Taken(label, answer) => {
                let is = |image: &usize| {
                    self.labels[*image] == Some(label) && self.taken(*image).0 == answer
                };
                sorted(all.filter(is).collect(), &|image| -self.taken(image).1)
            }
        }
    }
}

/// An image that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownImage {
    /// Its place in the split.
    pub index: u32,
    /// Its right class.
    pub label: Option<u32>,
    /// The most probable classes, falling.
    pub top: Vec<(u32, f32)>,
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
    /// All answers.
    pub answers: Arc<Answers>,
    /// Precision, recall and F1 of each class.
    pub per_class: Vec<ClassFigures>,
    /// Images by how sure their answer is.
    pub bins: Vec<Bin>,
    /// Expected calibration error; `None` where no image has a right class.
    pub calibration_error: Option<f64>,
    /// The share of right answers.
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
}

impl Predictions {
    /// A class's name; its number where it has none.
    pub fn class_name(&self, class: u32) -> String {
        super::class_name(&self.classes, class)
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

    /// Images as the network gets them, with their right classes.
    fn read(&self, indices: &[u32]) -> Result<(Vec<f32>, Vec<Option<u32>>), DataError> {
        let size = self.size().iter().product::<usize>();
        match self {
            Source::Split(_, data, _) => {
                let mut images = vec![0.0; indices.len() * size];
                let mut labels = vec![0; indices.len()];
                fill_batch(data, indices, &mut images, &mut labels)?;
                let labels = indices.iter().map(|index| data.label(*index as usize));
                Ok((images, labels.collect()))
            }
            Source::Files(values, _) => {
                let of = |index: &u32| {
                    let from = *index as usize * size;
                    values.get(from..from + size).unwrap_or_default().to_vec()
                };
                Ok((
                    indices.iter().flat_map(of).collect(),
                    vec![None; indices.len()],
                ))
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
    let deadline = cx.deadline;
    // Shuffled, since splits may come class by class and a run in training has no time for all.
    let order = match deadline {
        Some(_) => epoch_order(source.len(), 0, 0),
        None => (0..source.len() as u32).collect(),
    };
    let mut answers = Answers::default();
    let mut mirror = cx.take_mirror()?;
    for indices in order.chunks(BATCH) {
        answers.add(&mut mirror, source, draws, indices)?;
        let progress = Progress {
            what: "asking the network",
            done: answers.labels.len(),
            total: order.len(),
        };
        if !cx.report(progress) {
            return Err(DataError::Cancelled.into());
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            break;
        }
    }
    cx.return_mirror(mirror);
    Ok(answers)
}

impl Answers {
    fn add(
        &mut self,
        mirror: &mut InspectionNetwork,
        source: &Source<'_>,
        draws: Option<&Draws<'_>>,
        indices: &[u32],
    ) -> Result<(), InspectError> {
        let (images, labels) = source.read(indices)?;
        let size = source.size();
        let probabilities = match draws {
            None => probabilities(mirror, images, size)?,
            Some(draws) => {
                let mut sum = vec![0.0; 0];
                for draw in 0..draws.count {
                    let one = probabilities(mirror, draws.images(indices, draw)?, size)?;
                    sum.resize(one.len(), 0.0);
                    let share = 1.0 / draws.count as f32;
                    let pairs = sum.iter_mut().zip(&one);
                    pairs.for_each(|(sum, one)| *sum += share * one);
                }
                sum
            }
        };
        self.outputs = (probabilities.len() / indices.len().max(1)).max(1);
        self.probabilities.extend(probabilities);
        self.labels.extend(labels);
        self.indices.extend(indices);
        Ok(())
    }
}

/// The probabilities of images as the network gets them, one image after the other.
fn probabilities(
    mirror: &mut InspectionNetwork,
    images: Vec<f32>,
    [height, width, channels]: [usize; 3],
) -> Result<Vec<f32>, InspectError> {
    let count = images.len() / (height * width * channels).max(1);
    let network = mirror.network();
    let images = Tensor::from_vec(images, (count, height, width, channels), network.device())?;
    let output = network.forward(Route::Classify, &images, Mode::Eval)?;
    let scores = numbers(&network.logits(&output)?)?;
    let each = (scores.len() / count.max(1)).max(1);
    Ok(scores.chunks_exact(each).flat_map(softmax).collect())
}

/// What the project's augmentations make of the images of a split.
struct Draws<'a> {
    augmenter: &'a Augmenter,
    data: &'a SplitData,
    ends: Vec<[f32; 2]>,
    count: usize,
    seed: u64,
}

impl<'a> Draws<'a> {
    /// So many draws of each image; `None` of none. Fails where nothing is drawn.
    fn of(
        dataset: &'a Dataset,
        source: &Source<'a>,
        count: usize,
        seed: u64,
    ) -> Result<Option<Draws<'a>>, InspectError> {
        if count == 0 {
            return Ok(None);
        }
        let refused = |text: &str| Err(InspectError::Input(text.to_owned()));
        let Some(augmenter) = dataset.augmenter_of(Split::Train) else {
            return refused("the project has no augmentations whose mean could be taken");
        };
        let Source::Split(_, data, _) = source else {
            return refused("the mean over augmentations is of images of a split, not of files");
        };
        Ok(Some(Draws {
            augmenter,
            data,
            ends: dataset.ends(),
            count,
            seed,
        }))
    }

    /// The images of this draw as the network gets them.
    fn images(&self, indices: &[u32], draw: usize) -> Result<Vec<f32>, DataError> {
        let mut scratch = Scratch::default();
        let mut images = Vec::new();
        for index in indices {
            let mut shares = vec![0.0; self.data.whole_shape().iter().product()];
            self.data.read_shares(*index as usize, &mut shares)?;
            let number = (u64::from(*index) << 16) | draw as u64;
            let mut rng = stream(self.seed, Purpose::Inspection, number);
            self.augmenter.apply(&mut shares, &mut scratch, &mut rng);
            let ends = self.ends.iter().cycle();
            let number = |(share, [low, high]): (&f32, &[f32; 2])| low + (high - low) * share;
            images.extend(shares.iter().zip(ends).map(number));
        }
        Ok(images)
    }
}

/// Probabilities from scores.
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
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
            top: answers.top(*image, top),
        })
        .collect();
    let indices: Vec<u32> = shown_images.iter().map(|image| image.index).collect();
    let (values, _) = source.read(&indices)?;
    let size = source.size();
    let pairs: Vec<(u32, (u32, f32))> = answers.pairs().collect();
    let has_labels = !pairs.is_empty();
    let bins = calibration(&pairs);
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
        per_class: class_figures(&pairs, dataset.classes().len()),
        calibration_error: has_labels.then(|| expected_error(&bins)),
        bins,
        accuracy: has_labels.then(|| {
            let right = pairs.iter().filter(|(label, (answer, _))| label == answer);
            right.count() as f64 / pairs.len() as f64
        }),
        list: request.list,
        listed: listed.len(),
        shown: shown_images,
        size: shown_size(slice, size),
        pixels: shown(slice, &dataset.to_pixels(&values), size).into_owned(),
        answers,
    })
}

#[cfg(test)]
mod tests;
