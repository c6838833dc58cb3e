//! Next to the images: how many there are of each class, and what was left out while reading.

use super::{NEAR, class, names};
use crate::theme;
use crate::widgets::{elided, said};
use eframe::egui::{
    Align2, Button, FontId, Label, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::edit::Edit;
use strata_core::project::help::{DataSetting, Repair};
use strata_core::project::stage::Task;
use strata_data::Note;
use strata_inspect::gallery::{Gallery, Part, Request};

/// Files left out that are listed.
const MOST_SKIPPED: usize = 50;

/// A bar for each class, as long as its number of images relative to the largest class.
pub(super) fn show(ui: &mut Ui, gallery: &Gallery, actions: &mut Vec<Action>) {
    let counts = gallery
        .splits
        .iter()
        .find(|counts| counts.split == gallery.split);
    let Some(counts) = counts.filter(|counts| !counts.per_class.is_empty()) else {
        return;
    };
    let most = counts.per_class.iter().copied().max().unwrap_or(0).max(1);
    let colors = theme::palette(ui);
    ui.label(
        RichText::new(heading(gallery))
            .size(theme::SMALL)
            .color(colors.weak),
    );
    let alone = match gallery.part {
        Part::Block { class, .. } => class,
        Part::Page(_) => None,
    };
    for (label, &count) in (0u32..).zip(&counts.per_class) {
        let (area, response) =
            ui.allocate_exact_size(vec2(ui.available_width() - 8.0, 18.0), Sense::click());
        let (name, is_alone) = (class(gallery, label), alone == Some(label));
        let figures = format::count(count as u64);
        let spoken = format!("{name}: {figures} images");
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_alone, &spoken));
        if is_alone || response.hovered() || response.has_focus() {
            ui.painter()
                .rect_filled(area.expand2(vec2(4.0, 0.0)), 2.0, colors.raised);
        }
        if response.clicked() {
            let part = Part::Block {
                class: (!is_alone).then_some(label),
                block: 0,
            };
            actions.push(Action::Show(Show::Images(Request {
                split: Some(gallery.split),
                part,
            })));
        }
        let named_at = |area: Rect| area.left() + names(gallery, 0.5 * area.width());
        let (left, right) = (named_at(area), area.right() - 48.0);
        let write = |x: f32, align: Align2, text: &str, font: FontId, color| {
            ui.painter()
                .text(pos2(x, area.center().y), align, text, font, color);
        };
        let named = elided(
            ui,
            &name,
            FontId::proportional(theme::SMALL),
            colors.text,
            named_at(area) - area.left() - NEAR,
        );
        let at = pos2(area.left(), area.center().y - named.size().y / 2.0);
        ui.painter().galley(at, named, colors.text);
        write(
            area.right(),
            Align2::RIGHT_CENTER,
            &figures,
            theme::digits(theme::SMALL),
            colors.weak,
        );
        let length = (right - left) * count as f32 / most as f32;
        let least = if count > 0 { 1.0 } else { 0.0 };
        let bar = Rect::from_min_size(
            pos2(left, area.center().y - 4.0),
            vec2(length.max(least), 8.0),
        );
        ui.painter()
            .rect_filled(bar, 1.0, theme::faded(colors.accent, 0.8));
        let what = if is_alone {
            "click to show all again"
        } else {
            "click to show these alone"
        };
        let of = format::count(counts.images as u64);
        response.on_hover_text(format!("{name}: {figures} of {of} images; {what}"));
    }
    ui.add_space(theme::GAP);
}

fn heading(gallery: &Gallery) -> String {
    let what = match gallery.has_label_sets {
        true => "Images with each label",
        false => "Images of each class",
    };
    format!("{what}, {}", gallery.split)
}

/// What was left out while reading, and why.
pub(super) fn skipped(ui: &mut Ui, gallery: &Gallery) {
    let colors = theme::palette(ui);
    let small = |text: String| RichText::new(text).size(theme::SMALL);
    let count = gallery.skipped.len();
    if count == 0 {
        ui.label(small("No file was left out.".to_owned()).color(colors.weak));
        return passed_over(ui, gallery);
    }
    ui.label(
        small(format!("Left out: {} files", format::count(count as u64))).color(colors.second),
    );
    for (file, reason) in gallery.skipped.iter().take(MOST_SKIPPED) {
        let name = std::path::Path::new(file)
            .file_name()
            .map_or(file.as_str().into(), |name| name.to_string_lossy());
        let line = small(format!("{name}: {reason}")).color(colors.text);
        ui.add(Label::new(line).wrap()).on_hover_text(file);
    }
    if count > MOST_SKIPPED {
        ui.label(
            small(format!(
                "and {} more",
                format::count((count - MOST_SKIPPED) as u64)
            ))
            .color(colors.weak),
        );
    }
    passed_over(ui, gallery);
}

/// Hidden files and files of other kinds.
fn passed_over(ui: &mut Ui, gallery: &Gallery) {
    let colors = theme::palette(ui);
    for line in &gallery.passed_over {
        let text = RichText::new(format!("Passed over: {line}")).size(theme::SMALL);
        ui.add(Label::new(text.color(colors.weak)).wrap());
    }
}

/// The button that gives the network the input and the head that the images need.
fn fit(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(what) = state.network_for_data() else {
        return;
    };
    let button = Button::new(RichText::new("Fit the network").size(theme::SMALL));
    let hover = format!("{what}, as these images need it");
    if ui.add(button).on_hover_text(hover).clicked() {
        actions.push(Action::FitNetwork);
    }
    ui.add_space(theme::GAP / 2.0);
}

/// What is worth knowing of the data in this project: that of classes only where these are told apart.
pub(super) fn told<'g>(state: &State, gallery: &'g Gallery) -> impl Iterator<Item = &'g Note> {
    let classifies = state.has_task(Task::Classify);
    let all = gallery.notes.iter();
    all.filter(move |note| classifies || !note.of_classes)
}

/// What is worth knowing of the data, each with the button that changes it.
pub(super) fn notes(ui: &mut Ui, state: &State, gallery: &Gallery, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    fit(ui, state, actions);
    for note in told(state, gallery) {
        ui.add(Label::new(said(note.in_window(), theme::SMALL, colors.text)).wrap());
        let changed = note
            .line
            .as_ref()
            .and_then(|line| Some((line, state.project().data.with_line(line)?)));
        if let Some((line, data)) = changed {
            let label = Repair::Data(DataSetting::Line(line.clone())).label();
            let label = RichText::new(format::capital(&label)).size(theme::SMALL);
            let button = ui.add(Button::new(label));
            let button = button.on_hover_text("Changes this setting of the data");
            if button.clicked() {
                actions.push(Action::Edit(Edit::Data(data)));
            }
        }
        ui.add_space(theme::GAP / 2.0);
    }
    let python = told(state, gallery).filter_map(|note| note.python.as_ref());
    for python in python {
        let button = Button::new(RichText::new("Copy the Python that converts").size(theme::SMALL));
        if ui.add(button).on_hover_text(python).clicked() {
            ui.ctx().copy_text(python.clone());
        }
        ui.add_space(theme::GAP / 2.0);
    }
}
