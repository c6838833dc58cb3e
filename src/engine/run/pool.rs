//! Where a step is computed: on a thread of rayon's pool, with the others at hand.

use strata_nn::ops::team;

/// Does work on a thread of the pool. Called from any other thread, every operator of a step would hand its tasks over
/// to the pool and wait for a thread to wake up; from one of its own threads the work begins at once. The other threads
/// stay awake meanwhile.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| team::lead(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_on_a_thread_of_the_pool() {
        assert_eq!(rayon::current_thread_index(), None);
        assert!(in_pool(rayon::current_thread_index).is_some());
        assert_eq!(in_pool(|| in_pool(|| 3)), 3);
    }
}
