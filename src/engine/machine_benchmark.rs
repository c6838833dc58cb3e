//! What this machine can do, measured once in a process: short probes of every kind of kernel and pass, a fraction of a
//! second together.
//!
//! The kernels are those that train, run through small networks. A window asks on a thread that steps back
//! ([`begin`]); the terminal waits ([`measure`]). Failing is no more than a time that is not shown.

use super::run::thread_priority;
use candle_core::{DType, Device, Tensor};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use strata_core::project;
use strata_core::project::node::Node;
use strata_core::project::stage::{Loss, Optimizer, Sparsity, Task};
use strata_core::shape::op::{Plan, Planned, PlannedLayer};
use strata_core::shape::{Cost, infer};
use strata_cost::time::probes::{KERNELS, LAID, PASS_INPUT, PASSES, Probe};
use strata_cost::time::{CACHED, Measured, Passes, Speeds, UNCACHED};
use strata_nn::layers::channels_last;
use strata_nn::loss::{self, Target};
use strata_nn::ops::storage::Buffer;
use strata_nn::optim::Updater;
use strata_nn::{Mode, Network, NnError, Route};

/// The best of so many passes counts, after one that makes the buffers; fewer where they take longer together.
const TRIES: usize = 5;
const LONGEST: Duration = Duration::from_millis(10);

/// Numbers of the output that losses are measured with, and how many of them are an answer.
const OUTPUTS: usize = 1 << 16;
const CLASSES: usize = 64;
/// Rows and columns of the weight that optimizers are measured with: enough work for every thread.
const UPDATED: usize = 512;

static MEASURED: OnceLock<Option<Speeds>> = OnceLock::new();
static BEGUN: AtomicBool = AtomicBool::new(false);

/// What was measured; `None` while it was not yet, or could not be.
pub fn latest() -> Option<&'static Speeds> {
    MEASURED.get()?.as_ref()
}

/// Measures on its own thread, the first time it is called, and calls `wake` at the end.
pub fn begin(wake: impl FnOnce() + Send + 'static) {
    if BEGUN.swap(true, Ordering::Relaxed) {
        return;
    }
    let work = move || {
        thread_priority::lower_priority();
        measure();
        wake();
    };
    let thread = std::thread::Builder::new()
        .name("strata-speed".into())
        .spawn(work);
    if let Err(error) = thread {
        log::warn!(
            "no thread could be started to measure this machine, so no time is estimated: {error}"
        );
    }
}

/// Measures now, unless that was done before.
pub fn measure() -> Option<&'static Speeds> {
    MEASURED.get_or_init(measure_again).as_ref()
}

/// Measures now, whatever was measured before: the speed of a machine changes with what else it does.
pub fn measure_again() -> Option<Speeds> {
    let unmeasured = |error: &NnError| {
        log::warn!("this machine could not be measured, so no time is estimated: {error}");
    };
    let machine = super::run::memory_check::machine();
    let all = all().inspect_err(unmeasured).ok()?;
    Some(Speeds::of(&all, machine))
}

fn all() -> Result<Measured, NnError> {
    let kernels = KERNELS.iter().map(|probe| measured(*probe));
    let (input, batch) = PASS_INPUT;
    let passes = PASSES.iter().map(|layer| {
        measured(Probe {
            layer,
            input,
            batch,
        })
    });
    let laid = LAID.iter().map(|(probe, few)| {
        let (layer, _, many) = measured(*probe)?;
        let of_few = passes_of(&[probe.layer], probe.input, *few)?;
        Ok((layer, [*few, probe.batch], [of_few, many]))
    });
    // Three tensors: input, output and gradient.
    let bytes = |batch: usize| (4 * 32 * 64 * 64 * batch) as f64;
    let batch_of = |held: f64| (held / 3.0 / bytes(1)).round().max(1.0) as usize;
    // A number read and one written; then gradient, input or output, and what is written.
    let bandwidth = |batch: usize| -> Result<f64, NnError> {
        Ok(5.0 * bytes(batch) / sum(passes_of(&["relu"], "32x64x64", batch)?))
    };
    let update_start = of_update(&Optimizer::default(), 1)?;
    let start = sum(passes_of(&[SMALL.layer], SMALL.input, SMALL.batch)?) / 3.0;
    Ok(Measured {
        kernels: kernels.collect::<Result<_, _>>()?,
        passes: passes.collect::<Result<_, _>>()?,
        laid: laid.collect::<Result<_, NnError>>()?,
        losses: Loss::ALL
            .into_iter()
            .map(|loss| Ok((loss, of_loss(loss)? / OUTPUTS as f64)))
            .collect::<Result<_, NnError>>()?,
        optimizers: optimizers()
            .map(|optimizer| {
                let seconds = (of_update(&optimizer, UPDATED)? - update_start).max(0.0);
                Ok((optimizer, seconds / (UPDATED * UPDATED) as f64))
            })
            .collect::<Result<_, NnError>>()?,
        penalty: of_penalty()?,
        reordering: of_reordering()?,
        bandwidth: bandwidth(batch_of(CACHED))?,
        memory_bandwidth: bandwidth(batch_of(UNCACHED))?,
        start,
        update_start,
    })
}

/// A layer whose passes are over as soon as they have begun, in as many tasks as usual.
const SMALL: Probe = Probe {
    layer: "conv 16 k1",
    input: "16x2x2",
    batch: 8,
};

/// One of each optimizer, and those whose settings change what it keeps.
fn optimizers() -> impl Iterator<Item = Optimizer> {
    let texts = [
        "sgd lr=1e-3",
        "sgd lr=1e-3 momentum=0.9",
        "adam lr=1e-3",
        "adamw lr=1e-3",
        "rmsprop lr=1e-3",
        "rmsprop lr=1e-3 momentum=0.9",
        "adagrad lr=1e-3",
    ];
    texts.into_iter().filter_map(|text| text.parse().ok())
}

fn sum(passes: Passes) -> f64 {
    (passes.forward + passes.weight + passes.input).max(f64::MIN_POSITIVE)
}

fn measured(probe: Probe) -> Result<(PlannedLayer, usize, Passes), NnError> {
    let plan = planned(&[probe.layer], probe.input)?;
    let layer = match plan.stack(strata_core::project::Stack::Encoder) {
        Some([Planned::Layer(layer)]) => layer.clone(),
        _ => return Err(NnError::Unsupported(format!("the layer {}", probe.layer))),
    };
    let passes = passes_of(&[probe.layer], probe.input, probe.batch)?;
    Ok((layer, probe.batch, passes))
}

fn planned(texts: &[&str], input: &str) -> Result<Plan, NnError> {
    let input = input
        .parse()
        .map_err(|_| NnError::Unsupported(format!("the size {input}")))?;
    let network = project::Network {
        input,
        encoder: texts.iter().map(|text| Node::from_text(text)).collect(),
        decoder: Vec::new(),
        head: Vec::new(),
    };
    infer(&network)
        .plan
        .ok_or_else(|| NnError::Unsupported(format!("the layers {texts:?}")))
}

/// The shortest of some times, after one that makes the buffers.
fn shortest<const N: usize>(
    mut times: impl FnMut() -> Result<[f64; N], NnError>,
) -> Result<[f64; N], NnError> {
    let mut best = [f64::MAX; N];
    let begun = Instant::now();
    for index in 0..=TRIES {
        if index > 1 && begun.elapsed() > LONGEST {
            break;
        }
        let each = times()?;
        if index > 0 {
            best.iter_mut()
                .zip(each)
                .for_each(|(best, each)| *best = best.min(each));
        }
    }
    Ok(best)
}

/// The shortest times of the passes of some layers.
fn passes_of(texts: &[&str], input: &str, batch: usize) -> Result<Passes, NnError> {
    let plan = planned(texts, input)?;
    let mut network = Network::new(&plan, 0, &Device::Cpu)?;
    let images = Tensor::ones(network.input_dims(batch), DType::F32, &Device::Cpu)?;
    let gradient = Tensor::ones(
        channels_last(batch, &plan.code).to_vec(),
        DType::F32,
        &Device::Cpu,
    )?;
    let [forward, weight, both] = shortest(|| {
        // Weights that have changed are laid out again, as in a step.
        network.parameters_mut();
        let start = Instant::now();
        let mode = Mode::Train { seed: 0, step: 0 };
        network.forward(Route::Reconstruct, &images, mode)?;
        let forward = start.elapsed().as_secs_f64();
        let start = Instant::now();
        network.backward(&gradient)?;
        let weight = start.elapsed().as_secs_f64();
        let start = Instant::now();
        network.backward_to_input(&gradient)?;
        Ok([forward, weight, start.elapsed().as_secs_f64()])
    })?;
    Ok(Passes {
        forward,
        weight,
        input: (both - weight).max(0.0),
    })
}

/// GFLOP/s of a layer's forward pass.
pub(crate) fn gflops(probe: Probe) -> Result<f64, NnError> {
    let (layer, batch, passes) = measured(probe)?;
    let macs = Cost::of(&layer.op, &layer.input, &layer.output).macs * batch as u64;
    Ok(2.0 * macs as f64 / passes.forward.max(f64::MIN_POSITIVE) / 1e9)
}

/// Seconds of a loss with its gradient.
fn of_loss(loss: Loss) -> Result<f64, NnError> {
    let rows = OUTPUTS / CLASSES;
    let output = match loss.spec().least_side {
        Some(_) => Tensor::full(0.5f32, (OUTPUTS / (32 * 32), 32, 32, 1), &Device::Cpu)?,
        None => Tensor::full(0.5f32, (rows, CLASSES), &Device::Cpu)?,
    };
    let labels: Vec<u32> = (0..rows).map(|row| (row % CLASSES) as u32).collect();
    let target = match loss.spec().task {
        Task::Classify => Target::Labels(&labels),
        Task::Reconstruct => Target::Images(&output),
    };
    let mut buffer = Buffer::default();
    let [seconds] = shortest(|| {
        let start = Instant::now();
        loss::evaluate(loss, &output, target, Some(&mut buffer))?;
        Ok([start.elapsed().as_secs_f64()])
    })?;
    Ok(seconds)
}

/// Seconds of an update of a square of weights, with the look for numbers that are none.
fn of_update(optimizer: &Optimizer, side: usize) -> Result<f64, NnError> {
    let plan = planned(&[&format!("dense {side} nobias")], &side.to_string())?;
    let mut network = Network::new(&plan, 0, &Device::Cpu)?;
    let mut updater = Updater::new(optimizer, &network)?;
    let [seconds] = shortest(|| {
        let start = Instant::now();
        super::run::finite::gradient_not_finite(&network)?;
        updater.step(&mut network, optimizer.lr())?;
        Ok([start.elapsed().as_secs_f64()])
    })?;
    Ok(seconds)
}

/// Seconds in which a number of a weight is put into the order of the images that a dense layer reads.
fn of_reordering() -> Result<f64, NnError> {
    let (inputs, outputs) = (1024, 256);
    let layer = format!("dense {outputs} nobias");
    let plain = passes_of(&[&layer], &inputs.to_string(), 1)?;
    let through = passes_of(&["flatten", &layer], "16x8x8", 1)?;
    let more = through.forward + through.weight - plain.forward - plain.weight;
    Ok(more.max(0.0) / 2.0 / f64::from(inputs * outputs))
}

/// Seconds that a sparsity penalty needs for a number.
fn of_penalty() -> Result<f64, NnError> {
    let (channels, batch) = (64, 1 << 10);
    let plan = planned(&["sigmoid"], &channels.to_string())?;
    let mut network = Network::new(&plan, 0, &Device::Cpu)?;
    let images = Tensor::zeros((batch, channels), DType::F32, &Device::Cpu)?;
    let passes = |network: &mut Network| -> Result<f64, NnError> {
        let [seconds] = shortest(|| {
            let start = Instant::now();
            network.forward(
                Route::Reconstruct,
                &images,
                Mode::Train { seed: 0, step: 0 },
            )?;
            network.backward_to_input(&images)?;
            Ok([start.elapsed().as_secs_f64()])
        })?;
        Ok(seconds)
    };
    let without = passes(&mut network)?;
    let sparsity = Sparsity {
        rho: 0.05,
        beta: 3.0,
        l1: 0.0,
        at: None,
    };
    network.set_sparsity(Some(&sparsity))?;
    let with = passes(&mut network)?;
    Ok((with - without).max(0.0) / (channels * batch) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_measured_quickly_and_once() {
        let start = Instant::now();
        let speeds = measure().unwrap();
        let first = start.elapsed();
        println!("measured in {first:?}");
        let again = Instant::now();
        assert_eq!(measure(), Some(speeds));
        assert!(again.elapsed() < first);
    }

    #[test]
    fn every_probe_has_a_time() {
        let all = all().unwrap();
        assert_eq!(all.kernels.len(), KERNELS.len());
        assert_eq!(all.optimizers.len(), 7);
        for (layer, _, passes) in all.kernels.iter().chain(&all.passes) {
            assert!(
                sum(*passes) > 1e-7 && sum(*passes) < 1.0,
                "{layer:?} {passes:?}"
            );
        }
        for (loss, seconds) in &all.losses {
            assert!(*seconds > 0.0, "{loss}");
        }
        assert!(all.memory_bandwidth > 1e7 && all.bandwidth > 1e7);
        assert!(all.start < 0.1 && all.update_start < 0.1);
    }
}
