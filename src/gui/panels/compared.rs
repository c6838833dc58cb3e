//! The choices of views that compare many images: by which layer, of which split, how many.

use crate::panels::layer_entries::layer_entries;
use crate::theme;
use crate::widgets::chevron;
use eframe::egui::{ComboBox, RichText, Ui};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::Place;
use strata_core::project::data::Split;
use strata_inspect::features::{IMAGES, MOST_IMAGES};

/// Which images are compared by which layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// The layer; `None` for the code.
    pub place: Option<Place>,
    /// The split; `None` for the test images, or the first there are.
    pub split: Option<Split>,
    /// How many images; `None` for the usual number.
    pub limit: Option<usize>,
}

/// The three boxes; `of` ends their names, such as `of the map`.
pub(super) fn boxes(ui: &mut Ui, state: &State, of: &str, compared: &mut Compared) {
    layer_box(ui, state, of, &mut compared.place);
    split_box(ui, of, &mut compared.split);
    limit_box(ui, of, &mut compared.limit);
}

fn layer_box(ui: &mut Ui, state: &State, of: &str, place: &mut Option<Place>) {
    let name = |place: &Option<Place>| {
        place
            .as_ref()
            .map_or_else(|| "the code".to_owned(), Place::in_words)
    };
    let combo = ComboBox::from_id_salt(("layer", of))
        .width(104.0)
        .icon(chevron)
        .selected_text(RichText::new(name(place)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            ui.selectable_value(place, None, "the code, the encoder's last layer");
            layer_entries(ui, state, place);
        });
    combo
        .response
        .on_hover_text("The layer by whose output images are compared")
        .accessible_name(format!("Layer {of}"));
}

fn split_box(ui: &mut Ui, of: &str, split: &mut Option<Split>) {
    let name = |split: Option<Split>| match split {
        None | Some(Split::Test) => "test images",
        Some(Split::Train) => "training images",
        Some(Split::Valid) => "validation images",
        Some(Split::Unlabeled) => "unlabeled images",
    };
    let combo = ComboBox::from_id_salt(("split", of))
        .width(112.0)
        .icon(chevron)
        .selected_text(RichText::new(name(*split)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for one in [
                None,
                Some(Split::Valid),
                Some(Split::Train),
                Some(Split::Unlabeled),
            ] {
                ui.selectable_value(split, one, name(one));
            }
        });
    combo
        .response
        .on_hover_text("Which images; without test images the first is those of validation")
        .accessible_name(format!("Split {of}"));
}

fn limit_box(ui: &mut Ui, of: &str, limit: &mut Option<usize>) {
    let name =
        |limit: Option<usize>| format!("{} images", format::count(limit.unwrap_or(IMAGES) as u64));
    let combo = ComboBox::from_id_salt(("limit", of))
        .width(88.0)
        .icon(chevron)
        .selected_text(RichText::new(name(*limit)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for one in [Some(200), Some(500), None, Some(2000), Some(MOST_IMAGES)] {
                ui.selectable_value(limit, one, name(one));
            }
        });
    combo
        .response
        .on_hover_text("How many images at most, drawn from all of the split")
        .accessible_name(format!("Images {of}"));
}
