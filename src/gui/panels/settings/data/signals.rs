//! How sounds become signals, or pictures of their frequencies.

use super::Form;
use super::read::{count, written};
use strata_core::project::data::{DataSpec, Spectrogram};
use strata_core::project::reference::data::{LENGTH, RATE, SPECTROGRAM};

/// Where a spectrogram starts from when it is switched on.
const FIRST: Spectrogram = Spectrogram {
    window: 256,
    hop: 128,
    log: true,
};

/// All of it in a few words.
pub(super) fn summary(data: &DataSpec) -> String {
    let kind = data.spectrogram.map_or_else(
        || "waveform".to_owned(),
        |spectrogram| format!("spectrogram {}/{}", spectrogram.window, spectrogram.hop),
    );
    let length = data.length.map(|length| format!("{length} samples"));
    let rate = data.rate.map(|rate| format!("{rate} Hz"));
    [Some(kind), length, rate]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

/// Shows the fields.
pub(super) fn show(form: &mut Form<'_>) {
    let data = form.data;
    if let Some(length) = form.optional(
        ["length", "Signal length", LENGTH.about, "the longest"],
        &written(data.length),
        count,
    ) {
        form.next.length = length;
    }
    if let Some(rate) = form.optional(
        ["rate", "Sample rate", RATE.about, "as they are"],
        &written(data.rate),
        count,
    ) {
        form.next.rate = rate;
    }
    let words = ["picture", "Spectrogram", SPECTROGRAM.about, "spectrogram"];
    let on = form.switch(words, data.spectrogram.is_some());
    match data.spectrogram {
        Some(spectrogram) if on => details(form, spectrogram),
        Some(_) => form.next.spectrogram = None,
        None => form.next.spectrogram = on.then_some(FIRST),
    }
}

fn details(form: &mut Form<'_>, now: Spectrogram) {
    let words = [
        "window",
        "Window",
        "Samples of a window; the picture is half as high, and one more.",
        "256",
    ];
    if let Some(window) = form.optional(words, &now.window.to_string(), count) {
        form.next.spectrogram = Some(Spectrogram {
            window: window.unwrap_or(FIRST.window),
            ..now
        });
    }
    let words = ["hop", "Hop", "Samples from one window to the next.", "128"];
    if let Some(hop) = form.optional(words, &now.hop.to_string(), count) {
        form.next.spectrogram = Some(Spectrogram {
            hop: hop.unwrap_or(FIRST.hop),
            ..now
        });
    }
    let about =
        "The logarithm of the power, over 80 dB, instead of the magnitude: as the ear hears it.";
    let log = form.switch(["scale", "Logarithmic", about, "logarithmic"], now.log);
    if log != now.log {
        form.next.spectrogram = Some(Spectrogram { log, ..now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_the_group_says_what_is_set() {
        assert_eq!(summary(&DataSpec::default()), "waveform");
        let data = DataSpec {
            spectrogram: Some(FIRST),
            length: Some(8000),
            rate: Some(16000),
            ..DataSpec::default()
        };
        assert_eq!(
            summary(&data),
            "spectrogram 256/128 · 8000 samples · 16000 Hz"
        );
    }
}
