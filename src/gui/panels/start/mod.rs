//! The start page: what was opened lately, and the built-in projects with their funnels.

mod cards;
mod recent;

use crate::theme;
use crate::widgets::{Icon, primary_button, quiet_button};
use eframe::egui::{Frame, Label, Margin, Panel, RichText, Ui};
use strata_app::action::Action;
use strata_app::state::{PathPurpose, State};

const SIDE: f32 = 320.0;

/// Shows the page.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let colors = *theme::palette(ui);
    let side = Frame::new().fill(colors.panel).inner_margin(Margin {
        left: 24,
        right: 16,
        top: 24,
        bottom: 0,
    });
    Panel::left("start")
        .frame(side)
        .exact_size(SIDE)
        .resizable(false)
        .show(ui, |ui| {
            welcome(ui, actions);
            recent::show(ui, state, actions);
        });
    Frame::new()
        .inner_margin(Margin {
            left: 24,
            right: 16,
            top: 24,
            bottom: 0,
        })
        .show(ui, |ui| {
            cards::show(ui, actions);
        });
}

fn welcome(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new("Strata")
            .font(theme::heading(theme::TITLE))
            .color(colors.strong),
    );
    let sentence = "Stack layers, see every shape, train, and watch what the network learns.";
    ui.add(Label::new(RichText::new(sentence).color(colors.weak)).wrap());
    ui.add_space(2.0 * theme::GAP);
    ui.horizontal(|ui| {
        let new = primary_button(ui, Icon::Plus, "New project", true, 128.0);
        if new.on_hover_text("An input and no layers yet").clicked() {
            actions.push(Action::New);
        }
        let open = quiet_button(ui, Icon::Folder, "Open…", true, 96.0)
            .accessible_name("Open a file or run");
        if open
            .on_hover_text("A project file or a run's folder (Ctrl+O)")
            .clicked()
        {
            actions.push(Action::AskPath(PathPurpose::Open));
        }
    });
    ui.add_space(theme::STEP);
    let drop = RichText::new("or drop a project, a run's folder or a folder of images here")
        .size(theme::SMALL);
    ui.add(Label::new(drop.color(colors.weak)).wrap());
    ui.add_space(3.0 * theme::GAP);
}
