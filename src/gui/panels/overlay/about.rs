//! What this program is and what it runs on, to read and to paste into a report of a defect.

use crate::theme;
use eframe::egui::{
    Align, Button, Frame, Id, Label, Layout, Link, Margin, RichText, ScrollArea, Ui, vec2,
};
use std::time::Duration;
use strata_app::action::{Action, Overlay};
use strata_app::state::State;
use strata_core::format;
use strata_system_report::SystemReport;

/// Width of the names before the values.
const NAMES: f32 = 76.0;
/// Height of the part that shows the log, where the window has room for it.
const LOG_HEIGHT: f32 = 148.0;
/// Height of everything else, with some values of two lines.
const REST_HEIGHT: f32 = 500.0;
/// Seconds that the button says what it did.
const COPIED: f64 = 2.0;

/// What the program is, in a sentence.
const ABOUT: &str = "A workbench for convolutional networks: build one layer by layer, train it, and see what it has \
    learned.";

/// Shows the box.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let title = concat!("Strata ", env!("CARGO_PKG_VERSION"));
    heading(ui, title);
    let colors = *theme::palette(ui);
    ui.add(Label::new(RichText::new(ABOUT).color(colors.text)).wrap());
    ui.add_space(theme::GAP);
    let own = own_rows(state);
    let Some(report) = &state.about.report else {
        own.iter().for_each(|(name, value)| row(ui, name, value));
        ui.add_space(theme::GAP);
        ui.label(RichText::new("Reading what this machine is…").color(colors.weak));
        return;
    };
    for (name, value) in report.rows().iter().chain(&own) {
        row(ui, name, value);
    }
    ui.add_space(theme::GAP);
    log_lines(ui, report);
    ui.add_space(theme::GAP);
    ui.horizontal(|ui| {
        copy_button(ui, || {
            let frames = [("frames", frames(state))];
            report.text(&[own.as_slice(), &frames].concat())
        });
        let hover = "Show the folder of the log in the file manager";
        let has_folder = report.log.file.is_some();
        let open = ui.add_enabled(has_folder, Button::new("Open log folder"));
        if open.on_hover_text(hover).clicked() {
            actions.push(Action::ShowLogFolder);
        }
    });
}

/// What only the window knows.
fn own_rows(state: &State) -> [(&'static str, String); 2] {
    [
        ("runs on", device(state)),
        ("licence", env!("CARGO_PKG_LICENSE").to_owned()),
    ]
}

fn row(ui: &mut Ui, name: &str, value: &str) {
    let colors = *theme::palette(ui);
    let font = theme::digits(theme::CODE);
    ui.spacing_mut().item_spacing.y = theme::STEP;
    ui.horizontal_top(|ui| {
        let names = vec2(
            NAMES,
            ui.text_style_height(&eframe::egui::TextStyle::Monospace),
        );
        ui.allocate_ui_with_layout(names, Layout::left_to_right(Align::Min), |ui| {
            ui.set_min_width(NAMES);
            ui.label(RichText::new(name).font(font.clone()).color(colors.weak));
        });
        let value = RichText::new(value).font(font).color(colors.strong);
        ui.add(Label::new(value).wrap().selectable(true));
    });
}

/// The newest lines in a part that scrolls.
fn log_lines(ui: &mut Ui, report: &SystemReport) {
    let colors = *theme::palette(ui);
    ui.label(RichText::new("Last lines of the log").color(colors.text));
    let lines = match report.log.lines.is_empty() {
        true => "none".to_owned(),
        false => report.log.lines.join("\n"),
    };
    let room = ui.ctx().content_rect().height() - REST_HEIGHT;
    let text = RichText::new(lines).font(theme::digits(theme::SMALL));
    let label = Label::new(text.color(colors.text)).wrap().selectable(true);
    let frame = Frame::new()
        .fill(colors.back)
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(theme::GAP as i8));
    frame.show(ui, |ui| {
        ScrollArea::vertical()
            .max_height(room.clamp(LOG_HEIGHT / 2.0, LOG_HEIGHT))
            .auto_shrink([false, true])
            .stick_to_bottom(true)
            .show(ui, |ui| ui.add(label));
    });
}

/// Copies a text, and says so for a moment.
fn copy_button(ui: &mut Ui, text: impl FnOnce() -> String) {
    let id = Id::unique("report copied at");
    let now = ui.input(|input| input.time);
    let copied: Option<f64> = ui.data(|data| data.get_temp(id));
    let left = copied
        .map(|at| COPIED - (now - at))
        .filter(|left| *left > 0.0);
    let label = if left.is_some() {
        "Copied"
    } else {
        "Copy report"
    };
    let button = ui.add(Button::new(label).min_size(vec2(96.0, 0.0)));
    if let Some(left) = left {
        ui.ctx()
            .request_repaint_after(Duration::from_secs_f64(left));
    }
    if button.on_hover_text("Copy all of this as text").clicked() {
        ui.ctx().copy_text(text());
        ui.data_mut(|data| data.insert_temp(id, now));
    }
}

/// The way to the box from another one.
pub fn link(ui: &mut Ui, actions: &mut Vec<Action>) {
    let color = theme::palette(ui).accent;
    let link = ui.add(Link::new(RichText::new("About Strata").color(color)));
    let hover = "Version, machine and log, for a report of a defect";
    if link.on_hover_text(hover).clicked() {
        actions.push(Action::Overlay(Some(Overlay::About)));
    }
}

/// The title of a box, on the height of the button that closes it.
pub fn heading(ui: &mut Ui, title: &str) {
    ui.horizontal(|ui| {
        ui.set_min_height(24.0);
        let color = theme::palette(ui).strong;
        let title = RichText::new(title).font(theme::heading(theme::BODY));
        ui.label(title.color(color));
    });
    ui.add_space(theme::STEP);
}

/// How long the window's own work takes: for who looks into a defect, so it is in the copied report alone.
fn frames(state: &State) -> String {
    match state.frames.count() {
        0 => "none measured yet".into(),
        count => {
            let (p99, longest) = (state.frames.within_ms(0.99), state.frames.longest_ms());
            format!(
                "{}: 99 of 100 within {p99:.1} ms, the longest {longest:.1} ms",
                format::count(count)
            )
        }
    }
}

/// Where the last run computed, or where the next one will.
fn device(state: &State) -> String {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match (&state.training.device, state.device.as_deref()) {
        (Some(device), _) => device.clone(),
        (None, Some("cpu")) => format!("CPU, {threads} threads"),
        (None, Some(other)) => other.to_owned(),
        (None, None) => format!("automatic, {threads} CPU threads"),
    }
}
