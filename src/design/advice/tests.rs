use super::*;
use crate::{can_train, check_inferred};
use strata_core::project::builtin;
use strata_core::project::data::DataSpec;
use strata_core::project::file::parse;
use strata_core::project::node::Node;

/// A project with these stacks (layers apart by `;`), reconstructing where there is a decoder and classifying where
/// there is a head.
pub(crate) fn project(input: &str, encoder: &str, decoder: &str, head: &str) -> Project {
    let list = |text: &str| {
        let nodes: Vec<String> = text
            .split(';')
            .filter(|text| !text.is_empty())
            .map(|t| Node::from_text(t).to_toml())
            .collect();
        format!("[{}]", nodes.join(", "))
    };
    let stage = |task: &str, loss: &str| {
        format!(
            "[[stage]]\nname = \"{task}\"\ntask = \"{task}\"\nloss = \"{loss}\"\nepochs = 1\nbatch = 8\n"
        )
    };
    let mut text = format!(
        "format = 1\n[data]\nrange = [-1, 1]\n[network]\ninput = \"{input}\"\nencoder = {}\ndecoder = {}\nhead = {}\n",
        list(encoder),
        list(decoder),
        list(head)
    );
    if !decoder.is_empty() {
        text += &stage("reconstruct", "mse");
    }
    if !head.is_empty() {
        text += &stage("classify", "cross-entropy");
    }
    parse(&text, "test").unwrap()
}

pub(crate) fn advice(project: &Project) -> Vec<Advice> {
    advise(project, &infer(&project.network))
}

/// The one thing said about a project that can be trained; its fix silences it and adds nothing, in as many steps as
/// there are places of the kind.
fn only(project: &Project, part: &str) -> Advice {
    let before = check_inferred(project, &infer(&project.network));
    assert!(can_train(&before), "{before:#?}");
    let found = advice(project);
    assert_eq!(found.len(), 1, "{part}: {found:#?}");
    assert!(found[0].message.contains(part), "{found:#?}");
    assert!(!found[0].why.is_empty());
    found[0].clone()
}

fn fires(project: &Project, part: &str, place: &str, label: &str) -> Project {
    let said = only(project, part);
    assert_eq!(
        said.place
            .as_ref()
            .map_or(String::new(), ToString::to_string),
        place,
        "{said:?}"
    );
    let fix = said.fix.unwrap_or_else(|| panic!("{part}: no fix"));
    assert_eq!(fix.label, label);
    let fixed = fix.edit.apply(project).unwrap();
    assert_eq!(advice(&fixed), [], "{part}: after the fix");
    let problems = check_inferred(&fixed, &infer(&fixed.network));
    assert!(can_train(&problems), "{problems:#?}");
    fixed
}

fn silent(project: &Project) {
    assert_eq!(advice(project), []);
}

const DOWN: &str = "conv 8 k3 s2 p1;relu";
const UP: &str = "convt 3 k4 s2 p1;tanh";

fn classifier(encoder: &str, head: &str) -> Project {
    project("3x16x16", encoder, "", head)
}

fn autoencoder(encoder: &str, decoder: &str) -> Project {
    project("3x16x16", encoder, decoder, "")
}

fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(Node::text).collect()
}

#[test]
fn good_projects_are_left_alone() {
    silent(&autoencoder(DOWN, UP));
    silent(&classifier(
        "conv 8 k3 p1 nobias;bn;relu;maxpool 2",
        "flatten;dense 32;relu;dropout 0.5;dense 10",
    ));
    silent(&classifier(
        "conv 8 k3 p1;relu;conv 8 k3 p1;relu",
        "gap;dense 10",
    ));
}

#[test]
fn every_builtin_is_left_alone() {
    for entry in builtin::ALL {
        let found = advice(&entry.project().unwrap());
        assert_eq!(found, [], "{}", entry.name);
    }
}

#[test]
fn layers_with_nothing_nonlinear_between() {
    let fixed = fires(
        &classifier("conv 8 k3;conv 16 k3;relu", "gap;dense 10"),
        "`conv 16 k3` follows `conv 8 k3`",
        "encoder.1",
        "insert relu at encoder.1",
    );
    assert_eq!(
        texts(&fixed.network.encoder),
        ["conv 8 k3", "relu", "conv 16 k3", "relu"]
    );
    let fixed = fires(
        &classifier(
            "conv 8 k3 nobias;bn;avgpool 2;conv 16 k3;relu",
            "gap;dense 10",
        ),
        "`conv 16 k3`",
        "encoder.3",
        "insert relu at encoder.2",
    );
    assert_eq!(
        texts(&fixed.network.encoder)[1..4],
        ["bn", "relu", "avgpool 2"]
    );
    fires(
        &classifier(DOWN, "flatten;dense 64;dropout 0.5;dense 10"),
        "`dense 10`",
        "head.3",
        "insert relu at head.2",
    );
    fires(
        &classifier(
            "{ repeat = 2, layers = [\"conv 3 k3 p1\"] };relu",
            "gap;dense 10",
        ),
        "of the next pass",
        "encoder.0.0.0",
        "insert relu at encoder.0.0.1",
    );
    let inside = "{ add = [[\"conv 3 k3 p1\", \"conv 3 k3 p1\"], []] };relu";
    fires(
        &classifier(inside, "gap;dense 10"),
        "nothing nonlinear",
        "encoder.0.0.1",
        "insert relu at encoder.0.0.1",
    );
}

#[test]
fn known_designs_without_a_nonlinearity_between() {
    for encoder in [
        "conv 8 k3;maxpool 2;conv 16 k3;relu",
        "dwconv k3 p1;conv 16 k1;relu",
        "conv 6 k3 p1 g3;conv 16 k1;relu",
        "conv 16 k3;relu;conv 4 k1;conv 32 k1;relu",
        "conv 8 k1x3;conv 8 k3x1;relu",
        "conv 8 k3;{ add = [[\"conv 8 k3 p1\", \"relu\"], []] }",
        "{ repeat = 2, layers = [\"conv 3 k3 p1\", \"relu\"] }",
    ] {
        silent(&classifier(encoder, "gap;dense 10"));
    }
    // A linear code.
    silent(&project(
        "3x8x8",
        "flatten;dense 64;relu;dense 8",
        "dense 64;relu;dense 192;reshape 3x8x8",
        "",
    ));
}

#[test]
fn two_activations_in_a_row() {
    let fixed = fires(
        &classifier("conv 8 k3;relu;relu", "gap;dense 10"),
        "`relu`, `relu`",
        "encoder.2",
        "remove relu at encoder.2",
    );
    assert_eq!(texts(&fixed.network.encoder), ["conv 8 k3", "relu"]);
    let fixed = fires(
        &classifier("conv 8 k3;relu;tanh", "gap;dense 10"),
        "`relu`, `tanh`",
        "encoder.2",
        "remove relu at encoder.1",
    );
    assert_eq!(texts(&fixed.network.encoder), ["conv 8 k3", "tanh"]);
    silent(&classifier("conv 8 k3;relu;maxpool 2;relu", "gap;dense 10"));
}

#[test]
fn dropout_before_batch_norm() {
    let fixed = fires(
        &classifier("conv 8 k3 nobias;dropout 0.5;bn;relu", "gap;dense 10"),
        "`dropout 0.5` stands before the batch norm at encoder.2",
        "encoder.1",
        "move dropout 0.5 behind encoder.3",
    );
    assert_eq!(
        texts(&fixed.network.encoder),
        ["conv 8 k3 nobias", "bn", "relu", "dropout 0.5"]
    );
    let two = "dropout 0.2;conv 8 k3 nobias;bn;relu;conv 8 k3 nobias;bn;relu";
    let fixed = fires(
        &classifier(two, "gap;dense 10"),
        "dropout",
        "encoder.0",
        "move dropout 0.2 behind encoder.6",
    );
    assert_eq!(texts(&fixed.network.encoder).last().unwrap(), "dropout 0.2");
    silent(&classifier(
        "conv 8 k3 nobias;bn;relu;dropout 0.5",
        "gap;dense 10",
    ));
    silent(&classifier(
        "dropout 0;conv 8 k3 nobias;bn;relu",
        "gap;dense 10",
    ));
    silent(&classifier(
        "dropout 0.2;conv 8 k3;relu;conv 8 k3 nobias;bn;relu",
        "gap;dense 10",
    ));
}

#[test]
fn biases_that_batch_norm_takes_away() {
    let fixed = fires(
        &classifier("conv 8 k3;bn;relu", "gap;dense 10"),
        "the bias of encoder.0",
        "encoder.0",
        "add nobias at encoder.0",
    );
    assert_eq!(texts(&fixed.network.encoder)[0], "conv 8 k3 nobias");
    let many = classifier(
        "conv 8 k3;bn;relu;sepconv 8 k3;bn;relu;{ add = [[\"conv 8 k3 p1\", \"bn\"], []] }",
        "gap;dense 16;bn;relu;dense 10",
    );
    let fixed = fires(
        &many,
        "encoder.0, encoder.3, encoder.6.0.0 and 1 more",
        "encoder.0",
        "add nobias to 4 layers",
    );
    assert_eq!(fixed.network.encoder[3].text(), "sepconv 8 k3 nobias");
    silent(&classifier("conv 8 k3;relu;bn", "gap;dense 10"));
}

#[test]
fn what_is_locked_keeps_its_bias() {
    let mut locked = classifier("conv 8 k3;bn;relu;conv 8 k3;bn;relu", "gap;dense 10");
    locked.locked = vec!["encoder.0".into()];
    let fix = only(&locked, "biases of 2 layers").fix.unwrap();
    let fixed = fix.edit.apply(&locked).unwrap();
    assert_eq!(
        texts(&fixed.network.encoder)[..4],
        ["conv 8 k3", "bn", "relu", "conv 8 k3 nobias"]
    );
    locked.locked = vec!["encoder".into()];
    assert_eq!(only(&locked, "biases of 2 layers").fix, None);
}

/// (7 + 0 − 3) mod 3 = 1 cell is left over.
#[test]
fn rows_that_a_stride_never_reads() {
    let seven = |encoder: &str| project("3x7x7", encoder, "", "gap;dense 10");
    let fixed = fires(
        &seven("conv 8 k3 s3;relu"),
        "never reads 1 row and 1 column of its 3×7×7 input",
        "encoder.0",
        "write conv 8 k3 s3 p1 at encoder.0",
    );
    assert_eq!(infer(&fixed.network).code.unwrap().to_string(), "8×3×3");
    fires(
        &seven("conv 8 k1 s2;relu"),
        "never reads 3 rows and 3 columns",
        "encoder.0",
        "write conv 8 k3 s2 at encoder.0",
    );
    fires(
        &project("1x9", "conv 8 k4 s4;relu", "", "gap;dense 10"),
        "1 sample",
        "encoder.0",
        "write conv 8 k5 s4 at encoder.0",
    );
    silent(&seven("conv 8 k3 s2;relu"));
    // One in thirteen: a classifier can do without (the Keras tutorial's network does).
    let thirteen =
        |task: (&str, &str)| project("3x13x13", "conv 8 k3 p1;relu;maxpool 2", task.0, task.1);
    silent(&thirteen(("", "gap;dense 10")));
    let said = only(
        &thirteen(("unpool;convt 3 k3 p1;tanh", "")),
        "`maxpool 2` never reads 1 row and 1 column",
    );
    assert_eq!(
        said.fix.map(|fix| fix.label),
        Some("write maxpool 2 p1 at encoder.2".into()),
        "the pair goes along"
    );
    // A shortcut leaves every second pixel out by design.
    silent(&project(
        "8x8x8",
        "{ add = [[\"conv 8 k3 s2 p1\"], [\"conv 8 k1 s2\"]] };relu",
        "",
        "gap;dense 10",
    ));
}

#[test]
fn kernels_without_a_centre() {
    let fixed = fires(
        &classifier("conv 8 k4 p2;relu", "gap;dense 10"),
        "one larger",
        "encoder.0",
        "write conv 8 k5 p2 at encoder.0",
    );
    assert_eq!(infer(&fixed.network).code.unwrap().to_string(), "8×16×16");
    silent(&classifier("conv 8 k4 s2 p1;relu", "gap;dense 10"));
    silent(&classifier("conv 8 k4 p1;relu", "gap;dense 10"));
}

#[test]
fn poolings_that_are_not_undone_well() {
    let overlapping = autoencoder(
        "conv 4 k3 p1;relu;maxpool 3 s2 p1",
        "unpool;convt 3 k3 p1;tanh",
    );
    fires(
        &overlapping,
        "overlap",
        "encoder.2",
        "write maxpool 2 at encoder.2",
    );
    silent(&autoencoder(
        "conv 4 k3 p1;relu;maxpool 2",
        "unpool;convt 3 k3 p1;tanh",
    ));
    silent(&classifier(
        "conv 4 k3 p1;relu;maxpool 3 s2 p1",
        "gap;dense 10",
    ));
    // Both poolings keep the size, so that either can be undone first.
    let pools = "conv 4 k3 p1;relu;maxpool 1 @a;relu6;maxpool 1 @b";
    let fixed = fires(
        &autoencoder(pools, "unpool @a;unpool @b;convt 3 k3 p1;tanh"),
        "`unpool @b` at decoder.1 undoes a later pooling",
        "decoder.1",
        "leave the names of the unpools out",
    );
    assert_eq!(texts(&fixed.network.decoder)[..2], ["unpool", "unpool"]);
    silent(&autoencoder(
        pools,
        "unpool @b;unpool @a;convt 3 k3 p1;tanh",
    ));
}

#[test]
fn steps_have_no_gradient() {
    let fixed = fires(
        &classifier("conv 8 k3;step", "gap;dense 10"),
        "no gradient",
        "encoder.1",
        "write sigmoid at encoder.1",
    );
    assert_eq!(texts(&fixed.network.encoder)[1], "sigmoid");
}

/// 16·64·64 · 100 weights of 6,554,958.
#[test]
fn a_dense_layer_with_nearly_all_parameters() {
    let large = |head: &str| project("3x64x64", "conv 16 k3 p1;relu", "", head);
    fires(
        &large("flatten;dense 100;relu;dense 10"),
        "holds 99 % of all parameters: 6,553,700",
        "head.1",
        "replace flatten by gap at head.0",
    );
    silent(&large("gap;dense 100;relu;dense 10"));
    silent(&project(
        "3x64x64",
        "flatten;dense 100;relu",
        "",
        "dense 10",
    ));
    silent(&classifier(DOWN, "flatten;dense 100;relu;dense 10"));
}

#[test]
fn nothing_stands_behind_the_last_weights() {
    let fixed = fires(
        &classifier(DOWN, "gap;dense 10;dropout 0.5"),
        "`dropout 0.5` stands behind",
        "head.2",
        "remove dropout at head.2",
    );
    assert_eq!(texts(&fixed.network.head), ["gap", "dense 10"]);
    fires(
        &autoencoder(DOWN, "convt 3 k4 s2 p1 nobias;bn"),
        "`bn` stands behind",
        "decoder.1",
        "remove bn at decoder.1",
    );
    fires(
        &autoencoder(DOWN, "convt 3 k4 s2 p1;dropout-channels 0.1;tanh"),
        "behind",
        "decoder.1",
        "remove dropout-channels at decoder.1",
    );
    silent(&classifier(DOWN, "gap;dropout 0.5;dense 10"));
}

#[test]
fn scores_are_free() {
    fires(
        &classifier(DOWN, "gap;dense 10;softmax"),
        "softmax before cross-entropy",
        "head.2",
        "remove softmax at head.2",
    );
    fires(
        &classifier(DOWN, "gap;dense 10;relu"),
        "the head ends in `relu`",
        "head.2",
        "remove relu at head.2",
    );
    silent(&classifier(DOWN, "conv 10 k1;relu;gap"));
}

#[test]
fn outputs_fit_the_pixels() {
    let mut half = autoencoder(DOWN, UP);
    half.data.range = None;
    let fixed = fires(
        &half,
        "ends in tanh (from -1 to 1), but the pixels are from 0 to 1",
        "decoder.1",
        "set range = [-1, 1]",
    );
    assert_eq!(fixed.data.range, Some([-1.0, 1.0]));
    let mut squared = autoencoder(DOWN, "convt 3 k4 s2 p1;sigmoid");
    squared.data.range = Some([0.0, 1.0]);
    let fixed = fires(
        &squared,
        "the gradient can vanish",
        "decoder.1",
        "set loss = \"bce\" in stage 1",
    );
    assert_eq!(fixed.stages[0].loss.to_string(), "bce");
    let mut linear = autoencoder(DOWN, "convt 3 k4 s2 p1");
    silent(&linear);
    linear.data.range = Some([0.0, 1.0]);
    silent(&linear);
}

#[test]
fn learning_rates_are_usual() {
    let with = |optimizer: &str| {
        let mut project = autoencoder(DOWN, UP);
        project.stages[0].optimizer = optimizer.parse().unwrap();
        project
    };
    for (optimizer, message, label, fixed) in [
        (
            "adam lr=0.1 beta1=0.5",
            "lr=0.1 is high for adam: usual is 1e-5 to 0.01",
            "set lr=1e-3 in stage 1",
            "adam lr=0.001 beta1=0.5",
        ),
        (
            "adamw lr=1e-7",
            "lr=1e-7 is low for adam",
            "set lr=1e-3 in stage 1",
            "adamw lr=0.001",
        ),
        (
            "sgd lr=10 momentum=0.9",
            "lr=10 is high for sgd: usual is 1e-4 to 1",
            "set lr=0.01 in stage 1",
            "sgd lr=0.01 momentum=0.9",
        ),
        (
            "sgd lr=0",
            "lr=0 is low",
            "set lr=0.01 in stage 1",
            "sgd lr=0.01",
        ),
    ] {
        let after = fires(&with(optimizer), message, "", label);
        assert_eq!(after.stages[0].optimizer, fixed.parse().unwrap());
    }
    for optimizer in [
        "adam lr=1e-5",
        "adam lr=1e-2",
        "sgd lr=1",
        "sgd lr=1e-4",
        "sgd lr=0.1 momentum=0.9",
    ] {
        silent(&with(optimizer));
    }
}

#[test]
fn batch_norm_needs_a_batch() {
    let mut one = classifier("conv 8 k3 nobias;bn;relu", "gap;dense 10");
    one.stages[0].batch = 1;
    let fixed = fires(
        &one,
        "batch norm at encoder.1 with a batch of 1",
        "encoder.1",
        "set batch = 32 in stage 1",
    );
    assert_eq!(fixed.stages[0].batch, 32);
    let mut plain = classifier(DOWN, "gap;dense 10");
    plain.stages[0].batch = 1;
    silent(&plain);
}

#[test]
fn freezing_comes_after_training() {
    let both = |freeze: [&[&str]; 2]| {
        let mut project = project(
            "3x16x16",
            "conv 8 k3 s2 p1 nobias;bn;relu",
            UP,
            "gap;dense 10",
        );
        for (stage, names) in project.stages.iter_mut().zip(freeze) {
            stage.freeze = names.iter().map(|name| (*name).to_owned()).collect();
        }
        project
    };
    silent(&both([&[], &["encoder"]]));
    fires(
        &both([&["encoder"], &[]]),
        "freezes encoder, which no stage before has trained",
        "",
        "don't freeze encoder in stage 1",
    );
    fires(
        &both([&[], &["encoder.1"]]),
        "freezes the batch norm encoder.1, but trains encoder.0",
        "",
        "don't freeze encoder.1 in stage 2",
    );
    silent(&both([&[], &["encoder.0", "encoder.1"]]));
}

#[test]
fn pixels_are_scaled() {
    let mut large = classifier(DOWN, "gap;dense 10");
    large.data.range = Some([0.0, 255.0]);
    let fixed = fires(
        &large,
        "the pixels are from 0 to 255",
        "",
        "set range = [0, 1]",
    );
    assert_eq!(
        fixed.data,
        DataSpec {
            range: Some([0.0, 1.0]),
            ..large.data
        }
    );
}

#[test]
fn not_more_than_a_few_of_a_kind() {
    let long = classifier(&["conv 4 k3 p1"; 40].join(";"), "gap;dense 10");
    assert_eq!(advice(&long).len(), OF_A_KIND);
}

/// As it is typed, every letter asks for advice.
#[test]
fn deep_networks_are_advised_in_time() {
    let layers = "{ repeat = 100, layers = [\"conv 4 k3 p1\", \"bn\", \"conv 4 k3 s1 p1\", \"maxpool 2 s1\", \"conv 4 k2 p1\"] }";
    let deep = project("3x256x256", &[layers; 6].join(";"), "", "gap;dense 10");
    let inference = infer(&deep.network);
    let start = std::time::Instant::now();
    let found = advise(&deep, &inference);
    assert!(!found.is_empty());
    assert!(
        start.elapsed().as_millis() < 1000,
        "{:?} for {} rows",
        start.elapsed(),
        inference.rows.len()
    );
}

/// Run it with `cargo test --lib advice_on_the -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn advice_on_the_known_networks_in_milliseconds() {
    for entry in builtin::ALL {
        let project = entry.project().unwrap();
        let inference = infer(&project.network);
        let start = std::time::Instant::now();
        let (found, problems) = (advice(&project), check_inferred(&project, &inference));
        let fixes = mends(&project, &inference, &problems).len();
        println!(
            "{}: {:?}, {} and {fixes}",
            entry.name,
            start.elapsed(),
            found.len()
        );
    }
}
