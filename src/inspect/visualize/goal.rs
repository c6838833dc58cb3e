//! What an image is to excite: a class's score, a channel, one value or a whole layer; with its gradient.

use strata_core::project::size::Shape;

/// What is made large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A class's score before a last softmax.
    Class(u32),
    /// The mean over the positions of a channel, or a unit of a vector.
    Channel(u32),
    /// One value of a map: its channel, and its position by axis; `None` for the middle.
    Unit(u32, Option<Vec<usize>>),
    /// The mean square of all values of a layer (DeepDream).
    Layer,
}

/// What is asked for: one or several goals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Every class.
    #[default]
    AllClasses,
    /// These classes.
    Classes(Vec<u32>),
    /// The channels of a layer, the first [`MOST`].
    AllChannels,
    /// These channels of a layer.
    Channels(Vec<u32>),
    /// One value of a layer: its channel and position.
    Unit(u32, Option<Vec<usize>>),
    /// A whole layer.
    Layer,
}

/// Images that are optimised at once, at most.
pub const MOST: usize = 64;

impl Wanted {
    /// Whether it is asked of the classes, not of a layer.
    pub fn are_classes(&self) -> bool {
        matches!(self, Wanted::AllClasses | Wanted::Classes(_))
    }

    /// The goals, given the number of classes or the layer's output; fails where there is no such one.
    pub(super) fn goals(
        &self,
        classes: usize,
        output: Option<&Shape>,
    ) -> Result<Vec<Goal>, String> {
        let channels = output.map_or(0, Shape::channels);
        let first = |count: usize| 0..count.min(MOST) as u32;
        Ok(match self {
            Wanted::AllClasses => first(classes).map(Goal::Class).collect(),
            Wanted::Classes(asked) => {
                within(asked, classes, "class", "the images have")?;
                asked.iter().copied().map(Goal::Class).collect()
            }
            Wanted::AllChannels => first(channels).map(Goal::Channel).collect(),
            Wanted::Channels(asked) => {
                within(asked, channels, "channel", "the layer has")?;
                asked.iter().copied().map(Goal::Channel).collect()
            }
            Wanted::Unit(channel, cell) => {
                within(&[*channel], channels, "channel", "the layer has")?;
                let sizes = output.map_or(&[][..], Shape::spatial);
                let cell = cell.as_deref();
                let is_inside = |cell: &[usize]| {
                    cell.len() == sizes.len() && cell.iter().zip(sizes).all(|(at, size)| at < size)
                };
                if let Some(cell) = cell.filter(|cell| !is_inside(cell)) {
                    return Err(format!(
                        "position {} is not in the layer's map of {}, counted from 0",
                        joined(cell),
                        joined(sizes)
                    ));
                }
                vec![Goal::Unit(*channel, cell.map(<[usize]>::to_vec))]
            }
            Wanted::Layer => vec![Goal::Layer],
        })
    }
}

fn joined(numbers: &[usize]) -> String {
    let texts: Vec<String> = numbers.iter().map(usize::to_string).collect();
    texts.join("×")
}

fn within(asked: &[u32], count: usize, name: &str, has: &str) -> Result<(), String> {
    if asked.is_empty() || asked.len() > MOST {
        return Err(format!("choose 1 to {MOST} of them at once"));
    }
    match asked.iter().find(|index| **index as usize >= count) {
        Some(index) => Err(format!(
            "there is no {name} {index}: {has} {count}, counted from 0"
        )),
        None => Ok(()),
    }
}

impl Goal {
    /// The places of the output's values that count, with what the score's slope at each is; `values` are one image's,
    /// channels last, `map` the sizes of a map by axis.
    fn slopes(&self, values: &[f32], channels: usize, map: &[usize]) -> Vec<f32> {
        let positions = (values.len() / channels.max(1)).max(1);
        let one = |hit: bool, share: f32| if hit { share } else { 0.0 };
        let places = 0..values.len();
        match self {
            Goal::Class(class) => places
                .map(|place| one(place == *class as usize, 1.0))
                .collect(),
            Goal::Channel(channel) => places
                .map(|place| {
                    one(
                        place % channels == *channel as usize,
                        1.0 / positions as f32,
                    )
                })
                .collect(),
            Goal::Unit(channel, cell) => {
                let at = cell_index(cell.as_deref(), map) * channels + *channel as usize;
                places.map(|place| one(place == at, 1.0)).collect()
            }
            Goal::Layer => {
                let share = 2.0 / values.len().max(1) as f32;
                values.iter().map(|value| share * value).collect()
            }
        }
    }

    /// The score and its slope by every value of the output of one image.
    pub(super) fn score(&self, values: &[f32], channels: usize, map: &[usize]) -> (f32, Vec<f32>) {
        let slopes = self.slopes(values, channels, map);
        let sum: f64 = values
            .iter()
            .zip(&slopes)
            .map(|(value, slope)| f64::from(*value) * f64::from(*slope))
            .sum();
        // A mean square's slope is twice the value's part.
        let halved = if *self == Goal::Layer { sum / 2.0 } else { sum };
        (halved as f32, slopes)
    }
}

/// The number of a position of a map, rows after one another; the middle where none is named.
fn cell_index(cell: Option<&[usize]>, map: &[usize]) -> usize {
    let axes = map.iter().enumerate();
    axes.fold(0, |index, (axis, size)| {
        let at = cell.and_then(|cell| cell.get(axis)).copied();
        index * size + at.unwrap_or(size / 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_equals_differences() {
        let values: Vec<f32> = (0..24)
            .map(|x| ((x * 7) % 11) as f32 / 11.0 - 0.4)
            .collect();
        let goals = [
            Goal::Class(3),
            Goal::Channel(1),
            Goal::Unit(2, None),
            Goal::Unit(1, Some(vec![0, 1])),
            Goal::Layer,
        ];
        for goal in goals {
            let score = |values: &[f32]| goal.score(values, 4, &[2, 3]).0;
            let (_, slopes) = goal.score(&values, 4, &[2, 3]);
            for place in 0..values.len() {
                let at = |step: f32| {
                    let mut moved = values.clone();
                    moved[place] += step;
                    score(&moved)
                };
                let difference = (at(0.1) - at(-0.1)) / 0.2;
                assert!(
                    (difference - slopes[place]).abs() < 1e-5,
                    "{goal:?} {place}"
                );
            }
        }
        assert_eq!(
            Goal::Unit(2, None).score(&values, 4, &[2, 3]).0,
            values[4 * 4 + 2]
        );
        assert_eq!(
            Goal::Unit(1, Some(vec![0, 1])).score(&values, 4, &[2, 3]).0,
            values[4 + 1]
        );
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let output = Shape::new(&[4, 2, 3]);
        let refused = |wanted: Wanted| wanted.goals(10, output.as_ref()).unwrap_err();
        assert!(refused(Wanted::Classes(vec![10])).contains("no class 10"));
        assert!(refused(Wanted::Channels(vec![0, 4])).contains("no channel 4"));
        assert!(
            refused(Wanted::Unit(1, Some(vec![2, 0])))
                .contains("2×0 is not in the layer's map of 2×3")
        );
    }
}
