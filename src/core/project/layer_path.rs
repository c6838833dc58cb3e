//! The way to a node: through its stack, then block and branch after block and branch. Who else needs it asks here.

use super::node::Node;
use super::{Place, Stack};

/// The list that a path (index, branch, index, …) ends in, and the index in it.
pub(super) fn siblings<'a>(stack: &'a [Node], path: &[usize]) -> Option<(&'a [Node], usize)> {
    let (&last, blocks) = path.split_last()?;
    let mut list = stack;
    for block in blocks.chunks(2) {
        let &[index, branch] = block else { return None };
        list = list.get(index)?.branches().get(branch)?;
    }
    Some((list, last))
}

/// The same, to edit.
pub(super) fn siblings_mut<'a>(
    stack: &'a mut Vec<Node>,
    path: &[usize],
) -> Option<(&'a mut Vec<Node>, usize)> {
    let (&last, blocks) = path.split_last()?;
    let mut list = stack;
    for block in blocks.chunks(2) {
        let &[index, branch] = block else { return None };
        list = list.get_mut(index)?.branch_mut(branch)?;
    }
    Some((list, last))
}

/// The node at a path: index, branch, index, …
pub fn node_at<'a>(stack: &'a [Node], path: &[usize]) -> Option<&'a Node> {
    let (list, index) = siblings(stack, path)?;
    list.get(index)
}

impl Place {
    /// The place of the `index`-th node of a stack.
    pub fn new(stack: Stack, index: usize) -> Place {
        Place {
            stack,
            path: vec![index],
        }
    }

    /// The place inside of this one, or (with an empty path) of its stack.
    pub fn child(&self, more: &[usize]) -> Place {
        Place {
            stack: self.stack,
            path: [self.path.as_slice(), more].concat(),
        }
    }

    /// The place `by` further in the same stack or branch, if it is one that an existing node could have.
    pub fn neighbour(&self, by: isize) -> Option<Place> {
        let mut place = self.clone();
        let last = place.path.last_mut()?;
        *last = last.checked_add_signed(by)?;
        Some(place)
    }

    /// The blocks that it is in, the outermost first.
    pub fn enclosing_blocks(&self) -> Vec<Place> {
        let depths = (1..self.path.len()).step_by(2);
        let block = |depth: usize| Place {
            stack: self.stack,
            path: self.path[..depth].to_vec(),
        };
        depths.map(block).collect()
    }

    /// Where it is once the node at `removed` is gone; `None` for what was inside that node.
    pub fn after_remove(&self, removed: &Place) -> Option<Place> {
        let mut place = self.clone();
        let Some((&index, way)) = removed.path.split_last() else {
            return Some(place);
        };
        let level = way.len();
        if place.stack != removed.stack || !place.path.starts_with(way) {
            return Some(place);
        }
        let is_deeper = place.path.len() > level + 1;
        match place.path.get_mut(level) {
            Some(at) if *at > index => *at -= 1,
            Some(at) if *at == index && is_deeper => return None,
            _ => {}
        }
        Some(place)
    }

    /// Where it is once a node was put at `added`.
    pub fn after_insert(&self, added: &Place) -> Place {
        let mut place = self.clone();
        let Some((&index, way)) = added.path.split_last() else {
            return place;
        };
        if place.stack == added.stack
            && place.path.starts_with(way)
            && let Some(at) = place.path.get_mut(way.len()).filter(|at| **at >= index)
        {
            *at += 1;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::builtin;

    #[test]
    fn places_move_up_when_what_was_before_them_goes() {
        let at = |path: &[usize]| Place {
            stack: Stack::Encoder,
            path: path.to_vec(),
        };
        for (place, removed, left) in [
            (&[3][..], &[1][..], Some(&[2][..])),
            (&[1], &[1], Some(&[1])),
            (&[0], &[1], Some(&[0])),
            (&[3, 0, 1], &[1], Some(&[2, 0, 1])),
            (&[1, 0, 1], &[1], None),
            (&[1, 0, 4], &[1, 0, 2], Some(&[1, 0, 3])),
            (&[1, 1, 4], &[1, 0, 2], Some(&[1, 1, 4])),
            (&[2], &[1, 0, 2], Some(&[2])),
        ] {
            assert_eq!(
                at(place).after_remove(&at(removed)),
                left.map(at),
                "{place:?} {removed:?}"
            );
        }
    }

    #[test]
    fn places_move_down_when_something_is_put_before_them() {
        let at = |path: &[usize]| Place {
            stack: Stack::Encoder,
            path: path.to_vec(),
        };
        for (place, added, then) in [
            (&[1][..], &[1][..], &[2][..]),
            (&[0], &[1], &[0]),
            (&[1, 0, 1], &[0], &[2, 0, 1]),
            (&[1], &[1, 0, 0], &[1]),
        ] {
            assert_eq!(
                at(place).after_insert(&at(added)),
                at(then),
                "{place:?} {added:?}"
            );
        }
    }

    #[test]
    fn nodes_and_their_neighbours_are_found() {
        let mut network = builtin::ALL[0].project().unwrap().network;
        network.encoder[0] = Node::from_text("{ add = [[\"relu\", \"bn\"], []] }");
        let place = Place::new(Stack::Encoder, 0).child(&[0, 1]);
        assert_eq!(network.node(&place).unwrap().text(), "bn");
        assert_eq!(place.to_string(), "encoder.0.0.1");
        let before = place.neighbour(-1).unwrap();
        assert_eq!(network.node(&before).unwrap().text(), "relu");
        assert!(Place::new(Stack::Head, 0).neighbour(-1).is_none());
        assert!(network.node(&place.child(&[0, 0])).is_none());
        let deep = place.child(&[1, 2]);
        let blocks = deep.enclosing_blocks();
        assert_eq!(blocks, [Place::new(Stack::Encoder, 0), place]);
    }
}
