//! The log that a report of a defect is written from: what is in it, where it is, and that nothing depends on it.

use crate::kit::window::{Window, builtin, fake_engine};
use eframe::egui::{OutputCommand, vec2};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use strata::app::action::{Action, Overlay};
use strata::app::state::State;
use strata::logging::{self, Graphics};

/// A folder for the log of a few commands.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command with this `STRATA_LOG`, whose log is in this folder on every platform.
    fn run_with(&self, filter: Option<&str>, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
        for home in ["HOME", "XDG_STATE_HOME", "LOCALAPPDATA"] {
            command.env(home, self.path());
        }
        for unset in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "STRATA_LOG"] {
            command.env_remove(unset);
        }
        command.envs(filter.map(|filter| ("STRATA_LOG", filter)));
        command
            .current_dir(self.path())
            .args(args)
            .output()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(None, args)
    }

    fn file(&self) -> PathBuf {
        let below = if cfg!(target_os = "macos") {
            "Library/Logs/strata"
        } else {
            "strata"
        };
        self.path().join(below).join("strata.log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// The line with all of these parts.
fn line<'a>(log: &'a str, parts: &[&str]) -> &'a str {
    let found = log
        .lines()
        .find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("{parts:?} in\n{log}"))
}

#[test]
fn doctor_describes_the_program_and_the_machine() {
    let home = Home::new();
    let output = home.run(&["doctor"]);
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    let text = out(&output);
    for name in [
        "version",
        "devices",
        "processor",
        "memory",
        "system",
        "display",
        "settings",
        "state",
        "log",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name)),
            "{name}\n{text}"
        );
    }
    line(&text, &["version", env!("CARGO_PKG_VERSION"), "build"]);
    line(&text, &["processor", "SIMD"]);
    line(&text, &["display", "none"]);
    line(
        &text,
        &["log ", home.file().to_str().unwrap(), "STRATA_LOG=info"],
    );
    let (_, lines) = text.split_once("last lines of the log:\n").unwrap();
    line(lines, &["INFO", "strata::cli", "started: strata doctor"]);
}

#[test]
fn doctor_gives_the_same_as_json() {
    let home = Home::new();
    let output = home.run(&["doctor", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["strata"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(value["devices"][0], "cpu");
    assert!(value["processor"]["cores"].as_u64().unwrap() >= 1);
    assert!(
        ["avx512", "avx2", "plain"]
            .map(Value::from)
            .contains(&value["processor"]["simd"])
    );
    assert_eq!(value["log"]["file"], home.file().to_str().unwrap());
    assert_eq!(value["log"]["problem"], Value::Null);
    assert_eq!(
        value["folders"]["state"],
        home.file().parent().unwrap().to_str().unwrap()
    );
    assert!(
        value["log"]["lines"][0]
            .as_str()
            .unwrap()
            .contains("started")
    );
    for key in ["memory", "system", "display"] {
        assert!(value[key].is_object(), "{key}");
    }
}

#[test]
fn a_command_that_fails_leaves_its_error_in_the_log() {
    let home = Home::new();
    home.write("bad.toml", "format = 1\n[network]\ninput = 3\n");
    let failed = home.run(&["check", "bad.toml"]);
    assert_eq!(code(&failed), 2);
    let log = home.log();
    line(&log, &["INFO", "started: strata check bad.toml"]);
    let message = err(&failed)
        .trim()
        .strip_prefix("strata: ")
        .unwrap()
        .replace('\n', "\\n");
    line(&log, &["ERROR", &message]);
    line(&log, &["INFO", "exit code 2"]);
    let misspelled = home.run(&["check", "--jsn", "x"]);
    assert_eq!(code(&misspelled), 2);
    line(&home.log(), &["ERROR", "--jsn"]);
    assert_eq!(
        home.log()
            .lines()
            .filter(|line| line.contains("ERROR"))
            .count(),
        2
    );
}

#[test]
fn a_run_is_followed_from_its_start_to_its_end() {
    let home = Home::new();
    let sparsity = "sparsity = \"rho=0.1 beta=1e-3\"\n";
    assert!(
        crate::kit::runs::TINY.contains(sparsity),
        "the project warns of it"
    );
    home.write("tiny.toml", &crate::kit::runs::TINY.replace(sparsity, ""));
    let train = |more: &[&str]| {
        let args = [
            "train",
            "tiny.toml",
            "-o",
            "run",
            "--epochs",
            "1",
            "--device",
            "cpu",
        ];
        home.run(&[&args[..], more].concat())
    };
    assert_eq!(code(&train(&[])), 0);
    let log = home.log();
    line(&log, &["INFO", "opened tiny.toml"]);
    line(
        &log,
        &[
            "INFO",
            "strata::data",
            "opened shapes in ",
            " s: ",
            "images",
        ],
    );
    line(&log, &["INFO", "run of `tiny` started in run on CPU"]);
    line(&log, &["INFO", "run of `tiny` completed after", ": run"]);
    // What is unwise in the project is a warning, and all there is to warn of.
    let mut warnings = log.lines().filter(|line| line.contains("WARN"));
    assert!(
        warnings.all(|line| line.contains("run of `tiny`: stage `")),
        "{log}"
    );
    assert!(!log.contains("ERROR") && !log.contains("DEBUG"), "{log}");
    assert!(log.lines().count() < 20, "no line for a step\n{log}");
    assert_eq!(code(&train(&[])), 2, "there is a run in it");
    line(
        &home.log(),
        &["ERROR", "run of `tiny` failed: run holds a run already"],
    );
}

#[test]
fn strata_log_chooses_what_is_kept() {
    let home = Home::new();
    home.write("tiny.toml", crate::kit::runs::TINY);
    let args = [
        "train",
        "tiny.toml",
        "-o",
        "run",
        "--epochs",
        "1",
        "--device",
        "cpu",
    ];
    assert_eq!(code(&home.run_with(Some("debug"), &args)), 0);
    line(&home.log(), &["DEBUG", "strata::engine", "checkpoint"]);
    let before = home.log();
    let failed = home.run_with(Some("error"), &["check", "absent.toml"]);
    assert_eq!(code(&failed), 2);
    let new = home.log().split_off(before.len());
    assert_eq!(new.lines().count(), 1, "the error alone: {new}");
    assert_eq!(code(&home.run_with(Some("off"), &["new"])), 0);
    assert_eq!(home.log(), before + &new);
}

#[test]
fn a_bad_filter_is_reported_in_one_line() {
    let home = Home::new();
    let output = home.run_with(Some("loud"), &["new"]);
    assert_eq!(code(&output), 0);
    let message = err(&output);
    assert!(
        message.lines().count() == 1 && message.contains("STRATA_LOG: `loud` is no level"),
        "{message}"
    );
    line(&home.log(), &["WARN", "`loud` is no level"]);
}

#[test]
fn a_state_folder_that_cannot_be_written_stops_nothing() {
    let home = Home::new();
    let file = home.file();
    let folder = file.parent().unwrap();
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(folder, "a file in the place of the folder").unwrap();
    let listed = home.run(&["new"]);
    assert_eq!((code(&listed), err(&listed).as_str()), (0, ""));
    let output = home.run(&["doctor"]);
    assert_eq!(code(&output), 0);
    let text = out(&output);
    line(&text, &["log ", "cannot be written: ", "kept in memory"]);
    line(&text, &["started: strata doctor"]);
}

#[test]
fn help_and_version_leave_no_trace() {
    let home = Home::new();
    for args in [&["--version"][..], &["--help"], &["train", "--help"]] {
        assert_eq!(code(&home.run(args)), 0);
    }
    assert!(!home.file().parent().unwrap().exists());
}

/// A window, with the log of this process in a folder of the build's own.
fn window_with_log() -> Window {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("log-of-tests");
    logging::start(Some(&folder), "info".parse().unwrap());
    let mut state = State::new(builtin("conv-autoencoder"), None);
    state.about.graphics = Some(Graphics {
        version: "4.5 (Core Profile) Mesa 22.3.6".into(),
        renderer: "llvmpipe (LLVM 15.0.6, 256 bits)".into(),
        vendor: "Mesa".into(),
    });
    let (_, start) = fake_engine();
    let mut window = Window::of(state, vec2(1280.0, 720.0), start, None);
    let lenet = Action::Builtin("lenet-mnist");
    window.harness.state_mut().handle(lenet);
    window.run();
    window
}

#[test]
fn the_about_box_shows_and_copies_the_report() {
    let mut window = window_with_log();
    window.find("about strata");
    assert_eq!(window.state().overlay, Some(Overlay::About));
    window.wait("report", |state| state.about.report.is_some());
    for part in [
        "llvmpipe",
        "SIMD",
        "opened the built-in project lenet-mnist",
        "strata.log, STRATA_LOG=info",
    ] {
        assert!(window.has(part), "{part}");
    }
    window.get("Copy report").click();
    window.harness.step();
    let copied = window
        .harness
        .output()
        .platform_output
        .commands
        .iter()
        .find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
    let copied = copied.expect("a text was copied");
    assert!(copied.starts_with("Strata\nversion    "), "{copied}");
    for part in [
        "llvmpipe",
        "frames ",
        "licence ",
        "last lines of the log:",
        "opened the built-in project lenet-mnist",
    ] {
        assert!(copied.contains(part), "{part}\n{copied}");
    }
}

#[test]
fn the_about_box_is_reached_from_the_keys_too() {
    let mut window = window_with_log();
    window
        .harness
        .state_mut()
        .handle(Action::Overlay(Some(Overlay::Keys)));
    window.run();
    window.click("About Strata");
    assert_eq!(window.state().overlay, Some(Overlay::About));
    assert!(window.has(env!("CARGO_PKG_VERSION")));
}

/// Whoever runs the tests keeps their own log as it is.
#[test]
fn no_test_writes_to_the_log_of_its_user() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut folders = vec![folder];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let started = text.matches("CARGO_BIN_EXE_strata\"").count();
                let guarded = text.matches("\"STRATA_LOG\"").count();
                assert!(
                    guarded >= started,
                    "{} starts strata without STRATA_LOG",
                    path.display()
                );
                seen += started;
            }
        }
    }
    assert!(seen > 5);
}
