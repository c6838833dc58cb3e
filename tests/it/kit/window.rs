//! Drives the whole window without a display: through accessibility labels, with pictures painted on
//! the processor, and with an engine that says what a test wants it to say.

use super::{PATIENCE, words};
use crossbeam_channel::{Receiver, Sender, unbounded};
use eframe::egui::{Key, Modifiers, Pos2, TexturesDelta, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, Node, TestRenderer};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use strata::app::action::{Action, OnView, Overlay, Show};
use strata::app::arrangement::{Arrangement, Pane, Workspace};
use strata::app::dialogs::Picker;
use strata::app::services::StartRun;
use strata::app::state::{SideTab, State, Switch};
use strata::app::view_kind::ViewKind;
use strata::engine::command::Command;
use strata::engine::event::Event;
use strata::engine::inspection::live::LiveResults;
use strata::engine::thread::{self, Running};
use strata::gui::app_window::{App, Setup};
use strata::gui::offscreen::Canvas;
use strata::gui::theme::behind;
use strata::gui::views;
use strata::project::data::Split;
use strata::project::{Place, Project, Stack, builtin, file};
use strata_testkit::folders::pictures;

/// The window under test.
pub struct Window {
    pub harness: Harness<'static, App>,
    canvas: Rc<RefCell<Canvas>>,
    size: Vec2,
}

struct Renderer(Rc<RefCell<Canvas>>);

impl TestRenderer for Renderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        self.0.borrow_mut().update(delta);
    }
}

/// The smallest size that the window is made for.
pub const SIZE: Vec2 = vec2(1280.0, 720.0);

/// A built-in project.
pub fn builtin(name: &str) -> Project {
    builtin::find(name).unwrap().project().unwrap()
}

/// A small classifier of drawn pictures, trained in a moment.
pub fn classifier() -> Project {
    let text = "format = 1\ntitle = \"Small classifier\"\n[data]\nsource = \"shapes\"\nresize = [16, 16]\nlimit = 64\n[network]\ninput = \"3x16x16\"\nencoder = [\"conv 4 k3 s2 p1\", \"relu\"]\nhead = [\"flatten\", \"dense 10\"]\n[[stage]]\nname = \"classify\"\ntask = \"classify\"\nloss = \"cross-entropy\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 16\n";
    file::parse(text, "test").unwrap()
}

/// A window with the real engine on a project in a folder of its own.
pub fn open(folder: &Path, project: &Project) -> Window {
    let path = folder.join("project.toml");
    file::save(project, &path).unwrap();
    let mut window = Window::real(project.clone(), SIZE);
    window.harness.state_mut().handle(Action::Open(path));
    window.run();
    window
}

impl Window {
    /// A window of this size on a project.
    pub fn new(project: Project, size: Vec2, start: StartRun) -> Window {
        Window::with_config(project, size, start, None)
    }

    /// The same with a folder for what outlives the window.
    pub fn with_config(
        project: Project,
        size: Vec2,
        start: StartRun,
        config: Option<PathBuf>,
    ) -> Window {
        Window::of(State::new(project, None), size, start, config)
    }

    /// A window that shows this first.
    pub fn of(state: State, size: Vec2, start: StartRun, config: Option<PathBuf>) -> Window {
        let setup = Setup {
            state,
            start,
            dialogs: None,
            config,
        };
        Window::set_up(setup, size)
    }

    /// A window whose file dialogs are answered by `picker`.
    pub fn with_dialogs(project: Project, picker: Picker) -> Window {
        Window::asking(project, no_engine(), picker)
    }

    /// The same with an engine.
    pub fn asking(project: Project, start: StartRun, picker: Picker) -> Window {
        let setup = Setup {
            state: State::new(project, None),
            start,
            dialogs: Some(picker),
            config: None,
        };
        Window::set_up(setup, SIZE)
    }

    fn set_up(setup: Setup, size: Vec2) -> Window {
        let canvas = Rc::new(RefCell::new(Canvas::default()));
        let harness = Harness::builder()
            .with_size(size)
            .with_max_steps(12)
            .renderer(Renderer(canvas.clone()))
            .build_eframe(|context| App::new(&context.egui_ctx, setup));
        Window {
            harness,
            canvas,
            size,
        }
    }

    /// A window on a built-in project whose engine never starts.
    pub fn idle(name: &str) -> Window {
        Window::without_engine(builtin(name), SIZE)
    }

    /// A window whose engine never starts.
    pub fn without_engine(project: Project, size: Vec2) -> Window {
        Window::new(project, size, no_engine())
    }

    /// Shows these views in the middle, one below the other.
    pub fn show_column(&mut self, kinds: &[ViewKind]) {
        let parts = kinds.iter().map(|kind| (1.0, Pane::of(&[*kind]))).collect();
        let shown = Arrangement(Some(Pane::Column(parts)));
        let action = Action::View(OnView::Arrange(shown));
        self.harness.state_mut().handle(action);
        self.run();
    }

    pub fn show_workspace(&mut self, workspace: Workspace) {
        let action = Action::Show(Show::Workspace(workspace));
        self.harness.state_mut().handle(action);
        self.run();
    }

    pub fn select(&mut self, stack: Stack, index: usize) {
        let action = Action::Select(Some(Place::new(stack, index)));
        self.harness.state_mut().handle(action);
        self.run();
    }

    /// The texts of a stack's layers.
    pub fn texts(&self, stack: Stack) -> Vec<String> {
        let nodes = self.state().network().stack(stack);
        nodes
            .iter()
            .map(strata::project::node::Node::text)
            .collect()
    }

    /// Trains to the end.
    pub fn train(&mut self) {
        self.click("Train");
        self.wait("the end", |state| !state.training.is_running());
    }

    /// Shows a view in all the room there is, in the workspace where it is at home.
    pub fn show_alone(&mut self, kind: ViewKind) {
        let shown = Arrangement(Some(Pane::of(&[kind])));
        for action in [
            Action::Show(Show::Workspace(views::info(kind).workspace)),
            Action::View(OnView::Arrange(shown)),
        ] {
            self.harness.state_mut().handle(action);
        }
    }

    /// A window with the real engine.
    pub fn real(project: Project, size: Vec2) -> Window {
        Window::new(
            project,
            size,
            Box::new(|project, options, wake| thread::start(project, options, move || wake())),
        )
    }

    /// An idle window that keeps its small files here.
    pub fn kept(name: &str, config: &Path) -> Window {
        let config = Some(config.to_path_buf());
        Window::with_config(builtin(name), SIZE, no_engine(), config)
    }

    /// Runs frames until this holds.
    pub fn wait(&mut self, what: &str, until: impl Fn(&State) -> bool) {
        self.wait_at_most(PATIENCE, what, until);
    }

    pub fn wait_at_most(&mut self, limit: Duration, what: &str, until: impl Fn(&State) -> bool) {
        self.wait_for(limit, what, |window| until(window.state()));
    }

    /// Runs frames until this holds for what is on the screen.
    pub fn wait_for(&mut self, limit: Duration, what: &str, until: impl Fn(&Window) -> bool) {
        let start = Instant::now();
        while !until(self) {
            assert!(
                start.elapsed() < limit,
                "no {what} within {limit:?}: {:?}",
                self.state().training.phase
            );
            std::thread::sleep(Duration::from_millis(20));
            self.harness.step();
        }
        self.run();
    }

    /// Runs frames until nothing changes any more. Whatever a test does, the window speaks its own language.
    pub fn run(&mut self) {
        self.harness.run();
        // The lines of the log are those of the file.
        if self.state().overlay != Some(Overlay::About) {
            words::check(&self.harness.output().shapes);
        }
    }

    pub fn state(&self) -> &State {
        self.harness.state().state()
    }

    /// The one control of this name.
    pub fn get<'a>(&'a self, label: &'a str) -> Node<'a> {
        self.harness.get_by_label(label)
    }

    pub fn has(&self, part: &str) -> bool {
        self.harness
            .query_all_by_label_contains(part)
            .next()
            .is_some()
    }

    /// The whole name of the first control whose name has this part.
    pub fn full_label(&self, part: &str) -> String {
        let mut found = self.harness.query_all_by_label_contains(part);
        let label = found.next().and_then(|node| node.accesskit_node().label());
        label.unwrap_or_else(|| unreachable!("nothing is called {part}"))
    }

    /// Opens the tab of the settings that has this control, if none that is shown has it.
    fn reveal(&mut self, label: &str) {
        for tab in [SideTab::Data, SideTab::Stages, SideTab::Layer] {
            if self.harness.query_all_by_label(label).next().is_some() {
                return;
            }
            self.show_tab(tab);
        }
    }

    /// Shows this tab of the settings.
    pub fn show_tab(&mut self, tab: SideTab) {
        let action = Action::Show(Show::Switch(Switch::SideTab(tab)));
        self.harness.state_mut().handle(action);
        self.run();
    }

    pub fn click(&mut self, label: &str) {
        self.reveal(label);
        let height = self.size.y;
        if !(0.0..height - 40.0).contains(&self.get(label).rect().center().y) {
            self.get(label).scroll_to_me();
            self.run();
        }
        self.get(label).click();
        self.run();
    }

    /// Drags from one point to another, as a hand does: on the way there are frames.
    pub fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.hover_at(from);
        self.harness.step();
        self.harness.drag_at(from);
        self.harness.step();
        for share in [0.2, 0.6, 1.0, 1.0] {
            self.harness.hover_at(from + (to - from) * share);
            self.harness.step();
        }
        self.harness.drop_at(to);
        self.run();
    }

    /// Replaces the text of a field, letter for letter as a person would, without leaving it.
    pub fn type_over(&mut self, field: &str, text: &str) {
        self.reveal(field);
        self.get(field).focus();
        self.run();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.run();
        self.get(field).type_text(text);
        self.run();
    }

    /// Replaces the text of a field and presses Enter.
    pub fn enter(&mut self, field: &str, text: &str) {
        self.type_over(field, text);
        self.harness.key_press(Key::Enter);
        self.run();
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.run();
    }

    /// Tab after tab until the control of this name has the focus.
    pub fn tab_to(&mut self, label: &str) {
        for _ in 0..200 {
            if self
                .harness
                .query_all_by_label(label)
                .any(|node| node.is_focused())
            {
                return;
            }
            self.press(Modifiers::NONE, Key::Tab);
        }
        unreachable!("200 tabs did not reach {label}");
    }

    /// Types a command into what finds anything by name, and takes the first one found.
    pub fn find(&mut self, text: &str) {
        self.press(Modifiers::COMMAND, Key::K);
        self.get("Find anything by name").type_text(text);
        self.run();
        self.press(Modifiers::NONE, Key::Enter);
    }

    /// Paints the last frame, so many pixels to a point.
    pub fn picture(&mut self, scale: f32) -> image::RgbaImage {
        self.harness.set_pixels_per_point(scale);
        self.harness.remove_cursor();
        self.run();
        self.run();
        self.frame(scale)
    }

    /// Paints the last frame as it is.
    pub fn frame(&self, scale: f32) -> image::RgbaImage {
        let output = self.harness.output();
        let primitives = self.harness.ctx.tessellate(output.shapes.clone(), scale);
        let size = [self.size.x as usize, self.size.y as usize];
        let is_dark = self.harness.ctx.global_style().visuals.dark_mode;
        let picture = self
            .canvas
            .borrow()
            .paint(&primitives, size, scale, behind(is_dark));
        let bytes = picture
            .pixels
            .iter()
            .flat_map(|pixel| pixel.to_array())
            .collect();
        image::RgbaImage::from_raw(size[0] as u32, size[1] as u32, bytes).unwrap()
    }

    pub fn save_picture(&mut self, path: &Path, scale: f32) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.picture(scale).save(path).unwrap();
    }

    /// Writes a picture to be looked at; for tests that do nothing else and are ignored.
    pub fn write_picture(&mut self, name: &str) {
        let path = pictures().join(name).with_extension("png");
        self.save_picture(&path, 1.0);
    }

    /// The same in a test that checks something as well: only where `STRATA_PICTURES` asks for pictures.
    pub fn keep_picture(&mut self, name: &str) {
        if std::env::var_os("STRATA_PICTURES").is_some() {
            self.write_picture(name);
        }
    }

    pub fn set_dark(&mut self, dark: bool) {
        let action = Action::Show(Show::Dark(dark));
        self.harness.state_mut().handle(action);
        self.run();
    }
}

pub fn no_engine() -> StartRun {
    Box::new(|_, _, _| Err(std::io::Error::other("no engine here")))
}

/// What the engine reports first.
pub fn started(run: &Path) -> Event {
    Event::Started {
        run: run.to_owned(),
        device: "CPU, 2 threads".into(),
        splits: vec![(Split::Train, 8000), (Split::Valid, 1000)],
        classes: Vec::new(),
        skipped: Vec::new(),
    }
}

/// The other end of a run: what the window commands, and what it is told.
#[derive(Clone)]
pub struct Engine {
    pub runs: Arc<Mutex<Vec<FakeRun>>>,
}

pub struct FakeRun {
    pub project: Project,
    pub commands: Receiver<Command>,
    pub events: Option<Sender<Event>>,
    pub live: Arc<LiveResults>,
}

/// An engine that does nothing but what a test tells it.
pub fn fake_engine() -> (Engine, StartRun) {
    let engine = Engine {
        runs: Arc::default(),
    };
    let runs = engine.runs.clone();
    let start: StartRun = Box::new(move |project, _, _| {
        let (commands, received) = unbounded();
        let (send, events) = unbounded();
        let live = Arc::new(LiveResults::default());
        let run = FakeRun {
            project,
            commands: received,
            events: Some(send),
            live: live.clone(),
        };
        runs.lock().unwrap().push(run);
        Ok(Running {
            commands,
            events,
            live,
        })
    });
    (engine, start)
}

impl Engine {
    pub fn tell(&self, event: Event) {
        self.with(|run| run.events.as_ref().unwrap().send(event).unwrap());
    }

    pub fn with<T>(&self, on: impl FnOnce(&mut FakeRun) -> T) -> T {
        on(self.runs.lock().unwrap().last_mut().unwrap())
    }

    pub fn commanded(&self) -> Vec<Command> {
        self.with(|run| run.commands.try_iter().collect())
    }
}
