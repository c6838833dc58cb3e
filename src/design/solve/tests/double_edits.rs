//! Brute force: what a message says was searched in vain holds nothing, and fewer edits come first.

use super::single_edits::{DOWN, Random, UP, one_edit_away, told};
use super::*;
use std::time::{Duration, Instant};
use strata_core::shape::propagate::works;

/// A small random network of plain layers whose output differs from the input.
fn mismatched(random: &mut Random) -> Network {
    let plain = |texts: &[&'static str]| -> Vec<&'static str> {
        let is_plain = |text: &&&str| !text.starts_with('{') && !text.contains("bilinear");
        texts.iter().filter(is_plain).copied().collect()
    };
    let (down, up) = (plain(&DOWN), plain(&UP));
    loop {
        let input = format!("2x{}", 3 + random.below(12));
        let encoder: Vec<&str> = (0..1 + random.below(2))
            .map(|_| random.pick(&down))
            .collect();
        let decoder: Vec<&str> = (0..1 + random.below(2)).map(|_| random.pick(&up)).collect();
        let network = networks::network(&input, &encoder, &decoder, &[]);
        if !works(&network, &network.input) {
            return network;
        }
    }
}

/// What was found by trying: nothing, or the fewest edits with an example.
fn fewest(network: &Network) -> Option<(u32, String)> {
    let meets = |(changed, _): &&(Network, String)| works(changed, &changed.input);
    let single = one_edit_away(network);
    if let Some((_, what)) = single.iter().find(meets) {
        return Some((1, what.clone()));
    }
    single.iter().find_map(|(changed, first)| {
        let double = one_edit_away(changed);
        let (_, second) = double.iter().find(meets)?;
        Some((2, format!("{first}, {second}")))
    })
}

fn compare(seeds: std::ops::Range<u64>) {
    let (mut none, mut by_edits, mut times) = (0, [0; 5], Vec::<Duration>::new());
    for seed in seeds {
        let network = mismatched(&mut Random(seed));
        let start = Instant::now();
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        times.push(start.elapsed());
        let edits = solved.solutions.iter().map(|solution| solution.edits).min();
        by_edits[edits.unwrap_or(0).min(4) as usize] += 1;
        let claims_none = solved.message.starts_with("No 3 edits or fewer");
        assert!(
            edits.is_some() || solved.message.starts_with("No "),
            "{seed}: {}",
            solved.message
        );
        none += u32::from(claims_none);
        if edits == Some(1) || edits.is_none() && !claims_none {
            continue;
        }
        match fewest(&network) {
            None => {}
            Some((fewer, what)) => {
                let found = edits.is_some_and(|edits| edits <= fewer);
                assert!(
                    found,
                    "{seed}: {fewer} are enough: {what}\n{network:?}\n{}",
                    solved.message
                );
            }
        }
    }
    println!(
        "{none} without a solution; fewest edits (none, 1, 2, 3, more): {by_edits:?}; {}",
        told(times)
    );
}

#[test]
fn no_fewer_edits_are_enough() {
    compare(0..12);
}

#[test]
#[ignore = "takes minutes"]
fn long_no_fewer_edits_are_enough() {
    compare(0..466);
}
