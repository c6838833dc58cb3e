//! Layers whose border is constant: outer rows and columns that are computed only from padding and biases, so that
//! they are the same for every image. An `op` beyond the last tap makes one, and padding that the kernel does not
//! reach across.
//!
//! Found by what of the input reaches each row ([`Reached`]), whatever the kind of layer. The zeros of `pad`, and of
//! an `unpool` whose pooling left rows out, are meant: they are reported where a layer behind them computes a row of
//! them alone, or where they are still there at the end of the network. Nothing here fails.

use crate::checks::Problem;
use std::collections::BTreeSet;
use strata_core::project::{Place, Stack};
use strata_core::shape::field::{Reached, Unreached};
use strata_core::shape::infer::Inference;
use strata_core::shape::layers::Reads;
use strata_core::shape::op::{Op, Plan, Planned, PlannedLayer};

/// A layer with a border that no input reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstantBorder {
    /// The layer.
    pub place: Place,
    /// Its rows and columns that no input reaches.
    pub axes: Vec<Unreached>,
    /// The layer whose zeros it sees there, where they are not its own padding.
    pub zeros_of: Option<Place>,
}

/// The layers that make a constant border, in the order they run; of a repeat its first pass.
pub fn constant_borders(inference: &Inference) -> Vec<ConstantBorder> {
    let Some(plan) = &inference.plan else {
        return Vec::new();
    };
    let mut search = Search::default();
    let start = Flow {
        reached: Reached::all(&plan.input),
        zeros: None,
        is_reported: false,
    };
    let code = search.stack(plan, Stack::Encoder, start);
    let later = [Stack::Decoder, Stack::Head];
    let later = later.map(|stack| plan.stack(stack).is_some_and(|nodes| !nodes.is_empty()));
    if later == [false; 2] {
        search.ends(&code, &plan.code);
    }
    if let ([true, _], Some(output)) = (later, &inference.output) {
        let end = search.stack(plan, Stack::Decoder, code.clone());
        search.ends(&end, output);
    }
    if let ([_, true], Some(answer)) = (later, &inference.answer) {
        let end = search.stack(plan, Stack::Head, code);
        search.ends(&end, answer);
    }
    search.found
}

/// The rows and columns of the decoder's output (without a decoder, of the code) that no input reaches, by axis;
/// nothing where there are none.
pub(crate) fn unreached_output(inference: &Inference) -> Vec<Unreached> {
    let found = || {
        let plan = inference.plan.as_ref()?;
        let code = Reached::all(&plan.input).after(plan.stack(Stack::Encoder)?);
        Some(match (plan.stack(Stack::Decoder), &inference.output) {
            (Some(decoder), Some(output)) => code.after(decoder).missing(output),
            _ => code.missing(&plan.code),
        })
    };
    let missing: Vec<Unreached> = found().unwrap_or_default();
    let any = missing.iter().any(Unreached::any);
    if any { missing } else { Vec::new() }
}

/// A few words about an output with such rows.
pub(crate) fn output_note(unreached: &[Unreached]) -> Option<String> {
    let is_border = unreached.iter().any(Unreached::has_border);
    let what = if is_border {
        "constant border"
    } else {
        "constant rows"
    };
    let note = || format!("{what}: no input reaches the output's {}", rows(unreached));
    (!unreached.is_empty()).then(note)
}

/// A warning for each of them.
pub(crate) fn problems(inference: &Inference) -> Vec<Problem> {
    constant_borders(inference)
        .iter()
        .map(|border| Problem {
            place: Some(border.place.clone()),
            ..warning(border)
        })
        .collect()
}

fn warning(border: &ConstantBorder) -> Problem {
    let rows = rows(&border.axes);
    let verb = if is_one(&border.axes) { "is" } else { "are" };
    match &border.zeros_of {
        None => Problem::warning(format!(
            "a constant border: no input reaches its {rows}, which {verb} the same for every image"
        ))
        .help("use less padding or output padding, or a kernel that reaches from the border into the image")
        .help("or take the border away again with `crop`"),
        Some(zeros) if *zeros == border.place => Problem::warning(format!(
            "a constant border: its zeros remain to the end, where the outermost {rows} {verb} the same for every image"
        ))
        .help("use a larger kernel or padding in the layers before it instead"),
        Some(zeros) => Problem::warning(format!(
            "a constant border: its {rows} {verb} computed of the zeros of {zeros} alone, the same for every image"
        ))
        .help(format!("use smaller margins at {zeros}, or a larger kernel here")),
    }
}

/// `first row`, `last 2 rows and last 2 columns`, `first and last column`, as many as there are.
fn rows(axes: &[Unreached]) -> String {
    let names: &[&str] = match axes.len() {
        1 => &["sample"],
        2 => &["row", "column"],
        _ => &["slice", "row", "column"],
    };
    let parts: Vec<String> = axes
        .iter()
        .zip(names)
        .flat_map(|(missing, name)| sides(missing, name))
        .collect();
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

fn sides(missing: &Unreached, name: &str) -> Vec<String> {
    let several = |number: usize, side: &str| match number {
        1 => format!("{side} {name}"),
        number => format!("{side} {number} {name}s"),
    };
    let Unreached {
        before,
        between,
        after,
    } = *missing;
    let mut parts = Vec::new();
    match (before, after) {
        (1, 1) => parts.push(format!("first and last {name}")),
        (a, b) if a == b && a > 0 => parts.push(format!("first and last {a} {name}s")),
        (a, b) => {
            parts.extend((a > 0).then(|| several(a, "first")));
            parts.extend((b > 0).then(|| several(b, "last")));
        }
    }
    parts.extend((between > 0).then(|| match between {
        1 => format!("1 {name} in between"),
        number => format!("{number} {name}s in between"),
    }));
    parts
}

fn is_one(axes: &[Unreached]) -> bool {
    let count = |missing: &Unreached| missing.before + missing.between + missing.after;
    axes.iter().map(count).sum::<usize>() == 1
}

/// What is known at a place of the way.
#[derive(Clone)]
struct Flow {
    reached: Reached,
    /// The layer whose zeros are the border, if it has not been reported.
    zeros: Option<Place>,
    /// Whether the border that is there has been reported.
    is_reported: bool,
}

#[derive(Default)]
struct Search {
    found: Vec<ConstantBorder>,
    seen: BTreeSet<Place>,
}

impl Search {
    fn stack(&mut self, plan: &Plan, stack: Stack, flow: Flow) -> Flow {
        self.nodes(plan.stack(stack).unwrap_or_default(), flow)
    }

    fn nodes(&mut self, nodes: &[Planned], flow: Flow) -> Flow {
        nodes.iter().fold(flow, |flow, node| match node {
            Planned::Layer(layer) => self.layer(layer, flow),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                let ends = branches
                    .iter()
                    .map(|branch| self.nodes(branch, flow.clone()));
                met(&ends.collect::<Vec<_>>())
            }
            Planned::Repeat { passes, .. } => passes
                .iter()
                .fold(flow, |flow, pass| self.nodes(pass, flow)),
        })
    }

    fn layer(&mut self, layer: &PlannedLayer, flow: Flow) -> Flow {
        let reached = flow.reached.through(layer);
        let axes = reached.missing(&layer.output);
        if !has_border(&axes) {
            return Flow {
                reached,
                zeros: None,
                is_reported: false,
            };
        }
        let own = Reached::all(&layer.input)
            .through(layer)
            .missing(&layer.output);
        let (makes, meant) = (has_border(&own), is_meant(&layer.op));
        let zeros_of = match (makes, meant, flow.zeros.clone()) {
            (true, false, _) => None,
            (false, false, Some(zeros)) if computes(&layer.op) => Some(zeros),
            (true, true, _) if !flow.is_reported => {
                let zeros = Some(layer.place.clone());
                return Flow {
                    reached,
                    zeros,
                    ..flow
                };
            }
            _ => return Flow { reached, ..flow },
        };
        self.report(&layer.place, axes, zeros_of);
        Flow {
            reached,
            zeros: None,
            is_reported: true,
        }
    }

    /// Reports zeros that are still there at the end of the network.
    fn ends(&mut self, flow: &Flow, shape: &strata_core::project::size::Shape) {
        let axes = flow.reached.missing(shape);
        if let Some(zeros) = flow.zeros.clone().filter(|_| has_border(&axes)) {
            self.report(&zeros.clone(), axes, Some(zeros));
        }
    }

    fn report(&mut self, place: &Place, axes: Vec<Unreached>, zeros_of: Option<Place>) {
        if self.seen.insert(place.clone()) {
            self.found.push(ConstantBorder {
                place: place.clone(),
                axes,
                zeros_of,
            });
        }
    }
}

fn has_border(axes: &[Unreached]) -> bool {
    axes.iter().any(Unreached::has_border)
}

/// Whether zeros are what the layer is for.
fn is_meant(op: &Op) -> bool {
    matches!(op.reads(), Reads::Padded { .. } | Reads::Unpooled(_))
}

/// Whether the layer makes values of several others.
fn computes(op: &Op) -> bool {
    matches!(op.reads(), Reads::Window(..) | Reads::Spread(_))
}

fn met(branches: &[Flow]) -> Flow {
    Flow {
        reached: Reached::met(branches.iter().map(|branch| branch.reached.clone())),
        zeros: branches.iter().find_map(|branch| branch.zeros.clone()),
        is_reported: branches.iter().any(|branch| branch.is_reported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::shape::infer;
    use strata_testkit::networks::{network, split};

    fn warnings(encoder: &str, decoder: &str) -> Vec<String> {
        let network = network("1x9x9", &split(encoder), &split(decoder), &[]);
        let problems = problems(&infer(&network));
        let sentence =
            |problem: Problem| format!("{}: {}", problem.place.unwrap(), problem.message);
        problems.into_iter().map(sentence).collect()
    }

    #[test]
    fn layers_with_a_constant_border_are_reported() {
        let own = "a constant border: no input reaches its";
        for (encoder, decoder, wanted) in [
            ("conv 1 k3 p1", "conv 1 k3 p1", None),
            (
                "conv 1 k1 p1;relu;conv 1 k3",
                "",
                Some(format!(
                    "encoder.0: {own} first and last row and first and last column, which are the same for every image"
                )),
            ),
            (
                "maxpool 2",
                "convt 1 k2 s2 op1",
                Some(format!(
                    "decoder.0: {own} last row and last column, which are the same for every image"
                )),
            ),
            (
                "maxpool 2",
                "convt 1 k2 s2 op1x0;pad 0x0+1",
                Some(format!("decoder.0: {own} last row, which is the same for every image")),
            ),
            (
                "maxpool 2",
                "convt 1 k2 s2;relu;pad 0+1;sigmoid",
                Some(
                    "decoder.2: a constant border: its zeros remain to the end, where the outermost last row and last column are the same for every image"
                        .to_owned(),
                ),
            ),
            (
                "pad 3",
                "relu;conv 1 k3",
                Some(
                    "decoder.1: a constant border: its first and last row and first and last column are computed of the zeros of encoder.0 alone, the same for every image"
                        .to_owned(),
                ),
            ),
            ("pad 2;conv 1 k5", "conv 1 k1", None),
            ("maxpool 2", "upsample 2;pad 0+1;conv 1 k3 p1", None),
            ("maxpool 2", "unpool;conv 1 k3 p1", None),
            ("{ concat = [[], [\"maxpool 2\", \"upsample 2\", \"pad 0+1\"]] }", "conv 1 k1", None),
        ] {
            let found = warnings(encoder, decoder);
            assert_eq!(found.first().cloned(), wanted, "{encoder} | {decoder}: {found:?}");
        }
    }

    #[test]
    fn built_in_networks_have_none() {
        for entry in builtin::ALL {
            let inference = infer(&entry.project().unwrap().network);
            assert_eq!(constant_borders(&inference), [], "{}", entry.name);
            assert_eq!(unreached_output(&inference), [], "{}", entry.name);
        }
    }
}
