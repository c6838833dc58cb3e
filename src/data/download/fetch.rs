//! All files of an entry: what is there stays; for what is missing the addresses are tried in turn, each
//! several times with growing pauses, and nothing is used before its checksum is right.

use super::error::{DownloadError, by_hand};
use super::published::{Entry, RemoteFile, Then};
use super::survey::{Found, state};
use super::transfer::{Failure, Part, agent, attempt};
use super::unpack;
use crate::archive;
use crate::disk_space;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use strata_core::format;
use ureq::Agent;

/// How patient a download is.
#[derive(Clone, Debug)]
pub struct Options {
    /// Without an answer or a byte for so long, a try ends.
    pub patience: Duration,
    /// Tries at an address that bring nothing new.
    pub tries: u32,
    /// Before the second try; doubled before every further one.
    pub pause: Duration,
    /// Whether the environment's proxy is used.
    pub proxy: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            patience: Duration::from_secs(30),
            tries: 4,
            pause: Duration::from_secs(1),
            proxy: true,
        }
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bytes come in.
    Downloading,
    /// The checksum is taken.
    Checking,
    /// The archive is unpacked.
    Unpacking,
}

impl Step {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Step::Downloading => "downloading",
            Step::Checking => "checking",
            Step::Unpacking => "unpacking",
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What is being done.
    pub step: Step,
    /// With which file.
    pub file: String,
    /// Bytes of this step that are done: of all files while downloading, else of this one.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// What a project's `path` is to be.
    pub path: PathBuf,
    /// Files that were fetched or unpacked now; the others were there.
    pub new: Vec<String>,
    /// Incomplete folders and files with wrong bytes that were in the way, under their new names.
    pub set_aside: Vec<PathBuf>,
}

/// Brings the files of `entry` into `folder`. `told` is called with every piece; it ends the work by
/// returning false, and what was received is kept for the next time.
pub fn fetch(
    entry: &Entry,
    folder: &Path,
    options: &Options,
    told: &mut dyn FnMut(&Told) -> bool,
) -> Result<Fetched, DownloadError> {
    let name = &entry.name;
    let place = folder.display();
    log::info!("download of {name} into {place} started");
    let start = Instant::now();
    let result = fetch_missing(entry, folder, options, told);
    let time = format::duration(start.elapsed().as_secs_f64());
    match &result {
        Ok(fetched) => {
            let files = fetched.new.len();
            log::info!("download of {name} ended after {time}: {files} new files in {place}");
        }
        Err(DownloadError::Cancelled) => log::info!("download of {name} cancelled after {time}"),
        Err(error) => log::error!("download of {name} failed after {time}: {error}"),
    }
    result
}

fn fetch_missing(
    entry: &Entry,
    folder: &Path,
    options: &Options,
    told: &mut dyn FnMut(&Told) -> bool,
) -> Result<Fetched, DownloadError> {
    std::fs::create_dir_all(folder).map_err(|cause| DownloadError::write(folder, cause))?;
    let missing: Vec<&RemoteFile> = entry
        .files
        .iter()
        .filter(|file| !matches!(state(file, folder), Found::Complete))
        .collect();
    check_room(&missing, folder)?;
    let mut work = Work {
        entry,
        folder,
        options,
        agent: agent(options),
        told,
        before: 0,
    };
    work.before = entry.bytes()
        - missing
            .iter()
            .map(|file| file.bytes)
            .sum::<u64>()
            .min(entry.bytes());
    let mut fetched = Fetched {
        path: entry.project_path(folder),
        ..Fetched::default()
    };
    for file in missing {
        fetched.set_aside.extend(work.bring(file)?);
        fetched.new.push(file.name.clone());
        work.before += file.bytes;
    }
    Ok(fetched)
}

fn check_room(missing: &[&RemoteFile], folder: &Path) -> Result<(), DownloadError> {
    let here = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    let needed = missing.iter().fold(0u64, |sum, file| {
        let there = here(&file.name).max(here(&format!("{}.part", file.name)));
        let unpacked = if let Then::Unpack { most_bytes, .. } = file.then {
            most_bytes
        } else {
            0
        };
        sum.saturating_add(file.bytes.saturating_sub(there))
            .saturating_add(unpacked)
    });
    match disk_space::free(folder) {
        Some(free) if free < needed => Err(DownloadError::no_room(folder, needed, free)),
        _ => Ok(()),
    }
}

struct Work<'a> {
    entry: &'a Entry,
    folder: &'a Path,
    options: &'a Options,
    agent: Agent,
    told: &'a mut dyn FnMut(&Told) -> bool,
    /// Bytes of the files before this one.
    before: u64,
}

impl Work<'_> {
    /// One file, to its place; gives what was set aside for it.
    fn bring(&mut self, file: &RemoteFile) -> Result<Vec<PathBuf>, DownloadError> {
        let place = self.folder.join(&file.name);
        // An archive that somebody put there by hand needs no network, and stays theirs.
        let is_theirs = place.is_file() && self.is_right(file, &place)?.is_ok();
        let mut set_aside = Vec::new();
        if !is_theirs {
            set_aside.extend(self.download(file, &place)?);
        }
        let Then::Unpack {
            archive,
            holds,
            most_bytes,
        } = &file.then
        else {
            return Ok(set_aside);
        };
        let told = &mut *self.told;
        let mut go_on = |done, total| {
            told(&Told {
                step: Step::Unpacking,
                file: file.name.clone(),
                done,
                total,
            })
        };
        let job = unpack::Job {
            archive: &place,
            kind: *archive,
            most_bytes: *most_bytes,
            holds,
        };
        set_aside.extend(unpack::unpack(&job, self.folder, &mut go_on)?);
        if !is_theirs {
            std::fs::remove_file(&place).map_err(|cause| DownloadError::write(&place, cause))?;
        }
        Ok(set_aside)
    }

    /// Gives where a file with wrong bytes is now that was in the way.
    fn download(
        &mut self,
        file: &RemoteFile,
        place: &Path,
    ) -> Result<Option<PathBuf>, DownloadError> {
        let mut part = Part::open(&place.with_added_extension("part"))?;
        if let Err(error) = self.fetch_any(file, &mut part) {
            part.leave();
            return Err(error);
        }
        let path = part.finish()?;
        let failed = |cause| DownloadError::write(place, cause);
        let aside = archive::set_aside(place).map_err(failed)?;
        std::fs::rename(path, place).map_err(failed)?;
        Ok(aside)
    }

    /// The whole file, from the first address that gives it.
    fn fetch_any(&mut self, file: &RemoteFile, part: &mut Part) -> Result<(), DownloadError> {
        let mut reasons = Vec::new();
        for address in &file.addresses {
            match self.from(address, file, part) {
                Ok(()) => return Ok(()),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Broken(why) | Failure::Refused(why)) => {
                    log::warn!("{} does not come from {address}: {why}", file.name);
                    reasons.push((address.clone(), why))
                }
            }
        }
        let manual = by_hand(self.entry, file, self.folder);
        Err(DownloadError::Unreachable {
            file: file.name.clone(),
            reasons,
            manual,
        })
    }

    /// The whole file with the right checksum, from one address.
    fn from(&mut self, address: &str, file: &RemoteFile, part: &mut Part) -> Result<(), Failure> {
        loop {
            let resumed = part.length > 0;
            self.patiently(address, file, part)?;
            let Err(why) = self.is_right(file, &part.path).map_err(Failure::Final)? else {
                return Ok(());
            };
            part.restart().map_err(Failure::Final)?;
            // What was there before may have been the damage: once more, from the first byte.
            if !resumed {
                return Err(Failure::Refused(why));
            }
        }
    }

    /// Tries until the file is there; a try that brought something new does not count.
    fn patiently(
        &mut self,
        address: &str,
        file: &RemoteFile,
        part: &mut Part,
    ) -> Result<(), Failure> {
        let most = file
            .bytes
            .saturating_add(file.bytes / 10)
            .saturating_add(1 << 20);
        let (mut tried, mut pause) = (0, self.options.pause);
        let agent = self.agent.clone();
        loop {
            let before = part.length;
            let mut go_on = |done: u64| self.tell(Step::Downloading, file, done);
            let why = match attempt(&agent, address, part, most, &mut go_on) {
                Err(Failure::Broken(why)) => why,
                result => return result,
            };
            if part.length > before {
                (tried, pause) = (0, self.options.pause);
            }
            tried += 1;
            if tried >= self.options.tries {
                return Err(Failure::Broken(why));
            }
            self.wait(pause, file, part.length)
                .map_err(Failure::Final)?;
            pause = pause.saturating_mul(2);
        }
    }

    /// A pause that a cancel ends.
    fn wait(
        &mut self,
        mut pause: Duration,
        file: &RemoteFile,
        done: u64,
    ) -> Result<(), DownloadError> {
        const SLICE: Duration = Duration::from_millis(50);
        while pause > Duration::ZERO {
            if !self.tell(Step::Downloading, file, done) {
                return Err(DownloadError::Cancelled);
            }
            std::thread::sleep(pause.min(SLICE));
            pause = pause.saturating_sub(SLICE);
        }
        Ok(())
    }

    fn tell(&mut self, step: Step, file: &RemoteFile, done: u64) -> bool {
        let (before, total) = if step == Step::Downloading {
            (self.before, self.entry.bytes())
        } else {
            (0, file.bytes)
        };
        (self.told)(&Told {
            step,
            file: file.name.clone(),
            done: (before + done).min(total),
            total,
        })
    }

    /// Whether a file has its checksum; if not, both sums in words.
    fn is_right(
        &mut self,
        file: &RemoteFile,
        path: &Path,
    ) -> Result<Result<(), String>, DownloadError> {
        let failed = |cause| DownloadError::read(path, cause);
        let (mut input, mut done) = (File::open(path).map_err(failed)?, 0);
        let mut go_on = |bytes: u64| {
            done += bytes;
            self.tell(Step::Checking, file, done)
        };
        let found = file
            .sum
            .measure(&mut input, &mut go_on)
            .map_err(failed)?
            .ok_or(DownloadError::Cancelled)?;
        if found == file.sum {
            return Ok(Ok(()));
        }
        Ok(Err(format!(
            "the bytes are wrong: the file's checksum is {found} and should be {}",
            file.sum
        )))
    }
}
