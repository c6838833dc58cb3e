//! The switches of the lens: what is shown, and the buttons that move the kernel.

use super::set;
use crate::theme;
use crate::widgets::{Icon, chevron, close_by_key, icon_button};
use eframe::egui::{ComboBox, RichText, Ui};
use strata_app::action::Action;
use strata_app::lens::{LensMode, LensSettings};
use strata_design::layer_math::Lens;

/// Steps a second, in the order in which a click changes them.
const PACES: [u32; 4] = [1, 2, 4, 6];

/// From right to left: the modes, then (on the small grid) speed, next, play, back, first.
pub(super) fn show(ui: &mut Ui, lens: &Lens, settings: LensSettings, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.x = 0.0;
    let modes = [
        (
            LensMode::Matrix,
            "matrix",
            "Show the layer as a sparse matrix",
        ),
        (
            LensMode::Numbers,
            "real numbers",
            "Show one value of the trained network",
        ),
        (
            LensMode::Grid,
            "small grid",
            "Show the layer on a small grid",
        ),
    ];
    for (mode, text, name) in modes {
        let chosen = settings.mode == mode;
        let button = ui.selectable_label(chosen, RichText::new(text).size(theme::SMALL));
        if button
            .on_hover_text(about(mode))
            .accessible_name(name)
            .clicked()
        {
            actions.push(set(LensSettings {
                mode,
                playing: false,
                ..settings
            }));
        }
    }
    let steps = lens.sample.as_ref().map_or(0, |sample| sample.steps.len());
    if settings.mode == LensMode::Grid && steps > 1 {
        ui.add_space(theme::GAP);
        player(ui, settings, steps, actions);
    }
}

fn about(mode: LensMode) -> &'static str {
    match mode {
        LensMode::Matrix => {
            "Every output value is a sum of weights times inputs, so the layer is a matrix: sparse, and its transpose is the transposed convolution."
        }
        LensMode::Numbers => {
            "The inputs, weights, products and sum behind one value of the network in training, or of the run that was opened."
        }
        LensMode::Grid => {
            "The same kernel, stride, padding and dilation on a grid that fits the eye, with small whole numbers."
        }
    }
}

/// The buttons that move the kernel.
fn player(ui: &mut Ui, settings: LensSettings, steps: usize, actions: &mut Vec<Action>) {
    pace(ui, settings, actions);
    let (step, last) = (settings.step.min(steps - 1), steps - 1);
    let mut go = |step: usize, playing: bool| {
        actions.push(set(LensSettings {
            step,
            playing,
            ..settings
        }))
    };
    if icon_button(
        ui,
        Icon::Step,
        "Next position",
        "Next position (→)",
        step < last,
    )
    .clicked()
    {
        go(step + 1, false);
    }
    if settings.playing {
        if icon_button(ui, Icon::Pause, "Pause the sliding kernel", "Pause", true).clicked() {
            go(step, false);
        }
    } else if icon_button(
        ui,
        Icon::Play,
        "Play the sliding kernel",
        "Let the kernel slide",
        true,
    )
    .clicked()
    {
        go(if step == last { 0 } else { step }, true);
    }
    if icon_button(
        ui,
        Icon::Back,
        "Previous position",
        "Previous position (←)",
        step > 0,
    )
    .clicked()
    {
        go(step - 1, false);
    }
    if icon_button(
        ui,
        Icon::First,
        "First position",
        "Back to the first position (Home)",
        step > 0,
    )
    .clicked()
    {
        go(0, false);
    }
}

/// How fast the kernel slides, as a menu.
fn pace(ui: &mut Ui, settings: LensSettings, actions: &mut Vec<Action>) {
    let words = |pace: u32| format!("{pace} a second");
    let mut chosen = settings.pace;
    let list = ComboBox::from_id_salt("pace of the kernel")
        .width(96.0)
        .icon(chevron)
        .selected_text(RichText::new(words(chosen)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for pace in PACES {
                ui.selectable_value(&mut chosen, pace, words(pace));
            }
        });
    list.response
        .on_hover_text("Positions of the kernel in a second")
        .accessible_name("Speed of the kernel");
    if chosen != settings.pace {
        actions.push(set(LensSettings {
            pace: chosen,
            ..settings
        }));
    }
}
