//! What `strata inspect` takes for filters.

use clap::Args as ClapArgs;
use strata_gui::plate::of_filters::Shown;
use strata_inspect::filters::study::Order;

/// What only filters take.
#[derive(Debug, ClapArgs)]
pub struct FilterArgs {
    /// Of filters: layer, norm, similarity or activation [default: layer]
    #[arg(long, value_name = "WORD", value_parser = order)]
    pub sort: Option<Order>,
    /// Of filters: weights, channels (a picture for each input channel) or frequencies [default: weights]
    #[arg(long, value_name = "WORD", value_parser = shown)]
    pub show: Option<Shown>,
    /// Of filters: weights on whitened images as they are, instead of on the images' own pixels
    #[arg(long)]
    pub whitened: bool,
    /// Of filters: what the network does without these, counted from 1, such as 3,5; the run keeps its weights
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub without: Vec<u32>,
    /// Of filters: what the decoder's last layer with weights paints, a picture for each of its inputs
    #[arg(long, conflicts_with = "layer")]
    pub decoder: bool,
}

fn order(text: &str) -> Result<Order, String> {
    let words = Order::ALL.map(Order::word).join(", ");
    let found = Order::ALL.into_iter().find(|order| order.word() == text);
    found.ok_or_else(|| format!("filters are sorted by {words}"))
}

fn shown(text: &str) -> Result<Shown, String> {
    let words = Shown::ALL.map(Shown::word).join(", ");
    let found = Shown::ALL.into_iter().find(|shown| shown.word() == text);
    found.ok_or_else(|| format!("of filters can be shown {words}"))
}
