//! Figures and tables of the terminal.

pub use strata_core::format::figure;
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
    add("psnr", metrics.psnr.map(|db| format!("{db:.2} dB")));
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
    let width = |column: usize| {
        let cells = rows
            .iter()
            .map(|row| row[column].as_str())
            .chain([heading[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let cell = |column: usize| match column {
            0 => left(cells[0], widths[0]),
            _ => right(cells[column], widths[column]),
        };
        (0..N)
            .map(cell)
            .collect::<Vec<_>>()
            .join("  ")
            .trim_end()
            .to_owned()
    };
    let rows = rows
        .iter()
        .map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(*heading))
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
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
