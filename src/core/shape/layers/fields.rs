//! A layer's attributes as fields of a form: what each holds, what it is where it is left out, how the text says it.
//!
//! Every layer lists its own in its [`LayerWord`](super::LayerWord); reading a layer's text, the help of the terminal
//! and the form of the window go by that list. How a field is read from a layer and written into it is in
//! `field_values`.

/// One attribute of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerField {
    /// PyTorch's name of it.
    pub name: &'static str,
    /// How the text says it.
    pub key: FieldKey,
    /// What it holds.
    pub form: FieldForm,
    /// What it is where it is left out; nothing for one that must be written.
    pub default: &'static str,
    /// One sentence for people.
    pub about: &'static str,
}

/// How a layer's text says an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKey {
    /// Behind the layer's word: `conv 32`.
    Place,
    /// The same, or behind this letter: `maxpool 2`, `maxpool k2`.
    PlaceOr(&'static str),
    /// Behind these letters: `k3`.
    Letters(&'static str),
    /// By a word: `bilinear`.
    Word(&'static str),
    /// By leaving a word out: `nobias`.
    Without(&'static str),
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldForm {
    /// A whole number from 1.
    Count,
    /// A whole number from this one on, or one for each axis: `3`, `3x5`.
    Sizes(u32),
    /// Zeros at the ends, or `same` or `valid`.
    Padding,
    /// What is added to or cut from the ends of each axis: `1`, `1x2`, `0+1x2`.
    Margins,
    /// A shape, channels first.
    Shape,
    /// A number, with the step that its arrows take.
    Number(f32),
    /// Yes or no.
    Flag,
}

/// Filters of a convolution.
pub(super) const OUT_CHANNELS: LayerField = LayerField {
    name: "out_channels",
    key: FieldKey::Place,
    form: FieldForm::Count,
    default: "",
    about: "The number of filters: channels of the output (Keras filters).",
};

/// Outputs of a dense layer.
pub(super) const OUT_FEATURES: LayerField = LayerField {
    name: "out_features",
    key: FieldKey::Place,
    form: FieldForm::Count,
    default: "",
    about: "The number of outputs (Keras units).",
};

/// The kernel of a convolution.
pub(super) const KERNEL: LayerField = LayerField {
    name: "kernel_size",
    key: FieldKey::Letters("k"),
    form: FieldForm::Sizes(1),
    default: "3",
    about: "The size of the sliding window.",
};

/// The window of a pooling.
pub(super) const POOL_KERNEL: LayerField = LayerField {
    name: "kernel_size",
    key: FieldKey::PlaceOr("k"),
    form: FieldForm::Sizes(1),
    default: "2",
    about: "The size of the window (Keras pool_size).",
};

/// The stride of a convolution.
pub(super) const STRIDE: LayerField = LayerField {
    name: "stride",
    key: FieldKey::Letters("s"),
    form: FieldForm::Sizes(1),
    default: "1",
    about: "How far the window moves at a time: 2 halves the size (Keras strides).",
};

/// The stride of a pooling.
pub(super) const POOL_STRIDE: LayerField = LayerField {
    default: "kernel_size",
    about: "How far the window moves at a time; the window's own size unless given.",
    ..STRIDE
};

/// Zeros around the input of a window.
pub(super) const PADDING: LayerField = LayerField {
    name: "padding",
    key: FieldKey::Letters("p"),
    form: FieldForm::Padding,
    default: "0",
    about: "Zeros at both ends of every axis. same: the output is the input's size divided by the stride, rounded \
            up; valid: none.",
};

/// What a transposed convolution adds to its output.
pub(super) const OUTPUT_PADDING: LayerField = LayerField {
    name: "output_padding",
    key: FieldKey::Letters("op"),
    form: FieldForm::Sizes(0),
    default: "0",
    about: "Rows and columns added at the end of the output: chooses among the sizes that the stride leaves open.",
};

/// Gaps in the window.
pub(super) const DILATION: LayerField = LayerField {
    name: "dilation",
    key: FieldKey::Letters("d"),
    form: FieldForm::Sizes(1),
    default: "1",
    about: "The distance between the kernel's taps: 2 leaves one cell out between them.",
};

/// Groups of channels.
pub(super) const GROUPS: LayerField = LayerField {
    name: "groups",
    key: FieldKey::Letters("g"),
    form: FieldForm::Count,
    default: "1",
    about: "Input and output channels are split into so many groups, each with filters of its own.",
};

/// Channels out for each channel in.
pub(super) const MULTIPLIER: LayerField = LayerField {
    name: "multiplier",
    key: FieldKey::Letters("m"),
    form: FieldForm::Count,
    default: "1",
    about: "Output channels for each input channel (Keras depth_multiplier).",
};

/// A number added to each output.
pub(super) const BIAS: LayerField = LayerField {
    name: "bias",
    key: FieldKey::Without("nobias"),
    form: FieldForm::Flag,
    default: "yes",
    about: "A learned number added to each output channel. Before a norm it does nothing.",
};

/// A field behind the layer's word that must be written.
pub(super) const fn placed(name: &'static str, form: FieldForm, about: &'static str) -> LayerField {
    LayerField {
        name,
        key: FieldKey::Place,
        form,
        default: "",
        about,
    }
}

/// A field that a word switches on.
pub(super) const fn switched(
    name: &'static str,
    word: &'static str,
    about: &'static str,
) -> LayerField {
    LayerField {
        name,
        key: FieldKey::Word(word),
        form: FieldForm::Flag,
        default: "no",
        about,
    }
}

/// What a flag says.
pub const YES: &str = "yes";
/// What a flag says otherwise.
pub const NO: &str = "no";

impl LayerField {
    /// The letters or the word that the text has it by; `None` where it has only a place.
    pub fn attribute(&self) -> Option<&'static str> {
        match self.key {
            FieldKey::Place => None,
            FieldKey::PlaceOr(word)
            | FieldKey::Letters(word)
            | FieldKey::Word(word)
            | FieldKey::Without(word) => Some(word),
        }
    }

    /// Whether the attribute is a word without a number.
    pub(super) fn is_word(&self) -> bool {
        matches!(self.key, FieldKey::Word(_) | FieldKey::Without(_))
    }
}
