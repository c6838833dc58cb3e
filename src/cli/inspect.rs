//! `strata inspect`: the window's pictures of a run as PNG files.

mod activations;
mod adversarial;
mod curve;
mod dynamics;
mod embedding;
mod exciting;
mod field;
mod filters;
mod neighbours;
mod pixel;
mod predictions;
mod reconstructions;
mod saliency;
mod sparse_code;
mod visualize;

use super::args::{InspectArgs, Picture};
use super::{WrongInput, output};
use serde_json::Value;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_gui::snapshot::Snapshot;
use strata_inspect::confusion::Confusion;

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
        Picture::Filters => filters::picture(args)?,
        Picture::Loss | Picture::Accuracy => curve::picture(args)?,
        Picture::Confusion => confusion(&mut open(args)?)?,
        Picture::Reconstructions => reconstructions::picture(&mut open(args)?, args)?,
        Picture::Adversarial => adversarial::picture(&mut open(args)?, args)?,
        Picture::Exciting => exciting::picture(&mut open(args)?, args)?,
        Picture::Visualize => visualize::picture(&mut open(args)?, args)?,
        Picture::Predictions => predictions::picture(&mut open(args)?, args)?,
        Picture::Saliency => saliency::picture(&mut open(args)?, args)?,
        Picture::Neighbours => neighbours::picture(&mut open(args)?, args)?,
        Picture::Embedding => embedding::picture(&mut open(args)?, args)?,
        Picture::SparseCode => sparse_code::picture(&mut open(args)?, args)?,
        Picture::Activations => activations::picture(&mut open(args)?, args)?,
        Picture::Dynamics => dynamics::picture(args)?,
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
    use Picture::{
        Activations, Adversarial, Dynamics, Embedding, Exciting, Filters, Neighbours, Pixel,
        Predictions, ReceptiveField, Reconstructions, Saliency, SparseCode, Visualize,
    };
    let what = args.what;
    let for_these = [
        (args.class.is_some(), "--class", &[Saliency, Visualize][..]),
        (
            args.saliency.unit.is_some(),
            "--unit",
            &[Saliency, Visualize, SparseCode],
        ),
        (args.seed.is_some(), "--seed", &[Visualize, Reconstructions]),
        (
            args.layer.is_some(),
            "--layer",
            &[
                Filters,
                Activations,
                Saliency,
                ReceptiveField,
                Pixel,
                Neighbours,
                Embedding,
                Visualize,
                Exciting,
            ],
        ),
        (args.decoder, "--decoder", &[Filters]),
        (args.at.is_some(), "--at", &[Pixel]),
        (args.figure.is_some(), "--figure", &[Dynamics]),
        (args.cell.is_some(), "--cell", &[ReceptiveField]),
        (
            !args.image.is_empty(),
            "--image",
            &[
                Reconstructions,
                Saliency,
                Predictions,
                Adversarial,
                Visualize,
                Activations,
                Pixel,
                Neighbours,
            ],
        ),
        (
            args.image.len() > 1,
            "a second --image",
            &[Saliency, Predictions, Adversarial],
        ),
        (
            args.split.is_some(),
            "--split",
            &[
                Filters,
                Saliency,
                Predictions,
                Reconstructions,
                Adversarial,
                Neighbours,
                Embedding,
                Exciting,
            ],
        ),
        (
            args.limit.is_some(),
            "--limit",
            &[
                Filters,
                Saliency,
                Predictions,
                Reconstructions,
                Adversarial,
                Neighbours,
                Embedding,
                Exciting,
            ],
        ),
        (
            args.numbers.is_some(),
            "--numbers",
            &[
                Filters,
                Saliency,
                Predictions,
                Reconstructions,
                Adversarial,
                Neighbours,
                Embedding,
                SparseCode,
                Dynamics,
                Visualize,
            ],
        ),
        (
            args.filters.given().is_some(),
            args.filters.given().unwrap_or_default(),
            &[Filters],
        ),
        (
            args.code.given().is_some(),
            args.code.given().unwrap_or_default(),
            &[Reconstructions],
        ),
        (args.predictions.list.is_some(), "--list", &[Predictions]),
        (args.predictions.top.is_some(), "--top", &[Predictions]),
        (
            args.predictions.augmentations.is_some(),
            "--augmentations",
            &[Predictions],
        ),
        (
            args.saliency.given().is_some(),
            args.saliency.given().unwrap_or_default(),
            &[Saliency],
        ),
        (
            args.adversarial.given().is_some(),
            args.adversarial.given().unwrap_or_default(),
            &[Adversarial],
        ),
        (
            args.neighbours.given().is_some(),
            args.neighbours.given().unwrap_or_default(),
            &[Neighbours],
        ),
        (
            args.embedding.given().is_some(),
            args.embedding.given().unwrap_or_default(),
            &[Embedding],
        ),
        (
            args.visualize.channel.is_some(),
            "--channel",
            &[Visualize, Exciting],
        ),
        (
            args.visualize.given().is_some(),
            args.visualize.given().unwrap_or_default(),
            &[Visualize],
        ),
    ];
    let is_refused =
        |(given, _, takes): &(bool, &str, &[Picture])| *given && !takes.contains(&what);
    if let Some((_, word, takes)) = for_these.into_iter().find(is_refused) {
        let names: Vec<&str> = takes.iter().map(|picture| picture.name()).collect();
        let names = match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            _ => names.concat(),
        };
        return Err(refused(&format!("{word} is for {names}"), what));
    }
    // Neighbours of an image from disk are those in a split; the others show either.
    if !args.image.is_empty()
        && what != Neighbours
        && (args.split.is_some() || args.limit.is_some())
    {
        return Err(WrongInput(
            "--image and --split or --limit name other images; leave one of them out".to_owned(),
        ));
    }
    if args.seed.is_some() && what == Reconstructions && args.code.noise.is_none() {
        let message = "--seed draws the noise on the code: write --noise 0.5 with it";
        return Err(WrongInput(message.to_owned()));
    }
    let is_of_layer = matches!(what, Saliency | Visualize);
    if args.saliency.unit.is_some() && is_of_layer && args.layer.is_none() {
        let message = "--unit needs the layer it belongs to: write --layer encoder.2";
        return Err(WrongInput(message.to_owned()));
    }
    if args.output.is_some() && what == Pixel {
        return Err(refused("pixel is printed, so it has no -o", what));
    }
    Ok(())
}

fn refused(message: &str, what: Picture) -> WrongInput {
    WrongInput(format!("{message}; leave it out for {}", what.name()))
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

fn confusion(run: &mut SavedRun) -> anyhow::Result<(Snapshot, Option<Value>)> {
    let confusion = run.inspect::<Confusion>(&None)?;
    Ok((
        of_network::confusion(&confusion),
        Some(serde_json::to_value(&confusion)?),
    ))
}
