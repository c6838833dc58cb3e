use super::*;
use crate::advice::tests::project;
use crate::{Severity, check};
use strata_core::project::edit::Edit;

/// Mends the first problem; returns the label and the project after it.
fn mended(project: &Project) -> (String, Project) {
    let problems = check(project);
    let first = problems
        .first()
        .unwrap_or_else(|| panic!("nothing to mend"));
    let fixes = mends_of(project, &problems, first);
    let fix = fixes.into_iter().next();
    let fix = fix.unwrap_or_else(|| panic!("no fix for {first:#?}"));
    let next = fix.edit.apply(project).unwrap();
    let left = check(&next);
    assert!(left.len() < problems.len(), "{left:#?}");
    (fix.label, next)
}

#[test]
fn help_becomes_an_edit() {
    let down = "conv 8 k3 s2 p1;relu";
    for (encoder, decoder, head, label) in [
        (
            "conv 8 k99;relu",
            "",
            "gap;dense 10",
            "write conv 8 k16 at encoder.0",
        ),
        (
            "cnov 8 k3;relu",
            "",
            "gap;dense 10",
            "write conv 8 k3 at encoder.0",
        ),
        (
            "conv 8 k0;relu",
            "",
            "gap;dense 10",
            "write conv 8 k3 at encoder.0",
        ),
        (
            "dropout 1.5;conv 8 k3;relu",
            "",
            "gap;dense 10",
            "write dropout 0.5 at encoder.0",
        ),
        ("conv 8 k3;relu", "", "dense 10", "insert flatten at head.0"),
        (
            "conv 8 k3;relu",
            "",
            "gap;gap;dense 10",
            "remove gap at head.1",
        ),
        (
            "flatten;conv 8 k3;relu",
            "",
            "gap;dense 10",
            "insert reshape 12x8x8 at encoder.1",
        ),
        (
            down,
            "convt 3 k3 s2 p1;tanh",
            "",
            "write convt 3 k3 s2 p1 op1 at decoder.0",
        ),
        (
            down,
            "convt 8 k4 s2 p1;tanh",
            "",
            "write convt 3 k4 s2 p1 at decoder.0",
        ),
        (down, "convt 3 k4 s2 p1;sigmoid", "", "set range to 0..1"),
    ] {
        assert_eq!(
            mended(&project("3x16x16", encoder, decoder, head)).0,
            label,
            "{encoder} {decoder} {head}"
        );
    }
}

#[test]
fn settings_are_mended() {
    let sound = || {
        project(
            "3x16x16",
            "conv 8 k3 s2 p1;relu",
            "convt 3 k4 s2 p1;tanh",
            "flatten;dense 10",
        )
    };
    let after = |change: fn(&mut Project)| {
        let mut project = sound();
        change(&mut project);
        mended(&project)
    };
    assert_eq!(
        after(|p| p.stages[0].batch = 0).0,
        "set batch to 64 in stage 1"
    );
    assert_eq!(
        after(|p| p.stages[1].epochs = 0).0,
        "set epochs to 10 in stage 2"
    );
    assert_eq!(
        after(|p| p.stages[1].split = strata_core::project::data::Split::Unlabeled).0,
        "set split to train in stage 2"
    );
    assert_eq!(
        after(|p| p.stages[1].loss = strata_core::project::stage::Loss::Mse).0,
        "set loss to cross-entropy in stage 2"
    );
    assert_eq!(
        after(|p| p.data.resize = Some([28, 28])).1.data.resize,
        Some([16, 16])
    );
    assert_eq!(after(|p| p.data.valid = Some(2.0)).1.data.valid, Some(0.1));
    assert_eq!(
        after(|p| p.locked = vec!["encoder.9".into()]).0,
        "unlock encoder.9"
    );
    let (label, next) = after(|p| p.stages[0].sparsity = Some("at=encoder.1".parse().unwrap()));
    assert_eq!(
        (label.as_str(), next.network.encoder[1].text().as_str()),
        ("write sigmoid at encoder.1", "sigmoid")
    );
    let (label, next) = after(|p| {
        p.data.source = strata_core::project::data::Source::Cifar10;
        p.network.head[1] = Node::from_text("dense 7");
    });
    assert_eq!(
        (label.as_str(), next.network.head[1].text().as_str()),
        ("end the head with dense 10", "dense 10")
    );
    let (label, next) = after(|p| p.network.head = vec![Node::from_text("conv 4 k3")]);
    assert_eq!(label, "end the head with flatten, dense 10");
    assert_eq!(next.network.head.len(), 3);
    let early = strata_core::project::stage::EarlyStop {
        metric: "loss".into(),
        patience: 2,
    };
    let mut stops = sound();
    stops.stages[0].early_stop = Some(early);
    // `use one of: …` leaves a choice: no edit.
    let problems = check(&stops);
    assert_eq!(mends_of(&stops, &problems, &problems[0]), []);
}

#[test]
fn what_does_not_help_or_is_locked_is_not_offered() {
    let mut broken = project("3x16x16", "conv 8 k99;relu", "", "gap;dense 10");
    broken.locked = vec!["encoder".into()];
    let problems = check(&broken);
    assert_eq!(problems[0].severity, Severity::Error);
    assert_eq!(mends_of(&broken, &problems, &problems[0]), []);
    assert!(Edit::Lock("encoder".into(), false).apply(&broken).is_ok());
    let empty = project("3x16x16", "", "", "");
    for problem in check(&empty) {
        assert_eq!(
            mends_of(&empty, &check(&empty), &problem),
            [],
            "{problem:?}"
        );
    }
}

/// The pooling's mistake was there before, behind a layer that could not be read.
#[test]
fn a_misspelt_word_is_mended_whatever_stands_behind() {
    let twice = project("3x16x16", "cnov 8 k3;relu;maxpool 99", "", "gap;dense 10");
    let problems = check(&twice);
    let fixes = mends_of(&twice, &problems, &problems[0]);
    assert_eq!(fixes[0].label, "write conv 8 k3 at encoder.0");
    let then = fixes[0].then.as_deref().unwrap();
    assert!(then.starts_with("kernel 99×99 is larger"), "{then}");
    assert!(then.ends_with("at encoder.2"), "{then}");
}

/// What the help of a wrong layer proposes is an edit, also where a layer behind it does not fit then.
#[test]
fn every_repair_of_a_wrong_layer_is_an_edit() {
    let tail = "relu;conv 8 k5;maxpool 2";
    for (encoder, head, expected) in [
        ("maxpool 40", "flatten;dense 10", 3),
        ("reshape 3x3", "flatten;dense 10", 1),
        ("conv 8 k60", "flatten;dense 10", 3),
        ("conv 8 k3 s0", "flatten;dense 10", 1),
        ("conv 8 g3", "flatten;dense 10", 1),
        ("crop 30", "flatten;dense 10", 1),
        ("maxpool 2 p3", "flatten;dense 10", 1),
        ("groupnorm 5", "flatten;dense 10", 1),
        ("dropout 7", "flatten;dense 10", 1),
        ("dense 10", "dense 10", 2),
        ("flatten;conv 8 k3", "flatten;dense 10", 1),
        (
            "{ add = [[\"conv 8 k3 s2 p1\"], []] }",
            "flatten;dense 10",
            1,
        ),
    ] {
        let broken = project("3x28x28", &format!("{encoder};{tail}"), "", head);
        let problems = check(&broken);
        let wrong = problems.iter().find(|problem| problem.place.is_some());
        let wrong = wrong.unwrap_or_else(|| panic!("{encoder} is right"));
        let fixes = mends_of(&broken, &problems, wrong);
        let repairs = wrong.help.iter().map(|help| &*help.repair);
        let mut offered = 0;
        for repair in repairs.filter(|repair| !matches!(repair, Repair::Note { .. })) {
            let is_this = |fix: &Fix| fix.repair.as_ref() == Some(repair);
            assert!(fixes.iter().any(is_this), "{encoder}: {repair:?}");
            offered += 1;
        }
        assert!(offered >= expected, "{encoder}: {offered} of {wrong:#?}");
        let whole: Vec<bool> = fixes.iter().map(|fix| fix.then.is_none()).collect();
        assert!(whole.is_sorted_by(|a, b| a >= b), "{encoder}: {whole:?}");
    }
}

#[test]
fn pasted_lines_and_blocks_are_mended() {
    for (encoder, decoder, head, label) in [
        (
            "nn.Conv2d(3, 8, 3, padding=1);relu",
            "",
            "gap;dense 10",
            "write conv 8 k3 p1 at encoder.0",
        ),
        (
            "Conv2D(8, 3, activation='relu');relu6",
            "",
            "gap;dense 10",
            "write conv 8 k3 at encoder.0 and insert relu at encoder.1",
        ),
        (
            "ReLU;conv 8 k3;relu",
            "",
            "gap;dense 10",
            "write relu at encoder.0",
        ),
        (
            "conv 8 k3 g3;relu",
            "",
            "gap;dense 10",
            "write conv 8 k3 g1 at encoder.0",
        ),
        (
            "conv 8 k3;groupnorm 3;relu",
            "",
            "gap;dense 10",
            "write groupnorm 2 at encoder.1",
        ),
        (
            "crop 9;conv 8 k1;relu",
            "",
            "gap;dense 10",
            "write crop 7 at encoder.0",
        ),
        (
            "conv 8 k3;relu",
            "",
            "flatten;reshape 7x14x14;gap;dense 10",
            "write reshape 8x14x14 at head.1",
        ),
    ] {
        assert_eq!(
            mended(&project("3x16x16", encoder, decoder, head)).0,
            label,
            "{encoder} {decoder} {head}"
        );
    }
    let mut branches = project("3x16x16", "conv 8 k3 p1;relu", "", "gap;dense 10");
    let block = "{ add = [[\"conv 16 k3 s2 p1\"], [\"conv 16 k3 p1\"]] }";
    branches.network.encoder.push(Node::from_text(block));
    let (label, next) = mended(&branches);
    assert_eq!(label, "insert conv 16 k1 s2 at encoder.2.1.1");
    assert_eq!(next.network.encoder[2].branches()[1].len(), 2);
}

#[test]
fn stages_stacks_and_the_input_are_mended() {
    let sound = || {
        project(
            "3x16x16",
            "conv 8 k3 s2 p1;relu",
            "convt 3 k4 s2 p1;tanh",
            "flatten;dense 10",
        )
    };
    let after = |change: fn(&mut Project)| {
        let mut project = sound();
        change(&mut project);
        mended(&project)
    };
    assert_eq!(
        after(|p| p.stages[0].freeze = vec!["encoder.9".into()]).0,
        "don't freeze encoder.9 in stage 1"
    );
    assert_eq!(
        after(|p| p.stages[1].split = strata_core::project::data::Split::Test).0,
        "set split to train in stage 2"
    );
    let (label, next) = after(|p| p.network.decoder.clear());
    assert_eq!(label, "mirror the encoder");
    assert!(!next.network.decoder.is_empty());
    let (label, next) = after(|p| p.network.head.clear());
    assert_eq!(label, "end the head with flatten, dense 10");
    assert_eq!(next.network.head.len(), 2);
    assert_eq!(after(|p| p.data.limit = Some(0)).0, "remove limit");
    assert_eq!(
        after(|p| p.data.range = Some([1.0, 0.0])).1.data.range,
        Some([0.0, 1.0])
    );
}
