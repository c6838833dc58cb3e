//! The course of a training by layer, from the file in the run's folder, with warnings in words.
//!
//! Reading needs no weights and no images: it works for a run in training as for one that has ended. Fails where the
//! run has no such file, as one of an earlier version.

use crate::storage::dynamics_csv::{self, LayerDynamics};
use std::path::PathBuf;
use strata_core::project::file;
use strata_core::shape::{Inference, infer};
use strata_inspect::inspection::{InspectError, Inspection, InspectionContext, Needs};
use strata_inspect::layer_name;

/// Of the outputs this share is 0 behind a relu that is called dying.
pub const DYING: f64 = 0.95;
/// Of the outputs this share is near the ends of a sigmoid or tanh that is called saturated.
pub const SATURATED: f64 = 0.9;
/// A gradient so many times its usual size (the median of its course) is called exploding.
pub const EXPLODING: f64 = 100.0;
/// A step that changes weights by this part of themselves is called exploding too; 1e-3 is usual.
pub const LEAP: f64 = 0.3;
/// A gradient, by the norm of its weights, under this part of the largest of all layers is called vanishing.
pub const VANISHING: f64 = 1e-4;
/// Gradients this small, by their weights, are those of a loss near its end, and no warning.
const AT_REST: f64 = 1e-6;
/// Steps that a usual size needs.
const LEAST_STEPS: usize = 4;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The run's folder.
    pub run: PathBuf,
    /// Rises while the run trains, so that the file is read again.
    pub round: u64,
}

/// A figure of a layer over the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Figure {
    /// The norm of the gradient.
    #[default]
    Gradient,
    /// The norm of the weights.
    Weight,
    /// How much a step changes the weights, by their norm.
    Update,
    /// The mean of the outputs.
    Mean,
    /// Their standard deviation.
    Std,
    /// The share of them that is 0.
    Zeros,
    /// The share of them near the ends of a sigmoid or tanh.
    Saturated,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 7] = [
        Figure::Gradient,
        Figure::Weight,
        Figure::Update,
        Figure::Mean,
        Figure::Std,
        Figure::Zeros,
        Figure::Saturated,
    ];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Figure::Gradient => "gradient",
            Figure::Weight => "weight",
            Figure::Update => "update",
            Figure::Mean => "mean",
            Figure::Std => "std",
            Figure::Zeros => "zeros",
            Figure::Saturated => "saturated",
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Figure::Gradient => "norm of the gradient",
            Figure::Weight => "norm of the weights",
            Figure::Update => "update to weight",
            Figure::Mean => "mean of the outputs",
            Figure::Std => "deviation of the outputs",
            Figure::Zeros => "share of zeros",
            Figure::Saturated => "share saturated",
        }
    }

    /// Whether it is drawn on a logarithmic axis.
    pub fn is_logarithmic(self) -> bool {
        matches!(
            self,
            Figure::Gradient | Figure::Weight | Figure::Update | Figure::Std
        )
    }

    /// The value in a row.
    pub fn of(self, row: &LayerDynamics) -> Option<f64> {
        match self {
            Figure::Gradient => row.gradient,
            Figure::Weight => row.weight,
            Figure::Update => row.update,
            Figure::Mean => row.mean,
            Figure::Std => row.std,
            Figure::Zeros => row.zeros,
            Figure::Saturated => row.saturated,
        }
    }
}

/// What is wrong with a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// Nearly all outputs of a relu are 0: which share.
    Dying(f64),
    /// Nearly all outputs of a sigmoid or tanh are at its ends: which share.
    Saturated(f64),
    /// The gradient is so many times its usual size.
    Exploding(f64),
    /// A step changed the weights by this part of themselves.
    Leaping(f64),
    /// The gradient by its weights is this part of the largest of all layers.
    Vanishing(f64),
}

impl Trouble {
    /// One or two words.
    pub fn word(self) -> &'static str {
        match self {
            Trouble::Dying(_) => "dying relu",
            Trouble::Saturated(_) => "saturated",
            Trouble::Exploding(_) | Trouble::Leaping(_) => "exploding",
            Trouble::Vanishing(_) => "vanishing gradient",
        }
    }

    /// What is seen, with the figure, and what to try.
    pub fn sentence(self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        match self {
            Trouble::Dying(share) => format!(
                "{} of its outputs are 0: units that never answer get no gradient. Try a smaller learning rate, batch norm (bn) before it, or leakyrelu",
                percent(share)
            ),
            Trouble::Saturated(share) => format!(
                "{} of its outputs are at its ends, where it has hardly a gradient. Try batch norm (bn) before it, or relu in its place",
                percent(share)
            ),
            Trouble::Exploding(times) => format!(
                "its gradient is {times:.0} times its usual size. Try a smaller learning rate, or batch norm (bn)"
            ),
            Trouble::Leaping(part) => format!(
                "a step changes its weights by {}; a thousandth is usual. Try a smaller learning rate",
                percent(part)
            ),
            Trouble::Vanishing(part) => format!(
                "its gradient, by its weights, is {part:.0e} of the largest layer's: it hardly learns. Try relu for sigmoid or tanh, batch norm (bn), skip connections, or fewer layers before the loss"
            ),
        }
    }
}

/// A layer over the steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerCourse {
    /// Its key: `encoder.0`.
    pub layer: String,
    /// Its key with its text.
    pub name: String,
    /// Its rows, by step.
    pub rows: Vec<LayerDynamics>,
    /// What is wrong with it at its last row.
    pub troubles: Vec<Trouble>,
}

impl LayerCourse {
    /// The figure at every step that has it.
    pub fn line(&self, figure: Figure) -> Vec<[f64; 2]> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some([row.step as f64, figure.of(row)?]))
            .collect()
    }

    /// The latest value of a figure.
    pub fn last(&self, figure: Figure) -> Option<f64> {
        figure.of(self.rows.last()?)
    }
}

/// The course of a training by layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dynamics {
    /// The last step that was looked at.
    pub step: u64,
    /// The layers in their order.
    pub layers: Vec<LayerCourse>,
}

impl Dynamics {
    /// The layers with something wrong.
    pub fn troubled(&self) -> impl Iterator<Item = (&LayerCourse, Trouble)> {
        let layers = self.layers.iter();
        layers.flat_map(|layer| layer.troubles.iter().map(move |trouble| (layer, *trouble)))
    }

    /// From the rows of a run, with the texts of its layers.
    pub fn of(rows: Vec<LayerDynamics>, inference: &Inference) -> Dynamics {
        let mut layers: Vec<LayerCourse> = Vec::new();
        let step = rows.last().map_or(0, |row| row.step);
        for row in rows {
            match layers.iter_mut().find(|course| course.layer == row.layer) {
                Some(course) => course.rows.push(row),
                None => layers.push(LayerCourse {
                    name: layer_name(inference, &row.layer),
                    layer: row.layer.clone(),
                    rows: vec![row],
                    troubles: Vec::new(),
                }),
            }
        }
        let reach = |course: &LayerCourse| relative(course).unwrap_or(0.0);
        let largest = layers.iter().map(reach).fold(0.0, f64::max);
        for course in &mut layers {
            course.troubles = troubles(course, largest);
        }
        Dynamics { step, layers }
    }
}

/// The gradient by the weights, at the last row.
fn relative(course: &LayerCourse) -> Option<f64> {
    let row = course.rows.last()?;
    let (gradient, weight) = row.gradient.zip(row.weight)?;
    (weight > 0.0).then(|| gradient / weight)
}

fn troubles(course: &LayerCourse, largest: f64) -> Vec<Trouble> {
    let Some(row) = course.rows.last() else {
        return Vec::new();
    };
    // Also of a convolution whose relu is computed with it, and behind a pooling: what is 0 there was 0 before.
    let is_relu = course.name.contains("`relu");
    let dying = row
        .zeros
        .filter(|share| is_relu && *share >= DYING)
        .map(Trouble::Dying);
    let saturated = row
        .saturated
        .filter(|share| *share >= SATURATED)
        .map(Trouble::Saturated);
    let mut all: Vec<f64> = course.rows.iter().filter_map(|row| row.gradient).collect();
    all.sort_by(f64::total_cmp);
    let usual = all
        .get(all.len() / 2)
        .copied()
        .filter(|usual| *usual > 0.0 && all.len() >= LEAST_STEPS);
    let times = row
        .gradient
        .zip(usual)
        .map(|(gradient, usual)| gradient / usual);
    let exploding = times
        .filter(|times| *times >= EXPLODING)
        .map(Trouble::Exploding);
    let leaping = row
        .update
        .filter(|update| *update >= LEAP)
        .map(Trouble::Leaping);
    let part = relative(course)
        .filter(|_| largest > AT_REST)
        .map(|own| own / largest);
    let vanishing = part
        .filter(|part| *part < VANISHING)
        .map(Trouble::Vanishing);
    let found = [dying, saturated, exploding, leaping, vanishing];
    found.into_iter().flatten().collect()
}

/// The course of a run that is read from its folder.
pub fn of_run(run: &std::path::Path) -> Result<Dynamics, InspectError> {
    if !dynamics_csv::is_there(run) {
        return Err(InspectError::Input(
            "this run kept no dynamics: its weights were imported, or an earlier version of Strata trained it; train it on, and they are kept from there"
                .to_owned(),
        ));
    }
    let project = file::load(&run.join("project.toml"));
    let project = project.map_err(|error| InspectError::Input(error.to_string()))?;
    Ok(Dynamics::of(
        dynamics_csv::read(run),
        &infer(&project.network),
    ))
}

impl Inspection for Dynamics {
    const NAME: &'static str = "dynamics";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(_: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        of_run(&request.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(name: &str, rows: &[LayerDynamics]) -> LayerCourse {
        LayerCourse {
            name: name.to_owned(),
            rows: rows.to_vec(),
            ..LayerCourse::default()
        }
    }

    fn row(step: u64, gradient: f64) -> LayerDynamics {
        LayerDynamics {
            step,
            gradient: Some(gradient),
            weight: Some(1.0),
            update: Some(1e-3),
            ..LayerDynamics::default()
        }
    }

    fn words(course: &LayerCourse, largest: f64) -> Vec<&'static str> {
        troubles(course, largest)
            .iter()
            .map(|trouble| trouble.word())
            .collect()
    }

    #[test]
    fn each_trouble_is_said_where_it_is_and_only_there() {
        let usual: Vec<LayerDynamics> = (1..=6).map(|step| row(step, 1.0)).collect();
        assert_eq!(words(&course("conv", &usual), 1.0), [""; 0]);
        let mut rows = usual.clone();
        rows.push(row(7, 250.0));
        assert_eq!(words(&course("conv", &rows), 250.0), ["exploding"]);
        let mut rows = usual.clone();
        rows.push(LayerDynamics {
            update: Some(0.5),
            ..row(7, 1.0)
        });
        assert_eq!(words(&course("conv", &rows), 1.0), ["exploding"]);
        let small: Vec<LayerDynamics> = (1..=6).map(|step| row(step, 1e-6)).collect();
        assert_eq!(words(&course("conv", &small), 1.0), ["vanishing gradient"]);
        assert_eq!(
            words(&course("conv", &small), 1e-7),
            [""; 0],
            "all are at rest"
        );
        let outputs = |zeros: f64, saturated: Option<f64>| LayerDynamics {
            zeros: Some(zeros),
            saturated,
            ..LayerDynamics::default()
        };
        assert_eq!(
            words(&course("encoder.1 `relu`", &[outputs(0.97, None)]), 1.0),
            ["dying relu"]
        );
        assert_eq!(
            words(&course("encoder.1 `relu`", &[outputs(0.6, None)]), 1.0),
            [""; 0]
        );
        assert_eq!(
            words(&course("dropout 0.5", &[outputs(0.97, None)]), 1.0),
            [""; 0]
        );
        assert_eq!(
            words(&course("tanh", &[outputs(0.0, Some(0.95))]), 1.0),
            ["saturated"]
        );
        let said = Trouble::Dying(0.971).sentence();
        assert!(
            said.contains("97.1 %") && said.contains("Try a smaller learning rate"),
            "{said}"
        );
    }
}
