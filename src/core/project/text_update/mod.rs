//! Brings the text of a project file up to date with an edited project.
//!
//! `toml_edit` says where each value of the text is. What differs between the project that the text holds and the
//! edited one is replaced there, and nothing else: comments, the order of keys and the spacing stay, byte for byte.
//! A comment on its own line also stays when the layer, key or stage below it is removed; one that ends a
//! removed line, or is inside of what is removed, goes with it. A moved layer or stage takes its comments along.

mod align;
mod list;
mod sections;
mod syntax;
#[cfg(test)]
mod tests;

use super::{Project, file};
use align::{Likeness, Step, align};
use list::List;
use std::ops::Range;
use syntax::{Content, Entry, Part};

/// The previous text of a project's file with what the project changes in it. Where the previous text is no project,
/// the project's text is written as if it were new.
pub fn update_text(previous: &str, project: &Project) -> String {
    let project = &project.as_opened();
    let holds = |text: &String| file::parse(text, "").is_ok_and(|read| read == *project);
    updated(previous, project)
        .filter(holds)
        .unwrap_or_else(|| file::to_text(project))
}

fn updated(previous: &str, project: &Project) -> Option<String> {
    let before = file::parse(previous, "").ok()?;
    if before == *project {
        return Some(previous.to_owned());
    }
    // Values are compared in Strata's own writing, where what is equal is written alike.
    let old_text = file::to_text(&before);
    let new_text = file::to_text(project);
    let old = Part::parse(&old_text)?;
    let new = Part::parse(&new_text)?;
    let present = Part::parse(previous)?;
    let mut update = Update {
        text: previous,
        newline: newline(previous),
        splices: Vec::new(),
    };
    update.table(&present, old.entries(), new.entries());
    Some(update.finish())
}

/// How the lines of a text end: as its first one does.
fn newline(text: &str) -> &'static str {
    let first = text.find('\n').unwrap_or(0);
    if text[..first].ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    }
}

/// Where the first line ends.
fn line_break(text: &str) -> Option<usize> {
    let at = text.find('\n')?;
    Some(if text[..at].ends_with('\r') {
        at - 1
    } else {
        at
    })
}

/// Replacements to make in a text.
struct Update<'a> {
    text: &'a str,
    newline: &'static str,
    splices: Vec<(Range<usize>, String)>,
}

impl Update<'_> {
    fn finish(mut self) -> String {
        // Insertions at one place stay in the order in which they were made.
        self.splices
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = String::new();
        let mut done = 0;
        for (range, replacement) in &self.splices {
            text += &self.text[done..range.start.max(done)];
            text += replacement;
            done = done.max(range.end);
        }
        text + &self.text[done..]
    }

    fn splice(&mut self, range: Range<usize>, text: String) {
        self.splices.push((range, text));
    }

    /// Changes the entries that differ between `old` and `new`. What both leave out is a default that the text may
    /// well write out.
    fn table(&mut self, present: &Part, old: &[Entry], new: &[Entry]) {
        for (index, entry) in new.iter().enumerate() {
            let before = find(old, &entry.key).map(|entry| &entry.value);
            if before.is_some_and(|before| before.equals(&entry.value)) {
                continue;
            }
            match find(present.entries(), &entry.key) {
                Some(found) => self.entry(present, found, before, &new[..=index]),
                None => self.insert(present, before, &new[..=index]),
            }
        }
        let gone = old.iter().filter(|entry| find(new, &entry.key).is_none());
        for entry in gone {
            if let Some(found) = find(present.entries(), &entry.key) {
                self.remove(found, &entry.value);
            }
        }
    }

    /// Changes the entry `found` to the last one of `new`.
    fn entry(&mut self, table: &Part, found: &Entry, old: Option<&Part>, new: &[Entry]) {
        let Some(entry) = new.last() else { return };
        let value = &found.value;
        let old_entries = old.map_or(&[][..], Part::entries);
        match &value.content {
            Content::Table { .. } if entry.value.is_table() => {
                self.table(value, old_entries, entry.value.entries());
            }
            Content::ArrayOfTables(tables) if entry.value.elements().iter().all(Part::is_table) => {
                let old = old.map_or(&[][..], Part::elements);
                self.blocks(tables, old, entry.value.elements());
            }
            Content::Table { .. } | Content::ArrayOfTables(_) => {
                self.remove_lines(found);
                self.insert(table, old, new);
            }
            _ => {
                let text = self.value(value, old, &entry.value);
                self.splice(value.span.clone(), text);
            }
        }
    }

    /// Adds the last entry of `new`.
    fn insert(&mut self, table: &Part, old: Option<&Part>, new: &[Entry]) {
        let Some((entry, earlier)) = new.split_last() else {
            return;
        };
        if table.is_root() && entry.value.has_header() {
            self.insert_section(table, old, entry, earlier);
        } else {
            self.insert_line(table, entry, earlier);
        }
    }

    /// Adds `key = value`. A table that has neither a header nor its own line, as `data` where there is only
    /// `[data.normalize]`, has no place for it.
    fn insert_line(&mut self, table: &Part, entry: &Entry, earlier: &[Entry]) {
        if let Some((at, prefix)) = self.line_place(table, earlier) {
            let indent = &prefix[..prefix.len() - prefix.trim_start().len()];
            let line = format!("{prefix}{}", self.line(entry, indent));
            self.insert_below(at, &line);
        }
    }

    /// Where a line goes that follows the last of `earlier` that is there, or else the header; and what the lines
    /// there start with: spaces, or `data.` of a table of dotted keys.
    fn line_place(&self, table: &Part, earlier: &[Entry]) -> Option<(usize, String)> {
        let is_in_body = |entry: &&Entry| body_end(&entry.value).is_some();
        let predecessor = earlier
            .iter()
            .rev()
            .filter_map(|earlier| find(table.entries(), &earlier.key))
            .find(is_in_body);
        if predecessor.is_none() && table.has_header() {
            return Some((line_end(self.text, table.span.end), String::new()));
        }
        let neighbour = predecessor.or_else(|| table.entries().iter().find(is_in_body))?;
        let key_start = neighbour.key_span.start;
        let prefix = &self.text[line_start(self.text, key_start)..key_start];
        Some((
            line_end(self.text, body_end(&neighbour.value)?),
            prefix.trim_start_matches(BYTE_ORDER_MARK).to_owned(),
        ))
    }

    /// Adds lines at the start of a line, or at the end of a text whose last line does not end.
    fn insert_below(&mut self, at: usize, lines: &str) {
        let newline = self.newline;
        let is_open = at > 0 && !self.text[..at].ends_with('\n');
        let lines = if is_open {
            format!("{newline}{lines}")
        } else {
            format!("{lines}{newline}")
        };
        self.splice(at..at, lines);
    }

    /// Takes away an entry that the project no longer has.
    fn remove(&mut self, found: &Entry, old: &Part) {
        let value = &found.value;
        match &value.content {
            Content::ArrayOfTables(tables) => self.blocks(tables, old.elements(), &[]),
            Content::Array(parts)
                if LISTS.contains(&found.key.as_str())
                    && value.raw().contains('#')
                    && parts.len() == old.elements().len() =>
            {
                let emptied = self.array(value, old.elements(), &[]);
                self.splice(value.span.clone(), emptied);
            }
            _ => self.remove_lines(found),
        }
    }

    fn remove_lines(&mut self, found: &Entry) {
        let value = &found.value;
        match &value.content {
            Content::Table { entries, .. } if value.has_header() => {
                let section = self.lines_of(&(value.span.start..value.end()));
                if !self.text[section.clone()].contains('#') {
                    return self.cut(section);
                }
                self.cut(self.lines_of(&value.span));
                entries.iter().for_each(|entry| self.remove_lines(entry));
            }
            Content::Table { entries, .. } => {
                entries.iter().for_each(|entry| self.remove_lines(entry));
            }
            Content::ArrayOfTables(tables) => {
                for table in tables {
                    self.cut(self.lines_of(&(table.span.start..table.end())));
                }
            }
            _ => {
                let lines = self.lines_of(&(found.key_span.start..value.span.end));
                self.splice(lines, String::new());
            }
        }
    }

    fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        line_start(self.text, span.start)..line_end(self.text, span.end)
    }

    /// The text of a value that changes from `old` to `new`.
    fn value(&self, present: &Part, old: Option<&Part>, new: &Part) -> String {
        let old_parts = old.map_or(&[][..], Part::elements);
        match (&present.content, old) {
            (Content::Array(parts), _)
                if new.is_list() && parts.len() == old_parts.len() && has_content(present) =>
            {
                self.array(present, old_parts, new.elements())
            }
            (Content::InlineTable(_), Some(old)) if new.is_table() => {
                self.inline_table(present, old.entries(), new.entries())
            }
            _ => self.render(new, indentation(self.text, present.span.start)),
        }
    }

    fn array(&self, present: &Part, old: &[Part], new: &[Part]) -> String {
        let parts = present.elements();
        let spans: Vec<Range<usize>> = parts.iter().map(|part| part.span.clone()).collect();
        let mut list = List::parse(self.text, &present.span, &spans);
        let own_indent = indentation(self.text, present.span.start);
        let indent = list.indent().unwrap_or(own_indent).to_owned();
        let steps = align(old.len(), new.len(), |i, j| likeness(&old[i], &new[j]));
        let changed = |i: usize, j: usize| self.value(&parts[i], Some(&old[i]), &new[j]);
        list.apply(&steps, changed, |j| self.render(&new[j], &indent));
        list.text()
    }

    fn inline_table(&self, present: &Part, old: &[Entry], new: &[Entry]) -> String {
        let entries = present.entries();
        let spans = entries
            .iter()
            .map(|entry| entry.key_span.start..entry.value.span.end);
        let mut list = List::parse(self.text, &present.span, &spans.collect::<Vec<_>>());
        let mut steps = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let key = current_key(&entry.key);
            let before = find(old, key);
            match new.iter().position(|new| new.key == key) {
                Some(j) if before.is_none_or(|before| !before.value.equals(&new[j].value)) => {
                    steps.push(Step::Change(index, j));
                }
                None if before.is_some() => steps.push(Step::Remove(index)),
                _ => steps.push(Step::Keep(index)),
            }
        }
        for (j, entry) in new.iter().enumerate() {
            let is_same = find(old, &entry.key).is_some_and(|old| old.value.equals(&entry.value));
            if !is_same && find(entries, &entry.key).is_none() {
                steps.push(Step::Insert(j));
            }
        }
        let changed = |i: usize, j: usize| {
            let entry = &entries[i];
            let key = &self.text[entry.key_span.start..entry.value.span.start];
            let before = find(old, current_key(&entry.key)).map(|entry| &entry.value);
            format!("{key}{}", self.value(&entry.value, before, &new[j].value))
        };
        list.apply(&steps, changed, |j| self.line(&new[j], ""));
        list.text()
    }

    /// `key = value`
    fn line(&self, entry: &Entry, indent: &str) -> String {
        format!("{} = {}", entry.key, self.render(&entry.value, indent))
    }

    /// The text of a new value, on lines that are indented like this.
    fn render(&self, new: &Part, indent: &str) -> String {
        let inside = |entry: &Entry| self.line(entry, indent);
        let element = |part: &Part| self.render(part, indent);
        match &new.content {
            Content::Table { entries, .. } => {
                let entries: Vec<String> = entries.iter().map(inside).collect();
                format!("{{ {} }}", entries.join(", "))
            }
            Content::ArrayOfTables(tables) => {
                let tables: Vec<String> = tables.iter().map(element).collect();
                format!("[{}]", tables.join(", "))
            }
            _ => {
                let own = format!("\n{}", indentation(new.text, new.span.start));
                new.raw()
                    .replace(&own, &format!("{}{indent}", self.newline))
            }
        }
    }
}

/// Lists that may be empty: where one holds comments it is emptied instead of removed.
const LISTS: [&str; 6] = ["encoder", "decoder", "head", "locked", "augment", "freeze"];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Files may still have the former name of a key.
fn current_key(key: &str) -> &str {
    if key == "patches" { "patch" } else { key }
}

fn find<'e, 'a>(entries: &'e [Entry<'a>], key: &str) -> Option<&'e Entry<'a>> {
    entries.iter().find(|entry| current_key(&entry.key) == key)
}

/// Where the lines end that a value takes among those of the table that holds it; nothing where it is under a header
/// of its own.
fn body_end(value: &Part) -> Option<usize> {
    match &value.content {
        _ if value.has_header() => None,
        Content::Table { entries, .. } => entries
            .iter()
            .filter_map(|entry| body_end(&entry.value))
            .max(),
        _ => Some(value.span.end),
    }
}

/// Whether there is anything between the brackets that has to stay.
fn has_content(array: &Part) -> bool {
    !array.elements().is_empty() || array.raw().contains('#')
}

fn likeness(old: &Part, new: &Part) -> Likeness {
    if old.equals(new) {
        Likeness::Equal
    } else if kind(old) == kind(new) {
        Likeness::SameKind
    } else {
        Likeness::Different
    }
}

/// What an element is, apart from its settings: a layer's first word, a block's first key, a stage's name.
fn kind<'a>(part: &'a Part) -> &'a str {
    match part.entries().first() {
        Some(entry) if entry.key == "name" => entry.value.raw(),
        Some(entry) => &entry.key,
        None => part
            .raw()
            .split([' ', '"', '\''])
            .find(|word| !word.is_empty())
            .unwrap_or(""),
    }
}

/// The spaces at the start of the line that holds this byte.
fn indentation(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |before| before + 1)
}

/// Where the line after the one that holds this byte starts.
fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |after| at + after + 1)
}
