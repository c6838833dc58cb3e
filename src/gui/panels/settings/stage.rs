//! One stage as a card: one line closed, its settings when open.

use super::line::{TextLine, Words, choice, optional, text};
use crate::theme;
use crate::widgets::{Icon, icon, icon_button};
use eframe::egui::{Frame, Id, Margin, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_core::project::data::Split;
use strata_core::project::edit::Edit;
use strata_core::project::reference::stage::{self as reference, NAME, SPLIT, TASK};
use strata_core::project::stage::{EarlyStop, Loss, Optimizer, Schedule, Sparsity, Stage, Task};
use strata_core::project::structured::split_names;
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
    painter.text(
        at(rect.top() + 1.0),
        top,
        format!("{}  {}", index + 1, stage.name),
        theme::heading(theme::BODY),
        ink,
    );
    let summary = format!(
        "{} · {} epoch{} · batch {}",
        stage.task,
        stage.epochs,
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
    texts(ui, &id, stage, &mut next);
    counts(ui, &id, stage, &mut next);
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
            Loss::CrossEntropy
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
    if let Some(loss) = choice(ui, id("loss"), loss, stage.loss, &Loss::ALL) {
        next.loss = loss;
    }
}

fn texts(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = stage.optimizer.to_string();
    let hover = format!("{} {}.", reference::OPTIMIZER.about, Optimizer::examples());
    let setting = TextLine {
        name: "optimizer",
        label: "Optimizer",
        hover: &hover,
        text: &now,
        hint: "adam lr=1e-3",
    };
    if let Some(Ok(optimizer)) = text(ui, id("optimizer"), &setting, &|text| {
        parse::<Optimizer>(text).map(|_| ())
    })
    .map(|t| parse(&t))
    {
        next.optimizer = optimizer;
    }
    if let Some(schedule) = optional(
        ui,
        id("schedule"),
        SCHEDULE,
        &written(&stage.schedule),
        parse::<Schedule>,
    ) {
        next.schedule = schedule;
    }
    if let Some(sparsity) = optional(
        ui,
        id("sparsity"),
        SPARSITY,
        &written(&stage.sparsity),
        parse::<Sparsity>,
    ) {
        next.sparsity = sparsity;
    }
    if let Some(early_stop) = optional(
        ui,
        id("early stop"),
        EARLY_STOP,
        &written(&stage.early_stop),
        parse::<EarlyStop>,
    ) {
        next.early_stop = early_stop;
    }
    let now = stage.freeze.join(" ");
    let setting = TextLine {
        name: "freeze",
        label: "Freeze",
        hover: reference::FREEZE.about,
        text: &now,
        hint: "nothing",
    };
    if let Some(text) = text(ui, id("freeze"), &setting, &|_| Ok(())) {
        next.freeze = split_names(&text);
    }
}

const SCHEDULE: Words = [
    "schedule",
    "Schedule",
    reference::SCHEDULE.about,
    "constant",
];
const SPARSITY: Words = ["sparsity", "Sparsity", reference::SPARSITY.about, "none"];
const EARLY_STOP: Words = [
    "early stop",
    "Early stop",
    reference::EARLY_STOP.about,
    "off",
];

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn written<T: ToString>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(String::new, T::to_string)
}

fn counts(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let check = |text: &str| match text.trim().parse::<u32>() {
        Ok(n) if n > 0 => Ok(()),
        _ => Err("write a whole number from 1".to_owned()),
    };
    for (name, label, hover, now, target) in [
        (
            "epochs",
            "Epochs",
            reference::EPOCHS.about,
            stage.epochs,
            &mut next.epochs,
        ),
        (
            "batch",
            "Batch",
            reference::BATCH.about,
            stage.batch,
            &mut next.batch,
        ),
    ] {
        let now = now.to_string();
        let setting = TextLine {
            name,
            label,
            hover,
            text: &now,
            hint: "",
        };
        if let Some(Ok(count)) = text(ui, id(name), &setting, &check).map(|text| text.parse()) {
            *target = count;
        }
    }
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
        ui.label(
            RichText::new(&problem.message)
                .size(theme::SMALL)
                .color(ink),
        );
        for help in &problem.help {
            ui.label(
                RichText::new(help.in_window())
                    .size(theme::SMALL)
                    .color(colors.weak),
            );
        }
    }
}
