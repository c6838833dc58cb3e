//! What the first stage costs: memory of its run by kind, the largest batch that fits, and its time if asked for.

use super::super::args::CheckArgs;
use serde_json::{Map, Value, json};
use strata_core::format::{bytes, count, milliseconds, rate};
use strata_core::project::Project;
use strata_core::project::stage::Stage;
use strata_core::shape::{Inference, Plan, Row};
use strata_core::system_memory::available_bytes;
use strata_cost::{Machine, StepMemory, StepTime, largest_batch, run_memory, step_time};
use strata_engine::machine_benchmark;
use strata_engine::run::memory_check::{kept_images, machine};

/// The cost of a step of the first stage at its batch.
pub(super) struct StageCost {
    stage: String,
    batch: u32,
    /// The source of the images, where it reads files.
    files: Option<&'static str>,
    pub memory: StepMemory,
    /// What the largest batch has to fit into.
    budget: Option<u64>,
    pub largest_batch: Option<u32>,
    /// Estimated, if asked for.
    time: Option<StepTime>,
}

/// Estimated time of a step on this machine.
fn time(plan: &Plan, stage: &Stage, machine: Machine) -> Option<StepTime> {
    step_time(
        plan,
        stage,
        stage.batch,
        machine,
        machine_benchmark::measure()?,
    )
}

impl StageCost {
    /// `None` where there is no stage, or one that cannot be trained.
    pub fn of(project: &Project, inference: &Inference, args: &CheckArgs) -> Option<StageCost> {
        let (stage, plan) = (project.stages.first()?, inference.plan.as_ref()?);
        let machine = machine();
        let budget = args.memory.or_else(available_bytes);
        let kept = kept_images(project, stage, budget);
        let source = project.data.source;
        let reads_files = source.info().wants.is_some();
        let besides = budget.map(|budget| budget.saturating_sub(kept));
        Some(StageCost {
            stage: stage.name.clone(),
            batch: stage.batch,
            files: reads_files.then_some(source.name()),
            memory: run_memory(plan, stage, stage.batch, machine)?.with_kept_images(kept),
            budget,
            largest_batch: besides.and_then(|free| largest_batch(plan, stage, machine, free)),
            time: args.time.then(|| time(plan, stage, machine)).flatten(),
        })
    }

    /// Estimated milliseconds of a step, if asked for.
    pub fn step_ms(&self) -> Option<f64> {
        self.time.as_ref().map(|time| 1e3 * time.total())
    }

    /// Estimated seconds of a layer's passes in a step, if asked for; of a block with all that is in it. None where the
    /// step does not compute it, or another layer does along with its own work.
    pub fn seconds_of(&self, row: &Row) -> Option<f64> {
        let seconds = self.time.as_ref()?.within(&row.place);
        (seconds > 0.0).then_some(seconds)
    }

    /// `{"stage": …, "batch": 64, "weights": …, …, "total": …}`, in bytes.
    pub fn memory_json(&self) -> Value {
        let total = self.memory.total();
        let mut parts: Map<String, Value> = total
            .parts()
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), json!(bytes)))
            .collect();
        parts.extend([
            ("stage".to_owned(), json!(self.stage)),
            ("batch".to_owned(), json!(self.batch)),
            ("total".to_owned(), json!(total.total())),
            ("budget".to_owned(), json!(self.budget)),
        ]);
        Value::Object(parts)
    }

    /// The same for people.
    pub fn lines(&self) -> Vec<String> {
        let total = self.memory.total();
        let parts = total
            .parts()
            .map(|(name, of)| format!("{name} {}", bytes(of)))
            .join(" · ");
        let mut lines = vec![
            format!(
                "a run of stage `{}` with batches of {} images holds {}:",
                self.stage,
                count(self.batch.into()),
                bytes(total.total())
            ),
            format!("  {parts}"),
        ];
        lines.extend(self.files.map(|source| {
            format!("  not counted: what of the files of `{source}` stays in memory")
        }));
        lines.extend(self.budget.map(|budget| match self.largest_batch {
            Some(batch) => format!(
                "  largest batch that fits into {}: {}",
                bytes(budget),
                count(batch.into())
            ),
            None => format!("  not even one image fits into {}", bytes(budget)),
        }));
        lines.extend(self.step_ms().map(|ms| {
            let speed = rate(1e3 * f64::from(self.batch) / ms.max(f64::MIN_POSITIVE));
            format!(
                "  about {} on this machine, {speed} images/s (estimated)",
                milliseconds(ms)
            )
        }));
        lines
    }
}
