//! The validation accuracy of all runs over their epochs on one drawing, with the borders of their stages and the best
//! epoch of each.

use crate::report::escape;
use std::fmt::Write;
use strata_compare::comparison::Compared;
use strata_engine::storage::metrics_read::{Measurement, measurements};

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 8.0;
/// Lines that can be told apart.
const MOST: usize = 12;

/// A run's validation accuracy after each of its epochs, counted over all stages.
#[derive(Debug, Default, PartialEq)]
struct Course {
    name: String,
    accuracies: Vec<f64>,
    /// Epochs after which another stage begins.
    borders: Vec<usize>,
}

impl Course {
    fn of(name: &str, measured: &[Measurement]) -> Course {
        let mut course = Course {
            name: name.to_owned(),
            ..Course::default()
        };
        let mut stage: Option<&str> = None;
        for line in measured.iter().filter(|line| line.split == "valid") {
            let Some(accuracy) = line.accuracy.filter(|accuracy| accuracy.is_finite()) else {
                continue;
            };
            if stage.is_some_and(|stage| stage != line.stage) {
                course.borders.push(course.accuracies.len());
            }
            stage = Some(&line.stage);
            course.accuracies.push(accuracy);
        }
        course
    }

    /// The first epoch with the highest accuracy, from 1, and that.
    fn best(&self) -> Option<(usize, f64)> {
        let better =
            |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
        let epochs = self.accuracies.iter().copied().enumerate();
        epochs.map(|(at, value)| (at + 1, value)).reduce(better)
    }
}

/// Nothing where fewer than two runs were validated.
pub(super) fn figure(entries: &[Compared]) -> Option<String> {
    let runs = entries.iter().filter(|entry| entry.kind == "run");
    let courses = runs.map(|entry| Course::of(&entry.name, &measurements(&entry.path)));
    let courses: Vec<Course> = courses
        .filter(|course| course.accuracies.len() > 1)
        .take(MOST)
        .collect();
    (courses.len() > 1).then(|| drawn(&courses))
}

fn drawn(courses: &[Course]) -> String {
    let epochs = courses
        .iter()
        .map(|course| course.accuracies.len())
        .max()
        .unwrap_or(1);
    let all = || {
        courses
            .iter()
            .flat_map(|course| course.accuracies.iter().copied())
    };
    let [low, high] = [all().fold(1.0, f64::min), all().fold(0.0, f64::max)];
    let room = (high - low).max(1e-3);
    let x = |epoch: f64| LEFT + (WIDTH - LEFT - 8.0) * (epoch - 1.0) / (epochs.max(2) - 1) as f64;
    let y = |value: f64| TOP + (HEIGHT - BOTTOM - TOP) * (high - value) / room;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"validation accuracy\" font-size=\"12\" fill=\"currentColor\">"
    );
    for share in [0.0, 0.5, 1.0] {
        let value = low + share * room;
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\" stroke=\"var(--line)\"/><text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3:.1} %</text>",
            y(value),
            LEFT - 6.0,
            y(value) + 4.0,
            100.0 * value
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{LEFT}\" y=\"{0}\">epoch 1</text><text x=\"{WIDTH}\" y=\"{0}\" text-anchor=\"end\">epoch {epochs}</text>",
        HEIGHT - 8.0
    );
    let mut said = String::new();
    for (at, course) in courses.iter().enumerate() {
        let colour = format!("hsl({}, 65%, 50%)", 360 * at / courses.len());
        for border in &course.borders {
            let _ = write!(
                svg,
                "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1}\" stroke=\"{colour}\" stroke-dasharray=\"3 4\"/>",
                x(*border as f64 + 0.5),
                HEIGHT - BOTTOM
            );
        }
        let points: Vec<String> = (1..)
            .zip(&course.accuracies)
            .map(|(epoch, value)| format!("{:.1},{:.1}", x(f64::from(epoch)), y(*value)))
            .collect();
        let _ = write!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>",
            points.join(" ")
        );
        if let Some((epoch, value)) = course.best() {
            let _ = write!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>",
                x(epoch as f64),
                y(value)
            );
            let _ = write!(
                said,
                "<span style=\"color: {colour}\">●</span> {}: best {:.2} % after epoch {epoch}. ",
                escape(&course.name),
                100.0 * value
            );
        }
    }
    if courses.iter().any(|course| !course.borders.is_empty()) {
        said += "Dashed: where a stage of a run ends.";
    }
    format!("{svg}</svg><p>{said}</p>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(stage: &str, accuracy: Option<f64>, split: &str) -> Measurement {
        Measurement {
            stage: stage.to_owned(),
            epoch: Some(1.0),
            step: 1.0,
            split: split.to_owned(),
            is_trained: split == "train",
            loss: Some(1.0),
            accuracy,
            f1: None,
            exact_match: None,
            log_loss: None,
            seconds: None,
        }
    }

    #[test]
    fn stages_follow_each_other_with_a_border_between() {
        let lines = [
            measured("head", Some(0.4), "valid"),
            measured("head", Some(0.9), "train"),
            measured("head", Some(0.5), "valid"),
            measured("all", Some(0.7), "valid"),
            measured("all", Some(0.6), "valid"),
            measured("images", None, "valid"),
        ];
        let course = Course::of("<a>", &lines);
        assert_eq!(course.accuracies, [0.4, 0.5, 0.7, 0.6]);
        assert_eq!(course.borders, [2]);
        assert_eq!(course.best(), Some((3, 0.7)));
        let other = Course {
            name: "b".to_owned(),
            accuracies: vec![0.2, 0.3],
            borders: Vec::new(),
        };
        let drawn = drawn(&[course, other]);
        assert_eq!(drawn.matches("<polyline").count(), 2);
        assert_eq!(drawn.matches("stroke-dasharray").count(), 1);
        assert!(
            drawn.contains("&lt;a&gt;: best 70.00 % after epoch 3"),
            "{drawn}"
        );
        assert_eq!(figure(&[]), None);
    }
}
