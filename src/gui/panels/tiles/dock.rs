//! How a tile looks and what can be done with it: tabs, menus, the line below them.

use super::titles::{CLOSE, NARROW, PAD, TAB, Titles, title};
use super::{RULES, entries, named};
use crate::frame_parts::timed;
use crate::keys::view_under_pointer;
use crate::theme;
use crate::views::{self, Views};
use crate::widgets::icon::{self, Icon};
use crate::widgets::{clauses, close_by_key, icon_button};
use eframe::egui::style::ScrollAnimation;
use eframe::egui::{
    Align, Color32, Id, Layout, Popup, PopupCloseBehavior, Rect, Response, Role, Sense, Stroke,
    StrokeKind, Style, Ui, UiBuilder, Visuals, WidgetInfo, WidgetText, pos2, vec2,
};
use egui_tiles::{
    Behavior, ResizeState, SimplificationOptions, TabState, Tabs, TileId, Tiles, UiResponse,
};
use strata_app::action::{Action, OnView};
use strata_app::arrangement::{Arrangement, Side};
use strata_app::state::{PathPurpose, State};
use strata_app::view_kind::{ViewInfo, ViewKind};

/// Views that are opened in one frame: what a view draws first it has to lay out, so that all at once would be a long one.
const OPEN_AT_ONCE: usize = 3;

pub(super) const HEADER: f32 = 32.0;
/// The line below the tabs: what is shown, and its switches.
const LINE: f32 = 24.0;
/// Between the tabs and that line.
const ABOVE: f32 = 2.0;
/// Room below which a line says nothing more.
const LEAST: f32 = 56.0;
/// In a tile narrower and taller than this, what is shown stands below the switches: beside them it could not be read.
/// The tile alone decides, so that nothing moves when a switch is pressed.
const BESIDE: f32 = 440.0;
/// The same beside so many switches that they are wider than this.
const BESIDE_MANY: f32 = 680.0;
const MANY: f32 = 300.0;
const TALL: f32 = 200.0;

/// What a view shows, as much of it as has room.
fn status_line(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).weak;
    clauses(ui, text, color, &[(theme::SMALL, 1)]);
}

/// The behaviour of the tiles in one frame.
pub(super) struct Dock<'a> {
    pub state: &'a State,
    pub views: &'a mut Views,
    pub arrangement: &'a Arrangement,
    /// The views that were in front in the frame before.
    pub fronts: Vec<ViewKind>,
    /// The views that were drawn in the frame before, and those of this one.
    pub drawn_before: Vec<ViewKind>,
    pub drawn: Vec<ViewKind>,
    /// How many of these were not drawn before.
    pub opened: usize,
    /// Of the group that is drawn.
    pub titles: Titles,
    pub actions: Vec<Action>,
}

impl Dock<'_> {
    fn front(tiles: &Tiles<ViewKind>, tabs: &Tabs) -> Option<ViewKind> {
        tabs.active.and_then(|id| tiles.get_pane(&id).copied())
    }

    fn add_menu(&mut self, ui: &mut Ui, front: ViewKind) {
        let name = format!("Add view beside {}", views::info(front).title);
        let button = icon_button(ui, Icon::Plus, &name, "Open a view here", true);
        // Its size is found by laying out all it says, which is for an open menu alone.
        if !button.clicked() && !Popup::is_id_open(ui.ctx(), Popup::default_response_id(&button)) {
            return;
        }
        let (width, height) = (entries::width(ui), entries::menu_height(ui));
        let menu = Popup::menu(&button).width(width);
        // A click into the field for a name is none on an entry.
        let menu = menu.close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        menu.show(|ui| {
            let arrangement = self.arrangement;
            entries::entries(
                ui,
                Some(front),
                height,
                |kind| arrangement.is_open(kind),
                &mut self.actions,
            );
            ui.separator();
            ui.spacing_mut().button_padding.x = entries::HEADING_LEFT;
            if ui.button("Reset arrangement").clicked() {
                self.actions.push(Action::View(OnView::Reset));
                ui.close();
            }
            named::show(ui, self.state, &mut self.actions);
        });
    }

    /// The views of the group that lie behind the one in front: where their tabs have no room.
    fn others_menu(&mut self, ui: &mut Ui, tiles: &Tiles<ViewKind>, tabs: &Tabs, front: ViewKind) {
        let all = tabs.children.iter().filter_map(|tab| tiles.get_pane(tab));
        let others: Vec<&'static ViewInfo> = all
            .filter(|kind| **kind != front)
            .map(|kind| views::info(*kind))
            .collect();
        let titles: Vec<&str> = others.iter().map(|info| info.title).collect();
        let name = format!("Views behind {}", views::info(front).title);
        let hover = format!("Behind it: {}", titles.join(", "));
        let button = icon_button(ui, Icon::Open, &name, &hover, true);
        Popup::menu(&button).show(|ui| {
            close_by_key(ui);
            for info in others {
                let entry = ui.button(info.title).on_hover_text(info.summary);
                let entry = entry.accessible_name(format!("Show {} view", info.title));
                if entry.clicked() {
                    let shown = OnView::Open(info.kind, None);
                    self.actions.push(Action::View(shown));
                    ui.close();
                }
            }
        });
    }

    /// What the view shows now (or is for), with its switches to the right or above it. How tall that is.
    fn line(&mut self, ui: &mut Ui, area: Rect, kind: ViewKind) -> f32 {
        let rect = area.with_max_y(area.top() + LINE);
        let layout = Layout::right_to_left(Align::Center).with_main_wrap(true);
        let mut inner = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
        self.views
            .get(kind)
            .tools(&mut inner, self.state, &mut self.actions);
        let status = self.views.get(kind).status(self.state);
        let text = if status.is_empty() {
            views::info(kind).summary.to_owned()
        } else {
            status
        };
        let switches = inner.min_rect();
        let tall = switches.height().max(LINE);
        let is_narrow = match switches.width() {
            ..0.5 => false,
            ..MANY => area.width() < BESIDE,
            _ => area.width() < BESIDE_MANY,
        };
        if is_narrow && area.height() >= TALL {
            let below = rect.translate(vec2(0.0, tall));
            let below = UiBuilder::new().id_salt("below").max_rect(below);
            ui.scope_builder(below, |ui| {
                ui.horizontal_centered(|ui| status_line(ui, &text))
            });
            return tall + LINE;
        }
        let beside = rect.with_max_x(switches.left() - theme::GAP);
        if tall < 2.0 * LINE && beside.width() >= LEAST {
            let beside = UiBuilder::new().id_salt("beside").max_rect(beside);
            ui.scope_builder(beside, |ui| {
                ui.horizontal_centered(|ui| status_line(ui, &text))
            });
        }
        tall
    }

    fn menu(&mut self, tab: &Response, kind: ViewKind, alone: bool) {
        tab.context_menu(|ui| {
            let ready = self.views.get(kind).has_picture(self.state);
            let save = Action::AskPath(PathPurpose::Picture(kind));
            for (text, action) in [
                ("Save picture…", save),
                ("Copy picture", Action::CopyPicture(kind)),
            ] {
                let button = eframe::egui::Button::new(text);
                if ui.add_enabled(ready, button).clicked() {
                    self.actions.push(action);
                    ui.close();
                }
            }
            ui.separator();
            for (text, does, enabled) in [
                (
                    "Split to the right",
                    OnView::Split(kind, Side::Right),
                    !alone,
                ),
                ("Split below", OnView::Split(kind, Side::Below), !alone),
                ("Close view", OnView::Close(kind), true),
                ("Reset arrangement", OnView::Reset, true),
            ] {
                if ui
                    .add_enabled(enabled, eframe::egui::Button::new(text))
                    .clicked()
                {
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
        response.widget_info(|| {
            WidgetInfo::labeled(
                Role::Button,
                true,
                format!("Close {} view", views::info(kind).title),
            )
        });
        let colors = theme::palette(ui);
        let lit = response.hovered() || response.has_focus();
        if lit {
            ui.painter().rect_filled(rect, theme::RADIUS, colors.line);
        }
        if shown || lit {
            icon::paint(
                ui.painter(),
                Icon::Close,
                rect,
                if lit { colors.strong } else { colors.weak },
            );
        }
        if response
            .on_hover_text("Close this view; + opens it again")
            .clicked()
        {
            self.actions.push(Action::View(OnView::Close(kind)));
        }
    }

    /// Whether a view is drawn in this frame: of many that open together some come in the frames after it.
    fn is_due(&mut self, ui: &Ui, kind: ViewKind) -> bool {
        if !self.drawn_before.contains(&kind) {
            if self.opened == OPEN_AT_ONCE {
                ui.ctx().request_repaint();
                return false;
            }
            self.opened += 1;
        }
        self.drawn.push(kind);
        true
    }
}

impl Behavior<ViewKind> for Dock<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, kind: &mut ViewKind) -> UiResponse {
        if !self.is_due(ui, *kind) {
            return UiResponse::None;
        }
        if ui.rect_contains_pointer(ui.max_rect()) {
            ui.data_mut(|data| data.insert_temp(view_under_pointer(), Some(*kind)));
        }
        let rect = ui.max_rect().shrink2(vec2(12.0, 0.0));
        let rect = rect.with_min_y(rect.top() + ABOVE);
        let title = views::info(*kind).title;
        let line = ui.push_id(("line", *kind), |ui| {
            timed("lines of views", || self.line(ui, rect, *kind))
        });
        let body = rect.with_min_y(rect.top() + line.inner);
        let body = Rect::from_min_max(body.min + vec2(0.0, 4.0), body.max - vec2(0.0, 8.0));
        let mut inner = ui.new_child(
            UiBuilder::new()
                .scope_id(Id::unique(("view", *kind)))
                .max_rect(body),
        );
        inner.shrink_clip_rect(body.expand2(vec2(11.0, 4.0)));
        let view = self.views.get(*kind);
        timed(title, || {
            view.body(&mut inner, self.state, &mut self.actions)
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, kind: &ViewKind) -> WidgetText {
        views::info(*kind).title.into()
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<ViewKind>,
        ui: &mut Ui,
        id: Id,
        tile: TileId,
        tab: &TabState,
    ) -> Response {
        let Some(kind) = tiles.get_pane(&tile).copied() else {
            return ui.interact(Rect::NOTHING, id, Sense::hover());
        };
        let alone = self.arrangement.is_alone(kind);
        let colors = *theme::palette(ui);
        let ink = if tab.active {
            colors.strong
        } else {
            colors.weak
        };
        let name = views::info(kind).title;
        if self.titles.are_folded && !tab.active {
            let (_, nowhere) = ui.allocate_space(vec2(0.0, ui.available_height()));
            return ui.interact(nowhere, id, Sense::hover());
        }
        let title = title(ui, kind, Some(self.titles.room));
        let (_, rect) = ui.allocate_space(vec2(title.size().x + TAB, ui.available_height()));
        if tab.active && !self.fronts.contains(&kind) {
            // It has just come to the front, perhaps where the bar does not reach.
            ui.scroll_to_rect_animation(rect, None, ScrollAnimation::none());
        }
        let response = ui.interact(rect, id, Sense::click_and_drag());
        response.widget_info(|| {
            WidgetInfo::selected(Role::Tab, true, tab.active, format!("{name} view"))
        });
        let pill = rect.shrink2(vec2(1.0, 4.0));
        if !alone && (tab.active || response.hovered()) {
            ui.painter().rect_filled(pill, theme::RADIUS, colors.lifted);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(
                pill,
                theme::RADIUS,
                Stroke::new(1.0, colors.accent),
                StrokeKind::Inside,
            );
        }
        let at = pos2(rect.left() + PAD, rect.center().y - title.size().y / 2.0);
        ui.painter().galley(at, title.clone(), ink);
        self.close_button(ui, rect, kind, tab.active || ui.rect_contains_pointer(rect));
        self.menu(&response, kind, alone);
        let whole = match title.elided {
            true => format!("{name}: "),
            false => String::new(),
        };
        response.on_hover_text(format!(
            "{whole}{}\nDrag to move it, right click to split it.",
            self.views.get(kind).about()
        ))
    }

    fn tab_bar_left_ui(&mut self, _: &Tiles<ViewKind>, ui: &mut Ui, _: TileId, _: &Tabs) {
        ui.add_space(theme::STEP);
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<ViewKind>,
        ui: &mut Ui,
        id: TileId,
        tabs: &Tabs,
        _: &mut f32,
    ) {
        let colors = *theme::palette(ui);
        if let Some(rect) = tiles.rect(id) {
            let line = Stroke::new(1.0, colors.line);
            ui.painter()
                .rect(rect, theme::RADIUS, colors.panel, line, StrokeKind::Inside);
            ui.painter()
                .hline(rect.x_range(), rect.top() + HEADER - 0.5, line);
        }
        let Some(front) = Self::front(tiles, tabs) else {
            return;
        };
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(theme::STEP);
        self.add_menu(ui, front);
        let width = tiles.rect(id).map_or(f32::INFINITY, |rect| rect.width());
        self.titles = Titles::of(ui, tiles, tabs, width);
        if self.titles.are_folded {
            self.others_menu(ui, tiles, tabs, front);
        }
        if width < NARROW {
            return;
        }
        let ready = self.views.get(front).has_picture(self.state);
        let name = format!("Save picture of {}", views::info(front).title);
        let hover = if ready {
            "Save this as a PNG picture"
        } else {
            "Nothing to save as a picture yet"
        };
        if icon_button(ui, Icon::Save, &name, hover, ready).clicked() {
            self.actions
                .push(Action::AskPath(PathPurpose::Picture(front)));
        }
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
        let colors = theme::palette_of(style.visuals.dark_mode);
        match resize {
            ResizeState::Idle => Stroke::NONE,
            ResizeState::Hovering => theme::edge(colors, false),
            ResizeState::Dragging => theme::edge(colors, true),
        }
    }

    fn drag_preview_color(&self, visuals: &Visuals) -> Color32 {
        theme::faded(visuals.selection.stroke.color, 0.15)
    }
}
