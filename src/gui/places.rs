//! Finding nodes by place, and the places beside them.

use crate::project::node::Node;
use crate::project::{Network, Place};

/// The stack or branch that a place is in.
pub fn siblings<'a>(network: &'a Network, place: &Place) -> Option<&'a [Node]> {
    let mut list = network.stack(place.stack);
    let (_, way) = place.path.split_last()?;
    for step in way.chunks(2) {
        let &[index, branch] = step else { return None };
        list = list.get(index)?.branches().get(branch)?;
    }
    Some(list)
}

/// The node at a place.
pub fn node<'a>(network: &'a Network, place: &Place) -> Option<&'a Node> {
    siblings(network, place)?.get(*place.path.last()?)
}

/// The place `by` further in the same stack or branch, if it is one that an existing node could have.
pub fn beside(place: &Place, by: isize) -> Option<Place> {
    let (&last, way) = place.path.split_last()?;
    let index = last.checked_add_signed(by)?;
    let path = way.iter().copied().chain([index]).collect();
    Some(Place { stack: place.stack, path })
}

/// The place of a node in a branch of the block at `place`.
pub fn inside(place: &Place, branch: usize, index: usize) -> Place {
    let path = place.path.iter().copied().chain([branch, index]).collect();
    Place { stack: place.stack, path }
}

/// Where a place is once the node at `removed` is gone; `None` for what was inside it.
pub fn without(place: &Place, removed: &Place) -> Option<Place> {
    let mut place = place.clone();
    let Some((&index, way)) = removed.path.split_last() else { return Some(place) };
    let level = way.len();
    if place.stack != removed.stack || !place.path.starts_with(way) {
        return Some(place);
    }
    let (deeper, at) = (place.path.len() > level + 1, place.path.get_mut(level));
    match at {
        Some(at) if *at > index => *at -= 1,
        Some(at) if *at == index && deeper => return None,
        _ => {}
    }
    Some(place)
}

/// Where a place is once a node was put at `added`.
pub fn with(place: &Place, added: &Place) -> Place {
    let mut place = place.clone();
    let Some((&index, way)) = added.path.split_last() else { return place };
    if place.stack == added.stack
        && place.path.starts_with(way)
        && let Some(at) = place.path.get_mut(way.len()).filter(|at| **at >= index)
    {
        *at += 1;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Stack, builtin};

    #[test]
    fn places_move_up_when_what_was_before_them_goes() {
        let at = |path: &[usize]| Place { stack: Stack::Encoder, path: path.to_vec() };
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
            assert_eq!(without(&at(place), &at(removed)), left.map(at), "{place:?} {removed:?}");
        }
    }

    #[test]
    fn places_move_down_when_something_is_put_before_them() {
        let at = |path: &[usize]| Place { stack: Stack::Encoder, path: path.to_vec() };
        for (place, added, then) in [
            (&[1][..], &[1][..], &[2][..]),
            (&[0], &[1], &[0]),
            (&[1, 0, 1], &[0], &[2, 0, 1]),
            (&[1], &[1, 0, 0], &[1]),
        ] {
            assert_eq!(with(&at(place), &at(added)), at(then), "{place:?} {added:?}");
        }
    }

    #[test]
    fn places_are_found() {
        let mut network = builtin::ALL[0].project().unwrap().network;
        network.encoder[0] = Node::from_text("{ add = [[\"relu\", \"bn\"], []] }");
        let place = inside(&Place::new(Stack::Encoder, 0), 0, 1);
        assert_eq!(node(&network, &place).unwrap().text(), "bn");
        assert_eq!(place.to_string(), "encoder.0.0.1");
        assert_eq!(beside(&place, -1).and_then(|p| node(&network, &p)).unwrap().text(), "relu");
        assert!(beside(&Place::new(Stack::Head, 0), -1).is_none());
        assert!(node(&network, &inside(&place, 0, 0)).is_none());
    }
}
