//! The columns of the table of runs: as many as there is room for beside what differs.

use super::table::{MARK, OPEN};
use strata_app::runs::Column;

/// The least width of names and differences.
const NAMES: f32 = 172.0;

/// A column of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Figure {
    Valid,
    Test,
    F1,
    Note,
    Time,
    Parameters,
    Course,
}

/// The columns in the order in which they get room.
const FIGURES: [Figure; 7] = [
    Figure::Valid,
    Figure::Test,
    Figure::F1,
    Figure::Note,
    Figure::Time,
    Figure::Parameters,
    Figure::Course,
];

impl Figure {
    pub fn width(self) -> f32 {
        match self {
            Figure::Valid | Figure::Parameters => 92.0,
            Figure::Test | Figure::F1 => 80.0,
            Figure::Time => 88.0,
            Figure::Note => 136.0,
            Figure::Course => 96.0,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Figure::Valid => "best valid",
            Figure::Test => "test",
            Figure::F1 => "test F1",
            Figure::Note => "note",
            Figure::Time => "time",
            Figure::Parameters => "parameters",
            Figure::Course => "course",
        }
    }

    pub fn column(self) -> Option<Column> {
        match self {
            Figure::Valid => Some(Column::Valid),
            Figure::Test => Some(Column::Test),
            Figure::F1 => Some(Column::F1),
            Figure::Time => Some(Column::Time),
            Figure::Parameters => Some(Column::Parameters),
            Figure::Note | Figure::Course => None,
        }
    }

    /// Whether it is a result, or what was noted of them.
    fn is_result(self) -> bool {
        matches!(
            self,
            Figure::Valid | Figure::Test | Figure::F1 | Figure::Note
        )
    }
}

/// Where the parts of a row lie, from left to right.
pub(super) struct Columns {
    pub names: [f32; 2],
    pub figures: Vec<(Figure, [f32; 2])>,
    pub right: f32,
    /// Lines that the longest text of what differs takes.
    pub lines: usize,
}

/// Lines that what differs has at most: more of it is in the tooltip.
const MOST_LINES: usize = 4;
/// Lines are broken between words, which leaves room at their ends.
const BROKEN: f32 = 1.15;

impl Columns {
    /// As many columns as there is room for beside what differs, which needs so many points to be read whole: the figures
    /// that are no results leave it their room. F1 is there where an image may have several labels.
    pub fn of(left: f32, width: f32, needed: f32, with_labels: bool) -> Columns {
        let shown = || {
            FIGURES
                .into_iter()
                .filter(move |figure| with_labels || *figure != Figure::F1)
        };
        let results = shown().filter(|figure| figure.is_result());
        let results: f32 = results.map(Figure::width).sum();
        let spare = width - MARK - OPEN - results;
        let least = needed.min(spare).max(NAMES);
        let mut room = width - MARK - OPEN - least;
        let mut kept = Vec::new();
        for figure in shown() {
            if figure.width() > room {
                break;
            }
            room -= figure.width();
            kept.push(figure);
        }
        let names = [left + MARK, left + MARK + least + room.max(0.0)];
        let room = names[1] - names[0];
        let lines = if needed <= room {
            1.0
        } else {
            (BROKEN * needed / room).ceil()
        };
        let mut at = names[1];
        let place = |figure: Figure| {
            let place = [at, at + figure.width()];
            at = place[1];
            (figure, place)
        };
        let figures = kept.into_iter().map(place).collect();
        Columns {
            names,
            figures,
            right: left + width,
            lines: (lines as usize).clamp(1, MOST_LINES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What differs has the room that it needs, before figures that are no results.
    #[test]
    fn differences_are_read_whole_before_there_are_all_figures() {
        let wide = |needed: f32| Columns::of(0.0, 760.0, needed, false);
        let room = |columns: &Columns| columns.names[1] - columns.names[0];
        let (short, long, endless) = (wide(120.0), wide(300.0), wide(2000.0));
        assert!(room(&short) >= NAMES && room(&long) >= 300.0);
        assert!(long.figures.len() < short.figures.len());
        for columns in [&long, &endless] {
            assert!(columns.figures.len() >= 3, "results and notes stay");
        }
        assert_eq!((short.lines, long.lines, endless.lines), (1, 1, MOST_LINES));
        let labels = Columns::of(0.0, 760.0, 120.0, true);
        assert_eq!(labels.figures[2].0, Figure::F1);
        assert!(
            short
                .figures
                .iter()
                .all(|(figure, _)| *figure != Figure::F1)
        );
        let narrow = Columns::of(0.0, 480.0, 300.0, false);
        assert_eq!(narrow.lines, 2, "two lines where one is too short");
    }
}
