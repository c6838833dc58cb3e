//! A hand-written project file keeps its comments when the window or `strata solve -o` writes it, and what another
//! program wrote to it in the meantime is not lost silently.

use crate::kit::window::{Window, builtin};
use std::path::Path;
use std::process::{Command, Output};
use strata::app::action::Action;
use strata::project::edit::Edit;
use strata::project::file;
use strata::project::node::Node;
use strata::project::{Place, Stack};

const FILE: &str = "# By hand.
format = 1
title = \"Mine\" # short

[network]
input = \"1x9x9\"
encoder = [
  # halves each side
  \"conv 4 k3 s2\", # 4×4
  \"relu\",
]
decoder = [
  # and doubles it again
  \"convt 1 k2 s2\", # 8×8, one is missing
]
";

fn opened(path: &Path) -> Window {
    std::fs::write(path, FILE).unwrap();
    let mut window = Window::idle("conv-autoencoder");
    handle(&mut window, Action::Open(path.to_path_buf()));
    window
}

fn handle(window: &mut Window, action: Action) {
    window.harness.state_mut().handle(action);
    window.run();
}

fn replace_relu(window: &mut Window, layer: &str) {
    let edit = Edit::Replace(Place::new(Stack::Encoder, 1), Node::from_text(layer));
    handle(window, Action::Edit(edit));
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn saving_changes_the_edited_line_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let mut window = opened(&path);
    replace_relu(&mut window, "tanh");
    handle(&mut window, Action::Save);
    assert_eq!(read(&path), FILE.replace("\"relu\"", "\"tanh\""));
    assert!(!window.state().is_unsaved());
    handle(&mut window, Action::Undo);
    handle(&mut window, Action::Save);
    assert_eq!(read(&path), FILE);
}

#[test]
fn comments_travel_to_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(&folder.path().join("p.toml"));
    replace_relu(&mut window, "tanh");
    let copy = folder.path().join("copy.toml");
    handle(&mut window, Action::SaveAs(copy.clone()));
    assert_eq!(read(&copy), FILE.replace("\"relu\"", "\"tanh\""));
    replace_relu(&mut window, "sigmoid");
    handle(&mut window, Action::Save);
    assert_eq!(read(&copy), FILE.replace("\"relu\"", "\"sigmoid\""));

    handle(&mut window, Action::Builtin("inception"));
    replace_relu(&mut window, "bn");
    let inception = folder.path().join("inception.toml");
    handle(&mut window, Action::SaveAs(inception.clone()));
    assert!(read(&inception).starts_with("# A small Inception"));
}

#[test]
fn comments_written_meanwhile_stay_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    let mut window = opened(&path);
    let commented = FILE.replace("\"relu\",", "\"relu\", # or tanh");
    std::fs::write(&path, &commented).unwrap();
    replace_relu(&mut window, "tanh");
    handle(&mut window, Action::Save);
    assert_eq!(read(&path), commented.replace("\"relu\"", "\"tanh\""));
}

#[test]
fn values_written_meanwhile_are_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    for meanwhile in [
        FILE.replace("\"Mine\"", "\"Theirs\""),
        "half a fi".to_owned(),
    ] {
        let mut window = opened(&path);
        std::fs::write(&path, &meanwhile).unwrap();
        replace_relu(&mut window, "tanh");
        for _ in 0..2 {
            handle(&mut window, Action::Save);
            assert_eq!(
                read(&path),
                meanwhile,
                "nothing is written before the answer"
            );
            assert!(window.has("was changed by another program") && window.state().is_unsaved());
        }
        window.click("Replace the file");
        assert_eq!(read(&path), FILE.replace("\"relu\"", "\"tanh\""));
        assert!(!window.state().is_unsaved());
    }
}

#[test]
fn recovered_edits_are_saved_into_the_text_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, FILE).unwrap();
    let config = folder.path().join("config");
    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Open(path.clone()));
    replace_relu(&mut window, "tanh");
    window.harness.step();
    std::thread::sleep(strata::app::recovery::REST);
    window.harness.step();
    drop(window);
    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Recover(true));
    handle(&mut window, Action::Save);
    assert_eq!(read(&path), FILE.replace("\"relu\"", "\"tanh\""));
}

/// Recovery writes into the file that was edited and into no other: not one that is there instead, nor one of the same
/// name in another folder.
#[test]
fn recovered_edits_never_replace_what_they_were_not_made_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, FILE).unwrap();
    let config = folder.path().join("config");
    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Open(path.clone()));
    replace_relu(&mut window, "tanh");
    window.harness.step();
    std::thread::sleep(strata::app::recovery::REST);
    window.harness.step();
    let edited = window.state().project().clone();
    drop(window);
    let other = FILE.replace("\"Mine\"", "\"Theirs\"");
    std::fs::write(&path, &other).unwrap();
    let mut window = Window::kept("lenet-mnist", &config);
    handle(&mut window, Action::Recover(true));
    assert!(window.has("does not hold what these edits were made in any more"));
    assert_eq!(
        (window.state().project(), &window.state().file),
        (&edited, &None)
    );
    handle(&mut window, Action::Save);
    assert!(window.state().ask.is_some() && window.state().is_unsaved());
    assert_eq!(read(&path), other);
}

/// A file that cannot be read any more may hold anything.
#[test]
fn a_file_that_became_unreadable_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, FILE).unwrap();
    let mut window = opened(&path);
    std::fs::write(&path, b"# caf\xe9, in another coding\n").unwrap();
    replace_relu(&mut window, "tanh");
    handle(&mut window, Action::Save);
    assert!(window.has("was changed by another program") && window.state().is_unsaved());
    assert_eq!(
        std::fs::read(&path).unwrap(),
        b"# caf\xe9, in another coding\n"
    );
}

fn strata(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.env("STRATA_LOG", "off");
    command.current_dir(folder).args(args).output().unwrap()
}

#[test]
fn a_solution_is_written_into_the_text_of_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(&path, FILE).unwrap();
    let done = strata(folder.path(), &["solve", "p.toml", "-o", "solved.toml"]);
    assert!(done.status.success(), "{done:?}");
    let solved = folder.path().join("solved.toml");
    assert_ne!(file::load(&solved).unwrap(), file::load(&path).unwrap());
    let text = read(&solved);
    let lines = || FILE.lines().zip(text.lines());
    assert_eq!(text.lines().count(), FILE.lines().count(), "{text}");
    assert!(
        lines().filter(|(before, after)| before != after).count() <= 2,
        "{text}"
    );
    for (before, after) in lines() {
        let comment = |line: &str| line.split_once('#').map(|(_, comment)| comment.to_owned());
        assert_eq!(comment(before), comment(after), "{text}");
    }
}

#[test]
fn a_built_in_source_keeps_its_comments_too() {
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "solve",
        "inception",
        "--parameters",
        "230000",
        "-o",
        "solved.toml",
    ];
    strata(folder.path(), &args);
    let solved = read(&folder.path().join("solved.toml"));
    let source = strata::project::builtin::find("inception").unwrap().text;
    let comments = source.lines().filter(|line| line.starts_with('#'));
    assert!(comments.clone().count() > 0);
    for comment in comments {
        assert!(solved.contains(comment), "{comment}");
    }
    assert_ne!(
        file::parse(&solved, "solved").unwrap(),
        builtin("inception")
    );
}
