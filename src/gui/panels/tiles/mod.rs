//! The centre: the views in tiles that are split, dragged, resized, closed and opened again.
//!
//! The arrangement is a value of the state. Each frame a tree of `egui_tiles` is made of it and
//! shown; what the user moved comes back as an action.

mod dock;
mod entries;
mod named;
mod titles;

use crate::keys::view_under_pointer;
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
use titles::Titles;

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
    let known = Id::unique("views in front");
    let fronts = ui.data(|data| data.get_temp::<Vec<ViewKind>>(known));
    let seen = Id::unique("views that were drawn");
    let drawn = ui.data(|data| data.get_temp::<Vec<ViewKind>>(seen));
    let mut dock = Dock {
        state,
        views,
        actions: Vec::new(),
        arrangement,
        fronts: fronts.unwrap_or_default(),
        drawn_before: drawn.unwrap_or_default(),
        drawn: Vec::new(),
        opened: 0,
        titles: Titles::WHOLE,
    };
    let dragged = tree.dragged_id(ui.ctx());
    let dragged = dragged.and_then(|id| tree.tiles.get_pane(&id).copied());
    ui.data_mut(|data| data.insert_temp(view_under_pointer(), None::<ViewKind>));
    tree.ui(&mut dock, ui);
    let Dock {
        actions: asked,
        drawn,
        ..
    } = dock;
    ui.data_mut(|data| {
        data.insert_temp(known, arrangement.fronts());
        data.insert_temp(seen, drawn);
    });
    let moved = read_tree(&tree, dragged);
    // Whatever a drop does, no view is lost by it.
    if moved != *arrangement && moved.has_views_of(arrangement) {
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

/// The arrangement that a tree has become; `dragged` is the view that the pointer holds, or has just dropped.
fn read_tree(tree: &Tree<ViewKind>, dragged: Option<ViewKind>) -> Arrangement {
    let root = tree
        .root()
        .and_then(|root| read(&tree.tiles, root, dragged));
    Arrangement(root.map(Pane::tidy))
}

fn read(tiles: &Tiles<ViewKind>, id: TileId, dragged: Option<ViewKind>) -> Option<Pane> {
    match tiles.get(id)? {
        Tile::Pane(kind) => Some(Pane::of(&[*kind])),
        Tile::Container(Container::Tabs(tabs)) => read_tabs(tiles, tabs, dragged),
        Tile::Container(Container::Linear(linear)) => {
            let shared =
                |child: &TileId| Some((linear.shares[*child], read(tiles, *child, dragged)?));
            let parts = linear.children.iter().filter_map(shared).collect();
            Some(lined(linear.dir, parts))
        }
        Tile::Container(Container::Grid(grid)) => {
            let parts = grid
                .children()
                .filter_map(|child| read(tiles, *child, dragged));
            Some(Pane::Row(parts.map(|part| (1.0, part)).collect()))
        }
    }
}

fn lined(dir: LinearDir, parts: Vec<(f32, Pane)>) -> Pane {
    match dir {
        LinearDir::Horizontal => Pane::Row(parts),
        LinearDir::Vertical => Pane::Column(parts),
    }
}

/// A group. What is dropped onto a side of its front view is put inside of the group, next to that view alone: the
/// whole group is meant. What is dropped onto a whole row or column becomes one of two tabs with it: it is meant to
/// get a place next to the row.
fn read_tabs(tiles: &Tiles<ViewKind>, tabs: &Tabs, dragged: Option<ViewKind>) -> Option<Pane> {
    let inside: Vec<Pane> = tabs
        .children
        .iter()
        .filter_map(|child| read(tiles, *child, dragged))
        .collect();
    let (groups, lines): (Vec<_>, Vec<_>) = inside
        .into_iter()
        .partition(|part| matches!(part, Pane::Tabs { .. }));
    let in_group: Vec<ViewKind> = groups.iter().flat_map(Pane::views).collect();
    let front = tabs
        .active
        .and_then(|front| tiles.get_pane(&front).copied())
        .filter(|front| in_group.contains(front))
        .or(groups.iter().flat_map(Pane::fronts).next());
    let group = front.map(|front| Pane::Tabs {
        views: in_group,
        front,
    });
    lines.into_iter().fold(group, |group, line| {
        Some(match group {
            None => line,
            Some(group) => beside_group(line, group, dragged),
        })
    })
}

/// The row or column that was made inside of a group, with all views of the group in the place of the one it was made
/// around.
fn beside_group(line: Pane, group: Pane, dragged: Option<ViewKind>) -> Pane {
    let is_dropped = |part: &Pane| dragged.is_some_and(|kind| part.views() == [kind]);
    let (is_row, parts) = match line {
        Pane::Row(parts) => (true, parts),
        Pane::Column(parts) => (false, parts),
        tabs @ Pane::Tabs { .. } => (true, vec![(1.0, tabs)]),
    };
    let made_by_drop = parts.len() == 2 && parts.iter().any(|(_, part)| is_dropped(part));
    if !made_by_drop {
        let line = if is_row {
            Pane::Row(parts)
        } else {
            Pane::Column(parts)
        };
        return Pane::Column(vec![(1.0, line), (1.0, group)]);
    }
    let parts = parts
        .into_iter()
        .map(|(share, part)| match is_dropped(&part) {
            true => (share, part),
            false => (share, joined(part, &group)),
        })
        .collect();
    if is_row {
        Pane::Row(parts)
    } else {
        Pane::Column(parts)
    }
}

/// The views of a part and of a group in one group, the part's in front.
fn joined(part: Pane, group: &Pane) -> Pane {
    let front = part.fronts().first().copied();
    let views: Vec<ViewKind> = part.views().into_iter().chain(group.views()).collect();
    let front = front.or(views.first().copied());
    front.map_or(part, |front| Pane::Tabs { views, front })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{
        Context, Event, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2, pos2, vec2,
    };
    use strata_app::arrangement::{Purpose, Workspace};
    use strata_core::project::builtin;

    #[test]
    fn an_arrangement_survives_the_tree() {
        for arrangement in usual() {
            let mut tiles = Tiles::default();
            let root = build(arrangement.0.as_ref().unwrap(), &mut tiles);
            let mut tree = Tree::new(Id::unique("views"), root, tiles);
            tree.simplify(&RULES);
            assert_eq!(read_tree(&tree, None), arrangement);
        }
    }

    const AREA: Vec2 = vec2(1000.0, 640.0);

    /// A window with nothing but the tiles.
    struct Tiled {
        ctx: Context,
        state: State,
        views: Views,
        time: f64,
        area: Vec2,
    }

    impl Tiled {
        fn new(arrangement: Arrangement) -> Tiled {
            let project = builtin::ALL[0].project().unwrap();
            let mut state = State::new(project, None);
            let (workspace, purpose) = (state.view.workspace, state.purpose());
            *state.arrangements.get_mut(workspace, purpose) = arrangement;
            let ctx = Context::default();
            crate::theme::install(&ctx);
            Tiled {
                ctx,
                state,
                views: Views::default(),
                time: 0.0,
                area: AREA,
            }
        }

        /// One frame; what the tiles ask for is done.
        fn frame(&mut self, events: Vec<Event>) {
            self.time += 0.1;
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.area)),
                time: Some(self.time),
                events,
                ..RawInput::default()
            };
            let mut actions = Vec::new();
            let (state, views) = (&self.state, &mut self.views);
            let mut output = self
                .ctx
                .run_ui(input, |ui| show(ui, state, views, &mut actions));
            output.textures_delta.clear();
            let (workspace, purpose) = (self.state.view.workspace, self.state.purpose());
            let now = self.state.arrangements.get_mut(workspace, purpose);
            for action in actions {
                if let Action::View(OnView::Arrange(moved)) = action {
                    *now = moved;
                }
            }
        }

        /// Where the tab of a view is, as the middle of its title.
        fn tab(&self, kind: ViewKind) -> Option<Pos2> {
            let mut tiles = Tiles::default();
            let root = build(self.state.arrangement().0.as_ref()?, &mut tiles);
            let tree = Tree::new(Id::unique("views"), root, tiles);
            let ids = tree.tiles.tile_ids().collect::<Vec<_>>();
            let tile = ids
                .into_iter()
                .find(|id| tree.tiles.get_pane(id) == Some(&kind))?;
            let response = self.ctx.read_response(tile.egui_id(tree.id()))?;
            Some(response.rect.left_center() + vec2(20.0, 0.0))
        }

        fn drag(&mut self, from: Pos2, to: Pos2) {
            let button = |pos, pressed| Event::PointerButton {
                pos,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            };
            self.frame(vec![Event::PointerMoved(from)]);
            self.frame(vec![button(from, true)]);
            self.frame(vec![Event::PointerMoved(from.lerp(to, 0.5))]);
            self.frame(vec![Event::PointerMoved(to)]);
            self.frame(vec![Event::PointerMoved(to)]);
            self.frame(vec![button(to, false)]);
            self.frame(Vec::new());
        }
    }

    fn usual() -> Vec<Arrangement> {
        let of = |workspace| Purpose::ALL.map(|purpose| Arrangement::usual(workspace, purpose));
        let training = of(Workspace::Training).into_iter();
        let all = training.chain(of(Workspace::Design));
        all.chain([Arrangement::default_data()]).collect()
    }

    /// Wherever a view of any usual arrangement is dropped, all views are still there; also where tabs are folded.
    #[test]
    fn no_drop_loses_a_view() {
        assert!(drops(AREA, 5) > 150, "the drops do something");
        assert!(drops(vec2(440.0, 420.0), 2) > 20, "in narrow tiles, too");
    }

    /// Drops every view that is in front at so many places across and down; how often that changed the arrangement.
    fn drops(area: Vec2, places: usize) -> usize {
        let mut moved = 0;
        for arrangement in usual() {
            for kind in arrangement.fronts() {
                for column in 0..places {
                    for row in 0..places {
                        let mut tiled = Tiled::new(arrangement.clone());
                        tiled.area = area;
                        (0..2).for_each(|_| tiled.frame(Vec::new()));
                        let from = tiled.tab(kind).unwrap();
                        let share = |step: usize| (step as f32 + 0.5) / places as f32;
                        let to = pos2(share(column) * area.x, share(row) * area.y);
                        tiled.drag(from, to);
                        let now = tiled.state.arrangement();
                        assert!(
                            now.has_views_of(&arrangement),
                            "{kind:?} to {to:?}: {now:?}"
                        );
                        assert!(now.is_sound(), "{now:?}");
                        moved += usize::from(*now != arrangement);
                    }
                }
            }
        }
        moved
    }

    /// Many views that open together are drawn one part after the other, each as soon as there is time for it.
    #[test]
    fn many_views_open_in_several_frames() {
        let kinds: Vec<ViewKind> = crate::views::all().iter().map(|info| info.kind).collect();
        let row = |kinds: &[ViewKind]| {
            Pane::Row(kinds.iter().map(|kind| (1.0, Pane::of(&[*kind]))).collect())
        };
        let rows = kinds.chunks(10).map(|kinds| (1.0, row(kinds)));
        let mut tiled = Tiled::new(Arrangement(Some(Pane::Column(rows.collect()))));
        tiled.area = vec2(2400.0, 1200.0);
        let drawn = |tiled: &Tiled| {
            let seen = Id::unique("views that were drawn");
            let drawn: Option<Vec<ViewKind>> = tiled.ctx.data(|data| data.get_temp(seen));
            drawn.unwrap_or_default().len()
        };
        let mut before = 0;
        while before < kinds.len() {
            tiled.frame(Vec::new());
            let now = drawn(&tiled);
            assert!(now > before, "each frame draws more: {now} after {before}");
            // A frame may be laid out twice.
            assert!(now - before <= 6, "{now} after {before}");
            before = now;
        }
        tiled.frame(Vec::new());
        assert_eq!(drawn(&tiled), kinds.len(), "and all of them stay");
    }

    /// A group of two tabs is split where a view is dropped onto a half of it.
    #[test]
    fn a_view_dropped_onto_half_a_group_stands_beside_the_whole_group() {
        use ViewKind::{Data, Loss, Saliency};
        let group = Pane::of(&[Saliency, Data]);
        let before = Arrangement(Some(Pane::Row(vec![
            (1.0, Pane::of(&[Loss])),
            (1.0, group.clone()),
        ])));
        let mut tiled = Tiled::new(before);
        (0..2).for_each(|_| tiled.frame(Vec::new()));
        let from = tiled.tab(Loss).unwrap();
        tiled.drag(from, pos2(0.75 * AREA.x, 0.88 * AREA.y));
        let Some(Pane::Column(parts)) = &tiled.state.arrangement().0 else {
            panic!("{:?}", tiled.state.arrangement());
        };
        let views: Vec<_> = parts.iter().map(|(_, part)| part.views()).collect();
        assert_eq!(views, [vec![Saliency, Data], vec![Loss]]);
    }
}
