//! The line that chooses the image which the views of single images have in common: a probe image of the run, or
//! an image file.

use crate::widgets::{Field, FieldEvent, Icon, icon_button};
use eframe::egui::{Id, Ui};
use std::path::PathBuf;
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_inspect::saliency::Request;

/// What the field needs with its buttons.
pub(super) const LEAST: f32 = 180.0;
/// Width from which the field has room for all of its hint.
const ROOMY: f32 = 190.0;
/// Room for a button next to the field.
const BUTTON: f32 = 36.0;

/// The field for a path, with its buttons; `name` is what screen readers and tests call the field.
pub fn file(ui: &mut Ui, state: &State, name: &str, actions: &mut Vec<Action>) {
    let request = &state.inspections.saliency;
    let mut choose = |image: Option<PathBuf>| {
        actions.push(Action::Show(Show::Saliency(Request {
            image,
            ..request.clone()
        })));
    };
    let path = request
        .image
        .as_ref()
        .map_or_else(String::new, |path| path.display().to_string());
    let id = Id::unique((name, state.generation));
    let has_image = request.image.is_some();
    let buttons = if has_image { 2.0 } else { 1.0 } * BUTTON;
    let width = (ui.available_width() - buttons).clamp(40.0, 360.0);
    let hint = match width < ROOMY {
        true => "probe images",
        false => "probe images, or a path",
    };
    let field = Field::new(id, name, &path).hint(hint).width(width);
    if let Some(FieldEvent::Commit(text)) = field.show(ui) {
        let path = Some(text.trim()).filter(|text| !text.is_empty());
        choose(path.map(PathBuf::from));
    }
    let hover = "Open an image from disk; it is fitted as the project's images are";
    let browse = icon_button(ui, Icon::Folder, "Open image…", hover, true).clicked();
    let hover = "Back to the probe images, the fixed images of the run";
    if has_image && icon_button(ui, Icon::Close, "Probe images", hover, true).clicked() {
        choose(None);
    }
    if browse {
        actions.push(Action::BrowseImage);
    }
}
