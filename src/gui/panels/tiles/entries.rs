//! The list of all views: in the menu of a tile, and in the centre when every view is closed.

use crate::theme;
use crate::views;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{Align2, Color32, FontId, RichText, Role, Sense, Ui, WidgetInfo, vec2};
use strata_app::action::{Action, OnView};
use strata_app::view_kind::ViewKind;

/// What is shown in the centre when every view is closed.
pub(super) fn none_open(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let space = (ui.available_height() - 32.0 * (views::all().len() as f32 + 3.0)).max(0.0) / 2.0;
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
        let width = width(ui);
        ui.allocate_ui(vec2(width, 0.0), |ui| entries(ui, None, |_| false, actions));
    });
}

/// Where a title starts, in points from the left.
const TITLE: f32 = 28.0;
/// Where a view's line starts.
const LINE: f32 = 148.0;

fn line_font() -> FontId {
    FontId::proportional(theme::SMALL)
}

/// What the longest line needs, in points.
fn width(ui: &Ui) -> f32 {
    let line_width = |text: &str| {
        let line = ui
            .painter()
            .layout_no_wrap(text.to_owned(), line_font(), Color32::WHITE);
        line.size().x
    };
    let lines = views::all().iter().map(|info| line_width(info.summary));
    LINE + lines.fold(0.0, f32::max) + theme::GAP
}

/// Every view with its line; a click opens it (or brings it to the front).
pub(super) fn entries(
    ui: &mut Ui,
    beside: Option<ViewKind>,
    is_open: impl Fn(ViewKind) -> bool,
    actions: &mut Vec<Action>,
) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let width = width(ui).max(ui.available_width());
    for info in views::all() {
        let kind = info.kind;
        let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::click());
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Button, true, format!("Open {} view", info.title))
        });
        let colors = theme::palette(ui);
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
        }
        if is_open(kind) {
            icon::paint(
                ui.painter(),
                Icon::Check,
                icon::beside(rect, rect.left() + 6.0),
                colors.accent,
            );
        }
        let left = rect.left_center();
        ui.painter().text(
            left + vec2(TITLE, 0.0),
            Align2::LEFT_CENTER,
            info.title,
            theme::heading(theme::BODY),
            colors.strong,
        );
        ui.painter().text(
            left + vec2(LINE, 0.0),
            Align2::LEFT_CENTER,
            info.summary,
            line_font(),
            colors.weak,
        );
        if response.clicked() {
            actions.push(Action::View(OnView::Open(kind, beside)));
            ui.close();
        }
    }
}
