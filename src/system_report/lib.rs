//! What a report of a defect needs to say of the program and the machine, for `strata doctor` and for the About box
//! of the window: version, devices, processor, memory, system, display, folders and the last lines of the log.
//!
//! Collecting it reads a few small files and, in a build with CUDA, opens every GPU: nothing for a frame. What the
//! system does not provide is missing from the report; nothing here fails.

mod machine;

use serde::Serialize;
use std::path::{Path, PathBuf};
use strata_core::format::bytes;
use strata_core::logging::{self, Graphics, Status};
use strata_core::system_memory::available_bytes;
use strata_nn::device;
use strata_nn::ops::simd::Level;

/// Lines of the log that a report ends with.
const LOG_LINES: usize = 40;

/// The report.
#[derive(Clone, Debug, Serialize)]
pub struct SystemReport {
    /// The program.
    pub strata: Build,
    /// The names of the devices that a network can be computed on: `cpu`, `cuda:0`.
    pub devices: Vec<String>,
    /// The processor.
    pub processor: Processor,
    /// The memory.
    pub memory: Memory,
    /// The operating system.
    pub system: System,
    /// The display.
    pub display: Display,
    /// Where Strata keeps its small files.
    pub folders: Folders,
    /// The log.
    pub log: Status,
}

/// Which Strata this is.
#[derive(Clone, Debug, Serialize)]
pub struct Build {
    /// Its version.
    pub version: &'static str,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// Whether it was built with CUDA.
    pub cuda: bool,
    /// Its licence.
    pub licence: &'static str,
}

/// The processor.
#[derive(Clone, Debug, Serialize)]
pub struct Processor {
    /// Its name.
    pub name: Option<String>,
    /// Cores that this program may use.
    pub cores: usize,
    /// Threads that networks are computed with.
    pub threads: usize,
    /// The vector instructions in use.
    pub simd: &'static str,
}

/// The memory, in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// In all.
    pub total_bytes: Option<u64>,
    /// That programs can still get.
    pub available_bytes: Option<u64>,
}

/// The operating system.
#[derive(Clone, Debug, Serialize)]
pub struct System {
    /// Its name with its version.
    pub name: String,
    /// The kernel's version.
    pub kernel: Option<String>,
    /// `x86_64`, `aarch64`.
    pub architecture: &'static str,
}

/// The display.
#[derive(Clone, Debug, Serialize)]
pub struct Display {
    /// `DISPLAY`.
    pub x11: Option<String>,
    /// `WAYLAND_DISPLAY`.
    pub wayland: Option<String>,
    /// What the window is painted with; only the window knows.
    pub opengl: Option<Graphics>,
}

/// Where Strata keeps its small files.
#[derive(Clone, Debug, Serialize)]
pub struct Folders {
    /// What the window remembers.
    pub settings: Option<PathBuf>,
    /// The log.
    pub state: Option<PathBuf>,
}

impl SystemReport {
    /// The report of this moment, with what its caller knows: the folder of settings and the window's OpenGL.
    pub fn collect(settings: Option<PathBuf>, opengl: Option<Graphics>) -> SystemReport {
        let log = logging::status(LOG_LINES);
        let state = log.file.as_deref().and_then(Path::parent);
        let state = state.map(Path::to_owned).or_else(logging::state_folder);
        SystemReport {
            strata: Build {
                version: env!("CARGO_PKG_VERSION"),
                profile: if cfg!(debug_assertions) {
                    "debug"
                } else {
                    "release"
                },
                cuda: device::BUILT_WITH_CUDA,
                licence: env!("CARGO_PKG_LICENSE"),
            },
            devices: device::available(),
            processor: Processor {
                name: machine::processor_name(),
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                threads: rayon::current_num_threads(),
                simd: Level::chosen().name(),
            },
            memory: Memory {
                total_bytes: machine::memory_bytes(),
                available_bytes: available_bytes(),
            },
            system: System {
                name: machine::system_name().unwrap_or_else(|| std::env::consts::OS.to_owned()),
                kernel: machine::kernel_version(),
                architecture: std::env::consts::ARCH,
            },
            display: Display {
                x11: variable("DISPLAY"),
                wayland: variable("WAYLAND_DISPLAY"),
                opengl,
            },
            folders: Folders { settings, state },
            log,
        }
    }

    /// Names and values in words, one a line.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        vec![
            ("version", self.strata.words()),
            ("devices", self.devices.join(", ")),
            ("processor", self.processor.words()),
            ("memory", self.memory.words()),
            ("system", self.system.words()),
            ("display", self.display.words()),
            ("settings", path(self.folders.settings.as_deref())),
            ("state", path(self.folders.state.as_deref())),
            ("log", log_words(&self.log)),
        ]
    }

    /// All of it as text, with more rows from the caller.
    pub fn text(&self, more: &[(&'static str, String)]) -> String {
        let rows = self.rows();
        let rows = rows.iter().chain(more);
        let mut lines = vec!["Strata".to_owned()];
        lines.extend(rows.map(|(name, value)| format!("{name:<10} {value}")));
        lines.push(String::new());
        lines.push("last lines of the log:".to_owned());
        lines.extend(self.log.lines.iter().cloned());
        if self.log.lines.is_empty() {
            lines.push("(none)".to_owned());
        }
        lines.join("\n")
    }
}

impl Build {
    fn words(&self) -> String {
        let cuda = if self.cuda {
            "with CUDA"
        } else {
            "without CUDA"
        };
        format!("{}, {} build {cuda}", self.version, self.profile)
    }
}

impl Processor {
    fn words(&self) -> String {
        let name = self.name.as_deref().unwrap_or("unknown");
        format!(
            "{name}, {}, {}, SIMD {}",
            number_of(self.cores, "core"),
            number_of(self.threads, "thread"),
            self.simd
        )
    }
}

impl Memory {
    fn words(&self) -> String {
        match (self.available_bytes, self.total_bytes) {
            (Some(free), Some(total)) => format!("{} free of {}", bytes(free), bytes(total)),
            (Some(free), None) => format!("{} free", bytes(free)),
            (None, Some(total)) => bytes(total),
            (None, None) => "unknown".to_owned(),
        }
    }
}

impl System {
    fn words(&self) -> String {
        let kernel = self.kernel.iter().map(|kernel| format!("kernel {kernel}"));
        let parts = [self.name.clone()].into_iter().chain(kernel);
        let parts: Vec<String> = parts.chain([self.architecture.to_owned()]).collect();
        parts.join(", ")
    }
}

impl Display {
    fn words(&self) -> String {
        let variable = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{name}={value}"))
        };
        let parts = [
            variable("WAYLAND_DISPLAY", &self.wayland),
            variable("DISPLAY", &self.x11),
            self.opengl.as_ref().map(ToString::to_string),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match parts.is_empty() {
            true => "none".to_owned(),
            false => parts.join(", "),
        }
    }
}

fn log_words(log: &Status) -> String {
    let file = log.file.as_deref().map(|file| file.display().to_string());
    match (&log.problem, file) {
        (None, Some(file)) => format!("{file}, STRATA_LOG={}", log.filter),
        (Some(problem), Some(file)) => {
            format!("{file} cannot be written: {problem}; the last lines are kept in memory")
        }
        (Some(problem), None) => format!("no file: {problem}"),
        (None, None) => "no file".to_owned(),
    }
}

fn number_of(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

fn path(path: Option<&Path>) -> String {
    path.map_or_else(|| "none".to_owned(), |path| path.display().to_string())
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> SystemReport {
        SystemReport::collect(Some("/a/settings".into()), None)
    }

    fn row(report: &SystemReport, name: &str) -> String {
        let rows = report.rows();
        let found = rows.into_iter().find(|(known, _)| *known == name);
        found.unwrap().1
    }

    #[test]
    fn this_machine_is_described() {
        let report = report();
        assert!(row(&report, "version").starts_with(env!("CARGO_PKG_VERSION")));
        assert!(row(&report, "devices").starts_with("cpu"));
        assert!(row(&report, "processor").contains(report.processor.simd));
        assert_eq!(row(&report, "settings"), "/a/settings");
        assert!(
            row(&report, "log").starts_with("no file: "),
            "unit tests have no log"
        );
        if cfg!(target_os = "linux") {
            let memory = &report.memory;
            assert!(memory.total_bytes.unwrap() >= memory.available_bytes.unwrap());
            assert!(report.system.kernel.is_some());
        }
    }

    #[test]
    fn the_display_is_described_with_its_graphics() {
        let mut display = Display {
            x11: None,
            wayland: None,
            opengl: None,
        };
        assert_eq!(display.words(), "none");
        display.x11 = Some(":1".into());
        display.opengl = Some(Graphics {
            version: "4.5".into(),
            renderer: "llvmpipe".into(),
            vendor: "Mesa".into(),
        });
        assert_eq!(display.words(), "DISPLAY=:1, OpenGL 4.5, llvmpipe, Mesa");
    }

    #[test]
    fn a_log_that_cannot_be_written_is_reported_with_its_reason() {
        let mut log = Status {
            filter: "debug".into(),
            file: Some("/s/strata.log".into()),
            ..Status::default()
        };
        assert_eq!(log_words(&log), "/s/strata.log, STRATA_LOG=debug");
        log.problem = Some("Permission denied".into());
        assert!(log_words(&log).contains("cannot be written: Permission denied"));
    }

    #[test]
    fn the_text_has_every_row_and_ends_with_the_log() {
        let mut report = report();
        report.log.lines = vec!["one".into(), "two".into()];
        let text = report.text(&[("frames", "7".into())]);
        assert!(report.rows().iter().all(|(_, value)| text.contains(value)));
        assert!(
            text.contains("\nframes     7\n") && text.ends_with("last lines of the log:\none\ntwo")
        );
    }
}
