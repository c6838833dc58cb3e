//! A run that is copied here while it trains elsewhere, as rsync does it, or whose folder lies on a network drive: tables
//! that are replaced whole, last lines that are cut off, files that come late, clocks that differ, a folder that is away.

use crate::kit::runs::{completed, options, tiny, train};
use crate::kit::window::{classifier, open};
use crossbeam_channel::Receiver;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use strata::app::action::Action;
use strata::app::run_monitor::Phase;
use strata::engine::event::{Event, Outcome};
use strata::engine::follow::{follow, is_trained_elsewhere};
use strata::engine::storage::record::{RunRecord, Status};

/// A whole run, of which the copy gets more and more.
struct Source {
    folder: tempfile::TempDir,
    steps: String,
    metrics: String,
    /// By how much the clock of its machine differs.
    ahead: i64,
}

impl Source {
    fn new(ahead: i64) -> Source {
        let folder = tempfile::tempdir().unwrap();
        let longer = [(
            "epochs = 2\nbatch = 16\n[[stage]]",
            "epochs = 6\nbatch = 16\n[[stage]]",
        )];
        completed(train(&tiny(&longer), &options(&folder.path().join("run"))).0);
        let read = |name: &str| fs::read_to_string(folder.path().join("run").join(name)).unwrap();
        let (steps, metrics) = (read("steps.csv"), read("metrics.csv"));
        fs::create_dir(folder.path().join("copy")).unwrap();
        Source {
            folder,
            steps,
            metrics,
            ahead,
        }
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    /// Puts a file into the copy in one step, with the time of the other machine, as rsync does.
    fn replace(&self, name: &str, bytes: &[u8]) {
        let temporary = self
            .copy()
            .join(format!(".{}.x4Tz9Q", name.replace('/', "-")));
        fs::write(&temporary, bytes).unwrap();
        let shift = Duration::from_secs(self.ahead.unsigned_abs());
        let time = match self.ahead < 0 {
            true => SystemTime::now() - shift,
            false => SystemTime::now() + shift,
        };
        let file = fs::File::options().append(true).open(&temporary).unwrap();
        file.set_modified(time).unwrap();
        fs::rename(temporary, self.copy().join(name)).unwrap();
    }

    /// The record with another state.
    fn record(&self, status: Status) {
        let record = RunRecord::read(&self.folder.path().join("run")).unwrap();
        let there = RunRecord { status, ..record };
        let other = self.folder.path().join("other");
        fs::create_dir_all(&other).unwrap();
        there.write(&other).unwrap();
        self.replace("run.json", &fs::read(other.join("run.json")).unwrap());
    }

    fn project(&self) {
        let project = fs::read(self.folder.path().join("run/project.toml")).unwrap();
        self.replace("project.toml", &project);
    }

    /// The table of steps up to one, and so many letters of the next line.
    fn steps(&self, whole: usize, letters: usize) {
        let lines: Vec<&str> = self.steps.lines().collect();
        let mut text = lines[..=whole].join("\n") + "\n";
        let next = lines.get(whole + 1).unwrap_or(&"");
        text += &next[..letters.min(next.len())];
        self.replace("steps.csv", text.as_bytes());
    }

    fn metrics(&self, rows: usize) {
        let lines: Vec<&str> = self.metrics.lines().collect();
        self.replace("metrics.csv", (lines[..=rows].join("\n") + "\n").as_bytes());
    }
}

/// What a run tells until this is seen.
fn until(events: &Receiver<Event>, mut is_it: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let start = Instant::now();
    let mut told = Vec::new();
    while start.elapsed() < Duration::from_secs(60) {
        let Ok(event) = events.recv_timeout(Duration::from_secs(1)) else {
            continue;
        };
        let ends = is_it(&event);
        told.push(event);
        if ends {
            return told;
        }
    }
    panic!("it was not told: {told:?}");
}

fn steps(told: &[Event]) -> Vec<(u64, f64)> {
    let step = |event: &Event| match event {
        Event::Step(report) => Some((report.step, report.loss)),
        _ => None,
    };
    told.iter().filter_map(step).collect()
}

#[test]
fn tables_that_are_replaced_cut_off_late_or_away_lose_no_step() {
    for ahead in [0, 3600, -3600] {
        let source = Source::new(ahead);
        // The record and a few steps come before the project and the measurements.
        source.record(Status::Running);
        source.steps(2, 0);
        let running = follow(source.copy(), || {}).unwrap();
        let events = &running.events;
        let mut told = until(
            events,
            |event| matches!(event, Event::Step(report) if report.step == 2),
        );
        // A line that is cut off within its last number is none yet: wherever it is cut.
        let next = source.steps.lines().nth(3).unwrap().len();
        source.steps(2, next - 1);
        std::thread::sleep(Duration::from_millis(1200));
        assert!(
            steps(&events.try_iter().collect::<Vec<_>>()).is_empty(),
            "half a line was read"
        );
        source.steps(3, 5);
        told.extend(until(
            events,
            |event| matches!(event, Event::Step(report) if report.step == 3),
        ));
        source.project();
        source.steps(7, 0);
        source.metrics(2);
        told.extend(until(events, |event| matches!(event, Event::Epoch(_))));
        // The drive is away, and comes back with more.
        let away = source.folder.path().join("away");
        fs::rename(source.copy(), &away).unwrap();
        let warned = until(
            events,
            |event| matches!(event, Event::Warning { message, .. } if message.contains("cannot be reached")),
        );
        assert!(
            !warned
                .iter()
                .any(|event| matches!(event, Event::Snapshots(_) | Event::Finished(_)))
        );
        told.extend(warned);
        fs::rename(&away, source.copy()).unwrap();
        let all = source.steps.lines().count() - 1;
        source.steps(all, 0);
        source.metrics(source.metrics.lines().count() - 1);
        told.extend(until(
            events,
            |event| matches!(event, Event::Step(report) if report.step == all as u64),
        ));
        source.record(Status::Completed);
        told.extend(until(events, |event| matches!(event, Event::Finished(_))));
        assert!(matches!(
            told.last(),
            Some(Event::Finished(Outcome::Completed(_)))
        ));
        // Every step once, in its order, with the loss that the whole table has.
        let expected: Vec<(u64, f64)> = source
            .steps
            .lines()
            .skip(1)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[0].parse().unwrap(), cells[3].parse().unwrap())
            })
            .collect();
        assert_eq!(steps(&told), expected, "clock {ahead} s ahead");
        let epochs = told.iter().filter(|event| matches!(event, Event::Epoch(_)));
        assert!(epochs.count() >= 8, "an epoch is lost");
        let stages: Vec<&str> = told
            .iter()
            .filter_map(|event| match event {
                Event::Stage { name, epochs, .. } if *epochs > 1 => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert!(
            stages.contains(&"images") && stages.contains(&"labels"),
            "{stages:?}"
        );
    }
}

#[test]
fn pictures_that_are_half_copied_are_read_again() {
    let source = Source::new(0);
    source.record(Status::Running);
    source.project();
    source.steps(4, 0);
    fs::create_dir(source.copy().join("probe")).unwrap();
    let probe = source.folder.path().join("run/probe");
    let names = fs::read_dir(&probe).unwrap();
    let name = names.map(|entry| entry.unwrap().file_name()).min().unwrap();
    let bytes = fs::read(probe.join(&name)).unwrap();
    let there = source.copy().join("probe").join(&name);
    // As rsync --inplace, or a drive that has not written all of it.
    fs::write(&there, &bytes[..bytes.len() / 2]).unwrap();
    let running = follow(source.copy(), || {}).unwrap();
    until(
        &running.events,
        |event| matches!(event, Event::Step(report) if report.step == 4),
    );
    std::thread::sleep(Duration::from_millis(900));
    assert!(running.live.reconstructions.take().is_none());
    fs::write(&there, &bytes).unwrap();
    let start = Instant::now();
    while running.live.reconstructions.take().is_none() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "the pictures are not shown"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Opened with a clock that is ahead it is followed at once, with one that is behind as soon as it grows.
#[test]
fn the_window_follows_a_copy_whatever_its_clock_says() {
    for ahead in [1800, -1800] {
        let source = Source::new(ahead);
        source.record(Status::Running);
        source.project();
        source.steps(3, 0);
        source.metrics(2);
        assert_eq!(is_trained_elsewhere(&source.copy()), ahead > 0);
        let folder = tempfile::tempdir().unwrap();
        let mut window = open(folder.path(), &classifier());
        window
            .harness
            .state_mut()
            .handle(Action::Open(source.copy()));
        window.run();
        assert_eq!(window.state().training.is_followed(), ahead > 0);
        std::thread::sleep(Duration::from_millis(2500));
        source.steps(5, 0);
        window.wait("the growth", |state| {
            state.training.is_followed() && state.training.curves.steps() >= 5
        });
        source.steps(source.steps.lines().count() - 1, 0);
        source.metrics(source.metrics.lines().count() - 1);
        source.record(Status::Completed);
        window.wait("its end", |state| {
            matches!(state.training.phase, Phase::Ended(Outcome::Completed(_)))
        });
    }
}
