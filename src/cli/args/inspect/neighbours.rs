//! What `strata inspect` takes for neighbours.

use super::at_least_one;
use clap::Args as ClapArgs;
use strata_inspect::neighbours::Metric;

/// What only neighbours take.
#[derive(Debug, ClapArgs)]
pub struct NeighbourArgs {
    /// Of neighbours: the image at this place of the split, from 0 [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "image")]
    pub index: Option<u32>,
    /// Of neighbours: how distance is measured, euclidean or cosine [default: euclidean]
    #[arg(long, value_name = "WORD", value_parser = metric)]
    pub metric: Option<Metric>,
    /// Of neighbours: so many neighbours vote for the class of an image [default: 5]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub k: Option<usize>,
}

fn metric(text: &str) -> Result<Metric, String> {
    let words = Metric::ALL.map(Metric::word).join(", ");
    Metric::of_word(text).ok_or_else(|| format!("the metrics are {words}"))
}
