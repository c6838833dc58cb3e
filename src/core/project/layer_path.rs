//! Where places are once a node has come or gone before them.

use super::Place;

/// Where a place is once the node at `removed` is gone; `None` for what was inside it.
pub fn without(place: &Place, removed: &Place) -> Option<Place> {
    let mut place = place.clone();
    let Some((&index, way)) = removed.path.split_last() else {
        return Some(place);
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Stack;

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
                without(&at(place), &at(removed)),
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
                with(&at(place), &at(added)),
                at(then),
                "{place:?} {added:?}"
            );
        }
    }
}
