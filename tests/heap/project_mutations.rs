//! Project files as they should not be: the built-in ones, and one with every kind of setting, cut, overwritten and mixed.
//! Each is read or refused with one message; what is read can be judged, costed, solved and written again.

use super::alone;
use super::mutator::{Mutator, count, seed};
use super::trials::{Trials, assert_none};
use std::path::Path;
use strata::cost::{largest_batch, run_memory};
use strata::design::advice::{advise, mends};
use strata::design::goals::{Measured, judge};
use strata::design::{banner, check_inferred, constant_borders, explain, solve, valid_input_sizes};
use strata::engine::run::memory_check::{kept_images, machine};
use strata::project::{Project, builtin, file, locks};
use strata::rng::{Purpose, stream};
use strata::shape::{Inference, infer};

/// The settings that built-in projects have none of.
const RICH: &str = r#"
format = 1
title = "all kinds of settings"
seed = 7
[data]
source = "shapes"
resize = [20, 24]
range = [-1, 1]
limit = 200
valid = 0.2
test = 0.1
per_class = 3
weights = "balanced"
augment = ["hflip", "crop 20x24 pad2", "rotate 10", "erase", "noise 0.1"]
[network]
input = "3x20x24"
encoder = [
    "conv 6 k3 s2 p1 @stem",
    "bn",
    "relu",
    { add = [[], ["conv 6 k3 p1", "groupnorm 2"]] },
    { repeat = 2, layers = ["sepconv 6 k3 p1", "elu"] },
    { concat = [["avgpool 2", "upsample 2"], ["conv 2 k1"]] },
]
decoder = ["convt 8 k4 s2 p1", "leakyrelu 0.2", "pad 1+0", "crop 1+0", "conv 3 k3 p1", "sigmoid"]
head = ["gap", "dropout 0.3", "dense 10"]
locked = ["encoder.0"]
[goals]
parameters = "<= 50k"
accuracy = ">= 60%"
[[stage]]
name = "images"
task = "reconstruct"
split = "unlabeled"
loss = "huber delta=0.5"
optimizer = "adamw lr=3e-3 weight_decay=0.01"
schedule = "cosine warmup=1"
sparsity = "rho=0.1 beta=1e-3"
early_stop = { patience = 9 }
epochs = 2
batch = 16
[[stage]]
name = "labels"
task = "classify"
freeze = ["encoder.0"]
loss = "cross-entropy"
optimizer = "sgd lr=0.05 momentum=0.9 nesterov"
epochs = 2
batch = 16
"#;

/// Of so many versions one is solved as well.
const SOLVED: u64 = 40;

/// What is asked of every project that can be read.
fn judged(project: &Project) -> Inference {
    let inference = infer(&project.network);
    let problems = check_inferred(project, &inference);
    assert_eq!(mends(project, &inference, &problems).len(), problems.len());
    advise(project, &inference);
    judge(project, &inference, &Measured::default());
    banner(&inference);
    constant_borders(&inference);
    inference
}

fn costed(project: &Project, inference: &Inference) {
    let Some(plan) = &inference.plan else {
        return;
    };
    for stage in &project.stages {
        let kept = kept_images(project, stage, Some(1 << 30));
        let run = run_memory(plan, stage, stage.batch, machine());
        let run = run.map(|run| run.with_kept_images(kept).total().total());
        assert!(run.is_none_or(|bytes| bytes >= kept));
        largest_batch(plan, stage, machine(), 1 << 30);
    }
}

/// Reads a file and does all that needs no images; the message of one that is refused.
fn read(path: &Path) -> Vec<String> {
    let project = match file::load(path) {
        Ok(project) => project,
        Err(refused) => return vec![refused.to_string()],
    };
    let inference = judged(&project);
    costed(&project, &inference);
    let text = file::to_text(&project);
    let again = file::parse(&text, "again").unwrap();
    assert_eq!(
        file::to_text(&again),
        text,
        "what is written is what was read"
    );
    Vec::new()
}

/// Asks for solutions of a file's network, where there is one.
fn solved(path: &Path) -> Vec<String> {
    if let Ok(project) = file::load(path) {
        let (network, locked) = (&project.network, locks::targets(&project));
        solve::hint(network, &locked);
        let found = solve::solve(network, &locked, solve::Aim::OutputEqualsInput);
        assert!(!found.message.is_empty());
        explain(network, &infer(network));
        valid_input_sizes::strips(network);
    }
    Vec::new()
}

fn texts() -> Vec<(&'static str, &'static str)> {
    let built_in = builtin::ALL
        .iter()
        .map(|project| (project.name, project.text));
    built_in.chain([("rich", RICH)]).collect()
}

/// So many versions, of each text as many.
fn try_projects(cases: u64) {
    let _alone = alone();
    let texts = texts();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.toml");
    texts.iter().for_each(|(name, text)| {
        std::fs::write(&path, text).unwrap();
        assert_eq!(read(&path), Vec::<String>::new(), "{name}");
    });
    let (mut reading, mut solving) = (Trials::default(), Trials::default());
    for case in 0..cases {
        let mut mutator = Mutator {
            rng: stream(seed(), Purpose::Probe, 1 << 56 | case),
        };
        let (name, text) = texts[case as usize % texts.len()];
        let other = texts[mutator.below(texts.len())].1;
        if case > 0 && case % 1_000 == 0 {
            reading.tell("projects so far");
        }
        std::fs::write(&path, mutator.mutate_text(text, other)).unwrap();
        let name = format!("{name} {case}");
        reading.trial(&name, "p.toml", &mut || read(&path));
        if case % SOLVED == 0 {
            solving.trial(&name, "p.toml", &mut || solved(&path));
        }
    }
    reading.tell("projects read, judged and costed");
    solving.tell("projects solved");
    assert_none(&[reading.failures, solving.failures].concat());
}

#[test]
fn damaged_projects_are_refused_in_words_or_judged() {
    try_projects(240);
}

/// `STRATA_MUTATION_SEED=7 cargo test --test heap long_damaged_projects -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn long_damaged_projects_are_refused_in_words_or_judged() {
    try_projects(count(10_000));
}
