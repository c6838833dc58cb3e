//! The edit that a problem's help describes.
//!
//! [`mends_of`] turns each [`Repair`] into an edit and tries it: only an edit after which the problem is gone is
//! offered, and no error is new but those of layers behind it that had no shapes to be checked with.

use super::{Fix, adds_no_error, after};
use crate::checks::project_check::{Problem, Severity, found};
use crate::solve;
use strata_core::project::edit::Edit;
use strata_core::project::help::{Repair, StageSetting, Step};
use strata_core::project::layer::{Activation, Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::target::node_at;
use strata_core::project::{Place, Project, Stack, locks};
use strata_core::shape::foreign;
use strata_core::shape::infer::infer;

/// The repairs of a problem that do mend it, as edits: first those after which nothing else is wrong. `all` are the
/// project's problems.
pub fn mends_of(project: &Project, all: &[Problem], problem: &Problem) -> Vec<Fix> {
    let repairs = problem.help.iter().map(|help| &*help.repair);
    let mut fixes: Vec<Fix> = repairs
        .filter_map(|repair| tried(project, all, problem, fix_of(project, problem, repair)?))
        .collect();
    fixes.sort_by_key(|fix| fix.then.is_some());
    fixes
}

/// The edits that repairs are which only the images could tell of: those first that make no error.
pub fn fixes_for_images(project: &Project, stage: Option<usize>, repairs: &[Repair]) -> Vec<Fix> {
    let problem = Problem {
        stage,
        ..Problem::error("")
    };
    let before = found(project, &infer(&project.network));
    let mut fixes: Vec<(bool, Fix)> = repairs
        .iter()
        .filter_map(|repair| fix_of(project, &problem, repair))
        .filter_map(|fix| {
            let (_, problems) = after(project, &fix.edit)?;
            Some((!adds_no_error(&before, &problems), fix))
        })
        .collect();
    fixes.sort_by_key(|(adds_error, _)| *adds_error);
    fixes.into_iter().map(|(_, fix)| fix).collect()
}

/// The fix with the error that comes to light behind it; `None` where it does not mend the problem.
///
/// What follows a wrong layer has no shapes, so its errors are not known: they may show once the layer is mended.
fn tried(project: &Project, before: &[Problem], problem: &Problem, fix: Fix) -> Option<Fix> {
    let (_, problems) = after(project, &fix.edit)?;
    let count = |list: &'_ [Problem]| {
        list.iter()
            .filter(|other| other.message == problem.message)
            .count()
    };
    if count(&problems) >= count(before) {
        return None;
    }
    if adds_no_error(before, &problems) {
        return Some(fix);
    }
    let place = problem.place.as_ref()?;
    if problem.severity != Severity::Error {
        return None;
    }
    let mut new = problems.iter().filter(|other| {
        let is_known = before.iter().any(|known| known.message == other.message);
        other.severity == Severity::Error && !is_known
    });
    let first = new.clone().next()?;
    let next = first_behind(place, fix.repair.as_ref());
    let blocks = place.enclosing_blocks();
    let is_behind = |error: &Problem| {
        let at = error.place.as_ref();
        at.is_none_or(|at| *at >= next || blocks.contains(at))
    };
    let then = match &first.place {
        Some(at) => format!("{} at {at}", first.message),
        None => first.message.clone(),
    };
    new.all(is_behind).then_some(Fix {
        then: Some(then),
        ..fix
    })
}

/// Where the first layer is, after a repair, that had no shape before it.
fn first_behind(place: &Place, repair: Option<&Repair>) -> Place {
    let steps = match repair {
        Some(Repair::Remove) => 0,
        Some(Repair::Insert(_)) => 2,
        _ => 1,
    };
    let mut behind = place.clone();
    if let Some(index) = behind.path.last_mut() {
        *index += steps;
    }
    behind
}

/// A repair as an edit with the words of its button.
fn fix_of(project: &Project, problem: &Problem, repair: &Repair) -> Option<Fix> {
    let edit = match repair {
        Repair::Insert(_)
        | Repair::Set(_)
        | Repair::Write(_)
        | Repair::Expand(_)
        | Repair::Example(_)
        | Repair::Rename(..)
        | Repair::Spell { .. }
        | Repair::Follow(_)
        | Repair::Remove
        | Repair::EndBranch(..) => return at_layer(project, problem.place.as_ref()?, repair),
        Repair::RemoveLast(stack, activation) => {
            return without_last(project, *stack, *activation, repair);
        }
        Repair::End(stack, nodes) => ended(project, *stack, nodes)?,
        Repair::Steps(steps) => steps_edit(project, steps)?,
        Repair::Mirror => mirrored(project)?,
        Repair::Data(setting) => Edit::Data(setting.in_table(&project.data)),
        Repair::Stage(setting) => return in_stage(project, problem.stage?, setting, repair),
        Repair::Unlock(name) => Edit::Lock(name.clone(), false),
        Repair::Note { .. } => return None,
    };
    Some(fix(repair.label(), edit, repair))
}

/// A repair of the problem's own layer.
fn at_layer(project: &Project, place: &Place, repair: &Repair) -> Option<Fix> {
    let now = node_at(project.network.stack(place.stack), &place.path)?;
    let steps = match repair {
        Repair::Insert(node) => vec![Step::Insert(place.clone(), node.clone())],
        Repair::Expand(nodes) => expanded(place, nodes)?,
        Repair::Spell { wrong, right, .. } => expanded(place, &spelled(now, wrong, right)?)?,
        Repair::EndBranch(branch, node) => vec![Step::Insert(
            end_of_branch(now, place, *branch)?,
            node.clone(),
        )],
        Repair::Remove => {
            let label = format!("remove {} at {place}", now.label());
            return Some(fix(label, Edit::Remove(place.clone()), repair));
        }
        repair => vec![Step::Write(place.clone(), changed(now, repair)?)],
    };
    let label = Repair::Steps(steps.clone()).label();
    let edit = match steps.as_slice() {
        [one] => one.edit(),
        many => steps_edit(project, many)?,
    };
    Some(fix(label, edit, repair))
}

fn fix(label: String, edit: Edit, repair: &Repair) -> Fix {
    Fix {
        label,
        edit,
        repair: Some(repair.clone()),
        then: None,
    }
}

/// The text with the part that is wrong replaced, as the layers that it means.
fn spelled(now: &Node, wrong: &str, right: &str) -> Option<Vec<Node>> {
    let Node::Broken { text, error } = now else {
        return None;
    };
    // In a block the error may be about the text of a layer inside it.
    if text.get(error.span.clone())? != wrong {
        return None;
    }
    let mut text = text.clone();
    text.replace_range(error.span.clone(), right);
    if !foreign::is_call(&text) {
        return Some(vec![Node::from_text(&text)]);
    }
    let layers = foreign::translate(&text).ok()?.layers;
    Some(layers.into_iter().map(Node::Layer).collect())
}

/// The layer that a repair makes of the one there is.
fn changed(now: &Node, repair: &Repair) -> Option<Node> {
    let layer = || match now {
        Node::Layer(layer) => Some(layer),
        _ => None,
    };
    match repair {
        Repair::Set(attribute) => attribute.in_layer(layer()?).map(Node::Layer),
        Repair::Write(node) => Some(named_as(node, layer().and_then(|layer| layer.name.clone()))),
        Repair::Example(node) => matches!(node, Node::Layer(_)).then(|| node.clone()),
        Repair::Rename(word, _) => Some(renamed(now, word)),
        Repair::Follow(activation) if layer()?.kind.is_function() => Some(Node::Layer(Layer {
            kind: Kind::Activation(*activation),
            name: layer()?.name.clone(),
        })),
        _ => None,
    }
}

/// The node with the name of the one it replaces.
fn named_as(node: &Node, name: Option<String>) -> Node {
    match node {
        Node::Layer(layer) => Node::Layer(Layer {
            kind: layer.kind.clone(),
            name: layer.name.clone().or(name),
        }),
        other => other.clone(),
    }
}

/// The text with another first word.
fn renamed(now: &Node, word: &str) -> Node {
    let text = now.text();
    let rest = text.split_once(char::is_whitespace).map(|(_, rest)| rest);
    Node::from_text(&rest.map_or_else(|| word.to_owned(), |rest| format!("{word} {rest}")))
}

/// The first layer in place of what is there, the others behind it.
fn expanded(place: &Place, nodes: &[Node]) -> Option<Vec<Step>> {
    let (first, others) = nodes.split_first()?;
    let (index, way) = place.path.split_last()?;
    let behind = |(offset, node): (usize, &Node)| {
        let path = way.iter().copied().chain([index + 1 + offset]).collect();
        let place = Place {
            stack: place.stack,
            path,
        };
        Step::Insert(place, node.clone())
    };
    let first = Step::Write(place.clone(), first.clone());
    Some(
        [first]
            .into_iter()
            .chain(others.iter().enumerate().map(behind))
            .collect(),
    )
}

fn end_of_branch(block: &Node, place: &Place, branch: usize) -> Option<Place> {
    let end = block.branches().get(branch)?.len();
    let path = place.path.iter().copied().chain([branch, end]).collect();
    Some(Place {
        stack: place.stack,
        path,
    })
}

fn steps_edit(project: &Project, steps: &[Step]) -> Option<Edit> {
    let mut next = project.clone();
    for step in steps {
        next = step.edit().apply(&next).ok()?;
    }
    Some(Edit::All(Box::new(next)))
}

/// The stack with these layers at its end; a last layer of the same sort is replaced.
fn ended(project: &Project, stack: Stack, nodes: &[Node]) -> Option<Edit> {
    let list = project.network.stack(stack);
    let replaces = match (nodes, list.last()) {
        ([Node::Layer(new)], Some(Node::Layer(old))) => same_sort(&new.kind, &old.kind),
        _ => false,
    };
    if replaces {
        let last = Place::new(stack, list.len() - 1);
        return steps_edit(project, &[Step::Write(last, nodes.first()?.clone())]);
    }
    let end = list.len();
    let insert = |(offset, node): (usize, &Node)| {
        Step::Insert(Place::new(stack, end + offset), node.clone())
    };
    let steps: Vec<Step> = nodes.iter().enumerate().map(insert).collect();
    steps_edit(project, &steps)
}

fn same_sort(new: &Kind, old: &Kind) -> bool {
    matches!((new, old), (Kind::Dense { .. }, Kind::Dense { .. }))
        || new.is_activation() && old.is_activation()
}

fn without_last(
    project: &Project,
    stack: Stack,
    activation: Activation,
    repair: &Repair,
) -> Option<Fix> {
    let is_it = |node: &Node| matches!(node, Node::Layer(layer) if layer.kind == Kind::Activation(activation));
    let index = project.network.stack(stack).iter().rposition(is_it)?;
    let place = Place::new(stack, index);
    let label = format!("remove {} at {place}", activation.name());
    Some(fix(label, Edit::Remove(place), repair))
}

fn mirrored(project: &Project) -> Option<Edit> {
    let solution = solve::mirror(&project.network, &locks::targets(project)).ok()?;
    let next = Project {
        network: solution.network,
        ..project.clone()
    };
    Some(Edit::All(Box::new(next)))
}

fn in_stage(
    project: &Project,
    index: usize,
    setting: &StageSetting,
    repair: &Repair,
) -> Option<Fix> {
    let stage = setting.in_stage(project.stages.get(index)?)?;
    let label = format!("{} in stage {}", repair.label(), index + 1);
    Some(fix(label, Edit::Stage(index, stage), repair))
}

#[cfg(test)]
mod tests;
