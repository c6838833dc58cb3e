use super::*;
use strata_core::project::{Stack, builtin};
use strata_core::shape::Inference;
use strata_testkit::examples;
use strata_testkit::networks::{self, split};

mod any_networks;
mod double_edits;
mod single_edits;
mod skips;

fn network(input: &str, encoder: &str, decoder: &str) -> Network {
    networks::network(input, &split(encoder), &split(decoder), &[])
}

fn best_of(solved: Solved) -> String {
    solved
        .solutions
        .first()
        .map_or(solved.message, Solution::sentence)
}

fn best(input: &str, encoder: &str, decoder: &str) -> String {
    best_of(solve(
        &network(input, encoder, decoder),
        &[],
        Aim::OutputEqualsInput,
    ))
}

#[test]
fn the_least_change_is_named() {
    for (input, encoder, decoder, wanted) in [
        (
            "3x32x32",
            "conv 8 k3 s2 p1",
            "convt 3 k3 s2 p1;sigmoid",
            "write `convt 3 k3 s2 p1 op1` at decoder.0",
        ),
        (
            "3x32x32",
            "conv 8 k3 s2 p1",
            "convt 1 k4 s2 p1",
            "write `convt 3 k4 s2 p1` at decoder.0",
        ),
        (
            "3x32x32",
            "conv 8 k3 s2 p1",
            "convt 8 k4 s2 p1;conv 3 k3",
            "write `conv 3 k3 p1` at decoder.1",
        ),
        (
            "3x32x32",
            "conv 8 k3 s2 p1",
            "convt 3 k3x4 s2 p1",
            "write `convt 3 k4 s2 p1` at decoder.0",
        ),
        (
            "3x32x32",
            "conv 3 k5",
            "relu",
            "write `conv 3 k5 p2` at encoder.0",
        ),
        (
            "1x28x28",
            "maxpool 2;maxpool 2",
            "upsample 2;conv 1 k3;upsample 2",
            "write `conv 1 k3 p1` at decoder.1",
        ),
        (
            "1x15x15",
            "maxpool 2",
            "upsample 2",
            "write `maxpool 3` at encoder.0 and write `upsample 3` at decoder.0",
        ),
        (
            "1x100",
            "conv 4 k5 s3",
            "convt 1 k5 s3",
            "write `convt 1 k7 s3` at decoder.0",
        ),
        (
            "3x32x32",
            "conv 8 k3 s2 p1;upsample 2",
            "crop 1",
            "write `conv 3 k3 s2 p2` at encoder.0",
        ),
    ] {
        assert_eq!(best(input, encoder, decoder), wanted);
    }
}

#[test]
fn vectors_become_images_again() {
    let to_code = "conv 8 k3 s2 p1;flatten;dense 64";
    for (decoder, wanted) in [
        (
            "dense 2048;reshape 8x15x15;convt 3 k4 s2 p1",
            "write `reshape 8x16x16` at decoder.1",
        ),
        (
            "dense 2000;reshape 8x16x16;convt 3 k4 s2 p1",
            "write `dense 2048` at decoder.0",
        ),
        (
            "convt 3 k4 s2 p1",
            "insert `dense 2048` at decoder.0 and insert `reshape 8x16x16` at decoder.1",
        ),
        (
            "flatten",
            "insert `dense 3072` at decoder.1 and insert `reshape 3x32x32` at decoder.2",
        ),
    ] {
        assert_eq!(best("3x32x32", to_code, decoder), wanted);
    }
}

/// Every level of these U-Nets loses another row.
#[test]
fn levels_inside_of_each_other_are_mended() {
    let level =
        |inner: &str| format!("{{ concat = [[], [\"maxpool 2\", {inner}\"convt 4 k2 s2\"]] }}");
    let unet = level(&format!("{}, ", level(&format!("{}, ", level("")))));
    let decoder = format!("{unet};conv 1 k1");
    let mend = |place: &str, op: &str| format!("write `convt 4 k2 s2 {op}` at decoder.{place}");
    let (outer, middle, inner) = ("0.1.2", "0.1.1.1.2", "0.1.1.1.1.1.1");
    assert_eq!(
        best("1x32x32", "", &decoder),
        "The output equals the input already."
    );
    // Two edits around the network come before three inside of it.
    let three = |input: &str| {
        let network = network(input, "", &decoder);
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        let is_sorted = solved.solutions.is_sorted_by_key(single_edits::order);
        assert!(is_sorted && solved.solutions[0].edits == 2, "{solved:#?}");
        let three = solved.solutions.iter().find(|found| found.edits == 3);
        three.unwrap().sentence()
    };
    let each_level = [
        mend(inner, "op1x0"),
        mend(middle, "op0x1"),
        mend(outer, "op1x0"),
    ];
    assert_eq!(three("1x37x50"), each_level.join(" and "));
    assert!(three("1x31x31").contains(&mend(outer, "op1")));
}

#[test]
fn one_change_of_many_layers_is_found_too() {
    let four = ["conv 8 k3 s2 p1"; 4].join(";");
    let back = [
        "convt 8 k3 s2 p1",
        "convt 8 k3 s2 p1",
        "convt 8 k3 s2 p1",
        "convt 3 k3 s2 p1",
    ]
    .join(";");
    let solved = solve(
        &network("3x64x64", &four, &back),
        &[],
        Aim::OutputEqualsInput,
    );
    let all_four = |solution: &&Solution| {
        solution.edits == 4
            && solution
                .changes
                .iter()
                .all(|change| change.to.as_ref().unwrap().text().ends_with("op1"))
    };
    assert!(solved.solutions.iter().any(|solution| all_four(&solution)));
}

#[test]
fn locked_layers_stay() {
    let network = network(
        "3x32x32",
        "conv 8 k3 s2 p1",
        "convt 8 k3 s2 p1;conv 3 k3 p1",
    );
    let sentence = |locked: &[&str]| {
        let locked: Vec<Target> = locked.iter().map(|name| name.parse().unwrap()).collect();
        let solved = solve(&network, &locked, Aim::OutputEqualsInput);
        (
            solved
                .solutions
                .iter()
                .map(Solution::sentence)
                .collect::<Vec<_>>()
                .join("; "),
            solved.message,
        )
    };
    assert!(sentence(&[]).0.contains("decoder.0"));
    assert!(!sentence(&["decoder.0"]).0.contains("at decoder.0"));
    let (none, message) = sentence(&["encoder", "decoder"]);
    assert_eq!(none, "");
    assert!(
        message.starts_with(
            "No 3 edits or fewer make the output equal the input: tried were kernels up to 9"
        ),
        "{message}"
    );
}

#[test]
fn what_cannot_be_solved_is_said() {
    assert_eq!(
        best("3x32x32", "conv 8", ""),
        "There is no decoder to change: mirror the encoder to make one."
    );
    assert_eq!(
        best("3x32x32", "cnov 8", "relu"),
        "encoder.0 cannot be read: mend its text first."
    );
    let hostile =
        "convt 1073741824 k1073741824 s1073741824;unpool @a;{ repeat = 4000000000, layers = [] }";
    let _ = best("1073741824x1073741824x1073741824", hostile, hostile);
}

#[test]
fn other_aims_are_met_and_the_sizes_stay_equal() {
    let deep = network(
        "3x32x32",
        "conv 8 k3 s2 p1;relu;conv 16 k3 s2 p1",
        "convt 8 k4 s2 p1;relu;convt 3 k4 s2 p1",
    );
    for (aim, wanted) in [
        (Aim::CodeAtMost(64), "write `conv 1 k3 s2 p1` at encoder.2"),
        (
            Aim::CodeAtMost(5000),
            "Met already: the code holds 1,024 numbers.",
        ),
        (
            Aim::ParametersAtMost(2000),
            "write `convt 1 k4 s2 p1` at decoder.0",
        ),
    ] {
        assert_eq!(best_of(solve(&deep, &[], aim)), wanted);
    }
    let met = |inference: &Inference, aim: Aim| match aim {
        Aim::CodeAtMost(most) => inference.code.as_ref().unwrap().elements() <= most,
        Aim::ParametersAtMost(most) => inference.totals.parameters <= most,
        _ => inference
            .stack(Stack::Encoder)
            .last()
            .unwrap()
            .receptive_field
            .iter()
            .flatten()
            .all(|size| *size >= 32),
    };
    let builtins = ["deep-autoencoder", "keras-cifar", "conv-autoencoder"].map(|name| {
        let project = builtin::find(name).unwrap().project().unwrap();
        (name, project.network)
    });
    for (name, network) in builtins
        .into_iter()
        .chain([("two levels", examples::two_levels())])
    {
        for aim in [
            Aim::CodeAtMost(64),
            Aim::ParametersAtMost(9_000),
            Aim::ReceptiveFieldCovers,
        ] {
            let solved = solve(&network, &[], aim);
            assert!(
                !solved.solutions.is_empty() || solved.message.starts_with("Met"),
                "{name} {aim:?}: {}",
                solved.message
            );
            for solution in &solved.solutions {
                let inference = infer(&solution.network);
                assert!(
                    inference.errors().next().is_none() && met(&inference, aim),
                    "{name}: {}",
                    solution.sentence()
                );
                assert_ne!(
                    inference.output_equals_input,
                    Some(false),
                    "{name}: {}",
                    solution.sentence()
                );
            }
        }
    }
}

#[test]
fn mirrors_read_as_people_write_them() {
    for (input, encoder, wanted) in [
        (
            "3x32x32",
            "conv 8 k3 s2 p1;relu;conv 16 k3 s2 p1;relu",
            "convt 8 k3 s2 p1 op1;relu;convt 3 k3 s2 p1 op1",
        ),
        (
            "1x28x28",
            "conv 6 k5;relu;maxpool 2;flatten;dense 10",
            "dense 864;relu;reshape 6x12x12;unpool;convt 1 k5",
        ),
        (
            "3x15x9",
            "conv 4 k3 p1;bn;relu;avgpool 2",
            "upsample 2;pad 0+1x0+1;convt 3 k3 p1",
        ),
        (
            "2x16",
            "dwconv k3 p1 m2;gap",
            "reshape 4x1;upsample 16;convt 2 k3 p1 g2",
        ),
        (
            "3x8x8",
            "conv 8 k3 p1;prelu channels;conv 4 k3 p1;prelu",
            "convt 8 k3 p1;prelu channels;convt 3 k3 p1",
        ),
    ] {
        let mirrored = mirror(&network(input, encoder, ""), &[]).unwrap();
        let texts: Vec<String> = mirrored.network.decoder.iter().map(Node::text).collect();
        assert_eq!(texts.join(";"), wanted);
    }
    let kept = mirror(&network("3x32x32", "conv 8 k3 s2 p1", "relu;tanh"), &[]).unwrap();
    assert_eq!(kept.network.decoder.last().unwrap().text(), "tanh");
    let error = mirror(&network("3x32x32", "dense 8", ""), &[]).unwrap_err();
    assert!(
        error.message.starts_with("encoder.0: "),
        "{}",
        error.message
    );
}

#[test]
fn thirty_layers_are_searched() {
    let down = ["conv 8 k3 p1;relu;bn;conv 16 k3 s2 p1;relu"; 3].join(";");
    let up = ["convt 16 k3 s2 p1;relu;bn;conv 8 k3 p1;relu"; 3].join(";") + ";conv 3 k3 p1";
    let network = network("3x37x50", &down, &up);
    assert_eq!(network.encoder.len() + network.decoder.len(), 31);
    let solved = solve(&network, &[], Aim::OutputEqualsInput);
    let sentences: Vec<String> = solved.solutions.iter().map(Solution::sentence).collect();
    let single = "write `convt 16 k7x4 s2 p1` at decoder.10";
    let small = "write `convt 16 k3 s2 p1 op1x0` at decoder.0 and write `convt 16 k3 s2 p1 op0x1` at decoder.10";
    assert_eq!(sentences[0], single);
    let first_of_two = solved
        .solutions
        .iter()
        .position(|solution| solution.edits == 2);
    assert_eq!(
        first_of_two.map(|at| sentences[at].as_str()),
        Some(small),
        "{sentences:#?}"
    );
}
