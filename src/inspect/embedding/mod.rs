//! Maps of features: every image a point, so that images which a layer finds alike lie near each other.
//!
//! Three ways: principal components ([`pca`]), t-SNE ([`tsne`]) and UMAP ([`umap`]). A map repeats to the last bit from
//! the same features, way and seed. It needs no network: of a run in training only the features are asked, and the map
//! is made beside it.

pub mod pca;
pub mod tsne;
pub mod umap;

use super::features::Features;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::neighbours::{Metric, Near, Rows, all_nearest};
use rand_distr::{Distribution, StandardNormal};
use std::sync::Arc;
use strata_core::rng::{Purpose, stream};
use strata_data::{DataError, Progress};
use tsne::{Affinities, Point};

/// Components whose share of the variance is told.
const COMPONENTS: usize = 10;
/// Neighbours that are compared to say how far a map can be trusted.
pub const TRUSTED: usize = 5;
/// The fewest images of a map.
const FEWEST: usize = 4;

/// How a map is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The two principal components.
    Pca,
    /// t-SNE.
    #[default]
    Tsne,
    /// UMAP.
    Umap,
}

impl By {
    /// All ways.
    pub const ALL: [By; 3] = [By::Pca, By::Tsne, By::Umap];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            By::Pca => "pca",
            By::Tsne => "tsne",
            By::Umap => "umap",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            By::Pca => "PCA",
            By::Tsne => "t-SNE",
            By::Umap => "UMAP",
        }
    }

    /// The way of this word.
    pub fn of_word(word: &str) -> Option<By> {
        By::ALL.into_iter().find(|by| by.word() == word)
    }
}

/// The way with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct How {
    /// The way.
    pub by: By,
    /// Of t-SNE: about how many neighbours count; less where there are few images.
    pub perplexity: f64,
    /// Of UMAP: how many neighbours count, the image itself among them.
    pub neighbours: usize,
}

impl Default for How {
    /// scikit-learn's and umap-learn's settings.
    fn default() -> How {
        How {
            by: By::default(),
            perplexity: 30.0,
            neighbours: 15,
        }
    }
}

impl How {
    /// The same for so many images: t-SNE needs three times as many others as its perplexity.
    fn fitted(self, images: usize) -> How {
        let others = images.saturating_sub(1).max(1);
        How {
            perplexity: self.perplexity.clamp(1.0, (others as f64 / 3.0).max(1.0)),
            neighbours: self.neighbours.clamp(2, others + 1),
            ..self
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The features.
    pub features: Arc<Features>,
    /// How the map is made.
    pub how: How,
}

impl PartialEq for Request {
    /// The very same features: comparing all numbers in every frame would be slow.
    fn eq(&self, other: &Request) -> bool {
        Arc::ptr_eq(&self.features, &other.features) && self.how == other.how
    }
}

/// A map.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// What it is a map of.
    pub features: Arc<Features>,
    /// How it was made: the settings that were used.
    pub how: How,
    /// Where each image lies.
    pub points: Vec<Point>,
    /// Of PCA: the shares of the variance of the first components.
    pub explained: Vec<f64>,
    /// Of t-SNE: the Kullback-Leibler divergence that is left.
    pub divergence: Option<f64>,
    /// Trustworthiness (Venna and Kaski 2001) for [`TRUSTED`] neighbours: 1 when all neighbours in the map are neighbours
    /// by features; `None` with too few images.
    pub trust: Option<f64>,
}

/// Takes how far a map has come.
pub struct Progressing<'a>(&'a mut dyn FnMut(Option<Progress>) -> bool);

impl Progressing<'_> {
    /// False when the map is not wanted any more.
    fn say(&mut self, what: &'static str, done: usize, total: usize) -> bool {
        (self.0)(Some(Progress { what, done, total }))
    }
}

/// Makes a map; `monitor` takes how far it has come and says whether it is still wanted.
pub fn embed(
    features: Arc<Features>,
    how: How,
    monitor: &mut dyn FnMut(Option<Progress>) -> bool,
) -> Result<Embedding, InspectError> {
    let images = features.sample.indices.len();
    if images < FEWEST {
        let message = format!("a map needs at least {FEWEST} images, not {images}");
        return Err(InspectError::Input(message));
    }
    let mut making = Making {
        rows: features.sample.rows(),
        how: how.fitted(images),
        progressing: Progressing(monitor),
    };
    let made = making.make(features.seed, features.draw);
    let made = made.ok_or(DataError::Cancelled)?;
    Ok(Embedding {
        how: making.how,
        points: made.points,
        explained: made.explained,
        divergence: made.divergence,
        trust: made.trust,
        features,
    })
}

struct Making<'a> {
    rows: Rows<'a>,
    how: How,
    progressing: Progressing<'a>,
}

/// What is known of a map beside its features.
struct Made {
    points: Vec<Point>,
    explained: Vec<f64>,
    divergence: Option<f64>,
    trust: Option<f64>,
}

impl Making<'_> {
    fn make(&mut self, seed: u64, draw: u64) -> Option<Made> {
        let images = self.rows.len();
        let is_pca = self.how.by == By::Pca;
        let count = if is_pca { COMPONENTS } else { 2 };
        let progressing = &mut self.progressing;
        let mut go_on = |_| progressing.say("finding the principal components", 0, 0);
        let components = pca::components(self.rows, count, &mut go_on)?;
        let flat = first_two(&components.projected, components.explained.len());
        let mut rng = stream(seed, Purpose::Inspection, draw);
        let jitter: Vec<Point> = (0..images)
            .map(|_| [0, 1].map(|_| StandardNormal.sample(&mut rng)))
            .collect();
        let mut divergence = None;
        let points = match self.how.by {
            By::Pca => flat,
            By::Tsne => {
                let near = self.nearest(tsne::neighbours_of(images, self.how.perplexity))?;
                let affinities = Affinities::new(&near, self.how.perplexity);
                let start = tsne::start(&flat, &jitter);
                let points = tsne::map(&affinities, start, &mut self.progressing)?;
                divergence = Some(affinities.divergence(&points));
                points
            }
            By::Umap => {
                let near = self.nearest(self.how.neighbours - 1)?;
                let start = umap::start(&flat, &jitter);
                umap::map(&umap::graph(&near), start, &mut rng, &mut self.progressing)?
            }
        };
        Some(Made {
            trust: self.trust(&points)?,
            points,
            explained: match is_pca {
                true => components.explained,
                false => Vec::new(),
            },
            divergence,
        })
    }

    fn nearest(&mut self, count: usize) -> Option<Vec<Vec<Near>>> {
        let (rows, progressing) = (self.rows, &mut self.progressing);
        let mut go_on = |done| progressing.say("comparing images", done, rows.len());
        all_nearest(rows, rows, Metric::Euclidean, count, &mut go_on)
    }

    /// The trustworthiness, where there are enough images; `None` outside when it is not wanted any more.
    fn trust(&mut self, points: &[Point]) -> Option<Option<f64>> {
        if points.len() <= 2 * TRUSTED {
            return Some(None);
        }
        let (rows, progressing) = (self.rows, &mut self.progressing);
        let mut go_on = |done| progressing.say("measuring the map", done, rows.len());
        trustworthiness(rows, points, TRUSTED, &mut go_on).map(Some)
    }
}

/// The first two of so many coordinates; 0 where there is only one.
fn first_two(projected: &[f64], count: usize) -> Vec<Point> {
    let point = |row: &[f64]| [0, 1].map(|axis| row.get(axis).copied().unwrap_or(0.0));
    projected.chunks_exact(count.max(1)).map(point).collect()
}

/// How many of the neighbours in a map are neighbours by features too, each counted by how far it is from being one;
/// 1 is best. `None` when `go_on` wants no more.
pub fn trustworthiness(
    rows: Rows<'_>,
    points: &[Point],
    neighbours: usize,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Option<f64> {
    let flat: Vec<f32> = points.iter().flatten().map(|value| *value as f32).collect();
    let map = Rows::new(&flat, 2);
    let near = all_nearest(map, map, Metric::Euclidean, neighbours, go_on)?;
    let mut penalty = 0.0;
    for (row, near) in near.iter().enumerate() {
        let distances = rows.distances(rows.row(row), Metric::Euclidean);
        for (other, _) in near {
            let far = (distances[*other], *other);
            let nearer = distances.iter().copied().zip(0..).enumerate();
            let is_nearer = |(at, (distance, index)): &(usize, (f32, usize))| {
                *at != row && (*distance, *index) < far
            };
            let rank = nearer.filter(is_nearer).count() + 1;
            penalty += rank.saturating_sub(neighbours) as f64;
        }
        if row % 64 == 0 && !go_on(row) {
            return None;
        }
    }
    let (n, k) = (points.len() as f64, neighbours as f64);
    Some(1.0 - penalty * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)))
}

impl Inspection for Embedding {
    const NAME: &'static str = "embedding";
    const NEEDS: Needs = Needs::Images;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        embed(request.features.clone(), request.how, cx.monitor)
    }
}

#[cfg(test)]
pub(crate) mod tests;
