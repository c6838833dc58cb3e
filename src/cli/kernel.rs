//! `strata kernel`: a fixed kernel on an image of a file or of a source, or a patch found again.
//!
//! Exit code 2 for a kernel that there is not, one that does not fit, and images that cannot be read.

use super::args::KernelArgs;
use super::text::{figure, left, right, times};
use super::{WrongInput, output};
use serde_json::{Value, json};
use std::path::Path;
use strata_core::format::short;
use strata_core::project::data::DataSpec;
use strata_data::Dataset;
use strata_engine::error::RunError;
use strata_gui::plate::of_kernel;
use strata_inspect::kernel::{
    Amount, Border, Colours, Kernel, Match, Named, Pixels, Response, Settings, convolve, find,
    outside, parse,
};
use strata_inspect::kernel_playground::{self, Picture};

/// The seed of a project that does not say.
const SEED: u64 = 42;
/// Values of a result that JSON holds at most.
const MOST_VALUES: usize = 1 << 16;

/// Lists the kernels, or slides one.
pub fn run(args: &KernelArgs) -> anyhow::Result<()> {
    if args.what.is_none() && args.values.is_none() && args.patch.is_none() {
        return list(args);
    }
    let settings = settings(args)?;
    let kernel = if args.patch.is_none() {
        Some(kernel(args)?)
    } else {
        None
    };
    let picture = picture(args)?;
    match kernel {
        Some(kernel) => slide(args, &picture, &kernel, &settings),
        None => search(args, &picture, &settings),
    }
}

fn list(args: &KernelArgs) -> anyhow::Result<()> {
    let value = |named: Named| {
        let kernel = named.kernel(None, None).ok();
        json!({"name": named.name(), "line": named.line(), "size": kernel.as_ref().map(|kernel| kernel.size),
            "values": kernel.as_ref().map(|kernel| kernel.weights(false)), "sized": named.has_size()})
    };
    if args.json {
        return output::print_json(&Named::ALL.map(value));
    }
    let line = |named: Named| {
        let size = named
            .kernel(None, None)
            .map(|kernel| times(&kernel.size))
            .unwrap_or_default();
        let size = if named.has_size() {
            format!("{size}, or --size")
        } else {
            size
        };
        format!(
            "{}  {}  {}",
            left(named.name(), 16),
            left(&size, 15),
            named.line()
        )
    };
    output::print(&Named::ALL.map(line).join("\n"))
}

fn settings(args: &KernelArgs) -> Result<Settings, WrongInput> {
    let (mut border, mut amount) = (Border::Zero, Amount::Same);
    for word in args.padding.split(':') {
        let named = Border::ALL.into_iter().find(|border| border.name() == word);
        match (named, word, word.parse()) {
            (Some(named), _, _) => border = named,
            (None, "same", _) => amount = Amount::Same,
            (None, "valid", _) => amount = Amount::Valid,
            (None, _, Ok(pixels)) => amount = Amount::By(pixels),
            _ => {
                let help = "write same, valid or a number of pixels, such as reflect:same, edge:2 or valid";
                return Err(WrongInput(format!("`{word}` is no padding: {help}")));
            }
        }
    }
    let KernelArgs {
        stride,
        dilation,
        grey,
        flip,
        ..
    } = *args;
    Ok(Settings {
        stride,
        dilation,
        border,
        amount,
        grey,
        flip,
    })
}

fn kernel(args: &KernelArgs) -> Result<Kernel, WrongInput> {
    let refused = |error: strata_inspect::kernel::KernelError| WrongInput(error.to_string());
    if let Some(values) = &args.values {
        return parse(values).map_err(refused);
    }
    let name = args.what.as_deref().unwrap_or_default();
    let named = Named::find(name).ok_or_else(|| {
        let names = Named::ALL.map(Named::name).join(", ");
        WrongInput(format!(
            "there is no kernel `{name}`; there is {names}, or --values for one by hand"
        ))
    })?;
    named.kernel(args.size, args.sigma).map_err(refused)
}

fn picture(args: &KernelArgs) -> anyhow::Result<Picture> {
    if let Some(file) = &args.image {
        return Ok(kernel_playground::picture_in(file, usize::MAX).map_err(RunError::from)?);
    }
    if let Some(noise) = args
        .curve
        .filter(|noise| noise.is_finite() && *noise >= 0.0)
    {
        return Ok(kernel_playground::curve(noise));
    }
    let Some(source) = args.source else {
        let help = "give --image FILE, --source NAME with --path and --index, or --curve 0.2";
        return Err(
            WrongInput(format!("there is nothing to slide the kernel over: {help}")).into(),
        );
    };
    let spec = DataSpec {
        source,
        path: args.path.clone(),
        ..DataSpec::default()
    };
    let dataset =
        Dataset::open(&spec, SEED, Path::new(""), &mut |_| true).map_err(RunError::from)?;
    let chosen = args
        .split
        .or_else(|| dataset.splits().next().map(|(split, _)| split));
    let images = chosen
        .and_then(|split| dataset.split(split))
        .map_or(0, |data| data.len());
    if args.index >= images {
        let message = format!(
            "there is no image {}: the split has {images}, counted from 0",
            args.index
        );
        return Err(WrongInput(message).into());
    }
    Ok(
        kernel_playground::picture_of(&dataset, chosen, args.index, args.slice, usize::MAX)
            .map_err(RunError::from)?,
    )
}

fn slide(
    args: &KernelArgs,
    picture: &Picture,
    kernel: &Kernel,
    settings: &Settings,
) -> anyhow::Result<()> {
    let response = convolve(&picture.pixels, kernel, settings)
        .map_err(|error| WrongInput(error.to_string()))?;
    let Response {
        input,
        output: result,
        ..
    } = &response;
    let range = args.range.as_deref().map(range_of).transpose()?;
    if let Some(file) = &args.output {
        let picture = of_kernel::response(kernel, &response, range);
        output::write_picture(file, &picture)?;
    }
    if args.json {
        return output::print_json(&json!({
            "kernel": {"name": kernel.name, "size": kernel.size, "values": kernel.weights(settings.flip)},
            "input": {"size": input.size, "channels": input.channels},
            "output": as_json(result),
            "range": range,
            "outside": range.map(|range| outside(result, Colours::Range(range))),
        }));
    }
    let clipped = range.map(|range| (range, outside(result, Colours::Range(range))));
    let mut text = as_text(args, picture, kernel, &response);
    if let Some(([low, high], clipped)) = clipped {
        let ends = [low, high].map(|end| short(f64::from(end), 4));
        text += &format!(
            "\n{clipped} of {} values lie outside {} … {}",
            result.values.len(),
            ends[0],
            ends[1]
        );
    }
    output::print(&text)
}

fn search(args: &KernelArgs, picture: &Picture, settings: &Settings) -> anyhow::Result<()> {
    let patch = patch(args.patch.as_deref().unwrap_or_default())?;
    let found = find(&picture.pixels, patch, settings.grey)
        .map_err(|error| WrongInput(error.to_string()))?;
    let Match { scores, places, .. } = &found;
    if let Some(file) = &args.output {
        output::write_picture(file, &of_kernel::found(&found))?;
    }
    if args.json {
        let place =
            |place: &strata_inspect::kernel::Found| json!({"at": place.at, "score": place.score});
        let places: Vec<Value> = places.iter().map(place).collect();
        return output::print_json(
            &json!({"patch": patch, "places": places, "output": as_json(scores)}),
        );
    }
    let line = |place: &strata_inspect::kernel::Found| {
        format!(
            "row {}  column {}  {:.3}",
            right(&place.at[0].to_string(), 4),
            right(&place.at[1].to_string(), 4),
            place.score
        )
    };
    let head = format!(
        "{}×{} at row {}, column {}: the best places",
        patch[2], patch[3], patch[0], patch[1]
    );
    let written = args.output.iter().map(|file| file.display().to_string());
    let lines: Vec<String> = std::iter::once(head)
        .chain(places.iter().map(line))
        .chain(written)
        .collect();
    output::print(&lines.join("\n"))
}

fn patch(text: &str) -> Result<[usize; 4], WrongInput> {
    let numbers: Option<Vec<usize>> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| {
            WrongInput(format!(
                "`{text}` is no patch: write row, column, height and width, such as 4,6,8,8"
            ))
        })
}

/// The two values that are drawn black and white.
fn range_of(text: &str) -> Result<[f32; 2], WrongInput> {
    let ends: Option<Vec<f32>> = text.split(',').map(|end| end.trim().parse().ok()).collect();
    let ends: Option<[f32; 2]> = ends.and_then(|ends| ends.try_into().ok());
    let is_range = |[low, high]: &[f32; 2]| low.is_finite() && high.is_finite() && low < high;
    ends.filter(is_range).ok_or_else(|| {
        let help =
            "write the value that is drawn black and the one that is drawn white, such as 0,1";
        WrongInput(format!("`{text}` is no range: {help}"))
    })
}

/// Least, largest and mean value.
fn range(result: &Pixels) -> [f32; 3] {
    let least = result.values.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = result
        .values
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = result.values.iter().map(|&value| f64::from(value)).sum();
    [
        least,
        largest,
        (sum / result.values.len().max(1) as f64) as f32,
    ]
}

fn as_json(result: &Pixels) -> Value {
    let [least, largest, mean] = range(result);
    let values = (result.values.len() <= MOST_VALUES).then_some(&result.values);
    json!({"size": result.size, "channels": result.channels, "min": least, "max": largest, "mean": mean,
        "values": values})
}

fn as_text(args: &KernelArgs, picture: &Picture, kernel: &Kernel, response: &Response) -> String {
    let shape = |pixels: &Pixels| times(&[pixels.channels, pixels.size[0], pixels.size[1]]);
    let name = if picture.name.is_empty() {
        "image"
    } else {
        &picture.name
    };
    let mut lines = vec![
        format!("{name} {}", shape(&response.input)),
        format!(
            "{} {}, sum of the weights {}",
            kernel.name,
            times(&kernel.size),
            figure(f64::from(kernel.sum()))
        ),
    ];
    let weights = kernel.weights(args.flip);
    let cell = |weight: &f32| right(&figure(f64::from(*weight)), 9);
    lines.extend(
        weights
            .chunks(kernel.size[1].max(1))
            .map(|row| row.iter().map(cell).collect::<String>()),
    );
    let [least, largest, mean] = range(&response.output).map(|value| figure(f64::from(value)));
    lines.push(format!(
        "result {}, from {least} to {largest}, mean {mean}",
        shape(&response.output)
    ));
    lines.extend(args.output.iter().map(|file| file.display().to_string()));
    lines.join("\n")
}
