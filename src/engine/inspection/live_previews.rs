//! Previews of a run, made without being asked for: filters and reconstructions. They are published
//! while it trains, and written to `probe/` at the end of an epoch.
//!
//! Making them takes at most a sixtieth of the time, and changes no number of the training. A
//! preview that cannot be made is left out: the training is worth more.

use super::live::LiveResults;
use crate::error::RunError;
use crate::storage::tensor_file::{Blob, write};
use candle_core::Device;
use safetensors::tensor::Dtype;
use std::path::Path;
use std::time::{Duration, Instant};
use strata_core::shape::Inference;
use strata_data::Dataset;
use strata_inspect::filters::{self, Filters, Request};
use strata_inspect::reconstructions::{Probe, Reconstructions, reconstruct};
use strata_nn::Network;

/// Between two previews.
const EVERY: Duration = Duration::from_millis(250);
/// Previews and inspections take at most one part in so many of the time.
const SHARE: u32 = 60;

/// The longest that one inspection of many images may hold up the training.
pub(crate) const LONGEST: Duration = Duration::from_millis(30);
/// The same while the training waits.
pub(crate) const LONGEST_PAUSED: Duration = Duration::from_millis(300);

/// Makes the previews of a run.
pub(crate) struct LivePreviews {
    probe: Option<Probe>,
    due: Instant,
}

impl LivePreviews {
    /// Chooses the probe images; without a whole decoder there are only filters.
    pub fn new(
        dataset: &Dataset,
        inference: &Inference,
        seed: u64,
        device: &Device,
    ) -> Result<LivePreviews, RunError> {
        let reconstructs = inference.output_equals_input == Some(true);
        let probe = if reconstructs {
            Probe::of_run(dataset, seed, device)?
        } else {
            None
        };
        Ok(LivePreviews {
            probe,
            due: Instant::now(),
        })
    }

    /// Whether it is time for new ones.
    pub(crate) fn are_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// Makes both previews, of at most `batch` images at a time.
    pub fn make(
        &self,
        network: &mut Network,
        dataset: &Dataset,
        inference: &Inference,
        batch: usize,
        step: u64,
    ) -> (Option<Filters>, Option<Reconstructions>) {
        let filters = filters::of_layer(network, inference, &Request::First, step);
        let filters = filters.unwrap_or_else(|error| {
            log::warn!("the filters at step {step} could not be read: {error}");
            None
        });
        let probe = self.probe.as_ref();
        let made = probe.map(|probe| reconstruct(network, dataset, probe, batch, step));
        let reconstructions = made.transpose().unwrap_or_else(|error| {
            log::warn!("the reconstructions at step {step} could not be made: {error}");
            None
        });
        (filters, reconstructions)
    }

    /// The next ones are due when these have cost no more than their fraction of the time.
    pub fn rest(&mut self, spent: Duration) {
        self.due = Instant::now() + EVERY.max(spent * SHARE);
    }
}

/// Puts previews where the window finds them.
pub(crate) fn publish(
    live: &LiveResults,
    filters: Option<&Filters>,
    reconstructions: Option<&Reconstructions>,
) {
    if let Some(filters) = filters {
        live.filters.put(filters.clone());
    }
    if let Some(reconstructions) = reconstructions {
        live.reconstructions.put(reconstructions.clone());
    }
}

/// Writes an epoch's previews as plain tensors, for looking back. Fails with the system's reason.
pub(crate) fn snapshot(
    path: &Path,
    filters: Option<&Filters>,
    reconstructions: Option<&Reconstructions>,
) -> Result<(), String> {
    let mut blobs = Vec::new();
    if let Some(filters) = filters {
        let dims = vec![
            filters.count,
            filters.height,
            filters.width,
            filters.channels,
        ];
        blobs.push(Blob::new(
            "filters",
            Dtype::F32,
            dims,
            little_endian(&filters.values),
        ));
    }
    if let Some(pictures) = reconstructions {
        let Reconstructions {
            height,
            width,
            channels,
            ..
        } = *pictures;
        let dims = vec![pictures.mse.len(), height, width, channels];
        blobs.push(Blob::new(
            "inputs",
            Dtype::U8,
            dims.clone(),
            pictures.inputs.clone(),
        ));
        blobs.push(Blob::new(
            "outputs",
            Dtype::U8,
            dims,
            pictures.outputs.clone(),
        ));
        blobs.push(Blob::new(
            "mse",
            Dtype::F32,
            vec![pictures.mse.len()],
            little_endian(&pictures.mse),
        ));
    }
    if blobs.is_empty() {
        return Ok(());
    }
    write(path, blobs, None)
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
