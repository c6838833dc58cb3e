//! `strata new`: writes a built-in project, or lists them.

use super::args::NewArgs;
use super::{WrongInput, output, source, text};
use std::path::PathBuf;
use strata_core::project::builtin;

/// Writes the project of this name; without a name, lists all.
pub fn run(args: &NewArgs) -> anyhow::Result<()> {
    let Some(name) = &args.name else {
        return output::print(&list());
    };
    let entry = builtin::find(name).ok_or_else(|| WrongInput(source::unknown(name)))?;
    let file = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    if file.exists() && !args.force {
        let file = file.display();
        return Err(WrongInput(format!(
            "{file} exists already; write to another file (-o FILE) or replace it (--force)"
        ))
        .into());
    }
    output::write_file(&file, entry.text.as_bytes())?;
    output::say(&format!(
        "next: strata check {0}, strata train {0}, or strata {0} for the window",
        file.display()
    ));
    output::print(&file.display().to_string())
}

fn list() -> String {
    let width = builtin::ALL
        .iter()
        .map(|entry| entry.name.len())
        .max()
        .unwrap_or(0);
    let line =
        |entry: &builtin::Builtin| format!("{}  {}", text::left(entry.name, width), entry.about);
    builtin::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}
