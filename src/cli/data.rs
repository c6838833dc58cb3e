//! `strata data`: what a source of images has, and getting it.

mod describe;
mod fetch;
mod preview;
mod statistics;

use super::args::DataArgs;
use super::overrides::{self, Changes};
use super::{WrongInput, output};
use std::path::Path;
use strata_core::files::path_text;
use strata_core::project::Project;
use strata_core::project::data::{DataSpec, Idle};
use strata_data::{DataError, Dataset};
use strata_engine::error::RunError;

/// The seed of a project that does not say: what is shown is what such a project gets.
const SEED: u64 = 42;

/// Opens the source and prints its splits.
pub fn run(args: &DataArgs) -> anyhow::Result<()> {
    let path = match (args.fetch, &args.path) {
        (true, path) => Some(path_text(&fetch::run(args.name, path.as_deref())?)),
        (false, None) => fetch::usual_path(args.name).map(|path| path_text(&path)),
        (false, path) => path.clone(),
    };
    let (mut spec, seed) = asked(args, path)?;
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
            return fetch::missing(args, &error)
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
    if args.json {
        let mut value = describe::as_json(&dataset, proposed);
        if let (Some(found), Some(map)) = (&found, value.as_object_mut()) {
            map.insert("statistics".to_owned(), statistics::as_json(found));
        }
        return output::print_json(&value);
    }
    output::print(&describe::as_text(&dataset, proposed))?;
    found.map_or(Ok(()), |found| output::print(&statistics::as_text(&found)))
}

fn open(spec: &DataSpec, seed: u64) -> Result<Dataset, DataError> {
    Dataset::open(spec, seed, Path::new(""), &mut |_| true)
}

/// The data table and the seed: what the options say, then what is set by name.
fn asked(args: &DataArgs, path: Option<String>) -> anyhow::Result<(DataSpec, u64)> {
    let table = format!(
        "format = 1\nseed = {SEED}\n[data]\nsource = \"{}\"\n[network]\ninput = \"1x1x1\"\n",
        args.name
    );
    let full = |settings: &[String]| {
        let keys = settings.iter().map(|setting| in_data(setting));
        keys.collect::<Result<Vec<String>, WrongInput>>()
    };
    let changes = Changes {
        set: full(&args.set)?,
        unset: full(&args.unset)?,
    };
    let Project { data, seed, .. } = overrides::project(&table, "--set", &changes)?;
    let spec = DataSpec {
        resize: args.resize.or(data.resize),
        ..data
    };
    if let Some(Idle { key, why }) = spec.idle().into_iter().next() {
        return Err(WrongInput(format!("{key} changes nothing: {why}; leave it out")).into());
    }
    let path = path.or(spec.path.clone());
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
