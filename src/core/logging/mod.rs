//! The log: what Strata did and what went wrong, for reports of defects.
//!
//! Entries come through the macros of the crate `log`, so those of the libraries arrive here too. `STRATA_LOG`
//! [filters](Filter) them. What is kept goes into a [ring](ring::Ring) in memory and, by a [thread](writer::Writer),
//! to a [file](file::LogFile) in the platform's [state folder](state_folder). Logging never fails and never waits:
//! without a folder that can be written only the ring is kept, and [`status`] says why.
//!
//! Levels: `error` for what failed, `warn` for what went wrong without stopping anything, `info` for what a user
//! does (programs, projects, runs, datasets), `debug` and `trace` for developers. No entry is written for a training
//! step at `info`, and none ever holds pixels or labels; paths and titles are in them.

mod entry;
mod file;
mod filter;
mod folder;
mod graphics;
pub mod panic;
mod ring;
mod writer;

pub use filter::{Filter, FilterError};
pub use folder::state_folder;
pub use graphics::{Graphics, take_graphics, watch_graphics};
pub use panic::log_panics;

use file::LogFile;
use log::{Log, Metadata, Record};
use ring::Ring;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;
use writer::Writer;

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// What is known of the log itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The filter in use, as it was written.
    pub filter: String,
    /// The file with the newest lines; none where no folder is known or nothing is logged.
    pub file: Option<PathBuf>,
    /// Why there is no file, or why it cannot be written.
    pub problem: Option<String>,
    /// The last lines, oldest first.
    pub lines: Vec<String>,
}

/// Starts the log of this process, in this folder; once.
pub fn start(folder: Option<&Path>, filter: Filter) {
    let level = filter.most_detailed();
    LOGGER.get_or_init(|| Logger::new(folder, filter));
    let logger: &'static dyn Log = &Installed;
    // It fails where a logger is installed already, and then that one stays.
    if log::set_logger(logger).is_ok() {
        log::set_max_level(level);
    }
}

/// Waits, though not for long, until everything so far is in the file: for the end of the program.
pub fn flush() {
    LOGGER.get().into_iter().for_each(Logger::flush);
}

/// The state of the log with at most so many of its last lines: those of the file, which knows of earlier programs
/// too, else those of this process.
pub fn status(most: usize) -> Status {
    let not_started = || Status {
        filter: "off".to_owned(),
        problem: Some("the log was not started".to_owned()),
        ..Status::default()
    };
    LOGGER
        .get()
        .map_or_else(not_started, |logger| logger.status(most))
}

/// Hands entries to [`LOGGER`].
struct Installed;

impl Log for Installed {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        LOGGER.get().is_some_and(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        LOGGER
            .get()
            .into_iter()
            .for_each(|logger| logger.log(record));
    }

    fn flush(&self) {
        flush();
    }
}

/// The filter and the two places where entries go.
struct Logger {
    filter: Filter,
    ring: Mutex<Ring>,
    file: Option<(LogFile, Writer)>,
    no_file: Option<String>,
    graphics: Mutex<Option<Graphics>>,
}

impl Logger {
    fn new(folder: Option<&Path>, filter: Filter) -> Logger {
        let is_off = filter.most_detailed() == log::LevelFilter::Off;
        let started = match folder {
            _ if is_off => Err("STRATA_LOG is off".to_owned()),
            None => Err("no home folder is known".to_owned()),
            Some(folder) => start_writer(folder),
        };
        let (file, no_file) = match started {
            Ok(file) => (Some(file), None),
            Err(reason) => (None, Some(reason)),
        };
        Logger {
            filter,
            ring: Mutex::default(),
            file,
            no_file,
            graphics: Mutex::default(),
        }
    }

    fn status(&self, most: usize) -> Status {
        self.flush();
        let file = self.file.as_ref();
        let failure = file.and_then(|(_, writer)| writer.failure());
        let written = file
            .filter(|_| failure.is_none())
            .and_then(|(file, _)| file.last_lines(most).ok());
        Status {
            filter: self.filter.text().to_owned(),
            file: file.map(|(file, _)| file.path().to_owned()),
            problem: failure.or_else(|| self.no_file.clone()),
            // A file that cannot be read leaves what this process knows itself.
            lines: written.unwrap_or_else(|| held(&self.ring).last(most)),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.allows(metadata.target(), metadata.level())
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(found) = Graphics::of_record(record) {
            *held(&self.graphics) = Some(found);
        }
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = entry::line(record, SystemTime::now());
        if let Some((_, writer)) = &self.file {
            writer.write(line.clone());
        }
        held(&self.ring).push(line);
    }

    fn flush(&self) {
        self.file.iter().for_each(|(_, writer)| writer.flush());
    }
}

fn start_writer(folder: &Path) -> Result<(LogFile, Writer), String> {
    let file = LogFile::new(folder);
    match Writer::start(file.clone()) {
        Ok(writer) => Ok((file, writer)),
        Err(error) => Err(format!(
            "the thread that writes it could not be started: {error}"
        )),
    }
}

/// A thread that panicked leaves these values whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    fn log(logger: &Logger, level: Level, target: &str, message: &str) {
        logger.log(
            &Record::builder()
                .level(level)
                .target(target)
                .args(format_args!("{message}"))
                .build(),
        );
    }

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn entries_go_to_the_file_unless_the_filter_drops_them() {
        let folder = tempfile::tempdir().unwrap();
        let logger = Logger::new(Some(folder.path()), Filter::default());
        log(&logger, Level::Info, "strata::cli", "kept");
        log(&logger, Level::Debug, "strata::cli", "a detail");
        log(&logger, Level::Info, "winit", "a library's");
        log(&logger, Level::Warn, "winit", "a library's warning");
        let status = logger.status(9);
        assert_eq!(status.file, Some(folder.path().join("strata.log")));
        assert_eq!((status.filter.as_str(), status.problem), ("info", None));
        let ends = ["strata::cli: kept", "winit: a library's warning"];
        assert_eq!(status.lines.len(), 2, "{:?}", status.lines);
        assert!(
            status
                .lines
                .iter()
                .zip(ends)
                .all(|(line, end)| line.ends_with(end))
        );
    }

    #[test]
    fn lines_of_earlier_programs_are_among_the_last() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("strata.log"), "earlier\n").unwrap();
        let logger = Logger::new(Some(folder.path()), Filter::default());
        log(&logger, Level::Info, "strata", "now");
        let lines = logger.status(9).lines;
        assert_eq!((lines.len(), lines[0].as_str()), (2, "earlier"));
    }

    #[test]
    fn without_a_folder_the_lines_are_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let unwritable = folder.path().join("file/strata");
        for (folder, reason) in [(None, "no home folder"), (Some(unwritable.as_path()), "")] {
            let logger = Logger::new(folder, Filter::default());
            log(&logger, Level::Error, "strata", "kept");
            let status = logger.status(9);
            assert!(
                status
                    .problem
                    .is_some_and(|problem| problem.contains(reason))
            );
            assert!(status.lines.len() == 1 && status.lines[0].ends_with("strata: kept"));
        }
    }

    #[test]
    fn off_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let logger = Logger::new(Some(folder.path()), filter("off"));
        log(&logger, Level::Error, "strata", "not kept");
        let status = logger.status(9);
        assert!(status.lines.is_empty() && status.file.is_none());
        assert_eq!(status.problem.as_deref(), Some("STRATA_LOG is off"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_graphics_are_known_whatever_the_filter() {
        let logger = Logger::new(None, filter("off"));
        let said = "\nopengl version: 4.5 Mesa\nopengl renderer: llvmpipe\nopengl vendor: Mesa";
        log(&logger, Level::Debug, "egui_glow::painter", said);
        let graphics = held(&logger.graphics).clone().unwrap();
        assert_eq!(graphics.to_string(), "OpenGL 4.5 Mesa, llvmpipe, Mesa");
    }
}
