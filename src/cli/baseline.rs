//! `strata baseline`: classifiers that are no networks, on the images of a project or the features of a run.

use super::args::BaselineArgs;
use super::{Told, WrongInput, output, progress, source, text};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use strata_baselines::record::SplitResult;
use strata_baselines::samples::LayerFeatures;
use strata_baselines::work::{Made, Request, make};
use strata_baselines::{BaselineError, Model};
use strata_core::format::{count, duration};
use strata_data::Progress;

/// Exit code of a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Fits, prints and keeps them.
pub fn run(args: &BaselineArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &args.changes)?;
    let request = Request {
        models: models(&args.model)?,
        features: features(args.features.as_deref(), source.run.as_deref())?,
        limit: args.limit,
        seed: args.seed,
        name: None,
    };
    // Beside the run that is asked for, else where the project's runs are.
    let runs = match source.run.as_deref().and_then(Path::parent) {
        Some(folder) => folder.to_owned(),
        None => source.base.join("runs"),
    };
    let bar = progress::bar("{msg} [{bar:24}] {pos}/{len}");
    let cancelled = interrupts();
    let monitor = |progress: Progress| {
        show(&bar, progress);
        !cancelled.load(Relaxed)
    };
    let mut all = Vec::new();
    let mut each = |made: Made| {
        bar.suspend(|| output::say(&line(&made)));
        all.push(made);
    };
    let ended = make(
        &source.project,
        &source.base,
        &runs,
        &request,
        &monitor,
        &mut each,
    );
    bar.finish_and_clear();
    let was_cancelled = matches!(ended, Err(BaselineError::Cancelled));
    if !was_cancelled {
        ended?;
    }
    if args.json {
        let values: Result<Vec<Value>, _> = all.iter().map(value).collect();
        output::print_json(&values?)?;
    } else if !all.is_empty() {
        output::print(&table(&all))?;
    }
    if was_cancelled {
        output::say("stopped; what was ready is kept");
        return Err(Told(INTERRUPTED).into());
    }
    Ok(())
}

/// The models of `--model`: words between commas, or `all`.
fn models(text: &str) -> Result<Vec<Model>, WrongInput> {
    let mut models = Vec::new();
    for word in text.split(',').map(str::trim) {
        let known = match word {
            "all" => Model::ALL.to_vec(),
            word => Model::of_word(word).into_iter().collect(),
        };
        if known.is_empty() {
            let words = Model::ALL.map(Model::word).join(", ");
            return Err(WrongInput(format!(
                "there is no model `{word}`; the models are {words}, and all"
            )));
        }
        models.extend(
            known
                .into_iter()
                .filter(|model| !models.contains(model))
                .collect::<Vec<_>>(),
        );
    }
    Ok(models)
}

/// `RUN`, `RUN:LAYER`, or a layer of the run that is asked for.
fn features(text: Option<&str>, run: Option<&Path>) -> Result<Option<LayerFeatures>, WrongInput> {
    let Some(text) = text else { return Ok(None) };
    let is_run = |path: &str| Path::new(path).join("run.json").is_file();
    let of = |run: PathBuf, layer: Option<&str>| LayerFeatures {
        run,
        layer: layer.map(str::to_owned),
    };
    if is_run(text) {
        return Ok(Some(of(text.into(), None)));
    }
    if let Some((path, layer)) = text.rsplit_once(':').filter(|(path, _)| is_run(path)) {
        return Ok(Some(of(path.into(), Some(layer))));
    }
    match run {
        Some(run) if !text.contains(['/', '\\', ':']) => Ok(Some(of(run.to_owned(), Some(text)))),
        _ => Err(WrongInput(format!(
            "--features {text}: write RUN:LAYER, such as runs/NAME-1:encoder.3; RUN alone is its code"
        ))),
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(progress.what);
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

/// Ctrl-C ends the work; a second one the program.
fn interrupts() -> Arc<AtomicBool> {
    let cancelled = Arc::<AtomicBool>::default();
    let asked = cancelled.clone();
    let handler = move || {
        if asked.swap(true, Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        output::say("\nstopping; Ctrl-C again ends at once");
    };
    if let Err(error) = strata_core::signals::on_end_request(handler) {
        log::warn!("Ctrl-C ends the program at once: {error}");
    }
    cancelled
}

fn line(made: &Made) -> String {
    let record = &made.record;
    let mut line = format!(
        "{}: fitted to {} of {} images, {}, in {}",
        record.model.name(),
        count(record.fitted as u64),
        count(record.of as u64),
        record.rows,
        duration(record.fit_seconds)
    );
    for note in &record.notes {
        line += &format!("\nnote: {note}");
    }
    line
}

fn table(all: &[Made]) -> String {
    let heading = [
        "model", "split", "accuracy", "log loss", "fit", "predict", "images", "kept in",
    ];
    let row = |(made, result): (&Made, &SplitResult)| {
        let record = &made.record;
        [
            record.model.word().to_owned(),
            result.split.name().to_owned(),
            format!("{:.2} %", 100.0 * result.accuracy),
            text::figure(result.log_loss),
            duration(record.fit_seconds),
            duration(result.predict_seconds),
            count(result.labels.len() as u64),
            made.folder.display().to_string(),
        ]
    };
    let results = all
        .iter()
        .flat_map(|made| made.record.results.iter().map(move |result| (made, result)));
    text::table(&heading, &results.map(row).collect::<Vec<_>>())
}

/// The record without the answer for every image, which is in its file.
fn value(made: &Made) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(&made.record)?;
    let results = value.get_mut("results").and_then(Value::as_array_mut);
    for result in results.into_iter().flatten() {
        if let Some(result) = result.as_object_mut() {
            result.remove("labels");
            result.remove("answers");
        }
    }
    if let Some(record) = value.as_object_mut() {
        record.insert("folder".to_owned(), json!(made.folder));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_once_each() {
        assert_eq!(
            models("knn,logistic,knn").unwrap(),
            [Model::Knn, Model::Logistic]
        );
        assert_eq!(models("forest,all").unwrap().len(), 5);
        let error = models("tree").unwrap_err().to_string();
        assert!(
            error.contains("logistic, forest, boosted, knn, svm"),
            "{error}"
        );
    }

    #[test]
    fn features_are_of_a_layer_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("run.json"), "{}").unwrap();
        let run = folder.path().display().to_string();
        let layer = |text: &str| features(Some(text), None).unwrap().unwrap().layer;
        assert_eq!(layer(&run), None);
        assert_eq!(
            layer(&format!("{run}:encoder.2")).as_deref(),
            Some("encoder.2")
        );
        let own = features(Some("head.0"), Some(folder.path()))
            .unwrap()
            .unwrap();
        assert_eq!(own.run, folder.path());
        assert!(features(Some("head.0"), None).is_err());
        assert!(features(None, None).unwrap().is_none());
    }
}
