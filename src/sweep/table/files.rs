//! The files of a table.

use super::super::SweepError;
use super::super::folder::SweepFolder;
use super::{RunRow, Spread, TABLE_FILE, Table, TrialRow};

impl Table {
    pub(super) fn write(&self, folder: &SweepFolder) -> Result<(), SweepError> {
        let json = serde_json::to_string_pretty(self).map_err(|error| {
            SweepError::write(
                &folder.path().join(TABLE_FILE),
                std::io::Error::other(error),
            )
        })?;
        folder.write(TABLE_FILE, &(json + "\n"))?;
        folder.write("table.csv", &csv(self.trial_lines()))?;
        folder.write("runs.csv", &csv(self.run_lines()))?;
        folder.write("times.csv", &csv(self.time_lines()))
    }

    fn trial_lines(&self) -> Vec<Vec<String>> {
        let measures = self.measures();
        let metric = self.metric.to_string();
        let mut heading = words(&["trial"]);
        heading.extend(self.factors.iter().cloned());
        heading.extend(self.is_chosen().then(|| "round".to_owned()));
        heading.extend(words(&["state", "epochs", "parameters", "macs", "rank"]));
        heading.extend([format!("ranked by {metric}"), "deviation".to_owned()]);
        for name in &measures {
            heading.extend([name.clone(), format!("{name} deviation")]);
        }
        heading.push("reason".to_owned());
        let line = |row: &TrialRow| {
            let mut line = vec![row.number.to_string()];
            line.extend(row.values.iter().cloned());
            line.extend(self.is_chosen().then(|| row.round_text()));
            line.extend([
                row.standing.word().to_owned(),
                row.epochs.to_string(),
                some(row.parameters),
                some(row.macs),
                some(row.rank),
            ]);
            line.extend(spread(row.value));
            for name in &measures {
                line.extend(spread(row.measured.get(name).copied()));
            }
            line.push(row.reason.clone().unwrap_or_default());
            line
        };
        std::iter::once(heading)
            .chain(self.trials.iter().map(line))
            .collect()
    }

    fn run_lines(&self) -> Vec<Vec<String>> {
        let measures = self.measures();
        let mut heading = words(&["run", "trial", "seed", "state", "epochs"]);
        heading.push(format!("ranked by {}", self.metric));
        heading.extend(measures.iter().cloned());
        heading.push("reason".to_owned());
        let line = |trial: usize, run: &RunRow| {
            let mut line = vec![
                run.name.clone(),
                trial.to_string(),
                run.seed.to_string(),
                run.standing.word().to_owned(),
                run.epochs.to_string(),
                some(run.value),
            ];
            line.extend(measures.iter().map(|name| some(run.measured.get(name))));
            line.push(run.reason.clone().unwrap_or_default());
            line
        };
        let runs = self.trials.iter();
        let runs = runs.flat_map(|row| row.runs.iter().map(move |run| (row.number, run)));
        let lines = runs.map(|(trial, run)| line(trial, run));
        std::iter::once(heading).chain(lines).collect()
    }

    fn time_lines(&self) -> Vec<Vec<String>> {
        let heading = words(&["run", "seconds", "images_per_second"]);
        let line = |run: &RunRow| {
            vec![
                run.name.clone(),
                some(run.seconds),
                some(run.images_per_second),
            ]
        };
        let runs = self.trials.iter().flat_map(|row| &row.runs);
        std::iter::once(heading).chain(runs.map(line)).collect()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn some<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn spread(value: Option<Spread>) -> [String; 2] {
    [
        some(value.map(|value| value.mean)),
        some(value.and_then(|value| value.deviation)),
    ]
}

fn csv(lines: Vec<Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        // Writing into memory does not fail, and all lines of a table have one length.
        if let Err(error) = writer.write_record(&line) {
            log::error!("a line of a sweep's table was left out: {error}");
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
