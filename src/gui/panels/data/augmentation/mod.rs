//! What augmentation makes of one image: all transforms together, each by itself next to its text, and the list edited
//! in place. The pictures come from the thread that looks at images; an edit shows the former ones until then.

mod list;
mod pictures;

use crate::panels::loading_state::{failed, reading, unread};
use crate::theme;
use crate::view::View;
use eframe::egui::{Button, Checkbox, Response, RichText, ScrollArea, Ui};
use pictures::{Pictures, Seen};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::data::DataSpec;
use strata_core::project::edit::Edit;
use strata_inspect::augmented::{Augmented, Request, TOGETHER};

/// Width of the column with the texts, at most, and as a fraction of the view.
const TEXTS: (f32, f32) = (320.0, 0.42);

/// The view, with the textures of what it shows.
#[derive(Default)]
pub struct AugmentationView {
    drawn: Option<(Arc<Seen>, Pictures)>,
}

impl View for AugmentationView {
    fn title(&self) -> &'static str {
        "Augmentation"
    }

    fn summary(&self) -> &'static str {
        "One image, and what the training makes of it"
    }

    fn words(&self) -> &'static str {
        "transforms imagedatagenerator imagedataaugmenter randomhorizontalflip randomcrop flip rotate"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Data
    }

    fn about(&self) -> &'static str {
        "One image as the training gets it, epoch by epoch: all transforms together, then each of them alone. They are applied to training images only, in the order of the list; validation and test images stay as they are."
    }

    fn status(&self, state: &State) -> String {
        latest(state).map_or_else(String::new, |seen| {
            let Augmented {
                split,
                image,
                images,
                class,
                ..
            } = seen;
            let class = class
                .as_ref()
                .map_or_else(String::new, |class| format!(" · {class}"));
            let (image, images) = (
                format::count(*image as u64 + 1),
                format::count(*images as u64),
            );
            format!("{split} image {image} of {images}{class}")
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let request = state.inspections.draws;
        let mut show = |request| actions.push(Action::Show(Show::Augmented(request)));
        if small(
            ui,
            "Other draws",
            "The same image in the next twelve epochs",
        )
        .clicked()
        {
            show(Request {
                draws: request.draws.saturating_add(1),
                ..request
            });
        }
        if small(ui, "Another image", "The next training image").clicked() {
            show(Request {
                image: latest(state).map_or(0, |seen| seen.image + 1),
                ..request
            });
        }
        let data = &state.project().data;
        let mut applied = data.use_augment;
        let text = RichText::new("apply").size(theme::SMALL);
        let switch = Checkbox::new(&mut applied, text);
        // Without a list there is nothing to switch off.
        let switch = ui.add_enabled(!data.augment.is_empty(), switch);
        let about = "Whether training applies the list; off, it gets the images as they are, for comparison";
        switch
            .on_hover_text(about)
            .accessible_name("Apply augmentation");
        if applied != data.use_augment {
            actions.push(Action::Edit(Edit::Data(DataSpec {
                use_augment: applied,
                ..data.clone()
            })));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(Some(state.augment_query())));
        let Some(seen) = seen(state) else {
            return reading(
                ui,
                state,
                ("Reading the images …", &[TypeId::of::<Augmented>()]),
                actions,
            );
        };
        match &seen.result {
            Err(error) => unread(ui, state, "No image to show", error, actions),
            Ok(augmented) if augmented.images == 0 => {
                failed(
                    ui,
                    "No images",
                    "Choose another source or folder in the settings on the right.",
                    actions,
                );
            }
            Ok(augmented) => {
                let pictures = self.update(ui, seen, augmented);
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| content(ui, state, augmented, pictures, actions));
            }
        }
    }
}

impl AugmentationView {
    /// Makes new textures only for another answer.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, augmented: &Augmented) -> &Pictures {
        let drawn = self
            .drawn
            .take()
            .filter(|(drawn, _)| Arc::ptr_eq(drawn, seen));
        let drawn = drawn.unwrap_or_else(|| (Arc::clone(seen), Pictures::new(ui.ctx(), augmented)));
        &self.drawn.insert(drawn).1
    }
}

fn small(ui: &mut Ui, name: &str, hover: &str) -> Response {
    ui.add(Button::new(RichText::new(name).size(theme::SMALL)))
        .on_hover_text(hover)
}

/// The latest reply, until other images are being read.
fn seen(state: &State) -> Option<&Arc<Seen>> {
    state.inspections.shown_for(&state.augment_query())
}

fn latest(state: &State) -> Option<&Augmented> {
    seen(state)?.result.as_deref().ok()
}

fn content(
    ui: &mut Ui,
    state: &State,
    seen: &Augmented,
    pictures: &Pictures,
    actions: &mut Vec<Action>,
) {
    let data = &state.project().data;
    let texts = (ui.available_width() * TEXTS.1).min(TEXTS.0);
    let from = state.inspections.draws.draws * TOGETHER;
    let shown = (data.use_augment, data.augment.is_empty());
    pictures::head(ui, seen, pictures, texts, shown, from);
    ui.add_space(theme::GAP);
    let mut next = data.augment.clone();
    for (index, augment) in data.augment.iter().enumerate() {
        let text = augment.to_string();
        let row = seen.alone.iter().position(|row| row.text == text);
        let problem = row.and_then(|row| seen.alone[row].problem.as_deref());
        ui.horizontal_top(|ui| {
            list::entry(
                ui,
                state.generation,
                index,
                &text,
                problem,
                texts,
                &mut next,
            );
            pictures::alone(ui, pictures, row, &text, data.use_augment);
        });
    }
    list::add(ui, state, texts, &mut next);
    if next != data.augment {
        let changed = DataSpec {
            augment: next,
            ..data.clone()
        };
        // With the last transform goes the switch that kept the list from being applied.
        actions.push(Action::Edit(Edit::Data(changed.without_idle())));
    }
}
