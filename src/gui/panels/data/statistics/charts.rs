//! The drawings of the statistics: pictures with a caption, the histogram of the values, bars by class.

use crate::panels::axes::ticks::counts;
use crate::theme::{self, Palette};
use crate::widgets::elided;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, Color32, FontId, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use strata_core::format::{count, large};
use strata_core::project::data::Split;
use strata_inspect::statistics::{SplitStatistics, Statistics};

/// The longest side of a picture.
const SIDE: f32 = 128.0;
const TALL: f32 = 120.0;
/// Room for a class's name and for its figures.
const NAMES: f32 = 112.0;
const FIGURES: f32 = 56.0;
/// Room for the numbers of an axis of counts, and how many there are at most.
const COUNTS: f32 = 36.0;
const MARKS: usize = 6;

/// A channel's name.
pub(super) fn channel(index: usize, channels: usize) -> String {
    match (channels, index) {
        (3, 0) => "red".to_owned(),
        (3, 1) => "green".to_owned(),
        (3, 2) => "blue".to_owned(),
        (1, _) => "grey".to_owned(),
        _ => index.to_string(),
    }
}

/// Red, green and blue of the theme for the channels of colour; else one colour.
fn line_color(index: usize, channels: usize, colors: &Palette) -> Color32 {
    match (channels, index) {
        (3, 0) => colors.wrong,
        (3, 1) => colors.proven,
        _ => colors.accent,
    }
}

/// A picture of the sheet with its name below.
pub(super) fn picture(ui: &mut Ui, sheet: &Sheet, index: usize, name: &str) {
    let [height, width] = sheet.size;
    let scale = SIDE / height.max(width).max(1) as f32;
    let size = vec2(width as f32, height as f32) * scale;
    if ui.available_size_before_wrap().x < size.x {
        ui.end_row();
    }
    ui.vertical(|ui| {
        let (area, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        sheet.paint(ui.painter(), index, area);
        ui.label(
            RichText::new(name)
                .size(theme::SMALL)
                .color(theme::palette(ui).weak),
        );
    });
}

/// A line for each channel over 256 steps; heights are logarithmic, since black and white often outweigh all others.
pub(super) fn histogram(ui: &mut Ui, split: &SplitStatistics) {
    let colors = theme::palette(ui);
    let (area, response) = ui.allocate_exact_size(
        vec2(ui.available_width() - 8.0, TALL + 14.0),
        Sense::hover(),
    );
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, "Histogram of the values by channel")
    });
    let corner = area.min + vec2(COUNTS, 0.0);
    let plot = Rect::from_min_size(corner, vec2(area.width() - COUNTS, TALL));
    ui.painter().rect_filled(plot, 0.0, colors.back);
    let most = split
        .histogram
        .iter()
        .flatten()
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let height = |count: u64| ((1 + count) as f32).ln() / ((1 + most) as f32).ln();
    for count in counts(most, MARKS) {
        let y = plot.bottom() - plot.height() * height(count);
        ui.painter()
            .hline(plot.x_range(), y, Stroke::new(1.0, colors.line));
        let align = match count {
            0 => Align2::RIGHT_BOTTOM,
            _ => Align2::RIGHT_CENTER,
        };
        let font = theme::digits(theme::TINY);
        let at = pos2(plot.left() - theme::STEP, y);
        ui.painter()
            .text(at, align, large(count), font, colors.weak);
    }
    for (index, counts) in split.histogram.iter().enumerate() {
        let steps = counts.len().max(2) as f32 - 1.0;
        let at = |(step, &count): (usize, &u64)| {
            pos2(
                plot.left() + plot.width() * step as f32 / steps,
                plot.bottom() - plot.height() * height(count),
            )
        };
        let points = counts.iter().enumerate().map(at).collect();
        let color = line_color(index, split.histogram.len(), colors);
        ui.painter()
            .add(Shape::line(points, Stroke::new(1.25, color)));
    }
    let write = |x: f32, align: Align2, text: &str| {
        ui.painter().text(
            pos2(x, area.bottom()),
            align,
            text,
            theme::digits(theme::TINY),
            colors.weak,
        );
    };
    write(plot.left(), Align2::LEFT_BOTTOM, "0");
    write(plot.right(), Align2::RIGHT_BOTTOM, "1");
    let under = response.hover_pos().map(|at| {
        ((at.x - plot.left()) / plot.width() * 255.0)
            .round()
            .clamp(0.0, 255.0)
    });
    if let Some(step) = under {
        let line = |(index, counts): (usize, &Vec<u64>)| {
            let number = count(counts.get(step as usize).copied().unwrap_or(0));
            format!("{} {number}", channel(index, split.histogram.len()))
        };
        let lines: Vec<String> = split.histogram.iter().enumerate().map(line).collect();
        response.on_hover_text_at_pointer(format!("pixel {step}\n{}", lines.join("\n")));
    }
}

/// The colour of a split: that of its curve, where it has one.
fn split_color(colors: &Palette, split: Split) -> Color32 {
    match split {
        Split::Train => colors.accent,
        Split::Valid => colors.second,
        Split::Test => colors.proven,
        Split::Unlabeled => colors.weak,
    }
}

/// For each class a bar of every split, relative to the largest of all.
pub(super) fn classes(ui: &mut Ui, found: &Statistics) {
    let labelled: Vec<&SplitStatistics> = found
        .splits
        .iter()
        .filter(|split| !split.per_class.is_empty())
        .collect();
    let most = labelled
        .iter()
        .flat_map(|split| &split.per_class)
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    if labelled.is_empty() {
        return;
    }
    let colors = *theme::palette(ui);
    super::heading(ui, "Images of each class");
    ui.horizontal(|ui| {
        for split in labelled.iter().map(|found| found.split) {
            let name = RichText::new(split.to_string()).size(theme::SMALL);
            ui.label(name.color(split_color(&colors, split)));
        }
    });
    for (class, name) in found.classes.iter().enumerate() {
        let tall = 7.0 * labelled.len() as f32 + 7.0;
        let (area, response) = ui.allocate_exact_size(
            vec2(ui.available_width() - 8.0, tall.max(18.0)),
            Sense::hover(),
        );
        if !ui.is_rect_visible(area) {
            continue;
        }
        let of = |split: &&SplitStatistics| split.per_class.get(class).copied().unwrap_or(0);
        let figures: Vec<String> = labelled
            .iter()
            .map(|split| format!("{} {}", split.split, count(of(split) as u64)))
            .collect();
        let text = format!("{name}: {}", figures.join(", "));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
        let colors = theme::palette(ui);
        let names = NAMES.max(0.2 * area.width());
        let font = FontId::proportional(theme::SMALL);
        let named = elided(ui, name, font, colors.text, names - theme::GAP);
        let at = pos2(area.left(), area.center().y - named.size().y / 2.0);
        ui.painter().galley(at, named, colors.text);
        for (row, split) in labelled.iter().enumerate() {
            let length = (area.width() - names - FIGURES).max(1.0) * of(split) as f32 / most as f32;
            let top = area.center().y - 3.5 * labelled.len() as f32 + 7.0 * row as f32;
            let bar =
                Rect::from_min_size(pos2(area.left() + names, top), vec2(length.max(1.0), 5.0));
            let color = split_color(colors, split.split);
            ui.painter().rect_filled(bar, 1.0, theme::faded(color, 0.8));
        }
        let total: usize = labelled.iter().map(of).sum();
        let at = pos2(area.right(), area.center().y);
        ui.painter().text(
            at,
            Align2::RIGHT_CENTER,
            count(total as u64),
            theme::digits(theme::SMALL),
            colors.weak,
        );
        response.on_hover_text(text);
    }
}
