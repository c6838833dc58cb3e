use super::*;

const LENET: &str = r#"
format = 1
title = "small"
seed = 7
[data]
augment = ["hflip"]
[network]
input = "1x12x12"
encoder = [{ repeat = 1, layers = ["conv 5 k3 same", "relu", "maxpool 2"] }]
head = ["flatten", "dense 10"]
[[stage]]
name = "classify"
task = "classify"
loss = "cross-entropy"
optimizer = "sgd lr=0.1 momentum=0.9"
epochs = 2
batch = 8
"#;

fn plan(sweep: &str) -> Result<Plan, SweepError> {
    Plan::new(&file::parse(&format!("{LENET}\n[sweep]\n{sweep}\n"), "p").unwrap())
}

#[test]
fn a_grid_has_every_combination_once() {
    let plan = plan(
        "seeds = 2\nencoder.0.layers.0.kernel_size = [2, 3, 5, 8]\nencoder.0.layers.0.out_channels = [5, 10, 20, 40]\n\
         encoder.0.repeat = [1, 2]\nstage.0.momentum = [0, 0.5, 0.9, \"0.9 nesterov\"]",
    )
    .unwrap();
    assert_eq!(plan.trials.len(), 4 * 4 * 2 * 4);
    assert_eq!(plan.seeds, [7, 8]);
    let all: BTreeSet<String> = plan
        .trials
        .iter()
        .map(|trial| format!("{:?}", trial.values))
        .collect();
    assert_eq!(all.len(), plan.trials.len());
    let last = plan.trials.last().unwrap();
    let project = last.project.as_ref().unwrap();
    assert_eq!(
        project.stages[0].optimizer.to_string(),
        "sgd lr=0.1 momentum=0.9 nesterov"
    );
    assert!(file::to_text(project).contains("repeat = 2, layers = [\"conv 40 k8 same\""));
    assert!(project.sweep.is_none() && last.parameters.unwrap() > 1000);
    assert_eq!(plan.run_name(7, 42), "trial-007-seed-42");
}

#[test]
fn sizes_that_do_not_fit_are_trials_with_their_reason() {
    let plan = plan("encoder.0.repeat = [1, 2, 5]").unwrap();
    let reasons: Vec<bool> = plan
        .trials
        .iter()
        .map(|trial| trial.project.is_ok())
        .collect();
    assert_eq!(reasons, [true, true, false]);
    let unfit = plan.trials[2].project.as_ref().unwrap_err();
    assert!(unfit.message.contains("maxpool"), "{unfit:?}");
}

#[test]
fn what_no_trial_can_have_is_refused() {
    for (sweep, part) in [
        (
            "encoder.9.kernel_size = [1, 2]",
            "[sweep] encoder.9.kernel_size = 1: encoder.9.kernel_size: `encoder` has no entry `9`",
        ),
        (
            "encoder.0.layers.0.kernl = [1, 2]",
            "has no `kernl`: it has out_channels",
        ),
        (
            "stage.0.lr = [0.1, \"fast\"]",
            "[sweep] stage.0.lr = \"fast\": ",
        ),
        (
            "stage.0.colour = [1, 2]",
            "there is no setting `colour` in [[stage]]",
        ),
        (
            "stage.0.lr = \"1e-4..1 log\"",
            "is a range, which a grid cannot walk through",
        ),
        (
            "method = \"random\"\nstage.0.lr = [0.1]",
            "needs the number of trials",
        ),
        ("seeds = 3", "says nothing to sweep over"),
    ] {
        let error = plan(sweep).unwrap_err().to_string();
        assert!(error.contains(part), "{sweep}: {error}");
    }
    // A value that goes with some of the others is a trial like all others; an optimizer is set before its momentum.
    let plan =
        plan("stage.0.optimizer = [\"adam\", \"sgd lr=0.1\"]\nstage.0.momentum = [false, 0.5]");
    let plan = plan.unwrap_or_else(|error| panic!("{error}"));
    let fits: Vec<bool> = plan
        .trials
        .iter()
        .map(|trial| trial.project.is_ok())
        .collect();
    let values: Vec<Vec<String>> = plan.trials.iter().map(Trial::labels).collect();
    assert_eq!(values[2], ["0.5", "adam"]);
    assert_eq!(fits, [true, true, false, true]);
}

#[test]
fn draws_are_the_same_for_a_seed_and_no_two_alike() {
    let text = "method = \"random\"\ntrials = 20\nstage.0.lr = \"1e-4..1e-1 log\"\nstage.0.batch = \"4..6\"";
    let [one, other] = [plan(text).unwrap(), plan(text).unwrap()];
    let values = |plan: &Plan| -> Vec<String> {
        plan.trials
            .iter()
            .map(|t| format!("{:?}", t.values))
            .collect()
    };
    assert_eq!(values(&one), values(&other));
    assert_eq!(values(&one).into_iter().collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(one.fitting(), 20);
    // Three batches are all that there is.
    let few = plan("method = \"random\"\ntrials = 20\nstage.0.batch = \"4..6\"").unwrap();
    assert_eq!(few.trials.len(), 3);
}

#[test]
fn augmentation_is_switched_as_it_is_written() {
    let plan = plan("data.augment = [true, false]").unwrap();
    let augments = |trial: &Trial| !trial.project.as_ref().unwrap().data.augment.is_empty();
    assert_eq!(
        plan.trials.iter().map(augments).collect::<Vec<_>>(),
        [true, false]
    );
    assert_eq!(plan.trials[1].labels(), ["off"]);
}
