use super::super::file::{parse, to_text, update_text};
use super::*;
use toml::Value;

const PROJECT: &str =
    "format = 1\n[network]\ninput = \"1x8x8\"\nencoder = [\"conv 4 k3\", \"relu\"]\n";

fn sweep(lines: &str) -> Sweep {
    let text = format!("{PROJECT}\n[sweep]\n{lines}\n");
    parse(&text, "p").unwrap().sweep.unwrap()
}

#[test]
fn a_sweep_is_read_and_written() {
    let lines = "method = \"halving factor=2 epochs=1\"\nmetric = \"best valid log_loss\"\nseeds = 3\ntrials = 9\n\
         stop = \"valid accuracy < 0.5 after 2\"\nencoder.10.out_channels = [5, 10]\nencoder.2.kernel_size = [2, 3]\n\
         \"encoder.0.kernel_size, encoder.3.kernel_size\" = [2, 3]\nstage.\"fine tune\".lr = \"1e-4..1e-1 log\"\n\
         data.augment = [true, false]\nstage.0.optimizer = [\"sgd lr=0.1\", \"adam\"]";
    let read = sweep(lines);
    let keys: Vec<String> = read.factors.iter().map(Factor::key).collect();
    assert_eq!(
        keys,
        [
            "data.augment",
            "encoder.0.kernel_size, encoder.3.kernel_size",
            "encoder.2.kernel_size",
            "encoder.10.out_channels",
            "stage.0.optimizer",
            "stage.fine tune.lr",
        ]
    );
    let project = parse(&format!("{PROJECT}\n[sweep]\n{lines}\n"), "p").unwrap();
    assert_eq!(parse(&to_text(&project), "again").unwrap(), project);
    let table: Table = read.clone().into();
    assert_eq!(Sweep::try_from(table).unwrap(), read);
}

#[test]
fn what_is_wrong_is_one_sentence_with_its_line() {
    for (line, part) in [
        (
            "metod = \"grid\"",
            "line 7: there is no setting `metod` in [sweep]",
        ),
        (
            "method = \"bayes\"",
            "there is no method `bayes`: write grid, random",
        ),
        (
            "method = \"halving by=3\"",
            "`by` in `halving by=3` is not known",
        ),
        ("method = \"bayesian round=0\"", "round"),
        (
            "metric = \"valid beauty\"",
            "`valid beauty` is not measured: write valid accuracy",
        ),
        (
            "stop = \"valid accuracy 0.5\"",
            "write valid accuracy < 0.5 after 2",
        ),
        ("seeds = 0", "seeds = 0 is not possible"),
        (
            "encoder.0.out_channels = []",
            "encoder.0.out_channels has no values",
        ),
        (
            "encoder.0.out_channels = 5",
            "write those that are tried as a list",
        ),
        ("encoder.0.out_channels = [5, 5]", "has the value 5 twice"),
        ("stage.0.lr = \"1..\"", "`1..` is no range"),
        ("stage.0.lr = \"-1..1 log\"", "ratios need numbers above 0"),
        (
            "colour.0 = [1, 2]",
            "there is no setting `colour` in [sweep]",
        ),
        (
            "encoder.0.k = [1]\n\"encoder.0.k, head.0.k\" = [2]",
            "is tried twice",
        ),
    ] {
        let text = format!("{PROJECT}\n[sweep]\n{line}\n");
        let error = parse(&text, "p.toml").unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
        assert!(
            error.contains("line 7") || error.contains("line 8"),
            "{error}"
        );
    }
    let error = parse("format = 1\nsweep = 3\n[network]\ninput = \"1x8x8\"\n", "p").unwrap_err();
    assert!(error.to_string().contains("[sweep]"), "{error}");
}

#[test]
fn ranges_reach_both_ends_and_stay_inside() {
    let range = |text: &str| text.parse::<Range>().unwrap();
    assert_eq!(range("5..40").at(0.0), Value::Integer(5));
    assert_eq!(range("5..40").at(0.9999), Value::Integer(40));
    assert_eq!(range("1e-4..1e-1 log").at(0.5), Value::Float(3.162e-3));
    assert_eq!(range("0.0..2.0").at(0.25), Value::Float(0.5));
    for text in ["5..40", "1e-4..0.1 log", "0.0..2.0", "1..64 log"] {
        let range = range(text);
        assert_eq!(range.to_string(), text);
        // The share of a number leads back to it.
        for share in [0.0, 0.01, 0.3, 0.77, 0.9999] {
            let number = range.at(share);
            let value = number.as_float();
            let value = value.or_else(|| number.as_integer().map(|whole| whole as f64));
            assert_eq!(range.at(range.share_of(value.unwrap())), number, "{text}");
        }
    }
    assert_eq!(range("5..40").count(), Some(36));
    assert_eq!(range("0.0..2.0").count(), None);
}

#[test]
fn methods_are_written_with_their_settings() {
    for text in [
        "grid",
        "random",
        "halving factor=3 epochs=1",
        "bayesian startup=6 round=2",
    ] {
        assert_eq!(text.parse::<Method>().unwrap().to_string(), text);
    }
    assert_eq!("bayesian".parse(), Ok(Method::BAYESIAN));
}

#[test]
fn an_edited_sweep_keeps_the_comments_of_the_file() {
    let text = format!(
        "{PROJECT}\n# what is tried\n[sweep]\nseeds = 2 # enough\nencoder.0.out_channels = [5, 10]\n"
    );
    let mut project = parse(&text, "p").unwrap();
    let more = Factor::of_key(
        "stage.0.lr",
        Values::Between("1e-4..1e-1 log".parse().unwrap()),
    );
    project.sweep = project.sweep.map(|sweep| sweep.with(more));
    let updated = update_text(&text, &project);
    assert_eq!(parse(&updated, "p").unwrap(), project);
    assert!(
        updated.contains("# enough") && updated.contains("# what is tried"),
        "{updated}"
    );
}

#[test]
fn a_hopeless_trial_is_judged_by_itself() {
    let rule: StopRule = "valid accuracy < 0.5 after 2".parse().unwrap();
    assert!(rule.is_hopeless(0.4) && rule.is_hopeless(f64::NAN) && !rule.is_hopeless(0.5));
    let rule: StopRule = "train loss > 2.5 after 1".parse().unwrap();
    assert!(rule.is_hopeless(3.0) && !rule.is_hopeless(2.0));
    assert_eq!(rule.to_string(), "train loss > 2.5 after 1");
}
