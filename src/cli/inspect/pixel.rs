//! `strata inspect RUN pixel`: the arithmetic of one value of a layer.

use super::super::args::InspectArgs;
use super::super::{WrongInput, output};
use super::picture::{Draw, Images, Picture};
use serde_json::{Value, json};
use strata_core::shape::Target;
use strata_design::layer_math::number;
use strata_engine::storage::saved_run::SavedRun;
use strata_inspect::pixel::{Part, Pixel, Request, Term, product};

/// `strata inspect RUN pixel`
pub(super) const PICTURE: Picture = Picture {
    word: "pixel",
    shows: "The arithmetic of one value of a layer, as text",
    images: Images::Each,
    takes: &["--layer", "--probe", "--at"],
    draw: Draw::Printed(run),
    ..Picture::NONE
};

/// Channels whose windows are printed in full.
const MOST_PARTS: usize = 8;

/// With the first layer of the run as what to write.
fn one_layer(run: &SavedRun, wrong: &str) -> WrongInput {
    let first = run.inference.rows.first();
    let first = first.map_or_else(|| "encoder.0".to_owned(), |row| row.place.to_string());
    WrongInput(format!("{wrong}: write --layer {first}"))
}

/// Computes and prints it.
fn run(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<()> {
    let name = args.layer.as_deref();
    let name = name.ok_or_else(|| one_layer(run, "pixel needs a layer"))?;
    let Ok(Target::Node(place)) = name.parse::<Target>() else {
        return Err(one_layer(run, &format!("`{name}` is no layer")).into());
    };
    let asked = args.pixel.at.as_deref().map(numbers).transpose()?;
    let rank = run
        .inference
        .row(&place)
        .and_then(|row| row.output.as_ref())
        .map_or(2, |output| output.rank());
    let at = asked.map(|numbers| four(&numbers, rank)).transpose()?;
    super::look_at(run, args, super::READ)?;
    let request = Request {
        at,
        image: args.probe.map_or(0, |image| image - 1),
        ..Request::of(place)
    };
    let pixel = run.inspect::<Pixel>(&request)?;
    super::is_there(request.image, &pixel.image)?;
    if at.is_some_and(|at| at != pixel.at) {
        let message = format!(
            "--at {} is outside of the output {}",
            args.pixel.at.as_deref().unwrap_or_default(),
            pixel.output
        );
        return Err(WrongInput(message).into());
    }
    if args.json {
        output::print_json(&as_json(name, &pixel))
    } else {
        output::print(&as_text(name, &pixel))
    }
}

/// `0,4,7`
fn numbers(text: &str) -> Result<Vec<usize>, WrongInput> {
    let numbers: Option<Vec<usize>> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect();
    numbers.ok_or_else(|| {
        WrongInput(format!(
            "--at {text} is not a place: write channel, row, column, such as 0,4,7"
        ))
    })
}

/// Channel, depth, row and column, 0 for axes that the output has not.
fn four(numbers: &[usize], rank: usize) -> Result<[usize; 4], WrongInput> {
    let Some((channel, spatial)) = numbers
        .split_first()
        .filter(|(_, spatial)| spatial.len() == rank)
    else {
        let wanted = ["C", "C,X", "C,Y,X", "C,Z,Y,X"]
            .get(rank)
            .copied()
            .unwrap_or("C");
        return Err(WrongInput(format!(
            "this layer's output needs {} numbers: --at {wanted}",
            rank + 1
        )));
    };
    let mut at = [*channel, 0, 0, 0];
    at[4 - rank..].copy_from_slice(spatial);
    Ok(at)
}

fn as_text(name: &str, pixel: &Pixel) -> String {
    let Pixel {
        input, output, at, ..
    } = pixel;
    let place = spoken(at, output.rank());
    let mut lines = vec![
        format!(
            "{name} `{}`, {input} → {output}: {place}, image {} after {} steps",
            pixel.text,
            pixel.image[0] + 1,
            pixel.step
        ),
        String::new(),
    ];
    for part in pixel
        .parts
        .iter()
        .filter(|part| !part.terms.is_empty())
        .take(MOST_PARTS)
    {
        lines.extend(window(pixel, part));
    }
    if pixel.parts.len() > MOST_PARTS {
        lines.push(format!(
            "… and {} more channels",
            pixel.parts.len() - MOST_PARTS
        ));
    }
    lines.push(pixel.sentence());
    lines.push(format!("the network has {}", number(pixel.network.into())));
    lines.join("\n")
}

fn spoken(at: &[usize; 4], rank: usize) -> String {
    let names = ["slice", "row", "column"];
    let axes = (3 - rank.min(3)..3).map(|axis| format!("{} {}", names[axis], at[axis + 1]));
    std::iter::once(format!("channel {}", at[0]))
        .chain(axes)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A channel's terms, a row of the kernel to a line.
fn window(pixel: &Pixel, part: &Part) -> Vec<String> {
    let columns = pixel
        .kernel
        .map_or(part.terms.len(), |[_, width]| width)
        .max(1);
    let rows = part
        .terms
        .chunks(columns)
        .map(|row| row.iter().map(product).collect::<Vec<_>>().join(" + "));
    let rows: Vec<String> = rows.collect();
    let factor = part.factor.map_or_else(String::new, |factor| {
        format!(", times {}", number(factor.into()))
    });
    let heading = format!(
        "input channel {}: {}{factor}",
        part.channel,
        number(part.sum)
    );
    std::iter::once(heading)
        .chain(rows.into_iter().map(|row| format!("  {row}")))
        .collect()
}

fn as_json(name: &str, pixel: &Pixel) -> Value {
    let term = |term: &Term| json!({"at": term.at, "value": term.value, "weight": term.weight, "product": term.product()});
    let part = |part: &Part| json!({"channel": part.channel, "sum": part.sum, "factor": part.factor, "terms": part.terms.iter().map(term).collect::<Vec<_>>()});
    let rank = pixel.output.rank();
    let at: Vec<usize> = std::iter::once(pixel.at[0])
        .chain(pixel.at[4 - rank..].iter().copied())
        .collect();
    json!({
        "layer": name,
        "text": pixel.text,
        "step": pixel.step,
        "input": pixel.input.dims(),
        "output": pixel.output.dims(),
        "at": at,
        "parts": pixel.parts.iter().map(part).collect::<Vec<_>>(),
        "rest": pixel.rest.map(|(count, sum)| json!({"inputs": count, "sum": sum})),
        "bias": pixel.bias,
        "sentence": pixel.sentence(),
        "value": pixel.value,
        "network": pixel.network,
    })
}
