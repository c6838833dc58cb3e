//! Random encoders with decoders that undo them exactly, and what spoils them: one to three attributes.
//!
//! The decoder is made from the sizes that inference gives for the encoder, not by Strata's own mirror.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use strata::project::layer::{Kind, Layer};
use strata::project::node::Node;
use strata::project::size::Shape;
use strata::project::{Network, Place, Stack};
use strata::shape::infer;
use strata_testkit::networks::empty;

fn pick<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

/// An exact pair: the decoder's output equals the input.
pub fn pair(rng: &mut ChaCha8Rng) -> Network {
    loop {
        let mut network = empty(input(rng));
        for _ in 0..rng.random_range(1..=4) {
            let text = down(rng, network.input.rank());
            network.encoder.push(Node::from_text(&text));
            if infer(&network).errors().next().is_some() {
                network.encoder.pop();
            } else if rng.random_bool(0.5) {
                network.encoder.push(Node::from_text("relu"));
            }
        }
        undo(rng, &mut network);
        let inference = infer(&network);
        let little = inference
            .rows
            .iter()
            .all(|row| row.macs < 1 << 20 && row.parameters < 1 << 16);
        if inference.output_equals_input == Some(true) && little {
            return network;
        }
    }
}

fn input(rng: &mut ChaCha8Rng) -> Shape {
    let rank = pick(rng, &[1, 2, 2, 2, 2, 3]);
    let most = [0, 60, 24, 9][rank];
    let mut dims = vec![rng.random_range(1..=3)];
    let square = rng.random_bool(0.6);
    let first = rng.random_range(5..=most);
    dims.extend((0..rank).map(|_| {
        if square {
            first
        } else {
            rng.random_range(5..=most)
        }
    }));
    Shape::new(&dims).unwrap()
}

/// `3`, or `3x4` by axis now and then.
fn sizes(rng: &mut ChaCha8Rng, rank: usize, low: u32, high: u32) -> String {
    let mut one = || rng.random_range(low..=high).to_string();
    let first = one();
    let others: Vec<String> = (1..rank).map(|_| one()).collect();
    if rank > 1 && rng.random_bool(0.15) {
        [vec![first], others].concat().join("x")
    } else {
        first
    }
}

fn down(rng: &mut ChaCha8Rng, rank: usize) -> String {
    let channels = rng.random_range(1..=4);
    match rng.random_range(0..8) {
        0 => "maxpool 2".into(),
        1 => "maxpool 3 s2 p1".into(),
        2 => "avgpool 2".into(),
        3 => format!("conv {channels} k3 s2 p1"),
        4 => format!("conv {channels} k{}", sizes(rng, rank, 1, 5)),
        5 => format!("conv {channels} k3 p1 d{}", rng.random_range(1..=2)),
        6 => {
            let stride = rng.random_range(2..=3);
            let kernel = sizes(rng, rank, stride, 5);
            format!(
                "conv {channels} k{kernel} s{stride} p{}",
                rng.random_range(0..=2)
            )
        }
        _ => format!("pad {}", rng.random_range(1..=2)),
    }
}

/// Appends to the decoder what undoes the encoder, last layer first.
fn undo(rng: &mut ChaCha8Rng, network: &mut Network) {
    let inference = infer(network);
    let rows: Vec<_> = inference.stack(Stack::Encoder).cloned().collect();
    let unpools = rng.random_bool(0.5);
    for row in rows.iter().rev() {
        let (Some(input), Some(output)) = (&row.input, &row.output) else {
            return;
        };
        if input.spatial() == output.spatial() && row.parameters == 0 {
            continue;
        }
        let texts = match &network.encoder[row.place.path[0]] {
            Node::Layer(Layer {
                kind: Kind::MaxPool { .. },
                ..
            }) if unpools => vec!["unpool".to_owned()],
            _ => up(rng, input, output),
        };
        network
            .decoder
            .extend(texts.iter().map(|text| Node::from_text(text)));
        if rng.random_bool(0.3) {
            network.decoder.push(Node::from_text("relu"));
        }
    }
    // The channels of the last layer are the input's, so there has to be one that has channels.
    let channels = network.input.channels();
    network
        .decoder
        .push(Node::from_text(&format!("conv {channels} k3 p1")));
}

/// From the output back to the input: a transposed convolution, or repeating with a border put right.
fn up(rng: &mut ChaCha8Rng, to: &Shape, from: &Shape) -> Vec<String> {
    let ratio = |(to, from): (&usize, &usize)| to.div_ceil(*from).max(1);
    let factor = to
        .spatial()
        .iter()
        .zip(from.spatial())
        .map(ratio)
        .max()
        .unwrap();
    if rng.random_bool(0.4) {
        let sides: Vec<i64> = to
            .spatial()
            .iter()
            .zip(from.spatial())
            .map(|(&to, &from)| (from * factor) as i64 - to as i64)
            .collect();
        let word = |name: &str, sign: i64| {
            let sides: Vec<String> = sides
                .iter()
                .map(|by| format!("0+{}", (sign * by).max(0)))
                .collect();
            format!("{name} {}", sides.join("x"))
        };
        let mut texts = Vec::new();
        if factor > 1 {
            texts.push(format!("upsample {factor}"));
        }
        texts.extend(sides.iter().any(|by| *by > 0).then(|| word("crop", 1)));
        texts.extend(sides.iter().any(|by| *by < 0).then(|| word("pad", -1)));
        return texts;
    }
    // out = (in − 1)·s − 2p + k + op, with one k and p for all axes.
    for _ in 0..40 {
        let (kernel, padding) = (
            rng.random_range(factor..=5.max(factor)),
            rng.random_range(0..=2usize),
        );
        let rest: Vec<i64> = to
            .spatial()
            .iter()
            .zip(from.spatial())
            .map(|(&to, &from)| {
                to as i64 - ((from as i64 - 1) * factor as i64 - 2 * padding as i64 + kernel as i64)
            })
            .collect();
        if rest.iter().all(|op| (0..factor as i64).contains(op)) {
            let each: Vec<String> = rest.iter().map(i64::to_string).collect();
            let op = if rest.windows(2).all(|two| two[0] == two[1]) {
                each[0].clone()
            } else {
                each.join("x")
            };
            let channels = rng.random_range(1..=4);
            return vec![format!(
                "convt {channels} k{kernel} s{factor} p{padding} op{op}"
            )];
        }
    }
    vec!["identity".to_owned()]
}

/// The same pair with one to three attributes changed so that its output no longer equals the input, and how
/// many they are.
pub fn spoiled(rng: &mut ChaCha8Rng, exact: &Network) -> (Network, u32) {
    loop {
        let mut network = exact.clone();
        let wanted = rng.random_range(1..=3);
        let mut touched = Vec::new();
        for _ in 0..wanted * 4 {
            if touched.len() == wanted {
                break;
            }
            let stack = pick(rng, &[Stack::Encoder, Stack::Decoder, Stack::Decoder]);
            if network.stack(stack).is_empty() {
                continue;
            }
            let place = Place::new(stack, rng.random_range(0..network.stack(stack).len()));
            let text = network.stack(stack)[place.path[0]].text();
            let last = stack == Stack::Decoder && place.path[0] + 1 == network.decoder.len();
            let Some((what, text)) = changed(rng, &text, last) else {
                continue;
            };
            if !touched.contains(&(place.clone(), what)) {
                *network.node_mut(&place).unwrap() = Node::from_text(&text);
                touched.push((place, what));
            }
        }
        if !touched.is_empty() && infer(&network).output_equals_input != Some(true) {
            return (network, touched.len() as u32);
        }
    }
}

/// A layer's text with another value of one attribute; the attribute's letters.
fn changed(rng: &mut ChaCha8Rng, text: &str, last: bool) -> Option<(&'static str, String)> {
    let words: Vec<&str> = text.split(' ').collect();
    let (kind, convolution) = (words[0], words[0].starts_with("conv"));
    let attribute = match kind {
        "conv" if last => pick(rng, &["k", "p", "channels"]),
        "conv" => pick(rng, &["k", "s", "p"]),
        "convt" => pick(rng, &["k", "s", "p", "op"]),
        "maxpool" | "avgpool" => pick(rng, &["size", "s"]),
        "upsample" => "size",
        "pad" | "crop" => "size",
        _ => return None,
    };
    let number = |rng: &mut ChaCha8Rng, low: u32, high: u32| rng.random_range(low..=high);
    let value = match attribute {
        "k" => number(rng, 1, 6),
        "s" => number(rng, 1, 4),
        "p" => number(rng, 0, 4),
        "op" => number(rng, 0, 2),
        "channels" => number(rng, 1, 5),
        _ => number(rng, 1, 5),
    };
    let at = |letters: &str| {
        words.iter().skip(1).position(|word| {
            word.strip_prefix(letters)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    match attribute {
        "channels" | "size" => words[1] = value.to_string(),
        letters => match at(letters) {
            Some(index) => words[index + 1] = format!("{letters}{value}"),
            None if convolution || letters == "s" => words.push(format!("{letters}{value}")),
            None => return None,
        },
    }
    let text = words.join(" ");
    matches!(Node::from_text(&text), Node::Layer(_)).then_some((attribute, text))
}
