//! The images of a split that excite each channel of a layer most, and the patch that it sees there.

use super::loading_state::{failed, reading};
use crate::panels::layer_entries::layer_entries;
use crate::plate::of_exciting::frame;
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{chevron, elided, empty};
use eframe::egui::{
    ComboBox, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format::{self, short};
use strata_core::project::Place;
use strata_engine::inspection::reply::Reply;
use strata_inspect::curve::is_signal;
use strata_inspect::exciting::{Channel, Exciting, Request};
use strata_inspect::inspection::Subject;
use strata_inspect::picture::image_rgba;

type Seen = Reply<Exciting>;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExcitingChoice {
    /// The layer; `None` follows the selected one.
    pub layer: Option<Place>,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct ExcitingView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

/// The longest side of an image, and the room for what is said of a channel.
const SIDE: f32 = 72.0;
const WORDS: f32 = 132.0;
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
        "Of every channel of a layer the images of the test split with its largest value, the most exciting first; framed is what the channel sees where that value is. Beside them the mean and the deviation of its values over all these images and positions, and the share that is exactly 0: a channel that is 0 everywhere has died. Of a dense layer a channel is a unit, and it sees the whole image."
    }

    fn status(&self, state: &State) -> String {
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
                "{} {} · {} of {} channels{dead} · {} {} images · step {}",
                made.request.place.in_words(),
                made.layer,
                made.channels.len(),
                made.of,
                format::count(made.images as u64),
                made.split,
                format::count(made.step)
            )
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: ExcitingChoice = state.choices.get();
        let mut choice = former.clone();
        let shown = layer(state, &choice).map_or_else(String::new, |place| place.in_words());
        let combo = ComboBox::from_id_salt("layer of exciting images")
            .width(112.0)
            .icon(chevron)
            .selected_text(RichText::new(shown).size(theme::SMALL))
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut choice.layer, None, "the selected layer");
                layer_entries(ui, state, &mut choice.layer);
            });
        combo
            .response
            .on_hover_text("The layer whose channels are excited")
            .accessible_name("Layer of exciting images");
        if choice != former {
            actions.push(Action::Choose(Choice::new(choice)));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let choice: ExcitingChoice = state.choices.get();
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
        self.content(ui, state, &mut Vec::new());
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
        self.update(ui, seen, made);
        if let Some((_, sheet)) = &self.drawn {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| rows(ui, made, sheet));
        }
    }

    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, made: &Exciting) {
        let is_drawn = |(drawn, _): &(Arc<Seen>, Sheet)| Arc::ptr_eq(drawn, seen);
        if self.drawn.as_ref().is_some_and(is_drawn) {
            return;
        }
        let all = made.channels.iter().enumerate();
        let places: Vec<(usize, usize)> = all
            .flat_map(|(index, channel)| (0..channel.excited.len()).map(move |at| (index, at)))
            .collect();
        let [height, width, channels] = made.size;
        let sheet = match is_signal(made.size) {
            true => {
                let images: Vec<&[u8]> = places
                    .iter()
                    .map(|(index, at)| made.image(*index, *at))
                    .collect();
                Sheet::of_images(ui.ctx(), "exciting", made.size, &images)
            }
            false => {
                let rgba = |place: usize| {
                    let (index, at) = places[place];
                    let mut rgba = image_rgba(made.image(index, at), channels);
                    if let Some(patch) = made.channels[index].excited[at].patch {
                        frame(&mut rgba, width, patch);
                    }
                    rgba
                };
                Sheet::new(ui.ctx(), "exciting", [height, width], places.len(), rgba)
            }
        };
        self.drawn = Some((seen.clone(), sheet));
    }
}

fn rows(ui: &mut Ui, made: &Exciting, sheet: &Sheet) {
    let [height, width] = sheet.size.map(|side| side.max(1) as f32);
    let scale = SIDE / height.max(width);
    let side = vec2(width * scale, height * scale);
    let pitch = side.y.max(4.0 * LINE) + LINE + GAP;
    let room = ui.available_width() - 8.0;
    let mut first = 0;
    for channel in &made.channels {
        let (row, response) = ui.allocate_exact_size(vec2(room, pitch), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(made, channel)));
        if ui.is_rect_visible(row) {
            words(ui, channel, row);
            for (at, excited) in channel.excited.iter().enumerate() {
                let left = row.left() + WORDS + at as f32 * (side.x + GAP);
                if left + side.x > row.right() {
                    break;
                }
                let rect = Rect::from_min_size(pos2(left, row.top()), side);
                sheet.paint(ui.painter(), first + at, rect);
                let label = excited.label.map_or_else(String::new, |label| {
                    format!(" {}", strata_inspect::class_name(&made.classes, label))
                });
                let text = format!("{}{label}", short(excited.value.into(), 2));
                line(ui, &text, pos2(left, rect.bottom() + 1.0), side.x);
            }
        }
        first += channel.excited.len();
    }
}

/// How active a channel is.
fn words(ui: &Ui, channel: &Channel, row: Rect) {
    let number = format!("channel {}", channel.channel + 1);
    let mean = format!("mean {}", short(channel.mean, 3));
    let deviation = format!("deviation {}", short(channel.deviation, 3));
    let zeros = match channel.is_dead() {
        true => "dead: 0 everywhere".to_owned(),
        false => format!("{:.1} % zero", 100.0 * channel.zeros),
    };
    for (at, text) in [number, mean, deviation, zeros].iter().enumerate() {
        let place = row.min + vec2(0.0, at as f32 * LINE);
        line(ui, text, place, WORDS - GAP);
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
    format!(
        "channel {}: mean {}, {:.1} % zero{first}",
        channel.channel + 1,
        short(channel.mean, 3),
        100.0 * channel.zeros
    )
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(ui, state, "Asking the network …", actions),
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
