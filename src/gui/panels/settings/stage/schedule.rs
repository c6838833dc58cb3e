//! The schedule of the learning rate: its text with a menu, its numbers, and the curve that they make.

use super::super::line::{Menu, Number, TextLine, number, text_with_menu};
use super::{count_step, factor_step, parse, written};
use crate::theme;
use eframe::egui::{
    Align2, Id, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use strata_core::format;
use strata_core::project::reference::stage::SCHEDULE;
use strata_core::project::stage::{Schedule, Stage};

/// The kinds, each with what its numbers are at first.
const KINDS: [(&str, &str); 4] = [
    ("constant", ""),
    ("cosine", "cosine warmup=1"),
    ("step", "step every=10 gamma=0.1"),
    ("exponential", "exponential gamma=0.95"),
];
const HEIGHT: f32 = 52.0;
/// Points of the curve.
const POINTS: usize = 160;

/// Shows the fields; the schedule with what was changed.
pub(super) fn show(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
) -> Option<Option<Schedule>> {
    let now = written(&stage.schedule);
    let setting = TextLine {
        name: "schedule",
        label: "Schedule",
        hover: SCHEDULE.about,
        text: &now,
        hint: "constant",
    };
    let word = now.split(' ').next().filter(|word| !word.is_empty());
    let word = word.unwrap_or(KINDS[0].0);
    let names = KINDS.map(|(name, _)| (name.to_owned(), name == word));
    let menu = Menu {
        label: "Choose the schedule",
        entries: &names,
    };
    let (text, chosen) = text_with_menu(ui, id("schedule"), &setting, &check, &menu);
    let chosen = chosen.filter(|index| !names[*index].1);
    let text = text.or_else(|| chosen.map(|index| KINDS[index].1.to_owned()));
    let mut next = text.map(|text| read(&text));
    for (key, name, about) in numbers(stage.schedule.as_ref()) {
        if let Some(value) = one(ui, id, &now, [key, name, about]) {
            next = Some(read(&with(&now, key, &value)));
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

/// The numbers of a schedule: key, name, one sentence.
fn numbers(schedule: Option<&Schedule>) -> Vec<(&'static str, &'static str, &'static str)> {
    let gamma = |about| ("gamma", "factor", about);
    match schedule {
        None => Vec::new(),
        Some(Schedule::Cosine { .. }) => vec![(
            "warmup",
            "warm-up",
            "Epochs in which the learning rate rises from almost nothing.",
        )],
        Some(Schedule::Step { .. }) => vec![
            ("every", "every", "Epochs between two drops."),
            gamma("What the learning rate is multiplied by at a drop."),
        ],
        Some(Schedule::Exponential { .. }) => {
            vec![gamma(
                "What the learning rate is multiplied by every epoch.",
            )]
        }
    }
}

/// The number behind a key, which is left out where it is 0.
fn value(text: &str, key: &str) -> String {
    let mut words = text.split(' ').filter_map(|word| word.split_once('='));
    let found = words.find(|(known, _)| *known == key);
    found.map_or_else(|| "0".to_owned(), |(_, value)| value.to_owned())
}

/// The text with another number behind a key.
fn with(text: &str, key: &str, value: &str) -> String {
    let mut words = text.split(' ').map(str::to_owned);
    let head = words.next().unwrap_or_default();
    let others = words.filter(|word| word.split_once('=').is_some_and(|(known, _)| known != key));
    let mut all = vec![head];
    all.extend(others);
    all.push(format!("{key}={}", value.trim()));
    all.join(" ")
}

fn one(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    text: &str,
    [key, name, about]: [&str; 3],
) -> Option<String> {
    let now = value(text, key);
    let is_epochs = key != "gamma";
    let field = Number {
        name,
        label: &format!("Schedule {name}"),
        hover: about,
        text: &now,
        step: if is_epochs { &epochs_step } else { &gamma_step },
    };
    let check = |value: &str| check(&with(text, key, value));
    number(ui, id(&format!("schedule {key}")), &field, &check)
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

/// The learning rate over the epochs of the stage; of a constant one nothing is drawn.
fn curve(ui: &mut Ui, stage: &Stage) {
    let Some(schedule) = &stage.schedule else {
        return;
    };
    let epochs = f64::from(stage.epochs.max(1));
    let rate = |share: f64| stage.optimizer.lr() * schedule.factor(share * epochs, epochs);
    let last = 1.0 - 1e-6;
    let rates: Vec<f64> = (0..=POINTS)
        .map(|point| rate((point as f64 / POINTS as f64).min(last)))
        .collect();
    let most = rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let said = format!(
        "Learning rate over {} epochs: from {} to {}, at most {}",
        stage.epochs,
        rounded(rates.first().copied().unwrap_or_default()),
        rounded(rates.last().copied().unwrap_or_default()),
        rounded(most)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    let colors = *theme::palette(ui);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, theme::RADIUS, colors.raised);
    let plot = Rect::from_min_max(rect.min + vec2(8.0, 8.0), rect.max - vec2(8.0, 16.0));
    let line: Vec<Pos2> = rates
        .iter()
        .enumerate()
        .map(|(point, rate)| {
            let x = plot.left() + plot.width() * point as f32 / POINTS as f32;
            pos2(x, plot.bottom() - plot.height() * (rate / most) as f32)
        })
        .collect();
    painter.add(Shape::line(line, Stroke::new(1.5, colors.accent)));
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
    let peak = format!("at most {}", rounded(most));
    write(pos2(plot.center().x, below), Align2::CENTER_BOTTOM, peak);
    response.on_hover_text(said);
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
    fn numbers_are_written_into_the_text() {
        assert_eq!(with("cosine", "warmup", "2"), "cosine warmup=2");
        let step = "step every=10 gamma=0.1";
        assert_eq!(with(step, "every", "5"), "step gamma=0.1 every=5");
        assert_eq!(value(step, "gamma"), "0.1");
        assert_eq!(value("cosine", "warmup"), "0");
        for (_, text) in &KINDS[1..] {
            let schedule: Schedule = text.parse().unwrap();
            for (key, ..) in numbers(Some(&schedule)) {
                assert!(check(&with(text, key, &value(text, key))).is_ok());
            }
        }
    }
}
