//! `strata solve`: the smallest edits after which the decoder's output equals the input, or another aim is met.
//!
//! Exit code 1 when there is none, 2 when the project cannot be read.

use super::args::SolveArgs;
use super::check::index_json;
use super::source::{self, Source};
use super::{FAILED, Told, WrongInput, output};
use serde_json::{Value, json};
use std::path::Path;
use strata_core::atomic_write::is_same;
use strata_core::project::file::{self, update_text};
use strata_core::project::locks;
use strata_core::project::node::Node;
use strata_core::project::{Network, Project};
use strata_core::shape::field::Unreached;
use strata_core::shape::infer;
use strata_design::solve::{Aim, Change, Solution, Solved, mirror, solve};

/// Searches, prints what was found and writes the solution that was asked for.
pub fn run(args: &SolveArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &args.changes)?;
    let project = &source.project;
    let solved = solved(project, args)?;
    if let Some(file) = &args.output {
        write(&source, &solved, file, args)?;
    }
    if args.json {
        output::print_json(&as_json(&solved, &project.network))?;
    } else {
        output::print(&as_text(&solved, &project.network))?;
    }
    let nothing_to_do = infer(&project.network).output_equals_input == Some(true);
    match solved.solutions.is_empty() && !nothing_to_do {
        true => Err(Told(FAILED).into()),
        false => Ok(()),
    }
}

fn solved(project: &Project, args: &SolveArgs) -> anyhow::Result<Solved> {
    let locked = locks::targets(project);
    if args.mirror {
        let solution = mirror(&project.network, &locked).map_err(|error| {
            let help: String = error.help.iter().map(|help| format!("; {help}")).collect();
            WrongInput(format!("{}{help}", error.message))
        })?;
        return Ok(Solved {
            message: "The encoder's mirror:".into(),
            solutions: vec![solution],
        });
    }
    let aim = match (args.code, args.parameters, args.receptive_field) {
        (Some(most), _, _) => Aim::CodeAtMost(most),
        (_, Some(most), _) => Aim::ParametersAtMost(most),
        (_, _, true) => Aim::ReceptiveFieldCovers,
        _ => Aim::OutputEqualsInput,
    };
    Ok(solve(&project.network, &locked, aim))
}

/// Refuses to write over the project that the solution is for when somebody has changed it meanwhile.
fn check_unchanged(source: &Source, file: &Path) -> Result<(), WrongInput> {
    let Some(read) = source.file.as_deref().filter(|read| is_same(read, file)) else {
        return Ok(());
    };
    let is_as_read = file::read_text(read).is_ok_and(|text| text == source.text);
    if is_as_read {
        return Ok(());
    }
    let file = file.display();
    Err(WrongInput(format!(
        "{file} was changed by another program while solutions were searched, and nothing was written: solve it again, or write to another file (-o FILE)"
    )))
}

/// Writes the source's text with the solution in it: comments stay.
fn write(source: &Source, solved: &Solved, file: &Path, args: &SolveArgs) -> anyhow::Result<()> {
    let count = solved.solutions.len();
    let solution = solved.solutions.get(args.pick - 1);
    let solution = solution.ok_or_else(|| match count {
        0 => WrongInput(format!("nothing was written: {}", solved.message)),
        count => WrongInput(format!(
            "there is no solution {}: --pick takes 1 to {count}",
            args.pick
        )),
    })?;
    if file.exists() && !args.force {
        let message = format!(
            "{} exists already; write to another file or replace it (--force)",
            file.display()
        );
        return Err(WrongInput(message).into());
    }
    check_unchanged(source, file)?;
    let project = Project {
        network: solution.network.clone(),
        ..source.project.clone()
    };
    let text = update_text(&source.text, &project);
    output::write_file(file, text.as_bytes())?;
    output::say(&format!("wrote {}", file.display()));
    Ok(())
}

fn as_text(solved: &Solved, before: &Network) -> String {
    let mut lines = vec![solved.message.clone()];
    for (index, solution) in solved.solutions.iter().enumerate() {
        let note = if solution.note.is_empty() {
            String::new()
        } else {
            format!("  ({})", solution.note)
        };
        lines.push(String::new());
        lines.push(format!("{}. {}{note}", index + 1, edits(solution.edits)));
        lines.extend(solution.changes.iter().flat_map(change_lines));
        lines.extend(after(solution, before));
    }
    lines.join("\n")
}

fn edits(edits: u32) -> String {
    if edits == 1 {
        "one edit".into()
    } else {
        format!("{edits} edits")
    }
}

/// A change as a diff.
fn change_lines(change: &Change) -> Vec<String> {
    let line = |sign: char, node: &Option<Node>| {
        node.as_ref()
            .map(|node| format!("   {sign} {:<12} {}", change.place.to_string(), node.text()))
    };
    [line('-', &change.from), line('+', &change.to)]
        .into_iter()
        .flatten()
        .collect()
}

/// What else follows: the code and the parameters, where they change.
fn after(solution: &Solution, before: &Network) -> Option<String> {
    let (before, after) = (infer(before), infer(&solution.network));
    let code = (before.code != after.code)
        .then(|| after.code.map(|code| format!("code {code}")))
        .flatten();
    let known =
        before.errors().next().is_none() && before.totals.parameters != after.totals.parameters;
    let parameters = known.then(|| {
        format!(
            "{} parameters",
            strata_core::format::count(after.totals.parameters)
        )
    });
    let parts: Vec<String> = [code, parameters].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("   then: {}", parts.join(" · ")))
}

fn as_json(solved: &Solved, before: &Network) -> Value {
    let texts = |nodes: &[Node]| nodes.iter().map(Node::text).collect::<Vec<_>>();
    let solution = |solution: &Solution| {
        json!({
            "edits": solution.changes.iter().map(change_json).collect::<Vec<_>>(),
            "count": solution.edits,
            "note": solution.note,
            "constant_border": !solution.unreached.is_empty(),
            "unreached": solution.unreached.iter().map(unreached_json).collect::<Vec<_>>(),
            "encoder": texts(&solution.network.encoder),
            "decoder": texts(&solution.network.decoder),
            "head": texts(&solution.network.head),
        })
    };
    json!({
        "output_equals_input": infer(before).output_equals_input,
        "message": solved.message,
        "solutions": solved.solutions.iter().map(solution).collect::<Vec<_>>(),
    })
}

/// Rows of one axis of the output that no input reaches.
fn unreached_json(axis: &Unreached) -> Value {
    json!({ "before": axis.before, "between": axis.between, "after": axis.after })
}

fn change_json(change: &Change) -> Value {
    json!({
        "stack": change.place.stack.name(),
        "index": index_json(&change.place.path, change.place.index_text()),
        "from": change.from.as_ref().map(Node::text),
        "to": change.to.as_ref().map(Node::text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, strata_core::project::builtin::ALL[0].text).unwrap();
        let source = source::open(path.to_str().unwrap(), &Default::default()).unwrap();
        assert!(check_unchanged(&source, &path).is_ok());
        std::fs::write(&path, "changed").unwrap();
        let message = check_unchanged(&source, &folder.path().join("./p.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("was changed by another program"),
            "{message}"
        );
        assert!(check_unchanged(&source, &folder.path().join("other.toml")).is_ok());
    }
}
