//! Small grids of layers that resize: upsampling, margins, adaptive and global pooling. Each axis is treated alike.

use super::elementwise_examples::{all_of, weighted};
use super::sample::{Sample, Sheet, Touch, Way};
use super::values;
use super::windows::{averaged, mean, shares, unweighted, winner};

/// The most cells of an axis that are drawn.
const MOST: usize = 24;

/// Which cells of an axis an output cell reads, with their weights.
type Reads = Vec<(i64, f64)>;

/// Rows and columns of the axes that are drawn, from three sizes.
fn plane(sizes: [usize; 3], rank: usize) -> [usize; 2] {
    [if rank > 1 { sizes[1] } else { 1 }, sizes[2]]
}

/// A layer that treats both axes alike: each output cell reads the cells that `reads` gives along each of them.
fn separable(
    input: Sheet,
    [rows, columns]: [usize; 2],
    reads: impl Fn(usize, usize) -> Reads,
) -> Sample {
    let mut weights: Vec<f64> = Vec::new();
    let mut touched: Vec<Vec<Touch>> = Vec::new();
    for cell in 0..rows * columns {
        let mut touches = Vec::new();
        for (row, a) in reads(0, cell / columns) {
            for (column, b) in reads(1, cell % columns) {
                let weight = weights
                    .iter()
                    .position(|weight| (weight - a * b).abs() < 1e-12)
                    .unwrap_or(weights.len());
                if weight == weights.len() {
                    weights.push(a * b);
                }
                touches.push(Touch {
                    plane: 0,
                    row,
                    column,
                    cell: input.cell(0, row, column),
                    weight,
                });
            }
        }
        touched.push(touches);
    }
    let sheet = input.clone();
    let factors = weights.clone();
    let make = |touches: &[Touch]| weighted(&sheet, &factors, touches);
    let sheets = [input, Sheet::new(rows, columns, Vec::new())];
    Sample::reading(
        Way::Sum,
        sheets,
        (weights, None),
        |cell| touched[cell].clone(),
        make,
    )
}

/// Enlarging by repeating, or by linear interpolation.
pub fn upsample(
    input: [usize; 3],
    factor: [usize; 3],
    bilinear: bool,
    rank: usize,
) -> Option<Sample> {
    let (cells, factors) = (plane(input, rank), plane(factor, rank));
    let small = cells.map(|size| size.min(3));
    let output = [small[0] * factors[0], small[1] * factors[1]];
    if output.iter().any(|&size| size > MOST) {
        return None;
    }
    let reads = |axis: usize, at: usize| {
        if !bilinear {
            return vec![((at / factors[axis]) as i64, 1.0)];
        }
        let source = ((at as f64 + 0.5) / factors[axis] as f64 - 0.5).max(0.0);
        let (low, share) = (source.floor() as usize, source.fract());
        let high = (low + 1).min(small[axis] - 1);
        if share == 0.0 || high == low {
            vec![(low as i64, 1.0)]
        } else {
            vec![(low as i64, 1.0 - share), (high as i64, share)]
        }
    };
    let sheet = Sheet::new(small[0], small[1], values::few(small[0], small[1]));
    Some(Sample {
        own_size: rank < 3 && small == cells,
        ..separable(sheet, output, reads)
    })
}

/// Zeros around.
pub fn pad(
    input: [usize; 3],
    before: [usize; 3],
    after: [usize; 3],
    rank: usize,
) -> Option<Sample> {
    let cells = plane(input, rank);
    let (small, before, after) = (
        cells.map(|size| size.min(4)),
        plane_margin(before, rank),
        plane_margin(after, rank),
    );
    let output = [0, 1].map(|axis| {
        small[axis]
            .saturating_add(before[axis])
            .saturating_add(after[axis])
    });
    if output.iter().any(|&size| size > MOST) {
        return None;
    }
    let mut sheet = Sheet::new(small[0], small[1], values::few(small[0], small[1]));
    sheet.margin = [before[0], after[1], after[0], before[1]];
    let reads = |axis: usize, at: usize| vec![(at as i64 - before[axis] as i64, 1.0)];
    Some(Sample {
        own_size: rank < 3 && small == cells,
        ..separable(sheet, output, reads)
    })
}

/// Sides cut off.
pub fn crop(
    output: [usize; 3],
    before: [usize; 3],
    after: [usize; 3],
    rank: usize,
) -> Option<Sample> {
    let cells = plane(output, rank);
    let (small, before, after) = (
        cells.map(|size| size.min(3)),
        plane_margin(before, rank),
        plane_margin(after, rank),
    );
    let input = [0, 1].map(|axis| {
        small[axis]
            .saturating_add(before[axis])
            .saturating_add(after[axis])
    });
    if input.iter().any(|&size| size > MOST) {
        return None;
    }
    let sheet = Sheet::new(input[0], input[1], values::mixed(input[0], input[1]));
    let reads = |axis: usize, at: usize| vec![((at + before[axis]) as i64, 1.0)];
    Some(Sample {
        own_size: rank < 3 && small == cells,
        ..separable(sheet, small, reads)
    })
}

/// Margins of the axes that are drawn: a signal has none above and below.
fn plane_margin(sizes: [usize; 3], rank: usize) -> [usize; 2] {
    [if rank > 1 { sizes[1] } else { 0 }, sizes[2]]
}

/// Means over ⌊i·N/M⌋ … ⌈(i+1)·N/M⌉ along each axis; with `output` of one cell the mean over all.
pub fn adaptive(input: [usize; 3], output: [usize; 3], rank: usize) -> Option<Sample> {
    let own = [plane(input, rank), plane(output, rank)];
    let small = [0, 1].map(|axis| fewer(own[0][axis], own[1][axis]));
    let (from, to) = (
        small.map(|(cells, _)| cells),
        small.map(|(_, windows)| windows),
    );
    if from.iter().chain(&to).any(|&size| size > MOST) {
        return None;
    }
    let sheet = Sheet::new(from[0], from[1], values::mixed(from[0], from[1]));
    let span = |axis: usize, at: usize| {
        at * from[axis] / to[axis]..((at + 1) * from[axis]).div_ceil(to[axis])
    };
    let touches = |cell: usize| {
        let all = span(0, cell / to[1])
            .flat_map(|row| span(1, cell % to[1]).map(move |column| (row as i64, column as i64)));
        let touches: Vec<Touch> = all
            .map(|(row, column)| Touch {
                plane: 0,
                row,
                column,
                cell: sheet.cell(0, row, column),
                weight: 0,
            })
            .collect();
        let counted = touches.len();
        averaged(touches, counted)
    };
    let sheets = [sheet.clone(), Sheet::new(to[0], to[1], Vec::new())];
    let kernel = (shares(sheet.len()), None);
    let sample = Sample::reading(Way::Mean, sheets, kernel, touches, |touches| {
        mean(&sheet, touches, true)
    });
    Some(Sample {
        own_size: rank < 3 && own == [from, to],
        ..sample
    })
}

/// Fewer cells and windows of the same kind: equal windows stay equal, windows that overlap overlap.
fn fewer(cells: usize, windows: usize) -> (usize, usize) {
    if windows == 1 {
        return (cells.min(4), 1);
    }
    if cells <= 7 && windows <= 7 {
        return (cells, windows);
    }
    let few = windows.min(3);
    let ratio = cells / windows.max(1);
    match cells % windows.max(1) {
        0 if few * ratio <= 9 => (few * ratio, few),
        _ => (7, few),
    }
}

/// The largest number of all.
pub(crate) fn global_max(input: [usize; 3], rank: usize) -> Sample {
    let own = plane(input, rank);
    let [rows, columns] = own.map(|size| size.min(4));
    let sheet = Sheet::new(rows, columns, values::mixed(rows, columns));
    let touches = |_: usize| unweighted(all_of(&sheet));
    let sheets = [sheet.clone(), Sheet::new(1, 1, Vec::new())];
    let sample = Sample::reading(Way::Max, sheets, (vec![1.0], None), touches, |touches| {
        winner(&sheet, touches)
    });
    Sample {
        own_size: rank < 3 && own == [rows, columns],
        ..sample
    }
}
