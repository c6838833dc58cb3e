//! How long a thread was on a processor: what its work takes, whoever else wanted the processor meanwhile.

use std::time::Duration;

/// The time that this thread has had a processor; `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub fn of_this_thread() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?);
    Some(Duration::new(seconds, nanoseconds))
}

/// The time that this thread has had a processor; `None` where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn of_this_thread() -> Option<Duration> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_thread_that_sleeps_has_no_processor() {
        let before = of_this_thread().unwrap();
        std::thread::sleep(Duration::from_millis(60));
        let slept = of_this_thread().unwrap() - before;
        assert!(slept < Duration::from_millis(30), "{slept:?}");
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        assert!(of_this_thread().unwrap() > before + slept);
    }
}
