//! What is measured on the images: classes, mean and deviation, the histogram of the values, duplicates.

mod charts;
mod duplicates;

use super::super::loading_state::{reading, unread};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::volume_slice;
use eframe::egui::{RichText, ScrollArea, Ui};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::{State, Switch};
use strata_core::format::count;
use strata_core::project::data::{DataSpec, Normalize, Split};
use strata_core::project::edit::Edit;
use strata_engine::inspection::reply::Reply;
use strata_inspect::statistics::{Request, SplitStatistics, Statistics};

type Seen = Reply<Statistics>;

/// The view, with the textures of its mean image and of the images that are there twice.
#[derive(Default)]
pub struct StatisticsView {
    drawn: Option<(Arc<Seen>, Split, Sheet)>,
    twins: Option<(Arc<Seen>, Sheet)>,
}

impl View for StatisticsView {
    fn title(&self) -> &'static str {
        "Statistics"
    }

    fn summary(&self) -> &'static str {
        "Classes, mean image, histogram of the values, duplicates"
    }

    fn words(&self) -> &'static str {
        "mean std histogram balance duplicates"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Data
    }

    fn about(&self) -> &'static str {
        "Measured on the images as they are before range or normalize: how many there are of each class, mean and deviation by channel and by pixel, the histogram of the values, and images that are there twice, bit by bit. A copy of a training image among the test images makes the test figure too good."
    }

    fn status(&self, state: &State) -> String {
        let found = latest(state).and_then(|seen| seen.result.as_ref().ok());
        found
            .and_then(|found| chosen(state, found))
            .map_or_else(String::new, counted)
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(Ok(found)) = latest(state).map(|seen| &seen.result) else {
            return;
        };
        volume_slice(ui, state, found.slice, actions);
        let chosen = chosen(state, found).map(|split| split.split);
        for split in found.splits.iter().rev().map(|split| split.split) {
            let name = split.to_string();
            let tab = ui.selectable_label(
                chosen == Some(split),
                RichText::new(&name).size(theme::SMALL),
            );
            if tab
                .accessible_name(format!("Statistics of {name}"))
                .clicked()
            {
                actions.push(Action::Show(Show::Switch(Switch::StatisticsSplit(split))));
            }
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(Some(state.statistics_query())));
        match latest(state).map(|seen| (seen, &seen.result)) {
            Some((_, Err(error))) => unread(ui, state, "Nothing to measure", error, actions),
            Some((seen, Ok(found))) => {
                let Some(split) = chosen(state, found) else {
                    return;
                };
                self.update(ui, seen, found, split);
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| self.show(ui, state, found, split, actions));
            }
            None => reading(
                ui,
                state,
                ("Measuring the images …", &[TypeId::of::<Statistics>()]),
                actions,
            ),
        }
    }
}

/// The latest reply, unless it is to another query than the one that waits; another slice of the same images stays.
fn latest(state: &State) -> Option<&Arc<Seen>> {
    let query = state.statistics_query();
    let inspections = &state.inspections;
    let is_of_it = |seen: &&Arc<Seen>| {
        let is_same =
            (&seen.query.subject, &seen.query.request) == (&query.subject, &query.request);
        is_same || !inspections.waits_for(&query)
    };
    inspections.latest().filter(is_of_it)
}

fn counted(split: &SplitStatistics) -> String {
    match split.counted == split.images {
        true => format!(
            "{} · all {} images",
            split.split,
            count(split.images as u64)
        ),
        false => format!(
            "{} · {} of {} images",
            split.split,
            count(split.counted as u64),
            count(split.images as u64)
        ),
    }
}

/// The split that is shown: the one that was chosen, where there is one of that name.
fn chosen<'a>(state: &State, found: &'a Statistics) -> Option<&'a SplitStatistics> {
    let mut splits = found.splits.iter();
    let wanted = splits.find(|split| Some(split.split) == state.view.statistics_split);
    wanted.or(found.splits.first())
}

impl StatisticsView {
    /// Makes new textures only for other images.
    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, found: &Statistics, split: &SplitStatistics) {
        if self
            .twins
            .as_ref()
            .is_none_or(|(drawn, _)| !Arc::ptr_eq(drawn, seen))
        {
            self.twins = duplicates::sheet(ui.ctx(), found).map(|sheet| (seen.clone(), sheet));
        }
        if self
            .drawn
            .as_ref()
            .is_some_and(|(drawn, of, _)| Arc::ptr_eq(drawn, seen) && *of == split.split)
        {
            return;
        }
        let [channels, height, width] = found.shape;
        self.drawn = (!split.mean_image.is_empty()).then(|| {
            let pictures = [split.mean_image.as_slice(), &split.std_image];
            let sheet =
                Sheet::of_images(ui.ctx(), "mean image", [height, width, channels], &pictures);
            (seen.clone(), split.split, sheet)
        });
    }

    fn show(
        &self,
        ui: &mut Ui,
        state: &State,
        found: &Statistics,
        split: &SplitStatistics,
        actions: &mut Vec<Action>,
    ) {
        ui.horizontal_wrapped(|ui| {
            if let Some((_, _, sheet)) = &self.drawn {
                charts::picture(ui, sheet, 0, "Mean image");
                charts::picture(ui, sheet, 1, "Deviation of each pixel");
            }
            if ui.available_size_before_wrap().x < NUMBERS {
                ui.end_row();
            }
            ui.vertical(|ui| numbers(ui, state, split, actions));
        });
        if split.counted < split.images && ui.button("Measure all images").clicked() {
            actions.push(Action::Show(Show::Measure(Request { most: usize::MAX })));
        }
        heading(
            ui,
            "Values, from pixel 0 to pixel 255 (counts are logarithmic)",
        );
        charts::histogram(ui, split);
        duplicates::show(ui, found, self.twins.as_ref().map(|(_, sheet)| sheet));
        charts::classes(ui, found);
    }
}

/// Width of the numbers of the channels.
const NUMBERS: f32 = 210.0;

fn heading(ui: &mut Ui, text: &str) {
    ui.add_space(theme::GAP);
    ui.label(
        RichText::new(text)
            .size(theme::SMALL)
            .color(theme::palette(ui).weak),
    );
}

/// Mean and deviation by channel, and the button that takes them over.
fn numbers(ui: &mut Ui, state: &State, split: &SplitStatistics, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    ui.label(
        RichText::new("Mean ± deviation by channel, 0 to 1")
            .size(theme::SMALL)
            .color(colors.weak),
    );
    for (channel, (mean, std)) in split.mean.iter().zip(&split.std).enumerate() {
        let name = charts::channel(channel, split.mean.len());
        ui.label(
            RichText::new(format!("{name:<6} {mean:.4} ± {std:.4}"))
                .font(theme::digits(theme::CODE))
                .color(colors.text),
        );
    }
    let normalize = Some(Normalize::By(split.as_normalize()));
    let data = &state.project().data;
    let button = ui.add_enabled(
        data.normalize != normalize,
        eframe::egui::Button::new("Use as normalize"),
    );
    let button = button.on_hover_text(
        "Writes these numbers into the project: every channel then has mean 0 and deviation 1.",
    );
    if button
        .on_disabled_hover_text("The project has these numbers.")
        .clicked()
    {
        let data = DataSpec {
            normalize,
            range: None,
            ..data.clone()
        };
        actions.push(Action::Edit(Edit::Data(data)));
    }
}
