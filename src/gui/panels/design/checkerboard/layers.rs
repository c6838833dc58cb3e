//! Every transposed convolution: how many taps reach each output, as bars, and what to write instead.

use super::verdict;
use crate::theme;
use crate::widgets::Icon;
use crate::widgets::icon;
use eframe::egui::{Align2, Button, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::edit::Edit;
use strata_design::checkerboard::{Fix, Overlap, Response, Taps};

const BARS: f32 = 34.0;
const BAR: f32 = 14.0;
/// Output positions drawn at most.
const MOST: usize = 16;

/// Shows all layers; a click on a fix is one edit.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    layers: &[(Overlap, Vec<Fix>)],
    response: Option<&Response>,
    mut actions: Option<&mut Vec<Action>>,
) {
    if layers.iter().all(|(overlap, _)| overlap.is_even()) {
        calm(ui, layers.is_empty(), response);
    }
    for (overlap, fixes) in layers {
        let asked = card(ui, state, overlap, fixes, actions.is_some());
        if let Some(actions) = &mut actions {
            actions.extend(asked);
        }
        ui.add_space(theme::GAP);
    }
}

/// Nothing to be mended.
fn calm(ui: &mut Ui, no_layers: bool, response: Option<&Response>) {
    let text = match (no_layers, response.is_some_and(Response::has_pattern)) {
        (true, false) => "No pattern: nothing here is a transposed convolution.",
        (false, false) => "No pattern: every output is reached by equally many taps.",
        (_, true) => {
            "The kernels overlap evenly; what pattern there is comes from the other layers."
        }
    };
    ui.horizontal_wrapped(|ui| {
        let color = verdict(ui, true);
        let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, icon::SIZE), Sense::hover());
        icon::paint(ui.painter(), Icon::Check, rect, color);
        ui.label(RichText::new(text).color(color));
    });
    ui.add_space(theme::STEP);
}

/// One layer; what the user asked for.
fn card(ui: &mut Ui, state: &State, overlap: &Overlap, fixes: &[Fix], offers: bool) -> Vec<Action> {
    let mut actions = Vec::new();
    let colors = theme::palette(ui);
    let selected = state.selected.as_ref() == Some(&overlap.place);
    let ink = if selected {
        colors.accent
    } else {
        colors.strong
    };
    let title = RichText::new(format!("{}  {}", overlap.text, overlap.place.in_words()))
        .font(theme::digits(theme::CODE))
        .color(ink);
    let button = ui.add(Button::new(title).frame(false).truncate());
    let name = format!("Select {}: {}", overlap.place, overlap.text);
    if button
        .on_hover_text("Select this layer")
        .accessible_name(name)
        .clicked()
    {
        actions.push(Action::Select(Some(overlap.place.clone())));
    }
    let axes: Vec<&Taps> = match overlap.axes.split_first() {
        Some((first, rest)) if rest.iter().all(|taps| taps == first) => vec![first],
        _ => overlap.axes.iter().collect(),
    };
    ui.horizontal_wrapped(|ui| {
        for taps in axes {
            bars(ui, taps);
        }
    });
    if overlap.is_even() {
        return actions;
    }
    let sentence = RichText::new(overlap.sentence())
        .size(theme::SMALL)
        .color(colors.text);
    ui.label(sentence).on_hover_text(
        "Output o is reached by the taps t with t·d ≡ o + p (mod s): equally many everywhere when s divides k",
    );
    for fix in fixes.iter().filter(|_| offers) {
        offer(ui, state, overlap, fix, &mut actions);
    }
    actions
}

/// How many taps reach each output, over two periods or as far as there is room.
fn bars(ui: &mut Ui, taps: &Taps) {
    let room = (ui.max_rect().width() / (BAR + 2.0)) as usize;
    let shown = taps.stride.saturating_mul(2).clamp(4, room.clamp(4, MOST));
    let counts: Vec<usize> = (0..shown).map(|position| taps.covering(position)).collect();
    let most = taps.most().max(1);
    let (rect, response) =
        ui.allocate_exact_size(vec2(shown as f32 * (BAR + 2.0), BARS), Sense::hover());
    let text = format!("Taps that reach each output in turn: {}", join(&counts));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &text));
    let color = verdict(ui, taps.is_even());
    let small = theme::digits(theme::TINY);
    for (index, &count) in counts.iter().enumerate() {
        let left = rect.left() + index as f32 * (BAR + 2.0);
        let tall = (BARS - 13.0) * count as f32 / most as f32;
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - tall.max(1.0)),
            pos2(left + BAR, rect.bottom()),
        );
        ui.painter().rect_filled(bar, 1.0, theme::faded(color, 0.8));
        let at = pos2(bar.center().x, bar.top() - 1.0);
        ui.painter().text(
            at,
            Align2::CENTER_BOTTOM,
            count,
            small.clone(),
            theme::palette(ui).weak,
        );
    }
    response.on_hover_text(text);
}

fn join(counts: &[usize]) -> String {
    counts
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A fix with its button.
fn offer(ui: &mut Ui, state: &State, overlap: &Overlap, fix: &Fix, actions: &mut Vec<Action>) {
    let texts = fix.texts().join(", ");
    ui.horizontal(|ui| {
        let button = ui.add(Button::new(RichText::new("Apply").size(theme::SMALL)));
        let hover = format!("Write {texts} instead: every shape stays as it is. One step to undo");
        let name = format!("Apply {texts} at {}", overlap.place);
        if button.on_hover_text(hover).accessible_name(name).clicked() {
            actions.push(Action::Edit(edit(state, overlap, fix)));
        }
        let font = theme::digits(theme::SMALL);
        ui.add(
            eframe::egui::Label::new(
                RichText::new(&texts)
                    .font(font)
                    .color(theme::palette(ui).text),
            )
            .truncate(),
        );
    });
}

/// One edit, whether it writes one layer or two.
fn edit(state: &State, overlap: &Overlap, fix: &Fix) -> Edit {
    match fix.nodes.as_slice() {
        [node] => Edit::Replace(overlap.place.clone(), node.clone()),
        _ => {
            let mut project = state.project().clone();
            project.network = fix.network.clone();
            Edit::All(Box::new(project))
        }
    }
}
