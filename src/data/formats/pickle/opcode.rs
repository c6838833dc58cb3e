//! What each opcode of a pickle does. Fails on opcodes that make objects, and on unknown ones.

use super::machine::Machine;
use super::{Blob, Value, text};

/// Opcodes that would make an object of a class, or ask somebody else for one.
const OBJECTS: [(u8, &str); 9] = [
    (b'i', "INST"),
    (b'o', "OBJ"),
    (0x81, "NEWOBJ"),
    (0x92, "NEWOBJ_EX"),
    (b'P', "PERSID"),
    (b'Q', "BINPERSID"),
    (0x82, "EXT1"),
    (0x83, "EXT2"),
    (0x84, "EXT4"),
];

impl Machine<'_> {
    pub(crate) fn step(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            0x80 => self.fixed::<1>().map(drop),
            0x95 => self.fixed::<8>().map(drop),
            b'(' => {
                self.mark();
                Ok(())
            }
            b'0' => self.pop_or_unmark(),
            b'1' => self.pop_to_mark().map(drop),
            b'2' => self.top().map(|top| self.push_again(top)),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Int(1)),
            0x89 => self.push(Value::Int(0)),
            b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a | 0x8b | b'F' | b'G' => self.number(opcode),
            b'S' | b'T' | b'U' | b'V' | b'X' | 0x8c | 0x8d | b'B' | b'C' | 0x8e | 0x96 => {
                self.string(opcode)
            }
            b']' | b'l' | b'a' | b'e' | b')' | b't' | 0x85..=0x87 | b'}' | b'd' | b's' | b'u' => {
                self.container(opcode)
            }
            b'c' | 0x93 | b'R' | b'b' => self.construction(opcode),
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memory(opcode),
            _ => Err(self.refused(opcode)),
        }
    }

    fn refused(&self, opcode: u8) -> String {
        match OBJECTS.iter().find(|(code, _)| *code == opcode) {
            Some((_, name)) => self.wrong(&format!(
                "it would build an object ({name}), which is not done,"
            )),
            None => self.wrong(&format!(
                "{opcode:#04x} is no opcode that a dataset's pickle has,"
            )),
        }
    }

    fn number(&mut self, opcode: u8) -> Result<(), String> {
        let number = match opcode {
            b'I' | b'L' => text::whole(self.line_text()?),
            b'J' => Some(i64::from(i32::from_le_bytes(self.fixed()?))),
            b'K' => Some(i64::from(u8::from_le_bytes(self.fixed()?))),
            b'M' => Some(i64::from(u16::from_le_bytes(self.fixed()?))),
            b'F' => return self.line().and_then(|_| self.push(Value::Float)),
            b'G' => return self.fixed::<8>().and_then(|_| self.push(Value::Float)),
            _ => self.long(opcode)?,
        };
        let number = number.ok_or_else(|| self.wrong("a number beyond 64 bits"))?;
        self.push(Value::Int(number))
    }

    fn long(&mut self, opcode: u8) -> Result<Option<i64>, String> {
        let length = if opcode == 0x8a {
            u32::from(u8::from_le_bytes(self.fixed()?))
        } else {
            u32::from_le_bytes(self.fixed()?)
        };
        let range = self.take(length as usize)?;
        Ok(text::long(self.pickle.input.get(range).unwrap_or_default()))
    }

    fn string(&mut self, opcode: u8) -> Result<(), String> {
        let length = match opcode {
            b'S' | b'V' => return self.escaped(opcode),
            b'U' | b'C' | 0x8c => u64::from(u8::from_le_bytes(self.fixed()?)),
            b'T' | b'X' | b'B' => u64::from(u32::from_le_bytes(self.fixed()?)),
            _ => u64::from_le_bytes(self.fixed()?),
        };
        let range = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        self.push(Value::Bytes(Blob::Input(range)))
    }

    fn escaped(&mut self, opcode: u8) -> Result<(), String> {
        let range = self.line()?;
        let line = self.pickle.input.get(range).unwrap_or_default();
        let bytes = if opcode == b'S' {
            text::quoted(line)
        } else {
            text::raw_unicode(line)
        };
        let bytes = bytes.ok_or_else(|| self.wrong("a string that is not written as one"))?;
        self.push_made(bytes)
    }

    fn container(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            b']' => self.push(Value::List(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b'l' => self
                .pop_to_mark()
                .and_then(|items| self.push(Value::List(items))),
            b't' => self
                .pop_to_mark()
                .and_then(|items| self.push(Value::Tuple(items))),
            b'd' => self
                .pop_to_mark()
                .and_then(|items| self.push(Value::Dict(pairs(&items)))),
            0x85..=0x87 => self.small_tuple(usize::from(opcode - 0x84)),
            b'a' => self.pop().and_then(|item| self.append(&[item])),
            b'e' => self.pop_to_mark().and_then(|items| self.append(&items)),
            b's' => self.set_one(),
            _ => self.pop_to_mark().and_then(|items| self.set(&items)),
        }
    }

    fn small_tuple(&mut self, length: usize) -> Result<(), String> {
        let mut items = (0..length)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Value::Tuple(items))
    }

    fn append(&mut self, items: &[super::Id]) -> Result<(), String> {
        let list = self.top()?;
        match self.value_mut(list)? {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err(self.wrong("something is appended to what is no list,")),
        }
        Ok(())
    }

    fn set_one(&mut self) -> Result<(), String> {
        let (value, key) = (self.pop()?, self.pop()?);
        self.set(&[key, value])
    }

    fn set(&mut self, items: &[super::Id]) -> Result<(), String> {
        let dict = self.top()?;
        match self.value_mut(dict)? {
            Value::Dict(dict) => dict.extend(pairs(items)),
            _ => return Err(self.wrong("a key is given to what is no dictionary,")),
        }
        Ok(())
    }

    fn memory(&mut self, opcode: u8) -> Result<(), String> {
        let key = match opcode {
            0x94 => return self.remember_next(),
            b'p' | b'g' => self
                .line_text()?
                .trim()
                .parse()
                .map_err(|_| self.wrong("a key that is no number"))?,
            b'q' | b'h' => u64::from(u8::from_le_bytes(self.fixed()?)),
            _ => u64::from(u32::from_le_bytes(self.fixed()?)),
        };
        if matches!(opcode, b'p' | b'q' | b'r') {
            self.remember(key)
        } else {
            self.recall(key)
        }
    }
}

fn pairs(items: &[super::Id]) -> Vec<(super::Id, super::Id)> {
    items
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}
