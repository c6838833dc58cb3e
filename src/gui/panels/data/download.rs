//! The button that downloads a source's files, how far that is, and why it failed.

use crate::data::download::Step;
use crate::engine::fetch::Fetching;
use crate::gui::action::Action;
use crate::gui::state::State;
use crate::gui::theme;
use crate::text;
use eframe::egui::{Button, Label, ProgressBar, RichText, Ui};

/// Whether there is something to show for the project's source.
pub fn is_offered(state: &State) -> bool {
    (state.downloads.catalogue)(state.project().data.source).is_some()
}

/// The button, or the bar of the download on its way.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let source = state.project().data.source;
    if let Some(running) = state.downloads.running(source) {
        return progress(ui, running, actions);
    }
    if let Some((entry, folder)) = state.download() {
        let size = text::bytes(entry.bytes());
        let button = Button::new(format!("Download ({size})"));
        let button = ui.add_enabled(!state.downloads.is_busy(source), button);
        let hover = format!("Fetches what is missing of {} into {}", entry.name, folder.display());
        let button = button.on_hover_text(hover).on_disabled_hover_text("Another dataset is being downloaded");
        if button.accessible_name("Download the data").clicked() {
            actions.push(Action::Fetch(true));
        }
    }
    if let Some(why) = state.downloads.failed(source) {
        let why = RichText::new(why).size(theme::SMALL).color(theme::palette(ui).text);
        ui.add(Label::new(why).wrap().selectable(true));
    }
}

fn progress(ui: &mut Ui, running: &Fetching, actions: &mut Vec<Action>) {
    let told = running.progress();
    let (share, line) = told.as_deref().map_or((0.0, "connecting …".to_owned()), |told| {
        let share = told.done as f32 / told.total.max(1) as f32;
        let far = match told.step {
            Step::Downloading => format!("{} of {}", text::bytes(told.done), text::bytes(told.total)),
            step => format!("{} {}", step.name(), told.file),
        };
        (share, far)
    });
    let bar = ProgressBar::new(share).desired_width(ui.available_width().min(260.0)).desired_height(8.0);
    ui.add(bar.corner_radius(f32::from(theme::RADIUS))).on_hover_text(running.folder.display().to_string());
    ui.label(RichText::new(line).font(theme::digits(theme::SMALL)).color(theme::palette(ui).weak));
    if ui.button("Cancel").accessible_name("Cancel the download").clicked() {
        actions.push(Action::Fetch(false));
    }
}
