//! `strata inspect RUN adversarial`: images changed so that the network is wrong.

use super::class;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::output;
use serde_json::{Value, json};
use strata_core::format::short;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_adversarial;
use strata_inspect::adversarial::{
    Adversarial, EPSILON, Outcome, Request, Robustness, Transfer, robustness, transfer,
};
use strata_inspect::image_set::Chosen;

/// `strata inspect RUN adversarial`
pub(super) const PICTURE: Picture = Picture {
    word: "adversarial",
    shows: "Images changed so little that only the network is fooled, and the accuracy by how much",
    images: Images::Each,
    takes: &[
        "--numbers",
        "--attack",
        "--norm",
        "--epsilon",
        "--target",
        "--transformations",
        "--transfer",
        "--slice",
    ],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The examples, with their numbers. With a split its images are attacked, and their accuracy by ε is measured.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let options = &args.adversarial;
    let target = options
        .target
        .as_deref()
        .map(|name| class(run, name))
        .transpose()?;
    let request = Request {
        image: None,
        chosen: Chosen {
            files: args.image.clone(),
            ..Chosen::default()
        },
        attack: options.attack.unwrap_or_default(),
        norm: options.norm.unwrap_or_default(),
        epsilon: options.epsilon.unwrap_or(EPSILON),
        target,
        transformations: options.transformations.unwrap_or(0),
    };
    let curve = match args.image.is_empty() {
        true => Some(run.inspect::<Robustness>(&robustness::Request {
            attack: request.attack,
            norm: request.norm,
            epsilon: request.epsilon,
            split: args.split,
            limit: args.limit,
        })?),
        false => None,
    };
    let made = run.inspect_slice::<Adversarial>(args.slice, &request)?;
    for (index, outcome) in made.outcomes.iter().enumerate() {
        output::say(&line(&made, index, outcome));
    }
    if let Some(curve) = &curve {
        for (epsilon, share) in curve.accuracies() {
            let epsilon = short(epsilon.into(), 3);
            output::say(&format!(
                "epsilon {epsilon}: {:.2} % of {} right",
                100.0 * share,
                curve.images
            ));
        }
    }
    if let Some(file) = &args.numbers {
        let [height, width, channels] = made.size;
        let axes = [
            ("image", made.outcomes.len()),
            ("row", height),
            ("column", width),
            ("channel", channels),
        ];
        let values = &made.changes;
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    let transfer = transfer(args, &made)?;
    let mut value = value(&made, curve.as_ref());
    value["transfer"] = transfer.map_or(Value::Null, |transfer| {
        json!({
            "right_before": transfer.right(),
            "fooled": transfer.fooled(),
            "images": transfer.is_fooled,
        })
    });
    Ok((of_adversarial::plate(&made, curve.as_ref()), Some(value)))
}

/// What the network of another run says of the examples.
fn transfer(args: &InspectArgs, made: &Adversarial) -> anyhow::Result<Option<Transfer>> {
    let Some(other) = &args.adversarial.transfer else {
        return Ok(None);
    };
    let device = args.device.as_deref();
    let mut run = SavedRun::open(other, &args.checkpoint, device, &mut |_| true)?;
    let transfer = run.inspect::<Transfer>(&transfer::Request::of(made))?;
    output::say(&format!(
        "{}: {} of {} images that it has right are taken for something else after the attack",
        other.display(),
        transfer.fooled(),
        transfer.right()
    ));
    Ok(Some(transfer))
}

/// `image 3, 7: 7 98.2 % before, 3 71.0 % after; changed by 0.1 (L∞), 1.83 (L2)`
fn line(made: &Adversarial, index: usize, outcome: &Outcome) -> String {
    let label = outcome
        .label
        .map_or_else(String::new, |label| format!(", {}", made.class_name(label)));
    let says = |answers: &[(u32, f32)]| {
        answers
            .first()
            .map_or_else(String::new, |(class, probability)| {
                format!("{} {:.1} %", made.class_name(*class), 100.0 * probability)
            })
    };
    let [linf, l2] = outcome.change.map(|length| short(length.into(), 3));
    let views = outcome.views_fooled.map_or_else(String::new, |share| {
        format!("; fools through {:.0} % of views", 100.0 * share)
    });
    format!(
        "image {}{label}: {} before, {} after; changed by {linf} (L∞), {l2} (L2){views}",
        index + 1,
        says(&outcome.before),
        says(&outcome.after)
    )
}

fn value(made: &Adversarial, curve: Option<&Robustness>) -> Value {
    let name = |class: u32| made.class_name(class);
    let answers = |answers: &[(u32, f32)]| -> Vec<Value> {
        let pair = |(class, probability): &(u32, f32)| json!({"class": name(*class), "probability": probability});
        answers.iter().map(pair).collect()
    };
    let images = made.outcomes.iter().map(|outcome| {
        json!({
            "label": outcome.label.map(name),
            "before": answers(&outcome.before),
            "after": answers(&outcome.after),
            "fooled": made.is_fooled(outcome),
            "linf": outcome.change[0],
            "l2": outcome.change[1],
            "views_fooled": outcome.views_fooled,
        })
    });
    let curve = curve.map(|curve| {
        let points = curve.accuracies().into_iter();
        let points = points.map(|(epsilon, share)| json!({"epsilon": epsilon, "accuracy": share}));
        json!({"split": curve.split.name(), "images": curve.images, "points": points.collect::<Vec<_>>()})
    });
    json!({
        "step": made.step,
        "attack": made.request.attack.word(),
        "norm": made.request.norm.word(),
        "epsilon": made.request.epsilon,
        "target": made.request.target.map(name),
        "transformations": made.request.transformations,
        "images": images.collect::<Vec<_>>(),
        "accuracy": curve,
    })
}
