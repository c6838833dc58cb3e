//! The rule behind a strip of sizes: a period, the remainders that work, where they start; found by trying, and
//! equal to the strip by construction.

use std::fmt;

/// Which sizes work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Sizes that work by themselves, below the others.
    pub single: Vec<usize>,
    /// All others; `None` where there are none.
    pub regular: Option<Regular>,
    /// The largest size that was tried.
    pub tried: usize,
}

/// Sizes that come again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regular {
    /// The distance after which they come again.
    pub period: usize,
    /// The remainders of division by the period that work, in order.
    pub remainders: Vec<usize>,
    /// The first of them.
    pub from: usize,
    /// The last of them, where they end before the largest size that was tried.
    pub to: Option<usize>,
}

/// Sizes below a regular part that are worth listing one by one.
const MOST_SINGLE: usize = 3;
/// How often a period has to come again to count as one.
const LEAST_TURNS: usize = 3;

impl Rule {
    /// The rule of a strip: whether it works for each size from 1.
    pub fn of(works: &[bool]) -> Rule {
        let sizes: Vec<usize> = (1..=works.len()).filter(|&size| works[size - 1]).collect();
        let regular = (0..=MOST_SINGLE.min(sizes.len())).find_map(|single| {
            let found = Regular::of(works, *sizes.get(single)?)?;
            Some((sizes[..single].to_vec(), found))
        });
        let tried = works.len();
        match regular {
            Some((single, regular)) => Rule {
                single,
                regular: Some(regular),
                tried,
            },
            None => Rule {
                single: sizes,
                regular: None,
                tried,
            },
        }
    }

    /// Whether no size works.
    pub fn is_nothing(&self) -> bool {
        self.single.is_empty() && self.regular.is_none()
    }

    /// Whether a size works by this rule.
    #[cfg(test)]
    pub(crate) fn accepts(&self, size: usize) -> bool {
        self.single.contains(&size)
            || self
                .regular
                .as_ref()
                .is_some_and(|regular| regular.accepts(size))
    }
}

impl Regular {
    /// The shortest period that all sizes from this one on follow, up to the last that works.
    fn of(works: &[bool], from: usize) -> Option<Regular> {
        let last = works.iter().rposition(|&works| works)? + 1;
        let longest = (last + 1).saturating_sub(from) / LEAST_TURNS;
        let repeats = |period: usize, end: usize| {
            (from..=end - period).all(|n| works[n - 1] == works[n + period - 1])
        };
        let period = (1..=longest).find(|&period| {
            // Up to the end of the strip, or up to where the last one is.
            repeats(period, works.len()) || repeats(period, last)
        })?;
        let mut remainders: Vec<usize> = (from..from + period)
            .filter(|n| works[n - 1])
            .map(|n| n % period)
            .collect();
        remainders.sort_unstable();
        let to = (!repeats(period, works.len())).then_some(last);
        Some(Regular {
            period,
            remainders,
            from,
            to,
        })
    }

    #[cfg(test)]
    fn accepts(&self, size: usize) -> bool {
        let inside = size >= self.from && self.to.is_none_or(|to| size <= to);
        inside && self.remainders.contains(&(size % self.period))
    }

    /// The least size with a fitting remainder, whatever `from` says.
    fn natural_start(&self) -> usize {
        (1..=self.period)
            .find(|n| self.remainders.contains(&(n % self.period)))
            .unwrap_or(1)
    }
}

impl fmt::Display for Regular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.period, self.remainders.as_slice()) {
            (1, _) => f.write_str("every size")?,
            (2, [0]) => f.write_str("even sizes")?,
            (2, _) => f.write_str("odd sizes")?,
            (period, [0]) => write!(f, "multiples of {period}")?,
            (period, remainders) => write!(f, "sizes {}", classes(period, remainders))?,
        }
        if self.from > self.natural_start() {
            write!(f, " from {}", self.from)?;
        }
        match self.to {
            Some(to) => write!(f, " up to {to}"),
            None => Ok(()),
        }
    }
}

/// `16·n + 4`, `16·n + 4 or 6`, `16·n + 4 to 9`
fn classes(period: usize, remainders: &[usize]) -> String {
    let runs = runs(remainders);
    let run = |&(first, last): &(usize, usize)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        }
    };
    match runs.as_slice() {
        [(0, last)] => format!("{period}·n + 0 to {last}"),
        [head @ .., last] if !head.is_empty() => {
            format!(
                "{period}·n + {} or {}",
                head.iter().map(run).collect::<Vec<_>>().join(", "),
                run(last)
            )
        }
        runs => format!("{period}·n + {}", runs.iter().map(run).collect::<String>()),
    }
}

/// Neighbouring numbers together, as (first, last).
fn runs(numbers: &[usize]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

impl fmt::Display for Rule {
    /// `multiples of 16`, `odd sizes from 35`, `only 28`, `no size up to 512`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        let numbers: Vec<String> = self.single.iter().map(usize::to_string).collect();
        match (&self.regular, numbers.as_slice()) {
            (Some(regular), []) => write!(f, "{regular}"),
            (Some(regular), some) => write!(f, "{} and {regular}", some.join(", ")),
            (None, []) => write!(f, "no size up to {}", self.tried),
            (None, [one]) => write!(f, "only {one}"),
            (None, [head @ .., last]) if head.len() < SHOWN => {
                write!(f, "only {} and {last}", head.join(", "))
            }
            (None, many) => write!(
                f,
                "only {}, … ({} sizes)",
                many[..SHOWN].join(", "),
                many.len()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(works: impl Fn(usize) -> bool) -> String {
        let works: Vec<bool> = (1..=512).map(works).collect();
        let rule = Rule::of(&works);
        for size in 0..600 {
            let wanted = size > 0 && works.get(size - 1).copied().unwrap_or(rule.accepts(size));
            assert_eq!(rule.accepts(size), wanted, "{rule}: {size}");
        }
        rule.to_string()
    }

    #[test]
    fn every_strip_has_a_rule_that_says_exactly_it() {
        assert_eq!(rule(|n| n % 16 == 0), "multiples of 16");
        assert_eq!(rule(|n| n % 16 == 0 && n > 40), "multiples of 16 from 48");
        assert_eq!(rule(|n| n % 2 == 1 && n >= 35), "odd sizes from 35");
        assert_eq!(rule(|n| n >= 5), "every size from 5");
        assert_eq!(rule(|_| true), "every size");
        assert_eq!(rule(|n| n >= 20 && n % 16 == 4), "sizes 16·n + 4 from 20");
        assert_eq!(rule(|n| n % 16 == 4), "sizes 16·n + 4");
        assert_eq!(rule(|n| n % 8 == 4 || n % 8 == 6), "sizes 8·n + 4 or 6");
        assert_eq!(rule(|n| n % 8 > 4), "sizes 8·n + 5 to 7");
        assert_eq!(rule(|n| n == 28), "only 28");
        assert_eq!(rule(|n| n == 28 || n == 56), "only 28 and 56");
        assert_eq!(rule(|_| false), "no size up to 512");
        assert_eq!(rule(|n| n % 4 == 0 && n < 214), "multiples of 4 up to 212");
        assert_eq!(
            rule(|n| n == 7 || (n % 16 == 0 && n > 16)),
            "7 and multiples of 16 from 32"
        );
        assert_eq!(
            rule(|n| [3, 4, 9, 100, 101, 250, 300, 301].contains(&n)),
            "only 3, 4, 9, 100, 101, 250, … (8 sizes)"
        );
    }
}
