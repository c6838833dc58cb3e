//! Everything that can be done, by name: what the palette lists and finds.

mod find;
mod russian;
mod things;

pub use find::find;

use super::action::{Action, OnSelected, OnView, Overlay, Show};
use super::arrangement::{Side, Workspace};
use super::builtin_previews;
use super::run_monitor::{Continuation, Phase};
use super::services::ViewCatalogue;
use super::state::{PathPurpose, State, Switch};
use super::sweeping::OnSweep;
use super::view_kind::ViewKind;
use strata_baselines::Model;
use strata_baselines::work::Request;
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
    let mut all = training(state);
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
    all.extend(looking_back(state));
    all.extend(sweep(state));
    all.extend(replay(state));
    all.extend(baselines(state));
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

fn training(state: &State) -> Vec<Command> {
    let step = command("Step", "one batch, then wait", Action::Steps(1));
    let hundred = "settings can be changed then, under Adjust";
    let steps = command("Train 100 steps, then pause", hundred, Action::Steps(100));
    let stop = command("Stop", "save a checkpoint and end the run", Action::Stop);
    match state.training.phase {
        Phase::Idle | Phase::Ended(_) if state.hindrance().is_none() => {
            let mut start = vec![command("Train", "", Action::Train)];
            start.extend(state.training.continuation().map(|how| go_on(state, how)));
            let has_run = state.training.run.is_some();
            start.extend(has_run.then(train_from_run));
            start.extend(state.checkpoints().into_iter().map(go_on_from));
            start
        }
        Phase::Preparing { .. } => vec![command("Pause", "Space", Action::Pause), stop],
        Phase::Training => vec![command("Pause", "Space", Action::Pause), step, steps, stop],
        Phase::Paused => vec![
            command("Resume", "Space", Action::Resume),
            step,
            steps,
            train_from_run(),
            stop,
        ],
        _ => Vec::new(),
    }
}

/// Classifiers that are no networks, on the pixels of the project's images.
fn baselines(state: &State) -> Vec<Command> {
    const WORDS: &str = "scikit-learn sklearn classifier";
    if state.baselines.progress().is_some() {
        let cancel = command(
            "Cancel the baselines",
            "those that are ready stay",
            Action::Baselines(None),
        );
        return vec![cancel];
    }
    let fit = |name: String, hint: &str, models: Vec<Model>| {
        let request = Request {
            models,
            ..Request::default()
        };
        command(name, hint, Action::Baselines(Some(request))).known_as(WORDS)
    };
    let all = fit(
        "Baselines: all five".to_owned(),
        "classifiers that are no networks, fitted to the pixels",
        Model::ALL.to_vec(),
    );
    let each = Model::ALL.map(|model| {
        let name = format!("Baseline: {}", model.name());
        fit(
            name,
            "fitted to the pixels of the training images",
            vec![model],
        )
    });
    [all].into_iter().chain(each).collect()
}

/// Trains the project's sweep, or ends that.
fn sweep(state: &State) -> Option<Command> {
    if state.sweeping.is_running() {
        let hint = "its runs leave a checkpoint";
        return Some(command(
            "Stop the sweep",
            hint,
            Action::Sweep(OnSweep::Train(false)),
        ));
    }
    let hint = "train the project with the values of its sweep";
    let train = command("Train the sweep", hint, Action::Sweep(OnSweep::Train(true)));
    let train = train.known_as("grid random search hyperparameter tuning experiment manager wandb");
    state.can_sweep().then_some(train)
}

/// Trains the opened run again.
fn replay(state: &State) -> Option<Command> {
    if state.replays.step().is_some() {
        let hint = "nothing is compared then";
        return Some(command("Stop the replay", hint, Action::Replay(false)));
    }
    let hint = "train it again and say whether it is identical to the last bit";
    let replay = command("Replay the run", hint, Action::Replay(true));
    let replay = replay.known_as("reproduce repeat exact same identical");
    state.can_replay().then_some(replay)
}

/// Through the weights that the run kept at earlier steps.
fn looking_back(state: &State) -> Vec<Command> {
    let training = &state.training;
    let look = |name: &str, hint: &str, step: Option<u64>| {
        command(name, hint, Action::Show(Show::At(step))).known_as("time travel snapshot history")
    };
    let mut commands = Vec::new();
    if let Some(first) = training.snapshots.steps.first() {
        let hint = "the weights that the run began with, in all views";
        commands.push(look("Look back to the beginning", hint, Some(*first)));
    }
    if training.at.is_some() {
        commands.push(look("Back to the newest weights", "in all views", None));
        let (name, hint) = match training.is_change {
            true => ("Show the weights of then", "instead of the change since"),
            false => (
                "Show the change since then",
                "the newest weights minus those of the step that is looked back at",
            ),
        };
        let switch = Action::Show(Show::Change(!training.is_change));
        commands.push(command(name, hint, switch).known_as("difference delta compare steps"));
    }
    let keeps = state.view.keeps_snapshots;
    let name = match keeps {
        true => "Keep no earlier weights",
        false => "Keep earlier weights",
    };
    let switch = Action::Show(Show::Switch(Switch::KeepsSnapshots(!keeps)));
    commands.push(command(name, "of the next runs, to look back at", switch).known_as("snapshots"));
    commands
}

/// Trains the network as it is now with what the run has learned.
fn train_from_run() -> Command {
    let hint = "a new run: layers keep their weights, wider ones inherit, others begin anew";
    let train = command(
        "Train with the weights of this run",
        hint,
        Action::TrainFromRun,
    );
    train.known_as("transfer edit network widen grow")
}

/// Goes on with the run that has ended: with what is left, or with as many epochs again.
fn go_on(state: &State, how: Continuation) -> Command {
    let again = state.epochs_again();
    let hint = "continue the run from its last checkpoint";
    match how {
        Continuation::Rest => command("Go on", hint, Action::GoOn(None)),
        Continuation::MoreEpochs => {
            let epochs = if again == 1 { "epoch" } else { "epochs" };
            let name = format!("Go on for {again} more {epochs}");
            command(name, hint, Action::GoOn(Some(again)))
        }
    }
}

/// Goes on from a checkpoint, in a new run.
fn go_on_from(checkpoint: String) -> Command {
    let name = format!("Go on from {}", checkpoint.replace('-', " "));
    let hint = "from this checkpoint, in a new run; this one stays as it is";
    let go_on = command(name, hint, Action::GoOnFrom(checkpoint));
    go_on.known_as("restore checkpoint branch fork")
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

fn switches(state: &State) -> [Command; 3] {
    let is_log = state.view.log_loss;
    let is_by_epoch = state.view.by_epoch;
    let shows_settings = state.shows_settings();
    let settings = if shows_settings {
        "Hide settings"
    } else {
        "Show settings"
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
