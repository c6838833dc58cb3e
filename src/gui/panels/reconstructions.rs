//! The probe images over what the network makes of them, live.

use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::text;
use crate::gui::theme;
use crate::gui::widgets::empty;
use crate::gui::widgets::tile::View;
use crate::inspect::picture::image_rgba;
use crate::inspect::reconstructions::Reconstructions;
use crate::project::stage::Task;
use eframe::egui::{
    Align2, Color32, ColorImage, Context, FontId, Rect, RichText, Role, Sense, TextureHandle, TextureOptions, Ui,
    WidgetInfo, pos2, vec2,
};
use std::sync::Arc;

/// The view, with the texture of what it shows.
#[derive(Default)]
pub struct ReconstructionsView {
    drawn: Option<(Arc<Reconstructions>, TextureHandle)>,
}

/// How much brighter the difference is drawn.
const CONTRAST: u16 = 4;
const ROWS: [(&str, &str); 3] = [
    ("input", "The probe images: fixed for the whole run."),
    ("output", "What the network makes of them."),
    ("|diff|", "The difference, four times as bright."),
];
const LABELS: f32 = 48.0;
const NUMBERS: f32 = 20.0;
const GAP: f32 = 8.0;

impl View for ReconstructionsView {
    fn title(&self) -> &'static str {
        "Reconstructions"
    }

    fn about(&self) -> &'static str {
        "Fixed probe images from the validation split, what encoder and decoder make of them, and the difference. The number is the mean squared error (MSE) of each, in the network's units."
    }

    fn status(&self, state: &State) -> String {
        state.training.reconstructions.as_ref().map_or_else(String::new, |r| {
            let mse = text::loss(f64::from(r.mean_mse));
            format!("probe images · step {} · MSE {mse} · {:.1} dB", text::count(r.step), r.psnr)
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, _: &mut Vec<Action>) {
        if state.training.reconstructions.is_some() {
            let note =
                RichText::new(format!("difference ×{CONTRAST}")).size(theme::SMALL).color(theme::palette(ui).weak);
            ui.label(note);
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, _: &mut Vec<Action>) {
        let Some(latest) = state.training.reconstructions.as_ref().filter(|r| !r.mse.is_empty()) else {
            self.drawn = None;
            let (heading, hint) = if state.has_task(Task::Reconstruct) {
                ("No pictures yet", "Press Train: the first pictures appear within a second.")
            } else {
                ("Nothing to reconstruct", "A decoder and a stage with task reconstruct fill this view.")
            };
            empty(ui, heading, hint);
            return;
        };
        self.update(ui.ctx(), latest);
        if let Some((shown, texture)) = &self.drawn {
            grid(ui, shown, texture);
        }
    }
}

impl ReconstructionsView {
    /// Makes a new texture only when new pictures came.
    fn update(&mut self, ctx: &Context, latest: &Arc<Reconstructions>) {
        match &mut self.drawn {
            Some((shown, _)) if Arc::ptr_eq(shown, latest) => {}
            Some((shown, texture)) => {
                texture.set(sheet(latest), TextureOptions::NEAREST);
                *shown = latest.clone();
            }
            None => {
                let texture = ctx.load_texture("reconstructions", sheet(latest), TextureOptions::NEAREST);
                self.drawn = Some((latest.clone(), texture));
            }
        }
    }
}

/// Inputs, outputs and differences as three columns of images, one row for each probe.
fn sheet(r: &Reconstructions) -> ColorImage {
    let difference: Vec<u8> = r.inputs.iter().zip(&r.outputs).map(|(&a, &b)| brighter(a.abs_diff(b))).collect();
    let size = r.height * r.width * r.channels;
    let mut image = ColorImage::filled([3 * r.width, r.mse.len() * r.height], Color32::BLACK);
    for (column, bytes) in [&r.inputs, &r.outputs, &difference].into_iter().enumerate() {
        for (index, picture) in bytes.chunks_exact(size.max(1)).take(r.mse.len()).enumerate() {
            for (place, pixel) in image_rgba(picture, r.channels).chunks_exact(4).enumerate() {
                let (x, y) = (column * r.width + place % r.width, index * r.height + place / r.width);
                image[(x, y)] = Color32::from_rgb(pixel[0], pixel[1], pixel[2]);
            }
        }
    }
    image
}

fn brighter(difference: u8) -> u8 {
    (u16::from(difference) * CONTRAST).min(255) as u8
}

fn grid(ui: &mut Ui, r: &Reconstructions, texture: &TextureHandle) {
    let space = ui.available_size();
    let (area, response) = ui.allocate_exact_size(space, Sense::hover());
    let count = r.mse.len();
    response.widget_info(|| {
        let text = format!("{count} probe images and their reconstructions, mean squared error {:.4}", r.mean_mse);
        WidgetInfo::labeled(Role::Image, true, text)
    });
    let ratio = r.width as f32 / r.height.max(1) as f32;
    let tall = ((space.y - NUMBERS) / 3.0 - GAP).clamp(16.0, 128.0).floor();
    let fitting = ((space.x - LABELS) / count.max(1) as f32 - GAP) / ratio;
    let tall = if fitting >= 40.0 { tall.min(fitting.floor()) } else { tall.min(56.0) };
    let cell = vec2(tall * ratio, tall);
    let columns = (((space.x - LABELS) / (cell.x + GAP)).floor() as usize).clamp(1, count);
    let top = area.top() + ((space.y - NUMBERS - 3.0 * (cell.y + GAP)) / 2.0).clamp(0.0, 16.0);
    let place = |column: usize, row: usize| {
        let x = area.left() + LABELS + column as f32 * (cell.x + GAP);
        Rect::from_min_size(pos2(x, top + row as f32 * (cell.y + GAP)), cell)
    };
    paint(ui, r, texture, columns, &place);
    let over = response.hover_pos().and_then(|at| {
        (0..3)
            .flat_map(|row| (0..columns).map(move |column| (row, column)))
            .find(|&(row, column)| place(column, row).contains(at))
    });
    if let Some((row, column)) = over {
        let (name, about) = ROWS[row];
        let mse = text::loss(f64::from(r.mse[column]));
        response.on_hover_text_at_pointer(format!("{name} of probe image {}\n{about}\nMSE {mse}", column + 1));
    }
}

fn paint(ui: &Ui, r: &Reconstructions, texture: &TextureHandle, columns: usize, place: &dyn Fn(usize, usize) -> Rect) {
    let colors = theme::palette(ui);
    let painter = ui.painter();
    for (row, (name, _)) in ROWS.iter().enumerate() {
        let cell = place(0, row);
        let at = pos2(cell.left() - LABELS, cell.center().y);
        painter.text(at, Align2::LEFT_CENTER, *name, FontId::proportional(theme::SMALL), colors.weak);
        for column in 0..columns {
            let (w, h) = (1.0 / 3.0, 1.0 / r.mse.len() as f32);
            let uv = Rect::from_min_size(pos2(row as f32 * w, column as f32 * h), vec2(w, h));
            painter.image(texture.id(), place(column, row), uv, Color32::WHITE);
        }
    }
    for (column, mse) in r.mse.iter().take(columns).enumerate() {
        let at = place(column, 2).center_bottom() + vec2(0.0, 4.0);
        painter.text(at, Align2::CENTER_TOP, text::loss(f64::from(*mse)), theme::digits(10.0), colors.weak);
    }
}
