//! The list of all views by workspace: in the menu of a tile, and in the centre when every view is closed.

use crate::theme;
use crate::views;
use crate::widgets::elided;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{
    Align2, Color32, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, OnView};
use strata_app::arrangement::Workspace;
use strata_app::view_kind::{ViewInfo, ViewKind};

/// Where the name of a workspace starts, and what is below the views, in points from the left.
pub(super) const HEADING_LEFT: f32 = 6.0;
/// Where a title starts, in points from the left.
const TITLE: f32 = 28.0;
/// Height of a view.
const ENTRY: f32 = 26.0;
/// Height of the name of a workspace.
const HEADING: f32 = 24.0;
/// Between a menu and the edge of the window, on both sides together.
const EDGE: f32 = 40.0;
/// Height of what a menu has besides the views.
const REST: f32 = 220.0;

/// What is shown in the centre when every view is closed.
pub(super) fn none_open(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let rows = views::all().len() as f32 * ENTRY + Workspace::ALL.len() as f32 * HEADING;
    let space = (ui.available_height() - rows - 96.0).max(0.0) / 2.0;
    ui.vertical_centered(|ui| {
        ui.add_space(space);
        ui.label(
            RichText::new("No view is open")
                .font(theme::heading(theme::BODY))
                .color(colors.text),
        );
        ui.label(RichText::new("Open one, or take the usual arrangement back.").color(colors.weak));
        ui.add_space(theme::GAP);
        if ui.button("Reset arrangement").clicked() {
            actions.push(Action::View(OnView::Reset));
        }
        ui.add_space(theme::GAP);
        let room = vec2(width(ui), ui.available_height());
        ui.allocate_ui(room, |ui| {
            entries(ui, None, room.y, |_| false, actions);
        });
    });
}

fn line_font() -> FontId {
    FontId::proportional(theme::SMALL)
}

fn longest<'a>(ui: &Ui, texts: impl Iterator<Item = &'a str>, font: &FontId) -> f32 {
    let width = |text: &str| {
        let line = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
        line.size().x
    };
    texts.map(width).fold(0.0, f32::max)
}

/// Where a view's line starts.
fn line_start(ui: &Ui) -> f32 {
    let titles = views::all().iter().map(|info| info.title);
    TITLE + longest(ui, titles, &theme::heading(theme::BODY)) + 2.0 * theme::GAP
}

/// What the longest line needs, in points, as far as the window has that.
pub(super) fn width(ui: &Ui) -> f32 {
    let lines = views::all().iter().map(|info| info.summary);
    let needed = line_start(ui) + longest(ui, lines, &line_font());
    let needed = needed + 3.0 * theme::GAP + theme::SCROLL_BAR;
    needed.min(ui.ctx().content_rect().width() - EDGE)
}

/// The height that the views can have in a menu.
pub(super) fn menu_height(ui: &Ui) -> f32 {
    ui.ctx().content_rect().height() - REST
}

/// Every view with its line; a click opens it (or brings it to the front).
pub(super) fn entries(
    ui: &mut Ui,
    beside: Option<ViewKind>,
    height: f32,
    is_open: impl Fn(ViewKind) -> bool,
    actions: &mut Vec<Action>,
) {
    let start = line_start(ui);
    ScrollArea::vertical().max_height(height).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for workspace in Workspace::ALL {
            heading(ui, workspace);
            let here = |info: &&ViewInfo| info.workspace == workspace;
            for info in views::all().iter().filter(here) {
                if entry(ui, info, start, is_open(info.kind)) {
                    actions.push(Action::View(OnView::Open(info.kind, beside)));
                    ui.close();
                }
            }
        }
    });
}

/// The name of a workspace over its views.
fn heading(ui: &mut Ui, workspace: Workspace) {
    let room = vec2(ui.available_width(), HEADING);
    let (rect, _) = ui.allocate_exact_size(room, Sense::hover());
    ui.painter().text(
        pos2(rect.left() + HEADING_LEFT, rect.bottom() - 4.0),
        Align2::LEFT_BOTTOM,
        workspace.name(),
        line_font(),
        theme::palette(ui).weak,
    );
}

/// A view; whether it is chosen.
fn entry(ui: &mut Ui, info: &ViewInfo, start: f32, is_open: bool) -> bool {
    let room = vec2(ui.available_width(), ENTRY);
    let (rect, response) = ui.allocate_exact_size(room, Sense::click());
    let name = format!("Open {} view", info.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let colors = theme::palette(ui);
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
    }
    if is_open {
        let sign = icon::beside(rect, rect.left() + HEADING_LEFT);
        icon::paint(ui.painter(), Icon::Check, sign, colors.accent);
    }
    let middle = rect.center().y;
    ui.painter().text(
        pos2(rect.left() + TITLE, middle),
        Align2::LEFT_CENTER,
        info.title,
        theme::heading(theme::BODY),
        colors.strong,
    );
    let place = Rect::from_min_max(pos2(rect.left() + start, rect.top()), rect.max);
    let room = place.width() - theme::GAP;
    let line = elided(ui, info.summary, line_font(), colors.weak, room);
    let at = pos2(place.left(), middle - line.size().y / 2.0);
    ui.painter().galley(at, line, colors.weak);
    response.clicked()
}
