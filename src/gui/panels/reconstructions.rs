//! The probe images over what the network makes of them, live; the errors over a split; and the code, to be changed by
//! hand.

mod choice;
mod closely;
mod code;
mod errors;
mod grid;

use closely::seen;
use grid::show_grid;

pub use choice::{ReconstructionChoice, Shown};

use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::{empty, volume_slice};
use eframe::egui::{
    Color32, ColorImage, Context, Rect, RichText, TextureHandle, TextureOptions, Ui, UiBuilder,
    pos2, vec2,
};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::stage::Task;
use strata_inspect::code_edit::CodeEdit;
use strata_inspect::inspection::{Slice, Subject};
use strata_inspect::picture::{CURVE, compared, image_rgba};
use strata_inspect::reconstruction_errors::{self, ReconstructionErrors};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::since_words;

/// The view, with the texture of what it shows.
#[derive(Default)]
pub(crate) struct ReconstructionsView {
    drawn: Option<Drawn>,
    /// Of an image file: all pictures, some in a row.
    parts: Vec<(Reconstructions, TextureHandle)>,
    errors: Option<errors::Drawn>,
    code: Option<code::Drawn>,
    /// The unit of the code that the keys move.
    unit: usize,
}

/// A texture, and what it shows of which pictures.
struct Drawn {
    of: Arc<Reconstructions>,
    slice: Slice,
    shown: Reconstructions,
    texture: TextureHandle,
}

/// Probes in a row of an image file.
const IN_ROW: usize = 8;

/// How much brighter the difference is drawn.
const CONTRAST: u16 = 4;
const ROWS: [(&str, &str); 3] = [
    ("input", "The probe images: fixed for the whole run."),
    ("output", "What the network makes of them."),
    ("diff ×4", "The difference, four times as bright."),
];
/// The same for signals.
const CURVES: [(&str, &str); 3] = [
    ("input", "The probe signals: fixed for the whole run."),
    ("output", "What the network makes of them."),
    (
        "both",
        "Over each other: white where they agree, blue the input alone, orange the output alone.",
    ),
];
/// The same where the change since an earlier step is shown.
const CHANGED: [(&str, &str); 3] = [
    (
        "then",
        "What the network made of the probe images at the earlier step.",
    ),
    ("now", "What it makes of them with the newest weights."),
    ("diff ×4", "The difference of both, four times as bright."),
];
const CHANGED_CURVES: [(&str, &str); 3] = [
    (
        "then",
        "What the network made of the probe signals at the earlier step.",
    ),
    ("now", "What it makes of them with the newest weights."),
    (
        "both",
        "Over each other: white where they agree, blue what was made then alone, orange what is made now alone.",
    ),
];
const LABELS: f32 = 48.0;
const NUMBERS: f32 = 20.0;
const GAP: f32 = 8.0;

impl View for ReconstructionsView {
    fn title(&self) -> &'static str {
        "Reconstructions"
    }

    fn summary(&self) -> &'static str {
        "Probe images over what the network makes of them; errors over a split; the code by hand"
    }

    fn words(&self) -> &'static str {
        "autoencoder output decoded images psnr ssim error histogram best worst code latent units interpolate walk noise edit"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "Fixed probe images from the validation split, what encoder and decoder make of them, and the difference (of signals, both over each other). The number is the mean squared error (MSE) of each, in pixels of the range that is set, or from 0 to 1 where they are standardised. Of the outputs a value beyond black or white is drawn black or white; how many are is said above. Errors shows them for every image of a split: histogram, PSNR and SSIM, the best and the worst images, and where the error is. Code shows the numbers between encoder and decoder as bars: drag one and see what the decoder makes of it; walk to another image, add noise, and see what each unit paints alone."
    }

    fn status(&self, state: &State) -> String {
        let choice: ReconstructionChoice = state.choices.get();
        let step = |step: u64| format::count(step);
        match choice.shown {
            Shown::Probes => {}
            Shown::Errors => {
                return seen::<ReconstructionErrors>(state).map_or_else(String::new, |errors| {
                    let [count, of] =
                        [errors.errors.len(), errors.of].map(|n| format::count(n as u64));
                    format!(
                        "{count} of {of} {} images · step {}{}",
                        errors.split,
                        step(errors.step),
                        since_words(errors.before.as_ref().map(|before| before.step))
                    )
                });
            }
            Shown::Code => {
                return seen::<CodeEdit>(state).map_or_else(String::new, |edit| {
                    let shape: Vec<String> = edit.shape.iter().map(usize::to_string).collect();
                    let image = edit.image[0] + 1;
                    format!(
                        "code of image {image}: {} · step {}",
                        shape.join("×"),
                        step(edit.step)
                    )
                });
            }
        }
        state
            .reconstructions()
            .and_then(Result::ok)
            .map_or_else(String::new, |r| {
                let mse = format::loss(f64::from(r.mean_mse));
                let outside = match r.outside > 0.0 {
                    true => format!(" · {:.2} % beyond black or white", 100.0 * r.outside),
                    false => String::new(),
                };
                let colors = match r.are_signals() {
                    true if r.since.is_some() => " · blue then + orange now = white",
                    true => " · blue input + orange output = white",
                    false => "",
                };
                format!(
                    "probe {}s · step {}{} · MSE {mse} · {} dB{outside}{colors}",
                    noun(r),
                    format::count(r.step),
                    since_words(r.since),
                    format::fixed(r.psnr.into(), 1)
                )
            })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if let Some(Ok(r)) = state.reconstructions() {
            volume_slice(ui, state, r.slice, actions);
        }
        if state.has_task(Task::Reconstruct) {
            choice::tools(ui, state, actions);
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let choice: ReconstructionChoice = state.choices.get();
        if state.has_task(Task::Reconstruct) {
            actions.extend(match choice.shown {
                Shown::Probes => state.request(state.reconstructions_query()),
                Shown::Errors => {
                    let split = choice.split;
                    let request = reconstruction_errors::Request { split, limit: None };
                    state.request(state.run_query::<ReconstructionErrors>(request))
                }
                Shown::Code => state.request(state.run_query::<CodeEdit>(choice.code.clone())),
            });
            if choice.shown != Shown::Probes {
                return self.closely(ui, state, &choice, actions);
            }
        }
        let latest = match state.reconstructions() {
            Some(Ok(latest)) if !latest.mse.is_empty() => latest,
            other => {
                self.drawn = None;
                let is_reading =
                    other.is_none() && matches!(state.subject(), Some(Subject::Stored(_)));
                let (heading, hint) = match other.and_then(Result::err) {
                    _ if !state.has_task(Task::Reconstruct) => (
                        "Nothing to reconstruct",
                        "A decoder and a stage with task reconstruct fill this view.",
                    ),
                    Some(message) => {
                        return failed(ui, "No pictures of this run", &message, actions);
                    }
                    None if is_reading => {
                        let kinds = [TypeId::of::<Reconstructions>()];
                        return reading(ui, state, ("Opening the run …", &kinds), actions);
                    }
                    None => (
                        "No pictures yet",
                        "Press Train, or open a run folder: the first pictures appear within a second.",
                    ),
                };
                return empty(ui, heading, hint);
            }
        };
        self.update(ui.ctx(), latest, state.inspections.slice);
        if let Some(drawn) = &self.drawn {
            show_grid(ui, &drawn.shown, &drawn.texture);
        }
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        let choice: ReconstructionChoice = state.choices.get();
        if choice.shown != Shown::Probes {
            return self.closely(ui, state, &choice, &mut Vec::new());
        }
        match state.reconstructions() {
            Some(Ok(latest)) if !latest.mse.is_empty() => {
                self.show_all(ui, &latest.shown(state.inspections.slice));
            }
            _ => self.body(ui, state, &mut Vec::new()),
        }
    }
}

impl ReconstructionsView {
    /// Every probe at once: an image file does not scroll.
    fn show_all(&mut self, ui: &mut Ui, latest: &Reconstructions) {
        if !latest.are_signals() {
            let text =
                format!("difference: {CONTRAST} times that of input and output, white at most");
            let color = theme::palette(ui).weak;
            ui.label(RichText::new(text).size(theme::SMALL).color(color));
        }
        if self.parts.is_empty() {
            self.parts = parts(ui.ctx(), latest);
        }
        let area = ui.available_rect_before_wrap();
        let tall = area.height() / self.parts.len() as f32;
        for (index, (part, texture)) in self.parts.iter().enumerate() {
            let top = area.top() + index as f32 * tall;
            let room = Rect::from_min_size(pos2(area.left(), top), vec2(area.width(), tall));
            let room = UiBuilder::new().id_salt(index).max_rect(room);
            show_grid(&mut ui.new_child(room), part, texture);
        }
    }

    /// Makes a new texture only when new pictures came.
    fn update(&mut self, ctx: &Context, latest: &Arc<Reconstructions>, slice: Slice) {
        let options = if latest.are_signals() {
            TextureOptions::LINEAR
        } else {
            TextureOptions::NEAREST
        };
        let is_new = |drawn: &Drawn| !Arc::ptr_eq(&drawn.of, latest) || drawn.slice != slice;
        if !self.drawn.as_ref().is_none_or(is_new) {
            return;
        }
        let shown = latest.shown(slice).into_owned();
        let image = sheet(&shown);
        let texture = match self.drawn.take() {
            Some(mut drawn) => {
                drawn.texture.set(image, options);
                drawn.texture
            }
            None => ctx.load_texture("reconstructions", image, options),
        };
        let of = latest.clone();
        self.drawn = Some(Drawn {
            of,
            slice,
            shown,
            texture,
        });
    }
}

/// The probes in groups side by side, each with its texture.
fn parts(ctx: &Context, all: &Reconstructions) -> Vec<(Reconstructions, TextureHandle)> {
    let size = IN_ROW * all.height * all.width * all.channels;
    let bytes = all
        .inputs
        .chunks(size.max(1))
        .zip(all.outputs.chunks(size.max(1)));
    let part = |((inputs, outputs), mse): ((&[u8], &[u8]), &[f32])| {
        let part = Reconstructions {
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            mse: mse.to_vec(),
            ..all.clone()
        };
        let texture = ctx.load_texture("part", sheet(&part), TextureOptions::NEAREST);
        (part, texture)
    };
    bytes.zip(all.mse.chunks(IN_ROW)).map(part).collect()
}

fn rows(r: &Reconstructions) -> &'static [(&'static str, &'static str); 3] {
    match (r.are_signals(), r.since) {
        (true, None) => &CURVES,
        (true, Some(_)) => &CHANGED_CURVES,
        (false, None) => &ROWS,
        (false, Some(_)) => &CHANGED,
    }
}

fn noun(r: &Reconstructions) -> &'static str {
    if r.are_signals() { "signal" } else { "image" }
}

/// Height and width of a picture.
fn size(r: &Reconstructions) -> [usize; 2] {
    if r.are_signals() {
        CURVE
    } else {
        [r.height, r.width]
    }
}

/// Inputs, outputs and differences (of signals, both over each other) as three columns, one row for each probe.
fn sheet(r: &Reconstructions) -> ColorImage {
    let [height, width] = size(r);
    let mut image = ColorImage::filled([3 * width, r.mse.len() * height], Color32::BLACK);
    for (index, pictures) in triples(r).iter().take(r.mse.len()).enumerate() {
        for (column, picture) in pictures.iter().enumerate() {
            for (place, pixel) in picture.chunks_exact(4).enumerate() {
                let (x, y) = (
                    column * width + place % width,
                    index * height + place / width,
                );
                image[(x, y)] = Color32::from_rgb(pixel[0], pixel[1], pixel[2]);
            }
        }
    }
    image
}

/// The three pictures of each probe, `H × W × 4` bytes.
fn triples(r: &Reconstructions) -> Vec<[Vec<u8>; 3]> {
    if r.are_signals() {
        return compared(r);
    }
    let size = (r.height * r.width * r.channels).max(1);
    let pairs = r
        .inputs
        .chunks_exact(size)
        .zip(r.outputs.chunks_exact(size));
    let three = pairs.map(|(input, output)| {
        let difference: Vec<u8> = input
            .iter()
            .zip(output)
            .map(|(&a, &b)| brighter(a.abs_diff(b)))
            .collect();
        [input, output, &difference].map(|bytes| image_rgba(bytes, r.channels))
    });
    three.collect()
}

fn brighter(difference: u8) -> u8 {
    (u16::from(difference) * CONTRAST).min(255) as u8
}
