//! Layers of a run whose network was edited since: which layer of the new network each of them is.
//!
//! Layers of equal text keep their order; between those that stay, changed ones go together one by one. A layer put in
//! or taken out moves all behind it, and none of them takes the weights of its neighbour.

use crate::storage::matched_weights::MatchTable;
use candle_core::Tensor;
use std::collections::HashMap;
use strata_core::project::{Network, Stack};

/// Gives tensors the keys that their layers have in another network; returns their own keys by the new ones. What has no
/// counterpart gets a key that no network has.
pub(super) fn renamed(
    before: &Network,
    now: &Network,
    tensors: &mut HashMap<String, Tensor>,
) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let mut moved = HashMap::new();
    for stack in Stack::ALL {
        let texts = |network: &Network| -> Vec<String> {
            let nodes = network.stack(stack).iter();
            nodes.map(|node| node.text()).collect()
        };
        let places = places(&texts(before), &texts(now));
        let of_stack: Vec<String> = tensors
            .keys()
            .filter(|key| in_stack(key, stack))
            .cloned()
            .collect();
        for key in of_stack {
            let mut parts = key.splitn(3, '.').skip(1);
            let index: Option<usize> = parts.next().and_then(|index| index.parse().ok());
            let end = parts.next().unwrap_or_default();
            let place = index.and_then(|index| places.get(index).copied().flatten());
            let name = match (place, index) {
                (Some(place), _) => format!("{stack}.{place}.{end}"),
                (None, Some(index)) => format!("{stack}.~{index}.{end}"),
                (None, None) => key.clone(),
            };
            if let Some(tensor) = tensors.remove(&key) {
                moved.insert(name.clone(), tensor);
            }
            names.insert(name, key);
        }
    }
    tensors.extend(moved);
    names
}

fn in_stack(key: &str, stack: Stack) -> bool {
    key.split('.').next() == Some(stack.name())
}

/// The same table with the keys that the file has.
pub(super) fn with_names(mut table: MatchTable, names: &HashMap<String, String>) -> MatchTable {
    for taken in &mut table.taken {
        if let Some(own) = names.get(&taken.from) {
            taken.from.clone_from(own);
        }
    }
    for (key, _) in &mut table.unused {
        if let Some(own) = names.get(key) {
            key.clone_from(own);
        }
    }
    for (key, reason) in &mut table.missing {
        if let Some(own) = names.get(key) {
            *reason = reason.replace(&format!("the file's {key} "), &format!("the file's {own} "));
        }
    }
    table
}

/// For each layer of `before` its place in `now`.
fn places(before: &[String], now: &[String]) -> Vec<Option<usize>> {
    let mut places = vec![None; before.len()];
    let (mut old, mut new) = (0, 0);
    let kept = common(before, now);
    for (i, j) in kept.into_iter().chain([(before.len(), now.len())]) {
        // Between two layers that stay.
        let changed = (old..i).zip(new..j);
        changed.for_each(|(i, j)| places[i] = Some(j));
        if i < before.len() {
            places[i] = Some(j);
        }
        (old, new) = (i + 1, j + 1);
    }
    places
}

/// The longest sequence of layers that both have in this order, as places in both.
fn common(before: &[String], now: &[String]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0u32; now.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..now.len()).rev() {
            lengths[i][j] = match before[i] == now[j] {
                true => lengths[i + 1][j + 1] + 1,
                false => lengths[i + 1][j].max(lengths[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut kept = Vec::new();
    while i < before.len() && j < now.len() {
        if before[i] == now[j] {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(before: &str, now: &str) -> Vec<Option<usize>> {
        let layers = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        places(&layers(before), &layers(now))
    }

    #[test]
    fn layers_keep_their_weights_where_others_are_put_in_or_taken_out() {
        assert_eq!(placed("a r a r", "a r a r a r"), [0, 1, 2, 3].map(Some));
        assert_eq!(
            placed("a r b r", "a r x r b r"),
            [Some(0), Some(1), Some(4), Some(5)]
        );
        assert_eq!(placed("a b c", "a c"), [Some(0), None, Some(1)]);
        assert_eq!(
            placed("a b c", "a B c"),
            [0, 1, 2].map(Some),
            "a changed one goes with its successor"
        );
        assert_eq!(placed("a", "b"), [Some(0)]);
    }
}
