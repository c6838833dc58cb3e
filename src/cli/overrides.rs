//! `--set KEY=VALUE` and `--unset KEY`: change a project's text as a TOML table, before it is read as a project.
//!
//! A key is a path of [`strata_core::project::setting_path`]; what is no setting of a project is [`WrongInput`].

use super::WrongInput;
use clap::Args as ClapArgs;
use strata_core::project::data::DataSpec;
use strata_core::project::setting_path::{put, take_out};
use strata_core::project::{Project, ProjectError, file};
use toml::Table;

/// What is changed in a project before it is used.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Changes {
    /// Change a setting, such as data.path=~/stl10, stage.0.lr=0.01 or 'network.encoder.0=conv 8 k5'; can be given
    /// several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Take a setting out of the project, such as data.range; can be given several times
    #[arg(long = "unset", value_name = "KEY")]
    pub unset: Vec<String>,
    /// Of a project of several runs the one that is meant [default: the first that trains a network; train takes all]
    #[arg(long = "run", value_name = "NAME")]
    pub run: Option<String>,
}

impl Changes {
    /// Whether the project stays what it is.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }
}

/// The project of this text with the changes applied, those that take out first; `name` is the text's name in
/// messages.
pub fn project(text: &str, name: &str, changes: &Changes) -> anyhow::Result<Project> {
    let project = changed(text, name, changes)?;
    let Some(run) = &changes.run else {
        return Ok(project);
    };
    let study = project.study.as_ref();
    match study.and_then(|study| study.find(run)) {
        Some(place) => Ok(project.showing(Some(place))),
        None => {
            let there = study.map_or_else(
                || "it is a project of one run".to_owned(),
                |study| format!("its runs are {}", study.names().join(", ")),
            );
            Err(WrongInput(format!("--run {run}: {name} has no such run; {there}")).into())
        }
    }
}

fn changed(text: &str, name: &str, changes: &Changes) -> anyhow::Result<Project> {
    let mut project = file::parse(text, name)?;
    if changes.is_empty() {
        return Ok(project);
    }
    let mut table: Table = toml::from_str(text).map_err(|_| {
        WrongInput(format!(
            "a number in {name} is too large for --set and --unset"
        ))
    })?;
    for key in &changes.unset {
        let wrong = |why: String| WrongInput(format!("--unset {key}: {why}"));
        take_out(&mut table, key.trim()).map_err(wrong)?;
        project = read(&table, name).map_err(wrong)?;
    }
    for setting in &changes.set {
        let wrong = |why: String| WrongInput(format!("--set {setting}: {why}"));
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| wrong("write KEY=VALUE".into()))?;
        put(&mut table, key.trim(), value).map_err(wrong)?;
        project = read(&table, name).map_err(wrong)?;
    }
    agree(&project.data, &changes.set)?;
    Ok(project)
}

fn read(table: &Table, name: &str) -> Result<Project, String> {
    let text = toml::to_string(table).map_err(|error| error.to_string())?;
    // Line numbers of the changed text would mislead.
    file::parse(&text, name).map_err(|error| match error {
        ProjectError::Text { message, .. } => message,
        other => other.to_string(),
    })
}

/// Refuses what was set together with a setting that decides the same, with the one to take out.
fn agree(data: &DataSpec, set: &[String]) -> Result<(), WrongInput> {
    let sets = |key: &str| {
        let path = format!("data.{key}");
        let is_it = |setting: &&String| {
            let written = setting.split('=').next().unwrap_or_default().trim();
            written == path || written.starts_with(&format!("{path}."))
        };
        set.iter().find(is_it)
    };
    for [one, other] in data.contradictions() {
        let (setting, there) = match (sets(one), sets(other)) {
            (Some(_), Some(_)) | (None, None) => continue,
            (Some(setting), None) => (setting, other),
            (None, Some(setting)) => (setting, one),
        };
        return Err(WrongInput(format!(
            "--set {setting}: the project has {there} as well, and {one} and {other} exclude each other: add --unset data.{there}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE_STAGES: &str = r#"
format = 1
title = "three stages"
[data]
range = [-1, 1]
[network]
input = "3x32x32"
encoder = ["conv 24 k3 p1", "relu"]
decoder = ["convt 3 k3 p1"]
head = ["conv 64 k3 p1", "relu", "gmp", "dropout 0.5", "dense 10"]
[[stage]]
name = "pretrain"
task = "reconstruct"
loss = "mse"
optimizer = "adam lr=2e-3"
epochs = 3
batch = 32
[[stage]]
name = "head only"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=2e-3"
freeze = ["encoder"]
epochs = 4
batch = 64
[[stage]]
name = "fine-tune"
task = "classify"
loss = "cross-entropy"
optimizer = "adam lr=2e-3"
schedule = "cosine"
epochs = 5
batch = 64
"#;

    fn changed(set: &[&str], unset: &[&str]) -> anyhow::Result<Project> {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let changes = Changes {
            set: all(set),
            unset: all(unset),
            run: None,
        };
        project(THREE_STAGES, "p", &changes)
    }

    #[test]
    fn settings_change_what_they_name() {
        let project = changed(
            &[
                "seed=7",
                "data.path=~/x",
                "data.range=[0, 1]",
                "stage.0.epochs=3",
                "stage.head only.optimizer=sgd lr=0.5",
                "network.encoder.1=tanh",
                "goals.psnr=>= 22",
            ],
            &[],
        )
        .unwrap();
        assert_eq!(
            (project.seed, project.data.path.as_deref()),
            (7, Some("~/x"))
        );
        assert_eq!(project.data.range, Some([0.0, 1.0]));
        assert_eq!(
            (project.stages[0].epochs, project.stages[1].optimizer.lr()),
            (3, 0.5)
        );
        assert_eq!(project.network.encoder[1].text(), "tanh");
        assert_eq!(
            project
                .goals
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["psnr >= 22"]
        );
    }

    #[test]
    fn words_of_a_text_are_changed_alone() {
        let project = changed(
            &[
                "stage.0.lr=0.5",
                "stage.1.optimizer=sgd lr=0.1",
                "stage.1.momentum=0.9",
                "stage.1.nesterov=true",
                "stage.2.optimizer.weight_decay=1e-4",
                "stage.2.early_stop.patience=3",
                "stage.0.sparsity.rho=0.1",
            ],
            &[],
        )
        .unwrap();
        assert_eq!(project.stages[0].optimizer.lr(), 0.5);
        assert_eq!(
            project.stages[1].optimizer.to_string(),
            "sgd lr=0.1 momentum=0.9 nesterov"
        );
        assert!(
            project.stages[2]
                .optimizer
                .to_string()
                .ends_with("weight_decay=1e-4")
        );
        assert_eq!(project.stages[2].early_stop.as_ref().unwrap().patience, 3);
        assert_eq!(project.stages[0].sparsity.as_ref().unwrap().rho, 0.1);
    }

    #[test]
    fn settings_are_taken_out() {
        let project = changed(
            &["data.normalize=train"],
            &[
                "data.range",
                "stage.2.schedule",
                "network.head.3",
                "stage.head only",
            ],
        )
        .unwrap();
        assert!(project.data.range.is_none() && project.data.normalize.is_some());
        assert_eq!(project.stages.len(), 2);
        assert!(project.stages[1].schedule.is_none());
        assert_eq!(project.network.head.len(), 4);
        let error = changed(&["data.normalize=train"], &[]).unwrap_err();
        assert!(error.to_string().contains("--unset data.range"), "{error}");
        for (key, part) in [
            ("data.fold", "there is no `fold`"),
            ("network.input", "[network] needs `input`"),
            ("stage.9", "has no entry `9`"),
            ("stage.0.weight_decay", "there is no `weight_decay`"),
            ("title.x", "single value"),
        ] {
            let error = changed(&[], &[key]).unwrap_err();
            assert!(error.downcast_ref::<WrongInput>().is_some(), "{key}");
            let message = error.to_string();
            assert!(
                message.starts_with(&format!("--unset {key}: ")) && message.contains(part),
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_no_setting_is_told() {
        for (setting, part) in [
            ("seed", "write KEY=VALUE"),
            (
                "sead=7",
                "there is no setting `sead` in a project: did you mean `seed`?",
            ),
            (
                "data.pat=7",
                "there is no setting `pat` in [data]: did you mean `path`?",
            ),
            ("stage.9.epochs=7", "has no entry `9`"),
            (
                "stage.0.epochs=many",
                "epochs = \"many\" is not possible: write a whole number from 1, such as epochs = 10",
            ),
            ("title.x=1", "single value"),
            ("nothing.x=1", "there is no `nothing`"),
            ("stage.0.lr=fast", "must be a number from 0 to"),
        ] {
            let error = changed(&[setting], &[]).unwrap_err();
            assert!(error.downcast_ref::<WrongInput>().is_some(), "{setting}");
            assert!(error.to_string().contains(part), "{setting}: {error}");
        }
    }
}
