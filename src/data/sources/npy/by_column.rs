//! Arrays whose first axis runs fastest (Fortran's order), put into C's order while they are read: piece by piece, so
//! that no more memory is needed than for the array itself.

use super::header::Header;
use crate::formats::bytes::Unread;
use crate::source::OpenRequest;
use std::io::Read;

/// Bytes read at once, at least.
const PIECE: usize = 1 << 20;

/// Where the next element belongs.
struct Place {
    /// Places along each axis, and the bytes from one to the next.
    axes: Vec<(usize, usize)>,
    at: Vec<usize>,
    byte: usize,
}

impl Place {
    fn new(shape: &[usize], size: usize) -> Place {
        let mut step = size;
        let mut axes: Vec<(usize, usize)> = Vec::new();
        for &places in shape.iter().rev() {
            axes.push((places, step));
            step *= places;
        }
        axes.reverse();
        Place {
            at: vec![0; axes.len()],
            axes,
            byte: 0,
        }
    }

    fn advance(&mut self) {
        for (at, &(places, step)) in self.at.iter_mut().zip(&self.axes) {
            *at += 1;
            self.byte += step;
            if *at < places {
                return;
            }
            self.byte -= places * step;
            *at = 0;
        }
    }
}

/// The `body` bytes of the elements in C's order, and how many bytes came: more or fewer than `body` is wrong.
pub(super) fn read(
    reader: &mut dyn Read,
    header: &Header,
    body: u64,
    ask: &mut OpenRequest,
) -> Result<(Vec<u8>, u64), Unread> {
    let size = header.element.size();
    let no_memory = || Unread::Memory("its elements do not fit into memory".to_owned());
    let whole = usize::try_from(body).map_err(|_| no_memory())?;
    let mut ordered = Vec::new();
    ordered.try_reserve_exact(whole).map_err(|_| no_memory())?;
    ordered.resize(whole, 0);
    let mut place = Place::new(&header.shape, size);
    let mut piece = Vec::new();
    let mut came = 0;
    loop {
        ask.still().map_err(|_| Unread::Cancelled)?;
        piece.clear();
        // One more element than there should be shows that something follows.
        let wanted = (PIECE / size + 1) * size;
        let read = (&mut *reader).take(wanted as u64).read_to_end(&mut piece);
        came += read.map_err(Unread::System)? as u64;
        if came <= body {
            for element in piece.chunks_exact(size) {
                if let Some(to) = ordered.get_mut(place.byte..place.byte + size) {
                    to.copy_from_slice(element);
                }
                place.advance();
            }
        }
        if piece.len() < wanted || came > body {
            return Ok((ordered, came));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_placed_by_the_last_axis_first() {
        let mut place = Place::new(&[2, 3, 4], 2);
        let mut places = Vec::new();
        for _ in 0..24 {
            places.push(place.byte);
            place.advance();
        }
        assert_eq!(places[..4], [0, 24, 8, 32]);
        places.sort_unstable();
        assert_eq!(places, (0..48).step_by(2).collect::<Vec<_>>());
        assert_eq!(place.byte, 0, "it begins again");
    }
}
