//! Deterministic functions against torchvision's numbers, random ones against their distributions.

mod chance;
mod plan;
mod torchvision;

use super::*;

fn augmenter(texts: &[&str], shape: [usize; 3]) -> Result<Augmenter, DataError> {
    let parse = |text: &&str| text.parse::<Augment>().unwrap_or_else(|error| panic!("{text}: {error}"));
    Augmenter::new(&texts.iter().map(parse).collect::<Vec<_>>(), shape)
}
