//! Where the time of a frame goes: to what is new, to each view, to the panels. Measured where somebody asks for it
//! (`strata bench headless`).

use std::cell::{Cell, RefCell};
use std::time::Duration;

/// How long the thread has worked.
pub type Clock = fn() -> Duration;

thread_local! {
    static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
    /// Of the frame on its way, on the thread that draws.
    static PARTS: RefCell<Vec<(&'static str, Duration)>> = const { RefCell::new(Vec::new()) };
}

/// Measures the parts of the frames of this thread from now on.
pub fn measure_by(clock: Clock) {
    CLOCK.set(Some(clock));
}

/// Does a part of a frame, and notes how long it took.
pub fn timed<T>(part: &'static str, work: impl FnOnce() -> T) -> T {
    let Some(clock) = CLOCK.get() else {
        return work();
    };
    let start = clock();
    let done = work();
    let took = clock().saturating_sub(start);
    PARTS.with_borrow_mut(
        |parts| match parts.iter_mut().find(|(name, _)| *name == part) {
            // What was laid out twice was one frame.
            Some((_, before)) => *before += took,
            None => parts.push((part, took)),
        },
    );
    done
}

/// The parts since this was asked for last. None lies inside of another one, and they do not add up to the whole.
pub fn take() -> Vec<(&'static str, Duration)> {
    PARTS.take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn parts_of_one_name_are_added_up_until_they_are_taken() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        let wait = || {
            NOW.fetch_add(2, Ordering::Relaxed);
        };
        timed("before", wait);
        assert!(take().is_empty(), "nobody asks");
        measure_by(|| Duration::from_millis(NOW.load(Ordering::Relaxed)));
        for part in ["a", "b", "a"] {
            timed(part, wait);
        }
        let [two, four] = [2, 4].map(Duration::from_millis);
        assert_eq!(take(), [("a", four), ("b", two)]);
        assert!(take().is_empty());
    }
}
