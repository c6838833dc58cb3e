use super::*;
use strata_core::project::file;
use strata_engine::storage::metrics_read::Measurement;
use strata_engine::storage::record::{RunRecord, Status};

fn project(seed: u64, sweep: &str) -> strata_core::project::Project {
    let text = format!(
        "format = 1\nseed = {seed}\n[network]\ninput = \"1x8x8\"\nencoder = [\"conv 4 k3 same\"]\nhead = [\"flatten\", \"dense 2\"]\n\
         [sweep]\n{sweep}\n[[stage]]\nname = \"a\"\ntask = \"classify\"\nloss = \"cross-entropy\"\n\
         optimizer = \"sgd lr=0.1 momentum=0.9\"\nepochs = 1\nbatch = 2\n"
    );
    file::parse(&text, "p").unwrap()
}

/// A run that came to its end with this validation loss.
fn run(loss: f64) -> RunProgress {
    RunProgress {
        folder: Some("run".into()),
        record: Some(RunRecord {
            status: Status::Completed,
            ..RunRecord::default()
        }),
        epochs: vec![vec![Measurement {
            stage: "a".to_owned(),
            epoch: Some(1.0),
            step: 1.0,
            split: "valid".to_owned(),
            is_trained: false,
            loss: Some(loss),
            accuracy: Some(1.0 - loss),
            f1: None,
            exact_match: None,
            log_loss: None,
            seconds: None,
        }]],
        refusal: None,
    }
}

fn number(value: &Value) -> f64 {
    let whole = value.as_integer().map(|whole| whole as f64);
    value.as_float().or(whole).unwrap()
}

/// Trains all trials by a formula, round after round.
fn searched(
    project: &strata_core::project::Project,
    loss: &dyn Fn(&[Value]) -> RunProgress,
) -> (Plan, Vec<f64>) {
    let mut plan = Plan::new(project).unwrap();
    loop {
        let standings: Vec<Vec<RunProgress>> = plan
            .trials
            .iter()
            .map(|trial| plan.seeds.iter().map(|_| loss(&trial.values)).collect())
            .collect();
        let more = match plan.to_choose() {
            0 => Vec::new(),
            _ => next_round(&plan, &standings).unwrap(),
        };
        if more.is_empty() {
            let reached = reached(&plan, &standings);
            return (plan, reached);
        }
        let chosen = plan.chosen().cloned().chain(more).collect();
        plan = Plan::with_chosen(project, chosen).unwrap();
    }
}

const SPACE: &str = "metric = \"valid loss\"\nstage.0.lr = \"1e-4..1.0 log\"\nstage.0.momentum = \"0.0..0.99\"\n\
     encoder.0.out_channels = [4, 8, 16, 32]\nstage.0.batch = \"1..9\"";

/// A valley in lr / (1 - momentum), better with more channels, too steep beyond it; the batch does nothing.
fn valley(values: &[Value]) -> RunProgress {
    let [channels, _, lr, momentum] = values else {
        panic!("{values:?}");
    };
    let step = (number(lr) / (1.0 - 0.95 * number(momentum))).log10();
    let wide = match number(channels) as i64 {
        4 => 0.06,
        8 => 0.03,
        16 => 0.01,
        _ => 0.0,
    };
    let steep = if step > 0.2 { 0.5 } else { 0.0 };
    run(0.03 * (step + 1.2).powi(2) + 0.02 * (number(momentum) - 0.8).powi(2) + wide + steep)
}

#[test]
fn it_finds_better_values_than_random_trials() {
    let best = |reached: &[f64]| reached.iter().copied().fold(WORST, f64::min);
    let seeds = 0..40;
    let mut sums = [0.0; 2];
    let mut wins = 0;
    for seed in seeds.clone() {
        let of = |method: &str| {
            let sweep = format!("method = \"{method}\"\ntrials = 30\n{SPACE}");
            best(&searched(&project(seed, &sweep), &valley).1)
        };
        let [random, bayesian] = ["random", "bayesian"].map(of);
        sums[0] += random;
        sums[1] += bayesian;
        wins += usize::from(bayesian < random);
    }
    let [random, bayesian] = sums.map(|sum| sum / seeds.clone().count() as f64);
    println!(
        "best of 30: random {random:.5}, Bayesian {bayesian:.5}, better for {wins} of 40 seeds"
    );
    assert!(bayesian < 0.6 * random, "{bayesian} {random}");
    assert!(wins >= 26, "{wins}");
}

#[test]
fn the_choice_follows_from_seed_and_results() {
    let sweep = format!("method = \"bayesian startup=5 round=3\"\ntrials = 15\n{SPACE}");
    let values = |seed: u64| -> Vec<Vec<Value>> {
        let (plan, _) = searched(&project(seed, &sweep), &valley);
        plan.trials
            .iter()
            .map(|trial| trial.values.clone())
            .collect()
    };
    assert_eq!(values(3), values(3));
    assert_ne!(values(3), values(4));
    // The first are those of a random search.
    let random = project(3, &format!("method = \"random\"\ntrials = 15\n{SPACE}"));
    let random = Plan::new(&random).unwrap();
    let plan = Plan::new(&project(3, &sweep)).unwrap();
    assert_eq!(
        (plan.trials.len(), plan.planned, plan.to_choose()),
        (5, 15, 10)
    );
    for (drawn, trial) in random.trials.iter().zip(&plan.trials) {
        assert_eq!(drawn.values, trial.values);
    }
    assert_eq!(plan.run_name(3, 1), "trial-03-seed-1");
    let (plan, _) = searched(&project(3, &sweep), &valley);
    let rounds: Vec<Option<usize>> = (0..15).map(|place| plan.round_of(place)).collect();
    assert_eq!(rounds[4..9], [None, Some(1), Some(1), Some(1), Some(2)]);
    // Other results lead elsewhere.
    let turned = |values: &[Value]| run(1.0 - valley(values).epochs[0][0].loss.unwrap());
    let (other, _) = searched(&project(3, &sweep), &turned);
    assert_ne!(other.trials[5].values, plan.trials[5].values);
}

#[test]
fn trials_without_a_result_count_as_the_worst() {
    let sweep = format!("method = \"bayesian startup=8 round=2\"\ntrials = 40\n{SPACE}");
    // Whatever is wide fails.
    let fragile = |values: &[Value]| match number(&values[0]) > 8.0 {
        true => RunProgress {
            refusal: Some("no room".to_owned()),
            ..RunProgress::default()
        },
        false => valley(values),
    };
    let (plan, reached) = searched(&project(1, &sweep), &fragile);
    let is_wide = |place: &usize| number(&plan.trials[*place].values[0]) > 8.0;
    let wide = (8..40).filter(is_wide).count();
    // By chance it would be half of them.
    assert!(wide < 10, "{wide}");
    assert!((0..40).filter(is_wide).all(|place| reached[place] == WORST));
    // More is better of an accuracy, over all seeds.
    let sweep = sweep
        .replace("valid loss", "valid accuracy")
        .replace("trials = 40", "trials = 40\nseeds = 2");
    let (_, reached) = searched(&project(1, &sweep), &valley);
    assert!(reached.iter().all(|value| *value < 0.0));
}

#[test]
fn no_two_trials_are_alike_and_all_there_are_is_enough() {
    let sweep = "method = \"bayesian startup=2 round=5\"\ntrials = 20\nmetric = \"valid loss\"\nstage.0.batch = \"1..4\"\n\
         encoder.0.out_channels = [4, 8, 16]";
    let (plan, _) = searched(&project(1, sweep), &|values| run(number(&values[0])));
    assert_eq!((plan.trials.len(), plan.planned), (12, 12));
    let all: BTreeSet<String> = plan
        .trials
        .iter()
        .map(|trial| key_of(&trial.values))
        .collect();
    assert_eq!(all.len(), 12);
    // So few that nothing is left to choose.
    let error = Plan::new(&project(1, &sweep.replace("trials = 20", "trials = 2"))).unwrap_err();
    assert!(
        error.to_string().contains("draws the first 2 at random"),
        "{error}"
    );
    let error = Plan::new(&project(1, &sweep.replace("trials = 20\n", ""))).unwrap_err();
    assert!(
        error.to_string().contains("needs the number of trials"),
        "{error}"
    );
}
