//! The accuracy over a sample of images, by how far they may be changed.

use crate::theme;
use eframe::egui::{
    Align2, FontId, Label, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};
use strata_core::format;
use strata_inspect::adversarial::Robustness;

/// Height of the plot, from the least to the most.
const PLOT: [f32; 2] = [64.0, 170.0];
const LEFT: f32 = 38.0;
const BELOW: f32 = 32.0;

/// The curve, or that it is being measured.
pub(super) fn show(ui: &mut Ui, curve: Option<&Robustness>) {
    let weak = theme::palette(ui).weak;
    let name = match curve {
        Some(curve) => format!(
            "accuracy by ε, over {} {} images",
            curve.images, curve.split
        ),
        None => "accuracy by ε: measuring …".to_owned(),
    };
    ui.add(Label::new(RichText::new(name).size(theme::SMALL).color(weak)).truncate());
    let height = (ui.available_height() - BELOW).clamp(PLOT[0], PLOT[1]);
    let size = vec2(ui.available_width() - 8.0, height + BELOW);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    let points = curve.map(Robustness::accuracies).unwrap_or_default();
    let colors = theme::palette(ui);
    let plot = Rect::from_min_max(area.min + vec2(LEFT, 4.0), area.max - vec2(8.0, BELOW));
    ui.painter().rect_filled(plot, 0.0, colors.back);
    let most = points
        .last()
        .map_or(1.0, |(epsilon, _)| epsilon.max(f32::MIN_POSITIVE));
    let place = |&(epsilon, share): &(f32, f64)| -> Pos2 {
        plot.left_bottom()
            + vec2(
                epsilon / most * plot.width(),
                -(share as f32) * plot.height(),
            )
    };
    let line: Vec<Pos2> = points.iter().map(place).collect();
    ui.painter()
        .add(Shape::line(line.clone(), Stroke::new(1.5, colors.accent)));
    for point in &line {
        ui.painter().circle_filled(*point, 2.5, colors.accent);
    }
    let digits = || theme::digits(theme::TINY);
    for (share, text) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
        let at = pos2(plot.left() - 4.0, plot.bottom() - share * plot.height());
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, text, digits(), colors.weak);
    }
    if let Some(curve) = curve {
        for (share, align) in [
            (0.0, Align2::LEFT_TOP),
            (0.5, Align2::CENTER_TOP),
            (1.0, Align2::RIGHT_TOP),
        ] {
            let at = pos2(plot.left() + share * plot.width(), plot.bottom() + 2.0);
            let text = format::short(f64::from(share * most), 3);
            ui.painter().text(at, align, text, digits(), colors.weak);
        }
        let axis = format!(
            "ε of {} in {}",
            curve.request.attack.name(),
            curve.request.norm.name()
        );
        let at = pos2(plot.center().x, plot.bottom() + 15.0);
        let font = FontId::proportional(theme::TINY);
        ui.painter()
            .text(at, Align2::CENTER_TOP, axis, font, colors.weak);
    }
    let said = described(&points);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.as_str()));
    let near = response.hover_pos().and_then(|at| {
        let distance = |point: &Pos2| (point.x - at.x).abs();
        let places = line.iter().enumerate();
        let nearest = places.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
        points.get(nearest?.0)
    });
    if let Some((epsilon, share)) = near {
        let epsilon = format::short((*epsilon).into(), 3);
        response.on_hover_text_at_pointer(format!("ε {epsilon}: {:.1} % right", 100.0 * share));
    }
}

/// What a screen reader says of it.
fn described(points: &[(f32, f64)]) -> String {
    let Some((first, last)) = points.first().zip(points.last()) else {
        return "accuracy under attack, not measured yet".to_owned();
    };
    format!(
        "accuracy under attack: {:.1} % without, {:.1} % at epsilon {}",
        100.0 * first.1,
        100.0 * last.1,
        format::short(last.0.into(), 3)
    )
}
