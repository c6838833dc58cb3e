//! All that is said of several runs and baselines, as values that the terminal, the page and the window show.

mod values;

pub use values::{
    ClassFigures, Compared, Comparison, Group, GroupPair, MetricRow, Pair, Reached, SettingRow,
    StageCourse, Until,
};

use super::align::align;
use super::entry::{Answered, CompareError, Entry, Kind, Monitor};
use super::settings::{self, Settings};
use super::significance::{McNemar, PairedT, holm, mean_and_deviation};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strata_core::format;
use strata_core::project::data::Split;
use strata_core::shape::Inference;
use strata_design::advice::{Course, course};
use strata_engine::event::Metrics;
use strata_engine::storage::metrics_read::{Measurement, epoch_figures};

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
            classes: entry
                .answered
                .as_ref()
                .map(class_figures)
                .unwrap_or_default(),
            courses: courses(entry),
            reached: until.and_then(|until| reached(entry, until.accuracy)),
        });
        let groups = groups(entries);
        let networks: Vec<Option<&Inference>> = entries
            .iter()
            .map(|entry| entry.inference.as_ref())
            .collect();
        let all: Vec<&Settings> = entries.iter().map(|entry| &entry.settings).collect();
        let differing = settings::table(&all).into_iter();
        Comparison {
            entries: compared.collect(),
            metrics: metrics(entries),
            classes: classes(entries),
            layers: align(&networks),
            settings: differing
                .map(|(name, values)| SettingRow { name, values })
                .collect(),
            pairs: pairs(entries),
            group_pairs: group_pairs(entries, &groups),
            groups,
            until,
            notes: notes(entries, &names),
        }
    }

    /// The name of an entry.
    pub fn name(&self, place: usize) -> &str {
        self.entries
            .get(place)
            .map_or("", |entry| entry.name.as_str())
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
        if folders[..place]
            .iter()
            .any(|other| whole(other) == whole(folder))
        {
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
    let is_once = |entry: &Entry| {
        entries
            .iter()
            .filter(|other| other.name == entry.name)
            .count()
            == 1
    };
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
    if valid.is_empty() {
        of(Split::Test)
    } else {
        valid
    }
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
        let Some((name, _)) = figure(entry) else {
            continue;
        };
        let key = entry.settings.without_seed();
        match members
            .iter_mut()
            .find(|known| known.0 == key && known.1 == name)
        {
            Some((_, _, places)) => add_seed(entries, places, place),
            None => members.push((key, name, vec![place])),
        }
    }
    let group = |(_, figure_name, members): (Settings, &'static str, Vec<usize>)| {
        let values = members.iter().filter_map(|place| figure(&entries[*place]));
        let values: Vec<f64> = values.map(|(_, value)| value).collect();
        let (mean, deviation) = mean_and_deviation(&values);
        let seeds = members
            .iter()
            .map(|place| entries[*place].settings.seed().to_owned());
        Group {
            seeds: seeds.collect(),
            figure: figure_name,
            mean,
            deviation,
            members,
        }
    };
    let several = members
        .into_iter()
        .filter(|(_, _, places)| places.len() > 1);
    several.map(group).collect()
}

/// Adds a run to those of other seeds. A run that was trained again with a seed that is there is no other draw: of both
/// the one that was trained for longer counts.
fn add_seed(entries: &[Entry], places: &mut Vec<usize>, place: usize) {
    let seed = |place: usize| entries[place].settings.seed();
    match places.iter_mut().find(|known| seed(**known) == seed(place)) {
        Some(known) if steps(&entries[place]) > steps(&entries[*known]) => *known = place,
        Some(_) => {}
        None => places.push(place),
    }
}

fn steps(entry: &Entry) -> u64 {
    match &entry.kind {
        Kind::Run(record) => record.steps,
        Kind::Baseline(_) => 0,
    }
}

fn group_pairs(entries: &[Entry], groups: &[Group]) -> Vec<GroupPair> {
    let by_seed = |group: &Group| -> BTreeMap<String, f64> {
        let members = group.members.iter().zip(&group.seeds);
        let value =
            |(place, seed): (&usize, &String)| Some((seed.clone(), figure(&entries[*place])?.1));
        members.filter_map(value).collect()
    };
    let mut pairs = Vec::new();
    for (first, a) in groups.iter().enumerate() {
        for (second, b) in groups.iter().enumerate().skip(first + 1) {
            if a.figure != b.figure {
                continue;
            }
            let (own, others) = (by_seed(a), by_seed(b));
            let both = own
                .iter()
                .filter_map(|(seed, value)| Some((*value, *others.get(seed)?)));
            let both: Vec<(f64, f64)> = both.collect();
            pairs.extend(PairedT::of(&both).map(|test| GroupPair {
                first,
                second,
                test,
            }));
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
        let texts = values
            .iter()
            .map(|value| value.map_or_else(|| "–".to_owned(), text));
        rows.push(MetricRow {
            name: name.to_owned(),
            texts: texts.collect(),
            best: best(&values, better),
            values,
        });
    };
    let answered = |entry: &Entry| entry.answered.clone();
    add("accuracy", Better::More, &share, &|entry| {
        Some(answered(entry)?.accuracy())
    });
    add("log loss", Better::Less, &format::figure, &|entry| {
        Some(answered(entry)?.log_loss)
    });
    add("valid accuracy", Better::More, &share, &valid_accuracy);
    add("F1 of labels", Better::More, &share, &|entry| {
        of_record(entry, |metrics| metrics.f1)
    });
    add("every label right", Better::More, &share, &|entry| {
        of_record(entry, |metrics| metrics.exact_match)
    });
    add(
        "mean squared error",
        Better::Less,
        &format::figure,
        &|entry| of_record(entry, |metrics| metrics.mse),
    );
    add(
        "PSNR",
        Better::More,
        &|db| format!("{} dB", format::fixed(db, 2)),
        &|entry| of_record(entry, |metrics| metrics.psnr),
    );
    add("parameters", Better::Neither, &count, &|entry| {
        Some(entry.inference.as_ref()?.totals.parameters as f64)
    });
    add("MACs an image", Better::Neither, &count, &|entry| {
        Some(entry.inference.as_ref()?.totals.macs as f64)
    });
    add(
        "training or fit",
        Better::Neither,
        &format::duration,
        &|entry| {
            Some(match &entry.kind {
                Kind::Run(record) => record.seconds,
                Kind::Baseline(record) => record.fit_seconds,
            })
        },
    );
    rows
}

/// The best on the validation images: of a run over its epochs.
fn valid_accuracy(entry: &Entry) -> Option<f64> {
    match &entry.kind {
        Kind::Baseline(record) => Some(record.result(Split::Valid)?.accuracy),
        Kind::Run(_) => {
            let valid = entry
                .measured
                .iter()
                .filter(|line| line.split == Split::Valid.name());
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
    let own = own.flat_map(|(entry, name)| {
        entry
            .notes
            .iter()
            .map(move |note| format!("{name}: {note}"))
    });
    let mut notes: Vec<String> = own.collect();
    let answered: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.answered.is_some())
        .collect();
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
