//! The schedule of the learning rate: its text with a menu, a field for each of its settings, and the curve that they
//! make.

use super::super::line::{Menu, Number, TextLine, number, switch, text, text_with_menu};
use super::optimizer::share_step;
use super::{count_step, factor_step, parse, written};
use crate::theme;
use eframe::egui::{
    Align2, Id, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_core::project::reference::stage::SCHEDULE;
use strata_core::project::schedule::{
    Moment, PlateauWatch, Rates, SCHEDULES, Schedule, ScheduleForm, ScheduleSetting,
};
use strata_core::project::stage::Stage;

/// A stage without a schedule.
const NONE: &str = "none";
const HEIGHT: f32 = 52.0;
/// Points of the curve.
const POINTS: u64 = 160;

/// Shows the fields; the schedule with what was changed.
pub(super) fn show(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
) -> Option<Option<Schedule>> {
    let now = written(&stage.schedule);
    let hover = format!("{} {}.", SCHEDULE.about, Schedule::examples());
    let setting = TextLine {
        name: "schedule",
        label: "Schedule",
        hover: &hover,
        text: &now,
        hint: "constant",
    };
    let word = stage.schedule.as_ref().map_or(NONE, Schedule::word);
    let kinds = SCHEDULES.iter().map(|kind| (kind.word, kind.example));
    let kinds: Vec<(&str, &str)> = std::iter::once((NONE, "")).chain(kinds).collect();
    let names: Vec<_> = kinds
        .iter()
        .map(|(name, _)| ((*name).to_owned(), *name == word))
        .collect();
    let menu = Menu {
        label: "Choose the schedule",
        entries: &names,
    };
    let (text, chosen) = text_with_menu(ui, id("schedule"), &setting, &check, &menu);
    let chosen = chosen.filter(|index| !names[*index].1);
    let text = text.or_else(|| chosen.map(|index| kinds[index].1.to_owned()));
    let mut next = text.map(|text| read(&text));
    let settings = stage.schedule.as_ref().map_or(&[][..], Schedule::settings);
    for setting in settings {
        if let Some(changed) = one(ui, id, &now, setting) {
            next = Some(read(&changed));
        }
    }
    curve(ui, stage);
    next
}

fn read(text: &str) -> Option<Schedule> {
    parse(text.trim()).ok()
}

fn check(text: &str) -> Result<(), String> {
    match text.trim() {
        "" => Ok(()),
        text => parse::<Schedule>(text).map(|_| ()),
    }
}

/// What is written for a setting, or what holds where nothing is; of a flag its key, or nothing.
fn value(text: &str, setting: &ScheduleSetting) -> String {
    let mut words = text.split(' ').skip(1);
    let found = words.find_map(|word| match word.split_once('=') {
        Some((key, value)) => (key == setting.key).then(|| value.to_owned()),
        None => (word == setting.key).then(|| word.to_owned()),
    });
    found.unwrap_or_else(|| setting.default.to_owned())
}

/// The text with another value of a setting; a flag is on where the value is not empty.
fn with(text: &str, setting: &ScheduleSetting, value: &str) -> String {
    let is_other = |word: &&str| word.split('=').next() != Some(setting.key);
    let mut words: Vec<String> = text
        .split(' ')
        .filter(is_other)
        .map(str::to_owned)
        .collect();
    let value = value.trim();
    match setting.form {
        ScheduleForm::Flag(_) if value.is_empty() => {}
        ScheduleForm::Flag(_) => words.push(setting.key.to_owned()),
        ScheduleForm::Epochs | ScheduleForm::Factor | ScheduleForm::Share | ScheduleForm::List => {
            words.push(format!("{}={value}", setting.key));
        }
    }
    words.join(" ")
}

/// The field of a setting; the schedule's text with what was changed in it.
fn one(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    text: &str,
    setting: &ScheduleSetting,
) -> Option<String> {
    let now = value(text, setting);
    let label = format!("Schedule {}", setting.name);
    let step: &dyn Fn(&str, bool) -> Option<String> = match setting.form {
        ScheduleForm::Flag([yes, no]) => {
            let before = !now.is_empty();
            let said = if before { yes } else { no };
            let on = switch(ui, [setting.name, &label, setting.about], said, before);
            let value = if on { setting.key } else { "" };
            return (on != before).then(|| with(text, setting, value));
        }
        ScheduleForm::List => return list(ui, id, text, setting, &now),
        ScheduleForm::Epochs => &epochs_step,
        ScheduleForm::Factor if setting.key == "gamma" => &gamma_step,
        ScheduleForm::Factor => &factor_step,
        ScheduleForm::Share => &share_step,
    };
    let field = Number {
        name: setting.name,
        label: &label,
        hover: setting.about,
        text: &now,
        step,
    };
    let check = |value: &str| check(&with(text, setting, value));
    let value = number(ui, id(&format!("schedule {}", setting.key)), &field, &check)?;
    Some(with(text, setting, &value))
}

/// Several epochs, with commas and perhaps spaces between them.
fn list(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    schedule: &str,
    setting: &ScheduleSetting,
    now: &str,
) -> Option<String> {
    let joined = |typed: &str| -> String {
        let words = typed.split([' ', ',']).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(",")
    };
    let field = TextLine {
        name: setting.name,
        label: &format!("Schedule {}", setting.name),
        hover: setting.about,
        text: now,
        hint: setting.default,
    };
    let check = |typed: &str| check(&with(schedule, setting, &joined(typed)));
    let typed = text(ui, id(&format!("schedule {}", setting.key)), &field, &check)?;
    Some(with(schedule, setting, &joined(&typed)))
}

fn epochs_step(text: &str, up: bool) -> Option<String> {
    count_step(text, up, 0)
}

fn gamma_step(text: &str, up: bool) -> Option<String> {
    const FACTORS: [&str; 8] = ["0.1", "0.2", "0.5", "0.7", "0.9", "0.95", "0.98", "0.99"];
    let now: f64 = text.parse().ok()?;
    let value = |factor: &&str| factor.parse::<f64>().unwrap_or_default();
    let next = if up {
        FACTORS.iter().find(|factor| value(factor) > now)
    } else {
        FACTORS.iter().rfind(|factor| value(factor) < now)
    };
    next.map_or_else(
        || factor_step(text, up),
        |factor| Some((*factor).to_owned()),
    )
}

/// What the updates of the stage are done with, from the first to the last.
fn rates(schedule: &Schedule, stage: &Stage) -> Vec<Rates> {
    let epochs = u64::from(stage.epochs.max(1));
    let per_epoch = POINTS.div_ceil(epochs).max(1);
    let all = epochs * per_epoch;
    let at = |point: u64| {
        let update = (point * (all - 1)) / POINTS;
        let moment = Moment {
            epoch: (update / per_epoch) as u32,
            update: update % per_epoch,
            updates_per_epoch: per_epoch,
            epochs: stage.epochs.max(1),
        };
        schedule.rates(stage.optimizer.lr(), moment, &PlateauWatch::default())
    };
    (0..=POINTS).map(at).collect()
}

/// What happens besides what is drawn.
fn remark(schedule: &Schedule) -> Option<String> {
    let plateau = schedule.plateau()?;
    Some(format!("until {} stalls", plateau.metric()))
}

/// Room for the numbers beside the curve: of the learning rate, and of the momentum.
const RATE: f32 = 48.0;
const NUMBER: f32 = 16.0;

/// The learning rate over the epochs of the stage, and behind it the momentum where the schedule decides it; of a stage
/// without a schedule nothing is drawn.
fn curve(ui: &mut Ui, stage: &Stage) {
    let Some(schedule) = &stage.schedule else {
        return;
    };
    let all = rates(schedule, stage);
    let lrs: Vec<f64> = all.iter().map(|rates| rates.lr).collect();
    let momentum = stage.optimizer.momentum();
    let momenta: Vec<f64> = all
        .iter()
        .filter_map(|rates| rates.momentum.filter(|_| momentum.is_some()))
        .collect();
    let most = lrs.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let said = in_words(stage, schedule, &lrs, &momenta);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    let colors = *theme::palette(ui);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme::RADIUS, colors.raised);
    let right = if momenta.is_empty() { 8.0 } else { NUMBER };
    let plot = Rect::from_min_max(rect.min + vec2(RATE, 10.0), rect.max - vec2(right, 18.0));
    let line = |values: &[f64], top: f64| -> Vec<Pos2> {
        let last = values.len().saturating_sub(1).max(1) as f32;
        let at = |(point, value): (usize, &f64)| {
            let x = plot.left() + plot.width() * point as f32 / last;
            pos2(x, plot.bottom() - plot.height() * (value / top) as f32)
        };
        values.iter().enumerate().map(at).collect()
    };
    painter.add(Shape::line(
        line(&momenta, 1.0),
        Stroke::new(1.0, colors.weak),
    ));
    painter.add(Shape::line(
        line(&lrs, most),
        Stroke::new(1.5, colors.accent),
    ));
    let write = |at: Pos2, align: Align2, text: String| {
        painter.text(at, align, text, theme::digits(10.0), colors.weak);
    };
    let below = rect.bottom() - 3.0;
    write(
        pos2(plot.left(), below),
        Align2::LEFT_BOTTOM,
        "epoch 0".into(),
    );
    let end = format!("{}", stage.epochs);
    write(pos2(plot.right(), below), Align2::RIGHT_BOTTOM, end);
    if schedule.plateau().is_some() {
        let at = pos2(plot.center().x, below);
        write(at, Align2::CENTER_BOTTOM, "until it stalls".to_owned());
    }
    let heights = [
        (plot.top(), rounded(most), "1"),
        (plot.bottom(), "0".to_owned(), "0"),
    ];
    for (y, rate, momentum) in heights {
        write(pos2(plot.left() - 4.0, y), Align2::RIGHT_CENTER, rate);
        if !momenta.is_empty() {
            write(
                pos2(plot.right() + 4.0, y),
                Align2::LEFT_CENTER,
                momentum.to_owned(),
            );
        }
    }
    response.on_hover_text(said);
}

/// What the curve shows.
fn in_words(stage: &Stage, schedule: &Schedule, lrs: &[f64], momenta: &[f64]) -> String {
    let most = lrs.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut said = format!(
        "Learning rate over {} epochs: from {} to {}, at most {}",
        stage.epochs,
        rounded(lrs.first().copied().unwrap_or_default()),
        rounded(lrs.last().copied().unwrap_or_default()),
        rounded(most)
    );
    if let (Some(first), Some(last)) = (momenta.first(), momenta.last()) {
        let least = momenta.iter().copied().fold(f64::MAX, f64::min);
        said += &format!("\nMomentum: from {first:.2} to {last:.2}, at least {least:.2}");
    }
    if let Some(remark) = remark(schedule) {
        said += &format!("\nIt stays {remark}, and falls then");
    }
    said
}

/// Two digits say enough of a rate.
fn rounded(rate: f64) -> String {
    let digits = format!("{rate:.1e}").parse().unwrap_or(rate);
    format::short(digits, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_into_the_text() {
        for kind in &SCHEDULES {
            for setting in kind.settings {
                let now = value(kind.example, setting);
                let same = with(kind.example, setting, &now);
                assert_eq!(read(&same), read(kind.example), "{same}");
                assert!(check(&same).is_ok(), "{same}");
            }
        }
        let step = &SCHEDULES[2];
        let text = with(step.example, &step.settings[0], "5");
        assert_eq!(text, "step gamma=0.1 every=5");
        assert_eq!(value(&text, &step.settings[0]), "5");
        let cycle = SCHEDULES
            .iter()
            .find(|kind| kind.word == "onecycle")
            .unwrap();
        let linear = cycle
            .settings
            .iter()
            .find(|one| one.key == "linear")
            .unwrap();
        assert_eq!(with("onecycle", linear, "linear"), "onecycle linear");
        assert_eq!(with("onecycle linear", linear, ""), "onecycle");
    }

    #[test]
    fn the_curve_begins_and_ends_with_the_stage() {
        let stage = Stage {
            epochs: 7,
            schedule: "onecycle".parse().ok(),
            ..Stage::default()
        };
        let all = rates(stage.schedule.as_ref().unwrap(), &stage);
        let lr = stage.optimizer.lr();
        let (first, last) = (all[0], all[all.len() - 1]);
        assert!((first.lr - lr / 25.0).abs() < 1e-12 && (last.lr - lr / 25e4).abs() < 1e-12);
        assert_eq!((first.momentum, last.momentum), (Some(0.95), Some(0.95)));
    }
}
