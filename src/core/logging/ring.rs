//! The newest lines in memory, for reports from a program that has no log file.

use std::collections::VecDeque;

/// Lines that are kept.
const MOST: usize = 200;

/// At most [`MOST`] lines; a new one pushes out the oldest.
#[derive(Debug, Default)]
pub struct Ring(VecDeque<String>);

impl Ring {
    /// Adds a line.
    pub fn push(&mut self, line: String) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// At most so many of the newest lines, oldest first.
    pub fn last(&self, most: usize) -> Vec<String> {
        let skipped = self.0.len().saturating_sub(most);
        self.0.iter().skip(skipped).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_push_out_the_oldest() {
        let mut ring = Ring::default();
        assert!(ring.last(5).is_empty());
        for number in 0..MOST + 10 {
            ring.push(number.to_string());
        }
        let all = ring.last(usize::MAX);
        assert_eq!((all.len(), all[0].as_str()), (MOST, "10"));
        let newest = [MOST + 8, MOST + 9].map(|number| number.to_string());
        assert_eq!(ring.last(2), newest);
    }
}
