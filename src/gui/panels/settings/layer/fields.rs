//! A layer's attributes by widget: numbers with arrows, one for each axis where that is wanted, the mode of the
//! padding, switches, the name.

use super::steps::{MOST, axes_of, by_axis, stepped, stepped_sizes, whole_number};
use crate::theme;
use crate::widgets::{Field, FieldEvent, Icon, Stepper, chevron, close_by_key, icon_button, said};
use eframe::egui::{Align, ComboBox, Id, Layout, RichText, Ui, vec2};
use strata_app::action::Action;
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::edit::Edit;
use strata_core::project::layer::Layer;
use strata_core::project::node::Node;
use strata_core::project::size::{Axes, Shape};
use strata_core::shape::layers::fields::{NO, YES};
use strata_core::shape::layers::{FieldForm, LayerField};
use strata_design::layer_math::axis_names;

/// Width of the names.
const NAME: f32 = 100.0;
/// Width of the menu of padding modes.
const MODE: f32 = 68.0;

/// What the fields of a layer have in common.
struct Form<'a> {
    place: &'a Place,
    layer: &'a Layer,
    /// The layer with what is being typed.
    typed: &'a Layer,
    generation: u64,
    /// Axes that a size can be given for.
    rank: usize,
    actions: &'a mut Vec<Action>,
}

/// Shows the fields of a layer, or of a block: of what is written, with the values that are being typed in the text or
/// in one of the fields.
pub fn show(ui: &mut Ui, state: &State, place: &Place, actions: &mut Vec<Action>) {
    let Some([written, typed]) = nodes(state, place) else {
        return;
    };
    match (written, typed) {
        (Node::Layer(layer), Node::Layer(typed)) => {
            let row = state.shown.inference.row(place);
            let input = row.and_then(|row| row.input.as_ref());
            let form = Form {
                place,
                layer,
                typed,
                generation: state.generation,
                rank: input.map_or(2, Shape::rank),
                actions,
            };
            form.show(ui);
        }
        (Node::Repeat { times, layers }, typed) => {
            let with = |times| Node::Repeat {
                times,
                layers: layers.clone(),
            };
            let now = match typed {
                Node::Repeat { times, .. } => *times,
                _ => *times,
            };
            let about = "How often the layers are passed, each time with weights of their own.";
            let count = Count {
                name: "times",
                about,
                written: *times,
                now,
            };
            count.show(ui, state, place, &with, actions);
        }
        (Node::Add(branches) | Node::Concat(branches), typed) => {
            let about = "Branches on one input. One more is empty at first: the identity.";
            let count = Count {
                name: "branches",
                about,
                written: branches.len() as u32,
                now: typed.branches().len() as u32,
            };
            let with = |count| resized(written, branches, count as usize);
            count.show(ui, state, place, &with, actions);
        }
        (Node::Broken { error, .. }, _) | (Node::Layer(_), Node::Broken { error, .. }) => {
            let color = theme::palette(ui).wrong;
            ui.label(said(&error.message, theme::SMALL, color));
        }
        (Node::Layer(_), _) => {}
    }
}

/// What is written at a place, and the same as it is being typed. A text that is no layer yet, or one of another kind,
/// has no fields in common with what is written: then the one of both that can be read is shown as it is.
fn nodes<'a>(state: &'a State, place: &Place) -> Option<[&'a Node; 2]> {
    let typed = state.shown.network.node(place)?;
    let written = state.network().node(place).unwrap_or(typed);
    let is_same_kind = match (written, typed) {
        (Node::Layer(written), Node::Layer(typed)) => {
            written.kind.word().word == typed.kind.word().word
        }
        _ => std::mem::discriminant(written) == std::mem::discriminant(typed),
    };
    Some(match (written, typed) {
        _ if is_same_kind => [written, typed],
        (_, Node::Broken { .. }) => [written, written],
        _ => [typed, typed],
    })
}

fn writing(place: &Place, node: Node) -> Action {
    Action::Edit(Edit::Replace(place.clone(), node))
}

/// The block with more branches, or fewer: only empty ones are taken away.
fn resized(block: &Node, branches: &[Vec<Node>], count: usize) -> Node {
    let mut next = branches.to_vec();
    while next.len() > count && next.last().is_some_and(Vec::is_empty) {
        next.pop();
    }
    if next.len() < count {
        next.resize(count, Vec::new());
    }
    match block {
        Node::Add(_) => Node::Add(next),
        _ => Node::Concat(next),
    }
}

/// A whole number of a block.
struct Count<'a> {
    name: &'a str,
    about: &'a str,
    written: u32,
    /// The same as it is being typed.
    now: u32,
}

impl Count<'_> {
    fn show(
        &self,
        ui: &mut Ui,
        state: &State,
        place: &Place,
        with: &dyn Fn(u32) -> Node,
        actions: &mut Vec<Action>,
    ) {
        let (text, shown) = (self.written.to_string(), self.now.to_string());
        let id = Id::unique(("block", self.name, place, state.generation));
        let event = named(ui, self.name, self.about, |ui| {
            let width = ui.available_width();
            Stepper {
                id,
                name: self.name,
                text: &text,
                shown: &shown,
                hover: self.about,
                check: &whole_number,
                step: &|text, up| stepped_sizes(text, up, 1),
            }
            .show(ui, width)
        });
        let read = |text: String| Some(with(text.trim().parse().ok()?));
        match event {
            Some(FieldEvent::Commit(text)) => {
                actions.extend(read(text).map(|node| writing(place, node)))
            }
            Some(FieldEvent::Typing(text)) if whole_number(&text).is_ok() => {
                let preview = read(text).map(|node| (place.clone(), node.text()));
                actions.extend(preview.map(|preview| Action::Preview(Some(preview))));
            }
            Some(FieldEvent::Reverted) => actions.push(Action::Preview(None)),
            Some(FieldEvent::Entered | FieldEvent::Typing(_)) | None => {}
        }
    }
}

/// A name, and what `content` shows in the rest of the line.
fn named<R>(ui: &mut Ui, name: &str, about: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal_top(|ui| {
        let room = vec2(NAME, 24.0);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(NAME);
            let text = RichText::new(name).color(theme::palette(ui).text);
            ui.label(text).on_hover_text(about);
        });
        ui.vertical(content).inner
    })
    .inner
}

impl Form<'_> {
    fn show(mut self, ui: &mut Ui) {
        for field in self.layer.kind.fields() {
            self.field(ui, field);
        }
        self.name(ui);
    }

    fn id(&self, name: &str) -> Id {
        Id::unique(("layer form", self.place, name, self.generation))
    }

    /// Writes a value; what the layer refuses is not taken.
    fn set(&mut self, field: &LayerField, value: &str) {
        if let Ok(layer) = field.with(self.layer, value) {
            self.actions.push(writing(self.place, Node::Layer(layer)));
        }
    }

    fn field(&mut self, ui: &mut Ui, field: &LayerField) {
        let value = field.value(self.layer);
        let shown = field.value(self.typed);
        match field.form {
            FieldForm::Flag => self.switch(ui, field, &shown),
            FieldForm::Padding => self.padding(ui, field, [&value, &shown]),
            FieldForm::Sizes(least) => self.sizes(ui, field, [&value, &shown], least),
            _ => named(ui, field.name, field.about, |ui| {
                let width = ui.available_width();
                self.value(ui, field, [&value, &shown], width);
            }),
        }
    }

    fn switch(&mut self, ui: &mut Ui, field: &LayerField, shown: &str) {
        let mut on = shown == YES;
        let before = on;
        named(ui, field.name, field.about, |ui| {
            let said = if before { YES } else { NO };
            ui.checkbox(&mut on, said)
                .on_hover_text(field.about)
                .accessible_name(label(field))
        });
        if on != before {
            self.set(field, if on { YES } else { NO });
        }
    }

    /// A number or a text with arrows where it can be stepped.
    fn value(&mut self, ui: &mut Ui, field: &LayerField, [value, shown]: [&str; 2], width: f32) {
        let check = |text: &str| {
            let taken = field.with(self.layer, text);
            taken
                .map(|_| ())
                .map_err(|error| complaint(field, error.message))
        };
        let form = field.form;
        let event = Stepper {
            id: self.id(field.name),
            name: &label(field),
            text: value,
            shown,
            hover: field.about,
            check: &check,
            step: &|text, up| stepped(form, text, up),
        }
        .show(ui, width);
        match event {
            Some(FieldEvent::Commit(text)) => self.set(field, &text),
            Some(FieldEvent::Typing(text)) => self.preview(field, &text),
            Some(FieldEvent::Reverted) => self.actions.push(Action::Preview(None)),
            Some(FieldEvent::Entered) | None => {}
        }
    }

    /// Shapes follow while a value is typed, as they do in the layer's text.
    fn preview(&mut self, field: &LayerField, text: &str) {
        if let Ok(layer) = field.with(self.layer, text) {
            let preview = (self.place.clone(), layer.to_string());
            self.actions.push(Action::Preview(Some(preview)));
        }
    }

    /// One size for all axes, or below it one for each.
    fn sizes(&mut self, ui: &mut Ui, field: &LayerField, [value, shown]: [&str; 2], least: u32) {
        let each = axes_of(shown);
        let all = by_axis(&each, self.rank);
        named(ui, field.name, field.about, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = theme::STEP;
                let toggle = self.rank > 1;
                let room = ui.available_width() - if toggle { 24.0 + theme::STEP } else { 0.0 };
                self.value(ui, field, [value, &all], room);
                if toggle {
                    self.axes_button(ui, field, &each);
                }
            });
        });
        self.each_axis(ui, field, [value, shown], least);
    }

    /// Opens a field for each axis, or takes one size for all.
    fn axes_button(&mut self, ui: &mut Ui, field: &LayerField, each: &[u32]) {
        let (icon, name, next) = if each.len() > 1 {
            let one = each.first().copied().unwrap_or(1);
            (Icon::Open, "One size for all axes", vec![one])
        } else {
            let one = each.first().copied().unwrap_or(1);
            (Icon::Closed, "A size for each axis", vec![one; self.rank])
        };
        let label = format!("{name}: {}", field.name);
        if icon_button(ui, icon, &label, name, true).clicked() {
            self.set(field, &Axes::each(&next).to_string());
        }
    }

    /// A field for each axis, where the sizes differ by axis.
    fn each_axis(
        &mut self,
        ui: &mut Ui,
        field: &LayerField,
        [value, shown]: [&str; 2],
        least: u32,
    ) {
        let each = axes_of(shown);
        if each.len() < 2 {
            return;
        }
        let written = Some(axes_of(value)).filter(|written| written.len() == each.len());
        let written = written.unwrap_or_else(|| each.clone());
        for (axis, name) in axis_names(each.len()).iter().enumerate() {
            let label = format!("{} {name}", label(field));
            let with = |size: u32| {
                let mut next = written.clone();
                next[axis] = size;
                Axes::each(&next).to_string()
            };
            let check = |text: &str| match text.trim().parse::<u32>() {
                Ok(size) if (least..=MOST).contains(&size) => Ok(()),
                _ => Err(format!("write a whole number from {least}")),
            };
            let (text, now) = (written[axis].to_string(), each[axis].to_string());
            let event = named(ui, &format!("    {name}"), field.about, |ui| {
                let width = ui.available_width() - 24.0 - theme::STEP;
                Stepper {
                    id: self.id(&label),
                    name: &label,
                    text: &text,
                    shown: &now,
                    hover: field.about,
                    check: &check,
                    step: &|text, up| stepped_sizes(text, up, least),
                }
                .show(ui, width)
            });
            match event {
                Some(FieldEvent::Commit(text)) => {
                    if let Ok(size) = text.trim().parse() {
                        self.set(field, &with(size));
                    }
                }
                Some(FieldEvent::Typing(text)) if check(&text).is_ok() => {
                    if let Ok(size) = text.trim().parse() {
                        self.preview(field, &with(size));
                    }
                }
                Some(FieldEvent::Reverted) => self.actions.push(Action::Preview(None)),
                Some(FieldEvent::Entered | FieldEvent::Typing(_)) | None => {}
            }
        }
    }

    /// Zeros by number, `same` or `valid`.
    fn padding(&mut self, ui: &mut Ui, field: &LayerField, [value, shown]: [&str; 2]) {
        let modes = ["zeros", "same", "valid"];
        let is_number = !modes[1..].contains(&shown);
        let now = if is_number { modes[0] } else { shown };
        let mut mode = now;
        named(ui, field.name, field.about, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = theme::STEP;
                ComboBox::from_id_salt(self.id("padding mode"))
                    .selected_text(RichText::new(mode).font(theme::digits(12.0)))
                    .width(MODE)
                    .icon(chevron)
                    .show_ui(ui, |ui| {
                        close_by_key(ui);
                        for one in modes {
                            let text = RichText::new(one).font(theme::digits(12.0));
                            ui.selectable_value(&mut mode, one, text);
                        }
                    })
                    .response
                    .on_hover_text(field.about)
                    .accessible_name("Layer padding mode");
                if is_number {
                    let width = ui.available_width();
                    self.value(ui, field, [value, shown], width);
                }
            });
        });
        if is_number {
            self.each_axis(ui, field, [value, shown], 0);
        }
        if mode != now {
            self.set(field, if mode == modes[0] { "0" } else { mode });
        }
    }

    /// The name behind `@`.
    fn name(&mut self, ui: &mut Ui) {
        let now = self.layer.name.clone().unwrap_or_default();
        let shown = self.typed.name.clone().unwrap_or_default();
        let about =
            "A name of your own: unpool finds its pooling by it, and people find the layer.";
        let named_so = |name: &str| Layer {
            name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
            ..self.layer.clone()
        };
        let check = |text: &str| {
            let text = named_so(text).to_string();
            let read = text.parse::<Layer>();
            read.map(|_| ()).map_err(|error| error.message)
        };
        let id = self.id("name");
        let event = named(ui, "name", about, |ui| {
            Field::new(id, "Layer name", &now)
                .shown(&shown)
                .hint("none")
                .check(&check)
                .of_project()
                .show(ui)
        });
        match event {
            Some(FieldEvent::Commit(text)) => {
                let layer = Node::Layer(named_so(&text));
                self.actions.push(writing(self.place, layer));
            }
            Some(FieldEvent::Typing(text)) if check(&text).is_ok() => {
                let preview = (self.place.clone(), named_so(&text).to_string());
                self.actions.push(Action::Preview(Some(preview)));
            }
            Some(FieldEvent::Reverted) => self.actions.push(Action::Preview(None)),
            Some(FieldEvent::Entered | FieldEvent::Typing(_)) | None => {}
        }
    }
}

/// What screen readers and tests call a field: its name alone stands beside it.
fn label(field: &LayerField) -> String {
    format!("Layer {}", field.name)
}

/// What is said at a field whose text the layer refuses.
fn complaint(field: &LayerField, message: String) -> String {
    match field.form {
        FieldForm::Count => "write a whole number from 1".to_owned(),
        FieldForm::Sizes(least) => {
            format!("write a whole number from {least}, or one by axis: 3x5")
        }
        FieldForm::Padding => "write a whole number, or one by axis: 1x2".to_owned(),
        FieldForm::Margins => "write 1, by axis 1x2, or before and after 0+1".to_owned(),
        FieldForm::Shape => "write channels x height x width, such as 32x8x8".to_owned(),
        FieldForm::Number(_) | FieldForm::Flag => message,
    }
}
