//! Decides when a visible view needs fresh data, and routes the query to the running engine or to the
//! inspection service.

use super::action::Action;
use super::messages::Weight;
use super::run_monitor::Phase;
use super::runs::Listed;
use super::services::Services;
use super::state::State;
use std::path::PathBuf;
use std::sync::Arc;
use strata_engine::command::Command;
use strata_engine::inspection::reply::{AnyQuery, Query, Reply};
use strata_engine::inspection::service;
use strata_inspect::augmented::{AugmentRequest, Augmented};
use strata_inspect::filters::{self, Filters};
use strata_inspect::gallery::Gallery;
use strata_inspect::image_set::ImageSet;
use strata_inspect::inspection::{Inspection, Subject};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::statistics::Statistics;

impl State {
    /// The network to inspect: the one in training, or that of the last run; as it was at an earlier step while one is
    /// looked back at.
    pub fn subject(&self) -> Option<Subject> {
        match self.training.phase {
            Phase::Preparing { .. } => return None,
            Phase::Training | Phase::Paused | Phase::Stopping | Phase::Idle | Phase::Ended(_) => {}
        }
        if let Some(earlier) = self.training.earlier_weights() {
            return Some(Subject::Stored(earlier));
        }
        match self.training.phase {
            // What trains elsewhere cannot be asked: its last checkpoint is.
            _ if self.training.is_followed() => {
                let run = self.training.run.clone()?;
                Some(Subject::Stored(run.into()))
            }
            Phase::Training | Phase::Paused => Some(Subject::Live),
            Phase::Preparing { .. } | Phase::Stopping => None,
            Phase::Idle | Phase::Ended(_) => {
                let run = self.stored().cloned()?;
                Some(Subject::Stored(run.into()))
            }
        }
    }

    /// The run that was trained before, if the window shows one.
    fn stored(&self) -> Option<&PathBuf> {
        let ended = matches!(self.training.phase, Phase::Idle | Phase::Ended(_));
        let ended = ended || self.training.is_followed();
        self.training.run.as_ref().filter(|_| ended)
    }

    /// What a view should ask for now: the query, unless it waits already or its reply is still true.
    pub fn request<I: Inspection>(&self, query: Option<Query<I>>) -> Option<Action> {
        let inspections = &self.inspections;
        let query = query?;
        let is_due = !inspections.waits_for(&query)
            && inspections.is_stale(&query, self.training.curves.steps());
        is_due.then(|| Action::Inspect(AnyQuery::new(query)))
    }

    /// A query for the network to inspect; `None` while there is none.
    pub fn run_query<I: Inspection>(&self, request: I::Request) -> Option<Query<I>> {
        let slice = self.inspections.slice;
        Some(Query::new(self.subject()?, request).with_slice(slice))
    }

    /// The latest reply about the network to inspect. While a run starts or ends, its last replies stay.
    pub fn run_reply<I: Inspection>(&self) -> Option<&Arc<Reply<I>>> {
        let subject = self.subject();
        self.inspections.latest().filter(|reply| {
            let of = &reply.query.subject;
            // Of the run as it was at other steps, until the reply of this one comes.
            let is_run = match (of, self.training.at) {
                (Subject::Live, _) => true,
                (Subject::Stored(saved), Some(_)) => Some(&saved.run) == self.training.run.as_ref(),
                _ => false,
            };
            is_run || subject.is_none_or(|subject| subject == *of)
        })
    }

    /// The latest filters: of the run in training or of the one that was opened; or why there are none.
    pub fn filters(&self) -> Option<Result<&Arc<Filters>, String>> {
        let stored = || Some(&self.inspections.reply_to(&self.filters_query()?)?.result);
        match &self.training.filters {
            Some(filters) if !self.view.decoder_filters && self.training.at.is_none() => {
                Some(Ok(filters))
            }
            _ => Some(stored()?.as_ref().map_err(ToString::to_string)),
        }
    }

    /// The query for the filters of a run that was trained before, or for those of the decoder: the first layer's of
    /// a run in training come by themselves.
    pub fn filters_query(&self) -> Option<Query<Filters>> {
        if self.view.decoder_filters {
            return self.run_query(filters::Request::Decoder);
        }
        if self.training.at.is_some() {
            return self.run_query(filters::Request::First);
        }
        let run = self.stored().filter(|_| self.training.filters.is_none())?;
        let weights = Subject::Stored(run.clone().into());
        Some(Query::new(weights, filters::Request::First))
    }

    /// The latest reconstructions, likewise.
    pub fn reconstructions(&self) -> Option<Result<&Arc<Reconstructions>, String>> {
        let stored = || {
            let query = self.reconstructions_query()?;
            Some(&self.inspections.reply_to(&query)?.result)
        };
        match &self.training.reconstructions {
            Some(reconstructions) if self.training.at.is_none() => Some(Ok(reconstructions)),
            _ => Some(stored()?.as_ref().map_err(ToString::to_string)),
        }
    }

    /// The query for the reconstructions of a run that was trained before.
    pub fn reconstructions_query(&self) -> Option<Query<Reconstructions>> {
        if self.training.at.is_some() {
            return self.run_query(None);
        }
        let is_missing = self.training.reconstructions.is_none();
        let run = self.stored().filter(|_| is_missing)?;
        Some(Query::new(Subject::Stored(run.clone().into()), None))
    }

    /// The images of the project as it is edited.
    pub fn image_set(&self) -> Subject {
        let set = ImageSet::new(self.project(), self.base(), self.inspections.files);
        Subject::Images(Box::new(set))
    }

    /// The query for the images that are shown.
    pub fn gallery_query(&self) -> Query<Gallery> {
        let slice = self.inspections.slice;
        Query::new(self.image_set(), self.inspections.gallery).with_slice(slice)
    }

    /// The query for the statistics of the images.
    pub fn statistics_query(&self) -> Query<Statistics> {
        let slice = self.inspections.slice;
        Query::new(self.image_set(), self.inspections.statistics).with_slice(slice)
    }

    /// The query for an image before and after the project's augmentation.
    pub fn augment_query(&self) -> Query<Augmented> {
        let request = AugmentRequest {
            augment: self.project().data.augment.clone(),
            seed: self.project().seed,
            draws: self.inspections.draws,
        };
        Query::new(self.image_set(), request)
    }

    /// The runs that the list should hold.
    pub fn runs_to_list(&self) -> Listed {
        let beside = self
            .training
            .run
            .as_deref()
            .and_then(|run| run.parent())
            .map(|folder| match folder.as_os_str().is_empty() {
                true => PathBuf::from("."),
                false => folder.to_path_buf(),
            });
        let folder = beside.unwrap_or_else(|| self.base().join("runs"));
        let run = (self.training.run.clone(), self.training.is_running());
        Listed {
            folder,
            title: self.project().title.clone(),
            run,
            added: self.runs.added.clone(),
        }
    }

    /// Passes a query on.
    pub(super) fn inspect(&mut self, query: AnyQuery, services: &Services) {
        self.inspections.wait_for(query.clone());
        if *query.subject() == Subject::Live {
            if let Some(live) = self.training.live() {
                live.ask(query);
                self.training.send(Command::RefreshInspections);
            }
            return;
        }
        if self.inspections.service.is_none() {
            let wake = services.wake.clone();
            match service::start(self.device.clone(), move || wake()) {
                Ok(service) => self.inspections.service = Some(service),
                Err(error) => {
                    let text = format!(
                        "no thread could be started to look at this: {error}; close other programs"
                    );
                    return self.messages.add(Weight::Error, text);
                }
            }
        }
        if let Some(service) = &self.inspections.service {
            // The thread ends only with the window.
            service.queries.send(query).ok();
        }
    }
}
