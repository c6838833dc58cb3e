//! Figures and tables of the terminal.

pub use strata_core::format::figure;
use strata_core::format::fixed;
use strata_engine::event::Metrics;

/// `loss 0.01234, accuracy 98.52 %`: what applies.
pub fn metrics(metrics: &Metrics) -> String {
    let mut parts = vec![format!("loss {}", figure(metrics.loss))];
    let mut add = |name: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{name} {value}")))
    };
    add(
        "accuracy",
        metrics
            .accuracy
            .map(|share| format!("{:.2} %", 100.0 * share)),
    );
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    add("F1", metrics.f1.map(percent));
    add("exact match", metrics.exact_match.map(percent));
    add(
        "log loss",
        metrics
            .log_loss
            .filter(|value| *value != metrics.loss)
            .map(figure),
    );
    add(
        "mse",
        metrics
            .mse
            .filter(|value| *value != metrics.loss)
            .map(figure),
    );
    add(
        "psnr",
        metrics.psnr.map(|db| format!("{} dB", fixed(db, 2))),
    );
    parts.join(", ")
}

/// Pads to a width in characters, `×` and `²` counting as one.
pub fn left(text: &str, width: usize) -> String {
    format!(
        "{text}{}",
        " ".repeat(width.saturating_sub(text.chars().count()))
    )
}

/// The same, with the text at the right end.
pub fn right(text: &str, width: usize) -> String {
    format!(
        "{}{text}",
        " ".repeat(width.saturating_sub(text.chars().count()))
    )
}

/// `3×5`
pub fn times<T: ToString>(sizes: &[T]) -> String {
    sizes.iter().map(T::to_string).collect::<Vec<_>>().join("×")
}

/// Columns as wide as their widest cell, all but the first right-aligned.
pub fn table<const N: usize>(heading: &[&str; N], rows: &[[String; N]]) -> String {
    let heading = heading.map(str::to_owned);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
    table_of(&heading, &rows)
}

/// The same of as many columns as the heading has.
pub fn table_of(heading: &[String], rows: &[Vec<String>]) -> String {
    aligned(heading, rows, right)
}

/// The same with all columns left-aligned: of words.
pub fn table_left(heading: &[String], rows: &[Vec<String>]) -> String {
    aligned(heading, rows, left)
}

fn aligned(heading: &[String], rows: &[Vec<String>], pad: fn(&str, usize) -> String) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .max()
            .unwrap_or(0)
            .max(heading[column].chars().count())
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cell = |(column, width): (usize, &usize)| match column {
            0 => left(&cells[0], *width),
            _ => pad(&cells[column], *width),
        };
        let cells: Vec<String> = widths.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let rows = rows.iter().map(|row| line(row));
    let lines = std::iter::once(line(heading)).chain(rows);
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0.0123456, 12.3456, 123456.0, 1.2e-9].map(figure),
            ["0.01235", "12.35", "123456", "1.200e-9"]
        );
        assert_eq!(
            (left("3×3", 5), right("3×3", 5)),
            ("3×3  ".into(), "  3×3".into())
        );
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [
            ["conv-ae".to_owned(), "1.5".to_owned()],
            ["x".to_owned(), "10.25".to_owned()],
        ];
        assert_eq!(
            table(&["case", "ms"], &rows),
            "case        ms\nconv-ae    1.5\nx        10.25"
        );
    }
}
