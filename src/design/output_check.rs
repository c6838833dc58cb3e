//! Whether the output equals the input, as the one sentence of window and terminal.

use strata_core::project::Stack;
use strata_core::project::size::Shape;
use strata_core::shape::infer::Inference;

/// How sure the sentence is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The shapes are equal.
    Proven,
    /// The shapes differ.
    Wrong,
    /// An error prevents an answer.
    Unknown,
    /// There is no decoder, so the question doesn't arise.
    NotApplicable,
}

/// The sentence with its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// How sure it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

/// Says whether the decoder's output equals the network's input, or what differs and by how much.
pub fn banner(inference: &Inference) -> Banner {
    let input = &inference.input;
    let banner = |level, text| Banner { level, text };
    if inference.stack(Stack::Decoder).next().is_none() {
        return banner(Level::NotApplicable, "no decoder".into());
    }
    match (&inference.output, inference.output_equals_input) {
        (Some(output), Some(true)) => {
            banner(Level::Proven, format!("output {output} = input {input} ✓"))
        }
        (Some(output), Some(false)) => banner(
            Level::Wrong,
            format!(
                "output {output} ≠ input {input}: {}",
                difference(output, input)
            ),
        ),
        _ => banner(Level::Unknown, unknown(inference)),
    }
}

fn unknown(inference: &Inference) -> String {
    let broken = |stack| inference.errors().find(|(row, _)| row.place.stack == stack);
    match broken(Stack::Encoder).or_else(|| broken(Stack::Decoder)) {
        Some((row, _)) => format!("the {} has an error at {}", row.place.stack, row.place),
        None => "the output's shape is not known".into(),
    }
}

/// What an output has too little or too much of: `one row and one column short`.
pub fn difference(output: &Shape, input: &Shape) -> String {
    if output.rank() != input.rank() {
        return format!("{} instead of {}", kind_of(output), kind_of(input));
    }
    let (mut short, mut over) = (Vec::new(), Vec::new());
    for ((&is, &wanted), unit) in output
        .dims()
        .iter()
        .zip(input.dims())
        .zip(units(input.rank()))
    {
        match is.cmp(&wanted) {
            std::cmp::Ordering::Less => short.push(count(wanted - is, unit)),
            std::cmp::Ordering::Greater => over.push(count(is - wanted, unit)),
            std::cmp::Ordering::Equal => {}
        }
    }
    let part = |list: Vec<String>, word: &str| {
        (!list.is_empty()).then(|| format!("{} {word}", list.join(" and ")))
    };
    [part(short, "short"), part(over, "too many")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn kind_of(shape: &Shape) -> &'static str {
    ["a vector", "a signal", "an image", "a volume"]
        .get(shape.rank())
        .copied()
        .unwrap_or("a tensor")
}

/// What each size of a shape counts.
pub(crate) fn units(rank: usize) -> &'static [&'static str] {
    match rank {
        0 => &["value"],
        1 => &["channel", "sample"],
        2 => &["channel", "row", "column"],
        _ => &["channel", "slice", "row", "column"],
    }
}

pub(crate) fn count(number: usize, unit: &str) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let plural = if number == 1 { "" } else { "s" };
    match WORDS.get(number) {
        Some(word) => format!("{word} {unit}{plural}"),
        None => format!("{number} {unit}{plural}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks::{network, split};

    fn sentence(encoder: &str, decoder: &str) -> (Level, String) {
        let network = network("3x32x32", &split(encoder), &split(decoder), &[]);
        let banner = banner(&infer(&network));
        (banner.level, banner.text)
    }

    #[test]
    fn says_what_differs() {
        let down = "conv 8 k3 s2 p1";
        for (decoder, level, text) in [
            (
                "convt 3 k4 s2 p1",
                Level::Proven,
                "output 3×32×32 = input 3×32×32 ✓",
            ),
            (
                "convt 3 k3 s2 p1",
                Level::Wrong,
                "output 3×31×31 ≠ input 3×32×32: one row and one column short",
            ),
            (
                "convt 1 k4 s2 p1",
                Level::Wrong,
                "output 1×32×32 ≠ input 3×32×32: two channels short",
            ),
            (
                "convt 4 k3x4 s2 p1;pad 0+1x0",
                Level::Wrong,
                "output 4×32×32 ≠ input 3×32×32: one channel too many",
            ),
            (
                "convt 4 k3x4 s2 p1",
                Level::Wrong,
                "output 4×31×32 ≠ input 3×32×32: one row short, one channel too many",
            ),
            (
                "flatten",
                Level::Wrong,
                "output 2048 ≠ input 3×32×32: a vector instead of an image",
            ),
            ("", Level::NotApplicable, "no decoder"),
            (
                "convt 3 k4 g3",
                Level::Unknown,
                "the decoder has an error at decoder.0",
            ),
        ] {
            assert_eq!(sentence(down, decoder), (level, text.into()));
        }
        assert_eq!(
            sentence("dense 3", "relu"),
            (
                Level::Unknown,
                "the encoder has an error at encoder.0".into()
            )
        );
    }
}
