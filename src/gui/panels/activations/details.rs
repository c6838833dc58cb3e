//! The image, the chosen map, and the colour bar.

use super::{ActivationsView, CAPTION, MapChoice, percent};
use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::{Sheet, shades};
use eframe::egui::{
    Align2, Color32, FontId, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};
use std::sync::Arc;
use strata_app::state::State;
use strata_core::shape::field::seen;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activations::{Activations, Layout, MapScale, Summary, color};

/// The image, and the map that is shown large.
pub(super) struct Side {
    reply: Arc<Reply<Activations>>,
    drawn: (MapScale, usize, usize),
    image: Sheet,
    map: Option<Sheet>,
}

impl ActivationsView {
    /// The image at the left, and below it the chosen map; gives the value of it that was clicked: channel, depth, row
    /// and column.
    pub(super) fn side(
        &mut self,
        ui: &Ui,
        area: Rect,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &MapChoice,
        (whole, state): (&Summary, &State),
    ) -> Option<[usize; 4]> {
        let channel = choice.map.min(maps.count().saturating_sub(1));
        let drawn = (choice.scale, maps.same_slice(), channel);
        let kept = self.side.take();
        let kept = kept.filter(|kept| Arc::ptr_eq(&kept.reply, reply) && kept.drawn == drawn);
        let side = kept.unwrap_or_else(|| Side::new(ui, reply, maps, drawn, whole));
        let mut words = image_name(maps);
        if maps.layout() == Layout::Units {
            let value = maps.summary_of(channel).max;
            words += &format!("\nunit {}: {}", channel + 1, number(value.into()));
        }
        let (image, seen) = captioned(ui, area, &words, &side.image);
        let mut opened = None;
        if let Some(map) = &side.map {
            let below = Rect::from_min_max(pos2(area.left(), image + theme::GAP), area.max);
            let (_, rect) = captioned(ui, below, &map_name(maps, channel), map);
            // Of a file the arithmetic has no numbers: it is of the probe images.
            let is_probe = state.inspections.saliency.image.is_none();
            if let Some(rect) = rect.filter(|_| is_probe) {
                let slice = maps.same_slice();
                opened = values(ui, state, maps, [channel, slice], (rect, seen));
            }
        }
        self.side = Some(side);
        opened
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

/// The values of the large map: what the pointer is on is told and its field framed on the image; a click gives it.
fn values(
    ui: &Ui,
    state: &State,
    maps: &Activations,
    [channel, slice]: [usize; 2],
    (rect, image): (Rect, Option<Rect>),
) -> Option<[usize; 4]> {
    let [_, height, width] = maps.shape.volume();
    let response = ui.interact(
        rect,
        ui.scope_id().with("values of the map"),
        Sense::click(),
    );
    let name = "Values of the large map: a click opens one in the layer's arithmetic";
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let under = |at: Pos2| {
        let share = (at - rect.min) / rect.size();
        let index = |share: f32, side: usize| ((share * side as f32) as usize).min(side - 1);
        [
            channel,
            slice,
            index(share.y, height),
            index(share.x, width),
        ]
    };
    // By keyboard the value in the middle is opened; the arithmetic's fields go on from there.
    let middle = [channel, slice, height / 2, width / 2];
    let at = response
        .hover_pos()
        .map(under)
        .or_else(|| response.has_focus().then_some(middle));
    let at = at?;
    let [_, depth, row, column] = at;
    let accent = Stroke::new(1.5, theme::palette(ui).accent);
    let cell = vec2(rect.width() / width as f32, rect.height() / height as f32);
    let corner = rect.min + vec2(column as f32, row as f32) * cell;
    let one = Rect::from_min_size(corner, cell);
    ui.painter()
        .rect_stroke(one, 0.0, accent, StrokeKind::Outside);
    if let Some(image) = image {
        frame_field(ui, state, maps, &cell_of(maps, at), image);
    }
    let value = maps
        .values
        .get(((channel * maps.slices() + depth) * height + row) * width + column);
    let value = value.map_or_else(String::new, |value| number(f64::from(*value)));
    let text = match maps.shape.rank() {
        1 => format!("sample {}: {value}", column + 1),
        _ => format!("row {}, column {}: {value}", row + 1, column + 1),
    };
    let is_clicked = response.clicked();
    response.on_hover_text_at_pointer(text);
    is_clicked.then_some(at)
}

/// The place of a value in its map, as many numbers as the map has axes.
pub(super) fn cell_of(maps: &Activations, [_, depth, row, column]: [usize; 4]) -> Vec<usize> {
    match maps.shape.rank() {
        1 => vec![column],
        2 => vec![row, column],
        _ => vec![depth, row, column],
    }
}

/// Frames what a value sees on the image: of a signal the samples, of a volume where its slice is shown.
fn frame_field(ui: &Ui, state: &State, maps: &Activations, cell: &[usize], image: Rect) {
    let found = seen(&state.shown.inference, &maps.place, cell);
    let bounds = found.and_then(|seen| seen.bounds);
    let [height, width, _] = maps.size;
    let is_shown = |(first, last): (i64, i64)| {
        let slice = maps.slice.map(|shown| shown.slice as i64);
        slice.is_some_and(|slice| (first..=last).contains(&slice))
    };
    let ((top, bottom), (left, right)) = match bounds.as_deref() {
        Some(&[samples]) => ((0, height as i64 - 1), samples),
        Some(&[rows, columns]) => (rows, columns),
        Some(&[slices, rows, columns]) if is_shown(slices) => (rows, columns),
        _ => return,
    };
    let pixel = vec2(image.width() / width as f32, image.height() / height as f32);
    let corner = |row: i64, column: i64| image.min + vec2(column as f32, row as f32) * pixel;
    let field = Rect::from_min_max(corner(top, left), corner(bottom + 1, right + 1));
    let stroke = Stroke::new(1.5, theme::palette(ui).accent);
    ui.painter()
        .rect_stroke(field, 0.0, stroke, StrokeKind::Middle);
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
    let slices = maps.slices();
    // Where a layer has as many slices as the volume, the slider says which one is shown.
    let is_told = slices == 1 || maps.slice.is_none_or(|of| of.slices == slices);
    let about = match is_told {
        true => format!(" · {} zero", percent(zeros)),
        false => format!(", slice {} of {slices}", maps.same_slice() + 1),
    };
    let [min, max] = [min, max].map(|end| number(end.into()));
    format!("map {}{about}\n{min} … {max}", channel + 1)
}

/// A picture with a line below; returns the lower edge and where the picture is.
fn captioned(ui: &Ui, area: Rect, words: &str, sheet: &Sheet) -> (f32, Option<Rect>) {
    let width = area.width() - theme::GAP;
    let ratio = sheet.size[0] as f32 / sheet.size[1].max(1) as f32;
    let tall = (width * ratio).min((area.height() - 2.0 * CAPTION).max(0.0));
    if tall < 16.0 {
        return (area.bottom(), None);
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
    (y, Some(rect))
}

/// Which colour means which value.
pub(super) fn color_bar(
    ui: &Ui,
    area: Rect,
    maps: &Activations,
    choice: &MapChoice,
    whole: &Summary,
) {
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
        ui.painter()
            .text(at, align, text, theme::digits(theme::TINY), weak);
    };
    write(bar.top(), Align2::LEFT_TOP, end(1.0));
    if is_signed {
        write(bar.center().y, Align2::LEFT_CENTER, "0".to_owned());
        write(bar.bottom(), Align2::LEFT_BOTTOM, end(-1.0));
    } else {
        write(bar.bottom(), Align2::LEFT_BOTTOM, "0".to_owned());
    }
}
