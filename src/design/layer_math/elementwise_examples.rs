//! Small grids of layers without a window that keep or join values: dense layers, functions,
//! normalisation, reordering, and blocks.

use super::sample::{Sample, Sheet, Touch, Way, bracketed, product};
use super::{number, values};
use strata_core::project::layer::Activation;
use strata_core::shape::layers::NORM_EPS;

/// A sum of weights times values, in words; a copy where there is one cell of weight 1.
pub(super) fn weighted(
    sheet: &Sheet,
    weights: &[f64],
    touches: &[Touch],
) -> (f64, String, Option<usize>) {
    let pairs: Vec<[f64; 2]> = touches
        .iter()
        .map(|touch| [sheet.value(touch.cell), weights[touch.weight]])
        .collect();
    let sum: f64 = pairs.iter().map(|[value, weight]| value * weight).sum();
    let words = match (touches, pairs.as_slice()) {
        ([touch], [[value, weight]]) if *weight == 1.0 => match touch.cell {
            Some(cell) => format!("{} is copied from {}", number(*value), sheet.name(cell)),
            None => "a zero of the padding".to_owned(),
        },
        _ => {
            let terms: Vec<String> = pairs.iter().map(|pair| product(*pair)).collect();
            format!("{} = {}", terms.join(" + "), number(sum))
        }
    };
    (sum, words, None)
}

pub(super) fn all_of(sheet: &Sheet) -> Vec<Touch> {
    let touch = |cell: usize| {
        let [plane, row, column] = sheet.place(cell);
        Touch {
            plane,
            row: row as i64,
            column: column as i64,
            cell: Some(cell),
            weight: cell,
        }
    };
    (0..sheet.len()).map(touch).collect()
}

/// A full matrix: every output reads every input.
pub fn dense(inputs: usize, outputs: usize) -> Sample {
    let (columns, rows) = (inputs.min(6), outputs.min(4));
    let weights: Vec<f64> = (0..rows * columns)
        .map(|i| ((2 * (i / columns) + 3 * (i % columns)) % 5) as f64 - 2.0)
        .collect();
    let input = Sheet::new(columns, 1, values::few(columns, 1));
    let touches = |cell: usize| {
        let mut touches = all_of(&input);
        touches
            .iter_mut()
            .for_each(|touch| touch.weight += cell * columns);
        touches
    };
    let factors = weights.clone();
    let sheets = [input.clone(), Sheet::new(rows, 1, Vec::new())];
    let make = |touches: &[Touch]| weighted(&input, &factors, touches);
    let sample = Sample::reading(
        Way::Sum,
        sheets,
        (weights, Some([rows, columns])),
        touches,
        make,
    );
    Sample {
        own_size: inputs == columns && outputs == rows,
        ..sample
    }
}

/// Every number on its own.
fn each(input: Sheet, make: impl Fn(f64) -> (f64, String)) -> Sample {
    let touches = |cell: usize| own_cell(&input, cell);
    let sheets = [
        input.clone(),
        Sheet {
            values: Vec::new(),
            ..input.clone()
        },
    ];
    let of = |touches: &[Touch]| {
        let (value, words) = make(input.value(touches.first().and_then(|touch| touch.cell)));
        (value, words, None)
    };
    Sample::reading(Way::Apply, sheets, (vec![1.0], None), touches, of)
}

/// An elementwise function on whole numbers around zero.
pub fn activation(word: &str, activation: Activation) -> Sample {
    each(Sheet::new(1, 7, values::around_zero(7)), |x| {
        let y = activation.value(x);
        (y, format!("{word}({}) = {}", number(x), number(y)))
    })
}

/// Fractions that sum to one.
pub fn softmax() -> Sample {
    let input = Sheet::new(1, 5, vec![1.0, 3.0, 0.0, 2.0, -1.0]);
    let sum: f64 = input.values.iter().map(|x| x.exp()).sum();
    let sheets = [
        input.clone(),
        Sheet {
            values: Vec::new(),
            ..input.clone()
        },
    ];
    let make = |touches: &[Touch]| {
        let x = touches
            .iter()
            .find(|touch| touch.weight == 1)
            .map_or(0.0, |touch| input.value(touch.cell));
        let words = format!(
            "e^{}/(sum of e^x over all) = {}/{} = {}",
            bracketed(x),
            number(x.exp()),
            number(sum),
            number(x.exp() / sum)
        );
        (x.exp() / sum, words, None)
    };
    let touches = |cell: usize| {
        let mut touches = all_of(&input);
        touches
            .iter_mut()
            .for_each(|touch| touch.weight = usize::from(touch.cell == Some(cell)));
        touches
    };
    Sample::reading(Way::Apply, sheets, (vec![1.0, 1.0], None), touches, make)
}

/// Numbers brought to mean 0 and variance 1.
pub fn normalised() -> Sample {
    let values = vec![1.0, 3.0, 2.0, 6.0, 3.0];
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
    each(Sheet::new(1, values.len(), values), |x| {
        let y = (x - mean) / (variance + NORM_EPS).sqrt();
        (
            y,
            format!(
                "({} − {})/√({} + 0.00001) = {}",
                number(x),
                number(mean),
                number(variance),
                number(y)
            ),
        )
    })
}

/// Nothing changes.
pub fn identity() -> Sample {
    copied(
        Sheet::new(1, 5, values::few(1, 5)),
        Sheet::new(1, 5, Vec::new()),
    )
}

/// An image of two channels as a vector, or back: the numbers keep their order.
pub fn reordered(to_vector: bool) -> Sample {
    let image = Sheet {
        planes: 2,
        ..Sheet::new(2, 3, Vec::new())
    };
    let vector = Sheet::new(1, 12, Vec::new());
    let (mut input, output) = if to_vector {
        (image, vector)
    } else {
        (vector, image)
    };
    input.values = (1..=12).map(f64::from).collect();
    copied(input, output)
}

/// Branches joined along channels.
pub fn concat(branches: usize) -> Sample {
    let planes = branches.clamp(1, 3);
    let input = Sheet {
        planes,
        ..Sheet::new(2, 2, values::few(2 * planes, 2))
    };
    copied(
        input.clone(),
        Sheet {
            values: Vec::new(),
            ..input
        },
    )
}

/// Branches summed cell by cell.
pub fn add(branches: usize) -> Sample {
    let planes = branches.clamp(1, 3);
    let input = Sheet {
        planes,
        ..Sheet::new(3, 3, values::mixed(3 * planes, 3))
    };
    let touches = |cell: usize| {
        let (row, column) = ((cell / 3) as i64, (cell % 3) as i64);
        (0..planes)
            .map(|plane| Touch {
                plane,
                row,
                column,
                cell: input.cell(plane, row, column),
                weight: 0,
            })
            .collect()
    };
    let make = |touches: &[Touch]| {
        let numbers: Vec<f64> = touches
            .iter()
            .map(|touch| input.value(touch.cell))
            .collect();
        let (sum, terms) = (
            numbers.iter().sum(),
            numbers.iter().map(|x| number(*x)).collect::<Vec<_>>(),
        );
        (
            sum,
            format!("{} = {}", terms.join(" + "), number(sum)),
            None,
        )
    };
    let sheets = [input.clone(), Sheet::new(3, 3, Vec::new())];
    Sample::reading(Way::Sum, sheets, (vec![1.0], None), touches, make)
}

/// Every output cell is the input cell of the same number.
fn copied(input: Sheet, output: Sheet) -> Sample {
    let touches = |cell: usize| own_cell(&input, cell);
    let sheets = [input.clone(), output];
    Sample::reading(Way::Sum, sheets, (vec![1.0], None), touches, |touches| {
        weighted(&input, &[1.0], touches)
    })
}

/// The cell of the same number, alone.
fn own_cell(sheet: &Sheet, cell: usize) -> Vec<Touch> {
    let [plane, row, column] = sheet.place(cell);
    vec![Touch {
        plane,
        row: row as i64,
        column: column as i64,
        cell: Some(cell),
        weight: 0,
    }]
}
