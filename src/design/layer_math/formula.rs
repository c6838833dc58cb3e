//! Formulas with a layer's own numbers.

#![deny(clippy::wildcard_enum_match_arm)]

use super::slide::Slide;
use strata_core::format;
use strata_core::project::layer::Kind;
use strata_core::project::size::{Padding, Shape};
use strata_core::shape::layers::Reads;
use strata_core::shape::layers::count::{Count, Notation};
use strata_core::shape::op::Op;

/// A formula in steps that are equal: symbols, numbers, result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// The quantity: `height, width`, `parameters`.
    pub of: String,
    /// What is written between equals signs; the first has the symbols, the last is the result.
    pub chain: Vec<String>,
}

impl Formula {
    fn new<const N: usize>(of: impl Into<String>, chain: [String; N]) -> Formula {
        Formula {
            of: of.into(),
            chain: chain.into(),
        }
    }

    /// The whole chain: `⌈N/s⌉ = ⌈32/2⌉ = 16`.
    pub fn text(&self) -> String {
        self.chain.join(" = ")
    }
}

/// The names of the axes of an input of this rank.
pub fn axis_names(rank: usize) -> &'static [&'static str] {
    match rank {
        1 => &["length"],
        2 => &["height", "width"],
        3 => &["depth", "height", "width"],
        _ => &[],
    }
}

/// All formulas of a layer: its output's sizes first, then what it computes, then its parameters.
pub fn formulas(kind: &Kind, op: &Op, input: &Shape, output: &Shape) -> Vec<Formula> {
    let mut all = sizes(kind, op, input, output);
    if let Some((of, chain)) = op.ask(|layer| layer.output_formula(input, output)) {
        let of = of.to_owned();
        all.push(Formula { of, chain });
    }
    let computed = op.ask(|layer| layer.computed(input));
    all.extend(computed.map(|text| Formula::new("each value", [text])));
    all.extend(parameters(op, input));
    all
}

fn sizes(kind: &Kind, op: &Op, input: &Shape, output: &Shape) -> Vec<Formula> {
    let by_axis = |chain: &dyn Fn(usize) -> Vec<String>| merged(input.rank(), chain);
    let from = input.volume();
    let to = output.volume();
    match op.reads() {
        Reads::Window(geometry, _) => {
            by_axis(&|axis| slid(&Slide::of(&geometry, axis), is_same(kind)))
        }
        Reads::Spread(geometry) => {
            by_axis(&|axis| spread(&Slide::of(&geometry, axis), is_same(kind)))
        }
        Reads::Unpooled(geometry) => by_axis(&|axis| {
            vec![
                "the size before the max pooling that it undoes".into(),
                geometry.input[axis].to_string(),
            ]
        }),
        Reads::Enlarged { factor, .. } => by_axis(&|axis| {
            let (n, f) = (from[axis], factor[axis]);
            vec!["f·N".into(), format!("{f}·{n}"), to[axis].to_string()]
        }),
        Reads::Adaptive { input, output } => by_axis(&|axis| {
            let (n, m) = (input[axis], output[axis]);
            vec![
                format!("M, as written; window i is ⌊i·N/M⌋ … ⌈(i + 1)·N/M⌉ − 1 with N = {n}"),
                m.to_string(),
            ]
        }),
        Reads::Padded { before, after } => {
            by_axis(&|axis| sides(from[axis], before[axis], after[axis], '+'))
        }
        Reads::Cropped { before, after } => {
            by_axis(&|axis| sides(from[axis], before[axis], after[axis], '−'))
        }
        // The shape stays, or is what is written.
        Reads::Own | Reads::OwnAndStatistics | Reads::All => Vec::new(),
    }
}

fn is_same(kind: &Kind) -> bool {
    kind.window()
        .is_some_and(|window| window.padding == Some(Padding::Same))
}

/// One formula for all axes where they are alike, else one for each.
fn merged(rank: usize, chain: &dyn Fn(usize) -> Vec<String>) -> Vec<Formula> {
    let mut all: Vec<Formula> = Vec::new();
    for (axis, name) in (3 - rank.min(3)..3).zip(axis_names(rank)) {
        let chain = chain(axis);
        match all.last_mut().filter(|last| last.chain == chain) {
            Some(last) => last.of += &format!(", {name}"),
            None => all.push(Formula {
                of: (*name).to_owned(),
                chain,
            }),
        }
    }
    all
}

/// `⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1`, and TensorFlow's rule for `same`.
fn slid(slide: &Slide, same: bool) -> Vec<String> {
    let Slide {
        input: n,
        output,
        kernel: k,
        stride: s,
        dilation: d,
        before: p,
    } = *slide;
    if same {
        return vec!["⌈N/s⌉".into(), format!("⌈{n}/{s}⌉"), output.to_string()];
    }
    let room = (n + 2 * p).saturating_sub(slide.span());
    vec![
        "⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1".into(),
        format!("⌊({n} + 2·{p} − {d}·({k} − 1) − 1)/{s}⌋ + 1"),
        format!("⌊{room}/{s}⌋ + 1"),
        output.to_string(),
    ]
}

/// `(N − 1)s − 2p + d(k − 1) + op + 1`; `same` gives N·s.
fn spread(slide: &Slide, same: bool) -> Vec<String> {
    let Slide {
        input: out,
        output: n,
        kernel: k,
        stride: s,
        dilation: d,
        before: p,
    } = *slide;
    if same {
        return vec!["N·s".into(), format!("{n}·{s}"), out.to_string()];
    }
    let op = (out + 2 * p).saturating_sub((n - 1) * s + slide.span());
    vec![
        "(N − 1)s − 2p + d(k − 1) + op + 1".into(),
        format!("({n} − 1)·{s} − 2·{p} + {d}·({k} − 1) + {op} + 1"),
        out.to_string(),
    ]
}

fn sides(n: usize, before: usize, after: usize, sign: char) -> Vec<String> {
    let out = if sign == '+' {
        n + before + after
    } else {
        n.saturating_sub(before + after)
    };
    vec![
        format!("N {sign} before {sign} after"),
        format!("{n} {sign} {before} {sign} {after}"),
        out.to_string(),
    ]
}

/// The parameters, counted as PyTorch does.
fn parameters(op: &Op, input: &Shape) -> Option<Formula> {
    let count = op.count();
    let [symbols, numbers] =
        [Notation::Symbols, Notation::Numbers].map(|notation| count.sum(notation, input));
    let total = format::count(count.parameters(input));
    (count != Count::NOTHING).then(|| Formula::new("parameters", [symbols, numbers, total]))
}
