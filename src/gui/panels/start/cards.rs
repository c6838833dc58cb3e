//! The built-in projects as cards: the funnel of the network, its title, a sentence, its size.

use crate::theme;
use crate::widgets::funnel;
use eframe::egui::text::{LayoutJob, TextWrapping};
use eframe::egui::{
    Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};
use strata_app::action::Action;
use strata_app::builtin_previews::{self, Card};
use strata_core::format;

const HEIGHT: f32 = 144.0;
const MOST_COLUMNS: f32 = 4.0;
const NARROWEST: f32 = 264.0;
const GAP: f32 = 12.0;
const PAD: f32 = 12.0;
const DRAWING: f32 = 44.0;

/// Shows all cards, as many in a row as fit.
pub fn show(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let heading =
        RichText::new("Start from a project that works").font(theme::heading(theme::BODY));
    ui.label(heading.color(colors.strong))
        .on_hover_text("Every one can be changed at will and trained at once.");
    ui.add_space(theme::STEP);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let width = ui.available_width() - 8.0;
        let columns = ((width + GAP) / (NARROWEST + GAP))
            .floor()
            .clamp(1.0, MOST_COLUMNS);
        let size = vec2(((width + GAP) / columns - GAP).floor(), HEIGHT);
        ui.spacing_mut().item_spacing = vec2(GAP, GAP);
        for row in builtin_previews::cards().chunks(columns as usize) {
            ui.horizontal(|ui| {
                row.iter()
                    .for_each(|card| show_card(ui, card, size, actions))
            });
        }
        ui.add_space(GAP);
    });
}

fn show_card(ui: &mut Ui, card: &Card, size: eframe::egui::Vec2, actions: &mut Vec<Action>) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("Start from {}", card.entry.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name.clone()));
    let colors = *theme::palette(ui);
    let lit = response.hovered() || response.has_focus();
    let (fill, line) = if lit {
        (colors.lifted, colors.accent)
    } else {
        (colors.panel, colors.line)
    };
    ui.painter().rect(
        rect,
        theme::RADIUS,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
    let inner = rect.shrink(PAD);
    draw(
        ui,
        card,
        Rect::from_min_size(inner.min, vec2(inner.width(), DRAWING)),
    );
    let title = pos2(inner.left(), inner.top() + DRAWING + 4.0);
    words(
        ui,
        &card.title,
        theme::heading(theme::BODY),
        colors.strong,
        title,
        (inner.width(), 1),
    );
    let about = FontId::proportional(theme::SMALL);
    let is_cut = words(
        ui,
        card.entry.about,
        about,
        colors.weak,
        title + vec2(0.0, 20.0),
        (inner.width(), 2),
    );
    let size = format!("{} parameters", format::large(card.parameters));
    ui.painter().text(
        inner.left_bottom(),
        Align2::LEFT_BOTTOM,
        size,
        theme::digits(theme::TINY),
        colors.weak,
    );
    if response.clicked() {
        actions.push(Action::Builtin(card.entry.name));
    }
    // What is read on the card needs no tooltip.
    if is_cut {
        response.on_hover_text(card.entry.about);
    }
}

fn draw(ui: &Ui, card: &Card, rect: Rect) {
    let weak = theme::palette(ui).weak;
    let color = |family: Option<_>| family.map_or(weak, |family| theme::family(ui, family));
    let shapes: Vec<_> = card
        .funnel
        .iter()
        .map(|(shape, family)| (shape.clone(), color(*family)))
        .collect();
    funnel::paint(ui.painter(), rect, &shapes);
}

/// Writes as much of a text as has room; whether that is not all of it.
fn words(
    ui: &Ui,
    text: &str,
    font: FontId,
    ink: eframe::egui::Color32,
    at: eframe::egui::Pos2,
    room: (f32, usize),
) -> bool {
    let mut job = LayoutJob::simple(text.to_owned(), font, ink, room.0);
    job.wrap = TextWrapping {
        max_width: room.0,
        max_rows: room.1,
        ..TextWrapping::default()
    };
    let galley = ui.painter().layout_job(job);
    let is_cut = galley.elided;
    ui.painter().galley(at, galley, ink);
    is_cut
}
