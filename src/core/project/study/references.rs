//! Which runs a run takes something from, and in which order they can therefore be trained.

use super::{NamedRun, Study};

/// What a run takes from another one of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The weights that its network begins with.
    Weights(usize),
    /// The features that its baselines are fitted to.
    Features(usize),
}

impl Taken {
    /// The place of the other run.
    pub fn run(self) -> usize {
        match self {
            Taken::Weights(run) | Taken::Features(run) => run,
        }
    }
}

impl Study {
    /// What a run takes from another one.
    pub fn taken(&self, run: usize) -> Option<Taken> {
        let named = self.runs.get(run)?;
        match &named.baseline {
            Some(baselines) => {
                let (from, _) = baselines.features.as_ref()?;
                self.find(from).map(Taken::Features)
            }
            None => self.find(&self.first_weights(named)?).map(Taken::Weights),
        }
    }

    /// Where the first weights of a run come from, as it is written.
    fn first_weights(&self, run: &NamedRun) -> Option<String> {
        let init = run.changes.init.as_ref().unwrap_or(&self.shared.init);
        Some(init.as_ref()?.from.clone())
    }

    /// The runs in the order in which they can be trained: as in the file, but each behind the one it takes from.
    pub fn order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        while order.len() < self.runs.len() {
            let is_ready = |run: &usize| {
                let taken = self.taken(*run).map(Taken::run);
                !order.contains(run) && taken.is_none_or(|other| order.contains(&other))
            };
            match (0..self.runs.len()).find(is_ready) {
                Some(run) => order.push(run),
                // Only runs of a circle are left; files with one are refused.
                None => break,
            }
        }
        order
    }

    /// What is wrong with the names of the runs and what they take from each other: the run, and one sentence.
    pub(super) fn judge(&self) -> Result<(), (usize, String)> {
        for (place, run) in self.runs.iter().enumerate() {
            judge_name(run).map_err(|why| (place, why))?;
            if self.find(&run.name) != Some(place) {
                let name = &run.name;
                let why = format!("name: there are two runs `{name}`, give each its own");
                return Err((place, why));
            }
        }
        for (place, run) in self.runs.iter().enumerate() {
            self.judge_references(run).map_err(|why| (place, why))?;
        }
        let order = self.order();
        match (0..self.runs.len()).find(|run| !order.contains(run)) {
            None => Ok(()),
            Some(run) => Err((run, self.circle(run))),
        }
    }

    fn judge_references(&self, run: &NamedRun) -> Result<(), String> {
        let name = &run.name;
        let none = |key: &str, from: &str| {
            let names = self.names().join(", ");
            format!(
                "{key}: the run `{name}` takes from `{from}`, and there is no such run; there are {names}"
            )
        };
        let Some(baselines) = &run.baseline else {
            return match self.first_weights(run) {
                Some(from) if self.find(&from).is_none() && !is_path(&from) => {
                    Err(none("init", &from))
                }
                _ => Ok(()),
            };
        };
        let Some((from, _)) = &baselines.features else {
            return Ok(());
        };
        match self.find(from).map(|other| &self.runs[other]) {
            None => Err(none("features", from)),
            Some(other) if other.baseline.is_some() => Err(format!(
                "features: the run `{name}` takes those of `{from}`, which trains no network: name a run that does"
            )),
            Some(_) => Ok(()),
        }
    }

    /// One sentence about the circle that a run is in, or leads to.
    fn circle(&self, run: usize) -> String {
        let mut way = vec![run];
        let mut last = run;
        while let Some(next) = self.taken(last).map(Taken::run) {
            if let Some(start) = way.iter().position(|seen| *seen == next) {
                way.drain(..start);
                way.push(next);
                break;
            }
            way.push(next);
            last = next;
        }
        let names: Vec<&str> = way
            .iter()
            .map(|run| self.runs[*run].name.as_str())
            .collect();
        format!(
            "the runs take from each other in a circle, so none can be the first: {}",
            names.join(" from ")
        )
    }
}

/// Whether a text names a file or folder: a run's name holds neither slash nor dot.
fn is_path(text: &str) -> bool {
    text.contains(['/', '\\', '.', '~'])
}

fn judge_name(run: &NamedRun) -> Result<(), String> {
    let name = run.name.as_str();
    let is_word = |letter: char| letter.is_alphanumeric() || "-_+".contains(letter);
    if !name.is_empty() && name.chars().all(is_word) {
        return Ok(());
    }
    Err(format!(
        "name: `{name}` is none of a run: write letters, digits, - and _, such as small-cnn"
    ))
}
