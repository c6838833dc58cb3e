use super::*;

#[test]
fn schedules_are_read_and_written() {
    for text in [
        "constant warmup=2",
        "cosine",
        "cosine warmup=1",
        "cosine min=1e-5 warmup=0.5",
        "step every=10 gamma=0.1",
        "step every=3 gamma=0.5 warmup=1",
        "multistep at=30,60 gamma=0.1",
        "multistep at=2.5 gamma=0.3 warmup=1",
        "exponential gamma=0.95",
        "polynomial power=2",
        "onecycle",
        "onecycle pct_start=0.2 div_factor=10 final_div_factor=100 linear fixed_momentum",
        "onecycle base_momentum=0.5 max_momentum=0.9",
        "plateau",
        "plateau train accuracy factor=0.5 patience=2 threshold=0 cooldown=3 min=1e-5 warmup=1",
    ] {
        let schedule: Schedule = text.parse().unwrap();
        assert_eq!(schedule.to_string(), text);
    }
    for word in &SCHEDULES {
        let schedule: Schedule = word.example.parse().unwrap();
        assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()));
        assert_eq!(schedule.word(), word.word);
        assert!(word.word.parse::<Schedule>().is_ok(), "{}", word.word);
        for setting in word.settings.iter().filter(|one| !one.default.is_empty()) {
            let text = format!("{} {}={}", word.word, setting.key, setting.default);
            let alone: Schedule = word.word.parse().unwrap();
            assert_eq!(text.parse(), Ok(alone), "the default of {}", setting.key);
        }
    }
}

#[test]
fn a_warm_up_of_a_part_of_an_epoch_delays_no_fall() {
    for (text, falls_after) in [
        ("step every=1 gamma=0.5 warmup=0.3", 1),
        ("exponential gamma=0.5 warmup=0.3", 1),
        ("multistep at=2 gamma=0.5 warmup=0.3", 2),
    ] {
        let schedule: Schedule = text.parse().unwrap();
        for epoch in falls_after..20 {
            let rate = |update: u64| {
                let at = Moment {
                    epoch,
                    update,
                    updates_per_epoch: 10,
                    epochs: 20,
                };
                schedule.rates(1.0, at, &PlateauWatch::default()).lr
            };
            let falls = text.starts_with("multistep") && epoch > 2;
            let wanted = if falls { rate(2) } else { 0.5 * rate(2) };
            assert_eq!(rate(3), wanted, "{text} in epoch {epoch}");
        }
    }
}

#[test]
fn wrong_schedules_are_one_sentence() {
    for (text, part) in [
        ("linear", "there is no schedule `linear`"),
        ("onecycle warmup=1", "`warmup`"),
        ("multistep at=30,20", "rising"),
        ("multistep at=x", "rising"),
        ("plateau patience=1.5", "whole number"),
        ("plateau factor=1", "from 0 to 0.999999"),
        (
            "onecycle fixed_momentum max_momentum=0.9",
            "leaves the momentum alone",
        ),
        ("polynomial power=0", "from 1e-3"),
        ("cosine every=3", "use min, warmup"),
    ] {
        let error = text.parse::<Schedule>().unwrap_err();
        assert!(error.0.contains(part), "{text}: {error}");
    }
}

fn moment(epoch: u32, update: u64) -> Moment {
    Moment {
        epoch,
        update,
        updates_per_epoch: 10,
        epochs: 11,
    }
}

/// The numbers that projects of earlier versions were trained with.
#[test]
fn cosine_rises_then_falls() {
    let schedule: Schedule = "cosine warmup=1".parse().unwrap();
    let factor = |at| schedule.rates(1.0, at, &PlateauWatch::default()).lr;
    assert_eq!(factor(moment(0, 0)), 1e-3);
    assert_eq!(factor(moment(0, 5)), 0.5);
    assert_eq!(factor(moment(1, 0)), 1.0);
    assert!((factor(moment(6, 0)) - 0.5).abs() < 1e-12);
    assert!(factor(moment(11, 0)) < 1e-12);
}

/// The rates of 100 updates by a schedule of PyTorch, 5 in an epoch.
#[derive(serde::Deserialize)]
struct Case {
    schedule: String,
    lr: f64,
    rates: Vec<f64>,
    momenta: Option<Vec<f64>>,
    metrics: Option<Vec<f64>>,
}

#[test]
fn rates_are_pytorchs() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/schedules.json"
    );
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 25);
    for case in cases {
        compare(&case);
    }
}

fn compare(case: &Case) {
    const PER_EPOCH: u64 = 5;
    let schedule: Schedule = case.schedule.parse().unwrap();
    let epochs = case.rates.len() as u64 / PER_EPOCH;
    let mut watch = PlateauWatch::default();
    for (step, wanted) in case.rates.iter().enumerate() {
        let step = step as u64;
        let at = Moment {
            epoch: (step / PER_EPOCH) as u32,
            update: step % PER_EPOCH,
            updates_per_epoch: PER_EPOCH,
            epochs: epochs as u32,
        };
        let rates = schedule.rates(case.lr, at, &watch);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(
            close(rates.lr, *wanted),
            "{} {step}: {} {wanted}",
            case.schedule,
            rates.lr
        );
        let momentum = case.momenta.as_ref().map(|momenta| momenta[step as usize]);
        assert_eq!(rates.momentum.is_some(), momentum.is_some());
        let pair = rates.momentum.zip(momentum);
        assert!(
            pair.is_none_or(|(a, b)| close(a, b)),
            "{} {step}: {pair:?}",
            case.schedule
        );
        let ends = at.update + 1 == PER_EPOCH;
        if let (Some(plateau), Some(metrics), true) = (schedule.plateau(), &case.metrics, ends) {
            watch = plateau.judge(watch, metrics[at.epoch as usize], case.lr);
        }
    }
}
