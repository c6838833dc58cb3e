//! What becomes of a gradient before and while the optimizer uses it: bounds, and parameters that are treated in another
//! way than the others (PyTorch's parameter groups).

use super::Place;
use super::target::Target;
use super::words::{SettingError, Words, short, text_conversions};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The bound that gradients are kept within.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Clip {
    /// `norm=1`: all gradients are scaled together so that the root of the sum of their squares is no larger
    /// (torch.nn.utils.clip_grad_norm_).
    Norm(f64),
    /// `value=0.5`: no number of a gradient is farther from 0 (torch.nn.utils.clip_grad_value_).
    Value(f64),
}

/// The numbers that a bound may be.
const BOUNDS: RangeInclusive<f64> = 1e-9..=1e9;

impl FromStr for Clip {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Clip, SettingError> {
        let mut words = Words::new(&format!("clip {text}"));
        let norm = words.number("norm", 0.0, BOUNDS)?;
        let value = words.number("value", 0.0, BOUNDS)?;
        words.finish("norm or value")?;
        match (norm > 0.0, value > 0.0) {
            (true, false) => Ok(Clip::Norm(norm)),
            (false, true) => Ok(Clip::Value(value)),
            _ => Err(SettingError(
                "gradients are kept within one bound: write norm=1 or value=0.5".into(),
            )),
        }
    }
}

impl fmt::Display for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Clip::Norm(norm) => write!(f, "norm={}", short(*norm)),
            Clip::Value(value) => write!(f, "value={}", short(*value)),
        }
    }
}

/// What the optimizer's weight decay acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decay {
    /// Every parameter, as PyTorch's optimizers do.
    #[default]
    All,
    /// Weights: no bias, and nothing of a norm or of an activation.
    Weights,
}

impl Decay {
    /// Both.
    pub const ALL: [Decay; 2] = [Decay::All, Decay::Weights];

    /// `all` or `weights`.
    pub fn name(self) -> &'static str {
        match self {
            Decay::All => "all",
            Decay::Weights => "weights",
        }
    }

    pub(super) fn is_of_all(&self) -> bool {
        *self == Decay::All
    }
}

impl fmt::Display for Decay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// In [`RateFactors`] the layers that an earlier stage trained, or that came from another run.
pub const PRETRAINED: &str = "pretrained";

/// Factors on the learning rate, `encoder=0.1 head.2=3 pretrained=0.1`: of several that name a layer the last holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RateFactors(pub Vec<(String, f64)>);

/// The numbers that a factor may be.
const FACTORS: RangeInclusive<f64> = 1e-9..=1e9;

impl RateFactors {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The factor of a layer.
    pub fn of(&self, place: &Place, is_pretrained: bool) -> f64 {
        let names_it = |name: &str| {
            if name == PRETRAINED {
                return is_pretrained;
            }
            let target = name.parse::<Target>();
            target.is_ok_and(|target| target.contains(place))
        };
        let found = self.0.iter().rev().find(|(name, _)| names_it(name));
        found.map_or(1.0, |(_, factor)| *factor)
    }
}

impl FromStr for RateFactors {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<RateFactors, SettingError> {
        let words = Words::new(&format!("rate_factors {text}"));
        let factor = |(name, value): (String, Option<String>)| {
            let number = value.as_deref().and_then(|value| value.parse::<f64>().ok());
            match number.filter(|number| FACTORS.contains(number)) {
                Some(number) => Ok((name, number)),
                None => Err(SettingError(format!(
                    "`{name}` needs a factor from {} to {}: write {name}=0.1",
                    short(*FACTORS.start()),
                    short(*FACTORS.end())
                ))),
            }
        };
        let factors: Vec<(String, f64)> = words
            .pairs()
            .into_iter()
            .map(factor)
            .collect::<Result<_, _>>()?;
        let twice = |(index, (name, _)): (usize, &(String, f64))| {
            let before = factors[..index].iter();
            before
                .map(|(other, _)| other)
                .any(|other| other == name)
                .then(|| name.clone())
        };
        match factors.iter().enumerate().find_map(twice) {
            Some(name) => Err(SettingError(format!(
                "`{name}` has two factors: take one out"
            ))),
            None => Ok(RateFactors(factors)),
        }
    }
}

impl fmt::Display for RateFactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pair = |(name, factor): &(String, f64)| format!("{name}={}", short(*factor));
        let pairs: Vec<String> = self.0.iter().map(pair).collect();
        f.write_str(&pairs.join(" "))
    }
}

text_conversions!(Clip, RateFactors);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Stack;

    #[test]
    fn bounds_are_read_and_written() {
        for text in ["norm=1", "value=0.5"] {
            assert_eq!(text.parse::<Clip>().unwrap().to_string(), text);
        }
        for text in ["", "1", "norm=0", "norm=1 value=1", "norm=inf"] {
            assert!(text.parse::<Clip>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_factor_that_names_a_layer_holds() {
        let text = "encoder=0.1 encoder.2=3 pretrained=0.5";
        let factors: RateFactors = text.parse().unwrap();
        assert_eq!(factors.to_string(), text);
        let place = |index| Place::new(Stack::Encoder, index);
        assert_eq!(factors.of(&place(0), false), 0.1);
        assert_eq!(factors.of(&place(2), false), 3.0);
        assert_eq!(factors.of(&place(2), true), 0.5);
        assert_eq!(factors.of(&Place::new(Stack::Head, 0), false), 1.0);
        for text in ["encoder", "encoder=0", "encoder=x", "head=1 head=2"] {
            assert!(text.parse::<RateFactors>().is_err(), "{text}");
        }
        assert!("".parse::<RateFactors>().unwrap().is_empty());
    }
}
