//! `strata bench data`: the way of images to the network.

use super::args::BenchArgs;
use super::bench::{device, place, threads, unknown};
use super::text::table;
use super::{WrongInput, output};
use crate::bench::pipeline::training::Fed;
use crate::bench::pipeline::{self, Epochs, Feed, Speed, pictures, training};
use crate::bench::{BenchError, on_threads};
use candle_core::Device;
use serde_json::{Map, Value};
use std::path::Path;
use strata_core::format::{count, rate};

/// The case that is no feed.
const TRAINING: &str = "training";

/// What is to be measured.
struct Chosen {
    feeds: Vec<Feed>,
    training: bool,
}

/// What was.
struct Measured {
    speeds: Vec<(Feed, Speed)>,
    training: Option<Fed>,
}

/// Measures the cases and prints them.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let chosen = chosen(args.cases.as_deref())?;
    let (device, threads) = (device(args)?, threads(args));
    // Removed when it is dropped.
    let own = if args.data.is_none() {
        Some(tempfile::tempdir()?)
    } else {
        None
    };
    let root = args
        .data
        .clone()
        .or_else(|| own.as_ref().map(|own| own.path().to_owned()))
        .unwrap_or_default();
    let measured = on_threads(threads, || {
        all(&chosen, &root, args.steps, threads, &device)
    })?
    .map_err(told)?;
    if args.json {
        return output::print_json(&measured.as_json()?);
    }
    output::print(&measured.as_text(&place(&device, threads)))
}

/// Images that cannot be read are wrong input, as they are for a run.
fn told(error: BenchError) -> anyhow::Error {
    match error {
        BenchError::Images(error) => (*error).into(),
        error => error.into(),
    }
}

/// The cases of these names, in the order of all.
fn chosen(names: Option<&str>) -> Result<Chosen, WrongInput> {
    let known = || pipeline::ALL.iter().map(|feed| feed.name).chain([TRAINING]);
    let Some(names) = names else {
        return Ok(Chosen {
            feeds: pipeline::ALL.to_vec(),
            training: true,
        });
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(name) = names
        .iter()
        .find(|name| !known().any(|known| known == **name))
    {
        return Err(unknown(name, known()));
    }
    let feeds = pipeline::ALL
        .into_iter()
        .filter(|feed| names.contains(&feed.name));
    Ok(Chosen {
        feeds: feeds.collect(),
        training: names.contains(&TRAINING),
    })
}

fn all(
    chosen: &Chosen,
    root: &Path,
    steps: usize,
    threads: usize,
    device: &Device,
) -> Result<Measured, BenchError> {
    let mut speeds = Vec::new();
    for feed in &chosen.feeds {
        output::say(&format!("measuring {}", feed.name));
        pictures::draw(feed, root)?;
        speeds.push((*feed, pipeline::speed(feed, root, threads)?));
    }
    let fed = || {
        output::say(&format!("measuring {TRAINING}"));
        pictures::draw(&pipeline::ALL[0], root)?;
        training::measure(root, steps, threads, device)
    };
    let training = if chosen.training { Some(fed()?) } else { None };
    Ok(Measured { speeds, training })
}

impl Measured {
    fn as_json(&self) -> anyhow::Result<Value> {
        let mut all = Map::new();
        for (feed, speed) in &self.speeds {
            all.insert(feed.name.to_owned(), serde_json::to_value(speed)?);
        }
        if let Some(fed) = &self.training {
            all.insert(TRAINING.to_owned(), serde_json::to_value(fed)?);
        }
        Ok(Value::Object(all))
    }

    fn as_text(&self, place: &str) -> String {
        let mut parts = Vec::new();
        if !self.speeds.is_empty() {
            let rows: Vec<[String; 5]> = self
                .speeds
                .iter()
                .map(|(feed, speed)| row(feed, speed))
                .collect();
            let heading = [
                "case",
                "images",
                "first epoch",
                "later",
                "what is done with an image",
            ];
            parts.push(format!(
                "{place} · images/s in batches of {}, medians; * is the case's figure",
                pipeline::BATCH
            ));
            parts.push(table(&heading, &rows));
        }
        if let Some(Fed {
            images_per_second,
            in_memory,
            percent,
        }) = self.training
        {
            let [fed, alone] = [images_per_second, in_memory].map(rate);
            parts.push(format!(
                "{TRAINING}: keras-cifar fed by {} {fed} images/s, on a batch in memory {alone}: {percent:.1} %",
                pipeline::ALL[0].name
            ));
        }
        parts.join("\n\n")
    }
}

fn row(feed: &Feed, speed: &Speed) -> [String; 5] {
    let figure =
        |value: f64, of: Epochs| rate(value) + if speed.epochs == of { " *" } else { "  " };
    let (first, later) = (
        figure(speed.first, Epochs::First),
        figure(speed.later, Epochs::Later),
    );
    [
        feed.name.to_owned(),
        count(speed.images as u64),
        first,
        later,
        feed.about.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_name() {
        let names = |names| {
            chosen(names).map(|all| {
                (
                    all.feeds.iter().map(|f| f.name).collect::<Vec<_>>(),
                    all.training,
                )
            })
        };
        assert_eq!(
            names(None).unwrap(),
            (vec!["augment-32", "resize-96", "jpeg-folder"], true)
        );
        assert_eq!(
            names(Some("training, resize-96")).unwrap(),
            (vec!["resize-96"], true)
        );
        assert_eq!(
            names(Some("jpeg-folder")).unwrap(),
            (vec!["jpeg-folder"], false)
        );
        let error = names(Some("jpeg-foldr")).unwrap_err().to_string();
        assert!(
            error.contains("did you mean `jpeg-folder`?") && error.ends_with("training"),
            "{error}"
        );
    }

    #[test]
    fn the_figure_of_a_case_is_marked() {
        let speed = Speed {
            images: 2000,
            images_per_second: 9.0,
            epochs: Epochs::First,
            first: 9.0,
            later: 12_345.0,
        };
        let fed = Fed {
            images_per_second: 3_000.0,
            in_memory: 3_100.0,
            percent: 96.77,
        };
        let measured = Measured {
            speeds: vec![(pipeline::ALL[1], speed)],
            training: Some(fed),
        };
        let text = measured.as_text("CPU, threads: 2");
        assert!(
            text.contains("9.0 *") && text.contains("12,345  ") && text.ends_with("3,100: 96.8 %"),
            "{text}"
        );
        let json = measured.as_json().unwrap();
        assert_eq!(
            (&json["resize-96"]["epochs"], &json["resize-96"]["images"]),
            (&"first".into(), &2000.into())
        );
        assert_eq!(json["training"]["percent"], 96.77);
    }
}
