//! How much memory a case needs at most, as the operating system counts it.
//!
//! A case is measured in its own process: in one process, memory that an earlier case freed
//! and the allocator kept would hide part of the peak. Only Linux has both figures that this
//! needs; elsewhere there is no peak.

use super::measure::step_times;
use super::{BenchError, Case};
use candle_core::Device;

/// The most resident memory, in bytes, that the case's data, network and first steps add to this
/// process. Call it in a fresh process.
pub fn peak_bytes(case: &Case, device: &Device) -> Result<Option<u64>, BenchError> {
    let before = resident_bytes();
    restart_peak();
    let mut workload = super::of_case(case, device)?;
    step_times(&mut workload, 1)?;
    let peak = status_bytes("VmHWM:");
    Ok(peak
        .zip(before)
        .map(|(peak, before)| peak.saturating_sub(before)))
}

/// Resident memory of this process in bytes; `None` where the system does not tell.
pub(crate) fn resident_bytes() -> Option<u64> {
    status_bytes("VmRSS:")
}

/// Lets the system's peak start again at what is resident now.
fn restart_peak() {
    // Where this is refused, the peak since the start of the process counts, which is close to it.
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

fn status_bytes(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(1024 * kilobytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_peak_covers_what_was_held_and_freed() {
        let before = resident_bytes().unwrap();
        restart_peak();
        let held = vec![1_u8; 64 << 20];
        assert!(held.iter().map(|&byte| u64::from(byte)).sum::<u64>() == 64 << 20);
        drop(held);
        assert!(status_bytes("VmHWM:").unwrap() >= before + (60 << 20));
    }
}
