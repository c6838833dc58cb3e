//! `strata inspect`: the window's pictures of a run as PNG or SVG files.

mod activations;
mod adversarial;
mod confusion;
mod curve;
mod dynamics;
mod embedding;
mod exciting;
mod field;
mod filters;
mod layers;
mod neighbours;
pub mod picture;
mod pixel;
mod predictions;
mod reconstructions;
mod saliency;
mod sparse_code;
mod visualize;

use super::args::InspectArgs;
use super::{WrongInput, saved};
use picture::Picture;
use strata_engine::storage::saved_run::SavedRun;

/// Every picture, in the order of the help: what has no line here cannot be asked for.
const PICTURES: [&Picture; 18] = [
    &filters::PICTURE,
    &curve::LOSS,
    &curve::ACCURACY,
    &confusion::PICTURE,
    &predictions::PICTURE,
    &reconstructions::PICTURE,
    &activations::PICTURE,
    &saliency::PICTURE,
    &adversarial::PICTURE,
    &neighbours::PICTURE,
    &embedding::PICTURE,
    &visualize::PICTURE,
    &exciting::PICTURE,
    &layers::PICTURE,
    &sparse_code::PICTURE,
    &dynamics::PICTURE,
    &field::PICTURE,
    &pixel::PICTURE,
];

/// Draws, writes and prints the file's name.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    args.what.check(args)?;
    saved::check_is_run(&args.run)?;
    args.what.show(args)
}

fn open(args: &InspectArgs) -> anyhow::Result<SavedRun> {
    let mut run = saved::open(&args.run, &args.checkpoint, args.device.as_deref())?;
    if let Some(since) = &args.since {
        run.compare(&args.run, &args.checkpoint, since)?;
    }
    Ok(run)
}

/// Refuses images from disk beside those of a split.
fn one_source(args: &InspectArgs) -> Result<(), WrongInput> {
    if !args.image.is_empty() && args.has(&["--split", "--limit"]) {
        return Err(WrongInput(
            "--image and --split or --limit name other images; leave one of them out".to_owned(),
        ));
    }
    Ok(())
}

/// Refuses a unit without the layer it belongs to.
fn unit_of_layer(args: &InspectArgs) -> Result<(), WrongInput> {
    if args.unit.is_some() && args.layer.is_none() {
        let message = "--unit needs the layer it belongs to: write --layer encoder.2";
        return Err(WrongInput(message.to_owned()));
    }
    one_source(args)
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
