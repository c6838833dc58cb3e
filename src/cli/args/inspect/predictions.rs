//! What `strata inspect` takes for predictions.

use super::at_least_one;
use clap::Args as ClapArgs;
use strata_inspect::predictions::List;

/// What only predictions take.
#[derive(Debug, ClapArgs)]
pub struct PredictionArgs {
    /// Of predictions: most-wrong, least-sure or first [default: most-wrong; first for --image]
    #[arg(long, value_name = "WORD", value_parser = list)]
    pub list: Option<List>,
    /// Of predictions: so many classes for each image [default: 3]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub top: Option<usize>,
    /// Of predictions: of each image the mean over so many draws of the project's augmentations
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "image")]
    pub augmentations: Option<usize>,
}

fn list(text: &str) -> Result<List, String> {
    match text {
        "most-wrong" => Ok(List::MostWrong),
        "least-sure" => Ok(List::LeastSure),
        "first" => Ok(List::First),
        _ => Err("the lists are most-wrong, least-sure, first".to_owned()),
    }
}
