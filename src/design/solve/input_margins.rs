//! An input that is padded until all strides divide it, with what is too much at the end cut away; without a decoder
//! also one that is cropped.

use super::axis::{AxisProgram, Program, State};
use super::candidates::takes_insertion;
use super::draft::{Draft, Goal};
use strata_core::project::target::Target;
use strata_core::project::{Place, Stack};

/// Positions that the input gets more or fewer at most.
const MOST_CELLS: i64 = 512;

/// Positions that an axis of the input gets more (below 0: fewer), and those that are cut away at the end then.
type Margin = (i64, i64);

/// The margins of one axis.
#[derive(Clone, Copy, Default)]
struct Margins {
    /// The fewest additional positions with which the network works.
    fewest: Option<Margin>,
    /// The fewest with which nothing is to be cut away.
    exact: Option<Margin>,
    /// The fewest positions less.
    smaller: Option<Margin>,
}

/// The drafts of such margins, unconfirmed.
pub(crate) fn input_margins(base: &Draft, locked: &[Target], goal: Goal) -> Vec<Draft> {
    let axes = margins_by_axis(base, goal);
    let each = |of: fn(&Margins) -> Option<Margin>| -> Option<Draft> {
        let sides: Vec<Margin> = axes.iter().map(of).collect::<Option<_>>()?;
        let (first, last): (Vec<i64>, Vec<i64>) = sides.into_iter().unzip();
        let any = first.iter().any(|&by| by != 0);
        let mut made = any.then(|| around(base, &first, &last, locked)).flatten()?;
        made.forgiven += 1;
        Some(made)
    };
    let made = [each(|m| m.fewest), each(|m| m.exact), each(|m| m.smaller)];
    made.into_iter().flatten().collect()
}

fn margins_by_axis(base: &Draft, goal: Goal) -> Vec<Margins> {
    let network = &base.network;
    let Some(program) = Program::new(network, 0) else {
        return Vec::new();
    };
    let sizes = network.input.spatial();
    let most = 16 * (sizes.iter().max().copied().unwrap_or(0) as i64 + MOST_CELLS);
    let mut known: Vec<(AxisProgram<'_>, i64, Margins)> = Vec::new();
    for (axis, &size) in sizes.iter().enumerate() {
        let along = AxisProgram::new(&program, sizes.len(), axis, most);
        let size = size as i64;
        let same = known
            .iter()
            .find(|(other, at, _)| *at == size && other.rules == along.rules);
        let margins = match same {
            Some((_, _, margins)) => *margins,
            None => of_axis(&along, size, goal),
        };
        known.push((along, size, margins));
    }
    known.into_iter().map(|(_, _, margins)| margins).collect()
}

fn of_axis(along: &AxisProgram<'_>, size: i64, goal: Goal) -> Margins {
    let mut found = Margins::default();
    for by in 0..=MOST_CELLS {
        let margin = over(along, size, by, goal).map(|over| (by, over));
        found.fewest = found.fewest.or(margin.filter(|(_, over)| *over >= 0));
        found.exact = found.exact.or(margin.filter(|(_, over)| *over == 0));
        if found.exact.is_some() {
            break;
        }
    }
    if goal == Goal::NoError {
        let smaller = |by: i64| over(along, size, -by, goal).map(|over| (-by, over));
        found.smaller = (0..size.min(MOST_CELLS)).find_map(smaller);
    }
    found
}

/// Positions that are too many at the end when the input has `by` more; `None` where it does not work.
fn over(along: &AxisProgram<'_>, size: i64, by: i64, goal: Goal) -> Option<i64> {
    let start = size.checked_add(by).filter(|&start| start >= 1)?;
    let end = along.run_all(&along.program.items, State::start(start), &[])?;
    match goal {
        Goal::NoError => Some(0),
        Goal::InputsShape(_) => Some(end.size - size),
    }
}

/// A margin before all layers, and a `crop` behind them.
pub fn around(base: &Draft, first: &[i64], last: &[i64], locked: &[Target]) -> Option<Draft> {
    let network = &base.network;
    let stack = match network.encoder.is_empty() {
        true => Stack::Decoder,
        false => Stack::Encoder,
    };
    let (start, end) = (
        Place::new(stack, 0),
        Place::new(Stack::Decoder, network.decoder.len()),
    );
    let needed = [(first, &start), (last, &end)];
    let is_free = |(cells, place): &(&[i64], &Place)| {
        cells.iter().all(|&by| by == 0) || takes_insertion(place, locked)
    };
    if !needed.iter().all(is_free) {
        return None;
    }
    let cut: Vec<i64> = last.iter().map(|by| -by).collect();
    let cut = base.clone().insert_cells(&end, &cut)?;
    cut.insert_cells(&start, first)
}
