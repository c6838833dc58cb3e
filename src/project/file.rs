//! The project file.
/// Why a project file could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ProjectError {
    /// what
    pub message: String,
}
