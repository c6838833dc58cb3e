//! `strata inspect RUN saliency`: what each pixel counts for the answer.

use super::class;
use super::field::place;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::{Value, json};
use strata_core::format;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_saliency;
use strata_inspect::attribution::Method;
use strata_inspect::map_look::MapLook;
use strata_inspect::saliency::{Answer, Question, Request, Saliency};

/// `strata inspect RUN saliency`
pub(super) const PICTURE: Picture = Picture {
    word: "saliency",
    shows: "Images and how strongly each pixel influences the class score",
    images: Images::Each,
    takes: &[
        "--since",
        "--numbers",
        "--class",
        "--unit",
        "--layer",
        "--method",
        "--randomise",
        "--signed",
        "--clip",
        "--one-scale",
        "--opacity",
        "--slice",
    ],
    draw: Draw::Run(picture),
    check,
};

/// Options that say how maps are drawn; those of the sanity check are drawn alike.
const LOOKS: [&str; 4] = ["--signed", "--clip", "--one-scale", "--opacity"];

fn check(args: &InspectArgs) -> Result<(), WrongInput> {
    let is_cam = args.saliency.method == Some(Method::GradCam);
    if args.layer.is_some() && args.unit.is_none() && !is_cam {
        let message = "--layer is of a unit or of Grad-CAM: write --unit 0 or --method grad-cam with it, or leave it out";
        return Err(WrongInput(message.to_owned()));
    }
    let look = LOOKS.into_iter().find(|look| args.has(&[look]));
    if let Some(look) = look.filter(|_| args.saliency.randomise.is_some()) {
        let message = format!("the maps of --randomise are all drawn alike: leave {look} out");
        return Err(WrongInput(message));
    }
    super::unit_of_layer(args)
}

/// The maps, with their numbers.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let request = request(run, args)?;
    let saliency = run.inspect_slice::<Saliency>(args.slice, &request)?;
    for (index, answer) in saliency.answers.iter().enumerate() {
        output::say(&line(&saliency, index, answer));
    }
    for check in &saliency.checks {
        output::say(&format!(
            "{} drawn anew: rank correlation {}",
            check.layer,
            format::fixed(check.correlation().into(), 3)
        ));
    }
    if let Some(file) = &args.numbers {
        let axes = [
            ("image", saliency.answers.len()),
            ("row", saliency.height),
            ("column", saliency.width),
            ("channel", saliency.channels),
        ];
        let values = &saliency.values;
        Numbers {
            axes: &axes,
            values,
        }
        .save(file)?;
    }
    Ok((
        of_saliency::plate(&saliency, &look(args)),
        Some(value(&saliency)),
    ))
}

fn request(run: &SavedRun, args: &InspectArgs) -> Result<Request, WrongInput> {
    let options = &args.saliency;
    let of_class = || {
        args.class
            .as_deref()
            .map(|name| class(run, name))
            .transpose()
    };
    let question = match &args.unit {
        Some(unit) if unit.cell.is_some() => {
            let message = "saliency is of a whole channel: write --unit with one number";
            return Err(WrongInput(message.to_owned()));
        }
        Some(unit) => Some(Question::Unit(unit.channel)),
        None => of_class()?.map(Question::Class),
    };
    let layer = args.layer.as_deref();
    Ok(Request {
        question,
        image: None,
        chosen: super::chosen(args),
        method: options.method.unwrap_or_default(),
        layer: layer.map(|name| place(run, Some(name))).transpose()?,
        randomised: options.randomise.unwrap_or(0),
    })
}

fn look(args: &InspectArgs) -> MapLook {
    let options = &args.saliency;
    let usual = MapLook::default();
    MapLook {
        signed: options.signed,
        clip: options.clip.map_or(usual.clip, |percent| percent / 100.0),
        common: options.one_scale,
        opacity: options.opacity.unwrap_or(usual.opacity),
    }
}

/// `image 3, 7: 7 98.2 %, 1 1.1 %, 9 0.4 %; logit of 7 12.1`
fn line(saliency: &Saliency, index: usize, answer: &Answer) -> String {
    let names = |labels: &[u32]| -> String {
        let names = labels.iter().map(|label| saliency.class_name(*label));
        names.collect::<Vec<_>>().join(" + ")
    };
    let label = match (&answer.labels, answer.label) {
        (Some(labels), _) if labels.is_empty() => ", none of the labels".to_owned(),
        (Some(labels), _) => format!(", {}", names(labels)),
        (None, Some(label)) => format!(", {}", names(&[label])),
        (None, None) => String::new(),
    };
    let image = format!("image {}{label}", index + 1);
    let score = text::figure(f64::from(answer.score));
    let complete = saliency.completeness.get(index);
    let complete = complete.map_or_else(String::new, |complete| {
        let [sum, difference] = [complete.sum, complete.difference].map(|n| text::figure(n.into()));
        format!("; the map adds up to {sum} of {difference}")
    });
    let Some(class) = answer.class else {
        return match saliency.question {
            Question::Unit(unit) => format!("{image}: unit {unit} {score}{complete}"),
            _ => format!("{image}: mse {score}{complete}"),
        };
    };
    let top = answer
        .top
        .iter()
        .map(|(class, p)| format!("{} {:.1} %", saliency.class_name(*class), 100.0 * p));
    // Where images have several labels there is no ranking of them.
    let top = match top.collect::<Vec<_>>() {
        top if top.is_empty() => String::new(),
        top => top.join(", ") + "; ",
    };
    let class = saliency.class_name(class);
    format!("{image}: {top}logit of {class} {score}{complete}")
}

fn value(saliency: &Saliency) -> Value {
    let top = |answer: &Answer| -> Vec<Value> {
        let pair = |(class, p): &(u32, f32)| json!({"class": saliency.class_name(*class), "probability": p});
        answer.top.iter().map(pair).collect()
    };
    let name = |class: Option<u32>| class.map(|class| saliency.class_name(class));
    let image = |(index, answer): (usize, &Answer)| {
        let mut value = json!({"label": name(answer.label), "class": name(answer.class), "score": answer.score, "top": top(answer)});
        if let Some(complete) = saliency.completeness.get(index) {
            value["sum"] = json!(complete.sum);
            value["difference"] = json!(complete.difference);
        }
        value
    };
    let images: Vec<Value> = saliency.answers.iter().enumerate().map(image).collect();
    let checks = saliency.checks.iter().map(|check| {
        json!({"layer": check.layer, "rank_correlation": check.correlation(), "images": check.correlations})
    });
    json!({
        "step": saliency.step,
        "since": saliency.since_step(),
        "method": saliency.method.word(),
        "layer": saliency.layer,
        "images": images,
        "randomised": checks.collect::<Vec<_>>(),
    })
}
