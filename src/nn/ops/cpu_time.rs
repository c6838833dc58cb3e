//! How long a call takes on one thread, for the tests that print figures.

/// Seconds that this thread has computed.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Seconds of a call, the shortest of some rounds. The clock goes in steps of some milliseconds, so that a round is
/// many calls.
pub(crate) fn seconds(mut call: impl FnMut()) -> f64 {
    const ROUND: f64 = 0.04;
    call();
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        let start = cpu();
        for calls in 1.. {
            call();
            let spent = cpu() - start;
            if spent > ROUND {
                best = best.min(spent / f64::from(calls));
                break;
            }
        }
    }
    best
}
