//! A training step uses the memory of the step before it: after the first ones nothing is allocated.
#![allow(clippy::unwrap_used)]

use candle_core::Device;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use strata::bench::{Case, Workload, cases, on_threads};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Before every write into a tensor candle lists its strides, to see whether they overlap, and drops the list.
/// That is the one thing left, but for what threads that wait for work note down now and then.
const CANDLES_LIST_BYTES: usize = 64;
const NOTES_BYTES: usize = 1024;
/// Steps in which buffers are made.
const FIRST: usize = 2;
/// Steps that are counted.
const COUNTED: usize = 2;

fn step(workload: &mut Workload, times: usize) {
    for _ in 0..times {
        workload.step().unwrap();
    }
}

/// How often the heap is asked for memory in the later steps of a case, and for how much.
fn later_allocations(case: &Case) -> (usize, usize) {
    let mut workload = Workload::of_case(case, &Device::Cpu).unwrap();
    step(&mut workload, FIRST);
    let region = Region::new(HEAP);
    step(&mut workload, COUNTED);
    let change = region.change();
    (
        change.allocations + change.reallocations,
        change.bytes_allocated,
    )
}

#[test]
fn later_steps_allocate_nothing() {
    // From outside its pool, rayon allocates for the tasks themselves; the steps run inside.
    let counts = on_threads(2, || {
        cases::ALL
            .iter()
            .map(|case| (case.name, later_allocations(case)))
            .collect::<Vec<_>>()
    });
    let greedy: Vec<String> = counts
        .unwrap()
        .into_iter()
        .filter(|(_, (count, bytes))| *bytes > count * CANDLES_LIST_BYTES + NOTES_BYTES)
        .map(|(name, (count, bytes))| {
            format!("{name}: {count} allocations, {bytes} bytes in {COUNTED} steps")
        })
        .collect();
    assert!(greedy.is_empty(), "{}", greedy.join("\n"));
}
