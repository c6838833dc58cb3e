//! `strata inspect RUN reconstructions`: images and what the network makes of them, the errors over a split, and the
//! code changed by hand.

use super::picture::{Draw, Drawn, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use strata_core::format;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::{of_network, of_reconstructions};
use strata_inspect::code_edit::{self, CodeEdit};
use strata_inspect::reconstruction_errors::{self, ReconstructionErrors};
use strata_inspect::reconstructions::Reconstructions;

/// `strata inspect RUN reconstructions`
pub(super) const PICTURE: Picture = Picture {
    word: "reconstructions",
    shows: "Images and the network's reconstructions of them",
    takes: &[
        "--since",
        "--image",
        "--split",
        "--limit",
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
    super::one_source(args)
}

/// The probe images; the errors where a split or numbers are asked for; the code where that is changed.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    if args.has(&["--edit", "--walk", "--noise", "--probe"]) {
        return code(run, args);
    }
    let is_measured = args.split.is_some() || args.limit.is_some() || args.json;
    if is_measured || args.numbers.is_some() {
        return errors(run, args);
    }
    let pictures = run.inspect::<Reconstructions>(&args.one_image())?;
    if let Some(step) = pictures.since {
        output::say(&format!("between what is made now and at step {step}:"));
    }
    let (mse, psnr) = (pictures.mean_mse, pictures.psnr);
    output::say(&format!(
        "mse {}, psnr {psnr:.2} dB over {} images",
        text::figure(mse.into()),
        pictures.mse.len()
    ));
    Ok((of_network::reconstructions(&pictures, args.slice), None))
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
    output::say(&of_reconstructions::settings(&errors));
    let ends = [
        ("best", errors.errors.first()),
        ("worst", errors.errors.last()),
    ];
    for (word, error) in ends {
        let Some(error) = error else { continue };
        let label = error.label.map_or_else(String::new, |label| {
            format!(" ({})", errors.class_name(label))
        });
        let words = of_reconstructions::error_words(error);
        output::say(&format!(
            "{word}: image {}{label}, mse {}, {words}",
            error.index,
            text::figure(error.mse)
        ));
    }
    if let Some(file) = &args.numbers {
        let figures = errors.errors.iter().flat_map(|error| {
            let ssim = error.ssim.unwrap_or(f64::NAN);
            [f64::from(error.index), error.mse, error.psnr, ssim].map(|figure| figure as f32)
        });
        let values: Vec<f32> = figures.collect();
        // Place in the split, MSE, PSNR, SSIM.
        let axes = [("image", errors.errors.len()), ("figure", 4)];
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
    let images = errors.errors.iter().map(|error| {
        let label = error.label.map(|label| errors.class_name(label));
        let psnr = Some(error.psnr).filter(|psnr| psnr.is_finite());
        json!({"image": error.index, "label": label, "mse": error.mse, "psnr": psnr, "ssim": error.ssim})
    });
    json!({
        "step": errors.step,
        "split": errors.split.name(),
        "of": errors.of,
        "mse": errors.mean(|error| Some(error.mse)),
        "psnr": errors.mean(|error| Some(error.psnr).filter(|psnr| psnr.is_finite())),
        "ssim": errors.mean(|error| error.ssim),
        "histogram": {"range": ends, "counts": counts},
        "images": images.collect::<Vec<_>>(),
    })
}

fn code(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.code;
    let [from, to] = match options.walk.as_slice() {
        [from, to] => [Some(*from), Some(*to)],
        [] => [options.probe, None],
        _ => {
            return Err(WrongInput(
                "--walk goes from one image to another: write --walk 1,4".to_owned(),
            )
            .into());
        }
    };
    let request = code_edit::Request {
        // Images and units are counted from 1, as below their pictures.
        image: from.map_or(0, |image| image - 1),
        file: args.one_image(),
        other: to.map(|image| image - 1),
        edits: options
            .edit
            .iter()
            .map(|(unit, value)| (unit - 1, *value))
            .collect(),
        noise: options.noise.unwrap_or(0.0),
        seed: args.seed.unwrap_or(0),
    };
    let edit = run.inspect::<CodeEdit>(&request)?;
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
