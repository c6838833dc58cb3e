use super::*;
use crate::advice::tests::project;
use strata_core::project::stage::Loss;

#[test]
fn bce_without_a_sigmoid_is_named() {
    let cause = |decoder: &str, loss: Loss| {
        let mut project = project("3x16x16", "conv 8 k3 s2 p1;relu", decoder, "");
        project.stages[0].loss = loss;
        cause_of_not_finite(&project, &project.stages[0])
    };
    let said = cause("convt 3 k4 s2 p1", Loss::Bce).unwrap();
    assert!(
        said.contains("the loss bce takes the logarithm") && said.contains("`sigmoid`"),
        "{said}"
    );
    assert_eq!(cause("convt 3 k4 s2 p1;sigmoid", Loss::Bce), None);
    assert_eq!(cause("convt 3 k4 s2 p1", Loss::Mse), None);
}

#[test]
fn pixels_that_were_not_scaled_are_named() {
    let mut project = project("3x16x16", "conv 8 k3 s2 p1;relu", "convt 3 k4 s2 p1", "");
    project.data.range = Some([0.0, 255.0]);
    let said = cause_of_not_finite(&project, &project.stages[0]).unwrap();
    assert!(said.contains("from 0 to 255"), "{said}");
}
