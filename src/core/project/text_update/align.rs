//! Which elements of a list are still those of a former list.

/// One step from the former list to the new one, in the order of the new list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The former element of this index is there unchanged.
    Keep(usize),
    /// The former element of the first index became the new one of the second.
    Change(usize, usize),
    /// The former element of this index is there unchanged, at another place.
    Move(usize),
    /// The new element of this index was not there before.
    Insert(usize),
    /// The former element of this index is gone.
    Remove(usize),
}

/// How alike a former and a new element are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Equal,
    /// Another value of the same kind: both are `conv`, or both are stages of one name.
    SameKind,
    Different,
}

/// What a step costs. One change is cheaper than a removal and an insertion, but two changes are not: exchanged
/// neighbours have moved.
const REMOVE_OR_INSERT: usize = 20;
const CHANGE: usize = 22;
const REPLACE: usize = 30;

/// More than a removal and an insertion.
const NEVER: usize = 2 * REMOVE_OR_INSERT + 1;

/// The cheapest way from `old` elements to `new` ones.
pub(super) fn align(
    old: usize,
    new: usize,
    likeness: impl Fn(usize, usize) -> Likeness,
) -> Vec<Step> {
    let row = |i| (0..new).map(|j| likeness(i, j)).collect();
    let table: Vec<Vec<Likeness>> = (0..old).map(row).collect();
    let stays: Vec<bool> = (0..old).map(|i| old_stays(&table, i)).collect();
    let was_there: Vec<bool> = (0..new).map(|j| new_was_there(&table, j)).collect();
    let pair_cost = |i: usize, j: usize| match table[i][j] {
        Likeness::Equal => 0,
        // Neither became the other: both have moved.
        _ if stays[i] && was_there[j] => NEVER,
        Likeness::SameKind => CHANGE,
        Likeness::Different => REPLACE,
    };
    // rest[i][j]: the cost of what follows when `i` former and `j` new elements are done.
    let mut rest = vec![vec![0; new + 1]; old + 1];
    for i in (0..=old).rev() {
        for j in (0..=new).rev() {
            rest[i][j] = match (i < old, j < new) {
                (false, _) => (new - j) * REMOVE_OR_INSERT,
                (_, false) => (old - i) * REMOVE_OR_INSERT,
                _ => (rest[i + 1][j + 1] + pair_cost(i, j))
                    .min(rest[i + 1][j] + REMOVE_OR_INSERT)
                    .min(rest[i][j + 1] + REMOVE_OR_INSERT),
            };
        }
    }
    let mut steps = Vec::new();
    let mut i = 0;
    let mut j = 0;
    while i < old || j < new {
        let pair = (i < old && j < new).then(|| pair_cost(i, j));
        if pair.is_some_and(|cost| rest[i][j] == rest[i + 1][j + 1] + cost) {
            let is_equal = pair == Some(0);
            steps.push(if is_equal {
                Step::Keep(i)
            } else {
                Step::Change(i, j)
            });
            i += 1;
            j += 1;
        } else if i < old && rest[i][j] == rest[i + 1][j] + REMOVE_OR_INSERT {
            steps.push(Step::Remove(i));
            i += 1;
        } else {
            steps.push(Step::Insert(j));
            j += 1;
        }
    }
    with_moves(steps, &table)
}

/// Whether the new list holds the former element `i` as often as the former one did.
fn old_stays(table: &[Vec<Likeness>], i: usize) -> bool {
    let is_equal = |likeness: &Likeness| *likeness == Likeness::Equal;
    let first = table[i].iter().position(is_equal);
    first.is_some_and(|j| {
        let before = table.iter().filter(|row| is_equal(&row[j])).count();
        table[i]
            .iter()
            .filter(|&likeness| is_equal(likeness))
            .count()
            >= before
    })
}

/// Whether the former list held the new element `j` as often as the new one does.
fn new_was_there(table: &[Vec<Likeness>], j: usize) -> bool {
    let is_equal = |likeness: &Likeness| *likeness == Likeness::Equal;
    let first = table.iter().find(|row| is_equal(&row[j]));
    first.is_some_and(|row| {
        let after = row.iter().filter(|&likeness| is_equal(likeness)).count();
        table.iter().filter(|row| is_equal(&row[j])).count() >= after
    })
}

/// What was removed at one place and inserted at another has moved.
fn with_moves(steps: Vec<Step>, table: &[Vec<Likeness>]) -> Vec<Step> {
    let mut moved: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for step in &steps {
        let Step::Insert(j) = *step else {
            found.push(*step);
            continue;
        };
        let origin = steps.iter().find_map(|step| match *step {
            Step::Remove(i) if !moved.contains(&i) && table[i][j] == Likeness::Equal => Some(i),
            _ => None,
        });
        moved.extend(origin);
        found.push(origin.map_or(*step, Step::Move));
    }
    found.retain(|step| !matches!(step, Step::Remove(i) if moved.contains(i)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(old: &[&str], new: &[&str]) -> Vec<Step> {
        align(old.len(), new.len(), |i, j| match (old[i], new[j]) {
            (a, b) if a == b => Likeness::Equal,
            (a, b) if a[..1] == b[..1] => Likeness::SameKind,
            _ => Likeness::Different,
        })
    }

    #[test]
    fn one_edit_is_one_step() {
        use Step::*;
        let old = ["a1", "b1", "a2", "c1"];
        for (new, wanted) in [
            (
                vec!["a1", "b1", "a2", "c1"],
                vec![Keep(0), Keep(1), Keep(2), Keep(3)],
            ),
            (
                vec!["a1", "a2", "c1"],
                vec![Keep(0), Remove(1), Keep(2), Keep(3)],
            ),
            (
                vec!["a1", "b1", "x", "a2", "c1"],
                vec![Keep(0), Keep(1), Insert(2), Keep(2), Keep(3)],
            ),
            (
                vec!["a1", "b9", "a2", "c1"],
                vec![Keep(0), Change(1, 1), Keep(2), Keep(3)],
            ),
            (
                vec!["a1", "x", "a2", "c1"],
                vec![Keep(0), Change(1, 1), Keep(2), Keep(3)],
            ),
            (
                vec!["b1", "a2", "a1", "c1"],
                vec![Keep(1), Keep(2), Move(0), Keep(3)],
            ),
            (vec![], vec![Remove(0), Remove(1), Remove(2), Remove(3)]),
        ] {
            assert_eq!(steps(&old, &new), wanted, "{new:?}");
        }
    }

    #[test]
    fn neighbours_of_one_kind_are_exchanged_by_a_move() {
        use Step::*;
        assert_eq!(steps(&["a1", "a2"], &["a2", "a1"]), [Keep(1), Move(0)]);
    }

    #[test]
    fn what_is_there_in_another_order_has_moved_but_what_is_there_twice_may_change() {
        use Step::*;
        let reversed = steps(&["a1", "b1", "c1"], &["c1", "b1", "a1"]);
        assert_eq!(
            reversed
                .iter()
                .filter(|step| matches!(step, Move(_)))
                .count(),
            2
        );
        assert!(!reversed.iter().any(|step| matches!(step, Change(..))));
        assert_eq!(
            steps(&["r", "a1", "t", "r"], &["t", "a1", "t", "r"]),
            [Change(0, 0), Keep(1), Keep(2), Keep(3)]
        );
    }

    #[test]
    fn each_removed_element_moves_once() {
        use Step::*;
        let found = steps(&["r", "r", "c1", "c2"], &["c1", "c2", "r", "r"]);
        assert_eq!(found, [Keep(2), Keep(3), Move(0), Move(1)]);
    }
}
