//! The input and the head that images need: what a network that was made for other data is given to match them.

use super::advice::last_dense;
use strata_core::project::edit::Edit;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::stage::{Stage, Task};
use strata_core::project::{Project, Stack};
use strata_core::shape::infer::infer;

/// The project with a network that takes images of this shape (channels first) and gives a score for each class, and
/// what was changed in words; `None` where nothing has to be. What is locked stays. The layers between may not fit the
/// new sizes: that is for the checks.
pub fn fit_to_data(
    project: &Project,
    shape: &[usize],
    classes: usize,
) -> Option<(Project, String)> {
    let mut next = project.clone();
    let mut changes = Vec::new();
    let input = match (shape, project.network.input.rank()) {
        // A signal is stored as an image of one row.
        (&[channels, 1, length], 1) => Shape::new(&[channels, length]),
        _ => Shape::new(shape),
    };
    if let Some(input) = input.filter(|input| *input != project.network.input)
        && let Ok(with_input) = Edit::Input(input.clone()).apply(&next)
    {
        next = with_input;
        changes.push(format!("takes {input}"));
    }
    let classifies = |project: &Project| {
        let mut stages = project.stages.iter();
        stages.any(|stage| stage.task == Task::Classify)
    };
    if classes > 1 && classifies(project) && !project.network.head.is_empty() {
        let inference = infer(&next.network);
        let scores = inference.answer.as_ref().map(|answer| answer.channels());
        let of_two =
            |stage: &Stage| stage.task == Task::Classify && stage.loss.spec().tells_two_apart;
        let tells_two = classes == 2 && scores == Some(1) && next.stages.iter().any(of_two);
        if scores != Some(classes)
            && !tells_two
            && let Some(last) = last_dense(&next, &inference, Stack::Head)
            && let Ok(with_head) =
                Edit::Replace(last, Node::from_text(&format!("dense {classes}"))).apply(&next)
            && with_head != next
        {
            next = with_head;
            changes.push(format!("ends in {classes} scores"));
        }
    }
    (!changes.is_empty()).then(|| (next, format!("The network {}", changes.join(" and "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    fn lenet() -> Project {
        builtin::find("lenet-mnist").unwrap().project().unwrap()
    }

    #[test]
    fn input_and_head_follow_the_images() {
        let (fitted, what) = fit_to_data(&lenet(), &[3, 32, 32], 7).unwrap();
        assert_eq!(fitted.network.input.to_string(), "3×32×32");
        assert_eq!(fitted.network.head.last().unwrap().text(), "dense 7");
        assert_eq!(what, "The network takes 3×32×32 and ends in 7 scores");
        assert_eq!(fit_to_data(&fitted, &[3, 32, 32], 7), None);
    }

    #[test]
    fn what_fits_or_is_locked_stays() {
        let mut project = lenet();
        let input = project.network.input.dims().to_vec();
        assert_eq!(fit_to_data(&project, &input, 10), None);
        assert_eq!(
            fit_to_data(&project, &input, 0),
            None,
            "nothing is labelled"
        );
        project = Edit::Lock("head".to_owned(), true).apply(&project).unwrap();
        assert_eq!(fit_to_data(&project, &input, 3), None);
    }
}
