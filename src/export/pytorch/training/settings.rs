//! `settings.py`: what a project says of its training, as objects of PyTorch.

use super::augmentation::{self, SALT_AND_PEPPER, has_salt};
use crate::error::ExportError;
use crate::pytorch::one_line;
use std::fmt::Write;
use strata_core::project::augment::Augment;
use strata_core::project::data::Weights;
use strata_core::project::init::covers;
use strata_core::project::layer::{Activation, Kind};
use strata_core::project::node::Node;
use strata_core::project::optimizer::Optimizer;
use strata_core::project::schedule::{Course, OneCycle, Schedule};
use strata_core::project::stage::{Clip, Decay, Loss, PRETRAINED, Sparsity, Stage, Task};
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::infer;
use strata_core::shape::{Inference, unfreezing};
use strata_data::Dataset;
use strata_inspect::reconstructions::probe_places;

/// The classes of `stages.py` that settings may name.
const CLASSES: [&str; 12] = [
    "Cosine",
    "EarlyStop",
    "Exponential",
    "MultiStep",
    "OneCycle",
    "Plateau",
    "Polynomial",
    "Schedule",
    "Sparsity",
    "Stage",
    "Step",
    "StructuralDissimilarity",
];

/// The classes of `borders.py` that augmentations may name.
const BORDERS: [&str; 3] = ["Bordered", "Extended", "Shifted"];

/// The code of a project's settings. `has_first_weights` where the network begins with weights of a file.
pub(super) fn code(
    project: &Project,
    dataset: &Dataset,
    hash: &str,
    has_first_weights: bool,
) -> Result<String, ExportError> {
    let augment = augmentation(project, dataset)?;
    let mut said = String::new();
    if has_salt(&augment) {
        said.push_str(SALT_AND_PEPPER);
        said.push('\n');
    }
    let first = match has_first_weights {
        true => format!("\"{}\"", super::FIRST_WEIGHTS_FILE),
        false => "None".to_owned(),
    };
    let _ = writeln!(
        said,
        "\nSEED = {seed}\nVERSION = \"{version}, PyTorch \" + torch.__version__\n\
         # Which images these are, as Strata tells them apart.\nDATA_HASH = \"{hash}\"\n\
         # What the network begins with; None is PyTorch's usual.\nFIRST_WEIGHTS = {first}\n",
        seed = project.seed,
        version = env!("CARGO_PKG_VERSION"),
    );
    images(project, dataset, &augment, &mut said)?;
    said.push_str("\nSTAGES = [\n");
    for stage in &project.stages {
        said.push_str(&self::stage(project, stage, dataset, has_first_weights)?);
    }
    said.push_str("]\n");
    Ok([heading(project, &said), said].concat())
}

/// The docstring, and the imports of what the settings name.
fn heading(project: &Project, said: &str) -> String {
    let mut heading = format!(
        "\"\"\"{}: what its project says of the training, written by Strata {}.\"\"\"\n\n\
         import torch\nfrom torch import nn, optim\n",
        one_line(&project.title),
        env!("CARGO_PKG_VERSION"),
    );
    if said.contains("v2.") {
        heading.push_str("from torchvision.transforms import v2\n");
    }
    let is_used = |class: &&&str| said.contains(&format!("{class}("));
    let borders: Vec<&str> = BORDERS.iter().filter(is_used).copied().collect();
    if !borders.is_empty() {
        let _ = writeln!(heading, "\nfrom borders import {}", borders.join(", "));
    }
    let used: Vec<&str> = CLASSES.iter().filter(is_used).copied().collect();
    let _ = writeln!(heading, "\nfrom stages import {}", used.join(", "));
    heading
}

/// The augmentations that are on.
fn augmentation(project: &Project, dataset: &Dataset) -> Result<Vec<Augment>, ExportError> {
    if !project.data.use_augment || project.data.augment.is_empty() {
        return Ok(Vec::new());
    }
    let is_of_pictures = project.network.input.spatial().len() == 2
        && dataset
            .splits()
            .all(|(_, data)| data.zero_share() == 0.0 && data.whole_shape()[0] > 1);
    match is_of_pictures {
        true => Ok(project.data.augment.clone()),
        false => Err(ExportError::Training {
            what: "augment".to_owned(),
            reason: "torchvision's augmentations are for pictures whose black is 0".to_owned(),
        }),
    }
}

fn images(
    project: &Project,
    dataset: &Dataset,
    augment: &[Augment],
    out: &mut String,
) -> Result<(), ExportError> {
    let dims: Vec<String> = project
        .network
        .input
        .dims()
        .iter()
        .map(usize::to_string)
        .collect();
    let ends: Vec<String> = dataset
        .ends()
        .iter()
        .map(|[black, white]| format!("({black:?}, {white:?})"))
        .collect();
    let is_normalized = project.data.range.is_none() && project.data.normalize.is_some();
    let _ = writeln!(
        out,
        "# The shape of an image, and what black and white become: for each channel, or for all alike.\n\
         INPUT = ({},)\nENDS = [{}]\nNORMALIZED = {}",
        dims.join(", "),
        ends.join(", "),
        python(is_normalized)
    );
    let mixup = augment.iter().find_map(|augment| match augment {
        Augment::Mixup { alpha } => Some(*alpha),
        _ => None,
    });
    let steps: Vec<String> = augment
        .iter()
        .filter(|augment| !matches!(augment, Augment::Mixup { .. }))
        .map(augmentation::call)
        .collect::<Result<_, _>>()?;
    let augment = match steps.is_empty() {
        true => "None".to_owned(),
        false => format!("v2.Compose([\n    {},\n])", steps.join(",\n    ")),
    };
    let crop = dataset.splits().next().and_then(|(_, data)| {
        let [height, width, _] = data.image_shape();
        (data.whole_shape() != data.image_shape())
            .then(|| format!("v2.CenterCrop(({height}, {width}))"))
    });
    let _ = writeln!(
        out,
        "\nAUGMENT = {augment}\nAUGMENTED_SPLITS = (\"train\", \"unlabeled\")\n\
         # What is seen of an image that is not augmented.\nCROP = {}\nMIXUP = {}\nBALANCED = {}",
        crop.as_deref().unwrap_or("None"),
        mixup.map_or("None".to_owned(), |alpha| format!("{alpha:?}")),
        python(project.data.weights == Some(Weights::Balanced))
    );
    let probe = probe_places(dataset, project.seed);
    let (split, places) = probe.map_or(("train".to_owned(), Vec::new()), |(split, places)| {
        (split.to_string(), places)
    });
    let _ = writeln!(
        out,
        "# The images of which pictures are kept.\nPROBE = (\"{split}\", {places:?})"
    );
    Ok(())
}

fn stage(
    project: &Project,
    stage: &Stage,
    dataset: &Dataset,
    has_first_weights: bool,
) -> Result<String, ExportError> {
    let refused = |what: String, reason: &str| ExportError::Training {
        what: format!("stage {}: {what}", stage.name),
        reason: reason.to_owned(),
    };
    let mut lines = vec![
        format!("name={}", quoted(&stage.name)),
        format!("task=\"{}\"", stage.task),
        format!("split=\"{}\"", stage.split),
    ];
    let weights = stage.class_weights.as_ref().zip(dataset.split(stage.split));
    let weights = weights.map(|(weights, images)| match dataset.has_label_sets() {
        true => weights.of_labels(&images.per_class(), images.len()),
        false => weights.of_classes(&images.per_class()),
    });
    let loss = match stage.task == Task::Classify && dataset.has_label_sets() {
        true => Some(loss_of_labels(weights.as_deref())),
        false => loss(project, stage, weights.as_deref()),
    };
    lines.push(format!(
        "loss={}",
        loss.ok_or_else(|| refused(
            format!("the loss {}", stage.loss),
            "it is for pictures there"
        ))?
    ));
    lines.push(format!(
        "optimizer=lambda groups: {}",
        optimizer(&stage.optimizer)
    ));
    lines.push(format!("lr={:?}", stage.optimizer.lr()));
    lines.push(format!("epochs={}", stage.epochs));
    lines.push(format!("batch={}", stage.batch));
    if let Some(ending) = ending(project).filter(|_| stage.task == Task::Classify) {
        lines.push(format!("ending=\"{ending}\""));
    }
    if let Some(schedule) = &stage.schedule {
        lines.push(format!("schedule={}", self::schedule(schedule)));
    }
    let inference = infer(&project.network);
    let frozen: Vec<String> = stage
        .freeze
        .iter()
        .flat_map(|name| named(name, &inference))
        .collect();
    if !frozen.is_empty() {
        lines.push(format!("freeze=[{}]", quoted_list(&frozen)));
    }
    let layers = unfreezing::layers(stage, &project.network, &inference);
    if let Some(unfreeze) = stage.unfreeze.filter(|_| !layers.is_empty()) {
        let layer = |(from_top, places): (usize, &Vec<Place>)| {
            let names: Vec<String> = places.iter().map(Place::to_string).collect();
            let first = unfreeze.epoch_of(from_top);
            format!("({first}, [{}])", quoted_list(&names))
        };
        let layers: Vec<String> = layers.iter().enumerate().map(layer).collect();
        lines.push(format!("unfreeze=[{}]", layers.join(", ")));
    }
    if stage.accumulate > 1 {
        lines.push(format!("accumulate={}", stage.accumulate));
    }
    match stage.clip {
        Some(Clip::Norm(norm)) => lines.push(format!("clip_norm={norm:?}")),
        Some(Clip::Value(value)) => lines.push(format!("clip_value={value:?}")),
        None => {}
    }
    if !stage.rate_factors.is_empty() {
        let factors = &stage.rate_factors.0;
        if has_first_weights && factors.iter().any(|(name, _)| name == PRETRAINED) {
            return Err(refused(
                format!("the rate factor {PRETRAINED}"),
                "which layers came with init is not known to train.py",
            ));
        }
        let pair = |(name, factor): &(String, f64)| format!("({}, {factor:?})", quoted(name));
        let pairs: Vec<String> = factors.iter().map(pair).collect();
        lines.push(format!("rate_factors=[{}]", pairs.join(", ")));
    }
    if stage.decay == Decay::Weights {
        lines.push("decays_weights_alone=True".to_owned());
    }
    if let Some(sparsity) = &stage.sparsity {
        lines.push(format!("sparsity={}", self::sparsity(sparsity)));
    }
    if let Some(early) = &stage.early_stop {
        lines.push(format!(
            "early_stop=EarlyStop(\"{}\", patience={})",
            early.metric, early.patience
        ));
    }
    if let Some(kept) = stage.checkpoints {
        if kept.best {
            lines.push("keep_best=True".to_owned());
        }
        if let Some(every) = kept.every {
            lines.push(format!("keep_every={every}"));
        }
    }
    Ok(format!(
        "    Stage(\n        {},\n    ),\n",
        lines.join(",\n        ")
    ))
}

/// The stack or the layers that a name of the project means: a pattern such as `encoder.*` stands for all that it fits.
fn named(name: &str, inference: &Inference) -> Vec<String> {
    if !name.contains('*') {
        return vec![name.to_owned()];
    }
    let rows = Stack::ALL
        .into_iter()
        .flat_map(|stack| inference.stack(stack));
    let places = rows.map(|row| row.place.to_string());
    places.filter(|place| covers(name, place)).collect()
}

fn quoted_list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    quoted.join(", ")
}

/// Of images that may have several labels: a score for each.
fn loss_of_labels(weights: Option<&[f64]>) -> String {
    match weights {
        Some(weights) => {
            format!("nn.BCEWithLogitsLoss(pos_weight=torch.tensor({weights:?}))")
        }
        None => "nn.BCEWithLogitsLoss()".to_owned(),
    }
}

/// The loss as a module; none where PyTorch's is for other images.
fn loss(project: &Project, stage: &Stage, weights: Option<&[f64]>) -> Option<String> {
    Some(match stage.loss {
        Loss::Mse => "nn.MSELoss()".to_owned(),
        Loss::L1 => "nn.L1Loss()".to_owned(),
        Loss::Huber { delta } => format!("nn.HuberLoss(delta={delta:?})"),
        Loss::SmoothL1 { beta } => format!("nn.SmoothL1Loss(beta={beta:?})"),
        Loss::Ssim { range } if project.network.input.rank() == 2 => {
            format!("StructuralDissimilarity({range:?})")
        }
        Loss::Ssim { .. } => return None,
        Loss::Bce if stage.task == Task::Reconstruct => "nn.BCELoss()".to_owned(),
        // Of two classes: the cross-entropy of 0 and the one score.
        Loss::Bce => cross_entropy(0.0, weights),
        Loss::CrossEntropy { smoothing } => cross_entropy(smoothing, weights),
    })
}

fn cross_entropy(smoothing: f64, weights: Option<&[f64]>) -> String {
    let mut options = Vec::new();
    if let Some(weights) = weights {
        options.push(format!("weight=torch.tensor({weights:?})"));
    }
    if smoothing > 0.0 {
        options.push(format!("label_smoothing={smoothing:?}"));
    }
    format!("nn.CrossEntropyLoss({})", options.join(", "))
}

/// What the head gives, where that are no scores of classes.
fn ending(project: &Project) -> Option<&'static str> {
    let answer = infer(&project.network).answer?;
    let last = match project.network.head.last() {
        Some(Node::Layer(layer)) => Some(&layer.kind),
        _ => None,
    };
    match (answer.elements(), last) {
        (1, Some(Kind::Activation(Activation::Sigmoid))) => Some("sigmoid"),
        (1, _) => Some("score"),
        (_, Some(Kind::Softmax)) => Some("softmax"),
        _ => None,
    }
}

fn optimizer(optimizer: &Optimizer) -> String {
    let (class, options) = match optimizer {
        Optimizer::Sgd(sgd) => (
            "SGD",
            vec![
                ("momentum", sgd.momentum),
                ("weight_decay", sgd.weight_decay),
                ("dampening", sgd.dampening),
            ],
        ),
        Optimizer::Adam(adam) => (
            "Adam",
            vec![("weight_decay", adam.0.weight_decay), ("eps", adam.0.eps)],
        ),
        Optimizer::AdamW(adam) => (
            "AdamW",
            vec![("weight_decay", adam.0.weight_decay), ("eps", adam.0.eps)],
        ),
        Optimizer::RmsProp(rms) => (
            "RMSprop",
            vec![
                ("alpha", rms.alpha),
                ("eps", rms.eps),
                ("momentum", rms.momentum),
                ("weight_decay", rms.weight_decay),
            ],
        ),
        Optimizer::Adagrad(adagrad) => (
            "Adagrad",
            vec![
                ("lr_decay", adagrad.lr_decay),
                ("weight_decay", adagrad.weight_decay),
                ("eps", adagrad.eps),
                (
                    "initial_accumulator_value",
                    adagrad.initial_accumulator_value,
                ),
            ],
        ),
    };
    let mut texts = vec![format!("lr={:?}", optimizer.lr())];
    texts.extend(
        options
            .iter()
            .map(|(key, value)| format!("{key}={value:?}")),
    );
    match optimizer {
        Optimizer::Adam(adam) => texts.push(betas(adam.0.beta1, adam.0.beta2)),
        Optimizer::AdamW(adam) => texts.push(betas(adam.0.beta1, adam.0.beta2)),
        Optimizer::Sgd(sgd) if sgd.nesterov => texts.push("nesterov=True".to_owned()),
        Optimizer::RmsProp(rms) if rms.centered => texts.push("centered=True".to_owned()),
        Optimizer::Sgd(_) | Optimizer::RmsProp(_) | Optimizer::Adagrad(_) => {}
    }
    format!("optim.{class}(groups, {})", texts.join(", "))
}

fn betas(first: f64, second: f64) -> String {
    format!("betas=({first:?}, {second:?})")
}

fn schedule(schedule: &Schedule) -> String {
    let (class, mut options) = match &schedule.course {
        Course::Constant => ("Schedule", Vec::new()),
        Course::Cosine { min } => ("Cosine", vec![format!("min={min:?}")]),
        Course::Step { every, gamma } => (
            "Step",
            vec![format!("every={every:?}"), format!("gamma={gamma:?}")],
        ),
        Course::MultiStep { at, gamma } => (
            "MultiStep",
            vec![format!("at={at:?}"), format!("gamma={gamma:?}")],
        ),
        Course::Exponential { gamma } => ("Exponential", vec![format!("gamma={gamma:?}")]),
        Course::Polynomial { power } => ("Polynomial", vec![format!("power={power:?}")]),
        Course::OneCycle(cycle) => ("OneCycle", one_cycle(cycle)),
        Course::Plateau(plateau) => (
            "Plateau",
            vec![
                format!("metric=\"{}\"", plateau.metric()),
                format!("factor={:?}", plateau.factor),
                format!("patience={:?}", plateau.patience),
                format!("threshold={:?}", plateau.threshold),
                format!("cooldown={:?}", plateau.cooldown),
                format!("min={:?}", plateau.min),
            ],
        ),
    };
    if schedule.warmup > 0.0 {
        options.push(format!("warmup={:?}", schedule.warmup));
    }
    format!("{class}({})", options.join(", "))
}

fn one_cycle(cycle: &OneCycle) -> Vec<String> {
    vec![
        format!("pct_start={:?}", cycle.pct_start),
        format!("div_factor={:?}", cycle.div_factor),
        format!("final_div_factor={:?}", cycle.final_div_factor),
        format!("linear={}", python(cycle.linear)),
        format!("fixed_momentum={}", python(cycle.fixed_momentum)),
        format!("base_momentum={:?}", cycle.base_momentum),
        format!("max_momentum={:?}", cycle.max_momentum),
    ]
}

fn sparsity(sparsity: &Sparsity) -> String {
    format!(
        "Sparsity(rho={:?}, beta={:?}, l1={:?}, at={})",
        sparsity.rho,
        sparsity.beta,
        sparsity.l1,
        quoted(sparsity.at.as_deref().unwrap_or("encoder"))
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn python(truth: bool) -> &'static str {
    match truth {
        true => "True",
        false => "False",
    }
}
