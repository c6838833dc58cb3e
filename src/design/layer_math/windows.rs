//! Small grids of layers with a sliding window: convolutions, transposed convolutions, pooling, unpooling.

use super::number;
use super::sample::{Sample, Sheet, Step, Touch, Way, bracketed, product};
use super::slide::Slide;
use super::values;
use strata_core::shape::op::Geometry;

/// Cells of an axis, and with their zeros, that fit the eye: of an image, and of a signal.
const IMAGE: [usize; 2] = [6, 8];
const SIGNAL: [usize; 2] = [10, 12];
/// The most cells of an axis that are drawn at all.
const MOST: [usize; 2] = [24, 48];

/// The two axes that are drawn: a signal has one row; of a volume, height and width are taken.
#[derive(Clone, Copy, Debug)]
struct Window {
    rows: Slide,
    columns: Slide,
    own_size: bool,
}

impl Window {
    /// `None` where even a small grid would have too many cells.
    fn of(geometry: &Geometry, rank: usize) -> Option<Window> {
        let signal = usize::from(rank == 1);
        let [cells, padded] = [IMAGE, SIGNAL][signal];
        let all = [Slide::of(geometry, 1), Slide::of(geometry, 2)];
        let [rows, columns] = all.map(|slide| slide.shortened(cells, padded));
        let rows = if rank > 1 { rows } else { Slide::UNIT };
        let own_size = rank < 3 && columns == all[1] && (rank == 1 || rows == all[0]);
        let fits = |slide: &Slide| slide.padded() <= MOST[signal] && slide.kernel <= MOST[signal];
        [rows, columns].iter().all(fits).then_some(Window {
            rows,
            columns,
            own_size,
        })
    }

    /// The larger side: what the window slides over.
    fn large(&self, values: Vec<f64>) -> Sheet {
        let Window { rows, columns, .. } = self;
        let margin = [rows.before, columns.after(), rows.after(), columns.before];
        Sheet {
            margin,
            ..Sheet::new(rows.input, columns.input, values)
        }
    }

    /// The smaller side: one cell for each position.
    fn small(&self, values: Vec<f64>) -> Sheet {
        Sheet::new(self.rows.output, self.columns.output, values)
    }

    fn kernel(&self) -> [usize; 2] {
        [self.rows.kernel, self.columns.kernel]
    }

    /// What the window covers at a position.
    fn touches(&self, large: &Sheet, position: usize) -> Vec<Touch> {
        let (down, across) = (
            position / self.columns.output.max(1),
            position % self.columns.output.max(1),
        );
        let [height, width] = self.kernel();
        let touch = |weight: usize| {
            let row = self.rows.cell(down, weight / width);
            let column = self.columns.cell(across, weight % width);
            Touch {
                plane: 0,
                row,
                column,
                cell: large.cell(0, row, column),
                weight,
            }
        };
        (0..height * width).map(touch).collect()
    }
}

/// A convolution: every output cell is the window times the kernel, summed.
pub fn convolution(geometry: &Geometry, rank: usize) -> Option<Sample> {
    let window = Window::of(geometry, rank)?;
    let [height, width] = window.kernel();
    let input = window.large(values::picture(window.rows.input, window.columns.input));
    let weights = values::edge(height, width);
    let sheets = [input.clone(), window.small(Vec::new())];
    let (sheet, factors) = (&input, weights.clone());
    let make = |touches: &[Touch]| {
        let pairs: Vec<[f64; 2]> = touches
            .iter()
            .map(|touch| [sheet.value(touch.cell), factors[touch.weight]])
            .collect();
        let sum: f64 = pairs.iter().map(|[value, weight]| value * weight).sum();
        (
            sum,
            format!(
                "{} = {}",
                joined(pairs.into_iter().map(product)),
                number(sum)
            ),
            None,
        )
    };
    let kernel = (weights, Some(window.kernel()));
    let sample = Sample::reading(
        Way::Sum,
        sheets,
        kernel,
        |cell| window.touches(sheet, cell),
        make,
    );
    Some(Sample {
        own_size: window.own_size,
        ..sample
    })
}

/// The largest number of every window; zeros of the padding never win.
pub fn max_pool(geometry: &Geometry, rank: usize) -> Option<Sample> {
    let window = Window::of(geometry, rank)?;
    let input = window.large(values::mixed(window.rows.input, window.columns.input));
    let sheet = &input;
    let sheets = [input.clone(), window.small(Vec::new())];
    let touches = |cell: usize| unweighted(window.touches(sheet, cell));
    let sample = Sample::reading(Way::Max, sheets, (vec![1.0], None), touches, |touches| {
        winner(sheet, touches)
    });
    Some(Sample {
        own_size: window.own_size,
        ..sample
    })
}

/// The mean of every window.
pub(crate) fn average_pool(
    geometry: &Geometry,
    rank: usize,
    count_padding: bool,
) -> Option<Sample> {
    let window = Window::of(geometry, rank)?;
    let input = window.large(values::mixed(window.rows.input, window.columns.input));
    let sheet = &input;
    let sheets = [input.clone(), window.small(Vec::new())];
    let touches = |cell: usize| {
        let all = window.touches(sheet, cell);
        let counted = if count_padding {
            all.len()
        } else {
            all.iter().filter(|touch| touch.cell.is_some()).count()
        };
        averaged(all, counted)
    };
    let [height, width] = window.kernel();
    let make = |touches: &[Touch]| mean(sheet, touches, count_padding);
    let sample = Sample::reading(
        Way::Mean,
        sheets,
        (shares(height * width), None),
        touches,
        make,
    );
    Some(Sample {
        own_size: window.own_size,
        ..sample
    })
}

/// A transposed convolution: every input cell stamps the kernel, times itself, into the output.
pub fn transposed(geometry: &Geometry, rank: usize) -> Option<Sample> {
    let window = Window::of(geometry, rank)?;
    let [height, width] = window.kernel();
    let input = window.small(values::few(window.rows.output, window.columns.output));
    let output = window.large(Vec::new());
    let weights = values::tent(height, width);
    let step = |cell: usize| {
        let touches = window.touches(&output, cell);
        let (name, value) = (input.name(cell), bracketed(input.values[cell]));
        let stamp: Vec<String> = weights
            .iter()
            .map(|weight| number(input.values[cell] * weight))
            .collect();
        let sum = format!(
            "cell {name} stamps {value}·kernel = [{}] {}",
            rows_of(&stamp, width),
            reach(&touches, rank)
        );
        Step {
            cell,
            touches,
            chosen: None,
            sum,
        }
    };
    let steps = (0..input.len()).map(step).collect();
    let kernel = Some([height, width]);
    let sample = Sample {
        way: Way::Scatter,
        input,
        weights,
        kernel,
        output,
        steps,
        own_size: window.own_size,
    };
    Some(filled(sample))
}

/// Undoing a max pooling: every number goes back to where the pooling found it.
pub fn unpool(geometry: &Geometry, rank: usize) -> Option<Sample> {
    let pool = max_pool(geometry, rank)?;
    let step = |step: &Step| {
        let chosen = step
            .chosen
            .and_then(|chosen| step.touches.get(chosen))
            .and_then(|touch| touch.cell);
        let to = chosen.map_or_else(String::new, |cell| pool.input.name(cell));
        let (from, value) = (
            pool.output.name(step.cell),
            number(pool.output.value(Some(step.cell))),
        );
        Step {
            sum: format!(
                "{value} from {from} goes back to {to}, where the pooling found it; the others get 0"
            ),
            ..step.clone()
        }
    };
    let steps = pool.steps.iter().map(step).collect();
    let output = Sheet {
        values: Vec::new(),
        ..pool.input
    };
    let sample = Sample {
        way: Way::Put,
        input: pool.output,
        weights: vec![1.0],
        kernel: None,
        output,
        steps,
        ..pool
    };
    Some(filled(sample))
}

/// The output's numbers, from all that is written.
fn filled(mut sample: Sample) -> Sample {
    let last = sample.steps.len().saturating_sub(1);
    sample.output.values = sample
        .after(last)
        .into_iter()
        .map(|value| value.unwrap_or(0.0))
        .collect();
    sample
}

/// Where a stamp falls: `at rows 1…3, columns 0…2`.
fn reach(touches: &[Touch], rank: usize) -> String {
    let ends = |at: fn(&Touch) -> i64| {
        let (low, high) = (
            touches.iter().map(at).min().unwrap_or(0),
            touches.iter().map(at).max().unwrap_or(0),
        );
        let [low, high] = [low, high].map(|at| number(at as f64));
        if low == high {
            low
        } else {
            format!("{low}…{high}")
        }
    };
    let columns = ends(|touch| touch.column);
    if rank == 1 {
        format!("at {columns}")
    } else {
        format!("at rows {}, columns {columns}", ends(|touch| touch.row))
    }
}

/// `1 2 1; 2 4 2; 1 2 1`
fn rows_of(stamp: &[String], width: usize) -> String {
    stamp
        .chunks(width.max(1))
        .map(|row| row.join(" "))
        .collect::<Vec<_>>()
        .join("; ")
}

/// Touches that all have the same weight.
pub(crate) fn unweighted(mut touches: Vec<Touch>) -> Vec<Touch> {
    touches.iter_mut().for_each(|touch| touch.weight = 0);
    touches
}

/// Touches that have the weight 1/`counted` each.
pub(crate) fn averaged(mut touches: Vec<Touch>, counted: usize) -> Vec<Touch> {
    touches
        .iter_mut()
        .for_each(|touch| touch.weight = counted.saturating_sub(1));
    touches
}

/// 1, 1/2, 1/3, …: the weights of means over up to so many cells.
pub(crate) fn shares(most: usize) -> Vec<f64> {
    (1..=most.max(1)).map(|count| 1.0 / count as f64).collect()
}

/// `(1 + 2 + 3 + 4)/4 = 2.5`
pub(crate) fn mean(
    sheet: &Sheet,
    touches: &[Touch],
    count_padding: bool,
) -> (f64, String, Option<usize>) {
    let counted = touches
        .iter()
        .filter(|touch| count_padding || touch.cell.is_some());
    let numbers: Vec<f64> = counted.map(|touch| sheet.value(touch.cell)).collect();
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let sum = joined(numbers.iter().map(|value| bracketed(*value)));
    (
        mean,
        format!("({sum})/{} = {}", numbers.len(), number(mean)),
        None,
    )
}

/// `max(3, 1, 7, 2) = 7`
pub(crate) fn winner(sheet: &Sheet, touches: &[Touch]) -> (f64, String, Option<usize>) {
    let inside = || {
        touches
            .iter()
            .enumerate()
            .filter(|(_, touch)| touch.cell.is_some())
    };
    let better = |best: Option<(usize, f64)>, (index, touch): (usize, &Touch)| {
        let value = sheet.value(touch.cell);
        // Of equal numbers the first counts.
        if best.is_some_and(|(_, most)| value <= most) {
            best
        } else {
            Some((index, value))
        }
    };
    let best = inside().fold(None, better);
    let listed: Vec<String> = inside()
        .map(|(_, touch)| number(sheet.value(touch.cell)))
        .collect();
    let value = best.map_or(0.0, |(_, value)| value);
    (
        value,
        format!("max({}) = {}", listed.join(", "), number(value)),
        best.map(|(index, _)| index),
    )
}

fn joined(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" + ")
}
