//! The keys. A key that also means something to a text field is left to it while one is edited.

use eframe::egui::{Context, Event, Id, Key, KeyboardShortcut, Modifiers, Popup};
use strata_app::action::{Action, OnSelected, OnView, Overlay, Show};
use strata_app::run_monitor::Phase;
use strata_app::state::{PathPurpose, State};
use strata_app::view_kind::ViewKind;

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// The keys and what they do, for the sheet that F1 shows.
pub const KEYS: &[(&str, &str)] = &[
    ("Ctrl+K", "find anything by name"),
    ("F1", "these keys; over a view its page of help"),
    ("F2", "from the data to the design to the training"),
    ("Ctrl+O", "open"),
    ("Ctrl+S", "save"),
    ("Ctrl+Shift+S", "save as"),
    ("Ctrl+Z", "undo"),
    ("Ctrl+Y", "redo"),
    ("Ctrl+B", "hide or show the settings"),
    ("Ctrl+Shift+B", "hide or show the layers"),
    ("Ctrl+Shift+T", "open the view that was closed last"),
    ("Space", "pause and resume"),
    ("Enter", "take what was typed"),
    ("Esc", "leave it; close what lies above"),
    ("Ins", "insert a layer after the selected one"),
    ("Ctrl+D", "duplicate the layer"),
    ("Ctrl+C, Ctrl+V", "copy and paste layers as text"),
    ("Alt+↑, Alt+↓", "move the layer"),
    ("Delete", "delete the layer"),
    ("Tab", "to the next control"),
    ("right click", "more of a layer or a view"),
    (
        "drag, Ctrl+wheel",
        "move a plot and zoom; double click: show all",
    ),
    ("Ctrl and +, −, 0", "everything larger, smaller, as usual"),
];

/// What the keys of this frame ask for.
pub(crate) fn actions(ctx: &Context, state: &State) -> Vec<Action> {
    let writing = ctx.text_edit_focused();
    let opens = Popup::is_any_open(ctx);
    let focused = ctx.memory(|memory| memory.focused().is_some());
    let mut actions = Vec::new();
    let help = help(ctx, state);
    if !writing && state.overlay.is_none() {
        actions.extend(clipboard(ctx, state));
    }
    ctx.input_mut(|input| {
        let mut on = |modifiers, key, action| {
            if input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)) {
                actions.push(action);
            }
        };
        let toggled =
            |overlay| Action::Overlay((state.overlay != Some(overlay)).then_some(overlay));
        on(Modifiers::COMMAND, Key::K, toggled(Overlay::Palette));
        on(Modifiers::NONE, Key::F1, help.clone());
        if state.overlay.is_some() {
            return on(Modifiers::NONE, Key::Escape, Action::Overlay(None));
        }
        on(
            Modifiers::NONE,
            Key::F2,
            Action::Show(Show::Workspace(state.view.workspace.next())),
        );
        on(COMMAND_SHIFT, Key::T, Action::View(OnView::Reopen));
        on(COMMAND_SHIFT, Key::S, Action::AskPath(PathPurpose::Save));
        on(Modifiers::COMMAND, Key::S, Action::Save);
        on(
            Modifiers::COMMAND,
            Key::O,
            Action::AskPath(PathPurpose::Open),
        );
        on(
            Modifiers::ALT,
            Key::ArrowUp,
            Action::Selected(OnSelected::Up),
        );
        on(
            Modifiers::ALT,
            Key::ArrowDown,
            Action::Selected(OnSelected::Down),
        );
        on(
            COMMAND_SHIFT,
            Key::B,
            Action::Show(Show::Layers(!state.shows_layers())),
        );
        on(
            Modifiers::COMMAND,
            Key::B,
            Action::Show(Show::Settings(!state.shows_settings())),
        );
        on(
            Modifiers::COMMAND,
            Key::D,
            Action::Selected(OnSelected::Duplicate),
        );
        if writing {
            return;
        }
        on(COMMAND_SHIFT, Key::Z, Action::Redo);
        on(Modifiers::COMMAND, Key::Z, Action::Undo);
        on(Modifiers::COMMAND, Key::Y, Action::Redo);
        on(
            Modifiers::NONE,
            Key::Delete,
            Action::Selected(OnSelected::Delete),
        );
        if state.ask.is_some() && !opens {
            on(Modifiers::NONE, Key::Escape, Action::CancelPath);
        }
        if let Some(after) = state.selected.as_ref().and_then(|place| place.neighbour(1)) {
            on(Modifiers::NONE, Key::Insert, Action::AskLayer(Some(after)));
        }
        if let Some(action) = space(state).filter(|_| !focused) {
            on(Modifiers::NONE, Key::Space, action);
        }
    });
    let moves_layers = |action: &Action| matches!(action, Action::Selected(_));
    if writing && actions.iter().any(moves_layers) {
        // What is typed belongs to a layer that will be elsewhere: it is taken over first.
        ctx.memory_mut(|memory| {
            if let Some(field) = memory.focused() {
                memory.surrender_focus(field);
            }
        });
    }
    actions
}

/// Where the tiles note which view the pointer is over.
pub(crate) fn view_under_pointer() -> Id {
    Id::unique("view under the pointer")
}

/// The page of the view under the pointer, or the keys; what is open is closed.
fn help(ctx: &Context, state: &State) -> Action {
    let view: Option<Option<ViewKind>> = ctx.data(|data| data.get_temp(view_under_pointer()));
    let page = view.flatten().map_or(Overlay::Keys, Overlay::Page);
    let is_open = matches!(state.overlay, Some(Overlay::Keys | Overlay::Page(_)));
    Action::Overlay((!is_open).then_some(page))
}

/// Copies the selected layer as text, and takes layers from a text.
fn clipboard(ctx: &Context, state: &State) -> Vec<Action> {
    let text = || Some(state.network().node(state.selected.as_ref()?)?.text());
    let events = ctx.input(|input| input.events.clone());
    let mut actions = Vec::new();
    for event in events {
        match event {
            Event::Copy => text().into_iter().for_each(|text| ctx.copy_text(text)),
            Event::Cut => {
                text().into_iter().for_each(|text| ctx.copy_text(text));
                actions.push(Action::Selected(OnSelected::Delete));
            }
            Event::Paste(text) => actions.push(Action::Paste(text)),
            _ => {}
        }
    }
    actions
}

/// Space pauses a run in training and resumes a paused one.
fn space(state: &State) -> Option<Action> {
    match state.training.phase {
        Phase::Training => Some(Action::Pause),
        Phase::Paused => Some(Action::Resume),
        _ => None,
    }
}
