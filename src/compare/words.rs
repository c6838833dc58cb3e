//! What is said of a comparison in sentences: the same in the terminal, on the page and in the window. `name` is what
//! an entry is called there.

use super::comparison::{Comparison, Group, GroupPair, Pair, Reached, StageCourse, Until};
use strata_core::format::{count, duration, figure, fixed};

/// What an entry is called, by its place.
pub type Name<'a> = &'a dyn Fn(usize) -> String;

/// A p-value; small ones are only told to be small.
pub fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "p < 0.0001".to_owned()
    } else {
        format!("p = {p:.4}")
    }
}

/// How the training of a stage went.
pub fn course(course: &StageCourse) -> String {
    let verdict = match course.overfits {
        true => "overfits",
        false => "does not overfit",
    };
    let (best, last) = (figure(course.best_loss), figure(course.last_loss));
    let (best_epoch, last_epoch) = (course.best_epoch, course.last_epoch);
    let turn = match course.has_turned {
        true => format!(
            "the validation loss was least after epoch {best_epoch} of {last_epoch} ({best}) and rose to {last}"
        ),
        false => format!("least validation loss {best} after epoch {best_epoch} of {last_epoch}"),
    };
    let gap = course.gap.map_or_else(String::new, |gap| {
        let sign = if gap > 0.0 { "+" } else { "" };
        let gap = fixed(100.0 * gap, 1);
        format!("; training less validation accuracy {sign}{gap} %")
    });
    format!("stage {} {verdict}: {turn}{gap}", course.stage)
}

/// The accuracy whose time is told.
pub fn until(until: Until) -> String {
    let why = match until.is_asked {
        true => "",
        false => ", the best that all runs reached",
    };
    format!("time to {:.2} % accuracy{why}", 100.0 * until.accuracy)
}

/// When a run reached it.
pub fn reached(reached: &Reached) -> String {
    let time = reached
        .seconds
        .map_or_else(|| "time unknown".to_owned(), duration);
    format!(
        "{time} on {} images, after epoch {} of stage {}, {} steps",
        reached.split,
        reached.epoch,
        reached.stage,
        count(reached.step)
    )
}

/// McNemar's test of two; of several pairs with Holm's correction.
pub fn pair(comparison: &Comparison, pair: &Pair, name: Name<'_>) -> String {
    let corrected = match comparison.pairs.len() {
        0 | 1 => String::new(),
        _ => format!("; corrected by Holm {}", p_value(pair.corrected)),
    };
    format!(
        "only {} is right on {} images, only {} on {}: McNemar {}{corrected}",
        name(pair.first),
        count(pair.test.only_first),
        name(pair.second),
        count(pair.test.only_second),
        p_value(pair.test.p)
    )
}

/// Mean and deviation of what differs by the seed.
pub fn group(group: &Group, name: Name<'_>) -> String {
    let members: Vec<String> = group.members.iter().copied().map(name).collect();
    let deviation = group
        .deviation
        .map_or_else(String::new, |deviation| format!(" ± {}", figure(deviation)));
    format!(
        "{} differ by the seed ({}): {} {}{deviation}, n = {}",
        members.join(", "),
        group.seeds.join(", "),
        group.figure,
        figure(group.mean),
        members.len()
    )
}

/// The paired t-test of two groups.
pub fn group_pair(comparison: &Comparison, pair: &GroupPair, name: Name<'_>) -> String {
    let called = |place: usize| {
        let first = comparison.groups.get(place);
        let first = first.and_then(|group| group.members.first().copied());
        first.map_or_else(String::new, |first| {
            format!("{} and its seeds", name(first))
        })
    };
    let test = pair.test;
    let said = match test.t.zip(test.p) {
        Some((t, p)) => format!("t = {t:.3}, {}", p_value(p)),
        None => "the differences are all equal".to_owned(),
    };
    format!(
        "{} less {}, paired over the seeds: difference {}, {said}, n = {}",
        called(pair.first),
        called(pair.second),
        figure(test.difference),
        test.n
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_p_values_are_told_to_be_small() {
        let told = [0.00003, 0.0412].map(p_value);
        assert_eq!(told, ["p < 0.0001", "p = 0.0412"]);
    }
}
