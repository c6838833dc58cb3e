//! The first layer's filters, or what the decoder paints with, as small pictures, live.

use crate::theme;
use crate::view::View;
use crate::widgets::raster::{Sheet, shades};
use crate::widgets::{chevron, empty};
use eframe::egui::{
    Align2, Color32, ComboBox, Context, Painter, Rect, RichText, ScrollArea, Sense, Stroke,
    StrokeKind, Ui, pos2, vec2,
};
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_inspect::filters::Filters;
use strata_inspect::inspection::Subject;
use strata_inspect::picture::{FilterScale, diverging, filter_limit, filter_rgba};

/// The view, with the texture of what it shows.
#[derive(Default)]
pub(crate) struct FiltersView {
    drawn: Option<Drawn>,
}

struct Drawn {
    filters: Arc<Filters>,
    scale: FilterScale,
    sheet: Sheet,
}

/// More filters than this are not drawn.
const MOST: usize = 1024;
const GAP: f32 = 4.0;
/// The side of a filter, at most.
const LARGEST: f32 = 160.0;

impl View for FiltersView {
    fn title(&self) -> &'static str {
        "Filters"
    }

    fn summary(&self) -> &'static str {
        "The first layer's weights, or the decoder's, as small pictures"
    }

    fn words(&self) -> &'static str {
        "weights kernels learned"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The weights of the first layer, one small picture for each filter, or those of the decoder's last layer with weights: what each of its inputs paints into the reconstruction. RGB filters are shown in colour around grey (weight 0), others from blue (negative) over white to red (positive). Edges and blobs of colour mean it has learned something."
    }

    fn status(&self, state: &State) -> String {
        let filters = state.filters().and_then(Result::ok);
        filters.map_or_else(String::new, |filters| {
            format!("{} · step {}", filters.layer, format::count(filters.step))
        })
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        choose_layer(ui, state, actions);
        let now = state.view.filter_scale;
        let mut chosen = now;
        let combo = ComboBox::from_id_salt("filter scale")
            .width(92.0)
            .icon(chevron)
            .selected_text(RichText::new(name(now)).size(theme::SMALL))
            .show_ui(ui, |ui| {
                for scale in [FilterScale::PerFilter, FilterScale::PerLayer, fixed(state)] {
                    ui.selectable_value(&mut chosen, scale, name(scale));
                }
            });
        combo
            .response
            .on_hover_text("per filter: each by its own largest weight, shows the form of weak ones; per layer: all by the layer's largest, shows which are strong; fixed: by the largest there was when you chose it, shows how they grow")
            .accessible_name("Filter scale");
        if chosen != now {
            actions.push(Action::Show(Show::FilterScale(chosen)));
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        actions.extend(state.request(state.filters_query()));
        let filters = match state.filters() {
            Some(Ok(filters)) if filters.count > 0 => filters,
            other => {
                self.drawn = None;
                let reading =
                    other.is_none() && matches!(state.subject(), Some(Subject::Stored(_)));
                let failure = other.and_then(Result::err);
                return match failure {
                    Some(message) => empty(ui, "No filters to show", &message),
                    None if reading => {
                        empty(ui, "Reading the weights …", "They appear in a moment.")
                    }
                    None => empty(
                        ui,
                        "No filters yet",
                        "Press Train: they change as the network learns.",
                    ),
                };
            }
        };
        self.update(ui.ctx(), filters, state.view.filter_scale);
        let Some(drawn) = &self.drawn else { return };
        let area = ui.available_rect_before_wrap();
        let (grid_area, bar) = area.split_left_right_at_x(area.right() - 44.0);
        color_bar(ui.painter(), bar, drawn, ui);
        let mut grid_ui = ui.new_child(eframe::egui::UiBuilder::new().max_rect(grid_area));
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(&mut grid_ui, |ui| grid(ui, drawn, grid_area.size()));
    }
}

/// The first layer, or the decoder where there is one.
fn choose_layer(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let now = state.view.decoder_filters;
    if !now && state.project().network.decoder.is_empty() {
        return;
    }
    let name = |decoder| if decoder { "decoder" } else { "first layer" };
    let mut chosen = now;
    let combo = ComboBox::from_id_salt("filter layer")
        .width(92.0)
        .icon(chevron)
        .selected_text(RichText::new(name(now)).size(theme::SMALL))
        .show_ui(ui, |ui| {
            for decoder in [false, true] {
                ui.selectable_value(&mut chosen, decoder, name(decoder));
            }
        });
    combo
        .response
        .on_hover_text("first layer: what each filter looks for; decoder: what each unit paints into the reconstruction, the better picture of what a sparse autoencoder has learned")
        .accessible_name("Filter layer");
    if chosen != now {
        actions.push(Action::Show(Show::DecoderFilters(chosen)));
    }
}

fn name(scale: FilterScale) -> String {
    match scale {
        FilterScale::PerFilter => "per filter".into(),
        FilterScale::PerLayer => "per layer".into(),
        FilterScale::Fixed(limit) => format!("fixed ±{}", format::short(limit.into(), 2)),
    }
}

/// The scale that is kept from now on: the one in use, or what the layer's largest weight is now.
fn fixed(state: &State) -> FilterScale {
    let now = |filters: &Arc<Filters>| filter_limit(filters, 0, FilterScale::PerLayer);
    match state.view.filter_scale {
        fixed @ FilterScale::Fixed(_) => fixed,
        _ => FilterScale::Fixed(state.filters().and_then(Result::ok).map_or(1.0, now)),
    }
}

impl FiltersView {
    /// Makes a new texture only when there is something new to draw.
    fn update(&mut self, ctx: &Context, filters: &Arc<Filters>, scale: FilterScale) {
        if self
            .drawn
            .as_ref()
            .is_some_and(|drawn| Arc::ptr_eq(&drawn.filters, filters) && drawn.scale == scale)
        {
            return;
        }
        let (size, count) = ([filters.height, filters.width], filters.count.min(MOST));
        let sheet = Sheet::new(ctx, "filters", size, count, |index| {
            filter_rgba(filters, index, scale)
        });
        self.drawn = Some(Drawn {
            filters: filters.clone(),
            scale,
            sheet,
        });
    }
}

fn grid(ui: &mut Ui, drawn: &Drawn, space: eframe::egui::Vec2) {
    let filters = &drawn.filters;
    let count = filters.count.min(MOST);
    let (columns, width) = arrangement(
        count,
        filters.height as f32 / filters.width.max(1) as f32,
        space,
    );
    let cell = vec2(
        width,
        width * filters.height as f32 / filters.width.max(1) as f32,
    );
    let rows = count.div_ceil(columns);
    let size = vec2(
        columns as f32 * (cell.x + GAP),
        rows as f32 * (cell.y + GAP),
    );
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let what = if filters.are_templates {
            "templates"
        } else {
            "filters"
        };
        let text = format!("{count} {what} of {}", filters.layer);
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Image, true, text)
    });
    let place = |index: usize| {
        let at = vec2(
            (index % columns) as f32 * (cell.x + GAP),
            (index / columns) as f32 * (cell.y + GAP),
        );
        Rect::from_min_size(area.min + at, cell)
    };
    let mut painter = ui.painter().clone();
    painter.shrink_clip_rect(ui.clip_rect());
    for index in 0..count {
        drawn.sheet.paint(&painter, index, place(index));
    }
    let hovered = response
        .hover_pos()
        .and_then(|at| (0..count).find(|&index| place(index).contains(at)));
    if let Some(index) = hovered {
        let stroke = Stroke::new(1.5, theme::palette(ui).accent);
        painter.rect_stroke(place(index), 0.0, stroke, StrokeKind::Outside);
        response.on_hover_text_at_pointer(describe(filters, index));
    }
}

/// Columns and cell width so that as much as possible is seen without scrolling, each as large as the tile has room for
/// between 16 and 160 points.
fn arrangement(count: usize, ratio: f32, space: eframe::egui::Vec2) -> (usize, f32) {
    let count = count.max(1);
    // Bounded by the tile's width or by its height.
    let width = |columns: usize| {
        let across = space.x / columns as f32 - GAP;
        let down = space.y / count.div_ceil(columns) as f32 - GAP;
        across
            .min(down / ratio.max(f32::EPSILON))
            .min(LARGEST)
            .floor()
    };
    let best = (1..=count)
        .map(|columns| (columns, width(columns)))
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    match best {
        Some((columns, width)) if width >= 16.0 => (columns, width),
        _ => ((space.x / (16.0 + GAP)).floor().max(1.0) as usize, 16.0),
    }
}

fn describe(filters: &Filters, index: usize) -> String {
    let size = filters.height * filters.width * filters.channels;
    let weights = filters
        .values
        .get(index * size..(index + 1) * size)
        .unwrap_or_default();
    let span = format::span(weights.iter().map(|&weight| f64::from(weight)));
    let span = span.map_or_else(
        || "none is finite".to_owned(),
        |ends| ends.map(|end| format::short(end, 3)).join(" … "),
    );
    format!("filter {}\nweights {span}", index + 1)
}

/// Which colour means which weight.
fn color_bar(painter: &Painter, area: Rect, drawn: &Drawn, ui: &Ui) {
    let colors = theme::palette(ui);
    let bar = Rect::from_min_size(
        area.min + vec2(6.0, 0.0),
        vec2(8.0, area.height().min(160.0)),
    );
    shades(painter, bar, |share| {
        let value = 2.0 * share - 1.0;
        if drawn.filters.channels == 3 {
            return Color32::from_gray((127.5 + 127.5 * value) as u8);
        }
        let [r, g, b] = diverging(value);
        Color32::from_rgb(r, g, b)
    });
    let limit = filter_limit(&drawn.filters, 0, drawn.scale);
    let end = |sign: char| match drawn.scale {
        FilterScale::PerLayer | FilterScale::Fixed(_) => {
            format!("{sign}{}", format::short(limit.into(), 2))
        }
        FilterScale::PerFilter => format!("{sign}max"),
    };
    let write = |y: f32, align: Align2, text: String| {
        painter.text(
            pos2(bar.right() + 4.0, y),
            align,
            text,
            theme::digits(theme::TINY),
            colors.weak,
        );
    };
    write(bar.top(), Align2::LEFT_TOP, end('+'));
    write(bar.center().y, Align2::LEFT_CENTER, "0".into());
    write(bar.bottom(), Align2::LEFT_BOTTOM, end('−'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_arranged_to_be_seen_at_once() {
        let (columns, width) = arrangement(32, 1.0, vec2(240.0, 280.0));
        assert!(columns * (32usize.div_ceil(columns)) >= 32);
        assert!((32usize.div_ceil(columns)) as f32 * (width + GAP) <= 280.0);
        // They grow with the tile, and fill most of it.
        let width = |space: f32| arrangement(32, 1.0, vec2(space, 0.6 * space)).1;
        assert!(width(300.0) < width(600.0) && width(600.0) < width(1000.0));
        let (columns, width) = arrangement(20, 1.0, vec2(700.0, 420.0));
        let rows = 20usize.div_ceil(columns) as f32;
        assert!(rows * (width + GAP) <= 420.0 && columns as f32 * (width + GAP) <= 700.0);
        assert!(
            20.0 * width * width >= 0.6 * 700.0 * 420.0,
            "{columns} {width}"
        );
        assert_eq!(arrangement(4, 1.0, vec2(1000.0, 1000.0)).1, LARGEST);
        assert_eq!(arrangement(1000, 1.0, vec2(240.0, 100.0)).1, 16.0);
    }
}
