//! The sweep of the project: which settings are tried, the trials as a table and as plots, and its way through training.

mod axis;
mod coordinates;
mod effects;
mod front;
mod setup;
mod table;
mod trial;

use crate::theme;
use crate::view::View;
use crate::widgets::{Icon, empty, plain, quiet_button};
use eframe::egui::{Button, RichText, ScrollArea, Ui};
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_app::sweeping::OnSweep;
use strata_core::format::loss;
use strata_core::project::Project;
use strata_core::project::sweep::settings::{self, Tryable, tryable};
use strata_sweep::effects::CostKind;
use strata_sweep::task::Live;
use strata_sweep::{Standing, Table};

/// Width of the button that trains, and of the one that writes the report.
const TRAIN: f32 = 112.0;

/// What is shown of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Settings,
    Trials,
    Coordinates,
    Effects,
    Front,
}

impl Page {
    const ALL: [Page; 5] = [
        Page::Settings,
        Page::Trials,
        Page::Coordinates,
        Page::Effects,
        Page::Front,
    ];

    fn name(self) -> &'static str {
        match self {
            Page::Settings => "Settings",
            Page::Trials => "Trials",
            Page::Coordinates => "Coordinates",
            Page::Effects => "Effects",
            Page::Front => "Front",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Page::Settings => {
                "Which settings are tried, with which values, how often and by which method"
            }
            Page::Trials => {
                "All trials as a table: sorted by a click on a column, searched, opened as runs"
            }
            Page::Coordinates => {
                "Parallel coordinates: a line for each trial through its values, the stronger the better"
            }
            Page::Effects => {
                "What each setting does to quality and time: the mean over all trials with a value, and its deviation"
            }
            Page::Front => {
                "Quality against size or time: no trial is better than those on the line and costs less"
            }
        }
    }
}

/// What was chosen in the view.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SweepChoice {
    /// The page; by default the settings until there are results.
    page: Option<Page>,
    /// The column that the table is sorted by; by default the rank.
    column: Option<usize>,
    /// From the greatest to the least.
    is_falling: bool,
    /// What is searched for in the table.
    search: String,
    /// What settings are searched for.
    wanted: String,
    /// What the front is drawn against.
    cost: CostKind,
    /// The trial that is looked at.
    trial: Option<usize>,
}

impl SweepChoice {
    fn page(&self, state: &State) -> Page {
        let usual = match state.sweeping.folder() {
            Some(_) => Page::Trials,
            None => Page::Settings,
        };
        self.page.unwrap_or(usual)
    }
}

/// The view, with the settings of the project that can be tried.
#[derive(Default)]
pub(crate) struct SweepView {
    tryable: Option<(Project, Vec<Tryable>)>,
}

impl SweepView {
    /// What can be tried of the project as it is.
    fn tryable(&mut self, project: &Project) -> &[Tryable] {
        let known = self.tryable.take().filter(|(of, _)| of == project);
        let known = known.unwrap_or_else(|| (project.clone(), tryable(project)));
        &self.tryable.insert(known).1
    }
}

impl View for SweepView {
    fn title(&self) -> &'static str {
        "Sweep"
    }

    fn summary(&self) -> &'static str {
        "The project trained with other settings"
    }

    fn words(&self) -> &'static str {
        "sweep grid random search halving bayesian optimization tpe hyperparameter tuning optuna ray tune wandb experiment manager trials parallel coordinates pareto effect plot"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The project trained with several values of some of its settings. Under Settings choose what is tried, then train: each trial is a run of its own, which can be opened like all others. A grid trains every combination, random so many that are drawn, halving all for a few epochs and the best of them for more. A Bayesian search draws its first trials and chooses the others from what those before them reached, several at a time, so that it comes to good values with fewer trials. With several seeds each trial is trained as often, and mean and deviation are shown. Two trials are trained side by side where that was measured to be faster; the numbers are the same. A sweep that was stopped goes on where it is. Effects are means over all completed trials with a value; their deviation is that between these trials."
    }

    fn status(&self, state: &State) -> String {
        let Some(table) = state
            .sweeping
            .table()
            .filter(|_| state.sweeping.folder().is_some())
        else {
            return String::new();
        };
        let completed = table.count(Standing::Completed);
        format!(
            "{}: {completed} of {} trials completed",
            table.title,
            table.trials_in_all()
        )
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let sweeping = &state.sweeping;
        if !sweeping.is_of(state.project(), &state.base()) && !sweeping.is_finding() {
            actions.push(Action::Sweep(OnSweep::Find));
        }
        let former: SweepChoice = state.choices.get();
        let mut choice = former.clone();
        bar(ui, state, &mut choice, actions);
        if let Some(live) = sweeping.live() {
            on_its_way(ui, &live, sweeping.is_ending());
        }
        if let Some(why) = &sweeping.failed {
            ui.label(
                RichText::new(why)
                    .size(theme::SMALL)
                    .color(theme::palette(ui).wrong),
            );
        }
        if choice.page(state) == Page::Settings {
            setup::planned(ui, state);
        }
        ui.add_space(theme::STEP);
        self.content(ui, state, &mut choice, actions);
        if choice != former {
            actions.push(Action::Choose(Choice::new(choice)));
        }
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        let mut choice: SweepChoice = state.choices.get();
        self.content(ui, state, &mut choice, &mut Vec::new());
    }
}

impl SweepView {
    /// The page that is chosen.
    fn content(
        &mut self,
        ui: &mut Ui,
        state: &State,
        choice: &mut SweepChoice,
        actions: &mut Vec<Action>,
    ) {
        let page = choice.page(state);
        if page == Page::Settings {
            let all = self.tryable(state.project());
            let scroll = ScrollArea::vertical()
                .id_salt("settings of the sweep")
                .auto_shrink(false);
            scroll.show(ui, |ui| setup::show(ui, state, all, choice, actions));
            return;
        }
        let Some(table) = state.sweeping.table() else {
            return nothing(ui, state);
        };
        shown(ui, page, &table, choice, actions);
    }
}

/// The pages, and what trains the sweep.
fn bar(ui: &mut Ui, state: &State, choice: &mut SweepChoice, actions: &mut Vec<Action>) {
    let sweeping = &state.sweeping;
    ui.horizontal_wrapped(|ui| {
        let shown = choice.page(state);
        for page in Page::ALL {
            let text = RichText::new(page.name()).size(theme::SMALL);
            let label = ui.selectable_label(page == shown, text);
            let label = label.on_hover_text(page.about());
            let name = format!("Page {} of the sweep", page.name());
            if label.accessible_name(name).clicked() {
                choice.page = Some(page);
            }
        }
        ui.add_space(theme::GAP);
        let is_done = sweeping
            .begun
            .as_ref()
            .is_some_and(|(_, table)| table.is_done());
        let (icon, text, hover, start, can) = match (sweeping.is_running(), sweeping.is_ending()) {
            (true, true) => (
                Icon::Stop,
                "Stopping …",
                "The runs leave a checkpoint",
                false,
                false,
            ),
            (true, false) => (
                Icon::Stop,
                "Stop sweep",
                "The runs leave a checkpoint, the sweep can go on",
                false,
                true,
            ),
            (false, _) if is_done => (
                Icon::Check,
                "All trained",
                "Nothing is left to train",
                true,
                false,
            ),
            (false, _) => {
                let is_begun = sweeping.folder().is_some();
                let text = if is_begun { "Go on" } else { "Train sweep" };
                (
                    Icon::Play,
                    text,
                    "Trains all trials that are left, each as a run of its own",
                    true,
                    state.can_sweep(),
                )
            }
        };
        let button = quiet_button(ui, icon, text, can, TRAIN).on_hover_text(hover);
        let hindrance = match &sweeping.planned {
            Some(Err(why)) if start && !is_done => plain(why),
            _ => hover.to_owned(),
        };
        if button.on_disabled_hover_text(hindrance).clicked() {
            actions.push(Action::Sweep(OnSweep::Train(start)));
        }
        if sweeping.folder().is_some() {
            let report = Button::new(RichText::new("Report").size(theme::SMALL));
            let report = ui
                .add(report)
                .on_hover_text("Write the sweep as one page into its folder");
            if report.accessible_name("Report of the sweep").clicked() {
                actions.push(Action::Sweep(OnSweep::Report));
            }
        }
    });
}

/// How far the runs in training are.
fn on_its_way(ui: &mut Ui, live: &Live, is_ending: bool) {
    let colors = theme::palette(ui);
    let mut lines = Vec::new();
    match live.pace {
        None => lines.push("measuring how many trials side by side are fastest …".to_owned()),
        Some(pace) if pace.jobs > 1 => lines.push(match pace.gain {
            Some(gain) => format!("{} trials side by side: {gain:.1} times as fast", pace.jobs),
            None => format!("{} trials side by side", pace.jobs),
        }),
        Some(_) => {}
    }
    if let Some(round) = live.round {
        lines.push(format!("round {round} of the search"));
    }
    for (run, (epochs, step)) in &live.training {
        let run = run.replace('-', " ");
        lines.push(match step {
            Some(step) => format!(
                "{run}: epoch {} of {epochs}, loss {}",
                step.epoch,
                loss(step.loss)
            ),
            None => format!("{run}: reading images …"),
        });
    }
    if live.waiting > 0 {
        lines.push(format!(
            "waiting for {} runs of other processes",
            live.waiting
        ));
    }
    if is_ending {
        lines.push("stopping …".to_owned());
    }
    ui.label(
        RichText::new(lines.join(" · "))
            .size(theme::SMALL)
            .color(colors.weak),
    );
}

fn shown(
    ui: &mut Ui,
    page: Page,
    table: &Arc<Table>,
    choice: &mut SweepChoice,
    actions: &mut Vec<Action>,
) {
    let has_results = table.count(Standing::Completed) > 0;
    match page {
        Page::Settings => {}
        Page::Trials => table::show(ui, table, choice, actions),
        _ if !has_results => empty(
            ui,
            "No trial is completed yet",
            "Press Train sweep: what its trials reach is drawn here while they train.",
        ),
        Page::Coordinates => coordinates::show(ui, table, choice, actions),
        Page::Effects => effects::show(ui, table),
        Page::Front => front::show(ui, table, choice, actions),
    }
}

fn nothing(ui: &mut Ui, state: &State) {
    match &state.sweeping.planned {
        None => empty(
            ui,
            "Looking for the sweep …",
            "Its trials are being worked out.",
        ),
        Some(Err(why)) if state.project().sweep.is_some() => {
            empty(ui, "The sweep cannot be trained yet", why);
        }
        Some(_) => empty(
            ui,
            "No sweep yet",
            "Under Settings choose what is tried and with which values, then press Train sweep.",
        ),
    }
}

/// What people call a factor of a table.
fn factor_name(key: &str) -> String {
    let names: Vec<String> = key.split(", ").map(settings::name).collect();
    names.join(" and ")
}
