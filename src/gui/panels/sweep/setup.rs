//! Which settings of the project are tried, chosen by name, with which values, how often and by which method.

use super::{SweepChoice, factor_name};
use crate::theme;
use crate::widgets::{ChoiceBox, Field, FieldEvent, Icon, elided, icon_button, plain};
use eframe::egui::{FontId, Id, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::format::count;
use strata_core::project::Project;
use strata_core::project::data::Split;
use strata_core::project::edit::Edit;
use strata_core::project::sweep::settings::Tryable;
use strata_core::project::sweep::{Factor, Measure, Method, Metric, StopRule, Sweep, Values};
use strata_sweep::{Plan, Standing, Table};

/// Widths of names, of fields of values and of fields of numbers.
const NAME: f32 = 236.0;
const VALUES: f32 = 320.0;
const NUMBER: f32 = 72.0;
const CHOICE: f32 = 150.0;

/// Shows the settings of the sweep.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    all: &[Tryable],
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    let former = state.project().sweep.clone().unwrap_or_default();
    let mut next = former.clone();
    heading(ui, "What is tried");
    for (place, factor) in former.factors.iter().enumerate() {
        factor_line(ui, state, factor, place, &mut next);
    }
    add(ui, all, choice, &former, &mut next);
    heading(ui, "How");
    method(ui, state, &former, &mut next);
    runs(ui, state, &former, &mut next);
    if next != former {
        // A sweep that says nothing is none.
        let sweep = (next != Sweep::default()).then_some(next);
        actions.push(Action::Edit(Edit::Sweep(sweep)));
    }
}

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    let color = theme::palette(ui).strong;
    ui.label(
        RichText::new(text)
            .font(theme::heading(theme::BODY))
            .color(color),
    );
}

fn small(text: &str) -> RichText {
    RichText::new(text).size(theme::SMALL)
}

/// A factor: its name, its values, and what takes it out.
fn factor_line(ui: &mut Ui, state: &State, factor: &Factor, place: usize, next: &mut Sweep) {
    let name = factor_name(&factor.key());
    ui.horizontal_top(|ui| {
        let width = NAME.min(0.45 * ui.available_width());
        let (area, response) = ui.allocate_exact_size(vec2(width, theme::ROW), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name.clone()));
        let color = theme::palette(ui).text;
        let laid = elided(ui, &name, FontId::proportional(theme::SMALL), color, width);
        let at = pos2(area.left(), area.center().y - 0.5 * laid.size().y);
        ui.painter().galley(at, laid, color);
        response.on_hover_text(&name);
        let text = factor.values.text();
        let id = Id::unique(("values tried", factor.key(), state.generation));
        let said = format!("Values of {name}");
        let check = |text: &str| can_be_tried(state, factor, text);
        let field = Field::new(id, &said, &text).check(&check);
        let field = field.hint("5, 10, 20 or 1e-4..1e-1 log");
        let width = VALUES.min(ui.available_width() - 36.0);
        if let Some(FieldEvent::Commit(text)) = field.width(width).show(ui)
            && let Ok(values) = Values::typed(&text)
            && let Some(factor) = next.factors.get_mut(place)
        {
            factor.values = values;
        }
        let hover = "Try this setting no longer";
        if icon_button(ui, Icon::Delete, &format!("Take out {name}"), hover, true).clicked() {
            *next = next.without(place);
        }
    });
}

/// Whether the project can have each of these values, other settings aside.
fn can_be_tried(state: &State, factor: &Factor, text: &str) -> Result<(), String> {
    let values = Values::typed(text)?;
    if values.listed().is_empty() {
        return Ok(());
    }
    let factor = Factor {
        values,
        ..factor.clone()
    };
    let alone = Sweep {
        factors: vec![factor],
        ..Sweep::default()
    };
    let project = Project {
        sweep: Some(alone),
        ..state.project().clone()
    };
    let planned = Plan::new(&project).map(|_| ());
    planned.map_err(|error| plain(&error.in_window()))
}

/// The settings of the project that can be tried, searched for by name.
fn add(ui: &mut Ui, all: &[Tryable], choice: &mut SweepChoice, former: &Sweep, next: &mut Sweep) {
    let is_tried = |found: &Tryable| {
        let mut paths = former.factors.iter().flat_map(|factor| &factor.paths);
        paths.any(|path| *path == found.path)
    };
    let words: Vec<String> = choice
        .wanted
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let is_wanted = |found: &Tryable| {
        let text = format!("{} {}", found.name, found.about).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    // Most frames nothing is searched for, and then no text is looked through.
    let is_wanted = |found: &&Tryable| !is_tried(found) && (words.is_empty() || is_wanted(found));
    let all: Vec<&Tryable> = all.iter().filter(is_wanted).collect();
    ui.horizontal_wrapped(|ui| {
        let id = Id::unique("search settings of the sweep");
        let field = Field::new(id, "Search settings to try", &choice.wanted).words();
        let typed = field
            .hint("search: kernel, lr, augment …")
            .width(NAME)
            .show(ui);
        if let Some(FieldEvent::Typing(text) | FieldEvent::Commit(text)) = typed {
            choice.wanted = text;
        }
        let shown = match all.len() {
            1 => "add the setting found".to_owned(),
            found => format!("add one of {found} settings"),
        };
        let combo = ChoiceBox {
            id: "setting to try",
            width: 1.4 * CHOICE,
            shown: shown.into(),
            hover: "Tries a setting of the project with several values",
            name: "Setting to try",
        };
        combo.show(ui, |ui| {
            for found in all {
                let text = match found.value.is_empty() {
                    true => found.name.clone(),
                    false => format!("{} = {}", found.name, found.value),
                };
                let label = ui.selectable_label(false, small(&plain(&text)));
                if label.on_hover_text(plain(&found.about)).clicked() {
                    *next = next.with(found.factor());
                    choice.wanted.clear();
                }
            }
        });
    });
    if former.factors.is_empty() {
        let color = theme::palette(ui).weak;
        let text = "Add a setting, then write the values that are tried, with commas between them: \
                    5, 10, 20. Random trials draw from a range such as 1e-4..1e-1 log. on and off switch \
                    a setting such as the augmentation.";
        ui.label(small(text).color(color));
    }
}

/// The methods by their names, with the settings of those that have some.
fn method(ui: &mut Ui, state: &State, former: &Sweep, next: &mut Sweep) {
    let methods = [
        (Method::Grid, "grid", "Every combination of the values"),
        (
            Method::Random,
            "random",
            "So many combinations, drawn by the project's seed",
        ),
        (
            Method::Halving {
                factor: 3,
                epochs: 1,
            },
            "successive halving",
            "All trials train for a few epochs, the best of them for more, and so on",
        ),
        (
            Method::BAYESIAN,
            "Bayesian search",
            "The first trials are drawn, the others chosen from what those before them reached",
        ),
    ];
    let is_same =
        |method: &Method| std::mem::discriminant(method) == std::mem::discriminant(&former.method);
    let shown = methods.iter().find(|(method, ..)| is_same(method));
    ui.horizontal_wrapped(|ui| {
        ui.label(small("method"));
        let combo = ChoiceBox {
            id: "method of the sweep",
            width: CHOICE,
            shown: shown.map_or("grid", |(_, name, _)| *name).into(),
            hover: shown.map_or("", |(.., about)| *about),
            name: "Method of the sweep",
        };
        combo.show(ui, |ui| {
            for (method, name, about) in methods {
                let label = ui
                    .selectable_label(is_same(&method), small(name))
                    .on_hover_text(about);
                if label.clicked() && !is_same(&method) {
                    next.method = method;
                    // Draws need a number, and a search more than those it begins with.
                    next.trials = match method {
                        Method::Bayesian { startup, .. } => {
                            Some(next.trials.unwrap_or(0).max(3 * startup))
                        }
                        Method::Random => next.trials.or(Some(20)),
                        Method::Grid | Method::Halving { .. } => next.trials,
                    };
                }
            }
        });
        if let Method::Halving { factor, epochs } = former.method {
            ui.label(small("one of"));
            let of = number(ui, state, "Factor of halving", Some(factor), 2, false);
            ui.label(small("goes on after epochs"));
            let after = number(ui, state, "First epochs of halving", Some(epochs), 1, false);
            next.method = match (of.flatten(), after.flatten()) {
                (Some(factor), _) => Method::Halving { factor, epochs },
                (_, Some(epochs)) => Method::Halving { factor, epochs },
                (None, None) => next.method,
            };
        }
        if let Method::Bayesian { startup, round } = former.method {
            ui.label(small("random at first"));
            let first = number(ui, state, "Random trials at first", Some(startup), 1, false);
            ui.label(small("in each round"));
            let each = number(ui, state, "Trials of a round", Some(round), 1, false);
            next.method = match (first.flatten(), each.flatten()) {
                (Some(startup), _) => Method::Bayesian { startup, round },
                (_, Some(round)) => Method::Bayesian { startup, round },
                (None, None) => next.method,
            };
        }
        ui.label(small("trials"));
        let is_needed = former.method.is_drawn();
        if let Some(trials) = number(
            ui,
            state,
            "Trials of the sweep",
            former.trials,
            1,
            !is_needed,
        ) {
            next.trials = trials;
        }
    });
}

/// Seeds, what ranks the trials and what stops them.
fn runs(ui: &mut Ui, state: &State, former: &Sweep, next: &mut Sweep) {
    ui.horizontal_wrapped(|ui| {
        ui.label(small("seeds for each trial"));
        if let Some(seeds) = number(ui, state, "Seeds for each trial", former.seeds, 1, true) {
            next.seeds = seeds;
        }
        ui.label(small("ranked by"));
        ranking(ui, former, next);
    });
    ui.horizontal(|ui| {
        ui.label(small("hopeless where"));
        let text = former
            .stop
            .map_or_else(String::new, |stop| stop.to_string());
        let id = Id::unique(("stop rule of the sweep", state.generation));
        let check = |text: &str| match text.trim().is_empty() {
            true => Ok(()),
            false => text
                .parse::<StopRule>()
                .map(|_| ())
                .map_err(|error| plain(&error.to_string())),
        };
        let field = Field::new(id, "When a trial is hopeless", &text).check(&check);
        let typed = field
            .hint("valid accuracy < 0.5 after 2")
            .width(1.6 * CHOICE)
            .show(ui);
        if let Some(FieldEvent::Commit(text)) = typed {
            next.stop = text.parse().ok();
        }
    });
}

fn ranking(ui: &mut Ui, former: &Sweep, next: &mut Sweep) {
    let shown = former
        .metric
        .map_or_else(|| "the usual measure".to_owned(), |metric| metric.name());
    let combo = ChoiceBox {
        id: "metric of the sweep",
        width: CHOICE,
        shown: shown.into(),
        hover: "The accuracy on the validation images, or the loss of what reconstructs, unless another one is chosen",
        name: "What ranks the trials",
    };
    combo.show(ui, |ui| {
        if ui
            .selectable_label(former.metric.is_none(), small("the usual measure"))
            .clicked()
        {
            next.metric = None;
        }
        for is_best in [false, true] {
            for split in [Split::Valid, Split::Test, Split::Train] {
                for measure in Measure::ALL {
                    let metric = Metric {
                        is_best,
                        split,
                        measure,
                    };
                    let label =
                        ui.selectable_label(former.metric == Some(metric), small(&metric.name()));
                    if label.clicked() {
                        next.metric = Some(metric);
                    }
                }
            }
        }
    });
}

/// A whole number in a field; the new one when it was typed, `None` in it where it was emptied.
fn number(
    ui: &mut Ui,
    state: &State,
    name: &str,
    now: Option<u32>,
    least: u32,
    may_be_empty: bool,
) -> Option<Option<u32>> {
    let text = now.map_or_else(String::new, |number| number.to_string());
    let read = |text: &str| match text.trim() {
        "" if may_be_empty => Ok(None),
        text => match text.parse::<u32>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(format!("write a whole number from {least}")),
        },
    };
    let check = |text: &str| read(text).map(|_| ());
    let id = Id::unique((name, state.generation));
    let hint = match name {
        "Trials of the sweep" => "all",
        _ => "1",
    };
    let field = Field::new(id, name, &text).check(&check).hint(hint);
    match field.width(NUMBER).show(ui) {
        Some(FieldEvent::Commit(text)) => read(&text).ok(),
        _ => None,
    }
}

/// How many trials that makes, or why it makes none.
pub(super) fn planned(ui: &mut Ui, state: &State) {
    let colors = theme::palette(ui);
    let (text, color) = match &state.sweeping.planned {
        _ if state.project().sweep.is_none() => return,
        None => ("…".to_owned(), colors.weak),
        Some(Err(why)) => (plain(why), colors.wrong),
        Some(Ok(table)) => (told(table), colors.text),
    };
    ui.label(small(&text).color(color));
}

fn told(table: &Table) -> String {
    let all = table.trials_in_all();
    let unfit = table.count(Standing::DoesNotFit);
    let seeds = table.trials.first().map_or(1, |row| row.runs.len());
    let runs = count(((all - unfit) * seeds) as u64);
    let trials = count(all as u64);
    match unfit {
        0 if table.to_choose > 0 => format!(
            "{trials} trials, {runs} runs; {} of them are chosen while it trains",
            count(table.to_choose as u64)
        ),
        0 => format!("{trials} trials, {runs} runs"),
        unfit => {
            let first = table
                .trials
                .iter()
                .find_map(|row| row.reason_in_window.clone());
            let why = plain(&first.unwrap_or_default());
            format!(
                "{trials} trials, {runs} runs; {unfit} trials do not fit, the first because: {why}"
            )
        }
    }
}
