//! The window measured while a network trains: how long a frame's work takes, what it costs the
//! training, whether it rests when nothing happens, and what it holds in memory.
//!
//! A [`Trial`] is the application with a plan: it opens every view, trains, watches and looks away in turn
//! (unwatched, a run does what `strata train` does), hides and reopens views, stops, rests, and draws a short
//! and a long curve. [`headless`] drives it without a display (layout and triangles, no painting),
//! [`on_screen`] in a real window, where painting counts too.

mod plan;
mod processor_time;
mod report;

pub use report::{FrameTimes, Part, Report};

use eframe::egui::{Context, RawInput, Rect, Ui, ViewportCommand, vec2};
use plan::Trial;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use strata_app::placement::Placement;
use strata_app::state::State;
use strata_core::project::data::Source;
use strata_core::project::{Project, builtin};
use strata_gui::app_window::{App, Setup};
use strata_gui::frame_parts::{measure_by, take, timed};
use strata_gui::{self, GuiError, kept_triangles};

/// The window's size, as on the wall of a lecture room.
const SIZE: [f32; 2] = [1920.0, 1080.0];

/// Why the window could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// There is no window.
    #[error(transparent)]
    Window(#[from] GuiError),
    /// The case's project cannot be read.
    #[error(transparent)]
    Project(#[from] strata_core::project::ProjectError),
    /// No place for the runs.
    #[error("no folder for the runs of the measurement: {0}")]
    Folder(#[from] std::io::Error),
    /// The training ended before it was measured.
    #[error("the training ended before it was measured: {0}")]
    Ended(String),
}

/// Measures without a display. `started` is when the program was; `seconds` the training is measured, watched
/// and unwatched in turn; `project` is what is trained, without one the network of the Keras lab on drawn images.
pub fn headless(
    started: Instant,
    seconds: f64,
    project: Option<Project>,
    device: &str,
) -> Result<Report, TrialError> {
    let folder = tempfile::tempdir()?;
    let ctx = Context::default();
    let (wake, woken) = channel();
    ctx.set_request_repaint_callback(move |request| {
        // A loop that has ended needs no frames.
        wake.send(Instant::now() + request.delay).ok();
    });
    // As in a real window.
    kept_triangles::keep(&ctx);
    let mut trial = trial(&ctx, folder.path(), seconds, project)?;
    measure_by(worked);
    trial.compute_on(device);
    frame(&ctx, &mut trial, started);
    trial.report.first_frame_ms = 1e3 * started.elapsed().as_secs_f64();
    drive(&ctx, &mut trial, &woken, started);
    finish(trial)
}

/// Measures in a real window.
pub fn on_screen(
    started: Instant,
    seconds: f64,
    project: Option<Project>,
    device: &str,
) -> Result<Report, TrialError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_path_buf();
    let (give, given) = channel();
    let device = device.to_owned();
    let create = move |ctx: &Context, _| -> Result<OnScreen, TrialError> {
        let mut trial = trial(ctx, &path, seconds, project)?;
        trial.compute_on(&device);
        Ok(OnScreen {
            trial: Some(trial),
            first: started.elapsed(),
            painted: false,
            give,
        })
    };
    strata_gui::run(Placement::sized(SIZE), create)?;
    let trial = given
        .recv()
        .map_err(|_| TrialError::Ended("the window was closed".to_owned()))?;
    finish(trial)
}

/// A trial in a real window; given back when it is over.
struct OnScreen {
    trial: Option<Trial>,
    first: Duration,
    painted: bool,
    give: Sender<Trial>,
}

impl eframe::App for OnScreen {
    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        let Some(trial) = &mut self.trial else { return };
        // This is the work of the previous frame, painting included.
        if let Some(work) = frame.info().cpu_usage.map(Duration::from_secs_f32) {
            if !std::mem::replace(&mut self.painted, true) {
                trial.report.first_frame_ms = 1e3 * (self.first + work).as_secs_f64();
                trial.report.painted = true;
            }
            trial.add_frame(work);
        }
        if trial.is_over() {
            ctx.send_viewport_cmd(ViewportCommand::Close);
            // Whoever measures is waiting.
            self.trial
                .take()
                .and_then(|trial| self.give.send(trial).ok());
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        if let Some(trial) = &mut self.trial {
            trial.show(ui);
        }
    }
}

fn finish(trial: Trial) -> Result<Report, TrialError> {
    trial
        .failure
        .map_or(Ok(trial.report), |failure| Err(TrialError::Ended(failure)))
}

/// The network of the Keras lab on drawn images.
fn usual_project() -> Result<Project, TrialError> {
    let entry = builtin::find("keras-cifar")
        .ok_or_else(|| TrialError::Ended("there is no keras-cifar".to_owned()))?;
    let mut project = entry.project()?;
    (project.data.source, project.data.path) = (Source::Shapes, None);
    Ok(project)
}

fn trial(
    ctx: &Context,
    folder: &Path,
    seconds: f64,
    chosen: Option<Project>,
) -> Result<Trial, TrialError> {
    let mut project = chosen.map_or_else(usual_project, Ok)?;
    let stages = project.stages.iter_mut();
    stages.for_each(|stage| stage.epochs = 1_000_000);
    let state = State::new(project, Some(folder.join("project.toml")));
    let setup = Setup {
        state,
        start: Box::new(strata_gui::start),
        dialogs: None,
        config: None,
    };
    Ok(Trial::new(App::new(ctx, setup), seconds))
}

/// How long this thread has had a processor; where the system does not tell, how long it has been.
fn worked() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    processor_time::of_this_thread().unwrap_or_else(|| START.elapsed())
}

/// Lays out a frame and makes its triangles; the time goes to the trial.
fn frame(ctx: &Context, trial: &mut Trial, born: Instant) {
    let (start, on_processor) = (Instant::now(), processor_time::of_this_thread());
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(
            Default::default(),
            vec2(SIZE[0], SIZE[1]),
        )),
        time: Some(born.elapsed().as_secs_f64()),
        focused: true,
        ..RawInput::default()
    };
    let mut output = ctx.run_ui(input, |ui| trial.show(ui));
    // Nothing is painted, so no texture is made.
    output.textures_delta.clear();
    let triangles = timed("triangles", || {
        ctx.tessellate(output.shapes, output.pixels_per_point)
    });
    std::hint::black_box(triangles);
    let work = start.elapsed();
    trial.add_frame(work);
    let on_processor = on_processor.zip(processor_time::of_this_thread());
    let on_processor = on_processor.map(|(before, after)| after - before);
    trial.add_parts(take(), on_processor.unwrap_or(work));
    on_processor
        .into_iter()
        .for_each(|time| trial.add_processor_time(time));
}

/// What a window system does: a frame when one was asked for, else sleep.
fn drive(ctx: &Context, trial: &mut Trial, woken: &Receiver<Instant>, born: Instant) {
    let mut due: Option<Instant> = Some(Instant::now());
    while !trial.is_over() {
        let wait = due.map_or(Duration::from_secs(1), |due| {
            due.saturating_duration_since(Instant::now())
        });
        match woken.recv_timeout(wait) {
            Ok(asked) => due = Some(due.map_or(asked, |due| due.min(asked))),
            Err(RecvTimeoutError::Timeout) if due.is_some() => {
                due = None;
                frame(ctx, trial, born);
            }
            Err(_) => {}
        }
    }
}
