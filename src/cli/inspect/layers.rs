//! `strata inspect RUN layers`: how active every layer is over a split, and which of its channels have died.

use super::exciting::grown;
use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::output;
use strata_core::format::short;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_exciting;
use strata_inspect::layer_statistics::LayerStatistics;

/// `strata inspect RUN layers`
pub(super) const PICTURE: Picture = Picture {
    word: "layers",
    shows: "How active every layer is over a split, and its dead channels by number",
    images: Images::Set,
    takes: &["--since", "--numbers"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

/// The table; the numbers are mean, deviation, share of zeros and number of dead channels of each layer.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let made = run.inspect::<LayerStatistics>(&super::from_split(args))?;
    for layer in &made.layers {
        let dead = numbers(", dead channels", &layer.dead);
        let change = layer.change.as_ref().map_or_else(String::new, |change| {
            let died = numbers(", died", &change.died);
            let revived = numbers(", no longer dead", &change.revived);
            format!("; {}{died}{revived}", grown(change.figures))
        });
        output::say(&format!(
            "{} `{}`: mean {}, deviation {}, {:.1} % zero{dead}{change}",
            layer.layer,
            layer.text,
            short(layer.mean, 3),
            short(layer.deviation, 3),
            100.0 * layer.zeros
        ));
    }
    if let Some(file) = &args.numbers {
        let figures = made.layers.iter().flat_map(|layer| {
            let figures = [layer.mean, layer.deviation, layer.zeros];
            figures
                .map(|figure| figure as f32)
                .into_iter()
                .chain([layer.dead.len() as f32])
        });
        let values: Vec<f32> = figures.collect();
        Numbers {
            axes: &[
                ("layer", made.layers.len()),
                ("mean,deviation,zeros,dead", 4),
            ],
            values: &values,
        }
        .save(file)?;
    }
    Ok((
        of_exciting::layers(&made),
        Some(serde_json::to_value(&made)?),
    ))
}

/// `, dead channels 3, 7 (from 0)`; nothing where there are none.
fn numbers(what: &str, channels: &[u32]) -> String {
    let names: Vec<String> = channels.iter().map(u32::to_string).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("{what} {} (from 0)", names.join(", ")),
    }
}
