//! `strata import`: a run made of a project and weights that another program has trained.

use super::args::ImportArgs;
use super::{output, source};
use serde_json::json;
use strata_engine::storage::import::import;

/// Makes the run, says what went where and prints its folder.
pub fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &args.changes)?;
    let made = import(
        &source.project,
        &source.base,
        &args.weights,
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
