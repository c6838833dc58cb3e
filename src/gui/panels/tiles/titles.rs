//! The titles of tabs, and how much of them is seen: a tile may have less room than they need.

use super::dock::HEADER;
use crate::theme;
use crate::views;
use crate::widgets::elided;
use eframe::egui::{Color32, Galley, Ui};
use egui_tiles::{Tabs, Tiles};
use std::sync::Arc;
use strata_app::view_kind::ViewKind;

/// From a tab's edge to its title.
pub(super) const PAD: f32 = 8.0;
pub(super) const CLOSE: f32 = 16.0;
/// What a tab has besides its title.
pub(super) const TAB: f32 = 2.0 * PAD + CLOSE;
/// Tiles that are narrower have no button to save a picture: the menu of their tab has it.
pub(super) const NARROW: f32 = 200.0;
/// Width of a button of the bar.
const BUTTON: f32 = 24.0;
/// Of a title that is cut so much is to be seen at least.
const READABLE: f32 = 96.0;

/// Room for the tabs of a tile of this width: what its buttons and its edges leave.
fn room_for_tabs(width: f32) -> f32 {
    let buttons = if width < NARROW { 1.0 } else { 2.0 };
    width - buttons * BUTTON - 3.0 * theme::STEP
}

/// The titles of a group's tabs.
#[derive(Clone, Copy)]
pub(super) struct Titles {
    /// How much of a title is shown at most.
    pub room: f32,
    /// Whether only the tab in front is shown; the others are in a menu.
    pub are_folded: bool,
}

impl Titles {
    /// Until a group is drawn.
    pub(super) const WHOLE: Titles = Titles {
        room: f32::INFINITY,
        are_folded: false,
    };

    /// In a group of this width no title is wider than its tile shows, also beside the arrows by which tabs are
    /// scrolled. Where these would leave no title that can be read, the tabs are folded.
    pub(super) fn of(ui: &Ui, tiles: &Tiles<ViewKind>, tabs: &Tabs, width: f32) -> Titles {
        let room = room_for_tabs(width);
        let kinds = tabs.children.iter().filter_map(|tab| tiles.get_pane(tab));
        let whole: f32 = kinds
            .map(|kind| title(ui, *kind, None).size().x + TAB)
            .sum();
        let is_scrolled = whole > room && tabs.children.len() > 1;
        let beside_arrows = room - 2.0 * HEADER - TAB;
        let are_folded = is_scrolled && beside_arrows < READABLE;
        let room = match (is_scrolled, are_folded) {
            (false, _) => room - TAB,
            (true, false) => beside_arrows,
            (true, true) => room - BUTTON - TAB,
        };
        Titles {
            room: room.max(0.0),
            are_folded,
        }
    }
}

/// The title of a view, cut to a width where there is one.
pub(super) fn title(ui: &Ui, kind: ViewKind, room: Option<f32>) -> Arc<Galley> {
    let room = room.unwrap_or(f32::INFINITY);
    let font = theme::heading(theme::BODY);
    elided(
        ui,
        views::info(kind).title,
        font,
        Color32::PLACEHOLDER,
        room,
    )
}
