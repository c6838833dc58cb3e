//! The panel on the right: the form of the selected layer, where images come from, and the stages of the training.

mod data;
mod layer;
mod lead;
mod line;
mod stage;

use crate::theme;
use crate::widgets::{Icon, quiet_button, steady_scroll};
use eframe::egui::{
    Id, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::state::{SideTab, State, Switch};

/// Height of the tabs.
const TABS: f32 = 28.0;

/// Width of the button that adds a stage.
const ADD: f32 = 104.0;

/// Shows the panel.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    tabs(ui, state, actions);
    let tab = state.view.side_tab;
    lead::begin(ui, state);
    steady_scroll(ui, ("settings", tab.name(), state.opened), |ui| {
        ui.spacing_mut().item_spacing.y = theme::STEP;
        match tab {
            SideTab::Layer => layer::show(ui, state, actions),
            SideTab::Data => data::show(ui, state, actions),
            SideTab::Stages => stages(ui, state, actions),
        }
        // The last of it does not end at the edge.
        ui.add_space(theme::GAP);
    });
}

fn tabs(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), TABS), Sense::hover());
    let each = rect.width() / SideTab::ALL.len() as f32;
    for (index, tab) in SideTab::ALL.into_iter().enumerate() {
        let left = rect.left() + index as f32 * each;
        let own = Rect::from_min_size(pos2(left, rect.top()), vec2(each, TABS - 4.0));
        if one_tab(ui, own, tab, state.view.side_tab == tab) {
            actions.push(Action::Show(Show::Switch(Switch::SideTab(tab))));
        }
    }
    let colors = theme::palette(ui);
    let line = Stroke::new(1.0, colors.line);
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, line);
    ui.add_space(theme::STEP);
}

fn one_tab(ui: &Ui, rect: Rect, tab: SideTab, chosen: bool) -> bool {
    let id = Id::unique(("settings tab", tab.name()));
    let response = ui.interact(rect, id, Sense::click());
    let name = format!("{} settings", tab.name());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, chosen, &name));
    let colors = theme::palette(ui);
    let pill = rect.shrink2(vec2(1.0, 1.0));
    if chosen || response.hovered() {
        ui.painter().rect_filled(pill, theme::RADIUS, colors.lifted);
    }
    if response.has_focus() {
        let line = Stroke::new(1.0, colors.accent);
        ui.painter()
            .rect_stroke(pill, theme::RADIUS, line, StrokeKind::Inside);
    }
    let ink = if chosen { colors.strong } else { colors.weak };
    let title =
        ui.painter()
            .layout_no_wrap(tab.name().to_owned(), theme::heading(theme::BODY), ink);
    let at = rect.center() - title.size() / 2.0;
    ui.painter().galley(at, title, ink);
    response.on_hover_text(about(tab)).clicked()
}

fn about(tab: SideTab) -> &'static str {
    match tab {
        SideTab::Layer => {
            "The selected layer: its attributes, what follows from them, what it has learned."
        }
        SideTab::Data => "Where images come from and what becomes of a pixel on its way in.",
        SideTab::Stages => {
            "Phases of training, one after the other; each starts from the weights of the one before."
        }
    }
}

fn stages(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    for (index, stage) in state.project().stages.iter().enumerate() {
        stage::show(ui, state, index, stage, actions);
    }
    if state.project().stages.is_empty() {
        let text = "A project needs a stage to be trained: add one.";
        ui.label(RichText::new(text).color(theme::palette(ui).weak));
    }
    let button = quiet_button(ui, Icon::Plus, "Add stage", true, ADD);
    let hover = "Add a stage at the end, which starts from the weights of the one before";
    if button.on_hover_text(hover).clicked() {
        add(state, actions);
    }
}

fn add(state: &State, actions: &mut Vec<Action>) {
    actions.push(Action::Edit(state.added_stage()));
    actions.push(Action::Show(Show::Stage(Some(
        state.project().stages.len(),
    ))));
}
