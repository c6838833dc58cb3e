//! Platt's sigmoid (1999): from the score of a class to its probability, fitted by Newton's method as Lin, Lin and Weng
//! wrote it down (2007).

/// `p = 1 / (1 + exp(slope · score + offset))`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sigmoid {
    slope: f64,
    offset: f64,
}

/// Iterations at most.
const MOST_ITERATIONS: usize = 100;
/// The least bend of the loss, which keeps Newton's steps bounded.
const RIDGE: f64 = 1e-12;

impl Sigmoid {
    /// The sigmoid under which what was right is most likely. Shares are drawn in by one image on both sides, so that
    /// no probability is 0 or 1.
    pub fn fit(scores: &[f64], is_right: &[bool]) -> Sigmoid {
        let right = is_right.iter().filter(|right| **right).count() as f64;
        let wrong = scores.len() as f64 - right;
        let targets = [1.0 / (wrong + 2.0), (right + 1.0) / (right + 2.0)];
        let target = |at: usize| targets[usize::from(is_right[at])];
        let mut fitted = Sigmoid {
            slope: 0.0,
            offset: ((wrong + 1.0) / (right + 1.0)).ln(),
        };
        let loss = |sigmoid: Sigmoid| -> f64 {
            let terms = scores.iter().enumerate().map(|(at, score)| {
                let power = sigmoid.slope * score + sigmoid.offset;
                // ln(1 + exp(-|power|)) cannot overflow.
                let log = (-power.abs()).exp().ln_1p();
                let share = if power >= 0.0 {
                    target(at)
                } else {
                    target(at) - 1.0
                };
                share * power + log
            });
            terms.sum()
        };
        let mut value = loss(fitted);
        for _ in 0..MOST_ITERATIONS {
            let (mut slope, mut offset) = (0.0, 0.0);
            let (mut bend, mut cross, mut rest) = (RIDGE, 0.0, RIDGE);
            for (at, score) in scores.iter().enumerate() {
                let share = fitted.probability(*score);
                let error = target(at) - share;
                let weight = share * (1.0 - share);
                slope += score * error;
                offset += error;
                bend += score * score * weight;
                cross += score * weight;
                rest += weight;
            }
            if slope.abs() < 1e-5 && offset.abs() < 1e-5 {
                break;
            }
            let volume = bend * rest - cross * cross;
            let by_slope = -(rest * slope - cross * offset) / volume;
            let by_offset = -(bend * offset - cross * slope) / volume;
            let promised = slope * by_slope + offset * by_offset;
            let mut length = 1.0;
            let step = loop {
                let tried = Sigmoid {
                    slope: fitted.slope + length * by_slope,
                    offset: fitted.offset + length * by_offset,
                };
                let reached = loss(tried);
                if reached < value + 1e-4 * length * promised {
                    break Some((tried, reached));
                }
                length *= 0.5;
                if length < 1e-10 {
                    break None;
                }
            };
            let Some(step) = step else { break };
            (fitted, value) = step;
        }
        fitted
    }

    /// The probability of a class with this score.
    pub fn probability(self, score: f64) -> f64 {
        let power = self.slope * score + self.offset;
        if power >= 0.0 {
            (-power).exp() / (1.0 + (-power).exp())
        } else {
            1.0 / (1.0 + power.exp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures are those of `sklearn.calibration._sigmoid_calibration`.
    #[test]
    fn the_sigmoid_is_that_of_scikit_learn() {
        let scores = [-2.0, -1.0, -0.5, 0.2, 0.4, 1.5, 2.5, 3.0];
        let right = [false, false, true, false, true, true, true, true];
        let fitted = Sigmoid::fit(&scores, &right);
        assert!((fitted.slope - SLOPE).abs() < 1e-3, "{fitted:?}");
        assert!((fitted.offset - OFFSET).abs() < 1e-3, "{fitted:?}");
    }

    const SLOPE: f64 = -0.690973;
    const OFFSET: f64 = -0.234759;
}
