//! The map: every image a small picture in the colour of its class; moved, zoomed and pointed at.

use crate::theme;
use crate::widgets::keep_arrows;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Key, Pos2, Rect, Response, Role, Sense, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo, vec2,
};
use std::collections::BTreeSet;
use strata_core::format;
use strata_inspect::embedding::Embedding;

/// Pictures in one texture: one of all would be made coarser.
const PER_SHEET: usize = 1000;
/// The longest side of a picture on the whole map, and at most when it is zoomed.
const SIDES: [f32; 2] = [7.0, 26.0];
const LARGEST: f32 = 72.0;
/// From this side on the class is written below.
const NAMED: f32 = 44.0;
/// Radius of a point without a picture.
const POINT: f32 = 3.0;
/// Zoom of the whole map and at most.
const ZOOM: [f32; 2] = [0.5, 200.0];
/// Share of the area that a key moves the map by, and what it zooms by.
const STEP: f32 = 0.1;
const KEY_ZOOM: f32 = 1.25;

/// The pictures of a map's images.
pub(crate) struct Pictures(Vec<Sheet>);

impl Pictures {
    /// Loads them.
    pub(crate) fn of(ui: &Ui, map: &Embedding) -> Pictures {
        let sample = &map.features.sample;
        let all: Vec<&[u8]> = (0..sample.indices.len())
            .map(|index| sample.picture(index))
            .collect();
        let sheets = all.chunks(PER_SHEET);
        Pictures(
            sheets
                .map(|images| Sheet::of_images(ui.ctx(), "map", sample.size, images))
                .collect(),
        )
    }

    fn sheet(&self, index: usize) -> Option<(&Sheet, usize)> {
        Some((self.0.get(index / PER_SHEET)?, index % PER_SHEET))
    }

    /// Paints a picture.
    pub(crate) fn paint(&self, ui: &Ui, index: usize, to: Rect) {
        if let Some((sheet, place)) = self.sheet(index) {
            sheet.paint(ui.painter(), place, to);
        }
    }

    /// Width and height of a picture with this longest side.
    pub(crate) fn size(&self, longest: f32) -> Vec2 {
        let size = self.0.first().map_or([1, 1], |sheet| sheet.size);
        let [height, width] = size.map(|side| side.max(1) as f32);
        let scale = longest / height.max(width);
        vec2(width * scale, height * scale)
    }
}

/// Which part of the map is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    /// What is in the middle, in shares of the map's size.
    middle: Vec2,
    zoom: f32,
}

impl Default for Part {
    fn default() -> Part {
        Part {
            middle: Vec2::splat(0.5),
            zoom: 1.0,
        }
    }
}

/// What is drawn of a map, and how.
pub(crate) struct Drawn<'a> {
    /// The map.
    pub map: &'a Embedding,
    /// Its pictures.
    pub pictures: &'a Pictures,
    /// Classes that are hidden.
    pub hidden: &'a BTreeSet<Option<u32>>,
    /// Points instead of pictures.
    pub as_points: bool,
    /// The image that is open.
    pub open: Option<usize>,
}

/// Where the points are on the screen.
struct Placement {
    area: Rect,
    origin: [f64; 2],
    scale: f64,
    part: Part,
}

impl Placement {
    /// Both axes in one scale, the whole map with a margin where nothing is zoomed.
    fn new(map: &Embedding, area: Rect, part: Part) -> Placement {
        let ends = |axis: usize| {
            let values = || map.points.iter().map(move |point| point[axis]);
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(f64::NEG_INFINITY, f64::max);
            [low, high]
        };
        let [x, y] = [ends(0), ends(1)];
        let span = |[low, high]: [f64; 2]| (high - low).max(1e-9);
        let inner = area.shrink(SIDES[1].min(area.width() / 8.0));
        let fit = |points: f32, span: f64| f64::from(points.max(1.0)) / span;
        let scale = fit(inner.width(), span(x)).min(fit(inner.height(), span(y)));
        Placement {
            area,
            origin: [x, y].map(|[low, high]| (low + high) / 2.0),
            scale,
            part,
        }
    }

    fn at(&self, [x, y]: [f64; 2]) -> Pos2 {
        let zoom = self.part.zoom;
        let moved = (self.part.middle - Vec2::splat(0.5)) * self.area.size();
        let across = ((x - self.origin[0]) * self.scale) as f32;
        // Up is up, as in a plot.
        let down = -((y - self.origin[1]) * self.scale) as f32;
        self.area.center() + (vec2(across, down) - moved) * zoom
    }
}

/// What was done with the map.
#[derive(Default)]
pub(crate) struct Done {
    /// The image that was clicked.
    pub opened: Option<usize>,
}

/// The longest side of the pictures.
fn side(count: usize, area: Rect, zoom: f32) -> f32 {
    let each = (area.area() / count.max(1) as f32).sqrt();
    ((0.55 * each).clamp(SIDES[0], SIDES[1]) * zoom.max(0.5).powf(0.6)).min(LARGEST)
}

/// Paints the map in an area, without anything that answers to the pointer.
pub(crate) fn paint(ui: &Ui, area: Rect, drawn: &Drawn<'_>, part: Part) {
    let placement = Placement::new(drawn.map, area, part);
    let painted = ui.painter_at(area);
    painted.rect_filled(
        area,
        CornerRadius::same(theme::RADIUS),
        theme::palette(ui).back,
    );
    let sample = &drawn.map.features.sample;
    let longest = side(sample.indices.len(), area, part.zoom);
    let size = drawn.pictures.size(longest);
    for (index, point) in drawn.map.points.iter().enumerate() {
        let label = sample.labels.get(index).copied().flatten();
        let at = placement.at(*point);
        let is_outside = !area.expand(longest).contains(at);
        if is_outside || drawn.hidden.contains(&label) || drawn.open == Some(index) {
            continue;
        }
        let color = theme::class_color(ui, label);
        if drawn.as_points {
            painted.circle_filled(at, POINT * part.zoom.clamp(0.8, 2.0), color);
            continue;
        }
        let picture = Rect::from_center_size(at, size);
        one(&painted, drawn, index, picture, color);
        if longest >= NAMED {
            let name = label.map_or_else(String::new, |label| drawn.map.features.class_name(label));
            name_below(ui, &painted, picture, &name);
        }
    }
    // The open one lies above the others.
    if let Some((index, point)) = drawn
        .open
        .and_then(|index| Some((index, drawn.map.points.get(index)?)))
    {
        let picture =
            Rect::from_center_size(placement.at(*point), drawn.pictures.size(longest.max(24.0)));
        one(&painted, drawn, index, picture, theme::palette(ui).strong);
    }
}

fn one(
    painter: &eframe::egui::Painter,
    drawn: &Drawn<'_>,
    index: usize,
    picture: Rect,
    frame: Color32,
) {
    if let Some((sheet, place)) = drawn.pictures.sheet(index) {
        sheet.paint(painter, place, picture);
    }
    let width = (picture.width() / 10.0).clamp(1.0, 2.5);
    painter.rect_stroke(
        picture,
        CornerRadius::ZERO,
        Stroke::new(width, frame),
        StrokeKind::Outside,
    );
}

fn name_below(ui: &Ui, painter: &eframe::egui::Painter, picture: Rect, name: &str) {
    let below = picture.center_bottom() + vec2(0.0, 3.0);
    let font = FontId::proportional(theme::TINY);
    let ink = theme::palette(ui).text;
    painter.text(below, Align2::CENTER_TOP, name, font, ink);
}

/// The map, with what the pointer and the keys do.
pub(crate) fn show(ui: &mut Ui, drawn: &Drawn<'_>, part: &mut Part) -> Done {
    let area = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(area, Sense::click_and_drag());
    let said = described(drawn);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
    move_and_zoom(ui, &response, part);
    keys(ui, &response, part);
    paint(ui, area, drawn, *part);
    if response.has_focus() {
        focus_marks(ui, area);
    }
    let placement = Placement::new(drawn.map, area, *part);
    let mut done = Done::default();
    let pointed = response
        .hover_pos()
        .and_then(|at| nearest(drawn, &placement, at, true));
    if let Some(index) = pointed {
        if response.clicked() {
            done.opened = Some(index);
        }
        hint(response.clone(), drawn, index);
    }
    let entered = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if entered {
        done.opened = nearest(drawn, &placement, area.center(), false);
    }
    done
}

/// The picture and the words under the pointer.
fn hint(response: Response, drawn: &Drawn<'_>, index: usize) {
    response.on_hover_ui_at_pointer(|ui| {
        let (area, _) = ui.allocate_exact_size(drawn.pictures.size(96.0), Sense::hover());
        drawn.pictures.paint(ui, index, area);
        ui.label(sentence(drawn.map, index));
    });
}

/// `7 · image 312 of the test images`
pub(crate) fn sentence(map: &Embedding, index: usize) -> String {
    let sample = &map.features.sample;
    let place = sample.indices.get(index).copied().unwrap_or_default();
    let class = match sample.labels.get(index).copied().flatten() {
        Some(label) => map.features.class_name(label),
        None => "not labelled".to_owned(),
    };
    format!(
        "{class} · image {} of the {} images",
        place + 1,
        map.features.split
    )
}

fn move_and_zoom(ui: &Ui, response: &Response, part: &mut Part) {
    let area = response.rect;
    if response.double_clicked() {
        *part = Part::default();
        return;
    }
    if response.dragged() {
        part.middle -= response.drag_delta() / area.size() / part.zoom;
    }
    if let Some(at) = response.hover_pos() {
        let zoom = ui.input(|input| input.zoom_delta());
        if zoom != 1.0 {
            zoom_at(part, zoom, (at - area.center()) / area.size());
        }
    }
}

/// Zooms so that what lies at `at` (shares of the area from its middle) stays there.
fn zoom_at(part: &mut Part, by: f32, at: Vec2) {
    let zoom = (part.zoom * by).clamp(ZOOM[0], ZOOM[1]);
    part.middle += at / part.zoom - at / zoom;
    part.zoom = zoom;
}

/// Arrows move, plus and minus zoom, Home shows all.
fn keys(ui: &Ui, response: &Response, part: &mut Part) {
    if !response.has_focus() {
        return;
    }
    keep_arrows(response);
    let step = STEP / part.zoom;
    ui.input(|input| {
        for (key, way) in [
            (Key::ArrowLeft, vec2(-step, 0.0)),
            (Key::ArrowRight, vec2(step, 0.0)),
            (Key::ArrowUp, vec2(0.0, -step)),
            (Key::ArrowDown, vec2(0.0, step)),
        ] {
            part.middle += way * input.num_presses(key) as f32;
        }
        let plain = !input.modifiers.command;
        if plain && (input.key_pressed(Key::Plus) || input.key_pressed(Key::Equals)) {
            zoom_at(part, KEY_ZOOM, Vec2::ZERO);
        }
        if plain && input.key_pressed(Key::Minus) {
            zoom_at(part, 1.0 / KEY_ZOOM, Vec2::ZERO);
        }
        if input.key_pressed(Key::Home) {
            *part = Part::default();
        }
    });
}

/// The frame of what has the keys, and the middle, whose image Enter opens.
fn focus_marks(ui: &Ui, area: Rect) {
    let stroke = Stroke::new(1.5, theme::palette(ui).accent);
    let corner = CornerRadius::same(theme::RADIUS);
    ui.painter()
        .rect_stroke(area, corner, stroke, StrokeKind::Inside);
    let middle = area.center();
    for way in [vec2(6.0, 0.0), vec2(0.0, 6.0)] {
        ui.painter()
            .line_segment([middle - way, middle + way], stroke);
    }
}

/// The image nearest to a place; `close` for only those that are there.
fn nearest(drawn: &Drawn<'_>, placement: &Placement, at: Pos2, close: bool) -> Option<usize> {
    let sample = &drawn.map.features.sample;
    let longest = side(sample.indices.len(), placement.area, placement.part.zoom);
    let reach = if drawn.as_points {
        2.0 * POINT
    } else {
        0.7 * longest
    };
    let shown = drawn.map.points.iter().enumerate().filter(|(index, _)| {
        let label = sample.labels.get(*index).copied().flatten();
        !drawn.hidden.contains(&label)
    });
    let far = shown.map(|(index, point)| (placement.at(*point).distance(at), index));
    let found = far.min_by(|a, b| a.0.total_cmp(&b.0));
    found
        .filter(|(far, _)| !close || *far <= reach)
        .map(|(_, index)| index)
}

/// What a screen reader says of it.
fn described(drawn: &Drawn<'_>) -> String {
    format!(
        "map of {} images by {}",
        format::count(drawn.map.points.len() as u64),
        drawn.map.how.by.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::pos2;

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let area = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 300.0));
        let map = Embedding {
            features: Default::default(),
            how: Default::default(),
            points: vec![[-3.0, 2.0], [5.0, -7.0], [1.0, 1.0]],
            explained: Vec::new(),
            divergence: None,
            trust: None,
        };
        let mut part = Part::default();
        let whole = Placement::new(&map, area, part);
        assert!(
            map.points
                .iter()
                .all(|point| area.contains(whole.at(*point)))
        );
        let at = whole.at(map.points[1]);
        zoom_at(&mut part, 3.0, (at - area.center()) / area.size());
        let zoomed = Placement::new(&map, area, part);
        assert!(zoomed.at(map.points[1]).distance(at) < 0.01);
        let apart = |placement: &Placement| {
            placement
                .at(map.points[0])
                .distance(placement.at(map.points[2]))
        };
        assert!((apart(&zoomed) / apart(&whole) - 3.0).abs() < 0.01);
        zoom_at(&mut part, 1e9, Vec2::ZERO);
        assert_eq!(part.zoom, ZOOM[1]);
    }
}
