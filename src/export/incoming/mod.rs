//! Networks of other programs, read as projects with their weights.

pub mod onnx;

use candle_core::Tensor;
use std::path::{Path, PathBuf};
use strata_core::files;
use strata_core::project::data::{DataSpec, Source};
use strata_core::project::init::Init;
use strata_core::project::layer::{Kind, Layer};
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::stage::{Loss, Stage, Task};
use strata_core::project::{Network, Project, file};
use strata_core::shape::foreign::is_call;
use strata_core::shape::foreign::pasted::{is_print, paste};
use strata_core::shape::infer;
use strata_engine::storage::checkpoint::write_tensors;

/// A network that was read.
#[derive(Debug)]
pub struct Incoming {
    /// A project of it. Its images are drawn ones of the network's size, until it gets others.
    pub project: Project,
    /// The weights under the project's keys.
    pub weights: Vec<(String, Tensor)>,
    /// What is worth knowing of how it was read.
    pub notes: Vec<String>,
}

/// Why a network cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    /// The file is none of this form, or damaged.
    #[error("{0}")]
    File(String),
    /// A file is there already.
    #[error("{0} is there already: add --force to replace it, or choose another place with -o")]
    Exists(PathBuf),
    /// A node that no layer stands for.
    #[error("the node {node} ({operator}) cannot be a layer here: {reason}")]
    Node {
        /// Its name, or that of what it gives.
        node: String,
        /// Its operator.
        operator: String,
        /// What is missing.
        reason: String,
    },
}

/// Whether a file holds a network that can be read.
pub fn is_network(file: &Path) -> bool {
    let ending = file.extension();
    file.is_file() && ending.is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"))
}

/// Endings of files with printed models or lines of code.
const TEXTS: [&str; 3] = ["txt", "py", "md"];
/// No printed model is longer.
pub const MOST_BYTES: u64 = 1 << 20;

/// Whether a file may hold a printed model, or lines of code.
pub fn is_text(file: &Path) -> bool {
    let ending = file.extension();
    let is_one = |of: &str| ending.is_some_and(|ending| ending.eq_ignore_ascii_case(of));
    file.is_file() && TEXTS.into_iter().any(is_one)
}

/// Whether a text file holds layers: others of the same ending may be tables of images, or words.
pub fn holds_layers(file: &Path) -> bool {
    let text = || files::read_text(file, MOST_BYTES).ok();
    let has_layers =
        |text: String| is_print(&text) || (is_call(&text) && !paste(&text).layers.is_empty());
    is_text(file) && text().is_some_and(has_layers)
}

/// Makes a project of the text in a file; see [`import_text`].
pub fn import_listing(from: &Path, to: &Path, force: bool) -> Result<Made, IncomingError> {
    let text = files::read_text(from, MOST_BYTES).map_err(|error| {
        let text = format!("cannot read {}: {error}", from.display());
        IncomingError::File(text)
    })?;
    let title = from.file_stem().unwrap_or_default().to_string_lossy();
    import_text(&text, &title, to, force)
}

/// Makes a project of a network that was printed, pasted or listed as lines of code, without weights: all of it, or what
/// was understood. Nothing is written where the file is there and is not to be replaced, or where no line holds a layer.
pub fn import_text(text: &str, title: &str, to: &Path, force: bool) -> Result<Made, IncomingError> {
    if to.exists() && !force {
        return Err(IncomingError::Exists(to.to_owned()));
    }
    let pasted = paste(text);
    if pasted.layers.is_empty() {
        let first = pasted.unread.first();
        let reason = first.map_or_else(String::new, |unread| {
            format!(": line {}: {}", unread.line, unread.reason)
        });
        return Err(IncomingError::File(format!(
            "no line holds a layer{reason}"
        )));
    }
    let mut notes = pasted.notes;
    let unread = pasted.unread.iter();
    notes.extend(unread.map(|unread| {
        format!(
            "line {} was left out, {}: {}",
            unread.line,
            unread.reason,
            unread.text.trim()
        )
    }));
    let input = pasted.input.or_else(|| {
        let note =
            "the lines do not say the size of an image: 3x32x32 is taken, write another as input";
        notes.push(note.to_owned());
        Shape::new(&[3, 32, 32])
    });
    let input = input.ok_or_else(|| IncomingError::File("the input is no image".to_owned()))?;
    let project = project_of(in_stacks(input, pasted.layers), title, None);
    file::save(&project, to).map_err(|error| IncomingError::File(error.to_string()))?;
    Ok(Made {
        weights: None,
        notes,
    })
}

/// Layers one after the other as stacks: from the first vector on they are the head, from the first that enlarges the
/// decoder.
fn in_stacks(input: Shape, layers: Vec<Layer>) -> Network {
    let is_vector = |layer: &Layer| {
        matches!(
            layer.kind,
            Kind::Flatten | Kind::GlobalAvgPool | Kind::GlobalMaxPool | Kind::Dense { .. }
        )
    };
    let enlarges = |layer: &Layer| {
        matches!(
            layer.kind,
            Kind::ConvTranspose { .. } | Kind::Upsample { .. } | Kind::Unpool
        )
    };
    let (decoder, head) = (
        layers.iter().position(enlarges),
        layers.iter().position(is_vector),
    );
    let mut encoder: Vec<Node> = layers.into_iter().map(Node::Layer).collect();
    let mut network = Network {
        input,
        encoder: Vec::new(),
        decoder: Vec::new(),
        head: Vec::new(),
    };
    match (decoder, head) {
        (Some(at), _) => network.decoder = encoder.split_off(at),
        (None, Some(at)) => network.head = encoder.split_off(at),
        (None, None) => {}
    }
    Network { encoder, ..network }
}

/// What was made of a file.
#[derive(Debug)]
pub struct Made {
    /// The file of the weights, where there are some.
    pub weights: Option<PathBuf>,
    /// What is worth knowing of how it was read.
    pub notes: Vec<String>,
}

/// Makes a project of a file that holds a network, and a file of its weights beside it with the same name. Nothing is
/// written where the network cannot be read, or where one of the two is there and is not to be replaced.
pub fn import(from: &Path, to: &Path, force: bool) -> Result<Made, IncomingError> {
    let weights = to.with_extension("safetensors");
    for file in [to, &weights] {
        if file.exists() && !force {
            return Err(IncomingError::Exists(file.to_owned()));
        }
    }
    let unread = |reason: &dyn ToString| {
        IncomingError::File(format!(
            "cannot read {}: {}",
            from.display(),
            reason.to_string()
        ))
    };
    let bytes = std::fs::read(from).map_err(|reason| unread(&reason))?;
    let title = from.file_stem().unwrap_or_default().to_string_lossy();
    let name = weights.file_name().unwrap_or_default().to_string_lossy();
    let incoming = onnx::read(&bytes, &title, &name)?;
    let has_weights = !incoming.weights.is_empty();
    if has_weights {
        let tensors = incoming.weights.into_iter().collect();
        write_tensors(&weights, &tensors)
            .map_err(|error| IncomingError::File(error.to_string()))?;
    }
    file::save(&incoming.project, to).map_err(|error| IncomingError::File(error.to_string()))?;
    Ok(Made {
        weights: has_weights.then_some(weights),
        notes: incoming.notes,
    })
}

/// A project of a network: what it can be trained for follows from what it gives.
fn project_of(network: Network, title: &str, init: Option<Init>) -> Project {
    let inference = infer(&network);
    let task = match (&inference.answer, inference.output_equals_input) {
        (Some(_), _) => Task::Classify,
        _ => Task::Reconstruct,
    };
    let loss = match task {
        Task::Classify => Loss::CROSS_ENTROPY,
        Task::Reconstruct => Loss::Mse,
    };
    let data = match *network.input.dims() {
        [channels, height, width] => DataSpec {
            source: Source::Shapes,
            resize: u32::try_from(height)
                .ok()
                .zip(u32::try_from(width).ok())
                .map(<[u32; 2]>::from),
            grey: channels == 1,
            ..DataSpec::default()
        },
        _ => DataSpec::default(),
    };
    Project {
        title: title.to_owned(),
        seed: 42,
        init,
        data,
        network,
        stages: vec![Stage {
            name: task.name().to_owned(),
            task,
            loss,
            ..Stage::default()
        }],
        goals: Default::default(),
        locked: Vec::new(),
        sweep: None,
        study: None,
    }
}
