//! Looking into a network and its images: plain arrays, and pictures of them.
//!
//! Each kind is a file with a request, an output and an `impl` of [`inspection::Inspection`]. Nothing here
//! changes a network or knows a window.

pub mod activations;
pub mod activity_change;
pub mod adversarial;
pub mod answers;
pub mod attribution;
pub mod augmented;
mod batches;
pub mod code_edit;
pub mod confusion;
pub mod curve;
pub mod effective_field;
pub mod embedding;
pub mod exciting;
pub mod features;
pub mod filter_picture;
pub mod filters;
pub mod gallery;
pub mod head;
pub mod image_set;
pub mod inspection;
pub mod inspector;
pub mod kernel;
pub mod kernel_playground;
pub mod label_figures;
pub mod layer_pictures;
pub mod layer_rows;
pub mod layer_statistics;
pub mod map_look;
pub mod maps;
pub mod neighbours;
pub mod network_copy;
pub mod picture;
pub mod pixel;
pub mod predictions;
pub mod reconstruction_errors;
pub mod reconstructions;
pub mod saliency;
pub mod slices;
pub mod sparse;
pub mod ssim;
pub mod statistics;
#[cfg(test)]
mod test_bench;
pub mod visualize;
pub mod warp;

use candle_core::{Device, Tensor};
use inspection::InspectError;
use strata_core::format;
use strata_core::project::Stack;
use strata_core::shape::{Inference, Plan, Planned, PlannedLayer, Row};
use strata_nn::Route;

/// The layer that a key of `nn` (`encoder.0`, or of a parameter: `encoder.0.weight`) belongs to, with its row.
pub(crate) fn layer_of<'a>(
    inference: &'a Inference,
    key: &str,
) -> Option<(&'a PlannedLayer, &'a Row)> {
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

/// ` · change since step 8`, of what shows the change since an earlier step.
pub fn since_words(since: Option<u64>) -> String {
    since.map_or_else(String::new, |step| {
        format!(" · change since step {}", format::count(step))
    })
}

/// `now − earlier`, value by value.
fn subtract(now: &mut [f32], earlier: &[f32]) -> Result<(), InspectError> {
    if now.len() != earlier.len() {
        let message = "the two steps have nothing of the same size to compare";
        return Err(InspectError::Input(message.to_owned()));
    }
    let pairs = now.iter_mut().zip(earlier);
    pairs.for_each(|(now, earlier)| *now -= earlier);
    Ok(())
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

/// A route that runs the stack.
fn route_through(plan: &Plan, stack: Stack) -> Route {
    match stack {
        Stack::Head => Route::Classify,
        Stack::Decoder => Route::Reconstruct,
        Stack::Encoder if plan.stack(Stack::Decoder).is_some() => Route::Reconstruct,
        Stack::Encoder => Route::Classify,
    }
}

/// The values of one image, channels last in the tensor, in C, D, H, W order.
fn channels_first(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    let host = tensor.flatten_all()?.to_device(&Device::Cpu)?;
    let values = host.to_vec1::<f32>()?;
    let channels = tensor.dims().last().copied().unwrap_or(1).max(1);
    let positions = values.len() / channels;
    Ok((0..channels * positions)
        .map(|i| values[i % positions * channels + i / positions])
        .collect())
}
