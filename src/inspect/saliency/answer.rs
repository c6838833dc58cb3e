//! What the network says of an image.

use crate::attribution::score::numbers;
use candle_core::Tensor;
use strata_nn::{Mode, Network, NnError, Route};

/// How many probabilities are listed for each image.
pub const TOP: usize = 3;

/// What the network says of one image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The right class, where it is known.
    pub label: Option<u32>,
    /// Where an image may have several labels: those that it has, by their numbers.
    pub labels: Option<Vec<u32>>,
    /// The class whose score was looked at; `None` for the reconstruction error and for units.
    pub class: Option<u32>,
    /// The score (logit), the error or the unit's value.
    pub score: f32,
    /// The most probable classes with their probabilities, falling; empty for the reconstruction error and for units.
    pub top: Vec<(u32, f32)>,
}

/// The answers for images, about this class or about the one that each is taken for.
pub(super) fn of_classes(
    network: &mut Network,
    images: &Tensor,
    class: Option<u32>,
) -> Result<Vec<Answer>, NnError> {
    let output = network.forward(Route::Classify, images, Mode::Eval)?;
    let outputs = output.dims().iter().skip(1).product::<usize>();
    if let Some(class) = class.filter(|&class| class as usize >= outputs) {
        return Err(NnError::Unsupported(format!(
            "saliency of class {class} with {outputs} outputs"
        )));
    }
    let logits = numbers(&network.logits(&output)?)?;
    let rows = logits.chunks_exact(outputs.max(1));
    Ok(rows.map(|row| answer(row, class)).collect())
}

/// The answer of these scores.
pub(super) fn answer(logits: &[f32], class: Option<u32>) -> Answer {
    let mut ranked: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let highest = ranked.first().map_or(0.0, |(_, logit)| *logit);
    let sum: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    let top = ranked
        .iter()
        .take(TOP)
        .map(|&(class, logit)| (class, (logit - highest).exp() / sum))
        .collect();
    let class = class.or(ranked.first().map(|(class, _)| *class));
    let score = class
        .and_then(|class| logits.get(class as usize))
        .copied()
        .unwrap_or(f32::NAN);
    Answer {
        labels: None,
        label: None,
        class,
        score,
        top,
    }
}
