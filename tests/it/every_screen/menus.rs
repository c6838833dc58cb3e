//! What is laid over the window: the palette, pages of help, and every menu and list that opens.

use super::{SIZES, Screen, Size, sizes};
use crate::kit::contrast::above;
use crate::kit::window::*;
use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, Order, PointerButton, Pos2, Rect};
use egui_kittest::kittest::{NodeT, Queryable};
use strata::app::action::{Action, Overlay, Show};
use strata::app::arrangement::Workspace;
use strata::app::state::SideTab;
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::Stack;

fn overlays(screen: &mut Screen) {
    for (overlay, name) in [
        (Overlay::Palette, "palette"),
        (Overlay::Keys, "keys"),
        (Overlay::About, "about"),
    ] {
        screen.act([Action::Overlay(Some(overlay))]);
        screen.look(&format!("overlay-{name}"));
        screen.act([Action::Overlay(None)]);
    }
    for info in views::all() {
        screen.act([Action::Overlay(Some(Overlay::Page(info.kind)))]);
        screen.look(&format!("help-{:?}", info.kind));
        screen.act([Action::Overlay(None)]);
    }
    screen.act([Action::Overlay(Some(Overlay::Palette))]);
    for letter in "learning rate".chars() {
        screen
            .window
            .get("Find anything by name")
            .type_text(&letter.to_string());
        screen.window.run();
    }
    screen.look("overlay-palette-found");
    screen.act([Action::Overlay(None)]);
}

fn menus(screen: &mut Screen) {
    screen.act([Action::Show(Show::Workspace(Workspace::Training))]);
    for (label, name) in [
        ("Add layer to head", "add-layer"),
        ("Device", "device"),
        ("Add view beside Loss", "add-view"),
        ("Smoothing of Loss", "smoothing"),
    ] {
        screen.window.click(label);
        screen.look(&format!("menu-{name}"));
        screen.window.press(Modifiers::NONE, Key::Escape);
    }
    for (label, name) in [("encoder.0", "row"), ("Loss view", "tab")] {
        let at = screen.window.get(label).rect().center();
        secondary(screen, at);
        screen.look(&format!("menu-{name}"));
        screen.window.press(Modifiers::NONE, Key::Escape);
    }
}

fn secondary(screen: &mut Screen, pos: Pos2) {
    for pressed in [true, false] {
        screen.window.harness.event(Event::PointerButton {
            pos,
            button: PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        screen.window.harness.step();
    }
}

/// The names of all that opens a list or options, in this part of the window.
fn openers(screen: &Screen, area: Rect) -> Vec<(String, Pos2)> {
    let opens = |role: Role, name: &str| {
        role == Role::ComboBox || (role == Role::Button && name.starts_with("Options"))
    };
    let all = screen
        .window
        .harness
        .query_all_by(|node| !node.is_disabled());
    all.filter_map(|node| {
        let name = node.accesskit_node().label().unwrap_or_default();
        if !opens(node.accesskit_node().role(), &name) {
            return None;
        }
        let at = node.rect().center();
        let is_one = area.contains(at);
        is_one.then_some((name, at))
    })
    .collect()
}

/// Each list and each menu of options that is in sight: it opens within the window and can be read.
fn lists(screen: &mut Screen, of: &str, area: Rect) {
    for (name, at) in openers(screen, area) {
        screen.window.harness.hover_at(at);
        screen.window.harness.step();
        screen.window.harness.drag_at(at);
        screen.window.harness.step();
        screen.window.harness.drop_at(at);
        screen.window.run();
        let name = name.replace(['/', ' ', '.'], "-");
        screen.look(&format!("list-{of}-{name}"));
        let whole = screen.window.harness.ctx.content_rect();
        for rect in above(&screen.window, Order::Foreground) {
            if !whole.expand(1.0).contains_rect(rect) {
                let fault = format!(
                    "{} {of}: the list {name} at {rect:?} leaves {whole:?}",
                    screen.name
                );
                screen.faults.push(fault);
            }
        }
        screen.window.press(Modifiers::NONE, Key::Escape);
    }
}

/// All lists of the panel on the right and of all views.
fn all_lists(screen: &mut Screen) {
    let whole = screen.window.harness.ctx.content_rect();
    let settings = whole.with_min_x(whole.right() - 320.0);
    screen.window.select(Stack::Encoder, 0);
    for tab in SideTab::ALL {
        screen.window.show_tab(tab);
        lists(screen, tab.name(), settings);
    }
    let middle = whole
        .with_min_x(400.0)
        .with_max_x(settings.left())
        .with_min_y(44.0);
    for info in views::all() {
        screen.window.show_alone(info.kind);
        screen.look(&format!("menus-{:?}", info.kind));
        lists(screen, &format!("{:?}", info.kind), middle);
    }
}

fn all(screen: &mut Screen) {
    overlays(screen);
    menus(screen);
    all_lists(screen);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_menus() {
    let folder = tempfile::tempdir().unwrap();
    let mut trained = open(folder.path(), &classifier());
    trained.train();
    let run = trained.state().training.run.clone().unwrap();
    for size in sizes() {
        let mut screen = Screen::of(classifier(), size);
        screen.act([Action::Open(run.clone())]);
        all(&mut screen);
        screen.finish();
    }
}

fn can_be_read(size: Size) {
    let folder = tempfile::tempdir().unwrap();
    let mut trained = open(folder.path(), &classifier());
    trained.train();
    let run = trained.state().training.run.clone().unwrap();
    let mut screen = Screen::checked(classifier(), size);
    screen.act([Action::Open(run)]);
    screen.window.show_alone(ViewKind::Loss);
    all(&mut screen);
    screen.finish();
}

#[test]
#[ignore = "takes minutes"]
fn long_every_menu_can_be_read_at_150_percent() {
    can_be_read(SIZES[3]);
}

#[test]
#[ignore = "takes minutes"]
fn long_every_menu_can_be_read_in_the_smallest_window() {
    can_be_read(SIZES[0]);
}
