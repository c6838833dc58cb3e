//! What the network needs to take the images that were read: its input, and as many scores as there are classes.

use super::messages::Weight;
use super::state::State;

impl State {
    /// What would be changed of the network for the images; `None` where they fit, or are not read.
    pub fn network_for_data(&self) -> Option<&str> {
        let (_, what) = self.known.fitted.as_ref()?;
        Some(what)
    }

    /// Gives the network the input and the head that the images need, as part of the choice of the data.
    pub(super) fn fit_network(&mut self) {
        if let Some((project, what)) = self.known.fitted.take() {
            self.put_with_data(project);
            self.messages
                .add(Weight::Note, format!("{what}; Ctrl+Z takes it back"));
        }
    }
}
