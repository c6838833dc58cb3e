//! What `strata inspect` takes for a map of images.

use clap::Args as ClapArgs;
use strata_inspect::embedding::By;

/// What only a map takes.
#[derive(Debug, ClapArgs)]
pub struct EmbeddingArgs {
    /// Of embedding: pca, tsne or umap [default: tsne]
    #[arg(long, value_name = "WORD", value_parser = way)]
    pub by: Option<By>,
    /// Of embedding by tsne: about how many neighbours of an image count, 2 to 200 [default: 30]
    #[arg(long, value_name = "P", value_parser = perplexity)]
    pub perplexity: Option<f64>,
    /// Of embedding by umap: how many neighbours of an image count, 2 to 200 [default: 15]
    #[arg(long, value_name = "N", value_parser = neighbours)]
    pub neighbours: Option<usize>,
    /// Of embedding: another draw of the images and of the start [default: 0]
    #[arg(long, value_name = "N")]
    pub draw: Option<u64>,
}

fn way(text: &str) -> Result<By, String> {
    let words = By::ALL.map(By::word).join(", ");
    By::of_word(text).ok_or_else(|| format!("the ways are {words}"))
}

fn perplexity(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (2.0..=200.0).contains(number))
        .ok_or_else(|| "write a number from 2 to 200".to_owned())
}

fn neighbours(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (2..=200).contains(number))
        .ok_or_else(|| "write a whole number from 2 to 200".to_owned())
}
