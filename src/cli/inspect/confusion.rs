//! `strata inspect RUN confusion`: how often images of each class are taken for each.

use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_inspect::confusion::Confusion;

/// `strata inspect RUN confusion`
pub(super) const PICTURE: Picture = Picture {
    word: "confusion",
    shows: "How often images of each class are taken for each",
    images: Images::Set,
    takes: &["--since", "--numbers"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let confusion = run.inspect::<Confusion>(&super::from_split(args))?;
    if let Some(file) = &args.numbers {
        let columns = confusion.counts.first().map_or(0, Vec::len);
        let counts = confusion.counts.iter().flatten();
        let values: Vec<f32> = counts.map(|count| *count as f32).collect();
        Numbers {
            axes: &[("class", confusion.counts.len()), ("answer", columns)],
            values: &values,
        }
        .save(file)?;
    }
    Ok((
        of_network::confusion(&confusion),
        Some(serde_json::to_value(&confusion)?),
    ))
}
