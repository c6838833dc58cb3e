//! What must be read or answered: a bar for the path of a file, a bar for unsaved changes, and the
//! messages that stay. No dialog in the way of the work.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{Field, FieldEvent, icon_button};
use eframe::egui::{
    Align, Color32, Frame, Id, Key, Label, Layout, Margin, RichText, Sense, Ui, vec2,
};
use std::path::PathBuf;
use strata_app::action::{Action, Answer};
use strata_app::messages::{Message, Weight};
use strata_app::recent::ago;
use strata_app::recovery::Unsaved;
use strata_app::state::{AfterUnsavedPrompt, PathPrompt, PathPurpose, State};

/// Shows the bars that are needed, one below the other.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if let (Some(pending), None) = (&state.pending, &state.ask) {
        unsaved(ui, state, pending, actions);
    }
    if let Some(left) = state.unsaved.first().filter(|_| state.pending.is_none()) {
        left_behind(ui, left, actions);
    }
    if let Some(ask) = &state.ask {
        path(ui, ask, actions);
    }
    for message in state.messages.lasting() {
        show_message(ui, message, actions);
    }
}

fn bar(ui: &mut Ui, fill: Color32, sign: Icon, ink: Color32, content: impl FnOnce(&mut Ui)) {
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(12, 6))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, 24.0), Sense::hover());
                icon::paint(ui.painter(), sign, rect, ink);
                content(ui);
            });
        });
}

fn unsaved(ui: &mut Ui, state: &State, pending: &AfterUnsavedPrompt, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    bar(ui, colors.lifted, Icon::Warning, colors.second, |ui| {
        let before = match pending {
            AfterUnsavedPrompt::Close => "closing",
            AfterUnsavedPrompt::Open(_)
            | AfterUnsavedPrompt::Recover
            | AfterUnsavedPrompt::New
            | AfterUnsavedPrompt::Builtin(_) => "opening another project",
        };
        let text = format!(
            "“{}” has unsaved changes. Save them before {before}?",
            state.project().title
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (text, answer) in [
                ("Keep editing", Answer::Cancel),
                ("Discard changes", Answer::Discard),
                ("Save changes", Answer::Save),
            ] {
                if ui.button(text).clicked() {
                    actions.push(Action::Unsaved(answer));
                }
            }
            sentence(ui, &text);
        });
    });
}

fn left_behind(ui: &mut Ui, left: &Unsaved, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    bar(ui, colors.lifted, Icon::Warning, colors.second, |ui| {
        let title = &left.project.title;
        let text = format!("Unsaved edits of “{title}” were kept ({})", ago(left.time));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (text, wanted) in [("Discard edits", false), ("Recover edits", true)] {
                if ui.button(text).clicked() {
                    actions.push(Action::Recover(wanted));
                }
            }
            sentence(ui, &text);
        });
    });
}

/// A text in the room that is left, on as many lines as it needs.
fn sentence(ui: &mut Ui, text: &str) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(Label::new(RichText::new(text).color(theme::palette(ui).strong)).wrap());
    });
}

fn path(ui: &mut Ui, ask: &PathPrompt, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let (verb, heading, hint) = match ask.what {
        PathPurpose::Open => (
            "Open",
            "Open",
            "A project file (name.toml) or a run's folder",
        ),
        PathPurpose::Save => ("Save", "Save as", "Where to save: folder/name.toml"),
        PathPurpose::Picture(_) => ("Save", "Save picture", "Where to save: folder/name.png"),
    };
    let done = |path: PathBuf| match ask.what {
        PathPurpose::Open => Action::Open(path),
        PathPurpose::Save => Action::SaveAs(path),
        PathPurpose::Picture(kind) => Action::SavePicture(kind, path),
    };
    bar(ui, colors.lifted, Icon::Closed, colors.accent, |ui| {
        let id = Id::unique(("path", ask.number));
        ui.label(heading);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Close, "Close path bar", "Close (Esc)", true).clicked() {
                actions.push(Action::CancelPath);
            }
            if ui
                .button("Browse…")
                .on_hover_text("Choose in the system's file dialog")
                .clicked()
            {
                actions.push(Action::Browse);
            }
            if let Some(file) = &ask.replace
                && ui
                    .button(RichText::new("Replace the file").color(colors.wrong))
                    .clicked()
            {
                actions.push(done(file.clone()));
            }
            let pressed = ui
                .button(verb)
                .accessible_name(format!("{verb} path"))
                .clicked();
            path_field(ui, id, ask, hint, pressed, done, actions);
        });
    });
    if let Some(file) = &ask.replace {
        let text = format!(
            "{} exists already; saving would replace it.",
            file.display()
        );
        bar(ui, colors.wrong_back, Icon::Warning, colors.wrong, |ui| {
            ui.label(RichText::new(text).color(colors.strong));
        });
    }
}

fn path_field(
    ui: &mut Ui,
    id: Id,
    ask: &PathPrompt,
    hint: &str,
    pressed: bool,
    done: impl Fn(PathBuf) -> Action,
    actions: &mut Vec<Action>,
) {
    let typed = ui
        .data(|data| data.get_temp::<String>(id))
        .unwrap_or_else(|| ask.start.clone());
    let fresh = ui.data_mut(|data| {
        !std::mem::replace(data.get_temp_mut_or_default::<bool>(id.with("open")), true)
    });
    let (response, event) = Field::new(id, "Path", &ask.start).hint(hint).show_full(ui);
    if fresh {
        response.request_focus();
    }
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let escaped = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape));
    let text = match &event {
        Some(FieldEvent::Commit(text)) => text.clone(),
        _ => typed,
    };
    if (entered || pressed) && !text.trim().is_empty() {
        actions.push(done(PathBuf::from(text.trim())));
    }
    if matches!(event, Some(FieldEvent::Commit(_))) && !entered {
        // Leaving the field for its button must not lose what was typed.
        ui.data_mut(|data| data.insert_temp(id, text));
    }
    if escaped {
        actions.push(Action::CancelPath);
    }
}

fn show_message(ui: &mut Ui, message: &Message, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let (fill, ink) = match message.weight {
        Weight::Error => (colors.wrong_back, colors.wrong),
        Weight::Warning | Weight::Note => (colors.lifted, colors.second),
    };
    bar(ui, fill, Icon::Warning, ink, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if icon_button(ui, Icon::Close, "Dismiss message", "I have read it", true).clicked() {
                actions.push(Action::Dismiss(message.id));
            }
            sentence(ui, &message.text);
        });
    });
}
