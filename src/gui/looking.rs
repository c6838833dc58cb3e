//! What the views of the inside of a network have asked for and got.
//!
//! A view asks when it is drawn and has nothing, or something older than what could be had; so nothing is
//! computed for a view that nobody sees. A run in training answers itself, through its slots; of other runs,
//! and of images, the thread of [`crate::engine::look`] knows.

use super::kernels::KernelSettings;
use crate::data::Progress;
use crate::engine::look::{
    Answered, AugmentQuestion, CANCELLED, DataQuestion, Look, Looked, Looker,
};
use crate::engine::playground::{self, Playground};
use crate::engine::slot::Slots;
use crate::inspect::augmented::{self, Augmented};
use crate::inspect::effective_field::{self, EffectiveField};
use crate::inspect::filters::Filters;
use crate::inspect::gallery::{self, Gallery};
use crate::inspect::pixel::{self, Pixel};
use crate::inspect::reconstructions::Reconstructions;
use crate::inspect::saliency::{Request, Saliency};
use crate::inspect::sparse::SparseCode;
use crate::inspect::statistics::{self, Statistics};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookAt {
    /// Saliency of the run.
    Saliency,
    /// Mean activations of the run.
    Sparse,
    /// The arithmetic of one value of the layer in the lens.
    Pixel,
    /// Filters of a run that was trained before.
    Filters,
    /// Reconstructions of a run that was trained before.
    Reconstructions,
    /// The effective receptive field of a cell of the run.
    Field,
    /// A part of the project's images.
    Data,
    /// Statistics of the project's images.
    Statistics,
    /// An image before and after augmentation.
    Augmented,
    /// A kernel on a picture.
    Kernel,
}

/// Which network is looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The run in training.
    Live,
    /// The last checkpoint of a run.
    Stored(PathBuf),
}

/// A question on its way, and the newest answer.
#[derive(Debug)]
pub struct Asked<Q, A> {
    waiting: Option<Q>,
    /// The newest answer with its question.
    pub latest: Option<Arc<Looked<Q, A>>>,
}

impl<Q, A> Default for Asked<Q, A> {
    fn default() -> Self {
        Asked {
            waiting: None,
            latest: None,
        }
    }
}

impl<Q: Clone + PartialEq, A> Asked<Q, A> {
    pub(super) fn ask(&mut self, question: &Q) {
        self.waiting = Some(question.clone());
    }

    fn take(&mut self, question: Q, result: Result<A, String>) {
        // An answer to a question that was taken back is better than none, but its asker still waits.
        if self.waiting.as_ref() == Some(&question) {
            self.waiting = None;
        }
        if let Err(reason) = &result
            && reason != CANCELLED
            && !self.has_failed(reason)
        {
            // The view shows it in place of an answer; a run in training may repeat it for every request.
            log::warn!("a view has no answer: {reason}");
        }
        self.latest = Some(Arc::new(Looked { question, result }));
    }

    /// Whether the newest answer is this failure.
    fn has_failed(&self, reason: &str) -> bool {
        let failure = self
            .latest
            .as_ref()
            .and_then(|looked| looked.result.as_ref().err());
        failure.is_some_and(|failure| failure == reason)
    }

    /// Whether this very question is on its way.
    pub fn waits_for(&self, question: &Q) -> bool {
        self.waiting.as_ref() == Some(question)
    }

    /// Whether this very question was answered or is on its way.
    pub fn was_asked(&self, question: &Q) -> bool {
        self.waits_for(question) || self.answer(question).is_some()
    }

    /// The newest answer, if it is to this question.
    pub fn answer(&self, question: &Q) -> Option<&Looked<Q, A>> {
        self.latest
            .as_deref()
            .filter(|looked| looked.question == *question)
    }
}

/// Everything that was asked for.
#[derive(Debug, Default)]
pub struct Looking {
    /// The thread for what is not in training; started at the first question.
    pub(super) looker: Option<Looker>,
    /// What saliency is to be shown of.
    pub request: Request,
    /// The cell whose receptive field is shown.
    pub cell: Option<effective_field::Request>,
    /// Which images are to be shown.
    pub part: gallery::Request,
    /// Saliency.
    pub saliency: Asked<(Subject, Request), Saliency>,
    /// Mean activations.
    pub sparse: Asked<Subject, SparseCode>,
    /// The effective receptive field of a cell.
    pub field: Asked<(Subject, effective_field::Request), EffectiveField>,
    /// The arithmetic of one value.
    pub pixel: Asked<(Subject, pixel::Request), Pixel>,
    /// Filters of a run that was trained before.
    pub filters: Asked<PathBuf, Arc<Filters>>,
    /// Reconstructions of a run that was trained before.
    pub reconstructions: Asked<PathBuf, Arc<Reconstructions>>,
    /// How often the images' files became others.
    pub(super) files: u64,
    /// Images.
    pub data: Asked<DataQuestion, Gallery>,
    /// How many images the statistics are of.
    pub measure: statistics::Request,
    /// Statistics of the images.
    pub statistics: Asked<(DataQuestion, statistics::Request), Statistics>,
    /// Which image is augmented, and which draws are shown.
    pub draws: augmented::Request,
    /// An image before and after augmentation.
    pub augmented: Asked<AugmentQuestion, Augmented>,
    /// How the playground for kernels is set.
    pub kernels: KernelSettings,
    /// A kernel on a picture.
    pub kernel: Asked<playground::Question, Playground>,
}

impl Looking {
    /// Forgets what was seen of the former run.
    pub(super) fn forget_run(&mut self) {
        (self.saliency, self.sparse, self.pixel) =
            (Asked::default(), Asked::default(), Asked::default());
        self.field = Asked::default();
        (self.filters, self.reconstructions) = (Asked::default(), Asked::default());
    }

    pub(super) fn sent_saliency(&mut self, subject: Subject) -> Request {
        self.saliency.ask(&(subject, self.request.clone()));
        self.request.clone()
    }

    pub(super) fn sent_sparse(&mut self, subject: &Subject) {
        self.sparse.ask(subject);
    }

    pub(super) fn sent_data(&mut self, question: &DataQuestion) {
        self.data.ask(question);
    }

    /// Asks the thread.
    pub(super) fn send(&self, look: Look) {
        if let Some(looker) = &self.looker
            && looker.questions.send(look).is_err()
        {
            // It ends with the window alone, or by a defect.
            log::warn!("the thread that answers views is gone; a view stays without an answer");
        }
    }

    /// Takes what the run in training answered.
    pub(super) fn take_from(&mut self, slots: &Slots) {
        if let Some(looked) = slots.saliency.take().and_then(Arc::into_inner) {
            self.saliency
                .take((Subject::Live, looked.question), looked.result);
        }
        if let Some(looked) = slots.field.take().and_then(Arc::into_inner) {
            self.field
                .take((Subject::Live, looked.question), looked.result);
        }
        if let Some(looked) = slots.pixel.take().and_then(Arc::into_inner) {
            self.pixel
                .take((Subject::Live, looked.question), looked.result);
        }
        if let Some(looked) = slots.sparse.take().and_then(Arc::into_inner) {
            self.sparse.take(Subject::Live, looked.result);
        }
    }

    /// How far the reading of images for a view has come.
    pub fn progress(&self) -> Option<Arc<Progress>> {
        self.looker.as_ref()?.progress.latest()
    }

    /// Ends the reading of images.
    pub(super) fn cancel(&self) {
        if let Some(looker) = &self.looker {
            looker.cancel.store(true, Relaxed);
        }
    }

    /// Forgets answers that say that reading failed or was cancelled, so that it begins anew.
    pub(super) fn read_again(&mut self) {
        self.files += 1;
        self.part.part = self.part.part.numbered(0);
        fn forget<Q, A>(asked: &mut Asked<Q, A>) {
            asked.latest.take_if(|seen| seen.result.is_err());
        }
        forget(&mut self.saliency);
        forget(&mut self.sparse);
        forget(&mut self.field);
        forget(&mut self.pixel);
        forget(&mut self.reconstructions);
        forget(&mut self.data);
        forget(&mut self.statistics);
        forget(&mut self.augmented);
        forget(&mut self.kernel);
    }

    /// Forgets what was chosen of the former project's images.
    pub(super) fn forget_choices(&mut self) {
        self.part = gallery::Request::default();
        self.request = Request::default();
    }

    /// Forgets the images: their files are others now.
    pub(super) fn forget_data(&mut self) {
        self.files += 1;
        (self.data, self.statistics) = (Asked::default(), Asked::default());
        (self.augmented, self.kernel) = (Asked::default(), Asked::default());
    }

    /// Takes what the thread answered.
    pub(super) fn drain(&mut self) {
        let Some(looker) = &self.looker else { return };
        let answers: Vec<Answered> = looker.answers.try_iter().collect();
        for answer in answers {
            match answer {
                Answered::Saliency(Looked {
                    question: (run, request),
                    result,
                }) => {
                    self.saliency.take((Subject::Stored(run), request), result);
                }
                Answered::Field(Looked {
                    question: (run, request),
                    result,
                }) => {
                    self.field.take((Subject::Stored(run), request), result);
                }
                Answered::Pixel(looked) => {
                    let Looked {
                        question: (run, request),
                        result,
                    } = *looked;
                    self.pixel.take((Subject::Stored(run), request), result);
                }
                Answered::Filters(looked) => self.filters.take(looked.question, looked.result),
                Answered::Reconstructions(looked) => {
                    self.reconstructions.take(looked.question, looked.result)
                }
                Answered::Sparse(looked) => self
                    .sparse
                    .take(Subject::Stored(looked.question), looked.result),
                Answered::Data(looked) => self.data.take(looked.question, looked.result),
                Answered::Statistics(looked) => {
                    self.statistics.take(looked.question, looked.result)
                }
                Answered::Augmented(looked) => self.augmented.take(looked.question, looked.result),
                Answered::Kernel(looked) => self.kernel.take(looked.question, looked.result),
            }
        }
    }
}
