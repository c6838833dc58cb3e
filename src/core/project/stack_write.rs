//! Writing stacks as TOML for people: what fits is written on one line, longer lists with one part a line.
//! The reader takes both; [`super::file`] holds the two together in its tests.

use super::node::{Node, stack_to_toml};

/// The longest line, where the parts of a node leave a choice.
const WIDTH: usize = 110;
const STEP: usize = 4;

/// A stack with one node a line.
pub(super) fn stack(nodes: &[Node]) -> String {
    list(nodes.iter().map(|node| self::node(node, STEP)), 0)
}

/// A node whose first line starts `indent` from the left.
fn node(node: &Node, indent: usize) -> String {
    let flat = node.to_toml();
    if fits(&flat, indent) {
        return flat;
    }
    match node {
        Node::Layer(_) | Node::Broken { .. } => flat,
        Node::Add(branches) => format!("{{ add = {} }}", self::branches(branches, indent)),
        Node::Concat(branches) => format!("{{ concat = {} }}", self::branches(branches, indent)),
        Node::Repeat { times, layers } => {
            format!("{{ repeat = {times}, layers = {} }}", nodes(layers, indent))
        }
    }
}

fn branches(branches: &[Vec<Node>], indent: usize) -> String {
    let branch = |layers: &Vec<Node>| {
        let flat = stack_to_toml(layers);
        if fits(&flat, indent + STEP) {
            flat
        } else {
            nodes(layers, indent + STEP)
        }
    };
    list(branches.iter().map(branch), indent)
}

fn nodes(nodes: &[Node], indent: usize) -> String {
    list(
        nodes.iter().map(|node| self::node(node, indent + STEP)),
        indent,
    )
}

/// Leaves room for the comma.
fn fits(text: &str, indent: usize) -> bool {
    indent + text.chars().count() < WIDTH
}

/// `[`, a line for each item, `]` at `indent`.
fn list(items: impl Iterator<Item = String>, indent: usize) -> String {
    let rows: String = items
        .map(|item| format!("{}{item},\n", " ".repeat(indent + STEP)))
        .collect();
    format!("[\n{rows}{}]", " ".repeat(indent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{builtin, file};

    #[test]
    fn what_fits_stands_on_one_line() {
        let nodes = ["conv 16 k3", "{ add = [[\"relu\"], []] }"].map(Node::from_text);
        assert_eq!(
            stack(&nodes),
            "[\n    \"conv 16 k3\",\n    { add = [[\"relu\"], []] },\n]"
        );
    }

    #[test]
    fn long_blocks_are_broken_at_their_parts() {
        let long = ["relu"; 16].map(|layer| format!("\"{layer}\"")).join(", ");
        let block = Node::from_text(&format!(
            "{{ repeat = 2, layers = [{{ add = [[{long}], []] }}] }}"
        ));
        let text = stack(&[block]);
        assert!(
            text.starts_with("[\n    { repeat = 2, layers = [\n        { add = [\n            [\n"),
            "{text}"
        );
        assert!(
            text.ends_with("            ],\n            [],\n        ] },\n    ] },\n]"),
            "{text}"
        );
    }

    #[test]
    fn lines_of_the_known_networks_are_short() {
        for entry in builtin::ALL {
            let text = file::to_text(&entry.project().unwrap());
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= WIDTH, "{}: a line of {longest}", entry.name);
        }
    }
}
