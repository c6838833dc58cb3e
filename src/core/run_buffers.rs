//! What a run holds besides its steps: batches made ahead, finished images, and images that it is looked at with.
//! Decided in one place, since the estimate of a run's memory counts it.

/// Batches that wait for the trainer at most, besides one for each thread that makes them.
pub const BATCHES_AHEAD: usize = 2;
/// Threads that make batches, unless another number is asked for.
pub const MOST_LOADERS: usize = 4;
/// How many probe images a run has at most.
pub const PROBES: usize = 16;
/// Numbers that all probe images have together at most, unless one alone has more.
const PROBE_NUMBERS: u64 = 1 << 20;

/// How many probe images a run has, of images with so many numbers.
pub fn probe_count(numbers: u64) -> usize {
    let fitting = PROBE_NUMBERS / numbers.max(1);
    usize::try_from(fitting).map_or(PROBES, |count| count.clamp(1, PROBES))
}

/// Finished images of a dataset take no more bytes than this together; those of splits beyond are made anew at every
/// reading.
const MOST_KEPT_BYTES: u64 = 1 << 30;
/// The same as a part of the memory that is free: what is trained needs it more.
const MOST_KEPT_SHARE: u64 = 8;

/// Bytes that finished images may take where so many are free (unknown: no bound but the usual one).
pub fn room_for_images(free: Option<u64>) -> u64 {
    free.map_or(MOST_KEPT_BYTES, |free| {
        MOST_KEPT_BYTES.min(free / MOST_KEPT_SHARE)
    })
}
