//! Which field of the window a setting of the project file has. Where the window leads to a field, it is unfolded and
//! scrolled to: one that was found in the palette takes the keyboard, one that a run failed of is marked.

use crate::side_tab::SideTab;
use strata_core::project::help::Repair;
use strata_core::project::optimizer::OptimizerSetting;

/// The field of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingField {
    /// Where it is in the panel on the right.
    pub tab: SideTab,
    /// The group that it is folded into, by its title.
    pub group: Option<&'static str>,
    /// Its name on the screen.
    pub name: &'static str,
}

/// A field that the window leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoughtField {
    /// Which one.
    pub field: SettingField,
    /// Whether it takes the keyboard.
    pub takes_keyboard: bool,
    /// Another number each time: the window leads there once.
    pub number: u64,
}

/// The group of the optimizer's settings that are seldom changed.
pub const SELDOM: &str = "Optimizer";

/// The group of what is seldom asked of a stage's updates.
pub const UPDATES: &str = "Updates";

/// The keys of that group.
const OF_UPDATES: [&str; 5] = [
    "class_weights",
    "rate_factors",
    "decay",
    "clip",
    "accumulate",
];

/// The key of a setting, and the name of its field.
type Named = (&'static str, &'static str);

/// The groups of the data, each with its fields.
const DATA: &[(Option<&str>, &[Named])] = &[
    (
        None,
        &[
            ("source", "source"),
            ("path", "path"),
            ("seed", "seed"),
            ("init", "init"),
        ],
    ),
    (
        Some("Files"),
        &[
            ("label", "label"),
            ("class_level", "class"),
            ("pixel", "pixel"),
            ("shape", "shape"),
            ("transpose", "transpose"),
        ],
    ),
    (
        Some("Pixels"),
        &[
            ("resize", "resize"),
            ("filter", "filter"),
            ("fit", "fit"),
            ("grey", "grey"),
            ("patch", "patch"),
            ("patches_per_image", "each"),
            ("range", "range"),
            ("normalize", "values"),
            ("center", "center"),
            ("whiten", "whiten"),
        ],
    ),
    (
        Some("Signals"),
        &[
            ("length", "length"),
            ("rate", "rate"),
            ("spectrogram", "picture"),
        ],
    ),
    (
        Some("Splits"),
        &[
            ("valid", "valid"),
            ("test", "test"),
            ("fold", "fold"),
            ("source_fold", "its fold"),
            ("labels", "labels"),
            ("per_class", "labelled"),
            ("weights", "weights"),
            ("limit", "limit"),
        ],
    ),
];

/// The fields of a stage.
const STAGE: &[Named] = &[
    ("name", "name"),
    ("task", "task"),
    ("split", "split"),
    ("loss", "loss"),
    ("class_weights", "class weights"),
    ("optimizer", "optimizer"),
    ("rate_factors", "rates"),
    ("decay", "decay"),
    ("clip", "clip"),
    ("schedule", "schedule"),
    ("epochs", "epochs"),
    ("batch", "batch"),
    ("accumulate", "accumulate"),
    ("freeze", "freeze"),
    ("unfreeze", "unfreeze"),
    ("early_stop", "early stop"),
    ("sparsity", "sparsity"),
    ("checkpoints", "checkpoints"),
];

impl SettingField {
    /// The field of a key of the data; none where a view of its own shows it.
    pub fn of_data(key: &str) -> Option<SettingField> {
        DATA.iter().find_map(|(group, fields)| {
            let (_, name) = fields.iter().find(|(of, _)| *of == key)?;
            Some(SettingField {
                tab: SideTab::Data,
                group: *group,
                name,
            })
        })
    }

    /// The field of a key of a stage.
    pub fn of_stage(key: &str) -> Option<SettingField> {
        let (_, name) = STAGE.iter().find(|(of, _)| *of == key)?;
        Some(SettingField {
            tab: SideTab::Stages,
            group: OF_UPDATES.contains(&key).then_some(UPDATES),
            name,
        })
    }

    /// The field of a setting of the optimizer.
    pub fn of_optimizer(setting: &OptimizerSetting) -> SettingField {
        SettingField {
            tab: SideTab::Stages,
            group: (!setting.is_usual).then_some(SELDOM),
            name: setting.name,
        }
    }

    /// The field that a repair writes into.
    pub(crate) fn mended_by(repair: &Repair) -> Option<SettingField> {
        match repair {
            Repair::Data(setting) => SettingField::of_data(setting.key()),
            Repair::Stage(setting) => SettingField::of_stage(setting.key()),
            // Files that are not there are looked for elsewhere.
            Repair::Note { .. } => SettingField::of_data("path"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::reference::{data, stage};

    /// A new setting gets its line here: else neither the palette nor a message leads to its field.
    #[test]
    fn every_setting_has_its_field() {
        // The list of augmentations and its switch are a view.
        let has_view = |key: &&str| ["augment", "use_augment"].contains(key);
        let of_data = data::ALL.iter().map(|setting| setting.key);
        for key in of_data.filter(|key| !has_view(key)) {
            assert!(SettingField::of_data(key).is_some(), "{key}");
        }
        for setting in stage::ALL {
            let field = SettingField::of_stage(setting.key);
            assert!(field.is_some(), "{}", setting.key);
        }
    }
}
