//! What `strata inspect` takes for saliency.

use super::{at_least_one, percent, share};
use clap::Args as ClapArgs;
use strata_inspect::attribution::Method;

/// What only saliency takes.
#[derive(Debug, ClapArgs)]
pub struct SaliencyArgs {
    /// Of saliency: gradient, gradient-x-input, smoothgrad, integrated, guided, grad-cam or occlusion [default: gradient]
    #[arg(long, value_name = "WORD", value_parser = method)]
    pub method: Option<Method>,
    /// Of saliency, the sanity check: draw the weights of so many layers anew, one after another from the last
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub randomise: Option<usize>,
    /// Of saliency: draw signed values, blue against and red for the score
    #[arg(long)]
    pub signed: bool,
    /// Of saliency: so many percent of the values, the largest, may lie beyond the colours' scale
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub clip: Option<f32>,
    /// Of saliency: one scale for all images instead of each its own
    #[arg(long)]
    pub one_scale: bool,
    /// Of saliency: how strongly the map lies over the image, 0 to 1 [default: 1]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub opacity: Option<f32>,
}

fn method(text: &str) -> Result<Method, String> {
    let words = Method::ALL.map(Method::word).join(", ");
    Method::of_word(text).ok_or_else(|| format!("the methods are {words}"))
}
