//! The report of a project of several runs, as one page of HTML or as Markdown: the author's own words, data, results,
//! figures of every run, settings, how to repeat.
//!
//! What a run's folder lacks is left out. The headings are in [`words`], in one place for other languages to come.

mod words;

use super::comparison::{MORE_STYLE, results};
use super::report::{STYLE, escape, run_figures, section};
use std::io;
use std::path::{Path, PathBuf};
use strata_compare::Comparison;
use strata_compare::comparison::MetricRow;
use strata_compare::words as compared;
use strata_core::atomic_write::write_atomic;
use strata_core::files::read_bounded;
use strata_core::project::file::to_text;
use strata_core::project::{Project, file};
use words::Heading;

/// Of a text so many bytes are read.
const MOST_BYTES: u64 = 1 << 20;

/// A run or baseline of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// Its name in the project file.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What somebody noted of it.
    pub note: String,
}

impl Reported {
    /// A run that is done, with what is noted in its folder.
    pub fn of(name: &str, folder: &Path) -> Reported {
        Reported {
            name: name.to_owned(),
            folder: folder.to_owned(),
            note: text_of(&folder.join("note.txt")),
        }
    }
}

/// Where the author's own words for the report of a project file are: `NAME.notes.md` beside it.
pub fn notes_file(project: &Path) -> PathBuf {
    project.with_extension("notes.md")
}

/// The words of a file; none where there is no such file.
pub fn text_of(file: &Path) -> String {
    let bytes = read_bounded(file, MOST_BYTES);
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.unwrap_or_default().trim().to_owned()
}

/// Keeps the author's own words for the report of a project file; no words are no file.
pub fn keep_words(project: &Path, words: &str) -> io::Result<()> {
    let file = notes_file(project);
    match words.trim() {
        "" if !file.exists() => Ok(()),
        "" => std::fs::remove_file(file),
        words => write_atomic(&file, format!("{words}\n").as_bytes()),
    }
}

/// What a report is made of.
pub struct Study<'a> {
    /// The project with its runs.
    pub project: &'a Project,
    /// The name of its file, for how to repeat it.
    pub file: &'a str,
    /// The author's own words: paragraphs between empty lines; lines that begin with # are headings.
    pub words: &'a str,
    /// The runs that are done, as they are compared.
    pub runs: &'a [Reported],
    /// What their comparison says.
    pub comparison: &'a Comparison,
}

/// The report as one page of HTML that needs no other file.
pub fn html(study: &Study<'_>) -> String {
    let title = escape(&study.project.title);
    let mut body = format!("<h1>{title}</h1>\n{}", own_words(study.words));
    body += &part(Heading::Data, Some(pre(&data_text(study.project))));
    body += &results(study.comparison);
    for run in study.runs {
        body += &format!("<h2>{}</h2>\n", escape(&run.name));
        if !run.note.is_empty() {
            body += &format!("<p>{}</p>\n", escape(&run.note));
        }
        body += &run_figures(&run.folder);
    }
    body += &part(Heading::Project, Some(pre(&to_text(study.project))));
    body += &part(Heading::Repeat, Some(pre(&repeat(study))));
    let style = format!("{STYLE}{MORE_STYLE} pre {{ overflow-x: auto; font-size: 13px; }}");
    let head = format!("<meta charset=\"utf-8\"><title>{title}</title><style>{style}</style>");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{head}</head>\n<body>\n{body}</body></html>\n"
    )
}

fn part(heading: Heading, content: Option<String>) -> String {
    section(heading.text(), content)
}

fn pre(text: &str) -> String {
    format!("<pre>{}</pre>", escape(text.trim()))
}

fn own_words(text: &str) -> String {
    let block = |block: &str| match block.trim().strip_prefix('#') {
        Some(heading) => {
            let (first, rest) = heading.split_once('\n').unwrap_or((heading, ""));
            let first = escape(first.trim_start_matches('#').trim());
            let rest = escape(rest.trim());
            match rest.is_empty() {
                true => format!("<h2>{first}</h2>\n"),
                false => format!("<h2>{first}</h2>\n<p>{rest}</p>\n"),
            }
        }
        None => format!("<p>{}</p>\n", escape(block.trim())),
    };
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks.map(block).collect()
}

/// `[data]` as the file has it before the runs.
fn data_text(project: &Project) -> String {
    let shared = project.study.as_ref().map(|study| study.settings_of(None));
    let text = to_text(shared.as_ref().unwrap_or(project));
    let from = text.find("[data]").unwrap_or(0);
    let to = text.find("[network]").unwrap_or(text.len());
    text[from..to.max(from)].trim().to_owned()
}

/// What to type.
fn repeat(study: &Study<'_>) -> String {
    let mut lines = vec![format!(
        "strata train {}   # Strata {}, seed {}",
        study.file,
        env!("CARGO_PKG_VERSION"),
        study.project.seed
    )];
    let trained = study
        .runs
        .iter()
        .filter(|run| run.folder.join("run.json").is_file());
    lines.extend(trained.map(|run| format!("strata replay {}", run.folder.display())));
    lines.join("\n")
}

/// The same as Markdown, without pictures.
pub fn markdown(study: &Study<'_>) -> String {
    let mut text = format!("# {}\n\n", study.project.title);
    if !study.words.trim().is_empty() {
        text += &format!("{}\n\n", study.words.trim());
    }
    text += &fenced(Heading::Data, "toml", &data_text(study.project));
    text += &format!(
        "## {}\n\n{}\n",
        Heading::Results.text(),
        table(study.comparison)
    );
    for line in said(study.comparison) {
        text += &format!("{line}\n\n");
    }
    for run in study.runs {
        text += &format!("## {}\n\n", run.name);
        if !run.note.is_empty() {
            text += &format!("{}\n\n", run.note);
        }
        let project = file::load(&run.folder.join("project.toml"));
        if let Some(project) = project.ok().filter(|_| is_network(&run.folder)) {
            text += &layers(&project);
        }
    }
    text += &fenced(Heading::Project, "toml", &to_text(study.project));
    text + &fenced(Heading::Repeat, "", &repeat(study))
}

fn is_network(folder: &Path) -> bool {
    folder.join("run.json").is_file()
}

fn fenced(heading: Heading, kind: &str, text: &str) -> String {
    format!(
        "## {}\n\n```{kind}\n{}\n```\n\n",
        heading.text(),
        text.trim()
    )
}

/// Of each run a row, which stays readable however many there are.
fn table(comparison: &Comparison) -> String {
    let names: Vec<&str> = comparison
        .metrics
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    let mut text = format!("| {} | {} |\n", Heading::Run.text(), names.join(" | "));
    text += &format!("|{}\n", "---|".repeat(names.len() + 1));
    for (place, entry) in comparison.entries.iter().enumerate() {
        let cell = |row: &MetricRow| row.texts.get(place).cloned().unwrap_or_default();
        let cells: Vec<String> = comparison.metrics.iter().map(cell).collect();
        text += &format!("| {} | {} |\n", entry.name, cells.join(" | "));
    }
    text
}

/// What the comparison says in sentences: how the trainings went, means over seeds, what is more than chance.
fn said(comparison: &Comparison) -> Vec<String> {
    let name = |place: usize| comparison.name(place).to_owned();
    let courses = comparison.entries.iter().flat_map(|entry| {
        let own = entry.courses.iter();
        own.map(move |course| format!("{}, {}", entry.name, compared::course(course)))
    });
    let groups = comparison.groups.iter();
    let groups = groups.map(|group| compared::group(group, &name));
    let tests = comparison.group_pairs.iter();
    let tests = tests.map(|pair| compared::group_pair(comparison, pair, &name));
    courses.chain(groups).chain(tests).collect()
}

fn layers(project: &Project) -> String {
    let inference = strata_core::shape::infer(&project.network);
    let mut text = Heading::layers();
    for row in &inference.rows {
        let indent = "· ".repeat(row.depth);
        text += &format!(
            "| {indent}{} | {} | {} | {} |\n",
            row.place,
            row.text,
            row.shape_text(),
            row.parameters
        );
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_beside_the_project_and_none_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("p.toml");
        let notes = folder.path().join("p.notes.md");
        keep_words(&project, " \n").unwrap();
        assert!(!notes.exists());
        keep_words(&project, "# Question\n\nDoes it help?\n").unwrap();
        assert_eq!(text_of(&notes), "# Question\n\nDoes it help?");
        keep_words(&project, "").unwrap();
        assert!(!notes.exists());
    }

    #[test]
    fn own_words_are_headings_and_paragraphs() {
        let text = "# Question <1>\nDoes it help?\n\nIt does.\n";
        let made = own_words(text);
        assert_eq!(
            made,
            "<h2>Question &lt;1&gt;</h2>\n<p>Does it help?</p>\n<p>It does.</p>\n"
        );
        assert!(own_words(" \n\n").is_empty());
    }
}
