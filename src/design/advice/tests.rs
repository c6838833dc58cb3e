mod order;
mod training;
mod windows;

use super::*;
use crate::{can_train, check_inferred};
use strata_core::project::builtin;
use strata_core::project::file::parse;
use strata_core::project::node::Node;

/// A project with these stacks (layers apart by `;`), reconstructing where there is a decoder and classifying where
/// there is a head.
pub(crate) fn project(input: &str, encoder: &str, decoder: &str, head: &str) -> Project {
    let list = |text: &str| {
        let nodes: Vec<String> = text
            .split(';')
            .filter(|text| !text.is_empty())
            .map(|t| Node::from_text(t).to_toml())
            .collect();
        format!("[{}]", nodes.join(", "))
    };
    let stage = |task: &str, loss: &str| {
        format!(
            "[[stage]]\nname = \"{task}\"\ntask = \"{task}\"\nloss = \"{loss}\"\nepochs = 1\nbatch = 8\n"
        )
    };
    let mut text = format!(
        "format = 1\n[data]\nrange = [-1, 1]\n[network]\ninput = \"{input}\"\nencoder = {}\ndecoder = {}\nhead = {}\n",
        list(encoder),
        list(decoder),
        list(head)
    );
    if !decoder.is_empty() {
        text += &stage("reconstruct", "mse");
    }
    if !head.is_empty() {
        text += &stage("classify", "cross-entropy");
    }
    parse(&text, "test").unwrap()
}

pub(crate) fn advice(project: &Project) -> Vec<Advice> {
    advise(project, &infer(&project.network))
}

/// The one thing said about a project that can be trained; its fix silences it and adds nothing, in as many steps as
/// there are places of the kind.
fn only(project: &Project, part: &str) -> Advice {
    let before = check_inferred(project, &infer(&project.network));
    assert!(can_train(&before), "{before:#?}");
    let found = advice(project);
    assert_eq!(found.len(), 1, "{part}: {found:#?}");
    assert!(found[0].message.contains(part), "{found:#?}");
    assert!(!found[0].why.is_empty());
    found[0].clone()
}

fn fires(project: &Project, part: &str, place: &str, label: &str) -> Project {
    let said = only(project, part);
    assert_eq!(
        said.place
            .as_ref()
            .map_or(String::new(), ToString::to_string),
        place,
        "{said:?}"
    );
    let fix = said.fix.unwrap_or_else(|| panic!("{part}: no fix"));
    assert_eq!(fix.label, label);
    let fixed = fix.edit.apply(project).unwrap();
    assert_eq!(advice(&fixed), [], "{part}: after the fix");
    let problems = check_inferred(&fixed, &infer(&fixed.network));
    assert!(can_train(&problems), "{problems:#?}");
    fixed
}

fn silent(project: &Project) {
    assert_eq!(advice(project), []);
}

const DOWN: &str = "conv 8 k3 s2 p1;relu";
const UP: &str = "convt 3 k4 s2 p1;tanh";

fn classifier(encoder: &str, head: &str) -> Project {
    project("3x16x16", encoder, "", head)
}

fn autoencoder(encoder: &str, decoder: &str) -> Project {
    project("3x16x16", encoder, decoder, "")
}

fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(Node::text).collect()
}

#[test]
fn good_projects_are_left_alone() {
    silent(&autoencoder(DOWN, UP));
    silent(&classifier(
        "conv 8 k3 p1 nobias;bn;relu;maxpool 2",
        "flatten;dense 32;relu;dropout 0.5;dense 10",
    ));
    silent(&classifier(
        "conv 8 k3 p1;relu;conv 8 k3 p1;relu",
        "gap;dense 10",
    ));
}

#[test]
fn every_builtin_is_left_alone() {
    for entry in builtin::ALL {
        let found = advice(&entry.project().unwrap());
        assert_eq!(found, [], "{}", entry.name);
    }
}

#[test]
fn not_more_than_a_few_of_a_kind() {
    let long = classifier(&["conv 4 k3 p1"; 40].join(";"), "gap;dense 10");
    assert_eq!(advice(&long).len(), OF_A_KIND);
}

/// As it is typed, every letter asks for advice.
#[test]
fn deep_networks_are_advised_in_time() {
    let layers = "{ repeat = 100, layers = [\"conv 4 k3 p1\", \"bn\", \"conv 4 k3 s1 p1\", \"maxpool 2 s1\", \"conv 4 k2 p1\"] }";
    let deep = project("3x256x256", &[layers; 6].join(";"), "", "gap;dense 10");
    let inference = infer(&deep.network);
    let start = std::time::Instant::now();
    let found = advise(&deep, &inference);
    assert!(!found.is_empty());
    assert!(
        start.elapsed().as_millis() < 1000,
        "{:?} for {} rows",
        start.elapsed(),
        inference.rows.len()
    );
}

/// Run it with `cargo test --lib advice_on_the -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn advice_on_the_known_networks_in_milliseconds() {
    for entry in builtin::ALL {
        let project = entry.project().unwrap();
        let inference = infer(&project.network);
        let start = std::time::Instant::now();
        let (found, problems) = (advice(&project), check_inferred(&project, &inference));
        let fixes = mends(&project, &inference, &problems).len();
        println!(
            "{}: {:?}, {} and {fixes}",
            entry.name,
            start.elapsed(),
            found.len()
        );
    }
}
