//! The centre: the views in tiles that are split, dragged, resized, closed and opened again.
//!
//! The arrangement is a value of the state. Each frame a tree of `egui_tiles` is made of it and
//! shown; what the user moved comes back as an action.

use crate::gui::action::{Action, OnView};
use crate::gui::arrangement::{Arrangement, Part, Side};
use crate::gui::state::State;
use crate::gui::theme;
use crate::gui::views::{ViewKind, Views};
use crate::gui::widgets::icon::{self, Icon};
use crate::gui::widgets::icon_button;
use eframe::egui::{
    Align2, Color32, Id, Label, Layout, Popup, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, Style, Ui,
    UiBuilder, Visuals, WidgetInfo, WidgetText, pos2, vec2,
};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, ResizeState, SimplificationOptions, TabState, Tabs, Tile, TileId, Tiles,
    Tree, UiResponse,
};

const HEADER: f32 = 32.0;
/// From a tab's edge to its title.
const PAD: f32 = 8.0;
const CLOSE: f32 = 16.0;
const RULES: SimplificationOptions = SimplificationOptions {
    prune_empty_tabs: true,
    prune_empty_containers: true,
    prune_single_child_tabs: false,
    prune_single_child_containers: true,
    all_panes_must_have_tabs: true,
    join_nested_linear_containers: true,
    flatten_tabs_in_tabs: true,
};

/// Shows the tiles in all the room there is.
pub fn show(ui: &mut Ui, state: &State, views: &mut Views, actions: &mut Vec<Action>) {
    let arrangement = state.arrangement();
    let Some(part) = &arrangement.0 else {
        none_open(ui, actions);
        return;
    };
    let mut tiles = Tiles::default();
    let root = build(part, &mut tiles);
    let mut tree = Tree::new(Id::unique("views"), root, tiles);
    let mut dock = Dock { state, views, actions: Vec::new(), arrangement };
    tree.ui(&mut dock, ui);
    let Dock { actions: asked, .. } = dock;
    let moved = Arrangement(tree.root().and_then(|root| read(&tree.tiles, root)));
    if moved != *arrangement {
        actions.push(Action::View(OnView::Arrange(moved)));
    }
    actions.extend(asked);
}

fn build(part: &Part, tiles: &mut Tiles<ViewKind>) -> TileId {
    let (dir, parts) = match part {
        Part::Tabs { views, front } => {
            let panes: Vec<_> = views.iter().map(|&kind| tiles.insert_pane(kind)).collect();
            let front = views.iter().position(|kind| kind == front).and_then(|at| panes.get(at).copied());
            let tabs = Tabs { children: panes, active: front };
            return tiles.insert_container(tabs);
        }
        Part::Row(parts) => (LinearDir::Horizontal, parts),
        Part::Column(parts) => (LinearDir::Vertical, parts),
    };
    let children: Vec<_> = parts.iter().map(|(share, part)| (*share, build(part, tiles))).collect();
    let mut linear = Linear::new(dir, children.iter().map(|(_, id)| *id).collect());
    for (share, id) in children {
        linear.shares.set_share(id, share);
    }
    tiles.insert_container(linear)
}

fn read(tiles: &Tiles<ViewKind>, id: TileId) -> Option<Part> {
    match tiles.get(id)? {
        Tile::Pane(kind) => Some(Part::of(&[*kind])),
        Tile::Container(Container::Tabs(tabs)) => {
            let views: Vec<_> = tabs.children.iter().filter_map(|child| tiles.get_pane(child).copied()).collect();
            let front = tabs.active.and_then(|front| tiles.get_pane(&front).copied()).or(views.first().copied())?;
            Some(Part::Tabs { views, front })
        }
        Tile::Container(Container::Linear(linear)) => {
            let shared = |child: &TileId| Some((linear.shares[*child], read(tiles, *child)?));
            let parts = linear.children.iter().filter_map(shared).collect();
            Some(if linear.dir == LinearDir::Horizontal { Part::Row(parts) } else { Part::Column(parts) })
        }
        Tile::Container(Container::Grid(_)) => None,
    }
}

/// What stands in the centre when every view is closed.
fn none_open(ui: &mut Ui, actions: &mut Vec<Action>) {
    let colors = theme::palette(ui);
    let space = (ui.available_height() - 32.0 * (ViewKind::ALL.len() as f32 + 3.0)).max(0.0) / 2.0;
    ui.vertical_centered(|ui| {
        ui.add_space(space);
        ui.label(RichText::new("No view is open").font(theme::heading(theme::BODY)).color(colors.text));
        ui.label(RichText::new("Open one, or take the usual arrangement back.").color(colors.weak));
        ui.add_space(theme::GAP);
        if ui.button("Reset arrangement").clicked() {
            actions.push(Action::View(OnView::Reset));
        }
        ui.add_space(theme::GAP);
        ui.allocate_ui(vec2(456.0, 0.0), |ui| entries(ui, None, |_| false, actions));
    });
}

/// Every view with its line; a click opens it (or brings it to the front).
fn entries(ui: &mut Ui, beside: Option<ViewKind>, is_open: impl Fn(ViewKind) -> bool, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 0.0;
    for kind in ViewKind::ALL {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width().max(456.0), 28.0), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Open {} view", kind.title())));
        let colors = theme::palette(ui);
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, theme::RADIUS, colors.lifted);
        }
        if is_open(kind) {
            icon::paint(ui.painter(), Icon::Check, icon::beside(rect, rect.left() + 6.0), colors.accent);
        }
        let at = rect.left_center() + vec2(28.0, 0.0);
        ui.painter().text(at, Align2::LEFT_CENTER, kind.title(), theme::heading(theme::BODY), colors.strong);
        let font = eframe::egui::FontId::proportional(theme::SMALL);
        ui.painter().text(at + vec2(120.0, 0.0), Align2::LEFT_CENTER, kind.line(), font, colors.weak);
        if response.clicked() {
            actions.push(Action::View(OnView::Open(kind, beside)));
            ui.close();
        }
    }
}

struct Dock<'a> {
    state: &'a State,
    views: &'a mut Views,
    arrangement: &'a Arrangement,
    actions: Vec<Action>,
}

impl Dock<'_> {
    fn front(tiles: &Tiles<ViewKind>, tabs: &Tabs) -> Option<ViewKind> {
        tabs.active.and_then(|id| tiles.get_pane(&id).copied())
    }

    fn add_menu(&mut self, ui: &mut Ui, front: ViewKind) {
        let name = format!("Add view beside {}", front.title());
        let button = icon_button(ui, Icon::Plus, &name, "Open a view here", true);
        Popup::menu(&button).width(456.0).show(|ui| {
            let arrangement = self.arrangement;
            entries(ui, Some(front), |kind| arrangement.is_open(kind), &mut self.actions);
            ui.separator();
            if ui.button("Reset arrangement").clicked() {
                self.actions.push(Action::View(OnView::Reset));
                ui.close();
            }
        });
    }

    fn menu(&mut self, tab: &Response, kind: ViewKind, alone: bool) {
        tab.context_menu(|ui| {
            for (text, does, enabled) in [
                ("Split to the right", OnView::Split(kind, Side::Right), !alone),
                ("Split below", OnView::Split(kind, Side::Below), !alone),
                ("Close view", OnView::Close(kind), true),
                ("Reset arrangement", OnView::Reset, true),
            ] {
                if ui.add_enabled(enabled, eframe::egui::Button::new(text)).clicked() {
                    self.actions.push(Action::View(does));
                    ui.close();
                }
            }
        });
    }

    fn close_button(&mut self, ui: &Ui, tab: Rect, kind: ViewKind, shown: bool) {
        let center = pos2(tab.right() - PAD / 2.0 - CLOSE / 2.0, tab.center().y);
        let rect = Rect::from_center_size(center, vec2(CLOSE, CLOSE));
        let response = ui.interact(rect, Id::unique(("close view", kind)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Close {} view", kind.title())));
        let colors = theme::palette(ui);
        let lit = response.hovered() || response.has_focus();
        if lit {
            ui.painter().rect_filled(rect, theme::RADIUS, colors.line);
        }
        if shown || lit {
            icon::paint(ui.painter(), Icon::Close, rect, if lit { colors.strong } else { colors.weak });
        }
        if response.on_hover_text("Close this view; + opens it again").clicked() {
            self.actions.push(Action::View(OnView::Close(kind)));
        }
    }
}

impl Behavior<ViewKind> for Dock<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, kind: &mut ViewKind) -> UiResponse {
        let rect = ui.max_rect();
        let body = Rect::from_min_max(rect.min + vec2(12.0, 8.0), rect.max - vec2(12.0, 8.0));
        let mut inner = ui.new_child(UiBuilder::new().scope_id(Id::unique(("view", *kind))).max_rect(body));
        inner.shrink_clip_rect(rect.shrink(1.0));
        self.views.get(*kind).body(&mut inner, self.state, &mut self.actions);
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, kind: &ViewKind) -> WidgetText {
        kind.title().into()
    }

    fn tab_ui(&mut self, tiles: &mut Tiles<ViewKind>, ui: &mut Ui, id: Id, tile: TileId, tab: &TabState) -> Response {
        let Some(kind) = tiles.get_pane(&tile).copied() else {
            return ui.interact(Rect::NOTHING, id, Sense::hover());
        };
        let alone = self.arrangement.is_alone(kind);
        let colors = *theme::palette(ui);
        let ink = if tab.active { colors.strong } else { colors.weak };
        let title = ui.painter().layout_no_wrap(kind.title().into(), theme::heading(theme::BODY), ink);
        let (_, rect) = ui.allocate_space(vec2(title.size().x + 2.0 * PAD + CLOSE, ui.available_height()));
        let response = ui.interact(rect, id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, tab.active, format!("{} view", kind.title())));
        let pill = rect.shrink2(vec2(1.0, 4.0));
        if !alone && (tab.active || response.hovered()) {
            ui.painter().rect_filled(pill, theme::RADIUS, colors.lifted);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(pill, theme::RADIUS, Stroke::new(1.0, colors.accent), StrokeKind::Inside);
        }
        let at = pos2(rect.left() + PAD, rect.center().y - title.size().y / 2.0);
        ui.painter().galley(at, title, ink);
        self.close_button(ui, rect, kind, tab.active || ui.rect_contains_pointer(rect));
        self.menu(&response, kind, alone);
        response.on_hover_text(format!("{}\nDrag to move it, right click to split it.", self.views.get(kind).about()))
    }

    fn tab_bar_left_ui(&mut self, _: &Tiles<ViewKind>, ui: &mut Ui, _: TileId, _: &Tabs) {
        ui.add_space(theme::STEP);
    }

    fn tab_bar_trailing_ui(&mut self, tiles: &Tiles<ViewKind>, ui: &mut Ui, _: TileId, tabs: &Tabs) {
        let Some(front) = Self::front(tiles, tabs) else { return };
        let status = self.views.get(front).status(self.state);
        let line = if status.is_empty() { front.line().to_owned() } else { status };
        let room = ui.clip_rect().right() - ui.cursor().left() - theme::STEP;
        if room < 32.0 {
            return;
        }
        ui.add_space(theme::STEP);
        let line = RichText::new(line).size(theme::SMALL).color(theme::palette(ui).weak);
        let size = vec2(room - theme::STEP, ui.available_height());
        let left = Layout::left_to_right(eframe::egui::Align::Center);
        ui.allocate_ui_with_layout(size, left, |ui| ui.add(Label::new(line).truncate()));
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<ViewKind>, ui: &mut Ui, id: TileId, tabs: &Tabs, _: &mut f32) {
        let colors = *theme::palette(ui);
        if let Some(rect) = tiles.rect(id) {
            let line = Stroke::new(1.0, colors.line);
            ui.painter().rect(rect, theme::RADIUS, colors.panel, line, StrokeKind::Inside);
            ui.painter().hline(rect.x_range(), rect.top() + HEADER - 0.5, line);
        }
        let Some(front) = Self::front(tiles, tabs) else { return };
        ui.spacing_mut().item_spacing.x = theme::GAP;
        ui.add_space(theme::STEP);
        self.add_menu(ui, front);
        self.views.get(front).tools(ui, self.state, &mut self.actions);
    }

    fn tab_bar_height(&self, _: &Style) -> f32 {
        HEADER
    }

    fn gap_width(&self, _: &Style) -> f32 {
        theme::GAP
    }

    fn min_size(&self) -> f32 {
        160.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        RULES
    }

    /// Only single views move: a group as a tab of another would be hard to find again.
    fn is_tile_draggable(&self, tiles: &Tiles<ViewKind>, tile: TileId) -> bool {
        tiles.get_pane(&tile).is_some()
    }

    fn tab_bar_color(&self, _: &Visuals) -> Color32 {
        Color32::TRANSPARENT
    }

    fn tab_bar_hline_stroke(&self, _: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn resize_stroke(&self, style: &Style, resize: ResizeState) -> Stroke {
        match resize {
            ResizeState::Idle => Stroke::NONE,
            ResizeState::Hovering => Stroke::new(2.0, style.visuals.widgets.noninteractive.bg_stroke.color),
            ResizeState::Dragging => Stroke::new(2.0, style.visuals.selection.stroke.color),
        }
    }

    fn drag_preview_color(&self, visuals: &Visuals) -> Color32 {
        theme::faded(visuals.selection.stroke.color, 0.15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::arrangement::Purpose;

    #[test]
    fn an_arrangement_survives_the_tree() {
        for purpose in Purpose::ALL {
            let arrangement = Arrangement::default_for(purpose);
            let mut tiles = Tiles::default();
            let root = build(arrangement.0.as_ref().unwrap(), &mut tiles);
            let mut tree = Tree::new(Id::unique("views"), root, tiles);
            tree.simplify(&RULES);
            assert_eq!(read(&tree.tiles, tree.root().unwrap()), arrangement.0);
        }
    }
}
