//! Brute force: whatever one edit can do, solve finds, and a clean one comes first.

use super::super::attribute::{Attribute, Value, attributes, write};
use super::*;
use crate::constant_borders::unreached_output;
use std::time::{Duration, Instant};
use strata_core::project::layer::{Kind, Layer};
use strata_core::shape::propagate::works;

/// A stream of random numbers that needs no crate.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }

    pub(super) fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len() as u64) as usize]
    }
}

pub(super) const DOWN: [&str; 12] = [
    "conv 2 k3 s2 p1",
    "conv 2 k3",
    "conv 2 k5 s3 p1",
    "maxpool 2",
    "maxpool 3 s2 p1",
    "avgpool 2",
    "conv 2 k4 s2",
    "conv 2 k3 d2",
    "conv 2 k2 s2 same",
    "crop 1+0",
    "maxpool 2 same",
    "{ concat = [[], [\"maxpool 2\", \"upsample 2\"]] }",
];
pub(super) const UP: [&str; 12] = [
    "convt 2 k3 s2 p1",
    "convt 2 k2 s2",
    "convt 2 k3 s2",
    "upsample 2",
    "upsample 2 bilinear",
    "conv 2 k3 p1",
    "convt 2 k5 s3 p1",
    "convt 2 k4 s2 p1",
    "convt 2 k3",
    "convt 2 k2 s2 d2",
    "pad 1+0",
    "{ add = [[], [\"maxpool 2\", \"convt 2 k2 s2\"]] }",
];

/// A random network whose output differs from the input, or that has an error.
fn mismatched(random: &mut Random) -> Network {
    loop {
        let side = 7 + random.below(34);
        let other = if random.below(3) == 0 {
            7 + random.below(34)
        } else {
            side
        };
        let input = match random.below(3) {
            0 => format!("2x{side}"),
            _ => format!("2x{side}x{other}"),
        };
        let levels = 1 + random.below(3);
        let encoder: Vec<&str> = (0..levels).map(|_| random.pick(&DOWN)).collect();
        let mut decoder: Vec<&str> = (0..levels).map(|_| random.pick(&UP)).collect();
        decoder.push("conv 2 k3 p1");
        let network = networks::network(&input, &encoder, &decoder, &[]);
        if !works(&network, &network.input) {
            return network;
        }
    }
}

fn places(nodes: &[Node], above: &Place, found: &mut Vec<Place>) {
    for (index, node) in nodes.iter().enumerate() {
        let place = above.child(&[index]);
        found.push(place.clone());
        for (branch, nodes) in node.branches().iter().enumerate() {
            places(nodes, &place.child(&[branch]), found);
        }
    }
    found.push(above.child(&[nodes.len()]));
}

fn values(attribute: Attribute) -> Vec<Value> {
    let upto = |least: u32, most: u32| (least..=most).map(Value::Size);
    match attribute {
        Attribute::OutputPadding => upto(0, 5).collect(),
        Attribute::Padding => upto(0, 6).chain([Value::Same]).collect(),
        Attribute::Kernel => upto(1, 9).collect(),
        Attribute::Stride => upto(1, 5).collect(),
        Attribute::Dilation => vec![Value::Size(1)],
        Attribute::Factor => upto(1, 8).collect(),
        Attribute::Margin => upto(0, 12).collect(),
        Attribute::Output => upto(1, 16).collect(),
    }
}

/// Every network that is one edit away.
pub(super) fn one_edit_away(network: &Network) -> Vec<(Network, String)> {
    let rank = network.input.rank();
    let mut all = Vec::new();
    let mut found = Vec::new();
    for stack in [Stack::Encoder, Stack::Decoder] {
        let path = Vec::new();
        places(network.stack(stack), &Place { stack, path }, &mut found);
    }
    for place in &found {
        for text in [
            "pad 0+1", "crop 0+1", "pad 1", "crop 1", "pad 1+2", "crop 2",
        ] {
            let mut changed = network.clone();
            let (list, index) = changed.siblings_mut(place).unwrap();
            list.insert(index, Node::from_text(text));
            all.push((changed, format!("insert {text} at {place}")));
        }
        let Some(Node::Layer(layer)) = network.node(place).cloned() else {
            continue;
        };
        for &attribute in attributes(&layer.kind) {
            for value in values(attribute) {
                let mut kind: Kind = layer.kind.clone();
                let name = layer.name.clone();
                let written = write(&mut kind, rank, attribute, &vec![Some(value); rank]);
                if written.is_none() || kind == layer.kind {
                    continue;
                }
                let mut changed = network.clone();
                let layer = Layer { kind, name };
                let what = format!("write {layer} at {place}");
                *changed.node_mut(place).unwrap() = Node::Layer(layer);
                all.push((changed, what));
            }
        }
    }
    all
}

/// Whether a window leaves input between its positions unread.
fn skips_cells(network: &Network, before: &Network) -> bool {
    let draft = |network: &Network| {
        let mut found = Vec::new();
        for stack in [Stack::Encoder, Stack::Decoder] {
            let path = Vec::new();
            places(network.stack(stack), &Place { stack, path }, &mut found);
        }
        let skips = |place: &Place| matches!(network.node(place), Some(Node::Layer(layer)) if super::super::draft::skips(&layer.kind));
        found.iter().filter(|place| skips(place)).count()
    };
    draft(network) > draft(before)
}

/// What solutions are sorted by first: whether the output has constant rows, whether cells are skipped, the edits.
pub(super) fn order(solution: &Solution) -> (bool, bool, u32) {
    let skips = solution.note.contains("skips cells");
    (!solution.unreached.is_empty(), skips, solution.edits)
}

/// The median and the longest of some times.
pub(super) fn told(mut times: Vec<Duration>) -> String {
    times.sort();
    let (median, longest) = (times.get(times.len() / 2), times.last());
    format!(
        "median {:?}, longest {:?}",
        median.unwrap(),
        longest.unwrap()
    )
}

fn compare(seeds: std::ops::Range<u64>) {
    let (mut with, mut clean_ones, mut times) = (0, 0, Vec::new());
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let network = mismatched(&mut Random(seed));
        let exact: Vec<(Network, String)> = one_edit_away(&network)
            .into_iter()
            .filter(|(changed, _)| works(changed, &changed.input))
            .collect();
        let start = Instant::now();
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        times.push(start.elapsed());
        let sentences =
            || -> Vec<String> { solved.solutions.iter().map(Solution::sentence).collect() };
        for solution in &solved.solutions {
            let inference = infer(&solution.network);
            let sentence = solution.sentence();
            assert_eq!(
                inference.output_equals_input,
                Some(true),
                "{seed}: {sentence}"
            );
            assert_eq!(
                solution.unreached,
                unreached_output(&inference),
                "{seed}: {sentence}"
            );
        }
        let is_sorted = solved.solutions.is_sorted_by_key(order);
        assert!(is_sorted, "{seed}: {:#?}", sentences());
        let Some((_, what)) = exact.first() else {
            continue;
        };
        with += 1;
        let single = solved.solutions.iter().any(|solution| solution.edits == 1);
        assert!(single, "{seed}: {what}\n{network:?}\n{:#?}", sentences());
        let is_clean = |(changed, _): &&(Network, String)| {
            unreached_output(&infer(changed)).is_empty() && !skips_cells(changed, &network)
        };
        let clean = exact.iter().find(is_clean);
        if let Some((_, what)) = clean {
            clean_ones += 1;
            let first = &solved.solutions[0];
            let right = first.edits == 1 && first.unreached.is_empty();
            assert!(right, "{seed}: {what}\n{network:?}\n{:#?}", sentences());
        }
    }
    println!(
        "{with} of {count} have a single edit, {clean_ones} a clean one; all found; {}",
        told(times)
    );
    assert!(clean_ones * 4 > count, "{clean_ones} of {count}");
}

/// Margins at both ends of layers that keep the size make the same sizes, but behind them a border stays constant.
#[test]
fn a_margin_goes_before_layers_that_keep_the_size() {
    let decoder = ["convt 2 k2 s2 d2", "conv 2 k3 p1", "conv 2 k3 p1"];
    let encoder = ["conv 2 k3 d2", "maxpool 2 same"];
    let network = networks::network("2x34x24", &encoder, &decoder, &[]);
    let solved = solve(&network, &[], Aim::OutputEqualsInput);
    let first = &solved.solutions[0];
    assert_eq!(first.sentence(), "insert `pad 1+2` at decoder.1");
    assert!(first.unreached.is_empty() && first.edits == 1);
    // Behind them it is a solution as well, and marked.
    let marked = |solution: &&Solution| solution.sentence() == "insert `pad 1+2` at decoder.3";
    let marked = solved.solutions.iter().find(marked).unwrap();
    assert!(marked.note.contains("constant border"), "{}", marked.note);
}

/// The end of the encoder and the start of the decoder are one place for sizes, and two for locks.
#[test]
fn a_locked_encoder_leaves_the_start_of_the_decoder() {
    let network = networks::network("1x8x8", &["conv 2 k3 s2"], &["convt 1 k2 s2"], &[]);
    let locked = [Target::Stack(Stack::Encoder)];
    let solved = solve(&network, &locked, Aim::OutputEqualsInput);
    let sentences: Vec<String> = solved.solutions.iter().map(Solution::sentence).collect();
    let margin = "insert `pad 0+1` at decoder.0";
    assert!(
        sentences.iter().any(|text| text == margin),
        "{sentences:#?}"
    );
}

#[test]
fn a_single_edit_is_found_where_there_is_one() {
    compare(0..120);
}

#[test]
#[ignore = "takes a minute"]
fn long_a_single_edit_is_found_where_there_is_one() {
    compare(0..2_000);
}
