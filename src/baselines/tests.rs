//! The models against scikit-learn (`tests/fixtures/baselines.py`), and that they repeat.

use crate::model::{Fitted, Model, Monitor, Samples};
use crate::score::Score;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use strata_core::project::data::Split;
use strata_core::project::file;
use strata_data::{Dataset, fill_batch};
use strata_testkit::folders;

/// Accuracy and log loss.
type Figures = [f64; 2];

#[derive(Deserialize)]
struct Fixture {
    made_up: Vec<MadeUp>,
    mnist: Real,
    eurosat: Vec<Real>,
}

#[derive(Deserialize)]
struct MadeUp {
    classes: usize,
    width: usize,
    fitted: usize,
    values: Vec<f32>,
    labels: Vec<u32>,
    results: BTreeMap<String, Figures>,
}

#[derive(Deserialize)]
struct Real {
    results: BTreeMap<String, Figures>,
}

fn fixture() -> Fixture {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/baselines.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Forests draw: their figures are the mean of so many seeds.
const SEEDS: u64 = 20;
/// Rows up to which so many are asked; of few rows one tree of a hundred decides whether a row's class has no
/// probability, which costs 36: there the log loss of a forest is of probabilities of half a tree at least.
const FEW: usize = 1000;
const LEAST_OF_FORESTS: f64 = 0.005;
const GO_ON: Monitor<'static> = &|_| true;

fn figures(model: Model, fitted: &Samples, asked: &Samples) -> Figures {
    let one = |seed: u64| {
        let fit = Fitted::fit(model, fitted, seed, GO_ON).unwrap();
        let mut said = fit.predict(asked.rows(), GO_ON).unwrap();
        if model == Model::Forest && fitted.len() < FEW {
            let shares = said.probabilities.iter_mut();
            shares.for_each(|share| *share = share.max(LEAST_OF_FORESTS));
        }
        let score = Score::of(&said, &asked.labels, asked.classes);
        [score.accuracy, score.log_loss]
    };
    if model != Model::Forest {
        return one(0);
    }
    let seeds = if fitted.len() < FEW { SEEDS } else { SEEDS / 4 };
    let all: Vec<Figures> = (0..seeds).map(one).collect();
    [0, 1].map(|figure| all.iter().map(|own| own[figure]).sum::<f64>() / all.len() as f64)
}

/// The folder to which rows are written for `tests/fixtures/baselines.py`, in place of being compared.
const ROWS: &str = "STRATA_BASELINE_ROWS";

/// Images of EuroSAT, of which a fifth is asked: one image of 200 is half a percent.
#[test]
#[ignore = "takes minutes"]
fn long_models_are_those_of_scikit_learn_on_eurosat() {
    let Some(folder) = folders::real_data("baselines_on_eurosat") else {
        return;
    };
    let text = format!(
        "format = 1\n[data]\nsource = \"eurosat\"\npath = {:?}\nresize = [16, 16]\nvalid = 0.0\ntest = 0.0\n\
         [network]\ninput = \"3x16x16\"\n",
        folder.join("eurosat/EuroSAT_RGB").display().to_string()
    );
    let project = file::parse(&text, "test").unwrap();
    let dataset = Dataset::open(&project.data, 0, Path::new("."), &mut |_| true).unwrap();
    let all = first(&dataset, Split::Train, 1000);
    if let Some(to) = std::env::var_os(ROWS) {
        return write_rows(&all, Path::new(&to));
    }
    let of = |fold: usize, is_asked: bool| {
        // Ten images are of ten classes in turn.
        let rows = (0..all.len()).filter(|row| (row / 10 % 5 == fold) == is_asked);
        picked(&all, rows)
    };
    let wanted = fixture().eurosat;
    let mut wrong = Vec::new();
    for model in Model::ALL {
        let folds = 0..wanted.len();
        let found = folds.map(|fold| figures(model, &of(fold, false), &of(fold, true)));
        let found = mean(found.collect());
        let wanted = mean(
            wanted
                .iter()
                .map(|fold| fold.results[model.word()])
                .collect(),
        );
        println!("{model}: {found:.4?}, scikit-learn {wanted:.4?}");
        let far = |figure: usize| (found[figure] - wanted[figure]).abs();
        if far(0) > 0.01 || far(1) > 0.02 {
            wrong.push((model, found, wanted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn mean(folds: Vec<Figures>) -> Figures {
    [0, 1].map(|figure| folds.iter().map(|own| own[figure]).sum::<f64>() / folds.len() as f64)
}

fn picked(all: &Samples, rows: impl Iterator<Item = usize>) -> Samples {
    let mut samples = Samples {
        width: all.width,
        classes: all.classes,
        ..Samples::default()
    };
    for row in rows {
        samples.values.extend(all.rows().row(row));
        samples.labels.push(all.labels[row]);
    }
    samples
}

/// The values as `f32` and the labels as `u32`, both little-endian: `numpy.fromfile` reads them.
fn write_rows(samples: &Samples, to: &Path) {
    let values: Vec<u8> = samples
        .values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let labels: Vec<u8> = samples
        .labels
        .iter()
        .flat_map(|label| label.to_le_bytes())
        .collect();
    std::fs::write(to.join("values.bin"), values).unwrap();
    std::fs::write(to.join("labels.bin"), labels).unwrap();
}

/// Every model within so much of scikit-learn's figures.
fn agree(fitted: &Samples, asked: &Samples, results: &BTreeMap<String, Figures>, within: Figures) {
    let mut wrong = Vec::new();
    for model in Model::ALL {
        let wanted = results[model.word()];
        let started = std::time::Instant::now();
        let found = figures(model, fitted, asked);
        println!(
            "{model}: {found:.4?}, scikit-learn {wanted:.4?}, {:.1?}",
            started.elapsed()
        );
        let is_near = |figure: usize| (found[figure] - wanted[figure]).abs() <= within[figure];
        if !is_near(0) || !is_near(1) {
            wrong.push((model, found, wanted));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Of rows from here to there.
fn part(case: &MadeUp, rows: std::ops::Range<usize>) -> Samples {
    Samples {
        values: case.values[rows.start * case.width..rows.end * case.width].to_vec(),
        width: case.width,
        labels: case.labels[rows].to_vec(),
        classes: case.classes,
    }
}

#[test]
fn models_are_those_of_scikit_learn_on_rows_that_are_made_up() {
    for case in fixture().made_up {
        let fitted = part(&case, 0..case.fitted);
        let asked = part(&case, case.fitted..case.labels.len());
        // Two of 120 rows are 1.7 %.
        agree(&fitted, &asked, &case.results, [0.017, 0.02]);
    }
}

/// The first rows of a split, in the order of its files.
fn first(dataset: &Dataset, split: Split, count: usize) -> Samples {
    let data = dataset.split(split).unwrap();
    let indices: Vec<u32> = (0..count as u32).collect();
    let width = data.image_shape().iter().product();
    let mut samples = Samples {
        values: vec![0.0; count * width],
        width,
        labels: vec![0; count],
        classes: dataset.classes().len(),
    };
    fill_batch(data, &indices, &mut samples.values, &mut samples.labels).unwrap();
    samples
}

#[test]
#[ignore = "takes minutes"]
fn long_models_are_those_of_scikit_learn_on_mnist() {
    let Some(folder) = folders::real_data("baselines_on_mnist") else {
        return;
    };
    let text = format!(
        "format = 1\n[data]\nsource = \"mnist\"\npath = {:?}\nvalid = 0.0\n[network]\ninput = \"1x28x28\"\n",
        folder.join("mnist").display().to_string()
    );
    let project = file::parse(&text, "test").unwrap();
    let dataset = Dataset::open(&project.data, 0, Path::new("."), &mut |_| true).unwrap();
    let fitted = first(&dataset, Split::Train, 3000);
    let asked = first(&dataset, Split::Test, 2000);
    agree(&fitted, &asked, &fixture().mnist.results, [0.01, 0.02]);
}

/// On one thread and on four, twice: the same bits.
#[test]
fn models_repeat_to_the_last_bit_whatever_the_threads() {
    let case = &fixture().made_up[0];
    let fitted = part(case, 0..case.fitted);
    let asked = part(case, case.fitted..case.labels.len());
    for model in Model::ALL {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let model = Fitted::fit(model, &fitted, 7, GO_ON).unwrap();
                model.predict(asked.rows(), GO_ON).unwrap()
            })
        };
        let [one, four] = [on(1), on(4)];
        assert_eq!(one, four, "{model}");
        let bits = |said: &[f64]| said.iter().map(|share| share.to_bits()).collect::<Vec<_>>();
        assert_eq!(
            bits(&one.probabilities),
            bits(&four.probabilities),
            "{model}"
        );
    }
    let of_seed = |seed| {
        let forest = Fitted::fit(Model::Forest, &fitted, seed, GO_ON).unwrap();
        forest.predict(asked.rows(), GO_ON).unwrap()
    };
    assert_ne!(
        of_seed(1),
        of_seed(2),
        "the seed decides what a forest draws"
    );
}

#[test]
fn every_model_can_be_cancelled() {
    let case = &fixture().made_up[0];
    let fitted = part(case, 0..case.fitted);
    for model in Model::ALL.into_iter().filter(|model| *model != Model::Knn) {
        assert!(
            Fitted::fit(model, &fitted, 0, &|_| false).is_none(),
            "{model}"
        );
    }
    let knn = Fitted::fit(Model::Knn, &fitted, 0, GO_ON).unwrap();
    assert!(knn.predict(fitted.rows(), &|_| false).is_none());
}

#[test]
fn one_impossible_class_costs_as_much_as_in_scikit_learn() {
    let said = crate::model::Predictions {
        answers: vec![0, 1],
        probabilities: vec![1.0, 0.0, 0.5, 0.5],
    };
    let score = Score::of(&said, &[1, 1], 2);
    let wanted = (-f64::EPSILON.ln() - 0.5f64.ln()) / 2.0;
    assert!((score.log_loss - wanted).abs() < 1e-12, "{score:?}");
    assert_eq!(
        (score.accuracy, score.confusion),
        (0.5, vec![vec![0, 0], vec![1, 1]])
    );
}
