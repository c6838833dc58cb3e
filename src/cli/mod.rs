//! The terminal: the same engine without a window, one file a command.
//!
//! Results go to standard output, progress and messages to standard error. Exit codes: 0 done,
//! 1 failed, 2 the input is wrong, 130 stopped by Ctrl-C or `kill`. Every error is shown once, in [`run`].

mod args;
mod baseline;
mod bench;
mod bench_data;
mod bench_layers;
mod bench_window;
mod check;
mod compare;
mod control;
mod data;
mod devices;
mod doctor;
mod eval;
mod export;
mod goals;
mod help;
mod import;
mod inspect;
mod kernel;
mod lens;
mod new;
mod numbers;
mod output;
mod overrides;
mod predict;
mod progress;
mod replay;
mod report;
mod saved;
mod scaling;
mod solve;
mod source;
mod start_log;
mod sweep;
mod text;
mod threads;
mod toml_lines;
mod train;
mod window;

use args::{Args, BenchWhat, Command};
use clap::CommandFactory;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use strata_baselines::BaselineError;
use strata_compare::entry::CompareError;
use strata_core::project::{ProjectError, builtin};
use strata_core::{logging, signals};
use strata_data::archive::ArchiveError;
use strata_engine::error::RunError;
use strata_export::error::ExportError;
use strata_sweep::SweepError;
use threads::For;

/// Exit code of a command that was understood and failed.
const FAILED: u8 = 1;
/// Exit code of wrong input.
const WRONG_INPUT: u8 = 2;

/// Something about the input that is wrong, in words for its author.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongInput(String);

/// A failure that was reported already.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
struct Told(u8);

/// Runs the program with its command line.
pub fn run() -> ExitCode {
    let started = Instant::now();
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => return misspelled(&error),
    };
    start_log::start_log();
    signals::survive_file_limit();
    let code = match on_a_large_stack(args, started) {
        Ok(()) => 0,
        Err(error) => {
            if error.downcast_ref::<Told>().is_none() {
                output::fail(&format!("{error:#}"));
            }
            exit_code(&error)
        }
    };
    log::info!("ended with exit code {code}");
    logging::flush();
    ExitCode::from(code)
}

/// Shows what is wrong with a command line, or the help that it asks for.
fn misspelled(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help and version are no use of the program: nothing is logged, and a closed terminal wants neither.
        error.print().ok();
        return ExitCode::SUCCESS;
    }
    start_log::start_log();
    if let Some(message) = unknown_command() {
        output::fail(&message);
    } else {
        log::error!("{}", error.to_string().trim_end());
        match in_words(&error.to_string()) {
            Some(text) => output::say(text.trim_end()),
            // The error is in the log; a closed terminal cannot show it.
            None => drop(error.print()),
        }
    }
    logging::flush();
    ExitCode::from(WRONG_INPUT)
}

/// What is wrong with a number as one says it, where the reader of numbers speaks of digits and literals.
fn in_words(error: &str) -> Option<String> {
    const SAID: [(&str, &str); 5] = [
        ("invalid digit found in string", "write a whole number"),
        (
            "cannot parse integer from empty string",
            "write a whole number",
        ),
        (
            "number too large to fit in target type",
            "the number is too large",
        ),
        ("invalid float literal", "write a number, such as 0.5"),
        (
            "cannot parse float from empty string",
            "write a number, such as 0.5",
        ),
    ];
    let (part, words) = SAID.into_iter().find(|(part, _)| error.contains(part))?;
    Some(error.replace(part, words))
}

/// The grammar of the command line: what documentation about it is checked against.
pub fn grammar() -> clap::Command {
    Args::command()
}

/// What to say when the first of several words is no command, and no project either.
fn unknown_command() -> Option<String> {
    let words: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let (first, rest) = words.split_first()?;
    let command = Args::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let is_known = names.contains(&first.as_str()) || first == "help" || Path::new(first).exists();
    if rest.is_empty() || first.starts_with('-') || is_known || builtin::find(first).is_some() {
        return None;
    }
    Some(format!(
        "there is no command `{first}`; the commands are {}",
        names.join(", ")
    ))
}

/// Carries out the command on a thread with room for deeply nested networks, whatever the shell allows its first one.
/// The window stays on the first thread, where the system wants it.
fn on_a_large_stack(args: Args, started: Instant) -> anyhow::Result<()> {
    const STACK: usize = 64 << 20;
    let whom = match is_watched(&args) {
        true => For::Window,
        false => For::Command,
    };
    threads::start(whom)?;
    if opens_a_window(&args) {
        return dispatch(args, started);
    }
    let thread = std::thread::Builder::new()
        .name("strata".into())
        .stack_size(STACK);
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let work = move || {
        receiver
            .recv()
            .map_or(Ok(()), |args| dispatch(args, started))
    };
    // The command comes through the channel: it is still here where there is no thread to be had.
    let Ok(running) = thread.spawn(work) else {
        return dispatch(args, started);
    };
    // The thread waits for it, and for nothing else.
    sender.send(args).ok();
    running
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn opens_a_window(args: &Args) -> bool {
    match &args.command {
        None => true,
        Some(Command::Bench(bench)) => bench.special() == Some(BenchWhat::Window),
        Some(_) => false,
    }
}

/// Whether someone looks at what is trained: in the window, or where it is measured without a display.
fn is_watched(args: &Args) -> bool {
    let headless = Some(BenchWhat::Headless);
    opens_a_window(args)
        || matches!(&args.command, Some(Command::Bench(bench)) if bench.special() == headless)
}

fn dispatch(args: Args, started: Instant) -> anyhow::Result<()> {
    match args.command {
        None => window::run(args.project.as_deref()),
        Some(Command::New(args)) => new::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Solve(args)) => solve::run(&args),
        Some(Command::Lens(args)) => lens::run(&args),
        Some(Command::Kernel(args)) => kernel::run(&args),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Control(args)) => control::run(&args),
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Predict(args)) => predict::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Bench(args)) => bench::run(&args, started),
        Some(Command::Baseline(args)) => baseline::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Devices(args)) => devices::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Help(args)) => help::run(&args),
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(Told(code)) = error.downcast_ref::<Told>() {
        return *code;
    }
    let is_wrong_input = error.downcast_ref::<WrongInput>().is_some()
        || matches!(
            error.downcast_ref(),
            Some(ArchiveError::Refused { .. } | ArchiveError::Unreadable { .. })
        )
        || error
            .downcast_ref::<RunError>()
            .is_some_and(RunError::is_wrong_input)
        || error
            .downcast_ref::<BaselineError>()
            .is_some_and(BaselineError::is_wrong_input)
        || error
            .downcast_ref::<CompareError>()
            .is_some_and(CompareError::is_wrong_input)
        || error
            .downcast_ref::<SweepError>()
            .is_some_and(SweepError::is_wrong_input)
        || error
            .downcast_ref::<ExportError>()
            .is_some_and(ExportError::is_wrong_input)
        || error
            .downcast_ref::<ProjectError>()
            .is_some_and(|error| !matches!(error, ProjectError::Write { .. }));
    if is_wrong_input { WRONG_INPUT } else { FAILED }
}
