//! The predicted memory of a training step is what is really allocated, within a tenth.
#![allow(clippy::unwrap_used)] // A test program as a whole.

use candle_core::Device;
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait};
use std::alloc::System;
use strata::bench::work::Pass;
use strata::bench::{Workload, on_threads};
use strata::engine::memory::machine;
use strata::project::builtin;
use strata::shape::{StepMemory, infer, step_memory};

#[global_allocator]
static HEAP: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Buffers are made in the first step; what the second needs besides would be seen.
const STEPS: usize = 2;
const THREADS: usize = 2;

/// A stage of a built-in project with a smaller batch where its own takes too long for a test.
fn cases() -> Vec<(&'static str, usize, Option<u32>)> {
    let small = [("resnet-18", 4), ("mobilenet-v2", 4), ("xception", 2), ("unet", 4)];
    let batch = |name: &str| small.iter().find(|(small, _)| *small == name).map(|(_, batch)| *batch);
    let stages = |name: &str| builtin::find(name).unwrap().project().unwrap().stages.len();
    let all = builtin::ALL.iter().map(|builtin| builtin.name);
    all.flat_map(|name| (0..stages(name)).map(move |stage| (name, stage, batch(name)))).collect()
}

fn compare((name, index, batch): (&str, usize, Option<u32>)) -> (StepMemory, u64, String) {
    let project = builtin::find(name).unwrap().project().unwrap();
    let stage = &project.stages[index];
    let batch = batch.unwrap_or(stage.batch);
    let plan = infer(&project.network).plan.unwrap();
    let predicted = step_memory(&plan, stage, batch, machine()).unwrap();
    let used = on_threads(THREADS, || {
        HEAP.reset_peak_memory();
        let device = Device::Cpu;
        let mut work = Workload::of_stage(name, &project, stage, batch as usize, Pass::Training, &device).unwrap();
        (0..STEPS).for_each(|_| drop(work.step().unwrap()));
        HEAP.get_peak_memory() as u64
    });
    (predicted, used.unwrap(), format!("{name} · {} · {batch}", stage.name))
}

#[test]
fn a_step_holds_what_was_predicted() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (predicted, used, name) = on_threads(THREADS, || compare(case)).unwrap();
        let total = predicted.total().total();
        let off = 100.0 * (total as f64 / used as f64 - 1.0);
        let parts = predicted.total().parts().map(|(part, bytes)| format!("{part} {:.1}", bytes as f64 / 1e6)).join(", ");
        println!("{name:44} predicted {:8.2} MB  used {:8.2} MB  {off:+6.2} %  ({parts})", total as f64 / 1e6, used as f64 / 1e6);
        if off.abs() > 10.0 {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
