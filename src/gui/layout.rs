//! The layout of the panels: bars above and below, the architecture to the left, the settings to the
//! right, the views in the middle, arranged by what the project trains for.

use super::frame_parts::timed;
use super::panels::{
    self, architecture, controls, notices, settings, status_bar, time_slider, top_bar,
};
use super::theme;
use super::views::Views;
use eframe::egui::{
    CentralPanel, Frame, Margin, Panel, Rect, Stroke, StrokeKind, Ui, UiBuilder, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::state::{ARCHITECTURE_WIDTHS, SETTINGS_WIDTHS, State, Switch};

/// From this width on the settings have more room than they need at least.
const ROOMY: f32 = 1600.0;

/// Above the first line of a panel: it is on the height of the tabs of the tiles beside it.
const TOP: i8 = 12;

/// Shows the whole window.
pub fn show(ui: &mut Ui, state: &State, views: &mut Views, actions: &mut Vec<Action>) {
    let colors = *theme::palette(ui);
    let bar = Frame::new()
        .fill(colors.panel)
        .inner_margin(Margin::symmetric(theme::MARGIN, 0));
    let side = Frame::new().fill(colors.panel).inner_margin(Margin {
        left: 12,
        right: 12,
        top: TOP,
        bottom: 0,
    });
    Panel::top("top bar")
        .exact_size(top_bar::HEIGHT)
        .frame(bar)
        .show(ui, |ui| {
            timed("bars", || top_bar::show(ui, state, actions));
        });
    if state.start {
        CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            notices::show(ui, state, actions);
            ui.spacing_mut().item_spacing.y = theme::STEP;
            let area = ui.available_rect_before_wrap();
            panels::start::show(ui, state, actions);
            notices::lay_over(ui, area.shrink(theme::GAP), state, actions);
        });
        return;
    }
    Panel::bottom("status bar")
        .exact_size(status_bar::HEIGHT)
        .frame(bar)
        .show(ui, |ui| {
            timed("bars", || status_bar::show(ui, state, actions));
        });
    let view = &state.view;
    let full = ui.available_width();
    let usual = if view.narrow { 360.0 } else { 396.0 };
    let width = view.architecture_width.unwrap_or(usual);
    // The rows stand right of a gutter that is part of the panel.
    let left = Frame::new().fill(colors.panel).inner_margin(Margin {
        left: 0,
        right: 12,
        top: TOP,
        bottom: 0,
    });
    // With another usual width, as in a window that was made smaller, it is another panel: nobody has given it the width
    // that it had.
    let layers = state.shows_layers().then(|| {
        let panel = Panel::left(("architecture", view.resets, usual as u32))
            .frame(left)
            .default_size(width)
            .size_range(ARCHITECTURE_WIDTHS);
        let layers = Side::of(ui, panel);
        keep_width(Switch::ArchitectureWidth, width, layers.whole, actions);
        layers
    });
    let fields = state.shows_settings().then(|| {
        let usual = if full >= ROOMY { 320.0 } else { 264.0 };
        let width = view.settings_width.unwrap_or(usual);
        let panel = Panel::right(("settings", view.resets, usual as u32))
            .frame(side)
            .default_size(width)
            .size_range(SETTINGS_WIDTHS);
        let fields = Side::of(ui, panel);
        keep_width(Switch::SettingsWidth, width, fields.whole, actions);
        fields
    });
    // What lies behind it is the colour that the window is cleared with.
    let middle = CentralPanel::default().frame(Frame::new()).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        notices::show(ui, state, actions);
        Side {
            whole: ui.available_rect_before_wrap(),
            inside: training(ui, state, actions),
        }
    });
    // What is drawn first comes first with Tab: training a network is never behind all of its layers.
    if let Some(layers) = layers {
        timed("layers", || {
            layers.show(ui, "layers", |ui| architecture::show(ui, state, actions));
        });
    }
    if let Some(fields) = fields {
        timed("settings", || {
            fields.show(ui, "fields", |ui| settings::show(ui, state, actions));
        });
    }
    let tiles = middle.inner;
    tiles.show(ui, "views", |ui| match state.begins() {
        true => panels::begin::show(ui, actions),
        false => panels::tiles::show(ui, state, views, actions),
    });
    notices::lay_over(ui, tiles.inside, state, actions);
}

/// A part of the window that is filled after its place is known.
#[derive(Clone, Copy)]
struct Side {
    whole: Rect,
    inside: Rect,
}

impl Side {
    /// The place of a panel; its edge looks like that of a tile under the pointer.
    fn of(ui: &mut Ui, panel: Panel) -> Side {
        let style = ui.style().clone();
        let colors = theme::palette(ui);
        let widgets = &mut ui.visuals_mut().widgets;
        widgets.hovered.fg_stroke = theme::edge(colors, false);
        widgets.active.fg_stroke = theme::edge(colors, true);
        let shown = panel.show(ui, |ui| {
            ui.take_available_width();
            ui.max_rect()
        });
        ui.set_style(style);
        Side {
            whole: shown.response.rect,
            inside: shown.inner,
        }
    }

    fn show(self, ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
        let place = UiBuilder::new().id_salt(name).max_rect(self.inside);
        let mut inner = ui.new_child(place);
        inner.shrink_clip_rect(self.whole);
        content(&mut inner);
    }
}

/// The width that a panel is given for now is the one that it has at the next start.
fn keep_width(set: fn(f32) -> Switch, given: f32, shown: Rect, actions: &mut Vec<Action>) {
    if (shown.width() - given).abs() >= 0.5 {
        actions.push(Action::Show(Show::Switch(set(shown.width()))));
    }
}

/// The bar below the views; where these have their place.
fn training(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) -> Rect {
    let area = ui.available_rect_before_wrap().shrink(theme::GAP);
    let height = controls::height(ui, state, area.width()) + time_slider::height(state);
    let (tiles, bar) = area.split_top_bottom_at_y(area.bottom() - height);
    let colors = theme::palette(ui);
    ui.painter().rect(
        bar,
        theme::RADIUS,
        colors.panel,
        Stroke::new(1.0, colors.line),
        StrokeKind::Inside,
    );
    let (above, below) = bar.split_top_bottom_at_y(bar.top() + time_slider::height(state));
    if above.height() > 0.0 {
        time_slider::show(ui, above, state, actions);
    }
    controls::show(ui, below, state, actions);
    Rect::from_min_max(tiles.min, tiles.max - vec2(0.0, theme::GAP))
}
