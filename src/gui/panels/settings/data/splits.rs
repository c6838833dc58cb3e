//! How images are shared out: for training, watching and the final figure.

use super::read::{count, number, share, written};
use super::{Form, choice};
use strata_core::project::data::{DataSpec, Fold, Labels, Source, Weights};
use strata_core::project::reference::data::{FOLD, LABELS, LIMIT, PER_CLASS, TEST, VALID, WEIGHTS};

/// All of it in a few words.
pub(super) fn summary(data: &DataSpec) -> String {
    let share = |share: f32| format!("{} %", (f64::from(share) * 1000.0).round() / 10.0);
    let mut words = vec![match (data.fold, data.valid) {
        (Some(fold), _) => format!("fold {fold}"),
        (None, valid) => format!("valid {}", share(valid.unwrap_or(0.1))),
    }];
    words.extend(data.test.map(|test| format!("test {}", share(test))));
    words.extend(data.source_fold.map(|fold| format!("source fold {fold}")));
    words.extend(data.per_class.map(|images| format!("{images} a class")));
    words.extend(data.weights.map(|weights| weights.name().to_owned()));
    words.extend(data.limit.map(|limit| format!("at most {limit}")));
    words.join(" · ")
}

/// Shows the fields.
pub(super) fn show(form: &mut Form<'_>) {
    of_source(form);
    shares(form);
    if let Some(images) = form.optional(
        ["labelled", "Images per class", PER_CLASS.about, "all"],
        &written(form.data.per_class),
        count,
    ) {
        form.next.per_class = images;
    }
    let (words, now) = (
        ["weights", "Balanced drawing", WEIGHTS.about, "balanced"],
        form.data.weights.is_some(),
    );
    let is_balanced = form.switch(words, now);
    if is_balanced != now {
        form.next.weights = is_balanced.then_some(Weights::Balanced);
    }
    let words = ["limit", "Image limit", LIMIT.about, "all images"];
    if let Some(limit) = form.optional(words, &written(form.data.limit), count) {
        form.next.limit = limit;
    }
}

/// What only some sources have.
fn of_source(form: &mut Form<'_>) {
    let data = form.data;
    if data.source == Source::Cifar100 {
        let (id, now) = (form.id("labels"), data.labels.unwrap_or_default());
        let names = ["labels", "Labels", LABELS.about];
        if let Some(labels) = choice(form.ui, id, names, now, &[Labels::Fine, Labels::Coarse]) {
            form.next.labels = (labels != Labels::default()).then_some(labels);
        }
    }
    let Some(about) = data.source.info().folds else {
        return;
    };
    if let Some(fold) = form.optional(
        ["its fold", "Source fold", about, "none"],
        &written(data.source_fold),
        number,
    ) {
        form.next.source_fold = fold;
    }
}

/// A fold and a fraction exclude each other: the one that is set takes the other's place.
fn shares(form: &mut Form<'_>) {
    let data = form.data;
    if data.fold.is_none()
        && let Some(valid) = form.optional(
            ["valid", "Valid share", VALID.about, "0.1"],
            &written(data.valid),
            share,
        )
    {
        form.next.valid = valid;
    }
    if let Some(test) = form.optional(
        ["test", "Test share", TEST.about, "the source's"],
        &written(data.test),
        share,
    ) {
        form.next.test = test;
    }
    let read = |text: &str| text.parse::<Fold>();
    if let Some(fold) = form.optional(
        ["fold", "Fold", FOLD.about, "none, or 1/5"],
        &written(data.fold),
        read,
    ) {
        form.next.fold = fold;
        form.next.valid = form.next.valid.filter(|_| fold.is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_the_group_says_what_is_set() {
        assert_eq!(summary(&DataSpec::default()), "valid 10 %");
        let fold = Some(Fold { part: 2, of: 5 });
        let data = DataSpec {
            fold,
            test: Some(0.125),
            per_class: Some(40),
            limit: Some(9),
            ..DataSpec::default()
        };
        assert_eq!(
            summary(&data),
            "fold 2/5 · test 12.5 % · 40 a class · at most 9"
        );
    }
}
