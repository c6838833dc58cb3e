//! The words of the schedules, their settings with what a form needs of them, and how they are read.

use super::{Course, OneCycle, Plateau};
use crate::project::words::{SettingError, Words};
use std::ops::RangeInclusive;

/// A schedule's word with what people need to write it.
pub struct ScheduleWord {
    /// The word of the project file.
    pub word: &'static str,
    /// A text of it.
    pub example: &'static str,
    /// What can be set, in the order it is listed.
    pub settings: &'static [ScheduleSetting],
    pub(super) read: fn(&mut Words) -> Result<Course, SettingError>,
}

/// One setting of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleSetting {
    /// Its key in the text; a flag is the key alone.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What holds where it is left out; nothing for a flag, which is off then.
    pub default: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// What kind of value it has.
    pub form: ScheduleForm,
}

/// What kind of value a setting of a schedule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleForm {
    /// A number of epochs.
    Epochs,
    /// A factor, or a rate.
    Factor,
    /// A share below 1.
    Share,
    /// Several epochs with commas between them.
    List,
    /// On or off, with the word for each.
    Flag([&'static str; 2]),
}

const WARMUP: ScheduleSetting = ScheduleSetting {
    key: "warmup",
    name: "warm-up",
    default: "0",
    about: "Epochs in which the learning rate rises from almost nothing, in front of all else.",
    form: ScheduleForm::Epochs,
};

const fn gamma(default: &'static str, about: &'static str) -> ScheduleSetting {
    factor("gamma", "factor", default, about)
}

const fn factor(
    key: &'static str,
    name: &'static str,
    default: &'static str,
    about: &'static str,
) -> ScheduleSetting {
    ScheduleSetting {
        key,
        name,
        default,
        about,
        form: ScheduleForm::Factor,
    }
}

const fn share(
    key: &'static str,
    name: &'static str,
    default: &'static str,
    about: &'static str,
) -> ScheduleSetting {
    ScheduleSetting {
        key,
        name,
        default,
        about,
        form: ScheduleForm::Share,
    }
}

const fn epochs(
    key: &'static str,
    name: &'static str,
    default: &'static str,
    about: &'static str,
) -> ScheduleSetting {
    ScheduleSetting {
        key,
        name,
        default,
        about,
        form: ScheduleForm::Epochs,
    }
}

const fn flag(key: &'static str, name: &'static str, about: &'static str) -> ScheduleSetting {
    ScheduleSetting {
        key,
        name,
        default: "",
        about,
        form: ScheduleForm::Flag(["on", "off"]),
    }
}

const AT_A_DROP: &str = "What the learning rate is multiplied by at a drop.";

const MIN: ScheduleSetting = factor(
    "min",
    "lowest",
    "0",
    "The learning rate that it does not fall below.",
);

const ONE_CYCLE: &[ScheduleSetting] = &[
    share(
        "pct_start",
        "rise",
        "0.3",
        "The share of the stage in which the learning rate rises.",
    ),
    factor(
        "div_factor",
        "from",
        "25",
        "It starts at the learning rate divided by this.",
    ),
    factor(
        "final_div_factor",
        "to",
        "1e4",
        "It ends at its start divided by this.",
    ),
    flag(
        "linear",
        "linear",
        "Along straight lines instead of half cosines.",
    ),
    ScheduleSetting {
        key: "fixed_momentum",
        name: "momentum",
        default: "",
        about: "Whether the momentum falls and rises against the rate, or stays what the optimizer says.",
        form: ScheduleForm::Flag(["stays", "cycles"]),
    },
    share(
        "base_momentum",
        "momentum ≥",
        "0.85",
        "The momentum where the learning rate is highest; of Adam beta1.",
    ),
    share(
        "max_momentum",
        "momentum ≤",
        "0.95",
        "The momentum at the start and the end; of Adam beta1.",
    ),
];

const PLATEAU: &[ScheduleSetting] = &[
    flag(
        "train",
        "of training",
        "Watches the images trained on instead of those held back.",
    ),
    flag(
        "accuracy",
        "accuracy",
        "Watches the accuracy instead of the loss.",
    ),
    factor("factor", "factor", "0.1", AT_A_DROP),
    epochs(
        "patience",
        "wait",
        "10",
        "So many epochs without improvement are waited for; the next one drops the learning rate.",
    ),
    factor(
        "threshold",
        "threshold",
        "1e-4",
        "An improvement is by more than this share of the best value.",
    ),
    epochs(
        "cooldown",
        "cool down",
        "0",
        "Epochs after a drop in which none is counted.",
    ),
    MIN,
    WARMUP,
];

/// Every schedule, in the order they are listed.
pub const SCHEDULES: [ScheduleWord; 8] = [
    ScheduleWord {
        word: "constant",
        example: "constant warmup=1",
        settings: &[WARMUP],
        read: |_| Ok(Course::Constant),
    },
    ScheduleWord {
        word: "cosine",
        example: "cosine warmup=1",
        settings: &[MIN, WARMUP],
        read: |words| {
            let min = words.number("min", 0.0, RATES)?;
            Ok(Course::Cosine { min })
        },
    },
    ScheduleWord {
        word: "step",
        example: "step every=10 gamma=0.1",
        settings: &[
            epochs("every", "every", "10", "Epochs between two drops."),
            gamma("0.1", AT_A_DROP),
            WARMUP,
        ],
        read: |words| {
            let every = words.number("every", 10.0, 1.0..=1e6)?;
            let gamma = words.number("gamma", 0.1, SHARES)?;
            Ok(Course::Step { every, gamma })
        },
    },
    ScheduleWord {
        word: "multistep",
        example: "multistep at=30,60 gamma=0.1",
        settings: &[
            ScheduleSetting {
                key: "at",
                name: "after",
                default: "30,60",
                about: "The epochs after which it drops, with commas between them.",
                form: ScheduleForm::List,
            },
            gamma("0.1", AT_A_DROP),
            WARMUP,
        ],
        read: |words| {
            let at = words.rising("at", &[30.0, 60.0], 0.0..=1e6)?;
            let gamma = words.number("gamma", 0.1, SHARES)?;
            Ok(Course::MultiStep { at, gamma })
        },
    },
    ScheduleWord {
        word: "exponential",
        example: "exponential gamma=0.95",
        settings: &[
            gamma(
                "0.95",
                "What the learning rate is multiplied by every epoch.",
            ),
            WARMUP,
        ],
        read: |words| {
            let gamma = words.number("gamma", 0.95, SHARES)?;
            Ok(Course::Exponential { gamma })
        },
    },
    ScheduleWord {
        word: "polynomial",
        example: "polynomial power=1",
        settings: &[
            factor(
                "power",
                "power",
                "1",
                "It falls with this power of what is left of the stage: 1 is a straight line.",
            ),
            WARMUP,
        ],
        read: |words| {
            let power = words.number("power", 1.0, 1e-3..=1e3)?;
            Ok(Course::Polynomial { power })
        },
    },
    ScheduleWord {
        word: "onecycle",
        example: "onecycle",
        settings: ONE_CYCLE,
        read: one_cycle,
    },
    ScheduleWord {
        word: "plateau",
        example: "plateau patience=5",
        settings: PLATEAU,
        read: plateau,
    },
];

const SHARES: RangeInclusive<f64> = 0.0..=1.0;
const RATES: RangeInclusive<f64> = 0.0..=1e3;

fn one_cycle(words: &mut Words) -> Result<Course, SettingError> {
    let usual = OneCycle::default();
    let cycle = OneCycle {
        pct_start: words.number("pct_start", usual.pct_start, SHARES)?,
        div_factor: words.number("div_factor", usual.div_factor, 1.0..=1e9)?,
        final_div_factor: words.number("final_div_factor", usual.final_div_factor, 1.0..=1e9)?,
        linear: words.flag("linear")?,
        fixed_momentum: words.flag("fixed_momentum")?,
        base_momentum: words.number("base_momentum", usual.base_momentum, MOMENTA)?,
        max_momentum: words.number("max_momentum", usual.max_momentum, MOMENTA)?,
    };
    let usual = OneCycle {
        fixed_momentum: true,
        base_momentum: usual.base_momentum,
        max_momentum: usual.max_momentum,
        ..cycle
    };
    if cycle.fixed_momentum && cycle != usual {
        return Err(SettingError(
            "fixed_momentum leaves the momentum alone: take base_momentum and max_momentum out, or fixed_momentum"
                .into(),
        ));
    }
    Ok(Course::OneCycle(cycle))
}

/// A momentum that changes is some all the time, and keeps less than all of it.
const MOMENTA: RangeInclusive<f64> = 1e-6..=0.999_999_9;

fn plateau(words: &mut Words) -> Result<Course, SettingError> {
    let usual = Plateau::default();
    Ok(Course::Plateau(Plateau {
        train: words.flag("train")?,
        accuracy: words.flag("accuracy")?,
        factor: words.number("factor", usual.factor, 0.0..=0.999_999)?,
        patience: words.whole("patience", usual.patience, 0.0..=1e6)?,
        threshold: words.number("threshold", usual.threshold, SHARES)?,
        cooldown: words.whole("cooldown", usual.cooldown, 0.0..=1e6)?,
        min: words.number("min", usual.min, RATES)?,
    }))
}

impl ScheduleWord {
    /// The keys it reads.
    pub fn keys(&self) -> String {
        let keys: Vec<_> = self.settings.iter().map(|setting| setting.key).collect();
        keys.join(", ")
    }

    pub(super) fn has_warmup(&self) -> bool {
        self.settings
            .iter()
            .any(|setting| setting.key == WARMUP.key)
    }
}
