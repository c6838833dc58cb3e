//! Opening a dataset: the source's pictures, then `valid` carved out, `limit`, size, patches and
//! pixel range, all checked here once so that reading has little left that can fail.

mod common;
mod own_images;

use super::archive::{self, Archive};
use super::augment::Augmenter;
use super::error::DataError;
use super::hash::{self, Digest};
use super::images::input_transform::InputTransform;
use super::images::mean_std;
use super::images::pixel_scale::{PixelUnits, Scale};
use super::label_sets::LabelSets;
use super::notes::{self, Note};
use super::source::{self, ClassOrder, OpenRequest, OpenedSource, Told};
use super::sources;
use super::sources::folder::names;
use super::splits::assembly::{check_lengths, check_shares, make_splits};
use super::splits::split::{Common, SplitData};
use super::splits::split_assignment::SplitRules;
use super::volumes;
use super::{Progress, Skipped};
use common::{check_sizes, common};
pub use own_images::OwnImages;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strata_core::project::data::{DataSpec, MeanStd, Normalize, Split};
use strata_core::run_buffers::room_for_images;
use strata_core::system_memory::available_bytes;

/// The images a project names: class names and up to four splits. Immutable; share it with `Arc`.
pub struct Dataset {
    common: Common,
    classes: Vec<String>,
    splits: Vec<(Split, SplitData)>,
    skipped: Vec<Skipped>,
    told: Told,
    hash: String,
    measured: Option<MeanStd>,
    transform: Option<Arc<InputTransform>>,
    augmenter: Option<Augmenter>,
    own_images: Option<OwnImages>,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let splits: Vec<(Split, usize)> = self
            .splits()
            .map(|(split, data)| (split, data.len()))
            .collect();
        let mut out = f.debug_struct("Dataset");
        out.field("shape", &self.shape()).field("splits", &splits);
        out.field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Dataset {
    /// Opens what `spec` names, with as many channels as the source has (a folder of images: 1
    /// if all of them are grey, else 3). Relative paths start at the folder `base`. `progress` is
    /// called from this thread now and then; when it returns false, opening ends in
    /// [`DataError::Cancelled`].
    pub fn open(
        spec: &DataSpec,
        seed: u64,
        base: &Path,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        Dataset::open_as(spec, None, seed, base, progress)
    }

    /// Opens as [`Dataset::open`] does, with images converted to `channels` (1 grey, 3 colour),
    /// the number the network's input has.
    pub fn open_as(
        spec: &DataSpec,
        channels: Option<usize>,
        seed: u64,
        base: &Path,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        let start = Instant::now();
        let order = ClassOrder::default();
        let dataset = Dataset::read(spec, channels, seed, base, order, progress)?;
        dataset.log_opened(spec, start.elapsed());
        Ok(dataset)
    }

    /// Opens as [`Dataset::open_as`] does, for a run that was trained on data of this name. Where classes are numbered
    /// otherwise than in the version that wrote the run, and numbered as there the data are the same, they stay so:
    /// its network's answers keep their meaning.
    pub fn open_for_run(
        spec: &DataSpec,
        channels: Option<usize>,
        seed: u64,
        base: &Path,
        name: Option<&str>,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        let dataset = Dataset::open_as(spec, channels, seed, base, progress)?;
        let Some(name) = name.filter(|name| dataset.is_other_than(name)) else {
            return Ok(dataset);
        };
        if names::by_character(&dataset.classes).is_none() {
            return Ok(dataset);
        }
        let order = ClassOrder::ByCharacter;
        let former = Dataset::read(spec, channels, seed, base, order, progress)?;
        if former.is_other_than(name) {
            return Ok(dataset);
        }
        log::info!("classes are numbered as in the version that wrote the run: 10 before 2");
        Ok(former)
    }

    fn log_opened(&self, spec: &DataSpec, took: Duration) {
        let splits = self
            .splits()
            .map(|(split, data)| format!("{split} {}", data.len()));
        let splits: Vec<String> = splits.collect();
        let place = spec.path.as_deref().map(|path| format!(" in {path}"));
        log::info!(
            "opened {}{} in {:.2} s: {} images of {:?}",
            spec.source,
            place.unwrap_or_default(),
            took.as_secs_f64(),
            splits.join(", "),
            self.shape(),
        );
        if let Some(first) = self.skipped.first() {
            let count = self.skipped.len();
            let file = first.file.display();
            log::warn!(
                "{count} files were left out, the first: {file}: {}",
                first.reason
            );
        }
    }

    pub(crate) fn read(
        spec: &DataSpec,
        channels: Option<usize>,
        seed: u64,
        base: &Path,
        order: ClassOrder,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Dataset, DataError> {
        check_sizes(spec)?;
        let rules = SplitRules::new(spec, seed, None)?;
        let mut told = Told::default();
        let folder = source::locate(spec, base)?;
        let mut ask = OpenRequest {
            seed,
            channels,
            order,
            ..OpenRequest::listing(spec, &folder, &mut told, progress)
        };
        if ask.folder.is_file() && Archive::is_named_like_one(&ask.folder) {
            return Err(archive::instead_of_a_folder(&mut ask));
        }
        let mut loaded = (sources::reader(ask.spec.source).load)(&mut ask)?;
        if let Some(pixel) = spec.pixel {
            loaded.span = [pixel.black, pixel.white];
        }
        if let Some(depth) = told.depth_of_volumes {
            volumes::check(spec, depth)?;
        }
        let names = std::mem::take(&mut told.label_names);
        let sets = LabelSets::of(&loaded.classes, names.len());
        if sets.is_some() {
            loaded.classes = names;
        }
        let (mut common, augmenter) = common(spec, channels, seed, &loaded)?;
        common.sets = sets.map(Arc::new);
        let shares = if loaded.holds_out { Some(&rules) } else { None };
        let room = room_for_images(available_bytes());
        let splits = make_splits(&loaded.parts, shares, spec.limit, &common, room);
        check_lengths(&splits)?;
        check_shares(spec, &splits)?;
        let OpenedSource {
            classes, skipped, ..
        } = loaded;
        let mut dataset = Dataset {
            common,
            classes,
            splits,
            skipped,
            told,
            hash: String::new(),
            measured: None,
            transform: None,
            augmenter,
            own_images: None,
        };
        let train = dataset.split(Split::Train);
        let counts = train.map(SplitData::per_class).unwrap_or_default();
        if train.is_some_and(SplitData::labelled) {
            notes::of_classes(&mut dataset.told, spec, &dataset.classes, &counts);
            let largest = counts.iter().copied().max().unwrap_or(0);
            notes::of_per_class(&mut dataset.told, spec, largest);
        } else if dataset.common.sets.is_some() {
            notes::of_labels(&mut dataset.told, &dataset.classes, &counts);
        }
        let images = dataset.splits.iter().map(|(_, split)| split.images());
        notes::of_limit(&mut dataset.told, spec, images.max().unwrap_or(0));
        notes::of_others(&mut dataset.told, &dataset.skipped);
        if spec.normalize == Some(Normalize::MEASURED) {
            dataset.measure(spec)?;
        }
        dataset.fit_transform(spec, progress)?;
        dataset.hash = dataset.digest(spec, seed)?;
        Ok(dataset)
    }

    /// Channels, height and width of every image, after `resize` and `patches`.
    pub fn shape(&self) -> [usize; 3] {
        let [height, width, channels] = self.common.view;
        [channels, height, width]
    }

    /// Slices of each volume; `None` of images. A volume is read as an image of its slices one below the other.
    pub fn depth(&self) -> Option<usize> {
        self.told.depth_of_volumes
    }

    /// The shape of one input of a network, channels first: C×H×W, of volumes C×D×H×W.
    pub fn input_dims(&self) -> Vec<usize> {
        let [channels, height, width] = self.shape();
        match self.depth() {
            Some(depth) => vec![channels, depth, height / depth.max(1), width],
            None => vec![channels, height, width],
        }
    }

    /// What changes the training images, unless it is switched off.
    pub fn augmenter_of(&self, split: Split) -> Option<&Augmenter> {
        self.augmenter
            .as_ref()
            .filter(|_| matches!(split, Split::Train | Split::Unlabeled))
    }

    /// The classes' names; labels count from 0 in this order. Where images have several labels each, the labels'.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether an image may have several of the labels, or none, instead of one class.
    pub fn has_label_sets(&self) -> bool {
        self.common.sets.is_some()
    }

    /// A split; none when the source has no such split or it is empty.
    pub fn split(&self, split: Split) -> Option<&SplitData> {
        self.splits()
            .find(|(name, _)| *name == split)
            .map(|(_, data)| data)
    }

    /// All splits that are there, in the order train, valid, test, unlabeled.
    pub fn splits(&self) -> impl Iterator<Item = (Split, &SplitData)> {
        self.splits.iter().map(|(split, data)| (*split, data))
    }

    /// Lets go of finished images: from now on each is made at every reading.
    pub fn keep_nothing(&mut self) {
        self.splits
            .iter_mut()
            .for_each(|(_, data)| data.keep_nothing());
    }

    /// Files that were left out, with the reason, in order of their names.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Hidden files and files of other kinds, which are no images: with what they are, in order of their names.
    pub fn passed_over(&self) -> &[Skipped] {
        &self.told.passed_over
    }

    /// What is worth knowing of the data, with what would change it.
    pub fn notes(&self) -> &[Note] {
        &self.told.notes
    }

    /// Height and width of the image files themselves, with the number of files; the most frequent first. Empty for
    /// sources of one size.
    pub fn sizes(&self) -> &[([usize; 2], usize)] {
        &self.told.sizes
    }

    /// A name for `run.json`: a version and 16 hexadecimal digits over the shape, the settings that
    /// change pixels (not `path`; of `augment` a crop, which shows in the shape), the classes, and of every split the number of
    /// images, all labels and up to 32 evenly spaced source pictures. It tells other data apart in
    /// practice; it does not notice a change in a picture it did not sample.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Whether a run with this name in its `run.json` had other data. What has no name, or one of
    /// another version, cannot be told apart.
    pub fn is_other_than(&self, name: &str) -> bool {
        hash::is_comparable(name) && name != self.hash
    }

    /// What pixel 0 and pixel 255 become, for showing pictures. With `normalize`, the least and
    /// the greatest over the channels.
    pub fn pixel_range(&self) -> [f32; 2] {
        self.common.scale.pixel_range()
    }

    /// In what units errors of pixels are given.
    pub fn pixel_units(&self) -> PixelUnits {
        self.common.scale.units(self.transform.as_ref())
    }

    /// The numbers that black and white become: for each channel, or for all alike.
    pub fn ends(&self) -> Vec<[f32; 2]> {
        self.common.scale.ends()
    }

    /// Numbers as the network sees them (H×W×C, or several such pictures in a row) back to pixels
    /// 0..255, rounded and clamped. Works for reconstructions as well; not-a-number becomes 0.
    pub fn to_pixels(&self, image: &[f32]) -> Vec<u8> {
        self.common.scale.to_pixels(&self.untransformed(image))
    }

    /// How many values of such an image lie beyond black or white.
    pub fn outside(&self, image: &[f32]) -> usize {
        self.common.scale.outside(&self.untransformed(image))
    }

    /// Such images before `center` and `whiten`.
    fn untransformed<'v>(&self, images: &'v [f32]) -> Cow<'v, [f32]> {
        let Some(transform) = &self.transform else {
            return Cow::Borrowed(images);
        };
        let mut images = images.to_vec();
        transform.undo(&mut images);
        Cow::Owned(images)
    }

    /// What `center` and `whiten` do, where the project has one of them.
    pub fn transform(&self) -> Option<&InputTransform> {
        self.transform.as_deref()
    }

    /// Uses what a run was trained with instead of what was fitted now. False, and nothing is changed, where it is for
    /// images of another size.
    pub fn use_transform(&mut self, transform: InputTransform) -> bool {
        let fits = transform.size() == self.shape().iter().product::<usize>();
        if fits {
            self.set_transform(Some(Arc::new(transform)));
        }
        fits
    }

    fn set_transform(&mut self, transform: Option<Arc<InputTransform>>) {
        self.splits
            .iter_mut()
            .for_each(|(_, data)| data.set_transform(transform.as_ref()));
        self.transform = transform;
    }

    /// Fits `center` and `whiten` to the training images (of the first split, where there are none).
    fn fit_transform(
        &mut self,
        spec: &DataSpec,
        progress: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<(), DataError> {
        let Some((_, data)) = self.splits.first() else {
            return Ok(());
        };
        let mut go_on = |done, total| {
            let wanted = progress(Progress {
                what: "whitening",
                done,
                total,
            });
            if wanted {
                Ok(())
            } else {
                Err(DataError::Cancelled)
            }
        };
        let fitted = InputTransform::fit(spec, data, &mut go_on)?;
        self.set_transform(fitted.map(Arc::new));
        Ok(())
    }

    /// Standardises by the mean and the deviation of the training images (of the first split, where there are none).
    fn measure(&mut self, spec: &DataSpec) -> Result<(), DataError> {
        let Some((_, data)) = self.splits.first() else {
            return Ok(());
        };
        let numbers = mean_std::mean_and_std(data)?;
        let scale = Arc::new(Scale::new(
            spec,
            self.common.fit.to()[2],
            [0.0, 1.0],
            Some(&numbers),
        )?);
        self.splits
            .iter_mut()
            .for_each(|(_, data)| data.rescale(&scale));
        self.common.scale = scale;
        self.measured = Some(numbers);
        Ok(())
    }

    /// Mean and deviation by channel, as `normalize = "train"` measured them.
    pub fn measured(&self) -> Option<&MeanStd> {
        self.measured.as_ref()
    }

    fn digest(&self, spec: &DataSpec, seed: u64) -> Result<String, DataError> {
        let mut digest = Digest::new();
        self.shape()
            .iter()
            .for_each(|&size| digest.add_number(size as u64));
        self.depth()
            .into_iter()
            .for_each(|depth| digest.add_number(depth as u64));
        digest.add_all(&hash::settings(spec, seed));
        digest.add_all(&self.classes);
        for set in self.common.sets.iter().flat_map(|sets| sets.all()) {
            digest.add_number(set.len() as u64);
            set.iter()
                .for_each(|&label| digest.add_number(u64::from(label)));
        }
        for (_, data) in self.splits() {
            data.add_to(&mut digest)?;
        }
        Ok(digest.finish())
    }
}
