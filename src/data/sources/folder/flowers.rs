//! Oxford's 17 flowers: `image_0001.jpg` to `image_1360.jpg`, 80 a class in order, and the three
//! splits of the authors' file `datasplits.mat`. Fails where that file is wanted and missing.

use super::listing::{self, Entry, FolderKind, IMAGES, Listing};
use super::walk::Walk;
use super::{decode, load};
use crate::download::Sum;
use crate::download::published::{Archive, Holds, Packed, Published};
use crate::error::DataError;
use crate::formats::bytes::{self, DOWNLOAD_AGAIN};
use crate::formats::matlab;
use crate::images::image_file;
use crate::source::OpenRequest;
use crate::sources::SourceReader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;
use strata_core::project::help::Help;

const CLASSES: [&str; 17] = [
    "daffodil",
    "snowdrop",
    "lily of the valley",
    "bluebell",
    "crocus",
    "iris",
    "tigerlily",
    "tulip",
    "fritillary",
    "sunflower",
    "daisy",
    "coltsfoot",
    "dandelion",
    "cowslip",
    "buttercup",
    "windflower",
    "pansy",
];
const PER_CLASS: u32 = 80;
/// The file of the splits has 7 KB.
const MOST_LIST_BYTES: u64 = 16 << 20;
const FOLDS: std::ops::RangeInclusive<u32> = 1..=3;

/// Oxford's 17 flowers.
pub(crate) static FLOWERS17: SourceReader = SourceReader {
    load: |ask| {
        let kind = FolderKind {
            inner: &["jpg"],
            find: list,
            missing: "no file named image_0001.jpg to image_1360.jpg in it",
            ..IMAGES
        };
        load(ask, |ask| listing::list(ask, &kind), decode::decode)
    },
    published: Some(&FLOWERS17_FILES),
};

static FLOWERS17_FILES: Published = Published::Packed(Packed {
    at: &["https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"],
    bytes: 60_270_631,
    sum: Sum::md5("b59a65d8d1a99cd66944d474e1289eab"),
    archive: Archive::TarGz,
    most_bytes: 120_000_000,
    folder: "jpg",
    holds: &[("", Holds::Images(17 * 80))],
});

fn list(ask: &mut OpenRequest, root: &Path) -> Result<Listing, DataError> {
    let mut walk = Walk::new(image_file::is_named_like_one);
    let mut numbered = BTreeMap::new();
    for path in walk.files(root) {
        match number(&path) {
            Some(number) => {
                numbered.insert(number, Entry::new(path, Some((number - 1) / PER_CLASS)));
            }
            None => {
                let reason = "not named image_0001.jpg to image_1360.jpg, so its class is unknown";
                walk.skip(&path, reason.to_string());
            }
        }
    }
    let splits = match ask.spec.source_fold {
        Some(fold) => fold_of(ask, root, fold, &numbered)?,
        None => vec![(Split::Train, numbered.into_values().collect())],
    };
    ask.told.passed_over.append(&mut walk.passed_over);
    Ok(Listing {
        classes: CLASSES.map(str::to_string).to_vec(),
        splits,
        skipped: walk.skipped,
        has_splits: ask.spec.source_fold.is_some(),
    })
}

/// The flowers of the three lists of a fold, as far as they are there.
fn fold_of(
    ask: &mut OpenRequest,
    root: &Path,
    fold: u32,
    numbered: &BTreeMap<u32, Entry>,
) -> Result<Vec<(Split, Vec<Entry>)>, DataError> {
    if !FOLDS.contains(&fold) {
        let problem = format!("there is no fold {fold}");
        return Err(DataError::setting(
            "source_fold",
            problem,
            Help::value("source_fold", "1, 2 or 3"),
        ));
    }
    let name = "datasplits.mat";
    let folders: Vec<PathBuf> = [Some(ask.folder.as_path()), Some(root), root.parent()]
        .into_iter()
        .flatten()
        .map(Into::into)
        .collect();
    let help = "download it from the dataset's page, or leave source_fold out";
    let file = bytes::find(&folders, &[name]);
    let file =
        file.ok_or_else(|| bytes::missing("the flowers' splits", &[name], &folders, help))?;
    let arrays = matlab::lists(ask, &file, MOST_LIST_BYTES)?;
    let mut splits = Vec::new();
    for (split, list) in [
        (Split::Train, "trn"),
        (Split::Valid, "val"),
        (Split::Test, "tst"),
    ] {
        let list = format!("{list}{fold}");
        let Some(numbers) = arrays.get(&list) else {
            return Err(DataError::malformed(
                &file,
                format!("it has no list {list}"),
                DOWNLOAD_AGAIN,
            ));
        };
        let entry = |&number: &i64| {
            u32::try_from(number)
                .ok()
                .and_then(|number| numbered.get(&number))
                .cloned()
        };
        splits.push((split, numbers.iter().filter_map(entry).collect()));
    }
    Ok(splits)
}

/// The number in a name, from 1 to 1,360.
fn number(path: &Path) -> Option<u32> {
    let number = path
        .file_stem()?
        .to_str()?
        .strip_prefix("image_")?
        .parse::<u32>()
        .ok()?;
    (1..=PER_CLASS * CLASSES.len() as u32)
        .contains(&number)
        .then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowers_are_known_by_number() {
        let of = |name: &str| number(Path::new(name));
        assert_eq!(of("a/image_0001.jpg"), Some(1));
        assert_eq!(of("image_0080.jpg"), Some(80));
        assert_eq!(of("image_1360.jpg"), Some(1360));
        for bad in [
            "image_0000.jpg",
            "image_1361.jpg",
            "image_.jpg",
            "rose.jpg",
            "image_99999999999.jpg",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
