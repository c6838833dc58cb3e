//! The palette: everything by name, with the keyboard alone.

use crate::theme;
use crate::views;
use crate::widgets::elided;
use eframe::egui::{
    Align, Align2, Context, FontId, Id, Key, Margin, Modifiers, Response, RichText, Role,
    ScrollArea, Sense, TextEdit, Ui, WidgetInfo, pos2, vec2,
};
use strata_app::action::{Action, Overlay};
use strata_app::commands::{self, Command};
use strata_app::state::State;

const ROW: f32 = 28.0;
const ROWS: f32 = 12.0;

/// What was typed, and the row that Enter takes.
#[derive(Clone, Default)]
struct Memory {
    text: String,
    row: usize,
    open: bool,
}

fn id() -> Id {
    Id::unique("command palette")
}

/// A closed palette starts empty when it is opened again.
pub fn forget(ctx: &Context, state: &State) {
    if state.overlay != Some(Overlay::Palette) {
        ctx.data_mut(|data| data.remove::<Memory>(id()));
    }
}

/// Shows the palette.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut memory: Memory = ui.data(|data| data.get_temp(id())).unwrap_or_default();
    let moved = moves(ui);
    let entered = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    field(ui, &mut memory);
    let all = commands::all(state, &views::catalogue());
    let found = commands::find(&all, &memory.text);
    memory.row = memory
        .row
        .saturating_add_signed(moved)
        .min(found.len().saturating_sub(1));
    let mut chosen = found.get(memory.row).filter(|_| entered).copied();
    ui.add_space(theme::STEP);
    ScrollArea::vertical()
        .max_height(ROWS * ROW)
        .min_scrolled_height(ROWS * ROW)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (index, command) in found.iter().enumerate() {
                let response = row(ui, command, index == memory.row);
                if index == memory.row && moved != 0 {
                    response.scroll_to_me(Some(Align::Center));
                }
                if response.clicked() {
                    chosen = Some(command);
                }
            }
        });
    if found.is_empty() {
        ui.label(
            RichText::new("Nothing has this name; Esc closes.").color(theme::palette(ui).weak),
        );
    }
    if let Some(command) = chosen {
        actions.push(Action::Overlay(None));
        actions.push(command.action.clone());
    }
    ui.data_mut(|data| data.insert_temp(id(), memory));
}

/// How far the arrow keys move.
fn moves(ui: &Ui) -> isize {
    ui.input_mut(|input| {
        let mut count = |key| input.count_and_consume_key(Modifiers::NONE, key) as isize;
        count(Key::ArrowDown) - count(Key::ArrowUp)
            + ROWS as isize * (count(Key::PageDown) - count(Key::PageUp))
    })
}

fn field(ui: &mut Ui, memory: &mut Memory) {
    let edit = TextEdit::singleline(&mut memory.text)
        .id(id().with("field"))
        .hint_text("Find anything: a command, a view, a built-in project")
        .margin(Margin::symmetric(8, 6))
        .desired_width(f32::INFINITY);
    let field = ui.add(edit).accessible_name("Find anything by name");
    if !std::mem::replace(&mut memory.open, true) {
        field.request_focus();
    }
    if field.changed() {
        memory.row = 0;
    }
}

fn row(ui: &mut Ui, command: &Command, chosen: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, chosen, format!("Do {}", command.name))
    });
    let colors = *theme::palette(ui);
    if chosen || response.hovered() {
        ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
    }
    let ink = if chosen { colors.strong } else { colors.text };
    let font = FontId::proportional(theme::BODY);
    let name = ui.painter().layout_no_wrap(command.name.clone(), font, ink);
    let room = rect.width() - name.size().x - 40.0;
    ui.painter().galley(
        pos2(rect.left() + 8.0, rect.center().y - name.size().y / 2.0),
        name,
        ink,
    );
    let hint = elided(
        ui,
        &command.hint,
        FontId::proportional(theme::SMALL),
        colors.weak,
        room,
    );
    let at =
        Align2::RIGHT_CENTER.anchor_size(pos2(rect.right() - 8.0, rect.center().y), hint.size());
    ui.painter().galley(at.min, hint, colors.weak);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    fn best(state: &State, text: &str) -> String {
        let all = commands::all(state, &views::catalogue());
        commands::find(&all, text)
            .first()
            .map_or_else(String::new, |command| command.name.clone())
    }

    #[test]
    fn commands_are_found_by_parts_of_their_names() {
        let state = State::new(builtin::ALL[0].project().unwrap(), None);
        for (text, name) in [
            ("train", "Train"),
            ("lenet", "New from LeNet for MNIST"),
            ("view filt", "View: Filters"),
            ("clo rec", "Close view: Reconstructions"),
            ("res arr", "Reset arrangement"),
            ("sa", "Save"),
            ("rsarr", "Reset arrangement"),
            ("reset win", "Reset window layout"),
            ("xyzzy", ""),
            ("recent", "Start page"),
            ("learning rate", "Setting: learning rate"),
            ("add stage", "Add stage"),
            ("Conv2DTranspose", "Add convt"),
            ("fc", "Add dense"),
            ("сщтм", "Add conv"),
            ("batch_size", "Setting: batch of a stage"),
            ("feature map", "View: Feature maps"),
            ("test accuracy", "View: Accuracy"),
            ("export", "Save as…"),
            ("encoder.0", "Layer: encoder layer 1 conv 32 k8 s4 p2"),
            ("encoder layer 1", "Layer: encoder layer 1 conv 32 k8 s4 p2"),
            ("download", "View: Images"),
            ("mirror", "View: Output = input"),
        ] {
            assert_eq!(best(&state, text), name, "{text}");
        }
        assert!(
            !commands::all(&state, &views::catalogue())
                .iter()
                .any(|command| command.name == "Delete layer"),
            "nothing is selected"
        );
    }
}
