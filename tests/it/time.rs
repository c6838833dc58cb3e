//! Estimated against measured times of training steps; run by hand, on a machine with nothing else to do.

use candle_core::Device;
use strata::bench::measure::{median_ms, step_times};
use strata::bench::{Workload, cases};
use strata::cost::step_time;
use strata::engine::machine_benchmark;
use strata::engine::run::memory_check::machine;
use strata::shape::infer;

const STEPS: usize = 7;
/// The middle of all cases; one alone may be further off.
const WITHIN: f64 = 1.5;

#[test]
#[ignore = "means something only where nothing else runs, and with optimised kernels"]
fn estimates_are_near_what_is_measured() {
    let started = std::time::Instant::now();
    let speeds = machine_benchmark::measure().unwrap();
    println!("{:?} to measure {speeds:?}", started.elapsed());
    let mut ratios = Vec::new();
    for case in cases::ALL.iter().filter(|case| case.inference.is_none()) {
        let project = case.project().unwrap();
        let stage = &project.stages[0];
        let plan = infer(&project.network).plan.unwrap();
        let estimate = 1e3
            * step_time(&plan, stage, stage.batch, machine(), speeds)
                .unwrap()
                .total();
        let mut workload = Workload::of_case(case, &Device::Cpu).unwrap();
        let times = step_times(&mut workload, STEPS).unwrap();
        let measured = median_ms(&times, |times| times.total());
        println!(
            "{:16} estimated {estimate:8.2} ms, measured {measured:8.2} ms, ratio {:.2}",
            case.name,
            estimate / measured
        );
        ratios.push(estimate / measured);
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    assert!(middle > 1.0 / WITHIN && middle < WITHIN, "{ratios:?}");
}
