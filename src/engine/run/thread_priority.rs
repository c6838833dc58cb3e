//! Lowers the priority of training threads, so that rendering stays responsive.
//!
//! On Linux a thread has its own niceness and gives it to the threads it starts, the workers among them.
//! Elsewhere, and where the system refuses, everything stays as it is.

/// The processor goes to others first; what they leave is all for the training.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lets this thread, and those it starts from now on, step back.
#[cfg(target_os = "linux")]
pub fn lower_priority() {
    use rustix::process::{getpriority_process, setpriority_process};
    let thread = rustix::thread::gettid();
    let now = getpriority_process(Some(thread)).unwrap_or(0);
    // A niceness that was given from outside is left alone.
    if now < NICENESS
        && let Err(error) = setpriority_process(Some(thread), NICENESS)
    {
        // The training then merely competes with the window.
        log::debug!("the system refuses a niceness of {NICENESS}: {error}");
    }
}

/// Lets this thread, and those it starts from now on, step back: not on this system.
#[cfg(not(target_os = "linux"))]
pub fn lower_priority() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::process::getpriority_process;

    #[test]
    fn a_thread_gives_its_niceness_to_those_it_starts() {
        let nice = || getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let before = nice();
        let child = std::thread::spawn(move || {
            lower_priority();
            std::thread::spawn(nice).join().unwrap()
        });
        assert_eq!(child.join().unwrap(), NICENESS.max(before));
        assert_eq!(nice(), before, "only that thread");
    }
}
