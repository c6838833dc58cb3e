//! Locks: stacks and layers that must not be edited until they are unlocked.
//!
//! A lock is a name in the project (`encoder`, `encoder.0`), written as `freeze` writes it. [`check`] refuses
//! what would change a locked node, [`follow`] keeps the names at their nodes while others come and go. A name
//! that is no place locks nothing and is kept as it is: the check of the project warns of it.

use super::edit::{Edit, EditError};
use super::node::Node;
use super::target::{Target, target};
use super::{Place, Project, Stack};

/// What is locked, in the order of the file; names of no place are left out.
pub fn targets(project: &Project) -> Vec<Target> {
    project
        .locked
        .iter()
        .filter_map(|name| target(&project.network, name))
        .collect()
}

/// The lock on the node at a place: its own, that of a block it is in, or that of its stack.
pub fn on(project: &Project, place: &Place) -> Option<Target> {
    targets(project)
        .into_iter()
        .find(|target| target.contains(place))
}

/// Refuses an edit that would change what is locked.
pub(super) fn check(edit: &Edit, project: &Project) -> Result<(), EditError> {
    let refused = targets(project).into_iter().find(|target| match edit {
        Edit::Insert(place, _) => is_inside(place, target),
        Edit::Replace(place, _) | Edit::Remove(place) | Edit::Move(place, _) => {
            target.contains(place) || holds(place, target)
        }
        _ => false,
    });
    let refused = refused.or_else(|| match edit {
        Edit::All(next) => lost(project, next),
        _ => None,
    });
    refused.map_or(Ok(()), |target| Err(EditError::Locked(target.to_string())))
}

/// Whether a node put at `place` would be in what is locked; before a locked node there is room.
fn is_inside(place: &Place, target: &Target) -> bool {
    match target {
        Target::Node(node) => target.contains(place) && place.path.len() > node.path.len(),
        Target::Stack(_) => target.contains(place),
    }
}

/// Whether what is locked is inside the node at `place`.
fn holds(place: &Place, target: &Target) -> bool {
    match target {
        Target::Node(node) => Target::Node(place.clone()).contains(node),
        Target::Stack(_) => false,
    }
}

/// The first lock whose node the other project does not lock with the same content in the same stack.
fn lost(project: &Project, next: &Project) -> Option<Target> {
    let mut left: Vec<_> = targets(next)
        .iter()
        .map(|target| content(next, target))
        .collect();
    targets(project).into_iter().find(|target| {
        let wanted = content(project, target);
        let found = left.iter().position(|content| *content == wanted);
        found.map(|index| left.remove(index)).is_none()
    })
}

/// What a lock keeps: its stack, and the node (or the stack's nodes).
fn content<'a>(project: &'a Project, target: &Target) -> (Stack, bool, &'a [Node]) {
    let network = &project.network;
    match target {
        Target::Stack(stack) => (*stack, true, network.stack(*stack)),
        Target::Node(place) => {
            let node = super::layer_path::node_at(network.stack(place.stack), &place.path);
            (place.stack, false, node.map_or(&[], std::slice::from_ref))
        }
    }
}

/// Renames locks after an edit, so that they stay at their nodes.
pub(super) fn follow(edit: &Edit, locked: &mut [String]) {
    for name in locked {
        let Ok(Target::Node(place)) = name.parse() else {
            continue;
        };
        if let Some(place) = moved(edit, &place) {
            *name = place.to_string();
        }
    }
}

fn moved(edit: &Edit, place: &Place) -> Option<Place> {
    match edit {
        Edit::Insert(at, _) => Some(place.after_insert(at)),
        Edit::Remove(at) => place.after_remove(at),
        Edit::Move(from, to) => {
            let mut at = from.clone();
            *at.path.last_mut()? = *to;
            Some(place.after_remove(from)?.after_insert(&at))
        }
        _ => None,
    }
}

/// Locks or unlocks by name.
pub(super) fn set(project: &mut Project, name: &str, lock: bool) -> Result<(), EditError> {
    let Some(target) = target(&project.network, name) else {
        // A name of no place can be taken away, but not added.
        let known = project.locked.iter().any(|locked| locked == name);
        project.locked.retain(|locked| locked != name);
        return if known && !lock {
            Ok(())
        } else {
            Err(EditError::Missing(name.to_owned()))
        };
    };
    if lock {
        if !project.locked.iter().any(|locked| locked == name) {
            project.locked.push(name.to_owned());
        }
        return Ok(());
    }
    project.locked.retain(|locked| locked != name);
    let outer = targets(project).into_iter().find(|outer| match &target {
        Target::Node(place) => outer.contains(place),
        Target::Stack(_) => false,
    });
    outer.map_or(Ok(()), |outer| Err(EditError::Locked(outer.to_string())))
}

#[cfg(test)]
mod tests;
