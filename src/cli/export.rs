//! `strata export`: a run's network as files that PyTorch or an ONNX runtime reads.

use super::args::ExportArgs;
use super::output;
use super::saved::check_is_run;
use serde_json::json;
use strata_export::bundle::{Request, export, usual_folder};

/// Writes the files and prints their names.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    check_is_run(&args.run)?;
    let usual = usual_folder(&args.run);
    let folder = args.output.as_deref().unwrap_or(&usual);
    let exported = export(&Request {
        run: &args.run,
        checkpoint: &args.checkpoint,
        format: args.to,
        folder,
        force: args.force,
        with_training: !args.no_training,
    })?;
    if let Some(reason) = &exported.without_training {
        output::say(&format!("the network is there, but {reason}"));
    }
    let names: Vec<String> = exported
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    if args.json {
        return output::print_json(&json!({
            "to": args.to.name(),
            "files": names,
            "without_training": exported.without_training,
        }));
    }
    output::print(&names.join("\n"))
}
