//! `strata data`: what a source of images has, what a folder, a file or an archive is, and getting it.

mod archive;
mod describe;
mod fetch;
pub mod name;
mod preview;
mod statistics;

use super::args::DataArgs;
use super::overrides::{self, Changes};
use super::{WrongInput, output};
use name::DataName;
use std::path::{Path, PathBuf};
use strata_core::files::path_text;
use strata_core::project::Project;
use strata_core::project::data::{DataSpec, Idle, Source};
use strata_data::archive::Archive;
use strata_data::{DataError, Dataset, Recognised, recognise};
use strata_engine::error::RunError;

/// The seed of a project that does not say: what is shown is what such a project gets.
const SEED: u64 = 42;

/// What is shown: a source and where its files are.
struct Shown {
    source: Source,
    path: Option<String>,
    /// What says that it is this source, where that was recognised.
    why: Option<String>,
}

impl From<Recognised> for Shown {
    fn from(recognised: Recognised) -> Shown {
        Shown {
            source: recognised.source,
            path: Some(path_text(&recognised.path)),
            why: Some(recognised.why),
        }
    }
}

/// Opens the source and prints its splits.
pub fn run(args: &DataArgs) -> anyhow::Result<()> {
    if let Some(path) = packed(args)? {
        return match archive::run(args, &path)? {
            Some(recognised) => show(args, recognised.into()),
            None => Ok(()),
        };
    }
    let shown = match (&args.name, &args.path) {
        (DataName::Path(_), Some(_)) => {
            let message = "a path was given twice: leave out --path, or name the source";
            return Err(WrongInput(message.to_owned()).into());
        }
        (DataName::Path(_), None) if args.fetch => {
            let message = "--fetch downloads a source: name it, such as strata data mnist --fetch";
            return Err(WrongInput(message.to_owned()).into());
        }
        (DataName::Path(path), None) => recognise(path, Source::default()).into(),
        (DataName::Source(source), path) => {
            let path = match (args.fetch, path) {
                (true, path) => Some(path_text(&fetch::run(*source, path.as_deref())?)),
                (false, None) => fetch::usual_path(*source).map(|path| path_text(&path)),
                (false, path) => path.clone(),
            };
            Shown {
                source: *source,
                path,
                why: None,
            }
        }
    };
    show(args, shown)
}

/// The archive that is meant, if it is one.
fn packed(args: &DataArgs) -> anyhow::Result<Option<PathBuf>> {
    let path = match (&args.name, &args.path) {
        (DataName::Path(path), None) => Some(path.clone()),
        (DataName::Source(_), path) => path.as_ref().map(PathBuf::from),
        (DataName::Path(_), Some(_)) => None,
    };
    let archive = path.filter(|path| path.is_file() && Archive::is_named_like_one(path));
    if args.unpack && archive.is_none() {
        let message = "--unpack needs an archive: strata data FILE.zip --unpack";
        return Err(WrongInput(message.to_owned()).into());
    }
    Ok(archive.filter(|_| !args.fetch))
}

fn show(args: &DataArgs, shown: Shown) -> anyhow::Result<()> {
    let (mut spec, seed) = asked(args, &shown)?;
    let (mut proposed, mut result) = (None, open(&spec, seed));
    if let Err(DataError::SizesDiffer { suggestion, .. }) = &result {
        // What training needs is a proposal here: the images are described as they would be with it.
        proposed = Some(*suggestion);
        spec.resize = Some(suggestion.map(|side| side as u32));
        result = open(&spec, seed);
    }
    let dataset = match result {
        Err(
            error @ (DataError::Missing { .. }
            | DataError::NoImages { .. }
            | DataError::Setting { key: "path", .. }),
        ) => {
            let path = args.path.as_deref();
            return fetch::missing(args, shown.source, path, &error)
                .unwrap_or_else(|| Err(RunError::from(error).into()));
        }
        result => result.map_err(RunError::from)?,
    };
    if !args.augment.is_empty() {
        return preview::run(args, &dataset, seed);
    }
    let found = if args.statistics {
        Some(statistics::of(&dataset)?)
    } else {
        None
    };
    let seen = describe::Seen {
        dataset: &dataset,
        spec: &spec,
        why: shown.why.as_deref(),
        proposed,
    };
    if args.json {
        let mut value = describe::as_json(&seen);
        if let (Some(found), Some(map)) = (&found, value.as_object_mut()) {
            map.insert("statistics".to_owned(), statistics::as_json(found));
        }
        return output::print_json(&value);
    }
    output::print(&describe::as_text(&seen))?;
    found.map_or(Ok(()), |found| output::print(&statistics::as_text(&found)))
}

fn open(spec: &DataSpec, seed: u64) -> Result<Dataset, DataError> {
    Dataset::open(spec, seed, Path::new(""), &mut |_| true)
}

/// The data table and the seed: what the options say, then what is set by name.
fn asked(args: &DataArgs, shown: &Shown) -> anyhow::Result<(DataSpec, u64)> {
    let table = format!(
        "format = 1\nseed = {SEED}\n[data]\nsource = \"{}\"\n[network]\ninput = \"1x1x1\"\n",
        shown.source
    );
    let full = |settings: &[String]| {
        let keys = settings.iter().map(|setting| in_data(setting));
        keys.collect::<Result<Vec<String>, WrongInput>>()
    };
    let changes = Changes {
        set: full(&args.set)?,
        unset: full(&args.unset)?,
        run: None,
    };
    let Project { data, seed, .. } = overrides::project(&table, "--set", &changes)?;
    let spec = DataSpec {
        resize: args.resize.or(data.resize),
        ..data
    };
    if let Some(Idle { key, why }) = spec.idle().into_iter().next() {
        return Err(WrongInput(format!("{key} changes nothing: {why}; leave it out")).into());
    }
    let path = shown.path.clone().or(spec.path.clone());
    Ok((DataSpec { path, ..spec }, seed))
}

/// A setting by its full name: those of `[data]` may be given without it.
fn in_data(setting: &str) -> Result<String, WrongInput> {
    let key = setting.split('=').next().unwrap_or_default().trim();
    let table = key.split('.').next().unwrap_or_default();
    match table {
        "data" | "seed" => Ok(setting.trim_start().to_owned()),
        "network" | "stage" | "goals" | "title" | "format" => Err(WrongInput(format!(
            "--set {setting}: `strata data` reads the settings of [data] and the seed alone; strata check and strata train take {key}"
        ))),
        _ => Ok(format!("data.{}", setting.trim_start())),
    }
}
