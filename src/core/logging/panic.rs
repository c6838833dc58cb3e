//! Panics are defects: each leaves an entry before anything else happens to the program.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

thread_local! {
    /// Whether what this thread does now is guarded by [`caught`].
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Logs every panic from now on, then does what was done before.
pub fn log_panics() {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if IS_CAUGHT.get() {
            log::warn!("{}", described(panic));
            return;
        }
        log::error!("{}", described(panic));
        // The panic may end the process.
        super::flush();
        former(panic);
    }));
}

/// Does work of a library that may give up with a panic on a file that is not as it should be; its message then.
/// What the work changes must be dropped with it.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(before);
    done.map_err(|panic| message(&*panic).to_owned())
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_is_a_message() {
        assert_eq!(caught(|| 3), Ok(3));
        assert_eq!(
            caught(|| [1, 2][std::hint::black_box(5)]).unwrap_err(),
            "index out of bounds: the len is 2 but the index is 5"
        );
        let inner = caught(|| caught(|| panic!("inner {}", 1)).is_err());
        assert_eq!((inner, IS_CAUGHT.get()), (Ok(true), false));
    }
}
