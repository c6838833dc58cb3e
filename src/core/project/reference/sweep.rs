//! The settings of `[sweep]` but for those that are tried, whose keys are the ways of settings through the file.

use super::{Form, Setting};

/// `method`
pub const METHOD: Setting = Setting {
    key: "method",
    former: &[],
    form: Form::Words,
    values: "grid, random, halving or bayesian with its settings, as text",
    example: "\"halving factor=3 epochs=1\"",
    default: "\"grid\"",
    about: "Every combination of the values; so many drawn at random; halving: all train for a few epochs, one of factor \
            of them for factor times as many, and so on; or bayesian: after startup random trials the others are chosen \
            from what was reached, round at a time.",
};

/// `metric`
pub const METRIC: Setting = Setting {
    key: "metric",
    former: &[],
    form: Form::Words,
    values: "a split and loss, accuracy, log_loss, f1 or exact_match as text, with best in front for the best epoch of \
             the last stage",
    example: "\"best valid accuracy\"",
    default: "valid accuracy, or valid loss of what reconstructs; of test or train where there is no valid",
    about: "What ranks the trials: measured after the last epoch, or the best of all. f1 and exact_match are measured where \
            an image may have several labels.",
};

/// `seeds`
pub const SEEDS: Setting = Setting {
    key: "seeds",
    former: &[],
    form: Form::Whole(1000),
    values: "a whole number from 1",
    example: "3",
    default: "1",
    about: "Runs of each trial, with the project's seed and those that follow it: the table has their mean and deviation.",
};

/// `trials`
pub const TRIALS: Setting = Setting {
    key: "trials",
    former: &[],
    form: Form::Whole(100_000),
    values: "a whole number from 1",
    example: "20",
    default: "all of a grid",
    about: "How many combinations are tried: so many draws of random and halving, the first so many of a grid, all trials of \
            bayesian.",
};

/// `stop`
pub const STOP: Setting = Setting {
    key: "stop",
    former: &[],
    form: Form::Words,
    values: "a split, loss, accuracy, log_loss, f1 or exact_match, < or > and a bound, and after so many epochs, as text",
    example: "\"valid accuracy < 0.5 after 2\"",
    default: "no trial is stopped",
    about: "When a trial is hopeless and trains no further: judged by itself, after so many epochs of its run.",
};

/// The settings of `[sweep]`.
pub const ALL: &[Setting] = &[METHOD, METRIC, SEEDS, TRIALS, STOP];
