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
use picture::{Images, Picture};
use strata_engine::storage::saved_run::SavedRun;
use strata_inspect::image_set::{Chosen, FromSplit};
use strata_inspect::reconstructions::PROBES;

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

/// Images that are read so that one of them is looked at, at most.
const READ: usize = 1000;

/// Draws, writes and prints the file's name.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    args.what.check(args)?;
    saved::check_is_run(&args.run)?;
    args.what.show(args)
}

fn open(args: &InspectArgs) -> anyhow::Result<SavedRun> {
    let mut run = saved::open(&args.run, &args.checkpoint, args.device.as_deref())?;
    check_slice(args.slice, run.dataset.depth())?;
    if args.what.images == Images::Set && !args.image.is_empty() {
        run.look_at_files(&args.image)?;
    }
    if let Some(since) = &args.since {
        run.compare(&args.run, &args.checkpoint, since)?;
    }
    Ok(run)
}

/// Refuses a slice that the images do not have.
fn check_slice(slice: Option<usize>, depth: Option<usize>) -> Result<(), WrongInput> {
    match (slice, depth) {
        (Some(_), None) => Err(WrongInput(
            "--slice is of volumes, and the images of this run are none: leave it out".to_owned(),
        )),
        (Some(slice), Some(depth)) if slice >= depth => Err(WrongInput(format!(
            "there is no slice {slice}: these volumes have {depth}, counted from 0"
        ))),
        _ => Ok(()),
    }
}

/// The images that are asked for; without any the probe images.
fn chosen(args: &InspectArgs) -> Chosen {
    Chosen {
        files: args.image.clone(),
        split: args.split,
        limit: args.limit,
    }
}

/// The images of a split that are gone over.
fn from_split(args: &InspectArgs) -> FromSplit {
    FromSplit {
        split: args.split,
        limit: args.limit,
    }
}

/// Looks at the images that are asked for instead of the probe images: up to so many at once. How many they are, and
/// nothing where none were asked for.
fn look_at(run: &mut SavedRun, args: &InspectArgs, most: usize) -> anyhow::Result<Option<usize>> {
    let mut chosen = chosen(args);
    if chosen == Chosen::default() {
        return Ok(None);
    }
    if chosen.files.is_empty() && chosen.limit.is_none() {
        // As far as the image that is asked for.
        chosen.limit = args.probe.map(|image| image.max(PROBES));
    }
    let asked = chosen.limit.unwrap_or(0).max(chosen.files.len());
    if asked > most {
        let word = args.what.word;
        let message = format!("{word} looks at up to {most} images at once, not at {asked}");
        return Err(WrongInput(message).into());
    }
    Ok(Some(run.look_at(&chosen)?))
}

/// Refuses an image (from 0) that is not among those looked at: `shown` of how many.
fn is_there(image: usize, [shown, of]: &[usize; 2]) -> Result<(), WrongInput> {
    if image == *shown {
        return Ok(());
    }
    let message = format!("there is no image {}: there are {of}, from 1", image + 1);
    Err(WrongInput(message))
}

/// Refuses a unit without the layer it belongs to.
fn unit_of_layer(args: &InspectArgs) -> Result<(), WrongInput> {
    if args.unit.is_some() && args.layer.is_none() {
        let message = "--unit needs the layer it belongs to: write --layer encoder.2";
        return Err(WrongInput(message.to_owned()));
    }
    Ok(())
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
