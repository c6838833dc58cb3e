//! `--set PATH=VALUE`: changes a project's text as a TOML table, before it is read as a project.
//!
//! A path is the way through the file: `seed`, `data.path`, `stage.0.batch` or `stage.pretrain.batch`.
//! A value is TOML if it reads as such (`3`, `[0, 1]`, `true`), else text. What is no setting of a
//! project is [`WrongInput`].

use super::WrongInput;
use strata_core::project::{Project, ProjectError, file};
use toml::{Table, Value};

/// The project of this text with the settings applied; `name` is the text's name in messages.
pub fn project(text: &str, name: &str, settings: &[String]) -> anyhow::Result<Project> {
    let mut project = file::parse(text, name)?;
    let mut table: Table = toml::from_str(text)?;
    for setting in settings {
        let wrong = |why: String| WrongInput(format!("--set {setting}: {why}"));
        let (path, value) = setting
            .split_once('=')
            .ok_or_else(|| wrong("write PATH=VALUE".into()))?;
        set(&mut table, path.trim(), value_of(value)).map_err(wrong)?;
        let text = toml::to_string(&table).map_err(|error| wrong(error.to_string()))?;
        project = file::parse(&text, name).map_err(|error| wrong(reason(error)))?;
    }
    Ok(project)
}

/// Line numbers of the changed text would mislead.
fn reason(error: ProjectError) -> String {
    match error {
        ProjectError::Text { message, .. } => message,
        other => other.to_string(),
    }
}

fn value_of(text: &str) -> Value {
    let table = toml::from_str::<Table>(&format!("value = {text}"));
    let value = table
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(rest) = rest else {
        table.insert(first.to_owned(), value);
        return Ok(());
    };
    match table.get_mut(first) {
        Some(Value::Table(inner)) => set(inner, rest, value),
        Some(Value::Array(items)) => set_item(items, first, rest, value),
        Some(_) => Err(format!(
            "`{first}` is a single value, there is no `{rest}` in it"
        )),
        None if matches!(first, "data" | "goals") => {
            let mut inner = Table::new();
            set(&mut inner, rest, value)?;
            table.insert(first.to_owned(), Value::Table(inner));
            Ok(())
        }
        None => Err(format!("there is no `{first}` in the project")),
    }
}

fn set_item(items: &mut [Value], list: &str, path: &str, value: Value) -> Result<(), String> {
    let (which, rest) = path
        .split_once('.')
        .map_or((path, None), |(which, rest)| (which, Some(rest)));
    let count = items.len();
    let named = |item: &Value| item.get("name").and_then(Value::as_str) == Some(which);
    let index = which.parse().ok().or_else(|| items.iter().position(named));
    let item = index.and_then(|index: usize| items.get_mut(index));
    let item = item.ok_or_else(|| {
        format!("`{list}` has no entry `{which}`: it has {count}, counted from 0")
    })?;
    match (item, rest) {
        (item, None) => *item = value,
        (Value::Table(inner), Some(rest)) => return set(inner, rest, value),
        (_, Some(rest)) => {
            return Err(format!(
                "`{list}.{which}` is a single value, there is no `{rest}` in it"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    fn with(settings: &[&str]) -> anyhow::Result<Project> {
        let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
        project(
            builtin::find("pretrain-classify").unwrap().text,
            "p",
            &settings,
        )
    }

    #[test]
    fn settings_change_what_they_name() {
        let project = with(&[
            "seed=7",
            "data.path=~/x",
            "data.range=[0, 1]",
            "stage.0.epochs=3",
            "stage.head only.optimizer=sgd lr=0.5",
            "network.encoder.1=tanh",
            "goals.psnr=>= 22",
        ])
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
    fn what_is_no_setting_is_told() {
        for (setting, part) in [
            ("seed", "write PATH=VALUE"),
            ("sead=7", "unknown field `sead`"),
            ("data.pat=7", "unknown field `pat`"),
            ("stage.9.epochs=7", "has no entry `9`"),
            ("stage.0.epochs=many", "invalid type"),
            ("title.x=1", "single value"),
            ("nothing.x=1", "there is no `nothing`"),
        ] {
            let error = with(&[setting]).unwrap_err();
            assert!(error.downcast_ref::<WrongInput>().is_some(), "{setting}");
            assert!(error.to_string().contains(part), "{setting}: {error}");
        }
    }
}
