//! Feature maps: what one layer gives for one image, live.

use super::image_source;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::{Sheet, shades};
use crate::widgets::{chevron, elided, empty};
use eframe::egui::style::ScrollAnimation;
use eframe::egui::{
    Align2, Button, Color32, ComboBox, DragValue, EventFilter, FontId, Key, Pos2, Rect, Response,
    RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};
use std::ops::Range;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::Place;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::{Query, Reply};
use strata_inspect::activations::{Activations, Layout, MapScale, Request, Summary, bar, color};
use strata_inspect::inspection::Subject;

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapChoice {
    /// The layer; `None` follows the selected one.
    pub layer: Option<Place>,
    /// Which of the probe images.
    pub image: usize,
    /// What colours are measured against.
    pub scale: MapScale,
    /// The slice of a volume; `None` for the middle one.
    pub slice: Option<usize>,
    /// The map that is shown large.
    pub map: usize,
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub struct ActivationsView {
    maps: Option<Maps>,
    side: Option<Side>,
}

/// The maps in sight, and some around them.
struct Maps {
    reply: Arc<Reply<Activations>>,
    scale: MapScale,
    slice: usize,
    channels: Range<usize>,
    sheet: Sheet,
}

/// The image, and the map that is shown large.
struct Side {
    reply: Arc<Reply<Activations>>,
    drawn: (MapScale, usize, usize),
    image: Sheet,
    map: Option<Sheet>,
}

const GAP: f32 = 4.0;
/// Room for the fraction of zeros below a map.
const CAPTION: f32 = 14.0;
/// Width of a map: at least, at most, and where they have to be scrolled.
const LEAST: f32 = 40.0;
const MOST: f32 = 192.0;
const SCROLLED: f32 = 64.0;
/// Room for the outline of the chosen map.
const OUTLINE: f32 = 2.0;
/// Width of the colour bar.
const BAR: f32 = 60.0;
/// Width of the column with the image, and of a view that has room for it.
const SIDE: f32 = 136.0;
const ROOMY: f32 = 420.0;
/// A unit's bar, with its room: width and height.
const UNIT: [f32; 2] = [10.0, 88.0];

impl View for ActivationsView {
    fn title(&self) -> &'static str {
        "Feature maps"
    }

    fn summary(&self) -> &'static str {
        "What each channel of a layer gives for an image"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "What a layer gives for one image, a map for each channel: the values of the network's forward pass with running statistics, without dropout and noise. From dark (0) to yellow where all values are positive, else from blue (negative) over white to red (positive). Below a map the fraction of values that are 0; a map that is 0 for every image has died."
    }

    fn status(&self, state: &State) -> String {
        let Some(maps) = state.run_reply::<Activations>().and_then(output) else {
            return String::new();
        };
        let whole = maps.summary();
        format!(
            "{} {} · {} zero · {} … {} · {} · step {}",
            maps.place,
            maps.text,
            percent(whole.zeros),
            number(whole.min.into()),
            number(whole.max.into()),
            maps.described(),
            format::count(maps.step)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let former: MapChoice = state.choices.get();
        let mut choice = former.clone();
        scale_box(ui, &mut choice);
        layer_box(ui, state, &mut choice);
        let shown = state.run_reply::<Activations>().and_then(output);
        if let Some(maps) = shown.filter(|maps| maps.slices() > 1) {
            slice_field(ui, maps, &mut choice);
        }
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(query) = query(state) else {
            return nothing(ui, state, actions);
        };
        actions.extend(state.request(Some(query)));
        image_line(ui, state, actions);
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

/// The maps of this layer and image; `None` without a layer or a network.
fn query(state: &State) -> Option<Query<Activations>> {
    let choice: MapChoice = state.choices.get();
    state.run_query(Request {
        place: layer(state, &choice)?,
        image: choice.image,
        file: state.inspections.saliency.image.clone(),
    })
}

/// The chosen layer, if it is still there; else the selected one, or the first.
fn layer(state: &State, choice: &MapChoice) -> Option<Place> {
    let inference = &state.shown.inference;
    let chosen = choice.layer.clone();
    chosen
        .filter(|place| inference.row(place).is_some())
        .or_else(|| state.lens_place())
}

fn output(reply: &Arc<Reply<Activations>>) -> Option<&Activations> {
    reply.result.as_deref().ok()
}

fn choose(former: &MapChoice, choice: MapChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// `41.3 %`
fn percent(fraction: f64) -> String {
    let percent = 100.0 * fraction;
    let text = format!("{percent:.1}");
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

fn scale_box(ui: &mut Ui, choice: &mut MapChoice) {
    let name = |scale| match scale {
        MapScale::PerMap => "per map",
        MapScale::Common => "common",
    };
    let combo = ComboBox::from_id_salt("scale of feature maps")
        .width(84.0)
        .icon(chevron)
        .selected_text(RichText::new(name(choice.scale)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for scale in [MapScale::PerMap, MapScale::Common] {
                ui.selectable_value(&mut choice.scale, scale, name(scale));
            }
        });
    let hover = "per map: each by its own largest value, shows the form of weak maps; common: all by the layer's largest, shows which are strong";
    combo
        .response
        .on_hover_text(hover)
        .accessible_name("Scale of feature maps");
}

fn layer_box(ui: &mut Ui, state: &State, choice: &mut MapChoice) {
    let rows = &state.shown.inference.rows;
    let place = layer(state, choice);
    let shown = place.map_or_else(|| "no layer".to_owned(), |place| place.to_string());
    let combo = ComboBox::from_id_salt("layer of feature maps")
        .width(116.0)
        .icon(chevron)
        .selected_text(RichText::new(shown).size(theme::SMALL))
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut choice.layer, None, "the selected layer");
            for row in rows {
                let name = format!("{}  {}  {}", row.place, row.text, row.shape_text());
                ui.selectable_value(&mut choice.layer, Some(row.place.clone()), name);
            }
        });
    combo
        .response
        .on_hover_text(
            "The layer whose output is shown; it can follow the layer selected at the left",
        )
        .accessible_name("Layer of feature maps");
}

fn slice_field(ui: &mut Ui, maps: &Activations, choice: &mut MapChoice) {
    let mut slice = slice_of(maps, choice);
    let last = maps.slices() - 1;
    let field = ui.add(DragValue::new(&mut slice).range(0..=last).prefix("slice "));
    let field = field.on_hover_text(format!("Which of the {} slices, from 0", last + 1));
    if field.accessible_name("Slice of feature maps").changed() {
        choice.slice = Some(slice);
    }
}

fn slice_of(maps: &Activations, choice: &MapChoice) -> usize {
    let slice = choice.slice.unwrap_or(maps.slices() / 2);
    slice.min(maps.slices().saturating_sub(1))
}

/// What is said while there is nothing to show.
fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.lens_place().is_none() {
        let hint =
            "Add a layer to the encoder: its feature maps are shown here once it is trained.";
        return empty(ui, "No layers yet", hint);
    }
    match state.subject() {
        Some(Subject::Stored(_)) => reading(ui, state, "Opening the run …", actions),
        Some(Subject::Live) => empty(
            ui,
            "Computing …",
            "The first maps come with the next previews.",
        ),
        _ => empty(
            ui,
            "No network to look into yet",
            "Press Train, or open a run folder: then every layer shows what it gives for an image.",
        ),
    }
}

/// Whose feature maps are shown: those of a probe image or of an image file.
fn image_line(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: MapChoice = state.choices.get();
    let mut choice = former.clone();
    let is_probe = state.inspections.saliency.image.is_none();
    let takes_files = state.network().input.rank() != 1 || !is_probe;
    let file = |ui: &mut Ui, actions: &mut Vec<Action>| {
        if takes_files {
            image_source::file(ui, state, "Image of feature maps", actions);
        }
    };
    if ui.available_width() < ROOMY {
        // One below the other where they would push each other out of the view.
        if is_probe {
            ui.horizontal(|ui| turn(ui, state, &mut choice));
        }
        ui.horizontal(|ui| file(ui, actions));
    } else {
        ui.horizontal(|ui| {
            if is_probe {
                turn(ui, state, &mut choice);
            }
            file(ui, actions);
        });
    }
    choose(&former, choice, actions);
    ui.add_space(theme::STEP);
}

/// The buttons for the image before and the next one.
fn turn(ui: &mut Ui, state: &State, choice: &mut MapChoice) {
    let shown = state.run_reply::<Activations>().and_then(output);
    let Some([image, images]) = shown.map(|maps| maps.image) else {
        return;
    };
    let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
    let former = ui.add_enabled(image > 0, small("◀"));
    let former = former.on_hover_text("The probe image before");
    if former.accessible_name("Probe image before").clicked() {
        choice.image = image.saturating_sub(1);
    }
    let at = RichText::new(format!("image {} / {images}", image + 1)).font(theme::digits(11.5));
    ui.label(at.color(theme::palette(ui).weak));
    let next = ui.add_enabled(image + 1 < images, small("▶"));
    let next = next.on_hover_text("The next probe image");
    if next.accessible_name("Next probe image").clicked() {
        choice.image = image + 1;
    }
}

impl ActivationsView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(reply) = state.run_reply::<Activations>() else {
            self.maps = None;
            self.side = None;
            return nothing(ui, state, actions);
        };
        let maps = match &reply.result {
            Ok(maps) => maps,
            Err(error) => {
                return failed(ui, "No feature maps of this", &error.to_string(), actions);
            }
        };
        let choice: MapChoice = state.choices.get();
        let whole = maps.summary();
        let area = ui.available_rect_before_wrap();
        let side = if area.width() >= ROOMY {
            SIDE + theme::GAP
        } else {
            0.0
        };
        let (side, rest) = area.split_left_right_at_x(area.left() + side);
        let (grid, bar) = rest.split_left_right_at_x(rest.right() - BAR);
        if side.width() > 0.0 {
            self.side(ui, side, reply, maps, &choice, &whole);
        }
        color_bar(ui, bar, maps, &choice, &whole);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("maps").max_rect(grid));
        let mut next = choice.clone();
        self.grid(&mut inner, reply, maps, &mut next, &whole);
        choose(&choice, next, actions);
    }

    /// The grid over all channels; of what is out of sight nothing is made.
    fn grid(
        &mut self,
        ui: &mut Ui,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &mut MapChoice,
        whole: &Summary,
    ) {
        let space = ui.available_size();
        let places = Places::new(maps, space - vec2(12.0 + OUTLINE, OUTLINE));
        let area = ScrollArea::vertical().auto_shrink(false);
        let area = area.id_salt(("feature maps", &maps.place));
        area.show_viewport(ui, |ui, viewport| {
            ui.set_height(places.height());
            let origin = ui.max_rect().min + Vec2::splat(OUTLINE);
            let in_sight = places.in_sight(viewport);
            let moved = respond(ui, maps, &places, origin, viewport, choice);
            if maps.layout() != Layout::Units {
                self.update(ui, reply, maps, choice, whole, in_sight.clone());
            }
            for channel in in_sight {
                let rect = places.rect(origin, channel);
                self.paint(ui, maps, channel, rect, whole);
                if channel == choice.map {
                    let stroke = Stroke::new(1.5, theme::palette(ui).accent);
                    ui.painter()
                        .rect_stroke(rect, 0.0, stroke, StrokeKind::Outside);
                }
            }
            if moved {
                let chosen = places.rect(origin, choice.map).expand(CAPTION);
                ui.scroll_to_rect_animation(chosen, None, ScrollAnimation::none());
            }
        });
    }

    /// Makes new textures only for other maps or another part of them.
    fn update(
        &mut self,
        ui: &Ui,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &MapChoice,
        whole: &Summary,
        in_sight: Range<usize>,
    ) {
        let slice = slice_of(maps, choice);
        let is_drawn = |drawn: &Maps| {
            Arc::ptr_eq(&drawn.reply, reply)
                && drawn.scale == choice.scale
                && drawn.slice == slice
                && drawn.channels.start <= in_sight.start
                && in_sight.end <= drawn.channels.end
        };
        if self.maps.as_ref().is_some_and(is_drawn) {
            return;
        }
        // A screen more before and behind, so that not every turn of the wheel makes textures.
        let more = in_sight.len();
        let channels = in_sight.start.saturating_sub(more)..(in_sight.end + more).min(maps.count());
        let rgba = |index: usize| maps.rgba(channels.start + index, slice, choice.scale, whole);
        let make = if maps.layout() == Layout::Signals {
            Sheet::smooth
        } else {
            Sheet::new
        };
        let sheet = make(
            ui.ctx(),
            "feature maps",
            maps.picture_size(),
            channels.len(),
            rgba,
        );
        self.maps = Some(Maps {
            reply: reply.clone(),
            scale: choice.scale,
            slice,
            channels,
            sheet,
        });
    }

    fn paint(&self, ui: &Ui, maps: &Activations, channel: usize, rect: Rect, whole: &Summary) {
        let colors = theme::palette(ui);
        if maps.layout() == Layout::Units {
            return unit(ui, maps, channel, rect, whole);
        }
        if let Some(drawn) = &self.maps {
            let index = channel - drawn.channels.start;
            drawn.sheet.paint(ui.painter(), index, rect);
        }
        let zeros = maps.summary_of(channel).zeros;
        let ink = if zeros == 1.0 {
            colors.second
        } else {
            colors.weak
        };
        let words = format!("{channel} · {:.0} %", 100.0 * zeros);
        let galley = elided(ui, &words, theme::digits(9.5), ink, rect.width() + GAP);
        let at = rect.left_bottom() + vec2(0.0, 1.0);
        ui.painter().galley(at, galley, ink);
    }

    /// The image at the left, and below it the chosen map.
    fn side(
        &mut self,
        ui: &Ui,
        area: Rect,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &MapChoice,
        whole: &Summary,
    ) {
        let channel = choice.map.min(maps.count().saturating_sub(1));
        let drawn = (choice.scale, slice_of(maps, choice), channel);
        let kept = self.side.take();
        let kept = kept.filter(|kept| Arc::ptr_eq(&kept.reply, reply) && kept.drawn == drawn);
        let side = kept.unwrap_or_else(|| Side::new(ui, reply, maps, drawn, whole));
        let mut words = image_name(maps);
        if maps.layout() == Layout::Units {
            let value = maps.summary_of(channel).max;
            words += &format!("\nunit {channel}: {}", number(value.into()));
        }
        let image = captioned(ui, area, &words, &side.image);
        if let Some(map) = &side.map {
            let below = Rect::from_min_max(pos2(area.left(), image + theme::GAP), area.max);
            captioned(ui, below, &map_name(maps, channel), map);
        }
        self.side = Some(side);
    }
}

impl Side {
    fn new(
        ui: &Ui,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        drawn @ (scale, slice, channel): (MapScale, usize, usize),
        whole: &Summary,
    ) -> Side {
        let make = if maps.layout() == Layout::Signals {
            Sheet::smooth
        } else {
            Sheet::new
        };
        let map = (maps.layout() != Layout::Units).then(|| {
            make(ui.ctx(), "feature map", maps.picture_size(), 1, |_| {
                maps.rgba(channel, slice, scale, whole)
            })
        });
        let image = Sheet::of_images(ui.ctx(), "image", maps.size, &[maps.input.as_slice()]);
        Side {
            reply: reply.clone(),
            drawn,
            image,
            map,
        }
    }
}

fn image_name(maps: &Activations) -> String {
    let [image, images] = maps.image;
    let class = maps.class.as_ref();
    let class = class.map_or_else(String::new, |class| format!(", {class}"));
    if images > 1 {
        format!("image {}{class}", image + 1)
    } else {
        format!("image{class}")
    }
}

fn map_name(maps: &Activations, channel: usize) -> String {
    let Summary { min, max, zeros } = maps.summary_of(channel);
    format!(
        "map {channel} · {} zero\n{} … {}",
        percent(zeros),
        number(min.into()),
        number(max.into())
    )
}

/// A picture with a line below; gives where it ends.
fn captioned(ui: &Ui, area: Rect, words: &str, sheet: &Sheet) -> f32 {
    let width = area.width() - theme::GAP;
    let ratio = sheet.size[0] as f32 / sheet.size[1].max(1) as f32;
    let tall = (width * ratio).min((area.height() - 2.0 * CAPTION).max(0.0));
    if tall < 16.0 {
        return area.bottom();
    }
    let rect = Rect::from_min_size(area.min, vec2(tall / ratio, tall));
    sheet.paint(ui.painter(), 0, rect);
    let mut y = rect.bottom() + 2.0;
    let colors = theme::palette(ui);
    for line in words.lines() {
        let font = FontId::proportional(theme::SMALL);
        let galley = elided(ui, line, font, colors.weak, width);
        ui.painter()
            .galley(pos2(area.left(), y), galley, colors.weak);
        y += CAPTION;
    }
    y
}

/// Where the maps are.
struct Places {
    columns: usize,
    size: Vec2,
    pitch: Vec2,
    count: usize,
}

impl Places {
    /// As large as fits without scrolling, if they are large enough then.
    fn new(maps: &Activations, space: Vec2) -> Places {
        let count = maps.count();
        let [height, width] = maps.picture_size();
        let ratio = (height as f32 / width.max(1) as f32).clamp(0.1, 8.0);
        if maps.layout() == Layout::Units {
            let wide = (space.x / count.max(1) as f32).clamp(UNIT[0], 3.0 * UNIT[0]);
            return Places::of(vec2(wide - 1.0, UNIT[1]), 1.0, GAP, count, space.x);
        }
        let fits = |side: &f32| {
            let places = Places::of(
                vec2(*side, side * ratio),
                GAP,
                GAP + CAPTION,
                count,
                space.x,
            );
            places.height() <= space.y
        };
        let sides = (LEAST as usize..=MOST as usize)
            .rev()
            .map(|side| side as f32);
        let side = sides.clone().find(fits).unwrap_or(SCROLLED);
        let side = whole(side, width);
        Places::of(vec2(side, side * ratio), GAP, GAP + CAPTION, count, space.x)
    }

    fn of(size: Vec2, across: f32, down: f32, count: usize, width: f32) -> Places {
        let pitch = size + vec2(across, down);
        Places {
            columns: ((width / pitch.x).floor() as usize).max(1),
            size,
            pitch,
            count,
        }
    }

    fn height(&self) -> f32 {
        self.count.div_ceil(self.columns) as f32 * self.pitch.y
    }

    fn rect(&self, origin: Pos2, channel: usize) -> Rect {
        let column = (channel % self.columns) as f32;
        let row = (channel / self.columns) as f32;
        Rect::from_min_size(origin + vec2(column, row) * self.pitch, self.size)
    }

    fn at(&self, offset: Vec2) -> Option<usize> {
        let column = (offset.x / self.pitch.x).max(0.0) as usize;
        let row = (offset.y / self.pitch.y).max(0.0) as usize;
        let channel = row * self.columns + column;
        (column < self.columns && channel < self.count).then_some(channel)
    }

    fn in_sight(&self, viewport: Rect) -> Range<usize> {
        let row = |y: f32| (y / self.pitch.y).max(0.0) as usize;
        let first = row(viewport.top()) * self.columns;
        let last = (row(viewport.bottom()) + 1) * self.columns;
        first.min(self.count)..last.min(self.count)
    }
}

/// A side that gives every pixel the same size, where that costs little of the room.
fn whole(side: f32, pixels: usize) -> f32 {
    let even = (side / pixels.max(1) as f32).floor() * pixels as f32;
    if even >= 0.8 * side { even } else { side }
}

/// Chooses a map by a click or with the arrow keys; true when the keys moved on.
fn respond(
    ui: &mut Ui,
    maps: &Activations,
    places: &Places,
    origin: Pos2,
    viewport: Rect,
    choice: &mut MapChoice,
) -> bool {
    let view = Rect::from_min_size(origin + viewport.min.to_vec2(), viewport.size());
    let response = ui.interact(view, ui.scope_id().with("grid"), Sense::click());
    choice.map = choice.map.min(places.count.saturating_sub(1));
    let words = || {
        let zeros = percent(maps.summary().zeros);
        let described = maps.described();
        let place = &maps.place;
        format!(
            "{described} of {place}, {zeros} zero, number {} chosen",
            choice.map
        )
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, words()));
    let under = |at: Pos2| places.at(at - origin);
    if response.clicked() {
        response.request_focus();
        let clicked = response.interact_pointer_pos().and_then(under);
        choice.map = clicked.unwrap_or(choice.map);
    }
    let moved = keys(ui, &response, places, choice);
    if let Some(channel) = response.hover_pos().and_then(under) {
        response.on_hover_text_at_pointer(told(maps, channel));
    }
    moved
}

/// What is said of a map under the pointer.
fn told(maps: &Activations, channel: usize) -> String {
    let Summary { min, max, zeros } = maps.summary_of(channel);
    match maps.layout() {
        Layout::Units => format!("unit {channel}\n{}", number(max.into())),
        layout => {
            let noun = if layout == Layout::Signals {
                "signal"
            } else {
                "map"
            };
            format!(
                "{noun} {channel}\n{} … {}\n{} zero\nClick, or move with the arrow keys",
                number(min.into()),
                number(max.into()),
                percent(zeros)
            )
        }
    }
}

fn keys(ui: &Ui, response: &Response, places: &Places, choice: &mut MapChoice) -> bool {
    if !response.has_focus() {
        return false;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let row = places.columns;
    let page = 4 * row;
    let now = choice.map;
    let moves = [
        (Key::ArrowLeft, now.saturating_sub(1)),
        (Key::ArrowRight, now + 1),
        (Key::ArrowUp, now.saturating_sub(row)),
        (Key::ArrowDown, now + row),
        (Key::PageUp, now.saturating_sub(page)),
        (Key::PageDown, now + page),
        (Key::Home, 0),
        (Key::End, usize::MAX),
    ];
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    let Some((_, to)) = moves.into_iter().find(|(key, _)| pressed(*key)) else {
        return false;
    };
    choice.map = to.min(places.count.saturating_sub(1));
    true
}

/// A unit's bar, from zero up or down.
fn unit(ui: &Ui, maps: &Activations, channel: usize, rect: Rect, whole: &Summary) {
    let colors = theme::palette(ui);
    ui.painter().rect_filled(rect, 0.0, colors.raised);
    let Some(value) = maps.map(channel).first() else {
        return;
    };
    let share = value / whole.limit();
    let (from, to) = bar(share, whole);
    let y = |fraction: f32| rect.top() + fraction * rect.height();
    let filled = Rect::from_x_y_ranges(rect.x_range(), y(from)..=y(to).max(y(from) + 1.0));
    let [r, g, b] = color(share, whole);
    ui.painter()
        .rect_filled(filled, 0.0, Color32::from_rgb(r, g, b));
}

/// Which colour stands for which value.
fn color_bar(ui: &Ui, area: Rect, maps: &Activations, choice: &MapChoice, whole: &Summary) {
    if maps.layout() == Layout::Signals {
        return;
    }
    let weak = theme::palette(ui).weak;
    let size = vec2(8.0, area.height().min(160.0));
    let bar = Rect::from_min_size(area.min + vec2(8.0, 0.0), size);
    let is_signed = whole.min < 0.0;
    shades(ui.painter(), bar, |share| {
        let share = if is_signed { 2.0 * share - 1.0 } else { share };
        let [r, g, b] = color(share, whole);
        Color32::from_rgb(r, g, b)
    });
    let is_common = choice.scale == MapScale::Common || maps.layout() == Layout::Units;
    let end = |sign: f32| match is_common {
        true => number((sign * whole.limit()).into()),
        false if sign < 0.0 => "−largest".to_owned(),
        false => "largest".to_owned(),
    };
    let write = |y: f32, align: Align2, text: String| {
        let at = pos2(bar.right() + 4.0, y);
        ui.painter().text(at, align, text, theme::digits(9.5), weak);
    };
    write(bar.top(), Align2::LEFT_TOP, end(1.0));
    if is_signed {
        write(bar.center().y, Align2::LEFT_CENTER, "0".to_owned());
        write(bar.bottom(), Align2::LEFT_BOTTOM, end(-1.0));
    } else {
        write(bar.bottom(), Align2::LEFT_BOTTOM, "0".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_maps_in_sight_are_named() {
        let places = Places::of(vec2(60.0, 60.0), 4.0, 18.0, 2000, 640.0);
        assert_eq!(places.columns, 10);
        assert_eq!(places.height(), 200.0 * 78.0);
        let window = |top: f32| Rect::from_min_size(pos2(0.0, top), vec2(640.0, 300.0));
        assert_eq!(places.in_sight(window(0.0)), 0..40);
        assert_eq!(places.in_sight(window(15_300.0)), 1960..2000);
        assert_eq!(places.at(vec2(70.0, 80.0)), Some(11));
        assert_eq!(places.at(vec2(639.9, 0.0)), Some(9));
        assert_eq!(places.at(vec2(0.0, 16_000.0)), None);
    }
}
