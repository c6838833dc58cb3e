//! Small grids of layers that draw random numbers while training: what one draw does.

use super::sample::{Sample, Sheet, Touch, Way, bracketed};
use super::{number, values};

/// Numbers drawn from a normal distribution, rounded for the eye.
const DRAWN: [f64; 7] = [0.5, -1.2, 0.3, 1.6, -0.4, 0.0, -0.8];

/// Dropout in training: some numbers (or all numbers of some channels) become 0, the others grow by 1/(1 − p).
pub fn dropout(p: f64, channels: bool) -> Sample {
    let kept = 1.0 / (1.0 - p);
    let input = match channels {
        true => Sheet {
            planes: 3,
            ..Sheet::new(2, 2, values::few(6, 2))
        },
        false => Sheet::new(1, 7, values::few(1, 7)),
    };
    let units = if channels { input.planes } else { input.len() };
    let unit = |cell: usize| if channels { input.place(cell)[0] } else { cell };
    let dropped = ((units as f64 * p).round() as usize).clamp(1, units - 1);
    let drops = |cell: usize| p > 0.0 && (unit(cell) * 5 + 2) % units < dropped;
    let touches = |cell: usize| {
        let [plane, row, column] = input.place(cell);
        vec![Touch {
            plane,
            row: row as i64,
            column: column as i64,
            cell: Some(cell),
            weight: usize::from(drops(cell)),
        }]
    };
    let what = |plane: usize| match channels {
        true => format!("channel {plane} "),
        false => String::new(),
    };
    let make = |touches: &[Touch]| {
        let Some(touch) = touches.first() else {
            return (0.0, String::new(), None);
        };
        let (x, what) = (input.value(touch.cell), what(touch.plane));
        let (value, words) = match touch.weight {
            0 => (
                x * kept,
                format!(
                    "{what}kept: {}/(1 − {}) = {}",
                    number(x),
                    number(p),
                    number(x * kept)
                ),
            ),
            _ => (0.0, format!("{what}dropped: {} becomes 0", number(x))),
        };
        (value, words, None)
    };
    let sheets = [
        input.clone(),
        Sheet {
            values: Vec::new(),
            ..input.clone()
        },
    ];
    Sample::reading(Way::Sum, sheets, (vec![kept, 0.0], None), touches, make)
}

/// Noise in training: a random number is added to each.
pub fn noise(std: f64) -> Sample {
    let input = Sheet::new(1, DRAWN.len(), values::few(1, DRAWN.len()));
    let touches = |cell: usize| {
        vec![Touch {
            plane: 0,
            row: 0,
            column: cell as i64,
            cell: Some(cell),
            weight: 0,
        }]
    };
    let make = |touches: &[Touch]| {
        let cell = touches.first().and_then(|touch| touch.cell);
        let z = cell
            .and_then(|cell| DRAWN.get(cell))
            .copied()
            .unwrap_or(0.0);
        let x = input.value(cell);
        let y = x + std * z;
        let words = format!(
            "{} + {}·{} = {}, where z = {} was drawn",
            number(x),
            number(std),
            bracketed(z),
            number(y),
            number(z)
        );
        (y, words, None)
    };
    let output = Sheet {
        values: Vec::new(),
        ..input.clone()
    };
    let sheets = [input.clone(), output];
    Sample::reading(Way::Apply, sheets, (vec![1.0], None), touches, make)
}
