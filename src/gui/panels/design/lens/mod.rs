//! One layer as arithmetic: its formula with its numbers above; below it the kernel sliding over a small grid step
//! by step, or the numbers of one value of the trained network, or the layer as a sparse matrix.
//!
//! What is set (mode, step, value) is a part of the state; this view keeps what it draws with, and when the next
//! step is due.

mod controls;
mod grid;
mod header;
mod layer_animation;
mod matrix;
mod numbers;
mod plot;

use crate::view::View;
use crate::widgets::empty;
use eframe::egui::Ui;
use std::time::Duration;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::lens::{LensMode, LensSettings};
use strata_app::state::State;
use strata_core::shape::Row;
use strata_design::layer_math::Lens;

/// The view.
#[derive(Default)]
pub struct LensView {
    made: Option<Made>,
    /// When the next step is due while it plays, in seconds of the window's clock.
    due: Option<f64>,
    maps: numbers::Maps,
}

/// A lens and the rows that it was made of.
struct Made {
    rows: Vec<Row>,
    lens: Lens,
}

impl View for LensView {
    fn title(&self) -> &'static str {
        "Lens"
    }

    fn summary(&self) -> &'static str {
        "The selected layer as arithmetic, step by step"
    }

    fn words(&self) -> &'static str {
        "arithmetic formula matrix animation numbers"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "The selected layer as arithmetic: the formula of its output's size with its own numbers, its kernel sliding over a small grid step by step, the numbers of one value of the trained network, and the layer as a sparse matrix. Compare Dumoulin and Visin 2016."
    }

    fn status(&self, state: &State) -> String {
        let row = state
            .lens_place()
            .and_then(|place| state.shown.inference.row(&place));
        let input = |row: &Row| {
            row.input
                .as_ref()
                .map_or_else(|| "?".to_owned(), ToString::to_string)
        };
        row.map_or_else(String::new, |row| {
            format!(
                "{}  {}  ·  {} → {}",
                row.place.in_words(),
                row.text,
                input(row),
                row.shape_text()
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.update(state, actions);
        let Some(made) = &self.made else { return };
        controls::show(ui, &made.lens, state.view.lens, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.update(state, actions);
        let settings = state.view.lens;
        let Some(made) = &self.made else {
            return empty(
                ui,
                "No layer to look at yet",
                "Add a layer to the encoder; a click on it opens it here as arithmetic.",
            );
        };
        let lens = &made.lens;
        header::show(ui, lens);
        match settings.mode {
            LensMode::Numbers => {
                actions.extend(state.request(state.pixel_query()));
                numbers::show(ui, state, &mut self.maps, actions);
            }
            LensMode::Matrix => matrix::show(ui, lens, settings, actions),
            LensMode::Grid => {
                let steps = lens.sample.as_ref().map_or(0, |sample| sample.steps.len());
                self.due = play(ui, self.due, settings, steps, actions);
                layer_animation::show(ui, lens, settings, actions);
            }
        }
    }
}

impl LensView {
    /// Makes the lens again when its layer has changed; another layer starts at its first step.
    fn update(&mut self, state: &State, actions: &mut Vec<Action>) {
        let Some(place) = state.lens_place() else {
            self.made = None;
            return;
        };
        let inside =
            |row: &&Row| row.place.stack == place.stack && row.place.path.starts_with(&place.path);
        let mut rows = state.shown.inference.rows.iter().filter(inside);
        let same = self
            .made
            .as_ref()
            .is_some_and(|made| rows.clone().eq(&made.rows));
        if same {
            return;
        }
        let former = self.made.take();
        let rows: Vec<Row> = rows.by_ref().cloned().collect();
        let lens = Lens::of(state.network(), &state.shown.inference, &place);
        self.made = lens.map(|lens| Made { rows, lens });
        if let Some(former) = former {
            let lens = state.view.lens;
            let at = lens.at.filter(|_| former.lens.place == place);
            actions.push(set(LensSettings {
                step: 0,
                playing: false,
                at,
                part: 0,
                ..lens
            }));
        }
    }
}

/// The action that changes how the lens is set.
fn set(settings: LensSettings) -> Action {
    Action::Show(Show::Lens(settings))
}

/// Takes the next step when it is due, and asks for a frame when it will be; returns that time.
fn play(
    ui: &Ui,
    due: Option<f64>,
    settings: LensSettings,
    steps: usize,
    actions: &mut Vec<Action>,
) -> Option<f64> {
    if !settings.playing {
        return None;
    }
    let (now, period) = (
        ui.input(|input| input.time),
        1.0 / f64::from(settings.pace.max(1)),
    );
    let mut due = due.unwrap_or(now + period);
    // What the user just did counts more than the clock.
    let moved = actions
        .iter()
        .any(|action| matches!(action, Action::Show(Show::Lens(_))));
    if now >= due && !moved {
        let step = settings.step + 1;
        let last = step + 1 >= steps;
        actions.push(set(LensSettings {
            step: step.min(steps.saturating_sub(1)),
            playing: !last,
            ..settings
        }));
        due = now + period;
    }
    ui.ctx()
        .request_repaint_after(Duration::from_secs_f64((due - now).max(0.01)));
    Some(due)
}
