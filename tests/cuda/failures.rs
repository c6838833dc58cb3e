//! What goes wrong on a GPU: a memory that is too small, or that is full after all; a device that is lost. The failures
//! of a device are the stand-in's, which gives the driver's words at the upload that it is told.

use crate::place::Place;
use crate::runs::{completed, failed, options, tiny, train};
use strata::engine::storage::record::{RunRecord, Status};
use strata::engine::thread::RunOptions;
use strata::nn::device::fault::DeviceFault;
use strata::nn::device::{self, stand_in};
use strata::project::help::{Repair, StageSetting};

/// Runs one after the other that must leave memory where it was.
const RUNS: usize = 50;

#[test]
fn a_project_that_does_not_fit_is_refused_with_what_does() {
    let (_held, ..) = Place::StandIn.hold();
    let folder = tempfile::tempdir().unwrap();
    stand_in::set_free_bytes(500_000);
    let run = folder.path().join("run");
    let failure = failed(train(&tiny(&[]), &options(&run)).0);
    assert!(failure.wrong_input && failure.of_gpu, "{failure:?}");
    assert!(
        failure
            .message
            .contains("stage `images`: training with batch 16 needs about"),
        "{failure:?}"
    );
    assert!(
        failure.message.contains("are free: use batch = "),
        "{failure:?}"
    );
    assert!(!failure.in_window.contains("--"), "{failure:?}");
    let [Repair::Stage(StageSetting::Batch(batch))] = *failure.repairs else {
        panic!("{:?}", failure.repairs);
    };
    assert!(batch < 16);
    assert!(!run.exists());
    // What was said to fit does.
    let size = format!("batch = {batch}");
    completed(
        train(
            &tiny(&[("batch = 16", &size), ("batch = 16", &size)]),
            &options(&run),
        )
        .0,
    );
}

#[test]
fn a_full_memory_fails_the_run_and_keeps_its_checkpoint() {
    let (_held, ..) = Place::StandIn.hold();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    stand_in::set_free_bytes(1 << 30);
    stand_in::fail_after(7, DeviceFault::OutOfMemory);
    let failure = failed(train(&tiny(&[]), &options(&run)).0);
    assert!(!failure.wrong_input && failure.of_gpu, "{failure:?}");
    for part in [
        "the GPU's memory is full",
        "needs about",
        "1024 MiB were free",
        "use batch = 8",
        "--device cpu",
    ] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    assert!(
        matches!(*failure.repairs, [Repair::Stage(StageSetting::Batch(8))]),
        "{failure:?}"
    );
    assert_eq!(RunRecord::read(&run).unwrap().status, Status::Failed);
    // The next run is none the worse for it, and this one goes on.
    let resumed = RunOptions {
        resume: true,
        ..options(&run)
    };
    completed(train(&tiny(&[]), &resumed).0);
}

#[test]
fn a_lost_device_fails_the_run_and_keeps_its_checkpoint() {
    let (_held, ..) = Place::StandIn.hold();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    stand_in::fail_after(9, DeviceFault::Lost);
    let failure = failed(train(&tiny(&[]), &options(&run)).0);
    assert!(failure.of_gpu && failure.repairs.is_empty(), "{failure:?}");
    for part in [
        "the GPU stopped working",
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        "the last checkpoint is kept",
        "--resume --device cpu",
    ] {
        assert!(failure.message.contains(part), "{part}: {failure:?}");
    }
    assert!(!failure.in_window.contains("--"), "{}", failure.in_window);
    assert!(run.join("checkpoints/last.safetensors").is_file());
}

/// Free memory of the GPU before and after; what the stand-in allocates is counted in `tests/heap/on_device.rs`.
#[test]
fn runs_in_a_row_leave_the_memory_where_it_was() {
    for place in Place::all()
        .into_iter()
        .filter(|place| *place == Place::Gpu)
    {
        let (_held, name, device) = place.hold();
        let folder = tempfile::tempdir().unwrap();
        let mut free = Vec::new();
        for at in 0..RUNS {
            let options = RunOptions {
                device: Some(name.into()),
                ..options(&folder.path().join(at.to_string()))
            };
            completed(train(&tiny(&[]), &options).0);
            free.push(device::memory(&device).unwrap().free_bytes);
        }
        // The first runs load kernels and fill caches.
        assert!(free[RUNS - 1] + (1 << 20) >= free[2], "{free:?}");
    }
}
