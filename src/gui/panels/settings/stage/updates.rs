//! What is seldom asked of the updates: weights of classes, rates by layer, what decays, the bound of gradients, and how
//! many steps make one update.

use super::super::line::{Menu, Number, TextLine, choice, number, text_with_menu};
use super::optimizer::more;
use super::others::{optional_check, whole};
use super::{count_step, parse, written};
use eframe::egui::{Id, Ui};
use strata_app::action::Action;
use strata_app::setting_field::UPDATES;
use strata_app::state::State;
use strata_core::project::Stack;
use strata_core::project::reference::stage::{
    ACCUMULATE, CLASS_WEIGHTS, CLIP, DECAY, RATE_FACTORS,
};
use strata_core::project::stage::{
    ClassWeights, Clip, Decay, PRETRAINED, RateFactors, Stage, Task,
};
use strata_core::spoken::written as written_places;

/// Shows the group, its fields where it is open or one of them says something.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
    next: &mut Stage,
    actions: &mut Vec<Action>,
) {
    let is_open = state.view.open_groups.contains(UPDATES);
    let holds = "class weights, rates, decay, clip, accumulate";
    more(
        ui,
        ["More of the updates", holds],
        UPDATES,
        is_open,
        actions,
    );
    let is_shown = |is_said: bool| is_open || is_said;
    let has_labels = stage.task == Task::Classify;
    if is_shown(stage.class_weights.is_some()) && (has_labels || stage.class_weights.is_some()) {
        class_weights(ui, id, stage, next);
    }
    if is_shown(!stage.rate_factors.is_empty()) {
        rate_factors(ui, state, id, stage, next);
    }
    if is_shown(stage.decay != Decay::All) {
        let words = ["decay", "Decay", DECAY.about];
        if let Some(decay) = choice(ui, id("decay"), words, stage.decay, &Decay::ALL) {
            next.decay = decay;
        }
    }
    if is_shown(stage.clip.is_some()) {
        clip(ui, id, stage, next);
    }
    if is_shown(stage.accumulate != 1) {
        accumulate(ui, id, stage, next);
    }
}

fn class_weights(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = written(&stage.class_weights);
    let setting = TextLine {
        name: "class weights",
        label: "Class weights",
        hover: CLASS_WEIGHTS.about,
        text: &now,
        hint: "1 for each",
    };
    let is_balanced = stage.class_weights == Some(ClassWeights::Balanced);
    let names = [
        ("1 for each".to_owned(), stage.class_weights.is_none()),
        ("balanced".to_owned(), is_balanced),
    ];
    let menu = Menu {
        label: "Choose the class weights",
        entries: &names,
    };
    let check = |text: &str| optional_check::<ClassWeights>(text);
    let (text, chosen) = text_with_menu(ui, id("class weights"), &setting, &check, &menu);
    if let Some(text) = text {
        next.class_weights = parse(text.trim()).ok();
    }
    match chosen {
        Some(0) => next.class_weights = None,
        Some(_) => next.class_weights = Some(ClassWeights::Balanced),
        None => {}
    }
}

fn rate_factors(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
    next: &mut Stage,
) {
    let now = stage.rate_factors.to_string();
    let setting = TextLine {
        name: "rates",
        label: "Learning rate factors",
        hover: RATE_FACTORS.about,
        text: &now,
        hint: "1 for all",
    };
    let stacks = Stack::ALL
        .into_iter()
        .filter(|stack| !state.network().stack(*stack).is_empty())
        .map(|stack| stack.name().to_owned());
    let is_said = |name: &str| stage.rate_factors.0.iter().any(|(said, _)| said == name);
    let names: Vec<(String, bool)> = stacks
        .chain([PRETRAINED.to_owned()])
        .map(|name| (format!("{name}={USUAL_FACTOR}"), is_said(&name)))
        .collect();
    let menu = Menu {
        label: "Choose a factor",
        entries: &names,
    };
    let read = |text: &str| parse::<RateFactors>(&written_places(text));
    let check = |text: &str| read(text).map(|_| ());
    let (text, chosen) = text_with_menu(ui, id("rate factors"), &setting, &check, &menu);
    if let Some(Ok(factors)) = text.map(|text| read(&text)) {
        next.rate_factors = factors;
    }
    if let Some((entry, is_said)) = chosen.and_then(|index| names.get(index)) {
        let name = entry.split('=').next().unwrap_or_default();
        next.rate_factors.0.retain(|(said, _)| said != name);
        if !is_said {
            next.rate_factors.0.push((name.to_owned(), USUAL_FACTOR));
        }
    }
}

/// What fine-tuning usually leaves of the rate.
const USUAL_FACTOR: f64 = 0.1;

fn clip(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = written(&stage.clip);
    let setting = TextLine {
        name: "clip",
        label: "Clip gradients",
        hover: CLIP.about,
        text: &now,
        hint: "off",
    };
    const USUAL: [(&str, &str); 3] = [
        ("off", ""),
        ("by norm", "norm=1"),
        ("by value", "value=0.5"),
    ];
    let kind = match stage.clip {
        None => 0,
        Some(Clip::Norm(_)) => 1,
        Some(Clip::Value(_)) => 2,
    };
    let names: Vec<_> = USUAL
        .iter()
        .enumerate()
        .map(|(index, (name, _))| ((*name).to_owned(), index == kind))
        .collect();
    let menu = Menu {
        label: "Choose how gradients are clipped",
        entries: &names,
    };
    let check = |text: &str| optional_check::<Clip>(text);
    let (text, chosen) = text_with_menu(ui, id("clip"), &setting, &check, &menu);
    if let Some(text) = text {
        next.clip = parse(text.trim()).ok();
    }
    if let Some(index) = chosen.filter(|index| *index != kind) {
        next.clip = parse(USUAL[index].1).ok();
    }
}

fn accumulate(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = stage.accumulate.to_string();
    let field = Number {
        name: "accumulate",
        label: "Accumulate",
        hover: ACCUMULATE.about,
        text: &now,
        step: &|text, up| count_step(text, up, 1),
    };
    let check = |text: &str| whole(text).map(|_| ());
    let text = number(ui, id("accumulate"), &field, &check);
    if let Some(Ok(count)) = text.map(|text| whole(&text)) {
        next.accumulate = count;
    }
}
