//! Advice about where a network spends its parameters.

use super::Advice;
use super::case::{Case, List};
use strata_core::format::count;
use strata_core::project::Stack;
use strata_core::project::edit::Edit;
use strata_core::project::layer::{Family, Kind};
use strata_core::project::node::Node;

/// A smaller dense layer is no burden, whatever its fraction (LeNet's first has 400,000).
const MANY: u64 = 1_000_000;

/// A dense layer on a flattened map that holds nearly all parameters.
pub(crate) fn huge_dense(case: &Case<'_>) -> Vec<Advice> {
    let convolves = case
        .inference
        .rows
        .iter()
        .any(|row| row.family == Family::Convolution);
    let lists = case.lists.iter().filter(|_| convolves);
    lists
        .flat_map(|list| (0..list.nodes.len()).filter_map(|index| huge(case, list, index)))
        .collect()
}

fn huge(case: &Case<'_>, list: &List<'_>, index: usize) -> Option<Advice> {
    let Kind::Dense { .. } = list.kind(index)? else {
        return None;
    };
    let place = list.place(index);
    let (parameters, all) = (
        case.row(&place)?.parameters,
        case.inference.totals.parameters,
    );
    if parameters < MANY || u128::from(parameters) * 10 <= u128::from(all) * 9 {
        return None;
    }
    let flatten = (0..index)
        .rev()
        .find(|&before| !matches!(list.kind(before), Some(Kind::Dropout { .. })))?;
    let map = case
        .row(&list.place(flatten))?
        .input
        .clone()
        .filter(|map| map.rank() > 0)?;
    if list.kind(flatten) != Some(&Kind::Flatten) {
        return None;
    }
    let share = (u128::from(parameters) * 100 / u128::from(all.max(1))) as u64;
    let message = format!(
        "`{}` holds {share} % of all parameters: {}",
        list.nodes[index].text(),
        count(parameters)
    );
    let why = format!(
        "It has a weight for each of the {} numbers of the map {map}; averaging each channel first leaves {} \
         (global average pooling, Lin, Chen and Yan 2014).",
        count(map.elements()),
        count(map.channels() as u64)
    );
    let advice = Advice::new(message, why).at(&place);
    if place.stack != Stack::Head {
        return Some(advice);
    }
    let at = list.place(flatten);
    Some(advice.fix(
        format!("replace flatten by gap at {at}"),
        Edit::Replace(at, Node::from_text("gap")),
    ))
}
