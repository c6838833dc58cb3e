//! Runs on files that a test makes itself: sounds, spectrograms and arrays that are learned, and files that can't be
//! read any more while a run reads them.

use crate::kit::runs::{
    TINY, assert_same, completed, failed, options, stop_at, stopped, tiny, train, train_until,
};
use std::f32::consts::TAU;
use std::fs;
use std::io::Write;
use std::path::Path;
use strata::engine::event::{Event, Summary};
use strata::engine::storage::checkpoint;
use strata::engine::storage::record::{RunRecord, Status};
use strata::engine::thread::RunOptions;
use strata::project::data::Split;
use strata::project::{Project, file};
use strata_testkit::files::{npy, wav, write};

const CLASSES: [(&str, f32); 3] = [("high", 1900.0), ("low", 300.0), ("middle", 900.0)];
const RATE: u32 = 8000;
const SAMPLES: usize = 512;

/// Numbers from 0 to 1 that repeat.
struct Dice(u32);

impl Dice {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}

/// Forty noisy tones of a pitch for each class, of any phase and loudness.
fn write_tones(folder: &Path) {
    let mut dice = Dice(7);
    for (class, pitch) in CLASSES {
        for number in 0..40 {
            let phase = TAU * dice.next();
            let loudness = 0.3 + 0.5 * dice.next();
            let pitch = pitch * (0.9 + 0.2 * dice.next());
            let sample = |at: usize| {
                let tone = loudness * (phase + TAU * pitch * at as f32 / RATE as f32).sin();
                let value = tone + 0.2 * (dice.next() - 0.5);
                (value * 32767.0) as i16
            };
            let bytes = wav(1, RATE, (0..SAMPLES).map(sample));
            write(folder, &format!("{class}/{number:02}.wav"), &bytes);
        }
    }
}

/// A classifier of these data.
fn classifier(data: &str, input: &str, encoder: &str, classes: usize, epochs: u32) -> Project {
    let text = format!(
        "format = 1\ntitle = \"own files\"\nseed = 3\n[data]\n{data}\nvalid = 0.25\n[network]\ninput = \"{input}\"\nencoder = [{encoder}]\nhead = [\"gap\", \"dense {classes}\"]\n[[stage]]\nname = \"classes\"\ntask = \"classify\"\nloss = \"cross-entropy\"\noptimizer = \"adam lr=1e-2\"\nepochs = {epochs}\nbatch = 15\n"
    );
    file::parse(&text, "own.toml").unwrap()
}

/// Trains; the loss has to fall to half, and of the images held back most are told apart.
fn learns(project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, events) = train(project, &options(&folder.path().join("run")));
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Step(report) => Some(report.loss),
            _ => None,
        })
        .collect();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..4]), mean(&losses[losses.len() - 4..]));
    assert!(last < 0.5 * first, "the loss was {first} and is {last}");
    let accuracy = accuracy(&completed(outcome), Split::Valid);
    assert!(accuracy > 0.8, "accuracy {accuracy}");
}

fn accuracy(summary: &Summary, split: Split) -> f64 {
    summary
        .metrics
        .iter()
        .find(|(of, _)| *of == split)
        .and_then(|(_, metrics)| metrics.accuracy)
        .unwrap()
}

#[test]
fn tones_are_told_apart_as_signals() {
    let folder = tempfile::tempdir().unwrap();
    write_tones(folder.path());
    let data = format!("source = \"wav\"\npath = {:?}", folder.path());
    learns(&classifier(
        &data,
        "1x512",
        "\"conv 8 k16 s4\", \"relu\", \"conv 8 k5 s2\", \"relu\"",
        3,
        12,
    ));
}

#[test]
fn tones_are_told_apart_as_spectrograms() {
    let folder = tempfile::tempdir().unwrap();
    write_tones(folder.path());
    let data = format!(
        "source = \"wav\"\npath = {:?}\nspectrogram = {{ window = 64, hop = 32 }}\nnormalize = \"train\"",
        folder.path()
    );
    // Sums over all places hide where a frequency lies, so its row is made a channel's business: windows of all rows.
    learns(&classifier(
        &data,
        "1x33x15",
        "\"conv 8 k33x3\", \"relu\"",
        3,
        12,
    ));
}

/// Pictures of 16×16 floats with stripes that lie (0) or stand (1), at any place and under noise, with their labels.
fn stripes(count: usize) -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice(11);
    let (mut pictures, mut labels) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (label, shift) = (number % 2, (8.0 * dice.next()) as usize);
        labels.extend((label as i64).to_le_bytes());
        for (y, x) in (0..16).flat_map(|y| (0..16).map(move |x| (y, x))) {
            let along = [y, x][label] + shift;
            let value = if along % 4 < 2 { 1.0 } else { 0.0 };
            pictures.extend((value + 0.6 * (dice.next() - 0.5)).to_le_bytes());
        }
    }
    let pictures = npy("<f4", &[count, 16, 16], &pictures);
    (pictures, npy("<i8", &[count], &labels))
}

#[test]
fn arrays_with_labels_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (pictures, labels) = stripes(120);
    let archive = folder.path().join("stripes.npz");
    let mut writer = zip::ZipWriter::new(fs::File::create(&archive).unwrap());
    for (name, bytes) in [("x.npy", &pictures), ("y.npy", &labels)] {
        writer
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    let folder_of_both = folder.path().join("both");
    fs::create_dir(&folder_of_both).unwrap();
    fs::write(folder_of_both.join("x.npy"), &pictures).unwrap();
    fs::write(folder_of_both.join("y.npy"), &labels).unwrap();
    for path in [archive, folder_of_both] {
        let data = format!("source = \"npy\"\npath = {path:?}");
        learns(&classifier(
            &data,
            "1x16x16",
            "\"conv 8 k5\", \"relu\"",
            2,
            10,
        ));
    }
}

/// Pictures of ten classes for the tiny project; they are read from the file as they are wanted.
/// So many that what was read of their file does not stay in memory; all but a few are black, and take no room on most disks.
const PICTURES: usize = 350_000;

fn write_pictures(folder: &Path) {
    let mut dice = Dice(5);
    let pixels: Vec<u8> = (0..64 * 16 * 16 * 3)
        .map(|_| (255.0 * dice.next()) as u8)
        .collect();
    let labels: Vec<u8> = (0..PICTURES).map(|number| (number % 10) as u8).collect();
    let file = npy("|u1", &[PICTURES, 16, 16, 3], &pixels);
    let whole = (file.len() - pixels.len() + PICTURES * 16 * 16 * 3) as u64;
    fs::write(folder.join("x.npy"), file).unwrap();
    cut(&folder.join("x.npy"), whole);
    fs::write(folder.join("y.npy"), npy("|u1", &[PICTURES], &labels)).unwrap();
}

/// Makes a file this long, with zeros where it was shorter.
fn cut(file: &Path, length: u64) {
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(length).unwrap();
}

/// The tiny project on these pictures, ten steps an epoch.
fn on_pictures(folder: &Path) -> Project {
    let from = "source = \"shapes\"\nresize = [16, 16]";
    assert!(TINY.contains(from));
    let to = format!("source = \"npy\"\npath = {folder:?}\nvalid = 0.25");
    let smaller = ("batch = 16", "batch = 4");
    tiny(&[
        (from, &to),
        ("split = \"unlabeled\"\n", ""),
        smaller,
        smaller,
    ])
}

/// In the middle of the first epoch, at its last step (so that the measuring fails), and in the second stage.
#[test]
fn a_file_that_cannot_be_read_any_more_ends_the_run_without_a_loss() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    write_pictures(&data);
    let project = on_pictures(&data);
    let of = |name: &str| RunOptions {
        loaders: Some(1),
        ..options(&folder.path().join(name))
    };
    completed(train(&project, &of("whole")).0);
    let file = data.join("x.npy");
    for lost in [1, 10, 21] {
        let name = lost.to_string();
        let lose = |event: &Event| {
            if matches!(event, Event::Step(report) if report.step == lost) {
                cut(&file, 1000);
            }
            None
        };
        let failure = failed(train_until(&project, &of(&name), lose).0);
        let run = folder.path().join(&name);
        let last = run.join("checkpoints/last.safetensors");
        let at = checkpoint::load(&last).unwrap().position.step;
        // Batches may have been made ahead.
        assert!((lost..=lost + 3).contains(&at), "{at}");
        let (what, kept) = (file.display(), last.display());
        for part in [
            format!("{what}: cannot be read"),
            format!("The training up to step {at} is kept in {kept}: resume this run"),
        ] {
            assert!(
                failure.message.contains(&part),
                "{part}: {}",
                failure.message
            );
        }
        assert!(failure.wrong_input && failure.run.as_deref() == Some(&run));
        let record = RunRecord::read(&run).unwrap();
        assert_eq!(
            (record.status, record.message, record.steps),
            (Status::Failed, Some(failure.message), at)
        );
        write_pictures(&data);
        completed(
            train(
                &project,
                &RunOptions {
                    resume: true,
                    ..of(&name)
                },
            )
            .0,
        );
        assert_same(&folder.path().join("whole"), &run);
    }
}

/// Grey images of 8×8 with a stripe that lies or stands, 40 of the first kind and 8 of the second.
fn unbalanced_stripes(folder: &Path) {
    for number in 0..48u32 {
        let (class, is_lying) = if number < 40 {
            ("lies", true)
        } else {
            ("stands", false)
        };
        let picture = image::GrayImage::from_fn(8, 8, |x, y| {
            let along = if is_lying { y } else { x };
            image::Luma([if along % 4 == number % 4 {
                200 + (number % 40) as u8
            } else {
                20
            }])
        });
        let path = folder.join(format!("train/{class}/{number}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }
}

#[test]
fn a_balanced_run_repeats_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    unbalanced_stripes(&folder.path().join("set"));
    let data = format!(
        "source = \"folder\"\npath = {:?}\nweights = \"balanced\"",
        folder.path().join("set")
    );
    let project = classifier(&data, "1x8x8", "\"conv 4 k3\", \"relu\"", 2, 3);
    let run = |name: &str| folder.path().join(name);
    let (outcome, events) = train(&project, &options(&run("one")));
    completed(outcome);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Warning { message: text, .. } if text.contains("balanced"))),
        "the setting is there"
    );
    completed(train(&project, &options(&run("two"))).0);
    assert_same(&run("one"), &run("two"));
    stopped(train_until(&project, &options(&run("three")), stop_at(4)).0);
    let on = RunOptions {
        resume: true,
        ..options(&run("three"))
    };
    completed(train(&project, &on).0);
    assert_same(&run("one"), &run("three"));
}

#[test]
fn a_run_on_classes_out_of_balance_hints_at_the_repair() {
    let folder = tempfile::tempdir().unwrap();
    unbalanced_stripes(&folder.path().join("set"));
    let data = format!(
        "source = \"folder\"\npath = {:?}",
        folder.path().join("set")
    );
    let project = classifier(&data, "1x8x8", "\"conv 4 k3\", \"relu\"", 2, 1);
    let (outcome, events) = train(&project, &options(&folder.path().join("run")));
    completed(outcome);
    let has_hint = |event: &Event| matches!(event, Event::Warning { message: text, .. } if text.contains("write weights = \"balanced\" under [data]"));
    assert!(events.iter().any(has_hint));
    let in_window = |event: &Event| matches!(event, Event::Warning { in_window, .. } if in_window.contains("set weights to balanced"));
    assert!(events.iter().any(in_window));
}
