//! Looking into a network: plain arrays made of its weights and activations, and pictures of them.
//!
//! Nothing here changes a network or knows a window.

pub mod augmented;
pub mod curve;
pub mod effective_field;
pub mod filters;
pub mod gallery;
pub mod kernel;
pub mod maps;
pub mod mirror;
pub mod picture;
pub mod pixel;
pub mod reconstructions;
pub mod saliency;
pub mod sparse;
pub mod statistics;

use crate::shape::{Inference, Planned, PlannedLayer, Row};

/// The layer that a key of `nn` (`encoder.0`, or of a parameter: `encoder.0.weight`) belongs to, with its row.
pub fn layer_of<'a>(inference: &'a Inference, key: &str) -> Option<(&'a PlannedLayer, &'a Row)> {
    let layer = inference
        .plan
        .as_ref()?
        .stacks
        .iter()
        .flatten()
        .find_map(|stack| search(stack, key))?;
    Some((layer, inference.row(&layer.place)?))
}

/// A layer's key with its text, for messages: ``encoder.0 `conv 16 k3` ``.
pub fn layer_name(inference: &Inference, key: &str) -> String {
    layer_of(inference, key).map_or_else(
        || key.to_owned(),
        |(_, row)| format!("{key} `{}`", row.text),
    )
}

/// A class by its number; one without a name is called by the number.
pub fn class_name(classes: &[String], class: u32) -> String {
    classes
        .get(class as usize)
        .cloned()
        .unwrap_or_else(|| class.to_string())
}

fn search<'a>(nodes: &'a [Planned], key: &str) -> Option<&'a PlannedLayer> {
    nodes.iter().find_map(|node| match node {
        Planned::Layer(layer) => {
            let rest = key.strip_prefix(&layer.key)?;
            (rest.is_empty() || rest.starts_with('.')).then_some(layer)
        }
        Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
            branches.iter().find_map(|branch| search(branch, key))
        }
        Planned::Repeat { passes, .. } => passes.iter().find_map(|pass| search(pass, key)),
    })
}
