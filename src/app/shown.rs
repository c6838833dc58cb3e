//! What follows from the project: shapes, problems, advice, costs.

use super::begin;
use strata_core::project::target::Target;
use strata_core::project::{Network, Project, locks};
use strata_core::shape::{self, Inference};
use strata_core::system_memory::available_bytes;
use strata_design::advice::{self, Advice, Fix};
use strata_design::{Banner, Level, Problem, Severity};
use strata_engine::run::memory_check::{kept_images, machine};

/// All that follows from the project (and from the text being typed).
pub struct Shown {
    /// The network that it follows from: with the text being typed, or a proposal that is looked at.
    pub network: Network,
    /// Shapes and costs.
    pub inference: Inference,
    /// Whether the output equals the input.
    pub banner: Banner,
    /// What stops it from being trained, and what should be known.
    pub problems: Vec<Problem>,
    /// The edits that mend each of the problems, the best first.
    pub fixes: Vec<Vec<Fix>>,
    /// What is unusual about it.
    pub advice: Vec<Advice>,
    /// What is locked.
    pub locks: Vec<Target>,
    /// Memory of a run of the first stage, where it can be trained.
    pub run_bytes: Option<u64>,
}

impl Shown {
    pub(super) fn of(project: &Project) -> Shown {
        let inference = shape::infer(&project.network);
        let begins = begin::is_empty(&project.network);
        let problems = match begins {
            // All else that is wrong with nothing is no news.
            true => vec![no_layers()],
            false => strata_design::check_inferred(project, &inference),
        };
        let mut banner = strata_design::banner(&inference);
        if begins {
            banner.level = Level::NotApplicable;
        }
        let plan = inference.plan.as_ref().zip(project.stages.first());
        let run = plan.and_then(|(plan, stage)| {
            let run = strata_cost::run_memory(plan, stage, stage.batch, machine())?;
            Some(run.with_kept_images(kept_images(project, stage, available_bytes())))
        });
        Shown {
            network: project.network.clone(),
            banner,
            fixes: advice::mends(project, &inference, &problems),
            advice: advice::advise(project, &inference),
            locks: locks::targets(project),
            run_bytes: run.map(|run| run.total().total()),
            problems,
            inference,
        }
    }
}

fn no_layers() -> Problem {
    Problem {
        severity: Severity::Error,
        place: None,
        stage: None,
        message: "the network has no layers yet".to_owned(),
        help: Vec::new(),
        is_harmless: false,
    }
}
