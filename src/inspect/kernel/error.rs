//! What can be wrong with a kernel or with how it is slid.

use super::MOST_SIDE;

/// A kernel that cannot be, or cannot be laid on this picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// A side of 0 or too many, or rows of different length.
    #[error(
        "a kernel of {}×{} with {values} values: write 1 to {MOST_SIDE} rows with as many values each",
        size[0], size[1]
    )]
    Size {
        /// Height and width.
        size: [usize; 2],
        /// How many values there are.
        values: usize,
    },
    /// Rows of different length.
    #[error(
        "row {row} of the kernel has {has} values and the first row has {first}: give every row as many"
    )]
    Ragged {
        /// The row, from 1.
        row: usize,
        /// Its values.
        has: usize,
        /// Those of the first row.
        first: usize,
    },
    /// Something that is no number.
    #[error("`{0}` is no number: write values such as 1, -0.5 or 1/9, with `;` between the rows")]
    Value(String),
    /// Division by zero.
    #[error("the kernel is divided by {0}: write another divisor")]
    Divisor(f32),
    /// A size that this kernel does not come in.
    #[error("{name} does not come in the size {size}: {help}")]
    NotInSize {
        /// The kernel.
        name: &'static str,
        /// The size that was asked for.
        size: usize,
        /// What it comes in.
        help: String,
    },
    /// A standard deviation that is none.
    #[error("sigma is {0}: write a number above 0")]
    Sigma(f32),
    /// Stride or dilation of 0.
    #[error("{0} is 0: write at least 1")]
    Zero(&'static str),
    /// A window that does not fit.
    #[error(
        "the kernel covers {}×{} and the padded picture is {}×{}: choose a smaller kernel or dilation, or more padding",
        window[0], window[1], picture[0], picture[1]
    )]
    TooLarge {
        /// What the kernel covers, with its dilation.
        window: [usize; 2],
        /// The picture with its padding.
        picture: [usize; 2],
    },
    /// Reflection beyond the picture.
    #[error(
        "reflect padding of {amount} needs more than {amount} pixels and the picture has {side}: choose edge or zero \
         padding, or a smaller kernel"
    )]
    Reflect {
        /// The padding.
        amount: usize,
        /// The picture's side.
        side: usize,
    },
    /// More padding than anybody needs.
    #[error("a padding of {0} pixels: write at most 512")]
    Padding(usize),
    /// A patch that is not in the picture.
    #[error("there is no patch of {}×{} at row {}, column {} in a picture of {}×{}", patch[2], patch[3], patch[0], patch[1], picture[0], picture[1])]
    Patch {
        /// Row, column, height and width.
        patch: [usize; 4],
        /// Height and width of the picture.
        picture: [usize; 2],
    },
    /// A patch of one colour.
    #[error(
        "all pixels of the patch are equal, so there is no pattern in it: select a patch with something in it"
    )]
    Flat,
    /// A patch whose search would take too long.
    #[error("a patch of {}×{}: select one of at most {most}×{most} pixels", size[0], size[1])]
    LargePatch {
        /// Height and width.
        size: [usize; 2],
        /// The longest side.
        most: usize,
    },
    /// A picture without pixels.
    #[error("the picture has no pixels: choose another")]
    Empty,
}
