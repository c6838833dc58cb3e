//! `strata inspect RUN visualize`: images that a class, a channel, one value or a layer answers to.

use super::class;
use super::field::place;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::{Channels, InspectArgs};
use crate::cli::numbers::{Numbers, one_or_all};
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use std::path::PathBuf;
use strata_core::project::stage::Task;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_visualization;
use strata_inspect::visualize::{self, Goal, How, Request, Visualization, Wanted};

/// `strata inspect RUN visualize`
pub(super) const PICTURE: Picture = Picture {
    word: "visualize",
    shows: "Images made so that a class, a channel, a value or a layer answers strongly",
    images: Images::Files,
    takes: &[
        "--numbers",
        "--class",
        "--unit",
        "--layer",
        "--channel",
        "--seed",
        "--basis",
        "--colours",
        "--penalty",
        "--strength",
        "--tv",
        "--blur",
        "--jitter",
        "--rotation",
        "--scale",
        "--laplacian",
        "--steps",
        "--rate",
        "--starts",
        "--diversity",
        "--side-by-side",
        "--slice",
    ],
    draw: Draw::Run(picture),
    check: super::unit_of_layer,
};

/// The images with the way there, and their numbers; from noise, or from each image that is given.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let starts = args.image.iter().cloned().map(Some);
    let mut starts: Vec<Option<PathBuf>> = starts.collect();
    if starts.is_empty() {
        starts.push(None);
    }
    let mut all = Vec::new();
    for start in starts {
        let request = request(run, args, start)?;
        let made = run.inspect_slice::<Visualization>(args.slice, &request)?;
        for (index, picture) in made.pictures.iter().enumerate() {
            output::say(&line(&made, index, picture));
        }
        if made.of > made.pictures.len() && !args.visualize.side_by_side {
            let (shown, of) = (made.pictures.len(), made.of);
            output::say(&format!("the first {shown} of {of} channels"));
        }
        all.push(made);
    }
    if let (Some(file), Some(first)) = (&args.numbers, all.first()) {
        let [height, width, channels] = first.size;
        let values: Vec<f32> = all.iter().flat_map(|made| made.values.clone()).collect();
        let axes = [
            ("image", all.iter().map(|made| made.pictures.len()).sum()),
            ("row", height),
            ("column", width),
            ("channel", channels),
        ];
        Numbers {
            axes: &axes,
            values: &values,
        }
        .save(file)?;
    }
    let values: Vec<Value> = all.iter().map(value).collect();
    Ok((of_visualization::plate(&all), Some(one_or_all(values))))
}

fn request(
    run: &SavedRun,
    args: &InspectArgs,
    image: Option<PathBuf>,
) -> Result<Request, WrongInput> {
    let options = &args.visualize;
    let [channels, height, width] = run.dataset.shape();
    let slices = run.dataset.depth().unwrap_or(1).max(1);
    let usual = Request::usual([height / slices, width, channels]);
    let layer = args.layer.as_deref();
    let layer = layer.map(|name| place(run, Some(name))).transpose()?;
    Ok(Request {
        wanted: wanted(run, args)?,
        layer,
        image,
        how: how(args, &usual.how),
        side_by_side: options.side_by_side,
        copies: options.starts.unwrap_or(1),
        diversity: options.diversity.unwrap_or(0.0),
        seed: args.seed,
        seen: None,
    })
}

fn wanted(run: &SavedRun, args: &InspectArgs) -> Result<Wanted, WrongInput> {
    if let Some(names) = &args.class {
        let one = class(run, names).map(|class| vec![class]);
        let each = |_| {
            names
                .split(',')
                .map(|name| class(run, name.trim()))
                .collect()
        };
        return Ok(Wanted::Classes(one.or_else(each)?));
    }
    if let Some(unit) = &args.unit {
        return Ok(Wanted::Unit(unit.channel, unit.cell.clone()));
    }
    Ok(match (&args.channel, &args.layer) {
        (Some(Channels::All), _) => Wanted::AllChannels,
        (Some(Channels::These(channels)), _) => Wanted::Channels(channels.clone()),
        (None, Some(_)) => Wanted::Layer,
        (None, None) if !classifies(run) => {
            let place = place(run, None)?;
            return Err(WrongInput(format!(
                "nothing is classified in this run, so there is no class to make images of: write --layer {place} for those that the layer answers to, with --channel all for each of its channels"
            )));
        }
        (None, None) => Wanted::AllClasses,
    })
}

/// Whether the network tells classes, whatever it was trained for.
fn classifies(run: &SavedRun) -> bool {
    run.has_trained(Task::Classify) || run.inference.answer.is_some()
}

fn how(args: &InspectArgs, usual: &How) -> How {
    let options = &args.visualize;
    How {
        basis: options.basis.unwrap_or(usual.basis),
        decorrelated: options.colours.unwrap_or(usual.decorrelated),
        penalty: options.penalty.unwrap_or(usual.penalty),
        strength: options.strength.unwrap_or(usual.strength),
        variation: options.tv.unwrap_or(usual.variation),
        blur: options.blur.unwrap_or(usual.blur),
        jitter: options.jitter.unwrap_or(usual.jitter),
        rotation: options.rotation.unwrap_or(usual.rotation),
        scale: options.scale.unwrap_or(usual.scale),
        laplacian: options.laplacian.unwrap_or(usual.laplacian),
        steps: options.steps.unwrap_or(usual.steps),
        rate: options.rate.unwrap_or(usual.rate),
    }
}

/// `3: score -0.4 at the start, 21.3 now; taken for 3 99.9 %`
fn line(made: &Visualization, index: usize, picture: &visualize::Picture) -> String {
    let name = made.name(index, 0);
    if !picture.moved {
        return format!("{name}: nothing moves it, its gradient is 0 all the way");
    }
    let start = made
        .frames
        .first()
        .and_then(|frame| frame.scores.get(index));
    let start = start.map_or_else(String::new, |score| {
        format!("{} at the start, ", text::figure((*score).into()))
    });
    let answer = picture
        .answers
        .first()
        .map_or_else(String::new, |(class, share)| {
            let class = strata_inspect::class_name(&made.classes, *class);
            format!("; taken for {class} {:.1} %", 100.0 * share)
        });
    format!(
        "{name}: score {start}{} now{answer}",
        text::figure(picture.score.into())
    )
}

fn value(made: &Visualization) -> Value {
    let picture = |(index, picture): (usize, &visualize::Picture)| {
        let answer = |(class, share): &(u32, f32)| {
            let class = strata_inspect::class_name(&made.classes, *class);
            json!({"class": class, "probability": share})
        };
        let scores = made.frames.iter().map(|frame| frame.scores.get(index));
        let (channel, cell) = match &picture.job.goal {
            Goal::Channel(channel) => (Some(*channel), None),
            Goal::Unit(channel, cell) => (Some(*channel), cell.clone()),
            Goal::Class(_) | Goal::Layer => (None, None),
        };
        json!({
            "name": made.name(index, 0),
            "channel": channel,
            "position": cell,
            "start": picture.job.copy,
            "regulariser": picture.job.variant,
            "score": picture.score,
            "scores": scores.collect::<Vec<_>>(),
            "top": picture.answers.iter().map(answer).collect::<Vec<_>>(),
            "moved": picture.moved,
        })
    };
    let how = &made.request.how;
    json!({
        "step": made.step,
        "layer": made.layer,
        "steps": made.done,
        "frames": made.frames.iter().map(|frame| frame.step).collect::<Vec<_>>(),
        "basis": how.basis.word(),
        "decorrelated": how.decorrelated,
        "penalty": how.penalty.word(),
        "strength": how.strength,
        "tv": how.variation,
        "blur": how.blur,
        "jitter": how.jitter,
        "rotation": how.rotation,
        "scale": how.scale,
        "laplacian": how.laplacian,
        "recognised": made.recognised(),
        "images": made.pictures.iter().enumerate().map(picture).collect::<Vec<_>>(),
    })
}
