//! The curves that a run's folder holds: `steps.csv` and `metrics.csv`. What is missing or torn is left out.

use super::Curves;
use std::collections::BTreeMap;
use std::path::Path;
use strata_engine::storage::run_tables::{each_metrics_row, each_step_row};

impl Curves {
    /// The curves of a run that was trained before.
    pub fn read(run: &Path) -> Curves {
        let mut curves = Curves::default();
        let epochs = epochs(run);
        let mut stage = None;
        each_step_row(run, |row| {
            let (Some(step), Some(name)) = (row.number("step"), row.text("stage")) else {
                return;
            };
            if stage.as_deref() != Some(name) {
                curves.stage(name, 1);
                stage = Some(name.to_owned());
            }
            curves.taken = curves.taken.max(step);
            curves
                .loss
                .push(step, row.number("loss").unwrap_or(f64::NAN));
            curves.measure_epoch(epochs.get(name).copied(), step, row.number("epoch"));
        });
        let mut classified = None;
        each_metrics_row(run, |row| {
            let (Some(step), Some(split)) = (row.number("step"), row.text("split")) else {
                return;
            };
            let (loss, accuracy) = (row.number("loss"), row.number("accuracy"));
            match split {
                "valid" => {
                    curves.loss.valid.extend(loss.map(|loss| [step, loss]));
                    curves
                        .accuracy
                        .valid
                        .extend(accuracy.map(|accuracy| [step, accuracy]));
                }
                // Of the steps only the loss is on disk.
                "train" => {
                    let stage = row.text("stage").map(str::to_owned);
                    if accuracy.is_some()
                        && classified
                            .replace(stage.clone())
                            .is_some_and(|former| former != stage)
                    {
                        curves.accuracy.cut();
                    }
                    accuracy
                        .into_iter()
                        .for_each(|accuracy| curves.accuracy.push(step, accuracy));
                }
                _ => {}
            }
        });
        curves
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

/// The last measured epoch of every stage with its step.
fn epochs(run: &Path) -> BTreeMap<String, (f64, f64)> {
    let mut last = BTreeMap::new();
    each_row(metrics, |row| {
        if let (Some(stage), Some(epoch), Some(step)) =
            (row.text("stage"), row.number("epoch"), row.number("step"))
        {
            last.insert(stage.to_owned(), (epoch, step));
        }
    });
    last
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (&curves.accuracy.valid[..], curves.accuracy.raw.last()),
            (&[[3.0, 0.9]][..], Some(0.8))
        );
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
}
