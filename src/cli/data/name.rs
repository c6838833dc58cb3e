//! What `strata data` is given: a source by its name, or a path.

use std::path::PathBuf;
use strata_core::project::data::Source;

/// What `strata data` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataName {
    /// A source by its name.
    Source(Source),
    /// What is recognised by its files.
    Path(PathBuf),
}

/// A source's name, or else a path that is there.
pub fn data_name(text: &str) -> Result<DataName, String> {
    let path = PathBuf::from(text);
    match source(text) {
        Ok(source) => Ok(DataName::Source(source)),
        Err(_) if path.exists() => Ok(DataName::Path(path)),
        Err(names) => Err(format!("there is no such file or folder, and {names}")),
    }
}

/// A source's name.
pub fn source(text: &str) -> Result<Source, String> {
    let names = Source::ALL.map(Source::name).join(", ");
    Source::ALL
        .into_iter()
        .find(|source| source.name() == text)
        .ok_or_else(|| format!("the sources are {names}"))
}
