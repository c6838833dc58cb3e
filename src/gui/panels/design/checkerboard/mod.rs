//! The checkerboard: what a constant code becomes in the decoder, why, and what to write instead.

mod layers;
mod picture;

use crate::theme;
use crate::view::View;
use crate::widgets::empty;
use eframe::egui::{Rect, ScrollArea, Ui, UiBuilder, vec2};
use picture::Drawn;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::project::Stack;
use strata_core::shape::Inference;
use strata_design::checkerboard::{self, Fix, Overlap, Response};

/// The view, with what it worked out of the network.
#[derive(Default)]
pub struct CheckerboardView {
    found: Option<Found>,
}

/// All there is to know of a network's checkerboards.
struct Found {
    of: Inference,
    response: Option<Response>,
    /// Each with its fixes.
    layers: Vec<(Overlap, Vec<Fix>)>,
    drawn: Option<Drawn>,
}

impl Found {
    fn of(state: &State) -> Found {
        let inference = &state.shown.inference;
        let fixes =
            |overlap: &Overlap| checkerboard::fixes(state.network(), inference, &overlap.place);
        let overlaps = checkerboard::overlaps(inference);
        Found {
            of: inference.clone(),
            response: checkerboard::response(inference),
            layers: overlaps
                .into_iter()
                .map(|overlap| (fixes(&overlap), overlap))
                .map(|(f, o)| (o, f))
                .collect(),
            drawn: None,
        }
    }

    fn uneven(&self) -> usize {
        self.layers
            .iter()
            .filter(|(overlap, _)| !overlap.is_even())
            .count()
    }

    fn sentence(&self) -> String {
        match (self.layers.len(), self.uneven()) {
            (0, _) => "no transposed convolution: nothing overlaps".to_owned(),
            (1, 0) => "the transposed convolution covers its output evenly".to_owned(),
            (2, 0) => "both transposed convolutions cover their outputs evenly".to_owned(),
            (all, 0) => format!("all {all} transposed convolutions cover their outputs evenly"),
            (1, _) => "the transposed convolution covers its output unevenly".to_owned(),
            (all, uneven) => {
                format!("{uneven} of {all} transposed convolutions cover their outputs unevenly")
            }
        }
    }
}

const GAP: f32 = 16.0;

impl View for CheckerboardView {
    fn title(&self) -> &'static str {
        "Checkerboard"
    }

    fn summary(&self) -> &'static str {
        "The pattern that transposed convolutions leave in pictures"
    }

    fn words(&self) -> &'static str {
        "artifacts transposed convolution overlap"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "Where a transposed convolution's kernel is no multiple of its stride, some outputs are reached by more taps than others, and pictures get a checkerboard (Odena et al. 2016). Here: what a constant code becomes when all weights are equal. Training can learn against the pattern, but starts from it and seldom gets rid of it."
    }

    fn status(&self, _: &State) -> String {
        let found = self
            .found
            .as_ref()
            .filter(|found| found.response.is_some() || !found.layers.is_empty());
        found.map(Found::sentence).unwrap_or_default()
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.show(ui, state, Some(actions));
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.show(ui, state, None);
    }
}

impl CheckerboardView {
    /// Without actions, nothing is offered.
    fn show(&mut self, ui: &mut Ui, state: &State, actions: Option<&mut Vec<Action>>) {
        if self
            .found
            .as_ref()
            .is_none_or(|found| found.of != state.shown.inference)
        {
            self.found = Some(Found::of(state));
        }
        let Some(found) = &mut self.found else { return };
        if found.response.is_none() && found.layers.is_empty() {
            return nothing(ui, state);
        }
        let area = ui.available_rect_before_wrap();
        let side = (area.width() * 0.55).min(area.height() * 1.7);
        let (left, right) = area.split_left_right_at_x(area.left() + side);
        let right = Rect::from_min_max(right.min + vec2(GAP, 0.0), right.max);
        match &found.response {
            Some(response) => picture::show(
                ui,
                left,
                response,
                found.layers.iter().any(|(o, _)| !o.is_even()),
                &mut found.drawn,
            ),
            None => picture::missing(ui, left, state),
        }
        let mut inner = ui.new_child(UiBuilder::new().id_salt("transposed").max_rect(right));
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(&mut inner, |ui| {
                layers::show(ui, state, &found.layers, found.response.as_ref(), actions);
            });
    }
}

/// Why there is nothing, and what to do.
fn nothing(ui: &mut Ui, state: &State) {
    let inference = &state.shown.inference;
    if let Some((row, _)) = inference
        .errors()
        .find(|(row, _)| row.place.stack != Stack::Head)
    {
        return empty(
            ui,
            "Not known yet",
            &format!(
                "Mend {} first: the pattern follows from the shapes.",
                row.place.in_words()
            ),
        );
    }
    match inference.stack(Stack::Decoder).next() {
        None => empty(
            ui,
            "No decoder",
            "Checkerboards come from transposed convolutions. Add layers to the decoder.",
        ),
        Some(_) => empty(
            ui,
            "No pattern to draw",
            "The decoder's output is a vector, or longer than 4096.",
        ),
    }
}

/// A colour for what is uneven, and for what is proven even.
fn verdict(ui: &Ui, even: bool) -> eframe::egui::Color32 {
    let colors = theme::palette(ui);
    if even { colors.proven } else { colors.second }
}
