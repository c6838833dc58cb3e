//! Precision, recall and F1 of each class, and the calibration of the probabilities.

use crate::theme;
use eframe::egui::{
    Align2, FontId, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_inspect::predictions::{BINS, Bin, ClassFigures, Predictions};

/// Height of the calibration plot, and what is left of it for its marks.
const PLOT: f32 = 150.0;
const LEFT: f32 = 36.0;
const BELOW: f32 = 30.0;
/// Where the columns end, from the right.
const COLUMNS: [f32; 4] = [162.0, 108.0, 54.0, 0.0];
const HEADS: [&str; 4] = ["precision", "recall", "F1", "images"];
const ROW: f32 = 18.0;

/// Shows both.
pub(super) fn show(ui: &mut Ui, predictions: &Predictions) {
    if predictions.accuracy.is_none() {
        let weak = theme::palette(ui).weak;
        let line = "Images without a right class have no figures.";
        ui.label(RichText::new(line).size(theme::SMALL).color(weak));
        return;
    }
    table(ui, predictions);
    ui.add_space(theme::GAP);
    let Some(error) = predictions.calibration_error else {
        let weak = theme::palette(ui).weak;
        let line = "A label is answered from a probability of 50 % on. Calibration is that of single classes.";
        ui.label(RichText::new(line).size(theme::SMALL).color(weak));
        return;
    };
    let name = format!("share that is right · ECE {:.2} %", 100.0 * error);
    let weak = theme::palette(ui).weak;
    ui.label(RichText::new(name).size(theme::SMALL).color(weak));
    plot(ui, predictions);
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

fn table(ui: &mut Ui, predictions: &Predictions) {
    let rows = predictions.per_class.len() + 1;
    let size = vec2(ui.available_width() - 8.0, ROW * rows as f32);
    let (area, _) = ui.allocate_exact_size(size, Sense::hover());
    let colors = theme::palette(ui);
    let write = |row: usize, column: usize, text: &str, ink| {
        let y = area.top() + (row as f32 + 0.5) * ROW;
        let at = pos2(area.right() - COLUMNS[column], y);
        let font = match row {
            0 => FontId::proportional(theme::TINY),
            _ => theme::digits(theme::SMALL),
        };
        ui.painter().text(at, Align2::RIGHT_CENTER, text, font, ink);
    };
    for (column, head) in HEADS.iter().enumerate() {
        write(0, column, head, colors.weak);
    }
    for (class, figures) in predictions.per_class.iter().enumerate() {
        let name = predictions.class_name(class as u32);
        let texts = [
            percent(figures.precision()),
            percent(figures.recall()),
            percent(figures.f1()),
            format::count(figures.images),
        ];
        let row = class + 1;
        let top = area.top() + row as f32 * ROW;
        let room = area.width() - COLUMNS[0] - 52.0;
        let name_galley = crate::widgets::elided(
            ui,
            &name,
            FontId::proportional(theme::SMALL),
            colors.text,
            room,
        );
        let at = pos2(area.left(), top + (ROW - name_galley.size().y) / 2.0);
        ui.painter().galley(at, name_galley, colors.text);
        for (column, text) in texts.iter().enumerate() {
            write(row, column, text, colors.text);
        }
        let line = Rect::from_min_size(pos2(area.left(), top), vec2(area.width(), ROW));
        let response = ui.interact(line, ui.scope_id().with(("figures", class)), Sense::hover());
        let said = sentence(&name, figures);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said.as_str()));
        response.on_hover_text(said);
    }
}

/// `disc: precision 91.2 %, recall 88 %, F1 89.6 %, of 64 images`
fn sentence(name: &str, figures: &ClassFigures) -> String {
    format!(
        "{name}: precision {}, recall {}, F1 {}, of {} images ({} taken for it, {} of them right)",
        percent(figures.precision()),
        percent(figures.recall()),
        percent(figures.f1()),
        format::count(figures.images),
        format::count(figures.taken),
        format::count(figures.right)
    )
}

/// The share that is right over the probability, with the line that it should be on; faint bars count the images.
fn plot(ui: &mut Ui, predictions: &Predictions) {
    let colors = theme::palette(ui);
    let size = vec2(ui.available_width() - 8.0, PLOT + BELOW);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    let error = predictions.calibration_error.unwrap_or_default();
    let said = format!("calibration, expected error {:.2} %", 100.0 * error);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
    let plot = Rect::from_min_max(area.min + vec2(LEFT, 4.0), area.max - vec2(8.0, BELOW));
    ui.painter().rect_filled(plot, 0.0, colors.back);
    let place = |[x, y]: [f64; 2]| -> Pos2 {
        plot.left_bottom() + vec2(x as f32 * plot.width(), -(y as f32) * plot.height())
    };
    let most = predictions
        .bins
        .iter()
        .map(|bin| bin.images)
        .max()
        .unwrap_or(0)
        .max(1);
    let bar = |index: usize, height: f64| {
        let width = 1.0 / BINS as f64;
        let low = index as f64 * width;
        Rect::from_two_pos(place([low, 0.0]), place([low + width, height])).shrink2(vec2(0.5, 0.0))
    };
    for (index, bin) in predictions.bins.iter().enumerate() {
        let count = bar(index, bin.images as f64 / most as f64);
        ui.painter()
            .rect_filled(count, 0.0, theme::faded(colors.weak, 0.5));
    }
    let ideal = Stroke::new(1.0, colors.weak);
    ui.painter().extend(Shape::dashed_line(
        &[place([0.0, 0.0]), place([1.0, 1.0])],
        ideal,
        4.0,
        4.0,
    ));
    let points: Vec<Pos2> = predictions
        .bins
        .iter()
        .filter_map(Bin::point)
        .map(place)
        .collect();
    ui.painter()
        .add(Shape::line(points.clone(), Stroke::new(1.5, colors.accent)));
    for point in points {
        ui.painter().circle_filled(point, 2.5, colors.accent);
    }
    marks(ui, plot);
    let inside = response.hover_pos().filter(|at| plot.contains(*at));
    let found = inside.and_then(|at| {
        let index = ((at.x - plot.left()) / plot.width() * BINS as f32) as usize;
        Some((index, predictions.bins.get(index)?))
    });
    if let Some((index, bin)) = found {
        response.on_hover_text_at_pointer(of_bin(index, bin));
    }
}

fn marks(ui: &Ui, plot: Rect) {
    let colors = theme::palette(ui);
    let font = || theme::digits(theme::TINY);
    let write = |at: Pos2, align: Align2, text: &str| {
        ui.painter().text(at, align, text, font(), colors.weak);
    };
    for (share, text) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
        let y = plot.bottom() - share * plot.height();
        write(pos2(plot.left() - 4.0, y), Align2::RIGHT_CENTER, text);
        let x = plot.left() + share * plot.width();
        let align = match share {
            1.0 => Align2::RIGHT_TOP,
            0.0 => Align2::LEFT_TOP,
            _ => Align2::CENTER_TOP,
        };
        write(pos2(x, plot.bottom() + 2.0), align, text);
    }
    let below = pos2(plot.center().x, plot.bottom() + 15.0);
    let font = FontId::proportional(theme::TINY);
    let axis = "probability of the answer; grey: how many images";
    ui.painter()
        .text(below, Align2::CENTER_TOP, axis, font, colors.weak);
}

fn of_bin(index: usize, bin: &Bin) -> String {
    let ends = [index, index + 1].map(|end| 100.0 * end as f64 / BINS as f64);
    let part = format!("{:.0} to {:.0} % probable", ends[0], ends[1]);
    match bin.point() {
        Some([probability, right]) => format!(
            "{part}: {} images\nmean probability {:.1} %, right {:.1} %",
            format::count(bin.images),
            100.0 * probability,
            100.0 * right
        ),
        None => format!("{part}: no images"),
    }
}
