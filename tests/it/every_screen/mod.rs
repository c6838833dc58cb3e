//! Every screen in both themes and at the sizes that people have, to be looked at, and each text of it checked: none lies
//! over another, is cut at a side or too faint. A file is called `screens/size/theme/screen.png`. `STRATA_SIZE=1280x720`
//! asks for one size only.

mod forms;
mod menus;
mod runs;

use crate::kit::contrast::{above, too_faint};
use crate::kit::window::*;
use crate::kit::written::{cut_at_a_side, lying_over_each_other, over_the_edge, written};
use eframe::egui::accesskit::Role;
use eframe::egui::{Order, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use std::path::PathBuf;
use std::time::Duration;
use strata::app::action::{Action, Show};
use strata::app::arrangement::Workspace;
use strata::gui::views;
use strata::project::Project;
use strata_testkit::folders::pictures;

/// A name, the pixels of the window, and the pixels of a point.
type Size = (&'static str, Vec2, f32);

const SIZES: [Size; 4] = [
    ("1280x720", vec2(1280.0, 720.0), 1.0),
    ("1440x900", vec2(1440.0, 900.0), 1.0),
    ("1920x1080", vec2(1920.0, 1080.0), 1.0),
    ("1920x1080-at-150", vec2(1920.0, 1080.0), 1.5),
];

/// Screens with what is scrolled to the side, and with a drawing that is moved.
const SCROLLED: [&str; 4] = [
    "sweep-Trials",
    "comparison-shown",
    "view-Graph",
    "view-Sparse",
];

/// Of these many pixels of a point letters are sharp enough for their contrast to be told from pixels.
const SHARP: f32 = 1.5;

/// All sizes, or the one that is asked for.
fn sizes() -> impl Iterator<Item = Size> {
    let asked = std::env::var("STRATA_SIZE").ok();
    SIZES
        .into_iter()
        .filter(move |(name, ..)| asked.as_deref().is_none_or(|asked| asked == *name))
}

/// A window of one size, where its pictures go, and what cannot be read in it.
struct Screen {
    window: Window,
    name: &'static str,
    /// `None` writes no pictures.
    folder: Option<PathBuf>,
    scale: f32,
    faults: Vec<String>,
}

impl Screen {
    /// A window whose pictures are written.
    fn of(project: Project, size: Size) -> Screen {
        let mut screen = Screen::checked(project, size);
        screen.folder = Some(pictures().join("screens").join(size.0));
        screen
    }

    /// A window that is only checked.
    fn checked(project: Project, (name, size, scale): Size) -> Screen {
        let mut window = Window::real(project, size);
        window.harness.set_pixels_per_point(scale);
        window.run();
        Screen {
            window,
            name,
            folder: None,
            scale,
            faults: Vec::new(),
        }
    }

    fn act(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            self.window.harness.state_mut().handle(action);
            self.window.run();
        }
    }

    /// Looks at what is shown, in both themes.
    fn look(&mut self, name: &str) {
        self.window.harness.remove_cursor();
        for (dark, theme) in [(true, "dark"), (false, "light")] {
            self.window.set_dark(dark);
            settle(&mut self.window);
            if let Some(folder) = &self.folder {
                let path = folder.join(theme).join(name).with_extension("png");
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                self.window.frame(self.scale).save(path).unwrap();
            }
            self.check(&format!("{} {theme} {name}", self.name));
        }
    }

    fn check(&mut self, what: &str) {
        let mut texts = written(&self.window.harness.output().shapes);
        // What lies above hides a part of what is behind it, which is looked at elsewhere.
        let has_menu = !above(&self.window, Order::Foreground).is_empty();
        let is_covered = has_menu || self.window.state().overlay.is_some();
        if is_covered {
            let above = above(&self.window, Order::Middle);
            texts.retain(|text| above.iter().any(|area| area.contains_rect(text.seen())));
        }
        let mut found = lying_over_each_other(&texts);
        // A tab that is cut says that there are more, arrows lead to them; a field and a table are scrolled.
        let fields: Vec<String> = self.fields();
        texts.retain(|text| {
            let is_tab = views::all().iter().any(|info| info.title == text.text);
            let is_scrolled = SCROLLED.iter().any(|screen| what.ends_with(screen));
            !is_tab && !is_scrolled && !fields.contains(&text.text)
        });
        found.extend(cut_at_a_side(&texts));
        if !is_covered {
            found.extend(over_the_edge(&self.window.harness.output().shapes));
        }
        if self.scale >= SHARP {
            found.extend(too_faint(&self.window, self.scale));
        }
        for fault in found {
            println!("{what}: {fault}");
            self.faults.push(format!("{what}: {fault}"));
        }
    }

    /// What stands in fields, whose text is scrolled where it is longer.
    fn fields(&self) -> Vec<String> {
        let fields = self.window.harness.query_all_by_role(Role::TextInput);
        fields.filter_map(|field| field.value()).collect()
    }

    /// Each view with all the room, and each workspace as it is at first.
    fn views(&mut self, of: &str) {
        for workspace in Workspace::ALL {
            self.act([Action::Show(Show::Workspace(workspace))]);
            self.look(&format!("{of}-workspace-{}", workspace.name()));
        }
        for info in views::all() {
            self.window.show_alone(info.kind);
            self.window.run();
            self.look(&format!("{of}-view-{:?}", info.kind));
        }
    }

    fn finish(self) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

/// Gives what is computed beside the window the time to arrive.
fn settle(window: &mut Window) {
    for turn in 0..1000 {
        window.harness.step();
        if turn > 3 && !window.has(" …") && !window.state().inspections.are_asked() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
