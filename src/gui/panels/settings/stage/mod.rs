//! One stage as a card: one line closed, its settings when open.

mod optimizer;
mod others;
mod schedule;
mod updates;

use super::line::{Number, TextLine, choice, number, text};
use crate::theme;
use crate::widgets::{Icon, elided, icon, icon_button, said};
use eframe::egui::{Frame, Id, Margin, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::project::edit::Edit;
use strata_core::project::reference::stage::{self as reference, NAME, SPLIT, TASK};
use strata_core::project::stage::{Loss, MAX_BATCH, Stage, Task};
use strata_design::Severity;

/// Shows a stage.
pub fn show(ui: &mut Ui, state: &State, index: usize, stage: &Stage, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let open = state.view.stage == Some(index);
    let frame = Frame::new()
        .fill(if open { colors.panel } else { colors.raised })
        .corner_radius(theme::RADIUS);
    let running = state.training.is_running()
        && state
            .training
            .stage
            .as_ref()
            .is_some_and(|now| now.index == index);
    let line = if running { colors.accent } else { colors.line };
    frame
        .stroke(Stroke::new(1.0, line))
        .inner_margin(Margin::symmetric(8, 6))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            header(ui, index, stage, open, actions);
            if open {
                settings(ui, state, index, stage, actions);
            }
            problems(ui, state, index);
        });
}

fn header(ui: &mut Ui, index: usize, stage: &Stage, open: bool, actions: &mut Vec<Action>) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::click());
    let name = format!("Stage {}: {}", index + 1, stage.name);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, open, &name));
    let colors = theme::palette(ui);
    let ink = if response.hovered() || response.has_focus() {
        colors.strong
    } else {
        colors.text
    };
    let sign = if open { Icon::Open } else { Icon::Closed };
    let sign_at = Rect::from_min_size(rect.min, vec2(icon::SIZE, 18.0));
    icon::paint(ui.painter(), sign, sign_at, colors.weak);
    let left = rect.left() + icon::SIZE + 6.0;
    let painter = ui.painter_at(rect);
    let at = |y: f32| eframe::egui::pos2(left, y);
    let top = eframe::egui::Align2::LEFT_TOP;
    let title = format!("{}  {}", index + 1, stage.name);
    let font = theme::heading(theme::BODY);
    let title = elided(ui, &title, font, ink, rect.right() - left);
    painter.galley(at(rect.top() + 1.0), title, ink);
    let summary = format!(
        "{} · {} epoch{} · batch {}",
        stage.task,
        format::count(stage.epochs.into()),
        if stage.epochs == 1 { "" } else { "s" },
        stage.batch
    );
    painter.text(
        at(rect.top() + 19.0),
        top,
        summary,
        eframe::egui::FontId::proportional(theme::SMALL),
        colors.weak,
    );
    if response
        .on_hover_text("Open or close the settings of this stage")
        .clicked()
    {
        actions.push(Action::Show(Show::Stage((!open).then_some(index))));
    }
}

fn settings(ui: &mut Ui, state: &State, index: usize, stage: &Stage, actions: &mut Vec<Action>) {
    let id = |name: &str| Id::unique(("stage", index, name, state.generation));
    let mut next = stage.clone();
    ui.add_space(theme::STEP);
    name(ui, id("name"), stage, &mut next);
    choices(ui, &id, stage, &mut next);
    if let Some(optimizer) = optimizer::show(ui, state, &id, stage.optimizer, actions) {
        next.optimizer = optimizer;
    }
    if let Some(schedule) = schedule::show(ui, &id, stage) {
        next.schedule = schedule;
    }
    counts(ui, &id, stage, &mut next);
    others::early_stop(ui, &id, stage, &mut next);
    others::checkpoints(ui, &id, stage, &mut next);
    others::sparsity(ui, state, &id, stage, &mut next);
    others::freeze(ui, state, &id, stage, &mut next);
    others::unfreeze(ui, state, &id, stage, &mut next);
    updates::show(ui, state, &id, stage, &mut next, actions);
    if next != *stage {
        actions.push(Action::Edit(Edit::Stage(index, next)));
    }
    ui.horizontal(|ui| {
        if icon_button(
            ui,
            Icon::Duplicate,
            "Duplicate stage",
            "Put a copy of this stage after it",
            true,
        )
        .clicked()
        {
            actions.push(Action::Edit(Edit::InsertStage(index + 1, stage.clone())));
        }
        if icon_button(ui, Icon::Delete, "Delete stage", "Delete this stage", true).clicked() {
            actions.push(Action::Edit(Edit::RemoveStage(index)));
        }
    });
}

fn name(ui: &mut Ui, id: Id, stage: &Stage, next: &mut Stage) {
    let setting = TextLine {
        name: "name",
        label: "Stage name",
        hover: NAME.about,
        text: &stage.name,
        hint: "",
    };
    if let Some(name) = text(ui, id, &setting, &|_| Ok(())) {
        next.name = name;
    }
}

fn choices(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let task = ["task", "Task", TASK.about];
    if let Some(task) = choice(ui, id("task"), task, stage.task, &Task::ALL) {
        next.task = task;
        if task == Task::Classify && next.split == Split::Unlabeled {
            next.split = Split::Train;
        }
        next.loss = if task == Task::Classify {
            Loss::CROSS_ENTROPY
        } else {
            Loss::Mse
        };
    }
    let split = ["split", "Split", SPLIT.about];
    if let Some(split) = choice(ui, id("split"), split, stage.split, &Split::ALL) {
        next.split = split;
    }
    let hover = Loss::ALL
        .map(|loss| format!("{loss}: {}", loss.spec().about))
        .join("\n");
    let loss = ["loss", "Loss", hover.as_str()];
    // Its number has a field of its own.
    let words = Loss::ALL.map(|loss| loss.spec().word);
    let word = choice(ui, id("loss"), loss, stage.loss.spec().word, &words);
    if let Some(loss) = word.and_then(|word| parse(word).ok()) {
        next.loss = loss;
    }
    if let Some(loss) = loss_option(ui, id, stage.loss) {
        next.loss = loss;
    }
}

/// The number of a loss that has one.
fn loss_option(ui: &mut Ui, id: &dyn Fn(&str) -> Id, loss: Loss) -> Option<Loss> {
    let option = loss.spec().option?;
    let name = option.key.replace('_', " ");
    let now = option.value.to_string();
    let is_share = option.most <= 1.0;
    let step: &dyn Fn(&str, bool) -> Option<String> = if is_share {
        &|text, up| tenth_step(text, up, option.most)
    } else {
        &factor_step
    };
    let field = Number {
        name: name.split(' ').next_back().unwrap_or_default(),
        label: &format!("Loss {name}"),
        hover: option.about,
        text: &now,
        step,
    };
    let read = |text: &str| {
        let word = loss.spec().word;
        parse::<Loss>(&format!("{word} {}={}", option.key, text.trim()))
    };
    let check = |text: &str| read(text).map(|_| ());
    let text = number(ui, id("loss option"), &field, &check)?;
    read(&text).ok()
}

/// A tenth more or less, from 0 to the most.
fn tenth_step(text: &str, up: bool, most: f64) -> Option<String> {
    let now: f64 = text.parse().ok()?;
    let tenths = (now * 10.0).round() + if up { 1.0 } else { -1.0 };
    Some((tenths / 10.0).clamp(0.0, most).to_string())
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn written<T: ToString>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(String::new, T::to_string)
}

fn counts(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let check = |text: &str| others::whole(text).map(|_| ());
    let now = stage.epochs.to_string();
    let epochs = Number {
        name: "epochs",
        label: "Epochs",
        hover: reference::EPOCHS.about,
        text: &now,
        step: &|text, up| count_step(text, up, 1),
    };
    if let Some(Ok(count)) = number(ui, id("epochs"), &epochs, &check).map(|t| others::whole(&t)) {
        next.epochs = count;
    }
    let now = stage.batch.to_string();
    let batch = Number {
        name: "batch",
        label: "Batch",
        hover: reference::BATCH.about,
        text: &now,
        step: &batch_step,
    };
    if let Some(Ok(count)) = number(ui, id("batch"), &batch, &check).map(|t| others::whole(&t)) {
        next.batch = count;
    }
}

/// Half as large or twice, as batches usually are.
fn batch_step(text: &str, up: bool) -> Option<String> {
    let now: u32 = text.parse().ok()?;
    let next = if up {
        now.saturating_mul(2).min(MAX_BATCH)
    } else {
        (now / 2).max(1)
    };
    Some(next.to_string())
}

/// One more or one less, but not below the least.
fn count_step(text: &str, up: bool, least: u32) -> Option<String> {
    let now: f64 = text.parse().ok()?;
    let next = if up { now + 1.0 } else { now - 1.0 };
    Some(next.max(f64::from(least)).to_string())
}

/// Up or down by 1, 3, 10, 30 …: half a decade a step. From 0 up is a ten-thousandth, and below 1e-10 is 0.
fn factor_step(text: &str, up: bool) -> Option<String> {
    let now: f64 = text.parse().ok()?;
    if now <= 0.0 {
        return up.then(|| "1e-4".to_owned());
    }
    let steps = (2.0 * now.log10()).round() as i32 + if up { 1 } else { -1 };
    if steps < -20 {
        return Some("0".to_owned());
    }
    let digit = if steps.rem_euclid(2) == 0 { "1" } else { "3" };
    let number: f64 = format!("{digit}e{}", steps.div_euclid(2)).parse().ok()?;
    let plain = number.to_string();
    let scientific = format!("{number:e}");
    let is_shorter = scientific.len() < plain.len();
    Some(if is_shorter { scientific } else { plain })
}

fn problems(ui: &mut Ui, state: &State, index: usize) {
    let colors = theme::palette(ui);
    for problem in state
        .shown
        .problems
        .iter()
        .filter(|problem| problem.stage == Some(index))
    {
        let ink = if problem.severity == Severity::Error {
            colors.wrong
        } else {
            colors.second
        };
        ui.label(said(&problem.message, theme::SMALL, ink));
        for help in &problem.help {
            ui.label(said(&help.in_window(), theme::SMALL, colors.weak));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_step_as_people_choose() {
        assert_eq!(factor_step("0.001", true).unwrap(), "3e-3");
        assert_eq!(factor_step("0.003", true).unwrap(), "0.01");
        assert_eq!(factor_step("1e-4", false).unwrap(), "3e-5");
        assert_eq!(factor_step("0", true).unwrap(), "1e-4");
        assert_eq!(factor_step("0", false), None);
        assert_eq!(batch_step("64", true).unwrap(), "128");
        assert_eq!(batch_step("1", false).unwrap(), "1");
        assert_eq!(count_step("3", false, 1).unwrap(), "2");
        assert_eq!(count_step("1", false, 1).unwrap(), "1");
        assert_eq!(tenth_step("0.2", true, 1.0).unwrap(), "0.3");
        assert_eq!(tenth_step("0", false, 1.0).unwrap(), "0");
    }
}
