//! The headings of a report, in one place: what another language needs.

/// A heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    Data,
    Results,
    Run,
    Layers,
    Project,
    Repeat,
}

impl Heading {
    /// As it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Heading::Data => "Data",
            Heading::Results => "Results",
            Heading::Run => "run",
            Heading::Layers => "layer",
            Heading::Project => "The project",
            Heading::Repeat => "How to repeat it",
        }
    }

    /// The heading of a table of layers, as Markdown.
    pub(super) fn layers() -> String {
        let first = Heading::Layers.text();
        format!("| {first} | text | output | parameters |\n|---|---|---|---|\n")
    }
}
