use super::*;
use crate::project::edit::{Edit, History};
use crate::project::file::{parse, to_text, update_text};
use crate::project::node::Node;
use crate::project::{Place, Stack};

const STUDY: &str = r#"format = 1
title = "Study"

# The images of all runs.
[data]
valid = 0.2

[network]
input = "3x32x32"
encoder = ["conv 4 k3 p1", "relu"]
decoder = ["convt 3 k3 p1"]

[[stage]]
name = "train"
task = "reconstruct"
loss = "mse"
epochs = 3
batch = 8

[[run]]
name = "pixels"
baseline = "logistic, forest"
limit = 50

# The first network.
[[run]]
name = "autoencoder"

[[run]]
name = "transfer"
seeds = [1, 2]
init = "autoencoder encoder"
data.per_class = 5

[run.network]
decoder = []
head = ["flatten", "dense 4"]

[[run.stage]]
name = "head"
task = "classify"
loss = "cross-entropy"
epochs = 1
batch = 4
freeze = ["encoder"]

[[run]]
name = "code"
baseline = "knn"
features = "autoencoder encoder.0"
"#;

fn study() -> Project {
    parse(STUDY, "p").unwrap()
}

fn runs(project: &Project) -> &Study {
    project.study.as_ref().unwrap()
}

#[test]
fn a_file_shows_its_first_network_and_its_runs_change_what_stands_before_them() {
    let project = study();
    assert_eq!(runs(&project).shown(), Some(1));
    assert_eq!(
        runs(&project).names(),
        ["pixels", "autoencoder", "transfer", "code"]
    );
    let shared = runs(&project).settings_of(None);
    assert_eq!(project.alone(), shared, "the autoencoder changes nothing");
    let transfer = project.showing(Some(2));
    assert_eq!(
        (transfer.data.valid, transfer.data.per_class),
        (Some(0.2), Some(5))
    );
    assert_eq!(transfer.network.encoder, shared.network.encoder);
    assert!(transfer.network.decoder.is_empty() && transfer.network.head.len() == 2);
    assert_eq!((transfer.stages.len(), transfer.stages[0].epochs), (1, 1));
    assert_eq!(transfer.init.as_ref().unwrap().from, "autoencoder");
    assert_eq!(transfer.showing(Some(1)), project);
    assert_eq!(runs(&project).taken(2), Some(Taken::Weights(1)));
    assert_eq!(runs(&project).taken(3), Some(Taken::Features(1)));
    assert_eq!(runs(&project).order(), [0, 1, 2, 3]);
}

#[test]
fn runs_round_trip_and_an_edit_of_one_changes_its_tables_alone() {
    let project = study();
    assert_eq!(parse(&to_text(&project), "again").unwrap(), project);
    assert_eq!(update_text(STUDY, &project), STUDY);
    let mut history = History::new(project.clone());
    history.show_run(Some(2));
    assert!(!history.can_undo(), "to look at another run is no edit");
    assert_eq!(history.project().as_opened(), project);
    let place = Place::new(Stack::Head, 1);
    let dense = Node::from_text("dense 7");
    history.edit(&Edit::Replace(place, dense)).unwrap();
    let text = update_text(STUDY, history.project());
    let read = parse(&text, "p").unwrap();
    assert_eq!(read, history.project().as_opened());
    assert_eq!(
        read.showing(Some(1)),
        project.showing(Some(1)).with_study_of(&read)
    );
    assert!(
        text.contains("dense 7") && text.contains("# The first network."),
        "{text}"
    );
    // What is shared changes all runs that have nothing of their own.
    history.show_run(None);
    history.edit(&Edit::Seed(9)).unwrap();
    assert_eq!(history.project().showing(Some(3)).seed, 9);
    let text = update_text(&text, history.project());
    assert_eq!(parse(&text, "p").unwrap(), history.project().as_opened());
    assert!(text.contains("# The images of all runs."), "{text}");
}

impl Project {
    fn with_study_of(self, other: &Project) -> Project {
        let shown = runs(&self).shown();
        let mut study = runs(other).clone();
        study.shown = shown;
        Project {
            study: Some(study),
            ..self
        }
    }
}

#[test]
fn settings_that_are_taken_out_of_a_run_stay_out() {
    let mut history = History::new(study());
    history.show_run(Some(2));
    let mut data = history.project().data.clone();
    data.valid = None;
    history.edit(&Edit::Data(data.clone())).unwrap();
    let mut other = history.project().clone();
    (other.init, other.stages) = (None, Vec::new());
    history.put(other);
    let read = parse(&to_text(history.project()), "p")
        .unwrap()
        .showing(Some(2));
    assert_eq!(read.data, data);
    assert!(read.stages.is_empty() && read.init.is_none());
    assert_eq!(read.showing(Some(1)).data.valid, Some(0.2));
}

#[test]
fn an_ordinary_project_has_no_runs() {
    let text = STUDY.split("[[run]]").next().unwrap();
    let project = parse(text, "p").unwrap();
    assert!(project.study.is_none());
    assert_eq!(project.showing(Some(1)), project);
    assert!(!to_text(&project).contains("run"));
}

#[test]
fn wrong_runs_are_one_sentence_with_their_line() {
    let base = STUDY.split("[[run]]").next().unwrap();
    let line = base.lines().count() + 1;
    for (text, part) in [
        ("[[run]]\nname = \"a b\"\n", "name: `a b` is none of a run"),
        ("[[run]]\n", "[[run]] needs `name`"),
        ("[run]\nname = \"a\"\n", "runs are tables of their own"),
        (
            "[[run]]\nname = \"a\"\nepochs = 3\n",
            "there is no setting `epochs` in [[run]]",
        ),
        (
            "[[run]]\nname = \"a\"\ninit = \"b encoder\"\n",
            "init: the run `a` takes from `b`, and there is no such run; there are a",
        ),
        (
            "[[run]]\nname = \"a\"\ninit = \"b\"\n[[run]]\nname = \"b\"\ninit = \"a\"\n",
            "in a circle, so none can be the first: a from b from a",
        ),
        ("[[run]]\nname = \"a\"\ninit = \"a\"\n", "a from a"),
        (
            "[[run]]\nname = \"a\"\nfeatures = \"a\"\n",
            "features of the run `a` is for baselines",
        ),
        (
            "[[run]]\nname = \"a\"\nbaseline = \"knn\"\nfeatures = \"c\"\n",
            "features: the run `a` takes from `c`",
        ),
        (
            "[[run]]\nname = \"a\"\nbaseline = \"knn\"\nfeatures = \"b\"\n[[run]]\nname = \"b\"\nbaseline = \"knn\"\n",
            "which trains no network",
        ),
        (
            "[[run]]\nname = \"a\"\nseed = 1\nseeds = [2]\n",
            "both seed and seeds",
        ),
        (
            "[[run]]\nname = \"a\"\nseeds = \"2\"\n",
            "write a list of whole numbers, such as seeds = [1, 2, 3]",
        ),
        (
            "[[run]]\nname = \"a\"\n[run.data]\nlimits = 3\n",
            "there is no setting `limits` in [data]",
        ),
        (
            "[[run]]\nname = \"a\"\n[run.data]\nvalid = 0.5\npath = 3\n",
            "path = 3 is not possible",
        ),
        (
            "[[run]]\nname = \"a\"\n[[run.stage]]\nname = \"b\"\n",
            "[[run.stage]] needs `task`",
        ),
        (
            "[[run]]\nname = \"a\"\n[[run]]\nname = \"a\"\n",
            "two runs `a`",
        ),
    ] {
        let error = parse(&format!("{base}{text}"), "p.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{text}: {error}");
        let found: usize = error["p.toml, line ".len()..]
            .split(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(found >= line - 1, "{error}, not before line {line}");
    }
}
