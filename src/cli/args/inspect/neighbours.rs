//! What `strata inspect` takes for neighbours and for maps of images.

use super::at_least_one;
use clap::Args as ClapArgs;
use strata_inspect::embedding::By;
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

impl NeighbourArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.index.is_some(), "--index"),
            (self.metric.is_some(), "--metric"),
            (self.k.is_some(), "--k"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

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

impl EmbeddingArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.by.is_some(), "--by"),
            (self.perplexity.is_some(), "--perplexity"),
            (self.neighbours.is_some(), "--neighbours"),
            (self.draw.is_some(), "--draw"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn metric(text: &str) -> Result<Metric, String> {
    let words = Metric::ALL.map(Metric::word).join(", ");
    Metric::of_word(text).ok_or_else(|| format!("the metrics are {words}"))
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
