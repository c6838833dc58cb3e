//! Standard output, and messages on standard error.
//!
//! A reader that stopped reading (`strata check p | head`) ends the program quietly; a message that
//! that cannot be reported ends nothing at all. Names and texts come from files that anybody may have made: none of them
//! steers the terminal.

use super::WrongInput;
use serde::Serialize;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use strata_core::atomic_write::{has_no_room, save_over};
use strata_core::files;
use strata_core::format::{printable, steers};
use strata_gui::snapshot::{Snapshot, is_svg};
use strata_inspect::picture::png;

/// Prints text with a line end after it.
pub fn print(text: &str) -> anyhow::Result<()> {
    let text = printable(text);
    let mut out = stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Shows a message on standard error. `eprintln!` would panic where that is closed or full, and a
/// run would be lost for a line of text.
pub fn say(text: &str) {
    let text = printable(text);
    let written = stderr().lock().write_all(format!("{text}\n").as_bytes());
    if let Err(error) = written {
        log::warn!("standard error takes nothing ({error}); not shown: {text}");
    }
}

/// Shows on standard error, and logs, why the command failed.
pub fn fail(message: &str) {
    log::error!("{message}");
    say(&format!("strata: {message}"));
}

/// Shows warnings on standard error.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        log::warn!("{warning}");
        say(&format!("warning: {warning}"));
    }
}

/// Writes the file that was asked for.
pub fn write_file(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = save_over(file, bytes);
    if written.is_ok() {
        log::info!("wrote {}", file.display());
    }
    written.map_err(|error| cannot_write(file, &error))
}

/// Makes a folder that files are written into, if it is not there.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))
}

/// A place that takes no file is the wrong input; a full disk is a failure.
fn cannot_write(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let reason = match error.kind() {
        ErrorKind::NotFound => "No such file or directory (is the folder there?)".to_owned(),
        _ => error.to_string(),
    };
    let told = format!("cannot write {}: {reason}", path.display());
    match has_no_room(error) {
        true => anyhow::anyhow!("{told}; free some space, or choose another place"),
        false => WrongInput(told).into(),
    }
}

/// Whether a file's name is that of a picture that is written here.
pub fn is_picture(file: &Path) -> bool {
    let is_png = |ending: &OsStr| ending.eq_ignore_ascii_case("png");
    is_svg(file) || file.extension().is_some_and(is_png)
}

/// Writes a picture as SVG where the file's name ends so, else as PNG.
pub fn write_picture(file: &Path, picture: &Snapshot) -> anyhow::Result<()> {
    let bytes = match is_svg(file) {
        true => picture.svg().into_bytes(),
        false => marked(&png(&picture.paint())?),
    };
    write_file(file, &bytes)
}

/// Prints one JSON value.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped(&serde_json::to_string_pretty(value)?))
}

/// JSON in which no character steers a terminal: its own escapes leave some out.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && steers(character) {
            text += &format!("\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// A picture's file where none was asked for: `NAME.png`, or the next name with a number that is free, unless what has
/// the name is a picture that Strata wrote.
pub fn free_picture(folder: &Path, name: &str) -> PathBuf {
    let numbered = |number: u32| match number {
        1 => folder.join(format!("{name}.png")),
        _ => folder.join(format!("{name}-{number}.png")),
    };
    let is_free = |file: &PathBuf| file.symlink_metadata().is_err() || is_own(file);
    (1..)
        .map(numbered)
        .find(is_free)
        .unwrap_or_else(|| numbered(1))
}

/// What marks a picture as written by Strata.
const MARK: &[u8] = b"tEXtSoftware\0Strata";

fn is_own(file: &Path) -> bool {
    const MOST: u64 = 256 << 20;
    let bytes = files::read_bounded(file, MOST).unwrap_or_default();
    bytes
        .get(..256)
        .unwrap_or(&bytes)
        .windows(MARK.len())
        .any(|window| window == MARK)
}

/// The bytes of a PNG file with the mark of Strata in it, after its header.
pub fn marked(png: &[u8]) -> Vec<u8> {
    const HEADER: usize = 8 + 25;
    let mut sum = flate2::Crc::new();
    sum.update(MARK);
    let length = (MARK.len() - 4) as u32;
    let chunk = [&length.to_be_bytes(), MARK, &sum.sum().to_be_bytes()].concat();
    let (header, rest) = png.split_at(HEADER.min(png.len()));
    [header, &chunk, rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_and_steers_nothing() {
        let value = serde_json::json!({"title": "a\u{1b}[2J\u{9b}\u{7f}\u{202e}ü\n"});
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.chars().all(|c| c == '\n' || !steers(c)), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn a_full_disk_is_no_wrong_input() {
        let is_wrong = |file: &Path| {
            let error = write_file(file, b"text").unwrap_err();
            (error.is::<WrongInput>(), error.to_string())
        };
        let (is_wrong_input, told) = is_wrong(Path::new("no/such/folder/file"));
        assert!(is_wrong_input, "{told}");
        // What this device takes is refused as by a full disk.
        let full = Path::new("/dev/full");
        if full.exists() {
            let (is_wrong_input, told) = is_wrong(full);
            assert!(
                !is_wrong_input && told.contains("free some space"),
                "{told}"
            );
        }
    }

    #[test]
    fn only_own_pictures_are_written_over_without_being_asked_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(free_picture(folder.path(), "x"), path("x.png"));
        let mut png = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(2, 3)
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        std::fs::write(path("x.png"), png.get_ref()).unwrap();
        assert_eq!(free_picture(folder.path(), "x"), path("x-2.png"));
        std::fs::write(path("x-2.png"), marked(png.get_ref())).unwrap();
        assert_eq!(free_picture(folder.path(), "x"), path("x-2.png"));
        assert_eq!(image::open(path("x-2.png")).unwrap().width(), 2);
    }
}
