//! Fractions, exact as long as their parts fit 128 bits; `None` beyond.

use std::fmt;

/// A fraction in lowest terms, with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    over: i128,
    under: i128,
}

impl Ratio {
    /// A whole number.
    pub fn whole(number: i64) -> Ratio {
        Ratio {
            over: number.into(),
            under: 1,
        }
    }

    /// `over / under`; `None` when `under` is 0.
    pub(super) fn new(over: i128, under: i128) -> Option<Ratio> {
        let common = gcd(over.unsigned_abs(), under.unsigned_abs());
        let common = i128::try_from(common)
            .ok()
            .filter(|&common| common > 0 && under != 0)?;
        let (over, under) = (over / common, under / common);
        Some(if under < 0 {
            Ratio {
                over: -over,
                under: -under,
            }
        } else {
            Ratio { over, under }
        })
    }

    pub(super) fn times(self, other: Ratio) -> Option<Ratio> {
        Ratio::new(
            self.over.checked_mul(other.over)?,
            self.under.checked_mul(other.under)?,
        )
    }

    pub(super) fn plus(self, other: Ratio) -> Option<Ratio> {
        let (left, right) = (
            self.over.checked_mul(other.under)?,
            other.over.checked_mul(self.under)?,
        );
        Ratio::new(
            left.checked_add(right)?,
            self.under.checked_mul(other.under)?,
        )
    }

    /// The nearest number, for drawing and for JSON.
    pub fn value(self) -> f64 {
        self.over as f64 / self.under as f64
    }

    /// The smaller of two.
    pub(super) fn min(self, other: Ratio) -> Ratio {
        if other.value() < self.value() {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Ratio {
    /// `4`, `1/2`, `−3/2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.over < 0 { "−" } else { "" };
        write!(f, "{sign}{}", self.over.unsigned_abs())?;
        if self.under == 1 {
            Ok(())
        } else {
            write!(f, "/{}", self.under)
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_in_lowest_terms() {
        let half = Ratio::new(-2, -4).unwrap();
        assert_eq!(half.to_string(), "1/2");
        assert_eq!(half.plus(Ratio::whole(-2)).unwrap().to_string(), "−3/2");
        assert_eq!(half.times(Ratio::whole(4)).unwrap(), Ratio::whole(2));
        assert_eq!(Ratio::new(1, 0), None);
        let huge = Ratio::new(i128::MAX, 1).unwrap();
        assert_eq!(huge.times(huge), None);
    }
}
