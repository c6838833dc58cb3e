//! `strata replay`: trains a run again and says whether it is the same to the last bit.

use super::args::ReplayArgs;
use super::progress::Progress;
use super::saved::check_is_run;
use super::train::{INTERRUPTED, interrupts};
use super::{FAILED, Told, WRONG_INPUT, output};
use serde_json::json;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;
use strata_core::project::file;
use strata_core::project::help::Surface;
use strata_engine::replay::{Replay, ReplayOptions, Replayed, replay};

/// Trains it again and says what came of it; exit code 1 where it differs.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    check_is_run(&args.run)?;
    let options = ReplayOptions {
        folder: args.output.clone().unwrap_or_else(temporary),
        device: args.device.clone(),
    };
    let stages =
        file::load(&args.run.join("project.toml")).map_or(1, |project| project.stages.len());
    let mut progress = Progress::new(stages);
    let replayed = replay(&args.run, &options, &interrupts(), &mut progress);
    progress.finish();
    match replayed? {
        Replayed::Whole(replay) => tell(args, &replay),
        Replayed::Stopped => {
            forget(args, &options.folder);
            output::say("stopped; nothing was compared");
            Err(Told(INTERRUPTED).into())
        }
        Replayed::Failed(failure) => {
            output::say(&format!("strata: {}", failure.message));
            let code = if failure.wrong_input {
                WRONG_INPUT
            } else {
                FAILED
            };
            Err(Told(code).into())
        }
    }
}

fn tell(args: &ReplayArgs, replay: &Replay) -> anyhow::Result<()> {
    for other in &replay.others {
        output::say(&format!("note: {other}"));
    }
    let is_kept = args.output.is_some() || replay.difference.is_some();
    let text = replay.text(Surface::Terminal);
    if args.json {
        let difference = replay.difference.as_ref().map(|found| {
            json!({
                "step": found.step,
                "what": found.what,
                "was": found.was,
                "is": found.is,
            })
        });
        output::print_json(&json!({
            "identical": replay.difference.is_none(),
            "steps": replay.steps,
            "checkpoints": replay.checkpoints,
            "difference": difference,
            "others": replay.others,
            "folder": is_kept.then(|| path_text(&replay.folder)),
        }))?;
    } else if is_kept {
        output::print(&format!(
            "{text}\ntrained again in {}",
            replay.folder.display()
        ))?;
    } else {
        output::print(&text)?;
    }
    if replay.difference.is_none() {
        forget(args, &replay.folder);
        return Ok(());
    }
    if !args.json {
        output::say(
            "threads are no reason for a difference: any number of them computes the same bits",
        );
    }
    Err(Told(FAILED).into())
}

/// A folder that is only used for this.
fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("strata-replay-{}", std::process::id()))
}

/// Takes the folder away that nobody named.
fn forget(args: &ReplayArgs, folder: &Path) {
    if args.output.is_none()
        && folder.exists()
        && let Err(error) = std::fs::remove_dir_all(folder)
    {
        output::warn(&[format!(
            "{} could not be removed: {error}",
            folder.display()
        )]);
    }
}
