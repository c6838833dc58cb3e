//! A run as one self-contained page of HTML: table of layers, loss curve, metrics, pictures.
//!
//! Made from the run folder (and the newest pictures), so that it can be written at any time. What
//! the folder lacks is left out of the page; only a file that cannot be written is an error.

mod confusion;
mod curve;
mod pictures;
mod sparse;

use image::RgbaImage;
use pictures::Pictures;
use std::io;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;
use strata_core::base64::base64;
use strata_core::format::is_scientific;
use strata_core::project::file;
use strata_core::project::{Project, ProjectError};
use strata_core::shape::{Inference, Row, infer};
use strata_design::advice::advise_trained;
use strata_design::banner;
use strata_engine::storage::changes::{Change, Changes};
use strata_engine::storage::metrics_read::{epoch_figures, measurements};
use strata_engine::storage::record::RunRecord;
use strata_engine::storage::run_tables::each_metrics_row;
use strata_inspect::confusion::Confusion;
use strata_inspect::filters::Filters;
use strata_inspect::picture::{PictureError, png};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::saliency::Saliency;
use strata_inspect::sparse::SparseCode;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run's project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The file cannot be written.
    #[error("cannot write the report {file}: {reason}; free some space or choose another folder")]
    Write {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
}

pub(crate) const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --accent: #3b7dd8; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.about { color: var(--soft); margin-top: .25rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .75rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td:first-child { font-family: ui-monospace, monospace; }
table.confusion { font-size: 13px; } table.confusion td { padding: .15rem .5rem; }
table.confusion th.answer { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; }
table.confusion td small { color: var(--soft); }
img { image-rendering: pixelated; max-width: 100%; } svg { width: 100%; height: auto; }
";

/// Where a run's report is written unless another place is named.
pub fn usual_file(run: &Path) -> PathBuf {
    run.join("report.html")
}

/// What a network of the run shows, as far as it is known.
#[derive(Clone, Copy, Default)]
pub struct Shown<'a> {
    /// The filters of its first layer.
    pub filters: Option<&'a Filters>,
    /// Its probe images.
    pub reconstructions: Option<&'a Reconstructions>,
    /// What it takes for what.
    pub confusion: Option<&'a Confusion>,
    /// How much each pixel counts for its answers.
    pub saliency: Option<&'a Saliency>,
    /// How active the units of its code are.
    pub sparse: Option<&'a SparseCode>,
}

/// Writes a run's report to a file.
pub fn write(run: &Path, file: &Path, shown: Shown<'_>) -> Result<(), ReportError> {
    let project = file::load(&run.join("project.toml"))?;
    let page = page(run, &project, shown);
    write_atomic(file, page.as_bytes()).map_err(|reason| ReportError::Write {
        file: file.to_owned(),
        reason,
    })
}

/// Writes the report of a run whose pictures are made from its last checkpoint. What that does not give is left out;
/// the reasons.
pub fn write_stored(run: &Path, file: &Path) -> Result<Vec<String>, ReportError> {
    let pictures = Pictures::read(run)?;
    write(run, file, pictures.shown())?;
    Ok(pictures.missing)
}

fn page(run: &Path, project: &Project, shown: Shown<'_>) -> String {
    let title = escape(&project.title);
    let mut body = format!("<h1>{title}</h1>\n<p class=\"about\">{}</p>\n", about(run));
    body += &section("Loss", curve::figures(run));
    body += &section("Changed while it trained", changes(run));
    body += &section("Metrics", metrics_table(run));
    body += &section("What the curves show", course(run, project));
    body += &section("Confusion matrix", pictures::confusions(&shown));
    body += &pictures::sections(&shown, "h2");
    body += &section("Layers", Some(layer_table(&infer(&project.network))));
    let head = format!("<meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style>");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{head}</head>\n<body>\n{body}</body></html>\n"
    )
}

/// What a run's network shows, for a page of several; nothing of what is no network's run, or has no checkpoint yet.
pub(crate) fn run_pictures(run: &Path) -> Option<String> {
    let is_network = run.join("run.json").is_file();
    let pictures = Pictures::read(run).ok().filter(|_| is_network)?;
    for missing in &pictures.missing {
        log::warn!("{}: {missing}", run.display());
    }
    let drawn = pictures::sections(&pictures.shown(), "h3");
    (!drawn.is_empty()).then_some(drawn)
}

/// The curves, the metrics, the pictures and the layers of a run, for a page of several; nothing of what is no network's
/// run.
pub(crate) fn run_figures(run: &Path) -> String {
    let Some(project) = file::load(&run.join("project.toml"))
        .ok()
        .filter(|_| run.join("run.json").is_file())
    else {
        return String::new();
    };
    let parts = [
        Some(format!("<p class=\"about\">{}</p>", about(run))),
        curve::figures(run),
        metrics_table(run),
        run_pictures(run),
        Some(layer_table(&infer(&project.network))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("\n")
}

/// Settings that were changed while it trained, with the step from which each holds.
fn changes(run: &Path) -> Option<String> {
    let changes = match Changes::read(run) {
        Ok(changes) => changes,
        Err(damage) => return Some(format!("<p>{}</p>", escape(&damage))),
    };
    let row = |change: &Change| {
        let step = change.step.to_string();
        let value = change.value.to_string();
        let texts = [&step, change.stage.as_str(), change.setting.name(), &value];
        cells(texts.into_iter(), "td")
    };
    let rows: Vec<String> = changes.all().iter().map(row).collect();
    let heading = cells(["from step", "stage", "setting", "value"].into_iter(), "th");
    (!rows.is_empty()).then(|| format!("<table>{heading}{}</table>", rows.concat()))
}

/// What the figures of the epochs say: whether it overfits, since when, what to try.
fn course(run: &Path, project: &Project) -> Option<String> {
    let figures = epoch_figures(&measurements(run));
    let said: Vec<String> = advise_trained(project, &infer(&project.network), &figures)
        .iter()
        .map(|advice| {
            format!(
                "<p>{}<br>{}</p>",
                escape(&advice.message),
                escape(&advice.why)
            )
        })
        .collect();
    (!said.is_empty()).then(|| said.join("\n"))
}

pub(crate) fn section(title: &str, content: Option<String>) -> String {
    content
        .map(|content| format!("<h2>{title}</h2>\n{content}\n"))
        .unwrap_or_default()
}

fn about(run: &Path) -> String {
    let record = match RunRecord::read(run) {
        Ok(record) => record,
        Err(error) => {
            let run = run.display();
            log::warn!("the report of {run} has no head, run.json cannot be read: {error}");
            return escape(&run.to_string());
        }
    };
    let RunRecord {
        status,
        version,
        device,
        started,
        seconds,
        steps,
        images_per_second,
        parent,
        ..
    } = record;
    let status = format!("{status:?}").to_lowercase();
    let facts = format!(
        "{status} · {steps} steps in {seconds:.0} s · {images_per_second:.0} images/s · {device} · started {started} · Strata {version}"
    );
    let parent = parent.map(|parent| {
        let (run, checkpoint) = (parent.run.display(), parent.checkpoint);
        format!(
            " · began with {run}, checkpoint {checkpoint}, step {}",
            parent.step
        )
    });
    escape(&(facts + &parent.unwrap_or_default()))
}

fn layer_table(inference: &Inference) -> String {
    let heading = "<tr><th>layer</th><th>output</th><th>parameters</th><th>MACs</th></tr>";
    let row = |row: &Row| {
        let indent = "&emsp;".repeat(row.depth);
        let (name, text) = (row.place.to_string(), escape(&row.text));
        let (output, parameters, macs) = (row.shape_text(), row.parameters, row.macs);
        format!(
            "<tr><td>{indent}{name} {text}</td><td>{output}</td><td>{parameters}</td><td>{macs}</td></tr>"
        )
    };
    let rows: Vec<String> = inference.rows.iter().map(row).collect();
    let totals = format!(
        "{} parameters, {} MACs an image",
        inference.totals.parameters, inference.totals.macs
    );
    format!(
        "<table>{heading}{}</table>\n<p>{} · {totals}</p>",
        rows.concat(),
        escape(&banner(inference).text)
    )
}

/// `metrics.csv` as a table, without what repeats.
fn metrics_table(run: &Path) -> Option<String> {
    let mut heading = None;
    let mut rows = String::new();
    each_metrics_row(run, |row| {
        heading.get_or_insert_with(|| cells(row.columns(), "th"));
        rows += &cells(row.texts(), "td");
    });
    heading.map(|heading| format!("<table>{heading}{rows}</table>"))
}

/// One row of a table of the page.
fn cells<'a>(texts: impl Iterator<Item = &'a str>, tag: &str) -> String {
    let cell = |text: &str| format!("<{tag}>{}</{tag}>", escape(&short(text)));
    format!("<tr>{}</tr>", texts.map(cell).collect::<String>())
}

/// Six decimals are enough to read.
fn short(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.len() > 8 && is_scientific(number) => format!("{number:.4e}"),
        Ok(number) if text.len() > 8 => format!("{number:.6}"),
        _ => text.to_owned(),
    }
}

fn image_tag(image: &RgbaImage, alt: &str) -> Option<String> {
    let undrawn = |error: &PictureError| {
        log::warn!("the report has no figure of {alt}: {error}");
    };
    let bytes = png(image).inspect_err(undrawn).ok()?;
    Some(format!(
        "<img alt=\"{alt}\" src=\"data:image/png;base64,{}\">",
        base64(&bytes)
    ))
}

/// Text inside HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    #[test]
    fn changed_settings_are_listed() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(changes(run.path()), None);
        let table = "step,stage,setting,value\n12,a<b,lr,0.002\n";
        std::fs::write(run.path().join("changes.csv"), table).unwrap();
        let listed = changes(run.path()).unwrap();
        let row = "<td>12</td><td>a&lt;b</td><td>learning rate</td><td>0.002</td>";
        assert!(listed.contains(row), "{listed}");
        std::fs::write(run.path().join("changes.csv"), "step\n").unwrap();
        assert!(
            changes(run.path())
                .unwrap()
                .contains("its first line is not")
        );
    }

    #[test]
    fn a_page_stands_alone() {
        let run = tempfile::tempdir().unwrap();
        let mut project = builtin::ALL[0].project().unwrap();
        project.title = "<b>".into();
        file::save(&project, &run.path().join("project.toml")).unwrap();
        std::fs::write(
            run.path().join("steps.csv"),
            "step,stage,epoch,loss,lr\n1,a,1,2.0,1\n2,a,1,0.5,1\n",
        )
        .unwrap();
        let filters = Filters {
            count: 1,
            height: 2,
            width: 2,
            channels: 1,
            values: vec![1.0; 4],
            ..Filters::default()
        };
        let path = usual_file(run.path());
        let shown = Shown {
            filters: Some(&filters),
            ..Shown::default()
        };
        write(run.path(), &path, shown).unwrap();
        let page = std::fs::read_to_string(path).unwrap();
        for part in ["&lt;b&gt;", "<svg", "data:image/png;base64,", "3×32×32"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(
            !page.contains("http") || page.contains("http://www.w3.org"),
            "nothing is loaded from elsewhere"
        );
    }
}
