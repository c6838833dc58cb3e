//! Images as the project's augmentations make them.

use super::Source;
use crate::inspection::InspectError;
use strata_core::project::data::Split;
use strata_core::rng::{Purpose, stream};
use strata_data::augment::{Augmenter, Scratch};
use strata_data::{DataError, Dataset, SplitData};

/// What the project's augmentations make of the images of a split.
pub(super) struct Draws<'a> {
    augmenter: &'a Augmenter,
    data: &'a SplitData,
    ends: Vec<[f32; 2]>,
    pub count: usize,
    seed: u64,
}

impl<'a> Draws<'a> {
    /// So many draws of each image; `None` of none. Fails where nothing is drawn.
    pub fn of(
        dataset: &'a Dataset,
        source: &Source<'a>,
        count: usize,
        seed: u64,
    ) -> Result<Option<Draws<'a>>, InspectError> {
        if count == 0 {
            return Ok(None);
        }
        let refused = |text: &str| Err(InspectError::Input(text.to_owned()));
        let Some(augmenter) = dataset.augmenter_of(Split::Train) else {
            return refused("the project has no augmentations whose mean could be taken");
        };
        let Source::Split(_, data, _) = source else {
            return refused("the mean over augmentations is of images of a split, not of files");
        };
        Ok(Some(Draws {
            augmenter,
            data,
            ends: dataset.ends(),
            count,
            seed,
        }))
    }

    /// The images of this draw as the network gets them.
    pub fn images(&self, indices: &[u32], draw: usize) -> Result<Vec<f32>, DataError> {
        let mut scratch = Scratch::default();
        let mut images = Vec::new();
        for index in indices {
            let mut shares = vec![0.0; self.data.whole_shape().iter().product()];
            self.data.read_shares(*index as usize, &mut shares)?;
            let number = (u64::from(*index) << 16) | draw as u64;
            let mut rng = stream(self.seed, Purpose::Inspection, number);
            self.augmenter.apply(&mut shares, &mut scratch, &mut rng);
            let ends = self.ends.iter().cycle();
            let number = |(share, [low, high]): (&f32, &[f32; 2])| low + (high - low) * share;
            images.extend(shares.iter().zip(ends).map(number));
        }
        Ok(images)
    }
}
