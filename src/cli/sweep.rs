//! `strata sweep`: the trials of a project trained and ranked. Ctrl-C saves a checkpoint of every run and stops; the same
//! command goes on.

use super::args::SweepArgs;
use super::train::INTERRUPTED;
use super::{FAILED, Told, WrongInput, output, progress, source, text};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use strata_core::files::path_in;
use strata_core::format::{count, loss, slug};
use strata_core::signals;
use strata_engine::event::StepReport;
use strata_sweep::effects::{Effect, effects, time_text};
use strata_sweep::emit::Script;
use strata_sweep::folder::is_sweep;
use strata_sweep::pace::Pace;
use strata_sweep::shard::merge;
use strata_sweep::table::TrialRow;
use strata_sweep::work::{News, Options, Stop, work};
use strata_sweep::{Plan, Standing, SweepFolder, Table};

/// Trials that are printed; all of them are in the files.
const MOST_ROWS: usize = 40;

/// Trains what is left, and prints the table.
pub fn run(args: &SweepArgs) -> anyhow::Result<()> {
    if !args.merge.is_empty() {
        let (folder, table) = merge(&args.merge, args.output.as_deref())?;
        return told(args, &folder, &table);
    }
    let name = args.project.as_deref().unwrap_or_default();
    let path = path_in(name);
    let is_folder = is_sweep(&path);
    if is_folder && !args.changes.is_empty() {
        let message = "--set and --unset change a project, not a sweep that was begun: give the project's file";
        return Err(WrongInput(message.to_owned()).into());
    }
    let (project, base) = match is_folder {
        true => (SweepFolder::open(&path)?.project()?, PathBuf::new()),
        false => {
            let source = source::open(name, &args.changes)?;
            (source.project, source.base)
        }
    };
    let plan = Plan::new(&project)?;
    if args.list {
        return output::print(&planned(&plan));
    }
    let into = match (&args.output, is_folder) {
        (Some(output), _) => Some(output.clone()),
        (None, true) => Some(path.clone()),
        (None, false) => None,
    };
    if let Some(engine) = args.emit {
        let usual = || base.join("sweeps").join(slug(&project.title, "sweep"));
        let folder = into.unwrap_or_else(usual);
        let script = Script::new(&plan, &path, &folder, args.shards)?;
        return output::print(script.text(&plan, engine).trim_end());
    }
    let folder = match is_folder && args.output.is_none() {
        true => SweepFolder::open(&path)?,
        false => SweepFolder::create(into.as_deref(), &base, &project)?,
    };
    // With absolute paths, as the folder has it.
    let plan = folder.plan()?;
    trained(args, &plan, &folder)
}

fn trained(args: &SweepArgs, plan: &Plan, folder: &SweepFolder) -> anyhow::Result<()> {
    let options = Options {
        device: args.device.clone(),
        jobs: args.jobs,
        shard: args.shard,
        retry: args.retry,
        snapshots: args.snapshots,
        is_background: false,
    };
    output::say(&format!(
        "{} trials, {} runs in {}",
        count(plan.planned as u64),
        count(plan.runs() as u64),
        folder.path().display()
    ));
    let stop = interrupts();
    let shown = Shown::new();
    let table = work(plan, folder, &options, &stop, &|news| shown.take(news));
    shown.finish();
    let table = table?;
    told(args, folder, &table)?;
    if stop.is_asked() {
        let dir = folder.path().display();
        output::say(&format!("stopped; go on with: strata sweep {dir}"));
        return Err(Told(INTERRUPTED).into());
    }
    if table.count(Standing::Failed) > 0 && table.count(Standing::Completed) == 0 {
        return Err(Told(FAILED).into());
    }
    Ok(())
}

/// Ctrl-C, and a request to end, stop all runs.
fn interrupts() -> Arc<Stop> {
    let stop = Arc::<Stop>::default();
    let asked = Arc::clone(&stop);
    let handler = move || {
        if asked.is_asked() {
            std::process::exit(INTERRUPTED.into());
        }
        asked.ask();
        output::say("\nstopping after this step; Ctrl-C again ends at once, without checkpoints");
    };
    if let Err(error) = signals::on_end_request(handler) {
        output::warn(&[format!(
            "Ctrl-C and kill will end this sweep without checkpoints: {error}"
        )]);
    }
    stop
}

/// What is shown while it trains: a bar, and a line for every run that has ended.
struct Shown {
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    training: BTreeMap<String, (u32, Option<StepReport>)>,
    ended: Vec<String>,
}

impl Shown {
    fn new() -> Shown {
        Shown {
            bar: progress::bar("[{bar:24}] {pos}/{len} {msg}"),
            state: Mutex::default(),
        }
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| output::say(line));
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn take(&self, news: News) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match news {
            News::Began(pace) => self.say(&side_by_side(pace)),
            News::Chosen { round, trials } => self.say(&format!(
                "round {round}: {trials} trials chosen from what the others have reached"
            )),
            News::Started {
                run,
                epochs,
                is_resumed,
            } => {
                if is_resumed {
                    self.say(&format!("{run} goes on"));
                }
                state.training.insert(run, (epochs, None));
            }
            News::Step { run, report } => {
                if let Some((_, last)) = state.training.get_mut(&run) {
                    *last = Some(report);
                }
            }
            News::Ended { run } => {
                state.training.remove(&run);
                state.ended.push(run);
            }
            News::Waiting(others) => {
                let message = format!("waiting for {others} runs of other processes");
                self.bar.set_message(message);
                return;
            }
            News::Table(table) => {
                let runs = || table.trials.iter().flat_map(|row| &row.runs);
                let is_over = |run: &&strata_sweep::table::RunRow| {
                    !matches!(run.standing, Standing::Waiting | Standing::Begun)
                };
                let seeds = table.trials.first().map_or(1, |row| row.runs.len());
                let all = runs().count() + table.to_choose * seeds;
                self.bar.set_length(all as u64);
                self.bar.set_position(runs().filter(is_over).count() as u64);
                for name in state.ended.drain(..) {
                    if let Some(line) = ended_line(&table, &name) {
                        self.say(&line);
                    }
                }
            }
        }
        let in_training = state
            .training
            .iter()
            .map(|(run, (epochs, step))| match step {
                Some(step) => format!(
                    "{run}: epoch {}/{epochs}, loss {}",
                    step.epoch,
                    loss(step.loss)
                ),
                None => run.clone(),
            });
        self.bar
            .set_message(in_training.collect::<Vec<_>>().join("; "));
    }
}

fn side_by_side(pace: Pace) -> String {
    match (pace.jobs, pace.gain) {
        (1, _) => "one trial after the other, with all threads".to_owned(),
        (jobs, Some(gain)) => format!(
            "{jobs} trials side by side: {gain:.1} times as many steps as one after the other, measured here"
        ),
        (jobs, None) => format!("{jobs} trials side by side"),
    }
}

/// `trial-7-seed-42: 5, 0.9: valid accuracy 97.20 % in 12 s`
fn ended_line(table: &Table, name: &str) -> Option<String> {
    let with_run = |row: &TrialRow| row.runs.iter().find(|run| run.name == name).cloned();
    let (row, run) = table
        .trials
        .iter()
        .find_map(|row| Some((row, with_run(row)?)))?;
    let values = row.values.join(", ");
    let reached = match (run.standing, run.value, run.reason) {
        (Standing::Failed, _, Some(why)) => format!("failed: {why}"),
        (standing, Some(value), _) => format!(
            "{} {} in {}, {}",
            table.metric.name(),
            table.value_text(value),
            time_text(run.seconds.unwrap_or(0.0)),
            standing.word()
        ),
        (standing, None, _) => standing.word().to_owned(),
    };
    Some(format!("{name} ({values}): {reached}"))
}

/// What a sweep came to.
fn told(args: &SweepArgs, folder: &SweepFolder, table: &Table) -> anyhow::Result<()> {
    if args.json {
        return output::print_json(table);
    }
    let mut lines = vec![as_text(table)];
    lines.extend(
        effects(table)
            .iter()
            .filter_map(|effect| effect_line(table, effect)),
    );
    let standings = [
        Standing::Completed,
        Standing::Hopeless,
        Standing::LeftBehind,
        Standing::Failed,
        Standing::DoesNotFit,
        Standing::Begun,
        Standing::Waiting,
    ];
    let counts = standings.map(|standing| (table.count(standing), standing.word()));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let mut counts: Vec<String> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if table.to_choose > 0 {
        counts.push(format!("{} to be chosen", table.to_choose));
    }
    lines.push(format!(
        "{}; tables: {}",
        counts.join(", "),
        folder.path().display()
    ));
    output::print(&lines.join("\n"))
}

fn as_text(table: &Table) -> String {
    let mut heading: Vec<String> = ["rank", "trial"].map(str::to_owned).to_vec();
    heading.extend(table.is_chosen().then(|| "round".to_owned()));
    heading.extend(table.factors.iter().cloned());
    heading.extend([
        "parameters".to_owned(),
        table.metric.name(),
        "time".to_owned(),
    ]);
    let row = |row: &TrialRow| {
        let rank = row
            .rank
            .map_or_else(|| row.standing.word().to_owned(), |rank| rank.to_string());
        let mut cells = vec![rank, row.number.to_string()];
        cells.extend(table.is_chosen().then(|| row.round_text()));
        cells.extend(row.values.iter().cloned());
        let dash = || "–".to_owned();
        cells.push(row.parameters.map_or_else(dash, count));
        cells.push(
            row.value
                .map_or_else(dash, |value| table.spread_text(value)),
        );
        cells.push(row.seconds.map_or_else(dash, |time| time_text(time.mean)));
        cells
    };
    let ranked = table.ranked();
    let rows: Vec<Vec<String>> = ranked
        .iter()
        .take(MOST_ROWS)
        .map(|found| row(found))
        .collect();
    let mut lines = vec![text::table_of(&heading, &rows)];
    if ranked.len() > MOST_ROWS {
        lines.push(format!(
            "… and {} more in table.csv",
            ranked.len() - MOST_ROWS
        ));
    }
    let told = ranked.iter().filter(|row| row.reason.is_some());
    for row in told.take(MOST_ROWS) {
        let why = row.reason.clone().unwrap_or_default();
        lines.push(format!(
            "trial {} {}: {why}",
            row.number,
            row.standing.word()
        ));
    }
    lines.join("\n")
}

/// `encoder.0.kernel_size: 3: 97.10 ± 0.20 % (8 trials), …`
fn effect_line(table: &Table, effect: &Effect) -> Option<String> {
    let points = effect.points.iter().filter_map(|point| {
        let quality = table.spread_text(point.quality?);
        Some(format!(
            "{}: {quality} ({} trials)",
            point.label, point.trials
        ))
    });
    let points: Vec<String> = points.take(12).collect();
    (points.len() > 1).then(|| format!("{}: {}", effect.factor, points.join(", ")))
}

/// The trials before anything is trained.
fn planned(plan: &Plan) -> String {
    let table = Table::planned(plan);
    let mut heading = vec!["trial".to_owned()];
    heading.extend(table.factors.iter().cloned());
    heading.extend(["parameters", "MACs", "why not"].map(str::to_owned));
    let row = |row: &TrialRow| {
        let dash = || "–".to_owned();
        let mut cells = vec![row.number.to_string()];
        cells.extend(row.values.iter().cloned());
        cells.extend([
            row.parameters.map_or_else(dash, count),
            row.macs.map_or_else(dash, count),
            row.reason.clone().unwrap_or_default(),
        ]);
        cells
    };
    let rows: Vec<Vec<String>> = table.trials.iter().map(row).collect();
    let known = format!(
        "{}\n{} trials, {} fit, {} runs",
        text::table_of(&heading, &rows),
        plan.trials.len(),
        plan.fitting(),
        plan.fitting() * plan.seeds.len()
    );
    match plan.to_choose() {
        0 => known,
        more => format!(
            "{known}\n{more} more trials, {} runs, are chosen from what these reach, {} at a time",
            more * plan.seeds.len(),
            plan.round_size()
        ),
    }
}
