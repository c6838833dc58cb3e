use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    classes: usize,
    labels: Vec<u32>,
    answers: Vec<u32>,
    sure: Vec<f32>,
    precision: Vec<Option<f64>>,
    recall: Vec<Option<f64>>,
    f1: Vec<Option<f64>>,
    counts: Vec<u64>,
    ece: f64,
}

fn same(found: Option<f64>, wanted: Option<f64>, what: &str) {
    let off = found.unwrap_or(-1.0) - wanted.unwrap_or(-1.0);
    assert!(off.abs() < 1e-12, "{what}: {found:?} {wanted:?}");
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/predictions.json"
    );
    let case: Case = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let answers = case.answers.iter().copied().zip(case.sure.iter().copied());
    let pairs: Vec<(u32, (u32, f32))> = case.labels.iter().copied().zip(answers).collect();
    let figures = class_figures(&pairs, case.classes);
    for (class, figures) in figures.iter().enumerate() {
        same(figures.precision(), case.precision[class], "precision");
        same(figures.recall(), case.recall[class], "recall");
        same(figures.f1(), case.f1[class], "F1");
    }
    let bins = calibration(&pairs);
    let counts: Vec<u64> = bins.iter().map(|bin| bin.images).collect();
    assert_eq!(counts, case.counts);
    let error = expected_error(&bins);
    assert!((error - case.ece).abs() < 1e-6, "{error} {}", case.ece);
}

fn four() -> Answers {
    Answers {
        outputs: 3,
        indices: vec![7, 2, 9, 4],
        labels: vec![Some(0), Some(1), Some(1), None],
        probabilities: vec![
            0.9, 0.05, 0.05, // right
            0.6, 0.3, 0.1, // wrong
            0.8, 0.1, 0.1, // wrong, and surer
            0.4, 0.35, 0.25, // not labelled, not sure
        ],
        ..Answers::default()
    }
}

#[test]
fn lists_begin_with_what_is_most_worth_a_look() {
    let answers = four();
    assert_eq!(answers.listed(List::First), [0, 1, 2, 3]);
    assert_eq!(answers.listed(List::MostWrong), [2, 1]);
    assert_eq!(answers.listed(List::LeastSure), [3, 1, 2, 0]);
    assert_eq!(answers.listed(List::Taken(1, 0)), [2, 1]);
    assert_eq!(answers.top(1, 2), [(0, 0.6), (1, 0.3)]);
    assert_eq!(answers.pairs().count(), 3);
}

#[test]
fn equal_scores_are_taken_for_the_first_class() {
    let answers = Answers {
        outputs: 2,
        indices: vec![0],
        labels: vec![Some(1)],
        probabilities: softmax(&[3.0, 3.0]),
        ..Answers::default()
    };
    assert_eq!(answers.taken(0), (0, 0.5));
    assert_eq!(answers.top(0, 1), [(0, 0.5)]);
}

/// Each label has an answer of its own: from a half on.
#[test]
fn answers_about_labels_are_judged_one_by_one() {
    let answers = Answers {
        outputs: 2,
        indices: vec![5, 6, 8],
        labels: vec![None; 3],
        probabilities: vec![0.9, 0.2, 0.45, 0.9, 0.1, 0.7],
        of_labels: true,
        label_rows: vec![1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
    };
    assert_eq!(answers.set(1), Some(vec![0, 1]));
    assert_eq!(
        [0, 1, 2].map(|image| answers.is_wrong(image)),
        [false, true, true]
    );
    // 0.7 for a label that is not there is further off than 0.45 for one that is.
    assert_eq!(answers.listed(List::MostWrong), [2, 1]);
    assert_eq!(answers.listed(List::LeastSure), [1, 2, 0]);
    let figures = answers.label_figures().unwrap();
    let counts = |figures: &ClassFigures| [figures.images, figures.taken, figures.right];
    assert_eq!(counts(&figures[0]), [2, 1, 1]);
    assert_eq!(counts(&figures[1]), [1, 2, 1]);
    assert_eq!(answers.pairs().count(), 0);
    let unknown = Answers {
        label_rows: Vec::new(),
        ..answers
    };
    assert!(unknown.label_figures().is_none() && !unknown.is_wrong(1) && unknown.set(1).is_none());
}
