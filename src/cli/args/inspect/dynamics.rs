//! What `strata inspect` takes for the dynamics of a training.

use clap::Args as ClapArgs;
use strata_engine::inspection::dynamics::Figure;

/// What only dynamics take.
#[derive(Debug, ClapArgs)]
pub struct DynamicsArgs {
    /// Of dynamics: gradient, weight, update, mean, std, zeros or saturated [default: gradient]
    #[arg(long, value_name = "WORD", value_parser = figure)]
    pub figure: Option<Figure>,
}

fn figure(text: &str) -> Result<Figure, String> {
    let words = Figure::ALL.map(Figure::word).join(", ");
    let found = Figure::ALL.into_iter().find(|figure| figure.word() == text);
    found.ok_or_else(|| format!("the figures are {words}"))
}
