//! What can be done with runs: train, go on, look back, baselines, sweeps, replays.

use super::{Command, command};
use crate::action::{Action, Show};
use crate::run_monitor::{Continuation, Phase};
use crate::state::{State, Switch};
use crate::sweeping::OnSweep;
use strata_baselines::Model;
use strata_baselines::work::Request;

pub(super) fn training(state: &State) -> Vec<Command> {
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
pub(super) fn baselines(state: &State) -> Vec<Command> {
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
pub(super) fn sweep(state: &State) -> Option<Command> {
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
pub(super) fn replay(state: &State) -> Option<Command> {
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
pub(super) fn looking_back(state: &State) -> Vec<Command> {
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
