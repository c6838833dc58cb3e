//! What every picture of a run says of itself: its word, the options that are for it, and how it is drawn.

use super::PICTURES;
use crate::cli::args::InspectArgs;
use crate::cli::{WrongInput, output};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::Value;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::snapshot::Snapshot;

/// A picture, with what it shows as JSON where it has numbers.
pub type Drawn = (Snapshot, Option<Value>);

/// How a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Draw {
    /// From what the run's folder holds.
    Folder(fn(&InspectArgs) -> anyhow::Result<Drawn>),
    /// From the opened run: its network and its images. These take `--checkpoint` and `--device`.
    Run(fn(&mut SavedRun, &InspectArgs) -> anyhow::Result<Drawn>),
    /// Likewise, and it is printed as text.
    Printed(fn(&mut SavedRun, &InspectArgs) -> anyhow::Result<()>),
}

/// What a picture looks at, and so which options of images are for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// No images that could be chosen.
    None,
    /// Image files that it begins with.
    Files,
    /// Image files or those of a split, each of which it shows.
    Each,
    /// Image files or those of a split, over all of which it measures.
    Set,
    /// Image files, beside those of a split.
    Beside,
}

impl Images {
    fn takes(self, option: &str) -> bool {
        match self {
            Images::None => false,
            Images::Files => OF_FILES.contains(&option),
            Images::Each | Images::Set | Images::Beside => {
                OF_FILES.contains(&option) || OF_SPLIT.contains(&option)
            }
        }
    }
}

/// A picture of a run.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// Its word, and the name of its file.
    pub word: &'static str,
    /// What it shows, for the help.
    pub shows: &'static str,
    /// What the options of images are to it.
    pub images: Images,
    /// The other options that are for it, as they are written.
    pub takes: &'static [&'static str],
    /// How it is drawn.
    pub draw: Draw,
    /// What its options must keep together.
    pub check: fn(&InspectArgs) -> Result<(), WrongInput>,
}

/// Options of every picture.
const OF_ALL: [&str; 2] = ["--json", "--output"];
/// Options of those that open the run.
const OF_RUN: [&str; 2] = ["--checkpoint", "--device"];
/// Options of those that look at image files.
const OF_FILES: [&str; 1] = ["--image"];
/// Options of those that look at the images of a split.
const OF_SPLIT: [&str; 2] = ["--split", "--limit"];

impl Picture {
    /// What a picture has unless it says otherwise.
    pub const NONE: Picture = Picture {
        word: "",
        shows: "",
        images: Images::None,
        takes: &[],
        draw: Draw::Folder(|_| Err(WrongInput("there is nothing to draw".to_owned()).into())),
        check: |_| Ok(()),
    };

    /// Whether the option is for it.
    pub fn takes(&self, option: &str) -> bool {
        let of_run = matches!(self.draw, Draw::Run(_) | Draw::Printed(_));
        OF_ALL.contains(&option)
            || (of_run && OF_RUN.contains(&option))
            || self.images.takes(option)
            || self.takes.contains(&option)
    }

    /// Refuses what it does not have.
    pub fn check(&self, args: &InspectArgs) -> Result<(), WrongInput> {
        let mut given = args.given.iter();
        if let Some(option) = given.find(|option| !self.takes(option)) {
            let takes = PICTURES.iter().filter(|picture| picture.takes(option));
            let names = listed(&takes.map(|picture| picture.word).collect::<Vec<_>>());
            return Err(self.refused(&format!("{option} is for {names}")));
        }
        if args.output.is_some() && matches!(self.draw, Draw::Printed(_)) {
            return Err(self.refused(&format!("{} is printed, so it has no -o", self.word)));
        }
        let is_one_source = self.images != Images::Beside;
        if is_one_source && !args.image.is_empty() && args.has(&OF_SPLIT) {
            return Err(WrongInput(
                "--image and --split or --limit name other images; leave one of them out"
                    .to_owned(),
            ));
        }
        (self.check)(args)
    }

    /// The picture, written to its file; or the text, printed.
    pub fn show(&self, args: &InspectArgs) -> anyhow::Result<()> {
        let file = args
            .output
            .clone()
            .unwrap_or_else(|| output::free_picture(&args.run, self.word));
        if !output::is_picture(&file) {
            let png = file.with_extension("png");
            return Err(WrongInput(format!(
                "pictures are written as PNG or SVG: write -o {}",
                png.display()
            ))
            .into());
        }
        let (picture, values) = match self.draw {
            Draw::Folder(draw) => draw(args)?,
            Draw::Run(draw) => draw(&mut super::open(args)?, args)?,
            Draw::Printed(print) => return print(&mut super::open(args)?, args),
        };
        output::write_picture(&file, &picture)?;
        match values.filter(|_| args.json) {
            Some(values) => output::print_json(&self.with_files(values, args)),
            None => output::print(&file.display().to_string()),
        }
    }

    /// With the names of the files that were measured over, by which images are told apart.
    fn with_files(&self, mut values: Value, args: &InspectArgs) -> Value {
        if self.images == Images::Set && !args.image.is_empty() {
            let names = args.image.iter().map(|file| file.display().to_string());
            values["files"] = names.collect();
        }
        values
    }

    fn refused(&self, message: &str) -> WrongInput {
        WrongInput(format!("{message}; leave it out for {}", self.word))
    }
}

/// `a, b and c`
fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => {
            format!("{} and {last}", others.join(", "))
        }
        _ => names.concat(),
    }
}

/// Reads the word of a picture.
pub fn pictures() -> impl TypedValueParser<Value = &'static Picture> {
    let values = PICTURES.map(|picture| PossibleValue::new(picture.word).help(picture.shows));
    let first = PICTURES[0];
    PossibleValuesParser::new(values).map(move |word| {
        let found = PICTURES.into_iter().find(|picture| picture.word == word);
        found.unwrap_or(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::grammar;

    /// Every option of the grammar is for some picture, and a picture takes no option that there is not.
    #[test]
    fn pictures_and_options_know_each_other() {
        let grammar = grammar();
        let inspect = grammar.find_subcommand("inspect").unwrap();
        let options: Vec<String> = inspect
            .get_arguments()
            .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
            .collect();
        for picture in PICTURES {
            for option in picture.takes {
                let is_known = options.iter().any(|known| known == option);
                assert!(is_known, "{} takes {option}", picture.word);
            }
        }
        for option in &options {
            let is_taken = PICTURES.iter().any(|picture| picture.takes(option));
            assert!(is_taken, "{option} is for no picture");
        }
    }
}
