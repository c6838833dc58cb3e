//! Tab and Shift+Tab go through the window in the order of reading.
//!
//! egui goes from widget to widget as they are drawn, but a row that is laid out from its right end is drawn from right
//! to left; what lies out of sight would have the focus unseen; and where what had the focus is gone, the next Tab would
//! begin at the top of the window: where a menu was closed, its button has it then. Here the widgets of the pass before
//! are put into order: row by row, a menu after the button that opens it, and what lies above the window last.

use eframe::egui::accesskit::{Action, ActionRequest, TreeId};
use eframe::egui::{
    Context, Event, FocusDirection, Id, Key, LayerId, Modifiers, Order, Rangef, Rect, WidgetRect,
    WidgetRects,
};
use std::collections::HashSet;

/// Of the heights of two widgets of one row, the lower one is at least this part of the higher one, and as much of it is
/// beside the other.
const SAME_ROW: f32 = 0.4;
/// How many of the widgets that had the focus are remembered, for when the last of them are gone.
const REMEMBERED: usize = 8;

/// What takes the focus, and where it is.
#[derive(Clone, Copy, Debug)]
struct Stop {
    id: Id,
    rect: Rect,
    is_in_sight: bool,
}

impl Stop {
    fn of(widget: &WidgetRect) -> Stop {
        let hidden = widget.rect.size() - widget.interact_rect.size();
        Stop {
            id: widget.id,
            rect: widget.rect,
            is_in_sight: widget.interact_rect.is_positive() && hidden.max_elem() < 1.0,
        }
    }
}

/// A widget that had the focus, and where it is in a menu the button that opened that.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Focused {
    id: Id,
    opened_by: Option<Id>,
}

/// Moves the focus where Tab was pressed; to be called before anything of a frame is drawn.
pub(crate) fn follow_tab(ctx: &Context) {
    let last = remember(ctx);
    let Some(is_back) = pressed(ctx) else { return };
    let stops = stops(ctx);
    let place = |focused: &Focused| stops.iter().position(|stop| stop.id == focused.id);
    let next = match (last.iter().rev().find_map(place), is_back) {
        (Some(at), false) => (at + 1) % stops.len(),
        (Some(at), true) => (at + stops.len() - 1) % stops.len(),
        (None, false) => 0,
        (None, true) => stops.len().saturating_sub(1),
    };
    let Some(next) = stops.get(next) else { return };
    ctx.memory_mut(|memory| {
        memory.move_focus(FocusDirection::None);
        memory.request_focus(next.id);
    });
    if !next.is_in_sight {
        bring_into_sight(ctx, next.id);
    }
}

/// Gives the focus back to the button whose menu has closed, with the focus in it or by Esc; to be called when all of a
/// frame is drawn. A press of the pointer, wherever it is, leaves the focus to what it has pressed.
pub(crate) fn leave_closed_menus(ctx: &Context) {
    let last: Option<Focused> =
        ctx.data(|data| data.get_temp::<Vec<Focused>>(key())?.last().copied());
    let Some(Focused { id, mut opened_by }) = last else {
        return;
    };
    let has_focus = ctx.memory(|memory| memory.focused()) == Some(id);
    if has_focus && opened_by.is_none() {
        // The first entry has the focus as soon as the menu is there.
        opened_by = ctx.viewport(|port| opener(&port.this_pass.widgets, id));
        ctx.data_mut(|data| {
            let last = data.get_temp_mut_or_default::<Vec<Focused>>(key());
            if let Some(last) = last.last_mut() {
                last.opened_by = opened_by;
            }
        });
    }
    let button = opened_by.unwrap_or(id);
    let is_closed = ctx.viewport(|port| {
        let (before, now) = (&port.prev_pass.widgets, &port.this_pass.widgets);
        let has_closed = match opened_by {
            Some(_) => !now.contains(id),
            None => {
                // A layer that has gone stays in the list, without widgets.
                let has_menu = |widgets: &WidgetRects| {
                    let mut layers = widgets.layers();
                    layers.any(|(layer, inside)| layer.id == menu_of(id) && !inside.is_empty())
                };
                has_menu(before) && !has_menu(now)
            }
        };
        now.contains(button) && has_closed
    });
    let has_moved = ctx.memory(|memory| memory.focused().is_some_and(|focused| focused != id));
    if is_closed && !has_moved {
        ctx.memory_mut(|memory| memory.request_focus(button));
        ctx.request_repaint();
    }
}

/// Whether Tab was pressed, and if so whether with Shift.
fn pressed(ctx: &Context) -> Option<bool> {
    ctx.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::Key {
                key: Key::Tab,
                pressed: true,
                modifiers,
                ..
            } if *modifiers == Modifiers::NONE || modifiers.shift_only() => Some(modifiers.shift),
            _ => None,
        })
    })
}

fn key() -> Id {
    Id::unique("widgets that had the focus")
}

/// What had the focus, the newest last. A press of the pointer begins anew.
fn remember(ctx: &Context) -> Vec<Focused> {
    let focused = ctx.memory(|memory| memory.focused());
    let is_pressed = ctx.input(|input| input.pointer.any_pressed());
    let mut last: Vec<Focused> = ctx.data(|data| data.get_temp(key())).unwrap_or_default();
    let is_news = focused.is_some() && last.last().map(|last| last.id) != focused;
    if !is_pressed && !is_news {
        return last;
    }
    if is_pressed {
        last.clear();
    }
    last.extend(focused.map(|id| Focused {
        id,
        opened_by: ctx.viewport(|port| opener(&port.prev_pass.widgets, id)),
    }));
    if last.len() > REMEMBERED {
        last.remove(0);
    }
    ctx.data_mut(|data| data.insert_temp(key(), last.clone()));
    last
}

/// The button that has opened the menu in which a widget is.
fn opener(widgets: &WidgetRects, id: Id) -> Option<Id> {
    let layer = widgets.get(id)?.layer_id;
    if layer.order == Order::Background {
        return None;
    }
    let mut all = widgets.layers().flat_map(|(_, widgets)| widgets);
    all.find(|widget| menu_of(widget.id) == layer.id)
        .map(|widget| widget.id)
}

/// The menu that a button opens.
fn menu_of(button: Id) -> Id {
    button.with("popup")
}

/// Asks for it as a screen reader would: the scroll area around it follows.
fn bring_into_sight(ctx: &Context, id: Id) {
    let request = ActionRequest {
        action: Action::ScrollIntoView,
        target_tree: TreeId::ROOT,
        target_node: id.accesskit_id(),
        data: None,
    };
    ctx.input_mut(|input| input.events.push(Event::AccessKitActionRequest(request)));
}

/// Everything that takes the focus, in the order of reading.
fn stops(ctx: &Context) -> Vec<Stop> {
    let mut layers = layers(ctx);
    let mut ordered = Vec::new();
    // What lies above the window, such as its messages, comes after it; a menu where it was opened.
    layers.sort_by_key(|(layer, _)| layer.order != Order::Background);
    let mut taken = HashSet::new();
    for at in 0..layers.len() {
        if layers[at].0.order == Order::Background {
            append(&layers, at, &mut taken, &mut ordered);
        }
    }
    for at in 0..layers.len() {
        append(&layers, at, &mut taken, &mut ordered);
    }
    ordered
}

/// The layers and what in them takes the focus.
fn layers(ctx: &Context) -> Vec<(LayerId, Vec<Stop>)> {
    let drawn: Vec<LayerId> = ctx.viewport(|port| port.prev_pass.widgets.layer_ids().collect());
    let mut open: Vec<LayerId> = drawn
        .into_iter()
        .filter(|layer| ctx.memory(|memory| memory.allows_interaction(*layer)))
        .collect();
    let upwards: Vec<LayerId> = ctx.memory(|memory| memory.layer_ids().collect());
    open.sort_by_key(|layer| upwards.iter().position(|other| other == layer));
    ctx.viewport(|port| {
        let widgets = &port.prev_pass.widgets;
        let stops = |layer: &LayerId| {
            let able = |widget: &&WidgetRect| widget.enabled && widget.sense.is_focusable();
            in_rows(
                widgets
                    .get_layer(*layer)
                    .filter(able)
                    .map(Stop::of)
                    .collect(),
            )
        };
        open.iter().map(|layer| (*layer, stops(layer))).collect()
    })
}

/// Appends a layer that is not there yet, and after each button the menu that it has opened.
fn append(
    layers: &[(LayerId, Vec<Stop>)],
    at: usize,
    taken: &mut HashSet<usize>,
    ordered: &mut Vec<Stop>,
) {
    if !taken.insert(at) {
        return;
    }
    for stop in &layers[at].1 {
        ordered.push(*stop);
        let menu = menu_of(stop.id);
        if let Some(menu) = layers.iter().position(|(layer, _)| layer.id == menu) {
            append(layers, menu, taken, ordered);
        }
    }
}

/// Puts what was drawn one after the other in one row in the order from left to right.
fn in_rows(drawn: Vec<Stop>) -> Vec<Stop> {
    let mut ordered: Vec<Stop> = Vec::with_capacity(drawn.len());
    let mut start = 0;
    for stop in drawn {
        let is_beside = |other: &Stop| is_same_row(other.rect.y_range(), stop.rect.y_range());
        if !ordered[start..].iter().all(is_beside) {
            from_left(&mut ordered[start..]);
            start = ordered.len();
        }
        ordered.push(stop);
    }
    from_left(&mut ordered[start..]);
    ordered
}

fn from_left(row: &mut [Stop]) {
    row.sort_by(|a, b| a.rect.left().total_cmp(&b.rect.left()));
}

fn is_same_row(a: Rangef, b: Rangef) -> bool {
    let (lower, higher) = (a.span().min(b.span()), a.span().max(b.span()));
    lower >= SAME_ROW * higher && a.intersection(b).span() >= SAME_ROW * higher
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{Align, Button, Layout, Popup, RawInput, ScrollArea, Ui, pos2, vec2};

    /// A window of widgets that are known by their names.
    struct Drawn<F: FnMut(&mut Ui, &mut Vec<(Id, String)>)> {
        ctx: Context,
        draw: F,
        names: Vec<(Id, String)>,
    }

    impl<F: FnMut(&mut Ui, &mut Vec<(Id, String)>)> Drawn<F> {
        fn new(draw: F) -> Drawn<F> {
            let mut drawn = Drawn {
                ctx: Context::default(),
                draw,
                names: Vec::new(),
            };
            drawn.frame(Vec::new());
            drawn
        }

        fn frame(&mut self, events: Vec<Event>) {
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(400.0, 300.0))),
                events,
                ..RawInput::default()
            };
            let (draw, names) = (&mut self.draw, &mut self.names);
            let mut output = self.ctx.run_ui(input, |ui| {
                names.clear();
                follow_tab(ui.ctx());
                draw(ui, names);
                leave_closed_menus(ui.ctx());
            });
            output.textures_delta.clear();
        }

        fn key(&mut self, key: Key, modifiers: Modifiers) {
            self.frame(vec![Event::Key {
                key,
                physical_key: None,
                pressed: true,
                repeat: false,
                modifiers,
            }]);
            self.frame(Vec::new());
        }

        fn focused(&self) -> String {
            let focused = self.ctx.memory(|memory| memory.focused());
            let named = self.names.iter().find(|(id, _)| Some(*id) == focused);
            named.map(|(_, name)| name.clone()).unwrap_or_default()
        }

        /// What has the focus after each of so many Tabs.
        fn walk(&mut self, count: usize, modifiers: Modifiers) -> Vec<String> {
            let step = |drawn: &mut Self| {
                drawn.key(Key::Tab, modifiers);
                drawn.focused()
            };
            (0..count).map(|_| step(self)).collect()
        }
    }

    fn button(ui: &mut Ui, name: &str, names: &mut Vec<(Id, String)>) -> eframe::egui::Response {
        let response = ui.add(Button::new(name));
        names.push((response.id, name.to_owned()));
        response
    }

    #[test]
    fn a_row_that_is_drawn_from_the_right_is_walked_from_the_left() {
        let mut drawn = Drawn::new(|ui, names| {
            button(ui, "above", names);
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    button(ui, "right", names);
                    button(ui, "middle", names);
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        button(ui, "left", names);
                        button(ui, "beside", names);
                    });
                });
            });
            button(ui, "below", names);
        });
        let order = ["above", "left", "beside", "middle", "right", "below"];
        assert_eq!(drawn.walk(7, Modifiers::NONE)[..6], order);
        assert_eq!(drawn.focused(), "above", "behind the last comes the first");
        let back = drawn.walk(3, Modifiers::SHIFT);
        assert_eq!(back, ["below", "right", "middle"]);
    }

    #[test]
    fn a_menu_is_walked_after_its_button_and_left_where_it_was() {
        let mut drawn = Drawn::new(|ui, names| {
            let opens = button(ui, "opens", names);
            Popup::menu(&opens).show(|ui| {
                if button(ui, "entry", names).clicked() {
                    ui.close();
                }
            });
            button(ui, "behind", names);
        });
        drawn.walk(1, Modifiers::NONE);
        drawn.key(Key::Enter, Modifiers::NONE);
        drawn.frame(Vec::new());
        while drawn.focused() != "opens" {
            drawn.key(Key::Tab, Modifiers::SHIFT);
        }
        assert_eq!(drawn.walk(2, Modifiers::NONE), ["entry", "behind"]);
        drawn.walk(1, Modifiers::SHIFT);
        drawn.key(Key::Enter, Modifiers::NONE);
        drawn.frame(Vec::new());
        drawn.frame(Vec::new());
        assert_eq!(drawn.focused(), "opens", "the entry is gone");
        assert_eq!(drawn.walk(1, Modifiers::NONE), ["behind"]);
        drawn.walk(1, Modifiers::SHIFT);
        drawn.key(Key::Enter, Modifiers::NONE);
        drawn.frame(Vec::new());
        drawn.key(Key::Escape, Modifiers::NONE);
        drawn.frame(Vec::new());
        assert_eq!(drawn.focused(), "opens", "Esc leads back");
    }

    #[test]
    fn what_is_out_of_sight_comes_into_sight() {
        let mut drawn = Drawn::new(|ui, names| {
            ScrollArea::vertical().show(ui, |ui| {
                for row in 0..60 {
                    button(ui, &format!("row {row}"), names);
                }
            });
        });
        drawn.walk(50, Modifiers::NONE);
        assert_eq!(drawn.focused(), "row 49");
        (0..40).for_each(|_| drawn.frame(Vec::new()));
        let id = drawn.ctx.memory(|memory| memory.focused()).unwrap();
        let shown = drawn.ctx.read_response(id).unwrap();
        assert!(
            shown.rect.bottom() <= 300.0 && shown.rect.top() >= 0.0,
            "{:?}",
            shown.rect
        );
    }
}
