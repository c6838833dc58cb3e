//! What a view of the centre does.

use eframe::egui::Ui;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;

/// A view of the centre. It keeps no more than what it draws with (textures).
pub trait View {
    /// The title on its tab.
    fn title(&self) -> &'static str;
    /// One line for menus: what it shows.
    fn summary(&self) -> &'static str;
    /// The workspace that it is opened in.
    fn workspace(&self) -> Workspace;
    /// Sentences on hover.
    fn about(&self) -> &'static str;
    /// Other words that it is looked for by.
    fn words(&self) -> &'static str {
        ""
    }
    /// One line of what it shows now; empty while it shows nothing.
    fn status(&self, _: &State) -> String {
        String::new()
    }
    /// Its switches, from the right.
    fn tools(&mut self, _: &mut Ui, _: &State, _: &mut Vec<Action>) {}
    /// The view itself.
    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>);
    /// The view as an image file: without switches.
    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.body(ui, state, &mut Vec::new());
    }
    /// Whether it shows something that can be saved as an image file.
    fn has_picture(&self, state: &State) -> bool {
        !self.status(state).is_empty()
    }
}
