//! A sweep on a thread of its own, as the window uses it.

use super::folder::SweepFolder;
use super::pace::Pace;
use super::plan::Plan;
use super::table::Table;
use super::work::{News, Options, Stop, work};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use strata_engine::event::StepReport;
use strata_engine::run::thread_priority::lower_priority;

/// What is known of a sweep on its way.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The newest table.
    pub table: Option<Arc<Table>>,
    /// How many trials are trained at once, once that was measured.
    pub pace: Option<Pace>,
    /// The round of the Bayesian search that is trained.
    pub round: Option<usize>,
    /// The runs in training: the epochs of each, and its last step.
    pub training: BTreeMap<String, (u32, Option<StepReport>)>,
    /// Runs of other processes that it waits for.
    pub waiting: usize,
}

/// A sweep on its way. Dropping it ends it.
#[derive(Debug)]
pub struct SweepTask {
    /// Its folder.
    pub folder: PathBuf,
    live: Arc<Mutex<Live>>,
    stop: Arc<Stop>,
    ended: Receiver<Result<Table, String>>,
}

impl SweepTask {
    /// Starts, or goes on. `wake` is called when there is something new.
    pub fn start(
        folder: SweepFolder,
        plan: Plan,
        options: Options,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<SweepTask> {
        let (sender, ended) = bounded(1);
        let live = Arc::<Mutex<Live>>::default();
        let stop = Arc::<Stop>::default();
        let path = folder.path().to_owned();
        let (shared, asked) = (Arc::clone(&live), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("strata-sweeps".to_owned());
        thread.spawn(move || {
            lower_priority();
            let tell = |news: News| {
                note(
                    &mut shared.lock().unwrap_or_else(PoisonError::into_inner),
                    news,
                );
                wake();
            };
            let table = work(&plan, &folder, &options, &asked, &tell);
            // Who stopped it may be gone.
            sender.send(table.map_err(|error| error.in_window())).ok();
            wake();
        })?;
        Ok(SweepTask {
            folder: path,
            live,
            stop,
            ended,
        })
    }

    /// What is known of it now.
    pub fn live(&self) -> Live {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends it: its runs leave a checkpoint.
    pub fn stop(&self) {
        self.stop.ask();
    }

    /// Whether it was stopped and its runs have yet to notice.
    pub fn is_ending(&self) -> bool {
        self.stop.is_asked()
    }

    /// The table it ended with, or why it could not go on; once.
    pub fn ended(&self) -> Option<Result<Table, String>> {
        match self.ended.try_recv() {
            Ok(ended) => Some(ended),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(
                "a defect in Strata ended the sweep; please report it".to_owned(),
            )),
        }
    }
}

impl Drop for SweepTask {
    fn drop(&mut self) {
        self.stop();
    }
}

fn note(live: &mut Live, news: News) {
    match news {
        News::Began(pace) => live.pace = Some(pace),
        News::Chosen { round, .. } => live.round = Some(round),
        News::Started { run, epochs, .. } => {
            live.waiting = 0;
            live.training.insert(run, (epochs, None));
        }
        News::Step { run, report } => {
            if let Some((_, last)) = live.training.get_mut(&run) {
                *last = Some(report);
            }
        }
        News::Ended { run } => {
            live.training.remove(&run);
        }
        News::Waiting(others) => live.waiting = others,
        News::Table(table) => live.table = Some(Arc::from(table)),
    }
}

/// What the folder of a sweep has: its plan and its newest table.
pub fn open(path: &Path) -> Result<(SweepFolder, Plan, Table), String> {
    let opened = || {
        let folder = SweepFolder::open(path)?;
        let plan = folder.plan()?;
        let table = match Table::read(path) {
            Ok(table) => table,
            Err(_) => Table::make(&plan, &folder)?,
        };
        Ok::<_, super::SweepError>((folder, plan, table))
    };
    opened().map_err(|error| error.in_window())
}
