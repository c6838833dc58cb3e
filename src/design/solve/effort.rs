//! How far the edits of a draft move its numbers.

use super::attribute::{Attribute, Value, current, is_pooling};
use strata_core::project::layer::Kind;

/// The largest move of an attribute that is no leap.
fn leap(attribute: Attribute) -> u32 {
    match attribute {
        Attribute::OutputPadding | Attribute::Padding | Attribute::Kernel => 2,
        Attribute::Stride | Attribute::Factor => 1,
        Attribute::Margin | Attribute::Output | Attribute::Dilation => u32::MAX,
    }
}

/// Whether a layer that scales no longer does: equal sizes are easy to have without any.
fn idles(kind: &Kind, attribute: Attribute, values: &[Option<Value>]) -> bool {
    let scales = match attribute {
        Attribute::Stride | Attribute::Factor => true,
        Attribute::Kernel => is_pooling(kind),
        Attribute::OutputPadding
        | Attribute::Padding
        | Attribute::Margin
        | Attribute::Output
        | Attribute::Dilation => false,
    };
    scales && values.contains(&Some(Value::Size(1)))
}

/// Whether the values leap, and how far they move, weighted by how deep the change goes.
pub(crate) fn weights_of(
    kind: &Kind,
    rank: usize,
    attribute: Attribute,
    values: &[Option<Value>],
) -> (u32, u32) {
    let weight = match attribute {
        Attribute::OutputPadding => 1,
        Attribute::Padding | Attribute::Margin => 2,
        Attribute::Kernel | Attribute::Dilation => 3,
        Attribute::Factor | Attribute::Output => 4,
        Attribute::Stride => 5,
    };
    let far = |(axis, value): (usize, &Option<Value>)| match (
        value,
        current(kind, rank, axis, attribute),
    ) {
        (Some(Value::Size(new)), Some(Value::Size(old))) => new.abs_diff(old),
        (Some(_), _) => 2,
        (None, _) => 0,
    };
    let far: Vec<u32> = values.iter().enumerate().map(far).collect();
    let unequal = u32::from(far.contains(&0) && far.iter().any(|&by| by > 0));
    let far = far.iter().max().copied().unwrap_or(0);
    let leaps = u32::from(far > leap(attribute)) + 2 * u32::from(idles(kind, attribute, values));
    (
        leaps,
        far.saturating_add(4)
            .saturating_mul(weight)
            .saturating_add(unequal),
    )
}

/// How far a margin of so many positions moves.
pub(crate) fn margin_effort(cells: u32) -> u32 {
    cells.saturating_add(4).saturating_mul(2)
}

/// The same of inserted margins.
pub(crate) fn margin_weights(values: &[Option<Value>]) -> (u32, u32) {
    let cells = |value: &Option<Value>| match value {
        Some(Value::Size(cells) | Value::Cut(cells)) => *cells,
        Some(Value::Same) | None => 0,
    };
    let far = values.iter().map(cells).max().unwrap_or(0);
    (1, margin_effort(far))
}
