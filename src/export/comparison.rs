//! A comparison as one self-contained page of HTML: what the terminal and the window show of it.

mod curves;

use super::report::{STYLE, escape, run_pictures, section};
use strata_compare::Comparison;
use strata_compare::align::{AlignedRow, Cell};
use strata_compare::comparison::{Compared, MetricRow, SettingRow, StageCourse};
use strata_compare::words;
use strata_core::format::count;

/// Classes up to which every pair has a cell.
const MOST_CLASSES: usize = 40;

pub(crate) const MORE_STYLE: &str = "
td.best { font-weight: 600; color: var(--accent); } td.changed { background: rgba(216, 150, 60, .2); }
td { vertical-align: top; } td small { color: var(--soft); } table.words td { text-align: left; }
div.side { display: flex; flex-wrap: wrap; gap: 2rem; } body { max-width: 80rem; }
";

/// The page.
pub fn page(comparison: &Comparison) -> String {
    let names: Vec<&str> = comparison
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    let title = escape(&format!("Comparison of {}", names.join(", ")));
    let mut body = format!(
        "<h1>Comparison</h1>\n<p class=\"about\">{}</p>\n",
        about(comparison)
    );
    body += &results(comparison);
    for entry in comparison
        .entries
        .iter()
        .filter(|entry| entry.kind == "run")
    {
        let title = format!("What {} shows", escape(&entry.name));
        body += &section(&title, run_pictures(&entry.path));
    }
    let head =
        format!("<meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}{MORE_STYLE}</style>");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{head}</head>\n<body>\n{body}</body></html>\n"
    )
}

/// All that is said of the runs, section by section.
pub(crate) fn results(comparison: &Comparison) -> String {
    let mut body = section("Figures", Some(metrics(comparison)));
    let curves = curves::figure(&comparison.entries);
    body += &section("Validation accuracy over the epochs", curves);
    body += &section("How the trainings went", courses(comparison));
    body += &section("Time to an accuracy", until(comparison));
    body += &section("More than chance?", significance(comparison));
    body += &section("Classes: recall and precision", classes(comparison));
    body += &section("Confusion matrices", confusions(comparison));
    body += &section("Architectures", layers(comparison));
    body += &section("Settings that differ", settings(comparison));
    body + &section("Notes", notes(comparison))
}

fn about(comparison: &Comparison) -> String {
    let line = |entry: &Compared| {
        let images = match entry.split {
            Some(split) => format!("; {} {split} images", count(entry.images as u64)),
            None => String::new(),
        };
        let path = entry.path.display().to_string();
        format!(
            "<b>{}</b>: {}{images} <small>{}</small>",
            escape(&entry.name),
            escape(&entry.what),
            escape(&path)
        )
    };
    let lines: Vec<String> = comparison.entries.iter().map(line).collect();
    lines.join("<br>")
}

fn heading(first: &str, comparison: &Comparison) -> String {
    let names = comparison
        .entries
        .iter()
        .map(|entry| format!("<th>{}</th>", escape(&entry.name)));
    format!("<tr><th>{first}</th>{}</tr>", names.collect::<String>())
}

fn metrics(comparison: &Comparison) -> String {
    let row = |row: &MetricRow| {
        let cells = row.texts.iter().zip(&row.best).map(|(text, best)| {
            let class = if *best { " class=\"best\"" } else { "" };
            format!("<td{class}>{}</td>", escape(text))
        });
        format!(
            "<tr><td>{}</td>{}</tr>",
            row.name,
            cells.collect::<String>()
        )
    };
    let rows: String = comparison.metrics.iter().map(row).collect();
    format!("<table>{}{rows}</table>", heading("", comparison))
}

fn courses(comparison: &Comparison) -> Option<String> {
    let line = |entry: &Compared, course: &StageCourse| {
        let (name, said) = (escape(&entry.name), escape(&words::course(course)));
        format!("<p><b>{name}</b>, {said}</p>")
    };
    let lines = comparison.entries.iter();
    let lines = lines.flat_map(|entry| entry.courses.iter().map(move |course| line(entry, course)));
    let lines: String = lines.collect();
    (!lines.is_empty()).then_some(lines)
}

fn until(comparison: &Comparison) -> Option<String> {
    let until = comparison.until?;
    let line = |entry: &Compared| {
        let said = match &entry.reached {
            None if entry.kind == "baseline" => return String::new(),
            None => "not reached".to_owned(),
            Some(reached) => words::reached(reached),
        };
        format!("<p><b>{}</b>: {}</p>", escape(&entry.name), escape(&said))
    };
    let lines: String = comparison.entries.iter().map(line).collect();
    Some(format!("<p>{}</p>{lines}", words::until(until)))
}

fn significance(comparison: &Comparison) -> Option<String> {
    let name = |place: usize| comparison.name(place).to_owned();
    let pairs = comparison.pairs.iter();
    let pairs = pairs.map(|pair| words::pair(comparison, pair, &name));
    let groups = comparison.groups.iter();
    let groups = groups.map(|group| words::group(group, &name));
    let tests = comparison.group_pairs.iter();
    let tests = tests.map(|pair| words::group_pair(comparison, pair, &name));
    let all = pairs.chain(groups).chain(tests);
    let lines: String = all
        .map(|line| format!("<p>{}</p>", escape(&line)))
        .collect();
    (!lines.is_empty()).then_some(lines)
}

fn classes(comparison: &Comparison) -> Option<String> {
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
    };
    let row = |(class, name): (usize, &String)| {
        let cell = |entry: &Compared| match entry.classes.get(class) {
            Some(own) => format!(
                "<td>{} <small>{}</small></td>",
                percent(own.recall),
                percent(own.precision)
            ),
            None => "<td>–</td>".to_owned(),
        };
        let cells: String = comparison.entries.iter().map(cell).collect();
        format!("<tr><td>{}</td>{cells}</tr>", escape(name))
    };
    let rows: String = comparison.classes.iter().enumerate().map(row).collect();
    (!rows.is_empty()).then(|| format!("<table>{}{rows}</table>", heading("class", comparison)))
}

fn confusions(comparison: &Comparison) -> Option<String> {
    let classes = &comparison.classes;
    if classes.is_empty() || classes.len() > MOST_CLASSES {
        return None;
    }
    let title = |column: usize| {
        classes
            .get(column)
            .map_or_else(|| "no class".to_owned(), |name| escape(name))
    };
    let matrix = |entry: &Compared| {
        let counts = entry.confusion.as_ref()?;
        let columns = counts.first().map_or(0, Vec::len);
        let names: String = (0..columns)
            .map(|column| format!("<th class=\"answer\">{}</th>", title(column)))
            .collect();
        let row = |(class, counts): (usize, &Vec<u64>)| {
            let all = counts.iter().sum::<u64>().max(1) as f64;
            let cell = |(answer, number): (usize, &u64)| {
                let ground = if class == answer {
                    "59, 125, 216"
                } else {
                    "216, 80, 60"
                };
                let share = *number as f64 / all;
                format!("<td style=\"background: rgba({ground}, {share:.3})\">{number}</td>")
            };
            let cells: String = counts.iter().enumerate().map(cell).collect();
            format!("<tr><td>{}</td>{cells}</tr>", title(class))
        };
        let rows: String = counts.iter().enumerate().map(row).collect();
        Some(format!(
            "<div><p><b>{}</b></p><table class=\"confusion\"><tr><th>is \\ taken for</th>{names}</tr>{rows}</table></div>",
            escape(&entry.name)
        ))
    };
    let matrices: String = comparison.entries.iter().filter_map(matrix).collect();
    (!matrices.is_empty()).then(|| format!("<div class=\"side\">{matrices}</div>"))
}

fn layers(comparison: &Comparison) -> Option<String> {
    let networks = comparison.layers.first()?.cells.len();
    let has_layers = |place: &usize| {
        comparison
            .layers
            .iter()
            .any(|row| row.cells[*place].is_some())
    };
    let shown: Vec<usize> = (0..networks).filter(has_layers).collect();
    let cell = |cell: &Option<Cell>| match cell {
        None => "<td></td>".to_owned(),
        Some(cell) => format!(
            "<td>{}<br><small>{} · {} parameters · {} MACs</small></td>",
            escape(&cell.text),
            escape(&cell.output),
            count(cell.parameters),
            count(cell.macs)
        ),
    };
    let row = |row: &AlignedRow| {
        let class = if row.changed.is_empty() {
            ""
        } else {
            " class=\"changed\""
        };
        let cells: String = shown.iter().map(|place| cell(&row.cells[*place])).collect();
        format!(
            "<tr><td>{}{}</td>{cells}<td{class}>{}</td></tr>",
            "&emsp;".repeat(row.depth),
            row.stack,
            row.changed.join(", ")
        )
    };
    let rows: String = comparison.layers.iter().map(row).collect();
    let names: String = shown
        .iter()
        .map(|place| format!("<th>{}</th>", escape(comparison.name(*place))))
        .collect();
    Some(format!(
        "<table class=\"words\"><tr><th>stack</th>{names}<th>changed</th></tr>{rows}</table>"
    ))
}

fn settings(comparison: &Comparison) -> Option<String> {
    let row = |row: &SettingRow| {
        let cells = row.values.iter().map(|value| {
            let value = value.as_deref().unwrap_or("–");
            format!("<td>{}</td>", escape(value))
        });
        format!(
            "<tr><td>{}</td>{}</tr>",
            escape(&row.name),
            cells.collect::<String>()
        )
    };
    let rows: String = comparison.settings.iter().map(row).collect();
    (!rows.is_empty()).then(|| {
        format!(
            "<table class=\"words\">{}{rows}</table>",
            heading("", comparison)
        )
    })
}

fn notes(comparison: &Comparison) -> Option<String> {
    let notes: String = comparison
        .notes
        .iter()
        .map(|note| format!("<p>{}</p>", escape(note)))
        .collect();
    (!notes.is_empty()).then_some(notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_compare::comparison::Pair;
    use strata_compare::significance::McNemar;

    #[test]
    fn a_page_of_a_comparison_stands_alone() {
        let entry = |name: &str| Compared {
            name: name.to_owned(),
            confusion: Some(vec![vec![3, 1], vec![0, 4]]),
            ..Compared::default()
        };
        let comparison = Comparison {
            entries: vec![entry("<a>"), entry("b")],
            classes: vec!["cat".to_owned(), "dog".to_owned()],
            metrics: vec![MetricRow {
                name: "accuracy".to_owned(),
                values: vec![Some(0.5), Some(0.75)],
                texts: vec!["50.00 %".to_owned(), "75.00 %".to_owned()],
                best: vec![false, true],
            }],
            pairs: vec![Pair {
                first: 0,
                second: 1,
                test: McNemar {
                    only_first: 1,
                    only_second: 9,
                    p: 0.02,
                },
                corrected: 0.04,
            }],
            ..Comparison::default()
        };
        let page = page(&comparison);
        for part in [
            "&lt;a&gt;",
            "<td class=\"best\">75.00 %</td>",
            "only b on 9: McNemar p = 0.0200",
            "dog",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("http") && !page.contains("<a>"));
        assert!(
            !page.contains("Architectures"),
            "what is not there has no heading"
        );
    }
}
