//! What is measured step by step or epoch by epoch, and how its values are written.

use serde::{Deserialize, Serialize};
use strata_core::format;

/// A quantity that has a curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The loss without the penalty of sparsity.
    #[default]
    Loss,
    /// The share classified right.
    Accuracy,
    /// The mean negative logarithm of the right class's probability.
    LogLoss,
    /// What sparsity adds to the loss.
    Penalty,
    /// The learning rate.
    LearningRate,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 5] = [
        Quantity::Loss,
        Quantity::Accuracy,
        Quantity::LogLoss,
        Quantity::Penalty,
        Quantity::LearningRate,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Loss => "Loss",
            Quantity::Accuracy => "Accuracy",
            Quantity::LogLoss => "Log loss",
            Quantity::Penalty => "Penalty",
            Quantity::LearningRate => "Learning rate",
        }
    }

    /// What it is, in one sentence.
    pub fn about(self) -> &'static str {
        match self {
            Quantity::Loss => "What training makes small, without the penalty of sparsity",
            Quantity::Accuracy => "The share of images whose class is named right",
            Quantity::LogLoss => {
                "The mean negative logarithm of the right class's probability, whatever the loss is"
            }
            Quantity::Penalty => "What sparsity adds to the loss of each batch",
            Quantity::LearningRate => "How far each step goes along the gradient",
        }
    }

    /// A value as text.
    pub fn write(self, value: f64) -> String {
        match self {
            Quantity::Accuracy => format!("{:.2} %", 100.0 * value),
            Quantity::Loss | Quantity::LogLoss | Quantity::Penalty | Quantity::LearningRate => {
                format::loss(value)
            }
        }
    }

    /// What a value of a single step is of.
    pub fn step_name(self) -> &'static str {
        match self {
            Quantity::LearningRate => "step",
            Quantity::Loss | Quantity::Accuracy | Quantity::LogLoss | Quantity::Penalty => "batch",
        }
    }

    /// Whether its values are ratios to each other, so that a logarithmic axis shows them.
    pub fn has_logarithm(self) -> bool {
        self != Quantity::Accuracy
    }
}
