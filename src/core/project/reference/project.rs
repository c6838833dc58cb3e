//! The settings before all tables, and those of `[network]`.

use super::{Form, Setting};

/// `format`
pub(crate) const FORMAT: Setting = Setting {
    key: "format",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "the number 1, the version of this format",
    example: "1",
    default: "",
    about: "The version of the format, so that later versions can read the file.",
};
/// `title`
pub(crate) const TITLE: Setting = Setting {
    key: "title",
    former: &[],
    form: Form::Text,
    values: "any text in quotes",
    example: "\"My network\"",
    default: "\"\"",
    about: "One line for people; runs are named after it.",
};
/// `seed`
pub const SEED: Setting = Setting {
    key: "seed",
    former: &[],
    form: Form::Whole(u64::MAX),
    values: "a whole number from 0",
    example: "42",
    default: "42",
    about: "All randomness comes from it: the same seed gives the same run.",
};

/// `init`
pub const INIT: Setting = Setting {
    key: "init",
    former: &[],
    form: Form::Words,
    values: "a run's folder or a safetensors file, and which stacks, layers or keys are taken from it, as text",
    example: "\"runs/pretrain-1 encoder\"",
    default: "random weights",
    about: "Weights that the network begins with: of a run or of a safetensors file, all that fit or the stacks, layers \
            and patterns of keys (encoder.*.bias) that are named; a path with spaces stands in single quotes. What does \
            not fit begins anew, and is told.",
};

/// What comes before all tables.
pub const ROOT: &[Setting] = &[FORMAT, TITLE, SEED, INIT];

/// `input`
pub const INPUT: Setting = Setting {
    key: "input",
    former: &[],
    form: Form::Words,
    values: "channels x height x width as text (channels x length for a signal)",
    example: "\"3x32x32\"",
    default: "",
    about: "The shape of one image as the network takes it.",
};
/// `encoder`
pub(crate) const ENCODER: Setting = Setting {
    key: "encoder",
    former: &[],
    form: Form::Layers,
    values: LAYERS,
    example: "[\"conv 16 k3 p1\", \"relu\"]",
    default: "[]",
    about: "The layers from the input to the code.",
};
/// `decoder`
pub(crate) const DECODER: Setting = Setting {
    key: "decoder",
    former: &[],
    form: Form::Layers,
    values: LAYERS,
    example: "[\"convt 3 k3 p1\", \"sigmoid\"]",
    default: "[]",
    about: "The layers from the code back to the input's shape, for stages that reconstruct.",
};
/// `head`
pub(crate) const HEAD: Setting = Setting {
    key: "head",
    former: &[],
    form: Form::Layers,
    values: LAYERS,
    example: "[\"flatten\", \"dense 10\"]",
    default: "[]",
    about: "The layers from the code to one score a class, for stages that classify.",
};
/// `locked`
pub(crate) const LOCKED: Setting = Setting {
    key: "locked",
    former: &[],
    form: Form::Names,
    values: "a list of stacks and layers",
    example: "[\"encoder.0\"]",
    default: "[]",
    about: "Stacks or layers that neither edits nor the solver may change.",
};

/// The settings of `[network]`.
pub(crate) const NETWORK: &[Setting] = &[INPUT, ENCODER, DECODER, HEAD, LOCKED];

const LAYERS: &str = "a list of layers as texts, and blocks { add = […] }, { concat = […] }, \
                      { repeat = 2, layers = […] }";
