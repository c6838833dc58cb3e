//! `strata export`: a run's network as files that PyTorch or an ONNX runtime reads.

use super::args::ExportArgs;
use super::output;
use serde_json::json;
use strata_export::bundle::{Request, export, usual_folder};

/// Writes the files and prints their names.
pub fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let usual = usual_folder(&args.run);
    let folder = args.output.as_deref().unwrap_or(&usual);
    let files = export(&Request {
        run: &args.run,
        checkpoint: &args.checkpoint,
        format: args.to,
        folder,
        force: args.force,
    })?;
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    if args.json {
        return output::print_json(&json!({ "to": args.to.name(), "files": names }));
    }
    output::print(&names.join("\n"))
}
