//! The confusion matrix as a table: counts, and their shares of the row.

use super::escape;
use strata_core::format;
use strata_inspect::confusion::Confusion;
use strata_inspect::label_figures;

/// Classes up to which every pair has a cell.
const MOST_CLASSES: usize = 40;
/// Pairs that are listed where there are more classes.
const MOST_PAIRS: usize = 30;

/// Nothing where nothing was counted.
pub(super) fn table(confusion: &Confusion) -> Option<String> {
    let accuracy = confusion.accuracy()?;
    let count = |number: usize| format::count(number as u64);
    if !confusion.labels.is_empty() {
        return Some(format!(
            "<p>{} of {} {} images; {:.2} % of the answers about all labels right, {} images with every label right. \
             A label is answered from a probability of 50 % on.</p>\n{}",
            count(confusion.images),
            count(confusion.of),
            confusion.split,
            100.0 * accuracy,
            count(confusion.exact.unwrap_or(0)),
            of_labels(confusion)
        ));
    }
    let about = format!(
        "<p>{} of {} {} images, {:.2} % right. A row for each true class, a column for each predicted one; below each \
         count its share of the row.</p>",
        count(confusion.images),
        count(confusion.of),
        confusion.split,
        100.0 * accuracy
    );
    let content = match confusion.counts.len() {
        classes if classes <= MOST_CLASSES => cells(confusion),
        _ => pairs(confusion),
    };
    Some(format!("{about}\n{content}"))
}

fn of_labels(confusion: &Confusion) -> String {
    let row = |tag: &str, cells: [String; 6]| {
        let cell = |cell: String| format!("<{tag}>{}</{tag}>", escape(&cell));
        format!("<tr>{}</tr>", cells.map(cell).concat())
    };
    let head = row("th", label_figures::COLUMNS.map(str::to_owned));
    let labels = confusion.classes.iter().zip(&confusion.labels);
    let rows = labels.map(|(name, label)| row("td", label_figures::cells(name, label)));
    format!("<table>{head}{}</table>", rows.collect::<String>())
}

fn cells(confusion: &Confusion) -> String {
    let columns = confusion.counts.first().map_or(0, Vec::len);
    let names: String = (0..columns)
        .map(|column| {
            let name = escape(&confusion.answer(column));
            format!("<th class=\"answer\">{name}</th>")
        })
        .collect();
    let row = |class: usize| {
        let cells: String = (0..columns)
            .map(|answer| cell(confusion, class, answer))
            .collect();
        let name = escape(&confusion.answer(class));
        format!("<tr><td>{name}</td>{cells}</tr>")
    };
    let rows: String = (0..confusion.counts.len()).map(row).collect();
    format!("<table class=\"confusion\"><tr><th>is \\ taken for</th>{names}</tr>{rows}</table>")
}

/// A count with its share; the more often, the stronger its ground: right answers blue, wrong ones red.
fn cell(confusion: &Confusion, class: usize, answer: usize) -> String {
    let count = confusion.counts[class][answer];
    let Some(share) = confusion.share(class, answer).filter(|_| count > 0) else {
        return "<td>0</td>".to_owned();
    };
    let ground = if class == answer {
        "59, 125, 216"
    } else {
        "216, 80, 60"
    };
    let (count, percent) = (format::count(count), 100.0 * share);
    let strength = 0.1 + 0.4 * share;
    format!(
        "<td style=\"background: rgba({ground}, {strength:.2})\">{count}<br><small>{percent:.1} %</small></td>"
    )
}

/// The pairs that are taken for each other most often.
fn pairs(confusion: &Confusion) -> String {
    let mut pairs: Vec<(u64, usize, usize)> = Vec::new();
    for (class, row) in confusion.counts.iter().enumerate() {
        let wrong = row
            .iter()
            .enumerate()
            .filter(|(answer, _)| *answer != class);
        pairs.extend(wrong.map(|(answer, count)| (*count, class, answer)));
    }
    pairs.retain(|(count, ..)| *count > 0);
    pairs.sort_by(|one, other| other.cmp(one));
    let row = |(count, class, answer): &(u64, usize, usize)| {
        let share = confusion.share(*class, *answer).unwrap_or(0.0);
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1} %</td></tr>",
            escape(&confusion.answer(*class)),
            escape(&confusion.answer(*answer)),
            format::count(*count),
            100.0 * share
        )
    };
    let rows: String = pairs.iter().take(MOST_PAIRS).map(row).collect();
    format!(
        "<table><tr><th>is</th><th>taken for</th><th>images</th><th>of its class</th></tr>{rows}</table>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(classes: usize) -> Confusion {
        let mut counts = vec![vec![0; classes]; classes];
        (0..classes).for_each(|class| counts[class][class] = 9);
        counts[0][1] = 3;
        let images = 9 * classes + 3;
        Confusion {
            images,
            of: images,
            classes: (0..classes).map(|class| format!("<{class}>")).collect(),
            counts,
            ..Confusion::default()
        }
    }

    #[test]
    fn counts_and_shares_of_the_row_stand_in_the_cells() {
        let page = table(&confusion(2)).unwrap();
        for part in [
            "21 of 21 train images, 85.71 % right",
            "&lt;0&gt;",
            "9<br><small>75.0 %",
            "3<br><small>25.0 %",
            "9<br><small>100.0 %",
            "<td>0</td>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert_eq!(table(&Confusion::default()), None);
    }

    #[test]
    fn of_many_classes_the_worst_pairs_are_listed() {
        let page = table(&confusion(60)).unwrap();
        assert!(page.contains("<td>&lt;0&gt;</td><td>&lt;1&gt;</td><td>3</td><td>25.0 %</td>"));
        assert_eq!(page.matches("<tr>").count(), 2);
    }
}
