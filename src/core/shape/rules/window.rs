//! The sliding window: its attributes with defaults filled in, and the arithmetic of one axis.
//!
//! All sizes are at most 2^30 here (attributes were checked, shapes are so by construction), so
//! products stay below 2^60 and sums below 2^62: plain `i64` arithmetic can't overflow.

use crate::project::help::{Attribute, Help, Repair};
use crate::project::layer::Window;
use crate::project::size::{Axes, MAX_SIZE, Padding, Shape};
use crate::shape::error::{ShapeError, times};
use crate::shape::op::Geometry;
use crate::shape::partial_shape::PartialShape;

/// What a window is when its text leaves something out.
#[derive(Clone, Copy)]
pub struct Defaults {
    kernel: i64,
    /// The stride is the kernel's size (pooling) instead of 1.
    stride_is_kernel: bool,
}

/// Convolutions: k3 s1.
pub(crate) const CONV: Defaults = Defaults {
    kernel: 3,
    stride_is_kernel: false,
};
/// Pooling: k2 and a stride of the kernel's size.
pub(crate) const POOL: Defaults = Defaults {
    kernel: 2,
    stride_is_kernel: true,
};

/// One axis of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Elements of the kernel.
    pub kernel: i64,
    /// Elements from one window to the next.
    pub stride: i64,
    /// Elements from one tap of the kernel to the next.
    pub dilation: i64,
    /// Zeros at each end; `None` for `same`.
    pub pad: Option<i64>,
    /// Elements that a transposed one adds at its end.
    pub output_padding: i64,
}

/// Where a window fits: how many positions, and the zeros before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    pub size: i64,
    pub before: i64,
}

impl Axis {
    /// An axis that nothing slides along.
    const UNIT: Axis = Axis {
        kernel: 1,
        stride: 1,
        dilation: 1,
        pad: Some(0),
        output_padding: 0,
    };

    /// Cells from the window's first to its last.
    pub fn span(&self) -> i64 {
        self.dilation * (self.kernel - 1) + 1
    }

    /// The positions of the window over `n` cells; `None` when it is larger than the padded input.
    pub fn slide(&self, n: i64) -> Option<Fit> {
        let Some(pad) = self.pad else {
            return Some(self.slide_same(n));
        };
        let room = n + 2 * pad - self.span();
        (room >= 0).then(|| Fit {
            size: room / self.stride + 1,
            before: pad,
        })
    }

    /// TensorFlow's `same`: ⌈n/s⌉ positions, the odd zero at the end.
    fn slide_same(&self, n: i64) -> Fit {
        let size = (n + self.stride - 1) / self.stride;
        let zeros = ((size - 1) * self.stride + self.span() - n).max(0);
        Fit {
            size,
            before: zeros / 2,
        }
    }

    /// The cells that `n` positions of the transposed window cover; may be below 1.
    pub fn spread(&self, n: i64) -> Fit {
        match self.pad {
            None => Fit {
                size: n * self.stride,
                before: (self.span() - self.stride).max(0) / 2,
            },
            Some(pad) => Fit {
                size: (n - 1) * self.stride - 2 * pad + self.span() + self.output_padding,
                before: pad,
            },
        }
    }
}

/// Sets what was written for one attribute on every axis; its letter and sizes when they are for
/// another number of axes.
fn fill<'a>(
    own: &mut [Axis],
    letter: &'static str,
    axes: Option<&'a Axes>,
    set: fn(&mut Axis, i64),
) -> Result<(), (&'static str, &'a Axes)> {
    let Some(axes) = axes else { return Ok(()) };
    match axes.sizes() {
        [one] => own.iter_mut().for_each(|axis| set(axis, i64::from(*one))),
        each if each.len() == own.len() => own
            .iter_mut()
            .zip(each)
            .for_each(|(axis, size)| set(axis, i64::from(*size))),
        _ => return Err((letter, axes)),
    }
    Ok(())
}

/// A window over the axes of one input.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Axes after the channels.
    pub rank: usize,
    /// Always three; the last `rank` are the input's.
    axes: [Axis; 3],
}

impl Windows {
    /// The window with defaults filled in for this input; refuses vectors and sizes for another
    /// number of axes.
    pub fn new(window: &Window, input: &Shape, defaults: Defaults) -> Result<Windows, ShapeError> {
        if input.is_vector() {
            return Err(on_vector(input.channels()));
        }
        Windows::for_rank(window, input.rank(), defaults).map_err(|(letter, axes)| {
            let message = format!(
                "{letter}{axes} gives {} sizes, but the input {input} has {}",
                axes.sizes().len(),
                axes_word(input.rank())
            );
            let one = axes.sizes().first().copied().unwrap_or(1);
            let each = vec![one.to_string(); input.rank()].join("x");
            ShapeError::new(message).help(format!(
                "write one number ({letter}{one}) or one for each axis ({letter}{each})"
            ))
        })
    }

    /// The same for a known number of axes; the letter and sizes that don't fit otherwise.
    fn for_rank(
        window: &Window,
        rank: usize,
        defaults: Defaults,
    ) -> Result<Windows, (&'static str, &Axes)> {
        let mut axes = [Axis::UNIT; 3];
        let own = &mut axes[3 - rank..];
        own.iter_mut()
            .for_each(|axis| axis.kernel = defaults.kernel);
        fill(own, "k", window.kernel_size.as_ref(), |axis, size| {
            axis.kernel = size
        })?;
        if defaults.stride_is_kernel {
            own.iter_mut().for_each(|axis| axis.stride = axis.kernel);
        }
        fill(own, "s", window.stride.as_ref(), |axis, size| {
            axis.stride = size
        })?;
        fill(own, "d", window.dilation.as_ref(), |axis, size| {
            axis.dilation = size
        })?;
        fill(own, "op", window.output_padding.as_ref(), |axis, size| {
            axis.output_padding = size
        })?;
        match &window.padding {
            Some(Padding::Same) => own.iter_mut().for_each(|axis| axis.pad = None),
            Some(Padding::Zeros(zeros)) => {
                fill(own, "p", Some(zeros), |axis, size| axis.pad = Some(size))?
            }
            Some(Padding::Valid) | None => {}
        }
        Ok(Windows { rank, axes })
    }

    /// Only the axes of the input.
    pub fn own(&self) -> &[Axis] {
        &self.axes[3 - self.rank..]
    }

    /// Slides the window over an input, as convolutions and pooling do.
    pub fn slide(&self, input: &Shape) -> Result<Geometry, ShapeError> {
        let cells = input.volume();
        let mut geometry = self.geometry();
        geometry.input = cells;
        for (i, axis) in self.axes.iter().enumerate() {
            let fit = axis
                .slide(cells[i] as i64)
                .ok_or_else(|| self.too_large(input))?;
            (geometry.output[i], geometry.pad[i]) = (fit.size as usize, fit.before as usize);
        }
        bounded(geometry)
    }

    /// Spreads an input through the window, as transposed convolutions do. In the geometry `input`
    /// is the layer's output.
    pub fn spread(&self, input: &Shape) -> Result<Geometry, ShapeError> {
        let positions = input.volume();
        let mut geometry = self.geometry();
        geometry.output = positions;
        let fits: Vec<Fit> = self
            .axes
            .iter()
            .zip(positions)
            .map(|(axis, n)| axis.spread(n as i64))
            .collect();
        if fits.iter().any(|fit| fit.size < 1) {
            return Err(self.nothing_left(&fits[3 - self.rank..]));
        }
        for (i, fit) in fits.iter().enumerate() {
            (geometry.input[i], geometry.pad[i]) = (fit.size as usize, fit.before as usize);
        }
        bounded(geometry)
    }

    fn geometry(&self) -> Geometry {
        let each = |f: fn(&Axis) -> i64| self.axes.each_ref().map(|axis| f(axis) as usize);
        Geometry {
            input: [1; 3],
            output: [1; 3],
            kernel: each(|axis| axis.kernel),
            stride: each(|axis| axis.stride),
            dilation: each(|axis| axis.dilation),
            pad: [0; 3],
        }
    }

    fn too_large(&self, input: &Shape) -> ShapeError {
        let axes = self.own();
        let kernel = times(&axes.iter().map(|a| a.kernel).collect::<Vec<_>>());
        let sizes: Vec<i64> = input.spatial().iter().map(|&n| n as i64).collect();
        let padded = times(
            &sizes
                .iter()
                .zip(axes)
                .map(|(n, a)| n + 2 * a.pad.unwrap_or(0))
                .collect::<Vec<_>>(),
        );
        let spread = match axes.iter().any(|a| a.dilation > 1) {
            true => format!(
                ", {} wide with its dilation,",
                times(&axes.iter().map(Axis::span).collect::<Vec<_>>())
            ),
            false => String::new(),
        };
        let message = format!(
            "kernel {kernel}{spread} is larger than the input {} (padded: {padded})",
            times(&sizes)
        );
        let fits: Vec<i64> = sizes
            .iter()
            .zip(axes)
            .map(|(n, a)| ((n + 2 * a.pad.unwrap_or(0) - 1) / a.dilation + 1).min(a.kernel))
            .collect();
        let needed = sizes
            .iter()
            .zip(axes)
            .map(|(n, a)| (a.span() - n + 1).div_euclid(2).max(0))
            .max()
            .unwrap_or(0);
        let kernel = Help::from(Repair::Set(Attribute::Kernel(sizes_of(&fits))));
        let padding = Help::from(Repair::Set(Attribute::Padding(sizes_of(&[needed]))));
        let usual = |size: u32| Help::from(Repair::Set(Attribute::Kernel(Axes::all(size))));
        let usual = USUAL
            .into_iter()
            .find(|&size| fits.iter().all(|&fit| i64::from(size) < fit))
            .map(|size| usual(size).remark(", a usual size").or());
        ShapeError::new(message)
            .help(kernel.remark(" (or smaller)"))
            .maybe_help(usual)
            .help(padding.remark(", which pads the input").or())
            .help("or shrink the input less before: fewer poolings, smaller strides")
    }

    fn nothing_left(&self, fits: &[Fit]) -> ShapeError {
        let sizes = times(&fits.iter().map(|fit| fit.size).collect::<Vec<_>>());
        let message = format!("the padding cuts everything away: the output would be {sizes}");
        // The largest equal padding that leaves one cell on every axis.
        let spare = fits
            .iter()
            .zip(self.own())
            .map(|(fit, axis)| (fit.size + 2 * axis.pad.unwrap_or(0) - 1) / 2);
        let most = sizes_of(&[spare.min().unwrap_or(0)]);
        ShapeError::new(message)
            .help(Help::from(Repair::Set(Attribute::Padding(most))).remark(" or less"))
    }
}

/// Kernels that leave something for the layers behind them, from the largest.
const USUAL: [u32; 2] = [3, 2];

/// Sizes as an attribute has them: one number where all axes have the same.
fn sizes_of(sizes: &[i64]) -> Axes {
    let sizes: Vec<u32> = sizes
        .iter()
        .map(|&size| u32::try_from(size).unwrap_or(0))
        .collect();
    match sizes.split_first() {
        Some((first, rest)) if rest.iter().all(|size| size == first) => Axes::all(*first),
        _ => Axes::each(&sizes),
    }
}

/// The most cells that a window may read at all its positions together: the kernels keep a table of them.
pub(crate) const MAX_CELLS: u64 = 1 << 28;

/// Refuses a window that reads more cells than any machine would finish.
fn bounded(geometry: Geometry) -> Result<Geometry, ShapeError> {
    let sizes = geometry.output.iter().chain(&geometry.kernel);
    let cells = sizes.fold(1u64, |product, &size| product.saturating_mul(size as u64));
    if cells <= MAX_CELLS {
        return Ok(geometry);
    }
    let (kernel, positions) = (times(&geometry.kernel), times(&geometry.output));
    let message = format!(
        "a window of {kernel} cells at {positions} positions is too much: at most 2^28 cells are possible"
    );
    Err(ShapeError::new(message).help("use a smaller kernel, or a smaller input"))
}

/// The axes of a window over an input with `rank` of them; `None` when it is for another number.
pub fn axes(window: &Window, rank: usize, defaults: Defaults) -> Option<Vec<Axis>> {
    let fits = (1..=3).contains(&rank);
    fits.then(|| Windows::for_rank(window, rank, defaults).ok())
        .flatten()
        .map(|windows| windows.own().to_vec())
}

fn on_vector(features: usize) -> ShapeError {
    let side = (1..=8usize)
        .rev()
        .find(|side| features.is_multiple_of(side * side))
        .unwrap_or(1);
    let channels = features / (side * side);
    ShapeError::new(format!(
        "a window slides over an image or a signal, but the input is a vector of {features}"
    ))
    .help(Help::insert(&format!("reshape {channels}x{side}x{side}")))
    .help("or move this layer before `flatten`, or use `dense`")
}

pub(crate) fn axes_word(rank: usize) -> String {
    if rank == 1 {
        "1 axis".into()
    } else {
        format!("{rank} axes")
    }
}

/// Channels and the last `rank` of three sizes, as they go into a shape.
pub fn dims(channels: usize, rank: usize, sizes: &[usize; 3]) -> Vec<u64> {
    std::iter::once(channels)
        .chain(sizes[3 - rank..].iter().copied())
        .map(|size| size as u64)
        .collect()
}

/// What is known after a window has slid over a partly known input.
pub(crate) fn slid_outline(
    input: &PartialShape,
    channels: Option<usize>,
    window: &Window,
    defaults: Defaults,
) -> PartialShape {
    outline(input, channels, window, defaults, |axis, n| axis.slide(n))
}

/// What is known after a partly known input was spread through a window.
pub(crate) fn spread_outline(
    input: &PartialShape,
    channels: Option<usize>,
    window: &Window,
) -> PartialShape {
    outline(input, channels, window, CONV, |axis, n| {
        Some(axis.spread(n))
    })
}

fn outline(
    input: &PartialShape,
    channels: Option<usize>,
    window: &Window,
    defaults: Defaults,
    fit: impl Fn(&Axis, i64) -> Option<Fit>,
) -> PartialShape {
    // A window never gives a vector: on one (an error there) the number of axes is open again.
    let rank = input.spatial().map(<[_]>::len).filter(|&rank| rank > 0);
    let Some(rank) = rank else {
        return PartialShape::channels_only(channels);
    };
    let windows = super::check::window(window)
        .ok()
        .and_then(|()| Windows::for_rank(window, rank, defaults).ok());
    let Some(windows) = windows else {
        return input.map(channels, |_, _| None);
    };
    input.map(channels, |axis, n| {
        let size = fit(&windows.own()[axis], n as i64)?.size;
        (1..=i64::from(MAX_SIZE))
            .contains(&size)
            .then_some(size as usize)
    })
}
