//! The receptive field: the box on the image that one cell of a layer's map sees, the map to choose the cell
//! from, and all layers with size, stride and offset.

mod chosen;
mod image;
mod list;
mod map;

use crate::theme;
use crate::view::View;
use crate::widgets::{elided, empty};
use chosen::{Chosen, times};
use eframe::egui::{FontId, Galley, Rect, RichText, Ui, UiBuilder, pos2, vec2};
use image::Pictures;
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::{State, Switch};
use strata_core::shape::field::sees_less;
use strata_engine::inspection::reply::Query;
use strata_inspect::effective_field::{EffectiveField, Request};

/// The view: which cell, and what it draws with.
#[derive(Default)]
pub struct FieldView {
    chosen: Option<Chosen>,
    pictures: Pictures,
}

/// Height of a caption above a picture.
const CAPTION: f32 = 18.0;
const GAP: f32 = 16.0;
/// Width of the colour bar of the effective field.
const BAR: f32 = 60.0;
/// From a caption to its picture: room in which the padding is seen.
const MARGIN: f32 = 8.0;

impl View for FieldView {
    fn title(&self) -> &'static str {
        "Receptive field"
    }

    fn summary(&self) -> &'static str {
        "What of the image one value of a layer sees"
    }

    fn words(&self) -> &'static str {
        "receptive field effective"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "What of the input one value of a layer depends on. Every convolution or pooling with kernel k, dilation d and stride s adds (k − 1)·d·j to the size, where j is the stride so far, and multiplies j by s. Pixels in the middle count more than those at the edge: the effective field (Luo et al. 2016) is the gradient of the value by the input, once there are weights."
    }

    fn status(&self, state: &State) -> String {
        let Some(chosen) = self.chosen.as_ref() else {
            let any = state
                .shown
                .inference
                .rows
                .iter()
                .any(|row| row.receptive_field.is_some());
            return if any {
                "What of the input one value of a layer sees".to_owned()
            } else {
                String::new()
            };
        };
        chosen.line(&state.shown.inference)
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let measured = self
            .chosen
            .as_ref()
            .is_some_and(|chosen| chosen.effective(state).is_some());
        if measured {
            let shown = state.view.effective_field;
            let toggle = ui.selectable_label(shown, RichText::new("effective").size(theme::SMALL));
            let hover =
                "How strongly each pixel bears on the cell: |gradient|, mean over the probe images";
            if toggle
                .on_hover_text(hover)
                .accessible_name("Effective field")
                .clicked()
            {
                actions.push(Action::Show(Show::Switch(Switch::EffectiveField(!shown))));
            }
        }
        self.pictures.tools(ui, state);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        self.chosen = Chosen::of(state, self.chosen.take());
        let Some(chosen) = &mut self.chosen else {
            return empty(
                ui,
                "No layers yet",
                "Add a layer: its receptive field is drawn on an image here.",
            );
        };
        let effective = state.view.effective_field;
        if effective || chosen.effective(state).is_none() {
            actions.extend(state.request(field_query(state)));
        }
        let measured = effective && chosen.effective(state).is_some();
        let area = ui.available_rect_before_wrap();
        let hint = hint(ui, state, area.width()).filter(|_| area.height() > 180.0);
        let below = hint
            .as_ref()
            .map_or(0.0, |hint| hint.size().y + theme::STEP);
        let areas = Areas::of(area, below, chosen, measured);
        self.pictures
            .show(ui, areas.image, state, chosen, effective);
        map::show(ui, areas.map, chosen);
        let request = Request {
            place: chosen.place.clone(),
            cell: chosen.cell.clone(),
        };
        if state.inspections.cell.as_ref() != Some(&request) {
            actions.push(Action::Show(Show::Cell(Some(request))));
        }
        let mut inner = ui.new_child(UiBuilder::new().id_salt("layers").max_rect(areas.list));
        list::show(&mut inner, state, &chosen.place, actions);
        if let Some(hint) = hint {
            let at = areas.hint.left_bottom() - vec2(0.0, hint.size().y);
            ui.painter().galley(at, hint, theme::palette(ui).second);
        }
    }
}

/// The query for the effective field of the chosen cell.
fn field_query(state: &State) -> Option<Query<EffectiveField>> {
    state.run_query(state.inspections.cell.clone()?)
}

/// Width below which the list of layers has no room beside the pictures.
const NARROW: f32 = 420.0;

/// Where the parts are.
struct Areas {
    image: Rect,
    map: Rect,
    list: Rect,
    hint: Rect,
}

impl Areas {
    /// Side by side where the tile is wide, else the list below; the hint has so much at the bottom.
    fn of(area: Rect, hint: f32, chosen: &Chosen, measured: bool) -> Areas {
        let (area, hint) = area.split_top_bottom_at_y(area.bottom() - hint);
        // As wide as what is as tall as the tile; the rest is the list's.
        let beside = |share: f32, sizes: [usize; 2], extra: f32| {
            let ideal = (area.height() - CAPTION) * sizes[1] as f32 / sizes[0].max(1) as f32;
            (ideal + extra).min(area.width() * share)
        };
        let sizes = [
            chosen.input().unwrap_or([1, 1]),
            chosen.map().unwrap_or([1, 1]),
        ];
        let (image, map) = (
            beside(0.34, sizes[0], if measured { BAR } else { 0.0 }),
            beside(0.21, sizes[1], 0.0),
        );
        let part = |left: f32, width: f32| {
            Rect::from_min_size(
                area.min + vec2(left, 0.0),
                vec2(width.max(0.0), area.height()),
            )
        };
        if area.width() <= NARROW || area.width() <= 1.5 * area.height() {
            return Areas::above(area, chosen, hint);
        }
        if chosen.is_strip() {
            let (image, map) = part(0.0, area.width() * 0.55).split_top_bottom_at_fraction(0.5);
            let left = image.width() + GAP;
            return Areas {
                image,
                map,
                list: part(left, area.width() - left),
                hint,
            };
        }
        let left = image + map + 2.0 * GAP;
        Areas {
            image: part(0.0, image),
            map: part(image + GAP, map),
            list: part(left, area.width() - left),
            hint,
        }
    }

    /// The pictures above, the list below.
    fn above(area: Rect, chosen: &Chosen, hint: Rect) -> Areas {
        let tall = (area.width() * 0.5).min(area.height() * 0.6);
        let (pictures, list) = area.split_top_bottom_at_y(area.top() + tall);
        let list = Rect::from_min_max(list.min + vec2(0.0, theme::GAP), list.max);
        let (image, map) = match chosen.is_strip() {
            true => pictures.split_top_bottom_at_fraction(0.5),
            false => pictures.split_left_right_at_fraction(0.55),
        };
        Areas {
            image: Rect::from_min_max(image.min, image.max - vec2(GAP / 2.0, 0.0)),
            map,
            list,
            hint,
        }
    }
}

/// A small text above a picture, and what is left for the picture.
fn captioned(ui: &Ui, area: Rect, text: &str) -> Rect {
    let color = theme::palette(ui).weak;
    let galley = elided(
        ui,
        text,
        FontId::proportional(theme::SMALL),
        color,
        area.width(),
    );
    ui.painter().galley(area.min, galley, color);
    Rect::from_min_max(area.min + vec2(0.0, CAPTION), area.max)
}

/// The largest rectangle of this ratio (height over width) in the upper left of an area.
fn fitted(area: Rect, [height, width]: [usize; 2]) -> Rect {
    let (tall, wide) = (height.max(1) as f32, width.max(1) as f32);
    let scale = (area.width() / wide).min(area.height() / tall).max(0.0);
    // A strip of a signal would be a hair.
    let least = if height == 1 {
        40.0f32.min(area.height())
    } else {
        0.0
    };
    Rect::from_min_size(area.min, vec2(wide * scale, (tall * scale).max(least)))
}

/// The place of a cell of a grid.
fn cell_rect(grid: Rect, [height, width]: [usize; 2], [rows, columns]: [(i64, i64); 2]) -> Rect {
    let x = |column: i64| grid.left() + grid.width() * column as f32 / width.max(1) as f32;
    let y = |row: i64| grid.top() + grid.height() * row as f32 / height.max(1) as f32;
    Rect::from_min_max(
        pos2(x(columns.0), y(rows.0)),
        pos2(x(columns.1 + 1), y(rows.1 + 1)),
    )
}

/// Where the code sees less than the input, whatever layer is chosen: on as many lines as it needs.
fn hint(ui: &Ui, state: &State, width: f32) -> Option<Arc<Galley>> {
    let text = format!("Hint: {}", sees_less(&state.shown.inference)?);
    let font = FontId::proportional(theme::SMALL);
    let ink = theme::palette(ui).second;
    Some(ui.painter().layout(text, font, ink, width))
}

/// A text in place of a picture, broken into lines.
fn told(ui: &Ui, area: Rect, text: &str) {
    let color = theme::palette(ui).weak;
    let font = FontId::proportional(theme::SMALL);
    let galley = ui
        .painter()
        .layout(text.to_owned(), font, color, area.width());
    ui.painter().galley(area.min, galley, color);
}

/// Sizes as text, one number where all are equal.
fn compact<T: ToString + PartialEq>(sizes: &[T]) -> String {
    match sizes.split_first() {
        Some((first, rest)) if rest.iter().all(|size| size == first) => first.to_string(),
        _ => times(sizes),
    }
}
