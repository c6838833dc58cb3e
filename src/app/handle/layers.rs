//! What actions do to layers: change the selected one, move one by hand, paste some.

use crate::action::{OnSelected, Overlay};
use crate::messages::Weight;
use crate::pasted_text::PastedText;
use crate::state::{SideTab, State};
use strata_core::project::edit::{Edit, EditError};
use strata_core::project::node::Node;
use strata_core::project::stage::Stage;
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::foreign::pasted::{in_lines, is_print, paste};
use strata_core::shape::foreign::{is_call, translate};

impl State {
    /// A layer that is selected shows its form.
    pub(super) fn select(&mut self, place: Option<Place>) {
        if place.is_some() {
            self.view.side_tab = SideTab::Layer;
        }
        self.selected = place;
    }

    /// Asks for a layer at a place, unless what is there is locked.
    pub(super) fn ask_layer(&mut self, place: Option<Place>) {
        if let Some(place) = &place {
            self.reveal_layers();
            let blocks = place.enclosing_blocks();
            let mut around = blocks.iter().filter_map(|block| self.lock_on(block));
            let lock = around.next().or(self.lock_on_stack(place.stack));
            if let Some(lock) = lock {
                let text = format!("{lock} is locked: unlock it to add layers");
                return self.messages.add(Weight::Note, text);
            }
            for block in blocks {
                self.fold(Some(block), false);
            }
        }
        self.asked_layer = place;
    }

    /// The edit that adds a stage at the end, set as the one before it.
    pub fn added_stage(&self) -> Edit {
        let stages = &self.project().stages;
        let stage = Stage {
            name: format!("stage {}", stages.len() + 1),
            ..stages.last().cloned().unwrap_or_default()
        };
        Edit::InsertStage(stages.len(), stage)
    }

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
        let (nodes, told) = read_layers(text);
        if nodes.iter().all(|node| matches!(node, Node::Broken { .. })) {
            self.mark(told.text);
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
        let inserted = self.with_inserted(&first, nodes);
        if self.take(inserted) {
            self.selected = Some(first);
            self.tell(told);
        }
    }

    /// The layers of a text at a place; the first is selected.
    pub(super) fn add_text(&mut self, place: &Place, text: &str) {
        let (nodes, told) = read_layers(text);
        let count = nodes.len() as isize;
        let inserted = self.with_inserted(place, nodes);
        if self.take(inserted) {
            self.select(Some(place.clone()));
            self.tell(told);
            // Who adds one layer often adds the next.
            if self.asked_layer.as_ref() == Some(place) {
                self.asked_layer = place.neighbour(count);
            }
        }
    }

    /// The layers of a text in place of the node there: one step to undo, however many they are.
    pub(super) fn write_text(&mut self, place: &Place, text: &str) {
        let (mut nodes, told) = read_layers(text);
        if nodes.is_empty() {
            return self.show_preview(None);
        }
        let first = nodes.remove(0);
        let replace = Edit::Replace(place.clone(), first);
        if nodes.is_empty() {
            if self.edit(&replace) {
                self.tell(told);
            }
            return;
        }
        let written = replace.apply(self.project()).and_then(|project| {
            let behind = place.neighbour(1).unwrap_or_else(|| place.clone());
            inserted(project, &behind, nodes)
        });
        if self.take(written) {
            self.tell(told);
        }
    }

    fn with_inserted(&self, first: &Place, nodes: Vec<Node>) -> Result<Project, EditError> {
        inserted(self.project().clone(), first, nodes)
    }

    /// What of a pasted text is written elsewhere here, and which of its lines were not understood.
    fn tell(&mut self, told: Told) {
        if !told.notes.is_empty() {
            let notes = told.notes.join("; ");
            self.messages
                .add(Weight::Warning, format!("Pasted: {notes}"));
        }
        self.mark(told.text);
    }

    /// Shows a pasted text with its lines that were not understood.
    fn mark(&mut self, text: Option<PastedText>) {
        if text.is_some() {
            self.pasted = text;
            self.overlay = Some(Overlay::Pasted);
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

/// The project with these nodes one after the other from a place on.
fn inserted(project: Project, first: &Place, nodes: Vec<Node>) -> Result<Project, EditError> {
    let mut place = first.clone();
    let mut next = project;
    for node in nodes {
        next = Edit::Insert(place.clone(), node).apply(&next)?;
        place = place.neighbour(1).unwrap_or(place);
    }
    Ok(next)
}

/// What is to be known of a pasted text.
#[derive(Default)]
struct Told {
    notes: Vec<String>,
    /// The text, where some of its lines were not understood.
    text: Option<PastedText>,
}

/// The layers of a text with what is to be known of it: calls of PyTorch and Keras, or lines of a project file.
fn read_layers(text: &str) -> (Vec<Node>, Told) {
    // Lightning's tables have no call.
    if !is_call(text) && !is_print(text) {
        return (nodes(text), Told::default());
    }
    match translate(text) {
        Ok(translation) => {
            let layers = translation.layers.into_iter().map(Node::Layer).collect();
            let notes = translation.notes;
            (layers, Told { notes, text: None })
        }
        Err(_) if is_print(text) => {
            let text = in_lines(text);
            let printed = paste(&text);
            let unread = printed.unread.iter();
            let unread = unread.map(|unread| {
                format!(
                    "line {}, {}, was left out: {}",
                    unread.line, unread.text, unread.reason
                )
            });
            let notes = printed.notes.iter().cloned().chain(unread).collect();
            let marked = (!printed.unread.is_empty()).then_some(PastedText {
                text,
                unread: printed.unread,
                layers: printed.layers.len(),
            });
            let told = Told {
                notes,
                text: marked,
            };
            (printed.layers.into_iter().map(Node::Layer).collect(), told)
        }
        Err(_) => (nodes(text), Told::default()),
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

    #[test]
    fn lines_of_other_libraries_become_layers() {
        let texts = |text: &str| {
            let (nodes, told) = read_layers(text);
            (nodes.iter().map(Node::text).collect::<Vec<_>>(), told.notes)
        };
        let body = "nn.Conv2d(1, 20, 5),\nnn.ReLU(),\nnn.MaxPool2d(2),\n";
        assert_eq!(texts(body).0, ["conv 20 k5", "relu", "maxpool 2"]);
        // A field of one line has blanks for the ends of lines.
        let flat = body.replace('\n', " ");
        assert_eq!(texts(&flat).0, ["conv 20 k5", "relu", "maxpool 2"]);
        let (layers, notes) = texts("Conv2D(8, 3, activation='relu', input_shape=(28, 28, 1))");
        assert_eq!(layers, ["conv 8 k3", "relu"]);
        assert!(notes[0].contains("`input_shape`"), "{notes:?}");
        // What cannot be expressed stays as it was written, with its reason.
        let kept = "nn.MaxPool2d(2, ceil_mode=True)";
        assert_eq!(texts(kept).0, [kept]);
    }
}
