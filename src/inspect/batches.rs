//! The images of a split, batch by batch: how every inspection of many images reads them, says how far it has come, and
//! stops.

use super::inspection::{InspectError, InspectionContext};
use candle_core::{Device, Tensor};
use std::time::Instant;
use strata_data::{DataError, Progress, SplitData, epoch_order, fill_batch};

/// Images as the network gets them.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Their places in the split.
    pub indices: Vec<u32>,
    /// Their classes, where they are known.
    pub labels: Vec<Option<u32>>,
    /// Where images may have several labels, a row for each image: 1 for a label that it has, else 0.
    pub label_rows: Vec<f32>,
    /// `N × H × W × C` values.
    pub values: Vec<f32>,
    /// Height, width and channels.
    pub size: [usize; 3],
}

impl Batch {
    /// These images of a split.
    pub fn read(data: &SplitData, indices: &[u32]) -> Result<Batch, DataError> {
        let size = data.image_shape();
        let mut values = vec![0.0; indices.len() * size.iter().product::<usize>()];
        fill_batch(data, indices, &mut values, &mut vec![0; indices.len()])?;
        let labels = indices.iter().map(|index| data.label(*index as usize));
        let mut label_rows = Vec::new();
        data.push_label_rows(indices, &mut label_rows);
        Ok(Batch {
            labels: labels.collect(),
            label_rows,
            indices: indices.to_vec(),
            values,
            size,
        })
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// What the network is given.
    pub fn tensor(&self, device: &Device) -> candle_core::Result<Tensor> {
        let [height, width, channels] = self.size;
        let shape = (self.len(), height, width, channels);
        Tensor::from_slice(&self.values, shape, device)
    }
}

/// Which images are gone over, and how.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The places of the images.
    pub order: Vec<u32>,
    /// Images at a time.
    pub batch: usize,
    /// What is done with them, for the progress.
    pub what: &'static str,
}

impl Walk {
    /// So many images of a split, drawn from all of it: splits may come class by class.
    pub fn drawn(images: usize, most: usize, batch: usize, what: &'static str) -> Walk {
        let mut order = epoch_order(images, 0, 0);
        order.truncate(most);
        Walk { order, batch, what }
    }

    /// Gives each batch to `take`, until all are done or the time is up. How many images it were; fails when the output
    /// is not wanted any more.
    pub fn each<'a>(
        &self,
        cx: &mut InspectionContext<'a>,
        read: impl Fn(&[u32]) -> Result<Batch, DataError>,
        mut take: impl FnMut(&mut InspectionContext<'a>, Batch) -> Result<(), InspectError>,
    ) -> Result<usize, InspectError> {
        let mut done = 0;
        for indices in self.order.chunks(self.batch.max(1)) {
            take(cx, read(indices)?)?;
            done += indices.len();
            let progress = Progress {
                what: self.what,
                done,
                total: self.order.len(),
            };
            if !cx.report(progress) {
                return Err(DataError::Cancelled.into());
            }
            if cx
                .deadline
                .is_some_and(|deadline| Instant::now() > deadline)
            {
                break;
            }
        }
        Ok(done)
    }
}
