//! `strata inspect RUN reconstructions`: images and what the network makes of them, the errors over a split, and the
//! code changed by hand.

use super::READ;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use strata_core::format;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::{of_network, of_reconstructions};
use strata_inspect::code_edit::{self, CodeEdit};
use strata_inspect::reconstruction_errors::{self, ImageError, ReconstructionErrors};
use strata_inspect::reconstructions::Reconstructions;

/// `strata inspect RUN reconstructions`
pub(super) const PICTURE: Picture = Picture {
    word: "reconstructions",
    shows: "Images and the network's reconstructions of them",
    images: Images::Each,
    takes: &[
        "--since",
        "--numbers",
        "--edit",
        "--walk",
        "--noise",
        "--probe",
        "--seed",
        "--slice",
    ],
    draw: Draw::Run(picture),
    check,
};

fn check(args: &InspectArgs) -> Result<(), WrongInput> {
    if args.seed.is_some() && args.code.noise.is_none() {
        let message = "--seed draws the noise on the code: write --noise 0.5 with it";
        return Err(WrongInput(message.to_owned()));
    }
    Ok(())
}

/// The probe images; the errors where a split or numbers are asked for; the code where that is changed.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    if args.has(&["--edit", "--walk", "--noise", "--probe"]) {
        return code(run, args);
    }
    let is_measured = args.split.is_some() || args.limit.is_some() || args.json;
    if args.image.is_empty() && (is_measured || args.numbers.is_some()) {
        return errors(run, args);
    }
    super::look_at(run, args, READ)?;
    let pictures = run.inspect::<Reconstructions>(&None)?;
    if let Some(step) = pictures.since {
        output::say(&format!("between what is made now and at step {step}:"));
    }
    let (mse, psnr) = (pictures.mean_mse, pictures.psnr);
    output::say(&format!(
        "mse {}, psnr {} dB over {} images",
        text::figure(mse.into()),
        format::fixed(psnr.into(), 2),
        pictures.mse.len()
    ));
    let units = run.dataset.pixel_units();
    let figures = |mse: &f32| [f64::from(*mse), units.psnr(f64::from(*mse))];
    let figures: Vec<[f64; 2]> = pictures.mse.iter().map(figures).collect();
    if let Some(file) = &args.numbers {
        let values: Vec<f32> = figures.iter().flatten().map(|n| *n as f32).collect();
        Numbers {
            axes: &[("image", figures.len()), ("figure", 2)],
            values: &values,
        }
        .save(file)?;
    }
    let finite = |psnr: f64| Some(psnr).filter(|psnr| psnr.is_finite());
    let images = figures.iter().zip(&args.image).map(|([mse, psnr], file)| {
        json!({"file": file.display().to_string(), "mse": mse, "psnr": finite(*psnr)})
    });
    let value = json!({
        "step": pictures.step,
        "since": pictures.since,
        "mse": mse,
        "psnr": finite(psnr.into()),
        "images": images.collect::<Vec<_>>(),
    });
    let drawn = of_network::reconstructions(&pictures, args.slice);
    Ok((drawn, Some(value)))
}

fn errors(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let request = reconstruction_errors::Request {
        split: args.split,
        limit: args.limit,
    };
    let errors = run.inspect_slice::<ReconstructionErrors>(args.slice, &request)?;
    let images = format::count(errors.errors.len() as u64);
    output::say(&format!(
        "{} over {images} {} images",
        of_reconstructions::mean_words(&errors),
        errors.split
    ));
    if let Some(change) = of_reconstructions::change_words(&errors) {
        output::say(&change);
    }
    output::say(&of_reconstructions::settings(&errors));
    let last = errors.errors.len().saturating_sub(1);
    for (word, at) in [("best", 0), ("worst", last)] {
        let Some(error) = errors.errors.get(at) else {
            continue;
        };
        let label = error.label.map_or_else(String::new, |label| {
            format!(" ({})", errors.class_name(label))
        });
        let words = of_reconstructions::error_words(&errors, at);
        output::say(&format!(
            "{word}: image {}{label}, mse {}, {words}",
            error.index,
            text::figure(error.mse)
        ));
    }
    if let Some(file) = &args.numbers {
        let figures = |error: &ImageError| {
            let ssim = error.ssim.unwrap_or(f64::NAN);
            [error.mse, error.psnr, ssim].map(|figure| figure as f32)
        };
        let before = |at: usize| Some(figures(&errors.before.as_ref()?.errors[at]));
        let rows = errors.errors.iter().enumerate().flat_map(|(at, error)| {
            let row = [error.index as f32].into_iter().chain(figures(error));
            row.chain(before(at).into_iter().flatten())
        });
        let values: Vec<f32> = rows.collect();
        let (columns, count) = match errors.before.is_some() {
            true => ("place,mse,psnr,ssim,mse_then,psnr_then,ssim_then", 7),
            false => ("place,mse,psnr,ssim", 4),
        };
        let axes = [("row", errors.errors.len()), (columns, count)];
        let values = &values;
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    let value = errors_value(&errors);
    Ok((of_reconstructions::errors(&errors), Some(value)))
}

fn errors_value(errors: &ReconstructionErrors) -> Value {
    let (ends, counts) = errors.histogram();
    let before = errors.before.as_ref();
    let images = errors.errors.iter().enumerate().map(|(at, error)| {
        let label = error.label.map(|label| errors.class_name(label));
        let psnr = Some(error.psnr).filter(|psnr| psnr.is_finite());
        let mut one = json!({"image": error.index, "label": label, "mse": error.mse, "psnr": psnr, "ssim": error.ssim});
        if let Some(before) = before {
            one["mse_before"] = json!(before.errors[at].mse);
        }
        one
    });
    let mut value = json!({
        "step": errors.step,
        "split": errors.split.name(),
        "of": errors.of,
        "mse": errors.mean(|error| Some(error.mse)),
        "psnr": errors.mean(|error| Some(error.psnr).filter(|psnr| psnr.is_finite())),
        "ssim": errors.mean(|error| error.ssim),
        "histogram": {"range": ends, "counts": counts},
        "images": images.collect::<Vec<_>>(),
    });
    if let Some(before) = before {
        let [better, worse] = errors.better_and_worse().unwrap_or_default();
        value["change"] = json!({
            "since": before.step,
            "mse": errors.mean_change(|error| Some(error.mse)),
            "ssim": errors.mean_change(|error| error.ssim),
            "better": better,
            "worse": worse,
        });
    }
    value
}

fn code(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.code;
    let [from, to] = match options.walk.as_slice() {
        [from, to] => [Some(*from), Some(*to)],
        [] => [args.probe, None],
        _ => {
            return Err(WrongInput(
                "--walk goes from one image to another: write --walk 1,4".to_owned(),
            )
            .into());
        }
    };
    // Of one file the units' ranges are those over the probe images.
    let file = args.one_image().filter(|_| args.image.len() == 1);
    if file.is_none() {
        super::look_at(run, args, READ)?;
    }
    let request = code_edit::Request {
        // Images and units are counted from 1, as below their pictures.
        image: from.map_or(0, |image| image - 1),
        file,
        other: to.map(|image| image - 1),
        edits: options
            .edit
            .iter()
            .map(|(unit, value)| (unit - 1, *value))
            .collect(),
        noise: options.noise.unwrap_or(0.0),
        seed: args.seed.unwrap_or(0),
    };
    let edit = run.inspect_slice::<CodeEdit>(args.slice, &request)?;
    output::say(&format!(
        "image {} of {}, {} units; {}",
        edit.image[0] + 1,
        edit.image[1],
        edit.code.len(),
        of_reconstructions::edits_words(&edit)
    ));
    if let Some(file) = &args.numbers {
        let values = &[edit.code.as_slice(), edit.edited.as_slice()].concat();
        // As the network gives it, and with the edits.
        let axes = [("code", 2), ("unit", edit.code.len())];
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    let ranges = edit.ranges.iter();
    let units = ranges.zip(edit.code.iter().zip(&edit.edited)).map(|(range, (code, edited))| {
        json!({"value": code, "edited": edited, "low": range.low, "high": range.high, "std": range.std})
    });
    let value = json!({
        "step": edit.step,
        "image": edit.image[0] + 1,
        "shape": edit.shape,
        "units": units.collect::<Vec<_>>(),
        "painted": edit.painted.iter().map(|unit| unit + 1).collect::<Vec<_>>(),
    });
    Ok((of_reconstructions::code(&edit), Some(value)))
}
