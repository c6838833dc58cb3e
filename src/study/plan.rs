//! The plan: every run of the file, once for each seed and each model of a baseline, with where it stands.

use crate::folder_of_runs;
use crate::stored::{self, Found};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use strata_baselines::Model;
use strata_baselines::samples::LayerFeatures;
use strata_baselines::work::Request;
use strata_core::files::path_text;
use strata_core::format::slug;
use strata_core::project::Project;
use strata_core::project::init::Init;
use strata_core::project::study::{Baselines, Study, Taken};

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is there of it, or it failed.
    New,
    /// It was stopped or its process died: it goes on from its last checkpoint.
    Interrupted,
    /// Another process, or this window, trains it.
    InTraining,
    /// It is finished.
    Done,
    /// It takes weights or features from the run of this name, which is not finished.
    Waits(String),
}

/// What a run does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Trains a network.
    Train(Box<Project>),
    /// Fits a classifier to the images of a project.
    Fit(Box<Project>, Box<Request>),
}

/// One run as it is trained: with one seed, of a baseline one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place in the file, counted from 0.
    pub run: usize,
    /// Its name, with the seed or the model where the run has several.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// How far it is.
    pub standing: Standing,
    /// Its folder; of one that is new the folder that it would get.
    pub folder: PathBuf,
    seed: u64,
}

impl Item {
    /// The project whose network is trained; none of a baseline.
    pub fn trained(&self) -> Option<&Project> {
        match &self.work {
            Work::Train(project) => Some(project),
            Work::Fit(..) => None,
        }
    }
}

/// All runs of a project file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The runs, in the order in which they can be trained.
    pub items: Vec<Item>,
}

impl Plan {
    /// Looks where the runs of a project stand, whose relative paths start at `base`. `epochs` is trained in every stage
    /// in place of what the stages say. A project without runs has an empty plan.
    pub fn read(project: &Project, base: &Path, epochs: Option<u32>) -> Result<Plan, String> {
        let mut plan = Plan::default();
        let Some(study) = &project.study else {
            return Ok(plan);
        };
        for run in study.order() {
            let named = &study.runs[run];
            let mut settings = study.settings_of(Some(run));
            if let Some(epochs) = epochs {
                settings
                    .stages
                    .iter_mut()
                    .for_each(|stage| stage.epochs = epochs);
            }
            let seeds = match named.seeds.as_slice() {
                [] => vec![None],
                seeds => seeds.iter().copied().map(Some).collect(),
            };
            for seed in seeds {
                let mut name = named.name.clone();
                if let Some(seed) = seed {
                    settings.seed = seed;
                    name += &format!("-seed-{seed}");
                }
                let one = One {
                    study,
                    run,
                    name,
                    settings: settings.clone(),
                    base,
                };
                match &named.baseline {
                    None => plan.items.push(one.network(&plan)),
                    Some(baselines) => plan.items.extend(one.baselines(baselines, &plan)?),
                }
            }
        }
        Ok(plan)
    }

    /// The next one to be trained, leaving out those whose names were tried already.
    pub fn next(&self, tried: &BTreeSet<String>) -> Option<&Item> {
        self.items.iter().find(|item| {
            matches!(item.standing, Standing::New | Standing::Interrupted)
                && !tried.contains(&item.name)
        })
    }

    /// The folders of those that are finished, in the order of the file.
    pub fn done(&self) -> Vec<PathBuf> {
        self.reported(|_, folder| folder.to_owned())
    }

    /// What `of` makes of the name and the folder of those that are finished, in the order of the file.
    pub fn reported<T>(&self, of: impl Fn(&str, &Path) -> T) -> Vec<T> {
        let mut done: Vec<&Item> = self.items.iter().collect();
        done.retain(|item| item.standing == Standing::Done);
        done.sort_by_key(|item| item.run);
        done.into_iter()
            .map(|item| of(&item.name, &item.folder))
            .collect()
    }

    /// Those of one run of the file.
    pub fn of_run(&self, run: usize) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.run == run)
    }

    /// The one of a run that another one with this seed takes from: that of the same seed, else the first.
    fn source(&self, run: usize, seed: u64) -> Option<&Item> {
        let alike = self.of_run(run).find(|item| item.seed == seed);
        alike.or_else(|| self.of_run(run).next())
    }
}

/// A run with one of its seeds.
struct One<'a> {
    study: &'a Study,
    run: usize,
    name: String,
    settings: Project,
    base: &'a Path,
}

impl One<'_> {
    fn network(mut self, plan: &Plan) -> Item {
        let source = match self.study.taken(self.run) {
            Some(Taken::Weights(run)) => plan.source(run, self.settings.seed),
            _ => None,
        };
        if let (Some(source), Some(init)) = (source, self.settings.init.take()) {
            self.settings.init = Some(Init {
                from: path_text(&absolute(&source.folder)),
                ..init
            });
        }
        let found = stored::network(&self.settings, self.base, &self.runs(), &self.stem(""));
        let work = Work::Train(Box::new(self.settings.clone()));
        self.item(self.name.clone(), work, found, source)
    }

    fn baselines(self, baselines: &Baselines, plan: &Plan) -> Result<Vec<Item>, String> {
        let source = match self.study.taken(self.run) {
            Some(Taken::Features(run)) => plan.source(run, self.settings.seed),
            _ => None,
        };
        let mut items = Vec::new();
        for word in &baselines.models {
            let model = Model::of_word(word).ok_or_else(|| {
                let words = Model::ALL.map(Model::word).join(", ");
                let name = &self.study.runs[self.run].name;
                format!("the run `{name}` fits `{word}`, which is no baseline; there are {words}")
            })?;
            let features = baselines.features.as_ref().zip(source);
            let stem = self.stem(&format!("-{word}"));
            let request = Request {
                models: vec![model],
                features: features.map(|((_, layer), source)| LayerFeatures {
                    run: absolute(&source.folder),
                    layer: layer.clone(),
                }),
                limit: baselines.limit,
                seed: None,
                name: Some(stem.clone()),
            };
            let found = stored::baseline(&self.settings, self.base, &self.runs(), &stem, &request);
            let work = Work::Fit(Box::new(self.settings.clone()), Box::new(request));
            let name = format!("{}-{word}", self.name);
            items.push(self.item(name, work, found, source));
        }
        Ok(items)
    }

    fn item(&self, name: String, work: Work, found: Found, source: Option<&Item>) -> Item {
        let Found { standing, folder } = found;
        let waits = source.filter(|source| source.standing != Standing::Done);
        Item {
            run: self.run,
            name,
            work,
            standing: match waits {
                Some(source) => Standing::Waits(source.name.clone()),
                None => standing,
            },
            folder,
            seed: self.settings.seed,
        }
    }

    fn runs(&self) -> PathBuf {
        folder_of_runs(self.base)
    }

    /// What its folder is called before the number.
    fn stem(&self, model: &str) -> String {
        let title = slug(&self.settings.title, "run");
        format!("{title}-{}{model}", self.name.to_lowercase())
    }
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
