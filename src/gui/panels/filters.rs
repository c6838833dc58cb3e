//! A layer's filters, or what the decoder paints with, as small pictures, live: sorted, measured, by input channel or
//! frequency, and switched off to see what the network does without them.

mod choice;
mod effect;
mod grid;

use super::loading_state::failed;
use crate::plate::of_filters::Shown;
use crate::theme;
use crate::view::View;
use crate::widgets::raster::{Sheet, shades};
use crate::widgets::{ChoiceBox, empty, options_button};
use eframe::egui::{
    Align2, Color32, Context, Painter, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2,
};
use std::sync::Arc;
use strata_app::action::{Action, Show};
use strata_app::arrangement::Workspace;
use strata_app::state::State;
use strata_core::format;
use strata_engine::inspection::reply::Reply;
use strata_inspect::filter_picture::{response_picture, response_size};
use strata_inspect::filters::Filters;
use strata_inspect::filters::on_pixels::FiltersOnPixels;
use strata_inspect::filters::study::{FilterStudy, Order};
use strata_inspect::inspection::Subject;
use strata_inspect::maps::viridis;
use strata_inspect::picture::{FilterScale, diverging, filter_limit};

pub use choice::FilterChoice;

type Seen = Reply<FilterStudy>;

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct FiltersView {
    drawn: Option<Drawn>,
    /// The images with and without the filters that are switched off.
    examples: Option<(Arc<Seen>, Sheet)>,
    /// The filter that the keys have reached, by its place in the order.
    cursor: usize,
}

/// What is drawn: the weights alone, or a study of them.
#[derive(Clone)]
enum Source {
    Weights(Arc<Filters>),
    Study(Arc<Seen>),
}

impl Source {
    fn is(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Weights(a), Source::Weights(b)) => Arc::ptr_eq(a, b),
            (Source::Study(a), Source::Study(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    fn study(&self) -> Option<&FilterStudy> {
        match self {
            Source::Weights(_) => None,
            Source::Study(seen) => seen.result.as_deref().ok(),
        }
    }
}

struct Drawn {
    of: Source,
    /// As they are drawn: of one input channel, where that is chosen.
    filters: Filters,
    /// Which filter stands at each place.
    order: Vec<usize>,
    how: (FilterScale, Shown, usize, Order),
    sheet: Sheet,
}

/// More filters than this are not drawn.
const MOST: usize = 1024;

impl View for FiltersView {
    fn title(&self) -> &'static str {
        "Filters"
    }

    fn summary(&self) -> &'static str {
        "A layer's weights as small pictures; sorted, measured, switched off"
    }

    fn words(&self) -> &'static str {
        "weights kernels learned dead duplicate noisy frequency response ablation prune switch off"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "The weights of the first layer, one small picture for each filter, or those of the decoder's last layer with weights: what each of its inputs paints into the reconstruction. RGB filters are shown in colour around grey (weight 0), others from blue (negative) over white to red (positive). Edges and blobs of colour mean it has learned something. Measured, a filter is marked where it is dead (its norm under 1 % of the layer's median, or 0 for every image), a duplicate (cosine of 0.95 or more with another) or noisy (neighbouring weights differ as much as in noise). A click, or the arrow keys and the space bar, switch filters off: below stands what the network does without them, in a copy; the run keeps its weights."
    }

    fn status(&self, state: &State) -> String {
        let Some(Ok(source)) = source(state) else {
            return String::new();
        };
        let of = |filters: &Filters| {
            let space = choice::space_words(state, filters);
            let since = format!("{space}{}", strata_inspect::since_words(filters.since));
            format!(
                "{} · step {}{since}",
                filters.layer,
                format::count(filters.step)
            )
        };
        match &source {
            Source::Weights(filters) => of(filters),
            Source::Study(_) => source.study().map_or_else(String::new, |study| {
                let off = match study.off.len() {
                    0 => String::new(),
                    off => format!(" · {off} off"),
                };
                let choice: FilterChoice = state.choices.get();
                let has_none = choice.shown == Shown::Frequencies && study.responses.is_none();
                let weights = if has_none {
                    " · without frequencies: the weights"
                } else {
                    ""
                };
                format!("{}{off}{weights}", of(&study.filters))
            }),
        }
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if ui.available_width() >= choice::room(state) {
            return tools(ui, state, actions);
        }
        // Too narrow for all of them side by side: they stand in a menu.
        let hover = "Scale, layer, order and what is drawn of each filter";
        options_button(ui, "Options of filters", hover, |ui| {
            tools(ui, state, actions);
        });
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let close: FilterChoice = state.choices.get();
        actions.extend(if close.is_close() {
            state.request(state.run_query::<FilterStudy>(close.request(state)))
        } else if choice::is_on_pixels(state, &close) {
            state.request(state.run_query::<FiltersOnPixels>(close.request(state).layer))
        } else {
            state.request(state.filters_query())
        });
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

/// All boxes and switches.
fn tools(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let shown = source(state).and_then(Result::ok);
    let filters = match &shown {
        Some(Source::Weights(filters)) => Some(&**filters),
        Some(study) => study.study().map(|study| &study.filters),
        None => None,
    };
    let now = state.view.filter_scale;
    let mut chosen = now;
    ChoiceBox {
        id: "filter scale",
        width: 92.0,
        shown: name(now).into(),
        hover: "per filter: each by its own largest weight, shows the form of \
                weak ones; per layer: all by the layer's largest, shows which \
                are strong; fixed: by the largest there was when you chose it, \
                shows how they grow",
        name: "Filter scale",
    }
    .show(ui, |ui| {
        for scale in [FilterScale::PerFilter, FilterScale::PerLayer, fixed(state)] {
            ui.selectable_value(&mut chosen, scale, name(scale));
        }
    });
    if chosen != now {
        actions.push(Action::Show(Show::FilterScale(chosen)));
    }
    choice::boxes(ui, state, filters, actions);
}

/// What there is to draw, or why there is nothing. A study that is asked for is waited for with what was shown before.
fn source(state: &State) -> Option<Result<Source, String>> {
    let close: FilterChoice = state.choices.get();
    let weights = || {
        let filters = state.filters()?;
        Some(filters.cloned().map(Source::Weights))
    };
    let wanted = close.request(state).layer;
    if !close.is_close() {
        let on_pixels = state
            .run_reply::<FiltersOnPixels>()
            .filter(|seen| choice::is_on_pixels(state, &close) && seen.query.request == wanted);
        return match on_pixels.map(|seen| &seen.result) {
            Some(Ok(filters)) => Some(Ok(Source::Weights(filters.0.clone()))),
            Some(Err(_)) | None => weights(),
        };
    }
    let seen = state.run_reply::<FilterStudy>();
    let seen = seen.filter(|seen| seen.query.request.layer == wanted);
    match seen {
        Some(seen) => Some(match &seen.result {
            Ok(_) => Ok(Source::Study(seen.clone())),
            Err(error) => Err(error.to_string()),
        }),
        None if close.layer.is_none() => weights(),
        None => None,
    }
}

impl FiltersView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let source = match source(state) {
            Some(Ok(source)) => source,
            other => {
                self.drawn = None;
                let is_stored = matches!(state.subject(), Some(Subject::Stored(_)));
                return match other {
                    Some(Err(message)) => failed(ui, "No filters to show", &message, actions),
                    _ if is_stored => {
                        empty(ui, "Reading the weights …", "They appear in a moment.")
                    }
                    _ => empty(
                        ui,
                        "No filters yet",
                        "Press Train, or open a run folder. In training they change as the network learns.",
                    ),
                };
            }
        };
        let choice: FilterChoice = state.choices.get();
        self.update(ui.ctx(), &source, state.view.filter_scale, &choice);
        let area = ui.available_rect_before_wrap();
        let study = source.study();
        let below = study.map_or(0.0, |study| effect::height(study).min(area.height() / 2.0));
        let (upper, lower) = area.split_top_bottom_at_y(area.bottom() - below);
        self.filters(ui, upper, &choice, actions);
        if let (Some(study), Source::Study(seen)) = (study, &source) {
            self.update_examples(ui.ctx(), seen, study);
            let Some((_, sheet)) = &self.examples else {
                return;
            };
            let mut inner = ui.new_child(UiBuilder::new().id_salt("effect").max_rect(lower));
            ScrollArea::vertical()
                .id_salt("effect of filters")
                .auto_shrink(false)
                .show(&mut inner, |ui| {
                    effect::show(ui, state, study, sheet, actions)
                });
        }
    }

    fn filters(
        &mut self,
        ui: &mut Ui,
        area: Rect,
        choice: &FilterChoice,
        actions: &mut Vec<Action>,
    ) {
        let Some(drawn) = &self.drawn else { return };
        let (grid_area, bar) = area.split_left_right_at_x(area.right() - 44.0);
        color_bar(ui.painter(), bar, drawn, ui);
        let mut grid_ui = ui.new_child(UiBuilder::new().id_salt("filters").max_rect(grid_area));
        let cursor = &mut self.cursor;
        let mut next = choice.clone();
        ScrollArea::vertical()
            .auto_shrink(false)
            .show(&mut grid_ui, |ui| {
                grid::grid(ui, drawn, grid_area.size(), cursor, &mut next)
            });
        choice::choose(choice, next, actions);
    }
}

fn name(scale: FilterScale) -> String {
    match scale {
        FilterScale::PerFilter => "per filter".into(),
        FilterScale::PerLayer => "per layer".into(),
        FilterScale::Fixed(limit) => format!("fixed ±{}", format::short(limit.into(), 2)),
    }
}

/// The scale that is kept from now on: the one in use, or what the layer's largest weight is now.
fn fixed(state: &State) -> FilterScale {
    let now = |filters: &Arc<Filters>| filter_limit(filters, 0, FilterScale::PerLayer);
    match state.view.filter_scale {
        fixed @ FilterScale::Fixed(_) => fixed,
        _ => FilterScale::Fixed(state.filters().and_then(Result::ok).map_or(1.0, now)),
    }
}

impl FiltersView {
    /// Makes a new texture only when there is something new to draw.
    fn update(&mut self, ctx: &Context, of: &Source, scale: FilterScale, choice: &FilterChoice) {
        let how = (scale, choice.shown, choice.channel, choice.order);
        let is_drawn = |drawn: &Drawn| drawn.of.is(of) && drawn.how == how;
        if self.drawn.as_ref().is_some_and(is_drawn) {
            return;
        }
        let study = of.study();
        let whole = match (of, study) {
            (Source::Weights(filters), _) => filters,
            (_, Some(study)) => &study.filters,
            _ => return,
        };
        let channels = whole.channels;
        let filters = match choice.shown {
            Shown::Channels => whole.of_channel(choice.channel.min(channels.saturating_sub(1))),
            Shown::Weights | Shown::Frequencies => whole.clone(),
        };
        let order = match study {
            Some(study) => study.order(choice.order),
            None => (0..filters.count).collect(),
        };
        let count = filters.count.min(MOST);
        let responses = study.and_then(|study| study.responses.as_ref());
        let sheet = match responses.filter(|_| choice.shown == Shown::Frequencies) {
            Some(responses) => {
                let size = response_size(responses);
                let picture = |index| response_picture(responses, index);
                match size == responses.size {
                    true => Sheet::new(ctx, "filters", size, count, picture),
                    false => Sheet::smooth(ctx, "filters", size, count, picture),
                }
            }
            None => Sheet::of_filters(ctx, "filters", &filters, count, scale),
        };
        self.drawn = Some(Drawn {
            of: of.clone(),
            filters,
            order: order.into_iter().filter(|index| *index < MOST).collect(),
            how,
            sheet,
        });
    }

    fn update_examples(&mut self, ctx: &Context, seen: &Arc<Seen>, study: &FilterStudy) {
        let is_drawn = |(drawn, _): &(Arc<Seen>, Sheet)| Arc::ptr_eq(drawn, seen);
        if !self.examples.as_ref().is_some_and(is_drawn) {
            let pictures = effect::pictures(study);
            let sheet = Sheet::of_images(ctx, "with and without", study.examples.size, &pictures);
            self.examples = Some((seen.clone(), sheet));
        }
    }
}

/// Whether frequencies are drawn; filters without places have none.
fn is_of_frequencies(drawn: &Drawn) -> bool {
    let study = drawn.of.study();
    drawn.how.1 == Shown::Frequencies && study.is_some_and(|study| study.responses.is_some())
}

/// Which colour means which weight.
fn color_bar(painter: &Painter, area: Rect, drawn: &Drawn, ui: &Ui) {
    let colors = theme::palette(ui);
    let bar = Rect::from_min_size(
        area.min + vec2(6.0, 0.0),
        vec2(8.0, area.height().min(160.0)),
    );
    if is_of_frequencies(drawn) {
        let color = |share| {
            let [r, g, b] = viridis(share);
            Color32::from_rgb(r, g, b)
        };
        shades(painter, bar, color);
        let ends = [
            (bar.top(), Align2::LEFT_TOP, "max"),
            (bar.bottom(), Align2::LEFT_BOTTOM, "0"),
        ];
        for (y, align, text) in ends {
            let font = theme::digits(theme::TINY);
            painter.text(pos2(bar.right() + 4.0, y), align, text, font, colors.weak);
        }
        return;
    }
    shades(painter, bar, |share| {
        let value = 2.0 * share - 1.0;
        if drawn.filters.channels == 3 {
            return Color32::from_gray((127.5 + 127.5 * value) as u8);
        }
        let [r, g, b] = diverging(value);
        Color32::from_rgb(r, g, b)
    });
    let scale = drawn.how.0;
    let limit = filter_limit(&drawn.filters, 0, scale);
    let end = |sign: char| match scale {
        FilterScale::PerLayer | FilterScale::Fixed(_) => {
            format!("{sign}{}", format::short(limit.into(), 2))
        }
        FilterScale::PerFilter => format!("{sign}max"),
    };
    let write = |y: f32, align: Align2, text: String| {
        painter.text(
            pos2(bar.right() + 4.0, y),
            align,
            text,
            theme::digits(theme::TINY),
            colors.weak,
        );
    };
    write(bar.top(), Align2::LEFT_TOP, end('+'));
    write(bar.center().y, Align2::LEFT_CENTER, "0".into());
    write(bar.bottom(), Align2::LEFT_BOTTOM, end('−'));
}
