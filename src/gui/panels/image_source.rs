//! The line that chooses the image which the views of single images have in common: a probe image of the run, or
//! an image file.

use crate::widgets::{Field, FieldEvent, Icon, icon_button};
use eframe::egui::{Id, Ui};
use std::path::PathBuf;
use strata_app::action::{Action, Show};
use strata_app::state::State;
use strata_inspect::saliency::Request;

/// Room for the buttons next to the field.
const BUTTONS: f32 = 72.0;

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
    let width = (ui.available_width() - BUTTONS).clamp(80.0, 360.0);
    let field = Field::new(id, name, &path)
        .hint("probe images, or the path of an image")
        .width(width);
    if let Some(FieldEvent::Commit(text)) = field.show(ui) {
        let path = Some(text.trim()).filter(|text| !text.is_empty());
        choose(path.map(PathBuf::from));
    }
    let hover = "Open an image from disk; it is fitted as the project's images are";
    let browse = icon_button(ui, Icon::Folder, "Open image…", hover, true).clicked();
    let hover = "Back to the probe images, the fixed images of the run";
    let has_image = request.image.is_some();
    if icon_button(ui, Icon::Close, "Probe images", hover, has_image).clicked() {
        choose(None);
    }
    if browse {
        actions.push(Action::BrowseImage);
    }
}
