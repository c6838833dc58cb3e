//! A project with random numbers for images, ready to be stepped: what the engine does in a step, without
//! reading data and without telling anyone.

use super::BenchmarkError;
use super::work::{Pass, macs};
use crate::run::finite::gradient_not_finite;
use crate::run::groups::group_of;
use crate::run::pool::in_pool;
use crate::run::stage::frozen;
use candle_core::{Device, Tensor};
use rand::Rng;
use std::time::{Duration, Instant};
use strata_core::project::schedule::Rates;
use strata_core::project::size::Shape;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Place, Project};
use strata_core::rng::{Purpose, stream};
use strata_core::shape::{Inference, Plan, infer};
use strata_nn::device::has_own_kernels;
use strata_nn::layers::channels_last;
use strata_nn::loss::{self, Target, on_device};
use strata_nn::ops::storage::Buffer;
use strata_nn::optim::Learner;
use strata_nn::{Mode, Network, Parameter};

/// A network, its optimizer and one batch that is used for every step.
pub struct Workload {
    name: String,
    network: Network,
    stage: Stage,
    /// `None`: only forward passes.
    learner: Option<Learner>,
    /// Steps since the last update.
    gathered: u32,
    images: Tensor,
    target: Answer,
    gradient: Buffer,
    /// The loss and the count of a step, where they are still on the device.
    unread: Option<Tensor>,
    seed: u64,
    steps: u64,
    macs: u64,
}

/// What the output is compared with.
enum Answer {
    Images(Tensor),
    Labels(Vec<u32>),
}

/// The parts of a step. On a GPU work is handed over before it is done: what is left of the backward
/// pass then counts as update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTimes {
    /// From the images to the output.
    pub forward: Duration,
    /// The loss, its gradient, and how many answers are right.
    pub loss: Duration,
    /// Gradients of all parameters, and whether they are finite.
    pub backward: Duration,
    /// New parameters.
    pub update: Duration,
}

impl StepTimes {
    /// The whole step.
    pub fn total(&self) -> Duration {
        self.forward + self.loss + self.backward + self.update
    }
}

impl Workload {
    /// The first stage of a project, with a batch of this many images.
    pub fn new(
        name: &str,
        project: &Project,
        batch: usize,
        pass: Pass,
        device: &Device,
    ) -> Result<Workload, BenchmarkError> {
        let first = project.stages.first();
        let stage = first.ok_or_else(|| {
            BenchmarkError::Unsound(name.to_owned(), "its project has no stage".to_owned())
        })?;
        Workload::of_stage(name, project, stage, batch, pass, device)
    }

    /// A stage for a project's network, with a batch of this many images.
    pub fn of_stage(
        name: &str,
        project: &Project,
        stage: &Stage,
        batch: usize,
        pass: Pass,
        device: &Device,
    ) -> Result<Workload, BenchmarkError> {
        let unsound = |why: &str| BenchmarkError::Unsound(name.to_owned(), why.to_owned());
        let stage = stage.clone();
        let inference = infer(&project.network);
        let plan = inference
            .plan
            .as_ref()
            .ok_or_else(|| unsound("its encoder has an error"))?;
        let mut network = Network::new(plan, project.seed, device)?;
        network.set_frozen(&frozen(&stage));
        network.set_sparsity(stage.sparsity.as_ref())?;
        let at_once = |_: &Place| 0;
        let group =
            |parameter: &Parameter| group_of(project, &stage, &[], &|_| false, &at_once, parameter);
        let learner = (pass == Pass::Training)
            .then(|| Learner::new(&stage, &network, &group, None))
            .transpose()?;
        let images = random_images(project.seed, 0, network.input_dims(batch), device)?;
        let output = channels_last(batch, output_shape(&inference, plan, stage.task)).to_vec();
        let target = answer(&stage, project.seed, &images, output)?;
        let macs = macs(plan, stage.task.into(), pass).saturating_mul(batch as u64);
        let (name, seed) = (name.to_owned(), project.seed);
        Ok(Workload {
            name,
            network,
            stage,
            learner,
            gathered: 0,
            images,
            target,
            gradient: Buffer::default(),
            unread: None,
            seed,
            steps: 0,
            macs,
        })
    }

    /// Multiply-accumulates of a step.
    pub fn macs(&self) -> u64 {
        self.macs
    }

    /// The network.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// What is done with the gradients alone: the weights are moved where enough of them were added up.
    pub(super) fn update(&mut self) -> Result<(), BenchmarkError> {
        let Some(learner) = &mut self.learner else {
            return Ok(());
        };
        self.gathered += 1;
        let is_last = self.gathered >= self.stage.accumulate;
        let images = self.images.dims().first().copied().unwrap_or(1);
        learner.gather(&mut self.network, images, is_last)?;
        if is_last {
            self.gathered = 0;
            let lr = self.stage.optimizer.lr();
            learner.update(&mut self.network, Rates { lr, momentum: None })?;
        }
        Ok(())
    }

    /// Puts another batch in the place of the one it has: as many images of the same shape, with labels where the
    /// network classifies.
    pub fn feed(&mut self, images: Tensor, labels: &[u32]) {
        match &mut self.target {
            Answer::Labels(known) => {
                known.clear();
                known.extend_from_slice(labels);
            }
            Answer::Images(target) => *target = images.clone(),
        }
        self.images = images;
    }

    /// Takes one step: of training, or one forward pass.
    pub fn step(&mut self) -> Result<StepTimes, BenchmarkError> {
        self.steps += 1;
        in_pool(|| match self.learner {
            Some(_) => self.train(),
            None => self.infer(),
        })
    }

    fn infer(&mut self) -> Result<StepTimes, BenchmarkError> {
        let start = Instant::now();
        self.network
            .forward(self.stage.task.into(), &self.images, Mode::Eval)?;
        self.network.device().synchronize()?;
        Ok(StepTimes {
            forward: start.elapsed(),
            ..StepTimes::default()
        })
    }

    fn train(&mut self) -> Result<StepTimes, BenchmarkError> {
        let mut clock = Instant::now();
        let mode = Mode::Train {
            seed: self.seed,
            step: self.steps,
        };
        let output = self
            .network
            .forward(self.stage.task.into(), &self.images, mode)?;
        let forward = lap(&mut clock);
        let gradient = self.compare(&output)?;
        let loss = lap(&mut clock);
        match self.stage.task {
            Task::Reconstruct => self.network.backward(&gradient)?,
            Task::Classify => self.network.backward_from_logits(&gradient)?,
        }
        self.read()?;
        if gradient_not_finite(&self.network)?.is_some() {
            return Err(BenchmarkError::NotFinite(
                format!("a gradient of {}", self.name),
                self.steps,
            ));
        }
        let backward = lap(&mut clock);
        self.update()?;
        self.network.device().synchronize()?;
        Ok(StepTimes {
            forward,
            loss,
            backward,
            update: lap(&mut clock),
        })
    }

    /// The loss's gradient; what the engine reports of a step is computed as well.
    fn compare(&mut self, output: &Tensor) -> Result<Tensor, BenchmarkError> {
        if !has_own_kernels(self.network.device()) {
            return self.compare_on_device(output);
        }
        let (output, target) = match &self.target {
            Answer::Images(images) => (output.clone(), Target::Images(images)),
            Answer::Labels(labels) => {
                let logits = self.network.logits(output)?;
                loss::count_correct(&logits, labels)?;
                (logits, Target::Labels(labels))
            }
        };
        let evaluated = loss::evaluate(self.stage.loss, &output, target, Some(&mut self.gradient))?;
        let is_finite = (evaluated.value + self.network.penalty()).is_finite();
        let not_finite =
            || BenchmarkError::NotFinite(format!("the loss of {}", self.name), self.steps);
        evaluated
            .gradient
            .filter(|_| is_finite)
            .ok_or_else(not_finite)
    }
}

impl Workload {
    /// The same on a device. Its numbers are read when the backward pass is asked for, as a step of training does.
    fn compare_on_device(&mut self, output: &Tensor) -> Result<Tensor, BenchmarkError> {
        let (output, target, correct) = match &self.target {
            Answer::Images(images) => (output.clone(), Target::Images(images), None),
            Answer::Labels(labels) => {
                let logits = self.network.logits(output)?;
                let correct = on_device::count_correct(&logits, labels)?;
                (logits, Target::Labels(labels), Some(correct))
            }
        };
        let evaluated = on_device::evaluate(self.stage.loss, None, &output, target)?;
        let loss = evaluated.value;
        let correct = correct.map_or_else(|| loss.zeros_like(), Ok)?;
        self.unread = Some(Tensor::stack(&[&loss, &correct], 0)?);
        Ok(evaluated.gradient)
    }

    /// Waits for what [`Workload::compare_on_device`] left.
    fn read(&mut self) -> Result<(), BenchmarkError> {
        let Some(unread) = self.unread.take() else {
            return Ok(());
        };
        let numbers = unread.to_vec1::<f32>()?;
        if numbers.iter().all(|number| number.is_finite()) {
            return Ok(());
        }
        let what = format!("the loss of {}", self.name);
        Err(BenchmarkError::NotFinite(what, self.steps))
    }
}

/// The time since the last lap.
fn lap(clock: &mut Instant) -> Duration {
    let now = Instant::now();
    now - std::mem::replace(clock, now)
}

/// The output of the stack after the encoder, or of the encoder where there is none.
fn output_shape<'a>(inference: &'a Inference, plan: &'a Plan, task: Task) -> &'a Shape {
    let output = match task {
        Task::Reconstruct => inference.output.as_ref(),
        Task::Classify => inference.answer.as_ref(),
    };
    output.unwrap_or(&plan.code)
}

/// Labels, the images themselves, or random numbers where the output has other dimensions than they.
fn answer(
    stage: &Stage,
    seed: u64,
    images: &Tensor,
    output: Vec<usize>,
) -> Result<Answer, BenchmarkError> {
    Ok(match stage.task {
        Task::Classify => {
            let classes = output[1..].iter().product::<usize>().max(1) as u32;
            let mut rng = stream(seed, Purpose::Bench, 1);
            Answer::Labels(
                (0..output[0])
                    .map(|_| rng.random_range(0..classes))
                    .collect(),
            )
        }
        Task::Reconstruct if output == images.dims() => Answer::Images(images.clone()),
        Task::Reconstruct => Answer::Images(random_images(seed, 1, output, images.device())?),
    })
}

/// Uniform in −1..1.
fn random_images(
    seed: u64,
    counter: u64,
    dims: Vec<usize>,
    device: &Device,
) -> Result<Tensor, BenchmarkError> {
    let mut rng = stream(seed, Purpose::Bench, counter);
    let count = dims.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|_| 2.0 * rng.random::<f32>() - 1.0)
        .collect();
    Ok(Tensor::from_vec(values, dims, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    fn workload(name: &str, pass: Pass) -> Workload {
        let project = builtin::find(name).unwrap().project().unwrap();
        Workload::new(name, &project, 2, pass, &Device::Cpu).unwrap()
    }

    #[test]
    fn a_step_trains_and_a_forward_pass_does_not() {
        let weights = |workload: &Workload| -> Vec<f32> {
            let value = workload.network.parameters()[0].value.flatten_all();
            value.unwrap().to_vec1().unwrap()
        };
        for (pass, trains) in [(Pass::Training, true), (Pass::Inference, false)] {
            let mut workload = workload("lenet-mnist", pass);
            let before = weights(&workload);
            let times = workload.step().unwrap();
            assert_eq!(before != weights(&workload), trains, "{pass:?}");
            assert_eq!(times.update > Duration::ZERO, trains, "{pass:?}");
            assert!(times.total() >= times.forward && times.forward > Duration::ZERO);
        }
    }

    #[test]
    fn outputs_that_are_no_images_have_a_target_of_their_shape() {
        let mut project = builtin::find("lenet-mnist").unwrap().project().unwrap();
        project.stages[0].task = Task::Reconstruct;
        project.stages[0].loss = strata_core::project::loss::Loss::Mse;
        let workload = Workload::new("code", &project, 2, Pass::Training, &Device::Cpu).unwrap();
        let Answer::Images(target) = &workload.target else {
            panic!("images")
        };
        assert_ne!(target.dims(), workload.images.dims());
    }
}
