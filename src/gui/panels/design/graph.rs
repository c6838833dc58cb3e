//! The graph: the whole network as boxes and arrows, to be moved, enlarged, clicked and saved.

mod placement;

use crate::theme;
use crate::view::View;
use crate::widgets::{Icon, empty, icon_button, parameters};
use eframe::egui::{
    Align2, Color32, CornerRadius, Id, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind,
    Ui, Vec2, WidgetInfo, pos2, vec2,
};
use placement::{Placement, Sight};
use strata_app::action::{Action, OnView};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::format;
use strata_core::project::{Network, Place};
use strata_core::shape::infer;
use strata_design::graph::{
    Edge, Graph, GraphBox, GraphFrame, LINE, Line, MEETING, Meeting, PAD, TITLE,
};

/// The size of the text at its natural scale.
const TEXT: f32 = 11.0;
/// Below this scale no text is written: it could not be read.
const LEGIBLE: f32 = 0.45;

/// The view, with the drawing of the network and where it is.
#[derive(Default)]
pub struct GraphView {
    drawn: Option<Drawn>,
    sight: Sight,
}

struct Drawn {
    network: Network,
    area: [f32; 2],
    graph: Graph,
}

impl View for GraphView {
    fn title(&self) -> &'static str {
        "Graph"
    }

    fn summary(&self) -> &'static str {
        "The whole network as boxes and arrows, branches side by side"
    }

    fn words(&self) -> &'static str {
        "diagram netron architecture plot_model skip connections draw network"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Design
    }

    fn about(&self) -> &'static str {
        "The whole network: a box for each layer with what follows it without a change of shape, arrows with the shapes that take them, branches side by side, + where they are added, two bars where they are joined. Drag to move, Ctrl and the wheel (or two fingers) to enlarge, double click to see all of it; a click selects a layer. A wide view sets a deep network in columns."
    }

    fn status(&self, state: &State) -> String {
        let totals = &state.shown.inference.totals;
        if totals.layers == 0 {
            return String::new();
        }
        format!(
            "{} layers · {} parameters · {} MACs an image",
            format::count(totals.layers),
            format::count(totals.parameters),
            format::large(totals.macs)
        )
    }

    fn tools(&mut self, ui: &mut Ui, _: &State, _: &mut Vec<Action>) {
        let center = self
            .drawn
            .as_ref()
            .map_or(Vec2::ZERO, |drawn| vec2(drawn.area[0], drawn.area[1]) / 2.0);
        if icon_button(
            ui,
            Icon::Ring,
            "Fit the graph",
            "See all of it (double click)",
            true,
        )
        .clicked()
        {
            self.sight = Sight::Whole;
        }
        if icon_button(
            ui,
            Icon::Plus,
            "Enlarge the graph",
            "Enlarge (Ctrl and the wheel)",
            true,
        )
        .clicked()
        {
            self.enlarge(1.25, center);
        }
        if icon_button(
            ui,
            Icon::Minus,
            "Shrink the graph",
            "Shrink (Ctrl and the wheel)",
            true,
        )
        .clicked()
        {
            self.enlarge(0.8, center);
        }
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if state.shown.inference.totals.layers == 0 {
            let hint = "Add a layer to the encoder: the network is drawn here.";
            return empty(ui, "No layers yet", hint);
        }
        let area = ui.available_rect_before_wrap();
        self.update(state, area.size());
        let response = ui.interact(area, Id::unique("graph"), Sense::click_and_drag());
        self.navigate(ui, &response, area);
        let Some((drawn, placement)) = self.drawn.as_ref().zip(self.placement()) else {
            return;
        };
        let pen = Pen {
            painter: ui.painter_at(area),
            origin: area.min + placement.at,
            scale: placement.scale,
            clip: area,
        };
        pen.graph(ui, &drawn.graph, state.selected.as_ref());
        pen.press(ui, state, &drawn.graph, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        let area = ui.available_rect_before_wrap();
        let network = &state.shown.network;
        let graph = Graph::of(network, &state.shown.inference, area.size().into());
        let placement = Placement::fitting(&graph, area.size());
        let pen = Pen {
            painter: ui.painter_at(area),
            origin: area.min + placement.at,
            scale: placement.scale,
            clip: area,
        };
        pen.graph(ui, &graph, None);
    }
}

impl GraphView {
    /// Makes the drawing again only for another network or a view of another size.
    fn update(&mut self, state: &State, area: Vec2) {
        let network = &state.shown.network;
        let same = |drawn: &Drawn| {
            let (wide, tall) = (drawn.area[0] - area.x, drawn.area[1] - area.y);
            drawn.network == *network && wide.abs() < 1.0 && tall.abs() < 1.0
        };
        if self.drawn.as_ref().is_some_and(same) {
            return;
        }
        let inference = &state.shown.inference;
        let inferred;
        let inference = if inference.rows.is_empty() {
            inferred = infer(network);
            &inferred
        } else {
            inference
        };
        self.drawn = Some(Drawn {
            network: network.clone(),
            area: area.into(),
            graph: Graph::of(network, inference, area.into()),
        });
    }

    fn placement(&self) -> Option<Placement> {
        let drawn = self.drawn.as_ref()?;
        let area = vec2(drawn.area[0], drawn.area[1]);
        Some(match self.sight {
            Sight::First => Placement::first(&drawn.graph, area),
            Sight::Whole => Placement::fitting(&drawn.graph, area),
            Sight::Moved(placement) => placement,
        })
    }

    fn enlarge(&mut self, by: f32, around: Vec2) {
        if let Some(now) = self.placement() {
            self.sight = Sight::Moved(now.scaled(by, around));
        }
    }

    /// Moves and enlarges as the pointer asks.
    fn navigate(&mut self, ui: &Ui, response: &eframe::egui::Response, area: Rect) {
        let Some(mut now) = self.placement() else {
            return;
        };
        let before = now;
        if response.dragged() {
            now.at += response.drag_delta();
        }
        if let Some(at) = response.hover_pos().filter(|_| response.contains_pointer()) {
            let (zoom, scrolled) =
                ui.input(|input| (input.zoom_delta(), input.smooth_scroll_delta()));
            now = now.scaled(zoom, at - area.min);
            if zoom == 1.0 {
                now.at += scrolled;
            }
        }
        if now != before {
            self.sight = Sight::Moved(now);
        }
        if response.double_clicked() {
            self.sight = Sight::Whole;
        }
    }
}

/// Paints a drawing at its place and scale.
struct Pen {
    painter: Painter,
    origin: Pos2,
    scale: f32,
    clip: Rect,
}

impl Pen {
    fn at(&self, [x, y]: [f32; 2]) -> Pos2 {
        self.origin + vec2(x, y) * self.scale
    }

    fn rect(&self, [left, top, width, height]: [f32; 4]) -> Rect {
        Rect::from_min_size(self.at([left, top]), vec2(width, height) * self.scale)
    }

    fn is_in_sight(&self, rect: Rect) -> bool {
        rect.intersects(self.clip)
    }

    fn is_legible(&self) -> bool {
        self.scale >= LEGIBLE
    }

    fn graph(&self, ui: &Ui, graph: &Graph, selected: Option<&Place>) {
        for frame in &graph.frames {
            self.frame(ui, frame);
        }
        for edge in &graph.edges {
            self.edge(ui, edge);
        }
        for meeting in &graph.meetings {
            self.meeting(ui, meeting, selected == Some(&meeting.place));
        }
        for one in &graph.boxes {
            self.lines(ui, one, selected);
        }
    }

    fn frame(&self, ui: &Ui, frame: &GraphFrame) {
        let rect = self.rect(frame.rect);
        let colors = theme::palette(ui);
        let line = Stroke::new(1.0, colors.line);
        let back = theme::faded(colors.raised, 0.5);
        self.painter
            .rect(rect, 6.0 * self.scale, back, line, StrokeKind::Inside);
        if self.is_legible() {
            let at = rect.min + vec2(PAD, TITLE / 2.0 + 2.0) * self.scale;
            let font = theme::heading(TEXT * self.scale);
            self.painter
                .text(at, Align2::LEFT_CENTER, &frame.title, font, colors.text);
        }
    }

    fn edge(&self, ui: &Ui, edge: &Edge) {
        let colors = theme::palette(ui);
        let color = if edge.is_skip {
            theme::family(ui, strata_core::project::layer::Family::Block)
        } else {
            colors.weak
        };
        let width = if edge.is_skip { 2.0 } else { 1.2 };
        let stroke = Stroke::new(width * self.scale.max(0.5), color);
        let points: Vec<Pos2> = edge.points.iter().map(|point| self.at(*point)).collect();
        if let (true, [.., before, end]) = (edge.has_arrow, points.as_slice()) {
            self.arrow(*before, *end, color);
        }
        if let ([first, second, ..], true) = (points.as_slice(), self.is_legible()) {
            let middle = first.lerp(*second, 0.5) + vec2(6.0, -1.0) * self.scale;
            let font = theme::digits(0.9 * TEXT * self.scale);
            self.painter
                .text(middle, Align2::LEFT_CENTER, &edge.shape, font, colors.weak);
        }
        self.painter.add(Shape::line(points, stroke));
    }

    /// The head of an arrow that ends here.
    fn arrow(&self, before: Pos2, end: Pos2, color: Color32) {
        let way = (end - before).normalized();
        let (long, wide) = (6.0 * self.scale, 3.0 * self.scale);
        let base = end - way * long;
        let side = way.rot90() * wide;
        let points = vec![end, base + side, base - side];
        self.painter
            .add(Shape::convex_polygon(points, color, Stroke::NONE));
    }

    fn meeting(&self, ui: &Ui, meeting: &Meeting, is_selected: bool) {
        let colors = theme::palette(ui);
        let color = theme::family(ui, strata_core::project::layer::Family::Block);
        let center = self.at(meeting.center);
        let radius = (MEETING - 1.0) * self.scale;
        let line = if is_selected { colors.accent } else { color };
        self.painter
            .circle(center, radius, colors.panel, Stroke::new(1.5, line));
        let reach = radius * 0.55;
        let mark = Stroke::new(1.4 * self.scale.max(0.5), line);
        if meeting.is_sum {
            self.painter
                .hline(center.x - reach..=center.x + reach, center.y, mark);
            self.painter
                .vline(center.x, center.y - reach..=center.y + reach, mark);
        } else {
            for x in [-0.3, 0.3] {
                let x = center.x + x * radius;
                self.painter
                    .vline(x, center.y - reach..=center.y + reach, mark);
            }
        }
    }

    fn lines(&self, ui: &Ui, one: &GraphBox, selected: Option<&Place>) {
        let rect = self.rect([one.left, one.top, one.width, one.height()]);
        if !self.is_in_sight(rect) {
            return;
        }
        let colors = *theme::palette(ui);
        let radius = CornerRadius::same((4.0 * self.scale) as u8);
        let line = Stroke::new(1.0, colors.line);
        self.painter
            .rect(rect, radius, colors.raised, line, StrokeKind::Inside);
        for (index, line) in one.lines.iter().enumerate() {
            let own = self.line_rect(one, index);
            self.line(
                ui,
                own,
                line,
                selected.is_some() && line.place.as_ref() == selected,
            );
        }
    }

    fn line_rect(&self, one: &GraphBox, index: usize) -> Rect {
        let top = one.top + 2.0 + LINE * index as f32;
        self.rect([one.left, top, one.width, LINE])
    }

    fn line(&self, ui: &Ui, rect: Rect, line: &Line, is_selected: bool) {
        let colors = *theme::palette(ui);
        let strip = rect.with_max_x(rect.left() + 3.0 * self.scale);
        let color = if line.is_wrong {
            colors.wrong
        } else {
            theme::family(ui, line.family)
        };
        if is_selected {
            self.painter.rect_filled(rect, 0.0, colors.lifted);
            let outline = Stroke::new(1.5, colors.accent);
            self.painter
                .rect_stroke(rect, 0.0, outline, StrokeKind::Inside);
        }
        self.painter
            .rect_filled(strip.shrink2(vec2(0.0, 1.0)), 0.0, color);
        if self.is_legible() {
            let at = pos2(rect.left() + PAD * self.scale, rect.center().y);
            let ink = if line.is_wrong {
                colors.wrong
            } else {
                colors.strong
            };
            let font = theme::digits(TEXT * self.scale);
            self.painter
                .text(at, Align2::LEFT_CENTER, &line.text, font, ink);
        }
    }

    /// What is pressed and hovered: the lines of the boxes and the signs where branches meet.
    fn press(&self, ui: &Ui, state: &State, graph: &Graph, actions: &mut Vec<Action>) {
        for one in &graph.boxes {
            for (index, line) in one.lines.iter().enumerate() {
                let rect = self.line_rect(one, index);
                if let Some(place) = line.place.as_ref().filter(|_| self.is_in_sight(rect)) {
                    self.one(ui, state, rect, place, actions);
                }
            }
        }
        for meeting in &graph.meetings {
            let size = Vec2::splat(2.0 * MEETING * self.scale);
            let rect = Rect::from_center_size(self.at(meeting.center), size);
            if self.is_in_sight(rect) {
                self.one(ui, state, rect, &meeting.place, actions);
            }
        }
    }

    fn one(&self, ui: &Ui, state: &State, rect: Rect, place: &Place, actions: &mut Vec<Action>) {
        let rect = rect.intersect(self.clip);
        let response = ui.interact(rect, Id::unique(("graph line", place)), Sense::CLICK);
        let row = state.shown.inference.row(place);
        let text = row.map(|row| row.text.as_str()).unwrap_or_default();
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Button, true, format!("Graph {place}: {text}"))
        });
        if response.hovered() {
            let line = Stroke::new(1.0, theme::palette(ui).accent);
            self.painter
                .rect_stroke(rect, 2.0, line, StrokeKind::Inside);
        }
        let response = response.on_hover_ui(|ui| {
            ui.label(format!("{} · {text}", place.in_words()));
            if let Some(row) = row {
                let input = row.input.as_ref();
                let input = input.map_or_else(|| "?".to_owned(), ToString::to_string);
                ui.label(format!("{input} → {}", row.shape_text()));
                ui.label(parameters(row.parameters));
            }
        });
        if response.clicked() {
            let blocks = place.enclosing_blocks().into_iter();
            actions.extend(blocks.map(|block| Action::Fold(Some(block), false)));
            actions.push(Action::Select(Some(place.clone())));
        }
        if response.double_clicked() {
            actions.push(Action::View(OnView::Open(ViewKind::Lens, None)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::placement::MOST;
    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays_there_while_it_is_enlarged() {
        let before = Placement {
            at: vec2(10.0, 20.0),
            scale: 1.0,
        };
        let around = vec2(110.0, 70.0);
        let after = before.scaled(2.0, around);
        assert_eq!(after.scale, 2.0);
        assert_eq!(
            (around - after.at) / after.scale,
            (around - before.at) / before.scale
        );
        assert_eq!(before.scaled(1000.0, around).scale, MOST);
    }
}
