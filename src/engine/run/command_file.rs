//! Commands that somebody appends to `commands.txt` in the folder of a run that trains: a line each, obeyed between
//! two steps by whatever trains there.
//!
//! The file is taken away when a run is resumed and when it ends: what was asked of an earlier training is not done by a
//! later one.

use crate::command::Command;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at the file.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(150);
/// Nobody asks for more at once: what is behind it in the file waits for the next look.
const MOST_BYTES: u64 = 1 << 16;

/// The file in a run's folder.
pub(crate) const COMMANDS_FILE: &str = "commands.txt";

fn file_of(run: &Path) -> PathBuf {
    run.join(COMMANDS_FILE)
}

/// Asks the run that trains in this folder to do something. Fails as writing to a file does.
pub fn ask(run: &Path, commands: &[Command]) -> io::Result<()> {
    let lines: String = commands
        .iter()
        .map(|command| format!("{command}\n"))
        .collect();
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file_of(run))?;
    // One write, so that lines of two that ask at once do not mix.
    file.write_all(lines.as_bytes())
}

/// The commands of a run's folder, read as they come.
#[derive(Debug)]
pub(super) struct CommandFile {
    path: PathBuf,
    /// Bytes that were read.
    read: u64,
    due: Instant,
}

impl CommandFile {
    /// For a run that begins.
    pub fn begin(run: &Path) -> CommandFile {
        CommandFile {
            path: file_of(run),
            read: 0,
            due: Instant::now(),
        }
    }

    /// What was asked since the last look, each a command or why it is none; nothing where the next look is not due.
    pub fn look(&mut self) -> Vec<Result<Command, String>> {
        if Instant::now() < self.due {
            return Vec::new();
        }
        self.due = Instant::now() + LOOK_EVERY;
        match self.read_lines() {
            Ok(lines) => lines.iter().filter_map(|line| command(line)).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                log::warn!("{} cannot be read: {error}", self.path.display());
                Vec::new()
            }
        }
    }

    /// The whole lines that are new.
    fn read_lines(&mut self) -> io::Result<Vec<String>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        if length < self.read {
            // Somebody wrote the file anew.
            self.read = 0;
        }
        if length == self.read {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        // A line without its end is still being written, unless it is longer than any command.
        let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if bytes.len() as u64 == MOST_BYTES => bytes.len(),
            None => 0,
        };
        self.read += whole as u64;
        let text = String::from_utf8_lossy(&bytes[..whole]);
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Drop for CommandFile {
    fn drop(&mut self) {
        forget(&self.path);
    }
}

/// Takes the file away that an earlier training in this run's folder left when it was killed.
pub(crate) fn forget_earlier(run: &Path) {
    forget(&file_of(run));
}

fn forget(file: &Path) {
    // What stays is told of where it is obeyed again.
    if let Err(error) = std::fs::remove_file(file)
        && error.kind() != ErrorKind::NotFound
    {
        log::warn!("{} could not be removed: {error}", file.display());
    }
}

/// The command of a line; none of an empty one and of a remark.
fn command(line: &str) -> Option<Result<Command, String>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let shown: String = line.chars().take(80).collect();
    Some(
        shown
            .parse()
            .map_err(|error| format!("commands.txt: {error}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::live_setting::LiveSetting;

    fn look(file: &mut CommandFile) -> Vec<Result<Command, String>> {
        file.due = Instant::now();
        file.look()
    }

    #[test]
    fn lines_are_obeyed_once_and_in_order() {
        let run = tempfile::tempdir().unwrap();
        let path = file_of(run.path());
        std::fs::write(&path, "stop\n").unwrap();
        forget_earlier(run.path());
        let mut file = CommandFile::begin(run.path());
        assert!(
            look(&mut file).is_empty(),
            "it was asked of an earlier training"
        );
        let lr: LiveSetting = "lr".parse().unwrap();
        ask(run.path(), &[Command::Pause, Command::Set(lr, 0.5)]).unwrap();
        assert_eq!(
            look(&mut file),
            [Ok(Command::Pause), Ok(Command::Set(lr, 0.5))]
        );
        assert!(look(&mut file).is_empty());
        let mut half = OpenOptions::new().append(true).open(&path).unwrap();
        half.write_all(b"# a remark\n\nste").unwrap();
        assert!(look(&mut file).is_empty(), "the line has no end yet");
        half.write_all(b"ps 3\nhalt\n").unwrap();
        let asked = look(&mut file);
        assert_eq!(asked[0], Ok(Command::Steps(3)));
        assert!(
            asked[1]
                .as_ref()
                .is_err_and(|error| error.contains("`halt` is no command"))
        );
        std::fs::write(&path, "stop\n").unwrap();
        assert_eq!(
            look(&mut file),
            [Ok(Command::Stop)],
            "a file that was written anew"
        );
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn nonsense_of_any_length_is_left_behind() {
        let run = tempfile::tempdir().unwrap();
        let mut file = CommandFile::begin(run.path());
        std::fs::write(file_of(run.path()), vec![b'x'; 200_000]).unwrap();
        for _ in 0..4 {
            look(&mut file);
        }
        ask(run.path(), &[]).unwrap();
        let mut end = OpenOptions::new()
            .append(true)
            .open(file_of(run.path()))
            .unwrap();
        end.write_all(b"\npause\n").unwrap();
        assert!(look(&mut file).contains(&Ok(Command::Pause)));
    }
}
