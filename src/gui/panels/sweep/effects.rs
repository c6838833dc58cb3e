//! What each factor does: the mean quality and time of the completed trials with each of its values, with deviations.

use super::axis::{Axis, grid_line, mark};
use super::factor_name;
use crate::theme;
use crate::widgets::elided;
use eframe::egui::{
    Align2, Color32, FontId, Rect, RichText, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2,
    vec2,
};
use strata_sweep::Table;
use strata_sweep::effects::{Effect, EffectPoint, effects, time_text};
use strata_sweep::table::Spread;

/// The size of one plot, and the room around its drawing.
const SIZE: [f32; 2] = [320.0, 210.0];
const LEFT: f32 = 56.0;
const RIGHT: f32 = 52.0;
const TOP: f32 = 26.0;
const BOTTOM: f32 = 20.0;

/// Shows them.
pub(super) fn show(ui: &mut Ui, table: &Table) {
    let colors = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        let text =
            |text: String, color: Color32| RichText::new(text).size(theme::SMALL).color(color);
        ui.label(text(format!("● {}", table.metric.name()), colors.accent));
        ui.label(text("■ time".to_owned(), colors.second));
        ui.label(text(
            "means over the completed trials with a value; bars are their deviation".to_owned(),
            colors.weak,
        ));
    });
    let all = effects(table);
    let across = (ui.available_width() / SIZE[0]).floor().max(1.0) as usize;
    let width = ui.available_width() / across as f32 - theme::GAP;
    let scroll = ScrollArea::vertical().id_salt("effects").auto_shrink(false);
    scroll.show(ui, |ui| {
        for row in all.chunks(across) {
            ui.horizontal(|ui| {
                for effect in row {
                    plot(ui, table, effect, width);
                }
            });
        }
    });
}

fn plot(ui: &mut Ui, table: &Table, effect: &Effect, width: f32) {
    let (area, response) = ui.allocate_exact_size(vec2(width, SIZE[1]), Sense::hover());
    let name = factor_name(&effect.factor);
    let said = words(table, effect, &name);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, said.clone()));
    let inner = Rect::from_min_max(area.min + vec2(LEFT, TOP), area.max - vec2(RIGHT, BOTTOM));
    let colors = *theme::palette(ui);
    let title = elided(
        ui,
        &name,
        theme::heading(theme::SMALL),
        colors.text,
        width - theme::GAP,
    );
    ui.painter().galley(
        pos2(area.left() + theme::STEP, area.top() + theme::STEP),
        title,
        colors.text,
    );
    let ends = |spread: Spread| {
        let deviation = spread.deviation.unwrap_or(0.0);
        [spread.mean - deviation, spread.mean + deviation]
    };
    let qualities = effect.points.iter().filter_map(|point| point.quality);
    let times = effect.points.iter().filter_map(|point| point.seconds);
    let quality = Axis::new(qualities.flat_map(ends), inner.bottom(), inner.top());
    let time = Axis::new(times.flat_map(ends), inner.bottom(), inner.top());
    let (Some(quality), Some(time)) = (quality, time) else {
        return;
    };
    for value in quality.marks() {
        grid_line(ui, inner, quality.at(value), &table.value_text(value));
    }
    for value in time.marks() {
        let at = pos2(inner.right() + theme::STEP, time.at(value));
        mark(
            ui,
            at,
            Align2::LEFT_CENTER,
            &time_text(value.max(0.0)),
            colors.second,
        );
    }
    let count = effect.points.len();
    let x = |place: usize| inner.left() + (place as f32 + 0.5) / count as f32 * inner.width();
    let room = inner.width() / count as f32;
    for (place, point) in effect
        .points
        .iter()
        .enumerate()
        .step_by(count.div_ceil(10).max(1))
    {
        let font = FontId::proportional(theme::TINY);
        let laid = elided(ui, &point.label, font, colors.weak, room.max(28.0) - 2.0);
        let at = pos2(x(place) - 0.5 * laid.size().x, inner.bottom() + theme::STEP);
        ui.painter().galley(at, laid, colors.weak);
    }
    // The two stand a little beside each other, so that no bar hides another.
    curve(
        ui,
        effect,
        |place| x(place) + 2.0,
        time,
        colors.second,
        |point| point.seconds,
    );
    curve(
        ui,
        effect,
        |place| x(place) - 2.0,
        quality,
        colors.accent,
        |point| point.quality,
    );
    response.on_hover_text(said);
}

fn curve(
    ui: &Ui,
    effect: &Effect,
    x: impl Fn(usize) -> f32,
    axis: Axis,
    color: Color32,
    value: fn(&EffectPoint) -> Option<Spread>,
) {
    let points = effect.points.iter().enumerate();
    let known: Vec<(f32, Spread)> = points
        .filter_map(|(place, point)| Some((x(place), value(point)?)))
        .collect();
    let at = |(x, spread): &(f32, Spread)| pos2(*x, axis.at(spread.mean));
    for pair in known.windows(2) {
        let line = [at(&pair[0]), at(&pair[1])];
        ui.painter().line_segment(line, Stroke::new(1.5, color));
    }
    for point in &known {
        let (x, spread) = *point;
        if let Some(deviation) = spread.deviation {
            let ends = [-deviation, deviation].map(|off| pos2(x, axis.at(spread.mean + off)));
            ui.painter()
                .line_segment(ends, Stroke::new(1.5, theme::faded(color, 0.6)));
        }
        ui.painter().circle_filled(at(point), 3.0, color);
    }
}

/// The numbers of a plot.
fn words(table: &Table, effect: &Effect, name: &str) -> String {
    let point = |point: &EffectPoint| {
        let quality = point.quality.map(|quality| table.spread_text(quality));
        let time = point.seconds.map(|time| time_text(time.mean));
        let quality = quality.unwrap_or_else(|| "no completed trial".to_owned());
        let time = time.map_or_else(String::new, |time| format!(" in {time}"));
        format!("{}: {quality}{time} ({} trials)", point.label, point.trials)
    };
    let points: Vec<String> = effect.points.iter().map(point).collect();
    format!("{name}\n{}", points.join("\n"))
}
