//! The built-in projects as the start page shows them: their shapes are worked out once.

use std::sync::OnceLock;
use strata_core::project::builtin::{self, Builtin};
use strata_core::project::layer::Family;
use strata_core::project::size::Shape;
use strata_core::shape::{self, Inference};

/// A funnel has room for so many slabs.
const MOST: usize = 15;

/// A built-in project with what is drawn of it.
pub struct Card {
    /// The project.
    pub entry: &'static Builtin,
    /// Its title.
    pub title: String,
    /// The tensors on the way through it, with the family of the layer that makes them.
    pub funnel: Vec<(Shape, Option<Family>)>,
    /// Its trained numbers.
    pub parameters: u64,
}

/// All built-in projects.
pub fn cards() -> &'static [Card] {
    static CARDS: OnceLock<Vec<Card>> = OnceLock::new();
    CARDS.get_or_init(|| builtin::ALL.iter().filter_map(card).collect())
}

fn card(entry: &'static Builtin) -> Option<Card> {
    let project = entry.project().ok()?;
    let inference = shape::infer(&project.network);
    let parameters = inference.totals.parameters;
    Some(Card {
        entry,
        title: project.title,
        funnel: funnel(&inference),
        parameters,
    })
}

/// The input and every change of shape after it; evenly thinned where there are many.
fn funnel(inference: &Inference) -> Vec<(Shape, Option<Family>)> {
    let mut all = vec![(inference.input.clone(), None)];
    for row in inference.rows.iter().filter(|row| !row.is_block) {
        if let Some(shape) = row
            .output
            .as_ref()
            .filter(|shape| all.last().is_none_or(|(last, _)| last != *shape))
        {
            all.push((shape.clone(), Some(row.family)));
        }
    }
    let last = all.len() - 1;
    if last < MOST {
        return all;
    }
    (0..MOST)
        .filter_map(|i| all.get(i * last / (MOST - 1)).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_has_a_funnel() {
        assert_eq!(cards().len(), builtin::ALL.len());
        for card in cards() {
            assert!(
                (3..=MOST).contains(&card.funnel.len()) && card.parameters > 0,
                "{}",
                card.entry.name
            );
        }
        let first: Vec<_> = cards()[0]
            .funnel
            .iter()
            .map(|(shape, _)| shape.to_string())
            .collect();
        assert_eq!(first, ["3×32×32", "32×8×8", "3×32×32"]);
    }
}
