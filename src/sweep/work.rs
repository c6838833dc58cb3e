//! Trains what is due until nothing is: on one thread or several side by side, beside other processes in the same folder.

use super::SweepError;
use super::bayesian;
use super::folder::{Claim, SweepFolder};
use super::pace::Pace;
use super::plan::Plan;
use super::progress::{RunProgress, can_resume};
use super::schedule::{Due, schedule};
use super::shard::Shard;
use super::table::{Table, standings};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use strata_core::project::Project;
use strata_engine::command::{Command, Until};
use strata_engine::event::{Event, Outcome, StepReport};
use strata_engine::inspection::live::LiveResults;
use strata_engine::run::thread_priority::lower_priority;
use strata_engine::storage::record::{RunRecord, Status};
use strata_engine::thread::{RunOptions, guarded};

/// Between two looks at what other processes have done.
const LOOK: Duration = Duration::from_millis(500);
/// Between two steps of a run that are told.
const TELL: Duration = Duration::from_millis(100);
/// As the thread of a command: networks may be deeply nested.
const STACK: usize = 64 << 20;

/// How a sweep is trained.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to compute; by default as a run alone would.
    pub device: Option<String>,
    /// Trials side by side; by default as many as are fastest.
    pub jobs: Option<usize>,
    /// The part of the runs to train.
    pub shard: Option<Shard>,
    /// Goes on with runs that have failed, too.
    pub retry: bool,
    /// Keeps weights of earlier steps in the runs, to look back at.
    pub snapshots: bool,
    /// Steps back before a window.
    pub is_background: bool,
}

/// What happens to a sweep, as it is told.
#[derive(Clone, Debug)]
pub enum News {
    /// The work begins, so many trials at once.
    Began(Pace),
    /// The Bayesian search has chosen trials from what the others have reached.
    Chosen {
        /// Which time, from 1.
        round: usize,
        /// How many.
        trials: usize,
    },
    /// A run begins or goes on.
    Started {
        /// Its name.
        run: String,
        /// Epochs of all its stages.
        epochs: u32,
        /// Whether it was begun before.
        is_resumed: bool,
    },
    /// A step of a run, now and then.
    Step {
        /// The run's name.
        run: String,
        /// The step.
        report: StepReport,
    },
    /// A run has stopped, for now or for ever.
    Ended {
        /// Its name.
        run: String,
    },
    /// So many runs are trained by other processes, for which this one waits.
    Waiting(usize),
    /// All trials, whenever one has ended.
    Table(Box<Table>),
}

/// Takes news of a sweep, on any of its threads.
pub type Tell<'a> = &'a (dyn Fn(News) + Sync);

/// Ends a sweep from outside: its runs leave a checkpoint and stop.
#[derive(Debug, Default)]
pub struct Stop {
    is_asked: AtomicBool,
    running: Mutex<Vec<(String, Sender<Command>)>>,
}

impl Stop {
    /// Ends it after the steps that are being taken.
    pub fn ask(&self) {
        self.is_asked.store(true, SeqCst);
        for (_, run) in locked(&self.running).iter() {
            // A run that has just ended takes no command.
            run.send(Command::Stop).ok();
        }
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.is_asked.load(SeqCst)
    }

    fn begin(&self, run: &str) -> Receiver<Command> {
        let (sender, receiver) = unbounded();
        locked(&self.running).push((run.to_owned(), sender.clone()));
        if self.is_asked() {
            sender.send(Command::Stop).ok();
        }
        receiver
    }

    fn end(&self, run: &str) {
        locked(&self.running).retain(|(name, _)| name != run);
    }
}

/// Trains all that is due, and gives the table of all trials.
pub fn work(
    plan: &Plan,
    folder: &SweepFolder,
    options: &Options,
    stop: &Stop,
    tell: Tell<'_>,
) -> Result<Table, SweepError> {
    if let Some(shard) = options.shard {
        shard.check(plan.sweep.method)?;
    }
    folder.clean();
    let state = State {
        plan: Arc::new(plan.clone()),
        standings: Vec::new(),
        training: BTreeSet::new(),
    };
    let work = Work {
        seeds: &plan.seeds,
        folder,
        options,
        stop,
        tell,
        state: Mutex::new(state),
        error: Mutex::default(),
    };
    work.give_another_chance()?;
    locked(&work.state).standings = standings(plan, folder);
    tell(News::Table(Box::new(Table::make(plan, folder)?)));
    let left = work.due(&locked(&work.state)).len();
    // The rounds that follow have as many at once as they are large.
    let later = plan.round_size().min(plan.to_choose()) * plan.seeds.len();
    let left = left.max(later);
    let pace = match options.jobs {
        _ if left == 0 => Pace::of(1),
        Some(jobs) => Pace::of(jobs.min(left).max(1)),
        None => Pace::fastest(plan, left, options.device.as_deref()),
    };
    tell(News::Began(pace));
    work.on_threads(pace)?;
    let failed = locked(&work.error).take();
    match failed {
        Some(error) => Err(error),
        None => Table::make(&work.plan(), folder),
    }
}

/// The work in progress.
struct Work<'a> {
    seeds: &'a [u64],
    folder: &'a SweepFolder,
    options: &'a Options,
    stop: &'a Stop,
    tell: Tell<'a>,
    state: Mutex<State>,
    /// What ended it before its time.
    error: Mutex<Option<SweepError>>,
}

/// What this process knows of all runs.
struct State {
    /// The trials, more of them from round to round where they are chosen from what others have reached.
    plan: Arc<Plan>,
    standings: Vec<Vec<RunProgress>>,
    /// The runs that it trains, by the places of trial and seed.
    training: BTreeSet<(usize, usize)>,
}

/// What a thread does next.
enum Next {
    Train(Due, Claim),
    /// There are more trials than before.
    Chosen {
        round: usize,
        trials: usize,
    },
    /// So many runs are on their way elsewhere; what follows depends on them.
    Wait(usize),
    End,
}

impl Work<'_> {
    /// Runs that could not begin, or that failed and are wanted again, are tried once more.
    fn give_another_chance(&self) -> Result<(), SweepError> {
        let plan = self.plan();
        for (trial, row) in plan.trials.iter().enumerate() {
            for (seed, number) in self.seeds.iter().enumerate() {
                if !self.is_mine(trial, seed) {
                    continue;
                }
                let name = plan.run_name(row.number, *number);
                self.folder.forget_refusal(&name);
                let run = self.folder.run(&name);
                if self.options.retry
                    && let Ok(record) = RunRecord::read(&run)
                    && record.status == Status::Failed
                {
                    let again = RunRecord {
                        status: Status::Stopped,
                        message: None,
                        ..record
                    };
                    again
                        .write(&run)
                        .map_err(|reason| SweepError::write(&run, reason))?;
                }
            }
        }
        Ok(())
    }

    fn is_mine(&self, trial: usize, seed: usize) -> bool {
        let shard = self.options.shard;
        shard.is_none_or(|shard| shard.holds(trial, seed, self.seeds.len()))
    }

    /// The trials as they are now.
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&locked(&self.state).plan)
    }

    /// What this process has to see trained.
    fn due(&self, state: &State) -> Vec<Due> {
        let mut due = schedule(&state.plan, &state.standings).due;
        due.retain(|due| self.is_mine(due.trial, due.seed));
        due
    }

    fn on_threads(&self, pace: Pace) -> Result<(), SweepError> {
        std::thread::scope(|scope| {
            for _ in 0..pace.jobs {
                let thread = std::thread::Builder::new()
                    .name("strata-sweep".to_owned())
                    .stack_size(STACK);
                let spawned = thread.spawn_scoped(scope, || self.on_thread(pace));
                spawned.map_err(|reason| SweepError::write(self.folder.path(), reason))?;
            }
            Ok(())
        })
    }

    fn on_thread(&self, pace: Pace) {
        if self.options.is_background {
            lower_priority();
        }
        let pool = pace.pool(self.options.is_background);
        loop {
            let ended = match self.next() {
                Ok(Next::Train(due, claim)) => {
                    let trained = match &pool {
                        Some(pool) => pool.install(|| self.train(due, pace)),
                        None => self.train(due, pace),
                    };
                    drop(claim);
                    locked(&self.state).training.remove(&(due.trial, due.seed));
                    trained.and_then(|()| self.tell_table())
                }
                Ok(Next::Chosen { round, trials }) => {
                    (self.tell)(News::Chosen { round, trials });
                    self.tell_table()
                }
                Ok(Next::Wait(others)) => {
                    if others > 0 {
                        (self.tell)(News::Waiting(others));
                    }
                    std::thread::sleep(LOOK);
                    continue;
                }
                Ok(Next::End) => return,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                self.stop.ask();
                locked(&self.error).get_or_insert(error);
                return;
            }
        }
    }

    /// The next run that nobody else trains.
    fn next(&self) -> Result<Next, SweepError> {
        let mut state = locked(&self.state);
        if self.stop.is_asked() {
            return Ok(Next::End);
        }
        self.look(&mut state);
        let due = self.due(&state);
        for &next in &due {
            let key = (next.trial, next.seed);
            if state.training.contains(&key) {
                continue;
            }
            let name = self.name(&state.plan, next);
            let Some(claim) = self.folder.claim(&name)? else {
                continue;
            };
            // Another process may have trained it between the look and the claim.
            let progress = RunProgress::read(self.folder, &name);
            let is_reached = next
                .until
                .is_some_and(|epochs| progress.has_reached(epochs));
            if progress.is_over() || is_reached {
                state.standings[next.trial][next.seed] = progress;
                continue;
            }
            state.training.insert(key);
            return Ok(Next::Train(next, claim));
        }
        if due.is_empty() {
            return self.next_round(&mut state);
        }
        let is_elsewhere = |due: &&Due| !state.training.contains(&(due.trial, due.seed));
        Ok(Next::Wait(due.iter().filter(is_elsewhere).count()))
    }

    /// When all trials are over: those that are chosen from what they have reached, or the end.
    fn next_round(&self, state: &mut State) -> Result<Next, SweepError> {
        let former = Arc::clone(&state.plan);
        if former.to_choose() == 0 {
            return Ok(Next::End);
        }
        let choose = || bayesian::next_round(&former, &state.standings);
        let plan = self.folder.with_next_round(&former, choose)?;
        let place = former.trials.len();
        let trials = plan.trials.len() - place;
        let seeds = self.seeds.len();
        state
            .standings
            .resize(plan.trials.len(), vec![RunProgress::default(); seeds]);
        let round = plan.round_of(plan.trials.len() - 1);
        state.plan = Arc::new(plan);
        Ok(match (trials, round) {
            (0, _) | (_, None) => Next::End,
            (trials, Some(round)) => Next::Chosen { round, trials },
        })
    }

    /// Reads again how far the runs are that are not over.
    fn look(&self, state: &mut State) {
        let State {
            plan, standings, ..
        } = state;
        for (trial, runs) in plan.trials.iter().zip(standings) {
            let open = trial.project.is_ok();
            for (run, &seed) in runs.iter_mut().zip(self.seeds) {
                if open && !run.is_over() {
                    *run = RunProgress::read(self.folder, &plan.run_name(trial.number, seed));
                }
            }
        }
    }

    fn name(&self, plan: &Plan, due: Due) -> String {
        let (trial, seed) = (&plan.trials[due.trial], self.seeds[due.seed]);
        plan.run_name(trial.number, seed)
    }

    /// Trains a run as far as it is due.
    fn train(&self, due: Due, pace: Pace) -> Result<(), SweepError> {
        let plan = self.plan();
        let Ok(project) = &plan.trials[due.trial].project else {
            return Ok(());
        };
        let project = Project {
            seed: self.seeds[due.seed],
            ..project.clone()
        };
        let name = self.name(&plan, due);
        let run = self.begun_elsewhere(&name)?;
        let is_resumed = can_resume(&run);
        (self.tell)(News::Started {
            run: name.clone(),
            epochs: super::plan::epochs(&project),
            is_resumed,
        });
        let options = RunOptions {
            // The project's paths are absolute.
            base: PathBuf::new(),
            run: Some(run.clone()),
            device: self.options.device.clone(),
            loaders: (pace.jobs > 1).then_some(pace.threads),
            resume: is_resumed,
            no_snapshots: !self.options.snapshots,
            until: due.until.map(|epochs| Until {
                step: 0,
                epochs_done: u64::from(epochs),
            }),
            ..RunOptions::default()
        };
        let mut told = Instant::now();
        let mut sink = |event: Event| {
            if let Event::Step(report) = event
                && told.elapsed() >= TELL
            {
                told = Instant::now();
                let run = name.clone();
                (self.tell)(News::Step { run, report });
            }
        };
        let commands = self.stop.begin(&name);
        let live = LiveResults::default();
        let outcome = guarded(&project, &options, &commands, &mut sink, &live);
        self.stop.end(&name);
        self.judge(due, &name, &outcome)?;
        (self.tell)(News::Ended { run: name });
        Ok(())
    }

    /// Notes why a run will not go on, where its own folder does not say it.
    fn judge(&self, due: Due, name: &str, outcome: &Outcome) -> Result<(), SweepError> {
        let progress = RunProgress::read(self.folder, name);
        let why = match (outcome, due.until) {
            (Outcome::Failed(failure), _) if progress.failure().is_none() => {
                failure.message.clone()
            }
            // Somebody stopped it, or its tables cannot be read: begun at once again it would have no end.
            (Outcome::Stopped(_), until)
                if !self.stop.is_asked()
                    && !until.is_some_and(|epochs| progress.has_reached(epochs)) =>
            {
                "it was stopped; the sweep goes on with it when it is started again".to_owned()
            }
            _ => return Ok(()),
        };
        self.folder.refuse(name, &why)
    }

    /// The folder in which a run is trained. One that a merged sweep has begun is taken over with its files, so that it
    /// goes on where it is.
    fn begun_elsewhere(&self, name: &str) -> Result<PathBuf, SweepError> {
        let own = self.folder.run(name);
        let found = RunProgress::read(self.folder, name).folder;
        let Some(other) = found.filter(|found| *found != own && can_resume(found)) else {
            return Ok(own);
        };
        copy(&other, &own).map_err(|reason| SweepError::write(&own, reason))?;
        Ok(own)
    }

    fn tell_table(&self) -> Result<(), SweepError> {
        let table = Table::make(&self.plan(), self.folder)?;
        (self.tell)(News::Table(Box::new(table)));
        Ok(())
    }
}

/// Copies a run's folder.
fn copy(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let into = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &into)?,
            false => std::fs::copy(entry.path(), into).map(|_| ())?,
        }
    }
    Ok(())
}

/// What a panicked thread left is used as it is: each value is replaced whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
