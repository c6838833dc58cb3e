//! The centre: the views in tiles that are split, dragged, resized, closed and opened again.
//!
//! The arrangement is a value of the state. Each frame a tree of `egui_tiles` is made of it and
//! shown; what the user moved comes back as an action.

mod dock;
mod entries;

use crate::views::Views;
use dock::Dock;
use eframe::egui::{Id, Ui};
use egui_tiles::{
    Container, Linear, LinearDir, SimplificationOptions, Tabs, Tile, TileId, Tiles, Tree,
};
use strata_app::action::{Action, OnView};
use strata_app::arrangement::{Arrangement, Pane};
use strata_app::state::State;
use strata_app::view_kind::ViewKind;

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
        entries::none_open(ui, actions);
        return;
    };
    let mut tiles = Tiles::default();
    let root = build(part, &mut tiles);
    let mut tree = Tree::new(Id::unique("views"), root, tiles);
    let mut dock = Dock {
        state,
        views,
        actions: Vec::new(),
        arrangement,
    };
    tree.ui(&mut dock, ui);
    let Dock { actions: asked, .. } = dock;
    let moved = Arrangement(tree.root().and_then(|root| read(&tree.tiles, root)));
    if moved != *arrangement {
        actions.push(Action::View(OnView::Arrange(moved)));
    }
    actions.extend(asked);
}

fn build(part: &Pane, tiles: &mut Tiles<ViewKind>) -> TileId {
    let (dir, parts) = match part {
        Pane::Tabs { views, front } => {
            let panes: Vec<_> = views.iter().map(|&kind| tiles.insert_pane(kind)).collect();
            let front = views
                .iter()
                .position(|kind| kind == front)
                .and_then(|at| panes.get(at).copied());
            let tabs = Tabs {
                children: panes,
                active: front,
            };
            return tiles.insert_container(tabs);
        }
        Pane::Row(parts) => (LinearDir::Horizontal, parts),
        Pane::Column(parts) => (LinearDir::Vertical, parts),
    };
    let children: Vec<_> = parts
        .iter()
        .map(|(share, part)| (*share, build(part, tiles)))
        .collect();
    let mut linear = Linear::new(dir, children.iter().map(|(_, id)| *id).collect());
    for (share, id) in children {
        linear.shares.set_share(id, share);
    }
    tiles.insert_container(linear)
}

fn read(tiles: &Tiles<ViewKind>, id: TileId) -> Option<Pane> {
    match tiles.get(id)? {
        Tile::Pane(kind) => Some(Pane::of(&[*kind])),
        Tile::Container(Container::Tabs(tabs)) => {
            let views: Vec<_> = tabs
                .children
                .iter()
                .filter_map(|child| tiles.get_pane(child).copied())
                .collect();
            let front = tabs
                .active
                .and_then(|front| tiles.get_pane(&front).copied())
                .or(views.first().copied())?;
            Some(Pane::Tabs { views, front })
        }
        Tile::Container(Container::Linear(linear)) => {
            let shared = |child: &TileId| Some((linear.shares[*child], read(tiles, *child)?));
            let parts = linear.children.iter().filter_map(shared).collect();
            Some(if linear.dir == LinearDir::Horizontal {
                Pane::Row(parts)
            } else {
                Pane::Column(parts)
            })
        }
        Tile::Container(Container::Grid(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_app::arrangement::Purpose;

    #[test]
    fn an_arrangement_survives_the_tree() {
        let training = Purpose::ALL.map(Arrangement::default_for);
        for arrangement in training
            .into_iter()
            .chain([Arrangement::default_design(), Arrangement::default_data()])
        {
            let mut tiles = Tiles::default();
            let root = build(arrangement.0.as_ref().unwrap(), &mut tiles);
            let mut tree = Tree::new(Id::unique("views"), root, tiles);
            tree.simplify(&RULES);
            assert_eq!(read(&tree.tiles, tree.root().unwrap()), arrangement.0);
        }
    }
}
