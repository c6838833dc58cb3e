//! Progressive unfreezing: a stack whose layers a stage begins to train one after the other, the top ones first
//! (gradual unfreezing: Howard and Ruder 2018, ULMFiT).

use super::Stack;
use super::words::{SettingError, Words, text_conversions};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `encoder layers=1 every=1`: the stack's layers are frozen as the stage begins; with every so many epochs so many more
/// of them are trained, from the last one down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unfreeze {
    /// The stack.
    pub stack: Stack,
    /// How many layers with weights are trained more each time.
    pub layers: u32,
    /// After how many epochs each time.
    pub every: u32,
}

/// The most that either number may be.
const MOST: f64 = 10_000.0;

impl Unfreeze {
    /// How many of the stack's layers are trained in an epoch of the stage, counted from 0.
    pub fn thawed(&self, epoch: u32) -> usize {
        let times = epoch / self.every.max(1);
        times.saturating_mul(self.layers) as usize
    }

    /// The first epoch, from 0, in which the layer of this place from the top, from 0, is trained.
    pub fn epoch_of(&self, from_top: usize) -> u32 {
        let times = from_top as u32 / self.layers.max(1) + 1;
        times.saturating_mul(self.every)
    }
}

impl FromStr for Unfreeze {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Unfreeze, SettingError> {
        let mut words = Words::new(text);
        let stack = Stack::ALL
            .into_iter()
            .find(|stack| stack.name() == words.head);
        let Some(stack) = stack else {
            return Err(SettingError(format!(
                "`{}` is no stack: write encoder layers=1 every=1 to train the encoder's layers one after the other, \
                 the top ones first, one more after each epoch",
                words.head
            )));
        };
        let layers = words.whole("layers", 1.0, 1.0..=MOST)? as u32;
        let every = words.whole("every", 1.0, 1.0..=MOST)? as u32;
        words.finish("layers, every")?;
        Ok(Unfreeze {
            stack,
            layers,
            every,
        })
    }
}

impl fmt::Display for Unfreeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unfreeze {
            stack,
            layers,
            every,
        } = self;
        write!(f, "{stack} layers={layers} every={every}")
    }
}

text_conversions!(Unfreeze);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_text() {
        for (text, written) in [
            ("encoder", "encoder layers=1 every=1"),
            ("encoder layers=2", "encoder layers=2 every=1"),
            ("decoder every=3 layers=2", "decoder layers=2 every=3"),
        ] {
            let unfreeze: Unfreeze = text.parse().unwrap();
            assert_eq!(unfreeze.to_string(), written);
            assert_eq!(written.parse(), Ok(unfreeze));
        }
        for (text, part) in [
            ("", "is no stack"),
            ("body", "write encoder layers=1 every=1"),
            ("encoder.0", "is no stack"),
            ("encoder 2", "use layers, every"),
            ("encoder layers=0", "from 1"),
            ("encoder every=1.5", "whole number"),
        ] {
            let error = text.parse::<Unfreeze>().unwrap_err().0;
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn layers_follow_from_the_top() {
        let unfreeze: Unfreeze = "encoder layers=2 every=3".parse().unwrap();
        let thawed: Vec<usize> = (0..8).map(|epoch| unfreeze.thawed(epoch)).collect();
        assert_eq!(thawed, [0, 0, 0, 2, 2, 2, 4, 4]);
        let epochs: Vec<u32> = (0..5).map(|layer| unfreeze.epoch_of(layer)).collect();
        assert_eq!(epochs, [3, 3, 6, 6, 9]);
        for (layer, epoch) in epochs.into_iter().enumerate() {
            assert!(unfreeze.thawed(epoch) > layer && unfreeze.thawed(epoch - 1) <= layer);
        }
    }
}
