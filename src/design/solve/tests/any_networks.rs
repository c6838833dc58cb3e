//! Random networks of any kind: blocks inside of blocks, skips that do not meet, every layer that changes a size, one to
//! three axes, locks. What is listed as a solution is one, and what is said to be searched in vain holds none.

use super::single_edits::{Random, one_edit_away, order, told};
use super::*;
use crate::constant_borders::unreached_output;
use std::time::{Duration, Instant};
use strata_core::project::Stack;
use strata_core::shape::propagate::works;

const LAYERS: [&str; 24] = [
    "conv 2 k3 s2 p1",
    "conv 2 k3",
    "conv 2 k3 p1",
    "conv 2 k2 s2 same",
    "conv 2 k3 d2",
    "conv 2 k5 s3 p1",
    "conv 2 k4 s2 p1",
    "dwconv k3 s2 p1",
    "sepconv 2 k3 p1",
    "maxpool 2",
    "maxpool 3 s2 p1",
    "maxpool 2 same",
    "avgpool 2",
    "adaptive-avgpool 5",
    "convt 2 k2 s2",
    "convt 2 k3 s2 p1",
    "convt 2 k3 s2 p1 op1",
    "convt 2 k2 s2 d2",
    "convt 2 k5 s3 p1",
    "upsample 2",
    "relu",
    "bn",
    "pad 1+0",
    "crop 1+0",
];

/// A level of a U-Net: down, what is inside, up, beside a skip that may be cut.
fn level(random: &mut Random, depth: u64) -> String {
    let down = random.pick(&[
        "maxpool 2",
        "conv 2 k3 s2 p1",
        "conv 2 k2 s2",
        "maxpool 3 s2",
    ]);
    let up = random.pick(&[
        "convt 2 k2 s2",
        "convt 2 k3 s2 p1",
        "upsample 2",
        "convt 2 k4 s2 p1",
    ]);
    let inside = match depth {
        0 => "\"conv 2 k3 p1\"".to_owned(),
        _ => format!("\"conv 2 k3\", {}", level(random, depth - 1)),
    };
    let skip = random.pick(&["", "", "\"crop 1\"", "\"conv 2 k3\""]);
    format!("{{ concat = [[{skip}], [\"{down}\", {inside}, \"{up}\"]] }}")
}

fn node(random: &mut Random, depth: u64) -> String {
    let layers = |random: &mut Random, most: u64| {
        let nodes = 1 + random.below(most);
        let nodes: Vec<String> = (0..nodes)
            .map(|_| match node(random, depth.saturating_sub(1)) {
                block if block.starts_with('{') => block,
                layer => format!("\"{layer}\""),
            })
            .collect();
        nodes.join(", ")
    };
    match random.below(if depth == 0 { 8 } else { 11 }) {
        8 => level(random, depth - 1),
        9 => {
            let kind = random.pick(&["add", "concat"]);
            let first = if random.below(2) == 0 {
                String::new()
            } else {
                layers(random, 2)
            };
            format!("{{ {kind} = [[{first}], [{}]] }}", layers(random, 2))
        }
        10 => format!("{{ repeat = 2, layers = [{}] }}", layers(random, 2)),
        _ => random.pick(&LAYERS).to_owned(),
    }
}

/// A random network whose output differs from the input, or that has an error.
fn mismatched(random: &mut Random) -> Network {
    loop {
        let rank = 1 + random.below(3);
        let most = [30, 24, 8][rank as usize - 1];
        let sides: Vec<String> = (0..rank)
            .map(|_| (5 + random.below(most)).to_string())
            .collect();
        let input = format!("2x{}", sides.join("x"));
        let stack = |random: &mut Random, least: u64| -> Vec<String> {
            let nodes = least + random.below(3);
            (0..nodes).map(|_| node(random, 3)).collect()
        };
        let [encoder, decoder] = [stack(random, 0), stack(random, 1)];
        let texts = |texts: &'_ [String]| texts.join(";");
        let (encoder, decoder) = (texts(&encoder), texts(&decoder));
        let decoder = [decoder, "conv 2 k3 p1".to_owned()].join(";");
        let network = networks::network(&input, &split(&encoder), &split(&decoder), &[]);
        if !works(&network, &network.input) {
            return network;
        }
    }
}

/// Nothing, a stack, or a node of the decoder.
fn locks(random: &mut Random, network: &Network) -> Vec<Target> {
    let index = random.below(network.decoder.len() as u64) as usize;
    match random.below(6) {
        0 => vec![Target::Stack(Stack::Encoder)],
        1 => vec![Target::Stack(Stack::Decoder)],
        2 => vec![Target::Node(Place::new(Stack::Decoder, index))],
        _ => Vec::new(),
    }
}

fn assert_solves(solution: &Solution, before: &Network, locked: &[Target]) {
    let (after, inference) = (&solution.network, infer(&solution.network));
    assert_eq!(inference.output_equals_input, Some(true));
    assert_eq!((&after.input, &after.head), (&before.input, &before.head));
    assert_eq!(solution.unreached, unreached_output(&inference));
    assert!(solution.edits > 0 && !solution.changes.is_empty());
    for lock in locked {
        match lock {
            Target::Stack(stack) => assert_eq!(after.stack(*stack), before.stack(*stack)),
            // A layer before it that does nothing any more is taken away: it may stand elsewhere.
            Target::Node(place) => {
                let node = before.node(place).unwrap();
                assert!(after.stack(place.stack).contains(node));
            }
        }
    }
}

fn compare(seeds: std::ops::Range<u64>) {
    let (mut solutions, mut none, mut times) = (0, 0, Vec::<Duration>::new());
    for seed in seeds {
        let mut random = Random(seed);
        let network = mismatched(&mut random);
        let locked = locks(&mut random, &network);
        let start = Instant::now();
        let solved = solve(&network, &locked, Aim::OutputEqualsInput);
        times.push(start.elapsed());
        let shown = || format!("{seed}: {network:?}\n{locked:?}\n{solved:#?}");
        let sound = std::panic::catch_unwind(|| {
            let each = solved.solutions.iter();
            each.for_each(|solution| assert_solves(solution, &network, &locked));
        });
        assert!(sound.is_ok(), "{}", shown());
        assert!(solved.solutions.is_sorted_by_key(order), "{}", shown());
        solutions += solved.solutions.len();
        if !solved.solutions.is_empty() {
            continue;
        }
        none += 1;
        let claims = ["No 3 edits or fewer", "Every single edit was tried"];
        if locked.is_empty() && claims.iter().any(|claim| solved.message.contains(claim)) {
            let single = one_edit_away(&network);
            let meets = |(changed, _): &&(Network, String)| works(changed, &changed.input);
            let found = single.iter().find(meets).map(|(_, what)| what);
            assert_eq!(found, None, "{}", shown());
        }
    }
    println!(
        "{solutions} solutions, {none} networks without; {}",
        told(times)
    );
    assert!(solutions > 0);
}

#[test]
fn what_is_listed_solves_networks_of_any_kind() {
    compare(0..40);
}

#[test]
#[ignore = "takes minutes"]
fn long_what_is_listed_solves_networks_of_any_kind() {
    compare(1_000..4_000);
}
