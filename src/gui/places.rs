//! Finding nodes by place, and the places beside them.

pub use strata_core::project::shift::{with, without};

use strata_core::project::node::Node;
use strata_core::project::{Network, Place};

/// The stack or branch that a place is in.
pub fn siblings<'a>(network: &'a Network, place: &Place) -> Option<&'a [Node]> {
    network.siblings(place).map(|(list, _)| list)
}

/// The node at a place.
pub fn node<'a>(network: &'a Network, place: &Place) -> Option<&'a Node> {
    network.node(place)
}

/// The place `by` further in the same stack or branch, if it is one that an existing node could have.
pub fn beside(place: &Place, by: isize) -> Option<Place> {
    let (&last, way) = place.path.split_last()?;
    let index = last.checked_add_signed(by)?;
    let path = way.iter().copied().chain([index]).collect();
    Some(Place {
        stack: place.stack,
        path,
    })
}

/// The place of a node in a branch of the block at `place`.
pub fn inside(place: &Place, branch: usize, index: usize) -> Place {
    let path = place.path.iter().copied().chain([branch, index]).collect();
    Place {
        stack: place.stack,
        path,
    }
}

/// The blocks that a place is in, the outermost first.
pub fn around(place: &Place) -> Vec<Place> {
    let depths = (1..place.path.len()).step_by(2);
    depths
        .map(|depth| Place {
            stack: place.stack,
            path: place.path[..depth].to_vec(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::{Stack, builtin};

    #[test]
    fn places_are_found() {
        let mut network = builtin::ALL[0].project().unwrap().network;
        network.encoder[0] = Node::from_text("{ add = [[\"relu\", \"bn\"], []] }");
        let place = inside(&Place::new(Stack::Encoder, 0), 0, 1);
        assert_eq!(node(&network, &place).unwrap().text(), "bn");
        assert_eq!(place.to_string(), "encoder.0.0.1");
        assert_eq!(
            beside(&place, -1)
                .and_then(|p| node(&network, &p))
                .unwrap()
                .text(),
            "relu"
        );
        assert!(beside(&Place::new(Stack::Head, 0), -1).is_none());
        assert!(node(&network, &inside(&place, 0, 0)).is_none());
        let deep = inside(&place, 1, 2);
        assert_eq!(around(&deep), [Place::new(Stack::Encoder, 0), place]);
    }
}
