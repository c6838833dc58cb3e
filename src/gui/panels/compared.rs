//! The choices of views that compare many images: by which layer, of which split, how many.

use crate::panels::layer_entries::layer_entries;
use crate::widgets::ChoiceBox;
use eframe::egui::Ui;
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
    ChoiceBox {
        id: ("layer", of),
        width: 104.0,
        shown: name(place).into(),
        hover: "The layer by whose output images are compared",
        name: &format!("Layer {of}"),
    }
    .show(ui, |ui| {
        ui.selectable_value(place, None, "the code, the encoder's last layer");
        layer_entries(ui, state, place);
    });
}

fn split_box(ui: &mut Ui, of: &str, split: &mut Option<Split>) {
    let name = |split: Option<Split>| match split {
        None | Some(Split::Test) => "test images",
        Some(Split::Train) => "training images",
        Some(Split::Valid) => "validation images",
        Some(Split::Unlabeled) => "unlabeled images",
    };
    ChoiceBox {
        id: ("split", of),
        width: 112.0,
        shown: name(*split).into(),
        hover: "Which images; without test images the first is those of \
                validation",
        name: &format!("Split {of}"),
    }
    .show(ui, |ui| {
        for one in [
            None,
            Some(Split::Valid),
            Some(Split::Train),
            Some(Split::Unlabeled),
        ] {
            ui.selectable_value(split, one, name(one));
        }
    });
}

fn limit_box(ui: &mut Ui, of: &str, limit: &mut Option<usize>) {
    let name =
        |limit: Option<usize>| format!("{} images", format::count(limit.unwrap_or(IMAGES) as u64));
    ChoiceBox {
        id: ("limit", of),
        width: 88.0,
        shown: name(*limit).into(),
        hover: "How many images at most, drawn from all of the split",
        name: &format!("Images {of}"),
    }
    .show(ui, |ui| {
        for one in [Some(200), Some(500), None, Some(2000), Some(MOST_IMAGES)] {
            ui.selectable_value(limit, one, name(one));
        }
    });
}
