//! The `[data]` table as fields.

use super::line::{TextLine, choice, text};
use crate::gui::action::Action;
use crate::gui::panels::data::download;
use crate::gui::state::State;
use crate::gui::theme;
use crate::project::data::{DataSpec, Source};
use crate::project::edit::Edit;
use crate::project::size::Axes;
use eframe::egui::{Id, RichText, Ui};

/// Shows the fields.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let data = &state.project().data;
    let id = |name: &str| Id::unique(("data", name, state.generation));
    let mut next = data.clone();
    let names = ["source", "Data source", "Which images; shapes are drawn by Strata itself and need no files."];
    if let Some(source) = choice(ui, id("source"), names, data.source, &Source::ALL) {
        next.source = source;
    }
    if data.source != Source::Shapes {
        path(ui, id("path"), state, &mut next, actions);
    }
    sizes(ui, &id, data, &mut next);
    range(ui, id("range"), data, &mut next);
    limit(ui, id("limit"), data, &mut next);
    seed(ui, id("seed"), state, actions);
    splits(ui, state);
    if next != *data {
        actions.push(Action::Edit(Edit::Data(next)));
    }
}

fn path(ui: &mut Ui, id: Id, state: &State, next: &mut DataSpec, actions: &mut Vec<Action>) {
    let data = &state.project().data;
    let setting = TextLine {
        name: "path",
        label: "Data path",
        hover: "The folder (or file) that holds the images; ~ is your home folder.",
        text: data.path.as_deref().unwrap_or_default(),
        hint: "~/data/…",
    };
    if let Some(text) = text(ui, id, &setting, &|_| Ok(())) {
        next.path = Some(text).filter(|text| !text.is_empty());
    }
    super::line::line(ui, "", "", |ui| {
        if ui.button("Browse…").on_hover_text("Choose the folder").accessible_name("Browse for data").clicked() {
            actions.push(Action::BrowseData);
        }
    });
    if download::is_offered(state) {
        super::line::line(ui, "", "", |ui| download::show(ui, state, actions));
    }
}

fn sizes(ui: &mut Ui, id: &dyn Fn(&str) -> Id, data: &DataSpec, next: &mut DataSpec) {
    let written = |size: Option<[u32; 2]>| size.map_or_else(String::new, |[h, w]| format!("{h}x{w}"));
    let check = |text: &str| pair(text).map(|_| ());
    let now = written(data.resize);
    let setting = TextLine {
        name: "resize",
        label: "Resize",
        hover: "Height × width that every image is scaled to; empty keeps the images' own size.",
        text: &now,
        hint: "as they are",
    };
    if let Some(Ok(size)) = text(ui, id("resize"), &setting, &check).map(|text| pair(&text)) {
        next.resize = size;
    }
    let now = written(data.patches);
    let setting = TextLine {
        name: "patches",
        label: "Patches",
        hover: "Train on random patches of this height × width instead of whole images.",
        text: &now,
        hint: "whole images",
    };
    if let Some(Ok(size)) = text(ui, id("patches"), &setting, &check).map(|text| pair(&text)) {
        next.patches = size;
    }
}

/// `32x32`, `32` for both, or nothing.
fn pair(text: &str) -> Result<Option<[u32; 2]>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || format!("“{text}” is no size: write height x width, such as 32x32");
    let axes: Axes = text.trim().parse().map_err(|_| wrong())?;
    match *axes.sizes() {
        [size] if size > 0 => Ok(Some([size, size])),
        [height, width] if height > 0 && width > 0 => Ok(Some([height, width])),
        _ => Err(wrong()),
    }
}

fn range(ui: &mut Ui, id: Id, data: &DataSpec, next: &mut DataSpec) {
    if data.normalize.is_some() {
        super::line::line(ui, "pixels", "Mean and deviation by channel, as the project file says.", |ui| {
            ui.label(RichText::new("normalised").font(theme::digits(12.0)));
        });
        return;
    }
    let now = data.range.map_or_else(String::new, |[low, high]| format!("{low}..{high}"));
    let setting = TextLine {
        name: "pixels",
        label: "Pixel range",
        hover: "What pixel 0 and pixel 255 become. A decoder that ends in tanh needs -1..1, in sigmoid 0..1.",
        text: &now,
        hint: "0..1",
    };
    if let Some(Ok(range)) = text(ui, id, &setting, &|text| bounds(text).map(|_| ())).map(|text| bounds(&text)) {
        next.range = range;
    }
}

/// `-1..1`, or nothing.
fn bounds(text: &str) -> Result<Option<[f32; 2]>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let wrong = || format!("“{text}” is no range: write low..high, such as -1..1");
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    let number = |part: &str| part.trim().parse::<f32>().ok().filter(|n| n.is_finite());
    match (number(low), number(high)) {
        (Some(low), Some(high)) if low < high => Ok(Some([low, high])),
        _ => Err(wrong()),
    }
}

fn limit(ui: &mut Ui, id: Id, data: &DataSpec, next: &mut DataSpec) {
    let read = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<usize>().ok().filter(|&n| n > 0).map(Some).ok_or("write a whole number, or nothing"),
    };
    let now = data.limit.map_or_else(String::new, |limit| limit.to_string());
    let setting = TextLine {
        name: "limit",
        label: "Image limit",
        hover: "At most this many images in every split; empty takes all.",
        text: &now,
        hint: "all images",
    };
    if let Some(Ok(limit)) =
        text(ui, id, &setting, &|text| read(text).map(|_| ()).map_err(str::to_owned)).map(|t| read(&t))
    {
        next.limit = limit;
    }
}

fn seed(ui: &mut Ui, id: Id, state: &State, actions: &mut Vec<Action>) {
    let now = state.project().seed.to_string();
    let setting = TextLine {
        name: "seed",
        label: "Seed",
        hover: "All randomness comes from it: the same seed gives the same run.",
        text: &now,
        hint: "42",
    };
    let check = |text: &str| text.trim().parse::<u64>().map(|_| ()).map_err(|_| "write a whole number".to_owned());
    if let Some(Ok(seed)) = text(ui, id, &setting, &check).map(|text| text.parse()) {
        actions.push(Action::Edit(Edit::Seed(seed)));
    }
}

fn splits(ui: &mut Ui, state: &State) {
    let splits = &state.training.splits;
    if splits.is_empty() {
        return;
    }
    super::line::line(ui, "images", "Images in each split, as the last run read them.", |ui| {
        for (split, images) in splits {
            let text = format!("{:>9} {split}", crate::text::count(*images as u64));
            ui.label(RichText::new(text).font(theme::digits(12.0)).color(theme::palette(ui).weak));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ranges_are_read_or_refused() {
        assert_eq!(pair("32x48"), Ok(Some([32, 48])));
        assert_eq!((pair("32"), pair(" ")), (Ok(Some([32, 32])), Ok(None)));
        assert_eq!(bounds("-1..1"), Ok(Some([-1.0, 1.0])));
        for wrong in ["0x3", "3x3x3", "x", "-1"] {
            assert!(pair(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1..-1", "1", "a..b", "0..inf", "1..1"] {
            assert!(bounds(wrong).is_err(), "{wrong}");
        }
    }
}
