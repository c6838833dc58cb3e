//! What a student types who knows other libraries, other words or the wrong keyboard layout: the palette has it among its first three.

use crate::kit::window::builtin;
use strata::app::commands;
use strata::app::state::State;
use strata::gui::views;

/// A word, and how the name of what it means begins.
const WORDS: [(&str, &str); 144] = [
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
    ("learning rate", "Setting: learning rate"),
    ("InitialLearnRate", "Setting: learning rate"),
    ("MaxEpochs", "Setting: epochs"),
    ("MiniBatchSize", "Setting: batch"),
    ("L2Regularization", "Setting: weight decay"),
    ("sgdm", "Setting: optimizer"),
    ("trainNetwork", "Train"),
    ("trainnet", "Train"),
    ("analyzeNetwork", "View: Cost"),
    ("imageDatastore", "Setting: source"),
    ("imageDataAugmenter", "View: Augmentation"),
    ("confusionchart", "View: Confusion"),
    ("convolution2dLayer", "Add conv"),
    ("transposedConv2dLayer", "Add convt"),
    ("fullyConnectedLayer", "Add dense"),
    ("maxPooling2dLayer", "Add maxpool"),
    ("averagePooling2dLayer", "Add avgpool"),
    ("batchNormalizationLayer", "Add bn"),
    ("reluLayer", "Add relu"),
    ("dropoutLayer", "Add dropout"),
    ("softmaxLayer", "Add softmax"),
    ("optim.Adam", "Setting: optimizer"),
    ("nn.Linear", "Add dense"),
    ("model.eval", "View: Confusion"),
    ("state_dict", "Open"),
    ("load_state_dict", "Open"),
    ("ModelCheckpoint", "Keep"),
    ("torchsummary", "View: Cost"),
    ("GELU", "Add gelu"),
    ("ELU", "Add elu"),
    ("PReLU", "Add prelu"),
    ("Rescaling", "Setting: range"),
    ("tsne", "View: Map of images"),
    ("umap", "View: Map of images"),
    ("pca", "View: Map of images"),
    ("knn", "View: Neighbours"),
    ("FGSM", "View: Adversarial"),
    ("deep dream", "View: Feature visualization"),
    ("activation maximization", "View: Feature visualization"),
    ("heatmap", "View: Saliency"),
    ("histogram", "View: Statistics"),
    ("kernel size", "Settings: Layer"),
    ("filters", "View: Filters"),
    ("weights", "Setting: class weights of a stage"),
    ("feature maps", "View: Feature maps"),
    ("dead channels", "View: Exciting images"),
    ("zoom", "Presentation size"),
    ("font size", "Large size"),
    ("fullscreen", "Presentation size"),
    ("dark mode", "Light theme"),
    ("shortcuts", "Keys"),
    ("gpu", "Device"),
    ("vanishing gradients", "View: Dynamics"),
    ("receptive field", "View: Receptive field"),
    ("padding", "Settings: Layer"),
    ("обучить", "Train"),
    ("обучение", "Train"),
    ("слой", "Layer: "),
    ("свёртка", "Add conv"),
    ("сверточный слой", "Layer: "),
    ("пулинг", "Add maxpool"),
    ("данные", "Workspace: Data"),
    ("эпохи", "Setting: epochs"),
    ("скорость обучения", "Setting: learning rate"),
    ("потери", "View: Loss"),
    ("точность", "View: Accuracy"),
    ("фильтры", "View: Filters"),
    ("сохранить", "Save"),
    ("открыть", "Open"),
    ("добавить слой", "Add layer"),
    ("настройки", "Settings: "),
    ("справка", "Help: "),
    ("ckjq", "Layer: "),
    ("j,exbnm", "Train"),
    ("фвфь", "Setting: optimizer"),
    ("ьфчзщщд", "Add maxpool"),
    ("вкщзщге", "Add dropout"),
    ("зфеср", "Setting: patch"),
    ("кгты", "View: Runs"),
    ("фсс", "View: Accuracy"),
];

/// What only one thing is called so: it comes first, before longer names with the same word.
const FIRST: [(&str, &str); 12] = [
    ("lr", "Setting: learning rate"),
    ("learning rate", "Setting: learning rate"),
    ("weight_decay", "Setting: weight decay"),
    ("momentum", "Setting: momentum"),
    ("epochs", "Setting: epochs"),
    ("batch", "Setting: batch"),
    ("Conv2d", "Add conv"),
    ("nn.Linear", "Add dense"),
    ("train", "Train"),
    ("дщыы", "View: Loss"),
    ("эпохи", "Setting: epochs"),
    ("скорость обучения", "Setting: learning rate"),
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
    for (word, name) in FIRST {
        let found = commands::find(&all, word);
        let first = found.first().map(|command| command.name.as_str());
        if !first.is_some_and(|found| found.starts_with(name)) {
            missed.push(format!("{word}: {name} first, not {first:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
