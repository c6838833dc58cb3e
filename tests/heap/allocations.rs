//! A training step uses the memory of the step before it: after the first ones nothing is allocated.

use super::{CALLS, alone};
use candle_core::Device;
use stats_alloc::Region;
use strata::bench::work::Pass;
use strata::bench::{Case, Workload, cases, on_threads};

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
fn later_allocations(case: &Case, most_images: usize) -> (usize, usize) {
    let project = case.project().unwrap();
    let (pass, batch) = match case.inference {
        Some(batch) => (Pass::Inference, batch),
        None => (Pass::Training, project.stages[0].batch as usize),
    };
    let batch = batch.min(most_images);
    let mut workload = Workload::new(case.name, &project, batch, pass, &Device::Cpu).unwrap();
    step(&mut workload, FIRST);
    let region = Region::new(&CALLS);
    step(&mut workload, COUNTED);
    let change = region.change();
    (
        change.allocations + change.reallocations,
        change.bytes_allocated,
    )
}

/// With batches of this many images at most, which are divided between threads as large ones are.
const FEW_IMAGES: usize = 4;

#[test]
fn later_steps_allocate_nothing() {
    count_allocations(FEW_IMAGES);
}

#[test]
#[ignore = "takes minutes"]
fn long_later_steps_of_whole_batches_allocate_nothing() {
    count_allocations(usize::MAX);
}

fn count_allocations(most_images: usize) {
    let _alone = alone();
    // From outside its pool, rayon allocates for the tasks themselves; the steps run inside.
    let counts = on_threads(2, || {
        cases::ALL
            .iter()
            .map(|case| (case.name, later_allocations(case, most_images)))
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
