//! What a run's network shows, for a page: reconstructions, filters, saliency, the sparse code, confusions. Made from
//! its last checkpoint; what that does not give is left out, with the reason.

use super::{Shown, confusion, image_tag, sparse};
use std::path::Path;
use strata_core::format::{fixed, loss, short};
use strata_core::project::stage::Task;
use strata_core::project::{Project, ProjectError, file};
use strata_engine::error::RunError;
use strata_engine::storage::saved_run::{SavedRun, inspect_weights};
use strata_inspect::confusion::Confusion;
use strata_inspect::filters::{self, Filters};
use strata_inspect::image_set::FromSplit;
use strata_inspect::maps::saliency_sheet;
use strata_inspect::picture::{FilterScale, filter_sheet, reconstruction_sheet, zoom_for};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::saliency::{self, Answer, Question, Saliency};
use strata_inspect::sparse::SparseCode;

/// The checkpoint that pictures are made from.
const LAST: &str = "last";

/// What the last checkpoint of a run shows.
#[derive(Default)]
pub(crate) struct Pictures {
    filters: Option<Filters>,
    reconstructions: Option<Reconstructions>,
    confusion: Option<Confusion>,
    saliency: Option<Saliency>,
    sparse: Option<SparseCode>,
    /// What is left out, each with the reason.
    pub missing: Vec<String>,
}

impl Pictures {
    /// Reads the checkpoint, and the images where something is asked of them.
    pub fn read(run: &Path) -> Result<Pictures, ProjectError> {
        let project = file::load(&run.join("project.toml"))?;
        let mut made = Pictures::default();
        let found = inspect_weights::<Filters>(run, LAST, None, &filters::Request::First);
        made.filters = made.or_note("filters", found);
        let has_decoder = !project.network.decoder.is_empty();
        let classifies = has_task(&project, Task::Classify);
        if has_decoder || classifies {
            match SavedRun::open(run, LAST, None, &mut |_| true) {
                Ok(saved) => made.ask(&project, saved),
                Err(error) if has_decoder => made.note("reconstructions", &error),
                Err(error) => made.note("confusion matrix", &error),
            }
        }
        Ok(made)
    }

    fn ask(&mut self, project: &Project, mut saved: SavedRun) {
        if !project.network.decoder.is_empty() {
            let found = saved.inspect::<Reconstructions>(&None);
            self.reconstructions = self.or_note("reconstructions", found);
        }
        // A stage that classifies may still be to come.
        let classifies = saved.has_trained(Task::Classify);
        if classifies {
            let found = saved.inspect::<Confusion>(&FromSplit::default());
            self.confusion = self.or_note("confusion matrix", found);
        }
        let has_label_sets = classifies && saved.dataset.has_label_sets();
        let reconstructs = saved.has_trained(Task::Reconstruct)
            && saved.inference.output_equals_input == Some(true);
        if (classifies && !has_label_sets) || (!classifies && reconstructs) {
            let found = saved.inspect::<Saliency>(&saliency::Request::default());
            self.saliency = self.or_note("saliency", found);
        }
        let is_sparse = project.stages.iter().any(|stage| stage.sparsity.is_some());
        if is_sparse {
            let found = saved.inspect::<SparseCode>(&FromSplit::default());
            self.sparse = self.or_note("sparse code", found);
        }
    }

    fn or_note<T>(&mut self, what: &str, found: Result<T, RunError>) -> Option<T> {
        found.map_err(|error| self.note(what, &error)).ok()
    }

    fn note(&mut self, what: &str, error: &RunError) {
        let text = format!("the report has no {what}: {error}");
        self.missing.push(text);
    }

    pub fn shown(&self) -> Shown<'_> {
        Shown {
            filters: self.filters.as_ref(),
            reconstructions: self.reconstructions.as_ref(),
            confusion: self.confusion.as_ref(),
            saliency: self.saliency.as_ref(),
            sparse: self.sparse.as_ref(),
        }
    }
}

fn has_task(project: &Project, task: Task) -> bool {
    project.stages.iter().any(|stage| stage.task == task)
}

/// All of it but confusions, each part under its heading: `h2` on the page of a run, `h3` on that of several.
pub(crate) fn sections(shown: &Shown<'_>, heading: &str) -> String {
    let pictures = shown
        .reconstructions
        .filter(|pictures| !pictures.inputs.is_empty());
    let filters = shown.filters.filter(|filters| filters.count > 0);
    let parts = [
        (
            "Probe images over their reconstructions",
            pictures.and_then(reconstruction_figure),
        ),
        ("Saliency", shown.saliency.and_then(saliency_figure)),
        ("Sparse code", shown.sparse.and_then(sparse::figure)),
        (
            "Filters of the first layer",
            filters.and_then(filter_figure),
        ),
    ];
    let written = |(title, content): (&str, Option<String>)| {
        Some(format!("<{heading}>{title}</{heading}>\n{}\n", content?))
    };
    parts.into_iter().filter_map(written).collect()
}

/// The confusion matrix, or the figures of each label.
pub(super) fn confusions(shown: &Shown<'_>) -> Option<String> {
    shown.confusion.and_then(confusion::table)
}

fn reconstruction_figure(pictures: &Reconstructions) -> Option<String> {
    let pictures = pictures.shown(None);
    let image = image_tag(
        &reconstruction_sheet(&pictures, zoom_for(pictures.height)),
        "inputs over reconstructions",
    )?;
    Some(format!(
        "{image}<p>mean squared error {}, PSNR {} dB</p>",
        loss(pictures.mean_mse.into()),
        fixed(pictures.psnr.into(), 2)
    ))
}

fn filter_figure(filters: &Filters) -> Option<String> {
    let image = image_tag(
        &filter_sheet(filters, FilterScale::PerFilter, zoom_for(filters.height)),
        "filters",
    )?;
    let Filters {
        key, layer, count, ..
    } = filters;
    Some(format!(
        "{image}<p>{} {}: {count} filters of {}</p>",
        super::escape(key),
        super::escape(layer),
        filters.dims()
    ))
}

/// Images, the maps of how much each pixel counts for the answer, and both over each other.
fn saliency_figure(saliency: &Saliency) -> Option<String> {
    if saliency.answers.is_empty() {
        return None;
    }
    let image = image_tag(
        &saliency_sheet(saliency, zoom_for(saliency.height)),
        "saliency maps",
    )?;
    let of = match saliency.question {
        Question::Error => "the reconstruction error",
        Question::Predicted | Question::Class(_) | Question::Unit(_) => {
            "the score of the class that the image is taken for"
        }
    };
    let said: Vec<String> = saliency
        .answers
        .iter()
        .filter_map(|answer| words(saliency, answer))
        .collect();
    Some(format!(
        "{image}<p>{}, absolute values: how much each pixel counts for {of}. Each map by its own largest value. {}</p>",
        super::escape(saliency.method.name()),
        super::escape(&said.join("; "))
    ))
}

/// `7 taken for 1 (98.2 %)`
fn words(saliency: &Saliency, answer: &Answer) -> Option<String> {
    let (class, probability) = answer.top.first()?;
    let taken = saliency.class_name(*class);
    let share = short(f64::from(100.0 * probability), 1);
    let label = answer.label.map(|label| saliency.class_name(label));
    Some(match label {
        Some(label) => format!("{label} taken for {taken} ({share} %)"),
        None => format!("taken for {taken} ({share} %)"),
    })
}
