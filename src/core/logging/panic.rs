//! Panics are defects: each leaves an entry before anything else happens to the program.

use std::panic::PanicHookInfo;

/// Logs every panic from now on, then does what was done before.
pub fn log_panics() {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        log::error!("{}", described(panic));
        // The panic may end the process.
        super::flush();
        former(panic);
    }));
}

fn described(panic: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let place = panic
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!(
        "panic in thread `{}` at {place}: {}",
        thread.name().unwrap_or("unnamed"),
        panic.payload_as_str().unwrap_or("no message"),
    )
}
