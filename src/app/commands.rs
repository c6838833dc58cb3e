//! Everything that can be done, by name: what the palette lists and finds.

mod find;
mod runs;
mod russian;
mod things;

pub use find::find;

use super::action::{Action, OnSelected, OnView, Overlay, Show};
use super::arrangement::{Side, Workspace};
use super::builtin_previews;
use super::services::ViewCatalogue;
use super::state::{PathPurpose, State, Switch};
use super::view_kind::ViewKind;
use strata_core::project::edit::Edit;
use strata_core::project::target::Target;
use strata_core::project::{Place, Stack};
use strata_core::spoken::spoken;
use strata_export::bundle::Format;

/// One thing that can be done now.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its name.
    pub name: String,
    /// What it means, or the keys for it.
    pub hint: String,
    /// Other words for it, which are looked for and not shown.
    pub words: String,
    /// What other programs call the same thing, each one word.
    pub names: String,
    /// What it does.
    pub action: Action,
}

impl Command {
    /// The same with other words for it.
    fn known_as(mut self, words: &str) -> Command {
        self.words += " ";
        self.words += words;
        self
    }

    /// The same with what other programs call it.
    fn named_elsewhere(mut self, names: &str) -> Command {
        self.names += " ";
        self.names += names;
        self
    }
}

fn command(name: impl Into<String>, hint: impl Into<String>, action: Action) -> Command {
    let (name, hint): (String, String) = (name.into(), hint.into());
    Command {
        name: spoken(&name),
        hint: spoken(&hint),
        words: String::new(),
        names: String::new(),
        action,
    }
}

/// All that can be done in this state.
pub fn all(state: &State, views: &ViewCatalogue) -> Vec<Command> {
    let mut all = runs::training(state);
    if state.training.run.is_some() {
        let hint = "the run as one page: curves, metrics, pictures, layers";
        all.push(command("Write report", hint, Action::Report));
        let export =
            |format: Format| command(format.command(), format.about(), Action::Export(format));
        all.extend(Format::ALL.map(export));
    }
    all.extend(files(state));
    all.extend(layers(state));
    all.extend(workspaces(state));
    all.extend(open_and_close(state, views));
    all.extend(splits(state, views));
    all.extend(layout(state));
    all.extend(switches(state));
    all.extend(sizes());
    all.extend(pictures(state, views));
    all.extend(runs::looking_back(state));
    all.extend(runs::sweep(state));
    all.extend(runs::replay(state));
    all.extend(runs::baselines(state));
    let dark = state.view.looks_dark;
    all.push(command("Keys", "F1", Action::Overlay(Some(Overlay::Keys))));
    all.push(command(
        "About Strata",
        "version, machine and log, for a report",
        Action::Overlay(Some(Overlay::About)),
    ));
    all.push(command(
        if dark { "Light theme" } else { "Dark theme" },
        "",
        Action::Show(Show::Dark(!dark)),
    ));
    for card in builtin_previews::cards() {
        let name = format!("New from {}", card.title);
        let entry = card.entry;
        all.push(command(name, entry.about, Action::Builtin(entry.name)).known_as(entry.name));
    }
    all.extend(things::all(state, views));
    things::with_synonyms(all, views)
}

fn files(state: &State) -> Vec<Command> {
    let mut files = vec![
        command("Open…", "Ctrl+O", Action::AskPath(PathPurpose::Open)),
        command("Save", "Ctrl+S", Action::Save),
        command(
            "Save as…",
            "Ctrl+Shift+S",
            Action::AskPath(PathPurpose::Save),
        ),
        command("New project", "an input and no layers yet", Action::New),
        command(
            "Start page",
            "recent and built-in projects",
            Action::Start(true),
        ),
    ];
    for choosable in state.devices.choosable() {
        let name = choosable.name.replace("Automatic", "automatic");
        files.push(command(
            format!("Device: {name}"),
            "where the next run computes",
            Action::Device(choosable.key.clone()),
        ));
    }
    if state.can_undo() {
        files.push(command("Undo", "Ctrl+Z", Action::Undo));
    }
    if state.can_redo() {
        files.push(command("Redo", "Ctrl+Y", Action::Redo));
    }
    files
}

fn layers(state: &State) -> Vec<Command> {
    let mut layers = Vec::new();
    if state.shown.inference.rows.iter().any(|row| row.is_block) {
        layers.push(command("Fold all blocks", "", Action::Fold(None, true)));
        layers.push(command("Unfold all blocks", "", Action::Fold(None, false)));
    }
    layers.extend(stacks(state));
    let Some(place) = &state.selected else {
        return layers;
    };
    let changes = [
        ("Duplicate layer", "Ctrl+D", OnSelected::Duplicate),
        ("Move layer up", "Alt+↑", OnSelected::Up),
        ("Move layer down", "Alt+↓", OnSelected::Down),
        ("Delete layer", "Delete", OnSelected::Delete),
    ];
    let selected = |(name, keys, change)| {
        command(
            name,
            format!("{} · {keys}", place.in_words()),
            Action::Selected(change),
        )
    };
    layers.extend(changes.map(selected));
    layers.push(lock(state, place));
    layers
}

/// Locks the selected layer, or takes away the lock that is on it.
fn lock(state: &State, place: &Place) -> Command {
    match state.lock_on(place) {
        None => command(
            "Lock layer",
            format!("{} · no edit changes it then", place.in_words()),
            lock_edit(place, true),
        ),
        Some(lock) => {
            let name = if *lock == Target::Node(place.clone()) {
                "layer".to_owned()
            } else {
                lock.to_string()
            };
            command(
                format!("Unlock {name}"),
                lock.to_string(),
                lock_edit(lock, false),
            )
        }
    }
}

fn lock_edit(name: &impl ToString, lock: bool) -> Action {
    Action::Edit(Edit::Lock(name.to_string(), lock))
}

/// Whole stacks, to lock or unlock.
fn stacks(state: &State) -> Vec<Command> {
    let one = |stack: Stack| match state.lock_on_stack(stack) {
        None => command(
            format!("Lock {stack}"),
            "no edit changes it then",
            lock_edit(&stack, true),
        ),
        Some(_) => command(
            format!("Unlock {stack}"),
            "it can be edited again",
            lock_edit(&stack, false),
        ),
    };
    let filled = Stack::ALL
        .into_iter()
        .filter(|stack| !state.network().stack(*stack).is_empty());
    filled.map(one).collect()
}

fn workspaces(state: &State) -> Vec<Command> {
    let now = state.view.workspace;
    let workspace = |other: Workspace| {
        let key = if other == now.next() { "F2" } else { "" };
        let action = Action::Show(Show::Workspace(other));
        command(format!("Workspace: {}", other.name()), key, action)
    };
    let others = Workspace::ALL.into_iter().filter(|other| *other != now);
    others.map(workspace).collect()
}

fn open_and_close(state: &State, views: &ViewCatalogue) -> Vec<Command> {
    let mut commands = Vec::new();
    for info in views.infos {
        let open = Action::View(OnView::Open(info.kind, None));
        commands.push(command(format!("View: {}", info.title), info.summary, open));
        if state.arrangement().is_open(info.kind) {
            let close = Action::View(OnView::Close(info.kind));
            commands.push(command(format!("Close view: {}", info.title), "", close));
        }
    }
    commands
}

/// Its own pane for every view that is in one with others.
fn splits(state: &State, views: &ViewCatalogue) -> Vec<Command> {
    let mut commands = Vec::new();
    let arrangement = state.arrangement();
    for kind in arrangement.views() {
        if arrangement.is_alone(kind) {
            continue;
        }
        for (side, name) in [(Side::Right, "to the right"), (Side::Below, "below")] {
            let name = format!("Split {name}: {}", views.info(kind).title);
            let split = Action::View(OnView::Split(kind, side));
            commands.push(command(name, "a place of its own", split));
        }
    }
    commands
}

fn layout(state: &State) -> [Command; 3] {
    let place = state.lens_place();
    let about = place.map_or_else(String::new, |place| {
        format!("{} as arithmetic", place.in_words())
    });
    [
        command(
            "Open layer in the lens",
            about,
            Action::View(OnView::Open(ViewKind::Lens, None)),
        ),
        command(
            "Reset arrangement",
            "the usual views",
            Action::View(OnView::Reset),
        ),
        command(
            "Reset window layout",
            "all arrangements, widths, folds, switches and the theme",
            Action::View(OnView::ResetAll),
        ),
    ]
}

fn switches(state: &State) -> [Command; 4] {
    let is_log = state.view.log_loss;
    let is_by_epoch = state.view.by_epoch;
    let shows_settings = state.shows_settings();
    let settings = if shows_settings {
        "Hide settings"
    } else {
        "Show settings"
    };
    let shows_layers = state.shows_layers();
    let layers = match shows_layers {
        true => "Hide layers",
        false => "Show layers",
    };
    let axis = if is_log {
        "Linear loss axis"
    } else {
        "Logarithmic loss axis"
    };
    let against = if is_by_epoch {
        "Plot against steps"
    } else {
        "Plot against epochs"
    };
    [
        command(
            layers,
            "Ctrl+Shift+B",
            Action::Show(Show::Layers(!shows_layers)),
        ),
        command(
            settings,
            "Ctrl+B",
            Action::Show(Show::Settings(!shows_settings)),
        ),
        command(axis, "", Action::Show(Show::LogLoss(!is_log))),
        command(against, "", Action::Show(Show::ByEpoch(!is_by_epoch))),
    ]
}

/// How large everything is drawn.
fn sizes() -> [Command; 4] {
    let size = |name: &str, hint: &str, zoom: f32| {
        command(name, hint, Action::Show(Show::Switch(Switch::Zoom(zoom))))
    };
    [
        size("Usual size", "100 %, Ctrl+0", 1.0),
        size(
            "Presentation size",
            "150 %, for a lecture room; Ctrl and + or −",
            1.5,
        ),
        size("Large size", "130 %; Ctrl and + or −", 1.3),
        size("Largest size", "200 %; Ctrl and + or −", 2.0),
    ]
}

fn pictures(state: &State, views: &ViewCatalogue) -> Vec<Command> {
    let picture = |kind: ViewKind| {
        let name = format!("Save picture: {}", views.info(kind).title);
        let action = Action::AskPath(PathPurpose::Picture(kind));
        command(name, "as a PNG or SVG file", action)
    };
    let copy = |kind: ViewKind| {
        let name = format!("Copy picture: {}", views.info(kind).title);
        command(name, "to the clipboard", Action::CopyPicture(kind))
    };
    let shown = views.with_picture(state);
    let copies: Vec<Command> = shown.iter().map(|kind| copy(*kind)).collect();
    shown.into_iter().map(picture).chain(copies).collect()
}
