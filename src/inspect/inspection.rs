//! What an inspection is: a request, an output, and how the one is computed from the other.
//!
//! A running training, the service for saved runs, the window and the terminal all go through
//! [`Inspection`]; a new kind of inspection is one file with one `impl` of it.

use super::image_set::ImageSet;
use super::inspector::Inspector;
use candle_core::Device;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Instant;
use strata_core::project::stage::Stage;
use strata_core::shape::Inference;
use strata_data::{DataError, Dataset, Progress};
use strata_nn::{Network, NnError};

/// One kind of inspection; the type itself is the output.
pub trait Inspection: Debug + Send + Sync + Sized + 'static {
    /// The word for it in messages.
    const NAME: &'static str;
    /// What has to be open before it can be computed.
    const NEEDS: Needs;
    /// What can be asked for.
    type Request: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// Computes the output.
    fn compute(
        cx: &mut InspectionContext<'_>,
        request: &Self::Request,
    ) -> Result<Self, InspectError>;

    /// The change since an earlier output of the same request; fails with why where a difference says nothing.
    fn change_since(&self, earlier: &Self) -> Result<Self, InspectError> {
        let _ = earlier;
        Err(InspectError::Input(format!(
            "the change between two steps is not drawn of {}: look at each step by itself",
            Self::NAME
        )))
    }

    /// The training step it was computed at; outputs of a run in training are stale after the next
    /// step. `None` for what does not depend on one.
    fn step(&self) -> Option<u64> {
        None
    }
}

/// What has to be open before an inspection can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The weights of a run.
    Run,
    /// The weights of a run and its images.
    RunWithImages,
    /// The images of a project, where the subject names some.
    Images,
}

/// What is inspected.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The run in training.
    Live,
    /// Weights that a run has saved.
    Stored(SavedWeights),
    /// The images of a project.
    Images(Box<ImageSet>),
    /// Nothing but what the request holds.
    Nothing,
}

/// Weights that a run has saved in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedWeights {
    /// The run's folder.
    pub run: PathBuf,
    /// The step whose snapshot is meant; `None` for the last checkpoint.
    pub step: Option<u64>,
    /// With these the change since this step's snapshot is meant.
    pub since: Option<u64>,
}

impl<P: Into<PathBuf>> From<P> for SavedWeights {
    /// The last checkpoint of the run in this folder.
    fn from(run: P) -> SavedWeights {
        SavedWeights {
            run: run.into(),
            step: None,
            since: None,
        }
    }
}

impl Subject {
    /// Whether it is a run.
    pub fn is_run(&self) -> bool {
        matches!(self, Subject::Live | Subject::Stored(_))
    }
}

/// A network to inspect, in training or loaded from a checkpoint.
pub struct InspectedRun<'a> {
    /// The network with its weights.
    pub network: &'a mut Network,
    /// Its shapes.
    pub inference: &'a Inference,
    /// The stages that were trained, the latest first; of a run in training the present one.
    pub stages: &'a [Stage],
    /// The project's seed.
    pub seed: u64,
    /// Steps taken.
    pub step: u64,
    /// Where the network is.
    pub device: &'a Device,
}

/// A slice of volumes: its number, `None` for the middle one.
pub type Slice = Option<usize>;

/// What an inspection can use.
pub struct InspectionContext<'a> {
    /// The network and what it was trained on, where the subject is a run.
    pub run: Option<InspectedRun<'a>>,
    /// The images, where the subject has some.
    pub images: Option<&'a Dataset>,
    /// Which slice of volumes is shown.
    pub slice: Slice,
    /// What was made for earlier requests.
    pub inspector: &'a mut Inspector,
    /// When what goes over many images should stop, so that a training does not wait for it.
    pub deadline: Option<Instant>,
    /// Takes how far reading has come, where that is known; false when the output is not wanted any more.
    pub monitor: &'a mut dyn FnMut(Option<Progress>) -> bool,
}

impl<'a> InspectionContext<'a> {
    /// The run; fails where the subject is none.
    pub fn run(&mut self) -> Result<&mut InspectedRun<'a>, InspectError> {
        let none = || InspectError::Input("there is no network to inspect".to_owned());
        self.run.as_mut().ok_or_else(none)
    }

    /// The images; fails where the subject has none.
    pub fn images(&self) -> Result<&'a Dataset, InspectError> {
        let none = || InspectError::Input("there are no images to look at".to_owned());
        self.images.ok_or_else(none)
    }

    /// The stage in training, or the last that was trained.
    pub fn stage(&mut self) -> Result<Stage, InspectError> {
        Ok(self.run()?.stages.first().cloned().unwrap_or_default())
    }

    /// Whether the output is still wanted.
    pub fn is_wanted(&mut self) -> bool {
        (self.monitor)(None)
    }

    /// Takes how far reading has come; false when the output is not wanted any more.
    pub fn report(&mut self, progress: Progress) -> bool {
        (self.monitor)(Some(progress))
    }
}

/// Why an inspection has no output.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// An image could not be read, or is not wanted any more.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network did not compute.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The device refused.
    #[error("the device refused an operation: {0}")]
    Device(#[from] candle_core::Error),
    /// The request asks for what is not there.
    #[error("{0}")]
    Input(String),
}
