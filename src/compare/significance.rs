//! Whether a difference is more than chance.

use serde::Serialize;

/// Images on which two classifiers differ, up to which the test is exact.
const EXACT: u64 = 1000;

/// McNemar's test (1947): two classifiers on the same images. Under the hypothesis that they are equally good, those on
/// which only one of them is right are as often the one's as the other's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct McNemar {
    /// Images on which only the first is right.
    pub only_first: u64,
    /// Images on which only the second is right.
    pub only_second: u64,
    /// How likely so large a difference is by chance, from both sides: by the binomial distribution, of more than
    /// 1,000 images that differ by the chi-squared distribution with the correction for continuity.
    pub p: f64,
}

impl McNemar {
    /// Of two classifiers, by which images each is right on.
    pub fn of(pairs: impl Iterator<Item = (bool, bool)>) -> McNemar {
        let (mut only_first, mut only_second) = (0, 0);
        for pair in pairs {
            match pair {
                (true, false) => only_first += 1,
                (false, true) => only_second += 1,
                _ => {}
            }
        }
        let p = match only_first + only_second {
            0 => 1.0,
            all if all <= EXACT => binomial(only_first.min(only_second), all),
            all => {
                let difference = only_first.abs_diff(only_second) as f64;
                let statistic = (difference - 1.0).max(0.0).powi(2) / all as f64;
                libm::erfc((0.5 * statistic).sqrt())
            }
        };
        McNemar {
            only_first,
            only_second,
            p,
        }
    }
}

/// Twice the probability of at most `less` heads in `all` throws of a coin, 1 at most.
fn binomial(less: u64, all: u64) -> f64 {
    let factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    let term = |heads: u64| {
        let ways = factorial(all) - factorial(heads) - factorial(all - heads);
        (ways - all as f64 * std::f64::consts::LN_2).exp()
    };
    let sum: f64 = (0..=less).map(term).sum();
    (2.0 * sum).min(1.0)
}

/// Holm's correction (1979) of p-values that are looked at together, in their order.
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut corrected = vec![0.0; values.len()];
    let mut least: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        let factor = (values.len() - rank) as f64;
        least = least.max((factor * values[place]).min(1.0));
        corrected[place] = least;
    }
    corrected
}

/// Mean and standard deviation (of a sample, by n − 1); no deviation of one value.
pub fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count.max(1.0);
    if values.len() < 2 {
        return (mean, None);
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, Some((squares / (count - 1.0)).sqrt()))
}

/// The t-test of paired values (Student 1908): pairs of the same seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PairedT {
    /// How many pairs.
    pub n: usize,
    /// The mean of the differences, the first less the second.
    pub difference: f64,
    /// The statistic; `None` where all differences are equal.
    pub t: Option<f64>,
    /// How likely so large a difference is by chance, from both sides; `None` as of `t`.
    pub p: Option<f64>,
}

impl PairedT {
    /// Of two pairs or more.
    pub fn of(pairs: &[(f64, f64)]) -> Option<PairedT> {
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
        let (difference, deviation) = mean_and_deviation(&differences);
        let n = pairs.len();
        let deviation = deviation?;
        let t = (deviation > 0.0).then(|| difference / (deviation / (n as f64).sqrt()));
        Some(PairedT {
            n,
            difference,
            t,
            p: t.map(|t| student(t, (n - 1) as f64)),
        })
    }
}

/// The probability of a value beyond ±t of Student's distribution.
fn student(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)
}

/// The regularised incomplete beta function by its continued fraction (Lentz's method).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let front = (front + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for step in 0..300 {
        let m = f64::from(step / 2);
        let numerator = match step {
            0 => 1.0,
            _ if step % 2 == 0 => m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            _ => -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        };
        let kept = |value: f64| if value.abs() < 1e-30 { 1e-30 } else { value };
        d = 1.0 / kept(1.0 + numerator * d);
        c = kept(1.0 + numerator / c);
        value *= c * d;
        if (1.0 - c * d).abs() < 1e-14 {
            break;
        }
    }
    front * (value - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!(
            (found - wanted).abs() <= 1e-9 + 1e-6 * wanted,
            "{found} {wanted}"
        );
    }

    fn test(only_first: u64, only_second: u64) -> McNemar {
        let first = (0..only_first).map(|_| (true, false));
        let second = (0..only_second).map(|_| (false, true));
        let both = [(true, true), (false, false)].into_iter();
        McNemar::of(first.chain(second).chain(both))
    }

    /// `scipy.stats.binomtest(b, b + c).pvalue`, and `chi2.sf((|b − c| − 1)² / (b + c), 1)`.
    #[test]
    fn mcnemar_is_that_of_scipy() {
        near(test(5, 15).p, MCNEMAR[0]);
        near(test(40, 62).p, MCNEMAR[1]);
        near(test(600, 520).p, MCNEMAR[2]);
        assert_eq!(test(0, 0).p, 1.0);
        assert_eq!(test(7, 7).p, 1.0);
        assert_eq!((test(5, 15).only_first, test(5, 15).only_second), (5, 15));
    }

    /// `scipy.stats.ttest_rel`.
    #[test]
    fn the_paired_t_test_is_that_of_scipy() {
        let pairs = [
            (0.98, 0.97),
            (0.975, 0.974),
            (0.981, 0.969),
            (0.977, 0.975),
            (0.979, 0.972),
        ];
        let found = PairedT::of(&pairs).unwrap();
        near(found.t.unwrap(), T[0]);
        near(found.p.unwrap(), T[1]);
        let two = PairedT::of(&pairs[..2]).unwrap();
        near(two.p.unwrap(), T[2]);
        assert_eq!((found.n, two.n), (5, 2));
        assert!(PairedT::of(&pairs[..1]).is_none(), "one pair tells nothing");
        let same = PairedT::of(&[(0.5, 0.25), (0.75, 0.5)]).unwrap();
        assert_eq!((same.t, same.difference), (None, 0.25));
    }

    #[test]
    fn holm_corrects_the_least_most() {
        let found = holm(&[0.01, 0.04, 0.03]);
        for (found, wanted) in found.iter().zip([0.03, 0.06, 0.06]) {
            near(*found, wanted);
        }
        near(
            mean_and_deviation(&[1.0, 2.0, 4.0]).1.unwrap(),
            1.5275252316519468,
        );
    }

    const MCNEMAR: [f64; 3] = [
        0.04138946533203125,
        0.037066767438560584,
        0.018246554351008498,
    ];
    const T: [f64; 3] = [
        2.9647427495173084,
        0.041359322695412634,
        0.43654896513889285,
    ];
}
