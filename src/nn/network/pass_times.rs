//! How long each layer took in the latest passes, for whoever asks where the time of a step goes.

use super::{Context, Network};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use strata_core::project::Place;

/// Times of the layers of a forward and a backward pass, by place: those of a block without what is in it. The layers of
/// a repeat have the sum of all its passes; a layer whose work another one does has none.
#[derive(Clone, Debug, Default)]
pub struct PassTimes {
    /// From the images to the output.
    pub forward: BTreeMap<Place, Duration>,
    /// The gradients.
    pub backward: BTreeMap<Place, Duration>,
    /// What was counted so far, in any layer.
    counted: Duration,
}

/// Which pass a layer is in.
#[derive(Clone, Copy)]
pub(crate) enum Timed {
    Forward,
    Backward,
}

impl Network {
    /// Counts the time of every layer from now on, or stops counting.
    pub fn set_timed(&mut self, on: bool) {
        self.times = on.then(PassTimes::default);
    }

    /// The times since they were taken last; empty unless they are counted.
    pub fn take_times(&mut self) -> PassTimes {
        self.times.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Context<'_> {
    /// Does the work of a node, and counts its time where that is asked for.
    pub(crate) fn timed<T>(
        &mut self,
        pass: Timed,
        place: &Place,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let Some(before) = self.times.as_ref().map(|times| times.counted) else {
            return work(self);
        };
        let start = Instant::now();
        let done = work(self);
        let elapsed = start.elapsed();
        if let Some(times) = self.times.as_mut() {
            // Nodes inside this one have counted themselves.
            let inside = times.counted.saturating_sub(before);
            let own = elapsed.saturating_sub(inside);
            times.counted += own;
            let of_pass = match pass {
                Timed::Forward => &mut times.forward,
                Timed::Backward => &mut times.backward,
            };
            *of_pass.entry(place.clone()).or_default() += own;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use crate::network::tests::network;
    use crate::{Mode, Route};
    use candle_core::{DType, Device, Tensor};

    #[test]
    fn every_node_that_computes_has_its_own_time() {
        let block = r#"{ add = [["conv 4 k3 p1", "gelu"], []] }"#;
        let mut network = network(
            "4x16x16",
            &["conv 4 k3 p1", "relu", block],
            &["gap", "dense 3"],
        );
        let images = Tensor::ones((8, 16, 16, 4), DType::F32, &Device::Cpu).unwrap();
        let mut step = |timed: bool| {
            network.set_timed(timed);
            let mode = Mode::Train { seed: 0, step: 0 };
            let start = std::time::Instant::now();
            let output = network.forward(Route::Classify, &images, mode).unwrap();
            network.backward(&output).unwrap();
            (start.elapsed(), network.take_times())
        };
        let (_, none) = step(false);
        assert!(none.forward.is_empty() && none.backward.is_empty());
        let (whole, times) = step(true);
        let places: Vec<String> = times.forward.keys().map(ToString::to_string).collect();
        let wanted = [
            "encoder.0",
            "encoder.2",
            "encoder.2.0.0",
            "encoder.2.0.1",
            "head.0",
            "head.1",
        ];
        assert_eq!(places, wanted);
        assert_eq!(times.backward.len(), wanted.len());
        let sum = times
            .forward
            .values()
            .chain(times.backward.values())
            .sum::<std::time::Duration>();
        assert!(sum <= whole, "{sum:?} of {whole:?}");
    }
}
