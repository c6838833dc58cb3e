//! Writing `[[run]]`.

use super::read::NONE;
use super::{NamedRun, Study};
use crate::project::node::{Node, quote};
use crate::project::stack_write;
use crate::project::stage::Stage;
use serde::Serialize;
use toml::Table;

/// The runs as the end of a project file.
pub(in crate::project) fn to_toml(study: &Study) -> String {
    study.runs.iter().map(run).collect()
}

fn run(run: &NamedRun) -> String {
    let changes = &run.changes;
    let mut text = format!("\n[[run]]\nname = {}\n", quote(&run.name));
    if let Some(baselines) = &run.baseline {
        text += &format!("baseline = {}\n", quote(&baselines.models.join(", ")));
        if let Some((from, layer)) = &baselines.features {
            let layer = layer
                .as_ref()
                .map_or_else(String::new, |layer| format!(" {layer}"));
            text += &format!("features = {}\n", quote(&format!("{from}{layer}")));
        }
        if let Some(limit) = baselines.limit {
            text += &format!("limit = {limit}\n");
        }
    }
    if let Some(seed) = changes.seed {
        text += &format!("seed = {seed}\n");
    }
    if !run.seeds.is_empty() {
        let seeds: Vec<String> = run.seeds.iter().map(u64::to_string).collect();
        text += &format!("seeds = [{}]\n", seeds.join(", "));
    }
    if let Some(init) = &changes.init {
        let written = init
            .as_ref()
            .map_or(NONE.to_owned(), |init| init.to_string());
        text += &format!("init = {}\n", quote(&written));
    }
    if changes.stages.as_ref().is_some_and(Vec::is_empty) {
        text += "stage = []\n";
    }
    text + &data(&changes.data) + &network(run) + &goals(run) + &stages(run)
}

fn network(run: &NamedRun) -> String {
    let changes = &run.changes;
    let mut text = String::new();
    if let Some(input) = &changes.input {
        text += &format!("input = {}\n", quote(&input.to_file_text()));
    }
    let mut stack = |name: &str, nodes: &Option<Vec<Node>>| {
        if let Some(nodes) = nodes {
            text += &format!("{name} = {}\n", stack_write::stack(nodes));
        }
    };
    stack("encoder", &changes.encoder);
    stack("decoder", &changes.decoder);
    stack("head", &changes.head);
    if let Some(locked) = &changes.locked {
        let names: Vec<String> = locked.iter().map(|name| quote(name)).collect();
        text += &format!("locked = [{}]\n", names.join(", "));
    }
    match text.is_empty() {
        true => text,
        false => format!("\n[run.network]\n{text}"),
    }
}

fn goals(run: &NamedRun) -> String {
    let goals = run.changes.goals.as_ref();
    goals.map_or_else(String::new, |goals| {
        let text = goals.to_toml();
        match text.is_empty() {
            true => "\n[run.goals]\n".to_owned(),
            false => text.replacen("[goals]", "[run.goals]", 1),
        }
    })
}

// Written with their headings, so that a table inside them gets its full name (`[run.data.normalize]`).
#[derive(Serialize)]
struct Headed<T> {
    run: T,
}

#[derive(Serialize)]
struct Data<'a> {
    data: &'a Table,
}

#[derive(Serialize)]
struct Stages<'a> {
    stage: &'a [Stage],
}

fn data(table: &Table) -> String {
    match table.is_empty() {
        true => String::new(),
        false => tables(&Headed {
            run: Data { data: table },
        }),
    }
}

fn stages(run: &NamedRun) -> String {
    match run.changes.stages.as_deref() {
        None => String::new(),
        // Written before the tables.
        Some([]) => String::new(),
        Some(stage) => tables(&Headed {
            run: Stages { stage },
        }),
    }
}

/// The tables below `[[run]]`. Serialising these plain tables cannot fail; should it ever, the file says so instead of
/// losing a part silently.
fn tables<T: Serialize>(value: &T) -> String {
    let text =
        toml::to_string(value).unwrap_or_else(|error| format!("# could not be written: {error}\n"));
    format!("\n{}", text.trim_start())
}
