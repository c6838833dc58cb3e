use super::*;
use crate::project::file::{parse, to_text};

const HEAD: &str = "format = 1\n[network]\ninput = \"1x8x8\"\n";

fn goal(text: &str) -> Goal {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn goals_read_and_write_exactly() {
    for text in [
        "output = input",
        "parameters <= 50000",
        "macs < 18446744073709551615",
        "receptive_field >= 32",
        "code = 64",
        "layers > 3",
        "memory <= 64 MB",
        "memory <= 1500 kB",
        "memory < 67108864 B",
        "memory >= 0 B",
        "psnr >= 22.5",
        "psnr > -3",
        "accuracy >= 0.9",
        "mse <= 1e-5",
    ] {
        assert_eq!(goal(text).to_string(), text);
    }
}

#[test]
fn what_means_the_same_reads_the_same() {
    for (text, same) in [
        ("parameters ≤ 50_000", "parameters <= 50000"),
        ("parameters<=50k", "parameters <= 50000"),
        ("macs <= 1e6", "macs <= 1000000"),
        ("macs <= 1.5M", "macs <= 1500000"),
        ("code == 64", "code = 64"),
        ("receptive_field ≥ 32", "receptive_field >= 32"),
        ("memory <= 64MiB", "memory <= 67108864 B"),
        ("memory <= 1.5 GB", "memory <= 1500 MB"),
        ("psnr >= 22 dB", "psnr >= 22"),
        ("accuracy >= 90 %", "accuracy >= 0.9"),
        ("  output  input ", "output = input"),
    ] {
        assert_eq!(goal(text), goal(same), "{text}");
    }
}

#[test]
fn nonsense_is_one_sentence() {
    for (text, part) in [
        ("", "there is no goal ``"),
        (
            "size <= 3",
            "there is no goal `size`: use output, parameters",
        ),
        ("parameters", "start it with <="),
        ("parameters 50000", "start it with <="),
        ("parameters <=", "whole number"),
        ("parameters <= -5", "whole number"),
        ("parameters <= 0.5", "whole number"),
        ("parameters <= nan", "whole number"),
        ("parameters <= 99999999999999999999", "whole number"),
        ("parameters <= 99999999999999999G", "whole number"),
        ("parameters <= 1e300", "whole number"),
        ("code => 3", "whole number"),
        ("output = 3x8x8", "only equal the input"),
        ("output >= input", "only equal the input"),
        ("memory <= 64 parsecs", "a size in B"),
        ("psnr >= inf", "decibels"),
        ("accuracy >= 90", "a share from 0 to 1"),
        ("accuracy >= 101 %", "a share from 0 to 1"),
        ("mse <= -1", "a number from 0"),
        ("mse <= NaN", "a number from 0"),
    ] {
        let error = text.parse::<Goal>().unwrap_err().0;
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn examples_are_goals() {
    for quantity in Quantity::ALL {
        let goal = Goal::parse(quantity, quantity.example()).unwrap();
        assert_eq!(goal.value_text(), quantity.example());
        assert_eq!(goal.to_string().parse::<Goal>().unwrap(), goal);
    }
}

#[test]
fn relations_hold_as_in_mathematics() {
    let held = |now: f64| {
        [
            Relation::AtMost,
            Relation::AtLeast,
            Relation::Below,
            Relation::Above,
            Relation::Equal,
        ]
        .map(|relation| relation.holds(now, 2.0))
    };
    assert_eq!(held(1.0), [true, false, true, false, false]);
    assert_eq!(held(2.0), [true, true, false, false, true]);
    assert_eq!(held(3.0), [false, true, false, true, false]);
    assert_eq!(held(f64::NAN), [false; 5]);
}

#[test]
fn the_table_round_trips_and_is_absent_when_empty() {
    let goals = "[goals]\noutput = \"input\"\nparameters = \"≤ 50k\"\npsnr = \">= 22\"\n";
    let project = parse(
        &format!("{HEAD}locked = [\"encoder.0\", \"decoder\"]\n{goals}"),
        "p",
    )
    .unwrap();
    assert_eq!(
        project
            .goals
            .iter()
            .map(Goal::to_string)
            .collect::<Vec<_>>(),
        ["output = input", "parameters <= 50000", "psnr >= 22"]
    );
    assert_eq!(project.locked, ["encoder.0", "decoder"]);
    let text = to_text(&project);
    assert!(
        text.contains("\n[goals]\noutput = \"input\"\nparameters = \"<= 50000\"\n"),
        "{text}"
    );
    assert_eq!(parse(&text, "again").unwrap(), project);
    let plain = to_text(&parse(HEAD, "p").unwrap());
    assert!(
        !plain.contains("goals") && !plain.contains("locked"),
        "{plain}"
    );
}

#[test]
fn damaged_tables_say_the_line() {
    for (text, part) in [
        (
            "[goals]\nparameters = \"50000\"\n",
            "line 5: `50000` is no goal for parameters",
        ),
        (
            "[goals]\noutput = \"input\"\nparameters = 50000\n",
            "line 6: parameters = 50000 is not possible: write <=, >=, <, > or =",
        ),
        (
            "[goals]\noutput = \"input\"\nspeed = \"<= 3\"\n",
            "line 6: there is no setting `speed` in [goals]",
        ),
        (
            "[goals]\ncode = \"<= 3\"\ncode = \"<= 4\"\n",
            "line 6: `code = \"<= 4\"`: this is given twice",
        ),
        (
            "[goals]\ncode = [\"<= 3\"]\n",
            "line 5: code = [\"<= 3\"] is not possible",
        ),
        (
            "goals = 3\n",
            "line 4: there is no setting `goals` in [network]",
        ),
        ("locked = 3\n", "line 4: locked = 3 is not possible"),
        ("locked = [3]\n", "line 4: locked = [3] is not possible"),
    ] {
        let error = parse(&format!("{HEAD}{text}"), "p.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    let error = parse(&format!("goals = 3\n{HEAD}"), "p.toml")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 1: goals is a table of settings"),
        "{error}"
    );
}

#[test]
fn goals_are_changed_and_taken_away() {
    let goals: Goals = [goal("code <= 64"), goal("layers <= 3")]
        .into_iter()
        .collect();
    let changed = goals.with(goal("code <= 32"));
    assert_eq!(changed.get(Quantity::Code), Some(&goal("code <= 32")));
    assert!(
        changed
            .without(Quantity::Code)
            .without(Quantity::Layers)
            .is_empty()
    );
}
