use super::*;
use strata_core::project::file;
use strata_engine::storage::metrics_read::Measurement;
use strata_engine::storage::record::{RunRecord, Status};

/// A plan of so many trials with four epochs each.
fn plan(sweep: &str, trials: usize) -> Plan {
    let lrs: Vec<String> = (1..=trials).map(|lr| format!("0.{lr}")).collect();
    let text = format!(
        "format = 1\n[network]\ninput = \"1x8x8\"\nhead = [\"flatten\", \"dense 2\"]\n[sweep]\n{sweep}\n\
         stage.0.lr = [{}]\n[[stage]]\nname = \"a\"\ntask = \"classify\"\nloss = \"cross-entropy\"\nepochs = 4\nbatch = 2\n",
        lrs.join(", ")
    );
    Plan::new(&file::parse(&text, "p").unwrap()).unwrap()
}

/// A run that was stopped, or completed, after epochs with these validation accuracies.
fn run(status: Status, accuracies: &[f64]) -> RunProgress {
    let epoch = |(place, accuracy): (usize, &f64)| {
        vec![Measurement {
            stage: "a".to_owned(),
            epoch: Some(place as f64 + 1.0),
            step: 1.0,
            split: "valid".to_owned(),
            is_trained: false,
            loss: Some(1.0 - accuracy),
            accuracy: Some(*accuracy),
            f1: None,
            exact_match: None,
            log_loss: None,
            seconds: None,
        }]
    };
    RunProgress {
        folder: Some("run".into()),
        record: Some(RunRecord {
            status,
            ..RunRecord::default()
        }),
        epochs: accuracies.iter().enumerate().map(epoch).collect(),
        refusal: None,
    }
}

fn due_of(plan: &Plan, runs: Vec<RunProgress>) -> Vec<(usize, Option<u32>)> {
    let standings: Vec<Vec<RunProgress>> = runs.into_iter().map(|run| vec![run]).collect();
    let due = schedule(plan, &standings).due;
    due.iter().map(|due| (due.trial, due.until)).collect()
}

#[test]
fn a_grid_trains_what_is_not_over() {
    let plan = plan("", 3);
    let runs = vec![
        run(Status::Completed, &[0.5; 4]),
        run(Status::Running, &[0.5]),
        RunProgress::default(),
    ];
    assert_eq!(due_of(&plan, runs), [(1, None), (2, None)]);
}

#[test]
fn the_stop_rule_is_asked_after_its_epochs() {
    let plan = plan("stop = \"valid accuracy < 0.4 after 2\"", 4);
    let runs = vec![
        RunProgress::default(),
        run(Status::Stopped, &[0.9, 0.3]),
        run(Status::Stopped, &[0.1, 0.4]),
        // Killed in its second epoch: it has to come to the end of it.
        run(Status::Running, &[0.9]),
    ];
    assert_eq!(due_of(&plan, runs), [(0, Some(2)), (2, None), (3, Some(2))]);
}

#[test]
fn halving_waits_for_all_and_goes_on_with_the_best() {
    let plan = plan("method = \"halving factor=2 epochs=1\"", 4);
    let first = |last: RunProgress| {
        vec![
            run(Status::Stopped, &[0.2]),
            run(Status::Stopped, &[0.6]),
            run(Status::Stopped, &[0.5]),
            last,
        ]
    };
    assert_eq!(due_of(&plan, first(RunProgress::default())), [(3, Some(1))]);
    // A run that measured but was killed before it stopped comes to the rung once more.
    assert_eq!(
        due_of(&plan, first(run(Status::Running, &[0.9]))),
        [(3, Some(1))]
    );
    let standings = first(run(Status::Stopped, &[0.5]));
    assert_eq!(
        due_of(&plan, standings.clone()),
        [(1, Some(2)), (2, Some(2))]
    );
    // Of equal ones the first goes on; the others are left behind after one epoch.
    let standings: Vec<Vec<RunProgress>> = standings.into_iter().map(|run| vec![run]).collect();
    assert_eq!(schedule(&plan, &standings).left_behind, [(0, 1), (3, 1)]);
    let second = vec![
        run(Status::Stopped, &[0.2]),
        run(Status::Stopped, &[0.6, 0.6]),
        run(Status::Stopped, &[0.5, 0.7]),
        run(Status::Stopped, &[0.5]),
    ];
    assert_eq!(due_of(&plan, second), [(2, None)]);
}

#[test]
fn what_failed_goes_no_further() {
    let plan = plan("method = \"halving factor=2 epochs=1\"", 2);
    let refused = RunProgress {
        refusal: Some("no images".to_owned()),
        ..RunProgress::default()
    };
    let runs = vec![refused, run(Status::Stopped, &[0.1])];
    assert_eq!(due_of(&plan, runs), [(1, Some(2))]);
}
