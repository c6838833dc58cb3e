use super::*;
use strata_core::project::data::{DataSpec, MeanStd, Normalize, Source, Split};
use strata_core::project::goals::Goals;
use strata_core::project::node::Node;
use strata_core::project::stage::{EarlyStop, Loss, Stage, Task};
use strata_testkit::networks::{network, nodes};

fn project() -> Project {
    let network = network(
        "3x32x32",
        &["conv 8 k3 s2 p1", "sigmoid"],
        &["convt 3 k4 s2 p1", "sigmoid"],
        &["flatten", "dense 10"],
    );
    let data = DataSpec {
        source: Source::Cifar10,
        ..DataSpec::default()
    };
    let stages = vec![Stage::default(), classify()];
    Project {
        title: String::new(),
        seed: 1,
        data,
        network,
        stages,
        init: None,
        goals: Goals::default(),
        sweep: None,
        locked: Vec::new(),
        study: None,
    }
}

fn classify() -> Stage {
    Stage {
        name: "classify".into(),
        task: Task::Classify,
        loss: Loss::CROSS_ENTROPY,
        ..Stage::default()
    }
}

/// The one problem that an edit of a sound project makes.
fn only(edit: impl FnOnce(&mut Project)) -> Problem {
    let mut project = project();
    edit(&mut project);
    let problems = check(&project);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].clone()
}

fn stops(part: &str, edit: impl FnOnce(&mut Project)) {
    let problem = only(edit);
    assert!(
        problem.severity == Severity::Error && problem.message.contains(part),
        "{problem:?}"
    );
    assert!(!problem.help.is_empty(), "{problem:?}");
}

fn warns(part: &str, edit: impl FnOnce(&mut Project)) {
    let problem = only(edit);
    assert!(
        problem.severity == Severity::Warning && problem.message.contains(part),
        "{problem:?}"
    );
    assert!(!problem.help.is_empty(), "{problem:?}");
}

#[test]
fn a_sound_project_has_no_problems() {
    assert_eq!(check(&project()), []);
    assert!(can_train(&check(&project())));
}

#[test]
fn shape_errors_stand_at_their_layer() {
    let problem = only(|p| p.network.encoder[0] = Node::from_text("conv 8 k99"));
    assert_eq!(problem.place.unwrap().to_string(), "encoder.0");
    assert!(problem.message.contains("99×99"));
}

#[test]
fn stages_need_what_they_train_for() {
    stops("no stages", |p| p.stages.clear());
    stops("one row and one column short", |p| {
        p.network.decoder[0] = Node::from_text("convt 3 k3 s2 p1")
    });
    stops("needs a decoder", |p| p.network.decoder.clear());
    stops("needs a head", |p| p.network.head.clear());
    stops("not one score for each class", |p| {
        p.network.head = nodes(&["conv 10 k1"])
    });
    stops("cifar10 has 10 classes", |p| {
        p.network.head = nodes(&["flatten", "dense 9"])
    });
    stops("has none", |p| p.stages[1].split = Split::Unlabeled);
    stops("needs cross-entropy", |p| p.stages[1].loss = Loss::Mse);
    stops("reconstructing needs mse", |p| {
        p.stages[0].loss = Loss::CROSS_ENTROPY
    });
    stops("0 epochs", |p| p.stages[0].epochs = 0);
    stops("a batch of 0", |p| p.stages[0].batch = 0);
    stops("a batch of 65537", |p| p.stages[0].batch = 65_537);
    stops("freeze names `encoder.7`", |p| {
        p.stages[1].freeze = vec!["encoder.7".into()]
    });
    stops("no parameters to train", |p| {
        p.stages[1].freeze = vec!["encoder".into(), "head.1".into()]
    });
    stops("no metric `loss`", |p| {
        p.stages[0].early_stop = Some(EarlyStop {
            metric: "loss".into(),
            patience: 1,
        })
    });
    stops("no accuracy", |p| {
        p.stages[0].early_stop = Some(EarlyStop {
            metric: "valid accuracy".into(),
            patience: 1,
        });
    });
    stops("patience of 0", |p| {
        p.stages[0].early_stop = Some(EarlyStop {
            metric: "valid loss".into(),
            patience: 0,
        });
    });
    stops("sparsity at names", |p| {
        p.stages[0].sparsity = Some("at=encoder.5".parse().unwrap())
    });
    stops("doesn't run the head", |p| {
        p.stages[0].sparsity = Some("at=head.1".parse().unwrap())
    });
    stops("freeze names `head`", |p| {
        p.stages[0].freeze = vec!["head".into()]
    });
    stops("which has no weights", |p| {
        p.stages[0].freeze = vec!["encoder.1".into()]
    });
    warns("it never ends early", |p| {
        p.stages[0].early_stop = Some("patience=10".parse().unwrap())
    });
    for (schedule, part) in [
        ("step every=10", "after 10 epochs"),
        ("cosine warmup=10", "warms up for 10 epochs"),
    ] {
        warns(part, |p| {
            p.stages[0].schedule = Some(schedule.parse().unwrap())
        });
    }
    warns("two stages", |p| p.stages[1].name = "train".into());
    warns("between 0 and 1", |p| {
        p.stages[0].sparsity = Some("at=encoder.0".parse().unwrap())
    });
    let mut project = project();
    project.stages[0].sparsity = Some("rho=0.05".parse().unwrap());
    project.stages[1].freeze = vec!["encoder".into()];
    assert_eq!(check(&project), []);
}

#[test]
fn the_data_table_is_consistent() {
    let normalize = |n: usize| {
        Some(Normalize::By(MeanStd {
            mean: vec![0.5; n],
            std: vec![0.2; n],
        }))
    };
    stops("exclude each other", |p| {
        p.data.range = Some([0.0, 1.0]);
        p.data.normalize = normalize(3);
        p.network.decoder.truncate(1);
    });
    stops("is not one", |p| p.data.range = Some([0.0, 0.0]));
    stops("values of mean", |p| {
        p.data.normalize = Some(Normalize::By(MeanStd {
            mean: vec![0.5],
            std: vec![0.2; 3],
        }));
        p.network.decoder.truncate(1);
    });
    stops("resize gives images of 28×28", |p| {
        p.data.resize = Some([28, 28])
    });
    stops("valid = 1.5", |p| p.data.valid = Some(1.5));
    stops("test = 1 is", |p| p.data.test = Some(1.0));
    stops("per_class = 0", |p| p.data.per_class = Some(0));
    stops("both fold and valid", |p| {
        p.data.valid = Some(0.1);
        p.data.fold = Some("1/5".parse().unwrap());
    });
    stops(
        "length of the data changes nothing: cifar10 has images",
        |p| p.data.length = Some(3),
    );
    stops("use_augment of the data changes nothing", |p| {
        p.data.use_augment = false
    });
    warns("the negative of an image passes for like it", |p| {
        p.stages[0].loss = "ssim range=2".parse().unwrap();
        p.data.range = Some([-1.0, 1.0]);
        *p.network.decoder.last_mut().unwrap() = Node::from_text("tanh");
    });
    warns("ends in sigmoid", |p| p.data.range = Some([-1.0, 1.0]));
    warns("ends in sigmoid", |p| p.data.normalize = normalize(3));
    warns("needs outputs between 0 and 1", |p| {
        p.stages[0].loss = Loss::Bce;
        p.network.decoder.truncate(1);
    });
}

#[test]
fn locks_on_nothing_are_told() {
    warns("locked names `encoder.9`", |p| {
        p.locked = vec!["encoder.0".into(), "encoder.9".into()]
    });
    warns("locked names `encodr`", |p| {
        p.locked = vec!["encodr".into()]
    });
}

#[test]
fn duplicate_names_that_unpool_uses() {
    warns("two layers are called @a", |p| {
        p.network.encoder = nodes(&["maxpool 2 @a", "maxpool 2 @a", "conv 3 k3 p1"]);
        p.network.decoder = nodes(&["unpool @a", "upsample 2"]);
    });
}

/// A penalty that draws means to a fraction of the time is told where activations are no such fraction, and only there.
#[test]
fn sparsity_on_a_code_that_is_no_fraction_is_told() {
    let told = |encoder: &[&str], sparsity: &str| {
        let mut project = project();
        project.network = network("3x8x8", encoder, &["convt 3 k4 s2 p1", "sigmoid"], &[]);
        project.stages.truncate(1);
        project.stages[0].sparsity = Some(sparsity.parse().unwrap());
        let problems = check(&project).into_iter();
        problems
            .map(|problem| problem.message)
            .find(|message| message.contains("the sparsity penalty"))
    };
    let conv = "conv 8 k3 s2 p1";
    let usual = "rho=0.05 beta=3";
    for (encoder, sparsity, part) in [
        (&[conv, "tanh"][..], usual, "from -1 to 1"),
        (&[conv, "relu"], usual, "from 0 up: units die or grow"),
        (&[conv, "relu6"], usual, "from 0 to 6"),
        (&[conv], usual, "any number"),
        (&[conv, "leakyrelu"], usual, "any number"),
        (&[conv, "sigmoid", "bn"], usual, "any number"),
        (&[conv, "tanh", "dropout 0.2"], usual, "from -1 to 1"),
        (&[conv, "softmax"], usual, "their mean is 1/8"),
        (
            &[conv, "{ add = [[\"sigmoid\"], [\"sigmoid\"]] }"],
            usual,
            "from 0 to 2",
        ),
        (
            &[conv, "sigmoid"],
            "rho=0.05 beta=3 at=encoder.0",
            "encoder.0 expects",
        ),
    ] {
        let message = told(encoder, sparsity).unwrap_or_else(|| panic!("{encoder:?}"));
        assert!(message.contains(part), "{encoder:?}: {message}");
    }
    for (encoder, sparsity) in [
        (&[conv, "sigmoid"][..], usual),
        (&[conv, "sigmoid", "dropout 0.2"], usual),
        (&[conv, "sigmoid", "identity"], usual),
        (&[conv, "step"], usual),
        (&[conv, "softmax"], "rho=0.125 beta=3"),
        (
            &[conv, "{ concat = [[\"sigmoid\"], [\"sigmoid\"]] }"],
            usual,
        ),
        (&[conv, "sigmoid", "bn"], "rho=0.05 beta=3 at=encoder.1"),
    ] {
        assert_eq!(told(encoder, sparsity), None, "{encoder:?}");
    }
}

/// What keeps outputs between 0 and 1 need not be the last layer.
#[test]
fn outputs_that_are_probabilities_are_not_complained_about() {
    let told = |decoder: &[&str]| {
        let mut project = project();
        project.network = network("3x8x8", &["conv 8 k3 s2 p1", "relu"], decoder, &[]);
        project.stages.truncate(1);
        project.stages[0].loss = Loss::Bce;
        let problems = check(&project).into_iter();
        problems
            .filter(|problem| problem.message.contains("needs outputs between"))
            .count()
    };
    let convt = "convt 3 k4 s2 p1";
    for decoder in [
        &[convt, "sigmoid"][..],
        &["convt 3 k6 s2 p1", "sigmoid", "crop 1"],
        &["conv 3 k3 p1", "sigmoid", "upsample 2"],
        &[convt, "softmax"],
        &[convt, "tanh", "relu"],
    ] {
        assert_eq!(told(decoder), 0, "{decoder:?}");
    }
    for decoder in [
        &[convt][..],
        &[convt, "tanh"],
        &[convt, "relu"],
        &[convt, "sigmoid", "bn"],
    ] {
        assert_eq!(told(decoder), 1, "{decoder:?}");
    }
}
