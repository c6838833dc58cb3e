//! Valid sizes: for which inputs a network works, and the rule behind them in words.
//!
//! Every size from 1 to [`MOST`] is passed through the stack by inference's own rules; [`Rule`] is then the
//! shortest description that says exactly this and nothing else. Pure and total; a network of thirty layers takes a
//! few milliseconds, one of thousands can take a second, so the window asks on a thread.

mod rule;

pub use rule::Rule;

use strata_core::project::Network;
use strata_core::project::size::Shape;
use strata_core::shape::propagate::works;

/// The largest size that is tried.
pub const MOST: usize = 512;

/// For which sizes of some axes a network works, the other axes as they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Strip {
    /// The axes that vary together, counted from 0 after the channels.
    pub axes: Vec<usize>,
    /// What these sizes are called: `side`, `length`, `height`.
    pub name: &'static str,
    /// What the other axes were set to, where nothing works with them as they are.
    pub given: Option<usize>,
    /// The input's size along these axes.
    pub present: usize,
    /// Whether it works with that size, be it in the strip or beyond.
    pub is_fine: bool,
    /// The nearest sizes below and above the present one for which it works, as far as the strip is long.
    pub nearest: (Option<usize>, Option<usize>),
    /// Whether it works, for each size from 1.
    pub works: Vec<bool>,
    /// The rule that says the same.
    pub rule: Rule,
}

impl Strip {
    /// Whether it works with this size; false outside the strip.
    pub fn works_at(&self, size: usize) -> bool {
        size.checked_sub(1)
            .and_then(|at| self.works.get(at))
            .copied()
            .unwrap_or(false)
    }

    /// The sizes for which it works.
    pub fn sizes(&self) -> Vec<usize> {
        (1..=self.works.len())
            .filter(|&size| self.works_at(size))
            .collect()
    }

    /// The nearest sizes below and above another for which it works, in the strip.
    pub fn nearest_to(&self, size: usize) -> (Option<usize>, Option<usize>) {
        let below = (1..size.min(self.works.len() + 1))
            .rev()
            .find(|&size| self.works_at(size));
        let above = (size.saturating_add(1)..=self.works.len()).find(|&size| self.works_at(size));
        (below, above)
    }

    /// `use 32 or 48`, where the present size does not work and others do.
    pub fn suggestion(&self) -> Option<String> {
        if self.is_fine {
            return None;
        }
        match self.nearest {
            (Some(below), Some(above)) => Some(format!("use {below} or {above}")),
            (Some(one), None) | (None, Some(one)) => Some(format!("use {one}")),
            (None, None) => None,
        }
    }

    /// The input's shape with this size.
    pub fn shape(&self, input: &Shape, size: usize) -> Option<Shape> {
        with_size(input, &self.axes, size)
    }
}

fn with_size(input: &Shape, axes: &[usize], size: usize) -> Option<Shape> {
    let mut dims = input.dims().to_vec();
    for &axis in axes {
        *dims.get_mut(axis + 1)? = size;
    }
    Shape::new(&dims)
}

/// The strips of a network: one for all axes together where they are equal, else one for each. Where one axis is
/// wrong, the strips of the others suppose that it will be mended. A network of vectors has none.
pub fn strips(network: &Network) -> Vec<Strip> {
    let sizes = network.input.spatial();
    let Some(first) = sizes.first() else {
        return Vec::new();
    };
    let rank = sizes.len();
    if sizes.iter().all(|size| size == first) {
        return vec![strip(
            network,
            (0..rank).collect(),
            name(rank, None),
            *first,
        )];
    }
    let each = |axis: usize| strip(network, vec![axis], name(rank, Some(axis)), sizes[axis]);
    let mut strips: Vec<Strip> = (0..rank).map(each).collect();
    if strips.iter().any(|strip| strip.rule.is_nothing()) {
        mend(network, &mut strips);
    }
    strips
}

fn strip(network: &Network, axes: Vec<usize>, name: &'static str, present: usize) -> Strip {
    let works_at = |size: usize| {
        with_size(&network.input, &axes, size).is_some_and(|input| works(network, &input))
    };
    let works: Vec<bool> = (1..=MOST).map(works_at).collect();
    let rule = Rule::of(&works);
    let mut strip = Strip {
        axes: Vec::new(),
        name,
        given: None,
        present,
        is_fine: false,
        nearest: (None, None),
        works,
        rule,
    };
    if present <= MOST {
        (strip.is_fine, strip.nearest) = (strip.works_at(present), strip.nearest_to(present));
    } else {
        strip.is_fine = works_at(present);
        strip.nearest.0 = (1..=MOST)
            .map(|by| present - by)
            .find(|&size| works_at(size));
        strip.nearest.1 = (1..=MOST)
            .map(|by| present.saturating_add(by))
            .find(|&size| works_at(size));
    }
    Strip { axes, ..strip }
}

/// Tries the axes without a size once more, with the others at a size that works for all axes together.
fn mend(network: &Network, strips: &mut [Strip]) {
    let all = (0..strips.len()).collect();
    let together = strip(
        network,
        all,
        "side",
        strips.iter().map(|strip| strip.present).max().unwrap_or(1),
    );
    let size = if together.is_fine {
        Some(together.present)
    } else {
        together.nearest.0
    };
    let Some(size) = size.or(together.nearest.1) else {
        return;
    };
    for own in strips.iter_mut().filter(|strip| strip.rule.is_nothing()) {
        let others: Vec<usize> = (0..network.input.rank())
            .filter(|axis| !own.axes.contains(axis))
            .collect();
        let Some(input) = with_size(&network.input, &others, size) else {
            continue;
        };
        let supposed = Network {
            input,
            ..network.clone()
        };
        *own = Strip {
            given: Some(size),
            ..strip(&supposed, own.axes.clone(), own.name, own.present)
        };
    }
}

fn name(rank: usize, axis: Option<usize>) -> &'static str {
    match (rank, axis) {
        (1, _) => "length",
        (_, None) => "side",
        (2, Some(0)) | (3, Some(1)) => "height",
        (3, Some(0)) => "depth",
        _ => "width",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::shape::infer;
    use strata_testkit::networks;

    fn network(input: &str, encoder: &[&str], decoder: &[&str]) -> Network {
        networks::network(input, encoder, decoder, &[])
    }

    fn rule(input: &str, encoder: &[&str], decoder: &[&str]) -> String {
        strips(&network(input, encoder, decoder))
            .iter()
            .map(|strip| strip.rule.to_string())
            .collect::<Vec<_>>()
            .join(" | ")
    }

    #[test]
    fn rules_in_words() {
        let down = ["conv 8 k3 s2 p1"; 4];
        assert_eq!(
            rule(
                "3x32x32",
                &down,
                &[
                    "convt 8 k4 s2 p1",
                    "convt 8 k4 s2 p1",
                    "convt 8 k4 s2 p1",
                    "convt 3 k4 s2 p1"
                ]
            ),
            "multiples of 16"
        );
        assert_eq!(
            rule("3x32x32", &down[..1], &["convt 3 k3 s2 p1"]),
            "odd sizes"
        );
        assert_eq!(
            rule("3x32x32", &["conv 8 k3"], &["convt 3 k3"]),
            "every size from 3"
        );
        assert_eq!(
            rule(
                "3x32x32",
                &["conv 8 k5", "maxpool 2"],
                &["upsample 2", "convt 3 k5"]
            ),
            "even sizes from 6"
        );
        assert_eq!(
            rule(
                "1x28x28",
                &["flatten", "dense 32"],
                &["dense 784", "reshape 1x28x28"]
            ),
            "only 28"
        );
        assert_eq!(rule("3x32x32", &["conv 3 k3 s2 p1"], &["relu"]), "only 1");
        assert_eq!(
            rule("3x32x32", &["conv 8 k3"], &["conv 3 k3"]),
            "no size up to 512"
        );
        assert_eq!(
            rule(
                "3x32x32",
                &["conv 8 k4 s4"],
                &["convt 3 k4 s4", "pad 0+3", "crop 0+1", "crop 0+1"]
            ),
            "sizes 4·n + 1 from 5"
        );
        assert_eq!(
            rule("3x48x64", &down[..1], &["convt 3 k4x3 s2 p1"]),
            "no size up to 512 | odd sizes"
        );
        assert_eq!(
            rule("3x48x47", &["maxpool 16"], &["upsample 16"]),
            "multiples of 16 | multiples of 16"
        );
        assert_eq!(
            rule("3x48x63", &down[..1], &["convt 3 k4x3 s2 p1"]),
            "even sizes | odd sizes"
        );
        assert_eq!(rule("100", &["dense 3"], &["dense 100"]), "");
        assert_eq!(
            rule("2x100", &["maxpool 3"], &["upsample 3", "conv 2 k1"]),
            "multiples of 3"
        );
        assert_eq!(
            rule("3x32x32", &["maxpool 2", "maxpool 2"], &[]),
            "every size from 4"
        );
    }

    #[test]
    fn nearest_sizes_are_suggested() {
        let network = network(
            "3x40x40",
            &["conv 8 k3 s2 p1"; 4],
            &["upsample 16", "conv 3 k1"],
        );
        let strip = &strips(&network)[0];
        assert_eq!(
            (strip.nearest, strip.suggestion()),
            ((Some(32), Some(48)), Some("use 32 or 48".into()))
        );
        assert_eq!(
            strip.shape(&network.input, 48).unwrap().to_string(),
            "3×48×48"
        );
        let long = self::network(
            "1x16000",
            &["conv 4 k25 s4"; 2],
            &["convt 4 k25 s4", "convt 1 k25 s4"],
        );
        let strip = &strips(&long)[0];
        assert_eq!(
            (strip.is_fine, strip.suggestion()),
            (false, Some("use 15993 or 16009".into()))
        );
        let fine = Network {
            input: "1x16009".parse().unwrap(),
            ..long
        };
        assert!(strips(&fine)[0].is_fine && strips(&fine)[0].suggestion().is_none());
    }

    /// What inference says of every size.
    fn inferred(network: &Network, strip: &Strip) -> Vec<bool> {
        let verdict = |size: usize| {
            let input = strip.shape(&network.input, size).unwrap();
            let inference = infer(&Network {
                input,
                ..network.clone()
            });
            match network.decoder.is_empty() {
                true => inference.errors().next().is_none(),
                false => inference.output_equals_input == Some(true),
            }
        };
        (1..=MOST).map(verdict).collect()
    }

    #[test]
    fn strips_are_what_inference_says_of_every_size() {
        for entry in builtin::ALL {
            let network = entry.project().unwrap().network;
            for strip in strips(&network) {
                assert_eq!(strip.given, None, "{}", entry.name);
                assert_eq!(strip.works, inferred(&network, &strip), "{}", entry.name);
                (1..=MOST).for_each(|size| {
                    assert_eq!(
                        strip.rule.accepts(size),
                        strip.works_at(size),
                        "{}",
                        entry.name
                    )
                });
            }
        }
    }

    /// 512 sizes through 30 layers, as the window asks for at every edit.
    #[test]
    #[ignore = "a measurement"]
    fn a_strip_takes_under_50_ms() {
        let encoder = ["conv 16 k3 p1", "bn", "relu", "conv 16 k3 s2 p1", "relu"].repeat(3);
        let decoder = ["convt 16 k4 s2 p1", "bn", "relu", "conv 16 k3 p1", "relu"].repeat(3);
        let network = network("16x64x64", &encoder, &decoder);
        let start = std::time::Instant::now();
        let rule = strips(&network)[0].rule.to_string();
        let took = start.elapsed();
        println!("{took:?}: {rule}");
        assert_eq!(rule, "multiples of 8");
        assert!(took < std::time::Duration::from_millis(50), "{took:?}");
    }
}
