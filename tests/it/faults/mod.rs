//! Faults of the machine and hostile files: what is told, and that nothing of anybody's is lost.

mod deaths;
mod limits;

use crate::kit::PATIENCE;
use crate::kit::runs;
use crate::kit::terminal::{code, err, json, out, strata};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use strata_testkit::files::write;

/// A PNG file whose palette is no multiple of three bytes long; other programs open it.
const ODD_PALETTE: &[u8] = include_bytes!("../../fixtures/formats/palette_length_4.png");

fn with_project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.toml"), runs::TINY).unwrap();
    folder
}

/// A trained run in a folder of its own, `run`, beside its project, `tiny.toml`.
fn trained() -> tempfile::TempDir {
    let folder = with_project();
    let output = strata(folder.path(), &["train", "tiny.toml", "-o", "run"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    folder
}

/// The program started by a shell that sets limits first; it has to end by itself.
fn shell(folder: &Path, script: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_strata");
    let child = Command::new("sh")
        .args(["-c", &script.replace("strata", program)])
        .current_dir(folder)
        .env("STRATA_LOG", "off")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{script} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// Asserts that the program refuses in words: no panic, no signal, no wait without an end.
fn refused(output: &Output, part: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{:?} {message}",
        output.status
    );
    assert!(
        message.contains(part) && !message.contains("panicked"),
        "{message}"
    );
}

#[test]
fn a_picture_on_which_the_decoder_gives_up_is_left_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "images/a/odd.png", ODD_PALETTE);
    for number in 0..4 {
        let file = folder
            .path()
            .join(format!("images/{}/{number}.png", ["a", "b"][number % 2]));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        image::RgbImage::new(8, 8).save(file).unwrap();
    }
    let output = strata(
        folder.path(),
        &["data", "folder", "--path", "images", "--resize", "8x8"],
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        out(&output).contains("odd.png: the image is damaged"),
        "{}",
        out(&output)
    );
    let output = strata(
        folder.path(),
        &["kernel", "identity", "--image", "images/a/odd.png"],
    );
    refused(&output, "odd.png");
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_no_data() {
    let folder = trained();
    let at = folder.path();
    for pipe in [
        "pipe",
        "pipe.npy",
        "pipe.npz",
        "pipe.csv",
        "pipe.png",
        "mnist/train-images-idx3-ubyte",
        "run.toml",
    ] {
        std::fs::create_dir_all(at.join(pipe).parent().unwrap()).unwrap();
        assert!(
            Command::new("mkfifo")
                .arg(at.join(pipe))
                .status()
                .unwrap()
                .success()
        );
    }
    for command in [
        "data npy --path pipe",
        "data npy --path pipe.npy",
        "data npy --path pipe.npz",
        "data csv --path pipe.csv",
        "data mnist --path mnist",
        "data folder --path pipe",
        "kernel identity --image pipe.png",
        "kernel identity --image /dev/zero",
        "kernel identity --image /dev/urandom",
        "inspect run saliency --image pipe.png",
        "check run.toml",
        "train run.toml",
        "solve pipe",
    ] {
        refused(&shell(at, &format!("strata {command}")), "");
    }
    std::fs::remove_file(at.join("run/metrics.csv")).unwrap();
    std::fs::remove_file(at.join("run/run.json")).unwrap();
    for pipe in ["run/metrics.csv", "run/run.json"] {
        assert!(
            Command::new("mkfifo")
                .arg(at.join(pipe))
                .status()
                .unwrap()
                .success()
        );
    }
    let output = shell(at, "strata eval run");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn names_that_are_no_utf_8_are_told_and_found_again() {
    use std::os::unix::ffi::OsStrExt;
    let folder = with_project();
    let odd = |bytes: &[u8]| folder.path().join(std::ffi::OsStr::from_bytes(bytes));
    std::fs::create_dir_all(odd(b"images/a")).unwrap();
    image::RgbImage::new(8, 8)
        .save(odd(b"images/a/good.png"))
        .unwrap();
    std::fs::write(odd(b"images/a/\xff.png"), "no picture").unwrap();
    let seen = json(&strata(
        folder.path(),
        &["data", "folder", "--path", "images", "--json"],
    ));
    let file = seen["skipped"][0]["file"].as_str().unwrap();
    assert!(
        file.starts_with("file://") && file.ends_with("images/a/%FF.png"),
        "{file}"
    );
    // Two such folders stay two classes.
    for class in [&b"images/m\xfc"[..], b"images/m\xf6"] {
        std::fs::create_dir_all(odd(class)).unwrap();
        image::RgbImage::new(8, 8)
            .save(odd(&[class, b"/1.png"].concat()))
            .unwrap();
    }
    let seen = json(&strata(
        folder.path(),
        &["data", "folder", "--path", "images", "--json"],
    ));
    assert_eq!(
        seen["classes"],
        serde_json::json!(["a", "file://m%F6", "file://m%FC"])
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    let run = std::ffi::OsStr::from_bytes(b"run\xff");
    command.env("STRATA_LOG", "off").current_dir(folder.path());
    command
        .args(["train", "tiny.toml", "--json", "-o"])
        .arg(run);
    let output = command.output().unwrap();
    assert_eq!(json(&output)["run"], "file://run%FF", "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn a_project_file_of_any_name_is_checked_and_trained() {
    use std::os::unix::ffi::OsStrExt;
    let folder = with_project();
    let name = std::ffi::OsStr::from_bytes(b"m\xfcll\xff.toml");
    std::fs::rename(folder.path().join("tiny.toml"), folder.path().join(name)).unwrap();
    let told = |command: &str, name: &std::ffi::OsStr| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_strata"));
        program.env("STRATA_LOG", "off").current_dir(folder.path());
        program.arg(command).arg(name).output().unwrap()
    };
    for command in ["check", "solve", "train"] {
        let output = told(command, name);
        let is_known = command == "solve" || code(&output) == 0;
        assert!(
            is_known && !err(&output).contains("UTF-8"),
            "{}",
            err(&output)
        );
    }
    // The address of such a file is taken for it, too.
    let address = std::ffi::OsStr::new("file://m%FCll%FF.toml");
    assert_eq!(code(&told("check", address)), 0);
}

#[test]
fn no_text_of_a_project_steers_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let escape = "\\u001b]0;owned\\u0007\\u001b[31m\\u009b2J\\u202e";
    let text = runs::TINY
        .replace("title = \"tiny\"", &format!("title = \"{escape}\""))
        .replace("name = \"images\"", &format!("name = \"{escape}\""))
        .replace("epochs = 2", "epochs = 1");
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    let harmless = |text: &str| {
        text.chars()
            .all(|c| matches!(c, '\n' | '\t') || !strata::format::steers(c))
    };
    for args in [
        &["check", "p.toml"][..],
        &["check", "p.toml", "--json"],
        &["train", "p.toml", "-o", "run"],
        &["eval", "run"],
        &["solve", "p.toml"],
    ] {
        let output = strata(folder.path(), args);
        assert!(
            harmless(&out(&output)) && harmless(&err(&output)),
            "{args:?} {output:?}"
        );
    }
    assert!(out(&strata(folder.path(), &["check", "p.toml"])).contains("\\u{1b}[31m"));
}

#[test]
fn pictures_of_others_are_not_written_over_without_being_asked_to() {
    let folder = trained();
    let at = folder.path();
    std::fs::write(at.join("run/filters.png"), "mine").unwrap();
    std::fs::write(at.join("augmentation.png"), "mine").unwrap();
    for _ in 0..2 {
        let inspected = strata(at, &["inspect", "run", "filters"]);
        assert!(
            out(&inspected).trim().ends_with("filters-2.png"),
            "{}",
            out(&inspected)
        );
        let drawn = strata(at, &["data", "shapes", "--augment", "hflip"]);
        assert!(
            out(&drawn).starts_with("augmentation-2.png"),
            "{}",
            out(&drawn)
        );
    }
    for file in ["run/filters.png", "augmentation.png"] {
        assert_eq!(std::fs::read(at.join(file)).unwrap(), b"mine");
    }
    let asked = strata(at, &["inspect", "run", "filters", "-o", "augmentation.png"]);
    assert_eq!(code(&asked), 0);
    assert!(image::open(at.join("augmentation.png")).is_ok());
}
