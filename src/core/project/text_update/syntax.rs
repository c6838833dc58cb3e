//! A TOML text as a tree that knows where each of its values is.

use std::ops::Range;
use toml_edit::{Document, InlineTable, Item, Table, Value};

/// A value, or a table, and its place in the text.
pub(super) struct Part<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The bytes of the value; of a table with a header those of the header, of the root none.
    pub span: Range<usize>,
    pub content: Content<'a>,
}

pub(super) enum Content<'a> {
    /// A string, a number, a boolean, a date.
    Scalar,
    /// `[1, 2]`
    Array(Vec<Part<'a>>),
    /// `{ a = 1 }`
    InlineTable(Vec<Entry<'a>>),
    /// A table with a header, one that dotted keys make, or the root.
    Table {
        has_header: bool,
        entries: Vec<Entry<'a>>,
    },
    /// `[[a]]`
    ArrayOfTables(Vec<Part<'a>>),
}

/// A key and its value.
pub(super) struct Entry<'a> {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Part<'a>,
}

impl<'a> Part<'a> {
    /// The root of this text; nothing where it is not TOML.
    pub fn parse(text: &'a str) -> Option<Part<'a>> {
        let document = Document::parse(text).ok()?;
        Some(Part {
            text,
            span: 0..0,
            content: Content::Table {
                has_header: false,
                entries: table_entries(text, document.as_table())?,
            },
        })
    }

    /// The text of the value.
    pub fn raw(&self) -> &'a str {
        &self.text[self.span.clone()]
    }

    /// The entries of a table, in the order of the text.
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.content {
            Content::InlineTable(entries) | Content::Table { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The elements of an array, or the tables of an array of tables.
    pub fn elements(&self) -> &[Part<'a>] {
        match &self.content {
            Content::Array(parts) | Content::ArrayOfTables(parts) => parts,
            _ => &[],
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.is_table() && self.span.is_empty()
    }

    pub fn is_table(&self) -> bool {
        matches!(
            self.content,
            Content::InlineTable(_) | Content::Table { .. }
        )
    }

    pub fn is_list(&self) -> bool {
        matches!(self.content, Content::Array(_) | Content::ArrayOfTables(_))
    }

    /// Whether it is written under its own header, away from the lines of the table that holds it.
    pub fn has_header(&self) -> bool {
        match &self.content {
            Content::Table { has_header, .. } => *has_header,
            Content::ArrayOfTables(_) => true,
            _ => false,
        }
    }

    /// Equal values, in whatever layout. Both texts must write scalars and the order of keys in the same way,
    /// as two texts of [`crate::project::file::to_text`] do.
    pub fn equals(&self, other: &Part) -> bool {
        if self.is_list() && other.is_list() {
            let parts = self.elements();
            let others = other.elements();
            return parts.len() == others.len()
                && parts.iter().zip(others).all(|(a, b)| a.equals(b));
        }
        if self.is_table() && other.is_table() {
            let entries = self.entries();
            let others = other.entries();
            return entries.len() == others.len()
                && entries
                    .iter()
                    .zip(others)
                    .all(|(a, b)| a.key == b.key && a.value.equals(&b.value));
        }
        let is_scalar = |part: &Part| matches!(part.content, Content::Scalar);
        is_scalar(self) && is_scalar(other) && self.raw() == other.raw()
    }

    /// The last byte of the value, of the table or of the tables inside it.
    pub fn end(&self) -> usize {
        let inside = match &self.content {
            Content::Table { entries, .. } => entries.iter().map(|entry| entry.value.end()).max(),
            Content::ArrayOfTables(tables) => tables.iter().map(Part::end).max(),
            _ => None,
        };
        inside.unwrap_or(0).max(self.span.end)
    }
}

fn table_entries<'a>(text: &'a str, table: &Table) -> Option<Vec<Entry<'a>>> {
    let names = table.iter().map(|(name, _)| name);
    names
        .map(|name| {
            let (key, item) = table.get_key_value(name)?;
            Some(Entry {
                key: name.to_owned(),
                key_span: key.span()?,
                value: item_part(text, item)?,
            })
        })
        .collect()
}

fn item_part<'a>(text: &'a str, item: &Item) -> Option<Part<'a>> {
    match item {
        Item::None => None,
        Item::Value(value) => value_part(text, value),
        Item::Table(table) => table_part(text, table),
        Item::ArrayOfTables(tables) => {
            let parts = tables.iter().map(|table| table_part(text, table));
            Some(Part {
                text,
                span: tables.span()?,
                content: Content::ArrayOfTables(parts.collect::<Option<_>>()?),
            })
        }
    }
}

fn table_part<'a>(text: &'a str, table: &Table) -> Option<Part<'a>> {
    Some(Part {
        text,
        span: table.span()?,
        content: Content::Table {
            has_header: !table.is_implicit() && !table.is_dotted(),
            entries: table_entries(text, table)?,
        },
    })
}

fn value_part<'a>(text: &'a str, value: &Value) -> Option<Part<'a>> {
    let content = match value {
        Value::Array(array) => {
            let parts = array.iter().map(|value| value_part(text, value));
            Content::Array(parts.collect::<Option<_>>()?)
        }
        Value::InlineTable(table) if !has_dotted_keys(table) => {
            Content::InlineTable(inline_entries(text, table)?)
        }
        _ => Content::Scalar,
    };
    Some(Part {
        text,
        span: value.span()?,
        content,
    })
}

/// `{ a.b = 1 }`: such a table has no text for `a` alone, so it is treated as one value.
fn has_dotted_keys(table: &InlineTable) -> bool {
    let mut values = table.iter().map(|(_, value)| value);
    values.any(|value| value.as_inline_table().is_some_and(InlineTable::is_dotted))
}

fn inline_entries<'a>(text: &'a str, table: &InlineTable) -> Option<Vec<Entry<'a>>> {
    let names = table.iter().map(|(name, _)| name);
    names
        .map(|name| {
            let (key, item) = table.get_key_value(name)?;
            Some(Entry {
                key: name.to_owned(),
                key_span: key.span()?,
                value: value_part(text, item.as_value()?)?,
            })
        })
        .collect()
}
