//! How well a split is reconstructed: the histogram, the means, and the best and the worst images with their error maps.

use crate::plate::of_reconstructions::{
    change_words, error_parts, error_words, histogram_words, map_rgba, mean_words, settings,
};
use crate::theme;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, Context, FontId, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::curve::is_signal;
use strata_inspect::reconstruction_errors::ReconstructionErrors;

/// What is drawn, with its textures: inputs, outputs and error maps.
pub(super) struct Drawn {
    of: Arc<Reply<ReconstructionErrors>>,
    pictures: Sheet,
    maps: Option<Sheet>,
}

/// Height of the histogram, of a picture, and of the words below it.
const HISTOGRAM: f32 = 88.0;
const PICTURE: f32 = 72.0;
const WORDS: f32 = 57.0;
const GAP: f32 = 8.0;

impl Drawn {
    /// Textures, unless they are of these errors already.
    pub(super) fn update(
        drawn: &mut Option<Drawn>,
        ctx: &Context,
        of: &Arc<Reply<ReconstructionErrors>>,
        errors: &ReconstructionErrors,
    ) {
        if drawn
            .as_ref()
            .is_some_and(|drawn| Arc::ptr_eq(&drawn.of, of))
        {
            return;
        }
        let count = errors.shown.len();
        let pictures = [&errors.inputs, &errors.outputs];
        let pictures = pictures
            .into_iter()
            .flat_map(|bytes| (0..count).map(move |shown| errors.image(bytes, shown)));
        let size = [errors.size[0], errors.size[1]];
        let rgba = |shown| map_rgba(errors, shown);
        *drawn = Some(Drawn {
            of: of.clone(),
            pictures: Sheet::of_images(ctx, "errors", errors.size, &pictures.collect::<Vec<_>>()),
            maps: (!is_signal(errors.size))
                .then(|| Sheet::new(ctx, "error maps", size, count, rgba)),
        });
    }
}

pub(super) fn show(ui: &mut Ui, errors: &ReconstructionErrors, drawn: &Drawn) {
    let colors = theme::palette(ui);
    let small = |text: String| RichText::new(text).size(theme::SMALL);
    ui.label(small(mean_words(errors)).color(colors.text));
    if let Some(change) = change_words(errors) {
        ui.label(small(format::capital(&change)).color(colors.text));
    }
    ui.label(small(settings(errors)).color(colors.weak));
    histogram(ui, errors);
    let half = errors.shown.len().div_ceil(2);
    for (name, range) in [("best", 0..half), ("worst", half..errors.shown.len())] {
        if !range.is_empty() {
            let what = match drawn.maps {
                Some(_) => "image, reconstruction, squared error",
                None => "signal, reconstruction",
            };
            ui.label(small(format!("The {name}: {what}")).color(colors.weak));
            row(ui, errors, drawn, range, name);
        }
    }
}

fn histogram(ui: &mut Ui, errors: &ReconstructionErrors) {
    let ([low, high], counts) = errors.histogram();
    let most = counts.iter().copied().max().unwrap_or(0);
    let (area, response) = ui.allocate_exact_size(
        vec2(ui.available_width().min(720.0), HISTOGRAM),
        Sense::hover(),
    );
    let text = format!(
        "{} images by {}, {} to {}",
        format::count(errors.errors.len() as u64),
        histogram_words(errors),
        format::loss(low),
        format::loss(high)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    let colors = theme::palette(ui);
    let bars = Rect::from_min_max(area.min, area.max - vec2(0.0, 16.0));
    let wide = bars.width() / counts.len().max(1) as f32;
    let bar = |at: usize| {
        let share = counts[at] as f32 / most.max(1) as f32;
        let left = bars.left() + at as f32 * wide;
        let top = bars.bottom() - share * bars.height();
        Rect::from_min_max(pos2(left, top), pos2(left + wide - 1.0, bars.bottom()))
    };
    for at in 0..counts.len() {
        ui.painter().rect_filled(bar(at), 0.0, colors.accent);
    }
    ui.painter()
        .hline(bars.x_range(), bars.bottom(), (1.0, colors.line));
    if low < 0.0 && high > 0.0 {
        let x = bars.left() + (-low / (high - low)) as f32 * bars.width();
        ui.painter().vline(x, bars.y_range(), (1.0, colors.text));
    }
    let font = theme::digits(theme::TINY);
    let ends = [
        (Align2::LEFT_BOTTOM, area.left(), low),
        (Align2::RIGHT_BOTTOM, area.right(), high),
    ];
    for (align, x, value) in ends {
        let at = pos2(x, area.bottom());
        ui.painter()
            .text(at, align, format::loss(value), font.clone(), colors.weak);
    }
    let middle = pos2(area.center().x, area.bottom());
    ui.painter().text(
        middle,
        Align2::CENTER_BOTTOM,
        histogram_words(errors),
        FontId::proportional(theme::TINY),
        colors.weak,
    );
    let hovered = response
        .hover_pos()
        .map(|point| ((point.x - bars.left()) / wide) as usize);
    if let Some(at) = hovered.filter(|at| *at < counts.len()) {
        let step = (high - low) / counts.len() as f64;
        let [from, to] = [at, at + 1].map(|edge| format::loss(low + edge as f64 * step));
        response.on_hover_text_at_pointer(format!("{} images from {from} to {to}", counts[at]));
    }
}

/// Images, their reconstructions and error maps one below the other, as many as there is room for.
fn row(
    ui: &mut Ui,
    errors: &ReconstructionErrors,
    drawn: &Drawn,
    range: std::ops::Range<usize>,
    name: &str,
) {
    let ratio = drawn.pictures.size[1] as f32 / drawn.pictures.size[0].max(1) as f32;
    let cell = vec2((PICTURE * ratio).min(220.0), PICTURE);
    let pitch = cell.x.max(96.0) + GAP;
    let rows = 2 + usize::from(drawn.maps.is_some());
    let tall = rows as f32 * (cell.y + 2.0) + WORDS;
    let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::hover());
    let text = format!(
        "the {} {name} images; the first: {}",
        range.len(),
        error_words(errors, errors.shown[range.start])
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    let colors = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(area.intersect(ui.clip_rect()));
    let count = errors.shown.len();
    // The worst of all stands first in its row.
    let order: Vec<usize> = match name {
        "worst" => range.rev().collect(),
        _ => range.collect(),
    };
    for (column, shown) in order.into_iter().enumerate() {
        let left = area.left() + column as f32 * pitch;
        let place = |row: usize| {
            Rect::from_min_size(pos2(left, area.top() + row as f32 * (cell.y + 2.0)), cell)
        };
        drawn.pictures.paint(&painter, shown, place(0));
        drawn.pictures.paint(&painter, count + shown, place(1));
        if let Some(maps) = &drawn.maps {
            maps.paint(&painter, shown, place(2));
        }
        let at = errors.shown[shown];
        let error = &errors.errors[at];
        let label = error.label.map_or_else(String::new, |label| {
            format!(", {}", errors.class_name(label))
        });
        let image = format!("image {}{label}", error.index + 1);
        let words: Vec<String> = std::iter::once(image)
            .chain(error_parts(errors, at))
            .collect();
        for (line, words) in words.iter().enumerate() {
            let at = pos2(left, place(rows - 1).bottom() + 2.0 + 13.0 * line as f32);
            painter.text(
                at,
                Align2::LEFT_TOP,
                words,
                FontId::proportional(theme::TINY),
                colors.weak,
            );
        }
    }
}
