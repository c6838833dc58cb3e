use super::*;
use strata_core::project::data::Split;
use strata_engine::event::Metrics;

#[test]
fn stages_cut_the_line_and_count_epochs() {
    let mut curves = Curves::default();
    let report = |step| StepReport {
        stage: 0,
        epoch: 1,
        step,
        step_in_epoch: step,
        loss: 1.0 / step as f64,
        penalty: None,
        accuracy: None,
        lr: 1e-3,
        images_per_second: 0.0,
        seconds_left: 0.0,
    };
    curves.stage("pretrain", 10);
    (1..=20).for_each(|step| curves.step(&report(step)));
    curves.stage("classify", 5);
    (21..=30).for_each(|step| curves.step(&report(step)));
    assert_eq!(curves.loss.raw.visible(0.0..=30.0, 1000).len(), 2);
    assert_eq!(
        (
            curves.epoch_at(10.0),
            curves.epoch_at(20.0),
            curves.epoch_at(30.0)
        ),
        (1.0, 2.0, 4.0)
    );
    for step in [0.0, 5.0, 10.0, 19.0, 23.0, 30.0] {
        assert_eq!(curves.step_at(curves.epoch_at(step)), step);
    }
}

fn measured(split: Split, loss: f64, accuracy: Option<f64>) -> (Split, Metrics) {
    let metrics = Metrics {
        loss,
        accuracy,
        ..Metrics::default()
    };
    (split, metrics)
}

#[test]
fn headlines_are_what_was_measured_last() {
    let mut curves = Curves::default();
    curves.stage("a", 2);
    let step = |step, loss| StepReport {
        step,
        loss,
        ..StepReport::default()
    };
    curves.step(&step(1, 0.678));
    let headlines = |curves: &Curves| -> Vec<(&str, f64)> {
        let all = curves.loss.headlines(&curves.stages);
        all.iter().map(|line| (line.name, line.value)).collect()
    };
    assert_eq!(headlines(&curves), [("batch", 0.678)]);
    assert_eq!(curves.results(), "");
    curves.step(&step(2, 0.0));
    curves.epoch(&EpochReport {
        stage: 0,
        epoch: 1,
        step: 2,
        metrics: vec![
            measured(Split::Unlabeled, 0.5532, Some(0.7100)),
            measured(Split::Valid, 2.855_924e74, Some(0.276)),
            measured(Split::Test, 0.0, None),
        ],
    });
    assert_eq!(
        headlines(&curves),
        [("train", 0.5532), ("valid", 2.855_924e74), ("test", 0.0)]
    );
    assert_eq!(
        curves.results(),
        "train loss 0.5532, 71.00 % · valid loss 2.86e74, 27.60 % · test loss 0"
    );
    curves.stage("b", 2);
    curves.step(&step(3, 9.0));
    assert_eq!(
        headlines(&curves),
        [("batch", 9.0)],
        "of the newest stage alone"
    );
}

#[test]
fn values_of_a_step_are_as_they_were_measured_and_of_its_stage() {
    let mut curves = Curves::default();
    let step = |step, loss| StepReport {
        step,
        loss,
        lr: 0.5,
        ..StepReport::default()
    };
    let epoch = |epoch, step, loss| EpochReport {
        stage: 0,
        epoch,
        step,
        metrics: vec![
            measured(Split::Train, loss, None),
            measured(Split::Valid, 2.0 * loss, None),
        ],
    };
    curves.stage("a", 2);
    for (at, loss) in [(1, 9.0), (2, 1.0), (3, 9.0), (4, 1.0)] {
        curves.step(&step(at, loss));
        if at % 2 == 0 {
            curves.epoch(&epoch(at as u32 / 2, at, 5.0 / at as f64));
        }
    }
    curves.stage("b", 2);
    curves.step(&step(5, 70.0));
    let at = |step| curves.loss.at(step, &curves.stages);
    assert_eq!(at(0.0).batch, Some([1.0, 9.0]));
    assert_eq!(at(2.0).batch, Some([2.0, 1.0]));
    assert_eq!(
        at(4.0).measured,
        [Some([4.0, 1.25]), Some([4.0, 2.5]), None]
    );
    assert_eq!(at(1.0).measured, [Some([2.0, 2.5]), Some([2.0, 5.0]), None]);
    let new = at(5.0);
    assert_eq!((new.batch, new.measured), (Some([5.0, 70.0]), [None; 3]));
    let rate = curves.lr.at(3.0, &curves.stages);
    assert_eq!((rate.batch, rate.measured), (Some([3.0, 0.5]), [None; 3]));
    assert!(curves.lr.smooth.is_empty() && curves.log_loss.is_empty());
}

#[test]
fn zeros_and_values_that_are_not_finite_are_counted() {
    let mut curves = Curves::default();
    curves.stage("a", 9);
    for (step, loss) in [(1, 0.5), (2, 0.0), (3, f64::NAN), (4, 0.0), (5, -1.0)] {
        curves.step(&StepReport {
            step,
            loss,
            penalty: Some(0.0),
            ..StepReport::default()
        });
    }
    curves.stage("b", 9);
    let odd = &curves.loss.odd.steps;
    assert_eq!((odd.zeros(), odd.below_zero(), odd.not_finite()), (2, 1, 1));
    assert_eq!(odd.without_logarithm(), [2.0, 4.0, 5.0]);
    assert_eq!(
        (curves.penalty.odd.steps.zeros(), curves.penalty.raw.len()),
        (5, 6)
    );
    assert_eq!(curves.loss.extent.range(false), Some([-1.0, 0.5]));
    assert_eq!(curves.loss.extent.range(true), Some([0.5, 0.5]));
}

#[test]
fn a_course_that_is_not_drawn_is_not_spoken_of() {
    let run = |losses: &[f64]| {
        let mut curves = Curves::default();
        curves.stage("a", 1000);
        for (step, loss) in losses.iter().enumerate() {
            curves.step(&StepReport {
                step: step as u64 + 1,
                loss: *loss,
                ..StepReport::default()
            });
        }
        curves
    };
    let falling = run(&[0.5; 400]);
    assert!(falling.loss.smoothed_over(true) > 1);
    // A logarithmic axis has no place for zeros, and no axis for NaN.
    let zeros = run(&[0.0; 400]);
    assert_eq!(zeros.loss.smoothed_over(true), 1);
    assert!(zeros.loss.smoothed_over(false) > 1);
    assert_eq!(run(&[f64::NAN; 400]).loss.smoothed_over(false), 1);
    assert_eq!(run(&[]).loss.smoothed_over(false), 1);
}

/// The first steps of a training, far from all later ones, do not fix the axis: what was measured is told apart on it.
#[test]
fn the_first_steps_do_not_fix_the_axis_of_accuracy() {
    let mut curves = Curves::default();
    curves.stage("classify", 500);
    for step in 1..=1500u64 {
        let accuracy = 0.99 - 0.91 * (-(step as f64) / 20.0).exp();
        curves.step(&StepReport {
            step,
            accuracy: Some(accuracy),
            ..StepReport::default()
        });
        if step % 500 == 0 {
            let valid = [0.980, 0.986, 0.980][step as usize / 500 - 1];
            curves.epoch(&EpochReport {
                stage: 0,
                epoch: (step / 500) as u32,
                step,
                metrics: vec![measured(Split::Valid, 0.1, Some(valid))],
            });
        }
    }
    let [low, high] = curves
        .accuracy
        .shown(false, ALL_STEPS)
        .range(false)
        .unwrap();
    assert!((0.9..0.98).contains(&low) && high <= 1.0, "{low} to {high}");
    assert!(
        0.006 / (high - low) > 0.05,
        "an epoch is told from the next"
    );
    let [least, _] = curves.accuracy.extent.range(false).unwrap();
    assert!(
        least < 0.2,
        "the first steps are in the curve all the same: {least}"
    );
}
