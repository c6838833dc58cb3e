//! The application without its window, and without any library that draws: a [`state::State`] that views read, the
//! [`action::Action`]s that change it, and what it needs from outside as [`services::Services`].
//!
//! The window draws it, the terminal draws single views of it, and tests drive it: none of them adds state of
//! its own. Nothing here touches a tensor: shapes come from [`strata_core::shape`], everything that is trained
//! from [`strata_engine`].

pub mod about;
pub mod action;
pub mod arrangement;
pub mod arrangements;
pub mod baseline_work;
mod baselines;
pub mod begin;
pub mod builtin_previews;
pub mod choices;
pub mod commands;
mod compare;
pub mod comparing;
pub mod curves;
pub mod decimated_series;
pub mod device_list;
pub mod dialogs;
pub mod downloads;
pub mod fields;
mod fitted_data;
pub mod frame_times;
pub mod handle;
mod import_task;
mod importing;
mod inspection_requests;
pub mod inspections;
pub mod kernels;
pub mod known_advice;
pub mod lens;
pub mod messages;
pub mod opening;
pub mod pasted_text;
pub mod persistence;
pub mod placement;
pub mod prompts;
pub mod recent;
pub mod recovery;
pub mod refused_field;
pub mod remembered;
mod replaying;
pub mod replays;
pub mod run_monitor;
pub mod runs;
mod saving;
pub mod services;
pub mod setting_field;
mod shown;
pub mod side_tab;
pub mod state;
pub mod store;
pub mod studying;
pub mod sweeping;
mod sweeps;
pub mod unpacking;
pub mod view_kind;
pub mod view_settings;
pub mod wake;

#[cfg(test)]
mod tests {
    /// Cargo refuses to compile what the manifest doesn't name, so the manifest is what can go wrong.
    #[test]
    fn no_library_that_draws_is_among_the_dependencies() {
        let manifest: toml::Table = include_str!("Cargo.toml").parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(listed) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for name in listed.keys() {
                let draws = [
                    "egui",
                    "eframe",
                    "epaint",
                    "winit",
                    "glow",
                    "rfd",
                    "strata-gui",
                ];
                assert!(!draws.iter().any(|word| name.starts_with(word)), "{name}");
            }
        }
        assert!(manifest.contains_key("dependencies"));
    }
}
