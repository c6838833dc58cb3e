//! Scripts that train a sweep elsewhere: an array job of SLURM, an indexed Job of Kubernetes, Ray Tune, GNU parallel.
//!
//! All of them start `strata sweep PROJECT -o DIR --shard i/n` n times, in one folder on a file system that the machines
//! share, and write the tables at the end. What halving and a Bayesian search compare is shared through that folder, so
//! their processes get no part of their own.

use super::SweepError;
use super::plan::Plan;
use std::path::{Path, PathBuf};
use strata_core::format::slug;

/// What starts the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `sbatch`: an array job.
    Slurm,
    /// `kubectl apply`: an indexed Job.
    Kubernetes,
    /// `python`: Ray Tune.
    Ray,
    /// `parallel`: on this machine, or on several by ssh.
    Parallel,
}

impl Engine {
    /// All of them.
    pub const ALL: [Engine; 4] = [
        Engine::Slurm,
        Engine::Kubernetes,
        Engine::Ray,
        Engine::Parallel,
    ];

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Engine::Slurm => "slurm",
            Engine::Kubernetes => "k8s",
            Engine::Ray => "ray",
            Engine::Parallel => "parallel",
        }
    }
}

/// What a script is to do.
#[derive(Clone, Debug)]
pub struct Script {
    /// The project's file or the sweep's folder.
    pub project: PathBuf,
    /// The sweep's folder.
    pub folder: PathBuf,
    /// Processes that share the runs.
    pub shards: usize,
}

/// How many processes are started where nobody says: as many as there are runs, at most so many.
const USUAL_SHARDS: usize = 16;

impl Script {
    /// The script for a plan.
    pub fn new(
        plan: &Plan,
        project: &Path,
        folder: &Path,
        shards: Option<usize>,
    ) -> Result<Script, SweepError> {
        let runs = plan.runs_at_once();
        let usual = match plan.round_size() {
            0 => runs,
            // More processes would wait for each other from the second round on.
            round => round * plan.seeds.len(),
        };
        let shards = shards.unwrap_or(USUAL_SHARDS.min(usual));
        if shards == 0 || shards > runs {
            let has = if plan.round_size() > 0 {
                "trains at once"
            } else {
                "has"
            };
            return Err(SweepError::Input(format!(
                "--shards {shards}: the sweep {has} {runs} runs, so it has 1 to {runs} parts"
            )));
        }
        Ok(Script {
            project: project.to_owned(),
            folder: folder.to_owned(),
            shards,
        })
    }

    /// Its text.
    pub fn text(&self, plan: &Plan, engine: Engine) -> String {
        let job = slug(&plan.project.title, "sweep");
        let is_shared = plan.sweep.method.compares_trials();
        match engine {
            Engine::Slurm => self.slurm(&job, is_shared),
            Engine::Kubernetes => self.kubernetes(&job, is_shared),
            Engine::Ray => self.ray(is_shared),
            Engine::Parallel => self.parallel(is_shared),
        }
    }

    /// The command that trains one part; `part` is what the shell makes its number from 1 of.
    fn command(&self, part: &str, is_shared: bool) -> String {
        let shard = match is_shared {
            true => String::new(),
            false => format!(" --shard {part}/{}", self.shards),
        };
        format!("strata sweep \"$PROJECT\" -o \"$DIR\"{shard}")
    }

    fn variables(&self) -> String {
        format!(
            "PROJECT={}\nDIR={}\n",
            quoted(&self.project),
            quoted(&self.folder)
        )
    }

    fn slurm(&self, job: &str, is_shared: bool) -> String {
        let Script { shards, .. } = self;
        let command = self.command("\"$SLURM_ARRAY_TASK_ID\"", is_shared);
        format!(
            "#!/bin/bash
# A sweep of Strata as an array job: sbatch FILE. A task that was killed goes on where it was: submit it again.
# The tables are in $DIR, as far as the runs are, whenever a run has ended.
#SBATCH --job-name={job}
#SBATCH --array=1-{shards}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --output={job}-%A-%a.log
#SBATCH --requeue
set -eu
{}export RAYON_NUM_THREADS=\"${{SLURM_CPUS_PER_TASK:-1}}\"
{command}
",
            self.variables()
        )
    }

    fn kubernetes(&self, job: &str, is_shared: bool) -> String {
        let Script { shards, .. } = self;
        let name = dns_label(job);
        let command = self.command("$((JOB_COMPLETION_INDEX + 1))", is_shared);
        let variables = self.variables().replace('\n', "\n              ");
        format!(
            "# A sweep of Strata as an indexed Job: kubectl apply -f FILE. Put in the image that has strata and the images of
# the project, and the volume that all pods share: $PROJECT and $DIR are on it.
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {shards}
  parallelism: {shards}
  backoffLimit: {shards}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      restartPolicy: OnFailure
      containers:
        - name: strata
          image: strata:latest
          workingDir: /work
          command: [\"/bin/sh\", \"-c\"]
          args:
            - |
              set -eu
              {variables}exec {command}
          env:
            - name: RAYON_NUM_THREADS
              value: \"2\"
          resources:
            requests:
              cpu: \"2\"
              memory: 4Gi
          volumeMounts:
            - name: work
              mountPath: /work
      volumes:
        - name: work
          persistentVolumeClaim:
            claimName: work
"
        )
    }

    fn parallel(&self, is_shared: bool) -> String {
        let Script { shards, .. } = self;
        let command = self.command("{}", is_shared);
        format!(
            "#!/bin/bash
# A sweep of Strata with GNU parallel: bash FILE. Each part computes with one thread, JOBS of them at once. What was killed
# goes on where it was when the script is started again.
set -eu
{}export PROJECT DIR RAYON_NUM_THREADS=1
seq {shards} | parallel --jobs \"${{JOBS:-$(nproc)}}\" --retries 2 --line-buffer --tag '{command} --jobs 1'
# All is trained: this writes the tables once more and prints them.
strata sweep \"$PROJECT\" -o \"$DIR\"
",
            self.variables()
        )
    }

    fn ray(&self, is_shared: bool) -> String {
        let Script { shards, .. } = self;
        let (project, folder) = (python(&self.project), python(&self.folder));
        let shard = match is_shared {
            true => String::new(),
            false => format!(", \"--shard\", f\"{{config['shard']}}/{shards}\""),
        };
        format!(
            "\"\"\"A sweep of Strata with Ray Tune: python FILE, with `pip install 'ray[tune]'`. On a cluster the folder has to be
on a file system that all nodes share. What was killed goes on where it was when the script is started again.\"\"\"

import json
import os
import subprocess

from ray import tune

PROJECT = os.path.abspath({project})
DIR = os.path.abspath({folder})
SHARDS = {shards}


def train(config):
    \"\"\"Trains one part of the runs, and reports the best value that is known of all.\"\"\"
    command = [\"strata\", \"sweep\", PROJECT, \"-o\", DIR{shard}, \"--jobs\", \"1\"]
    subprocess.run(command, check=True, env={{**os.environ, \"RAYON_NUM_THREADS\": \"1\"}})
    with open(os.path.join(DIR, \"table.json\"), encoding=\"utf-8\") as file:
        trials = json.load(file)[\"trials\"]
    best = [trial[\"value\"][\"mean\"] for trial in trials if trial[\"rank\"] == 1]
    return {{\"value\": best[0] if best else float(\"nan\")}}


if __name__ == \"__main__\":
    tuner = tune.Tuner(
        tune.with_resources(train, {{\"cpu\": 1}}),
        param_space={{\"shard\": tune.grid_search(list(range(1, SHARDS + 1)))}},
    )
    results = tuner.fit()
    if results.errors:
        raise SystemExit(f\"{{len(results.errors)}} parts failed: start the script again\")
    # All is trained: this writes the tables once more and prints them.
    subprocess.run([\"strata\", \"sweep\", PROJECT, \"-o\", DIR], check=True)
"
        )
    }
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// A path as a text of Python.
fn python(path: &Path) -> String {
    // JSON's texts are Python's.
    serde_json::Value::String(path.display().to_string()).to_string()
}

/// A name as Kubernetes has them: small letters, digits and hyphens, at most 52 of them for the pods' numbers.
fn dns_label(name: &str) -> String {
    let letters = name
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => letter,
            _ => '-',
        });
    let label: String = letters.take(52).collect();
    let label = label.trim_matches('-');
    if label.is_empty() { "sweep" } else { label }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::file;

    fn plan(method: &str) -> Plan {
        let text = format!(
            "format = 1\ntitle = \"It's a Sweep\"\n[network]\ninput = \"1x8x8\"\nencoder = [\"flatten\"]\n\
             head = [\"dense 2\"]\n[sweep]\nmethod = \"{method}\"\ntrials = 8\nstage.0.batch = \"1..9\"\n[[stage]]\n\
             name = \"a\"\ntask = \"classify\"\nloss = \"cross-entropy\"\nepochs = 4\nbatch = 2\n"
        );
        Plan::new(&file::parse(&text, "p").unwrap()).unwrap()
    }

    fn script(plan: &Plan, engine: Engine) -> String {
        let script = Script::new(plan, Path::new("it's.toml"), Path::new("out"), Some(4));
        script.unwrap().text(plan, engine)
    }

    #[test]
    fn every_script_starts_every_part() {
        let plan = plan("random");
        for (engine, part) in [
            (Engine::Slurm, "--shard \"$SLURM_ARRAY_TASK_ID\"/4"),
            (
                Engine::Kubernetes,
                "--shard $((JOB_COMPLETION_INDEX + 1))/4",
            ),
            (Engine::Ray, "f\"{config['shard']}/4\""),
            (Engine::Parallel, "--shard {}/4"),
        ] {
            let text = script(&plan, engine);
            assert!(text.contains(part), "{text}");
            let is_python = engine == Engine::Ray;
            let path = if is_python {
                "\"it's.toml\""
            } else {
                "'it'\\''s.toml'"
            };
            assert!(text.contains(path), "{text}");
        }
        assert!(Script::new(&plan, Path::new("p"), Path::new("o"), Some(9)).is_err());
    }

    #[test]
    fn what_compares_trials_is_shared_through_the_folder() {
        for method in ["halving factor=2 epochs=1", "bayesian startup=5 round=2"] {
            let plan = plan(method);
            for engine in Engine::ALL {
                assert!(!script(&plan, engine).contains("--shard"), "{engine:?}");
            }
        }
        // As many processes as a round has runs.
        let plan = plan("bayesian startup=5 round=2");
        let script = |shards| Script::new(&plan, Path::new("p"), Path::new("o"), shards);
        assert_eq!(script(None).unwrap().shards, 2);
        let refused = script(Some(6)).unwrap_err().to_string();
        assert!(refused.contains("trains at once 5 runs"), "{refused}");
    }

    #[test]
    fn names_are_labels_of_kubernetes() {
        assert_eq!(dns_label("It's a_Sweep!"), "it-s-a-sweep");
        assert_eq!(dns_label("…"), "sweep");
    }
}
