//! The threads that compute. Where the system allows fewer than there are cores (`ulimit -u`, a container), it is as many
//! as it allows; without any, one sentence.

use super::WrongInput;
use rayon::ThreadPoolBuilder;
use strata_engine::run::thread_priority::lower_priority;

/// Whom the threads compute for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// A command, which waits for them.
    Command,
    /// A window, before which they step back: else it waits for its frames while a network trains.
    Window,
}

/// Starts them. Fails where the system allows not even one.
pub fn start(whom: For) -> Result<(), WrongInput> {
    let wanted = rayon::max_num_threads().min(default_count());
    let mut count = wanted;
    // A pool that fails cannot be tried again, so each count is first tried with a pool that is let go.
    while count > 1 && ThreadPoolBuilder::new().num_threads(count).build().is_err() {
        count /= 2;
    }
    if count < wanted {
        log::warn!("the system gives {count} threads instead of {wanted}");
    }
    pool(count, whom).build_global().map_err(|error| {
        WrongInput(format!(
            "the system gives no thread to compute with ({error}): close other programs, or raise the limit of processes (ulimit -u)"
        ))
    })
}

/// The pool that computes: its threads do the work of a training, so they have its priority, whoever uses them first.
fn pool(count: usize, whom: For) -> ThreadPoolBuilder {
    let pool = ThreadPoolBuilder::new().num_threads(count);
    match whom {
        For::Command => pool,
        For::Window => pool.start_handler(|_| lower_priority()),
    }
}

/// As many as rayon would start by itself.
fn default_count() -> usize {
    let named = std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|count| count.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    named.filter(|&count| count > 0).unwrap_or_else(cores)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_computes_behind_a_window_steps_back() {
        // Of a thread of the pool.
        let niceness = |whom: For| {
            let pool = pool(1, whom).build().unwrap();
            let thread = || rustix::process::getpriority_process(Some(rustix::thread::gettid()));
            pool.install(thread).unwrap()
        };
        let own = niceness(For::Command);
        assert_eq!(niceness(For::Window), own.max(10));
    }
}
