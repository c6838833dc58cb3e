//! The result with its colour bar: the pointer or the arrow keys choose the value whose arithmetic is shown.

use super::{Drawn, captioned, cell_at, fitted, shape, short, window_rect};
use crate::theme;
use crate::widgets::keep_arrows;
use crate::widgets::raster::shades;
use eframe::egui::{
    Align2, Color32, FontId, Key, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};
use strata_core::format;
use strata_inspect::kernel::{Colours, Pixels, response_rgba};
use strata_inspect::kernel_playground::{Outcome, Playground};

/// Room for the colour bar and its figures.
const BAR: f32 = 64.0;

/// The value that is looked at: the chosen one as far as it is there, or the middle.
pub(super) fn chosen(cell: Option<[usize; 2]>, size: [usize; 2]) -> [usize; 2] {
    let cell = cell.unwrap_or(size.map(|side| side / 2));
    [0, 1].map(|axis: usize| cell[axis].min(size[axis].saturating_sub(1)))
}

/// Shows the result, or why there is none.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    drawn: &Drawn,
    answer: &Playground,
    cell: &mut Option<[usize; 2]>,
) {
    let output = match &answer.outcome {
        Ok(Outcome::Response(response)) => &response.output,
        Ok(Outcome::Match(found)) => &found.scores,
        Err(error) => {
            let inner = captioned(ui, area, "no result");
            let colors = theme::palette(ui);
            let galley = ui.painter().layout(
                error.to_string(),
                FontId::proportional(theme::BODY),
                colors.wrong,
                inner.width(),
            );
            ui.painter().galley(inner.min, galley, colors.wrong);
            return;
        }
    };
    let inner = captioned(
        ui,
        area,
        &format!("result {}, {}", shape(output), span(output)),
    );
    let room = Rect::from_min_max(inner.min, pos2(inner.right() - BAR, inner.bottom()));
    let grid = fitted(room, output.size);
    drawn.output.paint(ui.painter(), 0, grid);
    let response = ui.interact(grid, ui.scope_id().with("result"), Sense::click_and_drag());
    steer(ui, &response, output.size, grid, cell);
    let [row, column] = chosen(*cell, output.size);
    let name = format!("Result, row {}, column {}", row + 1, column + 1);
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, name.clone()));
    let colors = theme::palette(ui);
    if response.has_focus() {
        ui.painter().rect_stroke(
            grid,
            0.0,
            Stroke::new(1.5, colors.accent),
            StrokeKind::Outside,
        );
    }
    let rect = window_rect(grid, output.size, [row as i64, column as i64], [1, 1]);
    let rect = Rect::from_center_size(rect.center(), rect.size().max(vec2(5.0, 5.0)));
    ui.painter().rect_stroke(
        rect,
        0.0,
        Stroke::new(3.0, Color32::from_black_alpha(150)),
        StrokeKind::Outside,
    );
    ui.painter().rect_stroke(
        rect,
        0.0,
        Stroke::new(1.5, colors.accent),
        StrokeKind::Outside,
    );
    bar(
        ui,
        Rect::from_min_size(grid.right_top() + vec2(8.0, 0.0), vec2(10.0, grid.height())),
        drawn.colours,
    );
}

/// The pointer chooses while it is over the result, the arrow keys while it has the focus.
fn steer(
    ui: &Ui,
    response: &Response,
    size: [usize; 2],
    grid: Rect,
    cell: &mut Option<[usize; 2]>,
) {
    if response.clicked() {
        response.request_focus();
    }
    if let Some(at) = response
        .hover_pos()
        .filter(|_| ui.input(|input| input.pointer.delta().length() > 0.0))
    {
        *cell = Some(cell_at(grid, size, at));
    }
    if !response.has_focus() {
        return;
    }
    keep_arrows(response);
    let pressed = |key: Key| ui.input(|input| input.num_presses(key));
    let [row, column] = chosen(*cell, size);
    let moved = [
        (row + pressed(Key::ArrowDown)).saturating_sub(pressed(Key::ArrowUp)),
        (column + pressed(Key::ArrowRight)).saturating_sub(pressed(Key::ArrowLeft)),
    ];
    if moved != [row, column] {
        *cell = Some(chosen(Some(moved), size));
    }
}

fn span(output: &Pixels) -> String {
    let span = format::span(output.values.iter().map(|&value| f64::from(value)));
    span.map_or_else(
        || "no finite value".to_owned(),
        |[low, high]| format!("{} to {}", format::short(low, 2), format::short(high, 2)),
    )
}

/// What the colours mean.
fn bar(ui: &Ui, bar: Rect, colours: Colours) {
    let [low, high] = colours.ends();
    let channels = if matches!(colours, Colours::SignedColour(_)) {
        3
    } else {
        1
    };
    shades(ui.painter(), bar, |share| {
        let values = vec![low + (high - low) * share; channels];
        let rgba = response_rgba(
            &Pixels {
                size: [1, 1],
                channels,
                values,
            },
            colours,
        );
        rgba.get(..3).map_or(Color32::BLACK, |rgb| {
            Color32::from_rgb(rgb[0], rgb[1], rgb[2])
        })
    });
    let weak = theme::palette(ui).weak;
    let write = |y: f32, align: Align2, value: f32| {
        ui.painter().text(
            pos2(bar.right() + 4.0, y),
            align,
            short(value),
            theme::digits(theme::TINY),
            weak,
        );
    };
    write(bar.top(), Align2::LEFT_TOP, high);
    // In a low bar the numbers would lie over each other.
    if bar.height() >= 2.0 * theme::TINY + 4.0 {
        write(bar.bottom(), Align2::LEFT_BOTTOM, low);
    }
    if low < 0.0 && high > 0.0 && bar.height() >= 3.0 * theme::TINY + 10.0 {
        let zero = high / (high - low);
        write(bar.top() + zero * bar.height(), Align2::LEFT_CENTER, 0.0);
    }
}
