//! How the time of a training step grows with the batch, the image and the depth of the network.
//!
//! Work that grows in proportion takes the same time for each image, pixel or layer; the deviation of a
//! point says how far it is from what the middle point of its series promises. A small size pays for
//! what every step costs, a large one for caches that are too small.

use super::measure::{median_ms, step_times};
use super::work::Pass;
use super::workload::StepTimes;
use super::{BenchError, Workload, cases};
use candle_core::Device;
use serde::Serialize;
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::{Network, Project};
use strata_core::shape::infer;
use strata_core::system_memory::available_bytes;
use strata_cost::step_memory;
use strata_engine::run::memory_check::machine;

/// Images of a step where the batch is not what is varied.
const BATCH: usize = 16;

/// A size that is varied, everything else being equal.
pub struct Series {
    /// Its name in the results.
    pub name: &'static str,
    /// What is measured, for people.
    pub about: &'static str,
    /// What its work is made of.
    pub unit: &'static str,
    /// The sizes, rising.
    pub sizes: &'static [usize],
    project: fn(usize) -> Result<Project, BenchError>,
    batch: fn(usize) -> usize,
    units: fn(usize) -> usize,
}

/// All series.
pub const ALL: [Series; 3] = [
    Series {
        name: "batch",
        about: "images a step, the CIFAR network of the Keras lab",
        unit: "image",
        sizes: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        project: |_| of_case("keras-cifar"),
        batch: |size| size,
        units: |size| size,
    },
    Series {
        name: "image_size",
        about: "height and width of 16 images, an autoencoder of two strided convolutions",
        unit: "pixel",
        sizes: &[16, 24, 32, 48, 64, 96, 128, 192, 256],
        project: sized,
        batch: |_| BATCH,
        units: |size| BATCH * size * size,
    },
    Series {
        name: "depth",
        about: "convolutions of 16 channels on 16 images of 32×32 (the first hands no gradient on)",
        unit: "layer",
        sizes: &[1, 2, 4, 8, 16, 32, 64],
        project: deep,
        batch: |_| BATCH,
        units: |size| size,
    },
];

/// A size with its time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The size that is varied.
    pub size: usize,
    /// A training step.
    pub step_ms: f64,
    /// The step's time for one image, pixel or layer.
    pub unit_us: f64,
    /// Relative to the one in the middle of the series.
    pub deviation_percent: f64,
}

impl Series {
    /// The time of a step at this size; `None` when the step would not fit into memory.
    pub fn step_ms(
        &self,
        size: usize,
        steps: usize,
        device: &Device,
    ) -> Result<Option<f64>, BenchError> {
        let (project, batch) = ((self.project)(size)?, (self.batch)(size));
        if !fits(&project, batch) {
            return Ok(None);
        }
        let mut workload = Workload::new(self.name, &project, batch, Pass::Training, device)?;
        Ok(Some(median_ms(
            &step_times(&mut workload, steps)?,
            StepTimes::total,
        )))
    }

    /// Times by unit, compared with the middle one.
    pub fn points(&self, step_ms: &[(usize, f64)]) -> Vec<Point> {
        let unit_us = |&(size, ms): &(usize, f64)| 1e3 * ms / (self.units)(size) as f64;
        let middle = step_ms.get(step_ms.len() / 2).map_or(1.0, unit_us);
        let point = |measured: &(usize, f64)| {
            let (size, step_ms, unit_us) = (measured.0, measured.1, unit_us(measured));
            Point {
                size,
                step_ms,
                unit_us,
                deviation_percent: 100.0 * (unit_us / middle - 1.0),
            }
        };
        step_ms.iter().map(point).collect()
    }
}

fn fits(project: &Project, batch: usize) -> bool {
    let (Some(available), Some(stage)) = (available_bytes(), project.stages.first()) else {
        return true;
    };
    let batch = u32::try_from(batch).unwrap_or(u32::MAX);
    let plan = infer(&project.network).plan;
    let step = plan.and_then(|plan| step_memory(&plan, stage, batch, machine()));
    step.is_none_or(|step| step.total().total() < available)
}

fn of_case(name: &str) -> Result<Project, BenchError> {
    let missing = || BenchError::Unsound(name.to_owned(), "there is no such case".to_owned());
    Ok(cases::find(name).ok_or_else(missing)?.project()?)
}

/// An autoencoder on images of this height and width.
fn sized(size: usize) -> Result<Project, BenchError> {
    let mut project = of_case("conv-ae")?;
    project.network.input = shape(&[3, size, size])?;
    Ok(project)
}

/// So many equal convolutions.
fn deep(depth: usize) -> Result<Project, BenchError> {
    let layers = ["conv 16 k3 p1", "relu"].map(Node::from_text);
    let encoder = layers
        .iter()
        .cycle()
        .take(layers.len() * depth)
        .cloned()
        .collect();
    let network = Network {
        input: shape(&[16, 32, 32])?,
        encoder,
        decoder: Vec::new(),
        head: Vec::new(),
    };
    Ok(Project {
        network,
        ..of_case("conv-ae")?
    })
}

fn shape(dims: &[usize]) -> Result<Shape, BenchError> {
    Shape::new(dims)
        .ok_or_else(|| BenchError::Unsound("scaling".to_owned(), format!("{dims:?} is no shape")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_a_network_whose_work_grows_with_its_units() {
        for series in &ALL {
            assert!(series.sizes.is_sorted());
            for pair in series.sizes.windows(2) {
                let macs = |size| {
                    let project = (series.project)(size).unwrap();
                    let inference = infer(&project.network);
                    assert_eq!(inference.errors().count(), 0, "{} {size}", series.name);
                    inference.totals.macs as f64 * (series.batch)(size) as f64
                };
                let units = |size| (series.units)(size) as f64;
                let (work, wanted) = (
                    macs(pair[1]) / macs(pair[0]),
                    units(pair[1]) / units(pair[0]),
                );
                assert!(
                    (work - wanted).abs() < 1e-9,
                    "{} {pair:?}: {work}",
                    series.name
                );
            }
        }
    }

    #[test]
    fn the_middle_says_what_is_linear() {
        let points = ALL[0].points(&[(1, 2.0), (2, 2.0), (4, 6.0)]);
        assert_eq!(
            points.iter().map(|point| point.unit_us).collect::<Vec<_>>(),
            [2000.0, 1000.0, 1500.0]
        );
        assert_eq!(
            points
                .iter()
                .map(|point| point.deviation_percent)
                .collect::<Vec<_>>(),
            [100.0, 0.0, 50.0]
        );
        assert!(ALL[0].points(&[]).is_empty());
    }

    #[test]
    fn the_smallest_sizes_can_be_measured() {
        for series in &ALL {
            assert!(
                series
                    .step_ms(series.sizes[0], 1, &Device::Cpu)
                    .unwrap()
                    .unwrap()
                    > 0.0,
                "{}",
                series.name
            );
        }
    }
}
