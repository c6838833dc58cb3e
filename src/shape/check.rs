//! What stops a project from being trained.
