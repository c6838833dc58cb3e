//! The images of a split that excite each channel of a layer most, and the patch that it sees there.

pub(crate) mod layers;

use super::loading_state::{failed, reading};
use crate::panels::layer_entries::layer_entries;
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{ChoiceBox, elided, empty};
use eframe::egui::{
    Color32, FontId, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format::{self, short};
use strata_core::project::Place;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activity_change::signed;
use strata_inspect::curve::{SIZE, is_signal};
use strata_inspect::exciting::{Channel, Exciting, FRAME, Request, SHOWN, place_words};
use strata_inspect::inspection::Subject;
use strata_inspect::layer_statistics::{self, LayerStatistics};
use strata_inspect::since_words;

type Seen = Reply<Exciting>;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExcitingChoice {
    /// The layer; `None` follows the selected one.
    pub layer: Option<Place>,
    /// All layers as a table instead.
    pub table: bool,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct ExcitingView {
    drawn: Option<Drawn>,
}

struct Drawn {
    seen: Arc<Seen>,
    /// The pictures of each channel, made when it is first in sight: a layer may have hundreds.
    rows: Vec<Option<Row>>,
    size: [usize; 2],
    /// The size of what is seen of each image, where that is not the whole.
    patch: Option<[usize; 2]>,
}

/// The images of a channel, and the patches.
struct Row {
    images: Sheet,
    patches: Option<Sheet>,
}

impl Drawn {
    fn new(seen: &Arc<Seen>, made: &Exciting) -> Drawn {
        let fields = made.channels.iter().flat_map(|channel| &channel.excited);
        let sizes = fields.map(|excited| Some(excited.field.as_ref()?.size()));
        // Some images may be without a patch only where all are: the whole of them is seen.
        let sizes: Option<Vec<[usize; 2]>> = sizes.collect();
        let [height, width, _] = made.size;
        let (size, patch) = match is_signal(made.size) {
            true => (SIZE, sizes.map(|_| SIZE)),
            false => ([height, width], sizes.map(largest)),
        };
        Drawn {
            seen: seen.clone(),
            rows: made.channels.iter().map(|_| None).collect(),
            size,
            patch,
        }
    }

    /// The pictures of a channel.
    fn row(&mut self, ui: &Ui, made: &Exciting, index: usize) -> Option<&Row> {
        let places = 0..made.channels.get(index)?.excited.len();
        let row = self.rows.get_mut(index)?;
        Some(row.get_or_insert_with(|| {
            let images: Vec<_> = places.clone().map(|at| made.drawn(index, at)).collect();
            let patch = |size| {
                let patches = places.map(|at| made.patch(index, at).unwrap_or_default());
                sheet(ui, size, &patches.collect::<Vec<_>>())
            };
            Row {
                images: sheet(ui, self.size, &images),
                patches: self.patch.map(patch),
            }
        }))
    }
}

/// The height and the width that all of these have room in.
fn largest(sizes: Vec<[usize; 2]>) -> [usize; 2] {
    [0, 1].map(|axis| sizes.iter().map(|size| size[axis]).max().unwrap_or(1))
}

/// One texture of pictures, those that are smaller on a clear ground.
fn sheet(ui: &Ui, size: [usize; 2], pictures: &[([usize; 2], Vec<u8>)]) -> Sheet {
    let [height, width] = size.map(|side| side.max(1));
    let one = |index: usize| {
        let ([tall, wide], rgba) = &pictures[index];
        let mut padded = vec![0; 4 * height * width];
        for row in 0..*tall {
            let from = 4 * row * wide;
            padded[4 * row * width..][..4 * wide].copy_from_slice(&rgba[from..from + 4 * wide]);
        }
        padded
    };
    match size == SIZE {
        true => Sheet::smooth(ui.ctx(), "exciting", SIZE, pictures.len(), one),
        false => Sheet::new(ui.ctx(), "exciting", [height, width], pictures.len(), one),
    }
}

/// The longest side of an image, and the room for what is said of a channel.
const SIDE: f32 = 72.0;
/// The same where there is room for all channels, at most; of a curve twice as much.
const LARGEST: f32 = 144.0;
/// How thick the frame around what a channel sees is.
const FRAME_WIDTH: f32 = 1.5;
const WORDS: f32 = 132.0;
/// The same with the change since an earlier step.
const WORDS_OF_CHANGE: f32 = 188.0;
/// The longest side of a patch.
const PATCH: f32 = 52.0;
const GAP: f32 = 6.0;
const LINE: f32 = 14.0;

impl View for ExcitingView {
    fn title(&self) -> &'static str {
        "Exciting images"
    }

    fn summary(&self) -> &'static str {
        "The images and patches that excite each channel of a layer most"
    }

    fn words(&self) -> &'static str {
        "maximally activating patches top images unit neuron statistics dead channels mean deviation zeros"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "Of every channel of a layer the images of the test split with its largest value, the most exciting first; framed, and beside it as a patch, is what the channel sees where that value is; a checkerboard is padding beyond the edge. Beside them the mean and the deviation of its values over all these images and positions, and the share that is exactly 0: a channel that is 0 everywhere has died. Of a dense layer a channel is a unit, and it sees the whole image."
    }

    fn status(&self, state: &State) -> String {
        if state.choices.get::<ExcitingChoice>().table {
            let seen = state.run_reply::<LayerStatistics>();
            let made = seen.and_then(|seen| seen.result.as_deref().ok());
            return made.map_or_else(String::new, layers::about);
        }
        latest(state).map_or_else(String::new, |made| {
            let dead = made
                .channels
                .iter()
                .filter(|channel| channel.is_dead())
                .count();
            let dead = match dead {
                0 => String::new(),
                dead => format!(" · {dead} dead"),
            };
            format!(
                "{} {} · {} of {} channels{dead} · {} {} images · step {}{}",
                made.request.place.in_words(),
                made.layer,
                made.channels.len(),
                made.of,
                format::count(made.images as u64),
                made.split,
                format::count(made.step),
                since_words(made.since)
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: ExcitingChoice = state.choices.get();
        let mut choice = former.clone();
        let shown = match choice.table {
            true => ALL.to_owned(),
            false => layer(state, &choice).map_or_else(String::new, |place| place.in_words()),
        };
        ChoiceBox {
            id: "layer of exciting images",
            width: 112.0,
            shown: shown.into(),
            hover: "The layer whose channels are excited",
            name: "Layer of exciting images",
        }
        .show(ui, |ui| {
            if ui.selectable_label(choice.table, ALL).clicked() {
                choice.table = true;
            }
            // One of the layers ends the table, the one that was chosen before too.
            let before = choice.layer.clone();
            let mut one = choice.layer.clone().filter(|_| !choice.table);
            let follows = before.is_none() && !choice.table;
            if ui.selectable_label(follows, "the selected layer").clicked() {
                choice = ExcitingChoice::default();
            }
            layer_entries(ui, state, &mut one);
            if one.is_some() && (choice.table || one != before) {
                choice = ExcitingChoice {
                    layer: one,
                    table: false,
                };
            }
        });
        if choice != former {
            actions.push(Action::Choose(Choice::new(choice)));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let choice: ExcitingChoice = state.choices.get();
        if choice.table {
            let request = layer_statistics::Request::default();
            actions.extend(state.request(state.run_query::<LayerStatistics>(request)));
            return table(ui, state, actions);
        }
        let Some(place) = layer(state, &choice) else {
            let hint = "Add a layer to the encoder: what excites its channels is shown here once it is trained.";
            return empty(ui, "No layers yet", hint);
        };
        let request = Request {
            place,
            channels: None,
            split: None,
            limit: None,
        };
        actions.extend(state.request(state.run_query::<Exciting>(request)));
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        let choice: ExcitingChoice = state.choices.get();
        match choice.table {
            true => table(ui, state, &mut Vec::new()),
            false => self.content(ui, state, &mut Vec::new()),
        }
    }
}

/// The entry for all layers at once.
const ALL: &str = "all layers, a table";

fn table(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(seen) = state.run_reply::<LayerStatistics>() else {
        return nothing(ui, state, actions);
    };
    match &seen.result {
        Err(error) => failed(ui, "No figures of the layers", &error.to_string(), actions),
        Ok(made) => {
            if let Some(layer) = layers::table(ui, made) {
                let choice = ExcitingChoice {
                    layer: Some(layer),
                    table: false,
                };
                actions.push(Action::Choose(Choice::new(choice)));
            }
        }
    }
}

/// The chosen layer, if it is still there; else the selected one, or the first.
fn layer(state: &State, choice: &ExcitingChoice) -> Option<Place> {
    let inference = &state.shown.inference;
    let chosen = choice.layer.clone();
    chosen
        .filter(|place| inference.row(place).is_some())
        .or_else(|| state.lens_place())
}

fn latest(state: &State) -> Option<&Exciting> {
    let seen: &Arc<Seen> = state.run_reply()?;
    seen.result.as_deref().ok()
}

impl ExcitingView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = state.run_reply::<Exciting>() else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        let made = match &seen.result {
            Ok(made) => made,
            Err(error) => {
                return failed(
                    ui,
                    "No exciting images of this",
                    &error.to_string(),
                    actions,
                );
            }
        };
        let is_drawn = |drawn: &Drawn| Arc::ptr_eq(&drawn.seen, seen);
        if !self.drawn.as_ref().is_some_and(is_drawn) {
            self.drawn = Some(Drawn::new(seen, made));
        }
        if let Some(drawn) = &mut self.drawn {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| rows(ui, made, drawn));
        }
    }
}

/// Frames what is seen of an image: around the pixels, so that each of them stays to be seen.
fn paint_frame(ui: &Ui, image: Rect, [height, width, _]: [usize; 3], frame: [usize; 4]) {
    let pixel = vec2(
        image.width() / width.max(1) as f32,
        image.height() / height.max(1) as f32,
    );
    let corner = |row: usize, column: usize| image.min + vec2(column as f32, row as f32) * pixel;
    let [top, left, bottom, right] = frame;
    let seen = Rect::from_min_max(corner(top, left), corner(bottom + 1, right + 1));
    let [red, green, blue, _] = FRAME;
    let stroke = Stroke::new(FRAME_WIDTH, Color32::from_rgb(red, green, blue));
    ui.painter()
        .rect_stroke(seen, 0.0, stroke, StrokeKind::Outside);
}

fn rows(ui: &mut Ui, made: &Exciting, drawn: &mut Drawn) {
    let fitted = |size: [usize; 2], most: f32| {
        let [height, width] = size.map(|side| side.max(1) as f32);
        let scale = most / height.max(width);
        vec2(width * scale, height * scale)
    };
    // What is said of a channel, and below an image.
    let (wording, lines) = match made.since {
        Some(_) => (WORDS_OF_CHANGE, 2.0),
        None => (WORDS, 1.0),
    };
    let room = ui.available_width() - 8.0;
    let sizes = |longest: f32| {
        let side = fitted(drawn.size, longest);
        let patch = drawn.patch.map(|size| fitted(size, longest * PATCH / SIDE));
        let wide = side.x + patch.map_or(0.0, |size| size.x + 2.0);
        let pitch = side.y.max(4.0 * LINE) + lines * LINE + GAP;
        (side, patch, wide, pitch)
    };
    // Larger where every channel still is in sight, with half of its images at least.
    let height = ui.available_height();
    let fits = |longest: &f32| {
        let (_, _, wide, pitch) = sizes(*longest);
        let across = wording + (SHOWN / 2) as f32 * (wide + GAP);
        across <= room && made.channels.len() as f32 * pitch <= height
    };
    let curved = if drawn.size == SIZE { 2.0 } else { 1.0 };
    let longer = (SIDE as u32..=(curved * LARGEST) as u32).rev();
    let longest = longer.map(|side| side as f32).find(fits).unwrap_or(SIDE);
    let (side, patch, wide, pitch) = sizes(longest);
    for (index, channel) in made.channels.iter().enumerate() {
        let (row, response) = ui.allocate_exact_size(vec2(room, pitch), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(made, channel)));
        if !ui.is_rect_visible(row) {
            continue;
        }
        words(ui, channel, row, wording - GAP);
        if let Some(pictures) = drawn.row(ui, made, index) {
            for (at, excited) in channel.excited.iter().enumerate() {
                let left = row.left() + wording + at as f32 * (wide + GAP);
                if left + wide > row.right() {
                    break;
                }
                let rect = Rect::from_min_size(pos2(left, row.top()), side);
                pictures.images.paint(ui.painter(), at, rect);
                if let Some(frame) = made.frame(index, at) {
                    paint_frame(ui, rect, made.size, frame);
                }
                if let Some((sheet, size)) = pictures.patches.as_ref().zip(patch) {
                    let rect = Rect::from_min_size(pos2(rect.right() + 2.0, row.top()), size);
                    sheet.paint(ui.painter(), at, rect);
                }
                let label = excited.label.map_or_else(String::new, |label| {
                    format!(" {}", strata_inspect::class_name(&made.classes, label))
                });
                let text = format!("{}{label}", short(excited.value.into(), 2));
                let below = pos2(left, rect.bottom() + 1.0);
                line(ui, &text, below, wide);
                if let Some(change) = &channel.change {
                    let before = place_words(change.places.get(at).copied().flatten());
                    line(ui, &before, below + vec2(0.0, LINE), wide);
                }
            }
        }
    }
}

/// How active a channel is.
fn words(ui: &Ui, channel: &Channel, row: Rect, width: f32) {
    let change = channel.change.as_ref().map(|change| change.figures);
    let grown = |of: Option<f64>| of.map_or_else(String::new, |of| format!(" ({})", signed(of, 3)));
    let number = format!("channel {}", channel.channel + 1);
    let mean = short(channel.mean, 3) + &grown(change.map(|change| change.mean));
    let mean = format!("mean {mean}");
    let deviation = short(channel.deviation, 3) + &grown(change.map(|change| change.deviation));
    let deviation = format!("deviation {deviation}");
    let points = change.map_or_else(String::new, |change| {
        format!(" ({} %)", signed(100.0 * change.zeros, 1))
    });
    let zeros = match channel.is_dead() {
        true => format!("dead: 0 everywhere{points}"),
        false => format!("{:.1} % zero{points}", 100.0 * channel.zeros),
    };
    for (at, text) in [number, mean, deviation, zeros].iter().enumerate() {
        let place = row.min + vec2(0.0, at as f32 * LINE);
        line(ui, text, place, width);
    }
}

fn line(ui: &Ui, text: &str, at: eframe::egui::Pos2, width: f32) {
    let ink = theme::palette(ui).text;
    let text = elided(ui, text, FontId::proportional(theme::TINY), ink, width);
    ui.painter().galley(at, text, ink);
}

/// What a screen reader says of a channel.
fn described(made: &Exciting, channel: &Channel) -> String {
    let first = channel.excited.first().map_or_else(String::new, |excited| {
        let label = excited.label.map_or_else(String::new, |label| {
            format!(" of {}", strata_inspect::class_name(&made.classes, label))
        });
        format!(", {} for an image{label}", short(excited.value.into(), 2))
    });
    let before = channel
        .change
        .as_ref()
        .and_then(|change| change.places.first());
    let before = before.map_or_else(String::new, |place| format!(", {}", place_words(*place)));
    format!(
        "channel {}: mean {}, {:.1} % zero{first}{before}",
        channel.channel + 1,
        short(channel.mean, 3),
        100.0 * channel.zeros
    )
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            (
                "Asking the network …",
                &[TypeId::of::<Exciting>(), TypeId::of::<LayerStatistics>()],
            ),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Asking the network …",
            "The first images come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No network to ask yet",
            "Press Train, or open a run folder: then the images that excite each channel are shown.",
        ),
    }
}
