//! Which slice of volumes is shown, wherever pictures of them are.

use crate::theme;
use eframe::egui::{RichText, Slider, Ui};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_inspect::slices::SliceOf;

/// The slices of the volumes that the network takes, whether it has been asked yet or not; `None` of images.
pub fn slices_of_input(state: &State) -> Option<SliceOf> {
    let [slices, ..] = state.network().input.volume();
    let slice = slices / 2;
    (slices > 1).then_some(SliceOf { slice, slices })
}

/// A slider over the slices; nothing where there are images.
pub fn volume_slice(ui: &mut Ui, state: &State, of: Option<SliceOf>, actions: &mut Vec<Action>) {
    let Some(SliceOf { slices, .. }) = of.filter(|of| of.slices > 1) else {
        return;
    };
    let middle = slices / 2;
    let mut slice = state.inspections.slice.unwrap_or(middle).min(slices - 1);
    let before = slice;
    let slider = Slider::new(&mut slice, 0..=slices - 1).show_value(false);
    let shown = super::slider(ui, slider).on_hover_text("Which slice of the volumes is shown");
    shown.accessible_name("Slice of the volumes");
    let text = format!("slice {} of {slices}", slice + 1);
    let text = RichText::new(text).font(theme::digits(theme::SMALL));
    ui.label(text.color(theme::palette(ui).weak));
    if slice != before {
        actions.push(Action::Show(Show::Slice(Some(slice))));
    }
}
