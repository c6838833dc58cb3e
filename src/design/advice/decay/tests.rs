use super::*;
use crate::advice::tests::project;
use strata_core::project::Project;
use strata_core::project::data::{Normalize, Train};
use strata_core::shape::infer::infer;

/// The sparse autoencoder on patches of 8×8.
fn autoencoder(optimizer: &str) -> Project {
    let mut project = project(
        "3x8x8",
        "flatten;dense 100;sigmoid",
        "dense 192;reshape 3x8x8",
        "",
    );
    project.stages.truncate(1);
    project.stages[0].optimizer = optimizer.parse().unwrap();
    project.data.range = Some([0.1, 0.9]);
    project
}

fn advised(project: &Project) -> Vec<Advice> {
    let inference = infer(&project.network);
    out_of_proportion(&Case::new(project, &inference))
}

#[test]
fn the_textbook_decay_is_too_strong_for_a_mean() {
    let project = autoencoder("adam lr=2e-3 weight_decay=1e-4");
    let all = advised(&project);
    // |w|² is (100 + 192)/3 at the start, the variance of the pixels 0.8²/12.
    assert!(
        all[0].message.contains("its penalty is 9 % of it"),
        "{}",
        all[0].message
    );
    let fix = all[0].fix.as_ref().unwrap();
    assert_eq!(fix.label, "set weight decay to 1e-5 in stage 1");
    assert_eq!(advised(&fix.edit.apply(&project).unwrap()), []);
}

#[test]
fn decay_in_proportion_and_decay_beside_the_loss_are_left_alone() {
    assert_eq!(advised(&autoencoder("adam lr=2e-3")), []);
    assert_eq!(advised(&autoencoder("adamw lr=2e-3 weight_decay=0.1")), []);
    let mut normalised = autoencoder("adam lr=2e-3 weight_decay=1e-4");
    (normalised.data.range, normalised.data.normalize) =
        (None, Some(Normalize::Measured(Train::Train)));
    assert_eq!(advised(&normalised), []);
    let mut classifier = project("3x16x16", "conv 64 k3;relu", "", "gap;dense 10");
    classifier
        .stages
        .retain(|stage| stage.task == Task::Classify);
    classifier.stages[0].optimizer = "sgd lr=0.1 weight_decay=5e-4".parse().unwrap();
    assert_eq!(advised(&classifier), []);
}
