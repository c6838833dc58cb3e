//! A run's network, or its curves, as files of another program, in one folder.

use crate::error::ExportError;
use crate::pytorch::training;
use crate::{keras, onnx, pytorch, tensorboard, torchvision};
use candle_core::Tensor;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use strata_core::atomic_write::write_atomic;
use strata_core::project::{Project, file};
use strata_engine::storage::checkpoint::write_tensors;
use strata_engine::storage::saved_run::weights;

/// The file of the weights, beside code that reads them.
pub const WEIGHTS_FILE: &str = "weights.safetensors";

/// Where a network can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `model.py`, an `nn.Module`, with its weights.
    Pytorch,
    /// `model.keras`, with its weights inside, for Keras 3 on any backend.
    Keras,
    /// `model.onnx`, with its weights inside.
    Onnx,
    /// The weights alone, under PyTorch's keys; those of ResNet-18 and MobileNetV2 under torchvision's.
    Weights,
    /// The curves as an event file.
    Tensorboard,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [
        Format::Pytorch,
        Format::Keras,
        Format::Onnx,
        Format::Weights,
        Format::Tensorboard,
    ];

    /// The word of the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Format::Pytorch => "pytorch",
            Format::Keras => "keras",
            Format::Onnx => "onnx",
            Format::Weights => "weights",
            Format::Tensorboard => "tensorboard",
        }
    }

    /// What was saved, for people.
    pub fn saved_as(self) -> &'static str {
        match self {
            Format::Pytorch => "The network for PyTorch",
            Format::Keras => "The network for Keras",
            Format::Onnx => "The network as ONNX",
            Format::Weights => "The weights",
            Format::Tensorboard => "The curves for TensorBoard",
        }
    }

    /// How a person asks for it.
    pub fn command(self) -> &'static str {
        match self {
            Format::Pytorch => "Export for PyTorch",
            Format::Keras => "Export for Keras",
            Format::Onnx => "Export as ONNX",
            Format::Weights => "Export the weights",
            Format::Tensorboard => "Export for TensorBoard",
        }
    }

    /// What it is good for.
    pub fn about(self) -> &'static str {
        match self {
            Format::Pytorch => {
                "the network as readable code with its weights, a script that trains it there, and its images"
            }
            Format::Keras => "the network with its weights in one file, for any backend of Keras 3",
            Format::Onnx => {
                "the network with its weights in one file, for ONNX runtimes and Netron"
            }
            Format::Weights => "the weights alone, under the names that PyTorch gives them",
            Format::Tensorboard => "losses, accuracies and learning rates of all steps and epochs",
        }
    }

    /// The files that it leaves, by name.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Format::Pytorch => &[pytorch::MODEL_FILE, WEIGHTS_FILE],
            Format::Keras => &[keras::MODEL_FILE],
            Format::Onnx => &[onnx::MODEL_FILE],
            Format::Weights => &[WEIGHTS_FILE],
            Format::Tensorboard => &[tensorboard::EVENTS_FILE],
        }
    }
}

/// Where a run's network is written unless another place is named.
pub fn usual_folder(run: &Path) -> PathBuf {
    run.join("export")
}

/// What to write, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The run's folder.
    pub run: &'a Path,
    /// `last`, `best`, `stage-1`, `step-512`.
    pub checkpoint: &'a str,
    /// For which program.
    pub format: Format,
    /// The folder of the files; made where it is missing.
    pub folder: &'a Path,
    /// Whether files that are there are replaced.
    pub force: bool,
    /// For PyTorch: whether a script that trains the project, with its images, goes with it.
    pub with_training: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Why there is no script that trains the project, where one was asked for.
    pub without_training: Option<String>,
}

/// Writes the network of a run for another program. Nothing is written where one of the files is in the way or the network
/// cannot be expressed; where only the training cannot, the network is written alone.
pub fn export(request: &Request<'_>) -> Result<Exported, ExportError> {
    let trains = request.with_training && request.format == Format::Pytorch;
    let names = request.format.files().iter().copied();
    let scripts = training::files().filter(|_| trains);
    let in_the_way = names
        .clone()
        .chain(scripts)
        .map(|name| request.folder.join(name))
        .find(|file| file.exists() && !request.force);
    if let Some(file) = in_the_way {
        return Err(ExportError::Exists(file));
    }
    if request.format == Format::Tensorboard {
        let file = request.folder.join(tensorboard::EVENTS_FILE);
        fs::create_dir_all(request.folder).map_err(|reason| unwritten(request.folder, &reason))?;
        write_atomic(&file, &tensorboard::events(request.run)?)
            .map_err(|reason| unwritten(&file, &reason))?;
        return Ok(Exported {
            files: vec![file],
            without_training: None,
        });
    }
    let project = file::load(&request.run.join("project.toml"))?;
    let weights = weights(request.run, request.checkpoint)?;
    write(&project, &weights, request.format, request.folder)?;
    let mut exported = Exported {
        files: names.map(|name| request.folder.join(name)).collect(),
        without_training: None,
    };
    if trains {
        match training::write(request.run, request.checkpoint, request.folder) {
            Ok(files) => exported.files.extend(files),
            Err(error) => exported.without_training = Some(error.to_string()),
        }
    }
    Ok(exported)
}

/// Writes a network with weights under PyTorch's keys, over files that are there.
pub fn write(
    project: &Project,
    weights: &HashMap<String, Tensor>,
    format: Format,
    folder: &Path,
) -> Result<(), ExportError> {
    let code = match format {
        Format::Pytorch => Some((pytorch::MODEL_FILE, pytorch::model(project)?.into_bytes())),
        Format::Keras => Some((keras::MODEL_FILE, keras::model(project, weights)?)),
        Format::Onnx => Some((onnx::MODEL_FILE, onnx::model(project, weights)?)),
        // Curves are of a run, not of a network.
        Format::Weights | Format::Tensorboard => None,
    };
    fs::create_dir_all(folder).map_err(|reason| unwritten(folder, &reason))?;
    if let Some((name, bytes)) = code {
        let file = folder.join(name);
        write_atomic(&file, &bytes).map_err(|reason| unwritten(&file, &reason))?;
    }
    if format.files().contains(&WEIGHTS_FILE) {
        let file = folder.join(WEIGHTS_FILE);
        // Alone they are for whatever has such a network: where torchvision has it, under its names.
        let known = (format == Format::Weights).then(|| torchvision::named(project, weights));
        let known = known.flatten().map(|(_, named)| named);
        write_tensors(&file, known.as_ref().unwrap_or(weights))
            .map_err(|reason| unwritten(&file, &reason))?;
    }
    Ok(())
}

fn unwritten(file: &Path, reason: &dyn ToString) -> ExportError {
    ExportError::Write {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
