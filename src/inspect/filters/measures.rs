//! What the weights of a filter say by themselves: its norm, the filter most like it, how rough it is, and which
//! frequencies pass it.
//!
//! Nothing here fails; what a filter does not have (one weight has no neighbours) is `None`.

use super::Filters;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Frequencies along each axis of a response, from −½ to just under ½ of a cycle a pixel.
pub const FREQUENCIES: usize = 32;
/// Two filters are called duplicates from this cosine on.
pub const ALIKE: f32 = 0.95;
/// A filter is called dead under this share of the median norm of its layer.
pub const WEAK: f32 = 0.01;
/// A filter is called noisy from this roughness to the next: white noise has 1.
pub const NOISE: [f32; 2] = [0.9, 1.1];
/// Pairs of neighbouring weights that a roughness needs: fewer of noise differ too much from 1.
const LEAST_PAIRS: usize = 24;

/// One filter in numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// The root of the sum of its squared weights (L2 norm).
    pub norm: f32,
    /// The filter most like it, from 0, and the cosine of the angle between them.
    pub nearest: Option<(usize, f32)>,
    /// Σ (a − b)² over neighbouring weights a and b, by Σ (a² + b²): 0 of an even area, 1 of white noise, 2 of a
    /// checkerboard.
    pub roughness: Option<f32>,
    /// The mean absolute value of what it gives, behind the activation that follows.
    pub activity: Option<f32>,
    /// The share of what it gives that is exactly 0.
    pub zeros: Option<f64>,
}

/// Why a filter deserves a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flag {
    /// Its weights are next to nothing: their norm, and the median of the layer.
    Faint(f32, f32),
    /// It gave 0 for every image.
    Silent,
    /// It is nearly another one: which, from 0, and the cosine.
    Duplicate(usize, f32),
    /// Its weights differ from their neighbours as noise does: its roughness.
    Noisy(f32),
}

impl Flag {
    /// One word: `dead`, `duplicate`, `noisy`.
    pub fn word(self) -> &'static str {
        match self {
            Flag::Faint(..) | Flag::Silent => "dead",
            Flag::Duplicate(..) => "duplicate",
            Flag::Noisy(_) => "noisy",
        }
    }

    /// The word with the measure and its figure; filters count from 1.
    pub fn sentence(self) -> String {
        let word = self.word();
        match self {
            Flag::Faint(norm, median) => format!(
                "{word}: its norm {norm:.2e} is under {} % of the layer's median {median:.2e}",
                100.0 * WEAK
            ),
            Flag::Silent => format!("{word}: it gives 0 everywhere for every image"),
            Flag::Duplicate(other, cosine) => format!(
                "{word}: its cosine with filter {} is {cosine:.3} ({ALIKE} or more)",
                other + 1
            ),
            Flag::Noisy(roughness) => format!(
                "{word}: neighbouring weights differ {roughness:.2} times as much as in noise ({} to {})",
                NOISE[0], NOISE[1]
            ),
        }
    }
}

impl Flag {
    /// What filters with this flag have in common: `dead, 0 everywhere for every image`.
    fn kind(self) -> String {
        let word = self.word();
        match self {
            Flag::Faint(_, median) => format!(
                "{word}, a norm under {} % of the layer's median {median:.2e}",
                100.0 * WEAK
            ),
            Flag::Silent => format!("{word}, 0 everywhere for every image"),
            Flag::Duplicate(..) => format!("{word}, a cosine of {ALIKE} or more with another"),
            Flag::Noisy(_) => format!(
                "{word}, neighbouring weights differ {} to {} times as much as in noise",
                NOISE[0], NOISE[1]
            ),
        }
    }

    /// A filter, counted from 1, with its own figure: `5 (0.92)`.
    fn of_filter(self, index: usize) -> String {
        let number = index + 1;
        match self {
            Flag::Faint(norm, _) => format!("{number} ({norm:.2e})"),
            Flag::Silent => number.to_string(),
            Flag::Duplicate(other, cosine) => {
                format!("{number} (of {}: {cosine:.3})", other + 1)
            }
            Flag::Noisy(roughness) => format!("{number} ({roughness:.2})"),
        }
    }
}

/// A line for each kind of flag, with the filters that have it in this order.
pub fn flag_lines(flags: &[Vec<Flag>], order: &[usize]) -> Vec<String> {
    let mut kinds: Vec<(String, Vec<String>)> = Vec::new();
    for &index in order {
        for flag in flags.get(index).into_iter().flatten() {
            let (kind, filter) = (flag.kind(), flag.of_filter(index));
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, filters)) => filters.push(filter),
                None => kinds.push((kind, vec![filter])),
            }
        }
    }
    let line = |(kind, filters): (String, Vec<String>)| match filters.len() {
        1 => format!("1 filter is {kind}: {}", filters.concat()),
        count => format!("{count} filters are {kind}: {}", filters.join(", ")),
    };
    kinds.into_iter().map(line).collect()
}

/// What is remarkable about filters, given all of their layer.
pub fn flags(measures: &[Measures]) -> Vec<Vec<Flag>> {
    let mut norms: Vec<f32> = measures.iter().map(|measures| measures.norm).collect();
    norms.sort_by(f32::total_cmp);
    let median = norms.get(norms.len() / 2).copied().unwrap_or(0.0);
    let of = |measures: &Measures| {
        let is_faint = measures.norm <= WEAK * median;
        let faint = is_faint.then_some(Flag::Faint(measures.norm, median));
        let silent = (measures.zeros == Some(1.0)).then_some(Flag::Silent);
        // The direction of next to nothing says nothing.
        let alike = measures
            .nearest
            .filter(|(_, cosine)| *cosine >= ALIKE && !is_faint);
        let rough = measures
            .roughness
            .filter(|roughness| (NOISE[0]..=NOISE[1]).contains(roughness) && !is_faint);
        let alike = alike.map(|(other, cosine)| Flag::Duplicate(other, cosine));
        let all = [faint, silent, alike, rough.map(Flag::Noisy)];
        all.into_iter().flatten().collect()
    };
    measures.iter().map(of).collect()
}

/// The weights of a filter, `height × width × channels`.
fn weights(filters: &Filters, index: usize) -> &[f32] {
    let size = filters.size();
    let weights = filters.values.get(index * size..(index + 1) * size);
    weights.unwrap_or_default()
}

/// Norm and roughness of every filter. Filters without places (of a vector) have no roughness.
pub(super) fn by_weights(filters: &Filters, has_places: bool) -> Vec<Measures> {
    let one = |index: usize| {
        let weights = weights(filters, index);
        Measures {
            norm: norm(weights),
            roughness: has_places.then(|| roughness(filters, weights)).flatten(),
            ..Measures::default()
        }
    };
    (0..filters.count).map(one).collect()
}

fn norm(weights: &[f32]) -> f32 {
    let squares = weights.iter().map(|weight| f64::from(*weight).powi(2));
    squares.sum::<f64>().sqrt() as f32
}

fn roughness(filters: &Filters, weights: &[f32]) -> Option<f32> {
    let (channels, width) = (filters.channels, filters.width);
    let (mut pairs, mut apart, mut sizes) = (0, 0.0, 0.0);
    let mut add = |a: usize, b: usize| {
        let [a, b] = [a, b].map(|at| f64::from(weights.get(at).copied().unwrap_or(0.0)));
        apart += (a - b).powi(2);
        sizes += a * a + b * b;
        pairs += 1;
    };
    // Of a volume the last row of a slice is no neighbour of the next slice's first.
    let height = filters.height / filters.depth();
    for at in 0..weights.len() {
        let pixel = at / channels.max(1);
        if pixel % width.max(1) + 1 < width {
            add(at, at + channels);
        }
        if pixel / width.max(1) % height.max(1) + 1 < height {
            add(at, at + width * channels);
        }
    }
    (pairs >= LEAST_PAIRS && sizes > 0.0).then_some((apart / sizes) as f32)
}

/// The cosine of every pair of filters, `count × count`; 0 with a filter of zeros.
pub(super) fn cosines(filters: &Filters, measures: &[Measures]) -> Vec<f32> {
    let count = filters.count;
    let rows: Vec<Vec<f32>> = (0..count)
        .into_par_iter()
        .map(|a| {
            (0..count)
                .map(|b| cosine(filters, measures, [a, b]))
                .collect()
        })
        .collect();
    rows.concat()
}

fn cosine(filters: &Filters, measures: &[Measures], [a, b]: [usize; 2]) -> f32 {
    let product = weights(filters, a).iter().zip(weights(filters, b));
    let product: f32 = product.map(|(x, y)| x * y).sum();
    let norms = measures[a].norm * measures[b].norm;
    if norms > 0.0 { product / norms } else { 0.0 }
}

/// Of every filter the one most like it.
pub(super) fn set_nearest(measures: &mut [Measures], cosines: &[f32]) {
    let count = measures.len();
    for (index, (measures, row)) in measures
        .iter_mut()
        .zip(cosines.chunks_exact(count.max(1)))
        .enumerate()
    {
        let others = row.iter().copied().enumerate();
        measures.nearest = others
            .filter(|(other, _)| *other != index)
            .max_by(|a, b| a.1.total_cmp(&b.1));
    }
}

/// Filters one after another so that each stands behind the one it is most like: from the largest norm on, always the
/// nearest of those that are left.
pub(super) fn chain(measures: &[Measures], cosines: &[f32]) -> Vec<u32> {
    let count = measures.len();
    let mut left: Vec<usize> = (0..count).collect();
    let by_norm = |a: &usize, b: &usize| measures[*a].norm.total_cmp(&measures[*b].norm);
    let mut last = left.iter().copied().max_by(by_norm);
    let mut order = Vec::with_capacity(count);
    while let Some(now) = last {
        order.push(now as u32);
        left.retain(|other| *other != now);
        let row = cosines.get(now * count..(now + 1) * count);
        let like = |other: &usize| row.and_then(|row| row.get(*other)).copied().unwrap_or(0.0);
        last = left
            .iter()
            .copied()
            .max_by(|a, b| like(a).total_cmp(&like(b)).then(b.cmp(a)));
    }
    order
}

/// How strongly a filter answers to each frequency: height and width, and for every filter the absolute value of its
/// Fourier transform, the root of the sum of squares over its channels. Frequency 0 is in the middle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Responses {
    /// Height and width of each.
    pub size: [usize; 2],
    /// `count × height × width` values.
    pub values: Vec<f32>,
}

impl Responses {
    /// The response of a filter.
    pub fn of(&self, index: usize) -> &[f32] {
        let size = self.size[0] * self.size[1];
        let values = self.values.get(index * size..(index + 1) * size);
        values.unwrap_or_default()
    }

    pub(super) fn new(filters: &Filters) -> Responses {
        let rows = if filters.height > 1 { FREQUENCIES } else { 1 };
        let size = [rows, FREQUENCIES];
        let each: Vec<Vec<f32>> = (0..filters.count)
            .into_par_iter()
            .map(|index| response(filters, weights(filters, index), size))
            .collect();
        Responses {
            size,
            values: each.concat(),
        }
    }
}

/// cos and sin of 2π·k·place/32 for the frequencies k of an axis, the lowest negative one first.
fn waves(count: usize, length: usize) -> Vec<[f64; 2]> {
    let angle = |at: usize| {
        let frequency = (at / length.max(1)) as f64 - (count / 2) as f64;
        TAU * frequency / count as f64 * (at % length.max(1)) as f64
    };
    (0..count * length)
        .map(|at| [angle(at).cos(), -angle(at).sin()])
        .collect()
}

fn response(filters: &Filters, weights: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let (height, width, channels) = (filters.height, filters.width, filters.channels);
    let (down, across) = (waves(rows, height), waves(columns, width));
    let mut power = vec![0.0; rows * columns];
    for channel in 0..channels {
        let weight = |y: usize, x: usize| f64::from(weights[(y * width + x) * channels + channel]);
        // Along the rows first: of every row and frequency one number.
        let along: Vec<[f64; 2]> = (0..height * columns)
            .map(|at| {
                let (y, wave) = (at / columns, at % columns);
                let terms =
                    (0..width).map(|x| across[wave * width + x].map(|wave| wave * weight(y, x)));
                terms.fold([0.0; 2], |sum, term| [sum[0] + term[0], sum[1] + term[1]])
            })
            .collect();
        for (at, power) in power.iter_mut().enumerate() {
            let (wave, column) = (at / columns, at % columns);
            let terms = (0..height).map(|y| {
                let ([a, b], [c, d]) = (down[wave * height + y], along[y * columns + column]);
                [a * c - b * d, a * d + b * c]
            });
            let [real, imaginary] =
                terms.fold([0.0; 2], |sum, term| [sum[0] + term[0], sum[1] + term[1]]);
            *power += real * real + imaginary * imaginary;
        }
    }
    power
        .into_iter()
        .map(|power: f64| power.sqrt() as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        /// Filters, channels, height and width.
        sizes: [usize; 4],
        weights: Vec<f32>,
        norm: Vec<f32>,
        cosine: Vec<f32>,
        roughness: Vec<f32>,
        response: Vec<f32>,
    }

    fn filters(case: &Case) -> Filters {
        let [count, channels, height, width] = case.sizes;
        Filters {
            count,
            channels,
            height,
            width,
            values: super::super::channels_last(&case.weights, channels, height * width),
            ..Filters::default()
        }
    }

    fn near(found: &[f32], wanted: &[f32], what: &str) {
        assert_eq!(found.len(), wanted.len(), "{what}");
        for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let off = (found - wanted).abs();
            assert!(
                off < 1e-5 * wanted.abs().max(1.0),
                "{what} {index}: {found} {wanted}"
            );
        }
    }

    /// The numbers are those of NumPy and PyTorch: see `filters.py`.
    #[test]
    fn measures_are_those_of_numpy() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/filters.json"
        );
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in &cases {
            let filters = filters(case);
            let measures = by_weights(&filters, true);
            let norms: Vec<f32> = measures.iter().map(|measures| measures.norm).collect();
            near(&norms, &case.norm, "norm");
            let rough: Vec<f32> = measures.iter().filter_map(|m| m.roughness).collect();
            near(&rough, &case.roughness, "roughness");
            near(&cosines(&filters, &measures), &case.cosine, "cosine");
            near(&Responses::new(&filters).values, &case.response, "response");
        }
        assert!(
            cases.iter().any(|case| case.sizes[1] == 3),
            "one is in colour"
        );
    }

    #[test]
    fn dead_duplicate_and_noisy_filters_are_flagged_and_others_not() {
        // An edge, the same a little stronger, noise, and next to nothing; 5×5 grey.
        let edge: Vec<f32> = (0..25).map(|at| (at % 5) as f32 - 2.0).collect();
        let twice: Vec<f32> = edge.iter().map(|weight| 1.5 * weight).collect();
        let mut state = 7u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32 - 0.5
        };
        // A checkerboard of noise's size is no noise; of two fields of noise, shifted, one has a roughness near 1.
        let noise: Vec<f32> = (0..400).map(|_| noise()).collect();
        let bank = |rows: Vec<Vec<f32>>, side: usize| Filters {
            count: rows.len(),
            channels: 1,
            height: side,
            width: side,
            values: rows.concat(),
            ..Filters::default()
        };
        let filters = bank(
            vec![edge.clone(), twice, edge.iter().map(|w| 1e-4 * w).collect()],
            5,
        );
        let mut measures = by_weights(&filters, true);
        let cosines = cosines(&filters, &measures);
        set_nearest(&mut measures, &cosines);
        let words: Vec<Vec<&str>> = flags(&measures)
            .iter()
            .map(|flags| flags.iter().map(|flag| flag.word()).collect())
            .collect();
        assert_eq!(words, [vec!["duplicate"], vec!["duplicate"], vec!["dead"]]);
        assert_eq!(
            chain(&measures, &cosines)[0],
            1,
            "the strongest comes first"
        );
        let checks: Vec<f32> = (0..400)
            .map(|at| if (at / 20 + at) % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let measures = by_weights(&bank(vec![noise, checks], 20), true);
        let flags = flags(&measures);
        assert_eq!(flags[0].first().map(|flag| flag.word()), Some("noisy"));
        assert_eq!(flags[1], [], "{:?}", measures[1].roughness);
        measures_say_their_figure(flags[0][0]);
    }

    #[test]
    fn filters_with_one_flag_stand_in_one_line() {
        let flags = [
            vec![Flag::Silent, Flag::Noisy(0.92)],
            vec![],
            vec![Flag::Silent],
            vec![Flag::Duplicate(1, 0.97)],
        ];
        let lines = flag_lines(&flags, &[3, 2, 1, 0]);
        assert_eq!(
            lines,
            [
                "1 filter is duplicate, a cosine of 0.95 or more with another: 4 (of 2: 0.970)",
                "2 filters are dead, 0 everywhere for every image: 3, 1",
                "1 filter is noisy, neighbouring weights differ 0.9 to 1.1 times as much as in noise: 1 (0.92)",
            ]
        );
    }

    fn measures_say_their_figure(flag: Flag) {
        let Flag::Noisy(roughness) = flag else {
            panic!("{flag:?}")
        };
        assert!(
            flag.sentence().contains(&format!("{roughness:.2}")),
            "{}",
            flag.sentence()
        );
    }
}
