//! The edit that a problem's help means.
//!
//! Help is written for people, in a few forms that name what to write: ``insert `relu` before it``, `use k3`,
//! ``write `convt 3 k4 s2 p1` at decoder.0``, `use range = [-1, 1] in [data]`. [`mend`] reads these forms and tries
//! them. Nothing wrong can come of a line that is misread: only an edit after which the problem is gone, and no
//! error new, is offered.

use super::{Fix, adds_no_error, after};
use crate::checks::project_check::Problem;
use strata_core::project::edit::Edit;
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::target::{Target, node_at};
use strata_core::project::{Place, Project, Stack};

/// The first line of a problem's help that mends it, as an edit; `all` are the project's problems.
pub fn mend(project: &Project, all: &[Problem], problem: &Problem) -> Option<Fix> {
    let lines = problem
        .help
        .iter()
        .filter_map(|line| read(project, problem, line));
    let found = lines
        .chain(idle_lock(project, problem))
        .find(|fix| mends(project, all, problem, &fix.edit));
    found.or_else(|| respelt(project, problem))
}

/// The word that was meant is offered too where behind it other errors come to light: they were there before.
fn respelt(project: &Project, problem: &Problem) -> Option<Fix> {
    let line = problem
        .help
        .iter()
        .find(|line| line.starts_with("did you mean `"))?;
    let fix = read(project, problem, line)?;
    let (_, problems) = after(project, &fix.edit)?;
    problems
        .iter()
        .all(|left| left.place != problem.place)
        .then_some(fix)
}

fn mends(project: &Project, before: &[Problem], problem: &Problem, edit: &Edit) -> bool {
    let Some((_, problems)) = after(project, edit) else {
        return false;
    };
    let count = |list: &'_ [Problem]| {
        list.iter()
            .filter(|other| other.message == problem.message)
            .count()
    };
    count(&problems) < count(before) && adds_no_error(before, &problems)
}

fn read(project: &Project, problem: &Problem, line: &str) -> Option<Fix> {
    let line = line.trim();
    let line = line.strip_prefix("or ").unwrap_or(line);
    layer_fix(project, problem, line)
        .or_else(|| written(project, line))
        .or_else(|| ending(project, line))
        .or_else(|| last_removed(project, problem, line))
        .or_else(|| setting(project, problem, line))
}

/// The texts between backticks.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

fn fix(label: String, edit: Edit) -> Option<Fix> {
    Some(Fix { label, edit })
}

/// What helps at the problem's layer.
fn layer_fix(project: &Project, problem: &Problem, line: &str) -> Option<Fix> {
    let place = problem.place.as_ref()?;
    let now = node_at(project.network.stack(place.stack), &place.path)?;
    let replace = |text: String| {
        fix(
            format!("write {text} at {place}"),
            Edit::Replace(place.clone(), Node::from_text(&text)),
        )
    };
    if line == "remove this layer" || line.starts_with("remove this layer,") {
        return fix(
            format!("remove {} at {place}", now.label()),
            Edit::Remove(place.clone()),
        );
    }
    let texts = quoted(line);
    if line.contains("insert `")
        && line.contains("` before it")
        && let [text, ..] = texts.as_slice()
    {
        return fix(
            format!("insert {text} at {place}"),
            Edit::Insert(place.clone(), Node::from_text(text)),
        );
    }
    if line.starts_with("did you mean `")
        && let [word] = texts.as_slice()
    {
        let text = now.text();
        let rest = text.split_once(char::is_whitespace).map(|(_, rest)| rest);
        return replace(rest.map_or_else(|| (*word).to_owned(), |rest| format!("{word} {rest}")));
    }
    if let Some(text) = line.strip_prefix("for example ") {
        return matches!(Node::from_text(text), Node::Layer(_))
            .then(|| replace(text.to_owned()))
            .flatten();
    }
    if line == "put it after a `sigmoid`" && is_activation(now) {
        return replace("sigmoid".to_owned());
    }
    let rest = line
        .strip_prefix("use ")
        .or_else(|| line.strip_prefix("pad the input: "))?;
    attribute(&now.text(), rest).and_then(replace)
}

fn is_activation(node: &Node) -> bool {
    matches!(node, Node::Layer(layer) if layer.kind.is_function())
}

/// The layer with `k3` in place of the kernel it has, or with `dropout 0.5` in place of itself.
fn attribute(text: &str, rest: &str) -> Option<String> {
    let word = rest.split([' ', ',']).next()?;
    let letters: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
    let has_size = word.len() > letters.len()
        && matches!(letters.as_str(), "k" | "s" | "p" | "d" | "g" | "m" | "op");
    if !has_size {
        let whole = rest.trim_end();
        return matches!(Node::from_text(whole), Node::Layer(_)).then(|| whole.to_owned());
    }
    let is_same = |token: &&str| {
        token
            .strip_prefix(letters.as_str())
            .is_some_and(|size| size.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut tokens: Vec<&str> = text.split_whitespace().collect();
    match tokens.iter().position(is_same) {
        Some(at) => tokens[at] = word,
        None => {
            // A name stays at the end.
            let end = tokens
                .iter()
                .position(|token| token.starts_with('@'))
                .unwrap_or(tokens.len());
            tokens.insert(end, word);
        }
    }
    Some(tokens.join(" "))
}

/// ``write `A` at decoder.0 and insert `B` at decoder.2 and remove decoder.3``, as solving says it.
fn written(project: &Project, line: &str) -> Option<Fix> {
    let mut next = project.clone();
    for part in line.split(" and ") {
        next = step(part)?.apply(&next).ok()?;
    }
    fix(line.replace('`', ""), Edit::All(Box::new(next)))
}

fn step(part: &str) -> Option<Edit> {
    let place = |name: &str| match name.parse() {
        Ok(Target::Node(place)) => Some(place),
        _ => None,
    };
    if let Some(name) = part.strip_prefix("remove ") {
        return place(name).map(Edit::Remove);
    }
    let (before, name) = part.rsplit_once("` at ")?;
    match before.split_once(" `")? {
        ("write", text) => Some(Edit::Replace(place(name)?, Node::from_text(text))),
        ("insert", text) => Some(Edit::Insert(place(name)?, Node::from_text(text))),
        _ => None,
    }
}

/// ``end the head with `flatten` and `dense 10` ``
fn ending(project: &Project, line: &str) -> Option<Fix> {
    let rest = line.strip_prefix("end the ")?;
    let stack = Stack::ALL
        .into_iter()
        .find(|stack| rest.starts_with(&format!("{stack} with `")))?;
    let texts = quoted(rest.split(", or ").next()?);
    let nodes: Vec<Node> = texts.iter().map(|text| Node::from_text(text)).collect();
    let list = project.network.stack(stack);
    let replaces = match (nodes.as_slice(), list.last()) {
        ([Node::Layer(new)], Some(Node::Layer(old))) => same_sort(&new.kind, &old.kind),
        _ => false,
    };
    let mut next = project.clone();
    if replaces {
        next = Edit::Replace(Place::new(stack, list.len() - 1), nodes.first()?.clone())
            .apply(&next)
            .ok()?;
    } else {
        for node in nodes {
            let end = Place::new(stack, next.network.stack(stack).len());
            next = Edit::Insert(end, node).apply(&next).ok()?;
        }
    }
    fix(
        format!("end the {stack} with {}", texts.join(", ")),
        Edit::All(Box::new(next)),
    )
}

fn same_sort(new: &Kind, old: &Kind) -> bool {
    matches!((new, old), (Kind::Dense { .. }, Kind::Dense { .. }))
        || new.is_activation() && old.is_activation()
}

/// `remove the last tanh`
fn last_removed(project: &Project, problem: &Problem, line: &str) -> Option<Fix> {
    let word = line.strip_prefix("remove the last ")?;
    let stack = problem
        .place
        .as_ref()
        .map_or(Stack::Decoder, |place| place.stack);
    let named = |node: &Node| {
        let text = node.text();
        is_activation(node) && text.split(' ').next() == Some(word)
    };
    let place = Place::new(stack, project.network.stack(stack).iter().rposition(named)?);
    fix(format!("remove {word} at {place}"), Edit::Remove(place))
}

/// `use loss = "mse"`: a setting of the problem's stage, or of the data.
fn setting(project: &Project, problem: &Problem, line: &str) -> Option<Fix> {
    let (name, value) = line.strip_prefix("use ")?.split_once(" = ")?;
    let value = value
        .split(" in [data]")
        .next()?
        .split(", or ")
        .next()?
        .trim();
    let label = format!("set {name} = {value}");
    if let Some(index) = problem.stage
        && let Some(stage) = project
            .stages
            .get(index)
            .and_then(|stage| changed(stage, name, value))
    {
        return fix(
            format!("{label} in stage {}", index + 1),
            Edit::Stage(index, stage),
        );
    }
    let data = changed(&project.data, name, value)?;
    fix(label, Edit::Data(data))
}

/// A table with one setting changed, read as the project file is.
fn changed<T: serde::Serialize + serde::de::DeserializeOwned>(
    table: &T,
    name: &str,
    value: &str,
) -> Option<T> {
    let mut table: toml::Table = toml::from_str(&toml::to_string(table).ok()?).ok()?;
    let mut value: toml::Table = toml::from_str(&format!("value = {value}")).ok()?;
    // Stopping early is a table of its own.
    match (name, table.get_mut("early_stop")) {
        ("metric", Some(toml::Value::Table(early))) => {
            early.insert(name.to_owned(), value.remove("value")?)
        }
        _ => table.insert(name.to_owned(), value.remove("value")?),
    };
    toml::from_str(&toml::to_string(&table).ok()?).ok()
}

/// A lock on nothing is taken away.
fn idle_lock(project: &Project, problem: &Problem) -> Option<Fix> {
    let names = problem.message.strip_prefix("locked names `")?;
    let name = names
        .split('`')
        .next()
        .filter(|name| project.locked.iter().any(|locked| locked == name))?;
    fix(format!("unlock {name}"), Edit::Lock(name.to_owned(), false))
}

#[cfg(test)]
mod tests;
