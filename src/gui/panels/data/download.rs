//! The button that downloads a source's files, how far that is, and why it failed.

use crate::theme;
use eframe::egui::{Align, Button, Frame, Label, Layout, ProgressBar, RichText, ScrollArea, Ui};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::format;
use strata_data::download::Step;
use strata_engine::download_task::Fetching;

/// Narrower than this, there is room for one sentence.
const NARROW: f32 = 320.0;

/// Whether there is something to show for the project's source.
pub(crate) fn is_offered(state: &State) -> bool {
    (state.downloads.catalogue)(state.project().data.source).is_some()
}

/// The button, or the bar of the download on its way.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let source = state.project().data.source;
    if let Some(running) = state.downloads.running(source) {
        return progress(ui, running, actions);
    }
    if let Some((entry, folder)) = state.download() {
        let size = format::bytes(entry.bytes());
        let button = Button::new(format!("Download ({size})"));
        let button = ui.add_enabled(!state.downloads.is_busy(source), button);
        let hover = format!(
            "Fetches what is missing of {} into {}",
            entry.name,
            folder.display()
        );
        let button = button
            .on_hover_text(hover)
            .on_disabled_hover_text("Another dataset is being downloaded");
        if button.accessible_name("Download the data").clicked() {
            actions.push(Action::Fetch(true));
        }
    }
    if let Some(why) = state.downloads.failed(source) {
        refusal(ui, why);
    }
}

/// Why it failed, with the steps by hand; in a narrow column only the first line.
fn refusal(ui: &mut Ui, why: &str) {
    let colors = theme::palette(ui);
    let mut lines = why.lines();
    let first = RichText::new(lines.next().unwrap_or_default())
        .size(theme::SMALL)
        .color(colors.wrong);
    let first = Label::new(first).wrap();
    if ui.available_width() < NARROW {
        ui.vertical(|ui| {
            ui.add(first).on_hover_text(why);
            copy(ui, why);
        });
        return;
    }
    ui.add_space(theme::GAP);
    ScrollArea::vertical()
        .max_height(ui.available_height())
        .show(ui, |ui| {
            let frame = Frame::new()
                .fill(colors.wrong_back)
                .corner_radius(theme::RADIUS)
                .inner_margin(theme::MARGIN);
            let content = |ui: &mut Ui| {
                ui.spacing_mut().item_spacing.y = theme::STEP / 2.0;
                ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                    copy(ui, why);
                    ui.with_layout(Layout::top_down(Align::Min), |ui| ui.add(first));
                });
                lines.for_each(|text| line(ui, text));
            };
            frame.show(ui, |ui| {
                ui.with_layout(Layout::top_down(Align::Min), content)
            });
        });
}

/// A line of a message; one that is set in keeps that where it wraps.
fn line(ui: &mut Ui, text: &str) {
    let shown = RichText::new(text.trim_start())
        .size(theme::SMALL)
        .color(theme::palette(ui).text);
    ui.horizontal_top(|ui| {
        if text.starts_with(' ') {
            ui.add_space(theme::GAP);
        }
        ui.add(Label::new(shown).wrap().selectable(true));
    });
}

fn copy(ui: &mut Ui, why: &str) {
    let button = Button::new(RichText::new("Copy message").size(theme::SMALL));
    if ui
        .add(button)
        .on_hover_text("Copies all of it, with the steps by hand")
        .clicked()
    {
        ui.ctx().copy_text(why.to_owned());
    }
}

fn progress(ui: &mut Ui, running: &Fetching, actions: &mut Vec<Action>) {
    if running.is_ending() {
        ui.label(
            RichText::new("Ending the download …")
                .size(theme::SMALL)
                .color(theme::palette(ui).weak),
        );
        return;
    }
    let told = running.progress();
    let (share, line) = told
        .as_deref()
        .map_or((0.0, "connecting …".to_owned()), |told| {
            let share = told.done as f32 / told.total.max(1) as f32;
            let far = match told.step {
                // Short enough for the narrow column of the settings.
                Step::Downloading => {
                    format!("{:.0} % of {}", 100.0 * share, format::bytes(told.total))
                }
                step => format!("{} {}", step.name(), told.file),
            };
            (share, far)
        });
    let colors = theme::palette(ui);
    let bar = ProgressBar::new(share)
        .desired_width(ui.available_width().min(260.0))
        .desired_height(8.0);
    let bar = bar
        .fill(colors.accent)
        .corner_radius(f32::from(theme::RADIUS));
    ui.scope(|ui| {
        ui.visuals_mut().extreme_bg_color = colors.line;
        ui.add(bar)
            .on_hover_text(running.folder.display().to_string());
    });
    ui.horizontal(|ui| {
        let cancel = ui.button("Cancel").accessible_name("Cancel the download");
        if cancel.clicked() {
            actions.push(Action::Fetch(false));
        }
        let text = RichText::new(line).size(theme::SMALL);
        ui.add(Label::new(text.color(colors.weak)).truncate());
    });
}
