//! Skip connections: U-Nets of any depth and size, reported ones and generated ones.

use super::*;
use crate::constant_borders::unreached_output;
use std::time::{Duration, Instant};

/// How a generated U-Net scales and whether its convolutions are padded.
#[derive(Clone, Copy, Debug)]
struct Style {
    down: &'static str,
    up: &'static str,
    conv: &'static str,
    block: &'static str,
}

const STYLES: [Style; 6] = [
    Style {
        down: "maxpool 2",
        up: "convt C k2 s2",
        conv: "conv C k3 p1",
        block: "concat",
    },
    Style {
        down: "conv C k3 s2 p1",
        up: "convt C k3 s2 p1 op1",
        conv: "conv C same",
        block: "concat",
    },
    Style {
        down: "avgpool 2",
        up: "upsample 2",
        conv: "conv C k3 p1",
        block: "concat",
    },
    Style {
        down: "conv C k4 s2 p1",
        up: "convt C k4 s2 p1",
        conv: "conv C same",
        block: "add",
    },
    Style {
        down: "maxpool 2",
        up: "convt C k2 s2",
        conv: "conv C k3",
        block: "concat",
    },
    Style {
        down: "maxpool 3 s2 p1",
        up: "upsample 2 bilinear",
        conv: "conv C k3",
        block: "concat",
    },
];

/// A U-Net of some levels; an unpadded one crops its skip connections by `crop` positions on each side.
fn unet(style: Style, depth: usize, crop: Option<usize>) -> Vec<String> {
    let text = |text: &str| format!("\"{}\"", text.replace('C', "2"));
    let conv = text(style.conv);
    let mut inner: Vec<String> = vec![conv.clone()];
    for _ in 0..depth {
        let mut branch = vec![text(style.down)];
        branch.extend(inner);
        branch.push(text(style.up));
        let skip = crop.map_or(String::new(), |crop| format!("\"crop {crop}\""));
        let block = format!(
            "{{ {} = [[{skip}], [{}]] }}",
            style.block,
            branch.join(", ")
        );
        inner = vec![conv.clone(), block, conv.clone()];
    }
    inner
        .into_iter()
        .map(|text| text.trim_matches('"').to_owned())
        .collect()
}

fn texts(layers: &[String]) -> Vec<&str> {
    layers.iter().map(String::as_str).collect()
}

/// The U-Net in the decoder, or in the encoder before a decoder of one layer.
fn around(layers: &[String], side: usize, in_encoder: bool) -> Network {
    let input = format!("2x{side}x{side}");
    match in_encoder {
        true => networks::network(&input, &texts(layers), &["conv 2 k1"], &[]),
        false => {
            let mut layers = layers.to_vec();
            layers.push("conv 2 k1".to_owned());
            networks::network(&input, &[], &texts(&layers), &[])
        }
    }
}

fn assert_valid(solved: &Solved, what: &str) {
    for solution in &solved.solutions {
        let inference = infer(&solution.network);
        let sentence = solution.sentence();
        assert_eq!(
            inference.output_equals_input,
            Some(true),
            "{what}: {sentence}"
        );
        assert_eq!(
            solution.unreached,
            unreached_output(&inference),
            "{what}: {sentence}"
        );
    }
    let marked = |solution: &Solution| !solution.unreached.is_empty();
    let first_marked = solved.solutions.iter().position(marked);
    let last_clean = solved
        .solutions
        .iter()
        .rposition(|solution| !marked(solution));
    if let (Some(marked), Some(clean)) = (first_marked, last_clean) {
        assert!(
            clean < marked,
            "{what}: a constant border comes before a clean one"
        );
    }
}

/// Every depth, style, place and many sizes; each has a solution, and one without constant rows.
#[test]
fn u_nets_of_any_depth_and_size_are_solved() {
    let (mut solved_ones, mut slowest) = (0, Duration::ZERO);
    for (at, style) in STYLES.into_iter().enumerate() {
        let is_padded = style.conv != "conv C k3";
        for depth in 1..=5 {
            for side in [21 + at, 33, 47 + 7 * depth, 101, 214 + at, 397] {
                let layers = unet(style, depth, (!is_padded).then_some(4 * depth));
                let network = around(&layers, side, (side + depth) % 2 == 0);
                if infer(&network).output_equals_input == Some(true) {
                    continue;
                }
                let what = format!("{style:?}, {depth} levels, {side}");
                let start = Instant::now();
                let solved = solve(&network, &[], Aim::OutputEqualsInput);
                slowest = slowest.max(start.elapsed());
                assert_valid(&solved, &what);
                let best = solved.solutions.first();
                assert!(best.is_some(), "{what}: {}", solved.message);
                assert!(best.unwrap().unreached.is_empty(), "{what}");
                solved_ones += 1;
            }
        }
    }
    println!("{solved_ones} U-Nets solved, the slowest in {slowest:?}");
    assert!(solved_ones > 110, "{solved_ones}");
}

/// The reported ones get the repair that people use, among the first.
#[test]
fn usual_repairs_are_among_the_first() {
    let level = |inner: &str, channels: usize| {
        format!(
            "{{ concat = [[\"maxpool 2\", \"conv {channels} same\", {inner}\"convt {channels} k3 s2 p1 op1\", \"relu\"], []] }}"
        )
    };
    let deep = level(
        &format!("{}, ", level(&format!("{}, ", level("", 8)), 4)),
        2,
    );
    let keras = networks::network("1x358x358", &["conv 2 same", &deep], &["conv 1 k1"], &[]);
    let milesial = networks::network(
        "3x33x33",
        &[
            "conv 8 same",
            "relu",
            "{ concat = [[], [\"maxpool 2\", \"conv 16 same\", \"relu\", \"upsample 2\"]] }",
        ],
        &["conv 3 same"],
        &[],
    );
    for (network, wanted, first) in [
        (
            keras,
            "insert `pad 0+1` at encoder.1.0.2.0.2.0.4 and insert `pad 0+1` at encoder.1.0.2.0.5",
            6,
        ),
        (milesial, "insert `pad 0+1` at encoder.2.1.4", 1),
    ] {
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        assert_valid(&solved, wanted);
        let sentences: Vec<String> = solved.solutions.iter().map(Solution::sentence).collect();
        let at = sentences.iter().position(|sentence| sentence == wanted);
        assert!(at.is_some_and(|at| at < first), "{sentences:#?}");
    }
    let none = networks::network(
        "1x11",
        &[],
        &[
            "{ concat = [[], [\"maxpool 2\", { concat = [[], [\"maxpool 2\", \"conv 2 k1\", \"upsample 2\"]] }, \"upsample 2\"]] }",
            "conv 1 k1",
        ],
        &[],
    );
    let solved = solve(&none, &[], Aim::OutputEqualsInput);
    assert_valid(&solved, "11 samples");
    let sentences: Vec<String> = solved.solutions.iter().map(Solution::sentence).collect();
    let around = |sentence: &String| {
        sentence.contains("insert `pad 0+1` at") && sentence.contains("insert `crop 0+1` at")
    };
    assert!(sentences.iter().any(around), "{sentences:#?}");
}

/// Without a decoder what is wanted is that the encoder's skips and the head fit.
#[test]
fn encoders_without_a_decoder_are_solved() {
    let block = "{ concat = [[\"crop 16\"], [\"maxpool 2\", \"conv 4 k3\", \"conv 4 k3\", \"conv 4 k3\", \"upsample 2\", \"conv 4 k3\"]] }";
    let head = ["gap", "dense 10"];
    for (side, encoder, wanted) in [
        (90, block, "write `crop 7` at encoder.0.0.0"),
        (
            33,
            "{ add = [[], [\"maxpool 2\", \"upsample 2\"]] }",
            "insert `pad 0+1` at encoder.0.1.2",
        ),
    ] {
        let network = networks::network(&format!("1x{side}x{side}"), &[encoder], &[], &head);
        assert!(infer(&network).errors().next().is_some());
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        let sentences: Vec<String> = solved.solutions.iter().map(Solution::sentence).collect();
        assert!(
            sentences.iter().any(|sentence| sentence == wanted),
            "{sentences:#?}"
        );
        for solution in &solved.solutions {
            let inference = infer(&solution.network);
            assert_eq!(inference.errors().next(), None, "{}", solution.sentence());
        }
        assert_eq!(solved.solutions[0].edits, 1, "{sentences:#?}");
    }
}

/// What is locked is neither changed nor moved.
#[test]
fn locks_hold_inside_of_blocks() {
    let block = "{ concat = [[], [\"maxpool 2\", \"conv 2 same\", \"upsample 2\"]] }";
    let network = networks::network("1x33x33", &["conv 2 same", block], &["conv 1 k1"], &[]);
    let locked: Vec<Target> = vec!["encoder.1".parse().unwrap()];
    let solved = solve(&network, &locked, Aim::OutputEqualsInput);
    assert!(!solved.solutions.is_empty(), "{}", solved.message);
    for solution in &solved.solutions {
        let moved = infer(&solution.network);
        assert_eq!(moved.output_equals_input, Some(true));
        assert_eq!(solution.network.encoder.get(1), network.encoder.get(1));
    }
}
