//! `strata inspect RUN dynamics`: gradients, weights and outputs of every layer over the training, and what is wrong.

use super::picture::{Draw, Drawn, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output};
use serde_json::{Value, json};
use strata_engine::inspection::dynamics::{Dynamics, Figure, of_run};
use strata_gui::plate::of_network;

/// `strata inspect RUN dynamics`
pub(super) const PICTURE: Picture = Picture {
    word: "dynamics",
    shows: "Gradients, weights, updates and outputs of every layer over the training, with warnings",
    takes: &["--figure", "--numbers"],
    draw: Draw::Folder(picture),
    ..Picture::NONE
};

/// The plot of a figure, with the warnings; the numbers are `layer × step × [step, figures]`.
fn picture(args: &InspectArgs) -> anyhow::Result<Drawn> {
    let dynamics = of_run(&args.run).map_err(|error| WrongInput(error.to_string()))?;
    if dynamics.layers.is_empty() {
        return Err(WrongInput("this run has taken no step yet".to_owned()).into());
    }
    let mut is_any = false;
    for (course, trouble) in dynamics.troubled() {
        is_any = true;
        output::say(&format!(
            "{}, {}: {}",
            course.name,
            trouble.word(),
            trouble.sentence()
        ));
    }
    if !is_any {
        output::say("no layer is dying, saturated, exploding or vanishing");
    }
    if let Some(file) = &args.numbers {
        save(&dynamics, file)?;
    }
    let figure = args.dynamics.figure.unwrap_or_default();
    Ok((
        of_network::dynamics(&dynamics, figure),
        Some(value(&dynamics)),
    ))
}

/// A row for each layer and step: the step, then every figure, not-a-number where a layer has none.
fn save(dynamics: &Dynamics, file: &std::path::Path) -> anyhow::Result<()> {
    let rows = dynamics
        .layers
        .iter()
        .enumerate()
        .flat_map(|(layer, course)| {
            course.rows.iter().flat_map(move |row| {
                let figures = Figure::ALL.map(|figure| figure.of(row).unwrap_or(f64::NAN) as f32);
                [layer as f32, row.step as f32].into_iter().chain(figures)
            })
        });
    let values: Vec<f32> = rows.collect();
    let count = 2 + Figure::ALL.len();
    let columns = ["layer", "step"].into_iter();
    let columns = columns
        .chain(Figure::ALL.map(Figure::word))
        .collect::<Vec<_>>();
    let columns = columns.join(",");
    let axes = [("row", values.len() / count), (columns.as_str(), count)];
    Numbers {
        axes: &axes,
        values: &values,
    }
    .save(file)
}

fn value(dynamics: &Dynamics) -> Value {
    let layers = dynamics.layers.iter().map(|course| {
        let figures = Figure::ALL.map(|figure| {
            let line = course.rows.iter().map(|row| figure.of(row));
            (figure.word().to_owned(), json!(line.collect::<Vec<_>>()))
        });
        let steps: Vec<u64> = course.rows.iter().map(|row| row.step).collect();
        let troubles = course
            .troubles
            .iter()
            .map(|trouble| json!({"what": trouble.word(), "text": trouble.sentence()}));
        let mut one = json!({
            "layer": course.layer,
            "name": course.name,
            "steps": steps,
            "warnings": troubles.collect::<Vec<_>>(),
        });
        if let Some(object) = one.as_object_mut() {
            object.extend(figures);
        }
        one
    });
    json!({"step": dynamics.step, "layers": layers.collect::<Vec<_>>()})
}
