//! A restricted reader of Python's pickle: it builds numbers, strings, lists, tuples, dictionaries
//! and arrays of numbers, and nothing else, so that a file can run no code.
//!
//! Values lie in one list and name each other by number: nothing here recurses, and a value that
//! holds itself does no harm. Bytes stay in the input. A file makes at most [`MOST_STEPS`] steps,
//! which bounds everything that grows. Fails with a sentence on any other global, on any opcode
//! that makes objects, and on a file that ends early.

mod build;
mod machine;
mod opcode;
mod text;

use super::array::Element;
use std::ops::Range;

/// The original CIFAR files take up to about 300,000.
const MOST_STEPS: usize = 1 << 22;

/// No array of a dataset has more axes, and nothing that is called takes more arguments.
const MOST_PARTS: usize = 16;
/// No name (of a type, a coding, a key in a message) is longer.
const LONGEST_NAME: usize = 64;

/// A value's place in the list.
pub(crate) type Id = u32;

/// Bytes of the input, or made from it.
#[derive(Clone, Debug)]
enum Blob {
    Input(Range<usize>),
    Made(Vec<u8>),
}

/// An array's bytes lie in another value.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub element: Element,
    pub shape: Vec<usize>,
    pub by_column: bool,
    bytes: Id,
}

#[derive(Clone, Debug)]
enum Value {
    None,
    Int(i64),
    Float,
    /// Text and bytes are one kind: Python 2 wrote no difference.
    Bytes(Blob),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(build::Global),
    Element(Element),
    /// An array between its making and its filling.
    Empty,
    Array(Array),
}

/// All values of a file.
pub(crate) struct Pickle<'a> {
    input: &'a [u8],
    values: Vec<Value>,
    top: Id,
}

impl<'a> Pickle<'a> {
    /// Reads all of `input`, or says in a sentence why not.
    pub fn read(input: &'a [u8]) -> Result<Pickle<'a>, String> {
        machine::Machine::new(input).run()
    }

    /// The value under `key` in the dictionary that the file is.
    pub fn get(&self, key: &str) -> Option<Id> {
        let Value::Dict(pairs) = self.value(self.top)? else {
            return None;
        };
        let wanted = |&&(name, _): &&(Id, Id)| self.bytes(name) == Some(key.as_bytes());
        pairs.iter().rev().find(wanted).map(|&(_, value)| value)
    }

    /// The names in the dictionary, for messages.
    pub fn keys(&self) -> Option<Vec<String>> {
        let Value::Dict(pairs) = self.value(self.top)? else {
            return None;
        };
        let names = pairs.iter().filter_map(|&(name, _)| self.text(name));
        Some(names.take(20).collect())
    }

    /// The numbers of a list or of an array with one axis.
    pub fn numbers(&self, id: Id) -> Option<Vec<i64>> {
        match self.value(id)? {
            Value::List(items) | Value::Tuple(items) => {
                items.iter().map(|&item| self.number(item)).collect()
            }
            Value::Array(array) if array.shape.len() == 1 && array.element.is_whole() => {
                let items = self.array_bytes(array)?.chunks_exact(array.element.size());
                items.map(|bytes| array.element.whole(bytes)).collect()
            }
            _ => None,
        }
    }

    /// An array and its bytes, which are as many as its shape says.
    pub fn array(&self, id: Id) -> Option<(&Array, &[u8])> {
        match self.value(id)? {
            Value::Array(array) => Some((array, self.array_bytes(array)?)),
            _ => None,
        }
    }

    fn array_bytes(&self, array: &Array) -> Option<&[u8]> {
        self.bytes(array.bytes)
    }

    fn value(&self, id: Id) -> Option<&Value> {
        self.values.get(id as usize)
    }

    fn number(&self, id: Id) -> Option<i64> {
        match self.value(id)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A name; of a longer text its start.
    fn text(&self, id: Id) -> Option<String> {
        let bytes = self.bytes(id)?;
        let start = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
        Some(String::from_utf8_lossy(start).into_owned())
    }

    fn bytes(&self, id: Id) -> Option<&[u8]> {
        match self.value(id)? {
            Value::Bytes(Blob::Input(range)) => self.input.get(range.clone()),
            Value::Bytes(Blob::Made(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
