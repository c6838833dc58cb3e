//! Sliding windows: convolutions and poolings, with the sizes that come out of them.

use super::super::IncomingError;
use super::graph::{attribute, int, ints, text};
use super::reader::{State, refused};
use onnx_rs::ast::Node;

/// A window over the axes of space.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
    pub before: Vec<usize>,
    pub after: Vec<usize>,
    /// Whether the file asks for `SAME_UPPER`.
    pub is_same: bool,
}

impl Window {
    /// That of a node, over axes of space of these sizes. `kernel` where a weight says it.
    pub fn of(
        node: &Node<'_>,
        kernel: Option<&[usize]>,
        space: &[usize],
    ) -> Result<Window, IncomingError> {
        let sizes = |name: &str| -> Option<Vec<usize>> {
            let sizes = ints(node, name)?;
            sizes
                .iter()
                .map(|&size| usize::try_from(size).ok())
                .collect()
        };
        let axes = space.len();
        let kernel = sizes("kernel_shape")
            .or(kernel.map(<[usize]>::to_vec))
            .filter(|kernel| kernel.len() == axes)
            .ok_or_else(|| refused(node, "its window has another number of axes than its input"))?;
        let one = || vec![1; axes];
        let pads = ints(node, "pads").unwrap_or_else(|| vec![0; 2 * axes]);
        let pads: Option<Vec<usize>> = pads.iter().map(|&pad| usize::try_from(pad).ok()).collect();
        let pads = pads
            .filter(|pads| pads.len() == 2 * axes)
            .ok_or_else(|| refused(node, "it pads by less than nothing"))?;
        let is_same = match text(node, "auto_pad") {
            None | Some("NOTSET" | "VALID" | "") => false,
            Some("SAME_UPPER") => true,
            Some(other) => {
                return Err(refused(node, format!("auto_pad {other} is not known here")));
            }
        };
        Ok(Window {
            kernel,
            stride: sizes("strides").unwrap_or_else(one),
            dilation: sizes("dilations").unwrap_or_else(one),
            before: pads[..axes].to_vec(),
            after: pads[axes..].to_vec(),
            is_same,
        })
    }

    fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// How many positions there are along every axis of these sizes; none where the window is larger.
    pub fn positions(&self, space: &[usize]) -> Option<Vec<usize>> {
        let along = |(axis, &size): (usize, &usize)| {
            if self.is_same {
                return Some(size.div_ceil(self.stride[axis]));
            }
            let room =
                (size + self.before[axis] + self.after[axis]).checked_sub(self.reach(axis))?;
            Some(room / self.stride[axis] + 1)
        };
        space.iter().enumerate().map(along).collect()
    }

    /// Cuts what is padded behind to what some position reads, or adds what `ceil_mode` needs for one more.
    pub fn fit(&mut self, space: &[usize], rounds_up: bool) {
        for (axis, &size) in space.iter().enumerate() {
            let whole = size + self.before[axis] + self.after[axis];
            let Some(room) = whole.checked_sub(self.reach(axis)) else {
                continue;
            };
            let stride = self.stride[axis];
            let mut positions = room / stride + 1;
            // One more only where it begins within the input or what is padded before it.
            if rounds_up && room % stride != 0 && positions * stride < size + self.before[axis] {
                positions += 1;
            }
            let read = (positions - 1) * stride + self.reach(axis);
            let after = read.saturating_sub(size + self.before[axis]);
            // Padding as much behind as before changes nothing where no position reads it.
            let even = (size + 2 * self.before[axis]).checked_sub(self.reach(axis));
            let is_alike = even.is_some_and(|room| room / stride + 1 == positions);
            self.after[axis] = match after <= self.before[axis] && is_alike {
                true => self.before[axis],
                false => after,
            };
        }
    }

    /// Whether it pads what `same` does: as many positions as the stride leaves, an odd rest behind.
    pub fn pads_as_same(&self, space: &[usize]) -> bool {
        space.iter().enumerate().all(|(axis, &size)| {
            let positions = size.div_ceil(self.stride[axis]);
            let read = positions.saturating_sub(1) * self.stride[axis] + self.reach(axis);
            let pads = read.saturating_sub(size);
            self.before[axis] == pads / 2 && self.after[axis] == pads - pads / 2
        })
    }

    /// Whether as much is padded behind as before.
    pub fn is_even(&self) -> bool {
        self.before == self.after
    }

    /// Leaves what both sides have in common; gives what is over before and after.
    pub fn cut_evenly(&mut self) -> (Vec<usize>, Vec<usize>) {
        let pairs = self.before.iter().zip(&self.after);
        let common: Vec<usize> = pairs.map(|(before, after)| *before.min(after)).collect();
        let over = |side: &[usize]| {
            side.iter()
                .zip(&common)
                .map(|(all, some)| all - some)
                .collect()
        };
        let rest = (over(&self.before), over(&self.after));
        (self.before, self.after) = (common.clone(), common);
        rest
    }

    /// What pads of its own a layer before it has to add: `pad 1+2x0+1`, where there are any that the window cannot.
    pub fn pad_text(&self) -> Option<String> {
        (!self.is_same && !self.is_even()).then(|| margins_text("pad", &self.before, &self.after))
    }

    /// Its attributes as a layer's text has them; a stride of `usual` is left out.
    pub fn text(&self, usual: &[usize]) -> String {
        let mut out = format!(" k{}", by_axis(&self.kernel));
        if self.stride != usual {
            out.push_str(&format!(" s{}", by_axis(&self.stride)));
        }
        if self.is_same {
            out.push_str(" psame");
        } else if self.is_even() && self.before.iter().any(|&pad| pad > 0) {
            out.push_str(&format!(" p{}", by_axis(&self.before)));
        }
        if self.dilation.iter().any(|&step| step != 1) {
            out.push_str(&format!(" d{}", by_axis(&self.dilation)));
        }
        out
    }
}

/// `3`, or `3x5` where the axes differ.
pub(super) fn by_axis(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => first.to_string(),
        _ => sizes
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join("x"),
    }
}

/// `pad 1`, `pad 0+1x0+1`.
pub(super) fn margins_text(word: &str, before: &[usize], after: &[usize]) -> String {
    let all: Vec<usize> = before.iter().chain(after).copied().collect();
    if let [first, rest @ ..] = all.as_slice()
        && rest.iter().all(|size| size == first)
    {
        return format!("{word} {first}");
    }
    let axis = |(before, after): (&usize, &usize)| format!("{before}+{after}");
    let axes: Vec<String> = before.iter().zip(after).map(axis).collect();
    format!("{word} {}", axes.join("x"))
}

/// What comes out of a transposed convolution that cuts as much from both sides, with as much added behind as
/// `output_padding` says.
pub(super) fn transposed(
    node: &Node<'_>,
    window: &Window,
    state: &State,
) -> Result<(Vec<usize>, Vec<usize>), IncomingError> {
    let axes = state.dims.len() - 1;
    if window.is_same || attribute(node, "output_shape").is_some() {
        return Err(refused(node, "its size is not given by padding"));
    }
    let added: Vec<usize> = ints(node, "output_padding")
        .unwrap_or_else(|| vec![0; axes])
        .iter()
        .map(|&size| size.max(0) as usize)
        .collect();
    let size = |axis: usize| {
        let whole =
            (state.dims[axis + 1] - 1) * window.stride[axis] + window.reach(axis) + added[axis];
        whole.checked_sub(2 * window.before[axis])
    };
    let sizes: Option<Vec<usize>> = (0..axes).map(size).collect();
    let sizes = sizes.ok_or_else(|| refused(node, "it leaves nothing"))?;
    Ok((sizes, added))
}

/// Whether a pooling rounds the number of its positions up.
pub(super) fn rounds_up(node: &Node<'_>) -> bool {
    int(node, "ceil_mode", 0) == 1
}
