//! What README and `docs` say is so: commands parse and run, names exist and all that exist are named, links lead
//! somewhere. Words are not pinned, only facts.

use clap::Command;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata::bench::cases;
use strata::data::download;
use strata::gui::views;
use strata::project::data::{DataSpec, Source};
use strata::project::goals::Quantity;
use strata::project::stage::{EARLY_STOP_METRICS, Loss, Stage};
use strata::project::{augment, builtin};
use strata::shape::layers::WORDS;

/// Characters of a line: what a terminal or an editor shows without wrapping.
const WIDEST: usize = 120;
/// Lines of the README: what is read in a few minutes.
const LONGEST: usize = 115;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn names_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("{folder}/{name}")).collect()
}

/// README and docs: name and text of every page.
fn pages() -> Vec<(String, String)> {
    let names = [vec!["README.md".to_owned()], names_in("docs")].concat();
    let read = |name: String| (name.clone(), page(&name));
    names.into_iter().map(read).collect()
}

/// The contents of the fenced blocks in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// The commands of a page's shell blocks that start with this program, as words.
fn commands(page: &str, program: &str) -> Vec<Vec<String>> {
    let blocks = blocks(page, "sh").join("\n");
    let lines = blocks.lines().map(|line| line.split('#').next().unwrap());
    let words = lines.map(|line| line.split_whitespace().map(str::to_owned).collect());
    words
        .filter(|words: &Vec<String>| words.first().is_some_and(|first| first == program))
        .collect()
}

/// What stands between backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The first cells of the tables whose first column has this heading.
fn first_cells<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let cell = |line: &'a str| line.strip_prefix("| ")?.split(" |").next();
    let mut inside = false;
    let mut cells = Vec::new();
    for line in text.lines() {
        match cell(line) {
            Some(cell) if inside => cells.push(cell),
            Some(cell) => inside = cell == heading,
            None => inside &= line.starts_with("|--"),
        }
    }
    cells
}

/// The names that a table documents.
fn documented<'a>(text: &'a str, heading: &str) -> BTreeSet<&'a str> {
    let cells = first_cells(text, heading);
    cells.into_iter().flat_map(code).collect()
}

/// The keys of a table of the project file, as serde names them when it finds an unknown one.
fn keys<T: serde::de::DeserializeOwned>() -> BTreeSet<String> {
    let error = toml::from_str::<T>("no_such_key = 1").err().unwrap();
    let message = error.message();
    let expected = message.split("expected one of").nth(1).unwrap();
    code(expected).into_iter().map(str::to_owned).collect()
}

#[test]
fn two_commands_do_all_the_set_up() {
    let cargo: Vec<String> = commands(&page("README.md"), "cargo")
        .iter()
        .map(|words| words.join(" "))
        .collect();
    assert_eq!(cargo, ["cargo run --release", "cargo test"]);
    let checks = page(".ci/run");
    assert!(
        checks.lines().any(|line| line == "cargo test"),
        "the checks run the README's test command"
    );
}

#[test]
fn pages_fit_a_screen() {
    assert!(page("README.md").lines().count() <= LONGEST);
    for (name, text) in pages() {
        for (index, line) in text.lines().enumerate() {
            let width = line.chars().count();
            assert!(width <= WIDEST, "{name}:{}: {width} characters", index + 1);
        }
    }
}

#[test]
fn no_figure_is_left_open() {
    for (name, text) in pages() {
        let open: Vec<&str> = text.split("@@").skip(1).step_by(2).collect();
        assert!(open.is_empty(), "{name}: {open:?}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (name, text) in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        let links = text.split("](").skip(1);
        for link in links.map(|rest| rest.split(')').next().unwrap()) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let exists = link.starts_with("https://") || folder.join(file).exists();
            assert!(exists, "{name}: {link}");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                let mut headings = text.lines().filter_map(|line| line.strip_prefix("## "));
                let is_there = headings.any(|own| own.to_lowercase().replace(' ', "-") == heading);
                assert!(is_there, "{name}: {link}");
            }
        }
    }
}

#[test]
fn every_screenshot_is_shown() {
    let text: String = pages().into_iter().map(|(_, text)| text).collect();
    let pictures = names_in("screenshots");
    assert!(!pictures.is_empty());
    for picture in pictures.iter().filter(|name| name.ends_with(".png")) {
        assert!(text.contains(&format!("{picture})")), "{picture}");
    }
}

#[test]
fn the_licences_of_the_package_are_there() {
    assert_eq!(env!("CARGO_PKG_LICENSE"), "MIT OR Apache-2.0");
    let mit = page("LICENSE-MIT");
    assert!(mit.contains("Permission is hereby granted") && mit.contains("The Strata authors"));
    let apache = page("LICENSE-APACHE");
    assert!(apache.contains("END OF TERMS AND CONDITIONS"));
}

#[test]
fn every_layer_is_documented() {
    let text = page("docs/layers.md");
    let kinds: BTreeSet<&str> = WORDS.iter().map(|layer| layer.word).collect();
    assert_eq!(documented(&text, "layer"), kinds);
}

#[test]
fn every_source_and_augmentation_is_documented() {
    let text = page("docs/data.md");
    let sources: BTreeSet<&str> = Source::ALL.into_iter().map(Source::name).collect();
    assert_eq!(documented(&text, "source"), sources);
    let rows = text.lines().filter(|line| line.contains("| yes"));
    for source in Source::ALL {
        let row = format!("| `{source}` |");
        let says = rows.clone().any(|line| line.starts_with(&row));
        assert_eq!(says, download::entry(source).is_some(), "{source}");
    }
    let words: BTreeSet<&str> = augment::KINDS.iter().map(|(word, ..)| *word).collect();
    assert_eq!(documented(&text, "word"), words);
}

#[test]
fn every_key_of_a_project_is_documented() {
    let mut data = keys::<DataSpec>();
    // The older spelling of `patch`.
    data.remove("patches");
    let data: BTreeSet<&str> = data.iter().map(String::as_str).collect();
    assert_eq!(documented(&page("docs/data.md"), "key"), data);
    let stage = keys::<Stage>();
    let stage: BTreeSet<&str> = stage.iter().map(String::as_str).collect();
    let text = page("docs/project-file.md");
    assert_eq!(documented(&text, "key"), stage);
    let code = code(&text);
    for goal in Quantity::ALL {
        assert!(code.contains(&goal.name()), "goal {}", goal.name());
    }
    for loss in Loss::ALL {
        assert!(code.iter().any(|word| *word == loss.to_string()), "{loss}");
    }
    for metric in EARLY_STOP_METRICS {
        assert!(text.contains(metric), "{metric}");
    }
}

#[test]
fn every_built_in_project_is_documented() {
    let text = page("docs/project-file.md");
    let names: BTreeSet<&str> = builtin::ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(documented(&text, "name"), names);
}

#[test]
fn every_case_of_the_benchmark_has_its_figure() {
    let text = page("docs/measured.md");
    let cases: BTreeSet<&str> = cases::ALL.iter().map(|case| case.name).collect();
    assert_eq!(documented(&text, "case"), cases);
}

#[test]
fn every_view_is_documented() {
    let text = page("docs/window.md");
    for view in views::all() {
        let title = format!("**{}**", view.title);
        assert!(text.contains(&title), "{title}");
    }
}

/// The options of a command; those that every command has are left out.
fn options(command: &Command) -> BTreeSet<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let long = shown.filter_map(clap::Arg::get_long);
    long.filter(|name| !matches!(*name, "help" | "version"))
        .map(|name| format!("--{name}"))
        .collect()
}

/// Section title and text of every command's section.
fn sections(text: &str) -> Vec<(String, &str)> {
    let sections = text.split("\n## `strata ").skip(1);
    let named = |section| {
        let section: &str = section;
        let name = section.split([' ', '`']).next().unwrap();
        (name.to_owned(), section)
    };
    sections.map(named).collect()
}

#[test]
fn every_command_and_option_is_documented() {
    let text = page("docs/command-line.md");
    let sections = sections(&text);
    let grammar = strata::cli::grammar();
    let commands: BTreeSet<&str> = grammar.get_subcommands().map(Command::get_name).collect();
    let written: BTreeSet<&str> = sections.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(written, commands);
    for (name, section) in sections {
        let command = grammar.find_subcommand(&name).unwrap();
        let cells = first_cells(section, "option");
        let words = cells.iter().flat_map(|cell| code(cell));
        let longs = words.flat_map(str::split_whitespace);
        let written: BTreeSet<String> = longs
            .filter(|word| word.starts_with("--"))
            .map(str::to_owned)
            .collect();
        assert_eq!(written, options(command), "strata {name}");
    }
}

#[test]
fn every_picture_of_a_run_is_documented() {
    let text = page("docs/command-line.md");
    let grammar = strata::cli::grammar();
    let inspect = grammar.find_subcommand("inspect").unwrap();
    let what = inspect.get_positionals().find(|arg| arg.get_id() == "what");
    let values = what.unwrap().get_possible_values();
    let values: BTreeSet<&str> = values.iter().map(|value| value.get_name()).collect();
    assert_eq!(documented(&text, "WHAT"), values);
}

/// `strata WORD …` in running text names a command and options it has.
#[test]
fn commands_in_the_text_exist() {
    let grammar = strata::cli::grammar();
    for (name, text) in pages() {
        for quoted in code(&text) {
            let Some(command) = quoted.strip_prefix("strata ") else {
                continue;
            };
            let mut words = command.split_whitespace();
            let first = words.next().unwrap();
            if !first.bytes().all(|byte| byte.is_ascii_lowercase()) {
                continue;
            }
            let found = grammar.find_subcommand(first);
            let found = found.unwrap_or_else(|| panic!("{name}: `{quoted}`"));
            for option in words.filter(|word| word.starts_with("--")) {
                assert!(options(found).contains(option), "{name}: `{quoted}`");
            }
        }
    }
}

#[test]
fn environment_variables_exist() {
    let mut source = String::new();
    for folder in ["src", "tests"] {
        add_sources(&root().join(folder), &mut source);
    }
    for (name, text) in pages() {
        let variables = code(&text)
            .into_iter()
            .filter(|word| word.starts_with("STRATA_"));
        for variable in variables.map(|word| word.split('=').next().unwrap()) {
            assert!(
                source.contains(&format!("\"{variable}\"")),
                "{name}: {variable}"
            );
        }
    }
}

/// The text of the Rust files below a folder, this file left out.
fn add_sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            add_sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("readme.rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

fn strata(words: &[String], folder: &Path) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_strata"))
        .env("STRATA_LOG", "off")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {message}");
}

/// Every project that a page shows, as a file of its own.
#[test]
fn projects_in_the_text_can_be_trained() {
    let folder = tempfile::tempdir().unwrap();
    let pages = pages();
    let projects: Vec<String> = pages
        .iter()
        .flat_map(|(_, text)| blocks(text, "toml"))
        .collect();
    assert!(projects.len() >= 2);
    for project in projects {
        std::fs::write(folder.path().join("my.toml"), project).unwrap();
        strata(&["check".to_owned(), "my.toml".to_owned()], folder.path());
    }
}

/// Runs the terminal lines of a page in order, on few images; those that need a network or its files are only read by
/// the command line's grammar.
fn run_lines(page: &str, folder: &Path) {
    for mut words in commands(page, "strata") {
        // An archive has to be there to be accepted: the tests of archives make one.
        if words.iter().any(|word| word.ends_with(".zip")) {
            continue;
        }
        let parsed = strata::cli::grammar().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
        if words.iter().any(|word| word.contains("mnist")) {
            continue;
        }
        if words[1] == "train" {
            words.extend(["--set", "data.limit=40"].map(str::to_owned));
        }
        strata(&words[1..], folder);
    }
}

/// With the project that the README shows.
#[test]
fn the_terminal_lines_of_the_readme_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = page("README.md");
    let project = blocks(&text, "toml").remove(0);
    std::fs::write(folder.path().join("my.toml"), project).unwrap();
    std::fs::create_dir(folder.path().join("photos")).unwrap();
    let photo = image::RgbImage::from_pixel(40, 30, image::Rgb([90, 120, 200]));
    photo.save(folder.path().join("photos/sky.png")).unwrap();
    run_lines(&text, folder.path());
    assert!(folder.path().join("filters.png").exists());
}

#[test]
fn the_terminal_lines_of_the_reference_run() {
    let folder = tempfile::tempdir().unwrap();
    run_lines(&page("docs/command-line.md"), folder.path());
    assert!(folder.path().join("sobel.png").exists());
}
