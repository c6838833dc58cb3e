//! `strata [PROJECT]`: the window, or without a display the same training and a report; of a run, only the report.

use super::overrides::Changes;
use super::source::{self, Source};
use super::{WrongInput, output, report, train};
use anyhow::Context;
use strata_core::files::path_in;
use strata_core::project::builtin;
use strata_engine::inspection::live::LiveResults;
use strata_engine::thread::RunOptions;
use strata_export::report as page;
use strata_gui::{self, GuiError};
use strata_sweep::folder::is_sweep;

/// Opens the window where there is a display; where there is none, reports a run, or trains a project headless.
pub fn run(project: Option<&str>) -> anyhow::Result<()> {
    let is_unknown = |name: &&str| !path_in(name).exists() && builtin::find(name).is_none();
    if let Some(name) = project.filter(is_unknown) {
        return Err(WrongInput(source::unknown(name)).into());
    }
    if !has_display() {
        return headless(project);
    }
    match strata_gui::open(project.map(path_in).as_deref()) {
        Err(GuiError::NoDisplay(_)) => headless(project),
        result => Ok(result?),
    }
}

/// What the window system looks for; asked before, since a library that is missing as well would hide it.
pub(super) fn has_display() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux")
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"]
            .into_iter()
            .any(is_set)
}

fn headless(project: Option<&str>) -> anyhow::Result<()> {
    if let Some(folder) = project.map(path_in).filter(|folder| is_sweep(folder)) {
        output::say("there is no display: reporting the sweep instead of opening it");
        return report::tell_sweep(&folder);
    }
    let source = match project {
        Some(name) => source::open(name, &Changes::default())?,
        None => source::from_builtin(
            builtin::ALL
                .first()
                .context("there is no built-in project")?,
            &Changes::default(),
        )?,
    };
    if let Some(run) = &source.run {
        output::say("there is no display: reporting the run instead of opening it");
        return report::tell(run);
    }
    let title = &source.project.title;
    if source.project.study.is_some() {
        let name = project.unwrap_or_default();
        return Err(WrongInput(format!(
            "there is no display, and `{title}` has several runs: strata train {name} trains them all and compares them"
        ))
        .into());
    }
    output::say(&format!(
        "there is no display: training `{title}` without a window, with a report at the end"
    ));
    let (file, is_stopped) = train_and_report(&source)?;
    if let Some(file) = file {
        output::print(&file)?;
    }
    train::interrupted(is_stopped)
}

/// The report's file, none when the run was stopped before it began; and whether it was stopped.
fn train_and_report(source: &Source) -> anyhow::Result<(Option<String>, bool)> {
    let live = LiveResults::default();
    let options = RunOptions {
        base: source.base.clone(),
        ..RunOptions::default()
    };
    let (summary, is_stopped) = train::ended(train::train(source, &options, &live))?;
    if summary.run.as_os_str().is_empty() {
        return Ok((None, is_stopped));
    }
    let file = page::usual_file(&summary.run);
    // What the network shows is asked of the checkpoint.
    output::warn(&page::write_stored(&summary.run, &file)?);
    Ok((Some(file.display().to_string()), is_stopped))
}
