//! Images with several labels each, or none (multi-label): which labels every image has.
//!
//! Sources and splits number what an image has by one number, as they do where it has one class: here that is the
//! number of its set of labels. A source writes a set as the text of [`text_of`] in place of a class's name, and says
//! how the labels are called in [`Told::label_names`](crate::source::Told).

/// What the text of a set begins with: no name of a class does.
const MARK: char = '\u{1f}';

/// The sets of labels that occur, by their number.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSets {
    sets: Vec<Vec<u32>>,
    labels: usize,
}

/// A set of labels, given by their numbers in rising order, as the text that stands for it among classes.
pub(crate) fn text_of(labels: impl Iterator<Item = usize>) -> String {
    let numbers: Vec<String> = labels.map(|label| label.to_string()).collect();
    format!("{MARK}{}", numbers.join(","))
}

/// Whether a class's name is the text of a set.
pub(crate) fn is_set(class: &str) -> bool {
    class.starts_with(MARK)
}

impl LabelSets {
    /// The sets that a source's classes stand for; `None` where they are classes.
    pub(crate) fn of(classes: &[String], labels: usize) -> Option<LabelSets> {
        let set = |class: &String| -> Option<Vec<u32>> {
            let numbers = class.strip_prefix(MARK)?.split(',');
            let numbers = numbers.filter(|number| !number.is_empty());
            numbers
                .map(|number| {
                    number
                        .parse()
                        .ok()
                        .filter(|label| (*label as usize) < labels)
                })
                .collect()
        };
        let sets: Option<Vec<Vec<u32>>> = classes.iter().map(set).collect();
        sets.filter(|sets| !sets.is_empty() && labels > 0)
            .map(|sets| LabelSets { sets, labels })
    }

    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The labels of a set.
    pub(crate) fn of_number(&self, number: u32) -> &[u32] {
        self.sets.get(number as usize).map_or(&[], Vec::as_slice)
    }

    /// All sets, in their order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &[u32]> {
        self.sets.iter().map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_come_back_from_their_texts() {
        let sets: [&[usize]; 3] = [&[0, 2], &[], &[11]];
        let texts: Vec<String> = sets
            .iter()
            .map(|set| text_of(set.iter().copied()))
            .collect();
        assert!(texts.iter().all(|text| is_set(text)) && !is_set("0,2"));
        let read = LabelSets::of(&texts, 12).unwrap();
        assert_eq!(read.of_number(0), [0, 2]);
        assert_eq!(read.of_number(1), [0; 0]);
        assert_eq!(read.of_number(2), [11]);
        assert_eq!(read.labels(), 12);
        assert_eq!(LabelSets::of(&texts, 11), None, "a label without a name");
        assert_eq!(LabelSets::of(&["cat".to_owned()], 12), None);
        assert_eq!(LabelSets::of(&[], 12), None);
    }
}
