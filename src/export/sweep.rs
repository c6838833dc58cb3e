//! A sweep as one self-contained page of HTML: the table, what each factor does, the trials that no other is better than,
//! the project, and how to repeat it.

mod plots;

use super::report::{ReportError, STYLE, escape, section};
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;
use strata_core::format::count;
use strata_sweep::effects::{CostKind, Effect, EffectPoint, effects, pareto, time_text};
use strata_sweep::folder::PROJECT_FILE;
use strata_sweep::table::TrialRow;
use strata_sweep::{Standing, Table};

const MORE_STYLE: &str = "
td.best { font-weight: 600; color: var(--accent); } tr.open td { color: var(--soft); }
body { max-width: 80rem; } div.side { display: flex; flex-wrap: wrap; gap: 2rem; } div.side > div { width: 24rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); font-size: 13px; }
";

/// Where a sweep's report is written unless another place is named.
pub fn usual_file(sweep: &Path) -> PathBuf {
    sweep.join("report.html")
}

/// Writes the page of a sweep to a file.
pub fn write(sweep: &Path, table: &Table, file: &Path) -> Result<(), ReportError> {
    let project = std::fs::read_to_string(sweep.join(PROJECT_FILE)).unwrap_or_default();
    let page = page(table, &project, sweep);
    write_atomic(file, page.as_bytes()).map_err(|reason| ReportError::Write {
        file: file.to_owned(),
        reason,
    })
}

/// The page.
pub fn page(table: &Table, project: &str, sweep: &Path) -> String {
    let title = escape(&format!("Sweep of {}", table.title));
    let effects = effects(table);
    let mut body = format!(
        "<h1>{title}</h1>\n<p class=\"about\">{}</p>\n",
        about(table)
    );
    body += &section("Best trial", best(table));
    body += &section("Trials", Some(trials(table)));
    body += &section("Search", search(table));
    body += &section("Parallel coordinates", plots::coordinates(table));
    body += &section("Effects", effects_text(table, &effects));
    for cost in CostKind::ALL {
        let heading = format!("{} against {}", table.metric.name(), cost.name());
        body += &section(&heading, front(table, cost));
    }
    body += &section("Trials that were not ranked", reasons(table));
    body += &section("Project", Some(format!("<pre>{}</pre>", escape(project))));
    body += &section("How to repeat it", Some(repeat(sweep)));
    let head =
        format!("<meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}{MORE_STYLE}</style>");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head>{head}</head>\n<body>\n{body}</body></html>\n"
    )
}

fn about(table: &Table) -> String {
    let all = table.trials_in_all();
    let seeds = table.trials.first().map_or(0, |row| row.runs.len());
    let seeds = match seeds {
        1 => "one run each".to_owned(),
        seeds => format!("{seeds} runs each, with other seeds: mean ± standard deviation"),
    };
    let completed = table.count(Standing::Completed);
    let drawn = table
        .trials
        .iter()
        .filter(|row| row.round.is_none())
        .count();
    let chosen = match table.is_chosen() {
        true => format!(
            "; a Bayesian search: {drawn} trials drawn at random, the others chosen from what those before them reached"
        ),
        false => String::new(),
    };
    format!(
        "{all} trials, {completed} completed{chosen}; {seeds}; ranked by {}",
        table.metric.name()
    )
}

fn best(table: &Table) -> Option<String> {
    let row = table.trials.iter().find(|row| row.rank == Some(1))?;
    let settings = table.factors.iter().zip(&row.values);
    let settings: Vec<String> = settings
        .map(|(factor, value)| format!("{} = {}", escape(factor), escape(value)))
        .collect();
    let value = row
        .value
        .map_or_else(String::new, |value| table.spread_text(value));
    Some(format!(
        "<p>Trial {}: {} {value}</p><p>{}</p>",
        row.number,
        table.metric.name(),
        settings.join("<br>")
    ))
}

fn trials(table: &Table) -> String {
    let measures = table.measures();
    let cells = |words: Vec<String>| -> String {
        words
            .iter()
            .map(|word| format!("<th>{}</th>", escape(word)))
            .collect()
    };
    let mut heading = vec!["rank".to_owned(), "trial".to_owned()];
    heading.extend(table.is_chosen().then(|| "round".to_owned()));
    heading.extend(table.factors.iter().cloned());
    heading.extend([
        "parameters".to_owned(),
        table.metric.name(),
        "time".to_owned(),
    ]);
    heading.extend(measures.iter().cloned());
    let row = |row: &TrialRow| {
        let rank = row
            .rank
            .map_or_else(|| row.standing.word().to_owned(), |rank| rank.to_string());
        let mut cells = vec![rank, row.number.to_string()];
        cells.extend(table.is_chosen().then(|| row.round_text()));
        cells.extend(row.values.iter().map(|value| escape(value)));
        let dash = || "–".to_owned();
        cells.push(row.parameters.map_or_else(dash, count));
        cells.push(
            row.value
                .map_or_else(dash, |value| table.spread_text(value)),
        );
        cells.push(row.seconds.map_or_else(dash, |time| time_text(time.mean)));
        for name in &measures {
            let measured = row.measured.get(name);
            cells.push(measured.map_or_else(dash, |spread| figures(spread.mean, spread.deviation)));
        }
        let class = match row.rank {
            Some(1) => " class=\"best\"",
            _ => "",
        };
        let open = if row.rank.is_none() {
            " class=\"open\""
        } else {
            ""
        };
        let cells: String = cells
            .iter()
            .map(|cell| format!("<td{class}>{cell}</td>"))
            .collect();
        format!("<tr{open}>{cells}</tr>")
    };
    let rows: String = table.ranked().into_iter().map(row).collect();
    format!("<table><tr>{}</tr>{rows}</table>", cells(heading))
}

fn figures(mean: f64, deviation: Option<f64>) -> String {
    let figure = strata_core::format::figure;
    match deviation {
        Some(deviation) => format!("{} ± {}", figure(mean), figure(deviation)),
        None => figure(mean),
    }
}

fn effects_text(table: &Table, effects: &[Effect]) -> Option<String> {
    let of = |effect: &Effect| {
        let row = |point: &EffectPoint| {
            let dash = || "–".to_owned();
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&point.label),
                point
                    .quality
                    .map_or_else(dash, |quality| table.spread_text(quality)),
                point.seconds.map_or_else(dash, |time| time_text(time.mean)),
                point.trials
            )
        };
        let rows: String = effect.points.iter().map(row).collect();
        let plot = plots::effect(table, effect)?;
        Some(format!(
            "<div><p><b>{}</b></p>{plot}<table><tr><th>value</th><th>{}</th><th>time</th><th>trials</th></tr>{rows}</table></div>",
            escape(&effect.factor),
            table.metric.name()
        ))
    };
    let all: String = effects.iter().filter_map(of).collect();
    let told = "The mean over all completed trials with a value of the factor; the deviation is that between these trials.";
    (!all.is_empty()).then(|| format!("<p>{told}</p><div class=\"side\">{all}</div>"))
}

/// What a Bayesian search found, trial after trial.
fn search(table: &Table) -> Option<String> {
    let plot = plots::search(table).filter(|_| table.is_chosen())?;
    let told =
        "Each completed trial by its number, and the best so far; light ones were drawn at random.";
    Some(format!("<p>{told}</p>{plot}"))
}

fn front(table: &Table, cost: CostKind) -> Option<String> {
    let front = pareto(table, cost);
    let plot = plots::scatter(table, cost, &front)?;
    let numbers: Vec<String> = front.iter().map(usize::to_string).collect();
    Some(format!(
        "<p>No trial is better than these and costs less: {}.</p>{plot}",
        numbers.join(", ")
    ))
}

fn reasons(table: &Table) -> Option<String> {
    let told = table.trials.iter().filter(|row| row.reason.is_some());
    let line = |row: &TrialRow| {
        let why = row.reason.as_deref().unwrap_or_default();
        format!(
            "<p>Trial {} {}: {}</p>",
            row.number,
            row.standing.word(),
            escape(why)
        )
    };
    let lines: String = told.map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

fn repeat(sweep: &Path) -> String {
    format!(
        "<p>Save the project above as project.toml. On one machine the same settings and seeds give the same numbers to the \
         last bit; times differ.</p><pre>strata sweep project.toml\nstrata replay {}</pre>",
        escape(&sweep.join("runs").join("trial-…").display().to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_sweep::table::Spread;

    #[test]
    fn a_page_of_a_sweep_stands_alone() {
        let row = |number: usize, value: f64, rank: usize| TrialRow {
            number,
            values: vec![(2 * number).to_string(), "<on>".to_owned()],
            standing: Standing::Completed,
            parameters: Some(100 * number as u64),
            macs: Some(1),
            rank: Some(rank),
            value: Some(Spread {
                mean: value,
                deviation: Some(0.01),
            }),
            seconds: Some(Spread {
                mean: 3.0,
                deviation: None,
            }),
            ..TrialRow::default()
        };
        let unfit = TrialRow {
            number: 3,
            values: vec!["6".to_owned(), "<on>".to_owned()],
            standing: Standing::DoesNotFit,
            reason: Some("too small".to_owned()),
            ..TrialRow::default()
        };
        let table = Table {
            title: "a & b".to_owned(),
            factors: vec![
                "encoder.0.kernel_size".to_owned(),
                "data.augment".to_owned(),
            ],
            metric: "valid accuracy".parse().unwrap(),
            trials: vec![row(1, 0.5, 2), row(2, 0.75, 1), unfit],
            to_choose: 0,
        };
        let page = page(&table, "title = \"a & b\"", Path::new("sweeps/a-1"));
        for part in [
            "Sweep of a &amp; b",
            "75.00 ± 1.00 %",
            "Trial 3 does not fit: too small",
            "No trial is better than these and costs less: 1, 2.",
            "title = &quot;a &amp; b&quot;",
            "strata sweep project.toml",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("http") && !page.contains("<on>"));
        assert!(page.matches("<svg").count() >= 5);
    }
}
