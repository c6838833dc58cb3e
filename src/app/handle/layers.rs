//! What actions do to layers: change the selected one, move one by hand, paste some.

use crate::action::OnSelected;
use crate::messages::Weight;
use crate::state::State;
use strata_core::project::edit::{Edit, EditError};
use strata_core::project::node::Node;
use strata_core::project::{Place, Project, Stack};

impl State {
    pub(super) fn change_selected(&mut self, change: OnSelected) {
        let Some(place) = self.selected.clone() else {
            return;
        };
        let Some((siblings, index)) = self.network().siblings(&place) else {
            return;
        };
        let count = siblings.len();
        let beside = |by| place.neighbour(by);
        let (edit, select) = match change {
            OnSelected::Delete if index + 1 < count => {
                (Some(Edit::Remove(place.clone())), Some(place))
            }
            OnSelected::Delete => (Some(Edit::Remove(place.clone())), beside(-1)),
            OnSelected::Duplicate => {
                let node = self.network().node(&place).cloned();
                let after = beside(1);
                (
                    node.zip(after.clone())
                        .map(|(node, after)| Edit::Insert(after, node)),
                    after,
                )
            }
            OnSelected::Up if index > 0 => (Some(Edit::Move(place.clone(), index - 1)), beside(-1)),
            OnSelected::Down if index + 1 < count => {
                (Some(Edit::Move(place.clone(), index + 1)), beside(1))
            }
            OnSelected::Up | OnSelected::Down => (None, None),
        };
        if edit.is_some_and(|edit| self.edit(&edit)) {
            self.selected = select;
        }
    }

    /// One step to undo, whether it stays in its stack or not.
    pub(super) fn move_node(&mut self, from: &Place, to: &Place) {
        let node = self.network().node(from).cloned();
        let (Some(node), Some(to)) = (node, to.after_remove(from)) else {
            return;
        };
        let moved = Edit::Remove(from.clone()).apply(self.project());
        let moved =
            moved.and_then(|project| Edit::Insert(to.clone(), node.clone()).apply(&project));
        if self.take(moved) {
            self.move_folds(&Edit::Remove(from.clone()));
            self.move_folds(&Edit::Insert(to.clone(), node));
            self.selected = Some(to);
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        let nodes = nodes(text);
        if nodes.iter().all(|node| matches!(node, Node::Broken { .. })) {
            return self
                .messages
                .add(Weight::Note, "The clipboard holds no layers");
        }
        let end = || Place::new(Stack::Encoder, self.network().encoder.len());
        let first = self
            .selected
            .as_ref()
            .and_then(|place| place.neighbour(1))
            .unwrap_or_else(end);
        let mut place = Some(first.clone());
        let mut project = Ok(self.project().clone());
        for node in nodes {
            let Some(at) = place else { return };
            project = project.and_then(|project| Edit::Insert(at.clone(), node).apply(&project));
            place = at.neighbour(1);
        }
        if self.take(project) {
            self.selected = Some(first);
        }
    }

    /// Takes what several edits have made as one step, or says why they could not.
    fn take(&mut self, edited: Result<Project, EditError>) -> bool {
        match edited {
            Ok(project) => self.edit(&Edit::All(Box::new(project))),
            Err(error) => {
                self.messages.add(Weight::Warning, error.to_string());
                false
            }
        }
    }
}

/// The layers of a text, one a line; brackets, quotes and commas of a project file do no harm.
fn nodes(text: &str) -> Vec<Node> {
    let bare = |line: &str| {
        let line = line.trim().trim_end_matches(',').trim();
        line.strip_prefix('"')
            .and_then(|line| line.strip_suffix('"'))
            .unwrap_or(line)
            .to_owned()
    };
    let lines = text
        .lines()
        .map(bare)
        .filter(|line| !matches!(line.as_str(), "" | "[" | "]"));
    match text.trim() {
        whole if whole.starts_with('{') && whole.ends_with('}') && whole.contains('\n') => {
            match Node::from_text(whole) {
                Node::Broken { .. } => lines.map(|line| Node::from_text(&line)).collect(),
                node => vec![node],
            }
        }
        _ => lines.map(|line| Node::from_text(&line)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_becomes_layers() {
        let texts = |text: &str| nodes(text).iter().map(Node::text).collect::<Vec<_>>();
        assert_eq!(texts("conv 8 k3\nrelu\n"), ["conv 8 k3", "relu"]);
        assert_eq!(
            texts("[\n  \"conv 8 k3\",\n  \"relu\",\n]"),
            ["conv 8 k3", "relu"]
        );
        assert_eq!(
            texts("{ add = [\n[\"relu\"],\n[]\n] }"),
            ["{ add = [[\"relu\"], []] }"]
        );
        assert!(nodes("").is_empty());
    }
}
