//! Tables with their own headers: sections such as `[goals]` and the blocks of `[[stage]]`.

use super::align::{Step, align};
use super::syntax::{Content, Entry, Part};
use super::{Update, body_end, find, likeness, line_break, line_end, line_start};
use std::ops::Range;

impl Update<'_> {
    /// Adds a section below the one in front of it in `earlier`; what `old` holds already is left out.
    pub(super) fn insert_section(
        &mut self,
        root: &Part,
        old: Option<&Part>,
        entry: &Entry,
        earlier: &[Entry],
    ) {
        let before = earlier
            .iter()
            .rev()
            .filter_map(|earlier| find(root.entries(), &earlier.key))
            .find(|entry| entry.value.has_header());
        let at = match before {
            Some(section) => self.section_end(&section.value),
            None => line_end(self.text, self.root_end(root)),
        };
        let section = self.section(old, entry);
        self.insert_below(at, &format!("{}{section}", self.newline));
    }

    /// The end of the root's own keys, which come before all sections.
    fn root_end(&self, root: &Part) -> usize {
        let ends = root.entries().iter().map(|entry| body_end(&entry.value));
        ends.flatten().max().unwrap_or(0)
    }

    fn section(&self, old: Option<&Part>, entry: &Entry) -> String {
        if let Content::ArrayOfTables(tables) = &entry.value.content {
            let blocks: Vec<String> = tables.iter().map(|table| self.block(table)).collect();
            return blocks.join(&self.newline.repeat(2));
        }
        let old = old.map_or(&[][..], Part::entries);
        let is_new = |entry: &&Entry| {
            find(old, &entry.key).is_none_or(|old| !old.value.equals(&entry.value))
        };
        let entries = entry.value.entries().iter().filter(is_new);
        let lines = entries.map(|entry| format!("{}{}", self.newline, self.line(entry, "")));
        format!("[{}]{}", entry.key, lines.collect::<String>())
    }

    /// The text of a table in Strata's own writing, without its last line end.
    fn block(&self, table: &Part) -> String {
        let lines = line_start(table.text, table.span.start)..table.end();
        table.text[lines].replace('\n', self.newline)
    }

    /// Changes an array of tables from `old` to `new`.
    pub(super) fn blocks(&mut self, present: &[Part], old: &[Part], new: &[Part]) {
        let Some(first) = present.first().filter(|_| present.len() == old.len()) else {
            return;
        };
        let mut place = Place::InFrontOf(self.section_start(first));
        for step in align(old.len(), new.len(), |i, j| likeness(&old[i], &new[j])) {
            match step {
                Step::Keep(i) => place = Place::Below(self.section_end(&present[i])),
                Step::Change(i, j) => {
                    self.table(&present[i], old[i].entries(), new[j].entries());
                    place = Place::Below(self.section_end(&present[i]));
                }
                Step::Insert(j) => self.insert_block(&place, &self.block(&new[j])),
                Step::Move(i) => {
                    let range = self.section_start(&present[i])..self.section_end(&present[i]);
                    self.insert_block(&place, self.text[range.clone()].trim_end());
                    self.cut(range);
                }
                Step::Remove(i) => {
                    let span = present[i].span.start..present[i].end();
                    self.cut(self.lines_of(&span));
                }
            }
        }
    }

    fn insert_block(&mut self, place: &Place, block: &str) {
        let newline = self.newline;
        match *place {
            Place::InFrontOf(at) => self.splice(at..at, format!("{block}{newline}{newline}")),
            Place::Below(at) => self.insert_below(at, &format!("{newline}{block}")),
        }
    }

    /// Takes away lines, and one of two empty lines that would meet.
    pub(super) fn cut(&mut self, mut lines: Range<usize>) {
        let above = line_start(self.text, lines.start.saturating_sub(1));
        let is_below_empty_line =
            above < lines.start && self.text[above..lines.start].trim().is_empty();
        let after = &self.text[lines.end..];
        if is_below_empty_line && after.is_empty() {
            lines.start = above;
        } else if is_below_empty_line && line_break(after) == Some(0) {
            lines.end = line_end(self.text, lines.end);
        }
        self.splice(lines, String::new());
    }

    /// Where the comments start that are right above a header.
    fn section_start(&self, table: &Part) -> usize {
        let mut at = line_start(self.text, table.span.start);
        while at > 0 {
            let above = line_start(self.text, at - 1);
            if !self.text[above..at].trim_start().starts_with('#') {
                break;
            }
            at = above;
        }
        at
    }

    /// The line after a section, and after the comments right below it, unless these are right above another header.
    fn section_end(&self, table: &Part) -> usize {
        let starts_with = |at: usize, char: char| {
            self.text[at..]
                .trim_start_matches([' ', '\t'])
                .starts_with(char)
        };
        let end = line_end(self.text, table.end());
        let mut at = end;
        while starts_with(at, '#') {
            at = line_end(self.text, at);
        }
        if starts_with(at, '[') { end } else { at }
    }
}

/// Where the next block goes.
enum Place {
    InFrontOf(usize),
    Below(usize),
}
