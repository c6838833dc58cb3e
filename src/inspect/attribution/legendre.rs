//! Gauss-Legendre quadrature on 0 to 1.

use std::f64::consts::PI;

/// `count` nodes between 0 and 1 with their weights, which sum to 1.
pub(super) fn nodes(count: usize) -> Vec<(f64, f64)> {
    let node = |index: usize| {
        let mut x = (PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope = 1.0;
        // Newton's steps double the digits that are right; the first guess has three.
        for _ in 0..8 {
            let (value, derivative) = polynomial(count, x);
            x -= value / derivative;
            slope = derivative;
        }
        let weight = 1.0 / ((1.0 - x * x) * slope * slope);
        (0.5 * (1.0 - x), weight)
    };
    (0..count).map(node).collect()
}

/// The Legendre polynomial of a degree, and its derivative.
fn polynomial(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for n in 1..=degree {
        let n = n as f64;
        let next = ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n;
        (before, value) = (value, next);
    }
    let derivative = degree as f64 * (x * value - before) / (x * x - 1.0);
    (value, derivative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [2, 5, 50] {
            let nodes = nodes(count);
            for power in 0..(2 * count).min(12) as i32 {
                let sum: f64 = nodes.iter().map(|(x, weight)| weight * x.powi(power)).sum();
                assert!(
                    (sum - 1.0 / f64::from(power + 1)).abs() < 1e-13,
                    "{count} {power}"
                );
            }
        }
    }
}
