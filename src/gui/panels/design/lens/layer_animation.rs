//! The small grid: the kernel at its position, what it reads or writes, the output as far as it is filled, and the
//! sum of the present step written out below.

mod layout;
mod paint;

use super::set;
use crate::theme;
use crate::widgets::empty;
use crate::widgets::keep_arrows;
use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{FontId, Id, Key, Label, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2};
use layout::Stage;
use strata_app::action::Action;
use strata_app::lens::LensSettings;
use strata_design::layer_math::{Lens, Sample};

/// A line of the sum.
const LINE: f32 = 18.0;

/// Shows the present step, and takes clicks on cells and the arrow keys.
pub(super) fn show(ui: &mut Ui, lens: &Lens, settings: LensSettings, actions: &mut Vec<Action>) {
    let sample = match &lens.sample {
        Ok(sample) if !sample.steps.is_empty() => sample,
        Ok(_) => return,
        Err(why) => return empty(ui, "No small grid of this", why),
    };
    let step = settings.step.min(sample.steps.len() - 1);
    let area = ui.available_rect_before_wrap();
    let lines = sum_lines(ui, sample, area);
    let (above, below) = area.split_top_bottom_at_y(area.bottom() - lines * LINE - 6.0);
    let stage = Stage::new(lens, sample, step, above);
    let [input, output] = respond(ui, &stage, sample, step);
    let (steps, results) = if sample.way.writes() {
        (&input, &output)
    } else {
        (&output, &input)
    };
    let jump = moved(ui, &stage, sample, step, steps, results);
    if let Some(step) = jump {
        actions.push(set(LensSettings {
            step,
            playing: false,
            ..settings
        }));
    } else if steps.clicked() {
        let step = if step + 1 == sample.steps.len() {
            0
        } else {
            step
        };
        actions.push(set(LensSettings {
            step,
            playing: !settings.playing,
            ..settings
        }));
    }
    let hovered = stage.hovered_output(&output);
    let shown = hovered
        .and_then(|cell| sample.step_for_output(cell))
        .filter(|_| !settings.playing && !sample.way.writes());
    let shown = shown.or_else(|| {
        stage
            .hovered_input(&input)
            .filter(|_| !settings.playing && sample.way.writes())
    });
    let stage = Stage::new(lens, sample, shown.unwrap_or(step), above);
    paint::stage(ui, lens, &stage, steps.has_focus());
    let sum = match hovered.filter(|_| sample.way.writes()) {
        Some(cell) => format!(
            "output {}: {}",
            sample.output.name(cell),
            sample.sum_for_output(cell)
        ),
        None => words(sample, shown.unwrap_or(step)),
    };
    write_sum(ui, below, &sum);
    explain(&stage, sample, input);
}

/// The step in words: `output (1, 2): 1·0 + … = 5`.
fn words(sample: &Sample, step: usize) -> String {
    let Some(step) = sample.steps.get(step) else {
        return String::new();
    };
    match sample.way.writes() {
        true => format!("input {}", step.sum),
        false if sample.output.len() == 1 => format!("output: {}", step.sum),
        false => format!("output {}: {}", sample.output.name(step.cell), step.sum),
    }
}

/// Lines that the longest sum needs, at most as many as leave room for the grid: nothing jumps from step to step.
fn sum_lines(ui: &Ui, sample: &Sample, area: Rect) -> f32 {
    let longest = (0..sample.steps.len())
        .map(|step| words(sample, step).chars().count())
        .max()
        .unwrap_or(0);
    let letter = ui.fonts_mut(|fonts| fonts.glyph_width(&theme::digits(theme::CODE), '0'));
    let most = if area.height() > 260.0 {
        4.0
    } else if area.height() > 130.0 {
        2.0
    } else {
        1.0
    };
    (longest as f32 * letter / area.width().max(1.0) * 1.01)
        .ceil()
        .clamp(1.0, most)
}

/// Writes the sum into the lines below the grid; its result is set off.
fn write_sum(ui: &mut Ui, area: Rect, sum: &str) {
    let colors = theme::palette(ui);
    let font = theme::digits(theme::CODE);
    let part = |color, font: FontId| TextFormat {
        font_id: font,
        color,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::default();
    let (terms, result) = sum
        .rfind(" = ")
        .map_or((sum, ""), |at| sum.split_at(at + 3));
    job.append(terms, 0.0, part(colors.text, font.clone()));
    job.append(result, 0.0, part(colors.strong, font));
    job.wrap.max_rows = ((area.height() - 5.0) / LINE).floor().max(1.0) as usize;
    job.wrap.max_width = area.width();
    let mut inner = ui.new_child(eframe::egui::UiBuilder::new().max_rect(Rect::from_min_max(
        pos2(area.left(), area.top() + 6.0),
        area.max,
    )));
    inner.add(Label::new(job)).on_hover_text(sum);
}

/// Makes the two grids controls: the one whose cells are the steps has the focus and the keys.
fn respond(ui: &Ui, stage: &Stage<'_>, sample: &Sample, step: usize) -> [Response; 2] {
    let writes = sample.way.writes();
    let position = format!("position {} of {}", step + 1, sample.steps.len());
    [
        (stage.input.bounds(), writes, "Input grid"),
        (stage.output.bounds(), !writes, "Output grid"),
    ]
    .map(|(rect, is_main, name)| {
        let sense = if is_main {
            Sense::click()
        } else {
            Sense::CLICK
        };
        let response = ui.interact(
            rect.intersect(ui.clip_rect()),
            Id::unique(("lens", name)),
            sense,
        );
        let said = if is_main {
            format!("{name}, {position}: {}", words(sample, step))
        } else {
            name.to_owned()
        };
        response.widget_info(|| {
            WidgetInfo::labeled(
                if is_main { Role::Button } else { Role::Image },
                true,
                said.clone(),
            )
        });
        response
    })
}

/// Where a click on a cell or a key moves to.
fn moved(
    ui: &Ui,
    stage: &Stage<'_>,
    sample: &Sample,
    step: usize,
    steps: &Response,
    results: &Response,
) -> Option<usize> {
    let by_mouse = ui.input(|input| input.pointer.primary_clicked());
    if by_mouse && steps.clicked() {
        steps.request_focus();
        let grid = if sample.way.writes() {
            &stage.input
        } else {
            &stage.output
        };
        return grid.at(steps.interact_pointer_pos()?).or(Some(step));
    }
    if by_mouse && results.clicked() && sample.way.writes() {
        return sample.step_for_output(stage.output.at(results.interact_pointer_pos()?)?);
    }
    let free =
        ui.memory(|memory| memory.focused().is_none()) && ui.rect_contains_pointer(ui.max_rect());
    if steps.has_focus() {
        keep_arrows(steps);
    } else if !free {
        return None;
    }
    let columns = if sample.way.writes() {
        sample.input.columns
    } else {
        sample.output.columns
    };
    let last = sample.steps.len() - 1;
    let key = |key| ui.input(|input| input.modifiers.is_none() && input.key_pressed(key));
    let ways = [
        (Key::ArrowRight, step + 1),
        (Key::ArrowDown, step + columns),
        (Key::End, last),
    ];
    let forward = ways
        .into_iter()
        .find(|(pressed, to)| key(*pressed) && *to <= last);
    let back = [
        (Key::ArrowLeft, 1),
        (Key::ArrowUp, columns),
        (Key::Home, step),
    ];
    let back = back
        .into_iter()
        .find(|(pressed, by)| key(*pressed) && *by <= step);
    forward.map(|(_, to)| to).or(back.map(|(_, by)| step - by))
}

/// Says of a cell under the pointer what no number shows.
fn explain(stage: &Stage<'_>, sample: &Sample, input: Response) {
    let Some(at) = input.hover_pos().filter(|_| !sample.way.writes()) else {
        return;
    };
    let Some(cell) = stage.input.at(at) else {
        if stage.input.bounds().contains(at) {
            input.on_hover_text_at_pointer("Padding: a zero around the input");
        }
        return;
    };
    let readers = sample
        .steps
        .iter()
        .filter(|step| step.touches.iter().any(|touch| touch.cell == Some(cell)))
        .count();
    let name = sample.input.name(cell);
    let times = match readers {
        0 => "no position of the window reads it".to_owned(),
        1 => "one output reads it".to_owned(),
        many => format!("{many} outputs read it"),
    };
    input.on_hover_text_at_pointer(format!("input {name}: {times}"));
}
