use super::*;
use std::path::Path;
use strata_baselines::Model;
use strata_baselines::work::{Made, Request, make};
use strata_core::project::file;
use strata_engine::storage::record::RunRecord;

/// A project of made-up images.
fn project(seed: u64) -> strata_core::project::Project {
    let text = format!(
        "format = 1\ntitle = \"shapes\"\nseed = {seed}\n[data]\nsource = \"shapes\"\nresize = [12, 12]\nlimit = 120\n[network]\ninput = \"1x12x12\"\nencoder = [\"conv 4 k3\"]\nhead = [\"flatten\", \"dense 10\"]\n[[stage]]\nname = \"a\"\ntask = \"classify\"\nloss = \"cross-entropy\"\noptimizer = \"adam lr=1e-3\"\nepochs = 4\nbatch = 8\n"
    );
    file::parse(&text, "test").unwrap()
}

fn baselines(folder: &Path, models: &[Model], seeds: &[u64]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for seed in seeds {
        let request = Request {
            models: models.to_vec(),
            seed: Some(*seed),
            ..Request::default()
        };
        let mut each = |made: Made| folders.push(made.folder);
        make(&project(3), folder, folder, &request, &|_| true, &mut each).unwrap();
    }
    folders
}

#[test]
fn baselines_of_the_same_images_are_tested_in_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let folders = baselines(folder.path(), &[Model::Logistic, Model::Knn], &[3]);
    let found = Comparison::read(&folders, None, &mut |_| true).unwrap();
    assert_eq!(found.entries.len(), 2);
    assert_eq!((found.pairs.len(), found.groups.len()), (1, 0));
    let pair = found.pairs[0];
    let accuracy = |place: usize| found.metrics[0].values[place].unwrap();
    let images = found.entries[0].images as f64;
    let difference = pair.test.only_first as f64 - pair.test.only_second as f64;
    assert!((images * (accuracy(0) - accuracy(1)) - difference).abs() < 1e-6);
    let names: Vec<&str> = found.settings.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["model"], "the same images and seed");
    for entry in &found.entries {
        let confusion = entry.confusion.as_ref().unwrap();
        let all: u64 = confusion.iter().flatten().sum();
        assert_eq!(all as usize, entry.images);
        let images: u64 = entry.classes.iter().map(|class| class.images).sum();
        assert_eq!(images, all);
    }
}

#[test]
fn seeds_are_averaged_and_tested_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let folders = baselines(folder.path(), &[Model::Forest, Model::Logistic], &[1, 2, 3]);
    let found = Comparison::read(&folders, None, &mut |_| true).unwrap();
    assert_eq!(found.groups.len(), 2);
    let group = &found.groups[0];
    assert_eq!(
        (group.seeds.as_slice(), group.figure),
        (&["1".to_owned(), "2".into(), "3".into()][..], "accuracy")
    );
    assert!(group.deviation.is_some());
    assert_eq!(found.group_pairs.len(), 1);
    let test = found.group_pairs[0].test;
    assert_eq!(test.n, 3);
    let difference = group.mean - found.groups[1].mean;
    assert!((test.difference - difference).abs() < 1e-12);
    assert_eq!(found.pairs.len(), 15, "every two of six");
}

#[test]
fn a_seed_that_was_trained_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut folders = baselines(folder.path(), &[Model::Forest], &[1, 1]);
    let read = |folders: &[PathBuf]| Comparison::read(folders, None, &mut |_| true).unwrap();
    assert_eq!(read(&folders).groups.len(), 0, "the same seed twice");
    folders.extend(baselines(folder.path(), &[Model::Forest], &[2]));
    let group = &read(&folders).groups[0];
    assert_eq!(group.seeds, ["1", "2"]);
    assert_eq!(group.members, [0, 2]);
    let trained = |name: &str, steps: u64| {
        let mut entry = run(folder.path(), name, [0.5; 4]);
        let record = RunRecord {
            steps,
            ..RunRecord::default()
        };
        entry.kind = Kind::Run(Box::new(record));
        entry
    };
    let entries = [trained("stopped", 10), trained("whole", 40)];
    let mut places = vec![0];
    add_seed(&entries, &mut places, 1);
    assert_eq!(places, [1]);
}

/// A run without weights, of what `metrics.csv` tells.
fn run(folder: &Path, name: &str, valid: [f64; 4]) -> Entry {
    let path = folder.join(name);
    std::fs::create_dir(&path).unwrap();
    let mut table = "stage,epoch,step,split,loss,accuracy,log_loss,lr,seconds\n".to_owned();
    for (epoch, accuracy) in valid.into_iter().enumerate() {
        let (number, step) = (epoch + 1, 10 * (epoch + 1));
        let train = 0.5 + 0.12 * number as f64;
        table += &format!(
            "a,{number},{step},train,{},{train},,0.1,{number}\n",
            1.0 - train
        );
        table += &format!(
            "a,{number},{step},valid,{},{accuracy},,,{number}.5\n",
            1.0 - accuracy
        );
    }
    std::fs::write(path.join("metrics.csv"), table).unwrap();
    let project = project(3);
    Entry {
        name: name.to_owned(),
        kind: Kind::Run(Box::default()),
        settings: Settings::of(&project),
        inference: Some(strata_core::shape::infer(&project.network)),
        measured: strata_engine::storage::metrics_read::measurements(&path),
        project,
        answered: None,
        notes: Vec::new(),
        path,
    }
}

#[test]
fn the_time_to_an_accuracy_and_the_turn_of_the_validation_loss_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let entries = [
        run(folder.path(), "turned", [0.5, 0.8, 0.7, 0.6]),
        run(folder.path(), "rising", [0.4, 0.6, 0.7, 0.9]),
    ];
    let found = Comparison::of(&entries, Some(0.7));
    let reached = |place: usize| found.entries[place].reached.clone().unwrap();
    assert_eq!((reached(0).epoch, reached(0).seconds), (2, Some(2.5)));
    assert_eq!((reached(1).epoch, reached(1).step), (3, 30));
    let [turned, rising] = [0, 1].map(|place| found.entries[place].courses[0].clone());
    assert!(turned.has_turned && turned.overfits);
    assert_eq!((turned.best_epoch, turned.last_epoch), (2, 4));
    assert!((turned.gap.unwrap() - 0.38).abs() < 1e-9, "{turned:?}");
    assert!(!rising.has_turned && !rising.overfits);
    let own = Comparison::of(&entries, None);
    assert_eq!(
        own.until.unwrap().accuracy,
        0.8,
        "the best that both reached"
    );
    assert!(
        Comparison::of(&entries, Some(0.99)).entries[0]
            .reached
            .is_none()
    );
    assert!(found.settings.is_empty() && found.layers.iter().all(|row| row.changed.is_empty()));
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folders = baselines(folder.path(), &[Model::Knn], &[3]);
    let read = |folders: &[PathBuf]| Comparison::read(folders, None, &mut |_| true);
    let one = read(&folders).unwrap_err().to_string();
    assert!(one.contains("needs two"), "{one}");
    let twice = [
        folders[0].clone(),
        folders[0].join("../").join(folders[0].file_name().unwrap()),
    ];
    assert!(
        read(&twice)
            .unwrap_err()
            .to_string()
            .contains("named twice")
    );
    let other = [folders[0].clone(), folder.path().to_path_buf()];
    assert!(
        read(&other)
            .unwrap_err()
            .to_string()
            .contains("neither a run nor a baseline")
    );
    let file = folders[0].join("baseline.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"answers\":[", "\"answers\":[99,", 1)).unwrap();
    let second = baselines(folder.path(), &[Model::Knn], &[3]);
    let damaged = read(&[folders[0].clone(), second[0].clone()])
        .unwrap_err()
        .to_string();
    assert!(damaged.contains("baseline.json is damaged"), "{damaged}");
}
