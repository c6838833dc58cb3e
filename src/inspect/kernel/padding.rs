//! The pixels around a picture when a kernel reaches over its border.
//!
//! Zero, reflect and edge mean what PyTorch's `zeros`, `reflect` and `replicate` mean. Fails where reflection would
//! reach beyond the picture, and on amounts without use.

use super::{KernelError, Settings};
use serde::{Deserialize, Serialize};

/// More padding than this is refused.
const MOST: usize = 512;

/// The pixels outside the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// Zeros: black.
    #[default]
    Zero,
    /// The picture mirrored at its outermost pixel, which is not repeated.
    Reflect,
    /// The outermost pixel again and again.
    Edge,
}

impl Border {
    /// All of them.
    pub const ALL: [Border; 3] = [Border::Zero, Border::Reflect, Border::Edge];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Border::Zero => "zero",
            Border::Reflect => "reflect",
            Border::Edge => "edge",
        }
    }
}

/// How much is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// Nothing: the kernel stays inside.
    Valid,
    /// As much as makes the result ⌈N/stride⌉, the odd pixel at the end (as a layer's `same`).
    #[default]
    Same,
    /// So many pixels on each side.
    By(usize),
}

/// Pixels added before and after, by axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margins {
    /// Above and below.
    pub rows: [usize; 2],
    /// Left and right.
    pub columns: [usize; 2],
}

/// The margins for a picture and a kernel of these sizes. A signal is never padded above and below by `By`.
pub(super) fn margins(
    picture: [usize; 2],
    kernel: [usize; 2],
    settings: &Settings,
) -> Result<Margins, KernelError> {
    let of = |axis: usize| match settings.amount {
        Amount::Valid => [0, 0],
        Amount::By(_) if picture == [1, picture[1]] && axis == 0 => [0, 0],
        Amount::By(amount) => [amount, amount],
        Amount::Same => {
            let steps = picture[axis].div_ceil(settings.stride).saturating_sub(1);
            let reach = steps * settings.stride + settings.dilation * (kernel[axis] - 1) + 1;
            let total = reach.saturating_sub(picture[axis]);
            [total / 2, total - total / 2]
        }
    };
    let margins = Margins {
        rows: of(0),
        columns: of(1),
    };
    check(&margins, picture, settings).map(|()| margins)
}

fn check(margins: &Margins, picture: [usize; 2], settings: &Settings) -> Result<(), KernelError> {
    for (amounts, side) in [(margins.rows, picture[0]), (margins.columns, picture[1])] {
        let amount = amounts[0].max(amounts[1]);
        if amount > MOST {
            return Err(KernelError::Padding(amount));
        }
        if settings.border == Border::Reflect && amount >= side {
            return Err(KernelError::Reflect { amount, side });
        }
    }
    Ok(())
}

/// The pixel of an axis of `side` pixels at a position, which may be outside; `None` for a zero.
pub(super) fn source(at: i64, side: usize, border: Border) -> Option<usize> {
    let last = side as i64 - 1;
    let inside = (0..=last).contains(&at);
    let place = match border {
        _ if inside => at,
        Border::Zero => return None,
        Border::Edge => at.clamp(0, last),
        Border::Reflect if at < 0 => -at,
        Border::Reflect => 2 * last - at,
    };
    usize::try_from(place).ok().filter(|place| *place < side)
}
