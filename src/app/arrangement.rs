//! How the views of the centre are laid out, as a plain value: groups of tabs in rows and columns.
//!
//! A view is open at most once. Every change leaves the arrangement tidy: no empty group, no row of
//! one part, no row within a row.

use super::view_kind::ViewKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A part of the centre: a group of views of which one is in front, or panes next to or below each
/// other with the fraction of the room that each takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// Views in one place, one of them in front.
    Tabs {
        /// From left to right.
        views: Vec<ViewKind>,
        /// The one that is seen.
        front: ViewKind,
    },
    /// Side by side.
    Row(Vec<(f32, Pane)>),
    /// One below the other.
    Column(Vec<(f32, Pane)>),
}

/// Where a view goes when it gets a pane of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// To the right of the views it was with.
    Right,
    /// Below them.
    Below,
}

/// What is done at the moment: each has views, and an arrangement, of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workspace {
    /// The images are looked at: what there is, what augmentation makes of them, what a kernel does.
    Data,
    /// Layers are chosen: shapes, costs, advice.
    Design,
    /// The network is trained and looked into.
    #[default]
    Training,
}

impl Workspace {
    /// All of them, in the order of the work.
    pub const ALL: [Workspace; 3] = [Workspace::Data, Workspace::Design, Workspace::Training];

    /// The one that follows; the first after the last.
    pub fn next(self) -> Workspace {
        match self {
            Workspace::Data => Workspace::Design,
            Workspace::Design => Workspace::Training,
            Workspace::Training => Workspace::Data,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Workspace::Data => "Data",
            Workspace::Design => "Design",
            Workspace::Training => "Training",
        }
    }
}

/// What a project trains for: each has arrangements of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Only pictures.
    Reconstruct,
    /// Only classes.
    Classify,
    /// Both, in different stages.
    Both,
}

impl Purpose {
    /// All of them, in the order in which their arrangements are kept.
    pub const ALL: [Purpose; 3] = [Purpose::Reconstruct, Purpose::Classify, Purpose::Both];
}

/// The whole centre; `None` when every view is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrangement(pub Option<Pane>);

impl Arrangement {
    /// What a purpose starts with: the course of training next to the weights, and below them what the project is
    /// trained for. Every view that has something to show is there, if only behind another.
    pub fn default_for(purpose: Purpose) -> Arrangement {
        use ViewKind::*;
        // In the narrower tile of a project that does both, one tab more would push another out of sight.
        let (course, images): (&[ViewKind], &[ViewKind]) = match purpose {
            Purpose::Both => (
                &[Loss, Runs, Activations],
                &[Reconstructions, Saliency, Data],
            ),
            _ => (
                &[Loss, Runs],
                &[Reconstructions, Saliency, Activations, Data],
            ),
        };
        let top = Pane::Row(vec![
            (0.56, Pane::of(course)),
            (0.44, Pane::of(&[Filters, Sparse])),
        ]);
        let pictures = Pane::of(images);
        let bottom = match purpose {
            Purpose::Reconstruct => pictures,
            Purpose::Classify => Pane::Row(vec![
                (0.44, Pane::of(&[Accuracy, Confusion])),
                (0.56, Pane::of(&[Saliency, Activations, Data])),
            ]),
            Purpose::Both => Pane::Row(vec![(0.62, pictures), (0.38, Pane::of(&[Accuracy]))]),
        };
        Arrangement(Some(Pane::Column(vec![(0.54, top), (0.46, bottom)])))
    }

    /// What the design starts with: the whole network, and below it the selected layer. Whether the output equals the
    /// input, and what a decoder's steps up leave, is asked where pictures come back; a classifier costs and advises.
    pub fn default_design(purpose: Purpose) -> Arrangement {
        use ViewKind::*;
        let (whole, one): (&[ViewKind], &[ViewKind]) = match purpose {
            Purpose::Reconstruct => (&[Solve, Graph, Advice, Cost], &[Lens, Field, Checkerboard]),
            Purpose::Classify => (&[Cost, Advice, Graph], &[Lens, Field]),
            Purpose::Both => (&[Solve, Cost, Advice, Graph], &[Lens, Field, Checkerboard]),
        };
        let parts = vec![(0.5, Pane::of(whole)), (0.5, Pane::of(one))];
        Arrangement(Some(Pane::Column(parts)))
    }

    /// What a workspace starts with.
    pub fn usual(workspace: Workspace, purpose: Purpose) -> Arrangement {
        match workspace {
            Workspace::Data => Arrangement::default_data(),
            Workspace::Design => Arrangement::default_design(purpose),
            Workspace::Training => Arrangement::default_for(purpose),
        }
    }

    /// What the data starts with: the images, what augmentation makes of them, and what is measured on them.
    pub fn default_data() -> Arrangement {
        use ViewKind::*;
        let (images, below) = (
            Pane::of(&[Data, Statistics]),
            Pane::of(&[Augmentation, Kernels]),
        );
        Arrangement(Some(Pane::Column(vec![(0.5, images), (0.5, below)])))
    }

    /// The open views, in the order of the panes.
    pub fn views(&self) -> Vec<ViewKind> {
        self.0.as_ref().map(Pane::views).unwrap_or_default()
    }

    /// The views that are seen: those in front.
    pub fn fronts(&self) -> Vec<ViewKind> {
        self.0.as_ref().map(Pane::fronts).unwrap_or_default()
    }

    /// Whether the same views are open in it, wherever they are.
    pub fn has_views_of(&self, other: &Arrangement) -> bool {
        let set = |arrangement: &Arrangement| -> BTreeSet<ViewKind> {
            arrangement.views().into_iter().collect()
        };
        self.views().len() == other.views().len() && set(self) == set(other)
    }

    /// Whether a view is open.
    pub fn is_open(&self, kind: ViewKind) -> bool {
        self.views().contains(&kind)
    }

    /// Whether a view has a place to itself.
    pub fn is_alone(&self, kind: ViewKind) -> bool {
        match self.0.as_ref().and_then(|part| part.group(kind)) {
            Some(Pane::Tabs { views, .. }) => views.len() == 1,
            _ => true,
        }
    }

    /// Brings a view to the front, opening it in the pane of `beside` (or in the last one).
    pub fn open(&mut self, kind: ViewKind, beside: Option<ViewKind>) {
        let anchor = if self.is_open(kind) {
            Some(kind)
        } else {
            beside.or_else(|| self.views().last().copied())
        };
        let group = anchor.and_then(|anchor| self.0.as_mut()?.group_mut(anchor));
        match group {
            Some(Pane::Tabs { views, front }) => {
                if !views.contains(&kind) {
                    views.push(kind);
                }
                *front = kind;
            }
            _ => self.0 = Some(Pane::of(&[kind])),
        }
    }

    /// Takes a view away.
    pub fn close(&mut self, kind: ViewKind) {
        self.0 = self
            .0
            .take()
            .and_then(|part| part.without(kind))
            .map(Pane::tidy);
    }

    /// Gives a view its own pane next to the views it is with; alone it stays where it is.
    pub fn split(&mut self, kind: ViewKind, side: Side) {
        let Some(group) = self.0.as_mut().and_then(|part| part.group_mut(kind)) else {
            return;
        };
        let Some(rest) = group.clone().without(kind) else {
            return;
        };
        let parts = vec![(1.0, rest), (1.0, Pane::of(&[kind]))];
        *group = if side == Side::Right {
            Pane::Row(parts)
        } else {
            Pane::Column(parts)
        };
        self.0 = self.0.take().map(Pane::tidy);
    }

    /// Whether it can be shown: a file may hold anything.
    pub fn is_sound(&self) -> bool {
        let views = self.views();
        let distinct: BTreeSet<_> = views.iter().collect();
        distinct.len() == views.len() && self.0.as_ref().is_none_or(Pane::is_sound)
    }
}

impl Pane {
    /// A group with its first view in front.
    pub fn of(views: &[ViewKind]) -> Pane {
        Pane::Tabs {
            views: views.to_vec(),
            front: views.first().copied().unwrap_or(ViewKind::Loss),
        }
    }

    /// Its views, in the order of the panes.
    pub fn views(&self) -> Vec<ViewKind> {
        match self {
            Pane::Tabs { views, .. } => views.clone(),
            Pane::Row(parts) | Pane::Column(parts) => {
                parts.iter().flat_map(|(_, part)| part.views()).collect()
            }
        }
    }

    /// Those that are seen.
    pub fn fronts(&self) -> Vec<ViewKind> {
        match self {
            Pane::Tabs { front, .. } => vec![*front],
            Pane::Row(parts) | Pane::Column(parts) => {
                parts.iter().flat_map(|(_, part)| part.fronts()).collect()
            }
        }
    }

    fn group(&self, kind: ViewKind) -> Option<&Pane> {
        match self {
            Pane::Tabs { views, .. } => views.contains(&kind).then_some(self),
            Pane::Row(parts) | Pane::Column(parts) => {
                parts.iter().find_map(|(_, part)| part.group(kind))
            }
        }
    }

    fn group_mut(&mut self, kind: ViewKind) -> Option<&mut Pane> {
        match self {
            Pane::Tabs { views, .. } if views.contains(&kind) => Some(self),
            Pane::Tabs { .. } => None,
            Pane::Row(parts) | Pane::Column(parts) => {
                parts.iter_mut().find_map(|(_, part)| part.group_mut(kind))
            }
        }
    }

    fn without(self, kind: ViewKind) -> Option<Pane> {
        let keep = |parts: Vec<(f32, Pane)>| -> Option<Vec<(f32, Pane)>> {
            let kept: Vec<_> = parts
                .into_iter()
                .filter_map(|(share, part)| Some((share, part.without(kind)?)))
                .collect();
            (!kept.is_empty()).then_some(kept)
        };
        match self {
            Pane::Tabs { views, front } => {
                let at = views.iter().position(|view| *view == kind).unwrap_or(0);
                let views: Vec<_> = views.into_iter().filter(|view| *view != kind).collect();
                let next = *views.get(at.min(views.len().saturating_sub(1)))?;
                let front = if front == kind { next } else { front };
                Some(Pane::Tabs { views, front })
            }
            Pane::Row(parts) => keep(parts).map(Pane::Row),
            Pane::Column(parts) => keep(parts).map(Pane::Column),
        }
    }

    /// A row of one part is that part; a row within a row is part of it.
    #[must_use]
    pub fn tidy(self) -> Pane {
        match self {
            Pane::Tabs { .. } => self,
            Pane::Row(parts) => alone(joined(parts, |part| match part {
                Pane::Row(inner) => Ok(inner),
                other => Err(other),
            }))
            .unwrap_or_else(Pane::Row),
            Pane::Column(parts) => alone(joined(parts, |part| match part {
                Pane::Column(inner) => Ok(inner),
                other => Err(other),
            }))
            .unwrap_or_else(Pane::Column),
        }
    }

    fn is_sound(&self) -> bool {
        match self {
            Pane::Tabs { views, front } => views.contains(front),
            Pane::Row(parts) | Pane::Column(parts) => {
                let fits = |(share, part): &(f32, Pane)| {
                    share.is_finite() && *share > 0.0 && part.is_sound()
                };
                !parts.is_empty() && parts.iter().all(fits)
            }
        }
    }
}

/// Puts the parts of an inner row into the outer one, with the fraction they had on the screen.
fn joined(
    parts: Vec<(f32, Pane)>,
    open: impl Fn(Pane) -> Result<Vec<(f32, Pane)>, Pane>,
) -> Vec<(f32, Pane)> {
    let mut all = Vec::new();
    for (share, part) in parts {
        match open(part.tidy()) {
            Ok(inner) => {
                let whole: f32 = inner.iter().map(|(share, _)| share).sum();
                all.extend(
                    inner
                        .into_iter()
                        .map(|(inside, part)| (share * inside / whole.max(f32::EPSILON), part)),
                );
            }
            Err(part) => all.push((share, part)),
        }
    }
    all
}

fn alone(mut parts: Vec<(f32, Pane)>) -> Result<Pane, Vec<(f32, Pane)>> {
    match (parts.len(), parts.pop()) {
        (1, Some((_, part))) => Ok(part),
        (_, last) => {
            parts.extend(last);
            Err(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ViewKind::{Accuracy, Filters, Loss, Reconstructions};

    #[test]
    fn views_close_open_and_split() {
        let top = Pane::Row(vec![
            (0.56, Pane::of(&[Loss])),
            (0.44, Pane::of(&[Filters])),
        ]);
        let mut it = Arrangement(Some(Pane::Column(vec![
            (0.54, top),
            (0.46, Pane::of(&[Reconstructions])),
        ])));
        it.close(Filters);
        assert_eq!(
            it.0,
            Some(Pane::Column(vec![
                (0.54, Pane::of(&[Loss])),
                (0.46, Pane::of(&[Reconstructions]))
            ]))
        );
        it.open(Filters, Some(Loss));
        it.split(Filters, Side::Below);
        assert_eq!(it.views(), [Loss, Filters, Reconstructions]);
        assert!(
            matches!(&it.0, Some(Pane::Column(parts)) if parts.len() == 3),
            "{it:?}"
        );
        assert!(it.is_alone(Filters));
        it.split(Filters, Side::Right);
        assert!(it.is_sound(), "a view alone in its place stays there");
        [Loss, Filters, Reconstructions]
            .into_iter()
            .for_each(|kind| it.close(kind));
        assert_eq!(it, Arrangement(None));
        it.open(Accuracy, None);
        assert_eq!(it.views(), [Accuracy]);
    }

    #[test]
    fn what_a_project_trains_for_is_in_front() {
        for (purpose, seen) in [
            (Purpose::Reconstruct, vec![Loss, Filters, Reconstructions]),
            (
                Purpose::Classify,
                vec![Loss, Filters, Accuracy, ViewKind::Saliency],
            ),
            (
                Purpose::Both,
                vec![Loss, Filters, Reconstructions, Accuracy],
            ),
        ] {
            let usual = Arrangement::default_for(purpose);
            assert_eq!(usual.fronts(), seen);
            assert!(usual.is_sound());
            assert!(usual.views().len() >= 6);
        }
    }

    #[test]
    fn the_next_tab_comes_to_the_front() {
        let mut it = Arrangement(Some(Pane::of(&[Loss, Filters, Accuracy])));
        it.open(Filters, None);
        it.close(Filters);
        assert_eq!(
            it.0,
            Some(Pane::Tabs {
                views: vec![Loss, Accuracy],
                front: Accuracy
            })
        );
    }

    /// A classifier has no output to compare with its input: what it costs and what is advised comes first.
    #[test]
    fn the_design_asks_what_the_purpose_asks() {
        use ViewKind::{Checkerboard, Cost, Solve};
        for (purpose, first, compares) in [
            (Purpose::Reconstruct, Solve, true),
            (Purpose::Both, Solve, true),
            (Purpose::Classify, Cost, false),
        ] {
            let usual = Arrangement::default_design(purpose);
            assert_eq!(usual.fronts()[0], first);
            for kind in [Solve, Checkerboard] {
                assert_eq!(usual.is_open(kind), compares, "{purpose:?}: {kind:?}");
            }
        }
    }
}
