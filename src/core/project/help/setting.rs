//! Settings of the data and of a stage as values, to be put where another is.

use crate::project::Project;
use crate::project::data::{DataSpec, Normalize, Split, Train};
use crate::project::schedule::Schedule;
use crate::project::stage::{
    ClassWeights, Decay, EarlyStop, Loss, Optimizer, RateFactors, Sparsity, Stage,
};

/// A setting of the `[data]` table.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSetting {
    /// What pixel 0 and pixel 255 become.
    Range([f32; 2]),
    /// Standardisation by what is measured on the training images.
    NormalizeByTrain,
    /// The fraction of the training images that is held back.
    Valid(f32),
    /// Height and width of every image.
    Resize([u32; 2]),
    /// Height and width of a patch.
    Patch([u32; 2]),
    /// Any setting, as a line of the file: `rate = 16000`.
    Line(String),
    /// The setting of this key goes.
    Without(&'static str),
}

impl DataSetting {
    /// The same for a project: images are scaled to what its network takes.
    pub fn for_project(self, project: &Project) -> DataSetting {
        match (self, project.size_to_scale_to()) {
            (DataSetting::Resize(_), Some(size)) => DataSetting::Resize(size),
            (setting, _) => setting,
        }
    }

    /// The key of the setting.
    pub fn key(&self) -> &str {
        self.written().0
    }

    /// The table with this setting.
    pub fn in_table(&self, data: &DataSpec) -> DataSpec {
        let mut data = data.clone();
        match self {
            DataSetting::Range(range) => data.range = Some(*range),
            DataSetting::NormalizeByTrain => {
                data.normalize = Some(Normalize::Measured(Train::Train))
            }
            DataSetting::Valid(share) => data.valid = Some(*share),
            DataSetting::Resize(size) => data.resize = Some(*size),
            DataSetting::Patch(size) => data.patches = Some(*size),
            DataSetting::Line(line) => data = data.with_line(line).unwrap_or(data),
            DataSetting::Without(key) => data = data.without(key).unwrap_or(data),
        }
        data
    }

    /// The key and, unless the setting goes, the value as the project file has it.
    pub(super) fn written(&self) -> (&str, Option<String>) {
        match self {
            DataSetting::Range([low, high]) => ("range", Some(format!("[{low}, {high}]"))),
            DataSetting::NormalizeByTrain => ("normalize", Some("\"train\"".into())),
            DataSetting::Valid(share) => ("valid", Some(share.to_string())),
            DataSetting::Resize([height, width]) => {
                ("resize", Some(format!("[{height}, {width}]")))
            }
            DataSetting::Patch([height, width]) => ("patch", Some(format!("\"{height}x{width}\""))),
            DataSetting::Line(line) => match line.split_once(" = ") {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (line, None),
            },
            DataSetting::Without(key) => (key, None),
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
    /// What early stopping watches, and for how long.
    EarlyStop(EarlyStop),
    /// One name less in `freeze`.
    Thaw(String),
    /// How the learning rate changes.
    Schedule(Schedule),
    /// How much each class counts; `None` where the setting goes.
    ClassWeights(Option<ClassWeights>),
    /// The factors on the learning rate.
    RateFactors(RateFactors),
    /// What weight decay acts on.
    Decay(Decay),
    /// Steps of an update.
    Accumulate(u32),
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
            StageSetting::EarlyStop(rule) => *stage.early_stop.as_mut()? = rule.clone(),
            StageSetting::Thaw(name) => stage.freeze.retain(|frozen| frozen != name),
            StageSetting::Schedule(schedule) => stage.schedule = Some(schedule.clone()),
            StageSetting::ClassWeights(weights) => stage.class_weights = weights.clone(),
            StageSetting::RateFactors(factors) => stage.rate_factors = factors.clone(),
            StageSetting::Decay(decay) => stage.decay = *decay,
            StageSetting::Accumulate(steps) => stage.accumulate = *steps,
        }
        Some(stage)
    }

    /// The key of the setting.
    pub fn key(&self) -> &'static str {
        self.written().0
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
            StageSetting::EarlyStop(rule) => ("early_stop", quoted(rule)),
            StageSetting::Thaw(_) => ("freeze", None),
            StageSetting::Schedule(schedule) => ("schedule", quoted(schedule)),
            StageSetting::ClassWeights(weights) => {
                let written = weights.as_ref().and_then(|weights| quoted(weights));
                ("class_weights", written)
            }
            StageSetting::RateFactors(factors) if factors.is_empty() => ("rate_factors", None),
            StageSetting::RateFactors(factors) => ("rate_factors", quoted(factors)),
            StageSetting::Decay(Decay::All) => ("decay", None),
            StageSetting::Decay(decay) => ("decay", quoted(decay)),
            StageSetting::Accumulate(steps) => ("accumulate", Some(steps.to_string())),
        }
    }
}
