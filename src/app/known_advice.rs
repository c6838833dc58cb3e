//! Advice that needs more than the project: how many images there are, and what the epochs of the run measured.

use super::state::State;
use std::sync::Arc;
use strata_core::project::Project;
use strata_core::shape::infer;
use strata_design::advice::{Advice, ImageCounts, advise_images, advise_trained};
use strata_design::fit_to_data::fit_to_data;
use strata_inspect::gallery::{Gallery, SplitCounts};

/// The advice, and what it was worked out for: trying its fixes takes too long for every frame.
#[derive(Default)]
pub struct KnownAdvice {
    /// The images first.
    pub list: Vec<Advice>,
    /// The project with a network that the images fit, and what is changed; `None` where they do.
    pub(crate) fitted: Option<(Project, String)>,
    of: Option<(Project, Option<Images>, usize)>,
}

/// What is known of the images: how many, and their shape.
type Images = (ImageCounts, Vec<usize>);

impl State {
    /// Works the advice out again where the project, the images or the run have changed.
    pub(crate) fn follow_known_advice(&mut self) {
        let gallery = self.gallery_in_view();
        let images: Option<Images> =
            gallery.map(|gallery| (image_counts(gallery), gallery.shape.clone()));
        let epochs = self.training.curves.figures.len();
        let is_known = self
            .known
            .of
            .as_ref()
            .is_some_and(|(project, known, measured)| {
                project == self.project() && *known == images && *measured == epochs
            });
        if is_known {
            return;
        }
        let inference = infer(&self.project().network);
        let mut list = images.as_ref().map_or_else(Vec::new, |(counts, _)| {
            advise_images(self.project(), &inference, counts)
        });
        let fitted = images
            .as_ref()
            .and_then(|(counts, shape)| fit_to_data(self.project(), shape, counts.classes.len()));
        let figures = &self.training.curves.figures;
        list.extend(advise_trained(self.project(), &inference, figures));
        let of = Some((self.project().clone(), images, epochs));
        self.known = KnownAdvice { list, fitted, of };
    }

    /// The images that were read, while they are the project's.
    fn gallery_in_view(&self) -> Option<&Arc<Gallery>> {
        let reply = self.inspections.shown_for(&self.gallery_query())?;
        reply.result.as_ref().ok()
    }
}

/// How many images there are of each split and class.
fn image_counts(gallery: &Gallery) -> ImageCounts {
    let of_split = |counts: &SplitCounts| (counts.split, counts.images, counts.per_class.clone());
    ImageCounts {
        classes: gallery.classes.clone(),
        splits: gallery.splits.iter().map(of_split).collect(),
        has_label_sets: gallery.has_label_sets,
    }
}
