//! Where the time of a frame goes: to what is new, to each view, to the panels. For measuring (`strata bench headless`).

use std::cell::RefCell;
use std::time::{Duration, Instant};

thread_local! {
    /// Of the frame on its way, on the thread that draws.
    static PARTS: RefCell<Vec<(&'static str, Duration)>> = const { RefCell::new(Vec::new()) };
}

/// Does a part of a frame, and notes how long it took.
pub(crate) fn timed<T>(part: &'static str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    PARTS.with_borrow_mut(
        |parts| match parts.iter_mut().find(|(name, _)| *name == part) {
            // What was laid out twice was one frame.
            Some((_, before)) => *before += took,
            None => parts.push((part, took)),
        },
    );
    done
}

/// Forgets the parts of the frame before.
pub(crate) fn begin() {
    PARTS.with_borrow_mut(Vec::clear);
}

/// The parts of the last frame. They lie inside of each other nowhere, and do not add up to the whole.
pub fn of_last_frame() -> Vec<(&'static str, Duration)> {
    PARTS.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_name_are_added_up_until_the_next_frame() {
        begin();
        let wait = || std::thread::sleep(Duration::from_millis(2));
        timed("a", wait);
        timed("b", || 3);
        timed("a", wait);
        let parts = of_last_frame();
        assert_eq!(
            parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert!(parts[0].1 >= Duration::from_millis(4));
        begin();
        assert!(of_last_frame().is_empty());
    }
}
