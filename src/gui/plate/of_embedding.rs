//! A map of images as it is handed in: with the colours' classes, and the figures in words.

use crate::panels::embedding::{Drawn, Pictures, with_legend};
use crate::snapshot::Snapshot;
use std::collections::BTreeSet;
use strata_core::format;
use strata_inspect::embedding::{By, Embedding, How, TRUSTED};

/// The map with its legend.
pub fn picture(map: &Embedding) -> Snapshot {
    let features = &map.features;
    let line = format!(
        "{} · {} of {} {} images · {}{} · step {}",
        features.layer.replace('`', ""),
        format::count(map.points.len() as u64),
        format::count(features.of as u64),
        features.split,
        way(&map.how),
        figures(map),
        format::count(features.step)
    );
    Snapshot::titled("Map of images", &line, false, |ui| {
        let pictures = Pictures::of(ui, map);
        let drawn = Drawn {
            map,
            pictures: &pictures,
            hidden: &BTreeSet::new(),
            as_points: false,
            open: None,
        };
        with_legend(ui, &drawn);
    })
}

/// `t-SNE (perplexity 30)`
pub fn way(how: &How) -> String {
    match how.by {
        By::Pca => "PCA".to_owned(),
        By::Tsne => format!("t-SNE (perplexity {})", format::short(how.perplexity, 1)),
        By::Umap => format!("UMAP ({} neighbours)", how.neighbours),
    }
}

/// `, axes 31.2 and 12.0 % of the variance, trustworthiness 0.98 (5 neighbours)`
pub fn figures(map: &Embedding) -> String {
    let mut text = String::new();
    if let [first, second, ..] = map.explained.as_slice() {
        let [first, second] = [first, second].map(|share| 100.0 * share);
        text += &format!(", axes {first:.1} and {second:.1} % of the variance");
    }
    if let Some(divergence) = map.divergence {
        text += &format!(", KL {}", format::short(divergence, 3));
    }
    if let Some(trust) = map.trust {
        text += &format!(", trustworthiness {trust:.3} ({TRUSTED} neighbours)");
    }
    text
}
