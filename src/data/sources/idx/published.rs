//! The files of MNIST and Fashion-MNIST, where they are published.

use crate::download::Sum;
use crate::download::published::{Loose, LooseFile, Published};

/// Those of MNIST.
pub(super) static MNIST_FILES: Published = Published::Loose(Loose {
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
});

/// Those of Fashion-MNIST.
pub(super) static FASHION_MNIST_FILES: Published = Published::Loose(Loose {
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
});
