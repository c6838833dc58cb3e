//! The models: what each is, what it is fitted with, fitting and predicting.
//!
//! The settings are those that scikit-learn has where nothing is said, so that results can be compared with it.

use super::linear::{Logistic, SupportVectors};
use super::nearest::Neighbours;
use super::trees::{Boosted, Forest};
use serde::{Deserialize, Serialize};
use std::fmt;
use strata_data::Progress;
use strata_inspect::neighbours::Rows;

/// A kind of classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Multinomial logistic regression.
    Logistic,
    /// Random forest.
    Forest,
    /// Gradient-boosted trees.
    Boosted,
    /// The nearest neighbours.
    Knn,
    /// Linear support vector machine.
    Svm,
}

impl Model {
    /// All of them, in the order in which they are fitted.
    pub const ALL: [Model; 5] = [
        Model::Logistic,
        Model::Forest,
        Model::Boosted,
        Model::Knn,
        Model::Svm,
    ];

    /// Its word in the terminal and in names of folders.
    pub fn word(self) -> &'static str {
        match self {
            Model::Logistic => "logistic",
            Model::Forest => "forest",
            Model::Boosted => "boosted",
            Model::Knn => "knn",
            Model::Svm => "svm",
        }
    }

    /// The model of this word.
    pub fn of_word(word: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.word() == word)
    }

    /// Its name in sentences and tables.
    pub fn name(self) -> &'static str {
        match self {
            Model::Logistic => "logistic regression",
            Model::Forest => "random forest",
            Model::Boosted => "boosted trees",
            Model::Knn => "nearest neighbours",
            Model::Svm => "linear SVM",
        }
    }

    /// What it is fitted with, in words.
    pub fn settings(self) -> &'static str {
        match self {
            Model::Logistic => {
                "softmax, L2 penalty with C = 1, L-BFGS until no slope is above 1e-4, 1000 iterations at most"
            }
            Model::Forest => {
                "100 trees grown until they are pure, Gini impurity, √features tried at a split, bootstrap"
            }
            Model::Boosted => {
                "100 rounds of a tree for each class, 31 leaves of at least 20 images, learning rate 0.1, 255 bins"
            }
            Model::Knn => "5 neighbours, Euclidean distance",
            Model::Svm => {
                "one against the rest, squared hinge loss with C = 1; probabilities by Platt's sigmoids from 5 folds"
            }
        }
    }

    /// What is being done while it is fitted.
    fn fitting(self) -> &'static str {
        match self {
            Model::Logistic => "fitting the logistic regression",
            Model::Forest => "growing the random forest",
            Model::Boosted => "boosting trees",
            Model::Knn => "keeping the neighbours",
            Model::Svm => "fitting the linear SVM",
        }
    }

    /// What is being done while it answers.
    fn predicting(self) -> &'static str {
        match self {
            Model::Logistic => "asking the logistic regression",
            Model::Forest => "asking the random forest",
            Model::Boosted => "asking the boosted trees",
            Model::Knn => "comparing images",
            Model::Svm => "asking the linear SVM",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Rows with the class of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    /// `N × width` values.
    pub values: Vec<f32>,
    /// Values of a row.
    pub width: usize,
    /// The class of each row, below `classes`.
    pub labels: Vec<u32>,
    /// How many classes there are.
    pub classes: usize,
}

impl Samples {
    /// The values as rows.
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(&self.values, self.width)
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// Takes how many of how many parts are done; false when no more is wanted.
pub(crate) type GoOn<'a> = &'a (dyn Fn(usize, usize) -> bool + Sync);

/// What is told of a long computation, and asked whether it is still wanted.
pub type Monitor<'a> = &'a (dyn Fn(Progress) -> bool + Sync);

/// What a model says of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The class that each row is taken for.
    pub answers: Vec<u32>,
    /// `N × classes` probabilities.
    pub probabilities: Vec<f64>,
}

/// A fitted model.
pub(crate) trait Classifier: Send + Sync {
    /// What it says of rows as wide as those it was fitted to. `None` when it is not wanted any more.
    fn predict(&self, rows: Rows<'_>, go_on: GoOn<'_>) -> Option<Predictions>;
}

/// A fitted model, with what is to be said of the fit.
pub struct Fitted {
    model: Model,
    classifier: Box<dyn Classifier>,
    /// What the reader of its figures should know.
    pub notes: Vec<String>,
}

impl Fitted {
    /// Fits a model; the seed decides what it draws. `None` when it is not wanted any more.
    pub fn fit(model: Model, samples: &Samples, seed: u64, monitor: Monitor<'_>) -> Option<Fitted> {
        let go_on = |done, total| {
            let what = model.fitting();
            monitor(Progress { what, done, total })
        };
        let mut notes = Vec::new();
        let classifier: Box<dyn Classifier> = match model {
            Model::Logistic => Box::new(Logistic::fit(samples, &mut notes, &go_on)?),
            Model::Forest => Box::new(Forest::fit(samples, seed, &go_on)?),
            Model::Boosted => Box::new(Boosted::fit(samples, &go_on)?),
            Model::Knn => Box::new(Neighbours::of(samples)),
            Model::Svm => Box::new(SupportVectors::fit(samples, &mut notes, &go_on)?),
        };
        Some(Fitted {
            model,
            classifier,
            notes,
        })
    }

    /// What it says of rows as wide as those it was fitted to. `None` when it is not wanted any more.
    pub fn predict(&self, rows: Rows<'_>, monitor: Monitor<'_>) -> Option<Predictions> {
        let what = self.model.predicting();
        let go_on = |done, total| monitor(Progress { what, done, total });
        self.classifier.predict(rows, &go_on)
    }
}

/// The place of the greatest value; of equal ones the first.
pub(crate) fn greatest(values: &[f64]) -> u32 {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best as u32
}
