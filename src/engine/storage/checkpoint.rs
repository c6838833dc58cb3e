//! Checkpoints: weights, the optimizer's memory and the position, in one safetensors file.
//!
//! Weights are stored under PyTorch's keys, the optimizer's tensors behind `optimizer.`, the
//! [`Position`] as JSON in the metadata. All random numbers follow from the seed and the position,
//! so this is enough to continue bit for bit. Equal states give equal bytes. Files are replaced in
//! one step; reading never trusts them.

use super::tensor_file::{self, Blob};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use strata_core::files;
use strata_core::project::schedule::PlateauWatch;

const OPTIMIZER: &str = "optimizer.";

/// Why a checkpoint could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file could not be written; the former one is untouched.
    #[error(
        "cannot write the checkpoint {file}: {reason}; free some space or choose another run folder"
    )]
    Write {
        /// The file.
        file: PathBuf,
        /// What failed.
        reason: String,
    },
    /// The file could not be read.
    #[error("cannot read the checkpoint {file}: {reason}; is it a run of Strata?")]
    Read {
        /// The file.
        file: PathBuf,
        /// What failed.
        reason: String,
    },
}

/// The position of a run: everything but weights and optimizer that the next step depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// The stage in progress, or the last one trained.
    pub stage: usize,
    /// Epochs of the stage that are done.
    pub epoch: u32,
    /// Steps of the epoch in progress that are done.
    pub step_in_epoch: u64,
    /// Steps of the whole run that are done.
    pub step: u64,
    /// Epochs of the whole run that are done: which shuffle the epoch in progress has.
    pub epochs_done: u64,
    /// Sums over the steps of the epoch in progress.
    pub tally: Tally,
    /// What early stopping remembers of this stage.
    pub watch: Watch,
    /// What a schedule that waits for a plateau remembers of this stage.
    #[serde(
        with = "KeptPlateau",
        default,
        skip_serializing_if = "is_without_plateau"
    )]
    pub plateau: PlateauWatch,
}

fn is_without_plateau(plateau: &PlateauWatch) -> bool {
    *plateau == PlateauWatch::default()
}

/// How a [`PlateauWatch`] is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "PlateauWatch")]
struct KeptPlateau {
    #[serde(with = "exact_option", default)]
    best: Option<f64>,
    waited: u32,
    cooling: u32,
    #[serde(with = "exact")]
    factor: f64,
}

impl Position {
    /// The start of another stage.
    pub fn enter(&self, stage: usize) -> Position {
        Position {
            stage,
            step: self.step,
            epochs_done: self.epochs_done,
            ..Position::default()
        }
    }

    /// Whether anything of the stage was trained.
    pub(crate) fn is_in_stage(&self) -> bool {
        self.epoch > 0 || self.step_in_epoch > 0
    }
}

/// Sums over the batches of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Images seen.
    pub images: u64,
    /// Sum of the loss (without penalty) over images, each times the weight of its class.
    #[serde(with = "exact")]
    pub loss: f64,
    /// Sum of those weights, of a stage that has some.
    #[serde(with = "exact", default, skip_serializing_if = "is_zero")]
    pub weight: f64,
    /// Images classified right.
    pub correct: u64,
    /// Sum of the mean squared error in pixels over images, of the loss `mse`; not a number in checkpoints of
    /// versions that did not count it.
    #[serde(with = "exact", default = "unknown")]
    pub pixel_error: f64,
}

fn is_zero(weight: &f64) -> bool {
    *weight == 0.0
}

fn unknown() -> f64 {
    f64::NAN
}

/// What early stopping remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The best value so far, its sign turned so that smaller is better.
    #[serde(with = "exact_option", default)]
    pub best: Option<f64>,
    /// Epochs since.
    pub waited: u32,
}

/// A checkpoint that was read.
#[derive(Debug)]
pub struct Checkpoint {
    /// How far the run has come.
    pub position: Position,
    /// Weights and running statistics under PyTorch's keys.
    pub weights: HashMap<String, Tensor>,
    /// The optimizer's memory; empty at a stage's start.
    pub optimizer: HashMap<String, Tensor>,
}

/// Writes a checkpoint in one step.
pub fn save(
    path: &Path,
    position: &Position,
    weights: &[(String, Tensor)],
    optimizer: &[(String, Tensor)],
) -> Result<(), CheckpointError> {
    let failed = |reason: String| CheckpointError::Write {
        file: path.to_owned(),
        reason,
    };
    let weights = blobs(weights);
    let optimizer = optimizer
        .iter()
        .map(|(key, tensor)| Blob::of(format!("{OPTIMIZER}{key}"), tensor));
    let blobs = weights.chain(optimizer).collect();
    let json = serde_json::to_string(position).map_err(|error| failed(error.to_string()))?;
    tensor_file::write(path, blobs, Some(json)).map_err(failed)
}

/// Writes a checkpoint to look at, not to train on from: without the optimizer's memory and without waiting for the
/// disk. Fails with the system's reason.
pub(crate) fn save_weights(
    path: &Path,
    position: &Position,
    weights: &[(String, Tensor)],
) -> Result<(), String> {
    let json = serde_json::to_string(position).map_err(|error| error.to_string())?;
    tensor_file::write_quickly(path, blobs(weights).collect(), Some(json))
}

/// Writes tensors under their names alone, as other programs read them. Equal tensors give equal bytes.
pub fn write_tensors(
    path: &Path,
    tensors: &HashMap<String, Tensor>,
) -> Result<(), CheckpointError> {
    let blobs = tensors
        .iter()
        .map(|(key, tensor)| Blob::of(key.clone(), tensor));
    tensor_file::write(path, blobs.collect(), None).map_err(|reason| CheckpointError::Write {
        file: path.to_owned(),
        reason,
    })
}

fn blobs(weights: &[(String, Tensor)]) -> impl Iterator<Item = Blob> {
    weights
        .iter()
        .map(|(key, tensor)| Blob::of(key.clone(), tensor))
}

/// Reads a checkpoint onto the CPU.
pub fn load(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let failed = |reason: String| CheckpointError::Read {
        file: path.to_owned(),
        reason,
    };
    let (tensors, json) = tensor_file::read(path).map_err(failed)?;
    let position = position_in(json).map_err(failed)?;
    let (mut weights, mut optimizer) = (HashMap::new(), HashMap::new());
    for (key, tensor) in tensors {
        match key.strip_prefix(OPTIMIZER) {
            Some(key) => optimizer.insert(key.to_owned(), tensor),
            None => weights.insert(key, tensor),
        };
    }
    Ok(Checkpoint {
        position,
        weights,
        optimizer,
    })
}

/// Where a checkpoint was taken, without its tensors; none where it cannot be read.
pub(crate) fn position(path: &Path) -> Option<Position> {
    const LONGEST_HEADER: u64 = 100 << 20;
    let mut file = files::open_regular(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return None;
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    serde_json::from_str(header.metadata.get(tensor_file::KEY)?).ok()
}

/// What of a safetensors file's header is not about tensors.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: HashMap<String, String>,
}

fn position_in(json: Option<String>) -> Result<Position, String> {
    let json = json.ok_or("it has no position in it")?;
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// JSON readers may round the last bit of a number; as text it stays exact, and NaN can be written.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

mod exact_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(|value| value.to_string()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()
    }

    type Named = Vec<(String, Tensor)>;

    fn example() -> (Position, Named, Named) {
        let tally = Tally {
            images: 12,
            loss: 0.1 + 0.2,
            weight: 11.0 / 3.0,
            correct: 3,
            pixel_error: 0.7,
        };
        let watch = Watch {
            best: Some(-1.0 / 3.0),
            waited: 2,
        };
        let position = Position {
            stage: 1,
            epoch: 2,
            step_in_epoch: 3,
            step: 99,
            epochs_done: 5,
            tally,
            watch,
            plateau: PlateauWatch {
                best: Some(2.0 / 3.0),
                waited: 1,
                cooling: 4,
                factor: 0.1 * 0.1,
            },
        };
        let weights = vec![
            (
                "encoder.10.weight".into(),
                tensor(&[1.5, f32::MIN_POSITIVE]),
            ),
            ("a".into(), tensor(&[2.0])),
        ];
        let count = Tensor::new(7i64, &Device::Cpu).unwrap();
        (
            position,
            weights,
            vec![
                ("encoder.10.weight.mean".into(), tensor(&[3.0])),
                ("steps".into(), count),
            ],
        )
    }

    #[test]
    fn checkpoints_round_trip_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        let (position, weights, optimizer) = example();
        save(&path, &position, &weights, &optimizer).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let read = load(&path).unwrap();
        assert_eq!(read.position, position);
        assert_eq!(super::position(&path), Some(position.clone()));
        assert_eq!(
            read.weights["encoder.10.weight"].to_vec1::<f32>().unwrap(),
            [1.5, f32::MIN_POSITIVE]
        );
        assert_eq!(read.optimizer["steps"].to_vec0::<i64>().unwrap(), 7);
        for _ in 0..5 {
            save(&path, &position, &weights, &optimizer).unwrap();
            assert_eq!(
                std::fs::read(&path).unwrap(),
                bytes,
                "equal states give equal bytes"
            );
        }
    }

    #[test]
    fn broken_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let (position, weights, optimizer) = example();
        save(&path, &position, &weights, &optimizer).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bytes in [
            &whole[..0],
            &whole[..5],
            &whole[..whole.len() - 1],
            b"not a checkpoint",
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(
                load(&path)
                    .unwrap_err()
                    .to_string()
                    .contains("cannot read the checkpoint")
            );
        }
        assert!(save(&folder.path().join("no/x"), &position, &weights, &optimizer).is_err());
    }
}
