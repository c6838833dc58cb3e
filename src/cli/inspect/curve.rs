//! `strata inspect RUN loss` and `accuracy`: the plot as the window shows it, and all of its points as JSON.
//!
//! A value that JSON has no number for is the text `NaN`, `inf` or `-inf`; `non_finite` counts them.

use super::picture::{Draw, Drawn, Picture};
use crate::cli::WrongInput;
use crate::cli::args::InspectArgs;
use serde_json::{Map, Value, json};
use strata_app::curves::{Curve, Curves, Headline};
use strata_app::state::State;
use strata_app::view_kind::ViewKind;
use strata_core::project::file;
use strata_gui::snapshot::Snapshot;
use strata_gui::views;

/// `strata inspect RUN loss`
pub(super) const LOSS: Picture = Picture {
    word: "loss",
    shows: "The loss of every step",
    takes: &[],
    draw: Draw::Folder(|args| picture(args, ViewKind::Loss)),
    ..Picture::NONE
};

/// `strata inspect RUN accuracy`
pub(super) const ACCURACY: Picture = Picture {
    word: "accuracy",
    shows: "The fraction of images classified correctly",
    takes: &[],
    draw: Draw::Folder(|args| picture(args, ViewKind::Accuracy)),
    ..Picture::NONE
};

/// The plot, with its points.
fn picture(args: &InspectArgs, kind: ViewKind) -> anyhow::Result<Drawn> {
    let mut state = State::new(file::load(&args.run.join("project.toml"))?, None);
    state.training.curves = Curves::read(&args.run);
    state.view.looks_dark = false;
    let curves = &state.training.curves;
    let quantity = views::info(kind).title.to_lowercase();
    let curve = match kind {
        ViewKind::Accuracy => &curves.accuracy,
        _ => &curves.loss,
    };
    if curve.is_empty() {
        let run = args.run.display();
        let reason = match kind {
            ViewKind::Accuracy => "nothing was classified in it",
            _ => "no step was taken",
        };
        return Err(WrongInput(format!("{run} holds no {quantity}: {reason}")).into());
    }
    let values = args.json.then(|| values(&quantity, curves, curve));
    let picture = Snapshot::of(views::Views::default().get(kind), &state);
    Ok((picture, values))
}

/// A line of the plot.
struct Line {
    name: &'static str,
    /// The split it was measured on.
    split: &'static str,
    /// `step` or `epoch`: how often there is a value.
    each: &'static str,
    points: Vec<[f64; 2]>,
}

/// What is drawn but the smoothed course, which is no measurement.
fn lines(quantity: &str, curves: &Curves, curve: &Curve) -> Vec<Line> {
    let batch = if curves.holds_penalty && quantity == "loss" {
        "batch with penalty"
    } else {
        "batch"
    };
    let steps = |name, points| Line {
        name,
        split: "train",
        each: "step",
        points,
    };
    let mut lines = vec![steps(batch, curve.raw.points().collect())];
    if quantity == "loss" {
        lines.push(steps("penalty", curves.penalty.raw.points().collect()));
    }
    lines.extend(curve.lines().map(|(name, points)| Line {
        name,
        split: name,
        each: "epoch",
        points: points.to_vec(),
    }));
    lines.retain(|line| !line.points.is_empty());
    lines
}

fn values(quantity: &str, curves: &Curves, curve: &Curve) -> Value {
    let lines = lines(quantity, curves, curve);
    let points = lines.iter().flat_map(|line| {
        let point = |[step, value]: &[f64; 2]| {
            json!({"name": line.name, "split": line.split, "step": step,
                "epoch": curves.epoch_at(*step), "value": number(*value)})
        };
        line.points.iter().map(point)
    });
    let headlines = curve.headlines(&curves.stages);
    let headline = |line: &Headline| (line.name.to_owned(), number(line.value));
    let stages = curves.stages.iter().map(|stage| {
        json!({"name": stage.name, "loss": stage.loss, "first_step": stage.step + 1.0,
            "steps_per_epoch": stage.steps_per_epoch})
    });
    json!({
        "quantity": quantity,
        "stages": stages.collect::<Vec<_>>(),
        "series": lines.iter().map(series).collect::<Vec<_>>(),
        "points": points.collect::<Vec<_>>(),
        "headline": headlines.iter().map(headline).collect::<Map<_, _>>(),
    })
}

fn series(line: &Line) -> Value {
    let count = |is: fn(f64) -> bool| line.points.iter().filter(|point| is(point[1])).count();
    json!({
        "name": line.name,
        "split": line.split,
        "each": line.each,
        "points": line.points.len(),
        "zeros": count(|value| value == 0.0),
        "non_finite": count(|value| !value.is_finite()),
    })
}

fn number(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else {
        json!(value.to_string())
    }
}
