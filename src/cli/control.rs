//! `strata control`: changes settings of a run that trains elsewhere, lets it wait, go on or stop, through the command
//! file in its folder.

use super::args::ControlArgs;
use super::saved::check_is_run;
use super::{WrongInput, output};
use std::path::Path;
use strata_core::format::count;
use strata_core::project::file;
use strata_core::project::live_setting::LiveSetting;
use strata_engine::command::Command;
use strata_engine::follow::is_trained_elsewhere;
use strata_engine::run::command_file::ask;
use strata_engine::storage::changes::Changes;

/// Asks the run; without anything to ask it says what can be asked and what was changed so far.
pub fn run(args: &ControlArgs) -> anyhow::Result<()> {
    let run = &args.run;
    check_is_run(run)?;
    if !run.join("run.json").is_file() {
        let message = format!("{} is not a run, it has no run.json", run.display());
        return Err(WrongInput(message).into());
    }
    let commands = commands(args)?;
    if commands.is_empty() {
        return tell(run);
    }
    if !is_trained_elsewhere(run) {
        let message = format!(
            "{} is not in training, so nothing was asked of it; strata train {} --resume goes on with it",
            run.display(),
            run.display()
        );
        return Err(WrongInput(message).into());
    }
    check(run, &commands)?;
    ask(run, &commands).map_err(|error| {
        anyhow::anyhow!("cannot write commands.txt in {}: {error}", run.display())
    })?;
    let asked: Vec<String> = commands.iter().map(Command::to_string).collect();
    output::print(&format!(
        "asked of {}: {}, from its next step on",
        run.display(),
        asked.join(", ")
    ))
}

fn commands(args: &ControlArgs) -> anyhow::Result<Vec<Command>> {
    let mut commands = Vec::new();
    for text in &args.set {
        let command = text
            .parse()
            .map_err(|error| WrongInput(format!("--set {text}: {error}")))?;
        if !matches!(command, Command::Set(..)) {
            let message = format!("--set {text}: write KEY=VALUE, such as lr=0.01");
            return Err(WrongInput(message).into());
        }
        commands.push(command);
    }
    commands.extend(args.pause.then_some(Command::Pause));
    commands.extend(args.resume.then_some(Command::Resume));
    commands.extend(args.steps.map(Command::Steps));
    commands.extend(args.stop.then_some(Command::Stop));
    Ok(commands)
}

/// Refuses what no stage of the run can have.
fn check(run: &Path, commands: &[Command]) -> anyhow::Result<()> {
    let project = file::load(&run.join("project.toml"))?;
    for command in commands {
        let Command::Set(setting, value) = *command else {
            continue;
        };
        let mut first = None;
        let is_possible = project.stages.iter().any(|stage| {
            let refused = setting.set(&mut stage.clone(), value).err();
            let is_possible = refused.is_none();
            first = first.take().or(refused);
            is_possible
        });
        if let Some(error) = first.filter(|_| !is_possible) {
            return Err(WrongInput(error.to_string()).into());
        }
    }
    Ok(())
}

/// What can be changed, and what was.
fn tell(run: &Path) -> anyhow::Result<()> {
    let project = file::load(&run.join("project.toml"))?;
    let changes = Changes::read(run).map_err(WrongInput)?;
    let mut lines = Vec::new();
    for stage in &project.stages {
        let of_stage = LiveSetting::all().filter_map(|setting| {
            let value = setting.value(stage)?;
            Some(format!("{setting}={value}"))
        });
        let settings: Vec<String> = of_stage.collect();
        lines.push(format!("stage {}: {}", stage.name, settings.join(" ")));
    }
    for change in changes.all() {
        let (step, stage) = (count(change.step), &change.stage);
        let (setting, value) = (change.setting, change.value);
        lines.push(format!(
            "from step {step} on, stage {stage}: {setting}={value}"
        ));
    }
    if !is_trained_elsewhere(run) {
        lines.push("it is not in training".to_owned());
    }
    output::print(&lines.join("\n"))
}
