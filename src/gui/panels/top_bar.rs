//! The bar at the top: the project's title, undo and redo, opening and saving, device and theme.

use crate::theme;
use crate::widgets::{Field, FieldEvent, Icon, close_by_key, icon_button, plain};
use eframe::egui::{
    Align, Button, Color32, FontId, Id, Layout, Popup, Rect, RichText, Ui, UiBuilder, pos2, vec2,
};
use strata_app::action::{Action, Overlay, Show};
use strata_app::arrangement::Workspace;
use strata_app::builtin_previews::{self, Card};
use strata_app::state::{PathPurpose, State};
use strata_core::project::edit::Edit;

/// The longest text of a device but for those of few machines.
const WIDEST_DEVICE: &str = "CPU, 16 threads ▾";

/// What the rest of the bar takes where the window is too narrow for two panels.
const BESIDE_TITLE: f32 = 470.0;
/// Height of the bar.
pub const HEIGHT: f32 = 40.0;

/// Shows the bar.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal_centered(|ui| {
        let colors = theme::palette(ui);
        let name = RichText::new("Strata")
            .font(theme::heading(theme::BODY))
            .color(colors.strong);
        // A button without a frame starts with its text where the panels do.
        ui.add_space(-ui.spacing().button_padding.x);
        if state.start && state.is_stand_in {
            ui.add_space(ui.spacing().button_padding.x);
            ui.label(name);
        } else if state.start {
            ui.spacing_mut().item_spacing.x = theme::STEP;
            let back = ui
                .add(flat("← Back to the project"))
                .on_hover_text(&state.project().title);
            if back.clicked() {
                actions.push(Action::Start(false));
            }
        } else {
            let home = ui
                .add(Button::new(name).frame_when_inactive(false))
                .accessible_name("Start page");
            if home
                .on_hover_text("Start page: recent and built-in projects")
                .clicked()
            {
                actions.push(Action::Start(true));
            }
            title(ui, state, actions);
            ui.spacing_mut().item_spacing.x = theme::STEP;
            history(ui, state, actions);
            ui.add_space(theme::GAP);
            match state.view.tight {
                true => file_menu(ui, actions),
                false => files(ui, state.view.narrow, actions),
            }
        }
        right(ui, state, actions);
    });
}

/// The right end of the bar, drawn from left to right as Tab goes through it: as wide as it was in the frame before,
/// with the way to everything by name in the room that is left.
fn right(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let id = Id::unique(("width of the bar's right end", state.start));
    let before: f32 = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let room = ui.available_rect_before_wrap();
    let find = Find::new(ui, room.width() - before);
    let left = (room.right() - before - find.width).max(room.left());
    let place = Rect::from_min_max(pos2(left, room.top()), room.max);
    let layout = Layout::left_to_right(Align::Center);
    let builder = UiBuilder::new().id_salt("right").max_rect(place);
    let mut inner = ui.new_child(builder.layout(layout));
    find.show(&mut inner, actions);
    let start = left + find.width;
    switches(&mut inner, state, actions);
    let now = inner.min_rect().right() - start;
    if (now - before).abs() >= 0.5 {
        ui.ctx()
            .request_discard("the bar's right end has another width");
        ui.data_mut(|data| data.insert_temp(id, now));
    }
}

/// What is at the right end.
fn switches(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if !state.start {
        workspaces(ui, state, actions);
    }
    device(ui, state, actions);
    if !state.start {
        layers(ui, state, actions);
        settings(ui, state, actions);
    }
    let dark = ui.visuals().dark_mode;
    let hover = if dark { "Light theme" } else { "Dark theme" };
    if icon_button(ui, Icon::Theme, "Switch theme", hover, true).clicked() {
        actions.push(Action::Show(Show::Dark(!dark)));
    }
}

fn layers(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (name, shown) = match state.shows_layers() {
        true => ("Hide layers", true),
        false => ("Show layers", false),
    };
    let hover = format!("{name} (Ctrl+Shift+B)");
    if icon_button(ui, Icon::LeftSide, name, &hover, true).clicked() {
        actions.push(Action::Show(Show::Layers(!shown)));
    }
}

fn settings(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let (name, shown) = if state.shows_settings() {
        ("Hide settings", true)
    } else {
        ("Show settings", false)
    };
    let hover = format!("{name} (Ctrl+B)");
    if icon_button(ui, Icon::Side, name, &hover, true).clicked() {
        actions.push(Action::Show(Show::Settings(!shown)));
    }
}

/// The way to everything by name, as long as there is room for it.
struct Find {
    text: &'static str,
    /// With the space to what is beside it.
    width: f32,
}

impl Find {
    fn new(ui: &Ui, room: f32) -> Find {
        let text = match room {
            room if room < 80.0 => {
                return Find {
                    text: "",
                    width: 0.0,
                };
            }
            room if room < 180.0 => "Ctrl+K",
            _ => "Find anything  Ctrl+K",
        };
        let font = FontId::proportional(theme::SMALL);
        let written = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font, Color32::WHITE);
        let around = 2.0 * ui.spacing().button_padding.x + ui.spacing().item_spacing.x;
        Find {
            text,
            width: written.size().x + around,
        }
    }

    fn show(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        if self.text.is_empty() {
            return;
        }
        let text = RichText::new(self.text).size(theme::SMALL);
        let button = ui.add(Button::new(text.color(theme::palette(ui).weak)));
        let button = button.on_hover_text("Every command, view and project by name");
        if button.accessible_name("Find anything").clicked() {
            actions.push(Action::Overlay(Some(Overlay::Palette)));
        }
    }
}

fn title(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let id = Id::unique(("title", state.generation));
    let font = eframe::egui::FontId::proportional(theme::BODY);
    let written = ui.painter().layout_no_wrap(
        state.project().title.clone(),
        font,
        eframe::egui::Color32::WHITE,
    );
    let widths = match &state.view {
        view if view.tight => [
            96.0,
            (ui.available_width() - BESIDE_TITLE).clamp(96.0, 200.0),
        ],
        view if view.narrow => [160.0, 200.0],
        _ => [160.0, 360.0],
    };
    let width = (written.size().x + 20.0).clamp(widths[0], widths[1]);
    let field = Field::new(id, "Project title", &state.project().title)
        .words()
        .hint("untitled")
        .width(width);
    if let Some(FieldEvent::Commit(text)) = field.show(ui) {
        actions.push(Action::Edit(Edit::Title(text)));
    }
    let colors = theme::palette(ui);
    let (dot, hover) = match (state.is_unsaved(), &state.file) {
        (true, _) => (
            colors.accent,
            "There are changes that no file holds (Ctrl+S saves)".to_owned(),
        ),
        (false, Some(file)) => (
            eframe::egui::Color32::TRANSPARENT,
            file.display().to_string(),
        ),
        (false, None) => (
            eframe::egui::Color32::TRANSPARENT,
            "Not changed yet".to_owned(),
        ),
    };
    // The mark keeps its place, so nothing jumps when it comes and goes.
    let (rect, response) = ui.allocate_exact_size(vec2(8.0, 8.0), eframe::egui::Sense::hover());
    ui.painter().circle_filled(rect.center(), 4.0, dot);
    let unsaved = state.is_unsaved();
    response.widget_info(|| {
        let text = if unsaved {
            "Unsaved changes"
        } else {
            "No unsaved changes"
        };
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Label, true, text)
    });
    response.on_hover_text(hover);
}

fn history(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if icon_button(ui, Icon::Undo, "Undo", "Undo (Ctrl+Z)", state.can_undo()).clicked() {
        actions.push(Action::Undo);
    }
    if icon_button(
        ui,
        Icon::Redo,
        "Redo",
        "Redo (Ctrl+Shift+Z or Ctrl+Y)",
        state.can_redo(),
    )
    .clicked()
    {
        actions.push(Action::Redo);
    }
}

fn files(ui: &mut Ui, narrow: bool, actions: &mut Vec<Action>) {
    let examples = ui
        .add(flat("Examples ▾"))
        .on_hover_text("Built-in projects to start from");
    Popup::menu(&examples).width(440.0).show(|ui| {
        close_by_key(ui);
        ui.spacing_mut().button_padding.y = 2.5;
        for card in builtin_previews::cards() {
            if example(ui, card).clicked() {
                actions.push(Action::Builtin(card.entry.name));
            }
        }
    });
    let shown = if narrow { 2 } else { 3 };
    for (text, hover, action) in file_actions().into_iter().take(shown) {
        if ui.add(flat(text)).on_hover_text(hover).clicked() {
            actions.push(action);
        }
    }
}

/// What is done with files: its name, what it does, the action.
fn file_actions() -> [(&'static str, &'static str, Action); 3] {
    [
        (
            "Open…",
            "Open a project file, a run's folder, images as data, weights for this network as a run, or an ONNX file as a \
             project (Ctrl+O)",
            Action::AskPath(PathPurpose::Open),
        ),
        ("Save", "Save the project (Ctrl+S)", Action::Save),
        (
            "Save as…",
            "Save the project to another file (Ctrl+Shift+S)",
            Action::AskPath(PathPurpose::Save),
        ),
    ]
}

/// The same as one menu, where the bar has no room for their names; the examples are on the start page.
fn file_menu(ui: &mut Ui, actions: &mut Vec<Action>) {
    let button = ui
        .add(flat("File ▾"))
        .on_hover_text("Open and save; examples to start from");
    Popup::menu(&button).width(200.0).show(|ui| {
        close_by_key(ui);
        let start = ui.button("Examples and recent projects");
        if start.on_hover_text("The start page").clicked() {
            actions.push(Action::Start(true));
        }
        for (text, hover, action) in file_actions() {
            if ui.button(text).on_hover_text(hover).clicked() {
                actions.push(action);
            }
        }
    });
}

const WORKSPACES: [(Workspace, &str); 3] = [
    (
        Workspace::Data,
        "The images, what augmentation makes of them, and a playground for kernels (F2)",
    ),
    (
        Workspace::Design,
        "Shapes, costs and advice before anything is trained (F2)",
    ),
    (
        Workspace::Training,
        "Watch the network learn and look into it (F2)",
    ),
];

/// The workspaces beside each other, or where there is no room for them the one that is shown, with the others in its
/// menu.
fn workspaces(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if !state.view.tight {
        return workspace_buttons(ui, state, actions);
    }
    let shown = state.view.workspace;
    let button = ui.add(flat(&format!("{} ▾", shown.name())));
    let button = button.on_hover_text("Data, design or training (F2)");
    let button = button.accessible_name("Workspace");
    Popup::menu(&button).width(120.0).show(|ui| {
        close_by_key(ui);
        workspace_buttons(ui, state, actions);
    });
}

fn workspace_buttons(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(theme::STEP);
    for (workspace, hover) in WORKSPACES {
        let button = Button::selectable(state.view.workspace == workspace, workspace.name());
        let shown = ui.add(button).on_hover_text(hover);
        let shown = shown.accessible_name(format!("{} workspace", workspace.name()));
        if shown.clicked() {
            actions.push(Action::Show(Show::Workspace(workspace)));
        }
    }
    ui.add_space(theme::STEP);
}

fn flat(text: &str) -> Button<'_> {
    Button::new(text).frame_when_inactive(false)
}

fn example(ui: &mut Ui, card: &Card) -> eframe::egui::Response {
    let entry = card.entry;
    let colors = theme::palette(ui);
    let mut job = eframe::egui::text::LayoutJob::default();
    let format = |font, color| eframe::egui::TextFormat {
        font_id: font,
        color,
        ..Default::default()
    };
    job.append(
        &card.title,
        0.0,
        format(theme::heading(theme::BODY), colors.strong),
    );
    job.append("\n", 0.0, format(theme::digits(theme::TINY), colors.weak));
    job.append(
        entry.about,
        0.0,
        format(
            eframe::egui::FontId::proportional(theme::SMALL),
            colors.weak,
        ),
    );
    let button = Button::new(job)
        .frame_when_inactive(false)
        .min_size(vec2(ui.available_width(), 0.0))
        .wrap();
    ui.add(button)
        .accessible_name(format!("Open example {}", entry.name))
}

fn device(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let choosable = state.devices.choosable();
    let chosen = choosable.iter().find(|one| one.key == state.device);
    // One that was chosen before it was looked for has its own name.
    let name = match (chosen, &state.device) {
        (Some(chosen), _) => chosen.name.as_str(),
        (None, Some(key)) => key,
        (None, None) => "Automatic",
    };
    let running = state
        .training
        .device
        .as_deref()
        .filter(|_| state.training.is_running());
    let shown = running.unwrap_or(name);
    let (shown, widest) = match state.view.narrow {
        true => (shown.split(',').next().unwrap_or(shown), "Automatic ▾"),
        false => (shown, WIDEST_DEVICE),
    };
    let text = format!("{shown} ▾");
    // As wide as any of its names, so that nothing beside it moves when a run starts.
    let font = eframe::egui::FontId::proportional(theme::BODY);
    let widest = ui
        .painter()
        .layout_no_wrap(widest.to_owned(), font, theme::palette(ui).text);
    let width = widest.size().x + 2.0 * ui.spacing().button_padding.x;
    let button = ui
        .add(flat(&text).min_size(vec2(width, 0.0)))
        .on_hover_text("Where the next run computes")
        .accessible_name("Device");
    if button.clicked() {
        actions.push(Action::LookForDevices);
    }
    Popup::menu(&button).width(160.0).show(|ui| {
        close_by_key(ui);
        for one in choosable {
            let text = match &one.about {
                Some(about) => format!("{} · {about}", one.name),
                None => one.name.clone(),
            };
            if ui.selectable_label(one.key == state.device, text).clicked() {
                actions.push(Action::Device(one.key));
            }
        }
        if let Some(missing) = state.devices.missing() {
            ui.label(plain(&format!("No GPU: {missing}")));
        }
    });
}
