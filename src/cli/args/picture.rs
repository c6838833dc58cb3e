//! The pictures of a run that can be drawn, by their words.

use clap::ValueEnum;

/// A picture of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// The filters of the first layer, or of another one
    Filters,
    /// The loss of every step
    Loss,
    /// The fraction of images classified correctly
    Accuracy,
    /// How often images of each class are taken for each
    Confusion,
    /// The most wrong or least sure answers, precision and recall of each class, calibration
    Predictions,
    /// Images and the network's reconstructions of them
    Reconstructions,
    /// What each channel of a layer gives for an image
    Activations,
    /// Images and how strongly each pixel influences the class score
    Saliency,
    /// Images changed so little that only the network is fooled, and the accuracy by how much
    Adversarial,
    /// The images nearest to one, by pixels and by the features of a layer; k-NN accuracy
    Neighbours,
    /// A map of a split: each image a point, near to those that a layer finds alike
    Embedding,
    /// Images made so that a class, a channel, a value or a layer answers strongly
    Visualize,
    /// The images of a split that excite each channel of a layer most, and how active it is
    Exciting,
    /// How active each hidden unit is on average
    SparseCode,
    /// Gradients, weights, updates and outputs of every layer over the training, with warnings
    Dynamics,
    /// What a position of a layer sees: the box on the image, and how strongly each pixel counts
    ReceptiveField,
    /// The arithmetic of one value of a layer, as text
    Pixel,
}

impl Picture {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Picture::Filters => "filters",
            Picture::Loss => "loss",
            Picture::Accuracy => "accuracy",
            Picture::Confusion => "confusion",
            Picture::Predictions => "predictions",
            Picture::Reconstructions => "reconstructions",
            Picture::Activations => "activations",
            Picture::Saliency => "saliency",
            Picture::Adversarial => "adversarial",
            Picture::Neighbours => "neighbours",
            Picture::Embedding => "embedding",
            Picture::Exciting => "exciting",
            Picture::Visualize => "visualize",
            Picture::SparseCode => "sparse-code",
            Picture::Dynamics => "dynamics",
            Picture::ReceptiveField => "receptive-field",
            Picture::Pixel => "pixel",
        }
    }
}
