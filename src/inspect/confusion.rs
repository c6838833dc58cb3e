//! Which class each image of a split is taken for: how often, by right class and answer.

use super::batches::{Batch, Walk};
use super::head::check_head;
use super::image_set::{FromSplit, ImagesOf};
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::label_figures::{count_labels, label_accuracy};
use super::network_copy::InspectionNetwork;
use super::predictions::ClassFigures;
use candle_core::{Device, Tensor};
use strata_core::project::data::Split;
use strata_core::project::stage::Task;
use strata_data::{Dataset, OwnImages, SplitData};
use strata_nn::{Mode, Route};

/// Images at a time.
const BATCH: usize = 100;

/// Counts by right class and answer.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Confusion {
    /// Steps taken when they were counted.
    pub step: u64,
    /// Whose images were counted.
    pub split: ImagesOf,
    /// How many images, of how many the split has.
    pub images: usize,
    /// See `images`.
    pub of: usize,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// A row for each right class, a column for each answer; one more column counts the answers that are no class,
    /// where the head can give them.
    pub counts: Vec<Vec<u64>>,
    /// Where an image may have several labels instead of one class: the figures of each label. Nothing is in `counts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<ClassFigures>,
    /// Of these, images of which every label is answered right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<usize>,
    /// Where the change is shown: the step since which, and the counts of then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<(u64, Vec<Vec<u64>>)>,
}

impl Confusion {
    /// The images of a class.
    pub fn total(&self, class: usize) -> u64 {
        self.counts.get(class).map_or(0, |row| row.iter().sum())
    }

    /// The share of a class's images that is taken for this answer; `None` where the class has no images.
    pub fn share(&self, class: usize, answer: usize) -> Option<f64> {
        let count = *self.counts.get(class)?.get(answer)?;
        let total = self.total(class);
        (total > 0).then(|| count as f64 / total as f64)
    }

    /// How many more images of a class are taken for this answer than at the earlier step.
    pub fn change(&self, class: usize, answer: usize) -> Option<i64> {
        let (_, before) = self.since.as_ref()?;
        let [now, before] = [&self.counts, before].map(|counts| {
            let count = counts.get(class).and_then(|row| row.get(answer));
            count.map_or(0, |count| *count as i64)
        });
        Some(now - before)
    }

    /// The share of all images that are taken for what they are; of images with several labels, the share of answers
    /// about all labels that are right.
    pub fn accuracy(&self) -> Option<f64> {
        if !self.labels.is_empty() {
            return label_accuracy(&self.labels, self.images as u64);
        }
        let right: u64 = (0..self.counts.len())
            .filter_map(|class| self.counts[class].get(class))
            .sum();
        let all: u64 = self.counts.iter().flatten().sum();
        (all > 0).then(|| right as f64 / all as f64)
    }

    /// The name of a column.
    pub fn answer(&self, column: usize) -> String {
        self.classes
            .get(column)
            .cloned()
            .unwrap_or_else(|| "no class".to_owned())
    }
}

impl Inspection for Confusion {
    const NAME: &'static str = "confusion";
    const NEEDS: Needs = Needs::RunWithImages;
    /// Usually all images that the network never learnt from, as far as there are some.
    type Request = FromSplit;

    fn compute(cx: &mut InspectionContext<'_>, request: &FromSplit) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        classifying(cx)?;
        let step = cx.run()?.step;
        let (split, data) = counted(dataset, request.split)?;
        let most = request.limit.unwrap_or(data.len());
        let mut confusion = Confusion {
            step,
            split: ImagesOf::of(dataset, split),
            of: data.len(),
            classes: dataset.classes().to_vec(),
            ..Confusion::default()
        };
        let walk = Walk::drawn(data.len(), most, BATCH, "asking the network");
        let read = |indices: &[u32]| Batch::read(data, indices);
        walk.each(cx, read, |cx, batch| confusion.add(cx.mirror()?, &batch))?;
        Ok(confusion)
    }

    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        if !self.labels.is_empty() {
            let message = "the figures of labels have no change since a step: look at each step";
            return Err(InspectError::Input(message.to_owned()));
        }
        let mut made = self.clone();
        made.since = Some((earlier.step, earlier.counts.clone()));
        Ok(made)
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

impl Confusion {
    fn add(&mut self, mirror: &mut InspectionNetwork, batch: &Batch) -> Result<(), InspectError> {
        let network = mirror.network();
        let images = batch.tensor(network.device())?;
        let output = network.forward(Route::Classify, &images, Mode::Eval)?;
        let scores = network.logits(&output)?;
        if !batch.label_rows.is_empty() {
            let shape = (batch.len(), batch.label_rows.len() / batch.len());
            let rows = Tensor::from_slice(&batch.label_rows, shape, &Device::Cpu)?;
            let exact = count_labels(&mut self.labels, &scores, &rows)?;
            self.exact = Some(self.exact.unwrap_or(0) + exact);
            self.images += batch.len();
            return Ok(());
        }
        // The split has labels: they were asked for.
        let labels: Vec<u32> = batch
            .labels
            .iter()
            .map(|label| label.unwrap_or(0))
            .collect();
        count_answers(&mut self.counts, self.classes.len(), &scores, &labels)?;
        self.images += batch.len();
        Ok(())
    }
}

/// Counts which class each image is taken for, from its scores (`N × answers`): by right class (row) and answer
/// (column). Where the network has more answers than there are classes, one more column counts those others.
pub fn count_answers(
    counts: &mut Vec<Vec<u64>>,
    classes: usize,
    scores: &Tensor,
    labels: &[u32],
) -> candle_core::Result<()> {
    // A GPU's argmax takes any of equal scores; the first counts.
    let answers = scores
        .to_device(&Device::Cpu)?
        .argmax(1)?
        .to_vec1::<u32>()?;
    let columns = classes + usize::from(scores.dim(1)? > classes);
    counts.resize_with(classes, || vec![0; columns]);
    for (&label, &answer) in labels.iter().zip(&answers) {
        let column = (answer as usize).min(columns.saturating_sub(1));
        let row = counts.get_mut(label as usize);
        if let Some(count) = row.and_then(|row| row.get_mut(column)) {
            *count += 1;
        }
    }
    Ok(())
}

/// Said where an answer is asked of a network that gives none.
pub(crate) const NOT_CLASSIFIED: &str = "nothing is classified in this run: train a stage with the task classify, whose head gives the answers";

/// Checks that the network classifies these images; fails with what to change.
pub(crate) fn classifying(cx: &mut InspectionContext<'_>) -> Result<(), InspectError> {
    let dataset = cx.images()?;
    let run = cx.run()?;
    let stage = run.stages.iter().find(|stage| stage.task == Task::Classify);
    let Some(stage) = stage else {
        return Err(InspectError::Input(NOT_CLASSIFIED.to_owned()));
    };
    check_head(stage, run.inference, dataset)
        .map_err(|misfit| InspectError::Input(misfit.to_string()))
}

/// The split that was asked for, or the first with labels of test, valid and train.
pub(crate) fn counted(
    dataset: &Dataset,
    wanted: Option<Split>,
) -> Result<(Split, &SplitData), InspectError> {
    if let Some(message) = dataset.own_images().and_then(|own| no_class(dataset, own)) {
        return Err(InspectError::Input(message));
    }
    let usual = [Split::Test, Split::Valid, Split::Train];
    let all = wanted.map_or(usual.to_vec(), |split| vec![split]);
    let found = all.into_iter().find_map(|split| {
        let data = dataset.split(split)?;
        let has_labels = data.labelled() || data.has_label_sets();
        (has_labels && !data.is_empty()).then_some((split, data))
    });
    found.ok_or_else(|| {
        let split = wanted.map_or("no split".to_owned(), |split| format!("the split {split}"));
        InspectError::Input(format!("there are no labelled images to count in {split}"))
    })
}

/// Why the right classes of image files are not known; `None` where they are.
fn no_class(dataset: &Dataset, own: &OwnImages) -> Option<String> {
    let file = own.unlabelled.as_ref()?.display();
    if dataset.has_label_sets() {
        return Some(format!(
            "which labels {file} has is not known, so answers cannot be counted: choose a split instead"
        ));
    }
    let first = dataset.classes().first()?;
    Some(format!(
        "the right class of an image file is the name of its folder, as in {first}/image.png, and that of {file} is no class of this run: put each file into a folder that is named after its class ({})",
        some_of(dataset.classes())
    ))
}

/// The first names of a list: `cat, dog, owl and 7 more`.
fn some_of(names: &[String]) -> String {
    const NAMED: usize = 10;
    let named = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_right_class() {
        let confusion = Confusion {
            classes: vec!["cat".to_owned(), "dog".to_owned(), "owl".to_owned()],
            counts: vec![vec![3, 1, 0, 0], vec![2, 1, 0, 1], vec![0; 4]],
            ..Confusion::default()
        };
        assert_eq!(confusion.share(0, 0), Some(0.75));
        assert_eq!(confusion.share(1, 0), Some(0.5));
        assert_eq!(confusion.share(2, 2), None, "a class without images");
        assert_eq!(confusion.accuracy(), Some(0.5));
        assert_eq!(
            (confusion.total(1), confusion.answer(3)),
            (4, "no class".to_owned())
        );
        assert_eq!(Confusion::default().accuracy(), None);
    }
}
