//! `strata import`: a run made of a project and weights that another program has trained, or a project made of a file
//! that holds a network.

use super::args::ImportArgs;
use super::check::read_input;
use super::{WrongInput, output, source};
use serde_json::json;
use std::ffi::OsStr;
use std::path::Path;
use strata_core::files::{self, path_in};
use strata_engine::storage::import::import;
use strata_export::incoming;

/// Makes the run, says what went where and prints its folder; of a network alone makes the project and prints its file.
pub fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let Some(weights) = &args.weights else {
        return network(args);
    };
    let source = source::open(&args.project, &args.changes)?;
    let made = import(
        &source.project,
        &source.base,
        weights,
        args.output.as_deref(),
        &mut |_| true,
    )?;
    let (run, table) = (made.run.display().to_string(), &made.table);
    if !args.json {
        table.lines().iter().for_each(|line| output::say(line));
        output::say(&format!(
            "next: strata eval {run}, or strata {run} for the window"
        ));
        return output::print(&run);
    }
    let taken = table.taken.iter().map(|taken| {
        json!({
            "key": taken.key,
            "from": taken.from,
            "shape": taken.shape,
            "found": taken.found_by.words(),
        })
    });
    let unused = table.unused.iter();
    let unused = unused.map(|(key, shape)| json!({"key": key, "shape": shape}));
    output::print_json(&json!({
        "run": run,
        "taken": taken.collect::<Vec<_>>(),
        "unused": unused.collect::<Vec<_>>(),
    }))
}

/// Makes a project of a file that holds a network, with its weights beside it, or of lines that print or define one.
fn network(args: &ImportArgs) -> anyhow::Result<()> {
    let from = &path_in(&args.project);
    let is_input = args.project == "-";
    let is_text = is_input || incoming::is_text(from);
    if !is_text && !incoming::is_network(from) {
        return Err(WrongInput(format!(
            "{} is no network: strata import FILE makes a project of an ONNX file or of a text with a printed model, \
             strata import PROJECT WEIGHTS a run of weights",
            args.project
        ))
        .into());
    }
    let stem = if is_input {
        OsStr::new("network")
    } else {
        from.file_stem().unwrap_or_default()
    };
    let usual = || Path::new(stem).with_extension("toml");
    let file = args.output.clone().unwrap_or_else(usual);
    let made = match is_text {
        true => {
            let text = if is_input {
                read_input()
            } else {
                files::read_text(from, incoming::MOST_BYTES)
            };
            let text = text
                .map_err(|reason| WrongInput(format!("cannot read {}: {reason}", args.project)))?;
            incoming::import_text(&text, &stem.to_string_lossy(), &file, args.force)?
        }
        false => incoming::import(from, &file, args.force)?,
    };
    made.notes
        .iter()
        .for_each(|note| output::say(&format!("note: {note}")));
    let weights = made.weights.map(|path| path.display().to_string());
    let file = file.display().to_string();
    if args.json {
        return output::print_json(
            &json!({"project": file, "weights": weights, "notes": made.notes}),
        );
    }
    output::say(&format!(
        "next: strata check {file}, or strata {file} for the window"
    ));
    output::print(&file)
}
