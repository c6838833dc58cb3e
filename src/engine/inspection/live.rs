//! What a run publishes while it trains, and what is requested of it.

use super::live_previews;
use super::reply::{AnyQuery, AnyReply, Queue, Reply};
use crate::run::session::Session;
use crate::slot::Slot;
use std::any::TypeId;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use strata_inspect::filters::Filters;
use strata_inspect::inspection::{InspectedRun, Inspection, InspectionContext};
use strata_inspect::reconstructions::Reconstructions;

/// What a run in training publishes: the newest previews, and replies to queries.
#[derive(Debug, Default)]
pub struct LiveResults {
    /// Probe images and what the network makes of them.
    pub reconstructions: Slot<Reconstructions>,
    /// The first layer's filters.
    pub filters: Slot<Filters>,
    /// What the reader wants to see; computed once each with the next previews.
    queries: Mutex<Queue>,
    replies: Mutex<Vec<AnyReply>>,
}

impl LiveResults {
    /// Asks the run; an older query of the same kind goes.
    pub fn ask(&self, query: AnyQuery) {
        lock(&self.queries).push(query);
    }

    /// The query of this kind that waits, taken out.
    pub fn take_query<I: Inspection>(&self) -> Option<AnyQuery> {
        lock(&self.queries).take(TypeId::of::<I>())
    }

    /// Whether a query of this kind waits.
    pub fn is_asked<I: Inspection>(&self) -> bool {
        lock(&self.queries).has(TypeId::of::<I>())
    }

    /// Publishes a reply; one of its kind that was not read goes.
    pub fn put<I: Inspection>(&self, reply: Reply<I>) {
        self.put_any(AnyReply::new(reply));
    }

    /// Takes all replies out.
    pub fn take_replies(&self) -> Vec<AnyReply> {
        std::mem::take(&mut *lock(&self.replies))
    }

    fn put_any(&self, reply: AnyReply) {
        let mut replies = lock(&self.replies);
        replies.retain(|older| older.kind() != reply.kind());
        replies.push(reply);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one push or one take: a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Inspections of the longest kind that a training does one after the other.
const AT_ONCE: u32 = 4;

/// Computes what the reader asked for.
pub(crate) fn reply_to_queries(session: &mut Session<'_>) {
    let Some(stage) = session.project.stages.get(session.position.stage) else {
        return;
    };
    let stages = [stage.clone()];
    let waits = session.control.must_wait();
    let longest = match waits {
        true => live_previews::LONGEST_PAUSED,
        false => live_previews::LONGEST,
    };
    let live = session.live;
    let start = Instant::now();
    // What many views ask comes in parts, so that no step of the training and no frame waits for all of it.
    while waits || start.elapsed() < AT_ONCE * longest {
        // Bound here, so that the reader does not wait for the computation.
        let query = lock(&live.queries).pop();
        let Some(query) = query else { return };
        live.put_any(query.compute(InspectionContext {
            run: Some(InspectedRun {
                network: &mut session.network,
                inference: &session.inference,
                stages: &stages,
                seed: session.project.seed,
                step: session.position.step,
                device: &session.device,
            }),
            images: Some(&session.dataset),
            slice: None,
            inspector: &mut session.inspector,
            deadline: Some(Instant::now() + longest),
            monitor: &mut |_| true,
        }));
    }
}
