//! Every rule against PyTorch's own answers (`tests/fixtures/shapes.py` made them), and what
//! PyTorch doesn't have by hand.

use super::*;
use crate::networks::empty;
use crate::project::layer::Window;
use crate::project::node::Node;
use crate::project::size::Axes;
use crate::shape::infer::{Inference, infer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
    chains: Vec<Chain>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    input: Vec<usize>,
    output: Option<Vec<usize>>,
    parameters: Option<u64>,
}

#[derive(Deserialize)]
struct Chain {
    texts: Vec<String>,
    field: u64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../../tests/fixtures/shapes.json")).unwrap()
}

fn run<'a>(input: &Shape, texts: impl IntoIterator<Item = &'a str>) -> Inference {
    let mut network = empty(input.clone());
    network
        .encoder
        .extend(texts.into_iter().map(Node::from_text));
    infer(&network)
}

#[test]
fn shapes_and_parameters_are_pytorchs() {
    let cases = fixture().cases;
    assert!(cases.len() >= 300);
    for Case {
        text,
        input,
        output,
        parameters,
    } in cases
    {
        let inference = run(&Shape::new(&input).unwrap(), text.split("; "));
        let ours = inference
            .code
            .as_ref()
            .filter(|_| inference.plan.is_some())
            .map(|shape| shape.dims().to_vec());
        let error = inference
            .errors()
            .next()
            .map(|(_, error)| error.message.clone());
        assert_eq!(ours, output, "{text} on {input:?}: {error:?}");
        if let Some(parameters) = parameters {
            assert_eq!(
                inference.totals.parameters, parameters,
                "{text} on {input:?}"
            );
        }
    }
}

/// The maximum is taken layer by layer, so where two layers' worst alignments can't meet, it is
/// an upper bound; in almost all chains it is exact.
#[test]
fn receptive_fields_are_those_of_the_gradient() {
    let (mut exact, chains) = (0, fixture().chains);
    for Chain { texts, field } in &chains {
        let inference = run(&"1x150".parse().unwrap(), texts.iter().map(String::as_str));
        let ours = inference
            .rows
            .last()
            .unwrap()
            .receptive_field
            .clone()
            .unwrap()[0];
        assert!(
            ours >= *field && ours <= field + 3,
            "{texts:?}: {ours}, by gradient {field}"
        );
        exact += usize::from(ours == *field);
    }
    assert!(
        exact * 10 >= chains.len() * 8,
        "{exact} of {} exact",
        chains.len()
    );
}

fn after(input: &str, text: &str) -> Result<Shape, ShapeError> {
    let inference = run(&input.parse().unwrap(), [text]);
    match inference.errors().next() {
        Some((_, error)) => Err(error.clone()),
        None => Ok(inference.code.clone().unwrap()),
    }
}

fn gives(input: &str, text: &str, output: &str) {
    assert_eq!(
        after(input, text)
            .map(|shape| shape.to_file_text())
            .as_deref(),
        Ok(output),
        "{text} on {input}"
    );
}

/// The message and some line of help each contain a part.
fn refuses(input: &str, text: &str, message: &str, help: &str) {
    let error = after(input, text).expect_err(text);
    assert!(error.message.contains(message), "{text}: {}", error.message);
    assert!(
        error
            .help
            .iter()
            .any(|line| line.to_string().contains(help)),
        "{text}: {:?}",
        error.help
    );
}

fn op(input: &str, text: &str) -> Op {
    let inference = run(&input.parse().unwrap(), [text]);
    match inference.plan.unwrap().stacks[0].as_ref().unwrap().first() {
        Some(crate::shape::Planned::Layer(layer)) => layer.op.clone(),
        other => panic!("{other:?}"),
    }
}

/// TensorFlow's rule, `math_ops` of its documentation: out = ⌈N/s⌉, before = total / 2.
#[test]
fn same_padding_is_tensorflows() {
    for (text, output, before) in [
        ("conv 4 k3 same", "4x7x10", 1),
        ("conv 4 k4 same", "4x7x10", 1),
        ("conv 4 k2 same", "4x7x10", 0),
        ("conv 4 k3 s2 same", "4x4x5", 1),
        ("conv 4 k1 s3 same", "4x3x4", 0),
        ("maxpool 2 same", "1x4x5", 0),
        ("avgpool 5 s1 same", "1x7x10", 2),
        ("conv 4 k3 d2 same", "4x7x10", 2),
    ] {
        gives("1x7x10", text, output);
        let (Op::Conv { geometry, .. }
        | Op::MaxPool { geometry, .. }
        | Op::AvgPool { geometry, .. }) = op("1x7x10", text)
        else {
            panic!("{text}")
        };
        assert_eq!(geometry.pad[1], before, "{text}");
    }
    // ⌈10/2⌉ = 5 positions reach over (5−1)·2 + 3 = 11 cells: one zero, at the end.
    let Op::Conv { geometry, .. } = op("1x7x10", "conv 4 k3 s2 same") else {
        panic!()
    };
    assert_eq!(geometry.pad, [0, 1, 0]);
    assert!(matches!(
        op("1x8x8", "avgpool 3 same"),
        Op::AvgPool {
            count_padding: false,
            ..
        }
    ));
    assert!(matches!(
        op("1x8x8", "avgpool 3 p1"),
        Op::AvgPool {
            count_padding: true,
            ..
        }
    ));
}

#[test]
fn transposed_same_multiplies() {
    for (text, size, before) in [
        ("convt 4 k4 s2 same", 14, 1),
        ("convt 4 k3 s2 same", 14, 0),
        ("convt 4 k3 s1 same", 7, 1),
        ("convt 4 k2 s3 same", 21, 0),
        ("convt 4 k5 s2 same", 14, 1),
    ] {
        gives("1x7x7", text, &format!("4x{size}x{size}"));
        let Op::ConvTranspose { geometry, .. } = op("1x7x7", text) else {
            panic!("{text}")
        };
        assert_eq!(
            (geometry.pad[2], geometry.input[2], geometry.output[2]),
            (before, size, 7),
            "{text}"
        );
    }
}

#[test]
fn separable_and_depthwise_count_like_keras() {
    let parameters = |text: &str| run(&"3x8x8".parse().unwrap(), [text]).totals.parameters;
    assert_eq!(parameters("dwconv k3"), 3 * 9 + 3);
    assert_eq!(parameters("dwconv k3 m2 nobias"), 6 * 9);
    assert_eq!(parameters("sepconv 16 k3"), 3 * 9 + 3 * 16 + 16);
    assert_eq!(parameters("layernorm"), 2 * 192);
    gives("3x8x8", "dwconv k3 s2 p1 m2", "6x4x4");
    gives("3x8x8", "sepconv 16 k3 s2 p1", "16x4x4");
    let macs = run(&"3x8x8".parse().unwrap(), ["sepconv 16 k3 s2 p1"])
        .totals
        .macs;
    assert_eq!(macs, 16 * (3 * 9 + 3 * 16));
}

#[test]
fn margins_and_shapes() {
    gives("3x8x9", "pad 0+1x2", "3x9x13");
    gives("3x8x9", "crop 1x0+2", "3x6x7");
    gives("3x8", "upsample 3", "3x24");
    gives("3x4x5x6", "upsample 1x2x3", "3x4x10x18");
    gives("12", "reshape 3x2x2", "3x2x2");
    gives("3x2x2", "reshape 12", "12");
    gives("3x7x9", "adaptive-avgpool 2x5", "3x2x5");
    gives("3x7x9", "gmp", "3");
    gives("3x2x4x4", "maxpool 1x2x2", "3x2x2x2");
}

#[test]
fn refusals_name_the_numbers_and_the_way_out() {
    refuses(
        "3x3x3",
        "conv 8 k5",
        "kernel 5×5 is larger than the input 3×3 (padded: 3×3)",
        "use k3",
    );
    refuses("3x3x3", "conv 8 k5", "kernel 5×5", "p1");
    refuses(
        "3x3x3",
        "conv 8 k3 d2",
        "5×5 wide with its dilation",
        "use k2",
    );
    refuses(
        "100",
        "conv 8",
        "the input is a vector of 100",
        "insert `reshape 4x5x5` before it",
    );
    refuses(
        "3x8x8",
        "dense 10",
        "`dense` needs a vector, but the input is 3×8×8",
        "insert `flatten`",
    );
    refuses(
        "3x8x8",
        "conv 8 k3x3x3",
        "3 sizes, but the input 3×8×8 has 2 axes",
        "k3x3",
    );
    refuses(
        "12x8x8",
        "conv 8 g3",
        "3 groups don't divide the 8 filters",
        "g1, g2, g4",
    );
    refuses("3x8x8", "conv 8 s0", "the stride is 0", "s1");
    refuses("3x8x8", "conv 8 d0", "the dilation is 0", "d1");
    refuses("3x8x8", "conv 8 k0", "the kernel size is 0", "k3");
    refuses("3x8x8", "maxpool 2 p2", "padding 2 is more than half", "p1");
    refuses(
        "3x8x8",
        "convt 8 k3 op1",
        "output padding 1 must be smaller than the stride 1",
        "leave out op",
    );
    refuses(
        "3x8x8",
        "convt 8 k4 s2 same op1",
        "`same` already fixes",
        "leave out op",
    );
    refuses(
        "3x1x1",
        "convt 8 k3 p2",
        "cuts everything away: the output would be -1×-1",
        "use p1",
    );
    refuses(
        "3x4x4",
        "crop 2",
        "takes 4×4 away from an input of 4×4",
        "use `crop 1`",
    );
    refuses(
        "100",
        "reshape 3x4x4",
        "3×4×4 holds 48 numbers, but the input 100 holds 100",
        "`dense 48`",
    );
    refuses("96", "reshape 3x4x4", "holds 48", "use `reshape 6x4x4`");
    refuses("100", "gap", "already a vector", "remove");
    refuses(
        "6x4x4",
        "groupnorm 4",
        "4 groups don't divide 6 channels",
        "1, 2, 3, 6",
    );
    refuses(
        "3x4x4",
        "adaptive-avgpool 0",
        "the output size is 0",
        "adaptive-avgpool 1",
    );
}

#[test]
fn hostile_numbers_are_refused_in_words() {
    refuses("3x8x8", "pad 1073741824", "holds", "smaller sizes");
    refuses("3x8x8", "upsample 1073741824", "holds", "smaller sizes");
    refuses(
        "1x8",
        "upsample 1073741824",
        "every size must be from 1 to 1073741824",
        "",
    );
    refuses(
        "1073741824",
        "dense 1073741824",
        "parameters; at most 2^40",
        "smaller",
    );
    refuses(
        "1024x1048576x1048576",
        "relu",
        "the input 1024×1048576×1048576 holds",
        "smaller",
    );
    refuses(
        "3x8x8",
        "convt 1 k1073741824 s1073741824 d1073741824",
        "too much",
        "smaller",
    );
    refuses("3x8x8", "dwconv m1073741824", "", "smaller");
    gives("1x268435456", "conv 1 k268435456", "1x1");
    // Values that no text can hold.
    let conv = |window, groups| Kind::Conv {
        out_channels: u32::MAX,
        window,
        groups,
        bias: true,
    };
    let all = || Some(Axes::all(u32::MAX));
    let window = Window {
        kernel_size: all(),
        stride: all(),
        dilation: all(),
        ..Window::default()
    };
    for kind in [
        conv(window, None),
        conv(Window::default(), Some(u32::MAX)),
        conv(Window::default(), None),
    ] {
        assert!(resolve(&kind, &"3x8x8".parse().unwrap(), &Context::default()).is_err());
    }
    let none = Window {
        kernel_size: Some(Axes::each(&[])),
        ..Window::default()
    };
    assert!(
        resolve(
            &Kind::MaxPool { window: none },
            &"3x8x8".parse().unwrap(),
            &Context::default()
        )
        .is_err()
    );
}

/// Windows that would need more memory for their table than for the tensors are refused, not attempted.
#[test]
fn windows_without_end_are_refused() {
    let image: Shape = "3x32x32".parse().unwrap();
    let volume: Shape = "1x8x8x8".parse().unwrap();
    for (input, text) in [
        (&image, "maxpool 100000 same"),
        (&image, "avgpool 100000 same"),
        (&image, "conv 4 k20000 same"),
        (&image, "convt 4 k20000 same"),
        (&volume, "maxpool 1073741824 same"),
    ] {
        let error = run(input, [text])
            .errors()
            .next()
            .map(|(_, error)| error.message.clone());
        assert!(
            error.is_some_and(|error| error.contains("too much")),
            "{text}"
        );
    }
    assert!(run(&image, ["conv 4 k31 same"]).plan.is_some());
}
