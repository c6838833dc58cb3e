//! The settings of `[[stage]]`.

use super::{Form, Setting};
use crate::project::data::Split;
use crate::project::stage::{Decay, Task};

/// `name`
pub const NAME: Setting = Setting {
    key: "name",
    former: &[],
    form: Form::Text,
    values: "any text in quotes",
    example: "\"train\"",
    default: "",
    about: "Its name in tables, in the curves and in the run's files.",
};
/// `task`
pub const TASK: Setting = Setting {
    key: "task",
    former: &[],
    form: Form::Word(|| Task::ALL.map(Task::name).to_vec()),
    values: "",
    example: "\"classify\"",
    default: "",
    about: "reconstruct trains encoder and decoder to give back the input; classify trains encoder and head to name \
            the class.",
};
/// `split`
pub const SPLIT: Setting = Setting {
    key: "split",
    former: &[],
    form: Form::Word(|| Split::ALL.map(Split::name).to_vec()),
    values: "",
    example: "\"train\"",
    default: "\"train\"",
    about: "The images it trains on.",
};
/// `loss`
pub(crate) const LOSS: Setting = Setting {
    key: "loss",
    former: &[],
    form: Form::Words,
    values: "mse, l1, huber, smooth-l1, ssim or bce to reconstruct, cross-entropy (or bce, for two classes by one score, and for several labels an image by a score for each) to classify, as text",
    example: "\"mse\"",
    default: "",
    about: "What is minimised.",
};
/// `class_weights`
pub const CLASS_WEIGHTS: Setting = Setting {
    key: "class_weights",
    former: &[],
    form: Form::WordsOrNumbers,
    values: "balanced, or a number for each class",
    example: "\"balanced\"",
    default: "1 for each",
    about: "How much the images of each class count in the loss: balanced lets every class count alike, however few \
            images it has (scikit-learn); the mean is weighted as in PyTorch. Where an image may have several labels, how much each \
            that it has counts (pos_weight): balanced lets having it count as much as not having it.",
};
/// `optimizer`
pub const OPTIMIZER: Setting = Setting {
    key: "optimizer",
    former: &[],
    form: Form::Words,
    values: "sgd, adam, adamw, rmsprop or adagrad with its settings, as text",
    example: "\"adam lr=1e-3\"",
    default: "\"adam lr=1e-3\"",
    about: "How weights are changed.",
};
/// `rate_factors`
pub const RATE_FACTORS: Setting = Setting {
    key: "rate_factors",
    former: &[],
    form: Form::Words,
    values: "a stack, a layer or pretrained with its factor, as text",
    example: "\"encoder=0.1\"",
    default: "1 for all",
    about: "Factors on the learning rate: encoder=0.1 head=2, of a layer encoder.0=0.5, of all that an earlier stage \
            trained pretrained=0.1. Of several that name a layer the last holds.",
};
/// `decay`
pub const DECAY: Setting = Setting {
    key: "decay",
    former: &[],
    form: Form::Word(|| Decay::ALL.map(Decay::name).to_vec()),
    values: "",
    example: "\"weights\"",
    default: "\"all\"",
    about: "What the optimizer's weight decay acts on: all parameters, as in PyTorch, or weights without biases and \
            norms.",
};
/// `clip`
pub const CLIP: Setting = Setting {
    key: "clip",
    former: &[],
    form: Form::Words,
    values: "norm or value with its bound, as text",
    example: "\"norm=1\"",
    default: "off",
    about: "Keeps gradients within a bound: norm=1 scales all of them together by their norm, value=0.5 cuts each number.",
};
/// `schedule`
pub const SCHEDULE: Setting = Setting {
    key: "schedule",
    former: &[],
    form: Form::Words,
    values: "constant, cosine, step, multistep, exponential, polynomial, onecycle or plateau with its settings, as text",
    example: "\"cosine warmup=1\"",
    default: "constant",
    about: "How the learning rate changes. cosine, polynomial, onecycle and every warm-up change it at each update, \
            step, multistep, exponential and plateau at the end of epochs.",
};
/// `epochs`
pub const EPOCHS: Setting = Setting {
    key: "epochs",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1",
    example: "10",
    default: "",
    about: "Passes over the training images.",
};
/// `batch`
pub const BATCH: Setting = Setting {
    key: "batch",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1 to 65536",
    example: "64",
    default: "",
    about: "Images in one step.",
};
/// `accumulate`
pub const ACCUMULATE: Setting = Setting {
    key: "accumulate",
    former: &[],
    form: Form::Whole(u32::MAX as u64),
    values: "a whole number from 1",
    example: "4",
    default: "1",
    about: "Steps whose gradients make one update of the weights, the mean over all their images: 4 batches of 16 learn \
            as one of 64 does. The last update of an epoch has what is left.",
};
/// `freeze`
pub const FREEZE: Setting = Setting {
    key: "freeze",
    former: &[],
    form: Form::Names,
    values: "a list of stacks, layers and patterns of them",
    example: "[\"encoder\"]",
    default: "[]",
    about: "Stacks or layers whose weights stay as they are: encoder, encoder.0, or a pattern in which * stands for any \
            letters, such as encoder.*.1. Stages that freeze less and less unfreeze a network step by step, and so does \
            unfreeze within one.",
};
/// `unfreeze`
pub const UNFREEZE: Setting = Setting {
    key: "unfreeze",
    former: &[],
    form: Form::Words,
    values: "a stack, how many layers at a time and after how many epochs, as text",
    example: "\"encoder layers=1 every=1\"",
    default: "off",
    about: "Gradual unfreezing (ULMFiT): the stack's layers with weights are frozen as the stage begins; after every so many \
            epochs so many more of them are trained, the top ones first. A norm or activation comes with the layer before \
            it, a block as one layer.",
};
/// `early_stop`
pub const EARLY_STOP: Setting = Setting {
    key: "early_stop",
    former: &[],
    form: Form::WordsOrTable,
    values: "the epochs to wait, and what is watched unless it is the valid loss",
    example: "\"valid loss patience=5\"",
    default: "off",
    about: "Ends the stage when valid loss, valid accuracy, train loss or train accuracy has not improved for so \
            many epochs; the best weights are kept as the checkpoint best.",
};
/// `sparsity`
pub const SPARSITY: Setting = Setting {
    key: "sparsity",
    former: &[],
    form: Form::Words,
    values: "the mean wanted and the weight of the penalty, or that of the activations' sizes, as text",
    example: "\"rho=0.05 beta=0.03\"",
    default: "off",
    about: "Pulls the mean activation of every unit of the code towards rho: β·Σ KL(ρ‖ρ̂). Or, with l1=1e-4, every \
            activation towards 0: so many times the sum of their sizes, as a mean over images.",
};

/// `checkpoints`
pub const CHECKPOINTS: Setting = Setting {
    key: "checkpoints",
    former: &[],
    form: Form::Words,
    values: "best, best restored, every N epochs, or two of them with a comma between, as text",
    example: "\"best, every 5\"",
    default: "the newest, and one at the stage's end",
    about: "Checkpoints that are kept besides: that of the best epoch (by the valid loss, by the \
            train loss where nothing is validated, or as early stop watches it) and that of every so many epochs. A run goes on from \
            any of them. With best restored the stage ends with the weights of its best epoch in place of the last ones.",
};

/// The settings of `[[stage]]`, in the order they are written.
pub const ALL: &[Setting] = &[
    NAME,
    TASK,
    SPLIT,
    LOSS,
    CLASS_WEIGHTS,
    OPTIMIZER,
    RATE_FACTORS,
    DECAY,
    CLIP,
    SCHEDULE,
    EPOCHS,
    BATCH,
    ACCUMULATE,
    FREEZE,
    UNFREEZE,
    EARLY_STOP,
    SPARSITY,
    CHECKPOINTS,
];
