//! What a view shows as its own picture, for a paper or a slide: the view is laid out once more, larger
//! than on the screen and without its switches, painted on the processor and written as a PNG file, or as SVG.
//!
//! Laying out takes a few milliseconds and happens at once, so that the picture is of the moment that was
//! asked for; painting and writing happen on their own thread. A file that cannot be written is a
//! message.

use super::offscreen::Canvas;
use super::svg;
use super::theme;
use super::view::View;
use super::widgets::plain;
use eframe::egui::epaint::{ClippedPrimitive, ClippedShape};
use eframe::egui::{
    CentralPanel, Color32, ColorImage, Context, Frame, Margin, RawInput, Rect, RichText, TextStyle,
    Theme, Ui, ViewportId, pos2,
};
use image::RgbaImage;
use std::path::Path;
use strata_app::state::State;
use strata_core::atomic_write::write_atomic;
use strata_inspect::picture::png;

/// Points across and down.
const SIZE: [f32; 2] = [960.0, 600.0];
/// Pixels of a point.
pub(crate) const SCALE: f32 = 2.0;
/// Plots and tiles need a second pass to fit themselves to what they hold.
const PASSES: usize = 3;

/// A picture that was laid out and is not painted yet.
pub struct Snapshot {
    pub(crate) shapes: Vec<ClippedShape>,
    pub(crate) primitives: Vec<ClippedPrimitive>,
    pub(crate) canvas: Canvas,
    pub(crate) back: Color32,
    /// Points across and down.
    pub(crate) size: [f32; 2],
}

impl Snapshot {
    /// What a view shows now: on a light background, or in the theme of the window.
    pub fn of(view: &mut dyn View, state: &State) -> Snapshot {
        let (title, about) = (view.title(), view.status(state));
        let line = format!("{} · {about}", state.project().title);
        let dark = state.view.looks_dark && !state.view.light_pictures;
        Snapshot::titled(title, &line, dark, |ui| view.picture(ui, state))
    }

    /// What `content` draws, below a title and a line of words.
    pub(crate) fn titled(
        title: &str,
        line: &str,
        dark: bool,
        mut content: impl FnMut(&mut Ui),
    ) -> Snapshot {
        let (title, line) = (&plain(title), &plain(line));
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.set_theme(if dark { Theme::Dark } else { Theme::Light });
        let mut canvas = Canvas::default();
        let (mut shapes, mut primitives) = (Vec::new(), Vec::new());
        for pass in 0..PASSES {
            let mut output = ctx.run_ui(input(pass), |ui| show(ui, title, line, &mut content));
            canvas.update(&mut output.textures_delta);
            if pass + 1 == PASSES {
                shapes = output.shapes.clone();
                primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
            }
        }
        let back = if dark {
            theme::DARK.panel
        } else {
            theme::LIGHT.panel
        };
        Snapshot {
            shapes,
            primitives,
            canvas,
            back,
            size: SIZE,
        }
    }

    /// Its pixels.
    pub fn paint(&self) -> RgbaImage {
        let [width, height] = self.pixels();
        let picture = self.image();
        let bytes = picture.pixels.iter().flat_map(|pixel| pixel.to_array());
        RgbaImage::from_raw(width as u32, height as u32, bytes.collect()).unwrap_or_default()
    }

    /// The same as the clipboard takes it.
    pub fn image(&self) -> ColorImage {
        self.canvas
            .paint(&self.primitives, self.pixels(), SCALE, self.back)
    }

    /// The picture as SVG.
    pub fn svg(&self) -> String {
        svg::picture(&self.shapes, &self.canvas, self.size, self.back)
    }

    fn pixels(&self) -> [usize; 2] {
        self.size.map(|points| (points * SCALE).ceil() as usize)
    }

    /// Paints it into a file, as SVG where its name ends so; fails with what and where in words.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let bytes = match is_svg(path) {
            true => self.svg().into_bytes(),
            false => png(&self.paint()).map_err(|error| error.to_string())?,
        };
        write_atomic(path, &bytes).map_err(|error| {
            format!(
                "{} cannot be written: {error}; choose another place for the picture",
                path.display()
            )
        })
    }
}

/// Whether a file of this name is an SVG picture.
pub fn is_svg(path: &Path) -> bool {
    let ending = path.extension();
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("svg"))
}

fn input(pass: usize) -> RawInput {
    let [width, height] = SIZE;
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_max(pos2(0.0, 0.0), pos2(width, height))),
        // Nothing fades in.
        time: Some(pass as f64),
        ..RawInput::default()
    };
    if let Some(viewport) = input.viewports.get_mut(&ViewportId::ROOT) {
        viewport.native_pixels_per_point = Some(SCALE);
    }
    input
}

fn width_of(ui: &Ui, line: &str) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    let text = ui
        .painter()
        .layout_no_wrap(line.to_owned(), font, Color32::WHITE);
    text.size().x
}

fn show(ui: &mut Ui, title: &str, line: &str, content: &mut dyn FnMut(&mut Ui)) {
    let colors = *theme::palette(ui);
    CentralPanel::default()
        .frame(
            Frame::new()
                .fill(colors.panel)
                .inner_margin(Margin::same(20)),
        )
        .show(ui, |ui| {
            let about = RichText::new(line).color(colors.weak);
            let is_beside = ui.horizontal(|ui| {
                ui.label(
                    RichText::new(title)
                        .font(theme::heading(theme::TITLE))
                        .color(colors.strong),
                );
                let is_beside = width_of(ui, line) <= ui.available_width();
                if is_beside {
                    ui.label(about.clone());
                }
                is_beside
            });
            // A long one stands below the title, in as many lines as it needs.
            if !is_beside.inner {
                ui.label(about);
            }
            ui.add_space(theme::GAP);
            content(ui);
        });
}
