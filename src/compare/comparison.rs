//! All that is said of several runs and baselines, as values that the terminal, the page and the window show.

use super::align::{AlignedRow, align};
use super::entry::{Answered, CompareError, Entry, Kind, Monitor};
use super::settings::{self, Settings};
use super::significance::{McNemar, PairedT, holm, mean_and_deviation};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::shape::Inference;
use strata_design::advice::{Course, course};
use strata_engine::event::Metrics;
use strata_engine::storage::metrics_read::{Measurement, epoch_figures};

/// Runs and baselines side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// What is compared.
    pub entries: Vec<Compared>,
    /// A row for each figure.
    pub metrics: Vec<MetricRow>,
    /// The classes' names, where all have the same.
    pub classes: Vec<String>,
    /// The architectures layer by layer; empty without networks.
    pub layers: Vec<AlignedRow>,
    /// The settings that differ.
    pub settings: Vec<SettingRow>,
    /// Every two that answered the same images.
    pub pairs: Vec<Pair>,
    /// Those that differ by nothing but the seed.
    pub groups: Vec<Group>,
    /// Every two groups with two seeds or more in common.
    pub group_pairs: Vec<GroupPair>,
    /// The accuracy whose time is told.
    pub until: Option<Until>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A run or a baseline in a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Compared {
    /// Its name: that of its folder, its path where two have one name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// `run` or `baseline`.
    pub kind: &'static str,
    /// What it is, in words.
    pub what: String,
    /// The split of its answers, and how many images.
    pub split: Option<Split>,
    /// See `split`.
    pub images: usize,
    /// Images by right class (row) and answer (column); one more column of answers that are no class.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Figures of each class.
    pub classes: Vec<ClassFigures>,
    /// How the training went, stage by stage.
    pub courses: Vec<StageCourse>,
    /// When it reached [`Comparison::until`].
    pub reached: Option<Reached>,
}

/// Figures of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Images of the class.
    pub images: u64,
    /// The share of them that are taken for it; `None` without images.
    pub recall: Option<f64>,
    /// The share of what is taken for it that is of it; `None` where nothing is.
    pub precision: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
}

/// How the training of a stage went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StageCourse {
    /// The stage's name.
    pub stage: String,
    /// The last epoch.
    pub last_epoch: u32,
    /// The epoch with the least validation loss, and that loss.
    pub best_epoch: u32,
    /// See `best_epoch`.
    pub best_loss: f64,
    /// The validation loss at the end.
    pub last_loss: f64,
    /// Whether the validation loss turned after `best_epoch`.
    pub has_turned: bool,
    /// So much more of the training images are right than of the validation images.
    pub gap: Option<f64>,
    /// Whether that is overfitting.
    pub overfits: bool,
}

/// A figure of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricRow {
    /// What it is.
    pub name: String,
    /// The figures; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// The same as texts.
    pub texts: Vec<String>,
    /// Which are the best; none where no figure is better than another by itself.
    pub best: Vec<bool>,
}

/// A setting that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// The value of each; `None` where it is not set.
    pub values: Vec<Option<String>>,
}

/// Two that answered the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Their places among the entries.
    pub first: usize,
    /// See `first`.
    pub second: usize,
    /// McNemar's test.
    pub test: McNemar,
    /// Its p-value, corrected by Holm for the number of pairs.
    pub corrected: f64,
}

/// What differs by nothing but the seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The places of its members among the entries.
    pub members: Vec<usize>,
    /// Their seeds.
    pub seeds: Vec<String>,
    /// What is averaged: `accuracy`, or `mse` of what does not classify.
    pub figure: &'static str,
    /// The mean over the seeds.
    pub mean: f64,
    /// The standard deviation (of a sample).
    pub deviation: Option<f64>,
}

/// Two groups with seeds in common.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupPair {
    /// Their places among the groups.
    pub first: usize,
    /// See `first`.
    pub second: usize,
    /// The paired t-test over the seeds that both have.
    pub test: PairedT,
}

/// The accuracy whose time is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Until {
    /// The share that is right.
    pub accuracy: f64,
    /// Whether it was asked for; else it is the best that all runs reached.
    pub is_asked: bool,
}

/// When a run reached an accuracy first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The split that was measured.
    pub split: String,
    /// The stage's name.
    pub stage: String,
    /// The epoch of that stage.
    pub epoch: u32,
    /// Steps of the whole run.
    pub step: u64,
    /// Seconds of training.
    pub seconds: Option<f64>,
}

impl Comparison {
    /// Reads folders of runs and baselines and compares them; `until` is the accuracy whose time is told.
    pub fn read(
        folders: &[PathBuf],
        until: Option<f64>,
        monitor: Monitor<'_>,
    ) -> Result<Comparison, CompareError> {
        check(folders)?;
        let entries: Result<Vec<Entry>, CompareError> = folders
            .iter()
            .map(|folder| Entry::read(folder, &mut *monitor))
            .collect();
        Ok(Comparison::of(&entries?, until))
    }

    /// Compares what was read.
    pub fn of(entries: &[Entry], until: Option<f64>) -> Comparison {
        let until = until_of(entries, until);
        let names = names(entries);
        let compared = entries.iter().zip(&names).map(|(entry, name)| Compared {
            name: name.clone(),
            path: entry.path.clone(),
            kind: match entry.kind {
                Kind::Run(_) => "run",
                Kind::Baseline(_) => "baseline",
            },
            what: what(entry),
            split: entry.answered.as_ref().map(|own| own.split),
            images: entry.answered.as_ref().map_or(0, |own| own.labels.len()),
            confusion: entry.answered.as_ref().map(Answered::confusion),
            classes: entry.answered.as_ref().map(class_figures).unwrap_or_default(),
            courses: courses(entry),
            reached: until.and_then(|until| reached(entry, until.accuracy)),
        });
        let groups = groups(entries);
        let networks: Vec<Option<&Inference>> =
            entries.iter().map(|entry| entry.inference.as_ref()).collect();
        let all: Vec<&Settings> = entries.iter().map(|entry| &entry.settings).collect();
        let differing = settings::table(&all).into_iter();
        Comparison {
            entries: compared.collect(),
            metrics: metrics(entries),
            classes: classes(entries),
            layers: align(&networks),
            settings: differing.map(|(name, values)| SettingRow { name, values }).collect(),
            pairs: pairs(entries),
            group_pairs: group_pairs(entries, &groups),
            groups,
            until,
            notes: notes(entries, &names),
        }
    }

    /// The name of an entry.
    pub fn name(&self, place: usize) -> &str {
        self.entries.get(place).map_or("", |entry| entry.name.as_str())
    }

    /// What a group is called: its first member, and how many seeds.
    pub fn group_name(&self, place: usize) -> String {
        self.groups.get(place).map_or_else(String::new, |group| {
            let first = group.members.first().copied().unwrap_or_default();
            format!("{} and its seeds ({})", self.name(first), group.seeds.join(", "))
        })
    }
}

/// Refuses what cannot be compared.
fn check(folders: &[PathBuf]) -> Result<(), CompareError> {
    if folders.len() < 2 {
        let message = "a comparison needs two runs or baselines or more: give their folders";
        return Err(CompareError::Input(message.to_owned()));
    }
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    for (place, folder) in folders.iter().enumerate() {
        if folders[..place].iter().any(|other| whole(other) == whole(folder)) {
            return Err(CompareError::Input(format!(
                "{} is named twice: name each once",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// The folders' names; the paths of those whose names repeat.
fn names(entries: &[Entry]) -> Vec<String> {
    let is_once = |entry: &Entry| entries.iter().filter(|other| other.name == entry.name).count() == 1;
    let name = |entry: &Entry| match is_once(entry) {
        true => entry.name.clone(),
        false => entry.path.display().to_string(),
    };
    entries.iter().map(name).collect()
}

fn what(entry: &Entry) -> String {
    match &entry.kind {
        Kind::Run(record) => {
            let layers = entry.inference.as_ref().map_or(0, |inference| {
                inference.rows.iter().filter(|row| !row.is_block).count()
            });
            let steps = format::count(record.steps);
            format!("network of {layers} layers, {steps} steps")
        }
        Kind::Baseline(record) => format!("{} on {}", record.model.name(), record.rows),
    }
}

fn class_figures(answered: &Answered) -> Vec<ClassFigures> {
    let confusion = answered.confusion();
    let figures = |class: usize| {
        let images: u64 = confusion[class].iter().sum();
        let taken: u64 = confusion.iter().map(|row| row[class]).sum();
        let right = confusion[class][class];
        let share = |of: u64| (of > 0).then(|| right as f64 / of as f64);
        let f1 = (images + taken > 0).then(|| 2.0 * right as f64 / (images + taken) as f64);
        ClassFigures {
            images,
            recall: share(images),
            precision: share(taken),
            f1,
        }
    };
    (0..confusion.len()).map(figures).collect()
}

fn classes(entries: &[Entry]) -> Vec<String> {
    let mut answered = entries.iter().filter_map(|entry| entry.answered.as_ref());
    let Some(first) = answered.next() else {
        return Vec::new();
    };
    match answered.all(|own| own.classes == first.classes) {
        true => first.classes.clone(),
        false => Vec::new(),
    }
}

fn courses(entry: &Entry) -> Vec<StageCourse> {
    let figures = epoch_figures(&entry.measured);
    let of_stage = |stage| {
        let course: Course = course(stage, &figures)?;
        Some(StageCourse {
            stage: stage.name.clone(),
            last_epoch: course.last_epoch,
            best_epoch: course.best_epoch,
            best_loss: course.best.loss,
            last_loss: course.valid.loss,
            has_turned: course.has_turned,
            gap: course.gap,
            overfits: course.overfits(),
        })
    };
    match entry.kind {
        Kind::Run(_) => entry.project.stages.iter().filter_map(of_stage).collect(),
        Kind::Baseline(_) => Vec::new(),
    }
}

/// The measurements by which times are told: of the validation images, else of the test images.
fn watched(entry: &Entry) -> Vec<&Measurement> {
    let of = |split: Split| {
        let own = entry.measured.iter();
        let own = own.filter(move |line| line.split == split.name() && line.accuracy.is_some());
        own.collect::<Vec<_>>()
    };
    let valid = of(Split::Valid);
    if valid.is_empty() { of(Split::Test) } else { valid }
}

/// The accuracy that is asked for, or the best that all runs with accuracies reached.
fn until_of(entries: &[Entry], asked: Option<f64>) -> Option<Until> {
    if let Some(accuracy) = asked {
        return Some(Until {
            accuracy,
            is_asked: true,
        });
    }
    let best = |entry: &Entry| {
        let accuracies = watched(entry).into_iter().filter_map(|line| line.accuracy);
        accuracies.reduce(f64::max)
    };
    let all = entries.iter().filter_map(best).reduce(f64::min);
    all.map(|accuracy| Until {
        accuracy,
        is_asked: false,
    })
}

fn reached(entry: &Entry, accuracy: f64) -> Option<Reached> {
    let is_there = |line: &&&Measurement| line.accuracy.is_some_and(|own| own >= accuracy);
    let watched = watched(entry);
    let line = watched.iter().find(is_there)?;
    Some(Reached {
        split: line.split.clone(),
        stage: line.stage.clone(),
        epoch: line.epoch.unwrap_or_default() as u32,
        step: line.step as u64,
        seconds: line.seconds,
    })
}

/// Whether two answered the same images: of the same data, with the same classes one after the other.
fn same_images(a: &Entry, b: &Entry) -> bool {
    let (Some(own), Some(other)) = (&a.answered, &b.answered) else {
        return false;
    };
    let (data, others) = (&a.project.data, &b.project.data);
    own.split == other.split
        && own.labels == other.labels
        && data.source == others.source
        && data.path == others.path
}

fn pairs(entries: &[Entry]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (first, a) in entries.iter().enumerate() {
        for (second, b) in entries.iter().enumerate().skip(first + 1) {
            let answered = a.answered.as_ref().zip(b.answered.as_ref());
            let Some((own, other)) = answered.filter(|_| same_images(a, b)) else {
                continue;
            };
            let test = McNemar::of(own.right().zip(other.right()));
            pairs.push(Pair {
                first,
                second,
                test,
                corrected: test.p,
            });
        }
    }
    let values: Vec<f64> = pairs.iter().map(|pair| pair.test.p).collect();
    for (pair, corrected) in pairs.iter_mut().zip(holm(&values)) {
        pair.corrected = corrected;
    }
    pairs
}

/// The figure by which seeds are compared.
fn figure(entry: &Entry) -> Option<(&'static str, f64)> {
    match &entry.answered {
        Some(answered) => Some(("accuracy", answered.accuracy())),
        None => Some(("mse", of_record(entry, |metrics| metrics.mse)?)),
    }
}

fn groups(entries: &[Entry]) -> Vec<Group> {
    let mut members: Vec<(Settings, &'static str, Vec<usize>)> = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let Some((name, _)) = figure(entry) else { continue };
        let key = entry.settings.without_seed();
        match members.iter_mut().find(|known| known.0 == key && known.1 == name) {
            Some((_, _, places)) => places.push(place),
            None => members.push((key, name, vec![place])),
        }
    }
    let group = |(_, figure_name, members): (Settings, &'static str, Vec<usize>)| {
        let values = members.iter().filter_map(|place| figure(&entries[*place]));
        let values: Vec<f64> = values.map(|(_, value)| value).collect();
        let (mean, deviation) = mean_and_deviation(&values);
        let seeds = members.iter().map(|place| entries[*place].settings.seed().to_owned());
        Group {
            seeds: seeds.collect(),
            figure: figure_name,
            mean,
            deviation,
            members,
        }
    };
    let several = members.into_iter().filter(|(_, _, places)| places.len() > 1);
    several.map(group).collect()
}

fn group_pairs(entries: &[Entry], groups: &[Group]) -> Vec<GroupPair> {
    let by_seed = |group: &Group| -> BTreeMap<String, f64> {
        let members = group.members.iter().zip(&group.seeds);
        let value = |(place, seed): (&usize, &String)| Some((seed.clone(), figure(&entries[*place])?.1));
        members.filter_map(value).collect()
    };
    let mut pairs = Vec::new();
    for (first, a) in groups.iter().enumerate() {
        for (second, b) in groups.iter().enumerate().skip(first + 1) {
            if a.figure != b.figure {
                continue;
            }
            let (own, others) = (by_seed(a), by_seed(b));
            let both = own.iter().filter_map(|(seed, value)| Some((*value, *others.get(seed)?)));
            let both: Vec<(f64, f64)> = both.collect();
            pairs.extend(PairedT::of(&both).map(|test| GroupPair { first, second, test }));
        }
    }
    pairs
}

/// A metric of a run's record, of the test images or of the validation images.
fn of_record(entry: &Entry, metric: fn(&Metrics) -> Option<f64>) -> Option<f64> {
    let Kind::Run(record) = &entry.kind else {
        return None;
    };
    let splits = [Split::Test, Split::Valid].into_iter();
    let mut metrics = splits.filter_map(|split| record.metrics.get(split.name()));
    metrics.find_map(metric)
}

/// Which figures are better.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Better {
    More,
    Less,
    Neither,
}

fn metrics(entries: &[Entry]) -> Vec<MetricRow> {
    let share = |value: f64| format!("{:.2} %", 100.0 * value);
    let count = |value: f64| format::count(value as u64);
    let mut rows = Vec::new();
    let mut add = |name: &str,
                   better: Better,
                   text: &dyn Fn(f64) -> String,
                   value: &dyn Fn(&Entry) -> Option<f64>| {
        let values: Vec<Option<f64>> = entries.iter().map(value).collect();
        if values.iter().all(Option::is_none) {
            return;
        }
        let texts = values.iter().map(|value| value.map_or_else(|| "–".to_owned(), text));
        rows.push(MetricRow {
            name: name.to_owned(),
            texts: texts.collect(),
            best: best(&values, better),
            values,
        });
    };
    let answered = |entry: &Entry| entry.answered.clone();
    add("accuracy", Better::More, &share, &|entry| Some(answered(entry)?.accuracy()));
    add("log loss", Better::Less, &format::figure, &|entry| Some(answered(entry)?.log_loss));
    add("valid accuracy", Better::More, &share, &valid_accuracy);
    add("mean squared error", Better::Less, &format::figure, &|entry| of_record(entry, |metrics| metrics.mse));
    add("PSNR", Better::More, &|db| format!("{db:.2} dB"), &|entry| of_record(entry, |metrics| metrics.psnr));
    add("parameters", Better::Neither, &count, &|entry| {
        Some(entry.inference.as_ref()?.totals.parameters as f64)
    });
    add("MACs an image", Better::Neither, &count, &|entry| {
        Some(entry.inference.as_ref()?.totals.macs as f64)
    });
    add("training or fit", Better::Neither, &format::duration, &|entry| {
        Some(match &entry.kind {
            Kind::Run(record) => record.seconds,
            Kind::Baseline(record) => record.fit_seconds,
        })
    });
    rows
}

/// The best on the validation images: of a run over its epochs.
fn valid_accuracy(entry: &Entry) -> Option<f64> {
    match &entry.kind {
        Kind::Baseline(record) => Some(record.result(Split::Valid)?.accuracy),
        Kind::Run(_) => {
            let valid = entry.measured.iter().filter(|line| line.split == Split::Valid.name());
            valid.filter_map(|line| line.accuracy).reduce(f64::max)
        }
    }
}

fn best(values: &[Option<f64>], better: Better) -> Vec<bool> {
    let known = values.iter().flatten().copied();
    let best = match better {
        Better::More => known.reduce(f64::max),
        Better::Less => known.reduce(f64::min),
        Better::Neither => None,
    };
    let several = values.iter().flatten().count() > 1;
    let is_best = |value: &Option<f64>| several && value.is_some() && *value == best;
    values.iter().map(is_best).collect()
}

fn notes(entries: &[Entry], names: &[String]) -> Vec<String> {
    let own = entries.iter().zip(names);
    let own = own.flat_map(|(entry, name)| entry.notes.iter().map(move |note| format!("{name}: {note}")));
    let mut notes: Vec<String> = own.collect();
    let answered: Vec<&Entry> = entries.iter().filter(|entry| entry.answered.is_some()).collect();
    let is_alike = |pair: &[&Entry]| same_images(pair[0], pair[1]);
    if answered.len() > 1 && !answered.windows(2).all(is_alike) {
        notes.push(
            "not all answered the same images in the same order, so their figures are of different images and only some are tested in pairs".to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests;
