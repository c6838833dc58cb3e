//! The playground for kernels: a picture, a kernel and what comes of it side by side, with the arithmetic of one
//! value; a patch of the picture as a kernel; a noisy curve and how it is smoothed.
//!
//! Everything is computed by the inspection service; this view keeps textures and the value that is looked at. While
//! an answer is on its way the former stays, with its own kernel.

mod cells;
mod controls;
mod curve;
mod formula;
mod picture;
mod result;

use super::super::loading_state::{reading, unread};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{empty, first_fitting};
use eframe::egui::{FontId, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::kernels::KernelSettings;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::kernel::{Colours, Pixels, colours, response_rgba};
use strata_inspect::kernel_playground::{Outcome, Playground};

type Seen = Reply<Playground>;

/// The view, with the textures of what it shows.
#[derive(Default)]
pub struct KernelsView {
    drawn: Option<(Arc<Seen>, Drawn)>,
    /// Row and column of the result that is looked at; `None` for its middle.
    cell: Option<[usize; 2]>,
    /// Where a patch is being dragged out, row and column of its first corner.
    corner: Option<[usize; 2]>,
}

/// Textures, and how the result's values became colours.
struct Drawn {
    input: Sheet,
    output: Sheet,
    colours: Colours,
    /// Of a patch: its weights.
    weights: Option<Sheet>,
}

/// Room for the words above a picture.
const CAPTION: f32 = 18.0;
/// Room for the arithmetic below.
const FORMULA: f32 = 38.0;
/// Between the columns.
const BETWEEN: f32 = 16.0;

impl View for KernelsView {
    fn title(&self) -> &'static str {
        "Kernels"
    }

    fn summary(&self) -> &'static str {
        "A kernel by hand on any image: what one convolution does"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Data
    }

    fn about(&self) -> &'static str {
        "A kernel on any picture: what one convolution does. The arithmetic is that of a layer (PyTorch's conv2d): cross-correlation, the kernel is laid on as it is written. Drag over the picture to take a patch as the kernel and find it again; the noisy curve shows the same with signals."
    }

    fn status(&self, state: &State) -> String {
        let Some(seen) = state.inspections.latest::<Playground>() else {
            return String::new();
        };
        let Ok(answer) = &seen.result else {
            return String::new();
        };
        match &answer.outcome {
            Ok(Outcome::Response(response)) => {
                let kernel = &seen.query.request.kernel;
                let size = format!("{}×{}", kernel.size[0], kernel.size[1]);
                format!(
                    "{} {size} · {} → {}",
                    kernel.name,
                    shape(&response.input),
                    shape(&response.output)
                )
            }
            Ok(Outcome::Match(found)) => {
                format!("find a pattern of {}", shape(&found.pattern.weights))
            }
            Err(_) => String::new(),
        }
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        controls::tools(ui, state, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(Some(state.kernel_query())));
        let seen = state.inspections.latest::<Playground>().cloned();
        controls::source(ui, state, seen.as_deref(), actions);
        controls::kernel(ui, &state.inspections.kernels, actions);
        ui.add_space(theme::STEP);
        match seen.as_ref().map(|seen| (seen, &seen.result)) {
            None => reading(
                ui,
                state,
                ("Reading the images …", &[TypeId::of::<Playground>()]),
                actions,
            ),
            Some((_, Err(error))) => unread(ui, state, "No picture to show", error, actions),
            Some((_, Ok(answer))) if answer.picture.pixels.values.is_empty() => {
                empty(
                    ui,
                    "No picture",
                    "Choose another source or folder in the settings on the right, or drop an image.",
                );
            }
            Some((seen, Ok(answer))) if ui.available_height() < LEAST => {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    let size = vec2(ui.available_width(), LEAST);
                    ui.allocate_ui(size, |ui| {
                        ui.set_min_size(size);
                        self.show(ui, state, seen, answer, actions);
                    });
                });
            }
            Some((seen, Ok(answer))) => self.show(ui, state, seen, answer, actions),
        }
    }
}

/// The least height of what is below the controls; in a lower tile it is scrolled over.
const LEAST: f32 = 300.0;
/// A view that is narrower has its kernel below picture and result.
const NARROW: f32 = 360.0;

impl KernelsView {
    fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        seen: &Arc<Seen>,
        answer: &Playground,
        actions: &mut Vec<Action>,
    ) {
        let area = ui.available_rect_before_wrap();
        self.update(ui, seen, answer);
        let Some((_, drawn)) = &self.drawn else {
            return;
        };
        let below = Rect::from_min_max(pos2(area.left(), area.bottom() - FORMULA), area.max);
        let above = Rect::from_min_max(area.min, pos2(area.right(), below.top() - theme::STEP));
        let is_signal = answer.picture.pixels.size[0] == 1;
        let [left, middle, right] = if is_signal {
            beside_plot(above)
        } else {
            columns(above)
        };
        let settings = &state.inspections.kernels;
        cells::show(ui, middle, settings, drawn, answer, actions);
        if is_signal {
            curve::show(ui, right, answer, &mut self.cell);
        } else {
            result::show(ui, right, drawn, answer, &mut self.cell);
            let shown = picture::Shown {
                drawn,
                seen,
                answer,
                cell: self.cell,
            };
            picture::show(ui, left, &shown, &mut self.corner, settings, actions);
        }
        formula::show(ui, below, seen, answer, self.cell);
    }

    /// Makes new textures only for another answer.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, answer: &Playground) {
        if self
            .drawn
            .as_ref()
            .is_some_and(|(drawn, _)| Arc::ptr_eq(drawn, seen))
        {
            return;
        }
        let sheet = |name: &str, pixels: &Pixels, colours| {
            Sheet::new(ui.ctx(), name, pixels.size, 1, |_| {
                response_rgba(pixels, colours)
            })
        };
        let plain = Pixels {
            size: [1, 1],
            channels: 1,
            values: vec![0.0],
        };
        let (input, output, is_difference, weights) = match &answer.outcome {
            Ok(Outcome::Response(response)) => (
                &response.input,
                &response.output,
                seen.query.request.kernel.is_difference(),
                None,
            ),
            Ok(Outcome::Match(found)) => (
                &found.input,
                &found.scores,
                true,
                Some(&found.pattern.weights),
            ),
            Err(_) => (&answer.picture.pixels, &plain, false, None),
        };
        let colours_of = colours(output, is_difference);
        // A signal is drawn as a line, so it needs no texture of a thousand columns.
        let (input, output) = if input.size[0] == 1 {
            (&plain, &plain)
        } else {
            (input, output)
        };
        let drawn = Drawn {
            input: sheet("kernels input", input, Colours::PICTURE),
            output: sheet("kernels output", output, colours_of),
            colours: colours_of,
            weights: weights
                .map(|weights| sheet("kernels pattern", weights, colours(weights, true))),
        };
        self.drawn = Some((seen.clone(), drawn));
    }
}

/// Of a signal: nothing, the kernel, the plot.
fn beside_plot(area: Rect) -> [Rect; 3] {
    let (kernel, plot) = area.split_left_right_at_x(area.left() + (area.width() * 0.4).min(380.0));
    let kernel = Rect::from_min_max(kernel.min, kernel.max - vec2(BETWEEN, 0.0));
    [Rect::from_min_size(area.min, vec2(0.0, 0.0)), kernel, plot]
}

/// Picture, kernel, result.
fn columns(area: Rect) -> [Rect; 3] {
    if area.width() < NARROW {
        let (above, kernel) = area.split_top_bottom_at_fraction(0.5);
        let above = above.with_max_y(above.bottom() - theme::GAP);
        let (picture, result) = above.split_left_right_at_fraction(0.45);
        let picture = picture.with_max_x(picture.right() - theme::GAP);
        return [picture, kernel, result];
    }
    let kernel = (area.width() * 0.26)
        .clamp(120.0, 300.0)
        .min(area.width() * 0.4);
    let side = ((area.width() - kernel - 2.0 * BETWEEN) / 2.0).max(1.0);
    let part = |left: f32, width: f32| {
        Rect::from_min_size(pos2(left, area.top()), vec2(width, area.height()))
    };
    // No wider than high: what is left over goes to the right.
    let square = side.min((area.height() - CAPTION).max(side * 0.5) * 1.4);
    let first = part(area.left(), square);
    let second = part(first.right() + BETWEEN, kernel);
    [
        first,
        second,
        part(
            second.right() + BETWEEN,
            (area.right() - second.right() - BETWEEN).min(square + 72.0),
        ),
    ]
}

fn set(settings: KernelSettings) -> Action {
    Action::Show(Show::Kernels(Box::new(settings)))
}

/// `3×32×32`
fn shape(pixels: &Pixels) -> String {
    format!("{}×{}×{}", pixels.channels, pixels.size[0], pixels.size[1])
}

/// Writes a line above a picture and returns the rest of the area.
fn captioned(ui: &Ui, area: Rect, text: &str) -> Rect {
    let font = FontId::proportional(theme::SMALL);
    let ink = theme::palette(ui).weak;
    let short = text.split(", ").next().unwrap_or(text);
    let words = first_fitting(ui, &[text, short], font, ink, area.width());
    ui.painter().galley(area.min, words, ink);
    Rect::from_min_max(area.min + vec2(0.0, CAPTION), area.max)
}

/// The largest rectangle of this ratio in the upper left.
fn fitted(area: Rect, [height, width]: [usize; 2]) -> Rect {
    let (tall, wide) = (height.max(1) as f32, width.max(1) as f32);
    let scale = (area.width() / wide).min(area.height() / tall).max(0.0);
    Rect::from_min_size(area.min, vec2(wide, tall) * scale)
}

/// The cell of a grid under a point.
fn cell_at(grid: Rect, [height, width]: [usize; 2], at: eframe::egui::Pos2) -> [usize; 2] {
    let share = (at - grid.min) / grid.size();
    let index = |share: f32, count: usize| {
        ((share * count as f32).max(0.0) as usize).min(count.saturating_sub(1))
    };
    [index(share.y, height), index(share.x, width)]
}

/// The place of a window of cells, which may reach beyond the grid.
fn window_rect(grid: Rect, [height, width]: [usize; 2], corner: [i64; 2], size: [i64; 2]) -> Rect {
    let unit = vec2(
        grid.width() / width.max(1) as f32,
        grid.height() / height.max(1) as f32,
    );
    let min = grid.min + vec2(corner[1] as f32 * unit.x, corner[0] as f32 * unit.y);
    Rect::from_min_size(min, vec2(size[1] as f32 * unit.x, size[0] as f32 * unit.y))
}

/// A value in few letters.
fn short(value: f32) -> String {
    format::short(value.into(), 2)
}

/// A part of the view.
fn child(ui: &mut Ui, name: &str, area: Rect) -> Ui {
    ui.new_child(UiBuilder::new().id_salt(name).max_rect(area))
}
