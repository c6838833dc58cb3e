//! `changes.csv` of a run: which settings were changed while it trained, with the step from which each holds.
//!
//! A change is written before the first step that is taken with it, so that a run which is resumed from an earlier
//! checkpoint, or trained again, takes it over at that step.

use std::io;
use std::path::Path;
use strata_core::atomic_write::write_atomic;
use strata_core::files;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::stage::Stage;

/// The file in a run's folder.
pub(crate) const CHANGES_FILE: &str = "changes.csv";
const COLUMNS: [&str; 4] = ["step", "stage", "setting", "value"];
/// Nobody changes more by hand.
const MOST_BYTES: u64 = 16 << 20;

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The first step that is taken with it, over the whole run from 1.
    pub step: u64,
    /// The name of the stage that it was changed in, and in which alone it holds.
    pub stage: String,
    /// Which setting.
    pub setting: LiveSetting,
    /// What it is from there on.
    pub value: f64,
}

impl Change {
    /// For people: `learning rate 0.001`.
    pub fn text(&self) -> String {
        format!("{} {}", self.setting.name(), self.value)
    }
}

/// The changes of a run, by their steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    rows: Vec<Change>,
}

impl Changes {
    /// Those of a run; none where nothing was changed. Fails with a sentence that says which line is wrong.
    pub fn read(run: &Path) -> Result<Changes, String> {
        let path = run.join(CHANGES_FILE);
        if !path.exists() {
            return Ok(Changes::default());
        }
        let damaged = |reason: String| {
            format!(
                "{}: {reason}; put it right, or take the line out: the run then goes on without that change",
                path.display()
            )
        };
        let text =
            files::read_text(&path, MOST_BYTES).map_err(|error| damaged(error.to_string()))?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader
            .headers()
            .map_err(|error| damaged(error.to_string()))?;
        if !columns.iter().eq(COLUMNS) {
            return Err(damaged(format!(
                "its first line is not {}",
                COLUMNS.join(",")
            )));
        }
        let mut rows: Vec<Change> = Vec::new();
        for (index, record) in reader.records().enumerate() {
            // The heading is the first line.
            let wrong = |reason: String| damaged(format!("line {}: {reason}", index + 2));
            let record = record.map_err(|error| wrong(error.to_string()))?;
            rows.push(change(&record).map_err(wrong)?);
        }
        rows.sort_by_key(|change| change.step);
        Ok(Changes { rows })
    }

    /// All of them, by their steps.
    pub fn all(&self) -> &[Change] {
        &self.rows
    }

    /// What begins to hold with this step in this stage.
    pub(crate) fn due(&self, stage: &str, step: u64) -> Vec<Change> {
        let first = self.rows.partition_point(|change| change.step < step);
        let now = self.rows[first..]
            .iter()
            .take_while(|change| change.step == step);
        now.filter(|change| change.stage == stage)
            .cloned()
            .collect()
    }

    /// Brings a stage to what holds after this step. What it has no setting for, or not with this value, stays as it is.
    pub(crate) fn apply_until(&self, stage: &mut Stage, step: u64) {
        let name = stage.name.clone();
        let held = self
            .rows
            .iter()
            .filter(|change| change.step <= step && change.stage == name);
        for change in held {
            if let Err(error) = change.setting.set(stage, change.value) {
                log::warn!("{CHANGES_FILE}: {error}");
            }
        }
    }

    /// Adds a change. It replaces what was noted of its setting for the same and for later steps: the last word counts.
    pub(crate) fn add(&mut self, new: Change) {
        self.rows.retain(|old| {
            old.step < new.step || old.stage != new.stage || old.setting != new.setting
        });
        let place = self.rows.partition_point(|old| old.step <= new.step);
        self.rows.insert(place, new);
    }

    /// Takes back what was to hold from a later step on.
    pub(crate) fn forget_after(&mut self, step: u64) {
        self.rows.retain(|change| change.step <= step);
    }

    /// Replaces the file in a run's folder; where nothing was changed there is none.
    pub(crate) fn write(&self, run: &Path) -> io::Result<()> {
        let path = run.join(CHANGES_FILE);
        if self.rows.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(COLUMNS)?;
        for change in &self.rows {
            table.write_record([
                &change.step.to_string(),
                &change.stage,
                change.setting.key(),
                &change.value.to_string(),
            ])?;
        }
        let bytes = table.into_inner();
        write_atomic(
            &path,
            &bytes.map_err(|error| io::Error::other(error.to_string()))?,
        )
    }
}

fn change(record: &csv::StringRecord) -> Result<Change, String> {
    let field = |index: usize| record.get(index).unwrap_or_default().trim();
    let setting: LiveSetting = field(2).parse().map_err(|error| format!("{error}"))?;
    let step = field(0).parse().ok().filter(|step: &u64| *step > 0);
    let value = field(3)
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite());
    Ok(Change {
        step: step.ok_or_else(|| format!("`{}` is no step, which are counted from 1", field(0)))?,
        stage: field(1).to_owned(),
        setting,
        value: value.ok_or_else(|| format!("`{}` is no number", field(3)))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(step: u64, key: &str, value: f64) -> Change {
        Change {
            step,
            stage: "a, b".into(),
            setting: key.parse().unwrap(),
            value,
        }
    }

    #[test]
    fn changes_are_kept_and_the_last_word_counts() {
        let run = tempfile::tempdir().unwrap();
        let mut changes = Changes::default();
        changes.write(run.path()).unwrap();
        assert!(!run.path().join(CHANGES_FILE).exists());
        for change in [
            of(9, "lr", 0.5),
            of(4, "lr", 0.1 + 0.2),
            of(4, "beta", 2.0),
            of(12, "beta", 1.0),
        ] {
            changes.add(change);
        }
        let kept = [
            of(4, "lr", 0.1 + 0.2),
            of(4, "beta", 2.0),
            of(12, "beta", 1.0),
        ];
        assert_eq!(
            changes.all(),
            kept,
            "what was to come of the learning rate is taken back"
        );
        changes.write(run.path()).unwrap();
        assert_eq!(Changes::read(run.path()).unwrap(), changes);
        assert_eq!(changes.due("a, b", 4).len(), 2);
        assert!(changes.due("a, b", 5).is_empty() && changes.due("a", 4).is_empty());
    }

    #[test]
    fn a_damaged_file_is_told_by_its_line() {
        let run = tempfile::tempdir().unwrap();
        for (text, part) in [
            (
                "step,stage\n",
                "its first line is not step,stage,setting,value",
            ),
            (
                "step,stage,setting,value\n3,a,lr,0.1\n0,a,lr,1\n",
                "line 3: `0` is no step",
            ),
            (
                "step,stage,setting,value\n3,a,epochs,0.1\n",
                "line 2: `epochs` is no setting",
            ),
            (
                "step,stage,setting,value\n3,a,lr,inf\n",
                "line 2: `inf` is no number",
            ),
            ("step,stage,setting,value\n3,a\n", "line 2"),
        ] {
            std::fs::write(run.path().join(CHANGES_FILE), text).unwrap();
            let error = Changes::read(run.path()).unwrap_err();
            assert!(
                error.contains(part) && error.contains("take the line out"),
                "{error}"
            );
        }
    }
}
