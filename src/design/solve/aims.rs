//! Other aims than equal sizes: a smaller code, a receptive field that covers the input, fewer parameters.
//!
//! One layer is changed after the other, the promising ones first, until the aim is met; a decoder that no
//! longer gives the input's shape is then brought back by the same search as ever.

use super::attribute::{Attribute, Value, attributes, current};
use super::candidates::channels_mut;
use super::draft::{Draft, Goal};
use super::{Aim, Solved, best, completed, found_message};
use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::target::Target;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::infer::{Inference, infer};

/// Layers that are changed for the aim itself, at most.
const ROUNDS: usize = 3;
/// Drafts that each round continues with.
const KEPT: usize = 6;
/// Drafts that meet the aim and are brought to equal sizes, for each round.
const COMPLETED: usize = 10;

/// Searches for changes that meet the aim.
pub(crate) fn solve(network: &Network, locked: &[Target], aim: Aim) -> Solved {
    let inference = infer(network);
    let far = match distance(&inference, aim) {
        None => return Solved::nothing("The shapes are not all known yet: mend the errors first."),
        Some(0) => return Solved::nothing(format!("Met already: {}.", now(&inference, aim))),
        Some(far) => far,
    };
    let hunt = Hunt {
        aim,
        locked,
        goal: Goal::of(network, &inference),
        wants_decoder: !network.decoder.is_empty(),
    };
    let mut open = vec![(far, Draft::new(network))];
    for _ in 0..ROUNDS {
        let mut next: Vec<(u64, Draft)> = open
            .iter()
            .flat_map(|(_, draft)| hunt.moves(draft))
            .collect();
        next.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.rank().cmp(&b.1.rank())));
        let met: Vec<&Draft> = next
            .iter()
            .take_while(|(far, _)| *far == 0)
            .map(|(_, draft)| draft)
            .collect();
        let found: Vec<Draft> = met
            .into_iter()
            .take(COMPLETED)
            .flat_map(|draft| hunt.completed(draft))
            .collect();
        let solutions = best(found);
        if let Some(first) = solutions.first() {
            return Solved {
                message: found_message(first, solutions.len()),
                solutions,
            };
        }
        next.retain(|(far, _)| *far > 0);
        next.truncate(KEPT);
        open = next;
    }
    Solved::nothing(format!(
        "No way was found with {ROUNDS} layers changed: {}.",
        now(&inference, aim)
    ))
}

/// How far a network is from the aim; `None` where that is not known.
fn distance(inference: &Inference, aim: Aim) -> Option<u64> {
    match aim {
        Aim::OutputEqualsInput => None,
        Aim::CodeAtMost(most) => Some(inference.code.as_ref()?.elements().saturating_sub(most)),
        Aim::ParametersAtMost(most) => {
            let known = inference.rows.iter().all(|row| row.error.is_none());
            known.then(|| inference.totals.parameters.saturating_sub(most))
        }
        Aim::ReceptiveFieldCovers => {
            let field = code_field(inference)?;
            let missing = field
                .iter()
                .zip(inference.input.spatial())
                .map(|(has, needs)| (*needs as u64).saturating_sub(*has));
            Some(missing.fold(0u64, u64::saturating_add))
        }
    }
}

/// The code's receptive field, by axis.
fn code_field(inference: &Inference) -> Option<Vec<u64>> {
    let own = |row: &&strata_core::shape::Row| row.depth == 0;
    inference
        .stack(Stack::Encoder)
        .filter(own)
        .last()?
        .receptive_field
        .clone()
}

fn now(inference: &Inference, aim: Aim) -> String {
    let count =
        |number: Option<u64>| number.map_or_else(|| "?".to_owned(), strata_core::format::count);
    match aim {
        Aim::OutputEqualsInput => String::new(),
        Aim::CodeAtMost(_) => {
            format!(
                "the code holds {} numbers",
                count(inference.code.as_ref().map(|code| code.elements()))
            )
        }
        Aim::ParametersAtMost(_) => {
            format!("{} parameters", count(Some(inference.totals.parameters)))
        }
        Aim::ReceptiveFieldCovers => {
            let field = code_field(inference).unwrap_or_default();
            let sizes: Vec<String> = field.iter().map(u64::to_string).collect();
            format!(
                "one number of the code sees {} of {}",
                sizes.join("×"),
                inference.input
            )
        }
    }
}

struct Hunt<'a> {
    aim: Aim,
    locked: &'a [Target],
    goal: Goal,
    wants_decoder: bool,
}

impl Hunt<'_> {
    /// The draft with equal sizes again; nothing where that cannot be had, or undoes the aim.
    fn completed(&self, draft: &Draft) -> Vec<Draft> {
        if !self.wants_decoder || self.goal.is_met(&infer(&draft.network)) {
            return vec![draft.clone()];
        }
        let mut found = completed(draft, self.locked, self.goal).found;
        found.retain(|draft| distance(&infer(&draft.network), self.aim) == Some(0));
        found.truncate(3);
        found
    }

    /// The draft with one more layer changed, with how far each is from the aim then.
    fn moves(&self, draft: &Draft) -> Vec<(u64, Draft)> {
        let mut moves: Vec<Draft> = self.deeper(draft).into_iter().collect();
        for (place, node) in self.places(&draft.network) {
            match self.aim {
                Aim::CodeAtMost(_) | Aim::ParametersAtMost(_) => {
                    moves.extend(self.narrower(draft, &place, &node))
                }
                _ => {}
            }
            match self.aim {
                Aim::CodeAtMost(_) => moves.extend(self.varied(
                    draft,
                    &place,
                    &node,
                    &[Attribute::Stride, Attribute::Kernel],
                )),
                Aim::ReceptiveFieldCovers => {
                    moves.extend(self.varied(
                        draft,
                        &place,
                        &node,
                        &[Attribute::Kernel, Attribute::Stride],
                    ));
                }
                _ => {}
            }
            if self.aim != Aim::ReceptiveFieldCovers && node.text() == "flatten" {
                moves.extend(draft.clone().replace(&place, Node::from_text("gap"), 8));
            }
        }
        let known = |draft: Draft| Some((distance(&infer(&draft.network), self.aim)?, draft));
        moves.into_iter().filter_map(known).collect()
    }

    /// One more level: a convolution that halves, and in the decoder the transposed one that undoes it.
    fn deeper(&self, draft: &Draft) -> Option<Draft> {
        let code = infer(&draft.network).code?;
        let locked = |stack| self.locked.contains(&Target::Stack(stack));
        let least = code.spatial().iter().min().copied().unwrap_or(1);
        let fewer_parameters = matches!(self.aim, Aim::ParametersAtMost(_));
        if fewer_parameters || least < 2 || locked(Stack::Encoder) || locked(Stack::Decoder) {
            return None;
        }
        let channels = code.channels();
        let lost: Vec<u32> = code
            .spatial()
            .iter()
            .map(|size| u32::from(size % 2 == 0))
            .collect();
        let op = match lost.as_slice() {
            [first, rest @ ..] if rest.iter().all(|op| op == first) => first.to_string(),
            each => each
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join("x"),
        };
        let longer = draft
            .clone()
            .append(Stack::Encoder, &format!("conv {channels} k3 s2 p1"));
        match self.wants_decoder {
            true => {
                Some(longer.prepend(Stack::Decoder, &format!("convt {channels} k3 s2 p1 op{op}")))
            }
            false => Some(longer),
        }
    }

    /// Top-level layers that may be changed for the aim.
    fn places(&self, network: &Network) -> Vec<(Place, Node)> {
        let stacks: &[Stack] = if matches!(self.aim, Aim::ParametersAtMost(_)) {
            &Stack::ALL
        } else {
            &[Stack::Encoder]
        };
        let mut places = Vec::new();
        for &stack in stacks {
            let nodes = network.stack(stack);
            // What decides the channels of the answer or of the picture stays.
            let last = nodes
                .iter()
                .rposition(|node| channels_mut(&mut node.clone()).is_some());
            for (index, node) in nodes.iter().enumerate() {
                let place = Place::new(stack, index);
                let answers = stack != Stack::Encoder && Some(index) == last;
                if !answers && !self.locked.iter().any(|lock| lock.contains(&place)) {
                    places.push((place, node.clone()));
                }
            }
        }
        places
    }

    /// The layer with as many outputs as meet the aim; with half as many where one would be too many.
    fn narrower(&self, draft: &Draft, place: &Place, node: &Node) -> Option<Draft> {
        let now = *channels_mut(&mut node.clone())?;
        let with = |channels: u32| {
            let mut narrow = node.clone();
            *channels_mut(&mut narrow)? = channels;
            let halvings = 31u32.saturating_sub((now / channels.max(1)).leading_zeros());
            draft.clone().replace(place, narrow, 2 + 2 * halvings)
        };
        let far = |channels: u32| distance(&infer(&with(channels)?.network), self.aim);
        if now <= 1 {
            return None;
        }
        if far(1)? > 0 {
            return with((now / 2).max(1));
        }
        // Fewer outputs never cost more: the largest number that meets the aim is found by halving.
        let (mut meets, mut fails) = (1, now);
        while fails - meets > 1 {
            let middle = meets + (fails - meets) / 2;
            if far(middle) == Some(0) {
                meets = middle
            } else {
                fails = middle
            }
        }
        with(meets)
    }

    /// The layer with a larger window or stride.
    fn varied(&self, draft: &Draft, place: &Place, node: &Node, tried: &[Attribute]) -> Vec<Draft> {
        let Node::Layer(layer) = node else {
            return Vec::new();
        };
        let rank = draft.network.input.rank();
        let most = draft
            .network
            .input
            .spatial()
            .iter()
            .max()
            .copied()
            .unwrap_or(1)
            .min(63) as u32;
        let mut drafts = Vec::new();
        for attribute in tried
            .iter()
            .filter(|attribute| attributes(&layer.kind).contains(attribute))
        {
            let Some(Value::Size(now)) = current(&layer.kind, rank, 0, *attribute) else {
                continue;
            };
            let values: Vec<u32> = match attribute {
                Attribute::Kernel
                    if matches!(layer.kind, Kind::MaxPool { .. } | Kind::AvgPool { .. }) =>
                {
                    (now + 1..=8).collect()
                }
                Attribute::Kernel if matches!(self.aim, Aim::ReceptiveFieldCovers) => (1..)
                    .map(|n| now + 2 * n)
                    .take_while(|k| *k <= most.max(now))
                    .collect(),
                Attribute::Stride => (now + 1..=4).collect(),
                _ => Vec::new(),
            };
            let values = values
                .into_iter()
                .map(|value| vec![Some(Value::Size(value)); rank]);
            drafts.extend(
                values.filter_map(|values| draft.clone().set(place, rank, *attribute, &values)),
            );
        }
        drafts.retain(|draft| !draft.skips_cells());
        drafts
    }
}
