//! Edits of a project as values, and the history that undoes them.
//!
//! An edit names what changes, not how the window does it; applying one gives a new project and
//! leaves the old one whole, so undo is keeping the old one. An edit at a place that does not exist
//! (any more), or of a locked layer, is an [`EditError`] and changes nothing.

use super::data::DataSpec;
use super::goals::Goals;
use super::init::Init;
use super::locks;
use super::node::Node;
use super::size::Shape;
use super::stage::Stage;
use super::sweep::Sweep;
use super::{Place, Project};

/// One change of a project.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Puts a node before the one at this place (or at the end of the stack or branch).
    Insert(Place, Node),
    /// Replaces the node at this place.
    Replace(Place, Node),
    /// Removes the node at this place.
    Remove(Place),
    /// Moves a node within its stack or branch, to the given index.
    Move(Place, usize),
    /// Sets the input's shape.
    Input(Shape),
    /// Sets the `[data]` table.
    Data(DataSpec),
    /// Replaces a stage.
    Stage(usize, Stage),
    /// Puts a stage before the one at this index.
    InsertStage(usize, Stage),
    /// Removes a stage.
    RemoveStage(usize),
    /// Sets the title.
    Title(String),
    /// Sets the seed.
    Seed(u64),
    /// Sets where the first weights come from.
    Init(Option<Init>),
    /// Sets the `[goals]` table.
    Goals(Goals),
    /// Sets the `[sweep]` table.
    Sweep(Option<Sweep>),
    /// Locks (true) or unlocks the stack or layer of this name.
    Lock(String, bool),
    /// Replaces everything; what is locked must still be there, locked.
    All(Box<Project>),
}

/// An edit that is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place is not there.
    #[error("there is nothing at {0} to edit")]
    Missing(String),
    /// It would change what is locked.
    #[error("{0} is locked: unlock it first (right click)")]
    Locked(String),
}

impl Edit {
    /// The project after this edit.
    pub fn apply(&self, project: &Project) -> Result<Project, EditError> {
        locks::check(self, project)?;
        let mut next = project.clone();
        self.change(&mut next)?;
        locks::follow(self, &mut next.locked);
        Ok(next.folded())
    }

    fn change(&self, project: &mut Project) -> Result<(), EditError> {
        match self {
            Edit::Insert(place, node) => {
                let (siblings, index) = siblings(project, place)?;
                within(index <= siblings.len(), place)?;
                siblings.insert(index, node.clone());
            }
            Edit::Replace(place, node) => {
                let (siblings, index) = siblings(project, place)?;
                *siblings.get_mut(index).ok_or_else(|| missing(place))? = node.clone();
            }
            Edit::Remove(place) => {
                let (siblings, index) = siblings(project, place)?;
                within(index < siblings.len(), place)?;
                siblings.remove(index);
            }
            Edit::Move(place, to) => {
                let (siblings, index) = siblings(project, place)?;
                within(index < siblings.len() && *to < siblings.len(), place)?;
                let node = siblings.remove(index);
                siblings.insert(*to, node);
            }
            Edit::Input(shape) => project.network.input = shape.clone(),
            Edit::Data(data) => project.data = data.clone(),
            Edit::Stage(index, stage) => *stage_mut(project, *index)? = stage.clone(),
            Edit::InsertStage(index, stage) => {
                let index = (*index).min(project.stages.len());
                project.stages.insert(index, stage.clone());
            }
            Edit::RemoveStage(index) => {
                stage_mut(project, *index)?;
                project.stages.remove(*index);
            }
            Edit::Title(title) => project.title = title.clone(),
            Edit::Seed(seed) => project.seed = *seed,
            Edit::Init(init) => project.init.clone_from(init),
            Edit::Goals(goals) => project.goals = goals.clone(),
            Edit::Sweep(sweep) => project.sweep.clone_from(sweep),
            Edit::Lock(name, lock) => locks::set(project, name, *lock)?,
            // Runs of the file stay: what replaces everything is a network or an ordinary project.
            Edit::All(other) => {
                let study = other.study.clone().or(project.study.take());
                *project = Project {
                    study,
                    ..(**other).clone()
                };
            }
        }
        Ok(())
    }
}

fn missing(place: &Place) -> EditError {
    EditError::Missing(place.to_string())
}

fn within(inside: bool, place: &Place) -> Result<(), EditError> {
    if inside { Ok(()) } else { Err(missing(place)) }
}

fn stage_mut(project: &mut Project, index: usize) -> Result<&mut Stage, EditError> {
    project
        .stages
        .get_mut(index)
        .ok_or_else(|| EditError::Missing(format!("stage {}", index + 1)))
}

/// The list that holds a place, and the index in it.
fn siblings<'a>(
    project: &'a mut Project,
    place: &Place,
) -> Result<(&'a mut Vec<Node>, usize), EditError> {
    project
        .network
        .siblings_mut(place)
        .ok_or_else(|| missing(place))
}

/// A project with its past and future.
#[derive(Clone, Debug)]
pub struct History {
    present: Project,
    past: Vec<Project>,
    future: Vec<Project>,
}

/// Steps that can be undone before the oldest are let go.
const DEPTH: usize = 1000;

impl History {
    /// A history that starts here.
    pub fn new(project: Project) -> History {
        History {
            present: project,
            past: Vec::new(),
            future: Vec::new(),
        }
    }

    /// The project as it is.
    pub fn project(&self) -> &Project {
        &self.present
    }

    /// Applies an edit; one that changes nothing leaves no step to undo.
    pub fn edit(&mut self, edit: &Edit) -> Result<(), EditError> {
        self.put(edit.apply(&self.present)?);
        Ok(())
    }

    /// Takes another project as one step, whatever is locked in this one: for what its author had made of it already.
    pub fn put(&mut self, next: Project) {
        let next = next.folded();
        if next != self.present {
            self.past.push(std::mem::replace(&mut self.present, next));
            if self.past.len() > DEPTH {
                self.past.remove(0);
            }
            self.future.clear();
        }
    }

    /// Takes another project as part of the last step: one undo goes back behind both.
    pub fn amend(&mut self, next: Project) {
        self.present = next.folded();
        self.future.clear();
    }

    /// Shows another run of the project, or (`None`) what its runs share. Nothing is edited: there is no step to undo.
    pub fn show_run(&mut self, run: Option<usize>) {
        self.present = self.present.showing(run);
    }

    /// Goes back one edit; false when there is none.
    pub fn undo(&mut self) -> bool {
        let Some(former) = self.past.pop() else {
            return false;
        };
        self.future
            .push(std::mem::replace(&mut self.present, former));
        true
    }

    /// Goes forward one edit; false when there is none.
    pub fn redo(&mut self) -> bool {
        let Some(next) = self.future.pop() else {
            return false;
        };
        self.past.push(std::mem::replace(&mut self.present, next));
        true
    }

    /// Whether there is something to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is something to redo.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Stack, builtin};

    fn history() -> History {
        History::new(
            builtin::find("deep-autoencoder")
                .unwrap()
                .project()
                .unwrap(),
        )
    }

    #[test]
    fn edits_undo_and_redo() {
        let mut history = history();
        let first = history.project().clone();
        let place = Place::new(Stack::Encoder, 1);
        for edit in [
            Edit::Insert(place.clone(), Node::from_text("bn")),
            Edit::Replace(place.clone(), Node::from_text("{ add = [[\"relu\"], []] }")),
            Edit::Insert(
                Place {
                    stack: Stack::Encoder,
                    path: vec![1, 0, 1],
                },
                Node::from_text("tanh"),
            ),
            Edit::Move(Place::new(Stack::Encoder, 0), 2),
            Edit::Remove(place),
            Edit::Title("other".into()),
        ] {
            history.edit(&edit).unwrap();
        }
        let last = history.project().clone();
        for _ in 0..6 {
            assert!(history.undo());
        }
        assert!(!history.undo());
        assert_eq!(*history.project(), first);
        while history.redo() {}
        assert_eq!(*history.project(), last);
    }

    #[test]
    fn what_is_amended_is_undone_with_its_step() {
        let mut history = history();
        let first = history.project().clone();
        history.edit(&Edit::Title("dropped".into())).unwrap();
        let mut next = history.project().clone();
        next.title = "fitted".into();
        history.amend(next.clone());
        assert_eq!(*history.project(), next);
        assert!(history.undo() && !history.can_undo());
        assert_eq!(*history.project(), first);
        assert!(history.redo());
        assert_eq!(*history.project(), next);
    }

    #[test]
    fn places_that_are_not_there_change_nothing() {
        let mut history = history();
        for path in [vec![], vec![99], vec![0, 0], vec![0, 0, 0], vec![99, 0, 0]] {
            let place = Place {
                stack: Stack::Head,
                path,
            };
            assert!(history.edit(&Edit::Remove(place)).is_err());
        }
        assert!(history.edit(&Edit::RemoveStage(5)).is_err());
        assert!(!history.can_undo());
    }
}
