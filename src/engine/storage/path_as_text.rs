//! Paths in JSON, as [`path_text`] writes them: names of files need not be UTF-8, and a text has to be.
//! For `#[serde(with = "path_as_text")]`, and of a path that may be missing `#[serde(with = "path_as_text::optional")]`.

use serde::{Deserialize, Deserializer, Serializer};
use std::path::{Path, PathBuf};
use strata_core::files::{path_in, path_text};

/// Writes a path.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path_text(path))
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(path_in(&String::deserialize(deserializer)?))
}

/// A path that may be missing.
pub mod optional {
    use super::{Deserialize, Deserializer, PathBuf, Serializer, path_in, path_text};

    /// Writes a path, or that there is none.
    pub fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => serializer.serialize_some(&path_text(path)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads what [`serialize`] writes.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.as_deref().map(path_in))
    }
}
