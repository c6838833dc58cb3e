//! What of a layer can be varied, which values are tried, and how they are written.
//!
//! Values are given axis by axis; writing them keeps the text short (`k3` where all axes agree, nothing
//! where the default is meant).

use strata_core::project::layer::Kind;
use strata_core::project::size::{Axes, Margins, Padding};
use strata_core::shape::layers::Shaping;

/// An attribute that changes a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// `op` of a transposed convolution.
    OutputPadding,
    /// `p`.
    Padding,
    /// `k`; of a pooling without its own stride, the stride with it.
    Kernel,
    /// `s`.
    Stride,
    /// `d`; tried is only to leave it out.
    Dilation,
    /// The factor of an upsampling.
    Factor,
    /// The margins of `pad` and `crop`.
    Margin,
    /// The output size of an adaptive pooling.
    Output,
}

/// A value of an attribute along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A number; of margins their sum; of inserted margins the positions that a `pad` adds.
    Size(u32),
    /// Of inserted margins the positions that a `crop` cuts away.
    Cut(u32),
    /// `same` padding.
    Same,
}

impl Value {
    fn size(self) -> Option<u32> {
        match self {
            Value::Size(size) => Some(size),
            Value::Same | Value::Cut(_) => None,
        }
    }
}

/// The margins that are tried where none is yet, the nearest first.
pub(crate) fn inserted_margins(most: u32) -> Vec<Value> {
    let both = |cells| [Value::Size(cells), Value::Cut(cells)];
    (1..=most).flat_map(both).collect()
}

const WINDOW: &[Attribute] = &[
    Attribute::Padding,
    Attribute::Kernel,
    Attribute::Stride,
    Attribute::Dilation,
];
const TRANSPOSED: &[Attribute] = &[
    Attribute::OutputPadding,
    Attribute::Padding,
    Attribute::Kernel,
    Attribute::Stride,
    Attribute::Dilation,
];

/// The attributes of a kind that change sizes.
pub fn attributes(kind: &Kind) -> &'static [Attribute] {
    match kind.shaping() {
        Shaping::Slides { .. } => WINDOW,
        Shaping::Spreads { .. } => TRANSPOSED,
        Shaping::Scales(_) => &[Attribute::Factor],
        Shaping::Grows(_) | Shaping::Shrinks(_) => &[Attribute::Margin],
        Shaping::AdaptsTo(_) => &[Attribute::Output],
        Shaping::Keeps
        | Shaping::Unpools
        | Shaping::Pools
        | Shaping::Flattens
        | Shaping::Features(_)
        | Shaping::Reshapes(_) => &[],
    }
}

/// The values that are tried for an attribute along one axis, without the present one.
pub(crate) fn domain(kind: &Kind, rank: usize, axis: usize, attribute: Attribute) -> Vec<Value> {
    let now = current(kind, rank, axis, attribute);
    let number = now.and_then(Value::size).unwrap_or(0);
    let upto = |least: u32, most: u32| {
        (least..=most.max(number.saturating_add(4).min(64))).map(Value::Size)
    };
    let mut values: Vec<Value> = match attribute {
        Attribute::OutputPadding => upto(0, 5).collect(),
        Attribute::Padding => upto(0, 6).chain([Value::Same]).collect(),
        Attribute::Kernel => upto(1, 9).collect(),
        Attribute::Stride => upto(1, 5).collect(),
        Attribute::Dilation if number > 1 => vec![Value::Size(1)],
        Attribute::Dilation => Vec::new(),
        Attribute::Factor => upto(1, 8).collect(),
        Attribute::Margin => (number.saturating_sub(64)..=number.saturating_add(64))
            .map(Value::Size)
            .collect(),
        Attribute::Output => upto(1, 16).collect(),
    };
    values.retain(|value| Some(*value) != now);
    // The nearest first: a small change is the likelier one.
    values.sort_by_key(|value| value.size().map_or(u32::MAX, |size| size.abs_diff(number)));
    values
}

/// The present value along one axis, defaults filled in; `None` for sizes of another number of axes.
pub fn current(kind: &Kind, rank: usize, axis: usize, attribute: Attribute) -> Option<Value> {
    let at = |axes: &Axes| {
        axes.resolve(rank)?
            .get(axis)
            .and_then(|&size| u32::try_from(size).ok())
            .map(Value::Size)
    };
    let written = |axes: &Option<Axes>, usual: u32| at(axes.as_ref().unwrap_or(&Axes::all(usual)));
    match attribute {
        Attribute::Factor => at(factor(kind)?),
        Attribute::Output => at(adapted_size(kind)?),
        Attribute::Margin => {
            let &(before, after) = written_margins(kind)?.resolve(rank)?.get(axis)?;
            u32::try_from(before + after).ok().map(Value::Size)
        }
        Attribute::Kernel => written(&kind.window()?.kernel_size, default_kernel(kind)),
        Attribute::Stride => {
            let window = kind.window()?;
            match &window.stride {
                None if is_pooling(kind) => written(&window.kernel_size, default_kernel(kind)),
                stride => written(stride, 1),
            }
        }
        Attribute::OutputPadding => written(&kind.window()?.output_padding, 0),
        Attribute::Dilation => written(&kind.window()?.dilation, 1),
        Attribute::Padding => match &kind.window()?.padding {
            Some(Padding::Same) => Some(Value::Same),
            Some(Padding::Zeros(zeros)) => at(zeros),
            Some(Padding::Valid) | None => Some(Value::Size(0)),
        },
    }
}

fn factor(kind: &Kind) -> Option<&Axes> {
    let Shaping::Scales(factor) = kind.shaping() else {
        return None;
    };
    Some(factor)
}

fn adapted_size(kind: &Kind) -> Option<&Axes> {
    let Shaping::AdaptsTo(size) = kind.shaping() else {
        return None;
    };
    Some(size)
}

fn written_margins(kind: &Kind) -> Option<&Margins> {
    let (Shaping::Grows(margins) | Shaping::Shrinks(margins)) = kind.shaping() else {
        return None;
    };
    Some(margins)
}

/// A kind with other values along one axis; only sizes along that axis mean anything then.
pub fn edited(
    kind: &Kind,
    rank: usize,
    axis: usize,
    edits: impl Iterator<Item = (Attribute, Value)>,
) -> Option<Kind> {
    let mut kind = kind.clone();
    for (attribute, value) in edits {
        let mut values = vec![None; rank];
        *values.get_mut(axis)? = Some(value);
        // `same` is a matter of all axes; along one of them the others do not count.
        if attribute == Attribute::Padding {
            values = vec![Some(value); rank];
        }
        write(&mut kind, rank, attribute, &values)?;
    }
    Some(kind)
}

/// Writes the values of an attribute; `None` keeps an axis as it is. `None` when the text cannot say it.
pub fn write(
    kind: &mut Kind,
    rank: usize,
    attribute: Attribute,
    values: &[Option<Value>],
) -> Option<()> {
    let each =
        |axis: usize, given: &Option<Value>| given.or_else(|| current(kind, rank, axis, attribute));
    let all: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(axis, given)| each(axis, given))
        .collect::<Option<_>>()?;
    if attribute == Attribute::Padding && all.contains(&Value::Same) {
        let same = all.iter().all(|value| *value == Value::Same);
        kind.window_mut()?.padding = Some(Padding::Same);
        return same.then_some(());
    }
    let sizes: Vec<u32> = all
        .iter()
        .map(|value| value.size())
        .collect::<Option<_>>()?;
    put(kind, rank, attribute, &sizes)
}

fn put(kind: &mut Kind, rank: usize, attribute: Attribute, sizes: &[u32]) -> Option<()> {
    let axes = short(sizes);
    let pooling = is_pooling(kind);
    let is_zero = axes == Axes::all(0);
    match attribute {
        Attribute::Factor => {
            let Kind::Upsample { factor, .. } = kind else {
                return None;
            };
            *factor = axes;
        }
        Attribute::Output => {
            let Kind::AdaptiveAvgPool { output } = kind else {
                return None;
            };
            *output = axes;
        }
        Attribute::Margin => {
            let (Kind::Pad { margins } | Kind::Crop { margins }) = kind else {
                return None;
            };
            *margins = split(margins, rank, sizes)?;
        }
        Attribute::Kernel => kind.window_mut()?.kernel_size = Some(axes),
        Attribute::Stride => {
            let window = kind.window_mut()?;
            let is_default = !pooling && axes == Axes::all(1) && window.stride.is_none();
            window.stride = (!is_default).then_some(axes);
        }
        Attribute::OutputPadding => {
            kind.window_mut()?.output_padding = (!is_zero).then_some(axes);
        }
        Attribute::Dilation => {
            kind.window_mut()?.dilation = (axes != Axes::all(1)).then_some(axes);
        }
        Attribute::Padding => {
            kind.window_mut()?.padding = (!is_zero).then_some(Padding::Zeros(axes));
        }
    }
    Some(())
}

/// Margins with these sums; a side that is as it was stays, else the odd one is at the end.
fn split(now: &Margins, rank: usize, sums: &[u32]) -> Option<Margins> {
    let now = now.resolve(rank)?;
    let side =
        |(&(before, after), &sum): (&(usize, usize), &u32)| match before + after == sum as usize {
            true => (before as u32, after as u32),
            false => (sum / 2, sum - sum / 2),
        };
    Some(margins(&now.iter().zip(sums).map(side).collect::<Vec<_>>()))
}

/// Margins by axis, in one number where they agree.
pub fn margins(sides: &[(u32, u32)]) -> Margins {
    let equal = sides.windows(2).all(|two| two[0] == two[1]);
    Margins::each(if equal {
        &sides[..sides.len().min(1)]
    } else {
        sides
    })
}

fn short(sizes: &[u32]) -> Axes {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => Axes::all(*first),
        sizes => Axes::each(sizes),
    }
}

fn default_kernel(kind: &Kind) -> u32 {
    if is_pooling(kind) { 2 } else { 3 }
}

/// Whether the stride follows the kernel.
pub(crate) fn is_pooling(kind: &Kind) -> bool {
    matches!(kind, Kind::MaxPool { .. } | Kind::AvgPool { .. })
}
