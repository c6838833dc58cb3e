//! Values as the numbers of bins: at most 255 of each feature, a bin for each value where there are no more values.

use rayon::prelude::*;
use strata_inspect::neighbours::Rows;

/// Bins of a feature at most.
pub(super) const MOST_BINS: usize = 255;

/// The bins of one feature.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FeatureBins {
    /// Between every two bins: values that are not above it belong to the lower one.
    pub edges: Vec<f32>,
    /// The least and the greatest value that each bin holds.
    pub spans: Vec<[f32; 2]>,
}

/// Rows as numbers of bins.
pub(super) struct Binned {
    /// How many rows.
    pub rows: usize,
    /// The bins of each feature.
    pub features: Vec<FeatureBins>,
    /// The bin of each value, feature by feature.
    codes: Vec<u8>,
}

impl Binned {
    /// Bins the values as scikit-learn's `HistGradientBoostingClassifier` does.
    pub fn of(rows: Rows<'_>) -> Binned {
        let count = rows.len();
        let columns: Vec<(FeatureBins, Vec<u8>)> = (0..rows.width())
            .into_par_iter()
            .map(|feature| {
                let column: Vec<f32> = (0..count).map(|row| rows.row(row)[feature]).collect();
                bin(&column)
            })
            .collect();
        let mut binned = Binned {
            rows: count,
            features: Vec::with_capacity(rows.width()),
            codes: Vec::with_capacity(rows.width() * count),
        };
        for (bins, codes) in columns {
            binned.features.push(bins);
            binned.codes.extend(codes);
        }
        binned
    }

    /// The bins of a feature's values.
    pub fn codes(&self, feature: usize) -> &[u8] {
        &self.codes[feature * self.rows..][..self.rows]
    }
}

fn bin(column: &[f32]) -> (FeatureBins, Vec<u8>) {
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let edges = edges(&sorted);
    let mut spans = vec![[f32::INFINITY, f32::NEG_INFINITY]; edges.len() + 1];
    let mut code = |value: &f32| {
        let bin = edges.partition_point(|edge| edge < value);
        let [least, greatest] = &mut spans[bin];
        *least = least.min(*value);
        *greatest = greatest.max(*value);
        bin as u8
    };
    let codes = column.iter().map(&mut code).collect();
    (FeatureBins { edges, spans }, codes)
}

/// The edges for values that are sorted: between all of them, or at as many quantiles.
fn edges(sorted: &[f32]) -> Vec<f32> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() <= MOST_BINS {
        let pairs = distinct.windows(2);
        return pairs.map(|pair| between(pair[0], pair[1])).collect();
    }
    // NumPy's `averaged_inverted_cdf`: a value of the column, or halfway between two where as many lie on both sides.
    let quantile = |bin: usize| {
        let at = sorted.len() * bin / MOST_BINS;
        match (sorted.len() * bin).is_multiple_of(MOST_BINS) {
            true => between(sorted[at - 1], sorted[at]),
            false => sorted[at],
        }
    };
    let mut edges: Vec<f32> = (1..MOST_BINS).map(quantile).collect();
    edges.dedup();
    edges
}

/// Halfway between two values, but below the greater one.
pub(super) fn between(low: f32, high: f32) -> f32 {
    let middle = (0.5 * (f64::from(low) + f64::from(high))) as f32;
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each_and_many_are_shared_out() {
        let values = [3.0, 1.0, 1.0, 2.0];
        let binned = Binned::of(Rows::new(&values, 1));
        assert_eq!(binned.codes(0), [2, 0, 0, 1]);
        assert_eq!(binned.features[0].edges, [1.5, 2.5]);
        let many: Vec<f32> = (0..2550).map(|value| value as f32).collect();
        let binned = Binned::of(Rows::new(&many, 1));
        let mut counts = vec![0; MOST_BINS];
        for code in binned.codes(0) {
            counts[*code as usize] += 1;
        }
        assert_eq!(counts, vec![10; MOST_BINS]);
        assert_eq!(binned.features[0].spans[1], [10.0, 19.0]);
        let next = 1.0f32.next_up();
        assert_eq!(
            between(1.0, next),
            1.0,
            "values side by side are still told apart"
        );
    }
}
