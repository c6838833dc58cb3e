//! The optimizer: its text with a menu of all there are, and a field for each of its settings.

use super::super::line::{Menu, Number, TextLine, line, number, switch, text_with_menu};
use super::{factor_step, parse};
use crate::theme;
use crate::widgets::{Icon, icon_button};
use eframe::egui::{Id, RichText, Ui};
use strata_app::action::{Action, Show};
use strata_app::setting_field::SELDOM;
use strata_app::state::{State, Switch};
use strata_core::format;
use strata_core::project::optimizer::{OPTIMIZERS, OptimizerSetting};
use strata_core::project::reference::stage::OPTIMIZER;
use strata_core::project::stage::Optimizer;

/// Shows the fields; the optimizer with what was changed.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    id: &dyn Fn(&str) -> Id,
    optimizer: Optimizer,
    actions: &mut Vec<Action>,
) -> Option<Optimizer> {
    let mut next = written(ui, id, optimizer);
    let is_open = state.view.open_groups.contains(SELDOM);
    let (usual, seldom): (Vec<_>, Vec<_>) = optimizer
        .settings()
        .iter()
        .partition(|setting| setting.is_usual);
    for setting in usual {
        next = one(ui, id, setting, &optimizer).or(next);
    }
    if !seldom.is_empty() {
        let names: Vec<_> = seldom.iter().map(|setting| setting.name).collect();
        more(
            ui,
            ["More of the optimizer", &names.join(", ")],
            SELDOM,
            is_open,
            actions,
        );
    }
    for setting in seldom.iter().filter(|_| is_open) {
        next = one(ui, id, setting, &optimizer).or(next);
    }
    next
}

fn written(ui: &mut Ui, id: &dyn Fn(&str) -> Id, optimizer: Optimizer) -> Option<Optimizer> {
    let now = optimizer.to_string();
    let hover = format!("{} {}.", OPTIMIZER.about, Optimizer::examples());
    let setting = TextLine {
        name: "optimizer",
        label: "Optimizer",
        hover: &hover,
        text: &now,
        hint: "adam lr=1e-3",
    };
    let names: Vec<_> = OPTIMIZERS
        .iter()
        .map(|kind| (kind.word.to_owned(), kind.word == optimizer.word()))
        .collect();
    let menu = Menu {
        label: "Choose the optimizer",
        entries: &names,
    };
    let check = |text: &str| parse::<Optimizer>(text).map(|_| ());
    let (text, chosen) = text_with_menu(ui, id("optimizer"), &setting, &check, &menu);
    let typed = text.and_then(|text| parse(&text).ok());
    let other = chosen.filter(|index| !names[*index].1);
    let example = other.and_then(|index| parse(OPTIMIZERS[index].example).ok());
    typed.or(example)
}

/// Opens and closes a group of what is seldom changed, with its name and what is in it.
pub(super) fn more(
    ui: &mut Ui,
    [name, holds]: [&str; 2],
    group: &'static str,
    is_open: bool,
    actions: &mut Vec<Action>,
) {
    line(ui, "", "", |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let icon = if is_open { Icon::Open } else { Icon::Closed };
            let button = icon_button(ui, icon, name, holds, true);
            let color = theme::palette(ui).weak;
            ui.label(RichText::new("more").size(theme::SMALL).color(color));
            if button.clicked() {
                let group = Switch::Group(group, !is_open);
                actions.push(Action::Show(Show::Switch(group)));
            }
        });
    });
}

fn one(
    ui: &mut Ui,
    id: &dyn Fn(&str) -> Id,
    setting: &OptimizerSetting,
    optimizer: &Optimizer,
) -> Option<Optimizer> {
    let now = setting.value(optimizer);
    let label = format::capital(setting.name);
    if setting.is_flag() {
        let before = !now.is_empty();
        let said = if before { "on" } else { "off" };
        let on = switch(ui, [setting.name, &label, setting.about], said, before);
        let value = if on { setting.key } else { "" };
        return (on != before).then(|| setting.with(optimizer, value).ok())?;
    }
    let step: &dyn Fn(&str, bool) -> Option<String> = if setting.is_share {
        &share_step
    } else {
        &factor_step
    };
    let field = Number {
        name: setting.name,
        label: &label,
        hover: setting.about,
        text: &now,
        step,
    };
    let check = |text: &str| {
        let taken = setting.with(optimizer, text);
        match taken {
            Ok(_) if !text.trim().is_empty() => Ok(()),
            Ok(_) => Err("write a number".to_owned()),
            Err(error) => Err(error.0),
        }
    };
    let text = number(ui, id(setting.key), &field, &check)?;
    setting.with(optimizer, &text).ok()
}

/// The next share on the way to 1, or back to 0.
pub(super) fn share_step(text: &str, up: bool) -> Option<String> {
    const SHARES: [&str; 7] = ["0", "0.5", "0.8", "0.9", "0.99", "0.999", "0.9999"];
    let now: f64 = text.parse().ok()?;
    let value = |share: &&str| share.parse::<f64>().unwrap_or_default();
    let next = if up {
        SHARES.iter().find(|share| value(share) > now)
    } else {
        SHARES.iter().rfind(|share| value(share) < now)
    };
    next.map(|share| (*share).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_go_towards_one() {
        assert_eq!(share_step("0", true).unwrap(), "0.5");
        assert_eq!(share_step("0.95", true).unwrap(), "0.99");
        assert_eq!(share_step("0.95", false).unwrap(), "0.9");
        assert_eq!(share_step("0", false), None);
    }
}
