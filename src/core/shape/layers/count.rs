//! How a layer's parameters are counted: once, as a number and as a formula.
//!
//! Counts are PyTorch's: a bias is a parameter, running statistics of batch norm are not. Sums and products
//! saturate, never overflow. A count is made for every layer of every inference, so it holds no text.

use crate::project::size::Shape;
use crate::shape::error::times;

/// One factor of a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Factor {
    /// Nothing to multiply by.
    One,
    /// A number that is the same for every layer of the kind.
    Plain(u64),
    /// A size of the layer with its symbol: `out`, 32.
    Size(&'static str, usize),
    /// A size that is split into groups: `in/g`, 8/2.
    PerGroup(&'static str, usize, usize),
    /// The positions of the window.
    Window([usize; 3]),
    /// All values of the input.
    Elements,
}

impl Factor {
    /// A size that is split into so many groups, perhaps one.
    pub fn per_group(symbol: &'static str, size: usize, groups: usize) -> Factor {
        if groups > 1 {
            Factor::PerGroup(symbol, size, groups)
        } else {
            Factor::Size(symbol, size)
        }
    }

    fn value(self, input: &Shape) -> u64 {
        match self {
            Factor::One => 1,
            Factor::Plain(number) => number,
            Factor::Size(_, size) => size as u64,
            Factor::PerGroup(_, size, groups) => (size / groups.max(1)) as u64,
            Factor::Window(kernel) => product(&kernel),
            Factor::Elements => input.elements(),
        }
    }

    fn text(self, notation: Notation, input: &Shape) -> Option<String> {
        let rank = input.rank();
        Some(match (self, notation) {
            (Factor::One, _) => return None,
            (Factor::Plain(number), _) => number.to_string(),
            (Factor::Size(symbol, _), Notation::Symbols) => symbol.to_owned(),
            (Factor::Size(_, size), Notation::Numbers) => size.to_string(),
            (Factor::PerGroup(symbol, ..), Notation::Symbols) => format!("{symbol}/g"),
            (Factor::PerGroup(_, size, groups), Notation::Numbers) => format!("{size}/{groups}"),
            (Factor::Window(_), Notation::Symbols) => "k".to_owned(),
            (Factor::Window(kernel), Notation::Numbers) => own_axes(kernel, rank),
            (Factor::Elements, Notation::Symbols) => dimension_symbols(rank).to_owned(),
            (Factor::Elements, Notation::Numbers) => times(input.dims()).replace('×', "·"),
        })
    }
}

/// Whether a formula has symbols or the layer's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Notation {
    /// `out·in·k + out`
    Symbols,
    /// `32·3·3·3 + 32`
    Numbers,
}

/// A product.
type Term = [Factor; 3];

const NONE: Term = [Factor::Plain(0), Factor::One, Factor::One];

/// The parameters of a layer: at most two products of weights, and a bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    weights: [Term; 2],
    bias: Option<Factor>,
    /// The positions that all weights are multiplied at; `None` where that is not the layer's work.
    positions: Option<[usize; 3]>,
}

impl Count {
    /// A layer that learns nothing.
    pub const NOTHING: Count = Count {
        weights: [NONE; 2],
        bias: None,
        positions: None,
    };

    /// Weights that scale values, which is not counted as multiply-accumulates.
    pub fn scales(weight: Term) -> Count {
        Count {
            weights: [weight, NONE],
            ..Count::NOTHING
        }
    }

    /// One tensor of weights that is multiplied at every position.
    pub(crate) fn multiplied(weight: Term, positions: [usize; 3]) -> Count {
        Count {
            weights: [weight, NONE],
            bias: None,
            positions: Some(positions),
        }
    }

    /// With a second tensor of weights.
    pub fn and(self, second: Term) -> Count {
        Count {
            weights: [self.weights[0], second],
            ..self
        }
    }

    /// With a bias for each output, where there is one.
    pub(crate) fn with_bias(self, has_bias: bool, bias: Factor) -> Count {
        Count {
            bias: has_bias.then_some(bias),
            ..self
        }
    }

    fn weight(&self, input: &Shape) -> u64 {
        let sums = self.weights.iter().map(|term| {
            term.iter()
                .fold(1u64, |all, factor| all.saturating_mul(factor.value(input)))
        });
        sums.fold(0, u64::saturating_add)
    }

    /// The number of parameters.
    pub fn parameters(&self, input: &Shape) -> u64 {
        let bias = self.bias.map_or(0, |bias| bias.value(input));
        self.weight(input).saturating_add(bias)
    }

    /// Multiply-accumulates for one image, biases not counted.
    pub fn macs(&self, input: &Shape) -> u64 {
        match self.positions {
            Some(positions) => self.weight(input).saturating_mul(product(&positions)),
            None => 0,
        }
    }

    fn terms(&self) -> Vec<Vec<Factor>> {
        let written = self.weights.iter().filter(|term| **term != NONE);
        written.map(|term| term.to_vec()).collect()
    }

    /// The sum with symbols, `out·in·k + out`; empty for a layer that learns nothing.
    pub fn sum(&self, notation: Notation, input: &Shape) -> String {
        let mut terms = self.terms();
        terms.extend(self.bias.map(|bias| vec![bias]));
        joined(&terms, notation, input)
    }

    /// The sum in the layer's numbers with the bias's factor put first, `32·(3·3·3 + 1)`.
    pub fn factored(&self, input: &Shape) -> String {
        let mut terms = self.terms();
        let common = self.bias.zip(terms.last_mut()).and_then(|(bias, last)| {
            let index = last.iter().position(|factor| *factor == bias)?;
            last.remove(index);
            Some(bias)
        });
        let (Some(bias), Some(last)) = (common, terms.pop()) else {
            return self.sum(Notation::Numbers, input);
        };
        let inner = product_text(&last, Notation::Numbers, input);
        let outer = product_text(&[bias], Notation::Numbers, input);
        let factored = format!("{outer}·({inner} + 1)");
        if terms.is_empty() {
            return factored;
        }
        format!("{} + {factored}", joined(&terms, Notation::Numbers, input))
    }

    /// How the multiply-accumulates are counted, `30·30 · 32·3·3·3`; `None` where there are none.
    pub fn macs_text(&self, input: &Shape) -> Option<String> {
        let terms = self.terms();
        let weights = joined(&terms, Notation::Numbers, input);
        let positions = self.positions?;
        Some(if input.is_vector() {
            weights
        } else {
            let weights = if terms.len() > 1 {
                format!("({weights})")
            } else {
                weights
            };
            format!("{} · {weights}", own_axes(positions, input.rank()))
        })
    }
}

fn joined(terms: &[Vec<Factor>], notation: Notation, input: &Shape) -> String {
    let terms: Vec<String> = terms
        .iter()
        .map(|term| product_text(term, notation, input))
        .collect();
    terms.join(" + ")
}

fn product_text(factors: &[Factor], notation: Notation, input: &Shape) -> String {
    let factors: Vec<String> = factors
        .iter()
        .filter_map(|factor| factor.text(notation, input))
        .collect();
    factors.join("·")
}

/// As many of the three axes as an input of this rank has, `3·3`.
fn own_axes(sizes: [usize; 3], rank: usize) -> String {
    let own = &sizes[3 - rank.clamp(1, 3)..];
    let own: Vec<String> = own.iter().map(usize::to_string).collect();
    own.join("·")
}

/// The symbols of a shape's sizes.
pub(crate) fn dimension_symbols(rank: usize) -> &'static str {
    ["C", "C·L", "C·H·W", "C·D·H·W"]
        .get(rank)
        .copied()
        .unwrap_or("C")
}

fn product(sizes: &[usize]) -> u64 {
    sizes
        .iter()
        .fold(1u64, |product, &size| product.saturating_mul(size as u64))
}
