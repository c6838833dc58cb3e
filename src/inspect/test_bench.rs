//! A small network on few built-in images that tests inspect.

use super::inspection::{InspectError, InspectedRun, Inspection, InspectionContext};
use super::inspector::Inspector;
use candle_core::Device;
use strata_core::project::file;
use strata_core::project::stage::Stage;
use strata_core::shape::{Inference, infer};
use strata_data::Dataset;
use strata_nn::Network;

/// A network on 60 of the built-in shapes, 16×16.
pub(crate) struct Bench {
    pub network: Network,
    pub inference: Inference,
    pub dataset: Dataset,
    stages: Vec<Stage>,
    inspector: Inspector,
}

impl Bench {
    /// The lines of `[network]`, and a task.
    pub(crate) fn new(network: &str, task: &str) -> Bench {
        Bench::of("", network, task)
    }

    /// The same with more lines of `[data]`.
    pub(crate) fn of(data: &str, network: &str, task: &str) -> Bench {
        let loss = if task == "classify" {
            "cross-entropy"
        } else {
            "mse"
        };
        let text = format!(
            "format = 1\n[data]\nsource = \"shapes\"\nresize = [16, 16]\nlimit = 60\n{data}\n[network]\n{network}\n[[stage]]\nname = \"a\"\ntask = \"{task}\"\nloss = \"{loss}\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 8\n"
        );
        let project = file::parse(&text, "test").unwrap();
        let inference = infer(&project.network);
        let plan = inference.plan.as_ref().unwrap();
        let network = Network::new(plan, 3, &Device::Cpu).unwrap();
        let channels = Some(project.network.input.channels());
        let dataset =
            Dataset::open_as(&project.data, channels, 3, ".".as_ref(), &mut |_| true).unwrap();
        Bench {
            network,
            inference,
            dataset,
            stages: project.stages.clone(),
            inspector: Inspector::default(),
        }
    }

    /// What an inspection says of it.
    pub(crate) fn ask<I: Inspection>(&mut self, request: &I::Request) -> Result<I, InspectError> {
        let mut cx = InspectionContext {
            run: Some(InspectedRun {
                network: &mut self.network,
                inference: &self.inference,
                stages: &self.stages,
                seed: 3,
                step: 5,
                device: &Device::Cpu,
            }),
            images: Some(&self.dataset),
            slice: None,
            inspector: &mut self.inspector,
            deadline: None,
            monitor: &mut |_| true,
        };
        I::compute(&mut cx, request)
    }
}
