//! What the network does with all filters and without those that are switched off, below the filters.

use super::choice::{FilterChoice, choose};
use crate::plate::of_filters::{effect, said};
use crate::theme;
use crate::widgets::raster::Sheet;
use eframe::egui::{
    Align2, FontId, Label, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::Action;
use strata_app::state::State;
use strata_inspect::filters::study::FilterStudy;

/// Height of a line of text and of a picture.
const LINE: f32 = 18.0;
const PICTURE: f32 = 44.0;
/// Width of an image with its answers.
const COLUMN: f32 = 76.0;

/// Pictures of an image: itself, and its reconstructions with all filters and without some.
pub(super) fn pictures(study: &FilterStudy) -> Vec<&[u8]> {
    let examples = &study.examples;
    let all = [&examples.inputs, &examples.outputs[0], &examples.outputs[1]];
    let kept = all.into_iter().filter(|bytes| !bytes.is_empty());
    let count = examples.labels.len();
    kept.flat_map(|bytes| (0..count).map(|index| examples.image(bytes, index)))
        .collect()
}

/// How high it is.
pub(super) fn height(study: &FilterStudy) -> f32 {
    let lines = 1 + effect(study).len();
    let examples = &study.examples;
    if study.off.is_empty() {
        return lines as f32 * LINE;
    }
    let rows = 1
        + usize::from(!examples.outputs[0].is_empty())
        + usize::from(!examples.outputs[1].is_empty());
    let words = if examples.answers[0].is_empty() {
        0.0
    } else {
        2.0 * LINE
    };
    lines as f32 * LINE + rows as f32 * (PICTURE + 4.0) + words + 8.0
}

pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    study: &FilterStudy,
    sheet: &Sheet,
    actions: &mut Vec<Action>,
) {
    let colors = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new(flag_line(study))
            .size(theme::SMALL)
            .color(colors.weak);
        ui.label(text);
        let former: FilterChoice = state.choices.get();
        if !former.off.is_empty() {
            let text = RichText::new("Switch all on").size(theme::SMALL);
            if ui.small_button(text).clicked() {
                let choice = FilterChoice {
                    off: Vec::new(),
                    ..former.clone()
                };
                choose(&former, choice, actions);
            }
        }
    });
    for line in effect(study) {
        let text = RichText::new(line).size(theme::SMALL).color(colors.text);
        ui.add(Label::new(text).wrap());
    }
    if !study.off.is_empty() {
        examples(ui, study, sheet);
    }
}

/// `2 dead, 1 noisy; a click switches a filter off`
fn flag_line(study: &FilterStudy) -> String {
    let all: Vec<&str> = study
        .flags()
        .iter()
        .filter_map(|flags| Some(flags.first()?.word()))
        .collect();
    let count = |word: &str| all.iter().filter(|flag| **flag == word).count();
    let parts = ["dead", "duplicate", "noisy"].map(|word| (count(word), word));
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if let Some(step) = study.filters.since {
        return format!(
            "the change since step {}, by its norm; a click switches a filter off and on",
            strata_core::format::count(step)
        );
    }
    let flagged = match parts.is_empty() {
        true => "none dead, duplicate or noisy".to_owned(),
        false => parts.join(", "),
    };
    format!("{flagged} · a click switches a filter off and on")
}

fn examples(ui: &mut Ui, study: &FilterStudy, sheet: &Sheet) {
    let examples = &study.examples;
    let count = examples.labels.len();
    let rows = pictures(study).len() / count.max(1);
    let has_answers = !examples.answers[1].is_empty();
    let tall = rows as f32 * (PICTURE + 4.0) + if has_answers { 2.0 * LINE } else { 0.0 };
    let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), tall), Sense::hover());
    let changed = (0..count)
        .filter(|index| {
            let class = |which: usize| Some(examples.answers[which].get(*index)?.0);
            has_answers && class(0) != class(1)
        })
        .count();
    let slice = examples.slice;
    let slice = slice.map_or_else(String::new, |slice| format!(", {slice}"));
    let text = match has_answers {
        true => format!(
            "{count} images{slice} with and without the filters that are off; {changed} get another answer"
        ),
        false => format!(
            "{count} images{slice} and their reconstructions with and without the filters that are off"
        ),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text.clone()));
    response.on_hover_text("The images; below them their reconstructions with all filters and without those that are off, or the answer with all and, below it, without");
    let colors = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(area);
    let ratio = sheet.size[1] as f32 / sheet.size[0].max(1) as f32;
    for index in 0..count {
        let left = area.left() + index as f32 * COLUMN;
        for row in 0..rows {
            let at = pos2(left, area.top() + row as f32 * (PICTURE + 4.0));
            let size = vec2((PICTURE * ratio).min(COLUMN - 6.0), PICTURE);
            sheet.paint(&painter, row * count + index, Rect::from_min_size(at, size));
        }
        if has_answers {
            let answers = [said(study, 0, index), said(study, 1, index)];
            let is_other = examples.answers[0].get(index).map(|a| a.0)
                != examples.answers[1].get(index).map(|a| a.0);
            for (line, answer) in answers.iter().enumerate() {
                let at = pos2(
                    left,
                    area.top() + rows as f32 * (PICTURE + 4.0) + line as f32 * LINE,
                );
                let color = if line == 1 && is_other {
                    colors.wrong
                } else {
                    colors.text
                };
                let cut = Rect::from_min_size(at, vec2(COLUMN - 4.0, LINE));
                painter.with_clip_rect(cut.intersect(area)).text(
                    at,
                    Align2::LEFT_TOP,
                    answer,
                    FontId::proportional(theme::TINY),
                    color,
                );
            }
        }
    }
}
