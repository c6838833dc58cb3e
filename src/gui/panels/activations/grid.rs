//! The grid over all channels of a layer, and how one of them is chosen.

use super::{ActivationsView, CAPTION, MapChoice, Numbers, percent};
use crate::theme;
use crate::widgets::first_fitting;
use crate::widgets::keep_arrows;
use crate::widgets::raster::Sheet;
use eframe::egui::style::ScrollAnimation;
use eframe::egui::{
    Color32, Key, Pos2, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, vec2,
};
use std::ops::Range;
use std::sync::Arc;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activations::{Activations, Layout, MapScale, Summary, bar, color};

/// The maps in sight, and some around them.
pub(super) struct Maps {
    reply: Arc<Reply<Activations>>,
    scale: MapScale,
    slice: usize,
    channels: Range<usize>,
    sheet: Sheet,
}

const GAP: f32 = 4.0;

/// Width of a map (at most twice as much for a curve): at least, at most, and where they have to be scrolled.
const LEAST: f32 = 40.0;
const MOST: f32 = 240.0;
const SCROLLED: f32 = 64.0;
/// Room for the outline of the chosen map.
const OUTLINE: f32 = 2.0;

/// A unit's bar, with its room: width and height.
const UNIT: [f32; 2] = [10.0, 88.0];

impl ActivationsView {
    /// The grid over all channels; of what is out of sight nothing is made.
    pub(super) fn grid(
        &mut self,
        ui: &mut Ui,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &mut MapChoice,
        numbers: &Numbers,
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
            let has_keys = ui.memory(|memory| memory.has_focus(ui.scope_id().with("grid")));
            if maps.layout() != Layout::Units {
                self.update(ui, reply, maps, choice, &numbers.whole, in_sight.clone());
            }
            for channel in in_sight {
                let rect = places.rect(origin, channel);
                self.paint(ui, maps, channel, rect, numbers);
                if channel == choice.map {
                    let width = if has_keys { 3.0 } else { 1.5 };
                    let stroke = Stroke::new(width, theme::palette(ui).accent);
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
        let slice = maps.same_slice();
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

    fn paint(&self, ui: &Ui, maps: &Activations, channel: usize, rect: Rect, numbers: &Numbers) {
        let colors = theme::palette(ui);
        if maps.layout() == Layout::Units {
            return unit(ui, maps, channel, rect, &numbers.whole);
        }
        if let Some(drawn) = &self.maps {
            let index = channel - drawn.channels.start;
            drawn.sheet.paint(ui.painter(), index, rect);
        }
        let zeros = numbers.channels[channel].zeros;
        let ink = if zeros == 1.0 {
            colors.second
        } else {
            colors.weak
        };
        let number = (channel + 1).to_string();
        let words = format!("{number} · {:.0} %", 100.0 * zeros);
        let font = theme::digits(theme::TINY);
        // What is said of one map never reaches the next.
        let galley = first_fitting(ui, &[&words, &number], font, ink, rect.width());
        let at = rect.left_bottom() + vec2(0.0, 1.0);
        ui.painter().galley(at, galley, ink);
    }
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
        // A curve may be as high as a map, and is wider then.
        let most = MOST / ratio.clamp(0.5, 1.0);
        let sides = (LEAST as usize..=most as usize)
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
            choice.map + 1
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
    let place = channel + 1;
    let Summary { min, max, zeros } = maps.summary_of(channel);
    match maps.layout() {
        Layout::Units => format!("unit {place}\n{}", number(max.into())),
        layout => {
            let noun = if layout == Layout::Signals {
                "signal"
            } else {
                "map"
            };
            format!(
                "{noun} {place}\n{} … {}\n{} zero\nClick, or move with the arrow keys",
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
    keep_arrows(response);
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

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::pos2;

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
