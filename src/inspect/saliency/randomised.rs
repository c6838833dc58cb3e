//! The sanity check of Adebayo et al. 2018: whether a map changes when the weights that it should explain do.
//!
//! The weights of one layer after another, from the last on, are drawn anew, and the same map is made each time. A
//! method whose maps stay alike does not show what the network learnt.

use super::{Look, Question, Saliency, absolute};
use crate::attribution::Watch;
use crate::inspection::InspectError;
use crate::layer_name;
use candle_core::Tensor;
use std::collections::HashMap;
use strata_core::project::{Place, Stack};
use strata_nn::Network;

/// The maps after the weights of a layer, and of all behind it, were drawn anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Randomised {
    /// The layer with its text.
    pub layer: String,
    /// `N × H × W` absolute attributions.
    pub maps: Vec<f32>,
    /// Spearman's rank correlation of each image's map with that of the trained weights: 1 where the order of the pixels
    /// is the same.
    pub correlations: Vec<f32>,
}

impl Randomised {
    /// The mean correlation over the images.
    pub fn correlation(&self) -> f32 {
        self.correlations.iter().sum::<f32>() / self.correlations.len().max(1) as f32
    }
}

/// Checks as many layers as were asked for; the network has its own weights again afterwards.
pub(super) fn check(
    look: &Look<'_>,
    network: &mut Network,
    saliency: &Saliency,
    watch: &mut Watch<'_>,
) -> Result<Vec<Randomised>, InspectError> {
    let Some(plan) = look
        .inference
        .plan
        .as_ref()
        .filter(|_| look.request.randomised > 0)
    else {
        return Ok(Vec::new());
    };
    let own: HashMap<String, Tensor> = network.shared_state().into_iter().collect();
    let other = Network::new(plan, look.seed ^ u64::MAX, network.device())?;
    let other: HashMap<String, Tensor> = other.shared_state().into_iter().collect();
    let made = checks(look, network, saliency, (&own, &other), watch);
    network.load_state(&own)?;
    made
}

type State = HashMap<String, Tensor>;

fn checks(
    look: &Look<'_>,
    network: &mut Network,
    saliency: &Saliency,
    (own, other): (&State, &State),
    watch: &mut Watch<'_>,
) -> Result<Vec<Randomised>, InspectError> {
    let mut state = own.clone();
    let mut checks = Vec::new();
    for (place, keys) in layers(look, network)
        .into_iter()
        .take(look.request.randomised)
    {
        for (key, value) in other {
            if keys
                .iter()
                .any(|layer| key.starts_with(&format!("{layer}.")))
            {
                state.insert(key.clone(), value.clone());
            }
        }
        network.load_state(&state)?;
        let values = look.attributed(network, &saliency.answers, &look.how(), watch)?;
        let maps = absolute(&values, saliency.channels);
        let size = (saliency.height * saliency.width).max(1);
        let pairs = maps
            .chunks_exact(size)
            .zip(saliency.maps.chunks_exact(size));
        checks.push(Randomised {
            layer: layer_name(look.inference, &place.to_string()),
            correlations: pairs
                .map(|(one, other)| rank_correlation(one, other))
                .collect(),
            maps,
        });
        if look.is_late() {
            break;
        }
    }
    Ok(checks)
}

/// The layers with weights that the score is computed with, the last first, and the keys of each (of every pass of a
/// repeat).
fn layers(look: &Look<'_>, network: &Network) -> Vec<(Place, Vec<String>)> {
    let stacks: &[Stack] = match look.question {
        Question::Predicted | Question::Class(_) => &[Stack::Encoder, Stack::Head],
        Question::Error => &[Stack::Encoder, Stack::Decoder],
        // The network was cut off behind the unit's layer: it has no others.
        Question::Unit(_) => &Stack::ALL,
    };
    let mut layers: Vec<(Place, Vec<String>)> = Vec::new();
    for stack in stacks {
        for parameter in network.parameters() {
            let place = &parameter.place;
            if place.stack != *stack {
                continue;
            }
            let key = parameter
                .key
                .rsplit_once('.')
                .map_or("", |(layer, _)| layer);
            match layers.iter_mut().find(|(found, _)| found == place) {
                Some((_, keys)) => keys.push(key.to_owned()),
                None => layers.push((place.clone(), vec![key.to_owned()])),
            }
        }
    }
    layers.reverse();
    layers
}

/// Spearman's rank correlation: that of the ranks, equal values having their mean rank. 0 where one of them has only
/// equal values.
pub fn rank_correlation(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = |ranks: &[f64]| ranks.iter().sum::<f64>() / ranks.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let (mut both, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        both += (a - mean_a) * (b - mean_b);
        square_a += (a - mean_a).powi(2);
        square_b += (b - mean_b).powi(2);
    }
    match square_a > 0.0 && square_b > 0.0 {
        true => (both / (square_a * square_b).sqrt()) as f32,
        false => 0.0,
    }
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut rest = order.as_slice();
    let mut before = 0;
    while let Some(first) = rest.first() {
        let equal = rest
            .iter()
            .take_while(|index| values[**index].total_cmp(&values[*first]).is_eq())
            .count();
        let (same, others) = rest.split_at(equal);
        let rank = before as f64 + (equal as f64 - 1.0) / 2.0;
        same.iter().for_each(|index| ranks[*index] = rank);
        before += equal;
        rest = others;
    }
    ranks
}
