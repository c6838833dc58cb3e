//! When a stage ends early, the penalty on the code, and what stays as it is: texts with menus, and their numbers.

use super::super::line::{CHOICE, Menu, Number, TextLine, line, number, text_with_menu};
use super::{count_step, factor_step, parse, written};
use crate::theme;
use crate::widgets::{chevron, close_by_key};
use eframe::egui::{ComboBox, Id, RichText, Ui};
use strata_app::state::State;
use strata_core::project::reference::stage::{CHECKPOINTS, EARLY_STOP, FREEZE, SPARSITY, UNFREEZE};
use strata_core::project::stage::{
    EARLY_STOP_METRICS, EarlyStop, KeptCheckpoints, Sparsity, Stage, Unfreeze,
};
use strata_core::project::structured::split_names;
use strata_core::project::{Place, Stack};
use strata_core::spoken::{spoken, written as written_places};

/// Shows the fields that end the stage early.
pub(super) fn early_stop(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = written(&stage.early_stop);
    let setting = TextLine {
        name: "early stop",
        label: "Early stop",
        hover: EARLY_STOP.about,
        text: &now,
        hint: "off",
    };
    let watched = stage.early_stop.as_ref().map(|early| early.metric.as_str());
    let mut names = vec![("off".to_owned(), watched.is_none())];
    names.extend(EARLY_STOP_METRICS.map(|metric| (metric.to_owned(), watched == Some(metric))));
    let menu = Menu {
        label: "Choose what ends the stage",
        entries: &names,
    };
    let check = |text: &str| optional_check::<EarlyStop>(text);
    let (text, chosen) = text_with_menu(ui, id("early stop"), &setting, &check, &menu);
    if let Some(text) = text {
        next.early_stop = parse(text.trim()).ok();
    }
    let patience = stage.early_stop.as_ref().map_or(5, |early| early.patience);
    if let Some(index) = chosen {
        let metric = index.checked_sub(1).map(|index| EARLY_STOP_METRICS[index]);
        next.early_stop = metric.map(|metric| EarlyStop {
            metric: metric.to_owned(),
            patience,
        });
    }
    let Some(early) = &stage.early_stop else {
        return;
    };
    let text = early.patience.to_string();
    let field = Number {
        name: "patience",
        label: "Early stop patience",
        hover: "Epochs without improvement before the stage ends.",
        text: &text,
        step: &|text, up| count_step(text, up, 1),
    };
    let check = |text: &str| whole(text).map(|_| ());
    if let Some(Ok(patience)) = number(ui, id("patience"), &field, &check).map(|text| whole(&text))
    {
        next.early_stop = Some(EarlyStop {
            patience,
            ..early.clone()
        });
    }
}

/// Shows which checkpoints are kept.
pub(super) fn checkpoints(ui: &mut Ui, id: &dyn Fn(&str) -> Id, stage: &Stage, next: &mut Stage) {
    let now = written(&stage.checkpoints);
    let setting = TextLine {
        name: "checkpoints",
        label: "Checkpoints",
        hover: CHECKPOINTS.about,
        text: &now,
        hint: "the newest",
    };
    let kept = stage.checkpoints;
    let of = |best, restored, every| {
        Some(KeptCheckpoints {
            best,
            restored,
            every,
        })
    };
    let choices = [
        ("the newest", None),
        ("best", of(true, false, None)),
        ("best restored", of(true, true, None)),
        ("every 5", of(false, false, Some(5))),
        ("best, every 5", of(true, false, Some(5))),
    ];
    let names = choices.map(|(name, choice)| (name.to_owned(), choice == kept));
    let menu = Menu {
        label: "Choose the checkpoints",
        entries: &names,
    };
    let check = |text: &str| optional_check::<KeptCheckpoints>(text);
    let (text, chosen) = text_with_menu(ui, id("checkpoints"), &setting, &check, &menu);
    if let Some(text) = text {
        next.checkpoints = parse(text.trim()).ok();
    }
    if let Some(index) = chosen {
        next.checkpoints = choices[index].1;
    }
}

/// A whole number from 1.
pub(super) fn whole(text: &str) -> Result<u32, String> {
    match text.trim().parse::<u32>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("write a whole number from 1".to_owned()),
    }
}

pub(super) fn optional_check<T: std::str::FromStr<Err: std::fmt::Display>>(
    text: &str,
) -> Result<(), String> {
    match text.trim() {
        "" => Ok(()),
        text => parse::<T>(text).map(|_| ()),
    }
}

/// Shows the fields of the penalty.
pub(super) fn sparsity(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
    next: &mut Stage,
) {
    let now = written(&stage.sparsity);
    let setting = TextLine {
        name: "sparsity",
        label: "Sparsity",
        hover: SPARSITY.about,
        text: &now,
        hint: "none",
    };
    let is_kl = stage
        .sparsity
        .as_ref()
        .is_some_and(|sparsity| sparsity.l1 == 0.0);
    let is_l1 = stage
        .sparsity
        .as_ref()
        .is_some_and(|sparsity| sparsity.l1 > 0.0);
    let names = [
        ("none".to_owned(), stage.sparsity.is_none()),
        ("KL penalty".to_owned(), is_kl),
        ("L1 penalty".to_owned(), is_l1),
    ];
    let menu = Menu {
        label: "Choose the penalty",
        entries: &names,
    };
    let check = |text: &str| optional_check::<Sparsity>(text);
    let (text, chosen) = text_with_menu(ui, id("sparsity"), &setting, &check, &menu);
    if let Some(text) = text {
        next.sparsity = parse(text.trim()).ok();
    }
    match chosen {
        Some(0) => next.sparsity = None,
        Some(1) if !is_kl => next.sparsity = parse("rho=0.05 beta=3").ok(),
        Some(2) if !is_l1 => next.sparsity = parse("l1=1e-4").ok(),
        _ => {}
    }
    let Some(sparsity) = &stage.sparsity else {
        return;
    };
    let numbers = [
        (
            "rho",
            sparsity.rho,
            "The mean activation that every unit is pulled towards.",
        ),
        ("beta", sparsity.beta, "How strong the penalty is."),
        (
            "l1",
            sparsity.l1,
            "What every activation's size counts in the loss, as a mean over images.",
        ),
    ];
    let is_shown = |key: &str| {
        if key == "l1" {
            is_l1
        } else {
            is_kl || sparsity.beta > 0.0
        }
    };
    for (key, value, about) in numbers.into_iter().filter(|(key, ..)| is_shown(key)) {
        if let Some(changed) = penalty(ui, id, sparsity, key, value, about) {
            next.sparsity = Some(changed);
        }
    }
    if let Some(at) = of_layer(ui, state, sparsity) {
        next.sparsity = Some(at);
    }
}

fn penalty(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    sparsity: &Sparsity,
    key: &str,
    value: f64,
    about: &str,
) -> Option<Sparsity> {
    let with = |text: &str| {
        let mut next = sparsity.clone();
        let number = text
            .trim()
            .parse::<f64>()
            .map_err(|_| "write a number".to_owned())?;
        match key {
            "rho" => next.rho = number,
            "l1" => next.l1 = number,
            _ => next.beta = number,
        }
        parse::<Sparsity>(&next.to_string())
    };
    let text = value.to_string();
    let field = Number {
        name: key,
        label: &format!("Sparsity {key}"),
        hover: about,
        text: &text,
        step: &factor_step,
    };
    let check = |text: &str| with(text).map(|_| ());
    let text = number(ui, id(&format!("sparsity {key}")), &field, &check)?;
    with(&text).ok()
}

/// Whose output is meant: the encoder's last layer, or another one.
fn of_layer(ui: &mut Ui, state: &State, sparsity: &Sparsity) -> Option<Sparsity> {
    let layers = layers(state, Stack::Encoder);
    let about = "The layer whose output is meant; the encoder's last unless given.";
    let now = sparsity.at.clone().unwrap_or_else(|| "the code".to_owned());
    let mut chosen = now.clone();
    line(ui, "of", about, |ui| {
        ui.spacing_mut().button_padding.x = CHOICE;
        let code = |text: &str| RichText::new(text).font(theme::digits(theme::CODE));
        ComboBox::from_id_salt("sparsity layer")
            .selected_text(code(&spoken(&now)))
            .width(ui.available_width())
            .icon(chevron)
            .show_ui(ui, |ui| {
                close_by_key(ui);
                ui.selectable_value(&mut chosen, "the code".to_owned(), code("the code"));
                for layer in &layers {
                    ui.selectable_value(&mut chosen, layer.clone(), code(&spoken(layer)));
                }
            })
            .response
            .accessible_name("Sparsity layer");
    });
    (chosen != now).then(|| Sparsity {
        at: Some(chosen).filter(|layer| layer != "the code"),
        ..sparsity.clone()
    })
}

/// Shows what stays as it is.
pub(super) fn freeze(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
    next: &mut Stage,
) {
    let now = stage.freeze.join(" ");
    let setting = TextLine {
        name: "freeze",
        label: "Freeze",
        hover: FREEZE.about,
        text: &now,
        hint: "nothing",
    };
    let can_learn = Stack::ALL
        .into_iter()
        .filter(|stack| !state.network().stack(*stack).is_empty());
    let names: Vec<_> = can_learn
        .flat_map(|stack| {
            let learning = learning(state, stack);
            std::iter::once(stack.name().to_owned()).chain(learning)
        })
        .map(|name| {
            let is_frozen = stage.freeze.contains(&name);
            (name, is_frozen)
        })
        .collect();
    let menu = Menu {
        label: "Choose what stays as it is",
        entries: &names,
    };
    let (text, chosen) = text_with_menu(ui, id("freeze"), &setting, &|_| Ok(()), &menu);
    if let Some(text) = text {
        next.freeze = split_names(&written_places(&text));
    }
    if let Some((name, is_frozen)) = chosen.and_then(|index| names.get(index)) {
        next.freeze.retain(|frozen| frozen != name);
        if !is_frozen {
            next.freeze.push(name.clone());
        }
    }
}

/// Shows which stack is trained layer by layer.
pub(super) fn unfreeze(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    stage: &Stage,
    next: &mut Stage,
) {
    let now = written(&stage.unfreeze);
    let setting = TextLine {
        name: "unfreeze",
        label: "Unfreeze",
        hover: UNFREEZE.about,
        text: &now,
        hint: "off",
    };
    let can_learn = Stack::ALL
        .into_iter()
        .filter(|stack| !state.network().stack(*stack).is_empty());
    let of = |stack, layers| {
        Some(Unfreeze {
            stack,
            layers,
            every: 1,
        })
    };
    let mut choices = vec![None];
    choices.extend(can_learn.flat_map(|stack| [of(stack, 1), of(stack, 2)]));
    let name = |choice: &Option<Unfreeze>| {
        let named = choice.map_or_else(|| "off".to_owned(), |unfreeze| unfreeze.to_string());
        (named, *choice == stage.unfreeze)
    };
    let names: Vec<(String, bool)> = choices.iter().map(name).collect();
    let menu = Menu {
        label: "Choose what is trained layer by layer",
        entries: &names,
    };
    let check = |text: &str| optional_check::<Unfreeze>(text);
    let (text, chosen) = text_with_menu(ui, id("unfreeze"), &setting, &check, &menu);
    if let Some(text) = text {
        next.unfreeze = parse(text.trim()).ok();
    }
    if let Some(choice) = chosen.and_then(|index| choices.get(index)) {
        next.unfreeze = *choice;
    }
}

/// The layers of a stack by name.
fn layers(state: &State, stack: Stack) -> Vec<String> {
    let rows = state.shown.inference.stack(stack);
    rows.filter(|row| row.depth == 0)
        .map(|row| row.place.to_string())
        .collect()
}

/// Those with parameters.
fn learning(state: &State, stack: Stack) -> Vec<String> {
    let row = |place: &Place| state.shown.inference.row(place).map(|row| row.parameters);
    let nodes = state.network().stack(stack).len();
    (0..nodes)
        .map(|index| Place::new(stack, index))
        .filter(|place| row(place).is_some_and(|parameters| parameters > 0))
        .map(|place| place.to_string())
        .collect()
}
