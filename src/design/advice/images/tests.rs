use super::*;
use crate::advice::tests::project;
use strata_core::project::data::Source;
use strata_core::project::stage::ClassWeights;
use strata_core::shape::infer::infer;

fn counts(train: &[usize]) -> ImageCounts {
    let classes = (0..train.len()).map(|class| format!("c{class}")).collect();
    ImageCounts {
        classes,
        splits: vec![(Split::Train, train.iter().sum(), train.to_vec())],
        has_label_sets: false,
    }
}

/// A classifier of two classes with batch norm on a vector, trained on a folder.
fn classifier(batch: u32, epochs: u32) -> Project {
    let mut project = project(
        "3x16x16",
        "conv 8 p1;relu",
        "",
        "gap;dense 16;bn;relu;dense 2",
    );
    project.data.source = Source::Folder;
    project.stages.retain(|stage| stage.task == Task::Classify);
    (project.stages[0].batch, project.stages[0].epochs) = (batch, epochs);
    project
}

fn advised(project: &Project, counts: &ImageCounts) -> Vec<Advice> {
    advise_images(project, &infer(&project.network), counts)
}

/// The one piece of advice whose message holds this text, and the label of its fix.
fn said(project: &Project, counts: &ImageCounts, text: &str) -> Option<String> {
    let all = advised(project, counts);
    let found = all.iter().find(|advice| advice.message.contains(text))?;
    Some(
        found
            .fix
            .as_ref()
            .map(|fix| fix.label.clone())
            .unwrap_or_default(),
    )
}

#[test]
fn usual_images_need_no_advice() {
    assert_eq!(advised(&classifier(32, 50), &counts(&[100, 120])), []);
}

#[test]
fn a_batch_larger_than_the_data_is_told() {
    let label = said(
        &classifier(200, 500),
        &counts(&[50, 50]),
        "a batch of 200 is larger than the 100 images",
    );
    assert_eq!(label.unwrap(), "set batch to 16 in stage 1");
}

#[test]
fn a_last_batch_of_one_is_told_where_batch_norm_sees_it() {
    let thirty_three = counts(&[17, 16]);
    let label = said(
        &classifier(32, 50),
        &thirty_three,
        "leave a last batch of 1 for the batch norm at head.2",
    );
    assert_eq!(label.unwrap(), "set batch to 31 in stage 1");
    assert_eq!(
        said(&classifier(31, 50), &thirty_three, "last batch of 1"),
        None
    );
    let mut without = classifier(32, 50);
    without.network.head.remove(2);
    assert_eq!(said(&without, &thirty_three, "last batch of 1"), None);
    let mut frozen = classifier(32, 50);
    frozen.stages[0].freeze = vec!["head.2".into()];
    assert_eq!(said(&frozen, &thirty_three, "last batch of 1"), None);
}

#[test]
fn running_statistics_that_lag_are_told() {
    let few = said(
        &classifier(32, 2),
        &counts(&[64, 64]),
        "8 steps are few for the batch norm at head.2",
    );
    assert_eq!(few.unwrap(), "set epochs to 5 in stage 1");
    assert_eq!(
        said(&classifier(32, 5), &counts(&[64, 64]), "steps are few"),
        None
    );
}

#[test]
fn classes_out_of_balance_are_told_beyond_three_to_one() {
    let text = "out of balance: `c0` has 190 images, `c1` 40";
    let found = said(&classifier(32, 50), &counts(&[190, 40]), text);
    assert_eq!(found.unwrap(), "set weights to balanced");
    let mut balanced = classifier(32, 50);
    balanced.data.weights = Some(Weights::Balanced);
    assert_eq!(said(&balanced, &counts(&[190, 40]), text), None);
    let weights = Some(ClassWeights::Balanced);
    balanced.stages[0].class_weights = weights.clone();
    let twice = said(&balanced, &counts(&[190, 40]), "balanced twice");
    assert_eq!(twice.unwrap(), "remove class weights from stage 1");
    let mut weighed = classifier(32, 50);
    weighed.stages[0].class_weights = weights;
    assert_eq!(advised(&weighed, &counts(&[190, 40])), []);
    assert_eq!(
        said(&classifier(32, 50), &counts(&[120, 40]), "out of balance"),
        None
    );
    let all = advised(&classifier(32, 50), &counts(&[190, 10]));
    assert!(
        all[0].why.contains("right 95 % of the time"),
        "{}",
        all[0].why
    );
}

#[test]
fn a_head_of_another_width_than_the_classes_is_told() {
    let mut wide = classifier(32, 50);
    wide.network.head[4] = Node::from_text("dense 5");
    let label = said(
        &wide,
        &counts(&[100, 100]),
        "gives 5 scores, more than the 2 classes",
    );
    assert_eq!(label.unwrap(), "write dense 2 at head.4");
    let label = said(
        &wide,
        &counts(&[50; 7]),
        "gives 5 scores, fewer than the 7 classes",
    );
    assert_eq!(label.unwrap(), "write dense 7 at head.4");
}

/// Of several labels an image the rare ones are told of; that classes are out of balance is not.
#[test]
fn a_rare_label_is_told() {
    let several = |labels: [usize; 2]| ImageCounts {
        splits: vec![(Split::Train, 200, labels.to_vec())],
        has_label_sets: true,
        ..counts(&labels)
    };
    let project = classifier(32, 50);
    let told = said(
        &project,
        &several([120, 4]),
        "the label `c1` is rare: 4 of 200",
    );
    assert_eq!(told.unwrap(), "set class weights of stage 1 to balanced");
    let mut weighed = project.clone();
    weighed.stages[0].class_weights = Some(ClassWeights::Balanced);
    let told = said(&weighed, &several([120, 4]), "the label `c1` is rare");
    assert_eq!(told.unwrap(), "");
    assert_eq!(said(&project, &several([120, 4]), "out of balance"), None);
    assert_eq!(advised(&project, &several([120, 90])), []);
}
