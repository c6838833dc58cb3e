//! What the view shows, computed again only when the network, the stage or what is known of the machine changes.

use std::sync::Arc;
use strata_app::state::{CostColumn, State};
use strata_core::project::Place;
use strata_core::project::data::DataSpec;
use strata_core::project::stage::Stage;
use strata_core::shape::{Plan, Row};
use strata_core::system_memory::available_bytes;
use strata_cost::{StepMemory, StepTime, largest_batch, run_memory, step_time};
use strata_engine::benchmark::layer_times::{LayerTime, LayerTimes, Request};
use strata_engine::inspection::reply::{Query, Reply};
use strata_engine::machine_benchmark;
use strata_engine::run::memory_check::{kept_images, machine};
use strata_inspect::inspection::Subject;

/// What the figures follow from.
#[derive(PartialEq)]
struct Key {
    plan: Plan,
    data: DataSpec,
    seed: u64,
    index: usize,
    stage: Stage,
    is_measured: bool,
}

/// What a step of the open stage costs.
#[derive(Default)]
pub(super) struct Figures {
    key: Option<Key>,
    pub memory: Option<StepMemory>,
    pub time: Option<StepTime>,
    /// Memory that is free.
    pub budget: Option<u64>,
    pub largest: Option<u32>,
    /// What was measured of this network in this stage.
    pub measured: Option<Arc<LayerTimes>>,
}

/// The query that measures the open stage.
pub(super) fn query(state: &State) -> Option<Query<LayerTimes>> {
    let (stage, _) = stage(state)?;
    let project = Box::new(state.project().clone());
    Some(Query::new(Subject::Nothing, Request { project, stage }))
}

/// The latest measurement, where it is of this network in this stage.
pub(super) fn reply(state: &State) -> Option<&Arc<Reply<LayerTimes>>> {
    let (index, stage) = stage(state)?;
    let reply = state.inspections.latest::<LayerTimes>()?;
    let Request { project, stage: of } = &reply.query.request;
    let is_same = *of == index
        && project.network == *state.network()
        && project.stages.get(index) == Some(stage);
    is_same.then_some(reply)
}

/// The stage that is open in the settings, or the first.
pub(super) fn stage(state: &State) -> Option<(usize, &Stage)> {
    let stages = &state.project().stages;
    let open = state
        .view
        .stage
        .filter(|index| *index < stages.len())
        .unwrap_or(0);
    Some((open, stages.get(open)?))
}

impl Figures {
    /// Brings everything up to date.
    pub fn update(&mut self, state: &State) {
        let measured = reply(state).and_then(|reply| reply.result.as_ref().ok().cloned());
        self.predict(state);
        self.measured = measured;
    }

    fn predict(&mut self, state: &State) {
        let Some((plan, (index, stage))) = state.shown.inference.plan.as_ref().zip(stage(state))
        else {
            *self = Figures::default();
            return;
        };
        let speeds = machine_benchmark::latest();
        let project = state.project();
        let known = |key: &Key| {
            key.plan == *plan
                && key.data == project.data
                && (key.seed, key.index) == (project.seed, index)
                && key.stage == *stage
                && key.is_measured == speeds.is_some()
        };
        if self.key.as_ref().is_some_and(known) {
            return;
        }
        let (machine, budget) = (machine(), available_bytes());
        let kept = kept_images(project, stage, budget);
        let besides = budget.map(|budget| budget.saturating_sub(kept));
        let run = run_memory(plan, stage, stage.batch, machine);
        self.memory = run.map(|run| run.with_kept_images(kept));
        self.time = speeds.and_then(|speeds| step_time(plan, stage, stage.batch, machine, speeds));
        self.largest = besides.and_then(|free| largest_batch(plan, stage, machine, free));
        self.budget = budget;
        self.key = Some(Key {
            plan: plan.clone(),
            data: project.data.clone(),
            seed: project.seed,
            index,
            stage: stage.clone(),
            is_measured: speeds.is_some(),
        });
    }

    /// A row's value; of a block whose layers are shown, what the block itself takes.
    pub fn of(&self, row: &Row, whole: bool, quantity: CostColumn) -> f64 {
        let counted = !row.is_block || whole;
        match quantity {
            CostColumn::Parameters if counted => row.parameters as f64,
            CostColumn::Macs if counted => row.macs as f64,
            CostColumn::Parameters | CostColumn::Macs => 0.0,
            CostColumn::Memory => self.memory_of(&row.place, whole).total() as f64,
            CostColumn::Time => self.time.as_ref().map_or(0.0, |time| match whole {
                true => time.within(&row.place),
                false => time.layers.get(&row.place).copied().unwrap_or(0.0),
            }),
            CostColumn::Forward
            | CostColumn::Backward
            | CostColumn::Update
            | CostColumn::Arithmetic
            | CostColumn::Traffic => measured_of(&self.time_of(row, whole), quantity),
        }
    }

    /// What was measured of a row; nothing where it was not.
    pub(super) fn time_of(&self, row: &Row, whole: bool) -> LayerTime {
        let Some(measured) = &self.measured else {
            return LayerTime::default();
        };
        match whole {
            true => measured.within(&row.place),
            false => measured.at(&row.place).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn memory_of(&self, place: &Place, whole: bool) -> strata_cost::Bytes {
        let memory = self.memory.as_ref();
        memory
            .map(|memory| {
                if whole {
                    memory.within(place)
                } else {
                    memory.own(place)
                }
            })
            .unwrap_or_default()
    }

    /// What belongs to no layer.
    pub fn common(&self, quantity: CostColumn) -> f64 {
        match quantity {
            CostColumn::Memory => self
                .memory
                .as_ref()
                .map_or(0.0, |memory| memory.shared.total() as f64),
            CostColumn::Time => self
                .time
                .as_ref()
                .map_or(0.0, |time| time.loss + time.update),
            // The loss and what else belongs to no layer.
            CostColumn::Forward => self.measured.as_ref().map_or(0.0, |measured| {
                (measured.loss_ms + measured.rest_ms()) / 1e3
            }),
            CostColumn::Parameters
            | CostColumn::Macs
            | CostColumn::Backward
            | CostColumn::Update
            | CostColumn::Arithmetic
            | CostColumn::Traffic => 0.0,
        }
    }

    /// All layers and what belongs to none.
    pub fn total(&self, state: &State, quantity: CostColumn) -> f64 {
        let totals = &state.shown.inference.totals;
        match quantity {
            CostColumn::Parameters => totals.parameters as f64,
            CostColumn::Macs => totals.macs as f64,
            CostColumn::Memory => self
                .memory
                .as_ref()
                .map_or(0.0, |memory| memory.total().total() as f64),
            CostColumn::Time => self.time.as_ref().map_or(0.0, StepTime::total),
            CostColumn::Forward
            | CostColumn::Backward
            | CostColumn::Update
            | CostColumn::Arithmetic
            | CostColumn::Traffic => self.measured.as_ref().map_or(0.0, |measured| {
                measured_of(&measured.all(), quantity) + self.common(quantity)
            }),
        }
    }
}

fn measured_of(time: &LayerTime, quantity: CostColumn) -> f64 {
    match quantity {
        CostColumn::Forward => time.forward_ms / 1e3,
        CostColumn::Backward => time.backward_ms / 1e3,
        CostColumn::Update => time.update_ms / 1e3,
        CostColumn::Arithmetic => time.gflops(),
        CostColumn::Traffic => time.gigabytes(),
        CostColumn::Parameters | CostColumn::Macs | CostColumn::Memory | CostColumn::Time => 0.0,
    }
}
