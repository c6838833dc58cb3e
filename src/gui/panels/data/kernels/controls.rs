//! The two lines above: which picture, and which kernel slid how.

use super::{Seen, set};
use crate::theme;
use crate::widgets::{Field, FieldEvent, Icon, chevron, close_by_key, icon_button, volume_slice};
use eframe::egui::{ComboBox, DragValue, Id, RichText, Ui};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use strata_app::action::Action;
use strata_app::kernels::{KernelSettings, Subject};
use strata_app::state::State;
use strata_core::format;
use strata_core::project::data::Split;
use strata_inspect::gallery::Gallery;
use strata_inspect::kernel::{Amount, Border, Named, Settings, usual_sigma};

/// Which picture: one of the source, a file, or the made curve.
pub(super) fn source(ui: &mut Ui, state: &State, seen: Option<&Seen>, actions: &mut Vec<Action>) {
    let settings = &state.inspections.kernels;
    ui.horizontal_wrapped(|ui| {
        subjects(ui, settings, actions);
        match &settings.subject {
            Subject::Data => numbered(ui, state, seen, actions),
            Subject::Curve => {
                let mut noise = settings.noise;
                if number(
                    ui,
                    "noise",
                    "Noise",
                    "Standard deviation of the noise",
                    &mut noise,
                    0.0..=2.0,
                    0.01,
                ) {
                    actions.push(set(KernelSettings {
                        noise,
                        ..settings.clone()
                    }));
                }
            }
            Subject::File(_) => {}
        }
    });
}

fn subjects(ui: &mut Ui, settings: &KernelSettings, actions: &mut Vec<Action>) {
    let mut tab = |ui: &mut Ui, text: &str, name: &str, subject: Subject| {
        let chosen = settings.subject == subject;
        let tab = ui
            .selectable_label(chosen, RichText::new(text).size(theme::SMALL))
            .accessible_name(name);
        if tab.clicked() && !chosen {
            actions.push(set(settings.with_subject(subject)));
        }
    };
    tab(
        ui,
        "image of the source",
        "Image of the source",
        Subject::Data,
    );
    tab(ui, "noisy curve", "Noisy curve", Subject::Curve);
}

/// The images of the source: split, number, the next and the one before.
fn numbered(ui: &mut Ui, state: &State, seen: Option<&Seen>, actions: &mut Vec<Action>) {
    let settings = &state.inspections.kernels;
    let picture = seen
        .and_then(|seen| seen.result.as_ref().ok())
        .map(|answer| &answer.picture);
    let Some((split, _, count)) = picture.and_then(|picture| picture.place) else {
        return;
    };
    let mut go = |split: Split, index: usize| {
        let index = index.min(count.saturating_sub(1));
        actions.push(set(KernelSettings {
            split: Some(split),
            index,
            patch: None,
            ..settings.clone()
        }));
    };
    let mut chosen = split;
    let combo = ComboBox::from_id_salt("split of the kernels")
        .width(76.0)
        .icon(chevron);
    let combo = combo
        .selected_text(RichText::new(split.to_string()).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for split in splits(state, split) {
                ui.selectable_value(&mut chosen, split, split.to_string());
            }
        });
    combo.response.accessible_name("Split of the image");
    if chosen != split {
        return go(chosen, 0);
    }
    let index = settings.index.min(count.saturating_sub(1));
    if icon_button(
        ui,
        Icon::Back,
        "Image before",
        "The image before",
        index > 0,
    )
    .clicked()
    {
        go(split, index.saturating_sub(1));
    }
    let mut at = index + 1;
    let value = ui.add(DragValue::new(&mut at).range(1..=count.max(1)).speed(0.2));
    if value
        .on_hover_text("The image's number")
        .accessible_name("Number of the image")
        .changed()
    {
        go(split, at - 1);
    }
    if icon_button(
        ui,
        Icon::Step,
        "Next image",
        "The next image",
        index + 1 < count,
    )
    .clicked()
    {
        go(split, index + 1);
    }
    let mut of = format!("of {}", format::count(count as u64));
    if let Some(picture) = picture.filter(|picture| !picture.name.is_empty()) {
        of += &format!(" · {}", picture.name);
    }
    ui.label(
        RichText::new(of)
            .size(theme::SMALL)
            .color(theme::palette(ui).weak),
    );
    volume_slice(
        ui,
        state,
        picture.and_then(|picture| picture.slice),
        actions,
    );
}

/// The splits there are, as far as the gallery has listed them.
fn splits(state: &State, now: Split) -> Vec<Split> {
    let gallery = state.inspections.output::<Gallery>();
    let mut splits: Vec<Split> = gallery.map_or(Vec::new(), |gallery| {
        gallery.splits.iter().map(|s| s.split).collect()
    });
    if !splits.contains(&now) {
        splits.push(now);
        splits.sort_unstable();
    }
    splits
}

fn file(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let settings = &state.inspections.kernels;
    let path = match &settings.subject {
        Subject::File(path) => path.display().to_string(),
        _ => String::new(),
    };
    let id = Id::unique(("kernels file", state.generation));
    let field = Field::new(id, "Image to slide over", &path)
        .hint("or drop a file")
        .width(132.0);
    if let Some(FieldEvent::Commit(text)) = field.show(ui) {
        let path = Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(PathBuf::from);
        actions.push(set(
            settings.with_subject(path.map_or(Subject::Data, Subject::File))
        ));
    }
    if icon_button(
        ui,
        Icon::Folder,
        "Open image…",
        "Open an image from disk",
        true,
    )
    .clicked()
    {
        actions.push(Action::BrowseImage);
    }
}

/// From right to left: a patch as the kernel, turning it, grey, a file.
pub(super) fn tools(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let settings = &state.inspections.kernels;
    let mut slid = settings.settings;
    if settings.patch.is_none() {
        let hover = "Take a patch of the picture as the kernel; or drag over the picture";
        let is_picture = settings.subject != Subject::Curve;
        if is_picture && ui.button("Find a pattern").on_hover_text(hover).clicked() {
            actions.push(set(KernelSettings {
                patch: Some([0, 0, 8, 8]),
                ..settings.clone()
            }));
        }
        let hover = "Turn the kernel by 180°: convolution as mathematics has it. Layers, and this without it, correlate.";
        toggle(ui, "flip", "Flip the kernel", hover, &mut slid.flip);
    }
    let hover = "Make the picture grey first, instead of taking all channels";
    toggle(ui, "grey", "Grey first", hover, &mut slid.grey);
    if slid != settings.settings {
        actions.push(set(KernelSettings {
            settings: slid,
            ..settings.clone()
        }));
    }
    file(ui, state, actions);
}

/// Which kernel, and how it is slid.
pub(super) fn kernel(ui: &mut Ui, settings: &KernelSettings, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        if settings.patch.is_some() {
            return pattern(ui, settings, actions);
        }
        named(ui, settings, actions);
        size(ui, settings, actions);
        let mut slid = settings.settings;
        sliding(ui, &mut slid);
        if slid != settings.settings {
            actions.push(set(KernelSettings {
                settings: slid,
                ..settings.clone()
            }));
        }
    });
}

/// The menu of kernels.
fn named(ui: &mut Ui, settings: &KernelSettings, actions: &mut Vec<Action>) {
    let now = settings.named.map_or("own", Named::name);
    let mut chosen = settings.named;
    let is_curve = settings.subject == Subject::Curve;
    let combo = ComboBox::from_id_salt("kernel")
        .width(100.0)
        .height(420.0)
        .icon(chevron);
    let combo = combo
        .selected_text(RichText::new(now).font(theme::digits(theme::CODE)))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            let (lines, others): (Vec<Named>, Vec<Named>) =
                Named::ALL.into_iter().partition(|named| named.is_line());
            let all = if is_curve {
                lines
            } else {
                [others, lines].concat()
            };
            for named in all {
                ui.selectable_value(&mut chosen, Some(named), named.name())
                    .on_hover_text(named.line());
            }
        });
    let hover = settings.named.map_or("Made by hand", Named::line);
    combo
        .response
        .on_hover_text(hover)
        .accessible_name("Kernel");
    if let Some(named) = chosen.filter(|_| chosen != settings.named) {
        actions.push(set(settings.with_named(named, None, None)));
    }
}

/// The size of those that have one, and of those made by hand.
fn size(ui: &mut Ui, settings: &KernelSettings, actions: &mut Vec<Action>) {
    let [rows, columns] = settings.kernel.size;
    let mut side = columns;
    match settings.named {
        Some(named) if !named.has_size() => {}
        Some(named) => {
            if whole(ui, "size", "Size of the kernel", &mut side, 1..=31) {
                actions.push(set(settings.with_named(named, Some(side), settings.sigma)));
            }
            let mut sigma = settings.sigma.unwrap_or_else(|| usual_sigma(columns));
            let hover = "Standard deviation in pixels";
            if named.has_sigma() && number(ui, "σ", "Sigma", hover, &mut sigma, 0.1..=20.0, 0.02) {
                actions.push(set(settings.with_named(named, Some(columns), Some(sigma))));
            }
        }
        None => {
            if whole(ui, "size", "Size of the kernel", &mut side, 1..=7) {
                let rows = if rows == 1 { 1 } else { side };
                actions.push(set(settings.with_own(settings.kernel.resized([rows, side]))));
            }
        }
    }
}

fn sliding(ui: &mut Ui, slid: &mut Settings) {
    whole(ui, "stride", "Stride", &mut slid.stride, 1..=8);
    whole(ui, "dilation", "Dilation", &mut slid.dilation, 1..=8);
    let words = |amount: Amount| match amount {
        Amount::Same => "same".to_owned(),
        Amount::Valid => "valid".to_owned(),
        Amount::By(pixels) => pixels.to_string(),
    };
    label(ui, "padding");
    let amounts = [Amount::Same, Amount::Valid]
        .into_iter()
        .chain((1..=8).map(Amount::By));
    choice(
        ui,
        "Padding",
        words(slid.amount),
        44.0,
        &mut slid.amount,
        amounts.map(|amount| (amount, words(amount))),
    );
    let borders = Border::ALL.map(|border| (border, border.name().to_owned()));
    choice(
        ui,
        "Border",
        slid.border.name().to_owned(),
        64.0,
        &mut slid.border,
        borders,
    );
}

/// The position of the patch, and the button back.
fn pattern(ui: &mut Ui, settings: &KernelSettings, actions: &mut Vec<Action>) {
    let Some(mut patch) = settings.patch else {
        return;
    };
    let names = [
        ("row", "Row of the patch"),
        ("column", "Column of the patch"),
        ("height", "Height of the patch"),
        ("width", "Width of the patch"),
    ];
    let mut changed = false;
    for ((word, name), value) in names.into_iter().zip(&mut patch) {
        let least = usize::from(word == "height" || word == "width");
        changed |= whole(ui, word, name, value, least..=255);
    }
    if changed {
        actions.push(set(KernelSettings {
            patch: Some(patch),
            ..settings.clone()
        }));
    }
    if ui.button("Back to the kernel").clicked() {
        actions.push(set(KernelSettings {
            patch: None,
            ..settings.clone()
        }));
    }
}

fn label(ui: &mut Ui, text: &str) {
    ui.label(
        RichText::new(text)
            .size(theme::SMALL)
            .color(theme::palette(ui).weak),
    );
}

fn whole(
    ui: &mut Ui,
    word: &str,
    name: &str,
    value: &mut usize,
    range: RangeInclusive<usize>,
) -> bool {
    label(ui, word);
    ui.add(DragValue::new(value).range(range).speed(0.1))
        .accessible_name(name)
        .changed()
}

fn number(
    ui: &mut Ui,
    word: &str,
    name: &str,
    hover: &str,
    value: &mut f32,
    range: RangeInclusive<f32>,
    speed: f64,
) -> bool {
    label(ui, word);
    let drag = DragValue::new(value)
        .range(range)
        .speed(speed)
        .max_decimals(2);
    ui.add(drag)
        .on_hover_text(hover)
        .accessible_name(name)
        .changed()
}

fn choice<T: PartialEq>(
    ui: &mut Ui,
    name: &str,
    now: String,
    width: f32,
    value: &mut T,
    all: impl IntoIterator<Item = (T, String)>,
) {
    let combo = ComboBox::from_id_salt(name).width(width).icon(chevron);
    let combo = combo
        .selected_text(RichText::new(now).size(theme::SMALL))
        .show_ui(ui, |ui| {
            close_by_key(ui);
            for (each, text) in all {
                ui.selectable_value(value, each, text);
            }
        });
    combo.response.accessible_name(name);
}

fn toggle(ui: &mut Ui, word: &str, name: &str, hover: &str, value: &mut bool) {
    let button = ui.selectable_label(*value, RichText::new(word).size(theme::SMALL));
    if button.on_hover_text(hover).accessible_name(name).clicked() {
        *value = !*value;
    }
}
