//! Where the time of a training step goes: forward, backward and update of every layer, with the arithmetic and the
//! bytes of each beside what the machine can do at most.
//!
//! The steps are those of [`Workload`]: whole steps as a training takes them, with layers that do the work of those behind
//! them. The update of a layer is measured by itself, with everything else frozen.

use super::roofs::Roofs;
use super::work::Pass;
use super::{BenchmarkError, Workload};
use crate::run::memory_check;
use candle_core::Device;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use strata_core::format::bytes;
use strata_core::project::stage::Stage;
use strata_core::project::{Place, Project};
use strata_core::shape::infer;
use strata_core::system_memory::available_bytes;
use strata_cost::{LayerWork, run_memory, step_work};
use strata_data::DataError;
use strata_inspect::inspection::{InspectError, Inspection, InspectionContext, Needs};
use strata_nn::PassTimes;

/// Steps before those that count.
const WARM_UP: usize = 3;
/// Updates of each layer.
const UPDATES: usize = 5;
/// In the window no more steps are begun after so long: it would keep the processor from other work.
const LONGEST: Duration = Duration::from_secs(3);
/// Steps that the window measures at most.
const STEPS: usize = 15;

/// A layer in a step; of a block what it does itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerTime {
    /// Milliseconds of the forward pass, of the gradients and of the update.
    pub forward_ms: f64,
    /// Gradients of its weights and its input.
    pub backward_ms: f64,
    /// The optimizer.
    pub update_ms: f64,
    /// What it computes and moves meanwhile.
    pub work: LayerWork,
}

impl LayerTime {
    /// Milliseconds in a step.
    pub fn total_ms(&self) -> f64 {
        self.forward_ms + self.backward_ms + self.update_ms
    }

    fn plus(mut self, other: &LayerTime) -> LayerTime {
        self.forward_ms += other.forward_ms;
        self.backward_ms += other.backward_ms;
        self.update_ms += other.update_ms;
        self.work.add(other.work);
        self
    }

    /// GFLOP/s of both passes, 2 for each multiply-accumulate.
    pub fn gflops(&self) -> f64 {
        let ms = self.forward_ms + self.backward_ms;
        2.0 * self.work.macs() as f64 / 1e6 / ms.max(f64::MIN_POSITIVE)
    }

    /// GB/s of everything.
    pub fn gigabytes(&self) -> f64 {
        self.work.bytes() as f64 / 1e6 / self.total_ms().max(f64::MIN_POSITIVE)
    }
}

/// The layers of a step in the order of the network, and what belongs to none.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTimes {
    /// The stage's name and batch.
    pub stage: String,
    /// Images of a step.
    pub batch: u32,
    /// Every layer and block of the stacks that the stage trains.
    pub layers: Vec<(Place, LayerTime)>,
    /// Milliseconds of a whole step.
    pub step_ms: f64,
    /// The loss and its gradient.
    pub loss_ms: f64,
    /// What the machine does at most.
    pub roofs: Roofs,
}

impl LayerTimes {
    /// Milliseconds that belong neither to a layer nor to the loss.
    pub fn rest_ms(&self) -> f64 {
        let layers: f64 = self.layers.iter().map(|(_, time)| time.total_ms()).sum();
        (self.step_ms - layers - self.loss_ms).max(0.0)
    }

    /// The layer at a place.
    pub fn at(&self, place: &Place) -> Option<&LayerTime> {
        let found = self.layers.iter().find(|(at, _)| at == place);
        found.map(|(_, time)| time)
    }

    /// A node with all that is in it.
    pub fn within(&self, place: &Place) -> LayerTime {
        let inside = |at: &Place| at.stack == place.stack && at.path.starts_with(&place.path);
        self.sum(inside)
    }

    /// All layers together.
    pub fn all(&self) -> LayerTime {
        self.sum(|_| true)
    }

    fn sum(&self, is_meant: impl Fn(&Place) -> bool) -> LayerTime {
        let meant = self.layers.iter().filter(|(place, _)| is_meant(place));
        meant.fold(LayerTime::default(), |sum, (_, time)| sum.plus(time))
    }

    /// Measures so many steps of a stage, on the threads of the current pool. `goes_on`: asked before each step, whether
    /// to take it.
    pub fn measure(
        project: &Project,
        stage: &Stage,
        steps: usize,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<LayerTimes, BenchmarkError> {
        let name = project.title.clone();
        let unsound = |why: &str| BenchmarkError::Unsound(name.clone(), why.to_owned());
        let inference = infer(&project.network);
        let plan = inference.plan.as_ref();
        let plan = plan.ok_or_else(|| unsound("its network has an error"))?;
        let work = step_work(plan, stage, stage.batch);
        let work = work.ok_or_else(|| unsound("a stack that the stage needs has an error"))?;
        let memory = run_memory(plan, stage, stage.batch, memory_check::machine());
        let needs = memory.map_or(0, |memory| memory.total().total());
        if let Some(free) = available_bytes().filter(|free| *free < needs) {
            let (needs, free) = (bytes(needs), bytes(free));
            return Err(BenchmarkError::TooLarge(format!(
                "a step needs {needs} of memory and {free} are free: choose a smaller batch"
            )));
        }
        let roofs = Roofs::measure()?;
        let (batch, device) = (stage.batch as usize, Device::Cpu);
        let mut workload = Workload::of_stage(
            &project.title,
            project,
            stage,
            batch,
            Pass::Training,
            &device,
        )?;
        let mut taken = Taken::default();
        for step in 0..WARM_UP + steps.max(1) {
            if !taken.steps.is_empty() && !goes_on() {
                break;
            }
            workload.network().set_timed(true);
            let times = workload.step()?;
            let layers = workload.network().take_times();
            if step >= WARM_UP {
                taken.add(times.total(), times.loss, &layers);
            }
        }
        workload.network().set_timed(false);
        let mut layers = Vec::new();
        for row in &inference.rows {
            let inside = |place: &Place| {
                place.stack == row.place.stack && place.path.starts_with(&row.place.path)
            };
            // A repeat does nothing itself: it is named for what is in it.
            let Some(work) = work.get(&row.place).copied().or_else(|| {
                let is_taken = row.is_block && work.keys().any(inside);
                is_taken.then(LayerWork::default)
            }) else {
                continue;
            };
            let update_ms = match work.update_bytes {
                0 => 0.0,
                _ => update_ms(&mut workload, &row.place)?,
            };
            let time = LayerTime {
                forward_ms: middle(taken.forward.get(&row.place)),
                backward_ms: middle(taken.backward.get(&row.place)),
                update_ms,
                work,
            };
            layers.push((row.place.clone(), time));
        }
        Ok(LayerTimes {
            stage: stage.name.clone(),
            batch: stage.batch,
            layers,
            step_ms: middle(Some(&taken.steps)),
            loss_ms: middle(Some(&taken.losses)),
            roofs,
        })
    }
}

/// Milliseconds of the steps that were taken.
#[derive(Default)]
struct Taken {
    steps: Vec<f64>,
    losses: Vec<f64>,
    forward: BTreeMap<Place, Vec<f64>>,
    backward: BTreeMap<Place, Vec<f64>>,
}

impl Taken {
    fn add(&mut self, step: Duration, loss: Duration, layers: &PassTimes) {
        let ms = |time: Duration| 1e3 * time.as_secs_f64();
        self.steps.push(ms(step));
        self.losses.push(ms(loss));
        let passes = [
            (&mut self.forward, &layers.forward),
            (&mut self.backward, &layers.backward),
        ];
        for (all, of_step) in passes {
            for (place, time) in of_step {
                all.entry(place.clone()).or_default().push(ms(*time));
            }
        }
    }
}

/// The middle one of some times; 0 of none.
fn middle(times: Option<&Vec<f64>>) -> f64 {
    let mut sorted = times.cloned().unwrap_or_default();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Milliseconds of the update of one layer's weights alone.
fn update_ms(workload: &mut Workload, place: &Place) -> Result<f64, BenchmarkError> {
    let frozen: Vec<bool> = workload
        .network()
        .parameters()
        .iter()
        .map(|p| p.frozen)
        .collect();
    for parameter in workload.network().parameters_mut() {
        parameter.frozen |= parameter.place != *place;
    }
    let times: Result<Vec<f64>, BenchmarkError> = (0..UPDATES)
        .map(|_| {
            let start = Instant::now();
            workload.update()?;
            Ok(1e3 * start.elapsed().as_secs_f64())
        })
        .collect();
    let parameters = workload.network().parameters_mut();
    for (parameter, frozen) in parameters.iter_mut().zip(frozen) {
        parameter.frozen = frozen;
    }
    Ok(middle(Some(&times?)))
}

/// What is to be measured: a stage of a project, by its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The project.
    pub project: Box<Project>,
    /// The number of its stage.
    pub stage: usize,
}

impl Inspection for LayerTimes {
    const NAME: &'static str = "the time of each layer";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let stage = request.project.stages.get(request.stage);
        let stage =
            stage.ok_or_else(|| InspectError::Input("there is no such stage".to_owned()))?;
        let begun = Instant::now();
        let mut is_wanted = true;
        let measured = LayerTimes::measure(&request.project, stage, STEPS, || {
            is_wanted = cx.is_wanted();
            is_wanted && begun.elapsed() < LONGEST
        });
        if !is_wanted {
            return Err(DataError::Cancelled.into());
        }
        measured.map_err(|error| match error {
            BenchmarkError::Network(error) => InspectError::Network(error),
            other => InspectError::Input(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    #[test]
    fn the_layers_of_a_step_take_about_as_long_as_it_does() {
        let mut project = builtin::find("lenet-mnist").unwrap().project().unwrap();
        project.stages[0].batch = 16;
        let times = LayerTimes::measure(&project, &project.stages[0], 5, || true).unwrap();
        let layers = infer(&project.network).rows;
        for row in layers {
            let named = times.layers.iter().filter(|(place, _)| *place == row.place);
            assert_eq!(named.count(), 1, "{}", row.place);
        }
        let sum: f64 = times.layers.iter().map(|(_, time)| time.total_ms()).sum();
        assert!(
            sum > 0.5 * times.step_ms && sum < 1.5 * times.step_ms,
            "{times:?}"
        );
        let conv = times.layers[0].1;
        assert!(conv.forward_ms > 0.0 && conv.backward_ms > 0.0 && conv.update_ms > 0.0);
        assert!(conv.gflops() > 0.0 && conv.gigabytes() > 0.0);
    }

    #[test]
    fn a_step_that_does_not_fit_is_refused_before_it_is_taken() {
        let mut project = builtin::find("lenet-mnist").unwrap().project().unwrap();
        project.stages[0].batch = u32::MAX;
        let refused = LayerTimes::measure(&project, &project.stages[0], 1, || true);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("choose a smaller batch"), "{message}");
    }
}
