//! What was measured of the window.

use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;
use strata_app::frame_times::FrameHistogram;

/// Times of frames in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FrameTimes {
    /// Frames measured.
    pub count: u64,
    /// Half of them took no longer.
    pub median_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

impl From<&FrameHistogram> for FrameTimes {
    fn from(frames: &FrameHistogram) -> FrameTimes {
        FrameTimes {
            count: frames.count(),
            median_ms: frames.within_ms(0.5),
            p99_ms: frames.within_ms(0.99),
            longest_ms: frames.longest_ms(),
        }
    }
}

/// Where the time of long frames went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Part {
    /// A view, or another part of a frame.
    pub part: &'static str,
    /// Milliseconds in a long frame, on average.
    pub mean_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

/// Parts of long frames, added up.
#[derive(Debug, Default)]
pub(super) struct LongFrames {
    count: u64,
    /// All of a part, and the longest.
    parts: HashMap<&'static str, [Duration; 2]>,
}

impl LongFrames {
    /// Adds the parts of a long frame.
    pub(super) fn add(&mut self, parts: Vec<(&'static str, Duration)>) {
        self.count += 1;
        for (part, took) in parts {
            let [all, longest] = self.parts.entry(part).or_default();
            *all += took;
            *longest = took.max(*longest);
        }
    }

    /// How many there were, and where their time went, most first.
    pub(super) fn told(&self) -> (u64, Vec<Part>) {
        let part = |(&part, [all, longest]): (&&'static str, &[Duration; 2])| Part {
            part,
            mean_ms: 1e3 * all.as_secs_f64() / self.count as f64,
            longest_ms: 1e3 * longest.as_secs_f64(),
        };
        let mut parts: Vec<Part> = self.parts.iter().map(part).collect();
        parts.sort_by(|a, b| b.mean_ms.total_cmp(&a.mean_ms));
        (self.count, parts)
    }
}

/// What was measured of the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// True in a real window, where painting counts too.
    pub painted: bool,
    /// From the start of the program to the end of the first frame.
    pub first_frame_ms: f64,
    /// A frame's work while a network trains and every view is open.
    pub training: FrameTimes,
    /// Of the same frames the time that they had a processor: what is missing they waited for one. Absent where the
    /// system does not tell, and in a real window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_on_processor: Option<FrameTimes>,
    /// Frames of the training that had a processor for 6 ms or more; not counted in a real window.
    pub long_frames: u64,
    /// Where their time went, most first.
    pub parts: Vec<Part>,
    /// Frames in three seconds in which nothing happens.
    pub idle_frames: u64,
    /// A frame with a loss curve of a thousand points.
    pub thousand_points: FrameTimes,
    /// The same with a million.
    pub million_points: FrameTimes,
    /// Images trained on in a second while the window shows it.
    pub images_per_second: f64,
    /// The same while it does not.
    pub images_per_second_unwatched: f64,
    /// Memory in use after the first tenth of the training, halfway, and at its end; absent where the system
    /// does not tell.
    pub resident_bytes: Option<[u64; 3]>,
}
