//! Random networks from a seed, in two moods.
//!
//! [`hostile`]: anything that can be typed: broken text, numbers up to 2^30 and beyond, blocks in
//! blocks, repeats of repeats, unpools without partners. [`small`]: mostly valid networks of at most
//! 3×12×12 inputs and a few channels, which fit in memory and can be run.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strata::project::Network;
use strata::project::Stack;
use strata::project::node::Node;
use strata::project::size::Shape;
use strata::shape::infer;
use strata_testkit::networks::empty;

/// The generator of one case: equal seeds give equal networks.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Where numbers come from.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Hostile,
    Small,
}

fn pick<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

/// Numbers that have broken programs before.
const HOSTILE: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "31",
    "64",
    "255",
    "1000",
    "65536",
    "1048576",
    "1073741823",
    "1073741824",
    "1073741825",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "-1",
    "1e9",
];

/// Text that is no layer.
const BROKEN: [&str; 14] = [
    "",
    " ",
    "conv",
    "cnov 3",
    "conv 16 k",
    "relu 3",
    "maxpol 2",
    "conv 16 k3 k3",
    "unpool 2",
    "×",
    "{ add = [",
    "reshape 0x0",
    "conv 16 p½",
    "dense dense",
];

/// Any network at all.
pub fn hostile(rng: &mut ChaCha8Rng) -> Network {
    let length = pick(rng, &[0, 1, 3, 6, 12]);
    let stack = |rng: &mut ChaCha8Rng| -> Vec<Node> {
        (0..rng.random_range(0..=length))
            .map(|_| node(rng, Mood::Hostile, 0))
            .collect()
    };
    Network {
        input: hostile_input(rng),
        encoder: stack(rng),
        decoder: stack(rng),
        head: stack(rng),
    }
}

fn hostile_input(rng: &mut ChaCha8Rng) -> Shape {
    if rng.random_bool(0.6) {
        return small_input(rng);
    }
    let sizes = [1, 2, 3, 5, 28, 32, 224, 4096, 1 << 20, 1 << 30];
    let rank = rng.random_range(0..=3);
    let dims: Vec<usize> = (0..=rank).map(|_| pick(rng, &sizes)).collect();
    Shape::new(&dims).unwrap()
}

/// A network that is mostly legal and small enough to run: its layers are kept when they fit.
/// About one in fifteen keeps a layer that doesn't.
pub fn small(rng: &mut ChaCha8Rng) -> Network {
    let mut network = empty(small_input(rng));
    for stack in Stack::ALL {
        for _ in 0..rng.random_range(0..=7) {
            let proposed = node(rng, Mood::Small, 0);
            network.stack_mut(stack).push(proposed);
            if !fits(&network) && !rng.random_bool(0.005) {
                network.stack_mut(stack).pop();
            }
        }
    }
    network
}

/// True when there is no error and every tensor and layer is small.
pub fn fits(network: &Network) -> bool {
    let inference = infer(network);
    let little = |row: &strata::shape::Row| {
        row.error.is_none()
            && row.memory_bytes < 1 << 18
            && row.parameters < 1 << 16
            && row.macs < 1 << 22
    };
    inference.rows.iter().all(little)
}

fn small_input(rng: &mut ChaCha8Rng) -> Shape {
    let rank = pick(rng, &[0, 1, 2, 2, 2, 2, 2, 3]);
    let most = [24, 12, 12, 6][rank];
    let mut dims = vec![rng.random_range(1..=if rank == 0 { most } else { 3 })];
    dims.extend((0..rank).map(|_| rng.random_range(1..=most)));
    Shape::new(&dims).unwrap()
}

/// One node: mostly a layer, at times a block.
fn node(rng: &mut ChaCha8Rng, mood: Mood, depth: usize) -> Node {
    let block = if depth == 0 {
        0.15
    } else {
        0.25 / depth as f64
    };
    if rng.random_bool(block) {
        return self::block(rng, mood, depth);
    }
    if mood == Mood::Hostile && rng.random_bool(0.04) {
        return Node::from_text(pick(rng, &BROKEN));
    }
    if mood == Mood::Hostile && rng.random_bool(0.002) {
        return tower(rng);
    }
    Node::from_text(&layer_text(rng, mood == Mood::Hostile))
}

fn block(rng: &mut ChaCha8Rng, mood: Mood, depth: usize) -> Node {
    let stack = |rng: &mut ChaCha8Rng, least: usize| -> Vec<Node> {
        (0..rng.random_range(least..=3))
            .map(|_| node(rng, mood, depth + 1))
            .collect()
    };
    let least = usize::from(mood == Mood::Small);
    let branches = |rng: &mut ChaCha8Rng| {
        (0..rng.random_range(least..=3))
            .map(|_| stack(rng, 0))
            .collect()
    };
    match rng.random_range(0..3) {
        0 if mood == Mood::Small => residual(rng),
        0 => Node::Add(branches(rng)),
        1 => Node::Concat(branches(rng)),
        _ => Node::Repeat {
            times: times(rng, mood),
            layers: stack(rng, least),
        },
    }
}

fn times(rng: &mut ChaCha8Rng, mood: Mood) -> u32 {
    match mood {
        Mood::Small => rng.random_range(1..=3),
        Mood::Hostile => pick(rng, &[0, 1, 2, 3, 8, 100, 5000, 1 << 30, u32::MAX]),
    }
}

/// A sum that is likely to fit: layers that keep the shape, beside the identity.
fn residual(rng: &mut ChaCha8Rng) -> Node {
    let keeps = [
        "dwconv k3 p1",
        "relu",
        "bn",
        "dwconv k3 same nobias",
        "tanh",
        "layernorm",
        "dropout 0.2",
        "softmax",
    ];
    let branch = |rng: &mut ChaCha8Rng| -> Vec<Node> {
        (0..rng.random_range(0..=3))
            .map(|_| Node::from_text(pick(rng, &keeps)))
            .collect()
    };
    Node::Add((0..rng.random_range(1..=3)).map(|_| branch(rng)).collect())
}

/// Blocks in blocks, deeper than is allowed at times.
fn tower(rng: &mut ChaCha8Rng) -> Node {
    let mut node = Node::from_text("relu");
    for _ in 0..rng.random_range(40..90) {
        node = match rng.random_range(0..3) {
            0 => Node::Add(vec![vec![node], vec![]]),
            1 => Node::Concat(vec![vec![], vec![node]]),
            _ => Node::Repeat {
                times: pick(rng, &[1, 1, 2, 1 << 30]),
                layers: vec![node],
            },
        };
    }
    node
}

/// The text of one layer. Hostile text takes its numbers from anywhere; other text always reads.
pub fn layer_text(rng: &mut ChaCha8Rng, hostile: bool) -> String {
    let mood = if hostile && rng.random_bool(0.4) {
        Mood::Hostile
    } else {
        Mood::Small
    };
    let n = |rng: &mut ChaCha8Rng, most: u32| number(rng, mood, 1, most);
    let mut text = match rng.random_range(0..30) {
        0..6 => format!(
            "conv {}{}{}{}",
            n(rng, 8),
            window(rng, mood, true),
            groups(rng, mood),
            bias(rng)
        ),
        6..10 => {
            format!(
                "convt {}{}{}{}{}",
                n(rng, 8),
                window(rng, mood, true),
                output_padding(rng, mood),
                groups(rng, mood),
                bias(rng)
            )
        }
        10 => format!(
            "dwconv{}{}{}",
            window(rng, mood, true),
            multiplier(rng, mood),
            bias(rng)
        ),
        11 => format!(
            "sepconv {}{}{}",
            n(rng, 8),
            window(rng, mood, true),
            bias(rng)
        ),
        12..15 => format!("maxpool{}", pool(rng, mood)),
        15 => format!("avgpool{}", pool(rng, mood)),
        16..18 => "unpool".into(),
        18 => format!(
            "upsample {}{}",
            axes(rng, mood, 1, 3),
            if rng.random_bool(0.5) {
                " bilinear"
            } else {
                ""
            }
        ),
        19 => pick(rng, &["gap", "gmp", "identity"]).into(),
        20 => format!("adaptive-avgpool {}", axes(rng, mood, 1, 5)),
        21 => "flatten".into(),
        22 => format!("reshape {}", reshape(rng, mood)),
        23 | 24 => format!("dense {}{}", n(rng, 24), bias(rng)),
        25 => pick(rng, &["bn", "layernorm", "softmax"]).into(),
        26 => format!("groupnorm {}", n(rng, 3)),
        27 => format!("{} {}", pick(rng, &["pad", "crop"]), margins(rng, mood)),
        28 => pick(rng, &["dropout 0.5", "dropout-channels 0.25", "noise 0.1"]).into(),
        _ => activation(rng),
    };
    if rng.random_bool(0.1) {
        text += pick(rng, &[" @a", " @b"]);
    }
    text
}

fn activation(rng: &mut ChaCha8Rng) -> String {
    let all = [
        "relu",
        "relu6",
        "leakyrelu",
        "leakyrelu 0.2",
        "prelu",
        "prelu channels",
        "elu",
        "elu 0.5",
        "gelu",
        "silu",
        "sigmoid",
        "tanh",
        "hardswish",
        "step",
    ];
    (pick(rng, &all)).into()
}

fn number(rng: &mut ChaCha8Rng, mood: Mood, low: u32, high: u32) -> String {
    if mood == Mood::Hostile && rng.random_bool(0.5) {
        return (pick(rng, &HOSTILE)).into();
    }
    rng.random_range(low..=high).to_string()
}

fn axes(rng: &mut ChaCha8Rng, mood: Mood, low: u32, high: u32) -> String {
    let count = pick(rng, &[1, 1, 1, 2, 2, 3]);
    (0..count)
        .map(|_| number(rng, mood, low, high))
        .collect::<Vec<_>>()
        .join("x")
}

fn some(rng: &mut ChaCha8Rng, mood: Mood, letter: &str, low: u32, high: u32) -> String {
    if rng.random_bool(0.5) {
        format!("{letter}{}", axes(rng, mood, low, high))
    } else {
        String::new()
    }
}

fn window(rng: &mut ChaCha8Rng, mood: Mood, dilated: bool) -> String {
    let padding = match rng.random_range(0..6) {
        0 => " same".into(),
        1 => " valid".into(),
        _ => some(rng, mood, " p", 0, 2),
    };
    let dilation = if dilated && rng.random_bool(0.3) {
        some(rng, mood, " d", 1, 2)
    } else {
        String::new()
    };
    format!(
        "{}{}{padding}{dilation}",
        some(rng, mood, " k", 1, 4),
        some(rng, mood, " s", 1, 3)
    )
}

fn pool(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    let stride_and_padding = match rng.random_range(0..4) {
        0 => format!(
            "{}{}",
            some(rng, mood, " s", 1, 3),
            some(rng, mood, " p", 0, 1)
        ),
        1 => " same".into(),
        _ => String::new(),
    };
    format!("{}{stride_and_padding}", some(rng, mood, " ", 1, 3))
}

fn groups(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    if rng.random_bool(0.2) {
        format!(" g{}", number(rng, mood, 1, 4))
    } else {
        String::new()
    }
}

fn multiplier(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    if rng.random_bool(0.3) {
        format!(" m{}", number(rng, mood, 1, 2))
    } else {
        String::new()
    }
}

fn output_padding(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    if rng.random_bool(0.2) {
        some(rng, mood, " op", 0, 2)
    } else {
        String::new()
    }
}

fn bias(rng: &mut ChaCha8Rng) -> &'static str {
    if rng.random_bool(0.2) { " nobias" } else { "" }
}

fn reshape(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    let rank = rng.random_range(0..=3);
    let sizes: Vec<String> = (0..=rank).map(|_| number(rng, mood, 1, 6)).collect();
    sizes.join("x")
}

fn margins(rng: &mut ChaCha8Rng, mood: Mood) -> String {
    if rng.random_bool(0.5) {
        return axes(rng, mood, 0, 2);
    }
    let count = pick(rng, &[1, 2, 2, 3]);
    let one =
        |rng: &mut ChaCha8Rng| format!("{}+{}", number(rng, mood, 0, 2), number(rng, mood, 0, 2));
    (0..count).map(|_| one(rng)).collect::<Vec<_>>().join("x")
}
