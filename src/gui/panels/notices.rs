//! What must be read or answered: a bar for the path of a file, a bar for unsaved changes, and the
//! messages that stay. No dialog in the way of the work.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use crate::widgets::{Field, FieldEvent, covered, icon_button, plain, said};
use eframe::egui::{
    Align, Align2, Area, Button, Color32, FontId, Frame, Id, Key, Label, Layout, Margin, Order,
    Rect, RichText, ScrollArea, Sense, Stroke, Ui, vec2,
};
use std::cmp::Reverse;
use std::path::PathBuf;
use strata_app::action::{Action, Answer, Show};
use strata_app::messages::{Message, Weight};
use strata_app::recent::ago;
use strata_app::recovery::Unsaved;
use strata_app::state::{AfterUnsavedPrompt, PathPrompt, PathPurpose, State, Switch};
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_design::advice::Fix;

/// Height of the messages below the first, at most; what has no room is scrolled to.
const MOST_HEIGHT: f32 = 160.0;

/// Letters of a title in a question, at most.
const TITLE: usize = 48;

/// Shows the bars that are needed, one below the other.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if let (Some(pending), None) = (&state.pending, &state.ask) {
        unsaved(ui, state, pending, actions);
    }
    if let Some(left) = state.unsaved.first().filter(|_| state.pending.is_none()) {
        left_behind(ui, left, actions);
    }
    if let Some(ask) = &state.ask {
        path(ui, state, ask, actions);
    }
}

/// Lays the messages over the foot of what is shown there, so that nothing moves when they come and go.
pub(crate) fn lay_over(ui: &Ui, place: Rect, state: &State, actions: &mut Vec<Action>) {
    if state.messages.lasting().next().is_none() {
        return covered::set(ui.ctx(), None);
    }
    let line = theme::palette(ui).line;
    let area = Area::new(Id::unique("messages laid over"))
        .order(Order::Middle)
        .pivot(Align2::LEFT_BOTTOM)
        .fixed_pos(place.left_bottom())
        .constrain(false);
    let shown = area.show(ui.ctx(), |ui| {
        let frame = Frame::new()
            .stroke(Stroke::new(1.0, line))
            .corner_radius(theme::RADIUS)
            .shadow(ui.visuals().popup_shadow);
        frame.show(ui, |ui| {
            ui.set_width(place.width() - 2.0);
            ui.spacing_mut().item_spacing.y = 0.0;
            messages(ui, state, actions);
        });
    });
    covered::set(ui.ctx(), Some(shown.response.rect));
}

/// The messages that stay, as one bar: the gravest of them, the newest of these first, and how many more there are.
fn messages(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let mut all: Vec<&Message> = state.messages.lasting().collect();
    all.sort_by_key(|message| (message.weight != Weight::Error, Reverse(message.id)));
    let Some((first, others)) = all.split_first() else {
        return;
    };
    let id = Id::unique("all messages are shown");
    let unfolded = ui.data(|data| data.get_temp::<bool>(id)).unwrap_or(false);
    show_message(ui, state, first, actions, |ui, actions| {
        if others.is_empty() {
            return;
        }
        if ui
            .button("Dismiss all")
            .on_hover_text("I have read them")
            .clicked()
        {
            actions.extend(all.iter().map(|message| Action::Dismiss(message.id)));
        }
        let text = match unfolded {
            true => "Fold".to_owned(),
            false => format!("{} more", others.len()),
        };
        let hover = "Shows all messages, or the first alone";
        if ui.button(text).on_hover_text(hover).clicked() {
            ui.data_mut(|data| data.insert_temp(id, !unfolded));
        }
    });
    if others.is_empty() {
        ui.data_mut(|data| data.remove::<bool>(id));
    } else if unfolded {
        ScrollArea::vertical()
            .id_salt("messages")
            .max_height(MOST_HEIGHT)
            .show(ui, |ui| {
                for message in others {
                    show_message(ui, state, message, actions, |_, _| {});
                }
            });
    }
}

fn bar(ui: &mut Ui, fill: Color32, sign: Icon, ink: Color32, content: impl FnOnce(&mut Ui)) {
    framed(ui, fill, |ui| signed(ui, sign, ink, content));
}

fn framed(ui: &mut Ui, fill: Color32, content: impl FnOnce(&mut Ui)) {
    let frame = Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(12, 6));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        content(ui);
    });
}

fn signed(ui: &mut Ui, sign: Icon, ink: Color32, content: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, 24.0), Sense::hover());
        icon::paint(ui.painter(), sign, rect, ink);
        content(ui);
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
        let title = shortened(&state.project().title);
        let text = format!("“{title}” has unsaved changes. Save them before {before}?");
        let answers = [
            ("Save changes", Answer::Save),
            ("Discard changes", Answer::Discard),
            ("Keep editing", Answer::Cancel),
        ];
        actions.extend(question(ui, &text, &answers).map(Action::Unsaved));
    });
}

fn left_behind(ui: &mut Ui, left: &Unsaved, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    bar(ui, colors.lifted, Icon::Warning, colors.second, |ui| {
        let title = shortened(&left.project.title);
        let text = format!("Unsaved edits of “{title}” were kept ({})", ago(left.time));
        let answers = [("Recover edits", true), ("Discard edits", false)];
        actions.extend(question(ui, &text, &answers).map(Action::Recover));
    });
}

/// A title as long as one line of a bar has room for.
fn shortened(title: &str) -> String {
    match title.chars().count() > TITLE {
        true => title.chars().take(TITLE - 1).chain(['…']).collect(),
        false => title.to_owned(),
    }
}

/// A question with its answers at the end of the line; below it where the line has no room for both.
fn question<T: Copy>(ui: &mut Ui, text: &str, answers: &[(&str, T)]) -> Option<T> {
    let wide = |text: &str| {
        let font = FontId::proportional(theme::BODY);
        let line = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font, Color32::WHITE);
        line.size().x
    };
    let spacing = ui.spacing();
    let around = 2.0 * spacing.button_padding.x + spacing.item_spacing.x;
    let needed = wide(text)
        + answers
            .iter()
            .map(|(name, _)| wide(name) + around)
            .sum::<f32>();
    let given =
        |ui: &mut Ui, (name, answer): &(&str, T)| ui.button(*name).clicked().then_some(*answer);
    if needed <= ui.available_width() {
        let layout = Layout::right_to_left(Align::Center);
        return ui
            .with_layout(layout, |ui| {
                let last_first = answers.iter().rev();
                let given = last_first.filter_map(|answer| given(ui, answer)).last();
                sentence(ui, text);
                given
            })
            .inner;
    }
    ui.vertical(|ui| {
        ui.add(Label::new(said(text, theme::BODY, theme::palette(ui).strong)).wrap());
        let all = answers.iter();
        ui.horizontal_wrapped(|ui| all.filter_map(|answer| given(ui, answer)).last())
            .inner
    })
    .inner
}

/// A text in the room that is left, on as many lines as it needs.
fn sentence(ui: &mut Ui, text: &str) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(Label::new(said(text, theme::BODY, theme::palette(ui).strong)).wrap());
    });
}

fn path(ui: &mut Ui, state: &State, ask: &PathPrompt, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let (verb, heading, hint) = match ask.what {
        PathPurpose::Open => (
            "Open",
            "Open",
            "A project file (name.toml), a run's folder, a folder of images, or weights for this network",
        ),
        PathPurpose::Images => (
            "Open",
            "Your images",
            "The folder that holds them, or an archive, a table or arrays",
        ),
        PathPurpose::Save => ("Save", "Save as", "Where to save: folder/name.toml"),
        PathPurpose::Picture(_) => (
            "Save",
            "Save picture",
            "Where to save: folder/name.png or name.svg",
        ),
    };
    let done = |path: PathBuf| match ask.what {
        PathPurpose::Open | PathPurpose::Images => Action::Open(path),
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
    if let PathPurpose::Picture(kind) = ask.what {
        framed(ui, colors.lifted, |ui| of_picture(ui, state, kind, actions));
    }
    if let Some(folder) = &ask.make {
        let text = format!("The folder {} is not there yet.", folder.display());
        bar(ui, colors.lifted, Icon::Warning, colors.second, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Make the folder").clicked() {
                    actions.push(Action::MakeFolder);
                }
                sentence(ui, &text);
            });
        });
    }
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

/// What else can be done with a picture: another background, and copying it.
fn of_picture(ui: &mut Ui, state: &State, kind: ViewKind, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.add_space(icon::SIZE + ui.spacing().item_spacing.x);
        let copy = ui.button("Copy to the clipboard");
        if copy.accessible_name("Copy picture").clicked() {
            actions.push(Action::CopyPicture(kind));
            actions.push(Action::CancelPath);
        }
        if state.view.looks_dark {
            let mut light = state.view.light_pictures;
            let switch = ui.toggle_value(&mut light, "Light background");
            if switch.on_hover_text("For print: dark on light").clicked() {
                actions.push(Action::Show(Show::Switch(Switch::LightPictures(light))));
            }
        }
        let hint = "A name that ends in .svg saves lines and text that can be enlarged";
        let hint = RichText::new(hint).size(theme::SMALL);
        ui.label(hint.color(theme::palette(ui).text));
    });
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

/// A message with the repairs that the run which failed with it names, and what else belongs to its end.
fn show_message(
    ui: &mut Ui,
    state: &State,
    message: &Message,
    actions: &mut Vec<Action>,
    end: impl FnOnce(&mut Ui, &mut Vec<Action>),
) {
    let colors = theme::palette(ui);
    let (fill, ink) = match message.weight {
        Weight::Error => (colors.wrong_back, colors.wrong),
        Weight::Warning | Weight::Note => (colors.lifted, colors.second),
    };
    framed(ui, fill, |ui| {
        signed(ui, Icon::Warning, ink, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, Icon::Close, "Dismiss message", "I have read it", true).clicked()
                {
                    actions.push(Action::Dismiss(message.id));
                }
                end(ui, actions);
                sentence(ui, &message.text);
            });
        });
        repairs(ui, state.failure_fixes(&message.text), actions);
        if state.failed_on_gpu(&message.text) {
            on_the_cpu(ui, actions);
        }
        if let Some(whole) = state.missing_files(&message.text) {
            files(ui, state, whole, actions);
        }
    });
}

/// What can be done about files that are not there.
fn files(ui: &mut Ui, state: &State, whole: &str, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.add_space(icon::SIZE + ui.spacing().item_spacing.x);
        if let Some((entry, _)) = state.download() {
            let text = format!("Download ({})", format::bytes(entry.bytes()));
            let free = !state.downloads.is_busy(state.project().data.source);
            let button = ui.add_enabled(free, Button::new(text));
            if button.accessible_name("Download what is missing").clicked() {
                actions.push(Action::Fetch(true));
                actions.push(Action::Show(Show::Settings(true)));
            }
        }
        let browse = ui.button("Browse…").on_hover_text("Choose their folder");
        if browse.accessible_name("Browse for the files").clicked() {
            actions.push(Action::BrowseDataFolder);
        }
        which_files(ui, whole);
    });
}

/// Unfolds the names that were looked for, and where: they are too many for the message itself.
fn which_files(ui: &mut Ui, whole: &str) {
    let id = Id::unique("the names of missing files are shown");
    let unfolded = ui.data(|data| data.get_temp::<bool>(id)).unwrap_or(false);
    let text = if unfolded { "Fold" } else { "Which files?" };
    let button = ui
        .button(text)
        .on_hover_text("The names that were looked for, and where");
    if button.accessible_name("Which files?").clicked() {
        ui.data_mut(|data| data.insert_temp(id, !unfolded));
    }
    if unfolded {
        let color = theme::palette(ui).text;
        ui.add(Label::new(said(whole, theme::SMALL, color)).wrap());
    }
}

/// What a GPU could not do, the CPU can.
fn on_the_cpu(ui: &mut Ui, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        ui.add_space(icon::SIZE + ui.spacing().item_spacing.x);
        let button = ui.button("Compute on the CPU");
        let button = button.on_hover_text("The next run computes there");
        if button.clicked() {
            actions.push(Action::Device(Some("cpu".to_owned())));
        }
    });
}

/// A button for each way to mend it, below its text.
fn repairs(ui: &mut Ui, fixes: Vec<Fix>, actions: &mut Vec<Action>) {
    if fixes.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.add_space(icon::SIZE + ui.spacing().item_spacing.x);
        for fix in fixes {
            let button = ui.button(plain(&format::capital(&fix.label)));
            let button = button.on_hover_text("One edit; Ctrl+Z takes it back");
            if button.clicked() {
                actions.push(Action::Edit(fix.edit));
            }
        }
    });
}
