//! A solution that is looked at before it is taken: its layers stand in the architecture, marked as what they are.

use crate::theme;
use crate::widgets::icon::{self, Icon};
use eframe::egui::{FontId, Rect, RichText, Sense, Shape, Stroke, Ui, vec2};
use std::collections::BTreeSet;
use strata_app::state::State;
use strata_core::project::node::Node;
use strata_core::project::{Place, Stack};

/// Which layers a proposal writes.
pub(super) struct Proposal {
    written: BTreeSet<Place>,
}

impl Proposal {
    /// That which is looked at; `None` while the architecture is that of the project.
    pub(super) fn of(state: &State) -> Option<Proposal> {
        let proposed = state.proposal()?;
        let mut written = BTreeSet::new();
        for stack in Stack::ALL {
            let place = Place {
                stack,
                path: Vec::new(),
            };
            compare(
                state.network().stack(stack),
                proposed.stack(stack),
                &place,
                &mut written,
            );
        }
        Some(Proposal { written })
    }

    /// Whether the layer there is not in the project, or another one is.
    pub(super) fn writes(&self, place: &Place) -> bool {
        self.written.contains(place)
    }
}

/// Notes the nodes of `new` that are not in `old`, in order; of a block that is changed inside, those inside.
fn compare(old: &[Node], new: &[Node], above: &Place, written: &mut BTreeSet<Place>) {
    let kept = kept(old, new).into_iter().chain([(old.len(), new.len())]);
    let (mut from, mut to) = (0, 0);
    for (kept_old, kept_new) in kept {
        for index in to..kept_new {
            let place = above.child(&[index]);
            let former = old[from..kept_old].get(index - to);
            let block = former.filter(|former| is_same_block(former, &new[index]));
            match block {
                Some(block) => {
                    let branches = block.branches().iter().zip(new[index].branches());
                    for (branch, (old, new)) in branches.enumerate() {
                        compare(old, new, &place.child(&[branch]), written);
                    }
                }
                None => {
                    written.insert(place);
                }
            }
        }
        (from, to) = (kept_old + 1, kept_new + 1);
    }
}

/// Whether both are blocks of one kind, with as many branches.
fn is_same_block(one: &Node, other: &Node) -> bool {
    let branches = one.branches().len();
    std::mem::discriminant(one) == std::mem::discriminant(other)
        && branches > 0
        && branches == other.branches().len()
}

/// Pairs of indices of the longest list of nodes that stand in both in the same order.
fn kept(old: &[Node], new: &[Node]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut longest = vec![0usize; (old.len() + 1) * width];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            longest[i * width + j] = if one == other {
                1 + longest[(i + 1) * width + j + 1]
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// What stands in place of the panel's heading.
pub(super) fn heading(ui: &mut Ui) {
    let colors = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(icon::SIZE, 24.0), Sense::hover());
    icon::paint(ui.painter(), Icon::Hint, rect, colors.accent);
    ui.label(
        RichText::new("Proposal, not applied yet")
            .font(theme::heading(theme::BODY))
            .color(colors.accent),
    );
}

/// Over a row: what the proposal writes has a dashed border and says so, the other rows step back.
pub(super) fn mark(ui: &Ui, row: Rect, is_written: bool) {
    let colors = theme::palette(ui);
    if !is_written {
        let veil = theme::faded(colors.panel, 0.5);
        ui.painter().rect_filled(row, theme::RADIUS, veil);
        return;
    }
    let border = row.shrink(0.5);
    let corners = [
        border.left_top(),
        border.right_top(),
        border.right_bottom(),
        border.left_bottom(),
        border.left_top(),
    ];
    let stroke = Stroke::new(1.5, colors.accent);
    ui.painter()
        .extend(Shape::dashed_line(&corners, stroke, 5.0, 4.0));
}

/// The word before figures that are those of a proposal.
pub(crate) fn figures(ui: &mut Ui, state: &State) {
    if state.proposal().is_some() {
        let color = theme::palette(ui).accent;
        let font = FontId::proportional(theme::SMALL);
        ui.label(RichText::new("as proposed:").font(font).color(color));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(texts: &[&str]) -> Vec<Node> {
        texts.iter().map(|text| Node::from_text(text)).collect()
    }

    fn written(old: &[&str], new: &[&str]) -> Vec<String> {
        let place = Place {
            stack: Stack::Decoder,
            path: Vec::new(),
        };
        let mut written = BTreeSet::new();
        compare(&nodes(old), &nodes(new), &place, &mut written);
        written.iter().map(Place::to_string).collect()
    }

    #[test]
    fn what_a_proposal_writes_is_found() {
        let old = ["convt 16 k3 s2", "relu", "convt 3 k3 s2", "tanh"];
        let edited = ["convt 16 k3 s2", "relu", "convt 3 k3 s2 op1", "tanh"];
        assert_eq!(written(&old, &edited), ["decoder.2"]);
        let inserted = ["convt 16 k3 s2", "pad 0+1", "relu", "convt 3 k3 s2", "tanh"];
        assert_eq!(written(&old, &inserted), ["decoder.1"]);
        assert_eq!(written(&old, &old[..3]), [""; 0], "one less is nothing new");
        let block = ["{ concat = [[\"conv 4 k3\", \"relu\"], []] }", "relu"];
        let inside = ["{ concat = [[\"conv 4 k3 p1\", \"relu\"], []] }", "relu"];
        assert_eq!(written(&block, &inside), ["decoder.0.0.0"]);
        let gone = ["relu", "tanh"];
        assert_eq!(written(&block, &gone), ["decoder.1"]);
    }
}
