//! How many trials side by side are fastest on this machine.
//!
//! It is measured: training steps of a trial with all threads, one after the other, beside steps of several at once that
//! share the threads. Small networks gain, because their steps have pieces that one thread does while the others wait;
//! large ones do not, where memory is what they wait for. What is computed is the same to the last bit either way.

use super::plan::Plan;
use candle_core::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Barrier;
use std::time::Instant;
use strata_core::project::Project;
use strata_core::shape::infer;
use strata_core::system_memory::available_bytes;
use strata_engine::benchmark::work::Pass;
use strata_engine::benchmark::{BenchmarkError, Workload};
use strata_engine::run::memory_check::peak;
use strata_engine::run::thread_priority::lower_priority;

/// A gain below this is noise.
const LEAST_GAIN: f64 = 1.05;
/// Seconds of steps that one measurement takes about.
const SECONDS: f64 = 0.25;
/// Steps of one measurement, at most.
const MOST_STEPS: usize = 50;
/// Of the free memory, the share that trials side by side may take.
const MEMORY_SHARE: f64 = 0.7;
/// As the thread of a command: networks may be deeply nested.
const STACK: usize = 64 << 20;

/// How many trials are trained at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Trials side by side.
    pub jobs: usize,
    /// Threads that compute each of them.
    pub threads: usize,
    /// How many times as many steps that gives as one trial with all threads; `None` where it was not measured.
    pub gain: Option<f64>,
}

impl Pace {
    /// So many at once, as asked for: they share the threads of this machine.
    pub fn of(jobs: usize) -> Pace {
        Pace {
            jobs,
            threads: (rayon::current_num_threads() / jobs.max(1)).max(1),
            gain: None,
        }
    }

    /// The fastest way to train the trials of a plan, where so many runs are left.
    pub fn fastest(plan: &Plan, runs_left: usize, device: Option<&str>) -> Pace {
        let threads = rayon::current_num_threads();
        let is_cpu = match device {
            Some(device) => device == "cpu",
            None => !candle_core::utils::cuda_is_available(),
        };
        let first = plan
            .trials
            .iter()
            .find_map(|trial| trial.project.as_ref().ok());
        let most = threads.min(runs_left);
        let (Some(project), true, 2..) = (first, is_cpu, most) else {
            return Pace::of(1);
        };
        let most = most.min(fitting_into_memory(project));
        measured(project, threads, most).unwrap_or_else(|error| {
            log::warn!("trials are trained one after the other: {error}");
            Pace::of(1)
        })
    }

    /// A pool with the threads of one trial; `None` where it has those of the whole program.
    pub(crate) fn pool(&self, is_background: bool) -> Option<ThreadPool> {
        if self.jobs == 1 {
            return None;
        }
        let built = pool(self.threads, is_background);
        built
            .inspect_err(|error| log::warn!("no threads for a trial of its own: {error}"))
            .ok()
    }
}

fn pool(threads: usize, is_background: bool) -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    let builder = ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK);
    match is_background {
        true => builder.start_handler(|_| lower_priority()).build(),
        false => builder.build(),
    }
}

/// How many trials of this size have room in memory.
fn fitting_into_memory(project: &Project) -> usize {
    let needed = peak(project, &infer(&project.network));
    match (needed, available_bytes()) {
        (Some(needed @ 1..), Some(free)) => {
            ((free as f64 * MEMORY_SHARE) as u64 / needed).max(1) as usize
        }
        _ => usize::MAX,
    }
}

fn measured(project: &Project, threads: usize, most: usize) -> Result<Pace, BenchmarkError> {
    let mut best = Pace::of(1);
    if most < 2 {
        return Ok(best);
    }
    let (steps, alone) = alone(project)?;
    let mut jobs = 2;
    while jobs <= most {
        let each = (threads / jobs).max(1);
        let seconds = together(project, jobs, each, steps)?;
        let gain = jobs as f64 * alone / seconds;
        log::info!("{jobs} trials side by side: {gain:.2} times the steps of one after the other");
        if gain > best.gain.unwrap_or(LEAST_GAIN) {
            best = Pace {
                jobs,
                threads: each,
                gain: Some(gain),
            };
        }
        jobs *= 2;
    }
    Ok(best)
}

fn workload(project: &Project) -> Result<Workload, BenchmarkError> {
    let batch = project
        .stages
        .first()
        .map_or(1, |stage| stage.batch as usize);
    Workload::new(&project.title, project, batch, Pass::Training, &Device::Cpu)
}

/// How many steps are measured, and the seconds that they take with all threads.
fn alone(project: &Project) -> Result<(usize, f64), BenchmarkError> {
    let mut work = workload(project)?;
    // The first step makes room for all that follow.
    work.step()?;
    let start = Instant::now();
    work.step()?;
    let one = start.elapsed().as_secs_f64().max(1e-6);
    let steps = ((SECONDS / one) as usize).clamp(1, MOST_STEPS);
    Ok((steps, of_steps(&mut work, steps)?))
}

fn of_steps(work: &mut Workload, steps: usize) -> Result<f64, BenchmarkError> {
    let start = Instant::now();
    for _ in 0..steps {
        work.step()?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// The seconds that so many steps take of each of several trials at once: those of the slowest.
fn together(
    project: &Project,
    jobs: usize,
    threads: usize,
    steps: usize,
) -> Result<f64, BenchmarkError> {
    let ready = Barrier::new(jobs);
    let one = || -> Result<f64, BenchmarkError> {
        let made =
            pool(threads, false).map_err(|error| BenchmarkError::TooLarge(error.to_string()));
        let prepared = made.and_then(|pool| {
            let work = pool.install(|| {
                let mut work = workload(project)?;
                work.step()?;
                Ok::<Workload, BenchmarkError>(work)
            })?;
            Ok((pool, work))
        });
        // All come here, also who has nothing to measure: else the others would wait for ever.
        ready.wait();
        let (pool, mut work) = prepared?;
        pool.install(|| of_steps(&mut work, steps))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(one)).collect();
        let mut slowest = 0.0f64;
        for thread in threads {
            let defect = |_| BenchmarkError::TooLarge("a measurement panicked".to_owned());
            slowest = slowest.max(thread.join().map_err(defect)??);
        }
        Ok(slowest)
    })
}
