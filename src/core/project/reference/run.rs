//! The settings of `[[run]]`.

use super::{Form, Setting};

/// `name`
pub(crate) const NAME: Setting = Setting {
    key: "name",
    former: &[],
    form: Form::Text,
    values: "letters, digits, - and _ in quotes",
    example: "\"transfer\"",
    default: "",
    about: "What the run is called in tables and in names of folders, and where another run takes something from it.",
};
/// `seed`
pub(crate) const SEED: Setting = Setting {
    key: "seed",
    former: &[],
    form: Form::Whole(u64::MAX),
    values: "a whole number from 0",
    example: "7",
    default: "the seed of the file",
    about: "The seed of this run alone.",
};
/// `seeds`
pub(crate) const SEEDS: Setting = Setting {
    key: "seeds",
    former: &[],
    form: Form::WordsOrNumbers,
    values: "a list of whole numbers",
    example: "[1, 2, 3]",
    default: "one run with the seed of the file",
    about: "Trains the run once with each seed, so that a comparison gives mean and deviation; a run that takes weights \
            or features of another one takes those of the same seed.",
};
/// `init`
pub(crate) const INIT: Setting = Setting {
    key: "init",
    former: &[],
    form: Form::Words,
    values: "the name of another run, or a path, and which stacks, layers or keys are taken from it; none for random weights",
    example: "\"runs/pretrain-1 encoder\"",
    default: "as before the runs",
    about: "Weights that the network begins with. A name is that of another run of the file, which is then trained first.",
};
/// `baseline`
pub(crate) const BASELINE: Setting = Setting {
    key: "baseline",
    former: &[],
    form: Form::Names,
    values: "logistic, forest, boosted, knn and svm, those that are wanted with commas between them",
    example: "\"logistic, forest\"",
    default: "a network is trained",
    about: "Fits these classifiers in place of a network, to pixels or to the features of another run.",
};
/// `features`
pub(crate) const FEATURES: Setting = Setting {
    key: "features",
    former: &[],
    form: Form::Words,
    values: "the name of another run, and a layer of it where it is not the code",
    example: "\"autoencoder encoder.3\"",
    default: "pixels",
    about: "What the baselines of the run are fitted to: what a layer of another run gives for the images.",
};
/// `limit`
pub(crate) const LIMIT: Setting = Setting {
    key: "limit",
    former: &[],
    form: Form::Whole(u64::MAX),
    values: "a whole number from 1",
    example: "2000",
    default: "10000",
    about: "How many training images the baselines of the run are fitted to at most, drawn by the seed.",
};

/// The settings of `[[run]]`.
pub const ALL: &[Setting] = &[NAME, SEED, SEEDS, INIT, BASELINE, FEATURES, LIMIT];
