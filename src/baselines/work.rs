//! Making baselines: reads the rows once, fits model after model, measures each on the held-out splits, and keeps each
//! in a folder of its own.

use super::error::BaselineError;
use super::model::{Fitted, Model, Monitor};
use super::record::{BaselineRecord, FeaturesOf, SplitResult, format};
use super::samples::{FITTED, LayerFeatures, Read, read};
use super::score::Score;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};
use strata_core::format::utc;
use strata_core::project::Project;
use strata_core::project::data::Weights;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The models, each once.
    pub models: Vec<Model>,
    /// The features they are fitted to; `None` for pixels.
    pub features: Option<LayerFeatures>,
    /// How many training images, drawn by the seed; `None` for [`FITTED`].
    pub limit: Option<usize>,
    /// What decides the draws; `None` for the project's seed.
    pub seed: Option<u64>,
    /// What its folder is called before the number; `None` for the title of the project and the model.
    pub name: Option<String>,
}

/// A baseline that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is and what it reached.
    pub record: BaselineRecord,
}

/// Makes the baselines of a project, whose relative paths start at `base`, in the folder `runs`. `each` takes every one
/// as it is ready; what was ready when the work is cancelled stays.
pub fn make(
    project: &Project,
    base: &Path,
    runs: &Path,
    request: &Request,
    monitor: Monitor<'_>,
    each: &mut dyn FnMut(Made),
) -> Result<(), BaselineError> {
    if request.models.is_empty() {
        let message = "no model is chosen: choose one of logistic, forest, boosted, knn and svm";
        return Err(BaselineError::Input(message.to_owned()));
    }
    let seed = request.seed.unwrap_or(project.seed);
    let limit = request.limit.unwrap_or(FITTED);
    let features = request.features.as_ref();
    let read = read(project, base, features, limit, seed, monitor)?;
    for model in &request.models {
        let mut record = measure(*model, &read, seed, monitor)?;
        record.features = features
            .zip(read.layer.clone())
            .map(|(features, layer)| FeaturesOf {
                run: features.run.display().to_string(),
                layer,
            });
        if project.data.weights == Some(Weights::Balanced) {
            let note = "the project trains on as many images of each class; baselines are fitted to the images as they are";
            record.notes.push(note.to_owned());
        }
        let folder = record.save(project, base, runs, request.name.as_deref())?;
        log::info!("kept a baseline in {}", folder.display());
        each(Made { folder, record });
    }
    Ok(())
}

/// Fits a model and measures it.
fn measure(
    model: Model,
    read: &Read,
    seed: u64,
    monitor: Monitor<'_>,
) -> Result<BaselineRecord, BaselineError> {
    let started = utc(SystemTime::now());
    let begun = Instant::now();
    let fitted = Fitted::fit(model, &read.fitted, seed, monitor).ok_or(BaselineError::Cancelled)?;
    let fit_seconds = begun.elapsed().as_secs_f64();
    let mut results = Vec::new();
    for (split, samples) in &read.held_out {
        let begun = Instant::now();
        let predictions = fitted.predict(samples.rows(), monitor);
        let predictions = predictions.ok_or(BaselineError::Cancelled)?;
        let predict_seconds = begun.elapsed().as_secs_f64();
        let score = Score::of(&predictions, &samples.labels, samples.classes);
        results.push(SplitResult {
            split: *split,
            accuracy: score.accuracy,
            log_loss: score.log_loss,
            predict_seconds,
            confusion: score.confusion,
            labels: samples.labels.clone(),
            answers: predictions.answers,
        });
    }
    Ok(BaselineRecord {
        format: format(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        model,
        settings: model.settings().to_owned(),
        rows: read.rows.clone(),
        features: None,
        seed,
        data_hash: read.data_hash.clone(),
        classes: read.classes.clone(),
        fitted: read.fitted.len(),
        of: read.of,
        fit_seconds,
        notes: fitted.notes,
        results,
    })
}
