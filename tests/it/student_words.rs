//! What a student types who knows other libraries, other words or the wrong keyboard layout: the palette has it among its first three.

use crate::kit::window::builtin;
use strata::app::commands;
use strata::app::state::State;
use strata::gui::views;

/// A word, and how the name of what it means begins.
const WORDS: [(&str, &str); 64] = [
    ("Conv2d", "Add conv"),
    ("Conv2D", "Add conv"),
    ("ConvTranspose2d", "Add convt"),
    ("deconvolution", "Add convt"),
    ("SeparableConv2D", "Add sepconv"),
    ("DepthwiseConv2D", "Add dwconv"),
    ("MaxPool2d", "Add maxpool"),
    ("MaxPooling2D", "Add maxpool"),
    ("AveragePooling2D", "Add avgpool"),
    ("GlobalAveragePooling2D", "Add gap"),
    ("AdaptiveAvgPool2d", "Add adaptive-avgpool"),
    ("BatchNormalization", "Add bn"),
    ("BatchNorm2d", "Add bn"),
    ("LayerNormalization", "Add layernorm"),
    ("Linear", "Add dense"),
    ("Dense", "Add dense"),
    ("fully connected", "Add dense"),
    ("ReLU", "Add relu"),
    ("LeakyReLU", "Add leakyrelu"),
    ("swish", "Add silu"),
    ("SpatialDropout2D", "Add dropout-channels"),
    ("GaussianNoise", "Add noise"),
    ("UpSampling2D", "Add upsample"),
    ("ZeroPadding2D", "Add pad"),
    ("Flatten", "Add flatten"),
    ("CrossEntropyLoss", "Setting: loss"),
    ("MSELoss", "Setting: loss"),
    ("Adam", "Setting: optimizer"),
    ("SGD", "Setting: optimizer"),
    ("momentum", "Setting: momentum"),
    ("l2", "Setting: weight decay"),
    ("kernel_regularizer", "Setting: weight decay"),
    ("lr", "Setting: learning rate"),
    ("learning_rate", "Setting: learning rate"),
    ("StepLR", "Setting: schedule"),
    ("ReduceLROnPlateau", "Setting: schedule"),
    ("EarlyStopping", "Setting: early stop"),
    ("patience", "Setting: early stop"),
    ("model.fit", "Train"),
    ("fit", "Train"),
    ("summary", "View: Cost"),
    ("evaluate", "View: Confusion"),
    ("predict", "View: Predictions"),
    ("num_epochs", "Setting: epochs"),
    ("batch size", "Setting: batch"),
    ("DataLoader", "Setting: source"),
    ("ImageFolder", "Setting: source"),
    ("validation_split", "Setting: valid"),
    ("ImageDataGenerator", "View: Augmentation"),
    ("RandomHorizontalFlip", "View: Augmentation"),
    ("Normalize", "Setting: normalize"),
    ("manual_seed", "Setting: seed"),
    ("requires_grad", "Setting: freeze"),
    ("confusion_matrix", "View: Confusion"),
    ("Grad-CAM", "View: Saliency"),
    ("TensorBoard", "View: Runs"),
    ("FLOPs", "View: Cost"),
    ("params", "View: Cost"),
    ("overfitting", "View: Advice"),
    ("skip connection", "View: Graph"),
    ("cuda", "Device"),
    ("hotkeys", "Keys"),
    ("екфшт", "Train"),
    ("дщыы", "View: Loss"),
];

#[test]
fn the_words_of_a_student_are_found() {
    let state = State::new(builtin("pretrain-classify"), None);
    let all = commands::all(&state, &views::catalogue());
    let mut missed = Vec::new();
    for (word, name) in WORDS {
        let found = commands::find(&all, word);
        let first: Vec<&str> = found
            .iter()
            .take(3)
            .map(|command| command.name.as_str())
            .collect();
        if !first.iter().any(|found| found.starts_with(name)) {
            missed.push(format!("{word}: {name}, not {first:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
