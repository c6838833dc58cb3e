//! One value of the trained network: where it is read, the numbers and the weights, and the sum.

mod scene;
mod table;

use super::super::super::loading_state::{failed, reading};
use super::set;
use crate::theme;
use crate::widgets::empty;
use crate::widgets::raster::Sheet;
use eframe::egui::{DragValue, FontId, Label, Rect, RichText, Ui, UiBuilder};
use scene::scene;
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::lens::LensSettings;
use strata_app::state::State;
use strata_core::project::size::Shape;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::Reply;
use strata_inspect::inspection::Subject;
use strata_inspect::maps::map_rgba;
use strata_inspect::picture::diverging;
use strata_inspect::pixel::Pixel;

type Seen = Reply<Pixel>;

/// The textures of the maps that are drawn, and what they are of.
#[derive(Default)]
pub(super) struct Maps(Option<(Arc<Seen>, usize, [Sheet; 2])>);

/// The sum below.
const BELOW: f32 = 38.0;
const CAPTION: f32 = 18.0;

/// Shows the value in the lens.
pub(super) fn show(ui: &mut Ui, state: &State, maps: &mut Maps, actions: &mut Vec<Action>) {
    let place = state.lens_place();
    let fits = |seen: &&Arc<Seen>| Some(&seen.query.request.place) == place.as_ref();
    let Some(seen) = state.run_reply::<Pixel>().filter(fits) else {
        return match state.subject() {
            Some(Subject::Stored(_)) => reading(
                ui,
                state,
                ("Opening the run …", &[TypeId::of::<Pixel>()]),
                actions,
            ),
            Some(Subject::Live) => {
                empty(ui, "Looking …", "The numbers come with the next pictures.")
            }
            _ => empty(
                ui,
                "No network to look into yet",
                "Press Train, or open a run folder: then a value's inputs and weights are shown.",
            ),
        };
    };
    match &seen.result {
        Err(error) => failed(ui, "No numbers of this", &error.to_string(), actions),
        Ok(pixel) => worked(ui, seen, pixel, state.view.lens, maps, actions),
    }
}

fn worked(
    ui: &mut Ui,
    seen: &Arc<Seen>,
    pixel: &Pixel,
    settings: LensSettings,
    maps: &mut Maps,
    actions: &mut Vec<Action>,
) {
    chooser(ui, pixel, settings, actions);
    let area = ui.available_rect_before_wrap();
    let (above, below) = area.split_top_bottom_at_y(area.bottom() - BELOW - 4.0);
    let part = settings.part.min(pixel.parts.len().saturating_sub(1));
    let shown = pixel.parts.get(part);
    let channel = shown.map_or(0, |part| part.channel);
    maps.update(ui, seen, pixel, channel);
    scene(ui, above, pixel, shown, maps, settings, actions);
    sum(ui, below, pixel);
}

/// The fields that choose the value, and the channel of the input whose window is drawn.
fn chooser(ui: &mut Ui, pixel: &Pixel, settings: LensSettings, actions: &mut Vec<Action>) {
    let [depth, height, width] = pixel.output.volume();
    let sizes = [pixel.output.channels(), depth, height, width];
    let names = ["channel", "slice", "row", "column"];
    let mut chosen = settings;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let mut at = pixel.at;
        for axis in (0..4).filter(|axis| *axis == 0 || sizes[*axis] > 1) {
            let most = sizes[axis] - 1;
            if field(
                ui,
                names[axis],
                &format!("Output {}", names[axis]),
                &mut at[axis],
                most,
            ) {
                chosen.at = Some(at);
            }
        }
        let mut image = pixel.image[0];
        if pixel.image[1] > 1 && field(ui, "image", "Probe image", &mut image, pixel.image[1] - 1) {
            chosen.image = image;
        }
        let mut part = settings.part.min(pixel.parts.len().saturating_sub(1));
        let drawn = pixel
            .parts
            .iter()
            .filter(|part| !part.terms.is_empty())
            .count();
        if drawn > 1
            && pixel.kernel.is_some()
            && field(
                ui,
                "of input channel",
                "Input channel",
                &mut part,
                drawn - 1,
            )
        {
            chosen.part = part;
        }
    });
    if chosen != settings {
        actions.push(set(chosen));
    }
}

fn field(ui: &mut Ui, text: &str, name: &str, value: &mut usize, most: usize) -> bool {
    ui.label(
        RichText::new(text)
            .size(theme::SMALL)
            .color(theme::palette(ui).weak),
    );
    let drag = DragValue::new(value).range(0..=most).speed(0.1);
    let hover = format!("0 to {most}: drag, or type a number");
    let response = ui.add(drag).on_hover_text(hover).accessible_name(name);
    ui.add_space(4.0);
    response.changed()
}

impl Maps {
    /// Makes new textures when there is another value, or another channel to see.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, pixel: &Pixel, channel: usize) {
        if self
            .0
            .as_ref()
            .is_some_and(|(drawn, of, _)| Arc::ptr_eq(drawn, seen) && *of == channel)
        {
            return;
        }
        let sheet = |name: &str, map: &[f32], shape: &Shape, channel: usize, depth: usize| {
            let (rows, columns) = plane(shape);
            let cells = rows * columns;
            let start = (channel * shape.volume()[0] + depth) * cells;
            let values = if shape.rank() == 0 {
                map
            } else {
                map.get(start..start + cells).unwrap_or_default()
            };
            let rgba = colours(values);
            Sheet::new(ui.ctx(), name, [rows, columns], 1, |_| rgba.clone())
        };
        let read = pixel
            .parts
            .iter()
            .flat_map(|part| part.terms.first())
            .next()
            .map_or(0, |term| term.at[0].max(0) as usize);
        let input = sheet(
            "lens input",
            &pixel.maps[0],
            &pixel.input,
            channel,
            read.min(pixel.input.volume()[0] - 1),
        );
        let output = sheet(
            "lens output",
            &pixel.maps[1],
            &pixel.output,
            pixel.at[0],
            pixel.at[1],
        );
        self.0 = Some((seen.clone(), channel, [input, output]));
    }
}

/// Rows and columns that a map is drawn with: a vector is drawn as a nearly square block.
fn plane(shape: &Shape) -> (usize, usize) {
    match shape.rank() {
        0 => {
            let columns = (shape.channels() as f64).sqrt().ceil().max(1.0) as usize;
            (shape.channels().div_ceil(columns), columns)
        }
        _ => (shape.volume()[1], shape.volume()[2]),
    }
}

/// Signed numbers around zero, others from dark to bright.
fn colours(values: &[f32]) -> Vec<u8> {
    if values.iter().all(|value| *value >= 0.0) {
        return map_rgba(values);
    }
    let most = values
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()))
        .max(f32::MIN_POSITIVE);
    values
        .iter()
        .flat_map(|value| diverging(value / most))
        .collect::<Vec<u8>>()
        .chunks_exact(3)
        .flat_map(|c| [c[0], c[1], c[2], 255])
        .collect()
}

/// The sum in words, and that the network has the same.
fn sum(ui: &mut Ui, area: Rect, pixel: &Pixel) {
    let colors = *theme::palette(ui);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("pixel sum").max_rect(area));
    inner.spacing_mut().item_spacing.y = 2.0;
    let sentence = pixel.sentence();
    let line = RichText::new(&sentence)
        .font(theme::digits(theme::CODE))
        .color(colors.text);
    inner
        .add(Label::new(line).truncate().show_tooltip_when_elided(false))
        .on_hover_text(&sentence);
    let off = (pixel.value - f64::from(pixel.network)).abs()
        > 1e-3 * f64::from(pixel.network.abs()).max(1e-2);
    let (said, color) = if off {
        ("differs from", colors.wrong)
    } else {
        ("is what the network has:", colors.proven)
    };
    let text = format!(
        "{} {said} {} · {} after {} steps",
        number(pixel.value),
        number(pixel.network.into()),
        pixel.text,
        strata_core::format::count(pixel.step)
    );
    inner.add(
        Label::new(
            RichText::new(text)
                .font(FontId::proportional(theme::SMALL))
                .color(color),
        )
        .truncate(),
    );
}
