//! One value of the trained network: where it is read, the numbers and the weights, and the sum.

use super::super::super::loading_state::{failed, reading};
use super::{grid, set};
use crate::theme;
use crate::widgets::empty;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, Color32, DragValue, FontId, Id, Label, Rect, Response, RichText, Role, Sense, Stroke,
    StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
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
use strata_inspect::pixel::{Part, Pixel, Term};

type Seen = Reply<Pixel>;

/// The textures of the maps that are drawn, and what they are of.
#[derive(Default)]
pub(super) struct Maps(Option<(Arc<Seen>, usize, [Sheet; 2])>);

/// The sum below.
const BELOW: f32 = 38.0;
/// Between the parts.
const GAP: f32 = 28.0;
const CAPTION: f32 = 18.0;
/// The height of a signal's map.
const BAND: f32 = 32.0;

/// Shows the value in the lens.
pub(super) fn show(ui: &mut Ui, state: &State, maps: &mut Maps, actions: &mut Vec<Action>) {
    let place = state.lens_place();
    let fits = |seen: &&Arc<Seen>| Some(&seen.query.request.place) == place.as_ref();
    let Some(seen) = state.run_reply::<Pixel>().filter(fits) else {
        return match state.subject() {
            Some(Subject::Stored(_)) => reading(ui, state, "Opening the run …", actions),
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

/// Rows and columns that a map is drawn with: a vector stands as a nearly square block.
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

/// Input map, window times kernel, output map.
fn scene(
    ui: &mut Ui,
    area: Rect,
    pixel: &Pixel,
    part: Option<&Part>,
    maps: &Maps,
    settings: LensSettings,
    actions: &mut Vec<Action>,
) {
    let Some((_, channel, [input, output])) = &maps.0 else {
        return;
    };
    let table = part
        .filter(|part| !part.terms.is_empty())
        .map(|part| Table::new(pixel, part));
    let wide = table
        .as_ref()
        .map_or(0.0, |table| table.width().min(area.width() * 0.5));
    let side = (area.height() - CAPTION)
        .min((area.width() - wide - 2.0 * GAP) / 2.0)
        .clamp(8.0, 320.0);
    let total = 2.0 * side + wide + 2.0 * GAP;
    let (left, top) = (
        area.center().x - total / 2.0,
        area.top() + CAPTION + (area.height() - CAPTION - side).max(0.0) / 2.0,
    );
    let from = fitted(
        Rect::from_min_size(pos2(left, top), vec2(side, side)),
        input.size,
    );
    let to = fitted(
        Rect::from_min_size(pos2(left + total - side, top), vec2(side, side)),
        output.size,
    );
    input.paint(ui.painter(), 0, from);
    output.paint(ui.painter(), 0, to);
    let of = |name: &str, shape: &Shape, channel: usize| {
        if shape.rank() == 0 {
            format!("{name}, {shape}")
        } else {
            format!("{name}, channel {channel}")
        }
    };
    grid::caption(ui, from, &of("input", &pixel.input, *channel));
    grid::caption(ui, to, &of("output", &pixel.output, pixel.at[0]));
    let read = part
        .map(|part| marks(&part.terms, pixel, from))
        .unwrap_or(Rect::NOTHING);
    let place = if pixel.output.rank() == 0 {
        cell_of(pixel.at[0], to, output.size)
    } else {
        cell(pixel.at[2] as i64, pixel.at[3] as i64, to, output.size)
    };
    let accent = theme::palette(ui).accent;
    if let Some(table) = table {
        let room = Rect::from_min_max(
            pos2(left + side + GAP, area.top()),
            pos2(left + side + GAP + wide, area.bottom()),
        );
        let bounds = table.show(ui, room);
        grid::beam(ui.painter(), read, bounds, false, accent);
        grid::beam(ui.painter(), bounds, place, false, accent);
    }
    for rect in [read, place] {
        ui.painter().rect_stroke(
            rect.expand(1.0),
            0.0,
            Stroke::new(2.0, accent),
            StrokeKind::Outside,
        );
    }
    let response = ui.interact(to, Id::unique("lens output map"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Output map"));
    pick(response, pixel, to, output.size, settings, actions);
}

/// A click on the map chooses the value there.
fn pick(
    response: Response,
    pixel: &Pixel,
    to: Rect,
    size: [usize; 2],
    settings: LensSettings,
    actions: &mut Vec<Action>,
) {
    let at = |point: eframe::egui::Pos2| {
        let inside = (point - to.min) / to.size();
        let index = |share: f32, count: usize| {
            ((share * count as f32).max(0.0) as usize).min(count.saturating_sub(1))
        };
        let (row, column) = (index(inside.y, size[0]), index(inside.x, size[1]));
        let vector = [
            (row * size[1] + column).min(pixel.output.channels() - 1),
            0,
            0,
            0,
        ];
        if pixel.output.rank() == 0 {
            vector
        } else {
            [pixel.at[0], pixel.at[1], row, column]
        }
    };
    if let Some(point) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        actions.push(set(LensSettings {
            at: Some(at(point)),
            ..settings
        }));
    }
    if let Some(point) = response.hover_pos() {
        let [channel, depth, row, column] = at(point);
        let value = pixel.maps[1].get(strata_inspect::pixel::flat(
            [channel, depth, row, column],
            &pixel.output,
        ));
        let place = if pixel.output.rank() == 0 {
            format!("unit {channel}")
        } else {
            format!("row {row}, column {column}")
        };
        let value = value.map_or_else(String::new, |value| number(f64::from(*value)));
        response.on_hover_text_at_pointer(format!(
            "{place}: {value}\nA click shows where it comes from"
        ));
    }
}

/// A rectangle of a picture's proportions inside of another; a map of a signal is a band that can be seen and clicked.
fn fitted(rect: Rect, [rows, columns]: [usize; 2]) -> Rect {
    let scale = (rect.width() / columns.max(1) as f32).min(rect.height() / rows.max(1) as f32);
    let size = vec2(columns as f32, rows as f32) * scale;
    let least = if rows == 1 {
        BAND.min(rect.height())
    } else {
        0.0
    };
    Rect::from_center_size(rect.center(), vec2(size.x, size.y.max(least)))
}

fn cell(row: i64, column: i64, map: Rect, [rows, columns]: [usize; 2]) -> Rect {
    let size = vec2(
        map.width() / columns.max(1) as f32,
        map.height() / rows.max(1) as f32,
    );
    Rect::from_min_size(
        map.min + vec2(column as f32 * size.x, row as f32 * size.y),
        size,
    )
}

fn cell_of(index: usize, map: Rect, size: [usize; 2]) -> Rect {
    cell(
        (index / size[1].max(1)) as i64,
        (index % size[1].max(1)) as i64,
        map,
        size,
    )
}

/// What of the input's map is read.
fn marks(terms: &[Term], pixel: &Pixel, map: Rect) -> Rect {
    let (rows, columns) = plane(&pixel.input);
    let one = |term: &Term| match pixel.input.rank() {
        0 => cell_of(
            pixel
                .parts
                .iter()
                .find(|part| part.terms.contains(term))
                .map_or(0, |part| part.channel),
            map,
            [rows, columns],
        ),
        _ => cell(term.at[1], term.at[2], map, [rows, columns]),
    };
    terms
        .iter()
        .map(one)
        .fold(Rect::NOTHING, |all, rect| all.union(rect))
}

/// The window's numbers over the kernel's: each cell has the input above and the weight below.
struct Table<'a> {
    terms: Vec<&'a Term>,
    columns: usize,
    part: &'a Part,
    title: String,
}

/// A cell of the table.
const WIDE: f32 = 46.0;
const HIGH: f32 = 30.0;
/// Terms that have room as a list.
const LISTED: usize = 12;

impl<'a> Table<'a> {
    fn new(pixel: &'a Pixel, part: &'a Part) -> Table<'a> {
        if pixel.input.rank() == 0 {
            let terms: Vec<&Term> = pixel
                .parts
                .iter()
                .flat_map(|part| &part.terms)
                .take(LISTED)
                .collect();
            let columns = if terms.len() > 5 { 2 } else { 1 };
            return Table {
                terms,
                columns,
                part,
                title: "largest input · weight".into(),
            };
        }
        let columns = pixel
            .kernel
            .map_or(1, |[_, width]| width)
            .min(part.terms.len())
            .max(1);
        let weighted = part.terms.iter().any(|term| term.weight.is_some());
        let title = match (part.factor, weighted) {
            (Some(factor), _) => format!(
                "window · kernel = {}, · {}",
                number(part.sum),
                number(factor.into())
            ),
            (None, true) => format!("window · kernel = {}", number(part.sum)),
            (None, false) => format!("window: {}", number(part.sum)),
        };
        let whole = part.terms.len() / columns * columns == part.terms.len();
        let columns = if whole {
            columns
        } else {
            (part.terms.len() as f64).sqrt().ceil() as usize
        };
        Table {
            terms: part.terms.iter().collect(),
            columns,
            part,
            title,
        }
    }

    fn rows(&self) -> usize {
        self.terms.len().div_ceil(self.columns.max(1))
    }

    fn width(&self) -> f32 {
        (self.columns as f32 * WIDE).max(140.0)
    }

    /// Draws the cells into a room; numbers are left out where cells are too small for them.
    fn show(&self, ui: &Ui, room: Rect) -> Rect {
        let colors = theme::palette(ui);
        let wide = (room.width() / self.columns as f32).min(WIDE * 1.4);
        let high = ((room.height() - CAPTION) / self.rows().max(1) as f32).min(HIGH * 1.3);
        let size = vec2(wide * self.columns as f32, high * self.rows() as f32);
        let center = pos2(
            room.center().x,
            (room.top() + CAPTION + room.bottom()) / 2.0,
        );
        let bounds = Rect::from_center_size(center, size);
        grid::caption(ui, bounds, &self.title);
        ui.painter().rect_filled(bounds, 1.0, colors.panel);
        let most = self
            .terms
            .iter()
            .map(|term| term.product().abs())
            .fold(1e-12, f64::max);
        for (index, term) in self.terms.iter().enumerate() {
            let corner = bounds.min
                + vec2(
                    (index % self.columns) as f32 * wide,
                    (index / self.columns) as f32 * high,
                );
            let rect = Rect::from_min_size(corner, vec2(wide, high));
            let [r, g, b] = diverging((term.product() / most) as f32);
            let fill = grid::mix(
                colors.raised,
                Color32::from_rgb(r, g, b),
                0.35 * (term.product().abs() / most) as f32,
            );
            let chosen = self.part.chosen == Some(index);
            grid::cell(
                ui.painter(),
                rect,
                fill,
                if chosen { colors.accent } else { colors.line },
            );
            write(ui, rect, term);
        }
        bounds
    }
}

fn write(ui: &Ui, rect: Rect, term: &Term) {
    let colors = theme::palette(ui);
    let size = (rect.height() * 0.36).min(rect.width() / 4.6).min(11.5);
    if size < 6.5 {
        return;
    }
    let text = |y: f32, text: String, color: Color32| {
        ui.painter().text(
            pos2(rect.center().x, y),
            Align2::CENTER_CENTER,
            text,
            theme::digits(size),
            color,
        );
    };
    match term.weight {
        Some(weight) => {
            text(
                rect.top() + rect.height() * 0.30,
                brief(term.value),
                colors.strong,
            );
            text(
                rect.top() + rect.height() * 0.72,
                format!("·{}", brief(weight)),
                colors.text,
            );
        }
        None => text(rect.center().y, brief(term.value), colors.strong),
    }
}

/// A number in few letters: three digits.
fn brief(value: f32) -> String {
    let value = f64::from(value);
    let digits = if value == 0.0 || !value.is_finite() {
        0
    } else {
        (2 - value.abs().log10().floor() as i32).clamp(0, 3)
    };
    let text = format!("{:.*}", digits as usize, value.abs());
    let text = text
        .strip_prefix('0')
        .filter(|rest| rest.starts_with('.'))
        .map_or(text.clone(), str::to_owned);
    if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// The sum in words, and that the network has the same.
fn sum(ui: &mut Ui, area: Rect, pixel: &Pixel) {
    let colors = *theme::palette(ui);
    let mut inner = ui.new_child(UiBuilder::new().id_salt("pixel sum").max_rect(area));
    inner.spacing_mut().item_spacing.y = 2.0;
    let sentence = pixel.sentence();
    let line = RichText::new(&sentence)
        .font(theme::digits(12.0))
        .color(colors.text);
    inner
        .add(Label::new(line).truncate())
        .on_hover_text(&sentence);
    let off = (pixel.value - f64::from(pixel.network)).abs()
        > 1e-3 * f64::from(pixel.network.abs()).max(1e-2);
    let (said, color) = if off {
        ("differs from", colors.wrong)
    } else {
        ("is what the network has:", colors.proven)
    };
    let text = format!(
        "{} {said} {} · `{}` after {} steps",
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
