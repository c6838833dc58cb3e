//! What the palette finds besides commands: kinds of layers to add, the layers that there are, settings, recent files,
//! pages of help. PyTorch's and Keras's names lead to them too.

use super::{Command, command};
use crate::action::{Action, OnView, Overlay, Show};
use crate::services::ViewCatalogue;
use crate::setting_field::SettingField;
use crate::state::{SideTab, State, Switch};
use crate::view_kind::ViewKind;
use strata_core::project::optimizer::{OPTIMIZERS, OptimizerSetting};
use strata_core::project::reference::{Setting, data, stage};
use strata_core::project::{Place, Stack};
use strata_core::shape::layers::WORDS;

/// Other words for commands, by the beginnings of their names.
const SYNONYMS: &[(&str, &str)] = &[
    (
        "Train",
        "fit start run learn begin network model trainnet trainer",
    ),
    ("Go on", "resume continue more epochs restart"),
    ("Resume", "continue go on"),
    ("Pause", "halt wait"),
    ("Stop", "cancel abort end interrupt"),
    ("Write report", "export html share print"),
    (
        "Export for PyTorch",
        "pytorch torch nn.module state_dict convert",
    ),
    ("Export for Keras", "keras tensorflow jax convert"),
    ("Export as ONNX", "onnx onnxruntime netron convert deploy"),
    ("Export the weights", "safetensors state_dict checkpoint"),
    (
        "Open…",
        "load file import run folder checkpoint state_dict load_state_dict safetensors h5",
    ),
    ("Save as…", "export copy"),
    ("Save picture", "export png svg screenshot image"),
    ("Start page", "recent home welcome examples built-in"),
    ("New project", "empty create from scratch"),
    ("New from", "example template built-in start"),
    ("Device", "gpu cuda cpu processor hardware"),
    ("Usual size", "zoom font smaller"),
    (
        "Presentation size",
        "zoom font size larger bigger fullscreen beamer projector",
    ),
    ("Large size", "zoom font larger bigger"),
    ("Largest size", "zoom font larger bigger"),
    ("Keep", "checkpoint modelcheckpoint save_weights"),
    ("Keys", "help shortcuts keyboard hotkeys"),
    ("About", "version licence log report bug"),
    ("Delete layer", "remove erase"),
    ("Duplicate layer", "copy clone"),
    ("Undo", "back revert"),
    ("Show settings", "panel sidebar inspector form"),
    ("Hide settings", "panel sidebar inspector form"),
    ("Reset arrangement", "layout views tiles docking"),
    ("Logarithmic", "log scale axis"),
    ("Linear loss", "log scale axis"),
    ("Fold all", "collapse blocks"),
    ("Unfold all", "expand blocks"),
    ("Lock", "protect freeze edit"),
    ("Dark theme", "night light mode appearance colours"),
    ("Light theme", "day dark mode appearance colours"),
];

/// Other libraries' names of settings, by key.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "optimizer",
        "sgdm trainingoptions optimiser sgd adam adamw rmsprop adagrad compile",
    ),
    (
        "schedule",
        "scheduler lr_scheduler cosine annealing steplr multisteplr exponentiallr polynomiallr onecyclelr \
         reducelronplateau warmup decay super-convergence",
    ),
    (
        "class_weights",
        "class_weight balanced imbalance weighted loss pos_weight",
    ),
    (
        "rate_factors",
        "parameter groups param_groups layer-wise discriminative learning rates fine-tuning",
    ),
    ("decay", "no_decay bias norm weight_decay param_groups"),
    (
        "clip",
        "gradient clipping clip_grad_norm_ clip_grad_value_ clipnorm clipvalue exploding",
    ),
    (
        "accumulate",
        "gradient accumulation accumulate_grad_batches large batch memory",
    ),
    ("epochs", "maxepochs num_epochs passes n_epochs"),
    ("batch", "minibatchsize batch_size mini-batch"),
    (
        "freeze",
        "requires_grad trainable fine-tune fine-tuning fixed weights",
    ),
    (
        "unfreeze",
        "gradual unfreezing ulmfit progressive thaw layer by layer",
    ),
    ("early_stop", "earlystopping patience callback monitor"),
    (
        "checkpoints",
        "modelcheckpoint save_best_only best weights restore",
    ),
    (
        "sparsity",
        "kl penalty regularisation regularizer activity_regularizer",
    ),
    (
        "loss",
        "criterion mseloss crossentropyloss categorical_crossentropy objective",
    ),
    (
        "task",
        "classifier autoencoder reconstruct classify supervised",
    ),
    ("split", "train valid test unlabeled"),
    (
        "source",
        "imagedatastore dataset dataloader mnist cifar stl10 imagefolder",
    ),
    ("path", "folder directory files dataset"),
    ("resize", "image size transforms scale"),
    ("normalize", "standardise mean std transforms zscore"),
    ("whiten", "zca pca whitening decorrelate sphering"),
    ("center", "dc mean subtract brightness zero-mean"),
    (
        "augment",
        "augmentation transforms flip rotate crop randomflip",
    ),
    ("valid", "validation_split holdout val"),
    ("range", "rescaling rescale totensor minmaxscaler 255 scale"),
];

/// The same for the settings of optimizers.
const OF_OPTIMIZERS: &[(&str, &str)] = &[
    (
        "lr",
        "learning_rate initiallearnrate learnrate eta alpha step size",
    ),
    (
        "weight_decay",
        "l2 l2regularization kernel_regularizer regularizer regularisation penalty",
    ),
];

/// Other words for layers, besides the classes that may be pasted.
const LAYERS_ELSEWHERE: &[(&str, &str)] = &[
    ("conv", "convolution1d convolution2d convolution3d"),
    ("convt", "deconvolution upconvolution transposedconv2d"),
    ("avgpool", "averagepooling"),
    ("layernorm", "layernormalization"),
    ("add", "residual skip connection"),
];

fn known(list: &[(&str, &'static str)], key: &str) -> &'static str {
    let found = list.iter().find(|(known, _)| *known == key);
    found.map_or("", |(_, words)| words)
}

/// All of them.
pub(super) fn all(state: &State, views: &ViewCatalogue) -> Vec<Command> {
    let mut all = inserting(state);
    all.extend(stage_and_tabs(state));
    all.extend(kinds(state));
    all.extend(settings());
    all.extend(arrangements(state));
    all.extend(pages(views));
    all.extend(recents(state));
    all.extend(rows(state));
    all
}

/// Adds the other words for what has a name already.
pub(super) fn with_synonyms(mut commands: Vec<Command>, views: &ViewCatalogue) -> Vec<Command> {
    for command in &mut commands {
        let known = SYNONYMS
            .iter()
            .filter(|(name, _)| command.name.starts_with(name));
        for (_, words) in known {
            command.words += " ";
            command.words += words;
        }
        if let Action::View(OnView::Open(kind, _)) = &command.action {
            let info = views.info(*kind);
            command.words += &format!(" {} {}", info.words, info.about);
        }
    }
    commands
}

fn inserting(state: &State) -> Vec<Command> {
    let mut all = Vec::new();
    let words = "add insert layer new below between";
    if let Some(place) = &state.selected {
        let after = place.neighbour(1);
        let name = format!("Insert a layer after {}", place.in_words());
        let action = Action::AskLayer(after);
        all.push(command(name, "Ins", action).known_as(words));
        let action = Action::AskLayer(Some(place.clone()));
        let name = format!("Insert a layer before {}", place.in_words());
        all.push(command(name, "", action).known_as(words));
    }
    for stack in Stack::ALL {
        let end = Place::new(stack, state.network().stack(stack).len());
        let name = format!("Add layer to {stack}");
        all.push(command(name, "at its end", Action::AskLayer(Some(end))).known_as(words));
    }
    all
}

fn stage_and_tabs(state: &State) -> Vec<Command> {
    let add = Action::Edit(state.added_stage());
    let mut all = vec![
        command("Add stage", "a phase of training at the end", add).known_as("phase new fine-tune"),
    ];
    let closed = Action::View(OnView::Reopen);
    let reopen = command("Open the view that was closed last", "Ctrl+Shift+T", closed);
    all.push(reopen.known_as("reopen undo close tab"));
    for (tab, words) in [
        (
            SideTab::Layer,
            "form inspector attributes properties kernel stride padding dilation groups bias",
        ),
        (
            SideTab::Data,
            "dataset images download mirror path source pixels splits",
        ),
        (
            SideTab::Stages,
            "training optimizer learning rate epochs schedule",
        ),
    ] {
        let name = format!("Settings: {}", tab.name());
        let tab_command = command(name, "in the panel on the right", to(tab)).known_as(words);
        all.push(match tab {
            SideTab::Layer => tab_command.named_elsewhere("kernel_size out_channels"),
            SideTab::Data | SideTab::Stages => tab_command,
        });
    }
    all
}

fn to(tab: SideTab) -> Action {
    Action::Show(Show::Switch(Switch::SideTab(tab)))
}

/// Every kind of layer, added after the selected one.
fn kinds(state: &State) -> Vec<Command> {
    let end = || Place::new(Stack::Encoder, state.network().encoder.len());
    let selected = state.selected.as_ref();
    let place = selected
        .and_then(|place| place.neighbour(1))
        .unwrap_or_else(end);
    WORDS
        .iter()
        .map(|layer| {
            let words = layer.names_elsewhere().join(" ");
            let others = known(LAYERS_ELSEWHERE, layer.word);
            let action = Action::AddText(place.clone(), layer.example.to_owned());
            let name = format!("Add {}", layer.word);
            command(name, layer.about, action)
                .named_elsewhere(&format!("{words} {others}"))
                .known_as("layer")
        })
        .collect()
}

fn settings() -> Vec<Command> {
    let one = |setting: &Setting, field: Option<SettingField>, of: &str| {
        let words = known(ELSEWHERE, setting.key);
        let name = setting.key.replace('_', " ");
        // What has no field is the list of augmentations.
        let list = Action::View(OnView::Open(ViewKind::Augmentation, None));
        let action = field.map_or(list, |field| Action::Show(Show::Field(field)));
        command(format!("Setting: {name} of {of}"), setting.about, action).known_as(words)
    };
    let data = data::ALL
        .iter()
        .map(|setting| one(setting, SettingField::of_data(setting.key), "the data"));
    let stages = stage::ALL
        .iter()
        .map(|setting| one(setting, SettingField::of_stage(setting.key), "a stage"));
    let mut all: Vec<Command> = data.chain(stages).collect();
    let mut of_optimizers: Vec<&OptimizerSetting> = Vec::new();
    for setting in OPTIMIZERS.iter().flat_map(|kind| kind.settings) {
        if of_optimizers.iter().all(|other| other.key != setting.key) {
            of_optimizers.push(setting);
        }
    }
    let about = "what random numbers begin with: equal seeds give equal runs";
    all.extend(SettingField::of_data("seed").map(|field| {
        let seed = command("Setting: seed", about, Action::Show(Show::Field(field)));
        seed.known_as("random manual_seed reproducible")
    }));
    all.extend(SettingField::of_data("init").map(|field| {
        let about = "weights of a run or of a file that the network begins with";
        let init = command(
            "Setting: first weights",
            about,
            Action::Show(Show::Field(field)),
        );
        init.known_as("init transfer learning pretrained fine-tune load_state_dict checkpoint")
    }));
    all.extend(of_optimizers.into_iter().map(|setting| {
        let name = format!("Setting: {}", setting.name);
        let others = known(OF_OPTIMIZERS, setting.key);
        let field = SettingField::of_optimizer(setting);
        let action = Action::Show(Show::Field(field));
        command(name, setting.about, action)
            .named_elsewhere(setting.key)
            .known_as(&format!("{others} optimizer"))
    }));
    all
}

fn arrangements(state: &State) -> Vec<Command> {
    let named = state.arrangements.named().iter();
    named
        .map(|kept| {
            let action = Action::View(OnView::Recall(kept.name.clone()));
            let name = format!("Arrangement: {}", kept.name);
            command(name, "the views as they were named", action).known_as("layout recall")
        })
        .collect()
}

fn pages(views: &ViewCatalogue) -> Vec<Command> {
    let page = |info: &crate::view_kind::ViewInfo| {
        let action = Action::Overlay(Some(Overlay::Page(info.kind)));
        let name = format!("Help: {}", info.title);
        let words = format!("what is explain manual {} {}", info.words, info.about);
        command(name, info.summary, action).known_as(&words)
    };
    views.infos.iter().map(page).collect()
}

fn recents(state: &State) -> Vec<Command> {
    let here = state
        .recents
        .entries()
        .iter()
        .filter(|entry| entry.problem.is_none());
    here.map(|entry| {
        let name = format!("Recent: {}", entry.title);
        let path = entry.path.display().to_string();
        command(name, path, Action::Open(entry.path.clone())).known_as("open file run reopen last")
    })
    .collect()
}

fn rows(state: &State) -> Vec<Command> {
    let rows = state.shown.inference.rows.iter();
    rows.map(|row| {
        let name = format!("Layer: {} {}", row.place.in_words(), row.text);
        let hint = row.shape_text();
        command(name, hint, Action::Select(Some(row.place.clone())))
            .known_as(&format!("go to select {}", row.place))
    })
    .collect()
}
