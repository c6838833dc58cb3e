//! Looking at what is not in training: a run that was trained before, the images of a project.
//!
//! One thread serves a window. Of every kind the newest question wins; a newer one of its kind ends the reading of
//! images for an older one. What was opened stays open for the next question. Failures are answers like others.

use super::calm;
use super::error::RunError;
use super::playground::{self, Playground};
use super::saved::{self, SavedRun};
use super::slot::Slot;
use crate::data::{DataError, Dataset, Progress};
use crate::inspect::augmented::{self, Augmented};
use crate::inspect::effective_field::{self, EffectiveField};
use crate::inspect::filters::Filters;
use crate::inspect::gallery::{self, Gallery};
use crate::inspect::pixel::{self, Pixel};
use crate::inspect::reconstructions::Reconstructions;
use crate::inspect::saliency::{self, Saliency};
use crate::inspect::sparse::SparseCode;
use crate::inspect::statistics::{self, Statistics};
use crate::project::Project;
use crate::project::augment::Augment;
use crate::project::data::DataSpec;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

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
    /// Counts up when the files may have become others.
    pub files: u64,
    /// Which of them.
    pub part: gallery::Request,
}

impl DataQuestion {
    /// The question for a part of a project's images.
    pub fn new(
        project: &Project,
        base: PathBuf,
        files: u64,
        part: gallery::Request,
    ) -> DataQuestion {
        // What augmentation is listed does not change these images: without it, nothing is read again for an edit.
        let spec = DataSpec {
            augment: Vec::new(),
            use_augment: true,
            ..project.data.clone()
        };
        let channels = project.network.input.channels();
        DataQuestion {
            spec,
            channels,
            seed: project.seed,
            base,
            files,
            part,
        }
    }

    /// Whether another question is about the same images, if about others of them.
    pub fn same_images(&self, other: &DataQuestion) -> bool {
        let images = |question: &DataQuestion| DataQuestion {
            part: gallery::Request::default(),
            ..question.clone()
        };
        images(self) == images(other)
    }
}

/// What augmentation makes of one of these images.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentQuestion {
    /// Which images.
    pub images: DataQuestion,
    /// The transforms.
    pub augment: Vec<Augment>,
    /// The image and the draws.
    pub request: augmented::Request,
}

/// A question for the thread.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// Saliency of a trained run.
    Saliency(PathBuf, saliency::Request),
    /// The arithmetic of one value of a trained run.
    Pixel(PathBuf, pixel::Request),
    /// Mean activations of a trained run.
    Sparse(PathBuf),
    /// The effective receptive field of a cell of a trained run.
    Field(PathBuf, effective_field::Request),
    /// The first layer's filters of a trained run.
    Filters(PathBuf),
    /// What a trained run makes of its probe images.
    Reconstructions(PathBuf),
    /// A part of the images.
    Data(DataQuestion),
    /// Statistics of all images.
    Statistics(DataQuestion, statistics::Request),
    /// An image before and after augmentation.
    Augmented(Box<AugmentQuestion>),
    /// A kernel on a picture.
    Kernel(Box<playground::Question>),
}

impl Look {
    /// The run whose images are needed.
    fn run(&self) -> Option<&Path> {
        match self {
            Look::Saliency(run, _)
            | Look::Pixel(run, _)
            | Look::Sparse(run)
            | Look::Reconstructions(run)
            | Look::Field(run, _) => Some(run),
            Look::Filters(_)
            | Look::Data(_)
            | Look::Statistics(..)
            | Look::Augmented(_)
            | Look::Kernel(_) => None,
        }
    }
}

/// An answer of the thread.
#[derive(Debug)]
pub enum Answered {
    /// To [`Look::Saliency`].
    Saliency(Looked<(PathBuf, saliency::Request), Saliency>),
    /// To [`Look::Pixel`].
    Pixel(Box<Looked<(PathBuf, pixel::Request), Pixel>>),
    /// To [`Look::Sparse`].
    Sparse(Looked<PathBuf, SparseCode>),
    /// To [`Look::Field`].
    Field(Looked<(PathBuf, effective_field::Request), EffectiveField>),
    /// To [`Look::Filters`].
    Filters(Looked<PathBuf, Arc<Filters>>),
    /// To [`Look::Reconstructions`].
    Reconstructions(Looked<PathBuf, Arc<Reconstructions>>),
    /// To [`Look::Data`].
    Data(Box<Looked<DataQuestion, Gallery>>),
    /// To [`Look::Statistics`].
    Statistics(Box<Looked<(DataQuestion, statistics::Request), Statistics>>),
    /// To [`Look::Augmented`].
    Augmented(Box<Looked<AugmentQuestion, Augmented>>),
    /// To [`Look::Kernel`].
    Kernel(Box<Looked<playground::Question, Playground>>),
}

/// The thread's other end. Dropping it ends the thread after the answer in work.
#[derive(Debug)]
pub struct Looker {
    /// Questions.
    pub questions: Sender<Look>,
    /// Answers; a question that a newer one of its kind replaced gets none.
    pub answers: Receiver<Answered>,
    /// How far the reading of images has come; empty while nothing is read.
    pub progress: Arc<Slot<Progress>>,
    /// Set to end the reading of images; the answer then says so.
    pub cancel: Arc<AtomicBool>,
}

/// Starts the thread. `wake` is called after every answer, and while images are read.
pub fn start(device: Option<String>, wake: impl Fn() + Send + 'static) -> std::io::Result<Looker> {
    let (questions, asked) = unbounded();
    let (answered, answers) = unbounded();
    let (progress, cancel) = (
        Arc::<Slot<Progress>>::default(),
        Arc::<AtomicBool>::default(),
    );
    let (told, cancelled) = (progress.clone(), cancel.clone());
    let thread = std::thread::Builder::new().name("strata-look".to_owned());
    thread.spawn(move || {
        calm::step_back();
        let inbox = Inbox {
            asked,
            waiting: RefCell::default(),
            progress: told,
            cancel: cancelled,
            wake: Box::new(wake),
        };
        serve(
            &inbox,
            Desk {
                inbox: &inbox,
                device,
                run: None,
                images: None,
                picture: None,
            },
            &answered,
        );
    })?;
    Ok(Looker {
        questions,
        answers,
        progress,
        cancel,
    })
}

fn serve(inbox: &Inbox, mut desk: Desk<'_>, answered: &Sender<Answered>) {
    while let Some(look) = inbox.next() {
        // What a panic leaves half done is dropped with it.
        let answer = catch_unwind(AssertUnwindSafe(|| desk.answer(&look))).unwrap_or_else(|_| {
            (desk.run, desk.images, desk.picture) = (None, None, None);
            Some(refused(look.clone(), DEFECT))
        });
        inbox.progress.take();
        let cancelled = inbox
            .cancelled_with(&look)
            .into_iter()
            .map(|look| refused(look, CANCELLED));
        if answer
            .into_iter()
            .chain(cancelled)
            .any(|answer| answered.send(answer).is_err())
        {
            return;
        }
        (inbox.wake)();
    }
}

/// Questions that wait, and what is told while one is worked on.
struct Inbox {
    asked: Receiver<Look>,
    waiting: RefCell<Vec<Look>>,
    progress: Arc<Slot<Progress>>,
    cancel: Arc<AtomicBool>,
    wake: Box<dyn Fn()>,
}

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

impl Inbox {
    /// The next question; `None` when nobody asks any more.
    fn next(&self) -> Option<Look> {
        if self.waiting.borrow().is_empty() {
            let look = self.asked.recv().ok()?;
            self.waiting.borrow_mut().push(look);
        }
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend(self.asked.try_iter());
        newest(&mut waiting);
        // A cancel that came too late is not meant for the next question.
        self.cancel.store(false, Relaxed);
        Some(waiting.remove(0))
    }

    /// What waits for the images that somebody just refused to wait for.
    fn cancelled_with(&self, look: &Look) -> Vec<Look> {
        let Some(run) = look.run().filter(|_| self.cancel.swap(false, Relaxed)) else {
            return Vec::new();
        };
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend(self.asked.try_iter());
        let (same, others) = waiting
            .drain(..)
            .partition(|other| other.run() == Some(run));
        *waiting = others;
        same
    }

    /// Whether a newer question of this kind waits.
    fn is_replaced(&self, look: &Look) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        waiting.extend(self.asked.try_iter());
        waiting
            .iter()
            .any(|newer| std::mem::discriminant(newer) == std::mem::discriminant(look))
    }

    /// Tells how far reading has come, and whether to go on with it.
    fn reading<'a>(&'a self, look: &'a Look) -> impl FnMut(Progress) -> bool + 'a {
        let mut due = Instant::now();
        move |progress| {
            if Instant::now() >= due {
                due = Instant::now() + REPORT;
                self.progress.put(progress);
                (self.wake)();
            }
            self.goes_on(look)
        }
    }

    /// Whether the answer is still wanted.
    fn goes_on(&self, look: &Look) -> bool {
        !self.cancel.load(Relaxed) && !self.is_replaced(look)
    }

    /// A failure in words; `None` for one that a newer question caused.
    fn told<A>(&self, look: &Look, result: Result<A, RunError>) -> Option<Result<A, String>> {
        match result {
            Err(RunError::Data(DataError::Cancelled)) if self.is_replaced(look) => None,
            Err(RunError::Data(DataError::Cancelled)) => Some(Err(CANCELLED.to_owned())),
            result => Some(result.map_err(|error| error.to_string())),
        }
    }
}

/// What is answered when the reading of images was cancelled.
pub const CANCELLED: &str = "Reading was cancelled.";

/// Leaves the newest of every kind.
fn newest(waiting: &mut Vec<Look>) {
    let kinds: Vec<_> = waiting.iter().map(std::mem::discriminant).collect();
    let mut index = 0;
    waiting.retain(|_| {
        index += 1;
        !kinds[index..].contains(&kinds[index - 1])
    });
}

const DEFECT: &str = "a defect in Strata ended this; please report it";

/// The answer that there is none, and why.
fn refused(look: Look, why: &str) -> Answered {
    match look {
        Look::Saliency(run, request) => Answered::Saliency(Looked {
            question: (run, request),
            result: Err(why.to_owned()),
        }),
        Look::Pixel(run, request) => Answered::Pixel(Box::new(Looked {
            question: (run, request),
            result: Err(why.to_owned()),
        })),
        Look::Sparse(run) => Answered::Sparse(Looked {
            question: run,
            result: Err(why.to_owned()),
        }),
        Look::Field(run, request) => Answered::Field(Looked {
            question: (run, request),
            result: Err(why.to_owned()),
        }),
        Look::Filters(run) => Answered::Filters(Looked {
            question: run,
            result: Err(why.to_owned()),
        }),
        Look::Reconstructions(run) => Answered::Reconstructions(Looked {
            question: run,
            result: Err(why.to_owned()),
        }),
        Look::Data(question) => Answered::Data(Box::new(Looked {
            question,
            result: Err(why.to_owned()),
        })),
        Look::Statistics(question, request) => Answered::Statistics(Box::new(Looked {
            question: (question, request),
            result: Err(why.to_owned()),
        })),
        Look::Augmented(question) => Answered::Augmented(Box::new(Looked {
            question: *question,
            result: Err(why.to_owned()),
        })),
        Look::Kernel(question) => Answered::Kernel(Box::new(Looked {
            question: *question,
            result: Err(why.to_owned()),
        })),
    }
}

/// What is open.
struct Desk<'a> {
    inbox: &'a Inbox,
    device: Option<String>,
    run: Option<(PathBuf, u64, SavedRun)>,
    images: Option<(DataQuestion, Dataset)>,
    picture: Option<(playground::Subject, playground::Picture)>,
}

impl Desk<'_> {
    /// `None` when a newer question of this kind came while images were read.
    fn answer(&mut self, look: &Look) -> Option<Answered> {
        let inbox = self.inbox;
        Some(match look {
            Look::Saliency(run, request) => {
                let result = self
                    .open(look, run)
                    .and_then(|saved| saved.saliency(request));
                let question = (run.clone(), request.clone());
                Answered::Saliency(Looked {
                    question,
                    result: inbox.told(look, result)?,
                })
            }
            Look::Pixel(run, request) => {
                let result = self.open(look, run).and_then(|saved| saved.pixel(request));
                let question = (run.clone(), request.clone());
                Answered::Pixel(Box::new(Looked {
                    question,
                    result: inbox.told(look, result)?,
                }))
            }
            Look::Sparse(run) => {
                let result = self.open(look, run).and_then(SavedRun::sparse_code);
                Answered::Sparse(Looked {
                    question: run.clone(),
                    result: inbox.told(look, result)?,
                })
            }
            Look::Field(run, request) => {
                let result = self
                    .open(look, run)
                    .and_then(|saved| saved.effective_field(request));
                let question = (run.clone(), request.clone());
                Answered::Field(Looked {
                    question,
                    result: inbox.told(look, result)?,
                })
            }
            Look::Filters(run) => {
                let result = saved::filters(run, "last", self.device.as_deref()).map(Arc::new);
                Answered::Filters(Looked {
                    question: run.clone(),
                    result: inbox.told(look, result)?,
                })
            }
            Look::Reconstructions(run) => {
                let result = self
                    .open(look, run)
                    .and_then(|saved| saved.reconstructions(None))
                    .map(Arc::new);
                Answered::Reconstructions(Looked {
                    question: run.clone(),
                    result: inbox.told(look, result)?,
                })
            }
            Look::Data(question) => {
                let mut go_on = || inbox.goes_on(look);
                let result = self
                    .dataset(look, question)
                    .and_then(|dataset| gallery::part(dataset, question.part, &mut go_on));
                let (question, result) = (
                    question.clone(),
                    inbox.told(look, result.map_err(RunError::from))?,
                );
                Answered::Data(Box::new(Looked { question, result }))
            }
            Look::Statistics(question, request) => {
                let result = self
                    .statistics(look, question, *request)
                    .map_err(RunError::from);
                let question = (question.clone(), *request);
                Answered::Statistics(Box::new(Looked {
                    question,
                    result: inbox.told(look, result)?,
                }))
            }
            Look::Augmented(question) => {
                let AugmentQuestion {
                    images,
                    augment,
                    request,
                } = question.as_ref();
                let dataset = self.dataset(look, images);
                let result = dataset.and_then(|dataset| {
                    augmented::preview(dataset, augment, images.seed, *request)
                });
                let (question, result) = (
                    (**question).clone(),
                    inbox.told(look, result.map_err(RunError::from))?,
                );
                Answered::Augmented(Box::new(Looked { question, result }))
            }
            Look::Kernel(question) => {
                let result = self.playground(look, question).map_err(RunError::from);
                let (question, result) = (question.as_ref().clone(), inbox.told(look, result)?);
                Answered::Kernel(Box::new(Looked { question, result }))
            }
        })
    }

    /// The run with its last checkpoint, opened anew when that has changed.
    fn open(&mut self, look: &Look, run: &Path) -> Result<&mut SavedRun, RunError> {
        let now = changed(run);
        let open = self
            .run
            .take()
            .filter(|(path, at, _)| path == run && *at == now);
        let open = match open {
            Some(open) => open,
            None => {
                let mut go_on = self.inbox.reading(look);
                (
                    run.to_owned(),
                    now,
                    SavedRun::open(run, "last", self.device.as_deref(), &mut go_on)?,
                )
            }
        };
        Ok(&mut self.run.insert(open).2)
    }

    fn statistics(
        &mut self,
        look: &Look,
        question: &DataQuestion,
        request: statistics::Request,
    ) -> Result<Statistics, DataError> {
        let inbox = self.inbox;
        let dataset = self.dataset(look, question)?;
        statistics::measure(dataset, request, &mut inbox.reading(look))
    }

    fn playground(
        &mut self,
        look: &Look,
        question: &playground::Question,
    ) -> Result<Playground, DataError> {
        let open = self
            .picture
            .take()
            .filter(|(of, _)| *of == question.subject);
        let picture = match (open, &question.subject) {
            (Some((_, picture)), _) => picture,
            (
                None,
                playground::Subject::Data {
                    images,
                    split,
                    index,
                },
            ) => playground::picture_of(
                self.dataset(look, images)?,
                *split,
                *index,
                playground::LONGEST,
            )?,
            (None, playground::Subject::File(path)) => {
                playground::picture_in(path, playground::LONGEST)?
            }
            (None, playground::Subject::Curve(noise)) => playground::curve(*noise),
        };
        let answer = Playground::new(&picture, question);
        self.picture = Some((question.subject.clone(), picture));
        Ok(answer)
    }

    /// The images, opened anew when they are others.
    fn dataset(&mut self, look: &Look, question: &DataQuestion) -> Result<&Dataset, DataError> {
        let open = self
            .images
            .take()
            .filter(|(of, _)| of.same_images(question));
        let (_, dataset) = match open {
            Some(open) => self.images.insert(open),
            None => {
                let DataQuestion {
                    spec,
                    channels,
                    seed,
                    base,
                    ..
                } = question;
                let mut go_on = self.inbox.reading(look);
                let dataset = Dataset::open_as(spec, Some(*channels), *seed, base, &mut go_on)?;
                self.images.insert((question.clone(), dataset))
            }
        };
        Ok(dataset)
    }
}

/// When the last checkpoint was written, as a number that differs when it differs.
fn changed(run: &Path) -> u64 {
    let written = std::fs::metadata(run.join("checkpoints/last.safetensors"))
        .and_then(|file| file.modified());
    let since = written
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
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
