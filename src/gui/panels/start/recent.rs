//! What was opened lately, newest first; what is gone stays readable and says why it cannot be opened.

use crate::theme;
use crate::widgets::{elided, ending};
use eframe::egui::{Align2, FontId, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_app::recent::{self, Kind, Recent};
use strata_app::state::State;

const ROW: f32 = 44.0;

/// Shows the list.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new("Recent")
            .font(theme::heading(theme::BODY))
            .color(colors.strong),
    );
    ui.add_space(theme::STEP);
    if state.recents.entries().is_empty() {
        let hint = "Projects and runs that you open or save are listed here.";
        ui.label(RichText::new(hint).color(colors.weak));
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for entry in state.recents.entries() {
            row(ui, entry, actions);
        }
    });
}

fn row(ui: &mut Ui, entry: &Recent, actions: &mut Vec<Action>) {
    let there = entry.problem.is_none();
    let sense = if there {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 8.0, ROW), sense);
    let name = format!("Open recent {}", entry.title);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, there, name.clone()));
    let colors = *theme::palette(ui);
    if there && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
    }
    let line = |top: f32, text: &str, font: FontId, ink, right: f32| {
        let galley = elided(ui, text, font, ink, rect.width() - 16.0 - right);
        ui.painter()
            .galley(pos2(rect.left() + 8.0, rect.top() + top), galley, ink);
    };
    let ink = if there { colors.text } else { colors.weak };
    line(5.0, &entry.title, theme::heading(theme::BODY), ink, 88.0);
    let what = entry.problem.clone().unwrap_or_else(|| {
        if entry.kind == Kind::Run {
            "run".into()
        } else {
            "project".into()
        }
    });
    let font = FontId::proportional(theme::SMALL);
    let kind = format!("{what} · ");
    let wide = ui
        .painter()
        .layout_no_wrap(kind.clone(), font.clone(), colors.weak);
    let room = rect.width() - 16.0 - wide.size().x;
    let path = ending(ui, &short(entry), font.clone(), room);
    line(24.0, &(kind + &path), font, colors.weak, 0.0);
    let when = pos2(rect.right() - 8.0, rect.top() + 13.0);
    ui.painter().text(
        when,
        Align2::RIGHT_CENTER,
        recent::ago(entry.time),
        theme::digits(theme::TINY),
        colors.weak,
    );
    if response.clicked() {
        actions.push(Action::Open(entry.path.clone()));
    }
    response.on_hover_text(entry.path.display().to_string());
}

/// The end of the path, which differs from others.
fn short(entry: &Recent) -> String {
    let parts: Vec<_> = entry
        .path
        .components()
        .rev()
        .take(2)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}
