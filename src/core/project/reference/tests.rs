use super::*;
use crate::project::data::DataSpec;
use crate::project::file::parse;
use crate::project::stage::Stage;
use serde::de::{self, DeserializeOwned, Visitor};
use std::collections::BTreeSet;

/// A deserializer that gives back the names of a struct's fields, as serde has them.
struct Fields;

#[derive(Debug, PartialEq)]
struct Names(Vec<&'static str>);

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Names {}

impl de::Error for Names {
    fn custom<T: std::fmt::Display>(message: T) -> Names {
        panic!("{message}")
    }
}

impl<'de> de::Deserializer<'de> for Fields {
    type Error = Names;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
        panic!("no struct")
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Names> {
        Err(Names(fields.to_vec()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names that serde reads, former ones included.
pub(crate) fn fields<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<&'static str> {
    T::deserialize(Fields).unwrap_err().0.into_iter().collect()
}

fn described(settings: &[Setting]) -> BTreeSet<&'static str> {
    settings
        .iter()
        .flat_map(|setting| setting.former.iter().copied().chain([setting.key]))
        .collect()
}

#[test]
fn every_setting_that_is_read_is_described() {
    use crate::project::file::{RawNetwork, RawProject};
    assert_eq!(described(data::ALL), fields::<DataSpec>());
    assert_eq!(described(stage::ALL), fields::<Stage>());
    assert_eq!(described(project::NETWORK), fields::<RawNetwork>());
    let mut root = described(project::ROOT);
    root.extend(["data", "network", "goals", "sweep", "stage", "run"]);
    assert_eq!(root, fields::<RawProject>());
    let mut of_run = described(run::ALL);
    of_run.extend(["data", "network", "goals", "stage"]);
    assert_eq!(of_run, fields::<crate::project::study::RawRun>());
}

/// A project in which this setting is this value.
fn with(heading: &str, key: &str, value: &str) -> String {
    let of = |name: &str, others: &[(&str, &str)]| -> String {
        let own = (heading == name).then(|| format!("{key} = {value}\n"));
        let others = others
            .iter()
            .filter(|(other, _)| heading != name || *other != key)
            .map(|(key, value)| format!("{key} = {value}\n"));
        own.into_iter().chain(others).collect()
    };
    let stage = [
        ("name", "\"a\""),
        ("task", "\"reconstruct\""),
        ("loss", "\"mse\""),
        ("epochs", "1"),
        ("batch", "2"),
    ];
    let own_run = [("name", "\"transfer\"")];
    let models: &[(&str, &str)] = match key {
        "features" | "limit" => &[("baseline", "\"logistic\"")],
        _ => &[],
    };
    let runs = match heading {
        "[[run]]" => format!(
            "[[run]]\nname = \"autoencoder\"\n[[run]]\n{}",
            of("[[run]]", &[&own_run, models].concat())
        ),
        _ => String::new(),
    };
    format!(
        "{}[data]\n{}[network]\n{}[goals]\n{}[sweep]\n{}[[stage]]\n{}{runs}",
        of("", &[("format", "1")]),
        of("[data]", &[]),
        of("[network]", &[("input", "\"3x8x8\"")]),
        of("[goals]", &[]),
        of("[sweep]", &[]),
        of("[[stage]]", &stage)
    )
}

#[test]
fn every_example_is_read() {
    for section in sections() {
        for setting in section.settings {
            let text = with(section.heading, setting.key, setting.example);
            let read = parse(&text, "p");
            assert!(read.is_ok(), "{}: {}", setting.key, read.unwrap_err());
        }
    }
}

/// Words of serde, TOML's reader and Rust, which say nothing to whoever wrote a project.
const FOREIGN: [&str; 22] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "i32",
    "i64",
    "i128",
    "f32",
    "f64",
    "struct",
    "enum",
    "tuple",
    "invalid type",
    "invalid value",
    "invalid length",
    "expected",
    "unit variant",
    "missing field",
    "unknown field",
    "unknown variant",
    "did not match",
];

fn assert_plain(message: &str, about: &str) {
    let words = message.to_lowercase();
    let found: Vec<&&str> = FOREIGN
        .iter()
        .filter(|foreign| {
            words
                .match_indices(**foreign)
                .any(|(at, word)| is_alone(&words, at, word.len()))
        })
        .collect();
    assert!(found.is_empty(), "{about}: {message} has {found:?}");
}

/// Whether a word is none of a longer one, as `structured` or `unexpectedly` are.
fn is_alone(text: &str, at: usize, length: usize) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + length..].chars().next())
}

/// Every key with every kind of value: what cannot be is told in terms of what was written and what to write, with the
/// line, and names the setting.
#[test]
fn wrong_values_of_all_kinds_are_told_in_words() {
    let kinds = [
        "\"certainly wrong\"",
        "\"\"",
        "-3",
        "3",
        "2.5",
        "-0.5",
        "nan",
        "true",
        "[]",
        "[1, 2, 3]",
        "[\"x\", 3]",
        "[[1]]",
        "{ a = 1 }",
        "{}",
        "{ mean = 3, std = \"x\" }",
        "{ patience = \"x\" }",
        "{ repeat = -1, layers = [] }",
        "[{ add = 3 }]",
        "[{ repeat = 99999999999, layers = [] }]",
        "[{ relu = 1 }]",
        "[-1, -2]",
        "[1e300, 99999999999]",
        "99999999999999999999999",
        "-99999999999999999999999",
        "4294967296",
        "18446744073709551616",
        "1e400",
        "1979-05-27",
        "0xffffffffffffffffff",
        "'''\nlines\n'''",
    ];
    let (mut refused, mut read) = (0, 0);
    for section in sections() {
        for setting in &section.settings {
            for value in kinds {
                let text = with(section.heading, setting.key, value);
                let Err(error) = parse(&text, "p.toml") else {
                    read += 1;
                    continue;
                };
                refused += 1;
                let (message, about) = (error.to_string(), format!("{} = {value}", setting.key));
                assert_plain(&message, &about);
                assert!(
                    message.contains(setting.key) && message.contains("p.toml"),
                    "{about}: {message}"
                );
                if setting.key != "format" {
                    assert!(message.contains(", line "), "{about}: {message}");
                }
            }
        }
    }
    assert!(refused > 800 && read > 50, "{refused} {read}");
}

#[test]
fn texts_that_are_no_toml_say_what_to_write() {
    for (line, part) in [
        ("epochs", "written with ="),
        ("epochs =", "a value is missing"),
        ("name = train", "between quotes"),
        ("name = \"a", "not closed"),
        ("encoder = [\"relu\"", "not closed"),
        ("epochs = 3\nepochs = 4", "given twice"),
        ("a = [1 2]", "comma"),
        ("= 3", "key = value"),
        ("path = \"C:\\data\"", "single quotes"),
    ] {
        let error = parse(&format!("format = 1\n{line}\n"), "p").unwrap_err();
        let message = error.to_string();
        assert!(message.contains(part), "{line}: {message}");
        assert_plain(&message, line);
    }
}

#[test]
fn a_table_that_is_none_says_how_it_is_written() {
    let base = "format = 1\n[network]\ninput = \"1x8x8\"\n";
    for (text, part) in [
        (
            format!("{base}[stage]\nname = \"a\"\n"),
            "line 4: stages are tables of their own: write the line [[stage]]",
        ),
        (
            "format = 1\ndata = 3\n".to_owned(),
            "line 2: data is a table of settings: write the line [data]",
        ),
        ("format = 1\n".to_owned(), "a project needs [network]"),
        (
            "format = 1\n[network]\n".to_owned(),
            "line 2: [network] needs `input`: write channels x height x width",
        ),
        (
            format!("{base}[[stage]]\nname = \"a\"\n"),
            "line 4: [[stage]] needs `task`: write one of reconstruct",
        ),
        (
            format!("{base}[data]\nsource = \"mnst\"\n"),
            "line 5: source = \"mnst\" is not possible: did you mean \"mnist\"? Else write one of shapes, mnist",
        ),
        (
            format!("{base}[data]\npatch = 3\n"),
            "line 5: patch = 3 is not possible: write a height and a width",
        ),
        (
            format!("{base}[data]\npatch = \"3\"\npatches = \"4\"\n"),
            "former name of `patch`",
        ),
        (
            format!("{base}[goals]\nparams = 3\n"),
            "line 5: there is no setting `params` in [goals]",
        ),
    ] {
        let message = parse(&text, "p").unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
}

/// Settings that are lists or tables are read from texts too, as all others are.
#[test]
fn structured_settings_have_texts() {
    for (heading, key, text, structure) in [
        ("[data]", "resize", "\"32x16\"", "[32, 16]"),
        ("[data]", "patch", "\"8x4\"", "[8, 4]"),
        ("[data]", "range", "\"-1..1\"", "[-1, 1]"),
        (
            "[data]",
            "normalize",
            "\"mean=0.5,0.4 std=0.25,0.2\"",
            "{ mean = [0.5, 0.4], std = [0.25, 0.2] }",
        ),
        (
            "[data]",
            "spectrogram",
            "\"window=256 hop=128 log=false\"",
            "{ window = 256, hop = 128, log = false }",
        ),
        (
            "[data]",
            "augment",
            "\"hflip, { choice = ['vflip', 'rotate 18'] }\"",
            "[\"hflip\", { choice = [\"vflip\", \"rotate 18\"] }]",
        ),
        (
            "[network]",
            "encoder",
            "\"conv 8 k3, { add = [['relu'], []] }\"",
            "[\"conv 8 k3\", { add = [[\"relu\"], []] }]",
        ),
        (
            "[network]",
            "locked",
            "\"encoder, head.0\"",
            "[\"encoder\", \"head.0\"]",
        ),
        (
            "[[stage]]",
            "freeze",
            "\"encoder head.0\"",
            "[\"encoder\", \"head.0\"]",
        ),
        (
            "[[stage]]",
            "early_stop",
            "\"train loss patience=5\"",
            "{ metric = \"train loss\", patience = 5 }",
        ),
        (
            "[[stage]]",
            "early_stop",
            "\"patience=5\"",
            "{ patience = 5 }",
        ),
    ] {
        let [text, structure] =
            [text, structure].map(|value| parse(&with(heading, key, value), "p").unwrap());
        assert_eq!(text, structure, "{key}");
    }
}

#[test]
fn every_loss_and_optimizer_is_named_in_its_setting() {
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|letter: char| letter == ',' || letter.is_whitespace());
        parts.map(str::to_owned).collect()
    };
    let losses = words(stage::LOSS.values);
    for loss in crate::project::loss::Loss::ALL {
        assert!(losses.contains(&loss.spec().word.to_owned()), "{loss}");
    }
    let optimizers = words(stage::OPTIMIZER.values);
    for optimizer in &crate::project::optimizer::OPTIMIZERS {
        let word = optimizer.word;
        assert!(optimizers.contains(&word.to_owned()), "{word}");
    }
}
