//! The switches of the lens: what is shown, and the buttons that move the kernel.

use super::set;
use crate::theme;
use crate::widgets::{Icon, icon_button};
use eframe::egui::{RichText, Sense, Ui, vec2};
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
    let (step, last) = (settings.step.min(steps - 1), steps - 1);
    let mut go = |step: usize, playing: bool| {
        actions.push(set(LensSettings {
            step,
            playing,
            ..settings
        }))
    };
    let next = PACES
        .iter()
        .position(|pace| *pace == settings.pace)
        .map_or(2, |at| PACES[(at + 1) % PACES.len()]);
    let pace = RichText::new(format!("{}/s", settings.pace))
        .size(theme::SMALL)
        .color(theme::palette(ui).weak);
    let button = ui.add(
        eframe::egui::Button::new(pace)
            .frame(false)
            .sense(Sense::click())
            .min_size(vec2(28.0, 24.0)),
    );
    let faster = button
        .on_hover_text("Positions in a second; a click changes it")
        .accessible_name(format!("Speed: {} a second", settings.pace));
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
    if faster.clicked() {
        actions.push(set(LensSettings {
            pace: next,
            ..settings
        }));
    }
}
