//! How long a run has trained and how fast it is, pauses left out.

use std::time::{Duration, Instant};

/// Seconds after which a step counts for a third in the speed shown.
const MEMORY_SECONDS: f64 = 2.0;

/// A stopwatch over a run.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    paused: Duration,
    /// Seconds of earlier parts of a resumed run.
    before: f64,
    images: f64,
    step_seconds: f64,
    recent_images: f64,
    recent_seconds: f64,
    /// What looking at layers took, and keeping weights.
    kept_seconds: [f64; 2],
}

/// What a run keeps to be looked at later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// What layers did, at some steps.
    Dynamics,
    /// Weights of some steps.
    Snapshots,
}

impl Clock {
    /// Starts, after `before` seconds in earlier parts of the run.
    pub fn start(before: f64) -> Clock {
        let (start, paused) = (Instant::now(), Duration::ZERO);
        Clock {
            start,
            paused,
            before,
            images: 0.0,
            step_seconds: 0.0,
            recent_images: 0.0,
            recent_seconds: 0.0,
            kept_seconds: [0.0; 2],
        }
    }

    /// Training time so far.
    pub fn seconds(&self) -> f64 {
        self.before
            + self
                .start
                .elapsed()
                .saturating_sub(self.paused)
                .as_secs_f64()
    }

    /// Leaves the time since `from` out.
    pub(crate) fn leave_out(&mut self, from: Instant) {
        self.paused += from.elapsed();
    }

    /// Counts a step over `images` images that began at `from`.
    pub fn step(&mut self, images: usize, from: Instant) {
        let (images, seconds) = (images as f64, from.elapsed().as_secs_f64());
        let fade = (-seconds / MEMORY_SECONDS).exp();
        self.recent_images = self.recent_images * fade + images;
        self.recent_seconds = self.recent_seconds * fade + seconds;
        self.images += images;
        self.step_seconds += seconds;
    }

    /// Counts the time since `from` as spent on what is kept; the steps have it too.
    pub fn keep(&mut self, what: Kept, from: Instant) {
        self.kept_seconds[what as usize] += from.elapsed().as_secs_f64();
    }

    /// The share of the training time that was spent on it.
    pub fn kept_share(&self, what: Kept) -> f64 {
        let trained = self.seconds() - self.before;
        self.kept_seconds[what as usize] / trained.max(f64::MIN_POSITIVE)
    }

    /// Images a second, lately.
    pub(crate) fn recent_speed(&self) -> f64 {
        speed(self.recent_images, self.recent_seconds)
    }

    /// Images a second over all steps counted.
    pub fn speed(&self) -> f64 {
        speed(self.images, self.step_seconds)
    }
}

fn speed(images: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { images / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let mut clock = Clock::start(10.0);
        let pause = Instant::now();
        std::thread::sleep(Duration::from_millis(30));
        clock.leave_out(pause);
        assert!(
            clock.seconds() >= 10.0 && clock.seconds() < 10.02,
            "{}",
            clock.seconds()
        );
        assert_eq!(
            (clock.speed(), clock.kept_share(Kept::Dynamics)),
            (0.0, 0.0)
        );
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(5));
        clock.keep(Kept::Snapshots, start);
        let share = clock.kept_share(Kept::Snapshots);
        assert!(
            share > 0.0 && clock.kept_share(Kept::Dynamics) == 0.0,
            "{share}"
        );
        clock.step(100, Instant::now() - Duration::from_secs(1));
        assert!((clock.speed() - 100.0).abs() < 1.0 && (clock.recent_speed() - 100.0).abs() < 1.0);
    }
}
