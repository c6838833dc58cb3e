//! The files of each source: addresses, sizes, checksums, and what must be in an archive.

use super::super::sum::Sum;
use super::{Archive, Holds};

/// Files that are kept as they are.
pub(super) struct Loose {
    /// What stands before a file's name: the official address, then mirrors.
    pub at: &'static [&'static str],
    pub files: &'static [LooseFile],
}

pub(super) struct LooseFile {
    pub name: &'static str,
    pub bytes: u64,
    pub sum: Sum,
    /// Its size unpacked.
    pub plain: u64,
}

/// One archive.
pub(super) struct Packed {
    pub at: &'static [&'static str],
    pub bytes: u64,
    pub sum: Sum,
    pub archive: Archive,
    /// More bytes than this are not unpacked.
    pub most_bytes: u64,
    /// The folder in it that a project's `path` names.
    pub folder: &'static str,
    /// What must be in that folder; without a name, of the folder itself.
    pub holds: &'static [(&'static str, Holds)],
}

pub(super) static MNIST: Loose = Loose {
    at: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    files: &[
        LooseFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 9_912_422,
            sum: Sum::sha256("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            plain: 47_040_016,
        },
        LooseFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 28_881,
            sum: Sum::sha256("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            plain: 60_008,
        },
        LooseFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 1_648_877,
            sum: Sum::sha256("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            plain: 7_840_016,
        },
        LooseFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 4_542,
            sum: Sum::sha256("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            plain: 10_008,
        },
    ],
};

pub(super) static FASHION_MNIST: Loose = Loose {
    at: &[
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ],
    files: &[
        LooseFile {
            name: "train-images-idx3-ubyte.gz",
            bytes: 26_421_880,
            sum: Sum::md5("8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            plain: 47_040_016,
        },
        LooseFile {
            name: "train-labels-idx1-ubyte.gz",
            bytes: 29_515,
            sum: Sum::md5("25c81989df183df01b3e8a0aad5dffbe"),
            plain: 60_008,
        },
        LooseFile {
            name: "t10k-images-idx3-ubyte.gz",
            bytes: 4_422_102,
            sum: Sum::md5("bef4ecab320f06d8554ea6380940ec79"),
            plain: 7_840_016,
        },
        LooseFile {
            name: "t10k-labels-idx1-ubyte.gz",
            bytes: 5_148,
            sum: Sum::md5("bb300cfdad3c16e7a12a480ee83cd310"),
            plain: 10_008,
        },
    ],
};

/// Ten thousand records: a label, then 32×32 in three colours.
const CIFAR10_BATCH: Holds = Holds::Bytes(10_000 * (1 + 3 * 32 * 32));

pub(super) static CIFAR10: Packed = Packed {
    at: &["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    bytes: 170_052_171,
    sum: Sum::sha256("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    archive: Archive::TarGz,
    most_bytes: 200_000_000,
    folder: "cifar-10-batches-bin",
    holds: &[
        ("data_batch_1.bin", CIFAR10_BATCH),
        ("data_batch_2.bin", CIFAR10_BATCH),
        ("data_batch_3.bin", CIFAR10_BATCH),
        ("data_batch_4.bin", CIFAR10_BATCH),
        ("data_batch_5.bin", CIFAR10_BATCH),
        ("test_batch.bin", CIFAR10_BATCH),
    ],
};

/// Two labels, then 32×32 in three colours.
const CIFAR100_RECORD: u64 = 2 + 3 * 32 * 32;

pub(super) static CIFAR100: Packed = Packed {
    at: &["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    bytes: 168_513_733,
    sum: Sum::md5("03b5dce01913d631647c71ecec9e9cb8"),
    archive: Archive::TarGz,
    most_bytes: 200_000_000,
    folder: "cifar-100-binary",
    holds: &[
        ("train.bin", Holds::Bytes(50_000 * CIFAR100_RECORD)),
        ("test.bin", Holds::Bytes(10_000 * CIFAR100_RECORD)),
    ],
};

/// 96×96 in three colours.
const STL10_IMAGE: u64 = 3 * 96 * 96;

pub(super) static STL10: Packed = Packed {
    at: &["http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"],
    bytes: 2_640_397_119,
    sum: Sum::md5("91f7769df0f17e558f3565bffb0c7dfb"),
    archive: Archive::TarGz,
    most_bytes: 3_200_000_000,
    folder: "stl10_binary",
    holds: &[
        ("train_X.bin", Holds::Bytes(5_000 * STL10_IMAGE)),
        ("train_y.bin", Holds::Bytes(5_000)),
        ("test_X.bin", Holds::Bytes(8_000 * STL10_IMAGE)),
        ("test_y.bin", Holds::Bytes(8_000)),
        ("unlabeled_X.bin", Holds::Bytes(100_000 * STL10_IMAGE)),
    ],
};

pub(super) static EUROSAT: Packed = Packed {
    at: &[
        "https://madm.dfki.de/files/sentinel/EuroSAT.zip",
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
    ],
    bytes: 94_280_567,
    sum: Sum::md5("c8fa014336c82ac7804f0398fcb19387"),
    archive: Archive::Zip,
    most_bytes: 200_000_000,
    folder: "2750",
    holds: &[("", Holds::Images(27_000))],
};

pub(super) static FLOWERS17: Packed = Packed {
    at: &["https://www.robots.ox.ac.uk/~vgg/data/flowers/17/17flowers.tgz"],
    bytes: 60_270_631,
    sum: Sum::md5("b59a65d8d1a99cd66944d474e1289eab"),
    archive: Archive::TarGz,
    most_bytes: 120_000_000,
    folder: "jpg",
    holds: &[("", Holds::Images(17 * 80))],
};
