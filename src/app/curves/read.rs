//! The curves that a run's folder holds: `steps.csv` and `metrics.csv`. What is missing or torn is left out.

use super::{Curves, Line};
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::project::{Project, file};
use strata_engine::event::StepReport;
use strata_engine::storage::changes::Changes;
use strata_engine::storage::metrics_read::{
    Measurement, StepLine, each_step, epoch_figures, measurements,
};

impl Curves {
    /// The curves of a run that was trained before.
    pub fn read(run: &Path) -> Curves {
        let unnamed = |error: &dyn std::error::Error| {
            let run = run.display();
            log::warn!("the losses of {run} have no names, its project cannot be read: {error}");
        };
        let project = file::load(&run.join("project.toml"));
        let project = project.inspect_err(|error| unnamed(error)).ok();
        let measured = measurements(run);
        let epochs = last_epochs(&measured);
        let mut curves = Curves {
            figures: epoch_figures(&measured),
            ..Curves::default()
        };
        match Changes::read(run) {
            Ok(changes) => curves.changes = changes.all().to_vec(),
            Err(damage) => curves.damage = Some(damage),
        }
        let mut stage = None;
        let holds_penalty = each_step(run, |line| {
            if stage.as_deref() != Some(line.stage) {
                curves.stage(line.stage, 1);
                if let Some(loss) = loss_of(project.as_ref(), line.stage) {
                    curves.stage_loss(loss);
                }
                stage = Some(line.stage.to_owned());
            }
            curves.add(&line);
            curves.measure_epoch(epochs.get(line.stage).copied(), line.step, line.epoch);
        });
        let is_sparse =
            |project: Project| project.stages.iter().any(|stage| stage.sparsity.is_some());
        curves.holds_penalty = holds_penalty && project.is_none_or(is_sparse);
        for measurement in &measured {
            curves.add_measurement(measurement);
        }
        curves
    }

    fn add(&mut self, line: &StepLine<'_>) {
        self.step(&StepReport {
            step: line.step as u64,
            loss: line.loss,
            penalty: line.penalty,
            accuracy: line.accuracy,
            lr: line.lr.unwrap_or(f64::NAN),
            ..StepReport::default()
        });
    }

    fn add_measurement(&mut self, measured: &Measurement) {
        let line = Line::of(&measured.split, measured.is_trained);
        if let (Some(line), Some(_)) = (line, measured.loss) {
            let values = [measured.loss, measured.accuracy, measured.log_loss];
            self.measure(line, measured.step, values);
        }
    }

    /// Settles the length of an epoch of the last stage: `known` is the last measured epoch and its step; an
    /// epoch that was never finished is as long as it got.
    fn measure_epoch(&mut self, known: Option<(f64, f64)>, step: f64, epoch: Option<f64>) {
        let Some(mark) = self.stages.last_mut() else {
            return;
        };
        mark.steps_per_epoch = match known {
            Some((epochs, end)) => ((end - mark.step) / epochs.max(1.0)).round().max(1.0) as u64,
            None if epoch.is_none_or(|epoch| epoch <= 1.0) => (step - mark.step).max(1.0) as u64,
            None => mark.steps_per_epoch,
        };
    }
}

/// The loss of the stage of this name.
fn loss_of(project: Option<&Project>, stage: &str) -> Option<String> {
    let mut stages = project?.stages.iter();
    let found = stages.find(|found| found.name == stage)?;
    Some(found.loss.to_string())
}

/// The last measured epoch of every stage with its step.
fn last_epochs(measured: &[Measurement]) -> BTreeMap<&str, (f64, f64)> {
    let mark = |line: &Measurement| Some((line.epoch?, line.step));
    measured
        .iter()
        .filter_map(|line| Some((line.stage.as_str(), mark(line)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::data::Split;
    use strata_engine::event::{EpochReport, Metrics};

    #[test]
    fn torn_rows_are_not_fatal() {
        let run = tempfile::tempdir().unwrap();
        let steps = "step,stage,epoch,loss\n1,a,1,0.5\n2,a,1,NaN\n3,a,1,0.2\n4";
        std::fs::write(run.path().join("steps.csv"), steps).unwrap();
        std::fs::write(
            run.path().join("metrics.csv"),
            "stage,epoch,step,split,loss,accuracy\na,1,3,train,0.3,0.8\na,1,3,valid,0.25,0.9\n",
        )
        .unwrap();
        let curves = Curves::read(run.path());
        assert_eq!(
            (curves.loss.raw.visible(0.0..=3.0, 99).len(), curves.steps()),
            (2, 3)
        );
        assert_eq!(curves.loss.valid, [[3.0, 0.25]]);
        assert_eq!(
            (&curves.accuracy.valid[..], &curves.accuracy.train[..]),
            (&[[3.0, 0.9]][..], &[[3.0, 0.8]][..])
        );
        assert!(curves.accuracy.raw.is_empty() && curves.holds_penalty);
        assert!(Curves::read(&run.path().join("none")).loss.is_empty());
    }

    #[test]
    fn epochs_are_as_long_as_they_were_in_training() {
        let run = tempfile::tempdir().unwrap();
        let rows = |stage: &'static str, from: u32| {
            (0..20).map(move |i| {
                format!(
                    "{},{stage},{},0.5\n",
                    from + i,
                    1 + i / if stage == "a" { 10 } else { 5 }
                )
            })
        };
        let steps: String = ["step,stage,epoch,loss\n".to_owned()]
            .into_iter()
            .chain(rows("a", 1))
            .chain(rows("b", 21))
            .collect();
        std::fs::write(run.path().join("steps.csv"), steps).unwrap();
        std::fs::write(
            run.path().join("metrics.csv"),
            "stage,epoch,step,split,loss\na,2,20,train,1\n",
        )
        .unwrap();
        let curves = Curves::read(run.path());
        assert_eq!(
            curves
                .stages
                .iter()
                .map(|stage| stage.name.as_str())
                .collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(
            (
                curves.epoch_at(10.0),
                curves.epoch_at(20.0),
                curves.epoch_at(40.0)
            ),
            (1.0, 2.0, 6.0)
        );
    }

    #[test]
    fn a_run_that_was_read_again_is_the_run_as_it_was_trained() {
        let run = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(run.path().join(name), text).unwrap();
        write(
            "steps.csv",
            "step,stage,epoch,loss,lr,penalty,accuracy\n1,a,1,0.5,1,0.25,0\n2,a,1,0.1,1,0.125,1\n",
        );
        write(
            "metrics.csv",
            "stage,epoch,step,split,loss,accuracy,log_loss,lr\na,1,2,train,0.3,0.5532,1.25,1\na,1,2,valid,0.25,0.54,1.25,\na,1,2,test,0.26,0.53,1.25,\n",
        );
        let stored = Curves::read(run.path());
        let mut live = Curves::default();
        live.stage("a", 2);
        for (step, loss, penalty, accuracy) in [(1, 0.5, 0.25, 0.0), (2, 0.1, 0.125, 1.0)] {
            live.step(&StepReport {
                step,
                loss,
                penalty: Some(penalty),
                accuracy: Some(accuracy),
                lr: 1.0,
                ..StepReport::default()
            });
        }
        live.epoch(&EpochReport {
            stage: 0,
            epoch: 1,
            step: 2,
            metrics: vec![
                measured(Split::Train, 0.3, 0.5532),
                measured(Split::Valid, 0.25, 0.54),
                measured(Split::Test, 0.26, 0.53),
            ],
        });
        assert_eq!(format!("{stored:?}"), format!("{live:?}"));
        assert_eq!(stored.results(), live.results());
        assert!(stored.results().contains("train loss 0.3000, 55.32 %"));
    }

    fn measured(split: Split, loss: f64, accuracy: f64) -> (Split, Metrics) {
        let metrics = Metrics {
            loss,
            accuracy: Some(accuracy),
            log_loss: Some(1.25),
            ..Metrics::default()
        };
        (split, metrics)
    }
}
