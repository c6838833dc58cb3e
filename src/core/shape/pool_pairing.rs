//! Which max pooling an `unpool` undoes.
//!
//! Poolings are stacked in the order they run; an unnamed `unpool` takes the latest that no other
//! took, so a mirrored decoder pairs by itself. `unpool @a` takes the latest pooling named `a`,
//! as often as one likes. Nothing here fails: where there is no partner the answer is `None`.

use super::op::Geometry;
use super::partial_shape::PartialShape;
use crate::project::Place;

/// A max pooling that has run.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Where its indices are kept.
    pub slot: usize,
    /// Its name, `a` for `maxpool 2 @a`.
    pub name: Option<String>,
    /// Its place, for messages.
    pub place: Place,
    /// Its text, for messages.
    pub text: String,
    /// The shape it pooled, as far as known.
    pub input: PartialShape,
    /// The shape it gave, as far as known.
    pub output: PartialShape,
    /// Its window, when its shapes are known.
    pub geometry: Option<Geometry>,
}

/// All max poolings so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    all: Vec<Pool>,
    /// Indices of those that no `unpool` took, in order.
    open: Vec<usize>,
    /// True after a layer that could not be read: it may have been a pooling, so a missing or
    /// unfitting partner is no news.
    pub uncertain: bool,
}

impl Pools {
    /// Notes a pooling that has run.
    pub fn push(&mut self, pool: Pool) {
        self.open.push(self.all.len());
        self.all.push(pool);
    }

    /// The partner of an `unpool` with this name (or none); takes it.
    pub fn pair(&mut self, name: Option<&str>) -> Option<Pool> {
        let index = match name {
            None => self.open.pop()?,
            Some(name) => self
                .all
                .iter()
                .rposition(|pool| pool.name.as_deref() == Some(name))?,
        };
        self.open.retain(|&open| open != index);
        self.all.get(index).cloned()
    }

    /// The latest pooling that gave exactly this shape.
    pub(crate) fn giving(&self, output: &PartialShape) -> Option<&Pool> {
        self.all.iter().rev().find(|pool| pool.output == *output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Stack;

    fn pool(slot: usize, name: Option<&str>) -> Pool {
        let (place, text, name) = (
            Place::new(Stack::Encoder, slot),
            "maxpool 2".into(),
            name.map(str::to_owned),
        );
        Pool {
            slot,
            name,
            place,
            text,
            input: PartialShape::UNKNOWN,
            output: PartialShape::UNKNOWN,
            geometry: None,
        }
    }

    #[test]
    fn latest_first_and_by_name() {
        let mut pools = Pools::default();
        pools.push(pool(0, Some("a")));
        pools.push(pool(1, None));
        pools.push(pool(2, None));
        let mut slot = |name| pools.pair(name).map(|pool| pool.slot);
        assert_eq!(slot(None), Some(2));
        assert_eq!(slot(Some("a")), Some(0));
        assert_eq!(slot(Some("a")), Some(0));
        assert_eq!(slot(None), Some(1));
        assert_eq!(slot(None), None);
        assert_eq!(slot(Some("b")), None);
    }
}
