//! The arithmetic of one value in one sentence.

use super::{Seen, child, result, short};
use crate::theme;
use eframe::egui::{Label, Rect, RichText, Ui};
use strata_inspect::kernel::{Match, Response, terms};
use strata_inspect::kernel_playground::{Outcome, Playground};

/// Products that are written out.
const MOST: usize = 9;

/// Below the pictures: which pixels times which weights.
pub(super) fn show(
    ui: &mut Ui,
    area: Rect,
    seen: &Seen,
    answer: &Playground,
    cell: Option<[usize; 2]>,
) {
    let text = match &answer.outcome {
        Ok(Outcome::Response(response)) => {
            sum(seen, response, result::chosen(cell, response.output.size))
        }
        Ok(Outcome::Match(found)) => score(found, result::chosen(cell, found.scores.size)),
        Err(_) => return,
    };
    let text = RichText::new(text)
        .font(theme::digits(theme::SMALL))
        .color(theme::palette(ui).text);
    child(ui, "formula", area).add(Label::new(text).wrap());
}

fn sum(seen: &Seen, response: &Response, at: [usize; 2]) -> String {
    let (kernel, settings) = (&seen.query.request.kernel, &seen.query.request.settings);
    let terms = terms(response, kernel, settings, at, 0);
    let product = |(value, weight): (f32, f32)| match weight < 0.0 {
        true => format!("{}·({})", short(value), short(weight)),
        false => format!("{}·{}", short(value), short(weight)),
    };
    let counted: Vec<String> = terms
        .iter()
        .filter(|term| term.weight != 0.0)
        .map(|term| product((term.value, term.weight)))
        .collect();
    let rest = counted.len().saturating_sub(MOST);
    let mut parts: Vec<String> = counted.into_iter().take(MOST).collect();
    parts.extend((rest > 0).then(|| format!("{rest} more")));
    parts.extend((kernel.offset != 0.0).then(|| short(kernel.offset)));
    let names = ["red", "green", "blue"];
    let colour = response.output.channels == 3;
    let place = match response.output.size[0] {
        1 => format!("value {}", at[1] + 1),
        _ => place(at),
    };
    let of = if colour { ", red" } else { "" };
    let value = |channel: usize| short(response.output.at(at[0], at[1], channel));
    let outside = terms
        .iter()
        .filter(|term| term.padded && term.weight != 0.0)
        .count();
    let mut text = format!(
        "{place} of the result{of} = {} = {}",
        parts.join(" + "),
        value(0)
    );
    if colour {
        (1..3)
            .for_each(|channel| text.push_str(&format!("; {} {}", names[channel], value(channel))));
    }
    if outside > 0 {
        text.push_str(&format!("  ({outside} of the pixels are padding)"));
    }
    text
}

fn score(found: &Match, at: [usize; 2]) -> String {
    let best = found
        .places
        .iter()
        .map(|found| format!("{}: {}", place(found.at), short(found.score)));
    let best = best.collect::<Vec<_>>().join("   ");
    let score = short(found.scores.at(at[0], at[1], 0));
    format!(
        "likeness at {} = Σ weight · pixel / ‖pixels − their mean‖ = {score}\nbest: {best}",
        place(at)
    )
}

/// `row 17, column 17`, counted from 1.
fn place([row, column]: [usize; 2]) -> String {
    format!("row {}, column {}", row + 1, column + 1)
}
