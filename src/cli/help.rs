//! `strata help`: the reference of what project files may hold, from the descriptions that the window shows; or the
//! help of a command.

use super::args::{Args, HelpArgs};
use super::text::left;
use super::{WrongInput, output};
use clap::CommandFactory;
use strata_core::project::augment::KINDS;
use strata_core::project::data::Source;
use strata_core::project::loss::Loss;
use strata_core::project::optimizer::OPTIMIZERS;
use strata_core::project::reference::{self, Section, Setting};
use strata_core::project::schedule::SCHEDULES;
use strata_core::shape::layers::{LayerWord, WORDS};

/// What there is a reference of.
const TOPICS: [&str; 4] = ["layers", "project", "augment", "data"];

/// Prints the reference or the help of a command; without a word, that of the program.
pub fn run(args: &HelpArgs) -> anyhow::Result<()> {
    let about = args.about.as_deref().unwrap_or_default();
    let text = match about {
        "layers" => layers(),
        "project" => project(),
        "augment" => augment(),
        // A command has this name too.
        "data" => format!("{}\n\n{}", of_command(about)?, data()),
        _ => match WORDS.iter().find(|layer| layer.word == about) {
            Some(layer) => of_layer(layer),
            None => of_command(about)?,
        },
    };
    output::print(text.trim_end())
}

/// What `--help` prints of a command, or of the program.
fn of_command(name: &str) -> Result<String, WrongInput> {
    let mut grammar = Args::command();
    grammar.build();
    if name.is_empty() {
        return Ok(grammar.render_help().to_string());
    }
    let names: Vec<String> = grammar
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let found = grammar.find_subcommand_mut(name);
    found
        .map(|command| command.render_help().to_string())
        .ok_or_else(|| {
            WrongInput(format!(
                "there is no help about `{name}`; there is {}, each layer by its word, and of the commands {}",
                TOPICS.join(", "),
                names.join(", ")
            ))
        })
}

/// The letters and words that layers take, with their meanings.
const ATTRIBUTES: [(&str, &str); 10] = [
    (
        "k",
        "kernel size: k3, or k3x5 for each axis; 3 unless given, of a pooling 2",
    ),
    (
        "s",
        "stride: s2; 1 unless given, of a pooling the kernel size",
    ),
    (
        "p",
        "zeros on both ends of every axis: p1, p1x2; 0 unless given. Or `same`: the output is the input's size divided \
         by the stride, rounded up; `valid`: no padding, written out",
    ),
    ("op", "output padding of convt: op1; 0 unless given"),
    ("d", "dilation: d2; 1 unless given"),
    ("g", "groups: g4; 1 unless given"),
    ("m", "channels out for each channel in: m2; 1 unless given"),
    ("nobias", "without a bias"),
    ("bilinear", "interpolates; values are repeated unless given"),
    (
        "channels",
        "a slope for each channel; one for all unless given",
    ),
];

/// The attributes of a layer in one line, such as `k s p d g nobias`.
fn attributes(layer: &LayerWord) -> String {
    layer.attributes().collect::<Vec<_>>().join(" ")
}

fn layers() -> String {
    let rows = WORDS.iter().map(|layer| {
        let [word, example, about] = [layer.word, layer.example, layer.about].map(str::to_owned);
        [word, example, attributes(layer), about]
    });
    let text = "Layers are short texts in the lists encoder, decoder and head of [network]: a word, then numbers and \
                attributes in any order. `conv 32 k3 @stem` names a layer. Blocks hold lists of their own: { add = \
                [[…], […]] }, { concat = [[…], […]] }, { repeat = 8, layers = […] }.";
    let meanings = ATTRIBUTES.map(|(attribute, about)| [attribute, about].map(str::to_owned));
    format!(
        "{text}\n\n{}\n{}",
        rows_of(
            ["layer", "example", "takes", "what it does"],
            rows.collect()
        ),
        rows_of(["attribute", "what it is"], meanings.to_vec())
    )
}

/// One layer: what it does, an example, and each attribute with its meaning.
fn of_layer(layer: &LayerWord) -> String {
    let takes = ATTRIBUTES
        .iter()
        .filter(|(attribute, _)| layer.attributes().any(|known| known == *attribute))
        .map(|(attribute, about)| [*attribute, *about].map(str::to_owned))
        .collect::<Vec<_>>();
    let head = format!("{}\n\n    {}\n", layer.about, layer.example);
    if takes.is_empty() {
        return head;
    }
    format!("{head}\n{}", rows_of(["takes", "what it is"], takes))
}

fn augment() -> String {
    let rows = KINDS
        .iter()
        .map(|(word, example, about)| [*word, *example, *about].map(str::to_owned));
    let text = "Augmentations are short texts in the list augment of [data]; they change training images alone. One \
                number is a distance from the neutral value, low..high a range, p0.5 a probability; reflect, edge \
                and wrap say what fills the border, nearest and bilinear how values between pixels are found.";
    format!(
        "{text}\n\n{}",
        rows_of(["word", "example", "what it does"], rows.collect())
    )
}

fn data() -> String {
    let row = |source: Source| {
        let info = source.info();
        let files = info.wants.unwrap_or("no files: images drawn from the seed");
        let folds = info.folds.unwrap_or_default();
        let classes = info
            .classes
            .map_or_else(String::new, |classes| classes.to_string());
        [
            info.name.to_owned(),
            classes,
            format!("{files}. {folds}")
                .trim_end_matches([' ', '.'])
                .to_owned(),
        ]
    };
    let rows = rows_of(
        ["source", "classes", "path is"],
        Source::ALL.map(row).to_vec(),
    );
    let keys = reference::sections()
        .iter()
        .filter(|section| section.heading == "[data]")
        .map(of_section)
        .collect::<String>();
    format!("Sources of images:\n\n{rows}\n\n{keys}")
}

fn project() -> String {
    let text = "A project is a TOML file. A setting without a default must be given; all others may be left out.";
    let sections: String = reference::sections().iter().map(of_section).collect();
    let losses = Loss::ALL.map(|loss| [loss.to_string(), loss.spec().about.to_owned()]);
    let optimizers = OPTIMIZERS
        .iter()
        .map(|kind| [kind.example.to_owned(), format!("reads {}", kind.keys())]);
    let schedules = SCHEDULES.iter();
    let schedules =
        schedules.map(|kind| [kind.example.to_owned(), format!("reads {}", kind.keys())]);
    format!(
        "{text}\n\n{sections}Losses\n\n{}\n\nOptimizers\n\n{}\n\nSchedules\n\n{}",
        rows_of(["loss", "what it is"], losses.to_vec()),
        rows_of(["optimizer", "settings"], optimizers.collect()),
        rows_of(["schedule", "settings"], schedules.collect())
    )
}

/// A table's heading and its settings.
fn of_section(section: &Section) -> String {
    let heading = match section.heading {
        "" => "Before all tables",
        heading => heading,
    };
    let settings: String = section.settings.iter().map(of_setting).collect();
    format!("{heading}: {}\n\n{settings}\n", section.about)
}

/// The sentence, then what may be written, an example and the default.
fn of_setting(setting: &Setting) -> String {
    const INDENT: &str = "      ";
    let default = match setting.is_required() {
        true => "must be given".to_owned(),
        false => format!("default: {}", setting.default),
    };
    format!(
        "  {}\n{INDENT}{}\n{INDENT}{}, such as {} = {}\n{INDENT}{default}\n",
        setting.key,
        setting.about,
        setting.possible(),
        setting.key,
        setting.example
    )
}

/// Columns as wide as their widest cell, the last as it is.
fn rows_of<const N: usize>(heading: [&str; N], rows: Vec<[String; N]>) -> String {
    let all: Vec<[String; N]> = std::iter::once(heading.map(str::to_owned))
        .chain(rows)
        .collect();
    let width = |column: usize| {
        all.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let line = |row: &[String; N]| {
        let cells = (0..N).map(|column| left(&row[column], width(column)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_holds_every_word() {
        let (layers, project, augment, data) = (layers(), project(), augment(), data());
        for layer in WORDS {
            assert!(
                layers.contains(&format!("\n{} ", layer.word)),
                "{}",
                layer.word
            );
        }
        for (word, ..) in KINDS {
            assert!(augment.contains(&format!("\n{word} ")), "{word}");
        }
        for source in Source::ALL {
            assert!(data.contains(&format!("\n{source} ")), "{source}");
        }
        for section in reference::sections() {
            for setting in &section.settings {
                let described = of_setting(setting);
                assert!(project.contains(&described), "{}", setting.key);
                assert_eq!(data.contains(&described), section.heading == "[data]");
            }
        }
    }

    #[test]
    fn every_attribute_of_every_layer_is_explained() {
        for layer in WORDS {
            let help = of_layer(layer);
            assert!(help.contains(layer.example), "{help}");
            for attribute in layer.attributes() {
                assert!(help.contains(&format!("\n{attribute} ")), "{help}");
            }
        }
    }

    #[test]
    fn commands_have_their_help_still() {
        assert!(of_command("train").unwrap().contains("--resume"));
        assert!(of_command("").unwrap().contains("report"));
        assert!(
            of_command("fly")
                .unwrap_err()
                .0
                .contains("layers, project, augment, data")
        );
    }
}
