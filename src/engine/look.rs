//! Looking at what is not in training: a run that was trained before, the images of a project.
//!
//! One thread serves a window. Of every kind the newest question wins; a newer one ends the reading of images
//! for an older one. What was opened stays open for the next question. Failures are answers like others.

use super::calm;
use super::error::RunError;
use super::saved::{self, SavedRun};
use crate::data::{DataError, Dataset, Progress};
use crate::inspect::filters::Filters;
use crate::inspect::gallery::{self, Gallery};
use crate::inspect::reconstructions::Reconstructions;
use crate::inspect::saliency::{self, Saliency};
use crate::inspect::sparse::SparseCode;
use crate::project::Project;
use crate::project::data::DataSpec;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A question, and what came of it: the answer or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked<Q, A> {
    /// What was asked.
    pub question: Q,
    /// The answer, or a sentence that says what is wrong.
    pub result: Result<A, String>,
}

/// Images of a project as it is edited.
#[derive(Clone, Debug, PartialEq)]
pub struct DataQuestion {
    /// What names the images.
    pub spec: DataSpec,
    /// The channels of the network's input.
    pub channels: usize,
    /// The project's seed.
    pub seed: u64,
    /// The folder that relative paths start at.
    pub base: PathBuf,
    /// The page.
    pub page: gallery::Request,
}

impl DataQuestion {
    /// The question for a page of a project's images.
    pub fn new(project: &Project, base: PathBuf, page: gallery::Request) -> DataQuestion {
        let (spec, channels) = (project.data.clone(), project.network.input.channels());
        DataQuestion { spec, channels, seed: project.seed, base, page }
    }

    fn same_images(&self, other: &DataQuestion) -> bool {
        let images = |question: &DataQuestion| DataQuestion { page: gallery::Request::default(), ..question.clone() };
        images(self) == images(other)
    }
}

/// A question for the thread.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// Saliency of a trained run.
    Saliency(PathBuf, saliency::Request),
    /// Mean activations of a trained run.
    Sparse(PathBuf),
    /// The first layer's filters of a trained run.
    Filters(PathBuf),
    /// What a trained run makes of its probe images.
    Reconstructions(PathBuf),
    /// A page of images.
    Data(DataQuestion),
}

/// An answer of the thread.
#[derive(Debug)]
pub enum Answered {
    /// To [`Look::Saliency`].
    Saliency(Looked<(PathBuf, saliency::Request), Saliency>),
    /// To [`Look::Sparse`].
    Sparse(Looked<PathBuf, SparseCode>),
    /// To [`Look::Filters`].
    Filters(Looked<PathBuf, Arc<Filters>>),
    /// To [`Look::Reconstructions`].
    Reconstructions(Looked<PathBuf, Arc<Reconstructions>>),
    /// To [`Look::Data`].
    Data(Box<Looked<DataQuestion, Gallery>>),
}

/// The thread's other end. Dropping it ends the thread after the answer in work.
#[derive(Debug)]
pub struct Looker {
    /// Questions.
    pub questions: Sender<Look>,
    /// Answers; some questions get none, because a newer one came.
    pub answers: Receiver<Answered>,
}

/// Starts the thread. `wake` is called after every answer.
pub fn start(device: Option<String>, wake: impl Fn() + Send + 'static) -> std::io::Result<Looker> {
    let (questions, asked) = unbounded();
    let (answered, answers) = unbounded();
    let thread = std::thread::Builder::new().name("strata-look".to_owned());
    thread.spawn(move || {
        calm::step_back();
        serve(Desk { asked, device, run: None, images: None }, &answered, &wake);
    })?;
    Ok(Looker { questions, answers })
}

fn serve(mut desk: Desk, answered: &Sender<Answered>, wake: &dyn Fn()) {
    let mut waiting: Vec<Look> = Vec::new();
    loop {
        if waiting.is_empty() {
            let Ok(look) = desk.asked.recv() else { return };
            waiting.push(look);
        }
        waiting.extend(desk.asked.try_iter());
        newest(&mut waiting);
        let look = waiting.remove(0);
        // What a panic leaves half done is dropped with it.
        let answer = catch_unwind(AssertUnwindSafe(|| desk.answer(&look))).unwrap_or_else(|_| {
            (desk.run, desk.images) = (None, None);
            Some(defect(look))
        });
        if answer.is_some_and(|answer| answered.send(answer).is_err()) {
            return;
        }
        wake();
    }
}

/// Leaves the newest of every kind.
fn newest(waiting: &mut Vec<Look>) {
    let kinds: Vec<_> = waiting.iter().map(std::mem::discriminant).collect();
    let mut index = 0;
    waiting.retain(|_| {
        index += 1;
        !kinds[index..].contains(&kinds[index - 1])
    });
}

fn defect(look: Look) -> Answered {
    const DEFECT: &str = "a defect in Strata ended this; please report it";
    match look {
        Look::Saliency(run, request) => {
            Answered::Saliency(Looked { question: (run, request), result: Err(DEFECT.to_owned()) })
        }
        Look::Sparse(run) => Answered::Sparse(Looked { question: run, result: Err(DEFECT.to_owned()) }),
        Look::Filters(run) => Answered::Filters(Looked { question: run, result: Err(DEFECT.to_owned()) }),
        Look::Reconstructions(run) => {
            Answered::Reconstructions(Looked { question: run, result: Err(DEFECT.to_owned()) })
        }
        Look::Data(question) => Answered::Data(Box::new(Looked { question, result: Err(DEFECT.to_owned()) })),
    }
}

/// What is open.
struct Desk {
    asked: Receiver<Look>,
    device: Option<String>,
    run: Option<(PathBuf, u64, SavedRun)>,
    images: Option<(DataQuestion, Dataset)>,
}

impl Desk {
    /// `None` when a newer question came while images were read.
    fn answer(&mut self, look: &Look) -> Option<Answered> {
        match look {
            Look::Saliency(run, request) => {
                let result = told(self.open(run).and_then(|saved| saved.saliency(request)))?;
                Some(Answered::Saliency(Looked { question: (run.clone(), request.clone()), result }))
            }
            Look::Sparse(run) => {
                let result = told(self.open(run).and_then(SavedRun::sparse_code))?;
                Some(Answered::Sparse(Looked { question: run.clone(), result }))
            }
            Look::Filters(run) => {
                let result = told(saved::filters(run, "last", self.device.as_deref()).map(Arc::new))?;
                Some(Answered::Filters(Looked { question: run.clone(), result }))
            }
            Look::Reconstructions(run) => {
                let result = told(self.open(run).and_then(|saved| saved.reconstructions(None)).map(Arc::new))?;
                Some(Answered::Reconstructions(Looked { question: run.clone(), result }))
            }
            Look::Data(question) => {
                let result = told(self.page(question).map_err(RunError::from))?;
                Some(Answered::Data(Box::new(Looked { question: question.clone(), result })))
            }
        }
    }

    /// The run with its last checkpoint, opened anew when that has changed.
    fn open(&mut self, run: &Path) -> Result<&mut SavedRun, RunError> {
        let now = changed(run);
        let open = self.run.take().filter(|(path, at, _)| path == run && *at == now);
        let open = match open {
            Some(open) => open,
            None => {
                let asked = self.asked.clone();
                let saved = SavedRun::open(run, "last", self.device.as_deref(), &mut |_| asked.is_empty())?;
                (run.to_owned(), now, saved)
            }
        };
        Ok(&mut self.run.insert(open).2)
    }

    fn page(&mut self, question: &DataQuestion) -> Result<Gallery, DataError> {
        let open = self.images.take().filter(|(of, _)| of.same_images(question));
        let (_, dataset) = match open {
            Some(open) => self.images.insert(open),
            None => {
                let DataQuestion { spec, channels, seed, base, .. } = question;
                let mut go_on = |_: Progress| self.asked.is_empty();
                let dataset = Dataset::open_as(spec, Some(*channels), *seed, base, &mut go_on)?;
                self.images.insert((question.clone(), dataset))
            }
        };
        gallery::page(dataset, question.page)
    }
}

/// A failure in words; `None` for one that a newer question caused.
fn told<A>(result: Result<A, RunError>) -> Option<Result<A, String>> {
    match result {
        Err(RunError::Data(DataError::Cancelled)) => None,
        result => Some(result.map_err(|error| error.to_string())),
    }
}

/// When the last checkpoint was written, as a number that differs when it differs.
fn changed(run: &Path) -> u64 {
    let written = std::fs::metadata(run.join("checkpoints/last.safetensors")).and_then(|file| file.modified());
    let since = written.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_question_of_every_kind_is_answered() {
        let run = |name: &str| Look::Sparse(name.into());
        let map = |name: &str| Look::Saliency(name.into(), saliency::Request::default());
        let mut waiting = vec![run("a"), map("a"), run("b"), map("b"), run("c")];
        newest(&mut waiting);
        assert_eq!(waiting, [map("b"), run("c")]);
    }
}
