//! Which files make a dataset, and where they are. The checksums are those that the datasets'
//! authors or the common loaders publish; sizes serve the progress bar and the check of the disk.

use super::sum::Sum;
use crate::project::data::Source;
use std::path::{Path, PathBuf};

/// A dataset that can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The source's name, `mnist` for example.
    pub name: String,
    /// The files, in the order they are fetched.
    pub files: Vec<RemoteFile>,
    /// The folder below the one fetched into that a project's `path` names; empty for that itself.
    pub path: String,
}

/// A file somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name here.
    pub name: String,
    /// Where it is: the official address first, then mirrors.
    pub addresses: Vec<String>,
    /// Its size, as published; the checksum decides.
    pub bytes: u64,
    /// Its checksum.
    pub sum: Sum,
    /// What becomes of it.
    pub then: Then,
}

/// What becomes of a file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays as it is. Unpacked by somebody it has this size, which is as good.
    Keep(u64),
    /// It is unpacked and deleted.
    Unpack {
        /// Its format.
        archive: Archive,
        /// What must be in it.
        holds: Vec<Held>,
        /// More bytes than this are not unpacked.
        most_bytes: u64,
    },
}

/// A format of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// `.tar.gz`, `.tgz`.
    TarGz,
    /// `.zip`.
    Zip,
}

/// Something that must be in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its path in the archive, with `/`.
    pub path: String,
    /// What it is.
    pub what: Holds,
}

/// What must be at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A file of this size.
    Bytes(u64),
    /// A folder with so many JPEG files in it and in its folders.
    Images(u64),
}

impl Entry {
    /// Bytes to fetch in all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The folder to fetch into for a project's `path`, which may be the inner one.
    pub fn folder_of(&self, path: &Path) -> PathBuf {
        let outer = if !self.path.is_empty() && path.ends_with(&self.path) { path.parent() } else { None };
        outer.unwrap_or(path).to_path_buf()
    }

    /// What a project's `path` is when the files are in `folder`.
    pub fn project_path(&self, folder: &Path) -> PathBuf {
        if self.path.is_empty() { folder.to_path_buf() } else { folder.join(&self.path) }
    }
}

/// The files of a source; `None` for one that has nothing to download.
pub fn entry(source: Source) -> Option<Entry> {
    let (path, files) = match source {
        Source::Mnist => ("", idx(&MNIST_AT, &MNIST)),
        Source::FashionMnist => ("", idx(&FASHION_AT, &FASHION)),
        Source::Cifar10 => ("cifar-10-batches-bin", vec![cifar10()]),
        Source::Cifar100 => ("cifar-100-binary", vec![cifar100()]),
        Source::Stl10 => ("stl10_binary", vec![stl10()]),
        Source::Eurosat => ("2750", vec![eurosat()]),
        Source::Flowers17 => ("jpg", vec![flowers17()]),
        _ => return None,
    };
    Some(Entry { name: source.name().to_owned(), files, path: path.to_owned() })
}

/// Where a dataset goes when nobody says: `strata/NAME` in the user's folder for data. `None` where
/// no such folder is known.
pub fn default_folder(name: &str) -> Option<PathBuf> {
    let set = |variable| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = match cfg!(windows) {
        true => set("LOCALAPPDATA"),
        false => set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share"))),
    };
    data.map(|data| data.join("strata").join(name))
}

/// Name, size, checksum, size unpacked.
type Idx = (&'static str, u64, Sum, u64);

const MNIST_AT: [&str; 2] =
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"];
const FASHION_AT: [&str; 2] = [
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
];

const MNIST: [Idx; 4] = [
    (
        "train-images-idx3-ubyte.gz",
        9_912_422,
        Sum::sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        47_040_016,
    ),
    (
        "train-labels-idx1-ubyte.gz",
        28_881,
        Sum::sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        60_008,
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        Sum::sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        7_840_016,
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        Sum::sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        10_008,
    ),
];
const FASHION: [Idx; 4] = [
    ("train-images-idx3-ubyte.gz", 26_421_880, Sum::md5("8d4fb7e6c68d591d4c3dfef9ec88bf0d"), 47_040_016),
    ("train-labels-idx1-ubyte.gz", 29_515, Sum::md5("25c81989df183df01b3e8a0aad5dffbe"), 60_008),
    ("t10k-images-idx3-ubyte.gz", 4_422_102, Sum::md5("bef4ecab320f06d8554ea6380940ec79"), 7_840_016),
    ("t10k-labels-idx1-ubyte.gz", 5_148, Sum::md5("bb300cfdad3c16e7a12a480ee83cd310"), 10_008),
];

fn idx(at: &[&str], files: &[Idx]) -> Vec<RemoteFile> {
    let file = |&(name, bytes, ref sum, plain): &Idx| RemoteFile {
        name: name.to_owned(),
        addresses: at.iter().map(|at| format!("{at}{name}")).collect(),
        bytes,
        sum: sum.clone(),
        then: Then::Keep(plain),
    };
    files.iter().map(file).collect()
}

fn archive(
    addresses: &[&str],
    bytes: u64,
    sum: Sum,
    archive: Archive,
    most_bytes: u64,
    holds: Vec<Held>,
) -> RemoteFile {
    let name = addresses.first().and_then(|address| address.rsplit('/').next()).unwrap_or_default().to_owned();
    let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    RemoteFile { name, addresses, bytes, sum, then: Then::Unpack { archive, holds, most_bytes } }
}

fn held(folder: &str, files: &[(&str, u64)]) -> Vec<Held> {
    files.iter().map(|(name, bytes)| Held { path: format!("{folder}/{name}"), what: Holds::Bytes(*bytes) }).collect()
}

fn cifar10() -> RemoteFile {
    let batch = 10_000 * (1 + 3 * 32 * 32);
    let names = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];
    let files = names.map(|name| format!("{name}.bin"));
    let files: Vec<(&str, u64)> = files.iter().map(|name| (name.as_str(), batch)).collect();
    archive(
        &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
        170_052_171,
        Sum::sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
        Archive::TarGz,
        200_000_000,
        held("cifar-10-batches-bin", &files),
    )
}

fn cifar100() -> RemoteFile {
    let record = 2 + 3 * 32 * 32;
    archive(
        &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
        168_513_733,
        Sum::md5("03b5dce01913d631647c71ecec9e9cb8"),
        Archive::TarGz,
        200_000_000,
        held("cifar-100-binary", &[("train.bin", 50_000 * record), ("test.bin", 10_000 * record)]),
    )
}

fn stl10() -> RemoteFile {
    let image = 3 * 96 * 96;
    let files = [
        ("train_X.bin", 5_000 * image),
        ("train_y.bin", 5_000),
        ("test_X.bin", 8_000 * image),
        ("test_y.bin", 8_000),
        ("unlabeled_X.bin", 100_000 * image),
    ];
    archive(
        &["http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"],
        2_640_397_119,
        Sum::md5("91f7769df0f17e558f3565bffb0c7dfb"),
        Archive::TarGz,
        3_200_000_000,
        held("stl10_binary", &files),
    )
}

fn eurosat() -> RemoteFile {
    archive(
        &[
            "https://madm.dfki.de/files/sentinel/EuroSAT.zip",
            "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        ],
        94_280_567,
        Sum::md5("c8fa014336c82ac7804f0398fcb19387"),
        Archive::Zip,
        200_000_000,
        vec![Held { path: "2750".to_owned(), what: Holds::Images(27_000) }],
    )
}

fn flowers17() -> RemoteFile {
    archive(
        &["https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"],
        60_270_631,
        Sum::md5("b59a65d8d1a99cd66944d474e1289eab"),
        Archive::TarGz,
        120_000_000,
        vec![Held { path: "jpg".to_owned(), what: Holds::Images(17 * 80) }],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_addresses_a_checksum_and_room() {
        let entries: Vec<Entry> = Source::ALL.into_iter().filter_map(entry).collect();
        assert_eq!(entries.len(), 7);
        for file in entries.iter().flat_map(|entry| &entry.files) {
            assert!(file.addresses.iter().all(|address| address.ends_with(&format!("/{}", file.name))), "{file:?}");
            assert!(file.sum.is_well_formed(), "{file:?}");
            if let Then::Unpack { holds, most_bytes, .. } = &file.then {
                let sum: u64 =
                    holds.iter().map(|held| if let Holds::Bytes(bytes) = held.what { bytes } else { 0 }).sum();
                assert!(!holds.is_empty() && sum < *most_bytes && file.bytes < *most_bytes, "{file:?}");
            }
        }
    }
}
