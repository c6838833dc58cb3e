//! Estimated against measured times of training steps; run by hand, on a machine with nothing else to do.

use candle_core::Device;
use serde::Deserialize;
use std::time::{Duration, Instant};
use strata::bench::work::Pass;
use strata::bench::workload::StepTimes;
use strata::bench::{Workload, cases};
use strata::cost::{StepTime, step_time};
use strata::engine::benchmark::LayerTimes;
use strata::engine::machine_benchmark;
use strata::engine::run::memory_check::machine;
use strata::project::node::Node;
use strata::project::stage::{Loss, Stage, Task};
use strata::project::{Project, builtin};
use strata::shape::infer;
use strata_testkit::networks::{network, split};

const WARM_UP: usize = 2;
const STEPS: usize = 4;
const LEAST_TIME: Duration = Duration::from_millis(100);
/// Between these the estimate of every whole network lies, as a fraction of what is measured.
const WITHIN: [f64; 2] = [0.7, 1.4];
/// Outside of these the layers are printed.
const CLOSE: [f64; 2] = [0.8, 1.25];

/// Input, encoder, decoder or head, batch: what estimates were off for.
const NETWORKS: [(&str, &str, &str, &str, u32); 17] = [
    (
        "3x64x64",
        "conv 32 k3 p1;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;groupnorm 8;relu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;layernorm;relu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;bn;relu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;gelu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;elu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;silu;maxpool 2",
        "upsample 2;conv 3 k3 p1;tanh",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;noise 0.1;relu;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;relu;dropout 0.3;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 32 k3 p1;softmax;maxpool 2",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        32,
    ),
    (
        "3x64x64",
        "conv 16 k3 p1;relu;dwconv k3 p1;bn;relu6;conv 32 k1;bn;relu6;dwconv k3 s2 p1;conv 32 k1",
        "",
        "gap;flatten;dense 10",
        32,
    ),
    (
        "3x512x512",
        "conv 8 k3 s2 p1;relu;conv 16 k3 s2 p1;relu",
        "convt 8 k4 s2 p1;relu;convt 3 k4 s2 p1;sigmoid",
        "",
        4,
    ),
    (
        "3x512x512",
        "conv 8 k3 p1;relu;maxpool 2;conv 16 k3 p1;relu",
        "upsample 2;conv 3 k3 p1;sigmoid",
        "",
        1,
    ),
    (
        "3x32x32",
        "flatten;dense 2048;relu;dense 2048;relu",
        "",
        "dense 10",
        1,
    ),
    (
        "3x32x32",
        "flatten;dense 2048;relu;dense 2048;relu",
        "",
        "dense 10",
        64,
    ),
    (
        "3x64x64",
        "conv 64 k3 p1;relu;maxpool 2;conv 256 k3 p1;relu;maxpool 2;conv 512 k3 p1;relu;gap",
        "",
        "flatten;dense 1000;softmax",
        1,
    ),
    (
        "1x28x28",
        "conv 20 k5;maxpool 2;conv 50 k5;maxpool 2",
        "",
        "flatten;dense 500;relu;dense 10",
        64,
    ),
];

fn project((input, encoder, decoder, head, batch): (&str, &str, &str, &str, u32)) -> Project {
    let mut project = cases::ALL[0].project().unwrap();
    let task = if head.is_empty() {
        Task::Reconstruct
    } else {
        Task::Classify
    };
    project.network = network(input, &split(encoder), &split(decoder), &split(head));
    project.stages = vec![Stage {
        task,
        loss: match task {
            Task::Reconstruct => Loss::Mse,
            Task::Classify => Loss::CROSS_ENTROPY,
        },
        optimizer: "adamw lr=1e-3".parse().unwrap(),
        batch,
        ..Stage::default()
    }];
    project
}

/// The ratio, or the middle of three where it is far from 1: the machine may have changed its speed meanwhile.
fn steady_ratio(name: &str, project: &Project) -> f64 {
    let first = ratio(name, project);
    if (WITHIN[0]..WITHIN[1]).contains(&first) {
        return first;
    }
    let mut all = [first, ratio(name, project), ratio(name, project)];
    all.sort_by(f64::total_cmp);
    all[1]
}

/// Estimated over measured time of a step.
fn ratio(name: &str, project: &Project) -> f64 {
    let speeds = machine_benchmark::measure_again().unwrap();
    let stage = &project.stages[0];
    let plan = infer(&project.network).plan.unwrap();
    let batch = stage.batch as usize;
    let step = step_time(&plan, stage, stage.batch, machine(), &speeds).unwrap();
    let estimate = 1e3 * step.total();
    let device = Device::Cpu;
    let mut workload =
        Workload::of_stage(name, project, stage, batch, Pass::Training, &device).unwrap();
    for _ in 0..WARM_UP {
        workload.step().unwrap();
    }
    let mut times: Vec<StepTimes> = Vec::new();
    let started = Instant::now();
    // A short step is kept waiting as a whole by other work: some of many are not.
    while times.len() < STEPS || started.elapsed() < LEAST_TIME {
        times.push(workload.step().unwrap());
    }
    let measured = fastest_ms(&times);
    let ratio = estimate / measured;
    println!("{ratio:.2}: estimated {estimate:8.2} ms, measured {measured:8.2} ms, {name}");
    if !(CLOSE[0]..CLOSE[1]).contains(&ratio) {
        by_layer(project, &step);
    }
    ratio
}

/// The shortest step: the others were kept waiting by something else.
fn fastest_ms(times: &[StepTimes]) -> f64 {
    let ms = times.iter().map(|times| 1e3 * times.total().as_secs_f64());
    ms.fold(f64::INFINITY, f64::min)
}

/// Where an estimate is off.
fn by_layer(project: &Project, step: &StepTime) {
    let times = LayerTimes::measure(project, &project.stages[0], STEPS, || true).unwrap();
    println!("      {:>8} {:>8}  of a layer", "estimate", "measured");
    let update: f64 = times.layers.iter().map(|(_, time)| time.update_ms).sum();
    for row in infer(&project.network).rows {
        if let Some(time) = times.at(&row.place) {
            let estimate = 1e3 * step.layers.get(&row.place).copied().unwrap_or(0.0);
            let measured = time.forward_ms + time.backward_ms;
            let [forward, backward] = [time.forward_ms, time.backward_ms];
            println!(
                "      {estimate:8.2} {measured:8.2} ({forward:.2} + {backward:.2})  {} {} ← {}",
                row.place,
                row.text,
                row.input
                    .map_or_else(String::new, |input| input.to_string())
            );
        }
    }
    for (name, estimate, measured) in [
        ("loss", step.loss, times.loss_ms),
        ("update", step.update, update),
        ("rest", 0.0, times.rest_ms()),
    ] {
        println!("      {:8.2} {measured:8.2}  {name}", 1e3 * estimate);
    }
}

/// A network of a family that people build, as `../shared/bench/random_nets.py` draws them (seed 7).
#[derive(Deserialize)]
struct Drawn {
    name: String,
    input: String,
    batch: u32,
    encoder: Vec<Node>,
    decoder: Vec<Node>,
    head: Vec<Node>,
    optimizer: String,
}

impl Drawn {
    fn project(self) -> Project {
        let mut project = project((&self.input, "", "", "", self.batch));
        project.network.encoder = self.encoder;
        project.network.decoder = self.decoder;
        project.network.head = self.head;
        let stage = &mut project.stages[0];
        if project.network.decoder.is_empty() {
            (stage.task, stage.loss) = (Task::Classify, Loss::CROSS_ENTROPY);
        }
        stage.optimizer = self.optimizer.parse().unwrap();
        project
    }
}

#[test]
#[ignore = "means something only where nothing else runs, and with optimised kernels"]
fn estimates_are_near_what_is_measured() {
    let trained = cases::ALL.iter().filter(|case| case.inference.is_none());
    let cases = trained.map(|case| (case.name.to_owned(), case.project().unwrap()));
    let odd = NETWORKS.iter().map(|case| {
        let name = format!("{} {} | {}{} × {}", case.0, case.1, case.2, case.3, case.4);
        (name, project(*case))
    });
    let builtin = builtin::ALL.iter().map(|entry| {
        let project = entry.project().unwrap();
        (entry.name.to_owned(), project)
    });
    let drawn: Vec<Drawn> =
        serde_json::from_str(include_str!("../fixtures/random_nets.json")).unwrap();
    let drawn = drawn
        .into_iter()
        .map(|drawn| (drawn.name.clone(), drawn.project()));
    let start = Instant::now();
    machine_benchmark::measure().unwrap();
    println!("the machine was measured in {:?}", start.elapsed());
    let ratios: Vec<(String, f64)> = cases
        .chain(odd)
        .chain(builtin)
        .chain(drawn)
        .map(|(name, project)| (name.clone(), steady_ratio(&name, &project)))
        .collect();
    let [least, most] = WITHIN;
    let far: Vec<_> = ratios
        .iter()
        .filter(|(_, ratio)| !(least..most).contains(ratio))
        .collect();
    println!(
        "{} of {} within {least} to {most}",
        ratios.len() - far.len(),
        ratios.len()
    );
    assert!(far.is_empty(), "{far:#?}");
}
