//! The application with a plan.

use super::report::{FrameTimes, LongFrames, Report};
use crate::bench::peak;
use eframe::egui::{Context, Ui};
use std::time::{Duration, Instant};
use strata_app::action::{Action, OnView};
use strata_app::arrangement::{Arrangement, Pane, Workspace};
use strata_app::curves::Curves;
use strata_app::frame_times::FrameHistogram;
use strata_app::run_monitor::Phase;
use strata_app::view_kind::{ViewInfo, ViewKind};
use strata_engine::event::StepReport;
use strata_gui::app_window::App;
use strata_gui::views;

/// Seconds of training before it is measured.
pub(super) const WARM_UP: f64 = 5.0;
/// Seconds until the run is no longer watched, or watched again: short compared with the drift of a machine's speed.
const TURN: f64 = 2.0;
/// Of frames from this time on it is told where the time went.
const LONG: Duration = Duration::from_millis(6);
/// Notes fade within this time; after it nothing should move.
const SETTLE: f64 = 10.0;
const REST: f64 = 3.0;
/// Frames drawn of each curve, after some to warm up.
const DRAWN: u64 = 120;
const FIRST_DRAWN: u64 = 20;
/// Points of the short and of the long curve.
const POINTS: [u64; 2] = [1_000, 1_000_000];

/// Where the plan is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Opening,
    WarmUp,
    Training,
    Stopping,
    Settling,
    Resting,
    Warming(usize),
    Drawing(usize),
    Over,
}

/// The application with a plan.
pub struct Trial {
    app: App,
    seconds: f64,
    stage: Stage,
    since: Instant,
    frames: FrameHistogram,
    /// Of the same frames the time on a processor.
    on_processor: FrameHistogram,
    long_frames: LongFrames,
    turn: usize,
    begun: (u64, Instant),
    /// Steps and seconds, watched and unwatched.
    trained: [(f64, f64); 2],
    resident: Vec<u64>,
    /// What was measured so far.
    pub(super) report: Report,
    /// Why the plan could not be followed.
    pub(super) failure: Option<String>,
}

impl Trial {
    /// A plan in which the training is measured for so many seconds.
    pub(super) fn new(app: App, seconds: f64) -> Trial {
        let now = Instant::now();
        Trial {
            app,
            seconds,
            stage: Stage::Opening,
            since: now,
            frames: FrameHistogram::default(),
            on_processor: FrameHistogram::default(),
            long_frames: LongFrames::default(),
            turn: 0,
            begun: (0, now),
            trained: [(0.0, 0.0); 2],
            resident: Vec::new(),
            report: Report::default(),
            failure: None,
        }
    }

    /// Where its training is computed.
    pub(super) fn compute_on(&mut self, device: &str) {
        self.app.handle(Action::Device(Some(device.to_owned())));
    }

    /// Whether everything was measured.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// A frame took so long.
    pub(super) fn add_frame(&mut self, work: Duration) {
        self.frames.add(work);
        self.app.add_frame(work);
    }

    /// Where the time of a frame went; of long ones it is told.
    pub(super) fn add_parts(&mut self, parts: Vec<(&'static str, Duration)>, work: Duration) {
        if self.stage == Stage::Training && work >= LONG {
            self.long_frames.add(parts);
        }
    }

    /// The last frame had a processor for so long.
    pub(super) fn add_processor_time(&mut self, time: Duration) {
        self.on_processor.add(time);
    }

    /// One frame: what is new, what the plan wants now, then the window.
    pub(super) fn show(&mut self, ui: &mut Ui) {
        self.app.take(ui.ctx());
        self.advance(ui.ctx());
        self.app.show(ui);
    }

    fn go(&mut self, stage: Stage) {
        (self.stage, self.since) = (stage, Instant::now());
        self.frames = FrameHistogram::default();
        self.on_processor = FrameHistogram::default();
    }

    fn advance(&mut self, ctx: &Context) {
        let passed = self.since.elapsed().as_secs_f64();
        let training = &self.app.state().training;
        let (trains, ended) = (training.phase == Phase::Training, !training.is_running());
        match self.stage {
            Stage::Opening => {
                self.app.handle(Action::Train);
                self.watch(0);
                self.go(Stage::WarmUp);
            }
            Stage::WarmUp | Stage::Training if ended => {
                let text = self
                    .app
                    .state()
                    .messages
                    .lasting()
                    .map(|message| message.text.clone())
                    .collect::<Vec<_>>();
                self.failure = Some(text.join("; "));
                self.go(Stage::Over);
            }
            // Reading the images is no training.
            Stage::WarmUp if !trains => self.since = Instant::now(),
            Stage::WarmUp if passed >= WARM_UP => {
                self.begun = (self.app.state().training.curves.steps(), Instant::now());
                self.go(Stage::Training);
            }
            Stage::Training => self.train(passed),
            Stage::Stopping if ended => self.go(Stage::Settling),
            Stage::Settling if passed >= SETTLE => self.go(Stage::Resting),
            Stage::Resting if passed >= REST => {
                // Of the frames one began the rest.
                self.report.idle_frames = self.frames.count().saturating_sub(1);
                self.curve(0);
            }
            Stage::Warming(index) if self.frames.count() >= FIRST_DRAWN => {
                self.go(Stage::Drawing(index))
            }
            Stage::Drawing(index) if self.frames.count() >= DRAWN => {
                *self.report_of(index) = FrameTimes::from(&self.frames);
                self.curve(index + 1);
            }
            _ => {}
        }
        ctx.request_repaint_after(self.next_frame());
    }

    /// When the plan continues, if nothing else asks for a frame before.
    fn next_frame(&self) -> Duration {
        let rest =
            |seconds: f64| Duration::from_secs_f64(seconds).saturating_sub(self.since.elapsed());
        match self.stage {
            Stage::Settling => rest(SETTLE),
            Stage::Resting => rest(REST),
            Stage::Warming(_) | Stage::Drawing(_) | Stage::Over => Duration::ZERO,
            Stage::Training => rest((self.turn + 1) as f64 * TURN),
            _ => Duration::from_millis(500),
        }
    }

    /// Training is being measured.
    fn train(&mut self, passed: f64) {
        for (index, share) in [0.1, 0.5, 1.0].into_iter().enumerate() {
            if passed >= share * self.seconds && self.resident.len() == index {
                self.resident.extend(peak::resident_bytes());
            }
        }
        let turn = (passed / TURN) as usize;
        let over = passed >= self.seconds && self.turn % 2 == 1 && turn > self.turn;
        if turn > self.turn {
            self.count();
            self.watch(turn);
        }
        if over {
            self.report.training = FrameTimes::from(&self.frames);
            let on_processor = FrameTimes::from(&self.on_processor);
            self.report.training_on_processor = (on_processor.count > 0).then_some(on_processor);
            (self.report.long_frames, self.report.parts) = self.long_frames.told();
            self.report.resident_bytes = self.resident.clone().try_into().ok();
            self.watch(0);
            self.app.handle(Action::Stop);
            self.go(Stage::Stopping);
        }
    }

    /// Adds the steps of the turn that ends.
    fn count(&mut self) {
        let training = &self.app.state().training;
        let batch = training
            .project
            .as_ref()
            .and_then(|project| project.stages.first())
            .map_or(1, |stage| stage.batch);
        let (steps, since) =
            std::mem::replace(&mut self.begun, (training.curves.steps(), Instant::now()));
        let (images, seconds) = &mut self.trained[self.turn % 2];
        *images += (training.curves.steps() - steps) as f64 * f64::from(batch);
        *seconds += since.elapsed().as_secs_f64();
        let rates = self
            .trained
            .map(|(images, seconds)| if seconds > 0.0 { images / seconds } else { 0.0 });
        [
            self.report.images_per_second,
            self.report.images_per_second_unwatched,
        ] = rates;
    }

    /// In even turns every view is watched, but for every fourth of them, which has the usual arrangement; in odd
    /// ones there are no frames.
    fn watch(&mut self, turn: usize) {
        self.turn = turn;
        self.app.rest(turn % 2 == 1);
        let row = |kinds: &[ViewKind]| {
            Pane::Row(kinds.iter().map(|kind| (1.0, Pane::of(&[*kind]))).collect())
        };
        let is_watched = |info: &&ViewInfo| info.workspace == Workspace::Training;
        let watched = views::all().iter().filter(is_watched);
        let watched = watched.map(|info| info.kind);
        let watched: Vec<ViewKind> = watched.chain([ViewKind::Lens]).collect();
        let (above, below) = watched.split_at(watched.len() / 2);
        let all = Arrangement(Some(Pane::Column(vec![
            (1.0, row(above)),
            (1.0, row(below)),
        ])));
        let change = if turn % 8 == 6 {
            OnView::Reset
        } else {
            OnView::Arrange(all)
        };
        self.app.handle(Action::View(change));
    }

    fn curve(&mut self, index: usize) {
        let Some(&points) = POINTS.get(index) else {
            return self.go(Stage::Over);
        };
        let alone = Arrangement(Some(Pane::of(&[ViewKind::Loss])));
        self.app.handle(Action::View(OnView::Arrange(alone)));
        self.app.show_curves(curves(points));
        self.go(Stage::Warming(index));
    }

    fn report_of(&mut self, index: usize) -> &mut FrameTimes {
        if index == 0 {
            &mut self.report.thousand_points
        } else {
            &mut self.report.million_points
        }
    }
}

/// A loss that falls with noise.
fn curves(points: u64) -> Curves {
    let mut curves = Curves::default();
    curves.stage("curve", 1000);
    for step in 1..=points {
        let noise = ((step.wrapping_mul(2_654_435_761) >> 7) % 1000) as f64 / 1000.0;
        let loss = (1.0 + noise) / (1.0 + 1e-3 * step as f64);
        curves.step(&StepReport {
            step,
            loss,
            ..StepReport::default()
        });
    }
    curves
}
