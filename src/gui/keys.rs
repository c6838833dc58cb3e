//! The keys. A key that also means something to a text field is left to it while one is edited.

use super::action::{Action, OnSelected};
use super::state::State;
use super::training::Phase;
use eframe::egui::{Context, Key, KeyboardShortcut, Modifiers};

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// What the keys of this frame ask for.
pub fn actions(ctx: &Context, state: &State) -> Vec<Action> {
    let writing = ctx.text_edit_focused();
    let focused = ctx.memory(|memory| memory.focused().is_some());
    let mut actions = Vec::new();
    ctx.input_mut(|input| {
        let mut on = |modifiers, key, action| {
            if input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)) {
                actions.push(action);
            }
        };
        on(COMMAND_SHIFT, Key::S, Action::AskSave);
        on(Modifiers::COMMAND, Key::S, Action::Save);
        on(Modifiers::COMMAND, Key::O, Action::AskOpen);
        on(Modifiers::ALT, Key::ArrowUp, Action::Selected(OnSelected::Up));
        on(Modifiers::ALT, Key::ArrowDown, Action::Selected(OnSelected::Down));
        on(Modifiers::COMMAND, Key::D, Action::Selected(OnSelected::Duplicate));
        if writing {
            return;
        }
        on(COMMAND_SHIFT, Key::Z, Action::Redo);
        on(Modifiers::COMMAND, Key::Z, Action::Undo);
        on(Modifiers::COMMAND, Key::Y, Action::Redo);
        on(Modifiers::NONE, Key::Delete, Action::Selected(OnSelected::Delete));
        if let Some(action) = space(state).filter(|_| !focused) {
            on(Modifiers::NONE, Key::Space, action);
        }
    });
    actions
}

/// Space pauses a run that goes on, and lets a paused one go on.
fn space(state: &State) -> Option<Action> {
    match state.training.phase {
        Phase::Training => Some(Action::Pause),
        Phase::Paused => Some(Action::Resume),
        _ => None,
    }
}
