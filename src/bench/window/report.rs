//! What was measured of the window.

use serde::Serialize;
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
