//! The stack machine that a pickle is a program for: input, stack, marks and memo. Fails when the
//! program asks for what is not there or takes more steps than [`MOST_STEPS`].

use super::{Blob, Id, MOST_STEPS, Pickle, Value};
use std::collections::BTreeMap;

pub(crate) struct Machine<'a> {
    pub pickle: Pickle<'a>,
    at: usize,
    stack: Vec<Id>,
    /// Heights of the stack at which there is a mark.
    marks: Vec<usize>,
    memo: BTreeMap<u64, Id>,
    /// Bytes that may still be made from bytes of the input.
    allowance: usize,
}

impl<'a> Machine<'a> {
    pub fn new(input: &'a [u8]) -> Machine<'a> {
        Machine {
            pickle: Pickle {
                input,
                values: Vec::new(),
                top: 0,
            },
            at: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
            // Escapes and encodings at most double a text, and each is converted once.
            allowance: input.len().saturating_mul(3),
        }
    }

    pub fn run(mut self) -> Result<Pickle<'a>, String> {
        for _ in 0..MOST_STEPS {
            let [opcode] = self.fixed::<1>()?;
            if opcode == b'.' {
                self.pickle.top = self.pop()?;
                return Ok(self.pickle);
            }
            self.step(opcode)?;
        }
        Err("it takes more steps than a dataset's pickle does".to_string())
    }

    /// The next `N` bytes.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let range = self.take(N)?;
        let bytes = self.pickle.input.get(range).unwrap_or_default();
        bytes.try_into().map_err(|_| self.ended())
    }

    /// Where the next `length` bytes lie.
    pub fn take(&mut self, length: usize) -> Result<std::ops::Range<usize>, String> {
        let end = self
            .at
            .checked_add(length)
            .filter(|&end| end <= self.pickle.input.len());
        let range = self.at..end.ok_or_else(|| self.ended())?;
        self.at = range.end;
        Ok(range)
    }

    /// The bytes up to the next line break, which is passed over.
    pub fn line(&mut self) -> Result<std::ops::Range<usize>, String> {
        let rest = self.pickle.input.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| self.ended())?;
        let range = self.take(length)?;
        self.at += 1;
        Ok(range)
    }

    pub(crate) fn line_text(&mut self) -> Result<&'a str, String> {
        let range = self.line()?;
        let bytes = self.pickle.input.get(range).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| self.wrong("a line that is no text"))
    }

    fn ended(&self) -> String {
        format!("it ends inside a value (at byte {})", self.at)
    }

    pub fn wrong(&self, what: &str) -> String {
        format!("{what} near byte {}", self.at)
    }

    /// Puts a new value on the stack.
    pub fn push(&mut self, value: Value) -> Result<(), String> {
        let id =
            Id::try_from(self.pickle.values.len()).map_err(|_| self.wrong("too many values"))?;
        self.pickle.values.push(value);
        self.stack.push(id);
        Ok(())
    }

    pub(crate) fn push_made(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let left = self.allowance.checked_sub(bytes.len());
        self.allowance = left.ok_or_else(|| self.wrong("one text is converted over and over"))?;
        self.push(Value::Bytes(Blob::Made(bytes)))
    }

    pub fn mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// The values above the last mark, which is removed too.
    pub(crate) fn pop_to_mark(&mut self) -> Result<Vec<Id>, String> {
        let height = self
            .marks
            .pop()
            .ok_or_else(|| self.wrong("a mark is missing"))?;
        Ok(self.stack.split_off(height))
    }

    /// The values below the last mark are out of bounds for everything that pops single values.
    pub fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = if self.stack.len() > floor {
            self.stack.pop()
        } else {
            None
        };
        top.ok_or_else(|| self.wrong("a value is missing"))
    }

    /// Pops a value, or the mark where that is on top.
    pub(crate) fn pop_or_unmark(&mut self) -> Result<(), String> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(|_| ())
    }

    pub fn top(&self) -> Result<Id, String> {
        self.stack
            .last()
            .copied()
            .ok_or_else(|| self.wrong("a value is missing"))
    }

    pub(crate) fn push_again(&mut self, id: Id) {
        self.stack.push(id);
    }

    /// The value itself, for what is filled after it was made.
    pub(crate) fn value_mut(&mut self, id: Id) -> Result<&mut Value, String> {
        let missing = self.wrong("a value is missing");
        self.pickle.values.get_mut(id as usize).ok_or(missing)
    }

    pub fn remember(&mut self, key: u64) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    pub(crate) fn remember_next(&mut self) -> Result<(), String> {
        self.remember(self.memo.len() as u64)
    }

    pub(crate) fn recall(&mut self, key: u64) -> Result<(), String> {
        let id = self.memo.get(&key).copied();
        self.stack
            .push(id.ok_or_else(|| self.wrong("a value is recalled that was never remembered"))?);
        Ok(())
    }
}
