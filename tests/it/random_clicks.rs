//! Clicks, drags, keys and words at random, from a seed, over a project that was trained: nothing panics, no drag loses
//! a view, and undo leads back to the project that was opened.

use crate::kit::random_stack::rng;
use crate::kit::window::*;
use eframe::egui::{
    Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, pos2,
    vec2,
};
use egui_kittest::kittest::{NodeT, Queryable};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata::app::action::{Action, Answer, OnView};
use strata::app::arrangement::{Arrangement, Pane};
use strata::app::view_kind::ViewKind;
use strata::gui::views;
use strata::project::Project;

/// What would leave the folder of the test: other programs, the network.
const OUTSIDE: [&str; 3] = ["log folder", "Download", "Browse"];

const WORDS: [&str; 12] = [
    "conv 8 k3 p1",
    "conv 8 k30",
    "relu",
    "dense 10",
    "flatten",
    "{ add = [[\"relu\"], []] }",
    "0",
    "1e99",
    "-3",
    "16x16",
    "сщтм",
    "",
];

const KEYS: [(Modifiers, Key); 26] = [
    (Modifiers::NONE, Key::Tab),
    (Modifiers::NONE, Key::Tab),
    (Modifiers::SHIFT, Key::Tab),
    (Modifiers::NONE, Key::Enter),
    (Modifiers::NONE, Key::Enter),
    (Modifiers::NONE, Key::Escape),
    (Modifiers::NONE, Key::Escape),
    (Modifiers::NONE, Key::Space),
    (Modifiers::NONE, Key::Delete),
    (Modifiers::NONE, Key::Insert),
    (Modifiers::NONE, Key::ArrowDown),
    (Modifiers::NONE, Key::ArrowUp),
    (Modifiers::NONE, Key::F1),
    (Modifiers::NONE, Key::F2),
    (Modifiers::ALT, Key::ArrowUp),
    (Modifiers::ALT, Key::ArrowDown),
    (Modifiers::COMMAND, Key::A),
    (Modifiers::COMMAND, Key::D),
    (Modifiers::COMMAND, Key::K),
    (Modifiers::COMMAND, Key::Y),
    (Modifiers::COMMAND, Key::Z),
    (Modifiers::COMMAND, Key::S),
    (Modifiers::COMMAND, Key::Plus),
    (Modifiers::COMMAND, Key::Minus),
    (Modifiers::COMMAND, Key::Num0),
    (Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::T),
];

/// A hand that does anything.
struct Hand {
    window: Window,
    random: ChaCha8Rng,
    home: PathBuf,
    /// How many projects were opened before, and the one that was opened last.
    opened: (u64, Project),
}

impl Hand {
    fn new(folder: &Path, seed: u64) -> Hand {
        let mut window = open(folder, &classifier());
        window.train();
        let home = window.state().file.clone().unwrap();
        let state = window.state();
        let opened = (state.opened, state.project().clone());
        Hand {
            window,
            random: rng(seed),
            home,
            opened,
        }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.random_range(0..all.len())]
    }

    fn point(&mut self) -> Pos2 {
        let screen = self.window.harness.ctx.content_rect();
        pos2(
            self.random
                .random_range(screen.x_range().min..screen.x_range().max),
            self.random
                .random_range(screen.y_range().min..screen.y_range().max),
        )
    }

    /// The middle of something that has a name.
    fn control(&mut self) -> Option<(String, Pos2)> {
        let screen = self.window.harness.ctx.content_rect();
        let named = self.window.harness.query_all_by(|node| {
            !node.is_disabled() && (node.label().is_some() || node.value().is_some())
        });
        let all: Vec<(String, Pos2)> = named
            .map(|node| {
                let name = node.accesskit_node().label().or_else(|| node.value());
                (name.unwrap_or_default(), node.rect().center())
            })
            .filter(|(name, at)| {
                screen.contains(*at) && OUTSIDE.iter().all(|other| !name.contains(other))
            })
            .collect();
        let index = self.random.random_range(0..all.len().max(1));
        all.into_iter().nth(index)
    }

    fn press(&mut self, at: Pos2, button: PointerButton) {
        self.window.harness.hover_at(at);
        self.window.harness.step();
        for pressed in [true, false] {
            self.window.harness.event(Event::PointerButton {
                pos: at,
                button,
                pressed,
                modifiers: Modifiers::NONE,
            });
            self.window.harness.step();
        }
    }

    fn drag(&mut self, from: Pos2, to: Pos2) {
        let harness = &mut self.window.harness;
        harness.hover_at(from);
        harness.step();
        harness.drag_at(from);
        harness.step();
        for share in [0.3, 1.0, 1.0] {
            harness.hover_at(from + (to - from) * share);
            harness.step();
        }
        harness.drop_at(to);
        harness.step();
        harness.step();
    }

    /// Shows some views in tiles of any shape.
    fn arrange(&mut self) {
        let mut kinds: Vec<ViewKind> = views::all().iter().map(|info| info.kind).collect();
        kinds.shuffle(&mut self.random);
        let count = self.random.random_range(1..=9);
        kinds.truncate(count);
        let shown = Arrangement(Some(Pane::tidy(self.pane(&kinds))));
        assert!(shown.is_sound(), "{shown:?}");
        let action = Action::View(OnView::Arrange(shown));
        self.window.harness.state_mut().handle(action);
        self.window.harness.step();
    }

    /// A group of tabs, or parts side by side or one below the other.
    fn pane(&mut self, kinds: &[ViewKind]) -> Pane {
        if kinds.len() < 2 || self.random.random_bool(0.25) {
            return Pane::of(kinds);
        }
        let (first, second) = kinds.split_at(self.random.random_range(1..kinds.len()));
        let shares = [first, second].map(|part| {
            let share = self.random.random_range(0.5..1.5);
            (share, self.pane(part))
        });
        match self.random.random_bool(0.5) {
            true => Pane::Row(shares.into()),
            false => Pane::Column(shares.into()),
        }
    }

    /// Drags the tab of one of the views anywhere.
    fn drag_tab(&mut self) {
        let fronts = self.window.state().arrangement().fronts();
        let title = views::info(self.pick(&fronts)).title;
        let tab = self.window.get(&format!("{title} view")).rect();
        let before = self.sorted_views();
        let to = self.point();
        self.drag(tab.left_center() + vec2(12.0, 0.0), to);
        assert_eq!(before, self.sorted_views(), "{title} to {to:?}");
        assert!(self.window.state().arrangement().is_sound());
    }

    fn views(&self) -> Vec<ViewKind> {
        self.window.state().arrangement().views()
    }

    /// Does one thing; gives what it was.
    fn act(&mut self) -> String {
        match self.random.random_range(0..100) {
            0..45 => {
                let Some((name, at)) = self.control() else {
                    return "nothing to click".into();
                };
                let is_secondary = self.random.random_bool(0.1);
                let button = match is_secondary {
                    true => PointerButton::Secondary,
                    false => PointerButton::Primary,
                };
                self.press(at, button);
                format!("{button:?} click on {name}")
            }
            45..55 => {
                let at = self.point();
                self.press(at, PointerButton::Primary);
                format!("click at {at:?}")
            }
            55..70 => {
                let word = self.pick(&WORDS);
                if self.window.state().ask.is_none() {
                    self.window.harness.event(Event::Text(word.into()));
                    self.window.harness.step();
                }
                format!("typed {word}")
            }
            70..85 => {
                let (modifiers, key) = self.pick(&KEYS);
                self.window.harness.key_press_modifiers(modifiers, key);
                self.window.harness.step();
                format!("key {modifiers:?} {key:?}")
            }
            85..93 => {
                let named = self.control().map(|(_, at)| at);
                let (from, to) = (named.unwrap_or(Pos2::ZERO), self.point());
                let before = (
                    self.window.state().view.workspace,
                    self.window.state().purpose(),
                    self.sorted_views(),
                );
                self.drag(from, to);
                let after = (
                    self.window.state().view.workspace,
                    self.window.state().purpose(),
                    self.sorted_views(),
                );
                if before.0 == after.0 && before.1 == after.1 {
                    assert_eq!(before.2, after.2, "a drag from {from:?} to {to:?}");
                }
                format!("drag from {from:?} to {to:?}")
            }
            _ => {
                let (at, down) = (self.point(), self.random.random_bool(0.5));
                self.window.harness.hover_at(at);
                self.window.harness.event(Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta: vec2(0.0, if down { -120.0 } else { 120.0 }),
                    phase: TouchPhase::Move,
                    source: MouseWheelSource::Unknown,
                    modifiers: Modifiers::NONE,
                });
                self.window.harness.step();
                format!("wheel at {at:?}")
            }
        }
    }

    fn sorted_views(&self) -> BTreeSet<ViewKind> {
        self.views().into_iter().collect()
    }

    /// What holds whatever was done.
    fn check(&mut self) {
        for _ in 0..3 {
            self.window.harness.step();
        }
        let views = self.views();
        assert_eq!(
            views.len(),
            self.sorted_views().len(),
            "one view twice: {views:?}"
        );
        let state = self.window.state();
        if state.opened != self.opened.0 {
            self.opened = (state.opened, state.project().clone());
        }
        // A project without a file would train beside the tests.
        if self.window.state().file.as_ref() != Some(&self.home) && !self.window.state().start {
            self.go_home();
        }
    }

    fn go_home(&mut self) {
        let actions = [
            Action::CancelPath,
            Action::Open(self.home.clone()),
            Action::Unsaved(Answer::Discard),
        ];
        for action in actions {
            self.window.harness.state_mut().handle(action);
            self.window.harness.step();
        }
        let state = self.window.state();
        self.opened = (state.opened, state.project().clone());
    }

    /// Every edit taken back.
    fn undo_all(&mut self) {
        while self.window.state().can_undo() {
            self.window.harness.state_mut().handle(Action::Undo);
            self.window.harness.step();
        }
        assert_eq!(*self.window.state().project(), self.opened.1);
    }
}

fn play(seed: u64, actions: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut hand = Hand::new(folder.path(), seed);
    let mut done = Vec::new();
    for number in 0..actions {
        if number % 50 == 0 {
            hand.arrange();
        }
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let what = hand.act();
            hand.check();
            what
        }));
        match told {
            Ok(what) => done.push(what),
            Err(panic) => {
                let last: Vec<&String> = done.iter().rev().take(12).rev().collect();
                eprintln!("seed {seed}, after {} actions: {last:#?}", done.len());
                std::panic::resume_unwind(panic);
            }
        }
    }
    hand.undo_all();
}

#[test]
fn anything_done_in_any_order_breaks_nothing() {
    for seed in 1..=2 {
        play(seed, 150);
    }
}

/// Whatever the tiles are like, a tab that is dropped anywhere takes no view away.
#[test]
fn no_drag_of_a_tab_loses_a_view_in_any_arrangement() {
    let folder = tempfile::tempdir().unwrap();
    let mut hand = Hand::new(folder.path(), 77);
    for _ in 0..12 {
        hand.arrange();
        (0..6).for_each(|_| hand.drag_tab());
    }
}

#[test]
#[ignore = "takes minutes"]
fn long_anything_done_in_any_order_breaks_nothing() {
    for seed in 100..130 {
        play(seed, 400);
    }
}
