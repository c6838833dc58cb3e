//! What the layer has learned: its filters and its feature maps for an image, once there are weights.

use super::{heading, weak};
use crate::theme;
use crate::widgets::raster::Sheet;
use eframe::egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use std::sync::Arc;
use strata_app::action::{Action, OnView};
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::project::Place;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activations::{Layout, MapScale, Request};
use strata_inspect::inspection::Subject;
use strata_inspect::layer_pictures::LayerPictures;
use strata_inspect::picture::FilterScale;

/// More pictures of a kind than this are not drawn.
const MOST: usize = 64;
/// Between two pictures.
const GAP: f32 = 3.0;
/// Width of a picture, at least and at most.
const LEAST: f32 = 24.0;
const WIDEST: f32 = 56.0;

/// The textures of a reply.
#[derive(Clone)]
struct Drawn {
    reply: Arc<Reply<LayerPictures>>,
    filters: Option<Arc<Sheet>>,
    maps: Option<Arc<Sheet>>,
}

/// Asks for the pictures of the layer, and shows those that there are.
pub fn show(ui: &mut Ui, state: &State, place: &Place, actions: &mut Vec<Action>) {
    let request = Request {
        place: place.clone(),
        image: 0,
        file: state.inspections.saliency.image.clone(),
    };
    let Some(query) = state.run_query::<LayerPictures>(request) else {
        return;
    };
    if !is_in_run(state, place) {
        heading(ui, "Learned");
        weak(ui, "The run on screen was trained without this layer.");
        return;
    }
    actions.extend(state.request(Some(query)));
    let reply = state.run_reply::<LayerPictures>();
    let Some(reply) = reply.filter(|reply| reply.query.request.place == *place) else {
        let is_stored = matches!(state.subject(), Some(Subject::Stored(_)));
        heading(ui, "Learned");
        return weak(
            ui,
            if is_stored {
                "Reading …"
            } else {
                "Computing …"
            },
        );
    };
    match &reply.result {
        Ok(pictures) => draw(ui, reply, pictures, actions),
        Err(error) => {
            heading(ui, "Learned");
            weak(ui, &error.to_string());
        }
    }
}

/// Whether the run was trained with this very layer: what is edited since has learned nothing.
fn is_in_run(state: &State, place: &Place) -> bool {
    let trained = state.training.project.as_ref();
    let now = state.network().node(place);
    trained.is_none_or(|project| project.network.node(place) == now)
}

fn draw(
    ui: &mut Ui,
    reply: &Arc<Reply<LayerPictures>>,
    pictures: &LayerPictures,
    actions: &mut Vec<Action>,
) {
    let drawn = drawn(ui, reply, pictures);
    if let (Some(filters), Some(sheet)) = (&pictures.filters, &drawn.filters) {
        let what = if filters.are_templates {
            "Templates"
        } else {
            "Filters"
        };
        let size = format!("{}×{}", filters.height, filters.width);
        heading(ui, &format!("{what} · {} of {size}", filters.count));
        let name = format!("{} {} of the layer", filters.count, what.to_lowercase());
        grid(ui, sheet, filters.count, &name);
    }
    let maps = &pictures.maps;
    let Some(sheet) = &drawn.maps else { return };
    heading(ui, &format!("Feature maps · {}", maps.count()));
    let name = format!("{} feature maps of the layer", maps.count());
    if grid(ui, sheet, maps.count(), &name) {
        actions.push(Action::View(OnView::Open(ViewKind::Activations, None)));
    }
    weak(
        ui,
        &format!("{} · a click shows them large", maps.described()),
    );
}

/// Makes new textures only for another reply.
fn drawn(ui: &Ui, reply: &Arc<Reply<LayerPictures>>, pictures: &LayerPictures) -> Drawn {
    let id = Id::unique("pictures of the selected layer");
    let before: Option<Drawn> = ui.data(|data| data.get_temp(id));
    if let Some(before) = before.filter(|before| Arc::ptr_eq(&before.reply, reply)) {
        return before;
    }
    let filters = pictures.filters.as_ref().map(|filters| {
        let count = filters.count.min(MOST);
        let scale = FilterScale::PerFilter;
        Arc::new(Sheet::of_filters(
            ui.ctx(),
            "layer filters",
            filters,
            count,
            scale,
        ))
    });
    let maps = &pictures.maps;
    let is_drawn = maps.layout() != Layout::Units;
    let maps = is_drawn.then(|| {
        let whole = maps.summary();
        let slice = maps.slices() / 2;
        let rgba = |index| maps.rgba(index, slice, MapScale::PerMap, &whole);
        let count = maps.count().min(MOST);
        let size = maps.picture_size();
        Arc::new(Sheet::new(ui.ctx(), "layer maps", size, count, rgba))
    });
    let drawn = Drawn {
        reply: reply.clone(),
        filters,
        maps,
    };
    ui.data_mut(|data| data.insert_temp(id, drawn.clone()));
    drawn
}

/// The pictures in rows; whether they were clicked.
fn grid(ui: &mut Ui, sheet: &Sheet, count: usize, name: &str) -> bool {
    let shown = count.min(MOST);
    let ratio = sheet.size[0] as f32 / sheet.size[1].max(1) as f32;
    let room = ui.available_width();
    let columns = columns(room, shown, ratio);
    let widest = if is_wide(ratio) { room } else { WIDEST };
    let width = ((room + GAP) / columns as f32 - GAP).min(widest).floor();
    let cell = vec2(width, (width * ratio).max(4.0));
    let rows = shown.div_ceil(columns);
    let size = vec2(room, rows as f32 * (cell.y + GAP));
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    for index in 0..shown {
        let (row, column) = (index / columns, index % columns);
        let at = vec2(column as f32 * (cell.x + GAP), row as f32 * (cell.y + GAP));
        sheet.paint(
            ui.painter(),
            index,
            Rect::from_min_size(area.min + at, cell),
        );
    }
    if shown < count {
        let color = theme::palette(ui).weak;
        let text = format!("the first {shown} of {count}");
        ui.label(
            eframe::egui::RichText::new(text)
                .size(theme::SMALL)
                .color(color),
        );
    }
    response.clicked()
}

/// Whether a picture is much wider than high, as the weights of a unit of a dense layer are.
fn is_wide(ratio: f32) -> bool {
    ratio < 0.5
}

/// As few columns as fit pictures that can be told apart; wide ones take all the room.
fn columns(room: f32, count: usize, ratio: f32) -> usize {
    if is_wide(ratio) {
        return 1;
    }
    let most = ((room + GAP) / (LEAST + GAP)).floor().max(1.0) as usize;
    let usual = ((room + GAP) / (WIDEST * 0.75 + GAP)).floor().max(1.0) as usize;
    let few = usual.min(count.max(1));
    if count > 4 * usual { most } else { few }
}
