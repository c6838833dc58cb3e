//! Reconstructions as they are handed in: the errors over a split with the best and the worst images, and what the
//! decoder makes of a code that was changed by hand.

use super::of_network::{bar, filter_tile, image_tile, value};
use super::{Plate, Tile, in_rows, tile};
use crate::snapshot::Snapshot;
use image::{Rgba, RgbaImage};
use strata_core::format;
use strata_inspect::activity_change::signed;
use strata_inspect::code_edit::{CodeEdit, STEPS};
use strata_inspect::curve;
use strata_inspect::filters::Filters;
use strata_inspect::maps::viridis;
use strata_inspect::picture::{FilterScale, opaque, pixel_bytes, zoom_for};
use strata_inspect::reconstruction_errors::{ImageError, ReconstructionErrors};
use strata_inspect::ssim;

/// Width of a bar of the histogram, and its height, in pixels.
const BAR: u32 = 12;
const TALL: u32 = 120;
const INK: Rgba<u8> = Rgba([43, 108, 176, 255]);
const PAPER: Rgba<u8> = Rgba([236, 238, 241, 255]);

/// `mean squared error 0.0121, PSNR 19.20 dB, SSIM 0.712`: the means over the images; each with its change since an
/// earlier step where that is shown.
pub fn mean_words(errors: &ReconstructionErrors) -> String {
    let grown = |change: Option<f64>, decimals: usize| {
        change.map_or_else(String::new, |change| {
            format!(" ({})", signed(change, decimals))
        })
    };
    let mse = errors.mean(|error| Some(error.mse)).unwrap_or(f64::NAN);
    let mse_change = grown(errors.mean_change(|error| Some(error.mse)), 4);
    let finite = |error: &ImageError| Some(error.psnr).filter(|psnr| psnr.is_finite());
    let psnr = errors.mean(finite).map_or_else(String::new, |psnr| {
        let change = grown(errors.mean_change(finite), 2);
        format!(", PSNR {} dB{change}", format::fixed(psnr, 2))
    });
    let ssim = errors.mean(|error| error.ssim);
    let ssim = ssim.map_or_else(String::new, |ssim| {
        let change = grown(errors.mean_change(|error| error.ssim), 3);
        format!(", SSIM {}{change}", format::fixed(ssim, 3))
    });
    format!(
        "mean squared error {}{mse_change}{psnr}{ssim}",
        format::loss(mse)
    )
}

/// `change since step 8: 212 images have a smaller error, 44 a larger one`, where the change is shown.
pub fn change_words(errors: &ReconstructionErrors) -> Option<String> {
    let step = format::count(errors.before.as_ref()?.step);
    let [better, worse] = errors.better_and_worse()?.map(|n| format::count(n as u64));
    Some(format!(
        "change since step {step}: {better} images have a smaller error, {worse} a larger one"
    ))
}

/// How the similarity was computed, or why there is none.
pub fn settings(errors: &ReconstructionErrors) -> String {
    match errors.mean(|error| error.ssim) {
        Some(_) => format!("{} (as scikit-image has it).", ssim::SETTINGS),
        None => format!(
            "SSIM needs images of at least {0}×{0} pixels.",
            ssim::WINDOW
        ),
    }
}

/// Of the image at this place of the errors `PSNR 19.20 dB`, where there is one `SSIM 0.712`, and where the change is
/// shown `was 17.31 dB`.
pub fn error_parts(errors: &ReconstructionErrors, at: usize) -> Vec<String> {
    let psnr = |error: &ImageError| match error.psnr.is_finite() {
        true => format!("{} dB", format::fixed(error.psnr, 2)),
        false => "no error".to_owned(),
    };
    let error = &errors.errors[at];
    let ssim = error
        .ssim
        .map(|ssim| format!("SSIM {}", format::fixed(ssim, 3)));
    let before = errors.before.as_ref().map(|before| {
        let then = psnr(&before.errors[at]);
        format!("was {then}")
    });
    let now = match psnr(error) {
        now if error.psnr.is_finite() => format!("PSNR {now}"),
        now => now,
    };
    std::iter::once(now).chain(before).chain(ssim).collect()
}

/// `PSNR 19.20 dB, SSIM 0.712`
pub fn error_words(errors: &ReconstructionErrors, at: usize) -> String {
    error_parts(errors, at).join(", ")
}

/// The errors over a split, the best and the worst images.
pub fn errors(errors: &ReconstructionErrors) -> Snapshot {
    let ([low, high], counts) = errors.histogram();
    let count = |number: usize| format::count(number as u64);
    let mut lines = vec![
        format!(
            "step {} · {} of {} {} images · mean over them: {}",
            format::count(errors.step),
            count(errors.errors.len()),
            count(errors.of),
            errors.split,
            mean_words(errors)
        ),
        settings(errors),
        format!(
            "The histogram counts images by {}, from {} to {}; its tallest bar has {}.",
            histogram_words(errors),
            format::loss(low),
            format::loss(high),
            count(counts.iter().copied().max().unwrap_or(0))
        ),
        match curve::is_signal(errors.size) {
            true => "Below: the best, then the worst; of each the signal and its reconstruction.",
            false => "Below: the best, then the worst; of each the image, its reconstruction, and where the error is.",
        }
        .to_owned(),
    ];
    if let Some(change) = change_words(errors) {
        lines.insert(1, format::capital(&change) + ".");
    }
    let mut rows = vec![vec![Tile {
        image: histogram(&counts),
        zoom: 1,
        caption: String::new(),
    }]];
    rows.extend(examples(errors));
    lines.extend(
        errors
            .slice
            .map(|slice| format!("Drawn is {slice}; errors are of all.")),
    );
    let ends = ["0".to_owned(), value(errors.largest())];
    let name = "squared error of a pixel, all maps on one scale";
    let bars = match curve::is_signal(errors.size) {
        true => Vec::new(),
        false => vec![bar(name, viridis, &ends)],
    };
    Plate {
        title: "Errors of reconstruction".to_owned(),
        lines,
        rows,
        bars,
    }
    .draw()
}

/// What the histogram counts the images by.
pub fn histogram_words(errors: &ReconstructionErrors) -> &'static str {
    match errors.before {
        Some(_) => "the change of their mean squared error",
        None => "their mean squared error",
    }
}

/// Bars of a histogram.
fn histogram(counts: &[usize]) -> RgbaImage {
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let mut image = RgbaImage::from_pixel(counts.len() as u32 * BAR, TALL, PAPER);
    for (bar, count) in counts.iter().enumerate() {
        let height = (f64::from(TALL) * *count as f64 / most as f64).round() as u32;
        for y in TALL - height..TALL {
            (0..BAR - 1).for_each(|x| image.put_pixel(bar as u32 * BAR + x, y, INK));
        }
    }
    image
}

/// An error map as pixels.
pub fn map_rgba(errors: &ReconstructionErrors, shown: usize) -> Vec<u8> {
    let largest = errors.largest();
    let colors = errors.map(shown).iter();
    pixel_bytes(colors.map(|value| opaque(viridis(value / largest))))
}

fn examples(errors: &ReconstructionErrors) -> Vec<Vec<Tile>> {
    let [height, width, _] = errors.size;
    let half = errors.shown.len().div_ceil(2);
    let range = curve::fitted(&errors.inputs, curve::BYTES);
    let picture = |bytes: &[u8], shown: usize, caption: String| {
        image_tile(errors.image(bytes, shown), errors.size, range, caption)
    };
    let words = |shown: usize| {
        let at = errors.shown[shown];
        let number = errors.errors[at].index + 1;
        format!("image {number}: {}", error_words(errors, at))
    };
    let part = |order: Vec<usize>| -> Vec<Vec<Tile>> {
        let row = |of: &dyn Fn(usize) -> Tile| order.iter().map(|shown| of(*shown)).collect();
        let inputs = row(&|shown| picture(&errors.inputs, shown, String::new()));
        if curve::is_signal(errors.size) {
            return vec![
                inputs,
                row(&|shown| picture(&errors.outputs, shown, words(shown))),
            ];
        }
        let zoom = 2 * zoom_for(height);
        let map = |shown| tile(map_rgba(errors, shown), [height, width], zoom, words(shown));
        vec![
            inputs,
            row(&|shown| picture(&errors.outputs, shown, String::new())),
            row(&map),
        ]
    };
    // The worst of all stands first in its row.
    let worst = (half..errors.shown.len()).rev();
    let parts = [part((0..half).collect()), part(worst.collect())];
    parts.into_iter().flatten().collect()
}

/// What units paint, as filters are drawn.
pub fn paints(edit: &CodeEdit) -> Filters {
    let [height, width, channels] = edit.size;
    Filters {
        count: edit.painted.len(),
        height,
        width,
        channels,
        values: edit.paints.clone(),
        ..Filters::default()
    }
}

/// `unit 3: 0.5 → 1.2`: what was changed, units from 1; else what else is shown.
pub fn edits_words(edit: &CodeEdit) -> String {
    let changed = edit.code.iter().zip(&edit.edited).enumerate();
    let changed = changed.filter(|(_, (before, after))| before != after);
    let words = changed.map(|(unit, (before, after))| {
        format!("unit {}: {} → {}", unit + 1, value(*before), value(*after))
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true if !edit.walk.is_empty() => "on the way to the code of another image".to_owned(),
        true if !edit.noisy.is_empty() => "with noise on the code".to_owned(),
        true => "no unit is changed".to_owned(),
        false => words.join(", "),
    }
}

/// The code as the decoder sees it: edits, the way to another image, noise, units alone.
pub fn code(edit: &CodeEdit) -> Snapshot {
    let [input, plain, edited] = &edit.pictures;
    let range = curve::fitted(input, curve::BYTES);
    let picture = |bytes: &[u8], caption: String| image_tile(bytes, edit.size, range, caption);
    let mut rows = vec![vec![
        picture(input, "image".to_owned()),
        picture(plain, "reconstruction".to_owned()),
        picture(edited, "of the edited code".to_owned()),
    ]];
    for (bytes, words) in [(&edit.walk, "on the way"), (&edit.noisy, "with noise")] {
        if !bytes.is_empty() {
            let one =
                |step: usize| picture(edit.picture(bytes, step), format!("{words} {}", step + 1));
            rows.push((0..STEPS).map(one).collect());
        }
    }
    let mut lines = vec![
        format!(
            "step {} · image {} of {} · {} units",
            format::count(edit.step),
            edit.image[0] + 1,
            edit.image[1],
            format::count(edit.code.len() as u64)
        ),
        format::capital(&edits_words(edit)) + ".",
        "Below: what the decoder paints from each unit alone, at its largest value over the probe images, less what it paints from zeros; each by its own largest value.".to_owned(),
    ];
    lines.extend(edit.slice.map(|slice| slice.to_string()));
    let drawn = paints(edit);
    let one = |(index, unit): (usize, &u32)| {
        let caption = format!("unit {}", unit + 1);
        filter_tile(&drawn, index, FilterScale::PerFilter, caption)
    };
    rows.extend(in_rows(
        edit.painted.iter().enumerate().map(one).collect(),
        STEPS,
    ));
    Plate {
        title: "Code".to_owned(),
        lines,
        rows,
        bars: Vec::new(),
    }
    .draw()
}
