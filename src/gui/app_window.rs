//! The application: takes what is new, paints, applies what the user did.

use super::views::Views;
use super::widgets::refused;
use super::{drop, focus_order, frame_parts, keys, layout, panels, theme, viewport, views};
use eframe::egui::{ColorImage, Context, ThemePreference, Ui, ViewportCommand, Visuals};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use strata_app::action::{Action, Show};
use strata_app::curves::Curves;
use strata_app::dialogs::{Chosen, Dialogs, Picker};
use strata_app::messages::Weight;
use strata_app::persistence::Persistence;
use strata_app::placement::Placement;
use strata_app::services::{Pixels, Services, StartRun};
use strata_app::state::{Closing, Fields, State};
use strata_app::store::Store;
use strata_inspect::saliency::Request;

/// Between two frames while a run trains: pictures and numbers stay lively, and the processor is left to the
/// training.
const FRAME: Duration = Duration::from_millis(50);
/// The same where frames are slow, at most: without a graphics card painting takes the processor from the
/// training. What the user does is painted at once in any case.
const SLOW_FRAME: Duration = Duration::from_millis(400);
/// Below this width in points the settings make room for the views, until they are called for.
const NARROW: f32 = 1120.0;
/// Below this one either the layers or the settings are beside the views.
const TIGHT: f32 = 880.0;
/// An hour, for a window that is not looked at.
const RESTING_MS: u32 = 3_600_000;
/// The window's work takes at most one part in so many of the time, if that keeps it lively.
const SHARE: u32 = 50;

/// The window's application.
pub struct App {
    state: State,
    views: Views,
    services: Services,
    keeper: Persistence,
    title: String,
    closed: bool,
    /// Whether a frame was painted, and with it the window shown.
    shown: bool,
    /// Which settings had fields in the last frame.
    fields: Option<Fields>,
    /// A window that is to fill the screen once it is shown.
    to_fill: Option<Placement>,
    /// Milliseconds from what is new to the frame that shows it.
    pace: Arc<AtomicU32>,
    /// The same for when the window is looked at again.
    waking_pace: u32,
    /// Set when the system ends the program.
    end: Arc<AtomicBool>,
}

/// How an application is made.
pub struct Setup {
    /// What it shows first.
    pub state: State,
    /// Starts runs.
    pub start: StartRun,
    /// Shows the system's file dialogs; `None` shows none.
    pub dialogs: Option<Picker>,
    /// The folder of the small files that outlive the window; `None` keeps none.
    pub config: Option<PathBuf>,
}

impl App {
    /// An application that paints into this context.
    pub fn new(ctx: &Context, mut setup: Setup) -> App {
        theme::install(ctx);
        let (waker, pace) = (
            ctx.clone(),
            Arc::new(AtomicU32::new(FRAME.as_millis() as u32)),
        );
        let paced = pace.clone();
        let wake =
            move || waker.request_repaint_after(Duration::from_millis(paced.load(Relaxed).into()));
        let services = Services {
            start: setup.start,
            wake: Arc::new(wake),
            dialogs: Dialogs::new(setup.dialogs),
            views: views::catalogue(),
        };
        setup.state.about.settings = setup.config.clone();
        let keeper = Persistence::new(Store::new(setup.config), &mut setup.state);
        if setup.state.view.zoom != ctx.zoom_factor() {
            ctx.set_zoom_factor(setup.state.view.zoom);
        }
        let fills = |placement: &Placement| placement.maximized || placement.fullscreen;
        let to_fill = Some(keeper.placement()).filter(fills);
        App {
            state: setup.state,
            views: Views::default(),
            services,
            keeper,
            title: String::new(),
            closed: false,
            shown: false,
            fields: None,
            to_fill,
            pace,
            waking_pace: FRAME.as_millis() as u32,
            end: Arc::default(),
        }
    }

    /// Where is noted that the system ends the program; looked at in the next frame.
    pub fn end(&self) -> Arc<AtomicBool> {
        self.end.clone()
    }

    /// What it shows.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Applies an action as if the user had done it.
    pub fn handle(&mut self, action: Action) {
        self.state.handle(action, &mut self.services);
    }

    /// Before a frame: takes what is new, and does what the window and the files of the application need.
    pub fn take(&mut self, ctx: &Context) {
        frame_parts::timed("what is new", || self.take_news(ctx));
        self.window(ctx);
        self.keep(ctx);
    }

    /// A frame's work took so long.
    pub fn add_frame(&mut self, work: Duration) {
        self.state.frames.add(work);
        // A single long frame, as when a view is opened, should not slow down the next ones by much.
        let now = (work * SHARE).clamp(FRAME, SLOW_FRAME).as_millis() as u32;
        let pace = self.pace.load(Relaxed);
        if pace < RESTING_MS {
            self.pace.store((3 * pace + now) / 4, Relaxed);
        }
    }

    /// Whether what is new waits for a frame that comes for another reason: the window is not looked at.
    pub fn rest(&mut self, rests: bool) {
        let pace = self.pace.load(Relaxed);
        if rests && pace < RESTING_MS {
            self.waking_pace = pace;
        }
        self.pace
            .store(if rests { RESTING_MS } else { self.waking_pace }, Relaxed);
    }

    /// Shows other curves than the run's: for measuring.
    pub fn show_curves(&mut self, curves: Curves) {
        self.state.training.curves = curves;
    }

    /// Takes what came from the engine and from dialogs.
    fn take_news(&mut self, ctx: &Context) {
        self.state.drain();
        if let Some(next) = self.state.due() {
            self.handle(next);
        }
        if self.state.training.has_more() || self.state.inspections.have_more() {
            ctx.request_repaint();
        }
        if let Some(next) = self.state.messages.fade() {
            ctx.request_repaint_after(next);
        }
        if let Some(Pixels { size, rgba }) = self.state.copied.take() {
            ctx.copy_image(ColorImage::from_rgba_unmultiplied(size, &rgba));
        }
        match self.services.dialogs.take() {
            Some(Chosen::Open(path)) => self.handle(Action::Open(path)),
            Some(Chosen::Save(path)) => self.handle(Action::SaveAs(path)),
            Some(Chosen::Picture(kind, path)) => self.handle(Action::SavePicture(kind, path)),
            // What lies in it is recognised, as that of a drop is.
            Some(Chosen::DataFolder(path)) => self.handle(Action::DataFolder(path)),
            Some(Chosen::DataFile(path)) => self.handle(drop::action(&path)),
            Some(Chosen::Image(path)) => {
                let request = Request {
                    image: Some(path),
                    ..self.state.inspections.saliency.clone()
                };
                self.handle(Action::Show(Show::Saliency(request)));
            }
            Some(Chosen::NoDialog) => self.state.messages.add(
                Weight::Note,
                "No file dialog opened: it needs xdg-desktop-portal or zenity. Type the path into its field, or \
                 drop the files onto the window",
            ),
            None => {}
        }
    }

    /// Paints the window and applies what the user did in it.
    pub fn show(&mut self, ui: &mut Ui) {
        self.state.view.narrow = ui.available_width() < NARROW;
        self.state.view.tight = ui.available_width() < TIGHT;
        self.state.view.looks_dark = ui.visuals().dark_mode;
        self.state.view.zoom = ui.zoom_factor();
        focus_order::follow_tab(ui.ctx());
        let keyed = keys::actions(ui.ctx(), &self.state);
        let mut actions = drop::actions(ui.ctx());
        layout::show(ui, &self.state, &mut self.views, &mut actions);
        panels::overlay::show(ui.ctx(), &self.state, &mut actions);
        // A field that a key leaves takes over what was typed before the key is followed.
        actions.extend(keyed);
        let fields = self.state.fields();
        let has_other_fields = self.fields.replace(fields) != Some(fields);
        self.state.refused = refused::all(ui.ctx(), has_other_fields);
        focus_order::leave_closed_menus(ui.ctx());
        drop::show_target(ui.ctx());
        if !std::mem::replace(&mut self.shown, true) {
            ui.ctx().request_repaint();
        }
        self.follow(ui.ctx(), actions);
    }

    /// Applies what was done. What the user did is laid out at once, so that the frame that is painted shows what came
    /// of it; what a view asked for is shown when it comes.
    fn follow(&mut self, ctx: &Context, actions: Vec<Action>) {
        let is_asked = |action: &Action| {
            matches!(
                action,
                Action::Inspect(_) | Action::ListRuns | Action::LookForFiles
            )
        };
        if !actions.iter().all(is_asked) {
            ctx.request_discard("what was done changes what is shown");
            if !ctx.will_discard() {
                ctx.request_repaint();
            }
        }
        frame_parts::timed("what was done", || {
            actions.into_iter().for_each(|action| self.handle(action));
        });
    }

    /// Under X11 nothing comes of what is asked of a window before it is shown.
    fn fill_screen(&mut self, ctx: &Context) {
        match self.to_fill.take_if(|_| self.shown) {
            Some(placement) if placement.fullscreen => {
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(true));
            }
            Some(_) => ctx.send_viewport_cmd(ViewportCommand::Maximized(true)),
            None => {}
        }
    }

    fn keep(&mut self, ctx: &Context) {
        let zoom = ctx.zoom_factor();
        let before = self.keeper.placement();
        let (placement, dragging) = ctx.input(|input| {
            let placement = before.after(&viewport::facts(input), zoom);
            (placement, input.pointer.any_down())
        });
        if let Some(rest) = self.keeper.keep(&self.state, placement, dragging) {
            ctx.request_repaint_after(rest);
        }
        if let Some(text) = self.keeper.failure() {
            self.state.messages.add(Weight::Warning, text);
        }
    }

    fn window(&mut self, ctx: &Context) {
        ctx.set_theme(match self.state.view.dark {
            Some(true) => ThemePreference::Dark,
            Some(false) => ThemePreference::Light,
            None => ThemePreference::System,
        });
        if let Some(zoom) = self.state.view.wanted_zoom.take() {
            ctx.set_zoom_factor(zoom);
        }
        if self.end.swap(false, Relaxed) {
            self.state.end();
        }
        if ctx.input(|input| input.viewport().close_requested())
            && self.state.closing != Closing::Now
        {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.handle(Action::Close);
        }
        if self.state.closing == Closing::Now && !std::mem::replace(&mut self.closed, true) {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        self.fill_screen(ctx);
        let mark = if self.state.is_unsaved() { "● " } else { "" };
        let title = format!("{mark}{} — Strata", self.state.project().title);
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _: &mut eframe::Frame) {
        self.take(ctx);
    }

    fn clear_color(&self, visuals: &Visuals) -> [f32; 4] {
        theme::behind(visuals.dark_mode).to_normalized_gamma_f32()
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        // This is the work of the previous frame; a frame that is laid out twice is one.
        let work = frame.info().cpu_usage;
        if let Some(work) = work.filter(|_| ui.ctx().current_pass_index() == 0) {
            self.add_frame(Duration::from_secs_f32(work));
        }
        self.show(ui);
    }
}
