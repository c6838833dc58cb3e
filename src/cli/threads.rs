//! The threads that compute. Where the system allows fewer than there are cores (`ulimit -u`, a container), it is as many
//! as it allows; without any, one sentence.

use super::WrongInput;
use rayon::ThreadPoolBuilder;

/// Starts them. Fails where the system allows not even one.
pub fn start() -> Result<(), WrongInput> {
    let wanted = rayon::max_num_threads().min(default_count());
    let mut count = wanted;
    // A pool that fails cannot be tried again, so each count is first tried with a pool that is let go.
    while count > 1 && ThreadPoolBuilder::new().num_threads(count).build().is_err() {
        count /= 2;
    }
    if count < wanted {
        log::warn!("the system gives {count} threads instead of {wanted}");
    }
    ThreadPoolBuilder::new().num_threads(count).build_global().map_err(|error| {
        WrongInput(format!(
            "the system gives no thread to compute with ({error}): close other programs, or raise the limit of processes (ulimit -u)"
        ))
    })
}

/// As many as rayon would start by itself.
fn default_count() -> usize {
    let named = std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|count| count.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    named.filter(|&count| count > 0).unwrap_or_else(cores)
}
