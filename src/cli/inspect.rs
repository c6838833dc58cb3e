//! `strata inspect`: the window's pictures of a run as PNG files.

mod activations;
mod curve;
mod field;
mod pixel;

use super::args::{InspectArgs, Picture};
use super::{WrongInput, output};
use crate::cli::text;
use serde_json::{Value, json};
use strata_core::project::target::Target;
use strata_engine::storage::saved_run::{self, SavedRun};
use strata_gui::plate::of_network;
use strata_gui::snapshot::Snapshot;
use strata_inspect::confusion::Confusion;
use strata_inspect::filters::{self, Filters};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::saliency::{Answer, Question, Request, Saliency};
use strata_inspect::sparse::SparseCode;

/// Draws, writes and prints the file's name.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    check(args)?;
    let file = args
        .output
        .clone()
        .unwrap_or_else(|| output::free_picture(&args.run, args.what.name()));
    if !output::is_picture(&file) {
        let png = file.with_extension("png");
        return Err(WrongInput(format!(
            "pictures are written as PNG or SVG: write -o {}",
            png.display()
        ))
        .into());
    }
    let (picture, values) = match args.what {
        Picture::Filters => (filters(args)?, None),
        Picture::Loss | Picture::Accuracy => curve::picture(args)?,
        Picture::Confusion => confusion(&mut open(args)?)?,
        Picture::Reconstructions => (reconstructions(&mut open(args)?, args)?, None),
        Picture::Saliency => saliency(&mut open(args)?, args)?,
        Picture::SparseCode => sparse_code(&mut open(args)?)?,
        Picture::Activations => activations::picture(&mut open(args)?, args)?,
        Picture::Pixel => return pixel::run(&mut open(args)?, args),
        Picture::ReceptiveField => field::picture(args)?,
    };
    output::write_picture(&file, &picture)?;
    match values.filter(|_| args.json) {
        Some(values) => output::print_json(&values),
        None => output::print(&file.display().to_string()),
    }
}

fn open(args: &InspectArgs) -> anyhow::Result<SavedRun> {
    let run = SavedRun::open(
        &args.run,
        &args.checkpoint,
        args.device.as_deref(),
        &mut |_| true,
    )?;
    output::warn(&run.warnings);
    Ok(run)
}

/// Refuses what the picture asked for does not have.
fn check(args: &InspectArgs) -> Result<(), WrongInput> {
    let (saliency, pixel) = (args.what == Picture::Saliency, args.what == Picture::Pixel);
    let field = args.what == Picture::ReceptiveField;
    let maps = args.what == Picture::Activations;
    let filters = args.what == Picture::Filters;
    let refused = [
        (args.class.is_some() && !saliency, "--class is for saliency"),
        (
            args.layer.is_some() && !pixel && !field && !maps && !filters,
            "--layer is for filters, activations, receptive-field and pixel",
        ),
        (args.decoder && !filters, "--decoder is for filters"),
        (args.at.is_some() && !pixel, "--at is for pixel"),
        (
            args.cell.is_some() && !field,
            "--cell is for receptive-field",
        ),
        (
            args.output.is_some() && pixel,
            "pixel is printed, so it has no -o",
        ),
        (
            args.image.is_some()
                && !saliency
                && !pixel
                && !maps
                && args.what != Picture::Reconstructions,
            "--image is for reconstructions, saliency, activations and pixel",
        ),
        (
            args.json && matches!(args.what, Picture::Filters | Picture::Reconstructions),
            "--json is for loss, accuracy, confusion, saliency, sparse-code, activations, receptive-field and pixel",
        ),
    ];
    match refused.into_iter().find(|(is_refused, _)| *is_refused) {
        Some((_, message)) => Err(WrongInput(format!(
            "{message}; leave it out for {}",
            args.what.name()
        ))),
        None => Ok(()),
    }
}

fn saliency(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<(Snapshot, Option<Value>)> {
    let question = args
        .class
        .as_deref()
        .map(|name| class(run, name))
        .transpose()?
        .map(Question::Class);
    let saliency = run.inspect_slice::<Saliency>(
        args.slice,
        &Request {
            question,
            image: args.image.clone(),
        },
    )?;
    for (index, answer) in saliency.answers.iter().enumerate() {
        output::say(&line(&saliency, index, answer));
    }
    let top = |answer: &Answer| -> Vec<Value> {
        let pair = |(class, p): &(u32, f32)| json!({"class": saliency.class_name(*class), "probability": p});
        answer.top.iter().map(pair).collect()
    };
    let name = |class: Option<u32>| class.map(|class| saliency.class_name(class));
    let value = |answer: &Answer| json!({"label": name(answer.label), "class": name(answer.class), "score": answer.score, "top": top(answer)});
    let values = json!({"step": saliency.step, "images": saliency.answers.iter().map(value).collect::<Vec<_>>()});
    Ok((of_network::saliency(&saliency), Some(values)))
}

/// The class of this name, or of this number where no class is called so.
fn class(run: &SavedRun, name: &str) -> Result<u32, WrongInput> {
    let classes = run.dataset.classes();
    let found = classes.iter().position(|class| class == name);
    let numbered = || {
        name.parse()
            .ok()
            .filter(|&class: &usize| class < classes.len())
    };
    found
        .or_else(numbered)
        .map(|class| class as u32)
        .ok_or_else(|| {
            WrongInput(format!(
                "there is no class `{name}`; there is {}",
                classes.join(", ")
            ))
        })
}

/// `image 3, 7: logit 12.1; 7 98.2 %, 1 1.1 %, 9 0.4 %`
fn line(saliency: &Saliency, index: usize, answer: &Answer) -> String {
    let label = answer.label.map_or_else(String::new, |label| {
        format!(", {}", saliency.class_name(label))
    });
    let score = text::figure(f64::from(answer.score));
    let Some(class) = answer.class else {
        return format!("image {}{label}: mse {score}", index + 1);
    };
    let top = answer
        .top
        .iter()
        .map(|(class, p)| format!("{} {:.1} %", saliency.class_name(*class), 100.0 * p));
    let top = top.collect::<Vec<_>>().join(", ");
    format!(
        "image {}{label}: {top}; logit of {} {score}",
        index + 1,
        saliency.class_name(class)
    )
}

fn confusion(run: &mut SavedRun) -> anyhow::Result<(Snapshot, Option<Value>)> {
    let confusion = run.inspect::<Confusion>(&None)?;
    Ok((
        of_network::confusion(&confusion),
        Some(serde_json::to_value(&confusion)?),
    ))
}

fn sparse_code(run: &mut SavedRun) -> anyhow::Result<(Snapshot, Option<Value>)> {
    let code = run.inspect::<SparseCode>(&())?;
    let SparseCode {
        layer,
        split,
        images,
        of,
        means,
        ..
    } = &code;
    let mean = means.iter().map(|mean| f64::from(*mean)).sum::<f64>() / means.len().max(1) as f64;
    let target =
        code.target
            .zip(code.penalty)
            .map_or_else(String::new, |((rho, beta), penalty)| {
                format!(
                    ", target {rho}, penalty {} (beta {beta})",
                    text::figure(penalty)
                )
            });
    let (units, mean) = (means.len(), text::figure(mean));
    output::say(&format!(
        "{layer}: {units} units, mean activation {mean}{target}, over {images} of {of} {split} images"
    ));
    Ok((
        of_network::sparse_code(&code),
        Some(serde_json::to_value(&code)?),
    ))
}

fn filters(args: &InspectArgs) -> anyhow::Result<Snapshot> {
    let filters = saved_run::inspect_weights::<Filters>(
        &args.run,
        &args.checkpoint,
        args.device.as_deref(),
        &request(args)?,
    )?;
    let what = if filters.are_templates {
        "templates"
    } else {
        "filters"
    };
    output::say(&format!(
        "{} {what} of {} `{}`",
        filters.count, filters.key, filters.layer
    ));
    Ok(of_network::filters(&filters))
}

/// Whose filters are asked for.
fn request(args: &InspectArgs) -> Result<filters::Request, WrongInput> {
    let Some(name) = &args.layer else {
        return Ok(if args.decoder {
            filters::Request::Decoder
        } else {
            filters::Request::First
        });
    };
    match name.parse() {
        Ok(Target::Node(place)) => Ok(filters::Request::Layer(place)),
        Ok(Target::Stack(_)) | Err(_) => Err(WrongInput(format!(
            "`{name}` is no layer: write --layer encoder.0, or --decoder for what the decoder paints"
        ))),
    }
}

fn reconstructions(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Snapshot> {
    let pictures = run.inspect::<Reconstructions>(&args.image)?;
    let (mse, psnr) = (pictures.mean_mse, pictures.psnr);
    output::say(&format!(
        "mse {}, psnr {psnr:.2} dB over {} images",
        text::figure(mse.into()),
        pictures.mse.len()
    ));
    Ok(of_network::reconstructions(&pictures, args.slice))
}
