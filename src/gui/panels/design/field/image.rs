//! The image with the box of what the cell sees, and the effective field over it.

use super::chosen::{Chosen, plane, times};
use super::{BAR, MARGIN, captioned, cell_rect, fitted, told};
use crate::theme;
use crate::widgets::raster::{Sheet, unsigned_bar};
use eframe::egui::{
    Button, Color32, Painter, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};
use strata_app::state::State;
use strata_core::format;
use strata_core::shape::field::Seen;
use strata_inspect::effective_field::{EFFECTIVE, EffectiveField};
use strata_inspect::maps::overlay_rgba;
use strata_inspect::picture::image_rgba;

/// Which image, and its texture.
#[derive(Default)]
pub(super) struct Pictures {
    index: usize,
    drawn: Option<(Drawn, Sheet)>,
}

/// What a texture was made from.
struct Drawn {
    pixels: Vec<u8>,
    values: Vec<f32>,
}

/// An image as bytes.
struct Raw<'a> {
    pixels: &'a [u8],
    size: [usize; 2],
    channels: usize,
}

/// Cells seen apart from each other are drawn one by one up to this many.
const MOST_HOLES: usize = 900;

impl Pictures {
    /// Another image.
    pub fn tools(&mut self, ui: &mut Ui, state: &State) {
        let count = count(state);
        if count < 2 {
            return;
        }
        self.index = self.index.min(count - 1);
        let small = |text: &str| Button::new(RichText::new(text).size(theme::SMALL));
        let next = ui
            .add_enabled(self.index + 1 < count, small("▶"))
            .on_hover_text("The next image");
        if next.accessible_name("Next image").clicked() {
            self.index += 1;
        }
        let at = format!("{} / {count}", self.index + 1);
        ui.label(
            RichText::new(at)
                .font(theme::digits(theme::SMALL))
                .color(theme::palette(ui).weak),
        );
        let former = ui
            .add_enabled(self.index > 0, small("◀"))
            .on_hover_text("The image before");
        if former.accessible_name("Image before").clicked() {
            self.index -= 1;
        }
    }

    /// Shows the image with all that is drawn over it.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        area: Rect,
        state: &State,
        chosen: &Chosen,
        effective: bool,
    ) {
        let input = &state.shown.inference.input;
        let Some(sizes) = plane(input.spatial()) else {
            return told(
                ui,
                area,
                "The input is a vector: it has no positions to see.",
            );
        };
        let field = chosen.effective(state).filter(|_| effective);
        let raw = raw(state, self.index, sizes);
        let inner = captioned(ui, area, &caption(chosen, input.rank()));
        // To the right and below, the padding is seen in the tile's own margin.
        let bar = if field.is_some() { BAR } else { 0.0 };
        let room = Rect::from_min_max(inner.min + vec2(0.0, MARGIN), inner.max - vec2(bar, MARGIN));
        let frame = fitted(room, sizes);
        self.paint(ui, frame, raw, field);
        let clip = ui
            .painter()
            .with_clip_rect(inner.expand(MARGIN).intersect(ui.clip_rect()));
        if let Some(seen) = &chosen.seen {
            boxes(ui, &clip, frame, sizes, seen);
        }
        if let Some(field) = field {
            let largest = field.values.iter().copied().fold(0.0, f32::max);
            let left = frame.right() + 4.0;
            let bar = Rect::from_min_max(pos2(left, frame.top()), pos2(left + BAR, frame.bottom()));
            unsigned_bar(ui, bar, "0", &format::loss(f64::from(largest)));
        }
        hover(ui, frame, sizes, chosen, field);
    }

    fn paint(
        &mut self,
        ui: &Ui,
        frame: Rect,
        raw: Option<Raw<'_>>,
        field: Option<&EffectiveField>,
    ) {
        let Some(raw) = raw else {
            return placeholder(ui, frame);
        };
        let values = field
            .map(|field| field.values.as_slice())
            .unwrap_or_default();
        if self
            .drawn
            .as_ref()
            .is_none_or(|(drawn, _)| drawn.pixels != raw.pixels || drawn.values != values)
        {
            let rgba = match values.len() == raw.size[0] * raw.size[1] {
                true => overlay_rgba(raw.pixels, raw.channels, values),
                false => image_rgba(raw.pixels, raw.channels),
            };
            let drawn = Drawn {
                pixels: raw.pixels.to_vec(),
                values: values.to_vec(),
            };
            self.drawn = Some((
                drawn,
                Sheet::new(ui.ctx(), "receptive field", raw.size, 1, |_| rgba.clone()),
            ));
        }
        if let Some((_, sheet)) = &self.drawn {
            sheet.paint(ui.painter(), 0, frame);
        }
    }
}

/// How many images there are to look at.
fn count(state: &State) -> usize {
    let measured = state.inspections.output::<EffectiveField>();
    let probes = state.reconstructions().and_then(Result::ok);
    let page = state
        .inspections
        .reply_to(&state.gallery_query())
        .and_then(|looked| looked.result.as_ref().ok());
    let counts = [
        measured.map(|f| f.images),
        probes.map(|r| r.mse.len()),
        page.map(|g| g.images.len()),
    ];
    counts.into_iter().flatten().next().unwrap_or(0)
}

/// The image: of the run's probe images, or of the page of the data view. Only of the input's ratio.
fn raw(state: &State, index: usize, sizes: [usize; 2]) -> Option<Raw<'_>> {
    let measured = state.inspections.output::<EffectiveField>();
    let measured = measured.map(|f| (f.inputs.as_slice(), [f.height, f.width], f.channels));
    let probes = || state.reconstructions().and_then(Result::ok);
    let probes = || probes().map(|r| (r.inputs.as_slice(), [r.height, r.width], r.channels));
    let page = || {
        state
            .inspections
            .reply_to(&state.gallery_query())?
            .result
            .as_ref()
            .ok()
    };
    let page = || page().map(|g| (g.pixels.as_slice(), [g.size[0], g.size[1]], g.size[2]));
    let (pixels, size, channels) = measured.or_else(probes).or_else(page)?;
    let fits = size[0] * sizes[1] == size[1] * sizes[0];
    let bytes = size[0] * size[1] * channels;
    let pixels = pixels
        .get(index * bytes..(index + 1) * bytes)
        .or_else(|| pixels.get(..bytes))?;
    (fits && bytes > 0).then_some(Raw {
        pixels,
        size,
        channels,
    })
}

/// Where no image is at hand: a plane with a coarse grid.
fn placeholder(ui: &Ui, frame: Rect) {
    let colors = theme::palette(ui);
    ui.painter().rect_filled(frame, 0.0, colors.raised);
    let line = Stroke::new(1.0, colors.line);
    for eighth in 1..8 {
        let share = eighth as f32 / 8.0;
        ui.painter()
            .vline(frame.left() + frame.width() * share, frame.y_range(), line);
        if frame.height() > 60.0 {
            ui.painter()
                .hline(frame.x_range(), frame.top() + frame.height() * share, line);
        }
    }
    ui.painter().rect_stroke(
        frame,
        0.0,
        Stroke::new(1.0, colors.line),
        StrokeKind::Inside,
    );
}

/// `rows 4…19, columns 4…19 of 32×32`, counted from 1; what lies before the first is padding.
fn caption(chosen: &Chosen, rank: usize) -> String {
    let Some(seen) = &chosen.seen else {
        return "input".to_owned();
    };
    let Some(bounds) = &seen.bounds else {
        return "sees nothing of the input: no tap reaches this cell".to_owned();
    };
    let span = |(first, last): &(i64, i64)| format!("{}…{}", first + 1, last + 1);
    let spans: Vec<String> = bounds.iter().map(span).collect();
    let mut text = match spans.as_slice() {
        [samples] if rank == 1 => format!("samples {samples}"),
        [rows, columns] => format!("rows {rows}, columns {columns}"),
        [slices, rows, columns] => {
            format!("slices {slices}, rows {rows}, columns {columns}")
        }
        _ => spans.join(" × "),
    };
    if seen.statistics {
        text += ", through the mean and variance that a norm takes of the whole image";
    }
    text
}

/// The box, the positions in it that are left out, and the part in the padding.
fn boxes(ui: &Ui, painter: &Painter, frame: Rect, sizes: [usize; 2], seen: &Seen) {
    let accent = theme::palette(ui).accent;
    let flat = |axes: &[(i64, i64)]| match *axes {
        [.., rows, columns] => [rows, columns],
        [columns] => [(0, 0), columns],
        [] => [(0, 0), (0, 0)],
    };
    let Some(bounds) = &seen.bounds else { return };
    let inside = cell_rect(frame, sizes, flat(bounds));
    let shade = Color32::from_black_alpha(if ui.visuals().dark_mode { 120 } else { 70 });
    for part in around(frame, inside) {
        painter.rect_filled(part, 0.0, shade);
    }
    let padded = seen
        .padded
        .as_deref()
        .map(flat)
        .map(|axes| cell_rect(frame, sizes, axes));
    if let Some(padded) = padded.filter(|padded| !seen.whole && *padded != inside) {
        let corners = [
            padded.left_top(),
            padded.right_top(),
            padded.right_bottom(),
            padded.left_bottom(),
            padded.left_top(),
        ];
        let dashes = eframe::egui::Shape::dashed_line(&corners, Stroke::new(1.0, accent), 4.0, 3.0);
        painter.extend(dashes);
    }
    holes(painter, frame, sizes, seen, accent);
    painter.rect_stroke(
        inside,
        0.0,
        Stroke::new(3.0, Color32::from_black_alpha(110)),
        StrokeKind::Outside,
    );
    painter.rect_stroke(inside, 0.0, Stroke::new(2.0, accent), StrokeKind::Outside);
}

/// Dilation leaves positions out: those that are seen are drawn one by one.
fn holes(painter: &Painter, frame: Rect, sizes: [usize; 2], seen: &Seen, color: Color32) {
    let [part] = seen.parts.as_slice() else {
        return;
    };
    let runs: Vec<&[(i64, i64)]> = part.iter().rev().take(2).map(|set| set.runs()).collect();
    let (columns, rows) = (
        runs.first().copied().unwrap_or_default(),
        runs.get(1).copied().unwrap_or(&[(0, 0)]),
    );
    let pieces = rows.len() * columns.len();
    if !(2..=MOST_HOLES).contains(&pieces) {
        return;
    }
    for (row, column) in rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| (*row, *column)))
    {
        painter.rect_filled(
            cell_rect(frame, sizes, [row, column]),
            0.0,
            theme::faded(color, 0.45),
        );
    }
}

/// The four parts of a frame around a rectangle in it.
fn around(frame: Rect, inside: Rect) -> [Rect; 4] {
    [
        Rect::from_min_max(frame.min, pos2(frame.right(), inside.top())),
        Rect::from_min_max(pos2(frame.left(), inside.bottom()), frame.max),
        Rect::from_min_max(
            pos2(frame.left(), inside.top()),
            pos2(inside.left(), inside.bottom()),
        ),
        Rect::from_min_max(
            pos2(inside.right(), inside.top()),
            pos2(frame.right(), inside.bottom()),
        ),
    ]
}

fn hover(
    ui: &mut Ui,
    frame: Rect,
    [height, width]: [usize; 2],
    chosen: &Chosen,
    field: Option<&EffectiveField>,
) {
    let response = ui.interact(frame, ui.scope_id().with("image"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, described(chosen, field)));
    let Some(at) = response.hover_pos() else {
        return;
    };
    let share = (at - frame.min) / frame.size();
    let place = |share: f32, size: usize| ((share * size as f32) as usize).min(size - 1);
    let (row, column) = (place(share.y, height), place(share.x, width));
    let mut text = if height == 1 {
        format!("position {}", column + 1)
    } else {
        format!("row {}, column {}", row + 1, column + 1)
    };
    let position: Vec<usize> = match chosen
        .seen
        .as_ref()
        .and_then(|seen| seen.bounds.as_ref())
        .map(Vec::len)
    {
        Some(1) => vec![column],
        Some(3) => {
            let first = chosen
                .seen
                .as_ref()
                .and_then(|seen| seen.bounds.as_ref()?.first().copied());
            vec![first.map_or(0, |(first, _)| first as usize), row, column]
        }
        _ => vec![row, column],
    };
    let inside = chosen
        .seen
        .as_ref()
        .is_some_and(|seen| seen.contains(&position));
    text += if inside {
        "\nseen by the cell"
    } else {
        "\nnot seen by the cell"
    };
    if let Some(value) = field.and_then(|field| field.values.get(row * width + column)) {
        text += &format!("\n|gradient| {}", format::loss(f64::from(*value)));
    }
    response.on_hover_text_at_pointer(text);
}

/// What a screen reader says of it.
fn described(chosen: &Chosen, field: Option<&EffectiveField>) -> String {
    let cell = chosen.cell_in_words();
    let bounds = chosen.seen.as_ref().and_then(|seen| seen.bounds.as_ref());
    let spans = bounds.map(|axes| {
        axes.iter()
            .map(|(first, last)| format!("{} to {}", first + 1, last + 1))
            .collect::<Vec<_>>()
    });
    let seen = spans.map_or("nothing".to_owned(), |spans| {
        times(&spans).replace('×', " by ")
    });
    let effective = field.map_or_else(String::new, |field| {
        let share = 100.0 * EFFECTIVE;
        format!(
            "; {} pixels carry more than {share:.2} % of the largest gradient",
            field.effective()
        )
    });
    format!(
        "cell {cell} of {} sees {seen}{effective}",
        chosen.place.in_words()
    )
}
