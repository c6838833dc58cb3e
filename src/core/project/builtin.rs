//! The built-in projects: files of `assets/projects`, compiled into the program.

use super::{Project, ProjectError, file};

/// A project that comes with Strata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name for `strata new`.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// The file.
    pub text: &'static str,
}

impl Builtin {
    /// The project as a value. The files are tested to parse; a mistake in one is reported like in any other.
    pub fn project(&self) -> Result<Project, ProjectError> {
        file::parse(self.text, self.name)
    }
}

macro_rules! builtin {
    ($name:literal, $about:literal) => {
        Builtin {
            name: $name,
            about: $about,
            text: include_str!(concat!("../../../assets/projects/", $name, ".toml")),
        }
    };
}

/// All built-in projects; the first is what the window opens on.
pub const ALL: &[Builtin] = &[
    builtin!(
        "conv-autoencoder",
        "One convolution and its transpose: the smallest autoencoder that learns filters."
    ),
    builtin!(
        "deep-autoencoder",
        "Two levels of convolution and max pooling, undone by unpooling with indices."
    ),
    builtin!(
        "sparse-autoencoder",
        "Linear autoencoder on whitened patches with a sparsity penalty: filters become edges."
    ),
    builtin!(
        "lenet-mnist",
        "LeNet for handwritten digits: two convolutions, pooling, two dense layers."
    ),
    builtin!(
        "lenet-caffe",
        "LeNet as Caffe's example has it, whose trained weights can be imported."
    ),
    builtin!(
        "keras-cifar",
        "The CIFAR network of the Keras tutorial: 122,570 parameters."
    ),
    builtin!(
        "pretrain-classify",
        "Autoencoder first, classifier after: images without labels lift the accuracy from 24 to 29 %."
    ),
    builtin!(
        "inception",
        "A small Inception for 32×32 pictures: 1×1, 3×3, 5×5 and pooling side by side."
    ),
    builtin!(
        "unet",
        "U-Net as a nest of concat blocks: takes noise away, level by level."
    ),
    builtin!(
        "resnet-18",
        "ResNet-18 as in torchvision: every two convolutions add to their input."
    ),
    builtin!(
        "mobilenet-v2",
        "MobileNetV2 as in torchvision: inverted residuals around depthwise convolutions."
    ),
    builtin!(
        "xception",
        "Xception as in the paper and Keras: separable convolutions with residuals."
    ),
    builtin!(
        "stl10-study",
        "Course work on STL-10: baselines, networks, autoencoders, transfer."
    ),
    builtin!(
        "keras-lab",
        "Course work: three networks on CIFAR-10, with and without augmentation."
    ),
    builtin!(
        "eurosat-transfer",
        "Course work on EuroSAT: from scratch, head only, fine-tuned step by step."
    ),
];

/// The built-in project of this name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|entry| entry.name == name)
}
