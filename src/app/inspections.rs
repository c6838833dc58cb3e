//! Queries that wait and the latest replies of all inspections.
//!
//! A view asks when it is drawn and has no reply, or a stale one; so nothing is computed for a view
//! that is hidden. A run in training replies itself; saved runs and images are for the service.

use super::kernels::KernelSettings;
use std::any::TypeId;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use strata_engine::benchmark::LayerTimes;
use strata_engine::inspection::live::LiveResults;
use strata_engine::inspection::reply::{AnyQuery, AnyReply, InspectionError, Query, Reply};
use strata_engine::inspection::service::{Service, Working};
use strata_inspect::inspection::{Inspection, Slice, Subject};
use strata_inspect::{augmented, effective_field, gallery, saliency, statistics};

/// Queries that wait and the latest replies; and how the views that ask are set.
#[derive(Debug, Default)]
pub struct Inspections {
    /// For what is not in training; started with the first query.
    pub(super) service: Option<Service>,
    waiting: HashMap<TypeId, AnyQuery>,
    /// Since when the service has had something to reply to.
    busy_since: Option<Instant>,
    latest: HashMap<TypeId, AnyReply>,
    /// Replies that came together and are shown one after the other.
    arrived: VecDeque<AnyReply>,
    /// How often the images' files have changed.
    pub(super) files: u64,
    /// What saliency is shown of.
    pub saliency: saliency::Request,
    /// The position whose receptive field is shown.
    pub cell: Option<effective_field::Request>,
    /// Which images are shown.
    pub gallery: gallery::Request,
    /// Which slice of volumes is shown; `None` for the middle one.
    pub slice: Slice,
    /// How many images the statistics are of.
    pub statistics: statistics::Request,
    /// Which image is augmented, and which draws are shown.
    pub draws: augmented::Request,
    /// How the playground for kernels is set.
    pub kernels: KernelSettings,
}

impl Inspections {
    /// The latest reply of a kind, with its query.
    pub fn latest<I: Inspection>(&self) -> Option<&Arc<Reply<I>>> {
        self.latest.get(&TypeId::of::<I>())?.get()
    }

    /// The latest output of a kind.
    pub fn output<I: Inspection>(&self) -> Option<&Arc<I>> {
        self.latest()?.result.as_ref().ok()
    }

    /// The latest reply, if it is to this query.
    pub fn reply_to<I: Inspection>(&self, query: &Query<I>) -> Option<&Arc<Reply<I>>> {
        self.latest().filter(|reply| reply.query == *query)
    }

    /// The latest reply, until the same is asked of another subject.
    pub fn shown_for<I: Inspection>(&self, query: &Query<I>) -> Option<&Arc<Reply<I>>> {
        let is_of_it =
            |reply: &&Arc<Reply<I>>| reply.query.subject == query.subject || !self.waits_for(query);
        self.latest().filter(is_of_it)
    }

    /// Whether this very query waits for its reply.
    pub fn waits_for<I: Inspection>(&self, query: &Query<I>) -> bool {
        let waiting = self.waiting.get(&TypeId::of::<I>());
        waiting.and_then(AnyQuery::get) == Some(query)
    }

    /// Whether something that was asked for waits for its reply.
    pub fn are_asked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is no reply to this query, or one that the run in training is `steps` beyond.
    pub(crate) fn is_stale<I: Inspection>(&self, query: &Query<I>, steps: u64) -> bool {
        let Some(reply) = self.reply_to(query) else {
            return true;
        };
        let step = reply.result.as_ref().ok().and_then(|output| output.step());
        query.subject == Subject::Live && step.is_some_and(|step| step < steps)
    }

    /// Remembers that a query waits.
    pub(super) fn wait_for(&mut self, query: AnyQuery) {
        self.waiting.insert(query.kind(), query);
        self.note_work();
    }

    /// Notes since when the service has been busy. A run in training replies between its steps.
    fn note_work(&mut self) {
        let mut subjects = self.waiting.values().map(AnyQuery::subject);
        let is_busy = subjects.any(|subject| *subject != Subject::Live);
        self.busy_since = match (is_busy, self.busy_since) {
            (false, _) => None,
            (true, None) => Some(Instant::now()),
            (true, since) => since,
        };
    }

    /// How long views have waited for what is computed for them.
    pub fn busy_for(&self) -> Option<Duration> {
        self.busy_since.map(|since| since.elapsed())
    }

    /// Whether more has come than was taken for this frame.
    pub fn have_more(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// Takes what the run in training and the service replied: one reply a frame, since each makes its view lay out and
    /// upload new pictures.
    pub(super) fn drain(&mut self, live: Option<&LiveResults>) {
        let live = live.map(LiveResults::take_replies).unwrap_or_default();
        let service = self.service.as_ref();
        let service: Vec<_> =
            service.map_or_else(Vec::new, |service| service.replies.try_iter().collect());
        for reply in live.into_iter().chain(service) {
            self.arrived.retain(|older| older.kind() != reply.kind());
            self.arrived.push_back(reply);
        }
        if let Some(reply) = self.arrived.pop_front() {
            self.take(reply);
        }
        self.note_work();
    }

    fn take(&mut self, reply: AnyReply) {
        // A reply to a query that was taken back is better than none, but its asker still waits.
        if self.waiting.get(&reply.kind()) == Some(reply.query()) {
            self.waiting.remove(&reply.kind());
        }
        self.log_failure(&reply);
        self.latest.insert(reply.kind(), reply);
    }

    /// A failure is shown in place of an output; a run in training may repeat it for every request.
    fn log_failure(&self, reply: &AnyReply) {
        let last = self.latest.get(&reply.kind()).and_then(AnyReply::error);
        match reply.error() {
            None | Some(InspectionError::Cancelled) => {}
            Some(error) if last == Some(error) => {}
            Some(error) => log::warn!("an inspection failed: {error}"),
        }
    }

    /// Forgets all that was asked of such a subject.
    fn forget(&mut self, is_meant: impl Fn(&Subject) -> bool) {
        self.waiting.retain(|_, query| !is_meant(query.subject()));
        self.latest
            .retain(|_, reply| !is_meant(reply.query().subject()));
        self.arrived
            .retain(|reply| !is_meant(reply.query().subject()));
        self.note_work();
    }

    /// Forgets what was seen of the former run.
    pub(super) fn forget_run(&mut self) {
        self.forget(Subject::is_run);
    }

    /// Forgets the images: their files have changed.
    pub(super) fn forget_data(&mut self) {
        self.files += 1;
        self.forget(|subject| matches!(subject, Subject::Images(_)));
    }

    /// Forgets failures, so that what failed or was cancelled is read again.
    pub(super) fn read_again(&mut self) {
        self.files += 1;
        self.gallery.part = self.gallery.part.numbered(0);
        self.latest.retain(|_, reply| reply.error().is_none());
    }

    /// Forgets what was chosen of the former project's images.
    pub(super) fn forget_choices(&mut self) {
        self.gallery = gallery::Request::default();
        self.slice = None;
        self.saliency = saliency::Request::default();
    }

    /// What the service works on for a view, and how far that has come.
    pub fn progress(&self) -> Option<Arc<Working>> {
        self.service.as_ref()?.progress.latest()
    }

    /// Ends the measuring of layers: a training needs the processor.
    pub(super) fn stop_measuring(&self) {
        if self.waiting.contains_key(&TypeId::of::<LayerTimes>()) {
            self.cancel();
        }
    }

    /// Ends the reading of images.
    pub(super) fn cancel(&self) {
        if let Some(service) = &self.service {
            service.cancel.store(true, Relaxed);
        }
    }
}
