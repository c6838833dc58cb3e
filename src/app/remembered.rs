//! What comes back at the next start: the window's place on the screen, the theme, the widths of the
//! panels, what is folded, the workspace and the switches of the views. A new switch is remembered
//! once it is a field of [`ViewSettings`].

use super::kernels::KernelSettings;
use super::placement::Placement;
use super::state::{State, ViewSettings};
use serde::{Deserialize, Serialize};

/// The content of `window.json`. What is missing is as usual, what is unknown (from a newer version)
/// is passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Where the window is.
    pub window: Placement,
    /// How things are shown.
    pub view: ViewSettings,
    /// How the playground for kernels is set.
    pub kernels: KernelSettings,
}

impl Remembered {
    /// What a window shows.
    pub fn of(state: &State, window: Placement) -> Remembered {
        Remembered {
            window,
            view: state.view.clone(),
            kernels: state.inspections.kernels.clone(),
        }
    }

    /// Shows it.
    pub(crate) fn restore(self, state: &mut State) {
        state.inspections.gallery = self.view.first_images();
        let saliency = self.view.saliency.filter(|_| state.has_saliency_choice());
        state.inspections.saliency.question = saliency;
        state.inspections.kernels = self.kernels;
        state.view = self.view;
    }

    /// Reads a file.
    pub fn from_text(text: &str) -> Result<Remembered, String> {
        let read: Remembered = serde_json::from_str(text).map_err(super::store::unread)?;
        Ok(read.sound())
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(&self.clone().sound()).unwrap_or_default()
    }

    fn sound(self) -> Remembered {
        Remembered {
            window: self.window.sound(),
            view: self.view.sound(),
            kernels: self.kernels.sound(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrangement::Workspace;
    use crate::curves::Quantity;
    use crate::kernels::Subject;
    use crate::lens::{LensMode, LensSettings};
    use crate::state::{CostColumn, SideTab};
    use serde_json::{Value, json};
    use strata_core::project::data::Split;
    use strata_inspect::kernel::{Amount, Named, Settings};
    use strata_inspect::picture::FilterScale;
    use strata_inspect::saliency::Question;

    fn everything_changed() -> Remembered {
        let lens = LensSettings {
            mode: LensMode::Matrix,
            pace: 4,
            transposed: true,
            ..LensSettings::default()
        };
        let view = ViewSettings {
            dark: Some(false),
            workspace: Workspace::Design,
            log_loss: false,
            by_epoch: true,
            smoothing: 100,
            light_pictures: true,
            keeps_snapshots: false,
            runs_quantity: Quantity::Accuracy,
            filter_scale: FilterScale::Fixed(0.25),
            decoder_filters: true,
            lens,
            stage: None,
            side_tab: SideTab::Data,
            settings: Some(false),
            layers: Some(false),
            open_groups: ["Pixels".to_owned()].into(),
            architecture_width: Some(500.0),
            settings_width: Some(300.0),
            zoom: 1.25,
            images_by_class: false,
            images_split: Some(Split::Test),
            statistics_split: Some(Split::Valid),
            saliency: Some(Question::Error),
            effective_field: false,
            cost_column: CostColumn::Memory,
            cost_measured: false,
            sizes_axis: 1,
            ..ViewSettings::default()
        };
        let slid = Settings {
            stride: 2,
            amount: Amount::By(3),
            ..Settings::default()
        };
        let kernels = KernelSettings {
            subject: Subject::File("/images/a.png".into()),
            split: Some(Split::Test),
            index: 3,
            noise: 0.5,
            settings: slid,
            ..KernelSettings::default().with_named(Named::Gaussian, Some(7), Some(1.5))
        };
        let window = Placement {
            size: [1500.0, 900.0],
            position: Some([-20.0, 40.0]),
            maximized: true,
            fullscreen: false,
        };
        Remembered {
            window,
            view,
            kernels,
        }
    }

    /// The fields of a value whose numbers, texts and switches equal those of another.
    fn unchanged(a: &Value, b: &Value, path: &str, found: &mut Vec<String>) {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => a.iter().for_each(|(name, value)| {
                let other = b.get(name).unwrap_or(&Value::Null);
                unchanged(value, other, &format!("{path}/{name}"), found);
            }),
            _ if a == b => found.push(path.to_owned()),
            _ => {}
        }
    }

    #[test]
    fn every_field_comes_back() {
        let changed = everything_changed();
        let text = changed.to_text();
        assert_eq!(Remembered::from_text(&text), Ok(changed));
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let mut same = Vec::new();
        let usual = Remembered::default().to_text();
        unchanged(&value(&text), &value(&usual), "", &mut same);
        // A field that is added must be part of `everything_changed`.
        let expected = [
            "/kernels/kernel/divisor",
            "/kernels/kernel/offset",
            "/kernels/settings/border",
            "/kernels/settings/dilation",
            "/kernels/settings/flip",
            "/kernels/settings/grey",
            "/window/fullscreen",
        ];
        assert_eq!(same, expected);
    }

    #[test]
    fn older_and_newer_files_are_read() {
        assert_eq!(Remembered::from_text("{}"), Ok(Remembered::default()));
        let newer = json!({"view": {"log_loss": false, "hologram": true}, "sounds": {"volume": 3}});
        let read = Remembered::from_text(&newer.to_string()).unwrap();
        assert!(!read.view.log_loss && read.view.stage == Some(0));
    }

    #[test]
    fn wrong_types_are_refused() {
        for wrong in [
            "",
            "null",
            "{\"view\": 7}",
            "{\"view\": {\"log_loss\": \"yes\"}}",
            "{\"window\": {\"size\": [1]}}",
            "{\"view\": {\"zoom\": 1e999}}",
            "{\"view\": {\"stage\": -1}}",
        ] {
            assert!(Remembered::from_text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn absurd_values_become_ones_that_can_be_shown() {
        let absurd = json!({
            "window": {"size": [1.0, 1e38], "position": [1e38, 0.0]},
            "view": {"architecture_width": 9000.0, "settings_width": -3.0, "zoom": 1e-9,
                "filter_scale": {"fixed": -1.0}, "lens": {"pace": 0},
                "saliency": {"class": 7}},
            "kernels": {"noise": 1e39, "sigma": 1e9, "subject": "data",
                "settings": {"stride": 0, "dilation": 1_000_000, "amount": {"by": 999}},
                "kernel": {"name": "own", "size": [3, 3], "values": [1.0], "divisor": 0.0, "offset": 0.0}},
        });
        let read = Remembered::from_text(&absurd.to_string()).unwrap();
        assert_eq!(read.window.size, [960.0, 16_384.0]);
        assert_eq!(read.window.position, None);
        let view = read.view;
        assert_eq!(view.architecture_width, Some(560.0));
        assert_eq!(view.settings_width, Some(240.0));
        assert_eq!((view.zoom, view.lens.pace, view.saliency), (0.5, 1, None));
        assert_eq!(view.filter_scale, FilterScale::PerFilter);
        let kernels = read.kernels;
        assert_eq!((kernels.noise, kernels.sigma), (0.2, Some(20.0)));
        assert_eq!((kernels.settings.stride, kernels.settings.dilation), (1, 8));
        assert_eq!(kernels.settings.amount, Amount::By(8));
        assert_eq!(kernels.kernel, KernelSettings::default().kernel);
        let curve = Remembered::from_text("{\"kernels\": {\"subject\": \"curve\"}}").unwrap();
        assert_eq!(curve.kernels.kernel.size[0], 1, "a curve has one row");
    }

    #[test]
    fn what_is_no_number_does_not_damage_the_file() {
        let mut odd = Remembered::default();
        odd.view.filter_scale = FilterScale::Fixed(f32::NAN);
        odd.view.zoom = f32::NAN;
        odd.view.settings_width = Some(f32::INFINITY);
        odd.kernels.kernel.values[0] = f32::NAN;
        odd.kernels.noise = f32::NAN;
        odd.window.size = [f32::NAN, 800.0];
        assert_eq!(
            Remembered::from_text(&odd.to_text()),
            Ok(Remembered::default())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf_8_does_not_damage_the_file() {
        use std::os::unix::ffi::OsStrExt;
        let mut odd = everything_changed();
        let path = std::ffi::OsStr::from_bytes(b"/b\xff.png");
        odd.kernels.subject = Subject::File(path.into());
        let read = Remembered::from_text(&odd.to_text()).unwrap();
        assert_eq!(read.view, odd.view);
    }
}
