//! The `[data]` table as fields: the source first, then groups that open and close.

mod files;
mod pixels;
mod read;
mod signals;
mod splits;

use super::line::{TextLine, Words, choice, choice_explained, line, optional, switch, text};
use crate::panels::data::{download, packed};
use crate::theme;
use crate::widgets::{Icon, elided, icon};
use eframe::egui::{Align2, FontId, Id, Rect, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use strata_app::action::{Action, Show};
use strata_app::state::{State, Switch};
use strata_core::project::data::{DataSpec, Source, Split};
use strata_core::project::edit::Edit;
use strata_core::project::init::Init;
use strata_core::project::reference::data::{PATH, SOURCE};
use strata_core::project::reference::project::{INIT, SEED};
use strata_core::project::stage::Stage;
use strata_inspect::gallery::Gallery;

/// Height of the number of images of a split.
const COUNT_ROW: f32 = 18.0;

/// Height of the button that downloads, and of what takes its place: how far it is.
const DOWNLOAD: f32 = 36.0;

/// What the fields of a group have in common.
struct Form<'a> {
    ui: &'a mut Ui,
    /// Changes with every project that is opened: what was being typed belongs to the old one.
    generation: u64,
    data: &'a DataSpec,
    next: &'a mut DataSpec,
}

impl Form<'_> {
    fn id(&self, name: &str) -> Id {
        Id::unique(("data", name, self.generation))
    }

    /// A setting that may be left out; `Some(None)` when it has just been.
    fn optional<T>(
        &mut self,
        words: Words,
        now: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        let id = self.id(words[1]);
        optional(self.ui, id, words, now, read)
    }

    /// A setting that is on or off; whether it is now.
    fn switch(&mut self, [name, label, hover, on]: Words, now: bool) -> bool {
        switch(self.ui, [name, label, hover], on, now)
    }
}

/// Shows the fields.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let data = &state.project().data;
    let mut next = data.clone();
    let names = ["source", "Data source", SOURCE.about];
    let id = Id::unique(("data", "source", state.generation));
    let origin = |source| Some(state.downloads.origin(source));
    if let Some(source) = choice_explained(ui, id, names, data.source, &Source::ALL, &origin) {
        next.source = source;
        // What the new source has no use for would keep the project from being trained.
        next = next.without_idle();
    }
    if data.source.info().wants.is_some() {
        path(ui, state, &mut next, actions);
    }
    seed(ui, state, actions);
    init(ui, state, actions);
    if files::has_any(data.source) {
        let summary = files::summary(data);
        group(
            ui,
            state,
            "Files",
            &summary,
            &mut next,
            actions,
            files::show,
        );
    }
    let pixels = pixels::summary(data);
    group(ui, state, "Pixels", &pixels, &mut next, actions, |form| {
        pixels::show(form, state.project().network.input.channels())
    });
    if data.source == Source::Wav {
        group(
            ui,
            state,
            "Signals",
            &signals::summary(data),
            &mut next,
            actions,
            signals::show,
        );
    }
    group(
        ui,
        state,
        "Splits",
        &splits::summary(data),
        &mut next,
        actions,
        splits::show,
    );
    counted(ui, state);
    if next != *data {
        actions.push(Action::Edit(Edit::Data(next)));
    }
}

/// Fields under a heading that opens and closes them; closed, it says what they are set to.
fn group(
    ui: &mut Ui,
    state: &State,
    title: &'static str,
    summary: &str,
    next: &mut DataSpec,
    actions: &mut Vec<Action>,
    fields: impl FnOnce(&mut Form<'_>),
) {
    let open = state.view.open_groups.contains(title);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, open, format!("{title} of the data"))
    });
    let colors = theme::palette(ui);
    let ink = if response.hovered() || response.has_focus() {
        colors.strong
    } else {
        colors.text
    };
    let sign = if open { Icon::Open } else { Icon::Closed };
    icon::paint(
        ui.painter(),
        sign,
        Rect::from_min_size(rect.min, vec2(icon::SIZE, rect.height())),
        colors.weak,
    );
    let painter = ui.painter_at(rect);
    let at = pos2(rect.left() + icon::SIZE + 6.0, rect.center().y);
    let named = painter.text(
        at,
        Align2::LEFT_CENTER,
        title,
        theme::heading(theme::BODY),
        ink,
    );
    if !open {
        let room = rect.right() - named.right() - 10.0;
        let galley = elided(
            ui,
            summary,
            FontId::proportional(theme::SMALL),
            colors.weak,
            room,
        );
        let at = rect.right_center() - vec2(galley.size().x, galley.size().y / 2.0);
        painter.galley(at, galley, colors.weak);
    }
    if response
        .on_hover_text(if open {
            "Close these settings"
        } else {
            summary
        })
        .clicked()
    {
        actions.push(Action::Show(Show::Switch(Switch::Group(title, !open))));
    }
    if open {
        let (data, generation) = (&state.project().data, state.generation);
        fields(&mut Form {
            ui,
            generation,
            data,
            next,
        });
        ui.add_space(theme::STEP);
    }
}

fn path(ui: &mut Ui, state: &State, next: &mut DataSpec, actions: &mut Vec<Action>) {
    let setting = TextLine {
        name: "path",
        label: "Data path",
        hover: PATH.about,
        text: state.project().data.path.as_deref().unwrap_or_default(),
        hint: "~/data/…",
    };
    if let Some(text) = text(
        ui,
        Id::unique(("data", "path", state.generation)),
        &setting,
        &|_| Ok(()),
    ) {
        next.path = Some(text).filter(|text| !text.is_empty());
    }
    line(ui, "", "", |ui| ui.horizontal(|ui| browse(ui, actions)));
    if packed::is_running(state) {
        line(ui, "", "", |ui| packed::progress(ui, state, actions));
    } else if download::is_offered(state) {
        if !state.has_looked_for_files() {
            actions.push(Action::LookForFiles);
        }
        line(ui, "", "", |ui| {
            // The place stays, so that nothing below moves when the files come.
            ui.set_min_height(DOWNLOAD);
            match are_there(state) {
                true => there(ui),
                false => download::show(ui, state, actions),
            }
        });
    }
}

/// Said in the place of the button once nothing needs to be downloaded.
fn there(ui: &mut Ui) {
    ui.set_min_height(DOWNLOAD);
    ui.add_space(theme::STEP);
    let text = RichText::new("the files are there ✓").size(theme::SMALL);
    ui.label(text.color(theme::palette(ui).weak));
}

/// Data are a folder or one file, and no dialog of the system lets both be chosen.
fn browse(ui: &mut Ui, actions: &mut Vec<Action>) {
    let folder = ui.button("Folder…").on_hover_text("Choose a folder");
    if folder.accessible_name("Browse for a data folder").clicked() {
        actions.push(Action::BrowseDataFolder);
    }
    let file = ui
        .button("File…")
        .on_hover_text("Choose one file: an archive, a table or arrays");
    if file.accessible_name("Browse for a data file").clicked() {
        actions.push(Action::BrowseDataFile);
    }
}

/// Whether the images as they are set have been read, for a view or by the run, or their files are where they are to be:
/// then nothing needs to be downloaded.
fn are_there(state: &State) -> bool {
    let data = &state.project().data;
    let trained = state.training.project.as_ref().map(|project| &project.data);
    let is_same = |other: &DataSpec| (other.source, &other.path) == (data.source, &data.path);
    if trained.is_some_and(is_same) && !state.training.splits.is_empty() {
        return true;
    }
    let reply = state.inspections.latest::<Gallery>();
    match reply.filter(|reply| reply.query.subject == state.image_set()) {
        Some(reply) => reply.result.is_ok(),
        None => state.has_found_files() && state.downloads.failed(data.source).is_none(),
    }
}

fn seed(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let now = state.project().seed.to_string();
    let setting = TextLine {
        name: "seed",
        label: "Seed",
        hover: SEED.about,
        text: &now,
        hint: "42",
    };
    let check = |text: &str| {
        text.trim()
            .parse::<u64>()
            .map(|_| ())
            .map_err(|_| "write a whole number".to_owned())
    };
    let id = Id::unique(("data", "seed", state.generation));
    if let Some(Ok(seed)) = text(ui, id, &setting, &check).map(|text| text.parse()) {
        actions.push(Action::Edit(Edit::Seed(seed)));
    }
}

/// Where the first weights come from.
fn init(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let now = state.project().init.as_ref();
    let now = now.map_or_else(String::new, Init::to_string);
    let setting = TextLine {
        name: "init",
        label: "First weights",
        hover: INIT.about,
        text: &now,
        hint: "random",
    };
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text
            .parse::<Init>()
            .map(Some)
            .map_err(|error| error.to_string()),
    };
    let check = |text: &str| read(text).map(|_| ());
    let id = Id::unique(("data", "init", state.generation));
    if let Some(Ok(init)) = text(ui, id, &setting, &check).map(|text| read(&text)) {
        actions.push(Action::Edit(Edit::Init(init)));
    }
}

/// The images of each split as the Images view has read them.
fn seen(state: &State) -> Vec<(Split, usize)> {
    let reply = state.inspections.latest::<Gallery>();
    let reply = reply.filter(|reply| reply.query.subject == state.image_set());
    let gallery = reply.and_then(|reply| reply.result.as_deref().ok());
    let splits = gallery.into_iter().flat_map(|gallery| &gallery.splits);
    splits.map(|counts| (counts.split, counts.images)).collect()
}

fn counted(ui: &mut Ui, state: &State) {
    let are_these = state.training.project.as_ref().is_some_and(|trained| {
        let (now, trained_data) = (state.project(), &trained.data);
        trained.seed == now.seed && *trained_data == now.data
    });
    let known = match are_these && !state.training.splits.is_empty() {
        true => state.training.splits.clone(),
        false => seen(state),
    };
    // Their place is kept, so that nothing below moves when they are counted.
    let uses_all = |stage: &Stage| stage.split == Split::Unlabeled;
    let rows = match state.project().stages.iter().any(uses_all) {
        true => 4,
        false => 3,
    };
    let height = rows as f32 * COUNT_ROW;
    line(
        ui,
        "images",
        "Images in each split, as the last run or the Images view read them.",
        |ui| {
            ui.set_min_height(height);
            if known.is_empty() {
                ui.add_space(theme::STEP);
                let text = RichText::new("counted once they are read").size(theme::SMALL);
                ui.label(text.color(theme::palette(ui).weak));
            }
            for (split, images) in &known {
                let text = format!("{:>9} {split}", strata_core::format::count(*images as u64));
                ui.label(
                    RichText::new(text)
                        .font(theme::digits(12.0))
                        .color(theme::palette(ui).weak),
                );
            }
        },
    );
}
