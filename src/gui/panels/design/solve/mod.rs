//! Output = input: what lost the pixel, drawn as a path through the stack; the sizes that work; the smallest edits
//! that bring it back, each to be looked at before it is taken.

mod aims;
mod answers;
mod cards;
mod path;
mod strip;

use crate::theme;
use crate::view::View;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{empty, plain, said};
use answers::{Answers, Known};
use eframe::egui::{Label, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, pos2, vec2};
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_core::project::{Network, Project, locks};
use strata_design::solve::Solution;
use strata_design::{Banner, Level};

/// The view, with what it worked out.
#[derive(Default)]
pub struct SolveView {
    answers: Answers,
    aims: aims::Fields,
    cursor: strip::Cursor,
}

/// Below this width path and causes have half of the room each.
const NARROW: f32 = 440.0;
/// Below this width path and texts have no room beside each other.
const STACKED: f32 = 320.0;
/// Below this height the causes are written smaller, so that a proposal fits next to them.
const SHORT: f32 = 220.0;

impl View for SolveView {
    fn title(&self) -> &'static str {
        "Output = input"
    }

    fn summary(&self) -> &'static str {
        "What lost the pixel, and the smallest edits that bring it back"
    }

    fn words(&self) -> &'static str {
        "mirror decoder output size shape mismatch fix"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "Whether the decoder's output has the input's shape. If not: which layer lost the row or column (a stride rounds, a kernel has no padding, a step up is missing), and the smallest edits after which the shapes are equal. Every edit shown was confirmed by inferring all shapes anew."
    }

    fn status(&self, state: &State) -> String {
        let inference = &state.shown.inference;
        if inference.rows.is_empty() {
            return String::new();
        }
        let shape = |shape: &Option<strata_core::project::size::Shape>| {
            shape.as_ref().map_or("?".into(), ToString::to_string)
        };
        let line = format!(
            "input {} · code {}",
            inference.input,
            shape(&inference.code)
        );
        if state.shown.banner.level == Level::NotApplicable {
            line
        } else {
            format!("{line} · output {}", shape(&inference.output))
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        // While a proposal is looked at, what was said of the network itself stays.
        if state.proposal().is_none() {
            self.answers.update(
                &state.shown.network,
                locks::targets(state.project()),
                ui.ctx(),
            );
        }
        self.answers.take(ui.ctx());
        let looked_at = self.show(ui, state, actions);
        if state.proposal() != looked_at.as_ref() {
            actions.push(Action::PreviewNetwork(looked_at.map(Box::new)));
        }
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.answers
            .work_out(&state.shown.network, locks::targets(state.project()));
        self.show(ui, state, &mut Vec::new());
    }
}

impl SolveView {
    /// Shows everything; returns the network of the proposal that is looked at.
    fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) -> Option<Network> {
        let known = self.answers.known()?;
        if known.network.encoder.is_empty() && known.network.decoder.is_empty() {
            empty(
                ui,
                "No layers yet",
                "Add layers to the encoder and the decoder on the left; this view compares their ends.",
            );
            return None;
        }
        let area = ui.available_rect_before_wrap();
        let below = strip::height(known.strips.as_deref());
        let (above, strips_area) =
            area.split_top_bottom_at_y((area.bottom() - below).max(area.top() + 60.0));
        let mut bottom = ui.new_child(UiBuilder::new().id_salt("sizes").max_rect(strips_area));
        let axis = state.view.sizes_axis;
        strip::show(&mut bottom, known, axis, &mut self.cursor, actions);
        let mut top = ui.new_child(UiBuilder::new().id_salt("why").max_rect(above));
        top.shrink_clip_rect(above.expand2(vec2(4.0, 0.0)));
        let mut looked_at = None;
        let mut aim = None;
        heading(&mut top, &known.banner);
        let rest = top.available_rect_before_wrap();
        let (path_area, text_area) = places(rest);
        if path_area.height() > 0.0 {
            let mut inner = top.new_child(UiBuilder::new().id_salt("path").max_rect(path_area));
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(&mut inner, |ui| path::show(ui, known, state, actions));
        }
        let mut inner = top.new_child(UiBuilder::new().id_salt("text").max_rect(text_area));
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(&mut inner, |ui| {
                ui.set_width((ui.available_width() - 6.0).max(0.0));
                causes(
                    ui,
                    known,
                    if above.height() < SHORT {
                        theme::SMALL
                    } else {
                        theme::BODY
                    },
                );
                looked_at = cards::show(ui, known, state, actions);
                aim = self.aims.show(ui, known, state.generation);
            });
        if let Some(aim) = aim {
            self.answers.seek(aim, ui.ctx());
        }
        looked_at
    }
}

/// The places of the path of sizes and of the texts: side by side, one below the other in a narrow tile, or of the texts
/// alone where that is low too.
fn places(area: Rect) -> (Rect, Rect) {
    if area.width() < STACKED && area.height() < STACKED / 2.0 {
        return (area.with_max_y(area.top()), area);
    }
    if area.width() < STACKED {
        let (path, text) = area.split_top_bottom_at_fraction(0.45);
        return (path, text.with_min_y(text.top() + theme::STEP));
    }
    let share = if area.width() < NARROW { 0.5 } else { 0.46 };
    let left = (area.width() * share).clamp(160.0, 420.0);
    let (path, text) = area.split_left_right_at_x(area.left() + left);
    (path, text.with_min_x(text.left() + theme::GAP + 4.0))
}

/// Takes a proposal over, as one step to undo.
fn apply(state: &State, solution: &Solution) -> Action {
    let plain = || Project {
        network: solution.network.clone(),
        ..state.project().clone()
    };
    Action::Edit(Edit::All(Box::new(
        stepwise(state.project(), solution).unwrap_or_else(plain),
    )))
}

/// The project after the single edits of a proposal, through which locks follow their layers; `None` where they
/// do not come to the proposed network.
fn stepwise(project: &Project, solution: &Solution) -> Option<Project> {
    let mut changes: Vec<_> = solution.changes.iter().collect();
    // Inserted from the first on, removed from the last on: so every place means what it means in the proposal.
    changes.sort_by(|a, b| a.place.cmp(&b.place));
    let (removed, kept): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| change.to.is_none());
    let (inserted, replaced): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|change| change.from.is_none());
    let changes = inserted
        .into_iter()
        .chain(replaced)
        .chain(removed.into_iter().rev());
    let mut applied = changes.map(|change| {
        let place = change.place.clone();
        match (&change.from, &change.to) {
            (_, None) => Edit::Remove(place),
            (Some(_), Some(node)) => Edit::Replace(place, node.clone()),
            (None, Some(node)) => Edit::Insert(place, node.clone()),
        }
    });
    let after = applied.try_fold(project.clone(), |project, edit| edit.apply(&project));
    after.ok().filter(|after| after.network == solution.network)
}

/// The sentence, large.
fn heading(ui: &mut Ui, banner: &Banner) {
    let colors = theme::palette(ui);
    let (ink, sign) = match banner.level {
        Level::Proven => (colors.proven, Some(Icon::Check)),
        Level::Wrong => (colors.wrong, Some(Icon::Warning)),
        Level::Unknown | Level::NotApplicable => (colors.text, None),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if let Some(sign) = sign {
            let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, icon::SIZE), Sense::hover());
            icon::paint(ui.painter(), sign, rect, ink);
        }
        let text = sentence(banner);
        ui.add(
            Label::new(
                RichText::new(text)
                    .font(theme::heading(theme::TITLE))
                    .color(ink),
            )
            .truncate(),
        );
    });
    ui.add_space(theme::STEP);
}

fn sentence(banner: &Banner) -> String {
    let text = banner.text.trim_end_matches([' ', '✓']);
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    plain(&(first + letters.as_str()))
}

/// The causes, and what no stride ever reads.
fn causes(ui: &mut Ui, known: &Known, size: f32) {
    let colors = theme::palette(ui);
    for sentence in &known.explanation.sentences {
        ui.label(said(sentence, size, colors.text));
    }
    const SHOWN: usize = 3;
    for layer in known.unread.iter().take(SHOWN) {
        let sentence = format!("{}.", layer.sentence);
        ui.label(said(&sentence, theme::SMALL, colors.weak));
    }
    if known.unread.len() > SHOWN {
        let more = format!(
            "{} more layers leave cells unread.",
            known.unread.len() - SHOWN
        );
        ui.label(RichText::new(more).size(theme::SMALL).color(colors.weak));
    }
    ui.add_space(theme::STEP);
}

/// A rectangle's upper left part of this height.
fn slice(rect: Rect, top: f32, height: f32) -> Rect {
    Rect::from_min_size(
        pos2(rect.left(), rect.top() + top),
        vec2(rect.width(), height),
    )
}
