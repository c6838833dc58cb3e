//! The receptive field of every cell of random networks is what the compiled network's gradient says: positions
//! of the input outside have none, and where all layers are linear, those inside have one.
//!
//! Networks are made linear by taking activations and norms away, and averages for maxima; their weights are
//! random, so that no gradient inside is zero by accident.

use crate::kit::random_stack::{rng, small};
use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::sample;
use crate::kit::terminal;
use crate::kit::window::*;
use candle_core::{DType, Device, Tensor};
use eframe::egui::{Key, Modifiers, Vec2, vec2};
use rand::Rng;
use std::path::Path;
use strata::app::action::Action;
use strata::app::arrangement::Workspace;
use strata::app::view_kind::ViewKind;
use strata::engine::storage::saved_run::SavedRun;
use strata::inspect::effective_field::{EffectiveField, Request};
use strata::nn::{Mode, Network, Route};
use strata::project::size::Shape;
use strata::project::{Place, Project, Stack};
use strata::shape::field::{Seen, path, seen};
use strata::shape::{Inference, Op, Plan, Planned, PlannedLayer, infer};
use strata_testkit::examples::two_levels;

/// Random networks of the long form, and how many of them are tried every time.
const ALL: u64 = 4_000;
const SAMPLE: u64 = 100;

/// The same layer without what is not linear.
fn linear(layer: &mut PlannedLayer) {
    layer.op = match layer.op.clone() {
        Op::MaxPool { geometry, .. } => Op::AvgPool {
            geometry,
            count_padding: true,
        },
        Op::GlobalMaxPool => Op::GlobalAvgPool,
        Op::Unpool { geometry, .. } => {
            let channels = layer.input.channels();
            let (in_channels, out_channels, groups, bias) = (channels, channels, channels, false);
            Op::ConvTranspose {
                in_channels,
                out_channels,
                groups,
                bias,
                geometry,
            }
        }
        Op::Activation(_)
        | Op::PRelu { .. }
        | Op::Softmax
        | Op::BatchNorm { .. }
        | Op::GroupNorm { .. }
        | Op::LayerNorm => Op::Identity,
        other => other,
    };
}

fn all_linear(nodes: &mut [Planned]) {
    for node in nodes {
        match node {
            Planned::Layer(layer) => linear(layer),
            Planned::Add { branches, .. } | Planned::Concat { branches, .. } => {
                branches.iter_mut().for_each(|branch| all_linear(branch));
            }
            Planned::Repeat { passes, .. } => passes.iter_mut().for_each(|pass| all_linear(pass)),
        }
    }
}

/// |gradient| of the sum over channels of one cell, for every position of the input.
fn gradient(network: &mut Network, output: &Shape, found: &Seen) -> Vec<f64> {
    let dims = network.input_dims(1);
    let channels = *dims.last().unwrap();
    let x = Tensor::ones(dims, DType::F64, &Device::Cpu).unwrap();
    let y = network.forward(Route::Reconstruct, &x, Mode::Eval).unwrap();
    let cell = found
        .cell
        .iter()
        .zip(&found.map)
        .fold(0, |index, (at, size)| index * size + at);
    let cells: usize = found.map.iter().product();
    let hit = (0..cells)
        .flat_map(|index| (0..output.channels()).map(move |_| f64::from(u8::from(index == cell))));
    let hit = Tensor::from_vec(hit.collect::<Vec<_>>(), y.dims(), &Device::Cpu).unwrap();
    let gradient = network
        .backward_to_input(&hit)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1::<f64>()
        .unwrap();
    gradient
        .chunks_exact(channels)
        .map(|values| values.iter().map(|v| v.abs()).sum())
        .collect()
}

/// Every position of an input with these sizes, in order.
fn positions(sizes: &[usize]) -> Vec<Vec<usize>> {
    sizes.iter().fold(vec![vec![]], |all, &size| {
        all.iter()
            .flat_map(|before| (0..size).map(move |at| [before.as_slice(), &[at]].concat()))
            .collect()
    })
}

/// Compares a few cells of every layer; gives how many were compared exactly.
fn compare(inference: &Inference, seed: u64, what: &str) -> usize {
    let Some(plan) = &inference.plan else {
        return 0;
    };
    let mut random = rng(seed);
    let mut exactly = 0;
    for row in inference.rows.iter().filter(|row| row.output.is_some()) {
        let Some(mut layers) = path(plan, &row.place) else {
            continue;
        };
        let output = row.output.clone().unwrap();
        all_linear(&mut layers);
        let stacks = [Some(layers), Some(vec![]), None];
        let cut = Plan {
            input: plan.input.clone(),
            code: output.clone(),
            stacks,
            slots: plan.slots,
        };
        let mut network = Network::with_dtype(&cut, seed, &Device::Cpu, DType::F64).unwrap();
        for _ in 0..4 {
            let cell: Vec<usize> = output
                .spatial()
                .iter()
                .map(|&size| random.random_range(0..size))
                .collect();
            // A repeat's layers have the shapes of its first pass.
            let found = seen(inference, &row.place, &cell).unwrap();
            let gradient = gradient(&mut network, &output, &found);
            let strict = found.exact && !found.whole;
            exactly += usize::from(strict);
            for (position, value) in positions(inference.input.spatial()).iter().zip(&gradient) {
                let place = format!(
                    "{what}: {} `{}` cell {cell:?}, input {position:?}: {value}",
                    row.place, row.text
                );
                assert!(
                    found.contains(position) || *value == 0.0,
                    "{place}, outside {found:?}"
                );
                assert!(
                    !strict || !found.contains(position) || *value != 0.0,
                    "{place}, inside {found:?}"
                );
            }
        }
    }
    exactly
}

#[test]
fn boxes_of_random_networks_are_exact() {
    compare_boxes(sample(ALL, SAMPLE));
}

#[test]
#[ignore = "takes minutes"]
fn long_boxes_of_random_networks_are_exact() {
    compare_boxes(0..ALL);
}

fn compare_boxes(seeds: impl Iterator<Item = u64>) {
    let mut count = 0;
    let mut exactly = 0;
    for seed in seeds {
        count += 1;
        let network = small(&mut rng(seed));
        exactly += compare(&infer(&network), seed, &format!("seed {seed}: {network:?}"));
    }
    assert!(exactly > 4 * count, "{exactly} cells of {count} networks");
}

/// The effective field of every layer that is no vector, in its middle and in a corner.
fn measured(run: &Path) -> (SavedRun, Vec<EffectiveField>) {
    let mut saved = SavedRun::open(run, "last", Some("cpu"), &mut |_| true).unwrap();
    let rows = saved.inference.rows.clone();
    let maps = rows
        .iter()
        .filter(|row| row.output.as_ref().is_some_and(|shape| !shape.is_vector()));
    let requests = maps.flat_map(|row| {
        [vec![], vec![0, 0]].map(|cell| Request {
            place: row.place.clone(),
            cell,
        })
    });
    let fields = requests
        .map(|request| saved.inspect::<EffectiveField>(&request).unwrap())
        .collect();
    (saved, fields)
}

#[test]
fn effective_fields_of_trained_networks_lie_inside_the_box() {
    let folder = tempfile::tempdir().unwrap();
    for (name, encoder, decoder) in [
        (
            "plain",
            r#""conv 6 k3 s2 p1", "bn", "relu", "conv 6 k3 d2 p2""#,
            r#""convt 3 k4 s2 p1", "tanh""#,
        ),
        (
            "pools",
            r#""conv 6 k3 p1", "relu", "maxpool 2", { add = [["conv 6 k3 p1", "relu"], []] }"#,
            r#""unpool", { concat = [["conv 3 k1"], ["dwconv k3 p1"]] }, "conv 3 k3 p1""#,
        ),
    ] {
        let (encoder, decoder) = (
            format!("encoder = [{encoder}]"),
            format!("decoder = [{decoder}]"),
        );
        let changes = [
            (
                r#"encoder = ["conv 6 k3 s2 p1", "bn", "relu"]"#,
                encoder.as_str(),
            ),
            (
                r#"decoder = ["convt 3 k4 s2 p1", "tanh"]"#,
                decoder.as_str(),
            ),
            (r#"sparsity = "rho=0.1 beta=1e-3""#, ""),
        ];
        let run = folder.path().join(name);
        completed(train(&tiny(&changes), &options(&run)).0);
        let (_, fields) = measured(&run);
        assert!(fields.len() >= 10);
        for field in fields {
            let EffectiveField {
                place,
                text,
                seen,
                values,
                width,
                ..
            } = &field;
            assert!(seen.exact && !seen.whole, "{place}");
            for (pixel, value) in values.iter().enumerate() {
                let inside = seen.contains(&[pixel / width, pixel % width]);
                assert!(
                    inside || *value == 0.0,
                    "{place} `{text}` {:?}: {value} at {pixel}",
                    seen.cell
                );
            }
            let most = values.iter().copied().fold(0.0, f32::max);
            assert!(most > 0.0, "{place} `{text}` {:?}", seen.cell);
            assert!(field.effective() > 0 && field.images > 0);
        }
    }
}

/// Of one convolution the gradient is known: its weights.
#[test]
fn the_effective_field_of_a_convolution_is_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let (saved, fields) = measured(&run);
    let field = &fields[0];
    assert_eq!(
        (field.text.as_str(), field.seen.cell.as_slice()),
        ("conv 6 k3 s2 p1", &[4, 4][..])
    );
    let weight = &saved.network.parameters()[0].value;
    assert_eq!(weight.dims(), [6, 3, 3, 3]);
    let sums = weight
        .sum(0)
        .unwrap()
        .abs()
        .unwrap()
        .sum(0)
        .unwrap()
        .to_vec2::<f32>()
        .unwrap();
    for (y, row) in sums.iter().enumerate() {
        for (x, sum) in row.iter().enumerate() {
            let value = field.values[(4 * 2 - 1 + y) * field.width + 4 * 2 - 1 + x];
            assert!((value - sum).abs() < 1e-5, "{y} {x}: {value} {sum}");
        }
    }
}

#[test]
fn the_terminal_draws_and_prints_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    completed(train(&tiny(&[]), &options(&run)).0);
    let strata = |arguments: &[&str]| {
        let inspect = ["inspect", "run", "receptive-field"];
        let output = terminal::strata(folder.path(), &[&inspect[..], arguments].concat());
        let code = output.status.code();
        (code, terminal::out(&output), terminal::err(&output))
    };
    let png = folder.path().join("field.png");
    let (code, out, err) = strata(&[
        "--layer",
        "encoder.0",
        "--cell",
        "0x7",
        "-o",
        png.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(code, Some(0), "{err}");
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["box"], serde_json::json!([[0, 1], [13, 15]]));
    assert_eq!(
        (
            value["receptive_field"][0].as_u64(),
            value["map"][1].as_u64()
        ),
        (Some(3), Some(8))
    );
    assert!(err.contains("sees rows 0…1, columns 13…15"), "{err}");
    // Three pictures of 16 pixels, enlarged at least four times, with room for a title.
    let (width, height) = image::open(&png).unwrap().to_rgb8().dimensions();
    assert!(
        width >= 4 * (3 * 17 + 1) && height >= 4 * 18,
        "{width} {height}"
    );
    let (code, _, err) = strata(&["--layer", "encoder.9"]);
    assert!(
        code == Some(2) && err.contains("there is encoder.0 to head.2"),
        "{err}"
    );
    assert_eq!(strata(&["--cell", "a"]).0, Some(2));
    let (code, _, err) = strata(&[]);
    assert!(code == Some(0) && err.contains("encoder.2 `relu`"), "{err}");
}

/// A window of the design in which this view has all the room, or the room that one of two has.
fn designing(window: &mut Window, kind: ViewKind) {
    window.show_workspace(Workspace::Design);
    window.show_column(&[ViewKind::Solve, kind]);
}

#[test]
fn a_cell_is_chosen_by_mouse_and_by_keyboard() {
    let mut window = Window::idle("deep-autoencoder");
    designing(&mut window, ViewKind::Field);
    // The code's middle, before anything was selected.
    assert!(
        window.has("Map of encoder.5, cell 5, 5 of 8×8")
            && window.has("cell 5, 5 of encoder layer 6 sees")
    );
    window.click("Receptive field of encoder.2: size 6, stride 2, offset −2");
    assert_eq!(window.state().selected, Some(Place::new(Stack::Encoder, 2)));
    assert!(window.has("Map of encoder.2, cell 9, 9 of 16×16"));
    let map = window.get("Map of encoder.2, cell 9, 9 of 16×16").rect();
    let corner = map.min + map.size() / 32.0;
    window.harness.hover_at(corner);
    window.harness.drag_at(corner);
    window.harness.drop_at(corner);
    window.run();
    assert!(window.has("cell 1, 1 of encoder layer 3 sees 1 to 4 by 1 to 4"));
    let keys = [
        (Key::ArrowDown, "2, 1"),
        (Key::ArrowRight, "2, 2"),
        (Key::ArrowUp, "1, 2"),
        (Key::ArrowUp, "1, 2"),
    ];
    for (key, cell) in keys {
        window.press(Modifiers::NONE, key);
        assert!(
            window.has(&format!("Map of encoder.2, cell {cell} of 16×16")),
            "{key:?} {cell}"
        );
    }
    window.select(Stack::Decoder, 5);
    assert!(window.has("Map of decoder.5, cell 17, 17 of 32×32"));
    // The layers before an error are still there to be looked at.
    window.harness.state_mut().handle(Action::Preview(Some((
        Place::new(Stack::Encoder, 3),
        "conv 8 k99".into(),
    ))));
    window.select(Stack::Encoder, 2);
    assert!(window.has("cell 9, 9 of encoder layer 3 sees 15 to 20 by 15 to 20"));
    window.select(Stack::Decoder, 0);
    assert!(window.has("of decoder layer 1 sees nothing"));
}

#[test]
fn a_trained_run_shows_the_effective_field() {
    let folder = tempfile::tempdir().unwrap();
    let (project, path) = (tiny(&[]), folder.path().join("project.toml"));
    strata::project::file::save(&project, &path).unwrap();
    let mut window = Window::real(project, SIZE);
    window.harness.state_mut().handle(Action::Open(path));
    window.run();
    window.click("Train");
    window.wait("the end", |state| !state.training.is_running());
    designing(&mut window, ViewKind::Field);
    let seen = |state: &strata::app::state::State| {
        state
            .inspections
            .latest::<EffectiveField>()
            .is_some_and(|seen| seen.result.is_ok())
    };
    window.wait("the field", seen);
    assert!(window.has("of the largest gradient") && window.has("1 / "));
    window.click("Effective field");
    assert!(!window.has("of the largest gradient"));
    window.click("Effective field");
    window.click("Next image");
    assert!(window.has("2 / "));
    window.keep_picture("fields/effective");
    window.select(Stack::Decoder, 0);
    let of_decoder = |state: &strata::app::state::State| {
        let latest = state
            .inspections
            .latest::<EffectiveField>()
            .filter(|seen| seen.result.is_ok());
        latest.is_some_and(|seen| seen.query.request.place.stack == Stack::Decoder)
    };
    window.wait("the decoder's", of_decoder);
    assert!(window.has("of the largest gradient"));
    // Of another network than the one that was trained there is none.
    let edit = strata::project::edit::Edit::Replace(
        Place::new(Stack::Encoder, 0),
        strata::project::node::Node::from_text("conv 6 k5 s2 p2"),
    );
    window.harness.state_mut().handle(Action::Edit(edit));
    window.run();
    assert!(!window.has("of the largest gradient"));
}

/// A project whose decoder has two transposed convolutions.
fn two_transposed() -> Project {
    Project {
        network: two_levels(),
        ..builtin("pretrain-classify")
    }
}

/// A project with some layers replaced.
fn changed(mut project: Project, edits: &[(Stack, usize, &str)]) -> Project {
    for (stack, index, text) in edits {
        project.network.stack_mut(*stack)[*index] = strata::project::node::Node::from_text(text);
    }
    project
}

#[test]
fn a_checkerboard_is_shown_and_mended() {
    let uneven = [(Stack::Decoder, 0, "convt 16 k3 s2 p1 op1")];
    let mut window = Window::without_engine(changed(two_transposed(), &uneven), SIZE);
    designing(&mut window, ViewKind::Checkerboard);
    assert!(window.has("1 of 2 transposed convolutions cover their outputs unevenly"));
    assert!(
        window.has("the kernel 3 is no multiple of the stride 2")
            && window.has("Taps that reach each output in turn: 1, 2")
    );
    let before = window.state().network().clone();
    window.click("Apply upsample 2, conv 16 k3 p1 at decoder.0");
    assert_eq!(window.state().network().decoder[1].text(), "conv 16 k3 p1");
    assert!(
        window.has("the transposed convolution covers its output evenly")
            && window.has("No pattern: every output")
    );
    window.click("Undo");
    assert_eq!(*window.state().network(), before);
    // By keyboard: the button is reached and pressed.
    window.get("Apply convt 16 k4 s2 p1 at decoder.0").focus();
    window.run();
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.state().network().decoder[0].text(),
        "convt 16 k4 s2 p1"
    );
    assert!(window.has("both transposed convolutions cover their outputs evenly"));
    let mut window = Window::idle("lenet-mnist");
    designing(&mut window, ViewKind::Checkerboard);
    assert!(window.has("No decoder"));
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    let shot = |project: &Project,
                size: Vec2,
                dark: bool,
                kind: ViewKind,
                at: Option<(Stack, usize)>,
                name: &str| {
        let mut window = Window::without_engine(project.clone(), size);
        window.set_dark(dark);
        designing(&mut window, kind);
        if let Some((stack, index)) = at {
            window.select(stack, index);
        }
        window.write_picture(&format!("fields/{name}"));
    };
    let large = vec2(1920.0, 1080.0);
    let field = ViewKind::Field;
    shot(
        &builtin("deep-autoencoder"),
        SIZE,
        true,
        field,
        None,
        "field-deep-dark",
    );
    shot(
        &builtin("deep-autoencoder"),
        large,
        false,
        field,
        Some((Stack::Decoder, 3)),
        "field-deep-large-light",
    );
    shot(
        &builtin("lenet-mnist"),
        SIZE,
        false,
        field,
        Some((Stack::Head, 1)),
        "field-lenet-light",
    );
    shot(
        &builtin("resnet-18"),
        SIZE,
        true,
        field,
        Some((Stack::Encoder, 3)),
        "field-resnet-dark",
    );
    shot(&builtin("unet"), SIZE, true, field, None, "field-unet-dark");
    shot(
        &builtin("conv-autoencoder"),
        SIZE,
        true,
        field,
        None,
        "field-conv-dark",
    );
    let broken = changed(
        builtin("deep-autoencoder"),
        &[(Stack::Encoder, 3, "conv 8 k99")],
    );
    shot(
        &broken,
        SIZE,
        true,
        field,
        Some((Stack::Encoder, 4)),
        "field-broken-dark",
    );
    let dilated = changed(
        builtin("deep-autoencoder"),
        &[(Stack::Encoder, 3, "conv 32 k3 p4 d4")],
    );
    shot(&dilated, SIZE, true, field, None, "field-dilated-dark");
    let empty = || {
        let mut project = builtin("lenet-mnist");
        (project.network.encoder, project.network.head) = (vec![], vec![]);
        project
    };
    shot(&empty(), SIZE, true, field, None, "field-empty-dark");
    for (input, name) in [("1x400", "signal"), ("1x16x32x32", "volume")] {
        let mut project = empty();
        let nodes = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| strata::project::node::Node::from_text(text))
                .collect()
        };
        project.network.input = input.parse().unwrap();
        project.network.encoder = nodes(&["conv 8 k5 s2 p2", "relu", "maxpool 2"]);
        project.network.decoder = nodes(&["convt 8 k3 s2 p1", "convt 1 k4 s2 p1"]);
        shot(
            &project,
            SIZE,
            true,
            field,
            None,
            &format!("field-{name}-dark"),
        );
        shot(
            &project,
            SIZE,
            false,
            ViewKind::Checkerboard,
            None,
            &format!("board-{name}-light"),
        );
    }
    let board = ViewKind::Checkerboard;
    let uneven = changed(
        two_transposed(),
        &[(Stack::Decoder, 0, "convt 16 k3 s2 p1 op1")],
    );
    shot(&uneven, SIZE, true, board, None, "board-uneven-dark");
    shot(
        &uneven,
        large,
        false,
        board,
        None,
        "board-uneven-large-light",
    );
    let both = [
        (Stack::Decoder, 0, "convt 16 k3 s2 p1 op1"),
        (Stack::Decoder, 2, "convt 3 k5 s2 p2 op1"),
    ];
    shot(
        &changed(two_transposed(), &both),
        SIZE,
        false,
        board,
        None,
        "board-both-light",
    );
    shot(
        &builtin("conv-autoencoder"),
        SIZE,
        true,
        board,
        None,
        "board-even-dark",
    );
    shot(&builtin("unet"), SIZE, true, board, None, "board-unet-dark");
    shot(
        &builtin("deep-autoencoder"),
        SIZE,
        false,
        board,
        None,
        "board-deep-light",
    );
    shot(
        &builtin("lenet-mnist"),
        SIZE,
        true,
        board,
        None,
        "board-none-dark",
    );
    shot(&broken, SIZE, true, board, None, "board-broken-dark");
}
