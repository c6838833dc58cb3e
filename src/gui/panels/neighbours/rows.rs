//! The chosen image, and its neighbours in two rows.

use crate::theme;
use crate::widgets::raster::Sheet;
use crate::widgets::{elided, in_lines, plain};
use eframe::egui::{
    Align2, CornerRadius, CursorIcon, FontId, Rect, RichText, Role, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_inspect::neighbours::{KnnAccuracy, Neighbour, Neighbours};

/// The longest side of a picture, and of the chosen image; of that no more than this share of a low view.
const SIDES: [f32; 2] = [40.0, 120.0];
const CHOSEN: f32 = 112.0;
const CHOSEN_SHARE: f32 = 0.4;
/// Height of the words beside the chosen image.
const WORDS: f32 = 76.0;
const GAP: f32 = 8.0;
const LINE: f32 = 14.0;

/// The pictures of what is shown.
pub(super) struct Pictures(Sheet);

impl Pictures {
    /// The chosen image, then the neighbours of both rows.
    pub(crate) fn of(ui: &Ui, found: &Neighbours) -> Pictures {
        let near = found.by_pixels.iter().chain(&found.by_features);
        let near = near.map(|near| near.pixels.as_slice());
        let images: Vec<&[u8]> = std::iter::once(found.picture.as_slice())
            .chain(near)
            .collect();
        Pictures(Sheet::of_images(
            ui.ctx(),
            "neighbours",
            found.size,
            &images,
        ))
    }
}

/// Shows them; returns the place in the split of a neighbour that was clicked.
pub(super) fn show(ui: &mut Ui, found: &Neighbours, pictures: &Pictures) -> Option<u32> {
    let mut clicked = None;
    let chosen = CHOSEN.min((CHOSEN_SHARE * ui.available_height()).max(SIDES[0]));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        heading(ui, found, pictures, chosen);
        ui.add_space(theme::GAP);
        let by_features = format!("by features of {}", plain(&found.layer));
        let first = 1 + found.by_pixels.len();
        for (name, near, start) in [
            ("by pixels", &found.by_pixels, 1),
            (by_features.as_str(), &found.by_features, first),
        ] {
            let same = same_class(found, near);
            let weak = theme::palette(ui).weak;
            let title = format!("Nearest {name}{same}");
            ui.label(RichText::new(title).size(theme::SMALL).color(weak));
            clicked = row(ui, found, near, (pictures, start), name).or(clicked);
            ui.add_space(theme::GAP);
        }
    });
    clicked
}

/// ` · 8 of 10 of its class`
fn same_class(found: &Neighbours, near: &[Neighbour]) -> String {
    let Some(label) = found.label else {
        return String::new();
    };
    let same = near.iter().filter(|near| near.label == Some(label)).count();
    format!(" · {same} of {} of its class", near.len())
}

/// The chosen image with what it is, and the k-NN accuracy.
fn heading(ui: &mut Ui, found: &Neighbours, Pictures(sheet): &Pictures, side: f32) {
    let colors = theme::palette(ui);
    let size = sides(sheet, side);
    let whole = vec2(ui.available_width() - 8.0, size[0].max(WORDS));
    let (area, response) = ui.allocate_exact_size(whole, Sense::hover());
    let image = Rect::from_min_size(area.min, vec2(size[1], size[0]));
    sheet.paint(ui.painter(), 0, image);
    let mut lines = vec![(title(found), colors.strong)];
    if let Some(label) = found.label {
        lines.push((found.class_name(label), theme::class_color(ui, Some(label))));
    }
    match &found.accuracy {
        Some(accuracy) => lines.extend(accuracy_lines(accuracy).map(|line| (line, colors.text))),
        None => {
            let none = "k-NN accuracy: measured for labelled images, when the run has stopped";
            lines.push((none.to_owned(), colors.weak));
        }
    }
    let room = area.right() - image.right() - 2.0 * GAP;
    let mut y = area.top();
    for (line, ink) in &lines {
        let font = FontId::proportional(theme::BODY);
        let galley = in_lines(ui, line, font, *ink, (room, 2));
        let tall = galley.size().y;
        let at = pos2(image.right() + 2.0 * GAP, y);
        ui.painter().galley(at, galley, *ink);
        y += tall + 2.0;
    }
    let said: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
    let said = said.join("; ");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
}

fn title(found: &Neighbours) -> String {
    found.image.map_or_else(
        || "image from disk".to_owned(),
        |index| format!("image {} of the {} images", index + 1, found.split),
    )
}

/// `5-NN accuracy by features 95.2 %, by pixels 91.0 %`, and of what.
pub(crate) fn accuracy_lines(accuracy: &KnnAccuracy) -> [String; 2] {
    let [pixels, features] = accuracy.shares().map(|share| 100.0 * share);
    let count = |number: usize| format::count(number as u64);
    [
        format!(
            "{}-NN accuracy by features {features:.2} %, by pixels {pixels:.2} %",
            accuracy.votes
        ),
        format!(
            "of {} {} images, by {} training images",
            count(accuracy.asked),
            accuracy.split,
            count(accuracy.fitted)
        ),
    ]
}

/// Height and width of a picture of this longest side.
fn sides(sheet: &Sheet, longest: f32) -> [f32; 2] {
    let [height, width] = sheet.size.map(|side| side.max(1) as f32);
    let scale = longest / height.max(width);
    [height * scale, width * scale]
}

fn row(
    ui: &mut Ui,
    found: &Neighbours,
    near: &[Neighbour],
    (Pictures(sheet), start): (&Pictures, usize),
    name: &str,
) -> Option<u32> {
    let count = near.len().max(1);
    let room = ui.available_width() - 8.0;
    let side = ((room + GAP) / count as f32 - GAP).clamp(SIDES[0], SIDES[1]);
    let columns = ((room + GAP) / (side + GAP)).floor().max(1.0) as usize;
    let [tall, wide] = sides(sheet, side);
    let cell = vec2(side + GAP, tall + 2.0 * LINE + GAP);
    let rows = near.len().div_ceil(columns);
    let (area, _) = ui.allocate_exact_size(vec2(room, rows as f32 * cell.y), Sense::hover());
    let mut clicked = None;
    for (index, near) in near.iter().enumerate() {
        let at = vec2(
            (index % columns) as f32 * cell.x,
            (index / columns) as f32 * cell.y,
        );
        let picture = Rect::from_min_size(area.min + at, vec2(wide, tall));
        let whole = Rect::from_min_size(picture.min, vec2(side, tall + 2.0 * LINE));
        sheet.paint(ui.painter(), start + index, picture);
        let id = ui.scope_id().with((name, index));
        let response = ui
            .interact(whole, id, Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        let ink = theme::class_color(ui, near.label);
        let frame = if response.has_focus() || response.hovered() {
            Stroke::new(2.0, theme::palette(ui).strong)
        } else {
            Stroke::new(2.0, ink)
        };
        ui.painter().rect_stroke(
            picture.expand(1.0),
            CornerRadius::same(1),
            frame,
            StrokeKind::Outside,
        );
        words(ui, found, near, whole, tall);
        let said = sentence(found, near, index, name);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said.as_str()));
        let response = response.on_hover_text(&said);
        if response.clicked() {
            clicked = Some(near.index);
        }
    }
    clicked
}

/// The class and the distance below a picture.
fn words(ui: &Ui, found: &Neighbours, near: &Neighbour, area: Rect, tall: f32) {
    let colors = theme::palette(ui);
    let font = FontId::proportional(theme::SMALL);
    let name = near.label.map_or_else(
        || "not labelled".to_owned(),
        |label| found.class_name(label),
    );
    let is_other = found.label.is_some() && near.label.is_some() && near.label != found.label;
    let ink = if is_other { colors.wrong } else { colors.text };
    let galley = elided(ui, &name, font, ink, area.width());
    let below = area.top() + tall + 2.0;
    ui.painter().galley(pos2(area.left(), below), galley, ink);
    ui.painter().text(
        pos2(area.left(), below + LINE),
        Align2::LEFT_TOP,
        format::loss(near.distance.into()),
        theme::digits(theme::TINY),
        colors.weak,
    );
}

fn sentence(found: &Neighbours, near: &Neighbour, index: usize, name: &str) -> String {
    let class = near.label.map_or_else(String::new, |label| {
        format!(", {}", found.class_name(label))
    });
    format!(
        "neighbour {} {name}: image {}{class}, {} distance {}",
        index + 1,
        near.index + 1,
        found.metric.word(),
        format::short(near.distance.into(), 4)
    )
}
