//! The picture: with the window of the value that is looked at, the patch that is dragged out, the places found.

use super::{Drawn, Seen, captioned, cell_at, fitted, set, shape, window_rect};
use crate::theme;
use eframe::egui::{Align2, Color32, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};
use strata_app::action::Action;
use strata_app::kernels::KernelSettings;
use strata_inspect::kernel::{Match, most_sides};
use strata_inspect::kernel_playground::{Outcome, Playground};

pub(super) struct Shown<'a> {
    /// Its texture.
    pub drawn: &'a Drawn,
    /// The answer with its question.
    pub seen: &'a Seen,
    /// The answer.
    pub answer: &'a Playground,
    /// The value that is looked at.
    pub cell: Option<[usize; 2]>,
}

/// Shows it and takes a patch that is dragged out.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    shown: &Shown<'_>,
    corner: &mut Option<[usize; 2]>,
    settings: &KernelSettings,
    actions: &mut Vec<Action>,
) {
    let Shown { drawn, answer, .. } = *shown;
    let (size, picture) = (drawn.input.size, &answer.picture);
    let smaller = if picture.full == size {
        String::new()
    } else {
        format!(", of {}×{}", picture.full[0], picture.full[1])
    };
    let grid = fitted(
        captioned(
            ui,
            area,
            &format!("picture {}{smaller}", shape(&picture.pixels)),
        ),
        size,
    );
    drawn.input.paint(ui.painter(), 0, grid);
    let response = ui.interact(grid, ui.scope_id().with("picture"), Sense::click_and_drag());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, "Picture: drag to select a pattern")
    });
    let at = response
        .interact_pointer_pos()
        .map(|at| cell_at(grid, size, at));
    if response.drag_started() {
        // Where the button went down, not where the pointer was when that was a drag.
        let origin = ui.input(|input| input.pointer.press_origin());
        *corner = origin.map(|at| cell_at(grid, size, at)).or(at);
    }
    if let (Some(from), Some(to)) = (*corner, at) {
        let patch = patch(from, to);
        outline(ui, grid, size, patch, theme::palette(ui).accent);
        if response.drag_stopped() {
            actions.push(set(KernelSettings {
                patch: Some(patch),
                ..settings.clone()
            }));
        }
    }
    if !response.dragged() {
        *corner = None;
    }
    marks(ui, grid, shown);
    response.on_hover_text_at_pointer("Drag over a part of the picture to find it again");
}

/// The window of the value that is looked at, or the places that were found.
fn marks(ui: &Ui, grid: Rect, shown: &Shown<'_>) {
    let size = shown.drawn.input.size;
    match &shown.answer.outcome {
        Ok(Outcome::Match(found)) => places(ui, grid, size, found),
        Ok(Outcome::Response(response)) => {
            let [row, column] = super::result::chosen(shown.cell, response.output.size);
            let (slid, kernel) = (
                &shown.seen.query.request.settings,
                &shown.seen.query.request.kernel,
            );
            let corner = [
                (row * slid.stride) as i64 - response.margins.rows[0] as i64,
                (column * slid.stride) as i64 - response.margins.columns[0] as i64,
            ];
            let covers = kernel
                .size
                .map(|side| (slid.dilation * (side - 1) + 1) as i64);
            let rect = window_rect(grid, size, corner, covers);
            frame(
                ui,
                rect.expand((5.0 - rect.width()).max(0.0) / 2.0),
                theme::palette(ui).accent,
            );
        }
        Err(_) => {}
    }
}

/// Row, column, height and width between two corners.
fn patch(from: [usize; 2], to: [usize; 2]) -> [usize; 4] {
    let start = [0, 1].map(|axis: usize| from[axis].min(to[axis]));
    let side = [0, 1].map(|axis: usize| (from[axis].abs_diff(to[axis]) + 1).min(most_sides()));
    [start[0], start[1], side[0], side[1]]
}

fn outline(
    ui: &Ui,
    grid: Rect,
    size: [usize; 2],
    [row, column, height, width]: [usize; 4],
    color: Color32,
) -> Rect {
    let rect = window_rect(
        grid,
        size,
        [row as i64, column as i64],
        [height as i64, width as i64],
    );
    frame(ui, rect, color);
    rect
}

/// A frame that is seen on dark and on light.
fn frame(ui: &Ui, rect: Rect, color: Color32) {
    ui.painter().rect_stroke(
        rect,
        0.0,
        Stroke::new(3.0, Color32::from_black_alpha(150)),
        StrokeKind::Outside,
    );
    ui.painter()
        .rect_stroke(rect, 0.0, Stroke::new(1.5, color), StrokeKind::Outside);
}

/// The places that were found, numbered from the best.
fn places(ui: &Ui, grid: Rect, size: [usize; 2], found: &Match) {
    let colors = theme::palette(ui);
    let [top, left, height, width] = found.pattern.patch;
    for (number, place) in found.places.iter().enumerate().rev() {
        let own = place.at == [top, left];
        let color = if own { colors.accent } else { colors.second };
        let rect = outline(
            ui,
            grid,
            size,
            [place.at[0], place.at[1], height, width],
            color,
        );
        let tag = Rect::from_min_size(rect.min, vec2(12.0, 12.0));
        ui.painter().rect_filled(tag, 0.0, color);
        let text = (number + 1).to_string();
        ui.painter().text(
            tag.center(),
            Align2::CENTER_CENTER,
            text,
            theme::digits(theme::TINY),
            colors.back,
        );
    }
}
