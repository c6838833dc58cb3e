//! The list of transforms as fields: edited, moved, removed, and one more added from a menu.

use crate::theme;
use crate::widgets::{Field, FieldEvent, Icon, chevron, close_by_key, icon_button, said};
use eframe::egui::{Align, ComboBox, Id, Layout, RichText, Ui, vec2};
use strata_app::state::State;
use strata_core::project::augment::{Augment, KINDS};

/// Room for the three buttons next to a field.
const BUTTONS: f32 = 84.0;

/// One transform: its field with what is wrong below it, and the buttons that move and remove it.
pub fn entry(
    ui: &mut Ui,
    generation: u64,
    index: usize,
    text: &str,
    problem: Option<&str>,
    width: f32,
    next: &mut Vec<Augment>,
) {
    let last = next.len().saturating_sub(1);
    ui.allocate_ui_with_layout(
        vec2(width, theme::ROW),
        Layout::top_down(Align::Min),
        |ui| {
            ui.set_width(width);
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                ui.vertical(|ui| {
                    ui.set_width(width - BUTTONS);
                    field(ui, generation, index, text, next);
                });
                buttons(ui, index, last, next);
            });
            if let Some(problem) = problem {
                ui.label(said(problem, theme::SMALL, theme::palette(ui).wrong));
            }
        },
    );
}

fn field(ui: &mut Ui, generation: u64, index: usize, text: &str, next: &mut [Augment]) {
    let check = |text: &str| {
        text.parse::<Augment>()
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let name = format!("Transform {}", index + 1);
    let event = Field::new(Id::unique(("augment", index, generation)), &name, text)
        .check(&check)
        .of_project()
        .show(ui);
    if let Some(FieldEvent::Commit(written)) = event
        && let (Ok(augment), Some(slot)) = (written.parse(), next.get_mut(index))
    {
        *slot = augment;
    }
}

fn buttons(ui: &mut Ui, index: usize, last: usize, next: &mut Vec<Augment>) {
    let number = index + 1;
    let name = |what: &str| format!("{what} transform {number}");
    if icon_button(
        ui,
        Icon::Up,
        &name("Move up"),
        "Apply it earlier",
        index > 0,
    )
    .clicked()
    {
        next.swap(index, index - 1);
    }
    if icon_button(
        ui,
        Icon::Down,
        &name("Move down"),
        "Apply it later",
        index < last,
    )
    .clicked()
    {
        next.swap(index, index + 1);
    }
    if icon_button(ui, Icon::Delete, &name("Remove"), "Remove it", true).clicked() {
        next.remove(index);
    }
}

/// A menu of all transforms; the chosen one joins the end of the list with sensible numbers.
pub fn add(ui: &mut Ui, state: &State, width: f32, next: &mut Vec<Augment>) {
    let mut chosen = None;
    let combo = ComboBox::from_id_salt("add a transform")
        .width(width - BUTTONS)
        .height(420.0)
        .icon(chevron);
    let combo = combo
        .selected_text(RichText::new("Add a transform …"))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for (word, example, about) in KINDS {
                let free = *word != "mixup"
                    || !next
                        .iter()
                        .any(|augment| matches!(augment, Augment::Mixup { .. }));
                let entry = eframe::egui::Button::selectable(
                    false,
                    RichText::new(*word).font(theme::digits(theme::CODE)),
                );
                let entry = ui
                    .add_enabled(free, entry)
                    .on_hover_text(*about)
                    .on_disabled_hover_text("It is in the list.");
                if entry.accessible_name(format!("Add {word}")).clicked() {
                    chosen = Some((*word, *example));
                }
            }
        });
    combo
        .response
        .on_hover_text("What it does stands beside each")
        .accessible_name("Add a transform");
    if let Some((word, example)) = chosen {
        let text = if word == "crop" {
            crop(state)
        } else {
            example.to_owned()
        };
        next.extend(text.parse::<Augment>());
    }
}

/// A crop to the network's input size.
fn crop(state: &State) -> String {
    match *state.project().network.input.spatial() {
        [height, width] if height != width => format!("crop {height}x{width} pad4"),
        [.., width] => format!("crop {width} pad4"),
        [] => "crop 32 pad4".into(),
    }
}
