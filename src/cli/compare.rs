//! `strata compare`: runs and baselines side by side, as text, as JSON or as one page.

use super::args::CompareArgs;
use super::{WrongInput, output, text};
use strata_compare::Comparison;
use strata_compare::align::Cell;
use strata_compare::comparison::Compared;
use strata_compare::words;
use strata_core::format::count;
use strata_export::comparison::page;

/// Classes up to which each has a line, and confusions are printed.
const MAX_SHOWN: usize = 20;

/// Compares and prints.
pub fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let until = args.until.map(share).transpose()?;
    let comparison = Comparison::read(&args.folders, until, &mut |_| true)?;
    if let Some(file) = &args.output {
        let ends = file
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
        if !ends {
            let html = file.with_extension("html");
            return Err(WrongInput(format!(
                "a comparison is written as one page of HTML: write -o {}",
                html.display()
            ))
            .into());
        }
        output::write_file(file, page(&comparison).as_bytes())?;
    }
    if args.json {
        return output::print_json(&comparison);
    }
    let mut lines = as_text(&comparison);
    if let Some(file) = &args.output {
        lines.push(format!("page: {}", file.display()));
    }
    output::print(&lines.join("\n"))
}

/// An accuracy as a share; written in percent it is divided.
fn share(written: f64) -> Result<f64, WrongInput> {
    match written {
        share if share > 0.0 && share <= 1.0 => Ok(share),
        percent if percent > 1.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err(WrongInput("--until is an accuracy such as 0.97".to_owned())),
    }
}

fn as_text(comparison: &Comparison) -> Vec<String> {
    let sections = [
        entries(comparison),
        metrics(comparison),
        courses(comparison),
        until(comparison),
        significance(comparison),
        classes(comparison),
        confusions(comparison),
        layers(comparison),
        settings(comparison),
        comparison
            .notes
            .iter()
            .map(|note| format!("note: {note}"))
            .collect(),
    ];
    let mut lines = Vec::new();
    for section in sections.into_iter().filter(|section| !section.is_empty()) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(section);
    }
    lines
}

/// `A`, `B` and so on: tables have room for letters, not for names.
fn letter(place: usize) -> String {
    match u8::try_from(place) {
        Ok(place) if place < 26 => char::from(b'A' + place).to_string(),
        _ => format!("#{}", place + 1),
    }
}

fn letters(comparison: &Comparison) -> Vec<String> {
    (0..comparison.entries.len()).map(letter).collect()
}

fn heading(first: &str, comparison: &Comparison) -> Vec<String> {
    let mut heading = vec![first.to_owned()];
    heading.extend(letters(comparison));
    heading
}

fn entries(comparison: &Comparison) -> Vec<String> {
    let line = |(place, entry): (usize, &Compared)| {
        let images = match entry.split {
            Some(split) => format!("; {} {split} images", count(entry.images as u64)),
            None => String::new(),
        };
        format!("{}  {}: {}{images}", letter(place), entry.name, entry.what)
    };
    comparison.entries.iter().enumerate().map(line).collect()
}

fn metrics(comparison: &Comparison) -> Vec<String> {
    let row = |row: &strata_compare::comparison::MetricRow| {
        let cells = row.texts.iter().zip(&row.best);
        let cells = cells.map(|(text, best)| format!("{text}{}", if *best { " *" } else { "  " }));
        [row.name.clone()].into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = comparison.metrics.iter().map(row).collect();
    vec![
        text::table_of(&heading("", comparison), &rows),
        "* the best".to_owned(),
    ]
}

fn courses(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, entry) in comparison.entries.iter().enumerate() {
        let courses = entry.courses.iter();
        lines.extend(courses.map(|course| format!("{}  {}", letter(place), words::course(course))));
    }
    lines
}

fn until(comparison: &Comparison) -> Vec<String> {
    let Some(until) = comparison.until else {
        return Vec::new();
    };
    let mut lines = vec![words::until(until)];
    for (place, entry) in comparison.entries.iter().enumerate() {
        let line = match &entry.reached {
            None if entry.kind == "baseline" => continue,
            None => "not reached".to_owned(),
            Some(reached) => words::reached(reached),
        };
        lines.push(format!("{}  {line}", letter(place)));
    }
    lines
}

fn significance(comparison: &Comparison) -> Vec<String> {
    let pairs = comparison.pairs.iter();
    let pairs = pairs.map(|pair| words::pair(comparison, pair, &letter));
    let groups = comparison.groups.iter();
    let groups = groups.map(|group| words::group(group, &letter));
    let tests = comparison.group_pairs.iter();
    let tests = tests.map(|pair| words::group_pair(comparison, pair, &letter));
    pairs.chain(groups).chain(tests).collect()
}

fn classes(comparison: &Comparison) -> Vec<String> {
    let classes = &comparison.classes;
    if classes.is_empty() || classes.len() > MAX_SHOWN {
        return Vec::new();
    }
    let row = |(class, name): (usize, &String)| {
        let cell = |entry: &Compared| match entry.classes.get(class) {
            Some(own) => {
                let percent = |share: Option<f64>| {
                    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}", 100.0 * share))
                };
                format!("{} / {}", percent(own.recall), percent(own.precision))
            }
            None => "–".to_owned(),
        };
        let cells = comparison.entries.iter().map(cell);
        [name.clone()].into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = classes.iter().enumerate().map(row).collect();
    let table = text::table_of(&heading("class", comparison), &rows);
    vec![
        "recall / precision of each class, in percent:".to_owned(),
        table,
    ]
}

fn confusions(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, entry) in comparison.entries.iter().enumerate() {
        let counts = entry.confusion.as_ref();
        let counts =
            counts.filter(|counts| counts.len() <= MAX_SHOWN && !comparison.classes.is_empty());
        let Some(counts) = counts else { continue };
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let columns = counts.first().map_or(0, Vec::len);
        let title = |column: usize| match column < counts.len() {
            true => column.to_string(),
            false => "other".to_owned(),
        };
        let mut heading = vec![format!("{}: is \\ taken for", letter(place))];
        heading.extend((0..columns).map(title));
        let row = |(class, counts): (usize, &Vec<u64>)| {
            let name = comparison.classes.get(class).map_or("", String::as_str);
            let cells = counts.iter().map(u64::to_string);
            [format!("{class:>2}  {name}")]
                .into_iter()
                .chain(cells)
                .collect()
        };
        let rows: Vec<Vec<String>> = counts.iter().enumerate().map(row).collect();
        lines.push(text::table_of(&heading, &rows));
    }
    lines
}

fn layers(comparison: &Comparison) -> Vec<String> {
    let changed = comparison
        .layers
        .iter()
        .filter(|row| !row.changed.is_empty())
        .count();
    if comparison.layers.is_empty() {
        return Vec::new();
    }
    if changed == 0 {
        return vec!["architectures: the same layers".to_owned()];
    }
    let cell = |cell: &Option<Cell>| match cell {
        None => "·".to_owned(),
        Some(cell) => format!(
            "{}  {}, {} parameters, {} MACs",
            cell.text,
            cell.output,
            count(cell.parameters),
            count(cell.macs)
        ),
    };
    let networks = comparison.layers.first().map_or(0, |row| row.cells.len());
    let has_layers = |place: &usize| {
        comparison
            .layers
            .iter()
            .any(|row| row.cells[*place].is_some())
    };
    let shown: Vec<usize> = (0..networks).filter(has_layers).collect();
    let mut heading = vec!["layers".to_owned()];
    heading.extend(shown.iter().map(|place| letter(*place)));
    heading.push("changed".to_owned());
    let row = |row: &strata_compare::align::AlignedRow| {
        let first = format!("{}{}", "  ".repeat(row.depth), row.stack);
        let cells = shown.iter().map(|place| cell(&row.cells[*place]));
        [first]
            .into_iter()
            .chain(cells)
            .chain([row.changed.join(", ")])
            .collect()
    };
    let rows: Vec<Vec<String>> = comparison.layers.iter().map(row).collect();
    vec![text::table_left(&heading, &rows)]
}

fn settings(comparison: &Comparison) -> Vec<String> {
    if comparison.settings.is_empty() {
        return vec!["settings: the same".to_owned()];
    }
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let row = |row: &strata_compare::comparison::SettingRow| {
        let values = row.values.iter().map(value);
        [row.name.clone()].into_iter().chain(values).collect()
    };
    let rows: Vec<Vec<String>> = comparison.settings.iter().map(row).collect();
    vec![text::table_left(
        &heading("settings that differ", comparison),
        &rows,
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_are_shares_or_percent() {
        assert_eq!(share(0.97).unwrap(), 0.97);
        assert_eq!(share(97.0).unwrap(), 0.97);
        assert!(share(0.0).is_err() && share(101.0).is_err());
        assert_eq!((letter(1), letter(26)), ("B".to_owned(), "#27".to_owned()));
    }
}
