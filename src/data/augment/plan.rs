//! What a list of transforms does to the shape of an image, and which of them mean nothing for it.

use super::Size;
use crate::DataError;
use strata_core::project::augment::Augment;

/// The longest side a crop's padding may make.
const LONGEST_SIDE: usize = 16384;

/// A transform with the size of the images that reach it.
#[derive(Clone, Debug)]
pub struct Step {
    pub what: Augment,
    pub from: Size,
    pub to: Size,
    /// Of a table: its transforms.
    pub inner: Vec<Step>,
}

/// Why a transform cannot be used: the problem and what to do.
type Refusal = (String, String);

pub fn steps(augment: &[Augment], from: Size) -> Result<(Vec<Step>, Size), DataError> {
    if augment
        .iter()
        .filter(|what| matches!(what, Augment::Mixup { .. }))
        .count()
        > 1
    {
        return Err(DataError::setting(
            "augment",
            "mixup is given twice",
            "keep one of them",
        ));
    }
    let (mut steps, mut size) = (Vec::with_capacity(augment.len()), from);
    for (index, what) in augment.iter().enumerate() {
        let refused = |(problem, help)| {
            DataError::setting("augment", format!("entry {}: {problem}", index + 1), help)
        };
        let step = step(what, size, true).map_err(refused)?;
        size = step.to;
        steps.push(step);
    }
    Ok((steps, size))
}

/// The α of mixup.
pub fn mixup(augment: &[Augment]) -> Option<f64> {
    augment.iter().find_map(|what| match what {
        Augment::Mixup { alpha } => Some(f64::from(*alpha)),
        _ => None,
    })
}

fn step(what: &Augment, from: Size, top: bool) -> Result<Step, Refusal> {
    fits(what, from, top)?;
    let inner = match what {
        Augment::Apply { steps, .. } => in_turn(steps, from)?,
        Augment::Choice(steps) => steps
            .iter()
            .map(|what| step(what, from, false))
            .collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    let to = out_size(what, from, &inner)?;
    Ok(Step {
        what: what.clone(),
        from,
        to,
        inner,
    })
}

fn in_turn(steps: &[Augment], from: Size) -> Result<Vec<Step>, Refusal> {
    let mut size = from;
    let one = |what| {
        let step = step(what, size, false)?;
        size = step.to;
        Ok(step)
    };
    steps.iter().map(one).collect()
}

/// Refuses what would do nothing, or what there is no sense in.
fn fits(what: &Augment, from: Size, top: bool) -> Result<(), Refusal> {
    let refuse = |problem: String, help: &str| Err((problem, help.to_owned()));
    match what {
        Augment::VFlip { .. } | Augment::Rotate { .. } | Augment::Perspective { .. }
            if from.is_signal() =>
        {
            refuse(
                format!("`{what}` means nothing for signals, which have one row"),
                "use hflip, shift, scale or noise",
            )
        }
        Augment::Hue(_) | Augment::Saturation(_) | Augment::Grayscale { .. }
            if from.channels != 3 =>
        {
            let problem = format!(
                "`{what}` needs images in colour; these have {} channel(s)",
                from.channels
            );
            refuse(problem, "delete it, or give the network's input 3 channels")
        }
        Augment::Mixup { .. } if !top => refuse(
            "mixup blends whole batches".into(),
            "write it in the list `augment` itself, not in a table",
        ),
        _ => Ok(()),
    }
}

fn out_size(what: &Augment, from: Size, inner: &[Step]) -> Result<Size, Refusal> {
    match what {
        Augment::Crop {
            height, width, pad, ..
        } => crop_size(what, from, *height, *width, *pad),
        Augment::Apply { p, .. } => {
            let to = inner.last().map_or(from, |step| step.to);
            if to == from || *p >= 1.0 {
                Ok(to)
            } else {
                Err(unequal(what))
            }
        }
        Augment::Choice(_) => {
            let to = inner.first().map_or(from, |step| step.to);
            if inner.iter().all(|step| step.to == to) {
                Ok(to)
            } else {
                Err(unequal(what))
            }
        }
        _ => Ok(from),
    }
}

fn unequal(what: &Augment) -> Refusal {
    let help = "write the crop in the list `augment` itself, or give it the size the images have";
    (
        format!("`{what}` would make images of different sizes"),
        help.into(),
    )
}

fn crop_size(
    what: &Augment,
    from: Size,
    height: Option<u32>,
    width: u32,
    pad: u32,
) -> Result<Size, Refusal> {
    let width = width as usize;
    let height = height.map_or(if from.is_signal() { 1 } else { width }, |height| {
        height as usize
    });
    let [tall, wide] = padded(from, pad as usize);
    let size = format!("{}×{}", from.height, from.width);
    if height > tall || width > wide {
        let problem = format!(
            "`{what}` is larger than the images, which are {size} and {tall}×{wide} with the padding"
        );
        return Err((
            problem,
            format!("write at most crop {tall}x{wide}, or more padding"),
        ));
    }
    if tall.max(wide) > LONGEST_SIDE {
        return Err((
            format!("`{what}` pads images of {size} to {tall}×{wide}"),
            "write less padding".into(),
        ));
    }
    Ok(Size {
        height,
        width,
        channels: from.channels,
    })
}

/// Height and width with the padding on both sides; a signal is padded in time alone.
pub fn padded(from: Size, pad: usize) -> [usize; 2] {
    let rows = if from.is_signal() { 0 } else { pad };
    [from.height + 2 * rows, from.width + 2 * pad]
}
