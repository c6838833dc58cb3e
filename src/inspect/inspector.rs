//! What inspections of one network share and keep between requests: a copy of the network, and the
//! probe images.
//!
//! Everything is made at the first request, so that a run that is not inspected carries none of it.

use super::image_set::Chosen;
use super::inspection::{InspectError, InspectionContext};
use super::network_copy::InspectionNetwork;
use super::reconstructions::Probe;
use candle_core::Device;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_data::Dataset;

/// What inspections share and keep between requests.
#[derive(Default)]
pub struct Inspector {
    mirror: Option<InspectionNetwork>,
    probe: Option<Arc<Probe>>,
    /// What single inspections keep, by its type.
    kept: HashMap<TypeId, Box<dyn Any + Send>>,
}

impl Inspector {
    /// One for other weights of the same network: the images that are looked at stay.
    pub fn of_other_weights(&mut self) -> Inspector {
        Inspector {
            probe: self.probe.take(),
            ..Inspector::default()
        }
    }
}

impl InspectionContext<'_> {
    /// A copy of the network with its present weights.
    pub fn mirror(&mut self) -> Result<&mut InspectionNetwork, InspectError> {
        let input = |text: &str| InspectError::Input(text.to_owned());
        let run = self.run.as_ref();
        let run = run.ok_or_else(|| input("there is no network to inspect"))?;
        let copy = &mut self.inspector.mirror;
        let mirror = match copy.take() {
            Some(made) => copy.insert(made),
            None => {
                let plan = run.inference.plan.as_ref();
                let plan = plan.ok_or_else(|| input("the encoder has an error"))?;
                copy.insert(InspectionNetwork::new(plan, run.device)?)
            }
        };
        mirror.take(run.network)?;
        Ok(mirror)
    }

    /// The same taken out, for work that says how far it has come; [`InspectionContext::return_mirror`] keeps it for
    /// the next request.
    pub(crate) fn take_mirror(&mut self) -> Result<InspectionNetwork, InspectError> {
        self.mirror()?;
        let none = || InspectError::Input("there is no network to inspect".to_owned());
        self.inspector.mirror.take().ok_or_else(none)
    }

    /// Keeps the copy of the network for the next request.
    pub(crate) fn return_mirror(&mut self, mirror: InspectionNetwork) {
        self.inspector.mirror = Some(mirror);
    }

    /// The images of an image file, of further files, or the first of a split; else the probe images.
    pub(crate) fn chosen(
        &mut self,
        file: Option<&Path>,
        chosen: &Chosen,
    ) -> Result<Arc<Probe>, InspectError> {
        let dataset = self.images()?;
        let device = self.run()?.device;
        let mut files = file
            .into_iter()
            .chain(chosen.files.iter().map(PathBuf::as_path))
            .peekable();
        if files.peek().is_some() {
            let mut values = Vec::new();
            for file in files {
                values.extend(dataset.read_file(file)?);
            }
            return Ok(Arc::new(of_dataset(values, dataset, device)?));
        }
        if chosen.split.is_none() && chosen.limit.is_none() {
            return self.probe(None);
        }
        let probe = Probe::of_split(dataset, chosen, device)?;
        Ok(Arc::new(probe))
    }

    /// From now on these images are the probe images; how many they are.
    pub fn look_at(&mut self, chosen: &Chosen) -> Result<usize, InspectError> {
        let probe = self.chosen(None, chosen)?;
        let count = probe.labels().len();
        self.inspector.probe = Some(probe);
        Ok(count)
    }

    /// The probe images of the run, or an image file as the dataset would read it.
    pub fn probe(&mut self, file: Option<&Path>) -> Result<Arc<Probe>, InspectError> {
        let dataset = self.images()?;
        let (seed, device) = {
            let run = self.run()?;
            (run.seed, run.device)
        };
        if let Some(file) = file {
            return Ok(Arc::new(from_file(file, dataset, device)?));
        }
        let probe = match self.inspector.probe.clone() {
            Some(probe) => Some(probe),
            None => Probe::of_run(dataset, seed, device)?.map(Arc::new),
        };
        self.inspector.probe = probe.clone();
        probe.ok_or_else(|| InspectError::Input("there are no images to look at".to_owned()))
    }

    /// Takes out what an inspection kept with [`InspectionContext::keep`].
    pub(crate) fn take_kept<T: 'static>(&mut self) -> Option<T> {
        let kept = self.inspector.kept.remove(&TypeId::of::<T>())?;
        kept.downcast().ok().map(|kept| *kept)
    }

    /// Keeps something for the next request; one value of each type.
    pub fn keep<T: Send + 'static>(&mut self, value: T) {
        self.inspector
            .kept
            .insert(TypeId::of::<T>(), Box::new(value));
    }
}

fn from_file(file: &Path, dataset: &Dataset, device: &Device) -> Result<Probe, InspectError> {
    of_dataset(dataset.read_file(file)?, dataset, device)
}

/// Images in the dataset's size.
fn of_dataset(values: Vec<f32>, dataset: &Dataset, device: &Device) -> Result<Probe, InspectError> {
    let [channels, height, width] = dataset.shape();
    Ok(Probe::new(values, [height, width, channels], device)?)
}
