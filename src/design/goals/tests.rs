use super::*;
use strata_core::project::builtin;
use strata_core::project::node::Node;
use strata_core::shape::infer;

fn project(name: &str, goals: &[&str]) -> Project {
    let mut project = builtin::find(name).unwrap().project().unwrap();
    project.goals = goals.iter().map(|goal| goal.parse().unwrap()).collect();
    project
}

fn judged(project: &Project, measured: Measured) -> Vec<(Standing, String)> {
    let goals = judge(project, &infer(&project.network), &measured);
    goals
        .into_iter()
        .map(|goal| (goal.standing, goal.text))
        .collect()
}

fn alone(name: &str, goal: &str) -> (Standing, String) {
    judged(&project(name, &[goal]), Measured::default()).remove(0)
}

/// 122,570 parameters: 896 + 18,496 + 36,928 + 65,600 + 650, as Keras prints them.
#[test]
fn counts_are_compared_and_told() {
    use Standing::{Met, Missed};
    for (goal, standing, text) in [
        ("parameters <= 122570", Met, "122,570 parameters"),
        (
            "parameters <= 122569",
            Missed,
            "122,570 parameters, 1 too many",
        ),
        (
            "parameters < 122570",
            Missed,
            "122,570 parameters, 1 too many",
        ),
        ("parameters > 122570", Missed, "122,570 parameters, 1 short"),
        (
            "parameters >= 122575",
            Missed,
            "122,570 parameters, 5 short",
        ),
        (
            "parameters = 50000",
            Missed,
            "122,570 parameters, 72,570 too many",
        ),
        // 64 channels of 4×4, and the input's axes through 3, 2, 3, 2 and 3.
        (
            "code <= 1000",
            Missed,
            "1,024 numbers in the code, 24 too many",
        ),
        ("receptive_field >= 18", Met, "18 of the input seen"),
        (
            "receptive_field >= 32",
            Missed,
            "18 of the input seen, 14 short",
        ),
        ("layers <= 12", Met, "12 layers"),
        ("output = input", Missed, "there is no decoder"),
        (
            "accuracy >= 0.9",
            Standing::AfterTraining,
            "known after training",
        ),
        (
            "psnr >= 22",
            Missed,
            "no stage reconstructs, so nothing measures it",
        ),
    ] {
        assert_eq!(
            alone("keras-cifar", goal),
            (standing, text.to_owned()),
            "{goal}"
        );
    }
    let project = project("keras-cifar", &["memory <= 1 MB"]);
    let inference = infer(&project.network);
    let stage = &project.stages[0];
    let memory = run_memory(
        inference.plan.as_ref().unwrap(),
        stage,
        stage.batch,
        MACHINE,
    )
    .unwrap()
    .total()
    .total();
    assert_eq!(
        judge(&project, &inference, &Measured::default())[0].now,
        Some(Now::Count(memory))
    );
}

#[test]
fn the_output_is_compared_with_the_input() {
    assert_eq!(
        alone("conv-autoencoder", "output = input"),
        (Standing::Met, "output 3×32×32".into())
    );
    let mut project = project("conv-autoencoder", &["output = input"]);
    project.network.decoder[0] = Node::from_text("convt 3 k7 s4 p2");
    let short = "output 3×31×31, one row and one column short".to_owned();
    assert_eq!(
        judged(&project, Measured::default()),
        [(Standing::Missed, short)]
    );
}

/// An axis that sees less than the others decides.
#[test]
fn every_axis_has_to_see_enough() {
    let mut project = project("keras-cifar", &["receptive_field >= 5"]);
    project.network.encoder = vec![Node::from_text("conv 4 k3x7")];
    assert_eq!(
        judged(&project, Measured::default())[0],
        (Standing::Missed, "3 of the input seen, 2 short".into())
    );
    project.goals = ["receptive_field <= 5".parse().unwrap()]
        .into_iter()
        .collect();
    assert_eq!(
        judged(&project, Measured::default())[0],
        (Standing::Missed, "7 of the input seen, 2 too many".into())
    );
    project.network.encoder.clear();
    assert_eq!(
        judged(&project, Measured::default())[0],
        (Standing::Met, "1 of the input seen".into())
    );
    project.network.input = "100".parse().unwrap();
    assert!(
        judged(&project, Measured::default())[0]
            .1
            .contains("a vector")
    );
}

#[test]
fn what_an_error_hides_is_not_met() {
    let all = [
        "output = input",
        "parameters >= 0",
        "macs >= 0",
        "receptive_field >= 0",
        "layers >= 0",
        "memory >= 0 B",
    ];
    let mut project = project("conv-autoencoder", &all);
    project.network.encoder[0] = Node::from_text("conv 32 k99");
    for (standing, text) in judged(&project, Measured::default()) {
        assert_eq!(
            (standing, text.as_str()),
            (Standing::Missed, "not known: encoder.0 has an error")
        );
    }
    let goals = judge(&project, &infer(&project.network), &Measured::default());
    assert!(!are_met(&goals));
}

#[test]
fn measured_goals_are_judged_after_training() {
    let project = project(
        "conv-autoencoder",
        &["psnr >= 22", "accuracy >= 0.9", "mse <= 0.01"],
    );
    let measured = |psnr, accuracy, mse| Measured {
        psnr: Some(psnr),
        accuracy: Some(accuracy),
        mse: Some(mse),
    };
    let texts = |measured| {
        judged(&project, measured)
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        texts(measured(22.0, 0.9, 0.01)),
        ["22.00 dB", "accuracy 90.00 %", "mse 0.0100"]
    );
    assert_eq!(
        texts(measured(21.5, 0.8, 0.03)),
        [
            "21.50 dB, 0.50 dB short",
            "accuracy 80.00 %, 10.00 % short",
            "mse 0.0300, 0.0200 too much"
        ]
    );
    let nan = judged(&project, measured(f64::NAN, 0.9, f64::INFINITY));
    assert_eq!(
        nan.iter()
            .map(|(standing, _)| *standing)
            .collect::<Vec<_>>(),
        [Standing::Missed, Standing::Met, Standing::Missed]
    );
    assert!(nan[0].1.contains("diverged"), "{nan:?}");
}
