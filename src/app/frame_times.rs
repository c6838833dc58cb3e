//! How long the window's own work takes: a histogram of frames, as small after a day as after a minute.

use std::time::Duration;

/// Times of frames, sorted into classes 2 % wide.
#[derive(Clone, Debug, Default)]
pub struct FrameHistogram {
    classes: Vec<u32>,
    count: u64,
    longest: Duration,
}

/// Shorter times are counted as this, in milliseconds.
const FINEST_MS: f64 = 0.01;
const GROWTH: f64 = 1.02;
/// Up to more than half a minute.
const CLASSES: usize = 760;

impl FrameHistogram {
    /// Adds a frame.
    pub fn add(&mut self, work: Duration) {
        let ratio = (1e3 * work.as_secs_f64() / FINEST_MS).max(1.0);
        let class = (ratio.ln() / GROWTH.ln()) as usize;
        self.classes.resize(CLASSES, 0);
        if let Some(count) = self.classes.get_mut(class.min(CLASSES - 1)) {
            *count = count.saturating_add(1);
        }
        self.count += 1;
        self.longest = self.longest.max(work);
    }

    /// Frames so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest, in milliseconds; 0 without frames.
    pub fn longest_ms(&self) -> f64 {
        1e3 * self.longest.as_secs_f64()
    }

    /// The time that this fraction of the frames stays within, in milliseconds and at most 2 % too long; 0
    /// without frames.
    pub fn within_ms(&self, share: f64) -> f64 {
        let rank = (share * self.count as f64).ceil() as u64;
        let mut passed = 0;
        let reached = |count: &u32| {
            passed += u64::from(*count);
            passed >= rank
        };
        match self.classes.iter().position(reached) {
            Some(class) if self.count > 0 => {
                (FINEST_MS * GROWTH.powi(class as i32 + 1)).min(self.longest_ms().max(FINEST_MS))
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_frames_are_told_within_two_percent() {
        let mut frames = FrameHistogram::default();
        assert_eq!((frames.within_ms(0.99), frames.longest_ms()), (0.0, 0.0));
        (1..=1000).for_each(|i| frames.add(Duration::from_micros(10 * i)));
        for (share, ms) in [(0.5, 5.0), (0.99, 9.9), (1.0, 10.0)] {
            let told = frames.within_ms(share);
            assert!((ms..=1.021 * ms).contains(&told), "{share}: {told}");
        }
        assert_eq!((frames.count(), frames.longest_ms()), (1000, 10.0));
        frames.add(Duration::from_secs(3600));
        assert_eq!(frames.longest_ms(), 3.6e6);
    }
}
