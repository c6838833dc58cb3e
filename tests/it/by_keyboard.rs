//! Every view of a run without a pointer, on images, signals and volumes: it is reached by name, everything in it by Tab
//! with the focus in sight, its options are changed, and its picture is saved. Nothing ends in a defect.

use crate::every_inspection::{KINDS, project};
use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::window::*;
use eframe::egui::epaint::ClippedShape;
use eframe::egui::{Key, Modifiers, Rect, Role, pos2};
use egui_kittest::kittest::{NodeT, Queryable};
use std::collections::BTreeSet;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::Project;

/// What a person can get to: its role, its name, its value and where it is.
#[derive(Clone, Debug, PartialEq)]
struct Control {
    role: Role,
    name: String,
    value: String,
    rect: Rect,
}

impl Control {
    fn key(&self) -> (String, String) {
        (format!("{:?}", self.role), self.name.clone())
    }
}

/// Everything in an area that takes the focus, and what has it.
fn controls(window: &Window, area: Rect) -> (Vec<Control>, Option<Control>) {
    let able = window.harness.query_all_by(|node| {
        node.role() != Role::Window && node.is_focusable_in_window() && !node.is_disabled()
    });
    let all = able.map(|node| {
        let control = Control {
            role: node.accesskit_node().role(),
            name: node.accesskit_node().label().unwrap_or_default(),
            value: node.value().unwrap_or_default(),
            rect: node.rect(),
        };
        (control, node.is_focused())
    });
    let all: Vec<(Control, bool)> = all.collect();
    let focused = all.iter().find(|(_, focused)| *focused);
    let focused = focused.map(|(control, _)| control.clone());
    let inside = all
        .into_iter()
        .map(|(control, _)| control)
        .filter(|control| area.contains_rect(control.rect.shrink(1.0)));
    (inside.collect(), focused)
}

/// Whether a node takes the focus.
trait Focusable {
    fn is_focusable_in_window(&self) -> bool;
}

impl Focusable for egui_kittest::kittest::AccessKitNode<'_> {
    fn is_focusable_in_window(&self) -> bool {
        self.data()
            .supports_action(eframe::egui::accesskit::Action::Focus)
    }
}

/// What is painted in a rectangle.
fn painted(window: &Window, rect: Rect) -> Vec<ClippedShape> {
    let shapes = window.harness.output().shapes.iter();
    let in_rect = |shape: &&ClippedShape| shape.shape.visual_bounding_rect().intersects(rect);
    shapes.filter(in_rect).cloned().collect()
}

fn key(window: &mut Window, key: Key) {
    window.press(Modifiers::NONE, key);
    settle(window);
}

fn settle(window: &mut Window) {
    for _ in 0..300 {
        window.run();
        assert!(!window.has("defect in Strata"));
        if !window.state().inspections.are_asked() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// The area of a view: from its tab to the bar below.
fn area_of(window: &Window, kind: ViewKind) -> Rect {
    let title = views::info(kind).title;
    let tab = window.get(&format!("{title} view")).rect();
    let screen = window.harness.ctx.content_rect();
    let bottom = window.get("Look back").rect().top() - 4.0;
    // Buttons of the bar belong to it, what is left of its tab to the architecture.
    let corner = pos2(tab.left() - 8.0, tab.top() - 8.0);
    Rect::from_min_max(corner, pos2(screen.right(), bottom))
}

/// Chooses so many entries of the box that has the focus, one after the other.
fn choose(window: &mut Window, control: &Control, entries: usize, faults: &mut Vec<String>) {
    let whole = window.harness.ctx.content_rect();
    let mut chosen = BTreeSet::new();
    window.press(Modifiers::NONE, Key::Enter);
    window.press(Modifiers::NONE, Key::Escape);
    let left = controls(window, whole).1.map(|focused| focused.key());
    let is_option = |name: &str| name.starts_with("Options of");
    match left {
        Some(left) if left == control.key() => {}
        // Esc closes a list in a menu together with the menu.
        Some((_, name)) if is_option(&name) => return,
        left => return faults.push(format!("Esc leads from {control:?} to {left:?}")),
    }
    for entry in 1..=entries {
        let before = controls(window, whole).0.len();
        window.press(Modifiers::NONE, Key::Enter);
        let opened = controls(window, whole).0.len();
        if opened <= before {
            return faults.push(format!("Enter does not open {control:?}"));
        }
        (0..entry).for_each(|_| window.press(Modifiers::NONE, Key::ArrowDown));
        key(window, Key::Enter);
        let (now, focused) = controls(window, whole);
        let focused = focused.map(|focused| focused.key());
        if focused != Some(control.key()) {
            return faults.push(format!("of {control:?} the focus goes to {focused:?}"));
        }
        let now = now.iter().find(|other| other.key() == control.key());
        let value = now.map(|now| now.value.clone()).unwrap_or_default();
        if !chosen.insert(value) && entry > 2 {
            break;
        }
    }
}

/// Changes what has the focus, by its keys; false where it has none of its own.
fn change(
    window: &mut Window,
    control: &Control,
    entries: usize,
    faults: &mut Vec<String>,
) -> bool {
    match control.role {
        Role::ComboBox => choose(window, control, entries, faults),
        Role::CheckBox | Role::Switch => key(window, Key::Space),
        Role::Slider => key(window, Key::ArrowRight),
        Role::SpinButton => key(window, Key::ArrowUp),
        // What it opens is gone through next.
        Role::Button if control.name.starts_with("Options") => {
            key(window, Key::Enter);
            return false;
        }
        _ => return false,
    }
    true
}

/// Whether one that reads from the top left comes to `next` after `last`: further right in a row, in a row below, or at
/// the top of what is further right.
fn is_behind(last: Rect, next: Rect) -> bool {
    let common = last.y_range().intersection(next.y_range()).span();
    let is_in_row = common >= 0.5 * last.height().min(next.height());
    match is_in_row {
        true => next.left() >= last.left() - 1.0,
        false => next.center().y > last.center().y || next.left() >= last.right() - 1.0,
    }
}

/// Goes through a view by Tab: everything in it has the focus once, and it is seen; what has a value takes another.
fn walk(window: &mut Window, kind: ViewKind, entries: usize) -> Vec<String> {
    let title = views::info(kind).title;
    let area = area_of(window, kind);
    let first = format!("{title} view");
    window.get(&first).focus();
    window.run();
    let (mut seen, mut changed) = (BTreeSet::new(), 0);
    let mut last: Option<Control> = None;
    let mut faults = Vec::new();
    let at_first = controls(window, area).0;
    let at_first: BTreeSet<_> = at_first.iter().map(Control::key).collect();
    let mut outside = 0;
    for _ in 0..160 {
        let before = window.harness.output().shapes.clone();
        key(window, Key::Tab);
        let (_, focused) = controls(window, area);
        let Some(control) = focused else { continue };
        if !area.contains_rect(control.rect.shrink(1.0)) {
            // Behind the view come the settings, then all from the top.
            outside += 1;
            if outside > 2 && seen.len() > 1 {
                break;
            }
            continue;
        }
        if let Some(last) = last.replace(control.clone()) {
            // Menus and what was opened by a change have their place of their own.
            let are_there = at_first.contains(&last.key()) && at_first.contains(&control.key());
            let is_new = are_there && !seen.contains(&control.key());
            if is_new && !is_behind(last.rect, control.rect) {
                faults.push(format!("Tab goes from {last:?} back to {control:?}"));
            }
        }
        if !seen.insert(control.key()) {
            continue;
        }
        let was = before
            .iter()
            .filter(|shape| shape.shape.visual_bounding_rect().intersects(control.rect))
            .cloned()
            .collect::<Vec<_>>();
        if was == painted(window, control.rect) {
            faults.push(format!("the focus on {control:?} is not seen"));
        }
        if !change(window, &control, entries, &mut faults) {
            continue;
        }
        let (now, focused) = controls(window, area);
        if focused.is_none() {
            faults.push(format!("after {control:?} was changed the focus is lost"));
        }
        let same = now.iter().find(|other| other.key() == control.key());
        changed += usize::from(same.is_none_or(|other| other.value != control.value));
    }
    let (left, _) = controls(window, area);
    let missed: Vec<Control> = left
        .into_iter()
        .filter(|control| !seen.contains(&control.key()))
        .filter(|control| control.name != first && at_first.contains(&control.key()))
        .collect();
    faults.extend(
        missed
            .iter()
            .map(|control| format!("Tab does not reach {control:?}")),
    );
    println!("{title}: {} controls, {changed} changed", seen.len());
    faults
        .into_iter()
        .map(|fault| format!("{title}: {fault}"))
        .collect()
}

/// Saves the picture of a view by the palette, in a file whose name is typed.
fn save(window: &mut Window, kind: ViewKind, folder: &Path) {
    let title = views::info(kind).title;
    window.find(&format!("Save picture: {title}"));
    window.run();
    let to = folder.join(format!("{kind:?}.png"));
    window.press(Modifiers::COMMAND, Key::A);
    let event = eframe::egui::Event::Text(to.display().to_string());
    window.harness.event(event);
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    window.wait_for(crate::kit::PATIENCE, title, |_| to.is_file());
}

#[test]
fn every_view_of_images_is_used_without_a_pointer() {
    let folder = tempfile::tempdir().unwrap();
    use_all(&tiny(&[]), folder.path(), 2);
}

#[test]
#[ignore = "takes a minute"]
fn long_every_view_of_signals_is_used_without_a_pointer() {
    let folder = tempfile::tempdir().unwrap();
    use_all(&project(folder.path(), KINDS[0].1), folder.path(), 9);
}

#[test]
#[ignore = "takes a minute"]
fn long_every_view_of_volumes_is_used_without_a_pointer() {
    let folder = tempfile::tempdir().unwrap();
    use_all(&project(folder.path(), KINDS[1].1), folder.path(), 9);
}

/// Goes through every view of a run; of each box so many entries are chosen.
fn use_all(project: &Project, folder: &Path, entries: usize) {
    let run = folder.join("run");
    completed(train(project, &options(&run)).0);
    let mut window = Window::real(project.clone(), eframe::egui::vec2(1440.0, 900.0));
    for action in [
        Action::Open(run),
        Action::Show(Show::Settings(false)),
        Action::Show(Show::Workspace(Workspace::Training)),
    ] {
        window.harness.state_mut().handle(action);
    }
    settle(&mut window);
    let all = views::all().iter();
    let kinds: Vec<_> = all
        .filter(|info| info.workspace == Workspace::Training)
        .collect();
    let mut faults = Vec::new();
    for info in &kinds {
        window.find(&format!("View: {}", info.title));
        settle(&mut window);
        let fronts = window.state().arrangement().fronts();
        assert!(fronts.contains(&info.kind), "{}: {fronts:?}", info.title);
        // All the room, so that nothing of it is out of sight.
        window.show_alone(info.kind);
        settle(&mut window);
        faults.extend(walk(&mut window, info.kind, entries));
        if (views::catalogue().has_picture)(info.kind, window.state()) {
            save(&mut window, info.kind, folder);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
