//! `dynamics.csv`: what gradients, weights and outputs of every layer did while a run trained.
//!
//! A row for each layer at the steps that are kept: 1, 4, 16 and multiples of an interval that doubles whenever the
//! file would grow beyond [`MOST_ROWS`], so that it stays small however long the run is. Which steps are kept follows
//! from the number of layers and steps alone: equal runs have equal files. Fails as files do; what is torn is left out.

use super::run_tables::TableRow;
use std::fmt::Write;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;

/// The file in a run's folder.
pub const DYNAMICS_FILE: &str = "dynamics.csv";
/// Rows that the file holds at most, but for one step's: about a megabyte.
const MOST_ROWS: u64 = 8192;
/// Steps that are kept at least, however many layers there are.
const LEAST_STEPS: u64 = 32;
/// Steps between two that are looked at, at least: looking takes far less than a step.
const OFTEN: u64 = 64;
/// Steps that are looked at before that.
const FIRST: [u64; 3] = [1, 4, 16];
/// Its columns.
const COLUMNS: &str = "step,layer,gradient,weight,update,mean,std,zeros,saturated";

/// One layer at one step. What a layer does not have is `None`: without weights no gradient, and of a layer that is
/// computed in one with the next no output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerDynamics {
    /// Steps taken, from 1.
    pub step: u64,
    /// The layer's key: `encoder.0`.
    pub layer: String,
    /// The norm (L2) of the gradient of its weights and biases.
    pub gradient: Option<f64>,
    /// The norm of its weights and biases before the step.
    pub weight: Option<f64>,
    /// How much the step changed them: the norm of the change by the norm of the weights, from up to 4,096 numbers of
    /// each tensor.
    pub update: Option<f64>,
    /// The mean of its outputs for the step's batch.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub std: Option<f64>,
    /// The share of them that is exactly 0.
    pub zeros: Option<f64>,
    /// The share of a sigmoid's or a tanh's outputs within 1 % of its ends; `None` of other layers.
    pub saturated: Option<f64>,
}

impl LayerDynamics {
    fn line(&self) -> String {
        let figures = [
            self.gradient,
            self.weight,
            self.update,
            self.mean,
            self.std,
            self.zeros,
            self.saturated,
        ];
        let mut line = format!("{},{}", self.step, self.layer);
        for figure in figures {
            // Writing to a text cannot fail. Five digits are more than anybody sees.
            let _ = match figure {
                Some(figure) => write!(line, ",{figure:.5e}"),
                None => write!(line, ","),
            };
        }
        line.push('\n');
        line
    }

    fn of(row: &TableRow<'_>) -> Option<LayerDynamics> {
        Some(LayerDynamics {
            step: row.text("step")?.parse().ok()?,
            layer: row.text("layer")?.to_owned(),
            gradient: row.number("gradient"),
            weight: row.number("weight"),
            update: row.number("update"),
            mean: row.number("mean"),
            std: row.number("std"),
            zeros: row.number("zeros"),
            saturated: row.number("saturated"),
        })
    }
}

/// From one step that is kept to the next, after so many steps of a network with so many layers.
fn interval(step: u64, layers: usize) -> u64 {
    let most = (MOST_ROWS / layers.max(1) as u64).max(LEAST_STEPS);
    let mut interval = OFTEN;
    while step / interval > most {
        interval *= 2;
    }
    interval
}

/// Whether a step is kept.
pub(crate) fn is_kept(step: u64, layers: usize) -> bool {
    FIRST.contains(&step) || step.is_multiple_of(interval(step, layers))
}

/// Every row of a run's file, in order; none of a run of an earlier version, which has no such file.
pub fn read(run: &Path) -> Vec<LayerDynamics> {
    let mut rows = Vec::new();
    super::run_tables::each_dynamics_row(run, |row| rows.extend(LayerDynamics::of(&row)));
    rows
}

/// Whether a run has such a file.
pub fn is_there(run: &Path) -> bool {
    run.join(DYNAMICS_FILE).is_file()
}

/// The file of a run in training.
pub(crate) struct DynamicsWriter {
    run: PathBuf,
    path: PathBuf,
    interval: u64,
}

impl DynamicsWriter {
    /// Starts the file, or continues that of `run` after `step` steps. A run of an earlier version gets one from there.
    pub(crate) fn open(run: &Path, step: u64) -> io::Result<DynamicsWriter> {
        let path = run.join(DYNAMICS_FILE);
        let kept = read(run).into_iter().filter(|row| row.step <= step);
        save(&path, kept)?;
        Ok(DynamicsWriter {
            run: run.to_owned(),
            path,
            interval: 0,
        })
    }

    /// Adds the layers of a step that is kept, and thins out the file where its interval has grown.
    pub(crate) fn add(&mut self, rows: &[LayerDynamics], layers: usize) -> io::Result<()> {
        let Some(step) = rows.first().map(|row| row.step) else {
            return Ok(());
        };
        let now = interval(step, layers);
        if now > self.interval {
            if self.interval > 0 || now > OFTEN {
                let is_left =
                    |row: &LayerDynamics| FIRST.contains(&row.step) || row.step.is_multiple_of(now);
                save(&self.path, read(&self.run).into_iter().filter(is_left))?;
            }
            self.interval = now;
        }
        let lines: String = rows.iter().map(LayerDynamics::line).collect();
        OpenOptions::new()
            .append(true)
            .open(&self.path)?
            .write_all(lines.as_bytes())
    }
}

fn save(path: &Path, rows: impl Iterator<Item = LayerDynamics>) -> io::Result<()> {
    let mut text = format!("{COLUMNS}\n");
    rows.for_each(|row| text.push_str(&row.line()));
    write_atomic(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(step: u64, count: usize) -> Vec<LayerDynamics> {
        let one = |layer: usize| LayerDynamics {
            step,
            layer: format!("encoder.{layer}"),
            gradient: Some(1.0 / step as f64),
            zeros: Some(0.5),
            ..LayerDynamics::default()
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn the_file_stays_small_and_keeps_steps_at_even_distances() {
        let run = tempfile::tempdir().unwrap();
        let mut writer = DynamicsWriter::open(run.path(), 0).unwrap();
        let count = 64;
        for step in (1..=40_000).filter(|step| is_kept(*step, count)) {
            writer.add(&layers(step, count), count).unwrap();
        }
        let rows = read(run.path());
        assert!(
            rows.len() as u64 <= MOST_ROWS + 4 * count as u64,
            "{}",
            rows.len()
        );
        let mut steps: Vec<u64> = rows.iter().map(|row| row.step).collect();
        steps.dedup();
        assert_eq!(steps[..3], FIRST);
        let apart: Vec<u64> = steps[3..]
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect();
        assert!(
            apart.iter().all(|by| *by == apart[0]) && steps.len() > 60,
            "{steps:?}"
        );
        assert!(
            std::fs::metadata(run.path().join(DYNAMICS_FILE))
                .unwrap()
                .len()
                < 1 << 20
        );
    }

    #[test]
    fn a_resumed_run_continues_where_its_checkpoint_is() {
        let run = tempfile::tempdir().unwrap();
        assert!(!is_there(run.path()) && read(run.path()).is_empty());
        let mut writer = DynamicsWriter::open(run.path(), 0).unwrap();
        for step in [1, 4, 16, 32, 64] {
            writer.add(&layers(step, 2), 2).unwrap();
        }
        let whole = std::fs::read(run.path().join(DYNAMICS_FILE)).unwrap();
        let mut again = DynamicsWriter::open(run.path(), 40).unwrap();
        assert_eq!(read(run.path()).last().map(|row| row.step), Some(32));
        again.add(&layers(64, 2), 2).unwrap();
        assert_eq!(
            std::fs::read(run.path().join(DYNAMICS_FILE)).unwrap(),
            whole
        );
        let row = &read(run.path())[0];
        assert_eq!(
            (row.gradient, row.zeros, row.mean),
            (Some(1.0), Some(0.5), None)
        );
    }
}
