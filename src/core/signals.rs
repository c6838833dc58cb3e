//! Requests of the system to end: Ctrl-C, `kill`, a logout; and limits that would end the program without a word.

use std::io;

/// Calls `asked` on its own thread each time that the program is asked to end (SIGINT, SIGTERM, SIGHUP). What the
/// program was started to ignore, as `nohup` does with a hangup, is still ignored.
#[cfg(unix)]
pub fn on_end_request(mut asked: impl FnMut() + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = signal_hook::iterator::Signals::new(heard)?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || signals.forever().for_each(|_| asked()))?;
    Ok(())
}

/// Signals that are ignored, as bits: the kernel's own mask. None where the system does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// The same only for Ctrl-C.
#[cfg(not(unix))]
pub fn on_end_request(asked: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(asked).map_err(io::Error::other)
}

/// From now on a write beyond the shell's limit for files (`ulimit -f`) fails like one on a full disk; without this the
/// system would end the program.
pub fn survive_file_limit() {
    #[cfg(unix)]
    {
        let seen = std::sync::Arc::default();
        if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, seen) {
            log::warn!(
                "a file that grows beyond the limit of the shell will end the program: {error}"
            );
        }
    }
}
