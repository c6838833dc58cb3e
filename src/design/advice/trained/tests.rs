use super::*;
use crate::advice::tests::project;
use strata_core::shape::infer::infer;

/// The figures of epochs: train loss and accuracy, valid loss and accuracy.
fn course(stage: &str, epochs: &[(f64, f64, f64, f64)]) -> Vec<EpochFigures> {
    let mut figures = Vec::new();
    for (epoch, &(train, train_right, valid, valid_right)) in (1..).zip(epochs) {
        for (split, loss, accuracy) in [
            (Split::Train, train, train_right),
            (Split::Valid, valid, valid_right),
        ] {
            let (stage, accuracy) = (stage.to_owned(), (accuracy >= 0.0).then_some(accuracy));
            figures.push(EpochFigures {
                stage,
                epoch,
                split,
                loss,
                accuracy,
                f1: None,
                exact_match: None,
            });
        }
    }
    figures
}

fn classifier() -> Project {
    let mut project = project("3x16x16", "conv 8 k3;relu", "", "gap;dense 10");
    project.stages.retain(|stage| stage.task == Task::Classify);
    project.stages[0].name = "train".into();
    project
}

fn advised(figures: &[EpochFigures]) -> Vec<Advice> {
    let project = classifier();
    advise_trained(&project, &infer(&project.network), figures)
}

#[test]
fn the_epoch_where_validation_turned_is_told_with_ways_out() {
    let all = advised(&course(
        "train",
        &[
            (2.0, 0.3, 2.1, 0.3),
            (1.5, 0.5, 1.8, 0.4),
            (1.0, 0.6, 2.0, 0.35),
            (0.6, 0.71, 2.6, 0.276),
        ],
    ));
    assert_eq!(
        all[0].message,
        "the training overfits: at its end 71.0 % of the training images are right, 27.6 % of valid; the valid loss \
         was least after epoch 2 (1.8000) and rose to 2.6000"
    );
    for way in ["augment", "dropout 0.5", "weight_decay", "stop where"] {
        assert!(all[0].why.contains(way), "{}", all[0].why);
    }
    let fix = all[0].fix.as_ref().unwrap();
    assert_eq!(fix.label, "stop stage 1 early by the valid loss");
    let next = fix.edit.apply(&classifier()).unwrap();
    assert_eq!(next.stages[0].early_stop.as_ref().unwrap().patience, 3);
}

#[test]
fn a_gap_alone_is_told_and_reconstructions_by_their_loss() {
    let gap = [
        (2.0, 0.3, 2.1, 0.3),
        (1.5, 0.6, 2.0, 0.4),
        (1.0, 0.8, 1.9, 0.5),
    ];
    let all = advised(&course("train", &gap));
    assert!(
        all[0]
            .message
            .ends_with("80.0 % of the training images are right, 50.0 % of valid")
    );
    assert_eq!(all[0].fix, None);
    let losses = [
        (0.05, -1.0, 0.05, -1.0),
        (0.02, -1.0, 0.04, -1.0),
        (0.0001, -1.0, 0.08, -1.0),
    ];
    let all = advised(&course("train", &losses));
    assert!(
        all[0]
            .message
            .contains("the loss is 1.00e-4 on training images, 0.0800 on valid"),
        "{}",
        all[0].message
    );
}

#[test]
fn a_course_that_is_sound_short_or_of_another_stage_is_not_blamed() {
    let sound = [
        (2.0, 0.3, 2.1, 0.3),
        (1.5, 0.5, 1.6, 0.48),
        (1.0, 0.6, 1.2, 0.55),
        (0.9, 0.62, 1.21, 0.55),
    ];
    assert_eq!(advised(&course("train", &sound)), []);
    let short = [(2.0, 0.3, 2.1, 0.3), (0.1, 0.9, 9.0, 0.1)];
    assert_eq!(advised(&course("train", &short)), []);
    let overfit = [
        (2.0, 0.3, 2.1, 0.3),
        (1.0, 0.6, 3.0, 0.3),
        (0.1, 0.9, 9.0, 0.1),
    ];
    assert_eq!(advised(&course("another", &overfit)), []);
    assert_eq!(advised(&course("train", &overfit)).len(), 1);
    // Both grow: that is no overfitting.
    let diverging = [
        (1.0, 0.3, 1.0, 0.3),
        (2.0, 0.3, 2.0, 0.3),
        (3.0, 0.3, 3.0, 0.3),
    ];
    assert_eq!(advised(&course("train", &diverging)), []);
    assert_eq!(
        advised(&course("train", &[(f64::NAN, 0.1, f64::NAN, 0.1); 5])),
        []
    );
}
