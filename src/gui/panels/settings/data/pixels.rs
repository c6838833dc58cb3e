//! What becomes of a pixel on its way in: size, patches, range.

use super::read::{self, bounds, count, numbers, pair, size, written};
use super::{Form, choice};
use std::fmt;
use strata_core::project::data::{
    Center, DataSpec, Filter, Fitting, MeanStd, Normalize, Whiten, Whitening,
};
use strata_core::project::reference::data::{
    CENTER, FILTER, FIT, GREY, PATCH, PATCHES_PER_IMAGE, RANGE, RESIZE, WHITEN,
};

/// What pixel values become, as people choose it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Range,
    Train,
    Numbers,
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Values::Range => "range",
            Values::Train => "train mean/std",
            Values::Numbers => "own mean/std",
        })
    }
}

impl Values {
    fn of(data: &DataSpec) -> Values {
        match data.normalize {
            None => Values::Range,
            Some(Normalize::Measured(_)) => Values::Train,
            Some(Normalize::By(_)) => Values::Numbers,
        }
    }
}

/// Which whitening, as people choose it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whitened {
    Not,
    Zca,
    Pca,
}

impl fmt::Display for Whitened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Whitened::Not => "none",
            Whitened::Zca => "ZCA",
            Whitened::Pca => "PCA",
        })
    }
}

impl Whitened {
    fn of(data: &DataSpec) -> Whitened {
        match data.whiten.map(|whiten| whiten.by) {
            None => Whitened::Not,
            Some(Whitening::Zca) => Whitened::Zca,
            Some(Whitening::Pca) => Whitened::Pca,
        }
    }
}

/// All of it in a few words.
pub(super) fn summary(data: &DataSpec) -> String {
    let mut words = vec![
        data.resize
            .map_or_else(|| "own size".to_owned(), |sides| size(Some(sides))),
    ];
    if data.grey {
        words.push("grey".to_owned());
    }
    if data.patches.is_some() {
        words.push(format!("patches {}", size(data.patches)));
    }
    words.push(match Values::of(data) {
        Values::Range => data.range.map_or_else(
            || usual(data).to_owned(),
            |[low, high]| format!("{low}..{high}").replace('-', "−"),
        ),
        Values::Train | Values::Numbers => "standardised".to_owned(),
    });
    if data.center.is_some() {
        words.push("centred".to_owned());
    }
    match Whitened::of(data) {
        Whitened::Not => {}
        whitened => words.push(format!("whitened by {whitened}")),
    }
    words.join(" · ")
}

/// The range where none is set: numbers that are no bytes stay as they are.
fn usual(data: &DataSpec) -> &'static str {
    if data.source.info().has_numbers {
        "own range"
    } else {
        "0..1"
    }
}

/// Shows the fields; `channels` is how many the network takes.
pub(super) fn show(form: &mut Form<'_>, channels: usize) {
    let data = form.data;
    let words = ["resize", "Resize", RESIZE.about, "as they are"];
    if let Some(sides) = form.optional(words, &size(data.resize), pair) {
        form.next.resize = sides;
        // How images are scaled goes with the scaling.
        *form.next = form.next.without_idle();
    }
    if data.resize.is_some() {
        scaling(form);
    }
    if !data.source.info().is_grey {
        let words = ["grey", "Grey", GREY.about, "without colours"];
        form.next.grey = form.switch(words, data.grey);
    }
    patches(form);
    values(form, channels);
    let words = [
        "center",
        "Centre each image",
        CENTER.about,
        "less its own mean",
    ];
    form.next.center = form
        .switch(words, data.center.is_some())
        .then_some(Center::Patch);
    whitening(form);
}

fn whitening(form: &mut Form<'_>) {
    let data = form.data;
    let id = form.id("whiten");
    let all = [Whitened::Not, Whitened::Zca, Whitened::Pca];
    let names = ["whiten", "Whitening", WHITEN.about];
    let now = data.whiten.unwrap_or(Whiten::USUAL);
    if let Some(chosen) = choice(form.ui, id, names, Whitened::of(data), &all) {
        let by = match chosen {
            Whitened::Not => None,
            Whitened::Zca => Some(Whitening::Zca),
            Whitened::Pca => Some(Whitening::Pca),
        };
        form.next.whiten = by.map(|by| Whiten { by, ..now });
    }
    if data.whiten.is_none() {
        return;
    }
    let words = [
        "added",
        "Added variance",
        "Added to the variance of each component before it divides: the more, the less the weak components, which are mostly noise, are raised.",
        "0.1",
    ];
    if let Some(eps) = form.optional(words, &now.eps.to_string(), added) {
        let eps = eps.unwrap_or(Whiten::USUAL.eps);
        form.next.whiten = Some(Whiten { eps, ..now });
    }
}

/// A number above 0.
fn added(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok();
    let wrong = || format!("“{text}” is no number above 0, such as 0.1");
    number
        .filter(|number: &f64| *number > 0.0 && number.is_finite())
        .ok_or_else(wrong)
}

fn scaling(form: &mut Form<'_>) {
    let id = form.id("filter");
    if let Some(filter) = choice(
        form.ui,
        id,
        ["filter", "Resize filter", FILTER.about],
        form.data.filter,
        &Filter::ALL,
    ) {
        form.next.filter = filter;
    }
    let id = form.id("fit");
    if let Some(fit) = choice(
        form.ui,
        id,
        ["fit", "Resize fit", FIT.about],
        form.data.fit,
        &Fitting::ALL,
    ) {
        form.next.fit = fit;
    }
}

fn patches(form: &mut Form<'_>) {
    let data = form.data;
    if let Some(sides) = form.optional(
        ["patch", "Patches", PATCH.about, "whole images"],
        &size(data.patches),
        pair,
    ) {
        form.next.patches = sides;
        *form.next = form.next.without_idle();
    }
    if data.patches.is_some() {
        let words = ["each", "Patches per image", PATCHES_PER_IMAGE.about, "10"];
        if let Some(each) = form.optional(words, &written(data.patches_per_image), count) {
            form.next.patches_per_image = each;
        }
    }
}

fn values(form: &mut Form<'_>, channels: usize) {
    let data = form.data;
    let about = "What pixel values become: a range, or each channel less its mean and divided by its standard deviation, as measured on the training images or as given.";
    let (now, all) = (
        Values::of(data),
        [Values::Range, Values::Train, Values::Numbers],
    );
    let id = form.id("values");
    if let Some(values) = choice(form.ui, id, ["values", "Pixel values", about], now, &all) {
        form.next.range = None;
        form.next.normalize = match values {
            Values::Range => None,
            Values::Train => Some(Normalize::MEASURED),
            Values::Numbers => Some(Normalize::By(MeanStd {
                mean: vec![0.5; channels],
                std: vec![0.25; channels],
            })),
        };
    }
    match &data.normalize {
        None => range(form),
        Some(Normalize::Measured(_)) => {}
        Some(Normalize::By(given)) => by_numbers(form, given),
    }
}

fn range(form: &mut Form<'_>) {
    let now = form
        .data
        .range
        .map_or_else(String::new, |[low, high]| format!("{low}..{high}"));
    if let Some(range) = form.optional(
        ["range", "Pixel range", RANGE.about, usual(form.data)],
        &now,
        bounds,
    ) {
        form.next.range = range;
    }
}

fn by_numbers(form: &mut Form<'_>, given: &MeanStd) {
    let joined = |values: &[f32]| {
        values
            .iter()
            .map(f32::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let words = [
        "mean",
        "Mean",
        "The mean of each channel, for pixels in 0..1.",
        "0.5",
    ];
    if let Some(Some(mean)) = form.optional(words, &joined(&given.mean), numbers) {
        form.next.normalize = Some(Normalize::By(MeanStd {
            mean,
            ..given.clone()
        }));
    }
    let positive = |text: &str| {
        let numbers = read::numbers(text)?;
        let wrong = || "a deviation divides: write numbers above 0".to_owned();
        if numbers.iter().all(|&number| number > 0.0) {
            Ok(numbers)
        } else {
            Err(wrong())
        }
    };
    let words = [
        "std",
        "Deviation",
        "The standard deviation of each channel, for pixels in 0..1.",
        "0.25",
    ];
    if let Some(Some(std)) = form.optional(words, &joined(&given.std), positive) {
        form.next.normalize = Some(Normalize::By(MeanStd {
            std,
            ..given.clone()
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::Source;

    #[test]
    fn closed_the_group_says_what_is_set() {
        assert_eq!(summary(&DataSpec::default()), "own size · 0..1");
        assert_eq!(
            summary(&DataSpec {
                source: Source::Wav,
                ..DataSpec::default()
            }),
            "own size · own range"
        );
        let data = DataSpec {
            resize: Some([32, 48]),
            grey: true,
            patches: Some([8, 8]),
            normalize: Some(Normalize::MEASURED),
            ..DataSpec::default()
        };
        assert_eq!(summary(&data), "32×48 · grey · patches 8×8 · standardised");
        let whitened = DataSpec {
            center: Some(Center::Patch),
            whiten: Some(Whiten::USUAL),
            ..DataSpec::default()
        };
        assert_eq!(
            summary(&whitened),
            "own size · 0..1 · centred · whitened by ZCA"
        );
    }
}
