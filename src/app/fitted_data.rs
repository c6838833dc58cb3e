//! What the network needs to take the images that were read: its input, and as many scores as there are classes.

use super::messages::Weight;
use super::state::State;
use strata_core::project::data::Split;
use strata_inspect::gallery::Gallery;

impl State {
    /// How many images a split of the project's data has, where they have been counted: by a view of them or by the run.
    pub fn images_in(&self, split: Split) -> Option<usize> {
        let gallery = self.inspections.latest::<Gallery>();
        let seen = gallery.filter(|reply| reply.query.subject == self.image_set());
        let seen = seen.and_then(|reply| {
            let splits = &reply.result.as_ref().ok()?.splits;
            let counts = splits.iter().find(|counts| counts.split == split)?;
            Some(counts.images)
        });
        let trained = self.training.project.as_ref();
        let is_same = trained.is_some_and(|trained| {
            trained.seed == self.project().seed && trained.data == self.project().data
        });
        let of_run = self.training.splits.iter().filter(|_| is_same);
        let counted = seen.or_else(|| {
            let mut found = of_run.filter(|(of, _)| *of == split);
            found.next().map(|(_, images)| *images)
        });
        counted.filter(|images| *images > 0)
    }

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
