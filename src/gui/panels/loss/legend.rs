//! What the lines of the plot are, with the last value of each as it was measured.

use super::drawn::line_colors;
use super::{Drawn, Quantity, smoothing};
use crate::theme::{self, Palette};
use eframe::egui::{Color32, Label, RichText, Ui, vec2};
use strata_app::action::Action;
use strata_app::curves::{Headline, OddSteps};
use strata_app::state::State;
use strata_core::format;

/// Shows it in as many lines as it needs.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    drawn: &Drawn<'_>,
    actions: Option<&mut Vec<Action>>,
) {
    let colors = *theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GAP + theme::STEP, 0.0);
        // On a line of its own the button of smoothing begins where the others do.
        ui.spacing_mut().button_padding.x = 0.0;
        for Entry { text, color, hover } in entries(drawn, &colors) {
            let text = RichText::new(text)
                .font(theme::digits(theme::SMALL))
                .color(color);
            // An entry is read as one: it is never broken.
            ui.add(Label::new(text).extend()).on_hover_text(hover);
        }
        if !drawn.curve.smooth.is_empty() {
            let text = match drawn.curve.smoothed_over(drawn.axes.log) {
                1 => "not smoothed".to_owned(),
                steps => format!("smoothed over {steps} steps"),
            };
            let shown = |text: String| {
                let text = RichText::new(text).font(theme::digits(theme::SMALL));
                text.color(colors.accent)
            };
            match actions {
                Some(actions) => {
                    let plot = drawn.axes.quantity.name();
                    smoothing(ui, state, shown(format!("{text} ▾")), plot, actions);
                }
                None => drop(ui.add(Label::new(shown(text)).extend())),
            }
        }
    });
}

struct Entry {
    text: String,
    color: Color32,
    hover: &'static str,
}

fn entries(drawn: &Drawn<'_>, colors: &Palette) -> Vec<Entry> {
    let headlines = drawn.curve.headlines(&drawn.curves.stages);
    let mut entries: Vec<Entry> = headlines
        .iter()
        .map(|line| headline(drawn, line, colors))
        .collect();
    let mut add = |text: String, color, hover| entries.push(Entry { text, color, hover });
    if drawn.has_penalty() {
        let last = drawn.curves.penalty.newest();
        let value = last.map_or(f64::NAN, |point| point[1]);
        add(
            format!("penalty {}", format::loss(value)),
            colors.weak,
            "What sparsity adds to the loss of the last batch; the other lines are without it",
        );
    }
    if !drawn.curve.raw.is_empty() {
        let holds_penalty = drawn.curves.holds_penalty && drawn.axes.quantity == Quantity::Loss;
        // Where nothing is smoothed they are the only line of the training images, and no faint one.
        let look = if drawn.is_smoothed() { "faint" } else { "thin" };
        let penalty = if holds_penalty {
            ", with their penalty"
        } else {
            ""
        };
        add(
            format!("{look}: batches{penalty}"),
            colors.weak,
            "One value a step of training",
        );
    }
    entries.extend(odd(drawn, colors));
    entries
}

fn headline(drawn: &Drawn<'_>, line: &Headline, colors: &Palette) -> Entry {
    let [train, valid, test] = line_colors(colors);
    let (color, hover) = match line.name {
        "train" => (
            train,
            "On the training images: the mean over the last epoch, as in metrics.csv",
        ),
        "valid" => (valid, "On the validation images, after the last epoch"),
        "test" => (test, "On the test images, when they were measured last"),
        _ => (train, "On the last batch: the first epoch is not over yet"),
    };
    let value = drawn.axes.quantity.write(line.value);
    Entry {
        text: format!("{} {value}", line.name),
        color,
        hover,
    }
}

/// `24 zeros`, `8 zeros of epochs`: what has no place on the axis.
fn odd(drawn: &Drawn<'_>, colors: &Palette) -> Vec<Entry> {
    let none = OddSteps::default();
    let penalties = match drawn.has_penalty() {
        true => &drawn.curves.penalty.odd.steps,
        false => &none,
    };
    let odd = &drawn.curve.odd;
    let log = drawn.axes.log;
    let of = [
        (&odd.steps, ""),
        (&odd.epochs, " of epochs"),
        (penalties, " of the penalty"),
    ];
    let kinds = of.into_iter().flat_map(|(odd, of)| {
        [
            (odd.zeros(), log, "▼", ["zero", "zeros"], of),
            (
                odd.below_zero(),
                log,
                "▼",
                ["value below 0", "values below 0"],
                of,
            ),
            (
                odd.not_finite(),
                true,
                "×",
                ["value not finite", "values not finite"],
                of,
            ),
        ]
    });
    let shown = kinds.filter(|(count, is_marked, ..)| *count > 0 && *is_marked);
    let entry = |(count, _, mark, [one, many], of): (usize, bool, &str, [&str; 2], &str)| {
        let noun = if count == 1 { one } else { many };
        Entry {
            text: format!("{mark} {} {noun}{of}", format::count(count as u64)),
            color: colors.strong,
            hover: "Values without a place on this axis, marked at its edge",
        }
    };
    shown.map(entry).collect()
}
