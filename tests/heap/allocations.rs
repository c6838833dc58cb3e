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
/// Steps that are counted together.
const COUNTED: usize = 2;
/// How often they are counted. A thread makes its own buffers when it first takes a task, which on a busy machine may
/// be any step; what a step itself allocates, it allocates in every round.
const ROUNDS: usize = 8;

fn step(workload: &mut Workload, times: usize) {
    for _ in 0..times {
        workload.step().unwrap();
    }
}

/// What is asked of the heap in `COUNTED` steps.
struct Allocations {
    count: usize,
    bytes: usize,
}

impl Allocations {
    fn are_only_lists(&self) -> bool {
        self.bytes <= self.count * CANDLES_LIST_BYTES + NOTES_BYTES
    }
}

fn allocations_of_steps(workload: &mut Workload) -> Allocations {
    let region = Region::new(&CALLS);
    step(workload, COUNTED);
    let change = region.change();
    Allocations {
        count: change.allocations + change.reallocations,
        bytes: change.bytes_allocated,
    }
}

/// The allocations of the first round without buffers, or of the last where each round has some.
fn later_allocations(case: &Case, most_images: usize) -> Allocations {
    let project = case.project().unwrap();
    let (pass, batch) = match case.inference {
        Some(batch) => (Pass::Inference, batch),
        None => (Pass::Training, project.stages[0].batch as usize),
    };
    let batch = batch.min(most_images);
    let mut workload = Workload::new(case.name, &project, batch, pass, &Device::Cpu).unwrap();
    step(&mut workload, FIRST);
    let mut allocations = allocations_of_steps(&mut workload);
    for _ in 1..ROUNDS {
        if allocations.are_only_lists() {
            break;
        }
        allocations = allocations_of_steps(&mut workload);
    }
    allocations
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
        .filter(|(_, allocations)| !allocations.are_only_lists())
        .map(|(name, Allocations { count, bytes })| {
            format!(
                "{name}: {count} allocations, {bytes} bytes in {COUNTED} steps, round after round"
            )
        })
        .collect();
    assert!(greedy.is_empty(), "{}", greedy.join("\n"));
}
