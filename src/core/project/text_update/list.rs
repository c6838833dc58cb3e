//! A bracketed list, taken apart into its items with the comments that belong to each.
//!
//! ```text
//! [ # head
//!     # before the first item
//!     "conv 16",  # after the first item
//!     "relu",
//!     # tail
//! ]
//! ```

use super::align::Step;
use super::line_break;
use std::ops::Range;

/// A list between brackets or braces.
pub(super) struct List {
    open: String,
    /// A comment on the line of the opening bracket.
    head: String,
    items: Vec<ListItem>,
    has_trailing_comma: bool,
    /// What follows the last item.
    tail: String,
    close: String,
    layout: Layout,
}

/// An item and what belongs to it.
#[derive(Clone)]
struct ListItem {
    /// The lines of comments and the indentation in front of it.
    before: String,
    value: String,
    /// What is between the value and its comma.
    after: String,
    /// The comment that ends its line.
    comment: String,
    /// Whether `before` is what separates it from an item in front of it.
    is_separated: bool,
}

/// What is between items that come without comments.
struct Layout {
    /// In front of the first item.
    first: String,
    /// In front of every other one.
    next: String,
    newline: &'static str,
}

impl List {
    /// Takes a list apart; `items` are the places of its items, in order.
    pub fn parse(text: &str, span: &Range<usize>, items: &[Range<usize>]) -> List {
        let inner = span.start + 1..span.end - 1;
        let first = items.first().map_or(inner.end, |item| item.start);
        let (head, mut before) = split_comment(&text[inner.start..first]);
        let mut has_trailing_comma = false;
        let mut parsed = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let next = items.get(index + 1).map_or(inner.end, |next| next.start);
            let gap = &text[item.end..next];
            let comma = comma(gap);
            has_trailing_comma = comma.is_some();
            let (after, rest) = comma.map_or(("", gap), |at| (&gap[..at], &gap[at + 1..]));
            let (comment, following) = split_comment(rest);
            parsed.push(ListItem {
                before: std::mem::replace(&mut before, following).to_owned(),
                value: text[item.clone()].to_owned(),
                after: after.to_owned(),
                comment: comment.to_owned(),
                is_separated: index > 0,
            });
        }
        List {
            open: text[span.start..inner.start].to_owned(),
            head: head.to_owned(),
            layout: Layout::of(&parsed, before, super::newline(text)),
            items: parsed,
            has_trailing_comma,
            tail: before.to_owned(),
            close: text[inner.end..span.end].to_owned(),
        }
    }

    /// The indentation of items, where each has its own line.
    pub fn indent(&self) -> Option<&str> {
        let next = &self.layout.next;
        line_break(next).map(|_| next.trim_start_matches(['\r', '\n']))
    }

    /// Carries out the steps: `changed` is the new text of a changed item, `inserted` that of a new one.
    pub fn apply(
        &mut self,
        steps: &[Step],
        changed: impl Fn(usize, usize) -> String,
        inserted: impl Fn(usize) -> String,
    ) {
        let former = std::mem::take(&mut self.items);
        let mut left = String::new();
        // A removed item that began a line leaves that to the one after it.
        let mut lead = None;
        for step in steps {
            let mut item = match *step {
                Step::Keep(i) | Step::Move(i) => former[i].clone(),
                Step::Change(i, j) => ListItem {
                    value: changed(i, j),
                    ..former[i].clone()
                },
                Step::Insert(j) => self.layout.item(inserted(j)),
                Step::Remove(i) => {
                    let before = &former[i].before;
                    left += lines_before(before);
                    lead = line_break(before).map(|_| last_line(before)).or(lead);
                    continue;
                }
            };
            let has_line = line_break(&item.before).is_some();
            let before = lead.take().filter(|_| !has_line).unwrap_or(&item.before);
            item.before = joined(&std::mem::take(&mut left), before);
            self.items.push(item);
        }
        if left.contains('#') {
            let has_line = line_break(&self.tail).is_some();
            let newline = if has_line { "" } else { self.layout.newline };
            self.tail = format!("{left}{newline}{}", self.tail);
        }
        self.settle(former.is_empty());
    }

    /// An item that became the first, or no longer is, gets what such an item has in front of it.
    fn settle(&mut self, was_empty: bool) {
        for (index, item) in self.items.iter_mut().enumerate() {
            if line_break(&item.before).is_some() {
                continue;
            }
            if index == 0 {
                item.before = self.layout.first.clone();
            } else if !item.is_separated {
                item.before = self.layout.next.clone();
            }
        }
        // The comments of a list that was empty stay in front of its first item.
        if let (true, Some(first)) = (was_empty, self.items.first_mut())
            && let Some(at) = last_line_break(&self.tail)
        {
            first.before.insert_str(0, &self.tail[..at]);
            self.tail.replace_range(..at, "");
            self.has_trailing_comma = true;
        }
    }

    /// The text of the list.
    pub fn text(&self) -> String {
        let mut text = format!("{}{}", self.open, self.head);
        let mut comment = &self.head;
        for (index, item) in self.items.iter().enumerate() {
            // A comment ends with its line.
            if !comment.is_empty() && line_break(&item.before).is_none() {
                text += self.layout.newline;
                text += self.indent().unwrap_or("");
            } else {
                text += &item.before;
            }
            text += &item.value;
            text += &item.after;
            if index + 1 < self.items.len() || self.has_trailing_comma {
                text.push(',');
            }
            text += &item.comment;
            comment = &item.comment;
        }
        if !comment.is_empty() && line_break(&self.tail).is_none() {
            text += self.layout.newline;
        }
        text + &self.tail + &self.close
    }
}

impl Layout {
    fn of(items: &[ListItem], tail: &str, newline: &'static str) -> Layout {
        let first = items.first().map(|item| last_line(&item.before));
        let second = items.get(1).map(|item| last_line(&item.before));
        let own_line = || format!("{newline}    ");
        let has_lines = |text: &str| line_break(text).is_some();
        let next = match (first, second) {
            (_, Some(second)) => second.to_owned(),
            (Some(first), None) if has_lines(first) => first.to_owned(),
            (None, None) if has_lines(tail) => own_line(),
            _ => " ".to_owned(),
        };
        Layout {
            first: first.map_or_else(|| next.clone(), str::to_owned),
            next,
            newline,
        }
    }

    fn item(&self, value: String) -> ListItem {
        ListItem {
            before: self.next.clone(),
            value,
            after: String::new(),
            comment: String::new(),
            is_separated: true,
        }
    }
}

/// A comment on the first line of what is between two items, and the rest.
fn split_comment(gap: &str) -> (&str, &str) {
    let end = line_break(gap).unwrap_or(gap.len());
    if gap[..end].contains('#') {
        gap.split_at(end)
    } else {
        ("", gap)
    }
}

/// The comma in what is between two items, where comments may hold others.
fn comma(gap: &str) -> Option<usize> {
    let mut is_comment = false;
    let found = gap.char_indices().find(|&(_, char)| {
        match char {
            '#' => is_comment = true,
            '\n' => is_comment = false,
            _ => {}
        }
        char == ',' && !is_comment
    });
    found.map(|(at, _)| at)
}

/// The whole lines in front of an item, without the indentation on its own line.
fn lines_before(before: &str) -> &str {
    &before[..last_line_break(before).unwrap_or(0)]
}

/// What is in front of an item on its own line, with the end of the line above it.
fn last_line(before: &str) -> &str {
    &before[last_line_break(before).unwrap_or(0)..]
}

fn last_line_break(text: &str) -> Option<usize> {
    let at = text.rfind('\n')?;
    Some(if text[..at].ends_with('\r') {
        at - 1
    } else {
        at
    })
}

/// The lines that removed items left, and what is in front of the item after them. Empty lines are not doubled.
fn joined(left: &str, before: &str) -> String {
    let is_below_empty_line = lines_before(before).contains('\n');
    if is_below_empty_line && !left.contains('#') {
        before.to_owned()
    } else {
        format!("{left}{before}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of words with these steps; item `j` of the new ones is called `j`.
    fn edited(text: &str, steps: &[Step]) -> String {
        let words: Vec<Range<usize>> = text
            .char_indices()
            .filter(|(_, char)| char.is_ascii_uppercase())
            .map(|(at, _)| at..at + 1)
            .collect();
        let mut list = List::parse(text, &(0..text.len()), &words);
        list.apply(steps, |_, j| format!("{j}"), |j| format!("{j}"));
        list.text()
    }

    #[test]
    fn comments_stay_with_their_items() {
        use Step::*;
        let text = "[ #h\n  #a\n  A, #1, x\n\n  B,\n  C #3\n  #t\n]";
        for (steps, wanted) in [
            (vec![Keep(0), Keep(1), Keep(2)], text),
            (
                vec![Keep(0), Insert(1), Keep(1), Keep(2)],
                "[ #h\n  #a\n  A, #1, x\n  1,\n\n  B,\n  C #3\n  #t\n]",
            ),
            (
                vec![Keep(0), Keep(1), Keep(2), Insert(3)],
                "[ #h\n  #a\n  A, #1, x\n\n  B,\n  C, #3\n  3\n  #t\n]",
            ),
            (
                vec![Remove(0), Keep(1), Keep(2)],
                "[ #h\n  #a\n\n  B,\n  C #3\n  #t\n]",
            ),
            (
                vec![Keep(1), Move(0), Change(2, 2)],
                "[ #h\n\n  B,\n  #a\n  A, #1, x\n  2 #3\n  #t\n]",
            ),
            (
                vec![Remove(0), Remove(1), Remove(2)],
                "[ #h\n  #a\n\n  #t\n]",
            ),
        ] {
            assert_eq!(edited(text, &steps), wanted, "{steps:?}");
        }
    }

    #[test]
    fn lists_on_one_line_stay_there() {
        use Step::*;
        for (text, steps, wanted) in [
            ("[A, B]", vec![Insert(0), Keep(0), Keep(1)], "[0, A, B]"),
            ("[A, B]", vec![Remove(0), Keep(1)], "[B]"),
            ("[ A,B, ]", vec![Keep(1), Move(0)], "[ B,A, ]"),
            ("[A]", vec![Keep(0), Insert(1)], "[A, 1]"),
            ("[A, B]", vec![Remove(0), Remove(1)], "[]"),
        ] {
            assert_eq!(edited(text, &steps), wanted, "{text} {steps:?}");
        }
    }

    #[test]
    fn a_comment_never_swallows_what_follows() {
        use Step::*;
        for (text, steps, wanted) in [
            (
                "[\n A, #a\n B, C]",
                vec![Keep(0), Remove(1), Keep(2)],
                "[\n A, #a\n C]",
            ),
            (
                "[\n A,\n #b\n B, C]",
                vec![Keep(0), Remove(1), Keep(2)],
                "[\n A,\n #b\n C]",
            ),
            ("[A, #a\n B]", vec![Keep(0), Remove(1)], "[A #a\n]"),
            ("[ #h\n A, B]", vec![Remove(0), Keep(1)], "[ #h\n B]"),
            ("[\n #n\n]", vec![Insert(0)], "[\n #n\n    0,\n]"),
        ] {
            assert_eq!(edited(text, &steps), wanted, "{text:?} {steps:?}");
        }
    }
}
