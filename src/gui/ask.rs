//! Whether a view that is drawn should ask, and how its question reaches the one who knows.

use super::action::Action;
use super::handle::Services;
use super::looking::{LookAt, Subject};
use super::messages::Weight;
use super::runs::Listed;
use super::state::State;
use super::training::Phase;
use crate::engine::command::Command;
use crate::engine::look::{self, AugmentQuestion, DataQuestion, Look};
use crate::inspect::filters::Filters;
use crate::inspect::reconstructions::Reconstructions;
use crate::inspect::{effective_field, gallery, statistics};
use std::path::PathBuf;
use std::sync::Arc;

impl State {
    /// The network to look into: the one in training, or that of the last run.
    pub fn subject(&self) -> Option<Subject> {
        match self.training.phase {
            Phase::Training | Phase::Paused => Some(Subject::Live),
            Phase::Preparing { .. } | Phase::Stopping => None,
            Phase::Idle | Phase::Ended(_) => self.stored().cloned().map(Subject::Stored),
        }
    }

    /// The run that was trained before, if the window shows one.
    fn stored(&self) -> Option<&PathBuf> {
        let ended = matches!(self.training.phase, Phase::Idle | Phase::Ended(_));
        self.training.run.as_ref().filter(|_| ended)
    }

    /// The newest filters: of the run in training or of the one that was opened; or why there are none.
    pub fn filters(&self) -> Option<Result<&Arc<Filters>, &str>> {
        let stored = || {
            self.looking
                .filters
                .answer(self.stored()?)
                .map(|looked| looked.result.as_ref())
        };
        let result = self.training.filters.as_ref().map(Ok).or_else(stored)?;
        Some(result.map_err(String::as_str))
    }

    /// The newest reconstructions, likewise.
    pub fn reconstructions(&self) -> Option<Result<&Arc<Reconstructions>, &str>> {
        let stored = || {
            self.looking
                .reconstructions
                .answer(self.stored()?)
                .map(|looked| looked.result.as_ref())
        };
        let result = self
            .training
            .reconstructions
            .as_ref()
            .map(Ok)
            .or_else(stored)?;
        Some(result.map_err(String::as_str))
    }

    fn images(&self, part: gallery::Request) -> DataQuestion {
        DataQuestion::new(self.project(), self.base(), self.looking.files, part)
    }

    /// The question for the images of the project as it stands.
    pub fn data_question(&self) -> DataQuestion {
        self.images(self.looking.part)
    }

    /// The question for their statistics: whichever are shown.
    pub fn statistics_question(&self) -> (DataQuestion, statistics::Request) {
        let question = self.images(gallery::Request::default());
        (question, self.looking.measure)
    }

    /// The question for an image before and after the project's augmentation.
    pub fn augment_question(&self) -> AugmentQuestion {
        let images = self.images(gallery::Request::default());
        AugmentQuestion {
            images,
            augment: self.project().data.augment.clone(),
            request: self.looking.draws,
        }
    }

    /// The question for the effective field of the chosen cell.
    pub fn field_question(&self) -> Option<(Subject, effective_field::Request)> {
        self.subject().zip(self.looking.cell.clone())
    }

    /// The runs that the list should hold.
    pub fn runs_to_list(&self) -> Listed {
        let beside = self
            .training
            .run
            .as_deref()
            .and_then(|run| run.parent())
            .map(|folder| folder.to_path_buf());
        let folder = beside.unwrap_or_else(|| self.base().join("runs"));
        let run = (self.training.run.clone(), self.training.is_running());
        Listed {
            folder,
            title: self.project().title.clone(),
            run,
        }
    }

    /// What a view that shows this should ask for now, if anything.
    pub fn question(&self, at: LookAt) -> Option<Action> {
        let looking = &self.looking;
        let is_due = match at {
            LookAt::Saliency => self.subject().is_some_and(|subject| {
                let question = (subject, looking.request.clone());
                let step = looking
                    .saliency
                    .answer(&question)
                    .map(|looked| looked.result.as_ref().ok().map(|s| s.step));
                !looking.saliency.waits_for(&question) && self.is_older(&question.0, step)
            }),
            LookAt::Sparse => self.subject().is_some_and(|subject| {
                let step = looking
                    .sparse
                    .answer(&subject)
                    .map(|looked| looked.result.as_ref().ok().map(|s| s.step));
                !looking.sparse.waits_for(&subject) && self.is_older(&subject, step)
            }),
            LookAt::Field => self.field_question().is_some_and(|question| {
                let step = looking
                    .field
                    .answer(&question)
                    .map(|looked| looked.result.as_ref().ok().map(|f| f.step));
                !looking.field.waits_for(&question) && self.is_older(&question.0, step)
            }),
            LookAt::Pixel => self.pixel_question().is_some_and(|question| {
                let step = looking
                    .pixel
                    .answer(&question)
                    .map(|looked| looked.result.as_ref().ok().map(|p| p.step));
                !looking.pixel.waits_for(&question) && self.is_older(&question.0, step)
            }),
            LookAt::Filters => {
                let missing =
                    |run| self.training.filters.is_none() && !looking.filters.was_asked(run);
                self.stored().is_some_and(missing)
            }
            LookAt::Reconstructions => {
                let missing = |run| {
                    self.training.reconstructions.is_none()
                        && !looking.reconstructions.was_asked(run)
                };
                self.stored().is_some_and(missing)
            }
            LookAt::Statistics => !looking.statistics.was_asked(&self.statistics_question()),
            LookAt::Data => !looking.data.was_asked(&self.data_question()),
            LookAt::Augmented => !looking.augmented.was_asked(&self.augment_question()),
            LookAt::Kernel => !looking.kernel.was_asked(&self.kernel_question()),
        };
        is_due.then_some(Action::Look(at))
    }

    /// Whether an answer (of a step; `None` inside for a failure) is missing or older than it need be.
    fn is_older(&self, subject: &Subject, answer: Option<Option<u64>>) -> bool {
        match (subject, answer) {
            (_, None) => true,
            (Subject::Live, Some(Some(step))) => step < self.training.curves.steps(),
            _ => false,
        }
    }

    /// Passes a question on.
    pub(super) fn look(&mut self, at: LookAt, services: &Services) {
        let subject = self.subject();
        match (at, subject) {
            (LookAt::Kernel, _) => {
                let question = self.kernel_question();
                self.looking.kernel.ask(&question);
                self.ask_thread(Look::Kernel(Box::new(question)), services);
            }
            (LookAt::Data, _) => {
                let question = self.data_question();
                self.looking.sent_data(&question);
                self.ask_thread(Look::Data(question), services);
            }
            (LookAt::Statistics, _) => {
                let question = self.statistics_question();
                self.looking.statistics.ask(&question);
                self.ask_thread(Look::Statistics(question.0, question.1), services);
            }
            (LookAt::Augmented, _) => {
                let question = self.augment_question();
                self.looking.augmented.ask(&question);
                self.ask_thread(Look::Augmented(Box::new(question)), services);
            }
            (LookAt::Saliency, Some(Subject::Live)) => {
                let request = self.looking.sent_saliency(Subject::Live);
                self.training.want(|wanted| wanted.saliency.put(request));
                self.training.send(Command::Look);
            }
            (LookAt::Sparse, Some(Subject::Live)) => {
                self.looking.sent_sparse(&Subject::Live);
                self.training.want(|wanted| wanted.sparse.put(()));
                self.training.send(Command::Look);
            }
            (LookAt::Saliency, Some(Subject::Stored(run))) => {
                let request = self.looking.sent_saliency(Subject::Stored(run.clone()));
                self.ask_thread(Look::Saliency(run, request), services);
            }
            (LookAt::Sparse, Some(Subject::Stored(run))) => {
                self.looking.sent_sparse(&Subject::Stored(run.clone()));
                self.ask_thread(Look::Sparse(run), services);
            }
            (LookAt::Field, Some(subject)) => {
                let Some(question) = self.field_question() else {
                    return;
                };
                self.looking.field.ask(&question);
                match subject {
                    Subject::Live => {
                        self.training.want(|wanted| wanted.field.put(question.1));
                        self.training.send(Command::Look);
                    }
                    Subject::Stored(run) => self.ask_thread(Look::Field(run, question.1), services),
                }
            }
            (LookAt::Pixel, _) => self.look_at_pixel(services),
            (LookAt::Filters, Some(Subject::Stored(run))) => {
                self.looking.filters.ask(&run);
                self.ask_thread(Look::Filters(run), services);
            }
            (LookAt::Reconstructions, Some(Subject::Stored(run))) => {
                self.looking.reconstructions.ask(&run);
                self.ask_thread(Look::Reconstructions(run), services);
            }
            (LookAt::Filters | LookAt::Reconstructions, Some(Subject::Live)) | (_, None) => {}
        }
    }

    fn look_at_pixel(&mut self, services: &Services) {
        let Some((subject, request)) = self.pixel_question() else {
            return;
        };
        self.looking.pixel.ask(&(subject.clone(), request.clone()));
        match subject {
            Subject::Live => {
                self.training.want(|wanted| wanted.pixel.put(request));
                self.training.send(Command::Look);
            }
            Subject::Stored(run) => self.ask_thread(Look::Pixel(run, request), services),
        }
    }

    fn ask_thread(&mut self, question: Look, services: &Services) {
        if self.looking.looker.is_none() {
            let wake = services.wake.clone();
            match look::start(self.device.clone(), move || wake()) {
                Ok(looker) => self.looking.looker = Some(looker),
                Err(error) => {
                    let text = format!(
                        "no thread could be started to look at this: {error}; close other programs"
                    );
                    return self.messages.add(Weight::Error, text);
                }
            }
        }
        self.looking.send(question);
    }
}
