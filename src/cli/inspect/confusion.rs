//! `strata inspect RUN confusion`: how often images of each class are taken for each.

use super::picture::{Draw, Drawn, Picture};
use crate::cli::args::InspectArgs;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::of_network;
use strata_inspect::confusion::Confusion;

/// `strata inspect RUN confusion`
pub(super) const PICTURE: Picture = Picture {
    word: "confusion",
    shows: "How often images of each class are taken for each",
    takes: &["--since"],
    draw: Draw::Run(picture),
    ..Picture::NONE
};

fn picture(run: &mut SavedRun, _: &InspectArgs) -> anyhow::Result<Drawn> {
    let confusion = run.inspect::<Confusion>(&None)?;
    Ok((
        of_network::confusion(&confusion),
        Some(serde_json::to_value(&confusion)?),
    ))
}
