//! What each stage needs of the network.

use super::freeze_check;
use super::project_check::Problem;
use super::update_check::updates;
use super::value_range;
use crate::output_check::banner;
use crate::solve;
use std::cmp::Ordering;
use strata_core::project::data::Split;
use strata_core::project::help::{DataSetting, Help, Repair, StageSetting};
use strata_core::project::layer::{Activation, Kind};
use strata_core::project::node::Node;
use strata_core::project::size::Shape;
use strata_core::project::stage::MAX_BATCH;
use strata_core::project::stage::{EARLY_STOP_METRICS, EarlyStop, Loss, Stage, Task};
use strata_core::project::target::{Target, target};
use strata_core::project::{Place, Project, Stack, locks};
use strata_core::shape::infer::Inference;

/// The problems of all stages.
pub fn stages(project: &Project, inference: &Inference) -> Vec<Problem> {
    if project.stages.is_empty() {
        return vec![Problem::error("the project has no stages").help(Help::note(
            "add a stage: [[stage]] with task, loss, epochs and batch",
            "add a stage with + in Training",
        ))];
    }
    let mut problems = same_names(&project.stages);
    for (index, stage) in project.stages.iter().enumerate() {
        let found = [
            task(stage, project, inference),
            loss(stage, project),
            numbers(stage),
            early_stop(stage),
            updates(project, inference, index),
            freeze_check::freeze(stage, project, inference),
            freeze_check::unfreeze(stage, project, inference),
            sparsity(stage, project, inference),
        ];
        problems.extend(
            found
                .into_iter()
                .flatten()
                .map(|problem| problem.of_stage(index)),
        );
    }
    problems
}

fn same_names(stages: &[Stage]) -> Vec<Problem> {
    let doubled = |&(index, stage): &(usize, &Stage)| {
        stages[..index].iter().any(|other| other.name == stage.name)
    };
    let warn = |(index, stage): (usize, &Stage)| {
        let message = format!("two stages are called `{}`", stage.name);
        Problem::warning(message)
            .help("give each a name of its own")
            .of_stage(index)
    };
    stages
        .iter()
        .enumerate()
        .filter(doubled)
        .map(warn)
        .collect()
}

/// The stack whose output the stage's loss sees.
fn answering(task: Task) -> Stack {
    match task {
        Task::Reconstruct => Stack::Decoder,
        Task::Classify => Stack::Head,
    }
}

/// The stacks a stage runs through.
pub(super) fn used(task: Task) -> [Stack; 2] {
    [Stack::Encoder, answering(task)]
}

fn task(stage: &Stage, project: &Project, inference: &Inference) -> Vec<Problem> {
    let (network, mut problems) = (&project.network, Vec::new());
    match stage.task {
        Task::Reconstruct if network.decoder.is_empty() => {
            problems.push(Problem::error("reconstructing needs a decoder").help(Repair::Mirror));
        }
        Task::Reconstruct if inference.output_equals_input == Some(false) => {
            let problem = Problem::error(banner(inference).text);
            let place = Some(Place::new(Stack::Decoder, network.decoder.len() - 1));
            problems.push(Problem { place, ..problem });
        }
        Task::Classify if network.head.is_empty() => {
            problems
                .push(Problem::error("classifying needs a head").help(end_with_scores(project)));
        }
        Task::Classify => problems.extend(scores(stage, project, inference)),
        Task::Reconstruct => {}
    }
    if stage.task == Task::Classify && stage.split == Split::Unlabeled {
        problems.push(
            Problem::error("classifying needs labels, and the split `unlabeled` has none")
                .help(Repair::Stage(StageSetting::Split(Split::Train))),
        );
    }
    if stage.split == Split::Test {
        let message =
            "it trains on the test images: its test figures then say nothing of new images";
        problems
            .push(Problem::warning(message).help(Repair::Stage(StageSetting::Split(Split::Train))));
    }
    problems
}

/// Says of every stage that the output keeps from training what would make it equal the input.
pub(crate) fn add_ways(project: &Project, inference: &Inference, problems: &mut [Problem]) {
    let differs = inference.output_equals_input == Some(false);
    let text = banner(inference).text;
    let mut unequal = problems
        .iter_mut()
        .filter(|problem| differs && problem.message == text)
        .peekable();
    if unequal.peek().is_none() {
        return;
    }
    let network = &project.network;
    let help = solve::hint(network, &locks::targets(project)).map_or_else(
        || {
            let input = &network.input;
            Help::from(format!(
                "change the decoder's last layers so that they give {input}"
            ))
        },
        |solution| Repair::Steps(solution.steps()).into(),
    );
    for problem in unequal {
        problem.help = vec![
            help.clone(),
            Help::note(
                "or see every way: strata solve",
                "or see every way: Output = input",
            ),
        ];
    }
}

/// Layers that end a head with a score for each class, ten where the number of classes is not known.
fn end_with_scores(project: &Project) -> Help {
    let classes = project.data.source.info().classes.unwrap_or(10);
    Help::end(Stack::Head, &["flatten", &format!("dense {classes}")])
}

/// The head has to give one score a class.
fn scores(stage: &Stage, project: &Project, inference: &Inference) -> Option<Problem> {
    let answer = inference.answer.as_ref()?;
    let is_known = project.data.source.info().classes.is_some();
    // A score for each of several labels: whether the images have them is known once they are read.
    let of_labels = !is_known && answer.is_vector() && answer.elements() > 1;
    if stage.loss.spec().tells_two_apart && !of_labels {
        return one_score(stage.loss, project, answer);
    }
    if !answer.is_vector() {
        let message = format!("the head gives {answer}, not one score for each class");
        return Some(
            Problem::error(message).help(end_with_scores(project).remark(", or with `gap`")),
        );
    }
    let (classes, source) = (project.data.source.info().classes?, project.data.source);
    let message = format!(
        "the head gives {} scores, but {source} has {classes} classes",
        answer.channels()
    );
    let help = Help::end(Stack::Head, &[&format!("dense {classes}")]);
    match answer.channels().cmp(&classes) {
        Ordering::Less => Some(Problem::error(message).help(help)),
        Ordering::Equal => None,
        Ordering::Greater => {
            Some(Problem::warning(format!("{message}: the others are never right")).help(help))
        }
    }
}

/// Two classes that a single score tells apart.
fn one_score(loss: Loss, project: &Project, answer: &Shape) -> Option<Problem> {
    let cross_entropy = Repair::Stage(StageSetting::Loss(Loss::CROSS_ENTROPY));
    if answer.elements() != 1 {
        let message =
            format!("{loss} tells two classes apart by one score, and the head gives {answer}");
        let one = Help::end(Stack::Head, &["dense 1"]).or();
        return Some(Problem::error(message).help(cross_entropy).help(one));
    }
    let (classes, source) = (project.data.source.info().classes?, project.data.source);
    if classes == 2 {
        return None;
    }
    let message = format!("{loss} tells two classes apart, but {source} has {classes}");
    let all = Help::end(Stack::Head, &[&format!("dense {classes}")]);
    Some(Problem::error(message).help(cross_entropy).help(all))
}

fn loss(stage: &Stage, project: &Project) -> Vec<Problem> {
    let loss = stage.loss;
    if stage.task == Task::Classify && loss.spec().tells_two_apart {
        return Vec::new();
    }
    let fitting = Loss::words_for(stage.task);
    match (stage.task, loss.spec().task) {
        (Task::Classify, Task::Classify) => Vec::new(),
        (Task::Classify, Task::Reconstruct) => {
            let message = format!("the loss {loss} compares images; classifying needs {fitting}");
            vec![
                Problem::error(message)
                    .help(Repair::Stage(StageSetting::Loss(Loss::CROSS_ENTROPY))),
            ]
        }
        (Task::Reconstruct, Task::Classify) => {
            let message =
                format!("{loss} compares scores with a label; reconstructing needs {fitting}");
            vec![Problem::error(message).help(Repair::Stage(StageSetting::Loss(Loss::Mse)))]
        }
        (Task::Reconstruct, Task::Reconstruct) => {
            let mut problems =
                super::data_check::output_range(project, loss, last_kind(&project.network.decoder));
            problems.extend(window(loss, project));
            problems.extend(span(loss, project));
            problems
        }
    }
}

/// Refuses images that the window of a loss does not fit into.
fn window(loss: Loss, project: &Project) -> Option<Problem> {
    let least = loss.spec().least_side?;
    let input = &project.network.input;
    let sides = input.spatial();
    if sides.len() == 2 && sides.iter().all(|side| *side >= least) {
        return None;
    }
    let message = format!(
        "the loss {loss} compares surroundings of {least}×{least} pixels, and the input is {input}"
    );
    Some(Problem::error(message).help(Repair::Stage(StageSetting::Loss(Loss::Mse))))
}

/// Warns where the similarity is measured for pixels of another range than those that reach the network, or for pixels
/// below 0: the product of two negative means is positive, so that an image and its negative pass for alike.
fn span(loss: Loss, project: &Project) -> Option<Problem> {
    let Loss::Ssim { range } = loss else {
        return None;
    };
    let data = &project.data;
    let below = |pixels: &str, help: Help| {
        let message = format!(
            "the loss {loss} compares how bright images are, and {pixels}: the negative of an image passes for like it"
        );
        Some(Problem::warning(message).help(help))
    };
    for (key, is_given) in [
        ("whiten", data.whiten.is_some()),
        ("center", data.center.is_some()),
        ("normalize", data.normalize.is_some()),
    ] {
        if is_given {
            return below(
                &format!("with {key} pixels lie around 0"),
                Help::without(key),
            );
        }
    }
    let [low, high] = data.range.unwrap_or([0.0, 1.0]);
    if low < 0.0 {
        let from_black = Repair::Data(DataSetting::Range([0.0, 1.0]));
        return below(&format!("these go from {low} to {high}"), from_black.into());
    }
    let wanted = f64::from(high - low).abs();
    if wanted == range || wanted == 0.0 {
        return None;
    }
    let message = format!(
        "the loss {loss} is made for pixels that span {range}, and these go from {low} to {high}"
    );
    let fitting = StageSetting::Loss(Loss::Ssim { range: wanted });
    Some(Problem::warning(message).help(Repair::Stage(fitting)))
}

/// The last layer of a stack that changes values; dropout and shape layers are looked through.
fn last_kind(nodes: &[Node]) -> Option<&Kind> {
    for node in nodes.iter().rev() {
        match node {
            Node::Layer(layer) if layer.kind.passes_values() => {}
            Node::Layer(layer) => return Some(&layer.kind),
            Node::Repeat { layers, .. } if !layers.is_empty() => return last_kind(layers),
            Node::Repeat { .. } | Node::Add(_) | Node::Concat(_) | Node::Broken { .. } => {
                return None;
            }
        }
    }
    None
}

fn numbers(stage: &Stage) -> Vec<Problem> {
    let mut problems = Vec::new();
    if stage.epochs == 0 {
        problems.push(
            Problem::error("0 epochs train nothing").help(Repair::Stage(StageSetting::Epochs(10))),
        );
    }
    if !(1..=MAX_BATCH).contains(&stage.batch) {
        let message = format!(
            "a batch of {} is not possible: 1 to {MAX_BATCH}",
            stage.batch
        );
        problems.push(Problem::error(message).help(Repair::Stage(StageSetting::Batch(64))));
    }
    problems
}

fn early_stop(stage: &Stage) -> Vec<Problem> {
    let Some(early) = &stage.early_stop else {
        return Vec::new();
    };
    if !EARLY_STOP_METRICS.contains(&early.metric.as_str()) {
        let message = format!("there is no metric `{}` to stop at", early.metric);
        return vec![
            Problem::error(message).help(format!("use one of: {}", EARLY_STOP_METRICS.join(", "))),
        ];
    }
    if early.patience == 0 {
        let message = "a patience of 0 epochs would end the stage before any epoch could be worse";
        return vec![
            Problem::error(message)
                .help(Repair::Stage(StageSetting::EarlyStop(EarlyStop {
                    patience: 1,
                    ..early.clone()
                })))
                .harmless(),
        ];
    }
    let mut problems = Vec::new();
    if early.patience >= stage.epochs {
        let message = format!(
            "early_stop waits for {} epochs, and the stage has {}: it never ends early",
            early.patience, stage.epochs
        );
        problems.push(
            Problem::warning(message)
                .help("make patience smaller than epochs, or delete early_stop"),
        );
    }
    if early.metric.ends_with("accuracy") && stage.task == Task::Reconstruct {
        let message = format!(
            "reconstructing has no accuracy, so `{}` can't stop it",
            early.metric
        );
        let of_loss = EarlyStop {
            metric: "valid loss".into(),
            ..early.clone()
        };
        let help = Repair::Stage(StageSetting::EarlyStop(of_loss));
        problems.push(Problem::error(message).help(help));
    }
    problems
}

pub(super) fn no_such_place(setting: &str, name: &str) -> Problem {
    Problem::error(format!("{setting} names `{name}`, which is no layer of this project"))
        .help("write a stack (encoder) or a layer (encoder.0; inside a block encoder.3.0.1: index, branch, index)")
}

fn sparsity(stage: &Stage, project: &Project, inference: &Inference) -> Vec<Problem> {
    let Some(sparsity) = &stage.sparsity else {
        return Vec::new();
    };
    let place = match &sparsity.at {
        None => match project.network.encoder.len() {
            0 => {
                return vec![
                    Problem::error("sparsity needs a layer, and the encoder is empty")
                        .help("add a layer to the encoder"),
                ];
            }
            layers => Place::new(Stack::Encoder, layers - 1),
        },
        Some(name) => match target(&project.network, name) {
            Some(Target::Node(place)) => place,
            Some(Target::Stack(stack)) => match project.network.stack(stack).len() {
                0 => return vec![no_such_place("sparsity at", name)],
                layers => Place::new(stack, layers - 1),
            },
            None => return vec![no_such_place("sparsity at", name)],
        },
    };
    penalty_at(&place, stage, project, inference)
}

fn penalty_at(
    place: &Place,
    stage: &Stage,
    project: &Project,
    inference: &Inference,
) -> Vec<Problem> {
    if !used(stage.task).contains(&place.stack) {
        let message = format!(
            "sparsity is asked for at {place}, but a stage that {} doesn't run the {}",
            verb(stage.task),
            place.stack
        );
        return vec![Problem::error(message).help("use a layer of the encoder")];
    }
    // The sizes of activations may be any.
    if stage
        .sparsity
        .as_ref()
        .is_some_and(|sparsity| sparsity.beta == 0.0)
    {
        return Vec::new();
    }
    let units = inference
        .row(place)
        .and_then(|row| row.output.as_ref())
        .map(|shape| shape.channels());
    let rho = stage.sparsity.as_ref().map_or(0.0, |sparsity| sparsity.rho);
    let gives = match project.network.node(place) {
        Some(Node::Layer(layer)) if layer.kind == Kind::Softmax => mean_of_softmax(units, rho),
        _ => beyond_fractions(value_range::at(&project.network, place)),
    };
    let Some(gives) = gives else {
        return Vec::new();
    };
    let message =
        format!("the sparsity penalty at {place} expects activations between 0 and 1, {gives}");
    let mut problem = Problem::warning(message).help(Repair::Follow(Activation::Sigmoid));
    problem.place = Some(place.clone());
    vec![problem]
}

/// Why the mean activation of a unit behind a softmax cannot be rho: `None` where it is.
fn mean_of_softmax(units: Option<usize>, rho: f64) -> Option<String> {
    let units = units? as f64;
    let mean = 1.0 / units;
    // A twentieth of all units is the output of softmax where there are twenty.
    ((rho - mean).abs() > 0.1 * mean)
        .then(|| format!("and a softmax's sum to 1: their mean is 1/{units} whatever rho is"))
}

/// Why the mean activation of a unit cannot be a fraction of the time: `None` where values are between 0 and 1.
fn beyond_fractions(range: value_range::Range) -> Option<String> {
    match range {
        range if value_range::is_fraction(range) => None,
        Some([low, high]) if high.is_finite() => {
            Some(format!("but here they go from {low} to {high}"))
        }
        Some([low, _]) => Some(format!("but here they go from {low} up: units die or grow")),
        None => Some("but here they may be any number".to_owned()),
    }
}

pub(super) fn verb(task: Task) -> &'static str {
    match task {
        Task::Reconstruct => "reconstructs",
        Task::Classify => "classifies",
    }
}
