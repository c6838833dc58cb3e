//! Settings of the data and of a stage as values, to be put where another is.

use crate::project::data::{DataSpec, Normalize, Split, Train};
use crate::project::stage::{Loss, Optimizer, Sparsity, Stage};

/// A setting of the `[data]` table.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSetting {
    /// What pixel 0 and pixel 255 become.
    Range([f32; 2]),
    /// No range.
    NoRange,
    /// No standardisation by channel.
    NoNormalize,
    /// Standardisation by what is measured on the training images.
    NormalizeByTrain,
    /// Share of the training images held back.
    Valid(f32),
    /// All images.
    NoLimit,
    /// Height and width of every image.
    Resize([u32; 2]),
    /// Height and width of a patch.
    Patch([u32; 2]),
}

impl DataSetting {
    /// The table with this setting.
    pub fn in_table(&self, data: &DataSpec) -> DataSpec {
        let mut data = data.clone();
        match self {
            DataSetting::Range(range) => data.range = Some(*range),
            DataSetting::NoRange => data.range = None,
            DataSetting::NoNormalize => data.normalize = None,
            DataSetting::NormalizeByTrain => {
                data.normalize = Some(Normalize::Measured(Train::Train))
            }
            DataSetting::Valid(share) => data.valid = Some(*share),
            DataSetting::NoLimit => data.limit = None,
            DataSetting::Resize(size) => data.resize = Some(*size),
            DataSetting::Patch(size) => data.patches = Some(*size),
        }
        data
    }

    /// The key and, unless the setting goes, the value as the project file has it.
    pub(super) fn written(&self) -> (&'static str, Option<String>) {
        match self {
            DataSetting::Range([low, high]) => ("range", Some(format!("[{low}, {high}]"))),
            DataSetting::NoRange => ("range", None),
            DataSetting::NoNormalize => ("normalize", None),
            DataSetting::NormalizeByTrain => ("normalize", Some("\"train\"".into())),
            DataSetting::Valid(share) => ("valid", Some(share.to_string())),
            DataSetting::NoLimit => ("limit", None),
            DataSetting::Resize([height, width]) => {
                ("resize", Some(format!("[{height}, {width}]")))
            }
            DataSetting::Patch([height, width]) => ("patch", Some(format!("\"{height}x{width}\""))),
        }
    }
}

/// A setting of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum StageSetting {
    /// Passes over the images.
    Epochs(u32),
    /// Images a step.
    Batch(u32),
    /// The images it trains on.
    Split(Split),
    /// What is minimised.
    Loss(Loss),
    /// How weights are updated.
    Optimizer(Optimizer),
    /// The penalty on activations.
    Sparsity(Sparsity),
    /// What early stopping watches.
    StopMetric(&'static str),
    /// One name less in `freeze`.
    Thaw(String),
}

impl StageSetting {
    /// The stage with this setting; `None` where it has nothing to set.
    pub fn in_stage(&self, stage: &Stage) -> Option<Stage> {
        let mut stage = stage.clone();
        match self {
            StageSetting::Epochs(epochs) => stage.epochs = *epochs,
            StageSetting::Batch(batch) => stage.batch = *batch,
            StageSetting::Split(split) => stage.split = *split,
            StageSetting::Loss(loss) => stage.loss = *loss,
            StageSetting::Optimizer(optimizer) => stage.optimizer = *optimizer,
            StageSetting::Sparsity(sparsity) => stage.sparsity = Some(sparsity.clone()),
            StageSetting::StopMetric(metric) => {
                stage.early_stop.as_mut()?.metric = (*metric).to_owned();
            }
            StageSetting::Thaw(name) => stage.freeze.retain(|frozen| frozen != name),
        }
        Some(stage)
    }

    /// The key and, unless the setting goes, the value as the project file has it.
    pub(super) fn written(&self) -> (&'static str, Option<String>) {
        let quoted = |text: &dyn std::fmt::Display| Some(format!("\"{text}\""));
        match self {
            StageSetting::Epochs(epochs) => ("epochs", Some(epochs.to_string())),
            StageSetting::Batch(batch) => ("batch", Some(batch.to_string())),
            StageSetting::Split(split) => ("split", quoted(split)),
            StageSetting::Loss(loss) => ("loss", quoted(loss)),
            StageSetting::Optimizer(optimizer) => ("optimizer", quoted(optimizer)),
            StageSetting::Sparsity(sparsity) => ("sparsity", quoted(sparsity)),
            StageSetting::StopMetric(metric) => ("metric", quoted(metric)),
            StageSetting::Thaw(_) => ("freeze", None),
        }
    }
}
