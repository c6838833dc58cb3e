//! The settings of `[goals]`, one for each quantity.

use super::{Form, Setting};
use crate::project::goals::Quantity;

/// The settings of `[goals]`.
pub fn all() -> Vec<Setting> {
    Quantity::ALL.map(of).to_vec()
}

/// The setting of a quantity.
pub fn of(quantity: Quantity) -> Setting {
    Setting {
        key: quantity.name(),
        former: &[],
        form: Form::Words,
        values: values(quantity),
        example: quantity.toml_example(),
        default: "no goal",
        about: about(quantity),
    }
}

fn values(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Output => "the word \"input\"",
        Quantity::Memory => "<=, >=, <, > or = and a size in B, kB, MB or GB, as text",
        Quantity::Psnr => "<=, >=, <, > or = and decibels, as text",
        Quantity::Accuracy => {
            "<=, >=, <, > or = and a fraction from 0 to 1 or a percentage, as text"
        }
        Quantity::Mse => "<=, >=, <, > or = and a number from 0, as text",
        Quantity::Parameters
        | Quantity::Macs
        | Quantity::ReceptiveField
        | Quantity::Code
        | Quantity::Layers => "<=, >=, <, > or = and a whole number, as text",
    }
}

/// One sentence for people.
fn about(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Output => "The decoder's output has the input's shape.",
        Quantity::Parameters => "Numbers that training changes, in all stacks.",
        Quantity::Macs => {
            "Multiply-accumulates for one image, forward through all stacks (1 MAC = 2 FLOPs)."
        }
        Quantity::ReceptiveField => {
            "What one value of the code sees of the input, along every axis: r + (k − 1)·d·j, layer by layer, \
                 with the product of the strides j."
        }
        Quantity::Code => "Numbers in the code, the encoder's output.",
        Quantity::Layers => "Layers of all stacks, repeats counted as often as they run.",
        Quantity::Memory => "Estimated memory of a training step, in the stage that needs most.",
        Quantity::Psnr => {
            "Peak signal-to-noise ratio of reconstructions after training, in dB: 10·log₁₀(range² / mse), on \
                 test images (or valid)."
        }
        Quantity::Accuracy => {
            "Share of test images (or valid) whose class is named right after training."
        }
        Quantity::Mse => {
            "Mean squared error of reconstructions of test images (or valid) after training."
        }
    }
}
