//! How well each of several labels is told (multi-label): a label is said to be there where its probability is above a
//! half. Accuracy, F1 and exact match are scikit-learn's.

use crate::predictions::ClassFigures;
use candle_core::{Device, Tensor};
use strata_core::format;

/// Adds images to the figures of each label, from their scores and their rows of labels, both N×labels. Returns of how
/// many images every label is answered right.
pub fn count_labels(
    figures: &mut Vec<ClassFigures>,
    scores: &Tensor,
    rows: &Tensor,
) -> candle_core::Result<usize> {
    let (images, labels) = rows.dims2()?;
    let of = |tensor: &Tensor| -> candle_core::Result<Vec<f32>> {
        let tensor = tensor
            .to_device(&Device::Cpu)?
            .to_dtype(candle_core::DType::F32)?;
        tensor.reshape((images, labels))?.flatten_all()?.to_vec1()
    };
    let (scores, rows) = (of(scores)?, of(rows)?);
    figures.resize(labels, ClassFigures::default());
    let mut exact = 0;
    for (scores, row) in scores
        .chunks_exact(labels.max(1))
        .zip(rows.chunks_exact(labels.max(1)))
    {
        let said = scores.iter().map(|score| *score > 0.0);
        let there = row.iter().map(|cell| *cell > 0.5);
        exact += usize::from(add(figures, said.zip(there)));
    }
    Ok(exact)
}

/// Adds an image, of which each label is said to be there and is there, or not; whether all are answered right.
pub(crate) fn add(
    figures: &mut [ClassFigures],
    labels: impl Iterator<Item = (bool, bool)>,
) -> bool {
    let mut is_exact = true;
    for (figures, (said, there)) in figures.iter_mut().zip(labels) {
        figures.images += u64::from(there);
        figures.taken += u64::from(said);
        figures.right += u64::from(said && there);
        is_exact &= said == there;
    }
    is_exact
}

/// The share of right answers about all labels of so many images; `None` where there are none.
pub fn label_accuracy(figures: &[ClassFigures], images: u64) -> Option<f64> {
    let wrong = |label: &ClassFigures| label.images + label.taken - 2 * label.right;
    let wrong: u64 = figures.iter().map(wrong).sum();
    let all = images * figures.len() as u64;
    (all > 0).then(|| 1.0 - wrong as f64 / all as f64)
}

/// F1, the mean over the labels; that of a label which no image has and none is said to have counts as 0.
pub fn macro_f1(figures: &[ClassFigures]) -> Option<f64> {
    let sum: f64 = figures.iter().map(|label| label.f1().unwrap_or(0.0)).sum();
    (!figures.is_empty()).then(|| sum / figures.len() as f64)
}

/// The columns of a table of labels, for [`cells`].
pub const COLUMNS: [&str; 6] = ["label", "images", "answered", "precision", "recall", "F1"];

/// A label's row of a table: its name, images that have it, images that it is answered for, precision, recall, F1.
pub fn cells(name: &str, label: &ClassFigures) -> [String; 6] {
    let share = |share: Option<f64>| {
        share.map_or_else(|| "—".to_owned(), |share| format!("{:.2} %", 100.0 * share))
    };
    [
        name.to_owned(),
        format::count(label.images),
        format::count(label.taken),
        share(label.precision()),
        share(label.recall()),
        share(label.f1()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        scores: Vec<Vec<f64>>,
        rows: Vec<Vec<f64>>,
        label_accuracy: f64,
        exact_match: f64,
        precision: Vec<f64>,
        recall: Vec<f64>,
        f1: Vec<f64>,
        macro_f1: f64,
    }

    #[test]
    fn figures_are_scikit_learns() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/label_rows.json"
        );
        let cases: Vec<Case> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in cases {
            let dims = (case.rows.len(), case.rows[0].len());
            let tensor =
                |rows: &[Vec<f64>]| Tensor::from_vec(rows.concat(), dims, &Device::Cpu).unwrap();
            let mut figures = Vec::new();
            let exact =
                count_labels(&mut figures, &tensor(&case.scores), &tensor(&case.rows)).unwrap();
            let near = |found: f64, wanted: f64| {
                assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
            };
            near(exact as f64 / dims.0 as f64, case.exact_match);
            near(
                label_accuracy(&figures, dims.0 as u64).unwrap(),
                case.label_accuracy,
            );
            near(macro_f1(&figures).unwrap(), case.macro_f1);
            for (label, figures) in figures.iter().enumerate() {
                near(figures.precision().unwrap_or(0.0), case.precision[label]);
                near(figures.recall().unwrap_or(0.0), case.recall[label]);
                near(figures.f1().unwrap_or(0.0), case.f1[label]);
            }
        }
        assert_eq!((label_accuracy(&[], 0), macro_f1(&[])), (None, None));
    }
}
