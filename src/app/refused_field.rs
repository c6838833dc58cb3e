//! A field of the project that holds a text which is no setting.

/// A field whose text is refused: what would be trained is not what the window shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedField {
    /// What the field is called.
    pub field: String,
    /// What to write.
    pub message: String,
}

impl RefusedField {
    /// What keeps a training from being started.
    pub fn sentence(&self) -> String {
        format!(
            "{}: {}; Esc in the field takes its former text back",
            self.field, self.message
        )
    }
}
