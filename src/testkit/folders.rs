//! The folders that tests read and write outside of their own: real datasets, pictures to be looked at, and the
//! list of the tests that were skipped because data are missing.
//!
//! A passing test's output is not shown, so a skipped test is written down in the build folder. The last test
//! program, `skipped` of this package, prints the list and empties it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where test programs leave what outlives them: the folder of the build profile.
fn build_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).unwrap().to_owned()
}

/// The folder that `STRATA_PICTURES` names, or `pictures` in the build folder. The tests that write pictures are
/// ignored: `STRATA_PICTURES=folder cargo test pictures -- --ignored`.
pub fn pictures() -> PathBuf {
    let folder = std::env::var_os("STRATA_PICTURES")
        .map_or_else(|| build_folder().join("pictures"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where real datasets would be: `../shared/data`, or the folder that `STRATA_TEST_DATA` names.
pub fn data_root() -> PathBuf {
    let sibling = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("STRATA_TEST_DATA").map_or_else(sibling, PathBuf::from)
}

/// The folder of real datasets. Without it the test of this name is counted as skipped.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let root = data_root();
    if root.is_dir() {
        return Some(root);
    }
    skip(test);
    None
}

/// A Python that has these modules: `STRATA_PYTHON`, or `python3`. Without it the test of this name is counted as
/// skipped.
pub fn python_with(modules: &[&str], test: &str) -> Option<OsString> {
    let python = std::env::var_os("STRATA_PYTHON").unwrap_or_else(|| "python3".into());
    let imports = format!("import {}", modules.join(", "));
    let tried = Command::new(&python).args(["-c", &imports]).output();
    if tried.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip(test);
    None
}

/// Counts the test of this name as skipped.
fn skip(test: &str) {
    fs::create_dir_all(list()).unwrap();
    fs::write(list().join(test), "").unwrap();
}

/// A folder with one empty file for each skipped test.
fn list() -> PathBuf {
    build_folder().join("skipped-tests")
}

/// The names of the skipped tests; the list is empty afterwards.
pub fn take_skipped() -> Vec<String> {
    let files = fs::read_dir(list()).into_iter().flatten();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    if !names.is_empty() {
        fs::remove_dir_all(list()).unwrap();
    }
    names
}
