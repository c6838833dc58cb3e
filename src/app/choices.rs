//! What was chosen in single views, by the type of the choice: a view needs no field in the
//! state or among the actions.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

/// A choice of some type.
#[derive(Clone)]
pub struct Choice(Arc<dyn ErasedChoice>);

trait ErasedChoice: Any + Debug + Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: Any + Debug + PartialEq + Send + Sync> ErasedChoice for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<T>() == Some(self)
    }
}

impl Choice {
    /// Forgets the type of a choice.
    pub fn new<T: Any + Debug + PartialEq + Send + Sync>(choice: T) -> Choice {
        Choice(Arc::new(choice))
    }
}

impl PartialEq for Choice {
    fn eq(&self, other: &Choice) -> bool {
        (*self.0).is_same((*other.0).as_any())
    }
}

impl Debug for Choice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The latest choice of every type.
#[derive(Debug, Default)]
pub struct Choices(HashMap<TypeId, Choice>);

impl Choices {
    /// The choice of a type; its default until something was chosen.
    pub fn get<T: Any + Clone + Default>(&self) -> T {
        let choice = self.0.get(&TypeId::of::<T>());
        let choice = choice.and_then(|choice| (*choice.0).as_any().downcast_ref::<T>());
        choice.cloned().unwrap_or_default()
    }

    /// Takes a choice in the place of the former one of its type.
    pub(super) fn put(&mut self, choice: Choice) {
        self.0.insert((*choice.0).as_any().type_id(), choice);
    }

    /// Back to what nothing was chosen in.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_choice() {
        let mut choices = Choices::default();
        assert_eq!(choices.get::<u8>(), 0);
        choices.put(Choice::new(3u8));
        choices.put(Choice::new(5u8));
        choices.put(Choice::new("a".to_owned()));
        assert_eq!(
            (choices.get::<u8>(), choices.get::<String>()),
            (5, "a".to_owned())
        );
        assert_eq!(Choice::new(3u8), Choice::new(3u8));
        assert_ne!(Choice::new(3u8), Choice::new(3u16));
    }
}
