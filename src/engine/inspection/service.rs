//! The inspection service for saved runs and images: one thread a window.
//!
//! Of each kind only the newest query is kept; a newer one ends the reading of images for an older
//! one. What was opened stays open for the next query. Failures are replies like others.

use super::reply::{AnyQuery, AnyReply, InspectionError, Queue};
use crate::error::RunError;
use crate::run::thread_priority;
use crate::slot::Slot;
use crate::storage::saved_run::{self, SavedRun};
use crate::storage::snapshots;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::any::TypeId;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use strata_data::{DataError, Dataset, Progress};
use strata_inspect::image_set::ImageSet;
use strata_inspect::inspection::{InspectionContext, Needs, SavedWeights, Subject};
use strata_inspect::inspector::Inspector;

/// The other end of the thread. Dropping it ends the thread after the reply in work.
#[derive(Debug)]
pub struct Service {
    /// Queries.
    pub queries: Sender<AnyQuery>,
    /// Replies; a query that a newer one of its kind replaced gets none.
    pub replies: Receiver<AnyReply>,
    /// How far the work on a query has come; empty while nothing is worked on.
    pub progress: Arc<Slot<Working>>,
    /// Set to end the reading of images; the reply then says so.
    pub cancel: Arc<AtomicBool>,
}

/// A query in work.
#[derive(Clone, Debug)]
pub struct Working {
    /// The kind of the query.
    pub kind: TypeId,
    /// How far it has come.
    pub progress: Progress,
}

/// Starts the thread. `wake` is called after every reply, and while images are read.
pub fn start(device: Option<String>, wake: impl Fn() + Send + 'static) -> std::io::Result<Service> {
    let (queries, received) = unbounded();
    let (sender, replies) = unbounded();
    let progress = Arc::<Slot<Working>>::default();
    let cancel = Arc::<AtomicBool>::default();
    let inbox = Inbox {
        received,
        waiting: RefCell::default(),
        progress: progress.clone(),
        cancel: cancel.clone(),
        wake: Box::new(wake),
    };
    let thread = std::thread::Builder::new().name("strata-inspect".to_owned());
    thread.spawn(move || {
        thread_priority::lower_priority();
        let worker = Worker {
            inbox: &inbox,
            device,
            run: None,
            images: None,
            inspector: Inspector::default(),
        };
        serve(&inbox, worker, &sender);
    })?;
    Ok(Service {
        queries,
        replies,
        progress,
        cancel,
    })
}

fn serve(inbox: &Inbox, mut worker: Worker<'_>, replies: &Sender<AnyReply>) {
    while let Some(query) = inbox.next() {
        // What a panic leaves half done is dropped with it.
        let reply = catch_unwind(AssertUnwindSafe(|| worker.reply(&query))).unwrap_or_else(|_| {
            worker.close();
            query.refuse(InspectionError::Defect)
        });
        inbox.progress.take();
        let was_replaced =
            reply.error() == Some(&InspectionError::Cancelled) && inbox.is_replaced(&query);
        let cancelled = inbox.cancelled_with(&query);
        let refused = cancelled
            .iter()
            .map(|query| query.refuse(InspectionError::Cancelled));
        let reply = (!was_replaced).then_some(reply);
        if reply
            .into_iter()
            .chain(refused)
            .any(|reply| replies.send(reply).is_err())
        {
            return;
        }
        (inbox.wake)();
    }
}

/// Queries that wait, and what is said while one is worked on.
struct Inbox {
    received: Receiver<AnyQuery>,
    waiting: RefCell<Queue>,
    progress: Arc<Slot<Working>>,
    cancel: Arc<AtomicBool>,
    wake: Box<dyn Fn() + Send>,
}

/// Between two reports of progress.
const REPORT: Duration = Duration::from_millis(100);

impl Inbox {
    /// The next query; `None` when the window has closed.
    fn next(&self) -> Option<AnyQuery> {
        self.receive();
        let waits = self.waiting.borrow_mut().pop();
        let query = match waits {
            Some(query) => query,
            None => {
                let first = self.received.recv().ok()?;
                self.waiting.borrow_mut().push(first);
                self.receive();
                self.waiting.borrow_mut().pop()?
            }
        };
        // A cancel that came too late is not meant for the next query.
        self.cancel.store(false, Relaxed);
        Some(query)
    }

    fn receive(&self) {
        let mut waiting = self.waiting.borrow_mut();
        self.received
            .try_iter()
            .for_each(|query| waiting.push(query));
    }

    /// Queries that wait for the images whose reading was just cancelled.
    fn cancelled_with(&self, query: &AnyQuery) -> Vec<AnyQuery> {
        let reads_run = |query: &AnyQuery| query.needs() == Needs::RunWithImages;
        if !reads_run(query) || !self.cancel.swap(false, Relaxed) {
            return Vec::new();
        }
        self.receive();
        let is_same = |other: &AnyQuery| reads_run(other) && other.subject() == query.subject();
        self.waiting.borrow_mut().drain_if(is_same)
    }

    /// Whether a newer query of this kind waits.
    fn is_replaced(&self, query: &AnyQuery) -> bool {
        self.receive();
        self.waiting.borrow().has(query.kind())
    }

    /// Takes how far reading has come; false when the reply is not wanted any more.
    fn monitor<'a>(&'a self, query: &'a AnyQuery) -> impl FnMut(Option<Progress>) -> bool + 'a {
        let mut due = Instant::now();
        move |progress| {
            if let Some(progress) = progress.filter(|_| Instant::now() >= due) {
                due = Instant::now() + REPORT;
                let kind = query.kind();
                self.progress.put(Working { kind, progress });
                (self.wake)();
            }
            !self.cancel.load(Relaxed) && !self.is_replaced(query)
        }
    }
}

/// A run that is open.
struct OpenRun {
    path: PathBuf,
    /// When its last checkpoint was written.
    written: u64,
    /// The checkpoint whose weights it has.
    checkpoint: String,
    saved: SavedRun,
}

/// What is open.
struct Worker<'a> {
    inbox: &'a Inbox,
    device: Option<String>,
    run: Option<OpenRun>,
    images: Option<(ImageSet, Dataset)>,
    inspector: Inspector,
}

impl Worker<'_> {
    fn close(&mut self) {
        self.run = None;
        self.images = None;
        self.inspector = Inspector::default();
    }

    fn reply(&mut self, query: &AnyQuery) -> AnyReply {
        let reply = match query.subject().clone() {
            Subject::Stored(saved) if query.needs() == Needs::Run => {
                let work = |cx: InspectionContext<'_>| Ok(query.compute(cx));
                let of = |checkpoint: &str| {
                    saved_run::with_weights(&saved.run, checkpoint, self.device.as_deref(), work)
                };
                let now = of(&checkpoint_of(&saved));
                match saved.since.map(snapshots::name) {
                    None => now,
                    Some(earlier) => now.and_then(|now| Ok(query.change(now, &of(&earlier)?))),
                }
            }
            Subject::Stored(saved) => self.of_run(query, &saved),
            Subject::Images(set) => self.of_images(query, &set),
            Subject::Nothing => Ok(self.of_request(query)),
            Subject::Live => Err(RunError::Input(
                "the run in training is asked itself".to_owned(),
            )),
        };
        reply.unwrap_or_else(|error| query.refuse(error.into()))
    }

    /// The run with the weights that are meant. It is opened again when its last checkpoint has changed, but for
    /// looking back, which that does not change.
    fn of_run(&mut self, query: &AnyQuery, weights: &SavedWeights) -> Result<AnyReply, RunError> {
        let mut monitor = self.inbox.monitor(query);
        let (run, checkpoint) = (weights.run.as_path(), checkpoint_of(weights));
        let now = changed(run);
        let is_true =
            |open: &OpenRun| open.path == run && (open.written == now || weights.step.is_some());
        let open = match self.run.take().filter(is_true) {
            Some(mut open) => {
                if open.checkpoint != checkpoint {
                    open.saved.load(run, &checkpoint)?;
                    open.checkpoint = checkpoint;
                }
                open
            }
            None => {
                let device = self.device.as_deref();
                let mut progress = |progress| monitor(Some(progress));
                let saved = SavedRun::open(run, &checkpoint, device, &mut progress)?;
                OpenRun {
                    path: run.to_owned(),
                    written: now,
                    checkpoint,
                    saved,
                }
            }
        };
        let open = self.run.insert(open);
        let now = open
            .saved
            .with_context(&mut monitor, |cx| query.compute(cx));
        let Some(earlier) = weights.since.map(snapshots::name) else {
            return Ok(now);
        };
        open.saved.load(run, &earlier)?;
        open.checkpoint = earlier;
        let earlier = open
            .saved
            .with_context(&mut monitor, |cx| query.compute(cx));
        Ok(query.change(now, &earlier))
    }

    fn of_images(&mut self, query: &AnyQuery, set: &ImageSet) -> Result<AnyReply, RunError> {
        let mut monitor = self.inbox.monitor(query);
        let open = self.images.take().filter(|(of, _)| of == set);
        let open = match open {
            Some(open) => open,
            None => {
                // What was kept is of other images.
                self.inspector = Inspector::default();
                (set.clone(), open_images(set, &mut monitor)?)
            }
        };
        let images = &self.images.insert(open).1;
        Ok(query.compute(InspectionContext {
            run: None,
            images: Some(images),
            slice: None,
            inspector: &mut self.inspector,
            deadline: None,
            monitor: &mut monitor,
        }))
    }

    fn of_request(&mut self, query: &AnyQuery) -> AnyReply {
        query.compute(InspectionContext {
            run: None,
            images: None,
            slice: None,
            inspector: &mut self.inspector,
            deadline: None,
            monitor: &mut self.inbox.monitor(query),
        })
    }
}

fn open_images(
    set: &ImageSet,
    monitor: &mut dyn FnMut(Option<Progress>) -> bool,
) -> Result<Dataset, DataError> {
    let mut progress = |progress| monitor(Some(progress));
    let channels = Some(set.channels);
    Dataset::open_as(&set.spec, channels, set.seed, &set.base, &mut progress)
}

/// The name of the checkpoint that has these weights.
fn checkpoint_of(weights: &SavedWeights) -> String {
    weights
        .step
        .map_or_else(|| "last".to_owned(), snapshots::name)
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
