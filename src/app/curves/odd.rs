//! What an axis has no place for (zeros on a logarithmic one, values that are not finite anywhere), and from where to
//! where all other values go.

/// The steps of a line whose values have no place on an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OddSteps {
    without_logarithm: Vec<f64>,
    not_finite: Vec<f64>,
    below_zero: usize,
}

impl OddSteps {
    pub(super) fn add(&mut self, step: f64, value: f64) {
        if !value.is_finite() {
            self.not_finite.push(step);
        } else if value <= 0.0 {
            self.without_logarithm.push(step);
            self.below_zero += usize::from(value < 0.0);
        }
    }

    /// The steps whose values are 0 or below, by rising step.
    pub fn without_logarithm(&self) -> &[f64] {
        &self.without_logarithm
    }

    /// The steps whose values are not a number or infinite, by rising step.
    pub fn at_not_finite(&self) -> &[f64] {
        &self.not_finite
    }

    /// How many values are exactly 0.
    pub fn zeros(&self) -> usize {
        self.without_logarithm.len() - self.below_zero
    }

    /// How many values are below 0.
    pub fn below_zero(&self) -> usize {
        self.below_zero
    }

    /// How many values are not a number or infinite.
    pub fn not_finite(&self) -> usize {
        self.not_finite.len()
    }
}

/// Of a curve: of its steps, and of what was measured once an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OddValues {
    /// Of the steps.
    pub steps: OddSteps,
    /// Of the epochs, all splits together.
    pub epochs: OddSteps,
}

/// From where to where finite values go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    low: f64,
    high: f64,
    /// The least value above 0.
    least: f64,
}

impl Default for Extent {
    fn default() -> Extent {
        Extent {
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            least: f64::INFINITY,
        }
    }
}

impl Extent {
    pub(super) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        if value > 0.0 {
            self.least = self.least.min(value);
        }
    }

    /// Both together.
    pub fn joined(self, other: Extent) -> Extent {
        Extent {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            least: self.least.min(other.least),
        }
    }

    /// The least and the greatest value, for a logarithmic axis of those above 0; `None` where there is none.
    pub fn range(self, log: bool) -> Option<[f64; 2]> {
        let low = if log { self.least } else { self.low };
        (low <= self.high).then_some([low, self.high])
    }
}
