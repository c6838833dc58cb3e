//! A partially known shape: some sizes, or all of them, may be unknown.
//!
//! After an error the layers below still show what follows from their own text: `32×?×?` after a
//! convolution with 32 filters, `10` after `dense 10`.

use crate::project::size::Shape;
use std::fmt;

/// A shape of which any size, and even the number of axes, may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialShape {
    channels: Option<usize>,
    rank: Option<usize>,
    /// The first `rank` entries count; the others stay `None`.
    spatial: [Option<usize>; 3],
}

impl PartialShape {
    /// Nothing is known.
    pub const UNKNOWN: PartialShape = PartialShape {
        channels: None,
        rank: None,
        spatial: [None; 3],
    };

    /// Everything is known.
    pub fn of(shape: &Shape) -> PartialShape {
        let mut spatial = [None; 3];
        for (slot, &size) in spatial.iter_mut().zip(shape.spatial()) {
            *slot = Some(size);
        }
        PartialShape {
            channels: Some(shape.channels()),
            rank: Some(shape.rank()),
            spatial,
        }
    }

    /// A vector of so many features, if they are known.
    pub fn vector(features: Option<usize>) -> PartialShape {
        PartialShape {
            channels: features,
            rank: Some(0),
            spatial: [None; 3],
        }
    }

    /// Channels and sizes as far as known; with more than three sizes the rest is dropped.
    pub fn tensor(channels: Option<usize>, sizes: &[Option<usize>]) -> PartialShape {
        let mut spatial = [None; 3];
        for (slot, &size) in spatial.iter_mut().zip(sizes) {
            *slot = size;
        }
        PartialShape {
            channels,
            rank: Some(sizes.len().min(3)),
            spatial,
        }
    }

    /// Only the channels, perhaps: neither sizes nor the number of axes.
    pub(crate) fn channels_only(channels: Option<usize>) -> PartialShape {
        PartialShape {
            channels,
            ..PartialShape::UNKNOWN
        }
    }

    /// The channels, if known.
    pub fn channels(&self) -> Option<usize> {
        self.channels
    }

    /// The sizes after the channels; `None` when not even their number is known.
    pub fn spatial(&self) -> Option<&[Option<usize>]> {
        self.rank.map(|rank| &self.spatial[..rank])
    }

    /// The shape, when every size is known.
    pub fn full(&self) -> Option<Shape> {
        let rank = self.rank?;
        let mut dims = [self.channels?; 4];
        for axis in 0..rank {
            dims[axis + 1] = self.spatial[axis]?;
        }
        Shape::new(&dims[..=rank])
    }

    /// The same rank and channels, with each size passed through `f` (axis, size).
    pub(super) fn map(
        &self,
        channels: Option<usize>,
        f: impl Fn(usize, usize) -> Option<usize>,
    ) -> PartialShape {
        let Some(sizes) = self.spatial() else {
            return PartialShape::channels_only(channels);
        };
        let mapped: Vec<_> = sizes
            .iter()
            .enumerate()
            .map(|(axis, size)| size.and_then(|size| f(axis, size)))
            .collect();
        PartialShape::tensor(channels, &mapped)
    }

    /// What two outlines of one tensor say together; where they contradict, nothing is known.
    pub(super) fn unite(&self, other: &PartialShape) -> PartialShape {
        let one = |a: Option<usize>, b: Option<usize>| match (a, b) {
            (Some(a), Some(b)) => (a == b).then_some(a),
            (known, None) | (None, known) => known,
        };
        let channels = one(self.channels, other.channels);
        match (self.spatial(), other.spatial()) {
            (Some(a), Some(b)) if a.len() == b.len() => {
                let sizes: Vec<_> = a.iter().zip(b).map(|(&a, &b)| one(a, b)).collect();
                PartialShape::tensor(channels, &sizes)
            }
            (Some(sizes), None) | (None, Some(sizes)) => PartialShape::tensor(channels, sizes),
            _ => PartialShape::channels_only(channels),
        }
    }
}

impl fmt::Display for PartialShape {
    /// `32×?×?`; `32×…` when the number of axes is unknown, `?` when everything is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |f: &mut fmt::Formatter<'_>, size: Option<usize>| match size {
            Some(size) => write!(f, "{size}"),
            None => f.write_str("?"),
        };
        size(f, self.channels)?;
        let Some(sizes) = self.spatial() else {
            return f.write_str(if self.channels.is_some() { "×…" } else { "" });
        };
        sizes
            .iter()
            .try_for_each(|&one| f.write_str("×").and_then(|()| size(f, one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_read_as_people_write_them() {
        let shape: Shape = "3x32x48".parse().unwrap();
        assert_eq!(PartialShape::of(&shape).to_string(), "3×32×48");
        assert_eq!(PartialShape::of(&shape).full(), Some(shape));
        assert_eq!(
            PartialShape::tensor(Some(32), &[None, Some(7)]).to_string(),
            "32×?×7"
        );
        assert_eq!(PartialShape::channels_only(Some(32)).to_string(), "32×…");
        assert_eq!(PartialShape::UNKNOWN.to_string(), "?");
        assert_eq!(
            PartialShape::vector(Some(10)).full().unwrap().to_string(),
            "10"
        );
    }

    #[test]
    fn uniting_keeps_what_is_agreed() {
        let a = PartialShape::tensor(Some(8), &[None, Some(4)]);
        let b = PartialShape::tensor(None, &[Some(3), Some(5)]);
        assert_eq!(a.unite(&b).to_string(), "8×3×?");
        assert_eq!(a.unite(&PartialShape::UNKNOWN), a);
    }
}
