//! Reading `[[run]]`.

use super::{Baselines, Changes, NamedRun, Study};
use crate::project::data::DataSpec;
use crate::project::goals::Goals;
use crate::project::init::Init;
use crate::project::node::{self, Node};
use crate::project::reference::run::SEEDS;
use crate::project::size::Shape;
use crate::project::stage::Stage;
use crate::project::{Project, structured};
use serde::{Deserialize, Deserializer, de::Error};
use toml::{Table, Value};

/// Where a run begins with random weights although the settings before the runs say otherwise.
pub(super) const NONE: &str = "none";

/// A run as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::project) struct RawRun {
    name: String,
    #[serde(default)]
    seed: Option<u64>,
    #[serde(default, deserialize_with = "seeds")]
    seeds: Vec<u64>,
    #[serde(default)]
    init: Option<Init>,
    #[serde(default, deserialize_with = "words")]
    baseline: Vec<String>,
    #[serde(default)]
    features: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    data: Table,
    #[serde(default)]
    network: RawChanges,
    #[serde(default)]
    goals: Option<Goals>,
    #[serde(default, rename = "stage")]
    stages: Option<Vec<Stage>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChanges {
    #[serde(default, deserialize_with = "shape")]
    input: Option<Shape>,
    #[serde(default, deserialize_with = "stack")]
    encoder: Option<Vec<Node>>,
    #[serde(default, deserialize_with = "stack")]
    decoder: Option<Vec<Node>>,
    #[serde(default, deserialize_with = "stack")]
    head: Option<Vec<Node>>,
    #[serde(default, deserialize_with = "names")]
    locked: Option<Vec<String>>,
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    structured::names(deserializer)
}

fn seeds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let seed = |value: &Value| u64::try_from(value.as_integer()?).ok();
    let seeds = value.as_array().map(|list| list.iter().map(seed).collect());
    let seeds: Option<Vec<u64>> = seeds.flatten();
    seeds.ok_or_else(|| D::Error::custom(SEEDS.help()))
}

fn shape<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Shape>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

fn stack<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Node>>, D::Error> {
    node::stack(deserializer).map(Some)
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    structured::names(deserializer).map(Some)
}

/// The runs of a file whose settings before them are `shared`; what is wrong is the place of the run and a sentence.
pub(in crate::project) fn study(
    shared: Project,
    raw: Vec<RawRun>,
) -> Result<Project, (usize, String)> {
    let mut runs = Vec::with_capacity(raw.len());
    for (place, raw) in raw.into_iter().enumerate() {
        runs.push(named(raw, &shared.data).map_err(|why| (place, why))?);
    }
    let study = Study {
        shared: Box::new(shared.clone()),
        runs,
        shown: None,
    };
    study.judge()?;
    let project = Project {
        study: Some(study),
        ..shared
    };
    Ok(project.as_opened())
}

fn named(raw: RawRun, shared: &DataSpec) -> Result<NamedRun, String> {
    let RawRun {
        name,
        seed,
        seeds,
        init,
        baseline,
        features,
        limit,
        data,
        network,
        goals,
        stages,
    } = raw;
    let baseline = baselines(&name, baseline, features, limit)?;
    if seed.is_some() && !seeds.is_empty() {
        return Err(format!(
            "the run `{name}` has both seed and seeds: keep one of them"
        ));
    }
    let init = init.map(|init| Some(init).filter(|init| init.from != NONE));
    if baseline.is_some() && init.is_some() {
        return Err(format!(
            "the run `{name}` fits baselines, which take no first weights: take init out, or name the run whose code they are fitted to with features"
        ));
    }
    let changes = Changes {
        seed,
        init,
        data,
        input: network.input,
        encoder: network.encoder,
        decoder: network.decoder,
        head: network.head,
        locked: network.locked,
        goals,
        stages,
    };
    if changes.data(shared).is_none() {
        let table: Result<DataSpec, _> = changes.data.clone().try_into();
        let why = table
            .err()
            .map_or_else(String::new, |error| format!(": {}", error.message()));
        return Err(format!("the data of the run `{name}` cannot be read{why}"));
    }
    Ok(NamedRun {
        name,
        seeds,
        baseline,
        changes,
    })
}

fn baselines(
    name: &str,
    models: Vec<String>,
    features: Option<String>,
    limit: Option<usize>,
) -> Result<Option<Baselines>, String> {
    if models.is_empty() {
        let idle = [("features", features.is_some()), ("limit", limit.is_some())];
        return match idle.into_iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => Err(format!(
                "{key} of the run `{name}` is for baselines: write baseline = \"logistic\" with it, or take it out"
            )),
            None => Ok(None),
        };
    }
    let features = features.map(|text| {
        let (run, layer) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let layer = Some(layer.trim().to_owned()).filter(|layer| !layer.is_empty());
        (run.to_owned(), layer)
    });
    Ok(Some(Baselines {
        models,
        features,
        limit,
    }))
}
