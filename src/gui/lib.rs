//! The window. Panels read a [`State`] they cannot change and push [`Action`]s, which [`strata_app`] applies. Nothing
//! here touches a tensor: shapes come from [`strata_core::shape`], everything that is trained from [`strata_engine`].
//!
//! [`open`] fails with a [`GuiError`] where there is no display; the caller then trains without one.

mod app_icon;
pub mod app_window;
pub mod drop;
pub mod file_dialogs;
mod focus_order;
pub mod frame_parts;
pub mod kept_triangles;
mod keys;
mod layout;
pub mod offscreen;
pub mod panels;
pub mod plate;
pub mod snapshot;
mod svg;
pub mod theme;
pub mod view;
mod viewport;
pub mod views;
pub mod widgets;

use app_window::{App, Setup};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use strata_app::action::Action;
use strata_app::placement::{Placement, Screen};
use strata_app::state::State;
use strata_core::logging::{self, Graphics};
use strata_core::project::{Project, builtin, file};
use strata_core::signals;

/// Exit code of a program ended by a signal.
const INTERRUPTED: i32 = 130;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum GuiError {
    /// There is no display.
    #[error("there is no display ({0})")]
    NoDisplay(String),
    /// There is a display without OpenGL.
    #[error(
        "this display has no OpenGL ({0}), which the window is painted with; on Debian: apt install libgl1-mesa-dri. Without a window: strata train conv-autoencoder"
    )]
    NoOpenGl(String),
    /// There is a display, but no window on it.
    #[error("no window could be opened: {0}")]
    Window(String),
    /// A library of the system is missing.
    #[error(
        "no window could be opened: {0}; on Debian: apt install libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libegl1 libgl1"
    )]
    Library(String),
    /// The first project cannot be read.
    #[error(transparent)]
    Project(#[from] file::ProjectError),
}

/// Opens the window and returns when it is closed: on a project file, a run folder or the built-in
/// project of this name, else on the start page.
pub fn open(path: Option<&Path>) -> Result<(), GuiError> {
    let path = path.map(Path::to_path_buf);
    let mut state = State::new(first_project()?, None);
    state.source_text = builtin::ALL.first().map(|first| first.text.to_owned());
    state.start = path.is_none();
    state.is_stand_in = true;
    let config = strata_app::store::folder();
    let placement = strata_app::persistence::last_placement(config.as_deref());
    run(placement, move |ctx, graphics| {
        state.about.graphics = graphics;
        let setup = Setup {
            state,
            start: Box::new(start),
            dialogs: Some(Arc::new(file_dialogs::pick)),
            config,
        };
        let mut app = App::new(ctx, setup);
        listen(app.end(), ctx);
        if let Some(path) = path {
            app.handle(opening(path));
        }
        Ok::<App, std::convert::Infallible>(app)
    })
}

/// A logout or `kill` ends the program in good order; a second one at once.
fn listen(end: Arc<AtomicBool>, ctx: &eframe::egui::Context) {
    let ctx = ctx.clone();
    let is_asked = AtomicBool::new(false);
    let asked = move || {
        if is_asked.swap(true, Relaxed) {
            log::warn!("ended by a second request, without a checkpoint");
            logging::flush();
            std::process::exit(INTERRUPTED);
        }
        end.store(true, Relaxed);
        ctx.request_repaint();
    };
    if let Err(error) = signals::on_end_request(asked) {
        log::warn!("a logout will end the program without a checkpoint: {error}");
    }
}

/// Opens a window there on what `create` makes, and returns when it is closed.
pub fn run<A: eframe::App + 'static, E: std::error::Error + Send + Sync + 'static>(
    placement: Placement,
    create: impl FnOnce(&eframe::egui::Context, Option<Graphics>) -> Result<A, E> + 'static,
) -> Result<(), GuiError> {
    let mut viewport = eframe::egui::ViewportBuilder::default()
        .with_title("Strata")
        .with_app_id("strata");
    viewport = viewport.with_icon(app_icon::icon());
    let options = eframe::NativeOptions {
        viewport: viewport::apply(placement, viewport),
        // It would write its file in place and drop a damaged one; `keep` does neither.
        persist_window: false,
        // Nothing here fades from one colour to another, and without a graphics card the noise takes time.
        dithering: false,
        ..Default::default()
    };
    let create = move |context: &eframe::CreationContext<'_>| {
        bring_into_reach(placement, context);
        kept_triangles::keep(&context.egui_ctx);
        let graphics = logging::take_graphics();
        match &graphics {
            Some(graphics) => log::info!("window opened, painted with {graphics}"),
            None => log::info!("window opened"),
        }
        let app: Box<dyn eframe::App> = Box::new(create(&context.egui_ctx, graphics)?);
        Ok(app)
    };
    logging::watch_graphics();
    // winit panics where libxkbcommon is missing; to the user that is one more reason for no window.
    match catch_unwind(AssertUnwindSafe(|| {
        eframe::run_native("Strata", options, Box::new(create))
    })) {
        Ok(Ok(())) => {
            log::info!("window closed");
            Ok(())
        }
        Ok(Err(error)) => Err(failure(&error)),
        Err(panic) => Err(GuiError::Library(panic_text(panic.as_ref()))),
    }
}

/// Moves a window to a screen that is there, once the screens are known.
fn bring_into_reach(placement: Placement, context: &eframe::CreationContext<'_>) {
    let Some(window) = context.winit_window() else {
        return;
    };
    let scale = window.scale_factor() as f32;
    let monitors: Vec<_> = window.available_monitors().collect();
    let mut screens = Vec::new();
    for monitor in &monitors {
        let corner = monitor.position();
        let size = monitor.size();
        let corner = [corner.x as f32, corner.y as f32];
        let size = [size.width as f32, size.height as f32];
        screens.push(Screen {
            corner: corner.map(|value| value / scale),
            size: size.map(|value| value / scale),
        });
    }
    let reachable = placement.reachable(&screens);
    let moved = reachable.position.filter(|_| reachable != placement);
    if let (Some([x, y]), Some(monitor)) = (moved, monitors.first()) {
        let mut corner = monitor.position();
        corner.x = (x * scale) as i32;
        corner.y = (y * scale) as i32;
        window.set_outer_position(corner);
    }
}

/// The name of a built-in project opens it, unless there is a file called so.
fn opening(path: PathBuf) -> Action {
    let name = path.to_str().filter(|_| !path.exists());
    name.and_then(builtin::find).map_or_else(
        || Action::Open(path.clone()),
        |entry| Action::Builtin(entry.name),
    )
}

fn first_project() -> Result<Project, GuiError> {
    match builtin::ALL.first() {
        Some(first) => Ok(first.project()?),
        None => Ok(file::parse(
            "format = 1\n[network]\ninput = \"3x32x32\"\n",
            "new project",
        )?),
    }
}

/// Starts a run on the engine's thread.
pub fn start(
    project: Project,
    options: strata_engine::thread::RunOptions,
    wake: strata_app::wake::Wake,
) -> std::io::Result<strata_engine::thread::Running> {
    strata_engine::thread::start(project, options, move || wake())
}

fn failure(error: &eframe::Error) -> GuiError {
    let text = error.to_string();
    match error {
        eframe::Error::WinitEventLoop(_) | eframe::Error::Winit(_) => GuiError::NoDisplay(text),
        // Of the error itself ten lines describe the picture that was asked for.
        eframe::Error::NoGlutinConfigs(_, reason) => GuiError::NoOpenGl(reason.to_string()),
        eframe::Error::Glutin(reason) => GuiError::NoOpenGl(reason.to_string()),
        eframe::Error::OpenGL(reason) => GuiError::NoOpenGl(reason.to_string()),
        _ => GuiError::Window(text),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "unknown".into())
}
