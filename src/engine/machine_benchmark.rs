//! What this machine can do, measured once in a process: a few typical kernels, a fraction of a second.
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
use strata_core::shape::infer;
use strata_cost::time::{CACHED, Rate, Speeds, UNCACHED};
use strata_nn::layers::channels_last;
use strata_nn::{Mode, Network, NnError, Route};

/// The best of so many passes counts, after one that makes the buffers; fewer where they take longer together.
const TRIES: usize = 6;
const LONGEST: Duration = Duration::from_millis(25);

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
    let measured = MEASURED.get_or_init(|| {
        let unmeasured = |error: &NnError| {
            log::warn!("this machine could not be measured, so no time is estimated: {error}");
        };
        all().inspect_err(unmeasured).ok()
    });
    measured.as_ref()
}

fn all() -> Result<Speeds, NnError> {
    let machine = super::run::memory_check::machine();
    // One vector of outputs, and four.
    let lanes = machine.lanes as usize;
    // Two vectors of 16 at least: fewer channels are not computed at points.
    let (few, many) = (2 * lanes.max(16), 4 * lanes.max(16));
    let conv = |channels: usize, window: &str| format!("conv {channels} {window}");
    // Three tensors: input, output and gradient.
    let bytes = |batch: usize| (4 * 32 * 64 * 64 * batch) as f64;
    let batch_of = |held: f64| (held / 3.0 / bytes(1)).round().max(1.0) as usize;
    // A number read and one written; then gradient, input or output, and what is written.
    let bandwidth = |batch: usize| -> Result<f64, NnError> {
        Ok(5.0 * bytes(batch) / passes("relu", "32x64x64", batch)?.sum())
    };
    Ok(Speeds {
        narrow: rate(&conv(lanes, "k5 p2"), &format!("{lanes}x32x32"), 4)?,
        wide: rate(
            &conv(4 * lanes, "k5 p2"),
            &format!("{}x16x16", 4 * lanes),
            4,
        )?,
        narrow_points: rate(&conv(few, "k3 p1"), &format!("{few}x32x32"), 8)?,
        wide_points: rate(&conv(many, "k3 p1"), &format!("{many}x16x16"), 8)?,
        pointwise: rate("conv 64 k1", "64x16x16", 8)?,
        depthwise: rate("dwconv k3 p1", "64x32x32", 8)?,
        dense: rate("dense 512", "512", 64)?,
        bandwidth: bandwidth(batch_of(CACHED))?,
        memory_bandwidth: bandwidth(batch_of(UNCACHED))?,
        start: passes("relu", "1x1x1", 1)?.sum() / 2.0,
    })
}

/// Seconds of both passes of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Passes {
    /// Forward, as in training.
    pub forward: f64,
    /// Backward, to all parameters and the input.
    pub backward: f64,
}

impl Passes {
    fn sum(self) -> f64 {
        (self.forward + self.backward).max(f64::MIN_POSITIVE)
    }
}

/// Multiply-adds a second of a layer.
fn rate(text: &str, input: &str, batch: usize) -> Result<Rate, NnError> {
    let passes = passes(text, input, batch)?;
    let network = one_layer(text, input)?;
    let each = infer(&network).totals.macs as f64 * batch as f64;
    let rate = |times: f64, seconds: f64| times * each / seconds.max(f64::MIN_POSITIVE);
    Ok(Rate {
        forward: rate(1.0, passes.forward),
        backward: rate(2.0, passes.backward),
    })
}

fn one_layer(text: &str, input: &str) -> Result<project::Network, NnError> {
    let input = input
        .parse()
        .map_err(|_| NnError::Unsupported(format!("the size {input}")))?;
    Ok(project::Network {
        input,
        encoder: vec![Node::from_text(text)],
        decoder: Vec::new(),
        head: Vec::new(),
    })
}

/// The shortest times of a layer's passes, all gradients computed.
pub fn passes(text: &str, input: &str, batch: usize) -> Result<Passes, NnError> {
    let stacks = one_layer(text, input)?;
    let plan = infer(&stacks)
        .plan
        .ok_or_else(|| NnError::Unsupported(format!("the layer {text}")))?;
    let mut network = Network::new(&plan, 0, &Device::Cpu)?;
    let images = Tensor::ones(network.input_dims(batch), DType::F32, &Device::Cpu)?;
    let gradient = Tensor::ones(
        channels_last(batch, &plan.code).to_vec(),
        DType::F32,
        &Device::Cpu,
    )?;
    let mut best = Passes {
        forward: f64::MAX,
        backward: f64::MAX,
    };
    let begun = Instant::now();
    for index in 0..=TRIES {
        if index > 1 && begun.elapsed() > LONGEST {
            break;
        }
        // Weights that have changed are packed again, as in a step.
        network.parameters_mut();
        let start = Instant::now();
        network.forward(
            Route::Reconstruct,
            &images,
            Mode::Train { seed: 0, step: 0 },
        )?;
        let forward = start.elapsed().as_secs_f64();
        network.backward_to_input(&gradient)?;
        let backward = start.elapsed().as_secs_f64() - forward;
        if index > 0 {
            best = Passes {
                forward: best.forward.min(forward),
                backward: best.backward.min(backward),
            };
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_measured_quickly_and_once() {
        let start = Instant::now();
        let speeds = measure().unwrap();
        let first = start.elapsed();
        let rates = [
            speeds.narrow,
            speeds.wide,
            speeds.narrow_points,
            speeds.wide_points,
            speeds.pointwise,
            speeds.depthwise,
            speeds.dense,
        ];
        assert!(
            rates
                .iter()
                .all(|rate| rate.forward > 1e6 && rate.backward > 1e6),
            "{speeds:?}"
        );
        assert!(speeds.memory_bandwidth > 1e7);
        assert!(speeds.bandwidth > 1e7 && speeds.start < 0.1, "{speeds:?}");
        let again = Instant::now();
        assert_eq!(measure(), Some(speeds));
        assert!(again.elapsed() < first);
    }
}
